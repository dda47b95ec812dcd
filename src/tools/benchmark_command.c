/* Commands as arrays of bulk strings. */
#include "tools/benchmark_command.h"

#include <stdio.h>

void command_init(struct command *command, const struct allocator *allocator) {
    *command = (struct command){.words = 0};
    buffer_init(&command->body, allocator, SIZE_MAX / 2);
}

void command_free(struct command *command) { buffer_free(&command->body); }

void command_clear(struct command *command) {
    buffer_clear(&command->body);
    command->words = 0;
    command->status = STATUS_OK;
}

static void put(struct command *command, const void *bytes, size_t size) {
    if (command->status || size == 0) return;
    command->status = buffer_append(&command->body, bytes, size);
}

void command_bytes(struct command *command, const void *bytes, size_t size) {
    char head[32];
    int head_size = snprintf(head, sizeof head, "$%zu\r\n", size);
    put(command, head, (size_t)head_size);
    put(command, bytes, size);
    put(command, "\r\n", 2);
    command->words++;
}

void command_word(struct command *command, const char *word) {
    command_bytes(command, word, strlen(word));
}

void command_integer(struct command *command, uint64_t value) {
    char text[20];
    char *start = text + sizeof text;
    do {
        *--start = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    command_bytes(command, start, (size_t)(text + sizeof text - start));
}

void command_float(struct command *command, float value) {
    char text[24];
    int size = snprintf(text, sizeof text, "%.9g", (double)value);
    command_bytes(command, text, (size_t)size);
}

uint8_t *command_raw(struct command *command, const void *bytes, size_t size) {
    put(command, bytes, size);
    return command->status ? NULL : command->body.data + command->body.start;
}

enum status command_send(const struct command *command, struct buffer *out) {
    enum status status = command->status;
    if (!status && command->words > 0) {
        char head[32];
        int size = snprintf(head, sizeof head, "*%zu\r\n", command->words);
        status = buffer_append(out, head, (size_t)size);
    }
    struct slice body = buffer_slice(&command->body);
    if (!status) status = buffer_append(out, body.data, body.size);
    return status;
}
