/* The server's side of signing: its key, its options, and who waits for a checkpoint. */
#ifndef SERVER_SIGNING_H
#define SERVER_SIGNING_H

#include "engine/signer.h"

struct call;
struct server;

/* Load the key, or make one, where checkpoints are wanted and possible. Gives an exit
 * code, with the reason in the server's report. */
enum status signing_begin(struct server *server);
/* After every recovery. */
void signing_recovered(struct server *server);
/* Once per loop turn, after engine_turn(). */
void signing_turn(struct server *server, uint64_t *next_us);

#define SIGNING_WITNESSES_MAX 16
/* The keys of the option `witnesses`, at most SIGNING_WITNESSES_MAX. */
size_t signing_witnesses(const struct server *server, struct note_key *keys);
/* Why a text is no list of such keys, or NULL; and no name of an origin. */
const char *signing_witnesses_complaint(const char *text);
const char *signing_origin_complaint(const char *text);

#endif
