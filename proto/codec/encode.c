/* Structs to lines: walks the tables of schema.h and writes straight into the buffer. */
#include "message.h"
#include "schema.h"

#include <string.h>

static void put(struct hbk_buffer *buffer, const char *literal)
{
    hbk_buffer_append(buffer, literal, strlen(literal));
}

static void put_u64(struct hbk_buffer *buffer, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    hbk_buffer_append(buffer, digits + at, sizeof digits - at);
}

static void put_integer(struct hbk_buffer *buffer, int64_t value)
{
    if (value < 0)
        put(buffer, "-");
    put_u64(buffer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* Hex digits, the highest first. */
static void put_hex(struct hbk_buffer *buffer, uint64_t value, int digits)
{
    char text[16];

    for (int i = 0; i < digits; i++)
        text[i] = "0123456789abcdef"[value >> (4 * (digits - 1 - i)) & 15];
    hbk_buffer_append(buffer, text, (size_t)digits);
}

static void put_escape(struct hbk_buffer *buffer, uint8_t byte)
{
    static const char bytes[] = "\"\\\b\f\n\r\t";
    static const char *const escapes[] = {"\\\"", "\\\\", "\\b", "\\f", "\\n", "\\r", "\\t"};
    const char *found = strchr(bytes, byte);

    HBK_ASSERT(byte != 0); /* the peer's decoder refuses U+0000 in any spelling */
    if (found != NULL) {
        put(buffer, escapes[found - bytes]);
    } else {
        put(buffer, "\\u00");
        put_hex(buffer, byte, 2);
    }
}

static void put_text(struct hbk_buffer *buffer, struct hbk_text text)
{
    size_t done = 0;

    HBK_ASSERT(text.data != NULL && hbk_utf8_check(text.data, text.size) == text.size);
    put(buffer, "\"");
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t byte = (uint8_t)text.data[i];

        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        hbk_buffer_append(buffer, text.data + done, i - done);
        put_escape(buffer, byte);
        done = i + 1;
    }
    if (text.size > done)
        hbk_buffer_append(buffer, text.data + done, text.size - done);
    put(buffer, "\"");
}

/* ---- fields ---- */

static void put_fields(struct hbk_buffer *buffer, const struct hbk_schema *schema,
                       const uint8_t *base);

static struct hbk_text text_at(const uint8_t *value)
{
    struct hbk_text text;

    memcpy(&text, value, sizeof text);
    return text;
}

static size_t size_at(const uint8_t *value)
{
    size_t size;

    memcpy(&size, value, sizeof size);
    return size;
}

/* Where a list's elements are. */
static const uint8_t *list_at(const uint8_t *value)
{
    const void *list;

    memcpy(&list, value, sizeof list);
    return list;
}

static int64_t integer_at(const struct hbk_field *field, const uint8_t *value)
{
    uint32_t word;
    uint64_t wide;

    if (field->kind == HBK_FIELD_U64) {
        memcpy(&wide, value, sizeof wide);
        HBK_ASSERT(wide <= HBK_INTEGER_MAX);
        return (int64_t)wide;
    }
    memcpy(&word, value, sizeof word);
    return field->kind == HBK_FIELD_I32 ? (int64_t)(int32_t)word : (int64_t)word;
}

static uint32_t u32_at(const uint8_t *value)
{
    uint32_t word;

    memcpy(&word, value, sizeof word);
    return word;
}

static bool is_absent(const struct hbk_field *field, const uint8_t *base);

static bool is_absent_object(const struct hbk_schema *schema, const uint8_t *base)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (!is_absent(&schema->fields[i], base))
            return false;
    }
    return true;
}

static bool is_absent(const struct hbk_field *field, const uint8_t *base)
{
    const uint8_t *value = base + field->offset;

    switch (field->kind) {
    case HBK_FIELD_BOOL:
    case HBK_FIELD_MODE:
    case HBK_FIELD_LIFETIME:
    case HBK_FIELD_WIDENABLE:
    case HBK_FIELD_ACCESS: /* its kind comes first, and "same" is the default */
        return *value == 0;
    case HBK_FIELD_I32:
    case HBK_FIELD_U32:
    case HBK_FIELD_U64:
        return integer_at(field, value) == field->absent;
    case HBK_FIELD_TEXT:
        return text_at(value).data == NULL;
    case HBK_FIELD_TARGET:
        if (text_at(value).data != NULL)
            return false;
        return is_absent_object(field->sub, base);
    case HBK_FIELD_HANDLE:
        return u32_at(value) == 0;
    case HBK_FIELD_TYPE_RULES:
        HBK_ASSERT(field->present != HBK_FIELD_NO_OFFSET);
        return base[field->present] == 0;
    case HBK_FIELD_OBJECTS:
        return size_at(base + field->count) == 0;
    case HBK_FIELD_OBJECT:
        return is_absent_object(field->sub, value);
    default:
        HBK_ASSERT(field->need == HBK_FIELD_REQUIRED);
        return false;
    }
}

static void put_field_integer(struct hbk_buffer *buffer, const struct hbk_field *field,
                              const uint8_t *value)
{
    const int64_t integer = integer_at(field, value);

    HBK_ASSERT(integer >= field->min && integer <= field->max);
    put_integer(buffer, integer);
}

static void put_field_text(struct hbk_buffer *buffer, const struct hbk_field *field,
                           const uint8_t *value)
{
    const struct hbk_text text = text_at(value);
    size_t size;

    if (text.data == NULL && field->need == HBK_FIELD_NULLABLE) {
        put(buffer, "null");
        return;
    }
    size = hbk_text_measure(field, text);
    HBK_ASSERT(size >= (size_t)field->min && size <= (size_t)field->max);
    HBK_ASSERT(hbk_text_fault(field, text) == NULL);
    put_text(buffer, text);
}

/* One of two words, or a mask. */
static void put_rights(struct hbk_buffer *buffer, const char *const words[2], uint8_t kind,
                       uint32_t mask)
{
    HBK_ASSERT(kind <= HBK_ACCESS_KIND_MASK);
    if (kind == HBK_ACCESS_KIND_MASK) {
        HBK_ASSERT(hbk_mask_fault(mask) == NULL);
        put_u64(buffer, mask);
        return;
    }
    put_text(buffer, hbk_text_from(words[kind]));
}

static void put_type_rules(struct hbk_buffer *buffer, const uint8_t *list, size_t count)
{
    put(buffer, "{");
    for (size_t i = 0; i < count; i++) {
        struct hbk_type_rule rule;

        memcpy(&rule, list + i * sizeof rule, sizeof rule);
        HBK_ASSERT(rule.type.size >= 1 && rule.type.size <= HBK_TYPE_BYTES_MAX);
        put(buffer, i > 0 ? "," : "");
        put_text(buffer, rule.type);
        put(buffer, ":");
        put_rights(buffer, hbk_rule_words, rule.kind, rule.mask);
    }
    put(buffer, "}");
}

static void put_list(struct hbk_buffer *buffer, const struct hbk_field *field, const uint8_t *base)
{
    const uint8_t *list = list_at(base + field->offset);
    const size_t count = size_at(base + field->count);

    HBK_ASSERT(count >= (size_t)field->min && count <= (size_t)field->max);
    HBK_ASSERT(list != NULL || count == 0);
    if (field->kind == HBK_FIELD_TYPE_RULES) {
        put_type_rules(buffer, list, count);
        return;
    }
    put(buffer, "[");
    for (size_t i = 0; i < count; i++) {
        put(buffer, i > 0 ? "," : "");
        if (field->kind == HBK_FIELD_OBJECTS) {
            put_fields(buffer, field->sub, list + i * field->size);
        } else {
            const uint32_t number = u32_at(list + i * sizeof number);

            HBK_ASSERT(field->kind == HBK_FIELD_INDICES ? number < HBK_ITEMS_MAX : number > 0);
            put_u64(buffer, number);
        }
    }
    put(buffer, "]");
}

static void put_field(struct hbk_buffer *buffer, const struct hbk_field *field, const uint8_t *base)
{
    const uint8_t *value = base + field->offset;
    struct hbk_access access;
    uint64_t wide;

    switch (field->kind) {
    case HBK_FIELD_BOOL:
        put(buffer, *value ? "true" : "false");
        break;
    case HBK_FIELD_MODE:
        HBK_ASSERT(*value <= HBK_MODE_ASK);
        put_text(buffer, hbk_text_from(hbk_mode_words[*value]));
        break;
    case HBK_FIELD_LIFETIME:
        HBK_ASSERT(*value <= HBK_LIFETIME_BROKER);
        put_text(buffer, hbk_text_from(hbk_lifetime_words[*value]));
        break;
    case HBK_FIELD_WIDENABLE:
        HBK_ASSERT(*value >= HBK_WIDENABLE_NO && *value <= HBK_WIDENABLE_UNKNOWN);
        put(buffer, *value == HBK_WIDENABLE_UNKNOWN ? "\"unknown\""
                    : *value == HBK_WIDENABLE_YES   ? "true"
                                                    : "false");
        break;
    case HBK_FIELD_I32:
    case HBK_FIELD_U32:
    case HBK_FIELD_U64:
        put_field_integer(buffer, field, value);
        break;
    case HBK_FIELD_HEX64:
        memcpy(&wide, value, sizeof wide);
        put(buffer, "\"");
        put_hex(buffer, wide, 16);
        put(buffer, "\"");
        break;
    case HBK_FIELD_HANDLE:
        HBK_ASSERT(hbk_handle_fault(u32_at(value)) == NULL);
        put_u64(buffer, u32_at(value));
        break;
    case HBK_FIELD_ACCESS:
        memcpy(&access, value, sizeof access);
        put_rights(buffer, hbk_access_words, access.kind, access.mask);
        break;
    case HBK_FIELD_TARGET:
        if (text_at(value).data == NULL) {
            put_fields(buffer, field->sub, base);
            break;
        }
        put_field_text(buffer, field, value);
        break;
    case HBK_FIELD_TEXT:
        put_field_text(buffer, field, value);
        break;
    case HBK_FIELD_OBJECT:
        put_fields(buffer, field->sub, value);
        break;
    default:
        put_list(buffer, field, base);
        break;
    }
}

static void put_fields(struct hbk_buffer *buffer, const struct hbk_schema *schema,
                       const uint8_t *base)
{
    const char *between = "{";
    unsigned either = 0, either_put = 0;

    HBK_ASSERT(schema->count == 0 || base != NULL);
    for (size_t i = 0; i < schema->count; i++) {
        const struct hbk_field *field = &schema->fields[i];

        either += field->need == HBK_FIELD_EITHER;
        if ((field->need == HBK_FIELD_OPTIONAL || field->need == HBK_FIELD_EITHER) &&
            is_absent(field, base))
            continue;
        either_put += field->need == HBK_FIELD_EITHER;
        put(buffer, between);
        between = ",";
        put(buffer, "\"");
        put(buffer, field->key); /* plain ASCII: ours */
        put(buffer, "\":");
        put_field(buffer, field, base);
    }
    HBK_ASSERT(either == 0 || either_put == 1);
    put(buffer, *between == '{' ? "{}" : "}");
}

/* ---- lines ---- */

static void put_id(struct hbk_buffer *buffer, const struct hbk_id *id)
{
    struct hbk_text text;

    put(buffer, "{\"jsonrpc\":\"2.0\",\"id\":");
    switch (id->kind) {
    case HBK_ID_NUMBER:
        HBK_ASSERT(id->number >= 1 && id->number <= HBK_INTEGER_MAX);
        put_u64(buffer, id->number);
        break;
    case HBK_ID_TEXT:
        HBK_ASSERT(id->text_size <= HBK_ID_TEXT_BYTES_MAX);
        text.data = id->text;
        text.size = id->text_size;
        put_text(buffer, text);
        break;
    default:
        put(buffer, "null");
        break;
    }
}

/* Ends the line that was begun at @start. A line that the buffer or the protocol has no room for is taken
 * back whole. */
static void end_line(struct hbk_buffer *buffer, size_t start)
{
    put(buffer, "}\n");
    if (!buffer->failed && buffer->size - start <= HBK_LINE_BYTES_MAX)
        return;
    hbk_buffer_truncate(buffer, start);
    buffer->failed = true;
}

void hbk_write_request(struct hbk_buffer *buffer, const struct hbk_id *id, enum hbk_method method,
                       const void *params)
{
    const struct hbk_method_info *info = hbk_method_info(method);
    const size_t start = buffer->size;

    HBK_ASSERT(!info->notification && id->kind != HBK_ID_NONE);
    put_id(buffer, id);
    put(buffer, ",\"method\":\"");
    put(buffer, info->name);
    put(buffer, "\"");
    if (info->params->count > 0) {
        put(buffer, ",\"params\":");
        put_fields(buffer, info->params, params);
    }
    end_line(buffer, start);
}

void hbk_write_notification(struct hbk_buffer *buffer, enum hbk_method method, const void *params)
{
    const struct hbk_method_info *info = hbk_method_info(method);
    const size_t start = buffer->size;

    HBK_ASSERT(info->notification);
    put(buffer, "{\"jsonrpc\":\"2.0\",\"method\":\"");
    put(buffer, info->name);
    put(buffer, "\",\"params\":");
    put_fields(buffer, info->params, params);
    end_line(buffer, start);
}

void hbk_write_result(struct hbk_buffer *buffer, const struct hbk_id *id, enum hbk_method method,
                      const void *result)
{
    const struct hbk_method_info *info = hbk_method_info(method);
    const size_t start = buffer->size;

    HBK_ASSERT(!info->notification && id->kind != HBK_ID_NONE);
    put_id(buffer, id);
    put(buffer, ",\"result\":");
    put_fields(buffer, info->result, result);
    end_line(buffer, start);
}

void hbk_write_error(struct hbk_buffer *buffer, const struct hbk_id *id,
                     const struct hbk_error *error)
{
    const struct hbk_wire_error wire = {
        .code = error->code,
        .item = error->item,
        .win32 = error->win32,
        .message = hbk_text_from(hbk_result_name(error->code)),
        .detail = hbk_text_from(error->detail[0] ? error->detail : hbk_result_meaning(error->code)),
        .limit = hbk_text_from(error->limit[0] ? error->limit : NULL),
    };
    const size_t start = buffer->size;

    HBK_ASSERT(wire.message.data != NULL);
    put_id(buffer, id);
    put(buffer, ",\"error\":");
    put_fields(buffer, &hbk_schema_error, (const uint8_t *)&wire);
    end_line(buffer, start);
}

void hbk_write_event(struct hbk_buffer *buffer, const struct hbk_event *event)
{
    const size_t start = buffer->size;

    put_fields(buffer, &hbk_schema_event, (const uint8_t *)event);
    put(buffer, "\n");
    if (buffer->failed || buffer->size - start > HBK_LINE_BYTES_MAX) {
        hbk_buffer_truncate(buffer, start);
        buffer->failed = true;
    }
}
