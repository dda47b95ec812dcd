/* TLS between a connection and its socket, by OpenSSL (RFC 8446, and RFC 5246 where 1.2
 * is allowed).
 *
 * A session turns bytes of the socket into bytes of the connection and back, in memory:
 * it blocks never, and whoever drives it asks tls_pending() whether there is something to
 * send. A build without OpenSSL (TLS=no) has the same functions, which say so. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "os/os.h"

/* Certificates and rules that sessions are made with. */
struct tls_context;
/* One connection's. */
struct tls;

enum tls_clients { TLS_CLIENTS_NO, TLS_CLIENTS_OPTIONAL, TLS_CLIENTS_YES };

/* Texts may be empty for none; they are borrowed for the call. */
struct tls_options {
    const char *certificate, *key; /* files in PEM; the key's password is not asked for */
    const char *authorities;       /* a file, or ... */
    const char *authority_folder;  /* ... a folder as c_rehash makes it */
    const char *protocols;         /* of "TLSv1.2 TLSv1.3"; empty: both */
    const char *ciphers, *suites;  /* OpenSSL's lists, of 1.2 and of 1.3 */
    enum tls_clients clients;      /* whether they must show a certificate */
};

#define TLS_MESSAGE_SIZE 256

/* Read the files. NULL: `why` says what is wrong. */
struct tls_context *tls_context_make(const struct tls_options *options,
                                     char why[TLS_MESSAGE_SIZE]);
/* Sessions that were made with it go on. */
void tls_context_free(struct tls_context *context);

/* A session over a socket that was just accepted, or with `connects` just connected,
 * which then checks the peer's certificate. NULL without memory. */
struct tls *tls_make(struct tls_context *context, bool connects);
void tls_free(struct tls *tls);

/* As the functions of the same names in struct os; STATUS_IO too when the peer does not
 * speak TLS, is not to be trusted, or breaks off. To whom speaks something else nothing
 * is said. */
enum status tls_receive(struct tls *tls, const struct os *os, struct socket *socket,
                        void *bytes, size_t size, size_t *received);
enum status tls_send(struct tls *tls, const struct os *os, struct socket *socket,
                     const void *bytes, size_t size, size_t *sent);
/* Send what the session itself has to say. STATUS_OK also when the socket takes no more.
 */
enum status tls_flush(struct tls *tls, const struct os *os, struct socket *socket);

/* Nothing follows: tell the peer so, with the next tls_flush(). Later calls do nothing.
 */
void tls_end(struct tls *tls);

/* Bytes of its own that the socket has not taken yet. */
bool tls_pending(const struct tls *tls);
/* Bytes that were received and not yet asked for: tls_receive() has more without the
 * socket. */
bool tls_has_more(const struct tls *tls);
/* The handshake is over: the peer is who it must be. */
bool tls_is_ready(const struct tls *tls);

#endif
