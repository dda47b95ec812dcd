/* Adding up. */
#include "tools/benchmark_measurement.h"

/* An error may quote bytes of ours; in a report they must not act on a terminal or break
 * JSON. */
static void copy_printable(char *to, size_t size, struct slice from) {
    size_t i = 0;
    for (; i < size - 1 && i < from.size; i++)
        to[i] = from.data[i] >= ' ' && from.data[i] <= '~' ? (char)from.data[i] : '?';
    to[i] = '\0';
}

static void errors_add(struct errors *errors, struct slice prefix, struct slice example,
                       uint64_t count) {
    errors->total += count;
    if (prefix.size >= sizeof errors->kinds[0].prefix)
        prefix.size = sizeof errors->kinds[0].prefix - 1;
    for (size_t i = 0; i < errors->kind_count; i++)
        if (slice_equal(slice_text(errors->kinds[i].prefix), prefix)) {
            errors->kinds[i].count += count;
            return;
        }
    if (errors->kind_count == ERROR_KINDS) return;
    size_t row = errors->kind_count++;
    copy_printable(errors->kinds[row].prefix, sizeof errors->kinds[row].prefix, prefix);
    copy_printable(errors->kinds[row].example, sizeof errors->kinds[row].example,
                   example);
    errors->kinds[row].count = count;
}

void errors_note(struct errors *errors, struct slice text) {
    size_t size = 0;
    while (size < text.size && text.data[size] != ' ') size++;
    errors_add(errors, slice_of(text.data, size), text, 1);
}

void measurement_merge(struct measurement *measurement, const struct measurement *other) {
    measurement->commands += other->commands;
    measurement->seconds += other->seconds;
    histogram_merge(&measurement->latency, &other->latency);
    uint64_t known = 0;
    for (size_t i = 0; i < other->errors.kind_count; i++) {
        errors_add(&measurement->errors, slice_text(other->errors.kinds[i].prefix),
                   slice_text(other->errors.kinds[i].example),
                   other->errors.kinds[i].count);
        known += other->errors.kinds[i].count;
    }
    measurement->errors.total += other->errors.total - known;
}
