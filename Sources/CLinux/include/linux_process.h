// Threads, processors and identity. pthreads(7), sched_getaffinity(2), capabilities(7).
#ifndef BRAID_LINUX_PROCESS_H
#define BRAID_LINUX_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

/// Starts a thread with `name` (at most 15 bytes), all signals blocked. Answers 0 or -errno; its identity is in `*thread`.
int linux_thread_start(pthread_t *thread, const char *name, void *(*body)(void *), void *context);
int linux_thread_join(pthread_t thread);
/// The thread frees what it holds by itself when it ends.
void linux_thread_detach(pthread_t thread);
/// How many processors this process may use (its affinity mask, capped by its cgroup's CPU quota is left to the caller).
int linux_usable_processors(void);
int linux_process_id(void);
uint32_t linux_effective_user(void);
/// Writes the path of the program that this process runs, without a zero byte; answers its length or -errno.
int64_t linux_program_path(char *out, size_t size);
/// Whether the capability (CAP_NET_ADMIN = 12, …) is in the effective set.
bool linux_has_capability(int capability);
/// Writes the kernel's release (uname -r); answers 0 or -errno.
int linux_kernel_release(char *out, unsigned size);
/// Writes this host's name (uname -n); answers 0 or -errno.
int linux_host_name(char *out, unsigned size);

#endif
