/* proto/base: results, errors, arithmetic, texts, UTF-8, the buffer. */
#include "test_support.h"
#include "alloc_fault.h"
#include "base.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct {
    int32_t code;
    const char *name, *meaning;
} results[] = {
#define HBK_RESULT(name, code, text, meaning) {HBK_R_##name, text, meaning},
#include "results.def"
#undef HBK_RESULT
};

static void test_results_have_names(void **state)
{
    (void)state;
    assert_string_equal(hbk_result_name(HBK_R_BAD_HANDLE), "bad_handle");
    assert_int_equal(HBK_R_PARSE_ERROR, -32700);
    for (size_t i = 0; i < COUNT(results); i++) {
        assert_string_equal(hbk_result_name(results[i].code), results[i].name);
        assert_true(hbk_result_place(results[i].code) < HBK_RESULT_COUNT);
        assert_string_equal(hbk_result_name_at(hbk_result_place(results[i].code)), results[i].name);
        assert_string_equal(hbk_result_meaning(results[i].code), results[i].meaning);
    }
}

static void test_no_results_have_no_names(void **state)
{
    static const int32_t codes[] = {HBK_R_OK, -1, 17, -32604, INT32_MIN, INT32_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        assert_null(hbk_result_name(codes[i]));
        assert_int_equal(hbk_result_place(codes[i]), HBK_RESULT_COUNT);
        assert_null(hbk_result_meaning(codes[i]));
    }
}

static void test_results_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(results); i++) {
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(results[i].code, results[j].code);
            assert_string_not_equal(results[i].name, results[j].name);
        }
    }
}

static void test_error_is_set(void **state)
{
    struct hbk_error error;

    (void)state;
    memset(&error, 0xAA, sizeof error);
    hbk_error_set(&error, HBK_R_DENIED, "%s: %d", "no", 7);
    assert_int_equal(error.code, HBK_R_DENIED);
    assert_int_equal(error.item, -1);
    assert_int_equal(error.win32, 0);
    assert_string_equal(error.limit, "");
    assert_string_equal(error.detail, "no: 7");
}

/* Every length around the limit, with characters of 1 to 4 bytes across the cut. */
static void test_error_is_cut_at_a_character(void **state)
{
    static const char *const characters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    struct hbk_error error;
    char text[HBK_DETAIL_BYTES_MAX * 2];

    (void)state;
    for (size_t c = 0; c < COUNT(characters); c++) {
        const size_t step = strlen(characters[c]);

        for (size_t lead = HBK_DETAIL_BYTES_MAX - 8; lead <= HBK_DETAIL_BYTES_MAX + 1; lead++) {
            size_t expected = lead;

            memset(text, 'x', lead);
            text[lead] = '\0';
            for (int i = 0; i < 4; i++)
                memcpy(text + lead + (size_t)i * step, characters[c], step + 1);
            while (expected + step <= HBK_DETAIL_BYTES_MAX && expected < lead + 4 * step)
                expected += step;
            if (lead > HBK_DETAIL_BYTES_MAX)
                expected = HBK_DETAIL_BYTES_MAX;
            hbk_error_set(&error, HBK_R_DENIED, "%s", text);
            assert_int_equal(strlen(error.detail), expected);
            assert_memory_equal(error.detail, text, expected);
            assert_int_equal(hbk_utf8_check(error.detail, expected), expected);
        }
    }
}

static void test_error_detail_is_utf8_whatever_comes(void **state)
{
    struct hbk_error error;

    (void)state;
    hbk_error_set(&error, HBK_R_DENIED, "a%sz", "\xFF\xC3)\xED\xA0\x80");
    assert_string_equal(error.detail, "a?"
                                      "?)?"
                                      "?"
                                      "?z");
    hbk_error_set(&error, HBK_R_DENIED, "%s", "whole, with half a character \xE2\x82");
    assert_string_equal(error.detail, "whole, with half a character ?"
                                      "?");
}

/* What was cut off was not UTF-8 before: then there is no character to drop, only bytes to replace. */
static void test_error_is_cut_in_what_is_no_text(void **state)
{
    char text[HBK_DETAIL_BYTES_MAX + 8];
    struct hbk_error error;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text + HBK_DETAIL_BYTES_MAX - 2, "\x80\xBF", 2);
    hbk_error_set(&error, HBK_R_DENIED, "%s", text);
    assert_int_equal(strlen(error.detail), HBK_DETAIL_BYTES_MAX);
    assert_string_equal(error.detail + HBK_DETAIL_BYTES_MAX - 3, "x?"
                                                                 "?");
}

/* A detail that the C library cannot format is none; the code stands. */
static void test_error_that_cannot_be_formatted(void **state)
{
    static const wchar_t none[] = {L'a', (wchar_t)0xDFFF, 0};
    struct hbk_error error;

    (void)state;
    hbk_error_set(&error, HBK_R_DENIED, "before %ls", none);
    assert_int_equal(error.code, HBK_R_DENIED);
    assert_int_equal(error.item, -1);
    assert_int_equal(hbk_utf8_check(error.detail, strlen(error.detail)), strlen(error.detail));
#if defined(__GLIBC__)
    assert_string_equal(error.detail, "");
#endif
}

static void test_error_limit(void **state)
{
    struct hbk_error error;

    (void)state;
    hbk_error_set(&error, HBK_R_QUOTA, "x");
    hbk_error_set_limit(&error, "pins");
    assert_string_equal(error.limit, "pins");
    hbk_error_set_limit(&error, "0123456789012345678901234567890123456789");
    assert_int_equal(strlen(error.limit), HBK_LIMIT_NAME_BYTES_MAX);
    hbk_error_set_limit(&error, NULL);
    assert_string_equal(error.limit, "");
}

static void test_arithmetic(void **state)
{
    uint32_t word = 1;
    size_t size = 1;

    (void)state;
    assert_true(hbk_add_u32(UINT32_MAX - 1, 1, &word));
    assert_int_equal(word, UINT32_MAX);
    assert_true(hbk_add_size(SIZE_MAX - 2, 2, &size));
    assert_true(size == SIZE_MAX);
    assert_true(hbk_mul_size(SIZE_MAX / 2, 2, &size));
    assert_true(size == SIZE_MAX - 1);
    assert_true(hbk_mul_size(SIZE_MAX, 0, &size));
    assert_int_equal(size, 0);
    assert_true(hbk_mul_size(0, SIZE_MAX, &size));
    assert_int_equal(size, 0);
}

static void test_arithmetic_refuses_and_leaves(void **state)
{
    uint32_t word = 77;
    size_t size = 77;

    (void)state;
    assert_false(hbk_add_u32(UINT32_MAX, 1, &word));
    assert_false(hbk_add_size(SIZE_MAX, 1, &size));
    assert_false(hbk_add_size(1, SIZE_MAX, &size));
    assert_false(hbk_mul_size(SIZE_MAX / 2 + 1, 2, &size));
    assert_false(hbk_mul_size(2, SIZE_MAX, &size));
    assert_int_equal(word, 77);
    assert_int_equal(size, 77);
}

static void test_texts(void **state)
{
    const struct hbk_text absent = hbk_text_from(NULL);
    const struct hbk_text empty = hbk_text_from("");
    const struct hbk_text text = hbk_text_from("abc");

    (void)state;
    assert_null(absent.data);
    assert_int_equal(text.size, 3);
    assert_true(hbk_text_equal(absent, absent));
    assert_true(hbk_text_equal(empty, empty));
    assert_false(hbk_text_equal(absent, empty));
    assert_false(hbk_text_equal(empty, absent));
    assert_true(hbk_text_is(text, "abc"));
    assert_false(hbk_text_is(text, "ab"));
    assert_false(hbk_text_is(text, "abd"));
    assert_false(hbk_text_is(absent, ""));
    assert_true(hbk_text_is(empty, ""));
}

static void test_quote(void **state)
{
    char quoted[HBK_QUOTE_BYTES];
    char text[256];

    (void)state;
    assert_string_equal(hbk_text_quote(hbk_text_from("handle.send"), quoted), "\"handle.send\"");
    assert_string_equal(hbk_text_quote(hbk_text_from("a\"\\\n\x7F\xC3\xA9"), quoted),
                        "\"a\\x22\\x5c\\x0a\\x7f\\xc3\\xa9\"");
    assert_string_equal(hbk_text_quote(hbk_text_from(NULL), quoted), "\"\"");
    for (size_t size = 0; size < sizeof text; size++) {
        memset(text, size % 2 ? 'x' : '\x1B', size);
        (void)hbk_text_quote((struct hbk_text){text, size}, quoted);
        assert_true(strlen(quoted) < sizeof quoted);
        assert_int_equal(quoted[strlen(quoted) - 1], '"');
    }
}

static void test_utf8(void **state)
{
    static const struct {
        const char *bytes;
        size_t size, bad;
    } cases[] = {
        {"", 0, 0},
        {"ascii only, longer than eight", 29, 29},
        {"\x00", 1, 1}, /* U+0000 is valid UTF-8; the JSON check refuses it */
        {"\x7F", 1, 1},
        {"\x80", 1, 0}, /* a tail alone */
        {"\xBF", 1, 0},
        {"\xC0\x80", 2, 0}, /* overlong U+0000 */
        {"\xC1\xBF", 2, 0}, /* overlong */
        {"\xC2\x80", 2, 2}, /* U+0080 */
        {"\xDF\xBF", 2, 2},
        {"\xC2", 1, 0}, /* cut */
        {"\xC2\x7F", 2, 0},
        {"\xC2\xC0", 2, 0},
        {"\xE0\x9F\xBF", 3, 0}, /* overlong */
        {"\xE0\xA0\x80", 3, 3}, /* U+0800 */
        {"\xE0\xA0", 2, 0},
        {"\xE1\x80\x7F", 3, 0},
        {"\xED\x9F\xBF", 3, 3}, /* U+D7FF */
        {"\xED\xA0\x80", 3, 0}, /* surrogates */
        {"\xED\xBF\xBF", 3, 0},
        {"\xEE\x80\x80", 3, 3}, /* U+E000 */
        {"\xEF\xBF\xBF", 3, 3},
        {"\xF0\x8F\xBF\xBF", 4, 0}, /* overlong */
        {"\xF0\x90\x80\x80", 4, 4}, /* U+10000 */
        {"\xF0\x90\x80", 3, 0},
        {"\xF0\x90\x80\xC0", 4, 0},
        {"\xF1\x80\x80\x80", 4, 4}, /* U+40000 */
        {"\xF3\xBF\xBF\xBF", 4, 4},
        {"\xF4\x8F\xBF\xBF", 4, 4}, /* U+10FFFF */
        {"\xF4\x90\x80\x80", 4, 0}, /* past it */
        {"\xF5\x80\x80\x80", 4, 0},
        {"\xF8\x88\x80\x80\x80", 5, 0},
        {"\xFE", 1, 0},
        {"\xFF", 1, 0},
        {"12345678\xFF", 9, 8}, /* behind the fast path */
        {"1234567\xC3\xA9", 9, 9},
        {"1234567\xC3", 8, 7},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(hbk_utf8_check(cases[i].bytes, cases[i].size), cases[i].bad);
}

static void test_buffer_grows_to_its_limit(void **state)
{
    struct hbk_buffer buffer;

    (void)state;
    hbk_buffer_init(&buffer, 1000);
    for (int i = 0; i < 1000; i++)
        hbk_buffer_append(&buffer, &(char){(char)i}, 1);
    assert_false(buffer.failed);
    assert_int_equal(buffer.size, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal((char)buffer.data[i], (char)i);
    assert_true(buffer.capacity <= 1000);
    hbk_buffer_deinit(&buffer);
}

static void test_buffer_past_its_limit_writes_nothing(void **state)
{
    struct hbk_buffer buffer;

    (void)state;
    hbk_buffer_init(&buffer, 10);
    hbk_buffer_append(&buffer, "12345678", 8);
    hbk_buffer_append(&buffer, "abc", 3);
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 8);
    hbk_buffer_append(&buffer, "x", 1); /* would fit, but a hole would come before it */
    assert_int_equal(buffer.size, 8);
    hbk_buffer_truncate(&buffer, 4);
    assert_false(buffer.failed);
    hbk_buffer_append(&buffer, "xyz123", 6);
    assert_false(buffer.failed);
    assert_memory_equal(buffer.data, "1234xyz123", 10);
    hbk_buffer_clear(&buffer);
    assert_int_equal(buffer.size, 0);
    assert_non_null(buffer.data);
    hbk_buffer_deinit(&buffer);
    assert_null(buffer.data);
    hbk_buffer_deinit(&buffer);
}

static void test_buffer_absurd_size_fails(void **state)
{
    struct hbk_buffer buffer = {0};

    (void)state;
    hbk_buffer_append(&buffer, "x", 1);
    hbk_buffer_append(&buffer, "", SIZE_MAX);
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 1);
    hbk_buffer_truncate(&buffer, 1);
    hbk_buffer_append(&buffer, "", SIZE_MAX / 2 + 2); /* which no doubling reaches */
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, 1);
    assert_int_equal(buffer.data[0], 'x');
    hbk_buffer_deinit(&buffer);
}

static void test_buffer_consume_and_shrink(void **state)
{
    struct hbk_buffer buffer = {0};
    char big[5000];

    (void)state;
    memset(big, 'a', sizeof big);
    hbk_buffer_append(&buffer, big, sizeof big);
    hbk_buffer_append(&buffer, "tail", 4);
    hbk_buffer_consume(&buffer, 0);
    hbk_buffer_consume(&buffer, sizeof big);
    assert_int_equal(buffer.size, 4);
    assert_memory_equal(buffer.data, "tail", 4);
    hbk_buffer_shrink(&buffer);
    assert_true(buffer.capacity < 1000);
    assert_memory_equal(buffer.data, "tail", 4);
    hbk_buffer_consume(&buffer, 4);
    assert_int_equal(buffer.size, 0);
    hbk_buffer_deinit(&buffer);
}

static void test_buffer_without_memory_fails(void **state)
{
    struct hbk_buffer buffer = {0};

    (void)state;
    if (!alloc_fault_works())
        skip();
    hbk_buffer_append(&buffer, "x", 1);
    for (size_t i = 0; i < 300; i++) {
        alloc_fault_arm(0);
        hbk_buffer_append(&buffer, "y", 1);
        (void)alloc_fault_disarm();
        if (buffer.failed)
            break;
    }
    assert_true(buffer.failed);
    assert_int_equal(buffer.size, buffer.capacity);
    hbk_buffer_truncate(&buffer, 1);
    assert_int_equal(buffer.data[0], 'x');
    hbk_buffer_deinit(&buffer);
}

/* With less memory to be had, what is held serves as well. */
static void test_buffer_that_cannot_shrink_stays(void **state)
{
    struct hbk_buffer buffer = {0};
    size_t capacity;

    (void)state;
    if (!alloc_fault_works())
        skip();
    for (size_t i = 0; i < 10000; i++)
        hbk_buffer_append(&buffer, "y", 1);
    hbk_buffer_consume(&buffer, 9999);
    capacity = buffer.capacity;
    alloc_fault_arm(0);
    hbk_buffer_shrink(&buffer);
    assert_int_equal(alloc_fault_disarm(), 1);
    assert_int_equal(buffer.capacity, capacity);
    assert_int_equal(buffer.size, 1);
    assert_int_equal(buffer.data[0], 'y');
    assert_false(buffer.failed);
    hbk_buffer_shrink(&buffer);
    assert_true(buffer.capacity < capacity);
    assert_int_equal(buffer.data[0], 'y');
    hbk_buffer_deinit(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_have_names),
        cmocka_unit_test(test_no_results_have_no_names),
        cmocka_unit_test(test_results_are_unique),
        cmocka_unit_test(test_error_is_set),
        cmocka_unit_test(test_error_is_cut_at_a_character),
        cmocka_unit_test(test_error_detail_is_utf8_whatever_comes),
        cmocka_unit_test(test_error_is_cut_in_what_is_no_text),
        cmocka_unit_test(test_error_that_cannot_be_formatted),
        cmocka_unit_test(test_error_limit),
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_arithmetic_refuses_and_leaves),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_buffer_grows_to_its_limit),
        cmocka_unit_test(test_buffer_past_its_limit_writes_nothing),
        cmocka_unit_test(test_buffer_absurd_size_fails),
        cmocka_unit_test(test_buffer_consume_and_shrink),
        cmocka_unit_test(test_buffer_without_memory_fails),
        cmocka_unit_test(test_buffer_that_cannot_shrink_stays),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
