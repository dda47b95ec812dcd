/* What the kernel may not say. Included last by every file of src/kernel/.
 *
 * A word below does not compile after this line, in gcc and in clang: floats round as the
 * CPU is set, libc's allocator and qsort() differ between systems, clocks and random
 * numbers between runs. Everything a state or an answer depends on comes in through
 * arguments.
 *
 * Literals (1.5) escape the pragma; utils/check-kernel catches those. */
#ifndef KERNEL_PURE_H
#define KERNEL_PURE_H

/* Numbers that are no integers. */
#pragma GCC poison float double _Complex
#pragma GCC poison strtod strtof strtold atof
#pragma GCC poison sqrt pow exp log log2 floor ceil round rint lrint lrintf fabs fmod

/* Memory that the kernel was not given. */
#pragma GCC poison malloc calloc realloc free aligned_alloc posix_memalign reallocarray
#pragma GCC poison alloca strdup strndup mmap munmap

/* The world outside, and whatever has a hidden state. */
#pragma GCC poison time clock clock_gettime gettimeofday localtime gmtime
#pragma GCC poison rand srand random srandom rand_r drand48 getrandom arc4random
#pragma GCC poison qsort qsort_r bsearch hsearch
#pragma GCC poison errno getenv setlocale strtok strcoll strxfrm
#pragma GCC poison abort exit atexit signal raise setjmp longjmp

/* Text and files. */
#pragma GCC poison printf fprintf sprintf snprintf vsnprintf sscanf puts fopen fread
#pragma GCC poison strtol strtoul strtoll strtoull atoi atol atoll
#pragma GCC poison strcpy strcat strncpy strncat

#endif
