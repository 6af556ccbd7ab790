// epoll(7), eventfd(2).
#ifndef BRAID_LINUX_EPOLL_H
#define BRAID_LINUX_EPOLL_H

#include <stdint.h>

/// The kernel's `struct epoll_event`, its 64 bits of user data split in two. The kernel packs it on x86-64 only.
struct linux_event {
    uint32_t events;
#ifndef __x86_64__
    uint32_t padding;
#endif
    uint32_t slot;
    uint32_t tag;
};

enum {
    LINUX_EPOLLIN = 0x001,
    LINUX_EPOLLOUT = 0x004,
    LINUX_EPOLLERR = 0x008,
    LINUX_EPOLLHUP = 0x010,
    LINUX_EPOLLRDHUP = 0x2000,
};
#define LINUX_EPOLLEXCLUSIVE_VALUE (1u << 28)
#define LINUX_EPOLLET_VALUE (1u << 31)
static const uint32_t LINUX_EPOLLEXCLUSIVE = LINUX_EPOLLEXCLUSIVE_VALUE;
static const uint32_t LINUX_EPOLLET = LINUX_EPOLLET_VALUE;

int linux_epoll_create(void);
int linux_epoll_add(int epoll, int fd, uint32_t events, uint32_t slot, uint32_t tag);
int linux_epoll_modify(int epoll, int fd, uint32_t events, uint32_t slot, uint32_t tag);
int linux_epoll_remove(int epoll, int fd);
/// Waits for at most `timeout_ms` (-1 without end); EINTR is answered as 0 events.
int linux_epoll_wait(int epoll, struct linux_event *events, int capacity, int timeout_ms);

int linux_eventfd(void);
/// Adds one, so that a poller on the other side wakes; a full counter is as good as a raised one.
void linux_eventfd_raise(int fd);
void linux_eventfd_clear(int fd);

#endif
