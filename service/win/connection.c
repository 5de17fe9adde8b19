/* One accepted pipe with the process at its other end. libuv reads; writing is done with WriteFile
 * on the handle itself, because a small line then costs one call and is done at once, and because
 * its own completion must tell whether the line was handed over.
 *
 * An event with its low bit set in OVERLAPPED.hEvent keeps a write's completion off libuv's
 * port. */
#include "parts.h"

#include <io.h>
#include <stdlib.h>
#include <string.h>

enum { HIGHEST_STANDARD = 2 };

enum signal {
    SIGNAL_WRITTEN = 1,
    SIGNAL_EXITED = 2,
};

/* ---- signals: from wait threads to the loop ---- */

static void post(struct hbk_connection *connection, enum signal signal)
{
    struct hbk_win *win = connection->win;
    AcquireSRWLockExclusive(&win->lock);
    if (connection->signals == 0) {
        connection->next_signalled = NULL;
        *win->signalled_end = connection;
        win->signalled_end = &connection->next_signalled;
    }
    connection->signals |= (unsigned)signal;
    /* Within the lock, so that withdraw() means that nobody is about to do this any more. */
    uv_async_send(&win->wake);
    ReleaseSRWLockExclusive(&win->lock);
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

/* Takes back @signals that the loop has not seen yet. */
static void withdraw(struct hbk_connection *connection, unsigned signals)
{
    struct hbk_win *win = connection->win;
    AcquireSRWLockExclusive(&win->lock);
    bool listed = connection->signals != 0;
    connection->signals &= ~signals;
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

static void CALLBACK on_process_exit(PTP_CALLBACK_INSTANCE instance, void *context, PTP_WAIT wait,
                                     TP_WAIT_RESULT result)
{
    (void)instance;
    (void)wait;
    (void)result;
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

static void free_if_done(struct hbk_connection *connection)
{
    if (!connection->closed || !connection->released) {
        return;
    }
    HBK_ASSERT(!connection->writing);
    HBK_ASSERT(connection->proof == NULL);
    end_wait(&connection->exit_wait);
    end_wait(&connection->write_wait);
    withdraw(connection, SIGNAL_WRITTEN | SIGNAL_EXITED);
    if (connection->write_event != NULL) {
        CloseHandle(connection->write_event);
    }
    CloseHandle(connection->process);
    CloseHandle(connection->token);
    free(connection);
}

static void on_closed(uv_handle_t *handle)
{
    struct hbk_connection *connection = handle->data;
    connection->closed = true;
    free_if_done(connection);
}

void hbk_connection_close(void *context)
{
    struct hbk_connection *connection = context;
    if (connection->closing) {
        return;
    }
    connection->closing = true;
    if (connection->writing) {
        /* If it has ended meanwhile, there is nothing to cancel, and that is as good. */
        CancelIoEx(connection->handle, &connection->write);
    }
    end_wait(&connection->exit_wait);
    withdraw(connection, SIGNAL_EXITED);
    /* Closes the pipe at once; the callback comes when a pending read has ended. */
    uv_close((uv_handle_t *)&connection->pipe, on_closed);
    connection->handle = NULL;
}

void hbk_connection_release(void *context)
{
    struct hbk_connection *connection = context;
    HBK_ASSERT(connection->closing && !connection->writing && !connection->released);
    hbk_handles_proof_close(connection);
    hbk_workers_closer_release(connection->win->workers, connection->closer);
    connection->closer = NULL;
    connection->released = true;
    free_if_done(connection);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested_size, uv_buf_t *buf)
{
    (void)suggested_size;
    struct hbk_connection *connection = handle->data;
    *buf = uv_buf_init(connection->win->read_buffer, sizeof(connection->win->read_buffer));
}

/* The first bytes have come, and with them the token of a client that connected without saying
 * how it may be impersonated. Nothing of it was believed before. */
static bool confirm(struct hbk_connection *connection)
{
    struct hbk_refusal refusal = {.why = "Windows does not say whose token the pipe has",
                                  .pid = connection->peer.pid};
    if (hbk_identity_confirm(connection->handle, &connection->peer, &refusal) != 0) {
        hbk_notes_add(&connection->win->notes, HBK_WIN_NOTE_REFUSED, refusal.pid, refusal.win32,
                      refusal.why);
        return false;
    }
    connection->confirmed = true;
    return true;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct hbk_connection *connection = stream->data;
    struct hbk_win *win = connection->win;

    if (size == 0) {
        return;
    }
    if (size > 0 && (connection->confirmed || confirm(connection))) {
        hbk_core_bytes(win->core, connection->session, buf->base, (size_t)size);
    } else {
        uv_read_stop(stream);
        connection->reading = false;
        hbk_core_session_closed(win->core, connection->session);
    }
    win->ready(win->ready_context);
}

static int start_reading(struct hbk_connection *connection)
{
    if (connection->closing || connection->paused || connection->reading) {
        return 0;
    }
    int result = uv_read_start((uv_stream_t *)&connection->pipe, on_alloc, on_read);
    connection->reading = result == 0;
    return result;
}

void hbk_connection_read_pause(void *context, bool paused)
{
    struct hbk_connection *connection = context;
    connection->paused = paused;
    if (!connection->opened || connection->closing) {
        return;
    }
    if (!paused) {
        /* libuv refuses what is not readable, and this was. */
        int result = start_reading(connection);
        HBK_ASSERT(result == 0);
    } else if (connection->reading) {
        uv_read_stop((uv_stream_t *)&connection->pipe);
        connection->reading = false;
    }
}

/* ---- writing ---- */

int hbk_connection_write(void *context, const void *bytes, size_t size)
{
    struct hbk_connection *connection = context;

    HBK_ASSERT(!connection->closing && !connection->writing);
    HBK_ASSERT(size > 0 && size <= UINT32_MAX);
    memset(&connection->write, 0, sizeof(connection->write));
    connection->write.hEvent = (HANDLE)((uintptr_t)connection->write_event | 1);
    connection->write_size = (uint32_t)size;
    if (WriteFile(connection->handle, bytes, (DWORD)size, NULL, &connection->write)) {
        return connection->write.InternalHigh == size ? 0 : HBK_PLATFORM_FAILED;
    }
    if (GetLastError() != ERROR_IO_PENDING) {
        return HBK_PLATFORM_FAILED;
    }
    connection->writing = true;
    SetThreadpoolWait(connection->write_wait, connection->write_event, NULL);
    return HBK_PLATFORM_PENDING;
}

static void write_ended(struct hbk_connection *connection)
{
    HBK_ASSERT(connection->writing);
    HBK_ASSERT(HasOverlappedIoCompleted(&connection->write));
    connection->writing = false;
    bool told =
        connection->write.Internal == 0 && connection->write.InternalHigh == connection->write_size;
    hbk_core_written(connection->win->core, connection->session, told);
}

void hbk_connection_signals(struct hbk_win *win)
{
    struct hbk_connection *connection;
    unsigned signals;
    while ((connection = take_signalled(win, &signals)) != NULL) {
        if ((signals & SIGNAL_EXITED) != 0 && !connection->closing) {
            hbk_core_session_closed(win->core, connection->session);
        }
        /* Last, because the core may let go of the connection when its last write has ended. */
        if ((signals & SIGNAL_WRITTEN) != 0) {
            write_ended(connection);
        }
    }
}

/* ---- becoming a session ---- */

/* Gives the pipe to libuv. Return: false if that failed; then the pipe is closed or belongs to
 * libuv's handle, which hbk_connection_close() closes. */
static bool open_pipe(struct hbk_connection *connection, HANDLE handle)
{
    /* libuv takes no handles here, only C descriptors; it closes this one with the pipe. */
    int descriptor = uv_open_osfhandle(handle);
    if (descriptor < 0) {
        CloseHandle(handle);
        return false;
    }
    bool opened = uv_pipe_open(&connection->pipe, descriptor) == 0;
    if (!opened || descriptor <= HIGHEST_STANDARD) {
        /* Of a standard descriptor, which a process that has none may be given here, libuv takes a
         * duplicate, and leaves the descriptor alone. */
        _close(descriptor);
    }
    uv_os_fd_t own = NULL;
    if (!opened || uv_fileno((uv_handle_t *)&connection->pipe, &own) != 0) {
        return false;
    }
    connection->handle = own;
    return true;
}

static bool prepare(struct hbk_connection *connection)
{
    connection->write_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    connection->write_wait = CreateThreadpoolWait(on_write_event, connection, NULL);
    connection->exit_wait = CreateThreadpoolWait(on_process_exit, connection, NULL);
    connection->closer = hbk_workers_closer(connection->win->workers, connection->peer.user);
    return connection->write_event != NULL && connection->write_wait != NULL &&
           connection->exit_wait != NULL && connection->closer != NULL;
}

/* A connection that the core never took. */
static void abandon(struct hbk_connection *connection)
{
    hbk_connection_close(connection);
    hbk_connection_release(connection);
}

void hbk_connection_adopt(struct hbk_win *win, struct hbk_accepted *accepted)
{
    uint32_t pid = accepted->peer.pid;
    struct hbk_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL || uv_pipe_init(win->loop, &connection->pipe, 0) != 0) {
        hbk_notes_add(&win->notes, HBK_WIN_NOTE_REFUSED, pid, ERROR_NOT_ENOUGH_MEMORY,
                      "no memory for another client");
        free(connection);
        hbk_accepted_free(accepted);
        return;
    }
    connection->win = win;
    connection->pipe.data = connection;
    connection->peer = accepted->peer;
    connection->process = accepted->process;
    connection->token = accepted->token;
    connection->confirmed = accepted->confirmed;
    HANDLE pipe = accepted->pipe;
    accepted->process = NULL;
    accepted->token = NULL;
    accepted->pipe = NULL;
    hbk_accepted_free(accepted);

    /* Nothing frees it in here: libuv reports the end of a pipe in a later turn only. */
    if (!open_pipe(connection, pipe) || !prepare(connection)) {
        hbk_notes_add(&win->notes, HBK_WIN_NOTE_REFUSED, pid, 0,
                      "no room for another client's pipe and events");
        abandon(connection);
    } else if (hbk_core_session_opened(win->core, &connection->peer, connection,
                                       &connection->session) != 0) {
        hbk_notes_add(&win->notes, HBK_WIN_NOTE_REFUSED, pid, 0, "no room for another session");
        abandon(connection);
    } else {
        connection->opened = true;
        if (start_reading(connection) != 0) {
            hbk_core_session_closed(win->core, connection->session);
        } else if (!connection->closing) {
            SetThreadpoolWait(connection->exit_wait, connection->process, NULL);
        }
    }
}
