// What is common to all descriptors. close(2), fcntl(2), read(2), write(2), getrlimit(2).
#ifndef BRAID_LINUX_DESCRIPTOR_H
#define BRAID_LINUX_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Closes; an error of close(2) means nothing to the caller, the descriptor is gone in every case but EBADF, which is our bug.
void linux_close(int fd);
/// A close-on-exec duplicate: the new descriptor or -errno.
int linux_duplicate(int fd);
int linux_set_close_on_exec(int fd);
int linux_set_nonblocking(int fd);
int64_t linux_read(int fd, void *buffer, size_t size);
int64_t linux_write(int fd, const void *buffer, size_t size);
/// Opens a file with close-on-exec. `flags` as open(2).
int linux_open(const char *path, int flags, unsigned mode);

/// Soft and hard limit of descriptors.
int linux_descriptor_limit(uint64_t *soft, uint64_t *hard);
int linux_set_descriptor_limit(uint64_t soft);
/// 0 when `path` is gone afterwards or was a socket and is removed; -EEXIST when it is something else.
int linux_remove_socket_file(const char *path);
/// Who may use the file. chmod(2).
int linux_set_mode(const char *path, unsigned mode);
/// mkdir(2).
int linux_make_directory(const char *path, unsigned mode);
/// Whether it is a terminal. isatty(3).
bool linux_is_terminal(int fd);
/// Whether this process may read the file. access(2).
bool linux_file_is_readable(const char *path);

#endif
