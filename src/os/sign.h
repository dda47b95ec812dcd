/* Ed25519 signatures (RFC 8032): the one door to the library that makes and checks them.
 *
 * Checking is strict: a non-canonical S, and a key or R that is not canonical or of small
 * order, are refused. Libraries differ in such cases, so no state ever depends on an
 * answer. */
#ifndef OS_SIGN_H
#define OS_SIGN_H

#include <stdbool.h>

#include "base/slice.h"

#define SIGN_SEED_SIZE 32 /* the secret */
#define SIGN_KEY_SIZE  32 /* the public key */
#define SIGN_SIZE      64

/* False where the build has no library for it (make SODIUM=no). Then nothing verifies,
 * and the other calls must not be made. */
bool sign_available(void);

void sign_public_key(const uint8_t seed[SIGN_SEED_SIZE], uint8_t key[SIGN_KEY_SIZE]);
void sign_message(const uint8_t seed[SIGN_SEED_SIZE], struct slice message,
                  uint8_t signature[SIGN_SIZE]);
/* Overwrite a secret, whatever the compiler thinks of it. */
void sign_forget(void *secret, size_t size);
bool sign_verify(const uint8_t key[SIGN_KEY_SIZE], struct slice message,
                 const uint8_t signature[SIGN_SIZE]);

#endif
