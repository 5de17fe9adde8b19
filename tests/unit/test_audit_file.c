/* The audit file on a disk: lines from any thread, files for administrators alone, a disk that fails and comes back,
 * and an end with a bound. */
#include "auditfile.h"
#include "auditio.h"
#include "test_support.h"

#include <windows.h>

#include <aclapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_MAX = 4 << 20, WAIT_MS = 10000, PATH_MAX_CHARS = 320 };

static wchar_t folder[PATH_MAX_CHARS], path[PATH_MAX_CHARS];
static uv_loop_t loop;
static struct hbk_audit_file *file;
static bool ended, was_stuck;
static struct hbk_audit_file_report reports[64];
static size_t reports_count;

static void on_told(void *context, const struct hbk_audit_file_report *report)
{
    (void)context;
    if (reports_count < 64)
        reports[reports_count++] = *report;
}

static void on_ended(void *context, bool stuck)
{
    (void)context;
    ended = true;
    was_stuck = stuck;
}

static uint32_t refuse(void *context, const wchar_t *name)
{
    assert_ptr_equal(context, path);
    assert_int_equal(wcscmp(name, path), 0);
    return ERROR_ACCESS_DENIED;
}

static void make_names(void)
{
    static unsigned number;
    wchar_t temp[MAX_PATH];
    assert_true(GetTempPathW(MAX_PATH, temp) > 0);
    (void)_snwprintf(folder, PATH_MAX_CHARS, L"%lshbk-audit-%lu-%u", temp, GetCurrentProcessId(),
                     ++number);
    (void)_snwprintf(path, PATH_MAX_CHARS, L"%ls\\audit.jsonl", folder);
}

static void begin(uint64_t file_bytes, uint32_t files, uint32_t (*check)(void *, const wchar_t *))
{
    struct hbk_audit_file_options options = {.path = path,
                                             .file_bytes = file_bytes,
                                             .files = files,
                                             .console = true,
                                             .check = check,
                                             .check_context = path};
    ended = was_stuck = false;
    reports_count = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(hbk_audit_file_new(&loop, &options, on_told, NULL, &file), 0);
}

/* Lets the loop go until @done says so. */
static void run_until(bool (*done)(void))
{
    uint64_t end = GetTickCount64() + WAIT_MS;
    while (!done()) {
        assert_true(GetTickCount64() < end);
        uv_run(&loop, UV_RUN_NOWAIT);
        Sleep(1);
    }
}

static bool has_ended(void)
{
    return ended;
}

static void finish(void)
{
    hbk_audit_file_stop(file, WAIT_MS, on_ended);
    run_until(has_ended);
    assert_false(was_stuck);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    hbk_audit_file_free(file);
}

static void name_of(int number, wchar_t *ret_name)
{
    if (number == 0)
        (void)_snwprintf(ret_name, PATH_MAX_CHARS, L"%ls", path);
    else
        (void)_snwprintf(ret_name, PATH_MAX_CHARS, L"%ls.%d", path, number);
}

/* For free(); NULL: there is none. */
static char *content(int number)
{
    wchar_t name[PATH_MAX_CHARS];
    name_of(number, name);
    HANDLE handle = CreateFileW(name, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, 0, NULL);
    if (handle == INVALID_HANDLE_VALUE)
        return NULL;
    char *text = malloc(READ_MAX);
    DWORD got = 0;
    assert_true(text != NULL && ReadFile(handle, text, READ_MAX - 1, &got, NULL));
    text[got] = '\0';
    CloseHandle(handle);
    return text;
}

static void remove_files(void)
{
    wchar_t name[PATH_MAX_CHARS];
    for (int i = 0; i < 10; i++) {
        name_of(i, name);
        DeleteFileW(name);
    }
    RemoveDirectoryW(folder);
}

static void say(const char *line)
{
    assert_true(hbk_audit_file_line(file, line, strlen(line)));
}

static void holds(int number, const char *expected)
{
    char *text = content(number);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

/* ---- the disk ---- */

static void lines_are_written(void **state)
{
    (void)state;
    make_names();
    begin(1 << 20, 3, NULL);
    say("{\"a\":1}\n");
    say("{\"a\":2}\n");
    finish();
    holds(0, "{\"a\":1}\n{\"a\":2}\n");
    /* What was there stays. */
    begin(1 << 20, 3, NULL);
    say("{\"a\":3}\n");
    finish();
    holds(0, "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
    assert_int_equal(reports_count, 0);
    remove_files();
}

static void no_line_no_file(void **state)
{
    (void)state;
    make_names();
    begin(1 << 20, 3, NULL);
    finish();
    assert_null(content(0));
    assert_int_equal(GetFileAttributesW(folder), INVALID_FILE_ATTRIBUTES);
}

static void files_are_rotated(void **state)
{
    (void)state;
    make_names();
    begin(16, 3, NULL);
    for (int i = 0; i < 7; i++) {
        char line[16];
        (void)snprintf(line, sizeof line, "{\"a\":%d}\n", i);
        say(line);
    }
    finish();
    holds(0, "{\"a\":6}\n");
    holds(1, "{\"a\":4}\n{\"a\":5}\n");
    holds(2, "{\"a\":2}\n{\"a\":3}\n");
    assert_null(content(3));
    remove_files();
}

/* Nobody but administrators, the system and, in a console, the user. */
static void only_for_administrators(const wchar_t *name)
{
    PACL dacl = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    DWORD revision = 0;
    assert_int_equal(GetNamedSecurityInfoW((wchar_t *)name, SE_FILE_OBJECT,
                                           DACL_SECURITY_INFORMATION, NULL, NULL, &dacl, NULL,
                                           &descriptor),
                     ERROR_SUCCESS);
    assert_non_null(dacl);
    assert_true(GetSecurityDescriptorControl(descriptor, &control, &revision));
    for (WORD i = 0; i < dacl->AceCount; i++) {
        ACCESS_ALLOWED_ACE *ace = NULL;
        assert_true(GetAce(dacl, i, (void **)&ace));
        bool world = IsWellKnownSid((PSID)&ace->SidStart, WinWorldSid) ||
                     IsWellKnownSid((PSID)&ace->SidStart, WinAuthenticatedUserSid) ||
                     IsWellKnownSid((PSID)&ace->SidStart, WinBuiltinUsersSid);
        assert_false(ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE && world && ace->Mask != 0);
    }
    LocalFree(descriptor);
}

static void what_is_made_is_private(void **state)
{
    (void)state;
    make_names();
    begin(1 << 20, 3, NULL);
    say("{}\n");
    finish();
    only_for_administrators(folder);
    only_for_administrators(path);
    remove_files();
}

static bool file_is_there(void)
{
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

static void others_may_only_read(void **state)
{
    (void)state;
    make_names();
    begin(1 << 20, 3, NULL);
    say("{}\n");
    run_until(file_is_there);
    HANDLE other =
        CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, 0, NULL);
    assert_true(other == INVALID_HANDLE_VALUE);
    assert_int_equal(GetLastError(), ERROR_SHARING_VIOLATION);
    assert_false(DeleteFileW(path));
    char *text = content(0);
    assert_non_null(text);
    free(text);
    finish();
    holds(0, "{}\n");
    remove_files();
}

/* The file that was full is held by a reader who does not let it be renamed. */
static void a_reader_in_the_way_of_a_rotation(void **state)
{
    (void)state;
    make_names();
    begin(8, 3, NULL);
    say("{\"a\":0}\n");
    run_until(file_is_there);
    HANDLE reader = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, 0, NULL);
    assert_true(reader != INVALID_HANDLE_VALUE);
    say("{\"a\":1}\n");
    finish();
    CloseHandle(reader);
    holds(0, "{\"a\":0}\n{\"a\":1}\n");
    assert_int_equal(reports_count, 1);
    assert_int_equal(reports[0].news, HBK_AUDIT_FILE_NOT_ROTATED);
    assert_int_equal(reports[0].win32, ERROR_SHARING_VIOLATION);
    remove_files();
}

/* ---- what is refused ---- */

static void a_path_that_is_not_trusted(void **state)
{
    (void)state;
    make_names();
    assert_true(CreateDirectoryW(folder, NULL));
    begin(1 << 20, 3, refuse);
    say("{}\n");
    finish();
    assert_null(content(0));
    assert_true(RemoveDirectoryW(folder));
}

static bool has_reported(void)
{
    return reports_count > 0;
}

static void a_folder_that_is_missing(void **state)
{
    (void)state;
    make_names();
    (void)_snwprintf(path, PATH_MAX_CHARS, L"%ls\\deeper\\audit.jsonl", folder);
    begin(1 << 20, 3, NULL);
    say("{}\n");
    run_until(has_reported);
    assert_int_equal(reports[0].news, HBK_AUDIT_FILE_FAILS);
    assert_int_equal(reports[0].win32, ERROR_PATH_NOT_FOUND);
    assert_int_equal(GetFileAttributesW(folder), INVALID_FILE_ATTRIBUTES);
    finish();
}

static void what_is_no_file(void **state)
{
    (void)state;
    make_names();
    (void)_snwprintf(path, PATH_MAX_CHARS, L"NUL");
    begin(1 << 20, 3, NULL);
    say("{}\n");
    run_until(has_reported);
    assert_int_equal(reports[0].news, HBK_AUDIT_FILE_FAILS);
    assert_int_not_equal(reports[0].win32, 0);
    finish();
}

/* ---- a disk that fails ---- */

static struct hbk_audit_io real;
static volatile LONG full, slow;

static uint32_t faulty_write(void *context, uint64_t offset, const void *bytes, uint32_t size,
                             uint32_t *ret_written)
{
    while (slow != 0)
        Sleep(1);
    if (full == 0)
        return real.write(context, offset, bytes, size, ret_written);
    uint32_t error = real.write(context, offset, bytes, size < 5 ? size : 5, ret_written);
    return error != 0 ? error : ERROR_DISK_FULL;
}

static struct hbk_audit_disk *begin_faulty(void)
{
    make_names();
    begin(1 << 26, 3, NULL);
    struct hbk_audit_disk *disk = hbk_audit_disk_new(path, true, NULL, NULL, &real);
    assert_non_null(disk);
    struct hbk_audit_io faulty = real;
    faulty.write = faulty_write;
    hbk_audit_file_io(file, &faulty);
    full = slow = 0;
    return disk;
}

static bool has_reported_again(void)
{
    return reports_count > 1;
}

static void a_full_disk_that_is_emptied(void **state)
{
    (void)state;
    static char line[1000];
    struct hbk_audit_disk *disk = begin_faulty();
    uint64_t taken = 0, refused = 0;
    memset(line, 'x', sizeof line);
    line[0] = '{';
    line[sizeof line - 1] = '\n';
    full = 1;
    say("{}\n");
    run_until(has_reported);
    assert_int_equal(reports[0].news, HBK_AUDIT_FILE_FAILS);
    assert_int_equal(reports[0].win32, ERROR_DISK_FULL);
    /* Nobody waits; what is too much is dropped and counted. */
    for (int i = 0; i < 2000; i++) {
        if (hbk_audit_file_line(file, line, sizeof line))
            taken++;
        else
            refused++;
    }
    assert_in_range(taken * sizeof line, HBK_AUDIT_QUEUE_BYTES_MAX - 3 * (int)sizeof line,
                    HBK_AUDIT_QUEUE_BYTES_MAX);
    assert_true(refused > 0);
    full = 0;
    run_until(has_reported_again); /* one notice while it failed, one that it works */
    assert_int_equal(reports_count, 2);
    assert_int_equal(reports[1].news, HBK_AUDIT_FILE_WORKS);
    assert_int_equal(reports[1].dropped, refused);
    say("{\"a\":1}\n");
    finish();
    char *text = content(0), *at = text;
    assert_non_null(text);
    assert_memory_equal(at, "{}\n", 3);
    at += 3;
    for (uint64_t i = 0; i < taken; i++, at += sizeof line)
        assert_memory_equal(at, line, sizeof line);
    assert_string_equal(at, "{\"a\":1}\n");
    free(text);
    hbk_audit_disk_free(disk);
    remove_files();
}

/* The end comes while nothing can be written: one more try, and no waiting. */
static void an_end_on_a_full_disk(void **state)
{
    (void)state;
    struct hbk_audit_disk *disk = begin_faulty();
    full = 1;
    say("{\"a\":1}\n");
    run_until(has_reported);
    uint64_t before = GetTickCount64();
    finish();
    assert_true(GetTickCount64() - before < 2000);
    holds(0, ""); /* and no torn line */
    hbk_audit_disk_free(disk);
    remove_files();
}

static void an_end_in_a_stuck_write(void **state)
{
    (void)state;
    struct hbk_audit_disk *disk = begin_faulty();
    slow = 1;
    say("{\"a\":1}\n");
    run_until(file_is_there);
    hbk_audit_file_stop(file, 200, on_ended);
    run_until(has_ended);
    assert_true(was_stuck);
    /* The process would end here. The test lets the call return, so that it leaves nothing behind. */
    ended = false;
    slow = 0;
    run_until(has_ended);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    hbk_audit_file_free(file);
    hbk_audit_disk_free(disk);
    remove_files();
}

/* ---- threads ---- */

enum { THREADS = 4, LINES = 500 };

static DWORD WINAPI say_many(void *context)
{
    char line[32];
    for (int i = 0; i < LINES; i++) {
        int size = snprintf(line, sizeof line, "{\"%d\":%d}\n", (int)(intptr_t)context, i);
        if (!hbk_audit_file_line(file, line, (size_t)size))
            return 1;
    }
    return 0;
}

static void lines_of_many_threads(void **state)
{
    (void)state;
    HANDLE threads[THREADS];
    int next[THREADS] = {0};
    make_names();
    begin(1 << 26, 3, NULL);
    for (intptr_t i = 0; i < THREADS; i++) {
        threads[i] = CreateThread(NULL, 0, say_many, (void *)i, 0, NULL);
        assert_non_null(threads[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        DWORD code = 1;
        while (WaitForSingleObject(threads[i], 1) == WAIT_TIMEOUT)
            uv_run(&loop, UV_RUN_NOWAIT);
        assert_true(GetExitCodeThread(threads[i], &code) && code == 0);
        CloseHandle(threads[i]);
    }
    finish();
    char *text = content(0);
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1) {
        char *end = NULL;
        long thread = strtol(at + 2, &end, 10), number = strtol(end + 2, NULL, 10);
        assert_in_range(thread, 0, THREADS - 1);
        assert_int_equal(number, next[thread]++);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(next[i], LINES);
    free(text);
    remove_files();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_written),
        cmocka_unit_test(no_line_no_file),
        cmocka_unit_test(files_are_rotated),
        cmocka_unit_test(what_is_made_is_private),
        cmocka_unit_test(others_may_only_read),
        cmocka_unit_test(a_reader_in_the_way_of_a_rotation),
        cmocka_unit_test(a_path_that_is_not_trusted),
        cmocka_unit_test(a_folder_that_is_missing),
        cmocka_unit_test(what_is_no_file),
        cmocka_unit_test(a_full_disk_that_is_emptied),
        cmocka_unit_test(an_end_on_a_full_disk),
        cmocka_unit_test(an_end_in_a_stuck_write),
        cmocka_unit_test(lines_of_many_threads),
    };
    return cmocka_run_group_tests_name("audit file", tests, NULL, NULL);
}
