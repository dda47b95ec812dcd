#include "kernel/graph_words.h"

#include "base/check.h"

#include "kernel/pure.h"

static void hash_word(struct slice word, uint8_t key[SHA256_SIZE]) {
    sha256(word.data, word.size, key);
}

/* --- Words -----------------------------------------------------------------------------
 */

static uint32_t find(const struct state *state, const struct graph *graph, uint32_t root,
                     const uint8_t key[SHA256_SIZE]) {
    uint32_t row = trie_find(&state->nodes, &graph->words, root, key);
    return row == UINT32_MAX ? 0 : row + 1;
}

uint32_t word_find(const struct state *state, const struct graph *graph, uint32_t root,
                   struct slice word) {
    uint8_t key[SHA256_SIZE];
    if (root == 0) return 0;
    hash_word(word, key);
    return find(state, graph, root, key);
}

static uint32_t add_word(struct memory *memory, struct state *state, struct graph *graph,
                         uint32_t *root, struct slice name,
                         const uint8_t key[SHA256_SIZE]) {
    uint32_t row = pool_take(memory, &graph->words);
    struct graph_word *word = pool_own(memory, &graph->words, row);
    memcpy(word->leaf.key, key, SHA256_SIZE);
    word->name = heap_put(memory, &state->heap, name);
    word->size = (uint32_t)name.size;
    graph->heap_bytes += heap_room(word->name);
    trie_insert(memory, &state->nodes, &graph->words, root, row);
    return row + 1;
}

uint32_t word_use(struct memory *memory, struct state *state, struct graph *graph,
                  uint32_t *root, struct slice name) {
    uint8_t key[SHA256_SIZE];
    hash_word(name, key);
    uint32_t reference = find(state, graph, *root, key);
    if (!reference) reference = add_word(memory, state, graph, root, name, key);
    struct graph_word *word = pool_own(memory, &graph->words, reference - 1);
    word->count++;
    return reference;
}

void word_leave(struct memory *memory, struct state *state, struct graph *graph,
                uint32_t *root, uint32_t reference) {
    if (!reference) return;
    struct graph_word *word = pool_own(memory, &graph->words, reference - 1);
    if (--word->count > 0) return;
    trie_remove(memory, &state->nodes, &graph->words, root, reference - 1);
    graph->heap_bytes -= heap_room(word->name);
    heap_free(memory, &state->heap, word->name);
    pool_give(memory, &graph->words, reference - 1);
}

/* --- Links -----------------------------------------------------------------------------
 */

static struct graph_node *own_node(struct memory *memory, struct graph *graph,
                                   uint32_t row) {
    return pool_own(memory, &graph->nodes, row);
}

/* What nodes link to: the row of that hash + 1, 0 for none. */
static uint32_t link_find(const struct state *state, const struct graph *graph,
                          const uint8_t hash[SHA256_SIZE]) {
    uint32_t row = trie_find(&state->nodes, &graph->links, graph->linked, hash);
    return row == UINT32_MAX ? 0 : row + 1;
}

static uint32_t add_link(struct memory *memory, struct state *state, struct graph *graph,
                         const struct change *change) {
    uint32_t row = pool_take(memory, &graph->links);
    struct graph_link *link = pool_own(memory, &graph->links, row);
    memcpy(link->leaf.key, change->link_hash, SHA256_SIZE);
    link->key = heap_put(memory, &state->heap, change->link_key);
    link->element = heap_put(memory, &state->heap, change->link_element);
    link->key_size = (uint32_t)change->link_key.size;
    link->element_size = (uint32_t)change->link_element.size;
    link->db = change->db;
    graph->heap_bytes += heap_room(link->key) + heap_room(link->element);
    trie_insert(memory, &state->nodes, &graph->links, &graph->linked, row);
    return row + 1;
}

void link_join(struct memory *memory, struct state *state, struct graph *graph,
               uint32_t row, const struct change *change) {
    uint32_t reference = link_find(state, graph, change->link_hash);
    if (!reference) reference = add_link(memory, state, graph, change);
    struct graph_link *link = pool_own(memory, &graph->links, reference - 1);
    struct graph_node *node = own_node(memory, graph, row);
    check(node->link == 0);
    node->link = reference;
    node->link_next = link->first;
    if (link->first) own_node(memory, graph, link->first - 1)->link_previous = row + 1;
    link->first = row + 1;
    link->count++;
}

void link_leave(struct memory *memory, struct state *state, struct graph *graph,
                uint32_t row) {
    struct graph_node *node = own_node(memory, graph, row);
    uint32_t reference = node->link, next = node->link_next, before = node->link_previous;
    if (!reference) return;
    node->link = node->link_next = node->link_previous = 0;
    struct graph_link *link = pool_own(memory, &graph->links, reference - 1);
    if (before) own_node(memory, graph, before - 1)->link_next = next;
    else link->first = next;
    if (next) own_node(memory, graph, next - 1)->link_previous = before;
    if (--link->count > 0) return;
    trie_remove(memory, &state->nodes, &graph->links, &graph->linked, reference - 1);
    graph->heap_bytes -= heap_room(link->key) + heap_room(link->element);
    heap_free(memory, &state->heap, link->key);
    heap_free(memory, &state->heap, link->element);
    pool_give(memory, &graph->links, reference - 1);
}
