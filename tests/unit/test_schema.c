/* Tests that the tables of schema.h generate: each message both ways, and each of its fields missing,
 * renamed, of every wrong type and at the edges of its range. A field that is added later is tested by
 * being in the table. */
#include "test_support.h"
#include "alloc_fault.h"
#include "codec_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Writes the sample anew into @line. */
static struct sample_value rewrite(const struct sample *sample, struct hbk_buffer *line)
{
    hbk_buffer_clear(line);
    return sample_write(sample, line);
}

static void assert_sample_accepted(const struct sample *sample, const struct hbk_buffer *line)
{
    struct hbk_message message = {0};
    struct hbk_buffer back = {0};

    if (sample_read(sample->kind, sample->method, &message, buffer_text(line)) != 0)
        fail_msg("refused: %.*s: %s", (int)line->size, (const char *)line->data,
                 message.error.detail);
    assert_int_equal(message.method, sample->method);
    /* The samples are in the encoder's own spelling and order. */
    sample_write_back(sample->kind, &message, &back);
    assert_false(back.failed);
    if (back.size != line->size + 1 || memcmp(back.data, line->data, line->size) != 0)
        fail_msg("%.*s became %.*s", (int)line->size, (const char *)line->data, (int)back.size,
                 (const char *)back.data);
    assert_int_equal(back.data[line->size], '\n');
    hbk_message_clear(&message);
    hbk_buffer_deinit(&back);
}

static void assert_sample_refused(const struct sample *sample, const struct hbk_buffer *line,
                                  int32_t code, const char *says)
{
    struct hbk_message message = {0};

    if (sample_read(sample->kind, sample->method, &message, buffer_text(line)) !=
        HBK_DECODE_E_REFUSED)
        fail_msg("accepted: %.*s", (int)line->size, (const char *)line->data);
    assert_nothing_left(&message);
    if (message.error.code != code)
        fail_msg("%.*s: %d %s", (int)line->size, (const char *)line->data, (int)message.error.code,
                 message.error.detail);
    if (strstr(message.error.detail, says) == NULL)
        fail_msg("%.*s: %s, not %s", (int)line->size, (const char *)line->data,
                 message.error.detail, says);
    assert_int_equal(message.method, sample->method);
    assert_int_equal(message.id.kind,
                     sample->kind == SAMPLE_NOTIFICATION ? HBK_ID_NONE : HBK_ID_NUMBER);
    if (message.id.kind == HBK_ID_NUMBER)
        assert_int_equal(message.id.number, 77);
    hbk_message_clear(&message);
}

static void test_every_message_both_ways(void **state)
{
    struct sample sample = {0};
    struct hbk_buffer line = {0};
    size_t count = 0, others = 0;

    (void)state;
    while (sample_next(&sample)) {
        (void)rewrite(&sample, &line);
        assert_sample_accepted(&sample, &line);
        count++;
        others += sample.other;
    }
    /* `to`, `target`, and a socket's information in place of a handle, in what is delivered, accepted and got. */
    assert_int_equal(others, 5);
    assert_int_equal(count, HBK_METHOD_COUNT - 1 + 22 + others); /* and 22 results */
    hbk_buffer_deinit(&line);
}

static void test_without_each_field(void **state)
{
    struct sample sample = {0};
    struct hbk_buffer line = {0};

    (void)state;
    while (sample_next(&sample)) {
        sample.change = SAMPLE_OMIT;
        for (sample.at = 0;; sample.at++) {
            const struct sample_value value = rewrite(&sample, &line);
            char missing[80];

            if (value.field == NULL)
                break;
            if (value.element)
                continue;
            (void)snprintf(missing, sizeof missing, "%s is missing",
                           value.field->need == HBK_FIELD_EITHER ? "" : value.field->key);
            if (value.field->need == HBK_FIELD_OPTIONAL)
                assert_sample_accepted(&sample, &line);
            else
                assert_sample_refused(&sample, &line, HBK_R_INVALID_PARAMS, missing);
        }
    }
    hbk_buffer_deinit(&line);
}

static void test_unknown_keys(void **state)
{
    struct sample sample = {0};
    struct hbk_buffer line = {0};

    (void)state;
    while (sample_next(&sample)) {
        sample.change = SAMPLE_RENAME;
        for (sample.at = 0;; sample.at++) {
            const struct sample_value value = rewrite(&sample, &line);
            char unknown[80];

            if (value.field == NULL)
                break;
            if (value.element)
                continue;
            if (sample.kind == SAMPLE_REQUEST) {
                (void)snprintf(unknown, sizeof unknown, "unknown key \"%sX\"", value.field->key);
                assert_sample_refused(&sample, &line, HBK_R_INVALID_PARAMS, unknown);
            } else if (value.field->need != HBK_FIELD_OPTIONAL) {
                /* What a later service adds is skipped, but does not stand for what is missing. */
                assert_sample_refused(&sample, &line, HBK_R_INVALID_PARAMS, "is missing");
            }
        }
    }
    hbk_buffer_deinit(&line);
}

/* May a value of this kind be written as @json? Then another test looks at it. */
static bool may_be(const struct sample_value *value, char json)
{
    switch (value->field->kind) {
    case HBK_FIELD_BOOL:
    case HBK_FIELD_WIDENABLE:
        return json == 't';
    case HBK_FIELD_I32:
    case HBK_FIELD_U32:
    case HBK_FIELD_U64:
    case HBK_FIELD_HANDLE:
        return json == '1';
    case HBK_FIELD_MODE:
    case HBK_FIELD_LIFETIME:
    case HBK_FIELD_HEX64:
        return json == '"';
    case HBK_FIELD_TEXT:
        return json == '"' || (json == 'n' && value->field->need == HBK_FIELD_NULLABLE);
    case HBK_FIELD_ACCESS:
        return json == '"' || json == '1';
    case HBK_FIELD_OBJECT:
        return json == '{';
    case HBK_FIELD_TARGET:
        return json == '{' || json == '"';
    case HBK_FIELD_NUMBERS:
    case HBK_FIELD_INDICES:
        return json == (value->element ? '1' : '[');
    case HBK_FIELD_OBJECTS:
        return json == (value->element ? '{' : '[');
    case HBK_FIELD_TYPE_RULES:
        return value->element ? json == '"' || json == '1' : json == '{';
    default:
        fail_msg("a kind that this test does not know");
        return false;
    }
}

static void test_every_wrong_type(void **state)
{
    static const char *const values[] = {"null", "true", "1", "\"x\"", "[]", "{}"};
    struct sample sample = {0};
    struct hbk_buffer line = {0};
    size_t count = 0;

    (void)state;
    while (sample_next(&sample)) {
        sample.change = SAMPLE_REPLACE;
        for (size_t i = 0; i < COUNT(values); i++) {
            sample.with = values[i];
            for (sample.at = 0;; sample.at++) {
                const struct sample_value value = rewrite(&sample, &line);

                if (value.field == NULL)
                    break;
                if (may_be(&value, *values[i]))
                    continue;
                assert_sample_refused(&sample, &line, HBK_R_INVALID_PARAMS, value.field->key);
                assert_sample_refused(&sample, &line, HBK_R_INVALID_PARAMS, "expected");
                count++;
            }
        }
    }
    assert_true(count > 500);
    hbk_buffer_deinit(&line);
}

static bool is_integer(const struct hbk_field *field)
{
    return field->kind == HBK_FIELD_I32 || field->kind == HBK_FIELD_U32 ||
           field->kind == HBK_FIELD_U64;
}

static void test_integers_at_their_edges(void **state)
{
    static const char *const never[] = {"-9007199254740993",    "9007199254740992",
                                        "9007199254740993",     "18446744073709551615",
                                        "18446744073709551616", "99999999999999999999",
                                        "-99999999999999999999"};
    struct sample sample = {0};
    struct hbk_buffer line = {0};

    (void)state;
    while (sample_next(&sample)) {
        sample.change = SAMPLE_REPLACE;
        for (sample.at = 0;; sample.at++) {
            char number[32];
            struct sample_value value;

            sample.with = "1";
            value = rewrite(&sample, &line);
            if (value.field == NULL)
                break;
            if (value.element || !is_integer(value.field))
                continue;
            sample.with = number;
            (void)snprintf(number, sizeof number, "%lld", (long long)value.field->max);
            (void)rewrite(&sample, &line);
            assert_sample_accepted(&sample, &line);
            (void)snprintf(number, sizeof number, "%lld", (long long)value.field->max + 1);
            (void)rewrite(&sample, &line);
            assert_sample_refused(&sample, &line, HBK_R_INVALID_PARAMS, value.field->key);
            (void)snprintf(number, sizeof number, "%lld", (long long)value.field->min - 1);
            (void)rewrite(&sample, &line);
            assert_sample_refused(&sample, &line, HBK_R_INVALID_PARAMS, value.field->key);
            if (value.field->min != value.field->absent) {
                (void)snprintf(number, sizeof number, "%lld", (long long)value.field->min);
                (void)rewrite(&sample, &line);
                if (value.field->need != HBK_FIELD_OPTIONAL)
                    assert_sample_accepted(&sample, &line);
            }
            for (size_t i = 0; i < COUNT(never); i++) {
                sample.with = never[i];
                (void)rewrite(&sample, &line);
                assert_sample_refused(&sample, &line, HBK_R_INVALID_PARAMS, value.field->key);
            }
        }
    }
    hbk_buffer_deinit(&line);
}

/* A quoted text for @field that measures @size. */
static char *text_of_size(const struct hbk_field *field, size_t size)
{
    const char *prefix = field->check == HBK_TEXT_NAME  ? "user/"
                         : field->check == HBK_TEXT_SID ? "S-1-"
                                                        : "";
    char *text = malloc(size + 3);

    assert_non_null(text);
    memset(text + 1, '1', size);
    if (size >= strlen(prefix))
        memcpy(text + 1, prefix, strlen(prefix));
    text[0] = '"';
    text[size + 1] = '"';
    text[size + 2] = '\0';
    return text;
}

static void test_texts_at_their_edges(void **state)
{
    struct sample sample = {0};
    struct hbk_buffer line = {0};

    (void)state;
    while (sample_next(&sample)) {
        sample.change = SAMPLE_REPLACE;
        for (sample.at = 0;; sample.at++) {
            char *longest, *longer;
            struct sample_value value;

            sample.with = "\"\"";
            value = rewrite(&sample, &line);
            if (value.field == NULL)
                break;
            if (value.element ||
                (value.field->kind != HBK_FIELD_TEXT && value.field->kind != HBK_FIELD_TARGET))
                continue;
            if (value.field->kind == HBK_FIELD_TARGET && sample.other)
                continue;
            if (value.field->min > 0)
                assert_sample_refused(&sample, &line, HBK_R_INVALID_PARAMS, "must not be empty");
            else
                assert_sample_accepted(&sample, &line);
            longest = text_of_size(value.field, (size_t)value.field->max);
            sample.with = longest;
            (void)rewrite(&sample, &line);
            assert_sample_accepted(&sample, &line);
            longer = text_of_size(value.field, (size_t)value.field->max + 1);
            sample.with = longer;
            (void)rewrite(&sample, &line);
            assert_sample_refused(&sample, &line, HBK_R_INVALID_PARAMS, "at most");
            free(longest);
            free(longer);
        }
    }
    hbk_buffer_deinit(&line);
}

static void test_truncation_at_every_byte(void **state)
{
    struct sample sample = {0};
    struct hbk_buffer line = {0};

    (void)state;
    while (sample_next(&sample)) {
        (void)rewrite(&sample, &line);
        for (size_t size = 0; size < line.size; size++) {
            struct hbk_message message = {0};
            const struct hbk_text cut = {(const char *)line.data, size};

            assert_int_equal(sample_read(sample.kind, sample.method, &message, cut),
                             HBK_DECODE_E_REFUSED);
            assert_int_equal(message.error.code, HBK_R_PARSE_ERROR);
            assert_int_equal(message.id.kind, HBK_ID_NONE);
            assert_int_equal(message.method, HBK_METHOD_NONE);
            assert_nothing_left(&message);
        }
    }
    hbk_buffer_deinit(&line);
}

/* Each allocation of each decoding fails once: -1, and nothing is kept. */
static void test_decoding_without_memory(void **state)
{
    struct sample sample = {0};
    struct hbk_buffer line = {0};

    (void)state;
    if (!alloc_fault_works())
        skip();
    while (sample_next(&sample)) {
        size_t needed;
        struct hbk_message message = {0};

        (void)rewrite(&sample, &line);
        alloc_fault_arm(SIZE_MAX);
        assert_int_equal(sample_read(sample.kind, sample.method, &message, buffer_text(&line)), 0);
        needed = alloc_fault_disarm();
        assert_true(needed > 0);
        for (size_t i = 0; i < needed; i++) {
            static const struct hbk_message zero;
            int result;

            hbk_message_clear(&message);
            alloc_fault_arm(i);
            result = sample_read(sample.kind, sample.method, &message, buffer_text(&line));
            (void)alloc_fault_disarm();
            assert_int_equal(result, -1);
            assert_memory_equal(&message, &zero, sizeof zero);
        }
    }
    hbk_buffer_deinit(&line);
}

/* Each allocation of each encoding fails once: the buffer says so, and holds no half line. */
static void test_encoding_without_memory(void **state)
{
    struct sample sample = {0};
    struct hbk_buffer line = {0};

    (void)state;
    if (!alloc_fault_works())
        skip();
    while (sample_next(&sample)) {
        struct hbk_message message = {0};
        struct hbk_buffer back = {0};
        size_t needed;

        (void)rewrite(&sample, &line);
        assert_int_equal(sample_read(sample.kind, sample.method, &message, buffer_text(&line)), 0);
        alloc_fault_arm(SIZE_MAX);
        sample_write_back(sample.kind, &message, &back);
        needed = alloc_fault_disarm();
        for (size_t i = 0; i < needed; i++) {
            hbk_buffer_deinit(&back);
            alloc_fault_arm(i);
            sample_write_back(sample.kind, &message, &back);
            (void)alloc_fault_disarm();
            assert_true(back.failed);
            assert_int_equal(back.size, 0);
        }
        hbk_buffer_deinit(&back);
        hbk_message_clear(&message);
    }
    hbk_buffer_deinit(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_message_both_ways),
        cmocka_unit_test(test_without_each_field),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_every_wrong_type),
        cmocka_unit_test(test_integers_at_their_edges),
        cmocka_unit_test(test_texts_at_their_edges),
        cmocka_unit_test(test_truncation_at_every_byte),
        cmocka_unit_test(test_decoding_without_memory),
        cmocka_unit_test(test_encoding_without_memory),
    };

    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
