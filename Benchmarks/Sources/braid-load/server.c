// What is behind the proxies: takes, gives or echoes bytes.
#include "load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 256 << 10, DEEP = 4 << 20, EVENTS = 512 };

static char buffer[DEEP];

/// Takes what has come, without copying it to user space: the sink is not what is measured.
static bool take(struct load *load, int fd) {
    ssize_t n = recv(fd, buffer, DEEP, MSG_TRUNC);
    if (n > 0) {
        atomic_fetch_add_explicit(&load->bytes, (uint64_t)n, memory_order_relaxed);
        return true;
    }
    return n < 0 && errno == EAGAIN;
}

static bool give(int fd) {
    ssize_t n = send(fd, buffer, CHUNK, MSG_NOSIGNAL);
    return n > 0 || (n < 0 && errno == EAGAIN);
}

/// Echoes. Clients have one message of at most a few KiB out, so the socket always takes the whole.
static bool echo(int fd) {
    ssize_t n = recv(fd, buffer, CHUNK, 0);
    if (n <= 0) return n < 0 && errno == EAGAIN;
    if (send(fd, buffer, (size_t)n, MSG_NOSIGNAL) == n) return true;
    return false;
}

void *run_server(void *context) {
    struct load *load = context;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, load->listener, EPOLLIN, NULL);
    static struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int index = 0; index < count; index++) {
            if (!events[index].data.ptr) {
                int fd, on = 1;
                while ((fd = accept4(load->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    watch(epoll, fd, load->work == WORK_DOWN ? EPOLLOUT : EPOLLIN, (void *)(intptr_t)fd);
                }
                continue;
            }
            int fd = (int)(intptr_t)events[index].data.ptr;
            bool open = load->work == WORK_UP ? take(load, fd) : load->work == WORK_DOWN ? give(fd) : echo(fd);
            if (!open) close(fd);
        }
    }
    return NULL;
}
