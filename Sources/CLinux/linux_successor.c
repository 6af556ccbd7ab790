#include "linux_successor.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STACK = 64 << 10, DESCRIPTOR = 3 };

struct start {
    const char *path;
    char **words;
    char **variables;
    int descriptor;
    int error;
};

/// In the new process, which has this one's memory until it executes, while the calling thread waits.
static int execute(void *context) {
    struct start *start = context;
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    int moved = start->descriptor == DESCRIPTOR ? fcntl(DESCRIPTOR, F_SETFD, 0) : dup2(start->descriptor, DESCRIPTOR);
    if (moved >= 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0) execve(start->path, start->words, start->variables);
    start->error = errno;
    _exit(127);
}

static char **list(const char *strings, unsigned count) {
    char **pointers = calloc((size_t)count + 1, sizeof *pointers);
    if (!pointers) return NULL;
    for (unsigned i = 0; i < count; i++) {
        pointers[i] = (char *)strings;
        strings += strlen(strings) + 1;
    }
    return pointers;
}

int linux_start_sibling(
    const char *path, const char *words, unsigned word_count, const char *variables, unsigned variable_count,
    int descriptor) {
    struct start start = {.path = path, .descriptor = descriptor};
    start.words = list(words, word_count);
    start.variables = list(variables, variable_count);
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    int process = -ENOMEM;
    if (start.words && start.variables && stack != MAP_FAILED) {
        // No handler of this process may run in the new one.
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        process = clone(execute, stack + STACK, CLONE_VM | CLONE_VFORK | CLONE_PARENT | SIGCHLD, &start);
        if (process < 0) process = -errno;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (process > 0 && start.error) process = -start.error;
    }
    if (stack != MAP_FAILED) munmap(stack, STACK);
    free(start.words);
    free(start.variables);
    return process;
}
