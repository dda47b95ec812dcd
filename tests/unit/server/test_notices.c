#include "server/notices.h"

#include "test.h"

static void tells_dates(void) {
    static const struct {
        uint64_t seconds;
        const char *text;
    } rows[] = {
        {0, "01 Jan 1970 00:00:00.000"},
        {951782399, "28 Feb 2000 23:59:59.000"},
        {951782400, "29 Feb 2000 00:00:00.000"},
        {951868800, "01 Mar 2000 00:00:00.000"},
        {1709164800, "29 Feb 2024 00:00:00.000"},
        {1735689599, "31 Dec 2024 23:59:59.000"},
        {4107542400, "01 Mar 2100 00:00:00.000"},
    };
    char text[NOTICE_TIME_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        notice_time(rows[i].seconds * 1000000, text);
        EXPECT(strcmp(text, rows[i].text) == 0);
    }
    notice_time(123999, text);
    EXPECT(strcmp(text, "01 Jan 1970 00:00:00.123") == 0);
}

int main(void) {
    RUN(tells_dates);
    return test_finish();
}
