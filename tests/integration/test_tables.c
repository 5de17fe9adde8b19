/* What stands in handle tables, and who has the same object: process.handles and object.holders through the library,
 * of real processes, to each value, type, right and flag. */
#include "script.h"

#include <stdio.h>
#include <string.h>

#define INHERIT HANDLE_FLAG_INHERIT
#define PROTECT HANDLE_FLAG_PROTECT_FROM_CLOSE

static HANDLE as_handle(uint64_t value)
{
    return (HANDLE)(uintptr_t)value;
}

static hbk_handle_entries *list(hbk_client *client, DWORD pid)
{
    hbk_handle_entries *entries = NULL;
    hbk_error_info error = {.detail = ""};
    if (hbk_handle_list(client, pid, &entries, &error) != HBK_OK)
        fail_msg("%s: %s", hbk_result_word(error.result), error.detail);
    /* By value, and none twice. */
    for (size_t i = 0; i < entries->count; i++) {
        assert_int_equal(entries->entries[i].pid, pid);
        assert_true(i == 0 || (uintptr_t)entries->entries[i - 1].handle <
                                  (uintptr_t)entries->entries[i].handle);
    }
    return entries;
}

/* All that the process has, and no more; once it has as many before as after, for one that waits may gain one. */
static hbk_handle_entries *whole_list(hbk_client *client, DWORD pid)
{
    for (uint64_t due = kit_now_ms() + KIT_WAIT_MS;;) {
        uint32_t before = kit_handles_at_rest(pid);
        hbk_handle_entries *entries = list(client, pid);
        uint32_t after = kit_handles_at_rest(pid);
        if (before == after || kit_now_ms() > due) {
            assert_int_equal(entries->count, after);
            return entries;
        }
        hbk_handle_entries_free(entries);
    }
}

static hbk_holder_entries *holders(hbk_client *client, DWORD pid, HANDLE handle)
{
    hbk_holder_entries *entries = NULL;
    hbk_error_info error = {.detail = ""};
    if (hbk_holder_list(client, pid, handle, &entries, &error) != HBK_OK)
        fail_msg("%s: %s", hbk_result_word(error.result), error.detail);
    return entries;
}

static const hbk_handle_entry *find(const hbk_handle_entry *entries, size_t count, DWORD pid,
                                    const void *handle)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i].pid == pid && entries[i].handle == handle)
            return &entries[i];
    return NULL;
}

/* It is there just so. @type: NULL: not told */
static void is_there(const hbk_handle_entry *entries, size_t count, DWORD pid, HANDLE handle,
                     const char *type, uint32_t access, DWORD flags)
{
    const hbk_handle_entry *entry = find(entries, count, pid, handle);
    if (entry == NULL) {
        fail_msg("process %lu: 0x%llx is not there", pid, (unsigned long long)(uintptr_t)handle);
        return;
    }
    assert_string_equal(entry->type, type);
    assert_int_equal(entry->access, access);
    assert_int_equal(entry->inherit != 0, (flags & INHERIT) != 0);
    assert_int_equal(entry->protect != 0, (flags & PROTECT) != 0);
}

/* A handle of @peer's to what @mine is. */
static HANDLE place(struct kit_peer *peer, HANDLE mine, DWORD access, bool inherit)
{
    HANDLE there = NULL;
    assert_true(DuplicateHandle(GetCurrentProcess(), mine, peer->process, &there, access, inherit,
                                access == 0 ? DUPLICATE_SAME_ACCESS : 0));
    return there;
}

static void unplace(struct kit_peer *peer, HANDLE there)
{
    assert_int_equal(kit_peer_do(peer, KIT_OP_CLOSE_HANDLE, (uintptr_t)there, 0, NULL), 0);
}

/* ---- tables ---- */

static void each_kind_in_a_childs_table(void **state)
{
    (void)state;
    struct kit_peer peer;
    HANDLE mine[KIT_ALL_KINDS] = {NULL}, theirs[KIT_ALL_KINDS] = {NULL};
    hbk_client *client = kit_client();
    kit_peer_start(&peer);
    for (int kind = 0; kind < KIT_ALL_KINDS; kind++) {
        mine[kind] = kit_make((enum kit_kind)kind);
        if (mine[kind] != NULL)
            theirs[kind] = place(&peer, mine[kind], 0, kind % 2 != 0);
    }
    hbk_handle_entries *entries = whole_list(client, peer.pid);
    for (int kind = 0; kind < KIT_ALL_KINDS; kind++)
        if (theirs[kind] != NULL)
            is_there(entries->entries, entries->count, peer.pid, theirs[kind],
                     kit_type((enum kit_kind)kind), kit_access(mine[kind]),
                     kind % 2 != 0 ? INHERIT : 0);
    hbk_handle_entries_free(entries);
    /* With fewer rights; and what is closed is there no more, though something else may be by then. */
    HANDLE less = place(&peer, mine[KIT_EVENT], EVENT_MODIFY_STATE, false);
    unplace(&peer, theirs[KIT_JOB]);
    entries = list(client, peer.pid);
    is_there(entries->entries, entries->count, peer.pid, less, "Event", EVENT_MODIFY_STATE, 0);
    const hbk_handle_entry *at = find(entries->entries, entries->count, peer.pid, theirs[KIT_JOB]);
    assert_true(at == NULL || strcmp(at->type, "Job") != 0);
    hbk_handle_entries_free(entries);
    kit_peer_stop(&peer);
    for (int kind = 0; kind < KIT_ALL_KINDS; kind++)
        if (mine[kind] != NULL)
            kit_unmake((enum kit_kind)kind, mine[kind]);
}

static void our_own_table_with_its_flags(void **state)
{
    (void)state;
    hbk_client *client = kit_client();
    HANDLE events[4];
    for (DWORD i = 0; i < 4; i++) {
        events[i] = kit_make(KIT_EVENT);
        assert_true(SetHandleInformation(events[i], INHERIT | PROTECT,
                                         (i & 1 ? INHERIT : 0) | (i & 2 ? PROTECT : 0)));
    }
    hbk_handle_entries *entries = list(client, GetCurrentProcessId());
    for (DWORD i = 0; i < 4; i++) {
        is_there(entries->entries, entries->count, GetCurrentProcessId(), events[i], "Event",
                 EVENT_ALL_ACCESS, (i & 1 ? INHERIT : 0) | (i & 2 ? PROTECT : 0));
        assert_true(SetHandleInformation(events[i], PROTECT, 0));
        CloseHandle(events[i]);
    }
    hbk_handle_entries_free(entries);
}

/* More than two pages of them. */
static void many(void **state)
{
    (void)state;
    enum { COUNT = 1200 };
    static HANDLE there[COUNT];
    struct kit_peer peer;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    kit_peer_start(&peer);
    for (size_t i = 0; i < COUNT; i++)
        there[i] = place(&peer, event, EVENT_MODIFY_STATE, false);
    hbk_handle_entries *entries = whole_list(client, peer.pid);
    for (size_t i = 0; i < COUNT; i++)
        is_there(entries->entries, entries->count, peer.pid, there[i], "Event", EVENT_MODIFY_STATE,
                 0);
    hbk_handle_entries_free(entries);
    /* Of so many holders a line has no room for all. */
    hbk_holder_entries *found = holders(client, 0, event);
    assert_int_equal(found->count, 512);
    assert_false(found->complete);
    hbk_holder_entries_free(found);
    kit_peer_stop(&peer);
    CloseHandle(event);
}

/* ---- holders ---- */

/* Of the object of @mine: we, and the peer where @there is not NULL. */
static void are_held(hbk_client *client, enum kit_kind kind, HANDLE mine,
                     const struct kit_peer *peer, HANDLE there)
{
    for (int asked = 0; asked < (there != NULL ? 3 : 2); asked++) {
        hbk_holder_entries *found = asked == 0   ? holders(client, 0, mine)
                                    : asked == 1 ? holders(client, GetCurrentProcessId(), mine)
                                                 : holders(client, peer->pid, there);
        assert_string_equal(found->type, kit_type(kind));
        assert_true(found->complete);
        assert_int_equal(found->broker, 0);
        assert_int_equal(found->count, there != NULL ? 2 : 1);
        is_there(found->entries, found->count, GetCurrentProcessId(), mine, kit_type(kind),
                 kit_access(mine), 0);
        if (there != NULL)
            is_there(found->entries, found->count, peer->pid, there, kit_type(kind),
                     kit_access(mine), INHERIT);
        hbk_holder_entries_free(found);
    }
}

static void parent_and_child_hold_it_until_they_close_it(void **state)
{
    (void)state;
    /* Of what others have too by themselves, such as desktops, nothing is said here. */
    static const enum kit_kind kinds[] = {KIT_EVENT,   KIT_MUTEX, KIT_SEMAPHORE, KIT_TIMER,
                                          KIT_SECTION, KIT_FILE,  KIT_PIPE,      KIT_JOB};
    struct kit_peer peer;
    hbk_client *client = kit_client();
    HANDLE other = kit_make(KIT_EVENT); /* of the same type, and not asked about */
    kit_peer_start(&peer);
    HANDLE others = place(&peer, other, 0, false);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        HANDLE mine = kit_make(kinds[i]);
        assert_non_null(mine);
        HANDLE there = place(&peer, mine, 0, true);
        are_held(client, kinds[i], mine, &peer, there);
        unplace(&peer, there);
        are_held(client, kinds[i], mine, &peer, NULL);
        kit_unmake(kinds[i], mine);
    }
    unplace(&peer, others);
    kit_peer_stop(&peer);
    CloseHandle(other);
}

/* How many handles the service has is told, and none of their values. */
static void what_the_service_keeps(void **state)
{
    (void)state;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_store_put_options put = {.size = sizeof put, .name = kit_endpoint_name(), .handle = event};
    assert_int_equal(hbk_store_put(client, &put, NULL, NULL), HBK_OK);
    hbk_holder_entries *found = holders(client, 0, event);
    assert_int_equal(found->broker, 1);
    assert_int_equal(found->count, 1);
    assert_int_equal(found->entries[0].pid, GetCurrentProcessId());
    hbk_holder_entries_free(found);
    assert_int_equal(hbk_store_remove(client, put.name, NULL), HBK_OK);
    found = holders(client, 0, event);
    assert_int_equal(found->broker, 0);
    hbk_holder_entries_free(found);
    CloseHandle(event);
}

/* ---- refused ---- */

static void processes_that_nobody_looks_at(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_handle_entries *entries = NULL;
    hbk_holder_entries *found = NULL;
    hbk_client *client = kit_client();
    const DWORD denied[] = {4, kit_broker()->pid};
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < 2; i++) {
        KIT_REFUSED(&mark, HBK_DENIED, hbk_handle_list(client, denied[i], &entries, NULL));
        KIT_REFUSED(&mark, HBK_DENIED,
                    hbk_holder_list(client, denied[i], as_handle(8), &found, NULL));
    }
    KIT_REFUSED(&mark, HBK_NOT_FOUND, hbk_handle_list(client, 0x7FFFFFF0, &entries, NULL));
    KIT_REFUSED(&mark, HBK_NOT_FOUND,
                hbk_holder_list(client, 0x7FFFFFF0, as_handle(8), &found, NULL));
    /* Windows passes over the low two bits of a pid. The broker does not. */
    KIT_REFUSED(&mark, HBK_NOT_FOUND,
                hbk_handle_list(client, GetCurrentProcessId() + 1, &entries, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_handle_list(client, 0, &entries, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_handle_list(NULL, 8, &entries, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_handle_list(client, 8, NULL, NULL));
    assert_null(entries);
    assert_null(found);
    hbk_handle_entries_free(NULL);
    hbk_holder_entries_free(NULL);
}

static void values_that_are_no_handles(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_holder_entries *found = NULL;
    hbk_error_info error;
    hbk_client *client = kit_client();
    HANDLE closed = kit_closed();
    HANDLE bad[] = {NULL, GetCurrentProcess(), GetCurrentThread(), as_handle(6),
                    as_handle(0x80000000u)};
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        KIT_REFUSED(&mark, HBK_BAD_HANDLE, hbk_holder_list(client, 0, bad[i], &found, &error));
    /* The service says so of what only it can know. */
    KIT_REFUSED(&mark, HBK_BAD_HANDLE, hbk_holder_list(client, 0, closed, &found, &error));
    assert_int_equal(error.win32, ERROR_INVALID_HANDLE);
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_holder_list(NULL, 0, as_handle(8), &found, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_holder_list(client, 0, as_handle(8), NULL, NULL));
    assert_null(found);
}

static void a_process_that_has_ended(void **state)
{
    (void)state;
    struct kit_peer peer;
    struct kit_mark mark;
    hbk_handle_entries *entries = NULL;
    hbk_client *client = kit_client();
    kit_peer_start(&peer);
    hbk_handle_entries_free(list(client, peer.pid));
    kit_mark(&mark, 0);
    assert_true(TerminateProcess(peer.process, 0));
    assert_int_equal(WaitForSingleObject(peer.process, KIT_WAIT_MS), WAIT_OBJECT_0);
    KIT_REFUSED(&mark, HBK_NOT_FOUND, hbk_handle_list(client, peer.pid, &entries, NULL));
    kit_peer_kill(&peer);
}

/* Looking leaves nothing in any of the processes. */
static void nothing_is_left_of_looking(void **state)
{
    (void)state;
    struct kit_peer peer;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    kit_peer_start(&peer);
    place(&peer, event, 0, false);
    kit_mark(&mark, peer.pid);
    for (int i = 0; i < 20; i++) {
        hbk_handle_entries_free(list(client, peer.pid));
        hbk_holder_entries_free(holders(client, 0, event));
    }
    kit_unchanged(&mark);
    kit_peer_stop(&peer);
    CloseHandle(event);
}

/* ---- what the library makes of answers ---- */

static void pages_are_put_together(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "process.handles",
         .result = "{\"handles\":[{\"handle\":4,\"type\":\"Key\",\"access\":9,\"inherit\":true},"
                   "{\"handle\":8,\"access\":0}],\"next\":\"8\"}"},
        {.method = "process.handles", .result = "{\"handles\":[],\"next\":\"16\"}"},
        {.method = "process.handles",
         .result = "{\"handles\":[{\"handle\":2147483644,\"type\":\"File\",\"access\":4294967295,"
                   "\"protect\":true}]}"},
    };
    struct kit_script script;
    kit_script_begin(&script, steps, 3);
    hbk_client *client = kit_script_client(&script);
    hbk_handle_entries *entries = list(client, 77);
    hbk_close(client); /* which the list outlives */
    kit_script_end(&script);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(script.asked[i], "\"pid\":77"));
    assert_null(strstr(script.asked[0], "cursor"));
    assert_non_null(strstr(script.asked[1], "\"cursor\":\"8\""));
    assert_non_null(strstr(script.asked[2], "\"cursor\":\"16\""));
    assert_int_equal(entries->count, 3);
    is_there(entries->entries, 3, 77, as_handle(4), "Key", 9, INHERIT);
    is_there(entries->entries, 3, 77, as_handle(8), "", 0, 0);
    is_there(entries->entries, 3, 77, as_handle(2147483644), "File", UINT32_MAX, PROTECT);
    hbk_handle_entries_free(entries);
}

static void a_list_that_ends_in_an_error(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "process.handles",
         .result = "{\"handles\":[{\"handle\":4,\"access\":9}],\"next\":\"4\"}"},
        {.method = "process.handles",
         .error = "{\"code\":13,\"message\":\"quota\",\"data\":{\"detail\":\"looks\"}}"},
    };
    struct kit_script script;
    hbk_handle_entries *entries = NULL;
    hbk_holder_entries *found = NULL;
    kit_script_begin(&script, steps, 2);
    hbk_client *client = kit_script_client(&script);
    assert_int_equal(hbk_handle_list(client, 77, &entries, NULL), HBK_QUOTA);
    /* An older service. */
    assert_int_equal(hbk_holder_list(client, 0, as_handle(4), &found, NULL), HBK_METHOD_NOT_FOUND);
    assert_null(entries);
    assert_null(found);
    hbk_close(client);
    kit_script_end(&script);
}

static void holders_as_they_are_told(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "object.holders",
         .result =
             "{\"type\":\"Event\",\"holders\":[{\"pid\":5,\"handle\":8,\"access\":2},{\"pid\":6,"
             "\"handle\":4,\"access\":3,\"inherit\":true,\"protect\":true}],\"broker\":7,"
             "\"complete\":false}"},
    };
    struct kit_script script;
    kit_script_begin(&script, steps, 1);
    hbk_client *client = kit_script_client(&script);
    hbk_holder_entries *found = holders(client, 6, as_handle(4));
    assert_non_null(strstr(script.asked[0], "\"pid\":6"));
    assert_non_null(strstr(script.asked[0], "\"handle\":4"));
    hbk_holder_entries *own = holders(client, 0, as_handle(8));
    assert_null(strstr(script.asked[0], "\"pid\""));
    hbk_holder_entries_free(own);
    hbk_close(client);
    kit_script_end(&script);
    assert_string_equal(found->type, "Event");
    assert_int_equal(found->broker, 7);
    assert_false(found->complete);
    assert_int_equal(found->count, 2);
    is_there(found->entries, 2, 5, as_handle(8), "Event", 2, 0);
    is_there(found->entries, 2, 6, as_handle(4), "Event", 3, INHERIT | PROTECT);
    hbk_holder_entries_free(found);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(each_kind_in_a_childs_table),
        KIT_TEST(our_own_table_with_its_flags),
        KIT_TEST(many),
        KIT_TEST(parent_and_child_hold_it_until_they_close_it),
        KIT_TEST(what_the_service_keeps),
        KIT_TEST(processes_that_nobody_looks_at),
        KIT_TEST(values_that_are_no_handles),
        KIT_TEST(a_process_that_has_ended),
        KIT_TEST(nothing_is_left_of_looking),
        KIT_TEST(pages_are_put_together),
        KIT_TEST(a_list_that_ends_in_an_error),
        KIT_TEST(holders_as_they_are_told),
    };
    return cmocka_run_group_tests_name("tables", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
