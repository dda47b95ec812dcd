/* One user of ACL: the rules, as words, and what follows from them.
 *
 * A user is what its rules say, applied one after the other in Redis's grammar
 * (acl_user_rule), and acl_user_text() gives words that make the same user again: that
 * text is what the log keeps and what ACL LIST prints. Nothing here knows of clients or
 * state. */
#ifndef SERVER_ACL_USER_H
#define SERVER_ACL_USER_H

#include "base/buffer.h"
#include "base/sha256.h"
#include "server/command_table.h"

#define ACL_NAME_MAX 256
#define ACL_TEXT_MAX 65536 /* as attributes: the text is a record of the log */
#define ACL_BITS_MAX 1024  /* commands and subcommands */

enum acl_access { ACL_READ = 1, ACL_WRITE = 2 };

/* What one set of rules allows. Each buffer holds words, with a blank between. */
struct acl_selector {
    struct acl_selector *next;
    struct buffer keys, channels, rules;
    bool every_key, every_channel;
    uint8_t allowed[ACL_BITS_MAX / 8];
};

struct acl_user {
    struct acl_user *next;
    const struct allocator *allocator;
    char name[ACL_NAME_MAX];
    size_t name_size;
    bool enabled, without_password;
    struct buffer passwords; /* SHA-256 of each */
    struct acl_selector root;
    struct acl_selector *selectors; /* besides; in the order in which they came */
};

/* A user with no right at all, disabled. NULL without memory. `name` is at most
 * ACL_NAME_MAX bytes. Free it with acl_user_free(). */
struct acl_user *acl_user_make(const struct allocator *allocator, struct slice name);
void acl_user_free(struct acl_user *user);

/* Apply one rule. NULL, or why not: a sentence as Redis has it; the user is then as it
 * was, but for a selector in brackets, which may be half applied. */
const char *acl_user_rule(struct acl_user *user, struct slice rule);
/* Apply every word of `text`. The first complaint ends it. */
const char *acl_user_rules(struct acl_user *user, struct slice text);

/* Append the words that make this user. STATUS_TOO_LARGE over ACL_TEXT_MAX. */
enum status acl_user_text(const struct acl_user *user, struct buffer *text);

/* Append `user NAME` and those words: a line of ACL LIST, and of the file. */
enum status acl_user_line(const struct acl_user *user, struct buffer *text);

/* Is it one of the user's passwords? The time does not depend on which, or on how much of
 * it is right. */
bool acl_user_password(const struct acl_user *user, const uint8_t digest[SHA256_SIZE]);

enum acl_verdict { ACL_ALLOWED, ACL_NO_COMMAND, ACL_NO_KEY, ACL_NO_CHANNEL };

/* May the user run this? With ACL_NO_KEY or ACL_NO_CHANNEL *place is the argument that
 * stands in the way. `count` fits the command's arity. */
enum acl_verdict acl_user_check(const struct acl_user *user,
                                const struct command *command,
                                const struct subcommand *subcommand,
                                const struct slice *arguments, size_t count,
                                size_t *place);

/* Whether there is nothing that it may not do. */
bool acl_user_allows_all(const struct acl_user *user);

/* Cut the next word off `text`; false at its end. */
bool acl_next_word(struct slice *text, struct slice *word);

#endif
