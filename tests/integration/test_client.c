/* The library: what it refuses before it sends anything, whom it trusts, what it owns, how it waits and how
 * it ends. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 400u

static void listen(hbk_client *client, const char *name, uint32_t flags)
{
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name, .flags = flags};
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
}

/* ---- arguments ---- */

static void arguments_of_open(void **state)
{
    (void)state;
    static char long_name[66];
    memset(long_name, 'n', 65);
    const hbk_open_options bad[] = {
        {.size = 0},
        {.size = sizeof(hbk_open_options) - 1},
        {.size = sizeof(hbk_open_options), .client_name = ""},
        {.size = sizeof(hbk_open_options), .client_name = long_name},
        {.size = sizeof(hbk_open_options), .client_name = "\xFF"},
        {.size = sizeof(hbk_open_options), .client_version = ""},
        {.size = sizeof(hbk_open_options), .client_version = long_name},
        {.size = sizeof(hbk_open_options), .flags = 0x80000000u},
        {.size = sizeof(hbk_open_options), .pipe = L"\\\\server\\pipe\\HandleBroker"},
        {.size = sizeof(hbk_open_options), .pipe = L""},
        {.size = sizeof(hbk_open_options), .pipe = L"C:\\file"},
    };
    struct kit_mark mark;
    hbk_client *client = (hbk_client *)(uintptr_t)0x1234;
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_open(NULL, NULL, NULL));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hbk_error_info error = {.result = HBK_OK};
        if (hbk_open(&bad[i], &client, &error) != HBK_INVALID_ARGUMENT)
            fail_msg("row %lu: %s", (unsigned long)i, hbk_result_word(error.result));
        assert_true(client == (hbk_client *)(uintptr_t)0x1234); /* untouched */
        assert_int_equal(error.result, HBK_INVALID_ARGUMENT);
        assert_true(error.detail[0] != '\0');
    }
    kit_unchanged(&mark);
}

static void arguments_of_send(void **state)
{
    (void)state;
    static char much[HBK_DATA_BYTES_MAX + 2], reason[258];
    struct kit_mark mark;
    hbk_client *client = kit_client();
    hbk_send_item item = {.handle = kit_make(KIT_EVENT)}, flagged = item, typed = item;
    flagged.flags = 0x80000000u;
    typed.type = "";
    memset(much, 'd', HBK_DATA_BYTES_MAX + 1);
    memset(reason, 'r', 257);
    hbk_send_options good = {.size = sizeof good, .to = "user/test/x", .items = &item, .count = 1};
    hbk_send_options bad[12];
    for (size_t i = 0; i < 12; i++)
        bad[i] = good;
    bad[0].size = 0;
    bad[1].to = NULL;
    bad[2].items = NULL;
    bad[3].count = 0;
    bad[4].count = HBK_ITEMS_MAX + 1;
    bad[5].data = much;
    bad[6].data = "\xC3";
    bad[7].wait_ms = 60001;
    bad[8].timeout_ms = 60001;
    bad[9].items = &flagged;
    bad[10].items = &typed;
    bad[11].to = "\xFF";
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < 12; i++) {
        hbk_result result = hbk_send(client, &bad[i], NULL, NULL);
        if (result != HBK_INVALID_ARGUMENT)
            fail_msg("row %lu: %s", (unsigned long)i, hbk_result_word(result));
    }
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_send(NULL, &good, NULL, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_send(client, NULL, NULL, NULL));
    KIT_REFUSED(&mark, HBK_NOT_FOUND, hbk_send(client, &good, NULL, NULL));
    CloseHandle(item.handle);
}

static void arguments_of_the_rest(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    hbk_delivery *delivery = NULL;
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = kit_endpoint_name()},
                         bad = endpoint;
    hbk_status_info status;
    hbk_endpoint_entries *entries;
    kit_mark(&mark, GetCurrentProcessId());
    bad.size = 0;
    assert_int_equal(hbk_endpoint_open(client, &bad, NULL), HBK_INVALID_ARGUMENT);
    bad = endpoint;
    bad.name = NULL;
    assert_int_equal(hbk_endpoint_open(client, &bad, NULL), HBK_INVALID_ARGUMENT);
    bad.name = "no-scope";
    assert_int_equal(hbk_endpoint_open(client, &bad, NULL), HBK_INVALID_ARGUMENT);
    bad = endpoint;
    bad.items_max = 65;
    assert_int_equal(hbk_endpoint_open(client, &bad, NULL), HBK_INVALID_ARGUMENT);
    bad = endpoint;
    bad.types_count = 1;
    assert_int_equal(hbk_endpoint_open(client, &bad, NULL), HBK_INVALID_ARGUMENT);
    bad = endpoint;
    bad.flags = 0x80000000u;
    assert_int_equal(hbk_endpoint_open(client, &bad, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_endpoint_open(client, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_endpoint_open(NULL, &endpoint, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_endpoint_close(client, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_receive(client, 0, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_receive(NULL, 0, &delivery, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_accept(client, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_reject(client, NULL, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_status(NULL, &status, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_status(client, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_endpoint_list(client, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_endpoint_list(NULL, &entries, NULL), HBK_INVALID_ARGUMENT);
    assert_null(delivery);
    hbk_close(NULL);
    hbk_delivery_free(NULL);
    hbk_endpoint_entries_free(NULL);
    assert_null(hbk_delivery_take(NULL, 0));
    assert_null(hbk_wait_handle(NULL));
    kit_unchanged(&mark);
}

static void words_for_every_result(void **state)
{
    (void)state;
    static const int results[] = {0,  -32700, -32600, -32601, -32602, -32603, 1,   2,   3,
                                  4,  5,      6,      7,      8,      9,      10,  11,  12,
                                  13, 14,     15,     16,     100,    101,    102, 103, 104};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        const char *word = hbk_result_word((hbk_result)results[i]);
        assert_string_not_equal(word, "unknown");
        assert_true(strlen(hbk_result_text((hbk_result)results[i])) > strlen(word) / 2);
    }
    assert_string_equal(hbk_result_word(HBK_ACCESS_EXCEEDS_SOURCE), "access_exceeds_source");
    assert_string_equal(hbk_result_word((hbk_result)4711), "unknown");
    assert_non_null(hbk_result_text((hbk_result)4711));
    assert_true(hbk_version()[0] >= '0' && hbk_version()[0] <= '9');
}

/* ---- whom it trusts ---- */

/* A pipe that anybody could make, with nobody behind it but this test. */
static HANDLE fake_server(const wchar_t *name, DWORD instances)
{
    HANDLE pipe = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE,
                                   instances, 4096, 4096, 0, NULL);
    assert_true(pipe != INVALID_HANDLE_VALUE);
    return pipe;
}

static void a_fake_server_gets_not_one_byte(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    const wchar_t *name = kit_pipe_name();
    HANDLE server = fake_server(name, 1);
    hbk_open_options options = {
        .size = sizeof options, .pipe = name, .connect_timeout_ms = TIMEOUT_MS};
    hbk_client *client = NULL;
    hbk_error_info error = {.result = HBK_OK};
    assert_int_equal(hbk_open(&options, &client, &error), HBK_UNTRUSTED);
    assert_null(client);
    assert_non_null(strstr(error.detail, "HBK_OPEN_UNVERIFIED")); /* what a developer should do */
    char byte;
    DWORD size = 0;
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    if (ReadFile(server, &byte, 1, NULL, &overlapped) || GetLastError() == ERROR_IO_PENDING) {
        assert_int_equal(WaitForSingleObject(overlapped.hEvent, KIT_WAIT_MS), WAIT_OBJECT_0);
        assert_false(GetOverlappedResult(server, &overlapped, &size, TRUE));
    }
    assert_int_equal(size, 0);
    CloseHandle(overlapped.hEvent);
    CloseHandle(server);
    kit_unchanged(&mark);
}

static void a_console_broker_only_when_told(void **state)
{
    (void)state;
    struct kit_broker broker;
    kit_console_start(&broker, NULL);
    hbk_open_options options = {.size = sizeof options, .pipe = broker.pipe};
    hbk_client *client = NULL;
    assert_int_equal(hbk_open(&options, &client, NULL), HBK_UNTRUSTED);
    options.flags = HBK_OPEN_UNVERIFIED;
    assert_int_equal(hbk_open(&options, &client, NULL), HBK_OK);
    hbk_status_info status;
    assert_int_equal(hbk_status(client, &status, NULL), HBK_OK);
    assert_int_equal(status.pid, broker.pid);
    hbk_close(client);
}

static hbk_result timed_open(const wchar_t *name, uint64_t *ret_ms)
{
    hbk_open_options options = {.size = sizeof options, .pipe = name, .flags = HBK_OPEN_UNVERIFIED};
    hbk_client *client = NULL;
    options.connect_timeout_ms = TIMEOUT_MS;
    uint64_t start = kit_now_ms();
    hbk_result result = hbk_open(&options, &client, NULL);
    *ret_ms = kit_now_ms() - start;
    assert_null(client);
    return result;
}

static void connect_timeout(void **state)
{
    (void)state;
    uint64_t ms = 0;
    const wchar_t *name = kit_pipe_name();
    assert_int_equal(timed_open(name, &ms), HBK_UNAVAILABLE); /* nobody */
    assert_in_range(ms, 0, TIMEOUT_MS + 2000);
    HANDLE server = fake_server(name, 1);
    assert_int_equal(timed_open(name, &ms), HBK_TIMEOUT); /* somebody who says nothing */
    assert_in_range(ms, TIMEOUT_MS - 50, TIMEOUT_MS + 2000);
    CloseHandle(server);
    name = kit_pipe_name();
    server = fake_server(name, 1);
    HANDLE taken = kit_raw_open(name);
    assert_int_equal(timed_open(name, &ms), HBK_UNAVAILABLE); /* all pipes busy */
    assert_in_range(ms, TIMEOUT_MS - 50, TIMEOUT_MS + 2000);
    CloseHandle(taken);
    CloseHandle(server);
}

/* ---- what it owns ---- */

static void unreceived_items_are_closed_with_it(void **state)
{
    (void)state;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    hbk_client *source = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    kit_mark(&mark, GetCurrentProcessId());
    hbk_client *target = kit_client();
    listen(target, name, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(kit_send(source, name, event, 0, i == 2 ? HBK_ITEM_PROTECT : 0, NULL),
                         HBK_OK);
    kit_close(target);
    kit_unchanged(&mark);
    CloseHandle(event);
}

static void deliveries_outlive_the_client(void **state)
{
    (void)state;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    kit_mark(&mark, GetCurrentProcessId());
    hbk_client *client = kit_client();
    hbk_delivery *delivery = NULL;
    listen(client, name, 0);
    hbk_send_item items[2] = {{.handle = event}, {.handle = event}};
    hbk_send_options send = {.size = sizeof send, .to = name, .items = items, .count = 2};
    assert_int_equal(hbk_send(client, &send, NULL, NULL), HBK_OK);
    assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    kit_close(client);
    assert_string_equal(delivery->endpoint, name);
    assert_string_equal(delivery->from_user, kit_user());
    assert_int_equal(delivery->from_pid, GetCurrentProcessId());
    assert_true(delivery->from_session != 0 && delivery->id != 0);
    HANDLE taken = hbk_delivery_take(delivery, 0);
    assert_non_null(taken);
    assert_null(hbk_delivery_take(delivery, 0));
    assert_null(delivery->items[0].handle);
    assert_null(hbk_delivery_take(delivery, 2));
    HANDLE left = delivery->items[1].handle;
    assert_non_null(left);
    hbk_delivery_free(delivery);
    assert_true(SetEvent(taken)); /* taken: ours */
    assert_true(kit_is_set(event));
    assert_false(
        kit_holds(GetCurrentProcessId(), (uint64_t)(uintptr_t)left)); /* not taken: closed */
    CloseHandle(taken);
    kit_unchanged(&mark);
    CloseHandle(event);
}

/* ---- how it waits ---- */

static void receive_keeps_its_timeout(void **state)
{
    (void)state;
    hbk_client *client = kit_client();
    hbk_delivery *delivery = NULL;
    static const uint32_t timeouts[] = {0, 1, 50, 300};
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
        uint64_t start = kit_now_ms();
        assert_int_equal(hbk_receive(client, timeouts[i], &delivery, NULL), HBK_TIMEOUT);
        uint64_t ms = kit_now_ms() - start;
        assert_in_range(ms + 20, timeouts[i], timeouts[i] + 2000);
    }
    assert_null(delivery);
}

static void the_wait_handle(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *source = kit_client(), *target = kit_client();
    HANDLE event = kit_make(KIT_EVENT), other = kit_make(KIT_EVENT);
    hbk_delivery *delivery = NULL;
    listen(target, name, 0);
    HANDLE both[2] = {other, hbk_wait_handle(target)};
    assert_non_null(both[1]);
    assert_int_equal(hbk_receive(target, 0, &delivery, NULL), HBK_TIMEOUT);
    assert_int_equal(WaitForMultipleObjects(2, both, FALSE, KIT_QUIET_MS), WAIT_TIMEOUT);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i <= round; i++)
            assert_int_equal(kit_send(source, name, event, 0, 0, NULL), HBK_OK);
        int received = 0;
        while (received <= round) {
            assert_int_equal(WaitForMultipleObjects(2, both, FALSE, KIT_WAIT_MS),
                             WAIT_OBJECT_0 + 1);
            while (hbk_receive(target, 0, &delivery, NULL) == HBK_OK) {
                received++;
                hbk_delivery_free(delivery);
            }
        }
        assert_int_equal(received, round + 1);
        assert_int_equal(WaitForMultipleObjects(2, both, FALSE, KIT_QUIET_MS), WAIT_TIMEOUT);
    }
    assert_true(SetEvent(other));
    assert_int_equal(WaitForMultipleObjects(2, both, FALSE, KIT_WAIT_MS), WAIT_OBJECT_0);
    CloseHandle(other);
    CloseHandle(event);
}

/* ---- how it ends ---- */

static void the_broker_dies(void **state)
{
    (void)state;
    struct kit_broker broker;
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_delivery *delivery = NULL;
    hbk_status_info status;
    kit_console_start(&broker, NULL);
    hbk_client *target = kit_client_with(&broker), *source = kit_client_with(&broker);
    listen(target, name, 0);
    assert_int_equal(kit_send(source, name, event, 0, 0, NULL), HBK_OK);
    kit_console_stop(&broker);
    assert_int_equal(WaitForSingleObject(hbk_wait_handle(target), KIT_WAIT_MS), WAIT_OBJECT_0);
    /* First what came before, then the end, and nothing but the end from then on. */
    assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_true(SetEvent(delivery->items[0].handle));
    assert_true(kit_is_set(event));
    hbk_delivery_free(delivery);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &delivery, NULL), HBK_DISCONNECTED);
        assert_int_equal(hbk_status(target, &status, NULL), HBK_DISCONNECTED);
        assert_int_equal(kit_send(source, name, event, 0, 0, NULL), HBK_DISCONNECTED);
        assert_int_equal(kit_send(source, name, event, 0, HBK_ITEM_MOVE, NULL), HBK_DISCONNECTED);
        assert_int_equal(WaitForSingleObject(hbk_wait_handle(target), 0), WAIT_OBJECT_0);
    }
    assert_true(CloseHandle(event)); /* moved handles stay open where it is not known */
}

/* ---- looking ---- */

static void lists_what_is_open(void **state)
{
    (void)state;
    hbk_client *client = kit_client();
    static char names[70][64];
    hbk_endpoint_entries *entries = NULL;
    hbk_client *more = kit_client(); /* 64 endpoints a session: 70 are two sessions and two pages */
    for (int i = 0; i < 70; i++) {
        (void)snprintf(names[i], sizeof names[i], "%s", kit_endpoint_name());
        listen(i < 60 ? client : more, names[i], i == 69 ? HBK_ENDPOINT_ASK : 0);
    }
    assert_int_equal(hbk_endpoint_list(client, &entries, NULL), HBK_OK);
    assert_int_equal(entries->count, 71); /* the observer's too */
    for (int i = 0; i < 70; i++) {
        size_t found = 0;
        for (size_t k = 0; k < entries->count; k++) {
            if (strcmp(entries->entries[k].name, names[i]) != 0)
                continue;
            found++;
            assert_int_equal(entries->entries[k].pid, GetCurrentProcessId());
            assert_int_equal(entries->entries[k].ask, i == 69);
            assert_int_equal(strncmp(entries->entries[k].user, "S-1-", 4), 0);
        }
        assert_int_equal(found, 1);
    }
    hbk_endpoint_entries_free(entries);
}

static void status_counts(void **state)
{
    (void)state;
    hbk_status_info before, after;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    assert_int_equal(hbk_status(client, &before, NULL), HBK_OK);
    kit_serve_second();
    assert_int_equal(kit_send(client, "user/test/nobody", event, 0, 0, NULL), HBK_NOT_FOUND);
    assert_int_equal(hbk_status(client, &after, NULL), HBK_OK);
    assert_string_equal(after.state, "running");
    assert_int_equal(after.pid, kit_broker()->pid);
    assert_int_equal(after.delivered, before.delivered + 1);
    assert_int_equal(after.failed, before.failed + 1);
    assert_true(after.uptime_ms >= before.uptime_ms);
    assert_string_equal(after.server_version, hbk_version());
    CloseHandle(event);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(arguments_of_open),
        KIT_TEST(arguments_of_send),
        KIT_TEST(arguments_of_the_rest),
        KIT_TEST(words_for_every_result),
        KIT_TEST(a_fake_server_gets_not_one_byte),
        KIT_TEST(a_console_broker_only_when_told),
        KIT_TEST(connect_timeout),
        KIT_TEST(unreceived_items_are_closed_with_it),
        KIT_TEST(deliveries_outlive_the_client),
        KIT_TEST(receive_keeps_its_timeout),
        KIT_TEST(the_wait_handle),
        KIT_TEST(the_broker_dies),
        KIT_TEST(lists_what_is_open),
        KIT_TEST(status_counts),
    };
    return cmocka_run_group_tests_name("client", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
