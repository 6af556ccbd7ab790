#include "tls_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char protocol[] = "\x07" "braid/1";

void tls_explain(const char *without, char *reason, size_t size) {
    unsigned long code = ERR_peek_last_error();
    const char *text = code == 0 ? NULL : ERR_reason_error_string(code);
    snprintf(reason, size, "%s", text == NULL ? without : text);
    ERR_clear_error();
}

// MARK: Certificates

/// A private key that is encrypted cannot be used: nobody is there to ask.
static int no_passphrase(char *buffer, int size, int writes, void *user) {
    (void)buffer, (void)size, (void)writes, (void)user;
    return -1;
}

static bool use_certificate(SSL_CTX *ssl, const char *text) {
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *own = bio == NULL ? NULL : PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
    bool good = own != NULL && SSL_CTX_use_certificate(ssl, own) == 1;
    X509_free(own);
    while (good) {
        X509 *next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
        if (next == NULL) {
            // The end of the text is an error to OpenSSL, and the only good one.
            good = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            if (good) ERR_clear_error();
            break;
        }
        good = SSL_CTX_add0_chain_cert(ssl, next) == 1;
        if (!good) X509_free(next);
    }
    BIO_free(bio);
    return good;
}

static bool use_key(SSL_CTX *ssl, const char *text) {
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    bool good = key != NULL && SSL_CTX_use_PrivateKey(ssl, key) == 1 && SSL_CTX_check_private_key(ssl) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return good;
}

static bool trust(SSL_CTX *ssl, const char *text, bool is_server) {
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    int count = 0;
    bool good = bio != NULL;
    while (good) {
        X509 *authority = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
        if (authority == NULL) {
            good = count > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            if (good) ERR_clear_error();
            break;
        }
        good = X509_STORE_add_cert(store, authority) == 1 && (!is_server || SSL_CTX_add_client_CA(ssl, authority) == 1);
        X509_free(authority);
        count += 1;
    }
    BIO_free(bio);
    return good;
}

// MARK: Pre-shared keys

static SSL_SESSION *session_of(SSL *ssl, const struct tls_shared_key *key) {
    static const unsigned char aes_128_gcm_sha256[] = {0x13, 0x01};
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, aes_128_gcm_sha256);
    SSL_SESSION *session = cipher == NULL ? NULL : SSL_SESSION_new();
    if (session == NULL) return NULL;
    if (SSL_SESSION_set1_master_key(session, key->key, key->size) == 1 && SSL_SESSION_set_cipher(session, cipher) == 1
        && SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1) {
        return session;
    }
    SSL_SESSION_free(session);
    return NULL;
}

/// A server looks up what the client says it knows. Unknown names may still be tickets.
static int find_key(SSL *ssl, const unsigned char *identity, size_t size, SSL_SESSION **session) {
    braid_tls_context *context = ((braid_tls *)SSL_get_app_data(ssl))->context;
    *session = NULL;
    for (size_t index = 0; index < context->key_count; index++) {
        const struct tls_shared_key *key = &context->keys[index];
        if (key->identity_size != size || memcmp(key->identity, identity, size) != 0) continue;
        *session = session_of(ssl, key);
        return *session != NULL;
    }
    return 1;
}

/// A client says what it knows.
static int use_shared_key(SSL *ssl, const EVP_MD *digest, const unsigned char **identity, size_t *size, SSL_SESSION **session) {
    braid_tls_context *context = ((braid_tls *)SSL_get_app_data(ssl))->context;
    *session = NULL;
    if (context->key_count == 0 || (digest != NULL && EVP_MD_get_type(digest) != NID_sha256)) return 1;
    *session = session_of(ssl, &context->keys[0]);
    *identity = context->keys[0].identity;
    *size = context->keys[0].identity_size;
    return *session != NULL;
}

int braid_tls_context_add_key(braid_tls_context *context, const void *identity, size_t identity_size, const void *key, size_t size) {
    struct tls_shared_key *keys = realloc(context->keys, (context->key_count + 1) * sizeof *keys);
    if (keys == NULL) return -ENOMEM;
    context->keys = keys;
    struct tls_shared_key *added = &keys[context->key_count];
    *added = (struct tls_shared_key){
        .identity = OPENSSL_memdup(identity, identity_size), .identity_size = identity_size,
        .key = OPENSSL_memdup(key, size), .size = size};
    if (added->identity == NULL || added->key == NULL) {
        OPENSSL_free(added->identity);
        OPENSSL_clear_free(added->key, size);
        return -ENOMEM;
    }
    context->key_count += 1;
    return 0;
}

// MARK: Protocol

/// Whoever asks for other protocols only (a browser, say) is at the wrong door.
static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *size, const unsigned char *offered,
                           unsigned int offered_size, void *user) {
    (void)ssl, (void)user;
    unsigned char *found = NULL;
    int answer = SSL_select_next_proto(&found, size, protocol, sizeof protocol - 1, offered, offered_size);
    *chosen = found;
    return answer == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool set_protocol(braid_tls_context *context, bool has_keys) {
    SSL_CTX *ssl = context->ssl;
    const char *suites = has_keys ? "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
                                  : "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
    if (SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) != 1) return false;
    if (SSL_CTX_set_ciphersuites(ssl, suites) != 1) return false;
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ssl, 1);
    SSL_CTX_set_default_read_buffer_len(ssl, tls_piece + 4096);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    if (context->is_server) {
        SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
        // Sessions that a client certificate began may be resumed by those who know of the same context only.
        if (SSL_CTX_set_session_id_context(ssl, protocol, sizeof protocol - 1) != 1) return false;
        SSL_CTX_set_num_tickets(ssl, 1);
        SSL_CTX_set_psk_find_session_callback(ssl, find_key);
    } else {
        if (SSL_CTX_set_alpn_protos(ssl, protocol, sizeof protocol - 1) != 0) return false;
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ssl, tls_keep_ticket);
        SSL_CTX_set_psk_use_session_callback(ssl, use_shared_key);
    }
    return true;
}

// MARK: Life

braid_tls_context *braid_tls_context_make(const struct braid_tls_setup *setup, char *part, char *reason, size_t size) {
    ERR_clear_error();
    *part = 0;
    braid_tls_context *context = calloc(1, sizeof *context);
    SSL_CTX *ssl = context == NULL ? NULL : SSL_CTX_new(setup->is_server ? TLS_server_method() : TLS_client_method());
    if (ssl == NULL) {
        free(context);
        tls_explain("no memory", reason, size);
        return NULL;
    }
    context->ssl = ssl;
    context->holders = 1;
    context->is_server = setup->is_server;
    pthread_mutex_init(&context->lock, NULL);
    bool good = set_protocol(context, setup->has_keys);
    if (good && setup->certificate != NULL) {
        *part = 'c';
        good = use_certificate(ssl, setup->certificate);
    }
    if (good && setup->key != NULL) {
        *part = 'k';
        good = use_key(ssl, setup->key);
    }
    if (good && setup->authorities != NULL) {
        *part = 'a';
        good = trust(ssl, setup->authorities, setup->is_server);
    }
    if (good && setup->trusts_system) {
        *part = 0;
        good = SSL_CTX_set_default_verify_paths(ssl) == 1;
    }
    if (setup->verifies_peer) SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (good) return context;
    tls_explain("OpenSSL refuses it", reason, size);
    braid_tls_context_free(context);
    return NULL;
}

void tls_hold(braid_tls_context *context) { __atomic_add_fetch(&context->holders, 1, __ATOMIC_RELAXED); }

void braid_tls_context_free(braid_tls_context *context) {
    if (context == NULL || __atomic_sub_fetch(&context->holders, 1, __ATOMIC_ACQ_REL) > 0) return;
    for (size_t index = 0; index < tls_tickets_kept; index++) SSL_SESSION_free(context->tickets[index].session);
    for (size_t index = 0; index < context->key_count; index++) {
        OPENSSL_free(context->keys[index].identity);
        OPENSSL_clear_free(context->keys[index].key, context->keys[index].size);
    }
    free(context->keys);
    SSL_CTX_free(context->ssl);
    pthread_mutex_destroy(&context->lock);
    free(context);
}

// MARK: Resumption

int tls_keep_ticket(SSL *ssl, SSL_SESSION *session) {
    braid_tls *own = SSL_get_app_data(ssl);
    braid_tls_context *context = own->context;
    pthread_mutex_lock(&context->lock);
    struct tls_ticket *ticket = &context->tickets[context->next_ticket];
    context->next_ticket = (context->next_ticket + 1) % tls_tickets_kept;
    SSL_SESSION *former = ticket->session;
    *ticket = (struct tls_ticket){.place = own->place, .session = session};
    pthread_mutex_unlock(&context->lock);
    SSL_SESSION_free(former);
    return 1;
}

SSL_SESSION *tls_take_ticket(braid_tls_context *context, uint64_t place) {
    SSL_SESSION *session = NULL;
    pthread_mutex_lock(&context->lock);
    for (size_t index = 0; index < tls_tickets_kept && session == NULL; index++) {
        // RFC 8446, appendix C.4: a ticket is used once.
        if (context->tickets[index].session == NULL || context->tickets[index].place != place) continue;
        session = context->tickets[index].session;
        context->tickets[index].session = NULL;
    }
    pthread_mutex_unlock(&context->lock);
    return session;
}
