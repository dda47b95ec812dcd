/* One command being put together, word by word, and its bytes on the wire. */
#ifndef TOOLS_BENCHMARK_COMMAND_H
#define TOOLS_BENCHMARK_COMMAND_H

#include "base/buffer.h"

struct command {
    struct buffer body; /* the words so far, each as a bulk string */
    size_t words;       /* 0 with a body: the body is the whole command as it is sent */
    enum status status; /* STATUS_MEMORY once something did not fit */
};

void command_init(struct command *command, const struct allocator *allocator);
void command_free(struct command *command);

/* Forget the words. */
void command_clear(struct command *command);

void command_word(struct command *command, const char *word);
void command_bytes(struct command *command, const void *bytes, size_t size);
void command_integer(struct command *command, uint64_t value);
void command_float(struct command *command, float value); /* as many digits as it takes */

/* Bytes that are a whole command already. Gives their copy, in which places may be
 * changed until command_send(); NULL without memory. */
uint8_t *command_raw(struct command *command, const void *bytes, size_t size);

/* Append the command to `out`. */
enum status command_send(const struct command *command, struct buffer *out);

#endif
