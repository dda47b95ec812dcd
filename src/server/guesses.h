/* How fast one address may try passwords: ten wrong ones are free, then each attempt from
 * there waits for its turn, so that no address gets more than GUESSES_A_SECOND however
 * many connections it opens. After a minute without a wrong one it is forgotten. */
#ifndef SERVER_GUESSES_H
#define SERVER_GUESSES_H

#include "base/slice.h"

#define GUESSES_FREE     10
#define GUESSES_A_SECOND 10
#define GUESSES_ROWS     256

/* One address, by the hash of its text; addresses of one row share its allowance. */
struct guesses {
    struct guesser {
        uint64_t wrong;   /* passwords, of late */
        uint64_t last_us; /* the last of them */
        uint64_t next_us; /* no attempt before */
    } rows[GUESSES_ROWS];
};

/* When may this address try next? 0: now, and this was its attempt; otherwise a monotonic
 * time to wait for. `peer` is "address:port" or a path; `seed` keys the hash. */
uint64_t guesses_wait(struct guesses *guesses, const uint8_t seed[16], const char *peer,
                      uint64_t now_us);
/* It was wrong. */
void guesses_note(struct guesses *guesses, const uint8_t seed[16], const char *peer,
                  uint64_t now_us);

#endif
