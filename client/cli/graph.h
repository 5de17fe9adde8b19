/* hbctl graph: who shared what with whom. The model, the picture and its documents know no Windows; what they are
 * made from comes from graph_gather.c. Texts are somebody else's: each document escapes them in its own way, and
 * none has a control character. */
#ifndef GRAPH_H
#define GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- limits ---- */
#define GRAPH_NODES_MAX 4096  /* that are remembered */
#define GRAPH_EDGES_MAX 16384 /* the same */
#define GRAPH_BUCKETS 8192    /* of each table */
#define GRAPH_TYPES_MAX 16    /* types with their rights that an edge tells apart */
#define GRAPH_NAMES_MAX 8     /* endpoints that a node names */
#define GRAPH_SHOWN 60        /* nodes that are shown unless told otherwise */
#define GRAPH_SHOWN_MAX 500
#define GRAPH_VERTICES_MAX 20000 /* of a picture: nodes, and bends of lines that pass others */
#define GRAPH_TYPE_BYTES 36
#define GRAPH_TITLE_BYTES 400 /* of a text that is made for a node or an edge */

/* ---- the model ---- */

enum graph_kind {
    GRAPH_PROCESS,
    GRAPH_ENTRY,    /* of the store; without a name, tickets */
    GRAPH_ENDPOINT, /* a name to which something was sent, and nobody has got it */
};

enum graph_how { GRAPH_SEND, GRAPH_TRANSFER, GRAPH_PUT, GRAPH_GET, GRAPH_REVOKE };
enum graph_outcome { GRAPH_DONE, GRAPH_PENDING, GRAPH_REFUSED };

struct graph_node {
    enum graph_kind kind;
    uint32_t pid;   /* of a process */
    char *user;     /* SID, or NULL: not known, or it does not matter */
    char *name;     /* of the client, as it calls itself; or of the entry or endpoint; or NULL */
    uint64_t entry; /* of a ticket whose number is known */
    uint64_t count; /* hand-offs in which it has a part */
    uint64_t sent, got; /* deliveries, as the service has counted them; 0: it did not say */
    char *names[GRAPH_NAMES_MAX]; /* endpoints that it has open */
    size_t names_count;           /* all of them, more than stand in `names` perhaps */
    size_t next;                  /* in its bucket */
    bool shown;
};

struct graph_type {
    char type[GRAPH_TYPE_BYTES];
    uint32_t access;
    uint64_t count;
};

/* All hand-offs from one node to another of one kind, name and outcome. */
struct graph_edge {
    size_t from, to;
    enum graph_how how;
    enum graph_outcome outcome;
    char *name;                 /* NULL: none */
    char *word;                 /* error or state; NULL: none */
    uint64_t count, handles;    /* hand-offs; handles in them */
    uint64_t first_ms, last_ms; /* Unix time; 0: not known */
    size_t types_count;
    struct graph_type types[GRAPH_TYPES_MAX];
    uint64_t types_more; /* handles of further ones */
    size_t next;         /* in its bucket */
    bool shown;
};

struct graph {
    size_t nodes_count, nodes_room, edges_count, edges_room;
    struct graph_node *nodes;
    struct graph_edge *edges;
    size_t node_buckets[GRAPH_BUCKETS], edge_buckets[GRAPH_BUCKETS]; /* index + 1; 0: none */
    uint64_t shares, lost; /* hand-offs; those of them that found no room */
    /* Set by graph_choose(). */
    size_t nodes_shown, edges_shown;
    uint64_t shares_shown;
};

/* Whom a hand-off is about. */
struct graph_party {
    uint32_t pid; /* 0: not known */
    const char *user;
};

struct graph_item {
    const char *type;
    uint32_t access;
};

/* One hand-off, or what was to be one. */
struct graph_share {
    enum graph_how how;
    enum graph_outcome outcome;
    const char *word;            /* as of an edge */
    struct graph_party from, to; /* PUT has no `to`, GET no `from` */
    const char *name;            /* endpoint or entry */
    uint64_t entry;              /* of a ticket; 0: not known */
    uint64_t count, time_ms;     /* count 0: one */
    size_t items_count;
    const struct graph_item *items;
};

/** graph_new() - an empty one. NULL: out of memory. */
struct graph *graph_new(void);
/** graph_free() - NULL is accepted. */
void graph_free(struct graph *graph);

/** graph_process() - the node of @party, which is made if there is none. Return: NULL: no room (counted), or out of
 * memory. Until the next one is made. */
struct graph_node *graph_process(struct graph *graph, const struct graph_party *party);
/** graph_node_call() - @node calls itself @name. False: out of memory. */
bool graph_node_call(struct graph_node *node, const char *name);
/** graph_node_listens() - @node has opened endpoint @name. False: out of memory. */
bool graph_node_listens(struct graph_node *node, const char *name);

/** graph_add() - @share. What names neither a second process nor a name can't be drawn, and is left out. False: out of
 * memory. */
bool graph_add(struct graph *graph, const struct graph_share *share);

/** graph_choose() - show the @most nodes (GRAPH_SHOWN_MAX at most) that have a part in most hand-offs, and the edges
 * between them. */
void graph_choose(struct graph *graph, size_t most);

/* ---- texts ---- */

/** graph_character() - the character at *text, which moves on. U+FFFD for what is no UTF-8, no character of XML, or
 * would steer what is around it: control characters and those that change the direction of writing. */
uint32_t graph_character(const char **text);
/** graph_columns() - how many columns @text takes: two for the wide characters of East Asia. */
size_t graph_columns(const char *text);
/** graph_xml() - @text in XML or HTML, cut to @columns with an ellipsis; 0: whole. */
void graph_xml(FILE *file, const char *text, size_t columns);
/** graph_dot_text() - @text within the quotes of a label in DOT, cut as graph_xml() cuts. */
void graph_dot_text(FILE *file, const char *text, size_t columns);

/** graph_title() - what @node is called: at most GRAPH_TITLE_BYTES. */
void graph_title(const struct graph_node *node, char *ret_text);
/** graph_whose() - what graph_title() does not say of process and user, in short: "4242 · SYSTEM"; or "". */
void graph_whose(const struct graph_node *node, char *ret_text);
/** graph_user() - a SID in short: its well-known name, or its beginning and its end. */
void graph_user(const char *sid, char *ret_text, size_t size);
/** graph_types() - "3 Event:0x2 Section:0x4" of @edge; the rights only if @rights. */
void graph_types(const struct graph_edge *edge, bool rights, char *ret_text, size_t size);
const char *graph_kind_word(enum graph_kind kind);
const char *graph_how_word(enum graph_how how);
const char *graph_outcome_word(enum graph_outcome outcome);

/* ---- the picture ---- */

struct graph_point {
    double x, y;
};

struct graph_place {
    bool placed; /* of a node that is shown */
    double x, y;
};

/* One line of the picture: the edges between two nodes that look the same. */
struct graph_link {
    size_t from, to;
    enum graph_outcome outcome;
    bool revoke;
    bool backward; /* drawn from `to` to `from` */
    uint64_t count;
    size_t edges_at, edges_count; /* in picture.edges */
    size_t points_at,
        points_count; /* curves from each even to the next odd one, straight lines between */
};

struct graph_picture {
    double width, height, card_width, card_height, gap;
    bool compact;
    struct graph_place *places; /* one a node of the graph */
    size_t *edges;              /* the shown ones, link by link */
    size_t links_count;
    struct graph_link *links;
    size_t points_count, points_room;
    struct graph_point *points;
    double apart_y; /* where nodes without a line begin; 0: there are none */
};

/** graph_lay_out() - place what is shown: from left to right as far as there is a direction, what has no line below.
 * False: out of memory; @picture is to be freed in any case. */
bool graph_lay_out(const struct graph *graph, struct graph_picture *picture);
void graph_picture_free(struct graph_picture *picture);

/** graph_links() - the part of graph_lay_out() that makes picture->edges and ->links. */
bool graph_links(const struct graph *graph, struct graph_picture *picture);

/** graph_layers() - the part that says in which layer each node stands (@ret_layer_of, all zero before), and which links
 * are backward. */
bool graph_layers(const struct graph *graph, struct graph_picture *picture, size_t *ret_layer_of);
/** graph_is_loop() - from a node to itself? */
bool graph_is_loop(const struct graph_link *link);
/** graph_left_of(), graph_right_of() - the node that the line is drawn from, and to. */
size_t graph_left_of(const struct graph_link *link);
size_t graph_right_of(const struct graph_link *link);

/* ---- documents ---- */

/* What a document says of itself. */
struct graph_about {
    char machine[64], service[128];     /* "": not known */
    uint64_t made_ms;                   /* Unix time */
    uint64_t records;                   /* that were read */
    uint64_t malformed, malformed_line; /* lines that are none; where the first one stands */
    uint64_t missed;                    /* records that are known to be missing */
    uint64_t from_ms, to_ms;            /* when the records are from; 0: there are none */
    bool live;                          /* the state of the service is in it */
    bool own;                           /* as far as one may see it who may not inspect */
};

/** graph_time() - "2026-11-28 01:02:03Z". */
void graph_time(uint64_t unix_ms, char *ret_text, size_t size);
/** graph_notes() - call @tell with each sentence on what a reader should know: what was left out, and why. */
void graph_notes(const struct graph *graph, const struct graph_about *about,
                 void (*tell)(void *context, const char *text), void *context);

void graph_write_dot(FILE *file, const struct graph *graph, const struct graph_about *about);
/** graph_write_html() - False: out of memory. */
bool graph_write_html(FILE *file, const struct graph *graph, const struct graph_about *about);
/** graph_write_svg() - the picture alone, as a part of that page. */
bool graph_write_svg(FILE *file, const struct graph *graph, const struct graph_picture *picture);

#endif
