/* What an element is linked to in its collection's index: VLINKS. */
#include "kernel/index.h"
#include "server/score.h"
#include "server/server.h"

/* The live neighbours in one layer, nearest first. */
static void find_neighbours(struct scratch *scratch, const struct state *state,
                            const struct collection *collection, uint32_t slot,
                            uint32_t layer, struct search *search) {
    uint32_t slots[INDEX_LINKS_MAX];
    uint32_t count = index_links(collection, slot, layer, slots);
    *search = (struct search){.state = state, .collection = collection};
    if (count == 0) return;
    struct query query = {.values = scratch->values, .k = count};
    search_among(search, state, collection, &query, scratch->hits, slots, count);
}

static void reply_layer(struct call *call, const struct search *search,
                        bool with_scores) {
    struct reply *reply = call_reply(call);
    if (!with_scores) reply_array(reply, search->hit_count);
    else if (reply->protocol == 3) reply_map(reply, search->hit_count);
    else reply_array(reply, 2 * (uint64_t)search->hit_count);
    for (uint32_t i = 0; i < search->hit_count; i++) {
        struct record record = {0};
        record_at(search->state, search->collection, search->hits[i].slot, &record);
        reply_bulk(reply, record.element);
        if (with_scores) reply_double(reply, score_of(search, &search->hits[i]));
    }
}

READ(cmd_vlinks) {
    bool with_scores = call->count == 4;
    if (call->count > 4 || (with_scores && !call_is(call, 3, "withscores"))) {
        call_arity_error(call);
        return;
    }
    struct record record;
    if (!call_record(call, state, &record)) {
        if (!call->failed) reply_null(call_reply(call));
        return;
    }
    struct scratch *scratch = &call->server->scratch;
    if (scratch_hits(scratch, INDEX_LINKS_MAX)) {
        call_error(call, "OOM command not allowed when used memory > 'maxmemory'.");
        return;
    }
    const struct collection *collection = call_collection(call, state);
    uint32_t dim = collection_config(collection)->dim;
    memset(scratch->values, 0, query_stride(dim) * sizeof *scratch->values);
    memcpy(scratch->values, record.values, dim * sizeof *scratch->values);
    uint32_t layers = index_layers(collection, record.slot);
    reply_array(call_reply(call), layers);
    for (uint32_t layer = layers; layer-- > 0;) {
        struct search search;
        find_neighbours(scratch, state, collection, record.slot, layer, &search);
        reply_layer(call, &search, with_scores);
    }
}
