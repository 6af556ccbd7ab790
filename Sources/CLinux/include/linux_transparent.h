// Connections that netfilter redirects: REDIRECT and TPROXY. ip(7), iptables-extensions(8).
#ifndef BRAID_LINUX_TRANSPARENT_H
#define BRAID_LINUX_TRANSPARENT_H

#include "linux_address.h"

/// Where the client of an accepted socket wanted to go: what connection tracking says (SO_ORIGINAL_DST, for REDIRECT), else
/// the socket's own local address (for TPROXY). 0 or -errno.
int linux_original_destination(int fd, struct linux_address *out);
/// Lets a socket accept connections to any address (IP_TRANSPARENT, IPV6_TRANSPARENT); needs CAP_NET_ADMIN. 0 or -errno.
int linux_set_transparent(int fd, int family);
/// The address that the routing table has packets to a target carry. 0 or -errno. Sends nothing.
int linux_source_address(const struct linux_address *target, struct linux_address *out);
/// Whether the address is one of this host's: 1 or 0, also when that cannot be told. Sends nothing.
int linux_is_own_address(const struct linux_address *address);

#endif
