/* Telling a program that something can be received: a message to a window, a call on a thread of ours.
 *
 * The thread does what an application does with the wait handle, and no more: it waits for `arrived`, looks
 * whether there is something, and tells. Receiving is the application's. From then on it does not wait for
 * `arrived`, which stays set, but for `wake`, until somebody was told HBK_TIMEOUT with every queue empty. So it
 * runs once for what may be many deliveries, and never twice for what nobody wants to receive.
 *
 * Where the application has asked for it, the end of the connection is not told: the thread reopens the client, at
 * leisure, and tells only if that is of no use. */
#include "client.h"

#include <process.h>

/* user32 is there if the program has a window; a program that has none is spared it. */
static void (*user_function(const char *name))(void)
{
    HMODULE user = GetModuleHandleW(L"user32.dll");
    return user != NULL ? (void (*)(void))GetProcAddress(user, name) : NULL;
}

static bool is_window(HWND window)
{
    typedef BOOL(WINAPI * question)(HWND);
    question ask = (question)user_function("IsWindow");
    return ask != NULL && ask(window);
}

/* Return: false, its queue is full. */
static bool post(const struct hbk_told *whom)
{
    typedef BOOL(WINAPI * poster)(HWND, UINT, WPARAM, LPARAM);
    poster post_message = (poster)user_function("PostMessageW");

    return post_message == NULL ||
           post_message(whom->window, whom->message, whom->wparam, whom->lparam) ||
           GetLastError() != ERROR_NOT_ENOUGH_QUOTA;
}

static bool somebody(const struct hbk_told *whom)
{
    return whom->window != NULL || whom->function != NULL;
}

void hbk_notify_received(struct hbk_client *client)
{
    if (!client->notify.told || hbk_io_has_arrived(client))
        return;
    client->notify.told = false;
    SetEvent(client->notify.wake);
}

void hbk_notify_again(struct hbk_client *client)
{
    if (client->notify.thread == NULL)
        return;
    client->notify.told = false;
    SetEvent(client->notify.wake);
}

/* ---- the thread ---- */

enum look { LOOK_LATER, LOOK_TELL, LOOK_REOPEN, LOOK_END };

/* Is it time to tell? *ret_arrived: whether a change of `arrived` is of interest. */
static enum look look(struct hbk_client *client, bool may_reopen, struct hbk_told *ret_whom,
                      bool *ret_arrived)
{
    struct hbk_notify *notify = &client->notify;
    enum look found = LOOK_LATER;

    AcquireSRWLockExclusive(&client->lock);
    if (notify->stopping || !somebody(&notify->whom)) {
        notify->thread_id = 0; /* which may soon be another thread's */
        found = LOOK_END;
    } else if (!notify->told && hbk_io_peek(client)) {
        found = may_reopen && !hbk_io_has_arrived(client) ? LOOK_REOPEN : LOOK_TELL;
        notify->told = found == LOOK_TELL;
        *ret_whom = notify->whom;
    }
    *ret_arrived = !notify->told;
    ReleaseSRWLockExclusive(&client->lock);
    return found;
}

static void tell_again(struct hbk_client *client)
{
    WaitForSingleObject(client->notify.wake, HBK_NOTIFY_RETRY_MS);
    AcquireSRWLockExclusive(&client->lock);
    client->notify.told = false;
    ReleaseSRWLockExclusive(&client->lock);
}

/* One try. Return: false, it is of no use. */
static bool reopen(struct hbk_client *client, unsigned *tries)
{
    bool again;
    hbk_result result = hbk_reopen_until(client, hbk_now_ms(), &again, NULL);

    *tries = result == HBK_OK ? 0 : *tries + 1;
    if (result == HBK_OK)
        return true;
    if (!again)
        return false;
    WaitForSingleObject(client->notify.wake, hbk_reopen_pause_ms(client, *tries));
    return true;
}

static unsigned __stdcall run(void *context)
{
    struct hbk_client *client = context;
    const HANDLE events[2] = {client->notify.wake, client->arrived};
    const bool asked = (client->opening.flags & HBK_OPEN_REOPEN) != 0;
    struct hbk_told whom;
    bool arrived = false, of_use = true;
    unsigned tries = 0;
    enum look found;

    while ((found = look(client, asked && of_use, &whom, &arrived)) != LOOK_END) {
        if (found == LOOK_REOPEN) {
            of_use = reopen(client, &tries);
        } else if (found == LOOK_TELL) {
            of_use = true;
            bool posted = whom.window == NULL || post(&whom);
            if (whom.function != NULL)
                whom.function(client, whom.context);
            if (!posted)
                tell_again(client);
        } else if (WaitForMultipleObjects(arrived ? 2 : 1, events, FALSE, INFINITE) ==
                   WAIT_FAILED) {
            break; /* somebody has closed a handle that was not his */
        }
    }
    return 0;
}

/* ---- its life ---- */

static void stop(struct hbk_client *client)
{
    struct hbk_notify *notify = &client->notify;

    if (notify->thread == NULL)
        return;
    AcquireSRWLockExclusive(&client->lock);
    notify->stopping = true;
    SetEvent(notify->wake);
    ReleaseSRWLockExclusive(&client->lock);
    WaitForSingleObject(notify->thread, INFINITE);
    CloseHandle(notify->thread);
    AcquireSRWLockExclusive(&client->lock);
    notify->thread = NULL;
    notify->stopping = false;
    notify->told = false;
    ReleaseSRWLockExclusive(&client->lock);
}

static hbk_result start(struct hbk_client *client, hbk_error_info *ret_error)
{
    struct hbk_notify *notify = &client->notify;
    unsigned id = 0;

    if (notify->wake == NULL)
        notify->wake = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (notify->wake == NULL)
        return hbk_fail(ret_error, HBK_OS_ERROR, -1, GetLastError(), "no event could be made");
    AcquireSRWLockExclusive(&client->lock);
    hbk_io_arm(client);
    notify->thread = (HANDLE)_beginthreadex(NULL, 0, run, client, CREATE_SUSPENDED, &id);
    DWORD error = notify->thread == NULL ? GetLastError() : 0;
    notify->thread_id = id;
    ReleaseSRWLockExclusive(&client->lock);
    if (notify->thread == NULL)
        return hbk_fail(ret_error, HBK_OS_ERROR, -1, error, "no thread could be started");
    ResumeThread(notify->thread);
    return HBK_OK;
}

/* The part of @whom that is for windows, or that for functions, is set anew. */
static void set(struct hbk_client *client, const struct hbk_told *whom, bool window)
{
    struct hbk_told *now = &client->notify.whom;

    AcquireSRWLockExclusive(&client->lock);
    if (window) {
        now->window = whom->window;
        now->message = whom->message;
        now->wparam = whom->wparam;
        now->lparam = whom->lparam;
    } else {
        now->function = whom->function;
        now->context = whom->context;
    }
    ReleaseSRWLockExclusive(&client->lock);
}

static bool within(struct hbk_client *client)
{
    AcquireSRWLockExclusive(&client->lock);
    bool own = client->notify.thread_id == GetCurrentThreadId();
    ReleaseSRWLockExclusive(&client->lock);
    return own;
}

static hbk_result change(struct hbk_client *client, const struct hbk_told *whom, bool window,
                         hbk_error_info *ret_error)
{
    static const struct hbk_told nobody = {0};
    struct hbk_notify *notify = &client->notify;
    hbk_result result = HBK_OK;

    if (within(client)) {
        set(client, whom, window);
        return HBK_OK;
    }
    AcquireSRWLockExclusive(&notify->setting);
    stop(client);
    set(client, whom, window);
    if (somebody(&notify->whom))
        result = start(client, ret_error);
    if (result != HBK_OK)
        set(client, &nobody, window);
    ReleaseSRWLockExclusive(&notify->setting);
    return result;
}

hbk_result hbk_notify_window(hbk_client *client, HWND window, UINT message, WPARAM wparam,
                             LPARAM lparam, hbk_error_info *ret_error)
{
    const struct hbk_told whom = {
        .window = window, .message = message, .wparam = wparam, .lparam = lparam};

    if (client == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client is NULL");
    if (window != NULL && (window == HWND_BROADCAST || !is_window(window)))
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "window is no window that there is now");
    return change(client, &whom, true, ret_error);
}

hbk_result hbk_notify_call(hbk_client *client, hbk_notify_function function, void *context,
                           hbk_error_info *ret_error)
{
    const struct hbk_told whom = {.function = function, .context = context};

    if (client == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client is NULL");
    return change(client, &whom, false, ret_error);
}

void hbk_notify_deinit(struct hbk_client *client)
{
    stop(client);
    if (client->notify.wake != NULL)
        CloseHandle(client->notify.wake);
    client->notify.wake = NULL;
}
