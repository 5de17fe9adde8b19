/* What is wrong with a configuration file: gathered while it is read, told in the order of its
 * lines. */
#ifndef HBK_FINDINGS_H
#define HBK_FINDINGS_H

#include "base.h"

enum { HBK_FINDINGS_MAX = 100, HBK_FINDING_BYTES_MAX = 800 };

struct hbk_finding {
    uint32_t line; /* 0: none */
    uint32_t order;
    char *key;    /* which setting; "" for the file as a whole */
    char *detail; /* in what it is wrong, and what to do; behind the key, in one block */
};

struct hbk_findings {
    size_t count;      /* that were added */
    size_t kept_count; /* those past HBK_FINDINGS_MAX are only counted */
    struct hbk_finding kept[HBK_FINDINGS_MAX];
};

/** hbk_findings_add() - @key is wrong: @format says in what, and what to do. @key: "" for the file
 * as a whole. */
HBK_PRINTF(4, 5)
void hbk_findings_add(struct hbk_findings *findings, uint32_t line, const char *key,
                      const char *format, ...);

/** hbk_findings_sort() - those that are kept, by their lines. */
void hbk_findings_sort(struct hbk_findings *findings);

/** hbk_findings_clear() - forget them; all-zero ones are accepted, and are left behind. */
void hbk_findings_clear(struct hbk_findings *findings);

/** hbk_findings_tell() - append a line "@name: line N: KEY: WHAT" for each to @text, and forget
 * them. */
void hbk_findings_tell(struct hbk_findings *findings, const char *name, struct hbk_buffer *text);

#endif
