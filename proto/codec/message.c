/* What messages are made of: names, ids, values that the wire may not carry. */
#include "message.h"
#include "schema.h"

#include <string.h>

const char *const hbk_mode_words[2] = {"auto", "ask"};
const char *const hbk_lifetime_words[2] = {"session", "broker"};
const char *const hbk_access_words[2] = {"same", "read"};
const char *const hbk_rule_words[2] = {"any", "read"};

bool hbk_id_equal(const struct hbk_id *a, const struct hbk_id *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == HBK_ID_NUMBER)
        return a->number == b->number;
    if (a->kind == HBK_ID_TEXT)
        return a->text_size == b->text_size && memcmp(a->text, b->text, a->text_size) == 0;
    return true;
}

/* Bytes that @byte of a text takes on the wire. */
static size_t escaped_byte_size(uint8_t byte)
{
    if (byte == '"' || byte == '\\')
        return 2;
    if (byte >= 0x20)
        return 1;
    return byte == '\b' || byte == '\f' || byte == '\n' || byte == '\r' || byte == '\t' ? 2 : 6;
}

size_t hbk_escaped_size(struct hbk_text text)
{
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++)
        size += escaped_byte_size((uint8_t)text.data[i]);
    return size;
}

static bool is_path_byte(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '/' || byte == '-';
}

bool hbk_name_check(struct hbk_text name)
{
    static const char *const scopes[] = {"user/", "session/", "global/"};
    size_t path = 0; /* where it starts; 0: no scope */

    if (name.data == NULL || name.size > HBK_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        const size_t size = strlen(scopes[i]);

        if (name.size > size && memcmp(name.data, scopes[i], size) == 0)
            path = size;
    }
    if (path == 0)
        return false;
    for (size_t i = path; i < name.size; i++) {
        if (!is_path_byte((uint8_t)name.data[i]))
            return false;
    }
    return true;
}

/* The spelling of ConvertSidToStringSid, as far as it can be told without Windows. */
static bool is_sid(struct hbk_text text)
{
    static const char prefix[] = "S-1-";
    const size_t size = sizeof prefix - 1;

    if (text.size <= size || memcmp(text.data, prefix, size) != 0)
        return false;
    for (size_t i = size; i < text.size; i++) {
        if (text.data[i] == '\0' || strchr("0123456789abcdefABCDEFx-", text.data[i]) == NULL)
            return false;
    }
    return true;
}

static bool is_hex(struct hbk_text text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!((text.data[i] >= '0' && text.data[i] <= '9') ||
              (text.data[i] >= 'a' && text.data[i] <= 'f')))
            return false;
    }
    return true;
}

static bool is_base64_digit(char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '+' || byte == '/';
}

static bool is_base64(struct hbk_text text)
{
    size_t digits = text.size;

    while (digits > 0 && text.size - digits < 2 && text.data[digits - 1] == '=')
        digits--;
    for (size_t i = 0; i < digits; i++) {
        if (!is_base64_digit(text.data[i]))
            return false;
    }
    return text.size % 4 == 0;
}

size_t hbk_text_measure(const struct hbk_field *field, struct hbk_text text)
{
    return field->check == HBK_TEXT_ESCAPED ? hbk_escaped_size(text) : text.size;
}

const char *hbk_text_fault(const struct hbk_field *field, struct hbk_text text)
{
    if (field->check == HBK_TEXT_NAME && !hbk_name_check(text))
        return "is no name: write user/, session/ or global/ and then letters, digits or . _ / -";
    if (field->check == HBK_TEXT_SID && !is_sid(text))
        return "is no SID: write it as S-1-5-21-...";
    if (field->check == HBK_TEXT_HEX && (text.size != (size_t)field->max || !is_hex(text)))
        return "is not of lower-case hex digits, as many as there must be";
    if (field->check == HBK_TEXT_BASE64 && !is_base64(text))
        return "is not base64: A-Z a-z 0-9 + / in fours, and = to fill the last";
    return NULL;
}

const char *hbk_mask_fault(uint32_t mask)
{
    if (mask == 0)
        return "a mask of zero grants nothing; leave access out to give what the handle has";
    if (mask & 0xF0000000u)
        return "GENERIC_* bits; write the type's own rights instead";
    if (mask & 0x02000000u)
        return "MAXIMUM_ALLOWED; write \"same\" to give what the handle has";
    if (mask & 0x01000000u)
        return "ACCESS_SYSTEM_SECURITY cannot be handed over";
    return NULL;
}

const char *hbk_handle_fault(double value)
{
    const double two32 = 4294967296.0;
    const double two64 =
        18446744073709551616.0; /* what 64-bit spellings of -1 to -16 are as doubles */

    /* Never `(double)value` to an integer before the range is known. */
    if (value == 0)
        return "0 is no handle";
    if ((value >= -16 && value <= -1) || (value >= two32 - 16 && value < two32) || value == two64)
        return "a pseudo-handle (-1 to -16); duplicate it into a real handle first";
    if (value >= two32)
        return "out of range: a handle is 4 to 2147483644";
    if (value < 0 || value > HBK_HANDLE_MAX + 3.0)
        return "in the kernel's half of the values; no process holds such a handle";
    if ((uint64_t)value % 4 != 0)
        return "tag bits are set: a handle is a multiple of 4";
    return NULL;
}
