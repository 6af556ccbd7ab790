#include "CLab.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

// A thread's namespace is its own and a thread that changed it is not fit for other work (nor could an ordinary
// user always change it back): so each visit is a thread that ends with it.
struct visit {
    int netns;
    void (*body)(void *context);
    void *context;
    int result;
};

static int on_own_thread(void *(*start)(void *), struct visit *visit) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, start, visit);
    if (error != 0) {
        return -error;
    }
    pthread_join(thread, NULL);
    return visit->result;
}

static void *create(void *argument) {
    struct visit *visit = argument;
    if (unshare(CLONE_NEWNET) < 0) {
        visit->result = -errno;
        return NULL;
    }
    int up = clab_interface_set_up("lo", true);
    visit->result = up < 0 ? up : clab_open("/proc/thread-self/ns/net", O_RDONLY);
    return NULL;
}

int clab_netns_create(void) {
    struct visit visit = {0};
    return on_own_thread(create, &visit);
}

static void *run(void *argument) {
    struct visit *visit = argument;
    if (setns(visit->netns, CLONE_NEWNET) < 0) {
        visit->result = -errno;
        return NULL;
    }
    visit->body(visit->context);
    visit->result = 0;
    return NULL;
}

int clab_netns_run(int netns, void (*body)(void *context), void *context) {
    struct visit visit = {.netns = netns, .body = body, .context = context};
    return on_own_thread(run, &visit);
}

int clab_process_in_netns(pid_t pid, int64_t inode) {
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
    if (stat(path, &status) < 0) {
        return -errno;
    }
    return (int64_t)status.st_ino == inode ? 1 : 0;
}
