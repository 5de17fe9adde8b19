/* S's half of the product, through the public header: hbk_send(), and then T's signal. */
#include "bench.h"

#include "handlebroker.h"

static hbk_client *client;
static HANDLE kept_signal;

static void check(hbk_result result, const hbk_error_info *error, const char *what)
{
    if (result != HBK_OK) {
        bench_fail(error->win32, "source: %s: %s: %s", what, hbk_result_word(result),
                   error->detail);
    }
}

static void send_items(const char *to, const hbk_send_item *items, size_t count, uint32_t wait_ms)
{
    hbk_error_info error;
    const hbk_send_options options = {
        .size = sizeof options, .to = to, .items = items, .count = count, .wait_ms = wait_ms};
    check(hbk_send(client, &options, NULL, &error), &error, to);
}

void handoff_start(void)
{
    hbk_error_info error;
    bench_start(L"bench_handoff.exe", L"");
    check(hbk_open(NULL, &client, &error), &error, "hbk_open");
}

void handoff_setup(HANDLE signal)
{
    const hbk_send_item item = {.handle = signal};
    kept_signal = signal;
    send_items(BENCH_ENDPOINT_SETUP, &item, 1, BENCH_WAIT_MS);
}

void handoff_event(HANDLE event)
{
    const hbk_send_item item = {.handle = event};
    send_items(BENCH_ENDPOINT_EVENT, &item, 1, 0);
    bench_wait(event);
}

void handoff_file(HANDLE file)
{
    const hbk_send_item item = {.handle = file};
    send_items(BENCH_ENDPOINT_FILE, &item, 1, 0);
    bench_wait(kept_signal);
}

int64_t handoff_batch(const HANDLE events[BENCH_BATCH], int64_t *ret_send_ticks)
{
    hbk_send_item items[BENCH_BATCH] = {{0}};
    for (size_t i = 0; i < BENCH_BATCH; i++) {
        items[i].handle = events[i];
    }
    int64_t start = bench_ticks();
    send_items(BENCH_ENDPOINT_BATCH, items, BENCH_BATCH, 0);
    *ret_send_ticks = bench_ticks() - start;
    bench_wait(kept_signal);
    return bench_ticks() - start;
}

/* One of those who send at the same time. */
struct sender {
    HANDLE event;
    HANDLE ready;
    HANDLE go;
    size_t count;
};

static DWORD WINAPI send_many(void *argument)
{
    const struct sender *sender = argument;
    bench_mark("thread source");
    bench_check(SetEvent(sender->ready), "SetEvent");
    bench_wait(sender->go);
    for (size_t i = 0; i < sender->count; i++) {
        handoff_event(sender->event);
    }
    return 0;
}

int64_t handoff_outstanding(const HANDLE events[BENCH_OUTSTANDING], size_t count)
{
    struct sender senders[BENCH_OUTSTANDING];
    HANDLE threads[BENCH_OUTSTANDING];
    HANDLE ready = bench_event();
    HANDLE go = CreateEventW(NULL, TRUE, FALSE, NULL);
    bench_check(go != NULL, "CreateEvent");
    for (size_t i = 0; i < BENCH_OUTSTANDING; i++) {
        senders[i] = (struct sender){events[i], ready, go, count / BENCH_OUTSTANDING};
        threads[i] = CreateThread(NULL, 0, send_many, &senders[i], 0, NULL);
        bench_check(threads[i] != NULL, "CreateThread");
        bench_wait(ready);
    }
    int64_t start = bench_ticks();
    bench_check(SetEvent(go), "SetEvent");
    DWORD result = WaitForMultipleObjects(BENCH_OUTSTANDING, threads, TRUE, BENCH_WAIT_MS);
    int64_t ticks = bench_ticks() - start;
    if (result >= BENCH_OUTSTANDING) {
        bench_fail(0, "%d threads that send do not end", BENCH_OUTSTANDING);
    }
    for (size_t i = 0; i < BENCH_OUTSTANDING; i++) {
        CloseHandle(threads[i]);
    }
    CloseHandle(ready);
    CloseHandle(go);
    return ticks;
}

void handoff_stop(void)
{
    hbk_close(client);
    client = NULL;
}
