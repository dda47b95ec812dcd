/* A sorted list: there are a handful of timers, and most are added near its end. */
#include "net/timers.h"

#include <stddef.h>

void timers_add(struct timers *timers, struct loop_timer *timer, uint64_t at_us) {
    timers_cancel(timers, timer);
    struct loop_timer **place = &timers->first;
    while (*place && (*place)->at_us <= at_us) place = &(*place)->next;
    timer->at_us = at_us;
    timer->next = *place;
    timer->set = true;
    *place = timer;
}

/* Take it out of a list, if it is there. */
static bool unlink_timer(struct loop_timer **list, struct loop_timer *timer) {
    struct loop_timer **place = list;
    while (*place && *place != timer) place = &(*place)->next;
    if (!*place) return false;
    *place = timer->next;
    return true;
}

void timers_cancel(struct timers *timers, struct loop_timer *timer) {
    if (!timer->set) return;
    if (!unlink_timer(&timers->first, timer)) unlink_timer(&timers->due, timer);
    timer->set = false;
}

void timers_run(struct timers *timers, uint64_t now_us) {
    struct loop_timer **end = &timers->first;
    while (*end && (*end)->at_us <= now_us) end = &(*end)->next;
    struct loop_timer *later = *end;
    *end = NULL;
    timers->due = timers->first;
    timers->first = later;
    while (timers->due) {
        struct loop_timer *timer = timers->due;
        timers->due = timer->next;
        timer->set = false;
        timer->callback(timer->context, timer);
    }
}
