/* The library with many threads: they lead and follow, none is the library's own. Sending to oneself, two
 * full queues, a reader that exits, and a server that talks nonsense. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 16
#define SENDS_EACH 40

/* What one thread does, and how it went: a thread cannot fail a test itself. */
struct job {
    hbk_client *client;
    const char *name;
    HANDLE event;
    const char *data;
    uint32_t timeout_ms;
    int count;
    hbk_result result; /* the first that was not HBK_OK */
    int done;
    HANDLE thread;
};

static void begin_job(struct job *job, LPTHREAD_START_ROUTINE what)
{
    job->thread = CreateThread(NULL, 0, what, job, 0, NULL);
    assert_non_null(job->thread);
}

static void end_job(struct job *job, hbk_result expected)
{
    if (WaitForSingleObject(job->thread, 3 * KIT_WAIT_MS) != WAIT_OBJECT_0)
        fail_msg("a thread hangs after %d of %d", job->done, job->count);
    CloseHandle(job->thread);
    if (job->result != expected)
        fail_msg("a thread ended with %s after %d of %d", hbk_result_word(job->result), job->done,
                 job->count);
}

static DWORD WINAPI send_many(void *context)
{
    struct job *job = context;
    hbk_send_item item = {.handle = job->event};
    hbk_send_options send = {.size = sizeof send, .to = job->name, .items = &item, .count = 1};
    send.data = job->data;
    for (; job->done < job->count && job->result == HBK_OK; job->done++)
        job->result = hbk_send(job->client, &send, NULL, NULL);
    return 0;
}

static DWORD WINAPI receive_many(void *context)
{
    struct job *job = context;
    while (job->done < job->count && job->result == HBK_OK) {
        hbk_delivery *delivery = NULL;
        job->result = hbk_receive(job->client, job->timeout_ms, &delivery, NULL);
        if (job->result == HBK_OK)
            job->done++;
        if (delivery != NULL && delivery->offered)
            job->result = hbk_accept(job->client, delivery, NULL);
        hbk_delivery_free(delivery);
    }
    return 0;
}

static DWORD WINAPI status_many(void *context)
{
    struct job *job = context;
    hbk_status_info status;
    for (; job->done < job->count && job->result == HBK_OK; job->done++)
        job->result = hbk_status(job->client, &status, NULL);
    return 0;
}

static hbk_client *listening(const char *name, uint32_t flags)
{
    hbk_client *client = kit_client();
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name, .flags = flags};
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
    return client;
}

/* ---- oneself ---- */

static void to_oneself(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    struct kit_mark mark;
    hbk_client *client = listening(name, 0);
    hbk_delivery *delivery = NULL;
    kit_mark(&mark, GetCurrentProcessId());
    assert_int_equal(kit_send(client, name, event, 0, 0, NULL), HBK_OK);
    assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_true(SetEvent(delivery->items[0].handle));
    assert_true(kit_is_set(event));
    hbk_delivery_free(delivery);
    kit_unchanged(&mark);
    CloseHandle(event);
}

static void asking_oneself_takes_two_threads(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *client = listening(name, HBK_ENDPOINT_ASK);
    struct job receiver = {.client = client, .timeout_ms = KIT_WAIT_MS, .count = 5};
    struct job sender = {.client = client, .name = name, .event = event, .count = 5};
    begin_job(&receiver, receive_many);
    begin_job(&sender, send_many);
    end_job(&sender, HBK_OK);
    end_job(&receiver, HBK_OK);
    assert_int_equal(receiver.done, 5);
    CloseHandle(event);
}

/* ---- many ---- */

static void many_threads_on_one_client(void **state)
{
    (void)state;
    enum { SENDERS = 6, RECEIVERS = 3, OTHERS = 2 };
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *client = listening(name, 0);
    struct kit_mark mark;
    struct job jobs[SENDERS + RECEIVERS + OTHERS];
    memset(jobs, 0, sizeof jobs);
    for (int i = 0; i < SENDERS + RECEIVERS + OTHERS; i++) {
        jobs[i].client = client;
        jobs[i].name = name;
        jobs[i].event = event;
        jobs[i].timeout_ms = KIT_WAIT_MS;
        jobs[i].count =
            i >= SENDERS && i < SENDERS + RECEIVERS ? SENDS_EACH * SENDERS / RECEIVERS : SENDS_EACH;
    }
    for (int round = 0; round < 2; round++) {
        if (round == 1)
            kit_mark(&mark, GetCurrentProcessId()); /* the first has warmed up */
        for (int i = 0; i < SENDERS + RECEIVERS + OTHERS; i++) {
            jobs[i].done = 0;
            begin_job(&jobs[i], i < SENDERS               ? send_many
                                : i < SENDERS + RECEIVERS ? receive_many
                                                          : status_many);
        }
        for (int i = 0; i < SENDERS + RECEIVERS + OTHERS; i++)
            end_job(&jobs[i], HBK_OK);
    }
    hbk_delivery *none = NULL;
    assert_int_equal(hbk_receive(client, 0, &none, NULL), HBK_TIMEOUT); /* each arrived once */
    kit_unchanged(&mark);
    CloseHandle(event);
}

/* One thread leads, reading for all; what it reads may be another's. */
static void a_receiver_reads_for_a_sender(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *client = listening(name, 0), *other = kit_client();
    struct job receiver = {.client = client, .timeout_ms = 2 * KIT_WAIT_MS, .count = 1};
    begin_job(&receiver, receive_many);
    Sleep(100); /* it reads now, with nothing to come */
    hbk_status_info status;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(hbk_status(client, &status, NULL), HBK_OK);
        assert_int_equal(kit_send(client, "user/test/nobody", event, 0, 0, NULL), HBK_NOT_FOUND);
    }
    assert_int_equal(WaitForSingleObject(receiver.thread, 0), WAIT_TIMEOUT);
    assert_int_equal(kit_send(other, name, event, 0, 0, NULL), HBK_OK);
    end_job(&receiver, HBK_OK);
    CloseHandle(event);
}

/* The read that a thread has begun may be cancelled when it exits; it is begun again. */
static void the_reader_exits(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *client = listening(name, 0), *other = kit_client();
    for (int round = 0; round < 10; round++) {
        struct job reader = {.client = client, .timeout_ms = 20, .count = 1};
        begin_job(&reader, receive_many);
        end_job(&reader, HBK_TIMEOUT);
        hbk_status_info status;
        if (round % 2 == 0)
            assert_int_equal(hbk_status(client, &status, NULL), HBK_OK);
        assert_int_equal(kit_send(other, name, event, 0, 0, NULL), HBK_OK);
        hbk_delivery *delivery = NULL;
        assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
        hbk_delivery_free(delivery);
        assert_int_equal(WaitForSingleObject(hbk_wait_handle(client), KIT_QUIET_MS), WAIT_TIMEOUT);
    }
    CloseHandle(event);
}

/* Return: how many were there, one or none. */
static int take_one(hbk_client *client, const char *data)
{
    hbk_delivery *delivery = NULL;
    if (hbk_receive(client, 0, &delivery, NULL) != HBK_OK)
        return 0;
    assert_string_equal(delivery->data, data);
    hbk_delivery_free(delivery);
    return 1;
}

/* Two that send to each other, more than their pipes hold, and receive nothing meanwhile. */
static void two_full_queues(void **state)
{
    (void)state;
    static char data[8001];
    const char *first = kit_endpoint_name(), *second = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    hbk_client *a = listening(first, 0), *b = listening(second, 0);
    memset(data, 'x', sizeof data - 1);
    struct job jobs[4] = {{.client = a, .name = second},
                          {.client = b, .name = first},
                          {.client = a, .name = second},
                          {.client = b, .name = first}};
    for (int i = 0; i < 4; i++) {
        jobs[i].event = event;
        jobs[i].data = data;
        jobs[i].count = SENDS_EACH;
        begin_job(&jobs[i], send_many);
    }
    /* The first thread that is done leaves its client to the other, and that may leave it to nobody while
     * the other client is still sending: from then on somebody has to read. */
    HANDLE threads[4] = {jobs[0].thread, jobs[1].thread, jobs[2].thread, jobs[3].thread};
    int received = 0;
    uint64_t end = kit_now_ms() + (uint64_t)3 * KIT_WAIT_MS;
    WaitForMultipleObjects(4, threads, FALSE, 3 * KIT_WAIT_MS);
    while (WaitForMultipleObjects(4, threads, TRUE, 1) != WAIT_OBJECT_0 && kit_now_ms() < end)
        received += take_one(a, data) + take_one(b, data);
    for (int i = 0; i < 4; i++)
        end_job(&jobs[i], HBK_OK);
    while (received < 4 * SENDS_EACH && kit_now_ms() < end)
        received += take_one(a, data) + take_one(b, data);
    assert_int_equal(received, 4 * SENDS_EACH);
    assert_int_equal(take_one(a, data) + take_one(b, data), 0);
    kit_close(a);
    kit_close(b);
    kit_unchanged(&mark);
    CloseHandle(event);
}

/* A target that is slow: its process lives and reads nothing for a while, its sender goes on with others. */
static void a_sender_that_waits_is_no_obstacle(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name(), *late = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *client = listening(name, 0);
    hbk_send_item item = {.handle = event};
    hbk_send_options wait = {
        .size = sizeof wait, .to = late, .items = &item, .count = 1, .wait_ms = 1500};
    struct job sender = {.client = client, .name = name, .event = event, .count = 20};
    uint64_t start = kit_now_ms();
    begin_job(&sender, send_many);
    assert_int_equal(hbk_send(client, &wait, NULL, NULL), HBK_TIMEOUT);
    assert_in_range(kit_now_ms() - start, 1400, 1500 + 3000);
    end_job(&sender, HBK_OK);
    CloseHandle(event);
}

/* ---- a server that cannot be believed ---- */

struct liar {
    HANDLE pipe;
    const char *line;
    HANDLE thread;
};

static DWORD WINAPI lie(void *context)
{
    struct liar *liar = context;
    char bytes[4096];
    DWORD size = 0;
    if (!ConnectNamedPipe(liar->pipe, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
        return 1;
    ReadFile(liar->pipe, bytes, sizeof bytes, &size, NULL);
    WriteFile(liar->pipe, liar->line, (DWORD)strlen(liar->line), &size, NULL);
    while (ReadFile(liar->pipe, bytes, sizeof bytes, &size, NULL)) {
        /* until the client goes */
    }
    return 0;
}

static void a_server_that_talks_nonsense(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "\n",
        "{}\n",
        "[1]\n",
        "nonsense\n",
        "\xFF\xFE\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"proof\":-1}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":0}}\n",
        "{\"jsonrpc\":\"2.0\",\"method\":\"handle.delivered\",\"params\":{}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.hello\",\"params\":{}}\n",
    };
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const wchar_t *name = kit_pipe_name();
        struct liar liar = {.line = lines[i]};
        liar.pipe =
            CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 4096, 4096, 0, NULL);
        assert_true(liar.pipe != INVALID_HANDLE_VALUE);
        liar.thread = CreateThread(NULL, 0, lie, &liar, 0, NULL);
        hbk_open_options options = {
            .size = sizeof options, .pipe = name, .flags = HBK_OPEN_UNVERIFIED};
        options.connect_timeout_ms = 1000;
        hbk_client *client = NULL;
        hbk_error_info error = {.result = HBK_OK};
        hbk_result result = hbk_open(&options, &client, &error);
        if (result == HBK_OK || client != NULL)
            fail_msg("believed: %s", lines[i]);
        assert_int_equal(error.result, result);
        assert_int_equal(WaitForSingleObject(liar.thread, KIT_WAIT_MS), WAIT_OBJECT_0);
        CloseHandle(liar.thread);
        CloseHandle(liar.pipe);
    }
    kit_unchanged(&mark);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(to_oneself),
        KIT_TEST(asking_oneself_takes_two_threads),
        KIT_TEST(many_threads_on_one_client),
        KIT_TEST(a_receiver_reads_for_a_sender),
        KIT_TEST(the_reader_exits),
        KIT_TEST(two_full_queues),
        KIT_TEST(a_sender_that_waits_is_no_obstacle),
        KIT_TEST(a_server_that_talks_nonsense),
    };
    return cmocka_run_group_tests_name("threads", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
