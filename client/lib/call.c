/* Requests and their answers: what goes out, and who gets what comes in. */
#include "client.h"

static struct hbk_waiter *find_call(struct hbk_client *client, const struct hbk_id *id)
{
    if (id->kind != HBK_ID_NUMBER)
        return NULL;
    for (struct hbk_waiter *waiter = client->first; waiter != NULL; waiter = waiter->next) {
        if (!waiter->receives && !waiter->done && waiter->id == id->number)
            return waiter;
    }
    return NULL;
}

static void finish(struct hbk_waiter *waiter)
{
    waiter->done = true;
    WakeConditionVariable(&waiter->wake);
}

static bool not_understood(struct hbk_client *client)
{
    hbk_io_fail(client, HBK_DISCONNECTED, 0,
                "the service sent something that this library does not understand; they must be of "
                "versions that go together");
    return false;
}

static bool out_of_memory(struct hbk_client *client)
{
    hbk_io_fail(client, HBK_NO_MEMORY, 0, "out of memory for what the service sent");
    return false;
}

static bool notification_in(struct hbk_client *client, const struct hbk_message *message)
{
    if (message->method == HBK_METHOD_SESSION_GONE) {
        hbk_session_gone_in(client, &message->u.params.session_gone);
        return true;
    }
    if (message->method == HBK_METHOD_DELIVERY_REVOKED) {
        hbk_revoked_in(client, &message->u.params.revoked);
        return true;
    }
    if (message->method == HBK_METHOD_BROKER_EVENT) {
        hbk_record_in(client, &message->u.params.event);
        return true;
    }
    HBK_ASSERT(message->method == HBK_METHOD_HANDLE_DELIVERED ||
               message->method == HBK_METHOD_HANDLE_OFFERED);
    struct hbk_delivery_body *body = hbk_delivery_new(client, &message->u.params.delivered,
                                                      message->method == HBK_METHOD_HANDLE_OFFERED);
    if (body == NULL)
        return out_of_memory(client);
    hbk_arrival_in(client, HBK_ARRIVAL_DELIVERY, &body->arrival, sizeof *body);
    return true;
}

static bool result_in(struct hbk_client *client, struct hbk_message *message)
{
    struct hbk_waiter *waiter = find_call(client, &message->id);
    if (waiter == NULL)
        return not_understood(client);
    int rc = hbk_message_read_result(message, waiter->method);
    if (rc < 0)
        return out_of_memory(client);
    if (rc > 0)
        return not_understood(client);
    if (waiter->take != NULL && !waiter->take(waiter->context, message))
        hbk_error_set(&waiter->error, HBK_NO_MEMORY, "out of memory for the answer");
    finish(waiter);
    return true;
}

static bool error_in(struct hbk_client *client, const struct hbk_message *message)
{
    struct hbk_waiter *waiter = find_call(client, &message->id);
    if (waiter == NULL) {
        /* About the connection: refused, or a line of ours that came too slowly. It says more than
         * what may have been noticed first, that the pipe was closed. */
        hbk_io_fail(client, message->error.code, message->error.win32, message->error.detail);
        client->reason = message->error;
        return false;
    }
    waiter->error = message->error;
    finish(waiter);
    return true;
}

bool hbk_line_in(struct hbk_client *client, struct hbk_text line)
{
    struct hbk_message *message = &client->message;

    int rc = hbk_message_read_server_line(message, line);
    if (rc < 0)
        return out_of_memory(client);
    if (rc > 0 && message->error.code == HBK_R_METHOD_NOT_FOUND)
        return true; /* a later service's news, of what this library has not asked for */
    if (rc > 0)
        return not_understood(client);
    switch (message->kind) {
    case HBK_MESSAGE_NOTIFICATION:
        return notification_in(client, message);
    case HBK_MESSAGE_RESULT:
        return result_in(client, message);
    case HBK_MESSAGE_ERROR:
        return error_in(client, message);
    case HBK_MESSAGE_NONE:
    case HBK_MESSAGE_REQUEST:
        break;
    }
    return not_understood(client);
}

static hbk_result exchange(struct hbk_client *client, struct hbk_waiter *waiter,
                           const struct hbk_buffer *line, hbk_error_info *ret_error)
{
    struct hbk_error error;

    AcquireSRWLockExclusive(&client->lock);
    hbk_io_enter(client, waiter);
    if (hbk_io_write(client, waiter, line->data, line->size))
        hbk_io_wait(client, waiter);
    hbk_io_leave(client, waiter);
    if (waiter->done) {
        ReleaseSRWLockExclusive(&client->lock);
        if (waiter->error.code == HBK_R_OK)
            return HBK_OK;
        return hbk_fail_with(ret_error, &waiter->error);
    }
    error = client->reason;
    ReleaseSRWLockExclusive(&client->lock);
    error.code = HBK_DISCONNECTED;
    return hbk_fail_with(ret_error, &error);
}

hbk_result hbk_call_until(struct hbk_client *client, enum hbk_method method, const void *params,
                          uint64_t deadline_ms, bool (*take)(void *, const struct hbk_message *),
                          void *context, hbk_error_info *ret_error)
{
    struct hbk_waiter waiter = {0};
    struct hbk_buffer line;
    struct hbk_id id = {0};
    hbk_result result;

    waiter.id = (uint64_t)InterlockedIncrement64(&client->last_id);
    waiter.method = method;
    waiter.deadline_ms = deadline_ms;
    waiter.take = take;
    waiter.context = context;
    waiter.error.item = -1;
    id.kind = HBK_ID_NUMBER;
    id.number = waiter.id;
    hbk_buffer_init(&line, HBK_LINE_BYTES_MAX);
    hbk_write_request(&line, &id, method, params);
    if (line.failed)
        result = hbk_fail(ret_error, HBK_NO_MEMORY, -1, 0, "out of memory for the request");
    else
        result = exchange(client, &waiter, &line, ret_error);
    hbk_buffer_deinit(&line);
    return result;
}

hbk_result hbk_call(struct hbk_client *client, enum hbk_method method, const void *params,
                    uint32_t answer_ms, bool (*take)(void *, const struct hbk_message *),
                    void *context, hbk_error_info *ret_error)
{
    uint64_t deadline_ms = hbk_now_ms() + answer_ms + HBK_ANSWER_GRACE_MS;
    return hbk_call_until(client, method, params, deadline_ms, take, context, ret_error);
}

void hbk_pages_next(struct hbk_pages *pages, struct hbk_text next)
{
    pages->more = next.data != NULL && next.size <= HBK_CURSOR_BYTES_MAX;
    if (pages->more)
        hbk_copy_text(pages->cursor, sizeof pages->cursor, next);
}

hbk_result hbk_call_pages(struct hbk_client *client, enum hbk_method method,
                          struct hbk_pages *pages, bool (*take)(void *, const struct hbk_message *),
                          void *context, hbk_error_info *ret_error)
{
    hbk_result result = HBK_OK;

    pages->more = true;
    for (int page = 0; pages->more && result == HBK_OK; page++) {
        struct hbk_process_handles params = {.pid = pages->pid}; /* begins as all do */
        if (page == HBK_LIST_PAGES_MAX)
            return hbk_fail(ret_error, HBK_INTERNAL_ERROR, -1, 0, "the service's list has no end");
        if (page > 0)
            params.paging.cursor = hbk_text_from(pages->cursor);
        result = hbk_call(client, method, &params, 0, take, context, ret_error);
    }
    return result;
}
