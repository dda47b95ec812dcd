/* Encoding once, finding the places, writing digits. */
#include "tools/benchmark_template.h"

#include "tools/benchmark_synthetic.h"

#define DIGITS 12
#define PLACE  "__rand_int__"

static enum status note_place(struct template *template, size_t place) {
    if (template->place_count == template->place_capacity) {
        size_t wanted = template->place_capacity ? template->place_capacity * 2 : 8;
        void *places = template->allocator->resize(
            template->allocator->context, template->places,
            template->place_capacity * sizeof *template->places,
            wanted * sizeof *template->places);
        if (!places) return STATUS_MEMORY;
        template->places = places;
        template->place_capacity = wanted;
    }
    template->places[template->place_count++] = place;
    return STATUS_OK;
}

static enum status find_places(struct template *template) {
    struct slice bytes = buffer_slice(&template->bytes);
    enum status status = STATUS_OK;
    for (size_t i = 0; i + DIGITS <= bytes.size && !status; i++)
        if (memcmp(bytes.data + i, PLACE, DIGITS) == 0) {
            status = note_place(template, i);
            i += DIGITS - 1;
        }
    return status;
}

static void begin(struct template *template, const struct allocator *allocator) {
    *template = (struct template){.allocator = allocator};
    buffer_init(&template->bytes, allocator, SIZE_MAX / 2);
}

enum status template_init(struct template *template, const struct allocator *allocator,
                          size_t count, const struct slice *words, uint64_t keyspace,
                          uint64_t seed) {
    struct command command;
    begin(template, allocator);
    template->keyspace = keyspace;
    template->seed = seed;
    command_init(&command, allocator);
    for (size_t i = 0; i < count; i++)
        command_bytes(&command, words[i].data, words[i].size);
    enum status status = command_send(&command, &template->bytes);
    command_free(&command);
    if (!status && keyspace > 0) status = find_places(template);
    return status;
}

enum status template_init_line(struct template *template,
                               const struct allocator *allocator, const char *line) {
    begin(template, allocator);
    return buffer_append(&template->bytes, line, strlen(line));
}

void template_free(struct template *template) {
    if (!template->allocator) return;
    buffer_free(&template->bytes);
    release(template->allocator, template->places,
            template->place_capacity * sizeof *template->places);
    *template = (struct template){0};
}

void template_compose(const struct template *template, size_t index,
                      struct command *command) {
    struct slice bytes = buffer_slice(&template->bytes);
    uint8_t *copy = command_raw(command, bytes.data, bytes.size);
    for (size_t i = 0; i < template->place_count && copy; i++) {
        uint64_t number = random_at(template->seed, index * template->place_count + i) %
                          template->keyspace;
        for (size_t digit = DIGITS; digit > 0; digit--, number /= 10)
            copy[template->places[i] + digit - 1] = (uint8_t)('0' + number % 10);
    }
}
