/* The progress line. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_progress.h"

#include <string.h>
#include <unistd.h>

#define BAR_WIDTH  24
#define LINE_WIDTH 110

void progress_init(struct progress *progress, FILE *out, bool wanted,
                   uint64_t interval_ns) {
    *progress = (struct progress){.interval_ns = interval_ns};
    if (wanted && isatty(fileno(out))) progress->out = out;
}

void progress_start(struct progress *progress, const char *label, uint64_t now) {
    progress->label = label;
    progress->start_ns = progress->last_ns = now;
    progress->next_ns = now + progress->interval_ns;
    progress->last_done = 0;
}

/* A bar of the share done, the rate since the start and of the last interval. */
static void progress_text(char *text, size_t size, const char *label, double share,
                          double rate, double last_rate) {
    char bar[BAR_WIDTH + 1];
    int full = share < 0 ? 0 : share > 1 ? BAR_WIDTH : (int)(share * BAR_WIDTH);
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)full);
    bar[BAR_WIDTH] = '\0';
    snprintf(text, size, "%-28.28s [%s] %3.0f %%  %.0f/s, now %.0f/s", label, bar,
             100 * (share > 1 ? 1 : share), rate, last_rate);
}

void progress_tick(struct progress *progress, uint64_t now, size_t done, size_t total,
                   double seconds) {
    if (!progress->out || now < progress->next_ns) return;
    char text[LINE_WIDTH];
    double passed = (double)(now - progress->start_ns) / 1e9;
    double interval = (double)(now - progress->last_ns) / 1e9;
    double share = total == SIZE_MAX ? passed / seconds : (double)done / (double)total;
    progress_text(text, sizeof text, progress->label, share, (double)done / passed,
                  (double)(done - progress->last_done) / interval);
    fprintf(progress->out, "\r%s\033[K", text);
    fflush(progress->out);
    progress->last_done = done;
    progress->last_ns = now;
    progress->next_ns = now + progress->interval_ns;
}

void progress_end(struct progress *progress) {
    if (!progress->out) return;
    fputs("\r\033[K", progress->out);
    fflush(progress->out);
}
