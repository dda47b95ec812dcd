/* The descriptors made from the one table. */
#include "server/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
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

void metric_exposed_name(const struct metric_row *row, char name[METRIC_NAME_SIZE]) {
    bool total = strncmp(row->name, "total_", 6) == 0;
    bool counter = row->kind == METRIC_KIND_COUNTER;
    snprintf(name, METRIC_NAME_SIZE, "valori_%s%s", row->name + (total ? 6 : 0),
             counter ? "_total" : "");
}

void metrics_reset(struct metrics *metrics) {
    const struct metric_row *row;
    for (uint32_t i = 0; (row = metric_at(i)); i++)
        if (row->kind == METRIC_KIND_COUNTER)
            memset((char *)metrics + row->offset, 0, sizeof(uint64_t));
}

uint64_t metric_value(const struct metrics *metrics, const struct metric_row *row) {
    uint64_t value;
    memcpy(&value, (const char *)metrics + row->offset, sizeof value);
    return value;
}

void errors_count(struct errors *errors, const char *text) {
    size_t size = strcspn(text, " ");
    if (size == 0 || size >= sizeof errors->rows[0].word) return;
    for (size_t i = 0; i < sizeof errors->rows / sizeof errors->rows[0]; i++) {
        struct error_figure *row = &errors->rows[i];
        if (row->word[0] == '\0') memcpy(row->word, text, size);
        if (strncmp(row->word, text, size) != 0 || row->word[size] != '\0') continue;
        row->count++;
        return;
    }
}
