#include "kernel/verify.h"

#include "base/check.h"
#include "kernel/state.h"

#include "kernel/pure.h"

enum {
    ROWS_PER_JOB = 1024,
    CUT_FROM = 32768, /* records: a smaller trie is one job */
    CUT_DEPTH = 6,
    STAGES = 4, /* as many as kinds of jobs */
};

/* --- The list --------------------------------------------------------------------------
 */

void verify_begin(struct verify *verify, const struct state *state) {
    *verify = (struct verify){.state = state};
}

/* One past the last number of this stage. */
static uint32_t stage_limit(const struct collection *collection, uint32_t stage) {
    bool cut = collection->live >= CUT_FROM;
    switch (stage) {
    case VERIFY_RECORDS:
        return collection->metas.limit;
    case VERIFY_POINTS:
        return collection_indexed(collection) ? collection->hnsw.points.limit : 0;
    case VERIFY_SUBTRIE:
        return cut ? 1u << CUT_DEPTH : 1;
    default:
        return cut ? 1 : 0;
    }
}

bool verify_next(struct verify *verify, struct verify_job *job) {
    const struct pool *rows = &verify->state->collections;
    for (; verify->row < rows->limit; verify->row++, verify->stage = 0) {
        const struct collection *collection = pool_row(rows, verify->row);
        if (collection->config.dim == 0) continue;
        for (; verify->stage < STAGES; verify->stage++, verify->next = 0) {
            uint32_t limit = stage_limit(collection, verify->stage);
            if (verify->next >= limit) continue;
            bool whole = verify->stage >= VERIFY_SUBTRIE;
            uint32_t step = whole ? 1 : ROWS_PER_JOB;
            uint32_t left = limit - verify->next;
            *job = (struct verify_job){
                .kind = verify->stage,
                .row = verify->row,
                .from = verify->next,
                .to = verify->next + (left < step ? left : step),
                .depth = collection->live >= CUT_FROM ? CUT_DEPTH : 0,
            };
            verify->next = job->to;
            return true;
        }
    }
    return false;
}

/* --- Records ---------------------------------------------------------------------------
 */

static bool record_sound(const struct state *state, const struct collection *collection,
                         uint32_t slot, uint8_t *room) {
    const struct meta *meta = meta_at(collection, slot);
    const struct heap *heap = &state->heap;
    bool kept = (meta->flags & CHANGE_FP32) != 0;
    if (!heap_holds(heap, meta->name, meta->name_size) ||
        !heap_holds(heap, meta->attributes, meta->attributes_size) ||
        !heap_holds(heap, meta->fp32, kept ? 4 * (size_t)collection->config.dim : 0))
        return false;
    struct record record;
    struct record_hashes hashes;
    record_read(state, collection, slot, &record);
    record_hashes(collection, &record, &hashes);
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE], leaf[SHA256_SIZE];
    hash_element_name(record.element, key);
    record_value_hash(&record, &hashes, value);
    trie_leaf_hash(key, value, leaf);
    if (memcmp(key, meta->leaf.key, SHA256_SIZE) != 0) return false;
    if (memcmp(leaf, meta->leaf.hash, SHA256_SIZE) != 0) return false;
    return !collection_indexed(collection) ||
           hnsw_code_sound(&collection->hnsw, meta->point, slot, record.values, room);
}

static bool records_sound(const struct state *state, const struct collection *collection,
                          const struct verify_job *job, uint8_t *room) {
    if (collection->facts.limit != collection->metas.limit ||
        collection->vectors.limit != collection->metas.limit)
        return false;
    for (uint32_t slot = job->from; slot < job->to; slot++)
        if (slot_live(collection, slot) && !record_sound(state, collection, slot, room))
            return false;
    return true;
}

/* --- Points ----------------------------------------------------------------------------
 */

static bool points_sound(const struct collection *collection,
                         const struct verify_job *job) {
    const struct hnsw *hnsw = &collection->hnsw;
    if (!hnsw_whole(hnsw)) return false;
    for (uint32_t point = job->from; point < job->to; point++)
        if (!hnsw_links_sound(hnsw, point)) return false;
    return true;
}

/* --- Tries -----------------------------------------------------------------------------
 */

/* A walk over a part of a trie: `path` has the bits that lead to where it is. */
struct part {
    const struct pool *nodes;
    const struct collection *collection;
    uint32_t bottom; /* what is this deep is believed */
    uint8_t path[SHA256_SIZE];
};

static void set_bit(uint8_t path[SHA256_SIZE], uint32_t depth, uint32_t bit) {
    uint8_t mask = (uint8_t)(0x80 >> (depth & 7));
    path[depth >> 3] = (uint8_t)((path[depth >> 3] & ~mask) | (bit ? mask : 0));
}

static bool begins_alike(const uint8_t *a, const uint8_t *b, uint32_t bits) {
    if (memcmp(a, b, bits / 8) != 0) return false;
    return bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0;
}

static bool leaf_sound(const struct part *part, uint32_t reference, uint32_t depth,
                       struct trie_sum *sum) {
    uint32_t slot = reference & ~TRIE_LEAF;
    const struct collection *collection = part->collection;
    if (slot >= collection->metas.limit || slot >= collection->facts.limit ||
        !slot_live(collection, slot))
        return false;
    const struct meta *meta = meta_at(collection, slot);
    sum->count = 1;
    memcpy(sum->root, meta->leaf.hash, SHA256_SIZE);
    return begins_alike(meta->leaf.key, part->path, depth);
}

static void fetch(const struct part *part, uint32_t reference) {
    uint32_t row = reference & ~TRIE_LEAF;
    if (reference == 0) return;
    if (reference & TRIE_LEAF) {
        if (row < part->collection->metas.limit)
            __builtin_prefetch(meta_at(part->collection, row));
    } else if (row - 1 < part->nodes->limit) {
        __builtin_prefetch(pool_row(part->nodes, row - 1));
    }
}

/* What is below `reference` has this sum, and says so. As deep as the trie is, at most
 * TRIE_DEPTH_MAX. */
static bool subtrie_sound(struct part *part, uint32_t reference, uint32_t depth,
                          struct trie_sum *sum) {
    if (reference == 0) {
        *sum = (struct trie_sum){0};
        return true;
    }
    if (reference & TRIE_LEAF) return leaf_sound(part, reference, depth, sum);
    if (reference > part->nodes->limit || depth >= TRIE_DEPTH_MAX) return false;
    const struct trie_node *node = pool_row(part->nodes, reference - 1);
    sum->count = node->count;
    memcpy(sum->root, node->hash, SHA256_SIZE);
    if (depth == part->bottom) return true;
    fetch(part, node->child[0]);
    fetch(part, node->child[1]);
    struct trie_sum side[2];
    uint8_t hash[SHA256_SIZE];
    for (uint32_t bit = 0; bit < 2; bit++) {
        set_bit(part->path, depth, bit);
        if (!subtrie_sound(part, node->child[bit], depth + 1, &side[bit])) return false;
    }
    set_bit(part->path, depth, 0);
    trie_node_hash(&side[0], &side[1], hash);
    return node->dirty == 0 && node->count >= 2 &&
           side[0].count + side[1].count == node->count &&
           memcmp(hash, node->hash, SHA256_SIZE) == 0;
}

/* The subtrie at the end of the job's path; where the trie is not so deep, it belongs to
 * the path that goes on with zeros. */
static bool cut_sound(struct part *part, const struct verify_job *job) {
    uint32_t reference = part->collection->records, depth = 0;
    for (; depth < job->depth && reference && !(reference & TRIE_LEAF); depth++) {
        if (reference > part->nodes->limit) return false;
        uint32_t bit = job->from >> (job->depth - 1 - depth) & 1;
        set_bit(part->path, depth, bit);
        const struct trie_node *node = pool_row(part->nodes, reference - 1);
        reference = node->child[bit];
    }
    uint32_t rest = job->from & ((1u << (job->depth - depth)) - 1);
    struct trie_sum sum;
    part->bottom = UINT32_MAX;
    return rest != 0 || subtrie_sound(part, reference, depth, &sum);
}

static bool top_sound(struct part *part, const struct verify_job *job) {
    struct trie_sum sum;
    part->bottom = job->depth;
    return subtrie_sound(part, part->collection->records, 0, &sum);
}

enum status verify_run(const struct state *state, const struct verify_job *job,
                       uint8_t *room) {
    const struct collection *collection = pool_row(&state->collections, job->row);
    struct part part = {.nodes = &state->nodes, .collection = collection};
    bool sound = false;
    switch (job->kind) {
    case VERIFY_RECORDS:
        sound = records_sound(state, collection, job, room);
        break;
    case VERIFY_POINTS:
        sound = points_sound(collection, job);
        break;
    case VERIFY_SUBTRIE:
        sound = cut_sound(&part, job);
        break;
    case VERIFY_TOP:
        sound = top_sound(&part, job);
        break;
    }
    return sound ? STATUS_OK : STATUS_CORRUPT;
}
