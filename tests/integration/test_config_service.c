/* The service's own configuration file, in its folder below ProgramData: obeyed if it can be
 * trusted, ignored if not, and with a mistake in it no start. Each test leaves the service running,
 * with no file. */
#include "kit.h"

#include <sddl.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum { DEFAULT_HELLO_MS = 10000, USAGE = 2 };

static wchar_t folder[MAX_PATH], file[MAX_PATH];

static void find_file(void)
{
    wchar_t path[MAX_PATH];
    DWORD size = GetEnvironmentVariableW(L"ProgramData", path, MAX_PATH - 64);
    assert_true(size > 0 && size < MAX_PATH - 64);
    (void)swprintf(folder, MAX_PATH, L"%ls\\HandleBroker", path);
    (void)swprintf(file, MAX_PATH, L"%ls\\handlebroker.json", folder);
}

static int begin(void **state)
{
    (void)state;
    find_file();
    kit_service_start();
    return 0;
}

static void write_file(const char *text)
{
    kit_file_write(file, text, strlen(text));
}

static void protect(const wchar_t *path, const char *sddl)
{
    char whole[512];
    PSECURITY_DESCRIPTOR descriptor = NULL;
    (void)snprintf(whole, sizeof whole, "%s(A;;FA;;;%s)", sddl, kit_user());
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(whole, SDDL_REVISION_1,
                                                                     &descriptor, NULL));
    assert_true(SetFileSecurityW(path, DACL_SECURITY_INFORMATION, descriptor));
    LocalFree(descriptor);
}

static int end(void **state)
{
    (void)state;
    DeleteFileW(file);
    if (GetFileAttributesW(folder) != INVALID_FILE_ATTRIBUTES)
        protect(folder, "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)");
    kit_raw_free_all();
    kit_forget_all();
    kit_service_start();
    return 0;
}

static int64_t hello_ms(void)
{
    const struct kit_broker service = {.pipe = NULL};
    int64_t value = 0;
    struct kit_raw *raw = kit_raw_with(&service);
    kit_raw_hello(raw, false);
    assert_true(kit_json_number(raw->line, "hello_ms", &value));
    kit_raw_free(raw);
    return value;
}

static void restart(void)
{
    kit_service_stop();
    kit_service_start();
}

static void its_folder_is_made(void **state)
{
    (void)state;
    kit_service_stop();
    if (!RemoveDirectoryW(folder))
        assert_int_equal(GetLastError(), ERROR_FILE_NOT_FOUND);
    kit_service_start();
    assert_int_equal(hello_ms(), DEFAULT_HELLO_MS);
    DWORD attributes = GetFileAttributesW(folder);
    assert_true(attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY));
    if (kit_is_wine()) {
        print_message(
            "Wine keeps no descriptor of a folder: only Windows can show that it is protected\n");
        return;
    }
    union {
        SECURITY_DESCRIPTOR descriptor;
        BYTE bytes[1024];
    } read;
    DWORD size = 0;
    char *sddl = NULL;
    const SECURITY_INFORMATION what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    assert_true(GetFileSecurityW(folder, what, &read, sizeof read, &size));
    assert_true(ConvertSecurityDescriptorToStringSecurityDescriptorA(&read, SDDL_REVISION_1, what,
                                                                     &sddl, NULL));
    assert_string_equal(sddl, "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)");
    LocalFree(sddl);
}

static void a_good_file(void **state)
{
    (void)state;
    write_file("{\"limits\": {\"hello_ms\": 7654}}");
    restart();
    assert_int_equal(hello_ms(), 7654);
    assert_true(DeleteFileW(file));
    restart();
    assert_int_equal(hello_ms(), DEFAULT_HELLO_MS);
}

static void a_file_that_others_can_write(void **state)
{
    (void)state;
    write_file("{\"limits\": {\"hello_ms\": 7654}}");
    protect(file, "D:P(A;;FA;;;BA)(A;;FRFW;;;WD)");
    restart();
    assert_int_equal(hello_ms(), DEFAULT_HELLO_MS);
    protect(file, "D:P(A;;FA;;;BA)(A;;FR;;;WD)");
    restart();
    assert_int_equal(hello_ms(), 7654);
}

static void a_folder_that_others_can_write(void **state)
{
    (void)state;
    write_file("{\"limits\": {\"hello_ms\": 7654}}");
    protect(folder, "D:P(A;;FA;;;BA)(A;;FA;;;WD)");
    restart();
    assert_int_equal(hello_ms(), DEFAULT_HELLO_MS);
    protect(folder, "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)");
    restart();
    assert_int_equal(hello_ms(), 7654);
}

/* What an administrator wrote and got wrong is not taken for silence. */
static void a_file_with_a_mistake(void **state)
{
    (void)state;
    SERVICE_STATUS_PROCESS status = {0};
    kit_service_stop();
    write_file("{\"limits\": {\"hello_ms\": 1}}");
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = OpenServiceW(manager, L"HandleBroker", SERVICE_START);
    assert_non_null(service);
    StartServiceW(service, 0, NULL);
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    kit_service_stopped();
    kit_service_query(&status);
    assert_int_equal(status.dwWin32ExitCode, ERROR_SERVICE_SPECIFIC_ERROR);
    assert_int_equal(status.dwServiceSpecificExitCode, USAGE);
    assert_int_equal(GetFileAttributesW(HBK_PIPE_NAME), INVALID_FILE_ATTRIBUTES);
    assert_true(DeleteFileW(file));
    kit_service_start();
    assert_int_equal(hello_ms(), DEFAULT_HELLO_MS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

static int group(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_folder_is_made),           TEST(a_good_file),
        TEST(a_file_that_others_can_write), TEST(a_folder_that_others_can_write),
        TEST(a_file_with_a_mistake),
    };
    return cmocka_run_group_tests_name("config service", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
