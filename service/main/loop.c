#include "loop.h"

#include "broker.h"
#include "operator.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum {
    GIVE_UP_MS = 2000,    /* beyond the broker's own deadline: for a thread of ours that is stuck */
    NOTE_PAUSE_MS = 1000, /* between two records on the same matter */
};

/* What is recorded of one kind of note. */
struct notes {
    struct hbk_loop *loop;
    enum hbk_win_note_kind kind;
    enum hbk_notice_kind notice;
    const char *event;
    const char *what;
    uv_timer_t pause; /* active: too soon for another record */
};

struct hbk_loop {
    uv_loop_t uv;
    uv_async_t reported; /* by the broker's threads */
    struct notes notes[HBK_WIN_NOTE_COUNT];
    struct hbk_broker *broker;
    struct hbk_operator *op;
    uint32_t stop_ms;
    bool paused;  /* as was told last */
    bool closing; /* the loop runs only to let its handles end */
    bool stuck;
    hbk_loop_give_up give_up;
    hbk_loop_paused tell_paused;
    PTP_TIMER watchdog;
    volatile LONG watched; /* the watchdog runs */
};

uint32_t hbk_loop_stop_ms(const struct hbk_config *config)
{
    return hbk_broker_stop_ms(config) + hbk_operator_stop_ms();
}

/* ---- what the broker reports ---- */

static void on_pause_over(uv_timer_t *pause);

static void log_note(struct notes *notes)
{
    struct hbk_win_note note;
    char detail[HBK_DETAIL_BYTES_MAX];
    /* A client that is refused again and again must not fill the records. */
    if (uv_is_active((uv_handle_t *)&notes->pause) ||
        !hbk_broker_take_note(notes->loop->broker, notes->kind, &note)) {
        return;
    }
    (void)snprintf(detail, sizeof(detail), "%s: %s", notes->what, note.why);
    const struct hbk_notice notice = {.kind = notes->notice,
                                      .count = note.count,
                                      .pid = note.pid,
                                      .win32 = note.win32,
                                      .user = "",
                                      .event = notes->event,
                                      .name = "",
                                      .error = "",
                                      .detail = detail};
    hbk_operator_note(notes->loop->op, &notice);
    uv_timer_start(&notes->pause, on_pause_over, NOTE_PAUSE_MS, 0);
}

static void on_pause_over(uv_timer_t *pause)
{
    log_note(pause->data);
}

static void close_handles(struct hbk_loop *loop)
{
    loop->closing = true;
    uv_close((uv_handle_t *)&loop->reported, NULL);
    for (int i = 0; i < HBK_WIN_NOTE_COUNT; i++) {
        uv_close((uv_handle_t *)&loop->notes[i].pause, NULL);
    }
}

/* The last of what the loop waits for, but for its handles' own ends. */
static void on_operator_ended(void *context, bool stuck)
{
    struct hbk_loop *loop = context;
    if (stuck) {
        loop->stuck = true;
        uv_stop(&loop->uv);
    }
}

static void on_reported(uv_async_t *reported)
{
    struct hbk_loop *loop = reported->data;

    for (int i = 0; i < HBK_WIN_NOTE_COUNT; i++) {
        log_note(&loop->notes[i]);
    }
    bool paused = hbk_broker_paused(loop->broker);
    if (paused != loop->paused) {
        loop->paused = paused;
        loop->tell_paused(paused);
    }
    enum hbk_broker_state state = hbk_broker_state(loop->broker);
    if (state != HBK_BROKER_RUNNING) {
        loop->stuck = state == HBK_BROKER_STUCK;
        hbk_broker_join(loop->broker);
        close_handles(loop);
        hbk_operator_stop(loop->op, on_operator_ended, loop);
    }
}

static void on_report(void *context)
{
    struct hbk_loop *loop = context;
    uv_async_send(&loop->reported);
}

/* ---- the stop ---- */

static void CALLBACK on_watchdog(PTP_CALLBACK_INSTANCE instance, void *context, PTP_TIMER timer)
{
    struct hbk_loop *loop = context;
    (void)instance;
    (void)timer;
    loop->give_up();
}

/* From now on the stop has its last deadline, whatever broker and loop are in. */
static void watch(struct hbk_loop *loop)
{
    uint64_t due = 0 - ((uint64_t)loop->stop_ms + GIVE_UP_MS) * 10000;
    FILETIME relative;

    if (InterlockedExchange(&loop->watched, 1) != 0) {
        return;
    }
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

void hbk_loop_stop(struct hbk_loop *loop)
{
    watch(loop);
    hbk_broker_stop(loop->broker);
}

/* ---- life ---- */

static void init_handles(struct hbk_loop *loop)
{
    static const struct {
        enum hbk_notice_kind notice;
        const char *event, *what;
    } rows[HBK_WIN_NOTE_COUNT] = {
        [HBK_WIN_NOTE_REFUSED] = {HBK_NOTICE_REFUSED, "session.refused", "a client was refused"},
        [HBK_WIN_NOTE_LISTENER] = {HBK_NOTICE_WARNING, "service.warning", "the pipe has trouble"},
        [HBK_WIN_NOTE_SOCKET] = {HBK_NOTICE_WARNING, "service.warning", "a socket is left behind"},
    };
    int result = uv_async_init(&loop->uv, &loop->reported, on_reported);
    loop->reported.data = loop;
    for (int i = 0; i < HBK_WIN_NOTE_COUNT; i++) {
        struct notes *notes = &loop->notes[i];
        notes->loop = loop;
        notes->kind = (enum hbk_win_note_kind)i;
        notes->notice = rows[i].notice;
        notes->event = rows[i].event;
        notes->what = rows[i].what;
        result |= uv_timer_init(&loop->uv, &notes->pause);
        notes->pause.data = notes;
    }
    /* Only the async handle can fail of these, and on Windows not even that. */
    HBK_ASSERT(result == 0);
}

/* The broker, and what goes with it. Return: as hbk_loop_new(). */
static int prepare(struct hbk_loop *loop, const struct hbk_loop_options *options,
                   struct hbk_win_failure *ret_failure)
{
    struct hbk_settings *settings = options->settings;
    const struct hbk_operator_options told = {
        .settings = settings,
        .config = options->config,
        .console = options->console,
        .log = options->log,
    };
    struct hbk_broker_options broker = {
        .config = &settings->config,
        .source = settings->source[0] != '\0' ? settings->source : NULL,
        .pipe = options->pipe,
        .console = options->console,
        .report = on_report,
        .context = loop,
    };
    int result = hbk_operator_new(&loop->uv, &told, &loop->op);
    if (result != 0) {
        return result;
    }
    hbk_operator_sinks(loop->op, &broker.sinks);
    result = hbk_broker_new(&broker, &settings->policy, &loop->broker, ret_failure);
    if (result == 0) {
        hbk_operator_serve(loop->op, loop->broker);
    }
    return result;
}

int hbk_loop_new(const struct hbk_loop_options *options, struct hbk_loop **ret_loop,
                 struct hbk_win_failure *ret_failure)
{
    struct hbk_loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL) {
        return -1;
    }
    loop->stop_ms = hbk_loop_stop_ms(&options->settings->config);
    loop->give_up = options->give_up;
    loop->tell_paused = options->paused;
    loop->watchdog = CreateThreadpoolTimer(on_watchdog, loop, NULL);
    if (loop->watchdog == NULL || uv_loop_init(&loop->uv) != 0) {
        end_watchdog(loop);
        free(loop);
        return -1;
    }
    init_handles(loop);
    int result = prepare(loop, options, ret_failure);
    if (result != 0) {
        close_handles(loop);
        if (loop->op != NULL) {
            hbk_operator_stop(loop->op, on_operator_ended, loop);
        }
        uv_run(&loop->uv, UV_RUN_DEFAULT);
        hbk_loop_free(loop);
        return result < 0 ? result : HBK_LOOP_E_FAILED;
    }
    *ret_loop = loop;
    return 0;
}

void hbk_loop_warn(struct hbk_loop *loop, uint32_t win32, const char *detail)
{
    hbk_operator_warn(loop->op, win32, detail);
}

void hbk_loop_reload(struct hbk_loop *loop)
{
    hbk_operator_reload(loop->op);
}

void hbk_loop_pause(struct hbk_loop *loop, bool paused)
{
    hbk_broker_pause(loop->broker, paused);
}

int hbk_loop_run(struct hbk_loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    return loop->stuck ? HBK_LOOP_E_STUCK : 0;
}

void hbk_loop_free(struct hbk_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    HBK_ASSERT(loop->closing);
    hbk_broker_free(loop->broker);
    hbk_operator_free(loop->op);
    int result = uv_loop_close(&loop->uv);
    HBK_ASSERT(result == 0);
    end_watchdog(loop);
    free(loop);
}
