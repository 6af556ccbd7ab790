// Connections that did one round trip and then do nothing.
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_ONCE = 64 };

static void await(int fd, short events) {
    struct pollfd wait = {.fd = fd, .events = events};
    if (poll(&wait, 1, 30000) != 1) {
        errno = ETIMEDOUT;
        fail("an idle connection");
    }
}

void run_idle(struct load *load) {
    int *fds = calloc((size_t)load->connections, sizeof *fds);
    char *message = calloc(1, load->size);
    for (int first = 0; first < load->connections; first += AT_ONCE) {
        int last = first + AT_ONCE < load->connections ? first + AT_ONCE : load->connections;
        for (int index = first; index < last; index++)
            fds[index] = start_connect(&load->connect_address, load->connect_mptcp, NULL);
        for (int index = first; index < last; index++) {
            await(fds[index], POLLOUT);
            if (send(fds[index], message, load->size, MSG_NOSIGNAL) != (ssize_t)load->size) fail("send");
        }
        for (int index = first; index < last; index++) {
            for (size_t received = 0; received < load->size;) {
                await(fds[index], POLLIN);
                ssize_t n = recv(fds[index], message, load->size - received, 0);
                if (n == 0) errno = ECONNRESET;
                if (n <= 0) fail("recv");
                received += (size_t)n;
            }
        }
        atomic_store(&load->ready, last);
    }
    while (atomic_load(&load->phase) != PHASE_OVER) poll(NULL, 0, 50);
}
