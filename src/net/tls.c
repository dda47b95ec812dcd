#include "net/tls.h"

#include <stdio.h>
#include <string.h>

#ifdef USE_OPENSSL

#include <openssl/err.h>
#include <openssl/ssl.h>

#define CHUNK     ((size_t)16 << 10)
#define HANDSHAKE 0x16 /* the type of the first record that a client sends */

struct tls_context {
    SSL_CTX *ssl;
};

/* The session reads and writes `in` and `out`, which lie in memory. */
struct tls {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    bool met;      /* the first byte was seen, and it is TLS */
    bool connects;
    bool broken, ended;
};

/* --- Contexts ---------------------------------------------------------------------- */

static bool complain(char why[TLS_MESSAGE_SIZE], const char *what, const char *name) {
    char text[160] = "";
    ERR_error_string_n(ERR_peek_last_error(), text, sizeof text);
    const char *reason = strrchr(text, ':');
    snprintf(why, TLS_MESSAGE_SIZE, "%s %.60s: %.120s", what, name,
             reason ? reason + 1 : "OpenSSL refuses it");
    ERR_clear_error();
    return false;
}

static bool set_protocols(SSL_CTX *ssl, const char *protocols,
                          char why[TLS_MESSAGE_SIZE]) {
    bool two = strstr(protocols, "TLSv1.2") != NULL,
         three = strstr(protocols, "TLSv1.3") != NULL;
    if (!protocols[0]) two = three = true;
    if (!two && !three) {
        snprintf(why, TLS_MESSAGE_SIZE,
                 "tls-protocols must name TLSv1.2, TLSv1.3 or both");
        return false;
    }
    return SSL_CTX_set_min_proto_version(ssl, two ? TLS1_2_VERSION : TLS1_3_VERSION) &&
           SSL_CTX_set_max_proto_version(ssl, three ? TLS1_3_VERSION : TLS1_2_VERSION);
}

static bool set_authorities(SSL_CTX *ssl, const struct tls_options *options,
                            char why[TLS_MESSAGE_SIZE]) {
    const char *file = options->authorities[0] ? options->authorities : NULL;
    const char *folder = options->authority_folder[0] ? options->authority_folder : NULL;
    if (!file && !folder) {
        if (options->clients == TLS_CLIENTS_NO) return true;
        snprintf(why, TLS_MESSAGE_SIZE,
                 "tls-ca-cert-file or tls-ca-cert-dir is needed unless tls-auth-clients "
                 "is no");
        return false;
    }
    if (!SSL_CTX_load_verify_locations(ssl, file, folder))
        return complain(why, "Failed to load the authorities", file ? file : folder);
    return true;
}

static bool configure(SSL_CTX *ssl, const struct tls_options *options,
                      char why[TLS_MESSAGE_SIZE]) {
    static const int modes[] = {[TLS_CLIENTS_NO] = SSL_VERIFY_NONE,
                                [TLS_CLIENTS_OPTIONAL] = SSL_VERIFY_PEER,
                                [TLS_CLIENTS_YES] =
                                    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT};
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ssl, modes[options->clients], NULL);
    if (!set_protocols(ssl, options->protocols, why)) return false;
    if (SSL_CTX_use_certificate_chain_file(ssl, options->certificate) != 1)
        return complain(why, "Failed to load the certificate", options->certificate);
    if (SSL_CTX_use_PrivateKey_file(ssl, options->key, SSL_FILETYPE_PEM) != 1)
        return complain(why, "Failed to load the key", options->key);
    if (SSL_CTX_check_private_key(ssl) != 1)
        return complain(why, "The key does not fit the certificate", options->key);
    if (options->ciphers[0] && !SSL_CTX_set_cipher_list(ssl, options->ciphers))
        return complain(why, "Failed to set the ciphers", options->ciphers);
    if (options->suites[0] && !SSL_CTX_set_ciphersuites(ssl, options->suites))
        return complain(why, "Failed to set the ciphersuites", options->suites);
    return set_authorities(ssl, options, why);
}

/* A key that wants a password is refused: nobody is there to give it. */
static int no_password(char *text, int size, int writing, void *context) {
    (void)text, (void)size, (void)writing, (void)context;
    return -1;
}

struct tls_context *tls_context_make(const struct tls_options *options,
                                     char why[TLS_MESSAGE_SIZE]) {
    struct tls_context *context = OPENSSL_zalloc(sizeof *context);
    snprintf(why, TLS_MESSAGE_SIZE, "OpenSSL refuses the configuration");
    if (!context) return NULL;
    context->ssl = SSL_CTX_new(TLS_method());
    if (context->ssl) SSL_CTX_set_default_passwd_cb(context->ssl, no_password);
    if (context->ssl && configure(context->ssl, options, why)) return context;
    tls_context_free(context);
    return NULL;
}

void tls_context_free(struct tls_context *context) {
    if (!context) return;
    SSL_CTX_free(context->ssl);
    OPENSSL_free(context);
}

/* --- Sessions ---------------------------------------------------------------------- */

struct tls *tls_make(struct tls_context *context, bool connects) {
    struct tls *tls = OPENSSL_zalloc(sizeof *tls);
    if (!tls) return NULL;
    tls->ssl = SSL_new(context->ssl);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (!tls->ssl || !tls->in || !tls->out) {
        BIO_free(tls->in);
        BIO_free(tls->out);
        SSL_free(tls->ssl);
        OPENSSL_free(tls);
        return NULL;
    }
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    tls->connects = tls->met = connects;
    if (connects) {
        SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, NULL);
        SSL_set_connect_state(tls->ssl);
        (void)SSL_do_handshake(tls->ssl); /* what it says first waits in `out` */
        ERR_clear_error();
    } else {
        SSL_set_accept_state(tls->ssl);
    }
    return tls;
}

void tls_free(struct tls *tls) {
    if (!tls) return;
    SSL_free(tls->ssl);
    OPENSSL_free(tls);
}

enum status tls_flush(struct tls *tls, const struct os *os, struct socket *socket) {
    char *bytes;
    long size;
    while ((size = BIO_get_mem_data(tls->out, &bytes)) > 0) {
        size_t sent;
        enum status status = os->socket_send(os, socket, bytes, (size_t)size, &sent);
        if (status == STATUS_AGAIN) return STATUS_OK;
        if (status) return status;
        char drop[4096]; /* a memory BIO gives its bytes up only by being read */
        for (size_t left = sent; left > 0;) {
            int read = BIO_read(tls->out, drop,
                                left < sizeof drop ? (int)left : (int)sizeof drop);
            if (read <= 0) return STATUS_IO;
            left -= (size_t)read;
        }
    }
    return STATUS_OK;
}

/* What the session makes of what it was given. */
static enum status outcome(struct tls *tls, int result) {
    int reason = SSL_get_error(tls->ssl, result);
    ERR_clear_error();
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE)
        return STATUS_AGAIN;
    if (reason == SSL_ERROR_ZERO_RETURN) return STATUS_END;
    tls->broken = true;
    return STATUS_IO;
}

/* Take ciphertext from the socket. */
static enum status fill(struct tls *tls, const struct os *os, struct socket *socket) {
    uint8_t room[CHUNK];
    size_t got;
    enum status status = os->socket_receive(os, socket, room, sizeof room, &got);
    if (status) return status;
    if (!tls->met && room[0] != HANDSHAKE) return STATUS_IO;
    tls->met = true;
    return BIO_write(tls->in, room, (int)got) == (int)got ? STATUS_OK : STATUS_MEMORY;
}

enum status tls_receive(struct tls *tls, const struct os *os, struct socket *socket,
                        void *bytes, size_t size, size_t *received) {
    for (;;) {
        int want = size < CHUNK ? (int)size : (int)CHUNK;
        int result = tls->met ? SSL_read(tls->ssl, bytes, want) : -1;
        if (result > 0) {
            *received = (size_t)result;
            return tls_flush(tls, os, socket);
        }
        enum status status = tls->met ? outcome(tls, result) : STATUS_AGAIN;
        enum status flushed = tls_flush(tls, os, socket); /* an alert, too */
        if (status != STATUS_AGAIN) return status;
        if (flushed) return flushed;
        status = fill(tls, os, socket);
        if (status) return status;
    }
}

enum status tls_send(struct tls *tls, const struct os *os, struct socket *socket,
                     const void *bytes, size_t size, size_t *sent) {
    enum status status = tls_flush(tls, os, socket);
    if (status) return status;
    if (tls_pending(tls)) return STATUS_AGAIN;
    int result = SSL_write(tls->ssl, bytes, size < CHUNK ? (int)size : (int)CHUNK);
    if (result <= 0) return outcome(tls, result);
    *sent = (size_t)result;
    return tls_flush(tls, os, socket);
}

void tls_end(struct tls *tls) {
    if (tls->ended || tls->broken || !tls_is_ready(tls)) return;
    tls->ended = true;
    (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

bool tls_pending(const struct tls *tls) { return BIO_ctrl_pending(tls->out) > 0; }

bool tls_has_more(const struct tls *tls) {
    return !tls->broken && (SSL_pending(tls->ssl) > 0 || BIO_ctrl_pending(tls->in) > 0);
}

bool tls_is_ready(const struct tls *tls) { return SSL_is_init_finished(tls->ssl) != 0; }

#else /* Without OpenSSL no context can be made, and so nothing else is ever called. */

struct tls_context *tls_context_make(const struct tls_options *options,
                                     char why[TLS_MESSAGE_SIZE]) {
    (void)options;
    snprintf(why, TLS_MESSAGE_SIZE, "this build has no TLS (make TLS=yes)");
    return NULL;
}
void tls_context_free(struct tls_context *context) { (void)context; }
struct tls *tls_make(struct tls_context *context, bool connects) {
    (void)context, (void)connects;
    return NULL;
}
void tls_free(struct tls *tls) { (void)tls; }
enum status tls_receive(struct tls *tls, const struct os *os, struct socket *socket,
                        void *bytes, size_t size, size_t *received) {
    (void)tls, (void)os, (void)socket, (void)bytes, (void)size, (void)received;
    return STATUS_IO;
}
enum status tls_send(struct tls *tls, const struct os *os, struct socket *socket,
                     const void *bytes, size_t size, size_t *sent) {
    (void)tls, (void)os, (void)socket, (void)bytes, (void)size, (void)sent;
    return STATUS_IO;
}
enum status tls_flush(struct tls *tls, const struct os *os, struct socket *socket) {
    (void)tls, (void)os, (void)socket;
    return STATUS_IO;
}
void tls_end(struct tls *tls) { (void)tls; }
bool tls_pending(const struct tls *tls) { return tls != NULL; }
bool tls_has_more(const struct tls *tls) { return tls != NULL; }
bool tls_is_ready(const struct tls *tls) { return tls != NULL; }

#endif
