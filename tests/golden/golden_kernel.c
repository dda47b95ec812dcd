/* One fixed history through the kernel: its entries' leaf hashes, the log's root, the roots of
 * the state on the way and at the end, and the answers of searches, compared with constants that
 * never change. */
#include "golden/kernel_room.h"

#include "base/bytes.h"
#include "kernel/entry.h"
#include "kernel/kernel.h"
#include "kernel/search.h"
#include "kernel/semantics.h"

enum { SCRATCH = 4 << 20 };

/* Buffers grow in a row; what they leave behind is used again by the next entry. */
static uint8_t scratch[SCRATCH];
static size_t scratch_used;

static void *grow(void *context, void *block, size_t old_size, size_t new_size) {
    (void)context;
    size_t aligned = (scratch_used + 15) / 16 * 16;
    if (new_size == 0 || aligned + new_size > SCRATCH) return NULL;
    scratch_used = aligned + new_size;
    uint8_t *moved = scratch + aligned;
    if (block) memcpy(moved, block, old_size < new_size ? old_size : new_size);
    return moved;
}
static const struct allocator allocator = {.resize = grow};

/* --- The history ------------------------------------------------------------------------------ */

static struct kernel *kernel;
static struct rfc6962_range log_tree; /* over the entries */
static struct sha256 leaves;          /* over their leaf hashes, in order */
static uint64_t random_state;

static uint32_t draw(uint32_t limit) { /* 32 bits of a linear congruential generator */
    random_state = random_state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)((random_state >> 32) * limit >> 32);
}

static void append_entry(uint8_t type, uint16_t flags, struct slice body) {
    static uint8_t bytes[ENTRY_SIZE_MAX];
    uint8_t leaf[SHA256_SIZE];
    struct entry entry = {.type = type,
                          .flags = flags,
                          .sequence = log_tree.size,
                          .time_us = 1700000000000000 + 1000 * log_tree.size};
    hash_principal(slice_text("default"), entry.principal);
    entry_encode_header(&entry, body.size, bytes);
    memcpy(bytes + ENTRY_HEADER_SIZE, body.data, body.size);
    rfc6962_leaf(slice_of(bytes, ENTRY_HEADER_SIZE), body, leaf);
    rfc6962_append(&log_tree, leaf);
    sha256_add(&leaves, leaf, SHA256_SIZE);
    struct entry decoded;
    if (entry_decode(slice_of(bytes, ENTRY_HEADER_SIZE + body.size), &decoded)) {
        failed++;
        golden_line("an entry does not decode");
    }
}

/* One change: refused ones take no entry. */
static void submit(struct change *change) {
    struct buffer body;
    struct outcome outcome;
    scratch_used = 0;
    change_commit(change);
    if (kernel_admit(kernel, change)) return;
    buffer_init(&body, &allocator, 65536);
    change_encode_body(change, &body);
    kernel_apply(kernel, log_tree.size, change, &outcome);
    append_entry(change->type, 0, buffer_slice(&body));
}

static void seal(struct roots *roots) {
    uint8_t body[152] = {0};
    kernel_seal(kernel, roots);
    store_le64(body, log_tree.size);
    memcpy(body + 8, roots->state_root, SHA256_SIZE);
    memcpy(body + 40, semantics_id, SHA256_SIZE);
    store_le64(body + 72, roots->keyspace.count);
    memcpy(body + 80, roots->keyspace.root, SHA256_SIZE); /* The system trie is empty. */
    append_entry(CHANGE_SEAL, ENTRY_NO_STATE, slice_of(body, sizeof body));
}

/* What a change borrows. */
static char key[4], element[8];
static uint8_t vector[6 + 4 * 40], fp32[4 * 40], attributes[100];
enum { KEYS = 6 };

static struct config config_of(uint32_t number) {
    return (struct config){.metric = (uint8_t)(METRIC_COSINE + number % 3),
                           .index = INDEX_FLAT,
                           .quantisation = (uint8_t)(number % 2),
                           .dim = 3 + 7 * number,
                           .m = 16,
                           .ef = 200,
                           .capacity = number == 5 ? 12 : 0,
                           .origin = (uint8_t)(number / 3)};
}

static void give_vector(struct change *change, const struct config *config) {
    int32_t values[40];
    bool scaled = config->metric == METRIC_COSINE;
    for (uint32_t i = 0; i < config->dim; i++) {
        values[i] = (int32_t)draw(262145) - 131072;
        if (!scaled && draw(9) == 0) values[i] = (int32_t)(draw(UINT32_MAX) ^ UINT32_C(1) << 31);
    }
    vector_encode(values, config->dim, scaled, (int8_t)((int)draw(40) - 20), vector);
    change->vector = slice_of(vector, vector_bytes_size(scaled, config->dim));
    change->flags |= CHANGE_VECTOR;
    if (draw(5) > 0) return;
    for (uint32_t i = 0; i < 4 * config->dim; i++) fp32[i] = (uint8_t)draw(256);
    change->fp32 = slice_of(fp32, 4 * (size_t)config->dim);
    change->flags |= CHANGE_FP32;
}

static void give_attributes(struct change *change) {
    uint32_t size = draw(3) ? draw(sizeof attributes) : 0;
    for (uint32_t i = 0; i < size; i++) attributes[i] = (uint8_t)draw(256);
    change->attributes = slice_of(attributes, size);
    change->flags |= CHANGE_ATTRIBUTES;
}

/* Mostly VADDs. Names may hold any byte, NUL as well. */
static struct change next_change(void) {
    static const uint8_t types[] = {CHANGE_VADD,    CHANGE_VADD,   CHANGE_VADD, CHANGE_VADD,
                                    CHANGE_VADD,    CHANGE_VADD,   CHANGE_VREM, CHANGE_SETATTR,
                                    CHANGE_SETTAG,  CHANGE_CREATE, CHANGE_VADD, CHANGE_VADD};
    uint32_t number = draw(KEYS);
    struct config config = config_of(number);
    struct change change = {.type = types[draw(sizeof types)], .db = number % 4 * 5};
    if (draw(60) == 0) change.type = CHANGE_DEL;
    key[0] = 'k';
    key[1] = (char)number;
    change.key = slice_of(key, 2);
    for (size_t i = 0; i < 8; i++) element[i] = (char)(draw(40) * 37 >> (i > 0 ? 12 : 0));
    if (change.type != CHANGE_CREATE && change.type != CHANGE_DEL)
        change.element = slice_of(element, 1 + draw(2));
    if (change.type == CHANGE_VADD) give_vector(&change, &config);
    if (change.type == CHANGE_SETATTR || (change.type == CHANGE_VADD && draw(3) == 0))
        give_attributes(&change);
    if (change.type == CHANGE_SETTAG || (change.type == CHANGE_VADD && draw(3) == 0)) {
        change.flags |= CHANGE_TAG;
        change.tag = draw(4);
    }
    if (change.type == CHANGE_VADD && draw(20) == 0) change.flags |= CHANGE_NX;
    if (change.type == CHANGE_CREATE || (change.type == CHANGE_VADD && draw(4) > 0)) {
        change.flags |= CHANGE_CONFIG;
        change.config = config;
    }
    return change;
}

/* `count` changes as one entry, read back from its bytes. */
static void submit_batch(uint32_t count, struct change (*next)(void)) {
    struct batch batch;
    struct batch_reader reader;
    static uint8_t body[5 + BATCH_INLINE_MAX];
    size_t size;
    scratch_used = 0;
    batch_begin(&batch, &allocator, SCRATCH / 4);
    for (uint32_t i = 0; i < count; i++) {
        struct change change = next();
        change_commit(&change);
        if (batch_add(&batch, &change)) failed++;
    }
    struct slice elements = buffer_slice(&batch.elements), list = slice_of(NULL, 0);
    bool listed = batch_body(&batch, body, &size);
    if (listed) list = elements;
    if (!listed) memcpy(body + size, elements.data, elements.size), size += elements.size;
    struct slice payload = buffer_slice(&batch.payload);
    if (batch_open(&reader, slice_of(body, size), list, payload, true)) failed++;
    if (kernel_reserve(kernel, payload.size, count)) failed++;
    struct change change;
    struct outcome outcome;
    enum status status;
    while (!(status = batch_next(&reader, &change)))
        kernel_apply(kernel, log_tree.size, &change, &outcome);
    if (status != STATUS_END) failed++;
    append_entry(CHANGE_BATCH, 0, slice_of(body, size));
}

/* One in three: a string in its many ways, or a new name for any key. Keys are shared with
 * collections. */
static struct change next_of_strings(void) {
    static const uint8_t types[] = {CHANGE_SET, CHANGE_REPLACE, CHANGE_INCR, CHANGE_RENAME};
    static const char *const values[] = {"", "0", "-17", "9223372036854775807", "012", "text"};
    static char target[2];
    struct change change = next_change();
    if (draw(3) > 0) return change;
    change = (struct change){
        .type = types[draw(sizeof types)], .db = change.db, .key = change.key};
    target[0] = 'k';
    target[1] = (char)draw(2 * KEYS);
    change.delta = (int64_t)draw(1000) - 300;
    if (change.type == CHANGE_RENAME) {
        change.target = slice_of(target, 2);
    } else if (change.type != CHANGE_INCR) {
        give_attributes(&change);
        if (draw(4) > 0) change.attributes = slice_text(values[draw(6)]);
        if (draw(8) == 0) change.flags |= CHANGE_XX;
    }
    if (change.type != CHANGE_INCR && draw(8) == 0) change.flags |= CHANGE_NX;
    return change;
}

/* --- Answers ---------------------------------------------------------------------------------- */

/* Everything that a search says, for every key, with and without tags. */
static void hash_answers(uint8_t hash[SHA256_SIZE]) {
    static _Alignas(64) int32_t values[64];
    static struct hit hits[50];
    static const uint64_t tags[] = {2, 0};
    struct sha256 sum;
    sha256_begin(&sum);
    for (uint32_t i = 0; i < KEYS * 6; i++) {
        struct config config = config_of(i % KEYS);
        char name[2] = {'k', (char)(i % KEYS)};
        const struct state *state = kernel_state(kernel);
        const struct collection *collection =
            state_collection(state, i % KEYS % 4 * 5, slice_of(name, 2));
        if (!collection) continue;
        for (uint32_t d = 0; d < 64; d++)
            values[d] = d < config.dim ? (int32_t)draw(262145) - 131072 : 0;
        struct query query = {
            .values = values, .k = 1 + i, .tags = tags, .tag_count = i / KEYS % 3};
        struct search search;
        search_begin(&search, state, collection, &query, hits);
        while (!search_step(&search, 1 + i)) {}
        for (uint32_t h = 0; h < search.hit_count; h++) {
            struct record record;
            uint8_t bytes[40];
            if (!record_at(state, collection, hits[h].slot, &record)) failed++;
            uint128 number = config.metric == METRIC_L2 ? hits[h].distance
                                                        : (uint128)hits[h].product;
            store_le64(bytes, (uint64_t)number);
            store_le64(bytes + 8, (uint64_t)(number >> 64));
            store_le64(bytes + 16, hits[h].norm);
            store_le64(bytes + 24, record.element.size);
            store_le64(bytes + 32, record.widx);
            sha256_add(&sum, bytes, sizeof bytes);
            sha256_add(&sum, record.element.data, record.element.size);
        }
    }
    sha256_end(&sum, hash);
}

static void recompute_root(const struct state *state, bool content, uint8_t hash[SHA256_SIZE]) {
    static _Alignas(16) uint8_t room[RECOMPUTE_SIZE];
    struct recompute *recompute = recompute_begin(room, state, content);
    struct roots roots = {0};
    enum status status;
    while ((status = recompute_step(recompute, 100, &roots)) == STATUS_AGAIN) {}
    if (status) failed++;
    memcpy(hash, roots.state_root, SHA256_SIZE);
}

/* The entry types that came after the first release, from the state that the others left. */
static void go_on_with_strings(void) {
    struct roots roots;
    uint8_t hash[SHA256_SIZE];
    for (int i = 0; i < 300; i++) {
        struct change change = next_of_strings();
        submit(&change);
        if (i % 50 == 49) seal(&roots);
    }
    compare("state root after single strings", roots.state_root,
            "81a691a33cb04e893a6e33f7f7cc770ec65b382951c5116a9376bb857ec2c76f");
    submit_batch(400, next_of_strings);
    kernel_tidy(kernel, 50);
    seal(&roots);
    compare("state root after a batch of them", roots.state_root,
            "c4ccbd4a61e3ddd2c0dba06cb17597d58c2b1afa651e5aaac745909c801617bc");
    recompute_root(kernel_state(kernel), false, hash);
    if (memcmp(hash, roots.state_root, SHA256_SIZE) != 0) failed++;
    recompute_root(kernel_state(kernel), true, hash);
    compare("content root with strings", hash,
            "0dc3ba4ed83ff94ea7ec61cd6c3d6babe14578bbdbc3488ee21fc690efba7e13");
    rfc6962_root(&log_tree, hash);
    compare("log root with strings", hash,
            "48972710347747e1f04faf368d30aa00f445472fd2efd6380475ba9fa737455f");
}

int golden_run(void) {
    struct memory_source source = {.take = take_region, .give = give_region};
    struct roots roots;
    uint8_t hash[SHA256_SIZE], halfway[SHA256_SIZE];
    const struct state *view;
    failed = 0;
    random_state = 20;
    rfc6962_begin(&log_tree);
    sha256_begin(&leaves);
    if (kernel_create(&source, &kernel)) return 1;

    for (int i = 0; i < 400; i++) {
        struct change change = next_change();
        submit(&change);
        if (i % 50 == 49) seal(&roots);
    }
    memcpy(halfway, roots.state_root, SHA256_SIZE);
    compare("state root after the single changes", halfway,
            "1834534bf95e496848e7b6dd902a6549c4fb77662cf589c516772b1ffc9828b0");
    if (kernel_freeze(kernel, &view)) failed++;
    submit_batch(7, next_change);
    submit_batch(1200, next_change); /* Too long to be inline. */
    kernel_tidy(kernel, 50);
    seal(&roots);
    compare("state root after the batches", roots.state_root,
            "d03ae6a4ed936d5b706e949759d49246729c45a69ba8976317ea673697c21c37");
    recompute_root(kernel_state(kernel), true, hash);
    compare("content root", hash,
            "f556bd8575f8fc34ffa6e30f40b0fa98ee6af95d3b52031490debb011db6a761");
    hash_answers(hash);
    compare("search results", hash,
            "8ed5e9258794fca6624db8fa2ced8ff2313603cd8873410dc5a5512a949c82a2");
    recompute_root(view, false, hash);
    if (memcmp(hash, halfway, SHA256_SIZE) != 0) {
        failed++;
        golden_line("the frozen view has another root than when it was frozen");
    }
    kernel_release(kernel, view);

    struct change flush = {.type = CHANGE_FLUSH, .db = 5};
    submit(&flush);
    seal(&roots);
    compare("state root at the end", roots.state_root,
            "c601f3456f5993b40e0040e9c8067b64cc01438546a6a60a5f6d2ec5d03feef0");
    recompute_root(kernel_state(kernel), false, hash);
    if (memcmp(hash, roots.state_root, SHA256_SIZE) != 0) failed++;
    sha256_end(&leaves, hash);
    compare("leaf hashes", hash,
            "13038acd78dee35dcb2d5e4db68a8cdcf3b3534d7d2ea39bee54b67b3f3fe8e5");
    rfc6962_root(&log_tree, hash);
    compare("log root", hash,
            "b318efc1ced7166c37aaa355cf43fd5382e87b93ab6f615ea572cb8b52e3546f");
    go_on_with_strings();
    kernel_destroy(kernel);
    return failed;
}
