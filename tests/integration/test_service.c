/* The service under the Service Control Manager: many clients, stop under a client, stop with sends in
 * flight, start and stop many times. Each test begins and ends with the service running. */
#include "store.h"

#include <stdio.h>
#include <string.h>

#define CLIENTS 200
#define RESTARTS 20
#define STOP_MS_MAX 12000u /* the core's five seconds, and what the closes after it may take */

static int begin(void **state)
{
    (void)state;
    kit_service_start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    kit_raw_free_all();
    kit_forget_all();
    kit_service_start();
    return 0;
}

static hbk_client *connect_client(void)
{
    hbk_client *client = NULL;
    hbk_error_info error = {.result = HBK_OK};
    hbk_result result = hbk_open(NULL, &client, &error);
    if (result != HBK_OK)
        fail_msg("hbk_open: %s: %s", hbk_result_word(result), error.detail);
    return client;
}

static void listen(hbk_client *client, const char *name, uint32_t flags)
{
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name, .flags = flags};
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
}

/* A hand-off from @source to @target, who listens at @name, with its effect. */
static void hand_over(hbk_client *source, hbk_client *target, const char *name)
{
    hbk_delivery *delivery = NULL;
    HANDLE event = kit_make(KIT_EVENT);
    assert_int_equal(kit_send(source, name, event, 0, 0, NULL), HBK_OK);
    assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_true(SetEvent(delivery->items[0].handle));
    assert_true(kit_is_set(event));
    hbk_delivery_free(delivery);
    CloseHandle(event);
}

/* ---- many ---- */

static void two_hundred_clients(void **state)
{
    (void)state;
    static hbk_client *clients[CLIENTS];
    static char names[CLIENTS][64];
    hbk_status_info status;
    DWORD pid = kit_service_pid();
    hbk_close(connect_client());
    uint32_t own = kit_handles_at_rest(GetCurrentProcessId());
    for (int round = 0; round < 2; round++) {
        uint32_t before = kit_handles_at_rest(pid);
        for (int i = 0; i < CLIENTS; i++) {
            clients[i] = connect_client();
            (void)snprintf(names[i], sizeof names[i], "%s", kit_endpoint_name());
            listen(clients[i], names[i], 0);
        }
        assert_int_equal(hbk_status(clients[0], &status, NULL), HBK_OK);
        assert_int_equal(status.sessions_proven, CLIENTS);
        assert_int_equal(status.endpoints, CLIENTS);
        for (int i = 0; i < CLIENTS; i++)
            hand_over(clients[i], clients[(i * 7 + 1) % CLIENTS], names[(i * 7 + 1) % CLIENTS]);
        for (int i = 0; i < CLIENTS; i++)
            hbk_close(clients[i]);
        if (round > 0) /* the first may have made what is kept */
            kit_handles_at_most(pid, before);
        else
            kit_handles_at_most(pid, before + 16);
    }
    kit_handles_at_most(GetCurrentProcessId(), own);
}

static void many_processes_at_once(void **state)
{
    (void)state;
    enum { PEERS = 24 };
    static struct kit_peer peers[PEERS];
    static char names[PEERS][64];
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *client = connect_client();
    for (int i = 0; i < PEERS; i++) {
        (void)snprintf(names[i], sizeof names[i], "%s", kit_endpoint_name());
        kit_peer_listen(&peers[i], names[i], 0);
    }
    for (int i = 0; i < PEERS; i++) { /* all of them wait at once */
        peers[i].call.op = KIT_OP_RECEIVE;
        peers[i].call.a[0] = KIT_WAIT_MS;
        kit_peer_begin(&peers[i]);
    }
    for (int i = PEERS - 1; i >= 0; i--)
        assert_int_equal(kit_send(client, names[i], event, 0, 0, NULL), HBK_OK);
    for (int i = 0; i < PEERS; i++) {
        assert_true(kit_peer_end(&peers[i], KIT_WAIT_MS));
        assert_int_equal(peers[i].reply.result, HBK_OK);
        assert_string_equal(peers[i].reply.name, names[i]);
        kit_peer_stop(&peers[i]);
    }
    hbk_close(client);
    CloseHandle(event);
}

/* ---- stop ---- */

static void check_stopped(DWORD pid)
{
    hbk_client *client = NULL;
    uint64_t start = kit_now_ms();
    assert_int_equal(hbk_open(NULL, &client, NULL), HBK_UNAVAILABLE);
    assert_true(kit_now_ms() - start < KIT_WAIT_MS);
    assert_null(client);
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);
    if (process != NULL) {
        assert_int_equal(WaitForSingleObject(process, KIT_WAIT_MS), WAIT_OBJECT_0);
        CloseHandle(process);
    }
}

static void stopped_under_a_client(void **state)
{
    (void)state;
    struct kit_peer waiting;
    const char *name = kit_endpoint_name();
    DWORD pid = kit_service_pid();
    hbk_client *client = connect_client();
    hbk_delivery *delivery = NULL;
    hbk_status_info status;
    HANDLE event = kit_make(KIT_EVENT);
    kit_peer_listen(&waiting, name, 0);
    waiting.call.op = KIT_OP_RECEIVE;
    waiting.call.a[0] = INFINITE;
    kit_peer_begin(&waiting);
    assert_false(kit_peer_end(&waiting, KIT_QUIET_MS));
    assert_in_range(kit_service_stop(), 0, STOP_MS_MAX);
    assert_true(kit_peer_end(&waiting, KIT_WAIT_MS));
    assert_int_equal(waiting.reply.result, HBK_DISCONNECTED);
    assert_int_equal(WaitForSingleObject(hbk_wait_handle(client), KIT_WAIT_MS), WAIT_OBJECT_0);
    assert_int_equal(hbk_receive(client, INFINITE, &delivery, NULL), HBK_DISCONNECTED);
    assert_int_equal(kit_send(client, name, event, 0, 0, NULL), HBK_DISCONNECTED);
    assert_int_equal(hbk_status(client, &status, NULL), HBK_DISCONNECTED);
    hbk_close(client);
    check_stopped(pid);
    kit_service_start();
    client = connect_client(); /* another client, and all is well */
    listen(client, name, 0);
    hand_over(client, client, name);
    hbk_close(client);
    kit_peer_stop(&waiting);
    CloseHandle(event);
}

/* Sends that wait, that are offered, and that go to one who does not read. */
static void stopped_with_sends_in_flight(void **state)
{
    (void)state;
    enum { SENDERS = 6 };
    static struct kit_peer senders[SENDERS], target;
    const char *asking = kit_endpoint_name(), *absent = kit_endpoint_name();
    DWORD pid = kit_service_pid();
    kit_peer_listen(&target, asking, HBK_ENDPOINT_ASK);
    uint32_t before = kit_handles_at_rest(target.pid);
    for (int i = 0; i < SENDERS; i++) {
        kit_peer_open(&senders[i]);
        assert_int_equal(kit_peer_do(&senders[i], KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
        senders[i].call.items[0].handle = senders[i].reply.value;
        kit_peer_send_begin(&senders[i], i % 2 ? asking : absent, 1, 30000, 30000);
    }
    assert_false(kit_peer_end(&senders[SENDERS - 1], KIT_QUIET_MS));
    assert_in_range(kit_service_stop(), 0, STOP_MS_MAX);
    for (int i = 0; i < SENDERS; i++) {
        assert_true(kit_peer_end(&senders[i], KIT_WAIT_MS));
        int result = senders[i].reply.result;
        if (result != HBK_STOPPING && result != HBK_DISCONNECTED)
            fail_msg("sender %d: %s", i, hbk_result_word((hbk_result)result));
    }
    assert_int_equal(kit_handles_at_rest(target.pid), before);
    check_stopped(pid);
}

static bool say_send(struct kit_raw *raw, int id, const char *name, HANDLE event)
{
    char line[512];
    int size = snprintf(
        line, sizeof line,
        "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"handle.send\",\"params\":{\"to\":\"%s\","
        "\"items\":[{\"handle\":%llu},{\"handle\":%llu}]}}\n",
        id + 1, name, (unsigned long long)(uintptr_t)event, (unsigned long long)(uintptr_t)event);
    return kit_raw_write(raw, line, (size_t)size, KIT_WAIT_MS);
}

/* A storm of hand-offs, cut off anywhere: whatever was told works, and nothing else is there. */
static void stopped_in_a_storm(void **state)
{
    (void)state;
    enum { SENDS = 24 };
    const char *name = kit_endpoint_name();
    static struct kit_peer target;
    HANDLE event = kit_make(KIT_EVENT);
    for (int round = 0; round < 3; round++) {
        kit_service_start();
        kit_peer_listen(&target, name, 0);
        struct kit_raw *raw = kit_raw_proven();
        uint32_t before = kit_handles_at_rest(target.pid);
        for (int i = 0; i < SENDS && say_send(raw, i, name, event); i++) {
            if (i == 4 + round * 8)
                kit_service_stop_begin();
        }
        uint32_t delivered = 0, answered = 0;
        while (kit_raw_next(raw, KIT_WAIT_MS) == KIT_RAW_LINE)
            answered += strstr(raw->line, "\"result\"") != NULL ? 1u : 0u;
        kit_service_stopped();
        while (kit_peer_do(&target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL) == HBK_OK)
            delivered++;
        /* Each receive has freed the one before; the last one was not replaced. */
        assert_true(delivered >= answered);
        assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
        kit_handles_at_most(target.pid, before);
        kit_raw_free(raw);
        kit_peer_kill(&target);
    }
    CloseHandle(event);
}

static void stopped_under_one_who_does_not_read(void **state)
{
    (void)state;
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"broker.status\"}\n";
    struct kit_raw *deaf = kit_raw_proven(), *half = kit_raw_new();
    kit_raw_new(); /* and one that never says anything */
    int written = 0;
    while (written < 20000 && kit_raw_write(deaf, line, sizeof line - 1, 200))
        written++;
    kit_raw_hello(half, false);
    assert_in_range(kit_service_stop(), 0, STOP_MS_MAX);
}

static void controlled(void **state)
{
    (void)state;
    SERVICE_STATUS status;
    SERVICE_STATUS_PROCESS after;
    assert_int_equal(kit_service_control(SERVICE_CONTROL_INTERROGATE, &status), 0);
    assert_int_equal(status.dwCurrentState, SERVICE_RUNNING);
    assert_int_equal(status.dwServiceType, SERVICE_WIN32_OWN_PROCESS);
    assert_true(status.dwControlsAccepted & SERVICE_ACCEPT_STOP);
    /* What it does not accept changes nothing. */
    assert_int_not_equal(kit_service_control(SERVICE_CONTROL_NETBINDADD, &status), 0);
    assert_true(kit_service_pid() != 0);
    kit_service_stop();
    kit_service_query(&after);
    assert_int_equal(after.dwWin32ExitCode, 0);
    assert_int_equal(after.dwServiceSpecificExitCode, 0);
    assert_int_not_equal(kit_service_control(SERVICE_CONTROL_STOP, &status),
                         0); /* it has stopped */
}

static void started_and_stopped_many_times(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    kit_service_stop();
    for (int i = 0; i < RESTARTS; i++) {
        kit_service_start();
        DWORD pid = kit_service_pid();
        assert_true(pid != 0);
        if (i % 4 == 0) {
            hbk_client *client = connect_client();
            listen(client, name, 0);
            hand_over(client, client, name);
            hbk_close(client);
        }
        assert_in_range(kit_service_stop(), 0, STOP_MS_MAX);
        assert_int_equal(kit_service_pid(), 0);
    }
}

/* A client that goes away with all its names and open requests, over and over. */
static void clients_that_come_and_go(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    DWORD pid = kit_service_pid();
    uint32_t before = 0;
    for (int i = 0; i < 60; i++) {
        hbk_client *client = connect_client();
        listen(client, name, 0);
        hand_over(client, client, name);
        hbk_close(client);
        if (i == 9)
            before = kit_handles_at_rest(pid);
    }
    kit_handles_at_most(pid, before);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

/* What is kept is kept until the service stops: then it is let go, and the next has none of it. */
static void stopping_empties_the_store(void **state)
{
    (void)state;
    HANDLE reader = NULL, writer = NULL, event = kit_make(KIT_EVENT), got = NULL;
    DWORD size = 0;
    hbk_stored stored;
    hbk_status_info status;
    hbk_taken *taken = NULL;
    assert_true(CreatePipe(&reader, &writer, NULL, 0));
    hbk_client *client = connect_client();
    assert_int_equal(kit_put(client, "user/test/kept", writer, 0, HBK_STORE_KEEP | HBK_STORE_MOVE),
                     HBK_OK);
    kit_ticket(client, event, HBK_STORE_KEEP, 600000, &stored);
    hbk_close(client);
    assert_true(PeekNamedPipe(reader, NULL, 0, NULL, &size, NULL));
    assert_true(kit_service_stop() < STOP_MS_MAX);
    assert_false(PeekNamedPipe(reader, NULL, 0, NULL, &size, NULL));
    assert_int_equal(GetLastError(), ERROR_BROKEN_PIPE);
    kit_service_start();
    client = connect_client();
    assert_int_equal(hbk_status(client, &status, NULL), HBK_OK);
    assert_int_equal(status.stored, 0);
    assert_int_equal(kit_get(client, "user/test/kept", 0, 0, &taken), HBK_NOT_FOUND);
    assert_int_equal(kit_claim(client, stored.ticket, &got), HBK_NOT_FOUND);
    hbk_close(client);
    CloseHandle(reader);
    CloseHandle(event);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_hundred_clients),
        TEST(many_processes_at_once),
        TEST(clients_that_come_and_go),
        TEST(controlled),
        TEST(stopped_under_a_client),
        TEST(stopped_with_sends_in_flight),
        TEST(stopped_in_a_storm),
        TEST(stopped_under_one_who_does_not_read),
        TEST(started_and_stopped_many_times),
        TEST(stopping_empties_the_store),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
