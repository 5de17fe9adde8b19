/* Endpoints: open, close, list; names, scopes, types, limits. */
#include "core_rig.h"

#include <stdio.h>
#include <string.h>

static void open_close_and_open_again(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    for (uint32_t i = 0; i < 3; ++i) {
        const struct hbk_message *answer =
            client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a/b'}");
        assert_true(hbk_text_is(answer->u.result.endpoint_open.endpoint, "user/a/b"));
        assert_int_equal(client_status(client).endpoints, 1);
        client_ok(client, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a/b'}");
        assert_int_equal(client_status(client).endpoints, 0);
        client_refused(client, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a/b'}");
    }
    rig_end(rig);
}

static void a_name_is_taken_once(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *first = client_new(rig, 100, 1);
    struct client *second = client_new(rig, 101, 1);
    client_ok(first, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_refused(first, HBK_R_EXISTS, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_refused(second, HBK_R_EXISTS, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_refused(second, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    client_ok(second, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/A'}"); /* case counts */
    assert_int_equal(client_status(first).endpoints, 2);
    client_hang_up(first);
    assert_int_equal(client_status(second).endpoints, 1);
    client_ok(second, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    rig_end(rig);
}

static void identities_do_not_see_each_other(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *mine = client_new(rig, 100, 1);
    struct client *other = client_new(rig, 101, 2);
    client_ok(mine, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_ok(other, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_ok(other, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/only-there'}");
    client_refused(mine, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/only-there'}");
    uint32_t event = client_make(mine, "Event", 3);
    client_refused(mine, HBK_R_NOT_FOUND, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/only-there','items':[{'handle':%u}]}", event);
    const struct hbk_endpoint_list_result *list =
        &client_ok(mine, HBK_METHOD_ENDPOINT_LIST, NULL)->u.result.endpoint_list;
    assert_int_equal(list->endpoints_count, 1);
    assert_int_equal(list->endpoints[0].pid, 100);

    uint32_t id = client_send(mine, "user/a", event);
    rig_run(rig);
    client_result(mine, id);
    client_delivered(mine); /* its own, not the other's */
    client_nothing(other);
    client_ok(mine, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    assert_int_equal(client_status(other).endpoints, 2);
    rig_end(rig);
}

/* ---- names ---- */

static void names_that_are_good(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    char longest[HBK_NAME_BYTES_MAX + 1];
    memset(longest, 'x', sizeof longest - 1);
    memcpy(longest, "user/", 5);
    longest[sizeof longest - 1] = 0;
    const char *names[] = {"user/a", "user/A.b-c_d/0", "user/...", longest};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i)
        client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'%s'}", names[i]);
    assert_int_equal(client_status(client).endpoints, 4);
    rig_end(rig);
}

static void names_that_are_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    char too_long[HBK_NAME_BYTES_MAX + 2];
    memset(too_long, 'x', sizeof too_long - 1);
    memcpy(too_long, "user/", 5);
    too_long[sizeof too_long - 1] = 0;
    const char *bad[] = {
        "",         "a",           "user",     "user/",         "/a",        "User/a", "local/a",
        "user/a b", "user/a\\\\b", "user/a:b", "user/\xC3\xA4", "user/a\\n", too_long};
    const char *denied[] = {"session/a", "global/a"};
    uint32_t event = client_make(client, "Event", 3);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        client_refused(client, HBK_R_INVALID_PARAMS, HBK_METHOD_ENDPOINT_OPEN, "{'name':'%s'}",
                       bad[i]);
        client_refused(client, HBK_R_INVALID_PARAMS, HBK_METHOD_HANDLE_SEND,
                       "{'to':'%s','items':[{'handle':%u}],'wait_ms':10}", bad[i], event);
    }
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; ++i) {
        client_refused(client, HBK_R_DENIED, HBK_METHOD_ENDPOINT_OPEN, "{'name':'%s'}", denied[i]);
        client_refused(client, HBK_R_DENIED, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'%s'}", denied[i]);
        client_refused(client, HBK_R_DENIED, HBK_METHOD_HANDLE_SEND,
                       "{'to':'%s','items':[{'handle':%u}],'wait_ms':10}", denied[i], event);
    }
    assert_int_equal(client_status(client).endpoints, 0);
    rig_end(rig);
}

/* ---- what an endpoint may ask for ---- */

struct opening {
    int32_t code; /* HBK_R_OK: taken */
    const char *params;
};

static const struct opening openings[] = {
    {HBK_R_OK, "{'name':'user/a','mode':'auto'}"},
    {HBK_R_OK, "{'name':'user/a','mode':'ask'}"},
    {HBK_R_OK, "{'name':'user/a','revocable':false}"},
    {HBK_R_OK, "{'name':'user/a','items_max':1}"},
    {HBK_R_OK, "{'name':'user/a','items_max':64}"},
    {HBK_R_OK, "{'name':'user/a','types':{'Event':'any','Semaphore':'read','Mutant':1,'Timer':"
               "1048576,'Section':'read','File':1179785}}"},
    {HBK_R_INVALID_PARAMS, NULL},
    {HBK_R_INVALID_PARAMS, "{}"},
    {HBK_R_INVALID_PARAMS, "{'name':1}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','more':1}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','mode':'maybe'}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','items_max':0}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','items_max':65}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','types':{}}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','types':{'Event':'all'}}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','types':{'Event':0}}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','types':{'Event':268435456}}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','types':{'Event':33554432}}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','types':{'Event':16777216}}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','types':{'Event':4294967296}}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','types':{'event':'any'}}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','types':{'Nonsense':'any'}}"},
    {HBK_R_OK, "{'name':'user/a','types':{'Event':'any','Socket':'any'}}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','types':{'Socket':'read'}}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','types':{'Socket':1}}"},
    {HBK_R_TYPE_NOT_ALLOWED, "{'name':'user/a','types':{'Token':'any'}}"},
    {HBK_R_TYPE_NOT_ALLOWED, "{'name':'user/a','types':{'Process':'read'}}"},
    {HBK_R_TYPE_NOT_ALLOWED, "{'name':'user/a','types':{'Thread':1}}"},
    {HBK_R_TYPE_NOT_ALLOWED, "{'name':'user/a','types':{'Job':'any'}}"},
    {HBK_R_TYPE_NOT_ALLOWED, "{'name':'user/a','types':{'Key':'any'}}"},
    {HBK_R_TYPE_NOT_ALLOWED, "{'name':'user/a','types':{'IoCompletion':'any'}}"},
    {HBK_R_TYPE_NOT_ALLOWED, "{'name':'user/a','types':{'Event':'any','Desktop':'read'}}"},
    {HBK_R_OK, "{'name':'user/a','from':'D:(A;;GA;;;WD)'}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','from':''}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','from':'D:(A;;FA;;;WD)'}"},
    {HBK_R_OK, "{'name':'user/a','revocable':true}"},
    {HBK_R_INVALID_PARAMS, "{'name':'user/a','revocable':1}"},
};

static void what_may_be_opened(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; ++i) {
        rig->kernel->label = openings[i].params ? openings[i].params : "no params";
        if (openings[i].code != HBK_R_OK) {
            client_refused(client, openings[i].code, HBK_METHOD_ENDPOINT_OPEN, openings[i].params);
            assert_int_equal(client_status(client).endpoints, 0);
            continue;
        }
        client_ok(client, HBK_METHOD_ENDPOINT_OPEN, openings[i].params);
        client_ok(client, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    }
    rig->kernel->label = "";
    rig_end(rig);
}

/* Of a type that no rule lets pass the reason is told, and of a word that is no type those that there are. */
static void a_type_that_is_never_brokered_says_why(void **state)
{
    (void)state;
    static const struct {
        int32_t code;
        const char *type, *said;
    } types[] = {
        {HBK_R_TYPE_NOT_ALLOWED, "IoCompletion", "let the target make its own port"},
        {HBK_R_TYPE_NOT_ALLOWED, "Directory", "object directories are never brokered"},
        {HBK_R_TYPE_NOT_ALLOWED, "Token", "only by a policy rule"},
        {HBK_R_INVALID_PARAMS, "Nonsense", "known are Event"},
    };
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; ++i) {
        const struct hbk_error *error =
            client_refused(client, types[i].code, HBK_METHOD_ENDPOINT_OPEN,
                           "{'name':'user/a','types':{'Event':'any','%s':'any'}}", types[i].type);
        assert_non_null(strstr(error->detail, types[i].said));
        assert_int_equal(client_status(client).endpoints, 0);
    }
    rig_end(rig);
}

static void endpoints_of_a_session_are_limited(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.endpoints_per_session = 2;
    struct rig *rig = rig_new(&config, 1);
    struct client *client = client_new(rig, 100, 1);
    struct client *other = client_new(rig, 101, 1);
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/b'}");
    const struct hbk_error *error =
        client_refused(client, HBK_R_QUOTA, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/c'}");
    assert_string_equal(error->limit, "endpoints");
    client_ok(other, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/c'}");
    assert_int_equal(client_status(client).endpoints, 3);
    client_ok(client, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/d'}");
    rig_end(rig);
}

static void many_endpoints_are_told_apart(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    enum { CLIENTS = 12 };
    struct client *clients[CLIENTS];
    for (uint32_t i = 0; i < CLIENTS; ++i) {
        clients[i] = client_new(rig, 100 + i, i % 3);
        for (uint32_t j = 0; j < HBK_ENDPOINTS_PER_SESSION_MAX; ++j)
            client_request(clients[i], HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/%u/%u'}", i / 3, j);
        rig_run(rig);
    }
    assert_int_equal(client_status(clients[0]).endpoints, CLIENTS * HBK_ENDPOINTS_PER_SESSION_MAX);
    uint32_t event = client_make(clients[0], "Event", 3);
    for (uint32_t j = 0; j < HBK_ENDPOINTS_PER_SESSION_MAX; ++j) {
        char name[32];
        snprintf(name, sizeof name, "user/2/%u", j);
        client_ok(clients[0], HBK_METHOD_HANDLE_SEND, "{'to':'%s','items':[{'handle':%u}]}", name,
                  event);
        assert_true(hbk_text_is(client_delivered(clients[6])->endpoint, name));
    }
    for (uint32_t i = 1; i < CLIENTS; ++i)
        client_hang_up(clients[i]);
    assert_int_equal(client_status(clients[0]).endpoints, HBK_ENDPOINTS_PER_SESSION_MAX);
    rig_end(rig);
}

/* ---- list ---- */

static void a_list_says_what_is_open(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 4711, 3);
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN,
              "{'name':'user/a','mode':'ask','types':{'Event':'any','Section':'read','File':"
              "1179785}}");
    rig_advance(rig, 1234);
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/b'}");
    const struct hbk_endpoint_list_result *list =
        &client_ok(client, HBK_METHOD_ENDPOINT_LIST, "{}")->u.result.endpoint_list;
    assert_int_equal(list->endpoints_count, 2);
    assert_null(list->next.data);
    const struct hbk_endpoint_info *a = &list->endpoints[0], *b = &list->endpoints[1];
    assert_true(hbk_text_is(a->name, "user/a"));
    assert_int_equal(a->session, client->session_id);
    assert_int_equal(a->pid, 4711);
    assert_true(hbk_text_is(a->user, "S-1-5-21-1-2-3-1003"));
    assert_int_equal(a->since_ms, 1234);
    assert_int_equal(a->mode, HBK_MODE_ASK);
    assert_int_equal(a->types_count, 3);
    for (size_t i = 0; i < 3; ++i) {
        const struct hbk_type_rule *rule = &a->types[i];
        if (hbk_text_is(rule->type, "Event"))
            assert_int_equal(rule->kind, HBK_TYPE_RULE_ANY);
        else if (hbk_text_is(rule->type, "Section"))
            assert_int_equal(rule->kind, HBK_TYPE_RULE_READ);
        else if (hbk_text_is(rule->type, "File"))
            assert_true(rule->kind == HBK_TYPE_RULE_MASK && rule->mask == 1179785);
        else
            fail();
    }
    assert_true(hbk_text_is(b->name, "user/b"));
    assert_int_equal(b->since_ms, 0);
    assert_int_equal(b->mode, HBK_MODE_AUTO);
    rig_end(rig);
}

/* Reads all pages of @limit, while @disturb changes what is listed between them; returns how often each of
 * user/0 … user/9 was seen. */
static void read_pages(struct client *client, unsigned limit, void (*disturb)(struct client *),
                       unsigned ret_seen[10])
{
    char cursor[HBK_CURSOR_BYTES_MAX + 1] = "";
    memset(ret_seen, 0, 10 * sizeof *ret_seen);
    for (unsigned page = 0; page < 12; ++page) {
        const struct hbk_endpoint_list_result *list =
            cursor[0] ? &client_ok(client, HBK_METHOD_ENDPOINT_LIST, "{'limit':%u,'cursor':'%s'}",
                                   limit, cursor)
                             ->u.result.endpoint_list
                      : &client_ok(client, HBK_METHOD_ENDPOINT_LIST, "{'limit':%u}", limit)
                             ->u.result.endpoint_list;
        assert_true(list->endpoints_count <= limit);
        for (size_t i = 0; i < list->endpoints_count; ++i) {
            struct hbk_text name = list->endpoints[i].name;
            if (name.size == 6)
                ++ret_seen[name.data[5] - '0'];
        }
        if (!list->next.data)
            return;
        assert_true(list->next.size <= HBK_CURSOR_BYTES_MAX);
        snprintf(cursor, sizeof cursor, "%.*s", (int)list->next.size, list->next.data);
        if (disturb)
            disturb(client);
    }
    fail();
}

static void close_one_open_one(struct client *client)
{
    static unsigned opened;
    if (client->endpoints_count == 0)
        return;
    client_ok(client, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'%s'}", client->endpoints[0]);
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/new%u'}", opened++);
}

static void pages_show_everything_once(void **state)
{
    (void)state;
    const unsigned limits[] = {1, 3, 5, 9, 10, 64};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; ++i) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *client = client_new(rig, 100, 1);
        struct client *changing = client_new(rig, 101, 1);
        for (unsigned j = 0; j < 10; ++j)
            client_ok(j % 2 ? changing : client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/%u'}", j);
        unsigned seen[10];
        read_pages(client, limits[i], NULL, seen);
        for (unsigned j = 0; j < 10; ++j)
            assert_int_equal(seen[j], 1);
        if (limits[i] >= 5) { /* few enough pages for the changes below */
            /* What stays open is seen once, whatever else comes and goes. */
            read_pages(changing, limits[i], close_one_open_one, seen);
            for (unsigned j = 0; j < 10; j += 2)
                assert_int_equal(seen[j], 1);
            for (unsigned j = 1; j < 10; j += 2)
                assert_true(seen[j] <= 1);
        }
        rig_end(rig);
    }
}

static void the_longest_page_fits_a_line(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 4294967292u, 0xFFFF0000u);
    char name[HBK_NAME_BYTES_MAX + 1];
    for (unsigned i = 0; i < HBK_ENDPOINTS_PER_SESSION_MAX; ++i) {
        snprintf(name, sizeof name, "user/%0*u", HBK_NAME_BYTES_MAX - 5, i);
        client_ok(client, HBK_METHOD_ENDPOINT_OPEN,
                  "{'name':'%s','types':{'Event':218103807,'Semaphore':'any','Mutant':'any',"
                  "'Timer':'any','Section':'any','File':'any'}}",
                  name);
    }
    const struct hbk_endpoint_list_result *list =
        &client_ok(client, HBK_METHOD_ENDPOINT_LIST, NULL)->u.result.endpoint_list;
    assert_int_equal(list->endpoints_count, HBK_ENDPOINTS_PER_SESSION_MAX);
    rig_end(rig);
}

static void paging_that_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    const char *bad[] = {"{'limit':0}",
                         "{'limit':65}",
                         "{'limit':-1}",
                         "{'limit':'1'}",
                         "{'cursor':1}",
                         "{'cursor':'nonsense'}",
                         "{'cursor':'-1'}",
                         "{'cursor':'99999999999999999999999999999999999999'}",
                         "{'cursor':'9999999999999999'}",
                         "{'more':1}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        client_refused(client, HBK_R_INVALID_PARAMS, HBK_METHOD_ENDPOINT_LIST, bad[i]);
    const struct hbk_endpoint_list_result *list =
        &client_ok(client, HBK_METHOD_ENDPOINT_LIST, "{'limit':64}")->u.result.endpoint_list;
    assert_int_equal(list->endpoints_count, 1);
    rig_end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_close_and_open_again),
        cmocka_unit_test(a_name_is_taken_once),
        cmocka_unit_test(identities_do_not_see_each_other),
        cmocka_unit_test(names_that_are_good),
        cmocka_unit_test(names_that_are_refused),
        cmocka_unit_test(what_may_be_opened),
        cmocka_unit_test(a_type_that_is_never_brokered_says_why),
        cmocka_unit_test(endpoints_of_a_session_are_limited),
        cmocka_unit_test(many_endpoints_are_told_apart),
        cmocka_unit_test(a_list_says_what_is_open),
        cmocka_unit_test(pages_show_everything_once),
        cmocka_unit_test(the_longest_page_fits_a_line),
        cmocka_unit_test(paging_that_is_refused),
    };
    return cmocka_run_group_tests_name("core: endpoints", tests, NULL, NULL);
}
