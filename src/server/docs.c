/* The reference, printed from the tables: docs/commands.md, docs/options.md,
 * docs/metrics.md, docs/errors.md, docs/limits.md and valori.conf. A test compares the
 * files with what this prints. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "server/client.h"
#include "server/error_table.h"
#include "server/gauges.h"
#include "server/limits.h"
#include "server/server.h"

static void print_upper(FILE *file, const char *text) {
    for (; *text; text++) putc(*text >= 'a' && *text <= 'z' ? *text - 32 : *text, file);
}

static void print_command(FILE *file, const struct command *command) {
    fprintf(file, "### ");
    print_upper(file, command->name);
    fprintf(file, "\n\n    ");
    print_upper(file, command->name);
    fprintf(file, "%s%s\n\n%s", command->synopsis[0] ? " " : "", command->synopsis,
            command->summary);
    fprintf(file, " Since %s; arity %d; categories", command->since, command->arity);
    const char *category;
    for (size_t i = 0; (category = command_category(command, NULL, i)); i++)
        fprintf(file, " @%s", category);
    fprintf(file, ".\n\n");
    const struct subcommand *row = command->subcommands;
    if (!row) return;
    fprintf(file, "| subcommand | |\n| --- | --- |\n");
    for (; row->name; row++) {
        fprintf(file, "| `");
        print_upper(file, row->name);
        fprintf(file, "%s", row->synopsis[0] ? " " : "");
        for (const char *c = row->synopsis; *c; c++) {
            if (*c == '|') putc('\\', file); /* a bar would end the cell */
            putc(*c, file);
        }
        fprintf(file, "` | %s |\n", row->summary);
    }
    fprintf(file, "\n");
}

static void print_commands(FILE *file) {
    static const struct {
        const char *group, *title;
    } groups[] = {{"vector_set", "Vectors"},        {"graph", "Graphs"},
                  {"proof", "Proofs"},
                  {"transactions", "Transactions"}, {"generic", "Keys"},
                  {"string", "Strings"},            {"connection", "Connection"},
                  {"server", "Server"}};
    fprintf(file,
            "# Commands\n\nPrinted by `valori-server --print-docs commands` from "
            "`src/server/command_table.c`. In a synopsis capitals stand\nfor themselves, "
            "`[ ]` may be left out, `< a | b >` is one of them, `( a b )` goes together, "
            "`...` means one or more.\n\n");
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        fprintf(file, "## %s\n\n", groups[g].title);
        for (size_t i = 0; i < command_count(); i++)
            if (strcmp(command_at(i)->group, groups[g].group) == 0)
                print_command(file, command_at(i));
    }
}

/* A size as one writes it: the greatest unit that divides it. */
static void print_size(FILE *file, int64_t bytes) {
    static const char *const units[] = {"", "kb", "mb", "gb"};
    size_t unit = 0;
    for (; bytes && bytes % 1024 == 0 && unit < 3; unit++) bytes /= 1024;
    fprintf(file, "%" PRId64 "%s", bytes, units[unit]);
}

/* What an option takes, in a few words. */
static void print_values(FILE *file, const struct option *option) {
    switch (option->type) {
    case OPTION_TEXT:
        fprintf(file, option->flags & OPTION_MANY ? "words" : "text");
        break;
    case OPTION_BOOL:
        fprintf(file, "yes, no");
        break;
    case OPTION_ENUM:
        for (const char *c = option->choices; *c; c++)
            if (*c == ' ') fprintf(file, ", ");
            else putc(*c, file);
        break;
    case OPTION_INTEGER:
        fprintf(file, "%" PRId64 " to %" PRId64 "%s%s", option->least, option->most,
                option->unit ? " " : "", option->unit ? option->unit : "");
        break;
    case OPTION_SIZE:
        print_size(file, option->least);
        if (option->most == INT64_MAX) {
            fprintf(file, " or more bytes");
        } else {
            fprintf(file, " to ");
            print_size(file, option->most);
            fprintf(file, " bytes");
        }
        break;
    case OPTION_MODE:
        fprintf(file, "permissions in octal digits");
        break;
    case OPTION_OUTPUT_LIMITS:
        fprintf(file, "class hard soft seconds, of normal, replica and pubsub");
    }
}

static const char *at_run_time(const struct option *option) {
    if (option->flags & OPTION_IMMUTABLE) return "no";
    return option->flags & OPTION_PROTECTED ? "protected" : "yes";
}

static const char options_intro[] =
    "# Options\n\nPrinted by `valori-server --print-docs options` from "
    "`src/server/option_table.c`.\n\n"
    "Values come from four places, later ones win: the default; the file, "
    "`name value` a line; the environment,\n`VALORI_APPENDFSYNC=everysec` for "
    "`appendfsync` (capitals, `_` for `-`); the command line, `--name value`.\n"
    "`valori-server --check-config ...` says `OK` or everything that is wrong, and "
    "changes "
    "nothing.\n\n"
    "In a file `#` begins a comment line, words with blanks stand in `\"\"` (with `\\n`, "
    "`\\xHH`, `\\\"`) or `''`, and\n`include path` reads another file there. `-` on the "
    "command line reads standard input after the file. Sizes\ntake `k` `m` `g` (powers "
    "of "
    "1000) and `kb` `mb` `gb` (powers of 1024). A wrong value ends the start with exit\n"
    "code 1. A variable `VALORI_...` that names no option is passed over with a line in "
    "the "
    "log, since\norchestrators make such names of their own.\n\n"
    "*Run time* tells whether CONFIG SET may change it: `protected` needs "
    "`enable-protected-configs`. CONFIG SET takes\nall its pairs or none; CONFIG REWRITE "
    "writes the values that differ into the file, and keeps its comments.\n\n"
    "| option | default | values | run time | meaning |\n"
    "| --- | --- | --- | --- | --- |\n";

static void print_options(FILE *file) {
    fputs(options_intro, file);
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *option = option_at(i);
        const char *quote = option->initial[0] ? "`" : "";
        fprintf(file, "| `%s` | %s%s%s | ", option->name, quote,
                option->initial[0] ? option->initial : "none", quote);
        print_values(file, option);
        fprintf(file, " | %s | %s |\n", at_run_time(option), option->help);
    }
}

static void print_metrics(FILE *file) {
    const struct metric_row *row;
    fprintf(file, "# Metrics\n\nPrinted by `valori-server --print-docs metrics` from "
                  "`src/server/metrics.h` and `gauges.c`.\n\n"
                  "| field of INFO | section | kind | on /metrics | meaning |\n"
                  "| --- | --- | --- | --- | --- |\n");
    for (uint32_t i = 0; (row = metric_at(i)); i++) {
        char name[METRIC_NAME_SIZE];
        metric_exposed_name(row, name);
        fprintf(file, "| `%s` | %s | %s | `%s` | %s |\n", row->name, row->section,
                row->kind == METRIC_KIND_COUNTER ? "counter" : "gauge", name, row->help);
    }
    const struct gauge_row *gauge;
    fprintf(file, "\nOnly on /metrics (the option `http-port`), with "
                  "`valori_command_calls_total`, `valori_command_microseconds_total`,\n"
                  "`valori_command_failures_total` and the summary "
                  "`valori_command_duration_seconds` by command:\n\n"
                  "| metric | kind | meaning |\n| --- | --- | --- |\n");
    for (uint32_t i = 0; (gauge = gauge_at(i)); i++)
        fprintf(file, "| `%s` | %s | %s |\n", gauge->name,
                gauge->counter ? "counter" : "gauge", gauge->help);
}

/* A sentence as comment lines of at most 90 columns. */
static void print_wrapped(FILE *file, const char *text) {
    size_t column = 0;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column == 0 || column + 1 + word > 88) {
            fprintf(file, "%s#", column ? "\n" : "");
            column = 1;
        }
        fprintf(file, " %.*s", (int)word, text);
        column += 1 + word;
        text += word;
        text += strspn(text, " ");
    }
    putc('\n', file);
}

static void print_conf(FILE *file) {
    fprintf(file, "# valori.conf: every option with its default, printed by\n"
                  "# `valori-server --print-docs conf`. Start with\n"
                  "# `valori-server valori.conf [--option value ...]`.\n");
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *option = option_at(i);
        putc('\n', file);
        print_wrapped(file, option->help);
        fprintf(file, "# Takes ");
        print_values(file, option);
        fprintf(file, ". Can be changed at run time: %s.\n", at_run_time(option));
        if (option->initial[0]) fprintf(file, "%s %s\n", option->name, option->initial);
        else fprintf(file, "# %s \"\"\n", option->name);
    }
}

static void print_error_text(FILE *file, const char *text) {
    if (strncmp(text, "Protocol error", 14) == 0) fprintf(file, "ERR ");
    for (; *text; text++) {
        if (*text == '%') { /* what is filled in */
            fprintf(file, "...");
            text += strcspn(text, "scduix");
        } else {
            putc(*text, file);
        }
    }
}

static const char errors_intro[] =
    "# Errors\n\nPrinted by `valori-server --print-docs errors` from "
    "`src/server/error_table.c`. `...` stands for what is\nfilled in. After an error "
    "nothing "
    "has changed, unless its row says otherwise.\n\n## Replies\n\n"
    "| error | cause | what to do |\n| --- | --- | --- |\n";

static void print_errors(FILE *file) {
    const struct error_row *row;
    const struct exit_row *end;
    fputs(errors_intro, file);
    for (size_t i = 0; (row = error_at(i)); i++) {
        fprintf(file, "| `");
        print_error_text(file, row->text);
        fprintf(file, "` | %s | %s |\n", row->cause, row->remedy);
    }
    fprintf(file,
            "\n## Exit codes of valori-server\n\nA supervisor should not start again "
            "after 3, 4 and 5: nothing changes by itself.\n\n"
            "| code | meaning | what to do |\n| --- | --- | --- |\n");
    for (size_t i = 0; (end = exit_at(i)); i++)
        fprintf(file, "| %d | %s | %s |\n", end->code, end->meaning, end->remedy);
}

static void print_limit(FILE *file, const char *what, uint64_t value,
                        const char *beyond) {
    fprintf(file, "| %s | ", what);
    if (value >= 65536 && value % 1024 == 0 && value <= INT64_MAX) {
        print_size(file, (int64_t)value);
        fprintf(file, " (%" PRIu64 ")", value);
    } else {
        fprintf(file, "%" PRIu64, value);
    }
    fprintf(file, " | %s |\n", beyond);
}

static void print_fixed_limits(FILE *file) {
    static const char too_long[] = "ERR ... exceeds 65536 bytes";
    struct connection_limits stranger = connection_limits_unauthenticated();
    print_limit(file, "bytes of a key", NAME_SIZE_MAX, too_long);
    print_limit(file, "bytes of an element's name", NAME_SIZE_MAX, too_long);
    print_limit(file, "bytes of an attribute", ATTRIBUTES_SIZE_MAX, too_long);
    print_limit(file, "bytes of a string", STRING_SIZE_MAX,
                "ERR string exceeds 262144 bytes");
    print_limit(file, "values of a vector", VECTOR_DIM_MAX,
                "ERR invalid vector specification");
    print_limit(file, "CAPACITY of VCREATE", UINT32_MAX, "ERR invalid CAPACITY");
    print_limit(file, "a tag", UINT64_MAX, "ERR invalid TAG");
    print_limit(file, "kinds or types in a command for graphs", GRAPH_WORDS_MAX,
                "ERR too many kinds or types");
    print_limit(file, "tags of one search", TAGS_MAX, "ERR too many tags");
    print_limit(file, "EF", EF_MAX, "ERR invalid EF");
    print_limit(file, "M, at least", M_MIN, "ERR invalid M");
    print_limit(file, "M", M_MAX, "ERR invalid M");
    print_limit(file, "databases", DATABASE_COUNT, "ERR DB index is out of range");
    print_limit(file, "bytes of a transaction's or a VMADD's entry", BATCH_BYTES_MAX,
                "ERR the command is too large for the log");
    print_limit(file, "bytes of a glob pattern", GLOB_PATTERN_LIMIT,
                "ERR pattern is too long");
    print_limit(file, "bytes of a client's name", CLIENT_NAME_SIZE - 1,
                "ERR ... cannot be longer than ... bytes");
    print_limit(file, "bytes of an inline command", stranger.request.inline_bytes,
                "ERR Protocol error: too big inline request; closed");
    print_limit(file, "before the password: arguments", stranger.request.arguments,
                "ERR Protocol error: unauthenticated multibulk length; closed");
    print_limit(file, "before the password: bytes of an argument",
                stranger.request.bulk_bytes,
                "ERR Protocol error: unauthenticated bulk length; closed");
    print_limit(file, "before the password: bytes of input", stranger.input_bytes,
                "closed");
    print_limit(file, "before the password: bytes of unread replies",
                stranger.output_bytes, "closed");
    print_limit(file, "bytes of an option's text", OPTION_TEXT_SIZE - 1,
                "argument is too long");
}

static void print_limits(FILE *file) {
    fprintf(file, "# Limits\n\nPrinted by `valori-server --print-docs limits`.\n\n"
                  "## Fixed\n\n| what | at most | beyond it |\n| --- | --- | --- |\n");
    print_fixed_limits(file);
    fprintf(file, "\n## By option\n\ndocs/options.md says what happens beyond each.\n\n"
                  "| option | default | may be |\n| --- | --- | --- |\n");
    for (size_t i = 0; i < option_count(); i++) {
        const struct option *option = option_at(i);
        if (option->type != OPTION_SIZE && option->type != OPTION_INTEGER &&
            option->type != OPTION_OUTPUT_LIMITS)
            continue;
        fprintf(file, "| `%s` | `%s` | ", option->name, option->initial);
        print_values(file, option);
        fprintf(file, " |\n");
    }
}

bool docs_print(const char *what, FILE *file) {
    if (strcmp(what, "commands") == 0) print_commands(file);
    else if (strcmp(what, "options") == 0) print_options(file);
    else if (strcmp(what, "metrics") == 0) print_metrics(file);
    else if (strcmp(what, "conf") == 0) print_conf(file);
    else if (strcmp(what, "errors") == 0) print_errors(file);
    else if (strcmp(what, "limits") == 0) print_limits(file);
    else return false;
    return true;
}
