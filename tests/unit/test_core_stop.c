/* The whole broker: stop, fairness, deadlines, and the counts that broker.status gives. */
#include "core_pair.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- stop ---- */

static void an_empty_broker_stops_at_once(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    assert_false(hbk_core_stopped(rig->core));
    rig_stop(rig);
    assert_true(hbk_core_stopped(rig->core));
    rig_stop(rig);
    assert_true(hbk_core_stopped(rig->core));
    assert_null(client_connect(rig, fake_process_start(rig->kernel, 100), 1));
    rig_end(rig);
}

static void what_is_not_told_is_answered_stopping(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    struct client *asked = client_new(pair.rig, 102, 1);
    struct client *unproven =
        client_connect(pair.rig, fake_process_start(pair.rig->kernel, 103), 1);
    client_hello(unproven);
    client_ok(asked, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/ask','mode':'ask'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t writing = pair_send(&pair, 2);
    rig_run(pair.rig);
    uint32_t ids[] = {
        pair_send(&pair, 1), /* blocked by that write */
        pair_send(&pair, 1), /* behind that one */
        client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/late','items':[{'handle':%u}],'wait_ms':60000}", event),
        client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/ask','items':[{'handle':%u}],'timeout_ms':60000}", event),
    };
    rig_run(pair.rig);
    client_offered(asked);

    rig_stop(pair.rig);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; ++i)
        client_error(pair.sender, ids[i], HBK_R_STOPPING);
    assert_false(client_answered(pair.sender, writing));
    assert_false(client_ended(pair.sender));
    assert_true(client_ended(asked) && client_ended(unproven));
    assert_int_equal(fake_handles_count(unproven->process), 0);
    assert_false(hbk_core_stopped(pair.rig->core));
    client_write_ends(pair.target, true);
    client_result(pair.sender, writing);
    client_delivered(pair.target);
    assert_int_equal(fake_handles_count(pair.target->process), 2);
    assert_true(hbk_core_stopped(pair.rig->core));
    rig_end(pair.rig);
}

static void an_untold_delivery_is_undone_by_stop(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t id = pair_send(&pair, 2);
    rig_run(pair.rig);
    rig_stop(pair.rig);
    assert_false(client_answered(pair.sender, id));
    client_write_ends(pair.target, false);
    client_error(pair.sender, id, HBK_R_STOPPING);
    assert_int_equal(fake_handles_count(pair.target->process), 0);
    assert_true(hbk_core_stopped(pair.rig->core));
    rig_end(pair.rig);
}

static void who_does_not_read_cannot_hold_up_a_stop(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct pair pair = pair_new(NULL, "{'name':'user/a'}");
        pair.target->connection->write_mode = FAKE_WRITE_PENDS;
        pair_send(&pair, 2);
        rig_run(pair.rig);
        rig_stop(pair.rig);
        rig_advance(pair.rig, pair.rig->config.stop_ms - 1);
        assert_false(hbk_core_stopped(pair.rig->core));
        rig_advance(pair.rig, 1);
        assert_true(pair.target->connection->cancelled);
        assert_false(hbk_core_stopped(pair.rig->core)); /* the write's own end still decides */
        client_write_ends(pair.target, told);
        assert_int_equal(fake_handles_count(pair.target->process), told ? 2 : 0);
        assert_true(hbk_core_stopped(pair.rig->core));
        rig_end(pair.rig);
    }
}

static void a_stop_waits_for_the_last_pin(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    pair.rig->kernel->unpins_pend = true;
    char *params = pair_params(&pair, 3, "File", 1, NULL);
    client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "%s", params);
    free(params);
    rig_stop(pair.rig);
    rig_advance(pair.rig, (uint64_t)10 * pair.rig->config.stop_ms);
    for (int i = 0; i < 3; ++i) {
        assert_false(hbk_core_stopped(pair.rig->core));
        assert_int_equal(hbk_core_pins(pair.rig->core), 3 - i);
        rig_unpin_end(pair.rig, 0);
        rig_run(pair.rig);
    }
    assert_true(hbk_core_stopped(pair.rig->core));
    rig_end(pair.rig);
}

static void nothing_is_heard_after_stop(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    pair.sender->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(pair.sender, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(pair.rig);
    rig_stop(pair.rig);
    fake_trace_clear(pair.rig->kernel);
    const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":77,\"method\":\"broker.status\"}\n";
    hbk_core_bytes(pair.rig->core, pair.sender->session, line, sizeof line - 1);
    rig_run(pair.rig);
    client_write_ends(pair.sender, true);
    assert_int_equal(fake_trace_count(pair.rig->kernel, FAKE_OP_WRITE), 0);
    assert_true(client_ended(pair.sender));
    rig_end(pair.rig);
}

/* Who is not proven yet waits for answers too: to a prove whose proof is being closed, to a hello behind a write. */
static void who_is_not_proven_yet_is_answered_stopping(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *proves = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    struct client *says_hello = client_connect(rig, fake_process_start(rig->kernel, 101), 1);
    assert_true(client_set_event(proves, client_hello(proves)));
    rig->kernel->proofs_pend = true;
    uint32_t prove = client_request(proves, HBK_METHOD_SESSION_PROVE, NULL);
    says_hello->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t early = client_request(says_hello, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(rig);
    uint32_t hello = client_request(says_hello, HBK_METHOD_SESSION_HELLO,
                                    "{'protocol':[1],'client':{'name':'a','version':'1'}}");
    rig_run(rig);
    assert_false(client_answered(proves, prove));
    rig_stop(rig);
    client_error(proves, prove, HBK_R_STOPPING);
    says_hello->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(says_hello, true);
    client_result(says_hello, early);
    client_error(says_hello, hello, HBK_R_STOPPING);
    rig_proof_end(rig, proves);
    assert_true(client_ended(proves) && client_ended(says_hello));
    assert_int_equal(fake_handles_count(proves->process), 0);
    assert_true(hbk_core_stopped(rig->core));
    rig_end(rig);
}

/* ---- fairness ---- */

static void many_sends_of_one_do_not_delay_the_send_of_another(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    struct client *modest = client_new(pair.rig, 102, 1);
    uint32_t event = client_make(modest, "Event", 3);
    for (unsigned i = 0; i < HBK_REQUESTS_PER_SESSION_MAX; ++i)
        pair_send(&pair, 1);
    client_send(modest, "user/a", event);
    fake_trace_clear(pair.rig->kernel);
    rig_run(pair.rig);
    const struct fake_kernel *kernel = pair.rig->kernel;
    size_t modest_pin = fake_trace_find(kernel, FAKE_OP_PIN, modest->connection, 1);
    /* What one takes at a time may come before. */
    assert_true(modest_pin < fake_trace_find(kernel, FAKE_OP_PIN, pair.sender->connection,
                                             HBK_WORK_AHEAD / HBK_WORK_PIN));
    assert_int_equal(fake_trace_count(kernel, FAKE_OP_PLACE), HBK_REQUESTS_PER_SESSION_MAX + 1);
    /* One round of the other's may come before. */
    bool early = false;
    for (int i = 0; i < HBK_WORK_AHEAD / HBK_WORK_PER_PIECE + 1; ++i)
        early |= client_delivered(pair.target)->from.session == modest->session_id;
    assert_true(early);
    client_fail_if_unanswered(pair.sender);
    rig_end(pair.rig);
}

static void a_turn_has_an_end(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    enum { COUNT = 40 };
    struct client *clients[COUNT];
    for (uint32_t i = 0; i < COUNT; ++i)
        clients[i] = client_new(rig, 100 + i, 1);
    for (uint32_t i = 0; i < COUNT; ++i)
        for (uint32_t j = 0; j < 50; ++j)
            client_request(clients[i], HBK_METHOD_BROKER_STATUS, NULL);
    unsigned turns = 1;
    for (; rig_turn(rig); ++turns)
        assert_true(turns < COUNT * 50 * 3);
    assert_true(turns >= COUNT * 50);
    for (uint32_t i = 0; i < COUNT; ++i)
        client_fail_if_unanswered(clients[i]);
    rig_end(rig);
}

/* ---- deadlines ---- */

static void the_next_deadline_is_the_earliest(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    uint64_t now = rig->kernel->now_ms;
    assert_true(hbk_core_deadline_ms(rig->core) == UINT64_MAX);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    assert_true(hbk_core_deadline_ms(rig->core) == now + rig->config.hello_ms);
    client_prove(client);
    assert_true(hbk_core_deadline_ms(rig->core) == UINT64_MAX);
    uint32_t event = client_make(client, "Event", 3);
    const unsigned waits[] = {500, 300, 700, 400};
    for (size_t i = 0; i < 4; ++i)
        client_request(client, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/late%u','items':[{'handle':%u}],'wait_ms':%u}", (unsigned)i,
                       event, waits[i]);
    rig_run(rig);
    assert_true(hbk_core_deadline_ms(rig->core) == now + 300);
    hbk_core_tick(rig->core); /* early: nothing happens */
    rig_run(rig);
    assert_int_equal(fake_pins_held(rig->kernel), 4);
    const unsigned next[] = {400, 500, 700};
    for (size_t i = 0; i < 3; ++i) {
        rig_advance(rig, now + next[i] - 100 - rig->kernel->now_ms);
        assert_true(hbk_core_deadline_ms(rig->core) == now + next[i]);
        assert_int_equal(fake_pins_held(rig->kernel), 3 - i);
    }
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/late2'}");
    client_delivered(client);
    assert_true(hbk_core_deadline_ms(rig->core) == UINT64_MAX);
    rig_end(rig);
}

static void a_late_tick_acts_on_everything_due(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    struct client *silent = client_connect(rig, fake_process_start(rig->kernel, 101), 1);
    uint32_t event = client_make(client, "Event", 3);
    for (unsigned i = 0; i < 20; ++i)
        client_request(client, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/late%u','items':[{'handle':%u}],'wait_ms':%u}", i, event,
                       1000 + i * 7 % 20);
    client_bytes(client, "{", 1);
    rig_run(rig);
    rig->kernel->now_ms += 100000; /* the machine slept */
    unsigned ticks = 0;
    for (; hbk_core_deadline_ms(rig->core) <= rig->kernel->now_ms; ++ticks) {
        assert_true(ticks < 22);
        hbk_core_tick(rig->core);
        rig_run(rig);
    }
    assert_true(ticks >= 22u / HBK_DEADLINES_PER_TURN);
    for (uint32_t id = 3; id < 23; ++id)
        client_error(client, id, HBK_R_TIMEOUT);
    assert_true(client_ended(silent) && client_ended(client));
    assert_int_equal(fake_pins_held(rig->kernel), 0);
    assert_true(hbk_core_deadline_ms(rig->core) == UINT64_MAX);
    rig_end(rig);
}

/* ---- status ---- */

static void status_counts_what_there_is(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.pid = 77;
    struct pair pair = pair_new(&config, "{'name':'user/a'}");
    rig_advance(pair.rig, 4321);
    uint32_t event = client_make(pair.sender, "Event", 3);
    client_connect(pair.rig, fake_process_start(pair.rig->kernel, 102), 2);
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/ask','mode':'ask'}");
    for (int i = 0; i < 3; ++i)
        client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}",
                  event);
    client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/none','items':[{'handle':%u}]}", event);
    client_refused(pair.sender, HBK_R_ACCESS_EXCEEDS_SOURCE, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[{'handle':%u,'access':4}]}", event);
    client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/ask','items':[{'handle':%u},{'handle':%u}]}", event, event);
    client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/late','items':[{'handle':%u}],'wait_ms':5}", event);
    rig_run(pair.rig);
    struct hbk_status_result status = client_status(pair.sender);
    assert_int_equal(status.protocol, 1);
    assert_int_equal(status.pid, 77);
    assert_int_equal(status.uptime_ms, 4321);
    assert_true(hbk_text_is(status.state, "running"));
    assert_true(status.server_name.size > 0 && status.server_version.size > 0);
    assert_int_equal(status.sessions, 3);
    assert_int_equal(status.sessions_proven, 2);
    assert_int_equal(status.endpoints, 2);
    assert_int_equal(status.deliveries_pending, 2);
    assert_int_equal(status.pins, 3);
    assert_int_equal(status.delivered, 3);
    assert_int_equal(status.failed, 2);
    rig_advance(pair.rig, 5);
    client_exit(pair.target);
    status = client_status(pair.sender);
    assert_int_equal(status.sessions, 2);
    assert_int_equal(status.sessions_proven, 1);
    assert_int_equal(status.endpoints, 0);
    assert_int_equal(status.deliveries_pending, 0);
    assert_int_equal(status.pins, 0);
    assert_int_equal(status.delivered, 3);
    assert_int_equal(status.failed, 4);
    rig_end(pair.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_broker_stops_at_once),
        cmocka_unit_test(what_is_not_told_is_answered_stopping),
        cmocka_unit_test(who_is_not_proven_yet_is_answered_stopping),
        cmocka_unit_test(an_untold_delivery_is_undone_by_stop),
        cmocka_unit_test(who_does_not_read_cannot_hold_up_a_stop),
        cmocka_unit_test(a_stop_waits_for_the_last_pin),
        cmocka_unit_test(nothing_is_heard_after_stop),
        cmocka_unit_test(many_sends_of_one_do_not_delay_the_send_of_another),
        cmocka_unit_test(a_turn_has_an_end),
        cmocka_unit_test(the_next_deadline_is_the_earliest),
        cmocka_unit_test(a_late_tick_acts_on_everything_due),
        cmocka_unit_test(status_counts_what_there_is),
    };
    return cmocka_run_group_tests_name("core: the whole", tests, NULL, NULL);
}
