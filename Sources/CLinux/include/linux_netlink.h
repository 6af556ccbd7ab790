// Netlink sockets: the kernel's routing tables, generic families and socket diagnostics. netlink(7), rtnetlink(7).
#ifndef BRAID_LINUX_NETLINK_H
#define BRAID_LINUX_NETLINK_H

#include <stddef.h>
#include <stdint.h>

enum {
    LINUX_NETLINK_ROUTE = 0,
    LINUX_NETLINK_SOCK_DIAG = 4,
    LINUX_NETLINK_GENERIC = 16,
};

/// A non-blocking, close-on-exec netlink socket with a port of its own, that asks for extended acknowledgements and, where
/// the kernel has them, strict checks of requests: the descriptor or -errno.
int linux_netlink_open(int protocol);
/// Joins a multicast group by its number: 0 or -errno (-EPERM where the group is for CAP_NET_ADMIN).
int linux_netlink_join(int fd, uint32_t group);
/// Lets through only notices of a generic family whose command is one of those set in `commands` (bit n: command n): 0 or -errno.
int linux_netlink_filter_commands(int fd, uint32_t commands);
/// Sends one or more whole messages to the kernel: the bytes sent, or -errno.
int64_t linux_netlink_send(int fd, const void *bytes, size_t size);
/// Takes the next datagram that the kernel sent: its whole size, which is larger than `size` when it did not fit and its rest
/// is lost; or -errno (-EAGAIN none waits, -ENOBUFS some were dropped). What other processes send is skipped.
int64_t linux_netlink_receive(int fd, void *buffer, size_t size);
/// The size of the datagram that waits next, or -errno.
int64_t linux_netlink_next_size(int fd);

#endif
