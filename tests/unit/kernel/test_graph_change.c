/* Graphs against a naive model: the same answers, and the same roots, after every change. */
#define _DEFAULT_SOURCE /* for fixture.h */
#include "test.h"

#include "kernel/graph.h"
#include "kernel/graph_rows.h"
#include "kernel/state.h"

#include "fixture.h"
#include "naive_graph.h"

static struct source source;
static struct kernel *kernel;
static uint64_t sequence;

static void begin(bool live) {
    struct memory_source from = source_begin(&source);
    EXPECT_EQUAL(kernel_create(&from, &kernel), STATUS_OK);
    kernel_set_live(kernel, live);
    sequence = 0;
}
static void end(void) {
    kernel_destroy(kernel);
    EXPECT_EQUAL(source.taken, 0);
}

static enum status submit(struct change *change) {
    struct outcome outcome;
    change_commit(change);
    enum status status = kernel_admit(kernel, change);
    if (status) return status;
    kernel_apply(kernel, sequence, change, &outcome);
    while (outcome.more) kernel_apply_more(kernel, &outcome);
    EXPECT_EQUAL(outcome.status, STATUS_OK);
    return outcome.status;
}

static struct change node_of(const char *name) {
    return (struct change){.type = CHANGE_NODE,
                           .flags = CHANGE_CONFIG,
                           .key = slice_text("g"),
                           .element = slice_text(name)};
}
static struct change edge_of(const char *source_name, const char *type,
                             const char *destination) {
    return (struct change){.type = CHANGE_EDGE,
                           .key = slice_text("g"),
                           .element = slice_text(source_name),
                           .word = slice_text(type),
                           .target = slice_text(destination)};
}

static const struct graph *the_graph(void) {
    const struct object *object = state_find(kernel_state(kernel), 0, slice_text("g"));
    return object ? object_graph(kernel_state(kernel), object) : NULL;
}

static void root_of_nodes(struct trie_sum *sum) {
    const struct state *state = kernel_state(kernel);
    const struct graph *graph = the_graph();
    struct roots roots;
    kernel_seal(kernel, &roots);
    *sum = (struct trie_sum){0};
    if (graph) trie_sum(&state->nodes, &graph->nodes, graph->names, sum);
}

static void known_values(void) {
    static const uint8_t wanted[SHA256_SIZE] = {
        0x46, 0xd2, 0x22, 0x7c, 0x39, 0x08, 0x2b, 0x3b, 0x73, 0x48, 0x29,
        0x8a, 0x76, 0xfb, 0x64, 0xe7, 0x12, 0x77, 0x30, 0x43, 0x29, 0x5d,
        0xcd, 0x10, 0x8e, 0x07, 0x69, 0x3f, 0x95, 0x76, 0x56, 0xc4};
    struct trie_sum sum;
    begin(true);
    struct change one = node_of("n1"), two = node_of("n2");
    struct change edge = edge_of("n1", "cites", "n2");
    sequence = 8;
    EXPECT_EQUAL(submit(&one), STATUS_OK);
    EXPECT_EQUAL(submit(&two), STATUS_OK);
    sequence = 9;
    EXPECT_EQUAL(submit(&edge), STATUS_OK);
    root_of_nodes(&sum);
    EXPECT_EQUAL(sum.count, 2);
    EXPECT_BYTES(sum.root, wanted, SHA256_SIZE);
    end();
}

static void refusals(void) {
    begin(true);
    struct change bare = node_of("a"), edge = edge_of("a", "t", "b");
    bare.flags = 0;
    EXPECT_EQUAL(submit(&bare), STATUS_NO_KEY);
    EXPECT_EQUAL(submit(&edge), STATUS_NO_KEY);
    struct change a = node_of("a"), b = node_of("b"), again = node_of("b");
    a.graph = (struct graph_config){.nodes = 2, .edges = 1};
    a.flags |= CHANGE_XX;
    EXPECT_EQUAL(submit(&a), STATUS_CONDITION);
    a.flags = CHANGE_CONFIG | CHANGE_NX;
    EXPECT_EQUAL(submit(&a), STATUS_OK);
    edge = edge_of("a", "t", "b");
    EXPECT_EQUAL(submit(&edge), STATUS_NO_NODE);
    EXPECT_EQUAL(submit(&b), STATUS_OK);
    again.flags = CHANGE_NX;
    EXPECT_EQUAL(submit(&again), STATUS_CONDITION);
    struct change third = node_of("c");
    EXPECT_EQUAL(submit(&third), STATUS_CAPACITY);
    edge.flags = CHANGE_XX;
    EXPECT_EQUAL(submit(&edge), STATUS_CONDITION);
    edge.flags = CHANGE_NX;
    EXPECT_EQUAL(submit(&edge), STATUS_OK);
    EXPECT_EQUAL(submit(&edge), STATUS_CONDITION);
    struct change back = edge_of("b", "t", "a");
    EXPECT_EQUAL(submit(&back), STATUS_CAPACITY);
    back.type = CHANGE_EDGEDEL;
    EXPECT_EQUAL(submit(&back), STATUS_NO_EDGE);
    struct change create = {
        .type = CHANGE_GCREATE, .flags = CHANGE_CONFIG, .key = slice_text("g")};
    EXPECT_EQUAL(submit(&create), STATUS_EXISTS);
    struct made made;
    struct change *vadd = make_vadd(&made, "g", "x", 1);
    EXPECT_EQUAL(submit(vadd), STATUS_WRONG_TYPE);
    vadd = make_vadd(&made, "v", "x", 1);
    EXPECT_EQUAL(submit(vadd), STATUS_OK);
    struct change node = node_of("a");
    node.key = slice_text("v");
    EXPECT_EQUAL(submit(&node), STATUS_WRONG_TYPE);
    end();
}

static void a_graph_goes_with_its_last_node(void) {
    begin(true);
    struct change a = node_of("a"), loop = edge_of("a", "t", "a");
    EXPECT_EQUAL(submit(&a), STATUS_OK);
    EXPECT_EQUAL(submit(&loop), STATUS_OK);
    struct change gone = node_of("a");
    gone.type = CHANGE_NODEDEL;
    gone.flags = 0;
    EXPECT_EQUAL(submit(&gone), STATUS_OK);
    EXPECT(the_graph() == NULL);
    struct change create = {
        .type = CHANGE_GCREATE, .flags = CHANGE_CONFIG, .key = slice_text("g")};
    create.graph.origin = ORIGIN_VCREATE;
    EXPECT_EQUAL(submit(&create), STATUS_OK);
    EXPECT_EQUAL(submit(&a), STATUS_OK);
    EXPECT_EQUAL(submit(&gone), STATUS_OK);
    EXPECT(the_graph() != NULL);
    while (kernel_tidy(kernel, 10)) continue;
    end();
}

/* --- Random histories ------------------------------------------------------------------ */

static struct naive naive;
static uint64_t seed;
static uint32_t names;

/* Some nodes come up much more often than others: they become hubs. */
static uint32_t any_node(void) {
    if (chance_below(&seed, 3) == 0) return chance_below(&seed, 3) % names;
    return chance_below(&seed, names);
}

static void random_node(void) {
    static const char *const kinds[] = {"", "person", "place"};
    static const char *const properties[] = {"", "{\"a\":1}", "{}"};
    static const char *const links[] = {"x", "y", "z"};
    uint32_t number = any_node(), draw = chance_below(&seed, 8);
    struct naive_node *node = &naive.nodes[number];
    char name[NAIVE_TEXT];
    naive_name(number, name);
    struct change change = node_of(name);
    if (draw & 1) {
        change.flags |= CHANGE_KIND;
        change.word = slice_text(kinds[chance_below(&seed, 3)]);
    }
    if (draw & 2) {
        change.flags |= CHANGE_ATTRIBUTES;
        change.attributes = slice_text(properties[chance_below(&seed, 3)]);
    }
    if (draw & 4) change.flags |= chance_below(&seed, 2) ? CHANGE_LINK : CHANGE_UNLINK;
    if (change.flags & CHANGE_LINK) {
        change.link_key = slice_text("vectors");
        change.link_element = slice_text(links[chance_below(&seed, 3)]);
    }
    EXPECT_EQUAL(submit(&change), STATUS_OK);
    if (!node->there) *node = (struct naive_node){.there = true};
    node->widx = sequence;
    if (draw & 1) snprintf(node->kind, NAIVE_TEXT, "%.*s", (int)change.word.size,
                           (const char *)change.word.data);
    if (draw & 2) snprintf(node->properties, NAIVE_TEXT, "%.*s",
                           (int)change.attributes.size,
                           (const char *)change.attributes.data);
    if (draw & 4) snprintf(node->link, NAIVE_TEXT, "%.*s", (int)change.link_element.size,
                           change.flags & CHANGE_LINK
                               ? (const char *)change.link_element.data
                               : "");
}

static void random_edge(bool goes) {
    uint32_t from = any_node(), to = any_node(), type = chance_below(&seed, 3);
    char source_name[NAIVE_TEXT], name[NAIVE_TEXT], word[NAIVE_TEXT];
    if (goes && naive.edge_count > 0 && chance_below(&seed, 4)) {
        const struct naive_edge *some =
            &naive.edges[chance_below(&seed, naive.edge_count)];
        from = some->source, to = some->destination, type = some->type;
    }
    naive_name(from, source_name), naive_name(to, name), naive_type(type, word);
    struct naive_edge *edge = naive_find(&naive, from, type, to);
    bool ends = naive.nodes[from].there && naive.nodes[to].there;
    struct change change = edge_of(source_name, word, name);
    if (goes) change.type = CHANGE_EDGEDEL;
    else if (chance_below(&seed, 3) == 0) change.flags |= CHANGE_WEIGHT;
    change.weight = (int32_t)chance(&seed);
    if (!goes && chance_below(&seed, 3) == 0) {
        change.flags |= CHANGE_ATTRIBUTES;
        change.attributes = slice_text(chance_below(&seed, 2) ? "{\"w\":[]}" : "");
    }
    if (!goes && !edge && naive.edge_count == NAIVE_EDGES) return;
    bool any = naive_node_count(&naive) > 0;
    enum status wanted = !any            ? STATUS_NO_KEY
                         : !ends         ? STATUS_NO_NODE
                         : goes && !edge ? STATUS_NO_EDGE
                                         : STATUS_OK;
    EXPECT_EQUAL(submit(&change), wanted);
    if (wanted) return;
    if (goes) {
        naive_drop(&naive, edge);
        return;
    }
    if (!edge) {
        edge = &naive.edges[naive.edge_count++];
        *edge = (struct naive_edge){.source = from, .type = type, .destination = to};
    }
    edge->widx = sequence;
    if (change.flags & CHANGE_WEIGHT) edge->weighed = true, edge->weight = change.weight;
    if (change.flags & CHANGE_ATTRIBUTES)
        snprintf(edge->properties, NAIVE_TEXT, "%.*s", (int)change.attributes.size,
                 (const char *)change.attributes.data);
}

static void random_nodedel(void) {
    uint32_t number = any_node();
    char name[NAIVE_TEXT];
    naive_name(number, name);
    struct change change = node_of(name);
    change.type = CHANGE_NODEDEL;
    change.flags = 0;
    bool any = naive_node_count(&naive) > 0;
    EXPECT_EQUAL(submit(&change), naive.nodes[number].there ? STATUS_OK
                                  : any                     ? STATUS_NO_NODE
                                                            : STATUS_NO_KEY);
    naive.nodes[number].there = false;
    for (uint32_t i = naive.edge_count; i-- > 0;)
        if (naive.edges[i].source == number || naive.edges[i].destination == number)
            naive_drop(&naive, &naive.edges[i]);
}

/* Every edge of the model is found, and every walk meets exactly them, in order. */
static void walk_everything(void) {
    const struct state *state = kernel_state(kernel);
    const struct graph *graph = the_graph();
    uint64_t met[2] = {0, 0};
    for (uint32_t number = 0; graph && number < names; number++) {
        char name[NAIVE_TEXT];
        uint32_t row = graph_find(state, graph, naive_name(number, name));
        EXPECT_EQUAL(row != UINT32_MAX, naive.nodes[number].there);
        if (row == UINT32_MAX) continue;
        for (int direction = 0; direction < 2; direction++) {
            struct edge_walk walk, part;
            uint64_t before = 0;
            edge_walk(&walk, state, graph, row, (enum direction)direction, 0);
            for (uint32_t at; (at = edge_next(&walk)) != UINT32_MAX;) {
                struct edge edge;
                graph_edge(state, graph, at, &edge);
                EXPECT_EQUAL(direction ? edge.destination : edge.source, row);
                EXPECT(edge_prefix(&walk, at) > before);
                before = edge_prefix(&walk, at);
                edge_walk(&part, state, graph, row, (enum direction)direction, before);
                EXPECT_EQUAL(edge_next(&part), at);
                edge_walk(&part, state, graph, row, (enum direction)direction,
                          before - 1);
                EXPECT_EQUAL(edge_next(&part), at);
                met[direction]++;
            }
        }
    }
    EXPECT_EQUAL(met[0], naive.edge_count);
    EXPECT_EQUAL(met[1], naive.edge_count);
    for (uint32_t i = 0; i < naive.edge_count; i++) {
        const struct naive_edge *edge = &naive.edges[i];
        char name[NAIVE_TEXT], type[NAIVE_TEXT];
        uint32_t from = graph_find(state, graph, naive_name(edge->source, name));
        uint32_t to = graph_find(state, graph, naive_name(edge->destination, name));
        EXPECT(graph_find_edge(state, graph, from, naive_type(edge->type, type), to) !=
               UINT32_MAX);
    }
}

static void compare(void) {
    struct trie_sum sum, wanted = naive_sum(&naive);
    struct roots roots, again;
    root_of_nodes(&sum);
    EXPECT_EQUAL(sum.count, wanted.count);
    EXPECT_BYTES(sum.root, wanted.root, SHA256_SIZE);
    kernel_seal(kernel, &roots);
    EXPECT_EQUAL(recompute_all(kernel_state(kernel), false, &again), STATUS_OK);
    EXPECT_BYTES(roots.state_root, again.state_root, SHA256_SIZE);
    walk_everything();
}

/* `ebb`: how many of ten edge changes are deletions while the graph shrinks. */
static void history(uint64_t from, uint32_t nodes, uint32_t steps, uint32_t every,
                    bool live) {
    const struct state *view = NULL;
    struct roots held, then;
    memset(&naive, 0, sizeof naive);
    seed = from;
    names = nodes;
    begin(live);
    for (uint32_t i = 0; i < steps && test_run.ok; i++) {
        bool ebb = i / 400 % 3 == 2;
        uint32_t draw = chance_below(&seed, 100);
        sequence++;
        if (draw < 20) random_node();
        else if (draw < (ebb ? 24 : 21)) random_nodedel();
        else random_edge(draw < (ebb ? 85 : 35));
        if (i % every == 0) compare();
        if (i % 97 == 50) {
            kernel_seal(kernel, &held);
            EXPECT_EQUAL(kernel_freeze(kernel, &view), STATUS_OK);
        }
        if (i % 97 == 96 && view) {
            EXPECT_EQUAL(recompute_all(view, false, &then), STATUS_OK);
            EXPECT_BYTES(held.state_root, then.state_root, SHA256_SIZE);
            kernel_release(kernel, view);
            view = NULL;
        }
        while (kernel_tidy(kernel, 50)) continue;
    }
    compare();
    if (view) kernel_release(kernel, view);
    end();
}

static void histories_of_few_nodes(void) { history(1, 6, 1500, 1, true); }
static void histories_of_many(void) { history(2, 60, 4000, 9, true); }
static void histories_of_hubs(void) { history(3, 250, 8000, 101, true); }
static void histories_as_replayed(void) { history(4, 100, 5000, 499, false); }

int main(void) {
    RUN(known_values);
    RUN(refusals);
    RUN(a_graph_goes_with_its_last_node);
    RUN(histories_of_few_nodes);
    RUN(histories_of_many);
    RUN(histories_of_hubs);
    RUN(histories_as_replayed);
    return test_finish();
}
