// New connections, so many at once: connect, one request, its response, close.
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256 };

struct attempt {
    int fd;
    bool asked;
    size_t received;
    uint64_t started_at;
};

static char message[64 << 10];

static void start(struct load *load, int epoll, struct attempt *attempt) {
    int error = 0;
    *attempt = (struct attempt){.started_at = now_ns()};
    attempt->fd = start_connect(&load->connect_address, load->connect_mptcp, &error);
    if (attempt->fd < 0) {
        errno = error;
        fail("connect");
    }
    watch(epoll, attempt->fd, EPOLLOUT, attempt);
}

enum step { GOES_ON, DONE, FAILED };

static enum step step(struct load *load, int epoll, struct attempt *attempt) {
    if (!attempt->asked) {
        ssize_t n = send(attempt->fd, message, load->size, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) return GOES_ON;
        if (n != (ssize_t)load->size) return FAILED;
        attempt->asked = true;
        rewatch(epoll, attempt->fd, EPOLLIN, attempt);
        return GOES_ON;
    }
    char in[4096];
    ssize_t n = recv(attempt->fd, in, sizeof in, 0);
    if (n < 0 && errno == EAGAIN) return GOES_ON;
    if (n <= 0) return FAILED;
    attempt->received += (size_t)n;
    return attempt->received >= load->size ? DONE : GOES_ON;
}

void run_connect(struct load *load) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct attempt *attempts = calloc((size_t)load->connections, sizeof *attempts);
    for (int index = 0; index < load->connections; index++) start(load, epoll, &attempts[index]);
    struct epoll_event events[EVENTS];
    int phase;
    while ((phase = atomic_load_explicit(&load->phase, memory_order_relaxed)) != PHASE_OVER) {
        int count = epoll_wait(epoll, events, EVENTS, 100);
        for (int index = 0; index < count; index++) {
            struct attempt *attempt = events[index].data.ptr;
            enum step result = step(load, epoll, attempt);
            if (result == GOES_ON) continue;
            close(attempt->fd);
            if (result == DONE) {
                if (phase == PHASE_MEASURE) histogram_add(&load->times, now_ns() - attempt->started_at);
                atomic_fetch_add_explicit(&load->done, 1, memory_order_relaxed);
            } else {
                atomic_fetch_add_explicit(&load->failed, 1, memory_order_relaxed);
            }
            start(load, epoll, attempt);
        }
    }
}
