/* Lines and messages that are refused, each with its error code and id; whether the session survives; and
 * that nothing has changed. The same lists are unit tests of the codec: here they go through the pipe, the
 * framing and the broker. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL(id, method, params) \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}"
#define STATUS CALL("7", "broker.status", "{}")
#define SEND(params) CALL("7", "handle.send", params)
#define OPEN(params) CALL("7", "endpoint.open", params)

#define PARSE HBK_PARSE_ERROR
#define INVALID HBK_INVALID_REQUEST
#define PARAMS HBK_INVALID_PARAMS

struct row {
    const char *line;
    size_t size; /* 0: strlen */
    int code;
    const char *id;
};
#define BYTES(text) (text), sizeof(text) - 1

static void still_there(struct kit_raw *raw)
{
    kit_raw_ask(raw, "%s", CALL("\"still there\"", "broker.status", "{}"));
    kit_raw_is_result(raw, "\"still there\"");
}

static void say_row(struct kit_raw *raw, const struct row *row)
{
    size_t size = row->size != 0 ? row->size : strlen(row->line);
    assert_true(kit_raw_write(raw, row->line, size, KIT_WAIT_MS));
    assert_true(kit_raw_write(raw, "\n", 1, KIT_WAIT_MS));
    int result = kit_raw_next(raw, KIT_WAIT_MS);
    if (result != KIT_RAW_LINE)
        fail_msg("no answer (%d) to: %s", result, row->line);
    int64_t code = 0;
    if (!kit_json_number(raw->line, "code", &code) || code != row->code)
        fail_msg("error %d expected to: %s\n%s", row->code, row->line, raw->line);
    kit_raw_is_error(raw, row->code, row->id);
}

/* To a proven session, which survives each of them. */
static void refuse_rows(const struct row *rows, size_t count)
{
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < count; i++) {
        say_row(raw, &rows[i]);
        still_there(raw);
        if (i % 8 == 0 || i + 1 == count)
            kit_unchanged(&mark);
    }
}
#define REFUSE_ROWS(rows) refuse_rows(rows, sizeof(rows) / sizeof *(rows))

/* ---- what is no JSON ---- */

static const struct row not_json[] = {
    {"", 0, PARSE, "null"},
    {" ", 0, PARSE, "null"},
    {STATUS "\r", 0, PARSE, "null"},
    {"\xEF\xBB\xBF" STATUS, 0, PARSE, "null"},
    {BYTES("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"broker.st\0tus\"}"), PARSE, "null"},
    {BYTES(STATUS "\0"), PARSE, "null"},
    {CALL("\"a\\u0000b\"", "broker.status", "{}"), 0, PARSE, "null"},
    {CALL("\"a\x01"
          "b\"",
          "broker.status", "{}"),
     0, PARSE, "null"},
    {CALL("\"a\x7F"
          "b\"",
          "no.such", "{}") "}",
     0, PARSE, "null"},
    {"{\t\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"broker.status\"}", 0, PARSE, "null"},
    {CALL("\"\xC0\xAF\"", "broker.status", "{}"), 0, PARSE, "null"},
    {CALL("\"\xE0\x80\xAF\"", "broker.status", "{}"), 0, PARSE, "null"},
    {CALL("\"\xED\xA0\x80\"", "broker.status", "{}"), 0, PARSE, "null"},
    {CALL("\"\xF4\x90\x80\x80\"", "broker.status", "{}"), 0, PARSE, "null"},
    {CALL("\"\xFF\"", "broker.status", "{}"), 0, PARSE, "null"},
    {CALL("\"\xC3\"", "broker.status", "{}"), 0, PARSE, "null"},
    {CALL("\"\\ud800\"", "broker.status", "{}"), 0, PARSE, "null"},
    {CALL("\"\\udc00\\ud800\"", "broker.status", "{}"), 0, PARSE, "null"},
    {CALL("\"\\x41\"", "broker.status", "{}"), 0, PARSE, "null"},
    {STATUS STATUS, 0, PARSE, "null"},
    {STATUS " x", 0, PARSE, "null"},
    {STATUS ",", 0, PARSE, "null"},
    {"[" STATUS "]", 0, PARSE, "null"},
    {"1", 0, PARSE, "null"},
    {"\"text\"", 0, PARSE, "null"},
    {"null", 0, PARSE, "null"},
    {"{'jsonrpc':'2.0'}", 0, PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",}", 0, PARSE, "null"},
    {"{jsonrpc:\"2.0\"}", 0, PARSE, "null"},
    {"/* */" STATUS, 0, PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":7,\"id\":7,\"method\":\"broker.status\"}", 0, PARSE, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":7,\"i\\u0064\":8,\"method\":\"broker.status\"}", 0, PARSE,
     "null"},
    {SEND("{\"to\":\"user/a\",\"to\":\"user/b\",\"items\":[]}"), 0, PARSE, "null"},
    {CALL("7", "broker.status", "{\"a\":[[[[[[[1]]]]]]]}"), 0, PARSE, "null"}, /* depth 9 */
    {"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}", 0, PARSE, "null"},
};

static const char *const bad_numbers[] = {
    "1e999", "-0",  "007",      "1.",  "1.5", "+1", ".5",
    "0x10",  "NaN", "Infinity", "1e2", "--1", "-",  "184467440737095516150",
};

static void lines_that_are_no_json(void **state)
{
    (void)state;
    REFUSE_ROWS(not_json);
}

static void numbers_that_are_none(void **state)
{
    (void)state;
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    char line[1024], digits[401];
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof bad_numbers / sizeof *bad_numbers; i++) {
        (void)snprintf(line, sizeof line, SEND("{\"to\":\"user/a\",\"items\":[{\"handle\":%s}]}"),
                       bad_numbers[i]);
        say_row(raw, &(struct row){line, 0, PARSE, "null"});
    }
    memset(digits, '9', sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    (void)snprintf(line, sizeof line, SEND("{\"to\":\"user/a\",\"items\":[{\"handle\":%s}]}"),
                   digits);
    say_row(raw, &(struct row){line, 0, PARSE, "null"});
    still_there(raw);
    kit_unchanged(&mark);
}

static void truncated_at_every_byte(void **state)
{
    (void)state;
    static const char whole[] =
        SEND("{\"to\":\"user/"
             "a\",\"items\":[{\"handle\":4,\"access\":\"same\"}],\"data\":\"\\u00e4\xc3\xa4\"}");
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    char line[sizeof whole];
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t size = 0; size + 1 < sizeof whole; size++) {
        memcpy(line, whole, size);
        line[size] = '\0';
        say_row(raw, &(struct row){line, size, PARSE, "null"});
    }
    still_there(raw);
    kit_unchanged(&mark);
}

/* @count times @unit between two ends. To be freed. */
static char *many_of(const char *begin, const char *unit, size_t count, const char *end)
{
    size_t size = strlen(begin) + count * strlen(unit) + strlen(end) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    int at = snprintf(text, size, "%s", begin);
    for (size_t i = 0; i < count; i++)
        at += snprintf(text + at, size - (size_t)at, "%s", unit);
    (void)snprintf(text + at, size - (size_t)at, "%s", end);
    return text;
}

static void too_much_of_something(void **state)
{
    (void)state;
    const struct {
        const char *begin, *unit;
        size_t count;
        const char *end;
        int code;
        const char *id;
    } rows[] = {
        {"{\"a\":[0", ",0", 5000, "]}", PARSE, "null"},
        {"{\"a\":[{}", ",{}", 5000, "]}", PARSE, "null"},
        {"{\"a\":", "[", 60000, "", PARSE, "null"},
        {"{\"a\":", "{\"a\":", 10000, "", PARSE, "null"},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"", "x", 65, "\",\"method\":\"broker.status\"}", INVALID,
         "null"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"", "m", 60000, "\"}", HBK_METHOD_NOT_FOUND,
         "7"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"endpoint.open\",\"params\":{\"name\":\"user/",
         "n", 256, "\"}}", PARAMS, "7"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"endpoint.open\",\"params\":{\"name\":\"user/"
         "a\",\"from\":\"D:",
         "(A;;GA;;;WD)", 171, "\"}}", PARAMS, "7"}, /* 2,054 bytes */
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"handle.send\",\"params\":{\"to\":\"user/"
         "a\",\"items\":["
         "{\"handle\":4}",
         ",{\"handle\":4}", 64, "]}}", PARAMS, "7"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"handle.send\",\"params\":{\"to\":\"user/"
         "a\",\"items\":["
         "{\"handle\":4}],\"data\":\"",
         "d", 8193, "\"}}", PARAMS, "7"},
        {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"handle.send\",\"params\":{\"to\":\"user/"
         "a\",\"items\":["
         "{\"handle\":4}],\"data\":\"",
         "\\\"", 4097, "\"}}", PARAMS, "7"},
    };
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *line = many_of(rows[i].begin, rows[i].unit, rows[i].count, rows[i].end);
        say_row(raw, &(struct row){line, 0, rows[i].code, rows[i].id});
        free(line);
        still_there(raw);
    }
    kit_unchanged(&mark);
}

/* ---- what is no request ---- */

static const struct row no_request[] = {
    {"{}", 0, INVALID, "null"},
    {"{\"id\":7,\"method\":\"broker.status\"}", 0, INVALID, "7"},
    {"{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"broker.status\"}", 0, INVALID, "7"},
    {"{\"jsonrpc\":2,\"id\":7,\"method\":\"broker.status\"}", 0, INVALID, "7"},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"broker.status\"}", 0, INVALID, "null"},
    {CALL("null", "broker.status", "{}"), 0, INVALID, "null"},
    {CALL("{}", "broker.status", "{}"), 0, INVALID, "null"},
    {CALL("[1]", "broker.status", "{}"), 0, INVALID, "null"},
    {CALL("true", "broker.status", "{}"), 0, INVALID, "null"},
    {CALL("0", "broker.status", "{}"), 0, INVALID, "null"},
    {CALL("-1", "broker.status", "{}"), 0, INVALID, "null"},
    {CALL("9007199254740992", "broker.status", "{}"), 0, INVALID, "null"},
    {CALL("9007199254740993", "broker.status", "{}"), 0, INVALID, "null"},
    {CALL("18446744073709551615", "broker.status", "{}"), 0, INVALID, "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":7}", 0, INVALID, "7"},
    {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":null}", 0, INVALID, "7"},
    {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":[\"broker.status\"]}", 0, INVALID, "7"},
    {CALL("7", "broker.status", "[]"), 0, INVALID, "7"},
    {CALL("7", "broker.status", "null"), 0, INVALID, "7"},
    {CALL("7", "broker.status", "\"{}\""), 0, INVALID, "7"},
    {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"broker.status\",\"extra\":1}", 0, INVALID, "7"},
    {"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}", 0, INVALID, "7"},
    {"{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1,\"message\":\"no\"}}", 0, INVALID, "7"},
    {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"broker.status\",\"result\":{}}", 0, INVALID, "7"},
    {CALL("9007199254740991", "no.such", "{}"), 0, HBK_METHOD_NOT_FOUND, "9007199254740991"},
    {CALL("7", "", "{}"), 0, HBK_METHOD_NOT_FOUND, "7"},
    {CALL("7", "Broker.Status", "{}"), 0, HBK_METHOD_NOT_FOUND, "7"},
    {CALL("7", "broker.status ", "{}"), 0, HBK_METHOD_NOT_FOUND, "7"},
    {CALL("7", "handle.delivered", "{}"), 0, HBK_METHOD_NOT_FOUND, "7"},
    {CALL("7", "session.gone", "{}"), 0, HBK_METHOD_NOT_FOUND, "7"},
    {CALL("7", "session.hello", "{\"protocol\":[1],\"client\":{\"name\":\"a\",\"version\":\"1\"}}"),
     0, INVALID, "7"}, /* said already */
    {CALL("7", "session.prove", "{}"), 0, INVALID, "7"},
};

static void lines_that_are_no_request(void **state)
{
    (void)state;
    REFUSE_ROWS(no_request);
}

/* ---- parameters ---- */

#define ITEM "\"items\":[{\"handle\":4}]"
#define TRANSFER(source, more) \
    CALL("7", "handle.transfer", "{\"source\":" source ",\"handle\":4" more "}")
static const struct row bad_params[] = {
    {CALL("7", "broker.status", "{\"a\":[[[[[[1]]]]]]}"), 0, PARAMS, "7"}, /* depth 8 is read */
    {CALL("7", "broker.status", "{\"verbose\":true}"), 0, PARAMS, "7"},
    {CALL("7", "session.prove", "{\"proof\":4}"), 0, PARAMS, "7"},
    {"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"endpoint.open\"}", 0, PARAMS, "7"},
    {OPEN("{}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":7}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":null}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"a\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"/a\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"other/a\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"User/a\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a b\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\\\\b\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/\xc3\xa4\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"mode\":\"Ask\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"mode\":1}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"types\":[]}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"types\":{}}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"types\":{\"Event\":\"same\"}}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"types\":{\"Event\":0}}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"types\":{\"Event\":2147483648}}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"types\":{\"event\":\"any\"}}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"types\":{\"Token\":\"any\"}}"), 0, HBK_TYPE_NOT_ALLOWED, "7"},
    {OPEN("{\"name\":\"user/a\",\"items_max\":0}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"items_max\":65}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"items_max\":\"4\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"revocable\":1}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"session/a\"}"), 0, HBK_DENIED, "7"},
    {OPEN("{\"name\":\"user/a\",\"colour\":\"red\"}"), 0, PARAMS, "7"},
    {CALL("7", "endpoint.close", "{}"), 0, PARAMS, "7"},
    {CALL("7", "endpoint.close", "{\"name\":[]}"), 0, PARAMS, "7"},
    {CALL("7", "endpoint.close", "{\"name\":\"user/never-opened\"}"), 0, HBK_NOT_FOUND, "7"},
    {CALL("7", "endpoint.list", "{\"limit\":0}"), 0, PARAMS, "7"},
    {CALL("7", "endpoint.list", "{\"limit\":65}"), 0, PARAMS, "7"},
    {CALL("7", "endpoint.list", "{\"cursor\":7}"), 0, PARAMS, "7"},
    {CALL("7", "endpoint.list", "{\"cursor\":\"no such place\"}"), 0, PARAMS, "7"},
    {SEND("{}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\"}"), 0, PARAMS, "7"},
    {SEND("{" ITEM "}"), 0, PARAMS, "7"},
    {SEND("{\"to\":7," ITEM "}"), 0, PARAMS, "7"},
    {SEND("{\"to\":{}," ITEM "}"), 0, PARAMS, "7"},
    {SEND("{\"to\":{\"name\":\"user/a\"}," ITEM "}"), 0, PARAMS, "7"},
    {SEND("{\"to\":{\"name\":\"user/a\",\"pid\":0}," ITEM "}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\",\"items\":[]}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\",\"items\":{}}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\",\"items\":[4]}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\",\"items\":[{}]}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\",\"items\":[{\"handle\":\"4\"}]}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\",\"items\":[{\"handle\":null}]}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\",\"items\":[{\"handle\":4,\"inherit\":1}]}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\",\"items\":[{\"handle\":4,\"protect\":\"no\"}]}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\",\"items\":[{\"handle\":4,\"type\":7}]}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\",\"items\":[{\"handle\":4,\"acces\":\"same\"}]}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\"," ITEM ",\"data\":7}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\"," ITEM ",\"wait_ms\":-1}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\"," ITEM ",\"wait_ms\":60001}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\"," ITEM ",\"timeout_ms\":60001}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\"," ITEM ",\"timeout_ms\":\"1\"}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\"," ITEM ",\"expect\":7}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\"," ITEM ",\"expect\":{\"user\":7}}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\"," ITEM ",\"expect\":{\"name\":\"x\"}}"), 0, PARAMS, "7"},
    {SEND("{\"to\":\"user/a\"," ITEM ",\"revocable\":true}"), 0, HBK_NOT_FOUND, "7"},
    {SEND("{\"to\":\"global/a\"," ITEM "}"), 0, HBK_DENIED, "7"},
    {SEND("{\"to\":{\"name\":\"user/a\",\"pid\":4}," ITEM "}"), 0, HBK_DENIED, "7"},
    {CALL("7", "delivery.accept", "{}"), 0, PARAMS, "7"},
    {CALL("7", "delivery.accept", "{\"delivery\":\"1\"}"), 0, PARAMS, "7"},
    {CALL("7", "delivery.accept", "{\"delivery\":0}"), 0, PARAMS, "7"},
    {CALL("7", "delivery.accept", "{\"delivery\":9007199254740992}"), 0, PARAMS, "7"},
    {CALL("7", "delivery.accept", "{\"delivery\":1}"), 0, HBK_NOT_FOUND, "7"},
    {CALL("7", "delivery.accept", "{\"delivery\":1,\"reason\":\"x\"}"), 0, PARAMS, "7"},
    {CALL("7", "delivery.reject", "{\"delivery\":1,\"reason\":7}"), 0, PARAMS, "7"},
    {CALL("7", "delivery.reject", "{\"delivery\":1}"), 0, HBK_NOT_FOUND, "7"},
    {CALL("7", "delivery.revoke", "{\"delivery\":0}"), 0, PARAMS, "7"},
    {CALL("7", "delivery.revoke", "{\"delivery\":9007199254740992}"), 0, PARAMS, "7"},
    {CALL("7", "delivery.revoke", "{\"delivery\":1,\"reason\":\"x\"}"), 0, PARAMS, "7"},
    {CALL("7", "delivery.list", "{\"limit\":65}"), 0, PARAMS, "7"},
    {CALL("7", "delivery.list", "{\"cursor\":\"no such place\"}"), 0, PARAMS, "7"},
    {TRANSFER("{\"pid\":0}", ""), 0, PARAMS, "7"},
    {TRANSFER("{\"pid\":4294967296}", ""), 0, PARAMS, "7"},
    {TRANSFER("\"user/a\"", ""), 0, PARAMS, "7"},
    {TRANSFER("{\"pid\":8}", ",\"target\":{\"pid\":0}"), 0, PARAMS, "7"},
    {TRANSFER("{\"pid\":8}", ",\"target\":\"nowhere\""), 0, PARAMS, "7"},
    {TRANSFER("{\"pid\":8}", ",\"target\":{\"name\":\"user/a\",\"pid\":8}"), 0, PARAMS, "7"},
    {TRANSFER("{\"pid\":8}", ",\"access\":0"), 0, PARAMS, "7"},
    {TRANSFER("{\"pid\":8}", ",\"access\":268435456"), 0, PARAMS, "7"},
    {TRANSFER("{\"pid\":8}", ",\"protect\":true"), 0, PARAMS, "7"},
    {TRANSFER("{\"pid\":4}", ""), 0, HBK_DENIED, "7"},
};

static void parameters_that_are_wrong(void **state)
{
    (void)state;
    REFUSE_ROWS(bad_params);
}

/* Who may send to an endpoint: said in SDDL, of which only the plainest is taken. */
static const struct row bad_descriptors[] = {
    {OPEN("{\"name\":\"user/a\",\"from\":7}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"from\":\"\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"from\":\"everyone\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"from\":\"O:SYG:SY\"}"), 0, PARAMS, "7"}, /* no DACL */
    {OPEN("{\"name\":\"user/a\",\"from\":\"S:(ML;;NW;;;LW)\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"from\":\"D:(A;;GA;;;WD\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"from\":\"D:(A;;GA;;;ZZ)\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"from\":\"D:(A;;GA;;;S-1-)\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"from\":\"D:(A;;GA;;;OW)\"}"), 0, PARAMS, "7"},
    {OPEN("{\"name\":\"user/a\",\"from\":\"D:(XA;;GA;;;WD;(1==1))\"}"), 0, PARAMS, "7"},
};

static void descriptors_that_are_none(void **state)
{
    (void)state;
    REFUSE_ROWS(bad_descriptors);
}

static void an_id_that_is_in_flight(void **state)
{
    (void)state;
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    HANDLE event = kit_make(KIT_EVENT);
    kit_mark(&mark, GetCurrentProcessId());
    const char *name = kit_endpoint_name();
    kit_raw_say(raw, SEND("{\"to\":\"%s\",\"items\":[{\"handle\":%llu}],\"wait_ms\":500}"), name,
                (unsigned long long)(uintptr_t)event);
    kit_raw_ask(raw, "%s", STATUS);
    kit_raw_is_error(raw, INVALID, "7");
    still_there(raw);
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE); /* the first one's own answer */
    kit_raw_is_error(raw, HBK_TIMEOUT, "7");
    kit_raw_ask(raw, "%s", STATUS); /* and now it is free */
    kit_raw_is_result(raw, "7");
    kit_unchanged(&mark);
    CloseHandle(event);
}

/* ---- size and speed ---- */

static void as_long_as_a_line_may_be(void **state)
{
    (void)state;
    enum { LINE = 65536 };
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    struct kit_raw *raw = kit_raw_proven();
    char *line = many_of("", " ", LINE + 1, "");
    memcpy(line, STATUS, sizeof STATUS - 1);
    line[LINE - 1] = '\n';
    assert_true(kit_raw_write(raw, line, LINE, KIT_WAIT_MS));
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    kit_raw_is_result(raw, "7");
    /* One byte more. */
    line[LINE - 1] = ' ';
    line[LINE] = '\n';
    kit_raw_write(raw, line, LINE + 1, KIT_WAIT_MS);
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    kit_raw_is_error(raw, PARSE, "null");
    assert_true(kit_raw_ended(raw, KIT_WAIT_MS));
    kit_raw_free(raw);
    /* One that never ends. */
    raw = kit_raw_proven();
    memset(line, '{', LINE + 1);
    kit_raw_write(raw, line, LINE + 1, KIT_WAIT_MS);
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    kit_raw_is_error(raw, PARSE, "null");
    assert_true(kit_raw_ended(raw, KIT_WAIT_MS));
    kit_raw_free(raw);
    free(line);
    kit_unchanged(&mark);
}

static void in_any_pieces(void **state)
{
    (void)state;
    static const char lines[] = STATUS "\n" CALL("8", "no.such", "{}") "\n" STATUS "\n";
    struct kit_raw *raw = kit_raw_proven();
    for (size_t piece = 1; piece <= sizeof lines; piece = piece * 3 + 1) {
        for (size_t at = 0; at < sizeof lines - 1; at += piece) {
            size_t left = sizeof lines - 1 - at;
            assert_true(kit_raw_write(raw, lines + at, left < piece ? left : piece, KIT_WAIT_MS));
        }
        assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
        kit_raw_is_result(raw, "7");
        assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
        kit_raw_is_error(raw, HBK_METHOD_NOT_FOUND, "8");
        assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
        kit_raw_is_result(raw, "7");
    }
}

/* ---- before proof ---- */

static void nothing_before_proof(void **state)
{
    (void)state;
    static const char *const lines[] = {
        OPEN("{\"name\":\"user/a\"}"),
        CALL("7", "endpoint.close", "{\"name\":\"user/a\"}"),
        CALL("7", "endpoint.list", "{}"),
        SEND("{\"to\":\"user/a\"," ITEM "}"),
        CALL("7", "delivery.accept", "{\"delivery\":1}"),
        CALL("7", "delivery.reject", "{\"delivery\":1}"),
        CALL("7", "delivery.revoke", "{\"delivery\":1}"),
        CALL("7", "delivery.list", "{}"),
        CALL("7", "handle.transfer", "{\"source\":{\"pid\":8},\"handle\":4}"),
        CALL("7", "store.put", "{\"name\":\"user/a\",\"handle\":4}"),
        CALL("7", "store.get", "{\"name\":\"user/a\"}"),
        CALL("7", "store.remove", "{\"name\":\"user/a\"}"),
        CALL("7", "store.list", "{}"),
        CALL("7", "broker.sessions", "{}"),
        CALL("7", "broker.watch", "{}"),
        CALL("7", "broker.metrics", "{}"),
        CALL("7", "policy.explain", "{\"verb\":\"inspect\"}"),
        CALL("7", "process.handles", "{\"pid\":8}"),
        CALL("7", "object.holders", "{\"handle\":4}"),
        SEND("{\"to\":7}"), /* not even looked at */
    };
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_new();
    kit_raw_ask(raw, "%s", STATUS); /* this one is answered */
    kit_raw_is_result(raw, "7");
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        kit_raw_ask(raw, "%s", lines[i]);
        kit_raw_is_error(raw, HBK_NOT_PROVEN, "7");
    }
    kit_raw_ask(raw, "%s", CALL("7", "session.prove", "{}")); /* before hello */
    kit_raw_is_error(raw, HBK_NOT_PROVEN, "7");
    kit_unchanged(&mark);
    uint64_t proof = kit_raw_hello(raw, true);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        kit_raw_ask(raw, "%s", lines[i]); /* hello alone is not enough */
        kit_raw_is_error(raw, HBK_NOT_PROVEN, "7");
    }
    kit_raw_ask(raw, "%s", CALL("7", "session.prove", "{}"));
    kit_raw_is_result(raw, "7");
    kit_raw_ask(raw, "%s", lines[2]);
    kit_raw_is_result(raw, "7");
    assert_false(kit_holds_proof(GetCurrentProcessId(), proof)); /* the broker closed its own */
}

static void ended_by_an_ill_formed_line_before_proof(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof not_json / sizeof *not_json; i += 3) {
        struct kit_raw *raw = kit_raw_new();
        say_row(raw, &not_json[i]);
        assert_true(kit_raw_ended(raw, KIT_WAIT_MS));
        kit_raw_free(raw);
    }
    for (size_t i = 0; i < 24; i += 3) {
        struct kit_raw *raw = kit_raw_new();
        kit_raw_hello(raw, true);
        say_row(raw, &no_request[i]);
        assert_true(kit_raw_ended(raw, KIT_WAIT_MS));
        kit_raw_free(raw);
    }
    kit_unchanged(&mark);
}

static const struct row bad_hellos[] = {
    {CALL("7", "session.hello", "{}"), 0, PARAMS, "7"},
    {CALL("7", "session.hello", "{\"protocol\":[1]}"), 0, PARAMS, "7"},
    {CALL("7", "session.hello", "{\"protocol\":1,\"client\":{\"name\":\"a\",\"version\":\"1\"}}"),
     0, PARAMS, "7"},
    {CALL("7", "session.hello", "{\"protocol\":[],\"client\":{\"name\":\"a\",\"version\":\"1\"}}"),
     0, PARAMS, "7"},
    {CALL("7", "session.hello", "{\"protocol\":[2],\"client\":{\"name\":\"a\",\"version\":\"1\"}}"),
     0, PARAMS, "7"},
    {CALL("7", "session.hello", "{\"protocol\":[1],\"client\":{\"name\":\"\",\"version\":\"1\"}}"),
     0, PARAMS, "7"},
    {CALL("7", "session.hello", "{\"protocol\":[1],\"client\":{\"name\":\"a\"}}"), 0, PARAMS, "7"},
    {CALL("7", "session.hello", "{\"protocol\":[1],\"client\":{\"name\":\"a\",\"version\":1}}"), 0,
     PARAMS, "7"},
};

static void hellos_that_are_wrong(void **state)
{
    (void)state;
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_new();
    kit_raw_ask(raw, "%s", STATUS);
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof bad_hellos / sizeof *bad_hellos; i++) {
        say_row(raw, &bad_hellos[i]);
        kit_unchanged(&mark); /* no proof was placed */
    }
    kit_raw_hello(raw, true); /* and a right one is still taken */
    kit_raw_ask(raw, "%s", CALL("7", "session.prove", "{}"));
    kit_raw_is_result(raw, "7");
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(lines_that_are_no_json),    KIT_TEST(numbers_that_are_none),
        KIT_TEST(truncated_at_every_byte),   KIT_TEST(too_much_of_something),
        KIT_TEST(lines_that_are_no_request), KIT_TEST(parameters_that_are_wrong),
        KIT_TEST(descriptors_that_are_none), KIT_TEST(an_id_that_is_in_flight),
        KIT_TEST(as_long_as_a_line_may_be),  KIT_TEST(in_any_pieces),
        KIT_TEST(nothing_before_proof),      KIT_TEST(ended_by_an_ill_formed_line_before_proof),
        KIT_TEST(hellos_that_are_wrong),
    };
    return cmocka_run_group_tests_name("bad lines", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
