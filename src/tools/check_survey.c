/* A walk over a damaged directory that stops at nothing.
 *
 * Recovery asks "may I use this log" and stops at the first no. The survey goes on: it
 * finds the unbroken row of frames from the very beginning, which is what a repair keeps,
 * and counts what lies behind it, which is what a repair loses. The log root is carried
 * along, so that the row also ends where a sound segment of another history begins. */
#include <string.h>

#include "base/sort.h"
#include "storage/frame.h"
#include "storage/head.h"
#include "storage/reader.h"
#include "storage/segment.h"
#include "tools/check.h"

struct walk {
    struct directory *directory;
    struct survey *survey;
    struct reader reader;
    struct rfc6962_range tree;
    uint8_t log_id[LOG_ID_SIZE];
    uint64_t limit;
    bool broken; /* the row has ended */
};

/* --- Files ------------------------------------------------------------------------- */

static bool add_segment(void *context, const char *name) {
    struct survey *survey = context;
    uint64_t number;
    if (!segment_name_parse(name, &number) || number == 0) return true;
    if (survey->count == survey->capacity) {
        size_t capacity = survey->capacity ? 2 * survey->capacity : 16;
        const struct allocator *allocator = os_allocator();
        struct surveyed *segments = allocator->resize(
            allocator->context, survey->segments, survey->capacity * sizeof *segments,
            capacity * sizeof *segments);
        survey->failed = !segments;
        if (!segments) return false;
        survey->segments = segments;
        survey->capacity = capacity;
    }
    survey->segments[survey->count++] = (struct surveyed){.number = number};
    return true;
}

static int by_number(void *context, const void *left, const void *right) {
    (void)context;
    const struct surveyed *a = left, *b = right;
    return (a->number > b->number) - (a->number < b->number);
}

static void note_acknowledged(struct survey *survey, uint64_t entries) {
    if (entries > survey->acknowledged) survey->acknowledged = entries;
}

static enum status survey_head(struct walk *walk) {
    struct file_facts facts;
    enum status status = reader_open(&walk->reader, walk->directory, HEAD_NAME, &facts);
    if (status) return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    for (uint64_t at = 0;
         at + HEAD_SLOT_SIZE <= facts.size && at < HEAD_SLOTS * HEAD_SLOT_SIZE;
         at += HEAD_SLOT_SIZE) {
        const uint8_t *bytes;
        struct head_slot slot;
        status = reader_bytes(&walk->reader, at, HEAD_SLOT_SIZE, &bytes);
        if (status) break;
        if (head_slot_decode(bytes, &slot) == STATUS_OK)
            note_acknowledged(walk->survey, slot.durable);
    }
    reader_close(&walk->reader);
    return status;
}

/* --- Frames ------------------------------------------------------------------------ */

/* STATUS_END: no self-valid frame begins here. */
static enum status frame_at(struct walk *walk, const uint8_t *key, uint64_t offset,
                            struct frame_header *header, const uint8_t **bytes) {
    uint64_t left = walk->reader.size - offset, size;
    if (left < FRAME_HEADER_SIZE) return STATUS_END;
    enum status status = reader_bytes(&walk->reader, offset, FRAME_HEADER_SIZE, bytes);
    if (status) return status;
    if (!frame_magic(*bytes) || frame_header_decode(key, *bytes, header))
        return STATUS_END;
    if (!frame_size(header, &size) || size > left) return STATUS_END;
    status = reader_bytes(&walk->reader, offset, (size_t)size, bytes);
    if (status) return status;
    bool valid =
        frame_body_valid(key, header, *bytes) && frame_payload_valid(key, header, *bytes);
    return valid ? STATUS_OK : STATUS_END;
}

/* The row goes on through this segment as far as it can. */
static enum status extend_row(struct walk *walk, struct surveyed *segment,
                              const uint8_t *key) {
    segment->entries_before = walk->tree.size;
    segment->end = SEGMENT_HEADER_SIZE;
    while (segment->end < walk->reader.size) {
        struct frame_header header;
        const uint8_t *bytes;
        enum status status = frame_at(walk, key, segment->end, &header, &bytes);
        if (status != STATUS_OK && status != STATUS_END) return status;
        bool entry = status == STATUS_OK && header.kind == FRAME_ENTRY;
        walk->broken = status == STATUS_END || header.sequence != walk->tree.size ||
                       (entry && walk->tree.size == walk->limit);
        if (walk->broken) break;
        if (entry) {
            uint8_t leaf[SHA256_SIZE];
            rfc6962_leaf(frame_entry(&header, bytes), slice_of(NULL, 0), leaf);
            rfc6962_append(&walk->tree, leaf);
            segment->entries++;
        }
        note_acknowledged(walk->survey, header.durable);
        uint64_t size;
        frame_size(&header, &size);
        segment->end += size;
    }
    return STATUS_OK;
}

/* Count what is self-valid from `offset` on. */
static enum status count_rest(struct walk *walk, uint64_t offset, const uint8_t *key) {
    walk->survey->later_bytes += walk->reader.size - offset;
    while (offset + FRAME_HEADER_SIZE <= walk->reader.size) {
        struct frame_header header;
        const uint8_t *bytes;
        uint64_t size = FRAME_ALIGNMENT;
        enum status status = frame_at(walk, key, offset, &header, &bytes);
        if (status != STATUS_OK && status != STATUS_END) return status;
        if (status == STATUS_OK) {
            frame_size(&header, &size);
            walk->survey->later_frames += header.kind == FRAME_ENTRY;
            note_acknowledged(walk->survey, header.durable);
        }
        offset += size;
    }
    return STATUS_OK;
}

/* Does this header continue the row? */
static bool fits(const struct walk *walk, const struct surveyed *segment, size_t index,
                 const struct segment_header *header) {
    uint8_t root[SHA256_SIZE];
    rfc6962_root(&walk->tree, root);
    return segment->number == index + 1 && header->number == segment->number &&
           header->base == walk->tree.size &&
           memcmp(header->root, root, SHA256_SIZE) == 0 &&
           (index == 0 || memcmp(header->log_id, walk->log_id, LOG_ID_SIZE) == 0);
}

static enum status survey_segment(struct walk *walk, size_t index) {
    struct surveyed *segment = &walk->survey->segments[index];
    const uint8_t *bytes;
    struct segment_header header;
    segment->size = walk->reader.size;
    if (segment->size < SEGMENT_HEADER_SIZE) {
        walk->broken = true;
        return STATUS_OK;
    }
    enum status status = reader_bytes(&walk->reader, 0, SEGMENT_HEADER_SIZE, &bytes);
    if (status) return status;
    uint8_t key[SIPHASH_KEY_SIZE];
    memcpy(key, bytes + 80, sizeof key); /* even in a header that is damaged elsewhere */
    bool whole = segment_header_decode(bytes, &header) == STATUS_OK;
    if (whole) note_acknowledged(walk->survey, header.base);
    segment->header = whole && !walk->broken && fits(walk, segment, index, &header);
    if (!segment->header) {
        walk->broken = true;
        return count_rest(walk, SEGMENT_HEADER_SIZE, key);
    }
    memcpy(walk->log_id, header.log_id, LOG_ID_SIZE);
    status = extend_row(walk, segment, key);
    walk->survey->last = index;
    walk->survey->end = segment->end;
    return status ? status : count_rest(walk, segment->end, key);
}

enum status survey_take(struct directory *directory, uint64_t limit,
                        struct survey *survey) {
    const struct os *os = posix_os();
    memset(survey, 0, sizeof *survey);
    struct walk walk = {.directory = directory, .survey = survey, .limit = limit};
    reader_init(&walk.reader, os, os_allocator());
    rfc6962_begin(&walk.tree);
    enum status status = os->directory_list(os, directory, add_segment, survey);
    if (!status && survey->failed) status = STATUS_MEMORY;
    if (!status && survey->count > 1)
        sort(survey->segments, survey->count, sizeof *survey->segments, by_number, NULL);
    survey->last = survey->count;
    if (!status) status = survey_head(&walk);
    for (size_t i = 0; i < survey->count && !status; i++) {
        char name[SEGMENT_NAME_SIZE];
        struct file_facts facts;
        segment_name(survey->segments[i].number, name);
        status = reader_open(&walk.reader, directory, name, &facts);
        if (!status) status = survey_segment(&walk, i);
        reader_close(&walk.reader);
    }
    survey->entries = walk.tree.size;
    reader_free(&walk.reader);
    return status;
}

void survey_free(struct survey *survey) {
    release(os_allocator(), survey->segments,
            survey->capacity * sizeof *survey->segments);
    memset(survey, 0, sizeof *survey);
}
