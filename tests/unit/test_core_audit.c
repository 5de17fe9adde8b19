/* Records: every grant, refusal, failure and change leaves one, with what links them. */
#include "core_log.h"
#include "core_pair.h"

#include <stdlib.h>
#include <string.h>

static struct hbk_config config_new(void)
{
    struct hbk_config config;
    hbk_config_default(&config);
    config.audit_file = true;
    return config;
}

struct scene {
    struct pair pair;
    struct log *log;
};

static struct scene scene_new(const char *open)
{
    struct hbk_config config = config_new();
    struct scene scene = {.pair = pair_new(&config, open)};
    scene.log = log_new(scene.pair.rig);
    return scene;
}

/* Only what the end itself leaves may come. */
static void scene_end(struct scene *scene)
{
    log_nothing(scene->log);
    log_forget(scene->log);
    log_free(scene->log);
    rig_end(scene->pair.rig);
}

static void is_party(const struct hbk_event_party *party, const struct client *client)
{
    assert_int_equal(party->session, client->session_id);
    assert_int_equal(party->pid, client->process->pid);
    assert_true(hbk_text_is(party->user, "S-1-5-21-1-2-3-1001"));
}

/* ---- a hand-off ---- */

static void a_hand_off_is_told_and_closed(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a'}");
    struct pair *pair = &scene.pair;
    client_ok(pair->sender, HBK_METHOD_HANDLE_SEND,
              "{'to':'user/a','items':[{'handle':%u},{'handle':%u,'access':'read'}]}",
              client_make(pair->sender, "Event", 3), client_make(pair->sender, "File", 0x1FFFFF));
    uint64_t delivery = client_delivered(pair->target)->delivery;
    const struct hbk_event *told = log_take(scene.log, "handle.send", "done", NULL);
    is_party(&told->caller, pair->sender);
    is_party(&told->target, pair->target);
    assert_int_equal(told->delivery, delivery);
    assert_true(hbk_text_is(told->endpoint, "user/a"));
    assert_int_equal(told->items_count, 2);
    assert_true(hbk_text_is(told->items[0].type, "Event"));
    assert_int_equal(told->items[0].access, 3);
    assert_true(hbk_text_is(told->items[1].type, "File"));
    assert_int_equal(told->items[1].access, 0x120089);
    assert_null(told->detail.data);
    const struct hbk_event *closed = log_take(scene.log, "delivery.closed", "done", NULL);
    assert_int_equal(closed->correlation, told->correlation);
    assert_int_equal(closed->delivery, delivery);
    assert_int_equal(closed->serial, told->serial + 1);
    /* The next request is another. */
    client_ok(pair->sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}",
              client_make(pair->sender, "Event", 3));
    assert_int_equal(log_take(scene.log, "handle.send", "done", NULL)->correlation,
                     told->correlation + 1);
    log_take(scene.log, "delivery.closed", "done", NULL);
    scene_end(&scene);
}

static void it_is_closed_when_its_last_pin_is(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a'}");
    struct pair *pair = &scene.pair;
    pair->rig->kernel->unpins_pend = true;
    char *params = pair_params(pair, 2, "File", 1, NULL);
    client_ok(pair->sender, HBK_METHOD_HANDLE_SEND, "%s", params);
    free(params);
    log_take(scene.log, "handle.send", "done", NULL);
    rig_unpin_end(pair->rig, 1);
    rig_run(pair->rig);
    log_nothing(scene.log);
    rig_unpin_end(pair->rig, 0);
    rig_run(pair->rig);
    log_take(scene.log, "delivery.closed", "done", NULL);
    scene_end(&scene);
}

/* ---- an offer ---- */

static uint64_t offer(struct scene *scene)
{
    pair_send(&scene->pair, 1);
    rig_run(scene->pair.rig);
    return client_offered(scene->pair.target)->delivery;
}

static void an_offer_and_its_answer_are_linked(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a','mode':'ask'}");
    struct pair *pair = &scene.pair;
    uint64_t delivery = offer(&scene);
    const struct hbk_event *offered = log_take(scene.log, "handle.offered", "done", NULL);
    assert_int_equal(offered->delivery, delivery);
    is_party(&offered->caller, pair->sender);
    client_ok(pair->target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
              (unsigned long long)delivery);
    const struct hbk_event *accept = log_take(scene.log, "delivery.accept", "done", NULL);
    is_party(&accept->caller, pair->target);
    const struct hbk_event *send = log_take(scene.log, "handle.send", "done", NULL);
    const struct hbk_event *closed = log_take(scene.log, "delivery.closed", "done", NULL);
    assert_int_equal(accept->correlation, offered->correlation);
    assert_int_equal(send->correlation, offered->correlation);
    assert_int_equal(closed->correlation, offered->correlation);
    scene_end(&scene);
}

static void a_rejection_is_two_records(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a','mode':'ask'}");
    struct pair *pair = &scene.pair;
    uint64_t delivery = offer(&scene);
    log_take(scene.log, "handle.offered", "done", NULL);
    client_ok(pair->target, HBK_METHOD_DELIVERY_REJECT,
              "{'delivery':%llu,'reason':'no\\n\\u0007\xc3\xa9'}", (unsigned long long)delivery);
    is_party(&log_take(scene.log, "delivery.reject", "done", NULL)->caller, pair->target);
    const struct hbk_event *send = log_take(scene.log, "handle.send", "refused", "rejected");
    assert_true(hbk_text_is(send->detail, "no\n\a\xc3\xa9"));
    is_party(&send->target, pair->target);
    log_take(scene.log, "delivery.closed", "done", NULL);
    /* The operator's log gets no bytes of the client's but printable ones. */
    const struct fake_audit *audit = &pair->rig->kernel->audit;
    assert_int_equal(audit->notices_count, 1);
    assert_string_equal(audit->notices[0].detail, "no\\x0a\\x07\\xc3\\xa9");
    assert_string_equal(audit->notices[0].name, "user/a");
    assert_int_equal(audit->notices[0].correlation, send->correlation);
    scene_end(&scene);
}

static void an_offer_that_fails_says_how(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a','mode':'ask'}");
    struct pair *pair = &scene.pair;
    offer(&scene);
    log_take(scene.log, "handle.offered", "done", NULL);
    rig_advance(pair->rig, HBK_TIMEOUT_MS_DEFAULT);
    log_take(scene.log, "handle.send", "failed", "timeout");
    log_take(scene.log, "delivery.closed", "done", NULL);

    uint64_t delivery = offer(&scene);
    log_take(scene.log, "handle.offered", "done", NULL);
    fake_fail(pair->rig->kernel, FAKE_OP_PLACE, 1, HBK_R_OS_ERROR, 1450);
    uint32_t id = client_request(pair->target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                                 (unsigned long long)delivery);
    rig_run(pair->rig);
    client_error(pair->target, id, HBK_R_OS_ERROR);
    assert_int_equal(log_take(scene.log, "delivery.accept", "failed", "os_error")->win32, 1450);
    assert_int_equal(log_take(scene.log, "handle.send", "failed", "os_error")->win32, 1450);
    log_take(scene.log, "delivery.closed", "done", NULL);

    /* Accepted, placed, and then not read. */
    delivery = offer(&scene);
    log_take(scene.log, "handle.offered", "done", NULL);
    pair->target->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(pair->target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                   (unsigned long long)delivery);
    rig_run(pair->rig);
    log_nothing(scene.log);
    client_write_ends(pair->target, false);
    log_take(scene.log, "delivery.accept", "failed", "target_gone");
    log_take(scene.log, "handle.send", "failed", "target_gone");
    log_take(scene.log, "session.closed", "done", NULL);
    log_take(scene.log, "endpoint.close", "done", NULL);
    log_take(scene.log, "delivery.closed", "done", NULL);
    scene_end(&scene);
}

/* Its send fails, but nobody was refused anything. */
static void a_sender_that_leaves_is_a_failure(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a','mode':'ask'}");
    offer(&scene);
    log_take(scene.log, "handle.offered", "done", NULL);
    client_exit(scene.pair.sender);
    log_take(scene.log, "session.closed", "done", NULL);
    log_take(scene.log, "handle.send", "failed", "not_found");
    log_take(scene.log, "delivery.closed", "done", NULL);
    assert_int_equal(scene.pair.rig->kernel->audit.notices_count, 0);
    scene_end(&scene);
}

/* ---- sessions and endpoints ---- */

static void sessions_and_endpoints_come_and_go(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a'}");
    struct rig *rig = scene.pair.rig;
    struct client *client = client_new(rig, 105, 1);
    is_party(&log_take(scene.log, "session.opened", "done", NULL)->caller, client);
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/b'}");
    const struct hbk_event *open = log_take(scene.log, "endpoint.open", "done", NULL);
    assert_true(hbk_text_is(open->endpoint, "user/b"));
    assert_true(open->correlation > 0);
    client_ok(client, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/b'}");
    const struct hbk_event *closed = log_take(scene.log, "endpoint.close", "done", NULL);
    assert_int_equal(closed->correlation, open->correlation + 1);
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/b'}");
    log_take(scene.log, "endpoint.open", "done", NULL);
    client_ok(client, HBK_METHOD_ENDPOINT_LIST, NULL); /* looking leaves none */
    client_hang_up(client);
    is_party(&log_take(scene.log, "session.closed", "done", NULL)->caller, client);
    assert_int_equal(log_take(scene.log, "endpoint.close", "done", NULL)->correlation, 0);
    scene_end(&scene);
}

static void who_gets_no_session_is_recorded(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.sessions = 4;
    config.sessions_per_user = 1;
    struct rig *rig = rig_new(&config, 1);
    struct log *log = log_new(rig);
    client_new(rig, 100, 1);
    log_take(log, "session.opened", "done", NULL);
    client_connect(rig, fake_process_start(rig->kernel, 101), 1);
    const struct hbk_event *event = log_take(log, "session.refused", "refused", "quota");
    assert_int_equal(event->caller.session, 0);
    assert_int_equal(event->caller.pid, 101);
    assert_true(hbk_text_is(event->caller.user, "S-1-5-21-1-2-3-1001"));
    for (uint32_t i = 0; i < 3; ++i) {
        client_new(rig, 102 + i, 2 + i);
        log_take(log, "session.opened", "done", NULL);
    }
    assert_null(client_connect(rig, fake_process_start(rig->kernel, 110), 9));
    event = log_take(log, "session.refused", "refused", "quota");
    assert_int_equal(event->caller.pid, 110);
    rig_stop(rig);
    log_forget(log);
    assert_null(client_connect(rig, fake_process_start(rig->kernel, 111), 10));
    log_take(log, "session.refused", "failed", "stopping");
    log_free(log);
    rig_end(rig);
}

static void deadlines_end_sessions_with_a_reason(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a'}");
    struct rig *rig = scene.pair.rig;
    client_connect(rig, fake_process_start(rig->kernel, 105), 1);
    log_take(scene.log, "session.opened", "done", NULL);
    rig_advance(rig, rig->config.hello_ms);
    log_take(scene.log, "session.closed", "failed", "timeout");
    client_bytes(scene.pair.sender, "{", 1);
    rig_run(rig);
    rig_advance(rig, rig->config.line_ms);
    log_take(scene.log, "session.closed", "failed", "timeout");
    scene.pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(scene.pair.target, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(rig);
    rig_advance(rig, rig->config.write_ms);
    log_take(scene.log, "session.closed", "failed", "timeout");
    log_take(scene.log, "endpoint.close", "done", NULL);
    struct client *client = client_new(rig, 107, 1);
    log_take(scene.log, "session.opened", "done", NULL);
    char *line = calloc(1, HBK_LINE_BYTES_MAX + 1);
    assert_non_null(line);
    memset(line, ' ', HBK_LINE_BYTES_MAX);
    client->raw = true;
    client_bytes(client, line, HBK_LINE_BYTES_MAX + 1);
    free(line);
    rig_run(rig);
    assert_true(client_ended(client));
    log_take(scene.log, "session.closed", "refused", "parse_error");
    scene_end(&scene);
}

/* ---- refusals: one record each ---- */

static const struct {
    enum hbk_method method;
    int32_t code;
    const char *params, *endpoint;
} refusals[] = {
    {HBK_METHOD_SESSION_HELLO, HBK_R_INVALID_REQUEST,
     "{'protocol':[1],'client':{'name':'a','version':'1'}}", NULL},
    {HBK_METHOD_SESSION_PROVE, HBK_R_INVALID_REQUEST, NULL, NULL},
    {HBK_METHOD_ENDPOINT_OPEN, HBK_R_EXISTS, "{'name':'user/a'}", "user/a"},
    {HBK_METHOD_ENDPOINT_OPEN, HBK_R_INVALID_PARAMS, "{'name':'nowhere'}", NULL},
    {HBK_METHOD_ENDPOINT_OPEN, HBK_R_INVALID_PARAMS, "{'name':'user/b','types':{'Bogus':'any'}}",
     "user/b"},
    {HBK_METHOD_ENDPOINT_CLOSE, HBK_R_NOT_FOUND, "{'name':'user/none'}", "user/none"},
    {HBK_METHOD_ENDPOINT_LIST, HBK_R_INVALID_PARAMS, "{'cursor':'x'}", NULL},
    {HBK_METHOD_HANDLE_SEND, HBK_R_NOT_FOUND, "{'to':'user/none','items':[{'handle':4}]}",
     "user/none"},
    {HBK_METHOD_HANDLE_SEND, HBK_R_BAD_HANDLE, "{'to':'user/a','items':[{'handle':4000}]}",
     "user/a"},
    {HBK_METHOD_HANDLE_SEND, HBK_R_BAD_HANDLE, "{'to':'user/a','items':[{'handle':0}]}", NULL},
    {HBK_METHOD_DELIVERY_ACCEPT, HBK_R_NOT_FOUND, "{'delivery':1}", NULL},
    {HBK_METHOD_DELIVERY_REJECT, HBK_R_NOT_FOUND, "{'delivery':1}", NULL},
    {HBK_METHOD_BROKER_SESSIONS, HBK_R_DENIED, "{}", NULL},
    {HBK_METHOD_BROKER_WATCH, HBK_R_DENIED, NULL, NULL},
};

static void every_refusal_leaves_one_record(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a'}");
    struct client *client = scene.pair.sender;
    uint64_t correlation = 0;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; ++i) {
        scene.pair.rig->kernel->label = hbk_method_name(refusals[i].method);
        uint32_t id = client_request_text(client, refusals[i].method, refusals[i].params);
        rig_run(scene.pair.rig);
        const struct hbk_error *error = client_error(client, id, refusals[i].code);
        const struct hbk_event *event = log_take(scene.log, hbk_method_name(refusals[i].method),
                                                 "refused", hbk_result_name(refusals[i].code));
        is_party(&event->caller, client);
        assert_true(hbk_text_is(event->detail, error->detail));
        assert_true(hbk_text_equal(event->endpoint, hbk_text_from(refusals[i].endpoint)));
        assert_true(correlation == 0 || event->correlation == correlation + 1);
        correlation = event->correlation;
        log_nothing(scene.log);
    }
    scene.pair.rig->kernel->label = "";
    scene_end(&scene);
}

static void lines_that_are_no_request_leave_one_record(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a'}");
    const char *const lines[] = {"{", "[]", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no.such\"}",
                                 "{\"jsonrpc\":\"2.0\",\"method\":\"broker.status\"}"};
    const char *const events[] = {"request", "request", "request", NULL};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
        client_line(scene.pair.sender, lines[i]);
        const struct hbk_event *event =
            log_take(scene.log, events[i] ? events[i] : "request", "refused",
                     i < 2    ? "parse_error"
                     : i == 2 ? "method_not_found"
                              : "invalid_request");
        assert_true(event->detail.size > 0);
        log_nothing(scene.log);
    }
    struct client *unproven =
        client_connect(scene.pair.rig, fake_process_start(scene.pair.rig->kernel, 105), 1);
    log_take(scene.log, "session.opened", "done", NULL);
    client_refused(unproven, HBK_R_NOT_PROVEN, HBK_METHOD_ENDPOINT_LIST, NULL);
    log_take(scene.log, "endpoint.list", "refused", "not_proven");
    client_hello(unproven);
    uint32_t id = client_request(unproven, HBK_METHOD_SESSION_PROVE, NULL);
    rig_run(scene.pair.rig);
    client_error(unproven, id, HBK_R_NOT_PROVEN);
    log_take(scene.log, "session.prove", "refused", "not_proven");
    log_take(scene.log, "session.closed", "done", NULL);
    scene_end(&scene);
}

static void a_hello_whose_proof_fails_is_recorded(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a'}");
    struct rig *rig = scene.pair.rig;
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 105), 1);
    log_take(scene.log, "session.opened", "done", NULL);
    fake_fail(rig->kernel, FAKE_OP_PROOF_OPEN, 1, HBK_R_OS_ERROR, 5);
    client_refused(client, HBK_R_OS_ERROR, HBK_METHOD_SESSION_HELLO,
                   "{'protocol':[1],'client':{'name':'a','version':'1'}}");
    assert_int_equal(log_take(scene.log, "session.hello", "failed", "os_error")->win32, 5);
    scene_end(&scene);
}

/* ---- where nobody wants them ---- */

static void without_file_and_watcher_none_is_built(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    const struct fake_audit *audit = &pair.rig->kernel->audit;
    for (int i = 0; i < 10; ++i)
        pair_send(&pair, 2);
    rig_run(pair.rig);
    client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/b'}");
    client_exit(pair.target);
    assert_int_equal(audit->built, 0);
    assert_int_equal(audit->lines_count, 0);
    assert_int_equal(audit->notices_count, 1); /* the operator's log is there always */
    rig_end(pair.rig);

    struct scene scene = scene_new("{'name':'user/a'}");
    fake_audit_clear(scene.pair.rig->kernel);
    pair_send(&scene.pair, 2);
    rig_run(scene.pair.rig);
    assert_int_equal(scene.pair.rig->kernel->audit.built, 2);
    log_forget(scene.log);
    scene_end(&scene);
}

/* ---- no room ---- */

static void a_full_file_loses_records_and_counts_them(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a'}");
    struct rig *rig = scene.pair.rig;
    struct fake_audit *audit = &rig->kernel->audit;
    uint64_t serial = scene.log->serial;
    audit->full = true;
    for (int i = 0; i < 3; ++i)
        client_ok(scene.pair.sender, HBK_METHOD_HANDLE_SEND,
                  "{'to':'user/a','items':[{'handle':%u}]}",
                  client_make(scene.pair.sender, "Event", 3));
    assert_int_equal(client_status(scene.pair.sender).events_dropped, 6);
    audit->full = false;
    client_ok(scene.pair.sender, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/b'}");
    assert_int_equal(log_take(scene.log, "endpoint.open", "done", NULL)->serial, serial + 7);
    assert_int_equal(audit->notices_count, 0);
    rig_advance(rig, HBK_AUDIT_PERIOD_MS);
    assert_int_equal(log_take(scene.log, "records.dropped", "failed", NULL)->count, 6);
    assert_int_equal(audit->notices_count, 1);
    assert_int_equal(audit->notices[0].kind, HBK_NOTICE_DROPPED);
    assert_int_equal(audit->notices[0].count, 6);
    assert_true(hbk_core_deadline_ms(rig->core) == UINT64_MAX);
    scene_end(&scene);
}

static void a_file_that_stays_full_does_not_hold_up_a_stop(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a'}");
    struct rig *rig = scene.pair.rig;
    rig->kernel->audit.full = true;
    client_ok(scene.pair.sender, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/b'}");
    for (int minutes = 0; minutes < 3; ++minutes)
        rig_advance(rig, HBK_AUDIT_PERIOD_MS);
    assert_int_equal(rig->kernel->audit.notices_count, 3); /* each time its own record as well */
    rig_stop(rig);
    assert_true(hbk_core_stopped(rig->core));
    log_free(scene.log);
    rig_end(rig);
}

/* Within its minute the service stops: that they were dropped is told before the end. */
static void what_was_dropped_last_is_told_at_stop(void **state)
{
    (void)state;
    for (int dropped = 0; dropped < 2; ++dropped) {
        struct scene scene = scene_new("{'name':'user/a'}");
        struct rig *rig = scene.pair.rig;
        struct fake_audit *audit = &rig->kernel->audit;
        audit->full = dropped != 0;
        client_ok(scene.pair.sender, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/b'}");
        audit->full = false;
        rig_stop(rig);
        assert_int_equal(audit->notices_count, dropped);
        if (dropped) {
            assert_int_equal(audit->notices[0].kind, HBK_NOTICE_DROPPED);
            assert_int_equal(audit->notices[0].count, 1);
        }
        log_forget(scene.log);
        log_free(scene.log);
        rig_end(rig);
    }
}

/* ---- what the service tells ---- */

static void notes_are_records_too(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a'}");
    struct rig *rig = scene.pair.rig;
    struct fake_audit *audit = &rig->kernel->audit;
    char detail[600];
    memset(detail, '\xff', sizeof detail);
    detail[sizeof detail - 1] = '\0';
    const struct hbk_notice notes[] = {
        {.kind = HBK_NOTICE_REFUSED,
         .pid = 7,
         .user = "S-1-5-7",
         .error = "denied",
         .win32 = 5,
         .detail = "a client from the network"},
        {.kind = HBK_NOTICE_POLICY_KEPT, .count = 1, .detail = detail},
        {.kind = HBK_NOTICE_WARNING, .count = 1, .event = "service.warning", .name = "no name"},
        {.kind = HBK_NOTICE_DROPPED, .count = 12},
    };
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; ++i)
        hbk_core_note(rig->core, &notes[i]);
    rig_run(rig);
    const struct hbk_event *refused = log_take(scene.log, "session.refused", "refused", "denied");
    assert_int_equal(refused->caller.pid, 7);
    assert_true(hbk_text_is(refused->caller.user, "S-1-5-7"));
    assert_int_equal(refused->win32, 5);
    const struct hbk_event *kept = log_take(scene.log, "policy.kept", "refused", NULL);
    assert_true(kept->detail.size > 200 && kept->detail.size <= HBK_DETAIL_BYTES_MAX);
    assert_null(log_take(scene.log, "service.warning", "failed", NULL)->endpoint.data);
    assert_int_equal(log_take(scene.log, "records.dropped", "failed", NULL)->count, 12);
    assert_int_equal(audit->notices_count, 4);
    for (size_t i = 0; i < 4; ++i)
        assert_int_equal(audit->notices[i].kind, notes[i].kind);
    assert_true(strlen(audit->notices[1].detail) <= HBK_DETAIL_BYTES_MAX);
    assert_memory_equal(audit->notices[1].detail, "\\xff\\xff", 8);
    assert_int_equal(client_status(scene.pair.sender).events_dropped, 12);
    rig_let_inspect(rig, scene.pair.sender, "C:\\rules.json");
    assert_true(
        hbk_text_is(log_take(scene.log, "policy.loaded", "done", NULL)->detail, "C:\\rules.json"));
    assert_int_equal(audit->notices[4].kind, HBK_NOTICE_POLICY_LOADED);
    assert_string_equal(audit->notices[4].detail, "C:\\x5crules.json");
    assert_int_equal(client_status(scene.pair.sender).policy, 1);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hand_off_is_told_and_closed),
        cmocka_unit_test(it_is_closed_when_its_last_pin_is),
        cmocka_unit_test(an_offer_and_its_answer_are_linked),
        cmocka_unit_test(a_rejection_is_two_records),
        cmocka_unit_test(an_offer_that_fails_says_how),
        cmocka_unit_test(a_sender_that_leaves_is_a_failure),
        cmocka_unit_test(sessions_and_endpoints_come_and_go),
        cmocka_unit_test(who_gets_no_session_is_recorded),
        cmocka_unit_test(deadlines_end_sessions_with_a_reason),
        cmocka_unit_test(every_refusal_leaves_one_record),
        cmocka_unit_test(lines_that_are_no_request_leave_one_record),
        cmocka_unit_test(a_hello_whose_proof_fails_is_recorded),
        cmocka_unit_test(without_file_and_watcher_none_is_built),
        cmocka_unit_test(a_full_file_loses_records_and_counts_them),
        cmocka_unit_test(a_file_that_stays_full_does_not_hold_up_a_stop),
        cmocka_unit_test(what_was_dropped_last_is_told_at_stop),
        cmocka_unit_test(notes_are_records_too),
    };
    return cmocka_run_group_tests_name("core: audit", tests, NULL, NULL);
}
