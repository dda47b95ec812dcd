/* Segments: their names and the 512 bytes they begin with (docs/format.md, sections 1 and
 * 2). */
#ifndef STORAGE_SEGMENT_H
#define STORAGE_SEGMENT_H

#include "base/sha256.h"
#include "base/siphash.h"
#include "base/status.h"
#include "storage/log.h"

#define SEGMENT_HEADER_SIZE 512
#define SEGMENT_NAME_SIZE   40 /* room for any name below and for ".torn" after it */

struct segment_header {
    uint8_t log_id[LOG_ID_SIZE];
    uint64_t number;
    uint64_t base;             /* sequence of the first entry in it */
    uint8_t root[SHA256_SIZE]; /* MTH of the entries before it */
    uint8_t key[SIPHASH_KEY_SIZE];
    uint64_t created_us; /* informative */
};

void segment_header_encode(const struct segment_header *header,
                           uint8_t bytes[SEGMENT_HEADER_SIZE]);

/* STATUS_CORRUPT: these are not the bytes of a header, or not all of them.
 * STATUS_VERSION: they are, of a format that this release does not know. *header is
 * filled only on STATUS_OK. */
enum status segment_header_decode(const uint8_t bytes[SEGMENT_HEADER_SIZE],
                                  struct segment_header *header);

/* "valori-00000001.log". */
void segment_name(uint64_t number, char name[SEGMENT_NAME_SIZE]);

/* False when `name` does not look like a segment's. It may look like one and still not be
 * what segment_name() would have written ("valori-000000001.log"): then *number is 0. */
bool segment_name_parse(const char *name, uint64_t *number);
/* The same for names that end otherwise (".tree"). */
bool numbered_name_parse(const char *name, const char *ending, uint64_t *number);

#endif
