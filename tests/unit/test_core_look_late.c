/* process.handles, object.holders: what a look is charged to, and that a worker which is late, or never returns, harms
 * nobody. */
#include "core_look.h"

#include <stdio.h>
#include <string.h>

static void other_requests_do_not_wait(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t id = scene_ask(scene.a, HANDLES, "{'pid':200}");
    client_ok(scene.a, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_ok(scene.a, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}",
              client_make(scene.a, "Event", 3));
    client_delivered(scene.a);
    assert_int_equal(client_status(scene.a).sessions, 3);
    rig_looks_end(scene.rig);
    client_result(scene.a, id);
    log_forget(scene.log);
    scene_end(&scene);
}

static void an_id_in_flight_is_refused(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"process.handles\","
                               "\"params\":{\"pid\":200}}";
    const struct hbk_id id = {.kind = HBK_ID_TEXT, .text_size = 1, .text = "x"};
    scene.a->raw = true;
    client_line(scene.a, line);
    client_line(scene.a, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"broker.status\"}");
    client_raw_error(scene.a, &id, HBK_R_INVALID_REQUEST);
    rig_looks_end(scene.rig);
    client_line(scene.a, line); /* it is over: the id may be used again */
    assert_int_equal(fake_looks_pending(scene.kernel), 1);
    log_forget(scene.log);
    scene_end(&scene);
}

static void one_at_a_time_for_a_session(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t id = scene_ask(scene.a, HANDLES, "{'pid':200}");
    assert_string_equal(client_refused(scene.a, HBK_R_QUOTA, HANDLES, "{'pid':200}")->limit,
                        "looks");
    assert_string_equal(client_refused(scene.a, HBK_R_QUOTA, HOLDERS, "{'handle':4}")->limit,
                        "looks");
    assert_int_equal(fake_looks_pending(scene.kernel), 1);
    rig_looks_end(scene.rig);
    client_result(scene.a, id);
    scene_handles(scene.a, "{'pid':200}");
    log_forget(scene.log);
    scene_end(&scene);
}

/* Who has none gets one, as long as there is one; nobody gets more than half of what is left. */
static void a_user_has_a_share_of_them(void **state)
{
    (void)state;
    enum { MORE = HBK_LOOKS_MAX };
    static const uint32_t shares[] = {8, 4, 2, 1, 1, 0};
    struct scene scene = scene_new();
    share_let(&scene.share, 0, HBK_RIGHT_INSPECT, true);
    uint32_t pid = 1000;
    for (uint32_t user = 0; user < sizeof shares / sizeof shares[0]; ++user) {
        uint32_t begun = 0;
        for (uint32_t i = 0; i < shares[user] + 1; ++i) {
            struct client *client = client_new(scene.rig, ++pid, 10 + user);
            char params[32];
            snprintf(params, sizeof params, "{'pid':%u}", pid);
            uint32_t id = scene_ask(client, HANDLES, params);
            begun += !client_answered(client, id);
            if (client_answered(client, id))
                assert_string_equal(client_error(client, id, HBK_R_QUOTA)->limit, "looks");
        }
        assert_int_equal(begun, shares[user]);
    }
    assert_int_equal(fake_looks_pending(scene.kernel), MORE);
    log_forget(scene.log);
    scene_end(&scene);
}

static void requests_in_flight_count_it(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.requests_per_session = 1;
    struct share share = share_new(&config);
    share_let(&share, 100, HBK_RIGHT_INSPECT, true);
    uint32_t event = client_make(share.a, "Event", 3);
    uint32_t id = client_request(share.a, HBK_METHOD_HANDLE_SEND,
                                 "{'to':'user/late','items':[{'handle':%u}],'wait_ms':500}", event);
    rig_run(share.rig);
    assert_string_equal(client_refused(share.a, HBK_R_QUOTA, HANDLES, "{'pid':100}")->limit,
                        "requests");
    rig_advance(share.rig, 500);
    client_error(share.a, id, HBK_R_TIMEOUT);
    id = scene_ask(share.a, HANDLES, "{'pid':100}");
    client_refused(share.a, HBK_R_QUOTA, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/late','items':[{'handle':%u}],'wait_ms':500}", event);
    rig_looks_end(share.rig);
    client_result(share.a, id);
    log_forget(share.log);
    share_end(&share);
}

/* It is answered in time; the session has no other before the worker has returned. */
static void a_worker_that_is_stuck(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t id = scene_ask(scene.a, HANDLES, "{'pid':200}");
    rig_advance(scene.rig, HBK_LOOK_DEADLINE_MS - 1);
    assert_false(client_answered(scene.a, id));
    rig_advance(scene.rig, 1);
    client_error(scene.a, id, HBK_R_TIMEOUT);
    scene_recorded(&scene, "process.handles", "failed", "timeout", 200);
    client_refused(scene.a, HBK_R_QUOTA, HANDLES, "{'pid':200}");
    log_take(scene.log, "process.handles", "refused", "quota");
    rig_looks_end(scene.rig); /* it is told to nobody, and recorded once */
    client_nothing(scene.a);
    scene_handles(scene.a, "{'pid':200}");
    scene_recorded(&scene, "process.handles", "done", NULL, 200);
    scene_end(&scene);
}

static void who_asked_has_gone(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 3; ++how) {
        struct scene scene = scene_new();
        struct fake_connection *connection = scene.a->connection;
        scene_ask(scene.a, HOLDERS, "{'pid':200,'handle':4}");
        if (how == 0)
            client_hang_up(scene.a);
        else if (how == 1)
            client_exit(scene.a);
        else
            client_line(scene.a, "x"); /* refused, and it stays */
        /* As long as the worker is at it, the user pays for the session. */
        assert_int_equal(connection->closed, how < 2);
        assert_false(connection->released);
        assert_int_equal(client_status(scene.b).sessions, 3);
        fake_process_exit(scene.kernel, scene.process);
        rig_looks_end(scene.rig);
        assert_int_equal(connection->released, how < 2);
        assert_int_equal(client_status(scene.b).sessions, how < 2 ? 2 : 3);
        log_forget(scene.log);
        scene_end(&scene);
    }
}

/* One that ends by itself: what it was told is written first, and no answer comes after that. */
static void a_session_that_ends_does_not_wait(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    struct fake_connection *connection = scene.a->connection;
    scene_ask(scene.a, HANDLES, "{'pid':200}");
    static char line[HBK_LINE_BYTES_MAX + 1];
    memset(line, 'x', sizeof line);
    scene.a->raw = true;
    client_bytes(scene.a, line, sizeof line);
    rig_run(scene.rig);
    client_null_error(scene.a, HBK_R_PARSE_ERROR);
    assert_true(connection->closed);
    assert_false(connection->released);
    rig_looks_end(scene.rig);
    assert_true(connection->released);
    log_forget(scene.log);
    scene_end(&scene);
}

static void a_pause_stops_no_look(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t id = scene_ask(scene.a, HANDLES, "{'pid':200}");
    hbk_core_pause(scene.rig->core, true);
    rig_run(scene.rig);
    rig_looks_end(scene.rig);
    client_result(scene.a, id);
    assert_int_equal(scene_handles(scene.a, "{'pid':200}")->handles_count, 0);
    hbk_core_pause(scene.rig->core, false);
    log_forget(scene.log);
    scene_end(&scene);
}

static void a_stop_answers_at_once_and_waits_for_the_worker(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t id = scene_ask(scene.a, HANDLES, "{'pid':200}");
    log_forget(scene.log);
    rig_stop(scene.rig);
    client_error(scene.a, id, HBK_R_STOPPING);
    scene_recorded(&scene, "process.handles", "failed", "stopping", 200);
    assert_false(hbk_core_stopped(scene.rig->core));
    rig_looks_end(scene.rig);
    assert_true(hbk_core_stopped(scene.rig->core));
    log_forget(scene.log);
    scene_end(&scene);
}

static void it_is_counted(void **state)
{
    (void)state;
    static const char one[] = "handlebroker_worker_jobs_pending{job=\"look\"} 1\n";
    struct scene scene = scene_new();
    scene_ask(scene.a, HANDLES, "{'pid':200}");
    struct hbk_text text =
        client_ok(scene.a, HBK_METHOD_BROKER_METRICS, NULL)->u.result.metrics.text;
    char copy[HBK_METRICS_BYTES_MAX + 1];
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    assert_non_null(strstr(copy, one));
    log_forget(scene.log);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_requests_do_not_wait),
        cmocka_unit_test(an_id_in_flight_is_refused),
        cmocka_unit_test(one_at_a_time_for_a_session),
        cmocka_unit_test(a_user_has_a_share_of_them),
        cmocka_unit_test(requests_in_flight_count_it),
        cmocka_unit_test(a_worker_that_is_stuck),
        cmocka_unit_test(who_asked_has_gone),
        cmocka_unit_test(a_session_that_ends_does_not_wait),
        cmocka_unit_test(a_pause_stops_no_look),
        cmocka_unit_test(a_stop_answers_at_once_and_waits_for_the_worker),
        cmocka_unit_test(it_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
