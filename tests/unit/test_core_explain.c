/* policy.explain, and which endpoints a listing shows to whom. */
#include "core_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define SEND HBK_METHOD_HANDLE_SEND
#define EXPLAIN HBK_METHOD_POLICY_EXPLAIN
#define LIST HBK_METHOD_ENDPOINT_LIST

struct scene {
    struct rig *rig;
    struct client *boss, *a, *b; /* pids 1, 100, 200; each an identity of its own */
};

static struct scene scene_new(void)
{
    struct scene scene = {.rig = rig_new(NULL, 1)};
    scene.boss = client_new(scene.rig, 4, 9);
    scene.a = client_new(scene.rig, 100, 1);
    scene.b = client_new(scene.rig, 200, 2);
    fake_grant(scene.rig->kernel, "inspect", 4, HBK_RIGHT_INSPECT);
    fake_grant(scene.rig->kernel, "servers", 200, HBK_RIGHT_OPEN);
    fake_grant(scene.rig->kernel, "clients", 100, HBK_RIGHT_SEND);
    RIG_RULES(scene.rig, {.name = "user/*", .types = "Event Token"},
              {.name = "global/print/*", .open = "servers", .send = "clients", .access_max = 1},
              {.name = "session/*", .send = "clients"});
    return scene;
}

static const struct hbk_explain_result *explain(struct client *client, const char *params,
                                                unsigned long long session)
{
    return &client_ok(client, EXPLAIN, params, session)->u.result.explain;
}

static void check(const struct hbk_explain_result *result, bool allowed, const char *rule,
                  const char *detail)
{
    if (result->allowed != allowed || !hbk_text_is(result->rule, rule))
        fail_msg("%s by %.*s (%.*s), not %s", result->allowed ? "allowed" : "denied",
                 (int)result->rule.size, result->rule.data, (int)result->detail.size,
                 result->detail.data, rule);
    char text[HBK_DETAIL_BYTES_MAX + 1];
    snprintf(text, sizeof text, "%.*s", (int)result->detail.size, result->detail.data);
    if (!strstr(text, detail))
        fail_msg("%s: no %s", text, detail);
}

#define OF "'session':%llu}"
static const char own_rule[] = "built-in: user/ belongs to its identity";
static const char nobody_rule[] = "built-in: session/ and global/ belong to nobody";

static void who_may_ask(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    client_refused(scene.a, HBK_R_DENIED, EXPLAIN, "{'verb':'open','name':'user/a'}");
    client_refused(scene.a, HBK_R_DENIED, EXPLAIN, "{'verb':'nonsense'}"); /* nor anything else */
    explain(scene.boss, "{'verb':'open','name':'user/a'}", 0);
    rig_rules_none(scene.rig);
    client_refused(scene.boss, HBK_R_DENIED, EXPLAIN, "{'verb':'open','name':'user/a'}");
    /* Rules that do not say who inspects let nobody. */
    rig_configure(scene.rig, &scene.rig->config, hbk_policy_new(0), NULL);
    client_refused(scene.boss, HBK_R_DENIED, EXPLAIN, "{'verb':'open','name':'user/a'}");
    rig_end(scene.rig);
}

static void what_is_no_question(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    const char *bad[] = {
        "{'verb':'nonsense','name':'user/a'}", "{'verb':'open'}",
        "{'verb':'inspect','name':'user/a'}",  "{'verb':'open','name':'user/a','pid':100}",
        "{'verb':'inspect','pid':100}",        "{'verb':'open','name':'a'}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        client_refused(scene.boss, HBK_R_INVALID_PARAMS, EXPLAIN, bad[i]);
    client_refused(scene.boss, HBK_R_NOT_FOUND, EXPLAIN,
                   "{'verb':'open','name':'user/a','session':123456789}");
    struct client *unproven =
        client_connect(scene.rig, fake_process_start(scene.rig->kernel, 300), 3);
    client_hello(unproven);
    client_refused(scene.boss, HBK_R_NOT_FOUND, EXPLAIN,
                   "{'verb':'open','name':'user/a','session':%llu}",
                   (unsigned long long)unproven->session_id);
    rig_end(scene.rig);
}

static void open_and_the_store(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint64_t a = scene.a->session_id, b = scene.b->session_id;
    const char *global = "{'verb':'open','name':'global/print/x'," OF;
    check(explain(scene.boss, global, b), true, "rules[1] \"global/print/*\"", "grants");
    check(explain(scene.boss, global, a), false, "rules[1] \"global/print/*\"", "add the user");
    check(explain(scene.boss, "{'verb':'open','name':'global/x'," OF, b), false, nobody_rule,
          "add one");
    check(explain(scene.boss, "{'verb':'open','name':'session/x'," OF, b), false, nobody_rule,
          "add one"); /* the rule speaks of send alone */
    check(explain(scene.boss, "{'verb':'open','name':'user/x'," OF, b), true, own_rule, "no rule");
    check(explain(scene.boss, "{'verb':'put','name':'user/x'," OF, b), true, own_rule, "no rule");
    check(explain(scene.boss, "{'verb':'get','name':'global/print/x'," OF, b), false, nobody_rule,
          "add one");
    rig_end(scene.rig);
}

static void verbs_without_a_name(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    check(explain(scene.boss, "{'verb':'inspect'}", 0), true, "verbs.inspect", "grants it");
    check(explain(scene.boss, "{'verb':'inspect'," OF, scene.a->session_id), false, "verbs.inspect",
          "does not");
    check(explain(scene.boss, "{'verb':'transfer'}", 0), false, "built-in: nobody", "verbs");
    assert_false(explain(scene.boss, "{'verb':'inspect'}", 0)->types_present);
    rig_end(scene.rig);
}

/* Each answer is what a send then gets, and nothing was done by asking. */
static void send_by_name(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint64_t a = scene.a->session_id, b = scene.b->session_id;
    const char *ask = "{'verb':'send','name':'global/print/x'," OF;
    const char *rule = "rules[1] \"global/print/*\"";
    uint32_t event = client_make(scene.a, "Event", 1);
    const char *send = "{'to':'global/print/x','items':[{'handle':%u}]}";

    check(explain(scene.boss, ask, a), true, rule, "not open now");
    client_refused(scene.a, HBK_R_NOT_FOUND, SEND, send, event);
    client_ok(scene.b, OPEN, "{'name':'global/print/x','from':'D:(A;;GA;;;AU)'}");
    check(explain(scene.boss, ask, a), false, "from of the endpoint", "own `from`");
    client_refused(scene.a, HBK_R_NOT_FOUND, SEND, send, event);
    fake_grant(scene.rig->kernel, "D:(A;;GA;;;AU)", 0, HBK_RIGHTS_ALL);
    check(explain(scene.boss, ask, a), true, rule, "in process 200");
    client_nothing(scene.b);
    client_ok(scene.a, SEND, send, event);
    client_delivered(scene.b);
    check(explain(scene.boss, ask, b), false, rule, "add the user");
    fake_grant(scene.rig->kernel, "servers", 200, 0);
    RIG_RULES(scene.rig, {.name = "global/*", .open = "servers", .send = "clients"});
    check(explain(scene.boss, ask, a), false, "rules[0] \"global/*\"", "may not `open`");
    client_refused(scene.a, HBK_R_NOT_FOUND, SEND, send, event);
    rig_end(scene.rig);
}

static void send_to_a_process(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint64_t a = scene.a->session_id, b = scene.b->session_id;
    const char *ask = "{'verb':'send','name':'user/x','pid':200," OF;
    const char *takes = "built-in: {name, pid} takes identity, access or a rule";
    const char *dup = "built-in: who may duplicate handles into a process may send there";
    check(explain(scene.boss, "{'verb':'send','name':'user/x','pid':999," OF, a), false, takes,
          "no process");
    check(explain(scene.boss, ask, a), false, takes, "another identity");
    check(explain(scene.boss, ask, b), true, own_rule, "does not have it open");
    client_ok(scene.b, OPEN, "{'name':'user/x'}");
    check(explain(scene.boss, ask, a), false, takes, "another identity");
    check(explain(scene.boss, ask, b), true, own_rule, "in process 200");
    fake_may_duplicate(scene.rig->kernel, 100, 200, true);
    check(explain(scene.boss, ask, a), true, dup, "in process 200");
    check(explain(scene.boss, "{'verb':'send','name':'user/y','pid':200," OF, a), true, dup,
          "does not have it open");
    fake_may_duplicate(scene.rig->kernel, 100, 200, false);
    RIG_RULES(scene.rig, {.name = "user/x", .send = "clients"});
    check(explain(scene.boss, ask, a), true, "rules[0] \"user/x\"", "in process 200");
    /* By a rule only to what is open, but for who needs none. */
    client_ok(scene.b, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/x'}");
    check(explain(scene.boss, ask, a), false, "rules[0] \"user/x\"", "another identity");
    fake_grant(scene.rig->kernel, "clients", 200, HBK_RIGHT_SEND);
    check(explain(scene.boss, ask, b), true, "rules[0] \"user/x\"", "does not have it open");
    client_ok(scene.b, OPEN, "{'name':'user/x'}");
    fake_grant(scene.rig->kernel, "clients", 100, 0);
    check(explain(scene.boss, ask, a), false, "rules[0] \"user/x\"", "another identity");
    /* Outside of user/ no name is anybody's own. */
    check(explain(scene.boss, "{'verb':'send','name':'global/x','pid':200," OF, b), false, takes,
          "another identity");
    client_nothing(scene.b);
    rig_end(scene.rig);
}

static void the_types_under_a_name(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    const struct hbk_explain_result *result =
        explain(scene.boss, "{'verb':'open','name':'user/x'}", 0);
    assert_int_equal(result->types_count, 2);
    for (size_t i = 0; i < 2; ++i) {
        assert_true(hbk_text_is(result->types[i].type, "Event") ||
                    hbk_text_is(result->types[i].type, "Token"));
        assert_int_equal(result->types[i].kind, HBK_TYPE_RULE_ANY);
    }
    result = explain(scene.boss, "{'verb':'send','name':'global/print/x'}", 0);
    assert_int_equal(result->types_count, 7);
    for (size_t i = 0; i < 7; ++i)
        assert_true(result->types[i].kind == HBK_TYPE_RULE_MASK && result->types[i].mask == 1);
    result = explain(scene.boss, "{'verb':'open','name':'global/x'}", 0);
    assert_int_equal(result->types_count, 7);
    /* A rule that lets nothing pass: an empty list, not none. */
    RIG_RULES(scene.rig, {.name = "user/x", .types = ""},
              {.name = "user/high", .access_max = 0x01000000});
    result = explain(scene.boss, "{'verb':'open','name':'user/x'}", 0);
    assert_true(result->types_present);
    assert_int_equal(result->types_count, 0);
    assert_int_equal(explain(scene.boss, "{'verb':'open','name':'user/high'}", 0)->types_count, 0);
    /* What a type's "read" is, by name. */
    RIG_RULES(scene.rig, {.name = "user/x", .types = "Event File", .access_max = 0x120001});
    result = explain(scene.boss, "{'verb':'open','name':'user/x'}", 0);
    assert_int_equal(result->types_count, 2);
    for (size_t i = 0; i < 2; ++i) {
        bool event = hbk_text_is(result->types[i].type, "Event");
        assert_int_equal(result->types[i].kind, event ? HBK_TYPE_RULE_READ : HBK_TYPE_RULE_MASK);
    }
    rig_end(scene.rig);
}

static void the_longest_rule_fits(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    char pattern[HBK_NAME_BYTES_MAX + 1];
    memset(pattern, '*', sizeof pattern - 1);
    memcpy(pattern, "user/", 5);
    pattern[sizeof pattern - 1] = 0;
    RIG_RULES(scene.rig, {.name = pattern, .open = "servers"});
    const struct hbk_explain_result *result =
        explain(scene.boss, "{'verb':'open','name':'user/x'}", 0);
    assert_int_equal(result->rule.size, strlen("rules[0] \"\"") + HBK_NAME_BYTES_MAX);
    rig_end(scene.rig);
}

/* ---- endpoint.list ---- */

/* All pages together: which of @names were shown, one bit each. */
static unsigned listed(struct client *client, const char *const *names, size_t count,
                       unsigned *ret_pages)
{
    char cursor[HBK_CURSOR_BYTES_MAX + 1] = "";
    unsigned seen = 0;
    for (unsigned page = 1;; ++page) {
        assert_true(page < 100);
        const struct hbk_endpoint_list_result *list =
            cursor[0] ? &client_ok(client, LIST, "{'cursor':'%s'}", cursor)->u.result.endpoint_list
                      : &client_ok(client, LIST, NULL)->u.result.endpoint_list;
        for (size_t i = 0; i < list->endpoints_count; ++i)
            for (size_t j = 0; j < count; ++j)
                if (hbk_text_is(list->endpoints[i].name, names[j])) {
                    assert_int_equal(seen & (1u << j), 0);
                    seen |= 1u << j;
                }
        if (!list->next.data) {
            if (ret_pages)
                *ret_pages = page;
            return seen;
        }
        snprintf(cursor, sizeof cursor, "%.*s", (int)list->next.size, list->next.data);
    }
}

static void who_sees_which_endpoints(void **state)
{
    (void)state;
    static const char *const names[] = {"user/a", "user/b", "global/print/x", "session/s",
                                        "global/from"};
    struct scene scene = scene_new();
    struct client *other = client_new(scene.rig, 300, 3), *same = client_new(scene.rig, 101, 1);
    RIG_RULES(scene.rig, {.name = "global/from", .open = "all", .send = "clients"},
              {.name = "global/print/*", .open = "servers", .send = "clients"},
              {.name = "session/*", .open = "servers", .send = "nobody"});
    fake_grant(scene.rig->kernel, "all", 200, HBK_RIGHTS_ALL);
    client_ok(scene.a, OPEN, "{'name':'user/a'}");
    client_ok(scene.b, OPEN, "{'name':'user/b'}");
    client_ok(scene.b, OPEN, "{'name':'global/print/x'}");
    client_ok(scene.b, OPEN, "{'name':'session/s'}");
    client_ok(scene.b, OPEN, "{'name':'global/from','from':'D:(A;;GA;;;SY)'}");
    assert_int_equal(listed(scene.a, names, 5, NULL), 0x05);    /* own, and what it may send to */
    assert_int_equal(listed(same, names, 5, NULL), 0x01);       /* of its identity */
    assert_int_equal(listed(scene.b, names, 5, NULL), 0x1E);    /* own, all scopes */
    assert_int_equal(listed(other, names, 5, NULL), 0x00);      /* nothing */
    assert_int_equal(listed(scene.boss, names, 5, NULL), 0x1F); /* may inspect: everything */
    fake_grant(scene.rig->kernel, "D:(A;;GA;;;SY)", 100, HBK_RIGHT_SEND);
    assert_int_equal(listed(scene.a, names, 5, NULL), 0x15);
    fake_grant(scene.rig->kernel, "servers", 300, HBK_RIGHT_OPEN);
    assert_int_equal(listed(other, names, 5, NULL),
                     0x0C); /* may open them: meets `exists` anyway */
    /* Who may not listen there any more is shown to itself and to who may inspect. */
    fake_grant(scene.rig->kernel, "servers", 200, 0);
    RIG_RULES(scene.rig, {.name = "global/*", .open = "servers", .send = "clients"});
    assert_int_equal(listed(scene.a, names, 5, NULL), 0x01);
    assert_int_equal(listed(scene.b, names, 5, NULL), 0x1E);
    assert_int_equal(listed(scene.boss, names, 5, NULL), 0x1F);
    /* A rule that says who opens, and nothing of who sends. */
    fake_grant(scene.rig->kernel, "servers", 200, HBK_RIGHT_OPEN);
    RIG_RULES(scene.rig, {.name = "global/*", .open = "servers"});
    assert_int_equal(listed(scene.a, names, 5, NULL), 0x01);
    assert_int_equal(listed(other, names, 5, NULL), 0x14);
    rig_rules_none(scene.rig);
    assert_int_equal(listed(scene.boss, names, 5, NULL), 0x00);
    rig_end(scene.rig);
}

/* However much is open that the caller may not see, a request looks at a bounded part of it. */
static void a_page_is_bounded_work(void **state)
{
    (void)state;
    static const char *const names[] = {"global/first", "global/last", "user/mine"};
    struct scene scene = scene_new();
    fake_grant(scene.rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    RIG_RULES(scene.rig, {.name = "global/first", .open = "all", .send = "all"},
              {.name = "global/last", .open = "all", .send = "all"},
              {.name = "global/*", .open = "servers", .send = "nobody"});
    fake_grant(scene.rig->kernel, "servers", 0, HBK_RIGHT_OPEN);
    client_ok(scene.b, OPEN, "{'name':'global/first'}");
    for (unsigned i = 0; i < 8; ++i) {
        struct client *client = client_new(scene.rig, 1000 + i, 10 + i);
        for (unsigned j = 0; j < HBK_ENDPOINTS_PER_SESSION_MAX; ++j)
            client_request(client, OPEN, "{'name':'global/%u-%u'}", i, j);
        rig_run(scene.rig);
    }
    client_ok(scene.b, OPEN, "{'name':'global/last'}");
    client_ok(scene.a, OPEN, "{'name':'user/mine'}");
    fake_grant(scene.rig->kernel, "servers", 0, 0); /* as seen by who only lists */
    unsigned pages = 0;
    fake_trace_clear(scene.rig->kernel);
    assert_int_equal(listed(scene.a, names, 3, &pages), 7);
    assert_int_equal(pages, (8 * HBK_ENDPOINTS_PER_SESSION_MAX + 3) / 256 + 1);
    /* A rule is asked once a page, however many names it is about; and `inspect`. */
    assert_true(fake_trace_count(scene.rig->kernel, FAKE_OP_ACCESS_CHECK) <= pages * 5);
    /* Those that closed are in nobody's way for long. */
    for (unsigned i = 0; i < 8; ++i)
        client_exit(scene.rig->clients[scene.rig->clients_count - 1 - i]);
    assert_int_equal(listed(scene.a, names, 3, &pages), 7);
    assert_int_equal(pages, 1);
    rig_end(scene.rig);
}

/* By-rule types included, a full page still fits a line. */
static void the_longest_page_fits_a_line(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 4294967292u, 0xFFFF0000u);
    RIG_RULES(rig, {.name = "*",
                    .types = "Event Semaphore Mutant Timer Section File Token Process "
                             "Thread Job Key"});
    char name[HBK_NAME_BYTES_MAX + 1];
    for (unsigned i = 0; i < HBK_ENDPOINTS_PER_SESSION_MAX; ++i) {
        snprintf(name, sizeof name, "user/%0*u", HBK_NAME_BYTES_MAX - 5, i);
        client_ok(
            client, OPEN,
            "{'name':'%s','types':{'Event':218103807,'Semaphore':218103807,'Mutant':218103807,"
            "'Timer':218103807,'Section':218103807,'File':218103807,'Token':218103807,"
            "'Process':218103807,'Thread':218103807,'Job':218103807,'Key':218103807}}",
            name);
    }
    static const char *const none[] = {"user/none"};
    assert_int_equal(listed(client, none, 1, NULL), 0);
    assert_false(client_ended(client));
    rig_end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_ask),
        cmocka_unit_test(what_is_no_question),
        cmocka_unit_test(open_and_the_store),
        cmocka_unit_test(verbs_without_a_name),
        cmocka_unit_test(send_by_name),
        cmocka_unit_test(send_to_a_process),
        cmocka_unit_test(the_types_under_a_name),
        cmocka_unit_test(the_longest_rule_fits),
        cmocka_unit_test(who_sees_which_endpoints),
        cmocka_unit_test(a_page_is_bounded_work),
        cmocka_unit_test(the_longest_page_fits_a_line),
    };
    return cmocka_run_group_tests_name("core: explain and list", tests, NULL, NULL);
}
