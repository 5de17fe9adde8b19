/* Who did what: one record for every grant, refusal, failure and change of the rules, to the audit file and to
 * who watches; refusals and changes also to the operator's log (notice.h). A sink that has no room loses
 * the record, which is counted; nothing here waits, and nothing fails. With neither file nor watcher a
 * hand-off builds no record at all. */
#ifndef HBK_AUDIT_H
#define HBK_AUDIT_H

#include "base.h"
#include "list.h"
#include "notice.h"
#include "timer.h"

struct hbk_session;
struct hbk_endpoint;
struct hbk_delivery;
struct hbk_entry;

struct hbk_audit {
    uint64_t serial;                  /* of the last record */
    uint64_t correlation;             /* of the last request */
    uint64_t dropped;                 /* records that a sink had no room for, since the start */
    uint64_t dropped_new;             /* of them, those that no record tells of yet */
    uint64_t dropped_due;             /* when one will; HBK_NEVER: there are none */
    const struct hbk_session *caller; /* whose request is at work, core.message; NULL: none is */
    bool caller_params;               /* the parameters of that request are there */
    struct hbk_link watchers;         /* struct hbk_session.watch_link */
    uint32_t watchers_count;
    struct hbk_buffer line; /* the record at work, for one kind of sink */
    struct hbk_timer timer;
    struct hbk_notices notices;
};

/** hbk_audit_init() - @core's. Return: 0; -1 out of memory. */
int hbk_audit_init(struct hbk_core *core);
/** hbk_audit_deinit() - after hbk_audit_flush(). */
void hbk_audit_deinit(struct hbk_core *core);

/** hbk_audit_arm() - set the timer to what is due next. */
void hbk_audit_arm(struct hbk_core *core);
/** hbk_audit_expire() - tell what was gathered until now. */
void hbk_audit_expire(struct hbk_core *core);
/** hbk_audit_flush() - tell all that was gathered, as the service stops. */
void hbk_audit_flush(struct hbk_core *core);

/* ---- a request at work: its records have one correlation ---- */

/** hbk_audit_begin() - @session's request is in core.message. @params: so are its parameters. */
void hbk_audit_begin(struct hbk_session *session, bool params);
/** hbk_audit_end() - it has been acted on: what comes now is of no request. */
void hbk_audit_end(struct hbk_core *core);

/** hbk_audit_refused() - the request at work is answered with @error. */
void hbk_audit_refused(struct hbk_session *session, const struct hbk_error *error);

/* ---- what has happened; @error NULL: it was done ---- */

/** hbk_audit_session() - @event of @session itself. */
void hbk_audit_session(struct hbk_session *session, const char *event,
                       const struct hbk_error *error);
/** hbk_audit_look() - @session's look at handle tables has ended so. */
void hbk_audit_look(struct hbk_session *session, const struct hbk_error *error);
/** hbk_audit_unopened() - a client got no session. */
void hbk_audit_unopened(struct hbk_core *core, const struct hbk_peer *peer,
                        const struct hbk_error *error);
/** hbk_audit_endpoint() - @event of @endpoint, by its owner. */
void hbk_audit_endpoint(const struct hbk_endpoint *endpoint, const char *event);
/** hbk_audit_delivery() - @event of @delivery, by its sender; before it loses its target. */
void hbk_audit_delivery(const struct hbk_delivery *delivery, const char *event,
                        const struct hbk_error *error);
/** hbk_audit_revoke() - @session takes @delivery back; before it loses its target. */
void hbk_audit_revoke(struct hbk_session *session, const struct hbk_delivery *delivery);
/** hbk_audit_entry() - @event of @entry, by @session; NULL: by nobody's request. */
void hbk_audit_entry(const struct hbk_entry *entry, struct hbk_session *session, const char *event);
/** hbk_audit_accept() - the target's delivery.accept has ended so. */
void hbk_audit_accept(const struct hbk_delivery *delivery, const struct hbk_error *error);
/** hbk_audit_reject() - the target said no. */
void hbk_audit_reject(struct hbk_session *target, const struct hbk_delivery *delivery);

/* ---- who watches ---- */

/** hbk_audit_watch() - tell @session of every record from now on; once is enough. */
void hbk_audit_watch(struct hbk_session *session);
/** hbk_audit_review() - other rules are in force: who may watch no longer is told so, and then nothing more. */
void hbk_audit_review(struct hbk_core *core);
/** hbk_audit_unwatch() - no more. May be repeated. */
void hbk_audit_unwatch(struct hbk_session *session);

#endif
