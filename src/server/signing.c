#include "server/signing.h"

#include <stdio.h>

#include "os/sign.h"
#include "server/server.h"

enum status signing_begin(struct server *server) {
    const struct options *options = &server->options;
    bool wanted = options->appendonly && options->checkpoint_interval > 0;
    if (!wanted || !sign_available()) return STATUS_OK;
    return signer_open(server->os, server->allocator, options->dir, options->origin,
                       &server->signer, server->report.message);
}

void signing_recovered(struct server *server) {
    if (!server->signer) return;
    signer_compare(server->signer, server->engine);
    const char *refusal = signer_refusal(server->signer);
    if (refusal)
        notice(&server->notices, NOTICE_WARNING, "Checkpoints are not signed: %s",
               refusal);
    else
        notice(&server->notices, NOTICE_NORMAL, "Checkpoints are signed by %s",
               signer_key_text(server->signer));
}

void signing_turn(struct server *server, uint64_t *next_us) {
    if (!server->signer) return;
    uint64_t interval_us = (uint64_t)server->options.checkpoint_interval * 1000;
    if (signer_turn(server->signer, server->engine, interval_us, next_us))
        dispatch_resume_waiting(server);
}

size_t signing_witnesses(const struct server *server, struct note_key *keys) {
    size_t count = 0;
    struct slice word, rest = slice_text(server->options.witnesses);
    while (count < SIGNING_WITNESSES_MAX && option_next_word(&rest, &word))
        count += note_key_parse(word, &keys[count]);
    return count;
}

const char *signing_witnesses_complaint(const char *text) {
    struct note_key key;
    struct slice word, rest = slice_text(text);
    for (size_t count = 1; option_next_word(&rest, &word); count++)
        if (count > SIGNING_WITNESSES_MAX || !note_key_parse(word, &key))
            return "at most 16 verifier keys are wanted, each as name+id+base64";
    return NULL;
}

const char *signing_origin_complaint(const char *text) {
    struct note_key key;
    uint8_t zeros[NOTE_PUBLIC_SIZE] = {0};
    if (text[0] == '\0' || note_key_make(NOTE_ED25519, slice_text(text), zeros, &key))
        return NULL;
    return "an origin is visible ASCII without blanks and plus signs, like "
           "example.com/log";
}
