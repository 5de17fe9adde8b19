#include "broker.h"

#include <process.h>
#include <stdlib.h>
#include <windows.h>

enum {
    STOP_MARGIN_MS = 2000, /* beyond the core's own deadline: for closes that have not returned */
};

struct hbk_broker {
    hbk_broker_report report;
    void *context;
    HANDLE thread;

    /* The broker's thread, once it runs. */
    struct hbk_win *win;
    struct hbk_core *core;
    struct hbk_config config;
    uint64_t stop_due;
    bool stopping;

    volatile LONG state; /* enum hbk_broker_state */
    volatile LONG paused;
    volatile LONG asked; /* to stop or pause, or to look for work; spares the thread the lock */

    SRWLOCK lock; /* guards what follows */
    bool stop_asked, pause_asked;
    bool closed; /* no more work is taken */
    struct hbk_broker_work *work, **work_end;
};

uint32_t hbk_broker_stop_ms(const struct hbk_config *config)
{
    return config->stop_ms + STOP_MARGIN_MS;
}

/* ---- any thread ---- */

enum hbk_broker_state hbk_broker_state(const struct hbk_broker *broker)
{
    return (enum hbk_broker_state)broker->state;
}

static void ask(struct hbk_broker *broker)
{
    InterlockedExchange(&broker->asked, 1);
    hbk_win_wake(broker->win);
}

void hbk_broker_stop(struct hbk_broker *broker)
{
    AcquireSRWLockExclusive(&broker->lock);
    broker->stop_asked = true;
    ReleaseSRWLockExclusive(&broker->lock);
    ask(broker);
}

void hbk_broker_pause(struct hbk_broker *broker, bool paused)
{
    AcquireSRWLockExclusive(&broker->lock);
    broker->pause_asked = paused;
    ReleaseSRWLockExclusive(&broker->lock);
    ask(broker);
}

bool hbk_broker_paused(const struct hbk_broker *broker)
{
    return broker->paused != 0;
}

bool hbk_broker_post(struct hbk_broker *broker, struct hbk_broker_work *work)
{
    HBK_ASSERT(work->function != NULL);
    AcquireSRWLockExclusive(&broker->lock);
    bool taken = !broker->closed;
    if (taken) {
        work->next = NULL;
        *broker->work_end = work;
        broker->work_end = &work->next;
    }
    ReleaseSRWLockExclusive(&broker->lock);
    if (taken) {
        ask(broker);
    }
    return taken;
}

bool hbk_broker_take_note(struct hbk_broker *broker, enum hbk_win_note_kind kind,
                          struct hbk_win_note *ret_note)
{
    return hbk_win_take_note(broker->win, kind, ret_note);
}

/* ---- the broker's thread ---- */

static void do_work(struct hbk_broker *broker, struct hbk_broker_work *work)
{
    while (work != NULL) {
        struct hbk_broker_work *next = work->next;
        work->function(work->context, broker->core);
        work = next;
    }
}

/* Takes all that was posted so far. */
static struct hbk_broker_work *take_work(struct hbk_broker *broker, bool last, bool *ret_stop,
                                         bool *ret_pause)
{
    AcquireSRWLockExclusive(&broker->lock);
    struct hbk_broker_work *work = broker->work;
    broker->work = NULL;
    broker->work_end = &broker->work;
    broker->closed = last;
    *ret_stop = broker->stop_asked;
    *ret_pause = broker->pause_asked;
    ReleaseSRWLockExclusive(&broker->lock);
    return work;
}

static void look_at_asked(struct hbk_broker *broker)
{
    bool stop = false, pause = false;

    if (broker->asked == 0 || InterlockedExchange(&broker->asked, 0) == 0) {
        return;
    }
    do_work(broker, take_work(broker, false, &stop, &pause));
    if (pause != hbk_broker_paused(broker)) {
        hbk_core_pause(broker->core, pause);
        InterlockedExchange(&broker->paused, pause);
        broker->report(broker->context);
    }
    if (stop && !broker->stopping) {
        broker->stopping = true;
        broker->stop_due = hbk_win_now_ms(broker->win) + hbk_broker_stop_ms(&broker->config);
        hbk_win_stop(broker->win);
        hbk_core_stop(broker->core);
    }
}

static uint64_t next_due(const struct hbk_broker *broker)
{
    uint64_t due = hbk_core_deadline_ms(broker->core);
    return broker->stopping && broker->stop_due < due ? broker->stop_due : due;
}

static bool has_ended(const struct hbk_broker *broker)
{
    return broker->stopping && hbk_core_stopped(broker->core) && hbk_win_ended(broker->win);
}

static unsigned __stdcall broker_thread(void *context)
{
    struct hbk_broker *broker = context;
    enum hbk_broker_state state = HBK_BROKER_ENDED;
    bool more = false;
    bool stop = false, pause = false;

    while (!has_ended(broker)) {
        /* All that has arrived is fed before the core goes on with what it has. */
        hbk_win_wait(broker->win, more ? 0 : next_due(broker));
        look_at_asked(broker);
        uint64_t now = hbk_win_now_ms(broker->win);
        if (now >= hbk_core_deadline_ms(broker->core)) {
            hbk_core_tick(broker->core);
        }
        more = hbk_core_run(broker->core);
        if (broker->stopping && now >= broker->stop_due && !has_ended(broker)) {
            state = HBK_BROKER_STUCK;
            break;
        }
    }
    if (state == HBK_BROKER_ENDED) {
        do_work(broker, take_work(broker, true, &stop, &pause));
        hbk_win_close(broker->win);
    }
    InterlockedExchange(&broker->state, state);
    broker->report(broker->context);
    return 0;
}

/* ---- life ---- */

static void on_noted(void *context)
{
    struct hbk_broker *broker = context;
    broker->report(broker->context);
}

/* Makes what the thread needs, and listens. Return: as hbk_broker_new(). */
static int prepare(struct hbk_broker *broker, const struct hbk_broker_options *options,
                   struct hbk_policy **policy, struct hbk_win_failure *ret_failure)
{
    struct hbk_platform platform;
    int result = hbk_win_new(on_noted, broker, &broker->win, ret_failure);
    if (result != 0) {
        return result;
    }
    hbk_win_set_sinks(broker->win, &options->sinks);
    hbk_win_platform(broker->win, &platform);
    broker->core = hbk_core_new(&platform, &broker->config);
    if (broker->core == NULL) {
        return -1;
    }
    hbk_core_configure(broker->core, &broker->config, *policy, options->source);
    *policy = NULL;
    return hbk_win_listen(broker->win, broker->core, options->pipe, options->console, ret_failure);
}

int hbk_broker_new(const struct hbk_broker_options *options, struct hbk_policy **policy,
                   struct hbk_broker **ret_broker, struct hbk_win_failure *ret_failure)
{
    struct hbk_broker *broker = calloc(1, sizeof(*broker));
    if (broker == NULL) {
        return -1;
    }
    broker->config = *options->config;
    broker->report = options->report;
    broker->context = options->context;
    broker->work_end = &broker->work;
    InitializeSRWLock(&broker->lock);
    int result = prepare(broker, options, policy, ret_failure);
    if (result == 0) {
        broker->thread = (HANDLE)_beginthreadex(NULL, 0, broker_thread, broker, 0, NULL);
        if (broker->thread == NULL) {
            result = -1;
        }
    }
    if (result != 0) {
        if (broker->win != NULL) {
            hbk_win_stop(broker->win);
            hbk_win_close(broker->win);
        }
        broker->state = HBK_BROKER_ENDED;
        hbk_broker_free(broker);
        return result < 0 ? result : HBK_BROKER_E_FAILED;
    }
    *ret_broker = broker;
    return 0;
}

void hbk_broker_join(struct hbk_broker *broker)
{
    HBK_ASSERT(broker->state != HBK_BROKER_RUNNING);
    WaitForSingleObject(broker->thread, INFINITE);
    CloseHandle(broker->thread);
    broker->thread = NULL;
}

void hbk_broker_free(struct hbk_broker *broker)
{
    if (broker == NULL) {
        return;
    }
    HBK_ASSERT(broker->state == HBK_BROKER_ENDED && broker->thread == NULL);
    if (broker->core != NULL) {
        hbk_core_free(broker->core);
    }
    hbk_win_free(broker->win);
    free(broker);
}
