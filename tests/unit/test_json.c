/* proto/codec/json: the strict profile. What stands in `good` has its twin in `bad`. */
#include "test_support.h"
#include "alloc_fault.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NO_OFFSET ((size_t)-1)

/* A literal that may hold NUL. */
#define LINE(literal) literal, sizeof(literal) - 1

static const struct {
    const char *bytes;
    size_t size;
} good[] = {
    {LINE("{}")},
    {LINE("  {  }  ")},
    {LINE("{\"a\":1}")},
    {LINE(" { \"a\" : 1 , \"b\" : [ ] , \"c\" : { } } ")},
    {LINE("{\"a\":[1,-1,0,\"\",true,false,null,{},[]]}")},
    {LINE("{\"a\":12345678901234567890}")},
    {LINE("{\"a\":-12345678901234567890}")},
    {LINE("{\"a\":18446744073709551615}")},
    {LINE("{\"a\":9007199254740993}")},
    {LINE("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00e9\\uFFFF\"}")},
    {LINE("{\"a\":\"\\ud83d\\ude00\\uD83D\\uDE00\"}")},
    {LINE("{\"a\":\"\\ue000\\ud7ff\"}")},
    {LINE("{\"a\":\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"}")},
    {LINE("{\"a\":\"\xEF\xBB\xBF\"}")},
    {LINE("{\"a\":1,\"A\":2,\"aa\":3,\"\":4,\"\\u0061\\u0062\":5}")},
    {LINE("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}")},
    {LINE("{\"\xC3\xA9\":1,\"e\":1}")},
    {LINE("{\"\\ue000\":1,\"\\ud7ff\":1,\"\\ud83d\\ude00\":1}")},
    /* Different keys of one FNV-1a hash, of one length and where one begins the other. */
    {LINE("{\"glbvs\":1,\"yacxa\":1}")},
    {LINE("{\"a\":1,\"aeihmaadm\":1}")},
    {LINE("{\"aeihmaadm\":1,\"a\":1}")},
    {LINE("{\"a\":[[[[[[[]]]]]]]}")}, /* depth 8 */
    {LINE("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}")},
};

static const struct {
    const char *bytes;
    size_t size;
    size_t at;        /* offset that the detail names */
    const char *says; /* part of the detail */
} bad[] = {
    {LINE(""), 0, "nothing here"},
    {LINE("   "), 3, "nothing here"},
    {LINE("\r"), 0, "LF alone"},
    {LINE("{}\r"), 2, "LF alone"},
    {LINE("{\"a\":1}\r"), 7, "LF alone"},
    {LINE("{\"a\"\r:1}"), 4, "LF alone"},
    {LINE("{\t}"), 1, "blanks in a line are spaces"},
    {LINE("\t{}"), 0, "blanks in a line are spaces"},
    {LINE("{\n}"), 1, "blanks in a line are spaces"},
    {LINE("{\v}"), 1, "control byte"},
    {LINE("\xEF\xBB\xBF{}"), 0, "byte order mark"},
    {LINE("\xFF\xFE{\0}\0"), 0, "UTF-8"},
    {LINE("\0"), 0, "control byte"},
    {LINE("{}\0"), 2, "control byte"},
    {LINE("{\"a\0\":1}"), 3, "control byte"},
    {LINE("{\"a\":\"\0\"}"), 6, "control byte"},
    {LINE("{\"a\":\0}"), 5, "control byte"},
    {LINE("{\"a\":\"\\u0000\"}"), 6, "U+0000"},
    {LINE("{\"\\u0000\":1}"), 2, "U+0000"},
    {LINE("{\"a\":\"\x01\"}"), 6, "control byte"},
    {LINE("{\"a\":\"\x1F\"}"), 6, "control byte"},
    {LINE("{\"a\":\"\t\"}"), 6, "control byte"},
    {LINE("{\"a\":\"\r\"}"), 6, "control byte"},
    {LINE("{\"a\":\"\xC0\x80\"}"), 6, "UTF-8"},
    {LINE("{\"a\":\"\xE0\x80\xAF\"}"), 6, "UTF-8"},
    {LINE("{\"a\":\"\xED\xA0\x80\"}"), 6, "UTF-8"},
    {LINE("{\"a\":\"\xED\xA0\xBD\xED\xB8\x80\"}"), 6, "UTF-8"},
    {LINE("{\"a\":\"\xF4\x90\x80\x80\"}"), 6, "UTF-8"},
    {LINE("{\"a\":\"\xE2\x82\"}"), 6, "UTF-8"},
    {LINE("{\"a\":\"\\ud800\"}"), 6, "surrogate"},
    {LINE("{\"a\":\"\\udc00\"}"), 6, "surrogate"},
    {LINE("{\"a\":\"\\ud800\\u0041\"}"), 6, "surrogate"},
    {LINE("{\"a\":\"\\ud800\\ud800\"}"), 6, "surrogate"},
    {LINE("{\"a\":\"\\ude00\\ud83d\"}"), 6, "surrogate"},
    {LINE("{\"a\":\"\\ud83dx\"}"), 6, "surrogate"},
    {LINE("{\"a\":\"\\ud83dx and more\"}"), 6, "surrogate"},
    {LINE("{\"a\":\"\\ud83d\\nde00\"}"), 6, "surrogate"},
    {LINE("{\"a\":\"\\ud83dxude00\"}"), 6, "surrogate"},
    {LINE("{\"a\":\"\\ud83d\\ue000\"}"), 6, "surrogate"},
    {LINE("{\"a\":\"\\ud83d\\ude0g\"}"), 6, "surrogate"},
    {LINE("{\"a\":\"\\u12g4\"}"), 6, "hexadecimal"},
    {LINE("{\"a\":\"\\u12:4\"}"), 6, "hexadecimal"},
    {LINE("{\"a\":\"\\u12G4\"}"), 6, "hexadecimal"},
    {LINE("{\"a\":\"\\u12"), 6, "hexadecimal"},
    {LINE("{\"a\":\"\\U0041\"}"), 6, "escape"},
    {LINE("{\"a\":\"\\x41\"}"), 6, "escape"},
    {LINE("{\"a\":\"\\'\"}"), 6, "escape"},
    {LINE("{\"a\":\"\\\0\"}"), 6, "escape"},
    {LINE("{\"a\":\"\\"), 6, "escape"},
    {LINE("{\"a\":\"b"), 5, "closing quote"},
    {LINE("{} {}"), 3, "one object a line"},
    {LINE("{}{}"), 2, "one object a line"},
    {LINE("{}x"), 2, "one object a line"},
    {LINE("{},"), 2, "one object a line"},
    {LINE("{}}"), 2, "one object a line"},
    {LINE("[]"), 0, "one by one"},
    {LINE("[{\"jsonrpc\":\"2.0\"}]"), 0, "one by one"},
    {LINE("null"), 0, "no JSON object"},
    {LINE("1"), 0, "no JSON object"},
    {LINE("\"a\""), 0, "no JSON object"},
    {LINE("}"), 0, "no JSON object"},
    {LINE("{"), 1, "ends in the middle"},
    {LINE("{\"a\":[1"), 7, "ends in the middle"},
    {LINE("{\"a\":1,}"), 7, "key in double quotes"},
    {LINE("{,}"), 1, "key in double quotes"},
    {LINE("{a:1}"), 1, "key in double quotes"},
    {LINE("{'a':1}"), 1, "key in double quotes"},
    {LINE("{1:1}"), 1, "key in double quotes"},
    {LINE("{\"a\"}"), 4, "colon"},
    {LINE("{\"a\" 1}"), 5, "colon"},
    {LINE("{\"a\":}"), 5, "no JSON value"},
    {LINE("{\"a\":[1,]}"), 8, "no JSON value"},
    {LINE("{\"a\":[,1]}"), 6, "no JSON value"},
    {LINE("{\"a\":[1 2]}"), 8, "comma or ]"},
    {LINE("{\"a\":[1}"), 7, "comma or ]"},
    {LINE("{\"a\":1]"), 6, "comma or }"},
    {LINE("{\"a\":1 \"b\":2}"), 7, "comma or }"},
    {LINE("{\"a\":/**/1}"), 5, "no JSON value"},
    {LINE("{\"a\":tru}"), 5, "no JSON value"},
    {LINE("{\"a\":True}"), 5, "no JSON value"},
    {LINE("{\"a\":truee}"), 9, "comma or }"},
    {LINE("{\"a\":nul"), 5, "no JSON value"},
    {LINE("{\"a\":NaN}"), 5, "no JSON value"},
    {LINE("{\"a\":Infinity}"), 5, "no JSON value"},
    {LINE("{\"a\":+1}"), 5, "no JSON value"},
    {LINE("{\"a\":.5}"), 5, "no JSON value"},
    {LINE("{\"a\":-}"), 5, "without digits"},
    {LINE("{\"a\":-a}"), 5, "without digits"},
    {LINE("{\"a\":--1}"), 5, "without digits"},
    {LINE("{\"a\":-0}"), 5, "leading zero"},
    {LINE("{\"a\":00}"), 5, "leading zero"},
    {LINE("{\"a\":007}"), 5, "leading zero"},
    {LINE("{\"a\":-07}"), 5, "leading zero"},
    {LINE("{\"a\":1.}"), 5, "only integers"},
    {LINE("{\"a\":1.0}"), 5, "only integers"},
    {LINE("{\"a\":1.5}"), 5, "only integers"},
    {LINE("{\"a\":0.5}"), 5, "only integers"},
    {LINE("{\"a\":1e3}"), 5, "only integers"},
    {LINE("{\"a\":1E3}"), 5, "only integers"},
    {LINE("{\"a\":1e999}"), 5, "only integers"},
    {LINE("{\"a\":0x10}"), 6, "comma or }"},
    {LINE("{\"a\":123456789012345678901}"), 5, "more than 20 digits"},
    {LINE("{\"a\":-123456789012345678901}"), 5, "more than 20 digits"},
    {LINE("{\"a\":1,\"a\":2}"), 7, "same key twice"},
    {LINE("{\"a\":1,\"b\":1,\"a\":1}"), 13, "same key twice"},
    {LINE("{\"a\":1,\"\\u0061\":2}"), 7, "same key twice"},
    {LINE("{\"\\u00e9\":1,\"\xC3\xA9\":2}"), 12, "same key twice"},
    {LINE("{\"\\u00E9\":1,\"\\u00e9\":2}"), 12, "same key twice"},
    {LINE("{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}"), 18, "same key twice"},
    {LINE("{\"\\u20ac\":1,\"\xE2\x82\xAC\":2}"), 12, "same key twice"},
    {LINE("{\"/\":1,\"\\/\":2}"), 7, "same key twice"},
    {LINE("{\"\\n\":1,\"\\u000a\":2}"), 8, "same key twice"},
    {LINE("{\"\":1,\"\":2}"), 6, "same key twice"},
    {LINE("{\"x\":{\"a\":1,\"a\":2}}"), 12, "same key twice"},
    {LINE("{\"x\":[{\"a\":{}},{\"a\":1,\"a\":2}]}"), 22, "same key twice"},
    {LINE("{\"x\":{\"y\":1},\"x\":2}"), 13, "same key twice"},
    {LINE("{\"a\":[[[[[[[[]]]]]]]]}"), 12, "more than 8 deep"},
    {LINE("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}"), 40,
     "more than 8 deep"},
};

static int check(const char *bytes, size_t size, struct hbk_error *error)
{
    /* A copy of exactly that size: a byte read too far is seen by the sanitizer. */
    char *copy = malloc(size ? size : 1);
    int result;

    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    result = hbk_json_check((struct hbk_text){copy, size}, error);
    free(copy);
    return result;
}

static void assert_refused(const char *bytes, size_t size, size_t at, const char *says)
{
    struct hbk_error error = {0};
    char prefix[40];

    if (check(bytes, size, &error) != HBK_JSON_E_REFUSED)
        fail_msg("accepted: %.*s", (int)size, bytes);
    assert_int_equal(error.code, HBK_R_PARSE_ERROR);
    assert_int_equal(error.item, -1);
    if (at != NO_OFFSET) {
        (void)snprintf(prefix, sizeof prefix, "at byte %zu: ", at);
        if (strncmp(error.detail, prefix, strlen(prefix)) != 0)
            fail_msg("%.*s: %s, not %s", (int)size, bytes, error.detail, prefix);
    }
    if (strstr(error.detail, says) == NULL)
        fail_msg("%.*s: %s, not %s", (int)size, bytes, error.detail, says);
}

static void assert_accepted(const char *bytes, size_t size)
{
    struct hbk_error error = {0};

    if (check(bytes, size, &error) != 0)
        fail_msg("refused: %.*s: %s", (int)size, bytes, error.detail);
    assert_int_equal(error.code, 0);
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_accepted(good[i].bytes, good[i].size);
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(bad[i].bytes, bad[i].size, bad[i].at, bad[i].says);
}

static void test_truncation_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        size_t end = good[i].size;

        while (end > 0 && good[i].bytes[end - 1] == ' ')
            end--;
        for (size_t size = 0; size < end; size++)
            assert_refused(good[i].bytes, size, NO_OFFSET, "");
    }
}

static void test_every_control_byte(void **state)
{
    (void)state;
    for (int byte = 0; byte < 0x20; byte++) {
        char outside[] = "{ }";
        char inside[] = "{\"a\":\"x\"}";

        outside[1] = (char)byte;
        inside[6] = (char)byte;
        assert_refused(outside, 3, 1, "");
        assert_refused(inside, 9, 6, "control byte");
    }
}

/* ---- files ---- */

static int check_file(const char *text, uint32_t *lines, struct hbk_error *error)
{
    const struct hbk_text whole = hbk_text_from(text);
    char *copy = malloc(whole.size ? whole.size : 1);
    int result;

    assert_non_null(copy);
    if (whole.size > 0)
        memcpy(copy, whole.data, whole.size);
    result = hbk_json_check_file((struct hbk_text){copy, whole.size}, lines, error);
    free(copy);
    return result;
}

static void test_lines_of_a_file(void **state)
{
    static uint32_t lines[HBK_JSON_FILE_VALUES_MAX];
    static const char text[] = "\r\n{\r\n\t\"a\" :\t[1,\n2], \"b\"\n:\n{}\n,\"c\":\n[\n[\n]]}\n";
    static const uint32_t expected[] = {2, 3, 3, 4, 4, 7, 9};
    struct hbk_error error = {0};

    (void)state;
    assert_int_equal(check_file(text, lines, &error), 0);
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(lines[i], expected[i]);
    assert_int_equal(lines[COUNT(expected)], 0);
    assert_refused(text, sizeof text - 1, 0, "LF alone");
    /* A key that stands twice is let through: its reader can say where the other one is. */
    assert_int_equal(check_file("{\"a\":1,\n\"a\":2}", lines, &error), 0);
    assert_int_equal(lines[1], 1);
    assert_int_equal(lines[2], 2);
}

static void test_refused_files(void **state)
{
    static uint32_t lines[HBK_JSON_FILE_VALUES_MAX];
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "line 1: column 1: nothing here; a JSON object"},
        {"\n\n  ", "line 3: column 3: nothing here"},
        {"\xEF\xBB\xBF{}", "line 1: column 1: a byte order mark; save"},
        {"{}\n{}", "line 2: column 1: something follows the object; there must be one alone"},
        {"\n[]", "line 2: column 1: this is no JSON object"},
        {"{\n\"a\": 1,\n}", "line 3: column 1: a key in double quotes"},
        {"{\n\"a\": 1.5\n}", "line 2: column 6: a number with a fraction"},
        {"{\n\"a\": \"\t\"}", "line 2: column 7: a control byte"},
        {"{\n\n\"a\": \"\xFF\"}", "line 3: column 7: not valid UTF-8"},
        {"{\v}", "line 1: column 2: a control byte"},
        {"{\n\"a\":\n\"b", "line 3: column 1: a string without its closing quote"},
        {"{\n// why\n}", "line 2: column 1: a key in double quotes"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hbk_error error = {0};

        assert_int_equal(check_file(rows[i].text, lines, &error), HBK_JSON_E_REFUSED);
        if (strncmp(error.detail, rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("%s: %s, not %s", rows[i].text, error.detail, rows[i].says);
    }
}

static void test_values_of_a_file(void **state)
{
    static uint32_t lines[HBK_JSON_FILE_VALUES_MAX];
    static char text[2 * HBK_JSON_FILE_VALUES_MAX + 16] = "{\"a\":[";
    struct hbk_error error = {0};
    size_t size = strlen(text);

    (void)state;
    for (size_t i = 0; i < HBK_JSON_FILE_VALUES_MAX - 3; i++) {
        text[size++] = '1';
        text[size++] = ',';
    }
    (void)snprintf(text + size, sizeof text - size, "1]}");
    assert_int_equal(check_file(text, lines, &error), 0);
    (void)snprintf(text + size, sizeof text - size, "1,1]}");
    assert_int_equal(check_file(text, lines, &error), HBK_JSON_E_REFUSED);
    assert_non_null(strstr(error.detail, "more than 16384 values"));
}

/* ---- width ---- */

/* {"a":[1,1,...]} with @count ones, or {"0":1,"1":1,...} with @count members. */
static void check_wide(bool object, size_t count, const char *says)
{
    const size_t room = 16 + count * 12;
    char *text = malloc(room);
    size_t size;

    assert_non_null(text);
    size = (size_t)snprintf(text, room, "%s", object ? "{" : "{\"a\":[");
    for (size_t i = 0; i < count; i++) {
        const char *between = i > 0 ? "," : "";

        if (object)
            size += (size_t)snprintf(text + size, room - size, "%s\"%zu\":1", between, i);
        else
            size += (size_t)snprintf(text + size, room - size, "%s1", between);
    }
    size += (size_t)snprintf(text + size, room - size, "%s", object ? "}" : "]}");
    if (says != NULL)
        assert_refused(text, size, NO_OFFSET, says);
    else
        assert_accepted(text, size);
    free(text);
}

static void test_width(void **state)
{
    (void)state;
    /* The object and the array are values too. */
    check_wide(false, HBK_JSON_VALUES_MAX - 2, NULL);
    check_wide(false, HBK_JSON_VALUES_MAX - 1, "values");
    check_wide(true, HBK_JSON_MEMBERS_MAX, NULL);
    check_wide(true, HBK_JSON_MEMBERS_MAX + 1, "members");
}

static void test_400_digits(void **state)
{
    char text[420] = "{\"a\":";

    (void)state;
    memset(text + 5, '9', 400);
    text[405] = '}';
    assert_refused(text, 406, 5, "more than 20 digits");
}

static void test_nothing_is_allocated(void **state)
{
    struct hbk_error error;

    (void)state;
    if (!alloc_fault_works())
        skip();
    alloc_fault_arm(0);
    for (size_t i = 0; i < COUNT(good); i++)
        (void)hbk_json_check((struct hbk_text){good[i].bytes, good[i].size}, &error);
    assert_int_equal(alloc_fault_disarm(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_truncation_at_every_byte),
        cmocka_unit_test(test_every_control_byte),
        cmocka_unit_test(test_lines_of_a_file),
        cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_values_of_a_file),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_400_digits),
        cmocka_unit_test(test_nothing_is_allocated),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
