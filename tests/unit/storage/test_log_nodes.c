/* The log tree's tall subtrees. */
#include "storage/log_nodes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "test.h"

static void *resize(void *context, void *block, size_t old_size, size_t new_size) {
    (void)context, (void)old_size;
    if (new_size > 0) return realloc(block, new_size);
    free(block);
    return NULL;
}
static const struct allocator allocator = {NULL, resize};

static void leaf_of(uint64_t sequence, uint8_t leaf[SHA256_SIZE]) {
    memset(leaf, 0, SHA256_SIZE);
    store_le64(leaf, sequence);
}

/* MTH of leaves [first, first + count). */
static void root_of(uint64_t first, uint64_t count, uint8_t root[SHA256_SIZE]) {
    struct rfc6962_range range;
    rfc6962_begin(&range);
    for (uint64_t i = 0; i < count; i++) {
        uint8_t leaf[SHA256_SIZE];
        leaf_of(first + i, leaf);
        rfc6962_append(&range, leaf);
    }
    rfc6962_root(&range, root);
}

static void append(struct log_nodes *nodes, struct rfc6962_range *range, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        uint8_t leaf[SHA256_SIZE];
        leaf_of(range->size, leaf);
        EXPECT_EQUAL(nodes_reserve(nodes, &allocator, range), STATUS_OK);
        nodes_append(nodes, range, leaf);
    }
}

static void expect_node(const struct log_nodes *nodes, unsigned level, uint64_t index) {
    uint8_t wanted[SHA256_SIZE];
    const uint8_t *node = nodes_find(nodes, level, index);
    EXPECT(node != NULL);
    if (!node) return;
    root_of(index << level, (uint64_t)1 << level, wanted);
    EXPECT_BYTES(node, wanted, SHA256_SIZE);
}

static void keeps_every_eighth_level(void) {
    struct rfc6962_range range;
    struct log_nodes nodes;
    rfc6962_begin(&range);
    nodes_begin(&nodes, &range);
    append(&nodes, &range, 3 * 65536 + 700);
    for (uint64_t i = 0; i < 3 * 256 + 2; i += 11) expect_node(&nodes, 8, i);
    for (uint64_t i = 0; i < 3; i++) expect_node(&nodes, 16, i);
    EXPECT(nodes_find(&nodes, 8, 3 * 256 + 2) == NULL);
    EXPECT(nodes_find(&nodes, 16, 3) == NULL);
    EXPECT(nodes_find(&nodes, 24, 0) == NULL);
    EXPECT(nodes_find(&nodes, 0, 0) == NULL);
    EXPECT(nodes_find(&nodes, 9, 0) == NULL);
    nodes_free(&nodes, &allocator);
}

/* Of what came before, the roots of the compact range are known and no more. */
static void begins_in_the_middle(void) {
    struct rfc6962_range range;
    struct log_nodes nodes;
    rfc6962_begin(&range);
    nodes_begin(&nodes, &range);
    append(&nodes, &range, 65536 + 256 + 37); /* 1 0000 0001 0010 0101 */
    nodes_free(&nodes, &allocator);
    nodes_begin(&nodes, &range);
    expect_node(&nodes, 16, 0);
    expect_node(&nodes, 8, 256);
    expect_node(&nodes, 5, (65536 + 256) / 32);
    expect_node(&nodes, 0, 65536 + 256 + 36);
    EXPECT(nodes_find(&nodes, 8, 255) == NULL);
    EXPECT(nodes_find(&nodes, 0, 65536 + 256 + 35) == NULL);
    append(&nodes, &range, 2000);
    /* The block that began before has its root all the same. */
    expect_node(&nodes, 8, 257);
    expect_node(&nodes, 8, 258);
    EXPECT(nodes_find(&nodes, 8, 255) == NULL);
    nodes_free(&nodes, &allocator);
}

int main(void) {
    RUN(keeps_every_eighth_level);
    RUN(begins_in_the_middle);
    return test_finish();
}
