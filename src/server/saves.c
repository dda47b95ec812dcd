/* Snapshots by the option `save`: after so many seconds, if so much has changed. */
#include "server/saves.h"

#include <inttypes.h>

#include "server/server.h"
#include "server/words.h"

#define SECOND_US     UINT64_C(1000000)
#define RETRY_SECONDS 5 /* after one that failed */

/* --- The option ------------------------------------------------------------------- */

/* The next pair; false at the end, and *complaint if what is left is no pair. */
static bool next_pair(struct slice *text, uint64_t *seconds, uint64_t *changes,
                      bool *complaint) {
    struct slice word;
    *complaint = false;
    if (!option_next_word(text, &word)) return false;
    *complaint = !word_unsigned(word, seconds) || *seconds == 0 ||
                 !option_next_word(text, &word) || !word_unsigned(word, changes);
    return !*complaint;
}

const char *saves_complaint(const char *text) {
    struct slice rest = slice_text(text);
    uint64_t seconds, changes;
    bool complaint;
    while (next_pair(&rest, &seconds, &changes, &complaint)) continue;
    return complaint ? "Invalid save parameters" : NULL;
}

/* --- When ------------------------------------------------------------------------- */

uint64_t saves_last(const struct server *server) {
    struct save_facts facts;
    engine_save_facts(server->engine, &facts);
    if (facts.history.wall_us) return facts.history.wall_us / SECOND_US;
    return (server->os->wall_us(server->os) + server->started_us - server_clock(server)) /
           SECOND_US;
}

/* Is one of the pairs fulfilled? Which one, for the log. */
static bool due(const struct server *server, uint64_t *seconds, uint64_t *changes) {
    struct save_facts facts;
    engine_save_facts(server->engine, &facts);
    uint64_t now = server_clock(server);
    uint64_t changed = engine_changes(server->engine) - facts.history.changes;
    uint64_t waited = (now - server->saved_us) / SECOND_US;
    bool failed = facts.history.last != STATUS_OK;
    if (facts.running || (failed && now < server->save_tried_us + RETRY_SECONDS * SECOND_US))
        return false;
    struct slice rest = slice_text(server->options.save);
    bool complaint;
    while (next_pair(&rest, seconds, changes, &complaint))
        if (waited >= *seconds && changed >= *changes && changed > 0) return true;
    return false;
}

void saves_look(struct server *server) {
    uint64_t seconds, changes;
    if (server->loading || server->stopping || !server->options.appendonly) return;
    if (!due(server, &seconds, &changes)) return;
    notice(&server->notices, NOTICE_NORMAL,
           "%" PRIu64 " changes in %" PRIu64 " seconds. Saving...", changes, seconds);
    server->save_tried_us = server_clock(server);
    (void)engine_save(server->engine);
}

/* --- What became of it ------------------------------------------------------------ */

void saves_turn(struct server *server) {
    struct save_facts facts;
    if (server->loading || server->stopping) return;
    engine_save_facts(server->engine, &facts);
    const struct save_history *history = &facts.history;
    uint64_t ended = history->saves + history->failures;
    if (ended == server->saves_said) return;
    server->saves_said = ended;
    if (history->last) {
        notice(&server->notices, NOTICE_WARNING, "Saving a snapshot failed: %s",
               history->message);
        return;
    }
    server->saved_us = server_clock(server);
    notice(&server->notices, NOTICE_NORMAL,
           "DB saved on disk: %" PRIu64 " entries, %" PRIu64
           " bytes, read back and whole, in %.3f seconds",
           history->entries, history->bytes, (double)history->last_us / 1e6);
}
