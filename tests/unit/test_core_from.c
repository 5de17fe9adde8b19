/* `from` of an endpoint: who of those who may send at all is let to it. */
#include "core_policy.h"

#include <stdio.h>
#include <string.h>

#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define SEND HBK_METHOD_HANDLE_SEND

static const char sddl[] = "D:(A;;0x2;;;S-1-5-21-1-2-3-7)";

struct trio {
    struct rig *rig;
    struct client *target, *in, *out; /* of one identity */
};

static struct trio trio_new(void)
{
    struct trio trio = {.rig = rig_new(NULL, 1)};
    trio.target = client_new(trio.rig, 100, 1);
    trio.in = client_new(trio.rig, 101, 1);
    trio.out = client_new(trio.rig, 102, 1);
    fake_grant(trio.rig->kernel, sddl, 101, HBK_RIGHT_SEND);
    fake_grant(trio.rig->kernel, sddl, 102, HBK_RIGHTS_ALL & ~(uint32_t)HBK_RIGHT_SEND);
    return trio;
}

static void only_whom_it_grants_send(void **state)
{
    (void)state;
    struct trio trio = trio_new();
    client_ok(trio.target, OPEN, "{'name':'user/a','from':'%s'}", sddl);
    assert_int_equal(fake_descriptors_held(trio.rig->kernel), 1);
    uint32_t in = client_make(trio.in, "Event", 3), out = client_make(trio.out, "Event", 3);
    const char *send = "{'to':'user/a','items':[{'handle':%u}]}";
    client_ok(trio.in, SEND, send, in);
    client_delivered(trio.target);
    client_refused(trio.out, HBK_R_NOT_FOUND, SEND, send, out);
    client_nothing(trio.target);
    client_ok(trio.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    assert_int_equal(fake_descriptors_held(trio.rig->kernel), 0);
    client_ok(trio.target, OPEN, "{'name':'user/a'}");
    client_ok(trio.out, SEND, send, out);
    client_delivered(trio.target);
    rig_end(trio.rig);
}

/* It looks like none: the same answer as where nothing is open, and waiting goes on. */
static void who_is_left_out_sees_none(void **state)
{
    (void)state;
    struct trio trio = trio_new();
    client_ok(trio.target, OPEN, "{'name':'user/a','from':'%s'}", sddl);
    uint32_t out = client_make(trio.out, "Event", 3);
    char first[1024];
    const char *send = "{'to':'user/%s','items':[{'handle':%u}]}";
    snprintf(first, sizeof first, "%s", client_bytes_told(trio.out, "handle.send", send, "a", out));
    assert_non_null(strstr(first, "not_found"));
    assert_string_equal(first, client_bytes_told(trio.out, "handle.send", send, "b", out));

    uint32_t id = client_request(trio.out, SEND,
                                 "{'to':'user/a','items':[{'handle':%u}],'wait_ms':1000}", out);
    rig_run(trio.rig);
    assert_false(client_answered(trio.out, id));
    rig_advance(trio.rig, 1000);
    client_error(trio.out, id, HBK_R_TIMEOUT);
    client_nothing(trio.target);

    /* The next one under that name takes it. */
    id = client_request(trio.out, SEND, "{'to':'user/a','items':[{'handle':%u}],'wait_ms':1000}",
                        out);
    rig_run(trio.rig);
    client_ok(trio.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    assert_false(client_answered(trio.out, id));
    client_ok(trio.target, OPEN, "{'name':'user/a'}");
    client_result(trio.out, id);
    client_delivered(trio.target);
    rig_end(trio.rig);
}

static void it_narrows_and_never_widens(void **state)
{
    (void)state;
    struct trio trio = trio_new();
    struct client *stranger = client_new(trio.rig, 200, 2);
    fake_grant(trio.rig->kernel, sddl, 0, HBK_RIGHTS_ALL);
    fake_grant(trio.rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    RIG_RULES(trio.rig, {.name = "global/*", .open = "all", .send = "none"});
    client_ok(trio.target, OPEN, "{'name':'user/a','from':'%s'}", sddl);
    client_ok(trio.target, OPEN, "{'name':'global/a','from':'%s'}", sddl);
    uint32_t event = client_make(stranger, "Event", 3);
    client_refused(stranger, HBK_R_NOT_FOUND, SEND, "{'to':'user/a','items':[{'handle':%u}]}",
                   event);
    client_refused(stranger, HBK_R_DENIED, SEND, "{'to':'global/a','items':[{'handle':%u}]}",
                   event);
    client_refused(stranger, HBK_R_DENIED, SEND,
                   "{'to':{'name':'user/a','pid':100},'items':[{'handle':%u}]}", event);
    client_nothing(trio.target);
    rig_end(trio.rig);
}

static void a_bad_one_opens_nothing(void **state)
{
    (void)state;
    struct trio trio = trio_new();
    const char *bad[] = {
        "", "D:", "O:SY", "D:(A;;GA;;;DA)", "D:(A;;GA;;;WD)S:(ML;;NW;;;LW)", "D:(XA;;GA;;;WD;(1))"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        client_refused(trio.target, HBK_R_INVALID_PARAMS, OPEN, "{'name':'user/a','from':'%s'}",
                       bad[i]);
        assert_int_equal(client_status(trio.target).endpoints, 0);
    }
    const struct hbk_error *error = client_refused(trio.target, HBK_R_INVALID_PARAMS, OPEN,
                                                   "{'name':'user/a','from':'D:(A;;GA;;;DA)'}");
    assert_non_null(strstr(error->detail, "byte 11")); /* says where */
    char longest[HBK_SDDL_BYTES_MAX + 2];
    memset(longest, 'A', sizeof longest);
    longest[sizeof longest - 1] = 0;
    client_refused(trio.target, HBK_R_INVALID_PARAMS, OPEN, "{'name':'user/a','from':'%s'}",
                   longest);
    /* What is wrong is said before anything is asked of anybody. */
    assert_int_equal(fake_trace_count(trio.rig->kernel, FAKE_OP_DESCRIPTOR_NEW), 0);
    fake_fail(trio.rig->kernel, FAKE_OP_DESCRIPTOR_NEW, 1, HBK_R_OS_ERROR, 1337);
    error =
        client_refused(trio.target, HBK_R_OS_ERROR, OPEN, "{'name':'user/a','from':'%s'}", sddl);
    assert_int_equal(error->win32, 1337);
    assert_int_equal(client_status(trio.target).endpoints, 0);
    client_ok(trio.target, OPEN, "{'name':'user/a','from':'%s'}", sddl);
    rig_end(trio.rig);
}

/* Refused for another reason: the descriptor is not left behind. */
static void a_refused_open_keeps_no_descriptor(void **state)
{
    (void)state;
    struct trio trio = trio_new();
    client_ok(trio.target, OPEN, "{'name':'user/a'}");
    client_refused(trio.in, HBK_R_EXISTS, OPEN, "{'name':'user/a','from':'%s'}", sddl);
    client_refused(trio.in, HBK_R_TYPE_NOT_ALLOWED, OPEN,
                   "{'name':'user/b','types':{'Token':'any'},'from':'%s'}", sddl);
    client_refused(trio.in, HBK_R_DENIED, OPEN, "{'name':'global/b','from':'%s'}", sddl);
    assert_int_equal(fake_descriptors_held(trio.rig->kernel), 0);
    rig_end(trio.rig);
}

static void the_end_of_a_session_frees_its_descriptors(void **state)
{
    (void)state;
    struct trio trio = trio_new();
    for (unsigned i = 0; i < 10; ++i)
        client_ok(trio.target, OPEN, "{'name':'user/%u','from':'%s'}", i, sddl);
    client_ok(trio.in, OPEN, "{'name':'user/in','from':'%s'}", sddl);
    assert_int_equal(fake_descriptors_held(trio.rig->kernel), 11);
    client_exit(trio.target);
    assert_int_equal(fake_descriptors_held(trio.rig->kernel), 1);
    rig_end(trio.rig);
}

/* An offer that was made stays with its descriptor's decision; who is gone inside the question gets nothing. */
static void a_sender_that_ends_inside_the_question(void **state)
{
    (void)state;
    struct trio trio = trio_new();
    client_ok(trio.target, OPEN, "{'name':'user/a','from':'%s'}", sddl);
    uint32_t in = client_make(trio.in, "Event", 3);
    fake_exit_at(trio.rig->kernel, FAKE_OP_ACCESS_CHECK, 1, trio.in->process, false);
    client_request(trio.in, SEND, "{'to':'user/a','items':[{'handle':%u}]}", in);
    rig_run(trio.rig);
    client_hang_up(trio.in);
    client_nothing(trio.target);
    assert_int_equal(client_status(trio.target).deliveries_pending, 0);
    rig_end(trio.rig);
}

/* Windows is asked about each endpoint that has a `from`: a page ends early rather than ask as often as there are. */
static void a_listing_asks_little_at_a_time(void **state)
{
    (void)state;
    for (int granted = 0; granted < 2; ++granted) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *viewer = client_new(rig, 100, 1);
        fake_grant(rig->kernel, "open", 200, HBK_RIGHT_OPEN);
        fake_grant(rig->kernel, "send", 100, HBK_RIGHT_SEND);
        fake_grant(rig->kernel, sddl, 100, granted ? HBK_RIGHT_SEND : 0);
        RIG_RULES(rig, {.name = "global/*", .open = "open", .send = "send"});
        struct client *targets[3];
        struct fake_process *process = fake_process_start(rig->kernel, 200);
        for (unsigned i = 0; i < 3; ++i) {
            targets[i] = client_connect(rig, process, 2);
            client_prove(targets[i]);
            for (unsigned j = 0; j < 50; ++j)
                client_ok(targets[i], OPEN, "{'name':'global/%u/%u','from':'%s'}", i, j, sddl);
        }
        size_t shown = 0, pages = 0;
        char cursor[HBK_CURSOR_BYTES_MAX + 1] = "0";
        for (bool more = true; more; ++pages) {
            assert_true(pages < 150);
            fake_trace_clear(rig->kernel);
            const struct hbk_endpoint_list_result *page =
                &client_ok(viewer, HBK_METHOD_ENDPOINT_LIST, "{'cursor':'%s'}", cursor)
                     ->u.result.endpoint_list;
            assert_true(fake_trace_count(rig->kernel, FAKE_OP_ACCESS_CHECK) <= HBK_ITEMS_MAX + 2);
            shown += page->endpoints_count;
            more = page->next.data != NULL;
            if (more)
                snprintf(cursor, sizeof cursor, "%.*s", (int)page->next.size, page->next.data);
        }
        assert_true(pages > 2);
        assert_int_equal(shown, granted ? 150 : 0);
        rig_end(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_whom_it_grants_send),
        cmocka_unit_test(who_is_left_out_sees_none),
        cmocka_unit_test(it_narrows_and_never_widens),
        cmocka_unit_test(a_bad_one_opens_nothing),
        cmocka_unit_test(a_refused_open_keeps_no_descriptor),
        cmocka_unit_test(the_end_of_a_session_frees_its_descriptors),
        cmocka_unit_test(a_sender_that_ends_inside_the_question),
        cmocka_unit_test(a_listing_asks_little_at_a_time),
    };
    return cmocka_run_group_tests_name("core: from", tests, NULL, NULL);
}
