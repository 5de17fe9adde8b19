/* delivery.revoke, where the target has closed what it was given, and something is on its way to it at the same value. */
#include "core_share.h"

#define SEND HBK_METHOD_HANDLE_SEND
#define REVOKE HBK_METHOD_DELIVERY_REVOKE
#define REVOCABLE "{'name':'user/a','revocable':true}"

/* Process 100 sends to process 101, whose endpoint agrees. */
struct scene {
    struct share share;
    struct rig *rig;
    struct fake_kernel *kernel;
    struct client *a, *b, *c;
};

static struct scene scene_new(const char *open)
{
    struct scene scene = {.share = share_new(NULL)};
    scene.rig = scene.share.rig;
    scene.kernel = scene.rig->kernel;
    scene.a = scene.share.a;
    scene.b = scene.share.b;
    scene.c = scene.share.c;
    client_ok(scene.b, HBK_METHOD_ENDPOINT_OPEN, "%s", open);
    return scene;
}

static void scene_end(struct scene *scene)
{
    log_forget(scene->share.log);
    share_end(&scene->share);
}

/* Return: the delivery. */
static unsigned long long give(const struct scene *scene)
{
    unsigned long long delivery =
        client_ok(scene->a, SEND, "{'to':'user/a','items':[{'handle':%u}],'revocable':true}",
                  client_make(scene->a, "Event", 3))
            ->u.result.send.delivery;
    client_delivered(scene->b);
    return delivery;
}

/* The target has closed what it was given, and the same object is on its way to it again, under the same value: that is
 * told, and so it must be there (seed 3001154 of the simulator). What else it was given is closed all the same. */
static void what_is_being_told_is_not_closed(void **state)
{
    (void)state;
    for (int variant = 0; variant < 4; ++variant) {
        bool told = variant % 2 != 0, transferred = variant / 2 != 0;
        struct scene scene = scene_new(REVOCABLE);
        uint32_t events[] = {client_make(scene.a, "Event", 3), client_make(scene.a, "Event", 3)};
        fake_may_duplicate(scene.kernel, 100, 101, true);
        uint32_t id = client_request(
            scene.a, SEND, "{'to':'user/a','items':[{'handle':%u},{'handle':%u}],'revocable':true}",
            events[0], events[1]);
        rig_run(scene.rig);
        unsigned long long delivery = client_result(scene.a, id)->u.result.send.delivery;
        const struct hbk_delivered *given = client_delivered(scene.b);
        uint32_t value = given->items[0].handle, other = given->items[1].handle;
        fake_handle_close(scene.kernel, scene.b->process, value);
        scene.b->connection->write_mode = FAKE_WRITE_PENDS;
        if (transferred)
            client_request(scene.a, HBK_METHOD_HANDLE_TRANSFER,
                           "{'source':{'pid':100},'handle':%u,'target':{'pid':101}}", events[0]);
        else
            client_request(scene.a, SEND, "{'to':'user/a','items':[{'handle':%u}]}", events[0]);
        rig_run(scene.rig);
        assert_non_null(fake_handle_find(scene.b->process, value));
        const struct hbk_revoke_result *result =
            &client_ok(scene.a, REVOKE, "{'delivery':%llu}", delivery)->u.result.revoke;
        assert_int_equal(result->closed_count, 1);
        assert_int_equal(result->closed[0], 1);
        assert_non_null(fake_handle_find(scene.b->process, value));
        assert_null(fake_handle_find(scene.b->process, other));
        share_unblock(scene.b, told);
        if (told)
            assert_int_equal(client_delivered(scene.b)->items[0].handle, value);
        /* A transfer that is not told to the process's session is told to who asked for it. */
        assert_int_equal(fake_handles_count(scene.b->process), told || transferred);
        scene_end(&scene);
    }
}

/* Of many items some are placed at that value and others are not, and so no line names them yet. */
static void what_is_being_placed_is_not_closed(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    share_let(&scene.share, 102, HBK_RIGHT_REVOKE, true);
    uint32_t event = client_make(scene.a, "Event", 3);
    uint32_t id = client_request(
        scene.a, SEND, "{'to':'user/a','items':[{'handle':%u},{'handle':%u}],'revocable':true}",
        event, event);
    rig_run(scene.rig);
    unsigned long long given = client_result(scene.a, id)->u.result.send.delivery;
    uint32_t value = client_delivered(scene.b)->items[0].handle;
    fake_handle_close(scene.kernel, scene.b->process, value);
    uint32_t sent = client_request(
        scene.a, SEND,
        "{'to':'user/a','items':[{'handle':%u},{'handle':%u},{'handle':%u},{'handle':%u}]}", event,
        event, event, event);
    while (!fake_handle_find(scene.b->process, value))
        assert_true(rig_turn(scene.rig));
    uint32_t revoked = client_request(scene.c, REVOKE, "{'delivery':%llu}", given);
    while (!client_answered(scene.c, revoked))
        assert_true(rig_turn(scene.rig));
    assert_int_equal(fake_handles_untold(scene.b->process), 2); /* the others are not placed yet */
    const struct hbk_revoke_result *result = &client_result(scene.c, revoked)->u.result.revoke;
    assert_int_equal(result->closed_count, 1);
    assert_int_equal(result->closed[0], 1);
    assert_int_equal(client_revoked(scene.b)->delivery, given);
    rig_run(scene.rig);
    client_result(scene.a, sent);
    const struct hbk_delivered *told = client_delivered(scene.b);
    assert_int_equal(told->items[0].handle, value);
    assert_int_equal(told->items_count, 4);
    assert_int_equal(fake_handles_count(scene.b->process), 4);
    scene_end(&scene);
}

/* A socket has no value that is known here; what is placed after it has. */
static void what_is_told_with_a_socket_is_not_closed(void **state)
{
    (void)state;
    struct scene scene =
        scene_new("{'name':'user/a','revocable':true,'types':{'Socket':'any','Event':'any'}}");
    uint32_t event = client_make(scene.a, "Event", 3);
    uint32_t socket = client_make_socket(scene.a, 0x1F01FF);
    uint32_t id = client_request(
        scene.a, SEND, "{'to':'user/a','items':[{'handle':%u},{'handle':%u}],'revocable':true}",
        event, event);
    rig_run(scene.rig);
    unsigned long long given = client_result(scene.a, id)->u.result.send.delivery;
    const struct hbk_delivered *delivered = client_delivered(scene.b);
    uint32_t value = delivered->items[1].handle;
    fake_handle_close(scene.kernel, scene.b->process, delivered->items[0].handle);
    fake_handle_close(scene.kernel, scene.b->process, value);
    scene.b->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(scene.a, SEND,
                   "{'to':'user/a','items':[{'handle':%u,'type':'Socket'},{'handle':%u}]}", socket,
                   event);
    rig_run(scene.rig);
    rig_sockets_all_end(scene.rig);
    assert_int_equal(fake_handles_untold(scene.b->process), 2);
    fake_trace_clear(scene.kernel);
    assert_int_equal(
        client_ok(scene.a, REVOKE, "{'delivery':%llu}", given)->u.result.revoke.closed_count, 0);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_UNPLACE), 1); /* of the other value */
    assert_non_null(fake_handle_find(scene.b->process, value));
    share_unblock(scene.b, true);
    assert_int_equal(client_delivered(scene.b)->items[1].handle, value);
    scene_end(&scene);
}

/* What the target is being told of is in another process, under the same value. */
static void what_is_being_told_may_be_elsewhere(void **state)
{
    (void)state;
    struct scene scene = scene_new(REVOCABLE);
    unsigned long long delivery = give(&scene);
    struct fake_process *process = fake_process_start(scene.kernel, 201);
    uint32_t own = client_make(scene.b, "Event", 3);
    fake_may_duplicate(scene.kernel, 101, 201, true);
    scene.b->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t id = client_request(scene.b, HBK_METHOD_HANDLE_TRANSFER,
                                 "{'source':{'pid':101},'handle':%u,'target':{'pid':201}}", own);
    rig_run(scene.rig);
    assert_non_null(fake_handle_find(process, 4));
    assert_non_null(fake_handle_find(scene.b->process, 4));
    assert_int_equal(
        client_ok(scene.a, REVOKE, "{'delivery':%llu}", delivery)->u.result.revoke.closed_count, 1);
    assert_null(fake_handle_find(scene.b->process, 4));
    assert_non_null(fake_handle_find(process, 4));
    share_unblock(scene.b, true);
    assert_int_equal(client_result(scene.b, id)->u.result.transfer.handle, 4);
    assert_int_equal(client_revoked(scene.b)->delivery, delivery);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_being_told_is_not_closed),
        cmocka_unit_test(what_is_being_placed_is_not_closed),
        cmocka_unit_test(what_is_told_with_a_socket_is_not_closed),
        cmocka_unit_test(what_is_being_told_may_be_elsewhere),
    };
    return cmocka_run_group_tests_name("core: revoke, and again", tests, NULL, NULL);
}
