/* The one function in which a thread of the service is somebody else. It stands alone, so that whoever reads
 * it sees all of it, and so that tests can have a broker that does not use it: not every system on which they
 * run gives out the client's token here. */
#include "parts.h"

uint32_t hbk_impersonate(HANDLE pipe, HANDLE *ret_token)
{
    uint32_t error = 0;
    if (!ImpersonateNamedPipeClient(pipe)) {
        return GetLastError();
    }
    /* Opened as the service: a client's own token may not let the client open it. */
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, ret_token)) {
        error = GetLastError();
    }
    if (!RevertToSelf()) {
        TerminateProcess(GetCurrentProcess(), ERROR_CANNOT_IMPERSONATE);
        hbk_assert_failed("RevertToSelf()", __FILE__, __LINE__);
    }
    return error;
}
