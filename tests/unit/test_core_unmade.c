/* Sockets that were made and not told: taken back, or counted where they cannot be. */
#include "alloc_fault.h"
#include "core_books.h"
#include "core_share.h"

#include <string.h>

#define SEND HBK_METHOD_HANDLE_SEND
#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define ACCEPT HBK_METHOD_DELIVERY_ACCEPT
#define ANY "'types':{'Socket':'any','Event':'any','File':'any'}"
#define MIXED                                                                                \
    "{'to':'user/a','items':[{'handle':4,'type':'Socket'},{'handle':12},{'handle':8,'type':" \
    "'Socket'}]}"

/* Process 100 has two sockets and an event, process 101 an endpoint. */
struct scene {
    struct share share;
    struct rig *rig;
    struct fake_kernel *kernel;
    struct log *log;
    struct client *a, *b;
};

static struct scene scene_new(bool asked)
{
    struct scene scene = {.share = share_new(NULL)};
    scene.rig = scene.share.rig;
    scene.kernel = scene.rig->kernel;
    scene.log = scene.share.log;
    scene.a = scene.share.a;
    scene.b = scene.share.b;
    client_make_socket(scene.a, 0x1F01FF);
    client_make_socket(scene.a, 0x1F01FF);
    client_make(scene.a, "Event", 3);
    client_ok(scene.b, OPEN, "{'name':'user/a'%s," ANY "}", asked ? ",'mode':'ask'" : "");
    log_forget(scene.log);
    scene.kernel->audit.notices_count = 0;
    fake_trace_clear(scene.kernel);
    return scene;
}

static void scene_end(struct scene *scene)
{
    assert_int_equal(fake_sockets_held(scene->kernel), 0);
    assert_int_equal(fake_pins_held(scene->kernel), 0);
    log_forget(scene->log);
    share_end(&scene->share);
}

static uint32_t send(const struct scene *scene)
{
    uint32_t id = client_request(scene->a, SEND, MIXED);
    rig_run(scene->rig);
    return id;
}

static uint32_t accept_offer(const struct scene *scene)
{
    uint32_t id = client_request(scene->b, ACCEPT, "{'delivery':%llu}",
                                 (unsigned long long)client_offered(scene->b)->delivery);
    rig_run(scene->rig);
    return id;
}

/* ---- the line that would have told of them ---- */

static void an_untold_line_leaves_nothing(void **state)
{
    (void)state;
    for (int variant = 0; variant < 8; ++variant) {
        bool asked = (variant & 1) != 0, pends = (variant & 2) != 0, exits = (variant & 4) != 0;
        struct scene scene = scene_new(asked);
        uint32_t id = send(&scene);
        if (asked)
            accept_offer(&scene);
        scene.b->connection->write_mode = pends ? FAKE_WRITE_PENDS : FAKE_WRITE_FAILS;
        rig_sockets_all_end(scene.rig);
        if (pends) {
            assert_int_equal(fake_handles_untold(scene.b->process), 3);
            assert_int_equal(fake_sockets_held(scene.kernel), 1);
            if (exits)
                client_exit(scene.b);
            client_write_ends(scene.b, false);
        }
        client_error(scene.a, id, HBK_R_TARGET_GONE);
        assert_int_equal(fake_handles_count(scene.b->process), 0);
        assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_UNDO), 2);
        assert_int_equal(books_sockets_lost(scene.rig->core), 0);
        client_nothing(scene.b);
        scene_end(&scene);
    }
}

static void a_told_line_that_pended(void **state)
{
    (void)state;
    struct scene scene = scene_new(false);
    uint32_t id = send(&scene);
    scene.b->connection->write_mode = FAKE_WRITE_PENDS;
    rig_sockets_all_end(scene.rig);
    client_hang_up(scene.b);
    client_write_ends(scene.b, true);
    client_result(scene.a, id);
    assert_int_equal(client_delivered(scene.b)->items_count, 3);
    assert_int_equal(fake_handles_count(scene.b->process), 3);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_UNDO), 0);
    scene_end(&scene);
}

static void the_rest_cannot_be_placed(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; ++asked) {
        struct scene scene = scene_new(asked);
        uint32_t id = send(&scene), accept = asked ? accept_offer(&scene) : 0;
        fake_fail(scene.kernel, FAKE_OP_PLACE, 1, HBK_R_OS_ERROR, 1450);
        rig_sockets_all_end(scene.rig);
        assert_int_equal(client_error(scene.a, id, HBK_R_OS_ERROR)->item, 1);
        if (asked)
            client_error(scene.b, accept, HBK_R_OS_ERROR);
        assert_int_equal(fake_handles_count(scene.b->process), 0);
        client_nothing(scene.b);
        scene_end(&scene);
    }
}

/* To have it made and to take it back is work, as placing a handle and closing it there is. */
static void what_it_costs(void **state)
{
    (void)state;
    static const char *const types[] = {"", ",'type':'Socket'"};
    for (int untold = 0; untold < 2; ++untold) {
        uint64_t spent[2];
        for (size_t i = 0; i < 2; ++i) {
            struct scene scene = scene_new(false);
            if (untold)
                scene.b->connection->write_mode = FAKE_WRITE_FAILS;
            uint64_t before = books_spent(scene.rig->core);
            client_request(scene.a, SEND, "{'to':'user/a','items':[{'handle':4%s}]}", types[i]);
            rig_run(scene.rig);
            if (i)
                rig_sockets_all_end(scene.rig);
            spent[i] = books_spent(scene.rig->core) - before;
            scene_end(&scene);
        }
        assert_int_equal(spent[0], spent[1]);
    }
}

/* ---- what is not found again ---- */

static void one_that_is_not_found_is_counted(void **state)
{
    (void)state;
    for (uint32_t at = 1; at <= 3; ++at) {
        struct scene scene = scene_new(false);
        uint32_t id = send(&scene);
        scene.b->connection->write_mode = FAKE_WRITE_PENDS;
        rig_sockets_all_end(scene.rig);
        fake_fail(scene.kernel, FAKE_OP_SOCKETS_UNDO, at, HBK_R_OS_ERROR, 5);
        log_forget(scene.log);
        client_write_ends(scene.b, false);
        client_error(scene.a, id, HBK_R_TARGET_GONE);
        bool lost = at < 3;
        assert_int_equal(books_sockets_lost(scene.rig->core), lost);
        assert_int_equal(fake_handles_count(scene.b->process), lost);
        const struct fake_audit *audit = &scene.kernel->audit;
        assert_int_equal(audit->notices_count, lost);
        if (!lost) {
            scene_end(&scene);
            continue;
        }
        assert_int_equal(audit->notices[0].kind, HBK_NOTICE_WARNING);
        assert_int_equal(audit->notices[0].pid, 100);
        assert_string_equal(audit->notices[0].user, scene.a->connection->user);
        /* The second one is taken back in a later turn than the first. */
        if (at == 2) {
            log_take(scene.log, "session.closed", "done", NULL);
            log_take(scene.log, "endpoint.close", "done", NULL);
        }
        const struct hbk_event *record = log_take(scene.log, "service.warning", "failed", NULL);
        assert_non_null(strstr(audit->notices[0].detail, "until that process ends"));
        assert_int_equal(record->correlation, audit->notices[0].correlation);
        if (at == 1) {
            log_take(scene.log, "session.closed", "done", NULL);
            log_take(scene.log, "endpoint.close", "done", NULL);
        }
        assert_int_equal(log_take(scene.log, "handle.send", "failed", "target_gone")->correlation,
                         record->correlation);
        scene_end(&scene);
    }
}

/* Of a delivery whose end came before its worker's. */
static void one_that_is_late_and_not_found(void **state)
{
    (void)state;
    struct scene scene = scene_new(false);
    uint32_t id = send(&scene);
    rig_advance(scene.rig, HBK_SOCKET_DEADLINE_MS);
    client_error(scene.a, id, HBK_R_TIMEOUT);
    fake_fail(scene.kernel, FAKE_OP_SOCKETS_UNDO, 2, HBK_R_OS_ERROR, 5);
    rig_sockets_all_end(scene.rig);
    assert_int_equal(books_sockets_lost(scene.rig->core), 1);
    assert_int_equal(fake_handles_count(scene.b->process), 1);
    scene_end(&scene);
}

/* What the process has closed itself, or uses for another object by now, is not ours to close. */
static void a_value_that_is_used_again_stays(void **state)
{
    (void)state;
    struct scene scene = scene_new(false);
    send(&scene);
    scene.b->connection->write_mode = FAKE_WRITE_PENDS;
    rig_sockets_all_end(scene.rig);
    fake_handle_close(scene.kernel, scene.b->process, 4);
    client_make(scene.b, "Key", 1);
    client_write_ends(scene.b, false);
    assert_int_equal(fake_handles_count(scene.b->process), 1);
    assert_non_null(fake_handle_find(scene.b->process, 4));
    assert_int_equal(books_sockets_lost(scene.rig->core), 1);
    scene_end(&scene);
}

/* ---- stop ---- */

static void a_stop_waits_for_the_worker(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; ++asked) {
        struct scene scene = scene_new(asked);
        uint32_t id = send(&scene), accept = asked ? accept_offer(&scene) : 0;
        rig_stop(scene.rig);
        client_error(scene.a, id, HBK_R_STOPPING);
        if (asked)
            client_error(scene.b, accept, HBK_R_STOPPING);
        assert_false(hbk_core_stopped(scene.rig->core));
        rig_sockets_all_end(scene.rig);
        assert_true(hbk_core_stopped(scene.rig->core));
        assert_int_equal(fake_handles_count(scene.b->process), 0);
        scene_end(&scene);
    }
}

/* ---- what fails inside ---- */

static const enum fake_op ops[] = {
    FAKE_OP_PIN,   FAKE_OP_INSPECT,      FAKE_OP_PLACE,        FAKE_OP_WRITE,       FAKE_OP_UNPLACE,
    FAKE_OP_UNPIN, FAKE_OP_SOCKETS_MAKE, FAKE_OP_SOCKETS_MADE, FAKE_OP_SOCKETS_UNDO};

static bool has_offer(const struct client *client)
{
    for (size_t i = 0; i < client->inbox_count; ++i) {
        const struct received *received = client->inbox[i];
        if (!received->taken && received->message.kind == HBK_MESSAGE_NOTIFICATION &&
            received->message.method == HBK_METHOD_HANDLE_OFFERED)
            return true;
    }
    return false;
}

static void play(const struct scene *scene)
{
    send(scene);
    if (!client_ended(scene->b) && scene->b->process->running && has_offer(scene->b))
        accept_offer(scene);
    if (fake_sockets_making(scene->kernel))
        rig_sockets_all_end(scene->rig);
}

/* All or nothing is there, and its sender is told which. */
static void check_outcome(struct scene *scene)
{
    uint32_t there = fake_handles_count(scene->b->process);
    assert_int_equal(fake_handles_untold(scene->b->process), 0);
    if (scene->b->process->running && there != 0)
        assert_int_equal(there, 3);
    if (client_ended(scene->a) || !scene->a->process->running)
        return;
    uint32_t last = (uint32_t)scene->a->requests_count;
    assert_true(client_answered(scene->a, last));
    bool sent =
        scene->a->inbox[scene->a->requests[last - 1].answer]->message.kind == HBK_MESSAGE_RESULT;
    if (scene->b->process->running)
        assert_int_equal(sent, there == 3);
}

static void any_operation_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; ++i)
        for (uint32_t at = 1; at <= 3; ++at)
            for (int asked = 0; asked < 2; ++asked) {
                struct scene scene = scene_new(asked);
                fake_fail(scene.kernel, ops[i], at, HBK_R_OS_ERROR, 1450);
                play(&scene);
                check_outcome(&scene);
                scene_end(&scene);
            }
}

static void any_process_may_end_inside_any_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; ++i)
        for (unsigned variant = 0; variant < 24; ++variant) {
            bool asked = (variant & 1) != 0, after = (variant & 2) != 0;
            struct scene scene = scene_new(asked);
            struct client *ends = (variant & 4) != 0 ? scene.a : scene.b;
            fake_exit_at(scene.kernel, ops[i], 1 + variant / 8, ends->process, after);
            play(&scene);
            if (!ends->process->running)
                client_hang_up(ends);
            check_outcome(&scene);
            scene_end(&scene);
        }
}

/* Return: false once the failure was never reached. */
static bool try_failing(bool asked, size_t first, size_t count)
{
    struct scene scene = scene_new(asked);
    alloc_fault_arm_span(first, count);
    play(&scene);
    play(&scene); /* in the other one of a session's two buffers */
    bool reached = alloc_fault_disarm() > first;
    if (!client_ended(scene.a))
        client_fail_if_unanswered(scene.a);
    if (!client_ended(scene.b))
        client_fail_if_unanswered(scene.b);
    assert_int_equal(fake_handles_untold(scene.b->process), 0);
    assert_int_equal(fake_handles_count(scene.b->process) % 3, 0);
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
    for (int asked = 0; asked < 2; ++asked)
        for (int all = 0; all < 2; ++all) {
            size_t first = 0;
            while (try_failing(asked, first, all ? 1000000 : 1))
                ++first;
            assert_true(first > 3);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untold_line_leaves_nothing),
        cmocka_unit_test(a_told_line_that_pended),
        cmocka_unit_test(the_rest_cannot_be_placed),
        cmocka_unit_test(what_it_costs),
        cmocka_unit_test(one_that_is_not_found_is_counted),
        cmocka_unit_test(one_that_is_late_and_not_found),
        cmocka_unit_test(a_value_that_is_used_again_stays),
        cmocka_unit_test(a_stop_waits_for_the_worker),
        cmocka_unit_test(any_operation_may_fail),
        cmocka_unit_test(any_process_may_end_inside_any_call),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("core: sockets that are not told", tests, NULL, NULL);
}
