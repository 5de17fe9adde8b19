/* What comes in as bytes: fragments, ill-formed lines, ids, deadlines, limits, back-pressure. */
#include "core_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"broker.status\"}"

static struct hbk_id number_id(uint64_t number)
{
    return (struct hbk_id){.kind = HBK_ID_NUMBER, .number = number};
}

static struct client *connect_one(struct rig *rig, uint32_t pid)
{
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, pid), 1);
    assert_non_null(client);
    return client;
}

/* ---- fragments ---- */

static void a_line_may_come_in_any_pieces(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    char text[128];
    int size = snprintf(text, sizeof text, STATUS "\n" STATUS "\n", 1001u, 1002u);
    assert_true(size > 0);
    for (int split = 0; split <= size; ++split) {
        client->raw = true;
        size_t before = client->inbox_count;
        client_bytes(client, text, (size_t)split);
        rig_run(rig);
        client_bytes(client, text + split, (size_t)(size - split));
        rig_run(rig);
        assert_int_equal(client->inbox_count, before + 2);
    }
    size_t before = client->inbox_count;
    for (int i = 0; i < size; ++i) {
        client_bytes(client, text + i, 1);
        rig_run(rig);
    }
    assert_int_equal(client->inbox_count, before + 2);
    rig_end(rig);
}

static void half_a_line_does_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"broker.status\"}";
    uint64_t before = fake_hash(rig->kernel);
    client_bytes(client, line, strlen(line));
    rig_run(rig);
    assert_int_equal(client->inbox_count, 2); /* hello's and prove's */
    client_hang_up(client);
    assert_int_equal(client->inbox_count, 2);
    assert_true(before == fake_hash(rig->kernel));
    rig_end(rig);
}

/* ---- lines that are no requests ---- */

struct ill_formed {
    const char *line;
    int32_t code;
    uint64_t id; /* 0: null */
};

#define DEEP "[[[[[[[[1]]]]]]]]"

static const struct ill_formed ill_formed[] = {
    {"", HBK_R_PARSE_ERROR, 0},
    {" ", HBK_R_PARSE_ERROR, 0},
    {"no json", HBK_R_PARSE_ERROR, 0},
    {"[]", HBK_R_PARSE_ERROR, 0},
    {"[{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"broker.status\"}]", HBK_R_PARSE_ERROR, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"broker.status\"}\r", HBK_R_PARSE_ERROR, 0},
    {"\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"broker.status\"}", HBK_R_PARSE_ERROR,
     0},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"broker.status\"}{}", HBK_R_PARSE_ERROR, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"broker.status\"", HBK_R_PARSE_ERROR, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"id\":901,\"method\":\"broker.status\"}", HBK_R_PARSE_ERROR,
     0},
    {"{\"jsonrpc\":\"2.0\",\"id\":1e999,\"method\":\"broker.status\"}", HBK_R_PARSE_ERROR, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":0901,\"method\":\"broker.status\"}", HBK_R_PARSE_ERROR, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"a\\u0000b\"}", HBK_R_PARSE_ERROR, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"\xC0\x80\"}", HBK_R_PARSE_ERROR, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"params\":{\"a\":" DEEP "}}", HBK_R_PARSE_ERROR, 0},

    {"{}", HBK_R_INVALID_REQUEST, 0},
    {"{\"id\":901,\"method\":\"broker.status\"}", HBK_R_INVALID_REQUEST, 901},
    {"{\"jsonrpc\":\"1.0\",\"id\":901,\"method\":\"broker.status\"}", HBK_R_INVALID_REQUEST, 901},
    {"{\"jsonrpc\":\"2.0\",\"id\":901}", HBK_R_INVALID_REQUEST, 901},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"result\":{}}", HBK_R_INVALID_REQUEST, 901},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"broker.status\",\"more\":1}",
     HBK_R_INVALID_REQUEST, 901},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"broker.status\",\"params\":[]}",
     HBK_R_INVALID_REQUEST, 901},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"broker.status\"}", HBK_R_INVALID_REQUEST, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"broker.status\"}", HBK_R_INVALID_REQUEST, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"broker.status\"}", HBK_R_INVALID_REQUEST, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":-1,\"method\":\"broker.status\"}", HBK_R_INVALID_REQUEST, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"broker.status\"}", HBK_R_INVALID_REQUEST, 0},
    {"{\"jsonrpc\":\"2.0\",\"id\":9007199254740992,\"method\":\"broker.status\"}",
     HBK_R_INVALID_REQUEST, 0},

    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"broker.stop\"}", HBK_R_METHOD_NOT_FOUND, 901},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"handle.delivered\"}", HBK_R_METHOD_NOT_FOUND,
     901},
    {"{\"jsonrpc\":\"2.0\",\"id\":901,\"method\":\"broker.status\",\"params\":{\"a\":1}}",
     HBK_R_INVALID_PARAMS, 901},
};

static void ill_formed_lines_are_answered(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *witness = client_new(rig, 99, 1);
    struct client *client = client_new(rig, 100, 1);
    client_fail_if_unanswered(client);
    uint64_t before = fake_hash(rig->kernel);
    for (size_t i = 0; i < sizeof ill_formed / sizeof ill_formed[0]; ++i) {
        struct hbk_id id = number_id(ill_formed[i].id);
        rig->kernel->label = ill_formed[i].line;
        client_line(client, ill_formed[i].line);
        if (ill_formed[i].id)
            client_raw_error(client, &id, ill_formed[i].code);
        else
            client_null_error(client, ill_formed[i].code);
        assert_false(client_ended(client));
        assert_int_equal(client_status(witness).sessions_proven, 2);
        assert_true(before == fake_hash(rig->kernel));
    }
    rig->kernel->label = "";
    client_ok(client, HBK_METHOD_ENDPOINT_LIST, NULL);
    rig_end(rig);
}

static void ill_formed_lines_before_proof_end_the_session(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *witness = client_new(rig, 99, 1);
    for (size_t i = 0; i < sizeof ill_formed / sizeof ill_formed[0]; ++i) {
        bool ends =
            ill_formed[i].code == HBK_R_PARSE_ERROR || ill_formed[i].code == HBK_R_INVALID_REQUEST;
        struct client *client = connect_one(rig, 1000 + (uint32_t)i);
        struct hbk_id id = number_id(ill_formed[i].id);
        if (i % 2)
            client_hello(client);
        rig->kernel->label = ill_formed[i].line;
        client_line(client, ill_formed[i].line);
        if (ill_formed[i].id)
            client_raw_error(client, &id, ill_formed[i].code);
        else
            client_null_error(client, ill_formed[i].code);
        assert_int_equal(client_ended(client), ends);
        if (ends) {
            assert_int_equal(fake_handles_count(client->process), 0);
            client_bytes(client, "{}\n", 3);
            rig_run(rig);
        } else {
            client_hang_up(client);
        }
        assert_int_equal(client_status(witness).sessions, 1);
    }
    rig->kernel->label = "";
    rig_end(rig);
}

/* ---- long lines and slow lines ---- */

/* A request of exactly @size bytes with its LF: blanks fill it. */
static char *padded_line(size_t size, unsigned id)
{
    char *line = malloc(size + 1);
    assert_non_null(line);
    int head = snprintf(line, size, STATUS, id);
    assert_true(head > 0 && (size_t)head < size);
    memset(line + head, ' ', size - (size_t)head);
    line[size - 1] = '\n';
    line[size] = 0;
    return line;
}

static void the_longest_line_is_taken(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    char *line = padded_line(HBK_LINE_BYTES_MAX, 901);
    client->raw = true;
    client_bytes(client, line, HBK_LINE_BYTES_MAX);
    rig_run(rig);
    assert_int_equal(client->inbox_count, 3);
    assert_int_equal(client->inbox[2]->message.kind, HBK_MESSAGE_RESULT);
    client_ok(client, HBK_METHOD_ENDPOINT_LIST, NULL);
    free(line);
    rig_end(rig);
}

static void a_longer_line_ends_the_session(void **state)
{
    (void)state;
    for (int with_end = 0; with_end < 2; ++with_end) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *client = client_new(rig, 100, 1);
        client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
        char *line = padded_line(HBK_LINE_BYTES_MAX + 1, 901);
        client->raw = true;
        client_bytes(client, line, HBK_LINE_BYTES_MAX + (with_end ? 1 : 0));
        rig_run(rig);
        client_null_error(client, HBK_R_PARSE_ERROR);
        assert_true(client_ended(client));
        struct client *next = client_new(rig, 101, 1);
        assert_int_equal(client_status(next).sessions, 1);
        assert_int_equal(client_status(next).endpoints, 0);
        free(line);
        rig_end(rig);
    }
}

static void a_line_must_end_in_time(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    struct client *quick = client_new(rig, 101, 1);
    client_bytes(client, "{", 1);
    client_bytes(quick, "{", 1);
    rig_run(rig);
    for (uint32_t ms = 0; ms < rig->config.line_ms - 500; ms += 500) {
        rig_advance(rig, 500);
        client_bytes(client, " ", 1); /* one byte at a time does not help */
        rig_run(rig);
    }
    client_line(quick, "}");
    client_null_error(quick, HBK_R_INVALID_REQUEST);
    rig_advance(rig, 499);
    assert_false(client_ended(client));
    rig_advance(rig, 1);
    client_null_error(client, HBK_R_TIMEOUT);
    assert_true(client_ended(client));

    /* The next line has its own time, from its own first byte. */
    rig_advance(rig, rig->config.line_ms);
    assert_false(client_ended(quick));
    client_bytes(quick, "{", 1);
    rig_run(rig);
    rig_advance(rig, rig->config.line_ms - 1);
    assert_false(client_ended(quick));
    rig_advance(rig, 1);
    assert_true(client_ended(quick));
    rig_end(rig);
}

/* ---- ids ---- */

static void an_id_in_flight_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    client->raw = true;
    uint32_t event = client_make(client, "Event", 3);
    char line[256];
    const char *ids[] = {"907", "\"907\"", "\"abc\""};
    const struct hbk_id expected[] = {
        {.kind = HBK_ID_NUMBER, .number = 907},
        {.kind = HBK_ID_TEXT, .text_size = 3, .text = "907"},
        {.kind = HBK_ID_TEXT, .text_size = 3, .text = "abc"},
    };
    /* Three different ids wait … */
    for (size_t i = 0; i < 3; ++i) {
        snprintf(line, sizeof line,
                 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"handle.send\",\"params\":{\"to\":"
                 "\"user/late\",\"items\":[{\"handle\":%u}],\"wait_ms\":1000}}",
                 ids[i], event);
        client_line(client, line);
    }
    uint64_t before = fake_hash(rig->kernel);
    /* … and are refused for anything else meanwhile … */
    for (size_t i = 0; i < 3; ++i) {
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"broker.status\"}",
                 ids[i]);
        client_line(client, line);
        client_raw_error(client, &expected[i], HBK_R_INVALID_REQUEST);
    }
    assert_true(before == fake_hash(rig->kernel));
    assert_int_equal(fake_pins_held(rig->kernel), 3);
    rig_advance(rig, 1000);
    for (size_t i = 0; i < 3; ++i) {
        client_raw_error(client, &expected[i], HBK_R_TIMEOUT);
        /* … until they are answered. */
        size_t count = client->inbox_count;
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"broker.status\"}",
                 ids[i]);
        client_line(client, line);
        assert_int_equal(client->inbox_count, count + 1);
        assert_int_equal(client->inbox[count]->message.kind, HBK_MESSAGE_RESULT);
    }
    rig_end(rig);
}

static void the_id_of_a_hello_under_way_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = connect_one(rig, 100);
    client->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(rig);
    const char hello[] =
        "{\"jsonrpc\":\"2.0\",\"id\":\"h\",\"method\":\"session.hello\","
        "\"params\":{\"protocol\":[1],\"client\":{\"name\":\"a\",\"version\":\"1\"}}}";
    const char status[] = "{\"jsonrpc\":\"2.0\",\"id\":\"h\",\"method\":\"broker.status\"}";
    client_line(client, hello);
    client_line(client, status);
    client->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(client, true);
    const struct hbk_id id = {.kind = HBK_ID_TEXT, .text_size = 1, .text = "h"};
    client_raw_error(client, &id, HBK_R_INVALID_REQUEST);
    assert_int_equal(client->inbox_count, 3); /* status, that error, hello's answer */
    rig_end(rig);
}

static void the_id_of_an_accept_under_way_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *sender = client_new(rig, 100, 1);
    struct client *target = client_new(rig, 101, 1);
    client_ok(target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a','mode':'ask'}");
    client_send(sender, "user/a", client_make(sender, "Event", 3));
    rig_run(rig);
    uint64_t delivery = client_offered(target)->delivery;
    target->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(target, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(rig);
    uint32_t accept = client_request(target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                                     (unsigned long long)delivery);
    rig_run(rig);
    assert_false(client_answered(target, accept));
    target->raw = true;
    char line[96];
    snprintf(line, sizeof line, STATUS "\n", accept);
    client_bytes(target, line, strlen(line));
    rig_run(rig);
    target->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(target, true);
    /* Two lines with this id: the error, and the accept's own answer. */
    unsigned errors = 0, results = 0;
    for (size_t i = 0; i < target->inbox_count; ++i) {
        const struct hbk_message *message = &target->inbox[i]->message;
        if (message->id.kind == HBK_ID_NUMBER && message->id.number == accept) {
            errors += message->kind == HBK_MESSAGE_ERROR;
            results += message->kind == HBK_MESSAGE_RESULT;
        }
    }
    assert_int_equal(errors, 1);
    assert_int_equal(results, 1);
    rig_end(rig);
}

/* ---- requests in flight ---- */

static void requests_in_flight_are_limited(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.requests_per_session = 3;
    struct rig *rig = rig_new(&config, 1);
    struct client *other = client_new(rig, 99, 1);
    struct client *client = client_new(rig, 100, 1);
    uint32_t event = client_make(client, "Event", 3);
    for (int i = 0; i < 3; ++i)
        client_request(client, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/late%d','items':[{'handle':%u}],'wait_ms':1000}", i, event);
    rig_run(rig);
    assert_int_equal(fake_pins_held(rig->kernel), 3);
    const struct hbk_error *error =
        client_refused(client, HBK_R_QUOTA, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/late9','items':[{'handle':%u}],'wait_ms':1000}", event);
    assert_string_equal(error->limit, "requests");
    /* Another session has its own. */
    client_request(other, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/late0','items':[{'handle':%u}],'wait_ms':1000}",
                   client_make(other, "Event", 3));
    rig_run(rig);
    assert_int_equal(fake_pins_held(rig->kernel), 4);
    rig_advance(rig, 1000);
    client_fail_if_unanswered(client);
    client_request(client, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/late9','items':[{'handle':%u}],'wait_ms':1000}", event);
    rig_run(rig);
    assert_int_equal(fake_pins_held(rig->kernel), 1);
    rig_end(rig);
}

/* ---- back-pressure ---- */

static void who_does_not_read_is_not_read(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.write_queue_bytes = 16384;
    struct rig *rig = rig_new(&config, 1);
    struct client *other = client_new(rig, 99, 1);
    struct client *client = client_new(rig, 100, 1);
    client->connection->write_mode = FAKE_WRITE_PENDS;
    for (int i = 0; i < 4000; ++i)
        client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(rig);
    assert_true(client->connection->paused);
    assert_true(client->outbound.size > 0);
    client_status(other);

    /* Once it reads, everything is answered, in turns, and the queue stays near its limit. */
    for (unsigned i = 0; client->connection->pending; ++i) {
        assert_true(client->connection->pending_size <= config.write_queue_bytes + 1024);
        assert_true(i < 2000);
        client_write_ends(client, true);
    }
    assert_false(client->connection->paused);
    assert_int_equal(client->outbound.size, 0);
    client_fail_if_unanswered(client);
    rig_end(rig);
}

static void who_never_reads_is_let_go(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *other = client_new(rig, 99, 1);
    struct client *client = client_new(rig, 100, 1);
    client->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(rig);
    rig_advance(rig, rig->config.write_ms - 1);
    assert_false(client_ended(client) || client->connection->cancelled);
    rig_advance(rig, 1);
    assert_true(client->connection->cancelled);
    client_write_ends(client, false);
    assert_true(client_ended(client) && client->connection->released);
    assert_int_equal(client_status(other).sessions, 1);
    rig_end(rig);
}

/* Who is being ended gets no second deadline by reading a little. */
static void who_is_ended_reads_in_time_or_not_at_all(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.hello_ms = 900;
    config.write_ms = 1000;
    struct rig *rig = rig_new(&config, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    client->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(rig);
    rig_advance(rig, 999); /* it has said no hello, and is being told so */
    client_write_ends(client, true);
    assert_true(client->connection->pending);
    rig_advance(rig, 900);
    assert_false(client_ended(client) || client->connection->cancelled);
    rig_advance(rig, 1);
    assert_true(client->connection->cancelled);
    client_write_ends(client, false);
    assert_true(client_ended(client) && client->connection->released);
    rig_end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_may_come_in_any_pieces),
        cmocka_unit_test(half_a_line_does_nothing),
        cmocka_unit_test(ill_formed_lines_are_answered),
        cmocka_unit_test(ill_formed_lines_before_proof_end_the_session),
        cmocka_unit_test(the_longest_line_is_taken),
        cmocka_unit_test(a_longer_line_ends_the_session),
        cmocka_unit_test(a_line_must_end_in_time),
        cmocka_unit_test(an_id_in_flight_is_refused),
        cmocka_unit_test(the_id_of_a_hello_under_way_is_refused),
        cmocka_unit_test(the_id_of_an_accept_under_way_is_refused),
        cmocka_unit_test(requests_in_flight_are_limited),
        cmocka_unit_test(who_does_not_read_is_not_read),
        cmocka_unit_test(who_never_reads_is_let_go),
        cmocka_unit_test(who_is_ended_reads_in_time_or_not_at_all),
    };
    return cmocka_run_group_tests_name("core: lines", tests, NULL, NULL);
}
