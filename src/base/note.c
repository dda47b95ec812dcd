#include "base/note.h"

#include "base/base64.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/decimal.h"
#include "base/text_lines.h"

static const uint8_t dash[] = {0xE2, 0x80, 0x94, ' '}; /* an em dash begins a signature */

static bool name_fits(struct slice name) {
    if (name.size == 0 || name.size > NOTE_NAME_MAX) return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ' || name.data[i] == '+' || name.data[i] >= 0x7F)
            return false;
    return true;
}

/* --- Keys ------------------------------------------------------------------------------
 */

bool note_key_make(enum note_algorithm algorithm, struct slice name,
                   const uint8_t key[NOTE_PUBLIC_SIZE], struct note_key *out) {
    if (!name_fits(name)) return false;
    *out = (struct note_key){.algorithm = (uint8_t)algorithm, .name_size = name.size};
    memcpy(out->name, name.data, name.size);
    memcpy(out->key, key, NOTE_PUBLIC_SIZE);
    const uint8_t between[2] = {'\n', out->algorithm};
    uint8_t digest[SHA256_SIZE];
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, name.data, name.size);
    sha256_add(&hash, between, sizeof between);
    sha256_add(&hash, key, NOTE_PUBLIC_SIZE);
    sha256_end(&hash, digest);
    memcpy(out->id, digest, NOTE_KEY_ID_SIZE);
    return true;
}

static char *append(char *text, const void *bytes, size_t size) {
    memcpy(text, bytes, size);
    return text + size;
}

size_t note_key_text(const struct note_key *key, char text[NOTE_KEY_TEXT_SIZE]) {
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[1 + NOTE_PUBLIC_SIZE] = {key->algorithm};
    memcpy(bytes + 1, key->key, NOTE_PUBLIC_SIZE);
    char *p = append(text, key->name, key->name_size);
    *p++ = '+';
    for (size_t i = 0; i < NOTE_KEY_ID_SIZE; i++) {
        *p++ = hex[key->id[i] >> 4];
        *p++ = hex[key->id[i] & 15];
    }
    *p++ = '+';
    base64_encode(slice_of(bytes, sizeof bytes), p);
    p += base64_size(sizeof bytes);
    *p = '\0';
    return (size_t)(p - text);
}

bool note_key_parse(struct slice text, struct note_key *key) {
    uint8_t bytes[1 + NOTE_PUBLIC_SIZE];
    size_t tail = 1 + 2 * NOTE_KEY_ID_SIZE + 1 + base64_size(sizeof bytes);
    if (text.size <= tail) return false;
    struct slice name = slice_of(text.data, text.size - tail);
    struct slice encoded = slice_of(text.data + text.size - base64_size(sizeof bytes),
                                    base64_size(sizeof bytes));
    if (!base64_decode_exactly(encoded, bytes, sizeof bytes)) return false;
    if (bytes[0] != NOTE_ED25519 && bytes[0] != NOTE_COSIGNATURE) return false;
    if (!note_key_make((enum note_algorithm)bytes[0], name, bytes + 1, key)) return false;
    char same[NOTE_KEY_TEXT_SIZE];
    return slice_equal(text, slice_of(same, note_key_text(key, same)));
}

/* --- Notes -----------------------------------------------------------------------------
 */

/* A signature line without its line end. */
struct signature {
    struct slice name;
    size_t size; /* of what follows the id */
    uint8_t id[NOTE_KEY_ID_SIZE];
    uint8_t bytes[4096];
};

static bool parse_signature(struct slice line, struct signature *signature) {
    uint8_t bytes[sizeof signature->bytes];
    if (line.size <= sizeof dash || memcmp(line.data, dash, sizeof dash) != 0)
        return false;
    struct slice rest = slice_of(line.data + sizeof dash, line.size - sizeof dash);
    size_t name = 0, size;
    while (name < rest.size && rest.data[name] != ' ') name++;
    if (name == 0 || name == rest.size) return false;
    struct slice encoded = slice_of(rest.data + name + 1, rest.size - name - 1);
    if (encoded.size / 4 * 3 > sizeof bytes || !base64_decode(encoded, bytes, &size))
        return false;
    if (size <= NOTE_KEY_ID_SIZE) return false;
    signature->name = slice_of(rest.data, name);
    memcpy(signature->id, bytes, NOTE_KEY_ID_SIZE);
    signature->size = size - NOTE_KEY_ID_SIZE;
    memcpy(signature->bytes, bytes + NOTE_KEY_ID_SIZE, signature->size);
    return true;
}

static bool refuse(const char **why, const char *reason) {
    *why = reason;
    return false;
}

bool note_parse(struct slice bytes, struct note *note, const char **why) {
    if (bytes.size > NOTE_SIZE_MAX) return refuse(why, "the note is too long");
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] < ' ' && bytes.data[i] != '\n')
            return refuse(why, "a control character in the note");
    /* The last empty line parts text and signatures. */
    size_t cut = bytes.size;
    while (cut >= 2 && !(bytes.data[cut - 1] == '\n' && bytes.data[cut - 2] == '\n'))
        cut--;
    if (cut < 3) return refuse(why, "no empty line before the note's signatures");
    note->text = slice_of(bytes.data, cut - 1);
    note->signatures = slice_of(bytes.data + cut, bytes.size - cut);
    struct text_lines lines;
    struct slice line;
    struct signature signature;
    uint32_t count = 0;
    text_lines_begin(&lines, note->signatures);
    while (lines.rest.size > 0) {
        if (!text_whole_line(&lines, &line) || !parse_signature(line, &signature))
            return refuse(why, "a signature line that is none");
        if (++count > NOTE_SIGNATURES_MAX) return refuse(why, "too many signatures");
    }
    return count > 0 || refuse(why, "the note has no signature");
}

size_t note_cosigned_message(struct slice text, uint64_t time, uint8_t *message) {
    static const char head[] = "cosignature/v1\ntime ";
    uint8_t digits[DECIMAL_SIZE_MAX];
    size_t size = decimal_text((int64_t)time, digits);
    memcpy(message, head, sizeof head - 1);
    memcpy(message + sizeof head - 1, digits, size);
    message[sizeof head - 1 + size] = '\n';
    memcpy(message + sizeof head + size, text.data, text.size);
    return sizeof head + size + text.size;
}

static bool holds(const struct note *note, const struct note_key *key,
                  const struct signature *signature, note_verifier verify,
                  uint64_t *time) {
    if (key->algorithm == NOTE_ED25519)
        return signature->size == NOTE_SIGNATURE_SIZE &&
               verify(key->key, note->text, signature->bytes);
    if (signature->size != 8 + NOTE_SIGNATURE_SIZE) return false;
    uint8_t message[4096 + 64];
    uint64_t at = load_be64(signature->bytes);
    if (note->text.size > 4096 || at > INT64_MAX) return false;
    size_t size = note_cosigned_message(note->text, at, message);
    if (time) *time = at;
    return verify(key->key, slice_of(message, size), signature->bytes + 8);
}

enum note_verdict note_verify(const struct note *note, const struct note_key *key,
                              note_verifier verify, uint64_t *time) {
    struct text_lines lines;
    struct slice line;
    struct signature signature;
    text_lines_begin(&lines, note->signatures);
    while (lines.rest.size > 0) {
        if (!text_whole_line(&lines, &line) || !parse_signature(line, &signature))
            return NOTE_FORGED;
        if (!slice_equal(signature.name, slice_of(key->name, key->name_size)) ||
            memcmp(signature.id, key->id, NOTE_KEY_ID_SIZE) != 0)
            continue;
        return holds(note, key, &signature, verify, time) ? NOTE_SIGNED : NOTE_FORGED;
    }
    return NOTE_UNSIGNED;
}

size_t note_signature_line(const struct note_key *key,
                           const uint8_t signature[NOTE_SIGNATURE_SIZE], uint64_t time,
                           char line[NOTE_LINE_SIZE]) {
    uint8_t bytes[NOTE_KEY_ID_SIZE + 8 + NOTE_SIGNATURE_SIZE];
    size_t size = NOTE_KEY_ID_SIZE;
    memcpy(bytes, key->id, size);
    if (key->algorithm == NOTE_COSIGNATURE) store_be64(bytes + size, time), size += 8;
    memcpy(bytes + size, signature, NOTE_SIGNATURE_SIZE);
    size += NOTE_SIGNATURE_SIZE;
    char *p = append(line, dash, sizeof dash);
    p = append(p, key->name, key->name_size);
    *p++ = ' ';
    base64_encode(slice_of(bytes, size), p);
    p += base64_size(size);
    *p++ = '\n';
    return (size_t)(p - line);
}

/* --- Checkpoints -----------------------------------------------------------------------
 */

bool checkpoint_parse(struct slice text, struct checkpoint *checkpoint,
                      const char **why) {
    struct text_lines lines;
    text_lines_begin(&lines, text);
    if (!text_whole_line(&lines, &checkpoint->origin) || checkpoint->origin.size == 0)
        return refuse(why, "the checkpoint has no origin");
    if (!text_next_line(&lines) || !text_number(&lines, &checkpoint->size))
        return refuse(why, "the checkpoint's second line is no size");
    if (!text_next_line(&lines) ||
        !text_exact_bytes(&lines, checkpoint->root, SHA256_SIZE))
        return refuse(why, "the checkpoint's third line is no root");
    struct slice extension;
    while (lines.rest.size > 0)
        if (!text_whole_line(&lines, &extension) || extension.size == 0)
            return refuse(why, "an extension line of the checkpoint is none");
    return text_at_end(&lines) || refuse(why, lines.fault);
}

size_t checkpoint_text(const struct checkpoint *checkpoint, char text[CHECKPOINT_SIZE]) {
    uint8_t digits[DECIMAL_SIZE_MAX];
    size_t size = decimal_text((int64_t)checkpoint->size, digits);
    char *p = append(text, checkpoint->origin.data, checkpoint->origin.size);
    *p++ = '\n';
    p = append(p, digits, size);
    *p++ = '\n';
    base64_encode(slice_of(checkpoint->root, SHA256_SIZE), p);
    p += base64_size(SHA256_SIZE);
    *p++ = '\n';
    return (size_t)(p - text);
}
