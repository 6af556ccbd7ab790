// What the kernel knows about one MPTCP or TCP connection.
#ifndef BRAID_LINUX_MPTCP_H
#define BRAID_LINUX_MPTCP_H

#include <stdint.h>
#include "linux_address.h"
#include "mptcp_uapi.h"

/// How many subflows of one connection can be read at once; the kernel's own path manager makes at most 9.
enum { LINUX_SUBFLOWS_MAX = 64 };

/// One subflow as we hand it on.
struct linux_subflow {
    /// The kernel's number for it, 0 when the kernel is too old to say; the first subflow has 0 or 1 there.
    uint32_t id;
    /// How many bytes of `tcp` the kernel filled.
    uint32_t tcp_length;
    struct linux_address local;
    struct linux_address remote;
    struct linux_tcp_info tcp;
};

/// MPTCP_INFO: the number of bytes filled in `out`, or -errno (-ENOPROTOOPT, -EOPNOTSUPP: not multipath, or not any more).
int linux_mptcp_info(int fd, struct linux_mptcp_info *out);

/// TCP_INFO of a TCP connection, of one that fell back, or of the first subflow: the bytes filled, or -errno.
int linux_tcp_info(int fd, struct linux_tcp_info *out);

/// Every subflow through MPTCP_FULL_INFO. Answers how many the connection has, of which the first `capacity` (at most
/// LINUX_SUBFLOWS_MAX) are filled in, and the bytes filled in `info`; or -errno.
int linux_mptcp_full_info(
    int fd, struct linux_mptcp_info *info, uint32_t *info_length, struct linux_subflow *out, uint32_t capacity);

/// The same by MPTCP_TCPINFO and MPTCP_SUBFLOW_ADDRS, for kernels before 6.5.
int linux_mptcp_subflow_arrays(int fd, struct linux_subflow *out, uint32_t capacity);

/// The one connection of a TCP socket, or of an MPTCP socket that fell back, as if it were a subflow: 0 or -errno.
int linux_tcp_as_subflow(int fd, struct linux_subflow *out);

#endif
