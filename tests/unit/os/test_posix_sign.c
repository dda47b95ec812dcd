/* Ed25519, and the notes that it signs: RFC 8032, the edge cases of Wycheproof, the
 * example of c2sp.org/signed-note, cosignatures, and every byte of a note changed. */
#include "test.h"

#include "../base/vectors.h"
#include "base/note.h"
#include "os/sign.h"

/* --- Signatures -----------------------------------------------------------------------
 */

static void first_vector_of_rfc_8032(void) {
    static const char seed_hex[] =
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    static const char key_hex[] =
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    uint8_t seed[32], wanted[32], key[32], signature[64];
    token_hex((struct token){seed_hex, 64, true}, seed, 32);
    token_hex((struct token){key_hex, 64, true}, wanted, 32);
    sign_public_key(seed, key);
    EXPECT_BYTES(key, wanted, 32);
    sign_message(seed, slice_text(""), signature);
    EXPECT_EQUAL(signature[0], 0xe5);
    EXPECT_EQUAL(signature[63], 0x0b);
    EXPECT(sign_verify(key, slice_text(""), signature));
    EXPECT(!sign_verify(key, slice_text("x"), signature));
}

static void edge_cases_of_wycheproof(void) {
    char path[512];
    vectors_path(path, sizeof path, "wycheproof-ed25519_test.json");
    char *text = vectors_read(path);
    if (!text) SKIP("no shared vectors");
    static uint8_t key[32], message[4096], signature[128];
    size_t message_size = 0, signature_size = 0, seen = 0, valid = 0;
    const char *at = strstr(text, "testGroups");
    for (struct token token = next_token(&at); token.text; token = next_token(&at)) {
        if (!token.string) continue;
        if (token_is(token, "pk")) token_hex(next_token(&at), key, sizeof key);
        if (token_is(token, "msg"))
            message_size = token_hex(next_token(&at), message, sizeof message);
        if (token_is(token, "sig"))
            signature_size = token_hex(next_token(&at), signature, sizeof signature);
        if (!token_is(token, "result")) continue;
        bool wanted = token_is(next_token(&at), "valid");
        bool right = signature_size == SIGN_SIZE &&
                     sign_verify(key, slice_of(message, message_size), signature);
        EXPECT_EQUAL(right, wanted);
        seen++;
        valid += wanted;
    }
    EXPECT_EQUAL(seen, 151);
    EXPECT(valid > 50);
    free(text);
}

/* --- Notes ----------------------------------------------------------------------------
 */

static const char example[] = "This is an example message.\n\n— example.com/foo "
                              "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2"
                              "ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
static const char example_key[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

static enum note_verdict verdict(struct slice bytes, const struct note_key *key,
                                 uint64_t *time) {
    struct note note;
    const char *why;
    if (!note_parse(bytes, &note, &why)) return NOTE_FORGED;
    return note_verify(&note, key, sign_verify, time);
}

static void example_of_c2sp(void) {
    struct note_key key;
    EXPECT(note_key_parse(slice_text(example_key), &key));
    EXPECT_EQUAL(verdict(slice_text(example), &key, NULL), NOTE_SIGNED);
    char text[NOTE_KEY_TEXT_SIZE];
    EXPECT_EQUAL(note_key_text(&key, text), sizeof example_key - 1);
    EXPECT(strcmp(text, example_key) == 0);
}

/* Changed bytes are never taken for signed by the key: forged, or of nobody we know. */
static void every_bit_of_a_note(void) {
    struct note_key key;
    EXPECT(note_key_parse(slice_text(example_key), &key));
    char bytes[sizeof example];
    for (size_t i = 0; i < sizeof example - 1; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(bytes, example, sizeof example);
            bytes[i] = (char)(bytes[i] ^ 1 << bit);
            EXPECT(verdict(slice_of(bytes, sizeof example - 1), &key, NULL) !=
                   NOTE_SIGNED);
        }
        EXPECT(verdict(slice_of(example, i), &key, NULL) != NOTE_SIGNED);
    }
}

static void every_byte_of_a_key(void) {
    struct note_key key;
    char bytes[sizeof example_key];
    for (size_t i = 0; i < sizeof example_key - 1; i++) {
        memcpy(bytes, example_key, sizeof example_key);
        bytes[i] ^= 1;
        EXPECT(!note_key_parse(slice_text(bytes), &key));
        EXPECT(!note_key_parse(slice_of(example_key, i), &key));
    }
}

static size_t sign_note(const uint8_t seed[32], const struct note_key *key,
                        struct slice text, uint64_t time, char line[NOTE_LINE_SIZE]) {
    uint8_t signature[SIGN_SIZE], message[1024];
    if (key->algorithm == NOTE_COSIGNATURE)
        text = slice_of(message, note_cosigned_message(text, time, message));
    sign_message(seed, text, signature);
    return note_signature_line(key, signature, time, line);
}

static void a_checkpoint_and_its_cosignature(void) {
    const uint8_t seed[32] = {1}, other[32] = {2};
    uint8_t public[32];
    struct note_key log, witness, stranger;
    sign_public_key(seed, public);
    note_key_make(NOTE_ED25519, slice_text("example.com/log"), public, &log);
    sign_public_key(other, public);
    note_key_make(NOTE_COSIGNATURE, slice_text("witness.example"), public, &witness);
    note_key_make(NOTE_ED25519, slice_text("witness.example"), public, &stranger);

    struct checkpoint checkpoint = {slice_text("example.com/log"), 1234567, {7}}, back;
    char bytes[2048], line[NOTE_LINE_SIZE];
    size_t size = checkpoint_text(&checkpoint, bytes);
    struct slice text = slice_of(bytes, size);
    const char *why;
    EXPECT(checkpoint_parse(text, &back, &why));
    EXPECT_EQUAL(back.size, 1234567);
    EXPECT_BYTES(back.root, checkpoint.root, 32);
    bytes[size++] = '\n';
    size_t lines = sign_note(seed, &log, text, 0, line);
    memcpy(bytes + size, line, lines), size += lines;
    lines = sign_note(other, &witness, text, 1700000000, line);
    memcpy(bytes + size, line, lines), size += lines;

    uint64_t time = 0;
    EXPECT_EQUAL(verdict(slice_of(bytes, size), &log, NULL), NOTE_SIGNED);
    EXPECT_EQUAL(verdict(slice_of(bytes, size), &witness, &time), NOTE_SIGNED);
    EXPECT_EQUAL(time, 1700000000);
    EXPECT_EQUAL(verdict(slice_of(bytes, size), &stranger, NULL), NOTE_UNSIGNED);
    bytes[0] = 'E';
    EXPECT_EQUAL(verdict(slice_of(bytes, size), &log, NULL), NOTE_FORGED);
    EXPECT_EQUAL(verdict(slice_of(bytes, size), &witness, NULL), NOTE_FORGED);
}

static void no_checkpoints(void) {
    static const char *const wrong[] = {
        "",
        "o\n",
        "o\n1\n",
        "\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n1 \nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
        "o\n1\nAAAA\n",
        "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"};
    struct checkpoint checkpoint;
    const char *why;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        EXPECT(!checkpoint_parse(slice_text(wrong[i]), &checkpoint, &why));
    EXPECT(checkpoint_parse(
        slice_text("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nextension\n"),
        &checkpoint, &why));
}

int main(void) {
    sha256_select(NULL);
    if (!sign_available()) {
        RUN(every_byte_of_a_key);
        RUN(no_checkpoints);
        return test_finish();
    }
    RUN(first_vector_of_rfc_8032);
    RUN(edge_cases_of_wycheproof);
    RUN(example_of_c2sp);
    RUN(every_bit_of_a_note);
    RUN(every_byte_of_a_key);
    RUN(a_checkpoint_and_its_cosignature);
    RUN(no_checkpoints);
    return test_finish();
}
