/* client-output-buffer-limit, in words and numbers. */
#include "server/output_limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/words.h"

enum client_class client_class_find(struct slice word) {
    if (word_is(word, "normal")) return CLASS_NORMAL;
    if (word_is(word, "replica") || word_is(word, "slave")) return CLASS_REPLICA;
    if (word_is(word, "pubsub")) return CLASS_PUBSUB;
    return CLASS_COUNT;
}

/* The next word of `text`; empty at the end. */
static struct slice next_word(struct slice *text) {
    size_t start = 0;
    while (start < text->size && text->data[start] == ' ') start++;
    size_t end = start;
    while (end < text->size && text->data[end] != ' ') end++;
    struct slice word = slice_of(text->data + start, end - start);
    *text = slice_of(text->data + end, text->size - end);
    return word;
}

static bool read_limit(struct slice *text, struct output_limit *limit) {
    return word_size(next_word(text), &limit->hard) &&
           word_size(next_word(text), &limit->soft) &&
           word_integer(next_word(text), &limit->seconds) && limit->seconds >= 0;
}

const char *output_limits_read(struct output_limit limits[CLASS_COUNT],
                               struct slice value) {
    struct output_limit read[CLASS_COUNT];
    struct slice counted = value;
    size_t words = 0;
    while (next_word(&counted).size > 0) words++;
    if (words == 0 || words % 4 != 0)
        return "Wrong number of arguments in buffer limit configuration.";
    memcpy(read, limits, sizeof read);
    for (; words > 0; words -= 4) {
        enum client_class class = client_class_find(next_word(&value));
        if (class == CLASS_COUNT)
            return "Invalid client class specified in buffer limit configuration.";
        if (!read_limit(&value, &read[class]))
            return "Error in hard, soft or soft_seconds setting in buffer limit "
                   "configuration.";
    }
    memcpy(limits, read, sizeof read);
    return NULL;
}

/* Redis calls a replica by its older name here, and tools expect it. */
void output_limits_text(const struct output_limit limits[CLASS_COUNT], char *text,
                        size_t size) {
    static const char *const names[CLASS_COUNT] = {"normal", "slave", "pubsub"};
    size_t used = 0;
    for (size_t i = 0; i < CLASS_COUNT && used < size; i++)
        used += (size_t)snprintf(
            text + used, size - used, "%s%s %" PRId64 " %" PRId64 " %" PRId64,
            i ? " " : "", names[i], limits[i].hard, limits[i].soft, limits[i].seconds);
}
