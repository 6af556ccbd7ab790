#include "CNamespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
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
