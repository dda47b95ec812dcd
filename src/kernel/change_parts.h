/* Pieces of bodies and payloads, shared by change.c and change_graph.c. */
#ifndef KERNEL_CHANGE_PARTS_H
#define KERNEL_CHANGE_PARTS_H

#include "kernel/change.h"

/* Take `size` bytes off the front; NULL when there are not so many. */
const uint8_t *take(struct slice *from, size_t size);
/* A hash, where it is `present`; false when the bytes are short. */
bool take_hash(struct slice *from, bool present, uint8_t hash[SHA256_SIZE]);
/* B(x): its length, and its bytes, at most `limit`; false when there are not so many. */
bool take_sized(struct slice *from, size_t limit, struct slice *bytes);
enum status take_part(struct slice *payload, char kind, size_t limit, struct slice *part);
/* The key; left out when `previous` has the same. */
enum status take_key(const struct change *previous, struct slice *payload,
                     struct change *change);
enum status put_part(struct buffer *payload, char kind, struct slice bytes);

/* What change_commit(), change_encode_body(), change_encode_payload() and
 * change_decode() do for the types of change_of_graph(). */
void graph_commit(struct change *change);
enum status graph_encode_body(const struct change *change, struct buffer *body);
enum status graph_encode_payload(const struct change *change, bool with_key,
                                 struct buffer *payload);
enum status graph_decode_body(struct slice body, struct change *change);
enum status graph_take_parts(const struct change *previous, struct slice *payload,
                             struct change *change);

#endif
