#include "modes.h"

#include "log.h"
#include "loop.h"
#include "settings.h"

#include <windows.h>

enum {
    START_HINT_MS = 10000,
    STOP_HINT_MARGIN_MS = 3000, /* to end threads and report, beyond the loop's own deadline */
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
    bool pending = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;

    status->dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status->dwCheckPoint = !pending                          ? 0
                           : status->dwCurrentState == state ? status->dwCheckPoint + 1
                                                             : 1;
    status->dwCurrentState = state;
    status->dwWaitHint = hint_ms;
    status->dwControlsAccepted =
        state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN : 0;
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

static DWORD WINAPI on_control(DWORD control, DWORD event, void *data, void *context)
{
    DWORD result = NO_ERROR;
    (void)event;
    (void)data;
    (void)context;

    AcquireSRWLockExclusive(&service.lock);
    switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
        if (service.loop != NULL) {
            report(SERVICE_STOP_PENDING, service.stop_hint_ms);
            hbk_loop_stop(service.loop);
        }
        break;
    case SERVICE_CONTROL_INTERROGATE:
        SetServiceStatus(service.handle, &service.status);
        break;
    default:
        result = ERROR_CALL_NOT_IMPLEMENTED;
    }
    ReleaseSRWLockExclusive(&service.lock);
    return result;
}

/* The loop's thread does not come to its end; the process goes, and all that it holds with it. */
static void give_up(void)
{
    hbk_log("the stop did not come to its end in time and was cut short");
    report_stopped(NO_ERROR, 0);
    hbk_leave(HBK_EXIT_OK);
}

/* Serves until the SCM says stop. Return: what the SCM is told as Windows error. */
static DWORD serve(void)
{
    struct hbk_config config;
    struct hbk_loop *loop = NULL;
    struct hbk_win_failure failure;

    if (hbk_settings_read(service.options->config, &config) != 0) {
        return ERROR_SERVICE_SPECIFIC_ERROR;
    }
    report_locked(SERVICE_START_PENDING, START_HINT_MS);
    int result = hbk_loop_new(&config, service.options->pipe, false, give_up, &loop, &failure);
    if (result < 0) {
        hbk_log("out of memory");
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    if (result != 0) {
        hbk_log_windows_error(failure.what, failure.win32);
        return failure.win32;
    }
    AcquireSRWLockExclusive(&service.lock);
    service.loop = loop;
    service.stop_hint_ms = hbk_loop_stop_ms(&config) + STOP_HINT_MARGIN_MS;
    report(SERVICE_RUNNING, 0);
    ReleaseSRWLockExclusive(&service.lock);

    result = hbk_loop_run(loop);
    /* No control may reach the loop from here on. */
    AcquireSRWLockExclusive(&service.lock);
    service.loop = NULL;
    ReleaseSRWLockExclusive(&service.lock);
    if (result == HBK_LOOP_E_STUCK) {
        hbk_log("a close did not return in time and was left behind");
        report_stopped(NO_ERROR, 0);
        hbk_leave(HBK_EXIT_OK);
    }
    hbk_loop_free(loop);
    return NO_ERROR;
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
    DWORD win32 = serve();
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
