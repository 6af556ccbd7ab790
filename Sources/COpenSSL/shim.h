// OpenSSL 3's libcrypto: digests, message authentication codes, random bytes.
#pragma once

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

/// HMAC-SHA256 (RFC 2104): 32 bytes into `out`; 0, or -1 when the library refuses (no memory, or forbidden by policy).
static inline int braid_hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size, void *out) {
    unsigned length = 32;
    return HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)bytes, size, (unsigned char *)out, &length) ? 0 : -1;
}
