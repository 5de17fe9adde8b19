/* A client over a restart of the service: who is told of it, and reopening by itself. */
#include "restart.h"
#include "script.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

static DWORD WINAPI ask_job(void *context)
{
    struct kit_job *job = context;
    while (!job->stop) {
        hbk_result result = kit_ask(job->client);
        if (result == HBK_OK)
            job->good++;
        else if (result == HBK_DISCONNECTED || result == HBK_STOPPING)
            job->lost++;
        else
            job->other++;
    }
    return 0;
}

/* ---- being told ---- */

static void HBK_CALLBACK on_arrival(hbk_client *client, void *context)
{
    (void)client;
    SetEvent(context);
}

static void the_wait_handle_and_whom_it_tells_stay(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_connect(0), *source = NULL;
    HANDLE event = kit_make(KIT_EVENT), called = CreateEventW(NULL, FALSE, FALSE, NULL);
    HANDLE wait = hbk_wait_handle(client);
    hbk_delivery *delivery = NULL;
    kit_listen(client, name, 0);
    assert_int_equal(hbk_notify_call(client, on_arrival, called, NULL), HBK_OK);
    for (int i = 0; i < 3; i++) {
        kit_service_stop();
        assert_int_equal(WaitForSingleObject(wait, KIT_WAIT_MS), WAIT_OBJECT_0);
        assert_int_equal(WaitForSingleObject(called, KIT_WAIT_MS), WAIT_OBJECT_0);
        assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_DISCONNECTED);
        kit_service_start();
        kit_reopen(client);
        assert_ptr_equal(hbk_wait_handle(client), wait);
        while (WaitForSingleObject(wait, 0) == WAIT_OBJECT_0)
            assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_TIMEOUT);
        assert_int_equal(WaitForSingleObject(called, KIT_QUIET_MS), WAIT_TIMEOUT);
        source = kit_connect(0);
        assert_int_equal(kit_send(source, name, event, 0, 0, NULL), HBK_OK);
        assert_int_equal(WaitForSingleObject(wait, KIT_WAIT_MS), WAIT_OBJECT_0);
        assert_int_equal(WaitForSingleObject(called, KIT_WAIT_MS), WAIT_OBJECT_0);
        hbk_delivery_free(kit_receive(client));
        assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_TIMEOUT);
        hbk_close(source);
    }
    hbk_close(client);
    CloseHandle(event);
    CloseHandle(called);
}

/* The serials of the new service begin below those of the old one. */
static void records_go_on(void **state)
{
    (void)state;
    hbk_client *client = kit_connect(0), *other = NULL;
    hbk_record *record = NULL;
    uint64_t last = 0;
    assert_int_equal(hbk_watch(client, NULL), HBK_OK);
    for (int i = 0; i < 10; i++)
        hbk_close(kit_connect(0));
    kit_service_stop();
    while (hbk_watch_receive(client, KIT_WAIT_MS, &record, NULL) == HBK_OK) {
        assert_int_equal(record->missed, 0);
        last = record->serial;
        hbk_record_free(record);
    }
    kit_service_start();
    other = kit_connect(0);
    assert_int_equal(hbk_watch(other, NULL), HBK_OK); /* so that there are records */
    for (int i = 0; i < 2; i++)
        hbk_close(kit_connect(0));
    kit_reopen(client);
    hbk_close(kit_connect(0));
    assert_int_equal(hbk_watch_receive(client, KIT_WAIT_MS, &record, NULL), HBK_OK);
    assert_in_range(record->serial, 2, last);
    assert_int_equal(record->missed, record->serial - 1);
    hbk_record_free(record);
    hbk_close(other);
    hbk_close(client);
}

/* ---- by itself ---- */

static void by_itself_before_a_call(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name(), *plain = kit_endpoint_name();
    hbk_client *client = kit_connect(HBK_OPEN_REOPEN), *twin = kit_connect(0);
    hbk_notification notice;
    assert_int_equal(hbk_notification_receive(client, 0, &notice, NULL), HBK_TIMEOUT);
    kit_listen(client, name, 0);
    kit_listen(twin, plain, 0);
    for (int i = 0; i < 2; i++) {
        kit_restart();
        kit_hand_over(client, name);
        kit_notice(client, HBK_NOTIFICATION_REOPENED, &notice);
        assert_int_equal(hbk_notification_receive(client, 0, &notice, NULL), HBK_TIMEOUT);
        assert_int_equal(kit_ask(twin), HBK_DISCONNECTED);
        assert_int_equal(kit_ask(twin), HBK_DISCONNECTED);
        assert_false(kit_is_listed(client, plain));
    }
    hbk_close(client);
    hbk_close(twin);
}

static void by_itself_with_a_bound(void **state)
{
    (void)state;
    hbk_open_options options = {.size = sizeof options, .flags = HBK_OPEN_REOPEN};
    hbk_client *client = NULL, *other = NULL;
    const char *name = kit_endpoint_name();
    hbk_error_info error = {.result = HBK_OK};
    hbk_delivery *delivery = NULL;
    options.connect_timeout_ms = 1000;
    assert_int_equal(hbk_open(&options, &client, NULL), HBK_OK);
    kit_listen(client, name, 0);
    kit_service_stop();
    uint64_t start_ms = kit_now_ms();
    assert_int_equal(hbk_status(client, &(hbk_status_info){0}, &error), HBK_DISCONNECTED);
    assert_int_equal(error.result, HBK_DISCONNECTED);
    assert_non_null(strstr(error.detail, "stopped"));
    assert_in_range(kit_now_ms() - start_ms, 900, KIT_WAIT_MS / 2);
    assert_int_equal(hbk_receive(client, 300, &delivery, NULL), HBK_TIMEOUT);
    assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_DISCONNECTED);
    kit_service_start();
    other = kit_connect(0);
    kit_listen(other, name, 0);
    assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, &error), HBK_DISCONNECTED);
    assert_non_null(strstr(error.detail, name));
    assert_int_equal(hbk_receive(client, 1, &delivery, NULL), HBK_DISCONNECTED); /* no less so */
    hbk_close(other);
    kit_hand_over(client, name);
    hbk_close(client);
}

static void by_itself_while_it_waits(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    struct kit_job job = {.client = kit_connect(HBK_OPEN_REOPEN), .timeout_ms = INFINITE};
    struct kit_job twin = {.client = kit_connect(0), .timeout_ms = INFINITE};
    HANDLE event = kit_make(KIT_EVENT);
    kit_listen(job.client, name, 0);
    kit_job_start(&job, kit_job_receive);
    kit_job_start(&twin, kit_job_receive);
    Sleep(KIT_QUIET_MS);
    kit_restart();
    kit_job_join(&twin);
    assert_int_equal(twin.result, HBK_DISCONNECTED);
    hbk_client *source = kit_connect(0);
    hbk_send_item item = {.handle = event};
    hbk_send_options send = {.size = sizeof send, .to = name, .items = &item, .count = 1};
    send.wait_ms = KIT_WAIT_MS; /* it comes back in its own time */
    assert_int_equal(hbk_send(source, &send, NULL, NULL), HBK_OK);
    kit_job_join(&job);
    assert_int_equal(job.result, HBK_OK);
    assert_true(SetEvent(job.delivery->items[0].handle));
    assert_true(kit_is_set(event));
    hbk_delivery_free(job.delivery);
    hbk_close(source);
    hbk_close(job.client);
    hbk_close(twin.client);
    CloseHandle(event);
}

static void many_threads_of_one_client(void **state)
{
    (void)state;
    enum { THREADS = 6, RESTARTS = 4 };
    struct kit_job jobs[THREADS] = {{0}}, waiting = {.timeout_ms = INFINITE};
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_connect(HBK_OPEN_REOPEN);
    HANDLE event = kit_make(KIT_EVENT);
    kit_listen(client, name, 0);
    waiting.client = client;
    kit_job_start(&waiting, kit_job_receive);
    for (int i = 0; i < THREADS; i++) {
        jobs[i].client = client;
        kit_job_start(&jobs[i], ask_job);
    }
    for (int i = 0; i < RESTARTS; i++) {
        Sleep(KIT_QUIET_MS);
        kit_restart();
    }
    Sleep(KIT_QUIET_MS);
    for (int i = 0; i < THREADS; i++)
        InterlockedExchange(&jobs[i].stop, 1);
    for (int i = 0; i < THREADS; i++) {
        kit_job_join(&jobs[i]);
        assert_true(jobs[i].good > 0);
        assert_int_equal(jobs[i].other, 0);
    }
    assert_int_equal(kit_send(client, name, event, 0, 0, NULL), HBK_OK);
    kit_job_join(&waiting);
    assert_int_equal(waiting.result, HBK_OK);
    hbk_delivery_free(waiting.delivery);
    assert_int_equal(kit_ask(client), HBK_OK);
    hbk_close(client);
    CloseHandle(event);
}

/* A thread that comes to run only when the client has another connection leaves all the same: what it waited for
 * was of the old one. The first of the two leads; it is the other that sleeps. */
static void one_that_wakes_late(void **state)
{
    (void)state;
    hbk_client *client = kit_connect(0);
    struct kit_job first = {.client = client, .timeout_ms = INFINITE}, second = first;
    kit_job_start(&first, kit_job_receive);
    Sleep(KIT_QUIET_MS);
    kit_job_start(&second, kit_job_receive);
    Sleep(KIT_QUIET_MS);
    assert_int_equal(SuspendThread(second.thread), 0); /* asleep, with no lock */
    kit_restart();
    kit_job_join(&first);
    assert_int_equal(first.result, HBK_DISCONNECTED);
    kit_reopen(client);
    assert_int_equal(ResumeThread(second.thread), 1);
    kit_job_join(&second);
    assert_int_equal(second.result, HBK_DISCONNECTED);
    assert_int_equal(kit_ask(client), HBK_OK);
    hbk_close(client);
}

static DWORD WINAPI list_job(void *context)
{
    struct kit_job *job = context;
    hbk_session_entries *list = NULL;
    job->result = hbk_session_list(job->client, &list, NULL);
    hbk_session_entries_free(list);
    return 0;
}

/* The rest of a list is not asked for over another connection, whose list is another. */
static void a_list_over_its_end(void **state)
{
    (void)state;
    HANDLE go = CreateEventW(NULL, TRUE, FALSE, NULL);
    const struct kit_step first = {.method = "broker.sessions",
                                   .result = "{\"sessions\":[],\"next\":\"2\"}",
                                   .go = go,
                                   .last = true};
    const struct kit_step second = {.method = "broker.sessions", .result = "{\"sessions\":[]}"};
    struct kit_script script;
    kit_script_begin(&script, &first, 1);
    struct kit_job leads = {.client = kit_script_client(&script), .timeout_ms = INFINITE};
    struct kit_job lists = {.client = leads.client};
    kit_job_start(&leads, kit_job_receive);
    Sleep(KIT_QUIET_MS);
    kit_job_start(&lists, list_job);
    Sleep(KIT_QUIET_MS);
    assert_int_equal(SuspendThread(lists.thread), 0); /* asleep, with no lock */
    SetEvent(go);
    kit_job_join(&leads);
    kit_script_again(&script, &second, 1);
    kit_reopen(leads.client);
    assert_int_equal(ResumeThread(lists.thread), 1);
    kit_job_join(&lists);
    assert_int_equal(lists.result, HBK_DISCONNECTED);
    hbk_close(leads.client);
    kit_script_end(&script);
    assert_string_equal(script.asked[0], "");
    CloseHandle(go);
}

static DWORD WINAPI close_job(void *context)
{
    struct kit_job *job = context;
    job->result = hbk_endpoint_close(job->client, "user/it", NULL);
    return 0;
}

static DWORD WINAPI reopen_job(void *context)
{
    struct kit_job *job = context;
    job->result = hbk_reopen(job->client, job->timeout_ms, NULL);
    return 0;
}

/* The service has closed it by itself, and who is told so wakes when it is about to be opened again. */
static void found_closed_while_it_is_reopened(void **state)
{
    (void)state;
    HANDLE answer = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE open = CreateEventW(NULL, TRUE, FALSE, NULL);
    const char *error =
        "{\"code\":3,\"message\":\"not_found\",\"data\":{\"detail\":\"no such endpoint\"}}";
    const char *opened = "{\"endpoint\":\"user/it\"}";
    const struct kit_step first[] = {
        {.method = "endpoint.open", .result = opened},
        {.method = "endpoint.close", .error = error, .go = answer, .last = true}};
    const struct kit_step second[] = {{.method = "endpoint.open", .result = opened, .go = open},
                                      {.method = "endpoint.close", .result = "{}"}};
    struct kit_script script;
    kit_script_begin(&script, first, 2);
    struct kit_job leads = {.client = kit_script_client(&script), .timeout_ms = INFINITE};
    struct kit_job closes = leads, reopens = leads;
    kit_listen(leads.client, "user/it", 0);
    kit_job_start(&leads, kit_job_receive);
    Sleep(KIT_QUIET_MS);
    kit_job_start(&closes, close_job);
    Sleep(KIT_QUIET_MS);
    assert_int_equal(SuspendThread(closes.thread), 0); /* asleep, with no lock */
    SetEvent(answer);
    kit_job_join(&leads);
    kit_script_again(&script, second, 2);
    kit_job_start(&reopens, reopen_job);
    Sleep(KIT_QUIET_MS);
    assert_int_equal(ResumeThread(closes.thread), 1);
    kit_job_join(&closes);
    assert_int_equal(closes.result, HBK_NOT_FOUND);
    SetEvent(open);
    kit_job_join(&reopens);
    assert_int_equal(reopens.result, HBK_OK);
    hbk_close(leads.client);
    kit_script_end(&script);
    assert_non_null(strstr(script.asked[1], "user/it")); /* what was opened there is closed */
    CloseHandle(answer);
    CloseHandle(open);
}

/* ---- by the thread that tells ---- */

static const struct kit_step ends_with_a_question[] = {
    {.method = "endpoint.open", .result = "{\"endpoint\":\"user/it\"}"},
    {.method = "broker.status",
     .error = "{\"code\":2,\"message\":\"denied\",\"data\":{\"detail\":\"no\"}}",
     .last = true}};

/* A client of @script that has lost its connection, and whose thread tries to get another. */
static hbk_client *lost_client(struct kit_script *script, HANDLE called)
{
    hbk_open_options options = {.size = sizeof options};
    hbk_client *client = NULL;
    kit_script_begin(script, ends_with_a_question, 2);
    options.pipe = script->pipe;
    options.flags = HBK_OPEN_UNVERIFIED | HBK_OPEN_REOPEN;
    assert_int_equal(hbk_open(&options, &client, NULL), HBK_OK);
    kit_listen(client, "user/it", 0);
    kit_ask(client);
    assert_int_equal(hbk_notify_call(client, on_arrival, called, NULL), HBK_OK);
    return client;
}

/* A name for which there is no room is of no use either. */
static void the_thread_tells_of_a_quota(void **state)
{
    (void)state;
    static const struct kit_step full = {
        .method = "endpoint.open",
        .error = "{\"code\":13,\"message\":\"quota\",\"data\":{\"detail\":\"it is full\"}}"};
    HANDLE called = CreateEventW(NULL, FALSE, FALSE, NULL);
    struct kit_script script;
    hbk_client *client = lost_client(&script, called);
    kit_script_again(&script, &full, 1);
    assert_int_equal(WaitForSingleObject(called, KIT_WAIT_MS), WAIT_OBJECT_0);
    hbk_close(client);
    kit_script_end(&script);
    CloseHandle(called);
}

/* A service that takes a client in and sends it away at once has it back after a pause. */
static void the_thread_does_not_hurry(void **state)
{
    (void)state;
    static const struct kit_step away = {
        .method = "endpoint.open", .result = "{\"endpoint\":\"user/it\"}", .last = true};
    HANDLE called = CreateEventW(NULL, FALSE, FALSE, NULL);
    struct kit_script script;
    int count = 0;
    hbk_client *client = lost_client(&script, called);
    for (uint64_t end = kit_now_ms() + 1000; kit_now_ms() < end; count++)
        kit_script_again(&script, &away, 1);
    assert_in_range(count, 2, 25);
    kit_script_again(&script, ends_with_a_question, 1);
    kit_ask(client); /* it is there again */
    hbk_close(client);
    kit_script_end(&script);
    CloseHandle(called);
}

static void wait_listed(hbk_client *client, const char *name)
{
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; !kit_is_listed(client, name); Sleep(20)) {
        if (kit_now_ms() > end)
            fail_msg("%s does not come back", name);
    }
}

static void by_the_thread_that_tells(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_connect(HBK_OPEN_REOPEN), *other = NULL;
    HANDLE event = kit_make(KIT_EVENT), called = CreateEventW(NULL, FALSE, FALSE, NULL);
    hbk_delivery *delivery = NULL;
    hbk_error_info error;
    kit_listen(client, name, 0);
    assert_int_equal(hbk_notify_call(client, on_arrival, called, NULL), HBK_OK);
    kit_service_stop();
    assert_int_equal(WaitForSingleObject(called, KIT_QUIET_MS), WAIT_TIMEOUT);
    assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_DISCONNECTED);
    kit_service_start();
    other = kit_connect(0);
    wait_listed(other, name);
    assert_int_equal(WaitForSingleObject(called, KIT_QUIET_MS), WAIT_TIMEOUT);
    assert_int_equal(kit_send(other, name, event, 0, 0, NULL), HBK_OK);
    assert_int_equal(WaitForSingleObject(called, KIT_WAIT_MS), WAIT_OBJECT_0);
    kit_service_stop(); /* with something to receive, that the end is not told is seen later */
    hbk_delivery_free(kit_receive(client));
    assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_DISCONNECTED);
    kit_service_start();
    hbk_close(other);
    other = kit_connect(0);
    wait_listed(other, name);
    kit_service_stop();
    hbk_client *quick = NULL; /* it is to have the name first: the client is held off meanwhile */
    assert_int_equal(hbk_notify_call(client, NULL, NULL, NULL), HBK_OK);
    kit_service_start();
    quick = kit_connect(0);
    kit_listen(quick, name, 0);
    assert_int_equal(hbk_notify_call(client, on_arrival, called, NULL), HBK_OK);
    assert_int_equal(WaitForSingleObject(called, KIT_WAIT_MS), WAIT_OBJECT_0);
    assert_int_equal(hbk_receive(client, 0, &delivery, &error), HBK_DISCONNECTED);
    assert_non_null(strstr(error.detail, name));
    hbk_close(quick);
    assert_int_equal(hbk_reopen(client, 0, NULL), HBK_OK);
    kit_hand_over(client, name);
    hbk_close(other);
    hbk_close(client);
    CloseHandle(event);
    CloseHandle(called);
}

/* Each in a thread of its own, as if they were as many programs. */
static void many_clients(void **state)
{
    (void)state;
    enum { CLIENTS = 100 };
    static struct kit_job jobs[CLIENTS];
    static char names[CLIENTS][64];
    HANDLE event = kit_make(KIT_EVENT);
    memset(jobs, 0, sizeof jobs);
    for (int i = 0; i < CLIENTS; i++) {
        (void)snprintf(names[i], sizeof names[i], "%s", kit_endpoint_name());
        jobs[i].client = kit_connect(HBK_OPEN_REOPEN);
        jobs[i].timeout_ms = INFINITE;
        kit_listen(jobs[i].client, names[i], 0);
        kit_job_start(&jobs[i], kit_job_receive);
    }
    kit_restart();
    hbk_client *source = kit_connect(0);
    hbk_send_item item = {.handle = event};
    hbk_send_options send = {.size = sizeof send, .items = &item, .count = 1};
    send.wait_ms = KIT_WAIT_MS;
    for (int i = 0; i < CLIENTS; i++) {
        send.to = names[i];
        assert_int_equal(hbk_send(source, &send, NULL, NULL), HBK_OK);
    }
    for (int i = 0; i < CLIENTS; i++) {
        kit_job_join(&jobs[i]);
        assert_int_equal(jobs[i].result, HBK_OK);
        hbk_delivery_free(jobs[i].delivery);
        hbk_close(jobs[i].client);
    }
    hbk_close(source);
    CloseHandle(event);
}

/* ---- hbctl ---- */

struct run {
    HANDLE process;
    wchar_t out[MAX_PATH], err[MAX_PATH];
};

static void begin_run(struct run *run, const wchar_t *arguments)
{
    wchar_t line[512];
    DWORD pid = 0;
    kit_temp(run->out, MAX_PATH);
    kit_temp(run->err, MAX_PATH);
    (void)swprintf(line, 512, L"\"%ls\" %ls", kit_tool(L"hbctl.exe"), arguments);
    run->process = kit_spawn_log(line, 0, run->out, run->err, &pid);
}

static void end_run(struct run *run, DWORD code, char *ret_out, size_t size)
{
    DWORD got = kit_wait_exit(run->process, KIT_WAIT_MS);
    char said[1024];
    kit_file_read(run->err, said, sizeof said);
    if (got != code)
        fail_msg("hbctl ends with %lu: %s", (unsigned long)got, said);
    kit_file_read(run->out, ret_out, size);
    kit_forget(run->process);
}

static void wait_for_words(const wchar_t *path, const char *words)
{
    char text[1024] = "";
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; strstr(text, words) == NULL; Sleep(20)) {
        if (kit_now_ms() > end)
            fail_msg("hbctl does not say \"%s\" but: %s", words, text);
        kit_file_read(path, text, sizeof text);
    }
}

static void hbctl_goes_on(void **state)
{
    (void)state;
    static char out[8192];
    static char name[64];
    wchar_t line[128];
    struct run receives, twin, watches, program;
    HANDLE event = kit_make(KIT_EVENT);
    int64_t delivery = 0;
    (void)snprintf(name, sizeof name, "%s", kit_endpoint_name());
    (void)swprintf(line, 128, L"receive %hs --reopen --json", name);
    begin_run(&program, L"watch --reopen --json --timeout 60000 --count 1000");
    do
        hbk_close(kit_connect(0)); /* without a record it says nothing */
    while (kit_file_read(program.out, out, sizeof out) == 0);
    begin_run(&receives, line);
    begin_run(&twin, L"receive user/test/reopen-twin");
    begin_run(&watches, L"watch --reopen --timeout 60000 --count 1000");
    wait_for_words(twin.err, "listening");
    wait_for_words(watches.err, "watching");
    hbk_client *source = kit_connect(0);
    wait_listed(source, name);
    hbk_close(source);
    kit_restart();
    end_run(&twin, 3, out, sizeof out);
    wait_for_words(watches.err, "was away");
    wait_for_words(program.err, "{\"notice\":{\"name\":\"reopened\",");
    source = kit_connect(0);
    wait_listed(source, name);
    assert_int_equal(kit_send(source, name, event, 0, 0, NULL), HBK_OK);
    end_run(&receives, 0, out, sizeof out);
    assert_true(kit_json_number(out, "delivery", &delivery));
    assert_int_equal(delivery,
                     HBK_SERVICE_NUMBER((uint64_t)delivery)); /* as the service calls it */
    wait_for_words(watches.out, "handle.send");
    kit_forget(watches.process);
    kit_forget(program.process);
    hbk_close(source);
    CloseHandle(event);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_RESTART_TEST(the_wait_handle_and_whom_it_tells_stay),
        KIT_RESTART_TEST(records_go_on),
        KIT_RESTART_TEST(by_itself_before_a_call),
        KIT_RESTART_TEST(by_itself_with_a_bound),
        KIT_RESTART_TEST(by_itself_while_it_waits),
        KIT_RESTART_TEST(many_threads_of_one_client),
        KIT_RESTART_TEST(one_that_wakes_late),
        KIT_RESTART_TEST(a_list_over_its_end),
        KIT_RESTART_TEST(found_closed_while_it_is_reopened),
        KIT_RESTART_TEST(by_the_thread_that_tells),
        KIT_RESTART_TEST(the_thread_tells_of_a_quota),
        KIT_RESTART_TEST(the_thread_does_not_hurry),
        KIT_RESTART_TEST(many_clients),
        KIT_RESTART_TEST(hbctl_goes_on),
    };
    return cmocka_run_group_tests_name("reopen_self", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
