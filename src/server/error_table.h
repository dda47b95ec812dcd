/* Every error text that a client can get, and every exit code: what it means and what to do.
 * docs/errors.md is printed from here; utils/check-errors compares the texts with those of
 * the sources, in both directions. */
#ifndef SERVER_ERROR_TABLE_H
#define SERVER_ERROR_TABLE_H

#include <stddef.h>

struct error_row {
    const char *text; /* as the source has it: %s and %u stand for what is filled in */
    const char *cause, *remedy;
};

struct exit_row {
    int code;
    const char *meaning, *remedy;
};

/* NULL after the last. */
const struct error_row *error_at(size_t index);
const struct exit_row *exit_at(size_t index);

#endif
