/* proto/codec/message: the values of requests for store, transfer and revoke, one by one. Handles and access, which they
 * have in common with sends, are in test_values.c; what the service says of it all is in test_sharing_answer.c. */
#include "test_support.h"
#include "codec_support.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define TICKET "0123456789abcdef0123456789abcdef"
#define PUT "\"name\":\"user/e\",\"handle\":4"
#define TRANSFER "\"source\":{\"pid\":9},\"handle\":4"
static const struct hbk_id id_5 = {.kind = HBK_ID_NUMBER, .number = 5};

static void put(struct hbk_buffer *line, const char *text)
{
    hbk_buffer_append(line, text, strlen(text));
}

static int read_request(struct hbk_message *message, const char *method, const char *params)
{
    struct hbk_buffer line = {0};
    int result;

    put(&line, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"");
    put(&line, method);
    put(&line, "\",\"params\":{");
    put(&line, params);
    put(&line, "}}");
    assert_false(line.failed);
    result = hbk_message_read_request(message, buffer_text(&line));
    hbk_buffer_deinit(&line);
    return result;
}

static void assert_told(const struct hbk_message *message, const char *what, int32_t code,
                        const char *says)
{
    assert_nothing_left(message);
    if (message->error.code != code || strstr(message->error.detail, says) == NULL)
        fail_msg("%s: %d %s, not %d %s", what, (int)message->error.code, message->error.detail,
                 (int)code, says);
}

static void request_is_refused(const char *method, const char *params, const char *says)
{
    struct hbk_message message = {0};

    if (read_request(&message, method, params) != HBK_DECODE_E_REFUSED)
        fail_msg("accepted: %s %s", method, params);
    assert_told(&message, params, HBK_R_INVALID_PARAMS, says);
    assert_true(hbk_id_equal(&message.id, &id_5));
    hbk_message_clear(&message);
}

/* ---- store: requests ---- */

static void test_put_says_little(void **state)
{
    struct hbk_message message = {0};
    const struct hbk_store_put *is = &message.u.params.store_put;
    struct hbk_buffer line = {0};

    (void)state;
    assert_int_equal(read_request(&message, "store.put", PUT), 0);
    assert_true(hbk_text_is(is->name, "user/e"));
    assert_int_equal(is->handle, 4);
    assert_int_equal(is->access.kind, HBK_ACCESS_KIND_SAME);
    assert_int_equal(is->lifetime, HBK_LIFETIME_SESSION);
    assert_int_equal(is->ttl_ms, 0);
    assert_true(!is->replace && !is->once);
    assert_true(is->type.data == NULL && is->allow.data == NULL && is->data.data == NULL);
    hbk_write_request(&line, &id_5, HBK_METHOD_STORE_PUT, is);
    hbk_buffer_append(&line, "", 1);
    assert_string_equal((const char *)line.data,
                        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"store.put\",\"params\":{" PUT
                        "}}\n");
    hbk_buffer_deinit(&line);
    hbk_message_clear(&message);
}

static void test_put_says_all(void **state)
{
    struct hbk_message message = {0};
    const struct hbk_store_put *is = &message.u.params.store_put;

    (void)state;
    assert_int_equal(
        read_request(&message, "store.put",
                     "\"name\":null,\"handle\":4,\"type\":\"Section\",\"access\":\"read\","
                     "\"allow\":\"D:(A;;8;;;AU)\",\"lifetime\":\"broker\",\"ttl_ms\":1,"
                     "\"replace\":true,\"once\":true,\"data\":\"\""),
        0);
    assert_null(is->name.data); /* a ticket */
    assert_true(hbk_text_is(is->type, "Section"));
    assert_int_equal(is->access.kind, HBK_ACCESS_KIND_READ);
    assert_true(hbk_text_is(is->allow, "D:(A;;8;;;AU)"));
    assert_int_equal(is->lifetime, HBK_LIFETIME_BROKER);
    assert_int_equal(is->ttl_ms, 1);
    assert_true(is->replace && is->once);
    assert_true(hbk_text_is(is->data, ""));
    assert_int_equal(read_request(&message, "store.put", PUT ",\"ttl_ms\":2147483647"), 0);
    assert_int_equal(is->ttl_ms, HBK_TTL_MS_MAX);
    hbk_message_clear(&message);
}

static void test_bad_puts(void **state)
{
    static const struct {
        const char *params, *says;
    } cases[] = {
        {"\"handle\":4", "name is missing"},
        {"\"name\":\"user/e\"", "handle is missing"},
        {"\"name\":\"\",\"handle\":4", "name: must not be empty"},
        {"\"name\":\"e\",\"handle\":4", "is no name"},
        {"\"name\":\"store/e\",\"handle\":4", "is no name"},
        {"\"name\":\"user/e*\",\"handle\":4", "is no name"},
        {"\"name\":false,\"handle\":4", "name: expected a string"},
        {PUT ",\"type\":\"\"", "type: must not be empty"},
        {PUT ",\"type\":null", "type: expected a string"},
        {PUT ",\"allow\":\"\"", "allow: must not be empty"},
        {PUT ",\"allow\":null", "allow: expected a string"},
        {PUT ",\"lifetime\":\"\"", "must be \"session\" or \"broker\""},
        {PUT ",\"lifetime\":\"Session\"", "must be \"session\" or \"broker\""},
        {PUT ",\"lifetime\":\"process\"", "must be \"session\" or \"broker\""},
        {PUT ",\"lifetime\":null", "lifetime: expected a string"},
        {PUT ",\"lifetime\":0", "lifetime: expected a string"},
        {PUT ",\"ttl_ms\":0", "ttl_ms: must be 1 to 2147483647"},
        {PUT ",\"ttl_ms\":-1", "ttl_ms: must be 1 to 2147483647"},
        {PUT ",\"ttl_ms\":2147483648", "ttl_ms: must be 1 to 2147483647"},
        {PUT ",\"ttl_ms\":4294967297", "ttl_ms: must be 1 to 2147483647"},
        {PUT ",\"ttl_ms\":null", "ttl_ms: expected an integer"},
        {PUT ",\"ttl_ms\":\"1\"", "ttl_ms: expected an integer"},
        {PUT ",\"replace\":1", "replace: expected true or false"},
        {PUT ",\"once\":\"true\"", "once: expected true or false"},
        {PUT ",\"data\":null", "data: expected a string"},
        {PUT ",\"inherit\":true", "unknown key \"inherit\""}, /* who gets it says so */
        {PUT ",\"protect\":true", "unknown key \"protect\""},
        {PUT ",\"revocable\":true", "unknown key \"revocable\""},
        {PUT ",\"protocol_info\":\"AAAA\"", "unknown key \"protocol_info\""}, /* of nobody */
        {PUT ",\"ticket\":\"" TICKET "\"", "unknown key \"ticket\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        request_is_refused("store.put", cases[i].params, cases[i].says);
}

static void put_text_of(struct hbk_buffer *params, const char *key, size_t size)
{
    put(params, PUT ",\"");
    put(params, key);
    put(params, "\":\"");
    for (size_t i = 0; i < size; i++)
        put(params, "D");
    put(params, "\"");
    hbk_buffer_append(params, "", 1);
    assert_false(params->failed);
}

static void test_longest_texts_of_a_put(void **state)
{
    static const struct {
        const char *key;
        size_t most;
        const char *limit;
    } texts[] = {{"data", HBK_DATA_BYTES_MAX, "data_bytes"},
                 {"allow", HBK_SDDL_BYTES_MAX, ""},
                 {"type", HBK_TYPE_BYTES_MAX, ""}};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct hbk_message message = {0};
        struct hbk_buffer params = {0};

        put_text_of(&params, texts[i].key, texts[i].most);
        assert_int_equal(read_request(&message, "store.put", (const char *)params.data), 0);
        hbk_buffer_clear(&params);
        put_text_of(&params, texts[i].key, texts[i].most + 1);
        assert_int_equal(read_request(&message, "store.put", (const char *)params.data),
                         HBK_DECODE_E_REFUSED);
        assert_told(&message, texts[i].key, HBK_R_INVALID_PARAMS, "at most");
        assert_string_equal(message.error.limit, texts[i].limit);
        hbk_buffer_deinit(&params);
        hbk_message_clear(&message);
    }
}

static void test_get(void **state)
{
    struct hbk_message message = {0};
    const struct hbk_store_get *is = &message.u.params.store_get;

    (void)state;
    assert_int_equal(read_request(&message, "store.get", "\"name\":\"global/e\""), 0);
    assert_true(hbk_text_is(is->name, "global/e") && is->ticket.data == NULL);
    assert_int_equal(is->access.kind, HBK_ACCESS_KIND_SAME);
    assert_int_equal(is->wait_ms, 0);
    assert_false(is->inherit);
    assert_int_equal(read_request(&message, "store.get",
                                  "\"ticket\":\"" TICKET "\",\"access\":4,\"inherit\":true,"
                                  "\"wait_ms\":60000"),
                     0);
    assert_true(hbk_text_is(is->ticket, TICKET) && is->name.data == NULL);
    assert_int_equal(is->access.mask, 4);
    assert_int_equal(is->wait_ms, HBK_WAIT_MS_MAX);
    assert_true(is->inherit);
    /* Both, and none: the core refuses them, and must see that it is so. */
    assert_int_equal(
        read_request(&message, "store.get", "\"name\":\"user/e\",\"ticket\":\"" TICKET "\""), 0);
    assert_true(is->name.data != NULL && is->ticket.data != NULL);
    assert_int_equal(read_request(&message, "store.get", ""), 0);
    assert_true(is->name.data == NULL && is->ticket.data == NULL);
    hbk_message_clear(&message);
}

static void test_bad_gets(void **state)
{
    static const struct {
        const char *params, *says;
    } cases[] = {
        {"\"name\":null", "name: expected a string"},
        {"\"name\":\"\"", "name: must not be empty"},
        {"\"name\":\"" TICKET "\"", "is no name"},
        {"\"ticket\":null", "ticket: expected a string"},
        {"\"ticket\":\"\"", "ticket: must not be empty"},
        {"\"ticket\":12345678901234567890", "ticket: expected a string"},
        {"\"name\":\"user/e\",\"wait_ms\":60001", "wait_ms: must be 0 to 60000"},
        {"\"name\":\"user/e\",\"wait_ms\":-1", "wait_ms: must be 0 to 60000"},
        {"\"name\":\"user/e\",\"inherit\":1", "inherit: expected true or false"},
        {"\"name\":\"user/e\",\"protect\":true", "unknown key \"protect\""},
        {"\"name\":\"user/e\",\"type\":\"Event\"", "unknown key \"type\""},
        {"\"entry\":5", "unknown key \"entry\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        request_is_refused("store.get", cases[i].params, cases[i].says);
}

/* What is no ticket is not told back: the refusal is recorded, and it may be one but for a slip of the pen. */
static void test_what_is_no_ticket_is_not_quoted(void **state)
{
    static const struct {
        const char *ticket, *says;
    } cases[] = {
        {"0123456789abcdef0123456789abcde", "must be 32 lower-case hex digits"},
        {"0123456789abcdef0123456789abcdef0", "33 bytes, at most 32 are allowed"},
        {"0123456789ABCDEF0123456789ABCDEF", "must be 32 lower-case hex digits"},
        {"0123456789abcdef0123456789abcdeF", "must be 32 lower-case hex digits"},
        {"0123456789abcdef0123456789abcdeg", "must be 32 lower-case hex digits"},
        {"/123456789abcdef0123456789abcdef", "must be 32 lower-case hex digits"},
        {":123456789abcdef0123456789abcdef", "must be 32 lower-case hex digits"},
        {"`123456789abcdef0123456789abcdef", "must be 32 lower-case hex digits"},
        {" 123456789abcdef0123456789abcdef", "must be 32 lower-case hex digits"},
        {"0123456789abcdef0123456789abcde ", "must be 32 lower-case hex digits"},
        {"0x23456789abcdef0123456789abcdef", "must be 32 lower-case hex digits"},
        {"01234567-89ab-cdef-0123-456789ab", "must be 32 lower-case hex digits"},
        {"0123456789abcdef0123456789abcd\xC3\xA9", "must be 32 lower-case hex digits"},
        {"a", "must be 32 lower-case hex digits"},
    };
    char params[128];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hbk_message message = {0};

        (void)snprintf(params, sizeof params, "\"ticket\":\"%s\"", cases[i].ticket);
        request_is_refused("store.get", params, cases[i].says);
        (void)read_request(&message, "store.get", params);
        assert_null(strchr(message.error.detail, '"'));
        assert_null(strstr(message.error.detail, "abcd"));
        assert_null(strstr(message.error.detail, "ABCD"));
        assert_string_equal(message.error.limit, "");
    }
}

static void test_remove(void **state)
{
    static const struct {
        const char *params, *says;
    } bad[] = {
        {"\"entry\":0", "entry: must be 1 to 9007199254740991"},
        {"\"entry\":-1", "entry: must be"},
        {"\"entry\":9007199254740992", "entry: must be"},
        {"\"entry\":\"5\"", "entry: expected an integer"},
        {"\"entry\":null", "entry: expected an integer"},
        {"\"name\":null", "name: expected a string"},
        {"\"name\":\"user/\"", "is no name"},
        {"\"ticket\":\"" TICKET "\"", "unknown key \"ticket\""},
    };
    struct hbk_message message = {0};
    const struct hbk_store_remove *is = &message.u.params.store_remove;

    (void)state;
    assert_int_equal(read_request(&message, "store.remove", "\"name\":\"session/e\""), 0);
    assert_true(hbk_text_is(is->name, "session/e") && is->entry == 0);
    assert_int_equal(read_request(&message, "store.remove", "\"entry\":9007199254740991"), 0);
    assert_true(is->name.data == NULL && is->entry == HBK_INTEGER_MAX);
    /* Both, and none: the core refuses them. */
    assert_int_equal(read_request(&message, "store.remove", "\"name\":\"user/e\",\"entry\":1"), 0);
    assert_true(is->name.data != NULL && is->entry == 1);
    assert_int_equal(read_request(&message, "store.remove", ""), 0);
    assert_true(is->name.data == NULL && is->entry == 0);
    hbk_message_clear(&message);
    for (size_t i = 0; i < COUNT(bad); i++)
        request_is_refused("store.remove", bad[i].params, bad[i].says);
}

/* ---- transfer, revoke: requests ---- */

static void test_transfer(void **state)
{
    static const struct {
        const char *target;
        uint32_t pid;
        const char *name;
    } targets[] = {
        {"", 0, NULL}, /* the caller */
        {",\"target\":{\"pid\":4294967295}", UINT32_MAX, NULL},
        {",\"target\":\"user/t\"", 0, "user/t"},
    };
    struct hbk_message message = {0};
    const struct hbk_transfer *is = &message.u.params.transfer;
    char params[256];

    (void)state;
    for (size_t i = 0; i < COUNT(targets); i++) {
        struct hbk_buffer back = {0};
        char line[384];

        (void)snprintf(params, sizeof params, TRANSFER "%s", targets[i].target);
        assert_int_equal(read_request(&message, "handle.transfer", params), 0);
        assert_int_equal(is->source_pid, 9);
        assert_int_equal(is->handle, 4);
        assert_int_equal(is->target_pid, targets[i].pid);
        assert_true(hbk_text_equal(is->to_name, hbk_text_from(targets[i].name)));
        assert_null(is->type.data);
        assert_int_equal(is->access.kind, HBK_ACCESS_KIND_SAME);
        assert_false(is->inherit);
        /* And back: who is not named is not there. */
        hbk_write_request(&back, &id_5, HBK_METHOD_HANDLE_TRANSFER, is);
        hbk_buffer_append(&back, "", 1);
        (void)snprintf(line, sizeof line,
                       "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.transfer\","
                       "\"params\":{%s}}\n",
                       params);
        assert_string_equal((const char *)back.data, line);
        hbk_buffer_deinit(&back);
    }
    hbk_message_clear(&message);
}

static void test_bad_transfers(void **state)
{
    static const struct {
        const char *params, *says;
    } cases[] = {
        {"\"handle\":4", "source is missing"},
        {"\"source\":{\"pid\":9}", "handle is missing"},
        {"\"source\":{},\"handle\":4", "pid is missing"},
        {"\"source\":{\"pid\":0},\"handle\":4", "source.pid: must be 1 to 4294967295"},
        {"\"source\":{\"pid\":-4},\"handle\":4", "source.pid: must be"},
        {"\"source\":{\"pid\":4294967296},\"handle\":4", "source.pid: must be"},
        {"\"source\":{\"pid\":\"9\"},\"handle\":4", "source.pid: expected an integer"},
        {"\"source\":{\"pid\":9,\"name\":\"user/s\"},\"handle\":4", "source: unknown key \"name\""},
        {"\"source\":9,\"handle\":4", "source: expected an object"},
        {"\"source\":\"user/s\",\"handle\":4", "source: expected an object"},
        {TRANSFER ",\"target\":null", "target: expected an endpoint's name or an object"},
        {TRANSFER ",\"target\":9", "target: expected an endpoint's name or an object"},
        {TRANSFER ",\"target\":{}", "target: pid is missing"},
        {TRANSFER ",\"target\":{\"pid\":0}", "target.pid: must be 1 to 4294967295"},
        {TRANSFER ",\"target\":{\"pid\":4294967296}", "target.pid: must be"},
        {TRANSFER ",\"target\":{\"pid\":9,\"name\":\"user/t\"}", "target: unknown key \"name\""},
        {TRANSFER ",\"target\":\"\"", "target: must not be empty"},
        {TRANSFER ",\"target\":\"t\"", "is no name"},
        {TRANSFER ",\"type\":\"\"", "type: must not be empty"},
        {TRANSFER ",\"inherit\":\"no\"", "inherit: expected true or false"},
        {TRANSFER ",\"protect\":true", "unknown key \"protect\""},
        {TRANSFER ",\"close_source\":true", "unknown key \"close_source\""},
        {TRANSFER ",\"wait_ms\":0", "unknown key \"wait_ms\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        request_is_refused("handle.transfer", cases[i].params, cases[i].says);
}

static void test_revoke(void **state)
{
    static const struct {
        const char *params, *says;
    } bad[] = {
        {"", "delivery is missing"},
        {"\"delivery\":0", "delivery: must be 1 to 9007199254740991"},
        {"\"delivery\":9007199254740992", "delivery: must be"},
        {"\"delivery\":\"9\"", "delivery: expected an integer"},
        {"\"delivery\":9,\"reason\":\"x\"", "unknown key \"reason\""},
        {"\"delivery\":9,\"items\":[0]", "unknown key \"items\""},
    };
    struct hbk_message message = {0};

    (void)state;
    assert_int_equal(read_request(&message, "delivery.revoke", "\"delivery\":9007199254740991"), 0);
    assert_int_equal(message.u.params.delivery_answer.delivery, HBK_INTEGER_MAX);
    assert_null(message.u.params.delivery_answer.reason.data);
    hbk_message_clear(&message);
    for (size_t i = 0; i < COUNT(bad); i++)
        request_is_refused("delivery.revoke", bad[i].params, bad[i].says);
}

static void test_pages(void **state)
{
    static const char *const lists[] = {"delivery.list", "store.list"};
    struct hbk_message message = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++) {
        assert_int_equal(read_request(&message, lists[i], "\"cursor\":\"9\",\"limit\":64"), 0);
        /* Both are pages, wherever they stand. */
        assert_int_equal(message.u.params.delivery_list.limit, HBK_PAGE_MAX);
        assert_true(hbk_text_is(message.u.params.store_list.cursor, "9"));
        request_is_refused(lists[i], "\"limit\":0", "limit: must be 1 to 64");
        request_is_refused(lists[i], "\"limit\":65", "limit: must be 1 to 64");
        request_is_refused(lists[i], "\"cursor\":\"\"", "cursor: must not be empty");
        request_is_refused(lists[i], "\"cursor\":9", "cursor: expected a string");
        request_is_refused(lists[i], "\"name\":\"user/e\"", "unknown key \"name\"");
    }
    hbk_message_clear(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_says_little),
        cmocka_unit_test(test_put_says_all),
        cmocka_unit_test(test_bad_puts),
        cmocka_unit_test(test_longest_texts_of_a_put),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_bad_gets),
        cmocka_unit_test(test_what_is_no_ticket_is_not_quoted),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_transfer),
        cmocka_unit_test(test_bad_transfers),
        cmocka_unit_test(test_revoke),
        cmocka_unit_test(test_pages),
    };

    return cmocka_run_group_tests_name("sharing_request", tests, NULL, NULL);
}
