/* One command on its way: who asks, what was asked, and where the answer goes. */
#ifndef SERVER_CALL_H
#define SERVER_CALL_H

#include "kernel/kernel.h"
#include "net/resp_write.h"
#include "server/command_table.h"

struct client;
struct server;

struct call {
    struct server *server;
    struct client *client; /* NULL: it left while its command ran; replies go nowhere */
    const struct command *command;
    const struct subcommand *subcommand; /* NULL: it has none */
    const struct slice *arguments; /* the command's name is the first */
    size_t count;
    uint32_t db;
    bool failed; /* an error was answered */
    bool receipt; /* a write that answers with its entry's place as well */
    char *
        refusal; /* while a transaction is planned: errors come here instead of a reply */
};
#define CALL_REFUSAL_SIZE 256

/* The handlers of a write: the subcommand's where there is one. NULL for other rows. */
write_handler *call_write(const struct call *call);
answer_handler *call_answer(const struct call *call);

/* The answer "WRONGTYPE ...". */
void call_wrong_type(struct call *call);
/* Whether a key's name has a size that a stored one may have; answers if not. */
bool call_key_fits(struct call *call, struct slice key);

/* Where the answer is written: exactly one value for each call. */
struct reply *call_reply(struct call *call);

/* Answer with an error. Bytes quoted from clients are made printable. */
void call_error(struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void call_arity_error(struct call *call);
/* The error of a change that was refused. `state` is as the change met it. */
void call_refusal(struct call *call, const struct state *state,
                  const struct tally *tally);
/* "This thing is not available in this release". */
void call_unavailable(struct call *call, const char *what);

struct slice call_argument(const struct call *call, size_t index);
bool call_is(const struct call *call, size_t index, const char *word);
/* Whether the argument can be given to glob_match(); otherwise the error is answered. */
bool call_pattern(struct call *call, size_t index);

/* The object under the key in argument 1, or NULL; counts hits and misses. */
const struct object *call_object(struct call *call, const struct state *state);
/* The same for what wants a collection: NULL, and the error is answered, when the key
 * holds something else. */
const struct collection *call_collection(struct call *call, const struct state *state);
/* The record of the element in argument 2 of the collection; false without an element, a
 * key, or, with the error answered, a collection. */
bool call_record(struct call *call, const struct state *state, struct record *record);

/* As TYPE says it. */
const char *type_name(const struct object *object);

/* EX, PX, EXAT or PXAT at *at and the number behind it, to which *at then points: the
 * deadline, in ms since 1970. */
enum deadline_word {
    DEADLINE_NONE,  /* no such word, or none behind it */
    DEADLINE_WRONG, /* the error is answered */
    DEADLINE_GIVEN,
};
enum deadline_word call_deadline(struct call *call, size_t *at, uint64_t *deadline);
/* The number at `at`, which must be positive, as a deadline; false, with the error
 * answered. */
bool call_lifetime(struct call *call, size_t at, bool seconds, bool relative,
                   uint64_t *deadline, int64_t *number);

/* Append a client's line of CLIENT LIST. */
void client_line(struct buffer *text, const struct client *client);

/* Name the calling connection; false, and the error is answered, for a bad name. */
bool client_name(struct call *call, struct slice name);

/* Printable form of bytes for an error: others become '?'. At most `size` with the NUL.
 */
const char *call_quote(struct slice bytes, char *text, size_t size);

/* --- Commands, by file ------------------------------------------------------------ */

#define READ(name) void name(struct call *call, const struct state *state)
#define WRITE(name)                                                                      \
    enum plan_result name(struct call *call, const struct state *state, struct plan *plan)
#define ANSWER(name)                                                                     \
    void name(struct call *call, const struct state *state, const struct tally *tally)
#define BEFORE(name)                                                                     \
    void name(struct call *call, const struct state *state, struct tally *tally)
#define COMMAND(name) void name(struct call *call)

COMMAND(cmd_ping); /* cmd_connection.c */
COMMAND(cmd_echo);
COMMAND(cmd_hello);
COMMAND(cmd_auth);
COMMAND(cmd_select);
COMMAND(cmd_quit);
COMMAND(cmd_reset);
COMMAND(cmd_client_id); /* cmd_client.c */
COMMAND(cmd_client_getname);
COMMAND(cmd_client_setname);
COMMAND(cmd_client_setinfo);
COMMAND(cmd_client_info);
COMMAND(cmd_client_list); /* cmd_client_choice.c */
COMMAND(cmd_client_kill);
COMMAND(cmd_client_reply); /* cmd_client_mode.c */
COMMAND(cmd_client_pause);
COMMAND(cmd_client_unpause);
COMMAND(cmd_client_unblock);
COMMAND(cmd_client_tracking);
COMMAND(cmd_client_trackinginfo);
COMMAND(cmd_client_getredir);
COMMAND(cmd_client_caching);
COMMAND(cmd_client_no_evict);
COMMAND(cmd_client_no_touch);
COMMAND(cmd_help); /* of any command with subcommands */
COMMAND(cmd_acl_whoami); /* cmd_acl.c */
COMMAND(cmd_acl_users);
COMMAND(cmd_acl_list);
COMMAND(cmd_acl_getuser);
COMMAND(cmd_acl_cat);
COMMAND(cmd_acl_genpass);
COMMAND(cmd_acl_dryrun);
COMMAND(cmd_acl_log);
WRITE(cmd_acl_setuser); /* cmd_acl_write.c */
WRITE(cmd_acl_deluser);
WRITE(cmd_acl_load);
COMMAND(cmd_acl_save);
COMMAND(cmd_info); /* cmd_server.c */
COMMAND(cmd_time);
COMMAND(cmd_save); /* cmd_save.c */
COMMAND(cmd_bgsave);
COMMAND(cmd_lastsave);
COMMAND(cmd_shutdown);
COMMAND(cmd_config_get); /* cmd_config.c */
COMMAND(cmd_config_set);
COMMAND(cmd_config_resetstat);
COMMAND(cmd_config_rewrite);
COMMAND(cmd_command); /* cmd_command.c */
COMMAND(cmd_command_count);
COMMAND(cmd_command_info);
COMMAND(cmd_command_docs);
COMMAND(cmd_command_list);
COMMAND(cmd_command_getkeys);
COMMAND(cmd_command_getkeysandflags);
READ(cmd_dbsize); /* cmd_keyspace.c */
READ(cmd_exists);
READ(cmd_type);
WRITE(cmd_del);
ANSWER(answer_count);
WRITE(cmd_flushall);
WRITE(cmd_flushdb);
ANSWER(answer_ok);
WRITE(cmd_rename);
ANSWER(answer_rename);
ANSWER(answer_renamenx);
COMMAND(cmd_memory_usage);
READ(cmd_keys); /* cmd_scan.c */
READ(cmd_scan);
READ(cmd_randomkey);
READ(cmd_vrandmember);
READ(cmd_vrange);
READ(cmd_vscan);
READ(cmd_get); /* cmd_string.c */
READ(cmd_strlen);
READ(cmd_mget);
WRITE(cmd_set);
BEFORE(before_set);
ANSWER(answer_set);
WRITE(cmd_setnx);
ANSWER(answer_setnx);
WRITE(cmd_getset);
BEFORE(before_getset);
ANSWER(answer_getset);
WRITE(cmd_getdel);
WRITE(cmd_setex);
WRITE(cmd_psetex);
WRITE(cmd_copy);
ANSWER(answer_copy);
WRITE(cmd_expire); /* cmd_expire.c */
WRITE(cmd_pexpire);
WRITE(cmd_expireat);
WRITE(cmd_pexpireat);
WRITE(cmd_persist);
ANSWER(answer_expire);
WRITE(cmd_getex);
READ(cmd_ttl);
READ(cmd_pttl);
READ(cmd_expiretime);
READ(cmd_pexpiretime);
WRITE(cmd_mset);
WRITE(cmd_append);
ANSWER(answer_append);
WRITE(cmd_incr);
WRITE(cmd_decr);
WRITE(cmd_incrby);
WRITE(cmd_decrby);
ANSWER(answer_incr);
COMMAND(cmd_replicaof); /* cmd_replication.c */
COMMAND(cmd_role);
COMMAND(cmd_replconf);
COMMAND(cmd_psync);
COMMAND(cmd_subscribe); /* cmd_pubsub.c */
COMMAND(cmd_psubscribe);
COMMAND(cmd_unsubscribe);
COMMAND(cmd_punsubscribe);
COMMAND(cmd_publish);
COMMAND(cmd_pubsub_channels);
COMMAND(cmd_pubsub_numsub);
COMMAND(cmd_pubsub_numpat);
COMMAND(cmd_wait); /* cmd_wait.c */
COMMAND(cmd_waitaof);
COMMAND(cmd_log_info); /* cmd_log.c */
COMMAND(cmd_log_range);
COMMAND(cmd_log_trim);
COMMAND(cmd_multi); /* cmd_transaction.c */
COMMAND(cmd_exec);
COMMAND(cmd_discard);
COMMAND(cmd_watch);
COMMAND(cmd_unwatch);
WRITE(cmd_vcreate); /* cmd_collection.c */
ANSWER(answer_vcreate);
READ(cmd_vcard);
READ(cmd_vdim);
READ(cmd_vinfo);
READ(cmd_vlinks);
WRITE(cmd_vadd); /* cmd_vector.c */
ANSWER(answer_vadd);
WRITE(cmd_vmadd);
ANSWER(answer_vmadd);
WRITE(cmd_vrem);
WRITE(cmd_vsetattr); /* cmd_element.c */
ANSWER(answer_bool);
WRITE(cmd_vtag);
ANSWER(answer_vtag);
READ(cmd_vgetattr);
READ(cmd_vismember);
READ(cmd_vget);
READ(cmd_vemb);
WRITE(cmd_graph_create); /* cmd_graph.c */
WRITE(cmd_graph_node);
WRITE(cmd_graph_edge);
ANSWER(answer_graph_set);
WRITE(cmd_graph_madd);
ANSWER(answer_graph_madd);
WRITE(cmd_graph_del);
ANSWER(answer_graph_del);
READ(cmd_graph_get); /* cmd_graph_read.c */
READ(cmd_graph_exists);
READ(cmd_graph_card);
READ(cmd_graph_info);
READ(cmd_graph_scan);
READ(cmd_graph_neighbors); /* cmd_graph_neighbors.c */
READ(cmd_graph_walk);      /* cmd_graph_walk.c */
READ(cmd_graph_path);
READ(cmd_vsearch); /* cmd_search.c */
READ(cmd_vsim);
COMMAND(cmd_proof_state); /* cmd_proof.c */
READ(cmd_proof_content);
COMMAND(cmd_proof_record); /* cmd_proof_record.c */
COMMAND(cmd_proof_key);
COMMAND(cmd_proof_sample);
COMMAND(cmd_proof_checkpoint); /* cmd_proof_log.c */
bool proof_checkpoint_waits(struct call *call);
COMMAND(cmd_proof_cosign);
COMMAND(cmd_proof_log);
COMMAND(cmd_proof_consistency);
COMMAND(cmd_proof_entry);
COMMAND(cmd_proof_receipt);
bool proof_receipt_waits(struct call *call);
COMMAND(cmd_proof_provenance);
COMMAND(cmd_debug_sleep); /* cmd_debug.c */
COMMAND(cmd_debug_reload);
COMMAND(cmd_debug_diverge);
COMMAND(cmd_debug_digest);
COMMAND(cmd_debug_digest_value);
COMMAND(cmd_debug_panic);
COMMAND(cmd_debug_verify);
COMMAND(cmd_debug_freeze);
COMMAND(cmd_debug_unfreeze);

#endif
