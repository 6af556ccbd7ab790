// libsystemd's daemon interface, and the few calls that go with them and that CLinux has no reason to
// know: each answers a value or -errno, because Swift cannot read errno reliably.
#pragma once

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
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

/// poll(2) for writing: 1 when writable, 0 when not within `milliseconds`, or -errno.
static inline int braid_wait_writable(int descriptor, int milliseconds) {
    struct pollfd wanted = {.fd = descriptor, .events = POLLOUT};
    int ready = poll(&wanted, 1, milliseconds);
    if (ready < 0) return errno == EINTR ? 0 : -errno;
    if (ready == 0) return 0;
    return (wanted.revents & POLLNVAL) ? -EBADF : (wanted.revents & POLLERR) ? -EPIPE : 1;
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
