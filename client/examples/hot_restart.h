/* What the two files of hot_restart share. */
#ifndef HBK_HOT_RESTART_H
#define HBK_HOT_RESTART_H

#include <winsock2.h>

#include "example.h"
#include "socket_line.h"

#define HOT_RESTART_LISTENER "user/hot-restart/listener"
#define HOT_RESTART_STATE "user/hot-restart/state"

/* What lies in the section. */
struct state {
    volatile LONG served; /* by all servers so far */
    LONG generation;      /* of servers */
    u_short port;         /* in network order */
};

/** hot_restart_server() - be the server of this @generation, for a while. The first makes socket and
 * section, the others take them over. Return: did all go well? */
bool hot_restart_server(long generation);

/** hot_restart_take() - take what the store has under @name. Return: NULL, and has said why. */
hbk_taken *hot_restart_take(hbk_client *client, const char *name);

#endif
