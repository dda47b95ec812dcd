/* The arguments of a command, read from its synopsis: what COMMAND DOCS and redis-cli's
 * hints call for, without saying everything twice.
 *
 *     word          a value             word...       one or more of them
 *     TOKEN         itself              TOKEN word    a value behind a token
 *     [ ... ]       may be left out     < a | b >     one of them
 *     ( a b )...    these together, one or more times */
#ifndef SERVER_SYNOPSIS_H
#define SERVER_SYNOPSIS_H

#include "net/resp_write.h"

/* How many arguments `synopsis` has at its top. */
size_t synopsis_count(const char *synopsis);

/* The array of argument maps, as COMMAND DOCS has it. */
void synopsis_reply(struct reply *reply, const char *synopsis);

/* The least number of words, the command's own not counted; *open when there may be more.
 */
size_t synopsis_least(const char *synopsis, bool *open);

#endif
