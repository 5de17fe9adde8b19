/* proto/codec/message, the client's side: what the service says of sockets, store, transfer and revoke, value by value,
 * and lines that are none of the service's. */
#include "test_support.h"
#include "codec_support.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define TICKET "0123456789abcdef0123456789abcdef"
#define FROM                                                                       \
    "\"from\":{\"session\":7,\"pid\":9,\"user\":\"S-1-5-18\",\"integrity\":16384," \
    "\"logon_session\":\"00000000000003e7\"}"
#define ITEM_TAIL "\"type\":\"Socket\",\"access\":0,\"inherit\":false,\"protect\":false"
#define GET_TAIL "\"type\":\"Socket\",\"access\":0," FROM ",\"data\":null"
#define OWNER "\"owner\":{\"session\":7,\"pid\":9,\"user\":\"S-1-5-18\"}"

static const struct hbk_id id_5 = {.kind = HBK_ID_NUMBER, .number = 5};

static void put(struct hbk_buffer *line, const char *text)
{
    hbk_buffer_append(line, text, strlen(text));
}

/* The three lines that give handles or sockets away: what stands around the one or the other. */
static const struct place {
    enum sample_kind kind;
    enum hbk_method method;
    const char *head, *tail;
    const char *path; /* how a refusal calls the place */
} places[] = {
    {SAMPLE_NOTIFICATION, HBK_METHOD_HANDLE_DELIVERED,
     "{\"jsonrpc\":\"2.0\",\"method\":\"handle.delivered\",\"params\":{\"delivery\":9,\"endpoint\":"
     "\"user/t\"," FROM ",\"items\":[{",
     "," ITEM_TAIL "}],\"data\":null,\"revocable\":false}}", "items[0]"},
    {SAMPLE_RESULT, HBK_METHOD_DELIVERY_ACCEPT,
     "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"items\":[{", "," ITEM_TAIL "}]}}", "items[0]"},
    {SAMPLE_RESULT, HBK_METHOD_STORE_GET, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{",
     "," GET_TAIL "}}", ""},
};

static void put_place(struct hbk_buffer *line, const struct place *place, const char *values)
{
    hbk_buffer_clear(line);
    put(line, place->head);
    put(line, values);
    put(line, place->tail);
    assert_false(line->failed);
}

static void values_are_refused(const struct place *place, const char *values, int32_t code,
                               const char *says)
{
    struct hbk_message message = {0};
    struct hbk_buffer line = {0};

    put_place(&line, place, values);
    if (sample_read(place->kind, place->method, &message, buffer_text(&line)) !=
        HBK_DECODE_E_REFUSED)
        fail_msg("accepted: %.*s", (int)line.size, (const char *)line.data);
    assert_nothing_left(&message);
    if (message.error.code != code || strstr(message.error.detail, says) == NULL ||
        strstr(message.error.detail, place->path) == NULL)
        fail_msg("%s: %d %s, not %s", values, (int)message.error.code, message.error.detail, says);
    hbk_message_clear(&message);
    hbk_buffer_deinit(&line);
}

static void values_are_kept(const struct place *place, const char *values, uint32_t handle,
                            struct hbk_text info)
{
    struct hbk_message message = {0};
    struct hbk_buffer line = {0}, back = {0};
    const struct hbk_delivered_item *item;

    put_place(&line, place, values);
    if (sample_read(place->kind, place->method, &message, buffer_text(&line)) != 0)
        fail_msg("%.*s: %s", (int)line.size, (const char *)line.data, message.error.detail);
    item = place->method == HBK_METHOD_HANDLE_DELIVERED ? message.u.params.delivered.items
                                                        : message.u.result.accept.items;
    if (place->method == HBK_METHOD_STORE_GET) {
        assert_int_equal(message.u.result.store_get.handle, handle);
        assert_true(hbk_text_equal(message.u.result.store_get.protocol_info, info));
    } else {
        assert_int_equal(item->handle, handle);
        assert_true(hbk_text_equal(item->protocol_info, info));
    }
    sample_write_back(place->kind, &message, &back);
    assert_int_equal(back.size, line.size + 1);
    assert_memory_equal(back.data, line.data, line.size);
    hbk_message_clear(&message);
    hbk_buffer_deinit(&line);
    hbk_buffer_deinit(&back);
}

/* What comes is a handle or a socket: a client must never take a line without either for handle 0. */
static void test_handle_or_socket(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        const struct place *place = &places[i];

        values_are_kept(place, "\"handle\":4", 4, hbk_text_from(NULL));
        values_are_kept(place, "\"protocol_info\":\"AAAA\"", 0, hbk_text_from("AAAA"));
        values_are_refused(place, "\"later\":1", HBK_R_INVALID_PARAMS,
                           "handle or protocol_info is missing");
        values_are_refused(place, "\"handle\":4,\"protocol_info\":\"AAAA\"", HBK_R_INVALID_PARAMS,
                           "handle and protocol_info, where one of them is enough");
        values_are_refused(place, "\"protocol_info\":\"AAAA\",\"handle\":4", HBK_R_INVALID_PARAMS,
                           "handle and protocol_info, where one of them is enough");
        values_are_refused(place, "\"handle\":null", HBK_R_INVALID_PARAMS, "expected an integer");
        values_are_refused(place, "\"handle\":0,\"protocol_info\":\"AAAA\"", HBK_R_BAD_HANDLE,
                           "0 is no handle");
        values_are_refused(place, "\"handle\":-1", HBK_R_BAD_HANDLE, "pseudo-handle");
        values_are_refused(place, "\"handle\":6", HBK_R_BAD_HANDLE, "tag bits");
        values_are_refused(place, "\"protocol_info\":null", HBK_R_INVALID_PARAMS,
                           "expected a string");
        values_are_refused(place, "\"protocol_info\":{}", HBK_R_INVALID_PARAMS,
                           "expected a string");
    }
}

static void test_protocol_info(void **state)
{
    static const char *const good[] = {"AAA=", "AA==", "AZaz", "09+/", "AAAAAAA=", "AAAAAA=="};
    static const char *const bad[] = {"A",          "AA",     "AAA",      "AAAAA", "=",
                                      "==",         "===",    "====",     "A===",  "AA=A",
                                      "AA==AAAA",   "AAA-",   "AAA_",     "AA A",  "AAA ",
                                      " AAA",       "AAA\\n", "AAA.",     "AAA*",  "AAA\\u0001",
                                      "\xC3\xA9QQ", "AAAA=",  "AAAA====", "AAA@",  "AAA[",
                                      "AAA`",       "AAA{",   "AAA:",     "AAA,"};
    char values[1024];
    char info[HBK_PROTOCOL_INFO_BYTES_MAX + 5];

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        for (size_t j = 0; j < COUNT(good); j++) {
            (void)snprintf(values, sizeof values, "\"protocol_info\":\"%s\"", good[j]);
            values_are_kept(&places[i], values, 0, hbk_text_from(good[j]));
        }
        for (size_t j = 0; j < COUNT(bad); j++) {
            (void)snprintf(values, sizeof values, "\"protocol_info\":\"%s\"", bad[j]);
            values_are_refused(&places[i], values, HBK_R_INVALID_PARAMS, "is not base64");
        }
        values_are_refused(&places[i], "\"protocol_info\":\"\"", HBK_R_INVALID_PARAMS,
                           "must not be empty");
        /* 628 bytes are the longest: 840 digits with the padding. */
        memset(info, 'Q', sizeof info);
        info[HBK_PROTOCOL_INFO_BYTES_MAX] = '\0';
        (void)snprintf(values, sizeof values, "\"protocol_info\":\"%s\"", info);
        values_are_kept(&places[i], values, 0, hbk_text_from(info));
        memset(info, 'Q', sizeof info);
        info[HBK_PROTOCOL_INFO_BYTES_MAX + 4] = '\0';
        (void)snprintf(values, sizeof values, "\"protocol_info\":\"%s\"", info);
        values_are_refused(&places[i], values, HBK_R_INVALID_PARAMS,
                           "844 bytes, at most 840 are allowed");
    }
}

/* An offer has neither, and is of an endpoint; what is delivered may be a transfer to the process. */
static void test_null_endpoint(void **state)
{
    static const struct {
        const char *method, *endpoint, *items;
        int result;
        const char *says;
    } cases[] = {
        {"handle.delivered", "\"endpoint\":null,", "\"handle\":4,", 0, NULL},
        {"handle.delivered", "", "\"handle\":4,", HBK_DECODE_E_REFUSED, "endpoint is missing"},
        {"handle.delivered", "\"endpoint\":\"\",", "\"handle\":4,", HBK_DECODE_E_REFUSED, "empty"},
        {"handle.offered", "\"endpoint\":\"user/t\",", "", 0, NULL},
        {"handle.offered", "\"endpoint\":null,", "", HBK_DECODE_E_REFUSED, "expected a string"},
        {"handle.offered", "", "", HBK_DECODE_E_REFUSED, "endpoint is missing"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hbk_message message = {0};
        struct hbk_buffer back = {0};
        char line[512];

        (void)snprintf(line, sizeof line,
                       "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":{\"delivery\":9,%s" FROM
                       ",\"items\":[{%s" ITEM_TAIL "}],\"data\":null,\"revocable\":true}}",
                       cases[i].method, cases[i].endpoint, cases[i].items);
        assert_int_equal(hbk_message_read_server_line(&message, hbk_text_from(line)),
                         cases[i].result);
        if (cases[i].result == 0) {
            assert_true(message.u.params.delivered.revocable);
            assert_true((message.u.params.delivered.endpoint.data == NULL) ==
                        (strstr(line, "null,\"from") != NULL));
            sample_write_back(SAMPLE_NOTIFICATION, &message, &back);
            assert_int_equal(back.size, strlen(line) + 1);
            assert_memory_equal(back.data, line, strlen(line));
        } else {
            assert_nothing_left(&message);
            assert_int_equal(message.error.code, HBK_R_INVALID_PARAMS);
            assert_non_null(strstr(message.error.detail, cases[i].says));
        }
        hbk_buffer_deinit(&back);
        hbk_message_clear(&message);
    }
}

/* ---- revoke ---- */

static void closed_line(struct hbk_buffer *line, bool notification, const char *closed)
{
    hbk_buffer_clear(line);
    put(line, notification ? "{\"jsonrpc\":\"2.0\",\"method\":\"delivery.revoked\",\"params\":{"
                             "\"delivery\":9,\"closed\":"
                           : "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"closed\":");
    put(line, closed);
    put(line, "}}");
    assert_false(line->failed);
}

static int read_closed(struct hbk_message *message, bool notification, const char *closed,
                       struct hbk_buffer *line)
{
    closed_line(line, notification, closed);
    return sample_read(notification ? SAMPLE_NOTIFICATION : SAMPLE_RESULT,
                       notification ? HBK_METHOD_DELIVERY_REVOKED : HBK_METHOD_DELIVERY_REVOKE,
                       message, buffer_text(line));
}

/* [0,1,…], @count of them. */
static void put_indices(struct hbk_buffer *list, size_t count, size_t modulus)
{
    hbk_buffer_clear(list);
    put(list, "[");
    for (size_t i = 0; i < count; i++) {
        char number[16];

        (void)snprintf(number, sizeof number, "%s%u", i > 0 ? "," : "", (unsigned)(i % modulus));
        put(list, number);
    }
    hbk_buffer_append(list, "]", 2);
    assert_false(list->failed);
}

static void closed_is_refused(bool notification, const char *closed, const char *says)
{
    struct hbk_message message = {0};
    struct hbk_buffer line = {0};

    if (read_closed(&message, notification, closed, &line) != HBK_DECODE_E_REFUSED)
        fail_msg("accepted: %s", closed);
    assert_nothing_left(&message);
    assert_int_equal(message.error.code, HBK_R_INVALID_PARAMS);
    if (strstr(message.error.detail, says) == NULL)
        fail_msg("%s: %s, not %s", closed, message.error.detail, says);
    hbk_message_clear(&message);
    hbk_buffer_deinit(&line);
}

static void test_closed(void **state)
{
    static const size_t counts[] = {0, 1, 2, HBK_ITEMS_MAX};

    (void)state;
    for (int notification = 0; notification < 2; notification++) {
        struct hbk_message message = {0};
        struct hbk_buffer list = {0}, line = {0}, back = {0};

        for (size_t i = 0; i < COUNT(counts); i++) {
            const struct hbk_revoke_result *result = &message.u.result.revoke;
            const struct hbk_revoked *revoked = &message.u.params.revoked;
            const uint32_t *closed;

            put_indices(&list, counts[i], HBK_ITEMS_MAX);
            assert_int_equal(read_closed(&message, notification, (const char *)list.data, &line),
                             0);
            assert_int_equal(notification ? revoked->closed_count : result->closed_count,
                             counts[i]);
            closed = notification ? revoked->closed : result->closed;
            for (size_t j = 0; j < counts[i]; j++)
                assert_int_equal(closed[j], j);
            assert_int_equal(notification ? revoked->delivery : 9, 9);
            hbk_buffer_clear(&back);
            sample_write_back(notification ? SAMPLE_NOTIFICATION : SAMPLE_RESULT, &message, &back);
            assert_int_equal(back.size, line.size + 1);
            assert_memory_equal(back.data, line.data, line.size);
        }
        hbk_message_clear(&message);
        put_indices(&list, HBK_ITEMS_MAX + 1, HBK_ITEMS_MAX);
        closed_is_refused(notification, (const char *)list.data, "must have 0 to 64 members");
        closed_is_refused(notification, "[0,64]", "closed[1]: must be 0 to 63");
        closed_is_refused(notification, "[-1]", "closed[0]: must be 0 to 63");
        closed_is_refused(notification, "[4294967296]", "closed[0]: must be 0 to 63");
        closed_is_refused(notification, "[18446744073709551615]", "closed[0]: must be 0 to 63");
        closed_is_refused(notification, "[\"0\"]", "closed[0]: expected an integer");
        closed_is_refused(notification, "[null]", "closed[0]: expected an integer");
        closed_is_refused(notification, "[[0]]", "closed[0]: expected an integer");
        closed_is_refused(notification, "0", "closed: expected an array");
        closed_is_refused(notification, "{}", "closed: expected an array");
        closed_is_refused(notification, "null", "closed: expected an array");
        hbk_buffer_deinit(&list);
        hbk_buffer_deinit(&line);
        hbk_buffer_deinit(&back);
    }
}

/* ---- lists, and the rest ---- */

/* The longest page: as many deliveries and items as one may have. */
static void test_page_of_deliveries(void **state)
{
    static struct hbk_sent_item items[HBK_ITEMS_MAX];
    static struct hbk_delivery_info infos[HBK_PAGE_MAX];
    const struct hbk_delivery_party party = {1, 2, hbk_text_from("S-1-5-18")};
    struct hbk_delivery_list_result page = {.deliveries = infos, .deliveries_count = HBK_PAGE_MAX};
    struct hbk_message message = {0};
    struct hbk_buffer line = {0};
    const struct hbk_delivery_list_result *is = &message.u.result.deliveries;

    (void)state;
    page.next = hbk_text_from("64");
    for (size_t i = 0; i < COUNT(items); i++)
        items[i] = (struct hbk_sent_item){hbk_text_from("Semaphore"), UINT32_MAX};
    for (size_t i = 0; i < COUNT(infos); i++)
        infos[i] = (struct hbk_delivery_info){
            .delivery = i + 1,
            .state = hbk_text_from("given"),
            .endpoint = hbk_text_from("user/t"),
            .from = party,
            .to = party,
            .items = items,
            .items_count = i < HBK_PAGE_ITEMS_MAX / HBK_ITEMS_MAX ? HBK_ITEMS_MAX : 0,
            .revocable = true,
        };
    hbk_write_result(&line, &id_5, HBK_METHOD_DELIVERY_LIST, &page);
    assert_false(line.failed);
    assert_int_equal(hbk_message_read_server_line(
                         &message, (struct hbk_text){(const char *)line.data, line.size - 1}),
                     0);
    assert_int_equal(hbk_message_read_result(&message, HBK_METHOD_DELIVERY_LIST), 0);
    assert_int_equal(is->deliveries_count, HBK_PAGE_MAX);
    assert_int_equal(is->deliveries[0].items_count, HBK_ITEMS_MAX);
    assert_int_equal(is->deliveries[HBK_PAGE_MAX - 1].items_count, 0);
    assert_true(hbk_text_is(is->next, "64"));
    hbk_message_clear(&message);
    hbk_buffer_deinit(&line);
}

/* A result that is @line between its braces. */
static int read_result(struct hbk_message *message, enum hbk_method method, const char *result)
{
    struct hbk_buffer line = {0};
    int outcome;

    put(&line, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{");
    put(&line, result);
    put(&line, "}}");
    outcome = sample_read(SAMPLE_RESULT, method, message, buffer_text(&line));
    hbk_buffer_deinit(&line);
    return outcome;
}

#define DELIVERY                                                                        \
    "\"deliveries\":[{\"delivery\":9,\"state\":\"waiting\",\"endpoint\":null,\"from\":" \
    "{\"session\":7,\"pid\":9,\"user\":\"S-1-5-18\"},"

/* Who has nobody yet, whose owner has ended, what has no name: left out or null, and so it is read. */
static void test_what_is_not_there(void **state)
{
    struct hbk_message message = {0};
    const struct hbk_delivery_info *delivery;
    const struct hbk_entry_info *entry;

    (void)state;
    assert_int_equal(read_result(&message, HBK_METHOD_DELIVERY_LIST,
                                 DELIVERY "\"items\":[],\"since_ms\":5,\"revocable\":false}]"),
                     0);
    delivery = &message.u.result.deliveries.deliveries[0];
    assert_true(delivery->endpoint.data == NULL && delivery->to.pid == 0);
    assert_true(delivery->to.session == 0 && delivery->to.user.data == NULL);
    assert_int_equal(delivery->from.session, 7);
    assert_int_equal(delivery->items_count, 0);
    assert_null(message.u.result.deliveries.next.data);
    assert_int_equal(read_result(&message, HBK_METHOD_STORE_LIST,
                                 "\"entries\":[{\"entry\":3,\"name\":null,\"owner\":{\"pid\":9,"
                                 "\"user\":\"S-1-5-18\"},\"type\":\"Event\",\"access\":1,"
                                 "\"lifetime\":\"broker\",\"once\":true,\"shared\":false,"
                                 "\"since_ms\":0,\"taken\":0}]"),
                     0);
    entry = &message.u.result.store_list.entries[0];
    assert_true(entry->name.data == NULL && entry->owner.session == 0 && entry->ttl_ms == 0);
    assert_int_equal(entry->owner.pid, 9);
    assert_int_equal(entry->lifetime, HBK_LIFETIME_BROKER);
    assert_true(entry->once && !entry->shared);
    assert_int_equal(read_result(&message, HBK_METHOD_STORE_PUT, "\"entry\":3"), 0);
    assert_null(message.u.result.store_put.ticket.data);
    assert_int_equal(
        read_result(&message, HBK_METHOD_STORE_PUT, "\"entry\":3,\"ticket\":\"" TICKET "\""), 0);
    assert_true(hbk_text_is(message.u.result.store_put.ticket, TICKET));
    assert_int_equal(read_result(&message, HBK_METHOD_HANDLE_TRANSFER,
                                 "\"handle\":4,\"type\":\"Event\",\"access\":1,\"notified\":false"),
                     0);
    assert_int_equal(message.u.result.transfer.widenable, HBK_WIDENABLE_NOT_REDUCED);
    hbk_message_clear(&message);
}

#define ENTRY(name, lifetime, ttl)                                                            \
    "\"entries\":[{\"entry\":3,\"name\":" name "," OWNER ",\"type\":\"Event\",\"access\":1,"  \
    "\"lifetime\":" lifetime ",\"once\":true,\"shared\":false,\"since_ms\":0,\"ttl_ms\":" ttl \
    ",\"taken\":0}]"

static void test_bad_results(void **state)
{
    static const struct {
        enum hbk_method method;
        int32_t code;
        const char *result, *says;
    } cases[] = {
        {HBK_METHOD_STORE_PUT, HBK_R_INVALID_PARAMS, "", "entry is missing"},
        {HBK_METHOD_STORE_PUT, HBK_R_INVALID_PARAMS, "\"entry\":0", "entry: must be"},
        {HBK_METHOD_STORE_PUT, HBK_R_INVALID_PARAMS, "\"entry\":3,\"ticket\":null",
         "ticket: expected a string"},
        {HBK_METHOD_STORE_PUT, HBK_R_INVALID_PARAMS, "\"entry\":3,\"ticket\":\"0123456789abcdef\"",
         "must be 32 lower-case hex digits"},
        {HBK_METHOD_STORE_PUT, HBK_R_INVALID_PARAMS,
         "\"entry\":3,\"ticket\":\"0123456789ABCDEF0123456789abcdef\"",
         "must be 32 lower-case hex digits"},
        {HBK_METHOD_STORE_GET, HBK_R_INVALID_PARAMS,
         "\"handle\":4,\"type\":\"Event\",\"access\":1,\"data\":null", "from is missing"},
        {HBK_METHOD_STORE_GET, HBK_R_INVALID_PARAMS,
         "\"handle\":4,\"type\":\"Event\",\"access\":1," FROM, "data is missing"},
        {HBK_METHOD_HANDLE_TRANSFER, HBK_R_INVALID_PARAMS,
         "\"type\":\"Event\",\"access\":1,\"notified\":true", "handle is missing"},
        {HBK_METHOD_HANDLE_TRANSFER, HBK_R_BAD_HANDLE,
         "\"handle\":4294967295,\"type\":\"Event\",\"access\":1,\"notified\":true",
         "pseudo-handle"},
        {HBK_METHOD_HANDLE_TRANSFER, HBK_R_INVALID_PARAMS,
         "\"handle\":4,\"type\":\"Event\",\"access\":1", "notified is missing"},
        {HBK_METHOD_HANDLE_TRANSFER, HBK_R_INVALID_PARAMS,
         "\"handle\":4,\"type\":\"Event\",\"access\":1,\"notified\":1", "expected true or false"},
        {HBK_METHOD_STORE_LIST, HBK_R_INVALID_PARAMS, ENTRY("\"e\"", "\"broker\"", "1"),
         "is no name"},
        {HBK_METHOD_STORE_LIST, HBK_R_INVALID_PARAMS, ENTRY("null", "\"user\"", "1"),
         "must be \"session\" or \"broker\""},
        {HBK_METHOD_STORE_LIST, HBK_R_INVALID_PARAMS, ENTRY("null", "1", "1"),
         "lifetime: expected a string"},
        {HBK_METHOD_STORE_LIST, HBK_R_INVALID_PARAMS, ENTRY("null", "\"session\"", "0"),
         "ttl_ms: must be"},
        {HBK_METHOD_STORE_LIST, HBK_R_INVALID_PARAMS, "\"entries\":[{}]", "is missing"},
        {HBK_METHOD_STORE_LIST, HBK_R_INVALID_PARAMS, "\"entries\":null", "expected an array"},
        {HBK_METHOD_DELIVERY_LIST, HBK_R_INVALID_PARAMS,
         DELIVERY "\"to\":9,\"items\":[],\"since_ms\":5}]", "to: expected an object"},
        {HBK_METHOD_DELIVERY_LIST, HBK_R_INVALID_PARAMS, DELIVERY "\"items\":[],\"since_ms\":5}]",
         "revocable is missing"},
        {HBK_METHOD_DELIVERY_LIST, HBK_R_INVALID_PARAMS,
         DELIVERY "\"items\":[{\"type\":\"Event\"}],\"since_ms\":5}]", "access is missing"},
        {HBK_METHOD_DELIVERY_REVOKE, HBK_R_INVALID_PARAMS, "", "closed is missing"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hbk_message message = {0};

        if (read_result(&message, cases[i].method, cases[i].result) != HBK_DECODE_E_REFUSED)
            fail_msg("accepted: %s", cases[i].result);
        assert_nothing_left(&message);
        if (message.error.code != cases[i].code ||
            strstr(message.error.detail, cases[i].says) == NULL)
            fail_msg("%s: %d %s, not %s", cases[i].result, (int)message.error.code,
                     message.error.detail, cases[i].says);
        hbk_message_clear(&message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handle_or_socket),   cmocka_unit_test(test_protocol_info),
        cmocka_unit_test(test_null_endpoint),      cmocka_unit_test(test_closed),
        cmocka_unit_test(test_page_of_deliveries), cmocka_unit_test(test_what_is_not_there),
        cmocka_unit_test(test_bad_results),
    };

    return cmocka_run_group_tests_name("sharing_answer", tests, NULL, NULL);
}
