/* {name, pid}: the endpoint of a process, whatever its identity. */
#include "core_policy.h"

#include <stdio.h>
#include <string.h>

#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define SEND HBK_METHOD_HANDLE_SEND
#define TO_A "{'to':{'name':'user/a','pid':200},'items':[{'handle':%u}]}"
#define WAIT_FOR_A "{'to':{'name':'user/a','pid':200},'items':[{'handle':%u}],'wait_ms':1000}"

/* Process 200 of another identity listens at user/a. */
struct two {
    struct rig *rig;
    struct client *sender, *target;
    uint32_t event;
};

static struct two two_new(bool open)
{
    struct two two = {.rig = rig_new(NULL, 1)};
    two.sender = client_new(two.rig, 100, 1);
    two.target = client_new(two.rig, 200, 2);
    two.event = client_make(two.sender, "Event", 3);
    if (open)
        client_ok(two.target, OPEN, "{'name':'user/a'}");
    fake_trace_clear(two.rig->kernel);
    return two;
}

static uint32_t asked(const struct rig *rig)
{
    return fake_trace_count(rig->kernel, FAKE_OP_MAY_DUPLICATE);
}

static void without_ground_it_is_denied(void **state)
{
    (void)state;
    struct two two = two_new(true);
    client_refused(two.sender, HBK_R_DENIED, SEND, TO_A, two.event);
    assert_int_equal(fake_trace_count(two.rig->kernel, FAKE_OP_PIN), 0);
    client_nothing(two.target);
    /* The right is not the other way round. */
    fake_may_duplicate(two.rig->kernel, 200, 100, true);
    client_refused(two.sender, HBK_R_DENIED, SEND, TO_A, two.event);
    client_nothing(two.target);
    rig_end(two.rig);
}

static void who_may_duplicate_may_send(void **state)
{
    (void)state;
    struct two two = two_new(true);
    fake_may_duplicate(two.rig->kernel, 100, 200, true);
    for (unsigned i = 0; i < 4; ++i) {
        client_ok(two.sender, SEND, TO_A, two.event);
        assert_true(hbk_text_is(client_delivered(two.target)->endpoint, "user/a"));
    }
    assert_int_equal(asked(two.rig), 1); /* once a session and endpoint */
    /* The right to the process is none to what it did not open, and not to its scope. */
    client_refused(two.sender, HBK_R_NOT_FOUND, SEND,
                   "{'to':{'name':'user/b','pid':200},'items':[{'handle':%u}]}", two.event);
    client_refused(two.sender, HBK_R_NOT_FOUND, SEND, "{'to':'user/a','items':[{'handle':%u}]}",
                   two.event);
    client_nothing(two.target);
    rig_end(two.rig);
}

static void the_own_identity_may_send(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *a = client_new(rig, 100, 1), *b = client_new(rig, 101, 1),
                  *c = client_new(rig, 102, 1);
    uint32_t event = client_make(a, "Event", 3);
    client_ok(b, OPEN, "{'name':'user/a'}");
    fake_trace_clear(rig->kernel);
    client_ok(a, SEND, "{'to':{'name':'user/a','pid':101},'items':[{'handle':%u}]}", event);
    client_delivered(b);
    assert_int_equal(asked(rig), 0);
    client_refused(a, HBK_R_NOT_FOUND, SEND,
                   "{'to':{'name':'user/a','pid':102},'items':[{'handle':%u}]}", event);
    client_nothing(c);
    client_ok(b, SEND, "{'to':{'name':'user/a','pid':101},'items':[{'handle':%u}]}",
              client_make(b, "Event", 3)); /* itself */
    client_delivered(b);
    rig_end(rig);
}

/* A rule with `send` decides of the own identity too: by pid there is no way around it. */
static void a_rule_keeps_the_own_identity_out(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *a = client_new(rig, 100, 1), *b = client_new(rig, 101, 1);
    uint32_t event = client_make(a, "Event", 3);
    const char *send = "{'to':{'name':'%s','pid':101},'items':[{'handle':%u}]}";
    fake_grant(rig->kernel, "few", 100, 0);
    RIG_RULES(rig, {.name = "user/a*", .send = "few"});
    client_ok(b, OPEN, "{'name':'user/a'}");
    client_refused(a, HBK_R_DENIED, SEND, send, "user/a", event);
    client_refused(a, HBK_R_DENIED, SEND, send, "user/absent",
                   event);                                           /* whether it is open or not */
    client_refused(a, HBK_R_NOT_FOUND, SEND, send, "user/b", event); /* no rule speaks of it */
    assert_int_equal(fake_trace_count(rig->kernel, FAKE_OP_PIN), 0);
    client_nothing(b);
    fake_grant(rig->kernel, "few", 100, HBK_RIGHT_SEND);
    client_ok(a, SEND, send, "user/a", event);
    client_delivered(b);
    rig_end(rig);
}

static void a_rule_lets_it(void **state)
{
    (void)state;
    struct two two = two_new(true);
    fake_grant(two.rig->kernel, "few", 100, HBK_RIGHT_SEND);
    RIG_RULES(two.rig, {.name = "user/a", .send = "few"});
    /* The rule lets the sender; the owner may still open: nothing says otherwise. */
    for (unsigned i = 0; i < 3; ++i) {
        client_ok(two.sender, SEND, TO_A, two.event);
        client_delivered(two.target);
    }
    assert_int_equal(asked(two.rig), 0);
    assert_int_equal(fake_trace_count(two.rig->kernel, FAKE_OP_ACCESS_CHECK), 1);
    client_refused(two.sender, HBK_R_DENIED, SEND,
                   "{'to':{'name':'user/b','pid':200},'items':[{'handle':%u}]}", two.event);
    fake_grant(two.rig->kernel, "few", 100, 0);
    RIG_RULES(two.rig, {.name = "user/a", .send = "few"});
    client_refused(two.sender, HBK_R_DENIED, SEND, TO_A, two.event);
    client_nothing(two.target);
    rig_end(two.rig);
}

/* A process that is not there, one with no such endpoint, one that may not be sent to: one answer. */
static void a_refusal_does_not_tell(void **state)
{
    (void)state;
    struct two two = two_new(true);
    struct client *unproven = client_connect(two.rig, fake_process_start(two.rig->kernel, 300), 3);
    assert_non_null(unproven);
    client_ok(two.target, OPEN, "{'name':'user/from','from':'D:(A;;GA;;;SY)'}");
    const char *rows[] = {
        "{'to':{'name':'user/a','pid':200},'items':[{'handle':%u}]}",
        "{'to':{'name':'user/from','pid':200},'items':[{'handle':%u}]}",
        "{'to':{'name':'user/none','pid':200},'items':[{'handle':%u}]}",
        "{'to':{'name':'user/a','pid':9999},'items':[{'handle':%u}]}",
        "{'to':{'name':'user/a','pid':300},'items':[{'handle':%u}]}",
        "{'to':{'name':'session/a','pid':200},'items':[{'handle':%u}]}",
        "{'to':{'name':'global/none','pid':9999},'items':[{'handle':%u}]}",
        "{'to':{'name':'user/a','pid':200},'items':[{'handle':%u}],'expect':{'pid':200}}",
        "{'to':{'name':'user/a','pid':4},'items':[{'handle':%u}]}",
    };
    char first[1024];
    snprintf(first, sizeof first, "%s",
             client_bytes_told(two.sender, "handle.send", rows[0], two.event));
    assert_non_null(strstr(first, "\"denied\""));
    for (size_t i = 1; i < sizeof rows / sizeof rows[0]; ++i)
        assert_string_equal(first,
                            client_bytes_told(two.sender, "handle.send", rows[i], two.event));
    client_nothing(two.target);
    rig_end(two.rig);
}

/* And one answer with wait_ms, at the same time. */
static void waiting_does_not_tell(void **state)
{
    (void)state;
    struct two two = two_new(true);
    const uint32_t pids[] = {200, 9999};
    char details[2][HBK_DETAIL_BYTES_MAX + 1];
    for (size_t i = 0; i < 2; ++i) {
        uint32_t id = client_request(
            two.sender, SEND,
            "{'to':{'name':'user/a','pid':%u},'items':[{'handle':%u}],'wait_ms':1000}", pids[i],
            two.event);
        rig_run(two.rig);
        rig_advance(two.rig, 999);
        assert_false(client_answered(two.sender, id));
        rig_advance(two.rig, 1);
        snprintf(details[i], sizeof details[i], "%s",
                 client_error(two.sender, id, HBK_R_TIMEOUT)->detail);
    }
    assert_string_equal(details[0], details[1]);
    client_nothing(two.target);
    rig_end(two.rig);
}

static void waits_for_that_process_alone(void **state)
{
    (void)state;
    struct two two = two_new(false);
    struct client *other = client_new(two.rig, 300, 2);
    fake_may_duplicate(two.rig->kernel, 100, 200, true);
    fake_may_duplicate(two.rig->kernel, 100, 300, true);
    uint32_t id = client_request(two.sender, SEND, WAIT_FOR_A, two.event);
    rig_run(two.rig);
    client_ok(other, OPEN, "{'name':'user/a'}");
    client_ok(two.sender, OPEN, "{'name':'user/a'}");
    client_ok(two.target, OPEN, "{'name':'user/b'}");
    assert_false(client_answered(two.sender, id));
    client_nothing(other);
    /* The name is taken in that identity by another process: by name it could be had nowhere else. */
    client_exit(other);
    client_ok(two.target, OPEN, "{'name':'user/a'}");
    client_result(two.sender, id);
    client_delivered(two.target);
    client_nothing(two.sender);
    rig_end(two.rig);
}

/* It opens, and is not allowed: as if it had not opened. */
static void waits_past_what_it_may_not_have(void **state)
{
    (void)state;
    struct two two = two_new(false);
    uint32_t id = client_request(two.sender, SEND, WAIT_FOR_A, two.event);
    rig_run(two.rig);
    client_ok(two.target, OPEN, "{'name':'user/a'}");
    assert_false(client_answered(two.sender, id));
    client_ok(two.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    fake_may_duplicate(two.rig->kernel, 100, 200, true);
    client_ok(two.target, OPEN, "{'name':'user/a','from':'D:(A;;GA;;;SY)'}");
    assert_false(client_answered(two.sender, id));
    client_ok(two.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    client_ok(two.target, OPEN, "{'name':'user/a'}");
    client_result(two.sender, id);
    client_delivered(two.target);
    rig_end(two.rig);
}

static void waits_for_a_process_to_come(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *sender = client_new(rig, 100, 1);
    fake_may_duplicate(rig->kernel, 100, 200, true);
    uint32_t id = client_request(sender, SEND, WAIT_FOR_A, client_make(sender, "Event", 3));
    rig_run(rig);
    struct client *target = client_new(rig, 200, 2);
    assert_false(client_answered(sender, id));
    client_ok(target, OPEN, "{'name':'user/a'}");
    client_result(sender, id);
    client_delivered(target);
    rig_end(rig);
}

/* A pid is another process's once the first has gone with all its sessions. */
static void a_pid_that_is_used_again(void **state)
{
    (void)state;
    struct two two = two_new(true);
    fake_may_duplicate(two.rig->kernel, 100, 200, true);
    client_ok(two.sender, SEND, TO_A, two.event);
    client_delivered(two.target);
    client_exit(two.target);
    client_refused(two.sender, HBK_R_DENIED, SEND, TO_A, two.event);
    fake_may_duplicate(two.rig->kernel, 100, 200, false);
    struct client *again = client_new(two.rig, 200, 3);
    client_ok(again, OPEN, "{'name':'user/a'}");
    client_refused(two.sender, HBK_R_DENIED, SEND, TO_A,
                   two.event); /* what was granted is not its */
    client_nothing(again);
    rig_end(two.rig);
}

/* Both conditions that a sender may add hold here too, and so does what the endpoint takes. */
static void expect_and_types_hold(void **state)
{
    (void)state;
    struct two two = two_new(true);
    fake_may_duplicate(two.rig->kernel, 100, 200, true);
    client_refused(two.sender, HBK_R_NOT_FOUND, SEND,
                   "{'to':{'name':'user/a','pid':200},'items':[{'handle':%u}],"
                   "'expect':{'user':'S-1-5-21-1-2-3-1001'}}",
                   two.event);
    client_refused(two.sender, HBK_R_TYPE_NOT_ALLOWED, SEND, TO_A,
                   client_make(two.sender, "Token", 3));
    client_ok(two.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    client_ok(two.target, OPEN, "{'name':'user/a','types':{'File':'any'}}");
    client_refused(two.sender, HBK_R_ACCESS_NOT_ACCEPTED, SEND, TO_A, two.event);
    client_nothing(two.target);
    client_ok(two.sender, SEND,
              "{'to':{'name':'user/a','pid':200},'items':[{'handle':%u}],"
              "'expect':{'user':'S-1-5-21-1-2-3-1002','pid':200}}",
              client_make(two.sender, "File", 1));
    client_delivered(two.target);
    rig_end(two.rig);
}

/* global/ by {name, pid}: the one of that process, or none. */
static void a_global_name_of_a_process(void **state)
{
    (void)state;
    struct two two = two_new(false);
    struct client *other = client_new(two.rig, 300, 3);
    fake_grant(two.rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    RIG_RULES(two.rig, {.name = "global/*", .open = "all"});
    client_ok(other, OPEN, "{'name':'global/a'}");
    const char *send = "{'to':{'name':'global/a','pid':%u},'items':[{'handle':%u}]}";
    fake_may_duplicate(two.rig->kernel, 100, 200, true);
    client_refused(two.sender, HBK_R_NOT_FOUND, SEND, send, 200, two.event);
    client_refused(two.sender, HBK_R_DENIED, SEND, send, 300, two.event);
    fake_may_duplicate(two.rig->kernel, 100, 300, true);
    client_ok(two.sender, SEND, send, 300, two.event);
    client_delivered(other);
    client_nothing(two.target);
    rig_end(two.rig);
}

/* The order of sends to one address is kept, and one address does not hold up another. */
static void each_address_has_its_lane(void **state)
{
    (void)state;
    struct two two = two_new(false);
    fake_may_duplicate(two.rig->kernel, 100, 200, true);
    client_ok(two.sender, OPEN, "{'name':'user/a'}");
    uint32_t first = client_request(
        two.sender, SEND,
        "{'to':{'name':'user/a','pid':200},'items':[{'handle':%u}],'wait_ms':1000,'data':'1'}",
        two.event);
    uint32_t second = client_request(
        two.sender, SEND,
        "{'to':{'name':'user/a','pid':200},'items':[{'handle':%u}],'wait_ms':1000,'data':'2'}",
        two.event);
    client_ok(two.sender, SEND, "{'to':'user/a','items':[{'handle':%u}]}", two.event);
    client_delivered(two.sender);
    client_ok(two.target, OPEN, "{'name':'user/a'}");
    assert_true(hbk_text_is(client_delivered(two.target)->data, "1"));
    assert_true(hbk_text_is(client_delivered(two.target)->data, "2"));
    client_result(two.sender, first);
    client_result(two.sender, second);
    rig_end(two.rig);
}

static void a_target_that_ends_inside_the_question(void **state)
{
    (void)state;
    struct two two = two_new(true);
    fake_may_duplicate(two.rig->kernel, 100, 200, true);
    fake_exit_at(two.rig->kernel, FAKE_OP_MAY_DUPLICATE, 1, two.target->process, false);
    uint32_t id = client_request(two.sender, SEND, TO_A, two.event);
    rig_run(two.rig);
    client_error(two.sender, id, HBK_R_TARGET_GONE);
    client_hang_up(two.target);
    fake_fail(two.rig->kernel, FAKE_OP_MAY_DUPLICATE, 1, HBK_R_OS_ERROR, 5);
    client_refused(two.sender, HBK_R_DENIED, SEND, TO_A, two.event);
    rig_end(two.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_ground_it_is_denied),
        cmocka_unit_test(who_may_duplicate_may_send),
        cmocka_unit_test(the_own_identity_may_send),
        cmocka_unit_test(a_rule_keeps_the_own_identity_out),
        cmocka_unit_test(a_rule_lets_it),
        cmocka_unit_test(a_refusal_does_not_tell),
        cmocka_unit_test(waiting_does_not_tell),
        cmocka_unit_test(waits_for_that_process_alone),
        cmocka_unit_test(waits_past_what_it_may_not_have),
        cmocka_unit_test(waits_for_a_process_to_come),
        cmocka_unit_test(a_pid_that_is_used_again),
        cmocka_unit_test(expect_and_types_hold),
        cmocka_unit_test(a_global_name_of_a_process),
        cmocka_unit_test(each_address_has_its_lane),
        cmocka_unit_test(a_target_that_ends_inside_the_question),
    };
    return cmocka_run_group_tests_name("core: {name, pid}", tests, NULL, NULL);
}
