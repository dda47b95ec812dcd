/* The machine and the moment, for a report that is read later. */
#ifndef TOOLS_BENCHMARK_HOST_H
#define TOOLS_BENCHMARK_HOST_H

#include <stdint.h>

struct host_facts {
    char system[200];    /* as of uname: system, release, machine */
    char processor[128]; /* "" where the system does not say */
    long processors;
    uint64_t memory; /* bytes */
    char time[32];   /* UTC, as of RFC 3339 */
};

void host_facts(struct host_facts *facts);

#endif
