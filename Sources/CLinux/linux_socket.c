#include "linux_socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

_Static_assert(LINUX_AF_INET == AF_INET && LINUX_AF_INET6 == AF_INET6 && LINUX_AF_UNIX == AF_UNIX, "families");
_Static_assert(LINUX_SOL_SOCKET == SOL_SOCKET && LINUX_SO_ERROR == SO_ERROR && LINUX_SO_LINGER == SO_LINGER, "levels");
_Static_assert(LINUX_SO_PROTOCOL == SO_PROTOCOL && LINUX_SO_DOMAIN == SO_DOMAIN && LINUX_SO_MARK == SO_MARK, "options");
_Static_assert(LINUX_SO_ACCEPTCONN == SO_ACCEPTCONN && LINUX_SO_REUSEPORT == SO_REUSEPORT, "options");
_Static_assert(LINUX_SO_KEEPALIVE == SO_KEEPALIVE && LINUX_SO_BINDTODEVICE == SO_BINDTODEVICE, "options");
_Static_assert(LINUX_TCP_KEEPIDLE == TCP_KEEPIDLE && LINUX_TCP_KEEPINTVL == TCP_KEEPINTVL, "options");
_Static_assert(LINUX_TCP_KEEPCNT == TCP_KEEPCNT && LINUX_TCP_CONGESTION == TCP_CONGESTION, "options");
_Static_assert(LINUX_TCP_USER_TIMEOUT == TCP_USER_TIMEOUT && LINUX_TCP_FASTOPEN == TCP_FASTOPEN, "options");
_Static_assert(LINUX_TCP_FASTOPEN_CONNECT == TCP_FASTOPEN_CONNECT && LINUX_TCP_DEFER_ACCEPT == TCP_DEFER_ACCEPT, "options");
_Static_assert(LINUX_IPV6_V6ONLY == IPV6_V6ONLY && LINUX_IPV6_TCLASS == IPV6_TCLASS && LINUX_IP_TOS == IP_TOS, "options");

static int answer(int result) { return result < 0 ? -errno : result; }

int linux_socket(int family, int protocol) {
    return answer(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

int linux_socket_pair(int *first, int *second) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) return -errno;
    *first = pair[0];
    *second = pair[1];
    return 0;
}

int linux_bind(int fd, const struct linux_address *address) {
    struct sockaddr_in6 storage;
    int length = linux_address_to_sockaddr(address, &storage);
    if (length < 0) return length;
    return answer(bind(fd, (struct sockaddr *)&storage, (socklen_t)length));
}

int linux_listen(int fd, int backlog) { return answer(listen(fd, backlog)); }

int linux_accept(int fd, struct linux_address *peer) {
    struct sockaddr_in6 storage;
    socklen_t length = sizeof storage;
    int connection;
    do connection = accept4(fd, (struct sockaddr *)&storage, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (connection < 0 && errno == EINTR);
    if (connection < 0) return -errno;
    linux_address_from_sockaddr(&storage, length < sizeof storage ? length : sizeof storage, peer);
    return connection;
}

int linux_connect(int fd, const struct linux_address *address) {
    struct sockaddr_in6 storage;
    int length = linux_address_to_sockaddr(address, &storage);
    if (length < 0) return length;
    return answer(connect(fd, (struct sockaddr *)&storage, (socklen_t)length));
}

static int unix_address(const char *path, struct sockaddr_un *out) {
    size_t length = strlen(path);
    if (length == 0) return -EINVAL;
    if (length >= sizeof out->sun_path) return -ENAMETOOLONG;
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    memcpy(out->sun_path, path, length);
    return (int)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

int linux_bind_unix(int fd, const char *path) {
    struct sockaddr_un address;
    int length = unix_address(path, &address);
    return length < 0 ? length : answer(bind(fd, (struct sockaddr *)&address, (socklen_t)length));
}

int linux_connect_unix(int fd, const char *path) {
    struct sockaddr_un address;
    int length = unix_address(path, &address);
    return length < 0 ? length : answer(connect(fd, (struct sockaddr *)&address, (socklen_t)length));
}

int linux_shutdown(int fd, int how) { return answer(shutdown(fd, how)); }

int linux_local_address(int fd, struct linux_address *out) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &length) < 0) return -errno;
    linux_address_from_sockaddr(&storage, length, out);
    return 0;
}

int linux_peer_address(int fd, struct linux_address *out) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    if (getpeername(fd, (struct sockaddr *)&storage, &length) < 0) return -errno;
    linux_address_from_sockaddr(&storage, length, out);
    return 0;
}

int64_t linux_receive(int fd, void *buffer, size_t size) {
    ssize_t n;
    do n = recv(fd, buffer, size, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int64_t linux_peek(int fd, void *buffer, size_t size) {
    ssize_t n;
    do n = recv(fd, buffer, size, MSG_PEEK | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int64_t linux_send(int fd, const void *buffer, size_t size, int more) {
    ssize_t n;
    do n = send(fd, buffer, size, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int linux_get_option(int fd, int level, int name, int *value) {
    socklen_t length = sizeof *value;
    return answer(getsockopt(fd, level, name, value, &length));
}

int linux_set_option(int fd, int level, int name, int value) {
    return answer(setsockopt(fd, level, name, &value, sizeof value));
}

int linux_set_option_bytes(int fd, int level, int name, const void *value, size_t size) {
    return answer(setsockopt(fd, level, name, value, (socklen_t)size));
}

int linux_get_option_bytes(int fd, int level, int name, void *value, size_t *size) {
    socklen_t length = (socklen_t)*size;
    int result = answer(getsockopt(fd, level, name, value, &length));
    *size = length;
    return result;
}

int linux_reset_on_close(int fd) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    return answer(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now));
}

int linux_bytes_unsent(int fd) {
    int bytes = 0;
    return ioctl(fd, SIOCOUTQ, &bytes) < 0 ? -errno : bytes;
}

int linux_interface_name(unsigned index, char *out) { return if_indextoname(index, out) ? 0 : -errno; }

int linux_interface_index(const char *name) {
    unsigned index = if_nametoindex(name);
    return index == 0 ? -errno : (int)index;
}
