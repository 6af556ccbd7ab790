// Names to addresses, blocking. getaddrinfo(3).
#ifndef BRAID_LINUX_RESOLVE_H
#define BRAID_LINUX_RESOLVE_H

#include "linux_address.h"

/// The stream addresses of a host name or a numeric address, in the order of preference (RFC 6724): how many were written to
/// `out`, or a negative error of getaddrinfo(3), which `linux_resolve_message` explains.
int linux_resolve(const char *host, uint16_t port, struct linux_address *out, int capacity);

/// The system's own text for an answer of `linux_resolve`.
const char *linux_resolve_message(int error);

#endif
