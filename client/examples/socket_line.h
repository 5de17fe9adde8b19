/* Sockets as two of the examples use them: lines over TCP on this machine. Nothing in it knows of the
 * broker. */
#ifndef HBK_SOCKET_LINE_H
#define HBK_SOCKET_LINE_H

#include <winsock2.h>

#include <stdbool.h>
#include <stddef.h>

/** socket_local() - 127.0.0.1 with @port, which is in network order. */
struct sockaddr_in socket_local(u_short port);

/** socket_listen() - on a port of the system's choice, told by @ret_address. Return: INVALID_SOCKET on
 * failure. */
SOCKET socket_listen(struct sockaddr_in *ret_address);

/** socket_connect() - Return: INVALID_SOCKET on failure; reading will take 30 s at most. */
SOCKET socket_connect(const struct sockaddr_in *address);

/** socket_own_port() - the port of this end; 0: it has none. */
unsigned socket_own_port(SOCKET socket);

/** socket_peer_port() - the port of the other end. */
unsigned socket_peer_port(SOCKET socket);

/** socket_wait() - until there is something to accept or to read. Return: is there? */
bool socket_wait(SOCKET socket, long milliseconds);

/** socket_write() - all of @text. */
bool socket_write(SOCKET socket, const char *text);

/** socket_read() - one line, without its end. Return: false if it did not come whole. */
bool socket_read(SOCKET socket, char *ret_line, size_t size);

/** socket_abort() - close without the state in which a connection's port is kept for minutes: clients
 * that make thousands of them would run out of ports. */
void socket_abort(SOCKET socket);

#endif
