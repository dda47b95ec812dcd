#include "base/text_lines.h"

#include "base/base64.h"
#include "base/decimal.h"

void text_lines_begin(struct text_lines *lines, struct slice text) {
    *lines = (struct text_lines){.text = text, .rest = text};
}

bool text_fault(struct text_lines *lines, const char *fault) {
    if (!lines->fault) lines->fault = fault;
    return false;
}

static bool line_is_read(struct text_lines *lines) {
    if (lines->fault) return false;
    if (lines->words.size == 0 && !lines->word_due) return true;
    return text_fault(lines, "more words in the line than belong there");
}

bool text_next_line(struct text_lines *lines) {
    struct slice *rest = &lines->rest;
    if (!line_is_read(lines)) return false;
    size_t size = 0;
    while (size < rest->size && rest->data[size] != '\n') size++;
    if (size == rest->size) return text_fault(lines, "the text ends too early");
    lines->offset = lines->text.size - rest->size;
    lines->line++;
    lines->words = slice_of(rest->data, size);
    *rest = slice_of(rest->data + size + 1, rest->size - size - 1);
    return true;
}

bool text_whole_line(struct text_lines *lines, struct slice *line) {
    if (!text_next_line(lines)) return false;
    *line = lines->words;
    lines->words.size = 0;
    return true;
}

bool text_at_end(struct text_lines *lines) {
    if (!line_is_read(lines)) return false;
    return lines->rest.size == 0 || text_fault(lines, "more lines than belong there");
}

bool text_word(struct text_lines *lines, struct slice *word) {
    struct slice *words = &lines->words;
    if (lines->fault) return false;
    size_t size = 0;
    while (size < words->size && words->data[size] != ' ') size++;
    if (size == 0) return text_fault(lines, "a word is missing");
    *word = slice_of(words->data, size);
    lines->word_due = size < words->size;
    if (lines->word_due) size++;
    *words = slice_of(words->data + size, words->size - size);
    return true;
}

bool text_number(struct text_lines *lines, uint64_t *number) {
    struct slice word;
    if (!text_word(lines, &word)) return false;
    return decimal_unsigned(word, number) ||
           text_fault(lines, "not a number in its shortest form");
}

bool text_exact_bytes(struct text_lines *lines, uint8_t *bytes, size_t size) {
    struct slice word;
    if (!text_word(lines, &word)) return false;
    return base64_decode_exactly(word, bytes, size) ||
           text_fault(lines, "not so many bytes in base64");
}

bool text_bytes(struct text_lines *lines, uint8_t *bytes, size_t *size) {
    struct slice word;
    if (!text_word(lines, &word)) return false;
    *size = 0;
    if ((word.size == 1 && word.data[0] == '-')) return true;
    return base64_decode(word, bytes, size) || text_fault(lines, "not base64");
}

bool text_line_of(struct text_lines *lines, struct slice first) {
    struct slice word;
    if (!text_next_line(lines) || !text_word(lines, &word)) return false;
    return slice_equal(word, first) || text_fault(lines, "another word is due here");
}
