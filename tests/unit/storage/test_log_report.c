#include "storage/log_internal.h"

#include "fixture.h"

static void long_messages_are_cut_not_overrun(void) {
    struct log_report report;
    char text[2 * LOG_MESSAGE_SIZE];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    log_say(&report, "%s", text);
    EXPECT_EQUAL(strlen(report.message), LOG_MESSAGE_SIZE - 1);
}

static void damage_names_file_offset_sequence_and_evidence(void) {
    struct segment segment = {.number = 12};
    struct log log = {.segments = &segment, .segment_count = 1};
    struct log_report report = {0};
    EXPECT_EQUAL(log_say_damage(&log, &report, 0, 4096, 77, "a reason"), STATUS_CORRUPT);
    EXPECT(
        strcmp(report.message,
               "FATAL corrupt: sequence 77 at valori-00000012.log:4096 was acknowledged "
               "(evidence: a reason); nothing was modified") == 0);
    EXPECT(strcmp(report.bad_file, "valori-00000012.log") == 0);
    EXPECT_EQUAL(report.bad_offset, 4096);
    EXPECT_EQUAL(report.bad_sequence, 77);
}

int main(void) {
    RUN(long_messages_are_cut_not_overrun);
    RUN(damage_names_file_offset_sequence_and_evidence);
    return test_finish();
}
