// Password hashes of libcrypt: crypt(3), crypt(5).
#pragma once

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

/// Hashes `phrase` as `setting` says (a hash does) into `out` (CRYPT_OUTPUT_SIZE bytes); 0, or -1 for a setting that is none.
static inline int braid_crypt(const char *phrase, const char *setting, char *out) {
    struct crypt_data *data = calloc(1, sizeof *data);
    if (!data) return -1;
    const char *hash = crypt_rn(phrase, setting, data, sizeof *data);
    int answer = hash && hash[0] != '*' && strlen(hash) < CRYPT_OUTPUT_SIZE ? 0 : -1;
    if (answer == 0) strcpy(out, hash);
    explicit_bzero(data, sizeof *data);
    free(data);
    return answer;
}

/// A fresh setting for the method `prefix` ("$y$") into `out` (CRYPT_GENSALT_OUTPUT_SIZE bytes); 0 or -1.
static inline int braid_crypt_setting(const char *prefix, char *out) {
    return crypt_gensalt_rn(prefix, 0, NULL, 0, out, CRYPT_GENSALT_OUTPUT_SIZE) ? 0 : -1;
}
