/* Signed notes and checkpoints as C2SP defines them (c2sp.org/signed-note,
 * tlog-checkpoint, tlog-cosignature): texts, keys and what a signature is over. Who signs
 * and who verifies is passed in, so that nothing here knows a library. */
#ifndef BASE_NOTE_H
#define BASE_NOTE_H

#include "base/sha256.h"
#include "base/slice.h"

#define NOTE_SIZE_MAX       65536
#define NOTE_NAME_MAX       255
#define NOTE_SIGNATURES_MAX 64
#define NOTE_KEY_ID_SIZE    4
#define NOTE_PUBLIC_SIZE    32
#define NOTE_SIGNATURE_SIZE 64

enum note_algorithm {
    NOTE_ED25519 = 1,     /* over the note's text */
    NOTE_COSIGNATURE = 4, /* a witness's, with a time; over cosignature/v1 */
};

/* A public key that goes by a name. */
struct note_key {
    uint8_t algorithm;
    char name[NOTE_NAME_MAX + 1]; /* ends with NUL */
    size_t name_size;
    uint8_t id[NOTE_KEY_ID_SIZE];
    uint8_t key[NOTE_PUBLIC_SIZE];
};

/* Fills in the id. False for a name that no key may have: it is empty or too long, or has
 * something else in it than visible ASCII, or a plus sign. */
bool note_key_make(enum note_algorithm algorithm, struct slice name,
                   const uint8_t key[NOTE_PUBLIC_SIZE], struct note_key *out);
/* The text of a verifier key, `name+id+base64`, and back. Gives its length; false for
 * what is no such text. */
#define NOTE_KEY_TEXT_SIZE (NOTE_NAME_MAX + 1 + 8 + 1 + 44 + 1)
size_t note_key_text(const struct note_key *key, char text[NOTE_KEY_TEXT_SIZE]);
bool note_key_parse(struct slice text, struct note_key *key);

/* A note cut into its text and its signature lines, each with its line end. */
struct note {
    struct slice text, signatures;
};
/* False, with a reason, for what is no signed note. */
bool note_parse(struct slice bytes, struct note *note, const char **why);

/* The first signature that goes by the key's name and id: true when `verify` accepts it.
 * A cosignature's time goes to *time (seconds since 1970), unless NULL. Signatures of
 * other keys are passed over. */
typedef bool (*note_verifier)(const uint8_t key[NOTE_PUBLIC_SIZE], struct slice message,
                              const uint8_t signature[NOTE_SIGNATURE_SIZE]);
enum note_verdict { NOTE_SIGNED, NOTE_UNSIGNED, NOTE_FORGED };
enum note_verdict note_verify(const struct note *note, const struct note_key *key,
                              note_verifier verify, uint64_t *time);

/* A signature line with its line end. Gives its length. */
#define NOTE_LINE_SIZE (4 + NOTE_NAME_MAX + 1 + 104 + 1)
size_t note_signature_line(const struct note_key *key,
                           const uint8_t signature[NOTE_SIGNATURE_SIZE], uint64_t time,
                           char line[NOTE_LINE_SIZE]);

/* What a cosignature of `time` is over; `message` has room for the text and 64 bytes
 * more. */
size_t note_cosigned_message(struct slice text, uint64_t time, uint8_t *message);

/* --- Checkpoints -----------------------------------------------------------------------
 */

struct checkpoint {
    struct slice origin;
    uint64_t size;
    uint8_t root[SHA256_SIZE];
};
/* The text of a note. Extension lines are passed over, as C2SP wants it. */
bool checkpoint_parse(struct slice text, struct checkpoint *checkpoint, const char **why);
#define CHECKPOINT_SIZE (NOTE_NAME_MAX + 1 + 20 + 1 + 44 + 1)
size_t checkpoint_text(const struct checkpoint *checkpoint, char text[CHECKPOINT_SIZE]);

#endif
