// TLS 1.3 (RFC 8446) on sockets that do not block, by OpenSSL 3. Functions answer a value or -errno; what a peer did wrong is
// told in words by braid_tls_failure().
//
// A context belongs to whoever made it and may be used by several threads at once; it lives on until its last session is
// freed. A session belongs to one thread. It reads and writes its socket by itself, and does not own it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct braid_tls_context braid_tls_context;
typedef struct braid_tls braid_tls;

/// What a context needs. Texts are PEM and may be NULL; they are copied.
struct braid_tls_setup {
    bool is_server;
    /// The own certificate with those that vouch for it, and its private key.
    const char *certificate;
    const char *key;
    /// The authorities that the peer's certificate is verified by.
    const char *authorities;
    /// The system's authorities count.
    bool trusts_system;
    /// The peer must have a certificate that is verified (a client always wants one, and verifies it then).
    bool verifies_peer;
    /// There are pre-shared keys: only the cipher suites that go with them.
    bool has_keys;
};

/// Makes a context.
///
/// Answers NULL when something is wrong with the setup; `reason` (of `size` bytes) then says what, and `part` which text is
/// at fault: 'c' certificate, 'k' key, 'a' authorities, or 0.
braid_tls_context *braid_tls_context_make(const struct braid_tls_setup *setup, char *part, char *reason, size_t size);

/// Adds an external pre-shared key (RFC 9258 has what to mind); a client proves the first.
int braid_tls_context_add_key(braid_tls_context *context, const void *identity, size_t identity_size, const void *key, size_t size);

/// Lets go of a context.
void braid_tls_context_free(braid_tls_context *context);

/// Begins a session on a connected socket.
///
/// `name` is what a server's certificate has to be for (a DNS name, or an address when `is_address`), or NULL.
/// `place` tells peers apart whose sessions may be resumed. `early` are bytes that were read from the socket already.
/// Answers NULL without memory.
braid_tls *braid_tls_begin(braid_tls_context *context, int descriptor, const char *name, bool is_address, uint64_t place,
                           const void *early, size_t early_size);

/// Goes on with the handshake: 0 when it is done, -EAGAIN when the socket has to become readable (or writable, when
/// braid_tls_has_unsent), -EPROTO when the peers cannot agree, or the socket's error.
int braid_tls_handshake(braid_tls *session);

/// Reads up to `size` bytes, as many as are there: their number, 0 at the end that the peer has announced (close_notify),
/// -EAGAIN when there is nothing, -ECONNRESET when the peer's end was not announced, -EPROTO for what is no TLS.
/// With `dry` the socket is left alone: what was read from it already is all there is.
int64_t braid_tls_receive(braid_tls *session, void *bytes, size_t size, bool dry);

/// More than the last receive has answered is here: the end, an error, or bytes that had no room.
bool braid_tls_has_more(const braid_tls *session);

/// Takes up to `size` bytes for sending: their number, or -EAGAIN while earlier ones wait for the socket.
int64_t braid_tls_send(braid_tls *session, const void *bytes, size_t size);

/// Bytes wait for the socket to become writable.
bool braid_tls_has_unsent(const braid_tls *session);

/// Writes what waits: 0 when nothing waits any more, -EAGAIN, or the socket's error.
int braid_tls_flush(braid_tls *session);

/// Announces the end of what is sent (close_notify, then shutdown(2)): 0 when it is done, -EAGAIN to be asked again.
int braid_tls_finish(braid_tls *session);

/// Why the session has failed, in words; empty when it has not.
const char *braid_tls_failure(const braid_tls *session);

/// The session was resumed, or begun by a pre-shared key.
bool braid_tls_was_known(const braid_tls *session);

/// Ends a session without a word to the peer.
void braid_tls_free(braid_tls *session);
