/* The picture as SVG. Its colours are the page's (graph_html.c); everything that is cut has its whole text in a title,
 * which browsers show over it. */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

#define LABELS_MAX 400 /* lines of a picture that have a label; with more none has */
#define LABEL_COLUMNS 24
#define LABEL_LINE 13.0
#define CROWDED 4 /* lines on one side of a card, past which labels stand at their other ends */
#define COLUMN_WIDTH 5.7 /* of a label's character, about */

/* ---- cards ---- */

static void write_node_title(FILE *file, const struct graph_node *node)
{
    char title[GRAPH_TITLE_BYTES];

    graph_title(node, title);
    fprintf(file, "<title>%s ", graph_kind_word(node->kind));
    graph_xml(file, title, 0);
    if (node->kind == GRAPH_PROCESS && node->name != NULL)
        fprintf(file, "\nprocess %lu", (unsigned long)node->pid);
    if (node->user != NULL) {
        fputs("\nuser ", file);
        graph_xml(file, node->user, 0);
    }
    for (size_t i = 0; i < node->names_count && i < GRAPH_NAMES_MAX; i++) {
        fputs("\nlistens at ", file);
        graph_xml(file, node->names[i], 0);
    }
    if (node->names_count > GRAPH_NAMES_MAX)
        fprintf(file, "\nand %lu endpoints more",
                (unsigned long)(node->names_count - GRAPH_NAMES_MAX));
    if (node->sent != 0 || node->got != 0)
        fprintf(file, "\nsince it connected: %llu deliveries sent, %llu received",
                (unsigned long long)node->sent, (unsigned long long)node->got);
    fputs("</title>", file);
}

/* The third line of a card. */
static void write_more(FILE *file, const struct graph_node *node)
{
    if (node->names_count != 0) {
        fputs("\xE2\x97\x82 ", file); /* what points at it from outside */
        graph_xml(file, node->names[0] != NULL ? node->names[0] : "", 24);
        if (node->names_count > 1)
            fprintf(file, " +%lu", (unsigned long)node->names_count - 1);
    } else if (node->sent != 0 || node->got != 0) {
        fprintf(file, "%llu sent, %llu received", (unsigned long long)node->sent,
                (unsigned long long)node->got);
    } else if (node->kind == GRAPH_ENTRY) {
        fputs("entry of the store", file);
    } else if (node->kind == GRAPH_ENDPOINT) {
        fputs("nobody got it", file);
    }
}

static void write_node(FILE *file, const struct graph *graph, const struct graph_picture *picture,
                       size_t number)
{
    const struct graph_node *node = &graph->nodes[number];
    const struct graph_place *place = &picture->places[number];
    const double width = picture->card_width, height = picture->card_height;
    char title[GRAPH_TITLE_BYTES], whose[GRAPH_TITLE_BYTES];

    graph_title(node, title);
    graph_whose(node, whose);
    fprintf(file, "<g class=\"node %s\" id=\"n%lu\">", graph_kind_word(node->kind),
            (unsigned long)number + 1);
    write_node_title(file, node);
    /* What is too wide in spite of being cut ends at the card. */
    fprintf(file, "<svg x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">", place->x, place->y,
            width, height);
    fprintf(file, "<rect class=\"card\" x=\"1\" y=\"1\" width=\"%.1f\" height=\"%.1f\" rx=\"%s\"/>",
            width - 2, height - 2, node->kind == GRAPH_ENTRY ? "18" : "8");
    fprintf(file, "<circle class=\"dot\" cx=\"16\" cy=\"%d\" r=\"4\"/>",
            picture->compact ? 14 : 18);
    fprintf(file, "<text class=\"name\" x=\"27\" y=\"%d\">", picture->compact ? 18 : 22);
    graph_xml(file, title, 20);
    fprintf(file, "</text><text class=\"whose\" x=\"27\" y=\"%d\">", picture->compact ? 31 : 37);
    graph_xml(file, whose, 28);
    fputs("</text>", file);
    if (!picture->compact) {
        fprintf(file, "<text class=\"more\" x=\"27\" y=\"%d\">", whose[0] != '\0' ? 51 : 37);
        write_more(file, node);
        fputs("</text>", file);
    }
    fputs("</svg></g>\n", file);
}

/* ---- lines ---- */

static const char *look(const struct graph_link *link)
{
    return link->revoke ? "revoke" : graph_outcome_word(link->outcome);
}

static void write_path(FILE *file, const struct graph_picture *picture,
                       const struct graph_link *link)
{
    if (link->from == link->to) {
        const struct graph_place *place = &picture->places[link->from];
        const double x = place->x + picture->card_width, up = picture->gap * 0.8;
        fprintf(file, "M%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f", x - 56, place->y, x - 56,
                place->y - up, x - 20, place->y - up, x - 20, place->y);
        return;
    }
    for (size_t i = 0; i < link->points_count; i += 2) {
        const struct graph_point *a = &picture->points[link->points_at + i], *b = a + 1;
        const double half = (b->x - a->x) / 2;
        fprintf(file, "%s%.1f %.1f C%.1f %.1f %.1f %.1f %.1f %.1f", i == 0 ? "M" : " L", a->x, a->y,
                a->x + half, a->y, b->x - half, b->y, b->x, b->y);
    }
}

static void write_edge_line(FILE *file, const struct graph_edge *edge)
{
    char types[1024];

    graph_types(edge, true, types, sizeof types);
    fprintf(file, "\n%s \xC3\x97%llu", graph_how_word(edge->how), (unsigned long long)edge->count);
    if (edge->name != NULL) {
        fputs(" ", file);
        graph_xml(file, edge->name, 0);
    }
    if (edge->word != NULL) {
        fputs(" (", file);
        graph_xml(file, edge->word, 0);
        fputs(")", file);
    }
    if (types[0] != '\0') {
        fputs(": ", file);
        graph_xml(file, types, 0);
    }
}

static double width_of(uint64_t count)
{
    double width = 1.6;
    for (; count > 1 && width < 5; count /= 3)
        width += 0.6;
    return width;
}

static void write_link(FILE *file, const struct graph *graph, const struct graph_picture *picture,
                       const struct graph_link *link)
{
    char title[GRAPH_TITLE_BYTES];

    fprintf(file, "<g class=\"link %s\"><title>", look(link));
    graph_title(&graph->nodes[link->from], title);
    graph_xml(file, title, 0);
    fputs(" \xE2\x86\x92 ", file);
    graph_title(&graph->nodes[link->to], title);
    graph_xml(file, title, 0);
    for (size_t i = 0; i < link->edges_count; i++)
        write_edge_line(file, &graph->edges[picture->edges[link->edges_at + i]]);
    fprintf(file, "</title><path stroke-width=\"%.1f\" marker-%s=\"url(#arrow-%s)\" d=\"",
            width_of(link->count), link->backward ? "start" : "end", look(link));
    write_path(file, picture, link);
    fputs("\"/></g>\n", file);
}

/* ---- labels ---- */

struct label {
    char what[GRAPH_TITLE_BYTES], name[GRAPH_TITLE_BYTES];
};

struct box {
    double x, y, width, height;
};

/* What a line is, in one line of text; and the name under which it went, or how many names. */
static void make_label(const struct graph *graph, const struct graph_picture *picture,
                       const struct graph_link *link, struct label *ret_label)
{
    const size_t *edges = &picture->edges[link->edges_at];
    const struct graph_edge *first = &graph->edges[edges[0]];
    const bool by_name = first->how != GRAPH_PUT && first->how != GRAPH_GET;
    bool same_how = true, same_name = true, same_word = true;
    char types[256] = "", count[32] = "";

    for (size_t i = 1; i < link->edges_count; i++) {
        const struct graph_edge *edge = &graph->edges[edges[i]];
        same_how = same_how && edge->how == first->how;
        same_name = same_name && edge->name != NULL && first->name != NULL &&
                    strcmp(edge->name, first->name) == 0;
        same_word = same_word && edge->word != NULL && first->word != NULL &&
                    strcmp(edge->word, first->word) == 0;
    }
    graph_types(first, false, types, sizeof types);
    if (first->word != NULL && same_word)
        snprintf(types, sizeof types, "%s", first->word);
    if (link->count > 1)
        snprintf(count, sizeof count, " \xC3\x97%llu", (unsigned long long)link->count);
    snprintf(ret_label->what, sizeof ret_label->what, "%s%s%s%s",
             same_how ? graph_how_word(first->how) : "several", count, types[0] != '\0' ? " " : "",
             types);
    ret_label->name[0] = '\0';
    if (by_name && same_name && first->name != NULL)
        snprintf(ret_label->name, sizeof ret_label->name, "%s", first->name);
    else if (by_name && !same_name)
        snprintf(ret_label->name, sizeof ret_label->name, "%lu ways",
                 (unsigned long)link->edges_count);
}

static double columns(const char *text)
{
    const size_t all = graph_columns(text);
    return (double)(all < LABEL_COLUMNS ? all : LABEL_COLUMNS);
}

/* Where there are labels already. */
struct label_space {
    size_t count;
    struct box boxes[LABELS_MAX];
};

/* How many lines leave each node to the right, and come from the left. */
struct crowd {
    size_t *right, *left;
};

static bool is_free(const struct label_space *taken, const struct box *box)
{
    for (size_t i = 0; i < taken->count; i++) {
        const struct box *other = &taken->boxes[i];
        if (box->x < other->x + other->width && other->x < box->x + box->width &&
            box->y < other->y + other->height && other->y < box->y + box->height)
            return false;
    }
    return true;
}

/* The point @along the @part-th curve of a line. */
static struct graph_point point_at(const struct graph_picture *picture,
                                   const struct graph_link *link, size_t part, double along)
{
    const struct graph_point *a = &picture->points[link->points_at + 2 * part], *b = a + 1;
    const double t = along, s = 1 - t, half = (b->x - a->x) / 2;

    return (struct graph_point){
        s * s * s * a->x + 3 * s * s * t * (a->x + half) + 3 * s * t * t * (b->x - half) +
            t * t * t * b->x,
        a->y * s * s * (s + 3 * t) + b->y * t * t * (t + 3 * s),
    };
}

/* A place for a label of that size on the line, that no other has: somewhere along it, but at its one end where many
 * lines meet at the other. */
static bool find_place(const struct graph_picture *picture, const struct graph_link *link,
                       const struct crowd *crowd, const struct label_space *taken, struct box *box)
{
    static const double along[] = {0.5, 0.36, 0.64, 0.24, 0.76};
    const size_t parts = link->points_count / 2;
    const struct graph_point *begin = &picture->points[link->points_at];
    const struct graph_point *end = begin + link->points_count - 1;
    const size_t from = crowd->right[graph_left_of(link)], to = crowd->left[graph_right_of(link)];

    if (from > CROWDED || to > CROWDED) {
        const bool at_end = from > to;
        box->x = at_end ? end->x - box->width - 12 : begin->x + 12;
        box->y = (at_end ? end->y : begin->y) - box->height - 3;
        return is_free(taken, box);
    }
    for (size_t part = 0; part < parts && part < 5; part++) {
        for (size_t i = 0; i < sizeof along / sizeof along[0]; i++) {
            /* The middle one first. */
            const size_t which = (parts / 2 + part) % parts;
            const struct graph_point at = point_at(picture, link, which, along[i]);
            const double least = begin[2 * which].x + 2;
            const double most = begin[2 * which + 1].x - box->width - 10;
            box->x = at.x - box->width / 2;
            box->x = box->x > most ? most : box->x; /* off the cards on both sides */
            box->x = box->x < least ? least : box->x;
            box->y = at.y - box->height - 3;
            if (is_free(taken, box))
                return true;
        }
    }
    return false;
}

static void write_label(FILE *file, const struct label *label, const struct box *box, bool named,
                        const char *look_word)
{
    const double x = box->x + box->width / 2;

    fprintf(file,
            "<rect class=\"behind\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"4\"/>"
            "<text class=\"label %s\" x=\"%.1f\" y=\"%.1f\">",
            box->x, box->y, box->width, box->height, look_word, x, box->y + 10);
    if (named) {
        fprintf(file, "<tspan class=\"via\" x=\"%.1f\">", x);
        graph_xml(file, label->name, LABEL_COLUMNS);
        fprintf(file, "</tspan><tspan x=\"%.1f\" dy=\"%.1f\">", x, LABEL_LINE);
        graph_xml(file, label->what, LABEL_COLUMNS);
        fputs("</tspan></text>\n", file);
        return;
    }
    graph_xml(file, label->what, LABEL_COLUMNS);
    fputs("</text>\n", file);
}

/* With its name if there is room, else without, else not at all: the title has it. */
static void label_link(FILE *file, const struct graph *graph, const struct graph_picture *picture,
                       const struct graph_link *link, const struct crowd *crowd,
                       struct label_space *taken)
{
    struct label label = {.what = ""};
    struct box box;

    make_label(graph, picture, link, &label);
    for (int named = label.name[0] != '\0'; named >= 0; named--) {
        const double what = columns(label.what), name = named ? columns(label.name) : 0;
        box.width = (what > name ? what : name) * COLUMN_WIDTH + 6;
        box.height = (named ? 2 : 1) * LABEL_LINE;
        if (find_place(picture, link, crowd, taken, &box)) {
            taken->boxes[taken->count++] = box;
            write_label(file, &label, &box, named != 0, look(link));
            return;
        }
    }
}

static bool write_labels(FILE *file, const struct graph *graph, const struct graph_picture *picture)
{
    struct label_space *taken = calloc(1, sizeof taken[0]);
    struct crowd crowd = {calloc(graph->nodes_count + 1, sizeof crowd.right[0]),
                          calloc(graph->nodes_count + 1, sizeof crowd.left[0])};
    const bool good = taken != NULL && crowd.right != NULL && crowd.left != NULL;
    const size_t count = good && picture->links_count <= LABELS_MAX ? picture->links_count : 0;

    for (size_t i = 0; i < count; i++) {
        crowd.right[graph_left_of(&picture->links[i])]++;
        crowd.left[graph_right_of(&picture->links[i])]++;
    }
    for (size_t i = 0; i < count; i++) {
        if (picture->links[i].points_count != 0)
            label_link(file, graph, picture, &picture->links[i], &crowd, taken);
    }
    free(taken);
    free(crowd.right);
    free(crowd.left);
    return good;
}

/* ---- all of it ---- */

static void write_arrows(FILE *file)
{
    static const char *const looks[] = {"done", "pending", "refused", "revoke"};

    fputs("<defs>", file);
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++)
        fprintf(file,
                "<marker id=\"arrow-%s\" class=\"arrow %s\" viewBox=\"0 0 10 10\" refX=\"9.5\" "
                "refY=\"5\" markerWidth=\"10\" markerHeight=\"10\" markerUnits=\"userSpaceOnUse\" "
                "orient=\"auto-start-reverse\"><path d=\"M0 1 L10 5 L0 9 z\"/></marker>",
                looks[i], looks[i]);
    fputs("</defs>\n", file);
}

bool graph_write_svg(FILE *file, const struct graph *graph, const struct graph_picture *picture)
{
    const double width = picture->width > 320 ? picture->width : 320;
    const double height = picture->height > 96 ? picture->height : 96;

    fprintf(file,
            "<svg class=\"picture\" role=\"img\" aria-labelledby=\"picture-title picture-desc\" "
            "width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" style=\"min-width:%.0fpx\">\n"
            "<title id=\"picture-title\">Who shared what with whom</title>\n"
            "<desc id=\"picture-desc\">%lu nodes and the hand-offs between them; the tables below "
            "say the same.</desc>\n",
            width, height, width, height, width * 0.85, (unsigned long)graph->nodes_shown);
    write_arrows(file);
    if (graph->nodes_shown == 0)
        fprintf(file,
                "<text class=\"apart\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">Nothing "
                "was shared.</text>\n",
                width / 2, height / 2);
    for (size_t i = 0; i < picture->links_count; i++)
        write_link(file, graph, picture, &picture->links[i]);
    if (picture->apart_y > 0)
        fprintf(file,
                "<text class=\"apart\" x=\"24\" y=\"%.1f\">Connected, without a hand-off "
                "here</text>\n",
                picture->apart_y + 14);
    const bool good = write_labels(file, graph, picture);
    for (size_t i = 0; i < graph->nodes_count; i++) {
        if (picture->places[i].placed)
            write_node(file, graph, picture, i);
    }
    fputs("</svg>\n", file);
    return good;
}
