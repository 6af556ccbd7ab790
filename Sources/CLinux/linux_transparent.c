#include "linux_transparent.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linux_socket.h"

// linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h, which clash with netinet/in.h.
enum { ORIGINAL_DESTINATION = 80 };

int linux_original_destination(int fd, struct linux_address *out) {
    struct linux_address local;
    int answer = linux_local_address(fd, &local);
    if (answer < 0) return answer;
    struct sockaddr_in6 address;
    memset(&address, 0, sizeof address);
    socklen_t length = sizeof address;
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    int is_ipv4 = local.family == AF_INET || memcmp(local.bytes, mapped, sizeof mapped) == 0;
    int found = is_ipv4 ? getsockopt(fd, IPPROTO_IP, ORIGINAL_DESTINATION, &address, &length)
                        : getsockopt(fd, IPPROTO_IPV6, ORIGINAL_DESTINATION, &address, &length);
    // ENOENT: connection tracking does not know it; ENOPROTOOPT: there is none. Then nothing was rewritten.
    if (found < 0) {
        *out = local;
        return 0;
    }
    linux_address_from_sockaddr(&address, length, out);
    return 0;
}

int linux_set_transparent(int fd, int family) {
    int one = 1;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &one, sizeof one) < 0) return -errno;
    // A dual-stack socket needs both; one for IPv6 alone has no use for it, and no harm from it.
    return setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof one) < 0 ? -errno : 0;
}

int linux_source_address(const struct linux_address *target, struct linux_address *out) {
    struct sockaddr_in6 there;
    int length = linux_address_to_sockaddr(target, &there);
    if (length < 0) return length;
    int fd = socket(target->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    // Connecting a datagram socket sends nothing.
    int result = connect(fd, (struct sockaddr *)&there, (socklen_t)length) == 0 ? linux_local_address(fd, out) : -errno;
    close(fd);
    return result;
}

int linux_is_own_address(const struct linux_address *address) {
    // The kernel answers from an address of this host with that very address.
    struct linux_address local;
    if (linux_source_address(address, &local) < 0) return 0;
    return memcmp(local.bytes, address->bytes, address->family == AF_INET ? 4 : 16) == 0;
}
