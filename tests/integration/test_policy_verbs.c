/* Who may transfer, and take back what others have given: by the operator's verbs, and by what Windows would let the
 * caller do itself. Asked by clients that differ in their tokens, which write their own lines. */
#include "line.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define POOR (KIT_NO_ADMINISTRATORS | KIT_NO_PRIVILEGES)
#define PINS 64

static const char config[] =
    "{\"limits\":{\"pins_per_session\":64},\n"
    "\"verbs\":{\"transfer\":\"D:(A;;0x10;;;BU)\",\"revoke\":\"D:(A;;0x40;;;BA)\","
    "\"inspect\":\"D:(A;;0x20;;;BA)\"},\n"
    "\"rules\":[\n"
    "{\"name\":\"session/lent\",\"open\":\"D:(A;;0x1;;;WD)\",\"send\":\"D:(A;;0x2;;;BU)\"},\n"
    "{\"name\":\"user/tokens/*\",\"types\":{\"Token\":\"any\"}}\n"
    "]}\n";

#define NOT_OURS L"O:BAD:P(A;;0x1fffff;;;BA)"

/* What may be done there by who has no more than the user's own SID. */
static void let_the_user(HANDLE process)
{
    wchar_t sddl[300];
    (void)swprintf(sddl, 300, L"O:BAD:P(A;;0x1fffff;;;BA)(A;;0x40;;;%hs)", kit_user());
    kit_protect(process, sddl);
}

/* ---- handle.transfer ---- */

/* Four processes: the broker, and these. */
struct scene {
    struct kit_peer source, target, caller;
    struct kit_before before; /* of the broker and the target */
    uint32_t source_handles, caller_handles;
    uint64_t event;
};

static void begin(struct scene *scene, uint32_t less)
{
    kit_peer_start(&scene->source);
    kit_peer_raw_as(&scene->target, 0);
    kit_peer_raw_as(&scene->caller, less);
    scene->event = kit_line_make(&scene->source, KIT_EVENT);
}

static void mark(struct scene *scene)
{
    scene->before = kit_line_before(&scene->target);
    scene->source_handles = kit_handles_at_rest(scene->source.pid);
    scene->caller_handles = kit_handles_at_rest(scene->caller.pid);
}

static void end(struct scene *scene)
{
    kit_peer_stop(&scene->source);
    kit_peer_stop(&scene->target);
    kit_peer_stop(&scene->caller);
}

/* @target: 0: the caller itself. */
static const char *transfer(struct scene *scene, DWORD source, DWORD target)
{
    char to[64] = "";
    if (target != 0)
        (void)snprintf(to, sizeof to, ",\"target\":{\"pid\":%lu}", (unsigned long)target);
    return kit_peer_ask(&scene->caller,
                        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"handle.transfer\",\"params\":"
                        "{\"source\":{\"pid\":%lu},\"handle\":%llu%s}}",
                        (unsigned long)source, (unsigned long long)scene->event, to);
}

static void refused(struct scene *scene, DWORD source, DWORD target)
{
    kit_line_refused(&scene->before, transfer(scene, source, target), HBK_DENIED, "6");
    assert_int_equal(kit_handles_at_rest(scene->source.pid), scene->source_handles);
    assert_int_equal(kit_handles_at_rest(scene->caller.pid), scene->caller_handles);
}

/* To the target, which is told, and pulled. */
static void granted(struct scene *scene)
{
    int64_t there = 0, here = 0;
    const char *line = transfer(scene, scene->source.pid, scene->target.pid);
    kit_line_is_result(line, "6");
    assert_non_null(strstr(line, "\"notified\":true"));
    assert_true(kit_json_number(line, "handle", &there));
    line = kit_line_was_given(&scene->target);
    assert_non_null(strstr(line, "\"endpoint\":null"));
    assert_true(kit_json_number(line, "handle", &here));
    assert_int_equal(here, there);
    assert_int_equal(kit_peer_do(&scene->target, KIT_OP_SET_EVENT, (uint64_t)here, 0, NULL), 0);
    assert_int_equal(kit_peer_do(&scene->source, KIT_OP_WAIT, scene->event, 0, NULL), 0);
    line = transfer(scene, scene->source.pid, 0);
    kit_line_is_result(line, "6");
    assert_non_null(strstr(line, "\"notified\":false"));
    assert_true(kit_json_number(line, "handle", &here));
    assert_true(kit_holds(scene->caller.pid, (uint64_t)here));
}

static void the_verb_narrows_it(void **state)
{
    (void)state;
    struct scene scene;
    /* Windows would let it: it is an administrator. The operator does not. */
    begin(&scene, KIT_NO_USERS);
    mark(&scene);
    refused(&scene, scene.source.pid, scene.target.pid);
    refused(&scene, scene.source.pid, 0);
    refused(&scene, 0x7FFFFFF0u, scene.target.pid); /* nor is it told what there is */
    end(&scene);
    begin(&scene, 0);
    granted(&scene);
    end(&scene);
}

static void both_processes_are_asked(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, POOR);
    let_the_user(scene.target.process);
    kit_protect(scene.source.process, NOT_OURS);
    mark(&scene);
    refused(&scene, scene.source.pid, scene.target.pid);
    refused(&scene, scene.source.pid, 0);
    let_the_user(scene.source.process);
    kit_protect(scene.target.process, NOT_OURS);
    refused(&scene, scene.source.pid, scene.target.pid);
    refused(&scene, scene.target.pid, scene.source.pid);
    let_the_user(scene.target.process);
    granted(&scene);
    end(&scene);
}

static void debuggers_may(void **state)
{
    (void)state;
    struct scene scene;
    for (int enabled = 0; enabled < 2; enabled++) {
        begin(&scene, KIT_NO_ADMINISTRATORS | (enabled ? KIT_DEBUGGER : 0));
        kit_protect(scene.source.process, NOT_OURS);
        kit_protect(scene.target.process, NOT_OURS);
        mark(&scene);
        if (enabled)
            granted(&scene);
        else
            refused(&scene, scene.source.pid, scene.target.pid);
        end(&scene);
    }
}

static void the_broker_takes_no_part(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, KIT_NO_ADMINISTRATORS | KIT_DEBUGGER);
    mark(&scene);
    refused(&scene, kit_broker()->pid, scene.target.pid);
    refused(&scene, scene.source.pid, kit_broker()->pid);
    refused(&scene, 4, scene.target.pid);
    refused(&scene, scene.source.pid, 4);
    end(&scene);
}

/* A name has its rules; a process has the default list. */
static void types_by_rule(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, 0);
    uint64_t token = kit_line_make(&scene.source, KIT_TOKEN);
    static const char line[] =
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"handle.transfer\",\"params\":"
        "{\"source\":{\"pid\":%lu},\"handle\":%llu,\"target\":%s}}";
    char process[48];
    (void)snprintf(process, sizeof process, "{\"pid\":%lu}", (unsigned long)scene.target.pid);
    kit_line_opens(&scene.target, "user/tokens/a", ",\"types\":{\"Token\":\"any\"}");
    mark(&scene);
    kit_line_refused(&scene.before,
                     kit_peer_ask(&scene.caller, line, (unsigned long)scene.source.pid,
                                  (unsigned long long)token, process),
                     HBK_TYPE_NOT_ALLOWED, "6");
    kit_line_refused(&scene.before,
                     kit_peer_ask(&scene.caller, line, (unsigned long)scene.source.pid,
                                  (unsigned long long)scene.event, "\"user/tokens/a\""),
                     HBK_TYPE_NOT_ALLOWED, "6");
    kit_line_is_result(kit_peer_ask(&scene.caller, line, (unsigned long)scene.source.pid,
                                    (unsigned long long)token, "\"user/tokens/a\""),
                       "6");
    assert_non_null(strstr(kit_line_was_given(&scene.target), "\"user/tokens/a\""));
    end(&scene);
}

/* ---- handle tables ---- */

/* The broker is one of them; who inspects here is not. */
#define ONLY_USERS L"O:BAD:P(A;;0x1fffff;;;BU)"

static const char *look(struct scene *scene, const char *method, DWORD pid)
{
    char handle[48] = "";
    if (strcmp(method, "object.holders") == 0)
        (void)snprintf(handle, sizeof handle, ",\"handle\":%llu", (unsigned long long)scene->event);
    return kit_peer_ask(&scene->caller,
                        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"%s\",\"params\":"
                        "{\"pid\":%lu%s}}",
                        method, (unsigned long)pid, handle);
}

static void not_shown(struct scene *scene, DWORD pid)
{
    mark(scene);
    kit_line_refused(&scene->before, look(scene, "process.handles", pid), HBK_DENIED, "6");
    kit_line_refused(&scene->before, look(scene, "object.holders", pid), HBK_DENIED, "6");
    assert_int_equal(kit_handles_at_rest(scene->source.pid), scene->source_handles);
}

static void shown(struct scene *scene)
{
    char handle[48], holder[64];
    (void)snprintf(handle, sizeof handle, "{\"handle\":%llu,\"type\":\"Event\"",
                   (unsigned long long)scene->event);
    (void)snprintf(holder, sizeof holder, "\"holders\":[{\"pid\":%lu,\"handle\":%llu,",
                   (unsigned long)scene->source.pid, (unsigned long long)scene->event);
    const char *line = look(scene, "process.handles", scene->source.pid);
    kit_line_is_result(line, "6");
    assert_non_null(strstr(line, handle));
    line = look(scene, "object.holders", scene->source.pid);
    kit_line_is_result(line, "6");
    assert_non_null(strstr(line, holder));
}

/* What the operator's verb gives, and what Windows would let the caller do: both, or nothing is shown. */
static void tables_take_both_rights(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, POOR);
    let_the_user(scene.source.process);
    not_shown(&scene, scene.source.pid);
    not_shown(&scene, scene.caller.pid); /* not its own either */
    end(&scene);
    begin(&scene, KIT_NO_USERS);
    kit_protect(scene.source.process, ONLY_USERS);
    not_shown(&scene, scene.source.pid);
    not_shown(&scene, kit_broker()->pid);
    not_shown(&scene, 4);
    kit_protect(scene.source.process, NOT_OURS);
    shown(&scene);
    end(&scene);
    begin(&scene, KIT_NO_USERS | KIT_DEBUGGER);
    kit_protect(scene.source.process, ONLY_USERS);
    shown(&scene);
    not_shown(&scene, kit_broker()->pid);
    not_shown(&scene, 4);
    end(&scene);
}

/* ---- delivery.revoke ---- */

static const char *revoke(struct kit_peer *peer, uint64_t delivery)
{
    return kit_peer_ask(peer,
                        "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"delivery.revoke\",\"params\":"
                        "{\"delivery\":%llu}}",
                        (unsigned long long)delivery);
}

/* @sender lends @handle @count times in one send. Return: the answer. */
static const char *lend(struct kit_peer *sender, uint64_t handle, int count)
{
    char items[64 * PINS] = "";
    for (int i = 0; i < count; i++) {
        size_t size = strlen(items);
        (void)snprintf(items + size, sizeof items - size, "%s{\"handle\":%llu}", i > 0 ? "," : "",
                       (unsigned long long)handle);
    }
    return kit_peer_ask(sender,
                        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.send\",\"params\":"
                        "{\"to\":\"session/lent\",\"items\":[%s],\"revocable\":true}}",
                        items);
}

static uint64_t delivery_in(const char *line)
{
    int64_t delivery = 0;
    kit_line_is_result(line, "5");
    assert_true(kit_json_number(line, "delivery", &delivery));
    return (uint64_t)delivery;
}

static void strangers_and_operators(void **state)
{
    (void)state;
    struct kit_peer target, sender, stranger, operator;
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&sender, POOR);
    kit_peer_raw_as(&stranger, POOR); /* of the sender's own identity */
    kit_peer_raw_as(&operator, 0);
    kit_line_opens(&target, "session/lent", ",\"revocable\":true");
    uint64_t event = kit_line_make(&sender, KIT_EVENT);
    uint64_t delivery = delivery_in(lend(&sender, event, 1));
    int64_t value = 0;
    assert_true(kit_json_number(kit_line_was_given(&target), "handle", &value));
    struct kit_before was = kit_line_before(&target);
    kit_line_refused(&was, revoke(&stranger, delivery), HBK_NOT_FOUND, "9");
    assert_int_equal(kit_peer_do(&target, KIT_OP_SET_EVENT, (uint64_t)value, 0, NULL), 0);
    assert_int_equal(kit_peer_do(&sender, KIT_OP_WAIT, event, 0, NULL), 0);
    /* Nor does it see it. */
    const char *line =
        kit_peer_ask(&stranger, "%s",
                     "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"delivery.list\",\"params\":{}}");
    kit_line_is_result(line, "8");
    assert_non_null(strstr(line, "\"deliveries\":[]"));
    line = revoke(&operator, delivery);
    kit_line_is_result(line, "9");
    assert_non_null(strstr(line, "\"closed\":[0]"));
    line = kit_peer_hear(&target, KIT_WAIT_MS);
    assert_non_null(line);
    assert_non_null(strstr(line, "\"delivery.revoked\""));
    kit_line_is_error(revoke(&sender, delivery), HBK_NOT_FOUND, "9");
    kit_peer_stop(&operator);
    kit_peer_stop(&stranger);
    kit_peer_stop(&sender);
    kit_peer_stop(&target);
}

/* They close what they have. */
static void targets_do_not_take_back(void **state)
{
    (void)state;
    struct kit_peer target, sender;
    kit_peer_raw_as(&target, POOR);
    kit_peer_raw_as(&sender, POOR);
    kit_line_opens(&target, "session/lent", ",\"revocable\":true");
    uint64_t event = kit_line_make(&sender, KIT_EVENT);
    uint64_t delivery = delivery_in(lend(&sender, event, 1));
    kit_line_was_given(&target);
    struct kit_before was = kit_line_before(&target);
    kit_line_refused(&was, revoke(&target, delivery), HBK_NOT_FOUND, "9");
    kit_line_is_result(revoke(&sender, delivery), "9");
    kit_peer_stop(&sender);
    kit_peer_stop(&target);
}

/* What was lent counts until it is back. */
static void pins_are_the_senders(void **state)
{
    (void)state;
    struct kit_peer target, sender, other;
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&sender, 0);
    kit_peer_raw_as(&other, 0);
    kit_line_opens(&target, "session/lent", ",\"revocable\":true");
    uint64_t event = kit_line_make(&sender, KIT_EVENT);
    uint64_t first = delivery_in(lend(&sender, event, PINS / 2));
    kit_line_was_given(&target);
    (void)delivery_in(lend(&sender, event, PINS / 2));
    kit_line_was_given(&target);
    struct kit_before was = kit_line_before(&target);
    char limit[32];
    const char *line = lend(&sender, event, 1);
    assert_true(kit_json_text(line, "limit", limit, sizeof limit));
    assert_string_equal(limit, "pins");
    kit_line_refused(&was, line, HBK_QUOTA, "5");
    /* Another's are its own. */
    uint64_t theirs = kit_line_make(&other, KIT_EVENT);
    uint64_t second = delivery_in(lend(&other, theirs, PINS));
    kit_line_was_given(&target);
    kit_line_is_result(revoke(&other, second), "9");
    assert_non_null(kit_peer_hear(&target, KIT_WAIT_MS));
    kit_line_is_result(revoke(&sender, first), "9");
    assert_non_null(kit_peer_hear(&target, KIT_WAIT_MS));
    /* What is taken back is closed a moment after it was answered. */
    for (uint64_t due = kit_now_ms() + KIT_WAIT_MS;;) {
        line = lend(&sender, event, PINS / 2);
        if (strstr(line, "\"result\"") != NULL || kit_now_ms() > due)
            break;
    }
    (void)delivery_in(line);
    kit_line_was_given(&target);
    kit_peer_stop(&other);
    kit_peer_stop(&sender);
    kit_peer_stop(&target);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(the_verb_narrows_it),     KIT_TEST(both_processes_are_asked),
        KIT_TEST(debuggers_may),           KIT_TEST(the_broker_takes_no_part),
        KIT_TEST(types_by_rule),           KIT_TEST(tables_take_both_rights),
        KIT_TEST(strangers_and_operators), KIT_TEST(targets_do_not_take_back),
        KIT_TEST(pins_are_the_senders),
    };
    kit_config = config;
    kit_items_max(PINS / 4); /* what is closed a little later counts too */
    kit_broker_by_process();
    return cmocka_run_group_tests_name("policy_verbs", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
