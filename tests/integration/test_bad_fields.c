/* Requests whose JSON is right and whose fields are not: for every method, every field with a value of every
 * wrong kind, without each field that it needs, with a key that nobody knows, with a key twice, and cut off
 * after every byte. The session survives each of them, and nothing has changed. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

#define LINE_BYTES 1024

enum {
    IS_NULL = 1,
    IS_BOOL = 2,
    IS_NUMBER = 4,
    IS_TEXT = 8,
    IS_LIST = 16,
    IS_OBJECT = 32,
};

static const struct {
    unsigned kind;
    const char *json;
} values[] = {
    {IS_NULL, "null"},   {IS_BOOL, "true"}, {IS_BOOL, "false"},       {IS_NUMBER, "7"},
    {IS_TEXT, "\"7\""},  {IS_TEXT, "\"\""}, {IS_LIST, "[]"},          {IS_LIST, "[7]"},
    {IS_LIST, "[null]"}, {IS_OBJECT, "{}"}, {IS_OBJECT, "{\"a\":7}"},
};

/* # stands for the value. */
struct field {
    unsigned kinds; /* those that it may have */
    const char *method, *params;
};

#define CLIENT "\"client\":{\"name\":\"a\",\"version\":\"1\"}"
#define ITEMS "\"items\":[{\"handle\":4}]"
#define SOURCE "\"source\":{\"pid\":8}"
static const struct field fields[] = {
    {IS_LIST, "session.hello", "{\"protocol\":#," CLIENT "}"},
    {IS_NUMBER, "session.hello", "{\"protocol\":[1,#]," CLIENT "}"},
    {IS_OBJECT, "session.hello", "{\"protocol\":[1],\"client\":#}"},
    {IS_TEXT, "session.hello", "{\"protocol\":[1],\"client\":{\"name\":#,\"version\":\"1\"}}"},
    {IS_TEXT, "session.hello", "{\"protocol\":[1],\"client\":{\"name\":\"a\",\"version\":#}}"},
    {IS_TEXT, "endpoint.open", "{\"name\":#}"},
    {0, "endpoint.open", "{\"name\":\"user/a\",\"mode\":#}"},
    {IS_OBJECT, "endpoint.open", "{\"name\":\"user/a\",\"types\":#}"},
    {IS_NUMBER, "endpoint.open", "{\"name\":\"user/a\",\"types\":{\"Event\":#}}"},
    {IS_NUMBER, "endpoint.open", "{\"name\":\"user/a\",\"items_max\":#}"},
    {IS_TEXT, "endpoint.open", "{\"name\":\"user/a\",\"from\":#}"},
    {IS_BOOL, "endpoint.open", "{\"name\":\"user/a\",\"revocable\":#}"},
    {IS_TEXT, "endpoint.close", "{\"name\":#}"},
    {IS_TEXT, "endpoint.list", "{\"cursor\":#}"},
    {IS_NUMBER, "endpoint.list", "{\"limit\":#}"},
    {IS_TEXT | IS_OBJECT, "handle.send", "{\"to\":#," ITEMS "}"},
    {IS_TEXT, "handle.send", "{\"to\":{\"name\":#,\"pid\":8}," ITEMS "}"},
    {IS_NUMBER, "handle.send", "{\"to\":{\"name\":\"user/a\",\"pid\":#}," ITEMS "}"},
    {IS_OBJECT, "handle.send", "{\"to\":\"user/a\"," ITEMS ",\"expect\":#}"},
    {IS_TEXT, "handle.send", "{\"to\":\"user/a\"," ITEMS ",\"expect\":{\"user\":#}}"},
    {IS_NUMBER, "handle.send", "{\"to\":\"user/a\"," ITEMS ",\"expect\":{\"pid\":#}}"},
    {0, "handle.send", "{\"to\":\"user/a\",\"items\":#}"},
    {IS_OBJECT, "handle.send", "{\"to\":\"user/a\",\"items\":[#]}"},
    {IS_OBJECT, "handle.send", "{\"to\":\"user/a\",\"items\":[{\"handle\":4},#]}"},
    {IS_NUMBER, "handle.send", "{\"to\":\"user/a\",\"items\":[{\"handle\":#}]}"},
    {IS_TEXT, "handle.send", "{\"to\":\"user/a\",\"items\":[{\"handle\":4,\"type\":#}]}"},
    {IS_NUMBER, "handle.send", "{\"to\":\"user/a\",\"items\":[{\"handle\":4,\"access\":#}]}"},
    {IS_BOOL, "handle.send", "{\"to\":\"user/a\",\"items\":[{\"handle\":4,\"inherit\":#}]}"},
    {IS_BOOL, "handle.send", "{\"to\":\"user/a\",\"items\":[{\"handle\":4,\"protect\":#}]}"},
    {IS_TEXT | IS_NULL, "handle.send", "{\"to\":\"user/a\"," ITEMS ",\"data\":#}"},
    {IS_NUMBER, "handle.send", "{\"to\":\"user/a\"," ITEMS ",\"wait_ms\":#}"},
    {IS_NUMBER, "handle.send", "{\"to\":\"user/a\"," ITEMS ",\"timeout_ms\":#}"},
    {IS_BOOL, "handle.send", "{\"to\":\"user/a\"," ITEMS ",\"revocable\":#}"},
    {IS_NUMBER, "delivery.accept", "{\"delivery\":#}"},
    {IS_NUMBER, "delivery.reject", "{\"delivery\":#}"},
    {IS_TEXT, "delivery.reject", "{\"delivery\":7,\"reason\":#}"},
    {IS_NUMBER, "delivery.revoke", "{\"delivery\":#}"},
    {IS_TEXT, "delivery.list", "{\"cursor\":#}"},
    {IS_NUMBER, "delivery.list", "{\"limit\":#}"},
    {IS_OBJECT, "handle.transfer", "{\"source\":#,\"handle\":4}"},
    {IS_NUMBER, "handle.transfer", "{\"source\":{\"pid\":#},\"handle\":4}"},
    {IS_NUMBER, "handle.transfer", "{" SOURCE ",\"handle\":#}"},
    {IS_TEXT | IS_OBJECT, "handle.transfer", "{" SOURCE ",\"handle\":4,\"target\":#}"},
    {IS_NUMBER, "handle.transfer", "{" SOURCE ",\"handle\":4,\"target\":{\"pid\":#}}"},
    {IS_TEXT, "handle.transfer", "{" SOURCE ",\"handle\":4,\"type\":#}"},
    {IS_NUMBER, "handle.transfer", "{" SOURCE ",\"handle\":4,\"access\":#}"},
    {IS_BOOL, "handle.transfer", "{" SOURCE ",\"handle\":4,\"inherit\":#}"},
    {IS_TEXT | IS_NULL, "store.put", "{\"name\":#,\"handle\":4}"},
    {IS_NUMBER, "store.put", "{\"name\":\"user/a\",\"handle\":#}"},
    {IS_TEXT, "store.put", "{\"name\":\"user/a\",\"handle\":4,\"type\":#}"},
    {IS_NUMBER, "store.put", "{\"name\":\"user/a\",\"handle\":4,\"access\":#}"},
    {IS_TEXT, "store.put", "{\"name\":\"user/a\",\"handle\":4,\"allow\":#}"},
    {0, "store.put", "{\"name\":\"user/a\",\"handle\":4,\"lifetime\":#}"},
    {IS_NUMBER, "store.put", "{\"name\":\"user/a\",\"handle\":4,\"ttl_ms\":#}"},
    {IS_BOOL, "store.put", "{\"name\":\"user/a\",\"handle\":4,\"replace\":#}"},
    {IS_BOOL, "store.put", "{\"name\":\"user/a\",\"handle\":4,\"once\":#}"},
    {IS_TEXT | IS_NULL, "store.put", "{\"name\":\"user/a\",\"handle\":4,\"data\":#}"},
    {IS_TEXT, "store.get", "{\"name\":#}"},
    {0, "store.get", "{\"ticket\":#}"},
    {IS_NUMBER, "store.get", "{\"name\":\"user/a\",\"access\":#}"},
    {IS_BOOL, "store.get", "{\"name\":\"user/a\",\"inherit\":#}"},
    {IS_NUMBER, "store.get", "{\"name\":\"user/a\",\"wait_ms\":#}"},
    {IS_TEXT, "store.remove", "{\"name\":#}"},
    {IS_NUMBER, "store.remove", "{\"entry\":#}"},
    {IS_TEXT, "store.list", "{\"cursor\":#}"},
    {IS_NUMBER, "store.list", "{\"limit\":#}"},
    {IS_TEXT, "broker.sessions", "{\"cursor\":#}"},
    {IS_NUMBER, "broker.sessions", "{\"limit\":#}"},
    {IS_TEXT, "policy.explain", "{\"verb\":#}"},
    {IS_TEXT, "policy.explain", "{\"verb\":\"open\",\"name\":#}"},
    {IS_NUMBER, "policy.explain", "{\"verb\":\"send\",\"name\":\"user/a\",\"pid\":#}"},
    {IS_NUMBER, "policy.explain", "{\"verb\":\"open\",\"name\":\"user/a\",\"session\":#}"},
    {IS_NUMBER, "process.handles", "{\"pid\":#}"},
    {IS_TEXT, "process.handles", "{\"pid\":8,\"cursor\":#}"},
    {IS_NUMBER, "process.handles", "{\"pid\":8,\"limit\":#}"},
    {IS_NUMBER, "object.holders", "{\"pid\":#,\"handle\":4}"},
    {IS_NUMBER, "object.holders", "{\"pid\":8,\"handle\":#}"},
};

/* The request of @method with @params, in which # stands for @value (NULL: there is none). */
static void compose(char line[LINE_BYTES], const char *method, const char *params,
                    const char *value)
{
    const char *mark = value != NULL ? strchr(params, '#') : NULL;
    int size;
    if (mark == NULL)
        size = snprintf(line, LINE_BYTES,
                        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":%s}", method,
                        params);
    else
        size = snprintf(line, LINE_BYTES,
                        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":%.*s%s%s}",
                        method, (int)(mark - params), params, value, mark + 1);
    assert_in_range(size, 1, LINE_BYTES - 1);
}

/* @size bytes of @line are a line that is refused with @code, and the session goes on. */
static void refused(struct kit_raw *raw, const char *line, size_t size, int code, const char *id)
{
    assert_true(kit_raw_write(raw, line, size, KIT_WAIT_MS));
    assert_true(kit_raw_write(raw, "\n", 1, KIT_WAIT_MS));
    if (kit_raw_next(raw, KIT_WAIT_MS) != KIT_RAW_LINE)
        fail_msg("no answer to: %.*s", (int)size, line);
    int64_t found = 0;
    if (!kit_json_number(raw->line, "code", &found) || found != code)
        fail_msg("error %d expected to: %.*s\n%s", code, (int)size, line, raw->line);
    kit_raw_is_error(raw, code, id);
}

static void still_there(struct kit_raw *raw)
{
    kit_raw_ask(raw, "%s",
                "{\"jsonrpc\":\"2.0\",\"id\":\"still there\",\"method\":\"broker.status\"}");
    kit_raw_is_result(raw, "\"still there\"");
}

static void values_of_every_wrong_kind(void **state)
{
    (void)state;
    char line[LINE_BYTES];
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            if ((fields[i].kinds & values[v].kind) != 0)
                continue;
            compose(line, fields[i].method, fields[i].params, values[v].json);
            refused(raw, line, strlen(line), HBK_INVALID_PARAMS, "7");
        }
        still_there(raw);
        kit_unchanged(&mark);
    }
}

/* ---- the envelope ---- */

static void an_envelope_of_the_wrong_kind(void **state)
{
    (void)state;
    static const struct {
        unsigned kinds;
        const char *id, *before, *after;
    } rows[] = {
        {0, "7", "{\"jsonrpc\":", ",\"id\":7,\"method\":\"broker.status\"}"},
        {IS_NUMBER | IS_TEXT, "null",
         "{\"jsonrpc\":\"2.0\",\"id\":", ",\"method\":\"broker.status\"}"},
        {IS_TEXT, "7", "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":", "}"},
        {IS_OBJECT, "7",
         "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"broker.status\",\"params\":", "}"},
    };
    char line[LINE_BYTES];
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            if ((rows[i].kinds & values[v].kind) != 0)
                continue;
            (void)snprintf(line, sizeof line, "%s%s%s", rows[i].before, values[v].json,
                           rows[i].after);
            refused(raw, line, strlen(line), HBK_INVALID_REQUEST, rows[i].id);
        }
        still_there(raw);
    }
    kit_unchanged(&mark);
}

/* ---- fields that are not there ---- */

static void fields_that_are_missing(void **state)
{
    (void)state;
    static const struct field rows[] = {
        {0, "session.hello", "{" CLIENT "}"},
        {0, "session.hello", "{\"protocol\":[1]}"},
        {0, "session.hello", "{\"protocol\":[1],\"client\":{\"version\":\"1\"}}"},
        {0, "session.hello", "{\"protocol\":[1],\"client\":{\"name\":\"a\"}}"},
        {0, "endpoint.open", "{\"mode\":\"auto\"}"},
        {0, "endpoint.close", "{}"},
        {0, "handle.send", "{" ITEMS "}"},
        {0, "handle.send", "{\"to\":\"user/a\"}"},
        {0, "handle.send", "{\"to\":{\"name\":\"user/a\"}," ITEMS "}"},
        {0, "handle.send", "{\"to\":{\"pid\":8}," ITEMS "}"},
        {0, "handle.send", "{\"to\":\"user/a\",\"items\":[{\"type\":\"Event\"}]}"},
        {0, "delivery.accept", "{}"},
        {0, "delivery.reject", "{\"reason\":\"none\"}"},
        {0, "delivery.revoke", "{}"},
        {0, "handle.transfer", "{\"handle\":4}"},
        {0, "handle.transfer", "{\"source\":{},\"handle\":4}"},
        {0, "handle.transfer", "{" SOURCE "}"},
        {0, "handle.transfer", "{" SOURCE ",\"handle\":4,\"target\":{}}"},
        {0, "store.put", "{\"handle\":4}"},
        {0, "store.put", "{\"name\":\"user/a\"}"},
        {0, "store.get", "{\"wait_ms\":4}"},
        {0, "store.remove", "{}"},
        {0, "policy.explain", "{\"name\":\"user/a\"}"},
        {0, "process.handles", "{\"limit\":1}"},
        {0, "object.holders", "{\"pid\":8}"},
    };
    char line[LINE_BYTES];
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        compose(line, rows[i].method, rows[i].params, NULL);
        refused(raw, line, strlen(line), HBK_INVALID_PARAMS, "7");
        still_there(raw);
    }
    /* No parameters at all, where there must be some. */
    static const char *const methods[] = {"session.hello",   "endpoint.open",   "endpoint.close",
                                          "handle.send",     "delivery.accept", "delivery.reject",
                                          "policy.explain",  "delivery.revoke", "handle.transfer",
                                          "store.put",       "store.get",       "store.remove",
                                          "process.handles", "object.holders"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        (void)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\"}",
                       methods[i]);
        refused(raw, line, strlen(line), HBK_INVALID_PARAMS, "7");
    }
    kit_unchanged(&mark);
}

/* ---- keys ---- */

/* # stands for what is added to an object, `known` for a member that it has. */
static const struct {
    const char *method, *params, *known;
} objects[] = {
    {"session.hello", "{\"protocol\":[1]," CLIENT "#}", ",\"protocol\":[1]"},
    {"session.hello", "{\"protocol\":[1],\"client\":{\"name\":\"a\",\"version\":\"1\"#}}",
     ",\"version\":\"1\""},
    {"session.prove", "{\"zz\":1#}", ",\"zz\":1"},
    {"endpoint.open", "{\"name\":\"user/a\"#}", ",\"name\":\"user/a\""},
    {"endpoint.open", "{\"name\":\"user/a\",\"types\":{\"Event\":\"any\"#}}", ",\"Event\":\"any\""},
    {"endpoint.close", "{\"name\":\"user/a\"#}", ",\"name\":\"user/a\""},
    {"endpoint.list", "{\"limit\":8#}", ",\"limit\":8"},
    {"handle.send", "{\"to\":\"user/a\"," ITEMS "#}", "," ITEMS},
    {"handle.send", "{\"to\":{\"name\":\"user/a\",\"pid\":8#}," ITEMS "}", ",\"pid\":8"},
    {"handle.send", "{\"to\":\"user/a\"," ITEMS ",\"expect\":{\"pid\":8#}}", ",\"pid\":8"},
    {"handle.send", "{\"to\":\"user/a\",\"items\":[{\"handle\":4#}]}", ",\"handle\":4"},
    {"delivery.accept", "{\"delivery\":7#}", ",\"delivery\":7"},
    {"delivery.reject", "{\"delivery\":7#}", ",\"delivery\":7"},
    {"delivery.revoke", "{\"delivery\":7#}", ",\"delivery\":7"},
    {"delivery.list", "{\"limit\":8#}", ",\"limit\":8"},
    {"handle.transfer", "{\"handle\":4," SOURCE "#}", "," SOURCE},
    {"handle.transfer", "{\"handle\":4,\"source\":{\"pid\":8#}}", ",\"pid\":8"},
    {"handle.transfer", "{\"handle\":4," SOURCE ",\"target\":{\"pid\":8#}}", ",\"pid\":8"},
    {"store.put", "{\"name\":null,\"handle\":4#}", ",\"handle\":4"},
    {"store.get", "{\"name\":\"user/a\"#}", ",\"name\":\"user/a\""},
    {"store.remove", "{\"entry\":7#}", ",\"entry\":7"},
    {"store.list", "{\"limit\":8#}", ",\"limit\":8"},
    {"broker.status", "{\"zz\":1#}", ",\"zz\":1"},
    {"broker.sessions", "{\"limit\":8#}", ",\"limit\":8"},
    {"broker.watch", "{\"zz\":1#}", ",\"zz\":1"},
    {"broker.metrics", "{\"zz\":1#}", ",\"zz\":1"},
    {"policy.explain", "{\"verb\":\"inspect\"#}", ",\"verb\":\"inspect\""},
    {"process.handles", "{\"pid\":8#}", ",\"pid\":8"},
    {"object.holders", "{\"handle\":4#}", ",\"handle\":4"},
};

static void keys_that_nobody_knows_or_that_come_twice(void **state)
{
    (void)state;
    /* What a client of another version, or one that would like to be another process, may say. */
    static const char *const unknown[] = {",\"zzz\":1", ",\"source\":{\"pid\":8}", ",\"pid_\":8",
                                          ",\"\":null"};
    char line[LINE_BYTES];
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        for (size_t u = 0; u < sizeof unknown / sizeof *unknown; u++) {
            if (u == 1 && strstr(objects[i].params, "\"source\"") != NULL)
                continue; /* there it is known */
            compose(line, objects[i].method, objects[i].params, unknown[u]);
            refused(raw, line, strlen(line), HBK_INVALID_PARAMS, "7");
        }
        compose(line, objects[i].method, objects[i].params, objects[i].known);
        refused(raw, line, strlen(line), HBK_PARSE_ERROR, "null");
        still_there(raw);
        kit_unchanged(&mark);
    }
}

/* ---- cut off ---- */

static void every_method_cut_off_after_every_byte(void **state)
{
    (void)state;
    char line[LINE_BYTES];
    struct kit_mark mark;
    struct kit_raw *raw = kit_raw_proven();
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        compose(line, objects[i].method, objects[i].params, "");
        for (size_t size = 0; size + 1 < strlen(line); size++)
            refused(raw, line, size, HBK_PARSE_ERROR, "null");
        still_there(raw);
        kit_unchanged(&mark);
    }
}

/* Half a request and the end of the connection: the half is not acted on. */
static void half_a_request_and_no_more(void **state)
{
    (void)state;
    static const char line[] =
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"endpoint.open\",\"params\":"
        "{\"name\":\"user/half\"}}";
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t size = 1; size < sizeof line; size += 7) {
        struct kit_raw *raw = kit_raw_proven();
        assert_true(kit_raw_write(raw, line, size, KIT_WAIT_MS));
        kit_raw_free(raw);
    }
    kit_unchanged(&mark);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(values_of_every_wrong_kind),
        KIT_TEST(an_envelope_of_the_wrong_kind),
        KIT_TEST(fields_that_are_missing),
        KIT_TEST(keys_that_nobody_knows_or_that_come_twice),
        KIT_TEST(every_method_cut_off_after_every_byte),
        KIT_TEST(half_a_request_and_no_more),
    };
    return cmocka_run_group_tests_name("bad fields", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
