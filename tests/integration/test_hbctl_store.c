/* hbctl store put, get, list and remove as people and scripts use them, against the real store: what they print, in words and
 * in JSON, and with which exit codes. */
#include "store.h"
#include "tool.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

static wchar_t path[MAX_PATH]; /* of a file that holds … */
static const char contents[] = "the contents\nof the file, \xc3\xa4\n";

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
    kit_hbctl(KIT_DONE, L"store put %hs --file \"%ls\" --data \"for you\"", name, path);
    kit_says(kit_said.out, "stored as");
    kit_says(kit_said.out, name);
    for (int times = 0; times < 2; times++) {
        kit_hbctl(KIT_DONE, L"store get %hs --print", name);
        assert_string_equal(kit_said.out, contents); /* byte for byte, and nothing else */
        kit_says(kit_said.err, "File");
        kit_says(kit_said.err, "for you");
    }
    kit_hbctl(KIT_REFUSED, L"store put %hs --file \"%ls\"", name, path);
    kit_says(kit_said.err, "exists");
    kit_says(kit_said.err, "--replace"); /* what to do */
    kit_hbctl(KIT_DONE, L"store put %hs --file \"%ls\" --replace --once", name, path);
    kit_hbctl(KIT_DONE, L"store get %hs", name);
    kit_says(kit_said.out, "put by process");
    kit_hbctl(KIT_REFUSED, L"store get %hs", name);
    kit_says(kit_said.err, "not_found");
    kit_says(kit_said.err, "--wait");
    kit_unchanged(&mark);
}

static void by_ticket(void **state)
{
    (void)state;
    char ticket[HBK_TICKET_BYTES + 1];
    struct kit_mark mark;
    kit_mark(&mark, 0);
    kit_hbctl(KIT_DONE, L"store put --ticket --file \"%ls\" --json", path);
    kit_is_json(kit_said.out);
    assert_true(kit_json_text(kit_said.out, "ticket", ticket, sizeof ticket));
    kit_says(kit_said.out, "\"name\":null");
    kit_hbctl(KIT_DONE, L"store list");
    kit_says(kit_said.out, "(ticket)");
    assert_null(strstr(kit_said.out, ticket));
    kit_hbctl(KIT_DONE, L"store get --ticket %hs --print", ticket);
    assert_string_equal(kit_said.out, contents);
    kit_hbctl(KIT_REFUSED, L"store get --ticket %hs --print", ticket);
    kit_says(kit_said.err, "not_found");
    assert_string_equal(kit_said.out, "");
    /* In words it is a line of its own. */
    kit_hbctl(KIT_DONE, L"store put --ticket --file \"%ls\"", path);
    const char *line = strchr(kit_said.out, '\n');
    assert_non_null(line);
    memcpy(ticket, line + 1, HBK_TICKET_BYTES);
    ticket[HBK_TICKET_BYTES] = '\0';
    kit_hbctl(KIT_DONE, L"store get --ticket %hs", ticket);
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
    kit_hbctl(KIT_DONE,
              L"store put %hs --file \"%ls\" --data \"a \\\"word\\\"\" --ttl 600000 --json", name,
              path);
    kit_is_json(kit_said.out);
    assert_true(kit_json_number(kit_said.out, "entry", &entry) && entry > 0);
    assert_true(kit_json_text(kit_said.out, "name", text, sizeof text));
    assert_string_equal(text, name);
    assert_null(strstr(kit_said.out, "ticket"));
    kit_hbctl(KIT_DONE, L"store get %hs --access 0x100000 --json", name);
    kit_is_json(kit_said.out);
    assert_true(kit_json_number(kit_said.out, "access", &number) && number == 0x100000);
    kit_says(kit_said.out, "\"widenable\":\"unknown\"");
    kit_says(kit_said.out, "\"data\":\"a \\\"word\\\"\"");
    kit_says(kit_said.out, kit_user());
    kit_hbctl(KIT_DONE, L"store list --json");
    kit_is_json(kit_said.out);
    assert_true(kit_json_text(kit_said.out, "name", text, sizeof text));
    kit_says(kit_said.out, name);
    kit_says(kit_said.out, "\"lifetime\":\"broker\"");
    kit_says(kit_said.out, "\"ttl_ms\":");
    kit_says(kit_said.out, "\"taken\":1");
    kit_says(kit_said.out, "\"session\":0"); /* who put it has left */
    kit_hbctl(KIT_DONE, L"store remove --entry %llu --json", (unsigned long long)entry);
    assert_int_equal(strncmp(kit_said.out, "{\"removed\":true}", 16), 0);
    kit_hbctl(KIT_REFUSED, L"store remove --entry %llu --json", (unsigned long long)entry);
    kit_is_json(kit_said.err);
    kit_says(kit_said.err, "not_found");
    assert_string_equal(kit_said.out, "");
    kit_unchanged(&mark);
}

static void listed_in_words(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    kit_hbctl(KIT_DONE, L"store list");
    kit_says(kit_said.out, "nothing is stored");
    assert_int_equal(kit_put(client, name, event, SYNCHRONIZE, 0), HBK_OK);
    kit_hbctl(KIT_DONE, L"store list");
    kit_says(kit_said.out, "ENTRY");
    kit_says(kit_said.out, name);
    kit_says(kit_said.out, "Event");
    kit_says(kit_said.out, "0x00100000");
    kit_says(kit_said.out, "session");
    kit_says(kit_said.out, "its owner's");
    /* It shows an entry of any type, and copies nothing of one that is no file. */
    kit_hbctl(KIT_DONE, L"store get %hs --print", name);
    assert_string_equal(kit_said.out, "");
    kit_says(kit_said.err, "Event");
    kit_hbctl(KIT_DONE, L"store remove %hs", name);
    kit_says(kit_said.out, "removed");
    kit_hbctl(KIT_REFUSED, L"store remove %hs", name);
    kit_says(kit_said.err, "not_found");
    kit_says(kit_said.err, "hbctl store list");
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
    kit_hbctl(KIT_TOO_LATE, L"store get %hs --wait 200", name);
    kit_says(kit_said.err, "timeout");
    kit_mark(&mark, 0);
    kit_temp(out, MAX_PATH);
    kit_temp(err, MAX_PATH);
    (void)swprintf(line, 512, L"\"%ls\" store get %hs --wait 60000 --print %ls",
                   kit_tool(L"hbctl.exe"), name, kit_reach());
    HANDLE waiting = kit_spawn_log(line, 0, out, err, NULL);
    kit_wait_pending(&mark, 1);
    kit_hbctl(KIT_DONE, L"store put %hs --file \"%ls\" --once", name, path);
    assert_int_equal(kit_wait_exit(waiting, KIT_HBCTL_MS), KIT_DONE);
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
    kit_hbctl(KIT_REFUSED, L"store put %hs --file \"%ls\" --type Event", name, path);
    kit_says(kit_said.err, "type_mismatch");
    kit_hbctl(KIT_REFUSED, L"store put %hs --file \"%ls\" --access 0x120116", name,
              path); /* it is opened to read */
    kit_says(kit_said.err, "access_exceeds_source");
    kit_hbctl(KIT_REFUSED, L"store put global/test --file \"%ls\"", path);
    kit_says(kit_said.err, "denied");
    kit_says(kit_said.err, "hbctl explain");
    kit_hbctl(KIT_USAGE, L"store put %hs", name);
    kit_hbctl(KIT_USAGE, L"store put --file \"%ls\"", path);
    kit_hbctl(KIT_USAGE, L"store put %hs --file \"%ls-not-there\"", name, path);
    kit_hbctl(KIT_USAGE, L"store get");
    kit_hbctl(KIT_USAGE, L"store get %hs --ticket 00000000000000000000000000000000", name);
    kit_hbctl(KIT_USAGE, L"store remove");
    kit_hbctl(KIT_USAGE, L"store list %hs", name);
    kit_hbctl(KIT_USAGE, L"store put %hs --file \"%ls\" --ttl soon", name, path);
    kit_unchanged(&mark);
    kit_hbctl(KIT_DONE, L"store put %hs --file \"%ls\" --write --access read --type File", name,
              path);
    kit_hbctl(KIT_REFUSED, L"store get %hs --access 0x120116", name);
    kit_says(kit_said.err, "access_exceeds_source");
    kit_hbctl(KIT_DONE, L"store get %hs --access read --json", name);
    kit_says(kit_said.out, "\"access\":1179785");
    kit_hbctl(KIT_DONE, L"store remove %hs", name);
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
