#include "server/guesses.h"

#include <string.h>

#include "base/siphash.h"

#define SECOND_US UINT64_C(1000000)
#define FORGET_US (60 * SECOND_US)

/* The row of an address; the port does not count. */
static struct guesser *row_of(struct guesses *guesses, const uint8_t seed[16],
                              const char *peer) {
    const char *colon = strrchr(peer, ':');
    size_t size = colon ? (size_t)(colon - peer) : strlen(peer);
    return &guesses->rows[siphash(seed, peer, size) % GUESSES_ROWS];
}

uint64_t guesses_wait(struct guesses *guesses, const uint8_t seed[16], const char *peer,
                      uint64_t now_us) {
    struct guesser *row = row_of(guesses, seed, peer);
    if (now_us - row->last_us > FORGET_US) row->wrong = 0;
    if (row->wrong < GUESSES_FREE) return 0;
    if (row->next_us > now_us) return row->next_us;
    row->next_us = now_us + SECOND_US / GUESSES_A_SECOND;
    return 0;
}

void guesses_note(struct guesses *guesses, const uint8_t seed[16], const char *peer,
                  uint64_t now_us) {
    struct guesser *row = row_of(guesses, seed, peer);
    if (now_us - row->last_us > FORGET_US) row->wrong = 0;
    row->wrong++;
    row->last_us = now_us;
}
