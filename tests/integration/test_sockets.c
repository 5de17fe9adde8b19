/* Sockets as items of type Socket: of every kind, by every way, and used for real by who gets them, while and
 * after who gave them uses them too. */
#include "sockets.h"

#include <stdio.h>
#include <string.h>

static hbk_send_item item_of(const struct kit_socket *socket)
{
    return (hbk_send_item){.handle = kit_socket_handle(socket), .type = "Socket"};
}

static void send_one(hbk_client *client, const char *name, const struct kit_socket *socket)
{
    hbk_error_info error = {.result = HBK_OK};
    hbk_send_item item = item_of(socket);
    hbk_result result = kit_socket_send(client, name, &item, 1, &error);
    if (result != HBK_OK)
        fail_msg("%s: %s", hbk_result_word(result), error.detail);
}

static void free_there(struct kit_peer *target)
{
    assert_int_equal(kit_peer_do(target, KIT_OP_FREE, 0, 0, NULL), 0);
}

/* A target that listens at *ret_name, a sender, and a mark of both. What a process keeps of its first socket it has
 * by then. */
static hbk_client *begin(struct kit_peer *target, const char **ret_name, struct kit_mark *mark)
{
    struct kit_socket first;
    hbk_client *client = kit_client();
    *ret_name = kit_endpoint_name();
    kit_socket_listen(target, *ret_name, 0);
    assert_true(kit_socket_make(&first, KIT_TCP_CONNECTED, AF_INET));
    send_one(client, *ret_name, &first);
    kit_socket_receive(target, 1);
    kit_socket_used(target, target->reply.items[0].handle, &first);
    free_there(target);
    kit_socket_close(&first);
    kit_mark(mark, target->pid);
    return client;
}

/* ---- kinds ---- */

/* Given away, used by both, closed by who gave it, and used there still. */
static void given(enum kit_socket_kind kind, int family)
{
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_socket socket;
    const char *name;
    if (!kit_socket_make(&socket, kind, family))
        kit_skip("this machine has no such loopback");
    hbk_client *client = begin(&target, &name, &mark);
    for (int alone = 0; alone < 2; alone++) {
        send_one(client, name, &socket);
        kit_socket_receive(&target, 1);
        assert_string_equal(target.reply.items[0].type, "Socket");
        if (alone) /* who gave it has it no more */
            kit_socket_close_given(&socket);
        kit_socket_used(&target, target.reply.items[0].handle, &socket);
        free_there(&target);
        kit_unchanged(&mark);
        if (!alone && kind != KIT_TCP_LISTENING && kind <= KIT_TCP_ACCEPTED) {
            kit_socket_close(&socket); /* its stream was shut down */
            assert_true(kit_socket_make(&socket, kind, family));
        }
    }
    kit_socket_close(&socket);
    kit_peer_stop(&target);
}

#define GIVEN(name, kind, family)  \
    static void name(void **state) \
    {                              \
        (void)state;               \
        given(kind, family);       \
    }

GIVEN(listening, KIT_TCP_LISTENING, AF_INET)
GIVEN(connected, KIT_TCP_CONNECTED, AF_INET)
GIVEN(accepted, KIT_TCP_ACCEPTED, AF_INET)
GIVEN(bound_for_datagrams, KIT_UDP_BOUND, AF_INET)
GIVEN(connected_for_datagrams, KIT_UDP_CONNECTED, AF_INET)
GIVEN(listening_6, KIT_TCP_LISTENING, AF_INET6)
GIVEN(connected_6, KIT_TCP_CONNECTED, AF_INET6)
GIVEN(accepted_6, KIT_TCP_ACCEPTED, AF_INET6)
GIVEN(bound_for_datagrams_6, KIT_UDP_BOUND, AF_INET6)
GIVEN(connected_for_datagrams_6, KIT_UDP_CONNECTED, AF_INET6)

/* ---- endpoints that ask ---- */

/* A source with a connected socket, its other end and an event. */
struct source {
    struct kit_peer peer;
    uint64_t socket, other, event;
};

static void begin_source(struct source *source)
{
    kit_peer_open(&source->peer);
    source->socket = kit_socket_do(&source->peer, KIT_SOCKET_OP_MAKE, KIT_TCP_CONNECTED, 0, NULL);
    source->other = source->peer.reply.items[0].handle;
    assert_int_equal(kit_peer_do(&source->peer, KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
    source->event = source->peer.reply.value;
}

/* It offers both; @target is shown what they are, and no more. */
static hbk_delivery *offer_of(struct source *source, hbk_client *target, const char *name)
{
    hbk_delivery *offer = NULL;
    struct kit_call *call = &source->peer.call;
    call->items[0].handle = source->socket;
    (void)snprintf(call->items[0].type, sizeof call->items[0].type, "Socket");
    call->items[1].handle = source->event;
    kit_peer_send_begin(&source->peer, name, 2, 0, KIT_WAIT_MS);
    assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &offer, NULL), HBK_OK);
    assert_true(offer->offered != 0);
    assert_int_equal(offer->count, 2);
    assert_string_equal(offer->items[0].type, "Socket");
    assert_null(offer->items[0].handle);
    assert_true(hbk_delivery_take_socket(offer, 0) == HBK_NO_SOCKET);
    return offer;
}

static int sent(struct source *source)
{
    assert_true(kit_peer_end(&source->peer, 2 * KIT_WAIT_MS));
    return source->peer.reply.result;
}

static void offered(void **state)
{
    (void)state;
    struct source source;
    char heard[64] = "";
    hbk_client *target = kit_client();
    const char *name = kit_endpoint_name();
    const hbk_type_accept types[] = {{"Socket", HBK_ACCESS_SAME}, {"Event", HBK_ACCESS_SAME}};
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name, .types = types};
    endpoint.flags = HBK_ENDPOINT_ASK;
    endpoint.types_count = 2;
    assert_int_equal(hbk_endpoint_open(target, &endpoint, NULL), HBK_OK);
    begin_source(&source);
    uint32_t handles = kit_handles_at_rest(GetCurrentProcessId());
    hbk_delivery *offer = offer_of(&source, target, name);
    kit_handles_at_most(GetCurrentProcessId(), handles); /* nothing is made before it is wanted */
    assert_int_equal(hbk_reject(target, offer, "no sockets today", NULL), HBK_OK);
    assert_int_equal(sent(&source), HBK_REJECTED);
    assert_true(hbk_delivery_take_socket(offer, 0) == HBK_NO_SOCKET);
    hbk_delivery_free(offer);
    kit_handles_at_most(GetCurrentProcessId(), handles);
    offer = offer_of(&source, target, name);
    assert_int_equal(hbk_accept(target, offer, NULL), HBK_OK);
    assert_int_equal(sent(&source), HBK_OK);
    assert_null(hbk_delivery_take(offer, 0)); /* CloseHandle() is not for a socket */
    SOCKET got = (SOCKET)hbk_delivery_take_socket(offer, 0);
    assert_true(got != INVALID_SOCKET);
    assert_true(hbk_delivery_take_socket(offer, 0) == HBK_NO_SOCKET);
    assert_true(hbk_delivery_take_socket(offer, 1) == HBK_NO_SOCKET);
    assert_true(SetEvent(offer->items[1].handle));
    assert_int_equal(kit_peer_do(&source.peer, KIT_OP_WAIT, source.event, 0, NULL), 0);
    hbk_delivery_free(offer);
    assert_int_equal(send(got, "hello", 5, 0), 5);
    kit_socket_do(&source.peer, KIT_SOCKET_OP_RECV, source.other, 0, NULL);
    assert_string_equal(source.peer.reply.text, "hello");
    kit_socket_do(&source.peer, KIT_SOCKET_OP_SEND, source.other, 0, "and back");
    assert_int_equal(recv(got, heard, sizeof heard, 0), 8);
    assert_string_equal(heard, "and back");
    closesocket(got);
    kit_peer_stop(&source.peer);
}

/* ---- many ---- */

static void among_others(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_socket first, second;
    const char *name;
    hbk_client *client = begin(&target, &name, &mark);
    assert_true(kit_socket_make(&first, KIT_TCP_ACCEPTED, AF_INET));
    assert_true(kit_socket_make(&second, KIT_UDP_CONNECTED, AF_INET));
    HANDLE event = kit_make(KIT_EVENT), file = kit_make(KIT_FILE), section = kit_make(KIT_SECTION);
    const hbk_send_item items[] = {{.handle = event},
                                   item_of(&first),
                                   {.handle = file, .access = HBK_ACCESS_READ},
                                   item_of(&second),
                                   {.handle = section}};
    assert_int_equal(kit_socket_send(client, name, items, 5, NULL), HBK_OK);
    kit_socket_receive(&target, 5);
    struct kit_item got[5];
    memcpy(got, target.reply.items, sizeof got);
    static const char *const types[] = {"Event", "Socket", "File", "Socket", "Section"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(got[i].type, types[i]);
    assert_int_equal(kit_peer_do(&target, KIT_OP_SET_EVENT, got[0].handle, 0, NULL), 0);
    assert_true(kit_is_set(event));
    kit_socket_used(&target, got[1].handle, &first);
    assert_int_equal(kit_peer_do(&target, KIT_OP_READ, got[2].handle, KIT_BYTES_SIZE, NULL), 0);
    assert_string_equal(target.reply.text, KIT_BYTES);
    kit_socket_used(&target, got[3].handle, &second);
    assert_int_equal(kit_peer_do(&target, KIT_OP_MAP_READ, got[4].handle, 0, NULL), 0);
    assert_string_equal(target.reply.text, KIT_BYTES);
    free_there(&target);
    kit_unchanged(&mark);
    kit_unmake(KIT_EVENT, event);
    kit_unmake(KIT_FILE, file);
    kit_unmake(KIT_SECTION, section);
    kit_socket_close(&first);
    kit_socket_close(&second);
    kit_peer_stop(&target);
}

static void sixteen(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_socket sockets[HBK_SOCKETS_MAX];
    hbk_send_item items[HBK_SOCKETS_MAX + 1];
    uint64_t values[HBK_SOCKETS_MAX];
    const char *name;
    hbk_client *client = begin(&target, &name, &mark);
    for (size_t i = 0; i < HBK_SOCKETS_MAX; i++) {
        assert_true(kit_socket_make(&sockets[i], KIT_TCP_CONNECTED, AF_INET));
        items[i] = item_of(&sockets[i]);
    }
    assert_int_equal(kit_socket_send(client, name, items, HBK_SOCKETS_MAX, NULL), HBK_OK);
    kit_socket_receive(&target, HBK_SOCKETS_MAX);
    for (size_t i = 0; i < HBK_SOCKETS_MAX; i++)
        values[i] = target.reply.items[i].handle;
    for (size_t i = 0; i < HBK_SOCKETS_MAX; i++)
        kit_socket_used(&target, values[i], &sockets[i]); /* each is the one that it says */
    free_there(&target);
    kit_unchanged(&mark);
    items[HBK_SOCKETS_MAX] = items[0];
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT,
                kit_socket_send(client, name, items, HBK_SOCKETS_MAX + 1, NULL));
    kit_peer_quiet(&target);
    for (size_t i = 0; i < HBK_SOCKETS_MAX; i++)
        kit_socket_close(&sockets[i]);
    kit_peer_stop(&target);
}

/* ---- flags ---- */

static bool is_open(SOCKET socket)
{
    int type = 0, size = sizeof type;
    return getsockopt(socket, SOL_SOCKET, SO_TYPE, (char *)&type, &size) == 0;
}

static void moved(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_socket socket;
    const char *name;
    hbk_client *client = begin(&target, &name, &mark);
    assert_true(kit_socket_make(&socket, KIT_TCP_CONNECTED, AF_INET));
    hbk_send_item item = item_of(&socket);
    item.flags = HBK_ITEM_MOVE;
    /* The twin first: a move that fails leaves ours open, and what it is connected to. */
    KIT_REFUSED(&mark, HBK_NOT_FOUND, kit_socket_send(client, "user/test/no", &item, 1, NULL));
    kit_socket_works(&socket);
    assert_int_equal(kit_socket_send(client, name, &item, 1, NULL), HBK_OK);
    assert_false(is_open(socket.given));
    socket.given = INVALID_SOCKET;
    kit_socket_receive(&target, 1);
    kit_socket_used(&target, target.reply.items[0].handle, &socket);
    free_there(&target);
    kit_unchanged(&mark);
    kit_socket_close(&socket);
    kit_peer_stop(&target);
}

static void inheritable_as_the_sender_says(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_socket socket;
    const char *name;
    hbk_client *client = begin(&target, &name, &mark);
    assert_true(kit_socket_make(&socket, KIT_UDP_CONNECTED, AF_INET));
    for (uint32_t inherit = 0; inherit < 2; inherit++) {
        hbk_send_item item = item_of(&socket);
        item.flags = inherit ? HBK_ITEM_INHERIT : 0;
        assert_int_equal(kit_socket_send(client, name, &item, 1, NULL), HBK_OK);
        kit_socket_receive(&target, 1);
        uint64_t value = target.reply.items[0].handle;
        assert_int_equal(kit_peer_do(&target, KIT_OP_FLAGS, value, 0, NULL), 0);
        assert_int_equal(target.reply.value, inherit ? HANDLE_FLAG_INHERIT : 0);
        kit_socket_used(&target, value, &socket);
        free_there(&target);
    }
    kit_unchanged(&mark);
    kit_socket_close(&socket);
    kit_peer_stop(&target);
}

/* ---- never received ---- */

static void nobody_receives(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_socket socket;
    const char *name;
    kit_mark(&mark, 0);
    assert_true(kit_socket_make(&socket, KIT_TCP_CONNECTED, AF_INET));
    for (int killed = 0; killed < 2; killed++) {
        struct kit_mark open;
        hbk_client *client = begin(&target, &name, &open);
        for (int i = 0; i < 5; i++)
            send_one(client, name, &socket);
        if (killed) {
            kit_peer_kill(&target);
        } else {
            /* The library makes what nobody has received, to close it: but for the connection's own nothing is left. */
            assert_int_equal(kit_peer_do(&target, KIT_OP_CLOSE, 0, 0, NULL), 0);
            kit_handles_at_most(target.pid, open.other_handles);
            kit_peer_stop(&target);
        }
        kit_close(client);
        kit_unchanged(&mark);
        kit_socket_works(&socket);
    }
    kit_socket_close(&socket);
}

/* ---- the store ---- */

static hbk_stored put(hbk_client *client, const char *name, const struct kit_socket *socket,
                      uint32_t flags)
{
    hbk_store_put_options options = {.size = sizeof options, .name = name, .type = "Socket"};
    hbk_error_info error = {.result = HBK_OK};
    hbk_stored stored;
    options.handle = kit_socket_handle(socket);
    options.flags = flags;
    options.ttl_ms = 10 * KIT_WAIT_MS;
    hbk_result result = hbk_store_put(client, &options, &stored, &error);
    if (result != HBK_OK)
        fail_msg("%s: %s", hbk_result_word(result), error.detail);
    return stored;
}

/* @peer gets what goes by @name, or by @ticket. Return: the result. */
static int get(struct kit_peer *peer, const char *name, const char *ticket)
{
    int result = HBK_TIMEOUT;
    for (int tries = 0; tries < 20 && result == HBK_TIMEOUT; tries++) {
        (void)snprintf(peer->call.name, sizeof peer->call.name, "%s", name);
        result = kit_peer_do(peer, (enum kit_op)KIT_SOCKET_OP_GET, 0, 0, ticket);
    }
    return result;
}

/* One that has had a socket before, and a mark of it. */
static void begin_taker(struct kit_peer *peer, hbk_client *owner, struct kit_mark *mark)
{
    struct kit_socket first;
    kit_peer_open(peer);
    assert_true(kit_socket_make(&first, KIT_TCP_CONNECTED, AF_INET));
    hbk_stored stored = put(owner, NULL, &first, 0);
    assert_int_equal(get(peer, "", stored.ticket), HBK_OK);
    uint64_t value = peer->reply.value;
    kit_socket_used(peer, value, &first);
    kit_socket_do(peer, KIT_SOCKET_OP_CLOSE, value, 0, NULL);
    kit_socket_close(&first);
    if (mark != NULL)
        kit_mark(mark, peer->pid);
}

static void left_in_the_store(void **state)
{
    (void)state;
    struct kit_peer takers[2];
    struct kit_socket socket;
    uint64_t values[2];
    const char *name = kit_endpoint_name();
    hbk_client *owner = kit_client();
    for (size_t i = 0; i < 2; i++)
        begin_taker(&takers[i], owner, NULL);
    assert_true(kit_socket_make(&socket, KIT_TCP_LISTENING, AF_INET));
    put(owner, name, &socket, 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(get(&takers[i], name, NULL), HBK_OK);
        assert_string_equal(takers[i].reply.items[0].type, "Socket");
        values[i] = takers[i].reply.value;
        kit_socket_used(&takers[i], values[i], &socket);
    }
    /* Each has its own: one that is closed, with its process, takes nothing from the other. */
    kit_peer_kill(&takers[0]);
    kit_socket_used(&takers[1], values[1], &socket);
    assert_int_equal(hbk_store_remove(owner, name, NULL), HBK_OK);
    kit_socket_close_given(&socket);
    kit_socket_used(&takers[1], values[1], &socket);
    assert_int_equal(get(&takers[1], name, NULL), HBK_NOT_FOUND);
    kit_socket_do(&takers[1], KIT_SOCKET_OP_CLOSE, values[1], 0, NULL);
    kit_peer_stop(&takers[1]);
    kit_socket_close(&socket);
}

/* What was left in the store is there when who has put it is not. */
static void stored_by_who_has_left(void **state)
{
    (void)state;
    struct kit_peer taker;
    struct kit_socket socket;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    hbk_client *owner = kit_client();
    begin_taker(&taker, owner, &mark);
    assert_true(kit_socket_make(&socket, KIT_TCP_LISTENING, AF_INET));
    put(owner, name, &socket, HBK_STORE_KEEP | HBK_STORE_MOVE | HBK_STORE_ONCE);
    assert_false(is_open(socket.given));
    socket.given = INVALID_SOCKET;
    kit_close(owner);
    assert_int_equal(get(&taker, name, NULL), HBK_OK);
    uint64_t value = taker.reply.value;
    kit_socket_used(&taker, value, &socket);
    assert_int_equal(get(&taker, name, NULL), HBK_NOT_FOUND);
    kit_socket_do(&taker, KIT_SOCKET_OP_CLOSE, value, 0, NULL);
    kit_serve_second();
    kit_handles_at_most(taker.pid, mark.other_handles);
    kit_peer_stop(&taker);
    kit_socket_close(&socket);
}

static void by_ticket(void **state)
{
    (void)state;
    struct kit_peer taker;
    struct kit_socket socket;
    struct kit_mark mark;
    hbk_client *owner = kit_client();
    begin_taker(&taker, owner, &mark);
    assert_true(kit_socket_make(&socket, KIT_TCP_ACCEPTED, AF_INET));
    hbk_stored stored = put(owner, NULL, &socket, 0);
    assert_int_equal(get(&taker, "", stored.ticket), HBK_OK);
    uint64_t value = taker.reply.value;
    kit_socket_used(&taker, value, &socket);
    kit_socket_do(&taker, KIT_SOCKET_OP_CLOSE, value, 0, NULL);
    assert_int_equal(get(&taker, "", stored.ticket), HBK_NOT_FOUND); /* it is good for one claim */
    kit_unchanged(&mark);
    kit_peer_stop(&taker);
    kit_socket_close(&socket);
}

/* ---- the protocol ---- */

/* A client that knows the wire and Winsock, and no library of ours. */
static void made_by_hand(void **state)
{
    (void)state;
    struct kit_peer source;
    struct kit_raw *raw = kit_raw_proven();
    const char *name = kit_endpoint_name();
    char text[1024], heard[16] = "";
    WSAPROTOCOL_INFOW info;
    int64_t access = 0;
    kit_peer_open(&source);
    uint64_t theirs = kit_socket_do(&source, KIT_SOCKET_OP_MAKE, KIT_TCP_ACCEPTED, 0, NULL);
    uint64_t other = source.reply.items[0].handle;
    kit_raw_ask(raw,
                "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"endpoint.open\",\"params\":"
                "{\"name\":\"%s\",\"types\":{\"Socket\":\"any\"}}}",
                name);
    kit_raw_is_result(raw, "3");
    source.call.items[0].handle = theirs;
    (void)snprintf(source.call.items[0].type, sizeof source.call.items[0].type, "Socket");
    kit_peer_send_begin(&source, name, 1, 0, KIT_WAIT_MS);
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    assert_non_null(strstr(raw->line, "\"handle.delivered\""));
    assert_true(kit_peer_end(&source, KIT_WAIT_MS));
    assert_int_equal(source.reply.result, HBK_OK);
    assert_null(strstr(raw->line, "\"handle\":"));
    assert_non_null(strstr(raw->line, "\"type\":\"Socket\""));
    assert_true(kit_json_number(raw->line, "access", &access));
    assert_true(kit_json_text(raw->line, "protocol_info", text, sizeof text));
    assert_int_equal(strlen(text), 840);
    assert_int_equal(kit_base64(text, &info, sizeof info), 628);
    assert_int_equal(info.iAddressFamily, AF_INET);
    assert_int_equal(info.iSocketType, SOCK_STREAM);
    SOCKET made = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                             WSA_FLAG_OVERLAPPED);
    assert_true(made != INVALID_SOCKET);
    assert_int_equal(kit_access((HANDLE)(uintptr_t)made), access);
    assert_int_equal(send(made, "by hand", 7, 0), 7);
    kit_socket_do(&source, KIT_SOCKET_OP_RECV, other, 0, NULL);
    assert_string_equal(source.reply.text, "by hand");
    kit_socket_do(&source, KIT_SOCKET_OP_SEND, other, 0, "back");
    assert_int_equal(recv(made, heard, sizeof heard, 0), 4);
    assert_string_equal(heard, "back");
    closesocket(made);
    kit_peer_stop(&source);
}

/* What Winsock and the broker make once, with their first socket, is no leak. */
static int setup(void **state)
{
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_socket socket;
    hbk_send_item items[HBK_SOCKETS_MAX];
    const char *name;
    kit_group_service(state);
    hbk_client *client = begin(&target, &name, &mark);
    assert_true(kit_socket_make(&socket, KIT_TCP_CONNECTED, AF_INET));
    for (size_t i = 0; i < HBK_SOCKETS_MAX; i++)
        items[i] = item_of(&socket);
    assert_int_equal(kit_socket_send(client, name, items, HBK_SOCKETS_MAX, NULL), HBK_OK);
    kit_socket_receive(&target, HBK_SOCKETS_MAX);
    kit_socket_close(&socket);
    kit_peer_stop(&target);
    kit_close(client);
    return 0;
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(listening),
        KIT_TEST(connected),
        KIT_TEST(accepted),
        KIT_TEST(bound_for_datagrams),
        KIT_TEST(connected_for_datagrams),
        KIT_TEST(listening_6),
        KIT_TEST(connected_6),
        KIT_TEST(accepted_6),
        KIT_TEST(bound_for_datagrams_6),
        KIT_TEST(connected_for_datagrams_6),
        KIT_TEST(offered),
        KIT_TEST(among_others),
        KIT_TEST(sixteen),
        KIT_TEST(moved),
        KIT_TEST(inheritable_as_the_sender_says),
        KIT_TEST(nobody_receives),
        KIT_TEST(left_in_the_store),
        KIT_TEST(stored_by_who_has_left),
        KIT_TEST(by_ticket),
        KIT_TEST(made_by_hand),
    };
    return cmocka_run_group_tests_name("sockets", tests, setup, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_socket_main(argc, argv, group);
}
