/* Disk images: files by name. */
#include <stdlib.h>
#include <string.h>

#include "sim/sim_os.h"

#include "base/check.h"

void sim_image_init(struct sim_image *image) { *image = (struct sim_image){0}; }

void sim_image_free(struct sim_image *image) {
    for (size_t i = 0; i < image->count; i++) free(image->files[i].data);
    free(image->files);
    sim_image_init(image);
}

void sim_image_copy(const struct sim_image *from, struct sim_image *to) {
    sim_image_init(to);
    for (size_t i = 0; i < from->count; i++)
        sim_image_add(to, from->files[i].name, from->files[i].data, from->files[i].size);
}

struct sim_file_image *sim_image_find(const struct sim_image *image, const char *name) {
    for (size_t i = 0; i < image->count; i++)
        if (strcmp(image->files[i].name, name) == 0) return &image->files[i];
    return NULL;
}

struct sim_file_image *sim_image_add(struct sim_image *image, const char *name,
                                     const void *data, size_t size) {
    check(!sim_image_find(image, name) && strlen(name) < SIM_NAME_SIZE);
    if (image->count == image->capacity) {
        image->capacity = image->capacity ? 2 * image->capacity : 8;
        image->files = realloc(image->files, image->capacity * sizeof *image->files);
        check(image->files);
    }
    size_t at = image->count;
    while (at > 0 && strcmp(image->files[at - 1].name, name) > 0) {
        image->files[at] = image->files[at - 1];
        at--;
    }
    struct sim_file_image *file = &image->files[at];
    memset(file, 0, sizeof *file);
    memcpy(file->name, name, strlen(name));
    file->data = malloc(size ? size : 1);
    check(file->data);
    if (size) memcpy(file->data, data, size);
    file->size = size;
    image->count++;
    return file;
}

void sim_image_remove(struct sim_image *image, const char *name) {
    struct sim_file_image *file = sim_image_find(image, name);
    check(file);
    free(file->data);
    size_t at = (size_t)(file - image->files);
    memmove(file, file + 1, (image->count - at - 1) * sizeof *file);
    image->count--;
}

/* Multiply and rotate, eight bytes at a time: only to tell images apart. */
static uint64_t mix(uint64_t hash, const uint8_t *bytes, size_t size) {
    hash = (hash ^ size) * UINT64_C(0x9e3779b97f4a7c15);
    while (size > 0) {
        uint64_t word = 0;
        size_t part = size < sizeof word ? size : sizeof word;
        memcpy(&word, bytes, part);
        hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
        bytes += part;
        size -= part;
    }
    return hash;
}

uint64_t sim_image_hash(const struct sim_image *image) {
    uint64_t hash = image->count;
    for (size_t i = 0; i < image->count; i++) {
        const struct sim_file_image *file = &image->files[i];
        hash = mix(hash, (const uint8_t *)file->name, strlen(file->name));
        hash = mix(hash, file->data, file->size);
    }
    return hash;
}
