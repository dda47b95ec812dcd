#include "os/sign.h"

#include "base/check.h"

void sign_forget(void *secret, size_t size) {
    volatile uint8_t *bytes = secret;
    while (size-- > 0) *bytes++ = 0;
}

#ifdef USE_SODIUM
#include <sodium.h>

/* Safe to call again and again. */
static void begin(void) { check(sodium_init() >= 0); }

static void key_pair(const uint8_t seed[SIGN_SEED_SIZE],
                     uint8_t key[crypto_sign_PUBLICKEYBYTES],
                     uint8_t secret[crypto_sign_SECRETKEYBYTES]) {
    begin();
    crypto_sign_seed_keypair(key, secret, seed);
}

bool sign_available(void) { return true; }

void sign_public_key(const uint8_t seed[SIGN_SEED_SIZE], uint8_t key[SIGN_KEY_SIZE]) {
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    key_pair(seed, key, secret);
    sodium_memzero(secret, sizeof secret);
}

void sign_message(const uint8_t seed[SIGN_SEED_SIZE], struct slice message,
                  uint8_t signature[SIGN_SIZE]) {
    uint8_t key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    key_pair(seed, key, secret);
    crypto_sign_detached(signature, NULL, message.data, message.size, secret);
    sodium_memzero(secret, sizeof secret);
}

bool sign_verify(const uint8_t key[SIGN_KEY_SIZE], struct slice message,
                 const uint8_t signature[SIGN_SIZE]) {
    begin();
    return crypto_sign_verify_detached(signature, message.data, message.size, key) == 0;
}

#else

bool sign_available(void) { return false; }

void sign_public_key(const uint8_t seed[SIGN_SEED_SIZE], uint8_t key[SIGN_KEY_SIZE]) {
    (void)seed, (void)key;
    check(!"this build has no signatures");
}

void sign_message(const uint8_t seed[SIGN_SEED_SIZE], struct slice message,
                  uint8_t signature[SIGN_SIZE]) {
    (void)seed, (void)message, (void)signature;
    check(!"this build has no signatures");
}

bool sign_verify(const uint8_t key[SIGN_KEY_SIZE], struct slice message,
                 const uint8_t signature[SIGN_SIZE]) {
    (void)key, (void)message, (void)signature;
    return false;
}

#endif
