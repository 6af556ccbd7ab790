// Streams as fast as they go, one way.
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 256 << 10, DEEP = 4 << 20, EVENTS = 64 };

static char buffer[DEEP];

void run_bulk(struct load *load) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    bool up = load->work == WORK_UP;
    for (int index = 0; index < load->connections; index++) {
        int fd = start_connect(&load->connect_address, load->connect_mptcp, NULL);
        watch(epoll, fd, up ? EPOLLOUT : EPOLLIN, (void *)(intptr_t)fd);
    }
    struct epoll_event events[EVENTS];
    while (atomic_load_explicit(&load->phase, memory_order_relaxed) != PHASE_OVER) {
        int count = epoll_wait(epoll, events, EVENTS, 100);
        for (int index = 0; index < count; index++) {
            int fd = (int)(intptr_t)events[index].data.ptr;
            ssize_t n = up ? send(fd, buffer, CHUNK, MSG_NOSIGNAL) : recv(fd, buffer, DEEP, MSG_TRUNC);
            if (n == 0 || (n < 0 && errno != EAGAIN)) {
                if (n == 0) errno = ECONNRESET;
                fail("a stream ended early");
            }
            if (n > 0 && !up) atomic_fetch_add_explicit(&load->bytes, (uint64_t)n, memory_order_relaxed);
        }
    }
}
