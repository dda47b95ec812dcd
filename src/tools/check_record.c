/* valori-check record: a proof about a key or a record, from its value up to the log's
 * root, and to the checkpoint that stands below it. */
#include <inttypes.h>
#include <stdio.h>

#include "kernel/proof.h"
#include "tools/check.h"

struct verified {
    struct buffer text, room, receipt_room;
    struct proof proof;
    struct proof_result result;
    struct noted noted;
    const char *why;
    uint32_t line;
    size_t offset;
};

static bool present(const struct proof *proof) {
    return proof->object_end == PROOF_FOUND &&
           (proof->question == PROOF_OF_KEY || proof->record_end == PROOF_FOUND);
}

/* --- Checking ---------------------------------------------------------------------- */

/* The SEAL is an entry that a receipt shows to be in a signed log. */
static int check_with_receipt(const struct check_options *options,
                              struct verified *verified) {
    struct buffer text;
    uint8_t *room;
    int code = input_read(options->receipt, &text);
    if (code) return code;
    code = CHECK_FAULT;
    if (!buffer_reserve(&verified->receipt_room, 2 * buffer_size(&text), &room)) {
        /* The note's slices lie in the text: keep a copy behind the room. */
        uint8_t *copy = room + buffer_size(&text);
        memcpy(copy, buffer_slice(&text).data, buffer_size(&text));
        struct received_entry received;
        code =
            receipt_check(slice_of(copy, buffer_size(&text)), options, room, &received);
        verified->why = received.why;
        verified->noted = received.noted;
        if (!code && !slice_equal(received.entry, verified->proof.seal)) {
            verified->why = "the receipt is of another entry than the proof's SEAL";
            code = CHECK_WRONG;
        }
    }
    buffer_free(&text);
    return code;
}

/* The checkpoint is about this very log. */
static int check_checkpoint(const struct check_options *options, struct verified *proof) {
    if (options->receipt) return check_with_receipt(options, proof);
    if (proof->proof.note.size == 0) {
        if (!options->key && options->witness_count == 0) return CHECK_RIGHT;
        proof->why = "there is no checkpoint in the proof for the key to have signed";
        return CHECK_FOREIGN;
    }
    int code = note_check(proof->proof.note, options, &proof->noted);
    proof->why = proof->noted.why;
    if (code) return code;
    const struct checkpoint *checkpoint = &proof->noted.checkpoint;
    if (checkpoint->size == proof->result.log_size &&
        memcmp(checkpoint->root, proof->result.log_root, SHA256_SIZE) == 0)
        return CHECK_RIGHT;
    proof->why = "the checkpoint is of another log, or another size, than the proof";
    return CHECK_WRONG;
}

/* The question is the one that the caller has in mind. */
static int check_question(const struct check_options *options,
                          struct verified *verified) {
    const struct proof *proof = &verified->proof;
    if (options->record_key &&
        !slice_equal(proof->key, slice_text(options->record_key))) {
        verified->why = "the proof is about another key";
        return CHECK_FOREIGN;
    }
    if (options->element &&
        (proof->question == PROOF_OF_KEY ||
         !slice_equal(proof->element, slice_text(options->element)))) {
        verified->why = "the proof is about another element";
        return CHECK_FOREIGN;
    }
    return CHECK_RIGHT;
}

static int verify(const struct check_options *options, struct verified *verified) {
    struct slice text = buffer_slice(&verified->text);
    struct proof_fault fault = {0};
    enum status status = proof_read(text, &verified->room, &verified->proof, &fault);
    if (status) {
        verified->why = status == STATUS_INVALID ? fault.reason : status_name(status);
        verified->line = fault.line;
        verified->offset = fault.offset;
        return status == STATUS_INVALID ? CHECK_WRONG : CHECK_FAULT;
    }
    verified->why = proof_check(&verified->proof, &verified->result);
    if (verified->why) return CHECK_WRONG;
    int code = check_question(options, verified);
    return code ? code : check_checkpoint(options, verified);
}

/* --- Printing ---------------------------------------------------------------------- */

static void print_finding(const struct proof *proof) {
    bool key_there = proof->object_end == PROOF_FOUND;
    printf("right: ");
    if (proof->question != PROOF_OF_KEY) {
        printf("element ");
        print_name(proof->element);
        printf(present(proof) ? " is in key " : " is not in key ");
    } else {
        printf("key ");
    }
    print_name(proof->key);
    if (proof->question == PROOF_OF_KEY)
        printf(key_there ? " is there" : " does not exist");
    else if (!key_there) printf(", which does not exist");
    if (proof->question == PROOF_OF_SAMPLE) printf(", with rank %" PRIu64, proof->rank);
    printf(" (database %" PRIu32 ")\n", proof->db);
    if (key_there) printf("elements    %" PRIu64 "\n", proof->object.records.count);
}

static void print_value(const struct record_claim *record) {
    printf("written by  entry %" PRIu64 "\n", record->widx);
    if (record->flags & CHANGE_VECTOR) {
        printf("vector      C = ");
        print_hash(record->vector);
    }
    if (record->flags & CHANGE_ATTRIBUTES) {
        printf("%sattributes  C = ", record->flags & CHANGE_VECTOR ? "\n" : "");
        print_hash(record->attributes);
    }
    printf("\n");
    if (record->flags & CHANGE_TAG) printf("tag         %" PRIu64 "\n", record->tag);
}

static void print_right(const struct check_options *options,
                        const struct verified *verified) {
    const struct proof *proof = &verified->proof;
    print_finding(proof);
    if (proof->question != PROOF_OF_KEY && present(proof)) print_value(&proof->record);
    printf("state root  ");
    print_hash(verified->result.state_root);
    printf("\nlog         size %" PRIu64 ", root ", verified->result.log_size);
    print_hash(verified->result.log_root);
    printf("\n");
    if (verified->noted.checkpoint.size > 0) note_print(options, &verified->noted);
    else printf("checkpoint  none: compare size and root of the log with one\n");
}

static void print_json(const struct check_options *options,
                       const struct verified *verified, int code) {
    const struct proof *proof = &verified->proof;
    json_begin(code);
    if (code) {
        json_text("reason", verified->why);
        if (verified->line) json_number("line", verified->line);
        if (verified->line) json_number("offset", verified->offset);
    } else {
        json_number("db", proof->db);
        json_bytes("key", proof->key);
        if (proof->question != PROOF_OF_KEY) json_bytes("element", proof->element);
        json_number("present", present(proof));
        if (proof->object_end == PROOF_FOUND)
            json_number("count", proof->object.records.count);
        if (proof->question != PROOF_OF_KEY && present(proof))
            json_number("index", proof->record.widx);
        json_hash("state_root", verified->result.state_root);
        json_number("log_size", verified->result.log_size);
        json_hash("log_root", verified->result.log_root);
        if (verified->noted.checkpoint.size > 0) note_json(options, &verified->noted);
    }
    printf("}\n");
}

int check_record(const struct check_options *options) {
    struct verified *verified = allocate(os_allocator(), sizeof *verified);
    if (!verified) return CHECK_FAULT;
    memset(verified, 0, sizeof *verified);
    int code = input_read(options->path, &verified->text);
    if (!code) {
        buffer_init(&verified->room, os_allocator(), SIZE_MAX);
        buffer_init(&verified->receipt_room, os_allocator(), SIZE_MAX);
        code = verify(options, verified);
        if (options->json) print_json(options, verified, code);
        else if (code)
            print_wrong(options->path, verified->why, verified->line, verified->offset);
        else print_right(options, verified);
        buffer_free(&verified->room);
        buffer_free(&verified->receipt_room);
        buffer_free(&verified->text);
    }
    release(os_allocator(), verified, sizeof *verified);
    return code;
}
