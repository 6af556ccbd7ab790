#include "tls_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// MARK: Life

static bool name_peer(SSL *ssl, const char *name, bool is_address) {
    X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
    if (is_address) return X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1;
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

braid_tls *braid_tls_begin(braid_tls_context *context, int descriptor, const char *name, bool is_address, uint64_t place,
                           const void *early, size_t early_size) {
    ERR_clear_error();
    braid_tls *session = calloc(1, sizeof *session);
    if (session == NULL) return NULL;
    session->descriptor = descriptor;
    session->place = place;
    session->context = context;
    tls_hold(context);
    session->ssl = SSL_new(context->ssl);
    BIO *bio = session->ssl == NULL ? NULL : tls_socket_make(session);
    if (early_size > 0) {
        session->early = malloc(early_size);
        if (session->early != NULL) {
            memcpy(session->early, early, early_size);
            session->early_size = early_size;
        }
    }
    if (bio == NULL || (early_size > 0 && session->early == NULL)) {
        BIO_free(bio);
        braid_tls_free(session);
        return NULL;
    }
    SSL_set_bio(session->ssl, bio, bio);
    SSL_set_app_data(session->ssl, session);
    if (context->is_server) {
        SSL_set_accept_state(session->ssl);
        return session;
    }
    SSL_set_connect_state(session->ssl);
    if (name != NULL && !name_peer(session->ssl, name, is_address)) {
        braid_tls_free(session);
        return NULL;
    }
    SSL_SESSION *ticket = tls_take_ticket(context, place);
    if (ticket != NULL) {
        SSL_set_session(session->ssl, ticket);
        SSL_SESSION_free(ticket);
    }
    return session;
}

void braid_tls_free(braid_tls *session) {
    if (session == NULL) return;
    // OpenSSL takes a session that was not closed in order for a bad one, and would not let its tickets be used.
    if (session->ssl != NULL && session->failure == 0) SSL_set_shutdown(session->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(session->ssl);
    free(session->early);
    free(session->unsent);
    braid_tls_context_free(session->context);
    free(session);
}

// MARK: Failure

static int fail(braid_tls *session, int answer) {
    // An alert tells the peer why; it may go or not.
    braid_tls_flush(session);
    session->failure = answer;
    long verdict = SSL_get_verify_result(session->ssl);
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (answer == -ECONNRESET && session->met_end) {
        snprintf(session->reason, sizeof session->reason, "the connection ended without TLS's farewell");
        ERR_clear_error();
    } else if (answer != -EPROTO) {
        ERR_clear_error();
    } else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK) {
        snprintf(session->reason, sizeof session->reason, "certificate refused: %s", X509_verify_cert_error_string(verdict));
        ERR_clear_error();
    } else {
        tls_explain("protocol error", session->reason, sizeof session->reason);
    }
    return answer;
}

/// What a call of OpenSSL's that did not succeed means: 0 for an announced end.
static int verdict_on(braid_tls *session, int answer) {
    switch (SSL_get_error(session->ssl, answer)) {
        case SSL_ERROR_ZERO_RETURN: return 0;
        case SSL_ERROR_WANT_READ: return -EAGAIN;
        default:
            if (session->error != 0) return fail(session, -session->error);
            return fail(session, session->met_end ? -ECONNRESET : -EPROTO);
    }
}

const char *braid_tls_failure(const braid_tls *session) { return session->reason; }

// MARK: Handshake

int braid_tls_handshake(braid_tls *session) {
    if (session->failure != 0) return session->failure;
    ERR_clear_error();
    session->is_dry = false;
    int answer = SSL_do_handshake(session->ssl);
    if (answer != 1) {
        int verdict = verdict_on(session, answer);
        if (verdict != -EAGAIN) return verdict == 0 ? -ECONNRESET : verdict;
    }
    int flushed = braid_tls_flush(session);
    if (flushed < 0 && flushed != -EAGAIN) return flushed;
    return answer == 1 ? 0 : -EAGAIN;
}

bool braid_tls_was_known(const braid_tls *session) { return SSL_session_reused(session->ssl) == 1; }

// MARK: Data

int64_t braid_tls_receive(braid_tls *session, void *bytes, size_t size, bool dry) {
    session->has_more = false;
    if (session->failure != 0) return session->failure;
    session->is_dry = dry;
    size_t taken = 0;
    while (taken < size) {
        size_t count = 0;
        // The error queue must be empty, or an old error would be taken for this call's.
        ERR_clear_error();
        int answer = SSL_read_ex(session->ssl, (char *)bytes + taken, size - taken, &count);
        if (answer == 1) {
            taken += count;
            continue;
        }
        int verdict = verdict_on(session, answer);
        // The reply to a key update may have been written.
        if (verdict == -EAGAIN && braid_tls_has_unsent(session)) braid_tls_flush(session);
        if (taken == 0) return verdict;
        session->has_more = verdict != -EAGAIN;
        return (int64_t)taken;
    }
    session->has_more = true;
    return (int64_t)taken;
}

bool braid_tls_has_more(const braid_tls *session) { return session->has_more; }

int64_t braid_tls_send(braid_tls *session, const void *bytes, size_t size) {
    if (session->failure != 0) return session->failure;
    int flushed = braid_tls_flush(session);
    if (flushed < 0) return flushed;
    ERR_clear_error();
    size_t taken = 0;
    while (taken < size) {
        size_t count = 0;
        int answer = SSL_write_ex(session->ssl, (const char *)bytes + taken, size - taken, &count);
        if (answer != 1) {
            int verdict = verdict_on(session, answer);
            return verdict == 0 ? -EPIPE : verdict;
        }
        taken += count;
    }
    flushed = braid_tls_flush(session);
    return flushed < 0 && flushed != -EAGAIN ? flushed : (int64_t)taken;
}

int braid_tls_finish(braid_tls *session) {
    if (session->failure != 0) return session->failure;
    if (!session->is_finished) {
        session->is_finished = true;
        ERR_clear_error();
        // 0: sent, and the peer's is yet to come, which reading will find.
        if (SSL_shutdown(session->ssl) < 0) ERR_clear_error();
    }
    int flushed = braid_tls_flush(session);
    if (flushed < 0) return flushed;
    return shutdown(session->descriptor, SHUT_WR) < 0 ? -errno : 0;
}
