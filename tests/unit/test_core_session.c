/* Sessions: hello, proof, their deadlines and limits, and how they end. */
#include "core_rig.h"

#include <string.h>

#define HELLO "{'protocol':[1],'client':{'name':'test','version':'1'}}"

/* ---- hello and prove ---- */

static struct client *proving(struct rig *rig, uint32_t *ret_prove)
{
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    rig->kernel->proofs_pend = true;
    assert_true(client_set_event(client, client_hello(client)));
    *ret_prove = client_request(client, HBK_METHOD_SESSION_PROVE, NULL);
    return client;
}

/* What the client sent after it waits for that, and is not refused for coming too early. */
static void prove_waits_for_the_end_of_its_proof(void **state)
{
    (void)state;
    uint32_t prove;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = proving(rig, &prove);
    uint32_t list = client_request(client, HBK_METHOD_ENDPOINT_LIST, NULL);
    rig_run(rig);
    assert_false(client_answered(client, prove) || client_answered(client, list));
    assert_int_equal(fake_handles_count(client->process), 1);
    rig_proof_end(rig, client);
    client_result(client, prove);
    client_result(client, list);
    assert_int_equal(fake_handles_count(client->process), 0);
    assert_int_equal(client_status(client).sessions_proven, 1);
    rig_end(rig);
}

static void a_proof_that_never_ends_proves_nothing(void **state)
{
    (void)state;
    uint32_t prove;
    struct rig *rig = rig_new(NULL, 1);
    struct client *observer = client_new(rig, 99, 1);
    struct client *client = proving(rig, &prove);
    rig_advance(rig, rig->config.hello_ms);
    assert_true(client_ended(client));
    assert_false(client_answered(client, prove));
    client_null_error(client, HBK_R_TIMEOUT);
    rig_proof_end(rig, client);
    assert_int_equal(client_status(observer).sessions_proven, 1);
    assert_int_equal(client_status(observer).sessions, 1);
    rig_end(rig);
}

/* Nor does one that ends when the session is being let go, with a write that still pends; nor an end that nobody waits
 * for. */
static void a_proof_that_ends_too_late_proves_nothing(void **state)
{
    (void)state;
    uint32_t prove;
    struct hbk_config config;
    hbk_config_default(&config);
    config.hello_ms = 1000;
    struct rig *rig = rig_new(&config, 1);
    struct client *observer = client_new(rig, 99, 1);
    struct client *client = proving(rig, &prove);
    client->connection->write_mode = FAKE_WRITE_PENDS;
    rig_run(rig);
    rig_advance(rig, config.hello_ms);
    assert_false(client_ended(client));
    rig_proof_end(rig, client);
    assert_int_equal(client_status(observer).sessions_proven, 1);
    client_write_ends(client, true);
    assert_true(client_ended(client));
    assert_false(client_answered(client, prove));
    client_null_error(client, HBK_R_TIMEOUT);
    hbk_core_proof_closed(rig->core, observer->session);
    rig_run(rig);
    client_nothing(observer);
    assert_int_equal(client_status(observer).sessions_proven, 1);
    rig_end(rig);
}

static void who_leaves_while_its_proof_ends_leaves_nothing(void **state)
{
    (void)state;
    uint32_t prove;
    struct rig *rig = rig_new(NULL, 1);
    struct client *observer = client_new(rig, 99, 1);
    struct client *client = proving(rig, &prove);
    rig_run(rig);
    client_exit(client);
    assert_int_equal(client_status(observer).sessions, 1);
    rig_proof_end(rig, client);
    assert_int_equal(client_status(observer).sessions_proven, 1);
    rig_end(rig);
}

static void hello_says_who_the_client_is(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 4242), 7);
    const struct hbk_hello_result *hello =
        &client_ok(client, HBK_METHOD_SESSION_HELLO, HELLO)->u.result.hello;
    assert_int_equal(hello->protocol, 1);
    assert_true(hello->session > 0);
    assert_int_equal(hello->peer.pid, 4242);
    assert_true(hbk_text_is(hello->peer.user, "S-1-5-21-1-2-3-1007"));
    assert_int_equal(hello->peer.logon_session, 0x1007);
    assert_int_equal(hello->peer.integrity, 0x2000);
    assert_int_equal(hello->limits.line_bytes, HBK_LINE_BYTES_MAX);
    assert_int_equal(hello->limits.items, HBK_ITEMS_MAX);
    assert_int_equal(hello->limits.data_bytes, HBK_DATA_BYTES_MAX);
    assert_int_equal(hello->limits.name_bytes, HBK_NAME_BYTES_MAX);
    assert_int_equal(hello->limits.requests, rig->config.requests_per_session);
    assert_int_equal(hello->limits.sessions_per_user, rig->config.sessions_per_user);
    assert_int_equal(hello->limits.endpoints, rig->config.endpoints_per_session);
    assert_int_equal(hello->limits.pins, rig->config.pins_per_session);
    assert_int_equal(hello->limits.pending, rig->config.pending_per_endpoint);
    assert_int_equal(hello->limits.hello_ms, rig->config.hello_ms);
    assert_int_equal(hello->limits.line_ms, rig->config.line_ms);
    assert_int_equal(hello->limits.write_ms, rig->config.write_ms);
    assert_int_equal(hello->limits.write_queue_bytes, rig->config.write_queue_bytes);
    rig_end(rig);
}

static void proof_is_one_event_that_goes_again(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    uint32_t proof = client_hello(client);
    const struct fake_slot *slot = fake_handle_find(client->process, proof);
    assert_non_null(slot);
    assert_int_equal(slot->access, 0x2);
    assert_int_equal(fake_handles_count(client->process), 1);
    assert_int_equal(client_status(client).sessions_proven, 0);
    assert_true(client_set_event(client, proof));
    client_ok(client, HBK_METHOD_SESSION_PROVE, NULL);
    assert_int_equal(fake_handles_count(client->process), 0);
    assert_int_equal(client_status(client).sessions_proven, 1);
    assert_int_equal(client_status(client).sessions, 1);
    rig_end(rig);
}

struct asked {
    enum hbk_method method;
    const char *params;
};

static const struct asked needs_proof[] = {
    {HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}"},
    {HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}"},
    {HBK_METHOD_ENDPOINT_LIST, "{}"},
    {HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':4}]}"},
    {HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':1}"},
    {HBK_METHOD_DELIVERY_REJECT, "{'delivery':1}"},
    /* proof comes before the look at params */
    {HBK_METHOD_ENDPOINT_OPEN, "{'nonsense':1}"},
    {HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':-1}]}"},
    {HBK_METHOD_HANDLE_SEND, NULL},
};

static void nothing_but_status_before_proof(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *target = client_new(rig, 100, 1);
    client_ok(target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 101), 1);
    client_make(client, "Event", 3);
    for (int hello = 0; hello < 2; ++hello) {
        for (size_t i = 0; i < sizeof needs_proof / sizeof needs_proof[0]; ++i)
            client_refused(client, HBK_R_NOT_PROVEN, needs_proof[i].method, needs_proof[i].params);
        assert_int_equal(client_status(client).sessions_proven, 1);
        assert_int_equal(client_status(client).endpoints, 1);
        assert_false(client_ended(client));
        if (!hello)
            client_hello(client);
    }
    client_nothing(target);
    client_fail_if_unanswered(client);
    rig_end(rig);
}

static void prove_before_hello_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    client_refused(client, HBK_R_NOT_PROVEN, HBK_METHOD_SESSION_PROVE, NULL);
    assert_int_equal(client_status(client).sessions_proven, 0);
    rig_end(rig);
}

/* Each connection proves for itself: the event of another one, even of the same process, is not its own. */
static void each_session_has_its_own_proof(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct fake_process *process = fake_process_start(rig->kernel, 100);
    struct client *first = client_connect(rig, process, 1);
    struct client *second = client_connect(rig, process, 1);
    uint32_t proof = client_hello(first);
    assert_true(client_hello(second) != proof);
    assert_true(first->session_id != second->session_id);
    assert_true(client_set_event(first, proof));
    client_ok(first, HBK_METHOD_SESSION_PROVE, NULL);
    uint32_t id = client_request(second, HBK_METHOD_SESSION_PROVE, NULL);
    rig_run(rig);
    client_error(second, id, HBK_R_NOT_PROVEN);
    assert_int_equal(client_status(first).sessions_proven, 1);
    rig_end(rig);
}

/* Who can't set the event does not hold the process: the proof is withdrawn, and nothing opens up. */
static void prove_before_the_event_is_set_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *observer = client_new(rig, 99, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    client_hello(client);
    uint32_t id = client_request(client, HBK_METHOD_SESSION_PROVE, NULL);
    rig_run(rig);
    client_error(client, id, HBK_R_NOT_PROVEN);
    assert_int_equal(fake_handles_count(client->process), 0);
    assert_int_equal(client_status(observer).sessions_proven, 1);
    if (!client_ended(client))
        client_refused(client, HBK_R_NOT_PROVEN, HBK_METHOD_ENDPOINT_LIST, NULL);
    rig_end(rig);
}

static void hello_twice_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    uint32_t proof = client_hello(client);
    client_refused(client, HBK_R_INVALID_REQUEST, HBK_METHOD_SESSION_HELLO, HELLO);
    assert_true(client_set_event(client, proof));
    client_ok(client, HBK_METHOD_SESSION_PROVE, NULL);
    client_refused(client, HBK_R_INVALID_REQUEST, HBK_METHOD_SESSION_HELLO, HELLO);
    client_refused(client, HBK_R_INVALID_REQUEST, HBK_METHOD_SESSION_PROVE, NULL);
    assert_int_equal(client_status(client).sessions_proven, 1);
    client_ok(client, HBK_METHOD_ENDPOINT_LIST, NULL);
    rig_end(rig);
}

static void a_protocol_that_nobody_speaks_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    client_refused(client, HBK_R_INVALID_PARAMS, HBK_METHOD_SESSION_HELLO,
                   "{'protocol':[2,3],'client':{'name':'test','version':'1'}}");
    assert_int_equal(fake_handles_count(client->process), 0);

    struct client *other = client_connect(rig, fake_process_start(rig->kernel, 101), 1);
    const struct hbk_message *answer =
        client_ok(other, HBK_METHOD_SESSION_HELLO,
                  "{'protocol':[3,1,2],'client':{'name':'test','version':'1'}}");
    assert_int_equal(answer->u.result.hello.protocol, 1);
    rig_end(rig);
}

/* ---- the proof when things go wrong ---- */

static void proof_that_cannot_be_placed_fails_hello(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    fake_fail(rig->kernel, FAKE_OP_PROOF_OPEN, 1, HBK_R_OS_ERROR, 1450);
    uint32_t id = client_request(client, HBK_METHOD_SESSION_HELLO, HELLO);
    rig_run(rig);
    assert_int_equal(client_error(client, id, HBK_R_OS_ERROR)->win32, 1450);
    assert_int_equal(fake_handles_count(client->process), 0);
    rig_end(rig);
}

static void proof_goes_with_an_untold_hello(void **state)
{
    (void)state;
    for (int cancelled = 0; cancelled < 2; ++cancelled) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
        client->connection->write_mode = cancelled ? FAKE_WRITE_PENDS : FAKE_WRITE_FAILS;
        client_request(client, HBK_METHOD_SESSION_HELLO, HELLO);
        rig_run(rig);
        if (cancelled) {
            assert_int_equal(fake_handles_count(client->process), 1);
            client_write_ends(client, false);
        }
        assert_int_equal(fake_handles_count(client->process), 0);
        assert_true(client_ended(client));
        rig_end(rig);
    }
}

/* Nothing is placed for a session while a write of its is pending: that holds for the proof too. */
static void hello_waits_for_a_pending_write(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    client->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(rig);
    uint32_t id = client_request(client, HBK_METHOD_SESSION_HELLO, HELLO);
    rig_run(rig);
    assert_int_equal(fake_handles_count(client->process), 0);
    uint32_t again = client_request(client, HBK_METHOD_SESSION_HELLO, HELLO);
    rig_run(rig);
    client->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(client, true);
    client_error(client, again, HBK_R_INVALID_REQUEST);
    uint32_t proof = client_result(client, id)->u.result.hello.proof;
    assert_true(client_set_event(client, proof));
    client_ok(client, HBK_METHOD_SESSION_PROVE, NULL);
    rig_end(rig);
}

static void proof_goes_when_the_client_hangs_up(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    client_hello(client);
    client_hang_up(client);
    assert_int_equal(fake_handles_count(client->process), 0);
    assert_true(client->connection->released);
    rig_end(rig);
}

/* The client closes the event that it should leave open, and the value is reused: not ours to close. */
static void proof_value_reused_by_the_client_stays(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    uint32_t proof = client_hello(client);
    assert_true(client_set_event(client, proof));
    fake_handle_close(rig->kernel, client->process, proof);
    assert_int_equal(client_make(client, "Mutant", 1), proof);
    client_ok(client, HBK_METHOD_SESSION_PROVE, NULL);
    assert_non_null(fake_handle_find(client->process, proof));
    rig_end(rig);
}

/* ---- deadlines ---- */

static void silence_ends_at_the_hello_deadline(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *proven = client_new(rig, 99, 1);
    struct client *silent = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    struct client *half = client_connect(rig, fake_process_start(rig->kernel, 101), 1);
    client_hello(half);
    rig_advance(rig, rig->config.hello_ms - 1);
    assert_false(client_ended(silent) || client_ended(half));
    assert_int_equal(fake_handles_count(half->process), 1);
    rig_advance(rig, 1);
    assert_true(client_ended(silent) && client_ended(half));
    client_null_error(silent, HBK_R_TIMEOUT);
    client_null_error(half, HBK_R_TIMEOUT);
    assert_int_equal(fake_handles_count(half->process), 0);
    rig_advance(rig, (uint64_t)10 * rig->config.hello_ms);
    assert_int_equal(client_status(proven).sessions, 1);
    rig_end(rig);
}

/* ---- limits ---- */

static void sessions_of_one_user_are_limited(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.sessions_per_user = 2;
    struct rig *rig = rig_new(&config, 1);
    struct client *first = client_new(rig, 100, 1);
    client_new(rig, 101, 1);
    struct client *refused = client_connect(rig, fake_process_start(rig->kernel, 102), 1);
    assert_non_null(refused);
    assert_string_equal(client_null_error(refused, HBK_R_QUOTA)->limit, "sessions_per_user");
    client_nothing(refused);
    assert_true(client_ended(refused));
    assert_int_equal(client_status(first).sessions_proven, 2);

    client_new(rig, 103, 2);
    client_hang_up(first);
    client_new(rig, 104, 1);
    rig_end(rig);
}

/* A file whose close hangs keeps its sender's session; who leaves such behind may not come back for more
 * and more, until nobody else finds a place. */
static void what_is_still_being_closed_counts_for_its_user(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.sessions_per_user = 2;
    config.sessions = 4;
    struct rig *rig = rig_new(&config, 1);
    rig->kernel->unpins_pend = true;
    for (uint32_t i = 0; i < 2; ++i) {
        struct client *client = client_new(rig, 100 + i, 1);
        client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
        client_send(client, "user/a", client_make(client, "File", 1));
        rig_run(rig);
        client_exit(client);
        assert_false(client->connection->released);
    }
    struct client *third = client_connect(rig, fake_process_start(rig->kernel, 102), 1);
    assert_non_null(third);
    assert_string_equal(client_null_error(third, HBK_R_QUOTA)->limit, "sessions_per_user");
    client_new(rig, 103, 2);
    rig_unpins_end(rig);
    client_new(rig, 104, 1);
    rig_end(rig);
}

static void sessions_are_limited(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.sessions = 2;
    struct rig *rig = rig_new(&config, 1);
    struct client *first = client_new(rig, 100, 1);
    client_new(rig, 101, 2);
    assert_null(client_connect(rig, fake_process_start(rig->kernel, 102), 3));
    assert_int_equal(client_status(first).sessions, 2);
    client_hang_up(first);
    client_new(rig, 103, 3);
    rig_end(rig);
}

/* ---- the end ---- */

static void events_of_an_ended_session_are_ignored(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    uint64_t ended = client->session;
    client_hang_up(client);
    for (int i = 0; i < 3; ++i) {
        hbk_core_session_closed(rig->core, ended);
        hbk_core_bytes(rig->core, ended, "{}\n", 3);
        hbk_core_bytes(rig->core, ended + 12345, "{}\n", 3);
        hbk_core_session_closed(rig->core, 0);
        rig_run(rig);
        /* The next session may live in the same place; it must not be meant. */
        struct client *next = client_new(rig, 200 + (uint32_t)i, 1);
        assert_true(next->session != ended);
        client_nothing(next);
        assert_int_equal(client_status(next).sessions, (uint32_t)i + 1);
    }
    rig_end(rig);
}

static void a_reused_pid_is_another_process(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *sender = client_new(rig, 99, 1);
    uint32_t event = client_make(sender, "Event", 3);
    for (int i = 0; i < 3; ++i) {
        struct client *client = client_new(rig, 100, 1);
        client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
        uint32_t id = client_send(sender, "user/a", event);
        rig_run(rig);
        client_result(sender, id);
        assert_int_equal(client_delivered(client)->endpoint.size, 6);
        assert_int_equal(fake_handles_count(client->process), 1);
        client_exit(client);
        assert_true(client->connection->released);
        client_refused(sender, HBK_R_NOT_FOUND, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/a','items':[{'handle':%u}]}", event);
    }
    rig_end(rig);
}

static void a_pending_write_outlives_its_closed_session(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *client = client_new(rig, 100, 1);
        client->connection->write_mode = FAKE_WRITE_PENDS;
        client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
        rig_run(rig);
        assert_non_null(client->connection->pending);
        client_hang_up(client);
        assert_true(client_ended(client));
        assert_false(client->connection->released);
        client_write_ends(client, told);
        assert_true(client->connection->released);
        rig_end(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_says_who_the_client_is),
        cmocka_unit_test(proof_is_one_event_that_goes_again),
        cmocka_unit_test(nothing_but_status_before_proof),
        cmocka_unit_test(prove_waits_for_the_end_of_its_proof),
        cmocka_unit_test(a_proof_that_never_ends_proves_nothing),
        cmocka_unit_test(a_proof_that_ends_too_late_proves_nothing),
        cmocka_unit_test(who_leaves_while_its_proof_ends_leaves_nothing),
        cmocka_unit_test(prove_before_hello_is_refused),
        cmocka_unit_test(prove_before_the_event_is_set_is_refused),
        cmocka_unit_test(each_session_has_its_own_proof),
        cmocka_unit_test(hello_twice_is_refused),
        cmocka_unit_test(a_protocol_that_nobody_speaks_is_refused),
        cmocka_unit_test(proof_that_cannot_be_placed_fails_hello),
        cmocka_unit_test(proof_goes_with_an_untold_hello),
        cmocka_unit_test(hello_waits_for_a_pending_write),
        cmocka_unit_test(proof_goes_when_the_client_hangs_up),
        cmocka_unit_test(proof_value_reused_by_the_client_stays),
        cmocka_unit_test(silence_ends_at_the_hello_deadline),
        cmocka_unit_test(sessions_of_one_user_are_limited),
        cmocka_unit_test(what_is_still_being_closed_counts_for_its_user),
        cmocka_unit_test(sessions_are_limited),
        cmocka_unit_test(events_of_an_ended_session_are_ignored),
        cmocka_unit_test(a_reused_pid_is_another_process),
        cmocka_unit_test(a_pending_write_outlives_its_closed_session),
    };
    return cmocka_run_group_tests_name("core: sessions", tests, NULL, NULL);
}
