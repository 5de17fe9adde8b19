/* Who may do what with the service's pipe. service/ATTACK_SURFACE.md gives the reason for each
 * entry. */
#include "parts.h"

#include <sddl.h>
#include <stdlib.h>
#include <wchar.h>

/* Clients get FILE_GENERIC_READ | FILE_GENERIC_WRITE without FILE_CREATE_PIPE_INSTANCE (which is
 * the same bit as FILE_APPEND_DATA), so that none can stand in line as a server. */
#define CLIENT L"0x12019B"

/* %ls: whoever runs the service. */
#define SERVICE_FORMAT                                    \
    L"O:%lsG:%lsD:P(D;;GA;;;NU)(D;;GA;;;AN)(A;;GA;;;%ls)" \
    L"(A;;" CLIENT L";;;AU)(A;;" CLIENT L";;;AC)(A;;" CLIENT L";;;RC)S:(ML;;NW;;;LW)"

enum { SDDL_CHARS_MAX = 1024 };

/* The SID of the user that this process runs as, for LocalFree(). */
static uint32_t running_user(wchar_t **ret_sid)
{
    uint32_t error = 0;
    HANDLE token = NULL;
    TOKEN_USER *user = NULL;
    DWORD size = 0;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        error = GetLastError();
        goto out;
    }
    if (!GetTokenInformation(token, TokenUser, NULL, 0, &size)) {
        error = GetLastError();
        if (error != ERROR_INSUFFICIENT_BUFFER) {
            goto out;
        }
        error = 0;
    }
    user = malloc(size);
    if (user == NULL) {
        error = ERROR_NOT_ENOUGH_MEMORY;
        goto out;
    }
    if (!GetTokenInformation(token, TokenUser, user, size, &size) ||
        !ConvertSidToStringSidW(user->User.Sid, ret_sid)) {
        error = GetLastError();
    }
out:
    free(user);
    if (token != NULL) {
        CloseHandle(token);
    }
    return error;
}

uint32_t hbk_descriptor_new(bool console, PSECURITY_DESCRIPTOR *ret_descriptor)
{
    uint32_t error = 0;
    wchar_t sddl[SDDL_CHARS_MAX];
    wchar_t *user = NULL;
    const wchar_t *owner = L"SY";

    if (console) {
        error = running_user(&user);
        if (error != 0) {
            goto out;
        }
        owner = user;
    }
    int size = _snwprintf(sddl, SDDL_CHARS_MAX, SERVICE_FORMAT, owner, owner, owner);
    HBK_ASSERT(size > 0 && size < SDDL_CHARS_MAX);
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, ret_descriptor,
                                                              NULL)) {
        error = GetLastError();
    }
out:
    LocalFree(user);
    return error;
}
