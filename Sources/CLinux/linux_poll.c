#include "linux_poll.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "linux_time.h"

_Static_assert(LINUX_POLLIN == POLLIN && LINUX_POLLOUT == POLLOUT, "poll");
_Static_assert(LINUX_POLLERR == POLLERR && LINUX_POLLHUP == POLLHUP, "poll");

int linux_poll_until(int fd, int events, int other, unsigned long long deadline_ns) {
    struct pollfd watched[2] = {{.fd = fd, .events = (short)events}, {.fd = other, .events = POLLIN}};
    for (;;) {
        struct timespec left, *limit = NULL;
        if (deadline_ns != UINT64_MAX) {
            uint64_t now = linux_monotonic_ns();
            uint64_t wait = deadline_ns > now ? deadline_ns - now : 0;
            left.tv_sec = (time_t)(wait / 1000000000u);
            left.tv_nsec = (long)(wait % 1000000000u);
            limit = &left;
        }
        int ready = ppoll(watched, 2, limit, NULL);
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) return -errno;
        return (watched[0].revents ? 1 : 0) | (watched[1].revents ? 2 : 0);
    }
}
