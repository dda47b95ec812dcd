/* Single elements: VSETATTR VGETATTR VTAG VISMEMBER VGET VEMB. */
#include <math.h>

#include "base/bytes.h"
#include "server/plan.h"
#include "server/score.h"
#include "server/server.h"
#include "server/words.h"

/* --- Attributes and tags ---------------------------------------------------------- */

/* A change of the element in arguments 1 and 2; sizes that no stored name has are
 * refused. */
static bool element_change(struct call *call, enum change_type type,
                           struct change *change) {
    *change = (struct change){.type = (uint8_t)type,
                              .db = call->db,
                              .key = call->arguments[1],
                              .element = call->arguments[2]};
    if (change->key.size > NAME_SIZE_MAX) call_error(call, "ERR key exceeds 65536 bytes");
    else if (change->element.size > NAME_SIZE_MAX)
        call_error(call, "ERR element name exceeds 65536 bytes");
    return !call->failed;
}

static enum plan_result add(struct call *call, struct plan *plan, struct change *change) {
    enum status status = plan_add(plan, change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

WRITE(cmd_vsetattr) {
    (void)state;
    struct change change;
    if (call->arguments[3].size > ATTRIBUTES_SIZE_MAX) {
        call_error(call, "ERR attribute exceeds 65536 bytes");
        return PLAN_REFUSED;
    }
    if (!element_change(call, CHANGE_SETATTR, &change)) return PLAN_REFUSED;
    change.flags = CHANGE_ATTRIBUTES;
    change.attributes = call->arguments[3];
    return add(call, plan, &change);
}

/* Whether it was there to be changed. */
ANSWER(answer_bool) {
    if (tally->status && tally->status != STATUS_NO_KEY &&
        tally->status != STATUS_NO_ELEMENT)
        call_refusal(call, state, tally);
    else reply_bool(call_reply(call), tally->status == STATUS_OK);
}

WRITE(cmd_vtag) {
    (void)state;
    struct change change;
    if (call->count == 3) return PLAN_DONE; /* a question */
    if (call->count != 4) {
        call_arity_error(call);
        return PLAN_REFUSED;
    }
    if (!element_change(call, CHANGE_SETTAG, &change)) return PLAN_REFUSED;
    change.flags = CHANGE_TAG;
    if (!word_unsigned(call->arguments[3], &change.tag)) {
        call_error(call, "ERR invalid TAG");
        return PLAN_REFUSED;
    }
    return add(call, plan, &change);
}

static void reply_tag(struct call *call, const struct record *record) {
    if (record->flags & CHANGE_TAG) reply_unsigned(call_reply(call), record->tag);
    else reply_null(call_reply(call));
}

ANSWER(answer_vtag) {
    struct record record;
    if (call->count == 4) answer_bool(call, state, tally);
    else if (call_record(call, state, &record)) reply_tag(call, &record);
    else if (!call->failed) reply_null(call_reply(call));
}

static void reply_attributes(struct call *call, const struct record *record) {
    if (record->flags & CHANGE_ATTRIBUTES)
        reply_bulk(call_reply(call), record->attributes);
    else reply_null(call_reply(call));
}

READ(cmd_vgetattr) {
    struct record record;
    if (call_record(call, state, &record)) reply_attributes(call, &record);
    else if (!call->failed) reply_null(call_reply(call));
}

READ(cmd_vismember) {
    struct record record;
    bool found = call_record(call, state, &record);
    if (!call->failed) reply_bool(call_reply(call), found);
}

/* --- Vectors ---------------------------------------------------------------------- */

/* Component `i` as the client gave it: the kept bits, or the integers with their scale.
 */
static double component(const struct record *record, uint32_t i) {
    if (record->flags & CHANGE_FP32)
        return score_fp32(load_le32(record->fp32.data + 4 * (size_t)i));
    return score_value(record->values[i], record->exponent);
}

static void reply_vector(struct call *call, const struct record *record, uint32_t dim) {
    struct reply *reply = call_reply(call);
    reply_array(reply, dim);
    for (uint32_t i = 0; i < dim; i++) reply_double(reply, component(record, i));
}

static uint32_t dim_of(struct call *call, const struct state *state) {
    return collection_config(state_collection(state, call->db, call->arguments[1]))->dim;
}

READ(cmd_vget) {
    struct record record;
    struct reply *reply = call_reply(call);
    if (!call_record(call, state, &record)) {
        if (!call->failed) reply_null(reply);
        return;
    }
    reply_map(reply, 4);
    reply_text(reply, "vector");
    reply_vector(call, &record, dim_of(call, state));
    reply_text(reply, "tag");
    reply_tag(call, &record);
    reply_text(reply, "attributes");
    reply_attributes(call, &record);
    reply_text(reply, "index");
    reply_unsigned(reply, record.widx);
}

/* What the RAW form of Redis holds, computed from what is kept here. */
struct raw {
    double length; /* of the vector; 1 for a zero vector */
    double range;  /* of the unit vector's components */
};

static struct raw raw_of(const struct record *record, uint32_t dim, bool cosine) {
    struct raw raw = {.length = 1.0, .range = 0.0};
    double sum = 0.0, greatest = 0.0;
    for (uint32_t i = 0; i < dim; i++) {
        double value = component(record, i);
        sum += value * value;
        if (fabs(value) > greatest) greatest = fabs(value);
    }
    if (cosine && sum > 0.0) raw.length = sqrt(sum);
    raw.range = greatest / raw.length;
    return raw;
}

static void raw_int8(struct scratch *scratch, const struct record *record, uint32_t dim,
                     const struct raw *raw) {
    for (uint32_t i = 0; i < dim; i++) {
        double unit = component(record, i) / raw->length;
        scratch->vector[i] =
            (uint8_t)(int8_t)(raw->range > 0.0 ? lround(unit * 127.0 / raw->range) : 0);
    }
}

static void raw_fp32(struct scratch *scratch, const struct record *record, uint32_t dim,
                     const struct raw *raw) {
    for (uint32_t i = 0; i < dim; i++) {
        float unit = (float)(component(record, i) / raw->length);
        uint32_t bits;
        memcpy(&bits, &unit, sizeof bits);
        store_le32(scratch->vector + 4 * (size_t)i, bits);
    }
}

/* A bit for each value above zero, in little-endian words of 64. Gives the bytes. */
static size_t raw_bits(struct scratch *scratch, const struct record *record,
                       uint32_t dim) {
    size_t size = ((size_t)dim + 63) / 64 * 8;
    memset(scratch->vector, 0, size);
    for (uint32_t i = 0; i < dim; i++)
        if (record->values[i] > 0) scratch->vector[i / 8] |= (uint8_t)(1u << i % 8);
    return size;
}

static void reply_raw_form(struct call *call, const struct record *record,
                           const struct config *config) {
    static const char *const names[] = {"f32", "int8", "bin"};
    struct reply *reply = call_reply(call);
    struct scratch *scratch = &call->server->scratch;
    uint8_t form = config->quantisation;
    struct raw raw = raw_of(record, config->dim, config->metric == METRIC_COSINE);
    size_t size = config->dim;
    if (form == QUANTISATION_BIN) size = raw_bits(scratch, record, config->dim);
    else if (form == QUANTISATION_Q8) raw_int8(scratch, record, config->dim, &raw);
    else raw_fp32(scratch, record, config->dim, &raw), size *= 4;
    reply_array(reply, form == QUANTISATION_Q8 ? 4 : 3);
    reply_status(reply, names[form]);
    reply_bulk(reply, slice_of(scratch->vector, size));
    reply_double(reply, raw.length);
    if (form == QUANTISATION_Q8) reply_double(reply, raw.range);
}

READ(cmd_vemb) {
    struct record record;
    for (size_t i = 3; i < call->count; i++)
        if (!call_is(call, i, "raw")) {
            call_error(call, "ERR invalid option");
            return;
        }
    if (!call_record(call, state, &record)) {
        if (!call->failed) reply_null(call_reply(call));
    } else if (call->count > 3) {
        const struct collection *collection =
            state_collection(state, call->db, call->arguments[1]);
        reply_raw_form(call, &record, collection_config(collection));
    } else {
        reply_vector(call, &record, dim_of(call, state));
    }
}
