/* hbctl check-config: what it says of files that are right, wrong, missing or no files. Which mistakes there are is
 * for test_config.c: the same code reads them. */
#include "tool.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

static const char good[] =
    "{\"limits\": {\"hello_ms\": 7654},\n"
    " \"audit\": {\"file\": \"C:\\\\folder\\\\audit.jsonl\"},\n"
    " \"rules\": [{\"name\": \"session/print/*\", \"open\": \"D:(A;;0x1;;;BA)\"}]}\n";
static const char bad[] =
    "{\"limits\": {\"hello_ms\": 1, \"nope\": 3},\n"
    " \"rules\": [{\"name\": \"session/x\", \"open\": \"D:(A;;0x1;;;BA\"},\n"
    "{\"name\": \"x\", \"send\": \"O:BA\", \"types\": {\"Evnt\": \"any\"}}]}\n";

static void a_file(wchar_t *ret_path, const char *text)
{
    kit_temp(ret_path, MAX_PATH);
    kit_file_write(ret_path, text, strlen(text));
}

static void a_file_that_is_right(void **state)
{
    (void)state;
    wchar_t path[MAX_PATH];
    int64_t number = 0;
    a_file(path, good);
    kit_hbctl_at(NULL, KIT_DONE, L"check-config \"%ls\"", path);
    kit_says(kit_said.out, "no mistakes");
    kit_says(kit_said.out, "rules: 1");
    kit_says(kit_said.out, "rules[0] \"session/print/*\": decides on open");
    kit_says(kit_said.out, "hello_ms               7654");
    kit_says(kit_said.out, "audit file: C:\\folder\\audit.jsonl");
    kit_says(kit_said.out, "believe it where it is");
    assert_string_equal(kit_said.err, "");
    kit_hbctl_at(NULL, KIT_DONE, L"check-config \"%ls\" --json", path);
    kit_is_json(kit_said.out);
    kit_says(kit_said.out, "\"valid\":true");
    kit_says(kit_said.out, "\"findings\":[],\"findings_count\":0,\"rules\":1,");
    kit_says(kit_said.out, "\"audit_file\":true,\"metrics_file\":false");
    assert_true(kit_json_number(kit_said.out, "hello_ms", &number));
    assert_int_equal(number, 7654);
    assert_string_equal(kit_said.err, "");
    kit_temp_remove(path);
}

static void every_mistake_with_its_line(void **state)
{
    (void)state;
    static const char *const findings[] = {
        "\nline 1: limits.hello_ms: must be an integer from 50 to 600000\n",
        "\nline 1: limits.nope: there is no such setting; write one of: sessions, ",
        "\nline 2: rules[0].open: is no security descriptor: ",
        "\nline 3: rules[1].name: is no name and has no *: write user/",
        "\nline 3: rules[1].send: has no DACL, which would be everybody; write whom it admits",
        "\nline 3: rules[1].types.Evnt: there is no such type of object; write one of: Event, ",
    };
    wchar_t path[MAX_PATH];
    a_file(path, bad);
    kit_hbctl_at(NULL, KIT_REFUSED, L"check-config \"%ls\"", path);
    kit_says(kit_said.out, "has 6 mistakes:");
    for (size_t i = 0; i < sizeof findings / sizeof *findings; i++)
        kit_says(kit_said.out, findings[i]);
    assert_null(strstr(kit_said.out, "rules: "));
    kit_hbctl_at(NULL, KIT_REFUSED, L"check-config \"%ls\" --json", path);
    kit_is_json(kit_said.out);
    kit_says(kit_said.out, "\"valid\":false");
    kit_says(kit_said.out, "{\"line\":3,\"setting\":\"rules[1].send\",\"detail\":\"has no DACL");
    kit_says(kit_said.out, "\"findings_count\":6}");
    kit_temp_remove(path);
    a_file(path, "{\"limits\":\n {\"hello_ms\" 1}}");
    kit_hbctl_at(NULL, KIT_REFUSED, L"check-config \"%ls\"", path);
    kit_says(kit_said.out, "has 1 mistake:");
    kit_says(kit_said.out, "\nline 2: ");
    kit_temp_remove(path);
}

/* More than are kept are counted. */
static void hundreds_of_mistakes(void **state)
{
    (void)state;
    static char text[32768];
    wchar_t path[MAX_PATH];
    size_t size = (size_t)snprintf(text, sizeof text, "{\"rules\": [");
    for (int i = 0; i < 120; i++)
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 "%s\n{\"name\": \"x\", \"open\": \"D:(A;;1;;;BA)\"}",
                                 i > 0 ? "," : "");
    (void)snprintf(text + size, sizeof text - size, "]}");
    a_file(path, text);
    kit_hbctl_at(NULL, KIT_REFUSED, L"check-config \"%ls\"", path);
    kit_says(kit_said.out, "has 120 mistakes:");
    kit_says(kit_said.out, "\nline 101: rules[99].name: ");
    kit_says(kit_said.out, "\nand 20 more\n");
    kit_temp_remove(path);
}

static void what_is_no_file_to_read(void **state)
{
    (void)state;
    wchar_t path[MAX_PATH], folder[MAX_PATH];
    kit_temp(path, MAX_PATH);
    assert_true(DeleteFileW(path));
    kit_hbctl_at(NULL, KIT_USAGE, L"check-config \"%ls\"", path);
    kit_says(kit_said.err, "there is no such file");
    kit_hbctl_at(NULL, KIT_USAGE, L"check-config \"%ls\" --json", path);
    kit_is_json(kit_said.err);
    assert_string_equal(kit_said.out, "");
    assert_true(GetTempPathW(MAX_PATH, folder) > 0);
    kit_hbctl_at(NULL, KIT_USAGE, L"check-config \"%ls.\"", folder);
    kit_says(kit_said.err, "cannot be read");
    kit_hbctl_at(NULL, KIT_USAGE, L"check-config NUL");
    kit_says(kit_said.err, "cannot be read");
    kit_hbctl_at(NULL, KIT_USAGE, L"check-config \"%ls\" another", path);
}

/* ---- the service's own file ---- */

static wchar_t own_folder[MAX_PATH], own_file[MAX_PATH];
static bool written, made; /* what is ours of them */

static int remove_own(void **state)
{
    if (written)
        DeleteFileW(own_file);
    if (made)
        RemoveDirectoryW(own_folder);
    written = made = false;
    return kit_test_end(state);
}

static void the_services_own(void **state)
{
    (void)state;
    assert_true(GetEnvironmentVariableW(L"ProgramData", own_folder, MAX_PATH) > 0);
    (void)wcsncat_s(own_folder, MAX_PATH, L"\\HandleBroker", _TRUNCATE);
    (void)swprintf(own_file, MAX_PATH, L"%ls\\handlebroker.json", own_folder);
    if (GetFileAttributesW(own_file) != INVALID_FILE_ATTRIBUTES) {
        print_message("skipped: this machine has a configuration file of its own\n");
        skip();
    }
    kit_hbctl_at(NULL, KIT_DONE, L"check-config");
    kit_says(kit_said.out, "the built-in rules hold");
    kit_hbctl_at(NULL, KIT_DONE, L"check-config --json");
    kit_says(kit_said.out, "\"exists\":false,\"valid\":false");
    made = CreateDirectoryW(own_folder, NULL);
    written = true;
    kit_file_write(own_file, good, sizeof good - 1);
    /* Wine's C:\ is the user's own, whom the service need not believe. */
    bool believed = !kit_is_wine();
    kit_hbctl_at(NULL, believed ? KIT_DONE : KIT_REFUSED, L"check-config");
    kit_says(kit_said.out, "no mistakes");
    kit_says(kit_said.out, believed ? "The service would believe it" : "would not believe it");
    kit_hbctl_at(NULL, believed ? KIT_DONE : KIT_REFUSED, L"check-config --json");
    kit_says(kit_said.out, believed ? "\"believed\":true,\"findings\""
                                    : "\"believed\":false,\"why\":\"C:\\\\: is owned by ");
    kit_file_write(own_file, bad, sizeof bad - 1);
    kit_hbctl_at(NULL, KIT_REFUSED, L"check-config");
    kit_says(kit_said.out, "has 6 mistakes:");
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(a_file_that_is_right),
        KIT_TEST(every_mistake_with_its_line),
        KIT_TEST(hundreds_of_mistakes),
        KIT_TEST(what_is_no_file_to_read),
        cmocka_unit_test_setup_teardown(the_services_own, kit_test_begin, remove_own),
    };
    return cmocka_run_group_tests_name("hbctl check-config", tests, kit_group_console,
                                       kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
