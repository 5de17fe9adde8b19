/* hbctl graph: what is counted, and what becomes of texts that others have written. */
#include "graph_support.h"

#include <stdlib.h>
#include <string.h>

const char graph_file[] = "test_graph.out";

/* ---- what is counted ---- */

static void what_is_alike_is_one_edge(void **state)
{
    (void)state;
    const struct graph_item items[] = {{"Event", 2}, {"File", 1}, {"Event", 2}};
    struct graph *graph = graph_made();
    struct graph_share share = graph_send_of(4, 8, "user/a");
    share.items = items;
    share.items_count = 3;
    share.time_ms = 500;
    graph_added(graph, &share);
    share.time_ms = 300;
    share.count = 4;
    graph_added(graph, &share);
    assert_int_equal(graph->nodes_count, 2);
    assert_int_equal(graph->edges_count, 1);
    const struct graph_edge *edge = &graph->edges[0];
    assert_int_equal(edge->count, 5);
    assert_int_equal(edge->handles, 15);
    assert_int_equal(edge->first_ms, 300);
    assert_int_equal(edge->last_ms, 500);
    assert_int_equal(edge->types_count, 2);
    assert_int_equal(edge->types[0].count, 10);
    assert_int_equal(edge->types[1].count, 5);
    /* Whatever differs is another. */
    share.name = "user/b";
    graph_added(graph, &share);
    share.outcome = GRAPH_REFUSED;
    graph_added(graph, &share);
    share.word = "denied";
    graph_added(graph, &share);
    share.how = GRAPH_TRANSFER;
    graph_added(graph, &share);
    share.from.pid = 12;
    graph_added(graph, &share);
    assert_int_equal(graph->edges_count, 6);
    assert_int_equal(graph->nodes_count, 3);
    assert_int_equal(graph->shares, 25);
    graph_free(graph);
}

static void who_is_the_same(void **state)
{
    (void)state;
    struct graph *graph = graph_made();
    struct graph_share share = graph_send_of(4, 8, "user/a");
    share.to.user = NULL;
    graph_added(graph, &share);
    assert_int_equal(graph->nodes_count, 2);
    share.to.user = YOU; /* now it is known who that was */
    graph_added(graph, &share);
    assert_int_equal(graph->nodes_count, 2);
    assert_string_equal(graph->nodes[1].user, YOU);
    share.to.user = ME; /* the number was given again */
    graph_added(graph, &share);
    assert_int_equal(graph->nodes_count, 3);
    graph_free(graph);
}

static void names_belong_to_a_user_or_to_all(void **state)
{
    (void)state;
    struct graph *graph = graph_made();
    struct graph_share put = {.how = GRAPH_PUT, .from = {4, ME}, .name = "user/log"};
    struct graph_share get = {.how = GRAPH_GET, .to = {8, YOU}, .name = "user/log"};
    graph_added(graph, &put);
    graph_added(graph, &get);
    assert_int_equal(graph->nodes_count, 4);
    put.name = get.name = "global/log";
    graph_added(graph, &put);
    graph_added(graph, &get);
    assert_int_equal(graph->nodes_count, 5);
    put.name = get.name = NULL; /* tickets */
    graph_added(graph, &put);
    graph_added(graph, &get);
    assert_int_equal(graph->nodes_count, 6);
    put.entry = 17;
    graph_added(graph, &put);
    assert_int_equal(graph->nodes_count, 7);
    /* An endpoint is not the entry of that name. */
    struct graph_share send = graph_send_of(4, 0, "global/log");
    graph_added(graph, &send);
    assert_int_equal(graph->nodes_count, 8);
    assert_int_equal(graph->nodes[7].kind, GRAPH_ENDPOINT);
    graph_free(graph);
}

static void what_names_too_little_is_left_out(void **state)
{
    (void)state;
    struct graph *graph = graph_made();
    const struct graph_share shares[] = {
        {.how = GRAPH_SEND, .from = {4, ME}},
        {.how = GRAPH_SEND, .to = {4, ME}, .name = "user/a"},
        {.how = GRAPH_PUT, .name = "user/a"},
        {.how = GRAPH_GET, .from = {4, ME}, .name = "user/a"},
        {.how = GRAPH_REVOKE, .from = {4, ME}},
    };
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
        graph_added(graph, &shares[i]);
    assert_int_equal(graph->nodes_count, 0);
    assert_int_equal(graph->shares, 0);
    graph_free(graph);
}

static void a_process_listens_and_has_a_name(void **state)
{
    (void)state;
    struct graph *graph = graph_made();
    const struct graph_party who = {4, ME};
    struct graph_node *node = graph_process(graph, &who);
    assert_true(graph_node_call(node, "") && graph_node_call(node, NULL));
    assert_null(node->name);
    assert_true(graph_node_call(node, "first") && graph_node_call(node, "second"));
    assert_string_equal(node->name, "first");
    for (int i = 0; i < GRAPH_NAMES_MAX + 3; i++)
        assert_true(graph_node_listens(node, "user/a"));
    graph_choose(graph, 10);
    const struct graph_about about = {.made_ms = 0};
    assert_true(graph_written(graph, &about, GRAPH_HTML));
    assert_non_null(strstr(graph_document, "and 3 more"));
    assert_true(graph_written(graph, &about, GRAPH_DOT));
    assert_non_null(strstr(graph_document, "and 3 more"));
    graph_free(graph);
}

static void counts_do_not_run_over(void **state)
{
    (void)state;
    const struct graph_item item = {"Event", 2};
    struct graph *graph = graph_made();
    struct graph_share share = graph_send_of(4, 8, "user/a");
    share.count = UINT64_MAX - 1;
    share.items = &item;
    share.items_count = 1;
    for (int i = 0; i < 3; i++)
        graph_added(graph, &share);
    share.name = "user/b";
    graph_added(graph, &share);
    graph_choose(graph, 2);
    struct graph_picture picture;
    assert_true(graph_lay_out(graph, &picture));
    assert_true(graph->edges[0].count == UINT64_MAX && graph->edges[0].handles == UINT64_MAX);
    assert_true(graph->edges[0].types[0].count == UINT64_MAX && graph->shares == UINT64_MAX);
    assert_true(graph->nodes[1].count == UINT64_MAX && graph->shares_shown == UINT64_MAX);
    assert_true(picture.links_count == 1 && picture.links[0].count == UINT64_MAX);
    graph_picture_free(&picture);
    graph_free(graph);
}

/* ---- limits ---- */

static void the_busiest_are_shown(void **state)
{
    (void)state;
    struct graph *graph = graph_made();
    for (unsigned i = 0; i < 100; i++) {
        struct graph_share share = graph_send_of(4, 8 + 4 * i, "user/a");
        share.count = i == 70 ? 1000 : 1;
        graph_added(graph, &share);
    }
    graph_choose(graph, 3);
    assert_int_equal(graph->nodes_shown, 3);
    assert_int_equal(graph->edges_shown, 2);
    assert_int_equal(graph->shares_shown, 1001);
    assert_true(graph->nodes[0].shown && graph->nodes[1].shown && graph->nodes[71].shown);
    const struct graph_about about = {.made_ms = 0};
    assert_true(graph_written(graph, &about, GRAPH_DOT));
    assert_non_null(strstr(graph_document, "3 of 101 nodes"));
    assert_non_null(strstr(graph_document, "1001 of 1099 hand-offs"));
    assert_int_equal(graph_occurrences(graph_document, " -> "), 2);
    graph_choose(graph, 101);
    assert_int_equal(graph->edges_shown, 100);
    assert_true(graph_written(graph, &about, GRAPH_DOT));
    assert_null(strstr(graph_document, "nodes are shown"));
    graph_choose(graph, SIZE_MAX);
    assert_int_equal(graph->nodes_shown, 101);
    graph_free(graph);
}

static void what_is_beyond_is_counted(void **state)
{
    (void)state;
    struct graph *graph = graph_made();
    for (uint32_t i = 1; i <= GRAPH_NODES_MAX; i++) {
        struct graph_share share = graph_send_of(4 * i, 4 * i, "user/a");
        graph_added(graph, &share);
    }
    assert_int_equal(graph->lost, 0);
    struct graph_share late = graph_send_of(4, 4 * GRAPH_NODES_MAX + 4, "user/a");
    late.count = 7;
    graph_added(graph, &late);
    assert_int_equal(graph->lost, 7);
    assert_null(graph_process(graph, &late.to));
    late.to.pid = 8; /* who is there already still is */
    graph_added(graph, &late);
    assert_int_equal(graph->lost, 7);
    for (uint32_t i = 0; graph->edges_count < GRAPH_EDGES_MAX; i++) {
        char name[32];
        snprintf(name, sizeof name, "user/%u", (unsigned)i);
        late.name = name;
        graph_added(graph, &late);
    }
    late.name = "user/one-more";
    graph_added(graph, &late);
    assert_int_equal(graph->lost, 14);
    graph_choose(graph, SIZE_MAX);
    assert_int_equal(graph->nodes_shown, GRAPH_SHOWN_MAX);
    const struct graph_about about = {.made_ms = 0};
    assert_true(graph_written(graph, &about, GRAPH_HTML));
    assert_non_null(strstr(graph_document, "pairs already: 14."));
    graph_free(graph);
}

static void many_types(void **state)
{
    (void)state;
    struct graph *graph = graph_made();
    struct graph_share share = graph_send_of(4, 8, "user/a");
    char text[64];
    for (uint32_t i = 0; i < GRAPH_TYPES_MAX + 5; i++) {
        const struct graph_item item = {"Event", i + 1};
        share.items = &item;
        share.items_count = 1;
        graph_added(graph, &share);
    }
    assert_int_equal(graph->edges[0].types_count, GRAPH_TYPES_MAX);
    assert_int_equal(graph->edges[0].types_more, 5);
    assert_int_equal(graph->edges[0].handles, GRAPH_TYPES_MAX + 5);
    graph_types(&graph->edges[0], false, text, sizeof text);
    assert_string_equal(text, "Event, and more");
    graph_types(&graph->edges[0], true, text, sizeof text); /* as much as there is room for */
    assert_true(strncmp(text, "Event:0x1, Event:0x2", 20) == 0 && strlen(text) < sizeof text);
    graph_free(graph);
}

/* ---- texts ---- */

static const char *in_document(void (*write)(FILE *file, const char *text, size_t columns),
                               const char *text, size_t columns)
{
    FILE *file = fopen(graph_file, "wb+");
    assert_non_null(file);
    write(file, text, columns);
    rewind(file);
    graph_document[fread(graph_document, 1, 4096, file)] = '\0';
    fclose(file);
    remove(graph_file);
    return graph_document;
}

#define GONE "\xEF\xBF\xBD"

static void texts_become_no_part_of_a_document(void **state)
{
    (void)state;
    static const struct {
        const char *text, *xml, *dot;
    } cases[] = {
        {"plain", "plain", "plain"},
        {"<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;",
         "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"},
        {"\"&amp;\"", "&quot;&amp;amp;&quot;", "&quot;&amp;amp;&quot;"},
        {"C:\\new\\N", "C:\\new\\N", "C:\\\\new\\\\N"},
        {"ends\\", "ends\\", "ends\\\\"},
        {"a\nb\rc\td\x01\x7F", "a" GONE "b" GONE "c" GONE "d" GONE GONE,
         "a" GONE "b" GONE "c" GONE "d" GONE GONE},
        {"\xC2\x85\xC2\xA0", GONE "\xC2\xA0", GONE "\xC2\xA0"},
        {"gr\xC3\xB6\xC3\x9F \xE6\x97\xA5 \xF0\x9F\x98\x80",
         "gr\xC3\xB6\xC3\x9F \xE6\x97\xA5 \xF0\x9F\x98\x80",
         "gr\xC3\xB6\xC3\x9F \xE6\x97\xA5 \xF0\x9F\x98\x80"},
        {"a\xE2\x80\xAE"
         "b\xE2\x80\xAC"
         "c\xE2\x81\xA6"
         "d\xE2\x81\xA9",
         "a" GONE "b" GONE "c" GONE "d" GONE, "a" GONE "b" GONE "c" GONE "d" GONE},
        {"\xE2\x80\xA8\xEF\xBF\xBE\xEF\xB7\x90", GONE GONE GONE, GONE GONE GONE},
        /* No UTF-8: a lone byte, one too few, too long a spelling, half a pair, past the end. */
        {"\x80|\xFF", GONE "|" GONE, GONE "|" GONE},
        {"\xE2\x82|\xF0\x9F\x98", GONE GONE "|" GONE GONE GONE, GONE GONE "|" GONE GONE GONE},
        {"\xC0\xAF|\xE0\x80\xAF", GONE GONE "|" GONE, GONE GONE "|" GONE},
        {"\xED\xA0\x80|\xF4\x90\x80\x80", GONE "|" GONE, GONE "|" GONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(in_document(graph_xml, cases[i].text, 0), cases[i].xml);
        assert_string_equal(in_document(graph_dot_text, cases[i].text, 0), cases[i].dot);
    }
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    assert_string_equal(in_document(graph_xml, "12345", 5), "12345");
    assert_string_equal(in_document(graph_xml, "123456", 5), "1234\xE2\x80\xA6");
    assert_string_equal(in_document(graph_xml, "<<<<<<", 5), "&lt;&lt;&lt;&lt;\xE2\x80\xA6");
    /* Wide ones take two columns, and none is cut in two. */
    assert_int_equal(graph_columns("\xE6\x97\xA5\xE6\x9C\xAC"), 4);
    assert_string_equal(in_document(graph_xml, "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 5),
                        "\xE6\x97\xA5\xE6\x9C\xAC\xE2\x80\xA6");
    assert_string_equal(in_document(graph_xml, "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 4),
                        "\xE6\x97\xA5\xE2\x80\xA6");
}

static void users_in_short(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"S-1-5-18", "SYSTEM"},
        {"S-1-5-19", "LOCAL SERVICE"},
        {"S-1-5-20", "NETWORK SERVICE"},
        {"S-1-5-21-1004336348-1177238915-682003330-1001", "S-1-5-21-\xE2\x80\xA6-1001"},
        {"S-1-5-21-7", "S-1-5-21-7"},
        {"S-1-5-32-544", "S-1-5-32-544"},
        {"", ""},
    };
    char text[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        graph_user(cases[i][0], text, sizeof text);
        assert_string_equal(text, cases[i][1]);
    }
}

static void times(void **state)
{
    (void)state;
    static const struct {
        uint64_t unix_ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01 00:00:00Z"},
        {951782399999, "2000-02-28 23:59:59Z"},
        {951782400000, "2000-02-29 00:00:00Z"},
        {951868800000, "2000-03-01 00:00:00Z"},
        {4107542400000, "2100-03-01 00:00:00Z"},
        {1795829393875, "2026-11-28 01:29:53Z"},
    };
    char text[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        graph_time(cases[i].unix_ms, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_alike_is_one_edge),
        cmocka_unit_test(who_is_the_same),
        cmocka_unit_test(names_belong_to_a_user_or_to_all),
        cmocka_unit_test(what_names_too_little_is_left_out),
        cmocka_unit_test(a_process_listens_and_has_a_name),
        cmocka_unit_test(counts_do_not_run_over),
        cmocka_unit_test(the_busiest_are_shown),
        cmocka_unit_test(what_is_beyond_is_counted),
        cmocka_unit_test(many_types),
        cmocka_unit_test(texts_become_no_part_of_a_document),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(users_in_short),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
