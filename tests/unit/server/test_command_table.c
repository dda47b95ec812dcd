#include "server/command_table.h"

#include "server/synopsis.h"
#include "test.h"

static void say(bool good, const char *name) {
    if (!good) printf("    at %s\n", name);
}

/* The arity is what the synopsis says: so neither can be changed alone. */
static void arity_fits_the_synopsis(void) {
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *command = command_at(i);
        bool open;
        int least = 1 + (int)synopsis_least(command->synopsis, &open);
        int arity = open ? -least : least;
        /* QUIT takes no arguments and forgives some, as in Redis. */
        if (strcmp(command->name, "quit") == 0) arity = -1;
        EXPECT_EQUAL(command->arity, arity);
        say(command->arity == arity, command->name);
        for (const struct subcommand *row = command->subcommands; row && row->name;
             row++) {
            least = 2 + (int)synopsis_least(row->synopsis, &open);
            EXPECT_EQUAL(row->arity, open ? -least : least);
            say(row->arity == (open ? -least : least), row->name);
        }
    }
}

static void every_row_is_whole(void) {
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *command = command_at(i);
        unsigned handlers =
            (command->read != NULL) + (command->write != NULL) + (command->run != NULL);
        bool good = command->summary && command->since && command->group &&
                    (handlers == 1 || (handlers == 0 && command->subcommands)) &&
                    (command->write != NULL) == (command->answer != NULL) &&
                    (command->key_first == 0) == (command->key_step == 0);
        EXPECT(good);
        say(good, command->name);
        EXPECT(command_find(slice_text(command->name)) == command);
        for (const char *c = command->name; *c; c++) EXPECT(*c < 'A' || *c > 'Z');
        /* Whoever may be asked by strangers must touch no data. */
        if (command->flags & (COMMAND_NO_AUTH | COMMAND_LOADING))
            EXPECT(!command->read && !command->write);
        for (const struct subcommand *row = command->subcommands; row && row->name; row++)
            EXPECT((row->run || row->write) && row->summary &&
                   subcommand_find(command, slice_text(row->name)) == row);
    }
}

static void finds_names_in_any_case(void) {
    EXPECT(command_find(slice_text("PiNg")) == command_find(slice_text("ping")));
    EXPECT(command_find(slice_text("proof.STATE")) != NULL);
    EXPECT(command_find(slice_text("pin")) == NULL);
    EXPECT(command_find(slice_text("pingx")) == NULL);
    EXPECT(command_find(slice_of(NULL, 0)) == NULL);
}

static void arities(void) {
    EXPECT(arity_fits(2, 2) && !arity_fits(2, 1) && !arity_fits(2, 3));
    EXPECT(arity_fits(-2, 2) && arity_fits(-2, 9) && !arity_fits(-2, 1));
}

static void counts_words_of_synopses(void) {
    static const struct {
        const char *synopsis;
        size_t least, items;
        bool open;
    } rows[] = {
        {"", 0, 0, false},
        {"key", 1, 1, false},
        {"key element [tag]", 2, 3, true},
        {"key...", 1, 1, true},
        {"[<ASYNC | SYNC>]", 0, 1, true},
        {"<LIB-NAME libname | LIB-VER libver>", 2, 1, false},
        {"<ELE element | VALUES num value...>", 2, 1, true},
        {"key DIM dim [METRIC <L2 | IP>]", 3, 3, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool open;
        EXPECT_EQUAL(synopsis_least(rows[i].synopsis, &open), rows[i].least);
        EXPECT_EQUAL(open, rows[i].open);
        EXPECT_EQUAL(synopsis_count(rows[i].synopsis), rows[i].items);
    }
    /* What is no synopsis ends the walk, and does not make it go on for ever. */
    EXPECT(synopsis_count("key [NX | XX]") < 10);
    EXPECT(synopsis_count("key > x") < 10);
}

int main(void) {
    RUN(arity_fits_the_synopsis);
    RUN(every_row_is_whole);
    RUN(finds_names_in_any_case);
    RUN(arities);
    RUN(counts_words_of_synopses);
    return test_finish();
}
