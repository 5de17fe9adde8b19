#include "loop.h"

#include "log.h"

#include <stdlib.h>

enum {
    STOP_MARGIN_MS = 2000, /* beyond the core's own deadline: for closes that have not returned */
    GIVE_UP_MS = 2000,     /* beyond that: for a thread of ours that is stuck */
    NOTE_PAUSE_MS = 1000,  /* between two lines on the same matter */
};

struct hbk_loop {
    uv_loop_t uv;
    uv_check_t check;
    uv_idle_t idle; /* active while the core has more to do, so that polling does not sleep */
    uv_timer_t timer;
    uv_async_t stop;
    struct hbk_win *win;
    struct hbk_core *core;
    struct hbk_config config;
    uint64_t timer_ms; /* what the timer is set to; UINT64_MAX: nothing */
    uint64_t stop_due;
    uint64_t noted_ms[HBK_WIN_NOTE_COUNT];
    bool stopping;
    bool closing; /* the loop runs only to let its handles end */
    hbk_loop_give_up give_up;
    PTP_TIMER watchdog;
    SRWLOCK stop_lock;
    bool stop_open; /* under stop_lock: `stop` may be sent */
    bool watched;   /* under stop_lock: the watchdog runs */
    bool stuck;
};

uint32_t hbk_loop_stop_ms(const struct hbk_config *config)
{
    return config->stop_ms + STOP_MARGIN_MS;
}

static void log_note(struct hbk_loop *loop, enum hbk_win_note_kind kind, const char *what)
{
    struct hbk_win_note note;
    uint64_t now = uv_now(&loop->uv);
    /* A client that is refused again and again must not fill the log. */
    if (loop->noted_ms[kind] != 0 && now - loop->noted_ms[kind] < NOTE_PAUSE_MS) {
        return;
    }
    if (hbk_win_take_note(loop->win, kind, &note)) {
        loop->noted_ms[kind] = now;
        hbk_log(
            "%s, %lu times since the last line on it; the last time: %s (process %lu, error %lu)",
            what, (unsigned long)note.count, note.why, (unsigned long)note.pid,
            (unsigned long)note.win32);
    }
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void on_timer(uv_timer_t *timer);

static void set_timer(struct hbk_loop *loop)
{
    uint64_t due = hbk_core_deadline_ms(loop->core);
    if (loop->stopping && loop->stop_due < due) {
        due = loop->stop_due;
    }
    if (due == loop->timer_ms) {
        return;
    }
    loop->timer_ms = due;
    if (due == UINT64_MAX) {
        uv_timer_stop(&loop->timer);
        return;
    }
    uint64_t now = uv_now(&loop->uv);
    uv_timer_start(&loop->timer, on_timer, due > now ? due - now : 0, 0);
}

static void close_handles(struct hbk_loop *loop)
{
    AcquireSRWLockExclusive(&loop->stop_lock);
    loop->stop_open = false;
    ReleaseSRWLockExclusive(&loop->stop_lock);
    loop->closing = true;
    uv_close((uv_handle_t *)&loop->check, NULL);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    uv_close((uv_handle_t *)&loop->timer, NULL);
    uv_close((uv_handle_t *)&loop->stop, NULL);
    if (loop->win != NULL) {
        hbk_win_close(loop->win);
    }
}

/* One turn: everything that has arrived was fed to the core. */
static void turn(struct hbk_loop *loop)
{
    if (loop->closing) {
        return;
    }
    hbk_win_collect(loop->win);
    if (uv_now(&loop->uv) >= hbk_core_deadline_ms(loop->core)) {
        hbk_core_tick(loop->core);
    }
    bool more = hbk_core_run(loop->core);
    if (more != (uv_is_active((uv_handle_t *)&loop->idle) != 0)) {
        if (more) {
            uv_idle_start(&loop->idle, on_idle);
        } else {
            uv_idle_stop(&loop->idle);
        }
    }
    set_timer(loop);
    log_note(loop, HBK_WIN_NOTE_REFUSED, "a client was refused");
    log_note(loop, HBK_WIN_NOTE_LISTENER, "the pipe has trouble");
    if (!loop->stopping) {
        return;
    }
    if (hbk_core_stopped(loop->core)) {
        close_handles(loop);
    } else if (uv_now(&loop->uv) >= loop->stop_due) {
        loop->stuck = true;
        uv_stop(&loop->uv);
    }
}

static void on_check(uv_check_t *check)
{
    turn(check->data);
}

/* Timers run after the check, and nothing else may follow for long. */
static void on_timer(uv_timer_t *timer)
{
    struct hbk_loop *loop = timer->data;
    loop->timer_ms = UINT64_MAX;
    turn(loop);
}

/* Answers go out before libuv asks for the next bytes, rather than after. */
static void on_ready(void *context)
{
    struct hbk_loop *loop = context;
    hbk_core_run(loop->core);
}

static void on_stop(uv_async_t *stop)
{
    struct hbk_loop *loop = stop->data;
    if (loop->stopping) {
        return;
    }
    loop->stopping = true;
    loop->stop_due = uv_now(&loop->uv) + hbk_loop_stop_ms(&loop->config);
    hbk_win_stop(loop->win);
    hbk_core_stop(loop->core);
}

static void CALLBACK on_watchdog(PTP_CALLBACK_INSTANCE instance, void *context, PTP_TIMER timer)
{
    struct hbk_loop *loop = context;
    (void)instance;
    (void)timer;
    loop->give_up();
}

/* Under stop_lock: from now on the stop has its last deadline, whatever the loop's thread is in. */
static void watch(struct hbk_loop *loop)
{
    uint64_t due = 0 - ((uint64_t)hbk_loop_stop_ms(&loop->config) + GIVE_UP_MS) * 10000;
    FILETIME relative;

    if (loop->watched) {
        return;
    }
    loop->watched = true;
    /* In steps of 100 ns; negative: from now. */
    relative.dwLowDateTime = (DWORD)due;
    relative.dwHighDateTime = (DWORD)(due >> 32);
    SetThreadpoolTimer(loop->watchdog, &relative, 0, 0);
}

static void end_watchdog(struct hbk_loop *loop)
{
    if (loop->watchdog != NULL) {
        SetThreadpoolTimer(loop->watchdog, NULL, 0, 0);
        WaitForThreadpoolTimerCallbacks(loop->watchdog, TRUE);
        CloseThreadpoolTimer(loop->watchdog);
    }
}

static int init_handles(struct hbk_loop *loop)
{
    /* Only the async handle can fail of these, and on Windows not even that. */
    if (uv_check_init(&loop->uv, &loop->check) != 0 || uv_idle_init(&loop->uv, &loop->idle) != 0 ||
        uv_timer_init(&loop->uv, &loop->timer) != 0 ||
        uv_async_init(&loop->uv, &loop->stop, on_stop) != 0 ||
        uv_check_start(&loop->check, on_check) != 0) {
        return -1;
    }
    loop->check.data = loop;
    loop->idle.data = loop;
    loop->timer.data = loop;
    loop->stop.data = loop;
    loop->timer_ms = UINT64_MAX;
    loop->stop_open = true;
    return 0;
}

int hbk_loop_new(const struct hbk_config *config, const wchar_t *pipe, bool console,
                 hbk_loop_give_up give_up, struct hbk_loop **ret_loop,
                 struct hbk_win_failure *ret_failure)
{
    struct hbk_platform platform;
    struct hbk_loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL) {
        return -1;
    }
    loop->give_up = give_up;
    loop->watchdog = CreateThreadpoolTimer(on_watchdog, loop, NULL);
    if (loop->watchdog == NULL || uv_loop_init(&loop->uv) != 0) {
        end_watchdog(loop);
        free(loop);
        return -1;
    }
    loop->config = *config;
    InitializeSRWLock(&loop->stop_lock);
    int result = init_handles(loop);
    HBK_ASSERT(result == 0);
    result = hbk_win_new(&loop->uv, on_ready, loop, &loop->win, ret_failure);
    if (result != 0) {
        goto out;
    }
    hbk_win_platform(loop->win, &platform);
    loop->core = hbk_core_new(&platform, config);
    if (loop->core == NULL) {
        result = -1;
        goto out;
    }
    result = hbk_win_listen(loop->win, loop->core, pipe, console, ret_failure);
out:
    if (result != 0) {
        close_handles(loop);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
        hbk_loop_free(loop);
        return result < 0 ? result : HBK_LOOP_E_FAILED;
    }
    *ret_loop = loop;
    return 0;
}

int hbk_loop_run(struct hbk_loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    return loop->stuck ? HBK_LOOP_E_STUCK : 0;
}

void hbk_loop_stop(struct hbk_loop *loop)
{
    AcquireSRWLockExclusive(&loop->stop_lock);
    if (loop->stop_open) {
        uv_async_send(&loop->stop);
        watch(loop);
    }
    ReleaseSRWLockExclusive(&loop->stop_lock);
}

void hbk_loop_free(struct hbk_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    HBK_ASSERT(loop->closing);
    if (loop->core != NULL) {
        hbk_core_free(loop->core);
    }
    int result = uv_loop_close(&loop->uv);
    HBK_ASSERT(result == 0);
    hbk_win_free(loop->win);
    end_watchdog(loop);
    free(loop);
}
