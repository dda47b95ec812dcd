/* The HTTP port: /health, /ready and /metrics, for whoever watches over the server.
 *
 * HTTP/1.1, GET and HEAD, without bodies in requests; RFC 9112. Its connections run on
 * the same loop as clients and are none: they can ask for three pages and nothing else.
 * The port is off unless http-port is set. */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include "net/connection.h"

struct server;

#define HTTP_REQUEST_MAX 8192 /* line and headers */

/* A connection came by the HTTP port. */
void http_accepted(struct server *server, struct connection *connection);
/* There are new bytes: answer every whole request. */
void http_received(struct server *server, struct connection *connection);
/* A few times a second: close it if it has been idle for too long. */
void http_look(struct server *server, struct connection *connection);

/* --- health.c ------------------------------------------------------------------------
 */

/* How full the server is, by the fullest of its limits (max-records, max-nodes,
 * max-edges, maxmemory): below 90 %, from there on, at 100 %. */
enum health { HEALTH_OK, HEALTH_DEGRADED, HEALTH_FULL };
enum health health_of(const struct server *server);
/* What it is asked for; 0 while the log is read. */
uint64_t health_keys(const struct server *server);
uint64_t health_records(const struct server *server);
uint64_t health_nodes(const struct server *server);
uint64_t health_edges(const struct server *server);
/* `used` of `most`; 0 when there is no limit (-1). */
double health_fill(uint64_t used, int64_t most);
/* Seconds behind the primary; 0 on a primary. */
double health_lag(const struct server *server);

/* Append the page of /health, a JSON object. */
void health_write(struct server *server, struct buffer *text);
/* Append the page of /metrics, Prometheus's text format 0.0.4. */
void exposition_write(struct server *server, struct buffer *text);

#endif
