/* ACL LOG: what was denied, to whom, how often. */
#include <stdio.h>

#include "server/server.h"
#include "server/words.h"

#define GROUP_MS UINT64_C(60000)

static void drop_from(struct server *server, struct acl_event **first) {
    while (*first) {
        struct acl_event *event = *first;
        *first = event->next;
        release(server->allocator, event, sizeof *event);
        server->acl.event_count--;
    }
}

void acl_log_reset(struct server *server) { drop_from(server, &server->acl.events); }

/* Take the event out that says the same and is not old; NULL when there is none. */
static struct acl_event *take_same(struct acl *acl, const struct acl_event *wanted) {
    for (struct acl_event **at = &acl->events; *at; at = &(*at)->next) {
        struct acl_event *event = *at;
        bool same = event->reason == wanted->reason &&
                    event->context == wanted->context &&
                    strcmp(event->object, wanted->object) == 0 &&
                    strcmp(event->user, wanted->user) == 0 &&
                    wanted->updated_ms - event->created_ms <= GROUP_MS;
        if (!same) continue;
        *at = event->next;
        return event;
    }
    return NULL;
}

/* Keep no more than acllog-max-len. */
static void shorten(struct server *server) {
    struct acl_event **at = &server->acl.events;
    for (int64_t kept = 0; *at && kept < server->options.acllog_max_len; kept++)
        at = &(*at)->next;
    drop_from(server, at);
}

void acl_log_note(struct server *server, const struct client *client, const char *reason,
                  struct slice object, struct slice user) {
    struct acl *acl = &server->acl;
    struct acl_event new = {
        .reason = reason, .context = client->in_multi ? "multi" : "toplevel", .count = 1};
    struct buffer line;
    call_quote(object, new.object, sizeof new.object);
    call_quote(user, new.user, sizeof new.user);
    new.created_ms = new.updated_ms = server->os->wall_us(server->os) / 1000;
    buffer_init(&line, server->allocator, sizeof new.client);
    client_line(&line, client);
    size_t size = buffer_size(&line);
    if (size)
        memcpy(new.client, buffer_slice(&line).data,
               size - 1); /* without the end of line */
    buffer_free(&line);

    struct acl_event *event = take_same(acl, &new);
    if (event) {
        new.created_ms = event->created_ms;
        new.count = event->count + 1;
        new.id = event->id;
    } else {
        event = allocate(server->allocator, sizeof *event);
        if (!event) return;
        acl->event_count++;
        new.id = acl->next_event++;
    }
    *event = new;
    event->next = acl->events;
    acl->events = event;
    shorten(server);
}
