/* hiredis: the C client. Blocking calls, pipelines, binary arguments, RESP3 where the
 * library has it (1.0 and newer), and the asynchronous interface over a loop of its own.
 *
 * What it prints and reads is said in tests/clients/run. */
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int port;
static const char *current; /* the test that runs */
static bool failed, ever_failed;

#define EXPECT(condition)                                                                \
    do {                                                                                 \
        if (!(condition)) fail(__LINE__, #condition);                                    \
    } while (0)

static void fail(int line, const char *condition) {
    printf("FAIL %s: line %d: %s\n", current, line, condition);
    failed = ever_failed = true;
}

static void run(const char *name, void (*test)(void)) {
    current = name;
    failed = false;
    test();
    if (!failed) printf("ok %s\n", name);
    fflush(stdout);
}

static void restart_server(void) {
    char line[32] = "";
    printf("restart\n");
    fflush(stdout);
    EXPECT(fgets(line, sizeof line, stdin) && strcmp(line, "restarted\n") == 0);
}

/* --- Short ways to ask -----------------------------------------------------------------
 */

static redisContext *connect_here(void) {
    redisContext *context = redisConnect("127.0.0.1", port);
    if (!context || context->err) {
        printf("FAIL %s: no connection: %s\n", current, context ? context->errstr : "");
        exit(1);
    }
    return context;
}

/* The reply, owned by the caller; the program ends if the connection does. */
static redisReply *ask(redisContext *context, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(context, format, arguments);
    va_end(arguments);
    if (!reply) {
        printf("FAIL %s: %s: %s\n", current, format, context->errstr);
        exit(1);
    }
    return reply;
}

static redisReply *next_reply(redisContext *context) {
    void *reply = NULL;
    if (redisGetReply(context, &reply) != REDIS_OK) {
        printf("FAIL %s: no reply: %s\n", current, context->errstr);
        exit(1);
    }
    return reply;
}

static bool is_text(const redisReply *reply, const char *text) {
    bool textual = reply->type == REDIS_REPLY_STRING ||
                   reply->type == REDIS_REPLY_STATUS || reply->type == REDIS_REPLY_ERROR;
    return textual && strcmp(reply->str, text) == 0;
}

static bool gives_text(redisReply *reply, const char *text) {
    bool same = is_text(reply, text);
    if (!same && reply->str) printf("    %s\n", reply->str);
    freeReplyObject(reply);
    return same;
}

static bool gives_integer(redisReply *reply, long long value) {
    bool same = reply->type == REDIS_REPLY_INTEGER && reply->integer == value;
    freeReplyObject(reply);
    return same;
}

/* --- Tests -----------------------------------------------------------------------------
 */

static void add_and_search(void) {
    redisContext *context = connect_here();
    float vector[3] = {0, 0, 1};
    EXPECT(gives_integer(ask(context, "VADD fruits VALUES 3 1 0.2 0 apple"), 1));
    EXPECT(gives_integer(ask(context, "VADD fruits VALUES 3 0.1 1 0 banana"), 1));
    EXPECT(gives_integer(ask(context, "VADD fruits FP32 %b %b SETATTR %s", vector,
                             sizeof vector, "ch\0rry", (size_t)6, "{\"n\":1}"),
                         1));
    redisReply *reply = ask(context, "VSIM fruits VALUES 3 0 0.1 1 COUNT 2 WITHSCORES");
    EXPECT(reply->type == REDIS_REPLY_ARRAY && reply->elements == 4);
    EXPECT(reply->element[0]->len == 6 &&
           memcmp(reply->element[0]->str, "ch\0rry", 6) == 0);
    EXPECT(is_text(reply->element[2], "banana"));
    freeReplyObject(reply);
    reply = ask(context, "VEMB fruits %s", "nobody");
    EXPECT(reply->type == REDIS_REPLY_NIL);
    freeReplyObject(reply);
    EXPECT(gives_text(ask(context, "VADD fruits VALUES 1 1 x"),
                      "ERR Vector dimension mismatch - got 1 but set has 3"));
    redisFree(context);
}

static void pipeline_and_transaction(void) {
    redisContext *context = connect_here();
    enum { COUNT = 1000 };
    for (int i = 0; i < COUNT; i++)
        redisAppendCommand(context, "VADD pipe VALUES 2 %d 1 e%d", i, i);
    for (int i = 0; i < COUNT; i++) EXPECT(gives_integer(next_reply(context), 1));
    redisAppendCommand(context, "MULTI");
    redisAppendCommand(context, "VREM pipe e0");
    redisAppendCommand(context, "VCARD pipe");
    redisAppendCommand(context, "EXEC");
    EXPECT(gives_text(next_reply(context), "OK"));
    EXPECT(gives_text(next_reply(context), "QUEUED"));
    EXPECT(gives_text(next_reply(context), "QUEUED"));
    redisReply *reply = next_reply(context);
    EXPECT(reply->type == REDIS_REPLY_ARRAY && reply->elements == 2);
    EXPECT(reply->element[0]->integer == 1 && reply->element[1]->integer == COUNT - 1);
    freeReplyObject(reply);
    redisFree(context);
}

static void strings(void) {
    redisContext *context = connect_here();
    EXPECT(gives_text(ask(context, "SET %s %b", "bytes", "a\0b\r\n", (size_t)5), "OK"));
    redisReply *reply = ask(context, "GET bytes");
    EXPECT(reply->type == REDIS_REPLY_STRING && reply->len == 5);
    EXPECT(memcmp(reply->str, "a\0b\r\n", 5) == 0);
    freeReplyObject(reply);
    EXPECT(gives_integer(ask(context, "DEL bytes"), 1));
    redisFree(context);
}

/* hiredis 0.14 reads seven levels of arrays. COMMAND DOCS has more, here and in Redis. */
static void replies_are_shallow(void) {
    redisContext *context = connect_here();
    const char *commands[] = {"COMMAND", "COMMAND INFO client", "CLIENT LIST", "INFO"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        redisReply *reply = ask(context, commands[i]);
        EXPECT(reply->type != REDIS_REPLY_ERROR);
        freeReplyObject(reply);
    }
    redisFree(context);
}

static void reconnect(void) {
    redisContext *context = connect_here();
    EXPECT(gives_integer(ask(context, "VADD kept VALUES 2 3 4 before"), 1));
    restart_server();
    EXPECT(redisCommand(context, "PING") == NULL && context->err);
    EXPECT(redisReconnect(context) == REDIS_OK);
    EXPECT(gives_text(ask(context, "PING"), "PONG"));
    EXPECT(gives_integer(ask(context, "VISMEMBER kept before"), 1));
    redisFree(context);
}

#ifdef REDIS_REPLY_MAP
static void resp3(void) {
    redisContext *context = connect_here();
    redisReply *reply = ask(context, "HELLO 3 SETNAME worker");
    EXPECT(reply->type == REDIS_REPLY_MAP && reply->elements == 14);
    freeReplyObject(reply);
    reply = ask(context, "VADD three VALUES 2 1 0 a");
    EXPECT(reply->type == REDIS_REPLY_BOOL && reply->integer == 1);
    freeReplyObject(reply);
    reply = ask(context, "VSIM three ELE a WITHSCORES");
    EXPECT(reply->type == REDIS_REPLY_MAP && reply->elements == 2);
    EXPECT(reply->element[1]->type == REDIS_REPLY_DOUBLE && reply->element[1]->dval == 1);
    freeReplyObject(reply);
    reply = ask(context, "VEMB three nobody");
    EXPECT(reply->type == REDIS_REPLY_NIL);
    freeReplyObject(reply);
    reply = ask(context, "INFO server");
    EXPECT(reply->type == REDIS_REPLY_VERB && strstr(reply->str, "redis_version"));
    freeReplyObject(reply);
    reply = ask(context, "COMMAND DOCS");
    EXPECT(reply->type == REDIS_REPLY_MAP);
    freeReplyObject(reply);
    redisFree(context);
}
#endif

/* --- The asynchronous interface --------------------------------------------------------
 */

/* What hiredis wants to be told of, and what has happened. */
struct waiting {
    bool reading, writing, ended;
    long long answered;
};

static void want_read(void *data) { ((struct waiting *)data)->reading = true; }
static void leave_read(void *data) { ((struct waiting *)data)->reading = false; }
static void want_write(void *data) { ((struct waiting *)data)->writing = true; }
static void leave_write(void *data) { ((struct waiting *)data)->writing = false; }
static void leave_all(void *data) { ((struct waiting *)data)->ended = true; }

static void on_added(redisAsyncContext *async, void *reply, void *data) {
    struct waiting *waiting = data;
    const redisReply *added = reply;
    (void)async;
    if (added && added->type == REDIS_REPLY_INTEGER) waiting->answered += added->integer;
}

static void on_card(redisAsyncContext *async, void *reply, void *data) {
    const redisReply *card = reply;
    (void)data;
    EXPECT(card && card->integer == 100);
    redisAsyncDisconnect(async);
}

static void loop(redisAsyncContext *async, struct waiting *waiting) {
    while (!waiting->ended) {
        struct pollfd one = {.fd = async->c.fd};
        one.events =
            (short)((waiting->reading ? POLLIN : 0) | (waiting->writing ? POLLOUT : 0));
        int ready = poll(&one, 1, 10000);
        EXPECT(ready == 1);
        if (ready != 1) return;
        if (one.revents & (POLLIN | POLLHUP | POLLERR)) redisAsyncHandleRead(async);
        if (!waiting->ended && one.revents & POLLOUT) redisAsyncHandleWrite(async);
    }
}

static void asynchronous(void) {
    struct waiting waiting = {0};
    redisAsyncContext *async = redisAsyncConnect("127.0.0.1", port);
    EXPECT(async && !async->err);
    if (failed) return;
    async->ev.data = &waiting;
    async->ev.addRead = want_read;
    async->ev.delRead = leave_read;
    async->ev.addWrite = want_write;
    async->ev.delWrite = leave_write;
    async->ev.cleanup = leave_all;
    waiting.writing = true;
    for (int i = 0; i < 100; i++)
        redisAsyncCommand(async, on_added, &waiting, "VADD later VALUES 2 %d 1 e%d", i,
                          i);
    redisAsyncCommand(async, on_card, &waiting, "VCARD later");
    loop(async, &waiting);
    EXPECT(waiting.answered == 100);
}

int main(int count, char **words) {
    if (count != 2) return 2;
    port = (int)strtol(words[1], NULL, 10);
    run("add_and_search", add_and_search);
    run("pipeline_and_transaction", pipeline_and_transaction);
    run("strings", strings);
    run("replies_are_shallow", replies_are_shallow);
    run("asynchronous", asynchronous);
    run("reconnect", reconnect);
#ifdef REDIS_REPLY_MAP
    run("resp3", resp3);
#endif
    return ever_failed;
}
