/* Threads for what may block: the last close of a file or a section can wait for a driver, and for as long as that
 * likes; so can Winsock, that asks one about a handle. They are our own, because libuv's four are shared by all that
 * uses them. What is done for one user is done one after the other, so that a user whose closes are stuck holds one
 * thread and delays nobody else. Its looks at handle tables are done beside its closes, one after the other too: so they
 * hold up none of its hand-offs. */
#include "parts.h"

#include <process.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Finished closes wait for the broker's thread to turn by itself, but no more than these. */
    DONE_WAKE = 32,
    END_MS_MAX = 1000,
};

struct job {
    struct job *next;
    struct hbk_closer *closer;
    HANDLE handle;
    uint64_t ticket;
    bool is_call; /* it is the first member of one; else close `handle` */
};

/* One user's closes and calls, or looks. References are counted on the broker's thread alone. */
struct hbk_closer {
    struct hbk_closer *next; /* in workers->closers */
    uint32_t references;     /* parties, whoever the core says, and jobs not collected yet */
    char user[HBK_SID_BYTES_MAX + 1];
    bool looks;
    /* under the lock */
    struct job *first, **end;
    struct hbk_closer *next_ready;
    bool running; /* a worker is in one of its jobs */
};

struct call {
    struct job job; /* first */
    struct hbk_worker_call what;
    /* Of a call that is nobody's: a closer of its own, so that it waits for no other job. */
    struct hbk_closer closer;
};

struct hbk_workers {
    struct hbk_win *win;
    volatile LONG
        done_pending; /* nonzero: `done` is not empty; spares the broker's thread the lock */

    /* The broker's thread alone. A job for each reserved handle exists before it is needed. */
    struct hbk_closer *closers;
    struct job *spare;
    size_t jobs, reserved;

    SRWLOCK lock; /* guards what follows */
    CONDITION_VARIABLE work, ended;
    bool ending, hurry;
    uint32_t threads, idle;                /* threads: that have not ended */
    struct hbk_closer *ready, **ready_end; /* have a job, and none running */
    uint32_t ready_count;
    struct job *done;
    uint32_t done_count;
};

/* ---- under the lock ---- */

static void make_ready(struct hbk_workers *workers, struct hbk_closer *closer)
{
    closer->next_ready = NULL;
    *workers->ready_end = closer;
    workers->ready_end = &closer->next_ready;
    workers->ready_count++;
}

static struct hbk_closer *take_ready(struct hbk_workers *workers)
{
    struct hbk_closer *closer = workers->ready;

    workers->ready = closer->next_ready;
    if (workers->ready == NULL) {
        workers->ready_end = &workers->ready;
    }
    workers->ready_count--;
    return closer;
}

static void run_job(struct hbk_workers *workers)
{
    struct hbk_closer *closer = take_ready(workers);
    struct job *job = closer->first;
    const struct hbk_worker_call *call = job->is_call ? &((struct call *)job)->what : NULL;

    closer->first = job->next;
    if (closer->first == NULL) {
        closer->end = &closer->first;
    }
    closer->running = true;
    ReleaseSRWLockExclusive(&workers->lock);
    if (call != NULL) {
        call->run(call->argument);
    } else {
        CloseHandle(job->handle);
    }
    AcquireSRWLockExclusive(&workers->lock);
    closer->running = false;
    if (closer->first != NULL) {
        make_ready(workers, closer);
    }
    job->next = workers->done;
    workers->done = job;
    workers->done_count++;
    InterlockedExchange(&workers->done_pending, 1);
    if (workers->hurry ||
        ((call != NULL || workers->done_count == DONE_WAKE) && !workers->ending)) {
        hbk_win_wake(workers->win);
    }
}

static unsigned __stdcall worker_thread(void *context)
{
    struct hbk_workers *workers = context;

    AcquireSRWLockExclusive(&workers->lock);
    for (;;) {
        if (workers->ready != NULL) {
            run_job(workers);
            continue;
        }
        if (workers->ending) {
            break;
        }
        workers->idle++;
        SleepConditionVariableSRW(&workers->work, &workers->lock, INFINITE, 0);
        workers->idle--;
    }
    workers->threads--;
    WakeConditionVariable(&workers->ended);
    ReleaseSRWLockExclusive(&workers->lock);
    return 0;
}

/* One more worker, if there may be one and Windows gives it. */
static void hire(struct hbk_workers *workers)
{
    if (workers->threads == HBK_WORKERS_MAX) {
        return;
    }
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, worker_thread, workers, 0, NULL);
    if (thread != NULL) {
        /* How many there are is counted; what the broker holds must not depend on how busy it once was. */
        CloseHandle(thread);
        workers->threads++;
    }
}

/* ---- on the broker's thread ---- */

struct hbk_workers *hbk_workers_new(struct hbk_win *win)
{
    struct hbk_workers *workers = calloc(1, sizeof(*workers));
    if (workers == NULL) {
        return NULL;
    }
    workers->win = win;
    workers->ready_end = &workers->ready;
    InitializeSRWLock(&workers->lock);
    InitializeConditionVariable(&workers->work);
    InitializeConditionVariable(&workers->ended);
    return workers;
}

static struct hbk_closer *find_closer(struct hbk_workers *workers, const char *user, bool looks)
{
    struct hbk_closer *closer = workers->closers;

    while (closer != NULL && (closer->looks != looks || strcmp(closer->user, user) != 0)) {
        closer = closer->next;
    }
    if (closer == NULL) {
        closer = calloc(1, sizeof(*closer));
        if (closer == NULL) {
            return NULL;
        }
        HBK_ASSERT(strlen(user) < sizeof(closer->user));
        memcpy(closer->user, user, strlen(user) + 1);
        closer->looks = looks;
        closer->end = &closer->first;
        closer->next = workers->closers;
        workers->closers = closer;
    }
    closer->references++;
    return closer;
}

struct hbk_closer *hbk_workers_closer(struct hbk_workers *workers, const char *user)
{
    return find_closer(workers, user, false);
}

struct hbk_closer *hbk_workers_looker(struct hbk_workers *workers, const struct hbk_closer *closer)
{
    return find_closer(workers, closer->user, true);
}

struct hbk_closer *hbk_workers_closer_ref(struct hbk_closer *closer)
{
    HBK_ASSERT(closer->references > 0 && closer->references < UINT32_MAX);
    closer->references++;
    return closer;
}

void hbk_workers_closer_release(struct hbk_workers *workers, struct hbk_closer *closer)
{
    struct hbk_closer **place = &workers->closers;

    if (closer == NULL) {
        return;
    }
    HBK_ASSERT(closer->references > 0);
    closer->references--;
    if (closer->references > 0) {
        return;
    }
    while (*place != closer) {
        place = &(*place)->next;
    }
    *place = closer->next;
    free(closer);
}

int hbk_workers_reserve(struct hbk_workers *workers)
{
    if (workers->jobs == workers->reserved) {
        struct job *job = malloc(sizeof(*job));
        if (job == NULL) {
            return -1;
        }
        job->next = workers->spare;
        workers->spare = job;
        workers->jobs++;
    }
    workers->reserved++;
    return 0;
}

void hbk_workers_unreserve(struct hbk_workers *workers)
{
    HBK_ASSERT(workers->reserved > 0);
    workers->reserved--;
}

static void add_job(struct hbk_workers *workers, struct job *job)
{
    struct hbk_closer *closer = job->closer;

    AcquireSRWLockExclusive(&workers->lock);
    bool first = closer->first == NULL && !closer->running;
    *closer->end = job;
    closer->end = &job->next;
    if (first) {
        make_ready(workers, closer);
        if (workers->ready_count > workers->idle) {
            hire(workers);
        }
        if (workers->threads == 0) {
            /* Windows gives no thread at all: then this one has to wait for the close. */
            run_job(workers);
        }
    }
    ReleaseSRWLockExclusive(&workers->lock);
    if (first) {
        WakeConditionVariable(&workers->work);
    }
}

void hbk_workers_close(struct hbk_workers *workers, struct hbk_closer *closer, HANDLE handle,
                       uint64_t ticket)
{
    struct job *job = workers->spare;

    HBK_ASSERT(job != NULL);
    workers->spare = job->next;
    *job = (struct job){.closer = closer, .handle = handle, .ticket = ticket};
    closer->references++;
    add_job(workers, job);
}

void hbk_workers_close_unasked(struct hbk_workers *workers, struct hbk_closer *closer,
                               HANDLE handle)
{
    if (hbk_workers_reserve(workers) != 0) {
        CloseHandle(handle);
    } else {
        hbk_workers_close(workers, closer, handle, HBK_WORKERS_NO_TICKET);
    }
}

int hbk_workers_call(struct hbk_workers *workers, struct hbk_closer *closer,
                     const struct hbk_worker_call *what)
{
    struct call *call = calloc(1, sizeof(*call));
    if (call == NULL) {
        return -1;
    }
    call->what = *what;
    call->closer.end = &call->closer.first;
    call->job = (struct job){
        .is_call = true, .closer = closer != NULL ? hbk_workers_closer_ref(closer) : &call->closer};
    add_job(workers, &call->job);
    return 0;
}

/* Consumes @call, which has returned. */
static void call_ended(struct hbk_workers *workers, struct hbk_core *core, struct call *call)
{
    struct hbk_worker_call what = call->what;

    if (call->job.closer != &call->closer) {
        hbk_workers_closer_release(workers, call->job.closer);
    }
    free(call);
    if (what.ended != NULL) {
        what.ended(core, what.argument, what.ticket);
    }
}

bool hbk_workers_collect(struct hbk_workers *workers, struct hbk_core *core)
{
    struct job *done;

    if (workers->done_pending == 0) {
        return false;
    }
    AcquireSRWLockExclusive(&workers->lock);
    done = workers->done;
    workers->done = NULL;
    workers->done_count = 0;
    InterlockedExchange(&workers->done_pending, 0);
    ReleaseSRWLockExclusive(&workers->lock);
    while (done != NULL) {
        struct job *job = done;
        uint64_t ticket = job->ticket;

        done = job->next;
        if (job->is_call) {
            call_ended(workers, core, (struct call *)job);
            continue;
        }
        hbk_workers_closer_release(workers, job->closer);
        job->next = workers->spare;
        workers->spare = job;
        hbk_workers_unreserve(workers);
        if (ticket != HBK_WORKERS_NO_TICKET) {
            hbk_core_unpinned(core, ticket);
        }
    }
    return true;
}

void hbk_workers_hurry(struct hbk_workers *workers)
{
    AcquireSRWLockExclusive(&workers->lock);
    workers->hurry = true;
    ReleaseSRWLockExclusive(&workers->lock);
}

static void free_jobs(struct job *job)
{
    while (job != NULL) {
        struct job *next = job->next;

        free(job);
        job = next;
    }
}

void hbk_workers_free(struct hbk_workers *workers)
{
    if (workers == NULL) {
        return;
    }
    AcquireSRWLockExclusive(&workers->lock);
    workers->hurry = false; /* nobody is there to be woken any more */
    workers->ending = true;
    WakeAllConditionVariable(&workers->work);
    uint64_t deadline = GetTickCount64() + END_MS_MAX;
    uint64_t now = GetTickCount64();
    while (workers->threads > 0 && now < deadline) {
        SleepConditionVariableSRW(&workers->ended, &workers->lock, (DWORD)(deadline - now), 0);
        now = GetTickCount64();
    }
    bool stuck = workers->threads > 0;
    ReleaseSRWLockExclusive(&workers->lock);
    if (stuck) {
        return; /* the process is about to end, and takes them along */
    }
    free_jobs(workers->spare);
    free_jobs(workers->done);
    while (workers->closers != NULL) {
        struct hbk_closer *next = workers->closers->next;

        free(workers->closers);
        workers->closers = next;
    }
    free(workers);
}
