/* A main() for one fuzz target where libFuzzer is not there:
 *
 *     standalone FILE...     run the target on each file
 *     standalone N           run it on N random inputs; the seed is N */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536

static int run_file(const char *name, uint8_t *input) {
    FILE *file = fopen(name, "rb");
    if (!file) return perror(name), 1;
    size_t size = fread(input, 1, INPUT_MAX, file);
    fclose(file);
    return LLVMFuzzerTestOneInput(input, size);
}

static uint64_t next(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *state >> 33;
}

int main(int count, char **arguments) {
    static uint8_t input[INPUT_MAX];
    char *end = NULL;
    unsigned long runs = count == 2 ? strtoul(arguments[1], &end, 10) : 0;
    if (count == 2 && *end == '\0') {
        uint64_t state = runs;
        for (unsigned long run = 0; run < runs; run++) {
            size_t size = (size_t)(next(&state) % 400);
            for (size_t i = 0; i < size; i++) input[i] = (uint8_t)next(&state);
            LLVMFuzzerTestOneInput(input, size);
        }
        printf("%lu runs\n", runs);
        return 0;
    }
    for (int i = 1; i < count; i++)
        if (run_file(arguments[i], input)) return 1;
    return 0;
}
