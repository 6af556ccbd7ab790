// Requests and responses of one size over connections that stay: one at a time on each.
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 512, LARGEST = 64 << 10 };

struct peer {
    int fd;
    size_t received;
    uint64_t sequence, sent_at;
};

static char out[LARGEST], in[LARGEST];

static void ask(struct load *load, struct peer *peer) {
    peer->received = 0;
    peer->sequence++;
    memcpy(out, &peer->sequence, sizeof peer->sequence);
    peer->sent_at = now_ns();
    if (send(peer->fd, out, load->size, MSG_NOSIGNAL) != (ssize_t)load->size) fail("a request was not taken whole");
}

/// True when the whole response is there.
static bool hear(struct load *load, struct peer *peer) {
    ssize_t n = recv(peer->fd, in, load->size - peer->received, 0);
    if (n < 0 && errno == EAGAIN) return false;
    if (n == 0) errno = ECONNRESET;
    if (n <= 0) fail("a connection ended early");
    if (peer->received == 0 && n >= (ssize_t)sizeof peer->sequence && memcmp(in, &peer->sequence, sizeof peer->sequence)) {
        errno = EBADMSG;
        fail("a response is not that of the request");
    }
    peer->received += (size_t)n;
    return peer->received == load->size;
}

void run_ping_pong(struct load *load) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct peer *peers = calloc((size_t)load->connections, sizeof *peers);
    struct epoll_event events[EVENTS];
    // One after the other, so that no backlog is what is measured.
    for (int index = 0; index < load->connections; index++) {
        peers[index].fd = start_connect(&load->connect_address, load->connect_mptcp, NULL);
        int single = epoll_create1(EPOLL_CLOEXEC);
        watch(single, peers[index].fd, EPOLLOUT, NULL);
        if (epoll_wait(single, events, 1, 10000) != 1) fail("connect");
        close(single);
        watch(epoll, peers[index].fd, EPOLLIN, &peers[index]);
    }
    for (int index = 0; index < load->connections; index++) ask(load, &peers[index]);
    int phase;
    while ((phase = atomic_load_explicit(&load->phase, memory_order_relaxed)) != PHASE_OVER) {
        int count = epoll_wait(epoll, events, EVENTS, 100);
        for (int index = 0; index < count; index++) {
            struct peer *peer = events[index].data.ptr;
            if (!hear(load, peer)) continue;
            if (peer->sequence == 1) atomic_fetch_add(&load->ready, 1);
            if (phase == PHASE_MEASURE) histogram_add(&load->times, now_ns() - peer->sent_at);
            atomic_fetch_add_explicit(&load->done, 1, memory_order_relaxed);
            ask(load, peer);
        }
    }
}
