#include "codec_support.h"
#include "test_support.h"

#include <stdio.h>
#include <string.h>

/* Of the text that stands in fields which have room for it. */
enum { LONG_TEXT_BYTES = 24 };

struct writer {
    const struct sample *sample;
    struct hbk_buffer *line;
    size_t next; /* number of the next value */
    struct sample_value changed;
};

static void put(struct writer *writer, const char *text)
{
    hbk_buffer_append(writer->line, text, strlen(text));
}

static void put_members(struct writer *writer, const struct hbk_schema *schema, bool target_member);

/* Numbers the value at hand. Return: true if it is the one to change. */
static bool is_changed(struct writer *writer, const struct hbk_field *field, bool element,
                       bool target_member)
{
    if (writer->next++ != writer->sample->at)
        return false;
    writer->changed.field = field;
    writer->changed.element = element;
    writer->changed.target_member = target_member;
    return true;
}

static void put_element(struct writer *writer, const struct hbk_field *field)
{
    if (is_changed(writer, field, true, false) && writer->sample->change == SAMPLE_REPLACE) {
        put(writer, writer->sample->with);
        return;
    }
    if (field->kind == HBK_FIELD_OBJECTS)
        put_members(writer, field->sub, false);
    else if (field->kind == HBK_FIELD_INDICES)
        put(writer, "63");
    else
        put(writer, field->kind == HBK_FIELD_NUMBERS ? "4294967295" : "\"read\"");
}

static void put_sample_text(struct writer *writer, const struct hbk_field *field)
{
    if (field->check == HBK_TEXT_NAME)
        put(writer, "\"global/a-B_c/d.9\"");
    else if (field->check == HBK_TEXT_SID)
        put(writer, "\"S-1-5-21-1-2-3-1000\"");
    else if (field->check == HBK_TEXT_HEX)
        put(writer, "\"0123456789abcdef0123456789abcdef\"");
    else if (field->check == HBK_TEXT_BASE64)
        put(writer, "\"AZaz09+/AA==\"");
    else if (field->max < LONG_TEXT_BYTES)
        put(writer, "\"e \\u001f\xC3\xA9\"");
    else
        put(writer, "\"t\xC3\xA9xt \\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\xF0\x9F\x98\x80\"");
}

/* Valid, and never what an absent field would mean. */
static void put_value(struct writer *writer, const struct hbk_field *field)
{
    char number[32];

    switch (field->kind) {
    case HBK_FIELD_BOOL:
        put(writer, "true");
        break;
    case HBK_FIELD_MODE:
        put(writer, "\"ask\"");
        break;
    case HBK_FIELD_LIFETIME:
        put(writer, "\"broker\"");
        break;
    case HBK_FIELD_WIDENABLE:
        put(writer, "\"unknown\"");
        break;
    case HBK_FIELD_I32:
    case HBK_FIELD_U32:
    case HBK_FIELD_U64:
        (void)snprintf(number, sizeof number, "%lld", (long long)field->max);
        put(writer, number);
        break;
    case HBK_FIELD_HEX64:
        put(writer, "\"fedcba9876543210\"");
        break;
    case HBK_FIELD_HANDLE:
        put(writer, "2147483644");
        break;
    case HBK_FIELD_ACCESS:
        put(writer, "1179649");
        break;
    case HBK_FIELD_OBJECT:
        put_members(writer, field->sub, false);
        break;
    case HBK_FIELD_TARGET:
        if (writer->sample->other)
            put_members(writer, field->sub, true);
        else
            put(writer, "\"user/some.where\"");
        break;
    case HBK_FIELD_TEXT:
        put_sample_text(writer, field);
        break;
    case HBK_FIELD_TYPE_RULES:
        put(writer, "{\"Section\":");
        put_element(writer, field);
        put(writer, ",\"Event\":\"any\",\"File\":1179785}");
        break;
    default:
        put(writer, "[");
        put_element(writer, field);
        put(writer, field->kind == HBK_FIELD_NUMBERS   ? ",1]"
                    : field->kind == HBK_FIELD_INDICES ? ",0]"
                                                       : "]");
        break;
    }
}

static void put_members(struct writer *writer, const struct hbk_schema *schema, bool target_member)
{
    const char *between = "{";
    bool second = false; /* of two fields of which just one is there */

    for (size_t i = 0; i < schema->count; i++) {
        const struct hbk_field *field = &schema->fields[i];
        const bool skip = field->need == HBK_FIELD_EITHER && second != writer->sample->other;
        bool changed;

        second = second || field->need == HBK_FIELD_EITHER;
        if (skip)
            continue;
        changed = is_changed(writer, field, false, target_member);
        if (changed && writer->sample->change == SAMPLE_OMIT)
            continue;
        put(writer, between);
        between = ",";
        put(writer, "\"");
        put(writer, field->key);
        put(writer, changed && writer->sample->change == SAMPLE_RENAME ? "X\":" : "\":");
        if (changed && writer->sample->change == SAMPLE_REPLACE)
            put(writer, writer->sample->with);
        else
            put_value(writer, field);
    }
    put(writer, *between == '{' ? "{}" : "}");
}

struct sample_value sample_write(const struct sample *sample, struct hbk_buffer *line)
{
    const struct hbk_method_info *info = hbk_method_info(sample->method);
    struct writer writer = {sample, line, 0, {NULL, false, false}};

    put(&writer, "{\"jsonrpc\":\"2.0\"");
    if (sample->kind != SAMPLE_NOTIFICATION)
        put(&writer, ",\"id\":77");
    if (sample->kind == SAMPLE_RESULT) {
        put(&writer, ",\"result\":");
        put_members(&writer, info->result, false);
    } else {
        put(&writer, ",\"method\":\"");
        put(&writer, info->name);
        put(&writer, "\"");
        if (info->params->count > 0) {
            put(&writer, ",\"params\":");
            put_members(&writer, info->params, false);
        }
    }
    put(&writer, "}");
    assert_false(line->failed);
    return writer.changed;
}

static bool has_other_form(const struct hbk_schema *schema)
{
    for (size_t i = 0; schema != NULL && i < schema->count; i++) {
        if (schema->fields[i].kind == HBK_FIELD_TARGET ||
            schema->fields[i].need == HBK_FIELD_EITHER || has_other_form(schema->fields[i].sub))
            return true;
    }
    return false;
}

bool sample_next(struct sample *sample)
{
    sample->at = SIZE_MAX;
    if (sample->method != HBK_METHOD_NONE && !sample->other) {
        const struct hbk_method_info *info = hbk_method_info(sample->method);

        sample->other = has_other_form(sample->kind == SAMPLE_RESULT ? info->result : info->params);
        if (sample->other)
            return true;
    }
    sample->other = false;
    for (;;) {
        const struct hbk_method_info *info;

        sample->method = (enum hbk_method)(sample->method + 1);
        if (sample->method == HBK_METHOD_COUNT) {
            if (sample->kind == SAMPLE_RESULT)
                return false;
            sample->kind = (enum sample_kind)(sample->kind + 1);
            sample->method = HBK_METHOD_NONE;
            continue;
        }
        info = hbk_method_info(sample->method);
        if (info->notification == (sample->kind == SAMPLE_NOTIFICATION))
            return true;
    }
}

int sample_read(enum sample_kind kind, enum hbk_method method, struct hbk_message *message,
                struct hbk_text line)
{
    int result;

    if (kind == SAMPLE_REQUEST)
        return hbk_message_read_request(message, line);
    result = hbk_message_read_server_line(message, line);
    if (result != 0 || kind == SAMPLE_NOTIFICATION)
        return result;
    assert_int_equal(message->kind, HBK_MESSAGE_RESULT);
    return hbk_message_read_result(message, method);
}

void sample_write_back(enum sample_kind kind, const struct hbk_message *message,
                       struct hbk_buffer *line)
{
    if (kind == SAMPLE_REQUEST)
        hbk_write_request(line, &message->id, message->method, &message->u.params);
    else if (kind == SAMPLE_NOTIFICATION)
        hbk_write_notification(line, message->method, &message->u.params);
    else
        hbk_write_result(line, &message->id, message->method, &message->u.result);
}

struct hbk_text buffer_text(const struct hbk_buffer *buffer)
{
    return (struct hbk_text){(const char *)buffer->data, buffer->size};
}

void assert_nothing_left(const struct hbk_message *message)
{
    static const struct hbk_message zero;

    assert_int_equal(message->kind, HBK_MESSAGE_NONE);
    assert_null(message->tree);
    assert_null(message->lists);
    assert_memory_equal(&message->u, &zero.u, sizeof zero.u);
}

struct hbk_buffer read_test_file(const char *path)
{
    char full[1024];
    char block[4096];
    struct hbk_buffer bytes = {0};
    FILE *file;
    size_t size;

    (void)snprintf(full, sizeof full, "%s/%s", HBK_TEST_SOURCE_DIR, path);
    file = fopen(full, "rb");
    if (file == NULL)
        fail_msg("cannot open %s", full);
    while ((size = fread(block, 1, sizeof block, file)) > 0)
        hbk_buffer_append(&bytes, block, size);
    assert_int_equal(ferror(file), 0);
    (void)fclose(file);
    assert_false(bytes.failed);
    return bytes;
}
