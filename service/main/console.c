#include "modes.h"

#include "log.h"
#include "loop.h"
#include "settings.h"

#include <windows.h>

enum {
    NAME_BYTES_MAX = 1024,
    CLOSE_MS_MAX =
        4500, /* the system ends a process soon after it told it that its console closes */
};

/* Control handlers get no context. */
static struct {
    SRWLOCK lock;
    struct hbk_loop *loop; /* under lock; NULL: not serving */
    HANDLE ended;
} console = {.lock = SRWLOCK_INIT};

static BOOL WINAPI on_control(DWORD event)
{
    AcquireSRWLockShared(&console.lock);
    if (console.loop != NULL) {
        hbk_loop_stop(console.loop);
    }
    ReleaseSRWLockShared(&console.lock);
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) {
        /* Closed, logged off, shut down: returning from here would end the process. */
        WaitForSingleObject(console.ended, CLOSE_MS_MAX);
    }
    return TRUE;
}

static void serving(struct hbk_loop *loop)
{
    AcquireSRWLockExclusive(&console.lock);
    console.loop = loop;
    ReleaseSRWLockExclusive(&console.lock);
}

static int fail(const char *pipe, const struct hbk_win_failure *failure)
{
    hbk_log_windows_error(failure->what, failure->win32);
    if (failure->win32 == ERROR_ACCESS_DENIED || failure->win32 == ERROR_PIPE_BUSY) {
        hbk_log("another process owns %s, or only administrators may: stop the service, or give "
                "another name with --pipe",
                pipe);
    }
    return HBK_EXIT_FAILED;
}

static void give_up(void)
{
    hbk_log("the stop did not come to its end in time and was cut short");
    hbk_leave(HBK_EXIT_OK);
}

int hbk_console_run(const struct hbk_options *options)
{
    struct hbk_settings settings;
    struct hbk_loop *loop = NULL;
    struct hbk_win_failure failure;
    char pipe[NAME_BYTES_MAX];

    hbk_log_narrow(options->pipe, pipe, sizeof(pipe));
    hbk_log_init(true);
    if (hbk_settings_start(options->config, false, &settings) != 0) {
        return HBK_EXIT_USAGE;
    }
    console.ended = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (console.ended == NULL) {
        hbk_log_windows_error("make an event", GetLastError());
        return HBK_EXIT_FAILED;
    }
    int result = hbk_loop_new(&settings.config, options->pipe, true, give_up, &loop, &failure);
    hbk_settings_free(&settings);
    if (result < 0) {
        hbk_log("out of memory");
        return HBK_EXIT_FAILED;
    }
    if (result != 0) {
        return fail(pipe, &failure);
    }
    serving(loop);
    /* Ignored by default where the parent started it in a new process group. */
    SetConsoleCtrlHandler(NULL, FALSE);
    SetConsoleCtrlHandler(on_control, TRUE);
    hbk_log("process %lu listens on %s; Ctrl+C ends it", GetCurrentProcessId(), pipe);

    result = hbk_loop_run(loop);
    serving(NULL);
    if (result == HBK_LOOP_E_STUCK) {
        hbk_log("stopped; a close did not return in time and was left behind");
        hbk_leave(HBK_EXIT_OK);
    }
    hbk_loop_free(loop);
    hbk_log("stopped");
    SetEvent(console.ended);
    return HBK_EXIT_OK;
}
