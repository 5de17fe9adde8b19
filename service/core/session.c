/* A session: one connected client, from the accepted pipe to the last handle that it cost. */
#include "internal.h"

#include <string.h>

/* Reading stops at the limit of the write queue. What is under way then may still add to it: answers, and
 * notifications that nobody waits for. A client that lets so much gather is let go. */
#define QUEUED_BEYOND_MAX ((size_t)4 * 1024 * 1024)

static void init_lists(struct hbk_session *session)
{
    hbk_list_init(&session->all_link);
    hbk_list_init(&session->sends);
    hbk_list_init(&session->ready);
    hbk_list_init(&session->closing);
    hbk_list_init(&session->endpoints);
    hbk_list_init(&session->blocked);
    hbk_list_init(&session->offered);
    hbk_list_init(&session->accepted);
    hbk_list_init(&session->carried);
    hbk_list_init(&session->in_flight);
    hbk_list_init(&session->untold);
    hbk_list_init(&session->holds);
    hbk_list_init(&session->given);
    hbk_list_init(&session->entries);
    hbk_list_init(&session->throttle_link);
    hbk_list_init(&session->watch_link);
}

static struct hbk_session *session_new(struct hbk_core *core, struct hbk_process *process,
                                       const struct hbk_peer *peer, void *connection)
{
    struct hbk_scope *scopes[HBK_SCOPE_KIND_COUNT] = {NULL};
    struct hbk_session *session = NULL;

    if (hbk_scopes_keep(core, peer, scopes) != 0 || hbk_timers_reserve(&core->timers) != 0) {
        goto out;
    }
    session = hbk_pool_new(&core->session_pool);
    if (session == NULL) {
        hbk_timers_unreserve(&core->timers);
        goto out;
    }
    init_lists(session);
    session->core = core;
    session->connection = connection;
    session->state = HBK_SESSION_NEW;
    session->timer.kind = HBK_TIMER_SESSION;
    session->line_due = session->write_due = session->end_due = HBK_NEVER;
    session->look.due = HBK_NEVER;
    session->opened_ms = hbk_now(core);
    session->hello_due = session->opened_ms + core->config.hello_ms;
    session->gone_code = HBK_R_TARGET_GONE;
    memcpy(session->scopes, scopes, sizeof scopes);
    session->peer = *peer;
    hbk_buffer_init(&session->queued, core->config.write_queue_bytes + QUEUED_BEYOND_MAX);
    hbk_buffer_init(&session->writing, core->config.write_queue_bytes + QUEUED_BEYOND_MAX);
    session->user = process->user;
    session->process = process;
    process->sessions++;
    if (process->user->closer == NULL) {
        process->user->closer = core->platform.closer_ref(connection);
    }
    hbk_work_init(session);
    hbk_list_append(&core->sessions, &session->all_link);
    hbk_session_arm(session);
out:
    if (session == NULL) {
        hbk_scopes_release(core, scopes);
    }
    return session;
}

/* Whom the service has no place for: nothing is kept. */
static int check_room(const struct hbk_core *core, struct hbk_error *ret_error)
{
    if (core->stopping) {
        hbk_error_set(ret_error, HBK_R_STOPPING, "the service is shutting down");
        return HBK_CORE_E_REFUSED;
    }
    if (core->session_pool.used_count >= core->config.sessions) {
        hbk_error_set(ret_error, HBK_R_QUOTA, "the service has %u sessions, as many as it may",
                      (unsigned)core->session_pool.used_count);
        hbk_error_set_limit(ret_error, "sessions");
        return HBK_CORE_E_REFUSED;
    }
    return 0;
}

/* Whose user has too much already. */
static int check_user(const struct hbk_session *session, struct hbk_error *ret_error)
{
    const struct hbk_user *user = session->user;

    if (hbk_quota_check(session, HBK_QUOTA_SESSIONS, 1, ret_error) != 0) {
        return HBK_CORE_E_REFUSED;
    }
    if (hbk_quota_over_bytes(session->core, user)) {
        hbk_error_set(ret_error, HBK_R_QUOTA,
                      "this user's sessions hold %llu bytes that wait to be read or acted on: read "
                      "what is there, then connect again",
                      (unsigned long long)user->used[HBK_QUOTA_QUEUED_BYTES]);
        hbk_error_set_limit(ret_error, "queued_bytes_per_user");
        return HBK_CORE_E_REFUSED;
    }
    return 0;
}

int hbk_core_session_opened(struct hbk_core *core, const struct hbk_peer *peer, void *connection,
                            uint64_t *ret_session)
{
    struct hbk_process *process = NULL;
    struct hbk_session *session;
    struct hbk_error error;

    if (check_room(core, &error) != 0) {
        goto refused;
    }
    hbk_error_set(&error, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
    process = hbk_core_process(core, peer->user, peer->pid);
    if (process == NULL) {
        goto refused;
    }
    if (process->user->refused >= HBK_SESSIONS_REFUSED_MAX) {
        hbk_error_set(&error, HBK_R_QUOTA, "%u sessions of this user are being refused already",
                      (unsigned)process->user->refused);
        goto refused;
    }
    session = session_new(core, process, peer, connection);
    if (session == NULL) {
        goto refused;
    }
    *ret_session = session->slot.id;
    if (check_user(session, &error) != 0) {
        session->user->refused++;
        hbk_audit_unopened(core, peer, &error);
        hbk_session_end(session, HBK_R_TARGET_GONE, &error);
        return 0;
    }
    session->counted = true;
    session->fed = true;
    hbk_work_add(session, HBK_WORK_READ);
    hbk_quota_take(session, HBK_QUOTA_SESSIONS, 1);
    hbk_audit_session(session, "session.opened", NULL);
    return 0;
refused:
    hbk_core_process_release(core, process);
    hbk_audit_unopened(core, peer, &error);
    return HBK_CORE_E_REFUSED;
}

bool hbk_session_alive(const struct hbk_session *session)
{
    return session->state < HBK_SESSION_ENDING;
}

void hbk_session_arm(struct hbk_session *session)
{
    uint64_t due = session->hello_due;

    due = session->line_due < due ? session->line_due : due;
    due = session->write_due < due ? session->write_due : due;
    due = session->end_due < due ? session->end_due : due;
    due = session->look.due < due ? session->look.due : due;
    hbk_timer_set(&session->core->timers, &session->timer, due);
}

/* ---- input ---- */

/* A line is taken when the one before it is done with its sender's handles, and when the pins are closed that are to be
 * closed: who waits for an answer before the next request never meets a limit by what is over. */
static bool may_take_line(const struct hbk_session *session)
{
    return session->input_ready && hbk_session_alive(session) && !hbk_output_full(session) &&
           session->prove_id.kind == HBK_ID_NONE && session->pinning == NULL &&
           hbk_list_empty(&session->closing);
}

static bool has_phase(const struct hbk_session *session)
{
    return !hbk_list_empty(&session->ready) || session->pinning != NULL || may_take_line(session);
}

void hbk_session_schedule(struct hbk_session *session)
{
    if (has_phase(session)) {
        hbk_work_add(session, HBK_WORK_PHASE);
    }
}

static void set_line_due(struct hbk_session *session, uint64_t due)
{
    if (session->line_due != due) {
        session->line_due = due;
        hbk_session_arm(session);
    }
}

/* Is it not to be read for what its user holds in all? Then it waits for that to be less. What made it so goes
 * without its help: lines are acted on, and a write that nobody reads has its deadline. */
static bool throttled(struct hbk_session *session)
{
    if (session->bytes <= HBK_LINE_BYTES_MAX ||
        !hbk_quota_over_bytes(session->core, session->user)) {
        hbk_list_remove(&session->throttle_link);
        return false;
    }
    if (hbk_list_empty(&session->throttle_link)) {
        hbk_list_append(&session->user->throttled, &session->throttle_link);
    }
    return true;
}

/* A line cannot end while it is not read: its time begins anew when reading goes on. */
static void set_paused(struct hbk_session *session, bool paused)
{
    struct hbk_core *core = session->core;

    session->read_paused = paused;
    core->platform.read_pause(session->connection, paused);
    if (paused) {
        set_line_due(session, HBK_NEVER);
    } else if (!session->input_ready && hbk_framer_size(&session->input) != 0) {
        set_line_due(session, hbk_now(core) + core->config.line_ms);
    }
}

/* Reading stops while the client does not read its answers, while more than a line of it waits to be
 * acted on, or while its user has too much queued; it goes on when half of its answers are gone. */
void hbk_session_update_pause(struct hbk_session *session)
{
    struct hbk_core *core = session->core;
    size_t queued = session->queued.size + session->writing.size;
    size_t held = hbk_framer_size(&session->input);
    bool paused = session->read_paused;

    hbk_quota_count_bytes(session);
    if (!hbk_session_alive(session)) {
        return;
    }
    if (throttled(session) || queued > core->config.write_queue_bytes ||
        held > HBK_LINE_BYTES_MAX) {
        paused = true;
    } else if (queued <= core->config.write_queue_bytes / 2) {
        paused = false;
    }
    if (paused != session->read_paused) {
        set_paused(session, paused);
    }
    hbk_session_schedule(session);
}

void hbk_session_bytes(struct hbk_session *session, const void *bytes, size_t size)
{
    if (hbk_framer_push(&session->input, bytes, size) != 0) {
        hbk_session_hang_up(session, HBK_R_TARGET_GONE);
        return;
    }
    session->input_ready = session->fed = true;
    hbk_session_update_pause(session);
}

/* Not before all is acted on that has come: who sends more than its share waits at the pipe. */
void hbk_session_read_on(struct hbk_session *session)
{
    if (session->fed && !session->input_ready && hbk_session_alive(session)) {
        session->fed = false;
        session->core->spent++;
        session->core->platform.read_on(session->connection);
    }
}

static void take_line(struct hbk_session *session)
{
    struct hbk_core *core = session->core;
    struct hbk_error error;
    struct hbk_text line;
    int result = hbk_framer_next(&session->input, &line);

    if (result == HBK_FRAME_LINE) {
        core->spent += 1 + line.size / HBK_WORK_BYTES;
        set_line_due(session, HBK_NEVER);
        hbk_quota_count_bytes(session); /* this line waits no longer */
        hbk_request_line(session, line);
        return;
    }
    if (result == HBK_FRAME_E_TOO_LONG) {
        hbk_error_set(&error, HBK_R_PARSE_ERROR, "a line has at most %d bytes, its LF included",
                      HBK_LINE_BYTES_MAX);
        hbk_session_end(session, HBK_R_TARGET_GONE, &error);
        return;
    }
    session->input_ready = false;
    hbk_work_add(session, HBK_WORK_READ);
    if (hbk_framer_size(&session->input) != 0 && session->line_due == HBK_NEVER &&
        !session->read_paused) {
        set_line_due(session, hbk_now(core) + core->config.line_ms);
    }
}

void hbk_session_phase(struct hbk_session *session)
{
    struct hbk_link *link = hbk_list_pop(&session->ready);

    if (link != NULL) {
        hbk_delivery_phase(HBK_CONTAINER(link, struct hbk_delivery, ready_link));
    } else if (session->pinning != NULL) {
        hbk_send_go_on(session);
    } else if (may_take_line(session)) {
        take_line(session);
        hbk_session_update_pause(session);
    }
    hbk_session_schedule(session);
}

void hbk_session_close_some(struct hbk_session *session)
{
    bool untold = !hbk_list_empty(&session->untold), entries = false;
    uint32_t left = HBK_WORK_PER_PIECE - hbk_place_take_back(session, HBK_WORK_PER_PIECE);

    if (untold && hbk_list_empty(&session->untold)) {
        hbk_session_settle_later(session);
    }
    while (left > 0 && !hbk_list_empty(&session->closing)) {
        left -= hbk_delivery_close(
            HBK_CONTAINER(session->closing.next, struct hbk_delivery, close_link), left);
    }
    if (!hbk_session_alive(session) && !hbk_list_empty(&session->entries)) {
        (void)hbk_store_drop_some(session, left);
        entries = !hbk_list_empty(&session->entries);
        if (!entries) {
            hbk_session_settle_later(session);
        }
    }
    if (entries || !hbk_list_empty(&session->closing) || !hbk_list_empty(&session->untold)) {
        hbk_work_add(session, HBK_WORK_CLOSE);
    }
    hbk_session_schedule(session);
}

/* ---- the end ---- */

/* Take back all that hangs on a session. What is placed and not told yet is left to the write's end.
 * @error: NULL, or what it ends for. */
static void unlink_all(struct hbk_session *session, int32_t gone_code,
                       const struct hbk_error *error)
{
    struct hbk_core *core = session->core;

    session->gone_code = gone_code;
    if (session->state == HBK_SESSION_HELLO) {
        (void)core->platform.proof_close(session->connection);
    } else if (session->state == HBK_SESSION_PROVEN) {
        HBK_ASSERT(core->proven > 0);
        core->proven--;
        hbk_target_unproven(session);
    }
    session->state = HBK_SESSION_ENDING;
    session->hello_due = session->line_due = HBK_NEVER;
    hbk_framer_deinit(&session->input);
    session->input_ready = false;
    hbk_list_remove(&session->throttle_link);
    hbk_audit_unwatch(session);
    hbk_quota_count_bytes(session);
    if (session->counted) {
        hbk_audit_session(session, "session.closed", error);
    }
    while (!hbk_list_empty(&session->endpoints)) {
        hbk_endpoint_free(
            HBK_CONTAINER(session->endpoints.next, struct hbk_endpoint, session_link));
    }
    hbk_delivery_unhold(session);
    hbk_revoke_end_all(session);
    hbk_delivery_drop_sends(session);
    hbk_look_drop(session);
    if (!hbk_list_empty(&session->entries)) {
        hbk_work_add(session, HBK_WORK_CLOSE);
    }
}

void hbk_session_end(struct hbk_session *session, int32_t gone_code, const struct hbk_error *error)
{
    static const struct hbk_id no_id = {.kind = HBK_ID_NONE};

    if (!hbk_session_alive(session)) {
        return;
    }
    if (error != NULL) {
        hbk_output_failure(session, &no_id, error);
        if (!hbk_session_alive(session)) {
            return;
        }
    }
    unlink_all(session, gone_code, error);
    if (session->state == HBK_SESSION_CLOSED) { /* as in hang_up() */
        return;
    }
    session->end_due = hbk_now(session->core) + session->core->config.write_ms;
    hbk_session_arm(session);
    session->core->platform.read_pause(session->connection, true);
    hbk_session_settle_later(session);
}

void hbk_session_hang_up(struct hbk_session *session, int32_t gone_code)
{
    struct hbk_error error;

    if (session->state == HBK_SESSION_CLOSED) {
        return;
    }
    if (hbk_session_alive(session)) {
        if (gone_code == HBK_R_BUSY) {
            hbk_error_set(&error, HBK_R_TIMEOUT, "the client read nothing for %u ms",
                          (unsigned)session->core->config.write_ms);
        }
        unlink_all(session, gone_code, gone_code == HBK_R_BUSY ? &error : NULL);
        if (session->state == HBK_SESSION_CLOSED) {
            return; /* of what it was told on the way, something found no memory: that was its end */
        }
    }
    session->gone_code = gone_code;
    session->state = HBK_SESSION_CLOSED;
    session->write_due = session->end_due = HBK_NEVER;
    hbk_session_arm(session);
    hbk_buffer_deinit(&session->queued);
    hbk_quota_count_bytes(session);
    hbk_place_untold(session, &session->carried);
    session->core->platform.close(session->connection);
    hbk_session_settle_later(session);
}

void hbk_session_settle_later(struct hbk_session *session)
{
    hbk_work_add(session, HBK_WORK_END);
}

static void session_free(struct hbk_session *session)
{
    struct hbk_core *core = session->core;

    HBK_ASSERT(session->requests == 0 && session->pins == 0 && session->endpoint_count == 0);
    HBK_ASSERT(hbk_list_empty(&session->blocked) && hbk_list_empty(&session->offered));
    HBK_ASSERT(hbk_list_empty(&session->accepted) && hbk_list_empty(&session->carried));
    HBK_ASSERT(hbk_list_empty(&session->in_flight) && hbk_list_empty(&session->ready));
    HBK_ASSERT(hbk_list_empty(&session->closing) && session->pinning == NULL);
    HBK_ASSERT(hbk_list_empty(&session->untold));
    HBK_ASSERT(hbk_list_empty(&session->given) && hbk_list_empty(&session->holds));
    core->platform.release(session->connection);
    hbk_list_remove(&session->all_link);
    hbk_work_drop(session);
    hbk_timer_set(&core->timers, &session->timer, HBK_NEVER);
    hbk_timers_unreserve(&core->timers);
    hbk_buffer_deinit(&session->queued);
    hbk_buffer_deinit(&session->writing);
    /* Not before: a session whose closes are stuck stays charged to its user. */
    HBK_ASSERT(session->bytes == 0 && hbk_list_empty(&session->watch_link));
    if (session->counted) {
        hbk_quota_give(session, HBK_QUOTA_SESSIONS, 1);
    } else {
        HBK_ASSERT(session->user->refused > 0);
        session->user->refused--;
    }
    session->process->sessions--;
    hbk_core_process_release(core, session->process);
    hbk_scopes_release(core, session->scopes);
    hbk_pool_free(&core->session_pool, session);
}

void hbk_session_settle(struct hbk_session *session)
{
    if (session->state == HBK_SESSION_ENDING && !session->write_pending &&
        session->queued.size == 0 && session->requests == 0) {
        hbk_session_hang_up(session, session->gone_code);
    }
    if (session->state == HBK_SESSION_CLOSED && !session->write_pending && !session->look.pending &&
        hbk_list_empty(&session->sends) && hbk_list_empty(&session->entries) &&
        hbk_list_empty(&session->untold)) {
        session_free(session);
    }
}

void hbk_session_expire(struct hbk_session *session, uint64_t now_ms)
{
    struct hbk_error error;

    if (session->end_due <= now_ms) {
        hbk_session_hang_up(session, session->gone_code);
    } else if (session->write_due <= now_ms) {
        hbk_session_hang_up(session, HBK_R_BUSY);
    } else if (session->hello_due <= now_ms) {
        hbk_error_set(&error, HBK_R_TIMEOUT,
                      "session.hello and session.prove must be done within %u ms of connecting",
                      (unsigned)session->core->config.hello_ms);
        hbk_session_end(session, HBK_R_TARGET_GONE, &error);
    } else if (session->line_due <= now_ms) {
        hbk_error_set(&error, HBK_R_TIMEOUT, "a line must be ended by LF within %u ms",
                      (unsigned)session->core->config.line_ms);
        hbk_session_end(session, HBK_R_TARGET_GONE, &error);
    } else if (session->look.due <= now_ms) {
        hbk_look_expire(session);
    } else {
        hbk_session_arm(session);
    }
}
