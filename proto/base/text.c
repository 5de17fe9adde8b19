#include "base.h"

#include <string.h>

struct hbk_text hbk_text_from(const char *string)
{
    struct hbk_text text = {string, string ? strlen(string) : 0};

    return text;
}

bool hbk_text_equal(struct hbk_text a, struct hbk_text b)
{
    if (a.data == NULL || b.data == NULL)
        return a.data == b.data;
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

bool hbk_text_is(struct hbk_text text, const char *string)
{
    return text.data != NULL && hbk_text_equal(text, hbk_text_from(string));
}

const char *hbk_text_quote(struct hbk_text text, char ret_quoted[HBK_QUOTE_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    const size_t end = HBK_QUOTE_BYTES - sizeof "...\"";
    size_t out = 0;

    ret_quoted[out++] = '"';
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t byte = (uint8_t)text.data[i];
        const bool plain = byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';

        if (out + (plain ? 1 : 4) > end) {
            memcpy(ret_quoted + out, "...", 3);
            out += 3;
            break;
        }
        if (plain) {
            ret_quoted[out++] = (char)byte;
        } else {
            ret_quoted[out++] = '\\';
            ret_quoted[out++] = 'x';
            ret_quoted[out++] = hex[byte >> 4];
            ret_quoted[out++] = hex[byte & 15];
        }
    }
    ret_quoted[out++] = '"';
    HBK_ASSERT(out < HBK_QUOTE_BYTES);
    ret_quoted[out] = '\0';
    return ret_quoted;
}

/* Bytes of the valid character at @p, which has @left bytes; 0 if it is not valid. RFC 3629, section 4. */
static size_t character_size(const uint8_t *p, size_t left)
{
    uint8_t low = 0x80, high = 0xBF; /* bounds of the second byte */
    size_t size;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        size = 2;
    } else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        size = 3;
        if (p[0] == 0xE0)
            low = 0xA0; /* below: overlong */
        else if (p[0] == 0xED)
            high = 0x9F; /* above: surrogates */
    } else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        size = 4;
        if (p[0] == 0xF0)
            low = 0x90; /* below: overlong */
        else if (p[0] == 0xF4)
            high = 0x8F; /* above: past U+10FFFF */
    } else {
        return 0;
    }
    if (left < size || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++) {
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    }
    return size;
}

size_t hbk_utf8_check(const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    size_t at = 0;

    while (at < size) {
        uint64_t eight;
        size_t step;

        if (size - at >= sizeof eight) {
            memcpy(&eight, p + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        step = character_size(p + at, size - at);
        if (step == 0)
            return at;
        at += step;
    }
    return size;
}
