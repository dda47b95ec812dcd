/* Runs a golden program on a system with a C library: natively, or under qemu. */
#include "golden/golden.h"

#include <stdio.h>

void golden_line(const char *text) { printf("  %s\n", text); }

int main(void) {
    int failed = golden_run();
    printf("%d passed, %d failed\n", failed == 0, failed);
    return failed != 0;
}
