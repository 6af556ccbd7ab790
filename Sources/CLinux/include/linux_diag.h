// What only the socket monitor tells of a subflow: its MPTCP flags. sock_diag(7). Needs no privilege.
#ifndef BRAID_LINUX_DIAG_H
#define BRAID_LINUX_DIAG_H

#include <stdint.h>
#include "linux_address.h"

enum {
    /// Bits of `flags`, as `MPTCP_SUBFLOW_FLAG_…` of linux/mptcp.h.
    LINUX_SUBFLOW_JOINED_BY_PEER = 1 << 2,
    LINUX_SUBFLOW_JOINED_BY_US = 1 << 3,
    LINUX_SUBFLOW_BACKUP_BY_PEER = 1 << 4,
    LINUX_SUBFLOW_BACKUP_BY_US = 1 << 5,
    LINUX_SUBFLOW_FULLY_ESTABLISHED = 1 << 6,
};

struct linux_subflow_role {
    uint32_t flags;
    uint8_t local_id;
    uint8_t remote_id;
    /// The interface that the socket is bound to and was found by, else 0.
    uint32_t interface;
};

/// A socket to ask by, or -errno.
int linux_diag_open(void);
/// Looks one TCP connection up by its addresses: 0; -ENOENT when there is none, or it is no subflow; or another -errno. `interface` is where to look
/// first, for a socket that is bound to one: it saves a walk over the host's addresses; 0 when it is not known.
int linux_diag_subflow_role(
    int diag, const struct linux_address *local, const struct linux_address *remote, uint32_t interface,
    struct linux_subflow_role *out);

#endif
