/* The options of valori-benchmark, and its help. Letters are those of redis-benchmark, so
 * that habits and scripts carry over; where it has a letter only, the name is ours. */
#include "tools/benchmark_options.h"

#include <string.h>

#define AT(field) offsetof(struct benchmark_options, field)
#define ANY       UINT64_MAX
#define HEADING(text)                                                                    \
    { NULL, 0, TYPE_FLAG, 0, NULL, 0, 0, 0, text }

const struct option_row benchmark_option_rows[] = {
    HEADING("The server"),
    {"host", 'h', TYPE_TEXT, AT(host), "HOST", 0, 0, 0, "server (127.0.0.1)"},
    {"port", 'p', TYPE_NUMBER, AT(port), "PORT", 8256, 1, 65535, "its port (8256)"},
    {"socket", 's', TYPE_TEXT, AT(socket_path), "PATH", 0, 0, 0, "Unix socket instead"},
    {"pass", 'a', TYPE_TEXT, AT(password), "TEXT", 0, 0, 0,
     "password; or REDISCLI_AUTH in the environment"},
    {"user", 0, TYPE_TEXT, AT(user), "NAME", 0, 0, 0, "user the password is of"},
    {"uri", 'u', TYPE_TEXT, AT(uri), "URI", 0, 0, 0,
     "redis://[[USER:]PASSWORD@]HOST[:PORT][/DATABASE]"},
    {"dbnum", 0, TYPE_NUMBER, AT(database), "N", 0, 0, 1000000,
     "SELECT this database (0)"},
    {"resp3", '3', TYPE_FLAG, AT(resp3), NULL, 0, 0, 0, "speak RESP3 (HELLO 3)"},
    {"compare", 0, TYPE_TEXT, AT(compare), "HOST:PORT", 0, 0, 0,
     "send the same to a second server, in turn, and print\nthe ratios"},
    {"dialect", 0, TYPE_CHOICE, AT(dialect), "auto valori redis", 0, 0, 0,
     "VCREATE and VSEARCH, or Redis's VADD and VSIM (auto:\n"
     "valori's, if every server says that it is one)"},

    HEADING("The load"),
    {"clients", 'c', TYPE_NUMBER, AT(connections), "N", 50, 1, 10000, "connections (50)"},
    {"pipeline", 'P', TYPE_NUMBER, AT(pipeline), "N", 1, 1, 100000,
     "commands under way on each (1)"},
    {"threads", 0, TYPE_NUMBER, AT(threads), "N", 1, 1, 256, "threads of this tool (1)"},
    {"requests", 'n', TYPE_NUMBER, AT(requests), "N", 0, 1, ANY,
     "commands (100000), or searches (each query once)"},
    {"seconds", 0, TYPE_NUMBER, AT(seconds), "N", 0, 1, 1000000,
     "send for so long instead; loads end with their data"},
    {"warmup", 0, TYPE_NUMBER, AT(warmup), "N", 0, 1, 100000,
     "the same for N seconds before it counts (not loads)"},
    {"rate", 0, TYPE_NUMBER, AT(rate), "N", 0, 1, 100000000,
     "open loop: N commands a second whatever comes back,\n"
     "latency from the moment at which each was due"},
    {"rounds", 0, TYPE_NUMBER, AT(rounds), "N", 1, 1, 1000,
     "do all but loads and deletes N times, the servers in\nturn, and add up (1)"},
    {"keep-alive", 'k', TYPE_NUMBER, AT(keep_alive), "0|1", 1, 0, 1,
     "0: connect anew for every command, or window of them"},
    {"idle", 'I', TYPE_FLAG, AT(idle), NULL, 0, 0, 0,
     "only open the connections and hold them"},
    {"loop", 'l', TYPE_FLAG, AT(loop), NULL, 0, 0, 0, "again and again, until stopped"},
    {"seed", 0, TYPE_NUMBER, AT(seed), "N", 1, 0, ANY,
     "of random keys, tags and data without a seed (1)"},

    HEADING("Commands, as of redis-benchmark"),
    {"tests", 't', TYPE_TEXT, AT(tests), "LIST", 0, 0, 0,
     "of ping,ping_inline,ping_mbulk,set,get,incr,lpush,\n"
     "rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,mset"},
    {"keyspace", 'r', TYPE_NUMBER, AT(keyspace), "N", 0, 1, ANY,
     "__rand_int__ becomes twelve digits, below N"},
    {"data-size", 'd', TYPE_NUMBER, AT(data_size), "N", 3, 1, 1 << 30,
     "bytes of a value (3)"},
    {"stdin", 'x', TYPE_FLAG, AT(from_stdin), NULL, 0, 0, 0,
     "the last argument of the command is read from\nstandard input"},

    HEADING("Vectors"),
    {"phase", 0, TYPE_TEXT, AT(phase_list), "LIST", 0, 0, 0,
     "of ping,load,search,mixed,update,delete, in any order\n"
     "(what the files given allow)"},
    {"base", 0, TYPE_TEXT, AT(base), "FILE", 0, 0, 0,
     "vectors to load: .bvecs .fvecs .ivecs .npy .fbin\n"
     ".u8bin .i8bin .ibin, a part as FILE@FROM:TO; or\n"
     "uniform:ROWS:DIM[:SEED], gauss:..,\n"
     "cluster:K:ROWS:DIM[:SEED]"},
    {"queries", 0, TYPE_TEXT, AT(queries), "FILE", 0, 0, 0, "vectors to search for"},
    {"truth", 0, TYPE_TEXT, AT(truth), "FILE", 0, 0, 0,
     "rows of the true neighbours of each query, .ivecs\n"
     ".ibin or .npy, or the word compute: find them here by\n"
     "brute force; gives the recall"},
    {"limit", 0, TYPE_NUMBER, AT(limit), "N", 0, 1, ANY, "load only the first N rows"},
    {"key", 0, TYPE_TEXT, AT(key), "KEY", 0, 0, 0, "of the collection (benchmark)"},
    {"drop", 0, TYPE_FLAG, AT(drop), NULL, 0, 0, 0, "delete the key before the load"},
    {"metric", 0, TYPE_CHOICE, AT(metric), "cosine l2 ip", 0, 0, 0,
     "of the collection, and of the truth (cosine)"},
    {"index", 0, TYPE_CHOICE, AT(index), "default flat hnsw", 0, 0, 0,
     "of the collection (what the server takes)"},
    {"quant", 0, TYPE_CHOICE, AT(quant), "default noquant q8 bin", 0, 0, 0,
     "NOQUANT, Q8 or BIN of VADD, or none of them"},
    {"m", 0, TYPE_NUMBER, AT(m), "N", 0, 4, 4096, "M of the collection"},
    {"ef-construction", 0, TYPE_NUMBER, AT(ef_construction), "N", 0, 1, 1000000,
     "EF of the collection, or of each VADD"},
    {"encoding", 0, TYPE_CHOICE, AT(encoding), "fp32 values", 0, 0, 0,
     "of vectors in commands: binary, or decimal text (fp32)"},
    {"batch", 0, TYPE_NUMBER, AT(batch), "N", 1, 1, 1000000,
     "vectors in a command, with VMADD if more than 1 (1)"},
    {"count", 0, TYPE_LIST, AT(count), "N,..", 10, 1, 100000,
     "neighbours wanted; several: one search phase each (10)"},
    {"ef", 0, TYPE_LIST, AT(ef), "N,..", 0, 1, 1000000,
     "EF of searches; several: a curve of recall and rate"},
    {"exact", 0, TYPE_FLAG, AT(exact), NULL, 0, 0, 0, "EXACT (or TRUTH) of searches"},
    {"no-thread", 0, TYPE_FLAG, AT(no_thread), NULL, 0, 0, 0, "NOTHREAD of Redis's VSIM"},
    {"selectivity", 0, TYPE_PERCENTS, AT(selectivity), "P,..", 0, 1, 100000000,
     "tag the elements so that P per cent have one tag, and\n"
     "search for each (TAG, or SETATTR and FILTER)"},
    {"tags", 0, TYPE_CHOICE, AT(tag_rule), "random clustered", 0, 0, 0,
     "which elements these are: any, or such as lie together"},
    {"mix", 0, TYPE_TEXT, AT(mix), "R:W", 0, 0, 0,
     "mixed: R searches, then W inserts (9:1)"},

    HEADING("Without a server"),
    {"engine", 0, TYPE_FLAG, AT(engine), NULL, 0, 0, 0,
     "load and search the library in this process, one core,\n"
     "one query at a time"},
    {"simd", 0, TYPE_TEXT, AT(simd), "LEVEL", 0, 0, 0,
     "portable, sse4.1, avx2, avx512 or neon (the best)"},
    {"baseline", 0, TYPE_BASELINE, 0, "WHAT VALUE", 0, 0, 0,
     "fsync DIR: a bare write and fdatasync there\n"
     "read BYTES: a plain read of memory, as much as a search\nreads"},
    {"fsync-bytes", 0, TYPE_NUMBER, AT(fsync_bytes), "N", 0, 1, UINT64_C(1) << 24,
     "bytes of that write (about the log's frame of one\nvector)"},

    HEADING("The report"),
    {"json", 0, TYPE_TEXT, AT(json), "FILE", 0, 0, 0,
     "as JSON to a file, or to - (standard output)"},
    {"csv", 0, TYPE_FLAG, AT(csv), NULL, 0, 0, 0,
     "as CSV: redis-benchmark's columns, then ours"},
    {"quiet", 'q', TYPE_FLAG, AT(quiet), NULL, 0, 0, 0, "one line for each test"},
    {"precision", 0, TYPE_NUMBER, AT(precision), "N", 3, 0, 6,
     "decimals of milliseconds in text and CSV (3)"},
    {"interval", 'i', TYPE_NUMBER, AT(interval), "N", 1, 1, 3600,
     "seconds between progress lines on a terminal (1)"},
    {"digest", 0, TYPE_FLAG, AT(digest), NULL, 0, 0, 0,
     "hash all replies in the order of the commands, and ask\n"
     "for the digests of the server's state"},
    {"expect-digest", 0, TYPE_TEXT, AT(expect_digest), "HEX,..", 0, 0, 0,
     "exit with 1 unless each of these was printed"},
    {"allow-errors", 0, TYPE_FLAG, AT(allow_errors), NULL, 0, 0, 0,
     "error replies do not make the exit code 1"},
    {"help", 0, TYPE_FLAG, AT(help), NULL, 0, 0, 0, "print this"},
    {"version", 0, TYPE_FLAG, AT(version), NULL, 0, 0, 0, "print the version"},
};

const size_t benchmark_option_row_count =
    sizeof benchmark_option_rows / sizeof benchmark_option_rows[0];

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
    if (strlen(left) > 26) {
        fprintf(out, "  %s\n", left);
        left[0] = '\0';
    }
    const char *line = row->help;
    for (size_t size; (size = strcspn(line, "\n")) > 0;
         line += size + (line[size] != '\0')) {
        fprintf(out, "  %-26s %.*s\n", left, (int)size, line);
        left[0] = '\0';
    }
}

void benchmark_options_help(FILE *out) {
    fputs("Usage: valori-benchmark [option...] [command argument...]\n"
          "Measures a valori or Redis server: commands, inserts, searches and recall.\n",
          out);
    for (size_t i = 0; i < benchmark_option_row_count; i++)
        if (benchmark_option_rows[i].name) help_row(out, &benchmark_option_rows[i]);
        else fprintf(out, "\n%s:\n", benchmark_option_rows[i].help);
    fputs(
        "\nThe exit code is 0, or 1 when a server answered with an error, could not be\n"
        "reached or a digest differs, or 2 for a wrong option.\n\n"
        "Examples:\n"
        "  valori-benchmark -t ping,set,get -n 1000000 -P 16 -q\n"
        "  valori-benchmark -r 1000000 VADD k VALUES 2 0.__rand_int__ 0.5 "
        "e:__rand_int__\n"
        "  valori-benchmark -c 8 -P 64 --base base.bvecs --metric l2 --drop\n"
        "  valori-benchmark -c 1 --queries query.bvecs --truth groundtruth.ivecs \\\n"
        "                   --metric l2 --ef 16,32,64,128,256\n"
        "  valori-benchmark -c 50 --compare 127.0.0.1:6379\n",
        out);
}
