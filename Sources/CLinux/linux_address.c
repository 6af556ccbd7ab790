#include "linux_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(sizeof(struct sockaddr_in6) == LINUX_SOCKADDR_SIZE, "sockaddr_in6");

int linux_address_parse(const char *text, uint16_t port, struct linux_address *out) {
    struct linux_address address = {.port = port};
    if (inet_pton(AF_INET, text, address.bytes) == 1) {
        address.family = AF_INET;
        *out = address;
        return 0;
    }
    char host[INET6_ADDRSTRLEN];
    const char *percent = strchr(text, '%');
    size_t length = percent ? (size_t)(percent - text) : strlen(text);
    if (length >= sizeof host) return -EINVAL;
    memcpy(host, text, length);
    host[length] = 0;
    if (inet_pton(AF_INET6, host, address.bytes) != 1) return -EINVAL;
    address.family = AF_INET6;
    if (percent) {
        char *end;
        unsigned long index = strtoul(percent + 1, &end, 10);
        if (percent[1] == 0) return -EINVAL;
        if (*end) index = if_nametoindex(percent + 1);
        if (index == 0 || index > UINT32_MAX) return -ENODEV;
        address.scope = (uint32_t)index;
    }
    *out = address;
    return 0;
}

int linux_address_format(const struct linux_address *address, char *out, size_t size) {
    out[0] = 0;
    if (address->family != AF_INET && address->family != AF_INET6) return 0;
    if (!inet_ntop(address->family, address->bytes, out, (socklen_t)size)) return 0;
    int length = (int)strlen(out);
    if (address->family == AF_INET6 && address->scope) {
        char name[IF_NAMESIZE];
        if (if_indextoname(address->scope, name))
            length += snprintf(out + length, size - (size_t)length, "%%%s", name);
        else
            length += snprintf(out + length, size - (size_t)length, "%%%u", address->scope);
    }
    return length;
}

int linux_address_to_sockaddr(const struct linux_address *address, void *out) {
    if (address->family == AF_INET) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&in.sin_addr, address->bytes, sizeof in.sin_addr);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    if (address->family == AF_INET6) {
        struct sockaddr_in6 in6 = {
            .sin6_family = AF_INET6, .sin6_port = htons(address->port), .sin6_scope_id = address->scope};
        memcpy(&in6.sin6_addr, address->bytes, sizeof in6.sin6_addr);
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    return -EAFNOSUPPORT;
}

void linux_address_from_sockaddr(const void *sockaddr, size_t length, struct linux_address *out) {
    struct linux_address address = {0};
    sa_family_t family = AF_UNSPEC;
    if (length >= sizeof family) memcpy(&family, sockaddr, sizeof family);
    address.family = family;
    if (family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        memcpy(&in, sockaddr, sizeof in);
        address.port = ntohs(in.sin_port);
        memcpy(address.bytes, &in.sin_addr, sizeof in.sin_addr);
    } else if (family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sockaddr, sizeof in6);
        address.port = ntohs(in6.sin6_port);
        address.scope = in6.sin6_scope_id;
        memcpy(address.bytes, &in6.sin6_addr, sizeof in6.sin6_addr);
    }
    *out = address;
}
