/* Sockets: made by a worker, told as protocol information, or taken back. */
#include "core_share.h"
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEND HBK_METHOD_HANDLE_SEND
#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define ACCEPT HBK_METHOD_DELIVERY_ACCEPT
#define ANY "'types':{'Socket':'any','Event':'any','File':'any'}"
#define ONE "{'to':'user/a','items':[{'handle':%u,'type':'Socket'}]}"

/* Process 100 has a socket, process 101 an endpoint. */
struct scene {
    struct share share;
    struct rig *rig;
    struct fake_kernel *kernel;
    struct log *log;
    struct client *a, *b, *c;
    uint32_t socket, event;
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
    scene.socket = client_make_socket(scene.a, 0x1F01FF);
    scene.event = client_make(scene.a, "Event", 3);
    client_ok(scene.b, OPEN, "{'name':'user/a'%s}", open);
    log_forget(scene.log);
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

static uint32_t send_one(const struct scene *scene)
{
    uint32_t id = client_request(scene->a, SEND, ONE, scene->socket);
    rig_run(scene->rig);
    return id;
}

/* Params of a send of @count sockets, each followed by an event if @mixed. On the heap. */
static char *many(const struct scene *scene, unsigned count, bool mixed)
{
    size_t room = 64 + count * 96u;
    char *params = malloc(room);
    assert_non_null(params);
    int size = snprintf(params, room, "{'to':'user/a','items':[");
    for (unsigned i = 0; i < count; ++i) {
        size += snprintf(params + size, room - (size_t)size, "%s{'handle':%u,'type':'Socket'}",
                         i ? "," : "", client_make_socket(scene->a, 0x1F01FF));
        if (mixed)
            size += snprintf(params + size, room - (size_t)size, ",{'handle':%u}", scene->event);
    }
    snprintf(params + size, room - (size_t)size, "]}");
    return params;
}

static uint32_t object_of(const struct client *client, uint32_t handle)
{
    return fake_handle_find(client->process, handle)->object;
}

/* ---- made ---- */

static void a_socket_is_told_as_information(void **state)
{
    (void)state;
    for (int early = 0; early < 2; ++early) {
        struct scene scene = scene_new("," ANY);
        scene.kernel->sockets_early = early;
        uint32_t id = send_one(&scene);
        assert_false(client_answered(scene.a, id));
        client_nothing(scene.b);
        assert_int_equal(fake_sockets_making(scene.kernel), 1);
        rig_sockets_all_end(scene.rig);
        const struct hbk_send_result *sent = &client_result(scene.a, id)->u.result.send;
        assert_int_equal(sent->items_count, 1);
        assert_true(hbk_text_is(sent->items[0].type, "Socket"));
        assert_int_equal(sent->items[0].access, 0x1F01FF);
        const struct hbk_delivered *delivered = client_delivered(scene.b);
        assert_int_equal(delivered->items[0].handle, 0);
        assert_true(hbk_text_is(delivered->items[0].type, "Socket"));
        assert_int_equal(
            fake_socket_find(scene.b->process, delivered->items[0].protocol_info)->object,
            object_of(scene.a, scene.socket));
        assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PLACE), 0);
        assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_UNDO), 0);
        const struct hbk_event *done = log_take(scene.log, "handle.send", "done", NULL);
        assert_true(hbk_text_is(done->items[0].type, "Socket"));
        log_take(scene.log, "delivery.closed", "done", NULL);
        /* The deadline for making it is over. */
        rig_advance(scene.rig, UINT64_C(2) * HBK_SOCKET_DEADLINE_MS);
        client_nothing(scene.a);
        scene_end(&scene);
    }
}

static void mixed_with_other_items(void **state)
{
    (void)state;
    struct scene scene = scene_new("," ANY);
    char *params = many(&scene, 3, true);
    uint32_t id = client_request_text(scene.a, SEND, params);
    rig_run(scene.rig);
    assert_int_equal(fake_handles_count(scene.b->process), 0);
    rig_sockets_all_end(scene.rig);
    client_result(scene.a, id);
    const struct hbk_delivered *delivered = client_delivered(scene.b);
    assert_int_equal(delivered->items_count, 6);
    for (uint32_t i = 0; i < 6; ++i) {
        const struct hbk_delivered_item *item = &delivered->items[i];
        if (i % 2)
            assert_true(
                fake_handle_is(scene.b->process, item->handle, object_of(scene.a, scene.event)));
        else
            /* The first socket that was made for this send has the handle after the two of the scene. */
            assert_int_equal(fake_socket_find(scene.b->process, item->protocol_info)->object,
                             object_of(scene.a, 4 * (3 + i / 2)));
    }
    assert_int_equal(fake_handles_count(scene.b->process), 6);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_MAKE), 1);
    free(params);
    scene_end(&scene);
}

static void one_that_is_asked_for_first(void **state)
{
    (void)state;
    for (int blocked = 0; blocked < 3; ++blocked) {
        struct scene scene = scene_new(",'mode':'ask'," ANY);
        uint32_t id = send_one(&scene);
        assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_MAKE), 0);
        const struct hbk_delivered *offered = client_offered(scene.b);
        assert_null(offered->items[0].protocol_info.data);
        uint32_t accept = client_request(scene.b, ACCEPT, "{'delivery':%llu}",
                                         (unsigned long long)offered->delivery);
        rig_run(scene.rig);
        assert_false(client_answered(scene.b, accept));
        if (blocked)
            share_block(scene.b);
        /* The write may end in the same turn as the worker. */
        rig_sockets_end(scene.rig, 0);
        if (blocked < 2)
            rig_run(scene.rig);
        if (blocked == 1)
            /* The deadline for making it is over. */
            assert_true(hbk_core_deadline_ms(scene.rig->core) >
                        scene.kernel->now_ms + HBK_SOCKET_DEADLINE_MS);
        if (blocked) {
            assert_false(client_answered(scene.b, accept));
            share_unblock(scene.b, true);
        }
        const struct hbk_accept_result *accepted = &client_result(scene.b, accept)->u.result.accept;
        assert_non_null(fake_socket_find(scene.b->process, accepted->items[0].protocol_info));
        client_result(scene.a, id);
        assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_MAKE), 1);
        rig_advance(scene.rig, HBK_TIMEOUT_MS_DEFAULT + HBK_SOCKET_DEADLINE_MS);
        client_nothing(scene.a);
        assert_int_equal(client_untaken(scene.b), blocked > 0); /* what its write told */
        scene_end(&scene);
    }
}

/* So much waits to be written to the target that it is sent off as the offer is accepted. */
static void an_accept_behind_a_long_answer(void **state)
{
    (void)state;
    struct scene scene = scene_new(",'mode':'ask'," ANY);
    client_ok(scene.b, OPEN, "{'name':'user/given','revocable':true}");
    for (unsigned i = 0; i < HBK_PAGE_MAX; ++i) {
        client_ok(scene.a, SEND, "{'to':'user/given','items':[{'handle':%u}],'revocable':true}",
                  scene.event);
        client_delivered(scene.b);
        log_forget(scene.log);
    }
    uint32_t id = send_one(&scene);
    unsigned long long delivery = client_offered(scene.b)->delivery;
    uint32_t writes = scene.b->connection->writes;
    uint32_t list = client_request(scene.b, HBK_METHOD_DELIVERY_LIST, "{}");
    uint32_t accept = client_request(scene.b, ACCEPT, "{'delivery':%llu}", delivery);
    while (!fake_sockets_making(scene.kernel))
        assert_true(rig_turn(scene.rig));
    assert_int_equal(scene.b->connection->writes, writes + 1);
    client_result(scene.b, list);
    rig_run(scene.rig);
    rig_sockets_all_end(scene.rig);
    client_result(scene.b, accept);
    client_result(scene.a, id);
    client_hang_up(scene.a);
    client_session_gone(scene.b);
    scene_end(&scene);
}

static void order_is_kept(void **state)
{
    (void)state;
    struct scene scene = scene_new("," ANY);
    uint32_t first = send_one(&scene);
    uint32_t second = client_send(scene.a, "user/a", scene.event);
    rig_run(scene.rig);
    assert_false(client_answered(scene.a, second));
    struct client *other = client_new(scene.rig, 103, 1);
    client_ok(other, SEND, "{'to':'user/a','items':[{'handle':%u}]}",
              client_make(other, "Event", 3));
    assert_int_equal(client_delivered(scene.b)->from.peer.pid, 103); /* held up by nobody else's */
    rig_sockets_all_end(scene.rig);
    client_result(scene.a, first);
    client_result(scene.a, second);
    assert_non_null(client_delivered(scene.b)->items[0].protocol_info.data);
    assert_null(client_delivered(scene.b)->items[0].protocol_info.data);
    scene_end(&scene);
}

static void as_many_as_may_go(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; ++more) {
        struct scene scene = scene_new("," ANY);
        char *params = many(&scene, HBK_SOCKETS_MAX + more, true);
        if (more) {
            const struct hbk_error *error =
                client_refused(scene.a, HBK_R_INVALID_PARAMS, SEND, "%s", params);
            assert_string_equal(error->limit, "sockets");
            assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PIN), 0);
        } else {
            uint32_t id = client_request_text(scene.a, SEND, params);
            rig_run(scene.rig);
            rig_sockets_all_end(scene.rig);
            client_result(scene.a, id);
            assert_int_equal(client_delivered(scene.b)->items_count, 2 * HBK_SOCKETS_MAX);
        }
        free(params);
        scene_end(&scene);
    }
}

/* ---- refused ---- */

static void what_is_no_socket(void **state)
{
    (void)state;
    struct scene scene = scene_new("," ANY);
    uint32_t file = client_make(scene.a, "File", 0x1F01FF);
    /* The kernel tells an event from a File, … */
    const struct hbk_error *error =
        client_refused(scene.a, HBK_R_TYPE_MISMATCH, SEND,
                       "{'to':'user/a','items':[{'handle':%u,'type':'Socket'},{'handle':%u,'type':"
                       "'Socket'}]}",
                       scene.socket, scene.event);
    assert_int_equal(error->item, 1);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_MAKE), 0);
    /* … and Winsock tells one File from another, once it is asked. */
    uint32_t id = client_request(scene.a, SEND,
                                 "{'to':'user/a','items':[{'handle':%u},{'handle':%u,'type':"
                                 "'Socket'},{'handle':%u},{'handle':%u,'type':'Socket'}]}",
                                 scene.event, scene.socket, scene.event, file);
    rig_run(scene.rig);
    log_forget(scene.log);
    rig_sockets_all_end(scene.rig);
    error = client_error(scene.a, id, HBK_R_TYPE_MISMATCH);
    assert_int_equal(error->item, 3);
    assert_int_equal(error->win32, 10038);
    assert_int_equal(fake_handles_count(scene.b->process), 0);
    assert_int_equal(log_take(scene.log, "handle.send", "refused", "type_mismatch")->win32, 10038);
    log_take(scene.log, "delivery.closed", "done", NULL);
    client_nothing(scene.b);
    scene_end(&scene);
}

/* A socket is a File to the kernel: what it calls otherwise is none, whatever the name. */
static void a_name_makes_no_socket(void **state)
{
    (void)state;
    static const struct {
        const char *kernel, *said; /* the type as the kernel has it, and in words */
    } objects[] = {{"Socket", "this is a Socket"}, {"", "this is a nameless kind of object"}};
    struct scene scene = scene_new("," ANY);
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; ++i) {
        uint32_t handle = client_make(scene.a, objects[i].kernel, 0x1F01FF);
        const struct hbk_error *error =
            client_refused(scene.a, HBK_R_TYPE_MISMATCH, SEND, ONE, handle);
        assert_non_null(strstr(error->detail, objects[i].said));
        assert_int_equal(error->item, 0);
        error = client_refused(scene.a, HBK_R_TYPE_NOT_ALLOWED, SEND,
                               "{'to':'user/a','items':[{'handle':%u}]}", handle);
        assert_non_null(strstr(error->detail, objects[i].said));
    }
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_MAKE), 0);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_PLACE), 0);
    client_nothing(scene.b);
    scene_end(&scene);
}

static void it_keeps_all_its_rights(void **state)
{
    (void)state;
    struct scene scene = scene_new("," ANY);
    static const char *const members[] = {"'access':1", "'access':'read'", "'protect':true"};
    for (size_t i = 0; i < 3; ++i) {
        const struct hbk_error *error = client_refused(
            scene.a, HBK_R_INVALID_PARAMS, SEND,
            "{'to':'user/a','items':[{'handle':%u},{'handle':%u,'type':'Socket',%s}]}", scene.event,
            scene.socket, members[i]);
        assert_int_equal(error->item, 1);
    }
    uint32_t id = client_request(
        scene.a, SEND,
        "{'to':'user/a','items':[{'handle':%u,'type':'Socket','access':'same','inherit':true}]}",
        scene.socket);
    rig_run(scene.rig);
    rig_sockets_all_end(scene.rig);
    client_result(scene.a, id);
    assert_true(client_delivered(scene.b)->items[0].inherit);
    scene_end(&scene);
}

static void an_endpoint_must_name_them(void **state)
{
    (void)state;
    static const char *const opens[] = {"", ",'types':{'File':'any','Event':'any'}"};
    for (size_t i = 0; i < 2; ++i) {
        struct scene scene = scene_new(opens[i]);
        const struct hbk_error *error =
            client_refused(scene.a, HBK_R_ACCESS_NOT_ACCEPTED, SEND, ONE, scene.socket);
        assert_int_equal(error->item, 0);
        assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_MAKE), 0);
        client_refused(scene.b, HBK_R_INVALID_PARAMS, OPEN,
                       "{'name':'user/b','types':{'Socket':'read'}}");
        client_refused(scene.b, HBK_R_INVALID_PARAMS, OPEN,
                       "{'name':'user/b','types':{'Socket':1}}");
        scene_end(&scene);
    }
}

/* ---- not made ---- */

static void none_is_left_if_one_fails(void **state)
{
    (void)state;
    for (uint32_t at = 1; at <= 3; ++at) {
        for (int asked = 0; asked < 2; ++asked) {
            struct scene scene = scene_new(asked ? ",'mode':'ask'," ANY : "," ANY);
            char *params = many(&scene, 3, true);
            uint32_t id = client_request_text(scene.a, SEND, params), accept = 0;
            rig_run(scene.rig);
            if (asked) {
                accept = client_request(scene.b, ACCEPT, "{'delivery':%llu}",
                                        (unsigned long long)client_offered(scene.b)->delivery);
                rig_run(scene.rig);
            }
            fake_fail(scene.kernel, FAKE_OP_SOCKETS_MADE, at, HBK_R_OS_ERROR, 10055);
            rig_sockets_all_end(scene.rig);
            const struct hbk_error *error = client_error(scene.a, id, HBK_R_OS_ERROR);
            assert_int_equal(error->item, 2 * (at - 1));
            assert_int_equal(error->win32, 10055);
            if (asked)
                assert_int_equal(client_error(scene.b, accept, HBK_R_OS_ERROR)->item, 2 * (at - 1));
            assert_int_equal(fake_handles_count(scene.b->process), 0);
            client_nothing(scene.b);
            free(params);
            scene_end(&scene);
        }
    }
}

static void a_worker_that_cannot_begin(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; ++asked) {
        struct scene scene = scene_new(asked ? ",'mode':'ask'," ANY : "," ANY);
        fake_fail(scene.kernel, FAKE_OP_SOCKETS_MAKE, 1, HBK_R_OS_ERROR, 8);
        uint32_t id = send_one(&scene);
        if (asked) {
            uint32_t accept = client_request(scene.b, ACCEPT, "{'delivery':%llu}",
                                             (unsigned long long)client_offered(scene.b)->delivery);
            rig_run(scene.rig);
            client_error(scene.b, accept, HBK_R_OS_ERROR);
        }
        assert_int_equal(client_error(scene.a, id, HBK_R_OS_ERROR)->win32, 8);
        assert_int_equal(client_status(scene.a).deliveries_pending, 0);
        client_nothing(scene.b);
        scene_end(&scene);
    }
}

static void a_worker_that_is_late(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; ++asked) {
        for (int fails = 0; fails < 2; ++fails) {
            struct scene scene = scene_new(asked ? ",'mode':'ask'," ANY : "," ANY);
            uint32_t id = send_one(&scene), accept = 0;
            if (asked) {
                accept = client_request(scene.b, ACCEPT, "{'delivery':%llu}",
                                        (unsigned long long)client_offered(scene.b)->delivery);
                rig_run(scene.rig);
            }
            rig_advance(scene.rig, HBK_SOCKET_DEADLINE_MS - 1);
            assert_false(client_answered(scene.a, id));
            log_forget(scene.log);
            rig_advance(scene.rig, 1);
            client_error(scene.a, id, HBK_R_TIMEOUT);
            if (asked) {
                client_error(scene.b, accept, HBK_R_TIMEOUT);
                log_take(scene.log, "delivery.accept", "failed", "timeout");
            }
            log_take(scene.log, "handle.send", "failed", "timeout");
            /* The worker is still at the pin, and the process is held for it. */
            log_nothing(scene.log);
            assert_int_equal(fake_pins_held(scene.kernel), 1);
            assert_int_equal(fake_sockets_making(scene.kernel), 1);
            if (fails)
                fake_fail(scene.kernel, FAKE_OP_SOCKETS_MADE, 1, HBK_R_OS_ERROR, 10055);
            rig_sockets_all_end(scene.rig);
            assert_int_equal(fake_handles_count(scene.b->process), 0);
            assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_UNDO), !fails);
            log_take(scene.log, "delivery.closed", "done", NULL);
            client_nothing(scene.a);
            client_nothing(scene.b);
            scene_end(&scene);
        }
    }
}

/* ---- what may have changed once they are made ---- */

static void the_endpoint_closes_meanwhile(void **state)
{
    (void)state;
    for (int made = 0; made < 2; ++made) {
        struct scene scene = scene_new("," ANY);
        scene.kernel->sockets_early = made;
        uint32_t id = send_one(&scene);
        client_ok(scene.b, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
        client_error(scene.a, id, HBK_R_TARGET_GONE);
        assert_int_equal(fake_pins_held(scene.kernel), 1);
        rig_sockets_all_end(scene.rig);
        assert_int_equal(fake_handles_count(scene.b->process), 0);
        client_nothing(scene.b);
        scene_end(&scene);
    }
}

static void the_target_ends_meanwhile(void **state)
{
    (void)state;
    for (int variant = 0; variant < 4; ++variant) {
        struct scene scene = scene_new("," ANY);
        scene.kernel->sockets_early = variant % 2;
        uint32_t id = send_one(&scene);
        if (variant / 2)
            client_exit(scene.b);
        else
            client_hang_up(scene.b);
        client_error(scene.a, id, HBK_R_TARGET_GONE);
        rig_sockets_all_end(scene.rig);
        assert_int_equal(fake_handles_count(scene.b->process), 0);
        scene_end(&scene);
    }
}

static void the_process_ends_in_the_workers_hands(void **state)
{
    (void)state;
    for (int after = 0; after < 2; ++after) {
        struct scene scene = scene_new("," ANY);
        fake_exit_at(scene.kernel, FAKE_OP_SOCKETS_MADE, 1, scene.b->process, after);
        uint32_t id = send_one(&scene);
        rig_sockets_all_end(scene.rig);
        client_error(scene.a, id, HBK_R_TARGET_GONE);
        client_hang_up(scene.b);
        client_nothing(scene.b);
        scene_end(&scene);
    }
}

static void the_sender_ends_meanwhile(void **state)
{
    (void)state;
    for (int early = 0; early < 2; ++early) {
        struct scene scene = scene_new("," ANY);
        scene.kernel->sockets_early = early;
        send_one(&scene);
        client_exit(scene.a);
        assert_false(scene.a->connection->released);
        rig_sockets_all_end(scene.rig);
        assert_true(scene.a->connection->released);
        assert_int_equal(fake_handles_count(scene.b->process), 0);
        client_nothing(scene.b);
        scene_end(&scene);
    }
}

static void other_rules_are_loaded_meanwhile(void **state)
{
    (void)state;
    for (int asked = 0; asked < 2; ++asked) {
        struct scene scene = scene_new(asked ? ",'mode':'ask'," ANY : "," ANY);
        uint32_t id = send_one(&scene), accept = 0;
        if (asked) {
            accept = client_request(scene.b, ACCEPT, "{'delivery':%llu}",
                                    (unsigned long long)client_offered(scene.b)->delivery);
            rig_run(scene.rig);
        }
        struct hbk_policy *policy = hbk_policy_new(1);
        snprintf(policy->rules[0].pattern, sizeof policy->rules[0].pattern, "user/*");
        policy->rules[0].types_present = true;
        policy->rules[0].types[HBK_TYPE_FILE] = UINT32_MAX;
        rig_configure(scene.rig, &scene.rig->config, policy, NULL);
        rig_sockets_all_end(scene.rig);
        client_error(scene.a, id, HBK_R_TYPE_NOT_ALLOWED);
        if (asked)
            client_error(scene.b, accept, HBK_R_TYPE_NOT_ALLOWED);
        assert_int_equal(fake_handles_count(scene.b->process), 0);
        assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_UNDO), 1);
        client_nothing(scene.b);
        scene_end(&scene);
    }
}

/* Made and rules that still allow it: nothing is made twice. */
static void rules_that_change_nothing(void **state)
{
    (void)state;
    struct scene scene = scene_new("," ANY);
    uint32_t id = send_one(&scene);
    share_reload(&scene.share);
    rig_sockets_all_end(scene.rig);
    client_result(scene.a, id);
    client_delivered(scene.b);
    assert_int_equal(fake_trace_count(scene.kernel, FAKE_OP_SOCKETS_MAKE), 1);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_is_told_as_information),
        cmocka_unit_test(mixed_with_other_items),
        cmocka_unit_test(one_that_is_asked_for_first),
        cmocka_unit_test(an_accept_behind_a_long_answer),
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(as_many_as_may_go),
        cmocka_unit_test(what_is_no_socket),
        cmocka_unit_test(a_name_makes_no_socket),
        cmocka_unit_test(it_keeps_all_its_rights),
        cmocka_unit_test(an_endpoint_must_name_them),
        cmocka_unit_test(none_is_left_if_one_fails),
        cmocka_unit_test(a_worker_that_cannot_begin),
        cmocka_unit_test(a_worker_that_is_late),
        cmocka_unit_test(the_endpoint_closes_meanwhile),
        cmocka_unit_test(the_target_ends_meanwhile),
        cmocka_unit_test(the_process_ends_in_the_workers_hands),
        cmocka_unit_test(the_sender_ends_meanwhile),
        cmocka_unit_test(other_rules_are_loaded_meanwhile),
        cmocka_unit_test(rules_that_change_nothing),
    };
    return cmocka_run_group_tests_name("core: sockets", tests, NULL, NULL);
}
