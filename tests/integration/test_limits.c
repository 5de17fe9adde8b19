/* What a client may hold, and what it is told at the limit. The broker is one of the console, with small
 * limits. A limit that is reached harms nobody else, and is given back. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

#define SESSIONS 6
#define SESSIONS_DEFAULT 2048
#define REQUESTS 4
#define ENDPOINTS 3
#define PINS 5
#define PENDING 2

static void is_limit(const struct kit_raw *raw, int code, const char *id, const char *limit)
{
    char found[64] = "";
    kit_raw_is_error(raw, code, id);
    if (!kit_json_text(raw->line, "limit", found, sizeof found) || strcmp(found, limit) != 0)
        fail_msg("limit %s expected: %s", limit, raw->line);
}

static void sessions(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_client *clients[SESSIONS], *one_more = NULL;
    hbk_open_options options = {.size = sizeof options, .flags = HBK_OPEN_UNVERIFIED};
    hbk_error_info error = {.result = HBK_OK};
    options.pipe = kit_broker()->pipe;
    for (int i = 1; i < SESSIONS; i++) /* the observer has one */
        clients[i] = kit_client();
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_QUOTA, hbk_open(&options, &one_more, &error));
    assert_null(one_more);
    assert_string_equal(error.limit, "sessions_per_user");
    struct kit_raw *raw = kit_raw_new();
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    is_limit(raw, HBK_QUOTA, "null", "sessions_per_user");
    assert_true(kit_raw_ended(raw, KIT_WAIT_MS));
    kit_raw_free(raw);
    kit_unchanged(&mark);
    kit_close(clients[1]); /* and with one less there is room again */
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; kit_now_ms() < end; Sleep(5)) {
        if (hbk_open(&options, &one_more, &error) == HBK_OK)
            break;
    }
    assert_non_null(one_more);
    hbk_close(one_more);
}

static void say_send(struct kit_raw *raw, int id, const char *name, HANDLE event, int count,
                     uint32_t wait_ms)
{
    char items[512] = "";
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += (size_t)snprintf(items + size, sizeof items - size, "%s{\"handle\":%llu}",
                                 i > 0 ? "," : "", (unsigned long long)(uintptr_t)event);
    kit_raw_say(
        raw,
        "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"handle.send\",\"params\":{\"to\":\"%s\","
        "\"items\":[%s],\"wait_ms\":%lu}}",
        id, name, items, (unsigned long)wait_ms);
}

static void requests(void **state)
{
    (void)state;
    struct kit_mark mark;
    HANDLE event = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name();
    struct kit_raw *raw = kit_raw_proven();
    kit_mark(&mark, GetCurrentProcessId());
    for (int i = 0; i < REQUESTS; i++)
        say_send(raw, 10 + i, name, event, 1, 1000);
    say_send(raw, 20, name, event, 1, 1000);
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    is_limit(raw, HBK_QUOTA, "20", "requests");
    kit_serve_second();
    for (int i = 0; i < REQUESTS; i++) {
        assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
        int64_t code = 0;
        assert_true(kit_json_number(raw->line, "code", &code) && code == HBK_TIMEOUT);
    }
    kit_unchanged(&mark);
    CloseHandle(event);
}

static void pins(void **state)
{
    (void)state;
    struct kit_mark mark;
    HANDLE event = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name();
    struct kit_raw *raw = kit_raw_proven();
    kit_mark(&mark, GetCurrentProcessId());
    say_send(raw, 10, name, event, PINS - 1, 1000);
    say_send(raw, 11, name, event, 2, 1000);
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    is_limit(raw, HBK_QUOTA, "11", "pins");
    hbk_status_info status;
    kit_status(&status);
    assert_int_equal(status.pins,
                     mark.status.pins + PINS - 1); /* of the one that was refused, none */
    kit_serve_second();
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    kit_raw_is_error(raw, HBK_TIMEOUT, "10");
    kit_unchanged(&mark);
    CloseHandle(event);
}

static void endpoints(void **state)
{
    (void)state;
    struct kit_mark mark;
    const char *first = kit_endpoint_name(), *name = first;
    hbk_client *client = kit_client();
    hbk_error_info error = {.result = HBK_OK};
    hbk_endpoint_options endpoint = {.size = sizeof endpoint};
    for (int i = 0; i < ENDPOINTS; i++, name = kit_endpoint_name()) {
        endpoint.name = name;
        assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
    }
    kit_mark(&mark, GetCurrentProcessId());
    endpoint.name = name;
    KIT_REFUSED(&mark, HBK_QUOTA, hbk_endpoint_open(client, &endpoint, &error));
    assert_string_equal(error.limit, "endpoints");
    assert_int_equal(hbk_endpoint_close(client, first, NULL), HBK_OK);
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
}

/* Of four places one user has two: half of what is left. */
static void pending(void **state)
{
    (void)state;
    struct kit_mark mark;
    HANDLE event = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name();
    hbk_client *target = kit_client();
    hbk_endpoint_options endpoint = {
        .size = sizeof endpoint, .name = name, .flags = HBK_ENDPOINT_ASK};
    assert_int_equal(hbk_endpoint_open(target, &endpoint, NULL), HBK_OK);
    struct kit_raw *raw = kit_raw_proven();
    kit_mark(&mark, GetCurrentProcessId());
    for (int i = 0; i < PENDING; i++)
        say_send(raw, 10 + i, name, event, 1, 0);
    say_send(raw, 20, name, event, 1, 0);
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    kit_raw_is_error(raw, HBK_BUSY, "20");
    for (int i = 0; i < PENDING; i++) {
        hbk_delivery *offer = NULL;
        assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &offer, NULL), HBK_OK);
        assert_int_equal(hbk_reject(target, offer, NULL, NULL), HBK_OK);
        hbk_delivery_free(offer);
        assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    }
    kit_unchanged(&mark);
    CloseHandle(event);
}

/* With the limits that are built in. The pipes say nothing, so the broker that they are of is patient. */
static void as_many_sessions_as_a_user_may_have(void **state)
{
    (void)state;
    static HANDLE pipes[SESSIONS_DEFAULT];
    struct kit_broker broker;
    hbk_status_info status;
    int64_t most = 0;
    kit_console_start(&broker, "{\"limits\": {\"hello_ms\": 60000}}");
    hbk_client *client = kit_client_with(&broker);
    struct kit_raw *raw = kit_raw_with(&broker);
    kit_raw_hello(raw, false);
    assert_true(kit_json_number(raw->line, "sessions_per_user", &most));
    assert_int_equal(most, SESSIONS_DEFAULT);
    assert_int_equal(hbk_status(client, &status, NULL), HBK_OK);
    assert_int_equal(status.sessions, 2);
    uint32_t before = kit_handles_at_rest(broker.pid);
    for (int i = 2; i < SESSIONS_DEFAULT; i++) {
        pipes[i] = kit_raw_open(broker.pipe);
        assert_true(pipes[i] != INVALID_HANDLE_VALUE);
    }
    struct kit_raw *refused = kit_raw_with(&broker);
    assert_int_equal(kit_raw_next(refused, KIT_WAIT_MS), KIT_RAW_LINE);
    is_limit(refused, HBK_QUOTA, "null", "sessions_per_user");
    assert_true(kit_raw_ended(refused, KIT_WAIT_MS));
    kit_raw_free(refused);
    assert_int_equal(hbk_status(client, &status, NULL), HBK_OK);
    assert_int_equal(status.sessions, SESSIONS_DEFAULT);
    for (int i = 2; i < SESSIONS_DEFAULT; i++)
        CloseHandle(pipes[i]);
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; status.sessions > 2; Sleep(20)) {
        assert_true(kit_now_ms() < end);
        assert_int_equal(hbk_status(client, &status, NULL), HBK_OK);
    }
    kit_handles_at_most(broker.pid, before);
    kit_raw_free(raw);
    kit_close(client);
    kit_console_stop(&broker);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(sessions),  KIT_TEST(requests), KIT_TEST(pins),
        KIT_TEST(endpoints), KIT_TEST(pending),  KIT_TEST(as_many_sessions_as_a_user_may_have),
    };
    kit_items_max(1);
    kit_config =
        "{\"limits\": {\"sessions_per_user\": 6, \"requests_per_session\": 4, "
        "\"endpoints_per_session\": 3, \"pins_per_session\": 5, \"pending_per_endpoint\": 4}}";
    return cmocka_run_group_tests_name("limits", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
