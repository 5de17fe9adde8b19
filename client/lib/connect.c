/* The way to the service's pipe, and the check whose pipe it is, before the first byte. */
#include "client.h"

#include <aclapi.h>
#include <wchar.h>

#define SERVICE_NAME L"HandleBroker"
/* Read and write without the right to create instances, as the pipe's descriptor grants it. */
#define PIPE_ACCESS 0x12019Bu
#define LOCAL_PIPES L"\\\\.\\pipe\\"
/* Names that only administrators can create. */
#define PROTECTED_PIPES L"\\\\.\\pipe\\ProtectedPrefix\\Administrators\\"

static bool starts_with(const wchar_t *text, const wchar_t *start)
{
    return _wcsnicmp(text, start, wcslen(start)) == 0;
}

/* Would Windows make another path of @name than it seems to be? */
static bool wanders(const wchar_t *name)
{
    return wcschr(name, L'/') != NULL || wcsstr(name + wcslen(L"\\\\."), L"\\.") != NULL;
}

/* What the Service Control Manager knows of the service. Return: 0, or a Windows error. */
static DWORD service_status(SERVICE_STATUS_PROCESS *ret_status)
{
    SERVICE_STATUS_PROCESS status = {0};
    SC_HANDLE service = NULL;
    DWORD size = 0, error = 0;

    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    if (manager == NULL)
        return GetLastError();
    service = OpenServiceW(manager, SERVICE_NAME, SERVICE_QUERY_STATUS);
    if (service == NULL) {
        error = GetLastError();
        goto out;
    }
    if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof status,
                              &size)) {
        error = GetLastError();
        goto out;
    }
    *ret_status = status;
out:
    if (service != NULL)
        CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return error;
}

static bool in_app_container(void)
{
    HANDLE token = NULL;
    DWORD value = 0, size = 0;
    bool yes = false;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    if (GetTokenInformation(token, TokenIsAppContainer, &value, sizeof value, &size))
        yes = value != 0;
    CloseHandle(token);
    return yes;
}

static hbk_result untrusted(hbk_error_info *ret_error, uint32_t win32, const char *why)
{
    return hbk_fail(ret_error, HBK_UNTRUSTED, -1, win32,
                    "%s; nothing was sent to it. For a broker that runs in the console, say "
                    "HBK_OPEN_UNVERIFIED",
                    why);
}

/* The pipe's server process must be the one that runs as the service. */
static hbk_result check_process(HANDLE pipe, const wchar_t *name, hbk_error_info *ret_error)
{
    SERVICE_STATUS_PROCESS status = {0};
    ULONG pid = 0;

    DWORD error = service_status(&status);
    if (error == ERROR_ACCESS_DENIED && starts_with(name, PROTECTED_PIPES) && in_app_container())
        return HBK_OK; /* it cannot ask; name and owner of the pipe have to do */
    if (error != 0)
        return untrusted(ret_error, error,
                         "the Service Control Manager does not tell which process is HandleBroker");
    if (!GetNamedPipeServerProcessId(pipe, &pid))
        return untrusted(ret_error, GetLastError(),
                         "the pipe does not tell which process has made it");
    if (status.dwProcessId == 0 || status.dwProcessId != pid)
        return untrusted(ret_error, 0,
                         "the pipe is not that of the process that runs as HandleBroker");
    return HBK_OK;
}

/* And its owner one who may create the service's pipe. */
static hbk_result check_owner(HANDLE pipe, hbk_error_info *ret_error)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;

    DWORD error = GetSecurityInfo(pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL,
                                  NULL, NULL, &descriptor);
    if (error != ERROR_SUCCESS)
        return untrusted(ret_error, error, "the pipe does not tell its owner");
    bool good = owner != NULL && (IsWellKnownSid(owner, WinLocalSystemSid) ||
                                  IsWellKnownSid(owner, WinBuiltinAdministratorsSid));
    LocalFree(descriptor);
    if (!good)
        return untrusted(ret_error, 0, "the pipe's owner is neither SYSTEM nor Administrators");
    return HBK_OK;
}

/* There is no pipe of that name: is it worth waiting for? */
static hbk_result absent(uint32_t flags, hbk_error_info *ret_error)
{
    SERVICE_STATUS_PROCESS status = {0};

    if (flags & HBK_OPEN_UNVERIFIED)
        return HBK_OK;
    DWORD error = service_status(&status);
    if (error == ERROR_SERVICE_DOES_NOT_EXIST)
        return hbk_fail(ret_error, HBK_UNAVAILABLE, -1, error,
                        "the service HandleBroker is not installed");
    if (error == 0 && status.dwCurrentState == SERVICE_STOPPED)
        return hbk_fail(
            ret_error, HBK_UNAVAILABLE, -1, status.dwWin32ExitCode,
            "the service HandleBroker is stopped; start it with: sc start HandleBroker");
    return HBK_OK;
}

/* What to do about a pipe that cannot be opened. */
static const char *open_advice(DWORD error)
{
    if (error == ERROR_ACCESS_DENIED)
        return "the service's pipe refuses this process: network and anonymous logons may not open "
               "it; run the program in a local session";
    return "the pipe of the service cannot be opened";
}

/* Sleeps until another try may succeed. */
static hbk_result wait_for_pipe(const wchar_t *name, uint32_t flags, DWORD error, uint32_t left,
                                hbk_error_info *ret_error)
{
    if (error != ERROR_PIPE_BUSY && error != ERROR_FILE_NOT_FOUND)
        return hbk_fail(ret_error, HBK_OS_ERROR, -1, error, "%s", open_advice(error));
    if (error == ERROR_FILE_NOT_FOUND) {
        hbk_result result = absent(flags, ret_error);
        if (result != HBK_OK)
            return result;
    }
    if (left == 0)
        return hbk_fail(ret_error, HBK_UNAVAILABLE, -1, error,
                        error == ERROR_PIPE_BUSY
                            ? "all pipes of the service were busy until the connect timeout"
                            : "there was no pipe of the service until the connect timeout");
    if (error == ERROR_PIPE_BUSY)
        WaitNamedPipeW(name, left);
    else
        Sleep(left < HBK_CONNECT_PAUSE_MS ? left : HBK_CONNECT_PAUSE_MS);
    return HBK_OK;
}

static hbk_result open_pipe(const wchar_t *name, uint32_t flags, uint64_t deadline_ms,
                            HANDLE *ret_pipe, hbk_error_info *ret_error)
{
    for (;;) {
        HANDLE pipe = CreateFileW(
            name, PIPE_ACCESS, 0, NULL, OPEN_EXISTING,
            FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        if (pipe != INVALID_HANDLE_VALUE) {
            *ret_pipe = pipe;
            return HBK_OK;
        }
        DWORD error = GetLastError();
        hbk_result result =
            wait_for_pipe(name, flags, error, hbk_remaining_ms(deadline_ms), ret_error);
        if (result != HBK_OK)
            return result;
    }
}

hbk_result hbk_connect(const wchar_t *name, uint32_t flags, uint64_t deadline_ms, HANDLE *ret_pipe,
                       hbk_error_info *ret_error)
{
    HANDLE pipe = NULL;

    if (!starts_with(name, LOCAL_PIPES) || name[wcslen(LOCAL_PIPES)] == L'\0')
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "the name of the pipe does not begin with \\\\.\\pipe\\, or ends there");
    if (wanders(name))
        return hbk_fail(
            ret_error, HBK_INVALID_ARGUMENT, -1, 0,
            "the name of the pipe has a / or a component that begins with a dot, so it is "
            "not what it looks like");
    hbk_result result = open_pipe(name, flags, deadline_ms, &pipe, ret_error);
    if (result != HBK_OK || (flags & HBK_OPEN_UNVERIFIED))
        goto out;
    result = check_owner(pipe, ret_error);
    if (result == HBK_OK)
        result = check_process(pipe, name, ret_error);
out:
    if (result == HBK_OK)
        *ret_pipe = pipe;
    else if (pipe != NULL)
        CloseHandle(pipe);
    return result;
}
