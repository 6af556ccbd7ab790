#include "CLab.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t clab_monotonic_ns(void) { return now(CLOCK_MONOTONIC); }

int64_t clab_realtime_ns(void) { return now(CLOCK_REALTIME); }

int clab_poll(struct pollfd *descriptors, unsigned count, int64_t timeout_ns) {
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    int ready = ppoll(descriptors, count, timeout_ns < 0 ? NULL : &timeout, NULL);
    return ready < 0 ? -errno : ready;
}

int clab_event_open(void) {
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return event < 0 ? -errno : event;
}

int clab_event_signal(int event) { return eventfd_write(event, 1) < 0 ? -errno : 0; }

int clab_event_clear(int event) {
    eventfd_t value;
    return eventfd_read(event, &value) < 0 ? -errno : 0;
}

void clab_prefer_this_thread(const char *name) {
    // Both may be refused to an ordinary user: then timing is as good as the ordinary scheduler makes it.
    struct sched_param parameters = {.sched_priority = 1};
    (void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
    (void)pthread_setname_np(pthread_self(), name);
}
