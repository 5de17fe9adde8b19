/* install.cmd and uninstall.cmd, run by cmd with another Windows folder: there sc.exe, reg.exe and ping.exe are
 * this program, which keeps in files what the real ones would, writes down what it is asked, and fails where it is
 * told to. That the real ones take these commands is for Windows to show. */
#include "codec_support.h"
#include "test_support.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_CHARS = 512, CALLS_MAX = 32, TEXT_MAX = 16384 };

static char root[PATH_CHARS];    /* the fake Windows folder, which also keeps the state */
static char program[PATH_CHARS]; /* where the scripts are; its name has a blank */

static void put_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[2 * PATH_CHARS];
    snprintf(path, sizeof path, "%s\\%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        abort();
}

/* Return: its size, with a NUL behind it; -1: there is none. */
static int get_file(const char *name, char *ret_text, size_t size)
{
    char path[2 * PATH_CHARS];
    snprintf(path, sizeof path, "%s\\%s", root, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    size_t length = fread(ret_text, 1, size - 1, file);
    ret_text[length] = '\0';
    (void)fclose(file);
    return (int)length;
}

static bool has(const char *name)
{
    char text[TEXT_MAX];
    return get_file(name, text, sizeof text) >= 0;
}

static void drop(const char *name)
{
    char path[2 * PATH_CHARS];
    snprintf(path, sizeof path, "%s\\%s", root, name);
    DeleteFileA(path);
}

static int number(const char *name)
{
    char text[32];
    return get_file(name, text, sizeof text) > 0 ? (int)strtol(text, NULL, 10) : 0;
}

static void set_number(const char *name, int value)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%d", value);
    put_file(root, name, text, (size_t)size);
}

/* ---- as sc.exe, reg.exe and ping.exe ---- */

static void write_down(const char *tool, int count, char **arguments)
{
    static char text[TEXT_MAX];
    int size = get_file("calls", text, sizeof text);
    size = size < 0 ? 0 : size;
    size += snprintf(text + size, sizeof text - (size_t)size, "%s", tool);
    for (int i = 1; i < count; i++)
        size += snprintf(text + size, sizeof text - (size_t)size, " [%s]", arguments[i]);
    size += snprintf(text + size, sizeof text - (size_t)size, "\n");
    put_file(root, "calls", text, (size_t)size);
}

/* Shall this call that changes something fail? Nothing is undone in vain: only one does. */
static bool fails(void)
{
    int left = number("fail");
    if (left > 0)
        set_number("fail", left - 1);
    return left == 1;
}

static int as_query(bool log, char **arguments, int count)
{
    char image[PATH_CHARS];
    int linger = number("linger");
    if (count > 2 && strncmp(arguments[2], "HKU\\", 4) == 0)
        return has("elevated") ? 0 : 1;
    if (log && count > 4 && strcmp(arguments[4], "ImagePath") == 0) {
        if (get_file("service", image, sizeof image) < 0)
            return 1;
        printf("\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\x\r\n    ImagePath    REG_EXPAND_SZ    %s\r\n\r\n",
               image);
        return 0;
    }
    if (!log && linger > 0) {
        set_number("linger", linger - 1);
        return 0;
    }
    return has(log ? "log" : "service") ? 0 : 1;
}

static int as_tool(const char *tool, int count, char **arguments)
{
    const char *verb = count > 1 ? arguments[1] : "";
    bool reg = strcmp(tool, "reg") == 0;
    if (strcmp(tool, "ping") == 0)
        return 0;
    if (strcmp(verb, "query") == 0)
        return as_query(reg, arguments, count);
    write_down(tool, count, arguments);
    if (strcmp(verb, "stop") == 0)
        return 1062; /* it does not run */
    if (fails())
        return 5;
    if (reg && strcmp(verb, "add") == 0)
        put_file(root, "log", "", 0);
    else if (reg)
        drop("log");
    else if (strcmp(verb, "delete") == 0)
        drop("service");
    else if (count > 4 && strcmp(arguments[3], "binPath=") == 0)
        put_file(root, "service", arguments[4], strlen(arguments[4]));
    return 0;
}

/* ---- the tests ---- */

static void make_folders(void)
{
    static const char *const tools[] = {"sc", "reg", "ping"};
    char own[PATH_CHARS], path[2 * PATH_CHARS], temp[PATH_CHARS];
    DWORD size = GetTempPathA(sizeof temp, temp);
    assert_true(size > 0 && size < 200);
    snprintf(root, sizeof root, "%shbk_scripts_%lu", temp, GetCurrentProcessId());
    snprintf(program, sizeof program, "%s\\Program Files", root);
    assert_true(CreateDirectoryA(root, NULL));
    assert_true(CreateDirectoryA(program, NULL));
    snprintf(path, sizeof path, "%s\\System32", root);
    assert_true(CreateDirectoryA(path, NULL));
    assert_true(GetModuleFileNameA(NULL, own, sizeof own) < sizeof own);
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        snprintf(path, sizeof path, "%s\\System32\\%s.exe", root, tools[i]);
        assert_true(CopyFileA(own, path, TRUE));
    }
    put_file(program, "handlebroker.exe", "", 0);
    struct hbk_buffer script = read_test_file("installer/install.cmd");
    put_file(program, "install.cmd", script.data, script.size);
    hbk_buffer_deinit(&script);
    script = read_test_file("installer/uninstall.cmd");
    put_file(program, "uninstall.cmd", script.data, script.size);
    hbk_buffer_deinit(&script);
}

static int remove_folders(void **state)
{
    static const char *const files[] = {"System32\\sc.exe",
                                        "System32\\reg.exe",
                                        "System32\\ping.exe",
                                        "Program Files\\handlebroker.exe",
                                        "Program Files\\install.cmd",
                                        "Program Files\\uninstall.cmd",
                                        "run.cmd",
                                        "calls",
                                        "fail",
                                        "linger",
                                        "elevated",
                                        "service",
                                        "log"};
    char path[2 * PATH_CHARS];
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        drop(files[i]);
    snprintf(path, sizeof path, "%s\\System32", root);
    RemoveDirectoryA(path);
    RemoveDirectoryA(program);
    return RemoveDirectoryA(root) ? 0 : 1;
}

/* Nothing is installed, and we are an administrator. */
static int begin(void **state)
{
    static const char *const files[] = {"calls", "fail", "linger", "service", "log"};
    (void)state;
    if (root[0] == '\0')
        make_folders();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        drop(files[i]);
    put_file(root, "elevated", "", 0);
    return 0;
}

static int run(const char *script)
{
    char shell[PATH_CHARS], line[3 * PATH_CHARS], text[4 * PATH_CHARS];
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code = 0;
    drop("calls");
    assert_true(GetEnvironmentVariableA("ComSpec", shell, sizeof shell) > 0);
    /* The folder is set within: cmd itself is to have the real one. */
    int size = snprintf(text, sizeof text,
                        "@set \"SystemRoot=%s\"\r\n@set \"HBK_TEST_ROOT=%s\"\r\n"
                        "@call \"%s\\%s\"\r\n@exit /b %%errorlevel%%\r\n",
                        root, root, program, script);
    assert_in_range(size, 1, sizeof text - 1);
    put_file(root, "run.cmd", text, (size_t)size);
    snprintf(line, sizeof line, "\"%s\" /d /c \"%s\\run.cmd\"", shell, root);
    assert_true(CreateProcessA(shell, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process));
    assert_int_equal(WaitForSingleObject(process.hProcess, 30000), WAIT_OBJECT_0);
    assert_true(GetExitCodeProcess(process.hProcess, &code));
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return (int)code;
}

/* How many of the calls begin so. */
static int calls(const char *start)
{
    static char text[TEXT_MAX];
    int count = 0;
    if (get_file("calls", text, sizeof text) < 0)
        return 0;
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1)
        count += strncmp(at, start, strlen(start)) == 0;
    return count;
}

static void has_image(const char *folder)
{
    char image[PATH_CHARS], expected[2 * PATH_CHARS];
    assert_true(get_file("service", image, sizeof image) > 0);
    snprintf(expected, sizeof expected, "\"%s\\handlebroker.exe\"", folder);
    assert_string_equal(image, expected);
}

static void installed_and_installed_again(void **state)
{
    (void)state;
    assert_int_equal(run("install.cmd"), 0);
    has_image(program); /* quoted within */
    assert_true(has("log"));
    assert_int_equal(calls("sc [create]"), 1);
    assert_int_equal(calls("sc [config]"), 0);
    assert_int_equal(calls("sc [failure]"), 1);
    assert_int_equal(calls("sc [sidtype] [HandleBroker] [unrestricted]"), 1);
    assert_int_equal(calls("sc [privs]"), 1);
    assert_int_equal(calls("reg [add]"), 2);
    assert_int_equal(run("install.cmd"), 0);
    has_image(program);
    assert_int_equal(calls("sc [create]"), 0);
    assert_int_equal(calls("sc [config]"), 1);
    assert_int_equal(calls("sc [delete]"), 0);
}

static void who_is_no_administrator_changes_nothing(void **state)
{
    (void)state;
    drop("elevated");
    assert_int_not_equal(run("install.cmd"), 0);
    assert_int_not_equal(run("uninstall.cmd"), 0);
    assert_false(has("calls") || has("service") || has("log"));
}

/* Of create, description, failure, sidtype, privs, and two of the log. */
enum { STEPS = 7 };

static void a_step_that_fails_leaves_nothing_new(void **state)
{
    for (int step = 1; step <= STEPS; step += 2) {
        begin(state);
        set_number("fail", step);
        assert_int_equal(run("install.cmd"), 1);
        assert_int_equal(number("fail"), 0);
        if (has("service") || has("log"))
            fail_msg("after step %d failed, something is left", step);
    }
    set_number("fail", STEPS + 1);
    assert_int_equal(run("install.cmd"), 0);
    has_image(program);
}

static void a_step_that_fails_leaves_what_was_there(void **state)
{
    static const char before[] = "\"C:\\Old Folder\\handlebroker.exe\"";
    char image[PATH_CHARS];
    for (int step = 1; step <= STEPS; step += 3) {
        begin(state);
        put_file(root, "service", before, sizeof before - 1);
        put_file(root, "log", "", 0);
        set_number("fail", step);
        assert_int_equal(run("install.cmd"), 1);
        assert_true(get_file("service", image, sizeof image) > 0);
        if (strcmp(image, before) != 0 || !has("log"))
            fail_msg("after step %d failed: %s", step, image);
        assert_int_equal(calls("sc [delete]"), 0);
    }
}

static void uninstalled_and_uninstalled_again(void **state)
{
    (void)state;
    assert_int_equal(run("install.cmd"), 0);
    assert_int_equal(run("uninstall.cmd"), 0);
    assert_false(has("service") || has("log"));
    assert_int_equal(calls("sc [stop]"), 1);
    assert_int_equal(run("uninstall.cmd"), 0);
    assert_false(has("calls"));
}

static void a_service_that_goes_late_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(run("install.cmd"), 0);
    set_number("linger", 3);
    assert_int_equal(run("uninstall.cmd"), 0);
    assert_int_equal(number("linger"), 0);
    assert_int_equal(run("install.cmd"), 0);
    set_number("linger", 1000); /* it does not go */
    assert_int_equal(run("uninstall.cmd"), 1);
    assert_true(has("log"));
}

static void a_refused_removal_is_told(void **state)
{
    (void)state;
    for (int step = 1; step <= 2; step++) {
        begin(state);
        assert_int_equal(run("install.cmd"), 0);
        set_number("fail", step);
        assert_int_equal(run("uninstall.cmd"), 1);
        assert_int_equal(has("service"), step == 1);
        assert_true(has("log"));
        assert_int_equal(run("uninstall.cmd"), 0);
        assert_false(has("service") || has("log"));
    }
}

#define TEST(function) cmocka_unit_test_setup(function, begin)

int main(int argc, char **argv)
{
    static const char *const tools[] = {"\\sc.exe", "\\reg.exe", "\\ping.exe"};
    char own[PATH_CHARS] = "";
    GetModuleFileNameA(NULL, own, sizeof own);
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        const char *end = strrchr(own, '\\');
        if (end != NULL && _stricmp(end, tools[i]) == 0) {
            static const char *const names[] = {"sc", "reg", "ping"};
            GetEnvironmentVariableA("HBK_TEST_ROOT", root, sizeof root);
            return as_tool(names[i], argc, argv);
        }
    }
    const struct CMUnitTest tests[] = {
        TEST(installed_and_installed_again),
        TEST(who_is_no_administrator_changes_nothing),
        TEST(a_step_that_fails_leaves_nothing_new),
        TEST(a_step_that_fails_leaves_what_was_there),
        TEST(uninstalled_and_uninstalled_again),
        TEST(a_service_that_goes_late_is_waited_for),
        TEST(a_refused_removal_is_told),
    };
    return cmocka_run_group_tests_name("install scripts", tests, NULL, remove_folders);
}
