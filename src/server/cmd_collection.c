/* Collections as a whole: VCREATE VCARD VDIM VINFO. */
#include "base/bytes.h"
#include "kernel/fixed.h"
#include "kernel/index.h"
#include "server/limits.h"
#include "server/plan.h"
#include "server/vector_arguments.h"
#include "server/words.h"

/* An option's number between `least` and `most`; answers "invalid <name>" otherwise. */
static bool option_number(struct call *call, size_t at, const char *name, uint64_t least,
                          uint64_t most, uint64_t *value) {
    if (word_unsigned(call_argument(call, at), value) && *value >= least &&
        *value <= most)
        return true;
    call_error(call, "ERR invalid %s", name);
    return false;
}

static bool read_metric(struct call *call, struct slice word, struct config *config) {
    if (word_is(word, "cosine")) config->metric = METRIC_COSINE;
    else if (word_is(word, "l2")) config->metric = METRIC_L2;
    else if (word_is(word, "ip")) config->metric = METRIC_IP;
    else call_error(call, "ERR invalid METRIC");
    return !call->failed;
}

static bool read_index(struct call *call, struct slice word, struct config *config) {
    if (word_is(word, "flat")) config->index = INDEX_FLAT;
    else if (word_is(word, "hnsw")) config->index = INDEX_HNSW;
    else call_error(call, "ERR invalid INDEX");
    return !call->failed;
}

/* Each field has a name that a filter can have, and one type. */
static bool read_field(struct schema *schema, struct slice name, struct slice type) {
    uint32_t field = schema->count;
    if (field == SCHEMA_FIELDS_MAX || name.size == 0 || name.size > SCHEMA_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-') return false;
    }
    for (uint32_t i = 0; i < field; i++)
        if (slice_equal(slice_of(schema->names[i], schema->sizes[i]), name)) return false;
    if (word_is(type, "number")) schema->types[field] = SCHEMA_NUMBER;
    else if (word_is(type, "string")) schema->types[field] = SCHEMA_STRING;
    else return false;
    memcpy(schema->names[field], name.data, name.size);
    schema->sizes[field] = (uint8_t)name.size;
    schema->count++;
    return true;
}

static bool is_type(struct call *call, size_t at) {
    return call_is(call, at, "number") || call_is(call, at, "string");
}

/* SCHEMA field type [field type ..]: as many pairs as follow. */
static bool read_schema(struct call *call, size_t *at, struct schema *schema) {
    bool good = schema->count == 0;
    size_t first = ++*at;
    while (good && *at + 1 < call->count && is_type(call, *at + 1)) {
        good = read_field(schema, call->arguments[*at], call->arguments[*at + 1]);
        *at += 2;
    }
    if (good && *at > first) return true;
    call_error(call, "ERR invalid SCHEMA");
    return false;
}

/* One option and its value at `at`. */
static bool read_option(struct call *call, size_t at, struct config *config) {
    uint64_t value = 0;
    bool good;
    if (at + 1 >= call->count) {
        call_error(call, "ERR syntax error in VCREATE command");
        return false;
    }
    struct slice word = call->arguments[at + 1];
    if (call_is(call, at, "metric")) return read_metric(call, word, config);
    if (call_is(call, at, "index")) return read_index(call, word, config);
    if (call_is(call, at, "dim")) {
        good = option_number(call, at + 1, "DIM", 1, VECTOR_DIM_MAX, &value);
        config->dim = (uint32_t)value;
    } else if (call_is(call, at, "m")) {
        good = option_number(call, at + 1, "M", M_MIN, M_MAX, &value);
        config->m = (uint32_t)value;
    } else if (call_is(call, at, "ef")) {
        good = option_number(call, at + 1, "EF", 1, EF_MAX, &value);
        config->ef = (uint32_t)value;
    } else if (call_is(call, at, "capacity")) {
        good = option_number(call, at + 1, "CAPACITY", 1, UINT32_MAX, &value);
        config->capacity = value;
    } else {
        call_error(call, "ERR syntax error in VCREATE command");
        return false;
    }
    return good;
}

WRITE(cmd_vcreate) {
    (void)state;
    struct config config = {.metric = METRIC_COSINE,
                            .index = INDEX_HNSW,
                            .quantisation = QUANTISATION_Q8,
                            .origin = ORIGIN_VCREATE,
                            .m = M_DEFAULT,
                            .ef = EF_DEFAULT};
    for (size_t at = 2; at < call->count;) {
        if (call_is(call, at, "schema")) {
            if (!read_schema(call, &at, &config.schema)) return PLAN_REFUSED;
        } else {
            if (!read_option(call, at, &config)) return PLAN_REFUSED;
            at += 2;
        }
    }
    if (config.dim == 0) {
        call_error(call, "ERR invalid DIM");
        return PLAN_REFUSED;
    }
    if (call->arguments[1].size > NAME_SIZE_MAX) {
        call_error(call, "ERR key exceeds 65536 bytes");
        return PLAN_REFUSED;
    }
    struct change change = {.type = CHANGE_CREATE,
                            .flags = CHANGE_CONFIG,
                            .db = call->db,
                            .key = call->arguments[1],
                            .config = config};
    enum status status = plan_add(plan, &change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

ANSWER(answer_vcreate) {
    if (tally->status) call_refusal(call, state, tally);
    else reply_ok(call_reply(call));
}

READ(cmd_vcard) {
    const struct collection *collection = call_collection(call, state);
    if (!call->failed)
        reply_unsigned(call_reply(call), collection ? collection_count(collection) : 0);
}

READ(cmd_vdim) {
    const struct collection *collection = call_collection(call, state);
    if (call->failed) return;
    if (!collection) call_error(call, "ERR key does not exist");
    else reply_integer(call_reply(call), collection_config(collection)->dim);
}

static void field(struct reply *reply, const char *name, uint64_t value) {
    reply_status(reply, name);
    reply_unsigned(reply, value);
}

/* Redis gives its sets numbers; ours have their key, so the number is a hash of it. */
static uint64_t uid_of(const struct call *call) {
    uint8_t hash[SHA256_SIZE];
    hash_object_name(call->db, call->arguments[1], hash);
    return load_le32(hash);
}

READ(cmd_vinfo) {
    struct reply *reply = call_reply(call);
    const struct collection *collection = call_collection(call, state);
    if (call->failed) return;
    if (!collection) {
        reply_null_array(reply);
        return;
    }
    const struct config *config = collection_config(collection);
    static const char *const metrics[] = {"", "cosine", "l2", "ip"};
    static const char *const quantisations[] = {"f32", "int8", "bin"};
    struct index_facts facts;
    index_facts(collection, &facts);
    reply_map(reply, 16);
    reply_status(reply, "quant-type");
    reply_status(reply, quantisations[config->quantisation]);
    field(reply, "hnsw-m", config->m);
    field(reply, "vector-dim", config->dim);
    field(reply, "projection-input-dim", config->reduce_dim);
    field(reply, "size", collection_count(collection));
    field(reply, "max-level", facts.top);
    field(reply, "attributes-count", collection_attributes_count(collection));
    field(reply, "vset-uid", uid_of(call));
    field(reply, "hnsw-max-node-uid", collection_next_slot(collection));
    reply_status(reply, "metric");
    reply_status(reply, metrics[config->metric & 3]);
    reply_status(reply, "index");
    reply_status(reply, config->index == INDEX_FLAT ? "flat" : "hnsw");
    field(reply, "ef", config->ef);
    field(reply, "capacity", config->capacity);
    field(reply, "next-slot", collection_next_slot(collection));
    field(reply, "index-dead", facts.dead);
    field(reply, "index-repairing", facts.repairing);
}
