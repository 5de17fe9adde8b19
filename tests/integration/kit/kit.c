/* The program of a test, its fixtures, and the mark that a test must come back to. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 512
#define WARM_UP_ROUNDS 3

const char *kit_config;

static struct {
    struct kit_broker broker;
    bool console;
    bool console_always;  /* "--console": so that its log can be seen */
    hbk_client *observer; /* is always there, so that what it costs is in every mark */
    char observer_endpoint[64];
    hbk_client *clients[CLIENTS_MAX];
    struct kit_mark begin;
    size_t items; /* at most in one send to this broker */
} kit = {.items = HBK_ITEMS_MAX};

int kit_main(int argc, char **argv, int (*group)(void))
{
    if (argc == 3 && strcmp(argv[1], "--peer") == 0)
        return kit_peer_main(argv[2]);
    if (argc == 3 && strcmp(argv[1], "--set-event") == 0)
        return SetEvent((HANDLE)(uintptr_t)strtoull(argv[2], NULL, 10)) ? 0 : 1;
    if (argc == 3 && strcmp(argv[1], "--peers") == 0)
        kit_peer_program(argv[2]);
    kit.console_always = argc == 2 && strcmp(argv[1], "--console") == 0;
    setvbuf(stdout, NULL, _IONBF, 0);
    setvbuf(stderr, NULL, _IONBF, 0);
    int failed = group();
    kit_temp_end();
    return failed;
}

void kit_skip(const char *why)
{
    print_message("skipped: %s\n", why);
    skip();
}

uint64_t kit_now_ms(void)
{
    return GetTickCount64();
}

bool kit_is_wine(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
}

uint32_t kit_unique(void)
{
    static LONG last;
    return (uint32_t)InterlockedIncrement(&last);
}

const char *kit_endpoint_name(void)
{
    static char names[8][64];
    uint32_t number = kit_unique();
    char *name = names[number % 8];
    (void)snprintf(name, sizeof names[0], "user/test/%lu/%lu", (unsigned long)GetCurrentProcessId(),
                   (unsigned long)number);
    return name;
}

const struct kit_broker *kit_broker(void)
{
    return &kit.broker;
}

/* ---- clients ---- */

static hbk_client *open_client(const struct kit_broker *broker)
{
    hbk_open_options options = {.size = sizeof options, .pipe = broker->pipe};
    options.flags = broker->pipe != NULL ? HBK_OPEN_UNVERIFIED : 0;
    hbk_client *client = NULL;
    hbk_error_info error = {.result = HBK_OK};
    hbk_result result = hbk_open(&options, &client, &error);
    if (result != HBK_OK)
        fail_msg("hbk_open: %s: %s", hbk_result_word(result), error.detail);
    return client;
}

hbk_client *kit_client_with(const struct kit_broker *broker)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (kit.clients[i] == NULL)
            return kit.clients[i] = open_client(broker);
    }
    fail_msg("%s", "too many clients at once");
}

hbk_client *kit_client(void)
{
    return kit_client_with(&kit.broker);
}

void kit_close(hbk_client *client)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (kit.clients[i] == client)
            kit.clients[i] = NULL;
    }
    hbk_close(client);
}

static void close_all_clients(void)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        hbk_client *client = kit.clients[i];
        kit.clients[i] = NULL;
        hbk_close(client);
    }
}

hbk_result kit_send(hbk_client *client, const char *to, HANDLE handle, uint32_t access,
                    uint32_t flags, hbk_error_info *ret_error)
{
    hbk_send_item item = {.handle = handle, .access = access, .flags = flags};
    hbk_send_options send = {.size = sizeof send, .to = to, .items = &item, .count = 1};
    return hbk_send(client, &send, NULL, ret_error);
}

/* ---- the observer ---- */

static void hand_over_to_self(enum kit_kind kind)
{
    HANDLE object = kit_make(kind);
    assert_non_null(object);
    hbk_error_info error = {.result = HBK_OK};
    hbk_result result = kit_send(kit.observer, kit.observer_endpoint, object, 0, 0, &error);
    if (result != HBK_OK)
        fail_msg("a second client is not served: %s: %s", hbk_result_word(result), error.detail);
    hbk_delivery *delivery = NULL;
    assert_int_equal(hbk_receive(kit.observer, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_int_equal(delivery->count, 1);
    if (kind == KIT_EVENT) {
        assert_false(kit_is_set(object));
        assert_true(SetEvent(delivery->items[0].handle));
        assert_true(kit_is_set(object));
    }
    hbk_delivery_free(delivery);
    kit_unmake(kind, object);
}

void kit_serve_second(void)
{
    hand_over_to_self(KIT_EVENT);
}

/* As many closes at once as may block: then every thread that the broker will ever have is there. */
static void many_to_self(void)
{
    HANDLE section = kit_make(KIT_SECTION);
    hbk_send_item items[HBK_ITEMS_MAX] = {{.handle = NULL}};
    for (size_t i = 0; i < HBK_ITEMS_MAX; i++)
        items[i].handle = section;
    hbk_send_options send = {.size = sizeof send, .to = kit.observer_endpoint, .items = items};
    send.count = kit.items;
    assert_int_equal(hbk_send(kit.observer, &send, NULL, NULL), HBK_OK);
    hbk_delivery *delivery = NULL;
    assert_int_equal(hbk_receive(kit.observer, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    hbk_delivery_free(delivery);
    kit_unmake(KIT_SECTION, section);
}

static void observe(void)
{
    kit.observer = open_client(&kit.broker);
    (void)snprintf(kit.observer_endpoint, sizeof kit.observer_endpoint, "user/test/observer/%lu",
                   (unsigned long)GetCurrentProcessId());
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = kit.observer_endpoint};
    assert_int_equal(hbk_endpoint_open(kit.observer, &endpoint, NULL), HBK_OK);
    /* What a broker makes once, with its first use of something, is no leak. */
    for (int round = 0; round < WARM_UP_ROUNDS; round++) {
        hand_over_to_self(KIT_EVENT);
        hand_over_to_self(KIT_FILE);
        many_to_self();
        hbk_close(open_client(&kit.broker));
    }
}

void kit_items_max(size_t items)
{
    kit.items = items;
}

void kit_status(hbk_status_info *ret_status)
{
    hbk_error_info error = {.result = HBK_OK};
    hbk_result result = hbk_status(kit.observer, ret_status, &error);
    if (result != HBK_OK)
        fail_msg("the broker does not answer: %s: %s", hbk_result_word(result), error.detail);
}

/* ---- marks ---- */

static bool same_counts(const hbk_status_info *a, const hbk_status_info *b)
{
    return a->pid == b->pid && a->sessions == b->sessions &&
           a->sessions_proven == b->sessions_proven && a->endpoints == b->endpoints &&
           a->deliveries_pending == b->deliveries_pending && a->pins == b->pins &&
           a->stored == b->stored;
}

static void look(struct kit_mark *ret_mark, DWORD other_pid)
{
    kit_status(&ret_mark->status);
    ret_mark->broker_handles = kit_handles(kit.broker.pid);
    ret_mark->other_pid = other_pid;
    ret_mark->other_handles = other_pid != 0 ? kit_handles(other_pid) : 0;
}

void kit_mark(struct kit_mark *ret_mark, DWORD other_pid)
{
    /* The broker closes things a moment after it has answered: a mark is what two looks agree on. */
    struct kit_mark before;
    uint64_t end = kit_now_ms() + KIT_WAIT_MS;
    look(ret_mark, other_pid);
    do {
        if (kit_now_ms() > end)
            fail_msg("%s", "the broker does not come to rest");
        Sleep(10);
        before = *ret_mark;
        look(ret_mark, other_pid);
    } while (!same_counts(&before.status, &ret_mark->status) ||
             before.broker_handles != ret_mark->broker_handles ||
             before.other_handles != ret_mark->other_handles);
}

static void not_back(const struct kit_mark *mark, const struct kit_mark *now)
{
    const hbk_status_info *a = &mark->status, *b = &now->status;
    fail_msg(
        "left behind: pid %lu -> %lu, sessions %lu -> %lu (proven %lu -> %lu), endpoints %lu -> "
        "%lu, "
        "pending %lu -> %lu, pins %lu -> %lu, stored %lu -> %lu, broker's handles %lu -> %lu, the "
        "other's %lu -> %lu",
        (unsigned long)a->pid, (unsigned long)b->pid, (unsigned long)a->sessions,
        (unsigned long)b->sessions, (unsigned long)a->sessions_proven,
        (unsigned long)b->sessions_proven, (unsigned long)a->endpoints, (unsigned long)b->endpoints,
        (unsigned long)a->deliveries_pending, (unsigned long)b->deliveries_pending,
        (unsigned long)a->pins, (unsigned long)b->pins, (unsigned long)a->stored,
        (unsigned long)b->stored, (unsigned long)mark->broker_handles,
        (unsigned long)now->broker_handles, (unsigned long)mark->other_handles,
        (unsigned long)now->other_handles);
}

static void back_at(const struct kit_mark *mark)
{
    struct kit_mark now;
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS;;) {
        look(&now, mark->other_pid);
        if (same_counts(&mark->status, &now.status) && now.broker_handles <= mark->broker_handles &&
            now.other_handles == mark->other_handles)
            return;
        if (kit_now_ms() > end)
            not_back(mark, &now);
        Sleep(5);
    }
}

void kit_unchanged(const struct kit_mark *mark)
{
    kit_serve_second();
    back_at(mark);
}

/* ---- fixtures ---- */

/* It serves its whole group, longer than one test. */
static void start_console(void)
{
    kit_console_start(&kit.broker, kit_config);
    kit_keep(kit.broker.process);
}

int kit_group_console(void **state)
{
    (void)state;
    kit.console = true;
    start_console();
    observe();
    return 0;
}

int kit_group_service(void **state)
{
    if (kit.console_always)
        return kit_group_console(state);
    kit.console = false;
    kit.broker.pipe = NULL;
    kit_service_start();
    kit.broker.pid = kit_service_pid();
    observe();
    return 0;
}

int kit_group_end(void **state)
{
    (void)state;
    hbk_close(kit.observer);
    kit.observer = NULL;
    if (kit.console && kit.console_always)
        kit_console_show(&kit.broker);
    if (kit.console)
        kit_console_stop(&kit.broker);
    return 0;
}

/* A test that broke the broker must not fail all that come after it. */
static void revive(void)
{
    hbk_status_info status;
    if (hbk_status(kit.observer, &status, NULL) == HBK_OK && status.pid == kit.broker.pid)
        return;
    print_message("the broker of the tests before is gone; starting another\n");
    if (kit.console)
        kit_console_show(&kit.broker);
    hbk_close(kit.observer);
    kit.observer = NULL;
    if (kit.console) {
        start_console();
    } else {
        kit_service_start();
        kit.broker.pid = kit_service_pid();
    }
    observe();
}

int kit_test_begin(void **state)
{
    (void)state;
    revive();
    kit_mark(&kit.begin, 0);
    return 0;
}

int kit_test_end(void **state)
{
    (void)state;
    close_all_clients();
    kit_raw_free_all();
    kit_forget_all();
    kit_unchanged(&kit.begin);
    return 0;
}
