/* The reader of replies: lines and counted texts, until nothing more is wanted. */
#include "tools/benchmark_reply.h"

#include "base/bytes.h"

#define LINE_MAX   65536
#define COUNT_MAX  (INT64_C(1) << 31)
#define FIRST_ROOM 64

void reply_reader_init(struct reply_reader *reader, const struct allocator *allocator) {
    *reader = (struct reply_reader){.allocator = allocator};
}

void reply_reader_free(struct reply_reader *reader) {
    release(reader->allocator, reader->items, reader->capacity * sizeof *reader->items);
    *reader = (struct reply_reader){.allocator = reader->allocator};
}

static struct reply_item *next_item(struct reply_reader *reader) {
    if (reader->count == reader->capacity) {
        size_t wanted = reader->capacity ? reader->capacity * 2 : FIRST_ROOM;
        void *items = reader->allocator->resize(reader->allocator->context, reader->items,
                                                reader->capacity * sizeof *reader->items,
                                                wanted * sizeof *reader->items);
        if (!items) return NULL;
        reader->items = items;
        reader->capacity = wanted;
    }
    return &reader->items[reader->count++];
}

/* Take a line, without its end, off the front of *bytes. */
static enum status take_line(struct slice *bytes, struct slice *line) {
    size_t looked = bytes->size < LINE_MAX ? bytes->size : LINE_MAX;
    const uint8_t *end = looked > 0 ? memchr(bytes->data, '\r', looked) : NULL;
    if (!end) return looked == LINE_MAX ? STATUS_INVALID : STATUS_AGAIN;
    *line = slice_of(bytes->data, (size_t)(end - bytes->data));
    if (line->size + 2 > bytes->size) return STATUS_AGAIN;
    if (end[1] != '\n') return STATUS_INVALID;
    *bytes = slice_of(end + 2, bytes->size - line->size - 2);
    return STATUS_OK;
}

static bool line_number(struct slice line, int64_t *number) {
    size_t at = line.size > 0 && (line.data[0] == '-' || line.data[0] == '+');
    bool negative = at > 0 && line.data[0] == '-';
    int64_t value = 0;
    if (at == line.size) return false;
    for (; at < line.size; at++) {
        int digit = line.data[at] - '0';
        if (digit < 0 || digit > 9) return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *number = value;
    return true;
}

/* The text that a length announced. */
static enum status take_text(struct slice *bytes, int64_t size, struct reply_item *item) {
    if (size == -1) {
        item->type = '_';
        return STATUS_OK;
    }
    if (size < 0 || size > COUNT_MAX) return STATUS_INVALID;
    if (bytes->size < (size_t)size + 2) return STATUS_AGAIN;
    if (memcmp(bytes->data + size, "\r\n", 2) != 0) return STATUS_INVALID;
    item->text = slice_of(bytes->data, (size_t)size);
    *bytes = slice_of(bytes->data + size + 2, bytes->size - (size_t)size - 2);
    if (item->type == '!') item->type = '-';
    return STATUS_OK;
}

/* One item; *inside becomes how many follow within it. */
static enum status take_item(struct slice *bytes, struct reply_item *item,
                             uint64_t *inside) {
    struct slice line;
    *inside = 0;
    if (bytes->size == 0) return STATUS_AGAIN;
    char type = (char)bytes->data[0];
    if (type == '\0' || !strchr("+-,(_#:$=!*~>%", type)) return STATUS_INVALID;
    *bytes = slice_of(bytes->data + 1, bytes->size - 1);
    enum status status = take_line(bytes, &line);
    if (status) return status;
    *item = (struct reply_item){.type = type, .text = line};
    if (strchr("+-,(", type)) return STATUS_OK;
    item->text = slice_of(NULL, 0);
    if (type == '_') return line.size == 0 ? STATUS_OK : STATUS_INVALID;
    if (type == '#' && line.size == 1) {
        item->number = line.data[0] == 't';
        return line.data[0] == 't' || line.data[0] == 'f' ? STATUS_OK : STATUS_INVALID;
    }
    if (type == '#' || !line_number(line, &item->number)) return STATUS_INVALID;
    if (type == ':') return STATUS_OK;
    if (strchr("$=!", type)) return take_text(bytes, item->number, item);
    if (item->number == -1) {
        item->type = '_';
        return STATUS_OK;
    }
    if (item->number < 0 || item->number > COUNT_MAX) return STATUS_INVALID;
    if (type == '%') item->number *= 2;
    *inside = (uint64_t)item->number;
    return STATUS_OK;
}

enum status reply_read(struct reply_reader *reader, struct slice bytes,
                       struct reply *reply, size_t *size) {
    const size_t whole = bytes.size;
    uint64_t wanted = 1;
    reader->count = 0;
    while (wanted > 0) {
        struct reply_item *item = next_item(reader);
        if (!item) return STATUS_MEMORY;
        uint64_t inside;
        enum status status = take_item(&bytes, item, &inside);
        if (status) return status;
        wanted += inside - 1;
    }
    *reply = (struct reply){reader->items, reader->count};
    *size = whole - bytes.size;
    return STATUS_OK;
}

bool reply_is_text(const struct reply *reply, const char *text) {
    const struct reply_item *item = &reply->items[0];
    return (item->type == '+' || item->type == '$') &&
           slice_equal(item->text, slice_text(text));
}

bool reply_number(const struct reply *reply, int64_t *number) {
    const struct reply_item *item = &reply->items[0];
    if (item->type != ':' && item->type != '#') return false;
    *number = item->number;
    return true;
}

void reply_hash(const struct reply *reply, uint8_t digest[SHA256_SIZE]) {
    struct sha256 hash;
    sha256_begin(&hash);
    for (size_t i = 0; i < reply->count; i++) {
        const struct reply_item *item = &reply->items[i];
        uint8_t head[17] = {(uint8_t)item->type};
        store_le64(head + 1, (uint64_t)item->number);
        store_le64(head + 9, item->text.size);
        sha256_add(&hash, head, sizeof head);
        if (item->text.size > 0) sha256_add(&hash, item->text.data, item->text.size);
    }
    sha256_end(&hash, digest);
}
