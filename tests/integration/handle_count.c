/* Prints how many handles a process has open.
 *
 *     handle_count PID          of that process
 *     handle_count SERVICE      of the process that runs this service, by the Service Control
 *     Manager
 *
 * Exit code 0; 1 if there is no such process or service; 2 on wrong usage. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#define EXTENDED_HANDLE_LIST 64u /* SystemExtendedHandleInformation */
#define LENGTH_MISMATCH ((LONG)0xC0000004)
#define LIST_BYTES_MAX (256u << 20)

typedef LONG(WINAPI *query_system)(ULONG, void *, ULONG, ULONG *);

struct handle_entry {
    void *object;
    ULONG_PTR pid, handle;
    ULONG access;
    USHORT trace, type;
    ULONG attributes, reserved;
};

struct handle_list {
    ULONG_PTR count, reserved;
    struct handle_entry entries[1];
};

static struct handle_list *list_handles(void)
{
    struct handle_list *list = NULL;
    ULONG room = 1u << 20, size = 0;
    LONG status = LENGTH_MISMATCH;

    HMODULE module = GetModuleHandleW(L"ntdll.dll");
    FARPROC address = module != NULL ? GetProcAddress(module, "NtQuerySystemInformation") : NULL;
    if (address == NULL)
        return NULL;
    query_system query = (query_system)(void (*)(void))address;
    while (status == LENGTH_MISMATCH && room <= LIST_BYTES_MAX) {
        free(list);
        list = malloc(room);
        if (list == NULL)
            return NULL;
        status = query(EXTENDED_HANDLE_LIST, list, room, &size);
        room *= 2;
    }
    if (status != 0) {
        free(list);
        return NULL;
    }
    return list;
}

static DWORD service_pid(const wchar_t *name)
{
    SERVICE_STATUS_PROCESS status = {0};
    DWORD size = 0, pid = 0;

    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    if (manager == NULL)
        return 0;
    SC_HANDLE service = OpenServiceW(manager, name, SERVICE_QUERY_STATUS);
    if (service != NULL) {
        if (QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof status,
                                 &size))
            pid = status.dwProcessId;
        CloseServiceHandle(service);
    }
    CloseServiceHandle(manager);
    return pid;
}

int wmain(int argc, wchar_t **argv)
{
    wchar_t *end = NULL;
    unsigned long count = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: handle_count PID | SERVICE\n");
        return 2;
    }
    DWORD pid = wcstoul(argv[1], &end, 10);
    if (end == argv[1] || *end != L'\0')
        pid = service_pid(argv[1]);
    if (pid == 0) {
        fprintf(stderr, "handle_count: no such process, or the service does not run\n");
        return 1;
    }
    struct handle_list *list = list_handles();
    if (list == NULL) {
        fprintf(stderr, "handle_count: the system does not list its handles\n");
        return 1;
    }
    for (ULONG_PTR i = 0; i < list->count; i++)
        count += list->entries[i].pid == pid;
    free(list);
    if (count == 0) {
        fprintf(stderr, "handle_count: no process %lu\n", pid);
        return 1;
    }
    printf("%lu\n", count);
    return 0;
}
