/* wait_ms: endpoints that open late, never, or close again; and the order of sends. */
#include "core_pair.h"

#include <stdlib.h>

static uint32_t wait_send(struct client *client, const char *to, uint32_t handle, unsigned wait_ms)
{
    uint32_t id =
        client_request(client, HBK_METHOD_HANDLE_SEND,
                       "{'to':'%s','items':[{'handle':%u}],'wait_ms':%u}", to, handle, wait_ms);
    rig_run(client->rig);
    return id;
}

/* ---- opened late, or never ---- */

static void an_endpoint_may_open_late(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    uint32_t object = fake_handle_find(pair.sender->process, event)->object;
    uint32_t id = wait_send(pair.sender, "user/late", event, 60000);
    assert_int_equal(fake_pins_held(pair.rig->kernel), 1);
    assert_int_equal(client_status(pair.target).deliveries_pending, 1);

    /* What was checked is what is delivered, whatever the source does to its own handle meanwhile. */
    fake_handle_close(pair.rig->kernel, pair.sender->process, event);
    assert_int_equal(client_make(pair.sender, "Token", 1), event);
    rig_advance(pair.rig, 59999);
    assert_false(client_answered(pair.sender, id));
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/late'}");
    client_result(pair.sender, id);
    const struct hbk_delivered *delivered = client_delivered(pair.target);
    assert_true(fake_handle_is(pair.target->process, delivered->items[0].handle, object));
    assert_true(hbk_text_is(delivered->endpoint, "user/late"));
    rig_advance(pair.rig, 100000);
    client_nothing(pair.sender);
    rig_end(pair.rig);
}

static void an_endpoint_that_never_opens_is_a_timeout(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    uint64_t before = fake_hash(pair.rig->kernel);
    uint32_t long_one = wait_send(pair.sender, "user/late", event, 60000);
    uint32_t short_one =
        wait_send(pair.target, "user/late", client_make(pair.target, "Event", 3), 1);
    rig_advance(pair.rig, 1);
    client_error(pair.target, short_one, HBK_R_TIMEOUT);
    rig_advance(pair.rig, 59998);
    assert_false(client_answered(pair.sender, long_one));
    rig_advance(pair.rig, 1);
    client_error(pair.sender, long_one, HBK_R_TIMEOUT);
    fake_handle_close(pair.rig->kernel, pair.target->process, 4);
    assert_true(before == fake_hash(pair.rig->kernel));
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/late'}");
    client_nothing(pair.target);
    rig_end(pair.rig);
}

static void without_waiting_no_endpoint_is_not_found(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/late','items':[{'handle':%u}]}", event);
    client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/late','items':[{'handle':%u}],'wait_ms':0}", event);
    const char *bad[] = {"-1", "60001", "'1'", "null", "4294967296"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        client_refused(pair.sender, HBK_R_INVALID_PARAMS, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/a','items':[{'handle':%u}],'wait_ms':%s}", event, bad[i]);
        client_refused(pair.sender, HBK_R_INVALID_PARAMS, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/a','items':[{'handle':%u}],'timeout_ms':%s}", event, bad[i]);
    }
    client_nothing(pair.target);
    rig_end(pair.rig);
}

static void bad_items_are_refused_before_any_waiting(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t process = client_make(pair.sender, "Process", 0x1FFFFF);
    client_refused(pair.sender, HBK_R_TYPE_NOT_ALLOWED, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/late','items':[{'handle':%u}],'wait_ms':1000}", process);
    client_refused(pair.sender, HBK_R_BAD_HANDLE, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/late','items':[{'handle':4000}],'wait_ms':1000}");
    rig_end(pair.rig);
}

/* ---- opened, but not for this send ---- */

static void an_endpoint_of_another_identity_is_not_meant(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    struct client *other = client_new(pair.rig, 102, 2);
    uint32_t id = wait_send(pair.sender, "user/late", client_make(pair.sender, "Event", 3), 1000);
    client_ok(other, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/late'}");
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/later'}");
    assert_false(client_answered(pair.sender, id));
    client_nothing(other);
    rig_advance(pair.rig, 1000);
    client_error(pair.sender, id, HBK_R_TIMEOUT);
    rig_end(pair.rig);
}

static void an_endpoint_that_is_not_the_expected_one_is_waited_out(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}"); /* of pid 101 */
    struct client *expected = client_new(pair.rig, 102, 1);
    uint32_t event = client_make(pair.sender, "Event", 3);
    uint32_t ids[2];
    for (size_t i = 0; i < 2; ++i)
        ids[i] = client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                                "{'to':'user/a','items':[{'handle':%u}],'wait_ms':1000,'expect':{"
                                "'pid':%u}}",
                                event, i ? 103 : 102);
    rig_run(pair.rig);
    client_nothing(pair.target);
    client_ok(pair.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    client_ok(expected, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_result(pair.sender, ids[0]);
    client_delivered(expected);
    client_nothing(expected);
    rig_advance(pair.rig, 1000);
    client_error(pair.sender, ids[1], HBK_R_TIMEOUT);
    rig_end(pair.rig);
}

static void what_a_late_endpoint_does_not_take_is_refused(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    uint64_t before = fake_hash(pair.rig->kernel);
    uint32_t first = wait_send(pair.sender, "user/late", event, 1000);
    uint32_t second = client_request(
        pair.sender, HBK_METHOD_HANDLE_SEND,
        "{'to':'user/late','items':[{'handle':%u,'access':1}],'wait_ms':1000}", event);
    rig_run(pair.rig);
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/late','types':{'Event':1}}");
    client_error(pair.sender, first, HBK_R_ACCESS_NOT_ACCEPTED);
    client_result(pair.sender, second);
    fake_handle_close(pair.rig->kernel, pair.target->process,
                      client_delivered(pair.target)->items[0].handle);
    client_nothing(pair.target);
    assert_true(before == fake_hash(pair.rig->kernel));
    rig_end(pair.rig);
}

static void closed_and_opened_again(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    /* Blocked at the endpoint when it closes: that one is lost; the one that waits for the name is not. */
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(pair.target, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(pair.rig);
    uint32_t blocked = wait_send(pair.sender, "user/a", event, 1000);
    uint32_t behind = wait_send(pair.sender, "user/a", event, 1000);
    client_request(pair.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    rig_run(pair.rig);
    client_error(pair.sender, blocked, HBK_R_TARGET_GONE);
    assert_false(client_answered(pair.sender, behind));
    pair.target->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(pair.target, true);
    rig_advance(pair.rig, 500);
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_result(pair.sender, behind);
    client_delivered(pair.target);
    rig_end(pair.rig);
}

static void a_sender_that_ends_waits_no_longer(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    wait_send(pair.sender, "user/late", client_make(pair.sender, "Event", 3), 60000);
    client_exit(pair.sender);
    assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
    assert_int_equal(client_status(pair.target).deliveries_pending, 0);
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/late'}");
    client_nothing(pair.target);
    rig_advance(pair.rig, 60000);
    rig_end(pair.rig);
}

/* ---- order ---- */

static void sends_to_one_name_arrive_in_order(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    enum { COUNT = 20 };
    uint32_t event = client_make(pair.sender, "Event", 3);
    for (unsigned i = 0; i < COUNT; ++i)
        client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/late','items':[{'handle':%u}],'wait_ms':%u,'data':'%c'}", event,
                       1000 + i % 3, 'a' + (int)i);
    rig_run(pair.rig);
    pair.target->connection->write_mode = FAKE_WRITE_PENDS; /* and blocks of them wait again */
    uint32_t open = client_request(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/late'}");
    rig_run(pair.rig);
    for (unsigned i = 0; pair.target->connection->pending; ++i) {
        assert_true(i < 100);
        client_write_ends(pair.target, true);
    }
    client_result(pair.target, open);
    for (unsigned i = 0; i < COUNT; ++i)
        assert_int_equal(client_delivered(pair.target)->data.data[0], 'a' + (int)i);
    client_nothing(pair.target);
    client_fail_if_unanswered(pair.sender);
    rig_end(pair.rig);
}

static void a_waiting_send_holds_back_its_own_kind_alone(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    struct client *other = client_new(pair.rig, 102, 1);
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/b'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    uint32_t first = client_request(
        pair.sender, HBK_METHOD_HANDLE_SEND,
        "{'to':'user/a','items':[{'handle':%u}],'wait_ms':1000,'expect':{'pid':9999}}", event);
    rig_run(pair.rig);
    uint32_t held[] = {wait_send(pair.sender, "user/a", event, 5000),
                       wait_send(pair.sender, "user/a", event, 0)};
    uint32_t elsewhere = client_send(pair.sender, "user/b", event);
    uint32_t others = client_send(other, "user/a", client_make(other, "Event", 3));
    rig_run(pair.rig);
    client_result(pair.sender, elsewhere);
    client_result(other, others);
    client_delivered(pair.target);
    client_delivered(pair.target);
    client_nothing(pair.target);
    assert_false(client_answered(pair.sender, held[0]) || client_answered(pair.sender, held[1]));
    /* Until its own deadline, and no longer. */
    rig_advance(pair.rig, 999);
    assert_false(client_answered(pair.sender, first));
    rig_advance(pair.rig, 1);
    client_error(pair.sender, first, HBK_R_TIMEOUT);
    client_result(pair.sender, held[0]);
    client_result(pair.sender, held[1]);
    rig_end(pair.rig);
}

static void a_held_send_has_its_own_deadline(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    uint32_t first = wait_send(pair.sender, "user/late", event, 3000);
    uint32_t second = wait_send(pair.sender, "user/late", event, 1000);
    uint32_t third = wait_send(pair.sender, "user/late", event, 2000);
    rig_advance(pair.rig, 1000);
    client_error(pair.sender, second, HBK_R_TIMEOUT);
    rig_advance(pair.rig, 500);
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/late'}");
    uint64_t delivery = client_delivered(pair.target)->delivery;
    assert_int_equal(client_result(pair.sender, first)->u.result.send.delivery, delivery);
    client_result(pair.sender, third);
    client_delivered(pair.target);
    rig_end(pair.rig);
}

/* ---- limits ---- */

static void what_waits_at_an_endpoint_is_limited(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.pending_per_endpoint = 5; /* of which one user may have three */
    struct pair pair = pair_new(&config, "{'name':'user/a','mode':'ask'}");
    struct client *other = client_new(pair.rig, 102, 1);
    uint32_t event = client_make(other, "Event", 3);
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/b','mode':'ask'}");
    for (int i = 0; i < 3; ++i)
        pair_send(&pair, 1);
    rig_run(pair.rig);
    client_refused(other, HBK_R_BUSY, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[{'handle':%u}]}", event);
    client_send(other, "user/b", event);
    rig_run(pair.rig);
    assert_int_equal(client_status(other).deliveries_pending, 4);
    client_ok(pair.target, HBK_METHOD_DELIVERY_REJECT, "{'delivery':%llu}",
              (unsigned long long)client_offered(pair.target)->delivery);
    client_send(other, "user/a", event);
    rig_run(pair.rig);
    assert_int_equal(client_status(other).deliveries_pending, 4);
    rig_end(pair.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_may_open_late),
        cmocka_unit_test(an_endpoint_that_never_opens_is_a_timeout),
        cmocka_unit_test(without_waiting_no_endpoint_is_not_found),
        cmocka_unit_test(bad_items_are_refused_before_any_waiting),
        cmocka_unit_test(an_endpoint_of_another_identity_is_not_meant),
        cmocka_unit_test(an_endpoint_that_is_not_the_expected_one_is_waited_out),
        cmocka_unit_test(what_a_late_endpoint_does_not_take_is_refused),
        cmocka_unit_test(closed_and_opened_again),
        cmocka_unit_test(a_sender_that_ends_waits_no_longer),
        cmocka_unit_test(sends_to_one_name_arrive_in_order),
        cmocka_unit_test(a_waiting_send_holds_back_its_own_kind_alone),
        cmocka_unit_test(a_held_send_has_its_own_deadline),
        cmocka_unit_test(what_waits_at_an_endpoint_is_limited),
    };
    return cmocka_run_group_tests_name("core: waiting and order", tests, NULL, NULL);
}
