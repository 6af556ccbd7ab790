// The terminal that a person looks at. termios(3), ioctl_tty(2).
#ifndef BRAID_LINUX_TERMINAL_H
#define BRAID_LINUX_TERMINAL_H

/// Takes keys one at a time and unseen from here on (signals of Ctrl-C and Ctrl-Z still come); what was set before is kept for
/// linux_terminal_restore. 0 or -errno.
int linux_terminal_raw(int fd);
/// Sets what was set before linux_terminal_raw; does nothing without that.
void linux_terminal_restore(int fd);
/// The size in characters; 0 or -errno.
int linux_terminal_size(int fd, int *columns, int *rows);
/// Stops this process until somebody continues it. SIGSTOP.
void linux_stop_myself(void);

#endif
