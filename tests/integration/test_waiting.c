/* Sends that wait for their endpoint, and the order in which sends arrive. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENDS 8

static void make_event(struct kit_peer *source)
{
    assert_int_equal(kit_peer_do(source, KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
    source->call.items[0].handle = source->reply.value;
}

static void listen(hbk_client *client, const char *name)
{
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
}

static void opened_late(void **state)
{
    (void)state;
    struct kit_peer source;
    const char *name = kit_endpoint_name();
    hbk_client *target = kit_client();
    kit_peer_open(&source);
    make_event(&source);
    uint64_t event = source.call.items[0].handle;
    kit_peer_send_begin(&source, name, 1, 2 * KIT_WAIT_MS, 0);
    assert_false(kit_peer_end(&source, KIT_QUIET_MS)); /* it waits */
    listen(target, name);
    assert_true(kit_peer_end(&source, KIT_WAIT_MS));
    assert_int_equal(source.reply.result, HBK_OK);
    hbk_delivery *delivery = NULL;
    assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_true(SetEvent(delivery->items[0].handle));
    assert_int_equal(kit_peer_do(&source, KIT_OP_WAIT, event, 0, NULL), 0);
    hbk_delivery_free(delivery);
}

static void never_opened(void **state)
{
    (void)state;
    struct kit_peer source;
    struct kit_mark mark;
    kit_peer_open(&source);
    make_event(&source);
    uint64_t event = source.call.items[0].handle;
    kit_mark(&mark, source.pid);
    for (uint32_t wait_ms = 1; wait_ms <= 301; wait_ms += 300) {
        uint64_t start = kit_now_ms();
        source.call.items[0].handle = event;
        kit_peer_send_begin(&source, kit_endpoint_name(), 1, wait_ms, 0);
        assert_true(kit_peer_end(&source, KIT_WAIT_MS));
        assert_int_equal(source.reply.result, HBK_TIMEOUT);
        assert_in_range(kit_now_ms() - start, wait_ms > 20 ? wait_ms - 20 : 0, wait_ms + 3000);
        kit_unchanged(&mark);
    }
}

static void sender_killed_while_it_waits(void **state)
{
    (void)state;
    struct kit_peer source;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    hbk_client *target = kit_client();
    kit_mark(&mark, GetCurrentProcessId());
    kit_peer_open(&source);
    make_event(&source);
    kit_peer_send_begin(&source, name, 1, 3 * KIT_WAIT_MS, 0);
    assert_false(kit_peer_end(&source, KIT_QUIET_MS));
    kit_peer_kill(&source);
    kit_unchanged(&mark); /* the pin too */
    listen(target, name);
    hbk_delivery *delivery = NULL;
    assert_int_equal(hbk_receive(target, KIT_QUIET_MS, &delivery, NULL), HBK_TIMEOUT);
    assert_int_equal(hbk_endpoint_close(target, name, NULL), HBK_OK);
}

/* An endpoint of the name, but not the one that the sender expects: as if there were none. */
static void waits_for_the_one_expected(void **state)
{
    (void)state;
    struct kit_peer source;
    const char *name = kit_endpoint_name();
    hbk_client *target = kit_client();
    kit_peer_open(&source);
    make_event(&source);
    listen(target, name);
    source.call.a[2] = source.pid; /* nobody listens there */
    kit_peer_send_begin(&source, name, 1, KIT_QUIET_MS, 0);
    assert_true(kit_peer_end(&source, KIT_WAIT_MS));
    assert_int_equal(source.reply.result, HBK_TIMEOUT);
    hbk_delivery *delivery = NULL;
    assert_int_equal(hbk_receive(target, 0, &delivery, NULL), HBK_TIMEOUT);
}

static void say_send(struct kit_raw *source, int id, const char *name, HANDLE event,
                     uint32_t wait_ms)
{
    kit_raw_say(
        source,
        "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"handle.send\",\"params\":{\"to\":\"%s\","
        "\"items\":[{\"handle\":%llu}],\"data\":\"%d\",\"wait_ms\":%lu}}",
        id, name, (unsigned long long)(uintptr_t)event, id, (unsigned long)wait_ms);
}

static void receive_in_order(hbk_client *target, int first, int count)
{
    for (int i = 0; i < count; i++) {
        hbk_delivery *delivery = NULL;
        assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
        assert_int_equal(strtol(delivery->data, NULL, 10), first + i);
        hbk_delivery_free(delivery);
    }
}

static void waiting_sends_keep_their_order(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *target = kit_client();
    struct kit_raw *source = kit_raw_proven();
    HANDLE event = kit_make(KIT_EVENT);
    for (int i = 0; i < SENDS; i++)
        say_send(source, 10 + i, name, event, 2 * KIT_WAIT_MS);
    assert_int_equal(kit_raw_next(source, KIT_QUIET_MS), KIT_RAW_TIMEOUT);
    listen(target, name);
    receive_in_order(target, 10, SENDS);
    for (int i = 0; i < SENDS; i++) {
        assert_int_equal(kit_raw_next(source, KIT_WAIT_MS), KIT_RAW_LINE);
        assert_non_null(strstr(source->line, "\"result\""));
    }
    CloseHandle(event);
}

/* A later one that would not wait goes behind the earlier ones all the same. */
static void a_later_send_overtakes_none(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *target = kit_client();
    struct kit_raw *source = kit_raw_proven();
    HANDLE event = kit_make(KIT_EVENT);
    say_send(source, 10, name, event, 2 * KIT_WAIT_MS);
    say_send(source, 11, name, event, 2 * KIT_WAIT_MS);
    assert_int_equal(kit_raw_next(source, KIT_QUIET_MS), KIT_RAW_TIMEOUT);
    listen(target, name);
    say_send(source, 12, name, event, 0);
    say_send(source, 13, name, event, 100);
    receive_in_order(target, 10, 4);
    CloseHandle(event);
}

/* Request @i of three kinds in turn: a send, a send to nobody, a question. Return: its size. */
static size_t put_request(char *text, size_t size, int i, const char *name, HANDLE event)
{
    if (i % 3 == 2)
        return (size_t)snprintf(
            text, size, "{\"jsonrpc\":\"2.0\",\"id\":\"r%d\",\"method\":\"broker.status\"}\n", i);
    return (size_t)snprintf(
        text, size,
        "{\"jsonrpc\":\"2.0\",\"id\":\"r%d\",\"method\":\"handle.send\",\"params\":"
        "{\"to\":\"%s\",\"items\":[{\"handle\":%llu}],\"data\":\"%d\"}}\n",
        i, i % 3 == 1 ? "user/test/nobody" : name, (unsigned long long)(uintptr_t)event, i);
}

static void pipelined(void **state)
{
    (void)state;
    enum { REQUESTS = 48 };
    bool answered[REQUESTS] = {false};
    const char *name = kit_endpoint_name();
    hbk_client *target = kit_client();
    struct kit_raw *source = kit_raw_proven();
    HANDLE event = kit_make(KIT_EVENT);
    listen(target, name);
    /* All of them in one write, statuses and errors among them. */
    static char lines[KIT_LINE_BYTES];
    size_t size = 0;
    for (int i = 0; i < REQUESTS; i++)
        size += put_request(lines + size, sizeof lines - size, i, name, event);
    assert_true(kit_raw_write(source, lines, size, KIT_WAIT_MS));
    for (int i = 0; i < REQUESTS; i++) {
        char id[16];
        assert_int_equal(kit_raw_next(source, KIT_WAIT_MS), KIT_RAW_LINE);
        assert_true(kit_json_text(source->line, "id", id, sizeof id) && id[0] == 'r');
        long number = strtol(id + 1, NULL, 10);
        assert_in_range(number, 0, REQUESTS - 1);
        assert_false(answered[number]); /* exactly once */
        answered[number] = true;
        int64_t code = 0;
        bool error = kit_json_number(source->line, "code", &code);
        assert_int_equal(code, number % 3 == 1 ? HBK_NOT_FOUND : 0);
        assert_int_equal(error, number % 3 == 1);
    }
    for (int i = 0; i < REQUESTS; i += 3) {
        hbk_delivery *delivery = NULL;
        assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
        assert_int_equal(strtol(delivery->data, NULL, 10), i);
        hbk_delivery_free(delivery);
    }
    CloseHandle(event);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(opened_late),
        KIT_TEST(never_opened),
        KIT_TEST(sender_killed_while_it_waits),
        KIT_TEST(waits_for_the_one_expected),
        KIT_TEST(waiting_sends_keep_their_order),
        KIT_TEST(a_later_send_overtakes_none),
        KIT_TEST(pipelined),
    };
    return cmocka_run_group_tests_name("waiting", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
