/* A collection's index as those see it who ask about it: VINFO and VLINKS. */
#ifndef KERNEL_INDEX_H
#define KERNEL_INDEX_H

#include "kernel/kernel.h"

/* All zeros where there is no index. */
struct index_facts {
    uint32_t top;       /* the highest layer */
    uint32_t dead;      /* points whose element is gone and that still route */
    uint32_t repairing; /* of these, those that the present round of repair will free */
};
void index_facts(const struct collection *collection, struct index_facts *facts);

/* Layers that the element in `slot` has links in: layer 0 and, with an index, those above
 * up to its level. */
uint32_t index_layers(const struct collection *collection, uint32_t slot);

/* Slots of the live elements that the one in `slot` links to in this layer, of those it
 * reaches. `slots` has room for INDEX_LINKS_MAX; gives how many. */
#define INDEX_LINKS_MAX 1024
uint32_t index_links(const struct collection *collection, uint32_t slot, uint32_t layer,
                     uint32_t *slots);

#endif
