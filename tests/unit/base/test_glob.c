/* Glob patterns: Redis's rules row by row, then agreement with the obvious recursive
 * matcher, then the inputs that make such a matcher explode. */
#include "base/glob.h"

#include "test.h"

static const struct {
    const char *pattern, *text;
    bool nocase, matches;
} rows[] = {
    {"", "", false, true},
    {"", "a", false, false},
    {"*", "", false, true},
    {"*", "anything", false, true},
    {"***", "anything", false, true},
    {"?", "", false, false},
    {"?", "a", false, true},
    {"h?llo", "hello", false, true},
    {"h?llo", "hllo", false, false},
    {"h*llo", "hllo", false, true},
    {"h*llo", "heeeello", false, true},
    {"h*llo", "heeeellow", false, false},
    {"h[ae]llo", "hallo", false, true},
    {"h[ae]llo", "hillo", false, false},
    {"h[^e]llo", "hallo", false, true},
    {"h[^e]llo", "hello", false, false},
    {"h[a-c]llo", "hbllo", false, true},
    {"h[c-a]llo", "hbllo", false, true}, /* the ends in either order */
    {"h[a-c]llo", "hdllo", false, false},
    {"[a-c-e]", "-", false, true},
    {"[]", "]", false, false}, /* an empty class, as Redis has it */
    {"[^]", "x", false, true},
    {"[abc", "b", false, true}, /* nobody closed it */
    {"[abc", "x", false, false},
    {"[", "[", false, false},
    {"[a-", "-", false, true},
    {"[\\]]", "]", false, true},
    {"[\\^a]", "^", false, true},
    {"\\*", "*", false, true},
    {"\\*", "a", false, false},
    {"\\?x", "?x", false, true},
    {"\\\\", "\\", false, true},
    {"\\", "\\", false, true}, /* nothing behind it: itself */
    {"HELLO", "hello", false, false},
    {"HELLO", "hello", true, true},
    {"h[A-C]llo", "HBLLO", true, true},
    {"h[^A-C]llo", "hbllo", true, false},
    {"a*b*c", "aXbXbXc", false, true},
    {"a*b*c", "aXbXbX", false, false},
    {"*abc", "ababc", false, true},
    {"*[ab]c*d", "xxacbcd", false, true},
};

static void follows_the_rules(void) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool matches = glob_match(slice_text(rows[i].pattern), slice_text(rows[i].text),
                                  rows[i].nocase);
        if (matches != rows[i].matches)
            printf("  row %zu: '%s' on '%s'\n", i, rows[i].pattern, rows[i].text);
        EXPECT(matches == rows[i].matches);
    }
}

static void takes_any_bytes(void) {
    const uint8_t text[] = {0x00, 0xff, '\n', 0x80};
    EXPECT(glob_match(slice_text("????"), slice_of(text, 4), false));
    EXPECT(glob_match(slice_text("*\x80"), slice_of(text, 4), false));
    EXPECT(glob_match(slice_of("\0*", 2), slice_of(text, 4), false));
    EXPECT(!glob_match(slice_text("???"), slice_of(text, 4), false));
}

/* The definition: a star tries everything. Classes are left out, they are one byte each.
 */
static bool matches_slowly(const char *p, const char *t) {
    if (*p == '\0') return *t == '\0';
    if (*p == '*') return matches_slowly(p + 1, t) || (*t && matches_slowly(p, t + 1));
    return *t && (*p == '?' || *p == *t) && matches_slowly(p + 1, t + 1);
}

static void agrees_with_recursion(void) {
    static const char letters[] = "ab*?";
    uint32_t random = 1;
    for (int round = 0; round < 200000; round++) {
        char pattern[8], text[9];
        size_t sizes[2];
        for (int i = 0; i < 2; i++) {
            char *out = i == 0 ? pattern : text;
            random = random * 1664525u + 1013904223u;
            sizes[i] = (random >> 24) % (i == 0 ? 8 : 9);
            for (size_t k = 0; k < sizes[i]; k++) {
                random = random * 1664525u + 1013904223u;
                out[k] = letters[(random >> 24) % (i == 0 ? 4 : 2)];
            }
            out[sizes[i]] = '\0';
        }
        bool fast =
            glob_match(slice_of(pattern, sizes[0]), slice_of(text, sizes[1]), false);
        if (fast == matches_slowly(pattern, text)) continue;
        printf("  '%s' on '%s'\n", pattern, text);
        EXPECT(false);
    }
}

/* CVE-2022-36021 was a pattern like this one. Here it costs size times size. */
static void many_stars_are_cheap(void) {
    char pattern[GLOB_PATTERN_LIMIT];
    static char text[65536];
    for (size_t i = 0; i < sizeof pattern; i++) pattern[i] = i % 2 ? 'a' : '*';
    pattern[sizeof pattern - 1] = 'b';
    memset(text, 'a', sizeof text);
    EXPECT(!glob_match(slice_of(pattern, sizeof pattern), slice_of(text, sizeof text),
                       true));
}

static void refuses_long_patterns(void) {
    char pattern[GLOB_PATTERN_LIMIT + 1];
    memset(pattern, '*', sizeof pattern);
    EXPECT(glob_match(slice_of(pattern, GLOB_PATTERN_LIMIT), slice_text("x"), false));
    EXPECT(!glob_match(slice_of(pattern, sizeof pattern), slice_text("x"), false));
}

int main(void) {
    RUN(follows_the_rules);
    RUN(takes_any_bytes);
    RUN(agrees_with_recursion);
    RUN(many_stars_are_cheap);
    RUN(refuses_long_patterns);
    return test_finish();
}
