/* The counted trie: golden roots, then every insertion and removal against the recursion that
 * docs/format.md section 7 gives, written here without nodes, pools or state. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "base/bytes.h"
#include "kernel/trie.h"

#include "fixture.h"

/* --- The naive trie ----------------------------------------------------------------------- */

struct pair {
    uint8_t key[SHA256_SIZE], value[SHA256_SIZE];
};

/* What a trie is made of: ours, or that of the JMT vectors. */
struct scheme {
    void (*leaf)(const struct pair *pair, struct trie_sum *sum);
    void (*node)(const struct trie_sum *left, const struct trie_sum *right,
                 struct trie_sum *sum);
    const char *empty;
};

static void our_leaf(const struct pair *pair, struct trie_sum *sum) {
    uint8_t bytes[65] = {0x10};
    memcpy(bytes + 1, pair->key, 32);
    memcpy(bytes + 33, pair->value, 32);
    sha256(bytes, sizeof bytes, sum->root);
}
static void our_node(const struct trie_sum *left, const struct trie_sum *right,
                     struct trie_sum *sum) {
    uint8_t bytes[81] = {0x11};
    store_le64(bytes + 1, left->count);
    memcpy(bytes + 9, left->root, 32);
    store_le64(bytes + 41, right->count);
    memcpy(bytes + 49, right->root, 32);
    sha256(bytes, sizeof bytes, sum->root);
}
static const struct scheme ours = {our_leaf, our_node, NULL};

/* `pairs` have no order; they are parted in place by bit `depth`. */
static void naive_trie(const struct scheme *scheme, struct pair *pairs, size_t count,
                       uint32_t depth, struct trie_sum *sum) {
    *sum = (struct trie_sum){.count = count};
    if (count == 0 && scheme->empty) memcpy(sum->root, scheme->empty, SHA256_SIZE);
    if (count == 1) scheme->leaf(pairs, sum);
    if (count < 2) return;
    size_t zeros = 0;
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].key[depth / 8] >> (7 - depth % 8) & 1) continue;
        struct pair moved = pairs[zeros];
        pairs[zeros++] = pairs[i];
        pairs[i] = moved;
    }
    struct trie_sum left, right;
    naive_trie(scheme, pairs, zeros, depth + 1, &left);
    naive_trie(scheme, pairs + zeros, count - zeros, depth + 1, &right);
    scheme->node(&left, &right, sum);
}

/* --- Ours --------------------------------------------------------------------------------- */

enum { PAIRS = 400 };

static struct source source;
static struct memory memory;
static struct pool nodes, leaves;
static uint32_t root;

static void begin(void) {
    struct memory_source from = source_begin(&source);
    memory_begin(&memory, &from);
    pool_begin(&nodes, sizeof(struct trie_node), 4096, "b");
    pool_begin(&leaves, sizeof(struct trie_leaf), 4096, "b");
    root = 0;
}
static void end(void) {
    memory_end(&memory);
    EXPECT_EQUAL(source.taken, 0);
}

static uint32_t insert(const struct pair *pair) {
    uint32_t row = pool_take(&memory, &leaves);
    struct trie_leaf *leaf = pool_own(&memory, &leaves, row);
    memcpy(leaf->key, pair->key, SHA256_SIZE);
    trie_leaf_hash(pair->key, pair->value, leaf->hash);
    trie_insert(&memory, &nodes, &leaves, &root, row);
    return row;
}

static struct trie_sum sealed(void) {
    struct trie_sum sum;
    trie_seal(&memory, &nodes, &leaves, root);
    trie_sum(&nodes, &leaves, root, &sum);
    return sum;
}

static bool same(const struct trie_sum *a, const struct trie_sum *b) {
    return a->count == b->count && memcmp(a->root, b->root, SHA256_SIZE) == 0;
}

/* --- Golden ------------------------------------------------------------------------------- */

static void golden_records_trie(void) {
    begin();
    uint8_t bytes[21] = {1, 4}, wanted[SHA256_SIZE];
    static const int32_t values[] = {65536, -65536, 0, 32768};
    for (int i = 0; i < 4; i++) store_le32(bytes + 5 + 4 * i, (uint32_t)values[i]);
    uint8_t value[1 + 8 + 1 + 64] = {0x13};
    value[9] = 3;
    hash_payload('V', slice_of(bytes, sizeof bytes), value + 10);
    hash_payload('A', slice_text("{\"y\":1}"), value + 42);
    EXPECT_EQUAL(sealed().count, 0);
    EXPECT_BYTES(sealed().root, (uint8_t[32]){0}, 32);
    for (int i = 0; i < 5; i++) {
        struct pair pair;
        char name = (char)('a' + i);
        store_le64(value + 1, (uint64_t)i);
        hash_element_name(slice_of(&name, 1), pair.key);
        sha256(value, sizeof value, pair.value);
        insert(&pair);
    }
    test_unhex("4606fc0ff2267f54d30aa1236148a65fe5f95cb7b12dbdd392aa30ba88624aca", wanted);
    EXPECT_EQUAL(sealed().count, 5);
    EXPECT_BYTES(sealed().root, wanted, SHA256_SIZE);
    end();
}

/* --- The shapes of another project -------------------------------------------------------- */

static void jmt_leaf(const struct pair *pair, struct trie_sum *sum) {
    uint8_t bytes[13 + 64];
    memcpy(bytes, "JMT::LeafNode", 13);
    memcpy(bytes + 13, pair->key, 32);
    memcpy(bytes + 45, pair->value, 32);
    sha256(bytes, sizeof bytes, sum->root);
}
static void jmt_node(const struct trie_sum *left, const struct trie_sum *right,
                     struct trie_sum *sum) {
    uint8_t bytes[16 + 64];
    memcpy(bytes, "JMT::IntrnalNode", 16);
    memcpy(bytes + 16, left->root, 32);
    memcpy(bytes + 48, right->root, 32);
    sha256(bytes, sizeof bytes, sum->root);
}
static const struct scheme jmt = {jmt_leaf, jmt_node, "SPARSE_MERKLE_PLACEHOLDER_HASH__"};

/* Our nodes, hashed as JMT hashes: its root comes out only if the shapes are the same. */
static void walk_as_jmt(uint32_t reference, const struct pair *pairs, struct trie_sum *sum) {
    if (reference == 0) {
        memcpy(sum->root, jmt.empty, SHA256_SIZE);
    } else if (reference & TRIE_LEAF) {
        const struct trie_leaf *leaf = pool_row(&leaves, reference & ~TRIE_LEAF);
        size_t i = 0;
        while (memcmp(pairs[i].key, leaf->key, SHA256_SIZE) != 0) i++;
        jmt_leaf(&pairs[i], sum);
    } else {
        const struct trie_node *node = pool_row(&nodes, reference - 1);
        struct trie_sum left, right;
        walk_as_jmt(node->child[0], pairs, &left);
        walk_as_jmt(node->child[1], pairs, &right);
        jmt_node(&left, &right, sum);
    }
}

/* The hash of the bytes that follow `"name": "` as hex digits, from *at on. */
static bool hash_of_field(const char **at, const char *name, uint8_t hash[SHA256_SIZE]) {
    const char *found = strstr(*at, name);
    if (!found) return false;
    *at = strchr(found, ':') + 3;
    uint8_t bytes[64];
    size_t size = 0;
    unsigned byte;
    for (; sscanf(*at, "%2x", &byte) == 1; *at += 2) bytes[size++] = (uint8_t)byte;
    sha256(bytes, size, hash);
    return true;
}

static void jmt_vectors(void) {
    const char *shared = getenv("VALORI_SHARED");
    char path[1024];
    snprintf(path, sizeof path, "%s/vectors/jmt-sha256.json", shared ? shared : "../shared");
    FILE *file = fopen(path, "rb");
    if (!file) SKIP("no vectors/jmt-sha256.json in VALORI_SHARED");
    static char text[65536];
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    int vectors = 0;
    for (char *next, *at = strstr(text, "expected_root"); at; at = next, vectors++) {
        next = strstr(at + 1, "expected_root");
        if (next) next[-1] = '\0'; /* What follows belongs to the next vector. */
        uint8_t wanted[SHA256_SIZE];
        struct pair pairs[8];
        size_t count = 0;
        char hex[65] = {0};
        memcpy(hex, strchr(at, ':') + 3, 64);
        test_unhex(hex, wanted);
        for (const char *field = at; hash_of_field(&field, "\"key\"", pairs[count].key); count++)
            EXPECT(hash_of_field(&field, "\"value\"", pairs[count].value));
        begin();
        for (size_t i = 0; i < count; i++) insert(&pairs[i]);
        struct trie_sum sum;
        walk_as_jmt(root, pairs, &sum);
        EXPECT_BYTES(sum.root, wanted, SHA256_SIZE);
        naive_trie(&jmt, pairs, count, 0, &sum);
        EXPECT_BYTES(sum.root, wanted, SHA256_SIZE);
        end();
    }
    EXPECT_EQUAL(vectors, 3);
}

/* --- Random runs -------------------------------------------------------------------------- */

/* Keys that share many leading bits with one of a few stems, up to all but the last. */
static void random_key(uint64_t *random, bool long_paths, uint8_t key[SHA256_SIZE]) {
    for (int i = 0; i < 4; i++) store_le64(key + 8 * i, chance(random));
    if (!long_paths) return;
    uint64_t stem_state = chance_below(random, 3);
    uint8_t stem[SHA256_SIZE];
    for (int i = 0; i < 4; i++) store_le64(stem + 8 * i, chance(&stem_state));
    uint32_t bits = chance_below(random, 4) ? chance_below(random, 256) : 255;
    for (uint32_t i = 0; i < bits; i++) {
        uint8_t mask = (uint8_t)(0x80 >> i % 8);
        key[i / 8] = (uint8_t)((key[i / 8] & ~mask) | (stem[i / 8] & mask));
    }
}

static bool marked(uint32_t reference) {
    if (reference == 0 || reference & TRIE_LEAF) return false;
    return ((const struct trie_node *)pool_row(&nodes, reference - 1))->dirty;
}

/* Is every node's count what lies below it, none of them needless, and no mark below a node
 * without one? */
static uint64_t sound(uint32_t reference) {
    if (reference == 0) return 0;
    if (reference & TRIE_LEAF) return 1;
    const struct trie_node *node = pool_row(&nodes, reference - 1);
    EXPECT(node->dirty || (!marked(node->child[0]) && !marked(node->child[1])));
    uint64_t count = sound(node->child[0]) + sound(node->child[1]);
    EXPECT_EQUAL(node->count, count);
    EXPECT(count >= 2);
    return count;
}

/* How many of the changed keys are settled at once. */
enum settling { SETTLE_NONE, SETTLE_SOME, SETTLE_ALL };

static void settle(uint64_t *random, enum settling settling,
                   const uint8_t key[SHA256_SIZE]) {
    if (settling == SETTLE_NONE || (settling == SETTLE_SOME && chance_below(random, 2)))
        return;
    trie_settle(&memory, &nodes, &leaves, root, key);
}

static void run_against_naive(uint64_t seed, bool long_paths, int steps,
                              enum settling settling) {
    begin();
    static struct pair pairs[PAIRS], copy[PAIRS];
    static uint32_t rows[PAIRS];
    size_t count = 0;
    uint64_t random = seed;
    for (int step = 0; step < steps && test_run.ok; step++) {
        uint32_t draw = chance_below(&random, 100);
        uint32_t growing = step / 300 % 2 ? 35 : 60;
        if (draw < growing && count < PAIRS) {
            struct pair *pair = &pairs[count];
            random_key(&random, long_paths, pair->key);
            random_key(&random, false, pair->value);
            bool there = trie_find(&nodes, &leaves, root, pair->key) != UINT32_MAX;
            if (!there) rows[count++] = insert(pair);
            settle(&random, settling, pair->key);
        } else if (draw < 92 && count > 0) {
            uint32_t i = chance_below(&random, (uint32_t)count);
            EXPECT_EQUAL(trie_find(&nodes, &leaves, root, pairs[i].key), rows[i]);
            trie_remove(&memory, &nodes, &leaves, &root, rows[i]);
            EXPECT_EQUAL(trie_find(&nodes, &leaves, root, pairs[i].key), UINT32_MAX);
            pool_give(&memory, &leaves, rows[i]);
            settle(&random, settling, pairs[i].key); /* Of a key that is gone. */
            pairs[i] = pairs[--count];
            rows[i] = rows[count];
        } else if (count > 0) {
            uint32_t i = chance_below(&random, (uint32_t)count);
            random_key(&random, false, pairs[i].value);
            struct trie_leaf *leaf = pool_own(&memory, &leaves, rows[i]);
            trie_leaf_hash(pairs[i].key, pairs[i].value, leaf->hash);
            trie_touch(&memory, &nodes, &leaves, root, rows[i]);
            settle(&random, settling, pairs[i].key);
        }
        if (settling != SETTLE_NONE && step % 16 == 0) EXPECT_EQUAL(sound(root), count);
        if (chance_below(&random, 3) > 0) continue; /* Marks of several steps come together. */
        struct trie_sum mine = sealed(), naive;
        memcpy(copy, pairs, count * sizeof *pairs);
        naive_trie(&ours, copy, count, 0, &naive);
        EXPECT(same(&mine, &naive));
        EXPECT_EQUAL(sound(root), count);
    }
    while (count-- > 0) trie_remove(&memory, &nodes, &leaves, &root, rows[count]);
    EXPECT_EQUAL(root, 0);
    EXPECT_EQUAL(nodes.free_count, nodes.limit); /* Every node came back. */
    end();
}

static void short_paths(void) { run_against_naive(1, false, 3000, SETTLE_NONE); }
static void long_paths(void) { run_against_naive(2, true, 2000, SETTLE_NONE); }

static void settling_changes_no_root(void) {
    for (uint64_t seed = 0; seed < 3; seed++) {
        run_against_naive(10 + seed, false, 1000, SETTLE_ALL);
        run_against_naive(20 + seed, true, 700, SETTLE_ALL);
        run_against_naive(30 + seed, true, 700, SETTLE_SOME);
    }
}

/* --- Settling ----------------------------------------------------------------------------- */

/* A trie that is deeper than what is left to the seal: below that nothing stays marked. */
static void settling_leaves_the_upper_levels_only(void) {
    enum { MANY = 8192 };
    begin();
    uint64_t random = 5;
    struct pair pair;
    for (int i = 0; i < MANY; i++) {
        random_key(&random, false, pair.key);
        random_key(&random, false, pair.value);
        insert(&pair);
    }
    sealed();
    for (int i = 0; i < 50; i++) {
        random_key(&random, false, pair.key);
        random_key(&random, false, pair.value);
        insert(&pair);
        trie_settle(&memory, &nodes, &leaves, root, pair.key);
        uint32_t reference = root, depth = 0;
        for (; reference && !(reference & TRIE_LEAF); depth++) {
            EXPECT_EQUAL(marked(reference), depth < TRIE_UPPER);
            const struct trie_node *node = pool_row(&nodes, reference - 1);
            reference = node->child[trie_bit(pair.key, depth)];
        }
        EXPECT(depth > TRIE_UPPER);
    }
    EXPECT_EQUAL(sound(root), MANY + 50);
    end();
}

/* One history in three kernels: hashing at once, at the seal, and now this, now that. */
static void live_kernels_have_the_same_roots(void) {
    enum { KERNELS = 3, STEPS = 9000, NAMES = 4000 };
    struct source sources[KERNELS];
    struct kernel *kernels[KERNELS];
    for (int i = 0; i < KERNELS; i++) {
        struct memory_source from = source_begin(&sources[i]);
        EXPECT_EQUAL(kernel_create(&from, &kernels[i]), STATUS_OK);
        kernel_set_live(kernels[i], i == 1);
    }
    uint64_t random = 91;
    for (uint64_t step = 0; step < STEPS && test_run.ok; step++) {
        static struct made made;
        char name[12], attributes[40];
        const char *key = chance_below(&random, 10) ? "k" : "l";
        snprintf(name, sizeof name, "e%u", chance_below(&random, NAMES));
        snprintf(attributes, sizeof attributes, "{\"x\":%u}", chance_below(&random, 1000));
        uint32_t draw = chance_below(&random, 2000);
        if (draw < 1400) make_vadd(&made, key, name, (int32_t)draw);
        else if (draw < 1700) make(&made, CHANGE_VREM, key, name);
        else if (draw < 1850) make_setattr(&made, key, name, attributes);
        else if (draw < 1998) make_settag(&made, key, name, draw);
        else make(&made, CHANGE_DEL, draw == 1998 ? "k" : "l", NULL);
        if (chance_below(&random, 50) == 0) kernel_set_live(kernels[2], draw & 1);
        enum status first = perform(kernels[0], step, &made.change);
        for (int i = 1; i < KERNELS; i++)
            EXPECT_EQUAL(perform(kernels[i], step, &made.change), first);
        if (chance_below(&random, 400) > 0 && step + 1 < STEPS) continue;
        struct roots roots, others;
        kernel_seal(kernels[0], &roots);
        for (int i = 1; i < KERNELS; i++) {
            kernel_seal(kernels[i], &others);
            EXPECT_BYTES(others.state_root, roots.state_root, SHA256_SIZE);
            EXPECT(same(&others.keyspace, &roots.keyspace));
        }
    }
    for (int i = 0; i < KERNELS; i++) {
        struct roots roots, recomputed;
        kernel_seal(kernels[i], &roots);
        EXPECT_EQUAL(recompute_all(kernel_state(kernels[i]), false, &recomputed), STATUS_OK);
        EXPECT_BYTES(recomputed.state_root, roots.state_root, SHA256_SIZE);
        kernel_destroy(kernels[i]);
        EXPECT_EQUAL(sources[i].taken, 0);
    }
}

/* Two keys that differ in the last bit alone: 256 nodes, which all go with one of them. */
static void deepest_path(void) {
    begin();
    struct pair pairs[3] = {0};
    pairs[1].key[31] = 1;
    pairs[2].key[31] = 2;
    pairs[1].value[0] = 1;
    uint32_t rows[3];
    for (int i = 0; i < 2; i++) rows[i] = insert(&pairs[i]);
    EXPECT_EQUAL(nodes.limit - nodes.free_count, 256);
    rows[2] = insert(&pairs[2]);
    EXPECT_EQUAL(nodes.limit - nodes.free_count, 256);
    struct trie_sum mine = sealed(), naive;
    naive_trie(&ours, pairs, 3, 0, &naive);
    EXPECT(same(&mine, &naive));
    trie_remove(&memory, &nodes, &leaves, &root, rows[1]);
    EXPECT_EQUAL(nodes.limit - nodes.free_count, 255); /* Depth 0 to 254. */
    trie_remove(&memory, &nodes, &leaves, &root, rows[0]);
    EXPECT_EQUAL(root, TRIE_LEAF | rows[2]);
    EXPECT_EQUAL(nodes.limit, nodes.free_count);
    end();
}

/* One set has one root, in whatever order it came about. */
static void order_leaves_no_trace(void) {
    static struct pair pairs[PAIRS];
    uint64_t random = 77;
    for (int i = 0; i < PAIRS; i++) {
        random_key(&random, i % 2, pairs[i].key); /* Some of the long ones come twice. */
        sha256(pairs[i].key, SHA256_SIZE, pairs[i].value);
    }
    struct trie_sum first = {0};
    for (int round = 0; round < 4; round++) {
        begin();
        for (int i = 0; i < PAIRS; i++) {
            const struct pair *pair = &pairs[(i * 7 + round * 91) % PAIRS];
            if (trie_find(&nodes, &leaves, root, pair->key) == UINT32_MAX) insert(pair);
            if (round == 2) sealed();
            if (round < 3 || i % 3) continue;
            uint32_t row = trie_find(&nodes, &leaves, root, pair->key); /* There and back. */
            trie_remove(&memory, &nodes, &leaves, &root, row);
            trie_insert(&memory, &nodes, &leaves, &root, row);
        }
        struct trie_sum sum = sealed();
        if (round == 0) first = sum;
        EXPECT(same(&sum, &first));
        end();
    }
}

int main(void) {
    RUN(golden_records_trie);
    RUN(jmt_vectors);
    RUN(short_paths);
    RUN(long_paths);
    RUN(settling_changes_no_root);
    RUN(settling_leaves_the_upper_levels_only);
    RUN(live_kernels_have_the_same_roots);
    RUN(deepest_path);
    RUN(order_leaves_no_trace);
    return test_finish();
}
