// pipe(7), splice(2).
#ifndef BRAID_LINUX_PIPE_H
#define BRAID_LINUX_PIPE_H

#include <stddef.h>
#include <stdint.h>

/// A non-blocking, close-on-exec pipe. Answers 0 or -errno.
int linux_pipe(int *read_end, int *write_end);
/// Asks for `bytes`; answers the size that the pipe has now, or -errno (the old size stays).
int linux_pipe_resize(int fd, int bytes);
int linux_pipe_size(int fd);
/// Bytes waiting in a pipe or socket (FIONREAD = SIOCINQ), or -errno.
int linux_bytes_readable(int fd);
/// Non-blocking splice: bytes moved, 0 at end of file, or -errno.
int64_t linux_splice(int from, int to, size_t count, int more);

#endif
