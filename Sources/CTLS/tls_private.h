// What the files of this target share.
#pragma once

#include "ctls.h"

#include <openssl/ssl.h>
#include <pthread.h>

enum {
    /// The most that is read from a socket at once, and taken from a sender at once: four records.
    tls_piece = 64 << 10,
    /// Bytes waiting for a socket beyond this are a peer that makes us answer and does not read.
    tls_unsent_most = 256 << 10,
    /// Sessions kept for resumption.
    tls_tickets_kept = 32,
    tls_reason_size = 192,
};

struct tls_shared_key {
    unsigned char *identity;
    size_t identity_size;
    unsigned char *key;
    size_t size;
};

/// A session that a server has offered to resume.
struct tls_ticket {
    uint64_t place;
    SSL_SESSION *session;
};

struct braid_tls_context {
    SSL_CTX *ssl;
    struct tls_shared_key *keys;
    size_t key_count;
    /// Holders: its maker and its sessions.
    int holders;
    bool is_server;
    /// Guards `tickets`: several threads put and take them, once a handshake.
    pthread_mutex_t lock;
    struct tls_ticket tickets[tls_tickets_kept];
    size_t next_ticket;
};

struct braid_tls {
    SSL *ssl;
    braid_tls_context *context;
    uint64_t place;
    int descriptor;
    /// Bytes that were read before the session began, and how many of them it has taken.
    unsigned char *early;
    size_t early_size;
    size_t early_taken;
    /// Sealed bytes that the socket did not take yet: of `unsent`, those from `unsent_begin` to `unsent_end`.
    unsigned char *unsent;
    size_t unsent_capacity;
    size_t unsent_begin;
    size_t unsent_end;
    /// The socket is not read from until the next call: it was found empty, or the caller said so.
    bool is_dry;
    bool has_more;
    bool is_finished;
    /// The end of the stream came without being announced.
    bool met_end;
    /// The socket's error, or 0.
    int error;
    /// -errno of what ended the session, or 0.
    int failure;
    char reason[tls_reason_size];
};

/// Puts a session's tickets away, and takes one out (NULL without one).
int tls_keep_ticket(SSL *ssl, SSL_SESSION *session);
SSL_SESSION *tls_take_ticket(braid_tls_context *context, uint64_t place);
void tls_hold(braid_tls_context *context);

/// The one way for OpenSSL to reach the socket.
BIO *tls_socket_make(braid_tls *session);

/// What OpenSSL's error queue says, in words; empties it.
void tls_explain(const char *without, char *reason, size_t size);
