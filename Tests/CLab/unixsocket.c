#include "CLab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int open_socket(const char *path, struct sockaddr_un *address) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path) {
        return -ENAMETOOLONG;
    }
    snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return descriptor < 0 ? -errno : descriptor;
}

static int close_with_errno(int descriptor) {
    int error = errno;
    close(descriptor);
    return -error;
}

int clab_unix_listen(const char *path) {
    struct sockaddr_un address;
    int listener = open_socket(path, &address);
    if (listener < 0) {
        return listener;
    }
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 16) < 0) {
        return close_with_errno(listener);
    }
    return listener;
}

int clab_unix_connect(const char *path) {
    struct sockaddr_un address;
    int connection = open_socket(path, &address);
    if (connection < 0) {
        return connection;
    }
    if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0) {
        return close_with_errno(connection);
    }
    return connection;
}

int clab_unix_accept(int listener) {
    int connection;
    do {
        connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    } while (connection < 0 && (errno == EINTR || errno == ECONNABORTED));
    return connection < 0 ? -errno : connection;
}

int clab_unix_finish(int connection) { return shutdown(connection, SHUT_WR) < 0 ? -errno : 0; }
