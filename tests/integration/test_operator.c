/* What an administrator has of the service: the file of all records, rules that are read again while it runs, and a
 * process that has given up what it does not need. */
#include "kit.h"

#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define TEXT_MAX (1 << 20)
#define PRIVILEGES_MAX 64

static char text[TEXT_MAX];

/* ---- files ---- */

static wchar_t folder[MAX_PATH], config[MAX_PATH], audit[MAX_PATH];

/* A folder of this test's, or the service's own. */
static void set_names(const wchar_t *parent, const wchar_t *name)
{
    (void)swprintf(folder, MAX_PATH, L"%ls\\%ls", parent, name);
    (void)swprintf(config, MAX_PATH, L"%ls\\handlebroker.json", folder);
    (void)swprintf(audit, MAX_PATH, L"%ls\\audit.jsonl", folder);
}

static void make_folder(void)
{
    wchar_t temp[MAX_PATH], name[64];
    assert_true(GetTempPathW(MAX_PATH, temp) > 0);
    temp[wcslen(temp) - 1] = L'\0';
    (void)swprintf(name, 64, L"hbk-test-%lu-%lu", (unsigned long)GetCurrentProcessId(),
                   (unsigned long)kit_unique());
    set_names(temp, name);
    assert_true(CreateDirectoryW(folder, NULL));
}

static void remove_files(void)
{
    wchar_t name[MAX_PATH];
    DeleteFileW(config);
    DeleteFileW(audit);
    for (int i = 1; i < 8; i++) {
        (void)swprintf(name, MAX_PATH, L"%ls.%d", audit, i);
        DeleteFileW(name);
    }
}

/* The file with @hello_ms, and the audit file; or, where @broken, something that is none. */
static void write_config(int hello_ms, int file_bytes, bool broken)
{
    char json[2048], path[MAX_PATH * 2];
    size_t size = 0;
    for (const wchar_t *at = audit; *at != L'\0'; at++) {
        if (*at == L'\\')
            path[size++] = '\\';
        path[size++] = (char)*at;
    }
    path[size] = '\0';
    int length = snprintf(json, sizeof json,
                          "{\"limits\": {\"hello_ms\": %d},\n \"audit\": {\"file\": \"%s\", "
                          "\"file_bytes\": %d, \"files\": 3}%s\n",
                          hello_ms, path, file_bytes, broken ? ", \"oops\": 1}" : "}");
    kit_file_write(config, json, (size_t)length);
}

static bool file_says(const wchar_t *path, const char *what)
{
    HANDLE file =
        CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, 0, NULL);
    DWORD got = 0;
    text[0] = '\0';
    if (file == INVALID_HANDLE_VALUE)
        return false;
    assert_true(ReadFile(file, text, TEXT_MAX - 1, &got, NULL));
    CloseHandle(file);
    text[got] = '\0';
    return strstr(text, what) != NULL;
}

static void soon_says(const wchar_t *path, const char *what)
{
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; !file_says(path, what); Sleep(20)) {
        if (kit_now_ms() > end)
            fail_msg("\"%s\" does not appear in %ls: %s", what, path, text);
    }
}

/* Each line is one record: an object that ends where the line does. */
static unsigned count_records(const char *what)
{
    unsigned count = 0;
    int64_t serial = 0, before = 0;
    for (char *line = text, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        assert_true(line[0] == '{' && end[-1] == '}');
        assert_true(kit_json_number(line, "serial", &serial));
        assert_true(serial > before);
        before = serial;
        count += strstr(line, what) != NULL;
        *end = '\n';
    }
    return count;
}

/* ---- a broker in the console with a keyboard ---- */

static HANDLE keys;

static HANDLE inheritable_log(const wchar_t *path)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes, .bInheritHandle = TRUE};
    HANDLE file =
        CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    &attributes, OPEN_EXISTING, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    return file;
}

static void start(struct kit_broker *broker)
{
    wchar_t line[1024];
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes, .bInheritHandle = TRUE};
    HANDLE input = NULL, old[3];
    static const DWORD ids[3] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    broker->pipe = kit_pipe_name();
    kit_temp(broker->log, MAX_PATH);
    HANDLE log = inheritable_log(broker->log);
    assert_true(CreatePipe(&input, &keys, &attributes, 0));
    assert_true(SetHandleInformation(keys, HANDLE_FLAG_INHERIT, 0));
    (void)swprintf(line, 1024, L"\"%ls\" run --pipe %ls --config \"%ls\"",
                   kit_tool(L"handlebroker.exe"), broker->pipe, config);
    for (int i = 0; i < 3; i++) {
        old[i] = GetStdHandle(ids[i]);
        SetStdHandle(ids[i], i == 0 ? input : log);
    }
    broker->process = kit_spawn_heir(line, 0, &broker->pid);
    for (int i = 0; i < 3; i++)
        SetStdHandle(ids[i], old[i]);
    CloseHandle(input);
    CloseHandle(log);
    kit_pipe_wait(broker->pipe);
}

static void press(const char *what)
{
    DWORD written = 0;
    assert_true(WriteFile(keys, what, (DWORD)strlen(what), &written, NULL));
    assert_int_equal(written, strlen(what));
}

static int64_t hello_ms(const struct kit_broker *broker)
{
    int64_t value = 0;
    struct kit_raw *raw = broker == NULL ? kit_raw_new() : kit_raw_with(broker);
    kit_raw_hello(raw, false);
    assert_true(kit_json_number(raw->line, "hello_ms", &value));
    kit_raw_free(raw);
    return value;
}

static void soon_is(const struct kit_broker *broker, int64_t expected)
{
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; hello_ms(broker) != expected; Sleep(20)) {
        if (kit_now_ms() > end)
            fail_msg("hello_ms does not become %lld", (long long)expected);
    }
}

static void hand_over(const struct kit_broker *broker)
{
    const char *name = kit_endpoint_name();
    hbk_delivery *delivery = NULL;
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
    hbk_client *client = kit_client_with(broker);
    HANDLE event = kit_make(KIT_EVENT);
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
    assert_int_equal(kit_send(client, name, event, 0, 0, NULL), HBK_OK);
    assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    hbk_delivery_free(delivery);
    kit_unmake(KIT_EVENT, event);
    kit_close(client);
}

static void end_console(struct kit_broker *broker)
{
    CloseHandle(keys);
    kit_console_stop(broker);
    remove_files();
    assert_true(RemoveDirectoryW(folder));
}

static void rules_are_read_again_by_a_key(void **state)
{
    (void)state;
    struct kit_broker broker;
    make_folder();
    write_config(5001, 1 << 20, false);
    start(&broker);
    assert_int_equal(hello_ms(&broker), 5001);
    write_config(5002, 1 << 20, false);
    assert_int_equal(hello_ms(&broker), 5001); /* nobody asked */
    press("r\r\n");
    soon_is(&broker, 5002);
    soon_says(broker.log, "new rules are in force");
    /* One that is wrong, and one that is gone, change nothing, and are told of. */
    write_config(5003, 1 << 20, true);
    press("r\n");
    soon_says(broker.log, "the rules from before stay in force");
    assert_true(file_says(broker.log, "oops"));
    assert_int_equal(hello_ms(&broker), 5002);
    hand_over(&broker);
    assert_true(DeleteFileW(config));
    press("R\n");
    Sleep(5 * KIT_QUIET_MS);
    assert_int_equal(hello_ms(&broker), 5002);
    /* What is no key is none; many at once are few readings. */
    write_config(5004, 1 << 20, false);
    press("x\nreload\n\n");
    Sleep(KIT_QUIET_MS);
    assert_int_equal(hello_ms(&broker), 5002);
    for (int i = 0; i < 200; i++)
        press("r\n");
    soon_is(&broker, 5004);
    hand_over(&broker);
    end_console(&broker);
}

static void every_record_is_in_the_file(void **state)
{
    (void)state;
    struct kit_broker broker;
    make_folder();
    write_config(5001, 1 << 20, false);
    start(&broker);
    hand_over(&broker);
    hbk_client *client = kit_client_with(&broker);
    HANDLE event = kit_make(KIT_EVENT);
    assert_int_not_equal(kit_send(client, "user/nobody/listens/here", event, 0, 0, NULL), HBK_OK);
    kit_unmake(KIT_EVENT, event);
    kit_close(client);
    soon_says(audit, "user/nobody/listens/here");
    soon_says(audit, "session.closed");
    assert_true(count_records("\"session.opened\"") >= 2);
    assert_int_equal(count_records("\"endpoint.open\""), 1);
    assert_int_equal(count_records("\"handle.send\",\"outcome\":\"done\""), 1);
    assert_int_equal(count_records("user/nobody/listens/here"), 1);
    /* Nobody else writes there meanwhile, nor takes it away. */
    HANDLE other =
        CreateFileW(audit, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, 0, NULL);
    assert_true(other == INVALID_HANDLE_VALUE);
    end_console(&broker);
}

static void files_stay_small(void **state)
{
    (void)state;
    struct kit_broker broker;
    wchar_t name[MAX_PATH];
    make_folder();
    write_config(5001, 65536, false);
    start(&broker);
    for (int i = 0; i < 400; i++)
        hand_over(&broker);
    (void)swprintf(name, MAX_PATH, L"%ls.1", audit);
    soon_says(name, "session.opened");
    for (int i = 0; i <= 3; i++) {
        if (i > 0)
            (void)swprintf(name, MAX_PATH, L"%ls.%d", audit, i);
        if (file_says(i == 0 ? audit : name, "{")) {
            assert_in_range(strlen(text), 1, 65536);
            assert_true(i < 3); /* "files" are three in all */
        }
    }
    end_console(&broker);
}

/* The folder of the audit file lets somebody else put a file there: nothing is written, the broker serves, and says why. */
static void a_folder_that_others_can_write(void **state)
{
    (void)state;
    struct kit_broker broker;
    wchar_t open[MAX_PATH];
    PSECURITY_DESCRIPTOR everybody = NULL;
    make_folder();
    (void)swprintf(open, MAX_PATH, L"%ls\\open", folder);
    (void)swprintf(audit, MAX_PATH, L"%ls\\audit.jsonl", open);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(
        L"D:P(A;OICI;FA;;;WD)", SDDL_REVISION_1, &everybody, NULL));
    /* Set afterwards: what is given to CreateDirectory is cut by Unix's umask under Wine. */
    assert_true(CreateDirectoryW(open, NULL));
    assert_true(SetFileSecurityW(open, DACL_SECURITY_INFORMATION, everybody));
    LocalFree(everybody);
    write_config(5001, 1 << 20, false);
    start(&broker);
    hand_over(&broker);
    soon_says(broker.log, "the audit file cannot be written");
    hand_over(&broker);
    assert_int_equal(GetFileAttributesW(audit), INVALID_FILE_ATTRIBUTES);
    CloseHandle(keys);
    kit_console_stop(&broker);
    assert_true(RemoveDirectoryW(open)); /* nothing is in it */
    remove_files();
    assert_true(RemoveDirectoryW(folder));
}

/* ---- the service ---- */

static int service_begin(void **state)
{
    wchar_t data[MAX_PATH];
    (void)state;
    DWORD size = GetEnvironmentVariableW(L"ProgramData", data, MAX_PATH);
    assert_true(size > 0 && size < MAX_PATH);
    set_names(data, L"HandleBroker");
    return 0;
}

static int service_end(void **state)
{
    (void)state;
    if (kit_service_pid() != 0)
        kit_service_stop();
    remove_files();
    kit_service_start(); /* as the other tests want it */
    kit_forget_all();
    return 0;
}

static void reload_service(void)
{
    SERVICE_STATUS status;
    assert_int_equal(kit_service_control(SERVICE_CONTROL_PARAMCHANGE, &status), 0);
}

static void rules_are_read_again_by_paramchange(void **state)
{
    (void)state;
    SERVICE_STATUS status;
    assert_int_equal(kit_service_control(SERVICE_CONTROL_INTERROGATE, &status), 0);
    assert_true(status.dwControlsAccepted & SERVICE_ACCEPT_PARAMCHANGE);
    kit_service_stop();
    /* The service has made its folder, for administrators alone. */
    assert_true(GetFileAttributesW(folder) != INVALID_FILE_ATTRIBUTES);
    write_config(6001, 1 << 20, false);
    kit_service_start();
    DWORD pid = kit_service_pid();
    assert_int_equal(hello_ms(NULL), 6001);
    write_config(6002, 1 << 20, false);
    reload_service();
    soon_is(NULL, 6002);
    soon_says(audit, "policy.loaded");
    write_config(6003, 1 << 20, true);
    reload_service();
    soon_says(audit, "policy.kept");
    assert_int_equal(hello_ms(NULL), 6002);
    for (int i = 0; i < 50; i++)
        reload_service();
    write_config(6004, 1 << 20, false);
    reload_service();
    soon_is(NULL, 6004);
    assert_int_equal(kit_service_pid(), pid);
}

static void start_in_vain(void)
{
    SERVICE_STATUS_PROCESS status;
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    assert_non_null(manager);
    SC_HANDLE service = OpenServiceW(manager, L"HandleBroker", SERVICE_START);
    assert_non_null(service);
    StartServiceW(service, 0, NULL);
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    uint64_t end = kit_now_ms() + KIT_WAIT_MS;
    for (kit_service_query(&status);
         status.dwCurrentState != SERVICE_STOPPED || status.dwWin32ExitCode == ERROR_SUCCESS;
         kit_service_query(&status)) {
        if (kit_now_ms() > end)
            fail_msg("state %lu, exit code %lu", status.dwCurrentState, status.dwWin32ExitCode);
        Sleep(20);
    }
}

static void a_start_with_a_bad_file(void **state)
{
    (void)state;
    SERVICE_STATUS_PROCESS status;
    kit_service_stop();
    write_config(6001, 1 << 20, true);
    start_in_vain();
    kit_service_query(&status);
    assert_int_equal(status.dwCurrentState, SERVICE_STOPPED);
    assert_int_equal(status.dwWin32ExitCode, ERROR_SERVICE_SPECIFIC_ERROR);
    assert_int_equal(status.dwServiceSpecificExitCode, 2);
    assert_false(file_says(audit, "{"));
}

static void only_the_privileges_that_it_needs(void **state)
{
    (void)state;
    static const wchar_t *const needed[] = {L"SeChangeNotifyPrivilege", L"SeDebugPrivilege",
                                            L"SeImpersonatePrivilege"};
    union {
        TOKEN_PRIVILEGES privileges;
        BYTE bytes[sizeof(TOKEN_PRIVILEGES) + PRIVILEGES_MAX * sizeof(LUID_AND_ATTRIBUTES)];
    } u;
    DWORD size = 0;
    HANDLE token = NULL;
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, kit_service_pid());
    assert_non_null(process);
    assert_true(OpenProcessToken(process, TOKEN_QUERY, &token));
    assert_true(GetTokenInformation(token, TokenPrivileges, &u, sizeof u, &size));
    assert_true(u.privileges.PrivilegeCount > 0);
    for (DWORD i = 0; i < u.privileges.PrivilegeCount; i++) {
        wchar_t name[64] = L"";
        DWORD chars = 64;
        bool known = false;
        assert_true(LookupPrivilegeNameW(NULL, &u.privileges.Privileges[i].Luid, name, &chars) !=
                    0);
        for (size_t k = 0; k < sizeof needed / sizeof *needed; k++)
            known = known || wcscmp(name, needed[k]) == 0;
        if (!known)
            fail_msg("the service has %ls", name);
    }
    CloseHandle(token);
    CloseHandle(process);
}

static void mitigations_are_in_force(void **state)
{
    (void)state;
    if (kit_is_wine())
        kit_skip("Wine takes no process mitigation: only Windows can show it");
    static const struct {
        int policy;
        DWORD flags;
    } rows[] = {{ProcessDynamicCodePolicy, 0x1},
                {ProcessExtensionPointDisablePolicy, 0x1},
                {ProcessFontDisablePolicy, 0x1},
                {ProcessImageLoadPolicy, 0x7},
                {13, 0x1} /* no child processes */};
    HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, kit_service_pid());
    assert_non_null(process);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        DWORD flags = 0;
        if (!GetProcessMitigationPolicy(process, (PROCESS_MITIGATION_POLICY)rows[i].policy, &flags,
                                        sizeof flags))
            fail_msg("policy %d: error %lu", rows[i].policy, GetLastError());
        assert_int_equal(flags & rows[i].flags, rows[i].flags);
    }
    CloseHandle(process);
}

/* ---- the program ---- */

static int forget(void **state)
{
    (void)state;
    kit_forget_all();
    return 0;
}

#define CONSOLE_TEST(function) cmocka_unit_test_teardown(function, forget)
#define SERVICE_TEST(function) cmocka_unit_test_setup_teardown(function, service_begin, service_end)

static int group(void)
{
    const struct CMUnitTest tests[] = {
        CONSOLE_TEST(rules_are_read_again_by_a_key),
        CONSOLE_TEST(every_record_is_in_the_file),
        CONSOLE_TEST(files_stay_small),
        CONSOLE_TEST(a_folder_that_others_can_write),
        SERVICE_TEST(only_the_privileges_that_it_needs),
        SERVICE_TEST(mitigations_are_in_force),
        SERVICE_TEST(rules_are_read_again_by_paramchange),
        SERVICE_TEST(a_start_with_a_bad_file),
    };
    return cmocka_run_group_tests_name("operator", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
