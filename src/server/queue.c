/* The commands that MULTI has queued: each one is a block with copies of its arguments.
 */
#include "base/bytes.h"
#include "base/status.h"
#include "server/call.h"
#include "server/client.h"

static enum status block_size(const struct slice *arguments, size_t count, size_t *size) {
    size_t table;
    if (!size_multiply(count, sizeof *arguments, &table) ||
        !size_add(table, sizeof(struct queued), size))
        return STATUS_TOO_LARGE;
    for (size_t i = 0; i < count; i++)
        if (!size_add(*size, arguments[i].size, size)) return STATUS_TOO_LARGE;
    return STATUS_OK;
}

enum status queue_add(struct queue *queue, const struct allocator *allocator,
                      const struct command *command, const struct slice *arguments,
                      size_t count, size_t limit) {
    size_t size, total;
    if (block_size(arguments, count, &size) || !size_add(queue->bytes, size, &total) ||
        total > limit)
        return STATUS_TOO_LARGE;
    struct queued *queued = allocate(allocator, size);
    if (!queued) return STATUS_MEMORY;

    struct slice *table = (struct slice *)(queued + 1);
    uint8_t *bytes = (uint8_t *)(table + count);
    for (size_t i = 0; i < count; i++) {
        if (arguments[i].size) memcpy(bytes, arguments[i].data, arguments[i].size);
        table[i] = slice_of(bytes, arguments[i].size);
        bytes += arguments[i].size;
    }
    *queued = (struct queued){
        .size = size, .command = command, .arguments = table, .count = count};
    if (queue->last) queue->last->next = queued;
    else queue->first = queued;
    queue->last = queued;
    queue->count++;
    queue->bytes = total;
    return STATUS_OK;
}

void queue_free(struct queue *queue, const struct allocator *allocator) {
    for (struct queued *queued = queue->first; queued;) {
        struct queued *next = queued->next;
        release(allocator, queued->refusal, CALL_REFUSAL_SIZE);
        release(allocator, queued, queued->size);
        queued = next;
    }
    *queue = (struct queue){0};
}
