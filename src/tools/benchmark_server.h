/* What a server says about itself: its name, INFO before and after, digests of its state.
 */
#ifndef TOOLS_BENCHMARK_SERVER_H
#define TOOLS_BENCHMARK_SERVER_H

#include "tools/benchmark_client.h"

#define SERVER_NAME_SIZE 64
#define DIGEST_TEXT_SIZE 72

struct server_facts {
    char name[SERVER_NAME_SIZE]; /* "valori 0.1.0", "redis 8.8.0", "?" */
    bool is_valori;
    struct buffer info; /* INFO as it was asked last; owned */
    /* Of the load: used_memory before and after. 0: not asked. */
    uint64_t memory_before, memory_after;
    double cpu_before, cpu_after;      /* user and system seconds, first and last */
    char state_root[DIGEST_TEXT_SIZE]; /* PROOF.STATE SYNC; "" where there is none */
    char content[DIGEST_TEXT_SIZE];    /* DEBUG DIGEST; "" where it may not be asked */
};

/* Connect and ask who it is. server_facts_free() later. STATUS_IO, STATUS_MEMORY. */
enum status server_facts_read(struct server_facts *facts, const struct endpoint *server,
                              const struct allocator *allocator,
                              struct complaint *complaint);
/* Ask for INFO again. */
enum status server_facts_renew(struct server_facts *facts, const struct endpoint *server,
                               struct complaint *complaint);
/* Ask for the digests of the state; a server that has none leaves the texts empty. */
enum status server_facts_digests(struct server_facts *facts,
                                 const struct endpoint *server,
                                 struct complaint *complaint);
void server_facts_free(struct server_facts *facts);

/* The value of the line "field:value" of INFO as a number, decimals too; 0 when there is
 * none. */
double info_number(struct slice info, const char *field);

#endif
