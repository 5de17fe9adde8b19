/* What the tests of hbctl graph share. */
#include "graph_support.h"

#include "alloc_fault.h"

#include <string.h>

struct graph_share graph_send_of(uint32_t from, uint32_t to, const char *name)
{
    return (struct graph_share){
        .how = GRAPH_SEND, .from = {from, ME}, .to = {to, ME}, .name = name};
}

void graph_added(struct graph *graph, const struct graph_share *share)
{
    assert_true(graph_add(graph, share));
}

struct graph *graph_made(void)
{
    struct graph *graph = graph_new();
    assert_non_null(graph);
    return graph;
}

char graph_document[DOCUMENT_MAX];

bool graph_written(const struct graph *graph, const struct graph_about *about,
                   enum graph_document_kind kind)
{
    bool good = true;

    alloc_fault_pause(true);
    FILE *file = fopen(graph_file, "wb+");
    alloc_fault_pause(false);
    assert_non_null(file);
    if (kind == GRAPH_DOT)
        graph_write_dot(file, graph, about);
    else
        good = graph_write_html(file, graph, about);
    rewind(file);
    size_t size = fread(graph_document, 1, sizeof graph_document - 1, file);
    assert_true(size < sizeof graph_document - 1);
    graph_document[size] = '\0';
    assert_int_equal(strlen(graph_document), size);
    fclose(file);
    remove(graph_file);
    return good;
}

size_t graph_occurrences(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        count++;
    return count;
}

uint64_t graph_seed;

unsigned graph_any(unsigned below)
{
    graph_seed ^= graph_seed << 13;
    graph_seed ^= graph_seed >> 7;
    graph_seed ^= graph_seed << 17;
    return below > 1 ? (unsigned)(graph_seed % below) : 0;
}

struct graph *any_graph(unsigned processes, unsigned shares)
{
    const struct graph_item items[] = {{"Event", 2}, {"Section", 4}, {"File", 0x120089}};
    struct graph *graph = graph_made();

    for (unsigned i = 0; i < processes; i++) {
        const struct graph_party who = {4 + 4 * i, ME};
        assert_non_null(graph_process(graph, &who));
    }
    for (unsigned i = 0; i < shares; i++) {
        char name[32];
        struct graph_share share =
            graph_send_of(4 + 4 * graph_any(processes), 4 + 4 * graph_any(processes), name);
        snprintf(name, sizeof name, "user/%u", graph_any(4));
        share.how = (enum graph_how)graph_any(5);
        share.outcome = (enum graph_outcome)graph_any(3);
        share.count = graph_any(30);
        share.items_count = graph_any(4);
        share.items = items;
        if (graph_any(10) == 0)
            share.to.pid = 0;
        graph_added(graph, &share);
    }
    return graph;
}
