/* Scopes and rules: who may open and send to which name, what may pass there, what the outside can learn. */
#include "core_policy.h"

#include <stdio.h>
#include <string.h>

#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define SEND HBK_METHOD_HANDLE_SEND

/* Two strangers: 100 and 200, of two identities, in one terminal session. */
struct two {
    struct rig *rig;
    struct client *a, *b;
};

static struct two two_new(void)
{
    struct two two = {.rig = rig_new(NULL, 1)};
    two.a = client_new(two.rig, 100, 1);
    two.b = client_new(two.rig, 200, 2);
    return two;
}

static uint32_t checks(const struct rig *rig)
{
    return fake_trace_count(rig->kernel, FAKE_OP_ACCESS_CHECK);
}

/* ---- scopes ---- */

static void session_and_global_belong_to_nobody(void **state)
{
    (void)state;
    struct two two = two_new();
    const char *names[] = {"session/a", "global/a"};
    uint32_t event = client_make(two.a, "Event", 3);
    for (unsigned rules = 0; rules < 2; ++rules) {
        for (size_t i = 0; i < 2; ++i) {
            client_refused(two.a, HBK_R_DENIED, OPEN, "{'name':'%s'}", names[i]);
            client_refused(two.a, HBK_R_DENIED, SEND, "{'to':'%s','items':[{'handle':%u}]}",
                           names[i], event);
        }
        assert_int_equal(client_status(two.a).endpoints, 0);
        RIG_RULES(two.rig, {.name = "global/b", .open = "x", .send = "x"});
    }
    rig_end(two.rig);
}

static void a_rule_opens_a_name_to_whom_it_names(void **state)
{
    (void)state;
    struct two two = two_new();
    RIG_RULES(two.rig, {.name = "global/*", .open = "servers", .send = "clients"});
    fake_grant(two.rig->kernel, "servers", 100, HBK_RIGHT_OPEN);
    fake_grant(two.rig->kernel, "clients", 200, HBK_RIGHT_SEND);
    client_refused(two.b, HBK_R_DENIED, OPEN, "{'name':'global/a'}");
    client_ok(two.a, OPEN, "{'name':'global/a'}");
    client_refused(two.b, HBK_R_DENIED, OPEN, "{'name':'global/a'}");
    client_refused(two.a, HBK_R_EXISTS, OPEN, "{'name':'global/a'}");
    uint32_t mine = client_make(two.a, "Event", 3), theirs = client_make(two.b, "Event", 3);
    client_refused(two.a, HBK_R_DENIED, SEND, "{'to':'global/a','items':[{'handle':%u}]}", mine);
    client_ok(two.b, SEND, "{'to':'global/a','items':[{'handle':%u}]}", theirs);
    const struct hbk_delivered *delivered = client_delivered(two.a);
    assert_true(hbk_text_is(delivered->endpoint, "global/a"));
    assert_int_equal(delivered->from.peer.pid, 200);
    /* Only whose it is may close it, and nobody else learns anything. */
    client_refused(two.b, HBK_R_DENIED, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'global/a'}");
    client_ok(two.a, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'global/a'}");
    client_refused(two.b, HBK_R_NOT_FOUND, SEND, "{'to':'global/a','items':[{'handle':%u}]}",
                   theirs);
    rig_end(two.rig);
}

static void a_right_is_not_another(void **state)
{
    (void)state;
    struct two two = two_new();
    RIG_RULES(two.rig, {.name = "global/*", .open = "all", .send = "all"});
    fake_grant(two.rig->kernel, "all", 100, HBK_RIGHTS_ALL & ~(uint32_t)HBK_RIGHT_OPEN);
    fake_grant(two.rig->kernel, "all", 200, HBK_RIGHTS_ALL & ~(uint32_t)HBK_RIGHT_SEND);
    client_refused(two.a, HBK_R_DENIED, OPEN, "{'name':'global/a'}");
    client_ok(two.b, OPEN, "{'name':'global/a'}");
    uint32_t event = client_make(two.b, "Event", 3);
    client_refused(two.b, HBK_R_DENIED, SEND, "{'to':'global/a','items':[{'handle':%u}]}", event);
    rig_end(two.rig);
}

static void session_names_are_of_one_terminal_session(void **state)
{
    (void)state;
    struct two two = two_new();
    two.rig->terminal_session = 2;
    struct client *far = client_new(two.rig, 300, 2);
    RIG_RULES(two.rig, {.name = "*", .open = "all", .send = "all"});
    fake_grant(two.rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    client_ok(two.a, OPEN, "{'name':'session/a'}");
    client_refused(two.b, HBK_R_EXISTS, OPEN, "{'name':'session/a'}");
    uint32_t event = client_make(far, "Event", 3);
    client_refused(far, HBK_R_NOT_FOUND, SEND, "{'to':'session/a','items':[{'handle':%u}]}", event);
    client_ok(far, OPEN, "{'name':'session/a'}"); /* another one */
    client_ok(far, SEND, "{'to':'session/a','items':[{'handle':%u}]}", event);
    client_delivered(far);
    client_nothing(two.a);
    client_ok(two.a, OPEN, "{'name':'global/a'}");
    client_refused(far, HBK_R_EXISTS, OPEN, "{'name':'global/a'}");
    client_ok(far, SEND, "{'to':'global/a','items':[{'handle':%u}]}", event);
    client_delivered(two.a);
    rig_end(two.rig);
}

/* An identity whose digest is all but what the other scopes have is not they. */
static void scopes_do_not_meet(void **state)
{
    (void)state;
    struct two two = two_new();
    RIG_RULES(two.rig, {.name = "global/*", .open = "all", .send = "all"},
              {.name = "session/*", .open = "all", .send = "all"});
    fake_grant(two.rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    client_ok(two.a, OPEN, "{'name':'user/a'}");
    client_ok(two.a, OPEN, "{'name':'session/a'}");
    client_ok(two.a, OPEN, "{'name':'global/a'}");
    uint32_t event = client_make(two.b, "Event", 3);
    client_refused(two.b, HBK_R_NOT_FOUND, SEND, "{'to':'user/a','items':[{'handle':%u}]}", event);
    client_ok(two.b, SEND, "{'to':'session/a','items':[{'handle':%u}]}", event);
    assert_true(hbk_text_is(client_delivered(two.a)->endpoint, "session/a"));
    client_ok(two.b, OPEN, "{'name':'user/a'}");
    rig_end(two.rig);
}

/* ---- user/ by rule ---- */

static void a_rule_replaces_the_built_in_one_of_user(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *a = client_new(rig, 100, 1), *same = client_new(rig, 101, 1);
    RIG_RULES(rig, {.name = "user/locked", .open = "some", .send = "some"},
              {.name = "user/half", .open = "some"});
    fake_grant(rig->kernel, "some", 100, HBK_RIGHT_OPEN | HBK_RIGHT_SEND);
    client_refused(same, HBK_R_DENIED, OPEN, "{'name':'user/locked'}");
    client_refused(same, HBK_R_DENIED, OPEN, "{'name':'user/half'}");
    client_ok(a, OPEN, "{'name':'user/locked'}");
    client_ok(a, OPEN, "{'name':'user/half'}");
    uint32_t event = client_make(same, "Event", 3);
    client_refused(same, HBK_R_DENIED, SEND, "{'to':'user/locked','items':[{'handle':%u}]}", event);
    client_refused(same, HBK_R_DENIED, SEND,
                   "{'to':'user/locked','items':[{'handle':%u}],"
                   "'wait_ms':60000}",
                   event);
    client_nothing(a);
    client_ok(same, SEND, "{'to':'user/half','items':[{'handle':%u}]}", event); /* built in */
    client_delivered(a);
    client_ok(same, OPEN, "{'name':'user/other'}");
    rig_end(rig);
}

static void the_first_rule_decides(void **state)
{
    (void)state;
    struct two two = two_new();
    RIG_RULES(two.rig, {.name = "global/secret/*", .send = "few"},
              {.name = "global/*", .open = "all", .send = "all"});
    fake_grant(two.rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    fake_grant(two.rig->kernel, "few", 200, HBK_RIGHT_SEND);
    client_ok(two.a, OPEN, "{'name':'global/secret/x'}"); /* the second rule speaks of that */
    uint32_t mine = client_make(two.a, "Event", 3), theirs = client_make(two.b, "Event", 3);
    client_refused(two.a, HBK_R_DENIED, SEND, "{'to':'global/secret/x','items':[{'handle':%u}]}",
                   mine);
    client_ok(two.b, SEND, "{'to':'global/secret/x','items':[{'handle':%u}]}", theirs);
    client_delivered(two.a);
    rig_end(two.rig);
}

/* ---- what the steady state costs ---- */

static void a_hand_off_asks_once(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *a = client_new(rig, 100, 1), *b = client_new(rig, 101, 1);
    RIG_RULES(rig, {.name = "global/*", .open = "all", .send = "all"});
    fake_grant(rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    client_ok(b, OPEN, "{'name':'user/plain'}");
    client_ok(b, OPEN, "{'name':'user/from','from':'D:(A;;GA;;;WD)'}");
    client_ok(b, OPEN, "{'name':'global/rule'}");
    client_ok(b, OPEN, "{'name':'global/both','from':'D:(A;;GA;;;WD)'}");
    fake_grant(rig->kernel, "D:(A;;GA;;;WD)", 0, HBK_RIGHTS_ALL);
    const struct {
        const char *name;
        uint32_t first;
    } rows[] = {{"user/plain", 0}, {"user/from", 1}, {"global/rule", 1}, {"global/both", 2}};
    uint32_t event = client_make(a, "Event", 3);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        for (unsigned j = 0; j < 5; ++j) {
            fake_trace_clear(rig->kernel);
            client_ok(a, SEND, "{'to':'%s','items':[{'handle':%u}]}", rows[i].name, event);
            client_delivered(b);
            assert_int_equal(checks(rig), j == 0 ? rows[i].first : 0);
            assert_int_equal(fake_trace_count(rig->kernel, FAKE_OP_MAY_DUPLICATE), 0);
            assert_int_equal(fake_trace_count(rig->kernel, FAKE_OP_WIDENABLE), 0);
        }
    }
    /* More endpoints than are remembered: asked again, and right all the same. */
    for (unsigned i = 0; i < HBK_GRANTS_CACHED + 2; ++i)
        client_ok(b, OPEN, "{'name':'global/%u'}", i);
    for (unsigned round = 0; round < 3; ++round) {
        fake_trace_clear(rig->kernel);
        for (unsigned i = 0; i < HBK_GRANTS_CACHED + 2; ++i) {
            client_ok(a, SEND, "{'to':'global/%u','items':[{'handle':%u}]}", i, event);
            client_delivered(b);
        }
        assert_int_equal(checks(rig), HBK_GRANTS_CACHED + 2);
    }
    rig_end(rig);
}

/* ---- what the outside can learn ---- */

/* The same bytes, and the same work, whether the name is open or not. */
static void a_refusal_does_not_tell(void **state)
{
    (void)state;
    struct two two = two_new();
    RIG_RULES(two.rig, {.name = "global/*", .open = "servers", .send = "clients"},
              {.name = "session/*", .open = "servers"});
    fake_grant(two.rig->kernel, "servers", 100, HBK_RIGHT_OPEN);
    client_ok(two.a, OPEN, "{'name':'global/here'}");
    client_ok(two.a, OPEN, "{'name':'session/here'}");
    client_ok(two.a, OPEN, "{'name':'user/here'}");
    uint32_t event = client_make(two.b, "Event", 3);
    const struct {
        const char *method, *params; /* %s: a name that is open, or one that is not */
    } rows[] = {
        {"handle.send", "{'to':'global/%s','items':[{'handle':%u}]}"},
        {"handle.send", "{'to':'session/%s','items':[{'handle':%u}]}"},
        {"handle.send", "{'to':'user/%s','items':[{'handle':%u}]}"},
        {"handle.send", "{'to':'global/%s','items':[{'handle':%u}],'expect':{'pid':100}}"},
        {"handle.send", "{'to':'global/%s','items':[{'handle':%u}],'wait_ms':50}"},
        {"handle.send", "{'to':{'name':'user/%s','pid':100},'items':[{'handle':%u}]}"},
        {"handle.send", "{'to':{'name':'global/%s','pid':100},'items':[{'handle':%u}]}"},
        {"endpoint.open", "{'name':'global/%s'}"},
        {"endpoint.open", "{'name':'session/%s','types':{'Token':'any'}}"},
        {"endpoint.close", "{'name':'global/%s'}"},
        {"endpoint.close", "{'name':'user/%s'}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        char first[1024];
        two.rig->kernel->label = rows[i].params;
        fake_trace_clear(two.rig->kernel);
        snprintf(first, sizeof first, "%s",
                 client_bytes_told(two.b, rows[i].method, rows[i].params, "here", event));
        uint32_t first_checks = checks(two.rig);
        size_t first_work = two.rig->kernel->trace_size;
        assert_non_null(strstr(first, "\"error\""));
        fake_trace_clear(two.rig->kernel);
        assert_string_equal(
            first, client_bytes_told(two.b, rows[i].method, rows[i].params, "none", event));
        assert_int_equal(checks(two.rig), first_checks);
        assert_int_equal(two.rig->kernel->trace_size, first_work);
    }
    two.rig->kernel->label = "";
    client_nothing(two.a);
    assert_int_equal(client_status(two.a).endpoints, 3);
    rig_end(two.rig);
}

/* Denied is denied at once: nobody's handle is pinned, nobody waits. */
static void what_is_denied_waits_for_nothing(void **state)
{
    (void)state;
    struct two two = two_new();
    uint32_t event = client_make(two.a, "Event", 3);
    fake_trace_clear(two.rig->kernel);
    client_refused(two.a, HBK_R_DENIED, SEND,
                   "{'to':'global/a','items':[{'handle':%u}],'wait_ms':60000}", event);
    assert_int_equal(fake_trace_count(two.rig->kernel, FAKE_OP_PIN), 0);
    assert_int_equal(client_status(two.a).deliveries_pending, 0);
    rig_end(two.rig);
}

/* ---- types and caps ---- */

static void types_by_rule(void **state)
{
    (void)state;
    struct two two = two_new();
    RIG_RULES(two.rig, {.name = "user/by-rule", .types = "Token Event Key"},
              {.name = "user/few", .types = "Event"});
    /* Not named by the rule. */
    client_refused(two.a, HBK_R_TYPE_NOT_ALLOWED, OPEN,
                   "{'name':'user/x','types':{'Token':'any'}}");
    client_refused(two.a, HBK_R_TYPE_NOT_ALLOWED, OPEN,
                   "{'name':'user/by-rule','types':{'Process':'any'}}");
    client_refused(two.a, HBK_R_TYPE_NOT_ALLOWED, OPEN,
                   "{'name':'user/few','types':{'Event':'any','File':'any'}}");
    assert_int_equal(client_status(two.a).endpoints, 0);
    client_ok(two.a, OPEN, "{'name':'user/by-rule'}"); /* the default six, within the rule */
    uint32_t token = client_make(two.a, "Token", 8), event = client_make(two.a, "Event", 3),
             file = client_make(two.a, "File", 3), process = client_make(two.a, "Process", 3);
    const char *send = "{'to':'user/by-rule','items':[{'handle':%u}]}";
    client_refused(two.a, HBK_R_ACCESS_NOT_ACCEPTED, SEND, send, token); /* not by the endpoint */
    client_refused(two.a, HBK_R_TYPE_NOT_ALLOWED, SEND, send, file);
    client_ok(two.a, SEND, send, event);
    client_delivered(two.a);
    client_ok(two.a, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/by-rule'}");
    client_ok(two.a, OPEN, "{'name':'user/by-rule','types':{'Token':8,'Event':'any'}}");
    client_ok(two.a, SEND, send, token);
    assert_true(hbk_text_is(client_delivered(two.a)->items[0].type, "Token"));
    assert_int_equal(client_refused(two.a, HBK_R_TYPE_NOT_ALLOWED, SEND, send, process)->item, 0);
    client_refused(two.a, HBK_R_TYPE_NOT_ALLOWED, SEND,
                   "{'to':'user/by-rule','items':[{'handle':%u}]}",
                   client_make(two.a, "IoCompletion", 3));
    rig_end(two.rig);
}

static void by_rule_types_need_both(void **state)
{
    (void)state;
    const char *types[] = {"Token", "Process", "Thread", "Job", "Key"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; ++i) {
        struct two two = two_new();
        uint32_t handle = client_make(two.a, types[i], 0xF);
        client_ok(two.a, OPEN, "{'name':'user/plain'}");
        client_refused(two.a, HBK_R_TYPE_NOT_ALLOWED, SEND,
                       "{'to':'user/plain','items':[{'handle':%u}]}", handle);
        RIG_RULES(two.rig, {.name = "*", .types = types[i]});
        client_refused(two.a, HBK_R_ACCESS_NOT_ACCEPTED, SEND,
                       "{'to':'user/plain','items':[{'handle':%u}]}", handle);
        client_ok(two.a, OPEN, "{'name':'user/named','types':{'%s':'any'}}", types[i]);
        client_ok(two.a, SEND, "{'to':'user/named','items':[{'handle':%u}]}", handle);
        client_delivered(two.a);
        rig_rules_none(two.rig); /* the endpoint is still open, and takes none any more */
        client_refused(two.a, HBK_R_TYPE_NOT_ALLOWED, SEND,
                       "{'to':'user/named','items':[{'handle':%u}]}", handle);
        client_nothing(two.a);
        rig_end(two.rig);
    }
}

static void rights_are_capped(void **state)
{
    (void)state;
    struct two two = two_new();
    RIG_RULES(two.rig, {.name = "user/low", .access_max = 0x100001});
    client_ok(two.a, OPEN, "{'name':'user/low'}");
    uint32_t event = client_make(two.a, "Event", 0x100003);
    const struct hbk_error *error = client_refused(
        two.a, HBK_R_DENIED, SEND, "{'to':'user/low','items':[{'handle':%u}]}", event);
    assert_non_null(strstr(error->detail, "0x100001")); /* names the cap */
    assert_int_equal(error->item, 0);
    error = client_refused(two.a, HBK_R_DENIED, SEND,
                           "{'to':'user/low','items':[{'handle':%u,'access':1},{'handle':%u,"
                           "'access':2}]}",
                           event, event);
    assert_int_equal(error->item, 1);
    client_ok(two.a, SEND, "{'to':'user/low','items':[{'handle':%u,'access':1}]}", event);
    client_delivered(two.a);
    client_refused(two.a, HBK_R_TYPE_NOT_ALLOWED, SEND, "{'to':'user/low','items':[{'handle':%u}]}",
                   client_make(two.a, "Token", 1));
    rig_end(two.rig);
}

/* A send that waits is held to the rules before the endpoint is there, and to those of the moment when it is. */
static void caps_bind_what_waits(void **state)
{
    (void)state;
    struct two two = two_new();
    RIG_RULES(two.rig, {.name = "user/low", .types = "Event", .access_max = 1});
    uint32_t event = client_make(two.a, "Event", 3), file = client_make(two.a, "File", 1);
    const char *send = "{'to':'user/low','items':[{'handle':%u,'access':1}],'wait_ms':1000}";
    client_refused(two.a, HBK_R_DENIED, SEND,
                   "{'to':'user/low','items':[{'handle':%u}],'wait_ms':1000}", event);
    client_refused(two.a, HBK_R_TYPE_NOT_ALLOWED, SEND, send, file);
    uint32_t waits = client_request(two.a, SEND, send, event);
    rig_run(two.rig);
    RIG_RULES(two.rig, {.name = "user/low", .types = "File"});
    assert_false(client_answered(two.a, waits));
    client_ok(two.a, OPEN, "{'name':'user/low'}");
    client_error(two.a, waits, HBK_R_TYPE_NOT_ALLOWED);
    client_nothing(two.a);
    rig_end(two.rig);
}

/* ---- widenable ---- */

static void what_was_left_out_may_come_back(void **state)
{
    (void)state;
    struct two two = two_new();
    two.rig->kernel->policy.widenable_type = "Event";
    client_ok(two.a, OPEN, "{'name':'user/a'}");
    client_ok(two.a, OPEN, "{'name':'user/ask','mode':'ask'}");
    const struct {
        const char *type, *access;
        enum hbk_widenable widenable;
        uint32_t asked;
    } rows[] = {
        {"Event", "'same'", HBK_WIDENABLE_NOT_REDUCED, 0},
        {"Event", "3", HBK_WIDENABLE_NOT_REDUCED, 0},
        {"Event", "1", HBK_WIDENABLE_YES, 1},
        {"Section", "1", HBK_WIDENABLE_NO, 1},
        {"File", "1", HBK_WIDENABLE_UNKNOWN, 0},
        {"File", "3", HBK_WIDENABLE_NOT_REDUCED, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        uint32_t handle = client_make(two.a, rows[i].type, 3);
        fake_trace_clear(two.rig->kernel);
        client_ok(two.a, SEND, "{'to':'user/a','items':[{'handle':%u,'access':%s}]}", handle,
                  rows[i].access);
        assert_int_equal(client_delivered(two.a)->items[0].widenable, rows[i].widenable);
        assert_int_equal(fake_trace_count(two.rig->kernel, FAKE_OP_WIDENABLE), rows[i].asked);
        /* An offer says it too, and it is not asked again when it is accepted. */
        fake_trace_clear(two.rig->kernel);
        uint32_t id =
            client_request(two.a, SEND, "{'to':'user/ask','items':[{'handle':%u,'access':%s}]}",
                           handle, rows[i].access);
        rig_run(two.rig);
        const struct hbk_delivered *offered = client_offered(two.a);
        assert_int_equal(offered->items[0].widenable, rows[i].widenable);
        const struct hbk_message *answer =
            client_ok(two.a, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                      (unsigned long long)offered->delivery);
        assert_int_equal(answer->u.result.accept.items[0].widenable, rows[i].widenable);
        client_result(two.a, id);
        assert_int_equal(fake_trace_count(two.rig->kernel, FAKE_OP_WIDENABLE), rows[i].asked);
    }
    rig_end(two.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_and_global_belong_to_nobody),
        cmocka_unit_test(a_rule_opens_a_name_to_whom_it_names),
        cmocka_unit_test(a_right_is_not_another),
        cmocka_unit_test(session_names_are_of_one_terminal_session),
        cmocka_unit_test(scopes_do_not_meet),
        cmocka_unit_test(a_rule_replaces_the_built_in_one_of_user),
        cmocka_unit_test(the_first_rule_decides),
        cmocka_unit_test(a_hand_off_asks_once),
        cmocka_unit_test(a_refusal_does_not_tell),
        cmocka_unit_test(what_is_denied_waits_for_nothing),
        cmocka_unit_test(types_by_rule),
        cmocka_unit_test(by_rule_types_need_both),
        cmocka_unit_test(rights_are_capped),
        cmocka_unit_test(caps_bind_what_waits),
        cmocka_unit_test(what_was_left_out_may_come_back),
    };
    return cmocka_run_group_tests_name("core: policy", tests, NULL, NULL);
}
