#include "modes.h"

#include "control.h"
#include "eventlog.h"
#include "handlebroker_messages.h"
#include "harden.h"
#include "log.h"
#include "loop.h"
#include "settings.h"

#include <stdio.h>
#include <windows.h>

enum {
    START_HINT_MS = 10000,
    PAUSE_HINT_MS = 5000,       /* until the broker's thread has heard of it */
    STOP_HINT_MARGIN_MS = 3000, /* to end threads and report, beyond the loop's own deadline */
    EVENT_LOG_STOP_MS = 1000,
    WARNINGS_MAX = 4, /* hbk_harden_service() has no more */
    TEXT_BYTES_MAX = 1024,
};

/* What is not as it should be: found before there is anybody to tell. */
struct warnings {
    size_t count;
    struct {
        uint32_t win32;
        char text[HBK_DETAIL_BYTES_MAX + 1];
    } list[WARNINGS_MAX];
};

/* The SCM's callbacks get no context until it is too late to need one. */
static struct {
    const struct hbk_options *options;
    SRWLOCK lock; /* guards what follows */
    SERVICE_STATUS_HANDLE handle;
    SERVICE_STATUS status;
    struct hbk_loop *loop; /* NULL: not serving */
    DWORD stop_hint_ms;
} service = {.lock = SRWLOCK_INIT};

/* Under the lock: the state of now, and what is accepted in it. */
static void report(DWORD state, DWORD hint_ms)
{
    SERVICE_STATUS *status = &service.status;

    status->dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status->dwCheckPoint = !hbk_control_pending(state)       ? 0
                           : status->dwCurrentState == state ? status->dwCheckPoint + 1
                                                             : 1;
    status->dwCurrentState = state;
    status->dwWaitHint = hint_ms;
    status->dwControlsAccepted = hbk_control_accepted(state);
    SetServiceStatus(service.handle, status);
}

static void report_locked(DWORD state, DWORD hint_ms)
{
    AcquireSRWLockExclusive(&service.lock);
    report(state, hint_ms);
    ReleaseSRWLockExclusive(&service.lock);
}

/* @win32: 0, a Windows error, or ERROR_SERVICE_SPECIFIC_ERROR with @specific. */
static void report_stopped(DWORD win32, DWORD specific)
{
    AcquireSRWLockExclusive(&service.lock);
    service.loop = NULL;
    service.status.dwWin32ExitCode = win32;
    service.status.dwServiceSpecificExitCode = specific;
    report(SERVICE_STOPPED, 0);
    ReleaseSRWLockExclusive(&service.lock);
}

/* Under the lock, while serving. */
static void act(enum hbk_control_act what)
{
    switch (what) {
    case HBK_CONTROL_STOP:
        report(SERVICE_STOP_PENDING, service.stop_hint_ms);
        hbk_loop_stop(service.loop);
        break;
    case HBK_CONTROL_PAUSE:
        report(SERVICE_PAUSE_PENDING, PAUSE_HINT_MS);
        hbk_loop_pause(service.loop, true);
        break;
    case HBK_CONTROL_CONTINUE:
        report(SERVICE_CONTINUE_PENDING, PAUSE_HINT_MS);
        hbk_loop_pause(service.loop, false);
        break;
    case HBK_CONTROL_RELOAD:
        hbk_loop_reload(service.loop);
        break;
    case HBK_CONTROL_TELL:
    case HBK_CONTROL_NOTHING:
        break;
    }
}

static DWORD WINAPI on_control(DWORD control, DWORD event, void *data, void *context)
{
    enum hbk_control_act what;
    (void)event;
    (void)data;
    (void)context;

    AcquireSRWLockExclusive(&service.lock);
    DWORD result = hbk_control_act(control, service.status.dwCurrentState, &what);
    if (what == HBK_CONTROL_TELL) {
        SetServiceStatus(service.handle, &service.status);
    } else if (service.loop != NULL) {
        act(what);
    }
    ReleaseSRWLockExclusive(&service.lock);
    return result;
}

/* A stop that came meanwhile stays what it is. */
static void on_paused(bool paused)
{
    AcquireSRWLockExclusive(&service.lock);
    DWORD state = service.status.dwCurrentState;
    if (paused && state == SERVICE_PAUSE_PENDING) {
        report(SERVICE_PAUSED, 0);
    } else if (!paused && state == SERVICE_CONTINUE_PENDING) {
        report(SERVICE_RUNNING, 0);
    }
    ReleaseSRWLockExclusive(&service.lock);
}

/* A thread of the service does not come to its end; the process goes, and all that it holds with it. */
static void give_up(void)
{
    hbk_log("the stop did not come to its end in time and was cut short");
    report_stopped(NO_ERROR, 0);
    hbk_leave(HBK_EXIT_OK);
}

static void warn(void *context, uint32_t win32, const char *advice)
{
    struct warnings *warnings = context;
    HBK_ASSERT(warnings->count < WARNINGS_MAX);
    warnings->list[warnings->count].win32 = win32;
    (void)snprintf(warnings->list[warnings->count].text, sizeof(warnings->list[0].text), "%s",
                   advice);
    warnings->count++;
}

static void not_started(struct hbk_event_log *log, const char *what, DWORD win32)
{
    char text[TEXT_BYTES_MAX], reason[TEXT_BYTES_MAX / 2];
    hbk_log_windows_error(what, win32);
    (void)snprintf(text, sizeof(text), "%s: %s (error %lu)", what,
                   hbk_log_error_text(win32, reason, sizeof(reason)), win32);
    hbk_event_log_text(log, HBK_MESSAGE_NOT_STARTED, NULL, text);
}

/* Runs a loop that has been made. */
static void run(struct hbk_loop *loop, struct hbk_event_log *log, const struct warnings *warnings,
                uint32_t stop_ms)
{
    char number[24];
    AcquireSRWLockExclusive(&service.lock);
    service.loop = loop;
    service.stop_hint_ms = stop_ms + EVENT_LOG_STOP_MS + STOP_HINT_MARGIN_MS;
    report(SERVICE_RUNNING, 0);
    ReleaseSRWLockExclusive(&service.lock);
    (void)snprintf(number, sizeof(number), "%lu", GetCurrentProcessId());
    hbk_event_log_text(log, HBK_MESSAGE_STARTED, number, "Version " HBK_VERSION_STRING ".");
    for (size_t i = 0; i < warnings->count; i++) {
        hbk_loop_warn(loop, warnings->list[i].win32, warnings->list[i].text);
    }

    int result = hbk_loop_run(loop);
    /* No control may reach the loop from here on. */
    AcquireSRWLockExclusive(&service.lock);
    service.loop = NULL;
    ReleaseSRWLockExclusive(&service.lock);
    hbk_event_log_text(log, HBK_MESSAGE_STOPPED, NULL,
                       result == HBK_LOOP_E_STUCK
                           ? "A call of Windows did not return in time and was left behind."
                           : "In order.");
    if (result == HBK_LOOP_E_STUCK) {
        hbk_log("a close did not return in time and was left behind");
        hbk_event_log_free(log, EVENT_LOG_STOP_MS);
        report_stopped(NO_ERROR, 0);
        hbk_leave(HBK_EXIT_OK);
    }
    hbk_loop_free(loop);
}

/* Serves until the SCM says stop. Return: what the SCM is told as Windows error. */
static DWORD serve(struct hbk_event_log *log)
{
    struct hbk_settings settings = {0};
    struct hbk_loop *loop = NULL;
    struct hbk_win_failure failure;
    struct warnings warnings = {0};
    const struct hbk_loop_options options = {.settings = &settings,
                                             .config = service.options->config,
                                             .pipe = service.options->pipe,
                                             .log = log,
                                             .give_up = give_up,
                                             .paused = on_paused};
    DWORD error = NO_ERROR;

    hbk_harden_service(warn, &warnings);
    if (hbk_settings_start(service.options->config, true, &settings) != 0) {
        hbk_event_log_text(log, HBK_MESSAGE_NOT_STARTED, NULL,
                           "the configuration file was refused. \"handlebroker --check-config "
                           "FILE\" says what is wrong in it.");
        return ERROR_SERVICE_SPECIFIC_ERROR;
    }
    report_locked(SERVICE_START_PENDING, START_HINT_MS);
    uint32_t stop_ms = hbk_loop_stop_ms(&settings.config);
    int result = hbk_loop_new(&options, &loop, &failure);
    hbk_settings_free(&settings);
    if (result < 0) {
        error = ERROR_NOT_ENOUGH_MEMORY;
        not_started(log, "make the broker", error);
    } else if (result != 0) {
        error = failure.win32;
        not_started(log, failure.what, error);
    } else {
        run(loop, log, &warnings, stop_ms);
    }
    return error;
}

static void WINAPI service_main(DWORD count, LPWSTR *arguments)
{
    (void)count;
    (void)arguments;
    SERVICE_STATUS_HANDLE handle =
        RegisterServiceCtrlHandlerExW(HBK_SERVICE_NAME, on_control, NULL);
    if (handle == NULL) {
        hbk_log_windows_error("register with the Service Control Manager", GetLastError());
        return;
    }
    service.handle = handle;
    report_locked(SERVICE_START_PENDING, START_HINT_MS);
    DWORD win32 = ERROR_NOT_ENOUGH_MEMORY;
    struct hbk_event_log *log = hbk_event_log_new(false);
    if (log != NULL) {
        win32 = serve(log);
        hbk_event_log_free(log, EVENT_LOG_STOP_MS);
    }
    report_stopped(win32, win32 == ERROR_SERVICE_SPECIFIC_ERROR ? HBK_EXIT_USAGE : 0);
}

int hbk_service_run(const struct hbk_options *options)
{
    static wchar_t name[] = HBK_SERVICE_NAME;
    const SERVICE_TABLE_ENTRYW table[] = {{name, service_main}, {NULL, NULL}};

    hbk_log_init(false);
    service.options = options;
    if (StartServiceCtrlDispatcherW(table)) {
        return HBK_EXIT_OK;
    }
    DWORD error = GetLastError();
    hbk_log_init(true);
    if (error == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
        hbk_log(
            "this is the Handle Broker service; the Service Control Manager starts it (\"sc start "
            "HandleBroker\"). To run it in this console: handlebroker run");
        return HBK_EXIT_USAGE;
    }
    hbk_log_windows_error("connect to the Service Control Manager", error);
    return HBK_EXIT_FAILED;
}
