#include "server/tls_port.h"

#include <stdio.h>

#include "server/server.h"

static struct tls_context *make_context(struct server *server,
                                        char why[TLS_MESSAGE_SIZE]) {
    const struct options *options = &server->options;
    struct tls_options wanted = {.certificate = options->tls_cert_file,
                                 .key = options->tls_key_file,
                                 .authorities = options->tls_ca_cert_file,
                                 .authority_folder = options->tls_ca_cert_dir,
                                 .protocols = options->tls_protocols,
                                 .ciphers = options->tls_ciphers,
                                 .suites = options->tls_ciphersuites,
                                 .clients = (enum tls_clients)options->tls_auth_clients};
    return tls_context_make(&wanted, why);
}

bool tls_port_begin(struct server *server) {
    char why[TLS_MESSAGE_SIZE];
    if (!server->options.tls_port && !server->options.tls_replication) return true;
    server->tls_context = make_context(server, why);
    if (!server->tls_context) fprintf(stderr, "Failed to configure TLS: %s\n", why);
    return server->tls_context != NULL;
}

void tls_port_reload(struct server *server) {
    char why[TLS_MESSAGE_SIZE];
    if (!server->tls_context) return;
    struct tls_context *context = make_context(server, why);
    if (!context) {
        notice(&server->notices, NOTICE_WARNING, "TLS: the old certificates stay: %s",
               why);
        return;
    }
    tls_context_free(server->tls_context);
    server->tls_context = context;
    notice(&server->notices, NOTICE_NORMAL, "TLS: certificates were read again");
}

void tls_port_end(struct server *server) {
    tls_context_free(server->tls_context);
    server->tls_context = NULL;
}

static bool begin_session(struct server *server, struct connection *connection,
                          bool connects) {
    struct tls *tls = tls_make(server->tls_context, connects);
    if (tls) connection_set_tls(connection, tls);
    return tls != NULL;
}

bool tls_port_accepted(struct server *server, struct connection *connection) {
    return begin_session(server, connection, false);
}

bool tls_port_connects(struct server *server, struct connection *connection) {
    return begin_session(server, connection, true);
}
