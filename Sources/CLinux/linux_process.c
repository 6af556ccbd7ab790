#include "linux_process.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

int linux_thread_start(pthread_t *thread, const char *name, void *(*body)(void *), void *context) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, body, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) return -error;
    char shortened[16] = {0};
    strncpy(shortened, name, sizeof shortened - 1);
    pthread_setname_np(*thread, shortened);
    return 0;
}

int linux_thread_join(pthread_t thread) { return -pthread_join(thread, NULL); }

void linux_thread_detach(pthread_t thread) { (void)pthread_detach(thread); }

int linux_usable_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

int linux_process_id(void) { return getpid(); }

int64_t linux_program_path(char *out, size_t size) {
    ssize_t length = readlink("/proc/self/exe", out, size);
    if (length < 0) return -errno;
    return (size_t)length == size ? -ENAMETOOLONG : length;
}

uint32_t linux_effective_user(void) { return geteuid(); }

bool linux_has_capability(int capability) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {0};
    if (capability < 0 || capability > 63 || syscall(SYS_capget, &header, data) < 0) return false;
    return data[capability / 32].effective >> (capability % 32) & 1;
}

int linux_host_name(char *out, unsigned size) {
    struct utsname name;
    if (uname(&name) < 0) return -errno;
    strncpy(out, name.nodename, size - 1);
    out[size - 1] = 0;
    return 0;
}

int linux_kernel_release(char *out, unsigned size) {
    struct utsname name;
    if (uname(&name) < 0) return -errno;
    strncpy(out, name.release, size - 1);
    out[size - 1] = 0;
    return 0;
}
