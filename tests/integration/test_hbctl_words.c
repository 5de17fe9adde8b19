/* How hbctl is told what to do, and how it says what is wrong with that: without a broker. */
#include "tool.h"

#include <stdio.h>
#include <string.h>

static void a_command_that_is_almost_one(void **state)
{
    (void)state;
    static const struct {
        const wchar_t *line;
        const char *nearest;
    } typed[] = {
        {L"satus", "hbctl status"},         {L"endpoint", "hbctl endpoints"},
        {L"store puy", "hbctl store put"},  {L"put user/x --file x", "hbctl store put"},
        {L"help recieve", "hbctl receive"},
    };
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
        kit_hbctl_at(NULL, KIT_USAGE, L"%ls", typed[i].line);
        kit_says(kit_said.err, typed[i].nearest);
    }
    kit_hbctl_at(NULL, KIT_USAGE, L"xyz");
    assert_null(strstr(kit_said.err, "meant"));
}

static void help_of_each_kind(void **state)
{
    (void)state;
    static char text[sizeof kit_said.out];
    kit_hbctl_at(NULL, KIT_DONE, L"help");
    kit_says(kit_said.out, "store put");
    kit_says(kit_said.out, "Exit codes");
    kit_hbctl_at(NULL, KIT_DONE, L"help store put");
    kit_says(kit_said.out, "Examples:");
    memcpy(text, kit_said.out, sizeof text);
    kit_hbctl_at(NULL, KIT_DONE, L"store put --help");
    assert_string_equal(kit_said.out, text);
    kit_hbctl_at(NULL, KIT_DONE, L"store --help");
    kit_says(kit_said.out, "store remove");
    assert_null(strstr(kit_said.out, "endpoints"));
    memcpy(text, kit_said.out, sizeof text);
    kit_hbctl_at(NULL, KIT_DONE, L"help store");
    assert_string_equal(kit_said.out, text);
}

static void a_wrong_command_line_in_json(void **state)
{
    (void)state;
    char word[64];
    int64_t number = 0;
    kit_hbctl_at(NULL, KIT_USAGE, L"send user/x --wait never --json");
    kit_is_json(kit_said.err);
    assert_string_equal(kit_said.out, "");
    assert_true(kit_json_text(kit_said.err, "name", word, sizeof word));
    assert_string_equal(word, "invalid_argument");
    assert_true(kit_json_number(kit_said.err, "exit_code", &number));
    assert_int_equal(number, KIT_USAGE);
    kit_hbctl_at(NULL, KIT_USAGE, L"--json no-such-command");
    kit_is_json(kit_said.err);
    kit_hbctl_at(NULL, KIT_USAGE, L"store --json");
    kit_is_json(kit_said.err);
}

/* A detail that is cut ends between two characters, wherever the limit falls. */
static void a_long_argument_in_json(void **state)
{
    (void)state;
    wchar_t word[202] = L"-";
    for (size_t i = 1; i < 200; i++)
        word[i] = 0xE9; /* two bytes in UTF-8 */
    kit_hbctl_at(NULL, KIT_USAGE, L"status %ls --json", word);
    kit_is_json(kit_said.err);
    kit_says(kit_said.err, "what is this: -\xC3\xA9");
    word[1] = L'-';
    kit_hbctl_at(NULL, KIT_USAGE, L"status %ls --json", word);
    kit_is_json(kit_said.err);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(a_command_that_is_almost_one),
        KIT_TEST(help_of_each_kind),
        KIT_TEST(a_wrong_command_line_in_json),
        KIT_TEST(a_long_argument_in_json),
    };
    return cmocka_run_group_tests_name("hbctl words", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
