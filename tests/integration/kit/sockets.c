#include "sockets.h"

#include <stdio.h>
#include <string.h>

/* ---- this process's own ---- */

static void any_port(struct kit_socket *socket)
{
    memset(&socket->address, 0, sizeof socket->address);
    if (socket->family == AF_INET) {
        struct sockaddr_in *address = (struct sockaddr_in *)&socket->address;
        address->sin_family = AF_INET;
        address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socket->size = sizeof *address;
    } else {
        struct sockaddr_in6 *address = (struct sockaddr_in6 *)&socket->address;
        address->sin6_family = AF_INET6;
        address->sin6_addr.s6_addr[15] = 1; /* ::1 */
        socket->size = sizeof *address;
    }
}

static SOCKET make(int family, int type)
{
    DWORD patience = KIT_WAIT_MS;
    SOCKET made = socket(family, type, 0);
    if (made != INVALID_SOCKET)
        setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, (char *)&patience, sizeof patience);
    return made;
}

/* Bound, and where it is a stream also listening. INVALID_SOCKET: no such loopback. */
static SOCKET server(struct kit_socket *socket, int type)
{
    struct sockaddr *address = (struct sockaddr *)&socket->address;
    any_port(socket);
    SOCKET made = make(socket->family, type);
    if (made == INVALID_SOCKET || bind(made, address, socket->size) != 0 ||
        getsockname(made, address, &socket->size) != 0 ||
        (type == SOCK_STREAM && listen(made, 4) != 0)) {
        closesocket(made);
        return INVALID_SOCKET;
    }
    return made;
}

static SOCKET caller(const struct kit_socket *socket, int type)
{
    SOCKET made = make(socket->family, type);
    if (made != INVALID_SOCKET &&
        connect(made, (const struct sockaddr *)&socket->address, socket->size) == 0)
        return made;
    closesocket(made);
    return INVALID_SOCKET;
}

/* Who is bound knows whom to answer. */
static bool answers(SOCKET serving, SOCKET calling)
{
    struct sockaddr_storage address;
    int size = sizeof address;
    return getsockname(calling, (struct sockaddr *)&address, &size) == 0 &&
           connect(serving, (struct sockaddr *)&address, size) == 0;
}

static void make_ends(struct kit_socket *socket)
{
    bool stream = socket->kind <= KIT_TCP_ACCEPTED;
    SOCKET serving = server(socket, stream ? SOCK_STREAM : SOCK_DGRAM), calling = INVALID_SOCKET;
    if (serving != INVALID_SOCKET && socket->kind != KIT_TCP_LISTENING)
        calling = caller(socket, stream ? SOCK_STREAM : SOCK_DGRAM);
    if (calling != INVALID_SOCKET && stream) {
        SOCKET listening = serving;
        serving = accept(listening, NULL, NULL);
        closesocket(listening);
    }
    if (calling != INVALID_SOCKET && socket->kind == KIT_UDP_CONNECTED)
        assert_true(answers(serving, calling));
    bool given_calls = socket->kind == KIT_TCP_CONNECTED || socket->kind == KIT_UDP_CONNECTED;
    socket->given = given_calls ? calling : serving;
    socket->other = given_calls ? serving : calling;
}

bool kit_socket_make(struct kit_socket *ret_socket, enum kit_socket_kind kind, int family)
{
    memset(ret_socket, 0, sizeof *ret_socket);
    ret_socket->kind = kind;
    ret_socket->family = family;
    make_ends(ret_socket);
    bool whole = ret_socket->given != INVALID_SOCKET &&
                 (kind == KIT_TCP_LISTENING || ret_socket->other != INVALID_SOCKET);
    if (!whole)
        kit_socket_close(ret_socket);
    return whole;
}

void kit_socket_close_given(struct kit_socket *socket)
{
    if (socket->given != INVALID_SOCKET)
        closesocket(socket->given);
    socket->given = INVALID_SOCKET;
}

void kit_socket_close(struct kit_socket *socket)
{
    kit_socket_close_given(socket);
    if (socket->other != INVALID_SOCKET)
        closesocket(socket->other);
    socket->other = INVALID_SOCKET;
}

HANDLE kit_socket_handle(const struct kit_socket *socket)
{
    return (HANDLE)(uintptr_t)socket->given;
}

static void say(SOCKET from, const char *text)
{
    int size = (int)strlen(text);
    assert_int_equal(send(from, text, size, 0), size);
}

static void hears(SOCKET at, const char *text)
{
    char heard[64] = "";
    size_t size = 0;
    while (size < strlen(text)) {
        int got = recv(at, heard + size, (int)(sizeof heard - 1 - size), 0);
        if (got <= 0)
            fail_msg("recv: %d, error %d", got, WSAGetLastError());
        size += (size_t)got;
    }
    assert_string_equal(heard, text);
}

void kit_socket_works(struct kit_socket *socket)
{
    if (socket->kind == KIT_TCP_LISTENING) {
        SOCKET calling = caller(socket, SOCK_STREAM), accepted;
        assert_true(calling != INVALID_SOCKET);
        accepted = accept(socket->given, NULL, NULL);
        assert_true(accepted != INVALID_SOCKET);
        say(accepted, "ours");
        hears(calling, "ours");
        closesocket(accepted);
        closesocket(calling);
        return;
    }
    say(socket->other, "to ours");
    hears(socket->given, "to ours");
    if (socket->kind != KIT_UDP_BOUND) { /* which knows nobody to send to */
        say(socket->given, "ours");
        hears(socket->other, "ours");
    }
}

/* ---- a child's ---- */

uint64_t kit_socket_do(struct kit_peer *peer, enum kit_socket_op op, uint64_t a0, uint64_t a1,
                       const char *text)
{
    int error = kit_peer_do(peer, (enum kit_op)op, a0, a1, text);
    if (error != 0)
        fail_msg("operation %d of a child with socket %llu: error %d", (int)op,
                 (unsigned long long)a0, error);
    return peer->reply.value;
}

static void speaks(struct kit_peer *peer, uint64_t value, SOCKET with, bool knows_whom)
{
    say(with, KIT_SOCKET_TEXT);
    kit_socket_do(peer, KIT_SOCKET_OP_RECV, value, 0, NULL);
    assert_string_equal(peer->reply.text, KIT_SOCKET_TEXT);
    if (knows_whom) {
        kit_socket_do(peer, KIT_SOCKET_OP_SEND, value, 0, "from there");
        hears(with, "from there");
    }
}

/* The end of the stream, by who was given it. */
static void shuts(struct kit_peer *peer, uint64_t value, SOCKET with)
{
    char byte;
    kit_socket_do(peer, KIT_SOCKET_OP_SHUTDOWN, value, SD_SEND, NULL);
    assert_int_equal(recv(with, &byte, 1, 0), 0);
}

void kit_socket_used(struct kit_peer *peer, uint64_t value, struct kit_socket *socket)
{
    bool stream = socket->kind <= KIT_TCP_ACCEPTED;
    int type = stream ? SOCK_STREAM : SOCK_DGRAM;
    assert_int_equal(kit_socket_do(peer, KIT_SOCKET_OP_TYPE, value, 0, NULL), type);
    if (socket->kind == KIT_TCP_LISTENING) {
        SOCKET calling = caller(socket, SOCK_STREAM);
        assert_true(calling != INVALID_SOCKET);
        uint64_t accepted = kit_socket_do(peer, KIT_SOCKET_OP_ACCEPT, value, 0, NULL);
        speaks(peer, accepted, calling, true);
        shuts(peer, accepted, calling);
        kit_socket_do(peer, KIT_SOCKET_OP_CLOSE, accepted, 0, NULL);
        closesocket(calling);
        return;
    }
    speaks(peer, value, socket->other, socket->kind != KIT_UDP_BOUND);
    /* Both may use it, until one of them ends the stream for both. */
    if (socket->given != INVALID_SOCKET)
        kit_socket_works(socket);
    if (stream)
        shuts(peer, value, socket->other);
}

void kit_socket_listen(struct kit_peer *peer, const char *name, uint32_t flags)
{
    static const char *const types[] = {"Socket", "Event", "Section", "File"};
    kit_peer_open(peer);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        (void)snprintf(peer->call.items[i].type, sizeof peer->call.items[i].type, "%s", types[i]);
    peer->call.count = sizeof types / sizeof *types;
    (void)snprintf(peer->call.name, sizeof peer->call.name, "%s", name);
    if (kit_peer_do(peer, KIT_OP_ENDPOINT, flags, 0, NULL) != HBK_OK)
        fail_msg("hbk_endpoint_open in a child: %s", peer->reply.error.detail);
}

hbk_result kit_socket_send(hbk_client *client, const char *name, const hbk_send_item *items,
                           size_t count, hbk_error_info *ret_error)
{
    hbk_send_options send = {.size = sizeof send, .to = name, .items = items, .count = count};
    hbk_result result = HBK_TIMEOUT;
    for (int tries = 0; tries < 20 && result == HBK_TIMEOUT; tries++)
        result = hbk_send(client, &send, NULL, ret_error);
    return result;
}

void kit_socket_receive(struct kit_peer *peer, uint32_t count)
{
    int result = kit_peer_do(peer, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL);
    if (result != HBK_OK)
        fail_msg("hbk_receive in a child: %d: %s", result, peer->reply.error.detail);
    assert_int_equal(peer->reply.count, count);
}

/* ---- what came ---- */

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

size_t kit_base64(const char *text, void *ret_bytes, size_t size)
{
    uint8_t *bytes = ret_bytes;
    size_t length = strlen(text), count = 0;
    uint32_t bits = 0;
    if (length % 4 != 0)
        return 0;
    size_t padding = strcspn(text, "=");
    if (length - padding > 2)
        return 0;
    for (size_t i = 0; i < length; i++) {
        int digit = i < padding ? digit_of(text[i]) : 0;
        if (digit < 0 || (i >= padding && text[i] != '='))
            return 0;
        bits = bits << 6 | (uint32_t)digit;
        for (size_t k = 0; i % 4 == 3 && k < 3; k++) {
            if (i == length - 1 && k >= 3 - (length - padding))
                break;
            if (count == size)
                return 0;
            bytes[count++] = (uint8_t)(bits >> (16 - 8 * k));
        }
    }
    return count;
}

/* ---- inside the child ---- */

static uint32_t done(int result)
{
    return result == 0 ? 0 : (uint32_t)WSAGetLastError();
}

static void do_recv(SOCKET at, struct kit_reply *reply)
{
    int got = recv(at, reply->text, sizeof reply->text - 1, 0);
    reply->win32 = got >= 0 ? 0 : (uint32_t)WSAGetLastError();
    reply->value = got >= 0 ? (uint64_t)got : 0;
}

static void show(SOCKET made, struct kit_reply *reply)
{
    reply->value = made;
    reply->win32 = made == INVALID_SOCKET ? (uint32_t)WSAGetLastError() : 0;
}

static void do_make(const struct kit_call *call, struct kit_reply *reply)
{
    struct kit_socket pair;
    if (!kit_socket_make(&pair, (enum kit_socket_kind)call->a[0], AF_INET)) {
        reply->win32 = (uint32_t)WSAGetLastError();
        return;
    }
    reply->value = pair.given;
    reply->items[0].handle = pair.other;
}

static void do_get(hbk_client *client, const struct kit_call *call, struct kit_reply *reply)
{
    hbk_store_get_options options = {.size = sizeof options};
    hbk_taken *taken = NULL;
    options.name = call->name[0] != '\0' ? call->name : NULL;
    options.ticket = call->name[0] == '\0' ? call->text : NULL;
    reply->result = hbk_store_get(client, &options, &taken, &reply->error);
    if (reply->result != HBK_OK)
        return;
    (void)snprintf(reply->items[0].type, sizeof reply->items[0].type, "%s", taken->type);
    reply->value = hbk_taken_take_socket(taken);
    hbk_taken_free(taken);
}

static void do_from_info(const struct kit_call *call, struct kit_reply *reply)
{
    WSAPROTOCOL_INFOW info;
    if (kit_base64(call->text, &info, sizeof info) != sizeof info) {
        reply->win32 = ERROR_INVALID_DATA;
        return;
    }
    show(WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                    WSA_FLAG_OVERLAPPED),
         reply);
}

static void do_open_process(const struct kit_call *call, struct kit_reply *reply)
{
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, (DWORD)call->a[0]);
    reply->win32 = process == NULL ? GetLastError() : 0;
    if (process != NULL)
        CloseHandle(process);
}

static bool act(hbk_client *client, const struct kit_call *call, struct kit_reply *reply)
{
    SOCKET given = (SOCKET)call->a[0];
    int type = 0, size = sizeof type;
    switch ((enum kit_socket_op)call->op) {
    case KIT_SOCKET_OP_SEND:
        size = (int)strlen(call->text);
        reply->win32 = done(send(given, call->text, size, 0) == size ? 0 : -1);
        return true;
    case KIT_SOCKET_OP_RECV:
        do_recv(given, reply);
        return true;
    case KIT_SOCKET_OP_ACCEPT:
        show(accept(given, NULL, NULL), reply);
        return true;
    case KIT_SOCKET_OP_TYPE:
        reply->win32 = done(getsockopt(given, SOL_SOCKET, SO_TYPE, (char *)&type, &size));
        reply->value = (uint64_t)type;
        return true;
    case KIT_SOCKET_OP_SHUTDOWN:
        reply->win32 = done(shutdown(given, (int)call->a[1]));
        return true;
    case KIT_SOCKET_OP_CLOSE:
        reply->win32 = done(closesocket(given));
        return true;
    case KIT_SOCKET_OP_MAKE:
        do_make(call, reply);
        return true;
    case KIT_SOCKET_OP_GET:
        do_get(client, call, reply);
        return true;
    case KIT_SOCKET_OP_FROM_INFO:
        do_from_info(call, reply);
        return true;
    case KIT_SOCKET_OP_OPEN_PROCESS:
        do_open_process(call, reply);
        return true;
    default:
        return false;
    }
}

int kit_socket_main(int argc, char **argv, int (*group)(void))
{
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);
    if (error != 0) {
        printf("WSAStartup: error %d\n", error);
        return 1;
    }
    kit_peer_own = act;
    return kit_main(argc, argv, group);
}
