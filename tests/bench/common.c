#include "bench.h"

#include <stdlib.h>

void bench_fail(DWORD error, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (error != 0) {
        fprintf(stderr, "bench: process %lu: %s (Windows error %lu)\n", GetCurrentProcessId(), text,
                error);
    } else {
        fprintf(stderr, "bench: process %lu: %s\n", GetCurrentProcessId(), text);
    }
    fflush(stderr);
    exit(1);
}

void bench_check(BOOL ok, const char *what)
{
    if (!ok) {
        bench_fail(GetLastError(), "%s failed", what);
    }
}

void bench_write(HANDLE pipe, const void *bytes, size_t size)
{
    DWORD written = 0;
    bench_check(WriteFile(pipe, bytes, (DWORD)size, &written, NULL), "WriteFile");
    if (written != size) {
        bench_fail(0, "a blocking pipe took %lu of %zu bytes", written, size);
    }
}

size_t bench_read(HANDLE pipe, void *buffer, size_t message, size_t capacity)
{
    uint8_t *bytes = buffer;
    size_t have = 0;
    do {
        DWORD count = 0;
        if (!ReadFile(pipe, bytes + have, (DWORD)(capacity * message - have), &count, NULL)) {
            DWORD error = GetLastError();
            if (error == ERROR_BROKEN_PIPE && have == 0) {
                return 0;
            }
            bench_fail(error, "ReadFile failed");
        }
        have += count;
    } while (have % message != 0 || have == 0);
    return have / message;
}

void bench_wait(HANDLE handle)
{
    DWORD result = WaitForSingleObject(handle, BENCH_WAIT_MS);
    if (result != WAIT_OBJECT_0) {
        bench_fail(result == WAIT_FAILED ? GetLastError() : 0, "no signal came within %u ms",
                   BENCH_WAIT_MS);
    }
}

HANDLE bench_event(void)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    bench_check(event != NULL, "CreateEvent");
    return event;
}

void bench_fill(uint8_t bytes[BENCH_FILE_BYTES])
{
    for (size_t i = 0; i < BENCH_FILE_BYTES; i++) {
        bytes[i] = (uint8_t)(i * 7 + 1);
    }
}

void bench_check_file(HANDLE file)
{
    uint8_t bytes[BENCH_FILE_BYTES];
    const LARGE_INTEGER start = {
        0}; /* the file pointer is shared, and stands where the last one left it */
    DWORD count = 0;
    bench_check(SetFilePointerEx(file, start, NULL, FILE_BEGIN), "SetFilePointerEx");
    bench_check(ReadFile(file, bytes, sizeof bytes, &count, NULL), "ReadFile of the file given");
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != (uint8_t)(i * 7 + 1)) {
            bench_fail(0, "byte %zu of the file given is %u", i, bytes[i]);
        }
    }
    if (count != sizeof bytes) {
        bench_fail(0, "%lu bytes in the file given", count);
    }
}

void bench_mark(const char *name)
{
    wchar_t wide[64];
    swprintf(wide, sizeof wide / sizeof wide[0], L"hbk-bench-mark %hs", name);
    HANDLE none = OpenEventW(SYNCHRONIZE, FALSE, wide);
    if (none != NULL) {
        bench_fail(0, "somebody has an event of the name '%s'", name);
    }
}

int64_t bench_ticks(void)
{
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    return now.QuadPart;
}

double bench_us(int64_t ticks)
{
    static int64_t frequency;
    if (frequency == 0) {
        LARGE_INTEGER value;
        QueryPerformanceFrequency(&value);
        frequency = value.QuadPart;
    }
    return (double)ticks * 1e6 / (double)frequency;
}
