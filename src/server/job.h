/* The one command that looks at or changes the state right now.
 *
 * Every read, write and EXEC runs as a job, in slices. Nearly all are done in their first
 * slice. While a longer one goes on, the loop answers PING, INFO and the like between its
 * slices, and data commands of other clients wait for their turn: so nobody sees half of
 * it. */
#ifndef SERVER_JOB_H
#define SERVER_JOB_H

#include "server/client.h"
#include "server/plan.h"

/* Longest stretch between two looks at the sockets, in microseconds (DESIGN.md 13.11).
 * With -DJOB_SLICE_US=0 every command is cut wherever it can be: for tests. */
#ifndef JOB_SLICE_US
#define JOB_SLICE_US 3000
#endif

enum job_phase { JOB_BEGIN, JOB_PLAN, JOB_SUBMIT, JOB_WALK, JOB_MORE };

/* Elements and payloads of one entry, each: what the frame's lengths and the reservation of
 * memory allow for. */
#define BATCH_BYTES_MAX ((size_t)1 << 30)

struct job {
    bool active;
    enum job_phase phase;
    bool (*step)(struct server *server, uint64_t deadline_us); /* true when it is done */
    struct call call;
    /* A read that is not done after its handler returned sets this: true when it is. */
    bool (*more)(struct call *call, uint64_t deadline_us);
    uint64_t wake_us; /* there is nothing to do before; 0: at once */
    uint64_t used_us; /* in the slices so far */
    struct plan plan;
    struct tally tally;
    uint32_t events; /* of the running command's changes, seen so far */
    struct batch batch;
    bool submitted; /* the batch is in the log: it must be walked to its end */
    /* EXEC: */
    struct queue queue;
    struct queued *at;
    struct overlay overlay;
    enum status refused; /* a batch of one GROUP was refused as a whole */
};

/* Take `call` up. Nothing runs yet. */
void job_begin(struct server *server, const struct call *call);

/* The same for a command that has nothing but slices. */
void job_begin_more(struct server *server, const struct call *call,
                    bool (*more)(struct call *call, uint64_t deadline_us));

/* Run it until done (true) or until `deadline_us`. The caller answers for the marks. */
bool job_run(struct server *server, uint64_t deadline_us);

/* The client leaves. Its job is given up if nothing of it is logged, and otherwise goes
 * on without anybody to answer. */
void job_abandon(struct server *server, struct client *client);

/* Steps of the running job, shared with EXEC. job_submit() puts the batch into the log:
 * STATUS_AGAIN: its slice is over, and it is not there. */
enum status job_submit(struct server *server, uint64_t deadline_us);
bool job_walk(struct server *server, uint32_t changes, uint64_t deadline_us);
void job_drain(struct server *server);
bool exec_step(struct server *server, uint64_t deadline_us);

#endif
