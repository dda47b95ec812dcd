/* FILTER expressions: read once into a small program, asked for each element's
 * attributes. docs/semantics-filter-1.md defines language and results.
 *
 * Reading and asking are iterative, allocate nothing, and are bounded: a text has at most
 * FILTER_SIZE_MAX bytes, a program FILTER_NODES_MAX nodes, and no evaluation holds more
 * than FILTER_DEPTH_MAX values. What asking costs grows with the attributes alone, and is
 * told. */
#ifndef KERNEL_FILTER_H
#define KERNEL_FILTER_H

#include "base/status.h"
#include "kernel/binary64.h"

#define FILTER_SIZE_MAX   65536
#define FILTER_NODES_MAX  1024 /* values, operators, elements of tuples */
#define FILTER_DEPTH_MAX  32   /* values held at once, and open parentheses */
#define FILTER_FIELDS_MAX 64   /* different ones */

enum filter_kind {
    FILTER_NULL,
    FILTER_NUMBER,
    FILTER_TEXT,
    FILTER_TUPLE, /* [..] of the expression */
    FILTER_ARRAY, /* [..] of the attributes */
};

struct filter_value {
    uint8_t kind;         /* enum filter_kind */
    bool escaped;         /* TEXT, ARRAY: there are backslashes to undo */
    uint16_t first, size; /* TUPLE: among filter->values */
    binary64 number;      /* NUMBER; TEXT of the expression: what it counts as */
    struct slice text;    /* TEXT; ARRAY: what is between the outermost brackets */
};

/* In the order of precedence. */
enum filter_code {
    FILTER_VALUE, /* filter->values[operand] */
    FILTER_FIELD, /* filter->fields[operand] of the attributes */
    FILTER_OR,
    FILTER_AND,
    FILTER_GREATER,
    FILTER_GREATER_EQUAL,
    FILTER_LESS,
    FILTER_LESS_EQUAL,
    FILTER_EQUAL,
    FILTER_NOT_EQUAL,
    FILTER_IN,
    FILTER_ADD,
    FILTER_SUBTRACT,
    FILTER_MULTIPLY,
    FILTER_DIVIDE,
    FILTER_REMAINDER,
    FILTER_POWER,
    FILTER_NOT,
};

struct filter_step {
    uint16_t code, operand;
};

/* A program: values before the operators that take them. */
struct filter {
    uint32_t step_count, value_count, field_count;
    struct filter_step steps[FILTER_NODES_MAX];
    struct filter_value values[FILTER_NODES_MAX];
    struct slice fields[FILTER_FIELDS_MAX];
};

/* Read `text`, which must stay as long as *filter is used. STATUS_INVALID: malformed,
 * from *error on; where that is the end of the text, as a whole. STATUS_TOO_LARGE: over
 * one of the limits above. */
enum status filter_read(struct slice text, struct filter *filter, size_t *error);

/* Room for what escaped strings stand for. */
struct filter_room {
    uint8_t bytes[65536];
};

/* Does an element with these attributes (as JSON; empty for none) match? Adds to *cost
 * about the number of steps that it took, 64 bytes read being one. */
bool filter_matches(const struct filter *filter, struct slice attributes,
                    struct filter_room *room, uint64_t *cost);

/* What a text counts as where a number is wanted: blanks, then a number as
 * binary64_from_text() has it; 0 where it is none. */
binary64 filter_text_number(struct slice text);

#endif
