/* The strict JSON profile of the protocol, checked before cJSON sees a line. */
#ifndef HBK_JSON_H
#define HBK_JSON_H

#include "base.h"

/* Tab, CR and LF count as blanks too: for configuration files, never for lines. */
enum { HBK_JSON_MULTILINE = 1 };

/**
 * hbk_json_check() - is @text one document of the strict profile?
 * @flags:     0, or HBK_JSON_MULTILINE
 * @ret_error: filled on refusal: HBK_R_PARSE_ERROR, with the offset and what to do
 *
 * RFC 8259, and further: valid UTF-8; no U+0000, escaped or not; no control bytes; blanks are spaces only; no
 * unpaired surrogate; depth at most HBK_JSON_DEPTH_MAX (the outermost object is depth 1); no duplicate
 * keys (compared unescaped); numbers are integers with no fraction, exponent, leading zero or "-0", of at
 * most HBK_JSON_DIGITS_MAX digits; at most HBK_JSON_VALUES_MAX values and HBK_JSON_MEMBERS_MAX members an
 * object; nothing before or after the document but blanks; the document is an object.
 * No recursion, no allocation; time is linear in the size, times HBK_JSON_MEMBERS_MAX at worst.
 * Return: 0, or HBK_JSON_E_REFUSED.
 */
int hbk_json_check(struct hbk_text text, unsigned flags, struct hbk_error *ret_error);

enum { HBK_JSON_E_REFUSED = 1 };

#endif
