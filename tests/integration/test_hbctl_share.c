/* hbctl's store, transfers and deliveries that can be taken back: what it does, prints and says about what went
 * wrong. */
#include "script.h"

#include "json.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define RUN_MS 20000u

enum { DONE = 0, REFUSED = 1, USAGE = 2, TOO_LATE = 4 };

static struct kit_output output;

static void run_at(const wchar_t *pipe, int expected, const wchar_t *arguments)
{
    kit_run(&output, RUN_MS, L"\"%ls\" %ls --pipe %ls --unverified", kit_tool(L"hbctl.exe"),
            arguments, pipe);
    if ((int)output.code != expected)
        fail_msg("hbctl %ls: exit code %lu, not %d\n%s\n%s", arguments, output.code, expected,
                 output.out, output.err);
}

/* @format has a name, a path, or whatever else is to be put in. */
static void run(int expected, const wchar_t *format, ...)
{
    wchar_t line[1024];
    va_list values;
    va_start(values, format);
    (void)vswprintf(line, 1024, format, values);
    va_end(values);
    run_at(kit_broker()->pipe, expected, line);
}

static void run_script(const struct kit_step *steps, size_t count, int expected,
                       const wchar_t *arguments, struct kit_script *ret_script)
{
    kit_script_begin(ret_script, steps, count);
    run_at(ret_script->pipe, expected, arguments);
    kit_script_end(ret_script);
}

static void says(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("\"%s\" is missing in: %s", what, text);
}

static void is_json(const char *text)
{
    struct hbk_error error;
    size_t size = strcspn(text, "\r\n");
    if (size == 0 || hbk_json_check((struct hbk_text){text, size}, &error) != 0)
        fail_msg("no JSON: %s", text);
}

static void a_file(wchar_t *ret_path)
{
    kit_temp(ret_path, MAX_PATH);
    kit_file_write(ret_path, KIT_BYTES, KIT_BYTES_SIZE);
}

/* ---- the store ---- */

static void put_got_and_removed(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name();
    wchar_t path[MAX_PATH], copy[MAX_PATH];
    char text[64];
    a_file(path);
    kit_temp(copy, MAX_PATH);
    run(REFUSED, L"store get %hs", name);
    says(output.err, "not_found");
    says(output.err, "hbctl store list");
    run(DONE, L"store put %hs --file \"%ls\" --data \"for you\"", name, path);
    says(output.out, name);
    run(DONE, L"store get %hs --print", name);
    assert_string_equal(output.out, KIT_BYTES);
    says(output.err, "File with rights 0x00120089");
    says(output.err, "it says: for you");
    run(DONE, L"store get %hs --output \"%ls\" --json", name, copy);
    is_json(output.out);
    says(output.out, "\"data\":\"for you\"");
    kit_file_read(copy, text, sizeof text);
    assert_string_equal(text, KIT_BYTES);
    run(DONE, L"store list");
    says(output.out, name);
    says(output.out, "(left)"); /* it outlives who has put it */
    run(DONE, L"store list --json");
    is_json(output.out);
    says(output.out, "\"taken\":2");
    run(REFUSED, L"store put %hs --file \"%ls\"", name, path);
    says(output.err, "exists");
    says(output.err, "--replace");
    run(DONE, L"store put %hs --file \"%ls\" --write --access read --replace --once --ttl 60000",
        name, path);
    run(DONE, L"store list --json");
    says(output.out, "\"once\":true");
    says(output.out, "\"ttl_ms\":");
    run(DONE, L"store get %hs", name);
    says(output.out, "widenable: unknown");
    run(REFUSED, L"store get %hs", name); /* it was for one */
    run(DONE, L"store put %hs --file \"%ls\"", name, path);
    run(DONE, L"store remove %hs", name);
    run(REFUSED, L"store remove %hs --json", name);
    is_json(output.err);
    run(DONE, L"store list");
    says(output.out, "nothing is stored");
}

static void a_ticket(void **state)
{
    (void)state;
    wchar_t path[MAX_PATH];
    char ticket[64];
    int64_t entry = 0;
    a_file(path);
    run(DONE, L"store put --ticket --file \"%ls\" --json", path);
    is_json(output.out);
    assert_true(kit_json_text(output.out, "ticket", ticket, sizeof ticket));
    run(DONE, L"store list");
    says(output.out, "(ticket)");
    assert_null(strstr(output.out, ticket));
    run(DONE, L"store get --ticket %hs --print", ticket);
    assert_string_equal(output.out, KIT_BYTES);
    run(REFUSED, L"store get --ticket %hs", ticket);
    /* By its number it is removed. */
    run(DONE, L"store put --ticket --file \"%ls\"", path);
    says(output.out, "once");
    run(DONE, L"store list --json");
    assert_true(kit_json_number(output.out, "entry", &entry));
    run(DONE, L"store remove --entry %lld", (long long)entry);
    run(REFUSED, L"store remove --entry %lld", (long long)entry);
}

static void names_that_nobody_puts(void **state)
{
    (void)state;
    run(TOO_LATE, L"store get user/nobody --wait 100");
    says(output.err, "timeout");
    run(REFUSED, L"store get global/nobody");
    says(output.err, "denied");
}

/* ---- from process to process ---- */

static void transferred(void **state)
{
    (void)state;
    wchar_t path[MAX_PATH];
    a_file(path);
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    const unsigned pid = (unsigned)GetCurrentProcessId(), value = (unsigned)(uintptr_t)file;
    run(DONE, L"transfer --from %u --handle 0x%x --print", pid, value);
    assert_string_equal(output.out, KIT_BYTES);
    says(output.err, "File with rights");
    struct kit_peer peer;
    int64_t copy = 0;
    kit_peer_start(&peer);
    run(DONE, L"transfer --from %u --handle %u --to %lu --json", pid, value, peer.pid);
    is_json(output.out);
    says(output.out, "\"notified\":false"); /* it has no session */
    assert_true(kit_json_number(output.out, "handle", &copy));
    SetFilePointer(file, 0, NULL, FILE_BEGIN); /* which both handles share */
    assert_int_equal(kit_peer_do(&peer, KIT_OP_READ, (uint64_t)copy, KIT_BYTES_SIZE, NULL), 0);
    assert_memory_equal(peer.reply.text, KIT_BYTES, KIT_BYTES_SIZE);
    kit_peer_stop(&peer);
    run(REFUSED, L"transfer --from %u --handle 0x%x --type Event", pid, value);
    says(output.err, "type_mismatch");
    CloseHandle(file);
    run(REFUSED, L"transfer --from %u --handle %u", pid, (unsigned)(uintptr_t)kit_closed());
    says(output.err, "bad_handle");
    run(REFUSED, L"transfer --from 4 --handle 0x1c4");
    says(output.err, "denied");
}

/* ---- taking back ---- */

static void taken_back(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "delivery.revoke", .result = "{\"closed\":[0,2]}"},
        {.method = "delivery.list",
         .result = "{\"deliveries\":[{\"delivery\":9,\"state\":\"revocable\",\"endpoint\":null,"
                   "\"from\":{\"session\":1,\"pid\":2,\"user\":\"S-1-5-18\"},\"to\":{\"session\":3,"
                   "\"pid\":4,\"user\":\"S-1-5-19\"},\"items\":[{\"type\":\"Event\",\"access\":2}],"
                   "\"since_ms\":5000,\"revocable\":true}]}"},
    };
    struct kit_script script;
    run_script(steps, 2, DONE, L"revoke 9", &script);
    says(script.asked[0], "\"delivery\":9");
    says(output.out, "closed in its target: 0 2");
    run_script(steps, 2, DONE, L"revoke 9 --json", &script);
    is_json(output.out);
    says(output.out, "\"closed\":[0,2]");
    run_script(steps, 2, DONE, L"deliveries", &script);
    says(output.out, "(a process)");
    says(output.out, "4, session 3");
    run_script(steps, 2, DONE, L"deliveries --json", &script);
    is_json(output.out);
    says(output.out, "\"state\":\"revocable\"");
    run(REFUSED, L"revoke 99");
    says(output.err, "not_found");
    run(DONE, L"deliveries");
    says(output.out, "no delivery");
}

static void sent_so_that_it_can_be_taken_back(void **state)
{
    (void)state;
    const char *name = kit_endpoint_name(), *other = kit_endpoint_name();
    wchar_t path[MAX_PATH];
    hbk_client *client = kit_client();
    hbk_endpoint_options open = {
        .size = sizeof open, .name = name, .flags = HBK_ENDPOINT_REVOCABLE};
    hbk_delivery *delivery = NULL;
    a_file(path);
    assert_int_equal(hbk_endpoint_open(client, &open, NULL), HBK_OK);
    open.name = other;
    open.flags = 0;
    assert_int_equal(hbk_endpoint_open(client, &open, NULL), HBK_OK);
    /* At the end of its input it leaves it there. */
    run(DONE, L"send %hs --file \"%ls\" --revocable", name, path);
    assert_int_equal(hbk_receive(client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
    assert_true(delivery->revocable && delivery->items[0].handle != NULL);
    hbk_delivery_free(delivery);
    run(REFUSED, L"send %hs --file \"%ls\" --revocable", other, path);
    says(output.err, "access_not_accepted");
    assert_int_equal(hbk_receive(client, 0, &delivery, NULL), HBK_TIMEOUT);
    run(DONE, L"endpoints");
    says(output.out, "auto back");
    run(DONE, L"endpoints --json");
    says(output.out, "\"revocable\":true");
    says(output.out, "\"revocable\":false");
}

/* ---- handle tables ---- */

static void tables_and_holders(void **state)
{
    (void)state;
    char row[96];
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL), there = NULL;
    struct kit_peer peer;
    kit_peer_start(&peer);
    assert_true(SetHandleInformation(event, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
    assert_true(DuplicateHandle(GetCurrentProcess(), event, peer.process, &there,
                                EVENT_MODIFY_STATE, FALSE, 0));
    const unsigned ours = (unsigned)(uintptr_t)event, theirs = (unsigned)(uintptr_t)there;
    run(DONE, L"handles %lu", peer.pid);
    says(output.out, "HANDLE");
    says(output.out, "0x00000002"); /* its rights, which no other has */
    run(DONE, L"handles %lu --json", peer.pid);
    is_json(output.out);
    (void)snprintf(row, sizeof row,
                   "{\"handle\":%u,\"type\":\"Event\",\"access\":2,\"inherit\":false,"
                   "\"protect\":false}",
                   theirs);
    says(output.out, row);
    run(DONE, L"holders %lu 0x%x", peer.pid, theirs);
    (void)snprintf(row, sizeof row, "0x%x ", ours);
    says(output.out, row);
    (void)snprintf(row, sizeof row, "0x%x ", theirs);
    says(output.out, row);
    says(output.out, "inherit");
    says(output.out, "of type Event");
    assert_null(strstr(output.out, "more holders"));
    run(DONE, L"holders %lu %u --json", peer.pid, theirs);
    is_json(output.out);
    (void)snprintf(row, sizeof row,
                   "{\"pid\":%lu,\"handle\":%u,\"access\":2031619,\"inherit\":true,"
                   "\"protect\":false}",
                   (unsigned long)GetCurrentProcessId(), ours);
    says(output.out, row);
    says(output.out, "\"broker\":0,\"complete\":true");
    run(REFUSED, L"handles 4");
    says(output.err, "denied");
    says(output.err, "as an administrator"); /* what to do */
    run(REFUSED, L"handles 2147483632");
    says(output.err, "not_found");
    run(REFUSED, L"holders %lu 0x7ffffffc", peer.pid);
    says(output.err, "bad_handle");
    says(output.err, "hbctl handles");
    kit_peer_stop(&peer);
    CloseHandle(event);
}

static void what_is_not_known_of_holders(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "object.holders",
         .result = "{\"type\":\"File\",\"holders\":[],\"broker\":3,\"complete\":false}"},
        {.method = "process.handles",
         .result = "{\"handles\":[{\"handle\":8,\"access\":1,\"inherit\":true,\"protect\":true}]}"},
    };
    struct kit_script script;
    run_script(steps, 2, DONE, L"holders 7 8", &script);
    says(output.out, "the service has 3 handles to it");
    says(output.out, "there may be more holders");
    run_script(steps, 2, DONE, L"handles 7", &script);
    says(output.out, "inherit protect");
    says(output.out, "  -  "); /* its type */
    run_script(steps, 2, DONE, L"handles 7 --json", &script);
    is_json(output.out);
    says(output.out, "\"type\":null");
}

/* ---- command lines ---- */

static void metrics_in_words_and_in_json(void **state)
{
    (void)state;
    static const struct kit_step steps[] = {
        {.method = "broker.metrics", .result = "{\"text\":\"a{b=\\\"c\\\"} 1\\n# EOF\\n\"}"},
    };
    static const struct kit_step denied[] = {
        {.method = "broker.metrics",
         .error = "{\"code\":2,\"message\":\"denied\",\"data\":{\"detail\":\"not you\"}}"},
    };
    struct kit_script script;
    char text[64];
    run_script(steps, 1, DONE, L"metrics", &script);
    assert_string_equal(output.out, "a{b=\"c\"} 1\n# EOF\n"); /* byte for byte */
    assert_string_equal(output.err, "");
    run_script(steps, 1, DONE, L"metrics --json", &script);
    is_json(output.out);
    assert_true(kit_json_text(output.out, "text", text, sizeof text));
    run_script(denied, 1, REFUSED, L"metrics", &script);
    says(output.err, "denied");
    says(output.err, "administrator"); /* what to do */
    assert_string_equal(output.out, "");
}

static void what_is_missing_or_too_much(void **state)
{
    (void)state;
    static const wchar_t *const lines[] = {
        L"store put",
        L"store put user/x",
        L"store put --file x",
        L"store put user/x --ticket --file x",
        L"store put user/x --file C:\\no\\such\\file",
        L"store put nowhere --file C:\\windows\\win.ini",
        L"store put user/x --file x --ttl 2147483648",
        L"store get",
        L"store get user/x --ticket 0123456789abcdef0123456789abcdef",
        L"store get --ticket 123",
        L"store get user/x --print --json",
        L"store remove",
        L"store remove user/x --entry 7",
        L"store remove --entry x",
        L"store list user/x",
        L"revoke",
        L"revoke x",
        L"revoke 0",
        L"transfer --from 7",
        L"transfer --handle 8",
        L"transfer --from 7 --handle x",
        L"transfer --from 7 --handle 8 --to 9 --print",
        L"transfer --from 7 --handle 8 --to nowhere",
        L"handles",
        L"handles me",
        L"handles 0",
        L"handles 7 8",
        L"holders",
        L"holders 7",
        L"holders me 8",
        L"holders 7 x",
        L"holders 7 0",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        run(USAGE, L"%ls", lines[i]);
        assert_string_equal(output.out, "");
        assert_true(output.err[0] != '\0');
    }
}

static void help(void **state)
{
    (void)state;
    static const wchar_t *const verbs[] = {L"store put",  L"store get",  L"store remove",
                                           L"store list", L"deliveries", L"revoke",
                                           L"transfer",   L"handles",    L"holders"};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        run(DONE, L"%ls --help", verbs[i]);
        says(output.out, "Examples:");
    }
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(put_got_and_removed),
        KIT_TEST(a_ticket),
        KIT_TEST(names_that_nobody_puts),
        KIT_TEST(transferred),
        KIT_TEST(taken_back),
        KIT_TEST(sent_so_that_it_can_be_taken_back),
        KIT_TEST(metrics_in_words_and_in_json),
        KIT_TEST(tables_and_holders),
        KIT_TEST(what_is_not_known_of_holders),
        KIT_TEST(what_is_missing_or_too_much),
        KIT_TEST(help),
    };
    return cmocka_run_group_tests_name("hbctl share", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
