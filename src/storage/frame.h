/* Frames: one entry, or a durable mark, as it lies in a segment (docs/format.md, section
 * 3).
 *
 * Nothing here reads or writes a file; these are the bytes and their checks. */
#ifndef STORAGE_FRAME_H
#define STORAGE_FRAME_H

#include <stdbool.h>

#include "base/siphash.h"
#include "base/slice.h"
#include "base/status.h"
#include "storage/log.h"

#define FRAME_HEADER_SIZE 64
#define FRAME_ALIGNMENT   8
#define FRAME_ENTRY_MAX   65535

enum frame_kind { FRAME_ENTRY = 1, FRAME_MARK = 2 };

#define FRAME_ERASED 1 /* the only flag of format 1 */

struct frame_header {
    uint8_t kind; /* enum frame_kind */
    uint8_t type;
    uint16_t flags;
    uint64_t sequence;
    uint64_t durable;
    uint32_t entry_size;
    uint32_t list_size;
    uint64_t payload_size;
};

/* Header, entry, list and the zeros after them. */
uint64_t frame_body_size(const struct frame_header *header);
/* The whole frame, zeros included; false when that passes 2^63. */
bool frame_size(const struct frame_header *header, uint64_t *size);

/* True when these four bytes could begin a frame. */
bool frame_magic(const uint8_t *bytes);

/* Read FRAME_HEADER_SIZE bytes. STATUS_CORRUPT: no frame begins here. STATUS_VERSION: one
 * does (its keyed check is right), of a kind or with a flag that this release does not
 * know. */
enum status frame_header_decode(const uint8_t key[SIPHASH_KEY_SIZE], const uint8_t *bytes,
                                struct frame_header *header);

/* The checks over the rest. `bytes` are the whole frame; its header was decoded. */
bool frame_body_valid(const uint8_t key[SIPHASH_KEY_SIZE],
                      const struct frame_header *header, const uint8_t *bytes);
bool frame_payload_valid(const uint8_t key[SIPHASH_KEY_SIZE],
                         const struct frame_header *header, const uint8_t *bytes);

/* Where the parts of a frame lie. */
struct slice frame_entry(const struct frame_header *header, const uint8_t *bytes);
struct slice frame_list(const struct frame_header *header, const uint8_t *bytes);
struct slice frame_payload(const struct frame_header *header, const uint8_t *bytes);

/* Write a frame of frame_size(header) bytes. `entry` is NULL for a mark; otherwise the
 * sizes in the header are those of its parts. */
void frame_encode(const uint8_t key[SIPHASH_KEY_SIZE], const struct frame_header *header,
                  const struct log_entry *entry, uint8_t *bytes);

/* The same for a frame that is too long to be encoded at a stretch: nothing is copied,
 * the checks are made in steps, and it is written from where its parts lie. */
#define FRAME_LONG_PARTS 7
struct frame_long {
    struct frame_header header;
    struct log_entry entry; /* borrowed */
    uint8_t key[SIPHASH_KEY_SIZE];
    struct siphash check; /* the payload's, then the body's */
    bool payload_checked;
    size_t checked; /* bytes of the payload, then of the list */
    uint8_t bytes[FRAME_HEADER_SIZE];
};
void frame_long_begin(struct frame_long *frame, const uint8_t key[SIPHASH_KEY_SIZE],
                      const struct frame_header *header, const struct log_entry *entry);
/* Check about `budget` more bytes; true when there are none left. Then the parts, one
 * after the other, are the frame's bytes. Some may be empty. */
bool frame_long_step(struct frame_long *frame, size_t budget);
void frame_long_parts(const struct frame_long *frame,
                      struct slice parts[FRAME_LONG_PARTS]);

#endif
