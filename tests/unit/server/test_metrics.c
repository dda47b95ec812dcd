#include "server/metrics.h"

#include "test.h"

static void every_row_reads_its_field(void) {
    struct metrics metrics;
    uint64_t *fields = (uint64_t *)(void *)&metrics;
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof metrics / sizeof *fields; i++) fields[i] = 1000 + i;
    const struct metric_row *row;
    for (; (row = metric_at(count)); count++)
        EXPECT_EQUAL(metric_value(&metrics, row), 1000 + count);
    EXPECT_EQUAL(count, sizeof metrics / sizeof *fields);
}

static void names_are_unique(void) {
    const struct metric_row *a, *b;
    for (uint32_t i = 0; (a = metric_at(i)); i++)
        for (uint32_t j = 0; j < i && (b = metric_at(j)); j++)
            EXPECT(strcmp(a->name, b->name) != 0);
}

static void errors_are_counted_by_their_first_word(void) {
    struct errors errors = {0};
    errors_count(&errors, "ERR one");
    errors_count(&errors, "WRONGTYPE");
    errors_count(&errors, "ERR two");
    errors_count(&errors, "ERRX");
    errors_count(&errors, " blank");
    errors_count(&errors, "");
    EXPECT(strcmp(errors.rows[0].word, "ERR") == 0);
    EXPECT_EQUAL(errors.rows[0].count, 2);
    EXPECT(strcmp(errors.rows[1].word, "WRONGTYPE") == 0);
    EXPECT(strcmp(errors.rows[2].word, "ERRX") == 0);
    EXPECT_EQUAL(errors.rows[3].word[0], 0);
    char name[] = "A0 text";
    for (char c = 'A'; c <= 'Z'; c++)
        for (char d = '0'; d <= '9'; d++) {
            name[0] = c;
            name[1] = d;
            errors_count(&errors, name);
        }
    EXPECT_EQUAL(errors.rows[31].count, 1);
}

int main(void) {
    RUN(errors_are_counted_by_their_first_word);
    RUN(every_row_reads_its_field);
    RUN(names_are_unique);
    return test_finish();
}
