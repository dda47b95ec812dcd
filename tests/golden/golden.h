/* A golden program computes what must be the same bits on every machine and compares it with
 * values that stand in its source.
 *
 * It is freestanding, with mem* and nothing else of libc, so that it runs as WebAssembly too.
 * golden_<what>.c defines golden_run(); a harness (harness_posix.c, harness_wasm.c) calls it. */
#ifndef TESTS_GOLDEN_GOLDEN_H
#define TESTS_GOLDEN_GOLDEN_H

/* Compare everything. Gives how many comparisons failed: 0 is good. */
int golden_run(void);

/* Say something about a comparison that failed; one line, without its end. */
void golden_line(const char *text);

#endif
