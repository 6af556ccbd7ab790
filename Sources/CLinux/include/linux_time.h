// clock_gettime(2), timerfd_create(2).
#ifndef BRAID_LINUX_TIME_H
#define BRAID_LINUX_TIME_H

#include <stdint.h>

/// CLOCK_MONOTONIC in nanoseconds.
uint64_t linux_monotonic_ns(void);
/// CLOCK_REALTIME in nanoseconds since 1970.
uint64_t linux_realtime_ns(void);
int linux_timerfd(void);
/// Fires once at the monotonic time; 0 disarms.
int linux_timerfd_arm(int fd, uint64_t at_ns);
/// Takes the expirations out, so that the descriptor is not readable until the next.
void linux_timerfd_clear(int fd);

#endif
