/* Timers of one thread, in order of time. Owned by their users; the list only links them.
 */
#ifndef NET_TIMERS_H
#define NET_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

/* The caller fills in the first two and keeps it in place while it is set. */
struct loop_timer {
    void (*callback)(void *context, struct loop_timer *timer);
    void *context;
    uint64_t at_us;
    struct loop_timer *next;
    bool set;
};

struct timers {
    struct loop_timer *first; /* by time */
    struct loop_timer *due;   /* taken by timers_run(), not called yet */
};

/* Call back once, in the first timers_run() at or after `at_us`. A timer that is set
 * already is moved. Among equals the one added first comes first. */
void timers_add(struct timers *timers, struct loop_timer *timer, uint64_t at_us);
void timers_cancel(struct timers *timers, struct loop_timer *timer);

/* Call those that are due. A callback may set and cancel any timer, its own included; one
 * that is set meanwhile waits for the next call, even if its time is past. */
void timers_run(struct timers *timers, uint64_t now_us);

#endif
