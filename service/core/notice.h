/* The operator's log: refusals, gathered a user and a minute so that nobody can wrap it, and changes. */
#ifndef HBK_NOTICE_H
#define HBK_NOTICE_H

#include "platform.h"

/* The refusals of one user in one minute. */
struct hbk_refusals {
    uint64_t hash;   /* of the SID */
    uint64_t due_ms; /* the minute's end; HBK_NEVER: nobody's */
    uint64_t more;   /* that came after the first */
    char user[HBK_SID_BYTES_MAX + 1];
};

struct hbk_notices {
    struct hbk_refusals users[HBK_AUDIT_USERS_MAX];
    struct hbk_refusals rest; /* of all users that found no room there */
};

struct hbk_core;

/** hbk_notices_init() - nothing is gathered. */
void hbk_notices_init(struct hbk_notices *notices);

/** hbk_notice_tell() - @notice as it is, its texts made printable ASCII and cut. */
void hbk_notice_tell(struct hbk_core *core, const struct hbk_notice *notice);

/** hbk_notice_refused() - the first of its user in a minute at once; the rest of them as a number. */
void hbk_notice_refused(struct hbk_core *core, const struct hbk_notice *notice);

/** hbk_notices_expire() - say those numbers whose minute ended at @now_ms or before. HBK_NEVER: all. */
void hbk_notices_expire(struct hbk_core *core, uint64_t now_ms);

/** hbk_notices_due_ms() - when the next minute ends; HBK_NEVER: there is nothing to say. */
uint64_t hbk_notices_due_ms(const struct hbk_notices *notices);

#endif
