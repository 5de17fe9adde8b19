#include "harden.h"

#include "modes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winsvc.h>

/* ---- mitigations ---- */

/* Each policy is one DWORD of flags to SetProcessMitigationPolicy; by bits, as not every compiler's headers
 * have all of the structures. Strict handle checks are not among them: they would end the service over a
 * handle value that it looks at in a client's table. */
static const struct {
    PROCESS_MITIGATION_POLICY policy;
    DWORD flags;
} mitigations[] = {
    /* ProhibitDynamicCode: no page becomes executable that was not loaded as an image. */
    {ProcessDynamicCodePolicy, 0x1},
    /* DisableExtensionPoints: no window hooks, AppInit_DLLs or old input methods. */
    {ProcessExtensionPointDisablePolicy, 0x1},
    /* DisableNonSystemFonts: nothing here draws. */
    {ProcessFontDisablePolicy, 0x1},
    /* NoRemoteImages, NoLowMandatoryLabelImages, PreferSystem32Images. */
    {ProcessImageLoadPolicy, 0x7},
    /* NoChildProcessCreation: nothing here starts a process. */
    {(PROCESS_MITIGATION_POLICY)13, 0x1},
    /* EnforceRedirectionTrust: junctions that others than administrators made are not followed to the policy
     * or the audit file. */
    {(PROCESS_MITIGATION_POLICY)16, 0x1},
};

void hbk_harden(void)
{
    SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    SetDllDirectoryW(L"");
    HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
    /* No dialogue may wait for a click where nobody sees it. */
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    for (size_t i = 0; i < sizeof(mitigations) / sizeof(*mitigations); i++) {
        DWORD flags = mitigations[i].flags;
        SetProcessMitigationPolicy(mitigations[i].policy, &flags, sizeof(flags));
    }
}

/* ---- privileges ---- */

/* What is needed, and what for. */
static const wchar_t *const needed[] = {
    L"SeChangeNotifyPrivilege", /* to reach files below folders that cannot be listed */
    L"SeDebugPrivilege",        /* to open the clients' processes, whoever runs them */
    /* to take on a client's token as it comes; without it Windows lowers the token to identification, which would
     * do: to be dropped when a run on Windows has shown that */
    L"SeImpersonatePrivilege",
};

#define ADVICE_PRIVILEGES \
    "sc privs HandleBroker SeChangeNotifyPrivilege/SeDebugPrivilege/SeImpersonatePrivilege"

enum { NEEDED_COUNT = sizeof(needed) / sizeof(*needed), ADVICE_BYTES_MAX = HBK_DETAIL_BYTES_MAX };

static bool is_needed(const LUID *luid)
{
    for (size_t i = 0; i < NEEDED_COUNT; i++) {
        LUID one;
        if (LookupPrivilegeValueW(NULL, needed[i], &one) && one.LowPart == luid->LowPart &&
            one.HighPart == luid->HighPart) {
            return true;
        }
    }
    return false;
}

/* The privileges of @token, for free(). */
static uint32_t read_privileges(HANDLE token, TOKEN_PRIVILEGES **ret_privileges)
{
    DWORD size = 0;
    GetTokenInformation(token, TokenPrivileges, NULL, 0, &size);
    TOKEN_PRIVILEGES *privileges = size == 0 ? NULL : malloc(size);
    if (privileges == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    if (!GetTokenInformation(token, TokenPrivileges, privileges, size, &size)) {
        uint32_t error = GetLastError();
        free(privileges);
        return error;
    }
    *ret_privileges = privileges;
    return 0;
}

/* The one after the other, so that one that cannot be dropped keeps none of the others. Return: the last error. */
static uint32_t drop(HANDLE token, const TOKEN_PRIVILEGES *privileges, unsigned *ret_dropped,
                     char *name, size_t name_size)
{
    uint32_t result = 0;
    *ret_dropped = 0;
    name[0] = '\0';
    for (DWORD i = 0; i < privileges->PrivilegeCount; i++) {
        TOKEN_PRIVILEGES one = {.PrivilegeCount = 1, .Privileges = {privileges->Privileges[i]}};
        if (is_needed(&one.Privileges[0].Luid)) {
            continue;
        }
        if (name[0] == '\0') {
            DWORD size = (DWORD)name_size;
            if (!LookupPrivilegeNameA(NULL, &one.Privileges[0].Luid, name, &size)) {
                (void)snprintf(name, name_size, "%lu", one.Privileges[0].Luid.LowPart);
            }
        }
        one.Privileges[0].Attributes = SE_PRIVILEGE_REMOVED;
        /* It succeeds where nothing was done, too: the error says which. */
        BOOL good = AdjustTokenPrivileges(token, FALSE, &one, 0, NULL, NULL);
        uint32_t error = GetLastError();
        if (!good || error != ERROR_SUCCESS) {
            result = error;
            continue;
        }
        (*ret_dropped)++;
    }
    return result;
}

static void check_privileges(hbk_harden_warn warn, void *context)
{
    HANDLE token = NULL;
    TOKEN_PRIVILEGES *privileges = NULL;
    char text[ADVICE_BYTES_MAX + 1], name[64] = "";
    unsigned dropped = 0;
    uint32_t error = 0;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES, &token)) {
        error = GetLastError();
    } else {
        error = read_privileges(token, &privileges);
    }
    if (privileges == NULL) {
        warn(context, error, "the service's own privileges cannot be read, and none was dropped");
        goto out;
    }
    error = drop(token, privileges, &dropped, name, sizeof(name));
    if (error != 0) {
        (void)snprintf(text, sizeof(text),
                       "privileges such as %s are not needed and cannot be dropped; use: %s", name,
                       ADVICE_PRIVILEGES);
        warn(context, error, text);
    } else if (dropped > 0) {
        (void)snprintf(text, sizeof(text),
                       "the service was started with %u privileges that it does not need (%s, ...) "
                       "and has dropped them; use: %s",
                       dropped, name, ADVICE_PRIVILEGES);
        warn(context, 0, text);
    }
out:
    free(privileges);
    if (token != NULL) {
        CloseHandle(token);
    }
}

/* ---- the installation ---- */

/* Windows splits an unquoted path at its blanks, and may run another program. */
static bool is_quoted(const wchar_t *command_line)
{
    const wchar_t *end = wcsstr(command_line, L".exe");
    const wchar_t *blank = wcschr(command_line, L' ');
    return command_line[0] == L'"' || blank == NULL || (end != NULL && blank > end);
}

static void check_path(SC_HANDLE service, hbk_harden_warn warn, void *context)
{
    DWORD size = 0;
    QueryServiceConfigW(service, NULL, 0, &size);
    QUERY_SERVICE_CONFIGW *config = size == 0 ? NULL : malloc(size);
    if (config != NULL && QueryServiceConfigW(service, config, size, &size) &&
        !is_quoted(config->lpBinaryPathName)) {
        warn(context, 0,
             "the service's image path has blanks and no quotes, so that Windows may run another "
             "program; use: sc config HandleBroker binPath= with the path in inner quotes");
    }
    free(config);
}

static void check_sid(SC_HANDLE service, hbk_harden_warn warn, void *context)
{
    SERVICE_SID_INFO info = {0};
    DWORD size = 0;
    /* Where this cannot be asked there is no service SID either. */
    if (QueryServiceConfig2W(service, SERVICE_CONFIG_SERVICE_SID_INFO, (BYTE *)&info, sizeof(info),
                             &size) &&
        info.dwServiceSidType == SERVICE_SID_TYPE_NONE) {
        warn(context, 0,
             "the service has no SID of its own, so that no file can be given to it alone; use: sc "
             "sidtype HandleBroker unrestricted");
    }
}

void hbk_harden_service(hbk_harden_warn warn, void *context)
{
    check_privileges(warn, context);
    SC_HANDLE service = NULL;
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    if (manager != NULL) {
        service = OpenServiceW(manager, HBK_SERVICE_NAME, SERVICE_QUERY_CONFIG);
    }
    if (service == NULL) {
        warn(context, GetLastError(), "how the service is installed cannot be read");
    } else {
        check_path(service, warn, context);
        check_sid(service, warn, context);
        CloseServiceHandle(service);
    }
    if (manager != NULL) {
        CloseServiceHandle(manager);
    }
}
