/* Planning by indexed fields.
 *
 * An expression that is a chain of `and` matches only what each of its parts matches. A
 * part that compares an indexed field with a value says in which ranges of keys the
 * field's key must lie; parts over one field narrow the ranges. Records of key 0, whose
 * value is of another kind than the field's, are always listed; those without the field
 * match nothing. */
#include "kernel/search_plan.h"

#include "base/check.h"
#include "kernel/filter.h"
#include "kernel/state.h"

#include "kernel/pure.h"

#define KEY_MIN 1
#define KEY_MAX UINT64_MAX

/* Keys from `low` to `high`. */
struct range {
    uint64_t low, high;
};

struct ranges {
    uint32_t count;
    struct range range[PLAN_RANGES_MAX];
};

/* --- Ranges ----------------------------------------------------------------------------
 */

/* In ascending order, without what is there already. False: there are too many. */
static bool add_key(struct ranges *ranges, uint64_t key) {
    uint32_t at = ranges->count;
    while (at > 0 && ranges->range[at - 1].low > key) at--;
    if (at > 0 && ranges->range[at - 1].low == key) return true;
    if (ranges->count == PLAN_RANGES_MAX) return false;
    memmove(&ranges->range[at + 1], &ranges->range[at],
            (ranges->count - at) * sizeof ranges->range[0]);
    ranges->range[at] = (struct range){key, key};
    ranges->count++;
    return true;
}

/* *ranges becomes what is in both; where each has several it stays, which lists more than
 * need be. */
static void narrow(struct ranges *ranges, const struct ranges *by) {
    if (ranges->count > 1 && by->count > 1) return;
    bool single = ranges->count == 1;
    const struct ranges *many = single ? by : ranges;
    struct range one = single ? ranges->range[0] : by->range[0];
    struct ranges result = {.count = 0};
    for (uint32_t i = 0; i < many->count && by->count > 0; i++) {
        struct range range = many->range[i];
        if (range.low < one.low) range.low = one.low;
        if (range.high > one.high) range.high = one.high;
        if (range.low <= range.high) result.range[result.count++] = range;
    }
    *ranges = result;
}

/* --- Comparisons -----------------------------------------------------------------------
 */

/* A comparison with the field at its left. */
static uint16_t mirrored(uint16_t code) {
    switch (code) {
    case FILTER_GREATER:
        return FILTER_LESS;
    case FILTER_GREATER_EQUAL:
        return FILTER_LESS_EQUAL;
    case FILTER_LESS:
        return FILTER_GREATER;
    case FILTER_LESS_EQUAL:
        return FILTER_GREATER_EQUAL;
    default:
        return code;
    }
}

/* The key of a value that records of this type are compared with; false: it tells
 * nothing. (A text that looks like a number equals that number.) */
static bool value_key(uint8_t type, const struct filter_value *value, uint64_t *key) {
    if (type == SCHEMA_STRING) {
        *key = schema_text_key(value->text, false);
        return value->kind == FILTER_TEXT;
    }
    bool number = value->kind == FILTER_NUMBER || value->kind == FILTER_TEXT;
    if (!number || binary64_is_nan(value->number)) return false;
    *key = schema_number_key(value->number);
    return true;
}

static bool ranges_of_tuple(const struct filter *filter, uint8_t type,
                            const struct filter_value *tuple, struct ranges *ranges) {
    uint64_t key;
    if (tuple->kind != FILTER_TUPLE) return false;
    for (uint32_t i = 0; i < tuple->size; i++)
        if (!value_key(type, &filter->values[tuple->first + i], &key) ||
            !add_key(ranges, key))
            return false;
    return true;
}

/* The ranges in which field `code` value holds; false: it cannot be said. */
static bool ranges_of(const struct filter *filter, uint8_t type, uint16_t code,
                      const struct filter_value *value, struct ranges *ranges) {
    uint64_t key;
    ranges->count = 0;
    if (code == FILTER_IN) return ranges_of_tuple(filter, type, value, ranges);
    if (!value_key(type, value, &key)) return false;
    if (code == FILTER_EQUAL) return add_key(ranges, key);
    if (type != SCHEMA_NUMBER) return false;
    struct range range = {KEY_MIN, KEY_MAX};
    if (code == FILTER_GREATER) range.low = key + 1;
    else if (code == FILTER_GREATER_EQUAL) range.low = key;
    else if (code == FILTER_LESS) range.high = key - 1;
    else if (code == FILTER_LESS_EQUAL) range.high = key;
    else return false;
    ranges->range[ranges->count++] = range;
    return true;
}

/* --- The expression --------------------------------------------------------------------
 */

struct planner {
    const struct collection *collection;
    const struct filter *filter;
    uint32_t
        fields[FILTER_FIELDS_MAX]; /* of the filter's fields their number in the schema */
    uint32_t parts, told[SCHEMA_FIELDS_MAX]; /* of the chain; of them, those of a field */
    struct ranges ranges[SCHEMA_FIELDS_MAX];
};

static uint32_t field_in_schema(const struct schema *schema, struct slice name) {
    for (uint32_t i = 0; i < schema->count; i++)
        if (slice_equal(schema_name(schema, i), name)) return i;
    return SCHEMA_FIELDS_MAX;
}

/* The part that ends with step `at`, if it compares a field with a value. */
static void read_part(struct planner *planner, uint32_t at) {
    const struct filter *filter = planner->filter;
    const struct filter_step *step = &filter->steps[at];
    planner->parts++;
    if (at < 2 || step->code < FILTER_GREATER || step->code > FILTER_IN) return;
    const struct filter_step *left = step - 2, *right = step - 1;
    bool turned = left->code == FILTER_VALUE && right->code == FILTER_FIELD;
    if (!turned && (left->code != FILTER_FIELD || right->code != FILTER_VALUE)) return;
    if (turned && step->code == FILTER_IN) return;
    uint32_t field = planner->fields[(turned ? right : left)->operand];
    if (field == SCHEMA_FIELDS_MAX) return;
    struct ranges ranges;
    if (!ranges_of(filter, planner->collection->config.schema.types[field],
                   turned ? mirrored(step->code) : step->code,
                   &filter->values[(turned ? left : right)->operand], &ranges))
        return;
    planner->told[field]++;
    narrow(&planner->ranges[field], &ranges);
}

/* Where each part of the chain ends: the last step of what stands before an `and`'s right
 * side is found by counting values backwards. */
static void read_chain(struct planner *planner) {
    const struct filter_step *steps = planner->filter->steps;
    uint32_t ends[FILTER_DEPTH_MAX + 1], count = 0;
    ends[count++] = planner->filter->step_count - 1;
    while (count > 0) {
        uint32_t end = ends[--count];
        if (steps[end].code != FILTER_AND || count + 2 > FILTER_DEPTH_MAX) {
            read_part(planner, end);
            continue;
        }
        uint32_t begin = end, wanted = 1; /* of the right side */
        while (wanted > 0) {
            uint16_t code = steps[--begin].code;
            wanted += code == FILTER_VALUE || code == FILTER_FIELD ? UINT32_MAX
                      : code == FILTER_NOT                         ? 0
                                                                   : 1;
        }
        ends[count++] = begin - 1;
        ends[count++] = end - 1;
    }
}

/* --- The plan --------------------------------------------------------------------------
 */

static uint64_t place(const struct schema_index *index, uint32_t field,
                      const struct ranges *ranges, struct search_plan *plan) {
    uint32_t first = schema_rank(index, field, KEY_MIN);
    uint64_t listed = first;
    *plan = (struct search_plan){.used = true, .field = field};
    if (first > 0) plan->ranges[plan->count++] = (struct plan_range){0, first};
    for (uint32_t i = 0; i < ranges->count; i++) {
        struct range range = ranges->range[i];
        uint32_t low = schema_rank(index, field, range.low);
        uint32_t high = range.high == KEY_MAX ? schema_total(index, field)
                                              : schema_rank(index, field, range.high + 1);
        if (high == low) continue;
        plan->ranges[plan->count++] = (struct plan_range){low, high - low};
        listed += high - low;
    }
    return listed;
}

uint64_t search_plan(const struct collection *collection, const struct filter *filter,
                     struct search_plan *plan) {
    const struct schema *schema = &collection->config.schema;
    struct planner planner = {.collection = collection, .filter = filter};
    uint64_t least = collection->live;
    plan->used = false;
    for (uint32_t i = 0; i < filter->field_count; i++)
        planner.fields[i] = field_in_schema(schema, filter->fields[i]);
    for (uint32_t i = 0; i < schema->count; i++)
        planner.ranges[i] = (struct ranges){.count = 1, .range = {{KEY_MIN, KEY_MAX}}};
    read_chain(&planner);
    for (uint32_t i = 0; i < schema->count; i++) {
        struct search_plan other;
        if (planner.told[i] == 0) continue;
        uint64_t listed = place(&collection->schema, i, &planner.ranges[i], &other);
        if (plan->used && listed >= least) continue;
        *plan = other;
        plan->whole = planner.told[i] == planner.parts;
        least = listed;
    }
    return least;
}
