/* tools/benchmark_data: every format is read to the last byte, and every file that is not
 * what it says is refused with the reason. */
#define _POSIX_C_SOURCE 200809L
#include "tools/benchmark_data.h"

#include <math.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os/os.h"
#include "test.h"

static char directory[] = "/tmp/valori-test-XXXXXX";
static char path[128];
static struct complaint complaint;

/* Write `size` bytes to a file of that name; its path is in `path`. */
static void make_file(const char *name, const void *bytes, size_t size) {
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    EXPECT(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static enum status read_made(struct dataset *dataset, size_t limit) {
    complaint.text[0] = '\0';
    enum status status =
        dataset_read(dataset, os_allocator(), path, limit, 1, &complaint);
    remove(path);
    return status;
}

static void expect_refused(const char *name, const void *bytes, size_t size,
                           const char *reason) {
    struct dataset dataset;
    make_file(name, bytes, size);
    EXPECT(read_made(&dataset, 0) != STATUS_OK);
    EXPECT(strstr(complaint.text, reason));
    if (!strstr(complaint.text, reason)) printf("    said: %s\n", complaint.text);
}

static void expect_row(const struct dataset *dataset, size_t row, float a, float b) {
    EXPECT(dataset_value(dataset, row, 0) == a);
    EXPECT(dataset_value(dataset, row, 1) == b);
}

/* --- vecs
 * ----------------------------------------------------------------------------------- */

static void bvecs_are_read(void) {
    const uint8_t bytes[] = {2, 0, 0, 0, 7, 255, 2, 0, 0, 0, 0, 1};
    struct dataset dataset;
    make_file("a.bvecs", bytes, sizeof bytes);
    EXPECT_EQUAL(read_made(&dataset, 0), STATUS_OK);
    EXPECT_EQUAL(dataset.rows, 2);
    EXPECT_EQUAL(dataset.dim, 2);
    expect_row(&dataset, 0, 7, 255);
    expect_row(&dataset, 1, 0, 1);
    /* As it is sent: little-endian binary32. 7 is 0x40e00000. */
    EXPECT_BYTES(dataset_row(&dataset, 0), "\x00\x00\xe0\x40", 4);
    dataset_free(&dataset);
}

static void ivecs_and_fvecs_are_read(void) {
    uint8_t bytes[12] = {2};
    struct dataset dataset;
    store_le32(bytes + 4, (uint32_t)-5);
    store_le32(bytes + 8, 70000);
    make_file("a.ivecs", bytes, sizeof bytes);
    EXPECT_EQUAL(read_made(&dataset, 0), STATUS_OK);
    expect_row(&dataset, 0, -5, 70000);
    dataset_free(&dataset);

    store_le32(bytes + 4, 0xbf000000); /* -0.5 */
    store_le32(bytes + 8, 0x42f6e979); /* 123.456 */
    make_file("a.fvecs", bytes, sizeof bytes);
    EXPECT_EQUAL(read_made(&dataset, 0), STATUS_OK);
    expect_row(&dataset, 0, -0.5F, 123.456F);
    dataset_free(&dataset);
}

static void limit_cuts_rows(void) {
    const uint8_t bytes[] = {1, 0, 0, 0, 9, 1, 0, 0, 0, 8, 1, 0, 0, 0, 7};
    struct dataset dataset;
    make_file("a.bvecs", bytes, sizeof bytes);
    EXPECT_EQUAL(read_made(&dataset, 2), STATUS_OK);
    EXPECT_EQUAL(dataset.rows, 2);
    dataset_free(&dataset);
    make_file("a.bvecs", bytes, sizeof bytes);
    EXPECT_EQUAL(read_made(&dataset, 99), STATUS_OK);
    EXPECT_EQUAL(dataset.rows, 3);
    dataset_free(&dataset);
}

static void bad_vecs_are_refused(void) {
    const uint8_t good[] = {2, 0, 0, 0, 7, 255, 2, 0, 0, 0, 0, 1};
    const uint8_t changes[] = {2, 0, 0, 0, 7, 255, 3, 0, 0, 0, 0, 1};
    const uint8_t zero[] = {0, 0, 0, 0};
    const uint8_t negative[] = {255, 255, 255, 255, 1};
    const uint8_t huge[] = {1, 0, 1, 0, 1}; /* 65,537 */
    for (size_t size = 0; size < sizeof good; size++)
        if (size != 6)
            expect_refused("a.bvecs", good, size, size < 4 ? "too short" : "whole rows");
    expect_refused("a.bvecs", changes, sizeof changes,
                   "row 1 says dimension 3, the first says 2");
    expect_refused("a.bvecs", zero, sizeof zero, "dimension 0");
    expect_refused("a.bvecs", negative, sizeof negative, "dimension -1");
    expect_refused("a.bvecs", huge, sizeof huge, "dimension 65537");
    expect_refused("a.vecs", good, sizeof good, "none of .bvecs");
}

static void not_finite_is_refused(void) {
    uint8_t bytes[12] = {2};
    store_le32(bytes + 8, 0x7f800000);
    expect_refused("a.fvecs", bytes, sizeof bytes, "row 0, value 1");
    store_le32(bytes + 8, 0x7fc00000);
    expect_refused("a.fvecs", bytes, sizeof bytes, "not a finite");
}

/* --- npy
 * ------------------------------------------------------------------------------------ */

static uint8_t npy[512];

/* An .npy file in `npy` with that header and `size` zero bytes of data; gives its size.
 */
static size_t make_npy(int version, const char *header, size_t size) {
    memset(npy, 0, sizeof npy);
    memcpy(npy, "\x93NUMPY", 6);
    npy[6] = (uint8_t)version;
    size_t at = version == 2 ? 12 : 10;
    npy[8] = (uint8_t)strlen(header);
    memcpy(npy + at, header, strlen(header));
    return at + strlen(header) + size;
}

static void npy_of_every_type(void) {
    struct dataset dataset;
    size_t size =
        make_npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }  \n", 8);
    store_le32(npy + size - 8, 0x3f800000);
    store_le32(npy + size - 4, 0xc0000000);
    make_file("a.npy", npy, size);
    EXPECT_EQUAL(read_made(&dataset, 0), STATUS_OK);
    expect_row(&dataset, 0, 1, -2);
    dataset_free(&dataset);

    size = make_npy(2, "{'shape': (1,2), 'fortran_order': False, 'descr': '<f8'}", 16);
    store_le64(npy + size - 16, 0x3ff0000000000000);
    store_le64(npy + size - 8, 0x3fb999999999999a); /* 0.1, rounded to binary32 */
    make_file("a.npy", npy, size);
    EXPECT_EQUAL(read_made(&dataset, 0), STATUS_OK);
    expect_row(&dataset, 0, 1, 0.1F);
    dataset_free(&dataset);

    size = make_npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2)}\n", 4);
    npy[size - 1] = 200;
    make_file("a.npy", npy, size);
    EXPECT_EQUAL(read_made(&dataset, 0), STATUS_OK);
    expect_row(&dataset, 1, 0, 200);
    dataset_free(&dataset);

    size = make_npy(1, "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 2)}\n", 8);
    store_le32(npy + size - 8, (uint32_t)-1);
    make_file("a.npy", npy, size);
    EXPECT_EQUAL(read_made(&dataset, 0), STATUS_OK);
    expect_row(&dataset, 0, -1, 0);
    dataset_free(&dataset);
}

static void bad_npy_is_refused(void) {
    static const struct {
        const char *header, *reason;
    } bad[] = {
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2)}", "descr"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (1, 2)}", "descr"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2)}", "Fortran"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "shape"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2)}", "shape"},
        {"{'descr': '<f4', 'fortran_order': False}", "lacks a key"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)", "form"},
        {"{'descr': '<f4', 'shape': (1, 2), 'shape': (1, 2)}", "form"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)} x", "after"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 0)}", "1 to 65536"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2)}", "bytes are not"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551615, 2)}",
         "bytes are not"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 2)}",
         "shape"},
        {"", "no dictionary"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t size = make_npy(1, bad[i].header, 8);
        expect_refused("a.npy", npy, size, bad[i].reason);
    }
    const char *good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}";
    size_t size = make_npy(1, good, 8);
    for (size_t cut = 0; cut < size; cut++) expect_refused("a.npy", npy, cut, "a.npy");
    expect_refused("a.npy", npy, size + 1, "bytes are not");
    make_npy(3, good, 8);
    expect_refused("a.npy", npy, size, "version");
    make_npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2)}", 0);
    expect_refused("a.npy", npy, size - 8, "no rows");
}

/* --- synthetic
 * -------------------------------------------------------------------------- */

static void random_is_the_same_everywhere(void) {
    struct dataset a, b;
    EXPECT_EQUAL(dataset_read(&a, os_allocator(), "random:3:5:7", 0, 1, &complaint), 0);
    EXPECT_EQUAL(dataset_read(&b, os_allocator(), "random:9:5", 3, 7, &complaint), 0);
    EXPECT_EQUAL(a.rows, 3);
    EXPECT_EQUAL(b.rows, 3);
    EXPECT_BYTES(a.blob, b.blob, 3 * 5 * 4);
    /* SplitMix64 of seed 7 begins with 0x63cbe1e459320dd7; its upper 24 bits less 2^23.
     */
    EXPECT(dataset_value(&a, 0, 0) == (float)(0x63cbe1 - 0x800000) / 0x800000);
    for (uint32_t i = 0; i < 5; i++) EXPECT(fabsf(dataset_value(&a, 2, i)) <= 1);
    dataset_free(&a);
    dataset_free(&b);
    const char *bad[] = {"random:",        "random:3",      "random:0:5",
                         "random:3:0",     "random:3:-5",   "random:3:5:x",
                         "random:3:65537", "random:3:5:1:2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQUAL(dataset_read(&a, os_allocator(), bad[i], 0, 1, &complaint),
                     STATUS_INVALID);
}

static void gauss_and_clusters(void) {
    struct dataset a, b;
    EXPECT_EQUAL(dataset_read(&a, os_allocator(), "gauss:400:25:3", 0, 1, &complaint), 0);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < 10000; i++) {
        double value = (double)dataset_value(&a, i / 25, (uint32_t)(i % 25));
        sum += value;
        squares += value * value;
    }
    EXPECT(fabs(sum / 10000) < 0.1);
    EXPECT(fabs(squares / 10000 - 4) < 0.3); /* twelve times a third */
    dataset_free(&a);
    /* One cluster: rows differ by a quarter of a gauss, whatever their seed. */
    EXPECT_EQUAL(dataset_read(&a, os_allocator(), "cluster:1:9:40:3", 0, 1, &complaint),
                 0);
    EXPECT_EQUAL(dataset_read(&b, os_allocator(), "cluster:1:9:40:4", 0, 1, &complaint),
                 0);
    double apart = 0;
    for (uint32_t i = 0; i < 40; i++) {
        double difference = (double)(dataset_value(&a, 1, i) - dataset_value(&b, 7, i));
        apart += difference * difference / 40;
    }
    EXPECT(apart > 0.1 && apart < 1.5);
    dataset_free(&a);
    dataset_free(&b);
    const char *bad[] = {"cluster:3:5", "cluster:0:3:5", "gauss:3", "cluster:1:2:3:4:5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQUAL(dataset_read(&a, os_allocator(), bad[i], 0, 1, &complaint),
                     STATUS_INVALID);
}

static void bin_files_are_read(void) {
    uint8_t bytes[24] = {2, 0, 0, 0, 2, 0, 0, 0, 1, 255, 3, 4};
    struct dataset dataset;
    make_file("a.u8bin", bytes, 12);
    EXPECT_EQUAL(read_made(&dataset, 0), STATUS_OK);
    EXPECT_EQUAL(dataset.rows, 2);
    expect_row(&dataset, 0, 1, 255);
    dataset_free(&dataset);
    make_file("a.i8bin", bytes, 12);
    EXPECT_EQUAL(read_made(&dataset, 1), STATUS_OK);
    expect_row(&dataset, 0, 1, -1);
    dataset_free(&dataset);
    store_le32(bytes + 8, 0xbf000000);
    store_le32(bytes + 12, 0x40000000);
    make_file("a.fbin", bytes, 24);
    EXPECT_EQUAL(read_made(&dataset, 0), STATUS_OK);
    expect_row(&dataset, 0, -0.5F, 2);
    dataset_free(&dataset);
    make_file("a.ibin", bytes, 24);
    EXPECT_EQUAL(read_made(&dataset, 0), STATUS_OK);
    expect_row(&dataset, 0, (float)(int32_t)0xbf000000, 0x40000000);
    dataset_free(&dataset);
    for (size_t size = 0; size < 24; size++)
        expect_refused("a.fbin", bytes, size, size < 8 ? "too short" : "bytes are not");
    store_le32(bytes + 4, 0);
    expect_refused("a.fbin", bytes, 24, "dimension 0");
    store_le32(bytes, 0);
    store_le32(bytes + 4, 2);
    expect_refused("a.fbin", bytes, 8, "no rows");
}

static void parts_of_files(void) {
    const uint8_t bytes[] = {4, 0, 0, 0, 1, 0, 0, 0, 10, 11, 12, 13};
    static const struct {
        const char *part;
        size_t rows, limit;
        float first;
    } parts[] = {{"@1", 3, 0, 11},
                 {"@1:", 3, 0, 11},
                 {"@1:3", 2, 0, 11},
                 {"@3:99", 1, 0, 13},
                 {"@0:4", 2, 2, 10}};
    const char *bad[] = {"@4", "@2:2", "@x", "@1:x", "@"};
    char source[160];
    struct dataset dataset;
    make_file("a.u8bin", bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(source, sizeof source, "%s%s", path, parts[i].part);
        EXPECT_EQUAL(
            dataset_read(&dataset, os_allocator(), source, parts[i].limit, 1, &complaint),
            STATUS_OK);
        EXPECT_EQUAL(dataset.rows, parts[i].rows);
        EXPECT(dataset_value(&dataset, 0, 0) == parts[i].first);
        dataset_free(&dataset);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(source, sizeof source, "%s%s", path, bad[i]);
        EXPECT_EQUAL(dataset_read(&dataset, os_allocator(), source, 0, 1, &complaint),
                     STATUS_INVALID);
    }
    remove(path);
}

static void the_repository_s_data_is_read(void) {
    struct dataset base;
    if (access("tests/data/photosift/base.bvecs", R_OK) != 0)
        SKIP("not called at the top of the repository");
    EXPECT_EQUAL(dataset_read(&base, os_allocator(), "tests/data/photosift/base.bvecs", 0,
                              0, &complaint),
                 STATUS_OK);
    EXPECT_EQUAL(base.rows, 10000);
    EXPECT_EQUAL(base.dim, 128);
    dataset_free(&base);
}

int main(void) {
    if (!mkdtemp(directory)) return 1;
    RUN(bvecs_are_read);
    RUN(ivecs_and_fvecs_are_read);
    RUN(limit_cuts_rows);
    RUN(bad_vecs_are_refused);
    RUN(not_finite_is_refused);
    RUN(npy_of_every_type);
    RUN(bad_npy_is_refused);
    RUN(random_is_the_same_everywhere);
    RUN(gauss_and_clusters);
    RUN(bin_files_are_read);
    RUN(parts_of_files);
    RUN(the_repository_s_data_is_read);
    rmdir(directory);
    return test_finish();
}
