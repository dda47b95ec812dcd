/* Synopses as trees of arguments, walked in place: they are short, and never from
 * clients. */
#include "server/synopsis.h"

#include <stdio.h>
#include <string.h>

#include "server/words.h"

enum item_kind { ITEM_VALUE, ITEM_TOKEN, ITEM_CHOICE };

/* A piece of the text between two pointers. */
struct span {
    const char *at, *end;
};

struct item {
    enum item_kind kind;
    bool optional, multiple;
    struct span word;  /* the value's name, or the token */
    struct span inner; /* behind a token; the alternatives of a choice */
};

static void skip_blanks(struct span *text) {
    while (text->at < text->end && *text->at == ' ') text->at++;
}

/* From an opening bracket to behind its closing one; the contents into *inner. */
static void take_bracket(struct span *text, char open, char close, struct span *inner) {
    int depth = 0;
    inner->at = text->at + 1;
    for (; text->at < text->end; text->at++) {
        if (*text->at == open) depth++;
        if (*text->at == close && --depth == 0) break;
    }
    inner->end = text->at;
    if (text->at < text->end) text->at++;
}

static struct span take_word(struct span *text) {
    struct span word = {text->at, text->at};
    while (text->at < text->end && !strchr(" [<|>]", *text->at)) text->at++;
    word.end = text->at;
    return word;
}

static bool is_token(struct span word) {
    return word.at < word.end && *word.at >= 'A' && *word.at <= 'Z';
}

static bool take_dots(struct span *word) {
    if (word->end - word->at <= 3 || memcmp(word->end - 3, "...", 3) != 0) return false;
    word->end -= 3;
    return true;
}

/* What belongs to a token: the values behind it, or a choice. */
static struct span take_values(struct span *text) {
    struct span values;
    skip_blanks(text);
    values.at = values.end = text->at;
    if (text->at < text->end && *text->at == '<') {
        struct span inner;
        take_bracket(text, '<', '>', &inner);
        values.end = text->at;
        return values;
    }
    while (text->at < text->end && *text->at >= 'a' && *text->at <= 'z') {
        take_word(text);
        values.end = text->at;
        skip_blanks(text);
    }
    return values;
}

static bool next_item(struct span *text, struct item *item);

/* The contents of [ ]: one item that may be left out. Several begin with a value: the
 * others hang on it, and it stands for them here. */
static void take_optional(struct span *text, struct item *item) {
    struct span inner;
    take_bracket(text, '[', ']', &inner);
    struct span rest = inner;
    next_item(&rest, item);
    skip_blanks(&rest);
    if (rest.at < rest.end) {
        struct span word = item->word;
        *item =
            (struct item){.kind = ITEM_TOKEN, .word = {word.at, word.at}, .inner = inner};
    }
    item->optional = true;
}

static bool next_item(struct span *text, struct item *item) {
    *item = (struct item){0};
    skip_blanks(text);
    if (text->at >= text->end) return false;
    if (*text->at == '[') {
        take_optional(text, item);
    } else if (*text->at == '<') {
        item->kind = ITEM_CHOICE;
        take_bracket(text, '<', '>', &item->inner);
    } else if (*text->at == '(') {
        item->kind = ITEM_TOKEN; /* a block without a token */
        take_bracket(text, '(', ')', &item->inner);
        struct span dots = take_word(text);
        item->multiple = dots.at < dots.end;
    } else {
        item->word = take_word(text);
        if (item->word.end == item->word.at) return false; /* a bracket too many */
        item->multiple = take_dots(&item->word);
        item->kind = is_token(item->word) ? ITEM_TOKEN : ITEM_VALUE;
        if (item->kind == ITEM_TOKEN) item->inner = take_values(text);
    }
    return true;
}

static size_t count_items(struct span text) {
    struct item item;
    size_t count = 0;
    while (next_item(&text, &item)) count++;
    return count;
}

/* The next alternative of a choice: up to a bar that is in no bracket. */
static bool next_alternative(struct span *text, struct span *alternative) {
    int depth = 0;
    skip_blanks(text);
    if (text->at >= text->end) return false;
    alternative->at = text->at;
    for (; text->at < text->end; text->at++) {
        if (*text->at == '<' || *text->at == '[') depth++;
        if (*text->at == '>' || *text->at == ']') depth--;
        if (*text->at == '|' && depth == 0) break;
    }
    alternative->end = text->at;
    if (text->at < text->end) text->at++;
    return true;
}

/* --- As documentation ------------------------------------------------------------- */

static const char *value_type(struct span word) {
    static const char *const integers[] = {
        "num",   "dim",      "tag",       "ef",        "m",         "k",
        "index", "elements", "client-id", "increment", "decrement", "count"};
    struct slice name = slice_of(word.at, (size_t)(word.end - word.at));
    if (word_is(name, "key")) return "key";
    if (word_is(name, "pattern")) return "pattern";
    if (word_is(name, "seconds") || word_is(name, "max-distance")) return "double";
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++)
        if (word_is(name, integers[i])) return "integer";
    return "string";
}

static void reply_items(struct reply *reply, struct span text);
static void reply_item(struct reply *reply, const struct item *item);

static void reply_name(struct reply *reply, struct span word, const char *otherwise) {
    char name[64];
    size_t size = 0;
    for (const char *c = word.at; c < word.end && size + 1 < sizeof name; c++)
        name[size++] = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    name[size] = '\0';
    reply_text(reply, "name");
    reply_text(reply, size ? name : otherwise);
}

static void reply_flags(struct reply *reply, const struct item *item) {
    if (!item->optional && !item->multiple) return;
    reply_text(reply, "flags");
    reply_set(reply, (uint64_t)item->optional + item->multiple);
    if (item->optional) reply_status(reply, "optional");
    if (item->multiple) reply_status(reply, "multiple");
}

static void reply_alternatives(struct reply *reply, struct span text) {
    struct span counted = text, alternative;
    uint64_t count = 0;
    while (next_alternative(&counted, &alternative)) count++;
    reply_array(reply, count);
    while (next_alternative(&text, &alternative)) {
        struct item item = {0};
        struct span rest = alternative;
        next_item(&rest, &item);
        skip_blanks(&rest);
        if (rest.at < rest.end) /* several: a block without a token */
            item = (struct item){.kind = ITEM_TOKEN,
                                 .word = {alternative.at, alternative.at},
                                 .inner = alternative};
        reply_item(reply, &item);
    }
}

static void reply_type(struct reply *reply, const char *type) {
    reply_text(reply, "type");
    reply_text(reply, type);
}

static void reply_token(struct reply *reply, struct span word) {
    reply_text(reply, "token");
    reply_bulk(reply, slice_of(word.at, (size_t)(word.end - word.at)));
}

static void reply_item(struct reply *reply, const struct item *item) {
    uint64_t flags = item->optional || item->multiple;
    if (item->kind == ITEM_VALUE) {
        bool key = strcmp(value_type(item->word), "key") == 0;
        reply_map(reply, 2 + flags + key);
        reply_name(reply, item->word, "value");
        reply_type(reply, value_type(item->word));
        if (key) {
            reply_text(reply, "key_spec_index");
            reply_integer(reply, 0);
        }
        reply_flags(reply, item);
        return;
    }
    if (item->kind == ITEM_CHOICE) {
        reply_map(reply, 3 + flags);
        reply_name(reply, item->word, "choice");
        reply_type(reply, "oneof");
        reply_flags(reply, item);
        reply_text(reply, "arguments");
        reply_alternatives(reply, item->inner);
        return;
    }
    bool named = item->word.at < item->word.end;
    struct span rest = item->inner;
    struct item value = {0};
    size_t values = count_items(item->inner);
    if (values == 1) next_item(&rest, &value);
    bool single = values == 1 && value.kind == ITEM_VALUE && !value.multiple;
    reply_map(reply, 2 + named + flags + (values > 0 && !single));
    reply_name(reply, single ? value.word : item->word, "block");
    reply_type(reply, values == 0                                ? "pure-token"
                      : single                                   ? value_type(value.word)
                      : values == 1 && value.kind == ITEM_CHOICE ? "oneof"
                                                                 : "block");
    if (named) reply_token(reply, item->word);
    reply_flags(reply, item);
    if (values == 0 || single) return;
    reply_text(reply, "arguments");
    if (values == 1 && value.kind == ITEM_CHOICE) reply_alternatives(reply, value.inner);
    else reply_items(reply, item->inner);
}

static void reply_items(struct reply *reply, struct span text) {
    struct item item;
    reply_array(reply, count_items(text));
    while (next_item(&text, &item)) reply_item(reply, &item);
}

static struct span whole(const char *synopsis) {
    return (struct span){synopsis, synopsis + strlen(synopsis)};
}

size_t synopsis_count(const char *synopsis) { return count_items(whole(synopsis)); }

void synopsis_reply(struct reply *reply, const char *synopsis) {
    reply_items(reply, whole(synopsis));
}

/* --- As arity --------------------------------------------------------------------- */

static size_t least_items(struct span text, bool *open);

static size_t least_alternative(struct span text, bool *open) {
    struct span alternative;
    size_t least = SIZE_MAX, first = SIZE_MAX;
    while (next_alternative(&text, &alternative)) {
        size_t words = least_items(alternative, open);
        if (first == SIZE_MAX) first = words;
        if (words != first) *open = true;
        if (words < least) least = words;
    }
    return least;
}

static size_t least_items(struct span text, bool *open) {
    struct item item;
    size_t least = 0;
    while (next_item(&text, &item)) {
        if (item.optional || item.multiple) *open = true;
        if (item.optional) continue;
        if (item.kind == ITEM_CHOICE) least += least_alternative(item.inner, open);
        else least += item.kind == ITEM_VALUE || item.word.at < item.word.end;
        if (item.kind == ITEM_TOKEN) least += least_items(item.inner, open);
    }
    return least;
}

size_t synopsis_least(const char *synopsis, bool *open) {
    *open = false;
    return least_items(whole(synopsis), open);
}
