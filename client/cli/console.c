/* What only a console gets: colour, tables that fit, and a line that shows that something goes on. */
#include "hbctl.h"

#include <io.h>
#include <string.h>

/* Newer than some headers. */
#ifndef ENABLE_VIRTUAL_TERMINAL_PROCESSING
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 0x0004
#endif

enum { LINE_BYTES = 256, PERIOD_MS = 1000 };

static HANDLE handle_of(FILE *file)
{
    return (HANDLE)_get_osfhandle(_fileno(file));
}

size_t console_width(FILE *file)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!GetConsoleScreenBufferInfo(handle_of(file), &info) ||
        info.srWindow.Right <= info.srWindow.Left)
        return 0;
    return (size_t)(info.srWindow.Right - info.srWindow.Left) + 1;
}

/* ---- colour ---- */

/* A stream that was looked at: both may go to the same console, or one of them elsewhere. */
struct stream {
    bool known, colour;
    DWORD mode; /* as it was before */
};

static struct stream streams[2];
static FILE *coloured[2]; /* those that take it, in the order in which they were asked */
static size_t coloured_count;

static struct stream *stream_of(const FILE *file)
{
    return &streams[file == stderr];
}

/* NO_COLOR, if there is anything in it, is how users say so to every program. */
static bool unwanted(void)
{
    wchar_t value[2];
    DWORD size = GetEnvironmentVariableW(L"NO_COLOR", value, 2);
    return size > 0;
}

static bool has_colour(FILE *file)
{
    struct stream *stream = stream_of(file);
    const DWORD needed = ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING;

    if (!stream->known) {
        stream->known = true;
        stream->colour = GetConsoleMode(handle_of(file), &stream->mode) && !unwanted() &&
                         SetConsoleMode(handle_of(file), stream->mode | needed);
        if (stream->colour)
            coloured[coloured_count++] = file;
    }
    return stream->colour;
}

void style_on(FILE *file, enum style style)
{
    static const char *const codes[] = {
        [STYLE_HEADING] = "\x1b[1m",
        [STYLE_GOOD] = "\x1b[32m",
        [STYLE_BAD] = "\x1b[31m",
    };
    if (has_colour(file))
        fputs(codes[style], file);
}

void style_off(FILE *file)
{
    if (has_colour(file))
        fputs("\x1b[0m", file);
}

void console_end(void)
{
    fflush(stdout);
    /* Of the same console the first one knows how it was before both. */
    while (coloured_count > 0) {
        FILE *file = coloured[--coloured_count];
        SetConsoleMode(handle_of(file), stream_of(file)->mode);
    }
}

/* ---- the line that shows that something goes on ---- */

static struct {
    bool running;
    HANDLE timer;
    ULONGLONG since;
    size_t width; /* that is shown now */
    char what[LINE_BYTES / 2];
    volatile LONG done, total; /* total 0: it cannot be counted */
} progress;

/* Replaces the line by @text, padded over what stood there. */
static void show(const char *text)
{
    size_t width = strlen(text);

    fprintf(stderr, "\r%s%*s", text, (int)(progress.width > width ? progress.width - width : 0),
            "");
    if (width == 0)
        fputc('\r', stderr);
    fflush(stderr);
    progress.width = width;
}

/* On a thread of Windows' own; nobody else prints meanwhile. */
static VOID CALLBACK tick(PVOID context, BOOLEAN fired)
{
    char text[LINE_BYTES], count[64] = "";
    unsigned long seconds = (unsigned long)((GetTickCount64() - progress.since) / 1000);
    size_t columns = console_width(stderr);
    LONG total = progress.total;

    (void)context;
    (void)fired;
    if (total > 0)
        snprintf(count, sizeof count, " %ld of %ld,", progress.done, total);
    snprintf(text, sizeof text, "%s,%s %lu s", progress.what, count, seconds);
    /* One column stays free, or the console would begin a new line by itself. */
    if (columns > 0 && strlen(text) >= columns)
        text[columns - 1] = '\0';
    show(text);
}

void progress_begin(const struct globals *globals, const char *what, const char *name)
{
    progress_end();
    if (globals->json || console_width(stderr) == 0)
        return;
    snprintf(progress.what, sizeof progress.what, "%s%s%s", what, name != NULL ? " " : "",
             name != NULL ? name : "");
    progress.since = GetTickCount64();
    progress.width = 0;
    progress.done = progress.total = 0;
    progress.running = CreateTimerQueueTimer(&progress.timer, NULL, tick, NULL, PERIOD_MS,
                                             PERIOD_MS, WT_EXECUTEDEFAULT) != 0;
}

void progress_count(uint32_t done, uint32_t total)
{
    InterlockedExchange(&progress.done, (LONG)done);
    InterlockedExchange(&progress.total, (LONG)total);
}

void progress_end(void)
{
    if (!progress.running)
        return;
    progress.running = false;
    /* And wait for a tick that is under way. */
    DeleteTimerQueueTimer(NULL, progress.timer, INVALID_HANDLE_VALUE);
    if (progress.width > 0)
        show("");
}
