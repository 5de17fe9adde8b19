/* Lines over TCP: see socket_line.h. */
#include "socket_line.h"

#include <string.h>

#define READ_MS 30000

struct sockaddr_in socket_local(u_short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = port};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

SOCKET socket_listen(struct sockaddr_in *ret_address)
{
    struct sockaddr_in address = socket_local(0);
    int size = sizeof address;
    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);

    if (listener == INVALID_SOCKET)
        return INVALID_SOCKET;
    if (bind(listener, (struct sockaddr *)&address, size) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        listen(listener, SOMAXCONN) != 0) {
        closesocket(listener);
        return INVALID_SOCKET;
    }
    *ret_address = address;
    return listener;
}

SOCKET socket_connect(const struct sockaddr_in *address)
{
    DWORD milliseconds = READ_MS;
    SOCKET connection = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);

    if (connection == INVALID_SOCKET)
        return INVALID_SOCKET;
    if (setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, (const char *)&milliseconds,
                   sizeof milliseconds) != 0 ||
        connect(connection, (const struct sockaddr *)address, sizeof *address) != 0) {
        closesocket(connection);
        return INVALID_SOCKET;
    }
    return connection;
}

unsigned socket_own_port(SOCKET socket)
{
    struct sockaddr_in address = {0};
    int size = sizeof address;

    getsockname(socket, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

unsigned socket_peer_port(SOCKET socket)
{
    struct sockaddr_in address = {0};
    int size = sizeof address;

    getpeername(socket, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

bool socket_wait(SOCKET socket, long milliseconds)
{
    struct timeval time = {.tv_sec = milliseconds / 1000, .tv_usec = (milliseconds % 1000) * 1000};
    fd_set sockets = {.fd_count = 1, .fd_array = {socket}};

    return select(0, &sockets, NULL, NULL, &time) == 1;
}

bool socket_write(SOCKET socket, const char *text)
{
    int left = (int)strlen(text), sent = 0;

    while (left > 0 && (sent = send(socket, text, left, 0)) > 0) {
        text += sent;
        left -= sent;
    }
    return left == 0;
}

bool socket_read(SOCKET socket, char *ret_line, size_t size)
{
    size_t used = 0;
    int got = 0;

    while (used + 1 < size &&
           (got = recv(socket, ret_line + used, (int)(size - used - 1), 0)) > 0) {
        used += (size_t)got;
        if (ret_line[used - 1] == '\n') {
            ret_line[used - 1] = '\0';
            return true;
        }
    }
    ret_line[used] = '\0';
    return false;
}

void socket_abort(SOCKET socket)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(socket, SOL_SOCKET, SO_LINGER, (const char *)&now, sizeof now);
    closesocket(socket);
}
