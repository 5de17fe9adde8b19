/* Replays tests/vectors: each file through the framer, each line through the decoder. */
#include "test_support.h"
#include "codec_support.h"
#include "frame.h"

#include <stdio.h>
#include <string.h>

typedef void (*line_check)(struct hbk_text line, int32_t code);

/* Calls @check for each line of the file. */
static void replay(const char *file, size_t at_least, line_check check, int32_t code)
{
    struct hbk_framer framer = {0};
    struct hbk_text line;
    struct hbk_buffer bytes;
    size_t lines = 0;
    char path[128];

    (void)snprintf(path, sizeof path, "tests/vectors/%s.lines", file);
    bytes = read_test_file(path);
    for (size_t at = 0; at < bytes.size; at += 1000) {
        assert_int_equal(hbk_framer_push(&framer, bytes.data + at,
                                         bytes.size - at < 1000 ? bytes.size - at : 1000),
                         0);
        while (hbk_framer_next(&framer, &line) == HBK_FRAME_LINE) {
            check(line, code);
            lines++;
        }
    }
    assert_int_equal(hbk_framer_size(&framer), 0);
    assert_true(lines >= at_least);
    hbk_framer_deinit(&framer);
    hbk_buffer_deinit(&bytes);
}

static void request_is_good(struct hbk_text line, int32_t code)
{
    struct hbk_message message = {0};
    struct hbk_message again = {0};
    struct hbk_buffer first = {0};
    struct hbk_buffer second = {0};

    (void)code;
    if (hbk_message_read_request(&message, line) != 0)
        fail_msg("%.*s: %s", (int)line.size, line.data, message.error.detail);
    sample_write_back(SAMPLE_REQUEST, &message, &first);
    assert_int_equal(hbk_message_read_request(
                         &again, (struct hbk_text){(const char *)first.data, first.size - 1}),
                     0);
    sample_write_back(SAMPLE_REQUEST, &again, &second);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    hbk_message_clear(&message);
    hbk_message_clear(&again);
    hbk_buffer_deinit(&first);
    hbk_buffer_deinit(&second);
}

static void request_is_refused(struct hbk_text line, int32_t code)
{
    struct hbk_message message = {0};

    if (hbk_message_read_request(&message, line) != HBK_DECODE_E_REFUSED)
        fail_msg("accepted: %.*s", (int)line.size, line.data);
    if (message.error.code != code)
        fail_msg("%.*s: %d %s", (int)line.size, line.data, (int)message.error.code,
                 message.error.detail);
    assert_nothing_left(&message);
}

/* The method that the id of a result names. */
static enum hbk_method method_of(const struct hbk_id *id)
{
    for (int i = HBK_METHOD_NONE + 1; i < HBK_METHOD_COUNT; i++) {
        const char *name = hbk_method_name((enum hbk_method)i);

        if (strlen(name) == id->text_size && memcmp(name, id->text, id->text_size) == 0 &&
            !hbk_method_info((enum hbk_method)i)->notification)
            return (enum hbk_method)i;
    }
    return HBK_METHOD_NONE;
}

/* Results are decoded as the answer that their id names. */
static int read_server_line(struct hbk_message *message, struct hbk_text line)
{
    const int result = hbk_message_read_server_line(message, line);

    if (result != 0 || message->kind != HBK_MESSAGE_RESULT)
        return result;
    assert_int_not_equal(method_of(&message->id), HBK_METHOD_NONE);
    return hbk_message_read_result(message, method_of(&message->id));
}

static void server_line_is_good(struct hbk_text line, int32_t code)
{
    struct hbk_message message = {0};

    (void)code;
    if (read_server_line(&message, line) != 0)
        fail_msg("%.*s: %s", (int)line.size, line.data, message.error.detail);
    hbk_message_clear(&message);
}

static void server_line_is_refused(struct hbk_text line, int32_t code)
{
    struct hbk_message message = {0};

    (void)code;
    if (read_server_line(&message, line) != HBK_DECODE_E_REFUSED)
        fail_msg("accepted: %.*s", (int)line.size, line.data);
    assert_nothing_left(&message);
}

static void test_good_requests(void **state)
{
    (void)state;
    replay("request-good", 45, request_is_good, 0);
}

static void test_bad_requests(void **state)
{
    (void)state;
    replay("request-parse_error", 50, request_is_refused, HBK_R_PARSE_ERROR);
    replay("request-invalid_request", 20, request_is_refused, HBK_R_INVALID_REQUEST);
    replay("request-method_not_found", 15, request_is_refused, HBK_R_METHOD_NOT_FOUND);
    replay("request-invalid_params", 160, request_is_refused, HBK_R_INVALID_PARAMS);
    replay("request-bad_handle", 100, request_is_refused, HBK_R_BAD_HANDLE);
}

static void test_good_server_lines(void **state)
{
    (void)state;
    replay("server-good", 50, server_line_is_good, 0);
}

static void test_bad_server_lines(void **state)
{
    (void)state;
    replay("server-refused", 95, server_line_is_refused, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_requests),
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_good_server_lines),
        cmocka_unit_test(test_bad_server_lines),
    };

    return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
