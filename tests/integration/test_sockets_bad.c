/* Sockets that are refused: what is none, what is not said to be one, what a socket cannot be, where none is taken, and
 * what a service could forge. After each, nothing has changed. And sockets between identities, and by rules. */
#include "sockets.h"
#include "line.h"
#include "script.h"

#include <stdio.h>
#include <string.h>

#define POOR (KIT_NO_ADMINISTRATORS | KIT_NO_PRIVILEGES)

static const char config[] = "{\"limits\":{\"write_ms\":1500,\"write_queue_bytes\":65536},\n"
                             "\"rules\":[\n"
                             "{\"name\":\"user/files/*\",\"types\":{\"File\":\"any\"}},\n"
                             "{\"name\":\"user/sockets/*\",\"types\":{\"Socket\":\"any\"}},\n"
                             "{\"name\":\"session/given\",\"open\":\"D:(A;;0x1;;;BA)\","
                             "\"send\":\"D:(A;;0x2;;;BU)\",\"types\":{\"Socket\":\"any\"}}\n"
                             "]}\n";

struct scene {
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_raw *raw;
    hbk_client *client;
    struct kit_socket socket;
    char name[64];
    uint32_t own; /* handles of this process, the sender */
};

static void mark(struct scene *scene)
{
    kit_mark(&scene->mark, scene->target.pid);
    scene->own = kit_handles_at_rest(GetCurrentProcessId());
}

/* What Winsock and the library keep of their first socket, in any of the processes, is there by then. */
static void begin(struct scene *scene)
{
    scene->client = kit_client();
    (void)snprintf(scene->name, sizeof scene->name, "%s", kit_endpoint_name());
    scene->raw = kit_raw_proven();
    kit_socket_listen(&scene->target, scene->name, 0);
    assert_true(kit_socket_make(&scene->socket, KIT_UDP_CONNECTED, AF_INET));
    hbk_send_item item = {.handle = kit_socket_handle(&scene->socket), .type = "Socket"};
    assert_int_equal(kit_socket_send(scene->client, scene->name, &item, 1, NULL), HBK_OK);
    kit_socket_receive(&scene->target, 1);
    assert_int_equal(kit_peer_do(&scene->target, KIT_OP_FREE, 0, 0, NULL), 0);
    mark(scene);
}

/* No handle has appeared anywhere; the socket is none the worse for it, and what is right is still served. */
static void end(struct scene *scene)
{
    kit_unchanged(&scene->mark);
    kit_handles_at_most(GetCurrentProcessId(), scene->own);
    kit_peer_quiet(&scene->target);
    kit_socket_works(&scene->socket);
    hbk_send_item item = {.handle = kit_socket_handle(&scene->socket), .type = "Socket"};
    assert_int_equal(kit_socket_send(scene->client, scene->name, &item, 1, NULL), HBK_OK);
    kit_socket_receive(&scene->target, 1);
    kit_socket_used(&scene->target, scene->target.reply.items[0].handle, &scene->socket);
    kit_socket_close(&scene->socket);
    kit_peer_stop(&scene->target);
}

/* A good socket, and then @item: refused with @code, and the item's index. */
static void line_refused(struct scene *scene, const char *options, const char *item, int code)
{
    int64_t found = 0, index = -1;
    for (int tries = 0; tries < 20 && (found == 0 || found == HBK_TIMEOUT); tries++) {
        kit_raw_ask(scene->raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"handle.send\",\"params\":{\"to\":"
                    "\"%s\",\"items\":[{\"handle\":%llu,\"type\":\"Socket\"},%s]%s}}",
                    scene->name, (unsigned long long)scene->socket.given, item, options);
        if (!kit_json_number(scene->raw->line, "code", &found) ||
            (found != code && found != HBK_TIMEOUT))
            fail_msg("%s%s: error %d expected: %s", item, options, code, scene->raw->line);
    }
    kit_raw_is_error(scene->raw, code, "7");
    if (options[0] == '\0' && (!kit_json_number(scene->raw->line, "item", &index) || index != 1))
        fail_msg("%s: the item at fault is 1: %s", item, scene->raw->line);
    kit_unchanged(&scene->mark);
}

static void library_refuses(struct scene *scene, hbk_send_item item, uint32_t flags,
                            hbk_result expected)
{
    hbk_error_info error = {.item = -1};
    hbk_send_options send = {.size = sizeof send, .to = scene->name, .items = &item, .count = 1};
    send.flags = flags;
    hbk_result result = hbk_send(scene->client, &send, NULL, &error);
    if (result != expected || error.item != 0 || error.detail[0] == '\0')
        fail_msg("%s (item %d): %s", hbk_result_word(result), error.item, error.detail);
    kit_unchanged(&scene->mark);
}

/* ---- no sockets ---- */

static void what_is_no_socket(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    for (int kind = 0; kind < KIT_KINDS; kind++) {
        char item[96];
        HANDLE handle = kit_make((enum kit_kind)kind);
        assert_non_null(handle);
        mark(&scene);
        (void)snprintf(item, sizeof item, "{\"handle\":%llu,\"type\":\"Socket\"}",
                       (unsigned long long)(uintptr_t)handle);
        line_refused(&scene, "", item, HBK_TYPE_MISMATCH);
        library_refuses(&scene, (hbk_send_item){.handle = handle, .type = "Socket"}, 0,
                        HBK_TYPE_MISMATCH);
        hbk_store_put_options put = {.size = sizeof put, .type = "Socket", .handle = handle};
        hbk_stored stored;
        KIT_REFUSED(&scene.mark, HBK_TYPE_MISMATCH,
                    hbk_store_put(scene.client, &put, &stored, NULL));
        kit_unmake((enum kit_kind)kind, handle);
    }
    mark(&scene);
    line_refused(&scene, "", "{\"handle\":4294967295,\"type\":\"Socket\"}", HBK_BAD_HANDLE);
    line_refused(&scene, "", "{\"handle\":0,\"type\":\"Socket\"}", HBK_BAD_HANDLE);
    line_refused(&scene, "", "{\"handle\":2147483644,\"type\":\"Socket\"}", HBK_BAD_HANDLE);
    end(&scene);
}

/* A file in the store that is said to be a socket: who asks for it learns what it is, and gets nothing. */
static void a_file_in_the_store(void **state)
{
    (void)state;
    struct scene scene;
    int64_t code = HBK_TIMEOUT;
    begin(&scene);
    HANDLE file = kit_make(KIT_FILE);
    mark(&scene);
    kit_raw_ask(scene.raw,
                "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"store.put\",\"params\":{\"name\":"
                "\"%s\",\"handle\":%llu,\"type\":\"Socket\"}}",
                scene.name, (unsigned long long)(uintptr_t)file);
    kit_raw_is_result(scene.raw, "8"); /* the broker does not know, and believes it */
    for (int tries = 0; tries < 20 && code == HBK_TIMEOUT; tries++) {
        kit_raw_ask(scene.raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"store.get\",\"params\":{\"name\":"
                    "\"%s\"}}",
                    scene.name);
        assert_true(kit_json_number(scene.raw->line, "code", &code));
    }
    kit_raw_is_error(scene.raw, HBK_TYPE_MISMATCH, "9");
    kit_raw_ask(scene.raw,
                "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"store.get\",\"params\":{\"name\":"
                "\"%s\",\"access\":1}}",
                scene.name);
    kit_raw_is_error(scene.raw, HBK_INVALID_PARAMS, "9");
    kit_raw_ask(scene.raw,
                "{\"jsonrpc\":\"2.0\",\"id\":10,\"method\":\"store.remove\",\"params\":{\"name\":"
                "\"%s\"}}",
                scene.name);
    kit_raw_is_result(scene.raw, "10");
    kit_unchanged(&scene.mark);
    kit_unmake(KIT_FILE, file);
    mark(&scene);
    end(&scene);
}

/* ---- sockets that are not said to be such, or said to be more ---- */

static void sockets_as_something_else(void **state)
{
    (void)state;
    struct scene scene;
    char item[128];
    begin(&scene);
    HANDLE given = kit_socket_handle(&scene.socket);
    library_refuses(&scene, (hbk_send_item){.handle = given}, 0, HBK_TYPE_MISMATCH);
    library_refuses(&scene, (hbk_send_item){.handle = given, .type = "File"}, 0, HBK_TYPE_MISMATCH);
    library_refuses(&scene, (hbk_send_item){.handle = given, .type = "Event"}, 0,
                    HBK_TYPE_MISMATCH);
    library_refuses(&scene, (hbk_send_item){.handle = given, .type = "socket"}, 0,
                    HBK_TYPE_MISMATCH);
    hbk_store_put_options put = {.size = sizeof put, .handle = given};
    hbk_stored stored;
    KIT_REFUSED(&scene.mark, HBK_TYPE_MISMATCH, hbk_store_put(scene.client, &put, &stored, NULL));
    (void)snprintf(item, sizeof item, "{\"handle\":%llu,\"type\":\"Event\"}",
                   (unsigned long long)(uintptr_t)given);
    line_refused(&scene, "", item, HBK_TYPE_MISMATCH);
    end(&scene);
}

static void all_rights_or_none(void **state)
{
    (void)state;
    static const char *const more[] = {",\"access\":\"read\"", ",\"access\":1",
                                       ",\"access\":1180063", ",\"protect\":true"};
    struct scene scene;
    char item[128];
    begin(&scene);
    HANDLE given = kit_socket_handle(&scene.socket);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        (void)snprintf(item, sizeof item, "{\"handle\":%llu,\"type\":\"Socket\"%s}",
                       (unsigned long long)(uintptr_t)given, more[i]);
        line_refused(&scene, "", item, HBK_INVALID_PARAMS);
    }
    (void)snprintf(item, sizeof item, "{\"handle\":%llu,\"type\":\"Socket\"}",
                   (unsigned long long)(uintptr_t)given);
    line_refused(&scene, ",\"revocable\":true", item, HBK_INVALID_PARAMS);
    hbk_send_item same = {.handle = given, .type = "Socket"}, less = same;
    library_refuses(&scene, same, HBK_SEND_REVOCABLE, HBK_INVALID_ARGUMENT);
    less.access = HBK_ACCESS_READ;
    library_refuses(&scene, less, 0, HBK_INVALID_ARGUMENT);
    less.access = FILE_READ_DATA;
    library_refuses(&scene, less, 0, HBK_INVALID_ARGUMENT);
    same.flags = HBK_ITEM_PROTECT;
    library_refuses(&scene, same, 0, HBK_INVALID_ARGUMENT);
    end(&scene);
}

static void seventeen(void **state)
{
    (void)state;
    struct scene scene;
    char items[2048] = "";
    char limit[64];
    begin(&scene);
    for (int i = 0; i < HBK_SOCKETS_MAX; i++) {
        size_t size = strlen(items);
        (void)snprintf(items + size, sizeof items - size, "%s{\"handle\":%llu,\"type\":\"Socket\"}",
                       i > 0 ? "," : "", (unsigned long long)scene.socket.given);
    }
    line_refused(&scene, ",\"timeout_ms\":1000", items, HBK_INVALID_PARAMS);
    assert_true(kit_json_text(scene.raw->line, "limit", limit, sizeof limit));
    assert_string_equal(limit, "sockets");
    end(&scene);
}

/* ---- where none is taken ---- */

static void endpoints_that_name_none(void **state)
{
    (void)state;
    static const char *const options[] = {"", ",\"types\":{\"File\":\"any\",\"Event\":\"any\"}"};
    static const char *const never[] = {",\"types\":{\"Socket\":\"read\"}",
                                        ",\"types\":{\"Socket\":1}",
                                        ",\"types\":{\"File\":\"any\",\"Socket\":1180063}"};
    struct scene scene;
    struct kit_peer peer;
    begin(&scene);
    kit_peer_raw_as(&peer, 0);
    for (size_t i = 0; i < 2; i++) {
        struct kit_mark with_peer;
        const char *name = kit_endpoint_name();
        hbk_send_item item = {.handle = kit_socket_handle(&scene.socket), .type = "Socket"};
        kit_line_opens(&peer, name, options[i]);
        kit_mark(&with_peer, peer.pid);
        KIT_REFUSED(&with_peer, HBK_ACCESS_NOT_ACCEPTED,
                    kit_socket_send(scene.client, name, &item, 1, NULL));
        assert_null(kit_peer_hear(&peer, KIT_QUIET_MS));
    }
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        kit_line_may_not_open(&peer, kit_endpoint_name(), never[i], HBK_INVALID_PARAMS);
    hbk_type_accept type = {"Socket", HBK_ACCESS_READ};
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = kit_endpoint_name()};
    endpoint.types = &type;
    endpoint.types_count = 1;
    KIT_REFUSED(&scene.mark, HBK_INVALID_ARGUMENT,
                (kit_peer_stop(&peer), hbk_endpoint_open(scene.client, &endpoint, NULL)));
    end(&scene);
}

static void by_rules(void **state)
{
    (void)state;
    struct kit_peer target, source;
    const char *only = ",\"types\":{\"Socket\":\"any\"}";
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&source, 0);
    uint64_t socket = kit_socket_do(&source, KIT_SOCKET_OP_MAKE, KIT_TCP_ACCEPTED, 0, NULL);
    uint64_t event = kit_line_make(&source, KIT_EVENT);
    const char *typed = ",\"type\":\"Socket\"";
    /* Where the rule names others, sockets are not asked for, nor put. */
    kit_line_may_not_open(&target, "user/files/a", only, HBK_TYPE_NOT_ALLOWED);
    kit_line_opens(&target, "user/files/a", "");
    struct kit_before was = kit_line_before(&target);
    kit_line_refused(&was, kit_line_send(&source, "user/files/a", socket, typed),
                     HBK_TYPE_NOT_ALLOWED, "5");
    kit_line_refused(&was,
                     kit_peer_ask(&source,
                                  "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"store.put\","
                                  "\"params\":{\"name\":\"user/files/b\",\"handle\":%llu%s}}",
                                  (unsigned long long)socket, typed),
                     HBK_TYPE_NOT_ALLOWED, "5");
    /* Where it names them, nothing else passes. */
    kit_line_opens(&target, "user/sockets/a", only);
    was = kit_line_before(&target);
    kit_line_refused(&was, kit_line_send(&source, "user/sockets/a", event, ""),
                     HBK_TYPE_NOT_ALLOWED, "5");
    kit_line_is_result(kit_line_send(&source, "user/sockets/a", socket, typed), "5");
    const char *line = kit_peer_hear(&target, KIT_WAIT_MS);
    assert_non_null(line);
    assert_non_null(strstr(line, "\"protocol_info\""));
    kit_peer_stop(&source);
    kit_peer_stop(&target);
}

/* ---- other identities ---- */

/* Neither could open the other's process, as far as the system keeps to what their descriptors say. */
static void between_strangers(void **state)
{
    (void)state;
    struct kit_peer target, source;
    char info[1024];
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&source, POOR);
    kit_protect(target.process, L"O:BAD:P(A;;0x1fffff;;;SY)(A;;0x1fffff;;;BA)");
    kit_protect(source.process, L"O:SYD:P(A;;0x1fffff;;;SY)");
    if (!kit_is_wine()) {
        assert_int_equal(
            kit_peer_do(&source, (enum kit_op)KIT_SOCKET_OP_OPEN_PROCESS, target.pid, 0, NULL),
            ERROR_ACCESS_DENIED);
        assert_int_equal(
            kit_peer_do(&target, (enum kit_op)KIT_SOCKET_OP_OPEN_PROCESS, source.pid, 0, NULL),
            ERROR_ACCESS_DENIED);
    }
    kit_line_opens(&target, "session/given", ",\"types\":{\"Socket\":\"any\"}");
    uint64_t theirs = kit_socket_do(&source, KIT_SOCKET_OP_MAKE, KIT_TCP_CONNECTED, 0, NULL);
    uint64_t other = source.reply.items[0].handle;
    kit_line_is_result(kit_line_send(&source, "session/given", theirs, ",\"type\":\"Socket\""),
                       "5");
    const char *line = kit_peer_hear(&target, KIT_WAIT_MS);
    assert_non_null(line);
    assert_true(kit_json_text(line, "protocol_info", info, sizeof info));
    uint64_t value = kit_socket_do(&target, KIT_SOCKET_OP_FROM_INFO, 0, 0, info);
    kit_socket_do(&source, KIT_SOCKET_OP_CLOSE, theirs, 0, NULL);
    kit_socket_do(&target, KIT_SOCKET_OP_SEND, value, 0, "between strangers");
    kit_socket_do(&source, KIT_SOCKET_OP_RECV, other, 0, NULL);
    assert_string_equal(source.reply.text, "between strangers");
    kit_socket_do(&source, KIT_SOCKET_OP_SEND, other, 0, "and back");
    kit_socket_do(&target, KIT_SOCKET_OP_RECV, value, 0, NULL);
    assert_string_equal(target.reply.text, "and back");
    kit_peer_stop(&source);
    kit_peer_stop(&target);
}

/* ---- ends ---- */

/* It is killed at any moment from the request on; that of Winsock making its socket is among them. */
static void target_dead_while_it_is_made(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    kit_peer_stop(&scene.target);
    kit_mark(&scene.mark, 0);
    for (int round = 0; round < 20; round++) {
        struct kit_peer target;
        int64_t code = 0;
        kit_peer_raw_as(&target, 0);
        kit_line_opens(&target, scene.name, ",\"types\":{\"Socket\":\"any\"}");
        kit_raw_say(scene.raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"handle.send\",\"params\":{\"to\":"
                    "\"%s\",\"items\":[{\"handle\":%llu,\"type\":\"Socket\"},{\"handle\":%llu,"
                    "\"type\":\"Socket\"}]}}",
                    scene.name, (unsigned long long)scene.socket.given,
                    (unsigned long long)scene.socket.given);
        if (round % 2 == 1)
            Sleep((DWORD)round / 4);
        kit_peer_kill(&target);
        kit_raw_answer(scene.raw);
        /* It was told in time, or nothing is left. */
        if (kit_json_number(scene.raw->line, "code", &code))
            assert_true(code == HBK_TARGET_GONE || code == HBK_NOT_FOUND || code == HBK_TIMEOUT);
        else
            kit_raw_is_result(scene.raw, "7");
        kit_unchanged(&scene.mark);
        kit_socket_works(&scene.socket);
    }
    kit_socket_close(&scene.socket);
}

/* Sends one with much text. Return: its error; 0: none; -1: no answer at once. */
static int64_t send_much(struct scene *scene)
{
    static char text[8001];
    int64_t code = 0;
    memset(text, 'x', sizeof text - 1);
    kit_raw_say(scene->raw,
                "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"handle.send\",\"params\":{\"to\":"
                "\"%s\",\"items\":[{\"handle\":%llu,\"type\":\"Socket\"}],\"data\":\"%s\"}}",
                scene->name, (unsigned long long)scene->socket.given, text);
    if (kit_raw_next(scene->raw, 600) != KIT_RAW_LINE)
        return -1;
    return kit_json_number(scene->raw->line, "code", &code) ? code : 0;
}

/* What was made for a target that does not read stands in its table already, and is taken back. */
static void target_that_does_not_read(void **state)
{
    (void)state;
    struct scene scene;
    struct kit_peer target;
    uint32_t told = 0;
    int64_t result = 0, code = 0;
    begin(&scene);
    kit_peer_stop(&scene.target);
    kit_mark(&scene.mark, 0);
    kit_peer_raw_as(&target, 0);
    kit_line_opens(&target, scene.name, ",\"types\":{\"Socket\":\"any\"}");
    uint32_t handles = kit_handles_at_rest(target.pid);
    while (result == 0 || result == HBK_TIMEOUT) { /* slower than the broker waits for Winsock */
        result = send_much(&scene);
        told += result == 0;
        assert_in_range(told, 0, 200);
    }
    assert_true(told > 0);
    if (result == -1) {
        kit_raw_answer(scene.raw);
        assert_true(kit_json_number(scene.raw->line, "code", &code));
        result = code;
    }
    assert_true(result == HBK_BUSY || result == HBK_NOT_FOUND);
    kit_handles_at_most(target.pid, handles + told);
    assert_int_equal(kit_handles_at_rest(target.pid), handles + told);
    kit_socket_works(&scene.socket);
    kit_peer_kill(&target);
    kit_unchanged(&scene.mark);
    kit_socket_close(&scene.socket);
}

/* ---- forged ---- */

#define DELIVERED(item)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"method\":\"handle.delivered\",\"params\":{\"delivery\":1,"    \
    "\"endpoint\":\"user/test\",\"from\":{\"session\":1,\"pid\":8,\"user\":\"S-1-5-18\"," \
    "\"integrity\":8192,\"logon_session\":\"00000000000003e7\"},\"items\":[" item "],"    \
    "\"data\":null,\"revocable\":false}}\n"
#define SOCKET_ITEM                                                                       \
    "{\"protocol_info\":\"%s\",\"type\":\"Socket\",\"access\":1180063,\"inherit\":false," \
    "\"protect\":false}"

/* The library refuses what @info says, with @expected, and makes nothing of it. */
static void forged(const char *info, hbk_result expected)
{
    static char lines[4096], after[4096];
    struct kit_script script;
    hbk_delivery *delivery = NULL;
    (void)snprintf(lines, sizeof lines, "%s", DELIVERED(SOCKET_ITEM));
    (void)snprintf(after, sizeof after, lines, info);
    const struct kit_step steps[] = {
        {.method = "endpoint.open", .result = "{\"endpoint\":\"user/test\"}", .after = after}};
    const hbk_type_accept type = {"Socket", HBK_ACCESS_SAME};
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = "user/test"};
    endpoint.types = &type;
    endpoint.types_count = 1;
    kit_script_begin(&script, steps, 1);
    hbk_client *client = kit_script_client(&script);
    uint32_t handles = kit_handles_at_rest(GetCurrentProcessId());
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
    hbk_result result = hbk_receive(client, KIT_WAIT_MS, &delivery, NULL);
    if (result != expected)
        fail_msg("%s: %s", info, hbk_result_word(result));
    kit_handles_at_most(GetCurrentProcessId(), handles);
    hbk_close(client);
    kit_script_end(&script);
}

static void encode(const uint8_t *bytes, size_t size, char *ret_text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = (uint32_t)bytes[i] << 16;
        bits |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        bits |= i + 2 < size ? bytes[i + 2] : 0;
        for (size_t k = 0; k < 4; k++) {
            if (i + k <= size)
                *ret_text++ = digits[bits >> (18 - 6 * k) & 63];
            else
                *ret_text++ = '=';
        }
    }
    *ret_text = '\0';
}

static void forged_information(void **state)
{
    (void)state;
    static uint8_t bytes[640];
    static char text[1024];
    struct kit_socket socket;
    /* What the library loads for its first socket is no part of it. */
    assert_true(kit_socket_make(&socket, KIT_UDP_BOUND, AF_INET));
    encode(bytes, 628, text);
    assert_int_equal(strlen(text), 840);
    forged(text, HBK_OS_ERROR); /* of the right size, and of no socket */
    memset(bytes, 0xFF, sizeof bytes);
    encode(bytes, 628, text);
    forged(text, HBK_OS_ERROR);
    memset(bytes, 0, sizeof bytes);
    encode(bytes, 627, text);
    forged(text, HBK_OS_ERROR);
    encode(bytes, 3, text);
    forged(text, HBK_OS_ERROR);
    encode(bytes, 629, text);
    forged(text, HBK_OS_ERROR);
    encode(bytes, 631, text); /* no line that a service of this protocol would write */
    forged(text, HBK_DISCONNECTED);
    forged("", HBK_DISCONNECTED);
    forged("AAAA!AAA", HBK_DISCONNECTED);
    forged("not base64 at all", HBK_DISCONNECTED);
    kit_socket_works(&socket);
    kit_socket_close(&socket);
}

static int setup(void **state)
{
    struct scene scene;
    kit_group_console(state);
    begin(&scene);
    end(&scene);
    kit_close(scene.client);
    kit_raw_free(scene.raw);
    return 0;
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(what_is_no_socket),
        KIT_TEST(a_file_in_the_store),
        KIT_TEST(sockets_as_something_else),
        KIT_TEST(all_rights_or_none),
        KIT_TEST(seventeen),
        KIT_TEST(endpoints_that_name_none),
        KIT_TEST(by_rules),
        KIT_TEST(between_strangers),
        KIT_TEST(target_dead_while_it_is_made),
        KIT_TEST(target_that_does_not_read),
        KIT_TEST(forged_information),
    };
    kit_config = config;
    kit_broker_by_process();
    return cmocka_run_group_tests_name("sockets_bad", tests, setup, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_socket_main(argc, argv, group);
}
