/* One accepted pipe with the process at its other end. Reads are started by reads.c, one at a time, and only when the
 * core has acted on all that the one before has brought: who sends more than its share waits at the pipe.
 * Writing is done at once, as a small line then costs one call; a write that pends has an event of its
 * own, which a thread of the system's pool waits for. */
#include "parts.h"

#include <stdlib.h>
#include <string.h>

enum signal {
    SIGNAL_WRITTEN = 1,
    SIGNAL_EXITED = 2,
};

/* ---- signals: from wait threads to the broker's thread ---- */

static void post(struct hbk_connection *connection, enum signal signal)
{
    struct hbk_win *win = connection->party.win;
    AcquireSRWLockExclusive(&win->lock);
    bool heard = signal != SIGNAL_EXITED || !connection->deaf;
    if (heard && connection->signals == 0) {
        connection->next_signalled = NULL;
        *win->signalled_end = connection;
        win->signalled_end = &connection->next_signalled;
    }
    if (heard) {
        connection->signals |= (unsigned)signal;
    }
    ReleaseSRWLockExclusive(&win->lock);
    if (heard) {
        hbk_win_wake(win);
    }
}

static struct hbk_connection *take_signalled(struct hbk_win *win, unsigned *ret_signals)
{
    AcquireSRWLockExclusive(&win->lock);
    struct hbk_connection *connection = win->signalled;
    if (connection != NULL) {
        win->signalled = connection->next_signalled;
        if (win->signalled == NULL) {
            win->signalled_end = &win->signalled;
        }
        *ret_signals = connection->signals;
        connection->signals = 0;
    }
    ReleaseSRWLockExclusive(&win->lock);
    return connection;
}

/* From now on the end of its process is no signal; one that nobody has seen yet is taken back. */
static void deafen(struct hbk_connection *connection)
{
    struct hbk_win *win = connection->party.win;
    AcquireSRWLockExclusive(&win->lock);
    bool listed = connection->signals != 0;
    connection->deaf = true;
    connection->signals &= ~(unsigned)SIGNAL_EXITED;
    if (listed && connection->signals == 0) {
        struct hbk_connection **link = &win->signalled;
        while (*link != connection) {
            link = &(*link)->next_signalled;
        }
        *link = connection->next_signalled;
        if (*link == NULL) {
            win->signalled_end = link;
        }
    }
    ReleaseSRWLockExclusive(&win->lock);
}

static void CALLBACK on_write_event(PTP_CALLBACK_INSTANCE instance, void *context, PTP_WAIT wait,
                                    TP_WAIT_RESULT result)
{
    (void)instance;
    (void)wait;
    (void)result;
    post(context, SIGNAL_WRITTEN);
}

static void process_ended(void *context)
{
    post(context, SIGNAL_EXITED);
}

/* Waits for a callback that runs, which never takes long: it only posts. */
static void end_wait(PTP_WAIT *wait)
{
    if (*wait != NULL) {
        SetThreadpoolWait(*wait, NULL, NULL);
        WaitForThreadpoolWaitCallbacks(*wait, TRUE);
        CloseThreadpoolWait(*wait);
        *wait = NULL;
    }
}

/* ---- life ---- */

struct hbk_connection *hbk_connection_new(struct hbk_win *win, HANDLE pipe)
{
    struct hbk_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        CloseHandle(pipe);
        return NULL;
    }
    connection->party.win = win;
    connection->handle = pipe;
    return connection;
}

static bool resize_buffer(struct hbk_connection *connection, uint32_t size)
{
    char *buffer = malloc(size);
    if (buffer == NULL) {
        return false;
    }
    free(connection->buffer);
    connection->buffer = buffer;
    connection->buffer_size = size;
    return true;
}

int hbk_connection_prepare(struct hbk_connection *connection)
{
    connection->write_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (connection->write_event == NULL || !resize_buffer(connection, HBK_READ_BYTES)) {
        return -1;
    }
    connection->party.pid = connection->peer.pid;
    connection->exit = (struct hbk_watcher){.ended = process_ended, .context = connection};
    return hbk_exits_watch(&connection->party.win->exits, connection->party.process,
                           connection->peer.pid, &connection->exit);
}

static void close_handle(HANDLE *handle)
{
    if (*handle != NULL) {
        CloseHandle(*handle);
        *handle = NULL;
    }
}

void hbk_connection_reap(struct hbk_connection *connection, unsigned remains)
{
    if ((remains & HBK_REMAINS_PIPE) != 0) {
        /* What has ended meanwhile cannot be cancelled, and that is as good. */
        CancelIoEx(connection->handle, NULL);
        close_handle(&connection->handle);
        hbk_exits_forget(&connection->party.win->exits, &connection->exit);
    }
    if ((remains & HBK_REMAINS_ALL) != 0) {
        end_wait(&connection->write_wait);
        close_handle(&connection->write_event);
        close_handle(&connection->party.process);
        close_handle(&connection->party.token);
        free(connection->buffer);
        free(connection);
    }
}

/* The kernel writes to its place and its buffer until a pending read has ended. */
static void reap_if_done(struct hbk_connection *connection)
{
    struct hbk_win *win = connection->party.win;

    if (!connection->closing || connection->reading || !connection->released) {
        return;
    }
    HBK_ASSERT(!connection->writing);
    HBK_ASSERT(connection->proof == NULL);
    hbk_reads_give_place(&win->reads, connection->place);
    HBK_ASSERT(win->connections > 0);
    win->connections--;
    hbk_reaper_take(win->reaper, connection, HBK_REMAINS_ALL);
}

void hbk_connection_close(void *context)
{
    struct hbk_connection *connection = context;
    if (connection->closing) {
        return;
    }
    connection->closing = true;
    if (connection->held) {
        connection->held = false;
        connection->reading = false;
    }
    deafen(connection);
    hbk_reaper_take(connection->party.win->reaper, connection, HBK_REMAINS_PIPE);
}

void hbk_connection_release(void *context)
{
    struct hbk_connection *connection = context;
    HBK_ASSERT(connection->closing && !connection->writing && !connection->released);
    hbk_handles_proof_close(connection);
    hbk_workers_closer_release(connection->party.win->workers, connection->party.closer);
    connection->party.closer = NULL;
    connection->released = true;
    reap_if_done(connection);
}

void hbk_connection_abandon(struct hbk_connection *connection)
{
    HBK_ASSERT(!connection->adopted && !connection->closing);
    connection->closing = true;
    deafen(connection);
    hbk_reaper_take(connection->party.win->reaper, connection, HBK_REMAINS_PIPE | HBK_REMAINS_ALL);
}

/* ---- reading ---- */

/* The first bytes have come, and with them the token of a client that connected without saying
 * how it may be impersonated. Nothing of it was believed before. */
static bool confirm(struct hbk_connection *connection)
{
    struct hbk_refusal refusal = {.why = "Windows does not say whose token the pipe has",
                                  .pid = connection->peer.pid};
    if (hbk_identity_confirm(connection->handle, &connection->peer, &refusal) != 0) {
        hbk_notes_add(&connection->party.win->notes, HBK_WIN_NOTE_REFUSED, refusal.pid,
                      refusal.win32, refusal.why);
        return false;
    }
    connection->confirmed = true;
    return true;
}

/* A read that was full is followed by a larger one, any other by one of the usual size, which may
 * stay pending for long. */
static void fit_buffer(struct hbk_connection *connection, uint32_t size)
{
    uint32_t wanted = HBK_READ_BYTES;

    if (size == connection->buffer_size) {
        wanted = size < HBK_READ_BYTES_MAX / 4 ? size * 4 : HBK_READ_BYTES_MAX;
    }
    if (wanted != connection->buffer_size) {
        /* Without memory it goes on with what it has. */
        (void)resize_buffer(connection, wanted);
    }
}

static void start_read(struct hbk_connection *connection)
{
    if (connection->read_due && !connection->closing && !connection->paused &&
        !connection->reading) {
        connection->read_due = false;
        connection->reading = true;
        hbk_reads_start(&connection->party.win->reads, connection->place, connection->handle,
                        connection->buffer, connection->buffer_size);
    }
}

/* Feeds the core with what a read has brought. `reading` is still true meanwhile, so that
 * a close by the core does not free the connection. */
static void take_in(struct hbk_connection *connection)
{
    struct hbk_win *win = connection->party.win;
    uint32_t size = 0;
    uint32_t error = hbk_reads_end(&win->reads, connection->place, connection->handle, &size);

    if (error == ERROR_OPERATION_ABORTED || (error == 0 && size == 0)) {
        /* Nobody of ours has cancelled it, or somebody has written nothing. */
        connection->read_due = true;
        return;
    }
    if (error == 0 && (connection->confirmed || confirm(connection))) {
        hbk_core_bytes(win->core, connection->session, connection->buffer, size);
        fit_buffer(connection, size);
    } else {
        hbk_core_session_closed(win->core, connection->session);
        HBK_ASSERT(connection->closing);
    }
}

void hbk_connection_read_ended(struct hbk_connection *connection)
{
    HBK_ASSERT(connection->reading && !connection->held && !connection->read_due);
    if (!connection->closing && connection->paused) {
        connection->hidden = hbk_reads_hide(&connection->party.win->reads, connection->place);
        connection->held = true;
        return;
    }
    if (!connection->closing) {
        take_in(connection);
    } else {
        (void)hbk_reads_hide(&connection->party.win->reads, connection->place);
    }
    connection->reading = false;
    start_read(connection);
    reap_if_done(connection);
}

void hbk_connection_read_on(void *context)
{
    struct hbk_connection *connection = context;
    HBK_ASSERT(!connection->reading && !connection->closing);
    connection->read_due = true;
    start_read(connection);
}

void hbk_connection_read_pause(void *context, bool paused)
{
    struct hbk_connection *connection = context;
    connection->paused = paused;
    if (paused || connection->closing) {
        return;
    }
    if (connection->held) {
        connection->held = false;
        hbk_reads_show(&connection->party.win->reads, connection->place, connection->hidden);
    }
    start_read(connection);
}

/* ---- writing ---- */

/* Tells of the end of the write that pends. Where that cannot be had, it ends now, one way or the other. */
static int await_write(struct hbk_connection *connection)
{
    DWORD size = 0;

    if (connection->write_wait == NULL) {
        connection->write_wait = CreateThreadpoolWait(on_write_event, connection, NULL);
    }
    if (connection->write_wait != NULL) {
        connection->writing = true;
        SetThreadpoolWait(connection->write_wait, connection->write_event, NULL);
        return HBK_PLATFORM_PENDING;
    }
    CancelIoEx(connection->handle, &connection->write);
    return GetOverlappedResult(connection->handle, &connection->write, &size, TRUE) &&
                   size == connection->write_size
               ? 0
               : HBK_PLATFORM_FAILED;
}

int hbk_connection_write(void *context, const void *bytes, size_t size)
{
    struct hbk_connection *connection = context;

    HBK_ASSERT(!connection->closing && !connection->writing);
    HBK_ASSERT(size > 0 && size <= UINT32_MAX);
    memset(&connection->write, 0, sizeof(connection->write));
    connection->write.hEvent = connection->write_event;
    connection->write_size = (uint32_t)size;
    if (WriteFile(connection->handle, bytes, (DWORD)size, NULL, &connection->write)) {
        return connection->write.InternalHigh == size ? 0 : HBK_PLATFORM_FAILED;
    }
    if (GetLastError() != ERROR_IO_PENDING) {
        return HBK_PLATFORM_FAILED;
    }
    return await_write(connection);
}

static void write_ended(struct hbk_connection *connection)
{
    HBK_ASSERT(connection->writing);
    HBK_ASSERT(HasOverlappedIoCompleted(&connection->write));
    connection->writing = false;
    bool told =
        connection->write.Internal == 0 && connection->write.InternalHigh == connection->write_size;
    hbk_core_written(connection->party.win->core, connection->session, told);
}

bool hbk_connection_signals(struct hbk_win *win)
{
    for (uint32_t i = 0; i < HBK_READS_PER_TURN; i++) {
        unsigned signals = 0;
        struct hbk_connection *connection = take_signalled(win, &signals);
        if (connection == NULL) {
            return false;
        }
        if ((signals & SIGNAL_EXITED) != 0) {
            HBK_ASSERT(!connection->closing);
            connection->exited = true;
            if (connection->adopted) {
                hbk_core_session_closed(win->core, connection->session);
            }
        }
        /* Last, because the core may let go of the connection when its last write has ended. */
        if ((signals & SIGNAL_WRITTEN) != 0) {
            write_ended(connection);
        }
    }
    return true;
}

/* ---- becoming a session ---- */

void hbk_connection_adopt(struct hbk_connection *connection)
{
    struct hbk_win *win = connection->party.win;
    const char *why = "no room for another session";

    if (hbk_reads_take_place(&win->reads, connection, &connection->place) != 0) {
        why = "no room for another client's pipe";
        goto abandoned;
    }
    connection->party.closer = hbk_workers_closer(win->workers, connection->peer.user);
    if (connection->party.closer == NULL ||
        hbk_core_session_opened(win->core, &connection->peer, connection, &connection->session) !=
            0) {
        hbk_workers_closer_release(win->workers, connection->party.closer);
        hbk_reads_give_place(&win->reads, connection->place);
        goto abandoned;
    }
    connection->adopted = true;
    win->connections++;
    if (connection->exited) {
        hbk_core_session_closed(win->core, connection->session);
    }
    return;
abandoned:
    hbk_notes_add(&win->notes, HBK_WIN_NOTE_REFUSED, connection->peer.pid, 0, why);
    hbk_connection_abandon(connection);
}
