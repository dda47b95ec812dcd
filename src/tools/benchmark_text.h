/* Small things that every part of valori-benchmark needs: a sentence about what went
 * wrong, numbers out of text, the clock. */
#ifndef TOOLS_BENCHMARK_TEXT_H
#define TOOLS_BENCHMARK_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* One sentence for the user, without a full stop; what does not fit is cut. */
struct complaint {
    char text[320];
};

/* Write the sentence and give `status` back, so that a failure is one `return`. */
enum status complain(struct complaint *complaint, enum status status, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));

/* Decimal digits and nothing else, the whole text; false when it does not fit. */
bool text_unsigned(const char *text, uint64_t *value);

/* Nanoseconds of a clock that only goes forward. */
uint64_t clock_ns(void);

#endif
