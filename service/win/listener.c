/* A thread that owns the pipe's name. It keeps HBK_PIPE_INSTANCES_WAITING instances waiting for
 * clients, finds out who connected, and hands them to the broker's thread with that known. */
#include "parts.h"

#include <process.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum {
    SLOTS = HBK_PIPE_INSTANCES_WAITING,
    RETRY_MS_MIN = 10,
    RETRY_MS_MAX = 1000,
    ACCEPTED_MAX = 64, /* handed over and not taken: then connecting clients wait their turn */
    PATIENCE_MS = 10,
};

/* One instance that waits for a client. */
struct slot {
    HANDLE pipe; /* NULL: could not be made yet */
    HANDLE event;
    OVERLAPPED connect;
    bool at_once; /* the connect did not pend; `error` is how it ended */
    uint32_t error;
};

struct hbk_listener {
    struct hbk_win *win;
    wchar_t *name;
    PSECURITY_DESCRIPTOR descriptor;
    HANDLE stop;
    HANDLE thread;
    struct slot slot[SLOTS]; /* the thread's own, once it runs */
    uint32_t retry_ms;       /* how long to be patient this time; 0: every slot has its instance */
    uint64_t retry_at;

    SRWLOCK lock; /* guards what follows */
    CONDITION_VARIABLE room;
    bool stopping;
    uint32_t accepted_count;
    struct hbk_connection *accepted;
    struct hbk_connection **accepted_end;
};

static uint32_t create_instance(struct hbk_listener *listener, bool first, HANDLE *ret_pipe)
{
    SECURITY_ATTRIBUTES attributes = {
        .nLength = sizeof(attributes),
        .lpSecurityDescriptor = listener->descriptor,
        .bInheritHandle = FALSE,
    };
    DWORD open_mode = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED;
    if (first) {
        open_mode |= FILE_FLAG_FIRST_PIPE_INSTANCE;
    }
    /* Bytes in both directions, and overlapped calls that pend, are the zeroes of this mode. */
    DWORD pipe_mode = PIPE_REJECT_REMOTE_CLIENTS;
    HANDLE pipe = CreateNamedPipeW(listener->name, open_mode, pipe_mode, PIPE_UNLIMITED_INSTANCES,
                                   HBK_PIPE_BUFFER_BYTES, HBK_PIPE_BUFFER_BYTES, 0, &attributes);
    if (pipe == INVALID_HANDLE_VALUE) {
        return GetLastError();
    }
    *ret_pipe = pipe;
    return 0;
}

/* Starts to wait for a client. However it goes, slot_ended() says so and slot_result() says how. */
static void slot_connect(struct slot *slot)
{
    HBK_ASSERT(slot->pipe != NULL);
    memset(&slot->connect, 0, sizeof(slot->connect));
    slot->connect.hEvent = slot->event;
    slot->at_once = false;
    slot->error = 0;
    if (ConnectNamedPipe(slot->pipe, &slot->connect)) {
        slot->at_once = true;
    } else {
        uint32_t error = GetLastError();
        slot->at_once = error != ERROR_IO_PENDING;
        slot->error = error == ERROR_PIPE_CONNECTED ? 0 : error;
    }
    if (slot->at_once) {
        SetEvent(slot->event);
    }
}

static bool slot_ended(const struct slot *slot)
{
    return slot->pipe != NULL && (slot->at_once || HasOverlappedIoCompleted(&slot->connect));
}

static uint32_t slot_result(struct slot *slot)
{
    DWORD ignored;
    if (slot->at_once) {
        return slot->error;
    }
    return GetOverlappedResult(slot->pipe, &slot->connect, &ignored, FALSE) ? 0 : GetLastError();
}

static void slot_drop(struct slot *slot)
{
    DWORD ignored;
    if (slot->pipe == NULL) {
        return;
    }
    if (!slot_ended(slot)) {
        /* The kernel writes to `connect` until it has ended. */
        CancelIoEx(slot->pipe, &slot->connect);
        GetOverlappedResult(slot->pipe, &slot->connect, &ignored, TRUE);
    }
    CloseHandle(slot->pipe);
    slot->pipe = NULL;
}

/* Something is short; what is missing is made later, and ever more patiently. */
static void retry_later(struct hbk_listener *listener, uint32_t error, const char *why)
{
    uint32_t doubled = listener->retry_ms * 2;
    listener->retry_ms = doubled == 0             ? RETRY_MS_MIN
                         : doubled > RETRY_MS_MAX ? RETRY_MS_MAX
                                                  : doubled;
    listener->retry_at = GetTickCount64() + listener->retry_ms;
    hbk_notes_add(&listener->win->notes, HBK_WIN_NOTE_LISTENER, 0, error, why);
}

static DWORD retry_in(const struct hbk_listener *listener)
{
    if (listener->retry_ms == 0) {
        return INFINITE;
    }
    uint64_t now = GetTickCount64();
    return now >= listener->retry_at ? 0 : (DWORD)(listener->retry_at - now);
}

/* Makes the instances that are missing. */
static void fill(struct hbk_listener *listener)
{
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &listener->slot[i];
        if (slot->pipe != NULL) {
            continue;
        }
        uint32_t error = create_instance(listener, false, &slot->pipe);
        if (error != 0) {
            retry_later(listener, error, "no further pipe instance could be made");
            return;
        }
        slot_connect(slot);
    }
    listener->retry_ms = 0;
}

static uint32_t waiting(const struct hbk_listener *listener)
{
    uint32_t count = 0;
    for (int i = 0; i < SLOTS; i++) {
        count += listener->slot[i].pipe != NULL;
    }
    return count;
}

/* Gives @accepted to the broker's thread. Return: false if the listener is stopping, and so nobody would
 * take it. */
static bool hand_over(struct hbk_listener *listener, struct hbk_connection *accepted)
{
    AcquireSRWLockExclusive(&listener->lock);
    while (
        (listener->accepted_count >= ACCEPTED_MAX || hbk_reaper_is_behind(listener->win->reaper)) &&
        !listener->stopping) {
        SleepConditionVariableSRW(&listener->room, &listener->lock, PATIENCE_MS, 0);
    }
    bool taken = !listener->stopping;
    if (taken) {
        *listener->accepted_end = accepted;
        listener->accepted_end = &accepted->next;
        listener->accepted_count++;
    }
    ReleaseSRWLockExclusive(&listener->lock);
    if (taken) {
        hbk_win_wake(listener->win);
    }
    return taken;
}

/* Finds out who is at the other end of @pipe, which is consumed. */
static void authenticate(struct hbk_listener *listener, HANDLE pipe)
{
    struct hbk_refusal refusal;
    struct hbk_connection *accepted = hbk_connection_new(listener->win, pipe);
    if (accepted == NULL) {
        hbk_notes_add(&listener->win->notes, HBK_WIN_NOTE_REFUSED, 0, ERROR_NOT_ENOUGH_MEMORY,
                      "no memory for another client");
        return;
    }
    int result = hbk_identity_of_process(pipe, &accepted->peer, &accepted->party.process,
                                         &accepted->party.token, &refusal);
    if (result == 0) {
        result = hbk_identity_confirm(pipe, &accepted->peer, &refusal);
        accepted->confirmed = result == 0;
    }
    if (result == HBK_IDENTITY_E_REFUSED) {
        hbk_notes_add(&listener->win->notes, HBK_WIN_NOTE_REFUSED, refusal.pid, refusal.win32,
                      refusal.why);
        hbk_connection_abandon(accepted);
        return;
    }
    /* "Later": it connected without SECURITY_SQOS_PRESENT, so its token comes with its first
     * bytes. */
    if (hbk_connection_prepare(accepted) != 0) {
        hbk_notes_add(&listener->win->notes, HBK_WIN_NOTE_REFUSED, accepted->peer.pid,
                      ERROR_NOT_ENOUGH_MEMORY, "no room for another client's pipe and events");
        hbk_connection_abandon(accepted);
    } else if (!hand_over(listener, accepted)) {
        hbk_connection_abandon(accepted);
    }
}

/* A client has come to @slot. */
static void accept_client(struct hbk_listener *listener, struct slot *slot)
{
    HANDLE pipe = slot->pipe;
    slot->pipe = NULL;
    /* The next instance comes first: while one of ours waits, the name is nobody else's. */
    uint32_t error = create_instance(listener, false, &slot->pipe);
    if (error == 0) {
        slot_connect(slot);
    } else {
        retry_later(listener, error, "no further pipe instance could be made");
        if (waiting(listener) == 0) {
            /* This was the last of them: it has to go on waiting, and its client to come again. */
            DisconnectNamedPipe(pipe);
            slot->pipe = pipe;
            slot_connect(slot);
            return;
        }
    }
    authenticate(listener, pipe);
}

static void serve(struct hbk_listener *listener, struct slot *slot)
{
    uint32_t error = slot_result(slot);
    if (error == 0) {
        accept_client(listener, slot);
    } else if (error == ERROR_NO_DATA) {
        /* It has gone again before we looked. */
        DisconnectNamedPipe(slot->pipe);
        slot_connect(slot);
    } else {
        CloseHandle(slot->pipe);
        slot->pipe = NULL;
        retry_later(listener, error, "a pipe instance could not wait for clients");
    }
}

static unsigned __stdcall listener_thread(void *context)
{
    struct hbk_listener *listener = context;
    HANDLE events[SLOTS + 1];

    for (;;) {
        DWORD count = 0;
        events[count++] = listener->stop;
        for (int i = 0; i < SLOTS; i++) {
            if (listener->slot[i].pipe != NULL) {
                events[count++] = listener->slot[i].event;
            }
        }
        DWORD result = WaitForMultipleObjects(count, events, FALSE, retry_in(listener));
        if (result == WAIT_OBJECT_0) {
            break;
        }
        if (result == WAIT_FAILED) {
            retry_later(listener, GetLastError(), "the pipes could not be waited for");
            if (WaitForSingleObject(listener->stop, listener->retry_ms) == WAIT_OBJECT_0) {
                break;
            }
        }
        /* All that are ready, so that the first slots do not starve the last. */
        for (int i = 0; i < SLOTS; i++) {
            if (slot_ended(&listener->slot[i])) {
                serve(listener, &listener->slot[i]);
            }
        }
        if (retry_in(listener) == 0) {
            fill(listener);
        }
    }
    /* A thread's pending operations end with it, so it ends them itself. */
    for (int i = 0; i < SLOTS; i++) {
        slot_drop(&listener->slot[i]);
    }
    return 0;
}

/* Opens all that the thread needs. Return: 0, or the Windows error with *ret_what. */
static uint32_t prepare(struct hbk_listener *listener, bool console, const char **ret_what)
{
    *ret_what = "make the security descriptor of the pipe";
    uint32_t error = hbk_descriptor_new(console, &listener->descriptor);
    if (error != 0) {
        return error;
    }
    *ret_what = "make an event";
    listener->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (listener->stop == NULL) {
        return GetLastError();
    }
    for (int i = 0; i < SLOTS; i++) {
        listener->slot[i].event = CreateEventW(NULL, TRUE, FALSE, NULL);
        if (listener->slot[i].event == NULL) {
            return GetLastError();
        }
    }
    /* Refused where the name exists: whoever made it would share it with us. */
    *ret_what = "create the pipe";
    error = create_instance(listener, true, &listener->slot[0].pipe);
    if (error != 0) {
        return error;
    }
    slot_connect(&listener->slot[0]);
    fill(listener);
    return 0;
}

int hbk_listener_new(struct hbk_win *win, const wchar_t *pipe, bool console,
                     struct hbk_listener **ret_listener, struct hbk_win_failure *ret_failure)
{
    struct hbk_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        return -1;
    }
    listener->win = win;
    listener->accepted_end = &listener->accepted;
    InitializeSRWLock(&listener->lock);
    InitializeConditionVariable(&listener->room);
    listener->name = _wcsdup(pipe);
    if (listener->name == NULL) {
        hbk_listener_free(listener);
        return -1;
    }
    const char *what = NULL;
    uint32_t error = prepare(listener, console, &what);
    if (error == 0) {
        listener->thread = (HANDLE)_beginthreadex(NULL, 0, listener_thread, listener, 0, NULL);
        if (listener->thread == NULL) {
            what = "start the listener's thread";
            error = ERROR_NOT_ENOUGH_MEMORY;
        }
    }
    if (error != 0) {
        hbk_listener_free(listener);
        *ret_failure = (struct hbk_win_failure){.what = what, .win32 = error};
        return HBK_WIN_E_FAILED;
    }
    *ret_listener = listener;
    return 0;
}

struct hbk_connection *hbk_listener_take(struct hbk_listener *listener)
{
    AcquireSRWLockExclusive(&listener->lock);
    struct hbk_connection *accepted = listener->accepted;
    if (accepted != NULL) {
        listener->accepted = accepted->next;
        if (listener->accepted == NULL) {
            listener->accepted_end = &listener->accepted;
        }
        if (listener->accepted_count-- == ACCEPTED_MAX) {
            WakeConditionVariable(&listener->room);
        }
    }
    ReleaseSRWLockExclusive(&listener->lock);
    if (accepted != NULL) {
        accepted->next = NULL;
    }
    return accepted;
}

void hbk_listener_free(struct hbk_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    if (listener->thread != NULL) {
        AcquireSRWLockExclusive(&listener->lock);
        listener->stopping = true;
        ReleaseSRWLockExclusive(&listener->lock);
        WakeConditionVariable(&listener->room);
        SetEvent(listener->stop);
        WaitForSingleObject(listener->thread, INFINITE);
        CloseHandle(listener->thread);
    }
    for (struct hbk_connection *next; (next = hbk_listener_take(listener)) != NULL;) {
        hbk_connection_abandon(next);
    }
    for (int i = 0; i < SLOTS; i++) {
        slot_drop(&listener->slot[i]);
        if (listener->slot[i].event != NULL) {
            CloseHandle(listener->slot[i].event);
        }
    }
    if (listener->stop != NULL) {
        CloseHandle(listener->stop);
    }
    LocalFree(listener->descriptor);
    free(listener->name);
    free(listener);
}
