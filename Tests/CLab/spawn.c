#include "CLab.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guardian.h"

// PR_SET_PDEATHSIG is bound to the *thread* that forked, and threads of a pool come and go: so one thread that
// lives as long as the process does all forking.
enum step { step_none, step_group, step_namespace, step_descriptors, step_directory, step_exec };

static const char *const step_names[] = {
    "fork", "own process group", "enter the network namespace", "descriptors", "change directory", "exec",
};

struct failure {
    int step;
    int error;
};

struct job {
    const struct clab_spawn_request *request;
    struct clab_spawned *spawned;
    int result;
    bool done;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static struct job *current;
static int start_error;

_Noreturn static void fail(int report, enum step step) {
    struct failure failure = {.step = step, .error = errno};
    (void)!write(report, &failure, sizeof failure);
    _exit(127);
}

// Between fork and exec in a process of many threads: only calls that are safe in a signal handler.
_Noreturn static void become(const struct clab_spawn_request *request, pid_t parent, int report) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < NSIG; signal++) {
        (void)sigaction(signal, &standard, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(127);
    }
    if (request->own_group && setpgid(0, 0) < 0) {
        fail(report, step_group);
    }
    if (request->netns >= 0 && setns(request->netns, CLONE_NEWNET) < 0) {
        fail(report, step_namespace);
    }
    // First all out of the way of the numbers they shall have, then there.
    int base = (int)request->descriptor_count + 1;
    int moved[64];
    if (request->descriptor_count > 64) {
        errno = E2BIG;
        fail(report, step_descriptors);
    }
    report = fcntl(report, F_DUPFD_CLOEXEC, base);
    for (unsigned i = 0; i < request->descriptor_count; i++) {
        moved[i] = fcntl(request->descriptors[i], F_DUPFD_CLOEXEC, base);
        if (moved[i] < 0) {
            fail(report, step_descriptors);
        }
    }
    for (unsigned i = 0; i < request->descriptor_count; i++) {
        if (dup2(moved[i], (int)i) < 0) {
            fail(report, step_descriptors);
        }
    }
    if (close_range(request->descriptor_count, ~0U, CLOSE_RANGE_CLOEXEC) < 0) {
        fail(report, step_descriptors);
    }
    if (request->directory != NULL && chdir(request->directory) < 0) {
        fail(report, step_directory);
    }
    execvpe(request->argv[0], (char *const *)request->argv, (char *const *)request->envp);
    fail(report, step_exec);
}

static int start(const struct clab_spawn_request *request, struct clab_spawned *spawned) {
    int report[2];
    spawned->failed_step = step_names[step_none];
    if (pipe2(report, O_CLOEXEC) < 0) {
        return -errno;
    }
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        become(request, parent, report[1]);
    }
    int error = errno;
    close(report[1]);
    if (child < 0) {
        close(report[0]);
        return -error;
    }
    struct failure failure;
    ssize_t got;
    do {
        got = read(report[0], &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof failure) {
        waitpid(child, NULL, 0);
        spawned->failed_step = step_names[failure.step];
        return -failure.error;
    }
    spawned->pid = child;
    spawned->pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    if (spawned->pidfd < 0) {
        error = errno;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        spawned->failed_step = "pidfd_open";
        return -error;
    }
    if (request->own_group) {
        clab_guardian_add(child);
    }
    return 0;
}

static void *serve(void *unused) {
    (void)unused;
    (void)pthread_setname_np(pthread_self(), "lab-spawner");
    pthread_mutex_lock(&lock);
    for (;;) {
        while (current == NULL || current->done) {
            pthread_cond_wait(&changed, &lock);
        }
        current->result = start(current->request, current->spawned);
        current->done = true;
        pthread_cond_broadcast(&changed);
    }
    return NULL;
}

static void start_serving(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    start_error = clab_guardian_start();
    if (start_error == 0) {
        start_error = -pthread_create(&thread, NULL, serve, NULL);
        if (start_error == 0) {
            pthread_detach(thread);
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int clab_spawn(const struct clab_spawn_request *request, struct clab_spawned *spawned) {
    spawned->failed_step = "start the spawner";
    pthread_once(&once, start_serving);
    if (start_error != 0) {
        return start_error;
    }
    struct job job = {.request = request, .spawned = spawned};
    pthread_mutex_lock(&one_at_a_time);
    pthread_mutex_lock(&lock);
    current = &job;
    pthread_cond_broadcast(&changed);
    while (!job.done) {
        pthread_cond_wait(&changed, &lock);
    }
    current = NULL;
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&one_at_a_time);
    return job.result;
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

int clab_wait(pid_t pid, bool reap, struct clab_exit *result) {
    siginfo_t info;
    struct rusage usage;
    memset(&info, 0, sizeof info);
    memset(&usage, 0, sizeof usage);
    // The system call has a fifth argument that the C library's waitid hides.
    if (syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | (reap ? 0 : WNOWAIT), &usage) < 0) {
        return -errno;
    }
    if (info.si_pid == 0) {
        return 0;
    }
    bool exited = info.si_code == CLD_EXITED;
    *result = (struct clab_exit){
        .exited = exited,
        .status = exited ? info.si_status : 0,
        .signal = exited ? 0 : info.si_status,
        .user_us = microseconds(usage.ru_utime),
        .system_us = microseconds(usage.ru_stime),
        .max_rss = usage.ru_maxrss,
    };
    return 1;
}

int clab_kill(pid_t pid, int signal) { return kill(pid, signal) < 0 ? -errno : 0; }

int clab_kill_in_netns(pid_t pid, int64_t inode) {
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        return -errno;
    }
    // Looked at again now that the pidfd pins which process is meant.
    int result = clab_process_in_netns(pid, inode);
    if (result == 1) {
        result = syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 ? -errno : 0;
    }
    close(pidfd);
    return result;
}

void clab_forget_group(pid_t group) { clab_guardian_remove(group); }
