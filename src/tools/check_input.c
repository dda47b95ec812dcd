/* Files that valori-check is given: proofs, notes and keys. All of them are small. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/check.h"

#define INPUT_MAX (16 << 20)

/* redis-cli puts a line end behind what it prints; our texts have one already. */
static void drop_last_line(struct buffer *bytes) {
    struct slice text = buffer_slice(bytes);
    if (text.size >= 2 && memcmp(text.data + text.size - 2, "\n\n", 2) == 0) bytes->end--;
}

int input_read(const char *path, struct buffer *bytes) {
    buffer_init(bytes, os_allocator(), INPUT_MAX);
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    enum status status = file ? STATUS_OK : STATUS_IO;
    while (!status) {
        uint8_t *room;
        status = buffer_reserve(bytes, 4096, &room);
        size_t got = status ? 0 : fread(room, 1, 4096, file);
        buffer_commit(bytes, got);
        if (got == 0) break;
    }
    if (!status && ferror(file)) status = STATUS_IO;
    int error = errno;
    if (file && file != stdin) fclose(file);
    if (!status) {
        drop_last_line(bytes);
        return CHECK_RIGHT;
    }
    fprintf(stderr, "valori-check: %s: %s\n", path,
            status == STATUS_IO ? strerror(error) : "too large");
    buffer_free(bytes);
    return status == STATUS_IO ? CHECK_UNREADABLE : CHECK_USAGE;
}

/* The text itself, or a file whose first line it is. */
int input_key(const char *word, struct note_key *key) {
    if (note_key_parse(slice_text(word), key)) return CHECK_RIGHT;
    struct buffer bytes;
    int code = input_read(word, &bytes);
    if (code) return code;
    struct slice line = buffer_slice(&bytes);
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] == '\n') line.size = i;
    bool right = note_key_parse(line, key);
    buffer_free(&bytes);
    if (right) return CHECK_RIGHT;
    fprintf(stderr,
            "valori-check: %s: neither a verifier key (name+id+base64) nor a file "
            "that begins with one\n",
            word);
    return CHECK_USAGE;
}
