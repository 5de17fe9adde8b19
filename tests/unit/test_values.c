/* proto/codec/message: the values of requests one by one: handles, access, names, counts, texts. */
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

static const struct {
    const char *value;
    const char *says;
} bad_handles[] = {
    {"0", "0 is no handle"},
    {"-1", "pseudo"},
    {"-2", "pseudo"},
    {"-3", "pseudo"},
    {"-4", "pseudo"},
    {"-5", "pseudo"},
    {"-6", "pseudo"},
    {"-7", "pseudo"},
    {"-8", "pseudo"},
    {"-9", "pseudo"},
    {"-10", "pseudo"},
    {"-11", "pseudo"},
    {"-12", "pseudo"},
    {"-13", "pseudo"},
    {"-14", "pseudo"},
    {"-15", "pseudo"},
    {"-16", "pseudo"},
    {"4294967295", "pseudo"},
    {"4294967294", "pseudo"},
    {"4294967292", "pseudo"},
    {"4294967291", "pseudo"},
    {"4294967290", "pseudo"},
    {"4294967280", "pseudo"},
    {"18446744073709551615", "pseudo"},
    {"18446744073709551614", "pseudo"},
    {"18446744073709551612", "pseudo"},
    {"18446744073709551600", "pseudo"},
    {"-17", "kernel"},
    {"-20", "kernel"},
    {"-9223372036854775808", "kernel"},
    {"-99999999999999999999", "kernel"},
    {"4294967279", "kernel"},
    {"4294967276", "kernel"},
    {"2147483648", "kernel"},
    {"2147483652", "kernel"},
    {"2147487744", "kernel"},
    {"1", "tag bits"},
    {"2", "tag bits"},
    {"3", "tag bits"},
    {"5", "tag bits"},
    {"293", "tag bits"},
    {"294", "tag bits"},
    {"295", "tag bits"},
    {"2147483645", "tag bits"},
    {"2147483646", "tag bits"},
    {"2147483647", "tag bits"},
    {"4294967296", "out of range"},
    {"4294967300", "out of range"},
    {"9007199254740992", "out of range"},
    {"9223372036854775804", "out of range"},
    {"18446744073709547520", "out of range"},
    {"99999999999999999996", "out of range"},
};

/* Where a request names a handle of its own: what stands around the value, and how a refusal calls it. */
static const struct {
    const char *head, *tail, *path;
    int32_t item;
} handle_places[] = {
    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.send\",\"params\":{\"to\":\"user/t\","
     "\"items\":[{\"handle\":4},{\"handle\":",
     "}]}}", "items[1].handle: ", 1},
    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.transfer\",\"params\":{\"source\":"
     "{\"pid\":9},\"handle\":",
     "}}", "handle: ", -1},
    {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"store.put\",\"params\":{\"name\":null,"
     "\"handle\":",
     "}}", "handle: ", -1},
};

static uint32_t handle_of(const struct hbk_message *message)
{
    switch (message->method) {
    case HBK_METHOD_HANDLE_SEND:
        return message->u.params.send.items[1].handle;
    case HBK_METHOD_HANDLE_TRANSFER:
        return message->u.params.transfer.handle;
    default:
        assert_int_equal(message->method, HBK_METHOD_STORE_PUT);
        return message->u.params.store_put.handle;
    }
}

static void handles_at(size_t place)
{
    static const uint32_t good[] = {4, 8, 292, 65536, 2147483640, HBK_HANDLE_MAX};
    char line[256];

    for (size_t i = 0; i < COUNT(good); i++) {
        struct hbk_message message = {0};

        (void)snprintf(line, sizeof line, "%s%lu%s", handle_places[place].head,
                       (unsigned long)good[i], handle_places[place].tail);
        assert_int_equal(read_line(&message, line), 0);
        assert_int_equal(handle_of(&message), good[i]);
        hbk_message_clear(&message);
    }
    for (size_t i = 0; i < COUNT(bad_handles); i++) {
        struct hbk_message message = {0};

        (void)snprintf(line, sizeof line, "%s%s%s", handle_places[place].head, bad_handles[i].value,
                       handle_places[place].tail);
        assert_line_refused(line, strlen(line), HBK_R_BAD_HANDLE, true, bad_handles[i].says);
        (void)read_line(&message, line);
        assert_int_equal(message.error.item, handle_places[place].item);
        assert_ptr_equal(strstr(message.error.detail, handle_places[place].path),
                         message.error.detail);
    }
}

static void test_handles(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(handle_places); i++)
        handles_at(i);
}

static const struct {
    const char *value;
    const char *says;
} bad_access[] = {
    {"0", "zero"},
    {"2147483648", "GENERIC"},
    {"1073741824", "GENERIC"},
    {"536870912", "GENERIC"},
    {"268435456", "GENERIC"},
    {"268435457", "GENERIC"},
    {"4294967295", "GENERIC"},
    {"33554432", "MAXIMUM_ALLOWED"},
    {"33554433", "MAXIMUM_ALLOWED"},
    {"16777216", "ACCESS_SYSTEM_SECURITY"},
    {"16777217", "ACCESS_SYSTEM_SECURITY"},
    {"4294967296", "32 bits"},
    {"18446744073709551615", "32 bits"},
    {"-1", "32 bits"},
    {"\"write\"", "must be \"same\", \"read\" or a mask"},
    {"\"\"", "must be"},
    {"\"SAME\"", "must be"},
    {"\"1\"", "must be"},
    {"\"any\"", "must be"},
};

static void test_access(void **state)
{
    static const struct {
        const char *value;
        uint8_t kind;
        uint32_t mask;
    } good[] = {
        {"\"same\"", HBK_ACCESS_KIND_SAME, 0},
        {"\"read\"", HBK_ACCESS_KIND_READ, 0},
        {"1", HBK_ACCESS_KIND_MASK, 1},
        {"2031619", HBK_ACCESS_KIND_MASK, 0x1F0003},
        {"16777215", HBK_ACCESS_KIND_MASK, 0xFFFFFF},
        {"67108864", HBK_ACCESS_KIND_MASK, 0x04000000},
    };
    /* Where it stands alone, beside the handle or the name. */
    static const char *const alone[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.transfer\",\"params\":{\"source\":"
        "{\"pid\":9},\"handle\":4,",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"store.put\",\"params\":{\"name\":\"user/e\","
        "\"handle\":4,",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"store.get\",\"params\":{\"name\":\"user/e\",",
    };
    char line[256];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct hbk_message message = {0};

        (void)snprintf(line, sizeof line, SEND("{\"handle\":4,\"access\":%s}"), good[i].value);
        assert_int_equal(read_line(&message, line), 0);
        assert_int_equal(message.u.params.send.items[0].access.kind, good[i].kind);
        assert_int_equal(message.u.params.send.items[0].access.mask, good[i].mask);
        hbk_message_clear(&message);
    }
    for (size_t i = 0; i < COUNT(bad_access); i++) {
        struct hbk_message message = {0};

        (void)snprintf(line, sizeof line,
                       SEND("{\"handle\":4},{\"handle\":8},{\"handle\":4,\"access\":%s}"),
                       bad_access[i].value);
        assert_line_refused(line, strlen(line), HBK_R_INVALID_PARAMS, true, bad_access[i].says);
        (void)read_line(&message, line);
        assert_int_equal(message.error.item, 2);
        assert_non_null(strstr(message.error.detail, "items[2].access: "));
        for (size_t j = 0; j < COUNT(alone); j++) {
            (void)snprintf(line, sizeof line, "%s\"access\":%s}}", alone[j], bad_access[i].value);
            assert_line_refused(line, strlen(line), HBK_R_INVALID_PARAMS, true, bad_access[i].says);
            (void)read_line(&message, line);
            assert_int_equal(message.error.item, -1);
        }
    }
}

static void test_type_rules(void **state)
{
    static const char *const bad[] = {
        "0", "2147483648", "33554432", "16777216", "4294967296", "-1", "\"same\"", "\"\"",
    };
    struct hbk_message message = {0};
    const struct hbk_endpoint_open *open = &message.u.params.endpoint_open;
    char line[256];

    (void)state;
    assert_int_equal(read_line(&message, OPEN("\"name\":\"user/a\",\"types\":{\"Event\":\"any\","
                                              "\"File\":\"read\",\"What\":3}")),
                     0);
    assert_true(open->types_present);
    assert_int_equal(open->types_count, 3);
    assert_true(hbk_text_is(open->types[0].type, "Event"));
    assert_int_equal(open->types[0].kind, HBK_TYPE_RULE_ANY);
    assert_int_equal(open->types[1].kind, HBK_TYPE_RULE_READ);
    assert_int_equal(open->types[2].kind, HBK_TYPE_RULE_MASK);
    assert_int_equal(open->types[2].mask, 3);
    assert_int_equal(read_line(&message, OPEN("\"name\":\"user/a\"")), 0);
    assert_false(open->types_present);
    assert_int_equal(open->types_count, 0);
    hbk_message_clear(&message);
    for (size_t i = 0; i < COUNT(bad); i++) {
        (void)snprintf(line, sizeof line, OPEN("\"name\":\"user/a\",\"types\":{\"Event\":%s}"),
                       bad[i]);
        assert_line_refused(line, strlen(line), HBK_R_INVALID_PARAMS, true, "types");
    }
    assert_line_refused(LINE(OPEN("\"name\":\"user/a\",\"types\":{}")), HBK_R_INVALID_PARAMS, true,
                        "types: must have 1 to 24 members");
    assert_line_refused(LINE(OPEN("\"name\":\"user/a\",\"types\":{\"\":\"any\"}")),
                        HBK_R_INVALID_PARAMS, true, "type name");
    assert_line_refused(
        LINE(OPEN("\"name\":\"user/a\",\"types\":{\"012345678901234567890123456789012\":\"any\"}")),
        HBK_R_INVALID_PARAMS, true, "type name");
}

static void test_names(void **state)
{
    static const char *const good[] = {"user/a",   "session/a",    "global/a",
                                       "user/a/b", "user/A-z_0.9", "user//a/"};
    static const char *const bad[] = {
        "",           "user",     "user/",   "/a",      "a",
        "User/a",     "users/a",  "global",  " user/a", "user/a ",
        "user/a b",   "user/a\\", "user/a:", "user/a*", "user/\xC3\xA9",
        "user/a\x7F", "session/", "global/", "other/a", "userx/a",
    };
    char name[HBK_NAME_BYTES_MAX + 2];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(hbk_name_check(hbk_text_from(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(hbk_name_check(hbk_text_from(bad[i])));
    assert_false(hbk_name_check(hbk_text_from(NULL)));
    assert_false(hbk_name_check((struct hbk_text){"user/a\0b", 8}));
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = (char)(i < 5 ? "user/"[i] : 'a');
    assert_true(hbk_name_check((struct hbk_text){name, HBK_NAME_BYTES_MAX}));
    assert_false(hbk_name_check((struct hbk_text){name, HBK_NAME_BYTES_MAX + 1}));
    assert_line_refused(LINE(OPEN("\"name\":\"other/a\"")), HBK_R_INVALID_PARAMS, true,
                        "name: \"other/a\" is no name");
}

static void test_expect(void **state)
{
    static const char *const bad[] = {"{}", "{\"user\":\"alice\"}", "{\"user\":\"S-1-\"}",
                                      "{\"user\":\"S-1-5-x y\"}", "{\"pid\":0}"};
    struct hbk_message message = {0};
    char line[256];

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        (void)snprintf(line, sizeof line,
                       "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.send\",\"params\":{"
                       "\"to\":\"user/t\",\"items\":[{\"handle\":4}],\"expect\":%s}}",
                       bad[i]);
        assert_line_refused(line, strlen(line), HBK_R_INVALID_PARAMS, true, "expect");
    }
    assert_int_equal(
        read_line(&message, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.send\",\"params\":{"
                            "\"to\":{\"name\":\"global/x\",\"pid\":9},\"items\":[{\"handle\":4}],"
                            "\"expect\":{\"pid\":7}}}"),
        0);
    assert_int_equal(message.u.params.send.expect_pid, 7);
    assert_null(message.u.params.send.expect_user.data);
    assert_null(message.u.params.send.to_name.data);
    assert_int_equal(message.u.params.send.to_pid, 9);
    assert_true(hbk_text_is(message.u.params.send.to_process_name, "global/x"));
    hbk_message_clear(&message);
}

static void test_defaults(void **state)
{
    struct hbk_message message = {0};
    const struct hbk_send *send = &message.u.params.send;

    (void)state;
    assert_int_equal(read_line(&message, SEND("{\"handle\":4}")), 0);
    assert_int_equal(send->to_pid, 0);
    assert_int_equal(send->wait_ms, 0);
    assert_int_equal(send->timeout_ms, HBK_TIMEOUT_MS_DEFAULT);
    assert_null(send->data.data);
    assert_null(send->expect_user.data);
    assert_int_equal(send->expect_pid, 0);
    assert_false(send->revocable);
    assert_int_equal(send->items_count, 1);
    assert_null(send->items[0].type.data);
    assert_int_equal(send->items[0].access.kind, HBK_ACCESS_KIND_SAME);
    assert_false(send->items[0].inherit || send->items[0].protect);
    assert_int_equal(read_line(&message, OPEN("\"name\":\"user/a\"")), 0);
    assert_int_equal(message.u.params.endpoint_open.mode, HBK_MODE_AUTO);
    assert_int_equal(message.u.params.endpoint_open.items_max, 0);
    assert_null(message.u.params.endpoint_open.from.data);
    hbk_message_clear(&message);
}

/* A send of @count items. */
static void write_items(struct hbk_buffer *line, int count)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.send\","
                               "\"params\":{\"to\":\"user/t\",\"items\":[";

    hbk_buffer_append(line, head, sizeof head - 1);
    for (int i = 0; i < count; i++)
        hbk_buffer_append(line, &",{\"handle\":4}"[i == 0], i == 0 ? 12 : 13);
    hbk_buffer_append(line, "]}}", 3);
    assert_false(line->failed);
}

static void test_items_count(void **state)
{
    struct hbk_message message = {0};
    struct hbk_buffer line = {0};

    (void)state;
    write_items(&line, HBK_ITEMS_MAX);
    assert_int_equal(hbk_message_read_request(&message, buffer_text(&line)), 0);
    assert_int_equal(message.u.params.send.items_count, HBK_ITEMS_MAX);
    hbk_buffer_clear(&line);
    write_items(&line, HBK_ITEMS_MAX + 1);
    assert_line_refused((const char *)line.data, line.size, HBK_R_INVALID_PARAMS, true, "items");
    (void)hbk_message_read_request(&message, buffer_text(&line));
    assert_string_equal(message.error.limit, "items");
    assert_int_equal(message.error.item, -1);
    hbk_buffer_clear(&line);
    write_items(&line, 0);
    assert_line_refused((const char *)line.data, line.size, HBK_R_INVALID_PARAMS, true, "items");
    hbk_buffer_deinit(&line);
}

static void test_data_counts_as_escaped(void **state)
{
    static const struct {
        const char *unit;
        size_t size;
    } units[] = {{"a", 1},   {"\\\"", 2},     {"\\n", 2},     {"\\u000a", 2},       {"\\u0001", 6},
                 {"\\/", 1}, {"\xC3\xA9", 2}, {"\\u00e9", 2}, {"\\ud83d\\ude00", 4}};

    (void)state;
    for (size_t i = 0; i < COUNT(units); i++) {
        for (size_t over = 0; over < 2; over++) {
            struct hbk_buffer line = {0};
            struct hbk_message message = {0};
            size_t size = 0;

            write_items(&line, 1);
            hbk_buffer_truncate(&line, line.size - 2);
            hbk_buffer_append(&line, ",\"data\":\"", 9);
            for (; size + units[i].size <= HBK_DATA_BYTES_MAX; size += units[i].size)
                hbk_buffer_append(&line, units[i].unit, strlen(units[i].unit));
            for (; size < HBK_DATA_BYTES_MAX + over; size++)
                hbk_buffer_append(&line, "x", 1);
            hbk_buffer_append(&line, "\"}}", 3);
            assert_int_equal(hbk_message_read_request(&message, buffer_text(&line)), over);
            if (over == 0) {
                assert_int_equal(hbk_escaped_size(message.u.params.send.data), HBK_DATA_BYTES_MAX);
            } else {
                assert_int_equal(message.error.code, HBK_R_INVALID_PARAMS);
                assert_string_equal(message.error.limit, "data_bytes");
                assert_nothing_left(&message);
            }
            hbk_message_clear(&message);
            hbk_buffer_deinit(&line);
        }
    }
}

/* A peer's text in a detail is quoted, short, and cannot break the line or a terminal. */
static void test_details_are_safe(void **state)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"endpoint.open\","
                               "\"params\":{\"name\":\"user/a\",\"\\u001b[31m\\\"\\n";
    struct hbk_buffer line = {0};
    struct hbk_buffer answer = {0};
    struct hbk_message message = {0};
    struct hbk_message back = {0};

    (void)state;
    hbk_buffer_append(&line, head, sizeof head - 1);
    for (int i = 0; i < 2000; i++)
        hbk_buffer_append(&line, "\xF0\x9F\x98\x80", 4);
    hbk_buffer_append(&line, "\":1}}", 5);
    assert_int_equal(hbk_message_read_request(&message, buffer_text(&line)), HBK_DECODE_E_REFUSED);
    assert_int_equal(message.error.code, HBK_R_INVALID_PARAMS);
    assert_non_null(strstr(message.error.detail, "unknown key \"\\x1b[31m\\x22\\x0a\\xf0"));
    for (const char *p = message.error.detail; *p != '\0'; p++)
        assert_in_range(*p, 0x20, 0x7E);
    hbk_write_error(&answer, &message.id, &message.error);
    assert_false(answer.failed);
    assert_int_equal(hbk_message_read_server_line(
                         &back, (struct hbk_text){(const char *)answer.data, answer.size - 1}),
                     0);
    assert_string_equal(back.error.detail, message.error.detail);
    hbk_message_clear(&message);
    hbk_message_clear(&back);
    hbk_buffer_deinit(&line);
    hbk_buffer_deinit(&answer);
}

static void test_escaping(void **state)
{
    char bytes[0x80];
    struct hbk_delivery_answer answer = {.delivery = 3};
    struct hbk_message message = {0};
    struct hbk_buffer line = {0};

    (void)state;
    for (int i = 1; i < 0x80; i++)
        bytes[i - 1] = (char)i;
    answer.reason = (struct hbk_text){bytes, 0x7F};
    hbk_write_request(&line, &id_5, HBK_METHOD_DELIVERY_REJECT, &answer);
    assert_false(line.failed);
    assert_int_equal(hbk_message_read_request(
                         &message, (struct hbk_text){(const char *)line.data, line.size - 1}),
                     0);
    assert_true(hbk_text_equal(message.u.params.delivery_answer.reason, answer.reason));
    /* 31 control bytes, 5 of them short; quote and backslash. */
    assert_int_equal(hbk_escaped_size(answer.reason), 0x7F + 26 * 5 + 5 + 2);
    assert_int_equal(hbk_escaped_size(hbk_text_from(NULL)), 0);
    hbk_message_clear(&message);
    hbk_buffer_deinit(&line);
}

/* What no line can carry, for the reader refuses it before: the checks of the writers hold too. */
static void test_texts_of_our_own(void **state)
{
    const struct hbk_field sid = {.kind = HBK_FIELD_TEXT, .check = HBK_TEXT_SID};

    (void)state;
    assert_null(hbk_text_fault(&sid, hbk_text_from("S-1-5-18")));
    assert_non_null(hbk_text_fault(&sid, (struct hbk_text){"S-1-5\0-18", 9}));
    assert_non_null(hbk_text_fault(&sid, (struct hbk_text){"S-1-5-18\0", 9}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handles),          cmocka_unit_test(test_access),
        cmocka_unit_test(test_type_rules),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_expect),           cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_items_count),      cmocka_unit_test(test_data_counts_as_escaped),
        cmocka_unit_test(test_details_are_safe), cmocka_unit_test(test_escaping),
        cmocka_unit_test(test_texts_of_our_own),
    };

    return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
