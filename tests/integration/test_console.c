/* The broker in the console: what it prints, what it refuses to start with, and how it ends. */
#include "script.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define RUN_MS 20000u

enum { DONE = 0, FAILED = 1, USAGE = 2 };

static struct kit_output output;

static void run(int expected, const wchar_t *arguments)
{
    kit_run(&output, RUN_MS, L"\"%ls\" %ls", kit_tool(L"handlebroker.exe"), arguments);
    if ((int)output.code != expected)
        fail_msg("handlebroker %ls: exit code %lu, not %d\n%s\n%s", arguments, output.code,
                 expected, output.out, output.err);
}

static void says(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("\"%s\" is missing in: %s", what, text);
}

static int end(void **state)
{
    (void)state;
    kit_forget_all();
    return 0;
}

static void version_and_help(void **state)
{
    (void)state;
    run(DONE, L"--version");
    says(output.out, hbk_version());
    run(DONE, L"--help");
    says(output.out, "run");
    says(output.out, "--pipe");
    says(output.out, "--config");
}

static void wrong_command_lines(void **state)
{
    (void)state;
    static const wchar_t *const lines[] = {
        L"--no-such-option", L"run --no-such-option", L"run extra",
        L"run --pipe",       L"run --config",         L"run --pipe a --pipe b",
        L"run --pipe \"\"",  L"--version extra",      L"--pipe a",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run(USAGE, lines[i]);
        says(output.err, "--help");
    }
}

static void a_pipe_that_is_taken(void **state)
{
    (void)state;
    struct kit_broker broker;
    wchar_t line[128];
    if (kit_is_wine())
        kit_skip(
            "Wine does not refuse a second first instance of a pipe: only Windows can show it");
    kit_console_start(&broker, NULL);
    (void)swprintf(line, 128, L"run --pipe %ls", broker.pipe);
    run(FAILED, line);
    says(output.err, "--pipe");
    kit_console_stop(&broker);
}

/* ---- Ctrl+C ---- */

static BOOL WINAPI ignore_control(DWORD event)
{
    (void)event;
    return TRUE;
}

static void ended_by(DWORD event)
{
    wchar_t line[256], log[MAX_PATH];
    char text[2048];
    DWORD pid = 0;
    const wchar_t *pipe = kit_pipe_name();
    kit_temp(log, MAX_PATH);
    (void)swprintf(line, 256, L"\"%ls\" run --pipe %ls", kit_tool(L"handlebroker.exe"), pipe);
    /* Ctrl+Break reaches one group of processes; Ctrl+C all that share the console, this one too. */
    HANDLE process = kit_spawn_log(line, event == CTRL_BREAK_EVENT ? CREATE_NEW_PROCESS_GROUP : 0,
                                   log, log, &pid);
    kit_pipe_wait(pipe);
    struct kit_broker broker = {.pipe = pipe, .pid = pid};
    struct kit_raw *raw = kit_raw_with(&broker);
    kit_raw_hello(raw, true);
    assert_true(SetConsoleCtrlHandler(ignore_control, TRUE));
    if (!GenerateConsoleCtrlEvent(event, event == CTRL_BREAK_EVENT ? pid : 0))
        fail_msg("GenerateConsoleCtrlEvent: error %lu", GetLastError());
    assert_int_equal(kit_wait_exit(process, KIT_WAIT_MS), DONE);
    assert_true(kit_raw_ended(raw, KIT_WAIT_MS)); /* it has hung up on its clients */
    kit_raw_free(raw);
    kit_forget(process);
    kit_file_read(log, text, sizeof text);
    says(text, "stopped");
    assert_false(WaitNamedPipeW(pipe, 0));
}

static void ended_by_ctrl_c(void **state)
{
    (void)state;
    ended_by(CTRL_C_EVENT);
}

static void ended_by_ctrl_break(void **state)
{
    (void)state;
    if (kit_is_wine())
        kit_skip(
            "Wine 8 knows no groups of processes to send Ctrl+Break to: only Windows can show it");
    ended_by(CTRL_BREAK_EVENT);
}

/* hbctl watch has no other end: it goes in order, with what it has printed. */
static void watching_is_ended_by_ctrl_c(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "broker.watch",
         .result = "{}",
         .after = "{\"jsonrpc\":\"2.0\",\"method\":\"broker.event\",\"params\":{\"serial\":5,"
                  "\"time_ms\":1,\"event\":\"session.opened\",\"outcome\":\"done\"}}\n"},
    };
    struct kit_script script;
    wchar_t line[256], out[MAX_PATH], err[MAX_PATH];
    char text[2048] = "";
    kit_temp(out, MAX_PATH);
    kit_temp(err, MAX_PATH);
    kit_script_begin(&script, steps, 1);
    (void)swprintf(line, 256, L"\"%ls\" watch --pipe %ls --unverified", kit_tool(L"hbctl.exe"),
                   script.pipe);
    HANDLE process = kit_spawn_log(line, 0, out, err, NULL);
    for (uint64_t late = kit_now_ms() + KIT_WAIT_MS; text[0] == '\0' && kit_now_ms() < late;
         Sleep(20))
        kit_file_read(out, text, sizeof text);
    says(text, "session.opened");
    assert_true(SetConsoleCtrlHandler(ignore_control, TRUE));
    if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0))
        fail_msg("GenerateConsoleCtrlEvent: error %lu", GetLastError());
    assert_int_equal(kit_wait_exit(process, KIT_WAIT_MS), DONE);
    kit_script_end(&script); /* it has left */
    kit_forget(process);
}

/* A console's handle is a file's to the kernel: handed over, and usable there, or refused whole. */
static void a_console_handle(void **state)
{
    (void)state;
    struct kit_broker broker;
    hbk_delivery *delivery = NULL;
    const char *name = kit_endpoint_name();
    kit_console_start(&broker, NULL);
    hbk_client *client = kit_client_with(&broker);
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
    HANDLE console = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
                                 FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(console != INVALID_HANDLE_VALUE);
    uint32_t before = kit_handles_at_rest(GetCurrentProcessId());
    hbk_result result = kit_send(client, name, console, 0, 0, NULL);
    print_message("a console's handle: %s\n", hbk_result_word(result));
    if (result == HBK_OK) {
        DWORD mode = 0;
        assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
        assert_string_equal(delivery->items[0].type, "File");
        assert_true(GetConsoleMode(delivery->items[0].handle, &mode));
        hbk_delivery_free(delivery);
    } else {
        assert_true(result == HBK_BAD_HANDLE || result == HBK_TYPE_NOT_ALLOWED);
        assert_int_equal(hbk_receive(client, KIT_QUIET_MS, &delivery, NULL), HBK_TIMEOUT);
    }
    assert_int_equal(kit_handles_at_rest(GetCurrentProcessId()), before);
    CloseHandle(console);
    kit_close(client);
    kit_console_stop(&broker);
}

#define TEST(function) cmocka_unit_test_teardown(function, end)

static int group(void)
{
    const struct CMUnitTest tests[] = {
        TEST(version_and_help),
        TEST(wrong_command_lines),
        TEST(a_pipe_that_is_taken),
    };
    return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}

static bool have_console(void)
{
    HANDLE console = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE,
                                 FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (console == INVALID_HANDLE_VALUE)
        return false;
    CloseHandle(console);
    return true;
}

/* Ctrl+C goes to all that share a console: this program must have one of its own. */
static int in_a_new_console(void)
{
    wchar_t self[MAX_PATH], line[MAX_PATH + 32], log[MAX_PATH];
    static char text[8192];
    GetModuleFileNameW(NULL, self, MAX_PATH);
    (void)swprintf(line, MAX_PATH + 32, L"\"%ls\" ctrl-here", self);
    kit_temp(log, MAX_PATH);
    HANDLE process = kit_spawn_log(line, CREATE_NEW_CONSOLE, log, log, NULL);
    int code = (int)kit_wait_exit(process, 4 * KIT_WAIT_MS);
    kit_forget(process);
    kit_file_read(log, text, sizeof text);
    print_message("%s", text);
    return code;
}

static int group_ctrl(void)
{
    const struct CMUnitTest tests[] = {TEST(a_console_handle), TEST(ended_by_ctrl_break),
                                       TEST(watching_is_ended_by_ctrl_c), TEST(ended_by_ctrl_c)};
    if (!have_console()) {
        print_message("there is no console to press Ctrl+C in: run this by with_console.sh\n");
        return 1;
    }
    return cmocka_run_group_tests_name("console ctrl", tests, NULL, NULL);
}

/* Wine makes no console where there is no screen; there with_console.sh brings a terminal. */
static int group_ctrl_elsewhere(void)
{
    return kit_is_wine() ? group_ctrl() : in_a_new_console();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "ctrl") == 0)
        return kit_main(argc, argv, group_ctrl_elsewhere);
    if (argc == 2 && strcmp(argv[1], "ctrl-here") == 0)
        return kit_main(argc, argv, group_ctrl);
    return kit_main(argc, argv, group);
}
