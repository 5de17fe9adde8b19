/* Threads for closes that may block: the last close of a file or a section can wait for a
 * driver, and for as long as that likes. They are our own, because libuv's four are shared by
 * all that uses them. */
#include "parts.h"

#include <process.h>
#include <stdlib.h>
#include <string.h>

enum {
    CAPACITY_MIN = 64,
    /* Finished closes wait for the loop to turn by itself, but no more than these. */
    DONE_WAKE = 32,
    END_MS_MAX = 1000,
};

struct job {
    HANDLE handle;
    uint64_t ticket;
};

struct hbk_workers {
    uv_async_t *wake;
    HANDLE thread[HBK_WORKERS_MAX];
    volatile LONG done_pending; /* nonzero: `done` is not empty; spares the loop the lock */

    SRWLOCK lock; /* guards what follows */
    CONDITION_VARIABLE work;
    bool ending;
    bool hurry;
    uint32_t threads;
    uint32_t idle;
    /* Of each reserved handle there is at most one job or one ticket, so this much room is
     * enough. */
    size_t reserved;
    size_t capacity;
    struct job *jobs; /* a ring */
    size_t jobs_first;
    size_t jobs_count;
    uint64_t *done;
    size_t done_count;
};

static void run_job(struct hbk_workers *workers)
{
    struct job job = workers->jobs[workers->jobs_first];
    workers->jobs_first = (workers->jobs_first + 1) % workers->capacity;
    workers->jobs_count--;

    ReleaseSRWLockExclusive(&workers->lock);
    CloseHandle(job.handle);
    AcquireSRWLockExclusive(&workers->lock);

    HBK_ASSERT(workers->done_count < workers->capacity);
    workers->done[workers->done_count++] = job.ticket;
    InterlockedExchange(&workers->done_pending, 1);
    if (workers->hurry || (workers->done_count == DONE_WAKE && !workers->ending)) {
        uv_async_send(workers->wake);
    }
}

static unsigned __stdcall worker_thread(void *context)
{
    struct hbk_workers *workers = context;

    AcquireSRWLockExclusive(&workers->lock);
    for (;;) {
        if (workers->jobs_count > 0) {
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
    ReleaseSRWLockExclusive(&workers->lock);
    return 0;
}

struct hbk_workers *hbk_workers_new(uv_async_t *wake)
{
    struct hbk_workers *workers = calloc(1, sizeof(*workers));
    if (workers == NULL) {
        return NULL;
    }
    workers->wake = wake;
    InitializeSRWLock(&workers->lock);
    InitializeConditionVariable(&workers->work);
    return workers;
}

/* Under the lock: room for @capacity jobs and tickets. */
static int grow(struct hbk_workers *workers, size_t capacity)
{
    struct job *jobs = malloc(capacity * sizeof(*jobs));
    uint64_t *done = malloc(capacity * sizeof(*done));
    if (jobs == NULL || done == NULL) {
        free(jobs);
        free(done);
        return -1;
    }
    for (size_t i = 0; i < workers->jobs_count; i++) {
        jobs[i] = workers->jobs[(workers->jobs_first + i) % workers->capacity];
    }
    if (workers->done_count > 0) {
        memcpy(done, workers->done, workers->done_count * sizeof(*done));
    }
    free(workers->jobs);
    free(workers->done);
    workers->jobs = jobs;
    workers->jobs_first = 0;
    workers->done = done;
    workers->capacity = capacity;
    return 0;
}

int hbk_workers_reserve(struct hbk_workers *workers)
{
    int result = 0;
    /* Only this thread changes these two, so that the common case takes no lock. */
    if (workers->reserved == workers->capacity) {
        size_t capacity = workers->capacity == 0 ? CAPACITY_MIN : workers->capacity * 2;
        AcquireSRWLockExclusive(&workers->lock);
        result = grow(workers, capacity);
        ReleaseSRWLockExclusive(&workers->lock);
    }
    if (result == 0) {
        workers->reserved++;
    }
    return result;
}

void hbk_workers_unreserve(struct hbk_workers *workers)
{
    HBK_ASSERT(workers->reserved > 0);
    workers->reserved--;
}

/* Under the lock: one more worker, if there may be one and Windows gives it. */
static void hire(struct hbk_workers *workers)
{
    if (workers->threads == HBK_WORKERS_MAX) {
        return;
    }
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, worker_thread, workers, 0, NULL);
    if (thread != NULL) {
        workers->thread[workers->threads++] = thread;
    }
}

void hbk_workers_close(struct hbk_workers *workers, HANDLE handle, uint64_t ticket)
{
    AcquireSRWLockExclusive(&workers->lock);
    HBK_ASSERT(workers->jobs_count < workers->reserved);
    size_t last = (workers->jobs_first + workers->jobs_count) % workers->capacity;
    workers->jobs[last] = (struct job){.handle = handle, .ticket = ticket};
    workers->jobs_count++;
    if (workers->jobs_count > workers->idle) {
        hire(workers);
    }
    if (workers->threads == 0) {
        /* Windows gives no thread at all: then this one has to wait for the close. */
        run_job(workers);
    }
    ReleaseSRWLockExclusive(&workers->lock);
    WakeConditionVariable(&workers->work);
}

void hbk_workers_collect(struct hbk_workers *workers, struct hbk_core *core)
{
    if (workers->done_pending == 0) {
        return;
    }
    /* One at a time, because the core may pin in here, and so make the list grow. */
    for (;;) {
        uint64_t ticket = 0;
        AcquireSRWLockExclusive(&workers->lock);
        bool found = workers->done_count > 0;
        if (found) {
            ticket = workers->done[--workers->done_count];
        } else {
            InterlockedExchange(&workers->done_pending, 0);
        }
        ReleaseSRWLockExclusive(&workers->lock);
        if (!found) {
            return;
        }
        hbk_workers_unreserve(workers);
        if (ticket != HBK_WORKERS_NO_TICKET) {
            hbk_core_unpinned(core, ticket);
        }
    }
}

void hbk_workers_hurry(struct hbk_workers *workers)
{
    AcquireSRWLockExclusive(&workers->lock);
    workers->hurry = true;
    ReleaseSRWLockExclusive(&workers->lock);
}

void hbk_workers_free(struct hbk_workers *workers)
{
    if (workers == NULL) {
        return;
    }
    AcquireSRWLockExclusive(&workers->lock);
    workers->hurry = false; /* the loop is not there any more */
    workers->ending = true;
    ReleaseSRWLockExclusive(&workers->lock);
    WakeAllConditionVariable(&workers->work);
    if (workers->threads > 0 && WaitForMultipleObjects(workers->threads, workers->thread, TRUE,
                                                       END_MS_MAX) == WAIT_TIMEOUT) {
        return; /* the process is about to end, and takes them along */
    }
    for (uint32_t i = 0; i < workers->threads; i++) {
        CloseHandle(workers->thread[i]);
    }
    free(workers->jobs);
    free(workers->done);
    free(workers);
}
