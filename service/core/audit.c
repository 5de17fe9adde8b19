#include "internal.h"

#include <string.h>

/* What the record's line buffer keeps between two records. */
#define KEEP_BYTES 4096u

/* ---- the sinks ---- */

static bool wanted(const struct hbk_core *core)
{
    return core->config.audit_file || core->audit.watchers_count > 0;
}

static void dropped(struct hbk_core *core, uint64_t count)
{
    struct hbk_audit *audit = &core->audit;

    audit->dropped += count;
    audit->dropped_new += count;
    if (audit->dropped_due == HBK_NEVER) {
        audit->dropped_due = hbk_now(core) + HBK_AUDIT_PERIOD_MS;
        hbk_audit_arm(core);
    }
}

static void clear_line(struct hbk_audit *audit)
{
    hbk_buffer_clear(&audit->line);
    if (audit->line.capacity > KEEP_BYTES) {
        hbk_buffer_deinit(&audit->line);
    }
}

static void to_file(struct hbk_core *core, const struct hbk_event *event)
{
    struct hbk_buffer *line = &core->audit.line;

    hbk_write_event(line, event);
    if (line->failed ||
        !core->platform.audit_line(core->platform.context, line->data, line->size)) {
        dropped(core, 1);
    }
    clear_line(&core->audit);
}

static void to_watchers(struct hbk_core *core, const struct hbk_event *event)
{
    struct hbk_audit *audit = &core->audit;

    hbk_write_notification(&audit->line, HBK_METHOD_BROKER_EVENT, event);
    if (audit->line.failed) {
        dropped(core, audit->watchers_count);
    } else {
        for (struct hbk_link *link = audit->watchers.next; link != &audit->watchers;
             link = link->next) {
            if (!hbk_output_event(HBK_CONTAINER(link, struct hbk_session, watch_link),
                                  &audit->line)) {
                dropped(core, 1);
            }
        }
    }
    clear_line(audit);
}

static void record(struct hbk_core *core, struct hbk_event *event)
{
    struct hbk_audit *audit = &core->audit;

    HBK_ASSERT(wanted(core) && audit->line.size == 0);
    event->serial = ++audit->serial;
    event->time_ms = core->platform.unix_ms(core->platform.context);
    if (core->config.audit_file) {
        to_file(core, event);
    }
    if (audit->watchers_count > 0) {
        to_watchers(core, event);
    }
}

/* ---- what records are made of ---- */

static struct hbk_event_party party(const struct hbk_session *session)
{
    return (struct hbk_event_party){.session = session->slot.id,
                                    .pid = session->peer.pid,
                                    .user = hbk_text_from(session->peer.user)};
}

/* A refusal is an answer to what was asked; a failure came in between. */
static bool is_refusal(int32_t code)
{
    return code != HBK_R_TARGET_GONE && code != HBK_R_TIMEOUT && code != HBK_R_STOPPING &&
           code != HBK_R_OS_ERROR && code != HBK_R_INTERNAL_ERROR;
}

static void set_outcome(struct hbk_event *event, const struct hbk_error *error)
{
    if (error == NULL) {
        event->outcome = hbk_text_from("done");
        return;
    }
    event->outcome = hbk_text_from(is_refusal(error->code) ? "refused" : "failed");
    event->error = hbk_text_from(hbk_result_name(error->code));
    event->detail = hbk_text_from(error->detail[0] != '\0' ? error->detail : NULL);
    event->win32 = error->win32;
}

static struct hbk_notice refusal(const struct hbk_peer *peer, const char *event,
                                 const struct hbk_error *error)
{
    return (struct hbk_notice){.kind = HBK_NOTICE_REFUSED,
                               .count = 1,
                               .pid = peer->pid,
                               .win32 = error->win32,
                               .user = peer->user,
                               .event = event,
                               .error = hbk_result_name(error->code),
                               .detail = error->detail};
}

/* A name within the NUL-terminated texts of a notice. */
struct name {
    char text[HBK_NAME_BYTES_MAX + 1];
};

static const char *set_name(struct name *ret_name, struct hbk_text text)
{
    size_t size = text.size < HBK_NAME_BYTES_MAX ? text.size : HBK_NAME_BYTES_MAX;

    if (text.data != NULL) {
        memcpy(ret_name->text, text.data, size);
    }
    ret_name->text[text.data != NULL ? size : 0] = '\0';
    return ret_name->text;
}

/* @event of @peer, with what @params has of it: of a refusal the operator's log is told too. */
static void tell(struct hbk_core *core, const struct hbk_peer *peer, struct hbk_event *params,
                 const char *event, const struct hbk_error *error)
{
    if (error != NULL && is_refusal(error->code)) {
        struct hbk_notice notice = refusal(peer, event, error);
        struct name name;

        notice.correlation = params->correlation;
        notice.name = set_name(&name, params->endpoint);
        hbk_notice_refused(core, &notice);
    }
    if (wanted(core)) {
        params->event = hbk_text_from(event);
        set_outcome(params, error);
        record(core, params);
    }
}

/* ---- a request at work ---- */

void hbk_audit_begin(struct hbk_session *session, bool params)
{
    struct hbk_audit *audit = &session->core->audit;

    HBK_ASSERT(audit->caller == NULL);
    audit->caller = session;
    audit->caller_params = params;
    audit->correlation++;
}

void hbk_audit_end(struct hbk_core *core)
{
    HBK_ASSERT(core->audit.caller != NULL);
    core->audit.caller = NULL;
}

static uint64_t correlation_of(const struct hbk_session *session)
{
    const struct hbk_audit *audit = &session->core->audit;

    return audit->caller == session ? audit->correlation : 0;
}

/* The name that a request is about; absent: none. */
static struct hbk_text name_asked(const struct hbk_message *message)
{
    const union hbk_params *params = &message->u.params;

    switch (message->method) {
    case HBK_METHOD_ENDPOINT_OPEN:
        return params->endpoint_open.name;
    case HBK_METHOD_ENDPOINT_CLOSE:
        return params->endpoint_close.name;
    case HBK_METHOD_HANDLE_SEND:
        return params->send.to_pid != 0 ? params->send.to_process_name : params->send.to_name;
    case HBK_METHOD_HANDLE_TRANSFER:
        return params->transfer.to_name;
    case HBK_METHOD_STORE_PUT:
        return params->store_put.name;
    case HBK_METHOD_STORE_GET:
        return params->store_get.name;
    case HBK_METHOD_STORE_REMOVE:
        return params->store_remove.name;
    case HBK_METHOD_POLICY_EXPLAIN:
        return params->explain.name;
    default:
        return (struct hbk_text){0};
    }
}

void hbk_audit_refused(struct hbk_session *session, const struct hbk_error *error)
{
    struct hbk_core *core = session->core;
    const struct hbk_message *message = &core->message;
    const char *event = hbk_method_name(message->method);
    struct hbk_event params = {.correlation = core->audit.correlation, .caller = party(session)};

    HBK_ASSERT(core->audit.caller == session);
    if (core->audit.caller_params) {
        params.endpoint = name_asked(message);
    }
    tell(core, &session->peer, &params, event != NULL ? event : "request", error);
}

/* ---- what has happened ---- */

void hbk_audit_session(struct hbk_session *session, const char *event,
                       const struct hbk_error *error)
{
    struct hbk_event params = {.correlation = correlation_of(session), .caller = party(session)};

    tell(session->core, &session->peer, &params, event, error);
}

void hbk_audit_look(struct hbk_session *session, const struct hbk_error *error)
{
    const struct hbk_looking *look = &session->look;
    struct hbk_event params = {
        .correlation = look->correlation, .caller = party(session), .target = {.pid = look->pid}};

    tell(session->core, &session->peer, &params, hbk_method_name(look->method), error);
}

void hbk_audit_unopened(struct hbk_core *core, const struct hbk_peer *peer,
                        const struct hbk_error *error)
{
    struct hbk_event params = {.caller = {.pid = peer->pid, .user = hbk_text_from(peer->user)}};

    tell(core, peer, &params, "session.refused", error);
}

void hbk_audit_endpoint(const struct hbk_endpoint *endpoint, const char *event)
{
    struct hbk_session *owner = endpoint->owner;

    if (wanted(owner->core)) {
        struct hbk_event params = {
            .event = hbk_text_from(event),
            .correlation = correlation_of(owner),
            .caller = party(owner),
            .endpoint = {.data = endpoint->name, .size = endpoint->name_size}};

        set_outcome(&params, NULL);
        record(owner->core, &params);
    }
}

/* Whoever is told of it, it goes to that process. */
static struct hbk_event_party target_of(const struct hbk_delivery *delivery)
{
    bool answer_tells = delivery->target == NULL || delivery->target == delivery->sender;

    if (delivery->process != NULL && answer_tells) {
        return (struct hbk_event_party){.pid = delivery->process_pid};
    }
    return delivery->target != NULL ? party(delivery->target) : (struct hbk_event_party){0};
}

static void record_delivery(const struct hbk_delivery *delivery, struct hbk_event *params)
{
    struct hbk_sent_item items[HBK_ITEMS_MAX];

    HBK_ASSERT(delivery->item_count <= HBK_ITEMS_MAX);
    for (size_t i = 0; i < delivery->item_count; i++) {
        const struct hbk_pinned *item = &delivery->items[i];

        items[i] = (struct hbk_sent_item){
            .type = hbk_text_from(hbk_type_info((enum hbk_type)item->type)->name),
            .access = item->access,
        };
    }
    params->correlation = delivery->correlation;
    params->delivery = delivery->slot.id;
    params->source.pid = delivery->source_pid;
    params->endpoint = delivery->name;
    params->items_count = delivery->item_count;
    params->items = items;
    record(delivery->sender->core, params);
    params->items_count = 0;
    params->items = NULL;
}

void hbk_audit_delivery(const struct hbk_delivery *delivery, const char *event,
                        const struct hbk_error *error)
{
    struct hbk_core *core = delivery->sender->core;
    /* Whose sender has ended was refused nothing. */
    bool refused = error != NULL && !delivery->answered && is_refusal(error->code);

    if (refused) {
        struct hbk_notice notice = refusal(&delivery->sender->peer, event, error);
        struct name name;

        notice.correlation = delivery->correlation;
        notice.name = set_name(&name, delivery->name);
        hbk_notice_refused(core, &notice);
    }
    if (wanted(core)) {
        struct hbk_event params = {.event = hbk_text_from(event),
                                   .caller = party(delivery->sender)};

        params.target = target_of(delivery);
        set_outcome(&params, error);
        if (error != NULL && !refused) {
            params.outcome = hbk_text_from("failed");
        }
        record_delivery(delivery, &params);
    }
}

/* @event of @delivery by @session, which has asked for it or is its target. */
static void record_answer(struct hbk_session *session, const struct hbk_delivery *delivery,
                          const char *event, const struct hbk_error *error)
{
    struct hbk_event params = {.event = hbk_text_from(event), .caller = party(session)};

    if (!wanted(session->core)) {
        return;
    }
    if (session != delivery->target) {
        params.target = target_of(delivery);
    }
    set_outcome(&params, error);
    if (error != NULL) {
        params.outcome = hbk_text_from("failed");
    }
    record_delivery(delivery, &params);
}

void hbk_audit_accept(const struct hbk_delivery *delivery, const struct hbk_error *error)
{
    record_answer(delivery->target, delivery, "delivery.accept", error);
}

void hbk_audit_reject(struct hbk_session *target, const struct hbk_delivery *delivery)
{
    record_answer(target, delivery, "delivery.reject", NULL);
}

void hbk_audit_revoke(struct hbk_session *session, const struct hbk_delivery *delivery)
{
    record_answer(session, delivery, "delivery.revoke", NULL);
}

void hbk_audit_entry(const struct hbk_entry *entry, struct hbk_session *session, const char *event)
{
    struct hbk_core *core = entry->core;

    if (wanted(core)) {
        const struct hbk_sent_item item = {
            .type = hbk_text_from(hbk_type_info((enum hbk_type)entry->item.type)->name),
            .access = entry->item.access,
        };
        struct hbk_event params = {.event = hbk_text_from(event),
                                   .endpoint = entry->name,
                                   .items_count = 1,
                                   .items = &item};

        if (session != NULL) {
            params.correlation = correlation_of(session);
            params.caller = party(session);
        } else {
            params.caller = (struct hbk_event_party){.pid = entry->pid,
                                                     .user = hbk_text_from(entry->user->sid)};
        }
        set_outcome(&params, NULL);
        record(core, &params);
    }
}

/* ---- of the service itself ---- */

static const char *const note_events[HBK_NOTICE_KIND_COUNT] = {
    [HBK_NOTICE_REFUSED] = "session.refused",     [HBK_NOTICE_REFUSED_MORE] = "session.refused",
    [HBK_NOTICE_POLICY_LOADED] = "policy.loaded", [HBK_NOTICE_POLICY_KEPT] = "policy.kept",
    [HBK_NOTICE_DROPPED] = "records.dropped",     [HBK_NOTICE_WARNING] = "service.warning",
    [HBK_NOTICE_PAUSED] = "service.paused",       [HBK_NOTICE_CONTINUED] = "service.continued",
};

static const char *const note_outcomes[HBK_NOTICE_KIND_COUNT] = {
    [HBK_NOTICE_REFUSED] = "refused",    [HBK_NOTICE_REFUSED_MORE] = "refused",
    [HBK_NOTICE_POLICY_LOADED] = "done", [HBK_NOTICE_POLICY_KEPT] = "refused",
    [HBK_NOTICE_DROPPED] = "failed",     [HBK_NOTICE_WARNING] = "failed",
    [HBK_NOTICE_PAUSED] = "done",        [HBK_NOTICE_CONTINUED] = "done",
};

/* NULL where there is nothing in it, as records leave it out. */
static struct hbk_text text_or_none(const char *text)
{
    return hbk_text_from(text != NULL && text[0] != '\0' ? text : NULL);
}

static struct hbk_text capped(const char *text, size_t size_max)
{
    struct hbk_text result = text_or_none(text);

    result.size = result.size < size_max ? result.size : size_max;
    return result;
}

static void record_note(struct hbk_core *core, const struct hbk_notice *notice)
{
    struct hbk_error clean; /* what came from outside is cut, and made valid UTF-8 */
    struct hbk_text name = text_or_none(notice->name);
    struct hbk_event params = {
        .event = hbk_text_from(notice->event),
        .outcome = hbk_text_from(note_outcomes[notice->kind]),
        .correlation = notice->correlation,
        .caller = {.pid = notice->pid, .user = capped(notice->user, HBK_SID_BYTES_MAX)},
        .error = capped(notice->error, HBK_EVENT_NAME_BYTES_MAX),
        .win32 = notice->win32,
        .count = notice->count > 1 ? notice->count : 0,
    };

    HBK_ASSERT(params.event.size <= HBK_EVENT_NAME_BYTES_MAX);
    if (name.data != NULL && hbk_name_check(name)) {
        params.endpoint = name;
    }
    hbk_error_set(&clean, HBK_R_INTERNAL_ERROR, "%s", notice->detail != NULL ? notice->detail : "");
    params.detail = text_or_none(clean.detail);
    record(core, &params);
}

void hbk_core_note(struct hbk_core *core, const struct hbk_notice *notice)
{
    struct hbk_notice note = *notice;

    HBK_ASSERT(notice->kind < HBK_NOTICE_KIND_COUNT);
    note.count = notice->count != 0 ? notice->count : 1;
    note.user = notice->user != NULL ? notice->user : "";
    if (notice->event == NULL || notice->event[0] == '\0') {
        note.event = note_events[notice->kind];
    }
    if (note.kind == HBK_NOTICE_REFUSED) {
        hbk_notice_refused(core, &note);
    } else {
        hbk_notice_tell(core, &note);
    }
    if (note.kind == HBK_NOTICE_DROPPED) {
        core->audit.dropped += note.count;
    }
    if (wanted(core)) {
        record_note(core, &note);
    }
}

/* ---- time ---- */

int hbk_audit_init(struct hbk_core *core)
{
    struct hbk_audit *audit = &core->audit;

    hbk_list_init(&audit->watchers);
    hbk_notices_init(&audit->notices);
    audit->dropped_due = HBK_NEVER;
    audit->timer.kind = HBK_TIMER_AUDIT;
    return hbk_timers_reserve(&core->timers);
}

void hbk_audit_deinit(struct hbk_core *core)
{
    HBK_ASSERT(core->audit.watchers_count == 0);
    hbk_timer_set(&core->timers, &core->audit.timer, HBK_NEVER);
    hbk_buffer_deinit(&core->audit.line);
    if (core->timers.reserved > 0) {
        hbk_timers_unreserve(&core->timers);
    }
}

void hbk_audit_arm(struct hbk_core *core)
{
    uint64_t due = hbk_notices_due_ms(&core->audit.notices);

    due = core->audit.dropped_due < due ? core->audit.dropped_due : due;
    hbk_timer_set(&core->timers, &core->audit.timer, due);
}

/* The record that tells of dropped ones may itself find no room: then that one is told of a minute later. */
static void tell_dropped(struct hbk_core *core, uint64_t now_ms)
{
    struct hbk_audit *audit = &core->audit;
    struct hbk_notice notice = {.kind = HBK_NOTICE_DROPPED,
                                .count = audit->dropped_new,
                                .event = note_events[HBK_NOTICE_DROPPED],
                                .user = "",
                                .detail = "the audit file or a watcher had no room for them"};

    if (audit->dropped_due == HBK_NEVER || audit->dropped_due > now_ms) {
        return;
    }
    audit->dropped_due = HBK_NEVER;
    audit->dropped_new = 0;
    hbk_notice_tell(core, &notice);
    if (wanted(core)) {
        record_note(core, &notice);
    }
}

void hbk_audit_expire(struct hbk_core *core)
{
    uint64_t now = hbk_now(core);

    hbk_notices_expire(core, now);
    tell_dropped(core, now);
    hbk_audit_arm(core);
}

void hbk_audit_flush(struct hbk_core *core)
{
    hbk_notices_expire(core, HBK_NEVER);
    tell_dropped(core, HBK_NEVER);
    hbk_audit_arm(core);
}

/* ---- who watches ---- */

void hbk_audit_watch(struct hbk_session *session)
{
    struct hbk_audit *audit = &session->core->audit;

    if (hbk_list_empty(&session->watch_link)) {
        hbk_list_append(&audit->watchers, &session->watch_link);
        audit->watchers_count++;
    }
}

/* The first of those who watch and may not. */
static struct hbk_session *find_unlawful(struct hbk_core *core)
{
    struct hbk_link *head = &core->audit.watchers;

    for (struct hbk_link *link = head->next; link != head; link = link->next) {
        struct hbk_session *session = HBK_CONTAINER(link, struct hbk_session, watch_link);

        if (!hbk_grant_verb(session, HBK_VERB_INSPECT)) {
            return session;
        }
    }
    return NULL;
}

void hbk_audit_review(struct hbk_core *core)
{
    struct hbk_session *session;
    struct hbk_error error;

    hbk_error_set(&error, HBK_R_DENIED, "the rules that are in force now let it watch no longer");
    /* From the start each time: telling a watcher may end it. */
    while ((session = find_unlawful(core)) != NULL) {
        hbk_audit_session(session, "broker.watch", &error); /* the last that it sees */
        hbk_audit_unwatch(session);
    }
}

void hbk_audit_unwatch(struct hbk_session *session)
{
    struct hbk_audit *audit = &session->core->audit;

    if (!hbk_list_empty(&session->watch_link)) {
        HBK_ASSERT(audit->watchers_count > 0);
        hbk_list_remove(&session->watch_link);
        audit->watchers_count--;
    }
}
