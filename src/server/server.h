/* The server: everything that one of them has. It is a local of main() and is passed
 * down, so that two fit in one process. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "engine/engine.h"
#include "net/loop.h"
#include "server/acl.h"
#include "server/graph_call.h"
#include "server/guesses.h"
#include "server/job.h"
#include "server/latency.h"
#include "server/metrics.h"
#include "server/notices.h"
#include "server/options.h"
#include "server/pubsub.h"
#include "server/replica_link.h"
#include "server/replicas.h"
#include "server/scratch.h"
#include "server/signing.h"
#include "server/tls_port.h"

#ifndef VALORI_VERSION
#define VALORI_VERSION "0.1.0"
#endif
#ifndef VALORI_COMMIT
#define VALORI_COMMIT ""
#endif
/* What clients that ask for Redis's version are told: the grammar we speak. */
#define REDIS_VERSION    "8.0.0"
#define RUN_ID_SIZE      40
#define COMMAND_ROWS_MAX 128
/* Descriptors that are not clients': log, directory, listeners, the library's. */
#define RESERVED_DESCRIPTORS 32

/* A search that is under way, from parsing its words to its last slice. */
struct search_task {
    struct search search;
    struct search_filter filter; /* used where the query says so */
    bool nested; /* VSEARCH: a hit with fields is an array; VSIM: flat, or a map */
    bool with_scores, with_attributes, with_tags;
    bool exact; /* not through the index */
    bool has_epsilon;
    double epsilon; /* keep hits whose score is at least 1 - epsilon */
    bool found;     /* the search is over, its reply has begun */
    uint32_t kept, replied; /* hits that it has, and has so far */
};

/* Where DEBUG DIGEST-VALUE is. */
/* LOG.RANGE on its way: the next entry, the one behind the last, and how many texts of
 * the next one are told. */
struct log_range_task {
    uint64_t next, end, text;
};

struct digest_task {
    size_t argument; /* the key */
    uint32_t slot;
    uint8_t sum[SHA256_SIZE + 8]; /* of the records before it, and room for their count */
};

/* Where KEYS is. */
struct keys_task {
    struct scan scan;
    uint64_t matches;
    bool counted;
};

/* Where VRANDMEMBER or VRANGE is. */
struct members_task {
    const struct state *state;
    const struct collection *collection;
    uint64_t wanted, replied;
    bool repeats; /* VRANDMEMBER: an element may come twice */
    uint64_t key[2];
    struct range_end { /* VRANGE */
        char sign;     /* '-' or '+'; 0: a name */
        bool open;     /* the name itself is not meant */
        struct slice name;
    } from, to;
    uint32_t next_slot;
    bool gathered;
    uint64_t found, unsorted;
};

struct server {
    const struct os *os;
    const struct allocator *allocator;
    struct options options;
    const char *options_path; /* NULL: none */
    const char *executable;
    struct notices notices;

    struct engine *engine;
    struct engine_report report;
    struct signer *signer; /* NULL: nothing is signed */
    struct loop *loop;
    struct loop_timer engine_timer, wake_timer, cron_timer, guess_timer;
    bool loading;
    bool reloading; /* it is DEBUG RELOAD that loads, or has just loaded */
    bool stopping;  /* leave the loop at the end of this turn */
    bool tidying;   /* the kernel has memory of deleted objects to give back */
    uint32_t expire_place; /* where the look for keys that are due goes on */
    bool refusing;  /* as engine_refusing() said last, to print the change */
    int exit_code;
    uint16_t port;   /* that it became */
    uint64_t now_us; /* monotonic, as of the last command */
    uint64_t started_us, ready_us, recovery_started_us;
    uint64_t turn_deadline_us; /* commands of this turn end here */
    uint64_t next_client_id;
    char run_id[RUN_ID_SIZE + 1];
    uint8_t hash_seed[16];
    const char *simd_name, *sha256_name;

    struct replica_link link; /* to our primary */
    struct replica *replicas; /* those whom we feed */
    struct client *waiting;   /* in WAIT */
    struct loop_timer wait_timer;
    struct pubsub pubsub;
    uint64_t released_before; /* entries from before we were a primary */

    struct job job;
    struct search_task search;
    struct recompute *recompute; /* PROOF.CONTENT's and DEBUG's, in `recompute_room` */
    void *recompute_room;
    struct digest_task digest;
    struct log_range_task log_range;
    struct keys_task keys;
    struct graph_task graph_task;
    struct members_task members;
    struct scratch scratch;
    struct reply nobody;        /* swallows the replies of clients that left */
    uint64_t saved_us, save_tried_us; /* monotonic; saves.c */
    uint64_t saves_said;              /* that have ended */
    const struct state *frozen;       /* DEBUG FREEZE */
    struct roots frozen_roots;

    size_t http_connections;
    uint16_t http_port, tls_port; /* that they became; 0: none */
    struct tls_context *tls_context;
    struct acl acl;
    struct guesses guesses;
    struct metrics metrics;
    struct errors errors;
    uint64_t memory_of[2];        /* clients, by enum acquaintance */
    uint64_t closed_output_bytes; /* sent by connections that are gone */
    uint64_t reset_output_bytes;  /* sent until the last CONFIG RESETSTAT */
    uint64_t live_output_bytes;   /* by those that are there, when last looked */
    size_t largest_input[2], largest_output[2]; /* buffers: of late, and before that */
    uint64_t recent_since_us;
    struct sample {
        uint64_t at_us, commands, input_bytes, output_bytes;
    } sampled;
    uint64_t input_rate, output_rate; /* bytes a second, over the last second */
    uint64_t peak_memory, startup_memory;
    struct {
        uint64_t until_us; /* CLIENT PAUSE: 0 when none is */
        bool all;          /* reads too */
        struct loop_timer timer;
    } pause;
    struct command_figures figures[COMMAND_ROWS_MAX];
};

/* Bring up what main() has configured: engine, sockets, loop. On failure a line on stderr
 * says why, and the result is the exit code; 0: go on with server_run(). */
int server_begin(struct server *server);
/* Serve until told to stop; gives the exit code. */
int server_run(struct server *server);
void server_free(struct server *server);

/* Leave the loop with this exit code at the end of the turn. */
void server_stop(struct server *server, int exit_code);
/* Save the state, throw it away and recover it from the log, as a start does: `loading`
 * until it is back. Needs a log, no job but the caller's, and no frozen view. A refusal
 * by the log has changed nothing; damage ends the server as it would end a start. */
enum status server_reload(struct server *server);
/* Keep the entries from `size` on in the file `name`, leave them, and recover what is before
 * them, as server_reload() does. Not while a job runs. A failure without `stopping` has
 * changed nothing. */
enum status server_go_back(struct server *server, uint64_t size, const char *name);
/* Begin anew without entries; the old log's files get `prefix` before their names. */
enum status server_begin_anew(struct server *server, const char *prefix);
/* Text of the engine's final failure. */
const char *server_error_text(const struct server *server);
/* Monotonic time now. */
uint64_t server_clock(const struct server *server);

/* By which listener a connection came. */
enum listener_kind { LISTENER_CLIENTS, LISTENER_HTTP, LISTENER_TLS };

/* --- clients.c -------------------------------------------------------------------- */

/* The loop's hooks. */
void clients_accepted(void *context, struct connection *connection);
void clients_closed(void *context, struct connection *connection);
bool clients_received(void *context, struct connection *connection);

/* Close who is idle, unknown or unread for too long; bring the account up to date. */
void clients_look(struct server *server);
/* After options that concern connections have changed. */
void clients_apply_options(struct server *server);
/* Bytes that all connections hold. */
uint64_t clients_memory(const struct server *server);

/* --- dispatch.c ------------------------------------------------------------------- */

enum dispatch_result {
    DISPATCH_DONE, /* answered */
    DISPATCH_BUSY, /* its job has begun and goes on */
    DISPATCH_WAIT, /* not looked at: another client's job runs */
};
enum dispatch_result dispatch(struct server *server, struct client *client,
                              const struct request *request);
/* Let those who wait try again: the pause is over, or was shortened. */
void dispatch_resume_waiting(struct server *server);
/* The running job is done: count it, and let its client and those who wait go on. */
void dispatch_job_done(struct server *server);

/* --- cmd_wait.c ------------------------------------------------------------------- */

/* Answer those in WAIT who have what they wait for, or whose time is over. */
void waits_look(struct server *server);
/* We are no primary any more: nobody will get it. */
void waits_end(struct server *server);
/* The client goes. */
void wait_forget(struct server *server, struct client *client);
/* CLIENT UNBLOCK; false when the client of this number does not wait. */
bool wait_unblock(struct server *server, int64_t id, bool with_error);

/* --- cmd_proof.c ------------------------------------------------------------------ */

/* Recompute the roots of `state`, which must stay as it is, in slices of a job: begin
 * (STATUS_MEMORY), then steps until the answer is not STATUS_AGAIN. */
enum status proof_begin(struct server *server, const struct state *state, bool content);
enum status proof_step(struct server *server, uint64_t deadline_us, struct roots *roots);

/* Two items of a map: a name, and a root in hex or a number. */
void proof_reply_hash(struct reply *reply, const char *name,
                      const uint8_t hash[SHA256_SIZE]);
void proof_reply_number(struct reply *reply, const char *name, uint64_t value);

/* Forget a recomputation that nobody waits for. Does nothing when there is none. */
void proof_end(struct server *server);

/* --- info.c ----------------------------------------------------------------------- */

/* Bring the figures of `metrics` that are only taken when asked up to date. */
void info_refresh(struct server *server);
/* INFO's text for the sections asked; `all` adds those that are not shown by default. */
void info_write(struct server *server, const struct slice *sections, size_t count,
                struct buffer *text);
/* Set every counter back to zero, for CONFIG RESETSTAT, and give their memory back. */
void info_reset(struct server *server);
/* Give their memory back at the end. */
void info_free(struct server *server);
/* Count one call for Latencystats. */
void info_note_latency(struct server *server, struct command_figures *figures,
                       uint64_t used_us);
/* What INFO calls used_memory: the allocator's bytes and the kernel's. */
uint64_t server_used_memory(const struct server *server);

/* --- docs.c ----------------------------------------------------------------------- */

/* Print `commands`, `options` or `metrics` as Markdown, or `conf` as valori.conf. */
bool docs_print(const char *what, FILE *file);

#endif
