/* handle.transfer to a process: told by its session's line, or where that cannot be by the answer, or not at all; and
 * then nothing stays anywhere. */
#include "alloc_fault.h"
#include "core_share.h"

#include <stdio.h>
#include <stdlib.h>

#define TRANSFER HBK_METHOD_HANDLE_TRANSFER
#define TO_B "{'source':{'pid':100},'handle':%u,'target':{'pid':101}}"

/* Process 100 hands its event to process 101, which has a session. */
struct scene {
    struct share share;
    struct rig *rig;
    struct fake_kernel *kernel;
    struct log *log;
    struct client *a, *b, *c;
    uint32_t event;
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
    fake_may_duplicate(scene.kernel, 100, 101, true);
    return scene;
}

/* Nothing is left of what was not told, and no process is held. */
static void scene_end(struct scene *scene)
{
    assert_int_equal(fake_opened_held(scene->kernel), 0);
    assert_int_equal(fake_pins_held(scene->kernel), 0);
    log_forget(scene->log);
    share_end(&scene->share);
}

static uint32_t ask(const struct scene *scene)
{
    uint32_t id = client_request(scene->a, TRANSFER, TO_B, scene->event);
    rig_run(scene->rig);
    return id;
}

/* ---- the write's end decides ---- */

static void a_notification_that_pends(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct scene scene = scene_new();
        scene.b->connection->write_mode = FAKE_WRITE_PENDS;
        uint32_t id = ask(&scene);
        assert_false(client_answered(scene.a, id));
        assert_int_equal(fake_handles_untold(scene.b->process), 1);
        assert_int_equal(client_status(scene.a).deliveries_pending, 1);
        client_write_ends(scene.b, told);
        const struct hbk_transfer_result *result = &client_result(scene.a, id)->u.result.transfer;
        assert_int_equal(result->notified, told);
        assert_int_equal(fake_handles_count(scene.b->process), 1);
        const struct hbk_event *done;
        if (told) {
            assert_int_equal(client_delivered(scene.b)->items[0].handle, result->handle);
        } else {
            client_nothing(scene.b);
            log_take(scene.log, "session.closed", "done", NULL);
        }
        done = log_take(scene.log, "handle.transfer", "done", NULL);
        assert_int_equal(done->target.pid, 101);
        assert_int_equal(done->target.session, told ? scene.b->session_id : 0);
        assert_int_equal(client_status(scene.a).delivered, 1);
        assert_int_equal(client_status(scene.a).deliveries_pending, 0);
        scene_end(&scene);
    }
}

static void a_notification_that_fails_at_once(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    scene.b->connection->write_mode = FAKE_WRITE_FAILS;
    uint32_t id = ask(&scene);
    assert_false(client_result(scene.a, id)->u.result.transfer.notified);
    assert_int_equal(fake_handles_count(scene.b->process), 1);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PLACE), 2);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_UNPLACE), 1);
    scene_end(&scene);
}

/* Once it could not be notified, the answer tells, also where the process has another session. */
static void another_session_is_not_tried(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    struct client *other = client_connect(scene.rig, scene.b->process, 1);
    client_prove(other);
    scene.b->connection->write_mode = other->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t id = ask(&scene);
    struct client *notified = scene.b->connection->pending ? scene.b : other;
    struct client *spared = notified == other ? scene.b : other;
    assert_null(spared->connection->pending);
    spared->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(notified, false);
    assert_false(client_result(scene.a, id)->u.result.transfer.notified);
    client_nothing(spared);
    assert_false(client_ended(spared));
    scene_end(&scene);
}

static void neither_line_is_told(void **state)
{
    (void)state;
    for (int exits = 0; exits < 2; ++exits) {
        struct scene scene = scene_new();
        scene.b->connection->write_mode = scene.a->connection->write_mode = FAKE_WRITE_PENDS;
        ask(&scene);
        client_write_ends(scene.b, false);
        assert_int_equal(fake_handles_untold(scene.b->process), 1); /* again, for the answer */
        assert_non_null(scene.a->connection->pending);
        if (exits)
            client_exit(scene.a);
        client_write_ends(scene.a, false);
        assert_int_equal(fake_handles_count(scene.b->process), 0);
        assert_true(client_ended(scene.a));
        assert_true(scene.a->connection->released);
        log_take(scene.log, "session.closed", "done", NULL); /* of b */
        if (exits)
            log_take(scene.log, "session.closed", "done", NULL);
        log_take(scene.log, "handle.transfer", "failed", "target_gone");
        scene_end(&scene);
    }
}

static void an_answer_that_tells_and_fails(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    struct fake_process *target = fake_process_start(scene.kernel, 200);
    fake_may_duplicate(scene.kernel, 100, 200, true);
    for (int told = 1; told >= 0; --told) {
        scene.a->connection->write_mode = FAKE_WRITE_PENDS;
        uint32_t id =
            client_request(scene.a, TRANSFER,
                           "{'source':{'pid':100},'handle':%u,'target':{'pid':200}}", scene.event);
        rig_run(scene.rig);
        assert_int_equal(fake_handles_untold(target), 1);
        assert_int_equal(fake_opened_held(scene.kernel), 1);
        client_write_ends(scene.a, told);
        if (told)
            assert_false(client_result(scene.a, id)->u.result.transfer.notified);
        assert_int_equal(fake_handles_count(target), 1); /* the one that was told */
        assert_int_equal(fake_handles_untold(target), 0);
    }
    assert_true(client_ended(scene.a));
    scene_end(&scene);
}

/* ---- who ends, and when ---- */

static void it_waits_for_the_sessions_write(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct scene scene = scene_new();
        share_block(scene.b);
        uint32_t id = ask(&scene);
        assert_false(client_answered(scene.a, id));
        assert_int_equal(fake_handles_untold(scene.b->process), 0);
        share_unblock(scene.b, told);
        assert_int_equal(client_result(scene.a, id)->u.result.transfer.notified, told);
        assert_int_equal(fake_handles_count(scene.b->process), 1);
        scene_end(&scene);
    }
}

/* Its session ends while the transfer waits for it; the process does not. */
static void the_session_hangs_up_meanwhile(void **state)
{
    (void)state;
    for (int pends = 0; pends < 2; ++pends) {
        struct scene scene = scene_new();
        share_block(scene.b);
        if (pends)
            scene.a->connection->write_mode = FAKE_WRITE_PENDS;
        uint32_t id = ask(&scene);
        client_hang_up(scene.b);
        if (pends) {
            assert_int_equal(fake_handles_untold(scene.b->process), 1);
            client_write_ends(scene.a, true);
        }
        assert_false(client_result(scene.a, id)->u.result.transfer.notified);
        assert_int_equal(fake_handles_count(scene.b->process), 1);
        client_write_ends(scene.b, false);
        assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PLACE), 1);
        scene_end(&scene);
    }
}

/* Another session of the process is as good, while none has failed. */
static void another_session_takes_over(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    struct client *other = client_connect(scene.rig, scene.b->process, 1);
    client_prove(other);
    share_block(scene.b);
    share_block(other);
    uint32_t id = ask(&scene);
    struct client *first = other, *second = scene.b;
    client_hang_up(first);
    share_unblock(second, true);
    assert_true(client_result(scene.a, id)->u.result.transfer.notified);
    client_delivered(second);
    client_write_ends(first, false);
    scene_end(&scene);
}

static void the_process_ends_meanwhile(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    share_block(scene.b);
    uint32_t id = ask(&scene);
    client_exit(scene.b);
    client_error(scene.a, id, HBK_R_TARGET_GONE);
    client_write_ends(scene.b, false);
    log_take(scene.log, "session.closed", "done", NULL);
    const struct hbk_event *failed =
        log_take(scene.log, "handle.transfer", "failed", "target_gone");
    assert_int_equal(failed->target.pid, 101);
    scene_end(&scene);
}

static void who_asked_ends_meanwhile(void **state)
{
    (void)state;
    for (int blocked = 0; blocked < 2; ++blocked) {
        for (int told = 0; told < 2; ++told) {
            struct scene scene = scene_new();
            if (blocked)
                share_block(scene.b);
            scene.b->connection->write_mode = FAKE_WRITE_PENDS;
            ask(&scene);
            client_hang_up(scene.a);
            scene.b->connection->write_mode = FAKE_WRITE_DONE;
            client_write_ends(scene.b, told);
            /* What was being told stays if it is; what waited is gone, and nobody else is told. */
            assert_int_equal(fake_handles_count(scene.b->process), told && !blocked);
            assert_true(scene.a->connection->released);
            assert_int_equal(fake_opened_held(scene.kernel), 0);
            scene_end(&scene);
        }
    }
}

static void ones_own_write_is_waited_for(void **state)
{
    (void)state;
    for (int hangs_up = 0; hangs_up < 2; ++hangs_up) {
        struct scene scene = scene_new();
        share_block(scene.a);
        uint32_t id =
            client_request(scene.a, TRANSFER, "{'source':{'pid':100},'handle':%u}", scene.event);
        rig_run(scene.rig);
        assert_int_equal(fake_handles_count(scene.a->process), 1);
        if (hangs_up) {
            client_hang_up(scene.a);
            client_write_ends(scene.a, false);
            assert_int_equal(fake_handles_count(scene.a->process), 1);
        } else {
            share_unblock(scene.a, true);
            client_result(scene.a, id);
            assert_int_equal(fake_handles_count(scene.a->process), 2);
        }
        scene_end(&scene);
    }
}

/* So much waits to be written to the target that it is sent off before anything is placed: that fails, and there is
 * one session less to notify. */
static void the_session_is_found_gone_on_the_way(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    client_ok(scene.b, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    struct client *lister = client_new(scene.rig, 103, 1);
    share_let(&scene.share, 0, HBK_RIGHT_INSPECT, true);
    char *data = calloc(1, HBK_DATA_BYTES_MAX + 1);
    assert_non_null(data);
    for (size_t i = 0; i < HBK_DATA_BYTES_MAX; ++i)
        data[i] = 'd';
    scene.b->connection->write_mode = FAKE_WRITE_FAILS;
    uint32_t sends[2];
    for (size_t i = 0; i < 2; ++i)
        sends[i] = client_request(scene.a, HBK_METHOD_HANDLE_SEND,
                                  "{'to':'user/a','items':[{'handle':%u}],'data':'%s'}",
                                  scene.event, data);
    free(data);
    uint32_t id = client_request(scene.a, TRANSFER, TO_B, scene.event);
    /* Whoever looks at any moment sees no session that is gone. */
    while (!client_ended(scene.b))
        assert_true(rig_turn(scene.rig));
    uint32_t lists[10];
    for (unsigned i = 0; i < 10; ++i) {
        lists[i] = client_request(lister, HBK_METHOD_DELIVERY_LIST, "{}");
        rig_turn(scene.rig);
    }
    rig_run(scene.rig);
    size_t ready = 0;
    for (unsigned i = 0; i < 10; ++i) {
        const struct hbk_delivery_list_result *list =
            &client_result(lister, lists[i])->u.result.deliveries;
        for (size_t j = 0; j < list->deliveries_count; ++j) {
            ready += hbk_text_is(list->deliveries[j].state, "ready");
            assert_int_equal(list->deliveries[j].to.pid, 101);
            assert_int_equal(list->deliveries[j].to.session, 0);
        }
    }
    assert_true(ready > 0);
    for (size_t i = 0; i < 2; ++i)
        client_error(scene.a, sends[i], HBK_R_TARGET_GONE);
    assert_false(client_result(scene.a, id)->u.result.transfer.notified);
    assert_int_equal(fake_handles_count(scene.b->process), 1);
    scene_end(&scene);
}

static void the_service_stops(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct scene scene = scene_new();
        scene.b->connection->write_mode = FAKE_WRITE_PENDS;
        uint32_t writing = ask(&scene), waits = ask(&scene);
        rig_stop(scene.rig);
        client_error(scene.a, waits, HBK_R_STOPPING);
        assert_false(client_answered(scene.a, writing));
        client_write_ends(scene.b, told);
        if (told)
            assert_true(client_result(scene.a, writing)->u.result.transfer.notified);
        else
            client_error(scene.a, writing, HBK_R_STOPPING);
        assert_int_equal(fake_handles_count(scene.b->process), told);
        assert_true(hbk_core_stopped(scene.rig->core));
        scene_end(&scene);
    }
}

/* ---- what fails inside ---- */

static const enum fake_op ops[] = {FAKE_OP_PROCESS_OPEN, FAKE_OP_PIN,   FAKE_OP_INSPECT,
                                   FAKE_OP_PLACE,        FAKE_OP_WRITE, FAKE_OP_UNPIN};

/* From process 200, which has no session, to 101, which has one, or to 201, which has none. */
static uint32_t play(struct scene *scene, uint32_t target)
{
    const uint32_t pids[] = {200, 201};
    for (size_t i = 0; i < 2; ++i)
        fake_may_duplicate(scene->kernel, 100, pids[i], true);
    uint32_t id = client_request(scene->a, TRANSFER,
                                 "{'source':{'pid':200},'handle':4,'target':{'pid':%u}}", target);
    rig_run(scene->rig);
    return id;
}

static void any_operation_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; ++i) {
        for (uint32_t at = 1; at <= 2; ++at) {
            for (int session = 0; session < 2; ++session) {
                struct scene scene = scene_new();
                struct fake_process *source = fake_process_start(scene.kernel, 200);
                struct fake_process *target =
                    session ? scene.b->process : fake_process_start(scene.kernel, 201);
                fake_handle_make(scene.kernel, source, "Event", 3);
                fake_fail(scene.kernel, ops[i], at, HBK_R_OS_ERROR, 1450);
                uint32_t id = play(&scene, target->pid);
                assert_true(client_answered(scene.a, id) || client_ended(scene.a));
                bool told = client_untaken(scene.b) ||
                            (client_answered(scene.a, id) &&
                             scene.a->inbox[scene.a->requests[id - 1].answer]->message.kind ==
                                 HBK_MESSAGE_RESULT);
                assert_int_equal(fake_handles_count(target), told);
                assert_int_equal(fake_handles_count(source), 1);
                assert_int_equal(fake_opened_held(scene.kernel), 0);
                scene_end(&scene);
            }
        }
    }
}

static void any_process_may_end_inside_any_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; ++i) {
        for (uint32_t who = 0; who < 3; ++who) {
            for (uint32_t variant = 0; variant < 8; ++variant) {
                struct scene scene = scene_new();
                struct fake_process *source = fake_process_start(scene.kernel, 200);
                bool session = (variant & 1) != 0;
                struct fake_process *target =
                    session ? scene.b->process : fake_process_start(scene.kernel, 201);
                struct fake_process *const ends[] = {scene.a->process, source, target};
                fake_handle_make(scene.kernel, source, "Event", 3);
                fake_exit_at(scene.kernel, ops[i], 1 + (variant >> 2), ends[who],
                             (variant & 2) != 0);
                uint32_t id = play(&scene, target->pid);
                if (who != 0)
                    assert_true(client_answered(scene.a, id));
                if (who == 0 && !scene.a->process->running)
                    client_hang_up(scene.a);
                if (session && !target->running)
                    client_hang_up(scene.b);
                scene_end(&scene);
            }
        }
    }
}

/* ---- out of memory ---- */

/* Return: false once the failure was never reached. */
static bool try_failing(size_t first, size_t count, bool queued)
{
    struct scene scene = scene_new();
    struct fake_process *source = fake_process_start(scene.kernel, 200);
    struct fake_process *target = fake_process_start(scene.kernel, 201);
    fake_handle_make(scene.kernel, source, "Event", 3);
    /* Something of each that is queued already, so that the next line may need memory. */
    if (queued) {
        share_block(scene.b);
        share_block(scene.a);
        client_request(scene.b, HBK_METHOD_BROKER_STATUS, NULL);
        rig_run(scene.rig);
    }
    alloc_fault_arm_span(first, count);
    play(&scene, 101);
    play(&scene, 101); /* in the other one of its two buffers, which is smaller */
    play(&scene, 201);
    play(&scene, 100);
    if (queued) {
        share_unblock(scene.b, true);
        share_unblock(scene.a, true);
    }
    bool reached = alloc_fault_disarm() > first;
    rig_run(scene.rig);
    if (!client_ended(scene.a))
        client_fail_if_unanswered(scene.a);
    assert_int_equal(fake_handles_untold(scene.b->process), 0);
    assert_int_equal(fake_handles_untold(target), 0);
    assert_int_equal(fake_opened_held(scene.kernel), 0);
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
    static const size_t counts[] = {1, 2, 1000000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i)
        for (int queued = 0; queued < 2; ++queued) {
            size_t first = 0;
            while (try_failing(first, counts[i], queued))
                ++first;
            assert_true(first > 3);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_notification_that_pends),
        cmocka_unit_test(a_notification_that_fails_at_once),
        cmocka_unit_test(another_session_is_not_tried),
        cmocka_unit_test(neither_line_is_told),
        cmocka_unit_test(an_answer_that_tells_and_fails),
        cmocka_unit_test(it_waits_for_the_sessions_write),
        cmocka_unit_test(the_session_hangs_up_meanwhile),
        cmocka_unit_test(another_session_takes_over),
        cmocka_unit_test(the_process_ends_meanwhile),
        cmocka_unit_test(who_asked_ends_meanwhile),
        cmocka_unit_test(ones_own_write_is_waited_for),
        cmocka_unit_test(the_session_is_found_gone_on_the_way),
        cmocka_unit_test(the_service_stops),
        cmocka_unit_test(any_operation_may_fail),
        cmocka_unit_test(any_process_may_end_inside_any_call),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("core: notified of a transfer", tests, NULL, NULL);
}
