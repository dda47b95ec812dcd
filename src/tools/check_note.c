/* valori-check note: a signed checkpoint, what it says and who signed it. */
#include <inttypes.h>
#include <stdio.h>

#include "os/sign.h"
#include "tools/check.h"

static const char *judge(const struct note *note, const struct note_key *key,
                         uint64_t *time) {
    switch (note_verify(note, key, sign_verify, time)) {
    case NOTE_SIGNED:
        return NULL;
    case NOTE_FORGED:
        return "the signature that goes by the key's name was not made with that key";
    default:
        return "no signature goes by the key's name and id";
    }
}

static const char *judge_all(const struct check_options *options, struct noted *noted) {
    const char *why = NULL;
    if (options->key) {
        why = judge(&noted->note, options->key, NULL);
        if (!why &&
            !slice_equal(noted->checkpoint.origin, slice_text(options->key->name)))
            why = "the checkpoint is of another origin than the key's name";
    }
    for (size_t i = 0; i < options->witness_count && !why; i++)
        why = judge(&noted->note, &options->witnesses[i], &noted->times[i]);
    return why;
}

int note_check(struct slice bytes, const struct check_options *options,
               struct noted *noted) {
    *noted = (struct noted){0};
    if (!note_parse(bytes, &noted->note, &noted->why)) return CHECK_WRONG;
    if (!checkpoint_parse(noted->note.text, &noted->checkpoint, &noted->why))
        return CHECK_WRONG;
    noted->why = judge_all(options, noted);
    return noted->why ? CHECK_FOREIGN : CHECK_RIGHT;
}

void note_print(const struct check_options *options, const struct noted *noted) {
    printf("checkpoint  size %" PRIu64 " of ", noted->checkpoint.size);
    print_name(noted->checkpoint.origin);
    if (options->key) printf(", signed by %s\n", options->key->name);
    else printf(", signature NOT checked: give --key\n");
    for (size_t i = 0; i < options->witness_count; i++)
        printf("witness     %s saw it by %" PRIu64 " (seconds since 1970)\n",
               options->witnesses[i].name, noted->times[i]);
}

void note_json(const struct check_options *options, const struct noted *noted) {
    json_bytes("origin", noted->checkpoint.origin);
    json_number("size", noted->checkpoint.size);
    json_hash("root", noted->checkpoint.root);
    json_number("signatures_checked", (options->key != NULL) + options->witness_count);
}

int check_note(const struct check_options *options) {
    struct buffer bytes;
    struct noted noted;
    int code = input_read(options->path, &bytes);
    if (code) return code;
    code = note_check(buffer_slice(&bytes), options, &noted);
    if (options->json) {
        json_begin(code);
        if (code) json_text("reason", noted.why);
        else note_json(options, &noted);
        printf("}\n");
    } else if (code) {
        printf("%s: WRONG: %s\n", options->path, noted.why);
    } else {
        note_print(options, &noted);
        printf("log root    ");
        print_hash(noted.checkpoint.root);
        printf("\n");
    }
    buffer_free(&bytes);
    return code;
}
