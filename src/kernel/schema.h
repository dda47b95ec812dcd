/* Attribute fields that are indexed: for each field of a collection's schema its records
 * in the order of the field's value.
 *
 * Derived state, in no hash. A record's values have keys of 64 bits. NUMBER: the number
 * in its order. STRING: a hash, so that equal texts are found. A value of another kind
 * has key 0, and a record without the field has none. So what a comparison asks for is
 * found among the records of a range of keys, and those of key 0; the filter decides
 * among them. The order is a tree balanced by weight (Nievergelt and Reingold, 1973; with
 * the constants of Hirai and Yamamoto, 2011), whose nodes are rows numbered as the slots
 * are.
 */
#ifndef KERNEL_SCHEMA_H
#define KERNEL_SCHEMA_H

#include "kernel/binary64.h"
#include "kernel/change.h"
#include "kernel/pool.h"

struct schema_index {
    struct pool rows; /* one a slot, with a node for each field */
    uint32_t roots[SCHEMA_FIELDS_MAX];
};

void schema_begin(struct schema_index *index, const struct schema *schema);
static inline struct slice schema_name(const struct schema *schema, uint32_t field) {
    return slice_of(schema->names[field], schema->sizes[field]);
}

/* A slot is taken; `slot` is the number that it must get. */
void schema_take(struct memory *memory, struct schema_index *index, uint32_t slot);
/* Its attributes are these from now on. */
void schema_put(struct memory *memory, struct schema_index *index,
                const struct schema *schema, uint32_t slot, struct slice attributes);
/* The slot is free. */
void schema_give(struct memory *memory, struct schema_index *index,
                 const struct schema *schema, uint32_t slot);
/* Has the slot the keys that these attributes have? */
bool schema_sound(const struct schema_index *index, const struct schema *schema,
                  uint32_t slot, struct slice attributes);

/* Keys: of a number that is no NaN, and of a text; at least 1. */
uint64_t schema_number_key(binary64 number);
uint64_t schema_text_key(struct slice text, bool escaped);

/* Records whose key is below this one. */
uint32_t schema_rank(const struct schema_index *index, uint32_t field, uint64_t key);
uint32_t schema_total(const struct schema_index *index, uint32_t field);
/* The slots at these places of the order; `count` is at most SCHEMA_AT_ONCE, and they
 * must be there. */
#define SCHEMA_AT_ONCE 15
void schema_slots(const struct schema_index *index, uint32_t field, uint32_t rank,
                  uint32_t count, uint32_t *slots);

#endif
