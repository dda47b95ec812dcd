/* Finding and reading entries while others are appended.
 *
 * What is durable lies in the files and does not change any more, so a cursor reads it
 * there; of the newest segment only what a sync has covered. Every check is made again: a
 * bit that has turned over on the disk must not leave this machine.
 *
 * In a segment the search narrows two known frames, one at or before the wanted entry and
 * one behind it: it guesses a place by the sequences at both ends, as one does in a
 * dictionary, and looks from there on for the next frame header. Entries are of similar
 * size where there are many, so that three or four looks do; at worst the space halves.
 * What is left is walked frame by frame. */
#include "base/check.h"
#include "base/int128.h"
#include "storage/cursor.h"
#include "storage/log_internal.h"

#define CURSOR_PIECE ((size_t)32 * 1024)
#define LOOK_SIZE    ((size_t)4096)
#define WALK_SIZE    ((uint64_t)16 * 1024) /* less than this is walked, not searched */

void log_cursor_begin(struct log_cursor *cursor, struct log *log) {
    *cursor = (struct log_cursor){.log = log};
    reader_init(&cursor->reader, log->os, log->allocator);
    cursor->reader.piece = CURSOR_PIECE;
}

void log_cursor_end(struct log_cursor *cursor) {
    reader_free(&cursor->reader);
    cursor->segment = 0;
}

uint64_t log_first(const struct log *log) {
    return log->segment_count > 0 ? log->segments[0].header.base : log->tree.size;
}

/* How many entries, and how many bytes of a segment, may be read. */
static uint64_t readable_entries(const struct log_cursor *cursor) {
    return cursor->written ? cursor->log->written : cursor->log->durable;
}
static uint64_t readable_bytes(const struct log_cursor *cursor,
                               const struct segment *segment) {
    const struct log *log = cursor->log;
    bool last = segment == &log->segments[log->segment_count - 1];
    bool synced = log->phase == LOG_STARTED && last && !cursor->written;
    return synced ? log->durable_end : segment->end;
}

static const struct segment *segment_numbered(const struct log *log, uint64_t number) {
    uint64_t first = log->segments[0].number;
    if (number < first || number - first >= log->segment_count) return NULL;
    return &log->segments[number - first];
}

/* The segment that holds `sequence`, or would; NULL when it is no longer here. */
static const struct segment *segment_holding(const struct log *log, uint64_t sequence) {
    size_t low = 0, high = log->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct segment *segment = &log->segments[middle];
        if (segment->whole && segment->header.base <= sequence) low = middle + 1;
        else high = middle;
    }
    return low > 0 ? &log->segments[low - 1] : NULL;
}

/* Open the segment, or see how far the open one has grown. */
static enum status enter(struct log_cursor *cursor, const struct segment *segment) {
    if (cursor->segment != segment->number) {
        reader_close(&cursor->reader);
        cursor->segment = 0;
        char name[SEGMENT_NAME_SIZE];
        segment_name(segment->number, name);
        struct file_facts facts;
        enum status status =
            reader_open(&cursor->reader, cursor->log->directory, name, &facts);
        if (status) return status;
        cursor->segment = segment->number;
        cursor->offset = SEGMENT_HEADER_SIZE;
        cursor->sequence = segment->header.base;
        if (facts.size < segment->end) return STATUS_CORRUPT;
    }
    cursor->reader.size = readable_bytes(cursor, segment);
    return STATUS_OK;
}

/* --- Searching --------------------------------------------------------------------- */

/* A frame known in the open segment: where it begins, and the sequence it says. */
struct known_frame {
    uint64_t offset, sequence;
};

/* The first frame that begins in [from, limit). STATUS_NOT_FOUND: none does. */
static enum status look(const struct log_cursor *cursor, const struct segment *segment,
                        uint64_t from, uint64_t limit, struct known_frame *found) {
    const struct os *os = cursor->log->os;
    uint8_t bytes[LOOK_SIZE];
    while (from < limit) {
        uint64_t left = cursor->reader.size - from;
        size_t wanted = left < LOOK_SIZE ? (size_t)left : LOOK_SIZE, got;
        if (wanted < FRAME_HEADER_SIZE) return STATUS_NOT_FOUND;
        enum status status =
            os->file_read(os, cursor->reader.file, from, bytes, wanted, &got);
        if (status || got != wanted) return STATUS_IO;
        size_t at = 0;
        for (; at + FRAME_HEADER_SIZE <= got && from + at < limit;
             at += FRAME_ALIGNMENT) {
            struct frame_header header;
            if (!frame_magic(bytes + at)) continue;
            if (frame_header_decode(segment->header.key, bytes + at, &header)) continue;
            *found = (struct known_frame){from + at, header.sequence};
            return STATUS_OK;
        }
        from += at;
    }
    return STATUS_NOT_FOUND;
}

/* Bring the cursor to a frame at or before `sequence`, not far from it. `behind`: the
 * first sequence behind the segment. */
static enum status narrow(struct log_cursor *cursor, const struct segment *segment,
                          uint64_t sequence, uint64_t behind) {
    struct known_frame low = {SEGMENT_HEADER_SIZE, segment->header.base};
    struct known_frame high = {cursor->reader.size, behind};
    bool halve = false; /* every other time, so that it ends soon whatever the sizes */
    while (high.offset - low.offset > WALK_SIZE && low.sequence < sequence) {
        uint64_t span = high.offset - low.offset, guess = span / 2;
        if (!halve && high.sequence > low.sequence)
            guess = (uint64_t)((uint128)span * (sequence - low.sequence) /
                               (high.sequence - low.sequence));
        halve = !halve;
        if (guess > span - WALK_SIZE / 2) guess = span - WALK_SIZE / 2;
        guess = (low.offset + guess) & ~(uint64_t)(FRAME_ALIGNMENT - 1);
        if (guess <= low.offset) guess = low.offset + FRAME_ALIGNMENT;
        struct known_frame found;
        enum status status = look(cursor, segment, guess, high.offset, &found);
        if (status == STATUS_OK && found.sequence <= sequence) low = found;
        else if (status == STATUS_OK || status == STATUS_NOT_FOUND) high.offset = guess;
        else return status;
        if (status == STATUS_OK && found.sequence > sequence)
            high.sequence = found.sequence;
    }
    cursor->offset = low.offset;
    cursor->sequence = low.sequence;
    return STATUS_OK;
}

/* Read the frame where the cursor stands, without passing it. */
static enum status read_here(struct log_cursor *cursor, const struct segment *segment,
                             struct frame_header *header, const uint8_t **bytes) {
    enum status status =
        log_frame_at(&cursor->reader, segment->header.key, cursor->offset,
                     !cursor->entries_only, header, bytes);
    if (status == STATUS_END) return STATUS_CORRUPT;
    if (status) return status;
    return header->sequence == cursor->sequence ? STATUS_OK : STATUS_CORRUPT;
}

static void pass(struct log_cursor *cursor, const struct frame_header *header) {
    uint64_t size;
    check(frame_size(header, &size));
    cursor->offset += size;
    if (header->kind == FRAME_ENTRY) cursor->sequence++;
}

enum status log_cursor_seek(struct log_cursor *cursor, uint64_t sequence) {
    const struct log *log = cursor->log;
    uint64_t limit = readable_entries(cursor);
    if (log->segment_count == 0 || sequence > limit) return STATUS_RANGE;
    const struct segment *segment = segment_holding(log, sequence);
    if (!segment) return STATUS_RANGE;
    if (cursor->segment == segment->number && cursor->sequence == sequence)
        return STATUS_OK;
    enum status status = enter(cursor, segment);
    bool last = segment == &log->segments[log->segment_count - 1];
    uint64_t behind = last || !segment[1].whole ? limit : segment[1].header.base;
    if (!status) status = narrow(cursor, segment, sequence, behind);
    while (!status && cursor->sequence < sequence) {
        struct frame_header header;
        const uint8_t *bytes;
        status = read_here(cursor, segment, &header, &bytes);
        if (!status) pass(cursor, &header);
    }
    return status;
}

/* --- Reading on -------------------------------------------------------------------- */

enum status log_cursor_next(struct log_cursor *cursor, struct frame *frame) {
    const struct log *log = cursor->log;
    while (cursor->sequence < readable_entries(cursor)) {
        const struct segment *segment = segment_numbered(log, cursor->segment);
        if (!segment) return STATUS_NOT_FOUND;
        enum status status = enter(cursor, segment);
        if (status) return status;
        if (cursor->offset == cursor->reader.size) {
            if (segment == &log->segments[log->segment_count - 1]) return STATUS_CORRUPT;
            status = enter(cursor, segment + 1);
            if (status) return status;
            continue;
        }
        struct frame_header header;
        const uint8_t *bytes;
        status = read_here(cursor, segment, &header, &bytes);
        if (status) return status;
        uint64_t offset = cursor->offset;
        pass(cursor, &header);
        if (header.kind != FRAME_ENTRY) continue;
        log_describe_frame(segment->number, offset, &header, bytes, frame);
        return STATUS_OK;
    }
    return STATUS_END;
}
