/* Deliveries that are not told yet, by a sender that has several requests in flight: what is offered and what waits can
 * be taken back, and what was accepted as anything that was agreed. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

/* The value is no handle of the target's. For a moment the system itself may have it, for a wait. */
static void closed_there(struct kit_peer *target, uint64_t value)
{
    uint64_t due = kit_now_ms() + KIT_WAIT_MS;
    while (kit_peer_do(target, KIT_OP_FLAGS, value, 0, NULL) != ERROR_INVALID_HANDLE) {
        if (kit_now_ms() > due)
            fail_msg("%llu is open still", (unsigned long long)value);
        Sleep(10);
    }
}

/* The number of the only delivery that @raw has under way. */
static uint64_t under_way(struct kit_raw *raw)
{
    int64_t number = 0;
    kit_raw_ask(raw, "%s",
                "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"delivery.list\",\"params\":{}}");
    kit_raw_is_result(raw, "8");
    assert_true(kit_json_number(raw->line, "delivery", &number));
    return (uint64_t)number;
}

static void say_send(struct kit_raw *raw, const char *name, HANDLE event, uint32_t wait_ms)
{
    kit_raw_say(raw,
                "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"handle.send\",\"params\":{\"to\":"
                "\"%s\",\"items\":[{\"handle\":%llu}],\"wait_ms\":%lu,\"timeout_ms\":60000}}",
                name, (unsigned long long)(uintptr_t)event, (unsigned long)wait_ms);
}

/* @raw takes back what it has under way: its send ends, and the taking back succeeds. */
static void takes_back(struct kit_raw *raw, uint64_t delivery)
{
    kit_raw_say(raw,
                "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"delivery.revoke\",\"params\":"
                "{\"delivery\":%llu}}",
                (unsigned long long)delivery);
    kit_raw_answer(raw);
    kit_raw_is_error(raw, HBK_REJECTED, "7");
    kit_raw_answer(raw);
    kit_raw_is_result(raw, "9");
    assert_non_null(strstr(raw->line, "\"closed\":[]"));
}

static void offers(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    kit_peer_listen(&target, name, HBK_ENDPOINT_ASK);
    assert_int_equal(kit_peer_do(&target, KIT_OP_NOTICE, 0, 0, NULL), HBK_TIMEOUT);
    kit_mark(&mark, target.pid);
    /* Seen by the target's program, and too late for it. */
    say_send(raw, name, event, 0);
    assert_int_equal(kit_peer_do(&target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    uint64_t delivery = under_way(raw);
    assert_int_equal(target.reply.delivery, delivery);
    takes_back(raw, delivery);
    assert_int_equal(kit_peer_do(&target, KIT_OP_NOTICE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    assert_int_equal(target.reply.value, HBK_NOTIFICATION_REVOKED);
    assert_int_equal(target.reply.delivery, delivery);
    assert_int_equal(target.reply.closed, 0);
    assert_int_equal(kit_peer_do(&target, KIT_OP_ACCEPT, 0, 0, NULL), HBK_NOT_FOUND);
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_unchanged(&mark);
    CloseHandle(event);
    kit_peer_stop(&target);
}

/* One that was accepted is like any other that was agreed. */
static void what_was_accepted(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    kit_peer_listen(&target, name, HBK_ENDPOINT_ASK | HBK_ENDPOINT_REVOCABLE);
    kit_mark(&mark, target.pid);
    kit_raw_say(raw,
                "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"handle.send\",\"params\":{\"to\":"
                "\"%s\",\"items\":[{\"handle\":%llu}],\"revocable\":true}}",
                name, (unsigned long long)(uintptr_t)event);
    assert_int_equal(kit_peer_do(&target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    assert_int_equal(kit_peer_do(&target, KIT_OP_ACCEPT, 0, 0, NULL), HBK_OK);
    uint64_t value = target.reply.items[0].handle, delivery = target.reply.delivery;
    kit_raw_answer(raw);
    kit_raw_is_result(raw, "7");
    assert_int_equal(under_way(raw), delivery);
    kit_raw_ask(raw,
                "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"delivery.revoke\",\"params\":"
                "{\"delivery\":%llu}}",
                (unsigned long long)delivery);
    kit_raw_is_result(raw, "9");
    assert_non_null(strstr(raw->line, "\"closed\":[0]"));
    closed_there(&target, value);
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_unchanged(&mark);
    CloseHandle(event);
    kit_peer_stop(&target);
}

/* Nobody has heard of it. */
static void what_waits(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    kit_peer_open(&target);
    kit_mark(&mark, target.pid);
    say_send(raw, name, event, 60000);
    takes_back(raw, under_way(raw));
    kit_unchanged(&mark);
    (void)snprintf(target.call.name, sizeof target.call.name, "%s", name);
    assert_int_equal(kit_peer_do(&target, KIT_OP_ENDPOINT, 0, 0, NULL), HBK_OK);
    kit_peer_quiet(&target);
    CloseHandle(event);
    kit_peer_stop(&target);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(offers),
        KIT_TEST(what_was_accepted),
        KIT_TEST(what_waits),
    };
    return cmocka_run_group_tests_name("revoke_pending", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
