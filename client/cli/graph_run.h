/* hbctl graph: from the command line to the document; private to graph_run.c and graph_gather.c. */
#ifndef GRAPH_RUN_H
#define GRAPH_RUN_H

#include "graph.h"
#include "hbctl.h"

#define GRAPH_LINE_BYTES 65536u /* that a line of a file of records has less than */

struct graph_run {
    const struct arguments *arguments;
    struct graph *graph;
    struct graph_about about;
};

/** graph_out_of_memory() - say so. Return: the exit code. */
enum exit_code graph_out_of_memory(const struct arguments *arguments);

/* What follows returns EXIT_DONE; else a message was printed. */

/** graph_gather_file() - the records of the file at @path. Lines that are none are counted. */
enum exit_code graph_gather_file(struct graph_run *run, const char *path);
/** graph_gather_watch() - the records that the service makes within @watch_ms. */
enum exit_code graph_gather_watch(struct graph_run *run, hbk_client *client, uint32_t watch_ms);
/** graph_gather_live() - sessions, endpoints, deliveries and entries, as far as we may see them; and, unless @watch_ms is
 * 0, graph_gather_watch() meanwhile. */
enum exit_code graph_gather_live(struct graph_run *run, hbk_client *client, uint32_t watch_ms);
/** graph_gather_service() - which service it is, and on which machine. */
enum exit_code graph_gather_service(struct graph_run *run, hbk_client *client);

#endif
