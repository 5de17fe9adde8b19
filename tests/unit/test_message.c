/* proto/codec/message: requests as lines: what is one, which method, which id. Values are in
 * test_values.c, what the schema tables generate is in test_schema.c. */
#include "test_support.h"
#include "codec_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LINE(literal) literal, sizeof(literal) - 1
#define SEND(items)                                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.send\",\"params\":{\"to\":\"user/t\"," \
    "\"items\":[" items "]}}"
#define OPEN(params) \
    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"endpoint.open\",\"params\":{" params "}}"

static const struct hbk_id id_5 = {.kind = HBK_ID_NUMBER, .number = 5};

static int read_line(struct hbk_message *message, const char *line)
{
    return hbk_message_read_request(message, hbk_text_from(line));
}

static void assert_line_refused(const char *bytes, size_t size, int32_t code, bool id,
                                const char *says)
{
    struct hbk_message message = {0};

    if (hbk_message_read_request(&message, (struct hbk_text){bytes, size}) != HBK_DECODE_E_REFUSED)
        fail_msg("accepted: %.*s", (int)size, bytes);
    assert_nothing_left(&message);
    if (message.error.code != code || strstr(message.error.detail, says) == NULL)
        fail_msg("%.*s: %d %s, not %d %s", (int)size, bytes, (int)message.error.code,
                 message.error.detail, (int)code, says);
    assert_int_equal(message.id.kind, id ? HBK_ID_NUMBER : HBK_ID_NONE);
    if (id)
        assert_true(hbk_id_equal(&message.id, &id_5));
    hbk_message_clear(&message);
}

#define STATUS_HEAD "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"broker.status\",\"params\":{}"

/* Outside the strict profile: parse_error, and no id, however well one can be seen in it. */
static void test_ill_formed_lines(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } lines[] = {
        {LINE("")},
        {LINE(STATUS_HEAD "}\r")},
        {LINE("\xEF\xBB\xBF" STATUS_HEAD "}")},
        {LINE(STATUS_HEAD "}\0")},
        {LINE(STATUS_HEAD "} " STATUS_HEAD "}")},
        {LINE(STATUS_HEAD "}x")},
        {LINE(STATUS_HEAD ",\"id\":5}")},
        {LINE(STATUS_HEAD ",\"\\u0069d\":5}")},
        {LINE("[" STATUS_HEAD "}]")},
        {LINE("[]")},
        {LINE("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"broker.status\\u0000\"}")},
        {LINE("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"\xC0\x80\"}")},
        {LINE("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"\\ud800\"}")},
        {LINE("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"\x07\"}")},
        {LINE("{\"jsonrpc\":\"2.0\",\"id\":1e999,\"method\":\"broker.status\"}")},
        {LINE("{\"jsonrpc\":\"2.0\",\"id\":-0,\"method\":\"broker.status\"}")},
        {LINE("{\"jsonrpc\":\"2.0\",\"id\":007,\"method\":\"broker.status\"}")},
        {LINE("{\"jsonrpc\":\"2.0\",\"id\":1.,\"method\":\"broker.status\"}")},
        {LINE("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"broker.status\"}")},
        {LINE(SEND("{\"handle\":4,\"handle\":4}"))},
        {LINE(SEND("{\"handle\":[[[[[]]]]]}"))}, /* depth 9 */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++)
        assert_line_refused(lines[i].bytes, lines[i].size, HBK_R_PARSE_ERROR, false, "at byte");
    assert_line_refused(LINE(SEND("{\"handle\":[[[[]]]]}")), HBK_R_INVALID_PARAMS, true, "handle");
}

/* JSON, but no request: invalid_request, with the id where there is a good one. */
static void test_no_requests(void **state)
{
    static const struct {
        const char *line;
        bool id;
        const char *says;
    } lines[] = {
        {"{}", false, "jsonrpc"},
        {"{\"id\":5}", true, "jsonrpc"},
        {"{\"id\":5,\"method\":\"broker.status\"}", true, "jsonrpc"},
        {"{\"jsonrpc\":\"1.0\",\"id\":5,\"method\":\"broker.status\"}", true, "jsonrpc"},
        {"{\"jsonrpc\":2,\"id\":5,\"method\":\"broker.status\"}", true, "jsonrpc"},
        {"{\"jsonrpc\":\"2.0 \",\"id\":5,\"method\":\"broker.status\"}", true, "jsonrpc"},
        {"{\"JSONRPC\":\"2.0\",\"id\":5,\"method\":\"broker.status\"}", true, "JSONRPC"},
        {"{\"jsonrpc\":\"2.0\",\"id\":5}", true, "method"},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":5}", true, "method"},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":null}", true, "method"},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"Method\":\"broker.status\"}", true, "Method"},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"broker.status\",\"params\":[]}", true,
         "params"},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"broker.status\",\"params\":null}", true,
         "params"},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"broker.status\",\"params\":\"\"}", true,
         "params"},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"broker.status\",\"x\":1}", true,
         "unknown key \"x\""},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}", true, "answer"},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{}}", true, "answer"},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"broker.status\",\"result\":{}}", true,
         "answer"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"broker.status\"}", false, "id is missing"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"broker.status\",\"ID\":5}", false, "ID"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++)
        assert_line_refused(lines[i].line, strlen(lines[i].line), HBK_R_INVALID_REQUEST,
                            lines[i].id, lines[i].says);
}

static void test_ids(void **state)
{
    static const char *const good[] = {
        "1",
        "9007199254740991",
        "\"\"",
        "\"a\"",
        "\"1\"",
        "\"\\u0001\\\"\xC3\xA9\"",
        "\"0123456789012345678901234567890123456789012345678901234567890123\"",
    };
    static const char *const bad[] = {
        "null",
        "true",
        "{}",
        "[]",
        "[1]",
        "{\"a\":1}",
        "0",
        "-1",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551615",
        "99999999999999999999",
        "\"01234567890123456789012345678901234567890123456789012345678901234\"",
    };
    char line[256];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct hbk_message message = {0};
        struct hbk_buffer back = {0};

        (void)snprintf(line, sizeof line,
                       "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"broker.status\"}", good[i]);
        assert_int_equal(read_line(&message, line), 0);
        hbk_write_request(&back, &message.id, message.method, NULL);
        assert_int_equal(back.size, strlen(line) + 1);
        assert_memory_equal(back.data, line, strlen(line));
        hbk_buffer_deinit(&back);
        hbk_message_clear(&message);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        (void)snprintf(line, sizeof line,
                       "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"broker.status\"}", bad[i]);
        assert_line_refused(line, strlen(line), HBK_R_INVALID_REQUEST, false, "id must be");
    }
}

static void test_id_equality(void **state)
{
    const struct hbk_id none = {0};
    struct hbk_id a = {.kind = HBK_ID_TEXT, .text_size = 1, .text = "5"};
    struct hbk_id b = a;

    (void)state;
    assert_true(hbk_id_equal(&none, &none));
    assert_true(hbk_id_equal(&a, &b));
    b.text[1] = 'x'; /* past its end */
    assert_true(hbk_id_equal(&a, &b));
    b.text[0] = '6';
    assert_false(hbk_id_equal(&a, &b));
    b.text_size = 0;
    assert_false(hbk_id_equal(&a, &b));
    assert_false(hbk_id_equal(&a, &id_5));
    assert_false(hbk_id_equal(&none, &id_5));
    b = id_5;
    assert_true(hbk_id_equal(&b, &id_5));
    b.number = 6;
    assert_false(hbk_id_equal(&b, &id_5));
}

static void test_methods(void **state)
{
    static const char *const none[] = {
        "",
        "x",
        "handle",
        "handle.sen",
        "handle.send ",
        "Handle.send",
        "handle.delivered",
        "session.gone",
        "handle.offered",
        "rpc.discover",
        "broker.event",
        "store.puts",
        "delivery.revoked",
        "handle.send\\u0001\\u202e",
    };
    char line[256];

    (void)state;
    assert_null(hbk_method_name(HBK_METHOD_NONE));
    assert_null(hbk_method_name(HBK_METHOD_COUNT));
    assert_string_equal(hbk_method_name(HBK_METHOD_HANDLE_SEND), "handle.send");
    for (size_t i = 0; i < COUNT(none); i++) {
        struct hbk_message message = {0};

        /* Looked at before params. */
        (void)snprintf(line, sizeof line,
                       "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"%s\",\"params\":{\"x\":1}}",
                       none[i]);
        assert_line_refused(line, strlen(line), HBK_R_METHOD_NOT_FOUND, true, "no method");
        (void)read_line(&message, line);
        assert_int_equal(message.method, HBK_METHOD_NONE);
        for (const char *p = message.error.detail; *p != '\0'; p++)
            assert_in_range(*p, 0x20, 0x7E);
    }
}

/* The core answers not_proven before it looks at params: it must know the method even so. */
static void test_method_is_set_when_params_are_refused(void **state)
{
    struct hbk_message message = {0};

    (void)state;
    assert_int_equal(read_line(&message, OPEN("\"name\":5")), HBK_DECODE_E_REFUSED);
    assert_int_equal(message.method, HBK_METHOD_ENDPOINT_OPEN);
    assert_int_equal(message.error.code, HBK_R_INVALID_PARAMS);
    /* A line after it starts from nothing. */
    assert_int_equal(read_line(&message, "{}"), HBK_DECODE_E_REFUSED);
    assert_int_equal(message.method, HBK_METHOD_NONE);
    assert_int_equal(message.id.kind, HBK_ID_NONE);
    hbk_message_clear(&message);
}

static void test_params_may_be_left_out(void **state)
{
    /* That one of two is named in store.get and store.remove is for the core to ask. */
    static const char *const good[] = {
        "session.prove", "broker.status", "endpoint.list", "broker.sessions", "broker.watch",
        "delivery.list", "store.list",    "store.get",     "store.remove",    "broker.metrics"};
    static const char *const bad[] = {"session.hello",  "endpoint.open",   "endpoint.close",
                                      "handle.send",    "delivery.accept", "delivery.reject",
                                      "policy.explain", "delivery.revoke", "handle.transfer",
                                      "store.put",      "process.handles", "object.holders"};
    char line[256];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct hbk_message message = {0};

        (void)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"%s\"}",
                       good[i]);
        assert_int_equal(read_line(&message, line), 0);
        hbk_message_clear(&message);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        (void)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"%s\"}",
                       bad[i]);
        assert_line_refused(line, strlen(line), HBK_R_INVALID_PARAMS, true, "is missing");
    }
    assert_line_refused(
        LINE("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"session.prove\",\"params\":{\"x\":1}}"),
        HBK_R_INVALID_PARAMS, true, "params: unknown key \"x\"");
}

/* A status line of @size bytes without its LF, filled up with blanks. */
static char *line_of_size(size_t size)
{
    char *line = malloc(size);

    assert_non_null(line);
    memset(line, ' ', size);
    memcpy(line, STATUS_HEAD "}", sizeof STATUS_HEAD);
    return line;
}

static void test_longest_line(void **state)
{
    struct hbk_message message = {0};
    char *line = line_of_size(HBK_LINE_BYTES_MAX);

    (void)state;
    assert_int_equal(
        hbk_message_read_request(&message, (struct hbk_text){line, HBK_LINE_BYTES_MAX - 1}), 0);
    hbk_message_clear(&message);
    assert_line_refused(line, HBK_LINE_BYTES_MAX, HBK_R_PARSE_ERROR, false, "65536");
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ill_formed_lines),
        cmocka_unit_test(test_no_requests),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_id_equality),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_method_is_set_when_params_are_refused),
        cmocka_unit_test(test_params_may_be_left_out),
        cmocka_unit_test(test_longest_line),
    };

    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
