/* A second look at a JSON text that is well-formed: how much of everything is in it, and what the strict profile
 * refuses beyond the grammar. Written apart from proto/codec/json.c, and simpler: the grammar was judged before. */
#ifndef LEXIS_H
#define LEXIS_H

#include "base.h"

enum { LEXIS_DEPTH_MAX = 4096 /* deeper than what jansson takes */ };

struct lexis {
    uint32_t values, depth, members; /* members: of the object that has most */
    bool object;                     /* the whole is one */
    bool blanks;                     /* tabs, CR or LF outside of strings */
    bool no_integer;                 /* a number with a fraction or an exponent */
    bool minus_zero;
    bool too_long; /* a number of more than HBK_JSON_DIGITS_MAX digits */
};

/**
 * lexis_scan() - look at @text, which is well-formed
 * @ret_lines: NULL, or room for @lines_max: the line of each value, or of its key if it has one, in the order
 *             in which they begin; what has no room is left out
 */
void lexis_scan(struct hbk_text text, struct lexis *ret_lexis, uint32_t *ret_lines,
                size_t lines_max);

/** lexis_strict() - is the text within the limits of a line (or, if @file, of a configuration file)? Duplicate keys
 * are not looked for. */
bool lexis_strict(const struct lexis *lexis, bool file);

#endif
