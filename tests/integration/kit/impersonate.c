/* For tests alone: a broker that is told that the token of a pipe is that of the process which opened it. Wine's
 * answer is the broker's own token whoever the client is, so that the broker refuses, as it must, every client
 * of another identity. With this in the place of service/win/impersonate.c what comes after that comparison can
 * be tested there. It compares nothing: nobody must ever install this program. */
#include "parts.h"

uint32_t hbk_impersonate(HANDLE pipe, HANDLE *ret_token)
{
    ULONG pid = 0;
    uint32_t error = 0;
    if (!GetNamedPipeClientProcessId(pipe, &pid)) {
        return GetLastError();
    }
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL) {
        return GetLastError();
    }
    if (!OpenProcessToken(process, TOKEN_QUERY, ret_token)) {
        error = GetLastError();
    }
    CloseHandle(process);
    return error;
}
