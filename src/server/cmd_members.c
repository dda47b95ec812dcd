/* Elements by chance and in the order of their names: VRANDMEMBER VRANGE. Both answer in
 * slices (job.h). */
#include "server/server.h"
#include "server/words.h"

/* Names looked at between two looks at the clock. */
#define NAMES_PER_STEP 64
/* Of VRANDMEMBER with repetitions. */
#define REPETITIONS_MAX 1000000

/* --- VRANDMEMBER ------------------------------------------------------------------ */

/* A permutation of the numbers below `count`, chosen by a key: four rounds of a Feistel
 * network over the next even number of bits, walked until the number is below. */
static uint64_t permuted(uint64_t number, uint64_t count, const uint64_t key[2]) {
    uint32_t half = 1;
    while (count > UINT64_C(1) << 2 * half) half++;
    uint64_t mask = (UINT64_C(1) << half) - 1;
    do {
        uint64_t left = number >> half, right = number & mask;
        for (uint64_t round = 0; round < 4; round++) {
            uint64_t mixed =
                (right + key[round % 2] + round) * UINT64_C(0xbf58476d1ce4e5b9);
            mixed = (mixed ^ mixed >> 32) * UINT64_C(0x94d049bb133111eb);
            uint64_t next = left ^ (mixed >> 29 & mask);
            left = right;
            right = next;
        }
        number = left << half | right;
    } while (number >= count);
    return number;
}

static bool draw_more(struct call *call, uint64_t deadline_us) {
    struct server *server = call->server;
    struct members_task *task = &server->members;
    uint64_t count = collection_count(task->collection);
    for (uint32_t steps = 1; task->replied < task->wanted; steps++, task->replied++) {
        uint64_t index = task->replied;
        if (task->repeats)
            server->os->random(server->os, (uint8_t *)&index, sizeof index);
        index = task->repeats ? index % count : permuted(index, count, task->key);
        struct record record;
        collection_record_at(task->state, task->collection, index, &record);
        reply_bulk(call_reply(call), record.element);
        if (steps % NAMES_PER_STEP == 0 && server_clock(server) >= deadline_us) {
            task->replied++;
            return task->replied == task->wanted;
        }
    }
    return true;
}

static bool read_random_count(struct call *call, int64_t *count) {
    if (!word_integer(call->arguments[2], count)) {
        call_error(call, "ERR COUNT value is not an integer");
        return false;
    }
    if (*count < -REPETITIONS_MAX) {
        call_error(call, "ERR COUNT is below -1000000");
        return false;
    }
    return true;
}

READ(cmd_vrandmember) {
    struct server *server = call->server;
    int64_t count = 1;
    bool many = call->count == 3;
    if (call->count > 3) {
        call_arity_error(call);
        return;
    }
    if (many && !read_random_count(call, &count)) return;
    if (count == 0) { /* before the key is looked at: as Redis has it */
        reply_array(call_reply(call), 0);
        return;
    }
    const struct collection *collection = call_collection(call, state);
    if (call->failed) return;
    uint64_t live = collection ? collection_count(collection) : 0;
    if (live == 0) {
        if (many) reply_array(call_reply(call), 0);
        else reply_null(call_reply(call));
        return;
    }
    struct members_task *task = &server->members;
    *task =
        (struct members_task){.state = state,
                              .collection = collection,
                              .repeats = count < 0,
                              .wanted = count < 0 ? (uint64_t)-count : (uint64_t)count};
    if (!task->repeats && task->wanted > live) task->wanted = live;
    server->os->random(server->os, (uint8_t *)task->key, sizeof task->key);
    if (many) reply_array(call_reply(call), task->wanted);
    server->job.more = draw_more;
}

/* --- VRANGE ----------------------------------------------------------------------- */

/* '-', '+', or '[' or '(' and a name. False: none of them. */
static bool read_end(struct slice word, struct range_end *end) {
    *end = (struct range_end){.open = true};
    if (word.size == 1 && (*word.data == '-' || *word.data == '+')) {
        end->sign = (char)*word.data;
        return true;
    }
    if (word.size < 2 || (*word.data != '[' && *word.data != '(')) return false;
    end->open = *word.data == '(';
    end->name = slice_of(word.data + 1, word.size - 1);
    return true;
}

static bool read_range(struct call *call, struct members_task *task, int64_t *count) {
    if (!read_end(call->arguments[2], &task->from))
        call_error(call, "ERR invalid start range format");
    else if (!read_end(call->arguments[3], &task->to))
        call_error(call, "ERR invalid end range format");
    else if (task->from.sign == '+' || task->to.sign == '-')
        call_error(call,
                   "ERR '-' can only be used as first argument, '+' only as second");
    else if (call->count == 5 && !word_integer(call->arguments[4], count))
        call_error(call, "ERR invalid COUNT value");
    return !call->failed;
}

static struct slice name_in(const struct members_task *task, uint64_t slot) {
    struct record record = {0};
    record_at(task->state, task->collection, (uint32_t)slot, &record);
    return record.element;
}

static bool in_range(const struct members_task *task, struct slice name) {
    if (!task->from.sign) {
        int order = slice_compare(name, task->from.name);
        if (order < 0 || (order == 0 && task->from.open)) return false;
    }
    if (task->to.sign) return true;
    int order = slice_compare(name, task->to.name);
    return order < 0 || (order == 0 && !task->to.open);
}

/* The names kept are a heap, the last of them at its root, in the room for tags. */
static void sift_down(struct members_task *task, uint64_t *heap, uint64_t count) {
    uint64_t moving = heap[0], at = 0;
    struct slice name = name_in(task, moving);
    for (uint64_t child; (child = 2 * at + 1) < count; at = child) {
        struct slice next = name_in(task, heap[child]);
        if (child + 1 < count) {
            struct slice other = name_in(task, heap[child + 1]);
            if (slice_compare(other, next) > 0) {
                child++;
                next = other;
            }
        }
        if (slice_compare(next, name) <= 0) break;
        heap[at] = heap[child];
    }
    heap[at] = moving;
}

static void sift_up(struct members_task *task, uint64_t *heap, uint64_t at) {
    uint64_t moving = heap[at];
    struct slice name = name_in(task, moving);
    for (uint64_t parent; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (slice_compare(name_in(task, heap[parent]), name) >= 0) break;
        heap[at] = heap[parent];
    }
    heap[at] = moving;
}

/* Look at the next element; false when there is none. */
static bool gather_name(struct members_task *task, uint64_t *heap) {
    struct record record;
    if (task->next_slot == collection_slot_limit(task->collection)) return false;
    uint64_t slot = task->next_slot++;
    if (!record_at(task->state, task->collection, (uint32_t)slot, &record) ||
        !in_range(task, record.element))
        return true;
    if (task->found < task->wanted) {
        heap[task->found] = slot;
        sift_up(task, heap, task->found++);
    } else if (slice_compare(record.element, name_in(task, heap[0])) < 0) {
        heap[0] = slot;
        sift_down(task, heap, task->found);
    }
    return true;
}

/* Put the last of the heap behind it; false when all are in order. */
static bool sort_name(struct members_task *task, uint64_t *heap) {
    if (task->unsorted <= 1) return false;
    uint64_t last = heap[0];
    heap[0] = heap[--task->unsorted];
    heap[task->unsorted] = last;
    sift_down(task, heap, task->unsorted);
    return true;
}

static bool range_step(struct call *call, struct members_task *task) {
    uint64_t *heap = call->server->scratch.tags;
    if (!task->gathered) {
        if (gather_name(task, heap)) return true;
        task->gathered = true;
        task->unsorted = task->found;
        reply_array(call_reply(call), task->found);
    }
    if (sort_name(task, heap)) return true;
    if (task->replied == task->found) return false;
    reply_bulk(call_reply(call), name_in(task, heap[task->replied++]));
    return true;
}

static bool range_more(struct call *call, uint64_t deadline_us) {
    struct members_task *task = &call->server->members;
    for (uint32_t steps = 1; range_step(call, task); steps++)
        if (steps % NAMES_PER_STEP == 0 && server_clock(call->server) >= deadline_us)
            return false;
    return true;
}

READ(cmd_vrange) {
    struct members_task *task = &call->server->members;
    int64_t count = -1;
    *task = (struct members_task){.state = state};
    if (call->count > 5) {
        call_arity_error(call);
        return;
    }
    if (!read_range(call, task, &count)) return;
    task->collection = call_collection(call, state);
    if (call->failed) return;
    uint64_t live = task->collection ? collection_count(task->collection) : 0;
    task->wanted = count < 0 || (uint64_t)count > live ? live : (uint64_t)count;
    if (task->wanted == 0) {
        reply_array(call_reply(call), 0);
    } else if (scratch_tags(&call->server->scratch, (size_t)task->wanted)) {
        call_error(call, "OOM command not allowed when used memory > 'maxmemory'.");
    } else {
        call->server->job.more = range_more;
    }
}
