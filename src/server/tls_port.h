/* The TLS port: certificates from the options, sessions for connections. */
#ifndef SERVER_TLS_PORT_H
#define SERVER_TLS_PORT_H

#include "net/tls.h"

struct connection;
struct server;

/* Read certificate, key and authorities if tls-port is set. False: a line on stderr says
 * why. */
bool tls_port_begin(struct server *server);
/* Read them again: connections from now on use them. On failure the old ones stay, and
 * the log says so. */
void tls_port_reload(struct server *server);
void tls_port_end(struct server *server);

/* A connection came by the TLS port. False: there is no memory for its session. */
bool tls_port_accepted(struct server *server, struct connection *connection);
/* The same for one that was opened here, to a primary. */
bool tls_port_connects(struct server *server, struct connection *connection);

#endif
