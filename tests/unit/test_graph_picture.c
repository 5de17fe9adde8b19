/* hbctl graph: where things are placed, and what stands in its documents. */
#include "graph_support.h"

#include "alloc_fault.h"

#include <stdlib.h>
#include <string.h>

const char graph_file[] = "test_graph_picture.out";

/* ---- places ---- */

static bool apart(const struct graph_picture *picture, size_t a, size_t b)
{
    const struct graph_place *one = &picture->places[a], *other = &picture->places[b];
    return one->x + picture->card_width <= other->x || other->x + picture->card_width <= one->x ||
           one->y + picture->card_height <= other->y || other->y + picture->card_height <= one->y;
}

static void cards_stand_free(const struct graph *graph, const struct graph_picture *picture)
{
    for (size_t i = 0; i < graph->nodes_count; i++) {
        const struct graph_place *place = &picture->places[i];
        assert_int_equal(place->placed, graph->nodes[i].shown);
        if (!place->placed)
            continue;
        assert_true(place->x >= 0 && place->x + picture->card_width <= picture->width);
        assert_true(place->y >= 0 && place->y + picture->card_height <= picture->height);
        for (size_t k = 0; k < i; k++)
            assert_true(!picture->places[k].placed || apart(picture, i, k));
    }
}

/* A line goes from the right side of one card to the left side of the other, and never back. */
static void lines_lead_from_card_to_card(const struct graph_picture *picture)
{
    for (size_t i = 0; i < picture->links_count; i++) {
        const struct graph_link *link = &picture->links[i];
        const struct graph_point *points = &picture->points[link->points_at];
        if (graph_is_loop(link)) {
            assert_int_equal(link->points_count, 0);
            continue;
        }
        const struct graph_place *left = &picture->places[graph_left_of(link)];
        const struct graph_place *right = &picture->places[graph_right_of(link)];
        assert_true(link->points_count >= 2 && link->points_count % 2 == 0);
        assert_true(points[0].x == left->x + picture->card_width);
        assert_true(points[0].y > left->y && points[0].y < left->y + picture->card_height);
        const struct graph_point *end = &points[link->points_count - 1];
        assert_true(end->x == right->x);
        assert_true(end->y > right->y && end->y < right->y + picture->card_height);
        for (size_t k = 1; k < link->points_count; k++)
            assert_true(points[k].x > points[k - 1].x);
    }
}

/* The lines have all edges, each once, and only those between their ends. */
static void lines_have_all_edges(const struct graph *graph, const struct graph_picture *picture)
{
    size_t count = 0;
    for (size_t i = 0; i < picture->links_count; i++) {
        const struct graph_link *link = &picture->links[i];
        assert_int_equal(link->edges_at, count);
        assert_true(link->edges_count > 0);
        for (size_t k = 0; k < link->edges_count; k++, count++) {
            const struct graph_edge *edge = &graph->edges[picture->edges[count]];
            assert_true(edge->shown && edge->from == link->from && edge->to == link->to &&
                        edge->outcome == link->outcome);
        }
    }
    assert_int_equal(count, graph->edges_shown);
}

static void any_graph_is_laid_out(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 150; i++) {
        struct graph_picture picture;
        graph_seed = i * 0x9E3779B97F4A7C15u;
        const unsigned processes = 1 + graph_any(80);
        struct graph *graph = any_graph(processes, graph_any(3 * processes));
        graph_choose(graph, 1 + graph_any(90));
        assert_true(graph_lay_out(graph, &picture));
        cards_stand_free(graph, &picture);
        lines_lead_from_card_to_card(&picture);
        lines_have_all_edges(graph, &picture);
        graph_picture_free(&picture);
        graph_free(graph);
    }
}

/* One that sends to all, or gets from all, is not one high column. */
static void stars_are_spread(void **state)
{
    (void)state;
    for (int inward = 0; inward < 2; inward++) {
        struct graph *graph = graph_made();
        struct graph_picture picture;
        size_t columns[8] = {0}, used = 0;
        double at[8] = {0};
        for (uint32_t i = 2; i <= 60; i++) {
            struct graph_share share =
                inward ? graph_send_of(4 * i, 4, "user/a") : graph_send_of(4, 4 * i, "user/a");
            graph_added(graph, &share);
        }
        graph_choose(graph, 60);
        assert_true(graph_lay_out(graph, &picture));
        cards_stand_free(graph, &picture);
        lines_lead_from_card_to_card(&picture);
        for (size_t i = 0; i < 60; i++) {
            size_t k = 0;
            while (k < used && at[k] != picture.places[i].x)
                k++;
            if (k == used)
                at[used++] = picture.places[i].x;
            assert_true(used < 8 && ++columns[k] <= 20);
        }
        assert_int_equal(used, 4);
        graph_picture_free(&picture);
        graph_free(graph);
    }
}

/* As large as it gets: many layers, and more bends than there is room for. */
static void the_largest_picture(void **state)
{
    (void)state;
    struct graph *graph = graph_made();
    struct graph_picture picture;
    for (uint32_t i = 1; i < GRAPH_SHOWN_MAX; i++) {
        for (uint32_t k = i + 1; k <= GRAPH_SHOWN_MAX && k <= i + 40; k += 3) {
            struct graph_share share = graph_send_of(4 * i, 4 * k, "user/a");
            graph_added(graph, &share);
        }
    }
    for (uint32_t i = 1; i <= 300; i++) { /* right across */
        struct graph_share share = graph_send_of(4 * i, 4 * (GRAPH_SHOWN_MAX + 1 - i), "user/b");
        graph_added(graph, &share);
    }
    graph_choose(graph, GRAPH_SHOWN_MAX);
    assert_true(graph_lay_out(graph, &picture));
    cards_stand_free(graph, &picture);
    lines_lead_from_card_to_card(&picture);
    lines_have_all_edges(graph, &picture);
    graph_picture_free(&picture);
    graph_free(graph);
}

/* ---- documents ---- */

/* Every tag is closed in its order, every "<" begins a tag, and there is no other "&" than entities of ours. */
static void is_well_formed(const char *text)
{
    char open[64][16] = {{0}};
    size_t depth = 0;

    text = strstr(text, "<html");
    assert_non_null(text);
    for (; (text = strpbrk(text, "<&")) != NULL; text++) {
        if (*text == '&') {
            assert_true(strncmp(text, "&lt;", 4) == 0 || strncmp(text, "&gt;", 4) == 0 ||
                        strncmp(text, "&amp;", 5) == 0 || strncmp(text, "&quot;", 6) == 0 ||
                        strncmp(text, "&#39;", 5) == 0);
            continue;
        }
        const char *end = strchr(text, '>');
        assert_non_null(end);
        const bool closes = text[1] == '/';
        const char *name = text + 1 + closes;
        const size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzACDEFGHIPRSTXY0123456789");
        assert_true(size > 0 && size < sizeof open[0]);
        if (closes) {
            assert_true(depth > 0);
            depth--;
            assert_true(strncmp(open[depth], name, size) == 0 && open[depth][size] == '\0');
        } else if (end[-1] != '/') {
            assert_true(depth < sizeof open / sizeof open[0]);
            memcpy(open[depth], name, size);
            open[depth++][size] = '\0';
        }
    }
    assert_int_equal(depth, 0);
}

/* Each line of DOT has its quotes in pairs, and nothing but what we write stands outside of them. */
static void is_quoted(const char *text)
{
    bool inside = false;
    for (; *text != '\0'; text++) {
        assert_true((unsigned char)*text >= 0x20 || *text == '\n');
        if (*text == '\\' && inside) {
            assert_true(text[1] == '\\' || text[1] == 'n');
            text++;
        } else if (*text == '"') {
            inside = !inside;
        } else if (*text == '\n') {
            assert_false(inside);
        } else if (!inside) {
            assert_non_null(strchr(" abcdefghijklmnopqrstuvwxyzLRTB0123456789{}[]=,;->.", *text));
        }
    }
    assert_false(inside);
}

static struct graph *hostile_graph(void)
{
    static const char *const texts[] = {
        "<script>alert(1)</script>",
        "\"];evil->nodes;[x=\"",
        "back\\",
        "\\\"",
        "a\nb\rc\x1b[2J",
        "]]></style></title></svg>",
        "&lt;&amp;&quot;",
        "\xE2\x80\xAEx\xE2\x80\xAC\xFF\xC0",
        "' onload='x",
        "${x}%n%s",
        "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
        "-->",
    };
    const size_t count = sizeof texts / sizeof texts[0];
    struct graph *graph = graph_made();
    for (size_t i = 0; i < count; i++) {
        const struct graph_item item = {texts[i], 2};
        const struct graph_party who = {(uint32_t)(4 + i), texts[i]};
        struct graph_node *node = graph_process(graph, &who);
        assert_non_null(node);
        assert_true(graph_node_call(node, texts[i]) && graph_node_listens(node, texts[i]));
        for (int how = 0; how < 5; how++) {
            struct graph_share share = {.how = (enum graph_how)how,
                                        .outcome = (enum graph_outcome)(i % 3),
                                        .word = texts[(i + 1) % count],
                                        .from = who,
                                        .to = {(uint32_t)(5 + i), texts[(i + 1) % count]},
                                        .name = texts[(i + 2) % count],
                                        .items_count = 1,
                                        .items = &item};
            graph_added(graph, &share);
            share.to.pid = 0;
            graph_added(graph, &share);
        }
    }
    graph_choose(graph, 60);
    return graph;
}

static void hostile_texts_stay_texts(void **state)
{
    (void)state;
    struct graph *graph = hostile_graph();
    const struct graph_about about = {.machine = "<b>\"\\", .service = "</title>\n\"x"};
    assert_true(graph_written(graph, &about, GRAPH_HTML));
    is_well_formed(graph_document);
    assert_null(strstr(graph_document, "<script"));
    assert_null(strstr(graph_document, "://"));
    assert_null(strchr(graph_document, '\r'));
    assert_null(strchr(graph_document, '\x1b'));
    assert_int_equal(graph_occurrences(graph_document, "class=\"card\"") - 3,
                     graph->nodes_shown); /* legend */
    assert_true(graph_written(graph, &about, GRAPH_DOT));
    is_quoted(graph_document);
    assert_int_equal(graph_occurrences(graph_document, " -> "), graph->edges_shown);
    graph_free(graph);
}

static void everything_is_in_the_page(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 20; i++) {
        struct graph_picture picture;
        const struct graph_about about = {.machine = "M", .made_ms = 1795829393875};
        graph_seed = i * 0x9E3779B97F4A7C15u;
        struct graph *graph = any_graph(2 + graph_any(60), graph_any(150));
        graph_choose(graph, 60);
        assert_true(graph_lay_out(graph, &picture));
        assert_true(graph_written(graph, &about, GRAPH_HTML));
        is_well_formed(graph_document);
        assert_int_equal(graph_occurrences(graph_document, "<g class=\"node "), graph->nodes_shown);
        assert_int_equal(graph_occurrences(graph_document, "<g class=\"link "),
                         picture.links_count + 4);
        /* Heads of two tables, and a row of each edge and node. */
        assert_int_equal(graph_occurrences(graph_document, "<tr>"),
                         2 + graph->edges_shown + graph->nodes_shown);
        graph_picture_free(&picture);
        graph_free(graph);
    }
}

static void nothing_is_a_document_too(void **state)
{
    (void)state;
    struct graph *graph = graph_made();
    const struct graph_about about = {
        .own = true, .malformed = 3, .malformed_line = 2, .missed = 4};
    graph_choose(graph, 60);
    assert_true(graph_written(graph, &about, GRAPH_HTML));
    is_well_formed(graph_document);
    assert_non_null(strstr(graph_document, "Nothing was shared."));
    assert_non_null(strstr(graph_document, "no records: 3, the first of them line 2"));
    assert_non_null(strstr(graph_document, "missing, as they came too fast: 4"));
    assert_non_null(strstr(graph_document, "right to inspect"));
    assert_true(graph_written(graph, &about, GRAPH_DOT));
    is_quoted(graph_document);
    assert_non_null(strstr(graph_document, "no records: 3"));
    graph_free(graph);
}

/* ---- memory ---- */

/* Makes a graph and its page. False: out of memory. */
static bool all_of_it(void)
{
    struct graph *graph = graph_new();
    const struct graph_about about = {.made_ms = 0};
    const struct graph_party who = {4, ME};
    struct graph_share share = graph_send_of(4, 8, "user/a");
    bool good = graph != NULL;

    if (good) {
        struct graph_node *node = graph_process(graph, &who);
        good = node != NULL && graph_node_call(node, "name") && graph_node_listens(node, "user/b");
    }
    share.word = "denied";
    good = good && graph_add(graph, &share);
    share.to.pid = 12;
    good = good && graph_add(graph, &share);
    share.from.pid = 12; /* and over two layers */
    share.to.pid = 8;
    good = good && graph_add(graph, &share);
    if (good)
        graph_choose(graph, 60);
    good = good && graph_written(graph, &about, GRAPH_HTML);
    graph_free(graph);
    return good;
}

static void whatever_memory_is_missing(void **state)
{
    (void)state;
    if (!alloc_fault_works()) {
        print_message("skipped: this build cannot make allocations fail\n");
        skip();
    }
    size_t index = 0;
    alloc_fault_arm(0);
    for (; !all_of_it(); index++) {
        assert_true(index < 1000);
        (void)alloc_fault_disarm();
        alloc_fault_arm(index + 1);
    }
    (void)alloc_fault_disarm();
    assert_true(index > 20); /* each of those failed, and was told */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_graph_is_laid_out),      cmocka_unit_test(stars_are_spread),
        cmocka_unit_test(the_largest_picture),        cmocka_unit_test(hostile_texts_stay_texts),
        cmocka_unit_test(everything_is_in_the_page),  cmocka_unit_test(nothing_is_a_document_too),
        cmocka_unit_test(whatever_memory_is_missing),
    };
    return cmocka_run_group_tests_name("graph picture", tests, NULL, NULL);
}
