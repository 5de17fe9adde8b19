/* Hand-off to an auto endpoint: what arrives, and what is refused before anything is placed. */
#include "core_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what arrives ---- */

static void one_handle_arrives(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.sender, "Event", 0x1F0003);
    uint32_t object = fake_handle_find(pair.sender->process, event)->object;
    uint32_t id = client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                                 "{'to':'user/a','items':[{'handle':%u}],'data':'for you'}", event);
    rig_run(pair.rig);
    const struct hbk_delivered *delivered = client_delivered(pair.target);
    const struct hbk_send_result *result = &client_result(pair.sender, id)->u.result.send;
    assert_int_equal(delivered->delivery, result->delivery);
    assert_true(hbk_text_is(delivered->endpoint, "user/a"));
    assert_int_equal(delivered->from.session, pair.sender->session_id);
    assert_int_equal(delivered->from.peer.pid, pair.sender->process->pid);
    assert_true(hbk_text_is(delivered->from.peer.user, "S-1-5-21-1-2-3-1001"));
    assert_int_equal(delivered->from.peer.integrity, 0x2000);
    assert_int_equal(delivered->from.peer.logon_session, 0x1001);
    assert_true(hbk_text_is(delivered->data, "for you"));
    assert_false(delivered->revocable);
    assert_int_equal(delivered->items_count, 1);
    assert_int_equal(delivered->items[0].access, 0x1F0003);
    assert_true(fake_handle_is(pair.target->process, delivered->items[0].handle, object));
    assert_int_equal(result->items_count, 1);
    assert_true(hbk_text_is(result->items[0].type, "Event"));
    assert_int_equal(result->items[0].access, 0x1F0003);
    /* Sending copies: the source's own stays. */
    assert_true(fake_handle_is(pair.sender->process, event, object));
    assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
    assert_int_equal(client_status(pair.sender).delivered, 1);
    assert_int_equal(client_status(pair.sender).failed, 0);
    rig_end(pair.rig);
}

static void flags_and_absent_data_arrive_as_they_are(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[{'handle':%u,'inherit':true},{'handle':%u,'protect':"
                   "true},{'handle':%u}]}",
                   event, event, event);
    rig_run(pair.rig);
    const struct hbk_delivered *delivered = client_delivered(pair.target);
    assert_null(delivered->data.data);
    assert_int_equal(delivered->items_count, 3);
    for (size_t i = 0; i < 3; ++i) {
        assert_int_equal(delivered->items[i].inherit, i == 0);
        assert_int_equal(delivered->items[i].protect, i == 1);
        for (size_t j = 0; j < i; ++j)
            assert_true(delivered->items[i].handle != delivered->items[j].handle);
    }
    client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[{'handle':%u}],'data':''}", event);
    rig_run(pair.rig);
    delivered = client_delivered(pair.target);
    assert_non_null(delivered->data.data);
    assert_int_equal(delivered->data.size, 0);
    rig_end(pair.rig);
}

static void a_send_to_oneself_arrives(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.target, "Event", 3);
    uint32_t id = client_send(pair.target, "user/a", event);
    rig_run(pair.rig);
    const struct hbk_delivered *delivered = client_delivered(pair.target);
    assert_int_equal(client_result(pair.target, id)->u.result.send.delivery, delivered->delivery);
    assert_int_equal(delivered->from.session, pair.target->session_id);
    assert_true(delivered->items[0].handle != event);
    assert_int_equal(fake_handles_count(pair.target->process), 2);
    rig_end(pair.rig);
}

/* ---- access ---- */

struct granting {
    const char *type;
    const char *access; /* as it stands in the item */
    uint32_t granted;   /* of the source's handle */
    uint32_t expected;  /* 0: access_exceeds_source */
};

static const struct granting grantings[] = {
    {"Event", "'same'", 0x1F0003, 0x1F0003},
    {"Event", "'read'", 0x1F0003, 0x120001},
    {"Event", "'read'", 0x100002, 0x100000},
    {"Event", "2", 0x1F0003, 2},
    {"Event", "2", 2, 2},
    {"Event", "'same'", 2, 2},
    {"Event", "'read'", 0x20003, 0}, /* no SYNCHRONIZE */
    {"Event", "2", 0x100001, 0},
    {"Event", "1966083", 0x1F0001, 0}, /* one bit too many */
    {"Semaphore", "'same'", 0x1F0003, 0x1F0003},
    {"Semaphore", "'read'", 0x1F0003, 0x120001},
    {"Semaphore", "'read'", 0xF0003, 0},
    {"Semaphore", "1048577", 0x100001, 0x100001},
    {"Semaphore", "3", 0x100001, 0},
    {"Mutant", "'same'", 0x1F0001, 0x1F0001},
    {"Mutant", "'read'", 0x1F0001, 0x120001},
    {"Mutant", "'read'", 0xF0001, 0},
    {"Mutant", "1048576", 0x1F0001, 0x100000},
    {"Timer", "'read'", 0x1F0003, 0x120001},
    {"Timer", "2", 0x1F0003, 2},
    {"Timer", "'read'", 0xF0003, 0},
    {"Section", "'same'", 0xF001F, 0xF001F},
    {"Section", "'read'", 0xF001F, 0x20005},
    {"Section", "'read'", 0x4, 0x4},
    {"Section", "'read'", 0xF001B, 0}, /* no MAP_READ */
    {"Section", "6", 0xF001F, 6},
    {"Section", "6", 0x4, 0},
    {"File", "'same'", 0x1F01FF, 0x1F01FF},
    {"File", "'read'", 0x1F01FF, 0x120089},
    {"File", "'read'", 0x100001, 0x100001},
    {"File", "'read'", 0x120088, 0}, /* no READ_DATA */
    {"File", "2", 0x120089, 0},
};

static void access_only_shrinks(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    for (size_t i = 0; i < sizeof grantings / sizeof grantings[0]; ++i) {
        const struct granting *row = &grantings[i];
        pair.rig->kernel->label = row->access;
        uint32_t handle = client_make(pair.sender, row->type, row->granted);
        char params[160];
        snprintf(params, sizeof params,
                 "{'to':'user/a','items':[{'handle':%u,'access':%s,'type':'%s'}]}", handle,
                 row->access, row->type);
        if (!row->expected) {
            const struct hbk_error *error = client_refused(pair.sender, HBK_R_ACCESS_EXCEEDS_SOURCE,
                                                           HBK_METHOD_HANDLE_SEND, "%s", params);
            assert_int_equal(error->item, 0);
            client_nothing(pair.target);
            continue;
        }
        const struct hbk_send_result *result =
            &client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "%s", params)->u.result.send;
        assert_int_equal(result->items[0].access, row->expected);
        const struct hbk_delivered_item *item = &client_delivered(pair.target)->items[0];
        assert_int_equal(item->access, row->expected);
        assert_int_equal(fake_handle_find(pair.target->process, item->handle)->access,
                         row->expected);
    }
    pair.rig->kernel->label = "";
    rig_end(pair.rig);
}

static void access_that_says_too_much_or_nothing(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t handle = client_make(pair.sender, "Event", 0xFFFFFFFF);
    const char *bad[] = {"0",        "2147483648", "1073741824", "536870912",  "268435456",
                         "33554432", "16777216",   "4294967296", "4294967295", "-1",
                         "'all'",    "''",         "'SAME'",     "null",       "{}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        const struct hbk_error *error =
            client_refused(pair.sender, HBK_R_INVALID_PARAMS, HBK_METHOD_HANDLE_SEND,
                           "{'to':'user/a','items':[{'handle':%u},{'handle':%u,'access':%s}]}",
                           handle, handle, bad[i]);
        assert_int_equal(error->item, 1);
    }
    assert_int_equal(fake_trace_count(pair.rig->kernel, FAKE_OP_PIN), 0);
    client_nothing(pair.target);
    rig_end(pair.rig);
}

/* ---- handles ---- */

static void values_that_are_no_handles_reach_no_call(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t handle = client_make(pair.sender, "Event", 3);
    const char *bad[] = {"0",
                         "-1",
                         "-2",
                         "-3",
                         "-4",
                         "-5",
                         "-6",
                         "-16",
                         "4294967295",
                         "4294967294",
                         "4294967293",
                         "4294967292",
                         "4294967291",
                         "4294967290",
                         "4294967280",
                         "18446744073709551615",
                         "18446744073709551614",
                         "18446744073709551600",
                         "1",
                         "2",
                         "3",
                         "5",
                         "6",
                         "7",
                         "2147483645",
                         "2147483647",
                         "2147483648",
                         "4294967296",
                         "4294967300",
                         "9223372036854775808",
                         "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        pair.rig->kernel->label = bad[i];
        const struct hbk_error *error =
            client_refused(pair.sender, HBK_R_BAD_HANDLE, HBK_METHOD_HANDLE_SEND,
                           "{'to':'user/a','items':[{'handle':%u},{'handle':%s}]}", handle, bad[i]);
        assert_int_equal(error->item, 1);
    }
    pair.rig->kernel->label = "";
    assert_int_equal(fake_trace_count(pair.rig->kernel, FAKE_OP_PIN), 0);
    client_nothing(pair.target);
    rig_end(pair.rig);
}

static void handles_that_are_not_open_are_refused(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t handle = client_make(pair.sender, "Event", 3);
    uint32_t closed = client_make(pair.sender, "Event", 3);
    fake_handle_close(pair.rig->kernel, pair.sender->process, closed);
    uint32_t values[] = {closed, 4096 * 4, 2147483644u};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; ++i) {
        const struct hbk_error *error = client_refused(
            pair.sender, HBK_R_BAD_HANDLE, HBK_METHOD_HANDLE_SEND,
            "{'to':'user/a','items':[{'handle':%u},{'handle':%u}]}", handle, values[i]);
        assert_int_equal(error->item, 1);
    }
    client_nothing(pair.target);
    rig_end(pair.rig);
}

/* ---- types ---- */

static void types_that_are_not_brokered(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    const char *types[] = {"Token",
                           "Process",
                           "Thread",
                           "Job",
                           "Key",
                           "ALPC Port",
                           "Directory",
                           "IoCompletion",
                           "Desktop",
                           "WindowStation",
                           "WmiGuid",
                           "Session",
                           "SymbolicLink",
                           "DebugObject",
                           "Nonsense",
                           "",
                           "event",
                           "EventPair",
                           "WaitCompletionPacket",
                           "a type name that is cut at 32 by"};
    uint32_t event = client_make(pair.sender, "Event", 3);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; ++i) {
        uint32_t handle = client_make(pair.sender, types[i], 0x1F0003);
        const struct hbk_error *error =
            client_refused(pair.sender, HBK_R_TYPE_NOT_ALLOWED, HBK_METHOD_HANDLE_SEND,
                           "{'to':'user/a','items':[{'handle':%u},{'handle':%u}]}", event, handle);
        assert_int_equal(error->item, 1);
        client_nothing(pair.target);
    }
    rig_end(pair.rig);
}

static void the_type_that_the_sender_names_must_fit(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t handle = client_make(pair.sender, "Mutant", 0x1F0001);
    const char *wrong[] = {"Event", "mutant", "Mutan", "MutantX", "Nonsense"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i)
        assert_int_equal(client_refused(pair.sender, HBK_R_TYPE_MISMATCH, HBK_METHOD_HANDLE_SEND,
                                        "{'to':'user/a','items':[{'handle':%u,'type':'%s'}]}",
                                        handle, wrong[i])
                             ->item,
                         0);
    client_refused(pair.sender, HBK_R_TYPE_MISMATCH, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[{'handle':%u,'type':'Socket'}]}", handle);
    client_nothing(pair.target);
    client_ok(pair.sender, HBK_METHOD_HANDLE_SEND,
              "{'to':'user/a','items':[{'handle':%u,'type':'Mutant'}]}", handle);
    client_delivered(pair.target);
    rig_end(pair.rig);
}

/* ---- what the endpoint takes ---- */

struct taking {
    const char *open; /* types and items_max of the endpoint */
    const char *type;
    const char *access;
    unsigned count;
    bool taken;
};

static const struct taking takings[] = {
    {"'types':{'Event':'any'}", "Event", "'same'", 1, true},
    {"'types':{'Event':'any'}", "Mutant", "'same'", 1, false},
    {"'types':{'Section':'read'}", "Section", "'read'", 1, true},
    {"'types':{'Section':'read'}", "Section", "'same'", 1, false},
    {"'types':{'Section':'read'}", "Section", "6", 1, false},
    {"'types':{'Section':'read'}", "Section", "4", 1, true},
    {"'types':{'File':1179785}", "File", "'read'", 1, true},
    {"'types':{'File':1179785}", "File", "1", 1, true},
    {"'types':{'File':1179785}", "File", "'same'", 1, false},
    {"'types':{'File':1179785}", "File", "3", 1, false},
    {"'items_max':1", "Event", "'same'", 1, true},
    {"'items_max':1", "Event", "'same'", 2, false},
    {"'items_max':63", "Event", "'same'", 64, false},
    {"'items_max':64", "Event", "'same'", 64, true},
    {"'types':{'Event':2},'items_max':2", "Event", "2", 2, true},
    {"'types':{'Event':2},'items_max':2", "Event", "2", 3, false},
    {"'types':{'Event':2},'items_max':2", "Event", "3", 2, false},
};

static void an_endpoint_gets_what_it_agreed_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof takings / sizeof takings[0]; ++i) {
        const struct taking *row = &takings[i];
        for (int ask = 0; ask < 2; ++ask) {
            char text[128];
            snprintf(text, sizeof text, "{'name':'user/a','mode':'%s',%s}", ask ? "ask" : "auto",
                     row->open);
            struct pair pair = pair_new(NULL, text);
            pair.rig->kernel->label = row->open;
            char *params = pair_params(&pair, row->count, row->type, 0x1F01FF, row->access);
            if (!row->taken) {
                client_refused(pair.sender, HBK_R_ACCESS_NOT_ACCEPTED, HBK_METHOD_HANDLE_SEND, "%s",
                               params);
                client_nothing(pair.target);
            } else if (ask) {
                client_request_text(pair.sender, HBK_METHOD_HANDLE_SEND, params);
                rig_run(pair.rig);
                assert_int_equal(client_offered(pair.target)->items_count, row->count);
            } else {
                client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "%s", params);
                assert_int_equal(client_delivered(pair.target)->items_count, row->count);
            }
            free(params);
            rig_end(pair.rig);
        }
    }
}

/* A handle may have no rights at all; that makes its type no more welcome. */
static void a_handle_without_rights_is_of_its_type_too(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a','types':{'Event':'read'}}");
    const char *format = "{'to':'user/a','items':[{'handle':%u}]}";
    client_refused(pair.sender, HBK_R_ACCESS_NOT_ACCEPTED, HBK_METHOD_HANDLE_SEND, format,
                   client_make(pair.sender, "Mutant", 0));
    client_nothing(pair.target);
    client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, format, client_make(pair.sender, "Event", 0));
    assert_int_equal(client_delivered(pair.target)->items[0].access, 0);
    rig_end(pair.rig);
}

static void expect_must_be_met(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}"); /* the target is pid 101 */
    uint32_t event = client_make(pair.sender, "Event", 3);
    const struct {
        const char *expect;
        bool met;
    } rows[] = {
        {"{'pid':101}", true},
        {"{'user':'S-1-5-21-1-2-3-1001'}", true},
        {"{'user':'S-1-5-21-1-2-3-1001','pid':101}", true},
        {"{'pid':100}", false},
        {"{'user':'S-1-5-21-1-2-3-1002'}", false},
        {"{'user':'S-1-5-21-1-2-3-100'}", false},
        {"{'user':'S-1-5-21-1-2-3-1002','pid':101}", false},
        {"{'user':'S-1-5-21-1-2-3-1001','pid':100}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const char *format = "{'to':'user/a','items':[{'handle':%u}],'expect':%s}";
        if (rows[i].met) {
            client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, format, event, rows[i].expect);
            client_delivered(pair.target);
        } else {
            client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_HANDLE_SEND, format, event,
                           rows[i].expect);
            client_nothing(pair.target);
        }
    }
    rig_end(pair.rig);
}

static void what_can_be_revoked_needs_consent(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    client_refused(pair.sender, HBK_R_ACCESS_NOT_ACCEPTED, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[{'handle':%u}],'revocable':true}", event);
    client_nothing(pair.target);
    client_ok(pair.sender, HBK_METHOD_HANDLE_SEND,
              "{'to':'user/a','items':[{'handle':%u}],'revocable':false}", event);
    rig_end(pair.rig);
}

/* ---- data ---- */

static void data_is_limited_as_escaped(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    const struct {
        const char *unit; /* as it stands in JSON */
        size_t escaped;   /* bytes that one takes as the broker writes it */
        size_t bytes;     /* bytes that it is */
    } rows[] = {{"x", 1, 1}, {"\\\\", 2, 1}, {"\xC3\xA4", 2, 2}, {"\\u0061", 1, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        size_t fits = HBK_DATA_BYTES_MAX / rows[i].escaped;
        char *data = malloc((fits + 1) * strlen(rows[i].unit) + 1);
        assert_non_null(data);
        data[0] = 0;
        for (size_t j = 0; j < fits + 1; ++j)
            memcpy(data + j * strlen(rows[i].unit), rows[i].unit, strlen(rows[i].unit) + 1);
        const char *format = "{'to':'user/a','items':[{'handle':%u}],'data':'%s'}";
        client_refused(pair.sender, HBK_R_INVALID_PARAMS, HBK_METHOD_HANDLE_SEND, format, event,
                       data);
        client_nothing(pair.target);
        data[fits * strlen(rows[i].unit)] = 0;
        client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, format, event, data);
        assert_int_equal(client_delivered(pair.target)->data.size, fits * rows[i].bytes);
        free(data);
    }
    rig_end(pair.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_handle_arrives),
        cmocka_unit_test(flags_and_absent_data_arrive_as_they_are),
        cmocka_unit_test(a_send_to_oneself_arrives),
        cmocka_unit_test(access_only_shrinks),
        cmocka_unit_test(access_that_says_too_much_or_nothing),
        cmocka_unit_test(values_that_are_no_handles_reach_no_call),
        cmocka_unit_test(handles_that_are_not_open_are_refused),
        cmocka_unit_test(types_that_are_not_brokered),
        cmocka_unit_test(the_type_that_the_sender_names_must_fit),
        cmocka_unit_test(an_endpoint_gets_what_it_agreed_to),
        cmocka_unit_test(a_handle_without_rights_is_of_its_type_too),
        cmocka_unit_test(expect_must_be_met),
        cmocka_unit_test(what_can_be_revoked_needs_consent),
        cmocka_unit_test(data_is_limited_as_escaped),
    };
    return cmocka_run_group_tests_name("core: send", tests, NULL, NULL);
}
