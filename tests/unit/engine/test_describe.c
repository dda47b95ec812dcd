/* Entries as texts. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "engine/describe.h"
#include "engine/log_access.h"
#include "unit/engine/fixture.h"

static char path[PATH_SIZE];
static struct engine_options options;
static struct engine *engine;
static struct engine_report report;
static struct made made;

static void begin(void) {
    world_begin();
    directory_make(path);
    options = options_for(path);
    EXPECT_EQUAL(start_engine(&options, &engine, &report), STATUS_OK);
}
static void end(void) {
    stop_engine(engine);
    directory_remove(path);
}

/* The texts of the last entry, with "; " between them. */
static const char *last_texts(void) {
    static char result[4096];
    struct log_cursor cursor;
    struct frame frame;
    struct description description;
    struct buffer text;
    EXPECT_EQUAL(log_flush(engine_log(engine)), STATUS_OK);
    log_cursor_begin(&cursor, engine_log(engine));
    cursor.written = true;
    EXPECT_EQUAL(log_cursor_seek(&cursor, engine_size(engine) - 1), STATUS_OK);
    EXPECT_EQUAL(log_cursor_next(&cursor, &frame), STATUS_OK);
    EXPECT_EQUAL(describe_begin(&description, &frame), STATUS_OK);
    buffer_init(&text, os_allocator(), sizeof result - 1);
    enum status status;
    while ((status = describe_next(&description, &text)) == STATUS_OK)
        if (description.next < description.count) buffer_append(&text, "; ", 2);
    EXPECT_EQUAL(status, STATUS_END);
    memcpy(result, buffer_slice(&text).data, buffer_size(&text));
    result[buffer_size(&text)] = 0;
    buffer_free(&text);
    log_cursor_end(&cursor);
    return result;
}

static void expect_text(const char *wanted) {
    const char *text = last_texts();
    EXPECT(strcmp(text, wanted) == 0);
    if (strcmp(text, wanted) != 0) printf("    got    %s\n    wanted %s\n", text, wanted);
}

static void strings_and_names(void) {
    static const struct {
        const char *value, *text;
    } rows[] = {
        {"plain", "plain"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a\nb\tc\r", "\"a\\nb\\tc\\r\""},
        {"\x01\xff", "\"\\x01\\xff\""},
        {"say \"x\"", "\"say \\\"x\\\"\""},
        {"back\\slash", "\"back\\\\slash\""},
        {"'quoted'", "\"'quoted'\""},
    };
    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer text;
        buffer_init(&text, os_allocator(), 1000);
        EXPECT_EQUAL(describe_word(slice_text(rows[i].value), &text), STATUS_OK);
        EXPECT(slice_equal(buffer_slice(&text), slice_text(rows[i].text)));
        buffer_free(&text);
    }
    struct change set = {.type = CHANGE_SET,
                         .flags = CHANGE_ATTRIBUTES | CHANGE_NX,
                         .key = slice_text("k"),
                         .attributes = slice_text("v w")};
    EXPECT_EQUAL(submit(engine, &set), STATUS_OK);
    expect_text("SET k \"v w\" NX");
    struct change rename = {.type = CHANGE_RENAME,
                            .flags = CHANGE_NX,
                            .db = 0,
                            .key = slice_text("k"),
                            .target = slice_text("n")};
    EXPECT_EQUAL(submit(engine, &rename), STATUS_OK);
    expect_text("RENAMENX k n");
    struct change increase = {
        .type = CHANGE_INCR, .db = 7, .key = slice_text("c"), .delta = INT64_MIN};
    EXPECT_EQUAL(submit(engine, &increase), STATUS_OK);
    expect_text("[7] INCRBY c -9223372036854775808");
    struct change flush = {.type = CHANGE_FLUSH, .db = FLUSH_ALL};
    EXPECT_EQUAL(submit(engine, &flush), STATUS_OK);
    expect_text("FLUSHALL");
    flush.db = 2;
    EXPECT_EQUAL(submit(engine, &flush), STATUS_OK);
    expect_text("[2] FLUSHDB");
    end();
}

/* Every value is written exactly. */
static void vectors_are_exact(void) {
    static const int32_t values[4] = {65536, -32768, 1, INT32_MIN};
    uint8_t bytes[64];
    begin();
    struct change create = {.type = CHANGE_CREATE,
                            .flags = CHANGE_CONFIG,
                            .key = slice_text("v"),
                            .config = {.metric = METRIC_L2,
                                       .index = INDEX_FLAT,
                                       .dim = 4,
                                       .m = 16,
                                       .ef = 200,
                                       .capacity = 9,
                                       .origin = ORIGIN_VCREATE}};
    EXPECT_EQUAL(submit(engine, &create), STATUS_OK);
    expect_text("VCREATE v DIM 4 METRIC L2 INDEX FLAT M 16 EF 200 CAPACITY 9");
    vector_encode(values, 4, false, 0, bytes);
    struct change add = {.type = CHANGE_VADD,
                         .flags = CHANGE_VECTOR | CHANGE_TAG | CHANGE_ATTRIBUTES,
                         .key = slice_text("v"),
                         .element = slice_text("e"),
                         .vector = slice_of(bytes, vector_bytes_size(false, 4)),
                         .attributes = slice_text("{}"),
                         .tag = UINT64_MAX};
    EXPECT_EQUAL(submit(engine, &add), STATUS_OK);
    expect_text("VADD v VALUES 4 1 -0.5 0.0000152587890625 -32768 e SETATTR {} "
                "TAG 18446744073709551615");
    struct change made_key = {.type = CHANGE_VADD,
                              .flags = CHANGE_VECTOR | CHANGE_CONFIG,
                              .key = slice_text("c"),
                              .element = slice_text("e"),
                              .vector = slice_of(bytes, vector_bytes_size(true, 4)),
                              .config = {.metric = METRIC_COSINE,
                                         .index = INDEX_FLAT,
                                         .quantisation = QUANTISATION_Q8,
                                         .dim = 4,
                                         .m = 16,
                                         .ef = 200}};
    static const int32_t scaled[4] = {65536, -98304, 0, 3};
    vector_encode(scaled, 4, true, -3, bytes);
    EXPECT_EQUAL(submit(engine, &made_key), STATUS_OK);
    expect_text("VADD c VALUES 4 0.125 -0.1875 0 0.0000057220458984375 e Q8 EF 200 M 16");
    vector_encode(scaled, 4, true, 30, bytes);
    made_key.flags = CHANGE_VECTOR;
    made_key.element = slice_text("far");
    EXPECT_EQUAL(submit(engine, &made_key), STATUS_OK);
    expect_text("VADD c VALUES 4 0x10000p14 -0x18000p14 0 0x3p14 far");
    end();
}

static void seals_and_batches(void) {
    begin();
    struct batch batch;
    uint64_t sequence;
    batch_begin(&batch, os_allocator(), 1 << 20);
    struct change set = {.type = CHANGE_SET,
                         .flags = CHANGE_ATTRIBUTES,
                         .key = slice_text("k"),
                         .attributes = slice_text("1")};
    struct change del = {.type = CHANGE_DEL, .db = 1, .key = slice_text("k")};
    change_commit(&set);
    change_commit(&del);
    EXPECT_EQUAL(batch_add(&batch, &set), STATUS_OK);
    EXPECT_EQUAL(batch_add(&batch, &del), STATUS_OK);
    EXPECT_EQUAL(engine_batch_submit(engine, &batch, &sequence), STATUS_OK);
    struct batch_event event;
    while (engine_batch_next(engine, &event) == STATUS_OK) {
    }
    batch_free(&batch);
    expect_text("SET k 1; [1] DEL k");
    EXPECT_EQUAL(engine_seal(engine), STATUS_OK);
    struct proof_state proof;
    engine_proof_state(engine, &proof);
    char wanted[80] = "SEAL ";
    for (size_t i = 0; i < SHA256_SIZE; i++)
        snprintf(wanted + 5 + 2 * i, 3, "%02x", proof.roots.state_root[i]);
    expect_text(wanted);
    EXPECT_EQUAL(submit(engine, make_vadd(&made, "x", "y", 3)), STATUS_OK);
    EXPECT(strncmp(last_texts(), "VADD x VALUES", 13) == 0);
    end();
}

int main(void) {
    RUN(strings_and_names);
    RUN(vectors_are_exact);
    RUN(seals_and_batches);
    return test_finish();
}
