#ifndef LINUX_CHANNEL_H
#define LINUX_CHANNEL_H

#include <stddef.h>

/// A Unix socket that keeps messages apart; unix(7), SOCK_SEQPACKET. Non-blocking, closed on exec.
int linux_seqpacket(void);
/// Sends one message, with a descriptor unless that is -1. SCM_RIGHTS.
int linux_send_message(int fd, const void *data, size_t size, int descriptor);
/// Receives one message; `*descriptor` is the one that came with it, closed on exec, or -1. Answers its length, 0 at the end.
int linux_receive_message(int fd, void *data, size_t size, int *descriptor);
/// Who is at the other end. SO_PEERCRED.
int linux_peer_credentials(int fd, int *process, unsigned *user);
/// Two such sockets that are connected to one another. 0 or -errno.
int linux_seqpacket_pair(int *first, int *second);
/// Whether a descriptor is such a socket.
int linux_is_seqpacket(int fd);
/// Whether there is something to read, which stays there: 0 nothing yet, 1 a message, 2 the end; or -errno.
int linux_peek_message(int fd);
/// Waits until something can be written: 1, or 0 when the time is over.
int linux_wait_writable(int fd, int milliseconds);
/// Waits until something can be read: 1, or 0 when the time is over.
int linux_wait_readable(int fd, int milliseconds);

#endif
