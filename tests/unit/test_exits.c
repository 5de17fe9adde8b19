/* Who hears of the end of a process: everyone who watches it, once; nobody who has forgotten it. */
#include "test_support.h"
#include "parts.h"

#include <string.h>

#define WAIT_MS 10000u
#define QUIET_MS 100u

struct seen {
    struct hbk_watcher watcher;
    volatile LONG count;
    HANDLE event;
};

static void ended(void *context)
{
    struct seen *seen = context;
    InterlockedIncrement(&seen->count);
    SetEvent(seen->event);
}

static void seen_init(struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    seen->watcher.ended = ended;
    seen->watcher.context = seen;
    seen->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    assert_non_null(seen->event);
}

static void wait_seen(struct seen *seen)
{
    assert_int_equal(WaitForSingleObject(seen->event, WAIT_MS), WAIT_OBJECT_0);
    Sleep(QUIET_MS); /* for a second time, which must not come */
    assert_int_equal(seen->count, 1);
}

/* It never gets to run. */
static HANDLE start(DWORD *ret_pid)
{
    wchar_t self[MAX_PATH];
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    assert_true(GetModuleFileNameW(NULL, self, MAX_PATH) < MAX_PATH);
    assert_true(CreateProcessW(self, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL,
                               &startup, &child));
    CloseHandle(child.hThread);
    *ret_pid = child.dwProcessId;
    return child.hProcess;
}

static bool empty(const struct hbk_exits *exits)
{
    for (size_t i = 0; i < HBK_EXIT_BUCKETS; i++)
        if (exits->buckets[i] != NULL)
            return false;
    return true;
}

static void all_sessions_of_a_process_are_told(void **state)
{
    (void)state;
    static struct hbk_exits exits;
    struct seen seen[4];
    DWORD pid = 0, other_pid = 0;
    HANDLE process = start(&pid), other = start(&other_pid);
    for (size_t i = 0; i < 4; i++)
        seen_init(&seen[i]);
    assert_int_equal(hbk_exits_watch(&exits, process, pid, &seen[0].watcher), 0);
    assert_int_equal(hbk_exits_watch(&exits, process, pid, &seen[1].watcher), 0);
    assert_int_equal(hbk_exits_watch(&exits, process, pid, &seen[2].watcher), 0);
    assert_int_equal(hbk_exits_watch(&exits, other, other_pid, &seen[3].watcher), 0);
    hbk_exits_forget(&exits, &seen[1].watcher); /* from the middle */
    assert_true(TerminateProcess(process, 0));
    wait_seen(&seen[0]);
    wait_seen(&seen[2]);
    assert_int_equal(seen[1].count, 0);
    assert_int_equal(seen[3].count, 0); /* another's */
    assert_int_equal(hbk_exits_watch(&exits, process, pid, &seen[1].watcher), 0);
    assert_int_equal(seen[1].count, 1); /* at once: it has ended */
    for (size_t i = 0; i < 4; i++) {
        hbk_exits_forget(&exits, &seen[i].watcher);
        hbk_exits_forget(&exits, &seen[i].watcher);
        CloseHandle(seen[i].event);
    }
    assert_true(empty(&exits));
    assert_true(TerminateProcess(other, 0));
    CloseHandle(process);
    CloseHandle(other);
}

/* The session that came first goes first, and takes its handle along. */
static void later_sessions_need_no_earlier_one(void **state)
{
    (void)state;
    static struct hbk_exits exits;
    struct seen first, second;
    DWORD pid = 0;
    HANDLE process = start(&pid), handle = NULL;
    seen_init(&first);
    seen_init(&second);
    assert_true(DuplicateHandle(GetCurrentProcess(), process, GetCurrentProcess(), &handle,
                                SYNCHRONIZE, FALSE, 0));
    assert_int_equal(hbk_exits_watch(&exits, handle, pid, &first.watcher), 0);
    assert_int_equal(hbk_exits_watch(&exits, process, pid, &second.watcher), 0);
    hbk_exits_forget(&exits, &first.watcher);
    CloseHandle(handle);
    assert_true(TerminateProcess(process, 0));
    wait_seen(&second);
    assert_int_equal(first.count, 0);
    hbk_exits_forget(&exits, &second.watcher);
    assert_true(empty(&exits));
    CloseHandle(process);
    CloseHandle(first.event);
    CloseHandle(second.event);
}

static void what_cannot_be_watched_is_refused(void **state)
{
    (void)state;
    static struct hbk_exits exits;
    struct seen seen;
    seen_init(&seen);
    assert_int_equal(hbk_exits_watch(&exits, NULL, 4, &seen.watcher), -1);
    assert_true(empty(&exits));
    hbk_exits_forget(&exits, &seen.watcher);
    CloseHandle(seen.event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sessions_of_a_process_are_told),
        cmocka_unit_test(later_sessions_need_no_earlier_one),
        cmocka_unit_test(what_cannot_be_watched_is_refused),
    };
    return cmocka_run_group_tests_name("exits", tests, NULL, NULL);
}
