// IPv4 and IPv6 socket addresses as one plain value. ip(7), ipv6(7).
#ifndef BRAID_LINUX_ADDRESS_H
#define BRAID_LINUX_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// An IP address and port, or nothing (family 0), or an unnamed Unix peer (family AF_UNIX).
struct linux_address {
    /// AF_UNSPEC (0), AF_INET, AF_INET6 or AF_UNIX.
    uint16_t family;
    /// Host byte order.
    uint16_t port;
    /// Interface index of a link-local IPv6 address.
    uint32_t scope;
    /// The address in network byte order; IPv4 is in the first four bytes.
    uint64_t bytes[2];
};

/// Reads "192.0.2.1", "2001:db8::1" or "fe80::1%eth0" (a name or an index). Answers 0 or -EINVAL, -ENODEV.
int linux_address_parse(const char *text, uint16_t port, struct linux_address *out);

/// Writes the address without its port; `size` at least 64. Answers the length written.
int linux_address_format(const struct linux_address *address, char *out, size_t size);

/// The largest `struct sockaddr` an address needs.
enum { LINUX_SOCKADDR_SIZE = 28 };

/// Fills `out` (LINUX_SOCKADDR_SIZE bytes) as the kernel wants it; answers its length, or -EAFNOSUPPORT.
int linux_address_to_sockaddr(const struct linux_address *address, void *out);

/// The address in a `struct sockaddr` of `length` bytes; anything that is not IP becomes its family alone.
void linux_address_from_sockaddr(const void *sockaddr, size_t length, struct linux_address *out);

#endif
