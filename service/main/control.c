#include "control.h"

bool hbk_control_pending(DWORD state)
{
    return state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING ||
           state == SERVICE_PAUSE_PENDING || state == SERVICE_CONTINUE_PENDING;
}

/* It has started and is not about to end. */
static bool serving(DWORD state)
{
    return state == SERVICE_RUNNING || state == SERVICE_PAUSED || state == SERVICE_PAUSE_PENDING ||
           state == SERVICE_CONTINUE_PENDING;
}

DWORD hbk_control_accepted(DWORD state)
{
    DWORD accepted = 0;
    if (serving(state)) {
        accepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_SHUTDOWN |
                   SERVICE_ACCEPT_PARAMCHANGE;
    }
    /* One pause at a time: the next is taken when this one is done. */
    if (serving(state) && !hbk_control_pending(state)) {
        accepted |= SERVICE_ACCEPT_PAUSE_CONTINUE;
    }
    return accepted;
}

/* From state @from to state @to, by way of @pending. */
static DWORD change(DWORD state, DWORD from, DWORD pending, DWORD to, enum hbk_control_act act,
                    enum hbk_control_act *ret_act)
{
    if (state == from) {
        *ret_act = act;
    } else if (state == pending || state == to) {
        *ret_act = HBK_CONTROL_TELL;
    } else {
        return ERROR_SERVICE_CANNOT_ACCEPT_CTRL;
    }
    return NO_ERROR;
}

DWORD hbk_control_act(DWORD control, DWORD state, enum hbk_control_act *ret_act)
{
    *ret_act = HBK_CONTROL_NOTHING;
    switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
    case SERVICE_CONTROL_PRESHUTDOWN: /* Windows waits for the end, within its own limit */
        *ret_act = serving(state) ? HBK_CONTROL_STOP : HBK_CONTROL_NOTHING;
        return NO_ERROR;
    case SERVICE_CONTROL_PAUSE:
        return change(state, SERVICE_RUNNING, SERVICE_PAUSE_PENDING, SERVICE_PAUSED,
                      HBK_CONTROL_PAUSE, ret_act);
    case SERVICE_CONTROL_CONTINUE:
        return change(state, SERVICE_PAUSED, SERVICE_CONTINUE_PENDING, SERVICE_RUNNING,
                      HBK_CONTROL_CONTINUE, ret_act);
    case SERVICE_CONTROL_PARAMCHANGE:
        *ret_act = serving(state) ? HBK_CONTROL_RELOAD : HBK_CONTROL_NOTHING;
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
        *ret_act = HBK_CONTROL_TELL;
        return NO_ERROR;
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}
