/* The messages for the Windows event log: each notice, formatted with the catalogue that is in the built service, as
 * the event viewer does it. Nothing here looks into the log itself: Wine keeps none. */
#include "eventlog.h"
#include "handlebroker_messages.h"
#include "log.h"
#include "test_support.h"

#include <windows.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 16384 };

static HMODULE catalogue;

static int begin(void **state)
{
    wchar_t path[MAX_PATH] = L"";
    (void)state;
    DWORD size = GetModuleFileNameW(NULL, path, MAX_PATH);
    assert_true(size > 0 && size < MAX_PATH);
    wchar_t *file = wcsrchr(path, L'\\') + 1;
    (void)_snwprintf(file, (size_t)(path + MAX_PATH - file), L"handlebroker.exe");
    catalogue = LoadLibraryExW(path, NULL, LOAD_LIBRARY_AS_DATAFILE);
    return catalogue == NULL;
}

static int end(void **state)
{
    (void)state;
    FreeLibrary(catalogue);
    return 0;
}

static const char *format(const struct hbk_event_message *message)
{
    static wchar_t wide[TEXT_MAX];
    static char text[TEXT_MAX];
    DWORD_PTR inserts[16];
    for (size_t i = 0; i < 16; i++) /* one too many in a message would show, not crash */
        inserts[i] = (DWORD_PTR)(i < message->count ? message->inserts[i] : L"MISSING");
    DWORD count = FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY,
                                 catalogue, message->id, 0, wide, TEXT_MAX, (va_list *)inserts);
    if (count == 0)
        fail_msg("message %#lx: error %lu", (unsigned long)message->id, GetLastError());
    int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, TEXT_MAX, NULL, NULL);
    assert_true(size > 0);
    return text;
}

static void says(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("\"%s\" is missing in: %s", what, text);
}

static const struct hbk_notice full_notice = {
    .count = 41,
    .pid = 4242,
    .win32 = 8765,
    .correlation = 99887766,
    .user = "S-1-5-21-1-2-3-1001",
    .event = "handle.send",
    .name = "session/print/spooler",
    .error = "denied",
    .detail = "rules[2] grants it to somebody else",
};

static const char *of_kind(enum hbk_notice_kind kind)
{
    static struct hbk_event_message message;
    struct hbk_notice notice = full_notice;
    notice.kind = kind;
    hbk_event_message(&notice, &message);
    const char *text = format(&message);
    assert_null(strstr(text, "MISSING"));
    /* Every insert that is handed over is shown, or it would be in the log for nobody. */
    for (size_t i = 0; i < message.count; i++) {
        char insert[HBK_EVENT_INSERT_CHARS];
        assert_true(WideCharToMultiByte(CP_UTF8, 0, message.inserts[i], -1, insert, sizeof insert,
                                        NULL, NULL) > 0);
        says(text, insert);
    }
    says(text, full_notice.detail);
    return text;
}

static void every_kind(void **state)
{
    (void)state;
    const char *text = of_kind(HBK_NOTICE_REFUSED);
    says(text, "User: S-1-5-21-1-2-3-1001");
    says(text, "Process: 4242");
    says(text, "Request: handle.send");
    says(text, "Name: session/print/spooler");
    says(text, "Error: denied");
    says(text, "Windows error: 8765");
    says(text, "Correlation: 99887766");
    text = of_kind(HBK_NOTICE_REFUSED_MORE);
    says(text, "41 more");
    says(text, "User: S-1-5-21-1-2-3-1001");
    says(text, "process: 4242");
    of_kind(HBK_NOTICE_POLICY_LOADED);
    says(of_kind(HBK_NOTICE_POLICY_KEPT), "paramchange");
    says(of_kind(HBK_NOTICE_DROPPED), "41 audit records");
    says(of_kind(HBK_NOTICE_WARNING), "8765");
    says(of_kind(HBK_NOTICE_PAUSED), "is paused");
    says(of_kind(HBK_NOTICE_CONTINUED), "no longer paused");
}

static void those_that_are_no_notice(void **state)
{
    (void)state;
    static struct hbk_event_message message;
    hbk_event_message_text(HBK_MESSAGE_STARTED, "4242", "No policy file.", &message);
    says(format(&message), "process 4242. No policy file.");
    hbk_event_message_text(HBK_MESSAGE_STOPPED, NULL, "In order.", &message);
    says(format(&message), "stopped. In order.");
    hbk_event_message_text(HBK_MESSAGE_NOT_STARTED, NULL, "line 3: limits", &message);
    says(format(&message), "did not start: line 3: limits");
}

/* What installer/ADMIN.md promises to whoever filters by them. */
static void numbers_that_stay(void **state)
{
    (void)state;
    assert_int_equal(HBK_MESSAGE_STARTED & 0xFFFF, 100);
    assert_int_equal(HBK_MESSAGE_STOPPED & 0xFFFF, 101);
    assert_int_equal(HBK_MESSAGE_NOT_STARTED & 0xFFFF, 102);
    assert_int_equal(HBK_MESSAGE_PAUSED & 0xFFFF, 103);
    assert_int_equal(HBK_MESSAGE_CONTINUED & 0xFFFF, 104);
    assert_int_equal(HBK_MESSAGE_REFUSED & 0xFFFF, 200);
    assert_int_equal(HBK_MESSAGE_REFUSED_MORE & 0xFFFF, 201);
    assert_int_equal(HBK_MESSAGE_POLICY_LOADED & 0xFFFF, 300);
    assert_int_equal(HBK_MESSAGE_POLICY_KEPT & 0xFFFF, 301);
    assert_int_equal(HBK_MESSAGE_DROPPED & 0xFFFF, 400);
    assert_int_equal(HBK_MESSAGE_WARNING & 0xFFFF, 401);
    assert_int_equal(HBK_MESSAGE_STARTED >> 30, 1);
    assert_int_equal(HBK_MESSAGE_REFUSED >> 30, 2);
    assert_int_equal(HBK_MESSAGE_POLICY_KEPT >> 30, 3);
}

/* A client chooses a name, or its version, so that the reader sees what is not there. */
static void texts_that_would_deceive(void **state)
{
    (void)state;
    static struct hbk_event_message message;
    static char huge[10000];
    struct hbk_notice notice = full_notice;
    notice.kind = HBK_NOTICE_REFUSED;
    notice.name = "a%1b%%2c%!s!";
    notice.detail = "one\r\nUser: S-1-5-18\x1b[2J\xC3\xA4";
    hbk_event_message(&notice, &message);
    const char *text = format(&message);
    says(text, "Name: a\\x251b\\x25\\x252c\\x25!s!");
    says(text, "Reason: one\\x0D\\x0AUser: S-1-5-18\\x1B[2J\\xC3\\xA4");
    for (size_t i = 0; i < message.count; i++)
        assert_null(wcschr(message.inserts[i], L'%'));
    memset(huge, '%', sizeof huge - 1);
    notice.detail = huge;
    notice.user = notice.name = notice.event = notice.error = "";
    notice.pid = notice.win32 = 0;
    hbk_event_message(&notice, &message);
    for (size_t i = 0; i < message.count; i++)
        assert_in_range(wcslen(message.inserts[i]), 1, HBK_EVENT_INSERT_CHARS - 1);
    says(format(&message), "Name: -");
}

/* A thread of its own takes whatever comes, and an end does not wait for long. */
static void a_flood(void **state)
{
    (void)state;
    struct hbk_notice notice = full_notice;
    struct hbk_event_log *log = hbk_event_log_new(false);
    assert_non_null(log);
    for (int i = 0; i < 10000; i++) {
        notice.kind = (enum hbk_notice_kind)(i % HBK_NOTICE_KIND_COUNT);
        hbk_event_log_notice(log, &notice);
    }
    hbk_event_log_text(log, HBK_MESSAGE_STOPPED, NULL, "In order.");
    assert_true(hbk_event_log_free(log, 10000));
    assert_true(hbk_event_log_free(NULL, 0));
}

/* What comes out of the standard error that is a pipe: lines of warnings, and how many were said to be dropped. */
struct said {
    HANDLE pipe;
    unsigned long warnings, dropped;
};

static DWORD WINAPI read_said(void *context)
{
    struct said *said = context;
    static char text[1 << 20];
    DWORD size = 0, got = 0;
    while (size < sizeof text - 1 &&
           ReadFile(said->pipe, text + size, (DWORD)(sizeof text - 1 - size), &got, NULL))
        size += got;
    text[size] = '\0';
    static const char begin_of_line[] = "handlebroker: ";
    const char *end_of_line;
    for (const char *line = text; (end_of_line = strchr(line, '\n')) != NULL;
         line = end_of_line + 1) {
        const char *rest = line + sizeof begin_of_line - 1;
        if (strncmp(rest, "warning: ", 9) == 0)
            said->warnings++;
        else
            said->dropped += strtoul(rest, NULL, 10);
    }
    return 0;
}

/* While nobody takes what is written, so many wait and no more; the rest is counted. */
static void few_wait(void **state)
{
    (void)state;
    enum { COUNT = 1000, IN_THE_PIPE = 16 };
    struct said said = {NULL, 0, 0};
    struct hbk_notice notice = full_notice;
    char detail[900];
    HANDLE to = NULL, before = GetStdHandle(STD_ERROR_HANDLE);
    memset(detail, 'x', sizeof detail - 1);
    detail[sizeof detail - 1] = '\0';
    notice.kind = HBK_NOTICE_WARNING;
    notice.detail = detail;
    assert_true(CreatePipe(&said.pipe, &to, NULL, 4096));
    assert_true(SetStdHandle(STD_ERROR_HANDLE, to));
    hbk_log_init(true);
    struct hbk_event_log *log = hbk_event_log_new(true);
    for (int i = 0; i < COUNT; i++)
        hbk_event_log_notice(log, &notice);
    HANDLE reader = CreateThread(NULL, 0, read_said, &said, 0, NULL);
    bool ended = hbk_event_log_free(log, 10000);
    hbk_log_init(false);
    SetStdHandle(STD_ERROR_HANDLE, before);
    CloseHandle(to);
    assert_int_equal(WaitForSingleObject(reader, 10000), WAIT_OBJECT_0);
    CloseHandle(reader);
    CloseHandle(said.pipe);
    assert_true(ended);
    assert_in_range(said.warnings, HBK_EVENTS_WAITING_MAX, HBK_EVENTS_WAITING_MAX + IN_THE_PIPE);
    assert_int_equal(said.warnings + said.dropped, COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),        cmocka_unit_test(those_that_are_no_notice),
        cmocka_unit_test(numbers_that_stay), cmocka_unit_test(texts_that_would_deceive),
        cmocka_unit_test(a_flood),           cmocka_unit_test(few_wait),
    };
    return cmocka_run_group_tests_name("event log", tests, begin, end);
}
