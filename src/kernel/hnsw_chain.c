/* The index chain: what an entry did to the graph, in canonical form, hashed. */
#include "base/bytes.h"
#include "base/check.h"
#include "base/sort.h"
#include "kernel/hnsw_lists.h"

#include "kernel/pure.h"

static int compare_rows(void *context, const void *a, const void *b) {
    (void)context;
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* The rows in order, each once; gives their number. */
static uint32_t order_rows(struct hnsw_lists *lists) {
    uint64_t *rows = lists->changed;
    sort(rows, lists->changed_count, sizeof rows[0], compare_rows, NULL);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < lists->changed_count; i++)
        if (i == 0 || rows[i] != rows[i - 1]) rows[distinct++] = rows[i];
    return distinct;
}

/* A row as it is now; a freed point has no links. */
static uint32_t read_row(const struct hnsw *hnsw, uint64_t row, const uint32_t **links) {
    uint32_t layer = (uint32_t)(row >> 32), point = (uint32_t)row;
    if (point_at(hnsw, point)->slot == 0) return 0;
    *links = hnsw_links(hnsw, layer, point);
    return links_count(*links, hnsw_degree(hnsw, layer));
}

enum { HEAD_SIZE = 12, ROW_HEAD_SIZE = 12 };

static void add_row(struct sha256 *hash, const struct hnsw *hnsw, uint64_t row) {
    uint8_t bytes[ROW_HEAD_SIZE + 4 * LIST_MAX];
    const uint32_t *links = NULL;
    uint32_t count = read_row(hnsw, row, &links);
    store_le32(bytes, (uint32_t)(row >> 32));
    store_le32(bytes + 4, (uint32_t)row);
    store_le32(bytes + 8, count);
    for (uint32_t i = 0; i < count; i++)
        store_le32(bytes + ROW_HEAD_SIZE + 4 * (size_t)i, links[i]);
    sha256_add(hash, bytes, ROW_HEAD_SIZE + 4 * (size_t)count);
}

void hnsw_chain(struct hnsw_writer *writer, uint64_t sequence,
                uint8_t chain[SHA256_SIZE]) {
    const struct hnsw *hnsw = writer->hnsw;
    struct hnsw_lists *lists = writer->work->lists;
    uint32_t count = order_rows(lists);
    if (count == 0) return;
    uint64_t size = HEAD_SIZE;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t *links;
        size += ROW_HEAD_SIZE + 4 * (uint64_t)read_row(hnsw, lists->changed[i], &links);
    }
    uint8_t head[1 + SHA256_SIZE + 8 + 8 + HEAD_SIZE] = {0x19};
    memcpy(head + 1, chain, SHA256_SIZE);
    store_le64(head + 33, sequence);
    store_le64(head + 41, size);
    store_le32(head + 49, hnsw->entry);
    store_le32(head + 53, hnsw->top);
    store_le32(head + 57, count);
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, head, sizeof head);
    for (uint32_t i = 0; i < count; i++) add_row(&hash, hnsw, lists->changed[i]);
    sha256_end(&hash, chain);
}
