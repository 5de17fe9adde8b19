/* Sockets in the store: what a worker makes of one for who takes it, or takes back. */
#include "core_policy.h"
#include "core_store.h"

#include <stdio.h>
#include <stdlib.h>

struct shelf {
    struct rig *rig;
    struct client *owner, *taker, *other;
    uint32_t socket; /* of the owner, stored as user/a */
};

static struct shelf shelf_new(const char *more)
{
    struct shelf shelf = {.rig = rig_new(NULL, 1)};
    shelf.owner = client_new(shelf.rig, 100, 1);
    shelf.taker = client_new(shelf.rig, 101, 1);
    shelf.other = client_new(shelf.rig, 102, 1);
    shelf.socket = client_make_socket(shelf.owner, 0x12019F);
    client_ok(shelf.owner, HBK_METHOD_STORE_PUT, "{'name':'user/a','handle':%u,'type':'Socket'%s}",
              shelf.socket, more);
    return shelf;
}

/* Return: the get, for which a worker is at it. */
static uint32_t begin(const struct shelf *shelf, unsigned wait_ms)
{
    uint32_t id = store_waits(shelf->taker, "user/a", wait_ms);
    assert_int_equal(fake_sockets_making(shelf->rig->kernel), 1);
    return id;
}

static bool got_socket(struct client *client, uint32_t id, const struct shelf *shelf)
{
    const struct hbk_store_get_result *taken = &client_result(client, id)->u.result.store_get;
    struct fake_slot *slot = fake_socket_find(client->process, taken->protocol_info);
    return slot && taken->handle == 0 && hbk_text_is(taken->type, "Socket") &&
           slot->object == fake_handle_find(shelf->owner->process, shelf->socket)->object;
}

/* ---- put and taken ---- */

static void a_socket_is_taken_as_often_as_it_is_asked_for(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new(",'data':'d'");
    for (int i = 0; i < 2; ++i) {
        uint32_t id = begin(&shelf, 0);
        rig_sockets_all_end(shelf.rig);
        assert_true(got_socket(shelf.taker, id, &shelf));
    }
    assert_int_equal(fake_handles_count(shelf.taker->process), 2);
    assert_int_equal(fake_sockets_held(shelf.rig->kernel), 0);
    const struct hbk_entry_info *info =
        client_ok(shelf.other, HBK_METHOD_STORE_LIST, NULL)->u.result.store_list.entries;
    assert_true(hbk_text_is(info->type, "Socket"));
    assert_int_equal(info->access, 0x12019F);
    assert_int_equal(info->taken, 2);
    rig_end(shelf.rig);
}

static void a_worker_may_be_done_before_it_is_asked(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new(",'once':true");
    shelf.rig->kernel->sockets_early = true;
    uint32_t id = begin(&shelf, 0);
    rig_sockets_all_end(shelf.rig);
    assert_true(got_socket(shelf.taker, id, &shelf));
    store_misses(shelf.other, "user/a");
    assert_int_equal(fake_pins_held(shelf.rig->kernel), 0);
    rig_end(shelf.rig);
}

static void puts_of_sockets_that_are_refused(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new("");
    uint32_t event = client_make(shelf.owner, "Event", 3);
    client_refused(shelf.owner, HBK_R_TYPE_MISMATCH, HBK_METHOD_STORE_PUT,
                   "{'name':'user/b','handle':%u,'type':'Socket'}", event);
    const char *accesses[] = {"'read'", "1"};
    for (size_t i = 0; i < 2; ++i)
        client_refused(shelf.owner, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_PUT,
                       "{'name':'user/b','handle':%u,'type':'Socket','access':%s}", shelf.socket,
                       accesses[i]);
    fake_grant(shelf.rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    RIG_RULES(shelf.rig, {.name = "user/b", .types = "File"});
    client_refused(shelf.owner, HBK_R_TYPE_NOT_ALLOWED, HBK_METHOD_STORE_PUT,
                   "{'name':'user/b','handle':%u,'type':'Socket'}", shelf.socket);
    assert_int_equal(store_count(shelf.owner), 1);
    rig_end(shelf.rig);
}

static void gets_of_sockets_that_are_refused(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new("");
    const char *accesses[] = {"'read'", "1", "1180063"};
    for (size_t i = 0; i < 3; ++i)
        client_refused(shelf.taker, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_GET,
                       "{'name':'user/a','access':%s}", accesses[i]);
    RIG_RULES(shelf.rig, {.name = "user/a", .types = "File"});
    client_refused(shelf.taker, HBK_R_TYPE_NOT_ALLOWED, HBK_METHOD_STORE_GET, "{'name':'user/a'}");
    assert_int_equal(shelf.rig->kernel->sockets_made, 0);
    rig_end(shelf.rig);
}

/* That it is one is what its owner said; Winsock knows when it is asked. */
static void a_file_that_is_no_socket(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new("");
    client_ok(shelf.owner, HBK_METHOD_STORE_PUT, "{'name':'user/b','handle':%u,'type':'Socket'}",
              client_make(shelf.owner, "File", 1));
    uint64_t before = fake_hash(shelf.rig->kernel);
    uint32_t id = store_waits(shelf.taker, "user/b", 0);
    rig_sockets_all_end(shelf.rig);
    client_error(shelf.taker, id, HBK_R_TYPE_MISMATCH);
    assert_true(before == fake_hash(shelf.rig->kernel));
    assert_int_equal(store_count(shelf.owner), 2);
    rig_end(shelf.rig);
}

/* ---- once ---- */

static void a_socket_that_is_made_for_one_is_nobodys_else(void **state)
{
    (void)state;
    for (int fails = 0; fails < 2; ++fails) {
        struct shelf shelf = shelf_new(",'once':true");
        uint32_t id = begin(&shelf, 0);
        store_misses(shelf.other, "user/a");
        uint32_t waiting = store_waits(shelf.other, "user/a", 1000);
        if (fails)
            fake_fail(shelf.rig->kernel, FAKE_OP_SOCKETS_MADE, 1, HBK_R_OS_ERROR, 10055);
        rig_sockets_all_end(shelf.rig);
        if (fails) {
            assert_int_equal(client_error(shelf.taker, id, HBK_R_OS_ERROR)->win32, 10055);
            rig_sockets_all_end(shelf.rig);
            assert_true(got_socket(shelf.other, waiting, &shelf));
            assert_int_equal(fake_handles_count(shelf.taker->process), 0);
        } else {
            assert_true(got_socket(shelf.taker, id, &shelf));
            assert_false(client_answered(shelf.other, waiting));
        }
        assert_int_equal(store_count(shelf.other), 0);
        rig_end(shelf.rig);
    }
}

static void what_cannot_be_begun_leaves_the_entry(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new(",'once':true");
    fake_fail(shelf.rig->kernel, FAKE_OP_SOCKETS_MAKE, 1, HBK_R_OS_ERROR, 8);
    client_refused(shelf.taker, HBK_R_OS_ERROR, HBK_METHOD_STORE_GET, "{'name':'user/a'}");
    uint32_t id = begin(&shelf, 0);
    rig_sockets_all_end(shelf.rig);
    assert_true(got_socket(shelf.taker, id, &shelf));
    rig_end(shelf.rig);
}

static void what_is_not_made_in_time_is_a_timeout(void **state)
{
    (void)state;
    for (int fails = 0; fails < 2; ++fails) {
        struct shelf shelf = shelf_new(",'once':true");
        uint32_t id = begin(&shelf, 60000);
        rig_advance(shelf.rig, HBK_SOCKET_DEADLINE_MS - 1);
        assert_false(client_answered(shelf.taker, id));
        uint32_t waiting = store_waits(shelf.other, "user/a", 1000);
        rig_advance(shelf.rig, 1);
        client_error(shelf.taker, id, HBK_R_TIMEOUT);
        /* The next one is at it while the worker for the first has not returned. */
        assert_int_equal(fake_sockets_making(shelf.rig->kernel), 2);
        if (fails)
            fake_fail(shelf.rig->kernel, FAKE_OP_SOCKETS_MADE, 1, HBK_R_OS_ERROR, 8);
        rig_sockets_end(shelf.rig, 1); /* the first one's */
        rig_run(shelf.rig);
        assert_int_equal(fake_handles_count(shelf.taker->process), 0);
        rig_sockets_all_end(shelf.rig);
        assert_true(got_socket(shelf.other, waiting, &shelf));
        assert_int_equal(fake_pins_held(shelf.rig->kernel), 0);
        rig_end(shelf.rig);
    }
}

/* ---- what happens while a worker is at it ---- */

enum meanwhile { REMOVED, EXPIRED, OWNER_GONE, REPLACED, TAKER_GONE, TAKER_EXITS, STOPPED, COUNT };

static void meanwhile(struct shelf *shelf, enum meanwhile what)
{
    switch (what) {
    case REMOVED:
        client_ok(shelf->other, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
        break;
    case EXPIRED:
        rig_advance(shelf->rig, 100);
        break;
    case OWNER_GONE:
        client_hang_up(shelf->owner);
        break;
    case REPLACED:
        store_put(shelf->other, "user/a", ",'replace':true");
        break;
    case TAKER_GONE:
        client_hang_up(shelf->taker);
        break;
    case TAKER_EXITS:
        client_exit(shelf->taker);
        break;
    default:
        rig_stop(shelf->rig);
        break;
    }
}

static void what_is_made_and_not_told_is_taken_back(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT * 4; ++i) {
        enum meanwhile what = (enum meanwhile)(i / 4);
        bool once = i % 2, early = i / 2 % 2;
        struct shelf shelf = shelf_new(once ? ",'ttl_ms':100,'once':true" : ",'ttl_ms':100");
        shelf.rig->kernel->sockets_early = early;
        uint32_t id = begin(&shelf, 0);
        meanwhile(&shelf, what);
        bool left = what == REPLACED || what == TAKER_GONE || what == TAKER_EXITS;
        assert_int_equal(fake_pins_held(shelf.rig->kernel), 1 + (what == REPLACED));
        rig_sockets_all_end(shelf.rig);
        assert_int_equal(fake_pins_held(shelf.rig->kernel), left);
        assert_int_equal(fake_sockets_held(shelf.rig->kernel), 0);
        if (what == REPLACED) /* it gets what is there now, which is no socket */
            assert_int_equal(client_result(shelf.taker, id)->u.result.store_get.access, 3);
        else if (what == STOPPED)
            client_error(shelf.taker, id, HBK_R_STOPPING);
        else if (!left)
            client_error(shelf.taker, id, HBK_R_NOT_FOUND);
        assert_int_equal(fake_handles_count(shelf.taker->process), what == REPLACED);
        if (what == TAKER_GONE || what == TAKER_EXITS) {
            uint32_t next = store_ask(shelf.other, "user/a", 0);
            rig_run(shelf.rig);
            rig_sockets_all_end(shelf.rig);
            assert_true(got_socket(shelf.other, next, &shelf));
        }
        rig_end(shelf.rig);
    }
}

/* Also inside of what the worker does, and while that is taken back. */
static void a_taker_ends_inside_an_operation(void **state)
{
    (void)state;
    const enum fake_op ops[] = {FAKE_OP_SOCKETS_MAKE, FAKE_OP_SOCKETS_MADE, FAKE_OP_SOCKETS_UNDO};
    for (size_t i = 0; i < 2 * sizeof ops / sizeof ops[0]; ++i) {
        enum fake_op op = ops[i / 2];
        struct shelf shelf = shelf_new(",'once':true");
        fake_exit_at(shelf.rig->kernel, op, 1, shelf.taker->process, i % 2);
        store_ask(shelf.taker, "user/a", 0);
        rig_run(shelf.rig);
        if (op == FAKE_OP_SOCKETS_UNDO) {
            shelf.taker->connection->write_mode = FAKE_WRITE_PENDS;
            rig_sockets_all_end(shelf.rig);
            client_write_ends(shelf.taker, false);
        } else {
            rig_sockets_all_end(shelf.rig);
        }
        assert_false(shelf.taker->process->running);
        client_hang_up(shelf.taker);
        assert_true(shelf.taker->connection->released);
        uint32_t id = store_ask(shelf.other, "user/a", 0);
        rig_run(shelf.rig);
        rig_sockets_all_end(shelf.rig);
        assert_true(got_socket(shelf.other, id, &shelf));
        assert_int_equal(fake_pins_held(shelf.rig->kernel), 0);
        rig_end(shelf.rig);
    }
}

/* One that is a File to its owner is a File to all. */
static void a_socket_that_nobody_calls_one_is_a_file(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new("");
    client_ok(shelf.owner, HBK_METHOD_STORE_PUT, "{'name':'user/b','handle':%u}", shelf.socket);
    assert_true(hbk_text_is(store_get(shelf.taker, "user/b")->type, "File"));
    assert_int_equal(shelf.rig->kernel->sockets_made, 0);
    rig_end(shelf.rig);
}

/* What was made of the one that was there before is not told for that which is there now. */
static void a_socket_is_replaced_by_another(void **state)
{
    (void)state;
    for (int once = 0; once < 2; ++once) {
        struct shelf shelf = shelf_new(once ? ",'once':true" : "");
        uint32_t id = begin(&shelf, 0);
        shelf.socket = client_make_socket(shelf.owner, 1);
        client_ok(shelf.owner, HBK_METHOD_STORE_PUT,
                  "{'name':'user/a','handle':%u,'type':'Socket','replace':true}", shelf.socket);
        rig_sockets_all_end(shelf.rig);
        assert_false(client_answered(shelf.taker, id));
        assert_int_equal(fake_handles_count(shelf.taker->process), 0);
        rig_sockets_all_end(shelf.rig);
        assert_true(got_socket(shelf.taker, id, &shelf));
        assert_int_equal(fake_handles_count(shelf.taker->process), 1);
        assert_int_equal(fake_pins_held(shelf.rig->kernel), 1);
        rig_end(shelf.rig);
    }
}

/* It was made before the write that pends had ended; that is no reason to make it again. */
static void a_socket_waits_for_the_write(void **state)
{
    (void)state;
    for (int gone = 0; gone < 2; ++gone) {
        struct shelf shelf = shelf_new(",'once':true");
        uint32_t id = begin(&shelf, 0);
        shelf.taker->connection->write_mode = FAKE_WRITE_PENDS;
        client_request(shelf.taker, HBK_METHOD_BROKER_STATUS, NULL);
        rig_run(shelf.rig);
        rig_sockets_all_end(shelf.rig);
        assert_false(client_answered(shelf.taker, id));
        assert_int_equal(fake_handles_untold(shelf.taker->process), 1);
        if (gone)
            client_ok(shelf.owner, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
        shelf.taker->connection->write_mode = FAKE_WRITE_DONE;
        client_write_ends(shelf.taker, true);
        assert_int_equal(shelf.rig->kernel->sockets_made, 1);
        if (gone)
            client_error(shelf.taker, id, HBK_R_NOT_FOUND);
        else
            assert_true(got_socket(shelf.taker, id, &shelf));
        assert_int_equal(fake_handles_count(shelf.taker->process), !gone);
        assert_int_equal(fake_pins_held(shelf.rig->kernel), 0);
        rig_end(shelf.rig);
    }
}

static void an_answer_that_is_not_told_takes_it_back(void **state)
{
    (void)state;
    for (int pends = 0; pends < 2; ++pends) {
        struct shelf shelf = shelf_new(",'once':true");
        begin(&shelf, 0);
        uint32_t waiting = store_waits(shelf.other, "user/a", 1000);
        shelf.taker->connection->write_mode = pends ? FAKE_WRITE_PENDS : FAKE_WRITE_FAILS;
        rig_sockets_all_end(shelf.rig);
        if (pends) {
            assert_int_equal(fake_handles_untold(shelf.taker->process), 1);
            client_write_ends(shelf.taker, false);
        }
        assert_int_equal(fake_handles_count(shelf.taker->process), 0);
        rig_sockets_all_end(shelf.rig);
        assert_true(got_socket(shelf.other, waiting, &shelf));
        rig_end(shelf.rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_is_taken_as_often_as_it_is_asked_for),
        cmocka_unit_test(a_worker_may_be_done_before_it_is_asked),
        cmocka_unit_test(puts_of_sockets_that_are_refused),
        cmocka_unit_test(gets_of_sockets_that_are_refused),
        cmocka_unit_test(a_file_that_is_no_socket),
        cmocka_unit_test(a_socket_that_is_made_for_one_is_nobodys_else),
        cmocka_unit_test(what_cannot_be_begun_leaves_the_entry),
        cmocka_unit_test(what_is_not_made_in_time_is_a_timeout),
        cmocka_unit_test(what_is_made_and_not_told_is_taken_back),
        cmocka_unit_test(a_taker_ends_inside_an_operation),
        cmocka_unit_test(a_socket_that_nobody_calls_one_is_a_file),
        cmocka_unit_test(a_socket_is_replaced_by_another),
        cmocka_unit_test(a_socket_waits_for_the_write),
        cmocka_unit_test(an_answer_that_is_not_told_takes_it_back),
    };
    return cmocka_run_group_tests_name("core: take, sockets", tests, NULL, NULL);
}
