/* A client of its own making: it opens the pipe itself and says what it likes, as fast or as slowly as it
 * likes. It knows no library of the project's, so that what it reads is what anyone would. */
#include "kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAWS_MAX 64
#define CLIENT_ACCESS 0x12019Bu /* read and write without create-instance */

static struct kit_raw *raws[RAWS_MAX];

HANDLE kit_raw_open(const wchar_t *pipe)
{
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; kit_now_ms() <= end;) {
        HANDLE handle = CreateFileW(
            pipe, CLIENT_ACCESS, 0, NULL, OPEN_EXISTING,
            FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        if (handle != INVALID_HANDLE_VALUE)
            return handle;
        if (GetLastError() != ERROR_PIPE_BUSY)
            return INVALID_HANDLE_VALUE;
        WaitNamedPipeW(pipe, 1000);
    }
    return INVALID_HANDLE_VALUE;
}

struct kit_raw *kit_raw_with(const struct kit_broker *broker)
{
    for (size_t i = 0; i < RAWS_MAX; i++) {
        if (raws[i] != NULL)
            continue;
        struct kit_raw *raw = calloc(1, sizeof *raw);
        assert_non_null(raw);
        raws[i] = raw;
        raw->event = CreateEventW(NULL, TRUE, FALSE, NULL);
        raw->written = CreateEventW(NULL, TRUE, FALSE, NULL);
        raw->pipe = kit_raw_open(broker->pipe != NULL ? broker->pipe : HBK_PIPE_NAME);
        if (raw->pipe == INVALID_HANDLE_VALUE)
            fail_msg("the pipe cannot be opened: error %lu", GetLastError());
        return raw;
    }
    fail_msg("%s", "too many raw clients at once");
}

struct kit_raw *kit_raw_new(void)
{
    return kit_raw_with(kit_broker());
}

static void stop_reading(struct kit_raw *raw)
{
    DWORD size;
    if (raw->reading) {
        CancelIoEx(raw->pipe, &raw->overlapped);
        GetOverlappedResult(raw->pipe, &raw->overlapped, &size, TRUE);
        raw->reading = false;
    }
}

void kit_raw_free(struct kit_raw *raw)
{
    for (size_t i = 0; i < RAWS_MAX; i++) {
        if (raws[i] == raw)
            raws[i] = NULL;
    }
    if (raw == NULL)
        return;
    if (raw->pipe != INVALID_HANDLE_VALUE) {
        stop_reading(raw);
        CloseHandle(raw->pipe);
    }
    CloseHandle(raw->event);
    CloseHandle(raw->written);
    free(raw);
}

void kit_raw_free_all(void)
{
    for (size_t i = 0; i < RAWS_MAX; i++)
        kit_raw_free(raws[i]);
}

/* ---- writing ---- */

bool kit_raw_write(struct kit_raw *raw, const void *bytes, size_t size, uint32_t timeout_ms)
{
    OVERLAPPED overlapped = {.hEvent = raw->written};
    DWORD written = 0;
    BOOL done = WriteFile(raw->pipe, bytes, (DWORD)size, NULL, &overlapped);
    if (done || GetLastError() == ERROR_IO_PENDING) {
        if (WaitForSingleObject(overlapped.hEvent, timeout_ms) != WAIT_OBJECT_0)
            CancelIoEx(raw->pipe, &overlapped);
        done = GetOverlappedResult(raw->pipe, &overlapped, &written, TRUE);
    }
    return done && written == size;
}

static void say(struct kit_raw *raw, const char *format, va_list values)
{
    static char line[KIT_LINE_BYTES];
    int size = vsnprintf(line, sizeof line - 1, format, values);
    assert_true(size >= 0 && (size_t)size < sizeof line - 1);
    line[size] = '\n';
    assert_true(kit_raw_write(raw, line, (size_t)size + 1, KIT_WAIT_MS));
}

void kit_raw_say(struct kit_raw *raw, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    say(raw, format, values);
    va_end(values);
}

/* ---- reading ---- */

static bool take_line(struct kit_raw *raw)
{
    char *end = memchr(raw->bytes, '\n', raw->size);
    if (end == NULL)
        return false;
    size_t size = (size_t)(end - raw->bytes);
    memcpy(raw->line, raw->bytes, size);
    raw->line[size] = '\0';
    raw->size -= size + 1;
    memmove(raw->bytes, end + 1, raw->size);
    return true;
}

/* One read's worth of bytes. Return: KIT_RAW_LINE for some, TIMEOUT, END. */
static int take_bytes(struct kit_raw *raw, uint32_t timeout_ms)
{
    DWORD size = 0;
    if (!raw->reading) {
        memset(&raw->overlapped, 0, sizeof raw->overlapped);
        raw->overlapped.hEvent = raw->event;
        if (!ReadFile(raw->pipe, raw->chunk, sizeof raw->chunk, NULL, &raw->overlapped) &&
            GetLastError() != ERROR_IO_PENDING)
            return KIT_RAW_END;
        raw->reading = true;
    }
    if (WaitForSingleObject(raw->event, timeout_ms) != WAIT_OBJECT_0)
        return KIT_RAW_TIMEOUT;
    raw->reading = false;
    if (!GetOverlappedResult(raw->pipe, &raw->overlapped, &size, TRUE) || size == 0)
        return KIT_RAW_END;
    assert_true(raw->size + size <= sizeof raw->bytes);
    memcpy(raw->bytes + raw->size, raw->chunk, size);
    raw->size += size;
    return KIT_RAW_LINE;
}

int kit_raw_next(struct kit_raw *raw, uint32_t timeout_ms)
{
    uint64_t end = kit_now_ms() + timeout_ms;
    for (;;) {
        if (take_line(raw))
            return KIT_RAW_LINE;
        uint64_t now = kit_now_ms();
        int result = take_bytes(raw, now < end ? (uint32_t)(end - now) : 0);
        if (result != KIT_RAW_LINE)
            return result;
    }
}

void kit_raw_answer(struct kit_raw *raw)
{
    do {
        int result = kit_raw_next(raw, KIT_WAIT_MS);
        if (result != KIT_RAW_LINE)
            fail_msg("%s", result == KIT_RAW_END ? "the broker hung up" : "no answer");
    } while (strstr(raw->line, "\"method\":") != NULL);
}

void kit_raw_ask(struct kit_raw *raw, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    say(raw, format, values);
    va_end(values);
    kit_raw_answer(raw);
}

bool kit_raw_ended(struct kit_raw *raw, uint32_t timeout_ms)
{
    return kit_raw_next(raw, timeout_ms) == KIT_RAW_END;
}

/* ---- what lines say ---- */

static const char *member(const char *line, const char *key)
{
    char quoted[64];
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *at = strstr(line, quoted);
    if (at == NULL)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, " ");
    if (*at != ':')
        return NULL;
    return at + 1 + strspn(at + 1, " ");
}

bool kit_json_number(const char *line, const char *key, int64_t *ret_value)
{
    const char *at = member(line, key);
    char *end = NULL;
    long long value = at != NULL ? strtoll(at, &end, 10) : 0;
    if (at == NULL || end == at)
        return false;
    *ret_value = value;
    return true;
}

bool kit_json_text(const char *line, const char *key, char *ret_text, size_t size)
{
    const char *at = member(line, key);
    if (at == NULL || *at != '"')
        return false;
    const char *end = strchr(at + 1, '"');
    if (end == NULL || (size_t)(end - at) > size)
        return false;
    memcpy(ret_text, at + 1, (size_t)(end - at - 1));
    ret_text[end - at - 1] = '\0';
    return true;
}

static bool has_id(const char *line, const char *id)
{
    const char *at = member(line, "id");
    return at != NULL && strncmp(at, id, strlen(id)) == 0 && strchr(",} ", at[strlen(id)]) != NULL;
}

void kit_line_is_error(const char *line, int code, const char *id)
{
    int64_t value = 0;
    char detail[512];
    if (!kit_json_number(line, "code", &value) || value != code || !has_id(line, id))
        fail_msg("error %d with id %s expected: %s", code, id, line);
    /* Every error says something to people. */
    if (!kit_json_text(line, "detail", detail, sizeof detail) || detail[0] == '\0')
        fail_msg("no detail: %s", line);
}

void kit_line_is_result(const char *line, const char *id)
{
    if (strstr(line, "\"result\"") == NULL || strstr(line, "\"error\"") != NULL ||
        !has_id(line, id))
        fail_msg("a result with id %s expected: %s", id, line);
}

void kit_raw_is_error(const struct kit_raw *raw, int code, const char *id)
{
    kit_line_is_error(raw->line, code, id);
}

void kit_raw_is_result(const struct kit_raw *raw, const char *id)
{
    kit_line_is_result(raw->line, id);
}

uint64_t kit_raw_hello(struct kit_raw *raw, bool set)
{
    int64_t proof = 0;
    kit_raw_ask(raw, "%s", KIT_HELLO);
    kit_raw_is_result(raw, "1");
    assert_true(kit_json_number(raw->line, "proof", &proof));
    if (set)
        assert_true(SetEvent((HANDLE)(uintptr_t)proof));
    return (uint64_t)proof;
}

struct kit_raw *kit_raw_proven(void)
{
    struct kit_raw *raw = kit_raw_new();
    kit_raw_hello(raw, true);
    kit_raw_ask(raw, "%s", KIT_PROVE);
    kit_raw_is_result(raw, "2");
    return raw;
}
