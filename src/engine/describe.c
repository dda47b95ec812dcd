#include "engine/describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/engine_internal.h"

/* --- Words ----------------------------------------------------------------------------
 */

/* Texts grow in here; the first failure stays. */
struct writer {
    struct buffer *text;
    enum status status;
};

static void add_bytes(struct writer *writer, const void *bytes, size_t size) {
    if (!writer->status) writer->status = buffer_append(writer->text, bytes, size);
}

static void add(struct writer *writer, const char *text) {
    add_bytes(writer, text, strlen(text));
}

static void add_format(struct writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_format(struct writer *writer, const char *format, ...) {
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    check(size >= 0 && (size_t)size < sizeof text);
    add_bytes(writer, text, (size_t)size);
}

static bool is_plain(uint8_t c) { return c > ' ' && c < 127 && c != '"' && c != '\\'; }

static void add_escaped(struct writer *writer, uint8_t c) {
    static const char letters[][2] = {{'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}, {'\a', 'a'},
                                      {'\b', 'b'}, {'"', '"'},  {'\\', '\\'}};
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if ((uint8_t)letters[i][0] == c) {
            add_bytes(writer, "\\", 1);
            add_bytes(writer, &letters[i][1], 1);
            return;
        }
    if (c >= ' ' && c < 127) add_bytes(writer, &c, 1);
    else add_format(writer, "\\x%02x", c);
}

static void add_quoted(struct writer *writer, struct slice word) {
    bool plain = word.size > 0 && word.data[0] != '\'';
    for (size_t i = 0; i < word.size && plain; i++) plain = is_plain(word.data[i]);
    if (plain) {
        add_bytes(writer, word.data, word.size);
        return;
    }
    add(writer, "\"");
    for (size_t i = 0; i < word.size; i++) add_escaped(writer, word.data[i]);
    add(writer, "\"");
}

/* The same behind a blank. */
static void add_word(struct writer *writer, struct slice word) {
    add(writer, " ");
    add_quoted(writer, word);
}

enum status describe_word(struct slice word, struct buffer *text) {
    struct writer writer = {.text = text};
    add_quoted(&writer, word);
    return writer.status;
}

static void add_hex(struct writer *writer, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) add_format(writer, "%02x", bytes[i]);
}

/* --- Numbers --------------------------------------------------------------------------
 */

/* value * 2^-places, exactly: in decimal, or where that would be long, as C writes a
 * hexadecimal floating constant. VADD reads both. */
static void add_number(struct writer *writer, int32_t value, int places) {
    uint64_t size = value < 0 ? (uint64_t) - (int64_t)value : (uint64_t)value;
    add(writer, value < 0 ? " -" : " ");
    if (places < 0 || places > 60) {
        if (size == 0) add(writer, "0");
        else add_format(writer, "0x%" PRIx64 "p%d", size, -places);
        return;
    }
    uint64_t rest = size & ((UINT64_C(1) << places) - 1);
    add_format(writer, "%" PRIu64, size >> places);
    if (rest > 0) add(writer, ".");
    while (rest > 0) {
        rest *= 10; /* below 2^64, since rest is below 2^60 */
        add_format(writer, "%d", (int)(rest >> places));
        rest &= (UINT64_C(1) << places) - 1;
    }
}

static void add_vector(struct writer *writer, struct slice bytes) {
    struct vector_facts facts;
    if (vector_decode(bytes, &facts)) {
        writer->status = STATUS_CORRUPT;
        return;
    }
    int places = 16 - (facts.scaled ? facts.exponent : 0);
    add_format(writer, " VALUES %" PRIu32, facts.dim);
    for (uint32_t i = 0; i < facts.dim; i++)
        add_number(writer, (int32_t)load_le32(facts.values + (size_t)i * 4), places);
}

/* --- Changes --------------------------------------------------------------------------
 */

static void add_condition(struct writer *writer, const struct change *change) {
    if (change->flags & CHANGE_NX) add(writer, " NX");
    if (change->flags & CHANGE_XX) add(writer, " XX");
}

static void add_create(struct writer *writer, const struct change *change) {
    static const char *const metrics[] = {"", "COSINE", "L2", "IP"};
    const struct config *config = &change->config;
    add(writer, "VCREATE");
    add_word(writer, change->key);
    add_format(writer, " DIM %" PRIu32 " METRIC %s INDEX %s", config->dim,
               metrics[config->metric], config->index == INDEX_HNSW ? "HNSW" : "FLAT");
    add_format(writer, " M %" PRIu32 " EF %" PRIu32, config->m, config->ef);
    if (config->capacity > 0) add_format(writer, " CAPACITY %" PRIu64, config->capacity);
}

static void add_vadd_options(struct writer *writer, const struct config *config) {
    static const char *const quantisations[] = {"NOQUANT", "Q8", "BIN"};
    add_format(writer, " %s", quantisations[config->quantisation]);
    add_format(writer, " EF %" PRIu32 " M %" PRIu32, config->ef, config->m);
}

static void add_vadd(struct writer *writer, const struct change *change) {
    add(writer, "VADD");
    add_word(writer, change->key);
    if (change->flags & CHANGE_FP32) {
        add(writer, " FP32"); /* what the integers do not give back */
        add_word(writer, change->fp32);
    } else {
        add_vector(writer, change->vector);
    }
    add_word(writer, change->element);
    if (change->flags & CHANGE_CONFIG) add_vadd_options(writer, &change->config);
    if (change->flags & CHANGE_ATTRIBUTES) {
        add(writer, " SETATTR");
        add_word(writer, change->attributes);
    }
    if (change->flags & CHANGE_TAG) add_format(writer, " TAG %" PRIu64, change->tag);
    add_condition(writer, change);
}

static void add_flush(struct writer *writer, const struct change *change) {
    add(writer, change->db == FLUSH_ALL ? "FLUSHALL" : "FLUSHDB");
}

static void add_rename(struct writer *writer, const struct change *change) {
    add(writer, change->flags & CHANGE_NX ? "RENAMENX" : "RENAME");
    add_word(writer, change->key);
    add_word(writer, change->target);
}

static void add_node(struct writer *writer, const struct change *change) {
    add(writer, "GRAPH.NODE");
    add_word(writer, change->key);
    add_word(writer, change->element);
    if (change->flags & CHANGE_KIND) {
        add(writer, " KIND");
        add_word(writer, change->word);
    }
    if (change->flags & CHANGE_ATTRIBUTES) {
        add(writer, " PROPS");
        add_word(writer, change->attributes);
    }
    if (change->flags & CHANGE_LINK) {
        add(writer, " ELEMENT");
        add_word(writer, change->link_key);
        add_word(writer, change->link_element);
    }
    if (change->flags & CHANGE_UNLINK) add(writer, " NOELEMENT");
    add_condition(writer, change);
}

static void add_edge(struct writer *writer, const struct change *change) {
    add(writer, change->type == CHANGE_EDGE ? "GRAPH.EDGE" : "GRAPH.DEL");
    add_word(writer, change->key);
    add_word(writer, change->element);
    add_word(writer, change->word);
    add_word(writer, change->target);
    if (change->type == CHANGE_EDGEDEL) return;
    if (change->flags & CHANGE_WEIGHT) {
        add(writer, " WEIGHT");
        add_number(writer, change->weight, 16);
    }
    if (change->flags & CHANGE_ATTRIBUTES) {
        add(writer, " PROPS");
        add_word(writer, change->attributes);
    }
    add_condition(writer, change);
}

static void add_graph_create(struct writer *writer, const struct change *change) {
    add(writer, "GRAPH.CREATE");
    add_word(writer, change->key);
    if (change->graph.nodes > 0)
        add_format(writer, " CAPACITY %" PRIu64, change->graph.nodes);
    if (change->graph.edges > 0)
        add_format(writer, " EDGES %" PRIu64, change->graph.edges);
}

static void add_system(struct writer *writer, const struct change *change) {
    bool removed = !(change->flags & CHANGE_ATTRIBUTES);
    if (change->db == SYSTEM_USER) add(writer, removed ? "ACL DELUSER" : "ACL SETUSER");
    else add_format(writer, "SYSTEM %" PRIu32, change->db);
    add_word(writer, change->key);
    if (!removed) add_word(writer, change->attributes);
}

/* Deadlines are milliseconds since 1970. */
static void add_expire(struct writer *writer, const struct change *change) {
    static const char *const conditions[EXPIRE_CONDITIONS] = {"",    " NX", " XX",
                                                              " GT", " LT", " XX LT"};
    add(writer, change->tag > 0 ? "PEXPIREAT" : "PERSIST");
    add_word(writer, change->key);
    if (change->tag == 0) return;
    add_format(writer, " %" PRIu64, change->tag);
    uint64_t condition = (uint64_t)change->delta;
    if (condition < EXPIRE_CONDITIONS) add(writer, conditions[condition]);
}

static void add_string_deadline(struct writer *writer, const struct change *change) {
    bool string = change->type == CHANGE_SET || change->type == CHANGE_REPLACE;
    if (!string || !(change->flags & CHANGE_TAG)) return;
    if (change->tag == UINT64_MAX) add(writer, " KEEPTTL");
    else if (change->tag > 0) add_format(writer, " PXAT %" PRIu64, change->tag);
}

/* A name and the parts behind it, in the order key, element, attributes. */
static void add_simple(struct writer *writer, const struct change *change) {
    static const struct {
        uint8_t type;
        const char *name;
        bool element, attributes;
    } rows[] = {
        {CHANGE_VREM, "VREM", true, false},    {CHANGE_SETATTR, "VSETATTR", true, true},
        {CHANGE_SETTAG, "VTAG", true, false},  {CHANGE_DEL, "DEL", false, false},
        {CHANGE_SET, "SET", false, true},      {CHANGE_REPLACE, "SET", false, true},
        {CHANGE_INCR, "INCRBY", false, false}, {CHANGE_NODEDEL, "GRAPH.DEL", true, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].type != change->type) continue;
        add(writer, rows[i].name);
        add_word(writer, change->key);
        if (rows[i].element) add_word(writer, change->element);
        if (rows[i].attributes) add_word(writer, change->attributes);
        if (change->type == CHANGE_SETTAG) add_format(writer, " %" PRIu64, change->tag);
        if (change->type == CHANGE_INCR) add_format(writer, " %" PRId64, change->delta);
        add_condition(writer, change);
        add_string_deadline(writer, change);
        return;
    }
    add_format(writer, "ENTRY %u", change->type); /* a command of it is still to come */
}

static void add_change(struct writer *writer, const struct change *change) {
    bool has_db = change->type != CHANGE_GROUP && change->type != CHANGE_SYSTEM &&
                  !(change->type == CHANGE_FLUSH && change->db == FLUSH_ALL);
    if (has_db && change->db > 0) add_format(writer, "[%" PRIu32 "] ", change->db);
    switch (change->type) {
    case CHANGE_CREATE:
        add_create(writer, change);
        break;
    case CHANGE_VADD:
        add_vadd(writer, change);
        break;
    case CHANGE_FLUSH:
        add_flush(writer, change);
        break;
    case CHANGE_GROUP:
        add_format(writer, "VMADD of the next %" PRIu32, change->group_count);
        break;
    case CHANGE_RENAME:
        add_rename(writer, change);
        break;
    case CHANGE_EXPIRE:
        add_expire(writer, change);
        break;
    case CHANGE_GCREATE:
        add_graph_create(writer, change);
        break;
    case CHANGE_NODE:
        add_node(writer, change);
        break;
    case CHANGE_EDGE:
    case CHANGE_EDGEDEL:
        add_edge(writer, change);
        break;
    case CHANGE_SYSTEM:
        add_system(writer, change);
        break;
    default:
        add_simple(writer, change);
    }
}

/* --- Entries --------------------------------------------------------------------------
 */

enum status describe_begin(struct description *description, const struct frame *frame) {
    memset(description, 0, sizeof *description);
    struct entry *entry = &description->entry;
    enum status status = entry_decode(frame->entry, entry);
    if (status) return status;
    description->payload = frame->payload;
    description->count = 1;
    if (entry->type != CHANGE_BATCH) return STATUS_OK;
    status =
        batch_open(&description->reader, entry->body, frame->list, frame->payload, false);
    description->count = description->reader.count;
    return status;
}

static enum status describe_seal(const struct entry *entry, struct writer *writer) {
    if (entry->body.size != SEAL_SIZE) return STATUS_CORRUPT;
    add(writer, "SEAL ");
    add_hex(writer, entry->body.data + 8, SHA256_SIZE);
    return writer->status;
}

static enum status next_change(struct description *description, struct change *change) {
    const struct entry *entry = &description->entry;
    if (entry->type == CHANGE_BATCH) return batch_next(&description->reader, change);
    return change_decode(entry->type, entry->body, &description->payload, NULL, false,
                         change);
}

enum status describe_next(struct description *description, struct buffer *text) {
    const struct entry *entry = &description->entry;
    struct writer writer = {.text = text};
    if (description->next == description->count) return STATUS_END;
    description->next++;
    if (entry->type == CHANGE_SEAL) return describe_seal(entry, &writer);
    if (entry->type != CHANGE_BATCH && !change_stands_alone(entry->type)) {
        add_format(&writer, "ENTRY %u", entry->type); /* of a later release: no state */
        add_word(&writer, entry->body);
        return writer.status;
    }
    struct change change;
    enum status status = next_change(description, &change);
    if (status) return status == STATUS_END ? STATUS_CORRUPT : status;
    add_change(&writer, &change);
    return writer.status;
}
