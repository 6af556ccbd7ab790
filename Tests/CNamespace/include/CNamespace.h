// What the calling thread sees of the kernel, for tests that stay in one thread. unshare(2), setns(2).
#pragma once

/// A descriptor of the calling thread's network namespace, or -errno.
int namespace_current(void);
/// Moves the calling thread into a new, empty network namespace: 0 or -errno.
int namespace_enter_new(void);
/// Moves the calling thread back into the namespace of a descriptor, and closes that: 0 or -errno.
int namespace_return(int home);
/// Switches the calling thread's effective capabilities off, or on again as far as they are permitted: 0 or -errno.
/// capabilities(7).
int namespace_capabilities(int on);
/// Moves the calling thread into the namespace of a descriptor, which stays open: 0 or -errno.
int namespace_enter(int descriptor);
/// From now on the calling thread, and the processes that it starts, get `error` when they ask for an MPTCP socket: as on a
/// kernel without MPTCP, or under a filter. There is no way back. 0 or -errno. seccomp(2).
int namespace_refuse_mptcp(int error);
