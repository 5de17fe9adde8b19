/* What the tests of hbctl graph share: hand-offs, graphs by chance, and documents as text. */
#ifndef GRAPH_SUPPORT_H
#define GRAPH_SUPPORT_H

#include "graph.h"

#include "test_support.h"

#define ME "S-1-5-21-1-2-3-1001"
#define YOU "S-1-5-21-1-2-3-1002"

/** graph_made() - an empty one. */
struct graph *graph_made(void);
/** graph_send_of() - a send of process @from to @to, both of ME; 0: to the name alone. */
struct graph_share graph_send_of(uint32_t from, uint32_t to, const char *name);
/** graph_added() - graph_add(), which has memory. */
void graph_added(struct graph *graph, const struct graph_share *share);

/* What comes by chance: the same again after the same seed, which is not 0. */
extern uint64_t graph_seed;
unsigned graph_any(unsigned below);
/** any_graph() - processes and names, with circles, and processes that have to do with themselves. */
struct graph *any_graph(unsigned processes, unsigned shares);

#define DOCUMENT_MAX (4u << 20)

enum graph_document_kind { GRAPH_DOT, GRAPH_HTML };

extern const char graph_file[]; /* of the test's own, for what is written on its way */
extern char graph_document[DOCUMENT_MAX];

/** graph_written() - the document of @graph is in `graph_document`. Return: false, out of memory. */
bool graph_written(const struct graph *graph, const struct graph_about *about,
                   enum graph_document_kind kind);
size_t graph_occurrences(const char *text, const char *what);

#endif
