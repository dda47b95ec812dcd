/* Reading the command line by the table, and what follows from it. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MILLIONTHS UINT64_C(1000000)

static const char *const phase_names[PHASE_COUNT] = {
    "ping", "load", "search", "mixed", "update", "delete", "command"};

const char *phase_name(enum phase phase) { return phase_names[phase]; }

/* --- Values ------------------------------------------------------------------------- */

static void set_initial(struct benchmark_options *options) {
    memset(options, 0, sizeof *options);
    for (size_t i = 0; i < benchmark_option_row_count; i++) {
        const struct option_row *row = &benchmark_option_rows[i];
        if (row->type == TYPE_NUMBER)
            memcpy((char *)options + row->offset, &row->initial, sizeof(uint64_t));
    }
    options->count = (struct number_list){.values = {10}, .count = 1};
    options->ef = (struct number_list){.values = {0}, .count = 1};
    options->host = "127.0.0.1";
    options->key = "benchmark";
    options->password = getenv("REDISCLI_AUTH");
}

static const struct option_row *find_row(const char *word) {
    for (size_t i = 0; i < benchmark_option_row_count; i++) {
        const struct option_row *row = &benchmark_option_rows[i];
        if (!row->name) continue;
        if (word[1] == '-' && strcmp(word + 2, row->name) == 0) return row;
        if (row->letter && word[1] == row->letter && word[2] == '\0') return row;
    }
    return NULL;
}

/* The place of `word` among the words of `choices`, or -1. */
static int find_choice(const char *choices, const char *word) {
    size_t size = strlen(word);
    for (int place = 0;; place++) {
        size_t here = strcspn(choices, " ");
        if (here == size && strncasecmp(choices, word, size) == 0) return place;
        if (choices[here] == '\0') return -1;
        choices += here + 1;
    }
}

/* A percentage such as 12.5 in millionths of a per cent. */
static bool read_percents(const char *text, uint64_t *value) {
    char whole[16];
    size_t size = strcspn(text, ".");
    if (size == 0 || size >= sizeof whole) return false;
    memcpy(whole, text, size);
    whole[size] = '\0';
    if (!text_unsigned(whole, value) || *value > 100) return false;
    uint64_t unit = MILLIONTHS;
    *value *= unit;
    if (text[size] == '\0') return true;
    for (text += size + 1; *text != '\0'; text++) {
        unit /= 10;
        if (*text < '0' || *text > '9' || unit == 0) return false;
        *value += unit * (uint64_t)(*text - '0');
    }
    return true;
}

static bool read_list(const struct option_row *row, const char *text,
                      struct number_list *list) {
    char part[32];
    list->count = 0;
    for (;;) {
        size_t size = strcspn(text, ",");
        if (size >= sizeof part || list->count == LIST_MAX) return false;
        memcpy(part, text, size);
        part[size] = '\0';
        uint64_t value = 0;
        bool good = row->type == TYPE_PERCENTS ? read_percents(part, &value)
                                               : text_unsigned(part, &value);
        if (!good || value < row->least || value > row->most) return false;
        list->values[list->count++] = value;
        if (text[size] == '\0') return true;
        text += size + 1;
    }
}

static enum status set_number(const struct option_row *row, const char *value,
                              void *field, struct complaint *complaint) {
    uint64_t number;
    if (text_unsigned(value, &number) && number >= row->least && number <= row->most) {
        memcpy(field, &number, sizeof number);
        return STATUS_OK;
    }
    if (row->most == UINT64_MAX)
        return complain(complaint, STATUS_INVALID, "--%s takes a number from %" PRIu64,
                        row->name, row->least);
    return complain(complaint, STATUS_INVALID,
                    "--%s takes a number from %" PRIu64 " to %" PRIu64, row->name,
                    row->least, row->most);
}

static enum status set_value(struct benchmark_options *options,
                             const struct option_row *row, const char *value,
                             struct complaint *complaint) {
    char *field = (char *)options + row->offset;
    if (row->type == TYPE_TEXT) {
        memcpy(field, &value, sizeof value);
        return STATUS_OK;
    }
    if (row->type == TYPE_CHOICE) {
        int place = find_choice(row->value, value);
        if (place < 0)
            return complain(complaint, STATUS_INVALID, "--%s takes one of: %s", row->name,
                            row->value);
        unsigned chosen = (unsigned)place;
        memcpy(field, &chosen, sizeof chosen);
        return STATUS_OK;
    }
    if (row->type == TYPE_NUMBER) return set_number(row, value, field, complaint);
    struct number_list list;
    if (!read_list(row, value, &list))
        return complain(complaint, STATUS_INVALID,
                        "--%s takes a list of at most %d %s, with commas between",
                        row->name, LIST_MAX,
                        row->type == TYPE_PERCENTS ? "percentages" : "numbers");
    memcpy(field, &list, sizeof list);
    return STATUS_OK;
}

static enum status set_baseline(struct benchmark_options *options, const char *what,
                                const char *value, struct complaint *complaint) {
    if (strcmp(what, "fsync") == 0) {
        options->fsync_directory = value;
        return STATUS_OK;
    }
    if (strcmp(what, "read") == 0 && text_unsigned(value, &options->read_bytes) &&
        options->read_bytes >= 4096 && options->read_bytes <= UINT64_C(1) << 40)
        return STATUS_OK;
    return complain(complaint, STATUS_INVALID,
                    "--baseline takes: fsync DIRECTORY, or read BYTES (4096 or more)");
}

/* Options up to the first word that is none: there the custom command begins. */
static enum status parse_words(struct benchmark_options *options, int argc,
                               char *const *argv, struct complaint *complaint) {
    enum status status = STATUS_OK;
    for (int i = 1; i < argc && !status; i++) {
        if (argv[i][0] != '-') {
            options->words = argv + i;
            options->word_count = argc - i;
            return STATUS_OK;
        }
        const struct option_row *row = find_row(argv[i]);
        if (!row)
            return complain(complaint, STATUS_INVALID, "%s is not an option; see --help",
                            argv[i]);
        int wanted = row->type == TYPE_FLAG ? 0 : row->type == TYPE_BASELINE ? 2 : 1;
        if (argc - i - 1 < wanted)
            return complain(complaint, STATUS_INVALID, "--%s wants %s", row->name,
                            row->value);
        if (row->type == TYPE_FLAG) *(bool *)((char *)options + row->offset) = true;
        else if (row->type == TYPE_BASELINE)
            status = set_baseline(options, argv[i + 1], argv[i + 2], complaint);
        else status = set_value(options, row, argv[i + 1], complaint);
        i += wanted;
    }
    return status;
}

/* --- What follows from them --------------------------------------------------------- */

static enum status parse_phases(struct benchmark_options *options,
                                struct complaint *complaint) {
    const char *cursor = options->phase_list;
    while (*cursor != '\0') {
        size_t size = strcspn(cursor, ",");
        enum phase phase = 0;
        while (phase < PHASE_COMMAND && (strlen(phase_names[phase]) != size ||
                                         memcmp(phase_names[phase], cursor, size) != 0))
            phase++;
        if (phase == PHASE_COMMAND || options->phase_count == PHASES_MAX)
            return complain(
                complaint, STATUS_INVALID,
                "--phase takes a list of ping, load, search, mixed, update and delete");
        for (size_t i = 0; i < options->phase_count; i++)
            if (options->phases[i] == phase)
                return complain(complaint, STATUS_INVALID, "--phase names %s twice",
                                phase_names[phase]);
        options->phases[options->phase_count++] = phase;
        cursor += size;
        if (*cursor == ',') cursor++;
    }
    return STATUS_OK;
}

/* Without --phase: what the files allow; a ping when nothing is asked for. */
static void choose_phases(struct benchmark_options *options) {
    if (options->base) options->phases[options->phase_count++] = PHASE_LOAD;
    if (options->queries) options->phases[options->phase_count++] = PHASE_SEARCH;
    if (options->phase_count == 0 && !options->tests && options->word_count == 0)
        options->phases[options->phase_count++] = PHASE_PING;
}

static bool has_phase(const struct benchmark_options *options, enum phase phase) {
    for (size_t i = 0; i < options->phase_count; i++)
        if (options->phases[i] == phase) return true;
    return false;
}

/* Split "HOST:PORT" in place; false when it is not that. */
static bool split_port(char *text, int *port) {
    char *colon = strrchr(text, ':');
    uint64_t number;
    if (!colon || colon == text || !text_unsigned(colon + 1, &number) || number == 0 ||
        number > 65535)
        return false;
    *colon = '\0';
    *port = (int)number;
    return true;
}

/* redis://[[user:]password@]host[:port][/database] */
static enum status parse_uri(struct benchmark_options *options, struct endpoint *server,
                             struct complaint *complaint) {
    static const char scheme[] = "redis://";
    const size_t size = sizeof scheme - 1;
    char *text = options->uri_text;
    if (strncmp(options->uri, scheme, size) != 0 ||
        strlen(options->uri) - size >= sizeof options->uri_text)
        return complain(complaint, STATUS_INVALID, "--uri takes redis://HOST:PORT");
    memcpy(text, options->uri + size, strlen(options->uri) - size + 1);
    char *slash = strchr(text, '/');
    if (slash) {
        *slash = '\0';
        if (slash[1] != '\0' && !text_unsigned(slash + 1, &server->database))
            return complain(complaint, STATUS_INVALID, "--uri: %s is no database",
                            slash + 1);
    }
    char *at = strrchr(text, '@');
    if (at) {
        *at = '\0';
        char *colon = strchr(text, ':');
        if (colon) *colon = '\0';
        server->user = colon && colon != text ? text : NULL;
        server->password = colon ? colon + 1 : text;
        text = at + 1;
    }
    if (strchr(text, ':') && !split_port(text, &server->port))
        return complain(complaint, STATUS_INVALID, "--uri: %s is not HOST:PORT", text);
    if (*text != '\0') server->host = text;
    return STATUS_OK;
}

static enum status parse_servers(struct benchmark_options *options,
                                 struct complaint *complaint) {
    struct endpoint *first = &options->servers[0], *second = &options->servers[1];
    *first = (struct endpoint){.host = options->host,
                               .port = (int)options->port,
                               .socket_path = options->socket_path,
                               .user = options->user,
                               .password = options->password,
                               .database = options->database,
                               .resp3 = options->resp3};
    options->server_count = 1;
    enum status status = options->uri ? parse_uri(options, first, complaint) : STATUS_OK;
    if (status || !options->compare) return status;
    if (strlen(options->compare) < sizeof options->compare_host) {
        memcpy(options->compare_host, options->compare, strlen(options->compare) + 1);
        *second = (struct endpoint){.host = options->compare_host,
                                    .database = options->database,
                                    .resp3 = options->resp3};
        options->server_count = 2;
        if (split_port(options->compare_host, &second->port)) return STATUS_OK;
    }
    return complain(complaint, STATUS_INVALID, "--compare takes HOST:PORT");
}

static bool parse_mix(struct benchmark_options *options) {
    char part[24];
    const char *text = options->mix ? options->mix : "9:1";
    size_t size = strcspn(text, ":");
    if (text[size] != ':' || size >= sizeof part) return false;
    memcpy(part, text, size);
    part[size] = '\0';
    return text_unsigned(part, &options->mix_reads) &&
           text_unsigned(text + size + 1, &options->mix_writes) &&
           options->mix_reads <= 1000000 && options->mix_writes <= 1000000 &&
           options->mix_reads + options->mix_writes > 0;
}

/* --- Contradictions ----------------------------------------------------------------- */

static const char *wrong_for_redis(const struct benchmark_options *options) {
    if (options->batch > 1) return "Redis's vector sets have no command for a --batch";
    if (options->metric != USE_COSINE)
        return "Redis's vector sets have no --metric but cosine";
    if (options->index == USE_FLAT) return "Redis's vector sets have no --index but hnsw";
    return NULL;
}

static const char *wrong_for_phases(const struct benchmark_options *options) {
    bool mixed = has_phase(options, PHASE_MIXED);
    if ((has_phase(options, PHASE_LOAD) || has_phase(options, PHASE_UPDATE) ||
         has_phase(options, PHASE_DELETE) || mixed) &&
        !options->base)
        return "load, update, delete and mixed need --base FILE";
    if ((has_phase(options, PHASE_SEARCH) || mixed) && !options->queries)
        return "the search needs --queries FILE";
    if (options->selectivity.count > 0 && !options->base)
        return "--selectivity tags what is loaded: it needs --base FILE";
    uint64_t share = 0;
    for (size_t i = 0; i < options->selectivity.count; i++)
        share += options->selectivity.values[i];
    if (share > 100 * MILLIONTHS)
        return "--selectivity: an element has one tag, so these are at most 100 together";
    if (options->selectivity.count > 0 && options->batch > 1 &&
        options->dialect == DIALECT_REDIS)
        return "Redis's vector sets have no command for a --batch";
    if (options->truth && strcmp(options->truth, "compute") == 0 && !options->base)
        return "--truth compute needs --base FILE";
    return NULL;
}

static const char *wrong_for_engine(const struct benchmark_options *options) {
    if (options->compare) return "--engine has no server to --compare with";
    if (options->tests || options->word_count > 0 || has_phase(options, PHASE_PING))
        return "--engine takes no commands, only --base and --queries";
    if (!has_phase(options, PHASE_LOAD)) return "--engine needs --base FILE to load";
    for (size_t i = 0; i < options->phase_count; i++)
        if (options->phases[i] != PHASE_LOAD && options->phases[i] != PHASE_SEARCH)
            return "--engine has the phases load and search";
    if (options->digest || options->expect_digest)
        return "--engine has no replies to make a --digest of";
    return NULL;
}

/* The first contradiction, or NULL. */
static const char *contradiction(const struct benchmark_options *options) {
    const char *wrong = wrong_for_phases(options);
    if (!wrong && options->dialect == DIALECT_REDIS) wrong = wrong_for_redis(options);
    if (!wrong && options->engine) wrong = wrong_for_engine(options);
    if (wrong) return wrong;
    if (options->threads > options->connections)
        return "--threads is more than --clients: each thread needs a connection";
    if (options->batch > 1 && options->encoding == ENCODING_VALUES)
        return "a --batch is sent as fp32 only";
    if (options->servers[0].user && !options->servers[0].password)
        return "--user needs a password (-a)";
    if (options->csv && options->quiet) return "--csv and --quiet are two reports";
    if (options->from_stdin && options->word_count == 0)
        return "-x adds to a command, and there is none";
    if ((options->digest || options->expect_digest) &&
        (options->seconds > 0 || options->rounds > 1))
        return "a --digest is of a number of commands: not with --seconds or --rounds";
    return NULL;
}

enum status benchmark_options_parse(struct benchmark_options *options, int argc,
                                    char *const *argv, struct complaint *complaint) {
    set_initial(options);
    enum status status = parse_words(options, argc, argv, complaint);
    if (status || options->help || options->version) return status;
    if (options->phase_list) status = parse_phases(options, complaint);
    if (status) return status;
    if (options->phase_count == 0) choose_phases(options);
    status = parse_servers(options, complaint);
    if (status) return status;
    if (!parse_mix(options))
        return complain(complaint, STATUS_INVALID, "--mix takes READS:WRITES, as in 9:1");
    const char *wrong = contradiction(options);
    return wrong ? complain(complaint, STATUS_INVALID, "%s", wrong) : STATUS_OK;
}
