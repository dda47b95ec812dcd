/* Keys whose deadline has passed: the server has the clock that the kernel has not.
 *
 * A primary puts a DEL into the log before it answers a command that meets such a key,
 * and a few times a second for keys that nobody asks for. A replica waits for its
 * primary's. */
#ifndef SERVER_EXPIRE_H
#define SERVER_EXPIRE_H

#include "server/call.h"

/* Milliseconds since 1970 UTC, as deadlines are. */
uint64_t expire_now(const struct server *server);

/* Remove those keys of a command that are due. No job may be running. */
void expire_keys(struct server *server, const struct command *command,
                 const struct slice *arguments, size_t count, uint32_t db);

/* Look at some more of all keys, and remove what is due. */
void expire_look(struct server *server);

#endif
