/* When to save a snapshot, and what to say of it. */
#ifndef SERVER_SAVES_H
#define SERVER_SAVES_H

#include "base/slice.h"

struct server;

/* Why this is no value of the option `save`; NULL: it is one. */
const char *saves_complaint(const char *text);

/* Once per turn: say what became of a save. */
void saves_turn(struct server *server);
/* Ten times a second or so: begin one if the option `save` wants it. */
void saves_look(struct server *server);
/* Seconds since 1970 of the last one, or of the start. */
uint64_t saves_last(const struct server *server);

#endif
