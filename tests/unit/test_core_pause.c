/* The broker paused: nothing new is begun, what is under way comes to its end, all else is answered. */
#include "core_log.h"
#include "core_pair.h"
#include "core_share.h"
#include "core_store.h"

#include <string.h>

static void says_paused(const struct hbk_error *error)
{
    assert_non_null(strstr(error->detail, "paused"));
}

static void set_paused(struct rig *rig, bool paused)
{
    hbk_core_pause(rig->core, paused);
    rig_run(rig);
}

/* ---- what is begun ---- */

static void no_hand_off_is_begun_until_it_goes_on(void **state)
{
    (void)state;
    struct share share = share_new(NULL);
    client_ok(share.b, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    uint32_t event = client_make(share.a, "Event", 3);
    store_put(share.a, "user/kept", "");
    share_let_all(&share, (const uint32_t[]){100, 101}, 2);
    set_paused(share.rig, true);
    const struct {
        enum hbk_method method;
        const char *params;
    } begins[] = {
        {HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}"},
        {HBK_METHOD_HANDLE_SEND, "{'to':'user/late','items':[{'handle':%u}],'wait_ms':60000}"},
        {HBK_METHOD_HANDLE_TRANSFER, "{'source':{'pid':100},'handle':%u,'target':{'pid':101}}"},
        {HBK_METHOD_STORE_PUT, "{'name':'user/more','handle':%u}"},
        {HBK_METHOD_STORE_GET, "{'name':'user/kept','access':%u}"},
    };
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; ++i)
        says_paused(client_refused(share.a, HBK_R_BUSY, begins[i].method, begins[i].params,
                                   begins[i].method == HBK_METHOD_STORE_GET ? 2u : event));
    client_nothing(share.b);
    struct hbk_status_result status = client_status(share.a);
    assert_int_equal(status.failed, 4);
    assert_int_equal(status.delivered, 0);
    assert_int_equal(status.stored, 1);
    assert_int_equal(status.deliveries_pending, 0);
    set_paused(share.rig, false);
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; ++i)
        if (i != 1)
            client_ok(share.a, begins[i].method, begins[i].params,
                      begins[i].method == HBK_METHOD_STORE_GET ? 2u : event);
    client_delivered(share.b); /* the send, and the transfer */
    client_delivered(share.b);
    client_nothing(share.b);
    assert_int_equal(client_status(share.a).failed, 4);
    log_forget(share.log);
    share_end(&share);
}

/* What is wrong by itself is told as ever: trying again would not help. */
static void what_is_wrong_is_told_while_paused(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    set_paused(pair.rig, true);
    client_refused(pair.sender, HBK_R_INVALID_PARAMS, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[]}");
    struct client *unproven =
        client_connect(pair.rig, fake_process_start(pair.rig->kernel, 103), 1);
    client_refused(unproven, HBK_R_NOT_PROVEN, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[{'handle':4}]}");
    client_refused(unproven, HBK_R_INVALID_PARAMS, HBK_METHOD_SESSION_HELLO,
                   "{'protocol':[7],'client':{'name':'a','version':'1'}}");
    rig_end(pair.rig);
}

static void no_session_is_begun_until_it_goes_on(void **state)
{
    (void)state;
    for (int late = 0; late < 2; ++late) { /* paused before hello, and after it */
        struct rig *rig = rig_new(NULL, 1);
        struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
        set_paused(rig, !late);
        assert_true(client_set_event(client, client_hello(client)));
        set_paused(rig, true);
        struct hbk_status_result status = client_status(client); /* which needs no proof */
        assert_true(hbk_text_is(status.state, "paused"));
        uint32_t prove = client_request(client, HBK_METHOD_SESSION_PROVE, NULL);
        rig_run(rig);
        says_paused(client_error(client, prove, HBK_R_BUSY));
        assert_int_equal(fake_handles_count(client->process), 0);
        assert_true(client_ended(client));
        client = client_connect(rig, client->process, 1);
        status = client_status(client);
        assert_int_equal(status.sessions, 1);
        assert_int_equal(status.sessions_proven, 0);
        set_paused(rig, false);
        client_prove(client);
        status = client_status(client);
        assert_true(hbk_text_is(status.state, "running"));
        assert_int_equal(status.sessions_proven, 1);
        rig_end(rig);
    }
}

/* The close of the proof may take its time, and the pause begins or ends in it. */
static void what_holds_is_the_moment_of_the_proof(void **state)
{
    (void)state;
    for (int paused = 0; paused < 2; ++paused) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
        assert_true(client_set_event(client, client_hello(client)));
        set_paused(rig, !paused);
        rig->kernel->proofs_pend = true;
        uint32_t prove = client_request(client, HBK_METHOD_SESSION_PROVE, NULL);
        rig_run(rig);
        set_paused(rig, paused);
        rig_proof_end(rig, client);
        if (paused)
            says_paused(client_error(client, prove, HBK_R_BUSY));
        else
            client_result(client, prove);
        assert_int_equal(client_ended(client), paused);
        rig_end(rig);
    }
}

/* It can look, and can begin no more than others. */
static void who_operates_it_is_let_in(void **state)
{
    (void)state;
    struct share share = share_new(NULL);
    struct rig *rig = share.rig;
    share_let(&share, 110, HBK_RIGHT_INSPECT, true);
    set_paused(rig, true);
    struct client *looks = client_connect(rig, fake_process_start(rig->kernel, 110), 1);
    struct client *other = client_connect(rig, fake_process_start(rig->kernel, 111), 1);
    client_prove(looks);
    assert_true(client_set_event(other, client_hello(other)));
    log_forget(share.log);
    uint32_t prove = client_request(other, HBK_METHOD_SESSION_PROVE, NULL);
    rig_run(rig);
    client_error(other, prove, HBK_R_BUSY);
    log_take(share.log, "session.prove", "refused", "busy");
    client_ok(looks, HBK_METHOD_BROKER_SESSIONS, "{}");
    uint32_t event = client_make(looks, "Event", 3);
    client_refused(looks, HBK_R_BUSY, HBK_METHOD_STORE_PUT, "{'name':'user/a','handle':%u}", event);
    log_forget(share.log);
    share_end(&share);
}

/* ---- what is under way ---- */

static void sends_under_way_come_to_their_end(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    struct client *asked = client_new(pair.rig, 102, 1);
    client_ok(asked, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/ask','mode':'ask'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t writing = pair_send(&pair, 2);
    rig_run(pair.rig);
    uint32_t blocked = pair_send(&pair, 1);
    uint32_t late =
        client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/late','items':[{'handle':%u}],'wait_ms':60000}", event);
    uint32_t offered =
        client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/ask','items':[{'handle':%u}],'timeout_ms':60000}", event);
    uint32_t taken = store_waits(asked, "user/kept", 60000);
    uint32_t expires =
        client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/never','items':[{'handle':%u}],'wait_ms':1000}", event);
    rig_run(pair.rig);
    uint64_t delivery = client_offered(asked)->delivery;

    set_paused(pair.rig, true);
    pair.target->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(pair.target, true);
    client_result(pair.sender, writing);
    client_result(pair.sender, blocked);
    client_delivered(pair.target);
    client_delivered(pair.target);
    client_ok(asked, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%u}", (unsigned)delivery);
    client_result(pair.sender, offered);
    client_ok(pair.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/late'}");
    client_delivered(pair.target);
    client_result(pair.sender, late);
    rig_advance(pair.rig, 1000);
    client_error(pair.sender, expires, HBK_R_TIMEOUT);
    assert_false(client_answered(asked, taken)); /* nobody may put it there */
    set_paused(pair.rig, false);
    store_put(pair.sender, "user/kept", "");
    client_result(asked, taken);
    rig_end(pair.rig);
}

/* ---- all else ---- */

static void all_else_is_answered(void **state)
{
    (void)state;
    struct share share = share_new(NULL);
    share_let(&share, 0, HBK_RIGHT_INSPECT, true);
    client_ok(share.b, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a','revocable':true}");
    uint64_t entry = store_put(share.a, "user/kept", "");
    uint32_t event = client_make(share.a, "Event", 3);
    uint64_t delivery = client_ok(share.a, HBK_METHOD_HANDLE_SEND,
                                  "{'to':'user/a','items':[{'handle':%u}],'revocable':true}", event)
                            ->u.result.send.delivery;
    client_delivered(share.b);
    set_paused(share.rig, true);
    client_ok(share.a, HBK_METHOD_BROKER_WATCH, NULL);
    client_ok(share.a, HBK_METHOD_ENDPOINT_LIST, "{}");
    client_ok(share.a, HBK_METHOD_DELIVERY_LIST, "{}");
    client_ok(share.a, HBK_METHOD_STORE_LIST, "{}");
    client_ok(share.a, HBK_METHOD_BROKER_SESSIONS, "{}");
    client_ok(share.a, HBK_METHOD_POLICY_EXPLAIN, "{'verb':'send','name':'user/a'}");
    client_ok(share.a, HBK_METHOD_DELIVERY_REVOKE, "{'delivery':%u}", (unsigned)delivery);
    assert_int_equal(client_revoked(share.b)->delivery, delivery);
    client_ok(share.a, HBK_METHOD_STORE_REMOVE, "{'entry':%u}", (unsigned)entry);
    client_ok(share.b, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    client_ok(share.b, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    assert_int_equal(client_status(share.b).stored, 0);
    assert_int_equal(client_status(share.b).endpoints, 1);
    log_forget(share.log);
    share_end(&share);
}

static void it_is_recorded_once(void **state)
{
    (void)state;
    struct share share = share_new(NULL);
    const struct fake_audit *audit = &share.rig->kernel->audit;
    size_t notices = audit->notices_count;
    for (int i = 0; i < 2; ++i)
        set_paused(share.rig, true);
    rig_configure(share.rig, &share.rig->config, NULL, NULL); /* which leaves it paused */
    client_refused(share.a, HBK_R_BUSY, HBK_METHOD_STORE_GET, "{'name':'user/a'}");
    for (int i = 0; i < 2; ++i)
        set_paused(share.rig, false);
    log_take(share.log, "service.paused", "done", NULL);
    log_take(share.log, "policy.loaded", "done", NULL);
    log_take(share.log, "store.get", "refused", "busy");
    log_take(share.log, "service.continued", "done", NULL);
    log_nothing(share.log);
    assert_int_equal(audit->notices[notices].kind, HBK_NOTICE_PAUSED);
    assert_int_equal(audit->notices[audit->notices_count - 1].kind, HBK_NOTICE_CONTINUED);
    share_end(&share);
}

/* ---- and the end ---- */

static void a_paused_broker_stops(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t event = client_make(pair.sender, "Event", 3);
    uint32_t late =
        client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/late','items':[{'handle':%u}],'wait_ms':60000}", event);
    rig_run(pair.rig);
    set_paused(pair.rig, true);
    rig_stop(pair.rig);
    client_error(pair.sender, late, HBK_R_STOPPING);
    assert_true(hbk_core_stopped(pair.rig->core));
    size_t notices = pair.rig->kernel->audit.notices_count;
    set_paused(pair.rig, false); /* too late */
    assert_int_equal(pair.rig->kernel->audit.notices_count, notices);
    assert_null(client_connect(pair.rig, fake_process_start(pair.rig->kernel, 103), 1));
    rig_end(pair.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_hand_off_is_begun_until_it_goes_on),
        cmocka_unit_test(what_is_wrong_is_told_while_paused),
        cmocka_unit_test(no_session_is_begun_until_it_goes_on),
        cmocka_unit_test(who_operates_it_is_let_in),
        cmocka_unit_test(what_holds_is_the_moment_of_the_proof),
        cmocka_unit_test(sends_under_way_come_to_their_end),
        cmocka_unit_test(all_else_is_answered),
        cmocka_unit_test(it_is_recorded_once),
        cmocka_unit_test(a_paused_broker_stops),
    };
    return cmocka_run_group_tests_name("core: paused", tests, NULL, NULL);
}
