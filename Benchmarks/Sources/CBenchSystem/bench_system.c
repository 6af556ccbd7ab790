#include "CBenchSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t n = write(fd, text, strlen(text));
    int error = n < 0 ? -errno : 0;
    close(fd);
    return error;
}

static int enter_as_user(void) {
    char map[64];
    unsigned user = getuid(), group = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) return -errno;
    int error = write_file("/proc/self/setgroups", "deny");
    if (error) return error;
    snprintf(map, sizeof map, "0 %u 1", user);
    if ((error = write_file("/proc/self/uid_map", map))) return error;
    snprintf(map, sizeof map, "0 %u 1", group);
    return write_file("/proc/self/gid_map", map);
}

int bench_enter_namespace(void) {
    if (unshare(CLONE_NEWNET) < 0) {
        if (errno != EPERM) return -errno;
        int error = enter_as_user();
        if (error) return error;
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int error = ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
    close(fd);
    return error;
}

long bench_raise_descriptor_limit(long wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    struct rlimit raised = {.rlim_cur = (rlim_t)wanted, .rlim_max = (rlim_t)wanted};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    return (long)limit.rlim_cur;
}

int bench_spawn(char *const *words, const int descriptors[3], int cpu) {
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child > 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int index = 0; index < 3; index++) {
        int from = descriptors[index] < 0 ? null : descriptors[index];
        if (dup2(from, index) < 0) _exit(1);
    }
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        if (sched_setaffinity(0, sizeof set, &set) < 0) _exit(1);
    }
    execvp(words[0], words);
    fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
    _exit(127);
}

int bench_end(int process, int signal) {
    int status = 0;
    kill(process, signal);
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return status;
}

int bench_has_ended(int process) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT) < 0) return 1;
    return info.si_pid == process;
}

void bench_print_by_line(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

int bench_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0; }

int bench_wait_readable(int fd, int milliseconds) {
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int n = poll(&wait, 1, milliseconds);
    return n < 0 ? (errno == EINTR ? 0 : -errno) : n > 0;
}
