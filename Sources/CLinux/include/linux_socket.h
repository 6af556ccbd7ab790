// Stream sockets: TCP, MPTCP and Unix. socket(7), tcp(7), unix(7).
#ifndef BRAID_LINUX_SOCKET_H
#define BRAID_LINUX_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linux_address.h"

enum {
    LINUX_AF_UNSPEC = 0,
    LINUX_AF_UNIX = 1,
    LINUX_AF_INET = 2,
    LINUX_AF_INET6 = 10,
    LINUX_IPPROTO_TCP = 6,
    LINUX_IPPROTO_MPTCP = 262,
    LINUX_SOL_SOCKET = 1,
    LINUX_SOL_IP = 0,
    LINUX_SOL_TCP = 6,
    LINUX_SOL_IPV6 = 41,
    LINUX_SOL_MPTCP = 284,
    LINUX_SO_REUSEADDR = 2,
    LINUX_SO_TYPE = 3,
    LINUX_SO_ERROR = 4,
    LINUX_SO_SNDBUF = 7,
    LINUX_SO_RCVBUF = 8,
    LINUX_SO_KEEPALIVE = 9,
    LINUX_SO_LINGER = 13,
    LINUX_SO_REUSEPORT = 15,
    LINUX_SO_BINDTODEVICE = 25,
    LINUX_SO_ACCEPTCONN = 30,
    LINUX_SO_SNDBUFFORCE = 32,
    LINUX_SO_MARK = 36,
    LINUX_SO_PROTOCOL = 38,
    LINUX_SO_DOMAIN = 39,
    LINUX_SO_BUF_LOCK = 72,
    LINUX_TCP_NODELAY = 1,
    LINUX_TCP_CORK = 3,
    LINUX_TCP_KEEPIDLE = 4,
    LINUX_TCP_KEEPINTVL = 5,
    LINUX_TCP_KEEPCNT = 6,
    LINUX_TCP_DEFER_ACCEPT = 9,
    LINUX_TCP_CONGESTION = 13,
    LINUX_TCP_USER_TIMEOUT = 18,
    LINUX_TCP_FASTOPEN = 23,
    LINUX_TCP_NOTSENT_LOWAT = 25,
    LINUX_TCP_FASTOPEN_CONNECT = 30,
    LINUX_TCP_IS_MPTCP = 43,
    LINUX_IP_TOS = 1,
    LINUX_IP_BIND_ADDRESS_NO_PORT = 24,
    LINUX_IPV6_V6ONLY = 26,
    LINUX_IPV6_TCLASS = 67,
    LINUX_SHUT_RD = 0,
    LINUX_SHUT_WR = 1,
    LINUX_SHUT_RDWR = 2,
};

/// A non-blocking, close-on-exec stream socket.
int linux_socket(int family, int protocol);
/// Two connected Unix stream sockets. socketpair(2).
int linux_socket_pair(int *first, int *second);
int linux_bind(int fd, const struct linux_address *address);
int linux_listen(int fd, int backlog);
/// A non-blocking, close-on-exec connection and its peer (AF_UNIX for an unnamed Unix peer).
int linux_accept(int fd, struct linux_address *peer);
/// 0, -EINPROGRESS, or another -errno.
int linux_connect(int fd, const struct linux_address *address);
int linux_bind_unix(int fd, const char *path);
int linux_connect_unix(int fd, const char *path);
int linux_shutdown(int fd, int how);
int linux_local_address(int fd, struct linux_address *out);
int linux_peer_address(int fd, struct linux_address *out);
int64_t linux_receive(int fd, void *buffer, size_t size);
int64_t linux_peek(int fd, void *buffer, size_t size);
/// Never raises SIGPIPE.
int64_t linux_send(int fd, const void *buffer, size_t size, int more);
int linux_get_option(int fd, int level, int name, int *value);
int linux_set_option(int fd, int level, int name, int value);
int linux_set_option_bytes(int fd, int level, int name, const void *value, size_t size);
/// `*size` is the buffer's size before, the value's length after.
int linux_get_option_bytes(int fd, int level, int name, void *value, size_t *size);
/// Makes close(2) reset the connection (SO_LINGER with no time; MP_FASTCLOSE on MPTCP).
int linux_reset_on_close(int fd);
/// Bytes written but not acknowledged yet (SIOCOUTQ).
int linux_bytes_unsent(int fd);
int linux_interface_index(const char *name);
/// Writes the name of an interface into 16 bytes; 0 or -errno.
int linux_interface_name(unsigned index, char *out);

#endif
