#include "server/acl_file.h"

#include <stdio.h>

#include "server/files.h"
#include "server/words.h"

/* --- Reading ----------------------------------------------------------------------- */

static bool cut_line(struct slice *text, struct slice *line) {
    if (text->size == 0) return false;
    const uint8_t *end = memchr(text->data, '\n', text->size);
    size_t size = end ? (size_t)(end - text->data) : text->size;
    size_t taken = end ? size + 1 : size;
    *line = slice_of(text->data, size);
    *text = slice_of(text->data + taken, text->size - taken);
    if (size && line->data[size - 1] == '\r') line->size--;
    return true;
}

static bool is_there(const struct acl_file *file, struct slice name) {
    for (const struct acl_user *user = file->users; user; user = user->next)
        if (slice_equal(slice_of(user->name, user->name_size), name)) return true;
    return false;
}

/* One line. NULL, or what is wrong with it. */
static const char *read_line(struct acl_file *file, const struct allocator *allocator,
                             struct slice line) {
    struct slice word, name;
    if (!acl_next_word(&line, &word) || word.data[0] == '#') return NULL;
    if (!slice_equal(word, slice_text("user")) || !acl_next_word(&line, &name))
        return "line should start with user keyword followed by the username";
    if (name.size > ACL_NAME_MAX) return "the name is longer than 256 bytes";
    if (is_there(file, name)) return "the user stands in the file twice";
    struct acl_user *user = acl_user_make(allocator, name);
    if (!user) return "out of memory";
    const char *complaint = acl_user_rules(user, line);
    if (complaint) {
        acl_user_free(user);
        return complaint;
    }
    user->next = file->users;
    file->users = user;
    return NULL;
}

bool acl_file_read(const struct os *os, const struct allocator *allocator,
                   const char *path, struct acl_file *file,
                   char why[ACL_FILE_MESSAGE_SIZE]) {
    struct buffer bytes;
    uint32_t mode;
    *file = (struct acl_file){.users = NULL};
    buffer_init(&bytes, allocator, FILES_SIZE_MAX);
    enum status status = file_text(os, path, &mode, &bytes);
    if (status)
        snprintf(why, ACL_FILE_MESSAGE_SIZE,
                 "Error loading ACLs, opening file '%.300s': %s", path,
                 status == STATUS_IO ? os->error_text(os) : status_name(status));
    struct slice text = buffer_slice(&bytes), line;
    const char *complaint = NULL;
    for (int number = 1; !status && !complaint && cut_line(&text, &line); number++) {
        complaint = read_line(file, allocator, line);
        if (complaint)
            snprintf(why, ACL_FILE_MESSAGE_SIZE, "%.300s:%d: %s", path, number,
                     complaint);
    }
    buffer_free(&bytes);
    if (status || complaint) acl_file_free(file);
    return !status && !complaint;
}

void acl_file_free(struct acl_file *file) {
    while (file->users) {
        struct acl_user *first = file->users;
        file->users = first->next;
        acl_user_free(first);
    }
}

/* --- What follows from it ---------------------------------------------------------- */

static enum status plan_text(const struct acl_user *user, struct slice text,
                             const struct state *state, struct plan *plan) {
    struct slice now;
    struct change change = {.type = CHANGE_SYSTEM,
                            .flags = CHANGE_ATTRIBUTES,
                            .db = SYSTEM_USER,
                            .key = slice_of(user->name, user->name_size),
                            .attributes = text};
    if (state_system_find(state, SYSTEM_USER, change.key, &now) && slice_equal(now, text))
        return STATUS_OK;
    return plan_add(plan, &change);
}

enum status acl_file_plan(const struct acl_file *file, const struct state *state,
                          struct plan *plan) {
    enum status status = STATUS_OK;
    struct system_record record;
    plan_copy(plan);
    for (const struct acl_user *user = file->users; user && !status; user = user->next) {
        struct buffer text;
        buffer_init(&text, user->allocator, ACL_TEXT_MAX);
        status = acl_user_text(user, &text);
        if (!status) status = plan_text(user, buffer_slice(&text), state, plan);
        buffer_free(&text);
    }
    uint32_t row = state_system_next(state, 0, &record);
    for (; row != UINT32_MAX && !status;
         row = state_system_next(state, row + 1, &record)) {
        struct change change = {
            .type = CHANGE_SYSTEM, .db = SYSTEM_USER, .key = record.id};
        if (record.kind == SYSTEM_USER && !is_there(file, record.id))
            status = plan_add(plan, &change);
    }
    return status;
}

enum status acl_file_write(const struct os *os, const struct allocator *allocator,
                           const char *path, const struct acl_user *users) {
    struct buffer text;
    enum status status = STATUS_OK;
    buffer_init(&text, allocator, FILES_SIZE_MAX);
    for (; users && !status; users = users->next) {
        status = acl_user_line(users, &text);
        if (!status) status = buffer_append(&text, "\n", 1);
    }
    if (!status) status = file_replace(os, path, 0600, buffer_slice(&text));
    buffer_free(&text);
    return status;
}
