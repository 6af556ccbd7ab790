// libsystemd's daemon and journal interfaces, and the few system calls beside them that Swift cannot make safely:
// each answers a value or -errno, because Swift cannot read errno reliably.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

/// A close-on-exec, non-blocking datagram socket connected to the Unix socket `path`; the descriptor or -errno.
static inline int braid_connect_datagram(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length + 1);
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    // As libsystemd does: a burst of records should wait in the kernel. The kernel grants what it likes of it.
    int size = 8 << 20;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        (void)close(descriptor);
        return -error;
    }
    return descriptor;
}

/// send(2) that neither waits nor raises SIGPIPE; the number of bytes sent or -errno.
static inline ssize_t braid_send_now(int descriptor, const void *bytes, size_t length) {
    ssize_t sent;
    do sent = send(descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

/// write(2); the number of bytes written or -errno.
static inline ssize_t braid_write(int descriptor, const void *bytes, size_t length) {
    ssize_t written;
    do written = write(descriptor, bytes, length);
    while (written < 0 && errno == EINTR);
    return written < 0 ? -errno : written;
}

/// poll(2) for writing: 1 when writable, 0 when not within `milliseconds`, or -errno.
static inline int braid_wait_writable(int descriptor, int milliseconds) {
    struct pollfd wanted = {.fd = descriptor, .events = POLLOUT};
    int ready = poll(&wanted, 1, milliseconds);
    if (ready < 0) return errno == EINTR ? 0 : -errno;
    if (ready == 0) return 0;
    return (wanted.revents & POLLNVAL) ? -EBADF : (wanted.revents & POLLERR) ? -EPIPE : 1;
}

/// The integer socket option `option` of level SOL_SOCKET; its value (never negative for those asked here) or -errno.
static inline int braid_socket_option(int descriptor, int option) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, option, &value, &length) < 0 ? -errno : value;
}

/// Sets FD_CLOEXEC; 0 or -errno.
static inline int braid_close_on_exec(int descriptor) {
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

/// Whether `descriptor` is open on the file with this device and inode number; 1, 0 or -errno.
static inline int braid_is_file(int descriptor, uint64_t device, uint64_t inode) {
    struct stat status;
    if (fstat(descriptor, &status) < 0) return -errno;
    return (uint64_t)status.st_dev == device && (uint64_t)status.st_ino == inode;
}

/// Whether `descriptor` is a socket; 1, 0 or -errno.
static inline int braid_is_socket(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) < 0) return -errno;
    return S_ISSOCK(status.st_mode);
}

/// close(2); 0 or -errno. Never repeated: on Linux the descriptor is gone whatever close answers.
static inline int braid_close(int descriptor) { return close(descriptor) < 0 ? -errno : 0; }
