/* Figures that are computed when they are asked for: what /metrics shows beside the rows
 * of metrics.h, declared once, with their sentences for docs/metrics.md. */
#ifndef SERVER_GAUGES_H
#define SERVER_GAUGES_H

#include <stdbool.h>
#include <stdint.h>

struct server;

struct gauge_row {
    const char *name; /* as Prometheus has it */
    bool counter;     /* it only grows */
    double (*value)(struct server *server);
    const char *help; /* one sentence */
};

/* NULL after the last. */
const struct gauge_row *gauge_at(uint32_t index);

#endif
