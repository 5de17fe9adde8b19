/* The picture's places, within the layers of graph_layers.c: a line that passes a layer has a bend of its own there; nodes
 * and bends of a layer are ordered by where their neighbours are, and then moved as near to them as the order lets. */
#include "graph.h"

#include <stdlib.h>

#define ROUNDS 12
#define MARGIN 24.0
#define LAYER_GAP 164.0 /* between the cards of two layers */
#define BEND_HEIGHT 12.0
#define COMPACT_FROM 14 /* nodes in a layer: then cards are small */
#define NONE SIZE_MAX

/* A node, or a bend. */
struct vertex {
    size_t node; /* NONE: a bend */
    size_t layer, order;
    double y, height; /* y: of its middle */
    double wish;      /* where it would like to be */
};

/* A part of a line, from one layer to the next; both ends are vertices. */
struct segment {
    size_t a, b, link;
    double at_a, at_b; /* where it ends on them, from their middle */
};

struct layout {
    const struct graph *graph;
    struct graph_picture *picture;
    size_t *vertex_of; /* by node; NONE: it has no line */
    size_t *layer_of;  /* by node */
    size_t vertices_count, segments_count, segments_room, layers_count;
    struct vertex *vertices;
    struct segment *segments; /* those of a link stand together, from left to right */
    size_t *sorted;           /* vertices, layer by layer, in their order */
    size_t *layer_at;         /* where each layer begins there, and the end */
    size_t *gaps, *gap_at;    /* the same of segments, by the layer that they begin in */
};

/* ---- vertices and segments ---- */

static size_t add_vertex(struct layout *layout, size_t node, size_t layer)
{
    struct vertex *vertex = &layout->vertices[layout->vertices_count];
    *vertex = (struct vertex){.node = node, .layer = layer, .order = layout->vertices_count};
    if (layer >= layout->layers_count)
        layout->layers_count = layer + 1;
    return layout->vertices_count++;
}

static size_t vertex_of(struct layout *layout, size_t node)
{
    if (layout->vertex_of[node] == NONE)
        layout->vertex_of[node] = add_vertex(layout, node, layout->layer_of[node]);
    return layout->vertex_of[node];
}

static bool add_segment(struct layout *layout, size_t a, size_t b, size_t link)
{
    if (layout->segments_count == layout->segments_room) {
        size_t room = layout->segments_room * 2 + 64;
        struct segment *larger = realloc(layout->segments, room * sizeof larger[0]);
        if (larger == NULL)
            return false;
        layout->segments = larger;
        layout->segments_room = room;
    }
    layout->segments[layout->segments_count++] = (struct segment){.a = a, .b = b, .link = link};
    return true;
}

/* A line with a bend in each layer that it passes, while there is room for bends; else straight across. */
static bool add_line(struct layout *layout, size_t number)
{
    const struct graph_link *link = &layout->picture->links[number];
    size_t before = vertex_of(layout, graph_left_of(link));
    const size_t end = vertex_of(layout, graph_right_of(link));
    const size_t layers = layout->vertices[end].layer - layout->vertices[before].layer;

    if (layout->vertices_count + layers <= GRAPH_VERTICES_MAX) {
        for (size_t i = 1; i < layers; i++) {
            size_t bend = add_vertex(layout, NONE, layout->vertices[before].layer + 1);
            if (!add_segment(layout, before, bend, number))
                return false;
            before = bend;
        }
    }
    return add_segment(layout, before, end, number);
}

static bool make_vertices(struct layout *layout)
{
    const struct graph_picture *picture = layout->picture;

    layout->vertices = calloc(GRAPH_VERTICES_MAX + GRAPH_SHOWN_MAX, sizeof layout->vertices[0]);
    if (layout->vertices == NULL)
        return false;
    for (size_t i = 0; i < picture->links_count; i++) {
        if (!graph_is_loop(&picture->links[i]) && !add_line(layout, i))
            return false;
    }
    /* Who only has to do with himself has a line too. */
    for (size_t i = 0; i < picture->links_count; i++) {
        if (graph_is_loop(&picture->links[i]))
            (void)vertex_of(layout, picture->links[i].from);
    }
    return true;
}

/* ---- order ---- */

struct ordered {
    double wish;
    size_t order, vertex;
};

static int compare(const void *left, const void *right)
{
    const struct ordered *a = left, *b = right;
    if (a->wish != b->wish)
        return a->wish < b->wish ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

/* Counts the vertices of each layer, and puts them into `sorted` as they come. */
static void fill_layers(struct layout *layout, size_t *fill)
{
    for (size_t i = 0; i < layout->vertices_count; i++)
        layout->layer_at[layout->vertices[i].layer + 1]++;
    for (size_t i = 0; i < layout->layers_count; i++) {
        layout->layer_at[i + 1] += layout->layer_at[i];
        fill[i] = layout->layer_at[i];
    }
    for (size_t i = 0; i < layout->vertices_count; i++) {
        struct vertex *vertex = &layout->vertices[i];
        vertex->order = fill[vertex->layer] - layout->layer_at[vertex->layer];
        layout->sorted[fill[vertex->layer]++] = i;
    }
}

/* Puts the segments into `gaps`, by the layer that they begin in. */
static void fill_gaps(struct layout *layout, size_t *fill)
{
    for (size_t i = 0; i < layout->segments_count; i++)
        layout->gap_at[layout->vertices[layout->segments[i].a].layer + 1]++;
    for (size_t i = 0; i < layout->layers_count; i++) {
        layout->gap_at[i + 1] += layout->gap_at[i];
        fill[i] = layout->gap_at[i];
    }
    for (size_t i = 0; i < layout->segments_count; i++)
        layout->gaps[fill[layout->vertices[layout->segments[i].a].layer]++] = i;
}

/* The wish of each vertex of @layer: the mean of where its neighbours on one side are, or where it is if it has none
 * there. */
static void set_wishes(struct layout *layout, size_t layer, bool from_left, bool places,
                       size_t *counts)
{
    const size_t begin = layout->layer_at[layer], end = layout->layer_at[layer + 1];
    const size_t gap = from_left && layer > 0 ? layer - 1 : layer;

    for (size_t i = begin; i < end; i++) {
        layout->vertices[layout->sorted[i]].wish = 0;
        counts[layout->sorted[i]] = 0;
    }
    for (size_t i = layout->gap_at[gap]; i < layout->gap_at[gap + 1]; i++) {
        const struct segment *segment = &layout->segments[layout->gaps[i]];
        const size_t to = from_left ? segment->b : segment->a;
        const struct vertex *other = &layout->vertices[from_left ? segment->a : segment->b];
        if (layout->vertices[to].layer == layer) { /* else it goes further, or we are the first */
            layout->vertices[to].wish += places ? other->y : (double)other->order;
            counts[to]++;
        }
    }
    for (size_t i = begin; i < end; i++) {
        struct vertex *vertex = &layout->vertices[layout->sorted[i]];
        if (counts[layout->sorted[i]] != 0)
            vertex->wish /= (double)counts[layout->sorted[i]];
        else
            vertex->wish = places ? vertex->y : (double)vertex->order;
    }
}

static void sort_layer(struct layout *layout, size_t layer, struct ordered *room)
{
    const size_t begin = layout->layer_at[layer], end = layout->layer_at[layer + 1];

    for (size_t i = begin; i < end; i++) {
        const struct vertex *vertex = &layout->vertices[layout->sorted[i]];
        room[i - begin] = (struct ordered){vertex->wish, vertex->order, layout->sorted[i]};
    }
    qsort(room, end - begin, sizeof room[0], compare);
    for (size_t i = begin; i < end; i++) {
        layout->sorted[i] = room[i - begin].vertex;
        layout->vertices[layout->sorted[i]].order = i - begin;
    }
}

/* ---- heights ---- */

static void set_sizes(struct layout *layout)
{
    struct graph_picture *picture = layout->picture;
    size_t most = 0;

    for (size_t i = 0; i < layout->layers_count; i++) {
        size_t nodes = 0;
        for (size_t k = layout->layer_at[i]; k < layout->layer_at[i + 1]; k++)
            nodes += layout->vertices[layout->sorted[k]].node != NONE;
        most = nodes > most ? nodes : most;
    }
    picture->compact = most > COMPACT_FROM;
    picture->card_width = 190;
    picture->card_height = picture->compact ? 38 : 60;
    picture->gap = picture->compact ? 14 : 30;
    for (size_t i = 0; i < layout->vertices_count; i++) {
        struct vertex *vertex = &layout->vertices[i];
        vertex->height = vertex->node == NONE ? BEND_HEIGHT : picture->card_height + picture->gap;
    }
}

/* A run of vertices that stand close together. */
struct run {
    double sum;
    size_t count;
};

/* Moves a layer's vertices as near to their wishes as their order and heights let: the least squares under an order,
 * by pooling those next to each other that want to pass. */
static void place_layer(struct layout *layout, size_t layer, struct run *runs)
{
    const size_t begin = layout->layer_at[layer], end = layout->layer_at[layer + 1];
    double offset = 0;
    size_t count = 0, at = begin;

    for (size_t i = begin; i < end; i++) {
        struct vertex *vertex = &layout->vertices[layout->sorted[i]];
        vertex->y = offset + vertex->height / 2; /* as if the layer began at 0 */
        offset += vertex->height;
        runs[count++] = (struct run){vertex->wish - vertex->y, 1};
        while (count > 1 && runs[count - 2].sum * (double)runs[count - 1].count >=
                                runs[count - 1].sum * (double)runs[count - 2].count) {
            runs[count - 2].sum += runs[count - 1].sum;
            runs[count - 2].count += runs[count - 1].count;
            count--;
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < runs[i].count; k++, at++)
            layout->vertices[layout->sorted[at]].y += runs[i].sum / (double)runs[i].count;
    }
}

/* Each round goes over the layers, and back in the next one: orders them first, then moves them. */
static void arrange_layers(struct layout *layout, size_t *counts, struct ordered *ordered,
                           struct run *runs)
{
    fill_layers(layout, counts);
    fill_gaps(layout, counts);
    for (int round = 0; round < 2 * ROUNDS; round++) {
        const bool from_left = round % 2 == 0;
        const bool places = round >= ROUNDS;
        if (round == ROUNDS)
            set_sizes(layout);
        for (size_t i = 0; i < layout->layers_count; i++) {
            const size_t layer = from_left ? i : layout->layers_count - 1 - i;
            set_wishes(layout, layer, from_left, places, counts);
            if (places)
                place_layer(layout, layer, runs);
            else
                sort_layer(layout, layer, ordered);
        }
    }
}

static bool arrange(struct layout *layout)
{
    const size_t count = layout->vertices_count + 1, layers = layout->layers_count + 1;
    size_t *counts = calloc(count + layers, sizeof counts[0]);
    struct ordered *ordered = calloc(count, sizeof ordered[0]);
    struct run *runs = calloc(count, sizeof runs[0]);

    layout->sorted = calloc(count, sizeof layout->sorted[0]);
    layout->layer_at = calloc(layers, sizeof layout->layer_at[0]);
    layout->gaps = calloc(layout->segments_count + 1, sizeof layout->gaps[0]);
    layout->gap_at = calloc(layers, sizeof layout->gap_at[0]);
    const bool good = counts != NULL && ordered != NULL && runs != NULL && layout->sorted != NULL &&
                      layout->layer_at != NULL && layout->gaps != NULL && layout->gap_at != NULL;
    if (good)
        arrange_layers(layout, counts, ordered, runs);
    free(counts);
    free(ordered);
    free(runs);
    return good;
}

/* ---- where lines end ---- */

struct port {
    size_t vertex, segment;
    double other; /* the height of the other end */
};

static int compare_ports(const void *left, const void *right)
{
    const struct port *a = left, *b = right;
    if (a->vertex != b->vertex)
        return a->vertex < b->vertex ? -1 : 1;
    if (a->other != b->other)
        return a->other < b->other ? -1 : 1;
    return (a->segment > b->segment) - (a->segment < b->segment);
}

/* Spreads the lines that end on one side of a card over its height, in the order of where they come from. */
static bool set_ports(struct layout *layout, bool right_side)
{
    const size_t count = layout->segments_count;
    struct port *ports = calloc(count + 1, sizeof ports[0]);

    if (ports == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct segment *segment = &layout->segments[i];
        ports[i].vertex = right_side ? segment->a : segment->b;
        ports[i].segment = i;
        ports[i].other = layout->vertices[right_side ? segment->b : segment->a].y;
    }
    qsort(ports, count, sizeof ports[0], compare_ports);
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin; end < count && ports[end].vertex == ports[begin].vertex; end++)
            ;
        const bool bend = layout->vertices[ports[begin].vertex].node == NONE;
        const double room = layout->picture->card_height * 0.7 / (double)(end - begin);
        const double step = bend ? 0 : room < 16 ? room : 16;
        for (size_t i = begin; i < end; i++) {
            struct segment *segment = &layout->segments[ports[i].segment];
            const double at = ((double)(i - begin) - (double)(end - begin - 1) / 2) * step;
            *(right_side ? &segment->at_a : &segment->at_b) = at;
        }
    }
    free(ports);
    return true;
}

static double layer_x(const struct layout *layout, size_t layer)
{
    return MARGIN + (double)layer * (layout->picture->card_width + LAYER_GAP);
}

/* Two points a segment: where it leaves its left end, and where it meets its right one. */
static bool set_points(struct layout *layout)
{
    struct graph_picture *picture = layout->picture;

    picture->points = calloc(2 * layout->segments_count + 1, sizeof picture->points[0]);
    if (picture->points == NULL)
        return false;
    for (size_t i = 0; i < layout->segments_count; i++) {
        const struct segment *segment = &layout->segments[i];
        const struct vertex *a = &layout->vertices[segment->a], *b = &layout->vertices[segment->b];
        struct graph_link *link = &picture->links[segment->link];
        struct graph_point *points = &picture->points[picture->points_count];
        if (link->points_count == 0)
            link->points_at = picture->points_count;
        points[0] = (struct graph_point){layer_x(layout, a->layer) + picture->card_width,
                                         a->y + segment->at_a};
        points[1] = (struct graph_point){layer_x(layout, b->layer), b->y + segment->at_b};
        link->points_count += 2;
        picture->points_count += 2;
    }
    return true;
}

/* ---- all of it ---- */

/* Moves the picture to its margin, and measures it. */
static void set_frame(struct layout *layout)
{
    struct graph_picture *picture = layout->picture;
    double top = 0, bottom = 0;

    for (size_t i = 0; i < layout->vertices_count; i++) {
        const struct vertex *vertex = &layout->vertices[i];
        top = i == 0 || vertex->y - vertex->height / 2 < top ? vertex->y - vertex->height / 2 : top;
    }
    for (size_t i = 0; i < layout->vertices_count; i++) {
        struct vertex *vertex = &layout->vertices[i];
        vertex->y += MARGIN - top;
        bottom = vertex->y + vertex->height / 2 > bottom ? vertex->y + vertex->height / 2 : bottom;
        if (vertex->node != NONE)
            picture->places[vertex->node] = (struct graph_place){
                true, layer_x(layout, vertex->layer), vertex->y - picture->card_height / 2};
    }
    picture->height = bottom;
    picture->width = layout->layers_count == 0
                         ? 0
                         : layer_x(layout, layout->layers_count - 1) + picture->card_width;
}

/* Those without a line, in rows below. */
static void place_apart(struct layout *layout)
{
    struct graph_picture *picture = layout->picture;
    const double pitch = picture->card_width + 24;
    const size_t fits = (size_t)((picture->width + 24 - MARGIN) / pitch);
    const size_t columns = fits < 4 ? 4 : fits;
    size_t placed = 0;

    for (size_t i = 0; i < layout->graph->nodes_count; i++) {
        if (!layout->graph->nodes[i].shown || picture->places[i].placed)
            continue;
        if (placed == 0)
            picture->apart_y = picture->height + MARGIN;
        const size_t row = placed / columns;
        const double x = MARGIN + (double)(placed % columns) * pitch;
        picture->places[i] = (struct graph_place){
            true, x, picture->apart_y + 28 + (double)row * (picture->card_height + 14)};
        picture->width =
            x + picture->card_width > picture->width ? x + picture->card_width : picture->width;
        picture->height = picture->places[i].y + picture->card_height;
        placed++;
    }
}

static bool lay_out(struct layout *layout)
{
    const struct graph *graph = layout->graph;
    struct graph_picture *picture = layout->picture;

    picture->places = calloc(graph->nodes_count + 1, sizeof picture->places[0]);
    layout->vertex_of = calloc(graph->nodes_count + 1, sizeof layout->vertex_of[0]);
    layout->layer_of = calloc(graph->nodes_count + 1, sizeof layout->layer_of[0]);
    if (picture->places == NULL || layout->vertex_of == NULL || layout->layer_of == NULL ||
        !graph_links(graph, picture) || !graph_layers(graph, picture, layout->layer_of))
        return false;
    for (size_t i = 0; i < graph->nodes_count; i++)
        layout->vertex_of[i] = NONE;
    if (!make_vertices(layout) || !arrange(layout))
        return false;
    set_frame(layout);
    if (!set_ports(layout, true) || !set_ports(layout, false) || !set_points(layout))
        return false;
    place_apart(layout);
    picture->width += MARGIN;
    picture->height += MARGIN;
    return true;
}

bool graph_lay_out(const struct graph *graph, struct graph_picture *picture)
{
    struct layout layout = {.graph = graph, .picture = picture};

    *picture = (struct graph_picture){0};
    const bool good = lay_out(&layout);
    free(layout.vertex_of);
    free(layout.layer_of);
    free(layout.vertices);
    free(layout.segments);
    free(layout.sorted);
    free(layout.layer_at);
    free(layout.gaps);
    free(layout.gap_at);
    return good;
}
