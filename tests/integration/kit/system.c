/* What the system knows: handles of a process, the service. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sddl.h>
#include <winternl.h>

#define SERVICE_NAME L"HandleBroker"
#define EXTENDED_HANDLE_INFORMATION 64
#define LENGTH_MISMATCH ((NTSTATUS)0xC0000004)

struct handle_entry {
    void *object;
    ULONG_PTR pid;
    ULONG_PTR value;
    ULONG access;
    USHORT back_trace, type;
    ULONG attributes, reserved;
};

struct handle_list {
    ULONG_PTR count;
    ULONG_PTR reserved;
    struct handle_entry entries[1];
};

typedef NTSTATUS(NTAPI *query_system)(ULONG, void *, ULONG, ULONG *);

/* Every handle of the machine; to be freed. */
static struct handle_list *all_handles(void)
{
    static query_system query;
    static ULONG size = 1u << 18;
    if (query == NULL) {
        FARPROC found = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtQuerySystemInformation");
        query = (query_system)(void (*)(void))found;
    }
    for (;;) {
        void *list = malloc(size);
        assert_non_null(list);
        ULONG needed = 0;
        NTSTATUS status = query(EXTENDED_HANDLE_INFORMATION, list, size, &needed);
        if (status >= 0)
            return list;
        free(list);
        if (status != LENGTH_MISMATCH || size > 1u << 28)
            fail_msg("NtQuerySystemInformation(64): 0x%lx", (unsigned long)status);
        size *= 2;
    }
}

uint32_t kit_handles(DWORD pid)
{
    struct handle_list *list = all_handles();
    uint32_t count = 0;
    for (ULONG_PTR i = 0; i < list->count; i++)
        count += list->entries[i].pid == pid ? 1u : 0u;
    free(list);
    return count;
}

uint32_t kit_handles_at_rest(DWORD pid)
{
    uint32_t before = kit_handles(pid), now = 0;
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; kit_now_ms() <= end; before = now) {
        Sleep(20);
        now = kit_handles(pid);
        if (now == before)
            return now;
    }
    fail_msg("process %lu does not come to rest", pid);
}

/* Return: the granted access of handle @value in process @pid; 0: it has none. */
static uint32_t access_of(DWORD pid, uint64_t value)
{
    struct handle_list *list = all_handles();
    uint32_t access = 0;
    for (ULONG_PTR i = 0; i < list->count && access == 0; i++) {
        if (list->entries[i].pid == pid && list->entries[i].value == value)
            access = list->entries[i].access | 0x80000000u; /* so that no rights are rights too */
    }
    free(list);
    return access;
}

bool kit_holds(DWORD pid, uint64_t value)
{
    return access_of(pid, value) != 0;
}

bool kit_holds_proof(DWORD pid, uint64_t value)
{
    return access_of(pid, value) == (EVENT_MODIFY_STATE | 0x80000000u);
}

void kit_proof_taken(DWORD pid, uint64_t value)
{
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; kit_holds_proof(pid, value); Sleep(5)) {
        if (kit_now_ms() > end)
            fail_msg("process %lu still has its proof", (unsigned long)pid);
    }
}

void kit_handles_at_most(DWORD pid, uint32_t most)
{
    uint32_t count = 0;
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; kit_now_ms() <= end; Sleep(5)) {
        count = kit_handles(pid);
        if (count <= most)
            return;
    }
    fail_msg("process %lu has %lu handles, at most %lu expected", (unsigned long)pid,
             (unsigned long)count, (unsigned long)most);
}

uint64_t kit_private_bytes(DWORD pid)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, pid);
    assert_non_null(process);
    /* Added up by hand: Wine 8's counter of them is always zero, and what is resident is the system's whim. */
    MEMORY_BASIC_INFORMATION region;
    uint64_t bytes = 0;
    const char *at = NULL;
    while (VirtualQueryEx(process, at, &region, sizeof region) == sizeof region) {
        if (region.State == MEM_COMMIT && region.Type == MEM_PRIVATE)
            bytes += region.RegionSize;
        at = (const char *)region.BaseAddress + region.RegionSize;
    }
    CloseHandle(process);
    assert_true(bytes > 0);
    return bytes;
}

const char *kit_user(void)
{
    static char text[200];
    union {
        TOKEN_USER user;
        char bytes[256];
    } token;
    HANDLE handle = NULL;
    char *sid = NULL;
    DWORD size = 0;
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &handle));
    assert_true(GetTokenInformation(handle, TokenUser, &token, sizeof token, &size));
    assert_true(ConvertSidToStringSidA(token.user.User.Sid, &sid));
    (void)snprintf(text, sizeof text, "%s", sid);
    LocalFree(sid);
    CloseHandle(handle);
    return text;
}

typedef NTSTATUS(NTAPI *process_call)(HANDLE);

void kit_suspend(HANDLE process, bool suspended)
{
    FARPROC found = GetProcAddress(GetModuleHandleW(L"ntdll.dll"),
                                   suspended ? "NtSuspendProcess" : "NtResumeProcess");
    process_call call = (process_call)(void (*)(void))found;
    assert_true(call != NULL && call(process) >= 0);
}

/* ---- the service ---- */

static SC_HANDLE open_service(SC_HANDLE *ret_manager)
{
    *ret_manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    assert_non_null(*ret_manager);
    SC_HANDLE service = OpenServiceW(*ret_manager, SERVICE_NAME,
                                     SERVICE_QUERY_STATUS | SERVICE_START | SERVICE_STOP |
                                         SERVICE_INTERROGATE | SERVICE_PAUSE_CONTINUE);
    if (service == NULL)
        fail_msg("the service is not installed (error %lu): tests/wine/service.sh BUILD install",
                 GetLastError());
    return service;
}

void kit_service_query(SERVICE_STATUS_PROCESS *ret_status)
{
    SC_HANDLE manager, service = open_service(&manager);
    DWORD needed;
    assert_true(QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)ret_status,
                                     sizeof *ret_status, &needed));
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
}

void kit_service_wait(DWORD state)
{
    SERVICE_STATUS_PROCESS status = {0};
    for (uint64_t end = kit_now_ms() + 3ull * KIT_WAIT_MS; kit_now_ms() <= end; Sleep(10)) {
        kit_service_query(&status);
        if (status.dwCurrentState == state)
            return;
    }
    fail_msg("the service is in state %lu, not %lu", status.dwCurrentState, state);
}

/* Wine 8 goes on calling a service running whose process has crashed. */
static bool is_alive(DWORD pid)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);
    bool alive = process != NULL && WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
    if (process != NULL)
        CloseHandle(process);
    return alive;
}

DWORD kit_service_pid(void)
{
    SERVICE_STATUS_PROCESS status = {0};
    kit_service_query(&status);
    if (status.dwCurrentState != SERVICE_RUNNING)
        return 0;
    if (!is_alive(status.dwProcessId))
        fail_msg("the service has crashed: its process %lu is gone", status.dwProcessId);
    return status.dwProcessId;
}

void kit_service_start(void)
{
    if (kit_service_pid() != 0)
        return;
    SC_HANDLE manager, service = open_service(&manager);
    if (!StartServiceW(service, 0, NULL) && GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
        fail_msg("StartService: error %lu", GetLastError());
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    kit_service_wait(SERVICE_RUNNING);
}

DWORD kit_service_control(DWORD code, SERVICE_STATUS *ret_status)
{
    SC_HANDLE manager;
    SC_HANDLE service = open_service(&manager);
    DWORD error = ControlService(service, code, ret_status) ? 0 : GetLastError();
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return error;
}

void kit_service_stop_begin(void)
{
    SERVICE_STATUS status;
    SERVICE_STATUS_PROCESS now;
    DWORD error = kit_service_control(SERVICE_CONTROL_STOP, &status);
    if (error == 0)
        return;
    /* A service that is quick may be gone before its answer has passed the Service Control Manager. */
    kit_service_query(&now);
    if (now.dwCurrentState != SERVICE_STOP_PENDING && now.dwCurrentState != SERVICE_STOPPED)
        fail_msg("ControlService(STOP): error %lu, state %lu", error, now.dwCurrentState);
}

void kit_service_stopped(void)
{
    kit_service_wait(SERVICE_STOPPED);
}

uint32_t kit_service_stop(void)
{
    uint64_t begin = kit_now_ms();
    kit_service_stop_begin();
    kit_service_stopped();
    return (uint32_t)(kit_now_ms() - begin);
}
