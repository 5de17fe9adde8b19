#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct result {
    int32_t code;
    const char *name;
    const char *meaning;
} results[] = {
#define HBK_RESULT(name, code, text, meaning) {(code), (text), (meaning)},
#include "results.def"
#undef HBK_RESULT
};

static const struct result *find_result(int32_t code)
{
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        if (results[i].code == code)
            return &results[i];
    }
    return NULL;
}

size_t hbk_result_place(int32_t code)
{
    const struct result *result = find_result(code);

    return result ? (size_t)(result - results) : HBK_RESULT_COUNT;
}

const char *hbk_result_name_at(size_t place)
{
    HBK_ASSERT(place < HBK_RESULT_COUNT);
    return results[place].name;
}

const char *hbk_result_name(int32_t code)
{
    const struct result *result = find_result(code);

    return result ? result->name : NULL;
}

const char *hbk_result_meaning(int32_t code)
{
    const struct result *result = find_result(code);

    return result ? result->meaning : NULL;
}

/* The last character of a text that was cut may lack its end: drop it. Anything else that is not UTF-8
 * came in by a caller's mistake, which must not make a line that the peer refuses. */
static void make_valid(char *text, bool cut)
{
    size_t size = strlen(text);

    for (;;) {
        const size_t bad = hbk_utf8_check(text, size);

        if (bad == size)
            return;
        if (cut && size - bad < 4 && (uint8_t)text[bad] >= 0xC2) {
            text[bad] = '\0';
            size = bad;
        } else {
            text[bad] = '?';
        }
    }
}

void hbk_error_set(struct hbk_error *error, int32_t code, const char *format, ...)
{
    va_list arguments;
    int size;

    memset(error, 0, sizeof *error);
    error->code = code;
    error->item = -1;
    va_start(arguments, format);
    size = vsnprintf(error->detail, sizeof error->detail, format, arguments);
    va_end(arguments);
    if (size < 0)
        error->detail[0] = '\0';
    make_valid(error->detail, size >= (int)sizeof error->detail);
}

void hbk_error_set_limit(struct hbk_error *error, const char *limit)
{
    size_t size = limit ? strlen(limit) : 0;
    const bool cut = size > HBK_LIMIT_NAME_BYTES_MAX;

    if (cut)
        size = HBK_LIMIT_NAME_BYTES_MAX;
    if (size > 0)
        memcpy(error->limit, limit, size);
    error->limit[size] = '\0';
    make_valid(error->limit, cut);
}
