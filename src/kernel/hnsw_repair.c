/* Removal, and the rounds of repair that follow it.
 *
 * A removed point is dead: it stays in its place and still routes. When as many points
 * are dead as live, a round begins for those that are dead then, the condemned. Each
 * later entry of the collection takes the round a few points further, in the order of
 * their numbers, twice over all of them:
 *
 *  1. relinking. A row gives up its links to condemned points, and chooses anew from what
 *     it has left and from what these link to. Pinned links stay.
 *  2. freeing. The tree closes over a condemned point, whose rows are cleared and free.
 *
 * Points that die meanwhile wait for the next round; which of the two words for dead is
 * condemned changes with each. No new link leads to a dead point, but for pinned ones. So
 * a freed point is one that nothing links to. */
#include "base/check.h"
#include "base/sort.h"
#include "kernel/hnsw_lists.h"

#include "kernel/pure.h"

void hnsw_remove(struct hnsw_writer *writer, uint32_t point) {
    struct hnsw *hnsw = writer->hnsw;
    check(point_live(hnsw, point));
    struct hnsw_point *dying = pool_own(writer->memory, &hnsw->points, point);
    dying->slot = hnsw->rounds & 1 ? POINT_DEAD_ODD : POINT_DEAD_EVEN;
    hnsw->live--;
    hnsw->dead++;
}

static bool condemned(const struct hnsw *hnsw, uint32_t point) {
    return point_at(hnsw, point)->slot ==
           (hnsw->rounds & 1 ? POINT_DEAD_EVEN : POINT_DEAD_ODD);
}

/* --- Relinking ---------------------------------------------------------------------- */

/* What a row that is written anew begins with, and what it may choose from. */
struct choice {
    uint32_t point, degree;
    uint32_t before; /* links that it had */
    uint32_t pinned[LIST_MAX], pinned_count;
    uint32_t count; /* points in work->lists->found */
};

static void find(struct hnsw_writer *writer, struct choice *choice, uint32_t point) {
    if (point == choice->point || choice->count == HNSW_FOUND_MAX) return;
    for (uint32_t i = 0; i < choice->pinned_count; i++)
        if ((choice->pinned[i] & LINK_POINT) == point) return;
    writer->work->lists->found[choice->count++] = point;
}

/* Sort the row's links into those that stay pinned and those to choose from; true if one
 * that is not pinned leads to a condemned point. */
static bool look_through(struct hnsw_writer *writer, struct choice *choice,
                         const uint32_t *links) {
    const struct hnsw *hnsw = writer->hnsw;
    bool any = false;
    for (uint32_t i = 0; i < choice->before; i++)
        if (links[i] & LINK_PIN) choice->pinned[choice->pinned_count++] = links[i];
    for (uint32_t i = 0; i < choice->before; i++) {
        if (links[i] & LINK_PIN) continue;
        if (condemned(hnsw, links[i])) any = true;
        else find(writer, choice, links[i]);
    }
    return any;
}

/* The live points that the row's condemned ones link to. */
static void look_behind(struct hnsw_writer *writer, struct choice *choice, uint32_t layer,
                        const uint32_t *links) {
    const struct hnsw *hnsw = writer->hnsw;
    for (uint32_t i = 0; i < choice->before; i++) {
        uint32_t gone = links[i] & LINK_POINT;
        if (!condemned(hnsw, gone)) continue;
        const uint32_t *behind = hnsw_links(hnsw, layer, gone);
        for (uint32_t j = 0; j < choice->degree && behind[j] != 0; j++)
            if (point_live(hnsw, behind[j] & LINK_POINT))
                find(writer, choice, behind[j] & LINK_POINT);
    }
}

static void relink(struct hnsw_writer *writer, uint32_t layer, uint32_t point) {
    struct hnsw *hnsw = writer->hnsw;
    const uint32_t *links = hnsw_links(hnsw, layer, point);
    struct choice choice = {.point = point, .degree = hnsw_degree(hnsw, layer)};
    choice.before = links_count(links, choice.degree);
    if (!look_through(writer, &choice, links)) return;
#ifndef BUG_42
    if (!condemned(hnsw, point)) look_behind(writer, &choice, layer, links);
#endif

    uint32_t limit = choice.before - choice.pinned_count;
    links_choose_found(writer, point, choice.count, limit);
    const struct point_list *kept = &writer->work->lists->kept;
    uint32_t *row = hnsw_own_links(writer->memory, hnsw, layer, point), at = 0;
    for (uint32_t i = 0; i < choice.pinned_count; i++) row[at++] = choice.pinned[i];
    for (uint32_t i = 0; i < kept->count; i++) row[at++] = kept->points[i];
    while (at < choice.degree) row[at++] = 0;
    links_note(writer, layer, point);
}

static void relink_point(struct hnsw_writer *writer, uint32_t point) {
    struct hnsw *hnsw = writer->hnsw;
    if (point_at(hnsw, point)->slot == 0) return;
    uint32_t level = hnsw_level_of(hnsw, point);
    for (uint32_t layer = 0; layer <= level; layer++) relink(writer, layer, point);
    if (!condemned(hnsw, point)) hnsw_note_heir(hnsw, point, level);
}

void hnsw_note_heir(struct hnsw *hnsw, uint32_t point, uint32_t level) {
    if (hnsw->heir != 0 && level <= hnsw->heir_level) return;
    hnsw->heir = point;
    hnsw->heir_level = level;
}

/* --- Freeing ------------------------------------------------------------------------ */

/* Take the link to `gone` out of the row; those behind it close up. */
static void drop_link(struct hnsw_writer *writer, uint32_t owner, uint32_t gone) {
    uint32_t *links = hnsw_own_links(writer->memory, writer->hnsw, 0, owner);
    uint32_t degree = hnsw_degree(writer->hnsw, 0), at = 0;
    while ((links[at] & LINK_POINT) != gone) {
        at++;
        check(at < degree);
    }
    for (; at + 1 < degree; at++) links[at] = links[at + 1];
    links[at] = 0;
    links_note(writer, 0, owner);
}

/* The tree's edges at `gone` become a path through its neighbours. */
static uint32_t close_tree(struct hnsw_writer *writer, uint32_t gone) {
    const struct hnsw *hnsw = writer->hnsw;
    uint32_t degree = hnsw_degree(hnsw, 0), count = 0;
    uint32_t *neighbours = writer->work->lists->found;
    const uint32_t *links = hnsw_links(hnsw, 0, gone);
    for (uint32_t i = 0; i < degree; i++)
        if (links[i] & LINK_PIN) neighbours[count++] = links[i] & LINK_POINT;
    for (uint32_t i = 0; i < count; i++) drop_link(writer, neighbours[i], gone);
#ifdef BUG_41
    count = 0;
#endif
    for (uint32_t i = 1; i < count; i++)
        links_pin(writer, links_adopter(hnsw, neighbours[i - 1], gone),
                  links_adopter(hnsw, neighbours[i], gone));
    return count > 0 ? neighbours[0] : 0;
}

static void free_point(struct hnsw_writer *writer, uint32_t point) {
    struct hnsw *hnsw = writer->hnsw;
    if (!condemned(hnsw, point)) return;
    uint32_t neighbour = close_tree(writer, point);
    if (point == hnsw->entry) {
        hnsw->entry = neighbour;
        hnsw->top = neighbour ? hnsw_level_of(hnsw, neighbour) : 0;
    }
    uint32_t level = hnsw_level_of(hnsw, point);
    for (uint32_t layer = 0; layer <= level; layer++) links_note(writer, layer, point);
    hnsw_give_point(writer->memory, hnsw, point);
    hnsw->condemned--;
}

/* --- Rounds ------------------------------------------------------------------------- */

static void begin_round(struct hnsw *hnsw) {
    hnsw->phase = HNSW_RELINKING;
    hnsw->rounds++;
    hnsw->condemned = hnsw->dead;
    hnsw->dead = 0;
    hnsw->cursor = 1;
    hnsw->limit = hnsw->points.limit;
    hnsw->heir = 0;
}

/* All points below the limit were seen: on to the next phase. */
static void end_phase(struct hnsw *hnsw) {
    if (hnsw->phase == HNSW_FREEING) {
        hnsw->phase = HNSW_QUIET;
        return;
    }
    hnsw->phase = HNSW_FREEING;
    hnsw->cursor = 1;
    if (hnsw->heir == 0 || !condemned(hnsw, hnsw->entry)) return;
    hnsw->entry = hnsw->heir;
    hnsw->top = hnsw->heir_level;
}

void hnsw_repair(struct hnsw_writer *writer) {
    struct hnsw *hnsw = writer->hnsw;
    for (uint32_t i = 0; i < HNSW_REPAIRED_AT_ONCE; i++) {
        if (hnsw->phase == HNSW_QUIET) {
            if (hnsw->dead == 0 || hnsw->dead < hnsw->live) return;
            begin_round(hnsw);
        }
        uint32_t point = hnsw->cursor++;
        if (hnsw->phase == HNSW_RELINKING) relink_point(writer, point);
        else free_point(writer, point);
        if (hnsw->cursor == hnsw->limit) end_phase(hnsw);
    }
}
