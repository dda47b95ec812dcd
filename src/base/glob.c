/* Glob matching without recursion.
 *
 * Everything but the star takes exactly one byte of the text. So when a match fails, only
 * the last star can help by taking one byte more: whatever an earlier star could take
 * instead, the last one could have taken too. One remembered place replaces the recursion
 * that makes other matchers exponential. */
#include "base/glob.h"

#include <stddef.h>

static uint8_t fold(uint8_t byte, bool nocase) {
    return nocase && byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/* Match one byte against the class that begins after '[' at *at, and move *at behind it.
 * A class that nobody closed ends with the pattern. */
static bool class_has(struct slice pattern, size_t *at, uint8_t byte, bool nocase) {
    const uint8_t *p = pattern.data;
    size_t i = *at, end = pattern.size;
    bool negated = i < end && p[i] == '^';
    bool found = false;
    if (negated) i++;
    for (; i < end && p[i] != ']'; i++) {
        uint8_t low = p[i], high;
        if (low == '\\' && i + 1 < end) {
            low = high = p[++i];
        } else if (i + 2 < end && p[i + 1] == '-') {
            high = p[i += 2];
        } else {
            high = low;
        }
        low = fold(low, nocase);
        high = fold(high, nocase);
        if (low > high) {
            uint8_t swapped = low;
            low = high;
            high = swapped;
        }
        found |= byte >= low && byte <= high;
    }
    *at = i < end ? i + 1 : end;
    return found != negated;
}

/* Match one byte against the pattern's item at *at, which is no star, and move *at behind
 * it. */
static bool item_matches(struct slice pattern, size_t *at, uint8_t byte, bool nocase) {
    uint8_t item = pattern.data[(*at)++];
    byte = fold(byte, nocase);
    if (item == '?') return true;
    if (item == '[') return class_has(pattern, at, byte, nocase);
    if (item == '\\' && *at < pattern.size) item = pattern.data[(*at)++];
    return byte == fold(item, nocase);
}

bool glob_match(struct slice pattern, struct slice text, bool nocase) {
    if (pattern.size > GLOB_PATTERN_LIMIT) return false;
    size_t at = 0, position = 0;
    size_t after_star = 0, star_position = 0; /* after_star 0: no star was met */
    while (position < text.size) {
        if (at < pattern.size && pattern.data[at] == '*') {
            after_star = ++at;
            star_position = position;
        } else if (at < pattern.size &&
                   item_matches(pattern, &at, text.data[position], nocase)) {
            position++;
        } else if (after_star > 0) {
            at = after_star;
            position = ++star_position;
        } else {
            return false;
        }
    }
    while (at < pattern.size && pattern.data[at] == '*') at++;
    return at == pattern.size;
}
