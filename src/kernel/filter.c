/* Asking a filter: the fields are found in one pass over the attributes, then the steps
 * run over a stack of values. */
#include "kernel/filter.h"

#include <string.h>

#include "base/check.h"
#include "kernel/filter_json.h"

#include "kernel/pure.h"

enum { BYTES_A_STEP = 64 }; /* read, they cost as much as a step */

/* One evaluation. */
struct evaluation {
    const struct filter *filter;
    uint8_t *room;    /* for the next text with backslashes */
    uint64_t bytes;   /* of texts, looked at */
    uint64_t numbers; /* fields whose `number` is known */
    struct filter_value fields[FILTER_FIELDS_MAX];
    struct filter_value stack[FILTER_DEPTH_MAX];
};

static bool is_blank(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

binary64 filter_text_number(struct slice text) {
    while (text.size > 0 && is_blank(*text.data))
        text = slice_of(text.data + 1, text.size - 1);
    /* Most texts are words: a digit, sign or point, or i or n, begins a number. */
    uint8_t c = text.size > 0 ? *text.data : 0;
    bool may_be = (c >= '+' && c <= '9') || c == 'i' || c == 'I' || c == 'n' || c == 'N';
    binary64 number;
    return may_be && binary64_from_text(text, &number) ? number : 0;
}

/* --- What values mean ------------------------------------------------------------------
 */

static binary64 number_of(const struct filter_value *value) {
    return value->kind == FILTER_NUMBER || value->kind == FILTER_TEXT ? value->number : 0;
}

/* The values of texts among the fields as numbers are found once, when they are asked
 * for. */
static void know_number(struct evaluation *evaluation, uint32_t field) {
    struct filter_value *value = &evaluation->fields[field];
    if (value->kind != FILTER_TEXT || (evaluation->numbers >> field & 1)) return;
    evaluation->numbers |= (uint64_t)1 << field;
    evaluation->bytes += value->text.size;
    value->number = filter_text_number(value->text);
}

static bool truth_of(const struct filter_value *value) {
    if (value->kind == FILTER_NUMBER) return !binary64_is_zero(value->number);
    if (value->kind == FILTER_TEXT) return value->text.size > 0;
    return value->kind != FILTER_NULL;
}

static bool equal(struct evaluation *evaluation, const struct filter_value *a,
                  const struct filter_value *b) {
    if (a->kind == FILTER_TEXT && b->kind == FILTER_TEXT) {
        if (a->text.size != b->text.size) return false;
        evaluation->bytes += a->text.size;
        return slice_equal(a->text, b->text);
    }
    if (a->kind == FILTER_NULL || b->kind == FILTER_NULL) return a->kind == b->kind;
    return binary64_compare(number_of(a), number_of(b)) == 0;
}

/* --- in --------------------------------------------------------------------------------
 */

/* The greatest suffix of `text` in the order of bytes, or in the reverse one: the place
 * before it, and its period. */
static ptrdiff_t greatest_suffix(struct slice text, bool reverse, ptrdiff_t *period) {
    ptrdiff_t before = -1, at = 0, ahead = 1, size = (ptrdiff_t)text.size;
    *period = 1;
    while (at + ahead < size) {
        uint8_t a = text.data[at + ahead], b = text.data[before + ahead];
        if (a == b) {
            if (ahead != *period) {
                ahead++;
            } else {
                at += *period;
                ahead = 1;
            }
        } else if (reverse ? a > b : a < b) {
            at += ahead;
            ahead = 1;
            *period = at - before;
        } else {
            before = at++;
            ahead = *period = 1;
        }
    }
    return before;
}

/* Does `needle` stand in `text`? In linear time and without memory, by two-way matching
 * (Crochemore and Perrin, "Two-way string-matching", 1991). */
static bool contains(struct slice text, struct slice needle) {
    if (needle.size > text.size) return false;
    ptrdiff_t size = (ptrdiff_t)needle.size, last = (ptrdiff_t)text.size - size;
    ptrdiff_t period, other_period;
    ptrdiff_t cut = greatest_suffix(needle, false, &period);
    ptrdiff_t other = greatest_suffix(needle, true, &other_period);
    if (other > cut) {
        cut = other;
        period = other_period;
    }
    bool periodic = cut + 1 + period <= size &&
                    memcmp(needle.data, needle.data + period, (size_t)(cut + 1)) == 0;
    if (!periodic) period = (cut + 1 > size - cut - 1 ? cut + 1 : size - cut - 1) + 1;
    ptrdiff_t known = -1; /* bytes up to here match: from the step before */
    for (ptrdiff_t at = 0; at <= last;) {
        const uint8_t *here = text.data + at;
        ptrdiff_t i = (cut > known ? cut : known) + 1;
        while (i < size && needle.data[i] == here[i]) i++;
        if (i < size) {
            at += i - cut;
            known = -1;
            continue;
        }
        i = cut;
        while (i > known && needle.data[i] == here[i]) i--;
        if (i <= known) return true;
        at += period;
        known = periodic ? size - period - 1 : -1;
    }
    return false;
}

/* An element of an array, its text in the room that is left. */
static bool next_element(struct evaluation *evaluation, struct slice *rest,
                         struct filter_value *element) {
    if (!filter_json_next(rest, element)) return false;
    if (element->kind != FILTER_TEXT) return true;
    if (element->escaped)
        element->text = filter_json_unescape(element->text, evaluation->room);
    return true;
}

static bool is_member(struct evaluation *evaluation, const struct filter_value *value,
                      const struct filter_value *set) {
    if (set->kind == FILTER_TUPLE) {
        const struct filter_value *members = &evaluation->filter->values[set->first];
        evaluation->bytes += (uint64_t)set->size * BYTES_A_STEP / 4;
        for (uint32_t i = 0; i < set->size; i++)
            if (equal(evaluation, value, &members[i])) return true;
        return false;
    }
    struct filter_value element;
    struct slice rest = set->text;
    evaluation->bytes += rest.size;
    while (next_element(evaluation, &rest, &element)) {
        if (element.kind == FILTER_TEXT && value->kind != FILTER_TEXT)
            element.number = filter_text_number(element.text);
        if (equal(evaluation, value, &element)) return true;
    }
    return false;
}

static bool is_in(struct evaluation *evaluation, const struct filter_value *value,
                  const struct filter_value *where) {
    if (where->kind == FILTER_TUPLE || where->kind == FILTER_ARRAY)
        return is_member(evaluation, value, where);
    if (where->kind != FILTER_TEXT || value->kind != FILTER_TEXT) return false;
    evaluation->bytes += where->text.size + value->text.size;
    return value->text.size == 0 || contains(where->text, value->text);
}

/* --- Steps -----------------------------------------------------------------------------
 */

static bool compares(enum filter_code code, int order) {
    if (order == BINARY64_UNORDERED) return false;
    if (code == FILTER_GREATER) return order > 0;
    if (code == FILTER_GREATER_EQUAL) return order >= 0;
    return code == FILTER_LESS ? order < 0 : order <= 0;
}

static binary64 calculate(enum filter_code code, binary64 a, binary64 b) {
    switch (code) {
    case FILTER_ADD:
        return binary64_add(a, b);
    case FILTER_SUBTRACT:
        return binary64_subtract(a, b);
    case FILTER_MULTIPLY:
        return binary64_multiply(a, b);
    case FILTER_DIVIDE:
        return binary64_divide(a, b);
    case FILTER_REMAINDER:
        return binary64_remainder(a, b);
    default:
        check(code == FILTER_POWER);
        return binary64_power(a, b);
    }
}

static struct filter_value boolean(bool truth) {
    return (struct filter_value){.kind = FILTER_NUMBER,
                                 .number = truth ? BINARY64_ONE : 0};
}

static struct filter_value combine(struct evaluation *evaluation, enum filter_code code,
                                   const struct filter_value *a,
                                   const struct filter_value *b) {
    switch (code) {
    case FILTER_OR:
        return boolean(truth_of(a) || truth_of(b));
    case FILTER_AND:
        return boolean(truth_of(a) && truth_of(b));
    case FILTER_EQUAL:
        return boolean(equal(evaluation, a, b));
    case FILTER_NOT_EQUAL:
        return boolean(!equal(evaluation, a, b));
    case FILTER_IN:
        return boolean(is_in(evaluation, a, b));
    case FILTER_GREATER:
    case FILTER_GREATER_EQUAL:
    case FILTER_LESS:
    case FILTER_LESS_EQUAL:
        return boolean(compares(code, binary64_compare(number_of(a), number_of(b))));
    default:
        return (struct filter_value){
            .kind = FILTER_NUMBER, .number = calculate(code, number_of(a), number_of(b))};
    }
}

static bool run(struct evaluation *evaluation) {
    const struct filter *filter = evaluation->filter;
    struct filter_value *stack = evaluation->stack;
    uint32_t held = 0;
    for (uint32_t i = 0; i < filter->step_count; i++) {
        const struct filter_step *step = &filter->steps[i];
        if (step->code == FILTER_VALUE) {
            stack[held++] = filter->values[step->operand];
        } else if (step->code == FILTER_FIELD) {
            know_number(evaluation, step->operand);
            stack[held++] = evaluation->fields[step->operand];
        } else if (step->code == FILTER_NOT) {
            stack[held - 1] = boolean(!truth_of(&stack[held - 1]));
        } else {
            held--;
            stack[held - 1] =
                combine(evaluation, step->code, &stack[held - 1], &stack[held]);
        }
    }
    return truth_of(&stack[0]);
}

bool filter_matches(const struct filter *filter, struct slice attributes,
                    struct filter_room *room, uint64_t *cost) {
    struct evaluation evaluation;
    evaluation.filter = filter;
    evaluation.room = room->bytes;
    evaluation.bytes = evaluation.numbers = 0;
    size_t read = 0;
    bool matches = attributes.size > 0 && attributes.size <= sizeof room->bytes &&
                   filter_json_fields(attributes, filter->fields, filter->field_count,
                                      evaluation.fields, &read);
    for (uint32_t i = 0; matches && i < filter->field_count; i++) {
        struct filter_value *value = &evaluation.fields[i];
        if (value->kind != FILTER_TEXT || !value->escaped) continue;
        value->text = filter_json_unescape(value->text, evaluation.room);
        evaluation.room += value->text.size;
    }
    if (matches) matches = run(&evaluation);
    *cost += 1 + (read + evaluation.bytes) / BYTES_A_STEP + filter->step_count;
    return matches;
}
