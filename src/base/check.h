/* Checks for our own bugs. They stay on in production: a server that is wrong must stop.
 *
 * Bytes from outside get an answer (a status), never a check. check_slow() may walk a whole
 * structure and is compiled only into debug builds (-DVALORI_CHECK_SLOW). */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#define check(condition)                                                                 \
    ((condition) ? (void)0 : panic(#condition, __FILE__, __LINE__))

#ifdef VALORI_CHECK_SLOW
#define check_slow(condition) check(condition)
#else
#define check_slow(condition) ((void)sizeof(condition))
#endif

/* Say what failed and stop the process. Never returns. Calls the hook first, if one is set. */
_Noreturn void panic(const char *what, const char *file, int line);

/* Called by panic() with its arguments; must not return to use the state. os/ sets it to
 * print and abort; without one (freestanding) panic() traps. Set once, before any work. */
typedef void panic_hook(const char *what, const char *file, int line);
void panic_set_hook(panic_hook *hook);

#endif
