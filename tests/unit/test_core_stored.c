/* What the store costs: shares of users, pieces in which it is closed, closes that pend, and its records. */
#include "core_books.h"
#include "core_policy.h"
#include "core_store.h"
#include "quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALLOW ",'allow':'D:(A;;0x8;;;WD)'"

static struct hbk_config config_new(void)
{
    struct hbk_config config;
    hbk_config_default(&config);
    return config;
}

static struct hbk_quota_info quota_of(struct client *client, enum hbk_quota quota)
{
    return client_status(client).quotas[quota];
}

static void is_over(struct client *client, const char *name, const char *more, const char *limit)
{
    const struct hbk_error *error =
        client_refused(client, HBK_R_QUOTA, HBK_METHOD_STORE_PUT, "{'name':'%s','handle':%u%s}",
                       name, client_make(client, "Event", 3), more);
    assert_string_equal(error->limit, limit);
}

/* ---- shares ---- */

static void entries_are_shared(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.stored = 8;
    struct rig *rig = rig_new(&config, 1);
    const uint32_t shares[] = {4, 2, 1};
    struct client *clients[3], *again = client_new(rig, 99, 1);
    char name[32];
    for (uint32_t i = 0; i < 3; ++i) {
        clients[i] = client_new(rig, 100 + i, 1 + i);
        for (uint32_t j = 0; j < shares[i]; ++j) {
            snprintf(name, sizeof name, "user/%u", j);
            store_put(clients[i], name, ",'lifetime':'broker'");
        }
        is_over(clients[i], "user/more", "", "stored_per_user");
        struct hbk_quota_info info = quota_of(clients[i], HBK_QUOTA_STORED);
        assert_int_equal(info.yours, shares[i]);
        assert_int_equal(info.your_limit, shares[i]);
    }
    is_over(again, "user/more", "", "stored_per_user"); /* another session of the first user */
    assert_int_equal(quota_of(again, HBK_QUOTA_STORED).used, 7);
    client_refused(again, HBK_R_QUOTA, HBK_METHOD_STORE_PUT, "{'name':null,'handle':%u}",
                   client_make(again, "Event", 3));
    client_hang_up(clients[0]); /* they are its user's still */
    assert_int_equal(quota_of(again, HBK_QUOTA_STORED).yours, 4);
    for (uint32_t j = 0; j < 4; ++j)
        client_ok(again, HBK_METHOD_STORE_REMOVE, "{'name':'user/%u'}", j);
    assert_int_equal(quota_of(again, HBK_QUOTA_STORED).yours, 0);
    store_put(clients[1], "user/more", "");
    store_put(again, "user/more", "");
    rig_end(rig);
}

static void bytes_are_shared(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.stored_bytes = 100;
    struct rig *rig = rig_new(&config, 1);
    struct client *client = client_new(rig, 100, 1);
    store_put(client, "user/a", ",'data':'0123456789'"); /* 6 and 10 */
    assert_int_equal(quota_of(client, HBK_QUOTA_STORED_BYTES).yours, 16);
    store_put(client, "user/b", ALLOW); /* 6 and 15 */
    assert_int_equal(quota_of(client, HBK_QUOTA_STORED_BYTES).yours, 37);
    is_over(client, "user/cdefgh", ",'data':'012'", "stored_bytes_per_user");
    is_over(client, "user/cdefghijk", "", "stored_bytes_per_user");
    store_put(client, "user/cdefgh", ",'data':'01'"); /* 13: that is half */
    assert_int_equal(quota_of(client, HBK_QUOTA_STORED_BYTES).yours, 50);
    store_ticket(client, ""); /* of no bytes */
    client_ok(client, HBK_METHOD_STORE_REMOVE, "{'name':'user/b'}");
    assert_int_equal(quota_of(client, HBK_QUOTA_STORED_BYTES).yours, 29);
    client_refused(client, HBK_R_BAD_HANDLE, HBK_METHOD_STORE_PUT,
                   "{'name':'user/b','handle':4000}");
    assert_int_equal(quota_of(client, HBK_QUOTA_STORED_BYTES).yours, 29);
    assert_int_equal(quota_of(client, HBK_QUOTA_STORED).yours, 3);
    rig_end(rig);
}

/* Both are there for a moment. */
static void who_replaces_needs_room_for_both(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.stored = 4;
    struct rig *rig = rig_new(&config, 1);
    struct client *client = client_new(rig, 100, 1);
    store_put(client, "user/a", "");
    store_put(client, "user/a", ",'replace':true");
    store_put(client, "user/b", "");
    is_over(client, "user/a", ",'replace':true", "stored_per_user");
    store_get(client, "user/a");
    rig_end(rig);
}

/* A get is a request in flight, and a delivery that is not told yet. */
static void gets_have_limits(void **state)
{
    (void)state;
    for (int i = 0; i < 3; ++i) {
        struct hbk_config config = config_new();
        if (i == 0)
            config.requests_per_session = 2;
        else if (i == 1)
            config.requests = 4;
        else
            config.pending = 4;
        const char *limits[] = {"requests", "requests_per_user", "pending_per_user"};
        struct rig *rig = rig_new(&config, 1);
        struct client *owner = client_new(rig, 100, 1), *taker = client_new(rig, 101, 2);
        store_waits(taker, "user/a", 1000);
        store_waits(taker, "user/a", 1000);
        const struct hbk_error *error = client_refused(taker, HBK_R_QUOTA, HBK_METHOD_STORE_GET,
                                                       "{'name':'user/b','wait_ms':1}");
        assert_string_equal(error->limit, limits[i]);
        assert_int_equal(client_status(owner).failed, 1);
        rig_advance(rig, 1000);
        store_waits(taker, "user/a", 1000);
        rig_end(rig);
    }
}

/* No pin is made for a get. */
static void gets_need_no_pins(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.pins = config.pins_per_session = 0;
    struct rig *rig = rig_new(&config, 1);
    struct client *client = client_new(rig, 100, 1);
    store_put(client, "user/a", "");
    store_get(client, "user/a");
    assert_int_equal(client_status(client).pins, 0);
    rig_end(rig);
}

static uint64_t cost_of(struct client *client, enum hbk_method method, const char *params)
{
    uint64_t before = books_spent(client->rig->core);
    client_ok(client, method, "%s", params);
    return books_spent(client->rig->core) - before;
}

/* Each question to the system is paid for by who has caused it. */
static void an_allow_costs_its_users(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    fake_grant(rig->kernel, "D:(A;;0x8;;;WD)", 0, HBK_RIGHT_GET);
    client_make(client, "Event", 3);
    uint64_t put = cost_of(client, HBK_METHOD_STORE_PUT, "{'name':'user/a','handle':4}");
    uint64_t get = cost_of(client, HBK_METHOD_STORE_GET, "{'name':'user/a'}");
    assert_true(put > HBK_WORK_PIN);
    assert_int_equal(cost_of(client, HBK_METHOD_STORE_PUT, "{'name':'user/b','handle':4" ALLOW "}"),
                     put + 1);
    assert_int_equal(cost_of(client, HBK_METHOD_STORE_GET, "{'name':'user/b'}"), get + 1);
    rig_end(rig);
}

/* ---- closed in pieces ---- */

static void others_are_served_while_thousands_are_closed(void **state)
{
    (void)state;
    enum { ENTRIES = 3000 };
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 2);
    uint32_t event = client_make(owner, "Event", 3);
    for (unsigned i = 0; i < ENTRIES; ++i) {
        client_request(owner, HBK_METHOD_STORE_PUT, "{'name':'user/%u','handle':%u}", i, event);
        if (i % 100 == 0)
            rig_run(rig);
    }
    rig_run(rig);
    assert_int_equal(fake_pins_held(rig->kernel), ENTRIES);
    client_fail_if_unanswered(owner);
    owner->hung_up = true;
    hbk_core_session_closed(rig->core, owner->session);
    uint32_t held = fake_pins_held(rig->kernel), served = 0;
    assert_int_equal(held, ENTRIES);
    while (!owner->connection->released) {
        uint32_t id = client_request(other, HBK_METHOD_SESSION_PROVE, NULL);
        while (!client_answered(other, id) && !owner->connection->released) {
            assert_true(rig_turn(rig));
            uint32_t now = fake_pins_held(rig->kernel);
            assert_true(held - now <= HBK_WORK_PER_PIECE);
            held = now;
        }
        served += client_answered(other, id);
    }
    assert_true(served > ENTRIES * 2 / 3); /* it costs its user, and nobody else */
    assert_int_equal(held, 0);
    rig_run(rig);
    assert_int_equal(client_status(other).stored, 0);
    rig_end(rig);
}

/* It has entries yet, and their time is up before their turn comes. */
static void a_session_is_over_whatever_ends_its_last_entry(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 8; ++turns) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
        for (unsigned i = 0; i < 1 + HBK_WORK_PER_PIECE; ++i)
            store_ticket(owner, ",'ttl_ms':10");
        owner->hung_up = true;
        hbk_core_session_closed(rig->core, owner->session);
        for (unsigned i = 0; i < turns; ++i)
            rig_turn(rig);
        rig->kernel->now_ms += 10;
        hbk_core_tick(rig->core);
        rig_run(rig);
        assert_true(owner->connection->released);
        assert_int_equal(store_count(other), 0);
        rig_end(rig);
    }
}

/* The last that keeps its owner's identity in mind. */
static void an_entry_of_all_outlives_its_owner(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 2);
    fake_grant(rig->kernel, "all", 0, HBK_RIGHT_PUT | HBK_RIGHT_GET);
    fake_grant(rig->kernel, "D:(A;;0x8;;;WD)", 0, HBK_RIGHT_GET);
    RIG_RULES(rig, {.name = "global/*", .put = "all", .get = "all"});
    store_put(owner, "global/a", ",'lifetime':'broker','once':true" ALLOW);
    client_exit(owner);
    store_get(other, "global/a");
    rig_end(rig);
}

/* ---- closes that pend ---- */

static void a_close_may_return_after_its_session_and_user(void **state)
{
    (void)state;
    const char *lifetimes[] = {"", ",'lifetime':'broker','ttl_ms':1000"};
    for (int i = 0; i < 2; ++i) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 2);
        rig->kernel->unpins_pend = true;
        store_type_put(owner, "user/a", "File", 1, lifetimes[i]);
        store_type_put(owner, "user/b", "File", 1, lifetimes[i]);
        client_exit(owner);
        assert_true(owner->connection->released);
        rig_advance(rig, 1000);
        assert_int_equal(fake_pins_held(rig->kernel), 2);
        assert_int_equal(fake_pins_closing(rig->kernel), 2);
        assert_int_equal(quota_of(other, HBK_QUOTA_STORED).used, 2);
        assert_int_equal(quota_of(other, HBK_QUOTA_SESSIONS).used, 1);
        assert_int_equal(fake_closers_held(rig->kernel), 2);
        rig_unpin_end(rig, 1);
        rig_run(rig);
        assert_int_equal(fake_closers_held(rig->kernel), 2);
        rig_unpins_end(rig);
        assert_int_equal(fake_pins_held(rig->kernel), 0);
        assert_int_equal(quota_of(other, HBK_QUOTA_STORED).used, 0);
        assert_int_equal(quota_of(other, HBK_QUOTA_STORED_BYTES).used, 0);
        assert_int_equal(fake_closers_held(rig->kernel), 1);
        rig_end(rig);
    }
}

/* What the close of a File may wait for is no event's business. */
static void the_system_is_told_which_closes_may_block(void **state)
{
    (void)state;
    const struct {
        const char *type;
        bool may_block;
    } cases[] = {{"Event", false}, {"Semaphore", false}, {"File", true}, {"Section", true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *owner = client_new(rig, 100, 1);
        rig->kernel->unpins_pend = true;
        store_type_put(owner, "user/a", cases[i].type, 1, "");
        client_ok(owner, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
        size_t j = 0;
        while (rig->kernel->pins[j].state != FAKE_PIN_CLOSING)
            ++j;
        assert_int_equal(rig->kernel->pins[j].may_block, cases[i].may_block);
        rig_end(rig);
    }
}

/* A user stays for its entries, and is the same one when it comes again. */
static void a_user_outlives_its_sessions(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1);
    store_put(owner, "user/a", ",'lifetime':'broker'");
    client_exit(owner);
    assert_int_equal(fake_closers_held(rig->kernel), 1);
    struct client *again = client_new(rig, 101, 1);
    assert_int_equal(quota_of(again, HBK_QUOTA_STORED).yours, 1);
    client_exit(again);
    again = client_new(rig, 102, 1);
    client_ok(again, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
    client_exit(again);
    assert_int_equal(fake_closers_held(rig->kernel), 0);
    rig_end(rig);
}

/* A name is free when its entry has gone, whatever the system does about the handle. */
static void a_name_does_not_wait_for_a_close(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1);
    rig->kernel->unpins_pend = true;
    store_type_put(owner, "user/a", "File", 1, "");
    client_ok(owner, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
    store_misses(owner, "user/a");
    store_type_put(owner, "user/a", "File", 1, "");
    store_type_put(owner, "user/a", "Section", 1, ",'replace':true");
    assert_int_equal(fake_pins_closing(rig->kernel), 2);
    assert_int_equal(fake_pins_held(rig->kernel), 3);
    assert_int_equal(
        client_ok(owner, HBK_METHOD_STORE_LIST, NULL)->u.result.store_list.entries_count, 1);
    rig_unpins_end(rig);
    assert_int_equal(fake_pins_held(rig->kernel), 1);
    rig_end(rig);
}

static void what_is_taken_once_is_closed_when_the_system_likes(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *taker = client_new(rig, 101, 1);
    rig->kernel->unpins_pend = true;
    store_type_put(owner, "user/a", "File", 1, ",'once':true");
    store_get(taker, "user/a");
    store_misses(owner, "user/a");
    client_hang_up(taker);
    assert_true(taker->connection->released);
    assert_int_equal(fake_pins_closing(rig->kernel), 1);
    rig_unpins_end(rig);
    assert_int_equal(store_count(owner), 0);
    rig_end(rig);
}

/* Of a put that came to nothing too. */
static void what_was_pinned_in_vain_is_closed(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1);
    rig->kernel->unpins_pend = true;
    uint32_t file = client_make(owner, "File", 1);
    uint32_t id = client_request(owner, HBK_METHOD_STORE_PUT,
                                 "{'name':'user/a','handle':%u,'access':3}", file);
    rig_run(rig);
    client_error(owner, id, HBK_R_ACCESS_EXCEEDS_SOURCE);
    assert_int_equal(fake_pins_closing(rig->kernel), 1);
    assert_int_equal(store_count(owner), 1);
    client_exit(owner);
    assert_true(owner->connection->released);
    rig_unpins_end(rig);
    assert_int_equal(fake_closers_held(rig->kernel), 0);
    rig_end(rig);
}

/* ---- the service stops ---- */

static void the_store_ends_with_the_service(void **state)
{
    (void)state;
    for (int pends = 0; pends < 2; ++pends) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *owner = client_new(rig, 100, 1), *taker = client_new(rig, 101, 1);
        struct client *gone = client_new(rig, 102, 2);
        store_type_put(gone, "user/a", "File", 1, ",'lifetime':'broker'");
        client_exit(gone);
        store_type_put(owner, "user/a", "File", 1, ",'lifetime':'broker','ttl_ms':10");
        store_type_put(owner, "user/b", "File", 1, "");
        store_type_put(owner, "user/c", "File", 1, ",'once':true");
        uint32_t waiting = store_waits(taker, "user/none", 60000);
        taker->connection->write_mode = FAKE_WRITE_PENDS;
        uint32_t told = store_ask(taker, "user/c", 0);
        rig_run(rig);
        uint32_t held = store_ask(taker, "user/b", 0);
        rig_run(rig);
        rig->kernel->unpins_pend = pends;
        rig_stop(rig);
        assert_int_equal(fake_pins_held(rig->kernel) - fake_pins_closing(rig->kernel), 1);
        taker->connection->write_mode = FAKE_WRITE_DONE;
        client_write_ends(taker, true);
        client_result(taker, told);
        client_error(taker, waiting, HBK_R_STOPPING);
        client_error(taker, held, HBK_R_STOPPING);
        assert_int_equal(hbk_core_stopped(rig->core), !pends);
        rig_unpins_end(rig);
        assert_true(hbk_core_stopped(rig->core));
        rig_end(rig);
    }
}

/* ---- records ---- */

static void each_step_leaves_a_record(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *watcher = client_new(rig, 101, 2);
    rig_let_inspect(rig, watcher, NULL);
    client_ok(watcher, HBK_METHOD_BROKER_WATCH, NULL);
    store_put(owner, "user/a", ",'access':1");
    store_get(owner, "user/a");
    client_ok(owner, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
    store_misses(owner, "user/a");
    store_put(owner, "user/b", ",'ttl_ms':5");
    rig_advance(rig, 5);
    store_put(owner, "user/c", "");
    client_hang_up(owner);
    const struct {
        const char *event, *outcome, *name;
        bool session;
    } want[] = {
        {"store.put", "done", "user/a", true},      {"store.get", "done", "user/a", true},
        {"store.remove", "done", "user/a", true},   {"store.get", "refused", "user/a", true},
        {"store.put", "done", "user/b", true},      {"store.expired", "done", "user/b", false},
        {"store.put", "done", "user/c", true},      {"session.closed", "done", NULL, true},
        {"store.expired", "done", "user/c", false},
    };
    for (size_t i = 0; i < sizeof want / sizeof want[0]; ++i) {
        const struct hbk_event *event = client_event(watcher);
        assert_true(hbk_text_is(event->event, want[i].event));
        assert_true(hbk_text_is(event->outcome, want[i].outcome));
        assert_int_equal(event->caller.session, want[i].session ? owner->session_id : 0);
        assert_int_equal(event->caller.pid, 100);
        assert_true(want[i].name ? hbk_text_is(event->endpoint, want[i].name)
                                 : event->endpoint.data == NULL);
        if (strncmp(want[i].event, "store.", 6) == 0 && i != 3) {
            assert_int_equal(event->items_count, 1);
            assert_true(hbk_text_is(event->items[0].type, "Event"));
            assert_int_equal(event->items[0].access, i < 4 ? 1 : 3);
        }
    }
    client_nothing(watcher);
    rig_end(rig);
}

/* Also of one whose name was taken before it was its turn to be closed. */
static void what_goes_with_its_session_leaves_a_record(void **state)
{
    (void)state;
    enum { ENTRIES = 20 };
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
    struct client *watcher = client_new(rig, 102, 2);
    char name[32];
    for (unsigned i = 0; i < ENTRIES; ++i) {
        snprintf(name, sizeof name, "user/%u", i);
        store_put(owner, name, "");
    }
    rig_let_inspect(rig, watcher, NULL);
    client_ok(watcher, HBK_METHOD_BROKER_WATCH, NULL);
    store_put(owner, "user/0", ",'replace':true"); /* which is its own business */
    owner->hung_up = true;
    uint32_t put = client_request(other, HBK_METHOD_STORE_PUT, "{'name':'%s','handle':%u}", name,
                                  client_make(other, "Event", 3));
    hbk_core_session_closed(rig->core, owner->session);
    while (!client_answered(other, put))
        assert_true(rig_turn(rig));
    assert_true(fake_pins_held(rig->kernel) > 2);
    rig_run(rig);
    unsigned expired = 0;
    while (client_untaken(watcher))
        expired += hbk_text_is(client_event(watcher)->event, "store.expired");
    assert_int_equal(expired, ENTRIES);
    rig_end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_shared),
        cmocka_unit_test(bytes_are_shared),
        cmocka_unit_test(who_replaces_needs_room_for_both),
        cmocka_unit_test(gets_have_limits),
        cmocka_unit_test(gets_need_no_pins),
        cmocka_unit_test(an_allow_costs_its_users),
        cmocka_unit_test(others_are_served_while_thousands_are_closed),
        cmocka_unit_test(a_session_is_over_whatever_ends_its_last_entry),
        cmocka_unit_test(an_entry_of_all_outlives_its_owner),
        cmocka_unit_test(a_close_may_return_after_its_session_and_user),
        cmocka_unit_test(the_system_is_told_which_closes_may_block),
        cmocka_unit_test(a_user_outlives_its_sessions),
        cmocka_unit_test(a_name_does_not_wait_for_a_close),
        cmocka_unit_test(what_is_taken_once_is_closed_when_the_system_likes),
        cmocka_unit_test(what_was_pinned_in_vain_is_closed),
        cmocka_unit_test(the_store_ends_with_the_service),
        cmocka_unit_test(each_step_leaves_a_record),
        cmocka_unit_test(what_goes_with_its_session_leaves_a_record),
    };
    return cmocka_run_group_tests_name("core: stored", tests, NULL, NULL);
}
