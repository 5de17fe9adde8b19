/* What fails, ends or changes in the middle of a put or a get: the entry is as before, and nothing stays where it does
 * not belong. */
#include "core_policy.h"
#include "core_store.h"

#include <stdio.h>
#include <stdlib.h>

#define ALLOW "'allow':'D:(A;;0x8;;;WD)'"

struct shelf {
    struct rig *rig;
    struct client *owner, *taker, *other;
};

static struct shelf shelf_new(void)
{
    struct shelf shelf = {.rig = rig_new(NULL, 1)};
    shelf.owner = client_new(shelf.rig, 100, 1);
    shelf.taker = client_new(shelf.rig, 101, 1);
    shelf.other = client_new(shelf.rig, 102, 1);
    fake_grant(shelf.rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    fake_grant(shelf.rig->kernel, "D:(A;;0x8;;;WD)", 0, HBK_RIGHT_GET);
    return shelf;
}

/* With an answer that pends, so that a get has to wait. Return: the get, which holds the entry. */
static uint32_t hold(struct shelf *shelf, const char *name, unsigned wait_ms)
{
    shelf->taker->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(shelf->taker, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(shelf->rig);
    return store_waits(shelf->taker, name, wait_ms);
}

static void go_on(struct shelf *shelf)
{
    shelf->taker->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(shelf->taker, true);
}

/* ---- operations that fail ---- */

static void a_put_that_the_system_refuses_puts_nothing(void **state)
{
    (void)state;
    const enum fake_op ops[] = {FAKE_OP_PIN, FAKE_OP_INSPECT, FAKE_OP_DESCRIPTOR_NEW};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; ++i) {
        struct shelf shelf = shelf_new();
        store_put(shelf.owner, "user/a", "");
        uint32_t event = client_make(shelf.owner, "Event", 3);
        fake_fail(shelf.rig->kernel, ops[i], 1, HBK_R_OS_ERROR, 1450);
        const struct hbk_error *error =
            client_refused(shelf.owner, HBK_R_OS_ERROR, HBK_METHOD_STORE_PUT,
                           "{'name':'user/a','handle':%u,'replace':true," ALLOW "}", event);
        assert_int_equal(error->win32, 1450);
        assert_int_equal(error->item, -1);
        assert_int_equal(store_count(shelf.other), 1);
        assert_int_equal(fake_descriptors_held(shelf.rig->kernel), 0);
        store_get(shelf.taker, "user/a");
        rig_end(shelf.rig);
    }
}

static void a_get_that_the_system_refuses_leaves_the_entry(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    store_put(shelf.owner, "user/a", ",'once':true");
    fake_fail(shelf.rig->kernel, FAKE_OP_PLACE, 1, HBK_R_OS_ERROR, 1450);
    const struct hbk_error *error =
        client_refused(shelf.taker, HBK_R_OS_ERROR, HBK_METHOD_STORE_GET, "{'name':'user/a'}");
    assert_int_equal(error->win32, 1450);
    /* Who waits behind it gets it. */
    uint32_t held = hold(&shelf, "user/a", 0);
    uint32_t waiting = store_waits(shelf.other, "user/a", 1000);
    fake_fail(shelf.rig->kernel, FAKE_OP_PLACE, 1, HBK_R_OS_ERROR, 1450);
    go_on(&shelf);
    client_error(shelf.taker, held, HBK_R_OS_ERROR);
    client_result(shelf.other, waiting);
    assert_int_equal(fake_handles_count(shelf.taker->process), 0);
    rig_end(shelf.rig);
}

static void a_full_table_takes_nothing(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    store_put(shelf.owner, "user/a", ",'once':true");
    shelf.taker->process->handles_max = 1;
    client_make(shelf.taker, "Event", 3);
    client_refused(shelf.taker, HBK_R_OS_ERROR, HBK_METHOD_STORE_GET, "{'name':'user/a'}");
    store_get(shelf.other, "user/a");
    rig_end(shelf.rig);
}

static void what_nobody_can_tell_is_said_to_be_unknown(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    shelf.rig->kernel->policy.widenable_type = "Event";
    store_put(shelf.owner, "user/a", "");
    fake_fail(shelf.rig->kernel, FAKE_OP_WIDENABLE, 1, HBK_R_OS_ERROR, 5);
    for (int i = 0; i < 2; ++i)
        assert_int_equal(
            client_ok(shelf.taker, HBK_METHOD_STORE_GET, "{'name':'user/a','access':1}")
                ->u.result.store_get.widenable,
            i == 0 ? HBK_WIDENABLE_UNKNOWN : HBK_WIDENABLE_YES);
    rig_end(shelf.rig);
}

/* ---- processes that end inside an operation ---- */

static void a_taker_ends_inside_an_operation(void **state)
{
    (void)state;
    const enum fake_op ops[] = {FAKE_OP_ACCESS_CHECK, FAKE_OP_PLACE, FAKE_OP_WIDENABLE,
                                FAKE_OP_WRITE};
    for (size_t i = 0; i < 2 * sizeof ops / sizeof ops[0]; ++i) {
        enum fake_op op = ops[i / 2];
        bool after = i % 2;
        struct shelf shelf = shelf_new();
        store_put(shelf.owner, "user/a", ",'once':true," ALLOW);
        fake_exit_at(shelf.rig->kernel, op, 1, shelf.taker->process, after);
        client_request(shelf.taker, HBK_METHOD_STORE_GET, "{'name':'user/a','access':1}");
        rig_run(shelf.rig);
        assert_false(shelf.taker->process->running);
        client_hang_up(shelf.taker);
        assert_true(shelf.taker->connection->released);
        bool told = op == FAKE_OP_WRITE && after;
        assert_int_equal(fake_pins_held(shelf.rig->kernel), !told);
        if (told)
            store_misses(shelf.other, "user/a");
        else
            store_get(shelf.other, "user/a");
        rig_end(shelf.rig);
    }
}

/* Also while what was placed is taken back, and while the entry is closed. */
static void a_process_ends_while_it_is_undone(void **state)
{
    (void)state;
    for (int after = 0; after < 2; ++after) {
        struct shelf shelf = shelf_new();
        store_put(shelf.owner, "user/a", ",'once':true");
        shelf.taker->connection->write_mode = FAKE_WRITE_PENDS;
        store_ask(shelf.taker, "user/a", 0);
        rig_run(shelf.rig);
        fake_exit_at(shelf.rig->kernel, FAKE_OP_UNPLACE, 1, shelf.taker->process, after);
        client_write_ends(shelf.taker, false);
        assert_false(shelf.taker->process->running);
        fake_exit_at(shelf.rig->kernel, FAKE_OP_UNPIN, 1, shelf.owner->process, after);
        store_get(shelf.other, "user/a");
        assert_false(shelf.owner->process->running);
        client_hang_up(shelf.owner);
        assert_int_equal(fake_pins_held(shelf.rig->kernel), 0);
        rig_end(shelf.rig);
    }
}

static void an_owner_ends_inside_an_operation(void **state)
{
    (void)state;
    const enum fake_op ops[] = {FAKE_OP_DESCRIPTOR_NEW, FAKE_OP_PIN, FAKE_OP_INSPECT,
                                FAKE_OP_WRITE};
    for (size_t i = 0; i < 4 * sizeof ops / sizeof ops[0]; ++i) {
        enum fake_op op = ops[i / 4];
        bool after = i % 2, stays = i / 2 % 2;
        struct shelf shelf = shelf_new();
        fake_exit_at(shelf.rig->kernel, op, 1, shelf.owner->process, after);
        client_request(shelf.owner, HBK_METHOD_STORE_PUT,
                       "{'name':'user/a','handle':%u,'lifetime':'%s'," ALLOW "}",
                       client_make(shelf.owner, "Event", 3), stays ? "broker" : "session");
        rig_run(shelf.rig);
        assert_false(shelf.owner->process->running);
        client_hang_up(shelf.owner);
        assert_true(shelf.owner->connection->released);
        bool pinned = op != FAKE_OP_DESCRIPTOR_NEW && (op != FAKE_OP_PIN || after);
        assert_int_equal(store_count(shelf.other), stays && pinned);
        assert_int_equal(fake_pins_held(shelf.rig->kernel), stays && pinned);
        assert_int_equal(fake_descriptors_held(shelf.rig->kernel), stays && pinned);
        if (stays && pinned)
            store_get(shelf.other, "user/a");
        else
            store_misses(shelf.other, "user/a");
        rig_end(shelf.rig);
    }
}

/* What the owner does is nothing to who takes. */
static void an_owner_ends_while_another_takes(void **state)
{
    (void)state;
    const enum fake_op ops[] = {FAKE_OP_PLACE, FAKE_OP_WIDENABLE, FAKE_OP_WRITE};
    for (size_t i = 0; i < 2 * sizeof ops / sizeof ops[0]; ++i) {
        struct shelf shelf = shelf_new();
        store_put(shelf.owner, "user/a", "");
        fake_exit_at(shelf.rig->kernel, ops[i / 2], 1, shelf.owner->process, i % 2);
        client_ok(shelf.taker, HBK_METHOD_STORE_GET, "{'name':'user/a','access':1}");
        assert_false(shelf.owner->process->running);
        client_hang_up(shelf.owner);
        assert_int_equal(fake_pins_held(shelf.rig->kernel), 0);
        store_misses(shelf.taker, "user/a");
        rig_end(shelf.rig);
    }
}

/* ---- ended by the broker or by itself ---- */

static void who_cannot_be_told_in_time_is_let_go(void **state)
{
    (void)state;
    for (int held = 0; held < 2; ++held) {
        struct shelf shelf = shelf_new();
        store_put(shelf.owner, "user/a", ",'once':true,'lifetime':'broker'");
        if (held) {
            hold(&shelf, "user/a", 0);
        } else {
            shelf.taker->connection->write_mode = FAKE_WRITE_PENDS;
            store_ask(shelf.taker, "user/a", 0);
            rig_run(shelf.rig);
        }
        uint32_t waiting = store_waits(shelf.other, "user/a", 60000);
        rig_advance(shelf.rig, HBK_WRITE_DEADLINE_MS);
        assert_true(client_ended(shelf.taker));
        assert_int_equal(client_answered(shelf.other, waiting), held);
        /* A write that is cancelled may still succeed; then it was told. */
        client_write_ends(shelf.taker, false);
        client_result(shelf.other, waiting);
        rig_end(shelf.rig);
    }
}

static void a_write_that_was_cancelled_may_succeed(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    store_put(shelf.owner, "user/a", ",'once':true");
    shelf.taker->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t id = store_ask(shelf.taker, "user/a", 0);
    rig_run(shelf.rig);
    uint32_t waiting = store_waits(shelf.other, "user/a", 60000);
    rig_advance(shelf.rig, HBK_WRITE_DEADLINE_MS);
    assert_true(client_ended(shelf.taker));
    client_write_ends(shelf.taker, true);
    client_result(shelf.taker, id);
    assert_false(client_answered(shelf.other, waiting));
    assert_int_equal(store_count(shelf.other), 0);
    rig_end(shelf.rig);
}

static void a_taker_hangs_up_on_the_way(void **state)
{
    (void)state;
    for (int held = 0; held < 2; ++held) {
        struct shelf shelf = shelf_new();
        store_put(shelf.owner, "user/a", ",'once':true");
        if (held) {
            hold(&shelf, "user/a", 0);
        } else {
            shelf.taker->connection->write_mode = FAKE_WRITE_PENDS;
            store_ask(shelf.taker, "user/a", 0);
            rig_run(shelf.rig);
        }
        uint32_t waiting = store_waits(shelf.other, "user/a", 1000);
        client_hang_up(shelf.taker);
        assert_int_equal(client_answered(shelf.other, waiting), held);
        client_write_ends(shelf.taker, false);
        assert_true(shelf.taker->connection->released);
        client_result(shelf.other, waiting);
        assert_int_equal(fake_handles_count(shelf.taker->process), 0);
        rig_end(shelf.rig);
    }
}

/* Its own gets wait for one another, and all end with it. */
static void a_taker_with_many_gets_of_one_entry_ends(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    store_put(shelf.owner, "user/a", ",'once':true");
    hold(&shelf, "user/a", 1000);
    for (int i = 0; i < 3; ++i)
        store_waits(shelf.taker, "user/a", 1000);
    client_hang_up(shelf.taker);
    client_write_ends(shelf.taker, false);
    assert_true(shelf.taker->connection->released);
    store_get(shelf.other, "user/a");
    rig_end(shelf.rig);
}

/* What stays there for all is nobody's alone: that one is not told of it is nothing to who may not have it. */
static void who_waits_looks_again_only_for_a_reason(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    fake_grant(shelf.rig->kernel, "D:(A;;0x8;;;SY)", 101, HBK_RIGHT_GET);
    store_put(shelf.owner, "user/a", ",'allow':'D:(A;;0x8;;;SY)'");
    uint32_t waiting = store_waits(shelf.other, "user/a", 1000);
    fake_fail(shelf.rig->kernel, FAKE_OP_PLACE, 1, HBK_R_OS_ERROR, 8);
    fake_trace_clear(shelf.rig->kernel);
    client_refused(shelf.taker, HBK_R_OS_ERROR, HBK_METHOD_STORE_GET, "{'name':'user/a'}");
    assert_int_equal(fake_trace_count(shelf.rig->kernel, FAKE_OP_ACCESS_CHECK), 1);
    assert_false(client_answered(shelf.other, waiting));
    rig_end(shelf.rig);
}

/* ---- other rules meanwhile ---- */

static void other_rules_end_the_waiting(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    fake_grant(shelf.rig->kernel, "two", 102, HBK_RIGHT_GET);
    RIG_RULES(shelf.rig, {.name = "global/*", .put = "all", .get = "all"});
    uint32_t taker = store_waits(shelf.taker, "global/a", 1000);
    uint32_t other = store_waits(shelf.other, "global/a", 1000);
    RIG_RULES(shelf.rig, {.name = "global/*", .put = "all", .get = "two"});
    client_error(shelf.taker, taker, HBK_R_DENIED);
    assert_false(client_answered(shelf.other, other));
    store_put(shelf.owner, "global/a", ",'once':true");
    client_result(shelf.other, other);
    client_refused(shelf.taker, HBK_R_DENIED, HBK_METHOD_STORE_GET, "{'name':'global/a'}");
    rig_end(shelf.rig);
}

static void other_rules_hold_for_who_cannot_be_told_yet(void **state)
{
    (void)state;
    for (int capped = 0; capped < 2; ++capped) {
        struct shelf shelf = shelf_new();
        fake_grant(shelf.rig->kernel, "two", 102, HBK_RIGHT_GET);
        RIG_RULES(shelf.rig, {.name = "global/*", .put = "all", .get = "all"});
        store_put(shelf.owner, "global/a", ",'once':true");
        uint32_t held = hold(&shelf, "global/a", 5000);
        uint32_t waiting = client_request(shelf.other, HBK_METHOD_STORE_GET,
                                          "{'name':'global/a','wait_ms':5000,'access':1}");
        rig_run(shelf.rig);
        assert_false(client_answered(shelf.other, waiting));
        if (capped)
            RIG_RULES(shelf.rig, {.name = "global/*", .put = "all", .get = "all", .access_max = 1});
        else
            RIG_RULES(shelf.rig, {.name = "global/*", .put = "all", .get = "two"});
        assert_false(client_answered(shelf.other, waiting));
        go_on(&shelf);
        client_error(shelf.taker, held, HBK_R_DENIED);
        assert_int_equal(client_result(shelf.other, waiting)->u.result.store_get.access, 1);
        rig_end(shelf.rig);
    }
}

/* Who held it and may not have it after all lets those have it who wait. */
static void an_entry_that_is_held_in_vain_is_let_go(void **state)
{
    (void)state;
    for (int waits = 0; waits < 2; ++waits) {
        struct shelf shelf = shelf_new();
        store_put(shelf.owner, "user/a", ",'once':true," ALLOW);
        uint32_t held = hold(&shelf, "user/a", waits ? 5000 : 0);
        uint32_t waiting = store_waits(shelf.other, "user/a", 1000);
        fake_fail(shelf.rig->kernel, FAKE_OP_ACCESS_CHECK, 1, HBK_R_OS_ERROR, 5);
        go_on(&shelf);
        client_result(shelf.other, waiting);
        if (waits)
            assert_false(client_answered(shelf.taker, held));
        else
            client_error(shelf.taker, held, HBK_R_NOT_FOUND);
        assert_int_equal(fake_handles_count(shelf.taker->process), 0);
        assert_int_equal(store_count(shelf.other), 0);
        rig_end(shelf.rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put_that_the_system_refuses_puts_nothing),
        cmocka_unit_test(a_get_that_the_system_refuses_leaves_the_entry),
        cmocka_unit_test(a_full_table_takes_nothing),
        cmocka_unit_test(what_nobody_can_tell_is_said_to_be_unknown),
        cmocka_unit_test(a_taker_ends_inside_an_operation),
        cmocka_unit_test(a_process_ends_while_it_is_undone),
        cmocka_unit_test(an_owner_ends_inside_an_operation),
        cmocka_unit_test(an_owner_ends_while_another_takes),
        cmocka_unit_test(who_cannot_be_told_in_time_is_let_go),
        cmocka_unit_test(a_write_that_was_cancelled_may_succeed),
        cmocka_unit_test(a_taker_hangs_up_on_the_way),
        cmocka_unit_test(a_taker_with_many_gets_of_one_entry_ends),
        cmocka_unit_test(who_waits_looks_again_only_for_a_reason),
        cmocka_unit_test(other_rules_end_the_waiting),
        cmocka_unit_test(other_rules_hold_for_who_cannot_be_told_yet),
        cmocka_unit_test(an_entry_that_is_held_in_vain_is_let_go),
    };
    return cmocka_run_group_tests_name("core: take, faults", tests, NULL, NULL);
}
