/* When our history is not the primary's: evidence, forks, and beginning anew.
 *
 *     a fork       same log, and from some size on other entries: ours are kept in a file,
 *                  and the log goes back to where the two part
 *     a divergence the same entries and another state, or a log root that is not ours: the
 *                  evidence is kept, and data is no longer served
 *     foreign      another log altogether: refused, unless REPLICAOF said FORCE */
#include <inttypes.h>
#include <stdio.h>

#include "engine/log_access.h"
#include "server/replica_internal.h"
#include "server/words.h"

#define NAME_SIZE 96

static uint64_t seconds_now(const struct server *server) {
    return server->os->wall_us(server->os) / 1000000;
}

/* --- Going back, beginning anew ----------------------------------------------------- */

void link_go_back(struct server *server, uint64_t size) {
    struct replica_link *link = &server->link;
    uint64_t entries = engine_size(server->engine) - size;
    char name[NAME_SIZE];
    if (entries == 0) {
        link_drop(server, "it says that our log is no part of its own, and yet it is");
        return;
    }
    snprintf(name, sizeof name, "fork-%" PRIu64 "-%" PRIu64 ".vlog", size,
             seconds_now(server));
    notice(&server->notices, NOTICE_WARNING,
           "The primary's history parts from ours at entry %" PRIu64 ": our %" PRIu64
           " entries from there on are kept in %s, and left",
           size, entries, name);
    link_end(server);
    enum status status = server_go_back(server, size, name);
    if (status && !server->stopping) {
        link_begin(server);
        link_drop(server, "entries cannot be set aside in %s: %s", name,
                  status_name(status));
        return;
    }
    link->forks++;
    link->fork_entries += entries;
}

static void begin_anew(struct server *server) {
    struct replica_link *link = &server->link;
    char prefix[NAME_SIZE];
    snprintf(prefix, sizeof prefix, "quarantine-%" PRIu64 "-", seconds_now(server));
    notice(&server->notices, NOTICE_WARNING,
           "All %" PRIu64 " entries are set aside as %s*, to be fetched anew",
           engine_size(server->engine), prefix);
    link_end(server);
    if (!server_begin_anew(server, prefix)) {
        link->diverged = false;
        server->metrics.link_repairs++;
    }
}

void link_foreign(struct server *server) {
    if (server->link.force) begin_anew(server);
    else
        link_drop(server, "it has another log than ours; REPLICAOF host port "
                          "FORCE sets ours aside");
}

/* --- Divergence --------------------------------------------------------------------- */

/* The sequence from which on the state or the log may have gone wrong. */
static uint64_t first_in_doubt(const struct server *server) {
    struct proof_state proof;
    engine_proof_state(server->engine, &proof);
    return proof.seal_sequence == UINT64_MAX ? 0 : proof.seal_sequence;
}

static void keep_evidence(struct server *server, const char *what, const char *own,
                          const char *primary) {
    struct replica_link *link = &server->link;
    char name[NAME_SIZE], entries[NAME_SIZE], text[1024];
    uint64_t first = first_in_doubt(server), second = seconds_now(server);
    snprintf(name, sizeof name, "diverged-%" PRIu64 "-%" PRIu64 ".txt", link->diverged_at,
             second);
    snprintf(entries, sizeof entries, "diverged-%" PRIu64 "-%" PRIu64 ".vlog",
             link->diverged_at, second);
    int size = snprintf(text, sizeof text,
                        "what differs: %s\nsequence: %" PRIu64 "\nown: %s\nprimary: %s\n"
                        "primary at: %s:%u\nlast SEAL that was equal, and the entries "
                        "from it on: %" PRIu64 ", in %s\n",
                        what, link->diverged_at, own, primary, link->host,
                        (unsigned)link->port, first, entries);
    if (engine_keep_evidence(server->engine, name, slice_of(text, (size_t)size), first,
                             entries))
        notice(&server->notices, NOTICE_WARNING, "The evidence cannot be kept in %s",
               name);
    else
        notice(&server->notices, NOTICE_WARNING, "The evidence is kept in %s and %s",
               name, entries);
}

void link_diverge(struct server *server, uint64_t sequence,
                  const uint8_t own[SHA256_SIZE], const uint8_t primary[SHA256_SIZE],
                  const char *what) {
    struct replica_link *link = &server->link;
    char own_text[2 * SHA256_SIZE + 1], primary_text[2 * SHA256_SIZE + 1];
    hex_text(own, SHA256_SIZE, own_text);
    hex_text(primary, SHA256_SIZE, primary_text);
    link->diverged = true;
    link->diverged_at = sequence;
    server->metrics.link_divergences++;
    notice(&server->notices, NOTICE_WARNING,
           "The primary's word at entry %" PRIu64 " is not ours (%s): own %s, primary %s",
           sequence, what, own_text, primary_text);
    keep_evidence(server, what, own_text, primary_text);
    link_drop(server, "our state differs at entry %" PRIu64, sequence);
    if (server->options.replica_repair) begin_anew(server);
}
