/* hbctl put, get, list and remove as people and scripts use them, against the real store: what they print, in words and
 * in JSON, and with which exit codes. */
#include "store.h"

#include "json.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define RUN_MS 20000u

enum { DONE = 0, REFUSED = 1, USAGE = 2, TOO_LATE = 4 };

static struct kit_output output;
static wchar_t path[MAX_PATH]; /* of a file that holds … */
static const char contents[] = "the contents\nof the file, \xc3\xa4\n";

/* hbctl with what has to be said to reach the broker under test: nothing, if it is the service. */
static void run(int expected, const wchar_t *format, ...)
{
    wchar_t line[1024], reach[128] = L"";
    va_list values;
    va_start(values, format);
    assert_true(vswprintf(line, 1024, format, values) > 0);
    va_end(values);
    if (kit_broker()->pipe != NULL)
        (void)swprintf(reach, 128, L"--pipe %ls --unverified", kit_broker()->pipe);
    kit_run(&output, RUN_MS, L"\"%ls\" %ls %ls", kit_tool(L"hbctl.exe"), line, reach);
    if ((int)output.code != expected)
        fail_msg("hbctl %ls: exit code %lu, not %d\n%s\n%s", line, output.code, expected,
                 output.out, output.err);
}

static void says(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("\"%s\" is missing in: %s", what, text);
}

/* One object, of the same strict profile as the protocol's. */
static void is_json(const char *text)
{
    struct hbk_error error;
    size_t size = strcspn(text, "\r\n");
    if (size == 0 || hbk_json_check((struct hbk_text){text, size}, &error) != 0)
        fail_msg("no JSON: %s", text);
}

static int begin(void **state)
{
    kit_temp(path, MAX_PATH);
    kit_file_write(path, contents, sizeof contents - 1);
    return kit_test_begin(state);
}

static int end(void **state)
{
    kit_temp_remove(path);
    return kit_test_end(state);
}

/* ---- what stays when hbctl has ended ---- */

static void a_file_is_left_and_got(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    struct kit_mark mark;
    kit_mark(&mark, 0);
    run(DONE, L"put %hs --file \"%ls\" --data \"for you\"", name, path);
    says(output.out, "stored as");
    says(output.out, name);
    for (int times = 0; times < 2; times++) {
        run(DONE, L"get %hs --print", name);
        assert_string_equal(output.out, contents); /* byte for byte, and nothing else */
        says(output.err, "File");
        says(output.err, "for you");
    }
    run(REFUSED, L"put %hs --file \"%ls\"", name, path);
    says(output.err, "exists");
    says(output.err, "--replace"); /* what to do */
    run(DONE, L"put %hs --file \"%ls\" --replace --once", name, path);
    run(DONE, L"get %hs", name);
    says(output.out, "put by process");
    run(REFUSED, L"get %hs", name);
    says(output.err, "not_found");
    says(output.err, "--wait");
    kit_unchanged(&mark);
}

static void by_ticket(void **state)
{
    (void)state;
    char ticket[HBK_TICKET_BYTES + 1];
    struct kit_mark mark;
    kit_mark(&mark, 0);
    run(DONE, L"put --ticket --file \"%ls\" --json", path);
    is_json(output.out);
    assert_true(kit_json_text(output.out, "ticket", ticket, sizeof ticket));
    says(output.out, "\"name\":null");
    run(DONE, L"list");
    says(output.out, "(ticket)");
    assert_null(strstr(output.out, ticket));
    run(DONE, L"get --ticket %hs --print", ticket);
    assert_string_equal(output.out, contents);
    run(REFUSED, L"get --ticket %hs --print", ticket);
    says(output.err, "not_found");
    assert_string_equal(output.out, "");
    /* In words it is a line of its own. */
    run(DONE, L"put --ticket --file \"%ls\"", path);
    const char *line = strchr(output.out, '\n');
    assert_non_null(line);
    memcpy(ticket, line + 1, HBK_TICKET_BYTES);
    ticket[HBK_TICKET_BYTES] = '\0';
    run(DONE, L"get --ticket %hs", ticket);
    kit_unchanged(&mark);
}

static void in_json(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    char text[64];
    int64_t entry = 0, number = 0;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    run(DONE, L"put %hs --file \"%ls\" --data \"a \\\"word\\\"\" --ttl 600000 --json", name, path);
    is_json(output.out);
    assert_true(kit_json_number(output.out, "entry", &entry) && entry > 0);
    assert_true(kit_json_text(output.out, "name", text, sizeof text));
    assert_string_equal(text, name);
    assert_null(strstr(output.out, "ticket"));
    run(DONE, L"get %hs --access 0x100000 --json", name);
    is_json(output.out);
    assert_true(kit_json_number(output.out, "access", &number) && number == 0x100000);
    says(output.out, "\"widenable\":\"unknown\"");
    says(output.out, "\"data\":\"a \\\"word\\\"\"");
    says(output.out, kit_user());
    run(DONE, L"list --json");
    is_json(output.out);
    assert_true(kit_json_text(output.out, "name", text, sizeof text));
    says(output.out, name);
    says(output.out, "\"lifetime\":\"broker\"");
    says(output.out, "\"ttl_ms\":");
    says(output.out, "\"taken\":1");
    says(output.out, "\"session\":0"); /* who put it has left */
    run(DONE, L"remove --entry %llu --json", (unsigned long long)entry);
    assert_int_equal(strncmp(output.out, "{\"removed\":true}", 16), 0);
    run(REFUSED, L"remove --entry %llu --json", (unsigned long long)entry);
    is_json(output.err);
    says(output.err, "not_found");
    assert_string_equal(output.out, "");
    kit_unchanged(&mark);
}

static void listed_in_words(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    run(DONE, L"list");
    says(output.out, "nothing is stored");
    assert_int_equal(kit_put(client, name, event, SYNCHRONIZE, 0), HBK_OK);
    run(DONE, L"list");
    says(output.out, "ENTRY");
    says(output.out, name);
    says(output.out, "Event");
    says(output.out, "0x00100000");
    says(output.out, "session");
    says(output.out, "its owner's");
    /* It shows an entry of any type, and copies nothing of one that is no file. */
    run(DONE, L"get %hs --print", name);
    assert_string_equal(output.out, "");
    says(output.err, "Event");
    run(DONE, L"remove %hs", name);
    says(output.out, "removed");
    run(REFUSED, L"remove %hs", name);
    says(output.err, "not_found");
    says(output.err, "hbctl list");
    CloseHandle(event);
}

/* ---- waiting, and rights ---- */

static void waits_for_a_name(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    wchar_t line[512], out[MAX_PATH], err[MAX_PATH];
    char text[256];
    struct kit_mark mark;
    run(TOO_LATE, L"get %hs --wait 200", name);
    says(output.err, "timeout");
    kit_mark(&mark, 0);
    kit_temp(out, MAX_PATH);
    kit_temp(err, MAX_PATH);
    (void)swprintf(line, 512, L"\"%ls\" get %hs --wait 60000 --print %ls%ls%ls",
                   kit_tool(L"hbctl.exe"), name, kit_broker()->pipe != NULL ? L"--pipe " : L"",
                   kit_broker()->pipe != NULL ? kit_broker()->pipe : L"",
                   kit_broker()->pipe != NULL ? L" --unverified" : L"");
    HANDLE waiting = kit_spawn_log(line, 0, out, err, NULL);
    kit_wait_pending(&mark, 1);
    run(DONE, L"put %hs --file \"%ls\" --once", name, path);
    assert_int_equal(kit_wait_exit(waiting, RUN_MS), DONE);
    kit_file_read(out, text, sizeof text);
    assert_string_equal(text, contents);
    kit_forget(waiting);
    kit_temp_remove(out);
    kit_temp_remove(err);
    kit_unchanged(&mark);
}

static void rights_and_types(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    struct kit_mark mark;
    kit_mark(&mark, 0);
    run(REFUSED, L"put %hs --file \"%ls\" --type Event", name, path);
    says(output.err, "type_mismatch");
    run(REFUSED, L"put %hs --file \"%ls\" --access 0x120116", name,
        path); /* it is opened to read */
    says(output.err, "access_exceeds_source");
    run(REFUSED, L"put global/test --file \"%ls\"", path);
    says(output.err, "denied");
    says(output.err, "hbctl explain");
    run(USAGE, L"put %hs", name);
    run(USAGE, L"put --file \"%ls\"", path);
    run(USAGE, L"put %hs --file \"%ls-not-there\"", name, path);
    run(USAGE, L"get");
    run(USAGE, L"get %hs --ticket 00000000000000000000000000000000", name);
    run(USAGE, L"remove");
    run(USAGE, L"list %hs", name);
    run(USAGE, L"put %hs --file \"%ls\" --ttl soon", name, path);
    kit_unchanged(&mark);
    run(DONE, L"put %hs --file \"%ls\" --write --access read --type File", name, path);
    run(REFUSED, L"get %hs --access 0x120116", name);
    says(output.err, "access_exceeds_source");
    run(DONE, L"get %hs --access read --json", name);
    says(output.out, "\"access\":1179785");
    run(DONE, L"remove %hs", name);
    kit_unchanged(&mark);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_left_and_got, begin, end),
        cmocka_unit_test_setup_teardown(by_ticket, begin, end),
        cmocka_unit_test_setup_teardown(in_json, begin, end),
        cmocka_unit_test_setup_teardown(listed_in_words, begin, end),
        cmocka_unit_test_setup_teardown(waits_for_a_name, begin, end),
        cmocka_unit_test_setup_teardown(rights_and_types, begin, end),
    };
    return cmocka_run_group_tests_name("hbctl store", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
