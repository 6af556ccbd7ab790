#include "linux_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static int write_all(int fd, const char *text, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -errno;
        text += written;
        size -= (size_t)written;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

int linux_write_secret(const char *path, const char *text, size_t size, int replacing) {
    struct stat status;
    int exists = lstat(path, &status) == 0;
    if (exists && !replacing) return -EEXIST;
    char *beside = NULL;
    if (asprintf(&beside, "%s.XXXXXX", path) < 0) return -ENOMEM;
    // Mode 0600.
    int fd = mkostemp(beside, O_CLOEXEC);
    int answer = fd < 0 ? -errno : 0;
    if (answer == 0) {
        if (exists && (fchown(fd, status.st_uid, status.st_gid) < 0 || fchmod(fd, status.st_mode & 0770) < 0))
            answer = -errno;
        if (answer == 0) answer = write_all(fd, text, size);
        close(fd);
        // link(2) does not replace what came there meanwhile.
        if (answer == 0 && (replacing ? rename(beside, path) : link(beside, path)) < 0) answer = -errno;
        if (answer < 0 || !replacing) unlink(beside);
    }
    free(beside);
    return answer;
}

int64_t linux_read_secret(const char *prompt, void *buffer, size_t size) {
    struct termios before;
    int is_terminal = tcgetattr(0, &before) == 0;
    if (is_terminal) {
        struct termios silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(0, TCSAFLUSH, &silent);
        (void)!write(2, prompt, strlen(prompt));
    }
    // Byte by byte: what follows the line is not ours.
    char *out = buffer;
    size_t length = 0;
    int64_t answer = -ENODATA;
    while (length < size) {
        char byte;
        ssize_t count = read(0, &byte, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) answer = -errno;
        if (count < 0 || (count == 0 && length == 0)) break;
        if (count == 0 || byte == '\n') {
            answer = (int64_t)length;
            break;
        }
        out[length++] = byte;
    }
    if (is_terminal) {
        (void)tcsetattr(0, TCSAFLUSH, &before);
        (void)!write(2, "\n", 1);
    }
    return answer;
}
