/* The nearest elements: VSEARCH in our words, VSIM in those of Redis. */
#include <math.h>

#include "base/sort.h"
#include "server/limits.h"
#include "server/score.h"
#include "server/server.h"
#include "server/vector_arguments.h"
#include "server/words.h"

#define COUNT_DEFAULT 10
#define OUT_OF_MEMORY "OOM command not allowed when used memory > 'maxmemory'."
/* Values compared between two looks at the clock: about half a millisecond. */
#define VALUES_PER_STEP (UINT32_C(1) << 20)
#define HITS_PER_STEP   64 /* of a reply: their attributes may be large */

/* What the words ask for, before it is bound to a collection. */
struct search_words {
    struct vector_words vector;
    bool by_element;
    struct slice element;
    size_t options; /* the first argument after the vector */
    int64_t k;
    uint32_t ef; /* 0: not said */
    size_t tag_count;
    bool filtered;      /* the program is in scratch */
    uint32_t filter_ef; /* 0: not said */
};

/* --- Answering -------------------------------------------------------------------- */

static void reply_attributes(struct reply *reply, const struct record *record) {
    if (record->flags & CHANGE_ATTRIBUTES) reply_bulk(reply, record->attributes);
    else reply_null(reply);
}

static void reply_fields(struct call *call, const struct search_task *task,
                         const struct hit *hit, const struct record *record) {
    struct reply *reply = call_reply(call);
    if (task->with_scores) reply_double(reply, score_of(&task->search, hit));
    if (task->with_attributes) reply_attributes(reply, record);
    if (!task->with_tags) return;
    if (record->flags & CHANGE_TAG) reply_unsigned(reply, record->tag);
    else reply_null(reply);
}

/* The hits that EPSILON leaves; they are in order, so those that go are at the end. */
static uint32_t kept_hits(const struct search_task *task) {
    uint32_t count = task->search.hit_count;
    if (!task->has_epsilon) return count;
    while (count > 0 &&
           score_of(&task->search, &task->search.hits[count - 1]) < 1.0 - task->epsilon)
        count--;
    return count;
}

static unsigned fields_of(const struct search_task *task) {
    return (unsigned)task->with_scores + task->with_attributes + task->with_tags;
}

/* Codes that a walk has looked at, or rows of a scan. */
static uint64_t vectors_compared(const struct search *search) {
    uint64_t walked = search->graph.looked_at;
    return walked ? walked : collection_count(search->collection);
}

/* The hits are found: say how many come; or that the filter took too long. */
static void begin_reply(struct call *call, struct search_task *task) {
    if (task->search.exhausted) {
        call_error(call, "ERR filter budget exceeded");
        return;
    }
    struct reply *reply = call_reply(call);
    unsigned fields = fields_of(task);
    uint32_t count = kept_hits(task);
    task->found = true;
    task->kept = count;
    call->server->metrics.vectors_searched += vectors_compared(&task->search);
    if (fields == 0 || task->nested) reply_array(reply, count);
    else if (reply->protocol == 3) reply_map(reply, count);
    else reply_array(reply, (uint64_t)count * (1 + fields));
}

/* Some more of them; true when those were the last. */
static bool reply_hits(struct call *call, struct search_task *task) {
    struct reply *reply = call_reply(call);
    unsigned fields = fields_of(task);
    for (int i = 0; i < HITS_PER_STEP && task->replied < task->kept; i++) {
        const struct hit *hit = &task->search.hits[task->replied++];
        struct record record = {0};
        record_at(task->search.state, task->search.collection, hit->slot, &record);
        if (fields && task->nested) reply_array(reply, 1 + fields);
        reply_bulk(reply, record.element);
        if (fields > 1 && !task->nested && reply->protocol == 3)
            reply_array(reply, fields);
        reply_fields(call, task, hit, &record);
    }
    return task->replied == task->kept;
}

static bool search_more(struct call *call, uint64_t deadline_us) {
    struct search_task *task = &call->server->search;
    uint32_t dim = collection_config(task->search.collection)->dim;
    uint32_t rows = VALUES_PER_STEP / dim + 1;
    do {
        if (!task->found && search_step(&task->search, rows)) begin_reply(call, task);
        if (call->failed) return true;
        if (task->found && reply_hits(call, task)) return true;
    } while (server_clock(call->server) < deadline_us);
    return false;
}

/* --- Asking ----------------------------------------------------------------------- */

/* ELE, FP32 or VALUES at `at`. */
static bool read_query(struct call *call, size_t at, struct search_words *words) {
    words->by_element = call_is(call, at, "ele");
    if (words->by_element) {
        if (at + 1 >= call->count) {
            call_error(call, "ERR invalid vector specification");
            return false;
        }
        words->element = call->arguments[at + 1];
        words->options = at + 2;
        return true;
    }
    if (!vector_words_read(call, at, &words->vector)) return false;
    words->options = words->vector.next;
    return true;
}

static bool query_from_element(struct call *call, const struct state *state,
                               const struct collection *collection,
                               struct slice element) {
    struct record record;
    if (!record_find(state, collection, element, &record)) {
        call_error(call, "ERR element not found in set");
        return false;
    }
    memcpy(call->server->scratch.values, record.values,
           collection_config(collection)->dim * sizeof *record.values);
    return true;
}

static bool dimension_error(struct call *call, uint32_t dim,
                            const struct config *config) {
    if (config->reduce_dim) vector_input_error(call, dim, config->reduce_dim);
    else
        call_error(call, "ERR Vector dimension mismatch - got %u but set has %u", dim,
                   config->dim);
    return false;
}

/* The query into scratch, checked against the collection, and projected where it has
 * the dimension of what was. */
static bool bind_query(struct call *call, const struct state *state,
                       const struct collection *collection, struct search_words *words) {
    const struct config *config = collection_config(collection);
    struct vector_words *vector = &words->vector;
    int32_t *values = call->server->scratch.values;
    if (words->by_element)
        return query_from_element(call, state, collection, words->element);
    int8_t exponent;
    if (!vector_convert(call, vector, config->metric, values, &exponent)) return false;
    bool whole = vector->dim == config->reduce_dim && vector->dim != config->dim;
    if (whole && !vector_project(call, vector, config->dim, values, &exponent))
        return false;
    if (config->quantisation == QUANTISATION_BIN)
        vector_binarise(vector, values, &exponent);
    return vector->dim == config->dim || dimension_error(call, vector->dim, config);
}

static int compare_tags(void *context, const void *a, const void *b) {
    (void)context;
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Each tag once, as the kernel wants them. Gives how many are left. */
static size_t distinct_tags(uint64_t *tags, size_t count) {
    sort(tags, count, sizeof *tags, compare_tags, NULL);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || tags[i] != tags[kept - 1]) tags[kept++] = tags[i];
    return kept;
}

/* What the query says of its filter; NULL: it has none. */
static const struct search_filter *filter_of(struct server *server,
                                             const struct search_words *words) {
    struct search_filter *filter = &server->search.filter;
    if (!words->filtered) return NULL;
    *filter = (struct search_filter){.program = &server->scratch.filter->program,
                                     .room = &server->scratch.filter->room,
                                     .budget = (uint64_t)server->options.search_budget,
                                     .bound = words->filter_ef};
    return filter;
}

/* Start the search; `search_more` ends it. */
static void begin(struct call *call, const struct state *state,
                  const struct collection *collection, const struct search_words *words) {
    struct server *server = call->server;
    struct scratch *scratch = &server->scratch;
    uint64_t count = collection_count(collection);
    uint64_t k = (uint64_t)words->k < count ? (uint64_t)words->k : count;
    if (k == 0) {
        reply_array(call_reply(call), 0);
        return;
    }
    if (scratch_hits(scratch, (size_t)k)) {
        call_error(call, OUT_OF_MEMORY);
        return;
    }
    uint32_t dim = collection_config(collection)->dim;
    memset(scratch->values + dim, 0, (query_stride(dim) - dim) * sizeof *scratch->values);
    struct query query = {.values = scratch->values,
                          .k = (uint32_t)k,
                          .tags = words->tag_count ? scratch->tags : NULL,
                          .tag_count = distinct_tags(scratch->tags, words->tag_count),
                          .filter = filter_of(server, words),
                          .ef = words->ef,
                          .exact = server->search.exact,
                          .room = &scratch->room};
    if (scratch_room(scratch, search_room_size(collection, &query))) {
        call_error(call, OUT_OF_MEMORY);
        return;
    }
    search_begin(&server->search.search, state, collection, &query, scratch->hits);
    server->job.more = search_more;
}

/* Options that both commands have. False: none of them is at *at. */
static bool read_flag(struct call *call, size_t *at, struct search_task *task) {
    if (call_is(call, *at, "withscores")) task->with_scores = true;
    else if (call_is(call, *at, "withattribs")) task->with_attributes = true;
    else if (call_is(call, *at, "withtags") && task->nested) task->with_tags = true;
    else if (call_is(call, *at, task->nested ? "exact" : "truth")) task->exact = true;
    else if (!call_is(call, *at, "nothread") || task->nested) return false;
    ++*at;
    return true;
}

static bool fail(struct call *call, const char *text) {
    call_error(call, "ERR %s", text);
    return false;
}

static bool read_ef(struct call *call, size_t *at, struct search_words *words) {
    int64_t ef;
    if (!word_integer(call->arguments[*at + 1], &ef) || ef < 1 || ef > EF_MAX)
        return fail(call, "invalid EF");
    words->ef = (uint32_t)ef;
    *at += 2;
    return true;
}

/* With what follows the place of the error, as far as an error reaches. */
static bool filter_error(struct call *call, struct slice text, size_t at) {
    char tail[512];
    if (at >= text.size) at = 0;
    size_t size = text.size - at < sizeof tail ? text.size - at : sizeof tail - 1;
    if (size > 0) memcpy(tail, text.data + at, size);
    tail[size] = '\0';
    call_error(call, "ERR syntax error in FILTER expression near: %s", tail);
    return false;
}

static bool read_filter(struct call *call, size_t *at, struct search_words *words) {
    struct slice text = call->arguments[*at + 1];
    struct scratch *scratch = &call->server->scratch;
    if (scratch_filter(scratch)) {
        call_error(call, OUT_OF_MEMORY);
        return false;
    }
    size_t error;
    switch (filter_read(text, &scratch->filter->program, &error)) {
    case STATUS_OK:
        break;
    case STATUS_TOO_LARGE:
        return fail(call, "FILTER expression is too long or too deep");
    default:
        return filter_error(call, text, error);
    }
    words->filtered = true;
    *at += 2;
    return true;
}

static bool read_filter_ef(struct call *call, size_t *at, struct search_words *words) {
    int64_t filter_ef;
    if (!word_integer(call->arguments[*at + 1], &filter_ef) || filter_ef < 1)
        return fail(call, "invalid FILTER-EF");
    words->filter_ef = filter_ef < UINT32_MAX ? (uint32_t)filter_ef : UINT32_MAX;
    *at += 2;
    return true;
}

/* --- VSEARCH ---------------------------------------------------------------------- */

/* TAG n...: as many numbers as follow. */
static bool read_tags(struct call *call, size_t *at, struct search_words *words) {
    struct scratch *scratch = &call->server->scratch;
    uint64_t tag;
    ++*at;
    size_t before = words->tag_count;
    while (*at < call->count && word_unsigned(call->arguments[*at], &tag)) {
        bool room = words->tag_count < scratch->tag_capacity ||
                    scratch_tags(scratch, words->tag_count * 2 + 1) == STATUS_OK;
        if (words->tag_count == TAGS_MAX || !room) return fail(call, "too many tags");
        scratch->tags[words->tag_count++] = tag;
        ++*at;
    }
    return words->tag_count > before || fail(call, "invalid TAG");
}

static bool vsearch_options(struct call *call, struct search_words *words) {
    static const char *const later[] = {"expand", "receipt"};
    static const char *const names[] = {"EXPAND", "RECEIPT"};
    for (size_t at = words->options; at < call->count;) {
        if (read_flag(call, &at, &call->server->search)) continue;
        for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
            if (!call_is(call, at, later[i])) continue;
            call_unavailable(call, names[i]);
            return false;
        }
        if (call_is(call, at, "tag")) {
            if (!read_tags(call, &at, words)) return false;
        } else if (call_is(call, at, "ef") && at + 1 < call->count) {
            if (!read_ef(call, &at, words)) return false;
        } else if (call_is(call, at, "filter") && at + 1 < call->count) {
            if (!read_filter(call, &at, words)) return false;
        } else if (call_is(call, at, "filter-ef") && at + 1 < call->count) {
            if (!read_filter_ef(call, &at, words)) return false;
        } else {
            return fail(call, "syntax error in VSEARCH command");
        }
    }
    return true;
}

READ(cmd_vsearch) {
    struct search_words words = {0};
    call->server->search = (struct search_task){.nested = true};
    if (!call_is(call, 2, "k")) {
        fail(call, "syntax error in VSEARCH command");
        return;
    }
    if (!word_integer(call->arguments[3], &words.k) || words.k < 1) {
        fail(call, "invalid K");
        return;
    }
    const struct collection *collection = call_collection(call, state);
    if (call->failed) return;
    if (!collection) reply_array(call_reply(call), 0);
    else if (read_query(call, 4, &words) && bind_query(call, state, collection, &words) &&
             vsearch_options(call, &words))
        begin(call, state, collection, &words);
}

/* --- VSIM ------------------------------------------------------------------------- */

static bool read_epsilon(struct call *call, const struct collection *collection,
                         size_t *at) {
    struct search_task *task = &call->server->search;
    if (!word_double(call->arguments[*at + 1], &task->epsilon) || !(task->epsilon > 0.0))
        return fail(call, "invalid EPSILON");
    if (collection_config(collection)->metric != METRIC_COSINE)
        return fail(call, "EPSILON needs a collection with METRIC COSINE");
    task->has_epsilon = true;
    *at += 2;
    return true;
}

static bool vsim_options(struct call *call, const struct collection *collection,
                         struct search_words *words) {
    for (size_t at = words->options; at < call->count;) {
        if (read_flag(call, &at, &call->server->search)) continue;
        if (at + 1 >= call->count) return fail(call, "syntax error in VSIM command");
        if (call_is(call, at, "count")) {
            if (!word_integer(call->arguments[at + 1], &words->k) || words->k < 1)
                return fail(call, "invalid COUNT");
            at += 2;
        } else if (call_is(call, at, "ef")) {
            if (!read_ef(call, &at, words)) return false;
        } else if (call_is(call, at, "epsilon")) {
            if (!read_epsilon(call, collection, &at)) return false;
        } else if (call_is(call, at, "filter-ef")) {
            if (!read_filter_ef(call, &at, words)) return false;
        } else if (call_is(call, at, "filter")) {
            if (!read_filter(call, &at, words)) return false;
        } else {
            return fail(call, "syntax error in VSIM command");
        }
    }
    return true;
}

READ(cmd_vsim) {
    struct search_words words = {.k = COUNT_DEFAULT};
    call->server->search = (struct search_task){0};
    const struct collection *collection = call_collection(call, state);
    if (call->failed) return;
    if (!collection)
        reply_array(call_reply(call),
                    0); /* before any check, and in RESP3 too: as Redis has it */
    else if (read_query(call, 2, &words) && bind_query(call, state, collection, &words) &&
             vsim_options(call, collection, &words))
        begin(call, state, collection, &words);
}
