/* Sockets on the loopback, of this process and of steered children. Only in programs that link Winsock. */
#ifndef HBK_KIT_SOCKETS_H
#define HBK_KIT_SOCKETS_H

#include <winsock2.h>
#include <ws2tcpip.h>

#include "kit.h"

#define KIT_SOCKET_TEXT "through the broker"

enum kit_socket_kind {
    KIT_TCP_LISTENING,
    KIT_TCP_CONNECTED,
    KIT_TCP_ACCEPTED,
    KIT_UDP_BOUND,
    KIT_UDP_CONNECTED,
    KIT_SOCKET_KINDS
};

/* One to be handed over, and one that it speaks with. */
struct kit_socket {
    enum kit_socket_kind kind;
    SOCKET given;
    SOCKET other; /* of one that listens INVALID_SOCKET until somebody connects */
    int family, size;
    struct sockaddr_storage address; /* of the one that is bound */
};

/* What children do with sockets; a[0] is the socket, but where it says otherwise. */
enum kit_socket_op {
    KIT_SOCKET_OP_SEND = KIT_OP_OWN, /* text */
    KIT_SOCKET_OP_RECV,              /* text: what was received; value: its size */
    KIT_SOCKET_OP_ACCEPT,            /* value: what was accepted */
    KIT_SOCKET_OP_TYPE,              /* value: SO_TYPE */
    KIT_SOCKET_OP_SHUTDOWN,          /* a[1]: how */
    KIT_SOCKET_OP_CLOSE,
    KIT_SOCKET_OP_MAKE,        /* a[0]: its kind; value: one of IPv4; items[0]: its other end */
    KIT_SOCKET_OP_GET,         /* name or text: a ticket; out of the store; value */
    KIT_SOCKET_OP_FROM_INFO,   /* text: protocol information as it came; value */
    KIT_SOCKET_OP_OPEN_PROCESS /* a[0]: pid; may its handles be duplicated? */
};

/** kit_socket_main() - kit_main(), with Winsock and the operations above. */
int kit_socket_main(int argc, char **argv, int (*group)(void));

/** kit_socket_make() - Return: false, this machine has no such loopback. */
bool kit_socket_make(struct kit_socket *ret_socket, enum kit_socket_kind kind, int family);
/** kit_socket_close() - both ends, those that are open. */
void kit_socket_close(struct kit_socket *socket);
/** kit_socket_close_given() - our end of what was handed over. */
void kit_socket_close_given(struct kit_socket *socket);
/** kit_socket_handle() - what is handed over. */
HANDLE kit_socket_handle(const struct kit_socket *socket);
/** kit_socket_works() - our own end still does. Of one that listens: it is one still. */
void kit_socket_works(struct kit_socket *socket);

/** kit_socket_used() - @peer does with @value, its own of @socket, all that such a socket is for. */
void kit_socket_used(struct kit_peer *peer, uint64_t value, struct kit_socket *socket);
/** kit_socket_do() - an operation of @peer, which must succeed. Return: its value. */
uint64_t kit_socket_do(struct kit_peer *peer, enum kit_socket_op op, uint64_t a0, uint64_t a1,
                       const char *text);

/** kit_socket_listen() - a started @peer has opened @name, which takes sockets and what else there is by default. */
void kit_socket_listen(struct kit_peer *peer, const char *name, uint32_t flags);
/** kit_socket_send() - @count items; tried again where Winsock was slower than the broker waits for it. */
hbk_result kit_socket_send(hbk_client *client, const char *name, const hbk_send_item *items,
                           size_t count, hbk_error_info *ret_error);
/** kit_socket_receive() - @peer has been given @count items: peer->reply. */
void kit_socket_receive(struct kit_peer *peer, uint32_t count);

/** kit_base64() - decode @text by RFC 4648 alone, at most @size bytes. Return: how many; 0: it is none. */
size_t kit_base64(const char *text, void *ret_bytes, size_t size);

#endif
