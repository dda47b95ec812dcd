/* valori-check receipt: that an entry is in a signed log (c2sp.org/tlog-proof, with the
 * entry's bytes as its extra data); and valori-check consistency: that one checkpoint's
 * log is the beginning of another's. */
#include <inttypes.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/text_lines.h"
#include "kernel/entry.h"
#include "tools/check.h"

#define HASHES_MAX 64

/* --- Receipts ---------------------------------------------------------------------- */

struct receipt {
    struct slice entry; /* in the room */
    uint64_t index;
    size_t count;
    uint8_t hashes[HASHES_MAX][SHA256_SIZE];
    struct slice note;
};

static bool read_hash_line(struct text_lines *lines, struct slice line,
                           struct receipt *receipt) {
    if (receipt->count == HASHES_MAX) return text_fault(lines, "too many hashes");
    return base64_decode_exactly(line, receipt->hashes[receipt->count++], SHA256_SIZE) ||
           text_fault(lines, "not a hash in base64");
}

static bool parse_receipt(struct text_lines *lines, uint8_t *room,
                          struct receipt *receipt) {
    struct slice line;
    size_t size;
    *receipt = (struct receipt){0};
    if (!text_line_of(lines, slice_text("c2sp.org/tlog-proof@v1"))) return false;
    if (!text_line_of(lines, slice_text("extra")) || !text_bytes(lines, room, &size))
        return text_fault(lines, "the entry is missing (a line that begins with extra)");
    receipt->entry = slice_of(room, size);
    if (!text_line_of(lines, slice_text("index")) || !text_number(lines, &receipt->index))
        return false;
    while (text_whole_line(lines, &line) && line.size > 0)
        if (!read_hash_line(lines, line, receipt)) return false;
    receipt->note = lines->rest;
    return !lines->fault;
}

/* The checkpoint in it is about a log that has the entry at its place. */
static const char *check_inclusion(const struct receipt *receipt,
                                   const struct checkpoint *checkpoint) {
    struct entry entry;
    uint8_t leaf[SHA256_SIZE];
    if (entry_decode(receipt->entry, &entry)) return "what it is about is no entry";
    if (entry.sequence != receipt->index)
        return "the entry names another place in the log";
    rfc6962_leaf(receipt->entry, slice_of(NULL, 0), leaf);
    if (!rfc6962_verify_inclusion(receipt->index, checkpoint->size, leaf,
                                  receipt->hashes[0], receipt->count, checkpoint->root))
        return "the hashes do not lead from the entry to the checkpoint's root";
    return NULL;
}

int receipt_check(struct slice text, const struct check_options *options, uint8_t *room,
                  struct received_entry *received) {
    struct text_lines lines;
    struct receipt receipt;
    *received = (struct received_entry){0};
    text_lines_begin(&lines, text);
    if (!parse_receipt(&lines, room, &receipt)) {
        received->why = lines.fault;
        received->line = lines.line;
        received->offset = lines.offset;
        return CHECK_WRONG;
    }
    received->entry = receipt.entry;
    received->index = receipt.index;
    int code = note_check(receipt.note, options, &received->noted);
    received->why = received->noted.why;
    if (code) return code;
    received->why = check_inclusion(&receipt, &received->noted.checkpoint);
    return received->why ? CHECK_WRONG : CHECK_RIGHT;
}

static const char *const type_names[] = {
    "nothing", "SEAL",  "BATCH", "CREATE", "VADD", "VREM",    "SETATTR", "SETTAG",
    "DEL",     "FLUSH", "GROUP", "RENAME", "SET",  "REPLACE", "INCR"};

static void print_receipt(const struct check_options *options,
                          const struct received_entry *received) {
    struct entry entry;
    entry_decode(received->entry, &entry);
    size_t known = sizeof type_names / sizeof *type_names;
    printf("right: entry %" PRIu64 " (%s) is in the log\n", received->index,
           entry.type < known ? type_names[entry.type] : "of a newer type");
    printf("time        %" PRIu64 " microseconds since 1970, by the server's clock\n",
           entry.time_us);
    printf("principal   ");
    print_hash(entry.principal);
    printf(entry.flags & ENTRY_SIGNED ? ", signed\n" : ", by the server's word alone\n");
    note_print(options, &received->noted);
}

static void receipt_json(const struct check_options *options, int code,
                         const struct received_entry *received) {
    json_begin(code);
    if (code) {
        json_text("reason", received->why);
        if (received->line) json_number("line", received->line);
        if (received->line) json_number("offset", received->offset);
    } else {
        json_number("index", received->index);
        note_json(options, &received->noted);
    }
    printf("}\n");
}

void print_wrong(const char *path, const char *why, uint32_t line, size_t offset) {
    printf("%s: WRONG: %s", path, why);
    if (line) printf(" (line %" PRIu32 ", which begins at byte %zu)", line, offset);
    printf("\n");
}

int check_receipt(const struct check_options *options) {
    struct buffer text, room;
    uint8_t *bytes;
    int code = input_read(options->path, &text);
    if (code) return code;
    buffer_init(&room, os_allocator(), SIZE_MAX);
    code = CHECK_FAULT;
    if (!buffer_reserve(&room, buffer_size(&text), &bytes)) {
        struct received_entry received;
        code = receipt_check(buffer_slice(&text), options, bytes, &received);
        if (options->json) receipt_json(options, code, &received);
        else if (!code) print_receipt(options, &received);
        else print_wrong(options->path, received.why, received.line, received.offset);
    }
    buffer_free(&room);
    buffer_free(&text);
    return code;
}

/* --- Consistency ------------------------------------------------------------------- */

static bool hex_digit(uint8_t c, uint8_t *value) {
    if (c >= '0' && c <= '9') *value = (uint8_t)(c - '0');
    else if (c >= 'a' && c <= 'f') *value = (uint8_t)(c - 'a' + 10);
    else return false;
    return true;
}

/* 64 hex digits a line, as PROOF.CONSISTENCY gives them. */
static bool parse_hashes(struct slice text, uint8_t hashes[HASHES_MAX][SHA256_SIZE],
                         size_t *count) {
    struct text_lines lines;
    struct slice line;
    text_lines_begin(&lines, text);
    for (*count = 0; lines.rest.size > 0; (*count)++) {
        if (!text_whole_line(&lines, &line)) return false;
        if (line.size == 0 && *count == 0 && lines.rest.size == 0) return true;
        if (*count == HASHES_MAX || line.size != (size_t)2 * SHA256_SIZE) return false;
        for (size_t i = 0; i < SHA256_SIZE; i++) {
            uint8_t high, low;
            if (!hex_digit(line.data[2 * i], &high) ||
                !hex_digit(line.data[2 * i + 1], &low))
                return false;
            hashes[*count][i] = (uint8_t)(high << 4 | low);
        }
    }
    return true;
}

static int read_note(const char *path, const struct check_options *options,
                     struct buffer *bytes, struct noted *noted) {
    int code = input_read(path, bytes);
    if (code) return code;
    code = note_check(buffer_slice(bytes), options, noted);
    if (code) print_wrong(path, noted->why, 0, 0);
    return code;
}

static const char *compare(const struct checkpoint *old, const struct checkpoint *new,
                           struct slice proof) {
    uint8_t hashes[HASHES_MAX][SHA256_SIZE];
    size_t count;
    if (!slice_equal(old->origin, new->origin))
        return "the checkpoints are of two origins";
    if (old->size > new->size)
        return "the newer checkpoint is of a shorter log: a rollback";
    if (!parse_hashes(proof, hashes, &count))
        return "a line of the proof is no hash in hex";
    if (!rfc6962_verify_consistency(old->size, new->size, hashes[0], count, old->root,
                                    new->root))
        return "the newer log does not begin with the older one: two histories";
    return NULL;
}

int check_consistency(const struct check_options *options) {
    struct buffer old_bytes = {0}, new_bytes = {0}, proof = {0};
    struct noted old, new;
    if (!options->second || !options->third) {
        fprintf(stderr, "valori-check: consistency OLD-NOTE NEW-NOTE PROOF\n");
        return CHECK_USAGE;
    }
    int code = read_note(options->path, options, &old_bytes, &old);
    if (!code) code = read_note(options->second, options, &new_bytes, &new);
    if (!code) code = input_read(options->third, &proof);
    if (!code) {
        const char *why = compare(&old.checkpoint, &new.checkpoint, buffer_slice(&proof));
        code = why ? CHECK_WRONG : CHECK_RIGHT;
        if (why) print_wrong(options->third, why, 0, 0);
        else
            printf("right: the log of %" PRIu64
                   " entries is the beginning of that of %" PRIu64 "%s\n",
                   old.checkpoint.size, new.checkpoint.size,
                   options->key ? "; both are signed"
                                : "; signatures NOT checked: give --key");
    }
    if (old_bytes.data) buffer_free(&old_bytes);
    if (new_bytes.data) buffer_free(&new_bytes);
    if (proof.data) buffer_free(&proof);
    return code;
}
