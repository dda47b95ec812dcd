/* The descriptors made from the one table. */
#include "server/metrics.h"

#include <stddef.h>
#include <string.h>

static const struct metric_row metric_rows[] = {
#define METRIC_ROW(field, kind, section, name, help)                                     \
    {name, section, help, METRIC_KIND_##kind, (uint32_t)offsetof(struct metrics, field)},
    METRICS(METRIC_ROW)
#undef METRIC_ROW
};

const struct metric_row *metric_at(uint32_t index) {
    return index < sizeof metric_rows / sizeof metric_rows[0] ? &metric_rows[index]
                                                              : NULL;
}

uint64_t metric_value(const struct metrics *metrics, const struct metric_row *row) {
    uint64_t value;
    memcpy(&value, (const char *)metrics + row->offset, sizeof value);
    return value;
}
