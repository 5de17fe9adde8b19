/* proto/PROTOCOL.md stays true: its example lines decode and are spelled as the encoder spells them, its
 * refused lines are refused with just the answer shown, its tables say what the code says. */
#include "test_support.h"
#include "codec_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct row {
    const char *name;
    uint64_t value;
};

static const struct row limits[] = {
    {"line_bytes", HBK_LINE_BYTES_MAX},
    {"depth", HBK_JSON_DEPTH_MAX},
    {"values", HBK_JSON_VALUES_MAX},
    {"members", HBK_JSON_MEMBERS_MAX},
    {"digits", HBK_JSON_DIGITS_MAX},
    {"integer", HBK_INTEGER_MAX},
    {"id_bytes", HBK_ID_TEXT_BYTES_MAX},
    {"handle_min", HBK_HANDLE_MIN},
    {"handle_max", HBK_HANDLE_MAX},
    {"name_bytes", HBK_NAME_BYTES_MAX},
    {"type_bytes", HBK_TYPE_BYTES_MAX},
    {"sid_bytes", HBK_SID_BYTES_MAX},
    {"client_name_bytes", HBK_CLIENT_NAME_BYTES_MAX},
    {"client_version_bytes", HBK_CLIENT_VERSION_BYTES_MAX},
    {"protocols", HBK_PROTOCOLS_MAX},
    {"items", HBK_ITEMS_MAX},
    {"sockets", HBK_SOCKETS_MAX},
    {"protocol_info_bytes", HBK_PROTOCOL_INFO_BYTES_MAX},
    {"ticket_bytes", HBK_TICKET_BYTES},
    {"types", HBK_TYPES_MAX},
    {"data_bytes", HBK_DATA_BYTES_MAX},
    {"reason_bytes", HBK_REASON_BYTES_MAX},
    {"sddl_bytes", HBK_SDDL_BYTES_MAX},
    {"detail_bytes", HBK_DETAIL_BYTES_MAX},
    {"cursor_bytes", HBK_CURSOR_BYTES_MAX},
    {"page", HBK_PAGE_MAX},
    {"page_items", HBK_PAGE_ITEMS_MAX},
    {"page_handles", HBK_PAGE_HANDLES_MAX},
    {"quotas", HBK_QUOTAS_MAX},
    {"metrics_bytes", HBK_METRICS_BYTES_MAX},
    {"limit_name_bytes", HBK_LIMIT_NAME_BYTES_MAX},
    {"verb_bytes", HBK_VERB_BYTES_MAX},
    {"rule_bytes", HBK_RULE_BYTES_MAX},
    {"event_name_bytes", HBK_EVENT_NAME_BYTES_MAX},
    {"watchers", HBK_WATCHERS_MAX},
    {"looks", HBK_LOOKS_MAX},
    {"wait", HBK_WAIT_MS_MAX},
    {"timeout", HBK_TIMEOUT_MS_DEFAULT},
    {"ttl", HBK_TTL_MS_MAX},
    {"sessions", HBK_SESSIONS_MAX},
    {"sessions_per_user", HBK_SESSIONS_PER_USER_MAX},
    {"requests", HBK_REQUESTS_PER_SESSION_MAX},
    {"endpoints", HBK_ENDPOINTS_PER_SESSION_MAX},
    {"pins", HBK_PINS_PER_SESSION_MAX},
    {"pending", HBK_PENDING_PER_ENDPOINT_MAX},
    {"write_queue_bytes", HBK_WRITE_QUEUE_BYTES_MAX},
    {"hello_ms", HBK_HELLO_DEADLINE_MS},
    {"line_ms", HBK_LINE_DEADLINE_MS},
    {"write_ms", HBK_WRITE_DEADLINE_MS},
};

/* What all users share, under the name that a refusal gives. */
static const struct row shares[] = {
    {"sessions_per_user", HBK_SESSIONS_MAX},
    {"requests_per_user", HBK_REQUESTS_MAX},
    {"pins_per_user", HBK_PINS_MAX},
    {"pending_per_user", HBK_PENDING_MAX},
    {"endpoints_per_user", HBK_ENDPOINTS_MAX},
    {"stored_per_user", HBK_STORED_MAX},
    {"stored_bytes_per_user", HBK_STORED_BYTES_MAX},
    {"queued_bytes_per_user", HBK_QUEUED_BYTES_MAX},
};

static const struct {
    int32_t code;
    const char *name, *meaning;
} results[] = {
#define HBK_RESULT(name, code, text, meaning) {HBK_R_##name, text, meaning},
#include "results.def"
#undef HBK_RESULT
};

/* The page, with a NUL at its end. */
static struct hbk_buffer read_page(void)
{
    struct hbk_buffer page = read_test_file("proto/PROTOCOL.md");

    hbk_buffer_append(&page, "", 1);
    assert_false(page.failed);
    return page;
}

/* The next line of the page, without its LF; false at the end. */
static bool next_line(const char **at, struct hbk_text *ret_line)
{
    const char *end = strchr(*at, '\n');

    if (**at == '\0')
        return false;
    if (end == NULL)
        end = *at + strlen(*at);
    ret_line->data = *at;
    ret_line->size = (size_t)(end - *at);
    *at = *end == '\n' ? end + 1 : end;
    return true;
}

/* What follows @mark and a space at the start of @line; absent if it starts otherwise. */
static struct hbk_text after_mark(struct hbk_text line, const char *mark)
{
    const size_t size = strlen(mark);

    if (line.size <= size || memcmp(line.data, mark, size) != 0 || line.data[size] != ' ')
        return (struct hbk_text){NULL, 0};
    return (struct hbk_text){line.data + size + 1, line.size - size - 1};
}

static void assert_spelled(struct hbk_text line, const struct hbk_buffer *written)
{
    if (written->failed || written->size != line.size + 1 ||
        memcmp(written->data, line.data, line.size) != 0)
        fail_msg("%.*s\nis written\n%.*s", (int)line.size, line.data, (int)written->size,
                 (const char *)written->data);
}

/* The requests of the page that are not answered yet, and what was seen so far. */
struct replay {
    struct {
        struct hbk_id id;
        enum hbk_method method;
    } open[16];
    size_t open_count;
    struct hbk_message refused; /* the last refused line, until its answer */
    bool refused_open;
    bool requested[HBK_METHOD_COUNT];
    bool answered[HBK_METHOD_COUNT];
};

static void replay_request(struct replay *replay, struct hbk_text line)
{
    struct hbk_message message = {0};
    struct hbk_buffer written = {0};

    if (hbk_message_read_request(&message, line) != 0)
        fail_msg("%.*s: %s", (int)line.size, line.data, message.error.detail);
    sample_write_back(SAMPLE_REQUEST, &message, &written);
    assert_spelled(line, &written);
    assert_true(replay->open_count < COUNT(replay->open));
    replay->open[replay->open_count].id = message.id;
    replay->open[replay->open_count].method = message.method;
    replay->open_count++;
    replay->requested[message.method] = true;
    hbk_buffer_deinit(&written);
    hbk_message_clear(&message);
}

/* The method of the request that @id answers. */
static enum hbk_method close_request(struct replay *replay, const struct hbk_id *id)
{
    for (size_t i = 0; i < replay->open_count; i++) {
        if (hbk_id_equal(&replay->open[i].id, id)) {
            const enum hbk_method method = replay->open[i].method;

            replay->open[i] = replay->open[--replay->open_count];
            return method;
        }
    }
    fail_msg("an answer to no request");
    return HBK_METHOD_NONE;
}

static void replay_server_line(struct replay *replay, struct hbk_text line)
{
    struct hbk_message message = {0};
    struct hbk_buffer written = {0};

    if (hbk_message_read_server_line(&message, line) != 0)
        fail_msg("%.*s: %s", (int)line.size, line.data, message.error.detail);
    if (message.kind == HBK_MESSAGE_NOTIFICATION) {
        replay->answered[message.method] = true;
        sample_write_back(SAMPLE_NOTIFICATION, &message, &written);
    } else if (message.kind == HBK_MESSAGE_RESULT) {
        const enum hbk_method method = close_request(replay, &message.id);

        if (hbk_message_read_result(&message, method) != 0)
            fail_msg("%.*s: %s", (int)line.size, line.data, message.error.detail);
        replay->answered[method] = true;
        sample_write_back(SAMPLE_RESULT, &message, &written);
    } else if (replay->refused_open) {
        replay->refused_open = false; /* the line shown is what the codec makes of it */
        hbk_write_error(&written, &replay->refused.id, &replay->refused.error);
    } else {
        if (message.id.kind != HBK_ID_NONE)
            (void)close_request(replay, &message.id);
        hbk_write_error(&written, &message.id, &message.error);
    }
    assert_spelled(line, &written);
    hbk_buffer_deinit(&written);
    hbk_message_clear(&message);
}

static void test_examples(void **state)
{
    static struct replay replay;
    struct hbk_buffer page = read_page();
    const char *at = (const char *)page.data;
    struct hbk_text line = {"", 0};

    (void)state;
    while (next_line(&at, &line)) {
        const struct hbk_text request = after_mark(line, "\xE2\x86\x92");
        const struct hbk_text answer = after_mark(line, "\xE2\x86\x90");
        const struct hbk_text refused = after_mark(line, "\xE2\x9C\x97");

        if (request.data != NULL) {
            replay_request(&replay, request);
        } else if (answer.data != NULL) {
            replay_server_line(&replay, answer);
        } else if (refused.data != NULL) {
            assert_false(replay.refused_open);
            assert_int_equal(hbk_message_read_request(&replay.refused, refused),
                             HBK_DECODE_E_REFUSED);
            replay.refused_open = true;
        }
    }
    assert_int_equal(replay.open_count, 0);
    assert_false(replay.refused_open);
    for (int i = HBK_METHOD_NONE + 1; i < HBK_METHOD_COUNT; i++) {
        assert_true(replay.answered[i]);
        assert_true(replay.requested[i] != hbk_method_info((enum hbk_method)i)->notification);
    }
    hbk_message_clear(&replay.refused);
    hbk_buffer_deinit(&page);
}

/* Goes to the first row of the table below the heading @heading. */
static const char *find_table(const struct hbk_buffer *page, const char *heading)
{
    const char *at = strstr((const char *)page->data, heading);

    assert_non_null(at);
    at = strstr(at, "\n| --- |");
    assert_non_null(at);
    at = strchr(at + 1, '\n');
    assert_non_null(at);
    return at + 1;
}

static void test_errors(void **state)
{
    struct hbk_buffer page = read_page();
    const char *at = find_table(&page, "\n## Errors\n");
    struct hbk_text line = {"", 0};

    (void)state;
    for (size_t i = 0; i < COUNT(results); i++) {
        char row[256];

        (void)snprintf(row, sizeof row, "| %d | `%s` | %s |", (int)results[i].code, results[i].name,
                       results[i].meaning);
        assert_true(next_line(&at, &line));
        if (!hbk_text_is(line, row))
            fail_msg("%.*s, not %s", (int)line.size, line.data, row);
    }
    assert_true(next_line(&at, &line));
    assert_int_equal(line.size, 0);
    hbk_buffer_deinit(&page);
}

static void assert_table(const char *heading, const struct row *rows, size_t count)
{
    struct hbk_buffer page = read_page();
    const char *at = find_table(&page, heading);
    struct hbk_text line = {"", 0};

    for (size_t i = 0; i < count; i++) {
        char head[64];
        uint64_t value = 0;

        (void)snprintf(head, sizeof head, "| `%s` | ", rows[i].name);
        assert_true(next_line(&at, &line));
        if (line.size < strlen(head) || memcmp(line.data, head, strlen(head)) != 0)
            fail_msg("%.*s, not %s", (int)line.size, line.data, head);
        for (size_t at_digit = strlen(head); at_digit < line.size; at_digit++) {
            const char digit = line.data[at_digit];

            if (digit == ' ')
                break;
            if (digit != ',')
                value = value * 10 + (uint64_t)(digit - '0');
        }
        if (value != rows[i].value)
            fail_msg("%.*s", (int)line.size, line.data);
    }
    assert_true(next_line(&at, &line));
    assert_int_equal(line.size, 0);
    hbk_buffer_deinit(&page);
}

static void test_limits(void **state)
{
    (void)state;
    assert_table("\n## Limits\n", limits, COUNT(limits));
}

static void test_shares(void **state)
{
    (void)state;
    assert_table("\n### Shares\n", shares, COUNT(shares));
}

/* Each limit that hello tells stands in the page's table under that name. */
static void test_limits_of_hello(void **state)
{
    const struct hbk_schema *result = hbk_method_info(HBK_METHOD_SESSION_HELLO)->result;
    const struct hbk_field *field = &result->fields[result->count - 1];

    (void)state;
    assert_string_equal(field->key, "limits");
    for (size_t i = 0; i < field->sub->count; i++) {
        bool found = false;

        for (size_t j = 0; j < COUNT(limits); j++)
            found = found || strcmp(limits[j].name, field->sub->fields[i].key) == 0;
        if (!found)
            fail_msg("%s is not in the page", field->sub->fields[i].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_limits),          cmocka_unit_test(test_shares),
        cmocka_unit_test(test_limits_of_hello),
    };

    return cmocka_run_group_tests_name("protocol_page", tests, NULL, NULL);
}
