/* That nothing is left of a hand-off, however many there were.
 *
 *     soak [HAND_OFFS]                  20,000, if nothing is said
 *
 * A pair of processes hands an event over, AT_ONCE at any time. Handles and private bytes of the service, the
 * target and the source are looked at after the first FIRST and after all of them, each time when everything is at
 * rest. It fails if there are more handles, or more memory than a heap's whim. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST 1000
#define AT_ONCE 16
#define OPEN_MS 10000u
#define STEPS 10 /* lines printed on the way */
/* By so little a heap grows at least; of 20,000 hand-offs it is three bytes each. */
#define BYTES_SPARE (64ull * 1024)

static size_t hand_offs = 20000;
static char to_use[64], to_stop[64];

/* ---- the target: a process of its own, until it is sent something at its second endpoint ---- */

static int target_main(const char *name, const char *stop)
{
    hbk_client *client = NULL;
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
    hbk_endpoint_options end = {.size = sizeof end, .name = stop};
    hbk_delivery *delivery = NULL;
    bool stopped = false;
    if (hbk_open(NULL, &client, NULL) != HBK_OK ||
        hbk_endpoint_open(client, &endpoint, NULL) != HBK_OK ||
        hbk_endpoint_open(client, &end, NULL) != HBK_OK)
        return 1;
    while (!stopped && hbk_receive(client, INFINITE, &delivery, NULL) == HBK_OK) {
        stopped = strcmp(delivery->endpoint, stop) == 0;
        SetEvent(delivery->items[0].handle);
        hbk_delivery_free(delivery);
    }
    hbk_close(client);
    return stopped ? 0 : 1;
}

/* ---- the source: threads that share a client ---- */

struct sender {
    hbk_client *client;
    HANDLE event, go, done;
    size_t count; /* of the piece at work; 0: no more */
    size_t failed;
};

/* Not the main thread, so nothing here asserts. */
static bool hand_over(const struct sender *sender)
{
    hbk_send_item item = {.handle = sender->event};
    hbk_send_options send = {.size = sizeof send, .to = to_use, .items = &item, .count = 1};
    return hbk_send(sender->client, &send, NULL, NULL) == HBK_OK &&
           WaitForSingleObject(sender->event, KIT_WAIT_MS) == WAIT_OBJECT_0;
}

static DWORD WINAPI send_main(void *argument)
{
    struct sender *sender = argument;
    while (WaitForSingleObject(sender->go, INFINITE) == WAIT_OBJECT_0 && sender->count > 0) {
        for (size_t i = 0; i < sender->count; i++)
            sender->failed += !hand_over(sender);
        SetEvent(sender->done);
    }
    return 0;
}

static HANDLE new_event(void)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    assert_non_null(event);
    return event;
}

static void start_senders(struct sender *senders, HANDLE *ret_threads, hbk_client *client)
{
    for (size_t i = 0; i < AT_ONCE; i++) {
        senders[i] = (struct sender){
            .client = client, .event = new_event(), .go = new_event(), .done = new_event()};
        ret_threads[i] = CreateThread(NULL, 0, send_main, &senders[i], 0, NULL);
        assert_non_null(ret_threads[i]);
    }
}

static void run_piece(struct sender *senders, size_t count)
{
    for (size_t i = 0; i < AT_ONCE; i++) {
        senders[i].count = count / AT_ONCE + (i < count % AT_ONCE);
        if (senders[i].count > 0)
            SetEvent(senders[i].go);
    }
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (senders[i].count > 0)
            assert_int_equal(WaitForSingleObject(senders[i].done, INFINITE), WAIT_OBJECT_0);
        if (senders[i].failed > 0)
            fail_msg("%lu hand-offs of a thread failed", (unsigned long)senders[i].failed);
    }
}

static void stop_senders(struct sender *senders, HANDLE *threads)
{
    for (size_t i = 0; i < AT_ONCE; i++) {
        senders[i].count = 0;
        SetEvent(senders[i].go);
    }
    assert_true(WaitForMultipleObjects(AT_ONCE, threads, TRUE, KIT_WAIT_MS) < AT_ONCE);
    for (size_t i = 0; i < AT_ONCE; i++) {
        CloseHandle(threads[i]);
        CloseHandle(senders[i].event);
        CloseHandle(senders[i].go);
        CloseHandle(senders[i].done);
    }
}

/* ---- what they have ---- */

enum who { SERVICE, TARGET, SOURCE, WHO_COUNT };
static const char *const names[WHO_COUNT] = {"service", "target", "source"};

struct look {
    uint32_t handles[WHO_COUNT];
    uint64_t bytes[WHO_COUNT];
};

static struct look look(DWORD target)
{
    const DWORD pids[WHO_COUNT] = {kit_broker()->pid, target, GetCurrentProcessId()};
    struct look now;
    struct kit_mark rest;
    kit_mark(&rest, target); /* until the service has closed what it still had to */
    for (size_t i = 0; i < WHO_COUNT; i++) {
        now.handles[i] = kit_handles_at_rest(pids[i]);
        now.bytes[i] = kit_private_bytes(pids[i]);
    }
    return now;
}

static void print_look(size_t done, double seconds, const struct look *look)
{
    print_message("  %8lu %7.1f s", (unsigned long)done, seconds);
    for (size_t i = 0; i < WHO_COUNT; i++)
        print_message("   %s %lu handles %llu bytes", names[i], (unsigned long)look->handles[i],
                      (unsigned long long)look->bytes[i]);
    print_message("\n");
}

static void compare_looks(const struct look *first, const struct look *last)
{
    for (size_t i = 0; i < WHO_COUNT; i++) {
        print_message("figure soak_%s_handles_more %ld\n", names[i],
                      (long)last->handles[i] - (long)first->handles[i]);
        print_message("figure soak_%s_bytes_more %lld\n", names[i],
                      (long long)last->bytes[i] - (long long)first->bytes[i]);
    }
    for (size_t i = 0; i < WHO_COUNT; i++) {
        if (last->handles[i] != first->handles[i])
            fail_msg("the %s had %lu handles and has %lu", names[i],
                     (unsigned long)first->handles[i], (unsigned long)last->handles[i]);
        if (last->bytes[i] > first->bytes[i] + BYTES_SPARE)
            fail_msg("the %s had %llu private bytes and has %llu", names[i],
                     (unsigned long long)first->bytes[i], (unsigned long long)last->bytes[i]);
    }
}

/* ---- the test ---- */

static void nothing_is_left(void **state)
{
    (void)state;
    struct sender senders[AT_ONCE];
    HANDLE threads[AT_ONCE];
    wchar_t arguments[160];
    DWORD pid = 0;
    (void)snprintf(to_use, sizeof to_use, "%s", kit_endpoint_name());
    (void)snprintf(to_stop, sizeof to_stop, "%s", kit_endpoint_name());
    assert_true(swprintf(arguments, sizeof arguments / sizeof *arguments, L"--target %hs %hs",
                         to_use, to_stop) > 0);
    HANDLE target = measure_start_self(arguments, &pid);
    hbk_client *client = kit_client();
    HANDLE event = new_event();
    measure_hand_over(client, to_use, event, OPEN_MS);
    start_senders(senders, threads, client);
    double begin = measure_now_us();
    run_piece(senders, FIRST - 1);
    struct look first = look(pid), last = first;
    print_look(FIRST, (measure_now_us() - begin) / 1e6, &first);
    for (size_t step = 0, done = FIRST; step < STEPS; step++) {
        size_t until = FIRST + (hand_offs - FIRST) * (step + 1) / STEPS;
        run_piece(senders, until - done);
        done = until;
        last = look(pid);
        print_look(done, (measure_now_us() - begin) / 1e6, &last);
    }
    compare_looks(&first, &last);
    stop_senders(senders, threads);
    measure_hand_over(client, to_stop, event, 0);
    assert_int_equal(kit_wait_exit(target, KIT_WAIT_MS), 0);
    kit_forget(target);
    CloseHandle(event);
    kit_close(client);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {KIT_TEST(nothing_is_left)};
    return cmocka_run_group_tests_name("soak", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--target") == 0)
        return target_main(argv[2], argv[3]);
    if (argc == 2 && argv[1][0] != '-') {
        hand_offs = strtoul(argv[1], NULL, 10);
        if (hand_offs <= FIRST)
            return 2;
    }
    return kit_main(argc, argv, group);
}
