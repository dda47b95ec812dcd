/* Snapshots on the disk: names, header and trailer (docs/format.md, section 10.1). What
 * the image in one means is not storage's business.
 *
 * A snapshot is made in a file with another name and gets its own when it was read back
 * from the disk and found whole (snapshot_write.h). snapshot_read.h reads one. */
#ifndef STORAGE_SNAPSHOT_H
#define STORAGE_SNAPSHOT_H

#include "storage/log.h"

#define SNAPSHOT_HEADER_SIZE  4096
#define SNAPSHOT_TRAILER_SIZE 512
#define SNAPSHOT_PIECE        ((size_t)1 << 20) /* a leaf of the file's tree */
#define SNAPSHOT_NAME_SIZE    48                /* room for ".tmp" after any name */
#define SNAPSHOT_SEAL_SIZE    144               /* a SEAL's body without its sequence */
#define SNAPSHOTS_MAX         64                /* of one directory that are looked at */

struct snapshot_facts {
    struct log_cover cover; /* the entries before it: log id, how many, their tree */
    uint8_t seal[SNAPSHOT_SEAL_SIZE]; /* of the last of them */
    uint64_t time_us;                 /* of the last of them */
    uint64_t image_size;
    uint64_t created_us; /* informative */
};

void snapshot_header_encode(const struct snapshot_facts *facts,
                            uint8_t bytes[SNAPSHOT_HEADER_SIZE]);
/* STATUS_CORRUPT, or STATUS_VERSION: a newer format. */
enum status snapshot_header_decode(const uint8_t bytes[SNAPSHOT_HEADER_SIZE],
                                   struct snapshot_facts *facts);

struct snapshot_trailer {
    uint64_t end;    /* of header and image */
    uint64_t pieces; /* that these are cut into */
    uint8_t root[SHA256_SIZE];
};
void snapshot_trailer_encode(const struct snapshot_trailer *trailer,
                             uint8_t bytes[SNAPSHOT_TRAILER_SIZE]);
/* Of a file of `size` bytes. STATUS_CORRUPT, STATUS_VERSION. */
enum status snapshot_trailer_decode(const uint8_t bytes[SNAPSHOT_TRAILER_SIZE],
                                    uint64_t size, struct snapshot_trailer *trailer);

/* Pieces that so many bytes are cut into. */
static inline uint64_t snapshot_pieces(uint64_t end) {
    return (end + SNAPSHOT_PIECE - 1) / SNAPSHOT_PIECE;
}
/* Bytes of piece `index`. */
static inline size_t snapshot_piece_size(uint64_t end, uint64_t index) {
    uint64_t left = end - index * SNAPSHOT_PIECE;
    return left < SNAPSHOT_PIECE ? (size_t)left : SNAPSHOT_PIECE;
}

/* "valori-00000000000000001024.snap": of the first 1,024 entries. */
void snapshot_name(uint64_t entries, char name[SNAPSHOT_NAME_SIZE]);
/* False: it is not named like a snapshot. */
bool snapshot_name_parse(const char *name, uint64_t *entries);

/* The snapshots of a directory by their names, the newest first: how many entries each
 * has. At most SNAPSHOTS_MAX, the newest ones. STATUS_IO. */
enum status snapshot_list(const struct os *os, struct directory *directory,
                          uint64_t entries[SNAPSHOTS_MAX], size_t *count);

#endif
