#include "CLab.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

ssize_t clab_read(int descriptor, void *bytes, size_t count) {
    ssize_t got;
    do {
        got = read(descriptor, bytes, count);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

ssize_t clab_write(int descriptor, const void *bytes, size_t count) {
    // A pipe's SIGPIPE goes to the writing thread: block it there, and take it away again if it came.
    sigset_t pipe_signal, before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t put;
    do {
        put = write(descriptor, bytes, count);
    } while (put < 0 && errno == EINTR);
    int error = put < 0 ? errno : 0;
    if (error == EPIPE && !sigismember(&before, SIGPIPE)) {
        struct timespec none = {0, 0};
        (void)sigtimedwait(&pipe_signal, NULL, &none);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error != 0 ? -error : put;
}

int clab_open(const char *path, int flags) {
    int descriptor = open(path, flags | O_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int clab_close(int descriptor) { return close(descriptor) < 0 ? -errno : 0; }

int clab_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0; }

int clab_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) {
        return -errno;
    }
    return 0;
}

int64_t clab_inode(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) < 0 ? -errno : (int64_t)status.st_ino;
}
