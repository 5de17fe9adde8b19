/* From a line to the part of the broker that acts on it; the session's own methods and the status. */
#include "internal.h"

#include <string.h>

struct hbk_peer_info hbk_session_peer_info(const struct hbk_peer *peer)
{
    return (struct hbk_peer_info){
        .pid = peer->pid,
        .user = hbk_text_from(peer->user),
        .logon_session = peer->logon_session,
        .integrity = peer->integrity,
    };
}

struct hbk_sender hbk_session_as_sender(const struct hbk_session *session)
{
    return (struct hbk_sender){.session = session->slot.id,
                               .peer = hbk_session_peer_info(&session->peer)};
}

/* ---- session.hello, session.prove ---- */

static struct hbk_wire_limits wire_limits(const struct hbk_config *config)
{
    return (struct hbk_wire_limits){
        .line_bytes = HBK_LINE_BYTES_MAX,
        .items = HBK_ITEMS_MAX,
        .data_bytes = HBK_DATA_BYTES_MAX,
        .name_bytes = HBK_NAME_BYTES_MAX,
        .requests = config->requests_per_session,
        .sessions_per_user = config->sessions_per_user,
        .endpoints = config->endpoints_per_session,
        .pins = config->pins_per_session,
        .pending = config->pending_per_endpoint,
        .hello_ms = config->hello_ms,
        .line_ms = config->line_ms,
        .write_ms = config->write_ms,
        .write_queue_bytes = config->write_queue_bytes,
    };
}

static bool speaks_our_protocol(const struct hbk_hello *params)
{
    for (size_t i = 0; i < params->protocol_count; i++) {
        if (params->protocol[i] == HBK_PROTOCOL_VERSION) {
            return true;
        }
    }
    return false;
}

/* Placed is the proof, and the answer names it. */
static void answer_hello(struct hbk_session *session, const struct hbk_id *id)
{
    struct hbk_core *core = session->core;
    struct hbk_hello_result result = {
        .protocol = HBK_PROTOCOL_VERSION,
        .server_name = hbk_text_from(HBK_SERVER_NAME),
        .server_version = hbk_text_from(HBK_VERSION_STRING),
        .session = session->slot.id,
        .peer = hbk_session_peer_info(&session->peer),
        .limits = wire_limits(&core->config),
    };
    struct hbk_failure failure = {.code = HBK_R_OS_ERROR};

    core->spent++;
    if (core->platform.proof_open(session->connection, &result.proof, &failure) != 0) {
        struct hbk_error error;

        hbk_error_set(&error, failure.code, "%s",
                      failure.detail != NULL ? failure.detail
                                             : "the proof could not be placed in your process");
        error.win32 = failure.win32;
        hbk_audit_session(session, "session.hello", &error);
        hbk_output_failure(session, id, &error);
        return;
    }
    session->state = HBK_SESSION_HELLO;
    hbk_output_result(session, id, HBK_METHOD_SESSION_HELLO, &result);
}

/* Its answer carries a handle value, so nothing is placed while a write is pending. */
void hbk_request_hello_go_on(struct hbk_session *session)
{
    struct hbk_id id;

    if (session->hello_id.kind == HBK_ID_NONE || !hbk_output_free(session)) {
        return;
    }
    id = session->hello_id;
    if (id.kind == HBK_ID_NONE || !hbk_session_alive(session)) {
        return; /* freeing the output came here too, or ended the session */
    }
    session->hello_id.kind = HBK_ID_NONE;
    answer_hello(session, &id);
}

static void keep_text(char *place, size_t room, uint8_t *ret_size, struct hbk_text text)
{
    HBK_ASSERT(text.data != NULL && text.size <= room && room <= UINT8_MAX);
    memcpy(place, text.data, text.size);
    *ret_size = (uint8_t)text.size;
}

static void hello(struct hbk_session *session, const struct hbk_id *id,
                  const struct hbk_hello *params)
{
    if (session->state != HBK_SESSION_NEW || session->hello_id.kind != HBK_ID_NONE) {
        hbk_output_refuse(session, id, HBK_R_INVALID_REQUEST, "session.hello was said already");
        return;
    }
    if (!speaks_our_protocol(params)) {
        hbk_output_refuse(session, id, HBK_R_INVALID_PARAMS,
                          "this broker speaks protocol version 1 only");
        return;
    }
    session->hello_id = *id;
    keep_text(session->client_name, sizeof session->client_name, &session->client_name_size,
              params->client_name);
    keep_text(session->client_version, sizeof session->client_version,
              &session->client_version_size, params->client_version);
    hbk_request_hello_go_on(session);
}

static void set_paused_error(struct hbk_error *ret_error)
{
    hbk_error_set(ret_error, HBK_R_BUSY,
                  "the service is paused and begins nothing new: try again when it has been "
                  "continued (sc continue HandleBroker)");
}

static void stop_waiting(struct hbk_session *session, struct hbk_id *waiting, const char *event)
{
    struct hbk_id id = *waiting;
    struct hbk_error error;

    if (id.kind == HBK_ID_NONE || !hbk_session_alive(session)) {
        return;
    }
    waiting->kind = HBK_ID_NONE;
    hbk_error_set(&error, HBK_R_STOPPING, "the service is shutting down");
    hbk_audit_session(session, event, &error);
    hbk_output_failure(session, &id, &error);
}

void hbk_request_stop(struct hbk_session *session)
{
    stop_waiting(session, &session->hello_id, "session.hello");
    stop_waiting(session, &session->prove_id, "session.prove");
}

void hbk_request_prove_go_on(struct hbk_session *session)
{
    struct hbk_id id = session->prove_id;

    session->prove_id.kind = HBK_ID_NONE;
    if (id.kind == HBK_ID_NONE || !hbk_session_alive(session)) {
        return;
    }
    HBK_ASSERT(session->state == HBK_SESSION_HELLO);
    /* Not before: nothing is asked about who has not proved itself. Who operates the service may look at it. */
    if (session->core->paused && !hbk_grant_verb(session, HBK_VERB_INSPECT)) {
        struct hbk_error error;

        set_paused_error(&error);
        hbk_audit_session(session, "session.prove", &error);
        hbk_output_failure(session, &id, &error);
        hbk_session_end(session, HBK_R_TARGET_GONE, NULL);
        return;
    }
    session->state = HBK_SESSION_PROVEN;
    session->hello_due = HBK_NEVER;
    hbk_session_arm(session);
    session->core->proven++;
    hbk_target_proven(session);
    hbk_output_result(session, &id, HBK_METHOD_SESSION_PROVE, NULL);
    hbk_session_schedule(session);
}

static void prove(struct hbk_session *session, const struct hbk_id *id)
{
    struct hbk_core *core = session->core;

    HBK_ASSERT(session->prove_id.kind == HBK_ID_NONE);
    if (session->state == HBK_SESSION_PROVEN) {
        hbk_output_refuse(session, id, HBK_R_INVALID_REQUEST, "this session is proven already");
        return;
    }
    if (session->state == HBK_SESSION_NEW) {
        hbk_output_refuse(session, id, HBK_R_NOT_PROVEN,
                          "call session.hello first: its answer has the proof");
        return;
    }
    if (!core->platform.proof_is_set(session->connection)) {
        /* The proof has been tried: it is closed, and with it the session. */
        hbk_output_refuse(session, id, HBK_R_NOT_PROVEN,
                          "SetEvent on the proof comes before session.prove: connect again");
        hbk_session_end(session, HBK_R_TARGET_GONE, NULL);
        return;
    }
    session->prove_id = *id;
    if (core->platform.proof_close(session->connection) != HBK_PLATFORM_PENDING) {
        hbk_request_prove_go_on(session);
    }
}

/* ---- dispatch ---- */

static bool id_in_flight(const struct hbk_session *session, const struct hbk_id *id)
{
    const struct hbk_link *link;

    if (session->hello_id.kind != HBK_ID_NONE && hbk_id_equal(&session->hello_id, id)) {
        return true;
    }
    if (session->requests == 0) {
        return false;
    }
    if (session->look.id.kind != HBK_ID_NONE && hbk_id_equal(&session->look.id, id)) {
        return true;
    }
    for (link = session->sends.next; link != &session->sends; link = link->next) {
        const struct hbk_delivery *d = HBK_CONTAINER(link, struct hbk_delivery, send_link);

        if (!d->answered && hbk_id_equal(&d->id, id)) {
            return true;
        }
    }
    for (link = session->accepted.next; link != &session->accepted; link = link->next) {
        const struct hbk_delivery *d = HBK_CONTAINER(link, struct hbk_delivery, target_link);

        if (hbk_id_equal(&d->accept_id, id)) {
            return true;
        }
    }
    return false;
}

static bool before_proof(enum hbk_method method)
{
    return method == HBK_METHOD_SESSION_HELLO || method == HBK_METHOD_SESSION_PROVE ||
           method == HBK_METHOD_BROKER_STATUS;
}

/* Would it begin a hand-off, or have another handle kept? */
static bool begins_anew(enum hbk_method method)
{
    return method == HBK_METHOD_HANDLE_SEND || method == HBK_METHOD_HANDLE_TRANSFER ||
           method == HBK_METHOD_STORE_PUT || method == HBK_METHOD_STORE_GET;
}

/* What handles go by, and the store. Return: false: another method. */
static bool dispatch_handles(struct hbk_session *session, const struct hbk_message *message)
{
    const struct hbk_id *id = &message->id;
    const union hbk_params *params = &message->u.params;

    switch (message->method) {
    case HBK_METHOD_HANDLE_SEND:
        hbk_send_request(session, id, &params->send);
        return true;
    case HBK_METHOD_DELIVERY_ACCEPT:
        hbk_delivery_request_accept(session, id, &params->delivery_answer);
        return true;
    case HBK_METHOD_DELIVERY_REJECT:
        hbk_delivery_request_reject(session, id, &params->delivery_answer);
        return true;
    case HBK_METHOD_DELIVERY_REVOKE:
        hbk_revoke_request(session, id, &params->delivery_answer);
        return true;
    case HBK_METHOD_DELIVERY_LIST:
        hbk_deliveries_request(session, id, &params->delivery_list);
        return true;
    case HBK_METHOD_HANDLE_TRANSFER:
        hbk_transfer_request(session, id, &params->transfer);
        return true;
    case HBK_METHOD_STORE_PUT:
        hbk_store_request_put(session, id, &params->store_put);
        return true;
    case HBK_METHOD_STORE_GET:
        hbk_take_request(session, id, &params->store_get);
        return true;
    case HBK_METHOD_STORE_REMOVE:
        hbk_store_request_remove(session, id, &params->store_remove);
        return true;
    case HBK_METHOD_STORE_LIST:
        hbk_entries_request(session, id, &params->store_list);
        return true;
    default:
        return false;
    }
}

static void dispatch(struct hbk_session *session, const struct hbk_message *message)
{
    const struct hbk_id *id = &message->id;
    const union hbk_params *params = &message->u.params;
    bool known;

    switch (message->method) {
    case HBK_METHOD_SESSION_HELLO:
        hello(session, id, &params->hello);
        return;
    case HBK_METHOD_SESSION_PROVE:
        prove(session, id);
        return;
    case HBK_METHOD_BROKER_STATUS:
        hbk_operate_status(session, id);
        return;
    case HBK_METHOD_ENDPOINT_OPEN:
        hbk_endpoint_request_open(session, id, &params->endpoint_open);
        return;
    case HBK_METHOD_ENDPOINT_CLOSE:
        hbk_endpoint_request_close(session, id, &params->endpoint_close);
        return;
    case HBK_METHOD_ENDPOINT_LIST:
        hbk_listing_request(session, id, &params->endpoint_list);
        return;
    case HBK_METHOD_BROKER_METRICS:
        hbk_operate_metrics(session, id);
        return;
    case HBK_METHOD_BROKER_SESSIONS:
        hbk_operate_sessions(session, id, &params->sessions);
        return;
    case HBK_METHOD_BROKER_WATCH:
        hbk_operate_watch(session, id);
        return;
    case HBK_METHOD_POLICY_EXPLAIN:
        hbk_explain_request(session, id, &params->explain);
        return;
    case HBK_METHOD_PROCESS_HANDLES:
        hbk_look_request_handles(session, id, &params->process_handles);
        return;
    case HBK_METHOD_OBJECT_HOLDERS:
        hbk_look_request_holders(session, id, &params->object_holders);
        return;
    default:
        known = dispatch_handles(session, message);
        HBK_ASSERT(known); /* the decoder lets requests through only */
    }
}

static void refuse_paused(struct hbk_session *session, struct hbk_message *message)
{
    set_paused_error(&message->error);
    if (message->method != HBK_METHOD_STORE_PUT) {
        hbk_metrics_failed(session->core, message->error.code);
    }
    hbk_output_error(session, &message->id, &message->error);
}

void hbk_request_line(struct hbk_session *session, struct hbk_text line)
{
    struct hbk_message *message = &session->core->message;
    int result = hbk_message_read_request(message, line);
    int32_t code = result == 0 ? HBK_R_OK : message->error.code;

    hbk_audit_begin(session, result == 0);
    if (result < 0) {
        hbk_session_hang_up(session, HBK_R_TARGET_GONE);
    } else if (message->id.kind != HBK_ID_NONE && id_in_flight(session, &message->id)) {
        hbk_output_refuse(session, &message->id, HBK_R_INVALID_REQUEST,
                          "a request with this id is still in flight: use another");
    } else if (message->method != HBK_METHOD_NONE && session->state != HBK_SESSION_PROVEN &&
               !before_proof(message->method)) {
        hbk_output_refuse(session, &message->id, HBK_R_NOT_PROVEN,
                          "call session.hello, SetEvent on its proof, then session.prove");
    } else if (result == 0 && session->core->paused && begins_anew(message->method)) {
        refuse_paused(session, message);
    } else if (result == 0) {
        dispatch(session, message);
    } else {
        hbk_output_error(session, &message->id, &message->error);
        if (session->state != HBK_SESSION_PROVEN &&
            (code == HBK_R_PARSE_ERROR || code == HBK_R_INVALID_REQUEST)) {
            hbk_session_end(session, HBK_R_TARGET_GONE, NULL);
        }
    }
    hbk_audit_end(session->core);
    hbk_message_clear(message);
}
