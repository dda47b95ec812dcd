/* What the machine itself can do, measured in the same run: the floors that a server's
 * figures are held against. */
#ifndef TOOLS_BENCHMARK_BASELINE_H
#define TOOLS_BENCHMARK_BASELINE_H

#include <stddef.h>

#include "os/os.h"
#include "tools/benchmark_histogram.h"
#include "tools/benchmark_text.h"

/* Append `size` bytes to a file in `directory` and sync, again and again for about a
 * second, in space reserved beforehand: the calls that the server's log makes, without
 * the server. Adds the nanoseconds of each pair to *pairs. The file is removed. */
enum status baseline_fsync(const struct os *os, const char *directory, size_t size,
                           struct histogram *pairs, struct complaint *complaint);

/* Read `size` bytes of memory, taken as the server takes it, from end to end with the
 * widest plain loads, again and again for about a second. Adds the nanoseconds of each
 * pass. */
enum status baseline_read(const struct os *os, size_t size, struct histogram *passes,
                          struct complaint *complaint);

#endif
