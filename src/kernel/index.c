#include "kernel/index.h"

#include "kernel/state.h"

#include "kernel/pure.h"

_Static_assert(INDEX_LINKS_MAX >= 2 * HNSW_M_MAX, "room for all links of a layer");

void index_facts(const struct collection *collection, struct index_facts *facts) {
    const struct hnsw *hnsw = &collection->hnsw;
    *facts = (struct index_facts){.top = hnsw->top,
                                  .dead = hnsw->dead + hnsw->condemned,
                                  .repairing = hnsw->condemned};
}

uint32_t index_layers(const struct collection *collection, uint32_t slot) {
    uint32_t point = meta_at(collection, slot)->point;
    return point ? hnsw_level_of(&collection->hnsw, point) + 1 : 1;
}

uint32_t index_links(const struct collection *collection, uint32_t slot, uint32_t layer,
                     uint32_t *slots) {
    const struct hnsw *hnsw = &collection->hnsw;
    uint32_t point = meta_at(collection, slot)->point, count = 0;
    if (!point) return 0;
    const uint32_t *links = hnsw_links(hnsw, layer, point);
    uint32_t degree = links_count(links, hnsw_degree(hnsw, layer));
    for (uint32_t i = 0; i < degree; i++) {
        uint32_t other = links[i] & LINK_POINT;
        if (point_live(hnsw, other)) slots[count++] = point_at(hnsw, other)->slot - 1;
    }
    return count;
}
