/* uname, sysconf, /proc/cpuinfo. */
#define _GNU_SOURCE /* _SC_PHYS_PAGES */
#include "tools/benchmark_host.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void find_processor(char *name, size_t size) {
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    name[0] = '\0';
    if (!file) return;
    while (name[0] == '\0' && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon)
            snprintf(name, size, "%.*s", (int)strcspn(colon + 1, "\n"), colon + 1);
    }
    fclose(file);
    if (name[0] == ' ') memmove(name, name + 1, strlen(name));
}

void host_facts(struct host_facts *facts) {
    struct utsname system;
    memset(facts, 0, sizeof *facts);
    if (uname(&system) == 0)
        snprintf(facts->system, sizeof facts->system, "%.60s %.60s %.60s", system.sysname,
                 system.release, system.machine);
    find_processor(facts->processor, sizeof facts->processor);
    facts->processors = sysconf(_SC_NPROCESSORS_ONLN);
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0) facts->memory = (uint64_t)pages * (uint64_t)page;
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc))
        strftime(facts->time, sizeof facts->time, "%Y-%m-%dT%H:%M:%SZ", &utc);
}
