/* Sorting in place, without memory and without libc's qsort(), whose results differ
 * between libcs where elements compare equal. */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stddef.h>

/* <0, 0 or >0 as `a` comes before, equals or comes after `b`. */
typedef int sort_compare(void *context, const void *a, const void *b);

/* Put `count` elements of `size` bytes each into ascending order. `compare` must be a
 * total order of the elements at hand: 0 only for elements that nobody can tell apart.
 * Then there is one sorted sequence, and it does not depend on the order that came in. At
 * most about 2 * count * log2(count) comparisons, whatever the input; no recursion. */
void sort(void *elements, size_t count, size_t size, sort_compare *compare,
          void *context);

#endif
