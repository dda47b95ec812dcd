/* The text of a proof, docs/format.md section 10, both ways. */
#include "base/base64.h"
#include "base/text_lines.h"
#include "kernel/proof.h"

#include "kernel/pure.h"

#define FIRST_LINE "valori.proof/v1"

static struct slice question_name(uint32_t question) {
    switch (question) {
    case PROOF_OF_RECORD:
        return slice_text("record");
    case PROOF_OF_KEY:
        return slice_text("key");
    default:
        return slice_text("sample");
    }
}

/* --- Writing: a writer that has failed stays failed ------------------------------------
 */

struct writer {
    struct buffer *text;
    enum status failed;
};

static uint8_t *room(struct writer *writer, size_t size) {
    uint8_t *bytes = NULL;
    if (!writer->failed) writer->failed = buffer_reserve(writer->text, size, &bytes);
    if (writer->failed) return NULL;
    buffer_commit(writer->text, size);
    return bytes;
}

static void put_raw(struct writer *writer, struct slice text) {
    uint8_t *bytes = room(writer, text.size);
    if (bytes) memcpy(bytes, text.data, text.size);
}
#define PUT(writer, literal) put_raw(writer, slice_of("" literal, sizeof literal - 1))

static void put_number(struct writer *writer, uint64_t number) {
    char text[21], *end = text + sizeof text, *p = end;
    do *--p = (char)('0' + number % 10);
    while (number /= 10);
    *--p = ' ';
    put_raw(writer, slice_of(p, (size_t)(end - p)));
}

static void put_bytes(struct writer *writer, struct slice bytes) {
    if (bytes.size > 0) PUT(writer, " ");
    else PUT(writer, " -");
    uint8_t *text = room(writer, base64_size(bytes.size));
    if (text) base64_encode(bytes, (char *)text);
}

static void put_hash(struct writer *writer, const uint8_t hash[SHA256_SIZE]) {
    put_bytes(writer, slice_of(hash, SHA256_SIZE));
}

/* On a line of its own there is no blank before it. */
static void put_hash_line(struct writer *writer, const uint8_t hash[SHA256_SIZE]) {
    uint8_t *text = room(writer, base64_size(SHA256_SIZE) + 1);
    if (!text) return;
    base64_encode(slice_of(hash, SHA256_SIZE), (char *)text);
    text[base64_size(SHA256_SIZE)] = '\n';
}

static void put_sum(struct writer *writer, const struct trie_sum *sum) {
    put_number(writer, sum->count);
    put_hash(writer, sum->root);
}

static void put_path(struct writer *writer, struct slice name,
                     const struct trie_path *path) {
    put_raw(writer, name);
    put_number(writer, path->depth);
    PUT(writer, "\n");
    for (uint32_t i = 0; i < path->depth; i++) {
        PUT(writer, "side");
        put_sum(writer, &path->siblings[i]);
        PUT(writer, "\n");
    }
}

/* What stands in the place of something that is not there. */
static void put_absence(struct writer *writer, enum proof_end end,
                        const struct other_leaf *other) {
    if (end == PROOF_NONE) {
        PUT(writer, "none");
    } else {
        PUT(writer, "other");
        put_hash(writer, other->key);
        put_hash(writer, other->value);
    }
    PUT(writer, "\n");
}

static void put_object(struct writer *writer, const struct object_claim *object) {
    PUT(writer, "object");
    put_number(writer, object->type);
    put_bytes(writer, object->config);
    put_sum(writer, &object->records);
    put_sum(writer, &object->nodes);
    put_hash(writer, object->chain);
    put_number(writer, object->next_slot);
    PUT(writer, "\n");
}

static void put_record(struct writer *writer, const struct record_claim *record) {
    PUT(writer, "value");
    put_number(writer, record->widx);
    put_number(writer, record->flags);
    put_hash(writer, record->vector);
    put_hash(writer, record->attributes);
    if (record->flags & CHANGE_TAG) put_number(writer, record->tag);
    if (record->flags & CHANGE_FP32) put_hash(writer, record->fp32);
    PUT(writer, "\n");
}

static void put_question(struct writer *writer, const struct proof *proof) {
    PUT(writer, FIRST_LINE "\n");
    put_raw(writer, question_name(proof->question));
    put_number(writer, proof->db);
    put_bytes(writer, proof->key);
    if (proof->question == PROOF_OF_SAMPLE) put_number(writer, proof->rank);
    if (proof->question != PROOF_OF_KEY) put_bytes(writer, proof->element);
    PUT(writer, "\n");
}

static void put_seal(struct writer *writer, const struct proof *proof) {
    PUT(writer, "seal");
    put_bytes(writer, proof->seal);
    PUT(writer, "\nlog");
    put_number(writer, proof->tail_depth);
    PUT(writer, "\n");
    for (uint32_t i = 0; i < proof->tail_depth; i++)
        put_hash_line(writer, proof->tail[i]);
}

enum status proof_write(const struct proof *proof, struct buffer *text) {
    struct writer writer = {.text = text};
    put_question(&writer, proof);
    put_seal(&writer, proof);
    put_path(&writer, slice_text("keyspace"), &proof->keyspace);
    if (proof->object_end == PROOF_FOUND) put_object(&writer, &proof->object);
    else put_absence(&writer, proof->object_end, &proof->other_object);
    if (proof->object_end == PROOF_FOUND && proof->question != PROOF_OF_KEY) {
        put_path(&writer, slice_text("records"), &proof->records);
        if (proof->record_end == PROOF_FOUND) put_record(&writer, &proof->record);
        else put_absence(&writer, proof->record_end, &proof->other_record);
    }
    if (proof->note.size > 0) {
        PUT(&writer, "\n");
        put_raw(&writer, proof->note);
    }
    return writer.failed;
}

/* --- Reading ---------------------------------------------------------------------------
 */

struct reader {
    struct text_lines lines;
    uint8_t *room; /* as many bytes as the text has */
};

static bool get_bytes(struct reader *reader, size_t most, struct slice *bytes) {
    size_t size;
    if (!text_bytes(&reader->lines, reader->room, &size)) return false;
    if (size > most)
        return text_fault(&reader->lines, "longer than anything of its kind");
    *bytes = slice_of(reader->room, size);
    reader->room += size;
    return true;
}

static bool get_number(struct reader *reader, uint64_t most, uint64_t *number) {
    if (!text_number(&reader->lines, number)) return false;
    return *number <= most || text_fault(&reader->lines, "a number beyond its range");
}

static bool get_hash(struct reader *reader, uint8_t hash[SHA256_SIZE]) {
    return text_exact_bytes(&reader->lines, hash, SHA256_SIZE);
}

static bool get_sum(struct reader *reader, struct trie_sum *sum) {
    return text_number(&reader->lines, &sum->count) && get_hash(reader, sum->root);
}

static bool get_question(struct reader *reader, struct proof *proof) {
    struct text_lines *lines = &reader->lines;
    struct slice word;
    uint64_t db;
    if (!text_line_of(lines, slice_text(FIRST_LINE)) || !text_next_line(lines) ||
        !text_word(lines, &word))
        return false;
    uint32_t question = 0;
    while (question < 3 && !slice_equal(word, question_name(question))) question++;
    if (question == 3) return text_fault(lines, "no question of that name");
    proof->question = (enum proof_question)question;
    if (!get_number(reader, DATABASE_COUNT - 1, &db)) return false;
    proof->db = (uint32_t)db;
    if (!get_bytes(reader, NAME_SIZE_MAX, &proof->key)) return false;
    if (question == PROOF_OF_SAMPLE && !text_number(lines, &proof->rank)) return false;
    return question == PROOF_OF_KEY || get_bytes(reader, NAME_SIZE_MAX, &proof->element);
}

static bool get_seal(struct reader *reader, struct proof *proof) {
    uint64_t depth;
    if (!text_line_of(&reader->lines, slice_text("seal")) ||
        !get_bytes(reader, ENTRY_SIZE_MAX, &proof->seal) ||
        !text_line_of(&reader->lines, slice_text("log")) ||
        !get_number(reader, PROOF_TAIL_MAX, &depth))
        return false;
    proof->tail_depth = (uint32_t)depth;
    for (uint32_t i = 0; i < depth; i++)
        if (!text_next_line(&reader->lines) || !get_hash(reader, proof->tail[i]))
            return false;
    return true;
}

static bool get_path(struct reader *reader, struct slice name, struct trie_path *path) {
    uint64_t depth;
    if (!text_line_of(&reader->lines, name) ||
        !get_number(reader, TRIE_DEPTH_MAX, &depth))
        return false;
    path->depth = (uint32_t)depth;
    for (uint32_t i = 0; i < depth; i++)
        if (!text_line_of(&reader->lines, slice_text("side")) ||
            !get_sum(reader, &path->siblings[i]))
            return false;
    return true;
}

/* The first word of what a path ends with; an absence is read to its end. */
static bool get_end(struct reader *reader, struct slice found, enum proof_end *end,
                    struct other_leaf *other) {
    struct slice word;
    if (!text_next_line(&reader->lines) || !text_word(&reader->lines, &word))
        return false;
    *end = slice_equal(word, found)                 ? PROOF_FOUND
           : slice_equal(word, slice_text("other")) ? PROOF_OTHER
                                                    : PROOF_NONE;
    if (*end == PROOF_OTHER)
        return get_hash(reader, other->key) && get_hash(reader, other->value);
    return *end == PROOF_FOUND || slice_equal(word, slice_text("none")) ||
           text_fault(&reader->lines, "neither what was asked for nor its absence");
}

static bool get_object(struct reader *reader, struct object_claim *object) {
    uint64_t type;
    if (!get_number(reader, UINT8_MAX, &type)) return false;
    object->type = (uint8_t)type;
    return get_bytes(reader, PROOF_CONFIG_MAX, &object->config) &&
           get_sum(reader, &object->records) && get_sum(reader, &object->nodes) &&
           get_hash(reader, object->chain) &&
           text_number(&reader->lines, &object->next_slot);
}

static bool get_record(struct reader *reader, struct record_claim *record) {
    uint64_t flags;
    if (!text_number(&reader->lines, &record->widx) ||
        !get_number(reader, UINT8_MAX, &flags))
        return false;
    record->flags = (uint8_t)flags;
    if (!get_hash(reader, record->vector) || !get_hash(reader, record->attributes))
        return false;
    if (flags & CHANGE_TAG && !text_number(&reader->lines, &record->tag)) return false;
    return !(flags & CHANGE_FP32) || get_hash(reader, record->fp32);
}

static bool get_rest(struct reader *reader, struct proof *proof) {
    struct text_lines *lines = &reader->lines;
    if (!get_path(reader, slice_text("keyspace"), &proof->keyspace) ||
        !get_end(reader, slice_text("object"), &proof->object_end, &proof->other_object))
        return false;
    if (proof->object_end == PROOF_FOUND) {
        if (!get_object(reader, &proof->object)) return false;
        if (proof->question == PROOF_OF_KEY) return true;
        if (!get_path(reader, slice_text("records"), &proof->records) ||
            !get_end(reader, slice_text("value"), &proof->record_end,
                     &proof->other_record))
            return false;
        if (proof->record_end == PROOF_FOUND) return get_record(reader, &proof->record);
    }
    return !lines->fault;
}

static bool get_note(struct reader *reader, struct proof *proof) {
    struct text_lines *lines = &reader->lines;
    struct slice empty;
    if (lines->rest.size == 0) return text_at_end(lines);
    if (!text_whole_line(lines, &empty)) return false;
    if (empty.size > 0) return text_fault(lines, "an empty line and a note are due here");
    proof->note = lines->rest;
    return proof->note.size > 0 ||
           text_fault(lines, "a note is due after the empty line");
}

enum status proof_read(struct slice text, struct buffer *room_buffer, struct proof *proof,
                       struct proof_fault *fault) {
    struct reader reader;
    enum status status = buffer_reserve(room_buffer, text.size, &reader.room);
    if (status) return status;
    *proof = (struct proof){0};
    text_lines_begin(&reader.lines, text);
    if (get_question(&reader, proof) && get_seal(&reader, proof) &&
        get_rest(&reader, proof) && get_note(&reader, proof))
        return STATUS_OK;
    *fault =
        (struct proof_fault){reader.lines.fault, reader.lines.line, reader.lines.offset};
    return STATUS_INVALID;
}
