/* SUBSCRIBE and its relatives, PUBLISH, PUBSUB. */
#include "base/glob.h"
#include "server/server.h"
#include "server/words.h"

/* One of the confirmations: what was done, to what, and how many are left. */
static void confirm(struct call *call, const char *what, const struct slice *name) {
    struct reply *reply = call_reply(call);
    const struct client *client = call->client;
    reply_push(reply, 3);
    reply_text(reply, what);
    if (name) reply_bulk(reply, *name);
    else reply_null(reply);
    reply_integer(reply, (int64_t)client->channels + client->patterns);
}

static void subscribe(struct call *call, const char *what, bool is_pattern) {
    for (size_t i = 1; i < call->count; i++) {
        if (is_pattern && !call_pattern(call, i)) return;
        enum status status = pubsub_subscribe(call->server, call->client,
                                              call->arguments[i], is_pattern);
        if (status == STATUS_MEMORY) {
            struct tally tally = {.status = status};
            call_refusal(call, NULL, &tally);
            return;
        }
        confirm(call, what, &call->arguments[i]);
    }
}

static void unsubscribe_all(struct call *call, const char *what, bool is_pattern) {
    const struct channel *any = pubsub_any(call->client, is_pattern);
    if (!any) confirm(call, what, NULL);
    for (; any; any = pubsub_any(call->client, is_pattern)) {
        uint8_t room[64];
        struct slice name = any->name, copy = name;
        uint8_t *bytes = NULL;
        if (name.size <= sizeof room) bytes = room;
        else bytes = allocate(call->server->allocator, name.size);
        if (bytes) copy = slice_of(memcpy(bytes, name.data, name.size), name.size);
        pubsub_unsubscribe(call->server, call->client, name, is_pattern);
        confirm(call, what, bytes ? &copy : NULL);
        if (bytes && bytes != room) release(call->server->allocator, bytes, copy.size);
    }
}

static void unsubscribe(struct call *call, const char *what, bool is_pattern) {
    if (call->count == 1) {
        unsubscribe_all(call, what, is_pattern);
        return;
    }
    for (size_t i = 1; i < call->count; i++) {
        pubsub_unsubscribe(call->server, call->client, call->arguments[i], is_pattern);
        confirm(call, what, &call->arguments[i]);
    }
}

COMMAND(cmd_subscribe) { subscribe(call, "subscribe", false); }
COMMAND(cmd_psubscribe) { subscribe(call, "psubscribe", true); }
COMMAND(cmd_unsubscribe) { unsubscribe(call, "unsubscribe", false); }
COMMAND(cmd_punsubscribe) { unsubscribe(call, "punsubscribe", true); }

COMMAND(cmd_publish) {
    reply_unsigned(call_reply(call), pubsub_publish(call->server, call->arguments[1],
                                                    call->arguments[2]));
}

/* --- PUBSUB ----------------------------------------------------------------------- */

/* Visit the channels that match; gives their number. `reply` may be NULL. */
static uint64_t list_channels(const struct call *call, struct reply *reply) {
    const struct pubsub *pubsub = &call->server->pubsub;
    uint64_t count = 0;
    for (size_t i = 0; i < PUBSUB_BUCKETS; i++)
        for (const struct channel *c = pubsub->buckets[i]; c; c = c->next) {
            if (call->count > 2 && !glob_match(call->arguments[2], c->name, false))
                continue;
            count++;
            if (reply) reply_bulk(reply, c->name);
        }
    return count;
}

COMMAND(cmd_pubsub_channels) {
    if (call->count > 3) {
        call_arity_error(call);
        return;
    }
    if (call->count == 3 && !call_pattern(call, 2)) return;
    reply_array(call_reply(call), list_channels(call, NULL));
    list_channels(call, call_reply(call));
}

COMMAND(cmd_pubsub_numsub) {
    struct reply *reply = call_reply(call);
    reply_array(reply, 2 * (call->count - 2));
    for (size_t i = 2; i < call->count; i++) {
        const struct channel *channel = pubsub_find(call->server, call->arguments[i]);
        reply_bulk(reply, call->arguments[i]);
        reply_integer(reply, channel ? (int64_t)channel->count : 0);
    }
}

COMMAND(cmd_pubsub_numpat) {
    reply_unsigned(call_reply(call), call->server->pubsub.pattern_count);
}
