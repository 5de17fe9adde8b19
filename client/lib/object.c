/* Makers of objects whose rights, once reduced, stay reduced. */
#include "client.h"

#include <sddl.h>

/* Protected, and grants nobody anything. The owner would have READ_CONTROL and WRITE_DAC all the
 * same, and could give itself the rest by the latter; the entry for OWNER RIGHTS takes the place of that,
 * and leaves the reading, so that anybody who holds the object can see what it is. */
#define CLOSED_DESCRIPTOR L"D:P(A;;RC;;;S-1-3-4)"

/* What all makers hand to Windows; made() frees it. */
static hbk_result closed_init(SECURITY_ATTRIBUTES *closed, hbk_error_info *ret_error)
{
    closed->nLength = sizeof *closed;
    closed->bInheritHandle = FALSE;
    closed->lpSecurityDescriptor = NULL;
    if (ConvertStringSecurityDescriptorToSecurityDescriptorW(CLOSED_DESCRIPTOR, SDDL_REVISION_1,
                                                             &closed->lpSecurityDescriptor, NULL))
        return HBK_OK;
    DWORD error = GetLastError();
    if (error == ERROR_NOT_ENOUGH_MEMORY)
        return hbk_fail(ret_error, HBK_NO_MEMORY, -1, error, "out of memory for a descriptor");
    return hbk_fail(ret_error, HBK_OS_ERROR, -1, error, "Windows does not make the descriptor");
}

/* @handle and @error: what Windows has answered. */
static hbk_result made(SECURITY_ATTRIBUTES *closed, HANDLE handle, DWORD error, const char *what,
                       HANDLE *ret_handle, hbk_error_info *ret_error)
{
    LocalFree(closed->lpSecurityDescriptor);
    if (handle == NULL)
        return hbk_fail(ret_error, HBK_OS_ERROR, -1, error, "Windows does not make the %s", what);
    *ret_handle = handle;
    return HBK_OK;
}

static hbk_result no_place(hbk_error_info *ret_error)
{
    return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "ret_handle is NULL");
}

hbk_result hbk_section_create(uint64_t size, uint32_t protect, HANDLE *ret_handle,
                              hbk_error_info *ret_error)
{
    SECURITY_ATTRIBUTES closed;

    if (ret_handle == NULL)
        return no_place(ret_error);
    if (size == 0)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "a section of no bytes");
    hbk_result result = closed_init(&closed, ret_error);
    if (result != HBK_OK)
        return result;
    HANDLE handle = CreateFileMappingW(INVALID_HANDLE_VALUE, &closed, protect, (DWORD)(size >> 32),
                                       (DWORD)size, NULL);
    DWORD error = GetLastError();
    return made(&closed, handle, error, "section", ret_handle, ret_error);
}

hbk_result hbk_event_create(int manual_reset, int set, HANDLE *ret_handle,
                            hbk_error_info *ret_error)
{
    SECURITY_ATTRIBUTES closed;

    if (ret_handle == NULL)
        return no_place(ret_error);
    hbk_result result = closed_init(&closed, ret_error);
    if (result != HBK_OK)
        return result;
    HANDLE handle = CreateEventW(&closed, manual_reset != 0, set != 0, NULL);
    DWORD error = GetLastError();
    return made(&closed, handle, error, "event", ret_handle, ret_error);
}

hbk_result hbk_mutex_create(int owned, HANDLE *ret_handle, hbk_error_info *ret_error)
{
    SECURITY_ATTRIBUTES closed;

    if (ret_handle == NULL)
        return no_place(ret_error);
    hbk_result result = closed_init(&closed, ret_error);
    if (result != HBK_OK)
        return result;
    HANDLE handle = CreateMutexW(&closed, owned != 0, NULL);
    DWORD error = GetLastError();
    return made(&closed, handle, error, "mutex", ret_handle, ret_error);
}

hbk_result hbk_semaphore_create(int32_t count, int32_t maximum, HANDLE *ret_handle,
                                hbk_error_info *ret_error)
{
    SECURITY_ATTRIBUTES closed;

    if (ret_handle == NULL)
        return no_place(ret_error);
    if (maximum < 1 || count < 0 || count > maximum)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "maximum is below 1, or count is not 0 to maximum");
    hbk_result result = closed_init(&closed, ret_error);
    if (result != HBK_OK)
        return result;
    HANDLE handle = CreateSemaphoreW(&closed, count, maximum, NULL);
    DWORD error = GetLastError();
    return made(&closed, handle, error, "semaphore", ret_handle, ret_error);
}

hbk_result hbk_timer_create(int manual_reset, HANDLE *ret_handle, hbk_error_info *ret_error)
{
    SECURITY_ATTRIBUTES closed;

    if (ret_handle == NULL)
        return no_place(ret_error);
    hbk_result result = closed_init(&closed, ret_error);
    if (result != HBK_OK)
        return result;
    HANDLE handle = CreateWaitableTimerW(&closed, manual_reset != 0, NULL);
    DWORD error = GetLastError();
    return made(&closed, handle, error, "timer", ret_handle, ret_error);
}
