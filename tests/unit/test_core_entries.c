/* store.list: who is shown what, page by page. */
#include "core_policy.h"
#include "core_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALLOW ",'allow':'D:(A;;0x8;;;WD)'"

static const struct hbk_store_list_result *list_of(struct client *client)
{
    return &client_ok(client, HBK_METHOD_STORE_LIST, NULL)->u.result.store_list;
}

static void a_list_says_what_is_stored(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 4711, 3), *other = client_new(rig, 101, 3);
    assert_int_equal(list_of(other)->entries_count, 0);
    uint64_t session = owner->session_id;
    uint64_t a = store_put(owner, "user/a",
                           ",'access':1,'once':true,'lifetime':'broker','ttl_ms':5000" ALLOW);
    rig_advance(rig, 1234);
    store_type_put(owner, "user/b", "File", 0x120089, ",'data':'secret'");
    store_ticket(owner, "");
    store_get(other, "user/b");
    store_get(other, "user/b");
    const struct hbk_store_list_result *list = list_of(other);
    assert_int_equal(list->entries_count, 3);
    assert_null(list->next.data);
    const struct hbk_entry_info *info = &list->entries[0];
    assert_int_equal(info->entry, a);
    assert_true(hbk_text_is(info->name, "user/a"));
    assert_int_equal(info->owner.session, session);
    assert_int_equal(info->owner.pid, 4711);
    assert_true(hbk_text_is(info->owner.user, "S-1-5-21-1-2-3-1003"));
    assert_true(hbk_text_is(info->type, "Event"));
    assert_int_equal(info->access, 1);
    assert_int_equal(info->lifetime, HBK_LIFETIME_BROKER);
    assert_true(info->once && info->shared);
    assert_int_equal(info->since_ms, 1234);
    assert_int_equal(info->ttl_ms, 5000 - 1234);
    assert_int_equal(info->taken, 0);
    info = &list->entries[1];
    assert_true(hbk_text_is(info->name, "user/b"));
    assert_true(hbk_text_is(info->type, "File"));
    assert_int_equal(info->access, 0x120089);
    assert_int_equal(info->lifetime, HBK_LIFETIME_SESSION);
    assert_true(!info->once && !info->shared);
    assert_int_equal(info->since_ms, 0);
    assert_int_equal(info->ttl_ms, 0);
    assert_int_equal(info->taken, 2);
    info = &list->entries[2];
    assert_null(info->name.data);
    assert_true(info->once);
    client_hang_up(owner);
    list = list_of(other);
    assert_int_equal(list->entries_count, 1);
    assert_int_equal(list->entries[0].owner.session, 0);
    assert_int_equal(list->entries[0].owner.pid, 4711);
    /* Its time is up, and the clock has not come to it. */
    rig->kernel->now_ms += 5000 - 1234 - 1;
    assert_int_equal(list_of(other)->entries[0].ttl_ms, 1);
    rig->kernel->now_ms += 5;
    assert_int_equal(list_of(other)->entries[0].ttl_ms, 1);
    rig_end(rig);
}

/* It may stay for what the system has not closed yet. */
static void a_session_that_ends_is_not_named(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
    store_put(owner, "user/a", ",'lifetime':'broker'");
    client_ok(other, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/b'}");
    rig->kernel->unpins_pend = true;
    client_send(owner, "user/b", client_make(owner, "File", 1));
    rig_run(rig);
    assert_int_equal(list_of(other)->entries[0].owner.session, owner->session_id);
    client_hang_up(owner);
    assert_false(owner->connection->released);
    assert_int_equal(list_of(other)->entries[0].owner.session, 0);
    rig_end(rig);
}

static bool shows(struct client *client, const char *name)
{
    const struct hbk_store_list_result *list = list_of(client);
    bool found = false;
    for (size_t i = 0; i < list->entries_count; ++i)
        found |= list->entries[i].name.data && hbk_text_is(list->entries[i].name, name);
    return found;
}

static void who_is_shown_what(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
    struct client *stranger = client_new(rig, 102, 2), *admin = client_new(rig, 103, 3);
    rig->terminal_session = 2;
    struct client *elsewhere = client_new(rig, 104, 4);
    fake_grant(rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    fake_grant(rig->kernel, "inspect", 103, HBK_RIGHT_INSPECT);
    fake_grant(rig->kernel, "D:(A;;0x8;;;WD)", 0, HBK_RIGHT_GET);
    RIG_RULES(rig, {.name = "global/put", .put = "all", .get = "nobody"},
              {.name = "*", .put = "all", .get = "all"});
    const char *names[] = {"user/own",   "user/shared", "session/own",  "session/shared",
                           "global/own", "global/put",  "global/shared"};
    enum { NAMES = 7 };
    for (size_t i = 0; i < NAMES; ++i)
        store_put(owner, names[i], i % 2 || i == 6 ? ALLOW : "");
    store_ticket(owner, ALLOW);
    const bool strangers[NAMES] = {[3] = true, [6] = true}, elsewheres[NAMES] = {[6] = true};
    for (size_t i = 0; i < NAMES; ++i) {
        assert_true(shows(owner, names[i]));
        assert_true(shows(other, names[i]));
        assert_true(shows(admin, names[i]));
        assert_int_equal(shows(stranger, names[i]), strangers[i]);
        assert_int_equal(shows(elsewhere, names[i]), elsewheres[i]);
    }
    assert_int_equal(list_of(owner)->entries_count, NAMES + 1);
    assert_int_equal(list_of(admin)->entries_count, NAMES + 1);
    assert_int_equal(list_of(stranger)->entries_count, 2);
    assert_int_equal(list_of(elsewhere)->entries_count, 1);
    RIG_RULES(rig, {.name = "*", .put = "all"});
    assert_int_equal(list_of(stranger)->entries_count, 0);
    assert_int_equal(list_of(owner)->entries_count, NAMES + 1);
    rig_end(rig);
}

/* ---- pages ---- */

/* Reads all pages of @limit, while @disturb changes what is listed between them; returns how often each of
 * user/0 … user/9 was seen. */
static void read_pages(struct client *client, unsigned limit, void (*disturb)(struct client *),
                       unsigned ret_seen[10])
{
    char cursor[HBK_CURSOR_BYTES_MAX + 1] = "";
    memset(ret_seen, 0, 10 * sizeof *ret_seen);
    for (unsigned page = 0; page < 12; ++page) {
        const struct hbk_store_list_result *list =
            cursor[0] ? &client_ok(client, HBK_METHOD_STORE_LIST, "{'limit':%u,'cursor':'%s'}",
                                   limit, cursor)
                             ->u.result.store_list
                      : &client_ok(client, HBK_METHOD_STORE_LIST, "{'limit':%u}", limit)
                             ->u.result.store_list;
        assert_true(list->entries_count <= limit);
        assert_true(list->entries_count == limit || !list->next.data);
        for (size_t i = 0; i < list->entries_count; ++i) {
            struct hbk_text name = list->entries[i].name;
            if (name.size == 6)
                ++ret_seen[name.data[5] - '0'];
        }
        if (!list->next.data)
            return;
        assert_true(list->next.size <= HBK_CURSOR_BYTES_MAX);
        snprintf(cursor, sizeof cursor, "%.*s", (int)list->next.size, list->next.data);
        if (disturb)
            disturb(client);
    }
    fail();
}

static void remove_one_put_one(struct client *client)
{
    static unsigned done;
    char name[32];
    snprintf(name, sizeof name, "user/%u", 1 + done % 5 * 2);
    client_request(client, HBK_METHOD_STORE_REMOVE, "{'name':'%s'}", name);
    snprintf(name, sizeof name, "user/new%u", done++);
    store_put(client, name, "");
}

static void pages_show_every_entry_once(void **state)
{
    (void)state;
    const unsigned limits[] = {1, 3, 5, 9, 10, 64};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; ++i) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *client = client_new(rig, 100, 1), *other = client_new(rig, 101, 1);
        for (unsigned j = 0; j < 10; ++j) {
            char name[32];
            snprintf(name, sizeof name, "user/%u", j);
            store_put(j % 2 ? other : client, name, "");
        }
        unsigned seen[10];
        read_pages(client, limits[i], NULL, seen);
        for (unsigned j = 0; j < 10; ++j)
            assert_int_equal(seen[j], 1);
        if (limits[i] >= 5) { /* few enough pages for the changes below */
            read_pages(client, limits[i], remove_one_put_one, seen);
            for (unsigned j = 0; j < 10; ++j)
                assert_true(seen[j] == 1 || (j % 2 && seen[j] == 0));
        }
        rig_end(rig);
    }
}

static unsigned fits(unsigned count)
{
    static char tail[HBK_SID_BYTES_MAX];
    struct rig *rig = rig_new(NULL, 1);
    snprintf(tail, sizeof tail, "-%0*u", HBK_SID_BYTES_MAX - 26, 1u);
    rig->sid_tail = tail;
    struct client *client = client_new(rig, 4294967292u, 0xFFFF0000u);
    char name[HBK_NAME_BYTES_MAX + 1];
    for (unsigned i = 0; i < count; ++i) {
        snprintf(name, sizeof name, "user/%0*u", HBK_NAME_BYTES_MAX - 5, i);
        store_put(client, name, ",'ttl_ms':2147483647,'once':true,'lifetime':'broker'" ALLOW);
    }
    const struct hbk_store_list_result *list = list_of(client);
    unsigned shown = (unsigned)list->entries_count;
    assert_true(list->entries[0].owner.user.size > HBK_SID_BYTES_MAX - 4);
    assert_int_equal(list->next.data == NULL, shown == count);
    rig_end(rig);
    return shown;
}

static void the_longest_page_fits_a_line(void **state)
{
    (void)state;
    assert_int_equal(fits(HBK_PAGE_MAX), HBK_PAGE_MAX);
    assert_int_equal(fits(HBK_PAGE_MAX + 1), HBK_PAGE_MAX);
}

/* Of what is not shown a page looks at some only, so that nobody waits for it; and so of what asks the system. */
static unsigned pages_to_the_end(struct client *client, unsigned *ret_seen)
{
    char cursor[HBK_CURSOR_BYTES_MAX + 1] = "0";
    unsigned pages = 0;
    *ret_seen = 0;
    for (struct hbk_text next = {.data = cursor, .size = 1}; next.data; ++pages) {
        snprintf(cursor, sizeof cursor, "%.*s", (int)next.size, next.data);
        const struct hbk_store_list_result *list =
            pages == 0 ? list_of(client)
                       : &client_ok(client, HBK_METHOD_STORE_LIST, "{'cursor':'%s'}", cursor)
                              ->u.result.store_list;
        *ret_seen += (unsigned)list->entries_count;
        next = list->next;
        assert_true(pages < 100);
    }
    return pages;
}

static void a_page_asks_the_system_not_too_often(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *stranger = client_new(rig, 101, 2);
    fake_grant(rig->kernel, "put", 0, HBK_RIGHT_PUT);
    fake_grant(rig->kernel, "get", 0, HBK_RIGHT_GET);
    RIG_RULES(rig, {.name = "global/*", .put = "put", .get = "get"});
    char name[32];
    for (unsigned i = 0; i < 2 * HBK_ITEMS_MAX; ++i) {
        snprintf(name, sizeof name, "global/%u", i);
        store_put(owner, name, ALLOW); /* not to the stranger */
    }
    fake_trace_clear(rig->kernel);
    const struct hbk_store_list_result *list = list_of(stranger);
    assert_int_equal(list->entries_count, 0);
    assert_non_null(list->next.data);
    uint32_t asked = fake_trace_count(rig->kernel, FAKE_OP_ACCESS_CHECK);
    assert_true(asked > HBK_ITEMS_MAX / 2 && asked <= HBK_ITEMS_MAX + 1);
    rig_end(rig);
}

static void a_page_is_not_long_in_coming(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *owner = client_new(rig, 100, 1), *stranger = client_new(rig, 101, 2);
    enum { HIDDEN = 600 };
    fake_grant(rig->kernel, "put", 0, HBK_RIGHT_PUT);
    fake_grant(rig->kernel, "get", 0, HBK_RIGHT_GET);
    fake_grant(rig->kernel, "D:(A;;0x8;;;WD)", 0, HBK_RIGHT_GET);
    RIG_RULES(rig, {.name = "global/*", .put = "put", .get = "get"});
    uint32_t event = client_make(owner, "Event", 3);
    for (unsigned i = 0; i < HIDDEN; ++i)
        client_request(owner, HBK_METHOD_STORE_PUT, "{'name':'global/%u','handle':%u}", i, event);
    rig_run(rig);
    store_put(owner, "global/last", ALLOW);
    fake_trace_clear(rig->kernel);
    assert_int_equal(list_of(stranger)->entries_count, 0);
    uint32_t asked = fake_trace_count(rig->kernel, FAKE_OP_ACCESS_CHECK);
    assert_true(asked > 0 && asked <= HBK_ITEMS_MAX + 1);
    unsigned seen;
    assert_true(pages_to_the_end(stranger, &seen) >= HIDDEN / HBK_ITEMS_MAX);
    assert_int_equal(seen, 1);
    /* Those that are gone are looked at too. */
    for (unsigned i = 0; i < HIDDEN / 2 - 1; ++i)
        client_request(owner, HBK_METHOD_STORE_REMOVE, "{'name':'global/%u'}", i);
    rig_run(rig);
    fake_trace_clear(rig->kernel);
    const struct hbk_store_list_result *list = list_of(owner);
    assert_int_equal(list->entries_count, 0);
    assert_non_null(list->next.data);
    assert_int_equal(pages_to_the_end(owner, &seen), 2 + HIDDEN / 2 / HBK_PAGE_MAX);
    assert_int_equal(seen, HIDDEN / 2 + 2);
    rig_end(rig);
}

static void paging_that_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    store_put(client, "user/a", "");
    const char *bad[] = {"{'limit':0}",
                         "{'limit':65}",
                         "{'limit':-1}",
                         "{'limit':'1'}",
                         "{'cursor':1}",
                         "{'cursor':''}",
                         "{'cursor':'nonsense'}",
                         "{'cursor':'-1'}",
                         "{'cursor':'99999999999999999999999999999999999999'}",
                         "{'cursor':'9999999999999999'}",
                         "{'name':'user/a'}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        client_refused(client, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_LIST, bad[i]);
    const struct hbk_store_list_result *list =
        &client_ok(client, HBK_METHOD_STORE_LIST, "{'limit':64}")->u.result.store_list;
    assert_int_equal(list->entries_count, 1);
    list = &client_ok(client, HBK_METHOD_STORE_LIST, "{'cursor':'999999999999999'}")
                ->u.result.store_list;
    assert_int_equal(list->entries_count, 0);
    assert_null(list->next.data);
    rig_end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_says_what_is_stored),
        cmocka_unit_test(a_session_that_ends_is_not_named),
        cmocka_unit_test(who_is_shown_what),
        cmocka_unit_test(pages_show_every_entry_once),
        cmocka_unit_test(the_longest_page_fits_a_line),
        cmocka_unit_test(a_page_asks_the_system_not_too_often),
        cmocka_unit_test(a_page_is_not_long_in_coming),
        cmocka_unit_test(paging_that_is_refused),
    };
    return cmocka_run_group_tests_name("core: entries", tests, NULL, NULL);
}
