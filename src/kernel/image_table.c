#include "kernel/image_table.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/slice.h"
#include "kernel/graph_write.h"

#include "kernel/pure.h"

#define FIELD(type, member)                                                              \
    { offsetof(type, member), sizeof((type *)0)->member, 1 }
#define FIELDS(type, member)                                                             \
    {                                                                                    \
        offsetof(type, member), sizeof((type *)0)->member[0],                            \
            sizeof((type *)0)->member / sizeof((type *)0)->member[0]                     \
    }
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* --- The tables: rows and fields are added at the end, and never leave -----------------
 */

static const struct image_field state_fields[] = {
    FIELDS(struct state, keys),       FIELD(struct state, records),
    FIELD(struct state, applied),     FIELD(struct state, keyspace),
    FIELD(struct state, system),      FIELD(struct state, graph_nodes),
    FIELD(struct state, graph_edges), FIELDS(struct state, expires),
};

static const struct image_pool state_pools[] = {
    {"heap", offsetof(struct state, heap.pools), HEAP_CLASSES},
    {"nodes", offsetof(struct state, nodes), 1},
    {"objects", offsetof(struct state, objects), 1},
    {"tags", offsetof(struct state, tags.nodes), 1},
    {"system", offsetof(struct state, system_rows), 1},
    {"tags.slots", offsetof(struct state, tags.lists), 1},
};

static const struct image_field collection_fields[] = {
    FIELD(struct collection, config.metric),
    FIELD(struct collection, config.index),
    FIELD(struct collection, config.quantisation),
    FIELD(struct collection, config.origin),
    FIELD(struct collection, config.dim),
    FIELD(struct collection, config.m),
    FIELD(struct collection, config.ef),
    FIELD(struct collection, config.capacity),
    FIELD(struct collection, config.reduce_dim),
    FIELD(struct collection, records),
    FIELD(struct collection, next_slot),
    FIELD(struct collection, attributes_count),
    FIELD(struct collection, live),
    FIELD(struct collection, heap_bytes),
    FIELD(struct collection, tags),
    FIELD(struct collection, max_bits),
    FIELDS(struct collection, chain),
    FIELD(struct collection, hnsw.entry),
    FIELD(struct collection, hnsw.top),
    FIELD(struct collection, hnsw.live),
    FIELD(struct collection, hnsw.dead),
    FIELD(struct collection, hnsw.condemned),
    FIELD(struct collection, hnsw.scaled),
    FIELD(struct collection, hnsw.moved),
    FIELD(struct collection, hnsw.rounds),
    FIELD(struct collection, hnsw.phase),
    FIELD(struct collection, hnsw.cursor),
    FIELD(struct collection, hnsw.limit),
    FIELD(struct collection, hnsw.heir),
    FIELD(struct collection, hnsw.heir_level),
    FIELD(struct collection, config.schema.count),
    FIELDS(struct collection, config.schema.types),
    FIELDS(struct collection, config.schema.sizes),
    {offsetof(struct collection, config.schema.names), 1,
     sizeof((struct collection *)0)->config.schema.names},
    FIELDS(struct collection, schema.roots),
};

/* What is hashed comes first, so that the hashing can begin while the rest is read. */
static const struct image_pool collection_pools[] = {
    {"metas", offsetof(struct collection, metas), 1},
    {"facts", offsetof(struct collection, facts), 1},
    {"vectors", offsetof(struct collection, vectors), 1},
    {"hnsw.points", offsetof(struct collection, hnsw.points), 1},
    {"hnsw.codes", offsetof(struct collection, hnsw.codes), 1},
    {"hnsw.facts", offsetof(struct collection, hnsw.facts), 1},
    {"hnsw.links", offsetof(struct collection, hnsw.links), 1},
    {"hnsw.upper", offsetof(struct collection, hnsw.upper), 1},
    {"schema", offsetof(struct collection, schema.rows), 1},
};

static bool collection_used(const void *owner) {
    const struct collection *collection = owner;
    return collection->config.dim != 0;
}

/* By way of the bytes that an entry has, whose decoder knows what is sound. */
static enum status collection_read(struct kernel *kernel, void *owner) {
    struct collection *collection = owner;
    uint8_t bytes[CONFIG_SIZE_MAX];
    if (collection->config.schema.count > SCHEMA_FIELDS_MAX) return STATUS_CORRUPT;
    for (uint32_t i = 0; i < collection->config.schema.count; i++)
        if (collection->config.schema.sizes[i] > SCHEMA_NAME_MAX) return STATUS_CORRUPT;
    config_encode(&collection->config, bytes);
    enum status status = config_decode(slice_of(bytes, config_size(&collection->config)),
                                       &collection->config);
    if (status) return status;
    collection_begin(kernel, collection);
    return STATUS_OK;
}

static bool collection_has(const void *owner, const char *pool) {
    const struct collection *collection = owner;
    if (pool[0] == 's') return collection->config.schema.count > 0; /* "schema" */
    return pool[0] != 'h' || collection_indexed(collection);        /* "hnsw." */
}

static const struct image_field graph_fields[] = {
    FIELD(struct graph, config.nodes),  FIELD(struct graph, config.edges),
    FIELD(struct graph, config.origin), FIELD(struct graph, edge_count),
    FIELD(struct graph, heap_bytes),    FIELD(struct graph, names),
    FIELD(struct graph, kinds),         FIELD(struct graph, types),
    FIELD(struct graph, linked),        FIELD(struct graph, inner),
};

static const struct image_pool graph_pools[] = {
    {"graph.nodes", offsetof(struct graph, nodes), 1},
    {"graph.edges", offsetof(struct graph, edges), 1},
    {"graph.words", offsetof(struct graph, words), 1},
    {"graph.links", offsetof(struct graph, links), 1},
    {"graph.buckets", offsetof(struct graph, buckets), ADJACENCY_CLASSES},
};

static bool graph_used(const void *owner) {
    const struct graph *graph = owner;
    return graph->nodes.row_size != 0;
}

static enum status graph_read(struct kernel *kernel, void *owner) {
    struct graph *graph = owner;
    uint8_t bytes[GRAPH_CONFIG_SIZE];
    (void)kernel;
    graph_config_encode(&graph->config, bytes);
    enum status status =
        graph_config_decode(slice_of(bytes, sizeof bytes), &graph->config);
    if (!status) graph_begin(graph);
    return status;
}

const struct image_part image_parts[IMAGE_PARTS] = {
    {
        .name = "state",
        .fields = state_fields,
        .field_count = COUNT(state_fields),
        .pools = state_pools,
        .pool_count = COUNT(state_pools),
    },
    {
        .name = "collection",
        .rows = "collections",
        .offset = offsetof(struct state, collections),
        .fields = collection_fields,
        .field_count = COUNT(collection_fields),
        .pools = collection_pools,
        .pool_count = COUNT(collection_pools),
        .used = collection_used,
        .begin = collection_read,
        .has = collection_has,
    },
    {
        .name = "graph",
        .rows = "graphs",
        .offset = offsetof(struct state, graphs),
        .fields = graph_fields,
        .field_count = COUNT(graph_fields),
        .pools = graph_pools,
        .pool_count = COUNT(graph_pools),
        .used = graph_used,
        .begin = graph_read,
    },
};

/* --- Fields ----------------------------------------------------------------------------
 */

uint32_t image_fields_size(const struct image_part *part) {
    uint32_t size = 0;
    for (size_t i = 0; i < part->field_count; i++)
        size += (uint32_t)part->fields[i].width * part->fields[i].count;
    size = (size + 7) / 8 * 8;
    check(size <= IMAGE_FIELDS_MAX);
    return size;
}

/* Integers of memory to those of an image, or the other way round. */
static void turn(const struct image_field *field, uint8_t *bytes) {
    if (MEMORY_LITTLE_ENDIAN || field->width == 1) return;
    check(field->width == 4 || field->width == 8);
    layout_turn(field->width == 4 ? "w" : "d", 0, bytes,
                (size_t)field->width * field->count);
}

void image_fields_encode(const struct image_part *part, const void *owner,
                         uint8_t *bytes) {
    memset(bytes, 0, image_fields_size(part));
    for (size_t i = 0; i < part->field_count; i++) {
        const struct image_field *field = &part->fields[i];
        size_t size = (size_t)field->width * field->count;
        memcpy(bytes, (const uint8_t *)owner + field->offset, size);
        turn(field, bytes);
        bytes += size;
    }
}

void image_fields_decode(const struct image_part *part, void *owner,
                         const uint8_t *bytes) {
    for (size_t i = 0; i < part->field_count; i++) {
        const struct image_field *field = &part->fields[i];
        size_t size = (size_t)field->width * field->count;
        uint8_t *to = (uint8_t *)owner + field->offset;
        memcpy(to, bytes, size);
        turn(field, to);
        bytes += size;
    }
}

/* --- The sections, one after the other -------------------------------------------------
 */

static const struct pool *rows_of(const struct state *state,
                                  const struct image_part *part) {
    return (const struct pool *)(const void *)((const uint8_t *)state + part->offset);
}

static void fields_section(const struct image_part *part, uint32_t row, const void *owner,
                           struct image_section *section) {
    *section = (struct image_section){.name = part->name,
                                      .index = row,
                                      .part = part,
                                      .owner = owner,
                                      .row_size = image_fields_size(part),
                                      .limit = 1};
}

static void pool_section(const char *name, uint32_t index, const struct pool *pool,
                         struct image_section *section) {
    *section = (struct image_section){.name = name,
                                      .index = index,
                                      .pool = pool,
                                      .row_size = pool->row_size,
                                      .limit = pool->limit,
                                      .free_row = pool->free_row,
                                      .free_count = pool->free_count};
}

static void rows_section(const struct image_part *part, const struct pool *rows,
                         struct image_section *section) {
    pool_section(part->rows, 0, rows, section);
    section->part = part;
    section->row_size = 8;
}

/* The next pool of `owner`, of those that it has; false: that was the last. */
static bool next_pool(const struct image_part *part, const void *owner,
                      struct image_cursor *cursor, struct image_section *section) {
    while (cursor->step <= part->pool_count) {
        const struct image_pool *row = &part->pools[cursor->step - 1];
        if (cursor->index == row->count || (part->has && !part->has(owner, row->name))) {
            cursor->step++;
            cursor->index = 0;
            continue;
        }
        pool_section(row->name, cursor->index, image_pool_at(owner, row, cursor->index),
                     section);
        cursor->index++;
        return true;
    }
    return false;
}

/* The sections of one struct: its fields, then its pools. */
static bool next_of(const struct image_part *part, const void *owner,
                    struct image_cursor *cursor, struct image_section *section) {
    if (cursor->step > 0) return next_pool(part, owner, cursor, section);
    cursor->step = 1;
    cursor->index = 0;
    fields_section(part, cursor->row, owner, section);
    return true;
}

/* The sections of all structs of a part: which rows there are, then one after the other.
 */
static bool next_row(const struct image_part *part, const struct pool *rows,
                     struct image_cursor *cursor, struct image_section *section) {
    if (!cursor->begun) {
        cursor->begun = true;
        rows_section(part, rows, section);
        return true;
    }
    for (; cursor->row < rows->limit; cursor->row++, cursor->step = 0) {
        const void *owner = pool_row(rows, cursor->row);
        if (part->used(owner) && next_of(part, owner, cursor, section)) return true;
    }
    return false;
}

bool image_next(const struct state *state, struct image_cursor *cursor,
                struct image_section *section) {
    while (cursor->stage < IMAGE_PARTS) {
        const struct image_part *part = &image_parts[cursor->stage];
        if (part->rows ? next_row(part, rows_of(state, part), cursor, section)
                       : next_of(part, state, cursor, section))
            return true;
        *cursor = (struct image_cursor){.stage = cursor->stage + 1};
    }
    if (cursor->stage > IMAGE_PARTS) return false;
    cursor->stage++;
    *section = (struct image_section){.name = "end", .row_size = 8};
    return true;
}
