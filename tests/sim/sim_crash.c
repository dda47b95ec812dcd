/* Crash images from a record. */
#include "sim/sim_crash.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define SECTOR 512

/* One file's part of the disk. `pending` are the operations (indices) that are not
 * durable. */
struct state {
    uint8_t *data; /* what is durable */
    size_t size, capacity;
    size_t *pending;
    size_t pending_count, pending_capacity;
};

struct name {
    char text[SIM_NAME_SIZE];
    uint32_t file;
};

enum variable_kind { VARIABLE_SECTOR, VARIABLE_LENGTH, VARIABLE_NAME };

/* What a variable is about. */
struct subject {
    enum variable_kind kind;
    uint32_t file;
    size_t sector; /* SECTOR: which; NAME: index into pending_names */
};

struct crash_point {
    const struct sim *sim;
    size_t position;
    struct sim_bounds bounds;

    struct state *files;
    size_t file_count;
    struct name *names; /* durable ones */
    size_t name_count, name_capacity;
    size_t *pending_names; /* operations on names since the last directory sync */
    size_t pending_name_count, pending_name_capacity;

    bool listed; /* variables and subjects are up to date */
    struct crash_variable *variables;
    struct subject *subjects;
    size_t variable_count, variable_capacity;
};

static void *grown(void *array, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) return array;
    *capacity = *capacity ? 2 * *capacity : 16;
    array = realloc(array, *capacity * size);
    check(array);
    return array;
}

/* --- Contents ---------------------------------------------------------------------- */

static void set_size(struct state *file, size_t size) {
    if (size > file->capacity) {
        file->capacity = size * 2;
        file->data = realloc(file->data, file->capacity);
        check(file->data);
    }
    if (size > file->size) memset(file->data + file->size, 0, size - file->size);
    file->size = size;
}

/* Bring an operation into the durable bytes. */
static void settle(struct state *file, const struct sim_op *op) {
    if (op->kind == SIM_TRUNCATE) {
        set_size(file, (size_t)op->size);
        return;
    }
    size_t end = (size_t)(op->offset + op->size);
    if (end > file->size) set_size(file, end);
    memcpy(file->data + op->offset, op->bytes, (size_t)op->size);
}

static struct state *file_at(struct crash_point *point, uint32_t id) {
    if (id >= point->file_count) {
        size_t count = (size_t)id + 1;
        point->files = realloc(point->files, count * sizeof *point->files);
        check(point->files);
        memset(point->files + point->file_count, 0,
               (count - point->file_count) * sizeof *point->files);
        point->file_count = count;
    }
    return &point->files[id];
}

static void note_pending(struct crash_point *point, uint32_t id, size_t op) {
    struct state *file = file_at(point, id);
    file->pending = grown(file->pending, file->pending_count, &file->pending_capacity,
                          sizeof *file->pending);
    file->pending[file->pending_count++] = op;
}

/* A sync that began at operation `begin` has ended well. */
static void settle_before(struct crash_point *point, uint32_t id, size_t begin) {
    struct state *file = file_at(point, id);
    size_t done = 0;
    while (done < file->pending_count && file->pending[done] < begin)
        settle(file, sim_op(point->sim, file->pending[done++]));
    memmove(file->pending, file->pending + done,
            (file->pending_count - done) * sizeof *file->pending);
    file->pending_count -= done;
}

/* --- Names ------------------------------------------------------------------------- */

struct name_list {
    struct name *names;
    size_t count, capacity;
};

static struct name *find_name(struct name_list *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i].text, text) == 0) return &list->names[i];
    return NULL;
}

static void drop_name(struct name_list *list, const char *text) {
    struct name *name = find_name(list, text);
    if (name) *name = list->names[--list->count];
}

static void set_name(struct name_list *list, const char *text, uint32_t file) {
    struct name *name = find_name(list, text);
    if (!name) {
        list->names =
            grown(list->names, list->count, &list->capacity, sizeof *list->names);
        name = &list->names[list->count++];
    }
    memcpy(name->text, text, SIM_NAME_SIZE);
    name->file = file;
}

static void apply_name(struct name_list *list, const struct sim_op *op) {
    if (op->kind == SIM_CREATE) set_name(list, op->name, op->file);
    if (op->kind == SIM_REMOVE) drop_name(list, op->name);
    if (op->kind == SIM_RENAME) {
        drop_name(list, op->name);
        set_name(list, op->to, op->file);
    }
}

static void settle_names(struct crash_point *point) {
    struct name_list list = {point->names, point->name_count, point->name_capacity};
    for (size_t i = 0; i < point->pending_name_count; i++)
        apply_name(&list, sim_op(point->sim, point->pending_names[i]));
    point->names = list.names;
    point->name_count = list.count;
    point->name_capacity = list.capacity;
    point->pending_name_count = 0;
}

/* --- Walking ----------------------------------------------------------------------- */

struct crash_point *crash_begin(const struct sim *sim) {
    struct crash_point *point = calloc(1, sizeof *point);
    check(point);
    point->sim = sim;
    /* The base's files got the first identities, in its order. */
    const struct sim_image *base = sim_base(sim);
    for (size_t i = 0; i < base->count; i++) {
        struct state *file = file_at(point, (uint32_t)i);
        set_size(file, base->files[i].size);
        if (file->size > 0) memcpy(file->data, base->files[i].data, file->size);
        struct name_list list = {point->names, point->name_count, point->name_capacity};
        set_name(&list, base->files[i].name, (uint32_t)i);
        point->names = list.names;
        point->name_count = list.count;
        point->name_capacity = list.capacity;
    }
    return point;
}

void crash_end(struct crash_point *point) {
    for (size_t i = 0; i < point->file_count; i++) {
        free(point->files[i].data);
        free(point->files[i].pending);
    }
    free(point->files);
    free(point->names);
    free(point->pending_names);
    free(point->variables);
    free(point->subjects);
    free(point);
}

bool crash_advance(struct crash_point *point) {
    if (point->position == sim_op_count(point->sim)) return false;
    size_t at = point->position++;
    const struct sim_op *op = sim_op(point->sim, at);
    point->listed = false;
    switch (op->kind) {
    case SIM_WRITE:
    case SIM_TRUNCATE:
        note_pending(point, op->file, at);
        break;
    case SIM_SYNC_BEGIN:
        break;
    case SIM_SYNC_END:
        if (op->ok) settle_before(point, op->file, op->begin);
        break;
    case SIM_CREATE:
    case SIM_RENAME:
    case SIM_REMOVE:
        point->pending_names =
            grown(point->pending_names, point->pending_name_count,
                  &point->pending_name_capacity, sizeof *point->pending_names);
        point->pending_names[point->pending_name_count++] = at;
        file_at(point, op->file);
        break;
    case SIM_DIRECTORY_SYNC:
        settle_names(point);
        break;
    case SIM_NOTE:
        point->bounds = op->bounds;
        break;
    }
    return true;
}

size_t crash_position(const struct crash_point *point) { return point->position; }

struct sim_bounds crash_bounds(const struct crash_point *point) {
    return point->bounds;
}

/* --- Variables --------------------------------------------------------------------- */

static void add_variable(struct crash_point *point, struct subject subject,
                         size_t options, size_t newest, size_t op) {
    size_t capacity = point->variable_capacity;
    point->variables = grown(point->variables, point->variable_count, &capacity,
                             sizeof *point->variables);
    capacity = point->variable_capacity;
    point->subjects =
        grown(point->subjects, point->variable_count, &capacity, sizeof *point->subjects);
    point->variable_capacity = capacity;
    point->subjects[point->variable_count] = subject;
    point->variables[point->variable_count++] = (struct crash_variable){
        .options = (uint16_t)options, .newest = (uint16_t)newest, .op = (uint32_t)op};
}

/* The bytes that an operation touches in a file of `size` bytes: [*from, *to). */
static void touched(const struct sim_op *op, size_t size, size_t *from, size_t *to) {
    if (op->kind == SIM_WRITE) {
        *from = (size_t)op->offset;
        *to = (size_t)(op->offset + op->size);
    } else {
        *from = (size_t)op->size < size ? (size_t)op->size : size;
        *to = size;
    }
}

static size_t size_after(const struct sim_op *op, size_t size) {
    if (op->kind == SIM_TRUNCATE) return (size_t)op->size;
    size_t end = (size_t)(op->offset + op->size);
    return end > size ? end : size;
}

static void list_file(struct crash_point *point, uint32_t id) {
    const struct state *file = &point->files[id];
    size_t size = file->size, greatest = file->size, lengths = 1, length_op = 0;
    for (size_t i = 0; i < file->pending_count; i++) {
        const struct sim_op *op = sim_op(point->sim, file->pending[i]);
        size_t after = size_after(op, size);
        if (after != size) lengths++, length_op = file->pending[i];
        size = after;
        if (size > greatest) greatest = size;
    }
    if (lengths > 1)
        add_variable(point, (struct subject){VARIABLE_LENGTH, id, 0}, lengths,
                     lengths - 1, length_op);
    for (size_t sector = 0; sector * SECTOR < greatest; sector++) {
        size_t versions = 0, newest_op = 0;
        size = file->size;
        for (size_t i = 0; i < file->pending_count; i++) {
            const struct sim_op *op = sim_op(point->sim, file->pending[i]);
            size_t from, to;
            touched(op, size, &from, &to);
            if (from < (sector + 1) * SECTOR && to > sector * SECTOR && from < to)
                versions++, newest_op = file->pending[i];
            size = size_after(op, size);
        }
        if (versions > 0) /* the contents it had, then zeros, then garbage */
            add_variable(point, (struct subject){VARIABLE_SECTOR, id, sector},
                         versions + 3, versions, newest_op);
    }
}

const struct crash_variable *crash_variables(struct crash_point *point, size_t *count) {
    if (!point->listed) {
        point->variable_count = 0;
        for (size_t i = 0; i < point->pending_name_count; i++)
            add_variable(point, (struct subject){VARIABLE_NAME, 0, i}, 2, 1,
                         point->pending_names[i]);
        for (size_t i = 0; i < point->file_count; i++)
            if (point->files[i].pending_count > 0) list_file(point, (uint32_t)i);
        point->listed = true;
    }
    *count = point->variable_count;
    return point->variables;
}

/* --- Images ------------------------------------------------------------------------ */

static uint64_t next_garbage(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Bring the first `version` operations that touch the sector into it. */
static void build_sector(const struct crash_point *point, uint32_t id, size_t sector,
                         size_t version, uint8_t *data) {
    const struct state *file = &point->files[id];
    size_t start = sector * SECTOR, end = start + SECTOR, size = file->size;
    for (size_t i = 0; i < file->pending_count && version > 0; i++) {
        const struct sim_op *op = sim_op(point->sim, file->pending[i]);
        size_t from, to;
        touched(op, size, &from, &to);
        size = size_after(op, size);
        if (from >= end || to <= start || from >= to) continue;
        version--;
        size_t first = from > start ? from : start, last = to < end ? to : end;
        if (op->kind == SIM_WRITE)
            memcpy(data + first, op->bytes + (first - from), last - first);
        else memset(data + first, 0, last - first);
    }
}

static size_t chosen_length(const struct crash_point *point, uint32_t id, size_t option) {
    const struct state *file = &point->files[id];
    size_t size = file->size;
    for (size_t i = 0; i < file->pending_count && option > 0; i++) {
        size_t after = size_after(sim_op(point->sim, file->pending[i]), size);
        if (after != size) option--;
        size = after;
    }
    return size;
}

static size_t greatest_size(const struct crash_point *point, uint32_t id) {
    const struct state *file = &point->files[id];
    size_t size = file->size, greatest = size;
    for (size_t i = 0; i < file->pending_count; i++) {
        size = size_after(sim_op(point->sim, file->pending[i]), size);
        if (size > greatest) greatest = size;
    }
    return greatest;
}

/* Spoil what the pending operations touched in a sector. */
static void spoil_sector(const struct crash_point *point, uint32_t id, size_t sector,
                         bool zeros, uint64_t *garbage, uint8_t *data) {
    const struct state *file = &point->files[id];
    size_t start = sector * SECTOR, end = start + SECTOR, size = file->size;
    size_t first = end, last = start;
    for (size_t i = 0; i < file->pending_count; i++) {
        const struct sim_op *op = sim_op(point->sim, file->pending[i]);
        size_t from, to;
        touched(op, size, &from, &to);
        size = size_after(op, size);
        if (from >= end || to <= start || from >= to) continue;
        if (from < first) first = from > start ? from : start;
        if (to > last) last = to < end ? to : end;
    }
    for (size_t i = first; i < last; i++)
        data[i] = zeros ? 0 : (uint8_t)next_garbage(garbage);
}

static void build_file(const struct crash_point *point, const struct name *name,
                       const uint16_t *choice, uint64_t *garbage,
                       struct sim_image *image) {
    const struct state *file = &point->files[name->file];
    if (file->pending_count == 0) {
        sim_image_add(image, name->text, file->data, file->size);
        return;
    }
    size_t room = (greatest_size(point, name->file) + SECTOR - 1) / SECTOR * SECTOR;
    uint8_t *data = calloc(1, room ? room : 1);
    check(data);
    if (file->size > 0) memcpy(data, file->data, file->size);
    size_t size = file->size;
    for (size_t i = 0; i < point->variable_count; i++) {
        const struct subject *subject = &point->subjects[i];
        if (subject->kind == VARIABLE_NAME || subject->file != name->file) continue;
        if (subject->kind == VARIABLE_LENGTH) {
            size = chosen_length(point, name->file, choice[i]);
            continue;
        }
        uint16_t newest = point->variables[i].newest;
        if (choice[i] <= newest)
            build_sector(point, name->file, subject->sector, choice[i], data);
        else
            spoil_sector(point, name->file, subject->sector, choice[i] == newest + 1,
                         garbage, data);
    }
    sim_image_add(image, name->text, data, size);
    free(data);
}

void crash_image(struct crash_point *point, const uint16_t *choice, uint64_t garbage,
                 struct sim_image *image) {
    size_t count;
    crash_variables(point, &count);
    garbage |= 1;
    struct name_list list = {NULL, 0, 0};
    for (size_t i = 0; i < point->name_count; i++)
        set_name(&list, point->names[i].text, point->names[i].file);
    for (size_t i = 0; i < count; i++)
        if (point->subjects[i].kind == VARIABLE_NAME && choice[i] != 0)
            apply_name(&list, sim_op(point->sim,
                                     point->pending_names[point->subjects[i].sector]));
    sim_image_init(image);
    for (size_t i = 0; i < list.count; i++)
        build_file(point, &list.names[i], choice, &garbage, image);
    free(list.names);
}
