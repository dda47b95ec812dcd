/* SHA-256: FIPS vectors, every split, every implementation, and HMAC over it. */
#include "base/sha256.h"

#include "test.h"
#include "vectors.h"

static const char *const implementations[] = {"portable", "sha-ni", "armv8"};
enum { IMPLEMENTATIONS = 3 };

static void expect_digest(const char *message, const char *wanted_hex) {
    uint8_t digest[SHA256_SIZE], wanted[SHA256_SIZE];
    test_unhex(wanted_hex, wanted);
    sha256(message, strlen(message), digest);
    EXPECT_BYTES(digest, wanted, SHA256_SIZE);
}

static void works_before_a_choice(void) {
    expect_digest("abc",
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void matches_published_digests(void) {
    for (int i = 0; i < IMPLEMENTATIONS; i++) {
        if (!sha256_select(implementations[i])) continue;
        expect_digest("",
                      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        expect_digest("abc",
                      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        /* FIPS 180-2, B.2: 448 bits, so that the padding takes a second block. */
        expect_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
        /* NIST's 896-bit example. */
        expect_digest("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                      "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    }
    sha256_select(NULL);
}

static void hashes_a_million_a(void) {
    static uint8_t message[1000000];
    memset(message, 'a', sizeof message);
    uint8_t wanted[SHA256_SIZE], digest[SHA256_SIZE];
    test_unhex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
               wanted);
    for (int i = 0; i < IMPLEMENTATIONS; i++) {
        if (!sha256_select(implementations[i])) continue;
        sha256(message, sizeof message, digest);
        EXPECT_BYTES(digest, wanted, SHA256_SIZE);

        struct sha256 hash;
        sha256_begin(&hash);
        for (size_t at = 0, step = 1; at < sizeof message;
             at += step, step = step * 7 % 1009) {
            if (step > sizeof message - at) step = sizeof message - at;
            sha256_add(&hash, message + at, step);
        }
        sha256_end(&hash, digest);
        EXPECT_BYTES(digest, wanted, SHA256_SIZE);
    }
    sha256_select(NULL);
}

/* Every length around the ends of blocks: one digest over the digests of 0 to 300 bytes,
 * made with another implementation (Python's hashlib). */
static void matches_another_implementation(void) {
    uint8_t message[300], digest[SHA256_SIZE], wanted[SHA256_SIZE];
    for (size_t i = 0; i < sizeof message; i++) message[i] = (uint8_t)(i % 251);
    struct sha256 all;
    sha256_begin(&all);
    for (size_t size = 0; size <= sizeof message; size++) {
        sha256(message, size, digest);
        sha256_add(&all, digest, SHA256_SIZE);
    }
    sha256_end(&all, digest);
    test_unhex("b90e35153500e9a471591550ee25a954527c6b4448afff95f7949a2ca93300ce",
               wanted);
    EXPECT_BYTES(digest, wanted, SHA256_SIZE);
}

static void fill(uint8_t *bytes, size_t size) {
    uint32_t x = 1;
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 24);
    }
}

static void every_split_equals_one_shot(void) {
    uint8_t message[200], wanted[SHA256_SIZE], digest[SHA256_SIZE];
    fill(message, sizeof message);
    for (size_t size = 0; size <= sizeof message; size++) {
        sha256(message, size, wanted);
        for (size_t split = 0; split <= size; split++) {
            struct sha256 hash;
            sha256_begin(&hash);
            sha256_add(&hash, message, split);
            sha256_add(&hash, NULL, 0);
            sha256_add(&hash, message + split, size - split);
            sha256_end(&hash, digest);
            EXPECT_BYTES(digest, wanted, SHA256_SIZE);
        }
    }
}

/* From every alignment, too. */
static void implementations_agree(void) {
    uint8_t bytes[300 + 16], wanted[SHA256_SIZE], digest[SHA256_SIZE];
    fill(bytes, sizeof bytes);
    for (size_t size = 0; size <= 300; size++) {
        const uint8_t *message = bytes + size % 16;
        EXPECT(sha256_select("portable") != NULL);
        sha256(message, size, wanted);
        for (int i = 1; i < IMPLEMENTATIONS; i++) {
            if (!sha256_select(implementations[i])) continue;
            sha256(message, size, digest);
            EXPECT_BYTES(digest, wanted, SHA256_SIZE);
        }
    }
    sha256_select(NULL);
}

/* Two at once are two, for every length around the ends of blocks. */
static void two_are_as_one_and_one(void) {
    uint8_t messages[2][200], wanted[SHA256_SIZE], digests[2][SHA256_SIZE];
    for (size_t i = 0; i < sizeof messages[0]; i++) {
        messages[0][i] = (uint8_t)(i * 37 + 5);
        messages[1][i] = (uint8_t)(i * 91 + 200);
    }
    const void *const from[2] = {messages[0], messages[1]};
    uint8_t *const to[2] = {digests[0], digests[1]};
    for (int i = 0; i < IMPLEMENTATIONS; i++) {
        if (!sha256_select(implementations[i])) continue;
        for (size_t size = 0; size <= sizeof messages[0]; size++) {
            sha256_two(from, size, to);
            for (int j = 0; j < 2; j++) {
                sha256(messages[j], size, wanted);
                EXPECT_BYTES(digests[j], wanted, SHA256_SIZE);
            }
        }
    }
    sha256_select(NULL);
}

static void refuses_unknown_implementations(void) {
    const char *best = sha256_select(NULL);
    EXPECT(best != NULL);
    EXPECT(sha256_select("md5") == NULL);
    EXPECT(sha256_select("") == NULL);
    EXPECT(sha256_select("portabl") == NULL);
    EXPECT(sha256_select("portable2") == NULL);
#if !defined(__aarch64__)
    EXPECT(sha256_select("armv8") == NULL);
#endif
#if !defined(__x86_64__)
    EXPECT(sha256_select("sha-ni") == NULL);
#endif
    expect_digest("abc",
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT(strcmp(sha256_select(best), best) == 0);
}

/* RFC 2104. */
static void hmac(const uint8_t *key, size_t key_size, const uint8_t *message, size_t size,
                 uint8_t tag[SHA256_SIZE]) {
    uint8_t padded[64] = {0}, inner[64], outer[64];
    if (key_size > sizeof padded) sha256(key, key_size, padded);
    else memcpy(padded, key, key_size);
    for (size_t i = 0; i < sizeof padded; i++) {
        inner[i] = padded[i] ^ 0x36;
        outer[i] = padded[i] ^ 0x5c;
    }
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, inner, sizeof inner);
    sha256_add(&hash, message, size);
    sha256_end(&hash, tag);
    sha256_begin(&hash);
    sha256_add(&hash, outer, sizeof outer);
    sha256_add(&hash, tag, SHA256_SIZE);
    sha256_end(&hash, tag);
}

/* Each test of the file gives key, message and tag, which may be cut short, and then the
 * result. Each must come out as it says. */
static int run_hmac_vectors(const char *text) {
    uint8_t key[512], message[4096], tag[SHA256_SIZE], wanted[SHA256_SIZE];
    size_t key_size = 0, size = 0, tag_size = 0;
    int count = 0;
    for (struct token token; (token = next_token(&text)).text;) {
        if (!token.string) continue;
        if (token_is(token, "key")) {
            key_size = token_hex(next_token(&text), key, sizeof key);
        } else if (token_is(token, "msg")) {
            size = token_hex(next_token(&text), message, sizeof message);
        } else if (token_is(token, "tag")) {
            tag_size = token_hex(next_token(&text), wanted, sizeof wanted);
        } else if (token_is(token, "result")) {
            bool valid = token_is(next_token(&text), "valid");
            hmac(key, key_size, message, size, tag);
            EXPECT_EQUAL(tag_size > 0 && memcmp(tag, wanted, tag_size) == 0, valid);
            count++;
        }
    }
    return count;
}

static void hmac_matches_wycheproof(void) {
    char path[1024];
    vectors_path(path, sizeof path, "wycheproof-hmac_sha256_test.json");
    char *text = vectors_read(path);
    if (!text) SKIP("174 HMAC vectors are in the shared folder, which is not here");
    EXPECT_EQUAL(run_hmac_vectors(text), 174);
    free(text);
}

int main(void) {
    RUN(works_before_a_choice);
    RUN(matches_published_digests);
    RUN(hashes_a_million_a);
    RUN(matches_another_implementation);
    RUN(every_split_equals_one_shot);
    RUN(implementations_agree);
    RUN(two_are_as_one_and_one);
    RUN(refuses_unknown_implementations);
    RUN(hmac_matches_wycheproof);
    return test_finish();
}
