// Commands whose output tells what no system call does, such as "nft list ruleset".
#ifndef LINUX_COMMAND_H
#define LINUX_COMMAND_H

#include <stddef.h>
#include <stdint.h>

// Runs a program, found along PATH, with nothing to read and its errors thrown away, and reads what it writes. It is killed when it
// takes longer than timeout_ms or writes more than size bytes.
//
// The words follow each other in `words`, each with its zero byte, `count` of them, at most 15. Answers the number of bytes written,
// -ENOENT when there is no such program, -ETIMEDOUT, -EFBIG, and -EPERM when it ended with anything but exit status 0.
int64_t linux_command_output(const char *words, unsigned count, char *out, size_t size, int timeout_ms);

#endif
