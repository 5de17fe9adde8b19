/* What goes to a client. Lines gather in `queued`, as work.c lets them, and leave in one write; while a write is
 * pending nothing that carries a handle value is added, so that its end decides over all that it names. */
#include "internal.h"

/* A buffer that was larger than this is freed when it is empty: idle sessions stay small. */
#define KEEP_BYTES 4096u

static size_t outstanding(const struct hbk_session *session)
{
    return session->queued.size + session->writing.size;
}

bool hbk_output_full(const struct hbk_session *session)
{
    return outstanding(session) > session->core->config.write_queue_bytes;
}

static void mark_dirty(struct hbk_session *session)
{
    hbk_work_add(session, HBK_WORK_WRITE);
}

size_t hbk_output_begin(const struct hbk_session *session)
{
    HBK_ASSERT(session->state != HBK_SESSION_CLOSED);
    HBK_ASSERT(!session->queued.failed);
    return session->queued.size;
}

bool hbk_output_end(struct hbk_session *session, size_t begin)
{
    if (session->queued.failed) {
        hbk_buffer_truncate(&session->queued, begin);
        hbk_session_hang_up(session, HBK_R_TARGET_GONE);
        return false;
    }
    HBK_ASSERT(session->queued.size > begin);
    HBK_ASSERT(session->queued.size - begin <= HBK_LINE_BYTES_MAX);
    mark_dirty(session);
    hbk_session_update_pause(session);
    return true;
}

void hbk_output_error(struct hbk_session *session, const struct hbk_id *id,
                      const struct hbk_error *error)
{
    hbk_audit_refused(session, error);
    hbk_output_failure(session, id, error);
}

void hbk_output_refuse(struct hbk_session *session, const struct hbk_id *id, int32_t code,
                       const char *detail)
{
    struct hbk_error error;

    hbk_error_set(&error, code, "%s", detail);
    hbk_output_error(session, id, &error);
}

void hbk_output_set_failure(struct hbk_error *ret_error, const struct hbk_failure *failure)
{
    hbk_error_set(ret_error, failure->code, "%s",
                  failure->detail != NULL ? failure->detail : hbk_result_meaning(failure->code));
    ret_error->win32 = failure->win32;
}

void hbk_output_failure(struct hbk_session *session, const struct hbk_id *id,
                        const struct hbk_error *error)
{
    size_t begin;

    if (session->state == HBK_SESSION_CLOSED) {
        return;
    }
    begin = hbk_output_begin(session);
    hbk_write_error(&session->queued, id, error);
    (void)hbk_output_end(session, begin);
}

void hbk_output_result(struct hbk_session *session, const struct hbk_id *id, enum hbk_method method,
                       const void *result)
{
    size_t begin;

    if (session->state == HBK_SESSION_CLOSED) {
        return;
    }
    begin = hbk_output_begin(session);
    hbk_write_result(&session->queued, id, method, result);
    (void)hbk_output_end(session, begin);
}

bool hbk_output_notification(struct hbk_session *session, enum hbk_method method,
                             const void *params)
{
    size_t begin = hbk_output_begin(session);

    HBK_ASSERT(hbk_session_alive(session));
    hbk_write_notification(&session->queued, method, params);
    return hbk_output_end(session, begin);
}

void hbk_output_gone(struct hbk_session *session, uint64_t gone)
{
    struct hbk_session_gone params = {.session = gone};

    if (session->gone_told != gone && hbk_session_alive(session)) {
        session->gone_told = gone;
        (void)hbk_output_notification(session, HBK_METHOD_SESSION_GONE, &params);
    }
}

/* At most half of the queue: what it asks is still answered, however much there is to see. */
bool hbk_output_event(struct hbk_session *session, const struct hbk_buffer *line)
{
    size_t room = session->core->config.write_queue_bytes / 2;
    size_t begin;

    HBK_ASSERT(hbk_session_alive(session) && line->size > 0);
    if (outstanding(session) + line->size > room) {
        return false;
    }
    begin = hbk_output_begin(session);
    hbk_buffer_append(&session->queued, line->data, line->size);
    if (session->queued.failed) {
        hbk_buffer_truncate(&session->queued, begin);
        return false;
    }
    return hbk_output_end(session, begin);
}

bool hbk_output_free(struct hbk_session *session)
{
    /* A batch of placed handles that the pipe's buffer may not hold would pend: send it off first. */
    if (session->queued.size >= HBK_BATCH_BYTES) {
        hbk_output_flush(session);
    }
    return !session->write_pending && session->state != HBK_SESSION_CLOSED;
}

static void let_memory_go(struct hbk_buffer *buffer)
{
    HBK_ASSERT(buffer->size == 0);
    if (buffer->capacity > KEEP_BYTES) {
        size_t limit = buffer->limit;

        hbk_buffer_deinit(buffer);
        hbk_buffer_init(buffer, limit);
    }
}

void hbk_output_flush(struct hbk_session *session)
{
    struct hbk_core *core = session->core;
    struct hbk_buffer bytes = session->queued;
    int result;

    if (session->state == HBK_SESSION_CLOSED || session->write_pending || bytes.size == 0) {
        return;
    }
    HBK_ASSERT(session->writing.size == 0 && hbk_list_empty(&session->in_flight));
    session->queued = session->writing;
    session->writing = bytes;
    hbk_list_splice(&session->in_flight, &session->carried);
    session->write_pending = true;
    core->spent++;
    result = core->platform.write(session->connection, bytes.data, bytes.size);
    if (result == HBK_PLATFORM_PENDING) {
        session->write_due = hbk_now(core) + core->config.write_ms;
        hbk_session_arm(session);
        return;
    }
    hbk_output_written(session, result == 0);
}

void hbk_output_written(struct hbk_session *session, bool told)
{
    struct hbk_link *link;

    HBK_ASSERT(session->write_pending);
    session->write_pending = false;
    if (session->write_due != HBK_NEVER) {
        session->write_due = HBK_NEVER;
        hbk_session_arm(session);
    }
    hbk_buffer_clear(&session->writing);
    let_memory_go(&session->writing);
    hbk_quota_count_bytes(session);
    while (told && (link = hbk_list_pop(&session->in_flight)) != NULL) {
        hbk_delivery_told(HBK_CONTAINER(link, struct hbk_delivery, target_link));
    }
    if (!told) {
        hbk_place_untold(session, &session->in_flight);
        hbk_session_hang_up(session, session->gone_code);
    }
    if (session->state != HBK_SESSION_CLOSED) {
        if (session->queued.size != 0) {
            mark_dirty(session);
        } else {
            let_memory_go(&session->queued);
        }
        hbk_delivery_unlock(session);
        hbk_request_hello_go_on(session);
        hbk_session_update_pause(session);
    }
    if (!hbk_session_alive(session)) {
        hbk_session_settle_later(session);
    }
}
