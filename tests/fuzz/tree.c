#include "tree.h"

#include <stdlib.h>
#include <string.h>

json_t *tree_load(struct hbk_text text)
{
    return json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
}

bool tree_is_text(const json_t *value, struct hbk_text text)
{
    return json_is_string(value) && text.data != NULL && json_string_length(value) == text.size &&
           memcmp(json_string_value(value), text.data, text.size) == 0;
}

bool tree_is_id(const json_t *value, const struct hbk_id *id)
{
    switch (id->kind) {
    case HBK_ID_NUMBER:
        return json_is_real(value) && id->number >= 1 && id->number <= HBK_INTEGER_MAX &&
               json_real_value(value) == (double)id->number;
    case HBK_ID_TEXT:
        return tree_is_text(value, (struct hbk_text){id->text, id->text_size});
    default:
        return id->kind == HBK_ID_NONE && (value == NULL || json_is_null(value));
    }
}

/* ---- what stands in a struct ---- */

static struct hbk_text text_at(const uint8_t *at)
{
    struct hbk_text text;

    memcpy(&text, at, sizeof text);
    return text;
}

static size_t count_at(const uint8_t *at)
{
    size_t count;

    memcpy(&count, at, sizeof count);
    return count;
}

static const uint8_t *list_at(const uint8_t *at)
{
    const uint8_t *list;

    memcpy(&list, at, sizeof list);
    return list;
}

static double integer_at(uint8_t kind, const uint8_t *at)
{
    uint32_t word;
    uint64_t wide;

    if (kind == HBK_FIELD_U64) {
        memcpy(&wide, at, sizeof wide);
        HBK_ASSERT(wide <= HBK_INTEGER_MAX);
        return (double)wide;
    }
    memcpy(&word, at, sizeof word);
    return kind == HBK_FIELD_I32 ? (double)(int32_t)word : (double)word;
}

/* ---- what a struct has where the line says nothing ---- */

static void check_absent(const struct hbk_field *field, const uint8_t *base)
{
    const uint8_t *at = base + field->offset;

    switch (field->kind) {
    case HBK_FIELD_BOOL:
    case HBK_FIELD_MODE:
    case HBK_FIELD_LIFETIME:
    case HBK_FIELD_WIDENABLE:
    case HBK_FIELD_ACCESS: /* its kind comes first */
        HBK_ASSERT(*at == 0);
        break;
    case HBK_FIELD_I32:
    case HBK_FIELD_U32:
    case HBK_FIELD_U64:
        HBK_ASSERT(integer_at(field->kind, at) == (double)field->absent);
        break;
    case HBK_FIELD_HANDLE:
        HBK_ASSERT(integer_at(HBK_FIELD_U32, at) == 0);
        break;
    case HBK_FIELD_TEXT:
        HBK_ASSERT(text_at(at).data == NULL);
        break;
    case HBK_FIELD_TARGET:
        HBK_ASSERT(text_at(at).data == NULL);
        for (size_t i = 0; i < field->sub->count; i++)
            check_absent(&field->sub->fields[i], base);
        break;
    case HBK_FIELD_OBJECT:
        for (size_t i = 0; i < field->sub->count; i++)
            check_absent(&field->sub->fields[i], at);
        break;
    default: /* lists */
        HBK_ASSERT(field->kind == HBK_FIELD_OBJECTS || field->kind == HBK_FIELD_TYPE_RULES);
        HBK_ASSERT(count_at(base + field->count) == 0 && list_at(at) == NULL);
        HBK_ASSERT(field->present == HBK_FIELD_NO_OFFSET || base[field->present] == 0);
        break;
    }
}

/* ---- what it has where the line says something ---- */

static void check_integer(const struct hbk_field *field, const json_t *value, const uint8_t *at)
{
    const double number = integer_at(field->kind, at);

    HBK_ASSERT(json_is_real(value) && json_real_value(value) == number);
    HBK_ASSERT(number >= (double)field->min && number <= (double)field->max);
}

static void check_handle(const json_t *value, const uint8_t *at)
{
    const double number = integer_at(HBK_FIELD_U32, at);

    HBK_ASSERT(json_is_real(value) && json_real_value(value) == number);
    HBK_ASSERT(number >= HBK_HANDLE_MIN && number <= HBK_HANDLE_MAX && (uint32_t)number % 4 == 0);
}

/* Digits in fours, of which the last may have one or two that only fill it. */
static void check_base64(const char *text)
{
    const size_t digits = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789+/");

    HBK_ASSERT(digits > 0 && digits % 4 != 1);
    HBK_ASSERT(strcmp(text + digits, digits % 4 == 0 ? "" : digits % 4 == 2 ? "==" : "=") == 0);
}

static void check_text(const struct hbk_field *field, const json_t *value, const uint8_t *at)
{
    const struct hbk_text text = text_at(at);

    if (field->need == HBK_FIELD_NULLABLE && json_is_null(value)) {
        HBK_ASSERT(text.data == NULL);
        return;
    }
    HBK_ASSERT(tree_is_text(value, text));
    HBK_ASSERT(text.size >= (size_t)field->min && text.size <= (size_t)field->max);
    HBK_ASSERT(hbk_utf8_check(text.data, text.size) == text.size);
    HBK_ASSERT(field->check != HBK_TEXT_NAME || hbk_name_check(text));
    if (field->check == HBK_TEXT_HEX)
        HBK_ASSERT(text.size == (size_t)field->max &&
                   strspn(json_string_value(value), "0123456789abcdef") == text.size);
    if (field->check == HBK_TEXT_BASE64)
        check_base64(json_string_value(value));
}

/* @words: two that stand for kinds 0 and 1; a number is kind 2. */
static void check_rights(const json_t *value, const char *zero, const char *one, uint8_t kind,
                         uint32_t mask)
{
    static const uint32_t never = 0xF3000000u; /* GENERIC_*, MAXIMUM_ALLOWED, SACL */

    if (json_is_string(value)) {
        HBK_ASSERT(kind < 2 && strcmp(json_string_value(value), kind == 0 ? zero : one) == 0);
        return;
    }
    HBK_ASSERT(kind == 2 && json_is_real(value) && json_real_value(value) == (double)mask);
    HBK_ASSERT(mask != 0 && (mask & never) == 0);
}

static void check_hex64(const json_t *value, const uint8_t *at)
{
    uint64_t wide;
    char *end;

    memcpy(&wide, at, sizeof wide);
    HBK_ASSERT(json_is_string(value) && json_string_length(value) == 16);
    HBK_ASSERT(strtoull(json_string_value(value), &end, 16) == wide && *end == '\0');
}

static void check_widenable(const json_t *value, uint8_t is)
{
    if (json_is_boolean(value))
        HBK_ASSERT(is == (json_is_true(value) ? HBK_WIDENABLE_YES : HBK_WIDENABLE_NO));
    else
        HBK_ASSERT(is == HBK_WIDENABLE_UNKNOWN && tree_is_text(value, hbk_text_from("unknown")));
}

static void check_type_rules(const struct hbk_field *field, const json_t *value,
                             const uint8_t *base)
{
    const uint8_t *list = list_at(base + field->offset);
    const size_t count = count_at(base + field->count);

    HBK_ASSERT(json_is_object(value) && json_object_size(value) == count);
    HBK_ASSERT(field->present == HBK_FIELD_NO_OFFSET || base[field->present] == 1);
    for (size_t i = 0; i < count; i++) {
        char key[HBK_TYPE_BYTES_MAX + 1] = "";
        struct hbk_type_rule rule;

        memcpy(&rule, list + i * sizeof rule, sizeof rule);
        HBK_ASSERT(rule.type.size >= 1 && rule.type.size <= HBK_TYPE_BYTES_MAX);
        memcpy(key, rule.type.data, rule.type.size);
        check_rights(json_object_get(value, key), "any", "read", rule.kind, rule.mask);
    }
}

static void check_list(const struct hbk_field *field, const json_t *value, const uint8_t *base,
                       bool strict)
{
    const uint8_t *list = list_at(base + field->offset);
    const size_t count = count_at(base + field->count);

    HBK_ASSERT(json_is_array(value) && json_array_size(value) == count);
    HBK_ASSERT(count >= (size_t)field->min && count <= (size_t)field->max);
    HBK_ASSERT(field->present == HBK_FIELD_NO_OFFSET);
    for (size_t i = 0; i < count; i++) {
        const json_t *element = json_array_get(value, i);

        if (field->kind == HBK_FIELD_OBJECTS) {
            tree_check(field->sub, element, list + i * field->size, strict);
        } else {
            const double number = integer_at(HBK_FIELD_U32, list + i * 4);

            HBK_ASSERT(json_is_real(element) && json_real_value(element) == number);
            HBK_ASSERT(field->kind == HBK_FIELD_INDICES ? number < HBK_ITEMS_MAX : number > 0);
        }
    }
}

static void check_target(const struct hbk_field *field, const json_t *value, const uint8_t *base,
                         bool strict)
{
    if (json_is_object(value)) {
        HBK_ASSERT(text_at(base + field->offset).data == NULL);
        tree_check(field->sub, value, base, strict);
        return;
    }
    check_text(field, value, base + field->offset);
    for (size_t i = 0; i < field->sub->count; i++)
        check_absent(&field->sub->fields[i], base);
}

static void check_field(const struct hbk_field *field, const json_t *value, const uint8_t *base,
                        bool strict)
{
    const uint8_t *at = base + field->offset;
    struct hbk_access access;

    switch (field->kind) {
    case HBK_FIELD_BOOL:
        HBK_ASSERT(json_is_boolean(value) && json_is_true(value) == (*at != 0));
        break;
    case HBK_FIELD_MODE:
        HBK_ASSERT(tree_is_text(value, hbk_text_from(*at == HBK_MODE_ASK ? "ask" : "auto")));
        break;
    case HBK_FIELD_LIFETIME:
        HBK_ASSERT(
            tree_is_text(value, hbk_text_from(*at == HBK_LIFETIME_BROKER ? "broker" : "session")));
        break;
    case HBK_FIELD_WIDENABLE:
        check_widenable(value, *at);
        break;
    case HBK_FIELD_I32:
    case HBK_FIELD_U32:
    case HBK_FIELD_U64:
        check_integer(field, value, at);
        break;
    case HBK_FIELD_HEX64:
        check_hex64(value, at);
        break;
    case HBK_FIELD_HANDLE:
        check_handle(value, at);
        break;
    case HBK_FIELD_ACCESS:
        memcpy(&access, at, sizeof access);
        check_rights(value, "same", "read", access.kind, access.mask);
        break;
    case HBK_FIELD_TEXT:
        check_text(field, value, at);
        break;
    case HBK_FIELD_TARGET:
        check_target(field, value, base, strict);
        break;
    case HBK_FIELD_OBJECT:
        HBK_ASSERT(json_is_object(value) && json_object_size(value) >= (size_t)field->min);
        tree_check(field->sub, value, at, strict);
        break;
    case HBK_FIELD_TYPE_RULES:
        check_type_rules(field, value, base);
        break;
    default:
        HBK_ASSERT(field->kind == HBK_FIELD_NUMBERS || field->kind == HBK_FIELD_INDICES ||
                   field->kind == HBK_FIELD_OBJECTS);
        check_list(field, value, base, strict);
        break;
    }
}

void tree_check(const struct hbk_schema *schema, const json_t *object, const void *base,
                bool strict)
{
    size_t known = 0, either = 0, either_there = 0;

    HBK_ASSERT(object == NULL || json_is_object(object));
    for (size_t i = 0; i < schema->count; i++) {
        const struct hbk_field *field = &schema->fields[i];
        const json_t *value = json_object_get(object, field->key);

        either += field->need == HBK_FIELD_EITHER;
        either_there += field->need == HBK_FIELD_EITHER && value != NULL;
        if (value == NULL) {
            HBK_ASSERT(field->need == HBK_FIELD_OPTIONAL || field->need == HBK_FIELD_EITHER);
            check_absent(field, base);
        } else {
            known++;
            check_field(field, value, base, strict);
        }
    }
    HBK_ASSERT(either == 0 || either_there == 1);
    HBK_ASSERT(!strict || json_object_size(object) == known);
}
