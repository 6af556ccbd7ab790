// The load of the benchmarks: one process with a server thread behind the proxies, a client thread in front of them, and
// a main thread that only keeps time. Each thread has an epoll of its own. Written in C and apart from Braid's sources, so
// that what measures shares no code with what is measured.
#ifndef BRAID_LOAD_H
#define BRAID_LOAD_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

enum work { WORK_UP, WORK_DOWN, WORK_PING_PONG, WORK_CONNECT, WORK_IDLE };

/// What is measured counts only in PHASE_MEASURE.
enum phase { PHASE_WARM_UP, PHASE_MEASURE, PHASE_OVER };

struct load {
    enum work work;
    struct sockaddr_in listen_address, connect_address;
    bool listen_mptcp, connect_mptcp;
    int listener;
    int connections;
    size_t size;
    double warm_up, seconds;

    _Atomic int phase;
    /// Bytes received by whoever receives; one writer.
    _Atomic uint64_t bytes;
    /// Round trips or connections done, one writer; those that failed.
    _Atomic uint64_t done, failed;
    /// Connections that have had their first bytes back (WORK_PING_PONG, WORK_IDLE).
    _Atomic int ready;
    /// Times of the round trips or connections of the phase measured; the client thread's until PHASE_OVER.
    struct histogram times;
};

/// Prints and ends the process: a broken benchmark has no result.
_Noreturn void fail(const char *what);

uint64_t now_ns(void);
int stream_socket(bool mptcp);
int listen_on(const struct sockaddr_in *address, bool mptcp);
/// Starts connecting; a failure ends the process unless `*error` can take it.
int start_connect(const struct sockaddr_in *address, bool mptcp, int *error);
void watch(int epoll, int fd, uint32_t events, void *context);
void rewatch(int epoll, int fd, uint32_t events, void *context);

void *run_server(void *load);
void run_bulk(struct load *load);
void run_ping_pong(struct load *load);
void run_connect(struct load *load);
void run_idle(struct load *load);

#endif
