/* The strict JSON profile of the protocol, checked before cJSON sees a line. */
#ifndef HBK_JSON_H
#define HBK_JSON_H

#include "base.h"

enum { HBK_JSON_E_REFUSED = 1 };

/**
 * hbk_json_check() - is @text one document of the strict profile?
 * @ret_error: filled on refusal: HBK_R_PARSE_ERROR, with the offset and what to do
 *
 * RFC 8259, and further: valid UTF-8; no U+0000, escaped or not; no control bytes; blanks are
 * spaces only; no unpaired surrogate; depth at most HBK_JSON_DEPTH_MAX (the outermost object is
 * depth 1); no duplicate keys (compared unescaped); numbers are integers with no fraction,
 * exponent, leading zero or "-0", of at most HBK_JSON_DIGITS_MAX digits; at most
 * HBK_JSON_VALUES_MAX values and HBK_JSON_MEMBERS_MAX members an object; nothing before or after
 * the document but blanks; the document is an object. No recursion, no allocation; time is linear
 * in the size, times HBK_JSON_MEMBERS_MAX at worst.
 * Return: 0, or HBK_JSON_E_REFUSED.
 */
int hbk_json_check(struct hbk_text text, struct hbk_error *ret_error);

/**
 * hbk_json_check_file() - the same of a configuration file
 * @ret_lines: room for HBK_JSON_FILE_VALUES_MAX: of each value, in the order in which they begin,
 *             the line in which it stands (from 1), or its key if it has one
 * @ret_error: filled on refusal, with line and column
 *
 * Tab, CR and LF are blanks too, there may be more values, and duplicate keys are let through for
 * the reader to tell of.
 * Return: 0, or HBK_JSON_E_REFUSED.
 */
int hbk_json_check_file(struct hbk_text text, uint32_t *ret_lines, struct hbk_error *ret_error);

#endif
