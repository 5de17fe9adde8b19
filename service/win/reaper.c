/* A thread that closes what connections leave behind. That is ten calls into the kernel a connection, none of which
 * anybody waits for: clients that come and go by the thousand cost the broker's thread next to nothing. */
#include "parts.h"

#include <process.h>
#include <stdlib.h>

enum {
    BEHIND = 256, /* so many wait: no more clients are accepted until there are fewer */
};

struct hbk_reaper {
    HANDLE thread;
    SRWLOCK lock; /* guards what follows */
    CONDITION_VARIABLE work;
    bool ending;
    uint32_t count;
    struct hbk_connection *first, **end;
};

static struct hbk_connection *take(struct hbk_reaper *reaper)
{
    struct hbk_connection *connection = reaper->first;

    reaper->first = connection->next;
    if (reaper->first == NULL) {
        reaper->end = &reaper->first;
    }
    reaper->count--;
    return connection;
}

static void add(struct hbk_reaper *reaper, struct hbk_connection *connection)
{
    connection->next = NULL;
    *reaper->end = connection;
    reaper->end = &connection->next;
    reaper->count++;
}

static unsigned __stdcall reaper_thread(void *context)
{
    struct hbk_reaper *reaper = context;

    AcquireSRWLockExclusive(&reaper->lock);
    for (;;) {
        while (reaper->first == NULL && !reaper->ending) {
            SleepConditionVariableSRW(&reaper->work, &reaper->lock, INFINITE, 0);
        }
        if (reaper->first == NULL) {
            break;
        }
        struct hbk_connection *connection = take(reaper);
        unsigned remains = connection->remains;
        connection->remains = HBK_REMAINS_NOTHING;
        ReleaseSRWLockExclusive(&reaper->lock);
        hbk_connection_reap(connection, remains);
        AcquireSRWLockExclusive(&reaper->lock);
    }
    ReleaseSRWLockExclusive(&reaper->lock);
    return 0;
}

struct hbk_reaper *hbk_reaper_new(void)
{
    struct hbk_reaper *reaper = calloc(1, sizeof(*reaper));
    if (reaper == NULL) {
        return NULL;
    }
    reaper->end = &reaper->first;
    InitializeSRWLock(&reaper->lock);
    InitializeConditionVariable(&reaper->work);
    reaper->thread = (HANDLE)_beginthreadex(NULL, 0, reaper_thread, reaper, 0, NULL);
    if (reaper->thread == NULL) {
        free(reaper);
        return NULL;
    }
    return reaper;
}

void hbk_reaper_take(struct hbk_reaper *reaper, struct hbk_connection *connection, unsigned remains)
{
    AcquireSRWLockExclusive(&reaper->lock);
    if (connection->remains == HBK_REMAINS_NOTHING) {
        add(reaper, connection);
    }
    connection->remains |= remains;
    ReleaseSRWLockExclusive(&reaper->lock);
    WakeConditionVariable(&reaper->work);
}

bool hbk_reaper_is_behind(struct hbk_reaper *reaper)
{
    AcquireSRWLockShared(&reaper->lock);
    bool behind = reaper->count >= BEHIND;
    ReleaseSRWLockShared(&reaper->lock);
    return behind;
}

void hbk_reaper_free(struct hbk_reaper *reaper)
{
    if (reaper == NULL) {
        return;
    }
    AcquireSRWLockExclusive(&reaper->lock);
    reaper->ending = true;
    ReleaseSRWLockExclusive(&reaper->lock);
    WakeConditionVariable(&reaper->work);
    WaitForSingleObject(reaper->thread, INFINITE);
    CloseHandle(reaper->thread);
    free(reaper);
}
