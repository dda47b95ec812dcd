/* Users of ACL: from rules to rights, and back to words.
 *
 * Rules are kept as words. A later one about the same thing takes the place of an earlier
 * one, so that the text stays short however often a user is changed; rights to commands
 * are worked out at once, a bit for each command and subcommand. */
#include "server/acl_user.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/glob.h"
#include "server/words.h"

#define HASH_TEXT_SIZE (2 * (size_t)SHA256_SIZE)

static const char bad_syntax[] = "Syntax error";
static const char no_memory[] = "Out of memory";
static const char unknown_command[] = "Unknown command or category name in ACL";

/* --- Words ------------------------------------------------------------------------- */

bool acl_next_word(struct slice *text, struct slice *word) {
    while (text->size && text->data[0] == ' ')
        *text = slice_of(text->data + 1, text->size - 1);
    size_t size = 0;
    while (size < text->size && text->data[size] != ' ') size++;
    *word = slice_of(text->data, size);
    *text = slice_of(size ? text->data + size : text->data, text->size - size);
    return size > 0;
}

static enum status add_word(struct buffer *words, struct slice word) {
    enum status status = buffer_size(words) ? buffer_append(words, " ", 1) : STATUS_OK;
    return status ? status : buffer_append(words, word.data, word.size);
}

static enum status set_word(struct buffer *words, const char *word) {
    buffer_clear(words);
    return add_word(words, slice_text(word));
}

static bool has_word(const struct buffer *words, struct slice word) {
    struct slice rest = buffer_slice(words), next;
    while (acl_next_word(&rest, &next))
        if (slice_equal(next, word)) return true;
    return false;
}

/* The bytes of `word` after the first `size`. */
static struct slice after(struct slice word, size_t size) {
    return slice_of(word.data + size, word.size - size);
}

static bool begins(struct slice word, const char *text) {
    size_t size = strlen(text);
    return word.size >= size && memcmp(word.data, text, size) == 0;
}

static bool has_blank(struct slice word) {
    for (size_t i = 0; i < word.size; i++)
        if (word.data[i] <= ' ') return true;
    return false;
}

/* --- Life -------------------------------------------------------------------------- */

static void selector_begin(struct acl_selector *selector,
                           const struct allocator *allocator) {
    *selector = (struct acl_selector){.next = NULL};
    buffer_init(&selector->keys, allocator, ACL_TEXT_MAX);
    buffer_init(&selector->channels, allocator, ACL_TEXT_MAX);
    buffer_init(&selector->rules, allocator, ACL_TEXT_MAX);
}

static void selector_end(struct acl_selector *selector) {
    buffer_free(&selector->keys);
    buffer_free(&selector->channels);
    buffer_free(&selector->rules);
}

static void clear_selectors(struct acl_user *user) {
    while (user->selectors) {
        struct acl_selector *first = user->selectors;
        user->selectors = first->next;
        selector_end(first);
        release(user->allocator, first, sizeof *first);
    }
}

/* No right at all, and no password. */
static void reset(struct acl_user *user) {
    clear_selectors(user);
    selector_end(&user->root);
    selector_begin(&user->root, user->allocator);
    buffer_clear(&user->passwords);
    user->enabled = user->without_password = false;
}

struct acl_user *acl_user_make(const struct allocator *allocator, struct slice name) {
    struct acl_user *user = allocate(allocator, sizeof *user);
    if (!user) return NULL;
    check(name.size <= ACL_NAME_MAX);
    *user = (struct acl_user){.allocator = allocator, .name_size = name.size};
    memcpy(user->name, name.data, name.size);
    buffer_init(&user->passwords, allocator, ACL_TEXT_MAX);
    selector_begin(&user->root, allocator);
    return user;
}

void acl_user_free(struct acl_user *user) {
    if (!user) return;
    clear_selectors(user);
    selector_end(&user->root);
    buffer_free(&user->passwords);
    release(user->allocator, user, sizeof *user);
}

/* --- Commands ---------------------------------------------------------------------- */

/* Commands have the first bits, in the table's order, then come the subcommands. */
static size_t bit_of(const struct command *command, const struct subcommand *subcommand) {
    if (!subcommand) return command_index(command);
    size_t bit = command_count();
    for (size_t i = 0; i < command_index(command); i++)
        for (const struct subcommand *row = command_at(i)->subcommands; row && row->name;
             row++)
            bit++;
    bit += (size_t)(subcommand - command->subcommands);
    check(bit < ACL_BITS_MAX);
    return bit;
}

static void allow(struct acl_selector *selector, size_t bit, bool yes) {
    uint8_t mask = (uint8_t)(1u << bit % 8);
    if (yes) selector->allowed[bit / 8] |= mask;
    else selector->allowed[bit / 8] &= (uint8_t)~mask;
}

static bool allows(const struct acl_selector *selector, size_t bit) {
    return selector->allowed[bit / 8] >> bit % 8 & 1;
}

/* A command with all its subcommands. */
static void allow_command(struct acl_selector *selector, const struct command *command,
                          bool yes) {
    allow(selector, bit_of(command, NULL), yes);
    for (const struct subcommand *row = command->subcommands; row && row->name; row++)
        allow(selector, bit_of(command, row), yes);
}

static void allow_everything(struct acl_selector *selector, bool yes) {
    memset(selector->allowed, yes ? 0xff : 0, sizeof selector->allowed);
}

/* False: there is no such category. */
static bool allow_category(struct acl_selector *selector, struct slice name, bool yes) {
    bool known = false;
    const char *category;
    for (size_t i = 0; (category = command_category_name(i)); i++)
        known |= word_is(name, category);
    for (size_t i = 0; known && i < command_count(); i++) {
        const struct command *command = command_at(i);
        if (command_in_category(command, NULL, name))
            allow(selector, bit_of(command, NULL), yes);
        for (const struct subcommand *row = command->subcommands; row && row->name; row++)
            if (command_in_category(command, row, name))
                allow(selector, bit_of(command, row), yes);
    }
    return known;
}

/* `get` or `config|set`. */
static bool allow_name(struct acl_selector *selector, struct slice name, bool yes) {
    const struct subcommand *subcommand;
    const struct command *command = command_find_row(name, &subcommand);
    if (!command) return false;
    if (subcommand) allow(selector, bit_of(command, subcommand), yes);
    else allow_command(selector, command, yes);
    return true;
}

/* Does the rule say nothing more once `newer` is said? That is: the same name, or a
 * subcommand of it. */
static bool superseded(struct slice rule, struct slice newer) {
    struct slice old = after(rule, 1), name = after(newer, 1);
    if (old.size < name.size || memcmp(old.data, name.data, name.size) != 0) return false;
    return old.size == name.size || (name.data[0] != '@' && old.data[name.size] == '|');
}

/* Append the rule, without those that it makes empty. */
static enum status keep_rule(struct acl_selector *selector, struct slice rule) {
    struct buffer kept;
    struct slice rest = buffer_slice(&selector->rules), word;
    enum status status = STATUS_OK;
    buffer_init(&kept, selector->rules.allocator, ACL_TEXT_MAX);
    while (!status && acl_next_word(&rest, &word))
        if (!superseded(word, rule)) status = add_word(&kept, word);
    if (!status) status = add_word(&kept, rule);
    if (status) {
        buffer_free(&kept);
        return status;
    }
    buffer_free(&selector->rules);
    selector->rules = kept;
    return STATUS_OK;
}

/* `+get`, `-@dangerous`, `+config|get`, and the two that begin anew. */
static const char *command_rule(struct acl_selector *selector, struct slice rule) {
    char lower[64];
    if (rule.size < 2 || rule.size > sizeof lower) return unknown_command;
    for (size_t i = 0; i < rule.size; i++)
        lower[i] = (char)(rule.data[i] >= 'A' && rule.data[i] <= 'Z' ? rule.data[i] + 32
                                                                     : rule.data[i]);
    bool yes = lower[0] == '+';
    rule = slice_of(lower, rule.size);
    struct slice name = after(rule, 1);
    if (word_is(name, "@all")) {
        allow_everything(selector, yes);
        return set_word(&selector->rules, yes ? "+@all" : "-@all") ? no_memory : NULL;
    }
    bool known = name.data[0] == '@' ? allow_category(selector, after(name, 1), yes)
                                     : allow_name(selector, name, yes);
    if (!known) return unknown_command;
    return keep_rule(selector, rule) ? no_memory : NULL;
}

/* --- Keys and channels ------------------------------------------------------------- */

/* `~pattern`, `%R~pattern`, `%W~pattern`, `%RW~pattern`: which access, and the pattern.
 */
static bool key_rule_read(struct slice rule, unsigned *access, struct slice *pattern) {
    *access = 0;
    if (rule.data[0] == '~') {
        *access = ACL_READ | ACL_WRITE;
        *pattern = after(rule, 1);
        return true;
    }
    for (size_t i = 1; i < rule.size; i++) {
        uint8_t letter = rule.data[i] | 0x20;
        if (letter == 'r') *access |= ACL_READ;
        else if (letter == 'w') *access |= ACL_WRITE;
        else {
            *pattern = after(rule, i + 1);
            return rule.data[i] == '~' && *access;
        }
    }
    return false;
}

static const char *key_rule(struct acl_selector *selector, struct slice rule) {
    unsigned access;
    struct slice pattern;
    char word[GLOB_PATTERN_LIMIT + 4];
    if (selector->every_key)
        return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not "
               "valid and "
               "does not have any effect. Try 'resetkeys' to start with an empty list of "
               "patterns";
    if (has_blank(rule) || !key_rule_read(rule, &access, &pattern) ||
        pattern.size > GLOB_PATTERN_LIMIT)
        return bad_syntax;
    static const char *const prefixes[] = {"", "%R~", "%W~", "~"};
    int size = snprintf(word, sizeof word, "%s", prefixes[access]);
    memcpy(word + size, pattern.data, pattern.size);
    struct slice text = slice_of(word, (size_t)size + pattern.size);
    if (slice_equal(text, slice_text("~*"))) {
        selector->every_key = true;
        return set_word(&selector->keys, "~*") ? no_memory : NULL;
    }
    if (has_word(&selector->keys, text)) return NULL;
    return add_word(&selector->keys, text) ? no_memory : NULL;
}

static const char *channel_rule(struct acl_selector *selector, struct slice rule) {
    if (selector->every_channel)
        return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not "
               "valid "
               "and does not have any effect. Try 'resetchannels' to start with an empty "
               "list "
               "of channels";
    if (has_blank(rule) || rule.size > GLOB_PATTERN_LIMIT) return bad_syntax;
    if (slice_equal(rule, slice_text("&*"))) {
        selector->every_channel = true;
        return set_word(&selector->channels, "&*") ? no_memory : NULL;
    }
    if (has_word(&selector->channels, rule)) return NULL;
    return add_word(&selector->channels, rule) ? no_memory : NULL;
}

static const char *selector_rule(struct acl_selector *selector, struct slice rule) {
    if (word_is(rule, "allkeys") || slice_equal(rule, slice_text("~*"))) {
        selector->every_key = true;
        return set_word(&selector->keys, "~*") ? no_memory : NULL;
    }
    if (word_is(rule, "allchannels") || slice_equal(rule, slice_text("&*"))) {
        selector->every_channel = true;
        return set_word(&selector->channels, "&*") ? no_memory : NULL;
    }
    if (word_is(rule, "resetkeys")) {
        selector->every_key = false;
        buffer_clear(&selector->keys);
        return NULL;
    }
    if (word_is(rule, "resetchannels")) {
        selector->every_channel = false;
        buffer_clear(&selector->channels);
        return NULL;
    }
    if (word_is(rule, "allcommands")) return command_rule(selector, slice_text("+@all"));
    if (word_is(rule, "nocommands")) return command_rule(selector, slice_text("-@all"));
    switch (rule.size ? rule.data[0] : 0) {
    case '~':
    case '%':
        return key_rule(selector, rule);
    case '&':
        return channel_rule(selector, rule);
    case '+':
    case '-':
        return command_rule(selector, rule);
    default:
        return bad_syntax;
    }
}

/* `(~x* +get)`: one more set of rules. */
static const char *add_selector(struct acl_user *user, struct slice rule) {
    struct slice rest = slice_of(rule.data + 1, rule.size - 2), word;
    struct acl_selector *selector = allocate(user->allocator, sizeof *selector);
    const char *complaint = NULL;
    if (!selector) return no_memory;
    selector_begin(selector, user->allocator);
    while (!complaint && acl_next_word(&rest, &word))
        complaint = selector_rule(selector, word);
    if (complaint) {
        selector_end(selector);
        release(user->allocator, selector, sizeof *selector);
        return complaint;
    }
    struct acl_selector **last = &user->selectors;
    while (*last) last = &(*last)->next;
    *last = selector;
    return NULL;
}

/* --- Passwords --------------------------------------------------------------------- */

static uint8_t *find_password(const struct acl_user *user,
                              const uint8_t digest[SHA256_SIZE]) {
    struct slice all = buffer_slice(&user->passwords);
    uint8_t *found = NULL;
    for (size_t at = 0; at < all.size; at += SHA256_SIZE) {
        struct slice one = slice_of(all.data + at, SHA256_SIZE);
        if (secret_equal(slice_of(digest, SHA256_SIZE), one))
            found = user->passwords.data + user->passwords.start + at;
    }
    return found;
}

bool acl_user_password(const struct acl_user *user, const uint8_t digest[SHA256_SIZE]) {
    return find_password(user, digest) != NULL;
}

static const char *add_password(struct acl_user *user,
                                const uint8_t digest[SHA256_SIZE]) {
    user->without_password = false;
    if (find_password(user, digest)) return NULL;
    return buffer_append(&user->passwords, digest, SHA256_SIZE) ? no_memory : NULL;
}

static const char *remove_password(struct acl_user *user,
                                   const uint8_t digest[SHA256_SIZE]) {
    uint8_t *found = find_password(user, digest);
    if (!found)
        return "The password you are trying to remove from the user does not exist";
    uint8_t *end = user->passwords.data + user->passwords.end;
    memmove(found, found + SHA256_SIZE, (size_t)(end - found) - SHA256_SIZE);
    user->passwords.end -= SHA256_SIZE;
    return NULL;
}

/* 64 digits, lower case. */
static bool read_hash(struct slice text, uint8_t digest[SHA256_SIZE]) {
    if (text.size != HASH_TEXT_SIZE) return false;
    memset(digest, 0, SHA256_SIZE);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool letter = c >= 'a' && c <= 'f';
        if (!letter && (c < '0' || c > '9')) return false;
        digest[i / 2] = (uint8_t)(digest[i / 2] << 4 | (letter ? c - 'a' + 10 : c - '0'));
    }
    return true;
}

/* `>password`, `<password`, `#hash`, `!hash`. */
static const char *password_rule(struct acl_user *user, struct slice rule) {
    uint8_t digest[SHA256_SIZE];
    bool hashed = rule.data[0] == '#' || rule.data[0] == '!';
    bool adds = rule.data[0] == '>' || rule.data[0] == '#';
    if (hashed && !read_hash(after(rule, 1), digest))
        return "The password hash must be exactly 64 characters and contain only "
               "lowercase "
               "hexadecimal characters";
    if (!hashed) sha256(rule.data + 1, rule.size - 1, digest);
    return adds ? add_password(user, digest) : remove_password(user, digest);
}

/* --- Rules ------------------------------------------------------------------------- */

const char *acl_user_rule(struct acl_user *user, struct slice rule) {
    if (word_is(rule, "on")) user->enabled = true;
    else if (word_is(rule, "off")) user->enabled = false;
    else if (word_is(rule, "nopass")) {
        user->without_password = true;
        buffer_clear(&user->passwords);
    } else if (word_is(rule, "resetpass")) {
        user->without_password = false;
        buffer_clear(&user->passwords);
    } else if (word_is(rule, "reset")) reset(user);
    else if (word_is(rule, "clearselectors")) clear_selectors(user);
    else if (word_is(rule, "sanitize-payload") || word_is(rule, "skip-sanitize-payload"))
        return NULL; /* there is nothing here that it could mean */
    else if (rule.size >= 1 && memchr("><#!", rule.data[0], 4))
        return password_rule(user, rule);
    else if (rule.size >= 2 && begins(rule, "(") && rule.data[rule.size - 1] == ')')
        return add_selector(user, rule);
    else return selector_rule(&user->root, rule);
    return NULL;
}

/* A rule ends at a blank, but for one in brackets. */
static bool next_rule(struct slice *text, struct slice *rule) {
    if (!acl_next_word(text, rule) || rule->data[0] != '(') return rule->size > 0;
    const uint8_t *end = memchr(rule->data, ')', rule->size + text->size);
    if (!end) return true;
    size_t size = (size_t)(end - rule->data) + 1;
    *text = slice_of(end + 1, text->size - (size - rule->size));
    *rule = slice_of(rule->data, size);
    return true;
}

const char *acl_user_rules(struct acl_user *user, struct slice text) {
    const char *complaint = NULL;
    struct slice rule;
    while (!complaint && next_rule(&text, &rule)) complaint = acl_user_rule(user, rule);
    return complaint;
}

/* --- Text -------------------------------------------------------------------------- */

static enum status selector_text(const struct acl_selector *selector,
                                 struct buffer *text) {
    enum status status = STATUS_OK;
    struct slice rules = buffer_slice(&selector->rules);
    bool whole = begins(rules, "+@all") || begins(rules, "-@all");
    if (buffer_size(&selector->keys))
        status = add_word(text, buffer_slice(&selector->keys));
    if (!status && !selector->every_channel)
        status = add_word(text, slice_text("resetchannels"));
    if (!status && buffer_size(&selector->channels))
        status = add_word(text, buffer_slice(&selector->channels));
    if (!status && !whole) status = add_word(text, slice_text("-@all"));
    if (!status && rules.size) status = add_word(text, rules);
    return status;
}

enum status acl_user_text(const struct acl_user *user, struct buffer *text) {
    enum status status = add_word(text, slice_text(user->enabled ? "on" : "off"));
    if (!status && user->without_password) status = add_word(text, slice_text("nopass"));
    if (!status) status = add_word(text, slice_text("sanitize-payload"));
    struct slice all = buffer_slice(&user->passwords);
    for (size_t at = 0; !status && at < all.size; at += SHA256_SIZE) {
        char word[HASH_TEXT_SIZE + 2] = "#";
        hex_text(all.data + at, SHA256_SIZE, word + 1);
        status = add_word(text, slice_text(word));
    }
    if (!status) status = selector_text(&user->root, text);
    const struct acl_selector *selector = user->selectors;
    for (; !status && selector; selector = selector->next) {
        struct buffer inside;
        buffer_init(&inside, user->allocator, ACL_TEXT_MAX);
        status = selector_text(selector, &inside);
        if (!status) status = add_word(text, slice_text("("));
        if (!status)
            status =
                buffer_append(text, buffer_slice(&inside).data, buffer_size(&inside));
        if (!status) status = buffer_append(text, ")", 1);
        buffer_free(&inside);
    }
    return status;
}

enum status acl_user_line(const struct acl_user *user, struct buffer *text) {
    struct buffer words;
    buffer_init(&words, user->allocator, ACL_TEXT_MAX);
    enum status status = acl_user_text(user, &words);
    if (!status) status = buffer_append(text, "user ", 5);
    if (!status) status = buffer_append(text, user->name, user->name_size);
    if (!status) status = buffer_append(text, " ", 1);
    if (!status)
        status = buffer_append(text, buffer_slice(&words).data, buffer_size(&words));
    buffer_free(&words);
    return status;
}

/* --- Check ------------------------------------------------------------------------- */

static bool key_allowed(const struct acl_selector *selector, struct slice key,
                        unsigned access) {
    if (selector->every_key) return true;
    struct slice rest = buffer_slice(&selector->keys), word, pattern;
    unsigned granted;
    while (acl_next_word(&rest, &word))
        if (key_rule_read(word, &granted, &pattern) && (granted & access) == access &&
            glob_match(pattern, key, false))
            return true;
    return false;
}

/* A pattern to subscribe to must be one that was granted, word for word. */
static bool channel_allowed(const struct acl_selector *selector, struct slice channel,
                            bool is_pattern) {
    if (selector->every_channel) return true;
    struct slice rest = buffer_slice(&selector->channels), word;
    while (acl_next_word(&rest, &word))
        if (is_pattern ? slice_equal(after(word, 1), channel)
                       : glob_match(after(word, 1), channel, false))
            return true;
    return false;
}

static enum acl_verdict selector_check(const struct acl_selector *selector,
                                       const struct command *command,
                                       const struct subcommand *subcommand,
                                       const struct slice *arguments, size_t count,
                                       size_t *place) {
    if (!(command->flags & COMMAND_NO_AUTH) &&
        !allows(selector, bit_of(command, subcommand)))
        return ACL_NO_COMMAND;
    struct command_key key;
    for (size_t i = 0; command_key(command, arguments, count, i, &key); i++) {
        unsigned access = (key.reads ? ACL_READ : 0u) | (key.writes ? ACL_WRITE : 0u);
        *place = key.place;
        if (!key_allowed(selector, arguments[key.place], access)) return ACL_NO_KEY;
    }
    for (size_t i = command->channel_first; i && i < count; i++) {
        *place = i;
        if (!channel_allowed(selector, arguments[i], command->flags & COMMAND_PATTERNS))
            return ACL_NO_CHANNEL;
        if (i == command->channel_last) break;
    }
    return ACL_ALLOWED;
}

bool acl_user_allows_all(const struct acl_user *user) {
    const struct acl_selector *root = &user->root;
    return root->every_key && root->every_channel &&
           slice_equal(buffer_slice(&root->rules), slice_text("+@all"));
}

enum acl_verdict acl_user_check(const struct acl_user *user,
                                const struct command *command,
                                const struct subcommand *subcommand,
                                const struct slice *arguments, size_t count,
                                size_t *place) {
    enum acl_verdict worst =
        selector_check(&user->root, command, subcommand, arguments, count, place);
    const struct acl_selector *selector = user->selectors;
    for (; worst && selector; selector = selector->next) {
        size_t at = 0;
        enum acl_verdict verdict =
            selector_check(selector, command, subcommand, arguments, count, &at);
        if (verdict == ACL_ALLOWED) return ACL_ALLOWED;
        if (verdict <= worst) continue;
        worst = verdict;
        *place = at;
    }
    return worst;
}
