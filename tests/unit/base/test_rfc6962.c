/* The Merkle tree: golden hashes, an oracle that follows the RFC's recursion, and the
 * public proofs, most of which are forged. */
#include "base/rfc6962.h"

#include <dirent.h>

#include "test.h"
#include "vectors.h"

enum { TREE = 70 }; /* leaves in the oracle's tests: past one 64 and not a power of two */

static void leaf_of_text(const char *text, uint8_t leaf[SHA256_SIZE]) {
    rfc6962_leaf(slice_text(text), slice_of(NULL, 0), leaf);
}

static void golden_hashes(void) {
    uint8_t hash[SHA256_SIZE], wanted[SHA256_SIZE], pieces[SHA256_SIZE];
    struct rfc6962_range range;
    rfc6962_begin(&range);
    rfc6962_root(&range, hash);
    test_unhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
               wanted);
    EXPECT_BYTES(hash, wanted, SHA256_SIZE);

    leaf_of_text("", hash);
    test_unhex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
               wanted);
    EXPECT_BYTES(hash, wanted, SHA256_SIZE);

    leaf_of_text("L123456", hash);
    test_unhex("395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56",
               wanted);
    EXPECT_BYTES(hash, wanted, SHA256_SIZE);
    rfc6962_leaf(slice_text("L12"), slice_text("3456"), pieces);
    EXPECT_BYTES(pieces, wanted, SHA256_SIZE);
}

/* The published node is over two short texts, so the tag is checked through the hash
 * itself. */
static void golden_node(void) {
    uint8_t hash[SHA256_SIZE], wanted[SHA256_SIZE];
    sha256("\x01N123N456", 9, hash);
    test_unhex("aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb",
               wanted);
    EXPECT_BYTES(hash, wanted, SHA256_SIZE);

    uint8_t bytes[65] = {0x01}, left[SHA256_SIZE], right[SHA256_SIZE];
    leaf_of_text("N123", left);
    leaf_of_text("N456", right);
    memcpy(bytes + 1, left, SHA256_SIZE);
    memcpy(bytes + 33, right, SHA256_SIZE);
    sha256(bytes, sizeof bytes, wanted);
    rfc6962_node(left, right, hash);
    EXPECT_BYTES(hash, wanted, SHA256_SIZE);
    rfc6962_node(left, right, right); /* The result may overwrite an argument. */
    EXPECT_BYTES(right, wanted, SHA256_SIZE);
}

/* Certificate Transparency's reference tree: roots after each of its eight leaves. */
static void golden_roots(void) {
    static const struct {
        const char *entry_hex, *root_start_hex;
    } rows[] = {
        {"", "6e340b9c"},
        {"00", "fac54203"},
        {"10", "aeb6bcfe"},
        {"2021", "d37ee418"},
        {"3031", "4e3bbb1f"},
        {"40414243", "76e67dad"},
        {"5051525354555657", "ddb89be4"},
        {"606162636465666768696a6b6c6d6e6f", "5dc9da79"},
    };
    struct rfc6962_range range;
    uint8_t hash[SHA256_SIZE];
    rfc6962_begin(&range);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t entry[16], wanted[4];
        test_unhex(rows[i].entry_hex, entry);
        test_unhex(rows[i].root_start_hex, wanted);
        rfc6962_leaf(slice_of(entry, strlen(rows[i].entry_hex) / 2), slice_of(NULL, 0),
                     hash);
        rfc6962_append(&range, hash);
        rfc6962_root(&range, hash);
        EXPECT_BYTES(hash, wanted, sizeof wanted);
    }
    EXPECT_EQUAL(range.size, 8);
}

/* --- The oracle: the definitions of RFC 6962, 2.1, as they stand there ------------ */

static uint8_t leaves[TREE][SHA256_SIZE];

static void make_leaves(void) {
    for (uint8_t i = 0; i < TREE; i++)
        rfc6962_leaf(slice_of(&i, 1), slice_of(NULL, 0), leaves[i]);
}

/* The largest power of two smaller than n. */
static size_t split_of(size_t n) {
    size_t k = 1;
    while (2 * k < n) k *= 2;
    return k;
}

static void tree_hash(size_t first, size_t n, uint8_t root[SHA256_SIZE]) {
    if (n == 1) {
        memcpy(root, leaves[first], SHA256_SIZE);
        return;
    }
    uint8_t left[SHA256_SIZE], right[SHA256_SIZE];
    size_t k = split_of(n);
    tree_hash(first, k, left);
    tree_hash(first + k, n - k, right);
    rfc6962_node(left, right, root);
}

/* PATH(index, D[first:first+n]); gives the number of hashes. */
static size_t path(size_t index, size_t first, size_t n, uint8_t proof[][SHA256_SIZE]) {
    if (n == 1) return 0;
    size_t k = split_of(n), count;
    if (index < k) {
        count = path(index, first, k, proof);
        tree_hash(first + k, n - k, proof[count]);
    } else {
        count = path(index - k, first + k, n - k, proof);
        tree_hash(first, k, proof[count]);
    }
    return count + 1;
}

/* SUBPROOF(size1, D[first:first+n], known). */
static size_t subproof(size_t size1, size_t first, size_t n, bool known,
                       uint8_t proof[][SHA256_SIZE]) {
    if (size1 == n) {
        if (known) return 0;
        tree_hash(first, n, proof[0]);
        return 1;
    }
    size_t k = split_of(n), count;
    if (size1 <= k) {
        count = subproof(size1, first, k, known, proof);
        tree_hash(first + k, n - k, proof[count]);
    } else {
        count = subproof(size1 - k, first + k, n - k, false, proof);
        tree_hash(first, k, proof[count]);
    }
    return count + 1;
}

static void roots_match_the_recursion(void) {
    struct rfc6962_range range;
    uint8_t root[SHA256_SIZE], wanted[SHA256_SIZE];
    make_leaves();
    rfc6962_begin(&range);
    for (size_t n = 1; n <= TREE; n++) {
        rfc6962_append(&range, leaves[n - 1]);
        rfc6962_root(&range, root);
        tree_hash(0, n, wanted);
        EXPECT_BYTES(root, wanted, SHA256_SIZE);
    }
}

static void inclusion_accepts_only_its_proof(void) {
    uint8_t proof[12][SHA256_SIZE] = {{0}}, root[SHA256_SIZE];
    make_leaves();
    for (size_t n = 1; n <= TREE; n++) {
        tree_hash(0, n, root);
        for (size_t i = 0; i < n; i++) {
            size_t count = path(i, 0, n, proof);
            EXPECT(rfc6962_verify_inclusion(i, n, leaves[i], proof[0], count, root));
            EXPECT(!rfc6962_verify_inclusion(i, n, leaves[i], proof[0], count + 1, root));
            EXPECT(
                !rfc6962_verify_inclusion(i ^ 1, n, leaves[i], proof[0], count, root) ||
                n == 1);
            if (count == 0) continue;
            EXPECT(!rfc6962_verify_inclusion(i, n, leaves[i], proof[0], count - 1, root));
            proof[i % count][i % SHA256_SIZE] ^= 1;
            EXPECT(!rfc6962_verify_inclusion(i, n, leaves[i], proof[0], count, root));
        }
    }
    EXPECT(!rfc6962_verify_inclusion(1, 1, leaves[0], NULL, 0, leaves[0]));
    EXPECT(!rfc6962_verify_inclusion(0, 0, leaves[0], NULL, 0, leaves[0]));
    EXPECT(
        !rfc6962_verify_inclusion(UINT64_MAX, UINT64_MAX, leaves[0], NULL, 0, leaves[0]));
}

static void consistency_accepts_only_its_proof(void) {
    uint8_t proof[12][SHA256_SIZE] = {{0}}, root1[SHA256_SIZE], root2[SHA256_SIZE];
    make_leaves();
    for (size_t n = 1; n <= TREE; n++) {
        tree_hash(0, n, root2);
        for (size_t m = 1; m <= n; m++) {
            tree_hash(0, m, root1);
            size_t count = subproof(m, 0, n, true, proof);
            const uint8_t *p = proof[0];
            EXPECT(rfc6962_verify_consistency(m, n, p, count, root1, root2));
            EXPECT(!rfc6962_verify_consistency(m, n, p, count + 1, root1, root2));
            EXPECT(!rfc6962_verify_consistency(0, n, p, count, root1, root2));
            EXPECT(!rfc6962_verify_consistency(n + 1, n, p, count, root1, root2));
            if (count == 0) continue;
            EXPECT(!rfc6962_verify_consistency(m, n, p, count, root2, root1));
            EXPECT(!rfc6962_verify_consistency(m, n, p, count - 1, root1, root2));
            proof[m % count][m % SHA256_SIZE] ^= 1;
            EXPECT(!rfc6962_verify_consistency(m, n, p, count, root1, root2));
        }
    }
}

/* A proof that reaches the root but is longer than the claimed size allows: the siblings
 * of a larger tree, of which the claimed one is the right end. */
static void a_longer_climb_is_refused(void) {
    uint8_t proof[12][SHA256_SIZE] = {{0}}, root1[SHA256_SIZE], root2[SHA256_SIZE];
    make_leaves();
    for (size_t left = 4; left <= 32; left *= 2) {
        for (size_t n = 2; n <= left; n++) {
            tree_hash(0, left + n, root2);
            size_t count = path(left + n - 1, 0, left + n, proof);
            const uint8_t *leaf = leaves[left + n - 1], *p = proof[0];
            EXPECT(
                rfc6962_verify_inclusion(left + n - 1, left + n, leaf, p, count, root2));
            EXPECT(!rfc6962_verify_inclusion(n - 1, n, leaf, p, count, root2));

            size_t m = left + n - 1;
            tree_hash(0, m, root1);
            count = subproof(m, 0, m + 1, true, proof);
            EXPECT(rfc6962_verify_consistency(m, m + 1, p, count, root1, root2));
            EXPECT(!rfc6962_verify_consistency(n - 1, n, p, count, root1, root2));
        }
    }
}

/* Nothing is read from a proof that is not there. */
static void empty_proofs_have_no_bytes(void) {
    make_leaves();
    EXPECT(!rfc6962_verify_consistency(3, 5, NULL, 0, leaves[0], leaves[1]));
    EXPECT(!rfc6962_verify_consistency(4, 5, NULL, 0, leaves[0], leaves[0]));
    EXPECT(rfc6962_verify_consistency(5, 5, NULL, 0, leaves[0], leaves[0]));
    EXPECT(rfc6962_verify_inclusion(0, 1, leaves[0], NULL, 0, leaves[0]));
    EXPECT(!rfc6962_verify_inclusion(0, 2, leaves[0], NULL, 0, leaves[0]));
}

/* --- Public vectors -------------------------------------------------------------- */

struct proof_case {
    uint64_t index, size;           /* inclusion */
    uint64_t size1, size2;          /* consistency */
    uint8_t hashes[3][SHA256_SIZE]; /* leaf | root1, root | root2, unused */
    bool given[3];
    uint8_t proof[64][SHA256_SIZE];
    size_t count;
    bool refused;
};
enum { FIRST, SECOND };

/* Our functions take hashes of 32 bytes. Shorter ones, which stand for rubbish in the
 * files, are filled up with zeros, and whether there was one at all is kept. */
static void take_hash(struct proof_case *test, int which, struct token token) {
    memset(test->hashes[which], 0, SHA256_SIZE);
    test->given[which] = token_base64(token, test->hashes[which], SHA256_SIZE) > 0;
}

static void take_proof(struct proof_case *test, const char **text) {
    if (!token_is(next_token(text), "[")) return; /* null */
    for (struct token token; (token = next_token(text)).string && test->count < 64;)
        token_base64(token, test->proof[test->count++], SHA256_SIZE);
}

static uint64_t take_number(const char **text) {
    return strtoull(next_token(text).text, NULL, 10);
}

static struct proof_case parse_case(const char *text) {
    struct proof_case test = {0};
    for (struct token key; (key = next_token(&text)).text;) {
        if (token_is(key, "leafIdx")) test.index = take_number(&text);
        if (token_is(key, "treeSize")) test.size = take_number(&text);
        if (token_is(key, "size1")) test.size1 = take_number(&text);
        if (token_is(key, "size2")) test.size2 = take_number(&text);
        if (token_is(key, "leafHash")) take_hash(&test, FIRST, next_token(&text));
        if (token_is(key, "root")) take_hash(&test, SECOND, next_token(&text));
        if (token_is(key, "root1")) take_hash(&test, FIRST, next_token(&text));
        if (token_is(key, "root2")) take_hash(&test, SECOND, next_token(&text));
        if (token_is(key, "proof")) take_proof(&test, &text);
        if (token_is(key, "desc")) next_token(&text);
        if (token_is(key, "wantErr")) test.refused = token_is(next_token(&text), "true");
    }
    return test;
}

/* Two missing hashes are equal as zeros; a caller of ours could not even say that. */
static bool accepted(const struct proof_case *test, bool inclusion) {
    if (!test->given[FIRST] && !test->given[SECOND]) return false;
    const uint8_t *first = test->hashes[FIRST], *second = test->hashes[SECOND];
    if (inclusion)
        return rfc6962_verify_inclusion(test->index, test->size, first, test->proof[0],
                                        test->count, second);
    return rfc6962_verify_consistency(test->size1, test->size2, test->proof[0],
                                      test->count, first, second);
}

static int run_file(const char *name, bool inclusion) {
    char *text = vectors_read(name);
    if (!text) return 0;
    struct proof_case test = parse_case(text);
    free(text);
    bool right = accepted(&test, inclusion) != test.refused;
    if (!right) printf("  %s\n", name);
    EXPECT(right);
    return 1;
}

static bool is_json(const char *name) {
    size_t size = strlen(name);
    return size > 5 && strcmp(name + size - 5, ".json") == 0;
}

/* Run every file in `folder` and below; gives how many. */
static int run_files(const char *folder, bool inclusion) {
    DIR *directory = opendir(folder);
    if (!directory) return 0;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.') continue;
        char name[2048];
        snprintf(name, sizeof name, "%s/%s", folder, entry->d_name);
        count += is_json(name) ? run_file(name, inclusion) : run_files(name, inclusion);
    }
    closedir(directory);
    return count;
}

static void public_vectors(void) {
    char inclusion[1024], consistency[1024];
    vectors_path(inclusion, sizeof inclusion, "rfc6962/inclusion");
    vectors_path(consistency, sizeof consistency, "rfc6962/consistency");
    DIR *directory = opendir(inclusion);
    if (!directory) SKIP("196 public proofs are in the shared folder, which is not here");
    closedir(directory);
    EXPECT_EQUAL(run_files(inclusion, true), 98);
    EXPECT_EQUAL(run_files(consistency, false), 98);
}

int main(void) {
    RUN(golden_hashes);
    RUN(golden_node);
    RUN(golden_roots);
    RUN(roots_match_the_recursion);
    RUN(inclusion_accepts_only_its_proof);
    RUN(consistency_accepts_only_its_proof);
    RUN(a_longer_climb_is_refused);
    RUN(empty_proofs_have_no_bytes);
    RUN(public_vectors);
    return test_finish();
}
