#include "internal.h"

#include <string.h>

/* What fits one field of a notice, its NUL included. */
#define FIELD_BYTES (HBK_DETAIL_BYTES_MAX + 1)

/* ---- texts ---- */

/* Printable ASCII; all else, and the backslash, as \xNN. What does not fit is cut, and ends in "...". */
static const char *printable(const char *text, char ret_text[FIELD_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    static const char cut[] = "...";
    size_t at = 0;

    for (; text != NULL && *text != '\0'; text++) {
        uint8_t byte = (uint8_t)*text;

        if (at + 4 + sizeof cut > FIELD_BYTES) {
            memcpy(ret_text + at, cut, sizeof cut);
            return ret_text;
        }
        if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
            ret_text[at++] = (char)byte;
            continue;
        }
        ret_text[at++] = '\\';
        ret_text[at++] = 'x';
        ret_text[at++] = digits[byte >> 4];
        ret_text[at++] = digits[byte & 15];
    }
    ret_text[at] = '\0';
    return ret_text;
}

void hbk_notice_tell(struct hbk_core *core, const struct hbk_notice *notice)
{
    char user[FIELD_BYTES], event[FIELD_BYTES], name[FIELD_BYTES], error[FIELD_BYTES],
        detail[FIELD_BYTES];
    struct hbk_notice told = *notice;

    HBK_ASSERT(notice->kind < HBK_NOTICE_KIND_COUNT && notice->count > 0);
    told.user = printable(notice->user, user);
    told.event = printable(notice->event, event);
    told.name = printable(notice->name, name);
    told.error = printable(notice->error, error);
    told.detail = printable(notice->detail, detail);
    core->platform.audit_notice(core->platform.context, &told);
}

/* ---- refusals ---- */

void hbk_notices_init(struct hbk_notices *notices)
{
    memset(notices, 0, sizeof *notices);
    for (size_t i = 0; i < HBK_AUDIT_USERS_MAX; i++) {
        notices->users[i].due_ms = HBK_NEVER;
    }
    notices->rest.due_ms = HBK_NEVER;
}

/* That of @user, or one for it to begin; where all are taken, and for who cannot be kept, that of the rest. */
static struct hbk_refusals *find(struct hbk_notices *notices, const char *user, size_t size,
                                 uint64_t hash)
{
    struct hbk_refusals *unused = NULL;

    if (size >= sizeof notices->rest.user) {
        return &notices->rest;
    }
    for (size_t i = 0; i < HBK_AUDIT_USERS_MAX; i++) {
        struct hbk_refusals *refusals = &notices->users[i];

        if (refusals->due_ms == HBK_NEVER) {
            unused = unused == NULL ? refusals : unused;
        } else if (refusals->hash == hash && strcmp(refusals->user, user) == 0) {
            return refusals;
        }
    }
    return unused != NULL ? unused : &notices->rest;
}

void hbk_notice_refused(struct hbk_core *core, const struct hbk_notice *notice)
{
    size_t size = strlen(notice->user);
    uint64_t hash = hbk_hash(&core->hash_key, notice->user, size, NULL, 0);
    struct hbk_notices *notices = &core->audit.notices;
    struct hbk_refusals *refusals = find(notices, notice->user, size, hash);

    HBK_ASSERT(notice->kind == HBK_NOTICE_REFUSED);
    if (refusals->due_ms != HBK_NEVER) {
        refusals->more += notice->count;
        return;
    }
    refusals->due_ms = hbk_now(core) + HBK_AUDIT_PERIOD_MS;
    refusals->more = 0;
    refusals->hash = hash;
    refusals->user[0] = '\0';
    if (refusals != &notices->rest) {
        memcpy(refusals->user, notice->user, size + 1);
    }
    hbk_notice_tell(core, notice);
    hbk_audit_arm(core);
}

static void expire(struct hbk_core *core, struct hbk_refusals *refusals, uint64_t now_ms)
{
    struct hbk_notice notice = {.kind = HBK_NOTICE_REFUSED_MORE,
                                .count = refusals->more,
                                .user = refusals->user,
                                .detail = refusals == &core->audit.notices.rest ? "of several users"
                                                                                : NULL};

    if (refusals->due_ms == HBK_NEVER || refusals->due_ms > now_ms) {
        return;
    }
    refusals->due_ms = HBK_NEVER;
    refusals->more = 0;
    if (notice.count > 0) {
        hbk_notice_tell(core, &notice);
    }
}

void hbk_notices_expire(struct hbk_core *core, uint64_t now_ms)
{
    for (size_t i = 0; i < HBK_AUDIT_USERS_MAX; i++) {
        expire(core, &core->audit.notices.users[i], now_ms);
    }
    expire(core, &core->audit.notices.rest, now_ms);
}

uint64_t hbk_notices_due_ms(const struct hbk_notices *notices)
{
    uint64_t due = notices->rest.due_ms;

    for (size_t i = 0; i < HBK_AUDIT_USERS_MAX; i++) {
        due = notices->users[i].due_ms < due ? notices->users[i].due_ms : due;
    }
    return due;
}
