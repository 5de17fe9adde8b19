/* The model: processes and names, and what went from one to another, counted. */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

struct graph *graph_new(void)
{
    return calloc(1, sizeof(struct graph));
}

void graph_free(struct graph *graph)
{
    if (graph == NULL)
        return;
    for (size_t i = 0; i < graph->nodes_count; i++) {
        struct graph_node *node = &graph->nodes[i];
        for (size_t k = 0; k < node->names_count && k < GRAPH_NAMES_MAX; k++)
            free(node->names[k]);
        free(node->user);
        free(node->name);
    }
    for (size_t i = 0; i < graph->edges_count; i++) {
        free(graph->edges[i].name);
        free(graph->edges[i].word);
    }
    free(graph->nodes);
    free(graph->edges);
    free(graph);
}

/* Return: false, out of memory. NULL is copied to NULL. */
static bool copy(char **ret_copy, const char *text)
{
    *ret_copy = NULL;
    if (text == NULL)
        return true;
    size_t size = strlen(text) + 1;
    char *made = malloc(size);
    if (made == NULL)
        return false;
    memcpy(made, text, size);
    *ret_copy = made;
    return true;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* FNV-1a. Who makes names meet in one bucket makes his own graph slow: a bucket has at most GRAPH_EDGES_MAX. */
static uint32_t hash(uint32_t seed, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        seed = (seed ^ ((const unsigned char *)bytes)[i]) * 16777619u;
    return seed;
}

static uint32_t hash_text(uint32_t seed, const char *text)
{
    return text != NULL ? hash(seed, text, strlen(text)) : seed;
}

/* What a file of records counts may be anything. */
static void add(uint64_t *sum, uint64_t count)
{
    *sum = count > UINT64_MAX - *sum ? UINT64_MAX : *sum + count;
}

/* Room for one more. False: out of memory. */
static bool grow(void **array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return true;
    size_t larger = *room == 0 ? 64 : *room * 2;
    void *moved = realloc(*array, larger * size);
    if (moved == NULL)
        return false;
    *array = moved;
    *room = larger;
    return true;
}

/* ---- nodes ---- */

/* What finds a node. */
struct key {
    enum graph_kind kind;
    uint32_t pid;
    const char *user, *name;
    uint64_t entry;
};

static size_t *node_bucket(struct graph *graph, const struct key *key)
{
    uint32_t at = hash(2166136261u, &key->kind, sizeof key->kind);
    at = hash(at, &key->pid, sizeof key->pid);
    at = hash(at, &key->entry, sizeof key->entry);
    if (key->kind != GRAPH_PROCESS)
        at = hash_text(at, key->name);
    return &graph->node_buckets[at % GRAPH_BUCKETS];
}

/* A process whose user is not told is the one with that number. */
static bool is_node(const struct graph_node *node, const struct key *key)
{
    if (node->kind != key->kind)
        return false;
    if (key->kind == GRAPH_PROCESS)
        return node->pid == key->pid &&
               (node->user == NULL || key->user == NULL || same(node->user, key->user));
    return node->entry == key->entry && same(node->name, key->name) && same(node->user, key->user);
}

/* Return: its index + 1; 0: no room, or out of memory, which *ret_good says. */
static size_t find_node(struct graph *graph, const struct key *key, bool *ret_good)
{
    size_t *bucket = node_bucket(graph, key);
    *ret_good = true;
    for (size_t at = *bucket; at != 0; at = graph->nodes[at - 1].next) {
        struct graph_node *node = &graph->nodes[at - 1];
        if (is_node(node, key)) {
            if (node->user == NULL && key->user != NULL)
                *ret_good = copy(&node->user, key->user);
            return *ret_good ? at : 0;
        }
    }
    if (graph->nodes_count == GRAPH_NODES_MAX)
        return 0;
    struct graph_node made = {.kind = key->kind, .pid = key->pid, .entry = key->entry};
    *ret_good = grow((void **)&graph->nodes, &graph->nodes_room, graph->nodes_count, sizeof made) &&
                copy(&made.user, key->user) &&
                copy(&made.name, key->kind == GRAPH_PROCESS ? NULL : key->name);
    if (!*ret_good) {
        free(made.user);
        return 0;
    }
    made.next = *bucket;
    graph->nodes[graph->nodes_count++] = made;
    *bucket = graph->nodes_count;
    return *bucket;
}

struct graph_node *graph_process(struct graph *graph, const struct graph_party *party)
{
    const struct key key = {.kind = GRAPH_PROCESS, .pid = party->pid, .user = party->user};
    bool good = true;
    size_t at = find_node(graph, &key, &good);
    return at != 0 ? &graph->nodes[at - 1] : NULL;
}

bool graph_node_call(struct graph_node *node, const char *name)
{
    char *called = NULL;
    if (name == NULL || name[0] == '\0' || node->name != NULL)
        return true;
    if (!copy(&called, name))
        return false;
    node->name = called;
    return true;
}

bool graph_node_listens(struct graph_node *node, const char *name)
{
    if (node->names_count < GRAPH_NAMES_MAX && !copy(&node->names[node->names_count], name))
        return false;
    node->names_count++;
    return true;
}

/* ---- edges ---- */

static void add_type(struct graph_edge *edge, const struct graph_item *item, uint64_t count)
{
    add(&edge->handles, count);
    for (size_t i = 0; i < edge->types_count; i++) {
        struct graph_type *type = &edge->types[i];
        if (type->access == item->access && strcmp(type->type, item->type) == 0) {
            add(&type->count, count);
            return;
        }
    }
    if (edge->types_count == GRAPH_TYPES_MAX) {
        add(&edge->types_more, count);
        return;
    }
    struct graph_type *type = &edge->types[edge->types_count++];
    snprintf(type->type, sizeof type->type, "%s", item->type);
    type->access = item->access;
    type->count = count;
}

static void count_share(struct graph_edge *edge, const struct graph_share *share, uint64_t count)
{
    add(&edge->count, count);
    if (share->time_ms != 0) {
        if (edge->first_ms == 0 || share->time_ms < edge->first_ms)
            edge->first_ms = share->time_ms;
        if (share->time_ms > edge->last_ms)
            edge->last_ms = share->time_ms;
    }
    for (size_t i = 0; i < share->items_count; i++)
        add_type(edge, &share->items[i], count);
}

/* Return: its index + 1; 0 as find_node(). */
static size_t find_edge(struct graph *graph, size_t from, size_t to,
                        const struct graph_share *share, bool *ret_good)
{
    uint32_t at = hash(2166136261u, &from, sizeof from);
    at = hash(at, &to, sizeof to);
    at = hash(at, &share->how, sizeof share->how);
    at = hash(at, &share->outcome, sizeof share->outcome);
    at = hash_text(hash_text(at, share->name), share->word);
    size_t *bucket = &graph->edge_buckets[at % GRAPH_BUCKETS];
    *ret_good = true;
    for (size_t i = *bucket; i != 0; i = graph->edges[i - 1].next) {
        const struct graph_edge *edge = &graph->edges[i - 1];
        if (edge->from == from && edge->to == to && edge->how == share->how &&
            edge->outcome == share->outcome && same(edge->name, share->name) &&
            same(edge->word, share->word))
            return i;
    }
    if (graph->edges_count == GRAPH_EDGES_MAX)
        return 0;
    struct graph_edge made = {.from = from, .to = to, .how = share->how, .outcome = share->outcome};
    *ret_good = grow((void **)&graph->edges, &graph->edges_room, graph->edges_count, sizeof made) &&
                copy(&made.name, share->name) && copy(&made.word, share->word);
    if (!*ret_good) {
        free(made.name);
        return 0;
    }
    made.next = *bucket;
    graph->edges[graph->edges_count++] = made;
    *bucket = graph->edges_count;
    return *bucket;
}

/* ---- hand-offs ---- */

static struct key process_key(const struct graph_party *party)
{
    return (struct key){.kind = GRAPH_PROCESS, .pid = party->pid, .user = party->user};
}

/* A name in user/ is another one for each user, whose @party is one. */
static struct key name_key(enum graph_kind kind, const struct graph_share *share,
                           const struct graph_party *party)
{
    bool own = share->name != NULL && strncmp(share->name, "user/", 5) == 0;
    return (struct key){
        .kind = kind, .user = own ? party->user : NULL, .name = share->name, .entry = share->entry};
}

/* Between which two nodes. False: it names too little. */
static bool ends_of(const struct graph_share *share, struct key *ret_from, struct key *ret_to)
{
    switch (share->how) {
    case GRAPH_PUT:
        *ret_from = process_key(&share->from);
        *ret_to = name_key(GRAPH_ENTRY, share, &share->from);
        return share->from.pid != 0;
    case GRAPH_GET:
        *ret_from = name_key(GRAPH_ENTRY, share, &share->to);
        *ret_to = process_key(&share->to);
        return share->to.pid != 0;
    default:
        *ret_from = process_key(&share->from);
        *ret_to = share->to.pid != 0 ? process_key(&share->to)
                                     : name_key(GRAPH_ENDPOINT, share, &share->from);
        return share->from.pid != 0 && (share->to.pid != 0 || share->name != NULL);
    }
}

bool graph_add(struct graph *graph, const struct graph_share *share)
{
    struct key from, to;
    bool good = true;
    size_t edge = 0;
    const uint64_t count = share->count != 0 ? share->count : 1;

    if (!ends_of(share, &from, &to))
        return true;
    add(&graph->shares, count);
    size_t from_at = find_node(graph, &from, &good);
    size_t to_at = good && from_at != 0 ? find_node(graph, &to, &good) : 0;
    if (good && to_at != 0)
        edge = find_edge(graph, from_at - 1, to_at - 1, share, &good);
    if (!good)
        return false;
    if (edge == 0) {
        add(&graph->lost, count);
        return true;
    }
    count_share(&graph->edges[edge - 1], share, count);
    add(&graph->nodes[from_at - 1].count, count);
    if (from_at != to_at)
        add(&graph->nodes[to_at - 1].count, count);
    return true;
}

/* ---- what is shown ---- */

/* The @most-th highest count of all nodes, and how many nodes have more than that. */
static uint64_t least_count(const struct graph *graph, size_t most, size_t *ret_above)
{
    uint64_t low = 0, high = UINT64_MAX;
    /* The lowest bound that at most @most nodes pass. */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        size_t above = 0;
        for (size_t i = 0; i < graph->nodes_count; i++)
            above += graph->nodes[i].count > middle;
        if (above <= most)
            high = middle;
        else
            low = middle + 1;
    }
    *ret_above = 0;
    for (size_t i = 0; i < graph->nodes_count; i++)
        *ret_above += graph->nodes[i].count > low;
    return low;
}

void graph_choose(struct graph *graph, size_t most)
{
    size_t above = 0;
    most = most < GRAPH_SHOWN_MAX ? most : GRAPH_SHOWN_MAX;
    const uint64_t least = least_count(graph, most, &above);
    size_t equal = most - above; /* of those with just that many, the first come */

    graph->nodes_shown = graph->edges_shown = 0;
    graph->shares_shown = 0;
    for (size_t i = 0; i < graph->nodes_count; i++) {
        struct graph_node *node = &graph->nodes[i];
        node->shown = node->count > least || (node->count == least && equal > 0);
        if (node->shown && node->count == least)
            equal--;
        graph->nodes_shown += node->shown;
    }
    for (size_t i = 0; i < graph->edges_count; i++) {
        struct graph_edge *edge = &graph->edges[i];
        edge->shown = graph->nodes[edge->from].shown && graph->nodes[edge->to].shown;
        graph->edges_shown += edge->shown;
        if (edge->shown)
            add(&graph->shares_shown, edge->count);
    }
}
