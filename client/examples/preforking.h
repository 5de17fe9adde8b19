/* What the two files of preforking_server share. */
#ifndef HBK_PREFORKING_H
#define HBK_PREFORKING_H

#include <winsock2.h>

#include "example.h"
#include "socket_line.h"

#define PREFORKING_AT_ONCE 12 /* connections that are being answered */
#define PREFORKING_CLIENTS 60 /* in all */
#define PREFORKING_NAME_MAX 48

/** preforking_endpoint() - the endpoint of the worker that is process @pid. */
void preforking_endpoint(DWORD pid, char *ret_name, size_t size);

/** preforking_worker() - take connections and answer them, until killed. Return: false, on failure. */
bool preforking_worker(void);

/** preforking_clients() - ask at @port, in decimals. Return: were all answered? */
bool preforking_clients(const char *port);

#endif
