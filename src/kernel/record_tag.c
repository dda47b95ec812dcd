/* A record's tag: in its facts, where filters read it, and in the lists of tags. */
#include "kernel/state.h"

#include "kernel/pure.h"

void record_untag(struct memory *memory, struct state *state,
                  struct collection *collection, uint32_t slot) {
    const struct facts *facts = facts_at(collection, slot);
    if (!(facts->word & FACT_TAGGED)) return;
    uint32_t place = meta_at(collection, slot)->tag_place;
    uint32_t moved =
        tags_remove(memory, &state->tags, &collection->tags, facts->tag, place);
    if (moved != UINT32_MAX) {
        struct meta *meta = pool_own(memory, &collection->metas, moved);
        meta->tag_place = place;
    }
    struct facts *own = pool_own(memory, &collection->facts, slot);
    own->word &= ~FACT_TAGGED;
    own->tag = 0;
}

void record_tag(struct memory *memory, struct state *state, struct collection *collection,
                uint32_t slot, uint64_t tag) {
    record_untag(memory, state, collection, slot);
    struct facts *facts = pool_own(memory, &collection->facts, slot);
    facts->word |= FACT_TAGGED;
    facts->tag = tag;
    struct meta *meta = pool_own(memory, &collection->metas, slot);
    meta->flags |= CHANGE_TAG;
    meta->tag_place = tags_add(memory, &state->tags, &collection->tags, tag, slot);
}
