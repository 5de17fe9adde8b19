/* hbctl as people and scripts use it: two of them hand an open file over, and what they print, in words and
 * in JSON, with which exit codes. */
#include "script.h"
#include "tool.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

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
                   kit_reach());
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
    DWORD code = kit_wait_exit(receiver->process, KIT_HBCTL_MS);
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
    kit_hbctl(expected, L"send %hs --file \"%ls\" %ls", name, path, options);
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
    send_file(KIT_DONE, name, path, L"--data \"for you\"");
    kit_says(kit_said.out, "delivered");
    kit_says(kit_said.out, "File");
    end_receive(&receiver, KIT_DONE);
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
    send_file(KIT_DONE, name, path, L"--json --access read --data \"a \\\"quoted\\\" word\"");
    kit_is_json(kit_said.out);
    assert_true(kit_json_number(kit_said.out, "delivery", &number) && number > 0);
    assert_true(kit_json_text(kit_said.out, "type", text, sizeof text));
    assert_string_equal(text, "File");
    assert_true(kit_json_number(kit_said.out, "access", &number));
    assert_int_equal(number, 0x120089);
    end_receive(&receiver, KIT_DONE);
    kit_is_json(receiver.text);
    kit_says(receiver.text, "\"data\":\"a \\\"quoted\\\" word\"");
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
    send_file(KIT_REFUSED, name, path, L"");
    kit_says(kit_said.err, "rejected");
    end_receive(&receiver, KIT_DONE);
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
    send_file(KIT_REFUSED, "user/test/nobody", path, L"");
    kit_says(kit_said.err, "not_found");
    kit_says(kit_said.err, "--wait"); /* what to do */
    assert_string_equal(kit_said.out, "");
    send_file(KIT_TOO_LATE, "user/test/nobody", path, L"--wait 200");
    kit_says(kit_said.err, "timeout");
    send_file(KIT_REFUSED, "global/test", path, L"");
    kit_says(kit_said.err, "denied");
    send_file(KIT_REFUSED, "user/test/nobody", path, L"--json");
    kit_is_json(kit_said.err);
    assert_true(kit_json_text(kit_said.err, "name", word, sizeof word));
    assert_string_equal(word, "not_found");
    assert_true(kit_json_number(kit_said.err, "exit_code", &code) && code == KIT_REFUSED);
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
    send_file(KIT_REFUSED, name, path, L"--access 0x2"); /* it was opened to read */
    kit_says(kit_said.err, "access_exceeds_source");
    kit_says(kit_said.err, "--write");
    send_file(KIT_REFUSED, name, path, L"--type Event");
    kit_says(kit_said.err, "type_mismatch");
    send_file(KIT_DONE, name, path, L"--write --access 0x3");
    end_receive(&receiver, KIT_DONE);
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
    kit_hbctl(KIT_TOO_LATE, L"%ls", line);
    kit_says(kit_said.err, "timeout");
    kit_hbctl(KIT_REFUSED, L"receive session/test --timeout 200");
    kit_says(kit_said.err, "denied");
    begin_receive(&receiver, name, L"--timeout 5000");
    kit_hbctl(KIT_REFUSED, L"%ls", line);
    kit_says(kit_said.err, "exists");
    kit_forget(receiver.process);
    kit_unchanged(&mark);
}

static void wrong_command_lines(void **state)
{
    (void)state;
    static const wchar_t *const lines[] = {
        L"",
        L"no-such-command",
        L"help no-such-command",
        L"put user/x --file x",
        L"store",
        L"store no-such-command",
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
    kit_hbctl(KIT_USAGE, L"receive no-scope --timeout 100");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        kit_hbctl_at(NULL, KIT_USAGE, L"%ls", lines[i]);
        if (wcsstr(lines[i], L"--json") != NULL)
            kit_is_json(kit_said.err);
        else
            kit_says(kit_said.err, "hbctl"); /* and never nothing */
        assert_string_equal(kit_said.out, "");
    }
    kit_unchanged(&mark);
}

/* ---- looking ---- */

static void status_in_words_and_in_json(void **state)
{
    (void)state;
    int64_t number = 0;
    char word[64];
    kit_hbctl(KIT_DONE, L"status");
    kit_says(kit_said.out, "running");
    assert_string_equal(kit_said.err, "");
    kit_hbctl(KIT_DONE, L"status --json");
    kit_is_json(kit_said.out);
    assert_true(kit_json_number(kit_said.out, "pid", &number));
    assert_int_equal(number, kit_broker()->pid);
    assert_true(kit_json_text(kit_said.out, "state", word, sizeof word));
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
    kit_hbctl(KIT_DONE, L"endpoints");
    kit_says(kit_said.out, name);
    kit_says(kit_said.out, "ask");
    kit_says(kit_said.out, "Section");
    kit_hbctl(KIT_DONE, L"endpoints --json");
    kit_is_json(kit_said.out);
    kit_says(kit_said.out, name);
    kit_close(client);
    kit_hbctl(KIT_DONE, L"endpoints");
    assert_null(strstr(kit_said.out, name));
}

static void help_and_version(void **state)
{
    (void)state;
    static const wchar_t *const lines[] = {
        L"--help",          L"status --help",  L"endpoints --help",
        L"sessions --help", L"metrics --help", L"watch --help",
        L"explain --help",  L"send --help",    L"receive --help"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        kit_hbctl_at(NULL, KIT_DONE, lines[i]);
        kit_says(kit_said.out, "hbctl");
        assert_string_equal(kit_said.err, "");
    }
    kit_hbctl_at(NULL, KIT_DONE, L"--version");
    kit_says(kit_said.out, hbk_version());
}

static void a_broker_in_the_console(void **state)
{
    (void)state;
    struct kit_broker broker;
    wchar_t line[256];
    int64_t pid = 0;
    kit_console_start(&broker, NULL);
    (void)swprintf(line, 256, L"status --json --pipe %ls --unverified", broker.pipe);
    kit_hbctl_at(NULL, KIT_DONE, L"%ls", line);
    assert_true(kit_json_number(kit_said.out, "pid", &pid));
    assert_int_equal(pid, broker.pid);
    kit_console_stop(&broker);
    kit_hbctl_at(NULL, KIT_UNAVAILABLE, L"%ls", line);
    kit_is_json(kit_said.err);
    kit_says(kit_said.err, "unavailable");
}

/* ---- what takes rules, other users or load: against a script ---- */

static void run_script(struct kit_script *script, const struct kit_step *steps, size_t count,
                       int expected, const wchar_t *arguments)
{
    wchar_t line[1024];
    kit_script_begin(script, steps, count);
    (void)swprintf(line, 1024, L"%ls --pipe %ls --unverified", arguments, script->pipe);
    kit_hbctl_at(NULL, expected, L"%ls", line);
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
    run_script(&script, steps, 1, KIT_DONE, L"sessions");
    kit_says(kit_said.out, "4711");
    kit_says(kit_said.out, "proven");
    kit_says(kit_said.out, "1 min 01 s");
    kit_says(kit_said.out, "evil?[2J 2"); /* nothing that steers the console */
    assert_null(strchr(kit_said.out, 0x1B));
    run_script(&script, steps, 1, KIT_DONE, L"sessions --json");
    kit_is_json(kit_said.out);
    assert_true(kit_json_number(kit_said.out, "session", &number) && number == 17);
    kit_says(kit_said.out, "\"queued_bytes\":4");
    run_script(&script, denied, 1, KIT_REFUSED, L"sessions");
    kit_says(kit_said.err, "denied");
    kit_says(kit_said.err, "administrator"); /* what to do */
    assert_string_equal(kit_said.out, "");
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
    run_script(&script, yes, 1, KIT_DONE, L"explain send session/x --pid 77 --session 5000000000");
    kit_says(kit_said.out, "send session/x of process 77 by session 5000000000: allowed");
    kit_says(kit_said.out, "rules[2] \"session/*\"");
    kit_says(kit_said.out, "it says so");
    kit_says(kit_said.out, "Event Section:read");
    kit_says(script.asked[0], "\"pid\":77");
    kit_says(script.asked[0], "\"session\":5000000000");
    run_script(&script, no, 1, KIT_REFUSED, L"explain open global/x");
    kit_says(kit_said.out, "refused");
    kit_says(kit_said.out, "built-in");
    kit_says(kit_said.out, "none may pass");
    run_script(&script, no, 1, KIT_REFUSED, L"explain --json open global/x");
    kit_is_json(kit_said.out);
    kit_says(kit_said.out, "\"allowed\":false");
    run_script(&script, yes, 1, KIT_DONE, L"explain inspect");
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
    run_script(&script, watched, 1, KIT_DONE, L"watch --count 2");
    kit_says(kit_said.out, ":20.123  "); /* 22:13:20.123 UTC, in whatever zone this is */
    kit_says(kit_said.out,
             "handle.send  refused  user/x  by process 4711 of S-1-5-18  Event:0x2  denied");
    kit_says(kit_said.out, "3 times  line one?line two\n"); /* one record, one line */
    kit_says(kit_said.err, "3 records are missing");
    run_script(&script, watched, 1, KIT_DONE, L"watch --count 2 --json");
    kit_is_json(kit_said.out);
    kit_says(kit_said.out, "{\"serial\":5,");
    kit_says(kit_said.out, "{\"serial\":9,");
    kit_says(kit_said.out, "\"detail\":\"line one\\nline two\"");
    run_script(&script, watched, 1, KIT_TOO_LATE, L"watch --count 3 --timeout 300");
    kit_says(kit_said.err, "timeout");
    run_script(&script, quota, 1, KIT_REFUSED, L"watch --timeout 300");
    kit_says(kit_said.err, "watchers");
    assert_string_equal(kit_said.out, "");
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
    run_script(&script, steps, 1, KIT_DONE, L"status");
    kit_says(kit_said.out, "loaded 2 times");
    kit_says(kit_said.out, "11 were dropped");
    kit_says(kit_said.out, "stored      8 entries");
    kit_says(kit_said.out, "pins   5     65536  3      32766");
    run_script(&script, steps, 1, KIT_DONE, L"status --json");
    kit_is_json(kit_said.out);
    kit_says(kit_said.out,
             "\"quotas\":[{\"name\":\"pins\",\"limit\":65536,\"used\":5,\"your_limit\":32766,"
             "\"yours\":3}]");
    kit_says(kit_said.out, "\"events_dropped\":11");
    kit_says(kit_said.out, "\"stored\":8");
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
    run_script(&script, sent, 1, KIT_DONE, line);
    kit_says(script.asked[0], "\"to\":{\"name\":\"user/x\",\"pid\":77}");
    run_script(&script, denied, 1, KIT_REFUSED, line);
    kit_says(kit_said.err, "hbctl explain"); /* what to do */
    run_script(&script, opened, 1, KIT_DONE, L"receive user/x --ask --from D:(A;;0x2;;;S-1-5-18)");
    kit_says(script.asked[0], "\"from\":\"D:(A;;0x2;;;S-1-5-18)\"");
    kit_says(kit_said.out, "WIDENABLE");
    kit_says(kit_said.out, "-       yes");
    kit_says(kit_said.out, "-       unknown");
    run_script(&script, opened, 1, KIT_DONE, L"receive user/x --ask --json");
    kit_is_json(kit_said.out);
    kit_says(kit_said.out, "\"widenable\":true");
    kit_says(kit_said.out, "\"widenable\":\"unknown\"");
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
