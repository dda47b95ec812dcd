#include "storage/reader.h"

#include "fixture.h"

static void begin(struct fixture *f, struct reader *reader, size_t size) {
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(i * 2654435761u >> 24);
    struct sim_image image;
    sim_image_init(&image);
    sim_image_add(&image, "file", bytes, size);
    fixture_begin(f, &image);
    sim_image_free(&image);
    free(bytes);
    struct file_facts facts;
    reader_init(reader, sim_os(f->sim), &f->allocator);
    EXPECT_EQUAL(reader_open(reader, f->directory, "file", &facts), STATUS_OK);
    EXPECT_EQUAL(reader->size, size);
    EXPECT_EQUAL(facts.size, size);
}

static void end(struct fixture *f, struct reader *reader) {
    reader_free(reader);
    fixture_end(f);
}

static bool right(const uint8_t *bytes, uint64_t offset, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != (uint8_t)((offset + i) * 2654435761u >> 24)) return false;
    return true;
}

/* Whatever comes before, any run of bytes is contiguous and the right one. */
static void any_run_of_bytes_is_there(void) {
    enum { SIZE = 3 * 1024 * 1024 };
    struct fixture f;
    struct reader reader;
    begin(&f, &reader, SIZE);
    uint64_t random = 1, offset = 0;
    for (int i = 0; i < 400; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t size = (size_t)(random >> 33) % (i % 50 == 49 ? SIZE / 2 : 9000);
        if (i % 10 == 9) offset = (random >> 20) % SIZE; /* backwards, too */
        if (offset > SIZE) offset = 0;
        if (size > SIZE - offset) size = (size_t)(SIZE - offset);
        const uint8_t *bytes;
        EXPECT_EQUAL(reader_bytes(&reader, offset, size, &bytes), STATUS_OK);
        EXPECT(right(bytes, offset, size));
        offset += size;
    }
    end(&f, &reader);
}

static void a_file_is_read_once(void) {
    struct fixture f;
    struct reader reader;
    begin(&f, &reader, 2 * 1024 * 1024);
    uint64_t calls = sim_calls(f.sim);
    for (uint64_t offset = 0; offset < reader.size; offset += 512) {
        const uint8_t *bytes;
        EXPECT_EQUAL(reader_bytes(&reader, offset, 512, &bytes), STATUS_OK);
    }
    EXPECT(sim_calls(f.sim) - calls <= 4);
    end(&f, &reader);
}

static void short_reads_and_missing_memory_are_said(void) {
    struct fixture f;
    struct reader reader;
    const uint8_t *bytes;
    begin(&f, &reader, 5000);
    sim_set_fault(f.sim, sim_calls(f.sim), SIM_FAULT_SHORT_READ, 0, false);
    EXPECT_EQUAL(reader_bytes(&reader, 0, 64, &bytes), STATUS_IO);
    EXPECT_EQUAL(reader_bytes(&reader, 0, 64, &bytes), STATUS_OK);
    reader_free(&reader);
    f.counting.fail_at = f.counting.calls;
    struct file_facts facts;
    EXPECT_EQUAL(reader_open(&reader, f.directory, "file", &facts), STATUS_OK);
    EXPECT_EQUAL(reader_bytes(&reader, 0, 64, &bytes), STATUS_MEMORY);
    end(&f, &reader);
}

static void zeros_are_found_to_the_last_byte(void) {
    struct fixture f;
    struct reader reader;
    begin(&f, &reader, 4000);
    bool zero;
    EXPECT_EQUAL(reader_rest_is_zero(&reader, 4000, &zero), STATUS_OK);
    EXPECT(zero);
    EXPECT_EQUAL(reader_rest_is_zero(&reader, 0, &zero), STATUS_OK);
    EXPECT(!zero);
    EXPECT_EQUAL(reader_rest_is_zero(&reader, 3990, &zero), STATUS_OK);
    EXPECT(!zero);
    end(&f, &reader);
}

int main(void) {
    RUN(any_run_of_bytes_is_there);
    RUN(a_file_is_read_once);
    RUN(short_reads_and_missing_memory_are_said);
    RUN(zeros_are_found_to_the_last_byte);
    return test_finish();
}
