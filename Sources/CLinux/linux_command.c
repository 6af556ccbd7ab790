#include "linux_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int start(char *const words[], int output, pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return -error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return -error;
    }
    sigemptyset(&none);
    error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (!error) error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (!error) error = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (!error) error = posix_spawnp(child, words[0], &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

int64_t linux_command_output(const char *words, unsigned count, char *out, size_t size, int timeout_ms) {
    char *list[16];
    if (count == 0 || count > 15) return -EINVAL;
    for (unsigned i = 0; i < count; i++) {
        list[i] = (char *)words;
        words += strlen(words) + 1;
    }
    list[count] = NULL;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    pid_t child;
    int error = start(list, ends[1], &child);
    close(ends[1]);
    if (error < 0) {
        close(ends[0]);
        return error;
    }
    int64_t deadline = now_ms() + timeout_ms, result = 0;
    while (1) {
        int64_t left = deadline - now_ms();
        struct pollfd polled = {.fd = ends[0], .events = POLLIN};
        int ready = left <= 0 ? 0 : poll(&polled, 1, (int)left);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) {
            result = ready < 0 ? -errno : -ETIMEDOUT;
            break;
        }
        if ((size_t)result == size) {
            char more;
            ssize_t got = read(ends[0], &more, 1);
            if (got > 0) result = -EFBIG;
            break;
        }
        ssize_t got = read(ends[0], out + result, size - (size_t)result);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) result = -errno;
        if (got <= 0) break;
        result += got;
    }
    close(ends[0]);
    // Ended already, or to be ended: whoever closes its output has nothing more to say.
    if (result < 0) kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (result >= 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) result = -EPERM;
    return result;
}
