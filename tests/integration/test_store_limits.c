/* What a user may have in the store, by an operator's small limits; and that a broker that starts has nothing in it. */
#include "line.h"
#include "store.h"

#include <stdio.h>
#include <string.h>

#define STORED 10 /* of which a user alone can have half */
#define MINE (STORED / 2)
#define DATA_BYTES 8000
#define FITTING 4 /* of a user's half of 64 KiB */

static hbk_result put_data(hbk_client *client, const char *name, HANDLE handle, const char *data,
                           hbk_error_info *ret_error)
{
    hbk_store_put_options put = {.size = sizeof put, .name = name, .handle = handle, .data = data};
    return hbk_store_put(client, &put, NULL, ret_error);
}

static void entries(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_client *client = kit_client(), *other = kit_client();
    hbk_error_info error = {.result = HBK_OK};
    HANDLE event = kit_make(KIT_EVENT);
    hbk_stored stored[MINE], one_more;
    for (int i = 0; i < MINE; i++) /* whatever has no name counts as well */
        kit_ticket(i % 2 ? client : other, event, 0, 0, &stored[i]);
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_QUOTA, put_data(client, "user/test/more", event, NULL, &error));
    assert_string_equal(error.limit, "stored_per_user");
    hbk_store_put_options ticket = {.size = sizeof ticket, .handle = event};
    KIT_REFUSED(&mark, HBK_QUOTA, hbk_store_put(other, &ticket, &one_more, &error));
    assert_string_equal(error.limit, "stored_per_user");
    /* Each way in which one ends gives its place back. */
    HANDLE got = NULL;
    assert_int_equal(kit_claim(client, stored[0].ticket, &got), HBK_OK);
    CloseHandle(got);
    kit_wait_stored(&mark, -1);
    assert_int_equal(put_data(client, "user/test/more", event, NULL, NULL), HBK_OK);
    assert_int_equal(put_data(client, "user/test/less", event, NULL, NULL), HBK_QUOTA);
    assert_int_equal(hbk_store_remove(other, "user/test/more", NULL), HBK_OK);
    assert_int_equal(put_data(client, "user/test/more", event, NULL, NULL), HBK_OK);
    kit_close(other);
    kit_wait_stored(&mark, -2); /* of its three, two were left */
    assert_int_equal(put_data(client, "user/test/less", event, NULL, NULL), HBK_OK);
    CloseHandle(event);
}

static void bytes(void **state)
{
    (void)state;
    static char data[DATA_BYTES + 1];
    struct kit_mark mark;
    hbk_client *client = kit_client();
    hbk_error_info error = {.result = HBK_OK};
    HANDLE event = kit_make(KIT_EVENT);
    char name[32];
    memset(data, 'x', DATA_BYTES);
    for (int i = 0; i < FITTING; i++) {
        (void)snprintf(name, sizeof name, "user/test/%d", i);
        assert_int_equal(put_data(client, name, event, data, NULL), HBK_OK);
    }
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_QUOTA, put_data(client, "user/test/more", event, data, &error));
    assert_string_equal(error.limit, "stored_bytes_per_user");
    assert_int_equal(put_data(client, "user/test/more", event, "short", NULL), HBK_OK);
    assert_int_equal(hbk_store_remove(client, "user/test/more", NULL), HBK_OK);
    assert_int_equal(hbk_store_remove(client, "user/test/0", NULL), HBK_OK);
    assert_int_equal(put_data(client, "user/test/more", event, data, NULL), HBK_OK);
    CloseHandle(event);
}

/* What everybody can see of them. */
static void shares_are_shown(void **state)
{
    (void)state;
    hbk_client *client = kit_client();
    hbk_status_info status;
    HANDLE event = kit_make(KIT_EVENT);
    hbk_stored stored;
    kit_ticket(client, event, 0, 0, &stored);
    assert_int_equal(hbk_status(client, &status, NULL), HBK_OK);
    assert_int_equal(status.stored, 1);
    int found = 0;
    for (size_t i = 0; i < status.quotas_count; i++) {
        if (strcmp(status.quotas[i].name, "stored") != 0)
            continue;
        found++;
        assert_int_equal(status.quotas[i].limit, STORED);
        assert_int_equal(status.quotas[i].used, 1);
        assert_int_equal(status.quotas[i].yours, 1);
        assert_int_equal(status.quotas[i].your_limit, MINE);
    }
    assert_int_equal(found, 1);
    CloseHandle(event);
}

/* A put that fails after its place was taken gives it back. */
static void what_is_refused_takes_no_place(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT), port = kit_make(KIT_IOCP);
    hbk_stored stored;
    kit_mark(&mark, GetCurrentProcessId());
    for (int i = 0; i < 3 * MINE; i++) {
        KIT_REFUSED(&mark, HBK_TYPE_NOT_ALLOWED, kit_put(client, "user/test/a", port, 0, 0));
        KIT_REFUSED(&mark, HBK_BAD_HANDLE, kit_put(client, "user/test/a", kit_closed(), 0, 0));
    }
    for (int i = 0; i < MINE; i++)
        kit_ticket(client, event, 0, 0, &stored);
    CloseHandle(port);
    CloseHandle(event);
}

/* The store is memory: what a broker held is let go when it ends, however it does, and the next has none of it. */
static void another_broker_has_nothing(void **state)
{
    (void)state;
    struct kit_broker broker;
    hbk_store_entries *list = NULL;
    hbk_taken *taken = NULL;
    hbk_stored stored;
    HANDLE reader = NULL, writer = NULL, event = kit_make(KIT_EVENT), got = NULL;
    DWORD size = 0;
    assert_true(CreatePipe(&reader, &writer, NULL, 0));
    kit_console_start(&broker, NULL);
    hbk_client *client = kit_client_with(&broker);
    assert_int_equal(kit_put(client, "user/test/kept", writer, 0, HBK_STORE_KEEP | HBK_STORE_MOVE),
                     HBK_OK);
    kit_ticket(client, event, HBK_STORE_KEEP, 600000, &stored);
    assert_true(PeekNamedPipe(reader, NULL, 0, NULL, &size, NULL));
    kit_console_stop(&broker); /* it is killed */
    assert_int_equal(kit_get(client, "user/test/kept", 0, 0, &taken), HBK_DISCONNECTED);
    kit_close(client);
    uint64_t end = kit_now_ms() + KIT_WAIT_MS;
    while (PeekNamedPipe(reader, NULL, 0, NULL, &size, NULL)) {
        assert_true(kit_now_ms() < end);
        Sleep(5);
    }
    kit_console_start(&broker, NULL);
    client = kit_client_with(&broker);
    assert_int_equal(hbk_store_list(client, &list, NULL), HBK_OK);
    assert_int_equal(list->count, 0);
    hbk_store_entries_free(list);
    assert_int_equal(kit_get(client, "user/test/kept", 0, 0, &taken), HBK_NOT_FOUND);
    assert_int_equal(kit_claim(client, stored.ticket, &got), HBK_NOT_FOUND);
    kit_close(client);
    kit_console_stop(&broker);
    CloseHandle(reader);
    CloseHandle(event);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(entries),
        KIT_TEST(bytes),
        KIT_TEST(shares_are_shown),
        KIT_TEST(what_is_refused_takes_no_place),
        KIT_TEST(another_broker_has_nothing),
    };
    kit_config = "{\"limits\": {\"stored\": 10, \"stored_bytes\": 65536}}";
    return cmocka_run_group_tests_name("store limits", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
