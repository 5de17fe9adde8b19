/* hbctl as people and scripts use it: two of them hand an open file over, and what they print, in words and
 * in JSON, with which exit codes. */
#include "script.h"

#include "json.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define RUN_MS 20000u

enum { DONE = 0, REFUSED = 1, USAGE = 2, UNAVAILABLE = 3, TOO_LATE = 4 };

static struct kit_output output;

/* What has to be said to reach the broker under test: nothing, if it is the service. */
static const wchar_t *reach(void)
{
    static wchar_t options[128];
    options[0] = L'\0';
    if (kit_broker()->pipe != NULL)
        (void)swprintf(options, 128, L"--pipe %ls --unverified", kit_broker()->pipe);
    return options;
}

static void run_anywhere(int expected, const wchar_t *arguments)
{
    kit_run(&output, RUN_MS, L"\"%ls\" %ls", kit_tool(L"hbctl.exe"), arguments);
    if ((int)output.code != expected)
        fail_msg("hbctl %ls: exit code %lu, not %d\n%s\n%s", arguments, output.code, expected,
                 output.out, output.err);
}

static void run(int expected, const wchar_t *arguments)
{
    wchar_t line[1024];
    (void)swprintf(line, 1024, L"%ls %ls", arguments, reach());
    run_anywhere(expected, line);
}

static void says(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("\"%s\" is missing in: %s", what, text);
}

static void is_json(const char *text)
{
    /* Each line is an object of the same strict profile as the protocol's. */
    struct hbk_error error;
    assert_true(text[0] != '\0');
    while (*text != '\0') {
        size_t size = strcspn(text, "\r\n");
        if (hbk_json_check((struct hbk_text){text, size}, &error) != 0)
            fail_msg("no JSON (%s): %s", error.detail, text);
        text += size;
        text += strspn(text, "\r\n");
    }
}

/* A receiver in the background, that listens at @name when this returns. */
struct receiver {
    HANDLE process;
    wchar_t out[MAX_PATH], err[MAX_PATH];
    char text[16384];
};

static void begin_receive(struct receiver *receiver, const char *name, const wchar_t *options)
{
    wchar_t line[512];
    hbk_endpoint_entries *entries = NULL;
    hbk_client *client = kit_client();
    kit_temp(receiver->out, MAX_PATH);
    kit_temp(receiver->err, MAX_PATH);
    (void)swprintf(line, 512, L"\"%ls\" receive %hs %ls %ls", kit_tool(L"hbctl.exe"), name, options,
                   reach());
    receiver->process = kit_spawn_log(line, 0, receiver->out, receiver->err, NULL);
    bool found = false;
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; !found && kit_now_ms() < end; Sleep(20)) {
        assert_int_equal(hbk_endpoint_list(client, &entries, NULL), HBK_OK);
        for (size_t i = 0; i < entries->count; i++)
            found = found || strcmp(entries->entries[i].name, name) == 0;
        hbk_endpoint_entries_free(entries);
    }
    assert_true(found);
    kit_close(client);
}

static void end_receive(struct receiver *receiver, int expected)
{
    DWORD code = kit_wait_exit(receiver->process, RUN_MS);
    kit_file_read(receiver->out, receiver->text, sizeof receiver->text);
    if ((int)code != expected) {
        char text[2048];
        kit_file_read(receiver->err, text, sizeof text);
        fail_msg("hbctl receive: exit code %lu, not %d: %s", code, expected, text);
    }
    kit_forget(receiver->process);
    kit_temp_remove(receiver->out);
    kit_temp_remove(receiver->err);
}

static void make_file(wchar_t *ret_path, const char *text)
{
    kit_temp(ret_path, MAX_PATH);
    kit_file_write(ret_path, text, strlen(text));
}

static void send_file(int expected, const char *name, const wchar_t *path, const wchar_t *options)
{
    wchar_t line[1024];
    (void)swprintf(line, 1024, L"send %hs --file \"%ls\" %ls", name, path, options);
    run(expected, line);
}

/* ---- handing a file over by hand ---- */

static void two_shells_hand_over_a_file(void **state)
{
    (void)state;
    static const char text[] = "the contents\nof the file, \xc3\xa4\n";
    struct receiver receiver;
    wchar_t path[MAX_PATH];
    const char *name = kit_endpoint_name();
    make_file(path, text);
    begin_receive(&receiver, name, L"--print");
    send_file(DONE, name, path, L"--data \"for you\"");
    says(output.out, "delivered");
    says(output.out, "File");
    end_receive(&receiver, DONE);
    assert_string_equal(receiver.text, text); /* byte for byte, and nothing else */
    kit_temp_remove(path);
}

static void into_a_file_and_in_json(void **state)
{
    (void)state;
    struct receiver receiver;
    wchar_t path[MAX_PATH], copy[MAX_PATH], options[MAX_PATH + 32];
    char text[64];
    int64_t number = 0;
    const char *name = kit_endpoint_name();
    make_file(path, "for the copy");
    kit_temp(copy, MAX_PATH);
    (void)swprintf(options, MAX_PATH + 32, L"--json --output \"%ls\"", copy);
    begin_receive(&receiver, name, options);
    send_file(DONE, name, path, L"--json --access read --data \"a \\\"quoted\\\" word\"");
    is_json(output.out);
    assert_true(kit_json_number(output.out, "delivery", &number) && number > 0);
    assert_true(kit_json_text(output.out, "type", text, sizeof text));
    assert_string_equal(text, "File");
    assert_true(kit_json_number(output.out, "access", &number));
    assert_int_equal(number, 0x120089);
    end_receive(&receiver, DONE);
    is_json(receiver.text);
    says(receiver.text, "\"data\":\"a \\\"quoted\\\" word\"");
    assert_true(kit_json_text(receiver.text, "endpoint", text, sizeof text));
    assert_string_equal(text, name);
    kit_file_read(copy, text, sizeof text);
    assert_string_equal(text, "for the copy");
    kit_temp_remove(path);
    kit_temp_remove(copy);
}

static void offered_and_answered_no(void **state)
{
    (void)state;
    struct receiver receiver;
    wchar_t path[MAX_PATH];
    const char *name = kit_endpoint_name();
    make_file(path, "x");
    begin_receive(&receiver, name, L"--ask"); /* its standard input is empty: no */
    send_file(REFUSED, name, path, L"");
    says(output.err, "rejected");
    end_receive(&receiver, DONE);
    kit_temp_remove(path);
}

/* ---- what goes wrong ---- */

static void sending_to_nobody(void **state)
{
    (void)state;
    struct kit_mark mark;
    wchar_t path[MAX_PATH];
    char word[64];
    int64_t code = 0;
    make_file(path, "x");
    kit_mark(&mark, 0);
    send_file(REFUSED, "user/test/nobody", path, L"");
    says(output.err, "not_found");
    says(output.err, "--wait"); /* what to do */
    assert_string_equal(output.out, "");
    send_file(TOO_LATE, "user/test/nobody", path, L"--wait 200");
    says(output.err, "timeout");
    send_file(REFUSED, "global/test", path, L"");
    says(output.err, "denied");
    send_file(REFUSED, "user/test/nobody", path, L"--json");
    is_json(output.err);
    assert_true(kit_json_text(output.err, "name", word, sizeof word));
    assert_string_equal(word, "not_found");
    assert_true(kit_json_number(output.err, "exit_code", &code) && code == REFUSED);
    kit_unchanged(&mark);
    kit_temp_remove(path);
}

static void rights_and_types(void **state)
{
    (void)state;
    struct receiver receiver;
    wchar_t path[MAX_PATH];
    const char *name = kit_endpoint_name();
    make_file(path, "y");
    begin_receive(&receiver, name, L"--print --timeout 20000");
    send_file(REFUSED, name, path, L"--access 0x2"); /* it was opened to read */
    says(output.err, "access_exceeds_source");
    says(output.err, "--write");
    send_file(REFUSED, name, path, L"--type Event");
    says(output.err, "type_mismatch");
    send_file(DONE, name, path, L"--write --access 0x3");
    end_receive(&receiver, DONE);
    assert_string_equal(receiver.text, "y");
    kit_temp_remove(path);
}

static void receiving_for_nothing(void **state)
{
    (void)state;
    struct kit_mark mark;
    wchar_t line[128];
    const char *name = kit_endpoint_name();
    struct receiver receiver;
    kit_mark(&mark, 0);
    (void)swprintf(line, 128, L"receive %hs --timeout 200", name);
    run(TOO_LATE, line);
    says(output.err, "timeout");
    run(REFUSED, L"receive session/test --timeout 200");
    says(output.err, "denied");
    begin_receive(&receiver, name, L"--timeout 5000");
    run(REFUSED, line);
    says(output.err, "exists");
    kit_forget(receiver.process);
    kit_unchanged(&mark);
}

static void wrong_command_lines(void **state)
{
    (void)state;
    static const wchar_t *const lines[] = {
        L"",
        L"no-such-command",
        L"--no-such-option",
        L"status extra",
        L"status --file x",
        L"send",
        L"send user/x",
        L"send --file x",
        L"send user/x --file",
        L"send user/x --file no-such-file",
        L"send user/x user/y --file x",
        L"send user/x --file x --access write",
        L"send user/x --file x --wait -1",
        L"send user/x --file x --wait 60001",
        L"send user/x --file x --wait 1s",
        L"receive",
        L"receive user/x --count",
        L"receive user/x --count many",
        L"receive user/x --print --json",
        L"receive user/x --output no-such-folder\\file",
        L"status --pipe other",
        L"status --unverified",
        L"sessions extra",
        L"metrics extra",
        L"explain",
        L"explain send user/x user/y",
        L"explain send user/x --session -1",
        L"explain send user/x --session 9007199254740992",
        L"explain send user/x --pid me",
        L"watch extra",
        L"watch --count many",
        L"send user/x --file x --pid 4294967296",
        L"receive user/x --from",
    };
    struct kit_mark mark;
    kit_mark(&mark, 0);
    run(USAGE, L"receive no-scope --timeout 100");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_anywhere(USAGE, lines[i]);
        says(output.err, "hbctl"); /* and never nothing */
        assert_string_equal(output.out, "");
    }
    kit_unchanged(&mark);
}

/* ---- looking ---- */

static void status_in_words_and_in_json(void **state)
{
    (void)state;
    int64_t number = 0;
    char word[64];
    run(DONE, L"status");
    says(output.out, "running");
    assert_string_equal(output.err, "");
    run(DONE, L"status --json");
    is_json(output.out);
    assert_true(kit_json_number(output.out, "pid", &number));
    assert_int_equal(number, kit_broker()->pid);
    assert_true(kit_json_text(output.out, "state", word, sizeof word));
    assert_string_equal(word, "running");
}

static void endpoints_in_words_and_in_json(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    hbk_type_accept types[] = {{"Section", HBK_ACCESS_READ}};
    hbk_endpoint_options endpoint = {
        .size = sizeof endpoint, .name = name, .flags = HBK_ENDPOINT_ASK};
    endpoint.types = types;
    endpoint.types_count = 1;
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
    run(DONE, L"endpoints");
    says(output.out, name);
    says(output.out, "ask");
    says(output.out, "Section");
    run(DONE, L"endpoints --json");
    is_json(output.out);
    says(output.out, name);
    kit_close(client);
    run(DONE, L"endpoints");
    assert_null(strstr(output.out, name));
}

static void help_and_version(void **state)
{
    (void)state;
    static const wchar_t *const lines[] = {
        L"--help",          L"status --help",  L"endpoints --help",
        L"sessions --help", L"metrics --help", L"watch --help",
        L"explain --help",  L"send --help",    L"receive --help"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_anywhere(DONE, lines[i]);
        says(output.out, "hbctl");
        assert_string_equal(output.err, "");
    }
    run_anywhere(DONE, L"--version");
    says(output.out, hbk_version());
}

static void a_broker_in_the_console(void **state)
{
    (void)state;
    struct kit_broker broker;
    wchar_t line[256];
    int64_t pid = 0;
    kit_console_start(&broker, NULL);
    (void)swprintf(line, 256, L"status --json --pipe %ls --unverified", broker.pipe);
    run_anywhere(DONE, line);
    assert_true(kit_json_number(output.out, "pid", &pid));
    assert_int_equal(pid, broker.pid);
    kit_console_stop(&broker);
    run_anywhere(UNAVAILABLE, line);
    is_json(output.err);
    says(output.err, "unavailable");
}

/* ---- what takes rules, other users or load: against a script ---- */

static void run_script(struct kit_script *script, const struct kit_step *steps, size_t count,
                       int expected, const wchar_t *arguments)
{
    wchar_t line[1024];
    kit_script_begin(script, steps, count);
    (void)swprintf(line, 1024, L"%ls --pipe %ls --unverified", arguments, script->pipe);
    run_anywhere(expected, line);
    kit_script_end(script);
}

static void sessions_in_words_and_in_json(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "broker.sessions",
         .result =
             "{\"sessions\":[{\"session\":17,\"pid\":4711,\"user\":\"S-1-5-18\",\"integrity\":"
             "16384,"
             "\"logon_session\":\"00000000000003e7\",\"terminal_session\":0,"
             "\"client\":{\"name\":\"evil\\u001b[2J\",\"version\":\"2\"},\"state\":\"proven\","
             "\"since_ms\":61000,\"endpoints\":1,\"requests\":2,\"pins\":3,\"queued_bytes\":4,"
             "\"sent\":5,\"received\":6}]}"},
    };
    static const struct kit_step denied[] = {
        {.method = "broker.sessions",
         .error = "{\"code\":2,\"message\":\"denied\",\"data\":{\"detail\":\"not you\"}}"},
    };
    struct kit_script script;
    int64_t number = 0;
    run_script(&script, steps, 1, DONE, L"sessions");
    says(output.out, "4711");
    says(output.out, "proven");
    says(output.out, "1 min 01 s");
    says(output.out, "evil?[2J 2"); /* nothing that steers the console */
    assert_null(strchr(output.out, 0x1B));
    run_script(&script, steps, 1, DONE, L"sessions --json");
    is_json(output.out);
    assert_true(kit_json_number(output.out, "session", &number) && number == 17);
    says(output.out, "\"queued_bytes\":4");
    run_script(&script, denied, 1, REFUSED, L"sessions");
    says(output.err, "denied");
    says(output.err, "administrator"); /* what to do */
    assert_string_equal(output.out, "");
}

static void explains_and_exits_by_the_answer(void **state)
{
    (void)state;
    static const struct kit_step yes[] = {
        {.method = "policy.explain",
         .result =
             "{\"allowed\":true,\"rule\":\"rules[2] \\\"session/*\\\"\",\"detail\":\"it says so\","
             "\"types\":{\"Event\":\"any\",\"Section\":\"read\"}}"},
    };
    static const struct kit_step no[] = {
        {.method = "policy.explain",
         .result =
             "{\"allowed\":false,\"rule\":\"built-in: global/ is nobody's\",\"detail\":\"add a "
             "rule\",\"types\":{}}"},
    };
    struct kit_script script;
    run_script(&script, yes, 1, DONE, L"explain send session/x --pid 77 --session 5000000000");
    says(output.out, "send session/x of process 77 by session 5000000000: allowed");
    says(output.out, "rules[2] \"session/*\"");
    says(output.out, "it says so");
    says(output.out, "Event Section:read");
    says(script.asked[0], "\"pid\":77");
    says(script.asked[0], "\"session\":5000000000");
    run_script(&script, no, 1, REFUSED, L"explain open global/x");
    says(output.out, "refused");
    says(output.out, "built-in");
    says(output.out, "none may pass");
    run_script(&script, no, 1, REFUSED, L"explain --json open global/x");
    is_json(output.out);
    says(output.out, "\"allowed\":false");
    run_script(&script, yes, 1, DONE, L"explain inspect");
    assert_null(strstr(script.asked[0], "\"name\""));
}

#define WATCH_LINE(SERIAL, REST)                                                      \
    "{\"jsonrpc\":\"2.0\",\"method\":\"broker.event\",\"params\":{\"serial\":" SERIAL \
    ",\"time_ms\":1700000000123,\"event\":\"handle.send\",\"outcome\":\"refused\"" REST "}}\n"

static const struct kit_step watched[] = {
    {.method = "broker.watch",
     .result = "{}",
     .after = WATCH_LINE(
         "5",
         ",\"caller\":{\"session\":1,\"pid\":4711,\"user\":\"S-1-5-18\"},\"endpoint\":\"user/x\","
         "\"items\":[{\"type\":\"Event\",\"access\":2}],\"error\":\"denied\","
         "\"detail\":\"line one\\nline two\",\"count\":3") WATCH_LINE("9", "")},
};

static void watches(void **state)
{
    (void)state;
    static const struct kit_step quota[] = {
        {.method = "broker.watch",
         .error = "{\"code\":13,\"message\":\"quota\",\"data\":{\"detail\":\"16 watch\","
                  "\"limit\":\"watchers\"}}"},
    };
    struct kit_script script;
    run_script(&script, watched, 1, DONE, L"watch --count 2");
    says(output.out, ":20.123  "); /* 22:13:20.123 UTC, in whatever zone this is */
    says(output.out,
         "handle.send  refused  user/x  by process 4711 of S-1-5-18  Event:0x2  denied");
    says(output.out, "3 times  line one?line two\n"); /* one record, one line */
    says(output.err, "3 records are missing");
    run_script(&script, watched, 1, DONE, L"watch --count 2 --json");
    is_json(output.out);
    says(output.out, "{\"serial\":5,");
    says(output.out, "{\"serial\":9,");
    says(output.out, "\"detail\":\"line one\\nline two\"");
    run_script(&script, watched, 1, TOO_LATE, L"watch --count 3 --timeout 300");
    says(output.err, "timeout");
    run_script(&script, quota, 1, REFUSED, L"watch --timeout 300");
    says(output.err, "watchers");
    assert_string_equal(output.out, "");
}

static void quotas_rules_and_losses(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "broker.status",
         .result =
             "{\"server\":{\"name\":\"s\",\"version\":\"9\"},\"protocol\":1,\"state\":\"running\","
             "\"pid\":8,\"uptime_ms\":1,\"sessions\":2,\"sessions_proven\":1,\"endpoints\":3,"
             "\"deliveries_pending\":4,\"pins\":5,\"stored\":8,\"delivered\":6,\"failed\":7,"
             "\"policy\":2,"
             "\"events_dropped\":11,\"quotas\":[{\"name\":\"pins\",\"limit\":65536,\"used\":5,"
             "\"your_limit\":32766,\"yours\":3}]}"},
    };
    struct kit_script script;
    run_script(&script, steps, 1, DONE, L"status");
    says(output.out, "loaded 2 times");
    says(output.out, "11 were dropped");
    says(output.out, "stored      8 entries");
    says(output.out, "pins   5     65536  3      32766");
    run_script(&script, steps, 1, DONE, L"status --json");
    is_json(output.out);
    says(output.out,
         "\"quotas\":[{\"name\":\"pins\",\"limit\":65536,\"used\":5,\"your_limit\":32766,"
         "\"yours\":3}]");
    says(output.out, "\"events_dropped\":11");
    says(output.out, "\"stored\":8");
}

static void to_a_process_and_from_somebody(void **state)
{
    (void)state;
    static const struct kit_step sent[] = {
        {.method = "handle.send",
         .result = "{\"delivery\":1,\"items\":[{\"type\":\"File\",\"access\":1179785}]}"},
    };
    static const struct kit_step denied[] = {
        {.method = "handle.send",
         .error = "{\"code\":2,\"message\":\"denied\",\"data\":{\"detail\":\"not there\"}}"},
    };
    static const struct kit_step opened[] = {
        {.method = "endpoint.open",
         .result = "{\"endpoint\":\"user/x\"}",
         .after = "{\"jsonrpc\":\"2.0\",\"method\":\"handle.offered\",\"params\":{\"delivery\":3,"
                  "\"endpoint\":\"user/x\",\"from\":{\"session\":1,\"pid\":2,\"user\":\"S-1-5-18\","
                  "\"integrity\":8192,\"logon_session\":\"00000000000003e7\"},\"items\":[{\"type\":"
                  "\"Event\",\"access\":2,\"inherit\":false,\"protect\":false,\"widenable\":true},"
                  "{\"type\":\"File\",\"access\":1,\"inherit\":false,\"protect\":false,"
                  "\"widenable\":\"unknown\"}],\"data\":null,\"revocable\":false}}\n"},
    };
    struct kit_script script;
    wchar_t path[MAX_PATH], line[MAX_PATH + 64];
    make_file(path, "x");
    (void)swprintf(line, MAX_PATH + 64, L"send user/x --pid 77 --file \"%ls\"", path);
    run_script(&script, sent, 1, DONE, line);
    says(script.asked[0], "\"to\":{\"name\":\"user/x\",\"pid\":77}");
    run_script(&script, denied, 1, REFUSED, line);
    says(output.err, "hbctl explain"); /* what to do */
    run_script(&script, opened, 1, DONE, L"receive user/x --ask --from D:(A;;0x2;;;S-1-5-18)");
    says(script.asked[0], "\"from\":\"D:(A;;0x2;;;S-1-5-18)\"");
    says(output.out, "WIDENABLE");
    says(output.out, "-       yes");
    says(output.out, "-       unknown");
    run_script(&script, opened, 1, DONE, L"receive user/x --ask --json");
    is_json(output.out);
    says(output.out, "\"widenable\":true");
    says(output.out, "\"widenable\":\"unknown\"");
    kit_temp_remove(path);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(two_shells_hand_over_a_file),
        KIT_TEST(into_a_file_and_in_json),
        KIT_TEST(offered_and_answered_no),
        KIT_TEST(sending_to_nobody),
        KIT_TEST(rights_and_types),
        KIT_TEST(receiving_for_nothing),
        KIT_TEST(wrong_command_lines),
        KIT_TEST(status_in_words_and_in_json),
        KIT_TEST(endpoints_in_words_and_in_json),
        KIT_TEST(help_and_version),
        KIT_TEST(a_broker_in_the_console),
        KIT_TEST(sessions_in_words_and_in_json),
        KIT_TEST(explains_and_exits_by_the_answer),
        KIT_TEST(watches),
        KIT_TEST(quotas_rules_and_losses),
        KIT_TEST(to_a_process_and_from_somebody),
    };
    return cmocka_run_group_tests_name("hbctl", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
