/* The store, asked what it refuses, by a client that checks nothing itself. After each nothing has changed: no handle
 * has appeared in the broker or here, no entry, and another client is served meanwhile. */
#include "line.h"
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LONG_TEXT 9000

struct scene {
    struct kit_raw *raw;
    hbk_client *client;
    HANDLE event;
    const char *name; /* under which it is stored */
    const char *free; /* nothing is */
    struct kit_mark mark;
};

static void begin(struct scene *scene)
{
    scene->event = kit_make(KIT_EVENT);
    scene->client = kit_client();
    scene->raw = kit_raw_proven();
    scene->name = kit_endpoint_name();
    scene->free = kit_endpoint_name();
    assert_int_equal(kit_put(scene->client, scene->name, scene->event, 0, 0), HBK_OK);
    kit_mark(&scene->mark, GetCurrentProcessId());
}

/* What is right is still served, on the same connection, and what was stored is what it was. */
static void end(struct scene *scene)
{
    kit_unchanged(&scene->mark);
    kit_raw_ask(scene->raw,
                "{\"jsonrpc\":\"2.0\",\"id\":99,\"method\":\"store.put\",\"params\":"
                "{\"name\":\"%s\",\"handle\":%llu}}",
                scene->free, (unsigned long long)(uintptr_t)scene->event);
    kit_raw_is_result(scene->raw, "99");
    kit_raw_ask(scene->raw,
                "{\"jsonrpc\":\"2.0\",\"id\":99,\"method\":\"store.remove\",\"params\":"
                "{\"name\":\"%s\"}}",
                scene->free);
    kit_raw_is_result(scene->raw, "99");
    HANDLE got = kit_got(scene->client, scene->name);
    assert_true(SetEvent(got));
    assert_true(kit_is_set(scene->event));
    CloseHandle(got);
    assert_int_equal(hbk_store_remove(scene->client, scene->name, NULL), HBK_OK);
    CloseHandle(scene->event);
}

static void refused(struct scene *scene, const char *method, const char *params, int code)
{
    int64_t found = 0;
    kit_raw_ask(scene->raw, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":{%s}}",
                method, params);
    if (!kit_json_number(scene->raw->line, "code", &found) || found != code)
        fail_msg("%s {%s}: error %d expected: %s", method, params, code, scene->raw->line);
    kit_raw_is_error(scene->raw, code, code == HBK_PARSE_ERROR ? "null" : "7");
    kit_unchanged(&scene->mark);
}

static void put_refused(struct scene *scene, const char *handle, const char *options, int code)
{
    char params[400];
    (void)snprintf(params, sizeof params, "\"name\":\"%s\",\"handle\":%s%s", scene->free, handle,
                   options);
    refused(scene, "store.put", params, code);
}

static void value_refused(struct scene *scene, uint64_t value, int code)
{
    char handle[32];
    (void)snprintf(handle, sizeof handle, "%" PRIu64, value);
    put_refused(scene, handle, "", code);
}

/* ---- handles ---- */

static void handles_that_are_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"null", "true", "\"4\"", "[4]", "{}", "4.0", "4e0", "-0"};
    static const uint64_t values[] = {
        0,           1,           2,           3,           0x80000000u,    0x80000004u,
        0xFFFFFFFCu, 0x7FFFFFFDu, 0x7FFFFFFFu, 0x7FFFFFFCu, 0x100000000ull, 0xFFFFFFFFFFFFFFFCull,
    };
    struct scene scene;
    char text[32];
    begin(&scene);
    for (int value = 1; value <= 16; value++) {
        (void)snprintf(text, sizeof text, "-%d", value);
        put_refused(&scene, text, "", HBK_BAD_HANDLE);
        value_refused(&scene, 0x100000000ull - (unsigned)value, HBK_BAD_HANDLE);
        value_refused(&scene, 0ull - (unsigned)value, HBK_BAD_HANDLE);
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        value_refused(&scene, values[i], HBK_BAD_HANDLE);
    uint64_t good = (uint64_t)(uintptr_t)scene.event;
    for (uint64_t tag = 1; tag <= 3; tag++)
        value_refused(&scene, good + tag, HBK_BAD_HANDLE);
    value_refused(&scene, good + 0x80000000u, HBK_BAD_HANDLE);
    value_refused(&scene, good + 0x100000000ull, HBK_BAD_HANDLE);
    value_refused(&scene, (uint64_t)(uintptr_t)kit_closed(), HBK_BAD_HANDLE);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        put_refused(&scene, texts[i], "", i < 5 ? HBK_INVALID_PARAMS : HBK_PARSE_ERROR);
    end(&scene);
}

/* Values that the broker holds, and this process does not. */
static void the_brokers_own_values(void **state)
{
    (void)state;
    struct scene scene;
    int tried = 0, free_here = 0;
    begin(&scene);
    /* The lowest free ones are given out for a moment by the system itself. */
    for (uint64_t value = 4; value < 0x400 && tried < 16; value += 4) {
        if (kit_holds(GetCurrentProcessId(), value) || ++free_here <= 6)
            continue;
        if (!kit_holds(kit_broker()->pid, value))
            continue;
        value_refused(&scene, value, HBK_BAD_HANDLE);
        tried++;
    }
    if (tried == 0)
        print_message("note: the broker holds no low value that this process does not\n");
    end(&scene);
}

static void words_for_other_types(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int code;
    } words[] = {
        {"Mutant", HBK_TYPE_MISMATCH},     {"event", HBK_TYPE_MISMATCH},
        {"File", HBK_TYPE_MISMATCH},       {"Token", HBK_TYPE_MISMATCH},
        {"NoSuchType", HBK_TYPE_MISMATCH}, {"Socket", HBK_TYPE_MISMATCH},
        {"", HBK_INVALID_PARAMS},
    };
    struct scene scene;
    char handle[32], options[64];
    begin(&scene);
    (void)snprintf(handle, sizeof handle, "%" PRIu64, (uint64_t)(uintptr_t)scene.event);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        (void)snprintf(options, sizeof options, ",\"type\":\"%s\"", words[i].type);
        put_refused(&scene, handle, options, words[i].code);
    }
    end(&scene);
}

/* Whether a file is a socket only Winsock knows. The library asks its own; the service does when somebody comes for it,
 * who is told then. */
static void files_that_are_called_sockets(void **state)
{
    (void)state;
    static const enum kit_kind kinds[] = {KIT_FILE, KIT_PIPE};
    struct scene scene;
    begin(&scene);
    for (size_t i = 0; i < 2; i++) {
        HANDLE file = kit_make(kinds[i]);
        hbk_taken *taken = NULL;
        hbk_store_put_options put = {.size = sizeof put, .name = scene.free, .handle = file};
        put.type = "Socket";
        assert_int_equal(hbk_store_put(scene.client, &put, NULL, NULL), HBK_TYPE_MISMATCH);
        kit_raw_ask(scene.raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"store.put\",\"params\":"
                    "{\"name\":\"%s\",\"handle\":%llu,\"type\":\"Socket\",\"once\":true}}",
                    scene.free, (unsigned long long)(uintptr_t)file);
        kit_raw_is_result(scene.raw, "7");
        /* What Winsock makes when it is first asked stays. */
        assert_int_equal(kit_get(scene.client, scene.free, 0, 0, &taken), HBK_TYPE_MISMATCH);
        kit_mark(&scene.mark, GetCurrentProcessId());
        KIT_REFUSED(&scene.mark, HBK_TYPE_MISMATCH, hbk_store_put(scene.client, &put, NULL, NULL));
        KIT_REFUSED(&scene.mark, HBK_TYPE_MISMATCH,
                    kit_get(scene.client, scene.free, 0, 0, &taken));
        assert_int_equal(hbk_store_remove(scene.client, scene.free, NULL), HBK_OK);
        kit_unmake(kinds[i], file);
        kit_mark(&scene.mark, GetCurrentProcessId());
    }
    end(&scene);
}

/* ---- rights ---- */

static void rights_that_cannot_be_named(void **state)
{
    (void)state;
    static const char *const masks[] = {
        "0",        "2147483648", "1073741824", "536870912", "268435456",        "33554432",
        "16777216", "4294967296", "-1",         "\"all\"",   "\"READ\"",         "\"\"",
        "true",     "null",       "[]",         "{}",        "9007199254740993",
    };
    struct scene scene;
    char handle[32], params[300];
    begin(&scene);
    (void)snprintf(handle, sizeof handle, "%" PRIu64, (uint64_t)(uintptr_t)scene.event);
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        (void)snprintf(params, sizeof params, ",\"access\":%s", masks[i]);
        put_refused(&scene, handle, params, HBK_INVALID_PARAMS);
        (void)snprintf(params, sizeof params, "\"name\":\"%s\",\"access\":%s", scene.name,
                       masks[i]);
        refused(&scene, "store.get", params, HBK_INVALID_PARAMS);
    }
    /* One bit too many. */
    put_refused(&scene, handle, ",\"access\":2064387", HBK_ACCESS_EXCEEDS_SOURCE);
    (void)snprintf(params, sizeof params, "\"name\":\"%s\",\"access\":2064387", scene.name);
    refused(&scene, "store.get", params, HBK_ACCESS_EXCEEDS_SOURCE);
    end(&scene);
}

/* ---- fields ---- */

static const struct {
    const char *method, *params;
    int code;
} rows[] = {
    /* left out, of a wrong kind, unknown, twice */
    {"store.put", "", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\"", HBK_INVALID_PARAMS},
    {"store.put", "\"handle\":4", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":1,\"handle\":4", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":[],\"handle\":4", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"lifetime\":\"ever\"", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"lifetime\":null", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"ttl_ms\":0", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"ttl_ms\":2147483648", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"ttl_ms\":-1", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"ttl_ms\":1.5", HBK_PARSE_ERROR},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"ttl_ms\":\"1\"", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"replace\":1", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"once\":\"true\"", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"allow\":1", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"data\":{}", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"ticket\":\"\"", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"inherit\":true", HBK_INVALID_PARAMS},
    {"store.put", "\"name\":\"user/a\",\"handle\":4,\"handle\":4", HBK_PARSE_ERROR},
    {"store.get", "", HBK_INVALID_PARAMS},
    {"store.get", "\"name\":null", HBK_INVALID_PARAMS},
    {"store.get", "\"ticket\":null", HBK_INVALID_PARAMS},
    {"store.get", "\"ticket\":1", HBK_INVALID_PARAMS},
    {"store.get", "\"name\":\"user/a\",\"ticket\":\"00000000000000000000000000000000\"",
     HBK_INVALID_PARAMS},
    {"store.get", "\"name\":\"user/a\",\"wait_ms\":60001", HBK_INVALID_PARAMS},
    {"store.get", "\"name\":\"user/a\",\"wait_ms\":-1", HBK_INVALID_PARAMS},
    {"store.get", "\"name\":\"user/a\",\"wait_ms\":\"1\"", HBK_INVALID_PARAMS},
    {"store.get", "\"name\":\"user/a\",\"inherit\":0", HBK_INVALID_PARAMS},
    {"store.get", "\"name\":\"user/a\",\"protect\":true", HBK_INVALID_PARAMS},
    {"store.get", "\"name\":\"user/a\",\"handle\":4", HBK_INVALID_PARAMS},
    {"store.get", "\"entry\":1", HBK_INVALID_PARAMS},
    {"store.get", "\"name\":\"user/a\"", HBK_NOT_FOUND},
    {"store.remove", "", HBK_INVALID_PARAMS},
    {"store.remove", "\"name\":null", HBK_INVALID_PARAMS},
    {"store.remove", "\"entry\":0", HBK_INVALID_PARAMS},
    {"store.remove", "\"entry\":-1", HBK_INVALID_PARAMS},
    {"store.remove", "\"entry\":\"1\"", HBK_INVALID_PARAMS},
    {"store.remove", "\"entry\":9007199254740992", HBK_INVALID_PARAMS},
    {"store.remove", "\"name\":\"user/a\",\"entry\":1", HBK_INVALID_PARAMS},
    {"store.remove", "\"ticket\":\"00000000000000000000000000000000\"", HBK_INVALID_PARAMS},
    {"store.remove", "\"entry\":9007199254740991", HBK_NOT_FOUND},
    {"store.remove", "\"name\":\"user/a\"", HBK_NOT_FOUND},
    {"store.list", "\"limit\":0", HBK_INVALID_PARAMS},
    {"store.list", "\"limit\":65", HBK_INVALID_PARAMS},
    {"store.list", "\"limit\":\"1\"", HBK_INVALID_PARAMS},
    {"store.list", "\"cursor\":1", HBK_INVALID_PARAMS},
    {"store.list", "\"cursor\":\"\"", HBK_INVALID_PARAMS},
    {"store.list", "\"cursor\":\"x\"", HBK_INVALID_PARAMS},
    {"store.list", "\"cursor\":\"-1\"", HBK_INVALID_PARAMS},
    {"store.list", "\"cursor\":\"18446744073709551616\"", HBK_INVALID_PARAMS},
    {"store.list", "\"name\":\"user/a\"", HBK_INVALID_PARAMS},
    {"store.put.", "", HBK_METHOD_NOT_FOUND},
    {"store", "", HBK_METHOD_NOT_FOUND},
    {"Store.get", "", HBK_METHOD_NOT_FOUND},
    {"store.clear", "", HBK_METHOD_NOT_FOUND},
};

static void fields(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refused(&scene, rows[i].method, rows[i].params, rows[i].code);
    end(&scene);
}

static void names_that_are_none(void **state)
{
    (void)state;
    static const char *const names[] = {"",        "user",       "user/",         "/a",
                                        "User/a",  "user\\/a b", "user/\xc3\xa4", "local/a",
                                        "user/a*", "\\u0000",    "user/a\\n"};
    static const char *const methods[] = {"store.get", "store.remove"};
    struct scene scene;
    static char params[400];
    begin(&scene);
    for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
        static char longest[300];
        memset(longest, 'a', sizeof longest - 1);
        memcpy(longest, "user/", 5);
        longest[261] = '\0'; /* one more than a name may have */
        const char *name = i < sizeof names / sizeof *names ? names[i] : longest;
        bool bad_line = strcmp(name, "\\u0000") == 0;
        for (size_t m = 0; m < 3; m++) {
            (void)snprintf(params, sizeof params, "\"name\":\"%s\"%s", name,
                           m < 2 ? "" : ",\"handle\":4");
            if (!bad_line) {
                refused(&scene, m < 2 ? methods[m] : "store.put", params, HBK_INVALID_PARAMS);
                continue;
            }
            kit_raw_ask(scene.raw,
                        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"store.get\",\"params\":{%s}}",
                        params);
            kit_raw_is_error(scene.raw, HBK_PARSE_ERROR, "null");
        }
    }
    end(&scene);
}

/* Texts that are one byte too long, and that just fit. */
static void texts_that_are_too_long(void **state)
{
    (void)state;
    static char text[LONG_TEXT], line[2 * LONG_TEXT];
    struct scene scene;
    begin(&scene);
    const size_t limits[2] = {HBK_DATA_BYTES_MAX, 2048};
    const char *const keys[2] = {"data", "allow"};
    for (size_t i = 0; i < 2; i++) {
        memset(text, 'x', limits[i] + 1);
        text[limits[i] + 1] = '\0';
        (void)snprintf(line, sizeof line, "\"name\":\"%s\",\"handle\":%llu,\"%s\":\"%s\"",
                       scene.free, (unsigned long long)(uintptr_t)scene.event, keys[i], text);
        refused(&scene, "store.put", line, HBK_INVALID_PARAMS);
    }
    hbk_store_put_options put = {.size = sizeof put, .name = scene.free, .handle = scene.event};
    memset(text, 'x', HBK_DATA_BYTES_MAX);
    text[0] = '"'; /* it is counted as it is written: this one takes two */
    text[HBK_DATA_BYTES_MAX] = '\0';
    put.data = text;
    KIT_REFUSED(&scene.mark, HBK_INVALID_ARGUMENT, hbk_store_put(scene.client, &put, NULL, NULL));
    text[HBK_DATA_BYTES_MAX - 1] = '\0';
    assert_int_equal(hbk_store_put(scene.client, &put, NULL, NULL), HBK_OK);
    hbk_taken *taken = NULL;
    assert_int_equal(kit_get(scene.client, scene.free, 0, 0, &taken), HBK_OK);
    assert_string_equal(taken->data, text);
    hbk_taken_free(taken);
    assert_int_equal(hbk_store_remove(scene.client, scene.free, NULL), HBK_OK);
    end(&scene);
}

/* ---- before anybody has proved who it is ---- */

static void before_proof(void **state)
{
    (void)state;
    static const char *const methods[] = {"store.put", "store.get", "store.remove", "store.list"};
    static const char *const params[] = {"\"name\":\"user/a\",\"handle\":4", "\"name\":\"user/a\"",
                                         "\"name\":\"user/a\"", ""};
    struct scene scene;
    begin(&scene);
    for (size_t i = 0; i < 4; i++) {
        struct kit_raw *raw = kit_raw_new();
        kit_raw_hello(raw, false);
        kit_raw_ask(raw, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":{%s}}",
                    methods[i], params[i]);
        kit_raw_is_error(raw, HBK_NOT_PROVEN, "7");
        kit_raw_free(raw);
        kit_unchanged(&scene.mark);
    }
    end(&scene);
}

/* ---- through the library ---- */

static void arguments(void **state)
{
    (void)state;
    struct scene scene;
    hbk_stored stored;
    hbk_taken *taken = NULL;
    hbk_store_entries *list = NULL;
    begin(&scene);
    hbk_store_put_options put = {.size = sizeof put - 1, .name = scene.free};
    hbk_store_get_options get = {.size = sizeof get - 1, .name = scene.name};
    put.handle = scene.event;
    const hbk_result bad = HBK_INVALID_ARGUMENT;
    KIT_REFUSED(&scene.mark, bad, hbk_store_put(scene.client, &put, &stored, NULL));
    KIT_REFUSED(&scene.mark, bad, hbk_store_get(scene.client, &get, &taken, NULL));
    put.size = sizeof put;
    get.size = sizeof get;
    KIT_REFUSED(&scene.mark, bad, hbk_store_put(NULL, &put, &stored, NULL));
    KIT_REFUSED(&scene.mark, bad, hbk_store_get(NULL, &get, &taken, NULL));
    KIT_REFUSED(&scene.mark, bad, hbk_store_get(scene.client, &get, NULL, NULL));
    get.ticket = "00000000000000000000000000000000"; /* and a name */
    KIT_REFUSED(&scene.mark, bad, hbk_store_get(scene.client, &get, &taken, NULL));
    get.ticket = NULL;
    get.flags = HBK_ITEM_MOVE;
    KIT_REFUSED(&scene.mark, bad, hbk_store_get(scene.client, &get, &taken, NULL));
    get.flags = 0;
    get.wait_ms = 60001;
    KIT_REFUSED(&scene.mark, bad, hbk_store_get(scene.client, &get, &taken, NULL));
    put.flags = 0x10u;
    KIT_REFUSED(&scene.mark, bad, hbk_store_put(scene.client, &put, &stored, NULL));
    put.flags = 0;
    put.ttl_ms = 0x80000000u;
    KIT_REFUSED(&scene.mark, bad, hbk_store_put(scene.client, &put, &stored, NULL));
    put.ttl_ms = 0;
    put.name = "nowhere/a";
    KIT_REFUSED(&scene.mark, bad, hbk_store_put(scene.client, &put, &stored, NULL));
    KIT_REFUSED(&scene.mark, bad, hbk_store_remove(scene.client, "nowhere/a", NULL));
    KIT_REFUSED(&scene.mark, bad, hbk_store_remove(scene.client, NULL, NULL));
    KIT_REFUSED(&scene.mark, bad, hbk_store_remove_entry(scene.client, 0, NULL));
    KIT_REFUSED(&scene.mark, bad, hbk_store_list(scene.client, NULL, NULL));
    assert_null(taken);
    assert_null(list);
    hbk_taken_free(NULL);
    hbk_store_entries_free(NULL);
    assert_null(hbk_taken_take(NULL));
    assert_true(hbk_taken_take_socket(NULL) == HBK_NO_SOCKET);
    end(&scene);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(handles_that_are_none),
        KIT_TEST(the_brokers_own_values),
        KIT_TEST(words_for_other_types),
        KIT_TEST(files_that_are_called_sockets),
        KIT_TEST(rights_that_cannot_be_named),
        KIT_TEST(fields),
        KIT_TEST(names_that_are_none),
        KIT_TEST(texts_that_are_too_long),
        KIT_TEST(before_proof),
        KIT_TEST(arguments),
    };
    return cmocka_run_group_tests_name("store bad", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
