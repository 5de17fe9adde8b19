/* Which lines a picture has: the edges between the same two nodes that look the same are one. */
#include "graph.h"

#include <stdlib.h>

void graph_picture_free(struct graph_picture *picture)
{
    free(picture->places);
    free(picture->edges);
    free(picture->links);
    free(picture->points);
    *picture = (struct graph_picture){0};
}

/* qsort() has no context: what is compared goes along. */
struct sorted {
    size_t from, to, edge;
    unsigned look;
};

static unsigned look_of(const struct graph_edge *edge)
{
    return (unsigned)edge->outcome * 2 + (edge->how == GRAPH_REVOKE);
}

static int compare_sizes(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare(const void *left, const void *right)
{
    const struct sorted *a = left, *b = right;
    int order = compare_sizes(a->from, b->from);
    if (order == 0)
        order = compare_sizes(a->to, b->to);
    if (order == 0)
        order = compare_sizes(a->look, b->look);
    return order != 0 ? order : compare_sizes(a->edge, b->edge);
}

static bool begins(const struct sorted *at, size_t i)
{
    return i == 0 || at[i].from != at[i - 1].from || at[i].to != at[i - 1].to ||
           at[i].look != at[i - 1].look;
}

bool graph_links(const struct graph *graph, struct graph_picture *picture)
{
    const size_t count = graph->edges_shown;
    struct sorted *sorted = calloc(count + 1, sizeof sorted[0]);
    size_t used = 0;

    picture->edges = calloc(count + 1, sizeof picture->edges[0]);
    picture->links = calloc(count + 1, sizeof picture->links[0]);
    if (sorted == NULL || picture->edges == NULL || picture->links == NULL) {
        free(sorted);
        return false;
    }
    for (size_t i = 0; i < graph->edges_count; i++) {
        const struct graph_edge *edge = &graph->edges[i];
        if (edge->shown)
            sorted[used++] = (struct sorted){edge->from, edge->to, i, look_of(edge)};
    }
    qsort(sorted, used, sizeof sorted[0], compare);
    for (size_t i = 0; i < used; i++) {
        const struct graph_edge *edge = &graph->edges[sorted[i].edge];
        picture->edges[i] = sorted[i].edge;
        if (begins(sorted, i))
            picture->links[picture->links_count++] =
                (struct graph_link){.from = edge->from,
                                    .to = edge->to,
                                    .outcome = edge->outcome,
                                    .revoke = edge->how == GRAPH_REVOKE,
                                    .edges_at = i};
        struct graph_link *link = &picture->links[picture->links_count - 1];
        link->edges_count++;
        link->count +=
            edge->count < UINT64_MAX - link->count ? edge->count : UINT64_MAX - link->count;
    }
    free(sorted);
    return true;
}
