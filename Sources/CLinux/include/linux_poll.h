// Waiting for few descriptors without an epoll instance. poll(2).
#ifndef BRAID_LINUX_POLL_H
#define BRAID_LINUX_POLL_H

enum { LINUX_POLLIN = 0x001, LINUX_POLLOUT = 0x004, LINUX_POLLERR = 0x008, LINUX_POLLHUP = 0x010 };

/// Waits for `events` on `fd`, or for `other` (ignored when negative) to become readable. A signal does not end the wait.
/// Answers bit 0 when `fd` is ready (failed and hung up included), bit 1 when `other` is, 0 when the time is over, or -errno.
/// `deadline_ns` is CLOCK_MONOTONIC; UINT64_MAX never comes.
int linux_poll_until(int fd, int events, int other, unsigned long long deadline_ns);

#endif
