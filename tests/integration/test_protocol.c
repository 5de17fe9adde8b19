/* The lines of PROTOCOL.md, said and heard by clients of its own making: a client in another language has no
 * more than these. In what is expected, # stands for an integer, @ for text and $ for
 * all the rest. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FROM                                                                                  \
    "\"from\":{\"session\":#,\"pid\":#,\"user\":\"S-1-@\",\"integrity\":#,\"logon_session\":" \
    "\"@\"}"
#define ERROR_LINE(id, code, name)                                                        \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" name \
    "\",\"data\":{"

static bool matches(const char *line, const char *expected)
{
    while (*expected != '\0') {
        if (*expected == '$')
            return true;
        if (*expected == '#') {
            size_t size = strspn(line, "0123456789");
            if (size == 0)
                return false;
            line += size;
        } else if (*expected == '@') {
            line += strcspn(line, "\"");
        } else if (*line++ != *expected) {
            return false;
        }
        expected++;
    }
    return *line == '\0';
}

static void is_line(const char *line, const char *expected)
{
    if (!matches(line, expected))
        fail_msg("expected: %s\nfound:    %s", expected, line);
}

static void hears(struct kit_raw *raw, const char *expected)
{
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    is_line(raw->line, expected);
}

static int64_t number(const struct kit_raw *raw, const char *key)
{
    int64_t value = -1;
    if (!kit_json_number(raw->line, key, &value))
        fail_msg("no %s in: %s", key, raw->line);
    return value;
}

static struct kit_raw *listening(const char *name, const char *mode)
{
    char expected[256];
    struct kit_raw *raw = kit_raw_proven();
    kit_raw_say(
        raw,
        "{\"jsonrpc\":\"2.0\",\"id\":20,\"method\":\"endpoint.open\",\"params\":{\"name\":\"%s\","
        "\"mode\":\"%s\"}}",
        name, mode);
    (void)snprintf(expected, sizeof expected,
                   "{\"jsonrpc\":\"2.0\",\"id\":20,\"result\":{\"endpoint\":\"%s\"}}", name);
    hears(raw, expected);
    return raw;
}

/* ---- sessions ---- */

static void hello_and_prove(void **state)
{
    (void)state;
    char text[200];
    struct kit_raw *raw = kit_raw_new();
    uint64_t proof = kit_raw_hello(raw, true);
    is_line(raw->line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocol\":1,\"server\":{"
                       "\"name\":\"Handle Broker\","
                       "\"version\":\"@\"},\"session\":#,\"peer\":{\"pid\":#,\"user\":\"S-1-@\","
                       "\"logon_session\":\"@\","
                       "\"integrity\":#},\"proof\":#,\"limits\":{\"line_bytes\":65536,\"items\":64,"
                       "\"data_bytes\":8192,"
                       "\"name_bytes\":260,\"requests\":#,\"sessions_per_user\":#,\"endpoints\":#,"
                       "\"pins\":#,\"pending\":#,"
                       "\"hello_ms\":#,\"line_ms\":#,\"write_ms\":#,\"write_queue_bytes\":#}}}");
    assert_int_equal(number(raw, "pid"), GetCurrentProcessId());
    assert_true(kit_json_text(raw->line, "user", text, sizeof text));
    assert_string_equal(text, kit_user());
    assert_true(kit_json_text(raw->line, "logon_session", text, sizeof text));
    assert_int_equal(strspn(text, "0123456789abcdef"), 16);
    assert_true(kit_holds_proof(GetCurrentProcessId(), proof));
    kit_raw_say(raw, "%s", "{\"jsonrpc\":\"2.0\",\"id\":11,\"method\":\"session.prove\"}");
    hears(raw, "{\"jsonrpc\":\"2.0\",\"id\":11,\"result\":{}}");
    kit_raw_say(
        raw, "%s",
        "{\"jsonrpc\":\"2.0\",\"id\":\"\\u00e4\\\"\",\"method\":\"broker.status\",\"params\":{}}");
    hears(raw,
          "{\"jsonrpc\":\"2.0\",\"id\":\"\xc3\xa4\\\"\",\"result\":{\"server\":{\"name\":\"Handle "
          "Broker\","
          "\"version\":\"@\"},\"protocol\":1,\"state\":\"running\",\"pid\":#,\"uptime_ms\":#,"
          "\"sessions\":#,"
          "\"sessions_proven\":#,\"endpoints\":#,\"deliveries_pending\":#,\"pins\":#,\"stored\":#,"
          "\"delivered\":#,"
          "\"failed\":#,\"policy\":#,\"events_dropped\":#,\"quotas\":[$");
    assert_int_equal(number(raw, "pid"), kit_broker()->pid);
    kit_raw_say(raw, "%s",
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"handle.steal\",\"params\":{}}");
    hears(raw, ERROR_LINE("1", "-32601",
                          "method_not_found") "\"detail\":\"no method \\\"handle.steal\\\" in "
                                              "protocol version 1\"}}}");
}

/* ---- endpoints ---- */

static void open_list_and_close(void **state)
{
    (void)state;
    const char *first = kit_endpoint_name(), *second = kit_endpoint_name();
    struct kit_raw *raw = listening(first, "auto"), *other = listening(second, "ask");
    char text[64] = "", cursor[128] = "";
    int found = 0;
    /* Page by page, one at a time: each of the two comes once. */
    for (int page = 0; page < 10; page++) {
        kit_raw_ask(raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":24,\"method\":\"endpoint.list\",\"params\":{%s%s%"
                    "s\"limit\":1}}",
                    page > 0 ? "\"cursor\":\"" : "", cursor, page > 0 ? "\"," : "");
        kit_raw_is_result(raw, "24");
        if (kit_json_text(raw->line, "name", text, sizeof text) &&
            (strcmp(text, first) == 0 || strcmp(text, second) == 0)) {
            found += strcmp(text, first) == 0 ? 1 : 10;
            assert_int_equal(number(raw, "pid"), GetCurrentProcessId());
            const char *mode = strcmp(text, first) == 0 ? "auto" : "ask";
            assert_true(kit_json_text(raw->line, "mode", text, sizeof text));
            assert_string_equal(text, mode);
            assert_non_null(strstr(raw->line, "\"types\":{\"Event\":\"any\""));
        }
        if (!kit_json_text(raw->line, "next", cursor, sizeof cursor))
            break;
    }
    assert_int_equal(found, 11);
    kit_raw_say(
        other,
        "{\"jsonrpc\":\"2.0\",\"id\":21,\"method\":\"endpoint.open\",\"params\":{\"name\":\"%s\"}}",
        first);
    hears(other, ERROR_LINE("21", "4", "exists") "\"detail\":\"@\"}}}");
    kit_raw_say(raw,
                "{\"jsonrpc\":\"2.0\",\"id\":22,\"method\":\"endpoint.close\",\"params\":{\"name\":"
                "\"%s\"}}",
                first);
    hears(raw, "{\"jsonrpc\":\"2.0\",\"id\":22,\"result\":{}}");
    kit_raw_say(raw,
                "{\"jsonrpc\":\"2.0\",\"id\":23,\"method\":\"endpoint.close\",\"params\":{\"name\":"
                "\"%s\"}}",
                first);
    hears(raw, ERROR_LINE("23", "3", "not_found") "\"detail\":\"@\"}}}");
}

/* ---- hand-off ---- */

static void say_send(struct kit_raw *source, const char *name, HANDLE event, HANDLE section)
{
    kit_raw_say(source,
                "{\"jsonrpc\":\"2.0\",\"id\":30,\"method\":\"handle.send\",\"params\":{\"to\":\"%"
                "s\",\"items\":["
                "{\"handle\":%llu},{\"handle\":%llu,\"type\":\"Section\",\"access\":\"read\","
                "\"inherit\":true}],"
                "\"data\":\"frame 1\"}}",
                name, (unsigned long long)(uintptr_t)event, (unsigned long long)(uintptr_t)section);
}

static void delivered(void **state)
{
    (void)state;
    char expected[512];
    const char *name = kit_endpoint_name();
    struct kit_raw *target = listening(name, "auto"), *source = kit_raw_proven();
    HANDLE event = kit_make(KIT_EVENT), section = kit_make(KIT_SECTION);
    say_send(source, name, event, section);
    (void)snprintf(
        expected, sizeof expected,
        "{\"jsonrpc\":\"2.0\",\"method\":\"handle.delivered\",\"params\":{\"delivery\":#,"
        "\"endpoint\":\"%s\"," FROM
        ",\"items\":[{\"handle\":#,\"type\":\"Event\",\"access\":2031619,\"inherit\":false,"
        "\"protect\":false},{\"handle\":#,\"type\":\"Section\",\"access\":131077,\"inherit\":true,"
        "\"protect\":false,\"widenable\":true}],\"data\":\"frame 1\",\"revocable\":false}}",
        name);
    hears(target, expected);
    hears(
        source,
        "{\"jsonrpc\":\"2.0\",\"id\":30,\"result\":{\"delivery\":#,\"items\":[{\"type\":\"Event\","
        "\"access\":2031619},{\"type\":\"Section\",\"access\":131077}]}}");
    assert_int_equal(number(source, "delivery"), number(target, "delivery"));
    HANDLE theirs = (HANDLE)(uintptr_t)number(target, "handle");
    assert_true(SetEvent(theirs));
    assert_true(kit_is_set(event));
    /* The flag is for the target to set: the broker tells it, the handle as placed does not have it. */
    DWORD flags = HANDLE_FLAG_INHERIT;
    assert_true(GetHandleInformation(theirs, &flags));
    assert_int_equal(flags, 0);
    CloseHandle(theirs);
    const char *second = strstr(strstr(target->line, "\"handle\":") + 9, "\"handle\":") + 9;
    CloseHandle((HANDLE)(uintptr_t)strtoull(second, NULL, 10));
    CloseHandle(event);
    CloseHandle(section);
}

static void answer(struct kit_raw *target, const char *what, int64_t delivery, const char *more)
{
    kit_raw_say(target,
                "{\"jsonrpc\":\"2.0\",\"id\":40,\"method\":\"delivery.%s\",\"params\":{"
                "\"delivery\":%lld%s}}",
                what, (long long)delivery, more);
}

static void offered(void **state)
{
    (void)state;
    char expected[512];
    const char *name = kit_endpoint_name();
    struct kit_raw *target = listening(name, "ask"), *source = kit_raw_proven();
    HANDLE event = kit_make(KIT_EVENT), section = kit_make(KIT_SECTION);
    (void)snprintf(
        expected, sizeof expected,
        "{\"jsonrpc\":\"2.0\",\"method\":\"handle.offered\",\"params\":{\"delivery\":#,"
        "\"endpoint\":\"%s\"," FROM
        ",\"items\":[{\"type\":\"Event\",\"access\":2031619,\"inherit\":false,\"protect\":false},"
        "{\"type\":\"Section\",\"access\":131077,\"inherit\":true,\"protect\":false,"
        "\"widenable\":true}],"
        "\"data\":\"frame 1\",\"revocable\":false}}",
        name);
    say_send(source, name, event, section);
    hears(target, expected);
    answer(target, "accept", number(target, "delivery"), "");
    hears(target,
          "{\"jsonrpc\":\"2.0\",\"id\":40,\"result\":{\"items\":[{\"handle\":#,\"type\":\"Event\","
          "\"access\":2031619,\"inherit\":false,\"protect\":false},{\"handle\":#,\"type\":"
          "\"Section\","
          "\"access\":131077,\"inherit\":true,\"protect\":false,\"widenable\":true}]}}");
    hears(
        source,
        "{\"jsonrpc\":\"2.0\",\"id\":30,\"result\":{\"delivery\":#,\"items\":[{\"type\":\"Event\","
        "\"access\":2031619},{\"type\":\"Section\",\"access\":131077}]}}");
    assert_true(SetEvent((HANDLE)(uintptr_t)number(target, "handle")));
    assert_true(kit_is_set(event));
    say_send(source, name, event, section);
    hears(target, expected);
    int64_t delivery = number(target, "delivery");
    answer(target, "reject", delivery, ",\"reason\":\"not now\"");
    hears(target, "{\"jsonrpc\":\"2.0\",\"id\":40,\"result\":{}}");
    assert_int_equal(kit_raw_next(source, KIT_WAIT_MS), KIT_RAW_LINE);
    kit_raw_is_error(source, HBK_REJECTED, "30");
    assert_non_null(strstr(source->line, "not now"));
    answer(target, "accept", delivery, "");
    hears(target, ERROR_LINE("40", "3", "not_found") "\"detail\":\"@\"}}}");
    CloseHandle(event);
    CloseHandle(section);
}

static void gone(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    struct kit_raw *target = listening(name, "ask"), *source = kit_raw_new();
    HANDLE event = kit_make(KIT_EVENT), section = kit_make(KIT_SECTION);
    kit_raw_hello(source, true);
    int64_t session = number(source, "session");
    kit_raw_ask(source, "%s", "{\"jsonrpc\":\"2.0\",\"id\":11,\"method\":\"session.prove\"}");
    say_send(source, name, event, section);
    say_send(source, name, event, section); /* the same id again: refused, and one offer */
    assert_int_equal(kit_raw_next(target, KIT_WAIT_MS), KIT_RAW_LINE);
    int64_t delivery = number(target, "delivery");
    kit_raw_free(source);
    hears(target, "{\"jsonrpc\":\"2.0\",\"method\":\"session.gone\",\"params\":{\"session\":#}}");
    assert_int_equal(number(target, "session"), session);
    assert_int_equal(kit_raw_next(target, KIT_QUIET_MS), KIT_RAW_TIMEOUT); /* once */
    answer(target, "accept", delivery, "");
    hears(target, ERROR_LINE("40", "3", "not_found") "\"detail\":\"@\"}}}");
    CloseHandle(event);
    CloseHandle(section);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(hello_and_prove),
        KIT_TEST(open_list_and_close),
        KIT_TEST(delivered),
        KIT_TEST(offered),
        KIT_TEST(gone),
    };
    return cmocka_run_group_tests_name("protocol", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
