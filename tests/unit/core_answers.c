/* What a test takes from a client, and the three ways to ask and be answered in one step. */
#include "core_client.h"

#include <stdio.h>
#include <stdlib.h>

/* Prints what is there in place of what a test wants, and ends the test. */
static HBK_NORETURN void not_there(const struct client *client, const char *what)
{
    fprintf(stderr, "process %u: %s is not there; untaken lines:\n", client->process->pid, what);
    for (size_t i = 0; i < client->inbox_count; ++i) {
        const struct hbk_message *message = &client->inbox[i]->message;
        if (client->inbox[i]->taken)
            continue;
        if (message->kind == HBK_MESSAGE_ERROR)
            fprintf(stderr, "  error %s: %s (id %u)\n", hbk_result_name(message->error.code),
                    message->error.detail, (unsigned)message->id.number);
        else
            fprintf(stderr, "  %s (id %u)\n",
                    message->kind == HBK_MESSAGE_RESULT ? "result"
                                                        : hbk_method_name(message->method),
                    (unsigned)message->id.number);
    }
    fail();
    abort(); /* not reached: fail() leaves the test */
}

bool client_answered(const struct client *client, uint32_t id)
{
    assert_true(id > 0 && id <= client->requests_count);
    return client->requests[id - 1].answers > 0;
}

void client_fail_if_unanswered(const struct client *client)
{
    for (size_t i = 0; i < client->requests_count; ++i)
        if (client->requests[i].answers == 0)
            fake_violation(client->rig->kernel, "process %u: %s, request %zu has no answer",
                           client->process->pid, hbk_method_name(client->requests[i].method),
                           i + 1);
}

static struct received *take_answer(struct client *client, uint32_t id)
{
    if (!client_answered(client, id))
        not_there(client, "the answer");
    struct received *received = client->inbox[client->requests[id - 1].answer];
    assert_false(received->taken);
    return received;
}

const struct hbk_message *client_result(struct client *client, uint32_t id)
{
    struct received *received = take_answer(client, id);
    if (received->message.kind != HBK_MESSAGE_RESULT)
        not_there(client, "a result");
    received->taken = true;
    return &received->message;
}

static const struct hbk_error *take_error(struct client *client, struct received *received,
                                          int32_t code)
{
    if (received->message.kind != HBK_MESSAGE_ERROR || received->message.error.code != code)
        not_there(client, hbk_result_name(code));
    received->taken = true;
    return &received->message.error;
}

const struct hbk_error *client_error(struct client *client, uint32_t id, int32_t code)
{
    return take_error(client, take_answer(client, id), code);
}

const struct hbk_error *client_raw_error(struct client *client, const struct hbk_id *id,
                                         int32_t code)
{
    for (size_t i = 0; i < client->inbox_count; ++i) {
        struct received *received = client->inbox[i];
        if (!received->taken && received->message.kind == HBK_MESSAGE_ERROR &&
            hbk_id_equal(&received->message.id, id))
            return take_error(client, received, code);
    }
    not_there(client, hbk_result_name(code));
}

const struct hbk_error *client_null_error(struct client *client, int32_t code)
{
    const struct hbk_id none = {0};
    return client_raw_error(client, &none, code);
}

static const struct hbk_message *take_notification(struct client *client, enum hbk_method method)
{
    for (size_t i = 0; i < client->inbox_count; ++i) {
        struct received *received = client->inbox[i];
        if (received->taken || received->message.kind != HBK_MESSAGE_NOTIFICATION ||
            received->message.method != method)
            continue;
        received->taken = true;
        return &received->message;
    }
    not_there(client, hbk_method_name(method));
}

const struct hbk_delivered *client_delivered(struct client *client)
{
    return &take_notification(client, HBK_METHOD_HANDLE_DELIVERED)->u.params.delivered;
}

const struct hbk_delivered *client_offered(struct client *client)
{
    return &take_notification(client, HBK_METHOD_HANDLE_OFFERED)->u.params.delivered;
}

const struct hbk_revoked *client_revoked(struct client *client)
{
    return &take_notification(client, HBK_METHOD_DELIVERY_REVOKED)->u.params.revoked;
}

const struct hbk_session_gone *client_session_gone(struct client *client)
{
    return &take_notification(client, HBK_METHOD_SESSION_GONE)->u.params.session_gone;
}

const struct hbk_event *client_event(struct client *client)
{
    return &take_notification(client, HBK_METHOD_BROKER_EVENT)->u.params.event;
}

size_t client_untaken(const struct client *client)
{
    size_t count = 0;
    for (size_t i = 0; i < client->inbox_count; ++i)
        count += !client->inbox[i]->taken;
    return count;
}

void client_nothing(const struct client *client)
{
    if (client_untaken(client))
        not_there(client, "nothing");
}

/* ---- request, run, answer ---- */

const struct hbk_message *client_ok(struct client *client, enum hbk_method method,
                                    const char *params, ...)
{
    va_list values;
    va_start(values, params);
    char *text = client_format(params, values);
    va_end(values);
    uint32_t id = client_request_text(client, method, text);
    free(text);
    rig_run(client->rig);
    return client_result(client, id);
}

const struct hbk_error *client_refused(struct client *client, int32_t code, enum hbk_method method,
                                       const char *params, ...)
{
    va_list values;
    va_start(values, params);
    char *text = client_format(params, values);
    va_end(values);
    uint64_t before = fake_hash(client->rig->kernel);
    uint32_t id = client_request_text(client, method, text);
    free(text);
    rig_run(client->rig);
    const struct hbk_error *error = client_error(client, id, code);
    if (fake_hash(client->rig->kernel) != before)
        fake_violation(client->rig->kernel, "a refused request changed something");
    return error;
}

struct hbk_status_result client_status(struct client *client)
{
    return client_ok(client, HBK_METHOD_BROKER_STATUS, NULL)->u.result.status;
}

uint32_t client_send(struct client *client, const char *to, uint32_t handle)
{
    return client_request(client, HBK_METHOD_HANDLE_SEND, "{'to':'%s','items':[{'handle':%u}]}", to,
                          handle);
}
