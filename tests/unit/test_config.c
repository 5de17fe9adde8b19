/* proto/codec/config: what is taken from a configuration file, and what is said of each mistake in
 * it. */
#include "test_support.h"
#include "alloc_fault.h"
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct values {
    uint32_t one, two, bytes;
};

/* What was reported, a line each: LINE KEY: WHAT. */
struct heard {
    char text[16384];
    size_t size;
    size_t count;
};

static void hear(void *context, uint32_t line, const char *key, const char *what)
{
    struct heard *heard = context;

    heard->size += (size_t)snprintf(heard->text + heard->size, sizeof heard->text - heard->size,
                                    "%lu %s: %s\n", (unsigned long)line, key, what);
    heard->count++;
    assert_true(heard->size < sizeof heard->text);
}

static int read_text(struct hbk_text text, struct values *values, struct heard *heard,
                     struct hbk_config_file *file)
{
    const struct hbk_config_field fields[] = {
        {"limits", "one", 1, 100, &values->one},
        {"limits", "two", 0, UINT32_MAX, &values->two},
        {"audit", "file_bytes", 10, 20, &values->bytes},
    };
    /* A copy of exactly that size: a byte read too far is seen by the sanitizer. */
    char *copy = malloc(text.size ? text.size : 1);
    int result;

    assert_non_null(copy);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    *heard = (struct heard){.size = 0};
    *file = (struct hbk_config_file){.tree = NULL};
    result = hbk_config_read((struct hbk_text){copy, text.size}, fields, COUNT(fields), hear, heard,
                             file);
    free(copy);
    return result;
}

static int read_string(const char *text, struct values *values, struct heard *heard,
                       struct hbk_config_file *file)
{
    return read_text(hbk_text_from(text), values, heard, file);
}

static const char full[] =
    "{\n"
    "  \"limits\": {\"two\": 4294967295, \"one\": 1},\n"
    "  \"audit\": {\n"
    "    \"file\": \"C:\\\\a\\\\b.log\",\n"
    "    \"file_bytes\": 20}, \"metrics\": {\"file\": \"C:\\\\m\"},\n"
    "  \"verbs\": {\"inspect\": \"I\", \"transfer\": \"T\", \"revoke\": \"R\"},\n"
    "  \"rules\": [\n"
    "    {\"name\": \"session/*\", \"open\": \"O\", \"send\": \"S\",\n"
    "     \"put\": \"P\", \"get\": \"G\",\n"
    "     \"types\": {\"Event\": \"any\",\n"
    "                \"Section\": \"read\", \"File\": 1179785, \"Key\": \"0x20019\"},\n"
    "     \"access_max\": \"0X1fFFff\"},\n"
    "    {\n"
    "      \"send\": \"S2\",\n"
    "      \"name\": \"user/a\"}\n"
    "  ]\n"
    "}\n";

static void assert_text(const struct hbk_config_text *text, const char *expected, uint32_t line)
{
    assert_true(hbk_text_is(text->text, expected));
    assert_int_equal(text->line, line);
}

static void test_everything(void **state)
{
    struct values values = {7, 7, 7};
    struct heard heard;
    struct hbk_config_file file;

    (void)state;
    assert_int_equal(read_string(full, &values, &heard, &file), 0);
    assert_int_equal(heard.count, 0);
    assert_int_equal(values.one, 1);
    assert_int_equal(values.two, UINT32_MAX);
    assert_int_equal(values.bytes, 20);
    assert_text(&file.audit_file, "C:\\a\\b.log", 4);
    assert_text(&file.metrics_file, "C:\\m", 5);
    assert_text(&file.inspect, "I", 6);
    assert_text(&file.transfer, "T", 6);
    assert_text(&file.revoke, "R", 6);
    assert_int_equal(file.rules_count, 2);

    const struct hbk_config_rule *rule = &file.rules[0];
    assert_int_equal(rule->line, 8);
    assert_text(&rule->name, "session/*", 8);
    assert_text(&rule->open, "O", 8);
    assert_text(&rule->send, "S", 8);
    assert_text(&rule->put, "P", 9);
    assert_text(&rule->get, "G", 9);
    assert_int_equal(rule->types_count, 4);
    assert_true(hbk_text_is(rule->types[0].rule.type, "Event"));
    assert_int_equal(rule->types[0].rule.kind, HBK_TYPE_RULE_ANY);
    assert_int_equal(rule->types[0].line, 10);
    assert_int_equal(rule->types[1].rule.kind, HBK_TYPE_RULE_READ);
    assert_int_equal(rule->types[1].line, 11);
    assert_int_equal(rule->types[2].rule.kind, HBK_TYPE_RULE_MASK);
    assert_int_equal(rule->types[2].rule.mask, 1179785);
    assert_int_equal(rule->types[3].rule.mask, 0x20019);
    assert_int_equal(rule->access_max, 0x1FFFFF);

    rule = &file.rules[1];
    assert_int_equal(rule->line, 13);
    assert_text(&rule->name, "user/a", 15);
    assert_null(rule->open.text.data);
    assert_int_equal(rule->types_count, 0);
    assert_int_equal(rule->access_max, 0);
    hbk_config_clear(&file);
    assert_null(file.rules);
    hbk_config_clear(&file);
}

/* What the file does not name is left alone. */
static void test_nothing(void **state)
{
    static const char *const texts[] = {"{}", " \r\n{ }\n",
                                        "{\"limits\":{},\"audit\":{},\"verbs\":{},\"rules\":[]}"};
    struct values values = {7, 8, 9};
    struct heard heard;
    struct hbk_config_file file;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(read_string(texts[i], &values, &heard, &file), 0);
        assert_int_equal(values.one, 7);
        assert_int_equal(values.two, 8);
        assert_int_equal(values.bytes, 9);
        assert_null(file.audit_file.text.data);
        assert_null(file.metrics_file.text.data);
        assert_null(file.inspect.text.data);
        assert_int_equal(file.rules_count, 0);
        hbk_config_clear(&file);
    }
}

/* One mistake each: line, key, and what to do about it. */
static const struct {
    const char *text, *says;
} bad[] = {
    {"", "1 : column 1: nothing here; a JSON object should stand here"},
    {"{\n\"limits\": {\"one\": 1,}}", "2 : column 21: a key in double quotes should stand here"},
    {"[]", "1 : column 1: this is no JSON object"},
    {"{\n\n\"limit\": {}}",
     "3 limit: there is no such setting; write one of: limits, audit, metrics, verbs, rules"},
    {"{\"Limits\": {}}", "1 Limits: there is no such setting"},
    {"{\"limits\": 7}", "1 limits: must be an object: \"limits\": {...}"},
    {"{\"limits\": []}", "1 limits: must be an object"},
    {"{\"limits\": null}", "1 limits: must be an object"},
    {"{\"verbs\": \"D:\"}", "1 verbs: must be an object"},
    {"{\"limits\":\n{\"ones\": 1}}",
     "2 limits.ones: there is no such setting; write one of: one, two"},
    {"{\"limits\": {\"\": 1}}", "1 limits.\"\": there is no such setting"},
    {"{\"limits\": {\"a-Z_9\": 1}}", "1 limits.a-Z_9: there is no such setting"},
    {"{\"limits\": {\"a.b\": 1}}", "1 limits.\"a.b\": there is no such setting"},
    {"{\"limits\": {\"a{b\": 1}}", "1 limits.\"a{b\": there is no such setting"},
    {"{\"limits\": {\"a[b\": 1}}", "1 limits.\"a[b\": there is no such setting"},
    {"{\"limits\": {\"a:b\": 1}}", "1 limits.\"a:b\": there is no such setting"},
    {"{\"limits\": {\"01234567890123456789012345678901234567890123456\": 1}}",
     "1 limits.01234567890123456789012345678901234567890123456: there is no such setting"},
    {"{\"limits\": {\"012345678901234567890123456789012345678901234567\": 1}}",
     "1 limits.\"012345678901234567890123456789012345678901...\": there is no such setting"},
    {"{\"limits\": {\"a\\u202e\\u0001b\": 1}}",
     "1 limits.\"a\\xe2\\x80\\xae\\x01b\": there is no such setting"},
    {"{\"limits\": {\"one\": 0}}", "1 limits.one: must be an integer from 1 to 100"},
    {"{\"limits\": {\n\"one\": 101}}", "2 limits.one: must be an integer from 1 to 100"},
    {"{\"limits\": {\"one\": -1}}", "1 limits.one: must be an integer from 1 to 100"},
    {"{\"limits\": {\"one\": \"1\"}}", "1 limits.one: must be an integer from 1 to 100"},
    {"{\"limits\": {\"one\": true}}", "1 limits.one: must be an integer"},
    {"{\"limits\": {\"one\": null}}", "1 limits.one: must be an integer"},
    {"{\"limits\": {\"one\": [1]}}", "1 limits.one: must be an integer"},
    {"{\"limits\": {\"two\": 4294967296}}",
     "1 limits.two: must be an integer from 0 to 4294967295"},
    {"{\"limits\": {\"two\": 18446744073709551616}}", "1 limits.two: must be an integer"},
    {"{\"limits\": {\"one\": 1,\n\"two\": 2,\n\"one\": 1}}",
     "3 limits.one: stands twice, first in line 1; keep one"},
    {"{\"limits\": {\"one\": 1,\n\"\\u006fne\": 1}}", "2 limits.one: stands twice"},
    {"{\"limits\": {},\n\"limits\": {}}", "2 limits: stands twice, first in line 1"},
    {"{\"audit\": {\"file\": 1}}", "1 audit.file: must be a text in double quotes"},
    {"{\"audit\": {\"file\": \"\"}}", "1 audit.file: is empty"},
    {"{\"audit\": {\"fil\": \"a\"}}",
     "1 audit.fil: there is no such setting; write one of: file_bytes, file"},
    {"{\"audit\": {\"file_bytes\": 21}}", "1 audit.file_bytes: must be an integer from 10 to 20"},
    {"{\"metrics\": {\"file\": 1}}", "1 metrics.file: must be a text in double quotes"},
    {"{\"metrics\": {\"path\": \"a\"}}",
     "1 metrics.path: there is no such setting; write one of: file"},
    {"{\"verbs\": {\"inspect\": [\"D:\"]}}", "1 verbs.inspect: must be a text"},
    {"{\"verbs\": {\"open\": \"D:\"}}",
     "1 verbs.open: there is no such setting; write one of: inspect, transfer, revoke"},
    {"{\"rules\": {}}", "1 rules: must be a list of rules"},
    {"{\"rules\": [\n7]}", "2 rules[0]: must be an object"},
    {"{\"rules\": [\n[]]}", "2 rules[0]: must be an object"},
    {"{\"rules\": [\n\n{\"send\": \"D:\"}]}", "3 rules[0].name: is missing"},
    {"{\"rules\": [{\"name\": \"a\",\n\"send\": \"D:\"},\n{\"name\": \"b\"}]}",
     "3 rules[1]: says nothing about its names"},
    {"{\"rules\": [{\"name\": 1, \"send\": \"D:\"}]}", "1 rules[0].name: must be a text"},
    {"{\"rules\": [{\"name\": \"a\",\n\"sned\": \"D:\"}]}",
     "2 rules[0].sned: there is no such setting; write one of: name, open, send, put, get, types, "
     "access_max"},
    {"{\"rules\": [{\"name\": \"a\",\n\"send\": \"S\", \"send\": \"T\"}]}",
     "2 rules[0].send: stands twice, first in line 2"},
    {"{\"rules\": [{\"name\": \"a\", \"send\": false}]}", "1 rules[0].send: must be a text"},
    {"{\"rules\": [{\"name\": \"a\", \"send\": \"\"}]}", "1 rules[0].send: is empty"},
    {"{\"rules\": [{\"name\": \"a\", \"types\": {}}]}", "1 rules[0].types: must name types"},
    {"{\"rules\": [{\"name\": \"a\", \"types\": [\"Event\"]}]}",
     "1 rules[0].types: must name types"},
    {"{\"rules\": [{\"name\": \"a\", \"types\": {\n\"Event\": \"all\"}}]}",
     "2 rules[0].types.Event: must be \"any\", \"read\" or a mask"},
    {"{\"rules\": [{\"name\": \"a\", \"types\": {\"Event\": null}}]}",
     "1 rules[0].types.Event: must be \"any\", \"read\" or a mask"},
    {"{\"rules\": [{\"name\": \"a\", \"types\": {\"Event\": 0}}]}",
     "1 rules[0].types.Event: a mask of zero"},
    {"{\"rules\": [{\"name\": \"a\", \"types\": {\"Event\": -1}}]}",
     "1 rules[0].types.Event: must be \"any\""},
    {"{\"rules\": [{\"name\": \"a\", \"types\": {\"Event\": 4294967296}}]}",
     "1 rules[0].types.Event: must be"},
    {"{\"rules\": [{\"name\": \"a\", \"types\": {\"Event\": 268435456}}]}",
     "1 rules[0].types.Event: GENERIC_* bits"},
    {"{\"rules\": [{\"name\": \"a\", \"types\": {\"Event\": \"0x2000000\"}}]}",
     "1 rules[0].types.Event: MAXIMUM_ALLOWED"},
    {"{\"rules\": [{\"name\": \"a\", \"types\": {\"Event\": \"any\",\n\"Event\": \"any\"}}]}",
     "2 rules[0].types.Event: stands twice"},
    {"{\"rules\": [{\"name\": \"a\", \"access_max\": \"any\"}]}",
     "1 rules[0].access_max: must be a mask: an integer of 32 bits, or as a text"},
    {"{\"rules\": [{\"name\": \"a\", \"access_max\": \"0x\"}]}",
     "1 rules[0].access_max: must be a mask"},
    {"{\"rules\": [{\"name\": \"a\", \"access_max\": \"0X\"}]}",
     "1 rules[0].access_max: must be a mask"},
    {"{\"rules\": [{\"name\": \"a\", \"access_max\": \"0y1\"}]}",
     "1 rules[0].access_max: must be a mask"},
    {"{\"rules\": [{\"name\": \"a\", \"access_max\": \"0x123456789\"}]}",
     "1 rules[0].access_max: must be a mask"},
    {"{\"rules\": [{\"name\": \"a\", \"access_max\": \"0x1g\"}]}",
     "1 rules[0].access_max: must be a mask"},
    {"{\"rules\": [{\"name\": \"a\", \"access_max\": \"1f\"}]}",
     "1 rules[0].access_max: must be a mask"},
    {"{\"rules\": [{\"name\": \"a\", \"access_max\": 16777216}]}",
     "1 rules[0].access_max: ACCESS_SYSTEM_SECURITY"},
};

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct values values = {7, 8, 9};
        struct heard heard;
        struct hbk_config_file file;

        if (read_string(bad[i].text, &values, &heard, &file) != HBK_CONFIG_E_REFUSED)
            fail_msg("accepted: %s", bad[i].text);
        if (strncmp(heard.text, bad[i].says, strlen(bad[i].says)) != 0)
            fail_msg("%s: %s, not %s", bad[i].text, heard.text, bad[i].says);
        assert_int_equal(heard.count, 1);
        assert_int_equal(values.one, 7);
        assert_int_equal(values.two, 8);
        assert_int_equal(values.bytes, 9);
        hbk_config_clear(&file);
    }
}

/* All mistakes are told of, what is right can be read even so, and no value is changed. */
static void test_every_mistake(void **state)
{
    static const char text[] = "{\n"
                               "\"limits\": {\"one\": 0,\n"
                               "\"two\": 5,\n"
                               "\"three\": 3},\n"
                               "\"verbs\": {\"inspect\": \"I\", \"revoke\": 1},\n"
                               "\"rules\": [{\"name\": \"a\", \"send\": \"S\", \"open\": 1,\n"
                               "\"types\": {\"Event\": \"x\", \"File\": \"any\"}}, 7,\n"
                               "{\"get\": \"G\"}]}";
    static const char said[] =
        "2 limits.one: must be an integer from 1 to 100\n"
        "4 limits.three: there is no such setting; write one of: one, two\n"
        "5 verbs.revoke: must be a text in double quotes\n"
        "6 rules[0].open: must be a text in double quotes\n"
        "7 rules[0].types.Event: must be \"any\", \"read\" or a mask: an integer of 32 bits, or as "
        "a "
        "text \"0x...\"\n"
        "7 rules[1]: must be an object: {\"name\": \"session/print/*\", \"send\": "
        "\"D:(A;;GA;;;BA)\"}\n"
        "8 rules[2].name: is missing; write the names that the rule is about, for example "
        "\"session/print/*\"\n";
    struct values values = {7, 8, 9};
    struct heard heard;
    struct hbk_config_file file;

    (void)state;
    assert_int_equal(read_string(text, &values, &heard, &file), HBK_CONFIG_E_REFUSED);
    assert_string_equal(heard.text, said);
    assert_int_equal(values.two, 8);
    assert_text(&file.inspect, "I", 5);
    assert_null(file.revoke.text.data);
    assert_int_equal(file.rules_count, 3);
    assert_text(&file.rules[0].send, "S", 6);
    assert_null(file.rules[0].open.text.data);
    assert_text(&file.rules[2].get, "G", 8);
    hbk_config_clear(&file);
}

/* ---- limits ---- */

/* {"rules": [RULE, RULE, ...]} */
static char *many_rules(size_t count)
{
    static const char rule[] = "{\"name\":\"a\",\"send\":\"S\"},\n";
    char *text = malloc(16 + count * sizeof rule);
    size_t size;

    assert_non_null(text);
    size = (size_t)snprintf(text, 16, "{\"rules\":[");
    for (size_t i = 0; i < count; i++) {
        memcpy(text + size, rule, sizeof rule);
        size += sizeof rule - 1;
    }
    memcpy(text + size - 2, "]}", 3);
    return text;
}

static void test_number_of_rules(void **state)
{
    struct values values = {7, 8, 9};
    struct heard heard;
    struct hbk_config_file file;
    char *text = many_rules(HBK_POLICY_RULES_MAX);

    (void)state;
    assert_int_equal(read_string(text, &values, &heard, &file), 0);
    assert_int_equal(file.rules_count, HBK_POLICY_RULES_MAX);
    assert_int_equal(file.rules[HBK_POLICY_RULES_MAX - 1].line, HBK_POLICY_RULES_MAX);
    hbk_config_clear(&file);
    free(text);
    text = many_rules(HBK_POLICY_RULES_MAX + 1);
    assert_int_equal(read_string(text, &values, &heard, &file), HBK_CONFIG_E_REFUSED);
    assert_string_equal(heard.text, "1 rules: has 257 rules; at most 256 are taken: say more with "
                                    "fewer, by * in their names\n");
    hbk_config_clear(&file);
    free(text);
}

static void test_size(void **state)
{
    static const char small[] = "{\"limits\":{\"one\":5}}";
    struct values values = {7, 8, 9};
    struct heard heard;
    struct hbk_config_file file;
    char *text = malloc(HBK_CONFIG_BYTES_MAX + 1);

    (void)state;
    assert_non_null(text);
    memset(text, ' ', HBK_CONFIG_BYTES_MAX + 1);
    memcpy(text, small, sizeof small - 1);
    assert_int_equal(
        read_text((struct hbk_text){text, HBK_CONFIG_BYTES_MAX + 1}, &values, &heard, &file),
        HBK_CONFIG_E_REFUSED);
    assert_non_null(strstr(heard.text, "larger than 262144 bytes"));
    assert_int_equal(values.one, 7);
    hbk_config_clear(&file);
    assert_int_equal(
        read_text((struct hbk_text){text, HBK_CONFIG_BYTES_MAX}, &values, &heard, &file), 0);
    assert_int_equal(values.one, 5);
    hbk_config_clear(&file);
    free(text);
}

/* Texts and lists at their longest, and one more. */
static void test_lengths(void **state)
{
    static char text[16384];
    static char sddl[HBK_SDDL_BYTES_MAX + 2];
    struct values values = {7, 8, 9};
    struct heard heard;
    struct hbk_config_file file;

    (void)state;
    for (size_t more = 0; more < 2; more++) {
        memset(sddl, 'D', HBK_SDDL_BYTES_MAX + more);
        (void)snprintf(text, sizeof text, "{\"verbs\":{\"inspect\":\"%s\"}}", sddl);
        assert_int_equal(read_string(text, &values, &heard, &file),
                         more ? HBK_CONFIG_E_REFUSED : 0);
        assert_int_equal(heard.count, more);
        if (more)
            assert_non_null(strstr(heard.text, "has 2049 bytes; at most 2048 are taken"));
        hbk_config_clear(&file);
    }
    for (size_t count = HBK_TYPES_MAX; count <= HBK_TYPES_MAX + 1; count++) {
        size_t size =
            (size_t)snprintf(text, sizeof text, "{\"rules\":[{\"name\":\"a\",\"types\":{");

        for (size_t i = 0; i < count; i++)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s\"T%zu\":\"any\"",
                                     i > 0 ? "," : "", i);
        (void)snprintf(text + size, sizeof text - size, "}}]}");
        assert_int_equal(read_string(text, &values, &heard, &file),
                         count > HBK_TYPES_MAX ? HBK_CONFIG_E_REFUSED : 0);
        assert_int_equal(file.rules[0].types_count, HBK_TYPES_MAX);
        hbk_config_clear(&file);
    }
}

static void test_hex_in_either_case(void **state)
{
    static const char *const spellings[] = {"0x1fFfFf", "0X1FFFFF", "0x001fffff"};

    (void)state;
    for (size_t i = 0; i < COUNT(spellings); i++) {
        struct values values = {7, 8, 9};
        struct heard heard;
        struct hbk_config_file file;
        char text[128];

        (void)snprintf(text, sizeof text,
                       "{\"rules\": [{\"name\": \"a\", \"send\": \"D:\", \"access_max\": \"%s\"}]}",
                       spellings[i]);
        assert_int_equal(read_string(text, &values, &heard, &file), 0);
        assert_int_equal(file.rules[0].access_max, 0x1FFFFF);
        hbk_config_clear(&file);
    }
}

/* What could be written is named as far as there is room for it; the last name is a whole one. */
static void test_more_settings_than_a_mistake_can_name(void **state)
{
    static char names[40][32];
    struct hbk_config_field fields[COUNT(names)];
    uint32_t value = 7;
    struct heard heard = {.size = 0};
    struct hbk_config_file file = {.tree = NULL};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(names[i], sizeof names[i], "a_setting_with_a_long_name_%02u", (unsigned)i);
        fields[i] = (struct hbk_config_field){"limits", names[i], 1, 100, &value};
    }
    assert_int_equal(hbk_config_read(hbk_text_from("{\"limits\": {\"short\": 1}}"), fields,
                                     COUNT(names), hear, &heard, &file),
                     HBK_CONFIG_E_REFUSED);
    assert_int_equal(heard.count, 1);
    assert_non_null(strstr(heard.text, "write one of: a_setting_with_a_long_name_00, "));
    assert_string_equal(heard.text + heard.size - 31, " a_setting_with_a_long_name_19\n");
    assert_int_equal(value, 7);
    hbk_config_clear(&file);
}

/* No byte of a file leads anywhere but to a refusal that says where. */
static void test_truncation_at_every_byte(void **state)
{
    struct values values = {7, 8, 9};
    struct heard heard;
    struct hbk_config_file file;

    (void)state;
    for (size_t size = 0; size < sizeof full - 2; size++) {
        assert_int_equal(read_text((struct hbk_text){full, size}, &values, &heard, &file),
                         HBK_CONFIG_E_REFUSED);
        assert_int_equal(heard.count, 1);
        assert_int_equal(values.one, 7);
        assert_null(file.tree);
        assert_null(file.rules);
    }
}

static void test_without_memory(void **state)
{
    struct values values = {7, 8, 9};
    struct heard heard;
    struct hbk_config_file file = {.tree = NULL};
    const struct hbk_config_field field = {"limits", "one", 1, 100, &values.one};
    size_t needed;

    (void)state;
    if (!alloc_fault_works())
        skip();
    heard = (struct heard){.size = 0};
    alloc_fault_arm(SIZE_MAX);
    assert_int_equal(hbk_config_read(hbk_text_from(full), &field, 1, hear, &heard, &file),
                     HBK_CONFIG_E_REFUSED); /* the other numbers are unknown here */
    needed = alloc_fault_disarm();
    hbk_config_clear(&file);
    for (size_t i = 0; i < needed; i++) {
        heard = (struct heard){.size = 0};
        alloc_fault_arm(i);
        const int result = hbk_config_read(hbk_text_from(full), &field, 1, hear, &heard, &file);
        (void)alloc_fault_disarm();
        assert_int_equal(result, -1);
        assert_int_equal(values.one, 7);
        assert_null(file.tree);
        assert_null(file.rules);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_every_mistake),
        cmocka_unit_test(test_number_of_rules),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_truncation_at_every_byte),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_hex_in_either_case),
        cmocka_unit_test(test_more_settings_than_a_mistake_can_name),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
