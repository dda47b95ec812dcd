#include "server/expire.h"

#include "server/server.h"

/* Places of keys that are looked at in one go, and keys that may be removed. */
#define LOOK_PLACES  16384
#define LOOK_REMOVED 512

uint64_t expire_now(const struct server *server) {
    return server->os->wall_us(server->os) / 1000;
}

static bool may_expire(const struct server *server) {
    return !server->loading && !server->stopping && !server->job.active &&
           !link_is_replica(server);
}

/* False: the log takes no more now, and the key stays. */
static bool expire(struct server *server, uint32_t db, struct slice key) {
    struct change change = {.type = CHANGE_DEL, .db = db, .key = key};
    struct outcome outcome;
    uint64_t sequence;
    if (engine_submit(server->engine, &change, &outcome, &sequence)) return false;
    server->metrics.expired_keys++;
    return true;
}

void expire_keys(struct server *server, const struct command *command,
                 const struct slice *arguments, size_t count, uint32_t db) {
    const struct state *state = engine_state(server->engine);
    if (command->key_first == 0 || state_expires(state, db) == 0) return;
    if (!may_expire(server)) return;
    uint64_t now = expire_now(server);
    size_t last = command->key_last < 0 ? count - 1 : (size_t)command->key_last;
    for (size_t i = (size_t)command->key_first; i <= last && i < count;
         i += (size_t)command->key_step) {
        const struct object *object = state_find(state, db, arguments[i]);
        uint64_t deadline = object ? object_deadline(object) : 0;
        if (deadline && deadline <= now) expire(server, db, arguments[i]);
    }
}

static uint64_t all_expires(const struct state *state) {
    uint64_t sum = 0;
    for (uint32_t db = 0; db < DATABASE_COUNT; db++) sum += state_expires(state, db);
    return sum;
}

void expire_look(struct server *server) {
    if (!may_expire(server)) return;
    const struct state *state = engine_state(server->engine);
    if (all_expires(state) == 0) return;
    uint64_t now = expire_now(server);
    for (uint32_t removed = 0; removed < LOOK_REMOVED; removed++) {
        const struct object *object =
            state_find_due(state, now, &server->expire_place, LOOK_PLACES);
        if (!object) return;
        if (!expire(server, object_database(object), object_name(state, object))) return;
    }
}
