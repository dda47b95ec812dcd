#include "server/acl_user.h"

#include "os/os.h"
#include "test.h"

static struct acl_user *make(const char *rules) {
    struct acl_user *user = acl_user_make(os_allocator(), slice_text("u"));
    EXPECT(user && acl_user_rules(user, slice_text(rules)) == NULL);
    return user;
}

static void expect_text(const char *rules, const char *wanted) {
    struct acl_user *user = make(rules), *again;
    struct buffer text, second;
    buffer_init(&text, os_allocator(), ACL_TEXT_MAX);
    buffer_init(&second, os_allocator(), ACL_TEXT_MAX);
    EXPECT(!acl_user_text(user, &text));
    EXPECT(slice_equal(buffer_slice(&text), slice_text(wanted)));
    /* The words make the same user again. */
    again = acl_user_make(os_allocator(), slice_text("u"));
    EXPECT(acl_user_rules(again, buffer_slice(&text)) == NULL);
    EXPECT(!acl_user_text(again, &second));
    EXPECT(slice_equal(buffer_slice(&text), buffer_slice(&second)));
    EXPECT(memcmp(user->root.allowed, again->root.allowed, sizeof user->root.allowed) ==
           0);
    buffer_free(&text);
    buffer_free(&second);
    acl_user_free(user);
    acl_user_free(again);
}

static void rules_become_words_and_words_rules(void) {
    expect_text("", "off sanitize-payload resetchannels -@all");
    expect_text("on nopass allkeys allchannels allcommands",
                "on nopass sanitize-payload ~* &* +@all");
    expect_text("+get -get +set", "off sanitize-payload resetchannels -@all -get +set");
    expect_text("+config|get +@read -config|set +config",
                "off sanitize-payload resetchannels -@all +@read +config");
    expect_text("+get +@all", "off sanitize-payload resetchannels +@all");
    expect_text("~a* %R~b* %W~c %RW~d ~a*",
                "off sanitize-payload ~a* %R~b* %W~c ~d resetchannels -@all");
    expect_text("~a ~* resetkeys ~b &x &y resetchannels &z",
                "off sanitize-payload ~b resetchannels &z -@all");
    expect_text("(~x* +set) ( %R~y &c +@all -get )",
                "off sanitize-payload resetchannels -@all (~x* resetchannels -@all +set) "
                "(%R~y resetchannels &c +@all -get)");
    expect_text("(~x +get) clearselectors +@all reset",
                "off sanitize-payload resetchannels -@all");
    expect_text(">abc >abc nopass", "off nopass sanitize-payload resetchannels -@all");
    expect_text(">abc",
                "off sanitize-payload "
                "#ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad "
                "resetchannels -@all");
    expect_text(">abc >d <abc",
                "off sanitize-payload "
                "#18ac3e7343f016890c510e93f935261169d9e3f565436429830faf0934f4f8e4 "
                "resetchannels -@all");
}

static void what_is_no_rule_changes_nothing(void) {
    static const char *const bad[] = {
        "foo",
        "+",
        "-",
        "+foo",
        "+@foo",
        "+config|foo",
        "+get|x",
        "%X~a",
        "%~a",
        "%R",
        "#ab",
        "!ab",
        "<nobody",
        "(on)",
        "(+foo)",
        "#BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9"
        "CB410FF61F20015AD",
    };
    struct acl_user *user = make("on ~a* +@read");
    struct buffer before, after;
    buffer_init(&before, os_allocator(), ACL_TEXT_MAX);
    buffer_init(&after, os_allocator(), ACL_TEXT_MAX);
    EXPECT(!acl_user_text(user, &before));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT(acl_user_rule(user, slice_text(bad[i])) != NULL);
        buffer_clear(&after);
        EXPECT(!acl_user_text(user, &after));
        EXPECT(slice_equal(buffer_slice(&before), buffer_slice(&after)));
    }
    EXPECT(acl_user_rule(user, slice_text("~a b")) != NULL);
    EXPECT(acl_user_rule(user, slice_of("~a\0b", 4)) != NULL);
    buffer_free(&before);
    buffer_free(&after);
    acl_user_free(user);
}

/* Ask with a line such as `set k v`. */
static enum acl_verdict ask(const struct acl_user *user, const char *line) {
    struct slice words[8], rest = slice_text(line);
    size_t count = 0, place = 0;
    while (count < 8 && acl_next_word(&rest, &words[count])) count++;
    const struct command *command = command_find(words[0]);
    EXPECT(command != NULL);
    const struct subcommand *subcommand =
        command->subcommands && count > 1 ? subcommand_find(command, words[1]) : NULL;
    return acl_user_check(user, command, subcommand, words, count, &place);
}

static void rights_follow_from_rules(void) {
    static const struct {
        const char *rules, *line;
        enum acl_verdict verdict;
    } rows[] = {
        {"", "get k", ACL_NO_COMMAND},
        {"", "auth x", ACL_ALLOWED},
        {"+get", "get k", ACL_NO_KEY},
        {"+get ~k", "get k", ACL_ALLOWED},
        {"+get ~k", "get kk", ACL_NO_KEY},
        {"+get ~k", "set k v", ACL_NO_COMMAND},
        {"+@read ~*", "get k", ACL_ALLOWED},
        {"+@read ~*", "set k v", ACL_NO_COMMAND},
        {"+@all -@write ~*", "del k", ACL_NO_COMMAND},
        {"+@all -@string ~*", "vcard k", ACL_ALLOWED},
        {"+@all %R~k", "get k", ACL_ALLOWED},
        {"+@all %R~k", "set k v", ACL_NO_KEY},
        {"+@all %W~k", "set k v", ACL_ALLOWED},
        {"+@all %W~k", "set k v GET", ACL_NO_KEY},
        {"+@all %W~k", "incr k", ACL_NO_KEY},
        {"+@all %W~k %R~k", "incr k", ACL_NO_KEY},
        {"+@all ~a", "mget a b", ACL_NO_KEY},
        {"+@all ~a ~b", "mget a b", ACL_ALLOWED},
        {"+@all ~a ~b", "mset a 1 c 2", ACL_NO_KEY},
        {"+config|get", "config get x", ACL_ALLOWED},
        {"+config|get", "config set x y", ACL_NO_COMMAND},
        {"+config -config|set", "config resetstat", ACL_ALLOWED},
        {"+config -config|set", "config set x y", ACL_NO_COMMAND},
        {"+@all -@dangerous ~*", "keys x", ACL_NO_COMMAND},
        {"+@all -@admin ~*", "acl list", ACL_NO_COMMAND},
        {"+@all -@admin ~*", "acl whoami", ACL_ALLOWED},
        {"(+get ~a) (+set ~b)", "get a", ACL_ALLOWED},
        {"(+get ~a) (+set ~b)", "set b v", ACL_ALLOWED},
        {"(+get ~a) (+set ~b)", "set a v", ACL_NO_KEY},
        {"(+get ~a) (+set ~b)", "del a", ACL_NO_COMMAND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct acl_user *user = make(rows[i].rules);
        EXPECT_EQUAL(ask(user, rows[i].line), rows[i].verdict);
        acl_user_free(user);
    }
}

static void every_command_has_a_bit_and_a_category(void) {
    size_t bits = command_count();
    for (size_t i = 0; i < command_count(); i++) {
        const struct subcommand *row = command_at(i)->subcommands;
        for (; row && row->name; row++) bits++;
        EXPECT(command_category(command_at(i), NULL, 0) != NULL);
        const char *name;
        for (size_t j = 0; (name = command_category(command_at(i), NULL, j)); j++) {
            bool known = false;
            for (size_t k = 0; command_category_name(k); k++)
                known |= strcmp(name, command_category_name(k)) == 0;
            EXPECT(known);
        }
    }
    EXPECT(bits <= ACL_BITS_MAX);
}

int main(void) {
    RUN(rules_become_words_and_words_rules);
    RUN(what_is_no_rule_changes_nothing);
    RUN(rights_follow_from_rules);
    RUN(every_command_has_a_bit_and_a_category);
    return test_finish();
}
