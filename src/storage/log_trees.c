/* Tree files, read: what their headers say, the roots that are kept in memory, and the
 * leaf hashes of segments that went.
 *
 * A tree file is no part of the log: the log is sound without any. So a damaged one is
 * passed over here, and whoever needs what it held learns that it is not there. */
#include <string.h>

#include "base/check.h"
#include "base/sort.h"
#include "storage/log_internal.h"

/* --- The list ---------------------------------------------------------------------- */

enum status log_add_tree(struct log *log, const struct tree_header *tree) {
    if (log->tree_count == log->tree_capacity) {
        size_t capacity = log->tree_capacity ? 2 * log->tree_capacity : 8;
        void *trees = log->allocator->resize(log->allocator->context, log->trees,
                                             log->tree_capacity * sizeof *log->trees,
                                             capacity * sizeof *log->trees);
        if (!trees) return STATUS_MEMORY;
        log->trees = trees;
        log->tree_capacity = capacity;
    }
    log->trees[log->tree_count++] = *tree;
    return STATUS_OK;
}

static int by_number(void *context, const void *left, const void *right) {
    (void)context;
    const struct tree_header *a = left, *b = right;
    return (a->number > b->number) - (a->number < b->number);
}

void log_sort_trees(struct log *log) {
    if (log->tree_count > 1)
        sort(log->trees, log->tree_count, sizeof *log->trees, by_number, NULL);
}

/* The tree file with this number, or NULL. */
static const struct tree_header *tree_numbered(const struct log *log, uint64_t number) {
    size_t low = 0, high = log->tree_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->trees[middle].number < number) low = middle + 1;
        else high = middle;
    }
    if (low == log->tree_count || log->trees[low].number != number) return NULL;
    return &log->trees[low];
}

enum status log_put_tree(struct log *log, const struct tree_header *tree) {
    for (size_t i = 0; i < log->tree_count; i++) {
        if (log->trees[i].number != tree->number) continue;
        log->trees[i] = *tree;
        return STATUS_OK;
    }
    enum status status = log_add_tree(log, tree);
    if (!status) log_sort_trees(log);
    return status;
}

/* STATUS_CORRUPT: it is of no use. */
static enum status look_at_tree(struct log *log, struct tree_header *tree,
                                struct log_report *report) {
    char name[SEGMENT_NAME_SIZE];
    tree_name(tree->number, name);
    struct reader *reader = &log->reader;
    struct file_facts facts;
    enum status status = reader_open(reader, log->directory, name, &facts);
    if (status) return log_say_failed(log, report, status, "opening", name);
    status = log_require_safe(&facts, name, report);
    if (status) return status;
    if (facts.size < TREE_HEADER_SIZE) return STATUS_CORRUPT;
    const uint8_t *bytes;
    status = reader_bytes(reader, 0, TREE_HEADER_SIZE, &bytes);
    if (status) return log_say_failed(log, report, status, "reading", name);
    uint64_t number = tree->number;
    status = tree_header_decode(bytes, tree);
    if (status == STATUS_VERSION)
        log_say(report, "FATAL version: %s is of a newer format; nothing was modified",
                name);
    if (status) return status;
    bool own = tree->number == number && facts.size == tree_file_size(tree) &&
               memcmp(tree->log_id, log_id(log), LOG_ID_SIZE) == 0;
    return own ? STATUS_OK : STATUS_CORRUPT;
}

enum status log_look_at_trees(struct log *log, struct log_report *report) {
    size_t kept = 0;
    for (size_t i = 0; i < log->tree_count; i++) {
        struct tree_header tree = log->trees[i];
        enum status status = look_at_tree(log, &tree, report);
        reader_close(&log->reader);
        if (status == STATUS_OK) log->trees[kept++] = tree;
        else if (status == STATUS_CORRUPT) report->damaged_trees++;
        else return status;
    }
    log->tree_count = kept;
    return STATUS_OK;
}

bool log_has_tree(const struct log *log, size_t index) {
    const struct segment_header *segment = &log->segments[index].header;
    const struct segment_header *next = &log->segments[index + 1].header;
    const struct tree_header *tree = tree_numbered(log, segment->number);
    if (!tree || !log->segments[index + 1].whole) return false;
    const struct tree_header *header = tree;
    return header->base == segment->base && header->base + header->count == next->base &&
           memcmp(header->log_id, segment->log_id, LOG_ID_SIZE) == 0 &&
           memcmp(header->root_before, segment->root, SHA256_SIZE) == 0 &&
           memcmp(header->root_after, next->root, SHA256_SIZE) == 0;
}

/* --- Roots ------------------------------------------------------------------------- */

/* The number of the first file in the unbroken row that ends before `number`; `number`
 * itself when there is none. */
static uint64_t row_start(const struct log *log, uint64_t number) {
    const struct tree_header *last = NULL;
    for (; number > 1; number--) {
        const struct tree_header *tree = tree_numbered(log, number - 1);
        if (!tree || memcmp(tree->log_id, log_id(log), LOG_ID_SIZE) != 0) break;
        if (last && (tree->base + tree->count != last->base ||
                     memcmp(tree->root_after, last->root_before,
                            SHA256_SIZE) != 0))
            break;
        last = tree;
    }
    return number;
}

/* The hashes before the leaves of tree file `tree`: the range's, then the blocks'. Held
 * against the header. Good until the reader is used again. */
static enum status read_roots(struct log *log, const struct tree_header *tree,
                              const uint8_t **roots) {
    char name[SEGMENT_NAME_SIZE];
    tree_name(tree->number, name);
    struct file_facts facts;
    enum status status = reader_open(&log->reader, log->directory, name, &facts);
    if (status) return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
    size_t size = (size_t)(tree_leaves_at(tree) - TREE_HEADER_SIZE);
    if (facts.size != tree_file_size(tree)) status = STATUS_CORRUPT;
    if (!status) status = reader_bytes(&log->reader, TREE_HEADER_SIZE, size, roots);
    reader_close(&log->reader);
    if (status) return status;
    uint8_t hash[SHA256_SIZE];
    sha256(*roots, size, hash);
    bool same = memcmp(hash, tree->roots_hash, SHA256_SIZE) == 0;
    return same ? STATUS_OK : STATUS_CORRUPT;
}

/* Append the blocks that end in this file. The first file also says what stands before
 * it. */
static enum status append_blocks(struct log *log, const struct tree_header *tree, bool first,
                                 struct log_nodes *nodes, struct rfc6962_range *range) {
    const uint8_t *roots;
    enum status status = read_roots(log, tree, &roots);
    if (status) return status;
    if (first) {
        tree_range_decode(tree->base, roots, range);
        nodes_begin(nodes, range);
    }
    roots += tree_range_count(tree) * SHA256_SIZE;
    uint64_t count = tree_block_count(tree);
    /* The block that has begun already is known whole now. */
    if (count > 0) range->size -= range->size % NODES_BLOCK;
    for (uint64_t i = 0; i < count && !status; i++)
        status = nodes_append_block(nodes, log->allocator, range, roots + i * SHA256_SIZE);
    return status;
}

/* Append the leaves from the end of the range on to `end`. */
static enum status append_leaves(struct log *log, uint64_t end,
                                 struct rfc6962_range *range) {
    uint8_t leaves[NODES_BLOCK][SHA256_SIZE];
    while (range->size < end) {
        uint64_t got;
        enum status status =
            log_stored_leaves(log, range->size, end - range->size, leaves, &got);
        if (status) return status;
        for (uint64_t i = 0; i < got; i++) rfc6962_append(range, leaves[i]);
    }
    return STATUS_OK;
}

enum status log_load_nodes(struct log *log, uint64_t number, struct log_nodes *nodes,
                           struct rfc6962_range *range) {
    uint64_t first = row_start(log, number);
    memset(nodes, 0, sizeof *nodes);
    if (first == number) return STATUS_NOT_FOUND;
    enum status status = STATUS_OK;
    for (uint64_t i = first; i < number && !status; i++)
        status = append_blocks(log, tree_numbered(log, i), i == first, nodes, range);
    const struct tree_header *last = tree_numbered(log, number - 1);
    if (!status) status = append_leaves(log, last->base + last->count, range);
    if (!status) {
        uint8_t root[SHA256_SIZE];
        rfc6962_root(range, root);
        bool same = memcmp(root, last->root_after, SHA256_SIZE) == 0;
        status = same ? STATUS_OK : STATUS_CORRUPT;
    }
    if (status) nodes_free(nodes, log->allocator);
    return status;
}

/* --- Leaves ------------------------------------------------------------------------ */

/* The tree file that has the leaf `sequence`, or NULL. */
static const struct tree_header *tree_holding(const struct log *log, uint64_t sequence) {
    size_t low = 0, high = log->tree_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->trees[middle].base <= sequence) low = middle + 1;
        else high = middle;
    }
    for (; low > 0; low--) { /* one may be of an empty segment */
        const struct tree_header *tree = &log->trees[low - 1];
        if (sequence - tree->base < tree->count) return tree;
        if (tree->count > 0) break;
    }
    return NULL;
}

enum status log_stored_leaves(struct log *log, uint64_t first, uint64_t count,
                              uint8_t (*leaves)[SHA256_SIZE], uint64_t *got) {
    const struct tree_header *tree = tree_holding(log, first);
    if (!tree) return STATUS_RANGE;
    uint64_t before = first - tree->base, left = tree->count - before;
    *got = count < left ? count : left;
    char name[SEGMENT_NAME_SIZE];
    tree_name(tree->number, name);
    const struct os *os = log->os;
    struct file *file;
    size_t wanted = (size_t)(*got * SHA256_SIZE), read = 0;
    enum status status = os->file_open(os, log->directory, name, FILE_READ, &file);
    if (status) return status == STATUS_NOT_FOUND ? STATUS_RANGE : status;
    status = os->file_read(os, file, tree_leaves_at(tree) + before * SHA256_SIZE,
                           leaves, wanted, &read);
    os->file_close(os, file);
    if (!status && read != wanted) status = STATUS_CORRUPT;
    return status;
}
