/* Tree files and removals, a segment at a time.
 *
 * The order makes every crash harmless. A tree file gets its name when it was synced and
 * read back. A segment is removed after its tree file and its archived copy have their
 * names on the disk, and before the next one is touched, so that the row of segments
 * never has a gap. */
#include "storage/log_upkeep.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "storage/log_internal.h"
#include "storage/log_tree.h"

#define PIECE ((size_t)256 * 1024)

/* --- A tree file: writing ------------------------------------------------------------
 */

struct tree_writer {
    struct log_upkeep *job;
    struct reader reader; /* of the segment, then of what was written */
    struct file *file;
    struct rfc6962_range range; /* with the leaves so far */
    struct log_nodes nodes;     /* its first row: the blocks that end in the segment */
    uint8_t leaves[NODES_BLOCK][SHA256_SIZE]; /* not written yet */
    size_t waiting;
    uint64_t at; /* where they go */
};

static enum status write_leaves(struct tree_writer *writer) {
    const struct os *os = writer->job->os;
    size_t size = writer->waiting * SHA256_SIZE;
    enum status status =
        os->file_write(os, writer->file, writer->at, writer->leaves, size);
    writer->at += size;
    writer->waiting = 0;
    return status;
}

static enum status take_leaf(struct tree_writer *writer,
                             const uint8_t leaf[SHA256_SIZE]) {
    enum status status =
        nodes_reserve(&writer->nodes, writer->job->allocator, &writer->range);
    if (status) return status;
    nodes_append(&writer->nodes, &writer->range, leaf);
    memcpy(writer->leaves[writer->waiting++], leaf, SHA256_SIZE);
    return writer->waiting == NODES_BLOCK ? write_leaves(writer) : STATUS_OK;
}

/* Hash the entries of the open segment. */
static enum status hash_entries(struct tree_writer *writer) {
    struct log_upkeep *job = writer->job;
    uint64_t offset = SEGMENT_HEADER_SIZE;
    if (writer->reader.size < job->size) return STATUS_CORRUPT;
    writer->reader.size = job->size;
    enum status status = STATUS_OK;
    while (!status && offset < job->size) {
        struct frame_header header;
        const uint8_t *bytes;
        status = log_frame_at(&writer->reader, job->segment.key, offset, false, &header,
                              &bytes);
        if (status == STATUS_END) return STATUS_CORRUPT;
        if (status) return status;
        uint64_t size;
        check(frame_size(&header, &size));
        struct frame frame;
        log_describe_frame(job->segment.number, offset, &header, bytes, &frame);
        offset += size;
        if (header.kind != FRAME_ENTRY) continue;
        if (header.sequence != writer->range.size) return STATUS_CORRUPT;
        status = take_leaf(writer, frame.leaf);
    }
    return status ? status : write_leaves(writer);
}

/* Are these the leaves that the headers speak of? */
static bool fits(const struct tree_header *tree, const struct rfc6962_range *range) {
    uint8_t root[SHA256_SIZE];
    rfc6962_root(range, root);
    return range->size == tree->base + tree->count &&
           memcmp(root, tree->root_after, SHA256_SIZE) == 0;
}

/* What stands before the leaves. */
static enum status write_roots(struct tree_writer *writer) {
    struct log_upkeep *job = writer->job;
    const struct os *os = job->os;
    size_t size = (size_t)(tree_leaves_at(&job->tree) - TREE_HEADER_SIZE);
    size_t range_size = (size_t)tree_range_count(&job->tree) * SHA256_SIZE;
    uint8_t *roots = allocate(job->allocator, size + 1), header[TREE_HEADER_SIZE];
    if (!roots) return STATUS_MEMORY;
    check(writer->nodes.rows[0].count == tree_block_count(&job->tree));
    tree_range_encode(&job->before, roots);
    if (size > range_size)
        memcpy(roots + range_size, writer->nodes.rows[0].hashes, size - range_size);
    sha256(roots, size, job->tree.roots_hash);
    tree_header_encode(&job->tree, header);
    enum status status = os->file_write(os, writer->file, 0, header, sizeof header);
    if (!status) status = os->file_write(os, writer->file, TREE_HEADER_SIZE, roots, size);
    release(job->allocator, roots, size + 1);
    return status;
}

/* --- A tree file: reading back -------------------------------------------------------
 */

/* Does the disk hold it? */
static enum status read_back(struct tree_writer *writer, const char *name) {
    struct log_upkeep *job = writer->job;
    const struct os *os = job->os;
    struct file_facts facts;
    uint64_t resident;
    enum status status = os->file_drop_cache(os, writer->file, &resident);
    if (!status) status = reader_open(&writer->reader, job->directory, name, &facts);
    if (status) return status;
    uint64_t at = tree_leaves_at(&job->tree);
    if (facts.size != tree_file_size(&job->tree)) return STATUS_IO;
    const uint8_t *bytes;
    struct tree_header back;
    uint8_t hash[SHA256_SIZE];
    status = reader_bytes(&writer->reader, 0, (size_t)at, &bytes);
    if (status) return status;
    sha256(bytes + TREE_HEADER_SIZE, (size_t)at - TREE_HEADER_SIZE, hash);
    if (tree_header_decode(bytes, &back) ||
        memcmp(hash, job->tree.roots_hash, SHA256_SIZE) != 0)
        return STATUS_IO;
    struct rfc6962_range range = job->before;
    for (; at < facts.size; at += SHA256_SIZE) {
        status = reader_bytes(&writer->reader, at, SHA256_SIZE, &bytes);
        if (status) return status;
        rfc6962_append(&range, bytes);
    }
    return fits(&job->tree, &range) ? STATUS_OK : STATUS_IO;
}

/* Open NAME.tmp, empty. */
static enum status open_temporary(struct log_upkeep *job, struct directory *directory,
                                  const char *name, struct file **file) {
    const struct os *os = job->os;
    enum status status = os->file_open(os, directory, name, FILE_CREATE, file);
    if (status != STATUS_EXISTS) return status;
    status = os->remove(os, directory, name); /* what an interrupted job has left */
    return status ? status : os->file_open(os, directory, name, FILE_CREATE, file);
}

/* Write, sync and read back the file, which has its temporary name. */
static enum status fill_tree(struct tree_writer *writer, const char *temporary) {
    struct log_upkeep *job = writer->job;
    const struct os *os = job->os;
    char segment[SEGMENT_NAME_SIZE];
    struct file_facts facts;
    segment_name(job->segment.number, segment);
    enum status status = reader_open(&writer->reader, job->directory, segment, &facts);
    if (!status) status = hash_entries(writer);
    if (!status && !fits(&job->tree, &writer->range)) status = STATUS_CORRUPT;
    if (!status) status = write_roots(writer);
    if (!status) status = os->file_sync(os, writer->file);
    reader_close(&writer->reader);
    if (!status) status = read_back(writer, temporary);
    return status;
}

static enum status make_tree(struct log_upkeep *job) {
    const struct os *os = job->os;
    char name[SEGMENT_NAME_SIZE], temporary[SEGMENT_NAME_SIZE + 8];
    tree_name(job->segment.number, name);
    snprintf(temporary, sizeof temporary, "%s.tmp", name);
    struct tree_writer writer = {
        .job = job, .range = job->before, .at = tree_leaves_at(&job->tree)};
    reader_init(&writer.reader, os, job->allocator);
    nodes_begin(&writer.nodes, &job->before);
    enum status status = open_temporary(job, job->directory, temporary, &writer.file);
    if (status) return status;
    status = fill_tree(&writer, temporary);
    if (status) job->error = os->error(os);
    reader_free(&writer.reader);
    nodes_free(&writer.nodes, job->allocator);
    os->file_close(os, writer.file);
    if (!status) status = os->rename(os, job->directory, temporary, name);
    if (!status) status = os->directory_sync(os, job->directory);
    if (status) os->remove(os, job->directory, temporary);
    return status;
}

/* --- Archiving and removing ----------------------------------------------------------
 */

/* Is the file in the archive, open in `reader`, the segment byte for byte? */
static enum status compare_files(struct reader *segment, struct reader *copy,
                                 bool *same) {
    *same = segment->size == copy->size;
    for (uint64_t offset = 0; *same && offset < segment->size;) {
        uint64_t left = segment->size - offset;
        size_t size = left < PIECE ? (size_t)left : PIECE;
        const uint8_t *a, *b;
        enum status status = reader_bytes(segment, offset, size, &a);
        if (!status) status = reader_bytes(copy, offset, size, &b);
        if (status) return status;
        *same = memcmp(a, b, size) == 0;
        offset += size;
    }
    return STATUS_OK;
}

/* Compare the open segment with the file `name` of the archive. STATUS_NOT_FOUND. */
static enum status compare_archived(struct log_upkeep *job, struct reader *segment,
                                    const char *name, bool *same) {
    struct reader copy;
    struct file_facts facts;
    reader_init(&copy, job->os, job->allocator);
    enum status status = reader_open(&copy, job->archive, name, &facts);
    if (!status) status = compare_files(segment, &copy, same);
    reader_free(&copy);
    return status;
}

static enum status copy_file(struct log_upkeep *job, struct reader *segment,
                             const char *temporary) {
    const struct os *os = job->os;
    struct file *copy;
    enum status status = open_temporary(job, job->archive, temporary, &copy);
    if (status) return status;
    for (uint64_t offset = 0; !status && offset < segment->size;) {
        uint64_t left = segment->size - offset;
        size_t size = left < PIECE ? (size_t)left : PIECE;
        const uint8_t *bytes;
        status = reader_bytes(segment, offset, size, &bytes);
        if (!status) status = os->file_write(os, copy, offset, bytes, size);
        offset += size;
    }
    if (!status) status = os->file_sync(os, copy);
    uint64_t resident;
    if (!status) status = os->file_drop_cache(os, copy, &resident);
    os->file_close(os, copy);
    return status;
}

/* Put a copy into the archive, unless it is there already. */
static enum status archive_open(struct log_upkeep *job, struct reader *segment,
                                const char *name) {
    const struct os *os = job->os;
    char temporary[SEGMENT_NAME_SIZE + 8];
    snprintf(temporary, sizeof temporary, "%s.tmp", name);
    bool same = false;
    enum status status = compare_archived(job, segment, name, &same);
    if (!status) return same ? STATUS_OK : STATUS_EXISTS;
    if (status != STATUS_NOT_FOUND) return status;
    status = copy_file(job, segment, temporary);
    if (!status) status = compare_archived(job, segment, temporary, &same);
    if (!status && !same) status = STATUS_IO;
    if (!status) status = os->rename(os, job->archive, temporary, name);
    if (!status) return os->directory_sync(os, job->archive);
    job->error = os->error(os);
    os->remove(os, job->archive, temporary);
    return status;
}

static enum status archive_segment(struct log_upkeep *job, const char *name) {
    struct reader segment;
    struct file_facts facts;
    reader_init(&segment, job->os, job->allocator);
    enum status status = reader_open(&segment, job->directory, name, &facts);
    if (!status) {
        segment.size = job->size;
        status =
            facts.size < job->size ? STATUS_CORRUPT : archive_open(job, &segment, name);
    }
    reader_free(&segment);
    return status;
}

static enum status remove_segment(struct log_upkeep *job) {
    const struct os *os = job->os;
    char name[SEGMENT_NAME_SIZE];
    segment_name(job->segment.number, name);
    enum status status = STATUS_OK;
    if (!job->removed) {
        if (job->archive) status = archive_segment(job, name);
#ifdef BUG_61
        status = STATUS_OK;
#endif
        if (!status) status = os->remove(os, job->directory, name);
        job->removed = !status;
    }
    return status ? status : os->directory_sync(os, job->directory);
}

void log_upkeep_work(struct log_upkeep *job) {
    job->error = 0;
    job->status = job->kind == UPKEEP_TREE ? make_tree(job) : remove_segment(job);
    if (job->status && job->error == 0) job->error = job->os->error(job->os);
}

/* --- Picking -------------------------------------------------------------------------
 */

static void begin_job(struct log *log, size_t index, enum upkeep_kind kind,
                      struct directory *archive, struct log_upkeep *job) {
    const struct segment *segment = &log->segments[index];
    *job = (struct log_upkeep){
        .os = log->os,
        .allocator = log->allocator,
        .directory = log->directory,
        .archive = archive,
        .kind = kind,
        .segment = segment->header,
        .size = segment->end,
        .removed = segment->removed,
    };
}

/* The tree before the segment is needed; where nobody knows it, there can be no file. */
static enum status begin_tree(struct log *log, size_t index, struct log_upkeep *job) {
    begin_job(log, index, UPKEEP_TREE, NULL, job);
    const struct segment_header *segment = &log->segments[index].header;
    const struct segment_header *next = &log->segments[index + 1].header;
    struct tree_header *tree = &job->tree;
    tree->number = segment->number;
    tree->base = segment->base;
    tree->count = next->base - segment->base;
    memcpy(tree->log_id, segment->log_id, LOG_ID_SIZE);
    memcpy(tree->root_before, segment->root, SHA256_SIZE);
    memcpy(tree->root_after, next->root, SHA256_SIZE);
    return log_range_at(log, segment->base, &job->before);
}

uint64_t log_trim_place(const struct log *log, uint64_t sequence) {
    size_t index = 0;
    while (index + 1 < log->segment_count &&
           log->segments[index + 1].header.base <= sequence)
        index++;
    return log->segment_count > 0 ? log->segments[index].header.base : 0;
}

uint64_t log_place_keeping(const struct log *log, uint64_t bytes) {
    uint64_t kept = 0;
    size_t index = log->segment_count;
    while (index > 0 && kept < bytes) kept += log->segments[--index].end;
    return index < log->segment_count ? log->segments[index].header.base : log->tree.size;
}

enum status log_upkeep_pick(struct log *log, const struct upkeep_wish *wish,
                            struct log_upkeep *job) {
    check(log->phase == LOG_STARTED);
    for (size_t i = 0; i + 1 < log->segment_count; i++) {
        struct segment *segment = &log->segments[i];
        if (segment->treeless || log_has_tree(log, i)) continue;
        enum status status = begin_tree(log, i, job);
        if (status != STATUS_RANGE) return status;
        segment->treeless = true;
    }
    if (log->segment_count < 2 || log->segments[1].header.base > wish->trim_to)
        return STATUS_END;
    begin_job(log, 0, UPKEEP_REMOVE, wish->archive, job);
    return STATUS_OK;
}

/* --- Taking note -----------------------------------------------------------------------
 */

/* The first segment has gone. */
static void forget_first(struct log *log, uint64_t number) {
    check(log->segment_count > 1 && log->segments[0].number == number);
    log->segment_count--;
    memmove(log->segments, log->segments + 1, log->segment_count * sizeof *log->segments);
}

enum status log_upkeep_done(struct log *log, const struct log_upkeep *job) {
    if (job->removed) log->segments[0].removed = true;
    if (job->status) return job->status;
    if (job->kind == UPKEEP_REMOVE) {
        forget_first(log, job->segment.number);
        return STATUS_OK;
    }
    return log_put_tree(log, &job->tree); /* STATUS_MEMORY: the next start finds it */
}
