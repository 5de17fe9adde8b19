/* The walk over cJSON's tree by the tables of schema.h. Whatever cJSON would let pass was refused by the
 * scan before: here strings hold no NUL, keys are unique, numbers are integers. They are doubles in the
 * tree, so beyond 2^53 they are not exact; they are compared as doubles with limits below that, and cast
 * only afterwards. */
#include "fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

/* Where the walk is, for the path in a refusal: one on the stack per level, the innermost last. */
struct place {
    const struct place *parent; /* NULL: the root, which is "params", "result" or "error" */
    const char *key;            /* of the schema, not the peer's */
    int32_t index;              /* of an element, or -1 */
    bool items;                 /* index goes into error.item */
};

struct decoder {
    struct hbk_message *message;
    bool lenient; /* what a later service adds to its lines is skipped */
};

/* ---- refusals ---- */

static size_t put_path(const struct place *place, char *path, size_t size)
{
    size_t at = 0;
    int added;

    if (place->parent != NULL && place->parent->parent != NULL)
        at = put_path(place->parent, path, size);
    if (place->index >= 0)
        added = snprintf(path + at, size - at, "%s%s[%d]", at ? "." : "", place->key,
                         (int)place->index);
    else
        added = snprintf(path + at, size - at, "%s%s", at ? "." : "", place->key);
    HBK_ASSERT(added >= 0 && (size_t)added < size - at); /* keys and depth are ours */
    return at + (size_t)added;
}

HBK_PRINTF(4, 5)
static int refuse(struct decoder *decoder, const struct place *place, int32_t code,
                  const char *format, ...)
{
    struct hbk_error *error = &decoder->message->error;
    char path[128];
    char what[HBK_DETAIL_BYTES_MAX + 1];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    (void)put_path(place, path, sizeof path);
    hbk_error_set(error, code, "%s: %s", path, what);
    for (; place != NULL; place = place->parent) {
        if (place->items && place->index >= 0)
            error->item = place->index;
    }
    return HBK_DECODE_E_REFUSED;
}

static const char *kind_of(const cJSON *value)
{
    if (cJSON_IsString(value))
        return "a string";
    if (cJSON_IsNumber(value))
        return "a number";
    if (cJSON_IsBool(value))
        return "true or false";
    if (cJSON_IsNull(value))
        return "null";
    return cJSON_IsArray(value) ? "an array" : "an object";
}

static int refuse_kind(struct decoder *decoder, const struct place *place, const char *expected,
                       const cJSON *value)
{
    return refuse(decoder, place, HBK_R_INVALID_PARAMS, "expected %s, found %s", expected,
                  kind_of(value));
}

/* ---- values ---- */

static int decode_fields(struct decoder *decoder, const struct hbk_schema *schema,
                         const cJSON *object, uint8_t *base, const struct place *place);

static void store_integer(const struct hbk_field *field, uint8_t *value, int64_t integer)
{
    const uint64_t wide = (uint64_t)integer;
    const uint32_t word = (uint32_t)wide; /* a negative I32 keeps its bits */

    if (field->kind == HBK_FIELD_U64)
        memcpy(value, &wide, sizeof wide);
    else
        memcpy(value, &word, sizeof word);
}

static int decode_integer(struct decoder *decoder, const struct hbk_field *field,
                          const cJSON *value, uint8_t *ret_value, const struct place *place)
{
    if (!cJSON_IsNumber(value))
        return refuse_kind(decoder, place, "an integer", value);
    if (!(value->valuedouble >= (double)field->min && value->valuedouble <= (double)field->max)) {
        return refuse(decoder, place, HBK_R_INVALID_PARAMS, "must be %lld to %lld",
                      (long long)field->min, (long long)field->max);
    }
    store_integer(field, ret_value, (int64_t)value->valuedouble);
    return 0;
}

static int decode_handle(struct decoder *decoder, const cJSON *value, uint8_t *ret_value,
                         const struct place *place)
{
    const char *fault;
    uint32_t handle;

    if (!cJSON_IsNumber(value))
        return refuse_kind(decoder, place, "an integer", value);
    fault = hbk_handle_fault(value->valuedouble);
    if (fault != NULL)
        return refuse(decoder, place, HBK_R_BAD_HANDLE, "%s", fault);
    handle = (uint32_t)value->valuedouble;
    HBK_ASSERT(handle >= HBK_HANDLE_MIN && handle <= HBK_HANDLE_MAX && handle % 4 == 0);
    memcpy(ret_value, &handle, sizeof handle);
    return 0;
}

/* The index of a string value in @words; 2 if it is none of them. */
static uint8_t find_word(const cJSON *value, const char *const words[2])
{
    uint8_t index = 0;

    while (index < 2 && strcmp(value->valuestring, words[index]) != 0)
        index++;
    return index;
}

static int decode_word(struct decoder *decoder, const cJSON *value, const char *const words[2],
                       uint8_t *ret_index, const struct place *place)
{
    uint8_t index;

    if (!cJSON_IsString(value))
        return refuse_kind(decoder, place, "a string", value);
    index = find_word(value, words);
    if (index == 2)
        return refuse(decoder, place, HBK_R_INVALID_PARAMS, "must be \"%s\" or \"%s\"", words[0],
                      words[1]);
    *ret_index = index;
    return 0;
}

/* One of two words (then *ret_kind is its index), or a mask (2). */
static int decode_rights(struct decoder *decoder, const cJSON *value, const char *const words[2],
                         uint8_t *ret_kind, uint32_t *ret_mask, const struct place *place)
{
    const char *fault;

    if (cJSON_IsString(value)) {
        *ret_kind = find_word(value, words);
        if (*ret_kind < 2)
            return 0;
        return refuse(decoder, place, HBK_R_INVALID_PARAMS, "must be \"%s\", \"%s\" or a mask",
                      words[0], words[1]);
    }
    if (!cJSON_IsNumber(value)) {
        return refuse(decoder, place, HBK_R_INVALID_PARAMS,
                      "expected \"%s\", \"%s\" or a mask, found %s", words[0], words[1],
                      kind_of(value));
    }
    if (!(value->valuedouble >= 0 && value->valuedouble <= (double)UINT32_MAX))
        return refuse(decoder, place, HBK_R_INVALID_PARAMS, "a mask has 32 bits");
    *ret_kind = HBK_ACCESS_KIND_MASK;
    *ret_mask = (uint32_t)value->valuedouble;
    fault = hbk_mask_fault(*ret_mask);
    return fault ? refuse(decoder, place, HBK_R_INVALID_PARAMS, "%s", fault) : 0;
}

static int decode_text(struct decoder *decoder, const struct hbk_field *field, const cJSON *value,
                       uint8_t *ret_value, const struct place *place)
{
    struct hbk_text text;
    const char *fault;
    size_t size;

    if (cJSON_IsNull(value) && field->need == HBK_FIELD_NULLABLE)
        return 0;
    if (!cJSON_IsString(value))
        return refuse_kind(decoder, place, "a string", value);
    text = hbk_text_from(value->valuestring);
    size = hbk_text_measure(field, text);
    if (size > (size_t)field->max) {
        (void)refuse(decoder, place, HBK_R_INVALID_PARAMS, "%zu bytes%s, at most %lld are allowed",
                     size, field->check == HBK_TEXT_ESCAPED ? " as escaped" : "",
                     (long long)field->max);
        hbk_error_set_limit(&decoder->message->error, field->limit);
        return HBK_DECODE_E_REFUSED;
    }
    if (size < (size_t)field->min)
        return refuse(decoder, place, HBK_R_INVALID_PARAMS, "must not be empty");
    fault = hbk_text_fault(field, text);
    if (fault != NULL && field->check == HBK_TEXT_HEX)
        return refuse(decoder, place, HBK_R_INVALID_PARAMS, "must be %lld lower-case hex digits",
                      (long long)field->max);
    if (fault != NULL) {
        char quoted[HBK_QUOTE_BYTES];

        return refuse(decoder, place, HBK_R_INVALID_PARAMS, "%s %s", hbk_text_quote(text, quoted),
                      fault);
    }
    memcpy(ret_value, &text, sizeof text);
    return 0;
}

static int decode_hex64(struct decoder *decoder, const cJSON *value, uint8_t *ret_value,
                        const struct place *place)
{
    uint64_t wide = 0;

    if (!cJSON_IsString(value))
        return refuse_kind(decoder, place, "a string", value);
    if (strlen(value->valuestring) != 16 || strspn(value->valuestring, "0123456789abcdef") != 16)
        return refuse(decoder, place, HBK_R_INVALID_PARAMS, "must be 16 lower-case hex digits");
    for (const char *p = value->valuestring; *p != '\0'; p++)
        wide = wide << 4 | (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
    memcpy(ret_value, &wide, sizeof wide);
    return 0;
}

/* ---- lists ---- */

/* What precedes each list in memory; the union keeps the elements aligned. */
union chunk {
    union chunk *next;
    uint64_t align[2];
};

static void *new_list(struct hbk_message *message, size_t count, size_t size)
{
    size_t bytes;
    union chunk *chunk;

    if (!hbk_mul_size(count, size, &bytes) || !hbk_add_size(bytes, sizeof *chunk, &bytes))
        return NULL;
    chunk = calloc(1, bytes);
    if (chunk == NULL)
        return NULL;
    chunk->next = message->lists;
    message->lists = chunk;
    return chunk + 1;
}

static int decode_type_rule(struct decoder *decoder, const cJSON *value, uint8_t *element,
                            const struct place *place)
{
    struct hbk_type_rule rule = {.type = hbk_text_from(value->string)};
    char quoted[HBK_QUOTE_BYTES];
    int result;

    if (rule.type.size < 1 || rule.type.size > HBK_TYPE_BYTES_MAX) {
        return refuse(decoder, place, HBK_R_INVALID_PARAMS, "%s: a type name has 1 to %d bytes",
                      hbk_text_quote(rule.type, quoted), HBK_TYPE_BYTES_MAX);
    }
    result = decode_rights(decoder, value, hbk_rule_words, &rule.kind, &rule.mask, place);
    if (result == 0)
        memcpy(element, &rule, sizeof rule);
    return result;
}

static int decode_element(struct decoder *decoder, const struct hbk_field *field,
                          const cJSON *value, uint8_t *element, const struct place *place)
{
    static const struct hbk_field number = {
        .kind = HBK_FIELD_U32, .min = 1, .max = UINT32_MAX, .present = HBK_FIELD_NO_OFFSET};
    static const struct hbk_field index = {
        .kind = HBK_FIELD_U32, .max = HBK_ITEMS_MAX - 1, .present = HBK_FIELD_NO_OFFSET};

    switch (field->kind) {
    case HBK_FIELD_NUMBERS:
        return decode_integer(decoder, &number, value, element, place);
    case HBK_FIELD_INDICES:
        return decode_integer(decoder, &index, value, element, place);
    case HBK_FIELD_TYPE_RULES:
        return decode_type_rule(decoder, value, element, place);
    default:
        if (!cJSON_IsObject(value))
            return refuse_kind(decoder, place, "an object", value);
        return decode_fields(decoder, field->sub, value, element, place);
    }
}

static int decode_list(struct decoder *decoder, const struct hbk_field *field, const cJSON *value,
                       uint8_t *base, const struct place *place)
{
    const bool map = field->kind == HBK_FIELD_TYPE_RULES;
    const size_t count = (size_t)cJSON_GetArraySize(value);
    struct place inner = *place;
    const cJSON *member;
    uint8_t *element;

    if (map ? !cJSON_IsObject(value) : !cJSON_IsArray(value))
        return refuse_kind(decoder, place, map ? "an object" : "an array", value);
    if (count < (size_t)field->min || count > (size_t)field->max) {
        (void)refuse(decoder, place, HBK_R_INVALID_PARAMS, "must have %lld to %lld members",
                     (long long)field->min, (long long)field->max);
        hbk_error_set_limit(&decoder->message->error, count > 0 ? field->limit : NULL);
        return HBK_DECODE_E_REFUSED;
    }
    if (field->present != HBK_FIELD_NO_OFFSET)
        base[field->present] = 1;
    if (count == 0)
        return 0;
    element = new_list(decoder->message, count, field->size);
    if (element == NULL)
        return -1;
    memcpy(base + field->count, &count, sizeof count);
    memcpy(base + field->offset, &element, sizeof element);
    inner.items = field->items;
    inner.index = map ? -1 : 0;
    cJSON_ArrayForEach(member, value)
    {
        const int result = decode_element(decoder, field, member, element, &inner);

        if (result != 0)
            return result;
        element += field->size;
        inner.index += map ? 0 : 1;
    }
    return 0;
}

/* ---- objects ---- */

static int decode_object(struct decoder *decoder, const struct hbk_field *field, const cJSON *value,
                         uint8_t *base, const struct place *place)
{
    if (!cJSON_IsObject(value))
        return refuse_kind(decoder, place, "an object", value);
    if (cJSON_GetArraySize(value) < field->min)
        return refuse(decoder, place, HBK_R_INVALID_PARAMS, "must not be empty");
    return decode_fields(decoder, field->sub, value, base, place);
}

static int decode_field(struct decoder *decoder, const struct hbk_field *field, const cJSON *value,
                        uint8_t *base, const struct place *place)
{
    uint8_t *target = base + field->offset;
    struct hbk_access access = {0};
    int result;

    switch (field->kind) {
    case HBK_FIELD_BOOL:
        if (!cJSON_IsBool(value))
            return refuse_kind(decoder, place, "true or false", value);
        *(bool *)target = cJSON_IsTrue(value);
        return 0;
    case HBK_FIELD_MODE:
        return decode_word(decoder, value, hbk_mode_words, target, place);
    case HBK_FIELD_LIFETIME:
        return decode_word(decoder, value, hbk_lifetime_words, target, place);
    case HBK_FIELD_WIDENABLE:
        if (!cJSON_IsBool(value) &&
            !(cJSON_IsString(value) && strcmp(value->valuestring, "unknown") == 0))
            return refuse_kind(decoder, place, "true, false or \"unknown\"", value);
        *target = cJSON_IsString(value) ? HBK_WIDENABLE_UNKNOWN
                  : cJSON_IsTrue(value) ? HBK_WIDENABLE_YES
                                        : HBK_WIDENABLE_NO;
        return 0;
    case HBK_FIELD_I32:
    case HBK_FIELD_U32:
    case HBK_FIELD_U64:
        return decode_integer(decoder, field, value, target, place);
    case HBK_FIELD_HEX64:
        return decode_hex64(decoder, value, target, place);
    case HBK_FIELD_HANDLE:
        return decode_handle(decoder, value, target, place);
    case HBK_FIELD_ACCESS:
        result = decode_rights(decoder, value, hbk_access_words, &access.kind, &access.mask, place);
        if (result == 0)
            memcpy(target, &access, sizeof access);
        return result;
    case HBK_FIELD_TEXT:
        return decode_text(decoder, field, value, target, place);
    case HBK_FIELD_TARGET:
        if (cJSON_IsObject(value))
            return decode_fields(decoder, field->sub, value, base, place);
        if (cJSON_IsString(value))
            return decode_text(decoder, field, value, target, place);
        return refuse_kind(decoder, place, "an endpoint's name or an object", value);
    case HBK_FIELD_OBJECT:
        return decode_object(decoder, field, value, target, place);
    default:
        return decode_list(decoder, field, value, base, place);
    }
}

/* Gives the fields of a zeroed struct the values that they have where the line says nothing. */
static void set_absent(const struct hbk_field *field, uint8_t *base)
{
    switch (field->kind) {
    case HBK_FIELD_I32:
    case HBK_FIELD_U32:
    case HBK_FIELD_U64:
        store_integer(field, base + field->offset, field->absent);
        break;
    case HBK_FIELD_OBJECT:
        for (size_t i = 0; i < field->sub->count; i++)
            set_absent(&field->sub->fields[i], base + field->offset);
        break;
    default:
        break; /* zero is it */
    }
}

static size_t find_field(const struct hbk_schema *schema, const char *key)
{
    size_t i = 0;

    while (i < schema->count && strcmp(schema->fields[i].key, key) != 0)
        i++;
    return i;
}

/* None of the two fields of which just one is to be there was seen, or both. */
static int refuse_either(struct decoder *decoder, const struct hbk_schema *schema, bool both,
                         const struct place *place)
{
    const char *keys[2] = {NULL, NULL};

    for (size_t i = 0; i < schema->count; i++) {
        if (schema->fields[i].need == HBK_FIELD_EITHER)
            keys[keys[0] != NULL] = schema->fields[i].key;
    }
    HBK_ASSERT(keys[1] != NULL);
    return refuse(decoder, place, HBK_R_INVALID_PARAMS,
                  both ? "%s and %s, where one of them is enough" : "%s or %s is missing", keys[0],
                  keys[1]);
}

/* @object may be NULL: an object without members. */
static int decode_fields(struct decoder *decoder, const struct hbk_schema *schema,
                         const cJSON *object, uint8_t *base, const struct place *place)
{
    struct place inner = {place, NULL, -1, false};
    char quoted[HBK_QUOTE_BYTES];
    const cJSON *member;
    uint64_t seen = 0;
    unsigned either = 0, either_seen = 0;

    cJSON_ArrayForEach(member, object)
    {
        const size_t i = find_field(schema, member->string);
        int result;

        if (i == schema->count && decoder->lenient)
            continue;
        if (i == schema->count) {
            return refuse(decoder, place, HBK_R_INVALID_PARAMS, "unknown key %s",
                          hbk_text_quote(hbk_text_from(member->string), quoted));
        }
        seen |= UINT64_C(1) << i;
        inner.key = schema->fields[i].key;
        result = decode_field(decoder, &schema->fields[i], member, base, &inner);
        if (result != 0)
            return result;
    }
    for (size_t i = 0; i < schema->count; i++) {
        const struct hbk_field *field = &schema->fields[i];
        const bool there = seen >> i & 1;

        if (field->need == HBK_FIELD_EITHER) {
            either++;
            either_seen += there;
        }
        if (there)
            continue;
        if (field->need == HBK_FIELD_REQUIRED || field->need == HBK_FIELD_NULLABLE)
            return refuse(decoder, place, HBK_R_INVALID_PARAMS, "%s is missing", field->key);
        set_absent(field, base);
    }
    if (either > 0 && either_seen != 1)
        return refuse_either(decoder, schema, either_seen > 1, place);
    return 0;
}

int hbk_fields_decode(struct hbk_message *message, bool lenient, const struct hbk_schema *schema,
                      const struct cJSON *object, void *ret_struct, const char *root)
{
    const struct place place = {NULL, root, -1, false};
    struct decoder decoder = {message, lenient};

    return decode_fields(&decoder, schema, object, ret_struct, &place);
}

void hbk_fields_free_lists(struct hbk_message *message)
{
    union chunk *chunk = message->lists;

    while (chunk != NULL) {
        union chunk *next = chunk->next;

        free(chunk);
        chunk = next;
    }
    message->lists = NULL;
}
