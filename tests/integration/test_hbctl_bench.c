/* hbctl bench: what it prints, what it leaves behind, and that it fails where a hand-off does. Its figures are for
 * people: no test looks at how fast anything was. */
#include "script.h"
#include "tool.h"

#include <stdio.h>
#include <string.h>
#include <tlhelp32.h>
#include <wchar.h>

#define BENCH_MS 120000u

/* A child of process @parent that was started by this program's name; 0: none. */
static DWORD child_of(DWORD parent)
{
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    DWORD found = 0;
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    assert_true(snapshot != INVALID_HANDLE_VALUE);
    for (BOOL more = Process32FirstW(snapshot, &entry); more && found == 0;
         more = Process32NextW(snapshot, &entry)) {
        if (entry.th32ParentProcessID == parent && _wcsicmp(entry.szExeFile, L"hbctl.exe") == 0)
            found = entry.th32ProcessID;
    }
    CloseHandle(snapshot);
    return found;
}

static void hands_over_and_leaves_nothing(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    kit_hbctl(KIT_DONE, L"bench --count 150");
    kit_says(kit_said.out, "150 hand-offs of each kind");
    kit_says(kit_said.out, "each handle was the right object");
    kit_says(kit_said.out, "P50 US");
    kit_says(kit_said.out, "by the service");
    kit_says(kit_said.out, "the floor");
    kit_says(kit_said.out, "ratio");
    assert_string_equal(kit_said.err, "");
    kit_unchanged(&mark);
}

static void in_json(void **state)
{
    (void)state;
    int64_t number = 0;
    kit_hbctl(KIT_DONE, L"bench --count 1 --json");
    kit_says(kit_said.out, "{\"count\":1,\"service\":{\"p50_us\":");
    kit_says(kit_said.out, "\"floor\":{\"p50_us\":");
    kit_says(kit_said.out, "\"ratio_p50\":");
    assert_true(kit_json_number(kit_said.out, "count", &number) && number == 1);
    assert_string_equal(kit_said.err, "");
}

/* Says that it has delivered what it has not. */
static void what_does_not_arrive(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "handle.send",
         .result = "{\"delivery\":1,\"items\":[{\"type\":\"Event\",\"access\":2031619}]}"},
    };
    struct kit_script script;
    kit_script_begin(&script, steps, 1);
    kit_hbctl_at(script.pipe, KIT_TOO_LATE, L"bench --count 10");
    kit_says(kit_said.err, "it did not arrive, or another object did");
    assert_string_equal(kit_said.out, "");
    kit_script_end(&script);
}

static void what_is_refused(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "handle.send",
         .error = "{\"code\":2,\"message\":\"denied\",\"data\":{\"detail\":\"not you\"}}"},
    };
    struct kit_script script;
    kit_script_begin(&script, steps, 1);
    kit_hbctl_at(script.pipe, KIT_REFUSED, L"bench --count 10 --json");
    kit_is_json(kit_said.err);
    kit_says(kit_said.err, "\"name\":\"denied\"");
    assert_string_equal(kit_said.out, "");
    kit_script_end(&script);
}

/* One of its processes is killed in the middle: it fails, and takes the others with it. */
static void a_child_that_dies(void **state)
{
    (void)state;
    struct kit_mark mark;
    wchar_t line[512], out[MAX_PATH], err[MAX_PATH];
    char text[1024];
    DWORD pid = 0, child = 0;
    kit_mark(&mark, 0);
    kit_temp(out, MAX_PATH);
    kit_temp(err, MAX_PATH);
    (void)swprintf(line, 512, L"\"%ls\" bench --count 100000 %ls", kit_tool(L"hbctl.exe"),
                   kit_reach());
    HANDLE process = kit_spawn_log(line, 0, out, err, &pid);
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; child == 0 && kit_now_ms() < end; Sleep(50))
        child = child_of(pid);
    assert_true(child != 0);
    Sleep(500);
    HANDLE victim = OpenProcess(PROCESS_TERMINATE, FALSE, child);
    assert_true(victim != NULL && TerminateProcess(victim, 9));
    CloseHandle(victim);
    assert_true(kit_wait_exit(process, BENCH_MS) != KIT_DONE);
    kit_file_read(out, text, sizeof text);
    assert_string_equal(text, "");
    kit_file_read(err, text, sizeof text);
    kit_says(text, "hbctl: ");
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; child != 0 && kit_now_ms() < end; Sleep(20))
        child = child_of(pid);
    assert_int_equal(child, 0);
    kit_forget(process);
    kit_temp_remove(out);
    kit_temp_remove(err);
    kit_unchanged(&mark);
}

static void what_is_wrong_to_ask(void **state)
{
    (void)state;
    static const wchar_t *const lines[] = {
        L"bench --count 0",      L"bench --count 100001",      L"bench extra",
        L"bench --child nobody", L"bench --child relay,1,2,3", L"bench --child floor,x",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        kit_hbctl(KIT_USAGE, L"%ls", lines[i]);
        assert_string_equal(kit_said.out, "");
    }
    kit_hbctl_at(L"hbk-no-such-pipe", KIT_UNAVAILABLE, L"bench --count 1");
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(hands_over_and_leaves_nothing),
        KIT_TEST(in_json),
        KIT_TEST(what_does_not_arrive),
        KIT_TEST(what_is_refused),
        KIT_TEST(a_child_that_dies),
        KIT_TEST(what_is_wrong_to_ask),
    };
    return cmocka_run_group_tests_name("hbctl bench", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
