#include "engine/signer.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/check.h"
#include "engine/log_access.h"
#include "os/sign.h"

#define SMALL_FILE    4096
#define SECRET_PREFIX "PRIVATE+KEY+"
#define TMP_NAME      SIGNER_LAST_NAME ".tmp"
#define POLL_US       500 /* until a write on the other thread has ended */

/* A checkpoint with its signatures. */
struct signed_note {
    uint64_t size;
    uint8_t root[SHA256_SIZE];
    size_t text_size, bytes_size;
    char bytes[CHECKPOINT_SIZE + 1 + 16 * NOTE_LINE_SIZE];
};

struct signer {
    const struct os *os;
    const struct allocator *allocator;
    struct directory *directory;
    uint8_t seed[SIGN_SEED_SIZE];
    struct note_key key;
    char key_text[NOTE_KEY_TEXT_SIZE];

    struct signed_note last; /* handed out; size 0: none yet */
    struct signed_note next; /* being written, while `writing` */
    bool writing, hurried;
    atomic_bool written; /* the other thread is done, and `outcome` is set */
    enum status outcome;
    uint64_t signed_at_us;
    const char *refusal;
};

/* --- Small files -----------------------------------------------------------------------
 */

static enum status read_small(struct signer *signer, const char *name,
                              char bytes[SMALL_FILE], size_t *size, bool *secret) {
    const struct os *os = signer->os;
    struct file *file;
    struct file_facts facts;
    enum status status = os->file_open(os, signer->directory, name, FILE_READ, &file);
    if (status) return status;
    status = os->file_describe(os, file, &facts);
    if (!status) status = os->file_read(os, file, 0, bytes, SMALL_FILE, size);
    if (!status && *size == SMALL_FILE) status = STATUS_CORRUPT;
    *secret = !status && facts.owned && facts.links == 1 && (facts.mode & 077) == 0;
    os->file_close(os, file);
    return status;
}

/* Whole and on the disk, or not there. */
static enum status write_small(const struct signer *signer, const char *name,
                               struct slice bytes) {
    const struct os *os = signer->os;
    struct file *file;
    os->remove(os, signer->directory, TMP_NAME);
    enum status status =
        os->file_open(os, signer->directory, TMP_NAME, FILE_CREATE, &file);
    if (status) return status;
    status = os->file_write(os, file, 0, bytes.data, bytes.size);
    if (!status) status = os->file_sync(os, file);
    os->file_close(os, file);
    if (!status) status = os->rename(os, signer->directory, TMP_NAME, name);
    if (!status) status = os->directory_sync(os, signer->directory);
    return status;
}

/* --- The key ---------------------------------------------------------------------------
 */

/* PRIVATE+KEY+name+id+base64(1 | seed), as Go's notes have it: the verifier key's text
 * with the seed in the place of the key. */
static bool parse_secret(struct signer *signer, struct slice line) {
    uint8_t bytes[1 + SIGN_SEED_SIZE], public[SIGN_KEY_SIZE];
    size_t prefix = sizeof SECRET_PREFIX - 1;
    size_t tail = 1 + 2 * NOTE_KEY_ID_SIZE + 1 + base64_size(sizeof bytes);
    if (line.size <= prefix + tail || memcmp(line.data, SECRET_PREFIX, prefix) != 0)
        return false;
    struct slice encoded = slice_of(line.data + line.size - base64_size(sizeof bytes),
                                    base64_size(sizeof bytes));
    if (!base64_decode_exactly(encoded, bytes, sizeof bytes) || bytes[0] != NOTE_ED25519)
        return false;
    memcpy(signer->seed, bytes + 1, SIGN_SEED_SIZE);
    sign_public_key(signer->seed, public);
    struct slice name = slice_of(line.data + prefix, line.size - prefix - tail);
    if (!note_key_make(NOTE_ED25519, name, public, &signer->key)) return false;
    size_t size = note_key_text(&signer->key, signer->key_text);
    size_t head = size - base64_size(sizeof bytes); /* name and id are in both */
    return memcmp(line.data + prefix, signer->key_text, head) == 0;
}

static size_t secret_text(const struct signer *signer, char *text) {
    uint8_t bytes[1 + SIGN_SEED_SIZE] = {NOTE_ED25519};
    memcpy(bytes + 1, signer->seed, SIGN_SEED_SIZE);
    size_t head = strlen(signer->key_text) - base64_size(sizeof bytes);
    size_t prefix = sizeof SECRET_PREFIX - 1;
    memcpy(text, SECRET_PREFIX, prefix);
    memcpy(text + prefix, signer->key_text, head);
    base64_encode(slice_of(bytes, sizeof bytes), text + prefix + head);
    text[prefix + head + base64_size(sizeof bytes)] = '\n';
    return prefix + head + base64_size(sizeof bytes) + 1;
}

static enum status write_keys(struct signer *signer) {
    char text[sizeof SECRET_PREFIX + NOTE_KEY_TEXT_SIZE + 1];
    char public[NOTE_KEY_TEXT_SIZE + 1];
    size_t size = secret_text(signer, text);
    enum status status = write_small(signer, SIGNER_KEY_NAME, slice_of(text, size));
    int length = snprintf(public, sizeof public, "%s\n", signer->key_text);
    if (!status)
        status = write_small(signer, SIGNER_PUB_NAME, slice_of(public, (size_t)length));
    return status;
}

static enum status make_key(struct signer *signer, const char *origin) {
    uint8_t public[SIGN_KEY_SIZE];
    char name[7 + 16 + 1];
    signer->os->random(signer->os, signer->seed, sizeof signer->seed);
    sign_public_key(signer->seed, public);
    uint64_t some;
    memcpy(&some, public, sizeof some);
    snprintf(name, sizeof name, "valori/%016" PRIx64, some);
    if (!note_key_make(NOTE_ED25519, slice_text(origin[0] ? origin : name), public,
                       &signer->key))
        return STATUS_INVALID;
    note_key_text(&signer->key, signer->key_text);
    return write_keys(signer);
}

static enum status load_key(struct signer *signer, const char *origin, const char **why) {
    char bytes[SMALL_FILE];
    size_t size;
    bool secret;
    enum status status = read_small(signer, SIGNER_KEY_NAME, bytes, &size, &secret);
    if (status == STATUS_NOT_FOUND) {
        *why = "cannot be made";
        return make_key(signer, origin);
    }
    *why = "cannot be read";
    if (status) return status;
    *why = "must be the server's own and readable by nobody else (mode 0600)";
    if (!secret) return STATUS_UNSAFE;
    *why = "holds no signing key";
    if (size == 0 || bytes[size - 1] != '\n' ||
        !parse_secret(signer, slice_of(bytes, size - 1)))
        return STATUS_CORRUPT;
    *why = "is the key of another origin than the option says";
    return origin[0] && strcmp(origin, signer->key.name) != 0 ? STATUS_FOREIGN
                                                              : STATUS_OK;
}

enum status signer_open(const struct os *os, const struct allocator *allocator,
                        const char *directory, const char *origin, struct signer **out,
                        char message[LOG_MESSAGE_SIZE]) {
    const char *why = "needs memory";
    *out = NULL;
    struct signer *signer = allocate(allocator, sizeof *signer);
    enum status status = signer ? STATUS_OK : STATUS_MEMORY;
    if (signer) {
        memset(signer, 0, sizeof *signer);
        signer->os = os;
        signer->allocator = allocator;
        status = os->directory_open(os, directory, &signer->directory);
        why = "cannot be looked for";
    }
    if (!status) status = load_key(signer, origin, &why);
    if (status) {
        snprintf(message, LOG_MESSAGE_SIZE, "FATAL signing: %s in %s %s%s%s",
                 SIGNER_KEY_NAME, directory, why, status == STATUS_IO ? ": " : "",
                 status == STATUS_IO ? os->error_text(os) : "");
        signer_close(signer);
        return status;
    }
    *out = signer;
    return STATUS_OK;
}

void signer_close(struct signer *signer) {
    if (!signer) return;
    if (signer->writing) signer->os->task_wait(signer->os, UINT64_MAX);
    if (signer->directory) signer->os->directory_close(signer->os, signer->directory);
    const struct allocator *allocator = signer->allocator;
    sign_forget(signer->seed, sizeof signer->seed);
    release(allocator, signer, sizeof *signer);
}

/* --- What was signed before ------------------------------------------------------------
 */

static bool parse_last(struct signer *signer, struct slice bytes) {
    struct signed_note *last = &signer->last;
    struct note note;
    struct checkpoint checkpoint;
    const char *why;
    if (bytes.size > sizeof last->bytes || !note_parse(bytes, &note, &why) ||
        !checkpoint_parse(note.text, &checkpoint, &why) ||
        note_verify(&note, &signer->key, sign_verify, NULL) != NOTE_SIGNED)
        return false;
    last->size = checkpoint.size;
    memcpy(last->root, checkpoint.root, SHA256_SIZE);
    last->text_size = note.text.size;
    last->bytes_size = bytes.size;
    memcpy(last->bytes, bytes.data, bytes.size);
    return true;
}

static const char *compare(struct signer *signer, struct engine *engine) {
    char bytes[SMALL_FILE];
    uint8_t root[SHA256_SIZE];
    size_t size;
    bool secret;
    enum status status = read_small(signer, SIGNER_LAST_NAME, bytes, &size, &secret);
    if (status == STATUS_NOT_FOUND) return NULL;
    if (status || !parse_last(signer, slice_of(bytes, size)))
        return "valori.signed, the last checkpoint, cannot be read or is not of this key";
    if (signer->last.size > engine_durable(engine))
        return "the log is shorter than the last checkpoint signed";
    if (log_tree_root(engine_log(engine), signer->last.size, root))
        return "the log cannot be held against the last checkpoint signed";
    if (memcmp(root, signer->last.root, SHA256_SIZE) != 0)
        return "the log has another history than the last checkpoint signed";
    return NULL;
}

void signer_compare(struct signer *signer, struct engine *engine) {
    signer->last.size = 0;
    signer->refusal = compare(signer, engine);
#ifdef BUG_45
    signer->refusal = NULL;
#endif
    if (signer->refusal) signer->last.size = 0;
}

const char *signer_refusal(const struct signer *signer) { return signer->refusal; }

/* --- Signing ---------------------------------------------------------------------------
 */

static void make_next(struct signer *signer, uint64_t size,
                      const uint8_t root[SHA256_SIZE]) {
    struct signed_note *next = &signer->next;
    struct checkpoint checkpoint = {
        .origin = slice_of(signer->key.name, signer->key.name_size), .size = size};
    uint8_t signature[SIGN_SIZE];
    memcpy(checkpoint.root, root, SHA256_SIZE);
    memcpy(next->root, root, SHA256_SIZE);
    next->size = size;
    next->text_size = checkpoint_text(&checkpoint, next->bytes);
    sign_message(signer->seed, slice_of(next->bytes, next->text_size), signature);
    next->bytes[next->text_size] = '\n';
    next->bytes_size = next->text_size + 1;
    next->bytes_size +=
        note_signature_line(&signer->key, signature, 0, next->bytes + next->bytes_size);
}

static void write_next(void *context) {
    struct signer *signer = context;
    signer->outcome = write_small(signer, SIGNER_LAST_NAME,
                                  slice_of(signer->next.bytes, signer->next.bytes_size));
    atomic_store(&signer->written, true);
}

static void begin_write(struct signer *signer) {
    const struct os *os = signer->os;
    signer->writing = true;
    signer->hurried = false;
    atomic_store(&signer->written, false);
    if (!os->task_start || os->task_start(os, write_next, signer)) write_next(signer);
}

/* True: the checkpoint is out. */
static bool end_write(struct signer *signer) {
    if (!atomic_load(&signer->written)) return false;
    if (signer->os->task_wait) signer->os->task_wait(signer->os, 0);
    signer->writing = false;
    if (signer->outcome) return false; /* tried again after the interval */
    signer->last = signer->next;
    return true;
}

void signer_hurry(struct signer *signer) { signer->hurried = true; }

bool signer_turn(struct signer *signer, struct engine *engine, uint64_t interval_us,
                 uint64_t *next_us) {
    uint64_t now = signer->os->monotonic_us(signer->os), size, due = UINT64_MAX;
    uint8_t root[SHA256_SIZE];
    bool out = signer->writing && end_write(signer);
    if (signer->writing) {
        due = now + POLL_US;
    } else if (!signer->refusal && engine_sealed_size(engine) > signer->last.size &&
               engine_sealed_size(engine) <= engine_durable(engine)) {
        due = signer->signed_at_us + interval_us;
        if ((now >= due || signer->hurried) && !engine_sealed_log(engine, &size, root)) {
            make_next(signer, size, root);
            signer->signed_at_us = now;
            begin_write(signer);
            due = now + POLL_US;
        }
    }
    if (due < *next_us) *next_us = due;
    return out;
}

/* --- Reading ---------------------------------------------------------------------------
 */

struct slice signer_note(const struct signer *signer, uint64_t *size) {
    *size = signer->last.size;
    return slice_of(signer->last.bytes, signer->last.size ? signer->last.bytes_size : 0);
}
const char *signer_key_text(const struct signer *signer) { return signer->key_text; }

enum status signer_cosign(struct signer *signer, const struct note_key *witnesses,
                          size_t count, struct slice line) {
    struct signed_note *last = &signer->last;
    struct note note = {slice_of(last->bytes, last->text_size), line};
    struct note whole;
    const char *why;
    char alone[CHECKPOINT_SIZE + 1 + NOTE_LINE_SIZE];
    if (last->size == 0) return STATUS_NOT_FOUND;
    if (line.size > NOTE_LINE_SIZE) return STATUS_INVALID;
    memcpy(alone, last->bytes, last->text_size + 1);
    memcpy(alone + last->text_size + 1, line.data, line.size);
    if (!note_parse(slice_of(alone, last->text_size + 1 + line.size), &whole, &why))
        return STATUS_INVALID;
    struct note held = {note.text, slice_of(last->bytes + last->text_size + 1,
                                            last->bytes_size - last->text_size - 1)};
    for (size_t i = 0; i < count; i++) {
        enum note_verdict verdict = note_verify(&note, &witnesses[i], sign_verify, NULL);
        if (verdict == NOTE_UNSIGNED) continue;
        if (verdict == NOTE_FORGED) return STATUS_INVALID;
        if (note_verify(&held, &witnesses[i], sign_verify, NULL) == NOTE_SIGNED)
            return STATUS_EXISTS;
        if (last->bytes_size + line.size > sizeof last->bytes) return STATUS_TOO_LARGE;
        memcpy(last->bytes + last->bytes_size, line.data, line.size);
        last->bytes_size += line.size;
        return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}
