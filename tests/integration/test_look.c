/* What the library makes of what a broker says of itself, its sessions, its rules and its records, and what it
 * says to a broker: against a script, so that each answer is what the test wants it to be. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_LINE(SERIAL)                                                            \
    "{\"jsonrpc\":\"2.0\",\"method\":\"broker.event\",\"params\":{\"serial\":" SERIAL \
    ",\"time_ms\":1700000000000,\"event\":\"session.opened\",\"outcome\":\"done\"}}\n"

static void has(const char *line, const char *what)
{
    if (strstr(line, what) == NULL)
        fail_msg("%s is missing in: %s", what, line);
}

static void has_not(const char *line, const char *what)
{
    if (strstr(line, what) != NULL)
        fail_msg("%s stands in: %s", what, line);
}

/* ---- status ---- */

static void status_with_quotas(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "broker.status",
         .result =
             "{\"server\":{\"name\":\"s\",\"version\":\"9\"},\"protocol\":1,\"state\":\"running\","
             "\"pid\":8,\"uptime_ms\":1,\"sessions\":2,\"sessions_proven\":1,\"endpoints\":3,"
             "\"deliveries_pending\":4,\"pins\":5,\"stored\":8,\"delivered\":6,\"failed\":7,"
             "\"policy\":2,"
             "\"events_dropped\":11,\"quotas\":["
             "{\"name\":\"sessions\",\"limit\":1800,\"used\":2,\"your_limit\":900,\"yours\":1},"
             "{\"name\":\"queued_bytes\",\"limit\":134217728,\"used\":0,\"your_limit\":67108864,"
             "\"yours\":0}]}"},
    };
    struct kit_script script;
    hbk_status_info status;
    kit_script_begin(&script, steps, 1);
    hbk_client *client = kit_script_client(&script);
    assert_int_equal(hbk_status(client, &status, NULL), HBK_OK);
    assert_int_equal(status.policy, 2);
    assert_int_equal(status.events_dropped, 11);
    assert_int_equal(status.stored, 8);
    assert_int_equal(status.quotas_count, 2);
    assert_string_equal(status.quotas[0].name, "sessions");
    assert_int_equal(status.quotas[0].limit, 1800);
    assert_int_equal(status.quotas[0].used, 2);
    assert_int_equal(status.quotas[0].your_limit, 900);
    assert_int_equal(status.quotas[0].yours, 1);
    assert_string_equal(status.quotas[1].name, "queued_bytes");
    assert_int_equal(status.quotas[1].your_limit, 67108864);
    hbk_close(client);
    kit_script_end(&script);
}

/* ---- sessions ---- */

#define SESSION(ID, CLIENT)                                                            \
    "{\"session\":" ID ",\"pid\":12,\"user\":\"S-1-5-21-1\",\"integrity\":8192,"       \
    "\"logon_session\":\"00000000000003e7\",\"terminal_session\":2" CLIENT             \
    ",\"state\":\"proven\",\"since_ms\":99,\"endpoints\":1,\"requests\":2,\"pins\":3," \
    "\"queued_bytes\":4,\"sent\":5,\"received\":6}"

static void sessions_come_in_pages(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "broker.sessions",
         .result = "{\"sessions\":[" SESSION(
             "1", ",\"client\":{\"name\":\"n\",\"version\":\"v\"}") "," SESSION("2",
                                                                                "") "],\"next\":"
                                                                                    "\"c2\"}"},
        {.method = "broker.sessions", .result = "{\"sessions\":[" SESSION("3", "") "]}"},
    };
    struct kit_script script;
    hbk_session_entries *list = NULL;
    kit_script_begin(&script, steps, 2);
    hbk_client *client = kit_script_client(&script);
    assert_int_equal(hbk_session_list(client, &list, NULL), HBK_OK);
    hbk_close(client); /* which the list outlives */
    kit_script_end(&script);
    has_not(script.asked[0], "cursor");
    has(script.asked[1], "\"cursor\":\"c2\"");
    assert_int_equal(list->count, 3);
    const hbk_session_entry *entry = &list->entries[0];
    assert_int_equal(entry->session, 1);
    assert_int_equal(entry->pid, 12);
    assert_string_equal(entry->user, "S-1-5-21-1");
    assert_int_equal(entry->integrity, 8192);
    assert_int_equal(entry->logon_session, 0x3e7);
    assert_int_equal(entry->terminal_session, 2);
    assert_string_equal(entry->client_name, "n");
    assert_string_equal(entry->client_version, "v");
    assert_string_equal(entry->state, "proven");
    assert_int_equal(entry->since_ms, 99);
    assert_int_equal(entry->endpoints, 1);
    assert_int_equal(entry->requests, 2);
    assert_int_equal(entry->pins, 3);
    assert_int_equal(entry->queued_bytes, 4);
    assert_int_equal(entry->sent, 5);
    assert_int_equal(entry->received, 6);
    assert_string_equal(list->entries[1].client_name, ""); /* it has not said hello */
    assert_int_equal(list->entries[2].session, 3);
    hbk_session_entries_free(list);
}

static void metrics_as_they_are(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "broker.metrics",
         .result = "{\"text\":\"# TYPE a gauge\\na{b=\\\"c\\\"} 1\\n# EOF\\n\"}"},
        {.method = "broker.metrics", .result = "{\"text\":\"# EOF\\n\"}"},
    };
    struct kit_script script;
    char *text = NULL, *other = NULL;
    kit_script_begin(&script, steps, 2);
    hbk_client *client = kit_script_client(&script);
    assert_int_equal(hbk_metrics(NULL, &text, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_metrics(client, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_null(text);
    assert_int_equal(hbk_metrics(client, &text, NULL), HBK_OK);
    assert_int_equal(hbk_metrics(client, &other, NULL), HBK_OK);
    hbk_close(client);
    assert_string_equal(text, "# TYPE a gauge\na{b=\"c\"} 1\n# EOF\n");
    assert_string_equal(other, "# EOF\n");
    hbk_metrics_free(text);
    hbk_metrics_free(other);
    hbk_metrics_free(NULL);
    kit_script_end(&script);
}

static void who_may_not_inspect(void **state)
{
    (void)state;
#define DENIED "{\"code\":2,\"message\":\"denied\",\"data\":{\"detail\":\"verbs.inspect\"}}"
    static const struct kit_step steps[] = {
        {.method = "broker.sessions", .error = DENIED},
        {.method = "broker.watch", .error = DENIED},
        {.method = "policy.explain", .error = DENIED},
        {.method = "broker.metrics", .error = DENIED},
    };
    struct kit_script script;
    hbk_session_entries *list = NULL;
    hbk_explain_options asked = {.size = sizeof asked, .verb = "inspect"};
    hbk_explanation explanation = {.allowed = 42};
    hbk_record *record = NULL;
    hbk_error_info error = {.result = HBK_OK};
    char *metrics = NULL;
    kit_script_begin(&script, steps, 4);
    hbk_client *client = kit_script_client(&script);
    assert_int_equal(hbk_session_list(client, &list, &error), HBK_DENIED);
    assert_string_equal(error.detail, "verbs.inspect");
    assert_null(list);
    assert_int_equal(hbk_watch(client, NULL), HBK_DENIED);
    assert_int_equal(hbk_explain(client, &asked, &explanation, NULL), HBK_DENIED);
    assert_int_equal(explanation.allowed, 42); /* untouched */
    assert_int_equal(hbk_metrics(client, &metrics, &error), HBK_DENIED);
    assert_null(metrics);
    assert_int_equal(hbk_watch_receive(client, 0, &record, NULL), HBK_TIMEOUT);
    assert_null(record);
    hbk_close(client);
    kit_script_end(&script);
}

/* ---- rules ---- */

static void explanations(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "policy.explain",
         .result =
             "{\"allowed\":true,\"rule\":\"rules[2] \\\"session/*\\\"\",\"detail\":\"because\","
             "\"types\":{\"Event\":\"any\",\"Section\":\"read\",\"File\":1179785}}"},
        {.method = "policy.explain",
         .result = "{\"allowed\":false,\"rule\":\"built-in\",\"detail\":\"no rule\",\"types\":{}}"},
        {.method = "policy.explain",
         .result = "{\"allowed\":false,\"rule\":\"verbs.revoke\",\"detail\":\"not you\"}"},
    };
    struct kit_script script;
    hbk_explain_options asked = {.size = sizeof asked, .verb = "send", .name = "session/x"};
    hbk_explanation told;
    kit_script_begin(&script, steps, 3);
    hbk_client *client = kit_script_client(&script);
    asked.pid = 77;
    asked.session = 5000000000;
    assert_int_equal(hbk_explain(client, &asked, &told, NULL), HBK_OK);
    assert_int_equal(told.allowed, 1);
    assert_string_equal(told.rule, "rules[2] \"session/*\"");
    assert_string_equal(told.detail, "because");
    assert_int_equal(told.types_known, 1);
    assert_string_equal(told.types, "Event Section:read File:0x120089");
    assert_int_equal(hbk_explain(client, &asked, &told, NULL), HBK_OK);
    assert_int_equal(told.allowed, 0);
    assert_int_equal(told.types_known, 1);
    assert_string_equal(told.types, ""); /* nothing passes */
    asked = (hbk_explain_options){.size = sizeof asked, .verb = "revoke"};
    assert_int_equal(hbk_explain(client, &asked, &told, NULL), HBK_OK);
    assert_int_equal(told.types_known, 0);
    hbk_close(client);
    kit_script_end(&script);
    has(script.asked[0], "\"verb\":\"send\"");
    has(script.asked[0], "\"name\":\"session/x\"");
    has(script.asked[0], "\"pid\":77");
    has(script.asked[0], "\"session\":5000000000");
    has_not(script.asked[2], "\"name\"");
    has_not(script.asked[2], "\"pid\"");
    has_not(script.asked[2], "\"session\":");
}

/* ---- records ---- */

static void a_record_in_full(void **state)
{
    (void)state;
    static const char params[] =
        "{\"serial\":41,\"time_ms\":1700000000123,\"event\":\"handle.send\",\"outcome\":"
        "\"refused\","
        "\"correlation\":3,\"delivery\":9,\"caller\":{\"session\":1,\"pid\":2,\"user\":\"S-1-5-"
        "18\"},"
        "\"target\":{\"pid\":4},\"endpoint\":\"user/x\","
        "\"items\":[{\"type\":\"Event\",\"access\":2031619},{\"type\":\"File\",\"access\":1}],"
        "\"error\":\"denied\",\"detail\":\"a \\\"reason\\\"\",\"win32\":5,\"count\":12}";
    char after[1024];
    (void)snprintf(
        after, sizeof after,
        "{\"jsonrpc\":\"2.0\",\"method\":\"broker.event\",\"params\":%s}\n"
        "{\"jsonrpc\":\"2.0\",\"method\":\"later.news\",\"params\":{\"x\":1}}\n" EVENT_LINE("45")
            EVENT_LINE("46"),
        params);
    const struct kit_step steps[] = {{.method = "broker.watch", .result = "{}", .after = after}};
    struct kit_script script;
    hbk_record *record = NULL;
    hbk_delivery *delivery = NULL;
    kit_script_begin(&script, steps, 1);
    hbk_client *client = kit_script_client(&script);
    assert_int_equal(hbk_watch(client, NULL), HBK_OK);
    assert_int_equal(hbk_watch_receive(client, KIT_WAIT_MS, &record, NULL), HBK_OK);
    assert_int_equal(record->serial, 41);
    assert_int_equal(record->missed, 0); /* what was before we came is nothing missed */
    assert_int_equal(record->time_ms, 1700000000123);
    assert_string_equal(record->event, "handle.send");
    assert_string_equal(record->outcome, "refused");
    assert_int_equal(record->correlation, 3);
    assert_int_equal(record->delivery, 9);
    assert_int_equal(record->caller.session, 1);
    assert_int_equal(record->caller.pid, 2);
    assert_string_equal(record->caller.user, "S-1-5-18");
    assert_int_equal(record->target.session, 0);
    assert_int_equal(record->target.pid, 4);
    assert_null(record->target.user);
    assert_string_equal(record->endpoint, "user/x");
    assert_int_equal(record->count, 2);
    assert_int_equal(record->items[0].access, 2031619);
    assert_string_equal(record->items[1].type, "File");
    assert_string_equal(record->error, "denied");
    assert_string_equal(record->detail, "a \"reason\"");
    assert_int_equal(record->win32, 5);
    assert_int_equal(record->stands_for, 12);
    assert_string_equal(record->json, params);
    hbk_record_free(record);
    assert_int_equal(hbk_watch_receive(client, KIT_WAIT_MS, &record, NULL), HBK_OK);
    assert_int_equal(record->serial, 45); /* past what this library does not know */
    assert_int_equal(record->missed, 3);
    assert_null(record->endpoint);
    assert_int_equal(record->count, 0);
    hbk_record_free(record);
    assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_TIMEOUT); /* records are none */
    assert_int_equal(hbk_watch_receive(client, 0, &record, NULL), HBK_OK);
    assert_int_equal(record->missed, 0);
    hbk_close(client);
    assert_int_equal(record->serial, 46); /* it outlives its client */
    hbk_record_free(record);
    kit_script_end(&script);
}

/* Records and offers, each in their order, whatever stood between them on the line. */
static void records_and_deliveries_side_by_side(void **state)
{
    (void)state;
#define OFFER(ID, REST)                                                                          \
    "{\"jsonrpc\":\"2.0\",\"method\":\"handle.offered\",\"params\":{\"delivery\":" ID            \
    ",\"endpoint\":\"user/x\",\"from\":{\"session\":1,\"pid\":2,\"user\":\"S-1-5-18\","          \
    "\"integrity\":8192,\"logon_session\":\"00000000000003e7\"},\"items\":[{\"type\":\"Event\"," \
    "\"access\":2,\"inherit\":false,\"protect\":false" REST                                      \
    "}],\"data\":null,\"revocable\":false}}\n"
    static const struct kit_step steps[] = {
        {.method = "broker.watch",
         .result = "{}",
         .after = EVENT_LINE("1") OFFER("1", "") EVENT_LINE("2") OFFER("2", ",\"widenable\":false")
             OFFER("3", ",\"widenable\":true") OFFER("4", ",\"widenable\":\"unknown\"")
                 EVENT_LINE("3")},
    };
    static const int widenable[] = {0, HBK_WIDEN_NO, HBK_WIDEN_YES, HBK_WIDEN_UNKNOWN};
    struct kit_script script;
    hbk_record *record = NULL;
    hbk_delivery *delivery = NULL;
    kit_script_begin(&script, steps, 1);
    hbk_client *client = kit_script_client(&script);
    assert_int_equal(hbk_watch(client, NULL), HBK_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
        assert_int_equal(delivery->id, i + 1);
        assert_int_equal(delivery->items[0].widenable, widenable[i]);
        hbk_delivery_free(delivery);
    }
    for (uint64_t serial = 1; serial <= 3; serial++) {
        assert_int_equal(hbk_watch_receive(client, KIT_WAIT_MS, &record, NULL), HBK_OK);
        assert_int_equal(record->serial, serial);
        hbk_record_free(record);
    }
    assert_int_equal(hbk_watch_receive(client, 0, &record, NULL), HBK_TIMEOUT);
    hbk_close(client);
    kit_script_end(&script);
}

static void the_wait_handle_is_for_records_too(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "broker.watch", .result = "{}", .after = EVENT_LINE("1") EVENT_LINE("2")},
        {.method = "broker.watch", .result = "{}", .after = EVENT_LINE("3") OFFER("1", "")},
    };
    struct kit_script script;
    hbk_record *record = NULL;
    hbk_delivery *delivery = NULL;
    kit_script_begin(&script, steps, 2);
    hbk_client *client = kit_script_client(&script);
    HANDLE wait = hbk_wait_handle(client);
    uint64_t serial = 0;
    for (int round = 0; round < 2; round++) {
        size_t offers = 0;
        assert_int_equal(hbk_watch(client, NULL), HBK_OK);
        while (serial < (round == 0 ? 2u : 3u) || offers < (size_t)round) {
            assert_int_equal(WaitForSingleObject(wait, KIT_WAIT_MS), WAIT_OBJECT_0);
            while (hbk_receive(client, 0, &delivery, NULL) == HBK_OK) {
                offers++;
                hbk_delivery_free(delivery);
            }
            while (hbk_watch_receive(client, 0, &record, NULL) == HBK_OK) {
                assert_int_equal(record->serial, ++serial);
                hbk_record_free(record);
            }
        }
        /* May be set for a moment with nothing there, as the header says, but not for ever. */
        for (int i = 0; i < 3; i++) {
            assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_TIMEOUT);
            assert_int_equal(hbk_watch_receive(client, 0, &record, NULL), HBK_TIMEOUT);
        }
        assert_int_equal(WaitForSingleObject(wait, KIT_QUIET_MS), WAIT_TIMEOUT);
    }
    hbk_close(client);
    kit_script_end(&script);
}

/* Who watches and does not read loses records, and memory has a bound; the last tells how many. */
static void a_slow_watcher(void **state)
{
    (void)state;
    enum { RECORDS = 20000 };
    char *after = malloc(RECORDS * (sizeof EVENT_LINE("00000") + 1) + 1), *at = after;
    assert_non_null(after);
    for (int i = 1; i <= RECORDS; i++)
        at += snprintf(at, sizeof EVENT_LINE("00000") + 1, EVENT_LINE("%d"), i);
    const struct kit_step steps[] = {
        {.method = "broker.watch", .result = "{}", .after = after},
        {.method = "broker.watch", .result = "{}"},
        {.method = "broker.watch", .result = "{}", .after = EVENT_LINE("30000")},
    };
    struct kit_script script;
    hbk_record *record = NULL;
    kit_script_begin(&script, steps, 3);
    hbk_client *client = kit_script_client(&script);
    assert_int_equal(hbk_watch(client, NULL), HBK_OK);
    assert_int_equal(hbk_watch(client, NULL), HBK_OK); /* reads all that came before its answer */
    uint64_t got = 0, bytes = 0;
    while (hbk_watch_receive(client, 0, &record, NULL) == HBK_OK) {
        assert_int_equal(record->serial, ++got);
        assert_int_equal(record->missed, 0);
        bytes += strlen(record->json);
        hbk_record_free(record);
    }
    assert_true(got > 1000 && got < RECORDS); /* the first were kept, the others not */
    assert_true(bytes <= 1048576);
    assert_int_equal(hbk_watch(client, NULL), HBK_OK);
    assert_int_equal(hbk_watch_receive(client, KIT_WAIT_MS, &record, NULL), HBK_OK);
    assert_int_equal(record->serial, 30000);
    assert_int_equal(record->missed, 30000 - got - 1);
    hbk_record_free(record);
    hbk_close(client);
    kit_script_end(&script);
    free(after);
}

/* ---- what goes out ---- */

static void to_a_process_and_from_somebody(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "handle.send",
         .result = "{\"delivery\":1,\"items\":[{\"type\":\"Event\",\"access\":2}]}"},
        {.method = "endpoint.open", .result = "{\"endpoint\":\"global/y\"}"},
        {.method = "endpoint.open", .result = "{\"endpoint\":\"user/z\"}"},
    };
    struct kit_script script;
    HANDLE event = kit_make(KIT_EVENT);
    hbk_send_item item = {.handle = event};
    hbk_send_options send = {.size = sizeof send, .to = "user/x", .items = &item, .count = 1};
    hbk_endpoint_options open = {
        .size = sizeof open, .name = "global/y", .from = "D:(A;;0x2;;;S-1-5-18)"};
    kit_script_begin(&script, steps, 3);
    hbk_client *client = kit_script_client(&script);
    send.to_pid = 77;
    assert_int_equal(hbk_send(client, &send, NULL, NULL), HBK_OK);
    assert_int_equal(hbk_endpoint_open(client, &open, NULL), HBK_OK);
    open = (hbk_endpoint_options){.size = sizeof open, .name = "user/z"};
    assert_int_equal(hbk_endpoint_open(client, &open, NULL), HBK_OK);
    hbk_close(client);
    kit_script_end(&script);
    has(script.asked[0], "\"to\":{\"name\":\"user/x\",\"pid\":77}");
    has(script.asked[1], "\"from\":\"D:(A;;0x2;;;S-1-5-18)\"");
    has(script.asked[1], "\"name\":\"global/y\"");
    has_not(script.asked[2], "\"from\"");
    CloseHandle(event);
}

/* A program that was built with the first header has shorter structures, and anything behind them. */
static void shorter_structures_of_older_programs(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "handle.send",
         .result = "{\"delivery\":1,\"items\":[{\"type\":\"Event\",\"access\":2}]}"},
        {.method = "endpoint.open", .result = "{\"endpoint\":\"user/z\"}"},
    };
    struct kit_script script;
    const size_t send_first = sizeof(void *) == 8 ? 64 : 36,
                 open_first = sizeof(void *) == 8 ? 48 : 24;
    HANDLE event = kit_make(KIT_EVENT);
    hbk_send_item item = {.handle = event};
    hbk_send_options send;
    hbk_endpoint_options open;
    memset(&send, 0, sizeof send);
    memset((char *)&send + send_first, 0xFF, sizeof send - send_first);
    send.size = send_first;
    send.to = "user/x";
    send.items = &item;
    send.count = 1;
    send.flags = 0xFFFFFFFF; /* padding in that program */
    memset(&open, 0, sizeof open);
    memset((char *)&open + open_first, 0xFF, sizeof open - open_first);
    open.size = open_first;
    open.name = "user/z";
    assert_true(send_first < sizeof send && open_first < sizeof open);
    kit_script_begin(&script, steps, 2);
    hbk_client *client = kit_script_client(&script);
    assert_int_equal(hbk_send(client, &send, NULL, NULL), HBK_OK);
    assert_int_equal(hbk_endpoint_open(client, &open, NULL), HBK_OK);
    send.size = sizeof send + 8; /* of a header that is newer than the library */
    assert_int_equal(hbk_send(client, &send, NULL, NULL), HBK_INVALID_ARGUMENT);
    send.size = send_first - 4;
    assert_int_equal(hbk_send(client, &send, NULL, NULL), HBK_INVALID_ARGUMENT);
    open.size = open_first + 4;
    assert_int_equal(hbk_endpoint_open(client, &open, NULL), HBK_INVALID_ARGUMENT);
    hbk_close(client);
    kit_script_end(&script);
    has(script.asked[0], "\"to\":\"user/x\"");
    has_not(script.asked[1], "\"from\"");
    CloseHandle(event);
}

static void arguments(void **state)
{
    (void)state;
    static char much[2050];
    memset(much, 'D', sizeof much - 1);
    struct kit_script script;
    kit_script_begin(&script, NULL, 0);
    hbk_client *client = kit_script_client(&script);
    hbk_session_entries *list = NULL;
    hbk_record *record = NULL;
    hbk_explanation told;
    const hbk_explain_options good = {.size = sizeof good, .verb = "send", .name = "user/x"};
    hbk_explain_options bad[6];
    for (size_t i = 0; i < 6; i++)
        bad[i] = good;
    bad[0].size--;
    bad[1].verb = NULL;
    bad[2].verb = "";
    bad[3].verb = "a-verb-that-is-far-too-long";
    bad[4].name = "no-scope";
    bad[5].session = 9007199254740992u;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(hbk_explain(client, &bad[i], &told, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_explain(NULL, &good, &told, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_explain(client, NULL, &told, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_explain(client, &good, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_session_list(NULL, &list, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_session_list(client, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_watch(NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_watch_receive(NULL, 0, &record, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_watch_receive(client, 0, NULL, NULL), HBK_INVALID_ARGUMENT);
    hbk_endpoint_options open = {.size = sizeof open, .name = "user/x", .from = ""};
    assert_int_equal(hbk_endpoint_open(client, &open, NULL), HBK_INVALID_ARGUMENT);
    open.from = much;
    assert_int_equal(hbk_endpoint_open(client, &open, NULL), HBK_INVALID_ARGUMENT);
    open.from = "\xC3";
    assert_int_equal(hbk_endpoint_open(client, &open, NULL), HBK_INVALID_ARGUMENT);
    /* Had one of them been sent, this would be answered so: the connection is as it was. */
    assert_int_equal(hbk_explain(client, &good, &told, NULL), HBK_METHOD_NOT_FOUND);
    hbk_session_entries_free(NULL);
    hbk_record_free(NULL);
    assert_true(list == NULL && record == NULL);
    hbk_close(client);
    kit_script_end(&script);
}

/* ---- lines of the audit file ---- */

static void a_record_is_read(void **state)
{
    (void)state;
    static const char line[] =
        "{\"serial\":7,\"time_ms\":1700000000000,\"event\":\"handle.send\",\"outcome\":\"done\","
        "\"caller\":{\"session\":1,\"pid\":4,\"user\":\"S-1-5-19\"},\"target\":{\"session\":2,"
        "\"pid\":8,\"user\":\"S-1-5-18\"},\"endpoint\":\"user/a\","
        "\"items\":[{\"type\":\"Event\",\"access\":2}]}";
    static char text[65537];
    hbk_record *record = NULL;
    hbk_error_info error;
    assert_int_equal(hbk_record_read(line, sizeof line - 1, &record, &error), HBK_OK);
    assert_int_equal(record->serial, 7);
    assert_int_equal(record->caller.pid, 4);
    assert_string_equal(record->target.user, "S-1-5-18");
    assert_string_equal(record->endpoint, "user/a");
    assert_int_equal(record->count, 1);
    assert_string_equal(record->json, line);
    hbk_record_free(record);
    record = NULL;
    static const struct {
        const char *line;
        hbk_result result;
    } bad[] = {
        {"", HBK_PARSE_ERROR},
        {"{}", HBK_INVALID_PARAMS},
        {"{\"serial\":1,\"time_ms\":1,\"event\":\"x\",\"outcome\":\"done\"},\"id\":1",
         HBK_PARSE_ERROR},
        {"{\"serial\":1,\"time_ms\":1,\"event\":\"x\"}", HBK_INVALID_PARAMS},
        {"{\"serial\":1,\"time_ms\":-1,\"event\":\"x\",\"outcome\":\"done\"}", HBK_INVALID_PARAMS},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const size_t size = strlen(bad[i].line);
        assert_int_equal(hbk_record_read(bad[i].line, size, &record, &error), bad[i].result);
        assert_int_equal(error.result, bad[i].result);
        assert_null(record);
    }
    memset(text, ' ', 65536);
    memcpy(text, line, sizeof line - 1);
    assert_int_equal(hbk_record_read(text, 65536, &record, &error), HBK_PARSE_ERROR);
    assert_int_equal(hbk_record_read(text, 60000, &record, &error), HBK_OK);
    hbk_record_free(record);
    assert_int_equal(hbk_record_read(NULL, 0, &record, &error), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_record_read(line, sizeof line - 1, NULL, &error), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_record_read("{", 1, &record, NULL), HBK_PARSE_ERROR);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(status_with_quotas),
        KIT_TEST(sessions_come_in_pages),
        KIT_TEST(metrics_as_they_are),
        KIT_TEST(who_may_not_inspect),
        KIT_TEST(explanations),
        KIT_TEST(a_record_in_full),
        KIT_TEST(records_and_deliveries_side_by_side),
        KIT_TEST(the_wait_handle_is_for_records_too),
        KIT_TEST(a_slow_watcher),
        KIT_TEST(to_a_process_and_from_somebody),
        KIT_TEST(shorter_structures_of_older_programs),
        KIT_TEST(arguments),
        KIT_TEST(a_record_is_read),
    };
    return cmocka_run_group_tests_name("look", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
