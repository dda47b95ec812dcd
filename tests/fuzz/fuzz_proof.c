/* Fuzz target: the texts that valori-check reads, from a hostile hand.
 *
 * The first byte chooses the reader: proofs of keys and records, notes with checkpoints, or
 * verifier keys. Nothing crashes or reads past the end, and what is accepted is written back
 * as the same bytes: no fact has two texts. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/note.h"
#include "kernel/proof.h"
#include "os/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *resize(void *context, void *block, size_t old_size, size_t new_size) {
    (void)context, (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}
static const struct allocator allocator = {NULL, resize};

static void read_proof(struct slice text) {
    static struct proof proof;
    struct proof_result result;
    struct proof_fault fault;
    struct buffer room, again;
    buffer_init(&room, &allocator, 1 << 20);
    buffer_init(&again, &allocator, 1 << 20);
    if (proof_read(text, &room, &proof, &fault) == STATUS_OK) {
        check(proof_write(&proof, &again) == STATUS_OK);
        check(slice_equal(buffer_slice(&again), text));
        (void)proof_check(&proof, &result);
    } else {
        check(fault.reason != NULL && fault.offset <= text.size);
    }
    buffer_free(&room);
    buffer_free(&again);
}

static void read_note(struct slice text) {
    struct note note;
    struct checkpoint checkpoint;
    struct note_key key;
    const char *why = NULL;
    check(note_key_parse(
        slice_text("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
        &key));
    if (!note_parse(text, &note, &why)) {
        check(why != NULL);
        return;
    }
    (void)note_verify(&note, &key, sign_verify, NULL);
    if (!checkpoint_parse(note.text, &checkpoint, &why)) check(why != NULL);
}

static void read_key(struct slice text) {
    struct note_key key;
    char again[NOTE_KEY_TEXT_SIZE];
    if (!note_key_parse(text, &key)) return;
    check(slice_equal(slice_of(again, note_key_text(&key, again)), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    /* A copy of exactly these bytes: reading past them is seen. */
    uint8_t *copy = malloc(size);
    check(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    struct slice text = slice_of(copy, size - 1);
    if (data[0] % 3 == 0) read_proof(text);
    else if (data[0] % 3 == 1) read_note(text);
    else read_key(text);
    free(copy);
    return 0;
}
