/* What the library makes of the store, of transfers and of deliveries that are taken back: against a server that
 * says what a test has written for it, with the handles in this process that a broker would have placed there. */
#include "scene.h"

#include <stdio.h>
#include <string.h>

#define REVOKED(delivery, closed)                                                             \
    "{\"jsonrpc\":\"2.0\",\"method\":\"delivery.revoked\",\"params\":{\"delivery\":" delivery \
    ",\"closed\":[" closed "]}}"

static void taken_back_before_it_was_received(void **state)
{
    (void)state;
    struct kit_scene *scene = kit_scene_new();
    hbk_delivery *delivery = NULL;
    hbk_notification notice;
    HANDLE event = kit_make(KIT_EVENT), first = kit_scene_placed(event),
           second = kit_scene_placed(event);
    char items[512];
    (void)snprintf(items, sizeof items, "%s,%s", kit_scene_item(first), kit_scene_item(second));
    kit_scene_deliver(scene, "handle.delivered", 5, true, items);
    kit_scene_deliver(scene, "handle.delivered", 6, true, kit_scene_item(kit_scene_placed(event)));
    kit_scene_notify(scene, REVOKED("5", "0"));
    kit_scene_begin(scene);
    assert_int_equal(hbk_receive(scene->client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_int_equal(delivery->id, 6);
    assert_true(delivery->revocable);
    assert_int_equal(hbk_notification_receive(scene->client, 0, &notice, NULL), HBK_TIMEOUT);
    assert_false(kit_scene_closed(
        first, event)); /* which this script has not closed, as a broker would have */
    assert_true(kit_scene_closed(second, event));
    CloseHandle(first);
    hbk_delivery_free(delivery);
    CloseHandle(event);
    kit_scene_end(scene);
}

static void taken_back_while_it_is_held(void **state)
{
    (void)state;
    struct kit_scene *scene = kit_scene_new();
    hbk_delivery *delivery = NULL;
    hbk_notification notice;
    HANDLE event = kit_make(KIT_EVENT), first = kit_scene_placed(event),
           second = kit_scene_placed(event);
    char items[512];
    (void)snprintf(items, sizeof items, "%s,%s", kit_scene_item(first), kit_scene_item(second));
    kit_scene_deliver(scene, "handle.delivered", 5, true, items);
    kit_scene_answer(scene, "broker.watch", "{}");
    scene->steps[0].after = REVOKED("5", "0") "\n" REVOKED("4", "") "\n";
    scene->steps[0].result = NULL;
    scene->steps[0].error = "{\"code\":2,\"message\":\"denied\",\"data\":{\"detail\":\"no\"}}";
    kit_scene_begin(scene);
    assert_int_equal(hbk_receive(scene->client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_true(delivery->items[0].handle == first && delivery->items[1].handle == second);
    assert_int_equal(hbk_watch(scene->client, NULL), HBK_DENIED);
    assert_int_equal(hbk_notification_receive(scene->client, KIT_WAIT_MS, &notice, NULL), HBK_OK);
    assert_int_equal(notice.kind, HBK_NOTIFICATION_REVOKED);
    assert_int_equal(notice.delivery, 5);
    assert_int_equal(notice.closed, 1);
    assert_int_equal(notice.missed, 0);
    assert_null(delivery->items[0].handle);
    assert_null(hbk_delivery_take(delivery, 0));
    assert_true(delivery->items[1].handle == second);
    assert_int_equal(hbk_notification_receive(scene->client, KIT_WAIT_MS, &notice, NULL), HBK_OK);
    assert_int_equal(notice.delivery, 4);
    assert_int_equal(notice.closed, 0);
    assert_int_equal(hbk_notification_receive(scene->client, 0, &notice, NULL), HBK_TIMEOUT);
    kit_scene_end(scene); /* the delivery is the caller's still */
    hbk_delivery_free(delivery);
    assert_false(kit_scene_closed(first, event)); /* not a second time */
    assert_true(kit_scene_closed(second, event));
    CloseHandle(first);
    CloseHandle(event);
}

static void an_offer_that_was_taken_back(void **state)
{
    (void)state;
    struct kit_scene *scene = kit_scene_new();
    hbk_delivery *delivery = NULL;
    hbk_notification notice;
    kit_scene_deliver(scene, "handle.offered", 5, true, "{\"type\":\"Event\"" KIT_ITEM_REST);
    kit_scene_notify(scene, REVOKED("5", ""));
    kit_scene_begin(scene);
    assert_int_equal(hbk_receive(scene->client, KIT_QUIET_MS, &delivery, NULL), HBK_TIMEOUT);
    assert_int_equal(hbk_notification_receive(scene->client, 0, &notice, NULL), HBK_TIMEOUT);
    kit_scene_end(scene);
}

static void sessions_that_end(void **state)
{
    (void)state;
    enum { COUNT = 300, KEPT = 256 };
    struct kit_scene *scene = kit_scene_new();
    hbk_delivery *delivery = NULL;
    hbk_notification notice;
    HANDLE event = kit_make(KIT_EVENT);
    kit_scene_deliver(scene, "handle.offered", 5, false, "{\"type\":\"Event\"" KIT_ITEM_REST);
    kit_scene_deliver(scene, "handle.delivered", 6, false, kit_scene_item(kit_scene_placed(event)));
    for (int i = 0; i < COUNT; i++)
        kit_scene_notify(
            scene, "{\"jsonrpc\":\"2.0\",\"method\":\"session.gone\",\"params\":{\"session\":%d}}",
            17 + i);
    kit_scene_begin(scene);
    /* Its offer is gone, what it has delivered stays. */
    assert_int_equal(hbk_receive(scene->client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_int_equal(delivery->id, 6);
    hbk_delivery_free(delivery);
    for (int i = 0; i < KEPT; i++) {
        assert_int_equal(hbk_notification_receive(scene->client, KIT_WAIT_MS, &notice, NULL),
                         HBK_OK);
        assert_int_equal(notice.kind, HBK_NOTIFICATION_SESSION_GONE);
        assert_int_equal(notice.session, 17 + i);
    }
    assert_int_equal(hbk_notification_receive(scene->client, 0, &notice, NULL), HBK_TIMEOUT);
    CloseHandle(event);
    kit_scene_end(scene);
}

static void nobody_asked_for_notices(void **state)
{
    (void)state;
    struct kit_scene *scene = kit_scene_new();
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = "user/x"};
    hbk_status_info status;
    hbk_notification notice;
    kit_scene_answer(scene, "endpoint.open", "{\"endpoint\":\"user/x\"}");
    scene->steps[0].after = REVOKED("5", "0") "\n";
    kit_scene_connect(scene);
    HANDLE wait = hbk_wait_handle(scene->client);
    assert_int_equal(hbk_endpoint_open(scene->client, &endpoint, NULL), HBK_OK);
    kit_has_not(scene->script.asked[0], "\"revocable\":true");
    assert_int_equal(hbk_status(scene->client, &status, NULL), HBK_METHOD_NOT_FOUND);
    /* Who does not take notices is not woken again and again by one. */
    hbk_delivery *delivery = NULL;
    for (int i = 0; i < 3; i++)
        assert_int_equal(hbk_receive(scene->client, 0, &delivery, NULL), HBK_TIMEOUT);
    assert_int_equal(WaitForSingleObject(wait, KIT_QUIET_MS), WAIT_TIMEOUT);
    assert_int_equal(hbk_notification_receive(scene->client, 0, &notice, NULL), HBK_TIMEOUT);
    kit_scene_end(scene);
}

static void revoking_and_listing(void **state)
{
    (void)state;
    struct kit_scene *scene = kit_scene_new();
    hbk_delivery_entries *entries = NULL;
    uint64_t closed = 0;
    kit_scene_answer(scene, "delivery.revoke", "{\"closed\":[0,2,63]}");
    kit_scene_answer(
        scene, "delivery.list",
        "{\"deliveries\":[{\"delivery\":9,\"state\":\"revocable\",\"endpoint\":null,\"from\":{"
        "\"session\":1,\"pid\":2,\"user\":\"S-1-5-18\"},\"to\":{\"session\":3,\"pid\":4,"
        "\"user\":\"S-1-5-19\"},\"items\":[{\"type\":\"Event\",\"access\":2}],\"since_ms\":5,"
        "\"revocable\":true},{\"delivery\":10,\"state\":\"waiting\",\"endpoint\":\"user/y\","
        "\"from\":{\"session\":1,\"pid\":2,\"user\":\"S-1-5-18\"},\"items\":[],\"since_ms\":6,"
        "\"revocable\":false}]}");
    kit_scene_connect(scene);
    assert_int_equal(hbk_revoke(scene->client, 9, &closed, NULL), HBK_OK);
    assert_true(closed == (5 | (uint64_t)1 << 63));
    kit_has(scene->script.asked[0], "\"delivery\":9");
    assert_int_equal(hbk_revoke(scene->client, 9, NULL, NULL), HBK_OK);
    assert_int_equal(hbk_delivery_list(scene->client, &entries, NULL), HBK_OK);
    assert_int_equal(entries->count, 2);
    assert_null(entries->entries[0].endpoint);
    assert_string_equal(entries->entries[0].state, "revocable");
    assert_string_equal(entries->entries[0].to.user, "S-1-5-19");
    assert_int_equal(entries->entries[0].items[0].access, 2);
    assert_true(entries->entries[0].revocable && !entries->entries[1].revocable);
    assert_string_equal(entries->entries[1].endpoint, "user/y");
    assert_int_equal(entries->entries[1].to.pid, 0);
    assert_null(entries->entries[1].to.user);
    hbk_delivery_entries_free(entries);
    kit_scene_end(scene);
}

/* ---- the store ---- */

static void putting(void **state)
{
    (void)state;
    struct kit_scene *scene = kit_scene_new();
    hbk_stored stored;
    HANDLE event = kit_make(KIT_EVENT), moved = kit_scene_placed(event);
    hbk_store_put_options put = {.size = sizeof put, .handle = moved};
    kit_scene_answer(scene, "store.put",
                     "{\"entry\":7,\"ticket\":\"0123456789abcdef0123456789abcdef\"}");
    kit_scene_answer(scene, "store.put", "{\"entry\":8}");
    scene->steps[2].method = "store.put";
    scene->steps[2].error = "{\"code\":4,\"message\":\"exists\",\"data\":{\"detail\":\"taken\"}}";
    scene->count = 3;
    kit_scene_connect(scene);
    assert_int_equal(hbk_store_put(scene->client, &put, &stored, NULL), HBK_OK);
    assert_int_equal(stored.entry, 7);
    assert_string_equal(stored.ticket, "0123456789abcdef0123456789abcdef");
    kit_has(scene->script.asked[0], "\"name\":null");
    put.name = "user/x";
    put.access = 2;
    put.flags = HBK_STORE_REPLACE | HBK_STORE_ONCE | HBK_STORE_KEEP;
    put.allow = "D:(A;;0x8;;;AU)";
    put.ttl_ms = 99;
    put.data = "hello";
    assert_int_equal(hbk_store_put(scene->client, &put, &stored, NULL), HBK_OK);
    assert_string_equal(stored.ticket, "");
    const char *asked = scene->script.asked[1];
    kit_has(asked, "\"name\":\"user/x\"");
    kit_has(asked, "\"access\":2");
    kit_has(asked, "\"allow\":\"D:(A;;0x8;;;AU)\"");
    kit_has(asked, "\"lifetime\":\"broker\"");
    kit_has(asked, "\"ttl_ms\":99");
    kit_has(asked, "\"replace\":true");
    kit_has(asked, "\"once\":true");
    kit_has(asked, "\"data\":\"hello\"");
    /* Refused, it is not moved; stored, it is. */
    put.flags = HBK_STORE_MOVE;
    assert_int_equal(hbk_store_put(scene->client, &put, &stored, NULL), HBK_EXISTS);
    assert_int_equal(stored.entry, 8);
    assert_false(kit_scene_closed(moved, event));
    kit_scene_end(scene);
    scene = kit_scene_new();
    kit_scene_answer(scene, "store.put", "{\"entry\":9}");
    kit_scene_connect(scene);
    assert_int_equal(hbk_store_put(scene->client, &put, NULL, NULL), HBK_OK);
    assert_true(kit_scene_closed(moved, event));
    CloseHandle(event);
    kit_scene_end(scene);
}

#define TAKEN ",\"type\":\"%s\",\"access\":3," KIT_FROM ",\"data\":\"hello\"}"

static void getting(void **state)
{
    (void)state;
    struct kit_scene *scene = kit_scene_new();
    HANDLE event = kit_make(KIT_EVENT), first = kit_scene_placed(event),
           second = kit_scene_placed(event);
    hbk_taken *taken = NULL;
    hbk_store_get_options get = {.size = sizeof get, .name = "user/x"};
    char answers[2][512];
    (void)snprintf(answers[0], sizeof answers[0], "{\"handle\":%lu" TAKEN,
                   (unsigned long)(uintptr_t)first, "Event");
    (void)snprintf(answers[1], sizeof answers[1], "{\"handle\":%lu" TAKEN,
                   (unsigned long)(uintptr_t)second, "Event");
    for (int i = 0; i < 2; i++)
        kit_scene_answer(scene, "store.get", answers[i]);
    kit_scene_connect(scene);
    /* Taken out, it is ours. */
    assert_int_equal(hbk_store_get(scene->client, &get, &taken, NULL), HBK_OK);
    assert_int_equal(taken->from_session, 17);
    assert_string_equal(taken->from_user, "S-1-5-18");
    assert_string_equal(taken->data, "hello");
    assert_true(hbk_taken_take_socket(taken) == HBK_NO_SOCKET);
    assert_true(hbk_taken_take(taken) == first);
    assert_null(hbk_taken_take(taken));
    hbk_taken_free(taken);
    assert_true(CloseHandle(first));
    /* Not taken out, it is closed, protected or not. */
    get.name = NULL;
    get.ticket = "0123456789abcdef0123456789abcdef";
    get.flags = HBK_ITEM_INHERIT | HBK_ITEM_PROTECT;
    get.access = HBK_ACCESS_READ;
    get.wait_ms = 5;
    assert_int_equal(hbk_store_get(scene->client, &get, &taken, NULL), HBK_OK);
    kit_has(scene->script.asked[1], "\"ticket\":\"0123456789abcdef0123456789abcdef\"");
    kit_has(scene->script.asked[1], "\"access\":\"read\"");
    kit_has(scene->script.asked[1], "\"inherit\":true");
    kit_has(scene->script.asked[1], "\"wait_ms\":5");
    DWORD flags = 0;
    assert_true(GetHandleInformation(second, &flags));
    assert_int_equal(flags, HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE);
    hbk_taken_free(taken);
    assert_true(kit_scene_closed(second, event));
    CloseHandle(event);
    kit_scene_end(scene);
}

static void removing_and_listing(void **state)
{
    (void)state;
    struct kit_scene *scene = kit_scene_new();
    hbk_store_entries *entries = NULL;
    kit_scene_answer(scene, "store.remove", "{}");
    kit_scene_answer(scene, "store.remove", "{}");
    kit_scene_answer(
        scene, "store.list",
        "{\"entries\":[{\"entry\":7,\"name\":null,\"owner\":{\"session\":1,\"pid\":2,\"user\":"
        "\"S-1-5-18\"},\"type\":\"Event\",\"access\":3,\"lifetime\":\"broker\",\"once\":true,"
        "\"shared\":false,\"since_ms\":4,\"ttl_ms\":5,\"taken\":6}],\"next\":\"c\"}");
    kit_scene_answer(
        scene, "store.list",
        "{\"entries\":[{\"entry\":8,\"name\":\"user/y\",\"owner\":{\"session\":1,\"pid\":2,"
        "\"user\":\"S-1-5-18\"},\"type\":\"Socket\",\"access\":3,\"lifetime\":\"session\","
        "\"once\":false,\"shared\":true,\"since_ms\":4,\"taken\":0}]}");
    kit_scene_connect(scene);
    assert_int_equal(hbk_store_remove(scene->client, "user/y", NULL), HBK_OK);
    kit_has(scene->script.asked[0], "\"name\":\"user/y\"");
    assert_int_equal(hbk_store_remove_entry(scene->client, 7, NULL), HBK_OK);
    kit_has(scene->script.asked[1], "\"entry\":7");
    assert_int_equal(hbk_store_list(scene->client, &entries, NULL), HBK_OK);
    assert_int_equal(entries->count, 2);
    const hbk_store_entry *first = &entries->entries[0], *second = &entries->entries[1];
    assert_true(first->name == NULL && first->keep && first->once && !first->shared);
    assert_int_equal(first->ttl_ms, 5);
    assert_int_equal(first->taken, 6);
    assert_string_equal(second->name, "user/y");
    assert_string_equal(second->type, "Socket");
    assert_true(!second->keep && !second->once && second->shared);
    assert_int_equal(second->ttl_ms, 0);
    kit_has(scene->script.asked[3], "\"cursor\":\"c\"");
    hbk_store_entries_free(entries);
    kit_scene_end(scene);
}

/* ---- transfers ---- */

static void transferring(void **state)
{
    (void)state;
    struct kit_scene *scene = kit_scene_new();
    HANDLE event = kit_make(KIT_EVENT), copy = kit_scene_placed(event);
    hbk_transfer_options options = {.size = sizeof options, .source_pid = 77};
    hbk_transferred got;
    char pulled[256];
    (void)snprintf(pulled, sizeof pulled,
                   "{\"handle\":%lu,\"type\":\"Event\",\"access\":3,\"notified\":false}",
                   (unsigned long)(uintptr_t)copy);
    kit_scene_answer(scene, "handle.transfer", pulled);
    for (int i = 0; i < 2; i++)
        kit_scene_answer(scene, "handle.transfer",
                         "{\"handle\":4096,\"type\":\"Event\",\"access\":1,\"notified\":true,"
                         "\"widenable\":false}");
    kit_scene_connect(scene);
    options.handle = (HANDLE)(uintptr_t)0x1C4;
    options.flags = HBK_ITEM_PROTECT;
    assert_int_equal(hbk_transfer(scene->client, &options, &got, NULL), HBK_OK);
    assert_true(got.handle == copy && !got.notified && got.widenable == 0);
    kit_has(scene->script.asked[0], "\"source\":{\"pid\":77}");
    kit_has(scene->script.asked[0], "\"handle\":452");
    kit_has_not(scene->script.asked[0], "\"target\"");
    DWORD flags = 0;
    assert_true(GetHandleInformation(copy, &flags));
    assert_int_equal(flags, HANDLE_FLAG_PROTECT_FROM_CLOSE);
    SetHandleInformation(copy, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
    CloseHandle(copy);
    options.flags = HBK_ITEM_INHERIT;
    options.target_pid = 78;
    assert_int_equal(hbk_transfer(scene->client, &options, &got, NULL), HBK_OK);
    assert_true(got.handle == (HANDLE)(uintptr_t)4096 && got.notified);
    assert_int_equal(got.widenable, HBK_WIDEN_NO);
    kit_has(scene->script.asked[1], "\"target\":{\"pid\":78}");
    kit_has(scene->script.asked[1], "\"inherit\":true");
    options.target_pid = 0;
    options.to = "user/x";
    options.type = "Event";
    assert_int_equal(hbk_transfer(scene->client, &options, &got, NULL), HBK_OK);
    kit_has(scene->script.asked[2], "\"target\":\"user/x\"");
    kit_has(scene->script.asked[2], "\"type\":\"Event\"");
    CloseHandle(event);
    kit_scene_end(scene);
}

/* ---- arguments ---- */

static void arguments_of_put(void **state)
{
    (void)state;
    static char much[HBK_DATA_BYTES_MAX + 2], sddl[2050];
    HANDLE event = kit_make(KIT_EVENT);
    hbk_store_put_options good = {.size = sizeof good, .name = "user/x", .handle = event}, bad[10];
    hbk_client *client = kit_client();
    hbk_stored stored = {.entry = 77};
    struct kit_mark mark;
    memset(much, 'd', HBK_DATA_BYTES_MAX + 1);
    memset(sddl, 'D', sizeof sddl - 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        bad[i] = good;
    bad[0].size = sizeof good - 1;
    bad[1].name = "user/";
    bad[2].flags = 0x10;
    bad[3].access = GENERIC_WRITE;
    bad[4].type = "";
    bad[5].allow = sddl;
    bad[6].data = much;
    bad[7].ttl_ms = 0x80000000u;
    bad[8].name = NULL; /* a ticket that is kept needs a limit */
    bad[8].flags = HBK_STORE_KEEP;
    bad[9].name = NULL;
    bad[9].flags = HBK_STORE_REPLACE;
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_put(NULL, &good, &stored, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_put(client, NULL, &stored, NULL));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (hbk_store_put(client, &bad[i], &stored, NULL) != HBK_INVALID_ARGUMENT)
            fail_msg("row %u", (unsigned)i);
    }
    good.name = NULL;
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_put(client, &good, NULL, NULL));
    good.handle = GetCurrentProcess();
    KIT_REFUSED(&mark, HBK_BAD_HANDLE, hbk_store_put(client, &good, &stored, NULL));
    assert_int_equal(stored.entry, 77);
    kit_unchanged(&mark);
    CloseHandle(event);
}

static void arguments_of_get(void **state)
{
    (void)state;
    static const char *const tickets[] = {"", "0123456789abcdef0123456789abcde",
                                          "0123456789abcdef0123456789abcdef0",
                                          "0123456789ABCDEF0123456789abcdef"};
    hbk_store_get_options good = {.size = sizeof good, .name = "user/x"}, bad[6];
    hbk_client *client = kit_client();
    hbk_taken *taken = (hbk_taken *)(uintptr_t)0x1234;
    struct kit_mark mark;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        bad[i] = good;
    bad[0].size = 0;
    bad[1].name = NULL;
    bad[2].ticket = "0123456789abcdef0123456789abcdef"; /* both */
    bad[3].flags = HBK_ITEM_MOVE;
    bad[4].access = MAXIMUM_ALLOWED;
    bad[5].wait_ms = 60001;
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_get(NULL, &good, &taken, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_get(client, NULL, &taken, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_get(client, &good, NULL, NULL));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (hbk_store_get(client, &bad[i], &taken, NULL) != HBK_INVALID_ARGUMENT)
            fail_msg("row %u", (unsigned)i);
    }
    good.name = NULL;
    for (size_t i = 0; i < sizeof tickets / sizeof tickets[0]; i++) {
        good.ticket = tickets[i];
        assert_int_equal(hbk_store_get(client, &good, &taken, NULL), HBK_INVALID_ARGUMENT);
    }
    assert_true(taken == (hbk_taken *)(uintptr_t)0x1234);
    kit_unchanged(&mark);
    hbk_taken_free(NULL);
    assert_null(hbk_taken_take(NULL));
    assert_true(hbk_taken_take_socket(NULL) == HBK_NO_SOCKET);
}

static void arguments_of_transfer(void **state)
{
    (void)state;
    HANDLE event = kit_make(KIT_EVENT);
    hbk_transfer_options good = {.size = sizeof good, .source_pid = 4711, .handle = event}, bad[8];
    hbk_client *client = kit_client();
    hbk_transferred got = {.access = 77};
    struct kit_mark mark;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        bad[i] = good;
    bad[0].size = 0;
    bad[1].source_pid = 0;
    bad[2].to = "nowhere";
    bad[3].to = "user/x";
    bad[3].target_pid = 4;
    bad[4].flags = HBK_ITEM_MOVE;
    bad[5].flags = HBK_ITEM_PROTECT; /* in another process */
    bad[5].target_pid = 4;
    bad[6].access = GENERIC_ALL;
    bad[7].type = "";
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_transfer(NULL, &good, &got, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_transfer(client, NULL, &got, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_transfer(client, &good, NULL, NULL));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (hbk_transfer(client, &bad[i], &got, NULL) != HBK_INVALID_ARGUMENT)
            fail_msg("row %u", (unsigned)i);
    }
    good.handle = (HANDLE)(uintptr_t)0x1C5;
    KIT_REFUSED(&mark, HBK_BAD_HANDLE, hbk_transfer(client, &good, &got, NULL));
    assert_int_equal(got.access, 77);
    CloseHandle(event);
}

static void arguments_of_the_rest(void **state)
{
    (void)state;
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *client = kit_client();
    hbk_store_entries *entries = NULL;
    hbk_delivery_entries *deliveries = NULL;
    hbk_notification notice;
    uint64_t closed = 77;
    hbk_send_item item = {.handle = event};
    hbk_send_options send = {.size = sizeof send, .to = "user/x", .items = &item, .count = 1};
    hbk_endpoint_options open = {.size = sizeof open, .name = "user/x", .flags = 4};
    const hbk_type_accept type = {"Socket", HBK_ACCESS_READ};
    const uint32_t excluded[] = {HBK_ITEM_MOVE, HBK_ITEM_PROTECT};
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_remove(NULL, "user/x", NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_remove(client, NULL, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_remove(client, "x", NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_remove_entry(NULL, 1, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_remove_entry(client, 0, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_remove_entry(client, UINT64_MAX, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_list(NULL, &entries, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_list(client, NULL, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_revoke(NULL, 1, &closed, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_revoke(client, 0, &closed, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_revoke(client, UINT64_MAX, &closed, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_delivery_list(NULL, &deliveries, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_delivery_list(client, NULL, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_notification_receive(NULL, 0, &notice, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_notification_receive(client, 0, NULL, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_endpoint_open(client, &open, NULL));
    open.flags = HBK_ENDPOINT_REVOCABLE;
    open.types = &type;
    open.types_count = 1;
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_endpoint_open(client, &open, NULL));
    send.flags = 2;
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_send(client, &send, NULL, NULL));
    send.flags = HBK_SEND_REVOCABLE;
    for (size_t i = 0; i < sizeof excluded / sizeof excluded[0]; i++) {
        // cppcheck-suppress unreadVariable ; send.items has it
        item = (hbk_send_item){.handle = event, .flags = excluded[i]};
        KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_send(client, &send, NULL, NULL));
    }
    assert_int_equal(closed, 77);
    assert_true(hbk_delivery_take_socket(NULL, 0) == HBK_NO_SOCKET);
    hbk_store_entries_free(NULL);
    hbk_delivery_entries_free(NULL);
    CloseHandle(event);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(taken_back_before_it_was_received),
        KIT_TEST(taken_back_while_it_is_held),
        KIT_TEST(an_offer_that_was_taken_back),
        KIT_TEST(sessions_that_end),
        KIT_TEST(nobody_asked_for_notices),
        KIT_TEST(revoking_and_listing),
        KIT_TEST(putting),
        KIT_TEST(getting),
        KIT_TEST(removing_and_listing),
        KIT_TEST(transferring),
        KIT_TEST(arguments_of_put),
        KIT_TEST(arguments_of_get),
        KIT_TEST(arguments_of_transfer),
        KIT_TEST(arguments_of_the_rest),
    };
    return cmocka_run_group_tests_name("share", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
