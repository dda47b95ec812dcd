/* Reading texts of lines and words, as proofs, notes and receipts are written: a line
 * ends with LF, words have exactly one blank between them, and nothing is passed over. A
 * reader that has met a fault stays at it. */
#ifndef BASE_TEXT_LINES_H
#define BASE_TEXT_LINES_H

#include <stdbool.h>

#include "base/slice.h"

struct text_lines {
    struct slice text;
    struct slice rest;  /* lines not read yet */
    struct slice words; /* of the present line, not read yet */
    size_t offset;      /* of the present line in the text */
    uint32_t line;      /* its number, from 1; 0 before the first */
    bool word_due;      /* a blank was read, and a word has to follow */
    const char *fault;  /* NULL: none so far */
};

void text_lines_begin(struct text_lines *lines, struct slice text);

/* Note the first fault; false, so that a reader can return it. */
bool text_fault(struct text_lines *lines, const char *fault);

/* Go to the next line; false, and a fault, at the end of the text or where words of the
 * present line are left over. */
bool text_next_line(struct text_lines *lines);
/* The whole next line. */
bool text_whole_line(struct text_lines *lines, struct slice *line);
/* Whether the text, and its present line, are at their end; a fault if not. */
bool text_at_end(struct text_lines *lines);

/* The next word of the line, and what it must be; false and a fault otherwise. Bytes are
 * in base64, and "-" where there are none; those of text_bytes() need room for 3/4 of the
 * word. */
bool text_word(struct text_lines *lines, struct slice *word);
bool text_number(struct text_lines *lines, uint64_t *number);
bool text_exact_bytes(struct text_lines *lines, uint8_t *bytes, size_t size);
bool text_bytes(struct text_lines *lines, uint8_t *bytes, size_t *size);

/* Go to the next line, whose first word has to be this one. */
bool text_line_of(struct text_lines *lines, struct slice first);

#endif
