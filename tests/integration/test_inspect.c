/* What the broker tells an administrator of itself, its sessions, its rules and what it does; to whom one may
 * send by process, and from whom one may refuse to receive. Through the library, against the real service. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

#define NOBODY "D:(A;;0x2;;;S-1-5-21-1-2-3-4711)"

static void listen_from(hbk_client *client, const char *name, const char *from)
{
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name, .from = from};
    hbk_error_info error = {.detail = ""};
    if (hbk_endpoint_open(client, &endpoint, &error) != HBK_OK)
        fail_msg("%s: %s", hbk_result_word(error.result), error.detail);
}

static hbk_result send_to(hbk_client *client, const char *name, uint32_t pid, HANDLE handle,
                          uint32_t access)
{
    hbk_send_item item = {.handle = handle, .access = access};
    hbk_send_options send = {.size = sizeof send, .to = name, .items = &item, .count = 1};
    send.to_pid = pid;
    return hbk_send(client, &send, NULL, NULL);
}

static const hbk_quota *quota(const hbk_status_info *status, const char *name)
{
    for (size_t i = 0; i < status->quotas_count; i++) {
        if (strcmp(status->quotas[i].name, name) == 0)
            return &status->quotas[i];
    }
    fail_msg("no quota of %s", name);
}

/* ---- looking ---- */

static void quotas_count_what_we_hold(void **state)
{
    (void)state;
    static const char *const names[] = {"sessions",  "requests",     "pins",   "pending",
                                        "endpoints", "queued_bytes", "stored", "stored_bytes"};
    hbk_status_info before, after;
    hbk_client *client = kit_client();
    assert_int_equal(hbk_status(client, &before, NULL), HBK_OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const hbk_quota *found = quota(&before, names[i]);
        assert_true(found->yours <= found->used && found->used <= found->limit);
        assert_true(found->your_limit <= found->limit);
    }
    hbk_client *more = kit_client();
    listen_from(more, kit_endpoint_name(), NULL);
    assert_int_equal(hbk_status(client, &after, NULL), HBK_OK);
    assert_int_equal(quota(&after, "sessions")->yours, quota(&before, "sessions")->yours + 1);
    assert_int_equal(quota(&after, "sessions")->used, quota(&before, "sessions")->used + 1);
    assert_int_equal(quota(&after, "endpoints")->yours, quota(&before, "endpoints")->yours + 1);
    kit_close(more);
    kit_status(&after);
    assert_int_equal(quota(&after, "endpoints")->yours, quota(&before, "endpoints")->yours);
}

static const hbk_session_entry *find_session(const hbk_session_entries *list, uint64_t session)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].session == session)
            return &list->entries[i];
    }
    return NULL;
}

/* The broker reads of the end of one pipe and what is asked in another in any order. */
static void wait_until_gone(hbk_client *client, uint64_t session)
{
    hbk_session_entries *list = NULL;
    bool listed = true;
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; listed; Sleep(10)) {
        if (kit_now_ms() > end)
            fail_msg("session %llu is closed and stays in the list", (unsigned long long)session);
        assert_int_equal(hbk_session_list(client, &list, NULL), HBK_OK);
        listed = find_session(list, session) != NULL;
        hbk_session_entries_free(list);
    }
}

static void our_session_is_listed(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *source = kit_client(), *target = kit_client();
    hbk_session_entries *list = NULL;
    hbk_delivery *delivery = NULL;
    listen_from(target, name, NULL);
    assert_int_equal(kit_send(source, name, event, 0, 0, NULL), HBK_OK);
    assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    uint64_t sender = delivery->from_session;
    hbk_delivery_free(delivery);
    assert_int_equal(hbk_session_list(source, &list, NULL), HBK_OK);
    const hbk_session_entry *entry = find_session(list, sender);
    assert_non_null(entry);
    assert_int_equal(entry->pid, GetCurrentProcessId());
    assert_string_equal(entry->user, kit_user());
    assert_string_equal(entry->state, "proven");
    assert_true(entry->client_name[0] != '\0');
    assert_int_equal(entry->sent, 1);
    assert_int_equal(entry->received, 0);
    assert_int_equal(entry->endpoints, 0);
    hbk_session_entries_free(list);
    kit_close(source);
    wait_until_gone(target, sender);
    CloseHandle(event);
}

/* ---- watching ---- */

/* The next record of @event that this process has caused. */
static hbk_record *next_record(hbk_client *watcher, const char *event)
{
    static uint64_t serial;
    hbk_record *record = NULL;
    for (;;) {
        if (hbk_watch_receive(watcher, KIT_WAIT_MS, &record, NULL) != HBK_OK)
            fail_msg("no record of %s", event);
        assert_true(record->serial > serial);
        serial = record->serial;
        assert_int_equal(record->json[0], '{');
        if (strcmp(record->event, event) == 0 && record->caller.pid == GetCurrentProcessId())
            return record;
        hbk_record_free(record);
    }
}

static void a_hand_off_and_a_refusal_are_recorded(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *watcher = kit_client(), *source = kit_client(), *target = kit_client();
    hbk_receipt receipt;
    hbk_send_item item = {.handle = event, .access = EVENT_MODIFY_STATE};
    hbk_send_options send = {.size = sizeof send, .to = name, .items = &item, .count = 1};
    assert_int_equal(hbk_watch(watcher, NULL), HBK_OK);
    listen_from(target, name, NULL);
    assert_int_equal(hbk_send(source, &send, &receipt, NULL), HBK_OK);
    hbk_record *record = next_record(watcher, "handle.send");
    assert_string_equal(record->outcome, "done");
    assert_string_equal(record->endpoint, name);
    assert_string_equal(record->caller.user, kit_user());
    assert_int_equal(record->target.pid, GetCurrentProcessId());
    assert_int_equal(record->delivery, receipt.delivery);
    assert_true(record->correlation != 0);
    assert_int_equal(record->count, 1);
    assert_string_equal(record->items[0].type, "Event");
    assert_int_equal(record->items[0].access, EVENT_MODIFY_STATE);
    hbk_record_free(record);
    send.to = "user/test/nobody";
    assert_int_equal(hbk_send(source, &send, NULL, NULL), HBK_NOT_FOUND);
    record = next_record(watcher, "handle.send");
    assert_string_not_equal(record->outcome, "done");
    assert_string_equal(record->error, "not_found");
    assert_string_equal(record->endpoint, "user/test/nobody");
    hbk_record_free(record);
    CloseHandle(event);
}

/* ---- rules ---- */

static void built_in_rules_are_explained(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_explanation told;
    hbk_explain_options asked = {.size = sizeof asked, .verb = "open", .name = "user/x"};
    hbk_client *client = kit_client();
    kit_mark(&mark, 0);
    assert_int_equal(hbk_explain(client, &asked, &told, NULL), HBK_OK);
    assert_true(told.allowed && told.rule[0] != '\0' && told.detail[0] != '\0');
    asked.name = "global/x";
    assert_int_equal(hbk_explain(client, &asked, &told, NULL), HBK_OK);
    assert_false(told.allowed);
    asked.verb = "no-such-verb";
    assert_int_equal(hbk_explain(client, &asked, &told, NULL), HBK_INVALID_PARAMS);
    asked.verb = "open";
    asked.session = 9007199254740991;
    assert_int_equal(hbk_explain(client, &asked, &told, NULL), HBK_NOT_FOUND);
    kit_unchanged(&mark); /* and nothing was opened */
}

static void whom_an_endpoint_leaves_out(void **state)
{
    (void)state;
    struct kit_mark mark;
    char self[256];
    const char *closed = kit_endpoint_name(), *open = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *source = kit_client(), *target = kit_client();
    hbk_delivery *delivery = NULL;
    hbk_endpoint_options bad = {.size = sizeof bad, .name = kit_endpoint_name(), .from = "D:(A;;"};
    (void)snprintf(self, sizeof self, "D:(A;;0x2;;;%s)", kit_user());
    listen_from(target, closed, NOBODY);
    listen_from(target, open, self);
    kit_mark(&mark, 0);
    KIT_REFUSED(&mark, HBK_NOT_FOUND, send_to(source, closed, 0, event, 0));
    KIT_REFUSED(&mark, HBK_INVALID_PARAMS, hbk_endpoint_open(target, &bad, NULL));
    assert_int_equal(hbk_receive(target, KIT_QUIET_MS, &delivery, NULL), HBK_TIMEOUT);
    assert_int_equal(send_to(source, open, 0, event, 0), HBK_OK);
    assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_string_equal(delivery->endpoint, open);
    hbk_delivery_free(delivery);
    CloseHandle(event);
}

static void to_the_endpoint_of_a_process(void **state)
{
    (void)state;
    struct kit_mark mark;
    struct kit_peer peer;
    const char *name = kit_endpoint_name(), *ours = kit_endpoint_name();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_client *source = kit_client();
    hbk_delivery *delivery = NULL;
    kit_peer_open(&peer);
    kit_peer_listen(&peer, name, 0);
    listen_from(source, ours, NULL);
    assert_int_equal(send_to(source, name, peer.pid, event, 0), HBK_OK);
    assert_int_equal(kit_peer_do(&peer, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), 0);
    assert_int_equal(peer.reply.count, 1);
    assert_int_equal(kit_peer_do(&peer, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_mark(&mark, peer.pid);
    KIT_REFUSED(&mark, HBK_NOT_FOUND, send_to(source, ours, peer.pid, event, 0));
    KIT_REFUSED(&mark, HBK_DENIED, send_to(source, name, 0x7FFFFFFC, event, 0)); /* nobody's */
    KIT_REFUSED(&mark, HBK_DENIED, send_to(source, name, 4, event, 0));
    KIT_REFUSED(&mark, HBK_DENIED, send_to(source, name, kit_broker()->pid, event, 0));
    kit_peer_quiet(&peer);
    assert_int_equal(hbk_receive(source, KIT_QUIET_MS, &delivery, NULL), HBK_TIMEOUT);
    kit_peer_stop(&peer);
    CloseHandle(event);
}

/* ---- rights that could be had back ---- */

static int widenable(hbk_client *client, const char *name, HANDLE handle, uint32_t access)
{
    hbk_delivery *delivery = NULL;
    assert_int_equal(send_to(client, name, 0, handle, access), HBK_OK);
    assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    int told = delivery->items[0].widenable;
    hbk_delivery_free(delivery);
    return told;
}

static void what_is_said_of_reduced_rights(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    HANDLE made = NULL, section = NULL, file = kit_make(KIT_FILE), plain = kit_make(KIT_EVENT);
    assert_int_equal(hbk_event_create(1, 0, &made, NULL), HBK_OK);
    assert_int_equal(hbk_section_create(4096, PAGE_READWRITE, &section, NULL), HBK_OK);
    listen_from(client, name, NULL);
    assert_int_equal(widenable(client, name, made, HBK_ACCESS_SAME), 0);
    /* The owner's rights are taken away by an entry that Wine does not know, so there it says so. */
    int made_says = kit_is_wine() ? HBK_WIDEN_YES : HBK_WIDEN_NO;
    assert_int_equal(widenable(client, name, made, SYNCHRONIZE), made_says);
    assert_int_equal(widenable(client, name, section, HBK_ACCESS_READ), made_says);
    assert_int_equal(widenable(client, name, plain, SYNCHRONIZE), HBK_WIDEN_YES);
    assert_int_equal(widenable(client, name, file, HBK_ACCESS_SAME), 0);
    assert_int_equal(widenable(client, name, file, HBK_ACCESS_READ), HBK_WIDEN_UNKNOWN);
    CloseHandle(made);
    CloseHandle(section);
    kit_unmake(KIT_EVENT, plain);
    kit_unmake(KIT_FILE, file);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(quotas_count_what_we_hold),
        KIT_TEST(our_session_is_listed),
        KIT_TEST(a_hand_off_and_a_refusal_are_recorded),
        KIT_TEST(built_in_rules_are_explained),
        KIT_TEST(whom_an_endpoint_leaves_out),
        KIT_TEST(to_the_endpoint_of_a_process),
        KIT_TEST(what_is_said_of_reduced_rights),
    };
    return cmocka_run_group_tests_name("inspect", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
