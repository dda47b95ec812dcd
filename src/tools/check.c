/* valori-check, without a server: is a data directory whole, where is it damaged, what of
 * it can be saved; does a proof hold, and who signed it. It never changes what it looks
 * at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "tools/check.h"

#define EXIT_USAGE 1

static const char usage[] =
    "valori-check verifies what valori-server wrote and handed out, without a server.\n"
    "\n"
    "  valori-check log DIR [--json]\n"
    "      Read every frame, recompute every hash, apply every entry, compare every "
    "SEAL.\n"
    "      Names the place of damage: file, offset, sequence, reason.\n"
    "\n"
    "  valori-check snapshot FILE\n"
    "      Check every piece of a snapshot, and compute its state root anew.\n"
    "\n"
    "  valori-check repair DIR [--out DIR2] [--accept-loss-after N|none]\n"
    "      Write the entries before the damage to DIR2 (default DIR.repaired), which "
    "must not\n"
    "      exist. DIR stays as it is. Acknowledged entries are only left out when N "
    "names the\n"
    "      last sequence that is kept (none: not a single one); without it the command "
    "just\n"
    "      says what would be lost.\n"
    "\n"
    "  valori-check record FILE [--key KEY] [--witness KEY]... [--of KEYNAME] [--element "
    "NAME]\n"
    "      Check a proof of PROOF.RECORD, KEY, CARD or SAMPLE from the value up to the "
    "log's\n"
    "      root, and to the checkpoint in it. --of and --element say what it has to be "
    "about.\n"
    "      --receipt FILE: the receipt of the proof's SEAL, where the proof has no "
    "checkpoint.\n"
    "\n"
    "  valori-check receipt FILE [--key KEY] [--witness KEY]...\n"
    "      Check what PROOF.RECEIPT gave: that an entry is in a signed log.\n"
    "\n"
    "  valori-check consistency OLD-NOTE NEW-NOTE PROOF [--key KEY] [--witness KEY]...\n"
    "      Check with PROOF.CONSISTENCY's hashes that the log of the older checkpoint is "
    "the\n"
    "      beginning of the newer one's.\n"
    "\n"
    "  valori-check note FILE [--key KEY] [--witness KEY]...\n"
    "      Check a checkpoint. KEY is a verifier key, name+id+base64, or a file with "
    "one.\n"
    "\n"
    "  valori-check --help | --version\n"
    "\n"
    "Exit codes: 0 whole (or repaired, or right), 1 usage or unsafe files, 3 "
    "acknowledged "
    "data\n"
    "is damaged, or a proof does not hold, 4 a newer format, 5 a file is missing, "
    "doubled,\n"
    "swapped or of another log, or a proof of another key or question than asked for,\n"
    "70 a fault in this program, 74 the system could not read or write.\n";

static int misused(const char *what, const char *argument) {
    fprintf(stderr, "valori-check: %s%s\nTry valori-check --help.\n", what, argument);
    return EXIT_USAGE;
}

static bool parse_kept(const char *text, struct check_options *options) {
    options->accept_loss = true;
    options->accept_entries = 0;
    if (strcmp(text, "none") == 0) return true;
    if (text[0] < '0' || text[0] > '9') return false;
    char *end;
    unsigned long long last = strtoull(text, &end, 10);
    options->accept_entries = (uint64_t)last + 1;
    return *end == '\0' && last < UINT64_MAX;
}

/* One option that has a value. False: said what is wrong. */
static bool parse_value(const char *name, const char *value,
                        struct check_options *options, struct note_key *key) {
    if (strcmp(name, "--out") == 0) {
        options->out = value;
    } else if (strcmp(name, "--of") == 0) {
        options->record_key = value;
    } else if (strcmp(name, "--receipt") == 0) {
        options->receipt = value;
    } else if (strcmp(name, "--element") == 0) {
        options->element = value;
    } else if (strcmp(name, "--accept-loss-after") == 0) {
        if (!parse_kept(value, options)) return misused("not a sequence: ", value), false;
    } else if (strcmp(name, "--key") == 0) {
        options->key = key;
        return input_key(value, key) == CHECK_RIGHT;
    } else if (strcmp(name, "--witness") == 0) {
        if (options->witness_count == WITNESSES_MAX)
            return misused("too many witnesses", ""), false;
        return input_key(value, &options->witnesses[options->witness_count++]) ==
               CHECK_RIGHT;
    } else {
        return misused("what is ", name), false;
    }
    return true;
}

/* The commands, and the options that each has. */
struct check_command {
    const char *name, *options;
    const char *wanted; /* what it is about, when that is missing */
    int (*run)(const struct check_options *options);
};
static const struct check_command commands[] = {
    {"log", "--json", "a directory", check_log},
    {"snapshot", "", "a file", check_snapshot},
    {"repair", "--out --accept-loss-after", "a directory", check_repair},
    {"record", "--json --key --witness --of --element --receipt", "a file", check_record},
    {"receipt", "--json --key --witness", "a file", check_receipt},
    {"consistency", "--key --witness", "a file", check_consistency},
    {"note", "--json --key --witness", "a file", check_note},
};

static bool has_option(const struct check_command *command, const char *option) {
    size_t size = strlen(option);
    const char *found = strstr(command->options, option);
    return found && (found[size] == ' ' || found[size] == '\0');
}

/* Options of one command, after its name. False: said what is wrong. */
static bool parse(char **arguments, const struct check_command *command,
                  struct check_options *options, struct note_key *key) {
    for (; *arguments; arguments++) {
        const char *argument = *arguments;
        if ((argument[0] != '-' || argument[1] == '\0') && !options->path) {
            options->path = options->directory = argument;
        } else if (argument[0] != '-' && command->run == check_consistency &&
                   !options->third) {
            *(options->second ? &options->third : &options->second) = argument;
        } else if (!has_option(command, argument)) {
            return misused("what is ", argument), false;
        } else if (strcmp(argument, "--json") == 0) {
            options->json = true;
        } else if (!*++arguments) {
            return misused("no value after ", argument), false;
        } else if (!parse_value(argument, *arguments, options, key)) {
            return false;
        }
    }
    if (!options->path) return misused(command->wanted, " is missing"), false;
    return true;
}

int main(int count, char **arguments) {
    os_start();
    sha256_select(NULL);
    if (count < 2) return misused("a command is missing", "");
    const char *name = arguments[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return fputs(usage, stdout) < 0;
    if (strcmp(name, "--version") == 0)
        return printf("valori-check %s\n", VALORI_VERSION) < 0;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(name, commands[i].name) != 0) continue;
        struct check_options options = {0};
        struct note_key key;
        if (!parse(arguments + 2, &commands[i], &options, &key)) return EXIT_USAGE;
        return commands[i].run(&options);
    }
    return misused("no such command: ", name);
}
