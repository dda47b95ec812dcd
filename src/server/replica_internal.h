/* What the files of the replica's side share. For src/server/replica_*.c only.
 *
 *     replica_link.c       the link: connecting, entries, acknowledging, roles
 *     replica_handshake.c  from PING to the answer to PSYNC
 *     replica_repair.c     differences: evidence, forks, another history */
#ifndef SERVER_REPLICA_INTERNAL_H
#define SERVER_REPLICA_INTERNAL_H

#include "server/server.h"

/* Send a command of up to three words more to the primary; the first NULL ends it. */
void link_say(struct server *server, const char *command, const char *first,
              const char *second);

/* --- replica_handshake.c ----------------------------------------------------------- */

void handshake_begin(struct server *server);
/* Take one line of the primary's answers. False: there is none, or the link is dropped. */
bool handshake_line(struct server *server);

/* --- replica_repair.c -------------------------------------------------------------- */

/* The primary's word at `sequence` is not ours: keep the evidence and stop serving, or, with
 * replica-repair, begin anew. */
void link_diverge(struct server *server, uint64_t sequence,
                  const uint8_t own[SHA256_SIZE], const uint8_t primary[SHA256_SIZE],
                  const char *what);
/* Our log has entries behind the first `size` that the primary's has not: set them aside,
 * and go back. */
void link_go_back(struct server *server, uint64_t size);
/* Our log is another one: set it aside, if that is wanted. */
void link_foreign(struct server *server);

#endif
