/* Adding elements: VADD VMADD, and VREM. */
#include "kernel/change.h"
#include "server/limits.h"
#include "server/plan.h"
#include "server/server.h"
#include "server/vector_arguments.h"
#include "server/words.h"

/* What VADD's options ask for. */
struct wishes {
    uint8_t flags; /* of the change */
    uint8_t quantisation;
    uint32_t m, ef;
    uint64_t tag;
    struct slice attributes;
    bool receipt; /* answer with the entry's place */
};

static bool name_fits(struct call *call, const char *what, struct slice name) {
    if (name.size <= NAME_SIZE_MAX) return true;
    call_error(call, "ERR %s exceeds 65536 bytes", what);
    return false;
}

static bool attributes_fit(struct call *call, struct slice attributes) {
    if (attributes.size <= ATTRIBUTES_SIZE_MAX) return true;
    call_error(call, "ERR attribute exceeds 65536 bytes");
    return false;
}

static bool wish_number(struct call *call, size_t at, const char *name, uint64_t least,
                        uint64_t most, uint64_t *value) {
    if (word_unsigned(call_argument(call, at), value) && *value >= least &&
        *value <= most)
        return true;
    call_error(call, "ERR invalid %s", name);
    return false;
}

static bool wish_unknown(struct call *call) {
    call_error(call, "ERR invalid option after element");
    return false;
}

/* An option with a value, at *at. */
static bool wish_with_value(struct call *call, size_t *at, struct wishes *wishes) {
    uint64_t value = 0;
    size_t word = *at;
    if (word + 1 >= call->count) return wish_unknown(call);
    *at += 2;
    if (call_is(call, word, "ef")) {
        if (!wish_number(call, word + 1, "EF", 1, EF_MAX, &value)) return false;
        wishes->ef = (uint32_t)value;
    } else if (call_is(call, word, "m")) {
        if (!wish_number(call, word + 1, "M", M_MIN, M_MAX, &value)) return false;
        wishes->m = (uint32_t)value;
    } else if (call_is(call, word, "tag")) {
        if (!wish_number(call, word + 1, "TAG", 0, UINT64_MAX, &wishes->tag))
            return false;
        wishes->flags |= CHANGE_TAG;
    } else if (call_is(call, word, "setattr")) {
        wishes->attributes = call->arguments[word + 1];
        if (!attributes_fit(call, wishes->attributes)) return false;
        wishes->flags |= CHANGE_ATTRIBUTES;
    } else {
        return wish_unknown(call);
    }
    return true;
}

static bool wishes_read(struct call *call, size_t at, struct wishes *wishes) {
    *wishes = (struct wishes){
        .quantisation = QUANTISATION_Q8, .m = M_DEFAULT, .ef = EF_DEFAULT};
    while (at < call->count) {
        if (call_is(call, at, "receipt")) {
            wishes->receipt = true;
            at++;
        } else if (call_is(call, at, "cas")) {
            at++; /* writes are never raced for here: there is nothing to compare and set
                   */
        } else if (call_is(call, at, "noquant")) {
            wishes->quantisation = QUANTISATION_NONE;
            at++;
        } else if (call_is(call, at, "q8")) {
            wishes->quantisation = QUANTISATION_Q8;
            at++;
        } else if (call_is(call, at, "bin")) {
            wishes->quantisation = QUANTISATION_BIN;
            at++;
        } else if (call_is(call, at, "nx")) {
            wishes->flags |= CHANGE_NX;
            at++;
        } else if (call_is(call, at, "xx")) {
            wishes->flags |= CHANGE_XX;
            at++;
        } else if (!wish_with_value(call, &at, wishes)) {
            return false;
        }
    }
    if ((wishes->flags & CHANGE_NX) && (wishes->flags & CHANGE_XX)) {
        call_error(call, "ERR XX and NX options at the same time are not compatible");
        return false;
    }
    return true;
}

/* Redis's defaults for a key that VADD makes. */
static struct config default_config(const struct wishes *wishes, uint32_t dim,
                                    uint32_t reduce_dim) {
    return (struct config){.reduce_dim = reduce_dim,
                           .metric = METRIC_COSINE,
                           .index = INDEX_HNSW,
                           .quantisation = wishes->quantisation,
                           .origin = ORIGIN_VADD,
                           .dim = dim,
                           .m = wishes->m,
                           .ef = wishes->ef};
}

/* Alone, a config travels only with a vector that makes its key, so what it asks of an
 * existing key is compared here. In a batch it always travels, and the kernel compares.
 */
static bool agrees(struct call *call, const struct plan *plan,
                   const struct config *existing, const struct wishes *wishes) {
    if (plan->overlay || !existing || existing->origin != ORIGIN_VADD) return true;
    struct tally tally = {.status = STATUS_OK};
    if (existing->quantisation != wishes->quantisation)
        tally.status = STATUS_QUANTISATION;
    else if (existing->m != wishes->m) tally.status = STATUS_M;
    if (tally.status) call_refusal(call, plan->state, &tally);
    return tally.status == STATUS_OK;
}

/* May a vector of these words go into the collection as Redis sees it? Only what has to
 * do with REDUCE is decided here; the rest is the kernel's. */
static bool projection_agrees(struct call *call, const struct config *existing,
                              const struct vector_words *words) {
    if (!existing) return true;
    if (!existing->reduce_dim && words->dim != existing->dim && words->reduce)
        call_error(call, "ERR Vector dimension mismatch - got %u but set has %u",
                   words->dim, existing->dim);
    else if (!existing->reduce_dim && words->reduce)
        call_error(call, "ERR cannot add projection to existing set without projection");
    else if (existing->reduce_dim && words->reduce != existing->dim)
        call_error(call, "ERR Vector dimension mismatch - got %u but set has %u",
                   words->dim, existing->dim);
    else if (existing->reduce_dim && words->dim != existing->reduce_dim)
        vector_input_error(call, words->dim, existing->reduce_dim);
    return !call->failed;
}

/* The vector's bytes in scratch, good until the next one is encoded. */
static struct slice encode(struct scratch *scratch, enum metric metric, uint32_t dim,
                           int8_t exponent) {
    bool scaled = metric == METRIC_COSINE;
    vector_encode(scratch->values, dim, scaled, exponent, scratch->vector);
    return slice_of(scratch->vector, vector_bytes_size(scaled, dim));
}

WRITE(cmd_vadd) {
    struct scratch *scratch = &call->server->scratch;
    struct vector_words words;
    struct wishes wishes;
    if (!vector_words_read_reduced(call, 2, &words)) return PLAN_REFUSED;
    struct slice key = call->arguments[1], element = call_argument(call, words.next);
    const struct config *existing = overlay_find(plan->overlay, state, call->db, key);
    enum metric metric = existing ? existing->metric : METRIC_COSINE;
    int8_t exponent;
    if (!vector_convert(call, &words, metric, scratch->values, &exponent))
        return PLAN_REFUSED;
    if (words.next >= call->count) {
        call_arity_error(call);
        return PLAN_REFUSED;
    }
    if (!wishes_read(call, words.next + 1, &wishes) || !name_fits(call, "key", key) ||
        !name_fits(call, "element name", element) ||
        !agrees(call, plan, existing, &wishes) ||
        !projection_agrees(call, existing, &words))
        return PLAN_REFUSED;
    if (wishes.receipt && plan->overlay) {
        call_error(call, "ERR RECEIPT is not allowed in a transaction");
        return PLAN_REFUSED;
    }
    call->receipt = wishes.receipt;
    uint32_t reduce_dim = words.reduce ? words.dim : 0;
    if (words.reduce &&
        !vector_project(call, &words, words.reduce, scratch->values, &exponent))
        return PLAN_REFUSED;
    uint8_t quantisation = existing ? existing->quantisation : wishes.quantisation;
    if (quantisation == QUANTISATION_BIN)
        vector_binarise(&words, scratch->values, &exponent);

    struct change change = {.type = CHANGE_VADD,
                            .flags = (uint8_t)(CHANGE_VECTOR | wishes.flags),
                            .db = call->db,
                            .key = key,
                            .element = element,
                            .tag = wishes.tag,
                            .attributes = wishes.attributes,
                            .vector = encode(scratch, metric, words.dim, exponent)};
    if (!existing || plan->overlay) {
        change.flags |= CHANGE_CONFIG;
        change.config = default_config(&wishes, words.dim, reduce_dim);
    }
    if (wishes.quantisation == QUANTISATION_NONE && quantisation != QUANTISATION_BIN) {
        if (!vector_keep_fp32(call, &words, scratch->values, exponent, scratch->fp32,
                              &change.fp32))
            return PLAN_REFUSED;
        if (change.fp32.size) change.flags |= CHANGE_FP32;
    }
    plan->dim = words.dim;
    enum status status = plan_add(plan, &change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}

/* RECEIPT: where the entry is, for PROOF.RECEIPT. */
static void reply_with_place(struct reply *reply, const struct tally *tally) {
    reply_array(reply, 2);
    reply_bool(reply, tally->added == 1);
    if (tally->status == STATUS_OK) reply_unsigned(reply, tally->sequence);
    else reply_null(reply); /* NX or XX: there is none */
}

ANSWER(answer_vadd) {
    if (tally->status && tally->status != STATUS_CONDITION)
        call_refusal(call, state, tally);
    else if (call->receipt) reply_with_place(call_reply(call), tally);
    else reply_bool(call_reply(call), tally->added == 1);
}

/* --- VMADD ------------------------------------------------------------------------ */

/* How many vectors are looked at between two looks at the clock. */
#define VECTORS_PER_STEP 64

struct group_words {
    struct slice blob;
    uint32_t count, dim;
    const struct slice *elements;
    const struct slice *tags, *attributes; /* or NULL */
};

static bool group_invalid(struct call *call, const char *text) {
    call_error(call, "ERR %s", text);
    return false;
}

/* The lists that may follow the names. */
static bool group_lists(struct call *call, size_t at, struct group_words *words) {
    while (at < call->count) {
        bool tags = call_is(call, at, "tags");
        if (!tags && !call_is(call, at, "attrs"))
            return group_invalid(call, "syntax error in VMADD command");
        if (call->count - at - 1 < words->count)
            return group_invalid(call, tags ? "invalid TAGS" : "invalid ATTRS");
        *(tags ? &words->tags : &words->attributes) = call->arguments + at + 1;
        at += 1 + (size_t)words->count;
    }
    return true;
}

static bool group_words_read(struct call *call, struct group_words *words) {
    uint64_t count;
    *words = (struct group_words){0};
    if (!call_is(call, 2, "fp32"))
        return group_invalid(call, "invalid vector specification");
    if (!call_is(call, 4, "elements"))
        return group_invalid(call, "syntax error in VMADD command");
    if (!word_unsigned(call->arguments[5], &count) || count == 0 ||
        count > call->count - 6)
        return group_invalid(call, "invalid ELEMENTS");
    words->blob = call->arguments[3];
    size_t row = words->blob.size / (size_t)count;
    if (row == 0 || row % 4 != 0 || row * (size_t)count != words->blob.size ||
        row / 4 > VECTOR_DIM_MAX)
        return group_invalid(call, "invalid vector specification");
    words->count = (uint32_t)count;
    words->dim = (uint32_t)(row / 4);
    words->elements = call->arguments + 6;
    return group_lists(call, 6 + (size_t)count, words) &&
           name_fits(call, "key", call->arguments[1]);
}

static const uint8_t *group_vector(const struct group_words *words, size_t index) {
    return words->blob.data + index * words->dim * 4;
}

/* Everything about element `index` that could be refused without the state. */
static bool group_check(struct call *call, const struct group_words *words, size_t index,
                        enum metric metric) {
    uint64_t tag;
    int8_t exponent;
    if (!name_fits(call, "element name", words->elements[index])) return false;
    if (words->tags && !word_unsigned(words->tags[index], &tag))
        return group_invalid(call, "invalid TAGS");
    if (words->attributes && !attributes_fit(call, words->attributes[index]))
        return false;
    return vector_convert_blob(call, group_vector(words, index), words->dim, metric,
                               call->server->scratch.values, &exponent);
}

static enum status group_add(struct call *call, struct plan *plan,
                             const struct group_words *words, size_t index,
                             const struct config *existing) {
    struct scratch *scratch = &call->server->scratch;
    struct wishes wishes = {
        .quantisation = QUANTISATION_Q8, .m = M_DEFAULT, .ef = EF_DEFAULT};
    enum metric metric = existing ? existing->metric : METRIC_COSINE;
    int8_t exponent;
    struct change change = {.type = CHANGE_VADD,
                            .flags = CHANGE_VECTOR,
                            .db = call->db,
                            .key = call->arguments[1],
                            .element = words->elements[index]};
    if (index == 0 && (!existing || plan->overlay)) { /* the first speaks for all */
        change.flags |= CHANGE_CONFIG;
        change.config = default_config(&wishes, words->dim, 0);
        if (existing) { /* of an existing key VMADD asks nothing: it has no words for it
                         */
            change.config.quantisation = existing->quantisation;
            change.config.m = existing->m;
        }
    }
    if (words->tags) {
        change.flags |= CHANGE_TAG;
        word_unsigned(words->tags[index], &change.tag);
    }
    if (words->attributes && words->attributes[index].size) {
        change.flags |= CHANGE_ATTRIBUTES;
        change.attributes = words->attributes[index];
    }
    struct vector_words vector = {
        .dim = words->dim,
        .blob = slice_of(group_vector(words, index), 4 * (size_t)words->dim)};
    if (!vector_convert(call, &vector, metric, scratch->values, &exponent))
        return STATUS_INVALID;
    if (existing && existing->quantisation == QUANTISATION_BIN)
        vector_binarise(&vector, scratch->values, &exponent);
    change.vector = encode(scratch, metric, words->dim, exponent);
    return plan_add(plan, &change);
}

/* Two rounds over the vectors, both in steps: everything is checked before the first
 * change is added, since a batch cannot take a change back. */
WRITE(cmd_vmadd) {
    struct group_words words;
    if (!group_words_read(call, &words)) return PLAN_REFUSED;
    const struct config *existing =
        overlay_find(plan->overlay, state, call->db, call->arguments[1]);
    enum metric metric = existing ? existing->metric : METRIC_COSINE;
    uint64_t end = plan->next + VECTORS_PER_STEP;
    for (; plan->next < end && plan->next < words.count; plan->next++)
        if (!group_check(call, &words, plan->next, metric)) return PLAN_REFUSED;
    if (plan->next == words.count && end > plan->next) {
        struct change group = {.type = CHANGE_GROUP, .group_count = words.count};
        enum status status = plan_add(plan, &group);
        if (status) return plan_fail(call, status);
        plan->dim = words.dim;
    }
    for (; plan->next < end && plan->next < 2 * (uint64_t)words.count; plan->next++) {
        enum status status =
            group_add(call, plan, &words, plan->next - words.count, existing);
        if (status) return plan_fail(call, status);
    }
    return plan->next == 2 * (uint64_t)words.count ? PLAN_DONE : PLAN_MORE;
}

ANSWER(answer_vmadd) {
    if (tally->status) call_refusal(call, state, tally);
    else reply_integer(call_reply(call), tally->added);
}

/* --- VREM ------------------------------------------------------------------------- */

WRITE(cmd_vrem) {
    (void)state;
    struct change change = {.type = CHANGE_VREM,
                            .db = call->db,
                            .key = call->arguments[1],
                            .element = call->arguments[2]};
    if (!name_fits(call, "key", change.key) ||
        !name_fits(call, "element name", change.element))
        return PLAN_REFUSED;
    enum status status = plan_add(plan, &change);
    return status ? plan_fail(call, status) : PLAN_DONE;
}
