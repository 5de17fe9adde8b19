/* The metrics in a file for a collector: whole at every moment, kept up to date, and only where nobody else can write. */
#include "kit.h"

#include <sddl.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum { TEXT_MAX = 32768, SOON_MS = 20000 };

static char text[TEXT_MAX];
static wchar_t folder[MAX_PATH], path[MAX_PATH];

static void make_folder(void)
{
    wchar_t temp[MAX_PATH];
    assert_true(GetTempPathW(MAX_PATH, temp) > 0);
    (void)swprintf(folder, MAX_PATH, L"%lshbk-test-%lu-%lu", temp,
                   (unsigned long)GetCurrentProcessId(), (unsigned long)kit_unique());
    (void)swprintf(path, MAX_PATH, L"%ls\\handlebroker.prom", folder);
    assert_true(CreateDirectoryW(folder, NULL));
}

static void start(struct kit_broker *broker)
{
    char json[1024], escaped[MAX_PATH * 2];
    size_t size = 0;
    for (const wchar_t *at = path; *at != L'\0'; at++) {
        if (*at == L'\\')
            escaped[size++] = '\\';
        escaped[size++] = (char)*at;
    }
    escaped[size] = '\0';
    (void)snprintf(json, sizeof json, "{\"metrics\": {\"file\": \"%s\", \"interval_ms\": 1000}}",
                   escaped);
    kit_console_start(broker, json);
}

/* What stands in the file, whole; false: there is none. */
static bool read_whole(const wchar_t *from)
{
    DWORD got = 0;
    HANDLE file =
        CreateFileW(from, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    assert_true(ReadFile(file, text, TEXT_MAX - 1, &got, NULL));
    CloseHandle(file);
    text[got] = '\0';
    assert_true(got > 6);
    assert_string_equal(text + got - 6, "# EOF\n");
    return true;
}

static void soon_has(const char *line)
{
    for (uint64_t end = kit_now_ms() + SOON_MS; kit_now_ms() < end; Sleep(5)) {
        if (read_whole(path) && strstr(text, line) != NULL)
            return;
    }
    fail_msg("\"%s\" did not come: %s", line, text);
}

static void soon_logs(const struct kit_broker *broker, const char *what)
{
    for (uint64_t end = kit_now_ms() + SOON_MS; kit_now_ms() < end; Sleep(20)) {
        kit_file_read(broker->log, text, TEXT_MAX);
        if (strstr(text, what) != NULL)
            return;
    }
    fail_msg("\"%s\" was not logged: %s", what, text);
}

static void hand_over(const struct kit_broker *broker)
{
    const char *name = kit_endpoint_name();
    hbk_client *source = kit_client_with(broker), *target = kit_client_with(broker);
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
    hbk_delivery *delivery = NULL;
    HANDLE event = kit_make(KIT_EVENT);
    assert_int_equal(hbk_endpoint_open(target, &endpoint, NULL), HBK_OK);
    assert_int_equal(kit_send(source, name, event, 0, 0, NULL), HBK_OK);
    assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    hbk_delivery_free(delivery);
    kit_unmake(KIT_EVENT, event);
    kit_close(source);
    kit_close(target);
}

static void a_file_that_is_kept_up_to_date(void **state)
{
    (void)state;
    struct kit_broker broker;
    wchar_t temporary[MAX_PATH];
    make_folder();
    start(&broker);
    soon_has("\nhandlebroker_handoffs_total{outcome=\"done\"} 0\n");
    hand_over(&broker);
    hand_over(&broker);
    soon_has("\nhandlebroker_handoffs_total{outcome=\"done\"} 2\n");
    /* Somebody takes it away: it is there again. */
    assert_true(DeleteFileW(path));
    soon_has("\nhandlebroker_handoff_duration_seconds_count 2\n");
    kit_console_stop(&broker);
    (void)swprintf(temporary, MAX_PATH, L"%ls.tmp", path);
    assert_int_equal(GetFileAttributesW(temporary), INVALID_FILE_ATTRIBUTES);
    assert_true(DeleteFileW(path));
    assert_true(RemoveDirectoryW(folder));
}

/* Where somebody else could put a file nothing is written; the broker serves, and says why. */
static void a_folder_that_others_can_write(void **state)
{
    (void)state;
    struct kit_broker broker;
    PSECURITY_DESCRIPTOR everybody = NULL;
    make_folder();
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(
        L"D:P(A;OICI;FA;;;WD)", SDDL_REVISION_1, &everybody, NULL));
    /* Set afterwards: what is given to CreateDirectory is cut by Unix's umask under Wine. */
    assert_true(SetFileSecurityW(folder, DACL_SECURITY_INFORMATION, everybody));
    LocalFree(everybody);
    start(&broker);
    hand_over(&broker);
    soon_logs(&broker, "the metrics file cannot be written");
    hand_over(&broker);
    assert_int_equal(GetFileAttributesW(path), INVALID_FILE_ATTRIBUTES);
    kit_console_stop(&broker);
    assert_true(RemoveDirectoryW(folder)); /* nothing is in it */
}

/* A folder that is not there is not made; once it is, the file comes, and that is said too. */
static void a_folder_that_comes_later(void **state)
{
    (void)state;
    struct kit_broker broker;
    make_folder();
    assert_true(RemoveDirectoryW(folder));
    start(&broker);
    soon_logs(&broker, "the metrics file cannot be written");
    assert_int_equal(GetFileAttributesW(folder), INVALID_FILE_ATTRIBUTES);
    assert_true(CreateDirectoryW(folder, NULL));
    soon_has("\nhandlebroker_handoffs_total{outcome=\"done\"} 0\n");
    soon_logs(&broker, "the metrics file is written again");
    kit_console_stop(&broker);
    assert_true(DeleteFileW(path));
    assert_true(RemoveDirectoryW(folder));
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(a_file_that_is_kept_up_to_date),
        KIT_TEST(a_folder_that_others_can_write),
        KIT_TEST(a_folder_that_comes_later),
    };
    return cmocka_run_group_tests_name("metrics_file", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
