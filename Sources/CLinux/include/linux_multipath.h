// The one question that the data plane asks of an MPTCP socket while it works. RFC 8684; the kernel's MPTCP_INFO.
#ifndef BRAID_LINUX_MULTIPATH_H
#define BRAID_LINUX_MULTIPATH_H

/// How many subflows the socket has now (1 also while it has lost the last): 0 after a fallback to plain TCP, -errno when it is no MPTCP socket.
int linux_multipath_subflows(int fd);

#endif
