/* Every status has a name of its own, fit for a log line. */
#include "base/status.h"

#include "test.h"

static void names_are_distinct_words(void) {
    EXPECT(strcmp(status_name(STATUS_OK), "ok") == 0);
    EXPECT(strcmp(status_name(STATUS_NO_SPACE), "no_space") == 0);
    EXPECT(strcmp(status_name(STATUS_UNSAFE), "unsafe") == 0);
    for (int i = 0; i <= STATUS_UNSAFE; i++) {
        const char *name = status_name((enum status)i);
        EXPECT(strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name));
        EXPECT(strcmp(name, "unknown") != 0);
        for (int j = 0; j < i; j++)
            EXPECT(strcmp(name, status_name((enum status)j)) != 0);
    }
    EXPECT(strcmp(status_name((enum status)(STATUS_UNSAFE + 1)), "unknown") == 0);
}

int main(void) {
    RUN(names_are_distinct_words);
    return test_finish();
}
