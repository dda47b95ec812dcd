/* valori-check looks at a data directory without a server: is it whole, where is it
 * damaged, what of it can be saved. It never changes the directory it looks at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "tools/check.h"

#define EXIT_USAGE 1

static const char usage[] =
    "valori-check verifies and repairs a data directory of valori-server.\n"
    "\n"
    "  valori-check log DIR [--json]\n"
    "      Read every frame, recompute every hash, apply every entry, compare every "
    "SEAL.\n"
    "      Names the place of damage: file, offset, sequence, reason.\n"
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
    "  valori-check --help | --version\n"
    "\n"
    "Exit codes: 0 whole (or repaired), 1 usage or unsafe files, 3 acknowledged data is\n"
    "damaged, 4 a newer format, 5 a file is missing, doubled, swapped or of another "
    "log,\n"
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

/* Options of one command, after its name. False: said what is wrong. */
static bool parse(char **arguments, bool repair, struct check_options *options) {
    for (; *arguments; arguments++) {
        const char *argument = *arguments, *value = arguments[1];
        if (argument[0] != '-' && !options->directory) {
            options->directory = argument;
        } else if (!repair && strcmp(argument, "--json") == 0) {
            options->json = true;
        } else if (repair && value && strcmp(argument, "--out") == 0) {
            options->out = *++arguments;
        } else if (repair && value && strcmp(argument, "--accept-loss-after") == 0) {
            if (!parse_kept(*++arguments, options))
                return misused("not a sequence: ", value), false;
        } else {
            return misused("what is ", argument), false;
        }
    }
    if (!options->directory) return misused("a directory is missing", ""), false;
    return true;
}

int main(int count, char **arguments) {
    os_start();
    sha256_select(NULL);
    if (count < 2) return misused("a command is missing", "");
    const char *command = arguments[1];
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
        return fputs(usage, stdout) < 0;
    if (strcmp(command, "--version") == 0)
        return printf("valori-check %s\n", VALORI_VERSION) < 0;

    struct check_options options = {0};
    bool repair = strcmp(command, "repair") == 0;
    if (!repair && strcmp(command, "log") != 0)
        return misused("no such command: ", command);
    if (!parse(arguments + 2, repair, &options)) return EXIT_USAGE;
    return repair ? check_repair(&options) : check_log(&options);
}
