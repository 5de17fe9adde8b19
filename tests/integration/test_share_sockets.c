/* What the library makes of sockets: against a server that says what a test has written for it, with what a
 * broker would have placed in this process. */
#include <winsock2.h>
#include "scene.h"

#include <wincrypt.h>
#include <stdio.h>
#include <string.h>

#define INFO_BYTES 1024

static SOCKET bound_socket(struct sockaddr_in *ret_here)
{
    int size = sizeof *ret_here;
    SOCKET made = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    assert_true(made != INVALID_SOCKET);
    memset(ret_here, 0, sizeof *ret_here);
    ret_here->sin_family = AF_INET;
    ret_here->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(made, (struct sockaddr *)ret_here, sizeof *ret_here), 0);
    assert_int_equal(getsockname(made, (struct sockaddr *)ret_here, &size), 0);
    return made;
}

/* What a broker says of a socket for this process: it has placed it already. */
static const char *info_of(SOCKET made)
{
    static char texts[4][INFO_BYTES];
    static int next;
    char *text = texts[next++ % 4];
    WSAPROTOCOL_INFOW info;
    DWORD size = INFO_BYTES;
    assert_int_equal(WSADuplicateSocketW(made, GetCurrentProcessId(), &info), 0);
    assert_true(CryptBinaryToStringA((const BYTE *)&info, sizeof info,
                                     CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF, text, &size));
    return text;
}

static const char *socket_item(const char *info)
{
    static char text[2048];
    (void)snprintf(text, sizeof text, "{\"protocol_info\":\"%s\",\"type\":\"Socket\"" KIT_ITEM_REST,
                   info);
    return text;
}

static void is_bound_to(SOCKET got, const struct sockaddr_in *expected)
{
    struct sockaddr_in here = {0};
    int size = sizeof here;
    assert_int_equal(getsockname(got, (struct sockaddr *)&here, &size), 0);
    assert_int_equal(here.sin_port, expected->sin_port);
}

static void a_socket_is_made_and_taken(void **state)
{
    (void)state;
    struct sockaddr_in here;
    SOCKET mine = bound_socket(&here);
    struct kit_scene *scene = kit_scene_new();
    hbk_delivery *delivery = NULL;
    DWORD flags = HANDLE_FLAG_INHERIT;
    kit_scene_deliver(scene, "handle.delivered", 5, false, socket_item(info_of(mine)));
    kit_scene_begin(scene);
    assert_int_equal(hbk_receive(scene->client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_string_equal(delivery->items[0].type, "Socket");
    assert_non_null(delivery->items[0].handle);
    assert_null(hbk_delivery_take(delivery, 0)); /* no handle for CloseHandle */
    assert_true(hbk_delivery_take_socket(delivery, 1) == HBK_NO_SOCKET);
    SOCKET got = (SOCKET)hbk_delivery_take_socket(delivery, 0);
    assert_true(hbk_delivery_take_socket(delivery, 0) == HBK_NO_SOCKET);
    hbk_delivery_free(delivery);
    is_bound_to(got, &here);
    assert_true(GetHandleInformation((HANDLE)got, &flags));
    assert_int_equal(flags & HANDLE_FLAG_INHERIT, 0);
    assert_int_equal(closesocket(got), 0);
    is_bound_to(mine, &here);
    closesocket(mine);
    kit_scene_end(scene);
}

/* Nothing of a socket that nobody takes, receives or can be told is left. */
static void sockets_that_nobody_takes(void **state)
{
    (void)state;
    struct sockaddr_in here;
    uint32_t before = 0;
    for (int round = 0; round < 5; round++) {
        SOCKET mine = bound_socket(&here);
        struct kit_scene *scene = kit_scene_new();
        hbk_delivery *delivery = NULL;
        for (int i = 0; i < 3; i++)
            kit_scene_deliver(scene, "handle.delivered", 5 + i, false, socket_item(info_of(mine)));
        kit_scene_begin(scene);
        /* One is received and not taken, one is not received, and one is an hbk_close() later. */
        assert_int_equal(hbk_receive(scene->client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
        if (round % 2 == 0)
            hbk_delivery_free(delivery);
        kit_scene_end(scene);
        if (round % 2 != 0)
            hbk_delivery_free(delivery);
        closesocket(mine);
        if (round == 1)
            before = kit_handles_at_rest(GetCurrentProcessId());
    }
    assert_int_equal(kit_handles_at_rest(GetCurrentProcessId()), before);
}

static void a_socket_that_cannot_be_made(void **state)
{
    (void)state;
    static char zeros[841];
    const char *const bad[] = {"AAAA", "QUJDRA==", zeros};
    HANDLE event = kit_make(KIT_EVENT);
    memset(zeros, 'A', 838); /* of the right size, and nothing that Winsock has made */
    memcpy(zeros + 838, "==", 3);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct kit_scene *scene = kit_scene_new();
        hbk_delivery *delivery = (hbk_delivery *)(uintptr_t)0x1234;
        hbk_error_info error = {.result = HBK_OK};
        HANDLE other = kit_scene_placed(event);
        char items[2304];
        (void)snprintf(items, sizeof items, "%s,%s", kit_scene_item(other), socket_item(bad[i]));
        kit_scene_deliver(scene, "handle.delivered", 5, false, items);
        kit_scene_begin(scene);
        assert_int_equal(hbk_receive(scene->client, KIT_WAIT_MS, &delivery, &error), HBK_OS_ERROR);
        assert_int_equal(error.item, 1);
        if (bad[i] != zeros)
            assert_int_equal(error.win32, ERROR_INVALID_DATA);
        assert_int_not_equal(error.win32, 0);
        assert_true(delivery == (hbk_delivery *)(uintptr_t)0x1234);
        assert_true(kit_scene_closed(other, event)); /* all or nothing */
        kit_scene_end(scene);
    }
    CloseHandle(event);
}

static void a_socket_that_was_offered(void **state)
{
    (void)state;
    struct sockaddr_in here;
    SOCKET mine = bound_socket(&here);
    struct kit_scene *scene = kit_scene_new();
    hbk_delivery *offer = NULL;
    char accepted[2304];
    kit_scene_deliver(scene, "handle.offered", 5, false,
                      "{\"type\":\"Socket\",\"access\":3,\"inherit\":true,\"protect\":false}");
    (void)snprintf(accepted, sizeof accepted,
                   "{\"items\":[{\"protocol_info\":\"%s\",\"type\":\"Socket\",\"access\":3,"
                   "\"inherit\":true,\"protect\":false}]}",
                   info_of(mine));
    kit_scene_answer(scene, "delivery.accept", accepted);
    kit_scene_begin(scene);
    assert_int_equal(hbk_receive(scene->client, KIT_WAIT_MS, &offer, NULL), HBK_OK);
    assert_true(hbk_delivery_take_socket(offer, 0) == HBK_NO_SOCKET);
    assert_int_equal(hbk_accept(scene->client, offer, NULL), HBK_OK);
    SOCKET got = (SOCKET)hbk_delivery_take_socket(offer, 0);
    DWORD flags = 0;
    is_bound_to(got, &here);
    assert_true(GetHandleInformation((HANDLE)got, &flags));
    assert_int_equal(flags & HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT); /* as its sender wished */
    closesocket(got);
    closesocket(mine);
    hbk_delivery_free(offer);
    kit_scene_end(scene);
}

static hbk_result send_as(hbk_client *client, HANDLE handle, const char *type, uint32_t access,
                          uint32_t flags, hbk_error_info *ret_error)
{
    hbk_send_item item = {.handle = handle, .type = type, .access = access, .flags = flags};
    hbk_send_options send = {.size = sizeof send, .to = "user/x", .items = &item, .count = 1};
    return hbk_send(client, &send, NULL, ret_error);
}

static void what_may_be_called_a_socket(void **state)
{
    (void)state;
    struct sockaddr_in here;
    SOCKET udp = bound_socket(&here), tcp = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    HANDLE file = kit_make(KIT_FILE), event = kit_make(KIT_EVENT), pipe = kit_make(KIT_PIPE);
    struct kit_scene *scene = kit_scene_new();
    hbk_error_info error;
    kit_scene_answer(scene, "handle.send",
                     "{\"delivery\":1,\"items\":[{\"type\":\"Socket\",\"access\":3}]}");
    kit_scene_connect(scene);
    const HANDLE sockets[] = {(HANDLE)udp, (HANDLE)tcp}, others[] = {file, event, pipe};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(send_as(scene->client, sockets[i], "Socket", 0, 0, NULL), HBK_OK);
        kit_has(scene->script.asked[0], "\"type\":\"Socket\"");
        scene->script.asked[0][0] = '\0';
        assert_int_equal(send_as(scene->client, sockets[i], NULL, 0, 0, &error), HBK_TYPE_MISMATCH);
        kit_has(error.detail, "\"Socket\"");
        assert_int_equal(error.item, 0);
        assert_int_equal(send_as(scene->client, sockets[i], "File", 0, 0, NULL), HBK_TYPE_MISMATCH);
        assert_int_equal(send_as(scene->client, sockets[i], "Socket", HBK_ACCESS_READ, 0, NULL),
                         HBK_INVALID_ARGUMENT);
        assert_int_equal(send_as(scene->client, sockets[i], "Socket", 0, HBK_ITEM_PROTECT, NULL),
                         HBK_INVALID_ARGUMENT);
        assert_string_equal(scene->script.asked[0], ""); /* nothing was sent */
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(send_as(scene->client, others[i], "Socket", 0, 0, &error),
                         HBK_TYPE_MISMATCH);
        assert_int_equal(error.item, 0);
        assert_string_equal(scene->script.asked[0], "");
    }
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(send_as(scene->client, others[i], NULL, 0, 0, NULL), HBK_OK);
    kit_has(scene->script.asked[0], "handle.send");
    is_bound_to(udp, &here);
    closesocket(tcp);
    kit_unmake(KIT_FILE, file);
    kit_unmake(KIT_PIPE, pipe);
    CloseHandle(event);
    /* Moved, it is closed; and only when it was delivered. */
    assert_int_equal(send_as(scene->client, (HANDLE)udp, "Socket", 0, HBK_ITEM_MOVE, NULL), HBK_OK);
    assert_int_equal(closesocket(udp), SOCKET_ERROR);
    kit_scene_end(scene);
}

static void too_many_sockets(void **state)
{
    (void)state;
    struct sockaddr_in here;
    SOCKET udp = bound_socket(&here);
    hbk_send_item items[HBK_SOCKETS_MAX + 1] = {{0}};
    hbk_send_options send = {.size = sizeof send, .to = "user/x", .items = items};
    hbk_client *client = kit_client();
    for (size_t i = 0; i <= HBK_SOCKETS_MAX; i++) {
        // cppcheck-suppress unreadVariable ; send.items has them
        items[i] = (hbk_send_item){.handle = (HANDLE)udp, .type = "Socket"};
    }
    send.count = HBK_SOCKETS_MAX + 1;
    assert_int_equal(hbk_send(client, &send, NULL, NULL), HBK_INVALID_ARGUMENT);
    send.count = HBK_SOCKETS_MAX;
    assert_int_equal(hbk_send(client, &send, NULL, NULL), HBK_NOT_FOUND);
    closesocket(udp);
}

/* ---- through a broker ---- */

static void through_the_broker(void **state)
{
    (void)state;
    struct sockaddr_in here;
    SOCKET udp = bound_socket(&here);
    const char *name = kit_endpoint_name();
    hbk_client *source = kit_client(), *target = kit_client();
    const hbk_type_accept type = {"Socket", HBK_ACCESS_SAME};
    hbk_endpoint_options open = {
        .size = sizeof open, .name = name, .types = &type, .types_count = 1};
    hbk_send_item item = {.handle = (HANDLE)udp, .type = "Socket"};
    hbk_send_options send = {.size = sizeof send, .to = name, .items = &item, .count = 1};
    hbk_store_put_options put = {
        .size = sizeof put, .name = name, .handle = (HANDLE)udp, .type = "Socket"};
    hbk_store_get_options get = {.size = sizeof get, .name = name};
    hbk_delivery *delivery = NULL;
    hbk_taken *taken = NULL;
    assert_int_equal(hbk_endpoint_open(target, &open, NULL), HBK_OK);
    assert_int_equal(hbk_send(source, &send, NULL, NULL), HBK_OK);
    assert_int_equal(hbk_receive(target, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    SOCKET got = (SOCKET)hbk_delivery_take_socket(delivery, 0);
    hbk_delivery_free(delivery);
    is_bound_to(got, &here);
    closesocket(got);
    put.flags = HBK_STORE_MOVE;
    assert_int_equal(hbk_store_put(source, &put, NULL, NULL), HBK_OK);
    assert_int_equal(closesocket(udp), SOCKET_ERROR);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hbk_store_get(target, &get, &taken, NULL), HBK_OK);
        got = (SOCKET)hbk_taken_take_socket(taken);
        hbk_taken_free(taken);
        is_bound_to(got, &here);
        closesocket(got);
    }
    assert_int_equal(hbk_store_remove(source, name, NULL), HBK_OK);
    kit_close(source);
    kit_close(target);
}

/* ---- from the store ---- */

#define TAKEN ",\"type\":\"%s\",\"access\":3," KIT_FROM ",\"data\":\"hello\"}"

static void a_socket_that_was_stored(void **state)
{
    (void)state;
    struct kit_scene *scene = kit_scene_new();
    struct sockaddr_in here;
    SOCKET mine = bound_socket(&here);
    hbk_taken *taken = NULL;
    hbk_store_get_options get = {.size = sizeof get, .name = "user/x", .flags = HBK_ITEM_PROTECT};
    char answers[3][2304];
    for (int i = 0; i < 2; i++)
        (void)snprintf(answers[i], sizeof answers[i], "{\"protocol_info\":\"%s\"" TAKEN,
                       info_of(mine), "Socket");
    (void)snprintf(answers[2], sizeof answers[2], "{\"protocol_info\":\"AAAA\"" TAKEN, "Socket");
    for (int i = 0; i < 3; i++)
        kit_scene_answer(scene, "store.get", answers[i]);
    kit_scene_connect(scene);
    assert_int_equal(hbk_store_get(scene->client, &get, &taken, NULL), HBK_OK);
    assert_null(hbk_taken_take(taken));
    SOCKET got = (SOCKET)hbk_taken_take_socket(taken);
    assert_true(hbk_taken_take_socket(taken) == HBK_NO_SOCKET);
    hbk_taken_free(taken);
    is_bound_to(got, &here);
    assert_int_equal(closesocket(got), 0); /* it is not protected */
    assert_int_equal(hbk_store_get(scene->client, &get, &taken, NULL), HBK_OK);
    got = (SOCKET)taken->handle;
    hbk_taken_free(taken);
    assert_int_equal(closesocket(got), SOCKET_ERROR);
    taken = NULL;
    assert_int_equal(hbk_store_get(scene->client, &get, &taken, NULL), HBK_OS_ERROR);
    assert_null(taken);
    closesocket(mine);
    kit_scene_end(scene);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(a_socket_is_made_and_taken),   KIT_TEST(sockets_that_nobody_takes),
        KIT_TEST(a_socket_that_cannot_be_made), KIT_TEST(a_socket_that_was_offered),
        KIT_TEST(what_may_be_called_a_socket),  KIT_TEST(too_many_sockets),
        KIT_TEST(a_socket_that_was_stored),     KIT_TEST(through_the_broker),
    };
    WSADATA data;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 1;
    int failed =
        cmocka_run_group_tests_name("share sockets", tests, kit_group_console, kit_group_end);
    WSACleanup();
    return failed;
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
