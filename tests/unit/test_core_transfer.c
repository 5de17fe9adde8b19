/* handle.transfer: from whom to whom, who may, and who is told. */
#include "core_books.h"
#include "core_share.h"

#include <stdio.h>
#include <string.h>

#define TRANSFER HBK_METHOD_HANDLE_TRANSFER
#define OPEN HBK_METHOD_ENDPOINT_OPEN

/* Process 200 has no session and what is to be moved; process 201 has none either. */
struct scene {
    struct share share;
    struct rig *rig;
    struct fake_kernel *kernel;
    struct log *log;
    struct client *a, *b, *c;
    struct fake_process *source, *target;
    uint32_t event;
};

static struct scene scene_new(void)
{
    struct hbk_config config;
    hbk_config_default(&config);
    config.pid = 77;
    struct scene scene = {.share = share_new(&config)};
    scene.rig = scene.share.rig;
    scene.kernel = scene.rig->kernel;
    scene.log = scene.share.log;
    scene.a = scene.share.a;
    scene.b = scene.share.b;
    scene.c = scene.share.c;
    scene.source = fake_process_start(scene.kernel, 200);
    scene.target = fake_process_start(scene.kernel, 201);
    scene.event = fake_handle_make(scene.kernel, scene.source, "Event", 3);
    const uint32_t pids[] = {101, 102, 200, 201};
    for (size_t i = 0; i < 4; ++i)
        fake_may_duplicate(scene.kernel, 100, pids[i], true);
    return scene;
}

static void scene_end(struct scene *scene)
{
    assert_int_equal(fake_opened_held(scene->kernel), 0);
    share_end(&scene->share);
}

static void is_party(const struct hbk_event_party *party, const struct client *client)
{
    assert_int_equal(party->session, client->session_id);
    assert_int_equal(party->pid, client->process->pid);
    assert_true(hbk_text_is(party->user, client->connection->user));
}

static const struct hbk_transfer_result *transfer(struct client *client, const char *params,
                                                  uint32_t handle)
{
    return &client_ok(client, TRANSFER, params, handle)->u.result.transfer;
}

/* ---- from whom, to whom ---- */

static void to_oneself(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    const char *const targets[] = {"", ",'target':{'pid':100}"};
    for (int i = 0; i < 2; ++i) {
        char params[128];
        snprintf(params, sizeof params, "{'source':{'pid':200},'handle':%%u%s}", targets[i]);
        const struct hbk_transfer_result *result = transfer(scene.a, params, scene.event);
        assert_false(result->notified);
        assert_true(hbk_text_is(result->type, "Event"));
        assert_int_equal(result->access, 3);
        assert_int_equal(result->widenable, HBK_WIDENABLE_NOT_REDUCED);
        assert_true(fake_handle_is(scene.a->process, result->handle,
                                   fake_handle_find(scene.source, scene.event)->object));
        client_nothing(scene.a);
        const struct hbk_event *done = log_take(scene.log, "handle.transfer", "done", NULL);
        is_party(&done->caller, scene.a);
        is_party(&done->target, scene.a);
        assert_int_equal(done->source.pid, 200);
        assert_int_equal(done->items_count, 1);
        assert_true(hbk_text_is(done->items[0].type, "Event"));
        assert_null(done->endpoint.data);
        assert_int_equal(log_take(scene.log, "delivery.closed", "done", NULL)->correlation,
                         done->correlation);
    }
    assert_int_equal(fake_pins_held(scene.kernel), 0);
    assert_int_equal(client_status(scene.a).delivered, 2);
    assert_int_equal(client_status(scene.a).deliveries_pending, 0);
    scene_end(&scene);
}

/* Another session of its own process is not told. */
static void to_ones_own_process_of_two_sessions(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    struct client *other = client_connect(scene.rig, scene.a->process, 1);
    client_prove(other);
    struct client *const both[] = {scene.a, other};
    for (size_t i = 0; i < 2; ++i) {
        assert_false(transfer(both[i], "{'source':{'pid':200},'handle':%u,'target':{'pid':100}}",
                              scene.event)
                         ->notified);
        client_nothing(both[0]);
        client_nothing(both[1]);
    }
    log_forget(scene.log);
    scene_end(&scene);
}

static const struct hbk_session_info *counts_of(struct scene *scene, const struct client *client)
{
    const struct hbk_session_list_result *list =
        &client_ok(scene->a, HBK_METHOD_BROKER_SESSIONS, "{}")->u.result.sessions;
    size_t i = 0;
    while (list->sessions[i].session != client->session_id)
        assert_true(++i < list->sessions_count);
    return &list->sessions[i];
}

/* Who asks has sent it; received it has who was told of a handle of its own. */
static void what_is_counted(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    share_let(&scene.share, 100, HBK_RIGHT_INSPECT, true);
    transfer(scene.a, "{'source':{'pid':200},'handle':%u,'target':{'pid':201}}", scene.event);
    assert_int_equal(counts_of(&scene, scene.a)->sent, 1);
    assert_int_equal(counts_of(&scene, scene.a)->received, 0);
    transfer(scene.a, "{'source':{'pid':200},'handle':%u}", scene.event);
    assert_int_equal(counts_of(&scene, scene.a)->sent, 2);
    assert_int_equal(counts_of(&scene, scene.a)->received, 1);
    transfer(scene.a, "{'source':{'pid':200},'handle':%u,'target':{'pid':102}}", scene.event);
    assert_int_equal(counts_of(&scene, scene.a)->sent, 3);
    assert_int_equal(counts_of(&scene, scene.a)->received, 1);
    assert_int_equal(counts_of(&scene, scene.c)->sent, 0);
    assert_int_equal(counts_of(&scene, scene.c)->received, 1);
    log_forget(scene.log);
    scene_end(&scene);
}

/* Each process that is looked for is work, which is charged to who asks. */
static void what_it_costs(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t own = client_make(scene.a, "Event", 3);
    fake_process_start(scene.kernel, 203);
    uint64_t spent[4] = {books_spent(scene.rig->core)};
    transfer(scene.a, "{'source':{'pid':100},'handle':%u}", own);
    assert_int_equal(log_take(scene.log, "handle.transfer", "done", NULL)->source.pid, 0);
    spent[1] = books_spent(scene.rig->core);
    transfer(scene.a, "{'source':{'pid':200},'handle':%u}", scene.event);
    spent[2] = books_spent(scene.rig->core);
    client_refused(scene.a, HBK_R_DENIED, TRANSFER, "{'source':{'pid':203},'handle':4}");
    spent[3] = books_spent(scene.rig->core);
    assert_int_equal(spent[2] - spent[1], spent[1] - spent[0] + HBK_WORK_PIN);
    assert_true(spent[3] - spent[2] > HBK_WORK_PIN);
    log_forget(scene.log);
    scene_end(&scene);
}

/* The caller's own handle, whoever it goes to; its own process is not opened. */
static void ones_own_handle(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t own = client_make(scene.a, "Mutant", 0x1F0001);
    const struct hbk_transfer_result *result = transfer(
        scene.a, "{'source':{'pid':100},'handle':%u,'target':{'pid':201},'type':'Mutant'}", own);
    assert_false(result->notified);
    assert_true(fake_handle_is(scene.target, result->handle,
                               fake_handle_find(scene.a->process, own)->object));
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PROCESS_OPEN), 1);
    const struct hbk_event *done = log_take(scene.log, "handle.transfer", "done", NULL);
    assert_int_equal(done->target.pid, 201);
    assert_int_equal(done->target.session, 0);
    assert_null(done->target.user.data);
    log_take(scene.log, "delivery.closed", "done", NULL);
    /* And within it. */
    transfer(scene.a, "{'source':{'pid':100},'handle':%u}", own);
    assert_int_equal(fake_handles_count(scene.a->process), 2);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PROCESS_OPEN), 1);
    log_forget(scene.log);
    scene_end(&scene);
}

static void to_a_process_without_a_session(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    const struct hbk_transfer_result *result = transfer(
        scene.a, "{'source':{'pid':200},'handle':%u,'target':{'pid':201},'access':2}", scene.event);
    assert_false(result->notified);
    assert_int_equal(result->access, 2);
    assert_int_equal(result->widenable, HBK_WIDENABLE_NO);
    assert_int_equal(fake_handle_find(scene.target, result->handle)->access, 2);
    assert_int_equal(fake_handles_count(scene.a->process), 0);
    /* One whose session is not proven has none. */
    struct client *unproven = client_connect(scene.rig, scene.target, 1);
    client_hello(unproven);
    assert_false(
        transfer(scene.a, "{'source':{'pid':200},'handle':%u,'target':{'pid':201}}", scene.event)
            ->notified);
    client_nothing(unproven);
    log_forget(scene.log);
    scene_end(&scene);
}

static void to_a_process_with_a_session(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    scene.kernel->policy.widenable_type = "Event";
    const struct hbk_transfer_result *result = transfer(
        scene.a,
        "{'source':{'pid':200},'handle':%u,'target':{'pid':102},'access':2,'inherit':true}",
        scene.event);
    assert_true(result->notified);
    assert_int_equal(result->widenable, HBK_WIDENABLE_YES);
    const struct hbk_delivered *delivered = client_delivered(scene.c);
    assert_null(delivered->endpoint.data);
    assert_null(delivered->data.data);
    assert_false(delivered->revocable);
    assert_int_equal(delivered->from.session, scene.a->session_id);
    assert_int_equal(delivered->items_count, 1);
    assert_int_equal(delivered->items[0].handle, result->handle);
    assert_int_equal(delivered->items[0].access, 2);
    assert_true(delivered->items[0].inherit);
    assert_true(fake_handle_find(scene.c->process, result->handle)->inherit);
    client_nothing(scene.c);
    const struct hbk_event *done = log_take(scene.log, "handle.transfer", "done", NULL);
    assert_int_equal(done->delivery, delivered->delivery);
    is_party(&done->target, scene.c);
    log_take(scene.log, "delivery.closed", "done", NULL);
    scene_end(&scene);
}

static void inherit_is_set_where_it_was_asked_for(void **state)
{
    (void)state;
    static const char *const targets[] = {"", ",'target':{'pid':201}", ",'target':{'pid':102}"};
    struct scene scene = scene_new();
    struct fake_process *processes[] = {scene.a->process, scene.target, scene.c->process};
    for (unsigned i = 0; i < 6; ++i) {
        char params[128];
        snprintf(params, sizeof params, "{'source':{'pid':200},'handle':%%u%s,'inherit':%s}",
                 targets[i / 2], i % 2 ? "true" : "false");
        uint32_t value = transfer(scene.a, params, scene.event)->handle;
        assert_int_equal(fake_handle_find(processes[i / 2], value)->inherit, i % 2);
    }
    log_forget(scene.log);
    scene_end(&scene);
}

/* The endpoint's process sees to `inherit` itself, as of every delivery. */
static void to_a_name(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    client_ok(scene.b, OPEN, "{'name':'user/a','types':{'Event':2}}");
    log_forget(scene.log);
    const char *params =
        "{'source':{'pid':200},'handle':%u,'target':'user/a','access':2,'inherit':true}";
    const struct hbk_transfer_result *result = transfer(scene.a, params, scene.event);
    assert_true(result->notified);
    const struct hbk_delivered *delivered = client_delivered(scene.b);
    assert_true(hbk_text_is(delivered->endpoint, "user/a"));
    assert_int_equal(delivered->items[0].handle, result->handle);
    assert_true(delivered->items[0].inherit);
    assert_false(fake_handle_find(scene.b->process, result->handle)->inherit);
    const struct hbk_event *done = log_take(scene.log, "handle.transfer", "done", NULL);
    assert_true(hbk_text_is(done->endpoint, "user/a"));
    is_party(&done->target, scene.b);
    log_take(scene.log, "delivery.closed", "done", NULL);
    /* More than it takes; no such name: nobody waits. */
    client_refused(scene.a, HBK_R_ACCESS_NOT_ACCEPTED, TRANSFER,
                   "{'source':{'pid':200},'handle':%u,'target':'user/a'}", scene.event);
    const struct hbk_event *refused =
        log_take(scene.log, "handle.transfer", "refused", "access_not_accepted");
    assert_true(hbk_text_is(refused->endpoint, "user/a"));
    log_take(scene.log, "delivery.closed", "done", NULL);
    client_refused(scene.a, HBK_R_NOT_FOUND, TRANSFER,
                   "{'source':{'pid':200},'handle':%u,'target':'user/b'}", scene.event);
    client_refused(scene.a, HBK_R_DENIED, TRANSFER,
                   "{'source':{'pid':200},'handle':%u,'target':'global/b'}", scene.event);
    assert_int_equal(client_status(scene.a).failed, 3);
    log_forget(scene.log);
    client_nothing(scene.b);
    scene_end(&scene);
}

static void to_who_asks_first(void **state)
{
    (void)state;
    for (int accepts = 0; accepts < 3; ++accepts) {
        struct scene scene = scene_new();
        client_ok(scene.b, OPEN, "{'name':'user/a','mode':'ask'}");
        uint32_t id = client_request(
            scene.a, TRANSFER, "{'source':{'pid':200},'handle':%u,'target':'user/a'}", scene.event);
        rig_run(scene.rig);
        assert_false(client_answered(scene.a, id));
        /* The source is let go as soon as its handle is pinned. */
        assert_int_equal(fake_opened_held(scene.kernel), 0);
        unsigned long long delivery = client_offered(scene.b)->delivery;
        log_forget(scene.log);
        if (accepts == 2) {
            rig_advance(scene.rig, HBK_TIMEOUT_MS_DEFAULT);
            client_error(scene.a, id, HBK_R_TIMEOUT);
            log_take(scene.log, "handle.transfer", "failed", "timeout");
        } else if (accepts) {
            uint32_t value =
                client_ok(scene.b, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery)
                    ->u.result.accept.items[0]
                    .handle;
            const struct hbk_transfer_result *result =
                &client_result(scene.a, id)->u.result.transfer;
            assert_true(result->notified);
            assert_int_equal(result->handle, value);
            log_take(scene.log, "delivery.accept", "done", NULL);
            log_take(scene.log, "handle.transfer", "done", NULL);
        } else {
            client_ok(scene.b, HBK_METHOD_DELIVERY_REJECT, "{'delivery':%llu}", delivery);
            client_error(scene.a, id, HBK_R_REJECTED);
            assert_int_equal(fake_handles_count(scene.b->process), 0);
            log_take(scene.log, "delivery.reject", "done", NULL);
            log_take(scene.log, "handle.transfer", "refused", "rejected");
        }
        log_take(scene.log, "delivery.closed", "done", NULL);
        scene_end(&scene);
    }
}

/* ---- who may ---- */

/* It is said which of the two cannot be opened, in the platform's own words where it has some. */
static void a_process_that_cannot_be_opened(void **state)
{
    (void)state;
    static const char *const which[] = {"source, process 200: ", "target, process 201: "};
    static const char *const params = "{'source':{'pid':200},'handle':%u,'target':{'pid':201}}";
    for (uint32_t i = 0; i < 4; ++i) {
        struct scene scene = scene_new();
        const char *words = i % 2 ? "the platform's own words" : NULL;
        scene.kernel->fault_detail = words;
        fake_fail(scene.kernel, FAKE_OP_PROCESS_OPEN, 1 + i / 2, HBK_R_OS_ERROR, 1450);
        const struct hbk_error *error =
            client_refused(scene.a, HBK_R_OS_ERROR, TRANSFER, params, scene.event);
        assert_memory_equal(error->detail, which[i / 2], strlen(which[i / 2]));
        assert_string_equal(error->detail + strlen(which[i / 2]),
                            words ? words : hbk_result_meaning(HBK_R_OS_ERROR));
        assert_int_equal(error->win32, 1450);
        assert_int_equal(fake_opened_held(scene.kernel), 0);
        assert_int_equal(fake_handles_count(scene.target), 0);
        transfer(scene.a, params, scene.event);
        assert_int_equal(fake_handles_count(scene.target), 1);
        log_forget(scene.log);
        scene_end(&scene);
    }
}

static void both_processes_must_be_in_reach(void **state)
{
    (void)state;
    for (uint32_t pid = 200; pid <= 201; ++pid) {
        struct scene scene = scene_new();
        fake_may_duplicate(scene.kernel, 100, pid, false);
        const struct hbk_error *error =
            client_refused(scene.a, HBK_R_DENIED, TRANSFER,
                           "{'source':{'pid':200},'handle':%u,'target':{'pid':201}}", scene.event);
        assert_non_null(strstr(error->detail, pid == 200 ? "source" : "target"));
        assert_int_equal(error->win32, 5);
        assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PIN), 0);
        assert_int_equal(fake_opened_held(scene.kernel), 0);
        const struct hbk_event *refused =
            log_take(scene.log, "handle.transfer", "refused", "denied");
        is_party(&refused->caller, scene.a);
        assert_int_equal(refused->win32, 5);
        assert_int_equal(client_status(scene.a).failed, 1);
        /* The right of one is none of another's. */
        client_refused(scene.c, HBK_R_DENIED, TRANSFER, "{'source':{'pid':200},'handle':%u}",
                       scene.event);
        log_forget(scene.log);
        scene_end(&scene);
    }
}

static void the_rules_may_forbid_it(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t own = client_make(scene.a, "Event", 3);
    share_let(&scene.share, 0, HBK_RIGHT_TRANSFER, false);
    share_let(&scene.share, 101, HBK_RIGHT_TRANSFER, true);
    fake_trace_clear(scene.kernel);
    client_refused(scene.a, HBK_R_DENIED, TRANSFER, "{'source':{'pid':200},'handle':%u}",
                   scene.event);
    client_refused(scene.a, HBK_R_DENIED, TRANSFER, "{'source':{'pid':100},'handle':%u}", own);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PROCESS_OPEN), 0);
    log_take(scene.log, "handle.transfer", "refused", "denied");
    log_take(scene.log, "handle.transfer", "refused", "denied");
    assert_int_equal(client_status(scene.a).failed, 2);
    fake_may_duplicate(scene.kernel, 101, 200, true);
    transfer(scene.b, "{'source':{'pid':200},'handle':%u}", scene.event);
    log_forget(scene.log);
    scene_end(&scene);
}

static void processes_that_are_nobodys(void **state)
{
    (void)state;
    static const uint32_t own_pids[] = {4, 77};
    struct scene scene = scene_new();
    struct fake_process *system = fake_process_start(scene.kernel, 4);
    struct fake_process *broker = fake_process_start(scene.kernel, 77);
    assert_int_equal(fake_handle_make(scene.kernel, system, "Event", 3), 4);
    assert_int_equal(fake_handle_make(scene.kernel, broker, "Event", 3), 4);
    for (size_t i = 0; i < 2; ++i) {
        fake_may_duplicate(scene.kernel, 100, own_pids[i], true);
        client_refused(scene.a, HBK_R_DENIED, TRANSFER, "{'source':{'pid':%u},'handle':4}",
                       own_pids[i]);
        client_refused(scene.a, HBK_R_DENIED, TRANSFER,
                       "{'source':{'pid':200},'handle':4,'target':{'pid':%u}}", own_pids[i]);
        log_take(scene.log, "handle.transfer", "refused", "denied");
        log_take(scene.log, "handle.transfer", "refused", "denied");
    }
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PIN), 0);
    /* None of that pid, and one that has ended. */
    fake_may_duplicate(scene.kernel, 100, 300, true);
    fake_process_exit(scene.kernel, scene.target);
    static const uint32_t gone[] = {300, 201};
    for (size_t i = 0; i < 2; ++i) {
        client_refused(scene.a, HBK_R_NOT_FOUND, TRANSFER, "{'source':{'pid':%u},'handle':4}",
                       gone[i]);
        client_refused(scene.a, HBK_R_NOT_FOUND, TRANSFER,
                       "{'source':{'pid':200},'handle':4,'target':{'pid':%u}}", gone[i]);
    }
    assert_int_equal(client_status(scene.a).failed, 8);
    log_forget(scene.log);
    scene_end(&scene);
}

static void what_may_pass(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t token = fake_handle_make(scene.kernel, scene.source, "Token", 0xF01FF);
    uint32_t port = fake_handle_make(scene.kernel, scene.source, "ALPC Port", 1);
    uint32_t socket = fake_socket_make(scene.kernel, scene.source, 1);
    client_refused(scene.a, HBK_R_TYPE_NOT_ALLOWED, TRANSFER, "{'source':{'pid':200},'handle':%u}",
                   token);
    client_refused(scene.a, HBK_R_TYPE_NOT_ALLOWED, TRANSFER, "{'source':{'pid':200},'handle':%u}",
                   port);
    fake_trace_clear(scene.kernel);
    client_refused(scene.a, HBK_R_TYPE_NOT_ALLOWED, TRANSFER,
                   "{'source':{'pid':200},'handle':%u,'type':'Socket'}", socket);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PROCESS_OPEN), 0);
    client_refused(scene.a, HBK_R_TYPE_MISMATCH, TRANSFER,
                   "{'source':{'pid':200},'handle':%u,'type':'Mutant'}", scene.event);
    client_refused(scene.a, HBK_R_ACCESS_EXCEEDS_SOURCE, TRANSFER,
                   "{'source':{'pid':200},'handle':%u,'access':4}", scene.event);
    client_refused(scene.a, HBK_R_ACCESS_EXCEEDS_SOURCE, TRANSFER,
                   "{'source':{'pid':200},'handle':%u,'access':'read'}", scene.event);
    client_refused(scene.a, HBK_R_BAD_HANDLE, TRANSFER, "{'source':{'pid':200},'handle':4000}");
    client_refused(scene.a, HBK_R_BAD_HANDLE, TRANSFER, "{'source':{'pid':200},'handle':0}");
    client_refused(scene.a, HBK_R_INVALID_PARAMS, TRANSFER, "{'handle':%u}", scene.event);
    assert_int_equal(fake_opened_held(scene.kernel), 0);
    log_forget(scene.log);
    scene_end(&scene);
}

static void limits_bind_it_as_any_send(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    scene.rig->config.pins_per_session = 1;
    share_reload(&scene.share);
    scene.kernel->unpins_pend = true;
    transfer(scene.a, "{'source':{'pid':200},'handle':%u}", scene.event);
    assert_int_equal(fake_pins_held(scene.kernel), 1);
    const struct hbk_error *error =
        client_refused(scene.a, HBK_R_QUOTA, TRANSFER,
                       "{'source':{'pid':200},'handle':%u,'target':{'pid':201}}", scene.event);
    assert_string_equal(error->limit, "pins");
    assert_int_equal(fake_opened_held(scene.kernel), 0);
    rig_unpins_end(scene.rig);
    transfer(scene.a, "{'source':{'pid':200},'handle':%u}", scene.event);
    log_forget(scene.log);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_oneself),
        cmocka_unit_test(to_ones_own_process_of_two_sessions),
        cmocka_unit_test(what_is_counted),
        cmocka_unit_test(what_it_costs),
        cmocka_unit_test(ones_own_handle),
        cmocka_unit_test(to_a_process_without_a_session),
        cmocka_unit_test(to_a_process_with_a_session),
        cmocka_unit_test(inherit_is_set_where_it_was_asked_for),
        cmocka_unit_test(to_a_name),
        cmocka_unit_test(to_who_asks_first),
        cmocka_unit_test(a_process_that_cannot_be_opened),
        cmocka_unit_test(both_processes_must_be_in_reach),
        cmocka_unit_test(the_rules_may_forbid_it),
        cmocka_unit_test(processes_that_are_nobodys),
        cmocka_unit_test(what_may_pass),
        cmocka_unit_test(limits_bind_it_as_any_send),
    };
    return cmocka_run_group_tests_name("core: transfer", tests, NULL, NULL);
}
