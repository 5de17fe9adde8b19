#include "log.h"

#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

enum { LINE_BYTES_MAX = 1024 };

static bool to_console;

void hbk_log_init(bool console)
{
    to_console = console;
    /* The system makes a mutex with the first line that it is given, and keeps it: at the start rather than
     * when the first client is refused, so that handles which are counted then are the broker's own. */
    OutputDebugStringA("handlebroker: starting\n");
}

/* Standard error may be a console, which wants UTF-16, or a file, which gets the bytes. */
static void write_out(const char *line, size_t size)
{
    HANDLE out = GetStdHandle(STD_ERROR_HANDLE);
    DWORD ignored;
    if (out == NULL || out == INVALID_HANDLE_VALUE) {
        return;
    }
    if (GetConsoleMode(out, &ignored)) {
        WCHAR wide[LINE_BYTES_MAX];
        int count = MultiByteToWideChar(CP_UTF8, 0, line, (int)size, wide, LINE_BYTES_MAX);
        if (count > 0) {
            WriteConsoleW(out, wide, (DWORD)count, &ignored, NULL);
        }
    } else {
        WriteFile(out, line, (DWORD)size, &ignored, NULL);
    }
}

void hbk_log(const char *format, ...)
{
    char line[LINE_BYTES_MAX];
    static const char prefix[] = "handlebroker: ";
    size_t size = sizeof(prefix) - 1;

    memcpy(line, prefix, size);
    va_list arguments;
    va_start(arguments, format);
    int added = vsnprintf(line + size, sizeof(line) - size - 1, format, arguments);
    va_end(arguments);
    if (added < 0) {
        return;
    }
    size_t end = size + (size_t)added;
    if (end > sizeof(line) - 2) {
        end = sizeof(line) - 2; /* cut, with room for LF and NUL */
    }
    for (; size < end; size++) {
        if ((unsigned char)line[size] < 0x20 || line[size] == 0x7F) {
            line[size] = '?';
        }
    }
    line[size++] = '\n';
    line[size] = '\0';
    OutputDebugStringA(line);
    if (to_console) {
        write_out(line, size);
    }
}

const char *hbk_log_narrow(const wchar_t *wide, char *text, size_t capacity)
{
    size_t size = wcslen(wide);
    HBK_ASSERT(capacity > 0);
    int written;
    do {
        size = size < capacity ? size : capacity - 1;
        written = size == 0 ? 0
                            : WideCharToMultiByte(CP_UTF8, 0, wide, (int)size, text,
                                                  (int)capacity - 1, NULL, NULL);
    } while (written == 0 && size-- > 0);
    text[written] = '\0';
    return text;
}

const char *hbk_log_error_text(unsigned long error, char *text, size_t capacity)
{
    WCHAR wide[256];
    DWORD count = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                                 error, 0, wide, sizeof(wide) / sizeof(*wide), NULL);
    while (count > 0 && (wide[count - 1] <= L' ' || wide[count - 1] == L'.')) {
        count--;
    }
    if (count == 0) {
        return "refused by Windows";
    }
    wide[count < 255 ? count : 255] = L'\0';
    return hbk_log_narrow(wide, text, capacity);
}

void hbk_log_windows_error(const char *what, unsigned long error)
{
    char text[512];
    hbk_log("%s: %s (error %lu)", what, hbk_log_error_text(error, text, sizeof(text)), error);
}
