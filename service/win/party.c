/* A process that a client names by its pid. What Windows would let that client do there by itself is asked over the
 * same handle that all else is done with, so that the process which was asked about is the one which is used. */
#include "access.h"
#include "parts.h"

#include <stdlib.h>

enum { PID_OF_SYSTEM = 4 };

/* Process @pid, which is alive. Return: 0 or FAILED. */
static int open_alive(uint32_t pid, HANDLE *ret_process, struct hbk_failure *ret_failure)
{
    HANDLE process = hbk_identity_open(pid);
    if (process == NULL) {
        uint32_t error = GetLastError();
        switch (error) {
        case ERROR_INVALID_PARAMETER:
            return hbk_handles_fail(ret_failure, HBK_R_NOT_FOUND, error,
                                    "there is no such process");
        case ERROR_ACCESS_DENIED:
            return hbk_handles_fail(ret_failure, HBK_R_DENIED, error,
                                    "the process is protected: Windows lets not even the broker "
                                    "duplicate its handles");
        default:
            return hbk_handles_fail(ret_failure, HBK_R_OS_ERROR, error,
                                    "Windows did not open the process");
        }
    }
    /* Windows passes over the low two bits of a pid. Whoever compares it with others must not. */
    if (GetProcessId(process) != pid) {
        CloseHandle(process);
        return hbk_handles_fail(ret_failure, HBK_R_NOT_FOUND, 0, "there is no such process");
    }
    if (hbk_handles_has_ended(process)) {
        CloseHandle(process);
        return hbk_handles_fail(ret_failure, HBK_R_NOT_FOUND, 0, "the process has ended");
    }
    *ret_process = process;
    return 0;
}

int hbk_party_open(void *caller, uint32_t pid, void **ret_party, struct hbk_failure *ret_failure)
{
    const struct hbk_win_party *asking = caller;
    HANDLE process = NULL;

    if (pid == 0 || pid == PID_OF_SYSTEM || pid == GetCurrentProcessId()) {
        return hbk_handles_fail(ret_failure, HBK_R_DENIED, 0,
                                "the system's own processes and the broker's take part in nothing");
    }
    int result = open_alive(pid, &process, ret_failure);
    if (result != 0) {
        return result;
    }
    if (!hbk_access_to_process(asking->token, process)) {
        CloseHandle(process);
        return hbk_handles_fail(ret_failure, HBK_R_DENIED, 0,
                                "Windows would not let you duplicate handles of that process: its "
                                "descriptor must grant you PROCESS_DUP_HANDLE");
    }
    struct hbk_win_party *party = calloc(1, sizeof(*party));
    if (party == NULL) {
        CloseHandle(process);
        return hbk_handles_fail(ret_failure, HBK_R_OS_ERROR, ERROR_NOT_ENOUGH_MEMORY,
                                "the broker is out of memory");
    }
    party->win = asking->win;
    party->process = process;
    party->pid = pid;
    party->closer = hbk_workers_closer_ref(asking->closer);
    if (hbk_identity_token(process, &party->token) != 0) {
        party->token = NULL; /* then nothing is said about it */
    }
    *ret_party = party;
    return 0;
}

void hbk_party_close(void *context)
{
    struct hbk_win_party *party = context;

    if (party == NULL) {
        return;
    }
    hbk_workers_closer_release(party->win->workers, party->closer);
    if (party->token != NULL) {
        CloseHandle(party->token);
    }
    CloseHandle(party->process);
    free(party);
}
