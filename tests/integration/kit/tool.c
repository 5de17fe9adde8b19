#include "tool.h"

#include "json.h"

#include <stdarg.h>
#include <string.h>
#include <wchar.h>

enum { LINE_CHARS = 2048 };

struct kit_output kit_said;

const wchar_t *kit_reach(void)
{
    static wchar_t options[128];
    options[0] = L'\0';
    if (kit_broker()->pipe != NULL)
        (void)swprintf(options, 128, L"--pipe %ls --unverified", kit_broker()->pipe);
    return options;
}

static void run(int expected, const wchar_t *reach, const wchar_t *format, va_list values)
{
    wchar_t line[LINE_CHARS];
    assert_true(vswprintf(line, LINE_CHARS, format, values) >= 0);
    kit_run(&kit_said, KIT_HBCTL_MS, L"\"%ls\" %ls %ls", kit_tool(L"hbctl.exe"), line, reach);
    if ((int)kit_said.code != expected)
        fail_msg("hbctl %ls: exit code %lu, not %d\n%s\n%s", line, kit_said.code, expected,
                 kit_said.out, kit_said.err);
}

void kit_hbctl(int expected, const wchar_t *format, ...)
{
    va_list values;
    va_start(values, format);
    run(expected, kit_reach(), format, values);
    va_end(values);
}

void kit_hbctl_at(const wchar_t *pipe, int expected, const wchar_t *format, ...)
{
    wchar_t reach[MAX_PATH] = L"";
    va_list values;
    if (pipe != NULL)
        (void)swprintf(reach, MAX_PATH, L"--pipe %ls --unverified", pipe);
    va_start(values, format);
    run(expected, reach, format, values);
    va_end(values);
}

void kit_says(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("\"%s\" is missing in: %s", what, text);
}

void kit_is_json(const char *text)
{
    struct hbk_error error;
    assert_true(text[0] != '\0');
    while (*text != '\0') {
        size_t size = strcspn(text, "\r\n");
        if (hbk_json_check((struct hbk_text){text, size}, &error) != 0)
            fail_msg("no JSON (%s): %s", error.detail, text);
        text += size;
        text += strspn(text, "\r\n");
    }
}
