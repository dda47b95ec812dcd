/* valori-server --restore FILE [--log DIR] [--to PLACE]: the words for it, and the answer
 * for people (docs/backup.md). */
#ifndef SERVER_RESTORING_H
#define SERVER_RESTORING_H

#include "engine/restore.h"

/* Take those words out. False: stderr says what is wrong with them. `options->snapshot`
 * is NULL when nothing is to be restored. */
bool restoring_words(int *count, char **words, struct restore_options *options);

/* Restore into `directory` and say so. 0, or the exit code. */
int restoring_run(const struct os *os, const struct allocator *allocator,
                  struct restore_options *options, const char *directory);

/* A place: a sequence, "@1700000000" or "2026-01-31T12:30:00Z", with up to six digits of
 * a second behind a point. */
bool restoring_place(const char *text, struct restore_options *options);

#endif
