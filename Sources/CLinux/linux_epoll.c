#include "linux_epoll.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

_Static_assert(sizeof(struct linux_event) == sizeof(struct epoll_event), "epoll_event");
_Static_assert(offsetof(struct linux_event, slot) == offsetof(struct epoll_event, data), "epoll_event");
_Static_assert(LINUX_EPOLLIN == EPOLLIN && LINUX_EPOLLOUT == EPOLLOUT && LINUX_EPOLLERR == EPOLLERR, "epoll");
_Static_assert(LINUX_EPOLLHUP == EPOLLHUP && LINUX_EPOLLRDHUP == EPOLLRDHUP, "epoll");
_Static_assert(LINUX_EPOLLEXCLUSIVE_VALUE == (uint32_t)EPOLLEXCLUSIVE, "epoll");
_Static_assert(LINUX_EPOLLET_VALUE == (uint32_t)EPOLLET, "epoll");

static int control(int epoll, int operation, int fd, uint32_t events, uint32_t slot, uint32_t tag) {
    struct linux_event event = {.events = events, .slot = slot, .tag = tag};
    return epoll_ctl(epoll, operation, fd, (struct epoll_event *)&event) < 0 ? -errno : 0;
}

int linux_epoll_create(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int linux_epoll_add(int epoll, int fd, uint32_t events, uint32_t slot, uint32_t tag) {
    return control(epoll, EPOLL_CTL_ADD, fd, events, slot, tag);
}

int linux_epoll_modify(int epoll, int fd, uint32_t events, uint32_t slot, uint32_t tag) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, slot, tag);
}

int linux_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0, 0); }

int linux_epoll_wait(int epoll, struct linux_event *events, int capacity, int timeout_ms) {
    int n = epoll_wait(epoll, (struct epoll_event *)events, capacity, timeout_ms);
    if (n < 0) return errno == EINTR ? 0 : -errno;
    return n;
}

int linux_eventfd(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void linux_eventfd_raise(int fd) {
    uint64_t one = 1;
    // EAGAIN: the counter is at its maximum, so the poller is awake already.
    ssize_t ignored = write(fd, &one, sizeof one);
    (void)ignored;
}

void linux_eventfd_clear(int fd) {
    uint64_t value;
    ssize_t ignored = read(fd, &value, sizeof value);
    (void)ignored;
}
