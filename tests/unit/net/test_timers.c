/* Timers: order, moving, cancelling, and callbacks that do all of that themselves. */
#include "net/timers.h"
#include "test.h"

static struct timers timers;
static char told[64];

static void tell(void *context, struct loop_timer *timer) {
    (void)timer;
    size_t used = strlen(told);
    snprintf(told + used, sizeof told - used, "%s ", (const char *)context);
}

static struct loop_timer named(const char *name) {
    return (struct loop_timer){.callback = tell, .context = (void *)(uintptr_t)name};
}

static const char *run(uint64_t now_us) {
    told[0] = '\0';
    timers_run(&timers, now_us);
    return told;
}

static void runs_in_order_of_time(void) {
    struct loop_timer a = named("a"), b = named("b"), c = named("c");
    timers_add(&timers, &b, 20);
    timers_add(&timers, &a, 10);
    timers_add(&timers, &c, 20);
    EXPECT(strcmp(run(9), "") == 0);
    EXPECT(strcmp(run(10), "a ") == 0);
    EXPECT(strcmp(run(30), "b c ") == 0);
    EXPECT(timers.first == NULL && !a.set && !b.set && !c.set);
}

static void moves_and_cancels(void) {
    struct loop_timer a = named("a"), b = named("b");
    timers_add(&timers, &a, 10);
    timers_add(&timers, &b, 20);
    timers_add(&timers, &a, 30);
    EXPECT(timers.first == &b);
    timers_cancel(&timers, &b);
    timers_cancel(&timers, &b);
    EXPECT(strcmp(run(40), "a ") == 0);
}

static void again(void *context, struct loop_timer *timer) {
    tell(context, timer);
    timers_add(&timers, timer, 0);
}

static struct loop_timer victim;

static void cancel_victim(void *context, struct loop_timer *timer) {
    tell(context, timer);
    timers_cancel(&timers, &victim);
}

static void callbacks_may_change_the_list(void) {
    struct loop_timer a = named("again"), b = named("cancels");
    a.callback = again;
    b.callback = cancel_victim;
    victim = named("victim");
    timers_add(&timers, &a, 1);
    timers_add(&timers, &b, 2);
    timers_add(&timers, &victim, 3);
    EXPECT(strcmp(run(5), "again cancels ") == 0);
    EXPECT(!victim.set && a.set);
    timers_cancel(&timers, &a);
}

int main(void) {
    RUN(runs_in_order_of_time);
    RUN(moves_and_cancels);
    RUN(callbacks_may_change_the_list);
    return test_finish();
}
