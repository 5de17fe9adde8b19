/* What may pass by the operator's rules: to a process of another identity, which types, which rights, and what a
 * target could make of them. */
#include "line.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define SIGNAL_AND_WAIT (EVENT_MODIFY_STATE | SYNCHRONIZE)
#define POOR (KIT_NO_ADMINISTRATORS | KIT_NO_PRIVILEGES)

static const char config[] =
    "{\"rules\":[\n"
    "{\"name\":\"session/wide\",\"open\":\"D:(A;;0x1;;;BU)\",\"send\":\"D:(A;;0x2;;;BA)\"},\n"
    "{\"name\":\"user/read/*\",\"types\":{\"Section\":\"read\"}},\n"
    "{\"name\":\"user/tokens/*\",\"types\":{\"Token\":\"any\",\"Event\":\"any\"}},\n"
    "{\"name\":\"user/queries/*\",\"types\":{\"Token\":8}},\n"
    "{\"name\":\"user/capped/*\",\"access_max\":1048578}\n" /* SIGNAL_AND_WAIT */
    "]}\n";

/* ---- {name, pid} ---- */

static void reaches_whom_one_could_reach_alone(void **state)
{
    (void)state;
    struct kit_peer ours, theirs, sender;
    wchar_t sddl[300];
    kit_peer_raw_as(&ours, 0);
    kit_peer_raw_as(&theirs, 0);
    kit_peer_raw_as(&sender, POOR);
    (void)swprintf(sddl, 300, L"O:BAD:P(A;;0x1fffff;;;BA)(A;;0x40;;;%hs)", kit_user());
    kit_protect(ours.process, sddl);
    kit_protect(theirs.process, L"O:BAD:P(A;;0x1fffff;;;BA)");
    kit_line_opens(&ours, "user/pid", "");
    kit_line_opens(&theirs, "user/pid-theirs", "");
    uint64_t event = kit_line_make(&sender, KIT_EVENT);
    /* By name alone it is another identity's, and so not there. */
    kit_line_is_error(kit_line_send(&sender, "user/pid", event, ""), HBK_NOT_FOUND, "5");
    kit_line_is_result(kit_line_send_to_pid(&sender, "user/pid", ours.pid, event), "5");
    kit_line_was_given(&ours);
    struct kit_before was = kit_line_before(&theirs);
    kit_line_refused(&was, kit_line_send_to_pid(&sender, "user/pid-theirs", theirs.pid, event),
                     HBK_DENIED, "5");
    /* Whom it may reach it may also be told what is not there. */
    kit_line_is_error(kit_line_send_to_pid(&sender, "user/none", ours.pid, event), HBK_NOT_FOUND,
                      "5");
    kit_line_is_error(kit_line_send_to_pid(&sender, "user/pid-theirs", ours.pid, event),
                      HBK_NOT_FOUND, "5");
    kit_peer_stop(&sender);
    kit_peer_stop(&theirs);
    kit_peer_stop(&ours);
}

static void debuggers_reach_everybody(void **state)
{
    (void)state;
    struct kit_peer target, debugger, other;
    kit_peer_raw_as(&target, 0);
    kit_protect(target.process, L"O:BAD:P(A;;0x1fffff;;;BA)");
    kit_line_opens(&target, "user/debugged", "");
    kit_peer_raw_as(&other, KIT_NO_ADMINISTRATORS); /* it holds the privilege, disabled */
    uint64_t event = kit_line_make(&other, KIT_EVENT);
    struct kit_before was = kit_line_before(&target);
    kit_line_refused(&was, kit_line_send_to_pid(&other, "user/debugged", target.pid, event),
                     HBK_DENIED, "5");
    kit_peer_raw_as(&debugger, KIT_NO_ADMINISTRATORS | KIT_DEBUGGER);
    event = kit_line_make(&debugger, KIT_EVENT);
    kit_line_is_result(kit_line_send_to_pid(&debugger, "user/debugged", target.pid, event), "5");
    kit_line_was_given(&target);
    kit_peer_stop(&debugger);
    kit_peer_stop(&other);
    kit_peer_stop(&target);
}

/* In one's own scope the process only says which endpoint is meant. */
static void pid_in_the_own_scope(void **state)
{
    (void)state;
    struct kit_peer target, sender;
    kit_peer_raw_as(&target, POOR);
    kit_peer_raw_as(&sender, POOR);
    kit_protect(target.process, L"O:BAD:P(A;;0x1fffff;;;BA)");
    kit_line_opens(&target, "user/own", "");
    uint64_t event = kit_line_make(&sender, KIT_EVENT);
    kit_line_is_result(kit_line_send_to_pid(&sender, "user/own", target.pid, event), "5");
    kit_line_was_given(&target);
    kit_line_is_error(kit_line_send_to_pid(&sender, "user/none", target.pid, event), HBK_NOT_FOUND,
                      "5");
    kit_peer_stop(&sender);
    kit_peer_stop(&target);
}

/* `from` is asked whoever could reach the process. */
static void from_holds_for_pids_too(void **state)
{
    (void)state;
    struct kit_peer target, sender;
    wchar_t sddl[300];
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&sender, POOR);
    (void)swprintf(sddl, 300, L"O:BAD:P(A;;0x1fffff;;;BA)(A;;0x40;;;%hs)", kit_user());
    kit_protect(target.process, sddl);
    kit_line_opens(&target, "user/picky", ",\"from\":\"D:(A;;0x2;;;BA)\"");
    uint64_t event = kit_line_make(&sender, KIT_EVENT);
    struct kit_before was = kit_line_before(&target);
    kit_line_refused(&was, kit_line_send_to_pid(&sender, "user/picky", target.pid, event),
                     HBK_NOT_FOUND, "5");
    kit_peer_stop(&sender);
    kit_peer_stop(&target);
}

/* ---- types and rights ---- */

static void types_by_rule(void **state)
{
    (void)state;
    struct kit_peer target, sender;
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&sender, 0);
    kit_line_may_not_open(&target, "user/plain", ",\"types\":{\"Token\":\"any\"}",
                          HBK_TYPE_NOT_ALLOWED);
    kit_line_opens(&target, "user/tokens/a", ",\"types\":{\"Token\":\"any\"}");
    kit_line_opens(&target, "user/tokens/default", "");
    kit_line_opens(&target, "user/plain", "");
    uint64_t token = kit_line_make(&sender, KIT_TOKEN);
    kit_line_is_result(kit_line_send(&sender, "user/tokens/a", token, ""), "5");
    assert_non_null(strstr(kit_line_was_given(&target), "\"Token\""));
    struct kit_before was = kit_line_before(&target);
    /* An endpoint that names no types does not ask for this one, whatever the rule lets through. */
    kit_line_refused(&was, kit_line_send(&sender, "user/tokens/default", token, ""),
                     HBK_ACCESS_NOT_ACCEPTED, "5");
    kit_line_refused(&was, kit_line_send(&sender, "user/plain", token, ""), HBK_TYPE_NOT_ALLOWED,
                     "5");
    uint64_t semaphore =
        kit_line_make(&sender, KIT_SEMAPHORE); /* of the six, but the rule does not name it */
    kit_line_refused(&was, kit_line_send(&sender, "user/tokens/default", semaphore, ""),
                     HBK_TYPE_NOT_ALLOWED, "5");
    uint64_t port = kit_line_make(&sender, KIT_IOCP);
    kit_line_refused(&was, kit_line_send(&sender, "user/tokens/a", port, ""), HBK_TYPE_NOT_ALLOWED,
                     "5");
    uint64_t event = kit_line_make(&sender, KIT_EVENT);
    kit_line_is_result(kit_line_send(&sender, "user/tokens/default", event, ""), "5");
    kit_line_was_given(&target);
    kit_peer_stop(&sender);
    kit_peer_stop(&target);
}

static void types_with_a_mask(void **state)
{
    (void)state;
    struct kit_peer target, sender;
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&sender, 0);
    kit_line_opens(&target, "user/queries/a", ",\"types\":{\"Token\":\"any\"}");
    uint64_t token = kit_line_make(&sender, KIT_TOKEN); /* with TOKEN_QUERY, which is 8 */
    kit_line_is_result(kit_line_send(&sender, "user/queries/a", token, ""), "5");
    kit_line_was_given(&target);
    kit_line_opens(&target, "user/read/a", "");
    uint64_t section = kit_line_make(&sender, KIT_SECTION);
    struct kit_before was = kit_line_before(&target);
    kit_line_refused(&was, kit_line_send(&sender, "user/read/a", section, ""), HBK_DENIED, "5");
    kit_line_is_result(kit_line_send(&sender, "user/read/a", section, ",\"access\":\"read\""), "5");
    kit_line_was_given(&target);
    kit_peer_stop(&sender);
    kit_peer_stop(&target);
}

static void access_has_a_cap(void **state)
{
    (void)state;
    struct kit_peer target, sender;
    char item[64];
    int64_t access = 0;
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&sender, 0);
    kit_line_opens(&target, "user/capped/a", "");
    uint64_t event = kit_line_make(&sender, KIT_EVENT);
    struct kit_before was = kit_line_before(&target);
    kit_line_refused(&was, kit_line_send(&sender, "user/capped/a", event, ""), HBK_DENIED, "5");
    (void)snprintf(item, sizeof item, ",\"access\":%lu", SIGNAL_AND_WAIT | READ_CONTROL);
    kit_line_refused(&was, kit_line_send(&sender, "user/capped/a", event, item), HBK_DENIED, "5");
    (void)snprintf(item, sizeof item, ",\"access\":%lu", SIGNAL_AND_WAIT);
    kit_line_is_result(kit_line_send(&sender, "user/capped/a", event, item), "5");
    assert_true(kit_json_number(kit_line_was_given(&target), "access", &access));
    assert_int_equal(access, SIGNAL_AND_WAIT);
    kit_peer_stop(&sender);
    kit_peer_stop(&target);
}

/* ---- widenable ---- */

static HANDLE make_event(const wchar_t *sddl)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
    attributes.lpSecurityDescriptor = kit_descriptor(sddl);
    HANDLE event = CreateEventW(&attributes, TRUE, FALSE, NULL);
    LocalFree(attributes.lpSecurityDescriptor);
    assert_non_null(event);
    return event;
}

/* @source sends @handle to @target, with @item; the target reads of it: @expected (NULL: nothing). */
static void target_reads(struct kit_raw *source, struct kit_peer *target, HANDLE handle,
                         const char *item, const char *expected)
{
    char member[64];
    kit_raw_ask(source,
                "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.send\",\"params\":"
                "{\"to\":\"session/wide\",\"items\":[{\"handle\":%llu%s}]}}",
                (unsigned long long)(uintptr_t)handle, item);
    kit_raw_is_result(source, "5");
    const char *line = kit_line_was_given(target);
    const char *found = strstr(line, "\"widenable\":");
    if (expected == NULL) {
        assert_null(found);
        return;
    }
    (void)snprintf(member, sizeof member, "\"widenable\":%s", expected);
    if (found == NULL || strncmp(found, member, strlen(member)) != 0)
        fail_msg("%s expected: %s", member, line);
}

static void targets_read_what_could_be_taken_back(void **state)
{
    (void)state;
    const char *wait = ",\"access\":1048576";
    struct kit_peer target;
    kit_peer_raw_as(&target, POOR);
    kit_line_opens(&target, "session/wide", "");
    struct kit_raw *source = kit_raw_proven();
    HANDLE closed = make_event(L"O:BAD:P"), unnamed = kit_make(KIT_EVENT);
    HANDLE admits = make_event(L"O:BAD:P(A;;0x2;;;WD)"), file = kit_make(KIT_FILE);
    target_reads(source, &target, closed, wait, "false");
    target_reads(source, &target, unnamed, wait, "true");
    target_reads(source, &target, admits, wait, "true");
    target_reads(source, &target, admits, ",\"access\":1048578", "false");
    target_reads(source, &target, unnamed, "", NULL);
    target_reads(source, &target, file, ",\"access\":\"read\"", "\"unknown\"");
    CloseHandle(closed);
    CloseHandle(admits);
    kit_unmake(KIT_EVENT, unnamed);
    kit_unmake(KIT_FILE, file);
    kit_raw_free(source);
    kit_peer_stop(&target);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(reaches_whom_one_could_reach_alone),
        KIT_TEST(debuggers_reach_everybody),
        KIT_TEST(pid_in_the_own_scope),
        KIT_TEST(from_holds_for_pids_too),
        KIT_TEST(types_by_rule),
        KIT_TEST(types_with_a_mask),
        KIT_TEST(access_has_a_cap),
        KIT_TEST(targets_read_what_could_be_taken_back),
    };
    kit_config = config;
    kit_broker_by_process();
    return cmocka_run_group_tests_name("policy_items", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
