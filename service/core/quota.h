/* What users share: of each resource a user may take half of what all others leave, so that no single one
 * takes all, and everyone always gets something. */
#ifndef HBK_QUOTA_H
#define HBK_QUOTA_H

#include "base.h"
#include "message.h"

enum hbk_quota {
    HBK_QUOTA_SESSIONS,
    HBK_QUOTA_REQUESTS, /* in flight: sends, and accepts of who was offered something */
    HBK_QUOTA_PINS,     /* until their close has returned */
    HBK_QUOTA_PENDING,  /* deliveries not told yet; the sender's */
    HBK_QUOTA_ENDPOINTS,
    HBK_QUOTA_QUEUED_BYTES, /* arrived and not acted on, or not read yet by the client */
    HBK_QUOTA_STORED,       /* entries of the store, until the close of their pin has returned */
    HBK_QUOTA_STORED_BYTES, /* of their names, descriptors and data */
    HBK_QUOTA_COUNT
};

struct hbk_core;
struct hbk_session;
struct hbk_user;
struct hbk_endpoint;

enum { HBK_QUOTA_E_REFUSED = 1 };

/** hbk_quota_share() - the most that one may have of @limit, if @used are taken, @own of them by itself. Half,
 * rounded up: the last one of a resource can be had. */
uint64_t hbk_quota_share(uint64_t limit, uint64_t used, uint64_t own);

/** hbk_quota_take() - @session's user has @count more. Asks nothing: hbk_quota_check() comes before. */
void hbk_quota_take(struct hbk_session *session, enum hbk_quota quota, uint64_t count);
/** hbk_quota_give() - and so many less. */
void hbk_quota_give(struct hbk_session *session, enum hbk_quota quota, uint64_t count);
/** hbk_quota_give_user() - of one that may have no session any more. */
void hbk_quota_give_user(struct hbk_core *core, struct hbk_user *user, enum hbk_quota quota,
                         uint64_t count);

/** hbk_quota_check() - may @session's user have @count more? 0, or filled @ret_error. */
int hbk_quota_check(const struct hbk_session *session, enum hbk_quota quota, uint64_t count,
                    struct hbk_error *ret_error);

/** hbk_quota_check_endpoint() - may @sender's user have one more delivery pending at @endpoint, by the same
 * rule among those who send to it? */
bool hbk_quota_check_endpoint(const struct hbk_endpoint *endpoint,
                              const struct hbk_session *sender);

/** hbk_quota_count_bytes() - what @session holds in its queues may have changed: charge it anew, and let those
 * sessions of its user go on that waited for that. */
void hbk_quota_count_bytes(struct hbk_session *session);
/** hbk_quota_over_bytes() - @user has more queued bytes than its share. */
bool hbk_quota_over_bytes(const struct hbk_core *core, const struct hbk_user *user);

/** hbk_quota_describe() - all of them, as @user sees them. @ret_infos: room for HBK_QUOTA_COUNT; its texts are
 * static. */
void hbk_quota_describe(const struct hbk_core *core, const struct hbk_user *user,
                        struct hbk_quota_info *ret_infos);

#endif
