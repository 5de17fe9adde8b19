/* Handles before they are sent, and when they are closed. */
#include "client.h"

void hbk_handle_close(HANDLE handle)
{
    DWORD flags = 0;

    /* Asked first: closing a protected handle raises an exception under a debugger. */
    if (GetHandleInformation(handle, &flags) && (flags & HANDLE_FLAG_PROTECT_FROM_CLOSE))
        SetHandleInformation(handle, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
    CloseHandle(handle);
}

const char *hbk_handle_reason(HANDLE handle)
{
    static const char *const pseudo[] = {
        "is INVALID_HANDLE_VALUE, or GetCurrentProcess(), which is no real handle",
        "is GetCurrentThread(), which is no real handle",
        "is a pseudo-handle, which is no real handle",
        "is GetCurrentProcessToken(), which is no real handle",
        "is GetCurrentThreadToken(), which is no real handle",
        "is GetCurrentThreadEffectiveToken(), which is no real handle",
    };
    int64_t value = (int64_t)(intptr_t)handle;

    if (value == 0)
        return "is NULL";
    if (value < 0 && value >= -(int64_t)(sizeof pseudo / sizeof pseudo[0]))
        return pseudo[-value - 1];
    if (value < 0 || value > HBK_HANDLE_MAX)
        return "is no value of a kernel handle";
    if (value % 4 != 0)
        return "is no multiple of 4: pass the value just as Windows gave it";
    return NULL;
}

/* Whether @handle is a window's or one of GDI's, asked of a library that is loaded for the
 * question, as this is only asked when something went wrong. */
static bool answers(const wchar_t *library, const char *function, HANDLE handle)
{
    typedef UINT_PTR(WINAPI * question)(HANDLE);
    bool yes = false;

    HMODULE module = LoadLibraryExW(library, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (module == NULL)
        return false;
    question ask = (question)(void (*)(void))GetProcAddress(module, function);
    if (ask != NULL)
        yes = (uint32_t)ask(handle) != 0;
    FreeLibrary(module);
    return yes;
}

const char *hbk_handle_kind(HANDLE handle)
{
    if (handle == NULL || handle == INVALID_HANDLE_VALUE)
        return NULL;
    if (answers(L"user32.dll", "IsWindow", handle))
        return "a window handle (HWND)";
    if (answers(L"gdi32.dll", "GetObjectType", handle))
        return "a GDI handle";
    return NULL;
}
