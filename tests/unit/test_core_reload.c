/* Other rules while everything runs: what was granted and what was refused is asked again, what waits is looked
 * at again, and nothing is left behind. */
#include "alloc_fault.h"
#include "core_policy.h"

#include <stdio.h>
#include <string.h>

#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define SEND HBK_METHOD_HANDLE_SEND
#define TO_A "{'to':'global/a','items':[{'handle':%u}]}"

struct two {
    struct rig *rig;
    struct client *sender, *target;
    uint32_t event;
};

/* Whoever is in "open" may open, in "send" send: process 200 and 100. */
static struct two two_new(const char *open)
{
    struct two two = {.rig = rig_new(NULL, 1)};
    two.sender = client_new(two.rig, 100, 1);
    two.target = client_new(two.rig, 200, 2);
    two.event = client_make(two.sender, "Event", 3);
    fake_grant(two.rig->kernel, "open", 200, HBK_RIGHT_OPEN);
    fake_grant(two.rig->kernel, "send", 100, HBK_RIGHT_SEND);
    RIG_RULES(two.rig, {.name = "global/*", .open = "open", .send = "send"});
    if (open)
        client_ok(two.target, OPEN, "%s", open);
    return two;
}

static void reload(struct two *two)
{
    RIG_RULES(two->rig, {.name = "global/*", .open = "open", .send = "send"});
}

static void both_directions(void **state)
{
    (void)state;
    struct two two = two_new("{'name':'global/a'}");
    for (unsigned i = 0; i < 3; ++i) {
        client_ok(two.sender, SEND, TO_A, two.event);
        client_delivered(two.target);
        fake_grant(two.rig->kernel, "send", 100, 0);
        if (i == 0) { /* what a token may do is remembered until the rules are loaded again */
            client_ok(two.sender, SEND, TO_A, two.event);
            client_delivered(two.target);
        }
        reload(&two);
        client_refused(two.sender, HBK_R_DENIED, SEND, TO_A, two.event);
        client_nothing(two.target);
        fake_grant(two.rig->kernel, "send", 100, HBK_RIGHT_SEND);
        reload(&two);
    }
    assert_int_equal(client_status(two.target).endpoints, 1);
    rig_rules_none(two.rig);
    client_refused(two.sender, HBK_R_DENIED, SEND, TO_A, two.event);
    client_refused(two.target, HBK_R_DENIED, OPEN, "{'name':'global/b'}");
    assert_int_equal(fake_descriptors_held(two.rig->kernel), 0);
    client_ok(two.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'global/a'}"); /* it is still its */
    rig_end(two.rig);
}

static void a_from_is_asked_again_and_stays(void **state)
{
    (void)state;
    struct two two = two_new("{'name':'global/a','from':'D:(A;;GA;;;AU)'}");
    client_refused(two.sender, HBK_R_NOT_FOUND, SEND, TO_A, two.event);
    fake_grant(two.rig->kernel, "D:(A;;GA;;;AU)", 0, HBK_RIGHTS_ALL);
    client_ok(two.sender, SEND, TO_A, two.event);
    client_delivered(two.target);
    reload(&two);
    fake_trace_clear(two.rig->kernel);
    client_ok(two.sender, SEND, TO_A, two.event);
    client_delivered(two.target);
    assert_int_equal(fake_trace_count(two.rig->kernel, FAKE_OP_ACCESS_CHECK),
                     3); /* send, from, and open of the owner */
    fake_grant(two.rig->kernel, "D:(A;;GA;;;AU)", 0, 0);
    reload(&two);
    client_refused(two.sender, HBK_R_NOT_FOUND, SEND, TO_A, two.event);
    rig_end(two.rig);
}

/* Who listens and may not any more is as if it were not there, and does not keep the name from who may. */
static void an_owner_that_may_not_open_any_more(void **state)
{
    (void)state;
    struct two two = two_new("{'name':'global/a'}");
    struct client *rightful = client_new(two.rig, 300, 3);
    client_refused(rightful, HBK_R_DENIED, OPEN, "{'name':'global/a'}");
    fake_grant(two.rig->kernel, "open", 200, 0);
    fake_grant(two.rig->kernel, "open", 300, HBK_RIGHT_OPEN);
    reload(&two);
    client_refused(two.sender, HBK_R_NOT_FOUND, SEND, TO_A, two.event);
    client_nothing(two.target);
    client_refused(two.target, HBK_R_DENIED, OPEN, "{'name':'global/a'}");
    assert_int_equal(client_status(two.target).endpoints, 1); /* it stays open, … */
    /* A refused open takes nothing from it. */
    client_refused(rightful, HBK_R_TYPE_NOT_ALLOWED, OPEN,
                   "{'name':'global/a','types':{'Token':'any'}}");
    client_refused(rightful, HBK_R_INVALID_PARAMS, OPEN, "{'name':'global/a','from':'x'}");
    fake_grant(two.rig->kernel, "open", 200, HBK_RIGHT_OPEN);
    reload(&two);
    client_ok(two.sender, SEND, TO_A, two.event); /* … and is there again if it may again */
    client_delivered(two.target);

    fake_grant(two.rig->kernel, "open", 200, 0);
    reload(&two);
    client_ok(rightful, OPEN, "{'name':'global/a'}");
    assert_int_equal(client_status(two.target).endpoints, 1);
    client_ok(two.sender, SEND, TO_A, two.event);
    client_delivered(rightful);
    client_nothing(two.target);
    client_refused(two.target, HBK_R_DENIED, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'global/a'}");
    fake_grant(two.rig->kernel, "open", 200, HBK_RIGHT_OPEN);
    reload(&two);
    client_refused(two.target, HBK_R_EXISTS, OPEN, "{'name':'global/a'}");
    rig_end(two.rig);
}

/* Rules that do not speak of opening any more: outside user/ that is nobody's. */
static void an_owner_without_a_rule(void **state)
{
    (void)state;
    struct two two = two_new("{'name':'global/a'}");
    client_ok(two.target, OPEN, "{'name':'user/a'}");
    fake_grant(two.rig->kernel, "send", 0, HBK_RIGHT_SEND);
    RIG_RULES(two.rig, {.name = "*", .send = "send"});
    client_refused(two.sender, HBK_R_NOT_FOUND, SEND, TO_A, two.event);
    client_nothing(two.target);
    client_ok(two.target, SEND, "{'to':'user/a','items':[{'handle':%u}]}",
              client_make(two.target, "Event", 3));
    client_delivered(two.target);
    rig_end(two.rig);
}

/* What is offered, blocked or waits goes on under the rules of the moment. */
static void an_offer_under_other_rules(void **state)
{
    (void)state;
    for (unsigned allowed = 0; allowed < 2; ++allowed) {
        struct two two = two_new("{'name':'global/a','mode':'ask'}");
        uint32_t id = client_request(two.sender, SEND, TO_A, two.event);
        rig_run(two.rig);
        unsigned long long delivery = client_offered(two.target)->delivery;
        if (!allowed)
            fake_grant(two.rig->kernel, "send", 100, 0);
        reload(&two);
        if (allowed) {
            client_ok(two.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
            client_result(two.sender, id);
        } else {
            uint32_t before = fake_handles_count(two.target->process);
            uint32_t accept = client_request(two.target, HBK_METHOD_DELIVERY_ACCEPT,
                                             "{'delivery':%llu}", delivery);
            rig_run(two.rig);
            client_error(two.target, accept, HBK_R_DENIED);
            client_error(two.sender, id, HBK_R_DENIED);
            assert_int_equal(fake_handles_count(two.target->process), before);
        }
        assert_int_equal(client_status(two.sender).deliveries_pending, 0);
        rig_end(two.rig);
    }
}

static void a_blocked_send_under_other_rules(void **state)
{
    (void)state;
    struct two two = two_new("{'name':'global/a'}");
    two.target->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t first = client_request(two.sender, SEND, TO_A, two.event);
    rig_run(two.rig);
    uint32_t blocked = client_request(two.sender, SEND, TO_A, two.event);
    rig_run(two.rig);
    fake_grant(two.rig->kernel, "send", 100, 0);
    reload(&two);
    two.target->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(two.target, true);
    client_result(two.sender, first); /* was placed and is told: it stays */
    client_delivered(two.target);
    client_error(two.sender, blocked, HBK_R_DENIED);
    client_nothing(two.target);
    rig_end(two.rig);
}

static void what_waits_looks_again(void **state)
{
    (void)state;
    struct two two = two_new("{'name':'global/a'}");
    struct client *late = client_new(two.rig, 300, 3);
    uint32_t event = client_make(late, "Event", 3);
    const char *by_name = "{'to':'global/b','items':[{'handle':%u}],'wait_ms':1000}";
    const char *by_pid =
        "{'to':{'name':'global/a','pid':200},'items':[{'handle':%u}],'wait_ms':1000}";
    uint32_t denied = client_request(two.sender, SEND, by_name, two.event);
    uint32_t allowed = client_request(late, SEND, by_pid, event); /* not yet */
    rig_run(two.rig);
    assert_false(client_answered(two.sender, denied));
    assert_false(client_answered(late, allowed));
    fake_grant(two.rig->kernel, "send", 100, 0);
    fake_grant(two.rig->kernel, "send", 300, HBK_RIGHT_SEND);
    reload(&two);
    client_error(two.sender, denied, HBK_R_DENIED); /* now, not when somebody opens it */
    client_result(late, allowed);
    assert_int_equal(client_delivered(two.target)->from.peer.pid, 300);
    rig_end(two.rig);
}

static void an_owner_that_may_again_is_found(void **state)
{
    (void)state;
    struct two two = two_new("{'name':'global/a'}");
    fake_grant(two.rig->kernel, "open", 200, 0);
    reload(&two);
    uint32_t id = client_request(
        two.sender, SEND, "{'to':'global/a','items':[{'handle':%u}],'wait_ms':1000}", two.event);
    rig_run(two.rig);
    assert_false(client_answered(two.sender, id));
    fake_grant(two.rig->kernel, "open", 200, HBK_RIGHT_OPEN);
    reload(&two);
    client_result(two.sender, id);
    client_delivered(two.target);
    rig_end(two.rig);
}

/* Taken over while sends are on their way to who had it. */
static void taken_over_with_sends_pending(void **state)
{
    (void)state;
    struct two two = two_new("{'name':'global/a','mode':'ask'}");
    struct client *rightful = client_new(two.rig, 300, 3);
    uint32_t id = client_request(two.sender, SEND, TO_A, two.event);
    rig_run(two.rig);
    unsigned long long delivery = client_offered(two.target)->delivery;
    fake_grant(two.rig->kernel, "open", 200, 0);
    fake_grant(two.rig->kernel, "open", 300, HBK_RIGHT_OPEN);
    reload(&two);
    client_ok(rightful, OPEN, "{'name':'global/a'}");
    client_error(two.sender, id, HBK_R_TARGET_GONE);
    client_refused(two.target, HBK_R_NOT_FOUND, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                   delivery);
    client_nothing(rightful);
    rig_end(two.rig);
}

static void rules_come_and_go_without_a_trace(void **state)
{
    (void)state;
    struct two two = two_new(NULL);
    for (unsigned i = 0; i < 20; ++i)
        reload(&two);
    assert_int_equal(fake_descriptors_held(two.rig->kernel), 4); /* open, send, inspect, revoke */
    rig_rules_none(two.rig);
    assert_int_equal(fake_descriptors_held(two.rig->kernel), 0);
    reload(&two);
    rig_end(two.rig); /* and with the broker they go */
}

/* ---- out of memory ---- */

static void ask(struct client *client, enum hbk_method method, const char *params)
{
    if (client && !client_ended(client)) {
        client_request_text(client, method, params);
        rig_run(client->rig);
    }
}

/* What a rule, a `from` and a takeover allocate; any of it may fail. Return: false once none was reached. */
static bool try_failing(size_t first)
{
    char label[64];
    struct two two = two_new(NULL);
    struct client *other = client_new(two.rig, 300, 2);
    snprintf(label, sizeof label, "allocation %zu fails", first);
    two.rig->kernel->label = label;
    fake_grant(two.rig->kernel, "open", 300, HBK_RIGHT_OPEN);
    fake_may_duplicate(two.rig->kernel, 100, 200, true);
    fake_grant(two.rig->kernel, "inspect", 0, HBK_RIGHT_INSPECT);
    two.event = client_make(two.sender, "Event", 3);
    alloc_fault_arm(first);
    ask(two.target, OPEN, "{'name':'global/a','mode':'ask','from':'D:(A;;GA;;;WD)'}");
    ask(two.target, OPEN, "{'name':'user/a','from':'D:(A;;GA;;;WD)'}");
    ask(two.sender, SEND, "{'to':'global/a','items':[{'handle':4}],'wait_ms':10}");
    ask(two.sender, SEND, "{'to':{'name':'user/a','pid':200},'items':[{'handle':4,'access':1}]}");
    ask(two.sender, HBK_METHOD_ENDPOINT_LIST, "{}");
    ask(two.sender, HBK_METHOD_POLICY_EXPLAIN, "{'verb':'send','name':'global/a'}");
    fake_grant(two.rig->kernel, "open", 200, 0);
    reload(&two);
    ask(other, OPEN, "{'name':'global/a','from':'D:(A;;GA;;;SY)'}");
    bool reached = alloc_fault_disarm() > first;
    rig_end(two.rig); /* nothing is left behind, descriptors included */
    return reached;
}

static void out_of_memory_anywhere(void **state)
{
    (void)state;
    if (!alloc_fault_works()) {
        print_message("skipped: this build cannot make allocations fail\n");
        skip();
    }
    size_t first = 0;
    while (try_failing(first))
        ++first;
    assert_true(first > 15);
}

/* Its endpoint is closed with a delivery accepted and @lines unread. Return: the allocation was reached. */
static bool close_without_memory(unsigned lines, size_t first)
{
    struct two two = two_new("{'name':'global/a','mode':'ask'}");
    client_request(two.sender, SEND, TO_A, two.event);
    rig_run(two.rig);
    unsigned long long delivery = client_offered(two.target)->delivery;
    two.target->connection->write_mode = FAKE_WRITE_PENDS;
    for (unsigned i = 0; i <= lines; ++i) {
        client_request(two.target, HBK_METHOD_BROKER_STATUS, NULL);
        rig_run(two.rig);
    }
    client_request(two.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
    rig_run(two.rig);
    alloc_fault_arm(first);
    client_request(two.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'global/a'}");
    rig_run(two.rig);
    bool reached = alloc_fault_disarm() > first;
    rig_end(two.rig);
    return reached;
}

/* The end of whoever listens, in the middle of the end of its endpoint, is one end. */
static void an_owner_that_ends_over_its_close(void **state)
{
    (void)state;
    if (!alloc_fault_works()) {
        print_message("skipped: this build cannot make allocations fail\n");
        skip();
    }
    /* What gathers for it is more each time, so that at some time it is the error to its accept that finds no
     * memory. */
    for (unsigned lines = 0; lines < 24; ++lines)
        for (size_t first = 0; close_without_memory(lines, first);)
            ++first;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions),
        cmocka_unit_test(a_from_is_asked_again_and_stays),
        cmocka_unit_test(an_owner_that_may_not_open_any_more),
        cmocka_unit_test(an_owner_without_a_rule),
        cmocka_unit_test(an_offer_under_other_rules),
        cmocka_unit_test(a_blocked_send_under_other_rules),
        cmocka_unit_test(what_waits_looks_again),
        cmocka_unit_test(an_owner_that_may_again_is_found),
        cmocka_unit_test(taken_over_with_sends_pending),
        cmocka_unit_test(rules_come_and_go_without_a_trace),
        cmocka_unit_test(out_of_memory_anywhere),
        cmocka_unit_test(an_owner_that_ends_over_its_close),
    };
    return cmocka_run_group_tests_name("core: reload", tests, NULL, NULL);
}
