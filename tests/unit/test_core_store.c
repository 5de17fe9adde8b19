/* The store: put, replace, remove, and what ends an entry. Who takes one is in test_core_take.c. */
#include "core_policy.h"
#include "core_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- put, and got by who comes later ---- */

static void a_handle_outlives_its_process(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    rig->terminal_session = 7;
    struct client *owner = client_new(rig, 100, 1), *heir = client_new(rig, 101, 1);
    uint64_t session = owner->session_id;
    uint32_t handle = client_make(owner, "Event", 0x1F0003);
    uint32_t object = fake_handle_find(owner->process, handle)->object;
    client_ok(owner, HBK_METHOD_STORE_PUT,
              "{'name':'user/a','handle':%u,'lifetime':'broker','data':'seven'}", handle);
    client_exit(owner);
    assert_true(owner->connection->released);
    assert_int_equal(fake_pins_held(rig->kernel), 1);
    assert_int_equal(store_count(heir), 1);
    const struct hbk_store_get_result *taken = store_get(heir, "user/a");
    assert_true(fake_handle_is(heir->process, taken->handle, object));
    assert_int_equal(taken->access, 0x1F0003);
    assert_true(hbk_text_is(taken->type, "Event"));
    assert_int_equal(taken->widenable, HBK_WIDENABLE_NOT_REDUCED);
    assert_true(hbk_text_is(taken->data, "seven"));
    assert_int_equal(taken->from.session, session);
    assert_int_equal(taken->from.peer.pid, 100);
    assert_true(hbk_text_is(taken->from.peer.user, "S-1-5-21-1-2-3-1001"));
    assert_int_equal(taken->from.peer.logon_session, 0x1001);
    assert_int_equal(taken->from.peer.integrity, 0x2000);
    /* It stays, and is there for more than one. */
    assert_int_equal(store_get(heir, "user/a")->access, 0x1F0003);
    assert_int_equal(fake_handles_count(heir->process), 2);
    assert_int_equal(fake_pins_held(rig->kernel), 1);
    rig_end(rig);
}

static void an_entry_ends_with_its_session_unless_it_says_otherwise(void **state)
{
    (void)state;
    const char *lifetimes[] = {"", ",'lifetime':'session'", ",'lifetime':'broker'"};
    for (size_t i = 0; i < 3; ++i) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
        store_put(owner, "user/a", lifetimes[i]);
        assert_true(store_get(other, "user/a")->data.data == NULL);
        client_hang_up(owner);
        assert_true(owner->connection->released);
        assert_int_equal(store_count(other), i == 2);
        assert_int_equal(fake_pins_held(rig->kernel), i == 2);
        if (i == 2)
            store_get(other, "user/a");
        else
            store_misses(other, "user/a");
        rig_end(rig);
    }
}

/* What was put is the object, not the value. */
static void what_the_owner_does_to_its_handle_is_its_own_business(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
    uint32_t handle = store_type_put(owner, "user/a", "Section", 4, "");
    uint32_t object = fake_handle_find(owner->process, handle)->object;
    fake_handle_close(rig->kernel, owner->process, handle);
    assert_int_equal(client_make(owner, "Token", 1), handle);
    assert_true(fake_handle_is(other->process, store_get(other, "user/a")->handle, object));
    rig_end(rig);
}

static void identities_do_not_see_each_other(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 2);
    store_put(owner, "user/a", "");
    store_misses(other, "user/a");
    store_put(other, "user/a", "");
    assert_int_equal(store_get(owner, "user/a")->from.peer.pid, 100);
    assert_int_equal(store_get(other, "user/a")->from.peer.pid, 101);
    client_hang_up(owner);
    assert_int_equal(store_get(other, "user/a")->from.peer.pid, 101);
    rig_end(rig);
}

/* ---- what may be put ---- */

static void params_that_are_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1), *second = client_new(rig, 101, 2);
    client_make(client, "Event", 3); /* 4 */
    const char *bad[] = {
        "{}",
        "{'handle':4}",
        "{'name':'user/a'}",
        "{'name':1,'handle':4}",
        "{'name':'','handle':4}",
        "{'name':'user/','handle':4}",
        "{'name':'a','handle':4}",
        "{'name':'user/a','handle':null}",
        "{'name':'user/a','handle':'4'}",
        "{'name':'user/a','handle':{}}",
        "{'name':'user/a','handle':4,'more':1}",
        "{'name':'user/a','handle':4,'type':1}",
        "{'name':'user/a','handle':4,'access':'write'}",
        "{'name':'user/a','handle':4,'access':0}",
        "{'name':'user/a','handle':4,'access':-1}",
        "{'name':'user/a','handle':4,'access':4294967296}",
        "{'name':'user/a','handle':4,'lifetime':'for ever'}",
        "{'name':'user/a','handle':4,'lifetime':1}",
        "{'name':'user/a','handle':4,'ttl_ms':0}",
        "{'name':'user/a','handle':4,'ttl_ms':2147483648}",
        "{'name':'user/a','handle':4,'ttl_ms':'1'}",
        "{'name':'user/a','handle':4,'ttl_ms':-1}",
        "{'name':'user/a','handle':4,'once':1}",
        "{'name':'user/a','handle':4,'replace':'yes'}",
        "{'name':'user/a','handle':4,'data':1}",
        "{'name':'user/a','handle':4,'allow':''}",
        "{'name':'user/a','handle':4,'allow':1}",
        "{'name':'user/a','handle':4,'allow':'D:'}",
        "{'name':'user/a','handle':4,'allow':'O:SYD:(A;;0x8;;;WD)'}",
        "{'name':'user/a','handle':4,'allow':'D:(A;;0x8;;;WD)(A;;0x10000;;;WD)'}",
        "{'name':'user/a','handle':4,'inherit':true}",
        "{'name':'user/a','handle':4,'protect':true}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        client_refused(client, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_PUT, bad[i]);
    assert_int_equal(store_count(second), 0);
    assert_int_equal(fake_trace_count(rig->kernel, FAKE_OP_PIN), 0);
    client_ok(client, HBK_METHOD_STORE_PUT, "{'name':'user/a','handle':4,'ttl_ms':2147483647}");
    rig_end(rig);
}

static void nothing_is_stored_before_the_proof(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 101), 1);
    client_make(client, "Event", 3);
    store_put(owner, "user/a", "");
    for (int hello = 0; hello < 2; ++hello) {
        client_refused(client, HBK_R_NOT_PROVEN, HBK_METHOD_STORE_PUT,
                       "{'name':'user/b','handle':4}");
        client_refused(client, HBK_R_NOT_PROVEN, HBK_METHOD_STORE_GET, "{'name':'user/a'}");
        client_refused(client, HBK_R_NOT_PROVEN, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
        client_refused(client, HBK_R_NOT_PROVEN, HBK_METHOD_STORE_LIST, "{}");
        if (!hello)
            client_hello(client);
    }
    assert_int_equal(store_count(owner), 1);
    rig_end(rig);
}

static void a_get_that_waits_keeps_its_id(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    const struct hbk_id seven = {.kind = HBK_ID_NUMBER, .number = 7};
    client_line(client, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"store.get\","
                        "\"params\":{\"name\":\"user/a\",\"wait_ms\":10}}");
    client_line(client, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"store.list\"}");
    client_raw_error(client, &seven, HBK_R_INVALID_REQUEST);
    rig_advance(rig, 10);
    client_raw_error(client, &seven, HBK_R_TIMEOUT);
    rig_end(rig);
}

/* Whichever of these is said to be a handle, it is none that the caller has. */
static void handles_that_are_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1), *second = client_new(rig, 101, 1);
    const char *bad[] = {"0",          "1",   "2",          "3",          "-1",
                         "-6",         "-16", "4294967295", "4294967290", "18446744073709551615",
                         "2147483648", "5",   "6",          "7",          "4294967292"};
    client_make(client, "Event", 3);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        client_refused(client, HBK_R_BAD_HANDLE, HBK_METHOD_STORE_PUT,
                       "{'name':'user/a','handle':%s}", bad[i]);
    client_refused(client, HBK_R_BAD_HANDLE, HBK_METHOD_STORE_PUT, "{'name':'user/a','handle':8}");
    client_refused(client, HBK_R_BAD_HANDLE, HBK_METHOD_STORE_PUT, "{'name':null,'handle':8}");
    fake_handle_close(rig->kernel, client->process, 4);
    client_refused(client, HBK_R_BAD_HANDLE, HBK_METHOD_STORE_PUT, "{'name':'user/a','handle':4}");
    store_misses(second, "user/a");
    assert_int_equal(store_count(second), 0);
    rig_end(rig);
}

static void types_and_rights_that_are_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    const char *denied[] = {"Process",   "Thread",  "Token",     "Job",      "Key", "IoCompletion",
                            "ALPC Port", "Desktop", "Directory", "Whatever", ""};
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; ++i) {
        uint32_t handle = client_make(client, denied[i], 0x1FFFFF);
        client_refused(client, HBK_R_TYPE_NOT_ALLOWED, HBK_METHOD_STORE_PUT,
                       "{'name':'user/a','handle':%u}", handle);
    }
    uint32_t event = client_make(client, "Event", 0x100001);
    const char *more[] = {"3", "2", "1048579", "131073"};
    const char *generic[] = {"2147483648", "268435456", "33554432", "16777216"};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; ++i)
        client_refused(client, HBK_R_ACCESS_EXCEEDS_SOURCE, HBK_METHOD_STORE_PUT,
                       "{'name':'user/a','handle':%u,'access':%s}", event, more[i]);
    for (size_t i = 0; i < sizeof generic / sizeof generic[0]; ++i)
        client_refused(client, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_PUT,
                       "{'name':'user/a','handle':%u,'access':%s}", event, generic[i]);
    client_refused(client, HBK_R_ACCESS_EXCEEDS_SOURCE, HBK_METHOD_STORE_PUT,
                   "{'name':'user/a','handle':%u,'access':'read'}",
                   client_make(client, "Event", 1));
    client_refused(client, HBK_R_TYPE_MISMATCH, HBK_METHOD_STORE_PUT,
                   "{'name':'user/a','handle':%u,'type':'File'}", event);
    client_refused(client, HBK_R_TYPE_MISMATCH, HBK_METHOD_STORE_PUT,
                   "{'name':'user/a','handle':%u,'type':'Nothing'}", event);
    assert_int_equal(store_count(client), 0);
    client_ok(client, HBK_METHOD_STORE_PUT,
              "{'name':'user/a','handle':%u,'type':'Event','access':'read'}", event);
    rig_end(rig);
}

/* access of a put is the most that anybody gets. */
static void rights_only_shrink(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
    rig->kernel->policy.widenable_type = "Event";
    store_type_put(owner, "user/a", "Event", 0x1F0003, ",'access':1048579");
    const struct hbk_store_get_result *taken = store_get(other, "user/a");
    assert_int_equal(taken->access, 0x100003);
    assert_int_equal(taken->widenable, HBK_WIDENABLE_YES);
    taken =
        &client_ok(other, HBK_METHOD_STORE_GET, "{'name':'user/a','access':1}")->u.result.store_get;
    assert_int_equal(taken->access, 1);
    taken = &client_ok(other, HBK_METHOD_STORE_GET, "{'name':'user/a','access':'read'}")
                 ->u.result.store_get;
    assert_int_equal(taken->access, 0x100001);
    client_refused(other, HBK_R_ACCESS_EXCEEDS_SOURCE, HBK_METHOD_STORE_GET,
                   "{'name':'user/a','access':131072}");
    client_refused(owner, HBK_R_ACCESS_EXCEEDS_SOURCE, HBK_METHOD_STORE_GET,
                   "{'name':'user/a','access':1048583}");
    store_type_put(owner, "user/b", "Event", 3, "");
    client_refused(owner, HBK_R_ACCESS_EXCEEDS_SOURCE, HBK_METHOD_STORE_GET,
                   "{'name':'user/b','access':'read'}");
    rig_end(rig);
}

/* ---- names ---- */

static void a_name_is_taken_once(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
    store_put(owner, "user/a", "");
    uint32_t event = client_make(other, "Event", 3);
    client_refused(other, HBK_R_EXISTS, HBK_METHOD_STORE_PUT, "{'name':'user/a','handle':%u}",
                   event);
    client_refused(owner, HBK_R_EXISTS, HBK_METHOD_STORE_PUT,
                   "{'name':'user/a','handle':4,'replace':false}");
    assert_int_equal(store_get(other, "user/a")->from.peer.pid, 100);
    /* Another session of the same identity is the owner too. */
    store_put(other, "user/a", ",'replace':true");
    assert_int_equal(store_get(owner, "user/a")->from.peer.pid, 101);
    assert_int_equal(fake_pins_held(rig->kernel), 1);
    assert_int_equal(store_count(owner), 1);
    client_hang_up(owner); /* what it put has gone already */
    assert_int_equal(store_get(other, "user/a")->from.peer.pid, 101);
    store_put(other, "user/b", ",'replace':true"); /* where there was nothing */
    rig_end(rig);
}

static void what_is_refused_replaces_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1);
    uint64_t entry = store_put(owner, "user/a", "");
    client_refused(owner, HBK_R_BAD_HANDLE, HBK_METHOD_STORE_PUT,
                   "{'name':'user/a','handle':4000,'replace':true}");
    client_refused(owner, HBK_R_TYPE_NOT_ALLOWED, HBK_METHOD_STORE_PUT,
                   "{'name':'user/a','handle':%u,'replace':true}",
                   client_make(owner, "Process", 0x1000));
    const struct hbk_store_list_result *list =
        &client_ok(owner, HBK_METHOD_STORE_LIST, NULL)->u.result.store_list;
    assert_int_equal(list->entries_count, 1);
    assert_int_equal(list->entries[0].entry, entry);
    rig_end(rig);
}

static void only_its_owner_replaces_an_entry(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 2);
    fake_grant(rig->kernel, "all", 0, HBK_RIGHT_PUT | HBK_RIGHT_GET);
    RIG_RULES(rig, {.name = "global/*", .put = "all", .get = "all"});
    store_put(owner, "global/a", "");
    uint32_t event = client_make(other, "Event", 3);
    const struct hbk_error *error =
        client_refused(other, HBK_R_EXISTS, HBK_METHOD_STORE_PUT,
                       "{'name':'global/a','handle':%u,'replace':true}", event);
    assert_non_null(strstr(error->detail, "another identity's"));
    error = client_refused(other, HBK_R_EXISTS, HBK_METHOD_STORE_PUT,
                           "{'name':'global/a','handle':%u}", event);
    assert_null(strstr(error->detail, "another identity's"));
    store_put(owner, "global/a", ",'replace':true");
    client_hang_up(owner);
    store_put(other, "global/a", "");
    assert_int_equal(store_count(other), 1);
    rig_end(rig);
}

static void rules_say_what_may_be_put(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
    uint32_t event = client_make(client, "Event", 3);
    const char *names[] = {"session/a", "global/a", "global/ticket"};
    for (size_t i = 0; i < 3; ++i) {
        const struct hbk_error *error =
            client_refused(client, HBK_R_DENIED, HBK_METHOD_STORE_PUT, "{'name':'%s','handle':%u}",
                           names[i], event);
        assert_non_null(strstr(error->detail, "under this name"));
    }
    fake_grant(rig->kernel, "one", 100, HBK_RIGHT_PUT);
    RIG_RULES(rig, {.name = "session/files", .put = "one", .types = "File"},
              {.name = "session/*", .put = "one", .access_max = 1},
              {.name = "user/shut", .put = "nobody"});
    store_type_put(client, "session/a", "Event", 1, "");
    client_refused(client, HBK_R_DENIED, HBK_METHOD_STORE_PUT, "{'name':'session/b','handle':%u}",
                   event); /* more than access_max */
    store_type_put(client, "session/files", "File", 3, "");
    client_refused(client, HBK_R_TYPE_NOT_ALLOWED, HBK_METHOD_STORE_PUT,
                   "{'name':'session/files','handle':%u,'replace':true}", event);
    client_refused(client, HBK_R_DENIED, HBK_METHOD_STORE_PUT, "{'name':'user/shut','handle':%u}",
                   event);
    /* Whether the name is taken is not told to whom the rules don't let there. */
    event = client_make(other, "Event", 1);
    client_refused(other, HBK_R_DENIED, HBK_METHOD_STORE_PUT, "{'name':'session/a','handle':%u}",
                   event);
    client_refused(other, HBK_R_DENIED, HBK_METHOD_STORE_PUT, "{'name':'session/c','handle':%u}",
                   event);
    rig_end(rig);
}

/* ---- removed ---- */

static void an_entry_is_removed_by_name_or_number(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
    store_put(owner, "user/a", "");
    uint64_t b = store_put(owner, "user/b", "");
    client_ok(other, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
    store_misses(owner, "user/a");
    store_get(owner, "user/b");
    client_refused(other, HBK_R_NOT_FOUND, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
    client_ok(other, HBK_METHOD_STORE_REMOVE, "{'entry':%llu}", (unsigned long long)b);
    client_refused(other, HBK_R_NOT_FOUND, HBK_METHOD_STORE_REMOVE, "{'entry':%llu}",
                   (unsigned long long)b);
    assert_int_equal(fake_pins_held(rig->kernel), 0);
    assert_int_equal(store_count(owner), 0);
    store_put(owner, "user/a", "");
    rig_end(rig);
}

static void removals_that_are_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 2);
    fake_grant(rig->kernel, "all", 0, HBK_RIGHT_PUT | HBK_RIGHT_GET);
    fake_grant(rig->kernel, "D:(A;;0x8;;;WD)", 0, HBK_RIGHT_GET);
    RIG_RULES(rig, {.name = "global/*", .put = "all", .get = "all"});
    unsigned long long a = store_put(owner, "user/a", "");
    unsigned long long g = store_put(owner, "global/a", ",'allow':'D:(A;;0x8;;;WD)'");
    store_get(other, "global/a");
    const char *bad[] = {
        "{}",          "{'name':null}", "{'name':''}",   "{'name':'a'}",
        "{'entry':0}", "{'entry':-1}",  "{'entry':'1'}", "{'name':'user/a','x':1}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        client_refused(owner, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_REMOVE, bad[i]);
    client_refused(owner, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_REMOVE,
                   "{'name':'user/a','entry':%llu}", a);
    client_refused(owner, HBK_R_NOT_FOUND, HBK_METHOD_STORE_REMOVE, "{'name':'user/none'}");
    client_refused(owner, HBK_R_NOT_FOUND, HBK_METHOD_STORE_REMOVE, "{'entry':9007199254740991}");
    client_refused(other, HBK_R_NOT_FOUND, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
    client_refused(other, HBK_R_NOT_FOUND, HBK_METHOD_STORE_REMOVE, "{'entry':%llu}", a);
    client_refused(other, HBK_R_NOT_FOUND, HBK_METHOD_STORE_REMOVE, "{'entry':%llu}", g);
    /* Where it is not one's own scope it is not told whether there is any. */
    client_refused(other, HBK_R_DENIED, HBK_METHOD_STORE_REMOVE, "{'name':'global/a'}");
    client_refused(other, HBK_R_DENIED, HBK_METHOD_STORE_REMOVE, "{'name':'global/none'}");
    assert_int_equal(store_count(owner), 2);
    client_ok(owner, HBK_METHOD_STORE_REMOVE, "{'name':'global/a'}");
    rig_end(rig);
}

static void who_may_revoke_removes_by_number(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *admin = client_new(rig, 101, 2);
    fake_grant(rig->kernel, "all", 0, HBK_RIGHT_PUT | HBK_RIGHT_GET);
    fake_grant(rig->kernel, "revoke", 101, HBK_RIGHT_REVOKE);
    RIG_RULES(rig, {.name = "global/*", .put = "all", .get = "all"});
    unsigned long long a = store_put(owner, "user/a", ""), g = store_put(owner, "global/a", "");
    client_refused(admin, HBK_R_DENIED, HBK_METHOD_STORE_REMOVE, "{'name':'global/a'}");
    client_refused(admin, HBK_R_NOT_FOUND, HBK_METHOD_STORE_REMOVE, "{'name':'user/a'}");
    client_ok(admin, HBK_METHOD_STORE_REMOVE, "{'entry':%llu}", a);
    client_ok(admin, HBK_METHOD_STORE_REMOVE, "{'entry':%llu}", g);
    store_misses(owner, "user/a");
    store_misses(owner, "global/a");
    rig_end(rig);
}

/* ---- time ---- */

static void an_entry_lives_as_long_as_it_says(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1);
    store_put(owner, "user/a", ",'ttl_ms':1000,'lifetime':'broker'");
    store_put(owner, "user/b", ",'ttl_ms':1");
    store_put(owner, "user/c", "");
    rig_advance(rig, 1);
    store_misses(owner, "user/b");
    rig_advance(rig, 998);
    store_get(owner, "user/a");
    assert_int_equal(fake_pins_held(rig->kernel), 2);
    rig_advance(rig, 1);
    store_misses(owner, "user/a");
    rig_advance(rig, 100000);
    store_get(owner, "user/c");
    assert_int_equal(store_count(owner), 1);
    assert_int_equal(fake_pins_held(rig->kernel), 1);
    rig_end(rig);
}

/* Its time was the other one's. */
static void who_replaces_begins_anew(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1);
    store_put(owner, "user/a", ",'ttl_ms':1000");
    rig_advance(rig, 900);
    store_put(owner, "user/a", ",'replace':true,'ttl_ms':1000");
    rig_advance(rig, 999);
    store_get(owner, "user/a");
    store_put(owner, "user/a", ",'replace':true");
    rig_advance(rig, 100000);
    store_get(owner, "user/a");
    rig_end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handle_outlives_its_process),
        cmocka_unit_test(an_entry_ends_with_its_session_unless_it_says_otherwise),
        cmocka_unit_test(what_the_owner_does_to_its_handle_is_its_own_business),
        cmocka_unit_test(identities_do_not_see_each_other),
        cmocka_unit_test(params_that_are_refused),
        cmocka_unit_test(nothing_is_stored_before_the_proof),
        cmocka_unit_test(a_get_that_waits_keeps_its_id),
        cmocka_unit_test(handles_that_are_refused),
        cmocka_unit_test(types_and_rights_that_are_refused),
        cmocka_unit_test(rights_only_shrink),
        cmocka_unit_test(a_name_is_taken_once),
        cmocka_unit_test(what_is_refused_replaces_nothing),
        cmocka_unit_test(only_its_owner_replaces_an_entry),
        cmocka_unit_test(rules_say_what_may_be_put),
        cmocka_unit_test(an_entry_is_removed_by_name_or_number),
        cmocka_unit_test(removals_that_are_refused),
        cmocka_unit_test(who_may_revoke_removes_by_number),
        cmocka_unit_test(an_entry_lives_as_long_as_it_says),
        cmocka_unit_test(who_replaces_begins_anew),
    };
    return cmocka_run_group_tests_name("core: store", tests, NULL, NULL);
}
