/* The configuration file: what the broker refuses to start with, what it says of it, and whom it
 * believes. With each refusal nothing was started. */
#include "kit.h"

#include <sddl.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define RUN_MS 20000u
#define LINE_CHARS 1400

enum { DONE = 0, USAGE = 2 };

static struct kit_output output;

static void says(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("\"%s\" is missing in: %s", what, text);
}

static int end(void **state)
{
    (void)state;
    kit_raw_free_all();
    kit_forget_all();
    kit_temp_end();
    return 0;
}

/* A broker with the file at @path does not start, and says so; --check-config says the same. */
static void refused(const wchar_t *path, const char *what, const char *remedy)
{
    const wchar_t *pipe = kit_pipe_name(), *tool = kit_tool(L"handlebroker.exe");
    kit_run(&output, RUN_MS, L"\"%ls\" run --pipe %ls --config \"%ls\"", tool, pipe, path);
    if (output.code != USAGE)
        fail_msg("exit code %lu: %s%s", output.code, output.out, output.err);
    says(output.err, what);
    says(output.err, remedy);
    assert_null(strstr(output.err, "listens on"));
    assert_false(WaitNamedPipeW(pipe, 1));
    assert_int_equal(GetLastError(), ERROR_FILE_NOT_FOUND);
    kit_run(&output, RUN_MS, L"\"%ls\" --check-config \"%ls\"", tool, path);
    if (output.code != USAGE)
        fail_msg("exit code %lu: %s%s", output.code, output.out, output.err);
    says(output.err, what);
    says(output.err, remedy);
    assert_int_equal(output.out[0], '\0');
}

static void refused_text(const char *text, const char *what, const char *remedy)
{
    wchar_t path[MAX_PATH];
    kit_temp(path, MAX_PATH);
    kit_file_write(path, text, strlen(text));
    refused(path, what, remedy);
    says(output.err, "hbk-test-"); /* which file */
    kit_temp_remove(path);
}

/* A broker with the file at @path starts, and obeys it. */
static void obeyed(const wchar_t *path, int64_t hello_ms)
{
    wchar_t line[LINE_CHARS], log[MAX_PATH];
    int64_t value = 0;
    const wchar_t *pipe = kit_pipe_name();
    struct kit_broker broker = {.pipe = pipe};
    kit_temp(log, MAX_PATH);
    (void)swprintf(line, LINE_CHARS, L"\"%ls\" run --pipe %ls --config \"%ls\"",
                   kit_tool(L"handlebroker.exe"), pipe, path);
    HANDLE process = kit_spawn_log(line, 0, log, log, &broker.pid);
    kit_pipe_wait(pipe);
    struct kit_raw *raw = kit_raw_with(&broker);
    kit_raw_hello(raw, false);
    assert_true(kit_json_number(raw->line, "hello_ms", &value));
    assert_int_equal(value, hello_ms);
    kit_raw_free(raw);
    kit_forget(process);
    kit_temp_remove(log);
}

static const char good[] = "{\"limits\": {\"hello_ms\": 7654}}";

/* ---- what stands in it ---- */

static void one_mistake(void **state)
{
    (void)state;
    static const struct {
        const char *text, *what, *remedy;
    } rows[] = {
        {"", "column 1: nothing here", "a JSON object should stand here"},
        {"{\n\"limits\": {\"hello_ms\": 500},\n}", "line 3: column 1", "a key in double quotes"},
        {"\xEF\xBB\xBF{}", "a byte order mark", "save as UTF-8 without one"},
        {"{\"limits\": {}} x", "something follows", "one alone"},
        {"[]", "line 1", "no JSON object"},
        {"{\n\"limits\": 7}", "line 2: limits: ", "must be an object"},
        {"{\n\n\"limit\": {}}",
         "line 3: limit: ", "write one of: limits, audit, metrics, verbs, rules"},
        {"{\"limits\":\n{\"hello\": 500}}", "line 2: limits.hello: ", "hello_ms"},
        {"{\"limits\": {\"hello_ms\": \"500\"}}",
         "limits.hello_ms: ", "an integer from 50 to 600000"},
        {"{\"limits\": {\"hello_ms\": 0}}", "limits.hello_ms: ", "an integer from 50 to 600000"},
        {"{\"limits\": {\"hello_ms\": 4294967296}}", "limits.hello_ms: ", "an integer from 50"},
        {"{\"limits\": {\"hello_ms\": 1e999}}", "line 1: column", "only integers"},
        {"{\"limits\": {\"hello_ms\": 500,\n\"hello_ms\": 500}}",
         "line 2: limits.hello_ms: stands twice", "keep one"},
        {"{\"limits\": {\"sessions\": 1000000}}", "limits.sessions: ", "an integer from 2 to"},
        {"{\"limits\": {\"queued_bytes\": 1}}", "limits.queued_bytes: ", "an integer from 1048576"},
        {"{\"limits\": {\"stored\": 1}}", "limits.stored: ", "an integer from 2 to 1048576"},
        {"{\"limits\": {\"stored_bytes\": 65535}}",
         "limits.stored_bytes: ", "an integer from 65536"},
        {"{\"audit\": {\"file\": \"audit.jsonl\"}}", "audit.file: ", "the whole path"},
        {"{\"audit\": {\"file\": \"\\\\\\\\server\\\\share\\\\a\"}}",
         "audit.file: ", "a local drive"},
        {"{\"audit\": {\"file\": \"C:\\\\a:b\"}}", "audit.file: ", "the whole path"},
        {"{\"audit\": {\"files\": 0}}", "audit.files: ", "an integer from 1 to 100"},
        {"{\"verbs\": {\n\"inspect\": \"everybody\"}}",
         "line 2: verbs.inspect: is no security descriptor", "(error "},
        {"{\"verbs\": {\"inspect\": \"D:(A;;GA;;;XYZ)\"}}", "verbs.inspect: is no security",
         "SDDL"},
        {"{\"verbs\": {\"inspect\": \"D:(A;;GA;;;BA\"}}", "verbs.inspect: is no security", "SDDL"},
        {"{\"verbs\": {\"inspect\": \"O:BA\"}}", "verbs.inspect: has no DACL", "D:(A;;GA;;;BA)"},
        {"{\"verbs\": {\"revoke\": \"D:\"}}", "verbs.revoke: grants revoke (0x40) to nobody",
         "(A;;0x40;;;BA)"},
        {"{\"verbs\": {\"transfer\": \"D:(A;;0xF;;;BA)\"}}",
         "verbs.transfer: grants transfer (0x10)", "(A;;0x10;;;BA)"},
        {"{\"rules\": [{\"name\": \"session/a\",\n\"send\": \"D:(A;;GR;;;WD)\"}]}",
         "line 2: rules[0].send: grants send (0x2) to nobody", "leave the setting out"},
        {"{\"rules\": [{\"name\": \"session/a\", \"open\": \"D:(D;;GA;;;WD)\"}]}",
         "rules[0].open: grants open (0x1) to nobody", "(A;;0x1;;;BA)"},
        {"{\"rules\": [\n{\"send\": \"D:(A;;GA;;;BA)\"}]}", "line 2: rules[0].name: is missing",
         "session/print/*"},
        {"{\"rules\": [{\"name\": \"elsewhere/*\", \"send\": \"D:(A;;GA;;;BA)\"}]}",
         "rules[0].name: ", "user/, session/ or global/"},
        {"{\"rules\": [{\"name\": \"user/a b\", \"send\": \"D:(A;;GA;;;BA)\"}]}",
         "rules[0].name: ", "letters, digits"},
        {"{\"rules\": [{\"name\": \"user/a\",\n\"types\": {\n\"event\": \"any\"}}]}",
         "line 3: rules[0].types.event: there is no such type", "write one of: Event"},
        {"{\"rules\": [{\"name\": \"user/a\", \"types\": {\"IoCompletion\": \"any\"}}]}",
         "rules[0].types.IoCompletion: cannot pass", "make its own port"},
        {"{\"rules\": [{\"name\": \"user/a\", \"types\": {\"Event\": \"all\"}}]}",
         "rules[0].types.Event: ", "\"any\", \"read\" or a mask"},
        {"{\"rules\": [{\"name\": \"user/a\",\n\"types\": {\"Socket\": \"read\"}}]}",
         "line 2: rules[0].types.Socket: must be \"any\"", "keeps all its rights"},
        {"{\"rules\": [{\"name\": \"session/a\",\n\"put\": \"D:(A;;0x8;;;WD)\"}]}",
         "line 2: rules[0].put: grants put (0x4) to nobody", "(A;;0x4;;;BA)"},
        {"{\"rules\": [{\"name\": \"session/a\", \"get\": \"D:(A;;0x4;;;WD)\"}]}",
         "rules[0].get: grants get (0x8) to nobody", "(A;;0x8;;;BA)"},
        {"{\"rules\": [{\"name\": \"user/a\", \"access_max\": \"0x10000000\"}]}",
         "rules[0].access_max: GENERIC_*", "the type's own rights"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refused_text(rows[i].text, rows[i].what, rows[i].remedy);
}

/* Each with its line, in their order, whoever found them. */
static void every_mistake(void **state)
{
    (void)state;
    static const char *const said[] = {
        "line 2: limits.hello_ms: must be",
        "line 2: limits.pin: there is no",
        "line 3: verbs.inspect: is no security",
        "line 4: audit.file: must be",
        "line 5: metrics.interval_ms: must be an integer from 1000 to 3600000",
        "line 5: metrics.file: must be the whole path",
        "line 6: rules[0].send: must be a text",
        "line 6: rules[0].types.Evnt: there is no",
        "line 7: rules[1].name: ",
        "line 7: rules[1].open: grants open",
    };
    refused_text("{\n\"limits\": {\"hello_ms\": 1, \"pin\": 1},\n"
                 "\"verbs\": {\"inspect\": \"x\"},\n"
                 "\"audit\": {\"file\": \"x\"},\n"
                 "\"metrics\": {\"file\": \"y\", \"interval_ms\": 999}, \"rules\": [\n"
                 "{\"name\": \"user/a\", \"send\": 1, \"types\": {\"Evnt\": \"any\"}},\n"
                 "{\"name\": \"x\", \"open\": \"D:\"}]}",
                 "line 2", "line 7");
    const char *at = output.err;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        const char *next = strstr(at, said[i]);
        if (next == NULL)
            fail_msg("\"%s\" is missing, or not in its place: %s", said[i], output.err);
        at = next;
    }
}

/* No more is said than can be read. */
static void hundreds_of_mistakes(void **state)
{
    (void)state;
    static char text[65536];
    size_t size = (size_t)snprintf(text, sizeof text, "{\"rules\": [");
    for (int i = 0; i < 256; i++)
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 "%s\n{\"name\": \"x\", \"open\": 1}", i > 0 ? "," : "");
    (void)snprintf(text + size, sizeof text - size, "]}");
    wchar_t path[MAX_PATH], log[MAX_PATH], line[LINE_CHARS];
    static char said[65536];
    kit_temp(path, MAX_PATH);
    kit_temp(log, MAX_PATH);
    kit_file_write(path, text, strlen(text));
    (void)swprintf(line, LINE_CHARS, L"\"%ls\" --check-config \"%ls\"",
                   kit_tool(L"handlebroker.exe"), path);
    HANDLE process = kit_spawn_log(line, 0, log, log, NULL);
    assert_int_equal(kit_wait_exit(process, RUN_MS), USAGE);
    kit_file_read(log, said, sizeof said);
    says(said, "line 2: rules[0].open");
    says(said, "and 412 more mistakes");
    kit_temp_remove(path);
    kit_temp_remove(log);
}

static void a_huge_file(void **state)
{
    (void)state;
    static char huge[10 << 20];
    wchar_t path[MAX_PATH];
    memset(huge, ' ', sizeof huge);
    huge[0] = '{';
    huge[sizeof huge - 1] = '}';
    kit_temp(path, MAX_PATH);
    kit_file_write(path, huge, sizeof huge);
    refused(path, "larger than 262144 bytes", "the most that is read");
    kit_file_write(path, huge, 262145);
    refused(path, "larger than 262144 bytes", "the most that is read");
    kit_temp_remove(path);
    /* The twin: the largest that is read. */
    memset(huge, ' ', 262144);
    memcpy(huge, good, sizeof good - 1);
    kit_temp(path, MAX_PATH);
    kit_file_write(path, huge, 262144);
    obeyed(path, 7654);
    kit_temp_remove(path);
}

/* The twin of all: one that is right, over several lines, is obeyed, and --check-config says what
 * it does. */
static void a_file_that_is_right(void **state)
{
    (void)state;
    static const char text[] =
        "{\r\n\t\"limits\": {\r\n\t\t\"hello_ms\": 7654,\r\n\t\t\"pins_per_session\": "
        "77,\r\n\t\t\"stored\": 88, \"stored_bytes\": 65536\r\n\t},\r\n"
        "\"verbs\": {\"inspect\": \"D:(A;;0x20;;;BA)(A;;GA;;;SY)\"},\r\n"
        "\"audit\": {\"file\": \"C:\\\\folder\\\\audit.jsonl\", \"files\": 3},\r\n"
        "\"metrics\": {\"file\": \"C:\\\\folder\\\\hbk.prom\", \"interval_ms\": 30000},\r\n"
        "\"rules\": [\r\n"
        "{\"name\": \"session/print/*\", \"open\": \"D:(A;;0x1;;;BA)\", \"send\": "
        "\"D:(A;;GA;;;WD)\",\r\n"
        " \"types\": {\"Event\": \"any\", \"Section\": \"read\", \"Key\": \"0x20019\", "
        "\"Socket\": \"any\"}},\r\n"
        "{\"name\": \"global/*\", \"send\": \"D:(A;;GA;;;BA)\", \"put\": \"D:(A;;0x4;;;BA)\", "
        "\"get\": \"D:(A;;0x8;;;BU)\", \"access_max\": 1179785}]}\r\n";
    static const char *const summary[] = {
        "no mistakes",
        "rules: 2",
        "rules[0] \"session/print/*\": decides on open, send; types Event any, Section read,",
        "read, Key 0x20019, Socket any",
        ("rules[1] \"global/*\": decides on send, put, get; the default types; access at most "
         "0x120089"),
        "inspect   whom the file admits",
        "transfer  everybody who may reach both processes (built in)",
        "revoke    administrators and LocalSystem",
        "hello_ms               7654",
        "pins_per_session       77",
        "stored                 88",
        "stored_bytes           65536",
        "requests               16384",
        "audit file: C:\\folder\\audit.jsonl, begun anew at 10485760 bytes, 3 kept",
        "metrics file: C:\\folder\\hbk.prom, every 30000 ms",
    };
    wchar_t path[MAX_PATH];
    kit_temp(path, MAX_PATH);
    kit_file_write(path, text, sizeof text - 1);
    kit_run(&output, RUN_MS, L"\"%ls\" --check-config \"%ls\"", kit_tool(L"handlebroker.exe"),
            path);
    if (output.code != DONE)
        fail_msg("exit code %lu: %s", output.code, output.err);
    for (size_t i = 0; i < sizeof summary / sizeof *summary; i++)
        says(output.out, summary[i]);
    assert_int_equal(output.err[0], '\0');
    kit_file_write(path, good, sizeof good - 1);
    obeyed(path, 7654);
    kit_file_write(path, "{}", 2);
    obeyed(path, 10000);
    kit_temp_remove(path);
}

/* ---- where it is ---- */

static void a_file_that_is_missing(void **state)
{
    (void)state;
    wchar_t path[MAX_PATH];
    kit_temp(path, MAX_PATH);
    assert_true(DeleteFileW(path));
    refused(path, "there is no such file", "its whole path");
    refused(L"C:\\no-such-folder\\handlebroker.json", "no-such-folder", "its whole path");
    kit_temp_remove(path);
}

static void what_is_no_file(void **state)
{
    (void)state;
    wchar_t folder[MAX_PATH];
    DWORD size = GetTempPathW(MAX_PATH, folder);
    assert_true(size > 1);
    folder[size - 1] = L'\0'; /* without its last backslash */
    refused(folder, "is a folder", "name the file in it");
    refused(L"NUL", "NUL: ", "a local drive");
    refused(L"\\\\.\\pipe\\hbk-test-nobody", "pipe", "a local drive");
    refused(L"\\\\localhost\\share\\handlebroker.json", "share", "a local drive");
    refused(L"C:\\file.json:stream", "stream", "a local drive");
}

/* ---- who may write it ---- */

static void protect(const wchar_t *path, const char *others)
{
    char sddl[512];
    PSECURITY_DESCRIPTOR descriptor = NULL;
    (void)snprintf(sddl, sizeof sddl, "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;%s)%s", kit_user(),
                   others);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, SDDL_REVISION_1,
                                                                     &descriptor, NULL));
    if (!SetFileSecurityW(path, DACL_SECURITY_INFORMATION, descriptor))
        fail_msg("SetFileSecurity: error %lu", GetLastError());
    LocalFree(descriptor);
}

static void a_file_that_others_can_write(void **state)
{
    (void)state;
    wchar_t path[MAX_PATH];
    kit_temp(path, MAX_PATH);
    kit_file_write(path, good, sizeof good - 1);
    protect(path, "(A;;FRFW;;;WD)");
    refused(path, "cannot be believed", "let only administrators: icacls");
    says(output.err, "everybody (S-1-1-0) may change or replace it");
    protect(path, "(A;;FR;;;WD)");
    obeyed(path, 7654);
    if (!kit_is_wine()) { /* whose files have Unix modes: only reading, writing and executing */
        static const char *const bits[] = {"0x2",     "0x4",        "0x10",
                                           "0x100",   "0x10000",    "0x40000",
                                           "0x80000", "0x10000000", "0x40000000"};
        for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
            char ace[64];
            (void)snprintf(ace, sizeof ace, "(A;;%s;;;BU)", bits[i]);
            protect(path, ace);
            refused(path, "cannot be believed", "users (S-1-5-32-545)");
        }
        protect(path, "(A;IO;FA;;;WD)"); /* for what is made inside: nothing is */
        obeyed(path, 7654);
    }
    kit_temp_remove(path);
}

static void a_folder_that_others_can_write(void **state)
{
    (void)state;
    wchar_t folder[MAX_PATH], path[MAX_PATH + 32], inner[MAX_PATH + 16];
    kit_temp(folder, MAX_PATH);
    assert_true(DeleteFileW(folder));
    assert_true(CreateDirectoryW(folder, NULL));
    (void)swprintf(inner, MAX_PATH + 16, L"%ls\\inner", folder);
    assert_true(CreateDirectoryW(inner, NULL));
    (void)swprintf(path, MAX_PATH + 32, L"%ls\\good.json", inner);
    kit_file_write(path, good, sizeof good - 1);
    protect(path, "");
    protect(inner, "(A;;FRFX;;;WD)");
    protect(folder, "(A;;FRFX;;;WD)");
    obeyed(path, 7654);
    /* Its own folder, and the one above that. */
    protect(inner, "(A;;FA;;;WD)");
    refused(path, "inner: everybody (S-1-1-0) may change", "only administrators can write");
    protect(inner, "(A;;FRFX;;;WD)");
    protect(folder, "(A;;FA;;;WD)");
    refused(path, "everybody (S-1-1-0) may change", "only administrators can write");
    if (kit_is_wine()) {
        print_message("Wine knows no right to add to a folder without that to delete in it\n");
    } else {
        protect(folder,
                "(A;;0x1201AF;;;WD)(A;OICIIO;FA;;;WD)"); /* as ProgramData: add, not delete */
        protect(inner, "(A;;FRFX;;;WD)");
        protect(path, "");
        obeyed(path, 7654);
        protect(folder, "(A;;0x1201EF;;;WD)"); /* and delete */
        refused(path, "everybody (S-1-1-0) may change", "only administrators can write");
    }
    DeleteFileW(path);
    RemoveDirectoryW(inner);
    RemoveDirectoryW(folder);
    kit_temp_remove(folder);
}

static void a_file_of_somebody_else(void **state)
{
    (void)state;
    TOKEN_PRIVILEGES restore = {.PrivilegeCount = 1};
    PSECURITY_DESCRIPTOR descriptor = NULL;
    HANDLE token = NULL;
    wchar_t path[MAX_PATH];
    if (kit_is_wine())
        kit_skip("under Wine the owner of a file is who made it: only Windows can show it");
    restore.Privileges[0].Attributes = SE_PRIVILEGE_ENABLED;
    assert_true(LookupPrivilegeValueW(NULL, L"SeRestorePrivilege", &restore.Privileges[0].Luid));
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token));
    assert_true(AdjustTokenPrivileges(token, FALSE, &restore, 0, NULL, NULL));
    DWORD error = GetLastError();
    CloseHandle(token);
    if (error != 0)
        kit_skip("only an administrator can give a file to somebody else");
    kit_temp(path, MAX_PATH);
    kit_file_write(path, good, sizeof good - 1);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA("O:BU", SDDL_REVISION_1,
                                                                     &descriptor, NULL));
    assert_true(SetFileSecurityW(path, OWNER_SECURITY_INFORMATION, descriptor));
    LocalFree(descriptor);
    refused(path, "is owned by users (S-1-5-32-545)", "/setowner");
    kit_temp_remove(path);
}

static void a_file_that_is_being_written(void **state)
{
    (void)state;
    wchar_t path[MAX_PATH];
    kit_temp(path, MAX_PATH);
    kit_file_write(path, good, sizeof good - 1);
    HANDLE writer =
        CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, 0, NULL);
    assert_true(writer != INVALID_HANDLE_VALUE);
    refused(path, "has it open for writing", "close it there");
    CloseHandle(writer);
    obeyed(path, 7654);
    kit_temp_remove(path);
}

static void a_link(void **state)
{
    (void)state;
    wchar_t target[MAX_PATH], link[MAX_PATH];
    kit_temp(target, MAX_PATH);
    kit_file_write(target, good, sizeof good - 1);
    kit_temp(link, MAX_PATH);
    assert_true(DeleteFileW(link));
    if (kit_is_wine())
        kit_skip("Wine 8 makes no symbolic links: only Windows can show it");
    if (!CreateSymbolicLinkW(link, target, 0))
        kit_skip("symbolic links are for administrators, and this is none");
    refused(link, "is a link", "the path that it leads to");
    obeyed(target, 7654);
    kit_temp_remove(link);
    kit_temp_remove(target);
}

static void command_lines(void **state)
{
    (void)state;
    static const wchar_t *const lines[] = {L"--check-config", L"--check-config a b"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        kit_run(&output, RUN_MS, L"\"%ls\" %ls", kit_tool(L"handlebroker.exe"), lines[i]);
        assert_int_equal(output.code, USAGE);
        says(output.err, "--help");
    }
    kit_run(&output, RUN_MS, L"\"%ls\" --help", kit_tool(L"handlebroker.exe"));
    says(output.out, "--check-config FILE");
}

#define TEST(function) cmocka_unit_test_teardown(function, end)

static int group(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_mistake),
        TEST(every_mistake),
        TEST(hundreds_of_mistakes),
        TEST(a_huge_file),
        TEST(a_file_that_is_right),
        TEST(a_file_that_is_missing),
        TEST(what_is_no_file),
        TEST(a_file_that_others_can_write),
        TEST(a_folder_that_others_can_write),
        TEST(a_file_of_somebody_else),
        TEST(a_file_that_is_being_written),
        TEST(a_link),
        TEST(command_lines),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
