#include "modes.h"

#include "eventlog.h"
#include "log.h"
#include "loop.h"
#include "settings.h"

#include <windows.h>

enum {
    NAME_BYTES_MAX = 1024,
    KEY_LINE_BYTES = 16,
    LOG_STOP_MS = 500,
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

/* ---- the key ---- */

static void on_line(const char *line, size_t size)
{
    while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == ' ')) {
        size--;
    }
    if (size == 0) {
        return;
    }
    if (size != 1 || (line[0] != 'r' && line[0] != 'R')) {
        hbk_log("r and Enter read the configuration file again; Ctrl+C ends");
        return;
    }
    AcquireSRWLockShared(&console.lock);
    if (console.loop != NULL) {
        hbk_loop_reload(console.loop);
    }
    ReleaseSRWLockShared(&console.lock);
}

/* Reads standard input until its end. Nobody waits for this thread: it ends with the process, for a read of a console
 * or a pipe returns when it likes. */
static DWORD WINAPI keys_main(void *input)
{
    char line[KEY_LINE_BYTES];
    size_t size = 0;
    for (;;) {
        char byte;
        DWORD got = 0;
        SetLastError(ERROR_SUCCESS);
        BOOL good = ReadFile(input, &byte, 1, &got, NULL);
        if (got == 1) {
            if (byte == '\n') {
                on_line(line, size);
                size = 0;
            } else if (size < sizeof(line)) {
                line[size++] = byte; /* what is longer is no key in any case */
            }
        } else if (!good || GetLastError() != ERROR_OPERATION_ABORTED) {
            return 0; /* else: Ctrl+C in a console, which interrupts the read */
        }
    }
}

static void watch_keys(void)
{
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    if (input == NULL || input == INVALID_HANDLE_VALUE) {
        return;
    }
    HANDLE thread = CreateThread(NULL, 0, keys_main, input, 0, NULL);
    if (thread == NULL) {
        hbk_log_windows_error("watch the keyboard", GetLastError());
    } else {
        CloseHandle(thread);
    }
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

/* Serves with @settings until the end. Return: enum hbk_exit. */
static int serve(const struct hbk_options *options, struct hbk_settings *settings,
                 struct hbk_event_log *log)
{
    struct hbk_loop *loop = NULL;
    struct hbk_win_failure failure;
    char pipe[NAME_BYTES_MAX];
    const struct hbk_loop_options loop_options = {.settings = settings,
                                                  .config = options->config,
                                                  .pipe = options->pipe,
                                                  .console = true,
                                                  .log = log,
                                                  .give_up = give_up};

    hbk_log_narrow(options->pipe, pipe, sizeof(pipe));
    int result = hbk_loop_new(&loop_options, &loop, &failure);
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
    watch_keys();
    hbk_log("process %lu listens on %s; Ctrl+C ends it", GetCurrentProcessId(), pipe);

    result = hbk_loop_run(loop);
    serving(NULL);
    if (result == HBK_LOOP_E_STUCK) {
        hbk_log("stopped; a close did not return in time and was left behind");
        hbk_leave(HBK_EXIT_OK);
    }
    hbk_loop_free(loop);
    return HBK_EXIT_OK;
}

int hbk_console_run(const struct hbk_options *options)
{
    struct hbk_settings settings = {0};
    int result = HBK_EXIT_FAILED;

    hbk_log_init(true);
    if (hbk_settings_start(options->config, false, &settings) != 0) {
        return HBK_EXIT_USAGE;
    }
    struct hbk_event_log *log = hbk_event_log_new(true);
    console.ended = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (log == NULL || console.ended == NULL) {
        hbk_log_windows_error("make an event and a thread", GetLastError());
        goto out;
    }
    result = serve(options, &settings, log);
out:
    hbk_settings_free(&settings);
    hbk_event_log_free(log, LOG_STOP_MS);
    if (result == HBK_EXIT_OK) {
        hbk_log("stopped");
    }
    if (console.ended != NULL) {
        SetEvent(console.ended);
    }
    return result;
}
