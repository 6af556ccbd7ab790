// Secrets in files and from terminals. open(2), rename(2), termios(3).
#ifndef BRAID_LINUX_SECRET_H
#define BRAID_LINUX_SECRET_H

#include <stddef.h>
#include <stdint.h>

/// Writes a file of mode 0600 as a whole, by way of a new file beside it. With `replacing`, one that is there is replaced and
/// its mode and owner kept; without, -EEXIST. 0 or -errno.
int linux_write_secret(const char *path, const char *text, size_t size, int replacing);
/// Reads a line of standard input without its end; at a terminal, after a prompt, without showing it. Its length, or -errno.
int64_t linux_read_secret(const char *prompt, void *buffer, size_t size);

#endif
