/* What the parts share: the clock, the wait, and the table of operations that the core calls. */
#include "parts.h"

#include <bcrypt.h>
#include <stdlib.h>
#include <string.h>

enum { MS_PER_S = 1000 };

/* One look at the clock a turn: whole turns have one time. */
static void read_clock(struct hbk_win *win)
{
    LARGE_INTEGER ticks;
    QueryPerformanceCounter(&ticks);
    uint64_t count = (uint64_t)ticks.QuadPart;
    uint64_t seconds = count / win->clock_hz;
    win->now_ms = seconds * MS_PER_S + (count % win->clock_hz) * MS_PER_S / win->clock_hz;
}

uint64_t hbk_win_now_ms(const struct hbk_win *win)
{
    return win->now_ms;
}

static uint64_t now_ms(void *context)
{
    return hbk_win_now_ms(context);
}

static uint64_t unix_ms(void *context)
{
    enum { FILETIME_PER_MS = 10000 };
    const uint64_t unix_epoch_ms = 11644473600000u; /* 1970 by a clock that began in 1601 */
    FILETIME now;

    (void)context;
    GetSystemTimeAsFileTime(&now);
    uint64_t ms = ((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) / FILETIME_PER_MS;
    /* A clock that stands before 1970 is no reason to give records a time in the far future. */
    return ms > unix_epoch_ms ? ms - unix_epoch_ms : 0;
}

static void random_bytes(void *context, void *bytes, size_t size)
{
    (void)context;
    HBK_ASSERT(size <= UINT32_MAX);
    NTSTATUS status = BCryptGenRandom(NULL, bytes, (ULONG)size, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    /* Going on with bytes that somebody may foresee is no choice. */
    HBK_ASSERT(status >= 0);
}

static bool audit_line(void *context, const void *line, size_t size)
{
    struct hbk_win *win = context;
    return win->sinks.line != NULL && win->sinks.line(win->sinks.context, line, size);
}

static void audit_notice(void *context, const struct hbk_notice *notice)
{
    struct hbk_win *win = context;
    if (win->sinks.notice != NULL) {
        win->sinks.notice(win->sinks.context, notice);
    }
}

/* ---- the wait ---- */

void hbk_win_wake(struct hbk_win *win)
{
    /* Who looks after it clears `woken` first: it was set before, so it was seen. */
    if (InterlockedExchange(&win->woken, 1) == 0) {
        SetEvent(win->wake);
    }
}

/* Return: true if there may be more. */
static bool take_in_accepted(struct hbk_win *win)
{
    for (uint32_t i = 0; win->listener != NULL && i < HBK_READS_PER_TURN; i++) {
        struct hbk_connection *connection = hbk_listener_take(win->listener);
        if (connection == NULL) {
            return false;
        }
        hbk_connection_adopt(connection);
    }
    return win->listener != NULL;
}

/* Return: false: nothing has arrived, and the reads' event may be waited for. */
static bool take_in(struct hbk_win *win)
{
    bool any = true;

    hbk_reads_look(&win->reads);
    for (uint32_t i = 0; i < HBK_READS_PER_TURN; i++) {
        struct hbk_connection *connection = hbk_reads_next(&win->reads);
        if (connection == NULL) {
            any = i > 0 || !hbk_reads_idle(&win->reads);
            break;
        }
        hbk_connection_read_ended(connection);
    }
    if (win->woken != 0 && InterlockedExchange(&win->woken, 0) != 0) {
        bool more = hbk_connection_signals(win);
        if (take_in_accepted(win) || more) {
            InterlockedExchange(&win->woken, 1); /* the next turn comes without a sleep */
        }
        any = true;
    }
    return hbk_workers_collect(win->workers, win->core) || any;
}

static DWORD time_left(const struct hbk_win *win, uint64_t due_ms)
{
    if (due_ms == UINT64_MAX) {
        return INFINITE;
    }
    uint64_t left = due_ms - win->now_ms;
    return left < INFINITE ? (DWORD)left : INFINITE - 1;
}

void hbk_win_wait(struct hbk_win *win, uint64_t due_ms)
{
    /* The one that resets itself comes first, so that a wait that both end consumes it. */
    const HANDLE events[] = {win->wake, win->reads.event};

    read_clock(win);
    if (take_in(win) || due_ms <= win->now_ms) {
        return;
    }
    HBK_ASSERT(hbk_reads_idle(&win->reads));
    DWORD result = WaitForMultipleObjects(sizeof(events) / sizeof(*events), events, FALSE,
                                          time_left(win, due_ms));
    HBK_ASSERT(result != WAIT_FAILED);
    read_clock(win);
    if (!take_in(win) && result == WAIT_OBJECT_0 + 1) {
        hbk_reads_clear(&win->reads);
    }
}

/* ---- life ---- */

int hbk_win_new(hbk_win_noted noted, void *context, struct hbk_win **ret_win,
                struct hbk_win_failure *ret_failure)
{
    LARGE_INTEGER frequency;
    uint32_t error = hbk_handles_init();
    if (error != 0) {
        *ret_failure =
            (struct hbk_win_failure){"find CompareObjectHandles in kernelbase.dll", error};
        return HBK_WIN_E_FAILED;
    }
    error = hbk_identity_init();
    if (error != 0) {
        *ret_failure = (struct hbk_win_failure){"open the system's SHA-256", error};
        return HBK_WIN_E_FAILED;
    }
    /* Here, where nobody is served yet, rather than at the first socket: it loads DLLs, and what it finds wrong with
     * the system is for the operator to hear, not for a client. */
    error = hbk_sockets_init();
    if (error != 0) {
        *ret_failure = (struct hbk_win_failure){"start Winsock 2.2", error};
        return HBK_WIN_E_FAILED;
    }
    struct hbk_win *win = calloc(1, sizeof(*win));
    if (win == NULL) {
        return -1;
    }
    win->notes.noted = noted;
    win->notes.context = context;
    InitializeSRWLock(&win->lock);
    InitializeSRWLock(&win->notes.lock);
    InitializeSRWLock(&win->exits.lock);
    win->signalled_end = &win->signalled;
    QueryPerformanceFrequency(&frequency);
    win->clock_hz = (uint64_t)frequency.QuadPart;
    read_clock(win);
    win->wake = CreateEventW(NULL, FALSE, FALSE, NULL);
    int result = hbk_reads_init(&win->reads);
    win->workers = hbk_workers_new(win);
    win->reaper = hbk_reaper_new();
    if (result != 0 || win->wake == NULL || win->workers == NULL || win->reaper == NULL) {
        hbk_win_close(win);
        hbk_win_free(win);
        return -1;
    }
    *ret_win = win;
    return 0;
}

void hbk_win_set_sinks(struct hbk_win *win, const struct hbk_win_sinks *sinks)
{
    win->sinks = *sinks;
}

void hbk_win_platform(struct hbk_win *win, struct hbk_platform *ret_platform)
{
    *ret_platform = (struct hbk_platform){
        .context = win,
        .now_ms = now_ms,
        .random = random_bytes,
        .unix_ms = unix_ms,
        .descriptor_new = hbk_access_op_descriptor_new,
        .descriptor_free = hbk_access_op_descriptor_free,
        .access_check = hbk_access_op_check,
        .may_duplicate = hbk_access_op_may_duplicate,
        .widenable = hbk_access_op_widenable,
        .audit_line = audit_line,
        .audit_notice = audit_notice,
        .write = hbk_connection_write,
        .read_pause = hbk_connection_read_pause,
        .read_on = hbk_connection_read_on,
        .close = hbk_connection_close,
        .release = hbk_connection_release,
        .proof_open = hbk_handles_proof_open,
        .proof_is_set = hbk_handles_proof_is_set,
        .proof_close = hbk_handles_proof_close,
        .process_open = hbk_party_open,
        .process_close = hbk_party_close,
        .pin = hbk_handles_pin,
        .inspect = hbk_handles_inspect,
        .place = hbk_handles_place,
        .unplace = hbk_handles_unplace,
        .closer_ref = hbk_handles_closer_ref,
        .closer_unref = hbk_handles_closer_unref,
        .unpin = hbk_handles_unpin,
        .sockets_make = hbk_sockets_make,
        .sockets_info = hbk_sockets_info,
        .sockets_undo = hbk_sockets_undo,
        .sockets_free = hbk_sockets_free,
        .look = hbk_look,
    };
}

int hbk_win_listen(struct hbk_win *win, struct hbk_core *core, const wchar_t *pipe, bool console,
                   struct hbk_win_failure *ret_failure)
{
    HBK_ASSERT(win->listener == NULL && core != NULL);
    win->core = core;
    return hbk_listener_new(win, pipe, console, &win->listener, ret_failure);
}

void hbk_win_stop(struct hbk_win *win)
{
    hbk_listener_free(win->listener);
    win->listener = NULL;
    hbk_workers_hurry(win->workers);
}

bool hbk_win_ended(const struct hbk_win *win)
{
    return win->listener == NULL && win->connections == 0;
}

void hbk_win_close(struct hbk_win *win)
{
    HBK_ASSERT(hbk_win_ended(win));
    hbk_reaper_free(win->reaper);
    win->reaper = NULL;
    hbk_workers_free(win->workers);
    win->workers = NULL;
}

void hbk_win_free(struct hbk_win *win)
{
    if (win == NULL) {
        return;
    }
    HBK_ASSERT(win->workers == NULL);
    hbk_reads_deinit(&win->reads);
    if (win->wake != NULL) {
        CloseHandle(win->wake);
    }
    free(win);
}

bool hbk_win_take_note(struct hbk_win *win, enum hbk_win_note_kind kind,
                       struct hbk_win_note *ret_note)
{
    return hbk_notes_take(&win->notes, kind, ret_note);
}
