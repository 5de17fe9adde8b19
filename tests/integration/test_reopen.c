/* A client over a restart of the service: what comes back, what is gone, what stands in the way. Each test begins
 * and ends with the service running. */
#include "restart.h"
#include "script.h"

#include <stdio.h>
#include <string.h>

static DWORD WINAPI reopen_job(void *context)
{
    struct kit_job *job = context;
    job->result = hbk_reopen(job->client, job->timeout_ms, NULL);
    return 0;
}

/* ---- endpoints ---- */

struct names {
    const char *plain, *asking, *revocable, *events, *few, *others;
};

static void open_all(hbk_client *client, struct names *ret_names)
{
    const hbk_type_accept event = {"Event", EVENT_MODIFY_STATE};
    hbk_endpoint_options events = {.size = sizeof events}, few = events, others = events;
    char *copies[6];
    for (int i = 0; i < 6; i++) {
        static char texts[6][64];
        (void)snprintf(texts[i], sizeof texts[i], "%s", kit_endpoint_name());
        copies[i] = texts[i];
    }
    *ret_names = (struct names){copies[0], copies[1], copies[2], copies[3], copies[4], copies[5]};
    events.name = ret_names->events;
    events.types = &event;
    events.types_count = 1;
    few.name = ret_names->few;
    few.items_max = 1;
    others.name = ret_names->others;
    others.from = "D:(A;;0x2;;;S-1-5-21-1-2-3-4)";
    kit_listen(client, ret_names->plain, 0);
    kit_listen(client, ret_names->asking, HBK_ENDPOINT_ASK);
    kit_listen(client, ret_names->revocable, HBK_ENDPOINT_REVOCABLE);
    assert_int_equal(hbk_endpoint_open(client, &events, NULL), HBK_OK);
    assert_int_equal(hbk_endpoint_open(client, &few, NULL), HBK_OK);
    assert_int_equal(hbk_endpoint_open(client, &others, NULL), HBK_OK);
}

/* Each option is seen in what it lets pass and in what it does not. */
static void check_all(hbk_client *target, const struct names *names)
{
    hbk_client *source = kit_connect(0);
    HANDLE event = kit_make(KIT_EVENT), section = kit_make(KIT_SECTION);
    hbk_send_item two[2] = {{.handle = event}, {.handle = event}};
    hbk_send_options send = {.size = sizeof send, .to = names->few, .items = two, .count = 2};
    struct kit_job job = {.client = target, .timeout_ms = KIT_WAIT_MS};
    kit_hand_over(target, names->plain);
    kit_job_start(&job, kit_job_receive);
    send.to = names->asking;
    send.timeout_ms = KIT_QUIET_MS;
    assert_int_equal(hbk_send(source, &send, NULL, NULL), HBK_TIMEOUT); /* it was asked */
    kit_job_join(&job);
    assert_int_equal(job.result, HBK_OK);
    assert_true(job.delivery->offered);
    hbk_delivery_free(job.delivery);
    assert_int_equal(kit_send_as(source, names->revocable, event, HBK_SEND_REVOCABLE, NULL),
                     HBK_OK);
    hbk_delivery_free(kit_receive(target));
    assert_int_equal(kit_send_as(source, names->plain, event, HBK_SEND_REVOCABLE, NULL),
                     HBK_ACCESS_NOT_ACCEPTED);
    assert_int_equal(kit_send(source, names->events, event, EVENT_MODIFY_STATE, 0, NULL), HBK_OK);
    hbk_delivery_free(kit_receive(target));
    assert_int_equal(kit_send(source, names->events, event, 0, 0, NULL), HBK_ACCESS_NOT_ACCEPTED);
    assert_int_equal(kit_send(source, names->events, section, 0, 0, NULL), HBK_ACCESS_NOT_ACCEPTED);
    send.to = names->few;
    send.count = 1;
    assert_int_equal(hbk_send(source, &send, NULL, NULL), HBK_OK);
    hbk_delivery_free(kit_receive(target));
    send.count = 2;
    assert_int_equal(hbk_send(source, &send, NULL, NULL), HBK_ACCESS_NOT_ACCEPTED);
    assert_int_equal(kit_send(source, names->others, event, 0, 0, NULL), HBK_NOT_FOUND);
    kit_unmake(KIT_EVENT, event);
    kit_unmake(KIT_SECTION, section);
    hbk_close(source);
}

static void endpoints_come_back_as_they_were(void **state)
{
    (void)state;
    struct names names;
    hbk_client *client = kit_connect(0), *other = NULL;
    open_all(client, &names);
    check_all(client, &names);
    kit_restart();
    assert_int_equal(kit_ask(client), HBK_DISCONNECTED);
    other = kit_connect(0);
    assert_false(
        kit_is_listed(other, names.others)); /* nothing comes back without being asked for */
    kit_reopen(client);
    assert_true(kit_is_listed(other, names.others));
    check_all(client, &names);
    kit_restart();
    kit_reopen(client);
    check_all(client, &names);
    hbk_close(other);
    hbk_close(client);
    other = kit_connect(0);
    assert_false(kit_is_listed(other, names.plain));
    hbk_close(other);
}

static void what_was_closed_stays_closed(void **state)
{
    (void)state;
    const char *before = kit_endpoint_name(), *gone = kit_endpoint_name();
    const char *kept = kit_endpoint_name();
    hbk_client *client = kit_connect(0);
    kit_listen(client, before, 0);
    kit_listen(client, gone, 0);
    kit_listen(client, kept, 0);
    assert_int_equal(hbk_endpoint_close(client, before, NULL), HBK_OK);
    kit_restart();
    assert_int_equal(hbk_endpoint_close(client, before, NULL), HBK_DISCONNECTED);
    assert_int_equal(hbk_endpoint_close(client, gone, NULL),
                     HBK_OK); /* while there is no connection */
    assert_int_equal(hbk_endpoint_close(client, gone, NULL), HBK_DISCONNECTED);
    kit_reopen(client);
    assert_false(kit_is_listed(client, before));
    assert_false(kit_is_listed(client, gone));
    assert_true(kit_is_listed(client, kept));
    kit_hand_over(client, kept);
    hbk_close(client);
}

static void a_name_that_is_taken_meanwhile(void **state)
{
    (void)state;
    const char *first = kit_endpoint_name(), *taken = kit_endpoint_name();
    char expected[128];
    hbk_error_info error = {.result = HBK_OK};
    hbk_client *client = kit_connect(0), *other = NULL;
    kit_listen(client, taken, 0);
    kit_listen(client, first, 0);
    kit_restart();
    other = kit_connect(0);
    kit_listen(other, taken, 0);
    (void)snprintf(expected, sizeof expected, "the endpoint %s: ", taken);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hbk_reopen(client, KIT_WAIT_MS, &error), HBK_EXISTS);
        assert_memory_equal(error.detail, expected, strlen(expected));
        assert_int_equal(kit_ask(client), HBK_DISCONNECTED);
        assert_false(kit_is_listed(other, first)); /* all or nothing */
    }
    assert_int_equal(hbk_endpoint_close(other, taken, NULL), HBK_OK);
    kit_reopen(client);
    kit_hand_over(client, taken);
    kit_hand_over(client, first);
    hbk_close(other);
    hbk_close(client);
}

/* ---- what was there before ---- */

static void what_was_received_stays(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name(), *asking = kit_endpoint_name();
    hbk_client *client = kit_connect(0), *source = kit_connect(0);
    HANDLE event = kit_make(KIT_EVENT), later = kit_make(KIT_EVENT);
    hbk_delivery *first = NULL, *second = NULL;
    kit_listen(client, name, 0);
    kit_listen(client, asking, HBK_ENDPOINT_ASK);
    assert_int_equal(kit_send(source, name, event, 0, 0, NULL), HBK_OK);
    first = kit_receive(client);
    assert_int_equal(kit_send(source, name, later, 0, 0, NULL), HBK_OK);
    kit_restart();
    assert_int_equal(hbk_reopen(client, KIT_WAIT_MS, NULL), HBK_OK);
    second = kit_receive(client);
    assert_true(SetEvent(first->items[0].handle) && SetEvent(second->items[0].handle));
    assert_true(kit_is_set(event) && kit_is_set(later));
    hbk_delivery_free(first);
    hbk_delivery_free(second);
    assert_int_equal(hbk_receive(client, 0, &first, NULL), HBK_TIMEOUT);
    kit_hand_over(client, name);
    hbk_close(source);
    hbk_close(client);
    CloseHandle(event);
    CloseHandle(later);
}

struct offer {
    hbk_client *source;
    const char *name;
    HANDLE event;
    hbk_result result;
};

static DWORD WINAPI offer_job(void *context)
{
    struct offer *offer = context;
    offer->result = kit_send_as(offer->source, offer->name, offer->event, 0, NULL);
    return 0;
}

static DWORD WINAPI waiting_job(void *context)
{
    struct offer *offer = context;
    hbk_send_item item = {.handle = offer->event};
    hbk_send_options send = {
        .size = sizeof send, .to = offer->name, .items = &item, .count = 1, .wait_ms = KIT_WAIT_MS};
    offer->result = hbk_send(offer->source, &send, NULL, NULL);
    return 0;
}

static HANDLE begin_offer(struct offer *offer)
{
    HANDLE thread = CreateThread(NULL, 0, offer_job, offer, 0, NULL);
    assert_non_null(thread);
    return thread;
}

static void end_offer(HANDLE thread)
{
    assert_int_equal(WaitForSingleObject(thread, 2 * KIT_WAIT_MS), WAIT_OBJECT_0);
    CloseHandle(thread);
}

static void HBK_CALLBACK on_arrival(hbk_client *client, void *context)
{
    (void)client;
    SetEvent(context);
}

/* A name comes back and another does not: what came to the first in between was delivered, and is not lost. */
static void what_came_to_a_failed_one_stays(void **state)
{
    (void)state;
    const char *taken = kit_endpoint_name(), *name = kit_endpoint_name();
    HANDLE called = CreateEventW(NULL, FALSE, FALSE, NULL);
    hbk_delivery *delivery = NULL;
    for (int i = 0; i < 2; i++) {
        hbk_client *client = kit_connect(i == 0 ? 0 : HBK_OPEN_REOPEN);
        struct offer sends = {.name = name, .event = kit_make(KIT_EVENT)};
        kit_listen(client, taken, 0);
        kit_listen(client, name, 0); /* the last is the first to be opened again */
        kit_restart();
        sends.source = kit_connect(0);
        kit_listen(sends.source, taken, 0);
        HANDLE thread = CreateThread(NULL, 0, waiting_job, &sends, 0, NULL);
        Sleep(KIT_QUIET_MS);
        if (i == 0) {
            assert_int_equal(hbk_notify_call(client, on_arrival, called, NULL), HBK_OK);
            assert_int_equal(WaitForSingleObject(called, KIT_WAIT_MS), WAIT_OBJECT_0); /* the end */
            assert_int_equal(hbk_reopen(client, 0, NULL), HBK_EXISTS);
            assert_int_equal(WaitForSingleObject(called, KIT_WAIT_MS), WAIT_OBJECT_0);
        }
        delivery = kit_receive(client);
        end_offer(thread);
        assert_int_equal(sends.result, HBK_OK);
        assert_true(SetEvent(delivery->items[0].handle));
        assert_true(kit_is_set(sends.event));
        hbk_delivery_free(delivery);
        assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_DISCONNECTED);
        hbk_close(sends.source);
        kit_reopen(client);
        kit_hand_over(client, name);
        hbk_close(client);
        CloseHandle(sends.event);
    }
    CloseHandle(called);
}

/* The new service numbers as the old one did, so the numbers meet. */
static void old_offers_are_void(void **state)
{
    (void)state;
    kit_restart();
    const char *asking = kit_endpoint_name();
    hbk_client *client = kit_connect(0);
    struct offer offer = {kit_connect(0), asking, kit_make(KIT_EVENT), HBK_OK};
    hbk_delivery *old = NULL, *now = NULL;
    kit_listen(client, asking, HBK_ENDPOINT_ASK);
    HANDLE thread = begin_offer(&offer);
    old = kit_receive(client);
    assert_true(old->offered);
    HANDLE unseen = begin_offer(&offer); /* a second, which is not received */
    Sleep(KIT_QUIET_MS);
    kit_service_stop();
    end_offer(thread);
    end_offer(unseen);
    kit_service_start();
    kit_reopen(client);
    hbk_close(offer.source);
    assert_int_equal(hbk_receive(client, 0, &now, NULL), HBK_TIMEOUT);
    offer.source = kit_connect(0);
    thread = begin_offer(&offer);
    now = kit_receive(client);
    assert_int_equal(HBK_SERVICE_NUMBER(now->id), HBK_SERVICE_NUMBER(old->id));
    assert_true(now->id != old->id);
    assert_int_equal(hbk_accept(client, old, NULL), HBK_NOT_FOUND);
    assert_int_equal(hbk_reject(client, old, "no", NULL), HBK_NOT_FOUND);
    assert_int_equal(WaitForSingleObject(thread, KIT_QUIET_MS), WAIT_TIMEOUT); /* still offered */
    assert_int_equal(hbk_accept(client, now, NULL), HBK_OK);
    end_offer(thread);
    assert_int_equal(offer.result, HBK_OK);
    assert_true(SetEvent(now->items[0].handle));
    assert_true(kit_is_set(offer.event));
    hbk_delivery_free(old);
    hbk_delivery_free(now);
    hbk_close(offer.source);
    hbk_close(client);
    CloseHandle(offer.event);
}

static void old_numbers_revoke_nothing(void **state)
{
    (void)state;
    kit_restart();
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_connect(0);
    HANDLE event = kit_make(KIT_EVENT), other = kit_make(KIT_EVENT);
    hbk_notification notice;
    uint64_t old = 0, now = 0, closed = 0;
    assert_int_equal(hbk_notification_receive(client, 0, &notice, NULL), HBK_TIMEOUT);
    kit_listen(client, name, HBK_ENDPOINT_REVOCABLE);
    assert_int_equal(kit_send_as(client, name, event, HBK_SEND_REVOCABLE, &old), HBK_OK);
    hbk_delivery *held = kit_receive(client);
    kit_restart();
    kit_reopen(client);
    kit_notice(client, HBK_NOTIFICATION_REOPENED, &notice);
    assert_int_equal(kit_send_as(client, name, other, HBK_SEND_REVOCABLE, &now), HBK_OK);
    hbk_delivery *fresh = kit_receive(client);
    assert_int_equal(fresh->id, now);
    assert_int_equal(held->id, old);
    assert_int_equal(HBK_SERVICE_NUMBER(now), HBK_SERVICE_NUMBER(old));
    assert_int_equal(hbk_revoke(client, old, &closed, NULL), HBK_NOT_FOUND);
    assert_true(SetEvent(fresh->items[0].handle));
    assert_true(kit_is_set(other));
    assert_int_equal(hbk_revoke(client, now, &closed, NULL), HBK_OK);
    assert_int_equal(closed, 1);
    kit_notice(client, HBK_NOTIFICATION_REVOKED, &notice);
    assert_int_equal(notice.delivery, now);
    assert_null(fresh->items[0].handle);
    assert_true(SetEvent(held->items[0].handle)); /* it is out of the service's reach */
    assert_true(kit_is_set(event));
    hbk_delivery_free(held);
    hbk_delivery_free(fresh);
    hbk_close(client);
    CloseHandle(event);
    CloseHandle(other);
}

static void old_numbers_remove_no_entry(void **state)
{
    (void)state;
    kit_restart();
    hbk_client *client = kit_connect(0);
    HANDLE event = kit_make(KIT_EVENT);
    hbk_store_put_options put = {.size = sizeof put, .name = "user/test/reopen", .handle = event};
    hbk_store_entries *list = NULL;
    hbk_stored old, now;
    assert_int_equal(hbk_store_put(client, &put, &old, NULL), HBK_OK);
    kit_restart();
    kit_reopen(client);
    assert_int_equal(hbk_store_put(client, &put, &now, NULL), HBK_OK);
    assert_int_equal(HBK_SERVICE_NUMBER(now.entry), HBK_SERVICE_NUMBER(old.entry));
    assert_int_equal(hbk_store_remove_entry(client, old.entry, NULL), HBK_NOT_FOUND);
    assert_int_equal(hbk_store_list(client, &list, NULL), HBK_OK);
    assert_int_equal(list->count, 1);
    assert_int_equal(list->entries[0].entry, now.entry);
    hbk_store_entries_free(list);
    assert_int_equal(hbk_store_remove_entry(client, now.entry, NULL), HBK_OK);
    hbk_close(client);
    CloseHandle(event);
}

/* ---- the service is away ---- */

static void not_there(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_connect(0);
    hbk_error_info error = {.result = HBK_OK};
    kit_listen(client, name, 0);
    kit_service_stop();
    uint64_t start_ms = kit_now_ms();
    assert_int_equal(hbk_reopen(client, 0, &error), HBK_UNAVAILABLE);
    assert_true(kit_now_ms() - start_ms < KIT_WAIT_MS / 2);
    assert_true(error.detail[0] != '\0');
    start_ms = kit_now_ms();
    assert_int_equal(hbk_reopen(client, 700, NULL), HBK_UNAVAILABLE);
    assert_in_range(kit_now_ms() - start_ms, 600, KIT_WAIT_MS / 2);
    assert_int_equal(kit_ask(client), HBK_DISCONNECTED);
    struct kit_job job = {.client = client, .timeout_ms = 3 * KIT_WAIT_MS};
    kit_job_start(&job, reopen_job);
    Sleep(KIT_QUIET_MS);
    assert_int_equal(hbk_reopen(client, 0, NULL), HBK_UNAVAILABLE); /* one thread is at it */
    kit_service_start();
    kit_job_join(&job);
    assert_int_equal(job.result, HBK_OK);
    kit_hand_over(client, name);
    hbk_close(client);
}

/* Given up while another thread waits for the service: it does not come back with the rest. */
static void closed_while_it_is_reopened(void **state)
{
    (void)state;
    const char *gone = kit_endpoint_name(), *kept = kit_endpoint_name();
    struct kit_job job = {.client = kit_connect(0), .timeout_ms = 3 * KIT_WAIT_MS};
    kit_listen(job.client, gone, 0);
    kit_listen(job.client, kept, 0);
    kit_service_stop();
    kit_job_start(&job, reopen_job);
    Sleep(KIT_QUIET_MS);
    assert_int_equal(hbk_endpoint_close(job.client, gone, NULL), HBK_OK);
    assert_int_equal(hbk_endpoint_close(job.client, gone, NULL), HBK_DISCONNECTED);
    kit_service_start();
    kit_job_join(&job);
    assert_int_equal(job.result, HBK_OK);
    assert_false(kit_is_listed(job.client, gone));
    assert_true(kit_is_listed(job.client, kept));
    kit_listen(job.client, gone, 0);
    kit_hand_over(job.client, gone);
    hbk_close(job.client);
}

/* Given up when it is open over the new connection already, and another is not yet. */
static void closed_when_it_is_open_again(void **state)
{
    (void)state;
    static const struct kit_step before[] = {
        {.method = "endpoint.open", .result = "{\"endpoint\":\"user/kept\"}"},
        {.method = "broker.status",
         .error = "{\"code\":2,\"message\":\"denied\",\"data\":{\"detail\":\"no\"}}",
         .last = true}};
    HANDLE go = CreateEventW(NULL, TRUE, FALSE, NULL);
    const struct kit_step after[] = {
        {.method = "endpoint.open", .result = "{\"endpoint\":\"user/gone\"}"},
        {.method = "endpoint.open", .result = "{\"endpoint\":\"user/kept\"}", .go = go},
        {.method = "endpoint.close", .result = "{}"},
        {.method = "endpoint.close", .result = "{}"}};
    struct kit_script script;
    kit_script_begin(&script, before, 2);
    struct kit_job job = {.client = kit_script_client(&script), .timeout_ms = KIT_WAIT_MS};
    kit_listen(job.client, "user/kept", 0);
    kit_listen(job.client, "user/gone", 0);
    kit_ask(job.client);
    kit_script_again(&script, after, 4);
    kit_job_start(&job, reopen_job);
    Sleep(KIT_QUIET_MS);
    assert_int_equal(hbk_endpoint_close(job.client, "user/gone", NULL), HBK_OK);
    SetEvent(go);
    kit_job_join(&job);
    assert_int_equal(job.result, HBK_OK);
    hbk_close(job.client);
    kit_script_end(&script);
    assert_non_null(strstr(script.asked[2], "user/gone"));
    assert_non_null(strstr(script.asked[3], "user/kept")); /* by hbk_close() */
    CloseHandle(go);
}

/* A service that says that it is about to stop, and does not come to it. */
static void the_end_is_waited_for(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "broker.status",
         .error = "{\"code\":15,\"message\":\"stopping\",\"data\":{\"detail\":\"it stops\"}}"}};
    struct kit_script script;
    kit_script_begin(&script, steps, 1);
    hbk_client *client = kit_script_client(&script);
    assert_int_equal(hbk_reopen(client, 0, NULL), HBK_OK); /* nothing of the kind was said */
    assert_int_equal(kit_ask(client), HBK_STOPPING);
    uint64_t start_ms = kit_now_ms();
    assert_int_equal(hbk_reopen(client, 300, NULL), HBK_STOPPING);
    assert_in_range(kit_now_ms() - start_ms, 250, KIT_WAIT_MS / 2);
    hbk_close(client);
    kit_script_end(&script);
}

/* The operator changes the rules meanwhile. */
static void a_name_that_is_denied_meanwhile(void **state)
{
    (void)state;
    const char *name = "global/test/reopen";
    hbk_error_info error = {.result = HBK_OK};
    kit_service_stop();
    kit_rules("{\"rules\": [{\"name\": \"global/test/*\", \"open\": \"D:(A;;0x1;;;WD)\", \"send\": "
              "\"D:(A;;0x2;;;WD)\"}]}");
    kit_service_start();
    hbk_client *client = kit_connect(0);
    kit_listen(client, name, 0);
    kit_hand_over(client, name);
    kit_service_stop();
    kit_rules(NULL);
    kit_service_start();
    assert_int_equal(hbk_reopen(client, KIT_WAIT_MS, &error), HBK_DENIED);
    assert_non_null(strstr(error.detail, name));
    assert_int_equal(kit_ask(client), HBK_DISCONNECTED);
    assert_int_equal(hbk_endpoint_close(client, name, NULL), HBK_OK);
    kit_reopen(client);
    assert_int_equal(kit_ask(client), HBK_OK);
    hbk_close(client);
}

static void connected_already(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_connect(0);
    hbk_notification notice;
    assert_int_equal(hbk_notification_receive(client, 0, &notice, NULL), HBK_TIMEOUT);
    kit_listen(client, name, 0);
    assert_int_equal(hbk_reopen(client, 0, NULL), HBK_OK);
    assert_int_equal(hbk_notification_receive(client, 0, &notice, NULL), HBK_TIMEOUT);
    kit_hand_over(client, name);
    assert_int_equal(hbk_reopen(NULL, 0, NULL), HBK_INVALID_ARGUMENT);
    hbk_close(client);
}

/* What sits at the pipe's name is asked who it is, as by hbk_open(), and is sent nothing. */
static void an_impostor_is_not_believed(void **state)
{
    (void)state;
    hbk_client *client = kit_connect(0), *other = NULL;
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    DWORD size = 0;
    char byte;
    kit_service_stop();
    HANDLE pipe = CreateNamedPipeW(HBK_PIPE_NAME, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                   PIPE_TYPE_BYTE, 1, 4096, 4096, 0, NULL);
    assert_true(pipe != INVALID_HANDLE_VALUE);
    for (int i = 0; i < 2; i++) {
        assert_false(ConnectNamedPipe(pipe, &overlapped));
        assert_int_equal(GetLastError(), ERROR_IO_PENDING);
        if (i == 0)
            assert_int_equal(hbk_reopen(client, 0, NULL), HBK_UNTRUSTED);
        else
            assert_int_equal(hbk_open(NULL, &other, NULL), HBK_UNTRUSTED);
        assert_true(GetOverlappedResult(pipe, &overlapped, &size, TRUE));
        assert_false(ReadFile(pipe, &byte, 1, &size, NULL));
        assert_int_equal(GetLastError(), ERROR_BROKEN_PIPE);
        DisconnectNamedPipe(pipe);
    }
    CloseHandle(pipe);
    CloseHandle(overlapped.hEvent);
    kit_service_start();
    kit_reopen(client);
    assert_int_equal(kit_ask(client), HBK_OK);
    hbk_close(client);
}

static void nothing_is_left_behind(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_connect(0);
    uint32_t before = 0;
    kit_listen(client, name, HBK_ENDPOINT_REVOCABLE);
    hbk_wait_handle(client);
    for (int i = 0; i < 20; i++) {
        kit_restart();
        kit_reopen(client);
        kit_hand_over(client, name);
        if (i == 0)
            before = kit_handles_at_rest(GetCurrentProcessId());
    }
    kit_handles_at_most(GetCurrentProcessId(), before);
    hbk_close(client);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_RESTART_TEST(endpoints_come_back_as_they_were),
        KIT_RESTART_TEST(what_was_closed_stays_closed),
        KIT_RESTART_TEST(a_name_that_is_taken_meanwhile),
        KIT_RESTART_TEST(what_was_received_stays),
        KIT_RESTART_TEST(what_came_to_a_failed_one_stays),
        KIT_RESTART_TEST(old_offers_are_void),
        KIT_RESTART_TEST(old_numbers_revoke_nothing),
        KIT_RESTART_TEST(old_numbers_remove_no_entry),
        KIT_RESTART_TEST(not_there),
        KIT_RESTART_TEST(closed_while_it_is_reopened),
        KIT_RESTART_TEST(closed_when_it_is_open_again),
        KIT_RESTART_TEST(the_end_is_waited_for),
        KIT_RESTART_TEST(a_name_that_is_denied_meanwhile),
        KIT_RESTART_TEST(connected_already),
        KIT_RESTART_TEST(an_impostor_is_not_believed),
        KIT_RESTART_TEST(nothing_is_left_behind),
    };
    return cmocka_run_group_tests_name("reopen", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
