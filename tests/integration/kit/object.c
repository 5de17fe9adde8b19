/* Objects of every kind, as a process makes them that has never heard of the broker. */
#include "kit.h"

#include <string.h>
#include <winternl.h>

#define READERS_MAX 256

static struct {
    HANDLE writer, reader;
} readers[READERS_MAX];

static const char *const type_names[KIT_ALL_KINDS] = {
    [KIT_EVENT] = "Event",
    [KIT_MUTEX] = "Mutant",
    [KIT_SEMAPHORE] = "Semaphore",
    [KIT_TIMER] = "Timer",
    [KIT_SECTION] = "Section",
    [KIT_FILE] = "File",
    [KIT_PIPE] = "File",
    [KIT_TOKEN] = "Token",
    [KIT_PROCESS] = "Process",
    [KIT_THREAD] = "Thread",
    [KIT_JOB] = "Job",
    [KIT_KEY] = "Key",
    [KIT_IOCP] = "IoCompletion",
    [KIT_DESKTOP] = "Desktop",
    [KIT_STATION] = "WindowStation",
    [KIT_DIRECTORY] = "Directory",
    [KIT_SYMLINK] = "SymbolicLink",
};

const char *kit_type(enum kit_kind kind)
{
    return type_names[kind];
}

static FARPROC ntdll(const char *name)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), name);
}

static HANDLE make_section(void)
{
    HANDLE section =
        CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, KIT_SECTION_SIZE, NULL);
    assert_non_null(section);
    char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    assert_non_null(view);
    memcpy(view, KIT_BYTES, KIT_BYTES_SIZE);
    UnmapViewOfFile(view);
    return section;
}

static HANDLE make_file(void)
{
    wchar_t path[MAX_PATH];
    kit_temp(path, MAX_PATH);
    kit_file_write(path, KIT_BYTES, KIT_BYTES_SIZE);
    HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    kit_temp_remove(path); /* it goes with its last handle */
    return file;
}

static HANDLE make_pipe(void)
{
    HANDLE reader, writer;
    assert_true(CreatePipe(&reader, &writer, NULL, 0));
    for (size_t i = 0; i < READERS_MAX; i++) {
        if (readers[i].writer == NULL) {
            readers[i].writer = writer;
            readers[i].reader = reader;
            return writer;
        }
    }
    fail_msg("%s", "too many pipes at once");
}

HANDLE kit_pipe_reader(HANDLE writer)
{
    uintptr_t value = (uintptr_t)writer;
    for (size_t i = 0; i < READERS_MAX; i++) {
        if ((uintptr_t)readers[i].writer == value)
            return readers[i].reader;
    }
    return NULL;
}

typedef NTSTATUS(NTAPI *open_named)(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *);

static HANDLE open_nt(const char *function, wchar_t *name, ACCESS_MASK access)
{
    FARPROC found = ntdll(function);
    open_named open = (open_named)(void (*)(void))found;
    UNICODE_STRING string;
    string.Buffer = name;
    string.Length = (USHORT)(wcslen(name) * sizeof *name);
    string.MaximumLength = string.Length;
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &string, OBJ_CASE_INSENSITIVE, NULL, NULL);
    HANDLE handle = NULL;
    return open != NULL && open(&handle, access, &attributes) >= 0 ? handle : NULL;
}

static HANDLE make_denied(enum kit_kind kind)
{
    static wchar_t objects[] = L"\\BaseNamedObjects", root[] = L"\\", link[] = L"\\??\\C:";
    HANDLE handle = NULL;
    HKEY key = NULL;
    switch (kind) {
    case KIT_TOKEN:
        return OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &handle) ? handle : NULL;
    case KIT_PROCESS:
        return OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, GetCurrentProcessId());
    case KIT_THREAD:
        return OpenThread(THREAD_QUERY_LIMITED_INFORMATION, FALSE, GetCurrentThreadId());
    case KIT_JOB:
        return CreateJobObjectW(NULL, NULL);
    case KIT_KEY:
        return RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"Software", 0, KEY_READ, &key) == 0 ? (HANDLE)key
                                                                                      : NULL;
    case KIT_IOCP:
        return CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    case KIT_DESKTOP:
        return (HANDLE)CreateDesktopW(L"hbk-test", NULL, NULL, 0, DESKTOP_CREATEWINDOW, NULL);
    case KIT_STATION:
        return (HANDLE)CreateWindowStationW(NULL, 0, WINSTA_READATTRIBUTES, NULL);
    case KIT_DIRECTORY:
        handle = open_nt("NtOpenDirectoryObject", objects, 0x1);
        return handle != NULL ? handle : open_nt("NtOpenDirectoryObject", root, 0x1);
    default:
        return open_nt("NtOpenSymbolicLinkObject", link, 0x1);
    }
}

HANDLE kit_make(enum kit_kind kind)
{
    switch (kind) {
    case KIT_EVENT:
        return CreateEventW(NULL, TRUE, FALSE, NULL);
    case KIT_MUTEX:
        return CreateMutexW(NULL, FALSE, NULL);
    case KIT_SEMAPHORE:
        return CreateSemaphoreW(NULL, 0, 64, NULL);
    case KIT_TIMER:
        return CreateWaitableTimerW(NULL, TRUE, NULL);
    case KIT_SECTION:
        return make_section();
    case KIT_FILE:
        return make_file();
    case KIT_PIPE:
        return make_pipe();
    default:
        return make_denied(kind);
    }
}

void kit_unmake(enum kit_kind kind, HANDLE handle)
{
    if (kind == KIT_PIPE) {
        for (size_t i = 0; i < READERS_MAX; i++) {
            if (readers[i].writer == handle) {
                CloseHandle(readers[i].reader);
                readers[i].writer = NULL;
            }
        }
    }
    if (kind == KIT_DESKTOP)
        CloseDesktop((HDESK)handle);
    else if (kind == KIT_STATION)
        CloseWindowStation((HWINSTA)handle);
    else if (kind == KIT_KEY)
        RegCloseKey((HKEY)handle);
    else
        CloseHandle(handle);
}

typedef NTSTATUS(NTAPI *query_object)(HANDLE, ULONG, void *, ULONG, ULONG *);

uint32_t kit_access(HANDLE handle)
{
    struct {
        ULONG attributes, access, handles, pointers, rest[10];
    } basic = {0};
    FARPROC found = ntdll("NtQueryObject");
    query_object query = (query_object)(void (*)(void))found;
    assert_true(query(handle, 0, &basic, sizeof basic, NULL) >= 0);
    return basic.access;
}

bool kit_is_set(HANDLE waitable)
{
    return WaitForSingleObject(waitable, 0) == WAIT_OBJECT_0;
}

HANDLE kit_closed(void)
{
    HANDLE events[8];
    for (int i = 0; i < 8; i++)
        assert_non_null(events[i] = kit_make(KIT_EVENT));
    for (int i = 7; i >= 0; i--)
        CloseHandle(events[i]);
    return events[7];
}
