/// libFuzzer's entry point (https://llvm.org/docs/LibFuzzer.html), linked in by -sanitize=fuzzer.
#ifndef FUZZER_H
#define FUZZER_H

#include <stddef.h>
#include <stdint.h>

typedef int (*fuzzer_callback)(const uint8_t *data, size_t size);

/// Calls `callback` with one input after another, as the arguments say; never returns 0 after a finding.
int fuzzer_run(int argc, char **argv, fuzzer_callback callback);

/// Sets a variable of the environment, up to four different ones and without using more memory each time; a value ends at its
/// first zero byte.
void fuzzer_set_environment(const char *name, const uint8_t *value, size_t size);

#endif
