/* What hbctl prints on a console and nowhere else: colour, tables that are made to fit, and a line that shows that it
 * waits. Run by with_console.sh; what stands on the screen is read back from it. */
#include "tool.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum { COLUMNS = 60, ROWS = 40, RUN_MS = 20000 };

static const wchar_t screen_name[] = L"CONOUT$";
static HANDLE screen;
static char text[ROWS * (COLUMNS + 1) + 1]; /* what screen_read() has found */
static bool coloured;                       /* by then: something, in another way than the rest */

/* ---- the screen ---- */

static void screen_clear(void)
{
    const COORD home = {0, 0};
    CONSOLE_SCREEN_BUFFER_INFO info;
    DWORD done = 0;
    assert_true(GetConsoleScreenBufferInfo(screen, &info));
    DWORD cells = (DWORD)info.dwSize.X * (DWORD)info.dwSize.Y;
    assert_true(FillConsoleOutputCharacterW(screen, L' ', cells, home, &done));
    assert_true(FillConsoleOutputAttribute(screen, info.wAttributes, cells, home, &done));
    assert_true(SetConsoleCursorPosition(screen, home));
}

static void screen_open(void)
{
    const SMALL_RECT least = {0, 0, 9, 9}, window = {0, 0, COLUMNS - 1, ROWS - 1};
    const COORD size = {COLUMNS, ROWS};
    screen = CreateFileW(screen_name, GENERIC_READ | GENERIC_WRITE,
                         FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(screen != INVALID_HANDLE_VALUE);
    /* A window may never be larger than its buffer. */
    SetConsoleWindowInfo(screen, TRUE, &least);
    assert_true(SetConsoleScreenBufferSize(screen, size));
    assert_true(SetConsoleWindowInfo(screen, TRUE, &window));
    screen_clear();
}

/* Rows, each with its LF and without the blanks at its end. Wine takes the request to interpret escape
 * sequences and then shows them. */
static void screen_read(void)
{
    char *at = text;
    coloured = false;
    for (int row = 0; row < ROWS; row++) {
        const COORD first = {0, (SHORT)row};
        char cells[COLUMNS];
        WORD attributes[COLUMNS];
        DWORD done = 0;
        assert_true(ReadConsoleOutputCharacterA(screen, cells, COLUMNS, first, &done));
        assert_true(ReadConsoleOutputAttribute(screen, attributes, COLUMNS, first, &done));
        char *begin = at;
        for (DWORD i = 0; i < done; i++) {
            coloured = coloured || attributes[i] != attributes[COLUMNS - 1] || cells[i] == '\x1b';
            *at++ = cells[i];
        }
        while (at > begin && at[-1] == ' ')
            at--;
        *at++ = '\n';
    }
    *at = '\0';
}

/* ---- hbctl on it ---- */

static HANDLE start(const wchar_t *arguments, const wchar_t *out, const wchar_t *err)
{
    wchar_t line[1024];
    screen_clear();
    (void)swprintf(line, 1024, L"\"%ls\" %ls %ls", kit_tool(L"hbctl.exe"), arguments, kit_reach());
    return kit_spawn_log(line, 0, out, err, NULL);
}

static void end(HANDLE process, int expected)
{
    DWORD code = kit_wait_exit(process, RUN_MS);
    kit_forget(process);
    screen_read();
    if ((int)code != expected)
        fail_msg("exit code %lu, not %d: %s", code, expected, text);
}

static void no_escapes(const wchar_t *path)
{
    char bytes[4096];
    size_t size = kit_file_read(path, bytes, sizeof bytes);
    assert_null(memchr(bytes, '\x1b', size));
}

static void colour_on_a_console_alone(void **state)
{
    (void)state;
    wchar_t file[MAX_PATH];
    kit_temp(file, MAX_PATH);
    end(start(L"status", screen_name, file), KIT_DONE);
    kit_says(text, "running");
    assert_true(coloured);
    assert_int_equal(kit_file_read(file, text, sizeof text), 0);
    /* Each stream for itself. */
    end(start(L"send user/nobody --file C:\\windows\\win.ini", file, screen_name), KIT_REFUSED);
    kit_says(text, "not_found");
    assert_true(coloured);
    no_escapes(file);
    end(start(L"explain open user/x", file, screen_name), KIT_DONE);
    kit_file_read(file, text, sizeof text);
    kit_says(text, "open user/x: allowed\n");
    no_escapes(file);
    kit_temp_remove(file);
}

static void no_colour_where_it_is_not_wanted(void **state)
{
    (void)state;
    assert_true(SetEnvironmentVariableW(L"NO_COLOR", L"1"));
    end(start(L"status", screen_name, screen_name), KIT_DONE);
    kit_says(text, "running");
    assert_false(coloured);
    /* Empty it says nothing. */
    assert_true(SetEnvironmentVariableW(L"NO_COLOR", L""));
    end(start(L"status", screen_name, screen_name), KIT_DONE);
    assert_true(coloured);
    assert_true(SetEnvironmentVariableW(L"NO_COLOR", NULL));
    /* Nor in what a program reads. */
    end(start(L"status --json", screen_name, screen_name), KIT_DONE);
    assert_false(coloured);
}

/* A table that is wider than the screen keeps its lines, its headings and its narrow columns. */
static void a_table_is_made_to_fit(void **state)
{
    (void)state;
    static const char name[] = "user/a-name-that-is-much-too-long-for-a-console-of-sixty-columns";
    const hbk_endpoint_options options = {.size = sizeof options, .name = name};
    wchar_t file[MAX_PATH];
    char whole[4096];
    hbk_client *client = kit_client();
    assert_int_equal(hbk_endpoint_open(client, &options, NULL), HBK_OK);
    assert_true(SetEnvironmentVariableW(L"NO_COLOR", L"1"));
    end(start(L"endpoints", screen_name, screen_name), KIT_DONE);
    assert_true(SetEnvironmentVariableW(L"NO_COLOR", NULL));
    assert_memory_equal(text, "NAME ", 5);
    kit_says(text, " TYPES\n");
    kit_says(text, "\nuser...  auto "); /* the name was cut, and not what comes after */
    kit_says(text, "...\n\n\n");        /* and nothing went on to a second line */
    kit_temp(file, MAX_PATH);
    end(start(L"endpoints", file, screen_name), KIT_DONE);
    kit_file_read(file, whole, sizeof whole);
    kit_says(whole, name);
    kit_temp_remove(file);
    kit_close(client);
}

static bool shown(const char *what, uint32_t within_ms)
{
    for (uint64_t last = kit_now_ms() + within_ms; kit_now_ms() < last; Sleep(50)) {
        screen_read();
        if (strstr(text, what) != NULL)
            return true;
    }
    return false;
}

static void that_it_waits(void **state)
{
    (void)state;
    HANDLE process = start(L"receive user/waits --timeout 4000", screen_name, screen_name);
    assert_true(shown("waiting for a delivery, ", RUN_MS));
    end(process, KIT_TOO_LATE);
    assert_null(strstr(text, "waiting"));
    kit_says(text, "listening at user/waits");
    /* The error begins where the line began that was erased. */
    kit_says(text, kit_is_wine() ? "\n\x1b[31mhbctl: timeout: " : "\nhbctl: timeout: ");
    process = start(L"bench --count 100000", screen_name, screen_name);
    assert_true(shown("handing over, ", RUN_MS));
    assert_true(shown(" of 100000, ", RUN_MS));
    kit_forget(process);
}

/* What comes after it begins where it began; and the console is left as it was, whichever stream took colour first. */
static void what_it_waited_for(void **state)
{
    (void)state;
    const char *name = "user/waited";
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    DWORD before = 0, after = 0;
    assert_true(GetConsoleMode(screen, &before));
    HANDLE process =
        start(L"receive user/waited --count 2 --timeout 4000", screen_name, screen_name);
    assert_true(shown("waiting for a delivery, ", RUN_MS));
    assert_int_equal(kit_send(client, name, event, 0, 0, NULL), HBK_OK);
    end(process, KIT_TOO_LATE);
    kit_says(text, "\ndelivery ");
    assert_null(strstr(text, "waiting"));
    kit_says(text, "hbctl: timeout: ");
    assert_true(GetConsoleMode(screen, &after));
    assert_int_equal(after, before);
    CloseHandle(event);
    kit_close(client);
}

static void not_to_a_program(void **state)
{
    (void)state;
    wchar_t file[MAX_PATH];
    HANDLE process = start(L"receive user/waits --timeout 3000 --json", screen_name, screen_name);
    assert_false(shown("waiting", 2500));
    end(process, KIT_TOO_LATE);
    kit_temp(file, MAX_PATH);
    process = start(L"receive user/waits --timeout 3000", screen_name, file);
    assert_false(shown("waiting", 2500));
    end(process, KIT_TOO_LATE);
    kit_file_read(file, text, sizeof text);
    assert_null(strstr(text, "waiting for"));
    no_escapes(file);
    kit_temp_remove(file);
}

/* ---- a console to do it in ---- */

static bool have_console(void)
{
    HANDLE console = CreateFileW(screen_name, GENERIC_READ | GENERIC_WRITE,
                                 FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    CONSOLE_SCREEN_BUFFER_INFO info;
    bool have = console != INVALID_HANDLE_VALUE && GetConsoleScreenBufferInfo(console, &info) != 0;
    if (console != INVALID_HANDLE_VALUE)
        CloseHandle(console);
    return have;
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(colour_on_a_console_alone), KIT_TEST(no_colour_where_it_is_not_wanted),
        KIT_TEST(a_table_is_made_to_fit),    KIT_TEST(that_it_waits),
        KIT_TEST(what_it_waited_for),        KIT_TEST(not_to_a_program),
    };
    /* Wine makes no console where there is no screen; there with_console.sh brings a terminal. */
    if (!kit_is_wine()) {
        FreeConsole();
        AllocConsole();
    }
    if (!have_console()) {
        print_message("there is no console: run this by with_console.sh\n");
        return 1;
    }
    screen_open();
    return cmocka_run_group_tests_name("hbctl console", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
