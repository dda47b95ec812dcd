/* Small text files of the operator's: configuration and users. */
#ifndef SERVER_FILES_H
#define SERVER_FILES_H

#include "base/buffer.h"
#include "os/os.h"

#define FILES_SIZE_MAX ((size_t)2 << 20)

/* Append the whole file to *text; its permissions go to *mode. STATUS_NOT_FOUND,
 * STATUS_IO, STATUS_TOO_LARGE over the buffer's limit. */
enum status file_text(const struct os *os, const char *path, uint32_t *mode,
                      struct buffer *text);

/* Put `text` in the place of the file: a new one with this mode beside it, synced, then
 * renamed. Until that has happened the old one is as it was. */
enum status file_replace(const struct os *os, const char *path, uint32_t mode,
                         struct slice text);

#endif
