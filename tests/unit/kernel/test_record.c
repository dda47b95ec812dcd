/* Records: golden hashes of every flag, and that what is read back is what was written. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "base/bytes.h"
#include "kernel/semantics.h"
#include "kernel/state.h"

#include "fixture.h"

static void expect_hash(const uint8_t hash[SHA256_SIZE], const char *hex) {
    uint8_t wanted[SHA256_SIZE];
    test_unhex(hex, wanted);
    EXPECT_BYTES(hash, wanted, SHA256_SIZE);
}

static struct record_hashes golden_parts(void) {
    static const int32_t values[] = {65536, -65536, 0, 32768};
    uint8_t vector[21], bits[16];
    struct record_hashes hashes;
    vector_encode(values, 4, false, 0, vector);
    for (int i = 0; i < 16; i++) bits[i] = (uint8_t)i;
    hash_payload('V', slice_of(vector, sizeof vector), hashes.vector);
    hash_payload('A', slice_text("{\"y\":1}"), hashes.attributes);
    hash_payload('F', slice_of(bits, sizeof bits), hashes.fp32);
    return hashes;
}

static void golden_record_values(void) {
    struct record_hashes hashes = golden_parts();
    uint8_t value[SHA256_SIZE];
    struct record record = {.widx = 7, .flags = CHANGE_VECTOR | CHANGE_ATTRIBUTES, .tag = 9};
    record_value_hash(&record, &hashes, value);
    expect_hash(value, "a32f77c5d738018d1e539476e592117921b06b762708c92371b55064a8e6b8d5");
    record = (struct record){
        .widx = 7, .flags = CHANGE_VECTOR | CHANGE_TAG, .tag = 0x1122334455667788};
    record_value_hash(&record, &hashes, value);
    expect_hash(value, "219f3de647e77e67c4d715a42062618dd490551cdfbb5f064cd5d18d0e2e6018");
    record = (struct record){
        .widx = UINT64_C(1) << 40,
        .flags = CHANGE_VECTOR | CHANGE_ATTRIBUTES | CHANGE_TAG | CHANGE_FP32,
        .tag = 5};
    record_value_hash(&record, &hashes, value);
    expect_hash(value, "113cd860d6647a972421995185a942764fde34809d5017d4d6760c264567feea");
}

static void golden_object_value(void) {
    struct collection collection = {.config = config_of(METRIC_L2, 4), .next_slot = 5};
    struct object_sum sum;
    struct trie_sum records = {.count = 5};
    uint8_t value[SHA256_SIZE];
    test_unhex("4606fc0ff2267f54d30aa1236148a65fe5f95cb7b12dbdd392aa30ba88624aca", records.root);
    collection_sum(&collection, &records, false, &sum);
    object_value_hash(&sum, value);
    expect_hash(value, "d68092f632b45f266477481ecb96dc5c9c90f99fd95d9fb34b12cb0c4fd7e3d6");
}

static void golden_state_roots(void) {
    struct roots roots = {.keyspace.count = 1};
    test_unhex("1e26ba2dd249d71e579cc6949b57d94b6fb657a72cf0cb5fa54803dcc23a79ca",
               roots.keyspace.root);
    roots_finish(&roots);
    expect_hash(roots.state_root,
                "f3cc33c7dfcbf7c5428df8fce2cdbf839d43392897e37263495f94fc8d5cdc6c");
    roots = (struct roots){0};
    roots_finish(&roots);
    expect_hash(roots.state_root,
                "4b9d2952d229b181a42468f92bb6a79d35a66dbf74987bc4249945fb7c2262e2");

    /* The same bytes under the semantics id of the published vector. */
    uint8_t bytes[1 + 4 + 32 + 80] = {0x18, 1}, root[SHA256_SIZE];
    memcpy(bytes + 5, semantics_id, SHA256_SIZE);
    sha256(bytes, sizeof bytes, root);
    EXPECT_BYTES(root, roots.state_root, SHA256_SIZE);
    sha256("valori-semantics-test", 21, bytes + 5);
    sha256(bytes, sizeof bytes, root);
    expect_hash(root, "65cdd9bda74938ceb7d1f77ff7b363b5f076fb92fd18fe66b8ea12e45400439d");
}

/* What is hashed from memory is what the change committed to, for every dimension up to where
 * the bytes fill several pieces, and both forms. */
static void stored_vectors_hash_as_they_came(void) {
    static int32_t values[2000];
    static uint8_t bytes[6 + 4 * 2000];
    uint64_t random = 4;
    for (int i = 0; i < 2000; i++) values[i] = (int32_t)chance(&random);
    for (uint32_t dim = 1; dim < 2000; dim += dim < 300 ? 1 : 97)
        for (int scaled = 0; scaled < 2; scaled++) {
            struct collection collection = {
                .config = config_of(scaled ? METRIC_COSINE : METRIC_IP, dim)};
            struct record record = {.flags = CHANGE_VECTOR, .exponent = -3, .values = values};
            struct record_hashes hashes;
            uint8_t wanted[SHA256_SIZE];
            vector_encode(values, dim, scaled, -3, bytes);
            hash_payload('V', slice_of(bytes, vector_bytes_size(scaled, dim)), wanted);
            record_hashes(&collection, &record, &hashes);
            EXPECT_BYTES(hashes.vector, wanted, SHA256_SIZE);
        }
}

static void records_read_as_written(void) {
    struct source source;
    struct memory_source from = source_begin(&source);
    struct kernel *kernel;
    struct made made;
    struct record record;
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
    const struct state *state = kernel_state(kernel);
    struct change *change = make_vadd(&made, "k", "e", -77);
    change->flags |= CHANGE_TAG | CHANGE_FP32 | CHANGE_ATTRIBUTES;
    change->tag = UINT64_MAX;
    memset(made.fp32, 0x5a, sizeof made.fp32);
    change->fp32 = slice_of(made.fp32, 16);
    change->attributes = slice_text("attributes");
    EXPECT_EQUAL(perform(kernel, 41, change), STATUS_OK);

    const struct collection *collection = state_collection(state, 0, slice_text("k"));
    EXPECT(record_find(state, collection, slice_text("e"), &record));
    EXPECT(!record_find(state, collection, slice_text("E"), &record));
    EXPECT(record_find(state, collection, slice_text("e"), &record));
    EXPECT_EQUAL(record.widx, 41);
    EXPECT(record.tag == UINT64_MAX);
    EXPECT_EQUAL(record.flags, CHANGE_VECTOR | CHANGE_TAG | CHANGE_FP32 | CHANGE_ATTRIBUTES);
    EXPECT(slice_equal(record.element, slice_text("e")));
    EXPECT(slice_equal(record.attributes, slice_text("attributes")));
    EXPECT(slice_equal(record.fp32, slice_of(made.fp32, 16)));
    for (int i = 0; i < 4; i++) EXPECT_EQUAL(record.values[i], -77);
    EXPECT_EQUAL((uintptr_t)record.values % 64, 0);
    struct record again;
    EXPECT(record_at(state, collection, record.slot, &again));
    EXPECT(!record_at(state, collection, collection_slot_limit(collection), &again));

    /* Without FP32 bits these go; attributes and tag stay. */
    EXPECT_EQUAL(perform(kernel, 42, make_vadd(&made, "k", "e", 5)), STATUS_OK);
    EXPECT(record_find(state, collection, slice_text("e"), &record));
    EXPECT_EQUAL(record.flags, CHANGE_VECTOR | CHANGE_TAG | CHANGE_ATTRIBUTES);
    EXPECT_EQUAL(record.fp32.size, 0);
    EXPECT_EQUAL(record.widx, 42);
    EXPECT_EQUAL(collection_attributes_count(collection), 1);
    EXPECT_EQUAL(perform(kernel, 43, make_setattr(&made, "k", "e", "")), STATUS_OK);
    EXPECT(record_find(state, collection, slice_text("e"), &record));
    EXPECT_EQUAL(record.flags, CHANGE_VECTOR | CHANGE_TAG);
    EXPECT_EQUAL(collection_attributes_count(collection), 0);
    kernel_destroy(kernel);
    EXPECT_EQUAL(source.taken, 0);
}

int main(void) {
    RUN(golden_record_values);
    RUN(golden_object_value);
    RUN(golden_state_roots);
    RUN(stored_vectors_hash_as_they_came);
    RUN(records_read_as_written);
    return test_finish();
}
