#include "load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void fail(const char *what) {
    fprintf(stderr, "braid-load: %s: %s\n", what, strerror(errno));
    _exit(1);
}

uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int stream_socket(bool mptcp) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, mptcp ? IPPROTO_MPTCP : IPPROTO_TCP);
    if (fd < 0) fail("socket");
    return fd;
}

int listen_on(const struct sockaddr_in *address, bool mptcp) {
    int fd = stream_socket(mptcp), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) < 0) fail("bind");
    if (listen(fd, 65535) < 0) fail("listen");
    return fd;
}

int start_connect(const struct sockaddr_in *address, bool mptcp, int *error) {
    int fd = stream_socket(mptcp), on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EINPROGRESS) return fd;
    if (!error) fail("connect");
    *error = errno;
    close(fd);
    return -1;
}

static void control(int epoll, int operation, int fd, uint32_t events, void *context) {
    struct epoll_event event = {.events = events, .data.ptr = context};
    if (epoll_ctl(epoll, operation, fd, &event) < 0) fail("epoll_ctl");
}

void watch(int epoll, int fd, uint32_t events, void *context) { control(epoll, EPOLL_CTL_ADD, fd, events, context); }
void rewatch(int epoll, int fd, uint32_t events, void *context) { control(epoll, EPOLL_CTL_MOD, fd, events, context); }
