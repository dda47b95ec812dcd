/* The options of valori-benchmark. Letters are those of redis-benchmark where it has the
 * same thing, so that habits carry over. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum option_type { TYPE_TEXT, TYPE_NUMBER, TYPE_CHOICE, TYPE_FLAG, TYPE_BASELINE };

struct option_row {
    const char *name; /* without dashes */
    char letter;      /* or 0 */
    enum option_type type;
    size_t offset;                 /* of the field in struct benchmark_options */
    const char *value;             /* what the help calls it; of a choice, the words */
    uint64_t initial, least, most; /* of a number */
    const char *help;
};

#define AT(field) offsetof(struct benchmark_options, field)
#define ANY       UINT64_MAX

static const struct option_row rows[] = {
    {"host", 'h', TYPE_TEXT, AT(host), "HOST", 0, 0, 0, "server (127.0.0.1)"},
    {"port", 'p', TYPE_NUMBER, AT(port), "PORT", 8256, 1, 65535, "its port (8256)"},
    {"socket", 's', TYPE_TEXT, AT(socket_path), "PATH", 0, 0, 0, "Unix socket instead"},
    {"pass", 'a', TYPE_TEXT, AT(password), "TEXT", 0, 0, 0,
     "password; or REDISCLI_AUTH in the environment"},
    {"user", 0, TYPE_TEXT, AT(user), "NAME", 0, 0, 0, "user the password is of"},
    {"compare", 0, TYPE_TEXT, AT(compare), "HOST:PORT", 0, 0, 0,
     "send the same to a second server and print the ratio"},

    {"phase", 0, TYPE_TEXT, AT(phase_list), "LIST", 0, 0, 0,
     "of ping,load,search, in any order\n"
     "(what the files given allow)"},
    {"base", 0, TYPE_TEXT, AT(base), "FILE", 0, 0, 0,
     "vectors to load: .bvecs .fvecs .ivecs .npy,\n"
     "or random:ROWS:DIM[:SEED]"},
    {"queries", 0, TYPE_TEXT, AT(queries), "FILE", 0, 0, 0, "vectors to search for"},
    {"truth", 0, TYPE_TEXT, AT(truth), "FILE", 0, 0, 0,
     "rows of the true neighbours of each query,\n"
     ".ivecs or .npy; gives the recall"},
    {"limit", 0, TYPE_NUMBER, AT(limit), "N", 0, 0, ANY, "load only the first N rows"},
    {"seed", 0, TYPE_NUMBER, AT(seed), "N", 1, 0, ANY, "of random: without its own (1)"},

    {"clients", 'c', TYPE_NUMBER, AT(connections), "N", 50, 1, 10000, "connections (50)"},
    {"pipeline", 'P', TYPE_NUMBER, AT(pipeline), "N", 1, 1, 100000,
     "commands under way on each (1)"},
    {"threads", 0, TYPE_NUMBER, AT(threads), "N", 1, 1, 256, "threads of this tool (1)"},
    {"requests", 'n', TYPE_NUMBER, AT(requests), "N", 0, 1, ANY,
     "pings (100000) or searches (each query once)"},
    {"rounds", 0, TYPE_NUMBER, AT(rounds), "N", 1, 1, 1000,
     "do ping and search N times, the servers in turn,\n"
     "and add up (1)"},

    {"key", 0, TYPE_TEXT, AT(key), "KEY", 0, 0, 0, "of the collection (benchmark)"},
    {"drop", 0, TYPE_FLAG, AT(drop), NULL, 0, 0, 0, "delete the key before the load"},
    {"grammar", 0, TYPE_CHOICE, AT(grammar), "native redis", 0, 0, 0,
     "VCREATE and VSEARCH, or Redis's VADD and VSIM (native)"},
    {"metric", 0, TYPE_CHOICE, AT(metric), "cosine l2 ip", 0, 0, 0,
     "of the collection, and for ties in the truth (cosine)"},
    {"index", 0, TYPE_CHOICE, AT(index), "default flat hnsw", 0, 0, 0,
     "of the collection (what the server takes)"},
    {"encoding", 0, TYPE_CHOICE, AT(encoding), "fp32 values", 0, 0, 0,
     "of vectors in commands: binary, or decimal text (fp32)"},
    {"batch", 0, TYPE_NUMBER, AT(batch), "N", 1, 1, 1000000,
     "vectors in a command, with VMADD if more than 1 (1)"},
    {"count", 'k', TYPE_NUMBER, AT(count), "N", 10, 1, 100000, "neighbours wanted (10)"},
    {"ef", 0, TYPE_NUMBER, AT(ef), "N", 0, 1, 1000000, "EF of searches"},
    {"exact", 0, TYPE_FLAG, AT(exact), NULL, 0, 0, 0, "EXACT (or TRUTH) of searches"},

    {"baseline", 0, TYPE_BASELINE, 0, "WHAT VALUE", 0, 0, 0,
     "fsync DIR: a bare write and fdatasync there\n"
     "read BYTES: a plain read of memory, as much as a search reads"},
    {"fsync-bytes", 0, TYPE_NUMBER, AT(fsync_bytes), "N", 0, 1, UINT64_C(1) << 24,
     "bytes of that write (about the log's frame of one vector)"},

    {"json", 0, TYPE_TEXT, AT(json), "FILE", 0, 0, 0,
     "report as JSON to a file, or to - (standard output)"},
    {"csv", 0, TYPE_FLAG, AT(csv), NULL, 0, 0, 0, "report as CSV"},
    {"quiet", 'q', TYPE_FLAG, AT(quiet), NULL, 0, 0, 0, "one line for each phase"},
    {"allow-errors", 0, TYPE_FLAG, AT(allow_errors), NULL, 0, 0, 0,
     "error replies do not make the exit code 1"},
    {"help", 0, TYPE_FLAG, AT(help), NULL, 0, 0, 0, "print this"},
    {"version", 0, TYPE_FLAG, AT(version), NULL, 0, 0, 0, "print the version"},
};

#define ROW_COUNT (sizeof rows / sizeof rows[0])

static const char *const phase_names[PHASE_COUNT] = {"ping", "load", "search"};

const char *phase_name(enum phase phase) { return phase_names[phase]; }

/* --- Help
 * -------------------------------------------------------------------------------- */

static void help_row(FILE *out, const struct option_row *row) {
    char left[64], values[40] = "";
    if (row->type == TYPE_CHOICE) {
        snprintf(values, sizeof values, " %s", row->value);
        for (char *blank = values + 1; (blank = strchr(blank, ' ')); blank++)
            *blank = '|';
    } else if (row->value) {
        snprintf(values, sizeof values, " %s", row->value);
    }
    if (row->letter)
        snprintf(left, sizeof left, "-%c, --%s%s", row->letter, row->name, values);
    else snprintf(left, sizeof left, "--%s%s", row->name, values);
    const char *line = row->help;
    for (size_t size; (size = strcspn(line, "\n")) > 0;
         line += size + (line[size] != '\0')) {
        fprintf(out, "  %-30s %.*s\n", left, (int)size, line);
        left[0] = '\0';
    }
}

void benchmark_options_help(FILE *out) {
    fputs("Usage: valori-benchmark [option...]\n"
          "Measures a valori or Redis server: round trips, inserts, searches and "
          "recall.\n\n",
          out);
    for (size_t i = 0; i < ROW_COUNT; i++) help_row(out, &rows[i]);
    fputs("\nThe exit code is 0, or 1 when a server answered with an error or could not "
          "be\n"
          "reached, or 2 for a wrong option.\n\n"
          "Examples:\n"
          "  valori-benchmark -c 50 --compare 127.0.0.1:6379\n"
          "  valori-benchmark -c 8 -P 64 --base base.bvecs --metric l2 --drop\n"
          "  valori-benchmark -c 1 --queries query.bvecs --truth groundtruth.ivecs \\\n"
          "                   --metric l2 --baseline read 102400000\n",
          out);
}

/* --- Parsing
 * ------------------------------------------------------------------------------- */

static void set_initial(struct benchmark_options *options) {
    memset(options, 0, sizeof *options);
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].type == TYPE_NUMBER)
            memcpy((char *)options + rows[i].offset, &rows[i].initial, sizeof(uint64_t));
    options->host = "127.0.0.1";
    options->key = "benchmark";
    options->password = getenv("REDISCLI_AUTH");
}

static const struct option_row *find_row(const char *word) {
    if (word[0] != '-') return NULL;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (word[1] == '-' && strcmp(word + 2, rows[i].name) == 0) return &rows[i];
        if (rows[i].letter && word[1] == rows[i].letter && word[2] == '\0')
            return &rows[i];
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
    uint64_t number;
    if (!text_unsigned(value, &number) || number < row->least || number > row->most)
        return row->most == ANY
                   ? complain(complaint, STATUS_INVALID,
                              "--%s takes a number from %" PRIu64, row->name, row->least)
                   : complain(complaint, STATUS_INVALID,
                              "--%s takes a number from %" PRIu64 " to %" PRIu64,
                              row->name, row->least, row->most);
    memcpy(field, &number, sizeof number);
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

static enum status parse_words(struct benchmark_options *options, int argc,
                               char *const *argv, struct complaint *complaint) {
    enum status status = STATUS_OK;
    for (int i = 1; i < argc && !status; i++) {
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

/* --- What follows from them
 * ------------------------------------------------------------------ */

static enum status parse_phases(struct benchmark_options *options,
                                struct complaint *complaint) {
    const char *cursor = options->phase_list;
    while (*cursor != '\0') {
        size_t size = strcspn(cursor, ",");
        enum phase phase = 0;
        while (phase < PHASE_COUNT && (strlen(phase_names[phase]) != size ||
                                       memcmp(phase_names[phase], cursor, size) != 0))
            phase++;
        if (phase == PHASE_COUNT || options->phase_count == PHASES_MAX)
            return complain(complaint, STATUS_INVALID,
                            "--phase takes a list of ping, load and search");
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

/* Without --phase: what the files allow; a ping when there are none. */
static void choose_phases(struct benchmark_options *options) {
    if (options->base) options->phases[options->phase_count++] = PHASE_LOAD;
    if (options->queries) options->phases[options->phase_count++] = PHASE_SEARCH;
    if (options->phase_count == 0) options->phases[options->phase_count++] = PHASE_PING;
}

static bool has_phase(const struct benchmark_options *options, enum phase phase) {
    for (size_t i = 0; i < options->phase_count; i++)
        if (options->phases[i] == phase) return true;
    return false;
}

static enum status parse_servers(struct benchmark_options *options,
                                 struct complaint *complaint) {
    options->servers[0] = (struct endpoint){.host = options->host,
                                            .port = (int)options->port,
                                            .socket_path = options->socket_path,
                                            .user = options->user,
                                            .password = options->password};
    options->server_count = 1;
    if (!options->compare) return STATUS_OK;

    const char *colon = strrchr(options->compare, ':');
    uint64_t port;
    size_t size = colon ? (size_t)(colon - options->compare) : 0;
    if (size == 0 || size >= sizeof options->compare_host ||
        !text_unsigned(colon + 1, &port) || port == 0 || port > 65535)
        return complain(complaint, STATUS_INVALID, "--compare takes HOST:PORT");
    memcpy(options->compare_host, options->compare, size);
    options->servers[1] =
        (struct endpoint){.host = options->compare_host, .port = (int)port};
    options->server_count = 2;
    return STATUS_OK;
}

/* The first contradiction, or NULL. */
static const char *contradiction(const struct benchmark_options *options) {
    if (options->threads > options->connections)
        return "--threads is more than --clients: each thread needs a connection";
    if (has_phase(options, PHASE_LOAD) && !options->base)
        return "the load needs --base FILE";
    if (has_phase(options, PHASE_SEARCH) && !options->queries)
        return "the search needs --queries FILE";
    if (options->grammar == GRAMMAR_REDIS && options->batch > 1)
        return "Redis's vector sets have no command for a --batch";
    if (options->grammar == GRAMMAR_REDIS && options->metric != METRIC_COSINE)
        return "Redis's vector sets have no --metric but cosine";
    if (options->grammar == GRAMMAR_REDIS && options->index == INDEX_FLAT)
        return "Redis's vector sets have no --index but hnsw";
    if (options->batch > 1 && options->encoding == ENCODING_VALUES)
        return "a --batch is sent as fp32 only";
    if (options->user && !options->password) return "--user needs a password (-a)";
    if (options->csv && options->quiet) return "--csv and --quiet are two reports";
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
    const char *wrong = contradiction(options);
    return wrong ? complain(complaint, STATUS_INVALID, "%s", wrong) : STATUS_OK;
}
