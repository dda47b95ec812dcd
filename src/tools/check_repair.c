/* valori-check repair: a copy of what stands.
 *
 * The copy holds the same segments byte for byte, the last of them cut before the first
 * bad entry. It is verified like any directory before the command says that it is good;
 * if an entry turns out to be senseless only when it is applied, the copy is made again
 * and ends before it. Acknowledged entries are left out only when the caller names the
 * last one kept. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/reader.h"
#include "storage/segment.h"
#include "tools/check.h"

#define COPY_PIECE ((size_t)1024 * 1024)

static enum status failed(enum status status, const char *what, const char *name) {
    const struct os *os = posix_os();
    fprintf(stderr, "valori-check: %s %s: %s\n", what, name,
            status == STATUS_MEMORY ? "no memory" : os->error_text(os));
    return status;
}

/* --- The copy ---------------------------------------------------------------------- */

static enum status copy_bytes(struct reader *reader, struct file *to, uint64_t size) {
    const struct os *os = posix_os();
    enum status status = STATUS_OK;
    for (uint64_t offset = 0; offset < size && !status;) {
        uint64_t left = size - offset;
        size_t piece = left < COPY_PIECE ? (size_t)left : COPY_PIECE;
        const uint8_t *bytes;
        status = reader_bytes(reader, offset, piece, &bytes);
        if (!status) status = os->file_write(os, to, offset, bytes, piece);
        offset += piece;
    }
    return status ? status : os->file_sync(os, to);
}

static enum status copy_segment(struct directory *from, struct directory *to,
                                const struct surveyed *segment) {
    const struct os *os = posix_os();
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, name);
    struct reader reader;
    struct file_facts facts;
    struct file *copy;
    reader_init(&reader, os, os_allocator());
    enum status status = reader_open(&reader, from, name, &facts);
    if (!status) status = os->file_open(os, to, name, FILE_CREATE, &copy);
    if (!status) {
        status = copy_bytes(&reader, copy, segment->end);
        os->file_close(os, copy);
    }
    reader_free(&reader);
    return status ? failed(status, "copying", name) : STATUS_OK;
}

/* The head file stays behind: it may tell of entries that the copy no longer has. */
static enum status copy_row(struct directory *from, const char *out,
                            const struct survey *survey) {
    const struct os *os = posix_os();
    struct directory *to;
    enum status status = os->directory_open(os, out, &to);
    if (status) return failed(status, "opening", out);
    for (size_t i = 0; i <= survey->last && i < survey->count && !status; i++)
        if (survey->segments[i].header)
            status = copy_segment(from, to, &survey->segments[i]);
    if (!status && (status = os->directory_sync(os, to)) != 0)
        failed(status, "syncing", out);
    os->directory_close(os, to);
    return status;
}

static void remove_copy(const char *out, const struct survey *survey) {
    const struct os *os = posix_os();
    struct directory *directory;
    if (os->directory_open(os, out, &directory)) return;
    for (size_t i = 0; i < survey->count; i++) {
        char name[SEGMENT_NAME_SIZE];
        segment_name(survey->segments[i].number, name);
        os->remove(os, directory, name);
    }
    os->directory_close(os, directory);
}

/* --- What is said ------------------------------------------------------------------ */

static void describe(const struct survey *survey) {
    if (survey->entries > 0)
        printf("kept: entries 0 to %" PRIu64 " (%" PRIu64 " entries)\n",
               survey->entries - 1, survey->entries);
    else printf("kept: no entry at all\n");
    char name[SEGMENT_NAME_SIZE] = "the first segment";
    if (survey->last < survey->count)
        segment_name(survey->segments[survey->last].number, name);
    printf("lost: entries from %" PRIu64 " on, from %s:%" PRIu64 "; %" PRIu64
           " bytes lie behind that place\n",
           survey->entries, name, survey->end, survey->later_bytes);
    if (survey->later_frames > 0)
        printf("      among them %" PRIu64
               " entries are still sound by themselves and are lost with it\n",
               survey->later_frames);
    if (survey->acknowledged > survey->entries)
        printf("      at least %" PRIu64 " of the lost entries had been acknowledged "
               "(%" PRIu64 " were durable)\n",
               survey->acknowledged - survey->entries, survey->acknowledged);
}

static void print_kept(const struct survey *survey) {
    if (survey->entries > 0) printf("%" PRIu64, survey->entries - 1);
    else printf("none");
}

/* True when nothing goes that was promised, or the caller has said how much may. */
static bool may_lose(const struct check_options *options, const struct survey *survey) {
    if (options->accept_loss && options->accept_entries == survey->entries) return true;
    if (!options->accept_loss && survey->acknowledged <= survey->entries) return true;
    if (options->accept_loss) {
        printf(
            "refused: --accept-loss-after names another entry than the last one kept, ");
        print_kept(survey);
        printf("\n");
    }
    printf(
        "Nothing was written. First look for a backup or a replica. To go on without the "
        "lost entries:\n  valori-check repair %s --accept-loss-after ",
        options->directory);
    print_kept(survey);
    printf("\n");
    return false;
}

/* --- The command ------------------------------------------------------------------- */

/* Copy the row, verify the copy. STATUS_AGAIN: the entry at *limit cannot be applied. */
static enum status try_copy(struct directory *from, const char *out,
                            const struct survey *survey, uint64_t *limit) {
    if (mkdir(out, 0700) != 0) {
        fprintf(stderr, "valori-check: %s: %s\n", out, strerror(errno));
        return STATUS_IO;
    }
    struct verdict verdict;
    enum status status = copy_row(from, out, survey);
    if (status) return status;
    check_verify(out, &verdict);
    if (!verdict.status) return STATUS_OK;
    remove_copy(out, survey);
    rmdir(out);
    if (verdict.status == STATUS_CORRUPT && verdict.report.log.bad_file[0] &&
        verdict.report.log.bad_sequence < survey->entries) {
        *limit = verdict.report.log.bad_sequence;
        return STATUS_AGAIN;
    }
    printf("%s\nThe copy would not be whole either; nothing was written.\n",
           verdict.report.message);
    return verdict.status;
}

static enum status repair(const struct check_options *options, struct directory *from,
                          const char *out, uint64_t limit, int refused) {
    for (;;) {
        struct survey survey;
        enum status status = survey_take(from, limit, &survey);
        if (status) {
            failed(status, "reading", options->directory);
        } else {
            describe(&survey);
            if (!may_lose(options, &survey)) {
                survey_free(&survey);
                return refused == 5 ? STATUS_FOREIGN : STATUS_CORRUPT;
            }
            status = try_copy(from, out, &survey, &limit);
        }
        survey_free(&survey);
        if (status != STATUS_AGAIN) return status;
        printf("entry %" PRIu64 " cannot be applied; ending before it\n", limit);
    }
}

int check_repair(const struct check_options *options) {
    struct verdict verdict;
    check_verify(options->directory, &verdict);
    int code = engine_exit_code(verdict.status);
    if (!verdict.status) {
        printf("%s is whole: nothing to repair%s\n", options->directory,
               verdict.report.log.torn_bytes > 0
                   ? "; the next start cuts the torn tail off by itself"
                   : "");
        return 0;
    }
    printf("%s\n", verdict.report.message);
    if (code != 3 && code != 5) return code;

    size_t size = strlen(options->directory) + sizeof ".repaired";
    char *out = allocate(os_allocator(), size);
    if (!out) return engine_exit_code(STATUS_MEMORY);
    snprintf(out, size, "%s.repaired", options->directory);
    const char *target = options->out ? options->out : out;
    const struct os *os = posix_os();
    struct directory *from;
    enum status status = os->directory_open(os, options->directory, &from);
    if (status) {
        failed(status, "opening", options->directory);
    } else {
        uint64_t limit = UINT64_MAX;
        if (code == 3 && verdict.report.log.bad_file[0])
            limit = verdict.report.log.bad_sequence;
        status = repair(options, from, target, limit, code);
        os->directory_close(os, from);
    }
    if (!status)
        printf(
            "The copy in %s is whole. Start the server on it, or move it into place.\n",
            target);
    release(os_allocator(), out, size);
    return engine_exit_code(status);
}
