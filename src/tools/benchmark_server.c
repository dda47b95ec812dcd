/* Asking. */
#include "tools/benchmark_server.h"

#include <stdio.h>
#include <string.h>

/* The value of the line "field:value"; size 0 when there is none. */
static struct slice info_field(struct slice info, const char *field) {
    size_t size = strlen(field);
    while (info.size > 0) {
        const uint8_t *end = memchr(info.data, '\n', info.size);
        size_t line = end ? (size_t)(end - info.data) : info.size;
        if (line > size && info.data[size] == ':' &&
            memcmp(info.data, field, size) == 0) {
            struct slice value = slice_of(info.data + size + 1, line - size - 1);
            if (value.size > 0 && value.data[value.size - 1] == '\r') value.size--;
            return value;
        }
        line += end ? 1 : 0;
        info = slice_of(info.data + line, info.size - line);
    }
    return slice_of(NULL, 0);
}

double info_number(struct slice info, const char *field) {
    struct slice text = info_field(info, field);
    double value = 0, unit = 1;
    bool is_fraction = false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '.' && !is_fraction) {
            is_fraction = true;
            continue;
        }
        if (text.data[i] < '0' || text.data[i] > '9') return 0;
        value = value * 10 + (text.data[i] - '0');
        if (is_fraction) unit *= 10;
    }
    return value / unit;
}

static void name_after(struct server_facts *facts) {
    struct slice info = buffer_slice(&facts->info);
    struct slice version = info_field(info, "valori_version");
    facts->is_valori = version.size > 0;
    const char *kind = facts->is_valori ? "valori" : "redis";
    if (!facts->is_valori) version = info_field(info, "redis_version");
    if (version.size == 0) snprintf(facts->name, sizeof facts->name, "?");
    else
        snprintf(facts->name, sizeof facts->name, "%s %.*s", kind, (int)version.size,
                 (const char *)version.data);
}

/* INFO into *info; one that is refused leaves it empty. */
static enum status ask_info(struct client *client, struct buffer *info,
                            struct complaint *complaint) {
    struct reply reply;
    enum status status =
        client_call(client, 2, (const char *[]){"INFO", "everything"}, &reply, complaint);
    if (!status && reply_is_error(&reply))
        status = client_call(client, 1, (const char *[]){"INFO"}, &reply, complaint);
    buffer_clear(info);
    if (status || reply_is_error(&reply)) return status;
    struct slice text = reply.items[0].text;
    if (reply.items[0].type == '=' && text.size > 4) /* RESP3: "txt:" in front */
        text = slice_of(text.data + 4, text.size - 4);
    return text.size > 0 ? buffer_append(info, text.data, text.size) : STATUS_OK;
}

static enum status renew(struct server_facts *facts, const struct endpoint *server,
                         const struct allocator *allocator, struct complaint *complaint) {
    struct client client;
    enum status status = client_open(&client, server, allocator, complaint);
    if (status) return status;
    status = ask_info(&client, &facts->info, complaint);
    client_close(&client);
    struct slice info = buffer_slice(&facts->info);
    facts->cpu_after =
        info_number(info, "used_cpu_user") + info_number(info, "used_cpu_sys");
    return status;
}

enum status server_facts_read(struct server_facts *facts, const struct endpoint *server,
                              const struct allocator *allocator,
                              struct complaint *complaint) {
    *facts = (struct server_facts){.is_valori = false};
    buffer_init(&facts->info, allocator, SIZE_MAX / 2);
    enum status status = renew(facts, server, allocator, complaint);
    if (!status) name_after(facts);
    facts->cpu_before = facts->cpu_after;
    return status;
}

enum status server_facts_renew(struct server_facts *facts, const struct endpoint *server,
                               struct complaint *complaint) {
    return renew(facts, server, facts->info.allocator, complaint);
}

static void keep_text(char text[DIGEST_TEXT_SIZE], struct slice from) {
    snprintf(text, DIGEST_TEXT_SIZE, "%.*s", (int)from.size, (const char *)from.data);
}

enum status server_facts_digests(struct server_facts *facts,
                                 const struct endpoint *server,
                                 struct complaint *complaint) {
    struct client client;
    struct reply reply;
    enum status status = client_open(&client, server, facts->info.allocator, complaint);
    if (status) return status;
    status = client_call(&client, 2, (const char *[]){"PROOF.STATE", "SYNC"}, &reply,
                         complaint);
    for (size_t i = 0; !status && i + 1 < reply.count; i++)
        if (slice_equal(reply.items[i].text, slice_text("state_root")))
            keep_text(facts->state_root, reply.items[i + 1].text);
    if (!status)
        status = client_call(&client, 2, (const char *[]){"DEBUG", "DIGEST"}, &reply,
                             complaint);
    if (!status && !reply_is_error(&reply))
        keep_text(facts->content, reply.items[0].text);
    client_close(&client);
    return status;
}

void server_facts_free(struct server_facts *facts) {
    if (facts->info.allocator) buffer_free(&facts->info);
}
