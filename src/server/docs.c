/* The reference, printed from the tables: docs/commands.md, docs/options.md,
 * docs/metrics.md and valori.conf. A test compares the files with what this prints. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
    for (size_t i = 0; (category = command_category(command, i)); i++)
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
    } groups[] = {{"vector_set", "Vectors"},        {"proof", "Proofs"},
                  {"transactions", "Transactions"}, {"generic", "Keys"},
                  {"connection", "Connection"},     {"server", "Server"}};
    fprintf(file,
            "# Commands\n\nPrinted by `valori-server --print-docs commands` from "
            "`src/server/command_table.c`. In a synopsis capitals stand\nfor themselves, "
            "`[ ]` may be left out, `< a | b >` is one of them, `...` means one or "
            "more.\n\n");
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
    fprintf(file,
            "# Metrics\n\nPrinted by `valori-server --print-docs metrics` from "
            "`src/server/metrics.h`.\n\n| field of INFO | section | kind | meaning |\n"
            "| --- | --- | --- | --- |\n");
    for (uint32_t i = 0; (row = metric_at(i)); i++)
        fprintf(file, "| `%s` | %s | %s | %s |\n", row->name, row->section,
                row->kind == METRIC_KIND_COUNTER ? "counter" : "gauge", row->help);
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

bool docs_print(const char *what, FILE *file) {
    if (strcmp(what, "commands") == 0) print_commands(file);
    else if (strcmp(what, "options") == 0) print_options(file);
    else if (strcmp(what, "metrics") == 0) print_metrics(file);
    else if (strcmp(what, "conf") == 0) print_conf(file);
    else return false;
    return true;
}
