/* How an operator looks at the broker: its state, who is there, and what happens. */
#include "internal.h"

bool hbk_operate_may_inspect(struct hbk_session *session, const struct hbk_id *id)
{
    if (hbk_grant_verb(session, HBK_VERB_INSPECT)) {
        return true;
    }
    hbk_output_refuse(
        session, id, HBK_R_DENIED,
        "this needs the right `inspect`, which policy gives to administrators unless it says "
        "otherwise");
    return false;
}

/* ---- broker.status ---- */

static const char *state_of(const struct hbk_core *core)
{
    return core->stopping ? "stopping" : core->paused ? "paused" : "running";
}

void hbk_operate_status(struct hbk_session *session, const struct hbk_id *id)
{
    struct hbk_core *core = session->core;
    struct hbk_quota_info quotas[HBK_QUOTA_COUNT];
    struct hbk_status_result result = {
        .server_name = hbk_text_from(HBK_SERVER_NAME),
        .server_version = hbk_text_from(HBK_VERSION_STRING),
        .protocol = HBK_PROTOCOL_VERSION,
        .state = hbk_text_from(state_of(core)),
        .pid = core->config.pid,
        .uptime_ms = hbk_now(core) - core->started_ms,
        .sessions = core->session_pool.used_count,
        .sessions_proven = core->proven,
        .endpoints = (uint32_t)core->endpoints.count,
        .deliveries_pending = (uint32_t)core->used[HBK_QUOTA_PENDING],
        .pins = (uint32_t)core->used[HBK_QUOTA_PINS],
        .stored = (uint32_t)core->used[HBK_QUOTA_STORED],
        .delivered = core->delivered,
        .failed = core->failed,
        .policy = core->policies_loaded,
        .events_dropped = core->audit.dropped,
        .quotas_count = HBK_QUOTA_COUNT,
        .quotas = quotas,
    };

    hbk_quota_describe(core, session->user, quotas);
    hbk_output_result(session, id, HBK_METHOD_BROKER_STATUS, &result);
}

/* ---- broker.metrics ---- */

void hbk_operate_metrics(struct hbk_session *session, const struct hbk_id *id)
{
    struct hbk_metrics_result result;
    struct hbk_buffer text;

    if (!hbk_operate_may_inspect(session, id)) {
        return;
    }
    hbk_buffer_init(&text, HBK_METRICS_BYTES_MAX);
    hbk_core_metrics(session->core, &text);
    if (text.failed) {
        hbk_output_refuse(session, id, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
    } else {
        result.text = (struct hbk_text){.data = (const char *)text.data, .size = text.size};
        hbk_output_result(session, id, HBK_METHOD_BROKER_METRICS, &result);
    }
    hbk_buffer_deinit(&text);
}

/* ---- broker.sessions ---- */

/* What a page's line has besides its entries, and an entry besides its texts. */
enum { PAGE_BYTES = 256, ENTRY_BYTES = 400 };

struct page {
    struct hbk_session_info entries[HBK_PAGE_MAX];
    size_t count;
    size_t bytes; /* that its line takes at most */
};

static const char *state_name(const struct hbk_session *session)
{
    static const char *const names[] = {
        [HBK_SESSION_NEW] = "new",       [HBK_SESSION_HELLO] = "hello",
        [HBK_SESSION_PROVEN] = "proven", [HBK_SESSION_ENDING] = "ending",
        [HBK_SESSION_CLOSED] = "ending",
    };

    return names[session->state];
}

/* Return: false: the line has no room for it. */
static bool add_entry(struct page *page, const struct hbk_session *session, uint64_t now)
{
    struct hbk_session_info info = {
        .session = session->slot.id,
        .peer = hbk_session_peer_info(&session->peer),
        .terminal_session = session->peer.terminal_session,
        .state = hbk_text_from(state_name(session)),
        .since_ms = now - session->opened_ms,
        .endpoints = session->endpoint_count,
        .requests = session->requests,
        .pins = session->pins,
        .queued_bytes = session->bytes,
        .sent = session->sent,
        .received = session->received,
    };
    size_t bytes = ENTRY_BYTES + info.peer.user.size;

    if (session->client_name_size != 0) {
        info.client_name =
            (struct hbk_text){.data = session->client_name, .size = session->client_name_size};
        info.client_version = (struct hbk_text){.data = session->client_version,
                                                .size = session->client_version_size};
        bytes += hbk_escaped_size(info.client_name) + hbk_escaped_size(info.client_version);
    }
    if (page->bytes + bytes > HBK_LINE_BYTES_MAX) {
        return false;
    }
    page->bytes += bytes;
    page->entries[page->count++] = info;
    return true;
}

/* By their places, not by age: who stays is shown once, whoever comes or goes between two pages, and no page looks
 * at more than HBK_SCAN_MAX of them. */
void hbk_operate_sessions(struct hbk_session *session, const struct hbk_id *id,
                          const struct hbk_paging *params)
{
    const struct hbk_pool *pool = &session->core->session_pool;
    struct hbk_session_list_result result = {0};
    uint32_t limit = params->limit != 0 ? params->limit : HBK_PAGE_MAX;
    uint32_t size = hbk_pool_size(pool), looked = 0;
    uint64_t now = hbk_now(session->core), index = 0;
    char next[HBK_CURSOR_BYTES_MAX];
    struct page page;

    if (!hbk_operate_may_inspect(session, id)) {
        return;
    }
    if (hbk_cursor_read(params->cursor, &index) != 0) {
        hbk_output_refuse(session, id, HBK_R_INVALID_PARAMS,
                          "cursor: take it from `next` of the page before");
        return;
    }
    page.count = 0;
    page.bytes = PAGE_BYTES;
    for (; index < size && looked < HBK_SCAN_MAX && page.count < limit; index++, looked++) {
        const struct hbk_session *other = hbk_pool_at(pool, (uint32_t)index);

        if (other != NULL && !add_entry(&page, other, now)) {
            break;
        }
    }
    for (; index < size && looked < HBK_SCAN_MAX && hbk_pool_at(pool, (uint32_t)index) == NULL;
         looked++) {
        index++; /* so that the last page is seldom an empty one */
    }
    if (index < size) {
        result.next = hbk_cursor_write(index, next);
    }
    result.sessions_count = page.count;
    result.sessions = page.entries;
    hbk_output_result(session, id, HBK_METHOD_BROKER_SESSIONS, &result);
}

/* ---- broker.watch ---- */

/* Its own grant is recorded before it watches, and telling it of a record leaves none: a watcher sees nothing that
 * its watching causes. */
void hbk_operate_watch(struct hbk_session *session, const struct hbk_id *id)
{
    struct hbk_core *core = session->core;
    bool watches = !hbk_list_empty(&session->watch_link);
    struct hbk_error error;

    if (!hbk_operate_may_inspect(session, id)) {
        return;
    }
    if (!watches && core->audit.watchers_count >= HBK_WATCHERS_MAX) {
        hbk_error_set(&error, HBK_R_QUOTA, "%u sessions watch, as many as may: let one end",
                      (unsigned)core->audit.watchers_count);
        hbk_error_set_limit(&error, "watchers");
        hbk_output_error(session, id, &error);
        return;
    }
    if (!watches) {
        hbk_audit_session(session, "broker.watch", NULL);
    }
    hbk_output_result(session, id, HBK_METHOD_BROKER_WATCH, NULL);
    if (hbk_session_alive(session)) {
        hbk_audit_watch(session);
    }
}
