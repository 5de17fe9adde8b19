/* What was told and can be revoked, when one of its two sides ends, is told of that, or something fails. */
#include "alloc_fault.h"
#include "core_share.h"

#include <stdio.h>

#define SEND HBK_METHOD_HANDLE_SEND
#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define REVOKE HBK_METHOD_DELIVERY_REVOKE
#define REVOCABLE "{'name':'user/a','revocable':true}"
#define GIVE "{'to':'user/a','items':[{'handle':%u},{'handle':%u}],'revocable':true}"

/* Process 100 has given two handles of one event to process 101, or not yet. */
struct scene {
    struct share share;
    struct rig *rig;
    struct fake_kernel *kernel;
    struct log *log;
    struct client *a, *b, *c;
    uint32_t event;
    unsigned long long delivery;
};

static struct scene scene_new(void)
{
    struct scene scene = {.share = share_new(NULL)};
    scene.rig = scene.share.rig;
    scene.kernel = scene.rig->kernel;
    scene.log = scene.share.log;
    scene.a = scene.share.a;
    scene.b = scene.share.b;
    scene.c = scene.share.c;
    scene.event = client_make(scene.a, "Event", 3);
    client_ok(scene.b, OPEN, REVOCABLE);
    log_forget(scene.log);
    return scene;
}

static struct scene scene_given(void)
{
    struct scene scene = scene_new();
    scene.delivery =
        client_ok(scene.a, SEND, GIVE, scene.event, scene.event)->u.result.send.delivery;
    client_delivered(scene.b);
    return scene;
}

static void scene_end(struct scene *scene)
{
    log_forget(scene->log);
    share_end(&scene->share);
}

/* ---- who ends ---- */

static void the_sender_ends(void **state)
{
    (void)state;
    for (int exits = 0; exits < 2; ++exits) {
        struct scene scene = scene_given();
        client_ok(scene.a, SEND, GIVE, scene.event, scene.event);
        client_delivered(scene.b);
        if (exits)
            client_exit(scene.a);
        else
            client_hang_up(scene.a);
        /* Once, however much they share; and what was given stays. */
        assert_int_equal(client_session_gone(scene.b)->session, scene.a->session_id);
        client_nothing(scene.b);
        assert_int_equal(fake_handles_count(scene.b->process), 4);
        assert_int_equal(fake_pins_held(scene.kernel), 0);
        assert_true(scene.a->connection->released);
        share_let(&scene.share, 102, HBK_RIGHT_REVOKE, true);
        client_refused(scene.c, HBK_R_NOT_FOUND, REVOKE, "{'delivery':%llu}", scene.delivery);
        scene_end(&scene);
    }
}

static void the_target_ends(void **state)
{
    (void)state;
    for (int exits = 0; exits < 2; ++exits) {
        struct scene scene = scene_given();
        client_ok(scene.a, SEND, GIVE, scene.event, scene.event);
        client_delivered(scene.b);
        if (exits)
            client_exit(scene.b);
        else
            client_hang_up(scene.b);
        assert_int_equal(client_session_gone(scene.a)->session, scene.b->session_id);
        client_nothing(scene.a);
        assert_int_equal(fake_pins_held(scene.kernel), 0);
        assert_int_equal(fake_handles_count(scene.b->process), exits ? 0 : 4);
        assert_true(scene.b->connection->released);
        client_refused(scene.a, HBK_R_NOT_FOUND, REVOKE, "{'delivery':%llu}", scene.delivery);
        scene_end(&scene);
    }
}

/* Nobody else hears of it, nor anybody of what cannot be revoked or is revoked. */
static void whom_it_does_not_concern(void **state)
{
    (void)state;
    for (int revoked = 0; revoked < 2; ++revoked) {
        for (int sender = 0; sender < 2; ++sender) {
            struct scene scene = scene_given();
            struct client *other = client_new(scene.rig, 103, 1);
            if (revoked) {
                client_ok(scene.a, REVOKE, "{'delivery':%llu}", scene.delivery);
                client_revoked(scene.b);
            }
            client_ok(other, SEND, "{'to':'user/a','items':[{'handle':%u}]}",
                      client_make(other, "Event", 3));
            client_delivered(scene.b);
            client_hang_up(sender ? scene.a : scene.b);
            if (!revoked)
                client_session_gone(sender ? scene.b : scene.a);
            client_nothing(scene.a);
            client_nothing(scene.b);
            client_nothing(other);
            scene_end(&scene);
        }
    }
}

/* Each of several is told of each. */
static void several_share(void **state)
{
    (void)state;
    struct scene scene = scene_given();
    struct client *other = client_new(scene.rig, 103, 1);
    uint32_t event = client_make(other, "Event", 3);
    client_ok(other, SEND, GIVE, event, event);
    client_delivered(scene.b);
    client_ok(scene.a, OPEN, "{'name':'user/back','revocable':true}");
    client_ok(scene.b, SEND, "{'to':'user/back','items':[{'handle':%u}],'revocable':true}",
              client_make(scene.b, "Event", 3));
    client_delivered(scene.a);
    client_exit(scene.b);
    assert_int_equal(client_session_gone(scene.a)->session, scene.b->session_id);
    assert_int_equal(client_session_gone(other)->session, scene.b->session_id);
    client_nothing(scene.a);
    client_nothing(other);
    assert_int_equal(fake_pins_held(scene.kernel), 0);
    scene_end(&scene);
}

/* One ends while it is being told: then it is not revocable any more, and the other hears of that. */
static void one_ends_while_it_is_told(void **state)
{
    (void)state;
    for (int sender = 0; sender < 2; ++sender) {
        for (int told = 0; told < 2; ++told) {
            struct scene scene = scene_new();
            scene.b->connection->write_mode = FAKE_WRITE_PENDS;
            uint32_t id = client_request(scene.a, SEND, GIVE, scene.event, scene.event);
            rig_run(scene.rig);
            client_hang_up(sender ? scene.a : scene.b);
            scene.b->connection->write_mode = FAKE_WRITE_DONE;
            client_write_ends(scene.b, told);
            assert_int_equal(fake_handles_count(scene.b->process), told ? 2 : 0);
            assert_int_equal(fake_pins_held(scene.kernel), 0);
            if (told)
                client_delivered(scene.b);
            /* Said at once, with all else that they share, so that it is said once. */
            if (!sender)
                assert_int_equal(client_session_gone(scene.a)->session, scene.b->session_id);
            if (!sender && told)
                client_result(scene.a, id);
            else if (!sender)
                client_error(scene.a, id, HBK_R_TARGET_GONE);
            if (sender && told)
                assert_int_equal(client_session_gone(scene.b)->session, scene.a->session_id);
            client_nothing(scene.a);
            client_nothing(scene.b);
            assert_true((sender ? scene.a : scene.b)->connection->released);
            scene_end(&scene);
        }
    }
}

/* What cannot be revoked was never shared: how its send has ended is all that there is to say. */
static void nothing_is_shared_by_what_cannot_be_revoked(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    scene.b->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t id =
        client_request(scene.a, SEND, "{'to':'user/a','items':[{'handle':%u}]}", scene.event);
    rig_run(scene.rig);
    client_hang_up(scene.b);
    client_write_ends(scene.b, false);
    client_error(scene.a, id, HBK_R_TARGET_GONE);
    client_nothing(scene.a);
    scene_end(&scene);
}

/* Its line is in the queue of who ends, which is still written. */
static void one_ends_before_it_is_written(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    scene.b->raw = true;
    client_bytes(scene.b, "{", 1);
    rig_run(scene.rig);
    uint32_t id = client_request(scene.a, SEND, GIVE, scene.event, scene.event);
    while (fake_handles_untold(scene.b->process) < 2)
        assert_true(rig_turn(scene.rig));
    assert_null(scene.b->connection->pending);
    scene.kernel->now_ms += scene.rig->config.line_ms; /* for the half line */
    hbk_core_tick(scene.rig->core);
    rig_run(scene.rig);
    client_delivered(scene.b);
    client_null_error(scene.b, HBK_R_TIMEOUT);
    client_result(scene.a, id);
    assert_int_equal(client_session_gone(scene.a)->session, scene.b->session_id);
    client_nothing(scene.a);
    assert_int_equal(fake_pins_held(scene.kernel), 0);
    scene_end(&scene);
}

/* What it shares with one that has gone is told late, after it heard of the end of another one. */
static void nobody_hears_of_it_twice(void **state)
{
    (void)state;
    struct scene scene = scene_given();
    struct client *other = client_new(scene.rig, 103, 1);
    uint32_t event = client_make(other, "Event", 3);
    client_ok(other, SEND, GIVE, event, event);
    client_delivered(scene.b);
    scene.b->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(scene.a, SEND, GIVE, scene.event, scene.event);
    rig_run(scene.rig);
    client_hang_up(scene.a);
    client_hang_up(other);
    share_unblock(scene.b, true);
    client_delivered(scene.b);
    assert_int_equal(client_session_gone(scene.b)->session, scene.a->session_id);
    assert_int_equal(client_session_gone(scene.b)->session, other->session_id);
    client_nothing(scene.b);
    scene_end(&scene);
}

/* Who has broken off is let go as soon as it has its answers, however long its pins take. */
static void a_sender_does_not_wait_for_its_pins(void **state)
{
    (void)state;
    static char long_line[HBK_LINE_BYTES_MAX + 1];
    for (size_t i = 0; i < sizeof long_line; ++i)
        long_line[i] = ' ';
    struct scene scene = scene_new();
    scene.kernel->unpins_pend = true;
    scene.b->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t id = client_request(scene.a, SEND, GIVE, scene.event, scene.event);
    rig_run(scene.rig);
    scene.a->raw = true;
    client_bytes(scene.a, long_line, sizeof long_line);
    rig_run(scene.rig);
    assert_false(client_ended(scene.a));
    client_write_ends(scene.b, true);
    client_result(scene.a, id);
    client_null_error(scene.a, HBK_R_PARSE_ERROR);
    assert_true(client_ended(scene.a));
    assert_false(scene.a->connection->released);
    rig_unpins_end(scene.rig);
    assert_true(scene.a->connection->released);
    scene_end(&scene);
}

static void the_service_stops(void **state)
{
    (void)state;
    struct scene scene = scene_given();
    scene.kernel->unpins_pend = true;
    rig_stop(scene.rig);
    assert_int_equal(fake_pins_closing(scene.kernel), 2);
    assert_false(hbk_core_stopped(scene.rig->core));
    rig_unpins_end(scene.rig);
    assert_true(hbk_core_stopped(scene.rig->core));
    assert_int_equal(fake_handles_count(scene.b->process), 2);
    scene_end(&scene);
}

/* Its texts are forgotten but for the name, of which records and lists tell. */
static void it_goes_by_its_name(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    char data[1024];
    for (size_t i = 0; i < sizeof data - 1; ++i)
        data[i] = 'd';
    data[sizeof data - 1] = 0;
    scene.delivery = client_ok(scene.a, SEND,
                               "{'to':'user/a','items':[{'handle':%u}],'revocable':true,'data':'%s'"
                               ",'expect':{'pid':101}}",
                               scene.event, data)
                         ->u.result.send.delivery;
    client_delivered(scene.b);
    const struct hbk_delivery_list_result *list =
        &client_ok(scene.b, HBK_METHOD_DELIVERY_LIST, "{}")->u.result.deliveries;
    assert_int_equal(list->deliveries_count, 1);
    assert_true(hbk_text_is(list->deliveries[0].endpoint, "user/a"));
    log_forget(scene.log);
    client_hang_up(scene.a);
    log_take(scene.log, "session.closed", "done", NULL);
    assert_true(
        hbk_text_is(log_take(scene.log, "delivery.closed", "done", NULL)->endpoint, "user/a"));
    scene_end(&scene);
}

/* ---- what fails inside ---- */

static void the_target_may_end_inside_any_call(void **state)
{
    (void)state;
    static const enum fake_op ops[] = {FAKE_OP_PLACE, FAKE_OP_WRITE, FAKE_OP_UNPLACE,
                                       FAKE_OP_UNPIN};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; ++i) {
        for (unsigned variant = 0; variant < 12; ++variant) {
            bool sender = variant % 2 != 0;
            struct scene scene = scene_new();
            struct client *ends = sender ? scene.a : scene.b;
            fake_exit_at(scene.kernel, ops[i], 1 + variant / 4, ends->process, variant / 2 % 2);
            uint32_t id = client_request(scene.a, SEND, GIVE, scene.event, scene.event);
            rig_run(scene.rig);
            bool given = client_answered(scene.a, id) && fake_pins_held(scene.kernel) > 0;
            if (given) {
                const struct hbk_message *message =
                    &scene.a->inbox[scene.a->requests[id - 1].answer]->message;
                client_request(scene.a, REVOKE, "{'delivery':%llu}",
                               (unsigned long long)message->u.result.send.delivery);
                rig_run(scene.rig);
            }
            if (!ends->process->running)
                client_hang_up(ends);
            if (sender)
                assert_int_equal(fake_pins_held(scene.kernel), 0);
            else
                assert_true(client_answered(scene.a, id));
            scene_end(&scene);
        }
    }
}

static void its_notification_is_not_read(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct scene scene = scene_given();
        share_block(scene.b);
        client_ok(scene.a, REVOKE, "{'delivery':%llu}", scene.delivery);
        assert_int_equal(fake_handles_count(scene.b->process), 0);
        share_unblock(scene.b, told);
        if (told)
            client_revoked(scene.b);
        assert_int_equal(client_ended(scene.b), !told);
        client_nothing(scene.a);
        scene_end(&scene);
    }
}

/* ---- out of memory ---- */

static void play(struct scene *scene, int what)
{
    if (what == 0) {
        client_request(scene->a, SEND, GIVE, scene->event, scene->event);
        client_request(scene->a, SEND, GIVE, scene->event, scene->event);
    } else if (what == 1) {
        client_request(scene->a, REVOKE, "{'delivery':%llu}", scene->delivery);
        client_request(scene->a, HBK_METHOD_DELIVERY_LIST, "{}");
    } else if (what == 3) {
        client_hang_up(scene->b);
    } else if (what == 2 || what % 2 != 0) {
        client_hang_up(scene->a);
    } else {
        client_request(scene->a, REVOKE, "{'delivery':%llu}", scene->delivery);
    }
    rig_run(scene->rig);
}

/* Instead of what was given: what is offered, or accepted and waits. */
static struct scene scene_offered(bool accepted)
{
    struct scene scene = scene_new();
    client_ok(scene.b, OPEN, "{'name':'user/ask','mode':'ask'}");
    client_request(scene.a, SEND, "{'to':'user/ask','items':[{'handle':%u}]}", scene.event);
    rig_run(scene.rig);
    scene.delivery = client_offered(scene.b)->delivery;
    share_block(scene.b);
    if (accepted)
        client_request(scene.b, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", scene.delivery);
    rig_run(scene.rig);
    return scene;
}

/* @queued: what waits to be written to each before, so that one more line needs memory in one of the cases.
 * Return: false once the failure was never reached. */
static bool try_failing(int what, unsigned queued, size_t first, size_t count)
{
    struct scene scene = what < 4 ? scene_given() : scene_offered(what >= 6);
    struct client *const clients[] = {scene.a, scene.b};
    for (size_t i = 0; i < 2 && what != 0; ++i) {
        if (!clients[i]->connection->pending)
            share_block(clients[i]);
        for (unsigned j = 0; j < queued; ++j)
            client_request(clients[i], HBK_METHOD_SESSION_PROVE, NULL);
    }
    rig_run(scene.rig);
    alloc_fault_arm_span(first, count);
    play(&scene, what);
    bool reached = alloc_fault_disarm() > first;
    for (size_t i = 0; i < 2; ++i) {
        if (clients[i]->connection->pending)
            share_unblock(clients[i], true);
        if (!client_ended(clients[i]))
            client_fail_if_unanswered(clients[i]);
    }
    if (client_ended(scene.a))
        assert_int_equal(fake_pins_held(scene.kernel), 0);
    assert_int_equal(fake_handles_untold(scene.b->process), 0);
    scene_end(&scene);
    return reached;
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    if (!alloc_fault_works()) {
        print_message("skipped: this build cannot make allocations fail\n");
        skip();
    }
    for (int what = 0; what < 8; ++what)
        for (unsigned queued = 0; queued < (what ? 8 : 1); ++queued)
            for (int all = 0; all < 2; ++all)
                for (size_t first = 0; try_failing(what, queued, first, all ? 1000000 : 1);)
                    ++first;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sender_ends),
        cmocka_unit_test(the_target_ends),
        cmocka_unit_test(whom_it_does_not_concern),
        cmocka_unit_test(several_share),
        cmocka_unit_test(one_ends_while_it_is_told),
        cmocka_unit_test(nothing_is_shared_by_what_cannot_be_revoked),
        cmocka_unit_test(one_ends_before_it_is_written),
        cmocka_unit_test(nobody_hears_of_it_twice),
        cmocka_unit_test(a_sender_does_not_wait_for_its_pins),
        cmocka_unit_test(the_service_stops),
        cmocka_unit_test(it_goes_by_its_name),
        cmocka_unit_test(the_target_may_end_inside_any_call),
        cmocka_unit_test(its_notification_is_not_read),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("core: gone", tests, NULL, NULL);
}
