/* Planning. The commands of -t are those of redis-benchmark. */
#include "tools/benchmark_tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DATA      "__data__" /* becomes a value of --data-size bytes */
#define WORDS_MAX 24
#define KEYS      "key:__rand_int__"
#define TEN_PAIRS                                                                        \
    KEYS, DATA, KEYS, DATA, KEYS, DATA, KEYS, DATA, KEYS, DATA, KEYS, DATA, KEYS, DATA,  \
        KEYS, DATA, KEYS, DATA, KEYS, DATA

static const struct {
    const char *name, *title;
    const char *words[WORDS_MAX]; /* none: an inline PING */
} commands[] = {
    {"ping_inline", "PING_INLINE", {NULL}},
    {"ping_mbulk", "PING_MBULK", {"PING"}},
    {"set", "SET", {"SET", KEYS, DATA}},
    {"get", "GET", {"GET", KEYS}},
    {"incr", "INCR", {"INCR", "counter:__rand_int__"}},
    {"lpush", "LPUSH", {"LPUSH", "mylist", DATA}},
    {"rpush", "RPUSH", {"RPUSH", "mylist", DATA}},
    {"lpop", "LPOP", {"LPOP", "mylist"}},
    {"rpop", "RPOP", {"RPOP", "mylist"}},
    {"sadd", "SADD", {"SADD", "myset", "element:__rand_int__"}},
    {"hset", "HSET", {"HSET", "myhash", "element:__rand_int__", DATA}},
    {"spop", "SPOP", {"SPOP", "myset"}},
    {"zadd", "ZADD", {"ZADD", "myzset", "0", "element:__rand_int__"}},
    {"zpopmin", "ZPOPMIN", {"ZPOPMIN", "myzset"}},
    {"mset", "MSET (10 keys)", {"MSET", TEN_PAIRS}},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static struct test *add_test(struct tests *tests, enum phase phase, const char *name) {
    if (tests->count == tests->capacity) {
        size_t wanted = tests->capacity ? tests->capacity * 2 : 16;
        void *rows = tests->allocator->resize(tests->allocator->context, tests->rows,
                                              tests->capacity * sizeof *tests->rows,
                                              wanted * sizeof *tests->rows);
        if (!rows) return NULL;
        tests->rows = rows;
        tests->capacity = wanted;
    }
    struct test *test = &tests->rows[tests->count++];
    *test = (struct test){.phase = phase};
    snprintf(test->name, sizeof test->name, "%s", name);
    return test;
}

void tests_free(struct tests *tests) {
    if (!tests->allocator) return;
    for (size_t i = 0; i < tests->count; i++) template_free(&tests->rows[i].template);
    release(tests->allocator, tests->rows, tests->capacity * sizeof *tests->rows);
    *tests = (struct tests){0};
}

/* --- Commands ----------------------------------------------------------------------- */

static enum status add_command(struct tests *tests,
                               const struct benchmark_options *options, size_t which,
                               const char *data) {
    struct slice words[WORDS_MAX];
    size_t count = 0;
    struct test *test = add_test(tests, PHASE_COMMAND, commands[which].title);
    if (!test) return STATUS_MEMORY;
    while (count < WORDS_MAX && commands[which].words[count]) {
        const char *word = commands[which].words[count];
        words[count++] = strcmp(word, DATA) == 0
                             ? slice_of(data, (size_t)options->data_size)
                             : slice_text(word);
    }
    if (count == 0)
        return template_init_line(&test->template, tests->allocator, "PING\r\n");
    return template_init(&test->template, tests->allocator, count, words,
                         options->keyspace, options->seed);
}

/* All commands that a word of -t names: "ping" is two. */
static enum status add_named(struct tests *tests, const struct benchmark_options *options,
                             struct slice name, const char *data,
                             struct complaint *complaint) {
    bool is_known = false;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < COMMAND_COUNT && !status; i++) {
        const char *ours = commands[i].name;
        bool both =
            name.size == 4 && strncasecmp((const char *)name.data, "ping", 4) == 0;
        bool same = strlen(ours) == name.size &&
                    strncasecmp((const char *)name.data, ours, name.size) == 0;
        if (!same && !(both && strncmp(ours, "ping_", 5) == 0)) continue;
        is_known = true;
        status = add_command(tests, options, i, data);
    }
    if (!is_known)
        return complain(complaint, STATUS_INVALID,
                        "-t: %.*s is none of the tests; see --help", (int)name.size,
                        (const char *)name.data);
    return status;
}

static enum status add_all_named(struct tests *tests,
                                 const struct benchmark_options *options,
                                 struct complaint *complaint) {
    char *data = allocate(tests->allocator, (size_t)options->data_size);
    if (!data) return STATUS_MEMORY;
    memset(data, 'x', (size_t)options->data_size);
    enum status status = STATUS_OK;
    for (const char *text = options->tests; *text != '\0' && !status;) {
        size_t size = strcspn(text, ",");
        status = add_named(tests, options, slice_of(text, size), data, complaint);
        text += size + (text[size] == ',');
    }
    release(tests->allocator, data, (size_t)options->data_size);
    return status;
}

static enum status read_input(struct buffer *input) {
    enum status status = STATUS_OK;
    while (!status && !feof(stdin)) {
        uint8_t *room;
        status = buffer_reserve(input, 65536, &room);
        if (status) break;
        buffer_commit(input, fread(room, 1, 65536, stdin));
        if (ferror(stdin)) status = STATUS_IO;
    }
    return status;
}

/* The words after the options, and with -x what standard input holds. */
static enum status add_custom(struct tests *tests,
                              const struct benchmark_options *options) {
    size_t count = (size_t)options->word_count, room = count + 1;
    struct buffer input;
    struct slice *words = allocate(tests->allocator, room * sizeof *words);
    struct test *test = add_test(tests, PHASE_COMMAND, "");
    buffer_init(&input, tests->allocator, SIZE_MAX / 2);
    enum status status = words && test ? STATUS_OK : STATUS_MEMORY;
    size_t at = 0;
    for (size_t i = 0; i < count && !status; i++) {
        words[i] = slice_text(options->words[i]);
        if (at < sizeof test->name)
            at += (size_t)snprintf(test->name + at, sizeof test->name - at, "%s%s",
                                   i > 0 ? " " : "", options->words[i]);
    }
    if (!status && options->from_stdin) status = read_input(&input);
    if (!status && options->from_stdin) words[count++] = buffer_slice(&input);
    if (!status)
        status = template_init(&test->template, tests->allocator, count, words,
                               options->keyspace, options->seed);
    buffer_free(&input);
    release(tests->allocator, words, room * sizeof *words);
    return status;
}

/* --- Phases ------------------------------------------------------------------------- */

static struct test *add_search(struct tests *tests,
                               const struct benchmark_options *options, uint32_t tag,
                               uint64_t count, uint64_t ef) {
    struct test *test = add_test(tests, PHASE_SEARCH, "search");
    if (!test) return NULL;
    test->count = count;
    test->ef = ef;
    test->tag = tag;
    size_t at = strlen(test->name);
    if (tag > 0)
        at += (size_t)snprintf(test->name + at, sizeof test->name - at, " tag=%g%%",
                               (double)options->selectivity.values[tag - 1] / 1e6);
    if (options->count.count > 1)
        at += (size_t)snprintf(test->name + at, sizeof test->name - at, " count=%" PRIu64,
                               count);
    if (ef > 0) snprintf(test->name + at, sizeof test->name - at, " ef=%" PRIu64, ef);
    return test;
}

static enum status add_searches(struct tests *tests,
                                const struct benchmark_options *options) {
    for (uint32_t tag = 0; tag <= options->selectivity.count; tag++)
        for (size_t count = 0; count < options->count.count; count++)
            for (size_t ef = 0; ef < options->ef.count; ef++)
                if (!add_search(tests, options, tag, options->count.values[count],
                                options->ef.values[ef]))
                    return STATUS_MEMORY;
    return STATUS_OK;
}

enum status tests_plan(struct tests *tests, const struct benchmark_options *options,
                       const struct allocator *allocator, struct complaint *complaint) {
    *tests = (struct tests){.allocator = allocator};
    enum status status = STATUS_OK;
    complain(complaint, status, "no memory for the list of tests");
    if (options->tests) status = add_all_named(tests, options, complaint);
    if (!status && options->word_count > 0) status = add_custom(tests, options);
    for (size_t i = 0; i < options->phase_count && !status; i++) {
        enum phase phase = options->phases[i];
        if (phase == PHASE_SEARCH) {
            status = add_searches(tests, options);
            continue;
        }
        struct test *test = add_test(tests, phase, phase_name(phase));
        if (!test) return STATUS_MEMORY;
        test->count = options->count.values[0];
        test->ef = options->ef.values[0];
    }
    return status;
}
