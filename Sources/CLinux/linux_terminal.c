#include "linux_terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

static struct termios before;
static bool is_raw;

int linux_terminal_raw(int fd) {
    if (!is_raw && tcgetattr(fd, &before) < 0) return -errno;
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSAFLUSH, &raw) < 0) return -errno;
    is_raw = true;
    return 0;
}

void linux_terminal_restore(int fd) {
    if (!is_raw) return;
    is_raw = false;
    (void)tcsetattr(fd, TCSAFLUSH, &before);
}

int linux_terminal_size(int fd, int *columns, int *rows) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    *columns = size.ws_col > 0 ? size.ws_col : 80;
    *rows = size.ws_row > 0 ? size.ws_row : 24;
    return 0;
}

void linux_stop_myself(void) { (void)raise(SIGSTOP); }
