#include "tls_private.h"

#include <errno.h>
#include <openssl/bio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// OpenSSL writes a record at a time; what one call of ours produces is gathered and goes out by one send. A buffer for it is
// needed only until the socket has taken all, so a thread keeps one for all its sessions.
static _Thread_local unsigned char *spare;
static _Thread_local size_t spare_capacity;

static int make_room(braid_tls *session, size_t size) {
    if (session->unsent == NULL && spare != NULL) {
        session->unsent = spare;
        session->unsent_capacity = spare_capacity;
        spare = NULL;
    }
    size_t wanted = session->unsent_end + size;
    if (wanted <= session->unsent_capacity) return 0;
    if (wanted - session->unsent_begin > tls_unsent_most) return -ENOBUFS;
    size_t capacity = wanted < tls_piece + 4096 ? tls_piece + 4096 : wanted;
    unsigned char *bytes = realloc(session->unsent, capacity);
    if (bytes == NULL) return -ENOMEM;
    session->unsent = bytes;
    session->unsent_capacity = capacity;
    return 0;
}

static void give_back(braid_tls *session) {
    session->unsent_begin = session->unsent_end = 0;
    if (spare == NULL && session->unsent_capacity <= 2 * tls_piece) {
        spare = session->unsent;
        spare_capacity = session->unsent_capacity;
    } else {
        free(session->unsent);
    }
    session->unsent = NULL;
    session->unsent_capacity = 0;
}

int braid_tls_flush(braid_tls *session) {
    if (session->error != 0) return -session->error;
    while (session->unsent_begin < session->unsent_end) {
        ssize_t sent = send(session->descriptor, session->unsent + session->unsent_begin,
                            session->unsent_end - session->unsent_begin, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            session->unsent_begin += (size_t)sent;
        } else if (errno == EAGAIN) {
            return -EAGAIN;
        } else if (errno != EINTR) {
            session->error = errno;
            return -errno;
        }
    }
    if (session->unsent != NULL) give_back(session);
    return 0;
}

bool braid_tls_has_unsent(const braid_tls *session) { return session->unsent_begin < session->unsent_end; }

static int socket_write(BIO *bio, const char *bytes, int size) {
    braid_tls *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    int answer = make_room(session, (size_t)size);
    if (answer < 0) {
        session->error = -answer;
        return -1;
    }
    memcpy(session->unsent + session->unsent_end, bytes, (size_t)size);
    session->unsent_end += (size_t)size;
    return size;
}

static int socket_read(BIO *bio, char *bytes, int size) {
    braid_tls *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t early = session->early_size - session->early_taken;
    if (early > 0) {
        size_t count = early < (size_t)size ? early : (size_t)size;
        memcpy(bytes, session->early + session->early_taken, count);
        session->early_taken += count;
        if (count == early) {
            free(session->early);
            session->early = NULL;
            session->early_size = session->early_taken = 0;
        }
        return (int)count;
    }
    if (session->is_dry) {
        BIO_set_retry_read(bio);
        return -1;
    }
    for (;;) {
        ssize_t count = recv(session->descriptor, bytes, (size_t)size, MSG_DONTWAIT);
        if (count > 0) {
            // The poller tells again when there is more: asking now would mostly answer that there is none.
            session->is_dry = count < size;
            return (int)count;
        }
        if (count == 0) {
            session->met_end = true;
            return 0;
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN) {
            session->is_dry = true;
            BIO_set_retry_read(bio);
        } else {
            session->error = errno;
        }
        return -1;
    }
}

static long socket_control(BIO *bio, int command, long number, void *pointer) {
    (void)number;
    (void)pointer;
    braid_tls *session = BIO_get_data(bio);
    switch (command) {
        case BIO_CTRL_FLUSH: return 1;
        case BIO_CTRL_EOF: return session->met_end;
        default: return 0;
    }
}

static BIO_METHOD *method;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_method(void) {
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "braid socket");
    if (made == NULL) return;
    BIO_meth_set_write(made, socket_write);
    BIO_meth_set_read(made, socket_read);
    BIO_meth_set_ctrl(made, socket_control);
    method = made;
}

BIO *tls_socket_make(braid_tls *session) {
    pthread_once(&once, make_method);
    BIO *bio = method == NULL ? NULL : BIO_new(method);
    if (bio == NULL) return NULL;
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    return bio;
}
