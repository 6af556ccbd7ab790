#include "CNamespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

int namespace_current(void) {
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int namespace_enter_new(void) { return unshare(CLONE_NEWNET) < 0 ? -errno : 0; }

int namespace_return(int home) {
    int answer = setns(home, CLONE_NEWNET) < 0 ? -errno : 0;
    close(home);
    return answer;
}

int namespace_capabilities(int on) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    for (int i = 0; i < 2; i++) data[i].effective = on ? data[i].permitted : 0;
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int namespace_enter(int descriptor) { return setns(descriptor, CLONE_NEWNET) < 0 ? -errno : 0; }
