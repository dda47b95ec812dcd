/* Who signs the log's checkpoints: a key, the file that remembers the last signature, and
 * the newest checkpoint (docs/format.md, section 11.2).
 *
 * A checkpoint is signed when its last entry is a SEAL and all of it is durable, whatever
 * the sync policy; it is handed out only after valori.signed holds it on the disk. What
 * was signed once binds: a log that does not go on from there, say from an old backup, is
 * signed no more. */
#ifndef ENGINE_SIGNER_H
#define ENGINE_SIGNER_H

#include "base/note.h"
#include "engine/engine.h"

#define SIGNER_KEY_NAME  "valori.key"    /* the secret; mode 0600 */
#define SIGNER_PUB_NAME  "valori.pub"    /* the verifier key, for everybody */
#define SIGNER_LAST_NAME "valori.signed" /* the last checkpoint signed */

struct signer;

/* Load the key of `directory`, or make one that goes by `origin` (empty: valori/ and some
 * hex of the key). On failure *signer is NULL and `message` says why: STATUS_UNSAFE
 * (owner or mode of the key file), STATUS_CORRUPT (it holds no key), STATUS_FOREIGN (a
 * key of another origin), STATUS_IO, STATUS_MEMORY. */
enum status signer_open(const struct os *os, const struct allocator *allocator,
                        const char *directory, const char *origin, struct signer **signer,
                        char message[LOG_MESSAGE_SIZE]);
void signer_close(struct signer *signer);

/* After recovery: hold the log against what was signed last. If it does not go on from
 * there signer_refusal() says so from then on; that is no failure of the server. */
void signer_compare(struct signer *signer, struct engine *engine);
/* Why nothing is signed any more, or NULL. */
const char *signer_refusal(const struct signer *signer);

/* Once per loop turn: sign the last SEAL if it is durable, not signed, and `interval_us`
 * has passed since the last signature; take note of a write that has ended. Lowers
 * *next_us to when it wants to be called again. True when a new checkpoint is out. */
bool signer_turn(struct signer *signer, struct engine *engine, uint64_t interval_us,
                 uint64_t *next_us);
/* Sign at the next turn, whatever the interval. */
void signer_hurry(struct signer *signer);

/* The newest checkpoint with all its signatures; empty while there is none. Its size. */
struct slice signer_note(const struct signer *signer, uint64_t *size);
/* The key that verifies, as name+id+base64. */
const char *signer_key_text(const struct signer *signer);

/* Add a witness's signature line to the newest checkpoint. STATUS_NOT_FOUND: there is
 * none, or the line is of none of the `witnesses`; STATUS_INVALID: it is not signed by
 * that one, or no line; STATUS_EXISTS; STATUS_TOO_LARGE. */
enum status signer_cosign(struct signer *signer, const struct note_key *witnesses,
                          size_t count, struct slice line);

#endif
