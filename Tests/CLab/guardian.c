#include "guardian.h"

#include "CLab.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

// PR_SET_PDEATHSIG ends the processes we started, not those they started. Their groups' ids go down a pipe whose
// other end sees the end of this process however it comes, SIGKILL included.
enum { most_groups = 4096 };

static int ledger = -1;

_Noreturn static void guard(int input) {
    static pid_t groups[most_groups];
    int count = 0;
    pid_t entry;
    for (;;) {
        ssize_t got = read(input, &entry, sizeof entry);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got != (ssize_t)sizeof entry) {
            break;
        }
        if (entry > 0 && count < most_groups) {
            groups[count++] = entry;
        }
        for (int i = 0; entry < 0 && i < count; i++) {
            if (groups[i] == -entry) {
                groups[i] = groups[--count];
                break;
            }
        }
    }
    for (int i = 0; i < count; i++) {
        kill(-groups[i], SIGKILL);
    }
    _exit(0);
}

int clab_guardian_start(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return -errno;
    }
    pid_t child = fork();
    if (child < 0) {
        int error = errno;
        close(ends[0]);
        close(ends[1]);
        return -error;
    }
    if (child == 0) {
        // Holds nothing of ours open: a reader of our output must see its end when we end.
        setsid();
        int null = open("/dev/null", O_RDWR);
        int input = dup2(ends[0], 3);
        for (int i = 0; i < 3; i++) {
            dup2(null, i);
        }
        close_range(4, ~0U, 0);
        prctl(PR_SET_NAME, "lab-guardian");
        guard(input);
    }
    close(ends[0]);
    ledger = ends[1];
    return 0;
}

static void tell(pid_t entry) {
    // Smaller than PIPE_BUF, so never torn. A guardian that is gone is no reason to fail: the lab cleans up itself.
    (void)clab_write(ledger, &entry, sizeof entry);
}

void clab_guardian_add(pid_t group) { tell(group); }

void clab_guardian_remove(pid_t group) { tell(-group); }
