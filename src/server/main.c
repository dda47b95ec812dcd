/* valori-server [config-file] [-] [--option value ...] */
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "kernel/simd.h"
#include "server/error_table.h"
#include "server/restoring.h"
#include "server/server.h"

#define EXIT_CONFIGURATION 1
#define EXIT_FAULT         70

static void print_help(FILE *file) {
    fprintf(
        file,
        "Usage: valori-server [config-file] [-] [--option value ...] [--check-config]\n"
        "                     [--restore FILE [--log DIR] [--to PLACE]]\n"
        "       valori-server --version | --help\n"
        "       valori-server --print-docs commands | options | metrics |\n"
        "                              errors | limits | conf\n\n"
        "Without a config file every option has its default: port 8256 on this machine\n"
        "only, data in the current directory, every reply after its sync to disk. `-`\n"
        "reads options from standard input. VALORI_APPENDFSYNC=no in the environment\n"
        "sets appendfsync; the command line comes last. --check-config says OK or what\n"
        "is wrong, and does nothing. --restore fills an empty dir from a snapshot, and "
        "from\n"
        "the segments in DIR up to a sequence or a time, and starts: docs/backup.md.\n\n"
        "Options:\n");
    for (size_t i = 0; i < option_count(); i++)
        fprintf(file, "  --%-28s %s\n", option_at(i)->name,
                option_at(i)->initial[0] ? option_at(i)->initial : "\"\"");
    fprintf(file,
            "\nWhat they mean: docs/options.md, or --print-docs options.\nExit codes:\n");
    const struct exit_row *row;
    for (size_t i = 0; (row = exit_at(i)); i++)
        fprintf(file, "  %-3d %s\n", row->code, row->meaning);
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

/* Take `--check-config` out of the words; true when it was there. */
static bool take_check(int *count, char **words) {
    int kept = 1;
    bool found = false;
    for (int i = 1; i < *count; i++) {
        bool is_it = strcmp(words[i], "--check-config") == 0;
        if (!is_it) words[kept++] = words[i];
        found = found || is_it;
    }
    *count = kept;
    return found;
}

/* Set the options from all their sources; stderr says what is wrong. */
static bool read_options(struct options *options, int count, char *const *words, bool all,
                         struct option_origin *origin) {
    struct option_sources sources = {.allocator = os_allocator(),
                                     .words = words + 1,
                                     .count = count - 1,
                                     .environment = os_environment(),
                                     .complaints = stderr,
                                     .all = all};
    options_begin(options);
    bool ok = !options_read(options, &sources, origin);
    const char *conflict = options_conflict(options);
    if (conflict && (ok || all)) fprintf(stderr, "valori-server: %s\n", conflict);
    return ok && !conflict;
}

/* --check-config: everything is parsed and looked at, nothing is made. */
static int check_configuration(int count, char *const *words) {
    const struct os *os = posix_os();
    struct options options;
    struct option_origin origin;
    struct directory *directory;
    bool ok = read_options(&options, count, words, true, &origin);
    if (os->directory_open(os, options.dir, &directory)) {
        fprintf(stderr, "valori-server: dir '%s': %s\n", options.dir, os->error_text(os));
        ok = false;
    } else {
        os->directory_close(os, directory);
    }
    if (origin.strange)
        fprintf(stderr, "valori-server: %s and %u more name no option: ignored\n",
                origin.strange_name, origin.strange - 1);
    if (ok) printf("OK\n");
    return ok ? 0 : EXIT_CONFIGURATION;
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

/* After everything that a start may need, before the first client is heard. */
static void confine(struct server *server) {
    if (!server->options.confine) return;
    if (os_confine())
        notice(&server->notices, NOTICE_WARNING,
               "seccomp is not available: an intruder could run programs");
}

static int serve(int count, char *const *words, struct restore_options *restoring) {
    struct option_origin origin;
    struct server server = {
        .os = posix_os(), .allocator = os_allocator(), .executable = words[0]};
    if (!read_options(&server.options, count, words, false, &origin))
        return EXIT_CONFIGURATION;
    server.options_path = origin.path;
    int code = select_code(&server);
    if (!code && restoring->snapshot)
        code = restoring_run(server.os, server.allocator, restoring, server.options.dir);
    if (code) return code;
    if (notices_open(&server.notices, server.os, server.options.logfile,
                     (enum notice_level)server.options.loglevel)) {
        fprintf(stderr, "valori-server: cannot open logfile '%s'\n",
                server.options.logfile);
        return EXIT_CONFIGURATION;
    }
    if (origin.strange)
        notice(&server.notices, NOTICE_WARNING,
               "%u variable(s) in the environment name no option, such as %s: ignored",
               origin.strange, origin.strange_name);
    if (server.options.syslog_enabled) {
        server.os->syslog_open(server.os, server.options.syslog_ident,
                               (int)server.options.syslog_facility);
        server.notices.to_syslog = true;
    }
    code = server_begin(&server);
    if (!code) {
        server.startup_memory = server_used_memory(&server);
        confine(&server);
        code = server_run(&server);
    }
    server_free(&server);
    return code;
}

int main(int count, char **words) {
    int code;
    struct restore_options restoring;
    if (only_asked(count, words, &code)) return code;
    if (!restoring_words(&count, words, &restoring)) return EXIT_CONFIGURATION;
    if (take_check(&count, words)) return check_configuration(count, words);
    os_start();
    return serve(count, words, &restoring);
}
