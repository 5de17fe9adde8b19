/* proto/codec/message, the client's side: what the service writes, and what a client makes of lines that
 * are none of the service's. */
#include "test_support.h"
#include "codec_support.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define ERROR(inner) "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":" inner "}"

static const struct hbk_id id_5 = {.kind = HBK_ID_NUMBER, .number = 5};

static int read_line(struct hbk_message *message, const char *line)
{
    return hbk_message_read_server_line(message, hbk_text_from(line));
}

static void test_errors_both_ways(void **state)
{
    static const int32_t codes[] = {
#define HBK_RESULT(name, code, text, meaning) HBK_R_##name,
#include "results.def"
#undef HBK_RESULT
    };
    static const struct hbk_id none = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct hbk_message message = {0};
        struct hbk_buffer line = {0};
        struct hbk_error error;

        hbk_error_set(&error, codes[i], "what \"%s\"", "now");
        error.item = i % 2 ? (int32_t)i : -1;
        error.win32 = i % 3 ? 0xFFFFFFFFu : 0;
        hbk_error_set_limit(&error, i % 4 ? "pins" : NULL);
        hbk_write_error(&line, i % 5 ? &id_5 : &none, &error);
        assert_false(line.failed);
        assert_int_equal(hbk_message_read_server_line(
                             &message, (struct hbk_text){(const char *)line.data, line.size - 1}),
                         0);
        assert_int_equal(message.kind, HBK_MESSAGE_ERROR);
        assert_int_equal(message.error.code, error.code);
        assert_int_equal(message.error.item, error.item);
        assert_int_equal(message.error.win32, error.win32);
        assert_string_equal(message.error.limit, error.limit);
        assert_string_equal(message.error.detail, error.detail);
        assert_true(hbk_id_equal(&message.id, i % 5 ? &id_5 : &none));
        hbk_message_clear(&message);
        hbk_buffer_deinit(&line);
    }
}

static void test_error_without_detail_says_what_its_code_means(void **state)
{
    struct hbk_message message = {0};
    struct hbk_buffer line = {0};
    const struct hbk_error error = {.code = HBK_R_STOPPING, .item = -1};

    (void)state;
    hbk_write_error(&line, &id_5, &error);
    assert_int_equal(hbk_message_read_server_line(
                         &message, (struct hbk_text){(const char *)line.data, line.size - 1}),
                     0);
    assert_string_equal(message.error.detail, hbk_result_meaning(HBK_R_STOPPING));
    hbk_message_clear(&message);
    hbk_buffer_deinit(&line);
}

static void test_what_a_later_service_adds_is_skipped(void **state)
{
    struct hbk_message message = {0};

    (void)state;
    assert_int_equal(read_line(&message, "{\"jsonrpc\":\"2.0\",\"method\":\"session.gone\","
                                         "\"params\":{\"new\":[1],\"session\":7}}"),
                     0);
    assert_int_equal(message.u.params.session_gone.session, 7);
    assert_int_equal(read_line(&message, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"x\":{},"
                                         "\"endpoint\":\"user/a\"}}"),
                     0);
    assert_int_equal(hbk_message_read_result(&message, HBK_METHOD_ENDPOINT_OPEN), 0);
    assert_true(hbk_text_is(message.u.result.endpoint_open.endpoint, "user/a"));
    assert_int_equal(read_line(&message, ERROR("{\"code\":999,\"message\":\"novel\",\"x\":1,"
                                               "\"data\":{\"detail\":\"d\",\"y\":2}}")),
                     0);
    assert_int_equal(message.error.code, 999);
    assert_int_equal(read_line(&message, "{\"jsonrpc\":\"2.0\",\"method\":\"delivery.lost\","
                                         "\"params\":{}}"),
                     HBK_DECODE_E_REFUSED);
    assert_int_equal(message.error.code, HBK_R_METHOD_NOT_FOUND);
    hbk_message_clear(&message);
}

static void test_refused_lines(void **state)
{
    static const struct {
        const char *line;
        int32_t code;
    } lines[] = {
        {"", HBK_R_PARSE_ERROR},
        {"[]", HBK_R_PARSE_ERROR},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}} {}", HBK_R_PARSE_ERROR},
        {"{}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":5}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"result\":{}}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{}}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":[]}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":null}", HBK_R_INVALID_REQUEST},
        {"{\"id\":5,\"result\":{}}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{},\"x\":1}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{},\"params\":{}}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{},\"error\":{}}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"session.gone\",\"params\":{\"session\":7}}",
         HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"session.gone\",\"result\":{}}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"session.gone\"}", HBK_R_INVALID_PARAMS},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"handle.send\",\"params\":{}}", HBK_R_METHOD_NOT_FOUND},
        {"{\"jsonrpc\":\"2.0\",\"error\":{}}", HBK_R_INVALID_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":[],\"error\":{}}", HBK_R_INVALID_REQUEST},
        {ERROR("null"), HBK_R_INVALID_REQUEST},
        {ERROR("\"bad\""), HBK_R_INVALID_REQUEST},
        {ERROR("{}"), HBK_R_INVALID_PARAMS},
        {ERROR("{\"code\":2,\"message\":\"denied\"}"), HBK_R_INVALID_PARAMS},
        {ERROR("{\"code\":2,\"message\":\"denied\",\"data\":{}}"), HBK_R_INVALID_PARAMS},
        {ERROR("{\"code\":2,\"message\":5,\"data\":{\"detail\":\"\"}}"), HBK_R_INVALID_PARAMS},
        {ERROR("{\"code\":\"2\",\"message\":\"a\",\"data\":{\"detail\":\"\"}}"),
         HBK_R_INVALID_PARAMS},
        {ERROR("{\"code\":2147483648,\"message\":\"a\",\"data\":{\"detail\":\"\"}}"),
         HBK_R_INVALID_PARAMS},
        {ERROR("{\"code\":0,\"message\":\"ok\",\"data\":{\"detail\":\"\"}}"),
         HBK_R_INVALID_REQUEST},
        {ERROR("{\"code\":2,\"message\":\"a\",\"data\":{\"detail\":\"\",\"item\":-1}}"),
         HBK_R_INVALID_PARAMS},
        {ERROR("{\"code\":2,\"message\":\"a\",\"data\":{\"detail\":\"\",\"win32\":0}}"),
         HBK_R_INVALID_PARAMS},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct hbk_message message = {0};

        if (read_line(&message, lines[i].line) != HBK_DECODE_E_REFUSED)
            fail_msg("accepted: %s", lines[i].line);
        if (message.error.code != lines[i].code)
            fail_msg("%s: %d %s", lines[i].line, (int)message.error.code, message.error.detail);
        assert_nothing_left(&message);
        hbk_message_clear(&message);
    }
}

/* A handle that the service is said to have placed is checked as strictly as one that is sent. */
static void test_bad_values_from_a_service(void **state)
{
    static const char *const lines[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"items\":[{\"handle\":-1,\"type\":\"Event\","
        "\"access\":1,\"inherit\":false,\"protect\":false}]}}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"items\":[{\"handle\":0,\"type\":\"Event\","
        "\"access\":1,\"inherit\":false,\"protect\":false}]}}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct hbk_message message = {0};

        assert_int_equal(read_line(&message, lines[i]), 0);
        assert_int_equal(hbk_message_read_result(&message, HBK_METHOD_DELIVERY_ACCEPT),
                         HBK_DECODE_E_REFUSED);
        assert_int_equal(message.error.code, HBK_R_BAD_HANDLE);
        assert_int_equal(message.error.item, 0);
        assert_nothing_left(&message);
        hbk_message_clear(&message);
    }
}

static void test_logon_sessions(void **state)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        {"00000000000003e7", 0},
        {"ffffffffffffffff", 0},
        {"", HBK_DECODE_E_REFUSED},
        {"3e7", HBK_DECODE_E_REFUSED},
        {"00000000000003e70", HBK_DECODE_E_REFUSED},
        {"00000000000003E7", HBK_DECODE_E_REFUSED},
        {"0x000000000003e7", HBK_DECODE_E_REFUSED},
        {" 0000000000003e7", HBK_DECODE_E_REFUSED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hbk_message message = {0};
        char line[512];

        (void)snprintf(
            line, sizeof line,
            "{\"jsonrpc\":\"2.0\",\"method\":\"handle.offered\",\"params\":{\"delivery\":1,"
            "\"endpoint\":\"user/a\",\"from\":{\"session\":1,\"pid\":1,\"user\":"
            "\"S-1-5-18\",\"integrity\":0,\"logon_session\":\"%s\"},\"items\":[{\"type\":"
            "\"Event\",\"access\":1,\"inherit\":false,\"protect\":false}],\"data\":null,"
            "\"revocable\":false}}",
            cases[i].text);
        assert_int_equal(read_line(&message, line), cases[i].result);
        if (cases[i].result != 0) {
            assert_int_equal(message.error.code, HBK_R_INVALID_PARAMS);
            assert_nothing_left(&message);
        }
        hbk_message_clear(&message);
    }
}

static void test_offers_carry_no_values(void **state)
{
    /* A value, of the sender say, has no place in an offer. */
    const struct hbk_delivered_item item = {.handle = 292, .type = {"Event", 5}, .access = 1};
    struct hbk_delivered offer = {
        .delivery = 5,
        .endpoint = {"user/a", 6},
        .from = {.session = 1, .peer = {.pid = 9, .user = {"S-1-5-18", 8}}},
        .items_count = 1,
        .items = &item,
    };
    struct hbk_message message = {0};
    struct hbk_buffer line = {0};

    (void)state;
    hbk_write_notification(&line, HBK_METHOD_HANDLE_OFFERED, &offer);
    hbk_buffer_append(&line, "", 1);
    assert_null(strstr((const char *)line.data, "handle\":"));
    assert_int_equal(hbk_message_read_server_line(
                         &message, (struct hbk_text){(const char *)line.data, line.size - 2}),
                     0);
    assert_int_equal(message.u.params.delivered.items[0].handle, 0);
    assert_null(message.u.params.delivered.data.data);
    hbk_message_clear(&message);
    hbk_buffer_deinit(&line);
}

/* A page of endpoints with the longest of everything passes the line: it must not be half written. */
static void test_line_that_does_not_fit(void **state)
{
    static char name[HBK_NAME_BYTES_MAX];
    static char user[HBK_SID_BYTES_MAX];
    static struct hbk_endpoint_info infos[HBK_PAGE_MAX];
    static struct hbk_type_rule rules[HBK_TYPES_MAX];
    static char types[HBK_TYPES_MAX][HBK_TYPE_BYTES_MAX];
    struct hbk_endpoint_list_result page = {.endpoints = infos};
    struct hbk_message message = {0};
    struct hbk_buffer line = {0};
    size_t fits = 0;

    (void)state;
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = (char)(i < 5 ? "user/"[i] : 'a');
    for (size_t i = 0; i < sizeof user; i++)
        user[i] = (char)(i < 4 ? "S-1-"[i] : '1');
    for (size_t i = 0; i < HBK_TYPES_MAX; i++) {
        memset(types[i], 'a' + (int)i, HBK_TYPE_BYTES_MAX);
        rules[i] = (struct hbk_type_rule){{types[i], HBK_TYPE_BYTES_MAX}, HBK_TYPE_RULE_MASK, 1};
    }
    for (size_t i = 0; i < HBK_PAGE_MAX; i++)
        infos[i] = (struct hbk_endpoint_info){.name = {name, sizeof name},
                                              .session = 1,
                                              .pid = 1,
                                              .user = {user, sizeof user},
                                              .types_count = HBK_TYPES_MAX,
                                              .types = rules};
    hbk_buffer_append(&line, "before\n", 7);
    for (page.endpoints_count = 0; page.endpoints_count <= HBK_PAGE_MAX; page.endpoints_count++) {
        hbk_write_result(&line, &id_5, HBK_METHOD_ENDPOINT_LIST, &page);
        assert_memory_equal(line.data, "before\n", 7);
        if (line.failed)
            break;
        fits = page.endpoints_count;
        assert_int_equal(
            hbk_message_read_server_line(
                &message, (struct hbk_text){(const char *)line.data + 7, line.size - 8}),
            0);
        assert_int_equal(hbk_message_read_result(&message, HBK_METHOD_ENDPOINT_LIST), 0);
        assert_int_equal(message.u.result.endpoint_list.endpoints_count, fits);
        hbk_buffer_truncate(&line, 7);
    }
    assert_in_range(fits, 20, HBK_PAGE_MAX - 1);
    assert_true(line.failed);
    assert_int_equal(line.size, 7);
    hbk_message_clear(&message);
    hbk_buffer_deinit(&line);
}

/* Every spelling of an item's `widenable`, both ways, and what is none. */
static void test_widenable(void **state)
{
    static const struct {
        const char *json;
        int result;
        uint8_t value;
    } cases[] = {
        {"", 0, HBK_WIDENABLE_NOT_REDUCED},
        {",\"widenable\":false", 0, HBK_WIDENABLE_NO},
        {",\"widenable\":true", 0, HBK_WIDENABLE_YES},
        {",\"widenable\":\"unknown\"", 0, HBK_WIDENABLE_UNKNOWN},
        {",\"widenable\":null", HBK_DECODE_E_REFUSED, 0},
        {",\"widenable\":0", HBK_DECODE_E_REFUSED, 0},
        {",\"widenable\":\"true\"", HBK_DECODE_E_REFUSED, 0},
        {",\"widenable\":\"\"", HBK_DECODE_E_REFUSED, 0},
        {",\"widenable\":[true]", HBK_DECODE_E_REFUSED, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hbk_message message = {0};
        struct hbk_buffer back = {0};
        char line[256];

        (void)snprintf(
            line, sizeof line,
            "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"items\":[{\"handle\":4,\"type\":"
            "\"Event\",\"access\":1,\"inherit\":false,\"protect\":false%s}]}}",
            cases[i].json);
        assert_int_equal(read_line(&message, line), 0);
        assert_int_equal(hbk_message_read_result(&message, HBK_METHOD_DELIVERY_ACCEPT),
                         cases[i].result);
        if (cases[i].result == 0) {
            assert_int_equal(message.u.result.accept.items[0].widenable, cases[i].value);
            hbk_write_result(&back, &id_5, HBK_METHOD_DELIVERY_ACCEPT, &message.u.result.accept);
            assert_int_equal(back.size, strlen(line) + 1);
            assert_memory_equal(back.data, line, strlen(line));
        } else {
            assert_int_equal(message.error.code, HBK_R_INVALID_PARAMS);
            assert_non_null(strstr(message.error.detail, "items[0].widenable"));
            assert_nothing_left(&message);
        }
        hbk_buffer_deinit(&back);
        hbk_message_clear(&message);
    }
}

static void fill_event(struct hbk_event *event, struct hbk_sent_item *items, size_t count)
{
    *event = (struct hbk_event){
        .serial = 1,
        .time_ms = 2,
        .event = hbk_text_from("handle.send"),
        .outcome = hbk_text_from("refused"),
        .caller = {.pid = 9},
        .detail = hbk_text_from("\n\" \xE2\x82\xAC"),
        .items_count = count,
        .items = items,
    };
    for (size_t i = 0; i < count; i++)
        items[i] = (struct hbk_sent_item){hbk_text_from("Event"), 1};
}

/* A line of the audit file is what watchers get as params, and nothing else. */
static void test_event_as_a_line(void **state)
{
    static struct hbk_sent_item items[HBK_ITEMS_MAX];
    struct hbk_event event;
    struct hbk_buffer line = {0}, notification = {0};
    struct hbk_message message = {0};

    (void)state;
    fill_event(&event, items, 1);
    hbk_write_event(&line, &event);
    hbk_buffer_append(&line, "", 1);
    assert_false(line.failed);
    assert_string_equal(
        (const char *)line.data,
        "{\"serial\":1,\"time_ms\":2,\"event\":\"handle.send\",\"outcome\":"
        "\"refused\",\"caller\":{\"pid\":9},\"items\":[{\"type\":\"Event\",\"access\":"
        "1}],\"detail\":\"\\n\\\" \xE2\x82\xAC\"}\n");
    fill_event(&event, items, HBK_ITEMS_MAX);
    hbk_write_notification(&notification, HBK_METHOD_BROKER_EVENT, &event);
    assert_int_equal(
        hbk_message_read_server_line(
            &message, (struct hbk_text){(const char *)notification.data, notification.size - 1}),
        0);
    assert_int_equal(message.u.params.event.items_count, HBK_ITEMS_MAX);
    assert_int_equal(message.u.params.event.caller.pid, 9);
    assert_int_equal(message.u.params.event.caller.session, 0);
    assert_null(message.u.params.event.target.user.data);
    assert_int_equal(message.u.params.event.count, 0);
    hbk_message_clear(&message);
    hbk_buffer_deinit(&line);
    hbk_buffer_deinit(&notification);
}

/* Where there is no room for it, it is not half written, behind what stood there before. */
static void test_event_that_does_not_fit(void **state)
{
    static struct hbk_sent_item items[HBK_ITEMS_MAX];
    struct hbk_event event;
    struct hbk_buffer line;

    (void)state;
    fill_event(&event, items, HBK_ITEMS_MAX);
    hbk_buffer_init(&line, 512);
    hbk_buffer_append(&line, "before\n", 7);
    hbk_write_event(&line, &event);
    assert_true(line.failed);
    assert_int_equal(line.size, 7);
    hbk_buffer_deinit(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_both_ways),
        cmocka_unit_test(test_error_without_detail_says_what_its_code_means),
        cmocka_unit_test(test_what_a_later_service_adds_is_skipped),
        cmocka_unit_test(test_refused_lines),
        cmocka_unit_test(test_bad_values_from_a_service),
        cmocka_unit_test(test_logon_sessions),
        cmocka_unit_test(test_offers_carry_no_values),
        cmocka_unit_test(test_line_that_does_not_fit),
        cmocka_unit_test(test_widenable),
        cmocka_unit_test(test_event_as_a_line),
        cmocka_unit_test(test_event_that_does_not_fit),
    };

    return cmocka_run_group_tests_name("server_line", tests, NULL, NULL);
}
