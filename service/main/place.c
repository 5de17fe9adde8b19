#include "place.h"

#include "base.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>
/* after windows.h */
#include <sddl.h>

#define KEY L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
#define VALUE L"ProgramData"
#define SYSTEM_DRIVE L"%SystemDrive%"
#define FOLDER L"HandleBroker"
#define FILE_NAME L"handlebroker.json"
#define FOLDER_SDDL L"O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

enum { RAW_CHARS = 260 };

/* What the registry says, which only administrators can write; not expanded. */
static uint32_t read_registry(wchar_t ret_raw[RAW_CHARS])
{
    DWORD size = RAW_CHARS * sizeof(wchar_t);
    return (uint32_t)RegGetValueW(HKEY_LOCAL_MACHINE, KEY, VALUE,
                                  RRF_RT_REG_SZ | RRF_RT_REG_EXPAND_SZ | RRF_NOEXPAND, NULL,
                                  ret_raw, &size);
}

uint32_t hbk_place_folder(wchar_t ret_path[HBK_PLACE_CHARS])
{
    wchar_t raw[RAW_CHARS], windows[RAW_CHARS];
    const wchar_t *rest = raw;
    const size_t drive_size = wcslen(SYSTEM_DRIVE);
    wchar_t drive[3] = L"";
    uint32_t error = read_registry(raw);

    if (error != 0) {
        return error;
    }
    if (_wcsnicmp(raw, SYSTEM_DRIVE, drive_size) == 0) {
        UINT size = GetSystemWindowsDirectoryW(windows, RAW_CHARS);
        if (size < 2 || size >= RAW_CHARS) {
            return ERROR_PATH_NOT_FOUND;
        }
        memcpy(drive, windows, 2 * sizeof(*drive));
        rest += drive_size;
    }
    if (wcschr(rest, L'%') != NULL) {
        return ERROR_BAD_PATHNAME; /* another variable: whose value would be the environment's */
    }
    int size = _snwprintf(ret_path, HBK_PLACE_CHARS, L"%ls%ls\\" FOLDER, drive, rest);
    HBK_ASSERT(size > 0 && size < HBK_PLACE_CHARS);
    return 0;
}

uint32_t hbk_place_file(wchar_t ret_path[HBK_PLACE_CHARS])
{
    wchar_t folder[HBK_PLACE_CHARS];
    uint32_t error = hbk_place_folder(folder);

    if (error != 0) {
        return error;
    }
    int size = _snwprintf(ret_path, HBK_PLACE_CHARS, L"%ls\\" FILE_NAME, folder);
    return size > 0 && size < HBK_PLACE_CHARS ? 0 : ERROR_BAD_PATHNAME;
}

uint32_t hbk_place_make(void)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof(attributes)};
    wchar_t folder[HBK_PLACE_CHARS];
    uint32_t error = hbk_place_folder(folder);

    if (error != 0) {
        return error;
    }
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
            FOLDER_SDDL, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL)) {
        return GetLastError();
    }
    if (!CreateDirectoryW(folder, &attributes)) {
        error = GetLastError();
    }
    LocalFree(attributes.lpSecurityDescriptor);
    return error == ERROR_ALREADY_EXISTS ? 0 : error;
}
