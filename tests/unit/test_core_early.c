/* delivery.revoke of what was not told yet, in every state that it may be in; and delivery.list, which says in which. */
#include "core_share.h"

#include <stdio.h>
#include <string.h>

#define SEND HBK_METHOD_HANDLE_SEND
#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define REVOKE HBK_METHOD_DELIVERY_REVOKE
#define ITEM "'items':[{'handle':%u}]"

/* Process 100 sends to process 101; process 102 may see all and revoke all. */
struct scene {
    struct share share;
    struct rig *rig;
    struct fake_kernel *kernel;
    struct log *log;
    struct client *a, *b, *c;
    uint32_t id;     /* of the send that is about to be revoked */
    uint32_t others; /* handles that are on their way besides */
    uint32_t accept; /* of its target; 0: none */
    bool offered;
};

/* Lets a send come to be in a state. */
typedef void reach(struct scene *scene);

static uint32_t ask(struct scene *scene, const char *to)
{
    return client_request(scene->a, SEND, "{%s," ITEM "}", to, client_make(scene->a, "Event", 3));
}

static void open(struct scene *scene, const char *params)
{
    client_ok(scene->b, OPEN, "{'name':'user/a'%s}", params);
}

static void to_pinning(struct scene *scene)
{
    open(scene, "");
    for (int i = 0; i < 4; ++i)
        client_make(scene->a, "Event", 3);
    scene->id = client_request(scene->a, SEND,
                               "{'to':'user/a','items':[{'handle':4},{'handle':8},{'handle':12},"
                               "{'handle':16}]}");
    while (fake_pins_held(scene->kernel) == 0)
        assert_true(rig_turn(scene->rig));
    assert_true(fake_pins_held(scene->kernel) < 4);
}

static void to_waiting(struct scene *scene)
{
    scene->id = ask(scene, "'to':'user/a','wait_ms':60000");
}

static void to_behind(struct scene *scene)
{
    ask(scene, "'to':'user/a','wait_ms':60000");
    scene->others = 1;
    scene->id = ask(scene, "'to':'user/a','wait_ms':60000");
}

static void to_blocked(struct scene *scene)
{
    open(scene, "");
    share_block(scene->b);
    scene->id = ask(scene, "'to':'user/a'");
}

static void to_offered(struct scene *scene)
{
    open(scene, ",'mode':'ask'");
    scene->id = ask(scene, "'to':'user/a'");
    scene->offered = true;
}

static void to_accepted(struct scene *scene)
{
    to_offered(scene);
    rig_run(scene->rig);
    unsigned long long delivery = client_offered(scene->b)->delivery;
    share_block(scene->b);
    scene->accept =
        client_request(scene->b, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
}

static void to_making(struct scene *scene)
{
    open(scene, ",'types':{'Socket':'any'}");
    scene->id =
        client_request(scene->a, SEND, "{'to':'user/a','items':[{'handle':%u,'type':'Socket'}]}",
                       client_make_socket(scene->a, 0x1F01FF));
}

static void to_making_of_an_accepted_one(struct scene *scene)
{
    open(scene, ",'types':{'Socket':'any'},'mode':'ask'");
    scene->offered = true;
    scene->id =
        client_request(scene->a, SEND, "{'to':'user/a','items':[{'handle':%u,'type':'Socket'}]}",
                       client_make_socket(scene->a, 0x1F01FF));
    rig_run(scene->rig);
    unsigned long long delivery = client_offered(scene->b)->delivery;
    scene->accept =
        client_request(scene->b, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
}

/* Made, and held up by a write that began meanwhile. */
static void to_blocked_once_made(struct scene *scene)
{
    to_making(scene);
    rig_run(scene->rig);
    share_block(scene->b);
    rig_sockets_all_end(scene->rig);
    assert_int_equal(fake_handles_untold(scene->b->process), 1);
}

static const struct {
    const char *state;
    reach *reach;
} states[] = {
    {"pinning", to_pinning},
    {"waiting", to_waiting},
    {"behind", to_behind},
    {"blocked", to_blocked},
    {"offered", to_offered},
    {"accepted", to_accepted},
    {"making", to_making},
    {"accepted", to_making_of_an_accepted_one},
    {"blocked", to_blocked_once_made},
};

enum { STATES = sizeof states / sizeof states[0] };

static struct scene scene_new(void)
{
    struct scene scene = {.share = share_new(NULL)};
    scene.rig = scene.share.rig;
    scene.kernel = scene.rig->kernel;
    scene.log = scene.share.log;
    scene.a = scene.share.a;
    scene.b = scene.share.b;
    scene.c = scene.share.c;
    share_let(&scene.share, 102, HBK_RIGHT_INSPECT, true);
    share_let(&scene.share, 102, HBK_RIGHT_REVOKE, true);
    return scene;
}

static struct scene scene_at(size_t state)
{
    struct scene scene = scene_new();
    states[state].reach(&scene);
    if (state != 0)
        rig_run(scene.rig);
    assert_false(client_answered(scene.a, scene.id));
    return scene;
}

static void scene_end(struct scene *scene)
{
    log_forget(scene->log);
    share_end(&scene->share);
}

/* What @client sees, without running on what is under way. Return: the entry of @state; id 0: none. */
static struct hbk_delivery_info look(struct scene *scene, struct client *client, const char *state)
{
    uint32_t id = client_request(client, HBK_METHOD_DELIVERY_LIST, "{}");
    for (unsigned i = 0; !client_answered(client, id); ++i) {
        assert_true(i < 100 && !client->connection->pending);
        rig_turn(scene->rig);
    }
    const struct hbk_delivery_list_result *list = &client_result(client, id)->u.result.deliveries;
    struct hbk_delivery_info found = {0};
    for (size_t i = 0; i < list->deliveries_count; ++i)
        if (hbk_text_is(list->deliveries[i].state, state))
            found = list->deliveries[i];
    return found;
}

/* The answer to @client's delivery.revoke, and all that it lets go on. */
static void take_back(struct scene *scene, struct client *client, unsigned long long delivery)
{
    uint32_t id = client_request(client, REVOKE, "{'delivery':%llu}", delivery);
    rig_run(scene->rig);
    rig_sockets_all_end(scene->rig);
    assert_int_equal(client_result(client, id)->u.result.revoke.closed_count, 0);
    client_error(scene->a, scene->id, HBK_R_REJECTED);
}

static void check_nothing_is_left(struct scene *scene, unsigned long long delivery)
{
    if (scene->b->connection->pending)
        share_unblock(scene->b, true);
    if (scene->offered) {
        const struct hbk_revoked *revoked = client_revoked(scene->b);
        assert_int_equal(revoked->delivery, delivery);
        assert_int_equal(revoked->closed_count, 0);
    }
    if (scene->accept)
        client_error(scene->b, scene->accept, HBK_R_REJECTED);
    assert_int_equal(fake_handles_count(scene->b->process), 0);
    assert_int_equal(fake_pins_held(scene->kernel), scene->others);
    assert_int_equal(fake_sockets_held(scene->kernel), 0);
    assert_int_equal(client_status(scene->c).deliveries_pending, scene->others);
    client_refused(scene->c, HBK_R_NOT_FOUND, REVOKE, "{'delivery':%llu}", delivery);
    if (scene->offered)
        client_refused(scene->b, HBK_R_NOT_FOUND, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                       delivery);
}

static void it_is_taken_back_in_every_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATES; ++i) {
        for (int by_operator = 0; by_operator < 2; ++by_operator) {
            if (i == 0 && !by_operator)
                continue; /* its sender's next line waits until it is pinned */
            struct scene scene = scene_at(i);
            struct hbk_delivery_info info = look(&scene, scene.c, states[i].state);
            assert_true(info.delivery != 0);
            assert_false(info.revocable);
            log_forget(scene.log);
            take_back(&scene, by_operator ? scene.c : scene.a, info.delivery);
            const struct hbk_event *record = log_take(scene.log, "delivery.revoke", "done", NULL);
            assert_int_equal(record->delivery, info.delivery);
            assert_int_equal(record->caller.pid, by_operator ? 102 : 100);
            assert_int_equal(record->target.pid, info.to.pid);
            if (scene.accept)
                log_take(scene.log, "delivery.accept", "failed", "rejected");
            log_take(scene.log, "handle.send", "refused", "rejected");
            log_take(scene.log, "delivery.closed", "done", NULL);
            check_nothing_is_left(&scene, info.delivery);
            scene_end(&scene);
        }
    }
}

/* Who neither sent it nor may revoke learns nothing, and changes nothing. */
static void strangers_find_nothing(void **state)
{
    (void)state;
    for (size_t i = 1; i < STATES; ++i) {
        struct scene scene = scene_at(i);
        struct client *d = client_new(scene.rig, 103, 1);
        unsigned long long delivery = look(&scene, scene.c, states[i].state).delivery;
        client_refused(d, HBK_R_NOT_FOUND, REVOKE, "{'delivery':%llu}", delivery);
        assert_int_equal(look(&scene, d, states[i].state).delivery, 0);
        if (!scene.b->connection->pending)
            client_refused(scene.b, HBK_R_NOT_FOUND, REVOKE, "{'delivery':%llu}", delivery);
        assert_false(client_answered(scene.a, scene.id));
        assert_int_equal(look(&scene, scene.c, states[i].state).delivery, delivery);
        take_back(&scene, scene.a, delivery);
        scene_end(&scene);
    }
}

static void what_was_behind_goes_on(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    open(&scene, ",'mode':'ask'");
    share_block(scene.b);
    uint32_t first = ask(&scene, "'to':'user/a'"), second = ask(&scene, "'to':'user/a'");
    rig_run(scene.rig);
    unsigned long long delivery = look(&scene, scene.a, "blocked").delivery;
    assert_true(look(&scene, scene.a, "behind").delivery != 0);
    client_ok(scene.a, REVOKE, "{'delivery':%llu}", delivery);
    client_error(scene.a, first, HBK_R_REJECTED);
    assert_true(look(&scene, scene.a, "blocked").delivery != 0);
    share_unblock(scene.b, true);
    client_ok(scene.b, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
              (unsigned long long)client_offered(scene.b)->delivery);
    client_result(scene.a, second);
    client_nothing(scene.a);
    scene_end(&scene);
}

/* Whether it is told is open, and nobody's to decide but the write's end's. */
static void what_is_being_told_is_busy(void **state)
{
    (void)state;
    for (int revocable = 0; revocable < 2; ++revocable) {
        for (int told = 0; told < 2; ++told) {
            struct scene scene = scene_new();
            open(&scene, ",'revocable':true");
            scene.b->connection->write_mode = FAKE_WRITE_PENDS;
            uint32_t id =
                ask(&scene, revocable ? "'to':'user/a','revocable':true" : "'to':'user/a'");
            rig_run(scene.rig);
            unsigned long long delivery = look(&scene, scene.a, "telling").delivery;
            assert_true(delivery != 0);
            client_refused(scene.a, HBK_R_BUSY, REVOKE, "{'delivery':%llu}", delivery);
            client_refused(scene.c, HBK_R_BUSY, REVOKE, "{'delivery':%llu}", delivery);
            scene.b->connection->write_mode = FAKE_WRITE_DONE;
            client_write_ends(scene.b, told);
            if (told)
                client_result(scene.a, id);
            else
                client_error(scene.a, id, HBK_R_TARGET_GONE);
            assert_int_equal(fake_handles_count(scene.b->process), told);
            assert_int_equal(fake_pins_held(scene.kernel), told && revocable);
            if (told && revocable) {
                assert_int_equal(client_ok(scene.a, REVOKE, "{'delivery':%llu}", delivery)
                                     ->u.result.revoke.closed_count,
                                 1);
                client_revoked(scene.b);
            } else {
                client_refused(scene.a, HBK_R_NOT_FOUND, REVOKE, "{'delivery':%llu}", delivery);
            }
            if (told)
                client_delivered(scene.b);
            client_nothing(scene.b);
            scene_end(&scene);
        }
    }
}

/* One that is over, and whose pins are being closed. */
static void what_is_over_is_not_found(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    open(&scene, "");
    scene.kernel->unpins_pend = true;
    uint32_t id = ask(&scene, "'to':'user/a'");
    rig_run(scene.rig);
    unsigned long long delivery = client_result(scene.a, id)->u.result.send.delivery;
    assert_int_equal(fake_pins_closing(scene.kernel), 1);
    client_refused(scene.a, HBK_R_NOT_FOUND, REVOKE, "{'delivery':%llu}", delivery);
    client_refused(scene.c, HBK_R_NOT_FOUND, REVOKE, "{'delivery':%llu}", delivery);
    assert_int_equal(
        client_ok(scene.c, HBK_METHOD_DELIVERY_LIST, "{}")->u.result.deliveries.deliveries_count,
        0);
    rig_unpins_end(scene.rig);
    scene_end(&scene);
}

/* What somebody takes from the store is nobody's to revoke. */
static void a_taking_is_not_revoked(void **state)
{
    (void)state;
    struct scene scene = scene_new();
    uint32_t id = client_request(scene.a, HBK_METHOD_STORE_GET, "{'name':'user/x','wait_ms':1000}");
    rig_run(scene.rig);
    unsigned long long delivery = look(&scene, scene.a, "waiting").delivery;
    assert_true(delivery != 0);
    client_refused(scene.a, HBK_R_NOT_FOUND, REVOKE, "{'delivery':%llu}", delivery);
    client_refused(scene.c, HBK_R_NOT_FOUND, REVOKE, "{'delivery':%llu}", delivery);
    assert_false(client_answered(scene.a, id));
    rig_advance(scene.rig, 1000);
    client_error(scene.a, id, HBK_R_TIMEOUT);
    scene_end(&scene);
}

/* The state that the end finds it in makes no difference: its answer is there, and nothing is left. */
static void the_service_may_stop_in_every_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATES; ++i) {
        struct scene scene = scene_at(i);
        rig_stop(scene.rig);
        client_error(scene.a, scene.id, HBK_R_STOPPING);
        assert_int_equal(hbk_core_stopped(scene.rig->core),
                         !scene.b->connection->pending && !fake_sockets_making(scene.kernel));
        scene_end(&scene);
    }
}

/* Or who has sent it. */
static void its_sender_may_end_in_every_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATES; ++i) {
        struct scene scene = scene_at(i);
        if (scene.offered && !scene.accept)
            client_offered(scene.b);
        client_exit(scene.a);
        rig_sockets_all_end(scene.rig);
        if (scene.b->connection->pending)
            share_unblock(scene.b, true);
        if (scene.offered)
            assert_int_equal(client_session_gone(scene.b)->session, scene.a->session_id);
        if (scene.accept)
            client_error(scene.b, scene.accept, HBK_R_NOT_FOUND);
        assert_int_equal(fake_handles_count(scene.b->process), 0);
        assert_int_equal(fake_pins_held(scene.kernel), 0);
        assert_true(scene.a->connection->released);
        scene_end(&scene);
    }
}

/* Or who is to get it. */
static void its_target_may_end_in_every_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATES; ++i) {
        for (int exits = 0; exits < 2; ++exits) {
            struct scene scene = scene_at(i);
            bool has_target = look(&scene, scene.c, states[i].state).to.pid != 0;
            if (exits)
                client_exit(scene.b);
            else
                client_hang_up(scene.b);
            rig_sockets_all_end(scene.rig);
            if (scene.b->connection->pending)
                client_write_ends(scene.b, false);
            if (has_target)
                client_error(scene.a, scene.id, HBK_R_TARGET_GONE);
            else if (i == 0)
                client_error(scene.a, scene.id, HBK_R_NOT_FOUND);
            else
                assert_false(client_answered(scene.a, scene.id));
            assert_int_equal(fake_handles_count(scene.b->process), 0);
            scene_end(&scene);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_taken_back_in_every_state),
        cmocka_unit_test(strangers_find_nothing),
        cmocka_unit_test(what_was_behind_goes_on),
        cmocka_unit_test(what_is_being_told_is_busy),
        cmocka_unit_test(what_is_over_is_not_found),
        cmocka_unit_test(a_taking_is_not_revoked),
        cmocka_unit_test(the_service_may_stop_in_every_state),
        cmocka_unit_test(its_sender_may_end_in_every_state),
        cmocka_unit_test(its_target_may_end_in_every_state),
    };
    return cmocka_run_group_tests_name("core: revoked early", tests, NULL, NULL);
}
