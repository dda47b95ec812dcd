/* Places of --to. */
#include "server/restoring.h"

#include "test.h"

static void places(void) {
    static const struct {
        const char *text;
        bool sequence, time;
        uint64_t to;
    } rows[] = {
        {"0", true, false, 0},
        {"48211", true, false, 48211},
        {"@1700000000", false, true, UINT64_C(1700000000000000)},
        {"@1700000000.25", false, true, UINT64_C(1700000000250000)},
        {"@1.000001", false, true, 1000001},
        {"1970-01-01T00:00:00Z", false, true, 0},
        {"2000-02-29T12:00:00Z", false, true, UINT64_C(951825600000000)},
        {"2023-11-14T22:13:20Z", false, true, UINT64_C(1700000000000000)},
        {"2026-01-31T12:30:00.5Z", false, true, UINT64_C(1769862600500000)},
        {"2100-03-01T00:00:00Z", false, true, UINT64_C(4107542400000000)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct restore_options options = {0};
        EXPECT(restoring_place(rows[i].text, &options));
        EXPECT_EQUAL(options.to_sequence, rows[i].sequence);
        EXPECT_EQUAL(options.to_time, rows[i].time);
        EXPECT_EQUAL(options.to, rows[i].to);
    }
}

static void what_is_no_place(void) {
    static const char *const texts[] = {"",
                                        "-1",
                                        "1.5",
                                        "@",
                                        "@x",
                                        "@1.",
                                        "@1.0000001",
                                        "@1 ",
                                        "yesterday",
                                        "2026-01-31",
                                        "2026-01-31T12:30:00",
                                        "2026-13-01T00:00:00Z",
                                        "2026-01-01T24:00:00Z",
                                        "1969-12-31T23:59:59Z",
                                        "2026-01-01T00:00:00Zx"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct restore_options options = {0};
        EXPECT(!restoring_place(texts[i], &options));
    }
}

int main(void) {
    RUN(places);
    RUN(what_is_no_place);
    return test_finish();
}
