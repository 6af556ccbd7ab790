#include "fuzzer.h"

extern int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

int fuzzer_run(int argc, char **argv, fuzzer_callback callback) { return LLVMFuzzerRunDriver(&argc, &argv, callback); }
