/* The end of a process that found itself wrong: tell the hook, then trap. */
#include "base/check.h"

#include <stddef.h>

static panic_hook *hook;

void panic_set_hook(panic_hook *new_hook) { hook = new_hook; }

void panic(const char *what, const char *file, int line) {
    panic_hook *last_words = hook;
    hook = NULL; /* A check that fails inside the hook must not call it again. */
    if (last_words) last_words(what, file, line);
    __builtin_trap();
}
