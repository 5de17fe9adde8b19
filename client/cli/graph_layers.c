/* The picture's layers, from left to right, as Sugiyama, Tagawa and Toda draw a directed graph ("Methods for Visual
 * Understanding of Hierarchical System Structures", 1981): lines that would close a circle are turned round, and each node
 * comes one layer after those before it. A layer that is too high gives to its neighbours what has lines to one side alone. */
#include "graph.h"

#include <stdlib.h>

#define LAYER_NODES 20 /* in a layer, as far as some of them can go elsewhere */
#define NONE SIZE_MAX

struct layers {
    const struct graph *graph;
    struct graph_picture *picture;
    size_t *layer_of; /* by node */
    bool *right,
        *left; /* by node: does a line leave it to the right, does one come from the left? */
};

bool graph_is_loop(const struct graph_link *link)
{
    return link->from == link->to;
}

size_t graph_left_of(const struct graph_link *link)
{
    return link->backward ? link->to : link->from;
}

size_t graph_right_of(const struct graph_link *link)
{
    return link->backward ? link->from : link->to;
}

/* Follows lines from @start and turns round those that lead back to where it came from. links are sorted by `from`;
 * @first has where those of each node begin. @path: room for all nodes; @at: of each node, the next line to follow; @state:
 * 0 not seen, 1 on the path, 2 done. */
static void turn_circles(struct layers *layers, size_t start, const size_t *first, size_t *path,
                         size_t *at, unsigned char *state)
{
    size_t depth = 0;

    path[depth++] = start;
    state[start] = 1;
    while (depth > 0) {
        const size_t node = path[depth - 1];
        if (at[node] == first[node + 1]) {
            state[node] = 2;
            depth--;
            continue;
        }
        struct graph_link *link = &layers->picture->links[at[node]++];
        if (graph_is_loop(link))
            continue;
        link->backward = state[link->to] == 1;
        if (state[link->to] == 0) {
            state[link->to] = 1;
            path[depth++] = link->to;
        }
    }
}

static bool break_circles(struct layers *layers)
{
    const size_t count = layers->graph->nodes_count;
    const struct graph_picture *picture = layers->picture;
    size_t *first = calloc(count + 1, sizeof first[0]), *path = calloc(count + 1, sizeof path[0]);
    size_t *at = calloc(count + 1, sizeof at[0]), *in = calloc(count + 1, sizeof in[0]);
    unsigned char *state = calloc(count + 1, 1);
    const bool good = first != NULL && path != NULL && at != NULL && in != NULL && state != NULL;

    for (size_t i = 0; good && i < picture->links_count; i++) {
        first[picture->links[i].from + 1]++;
        in[picture->links[i].to] += !graph_is_loop(&picture->links[i]);
    }
    for (size_t i = 0; good && i < count; i++) {
        first[i + 1] += first[i];
        at[i] = first[i];
    }
    /* From those that nothing comes to, so that they stand on the left; then whatever is left. */
    for (int any = 0; any < 2; any++) {
        for (size_t i = 0; good && i < count; i++) {
            if (state[i] == 0 && (any || in[i] == 0))
                turn_circles(layers, i, first, path, at, state);
        }
    }
    free(first);
    free(path);
    free(at);
    free(in);
    free(state);
    return good;
}

/* Each node right of all before it; then what nothing comes to, as near as it may be to what comes after it. */
static void set_layers(struct layers *layers)
{
    const struct graph_picture *picture = layers->picture;
    size_t *layer = layers->layer_of;
    bool moved = true;

    while (moved) {
        moved = false;
        for (size_t i = 0; i < picture->links_count; i++) {
            const struct graph_link *link = &picture->links[i];
            const size_t least = layer[graph_left_of(link)] + 1;
            if (!graph_is_loop(link) && layer[graph_right_of(link)] < least) {
                layer[graph_right_of(link)] = least;
                moved = true;
            }
        }
    }
    for (size_t node = 0; node < layers->graph->nodes_count; node++) {
        size_t nearest = NONE;
        for (size_t i = 0; layer[node] == 0 && i < picture->links_count; i++) {
            const struct graph_link *link = &picture->links[i];
            if (!graph_is_loop(link) && graph_left_of(link) == node &&
                layer[graph_right_of(link)] < nearest)
                nearest = layer[graph_right_of(link)];
        }
        if (nearest != NONE)
            layer[node] = nearest - 1;
    }
}

/* ---- layers that are too high ---- */

static void find_sides(struct layers *layers)
{
    for (size_t i = 0; i < layers->picture->links_count; i++) {
        const struct graph_link *link = &layers->picture->links[i];
        if (!graph_is_loop(link)) {
            layers->right[graph_left_of(link)] = true;
            layers->left[graph_right_of(link)] = true;
        }
    }
}

/* Of the nodes of @layer, what is more than LAYER_NODES and has no line beyond on that side goes to the next one there. */
static void thin_out(struct layers *layers, size_t layer, bool to_right)
{
    const bool *beyond = to_right ? layers->right : layers->left;
    const bool *before = to_right ? layers->left : layers->right;
    size_t there = 0;

    for (size_t i = 0; i < layers->graph->nodes_count; i++)
        there += layers->layer_of[i] == layer && (beyond[i] || before[i]);
    for (size_t i = layers->graph->nodes_count; i-- > 0 && there > LAYER_NODES;) {
        if (layers->layer_of[i] == layer && before[i] && !beyond[i]) {
            layers->layer_of[i] = to_right ? layer + 1 : layer - 1;
            there--;
        }
    }
}

/* To the right from the first layer on; to the left from the last one, where as many layers are made room for as that can
 * take. The first layer is 0 again afterwards. */
static void spread(struct layers *layers)
{
    const size_t count = layers->graph->nodes_count;
    const size_t room = layers->graph->nodes_shown / LAYER_NODES + 1;
    size_t last = 0, first = NONE;

    find_sides(layers);
    for (size_t i = 0; i < count; i++)
        last = layers->layer_of[i] > last ? layers->layer_of[i] : last;
    for (size_t layer = 0; layer < last + room; layer++)
        thin_out(layers, layer, true);
    for (size_t i = 0; i < count; i++)
        layers->layer_of[i] += room;
    for (size_t layer = last + 2 * room; layer > 0; layer--)
        thin_out(layers, layer, false);
    for (size_t i = 0; i < count; i++) {
        if ((layers->left[i] || layers->right[i]) && layers->layer_of[i] < first)
            first = layers->layer_of[i];
    }
    for (size_t i = 0; i < count; i++)
        layers->layer_of[i] = layers->left[i] || layers->right[i] ? layers->layer_of[i] - first : 0;
}

bool graph_layers(const struct graph *graph, struct graph_picture *picture, size_t *ret_layer_of)
{
    struct layers layers = {.graph = graph, .picture = picture};

    layers.layer_of = ret_layer_of;
    layers.right = calloc(graph->nodes_count + 1, sizeof layers.right[0]);
    layers.left = calloc(graph->nodes_count + 1, sizeof layers.left[0]);
    const bool good = layers.right != NULL && layers.left != NULL && break_circles(&layers);
    if (good) {
        set_layers(&layers);
        spread(&layers);
    }
    free(layers.right);
    free(layers.left);
    return good;
}
