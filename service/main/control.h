/* What the Service Control Manager asks, and what that means in which state of the service. */
#ifndef HBK_CONTROL_H
#define HBK_CONTROL_H

#include <stdbool.h>
#include <windows.h>

enum hbk_control_act {
    HBK_CONTROL_NOTHING, /* it is being done already, or is too early */
    HBK_CONTROL_TELL,    /* the state, once more */
    HBK_CONTROL_STOP,
    HBK_CONTROL_PAUSE,
    HBK_CONTROL_CONTINUE,
    HBK_CONTROL_RELOAD,
};

/** hbk_control_pending() - does @state (SERVICE_...) end by itself? Then it has a checkpoint and a wait hint. */
bool hbk_control_pending(DWORD state);

/** hbk_control_accepted() - the controls (SERVICE_ACCEPT_...) that are taken in @state. */
DWORD hbk_control_accepted(DWORD state);

/**
 * hbk_control_act() - what @control (SERVICE_CONTROL_...) asks for in @state
 *
 * Return: NO_ERROR; ERROR_CALL_NOT_IMPLEMENTED, ERROR_SERVICE_CANNOT_ACCEPT_CTRL, and *ret_act is NOTHING.
 */
DWORD hbk_control_act(DWORD control, DWORD state, enum hbk_control_act *ret_act);

#endif
