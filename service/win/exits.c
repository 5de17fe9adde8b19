/* The ends of the clients' processes. One wait a process, however many sessions it has: where the system's pool spends
 * a thread on every 63 things that are waited for, as Wine's does, a wait of each session's own is by far the
 * most that a session costs.
 *
 * Lock order: this one before win->lock, which a watcher's function may take. */
#include "parts.h"

#include <stdlib.h>

/* A process that somebody watches: its pid is nobody else's meanwhile, as a handle to it is open. */
struct hbk_watched {
    struct hbk_watched *next; /* in its bucket */
    struct hbk_exits *exits;
    HANDLE process;
    PTP_WAIT wait;
    uint32_t pid;
    bool ended;
    struct hbk_watcher *watchers;
};

static struct hbk_watched **place_of(struct hbk_exits *exits, uint32_t pid)
{
    struct hbk_watched **place = &exits->buckets[pid / 4 % HBK_EXIT_BUCKETS];

    while (*place != NULL && (*place)->pid != pid) {
        place = &(*place)->next;
    }
    return place;
}

static void CALLBACK on_exit(PTP_CALLBACK_INSTANCE instance, void *context, PTP_WAIT wait,
                             TP_WAIT_RESULT result)
{
    struct hbk_watched *watched = context;

    (void)instance;
    (void)wait;
    (void)result;
    AcquireSRWLockExclusive(&watched->exits->lock);
    watched->ended = true;
    for (struct hbk_watcher *watcher = watched->watchers; watcher != NULL;
         watcher = watcher->next) {
        watcher->ended(watcher->context);
    }
    ReleaseSRWLockExclusive(&watched->exits->lock);
}

/* Not under the lock: a callback that runs may be waiting for it. */
static void watched_free(struct hbk_watched *watched)
{
    if (watched == NULL) {
        return;
    }
    if (watched->wait != NULL) {
        SetThreadpoolWait(watched->wait, NULL, NULL);
        WaitForThreadpoolWaitCallbacks(watched->wait, TRUE);
        CloseThreadpoolWait(watched->wait);
    }
    if (watched->process != NULL) {
        CloseHandle(watched->process);
    }
    free(watched);
}

static struct hbk_watched *watched_new(struct hbk_exits *exits, HANDLE process, uint32_t pid)
{
    struct hbk_watched *watched = calloc(1, sizeof(*watched));

    if (watched == NULL) {
        return NULL;
    }
    watched->exits = exits;
    watched->pid = pid;
    watched->wait = CreateThreadpoolWait(on_exit, watched, NULL);
    /* Its own: that of the session that came first may be closed before others are. */
    if (watched->wait == NULL || !DuplicateHandle(GetCurrentProcess(), process, GetCurrentProcess(),
                                                  &watched->process, SYNCHRONIZE, FALSE, 0)) {
        watched->process = NULL;
        watched_free(watched);
        return NULL;
    }
    return watched;
}

int hbk_exits_watch(struct hbk_exits *exits, HANDLE process, uint32_t pid,
                    struct hbk_watcher *watcher)
{
    struct hbk_watched **place;
    struct hbk_watched *watched;

    HBK_ASSERT(watcher->watched == NULL && watcher->ended != NULL);
    AcquireSRWLockExclusive(&exits->lock);
    place = place_of(exits, pid);
    watched = *place;
    if (watched == NULL) {
        watched = watched_new(exits, process, pid);
        if (watched != NULL) {
            *place = watched;
            SetThreadpoolWait(watched->wait, watched->process, NULL);
        }
    }
    if (watched != NULL) {
        watcher->watched = watched;
        watcher->next = watched->watchers;
        watcher->place = &watched->watchers;
        if (watcher->next != NULL) {
            watcher->next->place = &watcher->next;
        }
        watched->watchers = watcher;
        if (watched->ended) {
            watcher->ended(watcher->context);
        }
    }
    ReleaseSRWLockExclusive(&exits->lock);
    return watched != NULL ? 0 : -1;
}

void hbk_exits_forget(struct hbk_exits *exits, struct hbk_watcher *watcher)
{
    struct hbk_watched *unwatched = NULL;

    if (watcher->watched == NULL) {
        return;
    }
    AcquireSRWLockExclusive(&exits->lock);
    *watcher->place = watcher->next;
    if (watcher->next != NULL) {
        watcher->next->place = watcher->place;
    }
    if (watcher->watched->watchers == NULL) {
        unwatched = watcher->watched;
        *place_of(exits, unwatched->pid) = unwatched->next;
    }
    ReleaseSRWLockExclusive(&exits->lock);
    watcher->watched = NULL;
    watched_free(unwatched);
}
