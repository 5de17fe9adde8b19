/* What sender and endpoint have agreed can be taken back: what is closed and what is not, who is told, who may, and
 * what becomes of it when one of them ends. */
#include "kit.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS 3

/* A sender, which is this process, and a target that writes its own lines. */
struct scene {
    struct kit_peer target;
    struct kit_mark mark;
    hbk_client *client;
    char name[64];
    HANDLE events[EVENTS];
};

/* What was sent, as the target was told it. */
struct sent {
    uint64_t delivery;
    uint64_t values[EVENTS];
};

static void begin(struct scene *scene)
{
    scene->client = kit_client();
    (void)snprintf(scene->name, sizeof scene->name, "%s", kit_endpoint_name());
    kit_peer_raw_as(&scene->target, 0);
    kit_line_is_result(
        kit_peer_ask(&scene->target,
                     "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"endpoint.open\",\"params\":"
                     "{\"name\":\"%s\",\"revocable\":true}}",
                     scene->name),
        "3");
    for (int i = 0; i < EVENTS; i++)
        scene->events[i] = kit_make(KIT_EVENT);
    kit_mark(&scene->mark, scene->target.pid);
}

static void end(struct scene *scene)
{
    for (int i = 0; i < EVENTS; i++)
        CloseHandle(scene->events[i]);
    kit_peer_stop(&scene->target);
}

static hbk_result send_events(const struct scene *scene, uint32_t flags, hbk_receipt *ret_receipt)
{
    hbk_send_item items[EVENTS] = {{.handle = NULL}};
    for (int i = 0; i < EVENTS; i++)
        items[i].handle = scene->events[i];
    hbk_send_options send = {.size = sizeof send, .to = scene->name, .items = items};
    send.count = EVENTS;
    send.flags = flags;
    return hbk_send(scene->client, &send, ret_receipt, NULL);
}

/* Sends all of them; the target hears of it. */
static struct sent give(struct scene *scene, uint32_t flags)
{
    hbk_receipt receipt;
    struct sent sent;
    int64_t value = 0;
    assert_int_equal(send_events(scene, flags, &receipt), HBK_OK);
    sent.delivery = receipt.delivery;
    const char *line = kit_peer_hear(&scene->target, KIT_WAIT_MS);
    assert_non_null(line);
    assert_non_null(strstr(line, "\"handle.delivered\""));
    assert_non_null(strstr(line, flags != 0 ? "\"revocable\":true" : "\"revocable\":false"));
    for (int i = 0; i < EVENTS; i++) {
        line = strstr(line, "\"handle\":");
        assert_non_null(line);
        assert_true(kit_json_number(line, "handle", &value));
        sent.values[i] = (uint64_t)value;
        line++;
    }
    return sent;
}

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

/* Event @index can be set by @value of the target's. */
static bool sets(struct scene *scene, int index, uint64_t value)
{
    assert_true(ResetEvent(scene->events[index]));
    (void)kit_peer_do(&scene->target, KIT_OP_SET_EVENT, value, 0, NULL);
    return kit_is_set(scene->events[index]);
}

static void told(struct scene *scene, uint64_t delivery, const char *closed)
{
    int64_t number = 0;
    const char *line = kit_peer_hear(&scene->target, KIT_WAIT_MS);
    assert_non_null(line);
    if (strstr(line, "\"delivery.revoked\"") == NULL || strstr(line, closed) == NULL ||
        !kit_json_number(line, "delivery", &number) || number != (int64_t)delivery)
        fail_msg("%s of %llu expected: %s", closed, (unsigned long long)delivery, line);
}

static uint32_t pins(void)
{
    hbk_status_info status;
    kit_status(&status);
    return status.pins;
}

/* ---- what is closed ---- */

static void all_of_it(void **state)
{
    (void)state;
    struct scene scene;
    uint64_t closed = 0;
    begin(&scene);
    struct sent sent = give(&scene, HBK_SEND_REVOCABLE);
    for (int i = 0; i < EVENTS; i++)
        assert_true(sets(&scene, i, sent.values[i]));
    assert_int_equal(pins(), scene.mark.status.pins + EVENTS); /* so long as it can be */
    assert_int_equal(hbk_revoke(scene.client, sent.delivery, &closed, NULL), HBK_OK);
    assert_int_equal(closed, 7);
    told(&scene, sent.delivery, "\"closed\":[0,1,2]");
    for (int i = 0; i < EVENTS; i++) {
        DWORD flags = 0;
        closed_there(&scene.target, sent.values[i]);
        assert_true(GetHandleInformation(scene.events[i], &flags)); /* our own is ours still */
        assert_true(SetEvent(scene.events[i]));
    }
    KIT_REFUSED(&scene.mark, HBK_NOT_FOUND, hbk_revoke(scene.client, sent.delivery, &closed, NULL));
    end(&scene);
}

static void told_by_the_library(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_send_item item = {.handle = event};
    hbk_send_options send = {.size = sizeof send, .to = name, .items = &item, .count = 1};
    hbk_receipt receipt;
    uint64_t closed = 0;
    send.flags = HBK_SEND_REVOCABLE;
    kit_peer_listen(&target, name, HBK_ENDPOINT_REVOCABLE);
    assert_int_equal(kit_peer_do(&target, KIT_OP_NOTICE, 0, 0, NULL), HBK_TIMEOUT);
    kit_mark(&mark, target.pid);
    assert_int_equal(hbk_send(client, &send, &receipt, NULL), HBK_OK);
    assert_int_equal(kit_peer_do(&target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    uint64_t value = target.reply.items[0].handle;
    assert_int_equal(kit_peer_do(&target, KIT_OP_SET_EVENT, value, 0, NULL), 0);
    assert_int_equal(hbk_revoke(client, receipt.delivery, &closed, NULL), HBK_OK);
    assert_int_equal(closed, 1);
    assert_int_equal(kit_peer_do(&target, KIT_OP_NOTICE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    assert_int_equal(target.reply.value, HBK_NOTIFICATION_REVOKED);
    assert_int_equal(target.reply.delivery, receipt.delivery);
    assert_int_equal(target.reply.closed, 1);
    closed_there(&target, value);
    /* The library does not close the value once more: it is another's by now. */
    assert_int_equal(kit_peer_do(&target, KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
    uint64_t other = target.reply.value;
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    assert_int_equal(kit_peer_do(&target, KIT_OP_SET_EVENT, other, 0, NULL), 0);
    assert_int_equal(kit_peer_do(&target, KIT_OP_CLOSE_HANDLE, other, 0, NULL), 0);
    /* One that nobody has received yet never comes. */
    assert_int_equal(hbk_send(client, &send, &receipt, NULL), HBK_OK);
    assert_int_equal(hbk_revoke(client, receipt.delivery, &closed, NULL), HBK_OK);
    assert_int_equal(closed, 1);
    assert_int_equal(kit_peer_do(&target, KIT_OP_NOTICE, KIT_QUIET_MS, 0, NULL), HBK_TIMEOUT);
    kit_peer_quiet(&target);
    kit_unchanged(&mark);
    CloseHandle(event);
    kit_peer_stop(&target);
}

/* What is given back without a look at what became of it must not be closed twice: the value is another's by then. */
static void freed_without_a_look(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    const char *name = kit_endpoint_name();
    hbk_send_item item = {.handle = kit_make(KIT_EVENT)};
    hbk_send_options send = {.size = sizeof send, .to = name, .items = &item, .count = 1};
    hbk_receipt receipt;
    uint64_t made[64] = {0}, found = 0;
    send.flags = HBK_SEND_REVOCABLE;
    kit_peer_listen(&target, name, HBK_ENDPOINT_REVOCABLE);
    kit_mark(&mark, target.pid);
    assert_int_equal(hbk_send(client, &send, &receipt, NULL), HBK_OK);
    assert_int_equal(kit_peer_do(&target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    uint64_t value = target.reply.items[0].handle;
    assert_int_equal(hbk_revoke(client, receipt.delivery, NULL, NULL), HBK_OK);
    for (int i = 0; i < 64 && found != value; i++) {
        assert_int_equal(kit_peer_do(&target, KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
        found = made[i] = target.reply.value;
    }
    assert_int_equal(found, value);
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    assert_int_equal(kit_peer_do(&target, KIT_OP_SET_EVENT, found, 0, NULL), 0);
    for (int i = 0; i < 64 && made[i] != 0; i++)
        assert_int_equal(kit_peer_do(&target, KIT_OP_CLOSE_HANDLE, made[i], 0, NULL), 0);
    kit_unchanged(&mark);
    CloseHandle(item.handle);
    kit_peer_stop(&target);
}

static void what_the_target_has_closed(void **state)
{
    (void)state;
    struct scene scene;
    uint64_t closed = 0;
    begin(&scene);
    struct sent sent = give(&scene, HBK_SEND_REVOCABLE);
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, sent.values[1], 0, NULL), 0);
    assert_int_equal(hbk_revoke(scene.client, sent.delivery, &closed, NULL), HBK_OK);
    assert_int_equal(closed, 5);
    told(&scene, sent.delivery, "\"closed\":[0,2]");
    kit_unchanged(&scene.mark);
    /* All of it: there is nothing to take back, and that is no error. */
    sent = give(&scene, HBK_SEND_REVOCABLE);
    for (int i = 0; i < EVENTS; i++)
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, sent.values[i], 0, NULL),
                         0);
    assert_int_equal(hbk_revoke(scene.client, sent.delivery, &closed, NULL), HBK_OK);
    assert_int_equal(closed, 0);
    told(&scene, sent.delivery, "\"closed\":[]");
    kit_unchanged(&scene.mark);
    end(&scene);
}

/* Its value is another object's by now, which the broker leaves alone. */
static void what_the_target_has_in_its_place(void **state)
{
    (void)state;
    struct scene scene;
    uint64_t closed = 7, made[64] = {0}, found = 0;
    begin(&scene);
    struct sent sent = give(&scene, HBK_SEND_REVOCABLE);
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, sent.values[0], 0, NULL), 0);
    for (int i = 0; i < 64 && found != sent.values[0]; i++) {
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
        found = made[i] = scene.target.reply.value;
    }
    assert_int_equal(found, sent.values[0]);
    assert_int_equal(hbk_revoke(scene.client, sent.delivery, &closed, NULL), HBK_OK);
    assert_int_equal(closed, 6);
    told(&scene, sent.delivery, "\"closed\":[1,2]");
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_SET_EVENT, found, 0, NULL), 0);
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_WAIT, found, 0, NULL), 0);
    for (int i = 0; i < 64 && made[i] != 0; i++)
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, made[i], 0, NULL), 0);
    kit_unchanged(&scene.mark);
    end(&scene);
}

/* A process that is stopped can be taken from. Wine has the process itself close the handle, and waits for it. */
static void from_who_is_stopped(void **state)
{
    (void)state;
    struct scene scene;
    uint64_t closed = 0;
    if (kit_is_wine())
        kit_skip("Wine closes no handle of a process that is suspended");
    begin(&scene);
    struct sent sent = give(&scene, HBK_SEND_REVOCABLE);
    kit_suspend(scene.target.process, true);
    assert_int_equal(hbk_revoke(scene.client, sent.delivery, &closed, NULL), HBK_OK);
    assert_int_equal(closed, 7);
    for (int i = 0; i < EVENTS; i++)
        assert_false(kit_holds(scene.target.pid, sent.values[i]));
    kit_serve_second();
    kit_suspend(scene.target.process, false);
    told(&scene, sent.delivery, "\"closed\":[0,1,2]");
    kit_unchanged(&scene.mark);
    end(&scene);
}

/* ---- not agreed ---- */

static void what_was_not_agreed(void **state)
{
    (void)state;
    struct scene scene;
    struct kit_peer plain;
    const char *name = kit_endpoint_name();
    begin(&scene);
    /* By the sender: then it is given, and no word of its takes it back. */
    struct sent sent = give(&scene, 0);
    assert_int_equal(hbk_revoke(scene.client, sent.delivery, NULL, NULL), HBK_NOT_FOUND);
    assert_null(kit_peer_hear(&scene.target, KIT_QUIET_MS));
    for (int i = 0; i < EVENTS; i++) {
        assert_true(sets(&scene, i, sent.values[i]));
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, sent.values[i], 0, NULL),
                         0);
    }
    kit_unchanged(&scene.mark);
    /* By the endpoint. */
    kit_peer_listen(&plain, name, 0);
    kit_mark(&scene.mark, plain.pid);
    hbk_send_item item = {.handle = scene.events[0]};
    hbk_send_options send = {.size = sizeof send, .to = name, .items = &item, .count = 1};
    send.flags = HBK_SEND_REVOCABLE;
    KIT_REFUSED(&scene.mark, HBK_ACCESS_NOT_ACCEPTED, hbk_send(scene.client, &send, NULL, NULL));
    /* By what it is: a moved one cannot be had back, a protected one not be closed. */
    send.to = scene.name;
    const hbk_send_item moved = {.handle = item.handle, .flags = HBK_ITEM_MOVE};
    send.items = &moved;
    KIT_REFUSED(&scene.mark, HBK_INVALID_ARGUMENT, hbk_send(scene.client, &send, NULL, NULL));
    const hbk_send_item kept = {.handle = item.handle, .flags = HBK_ITEM_PROTECT};
    send.items = &kept;
    KIT_REFUSED(&scene.mark, HBK_INVALID_ARGUMENT, hbk_send(scene.client, &send, NULL, NULL));
    assert_null(kit_peer_hear(&scene.target, KIT_QUIET_MS));
    kit_peer_quiet(&plain);
    kit_peer_stop(&plain);
    end(&scene);
}

static void numbers_of_nothing(void **state)
{
    (void)state;
    static const char *const numbers[] = {"1", "7", "9007199254740991", "4294967296"};
    static const char *const none[] = {"0", "-1", "1.5", "9007199254740992", "\"1\"", "null"};
    struct scene scene;
    begin(&scene);
    struct kit_raw *raw = kit_raw_proven();
    struct sent sent = give(&scene, HBK_SEND_REVOCABLE);
    kit_mark(&scene.mark, scene.target.pid);
    for (size_t i = 0; i < 4; i++) {
        if (strtoull(numbers[i], NULL, 10) == sent.delivery)
            continue;
        kit_raw_ask(raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"delivery.revoke\",\"params\":"
                    "{\"delivery\":%s}}",
                    numbers[i]);
        kit_raw_is_error(raw, HBK_NOT_FOUND, "4");
    }
    for (size_t i = 0; i < 6; i++) {
        int64_t code = 0;
        kit_raw_ask(raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"delivery.revoke\",\"params\":"
                    "{\"delivery\":%s}}",
                    none[i]);
        assert_true(kit_json_number(raw->line, "code", &code));
        assert_true(code == HBK_INVALID_PARAMS || code == HBK_PARSE_ERROR);
    }
    KIT_REFUSED(&scene.mark, HBK_INVALID_ARGUMENT, hbk_revoke(scene.client, 0, NULL, NULL));
    KIT_REFUSED(&scene.mark, HBK_INVALID_ARGUMENT,
                hbk_revoke(scene.client, UINT64_MAX, NULL, NULL));
    assert_true(sets(&scene, 0, sent.values[0]));
    assert_int_equal(hbk_revoke(scene.client, sent.delivery, NULL, NULL), HBK_OK);
    end(&scene);
}

/* ---- ends ---- */

static void target_ends(void **state)
{
    (void)state;
    struct scene scene;
    hbk_notification notice;
    begin(&scene);
    assert_int_equal(hbk_notification_receive(scene.client, 0, &notice, NULL), HBK_TIMEOUT);
    kit_mark(&scene.mark, 0);
    struct sent sent = give(&scene, HBK_SEND_REVOCABLE);
    uint64_t session = (uint64_t)scene.target.session;
    kit_peer_kill(&scene.target);
    assert_int_equal(hbk_notification_receive(scene.client, KIT_WAIT_MS, &notice, NULL), HBK_OK);
    assert_int_equal(notice.kind, HBK_NOTIFICATION_SESSION_GONE);
    assert_int_equal(notice.session, session);
    assert_int_equal(hbk_revoke(scene.client, sent.delivery, NULL, NULL), HBK_NOT_FOUND);
    uint64_t due = kit_now_ms() + KIT_WAIT_MS;
    while (pins() != scene.mark.status.pins && kit_now_ms() < due)
        Sleep(10);
    assert_int_equal(pins(), scene.mark.status.pins);
    kit_handles_at_most(kit_broker()->pid, scene.mark.broker_handles);
    for (int i = 0; i < EVENTS; i++)
        assert_true(CloseHandle(scene.events[i]));
}

/* What was told stays, and nobody can take it back any more. */
static void sender_ends(void **state)
{
    (void)state;
    struct scene scene;
    struct kit_mark before;
    kit_mark(&before, 0);
    begin(&scene);
    int64_t session = 0;
    struct sent sent = give(&scene, HBK_SEND_REVOCABLE);
    kit_close(scene.client);
    const char *line = kit_peer_hear(&scene.target, KIT_WAIT_MS);
    assert_non_null(line);
    assert_non_null(strstr(line, "\"session.gone\""));
    assert_true(kit_json_number(line, "session", &session) && session > 0);
    hbk_client *other = kit_client();
    assert_int_equal(hbk_revoke(other, sent.delivery, NULL, NULL), HBK_NOT_FOUND);
    for (int i = 0; i < EVENTS; i++) {
        assert_true(sets(&scene, i, sent.values[i]));
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, sent.values[i], 0, NULL),
                         0);
    }
    kit_unchanged(&scene.mark); /* `other` is there in place of the sender */
    kit_close(other);
    end(&scene);
    kit_unchanged(&before);
}

/* ---- hbctl ---- */

static struct kit_output output;

static void run(DWORD expected, const char *arguments)
{
    wchar_t reach[128] = L"";
    if (kit_broker()->pipe != NULL)
        (void)swprintf(reach, 128, L"--pipe %ls --unverified", kit_broker()->pipe);
    kit_run(&output, 3 * KIT_WAIT_MS, L"\"%ls\" %hs %ls", kit_tool(L"hbctl.exe"), arguments, reach);
    if (output.code != expected)
        fail_msg("hbctl %s: exit code %lu\n%s\n%s", arguments, output.code, output.out, output.err);
}

static void run_revoke(DWORD expected, uint64_t delivery, const char *options)
{
    char arguments[64];
    (void)snprintf(arguments, sizeof arguments, "revoke %llu %s", (unsigned long long)delivery,
                   options);
    run(expected, arguments);
}

static void says(const char *what)
{
    if (strstr(output.out, what) == NULL)
        fail_msg("\"%s\" is missing in: %s", what, output.out);
}

static void is_json(void)
{
    struct hbk_error error;
    size_t size = strcspn(output.out, "\r\n");
    assert_int_equal(hbk_json_check((struct hbk_text){output.out, size}, &error), 0);
}

static void by_hbctl(void **state)
{
    (void)state;
    struct scene scene;
    char text[96];
    begin(&scene);
    run(0, "deliveries");
    says("no delivery of yours is under way or can be taken back");
    run(0, "deliveries --json");
    is_json();
    says("\"deliveries\":[]");
    struct sent sent = give(&scene, HBK_SEND_REVOCABLE);
    run(0, "deliveries");
    says("DELIVERY");
    says("given");
    says(scene.name);
    says("Event and more");
    (void)snprintf(text, sizeof text, "%lu, session %lld", scene.target.pid,
                   (long long)scene.target.session);
    says(text);
    run(0, "deliveries --json");
    is_json();
    (void)snprintf(text, sizeof text, "{\"delivery\":%llu,\"state\":\"given\",\"endpoint\":\"%s\"",
                   (unsigned long long)sent.delivery, scene.name);
    says(text);
    says("\"revocable\":true");
    run_revoke(1, sent.delivery + 1000, "");
    assert_non_null(strstr(output.err, "not_found"));
    run(2, "revoke");
    run(2, "revoke zero");
    assert_true(sets(&scene, 0, sent.values[0]));
    run_revoke(0, sent.delivery, "--json");
    is_json();
    says("\"closed\":[0,1,2]");
    told(&scene, sent.delivery, "\"closed\":[0,1,2]");
    kit_unchanged(&scene.mark);
    sent = give(&scene, HBK_SEND_REVOCABLE);
    run_revoke(0, sent.delivery, "");
    told(&scene, sent.delivery, "\"closed\":[0,1,2]");
    run_revoke(1, sent.delivery, "");
    kit_unchanged(&scene.mark);
    end(&scene);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(all_of_it),
        KIT_TEST(told_by_the_library),
        KIT_TEST(freed_without_a_look),
        KIT_TEST(what_the_target_has_closed),
        KIT_TEST(what_the_target_has_in_its_place),
        KIT_TEST(from_who_is_stopped),
        KIT_TEST(what_was_not_agreed),
        KIT_TEST(numbers_of_nothing),
        KIT_TEST(target_ends),
        KIT_TEST(sender_ends),
        KIT_TEST(by_hbctl),
    };
    return cmocka_run_group_tests_name("revoke", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
