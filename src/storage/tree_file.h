/* Tree files: the leaf hashes of a segment, which stay when it goes (docs/format.md,
 * 4.1). Nothing here reads or writes a file; these are the header and
 * where things lie. */
#ifndef STORAGE_TREE_FILE_H
#define STORAGE_TREE_FILE_H

#include "base/rfc6962.h"
#include "storage/log.h"
#include "storage/reader.h"

#define TREE_HEADER_SIZE 512
#define TREE_BLOCK       ((uint64_t)256) /* leaves under one block root */

struct tree_header {
    uint8_t log_id[LOG_ID_SIZE];
    uint64_t number; /* of the segment */
    uint64_t base, count;
    uint8_t root_before[SHA256_SIZE]; /* MTH of the entries before it */
    uint8_t root_after[SHA256_SIZE];  /* and with it */
    uint8_t roots_hash[SHA256_SIZE];  /* H of what stands before the leaf hashes */
};

void tree_header_encode(const struct tree_header *header,
                        uint8_t bytes[TREE_HEADER_SIZE]);
/* STATUS_CORRUPT: no header. STATUS_VERSION: one of a newer format. */
enum status tree_header_decode(const uint8_t bytes[TREE_HEADER_SIZE],
                               struct tree_header *header);

/* "valori-00000001.tree". */
void tree_name(uint64_t number, char name[40]);
/* As segment_name_parse(). */
bool tree_name_parse(const char *name, uint64_t *number);

/* Hashes in the file: of the compact range before it, of blocks that end in it. */
uint64_t tree_range_count(const struct tree_header *header);
uint64_t tree_block_count(const struct tree_header *header);
/* The first block that ends in it. */
uint64_t tree_first_block(const struct tree_header *header);
/* Where its leaf hashes begin, and where the file ends. */
uint64_t tree_leaves_at(const struct tree_header *header);
uint64_t tree_file_size(const struct tree_header *header);

/* Write the roots of `range` as the file has them, tree_range_count() of them. */
void tree_range_encode(const struct rfc6962_range *range, uint8_t *bytes);
void tree_range_decode(uint64_t size, const uint8_t *bytes, struct rfc6962_range *range);

#endif
