/* The ground that service and client stand on: assertions, result codes, checked arithmetic, a bounded
 * buffer, UTF-8. No Windows, no libuv, no allocation but the buffer's. */
#ifndef HBK_BASE_H
#define HBK_BASE_H

#include "limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lets the compiler check a printf-like function's arguments against its format. */
#if defined(__MINGW32__) && !defined(__clang__)
#define HBK_PRINTF(format_index, first) __attribute__((format(gnu_printf, format_index, first)))
#elif defined(__GNUC__)
#define HBK_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#else
#define HBK_PRINTF(format_index, first)
#endif

/* ---- assertions: on in release builds too; for our own invariants, never for a peer's input ---- */

#if defined(_MSC_VER)
#define HBK_NORETURN __declspec(noreturn)
#else
#define HBK_NORETURN _Noreturn
#endif

/** hbk_assert_failed() - print the broken invariant to standard error and end the process. */
HBK_NORETURN void hbk_assert_failed(const char *expression, const char *file, int line);

#define HBK_ASSERT(expression) \
    ((expression) ? (void)0 : hbk_assert_failed(#expression, __FILE__, __LINE__))

/* ---- result codes ---- */

/* The protocol's outcomes. HBK_R_OK is not on the wire. */
enum hbk_result_code {
    HBK_R_OK = 0,
#define HBK_RESULT(name, code, text, meaning) HBK_R_##name = (code),
#include "results.def"
#undef HBK_RESULT
};

/** hbk_result_name() - the wire name of @code ("bad_handle"), or NULL if there is no such code. */
const char *hbk_result_name(int32_t code);

/** hbk_result_meaning() - one English sentence on @code, or NULL if there is no such code. */
const char *hbk_result_meaning(int32_t code);

/* How many there are. */
enum {
#define HBK_RESULT(name, code, text, meaning) HBK_RESULT_PLACE_##name,
#include "results.def"
#undef HBK_RESULT
    HBK_RESULT_COUNT
};

/** hbk_result_place() - where @code stands in the table, from 0 on; HBK_RESULT_COUNT: there is no such code. */
size_t hbk_result_place(int32_t code);

/** hbk_result_name_at() - the wire name of what stands at @place, which is below HBK_RESULT_COUNT. */
const char *hbk_result_name_at(size_t place);

/* Could a target take back the rights that were left out of what it was given? */
enum hbk_widenable {
    HBK_WIDENABLE_NOT_REDUCED = 0, /* nothing was left out */
    HBK_WIDENABLE_NO,
    HBK_WIDENABLE_YES,
    HBK_WIDENABLE_UNKNOWN,
};

/* What went wrong with a request, as it goes into `error` on the wire. */
struct hbk_error {
    int32_t code;   /* enum hbk_result_code; HBK_R_OK: no error */
    int32_t item;   /* index of the item that failed, or -1 */
    uint32_t win32; /* Windows error code, or 0 */
    char limit[HBK_LIMIT_NAME_BYTES_MAX + 1];
    char detail[HBK_DETAIL_BYTES_MAX + 1]; /* valid UTF-8; for people; says what to do */
};

/**
 * hbk_error_set() - fill @error with @code, no item, no Windows code, and a formatted detail
 *
 * What does not fit the detail is cut at a character; a byte that is not valid UTF-8 becomes '?'. Text
 * that a peer supplied goes through hbk_text_quote() first.
 */
HBK_PRINTF(3, 4)
void hbk_error_set(struct hbk_error *error, int32_t code, const char *format, ...);

/** hbk_error_set_limit() - name the limit that was reached; NULL: none. What does not fit is cut. */
void hbk_error_set_limit(struct hbk_error *error, const char *limit);

/* ---- checked arithmetic: true if the result fits; *ret_value untouched if not ---- */

/** hbk_add_u32() - @a plus @b, if 32 bits hold it. */
bool hbk_add_u32(uint32_t a, uint32_t b, uint32_t *ret_value);
/** hbk_add_size() - @a plus @b, if a size holds it. */
bool hbk_add_size(size_t a, size_t b, size_t *ret_value);
/** hbk_mul_size() - @a times @b, if a size holds it. */
bool hbk_mul_size(size_t a, size_t b, size_t *ret_value);

/* ---- borrowed text ---- */

/* UTF-8, not terminated, owned by somebody else. data NULL: absent (an empty text has data). */
struct hbk_text {
    const char *data;
    size_t size; /* bytes */
};

/** hbk_text_from() - the text of a NUL-terminated string, which it borrows; NULL gives the absent text. */
struct hbk_text hbk_text_from(const char *string);

/** hbk_text_equal() - same bytes; two absent texts are equal, an absent and an empty one are not. */
bool hbk_text_equal(struct hbk_text a, struct hbk_text b);

/** hbk_text_is() - @text is present and the same bytes as the NUL-terminated @string. */
bool hbk_text_is(struct hbk_text text, const char *string);

enum { HBK_QUOTE_BYTES = 48 };

/**
 * hbk_text_quote() - a peer's text made fit for a message that people and logs will see
 * @ret_quoted: printable ASCII in double quotes, terminated; what is not printable, quotes and backslashes
 *              appear as \xNN; a text that does not fit is cut and ends in "..."
 *
 * Return: ret_quoted.
 */
const char *hbk_text_quote(struct hbk_text text, char ret_quoted[HBK_QUOTE_BYTES]);

/** hbk_utf8_check() - offset of the first byte that is not valid UTF-8 (RFC 3629), or @size. */
size_t hbk_utf8_check(const void *bytes, size_t size);

/* ---- bounded buffer ---- */

/* Bytes that grow up to a limit. Writing past the limit, or out of memory, sets `failed` and writes
 * nothing more: a writer checks once, at its end. An all-zero buffer is empty and has no limit. */
struct hbk_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit; /* 0: none */
    bool failed;
};

/** hbk_buffer_init() - empty, with no memory yet. @limit: most bytes that it will hold; 0: none */
void hbk_buffer_init(struct hbk_buffer *buffer, size_t limit);
/** hbk_buffer_deinit() - free what @buffer holds; an all-zero buffer is accepted, and is left behind. */
void hbk_buffer_deinit(struct hbk_buffer *buffer);
/** hbk_buffer_clear() - size 0, not failed; keeps the memory. */
void hbk_buffer_clear(struct hbk_buffer *buffer);
/** hbk_buffer_append() - copy @size bytes to the end; all of them, or none and `failed` is set. */
void hbk_buffer_append(struct hbk_buffer *buffer, const void *bytes, size_t size);
/** hbk_buffer_truncate() - back to an earlier @size (and not failed): how a half-written line is undone. */
void hbk_buffer_truncate(struct hbk_buffer *buffer, size_t size);
/** hbk_buffer_consume() - drop the first @size bytes. */
void hbk_buffer_consume(struct hbk_buffer *buffer, size_t size);
/** hbk_buffer_shrink() - give memory back that the bytes held do not need, if it is much. */
void hbk_buffer_shrink(struct hbk_buffer *buffer);

#endif
