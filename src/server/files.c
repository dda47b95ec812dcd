#include "server/files.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE 256
#define PATH_SIZE 1024

/* Open the directory of `path`; *name is what is left of it. */
static enum status open_directory(const struct os *os, const char *path,
                                  struct directory **directory, const char **name) {
    char folder[PATH_SIZE] = ".";
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (strlen(path) >= PATH_SIZE || strlen(*name) >= NAME_SIZE) return STATUS_TOO_LARGE;
    if (slash) snprintf(folder, sizeof folder, "%.*s", (int)(*name - path), path);
    return os->directory_open(os, folder, directory);
}

static enum status read_whole(const struct os *os, struct file *file, uint32_t *mode,
                              struct buffer *text) {
    struct file_facts facts;
    uint8_t *room;
    size_t got = 0;
    enum status status = os->file_describe(os, file, &facts);
    if (!status && facts.size > text->limit) status = STATUS_TOO_LARGE;
    if (!status) status = buffer_reserve(text, (size_t)facts.size, &room);
    if (!status) status = os->file_read(os, file, 0, room, (size_t)facts.size, &got);
    if (status) return status;
    buffer_commit(text, got);
    *mode = facts.mode;
    return STATUS_OK;
}

enum status file_text(const struct os *os, const char *path, uint32_t *mode,
                      struct buffer *text) {
    struct directory *directory;
    struct file *file;
    const char *name;
    enum status status = open_directory(os, path, &directory, &name);
    if (status) return status;
    status = os->file_open(os, directory, name, FILE_READ, &file);
    if (!status) {
        status = read_whole(os, file, mode, text);
        os->file_close(os, file);
    }
    os->directory_close(os, directory);
    return status;
}

static enum status replace_in(const struct os *os, struct directory *directory,
                              const char *name, uint32_t mode, struct slice text) {
    char temporary[NAME_SIZE + 32];
    struct file *file;
    snprintf(temporary, sizeof temporary, "%s.%u.tmp", name, os_process_id());
    (void)os->remove(os, directory, temporary);
    enum status status = os->file_open(os, directory, temporary, FILE_CREATE, &file);
    if (status) return status;
    status = os->file_set_mode(os, file, mode);
    if (!status) status = os->file_write(os, file, 0, text.data, text.size);
    if (!status) status = os->file_sync(os, file);
    os->file_close(os, file);
    if (!status) status = os->rename(os, directory, temporary, name);
    if (!status) return os->directory_sync(os, directory);
    (void)os->remove(os, directory, temporary);
    return status;
}

enum status file_replace(const struct os *os, const char *path, uint32_t mode,
                         struct slice text) {
    struct directory *directory;
    const char *name;
    enum status status = open_directory(os, path, &directory, &name);
    if (status) return status;
    status = replace_in(os, directory, name, mode, text);
    os->directory_close(os, directory);
    return status;
}
