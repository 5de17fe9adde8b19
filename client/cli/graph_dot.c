/* The graph in DOT, for Graphviz. */
#include "graph.h"

#include <string.h>

#define NAME_COLUMNS 32
#define TYPES_COLUMNS 64

static void write_node(FILE *file, const struct graph_node *node, unsigned long id)
{
    static const char *const shapes[] = {"box, style=\"rounded,filled\"",
                                         "cylinder, style=filled, fillcolor=\"#dff5ee\"",
                                         "box, style=dashed"};
    char title[GRAPH_TITLE_BYTES], whose[GRAPH_TITLE_BYTES];

    graph_title(node, title);
    graph_whose(node, whose);
    fprintf(file, "  n%lu [shape=%s, label=\"", id, shapes[node->kind]);
    graph_dot_text(file, title, NAME_COLUMNS);
    if (whose[0] != '\0') {
        fputs("\\n", file);
        graph_dot_text(file, whose, NAME_COLUMNS);
    }
    for (size_t i = 0; i < node->names_count && i < GRAPH_NAMES_MAX; i++) {
        fputs(i == 0 ? "\\nlistens at " : ", ", file);
        graph_dot_text(file, node->names[i], NAME_COLUMNS);
    }
    if (node->names_count > GRAPH_NAMES_MAX)
        fprintf(file, " and %lu more", (unsigned long)(node->names_count - GRAPH_NAMES_MAX));
    fprintf(file, "\", tooltip=\"%s: ", graph_kind_word(node->kind));
    graph_dot_text(file, title, 0);
    if (node->user != NULL) {
        fputs(", ", file);
        graph_dot_text(file, node->user, 0);
    }
    fputs("\"];\n", file);
}

static double width_of(uint64_t count)
{
    double width = 1;
    for (; count > 1 && width < 6; count /= 4)
        width += 0.5;
    return width;
}

static void write_edge(FILE *file, const struct graph_edge *edge)
{
    static const char *const looks[] = {"", ", style=dashed, color=\"#b45309\"",
                                        ", style=dashed, color=\"#c0262d\""};
    char types[1024];

    graph_types(edge, true, types, sizeof types);
    fprintf(file, "  n%lu -> n%lu [label=\"%s", (unsigned long)edge->from + 1,
            (unsigned long)edge->to + 1, graph_how_word(edge->how));
    if (edge->count > 1)
        fprintf(file, " \xC3\x97%llu", (unsigned long long)edge->count);
    if (edge->name != NULL && edge->how != GRAPH_PUT && edge->how != GRAPH_GET) {
        fputs(": ", file);
        graph_dot_text(file, edge->name, NAME_COLUMNS);
    }
    if (types[0] != '\0') {
        fputs("\\n", file);
        graph_dot_text(file, types, TYPES_COLUMNS);
    }
    if (edge->word != NULL) {
        fputs("\\n", file);
        graph_dot_text(file, edge->word, NAME_COLUMNS);
    }
    fputs("\", tooltip=\"", file);
    if (edge->name != NULL)
        graph_dot_text(file, edge->name, 0);
    fputs(" ", file);
    graph_dot_text(file, types, 0);
    fprintf(file, "\", penwidth=%.1f%s];\n", width_of(edge->count), looks[edge->outcome]);
}

static void write_note(void *context, const char *text)
{
    fputs("\\n", context);
    graph_dot_text(context, text, 0);
}

void graph_write_dot(FILE *file, const struct graph *graph, const struct graph_about *about)
{
    char made[32];

    graph_time(about->made_ms, made, sizeof made);
    fputs("digraph handlebroker {\n"
          "  graph [rankdir=LR, fontname=\"sans-serif\", labelloc=t, label=\"Who shared what with "
          "whom",
          file);
    if (about->machine[0] != '\0') {
        fputs(" \xC2\xB7 ", file);
        graph_dot_text(file, about->machine, 0);
    }
    if (about->service[0] != '\0') {
        fputs(" \xC2\xB7 ", file);
        graph_dot_text(file, about->service, 0);
    }
    fprintf(file, " \xC2\xB7 %s", made);
    graph_notes(graph, about, write_note, file);
    fputs("\"];\n"
          "  node [fontname=\"sans-serif\", fontsize=11, fillcolor=\"#eaf1fb\"];\n"
          "  edge [fontname=\"sans-serif\", fontsize=9, color=\"#2563a8\"];\n",
          file);
    for (size_t i = 0; i < graph->nodes_count; i++) {
        if (graph->nodes[i].shown)
            write_node(file, &graph->nodes[i], (unsigned long)i + 1);
    }
    for (size_t i = 0; i < graph->edges_count; i++) {
        if (graph->edges[i].shown)
            write_edge(file, &graph->edges[i]);
    }
    fputs("}\n", file);
}
