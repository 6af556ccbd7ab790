// signalfd(2).
#ifndef BRAID_LINUX_SIGNAL_H
#define BRAID_LINUX_SIGNAL_H

/// Blocks the signals in this thread (and the threads it starts later) and answers a non-blocking descriptor that yields them.
int linux_signalfd(const int *signals, int count);
/// The next signal's number, 0 when none is waiting, or -errno.
int linux_signalfd_read(int fd);
void linux_ignore_sigpipe(void);

#endif
