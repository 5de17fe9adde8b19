/* The message tables of handlebroker.dll and hbctl.exe: for each number there may be, FormatMessage finds what
 * hbk_result_text() says, and finds nothing where there is no such result. */
#include <handlebroker.h>

#include "test_support.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum { TEXT_MAX = 512, RESULTS = 27 };

static HMODULE load(const wchar_t *name)
{
    wchar_t path[MAX_PATH] = L"";
    DWORD size = GetModuleFileNameW(NULL, path, MAX_PATH);
    assert_true(size > 0 && size < MAX_PATH);
    wchar_t *file = wcsrchr(path, L'\\') + 1;
    (void)_snwprintf(file, (size_t)(path + MAX_PATH - file), L"%ls", name);
    HMODULE module = LoadLibraryExW(path, NULL, LOAD_LIBRARY_AS_DATAFILE);
    if (module == NULL)
        fail_msg("%ls: error %lu", path, GetLastError());
    return module;
}

/* Whether there is a message, which is the very text of the result then. */
static bool has_text_of(HMODULE module, int number)
{
    wchar_t wide[TEXT_MAX];
    char text[TEXT_MAX];
    DWORD count = FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_IGNORE_INSERTS,
                                 module, (DWORD)number, 0, wide, TEXT_MAX, NULL);
    if (count == 0) {
        assert_int_equal(GetLastError(), ERROR_MR_MID_NOT_FOUND);
        return false;
    }
    assert_int_equal(count, wcslen(wide));
    assert_true(WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, TEXT_MAX, NULL, NULL) > 0);
    assert_string_equal(text, hbk_result_text((hbk_result)number));
    return true;
}

static void each_result(const wchar_t *name)
{
    static const int ranges[][2] = {{-33000, -32000}, {-200, 1000}};
    HMODULE module = load(name);
    int found = 0;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        for (int number = ranges[i][0]; number <= ranges[i][1]; number++) {
            bool result = strcmp(hbk_result_word((hbk_result)number), "unknown") != 0;
            if (has_text_of(module, number) != result)
                fail_msg("%ls: %d is %s result", name, number, result ? "a" : "no");
            found += result;
        }
    }
    assert_int_equal(found, RESULTS);
    FreeLibrary(module);
}

static void in_the_library(void **state)
{
    (void)state;
    each_result(L"handlebroker.dll");
}

static void in_the_tool(void **state)
{
    (void)state;
    each_result(L"hbctl.exe");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_library),
        cmocka_unit_test(in_the_tool),
    };
    return cmocka_run_group_tests_name("result messages", tests, NULL, NULL);
}
