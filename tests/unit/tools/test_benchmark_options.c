/* tools/benchmark_options: what a command line means, and which ones are refused. */
#include "tools/benchmark_options.h"

#include "test.h"

static struct benchmark_options options;
static struct complaint complaint;

/* Parse a line of words with single blanks between. */
static enum status parse(const char *line) {
    static char text[512];
    char *words[64] = {NULL};
    int count = 0;
    snprintf(text, sizeof text, "valori-benchmark %s", line);
    for (char *word = text; word; count++) {
        words[count] = word;
        word = strchr(word, ' ');
        if (word) *word++ = '\0';
    }
    return benchmark_options_parse(&options, count, words, &complaint);
}

static void defaults(void) {
    EXPECT_EQUAL(parse("-q"), STATUS_OK);
    EXPECT(strcmp(options.servers[0].host, "127.0.0.1") == 0);
    EXPECT_EQUAL(options.servers[0].port, 8256);
    EXPECT_EQUAL(options.server_count, 1);
    EXPECT_EQUAL(options.connections, 50);
    EXPECT_EQUAL(options.pipeline, 1);
    EXPECT_EQUAL(options.count.count, 1);
    EXPECT_EQUAL(options.count.values[0], 10);
    EXPECT_EQUAL(options.ef.values[0], 0);
    EXPECT_EQUAL(options.phase_count, 1);
    EXPECT_EQUAL(options.phases[0], PHASE_PING);
}

static void letters_and_names(void) {
    EXPECT_EQUAL(
        parse("-h host -p 1 -c 2 -P 3 -n 4 -k 0 -a secret --user me --threads 2 -3 "
              "-r 6 -d 7 -I -l -i 8 --dbnum 9 --seed 10 --precision 2"),
        0);
    EXPECT(strcmp(options.servers[0].host, "host") == 0);
    EXPECT(strcmp(options.servers[0].password, "secret") == 0);
    EXPECT(strcmp(options.servers[0].user, "me") == 0);
    EXPECT_EQUAL(options.servers[0].port, 1);
    EXPECT_EQUAL(options.connections, 2);
    EXPECT_EQUAL(options.pipeline, 3);
    EXPECT_EQUAL(options.requests, 4);
    EXPECT_EQUAL(options.keep_alive, 0);
    EXPECT_EQUAL(options.keyspace, 6);
    EXPECT_EQUAL(options.data_size, 7);
    EXPECT_EQUAL(options.interval, 8);
    EXPECT_EQUAL(options.servers[0].database, 9);
    EXPECT_EQUAL(options.seed, 10);
    EXPECT_EQUAL(options.precision, 2);
    EXPECT(options.servers[0].resp3 && options.idle && options.loop);
    EXPECT_EQUAL(parse("--count 7 --metric L2 --encoding VALUES --index hnsw --exact"),
                 0);
    EXPECT_EQUAL(options.count.values[0], 7);
    EXPECT_EQUAL(options.metric, USE_L2);
    EXPECT_EQUAL(options.encoding, ENCODING_VALUES);
    EXPECT_EQUAL(options.index, USE_HNSW);
    EXPECT(options.exact && !options.drop);
}

static void phases_follow_from_the_files(void) {
    EXPECT_EQUAL(parse("--base a.bvecs --queries b.bvecs"), STATUS_OK);
    EXPECT_EQUAL(options.phase_count, 2);
    EXPECT_EQUAL(options.phases[0], PHASE_LOAD);
    EXPECT_EQUAL(options.phases[1], PHASE_SEARCH);
    EXPECT_EQUAL(parse("--queries b.bvecs --phase search,ping"), STATUS_OK);
    EXPECT_EQUAL(options.phases[0], PHASE_SEARCH);
    EXPECT_EQUAL(options.phases[1], PHASE_PING);
}

static void lists(void) {
    EXPECT_EQUAL(
        parse("--ef 16,32,1000000 --count 1,100 --selectivity 0.1,12.5 --base a"), 0);
    EXPECT_EQUAL(options.ef.count, 3);
    EXPECT_EQUAL(options.ef.values[2], 1000000);
    EXPECT_EQUAL(options.count.values[1], 100);
    EXPECT_EQUAL(options.selectivity.values[0], 100000);
    EXPECT_EQUAL(options.selectivity.values[1], 12500000);
}

static void the_command_is_what_follows(void) {
    EXPECT_EQUAL(parse("-n 3 SET -n x"), STATUS_OK);
    EXPECT_EQUAL(options.word_count, 3);
    EXPECT(strcmp(options.words[1], "-n") == 0);
    EXPECT_EQUAL(options.phase_count, 0);
    EXPECT_EQUAL(parse("-t set,get"), STATUS_OK);
    EXPECT_EQUAL(options.phase_count, 0);
}

static void addresses(void) {
    EXPECT_EQUAL(parse("-u redis://user:p:w@host:77/3 -p 1"), STATUS_OK);
    EXPECT(strcmp(options.servers[0].host, "host") == 0);
    EXPECT(strcmp(options.servers[0].user, "user") == 0);
    EXPECT(strcmp(options.servers[0].password, "p:w") == 0);
    EXPECT_EQUAL(options.servers[0].port, 77);
    EXPECT_EQUAL(options.servers[0].database, 3);
    EXPECT_EQUAL(parse("-u redis://host"), STATUS_OK);
    EXPECT_EQUAL(options.servers[0].port, 8256);
    EXPECT(!options.servers[0].user);
}

static void baselines_take_two_words(void) {
    EXPECT_EQUAL(parse("--baseline fsync /tmp --baseline read 4096 -q"), STATUS_OK);
    EXPECT(strcmp(options.fsync_directory, "/tmp") == 0);
    EXPECT_EQUAL(options.read_bytes, 4096);
}

static void a_second_server(void) {
    EXPECT_EQUAL(parse("--compare ::1:6379"), STATUS_OK);
    EXPECT_EQUAL(options.server_count, 2);
    EXPECT(strcmp(options.servers[1].host, "::1") == 0);
    EXPECT_EQUAL(options.servers[1].port, 6379);
}

static void bad_lines_are_refused(void) {
    static const struct {
        const char *line, *reason;
    } bad[] = {
        {"--nonsense", "not an option"},
        {"-", "not an option"},
        {"--count 1,,2", "a list"},
        {"--count 1,0", "a list"},
        {"--ef 1,2,", "a list"},
        {"--selectivity 101 --base a", "percentages"},
        {"--selectivity 1.2345678 --base a", "percentages"},
        {"--selectivity 60,50 --base a", "at most 100"},
        {"--selectivity 10", "--base"},
        {"--truth compute", "--base"},
        {"--mix 9 -q", "READS:WRITES"},
        {"--mix 0:0", "READS:WRITES"},
        {"--uri http://host", "redis://"},
        {"--uri redis://host:0", "HOST:PORT"},
        {"--uri redis://host/x", "no database"},
        {"-x", "no"},
        {"--digest --seconds 1", "--seconds"},
        {"--engine", "--base"},
        {"--engine --base a --compare h:1", "--compare"},
        {"--engine --base a --phase load,delete", "load and search"},
        {"--engine --base a PING", "no commands"},
        {"-pp 1", "not an option"},
        {"-p", "wants PORT"},
        {"-p 0", "from 1 to 65535"},
        {"-p 65536", "from 1 to 65535"},
        {"-p +1", "from 1 to 65535"},
        {"-n -1", "a number from 1"},
        {"-n 18446744073709551616", "a number from 1"},
        {"-k 2", "from 0 to 1"},
        {"--metric manhattan", "one of: cosine l2 ip"},
        {"--metric l", "one of"},
        {"--baseline fsync", "wants WHAT VALUE"},
        {"--baseline swim 10", "--baseline takes"},
        {"--baseline read ten", "--baseline takes"},
        {"--phase ping,swim", "--phase takes"},
        {"--phase ping,ping", "twice"},
        {"--phase load", "--base"},
        {"--phase search", "--queries"},
        {"--compare host", "HOST:PORT"},
        {"--compare host:0", "HOST:PORT"},
        {"--compare :1", "HOST:PORT"},
        {"-c 2 --threads 3", "--threads"},
        {"--dialect redis --batch 2", "--batch"},
        {"--dialect redis --metric l2", "--metric"},
        {"--dialect redis --index flat", "--index"},
        {"--batch 2 --encoding values", "--batch"},
        {"--csv -q", "two reports"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        EXPECT_EQUAL(parse(bad[i].line), STATUS_INVALID);
        EXPECT(strstr(complaint.text, bad[i].reason));
        if (!strstr(complaint.text, bad[i].reason))
            printf("    %s said: %s\n", bad[i].line, complaint.text);
    }
}

static void help_and_version_ask_for_nothing_else(void) {
    EXPECT_EQUAL(parse("--help --phase load"), STATUS_OK);
    EXPECT(options.help);
    EXPECT_EQUAL(parse("--version"), STATUS_OK);
    EXPECT(options.version);
}

int main(void) {
    RUN(defaults);
    RUN(letters_and_names);
    RUN(phases_follow_from_the_files);
    RUN(lists);
    RUN(the_command_is_what_follows);
    RUN(addresses);
    RUN(baselines_take_two_words);
    RUN(a_second_server);
    RUN(bad_lines_are_refused);
    RUN(help_and_version_ask_for_nothing_else);
    return test_finish();
}
