/* store.get: who waits, who of many gets an entry that is there once, and what ends an entry while it is taken. */
#include "core_policy.h"
#include "core_store.h"

#include <stdio.h>
#include <stdlib.h>

struct shelf {
    struct rig *rig;
    struct client *owner, *taker, *other;
};

/* Three sessions of one identity. */
static struct shelf shelf_new(void)
{
    struct shelf shelf = {.rig = rig_new(NULL, 1)};
    shelf.owner = client_new(shelf.rig, 100, 1);
    shelf.taker = client_new(shelf.rig, 101, 1);
    shelf.other = client_new(shelf.rig, 102, 1);
    fake_trace_clear(shelf.rig->kernel);
    return shelf;
}

/* ---- asked for ---- */

static void params_that_are_refused(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    store_put(shelf.owner, "user/a", "");
    const char *bad[] = {"{}",
                         "{'name':null}",
                         "{'name':''}",
                         "{'name':'a'}",
                         "{'name':1}",
                         "{'ticket':''}",
                         "{'ticket':1}",
                         "{'name':'user/a','wait_ms':-1}",
                         "{'name':'user/a','wait_ms':60001}",
                         "{'name':'user/a','wait_ms':'1'}",
                         "{'name':'user/a','access':'any'}",
                         "{'name':'user/a','access':0}",
                         "{'name':'user/a','access':2147483648}",
                         "{'name':'user/a','inherit':1}",
                         "{'name':'user/a','more':1}",
                         "{'name':'user/a','ticket':'00000000000000000000000000000000'}",
                         "{'name':null,'ticket':null}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        client_refused(shelf.taker, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_GET, bad[i]);
    store_misses(shelf.taker, "user/b");
    assert_int_equal(fake_trace_count(shelf.rig->kernel, FAKE_OP_PLACE), 0);
    assert_int_equal(client_status(shelf.owner).deliveries_pending, 0);
    store_get(shelf.other, "user/a");
    rig_end(shelf.rig);
}

/* The rig looks whether it is so in the table. */
static void it_is_inheritable_if_that_is_asked_for(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    store_put(shelf.owner, "user/a", "");
    client_ok(shelf.taker, HBK_METHOD_STORE_GET, "{'name':'user/a','inherit':true}");
    client_ok(shelf.taker, HBK_METHOD_STORE_GET, "{'name':'user/a','inherit':false}");
    store_get(shelf.taker, "user/a");
    rig_end(shelf.rig);
}

static void the_owner_may_take_it_too(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    store_put(shelf.owner, "user/a", ",'once':true");
    store_get(shelf.owner, "user/a");
    store_misses(shelf.owner, "user/a");
    assert_int_equal(fake_pins_held(shelf.rig->kernel), 0);
    struct hbk_status_result status = client_status(shelf.owner);
    assert_int_equal(status.delivered, 1);
    assert_int_equal(status.failed, 1);
    rig_end(shelf.rig);
}

/* ---- waited for ---- */

static void an_entry_may_come_late(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    uint32_t id = store_waits(shelf.taker, "user/a", 60000);
    const struct hbk_delivery_info *info =
        client_ok(shelf.taker, HBK_METHOD_DELIVERY_LIST, NULL)->u.result.deliveries.deliveries;
    assert_true(hbk_text_is(info->state, "waiting"));
    assert_true(hbk_text_is(info->endpoint, "user/a"));
    assert_int_equal(info->to.pid, 0);
    store_put(shelf.owner, "user/b", "");
    assert_int_equal(client_status(shelf.owner).deliveries_pending, 1);
    rig_advance(shelf.rig, 59999);
    assert_false(client_answered(shelf.taker, id));
    uint32_t handle = store_type_put(shelf.owner, "user/a", "Event", 3, "");
    assert_true(store_taken(shelf.taker, id, shelf.owner->process, handle));
    rig_advance(shelf.rig, 100000);
    assert_int_equal(client_status(shelf.owner).deliveries_pending, 0);
    rig_end(shelf.rig);
}

static void an_entry_that_never_comes_is_a_timeout(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    uint64_t before = fake_hash(shelf.rig->kernel);
    uint32_t longer = store_waits(shelf.taker, "user/a", 60000);
    uint32_t shorter = store_waits(shelf.other, "user/a", 1);
    rig_advance(shelf.rig, 1);
    client_error(shelf.other, shorter, HBK_R_TIMEOUT);
    rig_advance(shelf.rig, 59998);
    assert_false(client_answered(shelf.taker, longer));
    rig_advance(shelf.rig, 1);
    client_error(shelf.taker, longer, HBK_R_TIMEOUT);
    assert_true(before == fake_hash(shelf.rig->kernel));
    store_put(shelf.owner, "user/a", ",'once':true");
    store_get(shelf.other, "user/a"); /* nobody took it meanwhile */
    rig_end(shelf.rig);
}

static void what_comes_with_the_deadline_is_in_time(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    store_put(shelf.owner, "user/a", ",'once':true");
    shelf.other->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t first = store_ask(shelf.other, "user/a", 0);
    rig_run(shelf.rig);
    uint32_t id = store_waits(shelf.taker, "user/a", 10);
    shelf.rig->kernel->now_ms += 10;
    client_write_ends(shelf.other, true);
    client_result(shelf.other, first);
    rig_advance(shelf.rig, 0);
    client_error(shelf.taker, id, HBK_R_TIMEOUT);
    store_put(shelf.owner, "user/b", ",'once':true");
    store_ask(shelf.other, "user/b", 0);
    rig_run(shelf.rig);
    id = store_waits(shelf.taker, "user/b", 10);
    shelf.rig->kernel->now_ms += 10;
    client_write_ends(shelf.other, false); /* who waits looks before the clock does */
    client_result(shelf.taker, id);
    rig_advance(shelf.rig, 0);
    rig_end(shelf.rig);
}

static void what_others_put_is_not_meant(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    struct client *stranger = client_new(shelf.rig, 103, 2);
    uint32_t id = store_waits(shelf.taker, "user/a", 1000);
    store_put(stranger, "user/a", "");
    store_put(shelf.owner, "user/aa", "");
    store_ticket(shelf.owner, "");
    client_ok(shelf.owner, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    assert_false(client_answered(shelf.taker, id));
    rig_advance(shelf.rig, 1000);
    client_error(shelf.taker, id, HBK_R_TIMEOUT);
    rig_end(shelf.rig);
}

/* Who sends to a name does not wait for an entry of that name. */
static void a_send_does_not_wait_for_an_entry(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    uint32_t id = client_request(shelf.taker, HBK_METHOD_HANDLE_SEND,
                                 "{'to':'user/a','items':[{'handle':%u}],'wait_ms':10}",
                                 client_make(shelf.taker, "Event", 3));
    rig_run(shelf.rig);
    store_put(shelf.owner, "user/a", "");
    assert_false(client_answered(shelf.taker, id));
    store_get(shelf.taker, "user/a"); /* nor holds it back */
    rig_advance(shelf.rig, 10);
    client_error(shelf.taker, id, HBK_R_TIMEOUT);
    rig_end(shelf.rig);
}

static void who_waits_may_end(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    store_waits(shelf.taker, "user/a", 1000);
    client_hang_up(shelf.taker);
    assert_true(shelf.taker->connection->released);
    uint32_t id = store_waits(shelf.other, "user/a", 1000);
    store_put(shelf.owner, "user/a", ",'once':true");
    client_result(shelf.other, id);
    rig_end(shelf.rig);
}

static void all_that_wait_get_what_stays(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    uint32_t ids[4];
    for (size_t i = 0; i < 4; ++i)
        ids[i] = store_waits(i % 2 ? shelf.taker : shelf.other, "user/a", 1000);
    uint32_t handle = store_type_put(shelf.owner, "user/a", "Event", 3, "");
    for (size_t i = 0; i < 4; ++i)
        assert_true(
            store_taken(i % 2 ? shelf.taker : shelf.other, ids[i], shelf.owner->process, handle));
    rig_end(shelf.rig);
}

/* ---- there once ---- */

static void one_of_many_gets_it_and_the_others_wait_in_order(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    enum { TAKERS = 5 };
    struct client *takers[TAKERS];
    uint32_t ids[TAKERS];
    for (uint32_t i = 0; i < TAKERS; ++i) {
        takers[i] = client_connect(shelf.rig, shelf.taker->process, 1);
        client_prove(takers[i]);
        ids[i] = store_waits(takers[i], "user/a", 1000);
    }
    for (uint32_t i = 0; i < TAKERS; ++i) {
        uint32_t handle = store_type_put(shelf.owner, "user/a", "Event", 3, ",'once':true");
        assert_true(store_taken(takers[i], ids[i], shelf.owner->process, handle));
        for (uint32_t j = i + 1; j < TAKERS; ++j)
            assert_false(client_answered(takers[j], ids[j]));
        assert_int_equal(fake_pins_held(shelf.rig->kernel), 0);
    }
    store_put(shelf.owner, "user/a", ",'once':true");
    rig_end(shelf.rig);
}

/* Of whatever process and identity they are: as many are served as are put. */
static void takers_of_many_users_get_one_each(void **state)
{
    (void)state;
    enum { TAKERS = 9 };
    struct shelf shelf = shelf_new();
    fake_grant(shelf.rig->kernel, "all", 0, HBK_RIGHT_PUT | HBK_RIGHT_GET);
    fake_grant(shelf.rig->kernel, "D:(A;;0x8;;;WD)", 0, HBK_RIGHT_GET);
    RIG_RULES(shelf.rig, {.name = "global/*", .put = "all", .get = "all"});
    struct client *takers[TAKERS];
    uint32_t ids[TAKERS];
    for (uint32_t i = 0; i < TAKERS; ++i) {
        takers[i] = client_new(shelf.rig, 200 + i, 1 + i % 4);
        ids[i] = store_waits(takers[i], "global/a", 1000);
    }
    for (uint32_t put = 1; put <= TAKERS; ++put) {
        store_put(shelf.owner, "global/a", ",'once':true,'allow':'D:(A;;0x8;;;WD)'");
        uint32_t answered = 0, handles = 0;
        for (uint32_t i = 0; i < TAKERS; ++i) {
            answered += client_answered(takers[i], ids[i]);
            handles += fake_handles_count(takers[i]->process);
        }
        assert_int_equal(answered, put);
        assert_int_equal(handles, put);
        assert_int_equal(fake_pins_held(shelf.rig->kernel), 0);
    }
    for (uint32_t i = 0; i < TAKERS; ++i)
        client_result(takers[i], ids[i]);
    rig_end(shelf.rig);
}

static void the_gets_of_one_session_keep_their_order(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    uint32_t ids[3];
    for (size_t i = 0; i < 3; ++i)
        ids[i] = store_waits(shelf.taker, "user/a", 1000);
    for (size_t i = 0; i < 3; ++i) {
        uint32_t handle = store_type_put(shelf.owner, "user/a", "Event", 3, ",'once':true");
        assert_true(store_taken(shelf.taker, ids[i], shelf.owner->process, handle));
    }
    rig_end(shelf.rig);
}

/* As if it were not there. */
static void what_is_on_its_way_to_one_is_nobodys_else(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct shelf shelf = shelf_new();
        store_put(shelf.owner, "user/a", ",'once':true");
        shelf.taker->connection->write_mode = FAKE_WRITE_PENDS;
        uint32_t id = store_ask(shelf.taker, "user/a", 0);
        rig_run(shelf.rig);
        assert_int_equal(fake_handles_untold(shelf.taker->process), 1);
        store_misses(shelf.other, "user/a");
        uint32_t waiting = store_waits(shelf.other, "user/a", 1000);
        uint32_t second = store_ask(shelf.taker, "user/a", 0);
        rig_run(shelf.rig);
        client_write_ends(shelf.taker, told);
        assert_int_equal(fake_handles_untold(shelf.taker->process), 0);
        assert_int_equal(client_answered(shelf.other, waiting), !told);
        if (told) {
            client_result(shelf.taker, id);
            client_write_ends(shelf.taker, true);
            client_error(shelf.taker, second, HBK_R_NOT_FOUND);
            rig_advance(shelf.rig, 1000);
            client_error(shelf.other, waiting, HBK_R_TIMEOUT);
        } else {
            client_result(shelf.other, waiting);
            assert_int_equal(fake_handles_count(shelf.taker->process), 0);
        }
        assert_int_equal(store_count(shelf.other), 0);
        assert_int_equal(fake_pins_held(shelf.rig->kernel), 0);
        rig_end(shelf.rig);
    }
}

/* Whoever has an answer that pends may not be told of a value before that has ended; the entry is kept for it. */
static void an_entry_is_kept_for_who_cannot_be_told_yet(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct shelf shelf = shelf_new();
        store_put(shelf.owner, "user/a", ",'once':true");
        shelf.taker->connection->write_mode = FAKE_WRITE_PENDS;
        client_request(shelf.taker, HBK_METHOD_BROKER_STATUS, NULL);
        rig_run(shelf.rig);
        uint32_t id = store_ask(shelf.taker, "user/a", 0);
        rig_run(shelf.rig);
        assert_int_equal(fake_handles_untold(shelf.taker->process), 0);
        store_misses(shelf.other, "user/a");
        uint32_t waiting = store_waits(shelf.other, "user/a", 1000);
        shelf.taker->connection->write_mode = FAKE_WRITE_DONE;
        client_write_ends(shelf.taker, told);
        if (told)
            client_result(shelf.taker, id);
        else
            client_result(shelf.other, waiting);
        assert_int_equal(fake_trace_count(shelf.rig->kernel, FAKE_OP_PLACE), 1);
        rig_end(shelf.rig);
    }
}

/* ---- gone while it is taken ---- */

enum gone { REMOVED, REPLACED, EXPIRED, OWNER_GONE, GONE_COUNT };

static void let_go(struct shelf *shelf, enum gone gone)
{
    switch (gone) {
    case REMOVED:
        client_ok(shelf->other, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
        break;
    case REPLACED:
        store_type_put(shelf->other, "user/a", "Event", 1, ",'replace':true");
        break;
    case EXPIRED:
        rig_advance(shelf->rig, 5000);
        break;
    default:
        client_hang_up(shelf->owner);
        break;
    }
}

static void what_is_being_told_stays_until_it_is(void **state)
{
    (void)state;
    for (int i = 0; i < GONE_COUNT * 4; ++i) {
        enum gone gone = (enum gone)(i / 4);
        bool told = i % 2, once = i / 2 % 2;
        struct shelf shelf = shelf_new();
        unsigned long long entry = store_put(
            shelf.owner, "user/a", once ? ",'once':true,'ttl_ms':5000" : ",'ttl_ms':5000");
        shelf.taker->connection->write_mode = FAKE_WRITE_PENDS;
        uint32_t id = store_ask(shelf.taker, "user/a", 0);
        rig_run(shelf.rig);
        let_go(&shelf, gone);
        uint32_t left = gone == REPLACED;
        assert_int_equal(fake_pins_held(shelf.rig->kernel),
                         1 + left); /* what the answer tells of */
        if (gone != REPLACED)
            store_misses(shelf.other, "user/a");
        client_refused(shelf.other, HBK_R_NOT_FOUND, HBK_METHOD_STORE_REMOVE, "{'entry':%llu}",
                       entry);
        client_write_ends(shelf.taker, told);
        if (told)
            assert_int_equal(client_result(shelf.taker, id)->u.result.store_get.access, 3);
        assert_int_equal(fake_handles_count(shelf.taker->process), told);
        assert_int_equal(fake_pins_held(shelf.rig->kernel), left);
        assert_int_equal(store_count(shelf.other), left);
        if (left)
            assert_int_equal(store_get(shelf.other, "user/a")->access, 1);
        rig_end(shelf.rig);
    }
}

static void what_is_kept_for_somebody_may_go_before(void **state)
{
    (void)state;
    for (int i = 0; i < GONE_COUNT * 2; ++i) {
        enum gone gone = (enum gone)(i / 2);
        bool waits = i % 2;
        struct shelf shelf = shelf_new();
        store_put(shelf.owner, "user/a", ",'once':true,'ttl_ms':5000");
        shelf.taker->connection->write_mode = FAKE_WRITE_PENDS;
        client_request(shelf.taker, HBK_METHOD_BROKER_STATUS, NULL);
        rig_run(shelf.rig);
        uint32_t id = store_ask(shelf.taker, "user/a", waits ? 9000 : 0);
        rig_run(shelf.rig);
        let_go(&shelf, gone);
        shelf.taker->connection->write_mode = FAKE_WRITE_DONE;
        client_write_ends(shelf.taker, true);
        if (gone == REPLACED) {
            assert_int_equal(client_result(shelf.taker, id)->u.result.store_get.access, 1);
        } else if (waits) {
            assert_false(client_answered(shelf.taker, id));
            assert_int_equal(client_ok(shelf.taker, HBK_METHOD_DELIVERY_LIST, NULL)
                                 ->u.result.deliveries.deliveries[0]
                                 .items_count,
                             0);
            uint32_t handle = store_type_put(shelf.other, "user/a", "Event", 3, "");
            assert_true(store_taken(shelf.taker, id, shelf.other->process, handle));
        } else {
            client_error(shelf.taker, id, HBK_R_NOT_FOUND);
        }
        assert_int_equal(fake_pins_held(shelf.rig->kernel), gone == REPLACED || waits);
        rig_end(shelf.rig);
    }
}

static void its_deadline_stays_though_it_was_held(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    store_put(shelf.owner, "user/a", ",'once':true");
    shelf.taker->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(shelf.taker, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(shelf.rig);
    uint32_t id = store_ask(shelf.taker, "user/a", 1000);
    rig_run(shelf.rig);
    rig_advance(shelf.rig, 500);
    client_ok(shelf.owner, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
    shelf.taker->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(shelf.taker, true);
    rig_advance(shelf.rig, 499);
    assert_false(client_answered(shelf.taker, id));
    rig_advance(shelf.rig, 1);
    client_error(shelf.taker, id, HBK_R_TIMEOUT);
    rig_end(shelf.rig);
}

/* A name is free, and its entry nobody's, as soon as its session has ended, however many are still to be closed. */
static void what_goes_with_its_session_is_not_there(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    for (unsigned i = 0; i < 40; ++i) {
        char name[32];
        snprintf(name, sizeof name, "user/%u", i);
        store_put(shelf.owner, name, "");
    }
    fake_process_exit(shelf.rig->kernel, shelf.owner->process);
    shelf.owner->hung_up = true;
    uint32_t get = store_ask(shelf.taker, "user/39", 0);
    uint32_t put = client_request(shelf.taker, HBK_METHOD_STORE_PUT,
                                  "{'name':'user/39','handle':%u,'lifetime':'broker'}",
                                  client_make(shelf.taker, "Event", 3));
    uint32_t remove = client_request(shelf.taker, HBK_METHOD_STORE_REMOVE, "{'name':'user/38'}");
    uint32_t list = client_request(shelf.taker, HBK_METHOD_STORE_LIST, NULL);
    hbk_core_session_closed(shelf.rig->core, shelf.owner->session);
    while (!client_answered(shelf.taker, list))
        assert_true(rig_turn(shelf.rig));
    assert_true(fake_pins_held(shelf.rig->kernel) > 10);
    client_error(shelf.taker, get, HBK_R_NOT_FOUND);
    client_result(shelf.taker, put);
    client_error(shelf.taker, remove, HBK_R_NOT_FOUND);
    assert_int_equal(client_result(shelf.taker, list)->u.result.store_list.entries_count, 1);
    rig_run(shelf.rig);
    assert_int_equal(fake_pins_held(shelf.rig->kernel), 1);
    store_get(shelf.other, "user/39");
    rig_end(shelf.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(params_that_are_refused),
        cmocka_unit_test(it_is_inheritable_if_that_is_asked_for),
        cmocka_unit_test(the_owner_may_take_it_too),
        cmocka_unit_test(an_entry_may_come_late),
        cmocka_unit_test(an_entry_that_never_comes_is_a_timeout),
        cmocka_unit_test(what_comes_with_the_deadline_is_in_time),
        cmocka_unit_test(what_others_put_is_not_meant),
        cmocka_unit_test(a_send_does_not_wait_for_an_entry),
        cmocka_unit_test(who_waits_may_end),
        cmocka_unit_test(all_that_wait_get_what_stays),
        cmocka_unit_test(one_of_many_gets_it_and_the_others_wait_in_order),
        cmocka_unit_test(takers_of_many_users_get_one_each),
        cmocka_unit_test(the_gets_of_one_session_keep_their_order),
        cmocka_unit_test(what_is_on_its_way_to_one_is_nobodys_else),
        cmocka_unit_test(an_entry_is_kept_for_who_cannot_be_told_yet),
        cmocka_unit_test(what_is_being_told_stays_until_it_is),
        cmocka_unit_test(what_is_kept_for_somebody_may_go_before),
        cmocka_unit_test(its_deadline_stays_though_it_was_held),
        cmocka_unit_test(what_goes_with_its_session_is_not_there),
    };
    return cmocka_run_group_tests_name("core: take", tests, NULL, NULL);
}
