/* What went wrong, in words. */
#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifndef HBK_VERSION
#error "HBK_VERSION is to be set by the build"
#endif

struct own_result {
    hbk_result result;
    const char *word, *text;
};

static const struct own_result own_results[] = {
#define HBK_RESULT(name, number, word, text) {HBK_##name, (word), (text)},
#include "own_results.def"
#undef HBK_RESULT
};

#define HBK_RESULT(name, number, word, text) \
    _Static_assert(HBK_##name == (number), "handlebroker.h says another number");
#include "own_results.def"
#undef HBK_RESULT

static const struct own_result *own(hbk_result result)
{
    for (size_t i = 0; i < sizeof own_results / sizeof own_results[0]; i++) {
        if (own_results[i].result == result)
            return &own_results[i];
    }
    return NULL;
}

const char *hbk_result_word(hbk_result result)
{
    const struct own_result *found = own(result);
    const char *name = found != NULL ? found->word : hbk_result_name((int32_t)result);
    return name != NULL ? name : "unknown";
}

const char *hbk_result_text(hbk_result result)
{
    const struct own_result *found = own(result);
    const char *text = found != NULL ? found->text : hbk_result_meaning((int32_t)result);
    return text != NULL ? text : "a result that this library does not know";
}

const char *hbk_version(void)
{
    return HBK_VERSION;
}

hbk_result hbk_fail_with(hbk_error_info *ret_error, const struct hbk_error *error)
{
    if (ret_error != NULL) {
        ret_error->result = (hbk_result)error->code;
        ret_error->item = error->item;
        ret_error->win32 = error->win32;
        memcpy(ret_error->limit, error->limit, sizeof ret_error->limit);
        memcpy(ret_error->detail, error->detail, sizeof ret_error->detail);
    }
    return (hbk_result)error->code;
}

hbk_result hbk_fail(hbk_error_info *ret_error, hbk_result result, int item, uint32_t win32,
                    const char *format, ...)
{
    struct hbk_error error;
    char detail[HBK_DETAIL_BYTES_MAX + 1];
    va_list values;

    if (ret_error == NULL)
        return result;
    va_start(values, format);
    vsnprintf(detail, sizeof detail, format, values);
    va_end(values);
    /* Cut in the middle of a character, perhaps. */
    detail[hbk_utf8_check(detail, strlen(detail))] = '\0';
    hbk_error_set(&error, (int32_t)result, "%s", detail);
    error.item = item;
    error.win32 = win32;
    return hbk_fail_with(ret_error, &error);
}
