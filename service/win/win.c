/* What the parts share: the loop's wake-up, and the table of operations that the core calls. */
#include "parts.h"

#include <bcrypt.h>
#include <stdlib.h>
#include <string.h>

static uint64_t now_ms(void *context)
{
    struct hbk_win *win = context;
    return uv_now(win->loop);
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

static void on_wake(uv_async_t *wake)
{
    struct hbk_win *win = wake->data;
    hbk_connection_signals(win);
    while (win->listener != NULL) {
        struct hbk_accepted *accepted = hbk_listener_take(win->listener);
        if (accepted == NULL) {
            break;
        }
        hbk_connection_adopt(win, accepted);
    }
}

int hbk_win_new(uv_loop_t *loop, hbk_win_ready ready, void *context, struct hbk_win **ret_win,
                struct hbk_win_failure *ret_failure)
{
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
    struct hbk_win *win = calloc(1, sizeof(*win));
    if (win == NULL) {
        return -1;
    }
    win->loop = loop;
    win->ready = ready;
    win->ready_context = context;
    InitializeSRWLock(&win->lock);
    InitializeSRWLock(&win->notes.lock);
    win->signalled_end = &win->signalled;
    win->workers = hbk_workers_new(&win->wake);
    if (win->workers == NULL || uv_async_init(loop, &win->wake, on_wake) != 0) {
        hbk_workers_free(win->workers);
        free(win);
        return -1;
    }
    win->wake.data = win;
    *ret_win = win;
    return 0;
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
        .write = hbk_connection_write,
        .read_pause = hbk_connection_read_pause,
        .close = hbk_connection_close,
        .release = hbk_connection_release,
        .proof_open = hbk_handles_proof_open,
        .proof_is_set = hbk_handles_proof_is_set,
        .proof_close = hbk_handles_proof_close,
        .pin = hbk_handles_pin,
        .inspect = hbk_handles_inspect,
        .place = hbk_handles_place,
        .unplace = hbk_handles_unplace,
        .unpin = hbk_handles_unpin,
    };
}

int hbk_win_listen(struct hbk_win *win, struct hbk_core *core, const wchar_t *pipe, bool console,
                   struct hbk_win_failure *ret_failure)
{
    HBK_ASSERT(win->listener == NULL && core != NULL);
    win->core = core;
    return hbk_listener_new(pipe, console, &win->wake, &win->notes, &win->listener, ret_failure);
}

void hbk_win_collect(struct hbk_win *win)
{
    hbk_workers_collect(win->workers, win->core);
}

void hbk_win_stop(struct hbk_win *win)
{
    hbk_listener_free(win->listener);
    win->listener = NULL;
    hbk_workers_hurry(win->workers);
}

void hbk_win_close(struct hbk_win *win)
{
    HBK_ASSERT(win->listener == NULL);
    hbk_workers_free(win->workers);
    win->workers = NULL;
    uv_close((uv_handle_t *)&win->wake, NULL);
}

void hbk_win_free(struct hbk_win *win)
{
    free(win);
}

bool hbk_win_take_note(struct hbk_win *win, enum hbk_win_note_kind kind,
                       struct hbk_win_note *ret_note)
{
    return hbk_notes_take(&win->notes, kind, ret_note);
}
