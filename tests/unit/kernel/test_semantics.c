/* The semantics id is the hash of its document: whoever changes one must change the other. */
#include "test.h"

#include "kernel/semantics.h"

static void id_is_the_hash_of_the_document(void) {
    FILE *file = fopen("docs/semantics-1.md", "rb");
    if (!file) SKIP("docs/semantics-1.md is not below the working directory");
    static uint8_t text[1 << 20];
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    uint8_t hash[SHA256_SIZE];
    sha256(text, size, hash);
    EXPECT_BYTES(hash, semantics_id, SHA256_SIZE);
}

int main(void) {
    RUN(id_is_the_hash_of_the_document);
    return test_finish();
}
