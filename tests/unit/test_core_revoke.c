/* delivery.revoke: taking back what both sides agreed that it may be taken back, and what is not told yet. */
#include "core_books.h"
#include "core_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEND HBK_METHOD_HANDLE_SEND
#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define REVOKE HBK_METHOD_DELIVERY_REVOKE
#define REVOCABLE "{'name':'user/a','revocable':true}"

/* Process 100 sends to process 101, whose endpoint agrees. */
struct scene {
    struct share share;
    struct rig *rig;
    struct fake_kernel *kernel;
    struct log *log;
    struct client *a, *b, *c;
};

static struct scene scene_new(const char *open)
{
    struct scene scene = {.share = share_new(NULL)};
    scene.rig = scene.share.rig;
    scene.kernel = scene.rig->kernel;
    scene.log = scene.share.log;
    scene.a = scene.share.a;
    scene.b = scene.share.b;
    scene.c = scene.share.c;
    client_ok(scene.b, OPEN, "%s", open);
    log_forget(scene.log);
    return scene;
}

static void scene_end(struct scene *scene)
{
    log_forget(scene->log);
    share_end(&scene->share);
}

/* Send @count new events, revocable, without running. Return: the request's id. */
static uint32_t send(const struct scene *scene, unsigned count)
{
    char params[2048];
    int size = snprintf(params, sizeof params, "{'to':'user/a','revocable':true,'items':[");
    for (unsigned i = 0; i < count; ++i)
        size += snprintf(params + size, sizeof params - (size_t)size, "%s{'handle':%u}",
                         i ? "," : "", client_make(scene->a, "Event", 3));
    snprintf(params + size, sizeof params - (size_t)size, "]}");
    return client_request_text(scene->a, SEND, params);
}

/* The same, told. Return: the delivery. */
static unsigned long long give(const struct scene *scene, unsigned count)
{
    uint32_t id = send(scene, count);
    rig_run(scene->rig);
    unsigned long long delivery = client_result(scene->a, id)->u.result.send.delivery;
    const struct hbk_delivered *delivered = client_delivered(scene->b);
    assert_int_equal(delivered->delivery, delivery);
    assert_true(delivered->revocable);
    return delivery;
}

/* @closed: indices, as text. Both sides are told the same. */
static void revoke(const struct scene *scene, struct client *client, unsigned long long delivery,
                   const char *closed)
{
    const struct hbk_revoke_result *result =
        &client_ok(client, REVOKE, "{'delivery':%llu}", delivery)->u.result.revoke;
    const struct hbk_revoked *revoked = client_revoked(scene->b);
    assert_int_equal(revoked->delivery, delivery);
    assert_int_equal(result->closed_count, strlen(closed));
    assert_int_equal(revoked->closed_count, strlen(closed));
    for (size_t i = 0; closed[i]; ++i) {
        assert_int_equal(result->closed[i], closed[i] - '0');
        assert_int_equal(revoked->closed[i], closed[i] - '0');
    }
}

static void not_yours(struct client *client, unsigned long long delivery)
{
    client_refused(client, HBK_R_NOT_FOUND, REVOKE, "{'delivery':%llu}", delivery);
}

/* ---- who agreed ---- */

static void it_is_closed_there(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    unsigned long long delivery = give(&scene, 3);
    assert_int_equal(fake_handles_count(scene.b->process), 3);
    assert_int_equal(fake_pins_held(scene.kernel), 3);
    assert_int_equal(client_status(scene.a).deliveries_pending, 0);
    uint64_t correlation = log_take(scene.log, "handle.send", "done", NULL)->correlation;
    revoke(&scene, scene.a, delivery, "012");
    assert_int_equal(fake_handles_count(scene.b->process), 0);
    assert_int_equal(fake_handles_count(scene.a->process), 3);
    assert_int_equal(fake_pins_held(scene.kernel), 0);
    const struct hbk_event *record = log_take(scene.log, "delivery.revoke", "done", NULL);
    assert_int_equal(record->caller.session, scene.a->session_id);
    assert_int_equal(record->target.session, scene.b->session_id);
    assert_int_equal(record->delivery, delivery);
    assert_int_equal(record->items_count, 3);
    assert_true(hbk_text_is(record->endpoint, "user/a"));
    const struct hbk_event *closed = log_take(scene.log, "delivery.closed", "done", NULL);
    assert_int_equal(closed->correlation, correlation);
    assert_true(hbk_text_is(closed->endpoint, "user/a"));
    assert_int_equal(closed->target.pid, 0); /* it has none any more */
    not_yours(scene.a, delivery);            /* once */
    client_nothing(scene.b);
    scene_end(&scene);
}

static void both_sides_must_agree(void **state)
{
    (void)state;
    static const char *const closed[] = {"{'name':'user/a'}",
                                         "{'name':'user/a','revocable':false}"};
    for (size_t i = 0; i < 2; ++i) {
        struct scene scene = scene_new(closed[i]);
        uint32_t event = client_make(scene.a, "Event", 3);
        client_refused(scene.a, HBK_R_ACCESS_NOT_ACCEPTED, SEND,
                       "{'to':'user/a','items':[{'handle':%u}],'revocable':true}", event);
        client_nothing(scene.b);
        assert_int_equal(fake_pins_held(scene.kernel), 0);
        scene_end(&scene);
    }
    struct scene scene = scene_new(REVOCABLE);
    uint32_t event = client_make(scene.a, "Event", 3);
    for (int i = 0; i < 2; ++i) {
        unsigned long long delivery =
            client_ok(scene.a, SEND, "{'to':'user/a','items':[{'handle':%u}]%s}", event,
                      i ? ",'revocable':false" : "")
                ->u.result.send.delivery;
        assert_false(client_delivered(scene.b)->revocable);
        assert_int_equal(fake_pins_held(scene.kernel), 0);
        not_yours(scene.a, delivery);
        client_nothing(scene.b);
    }
    scene_end(&scene);
}

/* Asked of the endpoint that opens, too. */
static void an_endpoint_that_opens_later(void **state)
{
    (void)state;
    for (int agrees = 0; agrees < 2; ++agrees) {
        struct scene scene = scene_new(REVOCABLE);
        uint32_t event = client_make(scene.a, "Event", 3);
        uint32_t id = client_request(
            scene.a, SEND,
            "{'to':'user/late','items':[{'handle':%u}],'wait_ms':1000,'revocable':true}", event);
        rig_run(scene.rig);
        client_ok(scene.b, OPEN, "{'name':'user/late','revocable':%s}", agrees ? "true" : "false");
        if (agrees) {
            client_result(scene.a, id);
            assert_true(client_delivered(scene.b)->revocable);
        } else {
            client_error(scene.a, id, HBK_R_ACCESS_NOT_ACCEPTED);
        }
        assert_int_equal(fake_pins_held(scene.kernel), agrees);
        scene_end(&scene);
    }
}

static void what_cannot_be_taken_back(void **state)
{
    (void)state;
    struct scene scene = scene_new(
        "{'name':'user/a','revocable':true,'types':{'Socket':'any','File':'any','Event':'any'}}");
    uint32_t event = client_make(scene.a, "Event", 3);
    uint32_t socket = client_make_socket(scene.a, 0x1F01FF);
    const struct hbk_error *error = client_refused(
        scene.a, HBK_R_INVALID_PARAMS, SEND,
        "{'to':'user/a','items':[{'handle':%u},{'handle':%u,'protect':true}],'revocable':true}",
        event, event);
    assert_int_equal(error->item, 1);
    error = client_refused(
        scene.a, HBK_R_INVALID_PARAMS, SEND,
        "{'to':'user/a','items':[{'handle':%u},{'handle':%u,'type':'Socket'}],'revocable':true}",
        event, socket);
    assert_int_equal(error->item, 1);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PIN), 0);
    client_nothing(scene.b);
    client_ok(scene.a, SEND, "{'to':'user/a','items':[{'handle':%u,'protect':true}]}", event);
    assert_true(client_delivered(scene.b)->items[0].protect);
    scene_end(&scene);
}

static void one_that_was_accepted(void **state)
{
    (void)state;
    struct scene scene = scene_new("{'name':'user/a','mode':'ask','revocable':true}");
    uint32_t id = send(&scene, 2);
    rig_run(scene.rig);
    const struct hbk_delivered *offered = client_offered(scene.b);
    assert_true(offered->revocable);
    client_ok(scene.b, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
              (unsigned long long)offered->delivery);
    client_result(scene.a, id);
    assert_int_equal(fake_pins_held(scene.kernel), 2);
    revoke(&scene, scene.a, offered->delivery, "01");
    assert_int_equal(fake_handles_count(scene.b->process), 0);
    scene_end(&scene);
}

/* ---- who may ---- */

static void who_may_revoke(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    struct client *other = client_connect(scene.rig, scene.a->process, 1);
    client_prove(other);
    log_forget(scene.log);
    unsigned long long first = give(&scene, 1), second = give(&scene, 1);
    /* Neither who holds it, nor a stranger, nor another session of the sender's process; nor is anything known by
     * another id. */
    struct client *const strangers[] = {scene.b, scene.c, other};
    share_let(&scene.share, 0, HBK_RIGHT_INSPECT, true);
    for (size_t i = 0; i < 3; ++i)
        not_yours(strangers[i], first);
    not_yours(scene.a, first + 100);
    not_yours(scene.a, first ^ (1ull << 40));
    client_refused(scene.a, HBK_R_INVALID_PARAMS, REVOKE, "{'delivery':%llu,'reason':'x'}", first);
    client_refused(scene.a, HBK_R_INVALID_PARAMS, REVOKE, "{}");
    assert_int_equal(fake_handles_count(scene.b->process), 2);
    log_take(scene.log, "handle.send", "done", NULL);
    log_take(scene.log, "handle.send", "done", NULL);
    for (size_t i = 0; i < 5; ++i)
        log_take(scene.log, "delivery.revoke", "refused", "not_found");
    log_forget(scene.log);
    client_nothing(scene.b);
    /* Whom the rules let. */
    share_let(&scene.share, 102, HBK_RIGHT_REVOKE, true);
    revoke(&scene, scene.c, second, "0");
    const struct hbk_event *record = log_take(scene.log, "delivery.revoke", "done", NULL);
    assert_int_equal(record->caller.session, scene.c->session_id);
    assert_int_equal(record->target.session, scene.b->session_id);
    assert_int_equal(fake_handles_count(scene.b->process), 1);
    client_nothing(scene.a);
    not_yours(scene.c, second);
    revoke(&scene, scene.a, first, "0");
    scene_end(&scene);
}

/* ---- what is still there ---- */

static void only_what_is_still_there_is_closed(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    unsigned long long delivery = give(&scene, 4);
    /* The first is closed; at the second's value is another object. */
    fake_handle_close(scene.kernel, scene.b->process, 4);
    fake_handle_close(scene.kernel, scene.b->process, 8);
    client_make(scene.b, "Key", 1);
    uint32_t own = client_make(scene.b, "Key", 1);
    assert_int_equal(own, 8);
    revoke(&scene, scene.a, delivery, "23");
    assert_non_null(fake_handle_find(scene.b->process, 4));
    assert_non_null(fake_handle_find(scene.b->process, 8));
    assert_int_equal(fake_handles_count(scene.b->process), 2);
    scene_end(&scene);
}

static void nothing_is_there_any_more(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    unsigned long long delivery = give(&scene, 2);
    fake_handle_close(scene.kernel, scene.b->process, 4);
    fake_handle_close(scene.kernel, scene.b->process, 8);
    revoke(&scene, scene.a, delivery, "");
    /* The process has ended, and nobody has heard of it yet. */
    delivery = give(&scene, 2);
    fake_process_exit(scene.kernel, scene.b->process);
    assert_int_equal(
        client_ok(scene.a, REVOKE, "{'delivery':%llu}", delivery)->u.result.revoke.closed_count, 0);
    assert_int_equal(fake_pins_held(scene.kernel), 0);
    client_hang_up(scene.b);
    scene_end(&scene);
}

static void one_that_cannot_be_closed_is_not_said_to_be(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    unsigned long long delivery = give(&scene, 3);
    fake_fail(scene.kernel, FAKE_OP_UNPLACE, 2, HBK_R_OS_ERROR, 5);
    revoke(&scene, scene.a, delivery, "02");
    assert_int_equal(fake_handles_count(scene.b->process), 1);
    scene_end(&scene);
}

static void the_endpoint_may_be_closed_by_then(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    unsigned long long delivery = give(&scene, 1);
    client_ok(scene.b, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    revoke(&scene, scene.a, delivery, "0");
    scene_end(&scene);
}

static void to_oneself(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    uint32_t event = client_make(scene.b, "Event", 3);
    for (int ends = 0; ends < 2; ++ends) {
        unsigned long long delivery =
            client_ok(scene.b, SEND, "{'to':'user/a','items':[{'handle':%u}],'revocable':true}",
                      event)
                ->u.result.send.delivery;
        client_delivered(scene.b);
        assert_int_equal(fake_handles_count(scene.b->process), 2);
        if (ends) {
            client_hang_up(scene.b);
            assert_true(scene.b->connection->released);
        } else {
            revoke(&scene, scene.b, delivery, "0");
            assert_int_equal(fake_handles_count(scene.b->process), 1);
        }
        client_nothing(scene.b);
    }
    scene_end(&scene);
}

/* ---- what it costs ---- */

static void its_pins_are_the_senders(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.pins_per_session = 4;
    struct scene scene = {.share = share_new(&config)};
    scene.rig = scene.share.rig;
    scene.kernel = scene.rig->kernel;
    scene.log = scene.share.log;
    scene.a = scene.share.a;
    scene.b = scene.share.b;
    client_ok(scene.b, OPEN, REVOCABLE);
    unsigned long long first = give(&scene, 3);
    unsigned long long second = give(&scene, 1);
    uint32_t event = client_make(scene.a, "Event", 3);
    for (int pass = 0; pass < 3; ++pass) {
        const struct hbk_error *error =
            client_refused(scene.a, HBK_R_QUOTA, SEND,
                           "{'to':'user/a','items':[{'handle':%u}],'revocable':true}", event);
        assert_string_equal(error->limit, "pins");
        if (pass == 0) {
            /* Until the close has returned. */
            scene.kernel->unpins_pend = true;
            revoke(&scene, scene.a, second, "0");
        } else if (pass == 1) {
            revoke(&scene, scene.a, first, "012");
            assert_int_equal(fake_pins_closing(scene.kernel), 4);
        }
    }
    rig_unpins_end(scene.rig);
    scene.kernel->unpins_pend = false;
    give(&scene, 4);
    scene_end(&scene);
}

/* Each handle that is closed there is work, which is charged to who asks. */
static void each_item_costs(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    unsigned long long one = give(&scene, 1), three = give(&scene, 3);
    uint64_t spent[3] = {books_spent(scene.rig->core)};
    revoke(&scene, scene.a, one, "0");
    spent[1] = books_spent(scene.rig->core);
    revoke(&scene, scene.a, three, "012");
    spent[2] = books_spent(scene.rig->core);
    /* Closed there, and its pin here. */
    assert_int_equal(spent[2] - spent[1], spent[1] - spent[0] + 4);
    scene_end(&scene);
}

static uint64_t cost_of_revoking(const struct scene *scene)
{
    unsigned long long delivery = give(scene, 1);
    uint64_t before = books_spent(scene->rig->core);
    revoke(scene, scene->a, delivery, "0");
    return books_spent(scene->rig->core) - before;
}

/* So is what is looked through for values that are on their way: sessions, and what is under way, but not what can be
 * revoked. */
static void what_is_looked_through_costs(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.requests_per_session = 2 * HBK_WORK_LOOKED_AT;
    struct scene scene = {.share = share_new(&config)};
    scene.rig = scene.share.rig;
    scene.kernel = scene.rig->kernel;
    scene.log = scene.share.log;
    scene.kernel->audit.forgets = true;
    scene.a = scene.share.a;
    scene.b = scene.share.b;
    client_ok(scene.b, OPEN, REVOCABLE);
    uint32_t event = client_make(scene.a, "Event", 3);
    uint64_t least = cost_of_revoking(&scene);
    for (unsigned i = 0; i < HBK_WORK_LOOKED_AT; ++i)
        client_ok(scene.a, SEND, "{'to':'user/a','items':[{'handle':%u}],'revocable':true}", event);
    for (unsigned i = 0; i < HBK_WORK_LOOKED_AT; ++i)
        client_delivered(scene.b);
    assert_int_equal(cost_of_revoking(&scene), least);
    for (unsigned i = 0; i < HBK_WORK_LOOKED_AT; ++i)
        client_request(scene.a, SEND, "{'to':'user/late','items':[{'handle':%u}],'wait_ms':60000}",
                       event);
    rig_run(scene.rig);
    assert_int_equal(cost_of_revoking(&scene), least + 1);
    for (unsigned i = 0; i < HBK_WORK_LOOKED_AT; ++i)
        client_connect(scene.rig, scene.share.c->process, 2);
    rig_run(scene.rig);
    assert_int_equal(cost_of_revoking(&scene), least + 2);
    scene_end(&scene);
}

/* A user's whole share may be in what it gave. What it asks is looked for among what is under way alone. */
static void many_are_no_burden(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    uint32_t event = client_make(scene.a, "Event", 3);
    for (unsigned i = 0; i < HBK_PINS_PER_SESSION_MAX; ++i) {
        client_ok(scene.a, SEND, "{'to':'user/a','items':[{'handle':%u}],'revocable':true}", event);
        log_forget(scene.log);
    }
    assert_int_equal(fake_pins_held(scene.kernel), HBK_PINS_PER_SESSION_MAX);
    assert_int_equal(books_under_way(scene.rig->core, scene.a->session), 0);
    client_refused(scene.a, HBK_R_QUOTA, SEND, "{'to':'user/a','items':[{'handle':%u}]}", event);
    assert_int_equal(fake_handles_count(scene.b->process), HBK_PINS_PER_SESSION_MAX);
    scene.kernel->audit.forgets = true;
    client_hang_up(scene.a);
    assert_int_equal(fake_pins_held(scene.kernel), 0);
    assert_int_equal(fake_handles_count(scene.b->process), HBK_PINS_PER_SESSION_MAX);
    assert_true(scene.a->connection->released);
    scene_end(&scene);
}

/* Its id is in flight no longer than its answer. */
static void its_id_may_be_used_again(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    uint32_t event = client_make(scene.a, "Event", 3);
    char line[256];
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"id\":\"same\",\"method\":\"handle.send\",\"params\":{\"to\":"
             "\"user/a\",\"items\":[{\"handle\":%u}],\"revocable\":true}}",
             event);
    client_line(scene.a, line);
    client_line(scene.a, line);
    client_delivered(scene.b);
    client_delivered(scene.b);
    assert_int_equal(client_untaken(scene.a), 2);
    for (size_t i = 0; i < scene.a->inbox_count; ++i)
        if (!scene.a->inbox[i]->taken)
            assert_int_equal(scene.a->inbox[i]->message.kind, HBK_MESSAGE_RESULT);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_closed_there),
        cmocka_unit_test(both_sides_must_agree),
        cmocka_unit_test(an_endpoint_that_opens_later),
        cmocka_unit_test(what_cannot_be_taken_back),
        cmocka_unit_test(one_that_was_accepted),
        cmocka_unit_test(who_may_revoke),
        cmocka_unit_test(only_what_is_still_there_is_closed),
        cmocka_unit_test(nothing_is_there_any_more),
        cmocka_unit_test(one_that_cannot_be_closed_is_not_said_to_be),
        cmocka_unit_test(the_endpoint_may_be_closed_by_then),
        cmocka_unit_test(to_oneself),
        cmocka_unit_test(its_pins_are_the_senders),
        cmocka_unit_test(each_item_costs),
        cmocka_unit_test(what_is_looked_through_costs),
        cmocka_unit_test(many_are_no_burden),
        cmocka_unit_test(its_id_may_be_used_again),
    };
    return cmocka_run_group_tests_name("core: revoke", tests, NULL, NULL);
}
