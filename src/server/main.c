/* valori-server [config-file] [--option value ...] */
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "kernel/simd.h"
#include "server/server.h"

#define EXIT_CONFIGURATION 1
#define EXIT_FAULT         70

static void print_help(FILE *file) {
    fprintf(
        file,
        "Usage: valori-server [config-file] [--option value ...]\n"
        "       valori-server --version | --help\n"
        "       valori-server --print-docs commands | options | metrics | conf\n\n"
        "Without a config file every option has its default: port 8256 on this machine\n"
        "only, data in the current directory, every reply after its sync to disk.\n\n"
        "Options:\n");
    for (size_t i = 0; i < option_count(); i++)
        fprintf(file, "  --%-28s %s\n", option_at(i)->name,
                option_at(i)->initial[0] ? option_at(i)->initial : "\"\"");
    fprintf(file,
            "\nWhat they mean: docs/options.md, or --print-docs options.\n"
            "Exit codes: 0 clean, 1 configuration, 2 directory in use, 3 damaged data,\n"
            "4 data of a newer version, 5 files missing or foreign, 70 fault, 74 I/O.\n");
}

/* What does not start a server. True: done, *code is the exit code. */
static bool only_asked(int count, char *const *words, int *code) {
    *code = 0;
    if (count < 2) return false;
    if (strcmp(words[1], "--version") == 0 || strcmp(words[1], "-v") == 0) {
        printf("valori-server %s\n", VALORI_VERSION);
    } else if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0) {
        print_help(stdout);
    } else if (strcmp(words[1], "--print-docs") == 0) {
        if (count != 3 || !docs_print(words[2], stdout)) {
            print_help(stderr);
            *code = EXIT_CONFIGURATION;
        }
    } else {
        return false;
    }
    return true;
}

static bool options_fit(const struct options *options) {
    if (options->requirepass[0] != '\0' || options_loopback_only(options)) return true;
    fprintf(stderr,
            "valori-server: bind names an address that other machines can reach, and "
            "no requirepass is set: refused\n");
    return false;
}

/* The code for this CPU, and a look whether it computes what it should. 0, or the exit
 * code. */
static int select_code(struct server *server) {
    const struct option *option = option_find(slice_text("simd"));
    char level[OPTION_TEXT_SIZE];
    option_text(&server->options, option, level);
    server->sha256_name = sha256_select(NULL);
    server->simd_name = simd_select(strcmp(level, "auto") == 0 ? NULL : level);
    if (!server->simd_name) {
        fprintf(stderr, "valori-server: simd %s: this processor does not have it\n",
                level);
        return EXIT_CONFIGURATION;
    }
    if (simd_self_check()) return 0;
    fprintf(stderr, "valori-server: the %s distance code gives wrong results here\n",
            server->simd_name);
    return EXIT_FAULT;
}

static int serve(int count, char *const *words) {
    char message[OPTION_MESSAGE_SIZE];
    struct server server = {
        .os = posix_os(), .allocator = os_allocator(), .executable = words[0]};
    options_begin(&server.options);
    if (options_command_line(&server.options, count - 1, words + 1, &server.options_path,
                             message)) {
        fprintf(stderr, "valori-server: %s\n", message);
        return EXIT_CONFIGURATION;
    }
    if (!options_fit(&server.options)) return EXIT_CONFIGURATION;
    int code = select_code(&server);
    if (code) return code;
    if (notices_open(&server.notices, server.os, server.options.logfile,
                     (enum notice_level)server.options.loglevel)) {
        fprintf(stderr, "valori-server: cannot open logfile '%s'\n",
                server.options.logfile);
        return EXIT_CONFIGURATION;
    }
    code = server_begin(&server);
    if (!code) code = server_run(&server);
    server_free(&server);
    return code;
}

int main(int count, char **words) {
    int code;
    if (only_asked(count, words, &code)) return code;
    os_start();
    return serve(count, words);
}
