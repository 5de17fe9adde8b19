/* A steered child: what it does with the handles that it has. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

static HANDLE handle_of(const struct kit_call *call)
{
    return (HANDLE)(uintptr_t)call->a[0];
}

static uint32_t map_read(HANDLE section, char *ret_text)
{
    const char *view = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
    if (view == NULL)
        return GetLastError();
    memcpy(ret_text, view, KIT_BYTES_SIZE);
    ret_text[KIT_BYTES_SIZE] = '\0';
    UnmapViewOfFile(view);
    return 0;
}

static uint32_t map_write(HANDLE section, const char *text)
{
    char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    if (view == NULL)
        return GetLastError();
    memcpy(view, text, strlen(text) + 1);
    UnmapViewOfFile(view);
    return 0;
}

static uint32_t read_file(HANDLE file, DWORD size, char *ret_text)
{
    DWORD got = 0;
    if (!ReadFile(file, ret_text, size, &got, NULL))
        return GetLastError();
    ret_text[got] = '\0';
    return 0;
}

static uint32_t write_file(HANDLE file, const char *text)
{
    DWORD written = 0;
    return WriteFile(file, text, (DWORD)strlen(text), &written, NULL) ? 0 : GetLastError();
}

static uint32_t set_timer(HANDLE timer)
{
    LARGE_INTEGER now = {.QuadPart = -1};
    return SetWaitableTimer(timer, &now, 0, NULL, NULL, FALSE) ? 0 : GetLastError();
}

/* Whether handle @value is in the table of a child that inherits, under that very value. */
static uint32_t child_sets(uint64_t value)
{
    wchar_t self[MAX_PATH], line[MAX_PATH + 64];
    if (GetModuleFileNameW(NULL, self, MAX_PATH) == 0)
        return GetLastError();
    (void)swprintf(line, MAX_PATH + 64, L"\"%ls\" --set-event %llu", self,
                   (unsigned long long)value);
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION made;
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made))
        return GetLastError();
    DWORD code = WAIT_TIMEOUT;
    if (WaitForSingleObject(made.hProcess, KIT_WAIT_MS) == WAIT_OBJECT_0)
        GetExitCodeProcess(made.hProcess, &code);
    CloseHandle(made.hThread);
    CloseHandle(made.hProcess);
    return code;
}

static uint32_t done(BOOL success)
{
    return success ? 0 : GetLastError();
}

static void make(const struct kit_call *call, struct kit_reply *reply)
{
    HANDLE handle = kit_make((enum kit_kind)call->a[0]);
    reply->value = (uint64_t)(uintptr_t)handle;
    reply->win32 = handle == NULL ? GetLastError() : 0;
}

static void flags(const struct kit_call *call, struct kit_reply *reply)
{
    DWORD value = 0;
    reply->win32 = done(GetHandleInformation(handle_of(call), &value));
    reply->value = value;
}

bool kit_peer_object_op(const struct kit_call *call, struct kit_reply *reply)
{
    HANDLE handle = handle_of(call);
    switch ((enum kit_op)call->op) {
    case KIT_OP_MAKE:
        make(call, reply);
        return true;
    case KIT_OP_SET_EVENT:
        reply->win32 = done(SetEvent(handle));
        return true;
    case KIT_OP_WAIT:
        reply->value = WaitForSingleObject(handle, (DWORD)call->a[1]);
        reply->win32 = reply->value == WAIT_FAILED ? GetLastError() : (uint32_t)reply->value;
        return true;
    case KIT_OP_RELEASE_MUTEX:
        reply->win32 = done(ReleaseMutex(handle));
        return true;
    case KIT_OP_RELEASE_SEMAPHORE:
        reply->win32 = done(ReleaseSemaphore(handle, (LONG)call->a[1], NULL));
        return true;
    case KIT_OP_SET_TIMER:
        reply->win32 = set_timer(handle);
        return true;
    case KIT_OP_MAP_READ:
        reply->win32 = map_read(handle, reply->text);
        return true;
    case KIT_OP_MAP_WRITE:
        reply->win32 = map_write(handle, call->text);
        return true;
    case KIT_OP_READ:
        reply->win32 = read_file(handle, (DWORD)call->a[1], reply->text);
        return true;
    case KIT_OP_WRITE:
        reply->win32 = write_file(handle, call->text);
        return true;
    case KIT_OP_CLOSE_HANDLE:
        reply->win32 = done(CloseHandle(handle));
        return true;
    case KIT_OP_FLAGS:
        flags(call, reply);
        return true;
    case KIT_OP_ACCESS:
        reply->value = kit_access(handle);
        return true;
    case KIT_OP_UNPROTECT:
        reply->win32 = done(SetHandleInformation(handle, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0));
        return true;
    case KIT_OP_CHILD_SETS:
        reply->win32 = child_sets(call->a[0]);
        return true;
    default:
        return false;
    }
}
