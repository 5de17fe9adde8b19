#include "schema_rows.h"

static const struct hbk_schema empty_schema = {NULL, 0};

/* ---- sessions ---- */

static const struct hbk_field client_fields[] = {
    {FIELD(hbk_hello, client_name, "name", TEXT, REQUIRED), RANGE(1, HBK_CLIENT_NAME_BYTES_MAX)},
    {FIELD(hbk_hello, client_version, "version", TEXT, REQUIRED),
     RANGE(1, HBK_CLIENT_VERSION_BYTES_MAX)},
};
static const struct hbk_schema client_schema = SCHEMA(client);

static const struct hbk_field hello_fields[] = {
    {FIELD(hbk_hello, protocol, "protocol", NUMBERS, REQUIRED),
     LIST(hbk_hello, protocol_count, uint32_t), RANGE(1, HBK_PROTOCOLS_MAX)},
    {.key = "client",
     .kind = HBK_FIELD_OBJECT,
     .present = HBK_FIELD_NO_OFFSET,
     .sub = &client_schema},
};
static const struct hbk_schema hello_schema = SCHEMA(hello);

static const struct hbk_field peer_fields[] = {
    {FIELD(hbk_peer_info, pid, "pid", U32, REQUIRED), PID},
    {FIELD(hbk_peer_info, user, "user", TEXT, REQUIRED), SID},
    {FIELD(hbk_peer_info, logon_session, "logon_session", HEX64, REQUIRED)},
    {FIELD(hbk_peer_info, integrity, "integrity", U32, REQUIRED), ANY_U32},
};
static const struct hbk_schema peer_schema = SCHEMA(peer);

#define LIMIT(M)                                              \
    {                                                         \
        FIELD(hbk_wire_limits, M, #M, U32, REQUIRED), ANY_U32 \
    }
static const struct hbk_field limits_fields[] = {
    LIMIT(line_bytes),        LIMIT(items),    LIMIT(data_bytes),
    LIMIT(name_bytes),        LIMIT(requests), LIMIT(sessions_per_user),
    LIMIT(endpoints),         LIMIT(pins),     LIMIT(pending),
    LIMIT(hello_ms),          LIMIT(line_ms),  LIMIT(write_ms),
    LIMIT(write_queue_bytes),
};
static const struct hbk_schema limits_schema = SCHEMA(limits);

static const struct hbk_field hello_server_fields[] = {
    {FIELD(hbk_hello_result, server_name, "name", TEXT, REQUIRED),
     RANGE(1, HBK_CLIENT_NAME_BYTES_MAX)},
    {FIELD(hbk_hello_result, server_version, "version", TEXT, REQUIRED),
     RANGE(1, HBK_CLIENT_VERSION_BYTES_MAX)},
};
static const struct hbk_schema hello_server_schema = SCHEMA(hello_server);

static const struct hbk_field hello_result_fields[] = {
    {FIELD(hbk_hello_result, protocol, "protocol", U32, REQUIRED), RANGE(1, UINT32_MAX)},
    {.key = "server",
     .kind = HBK_FIELD_OBJECT,
     .present = HBK_FIELD_NO_OFFSET,
     .sub = &hello_server_schema},
    {FIELD(hbk_hello_result, session, "session", U64, REQUIRED), ID},
    {FIELD(hbk_hello_result, peer, "peer", OBJECT, REQUIRED), .sub = &peer_schema},
    {FIELD(hbk_hello_result, proof, "proof", HANDLE, REQUIRED)},
    {FIELD(hbk_hello_result, limits, "limits", OBJECT, REQUIRED), .sub = &limits_schema},
};
static const struct hbk_schema hello_result_schema = SCHEMA(hello_result);

static const struct hbk_field session_gone_fields[] = {
    {FIELD(hbk_session_gone, session, "session", U64, REQUIRED), ID},
};
static const struct hbk_schema session_gone_schema = SCHEMA(session_gone);

/* ---- endpoints ---- */

static const struct hbk_field open_fields[] = {
    {FIELD(hbk_endpoint_open, name, "name", TEXT, REQUIRED), NAME},
    {FIELD(hbk_endpoint_open, mode, "mode", MODE, OPTIONAL), .absent = HBK_MODE_AUTO},
    {.key = "types",
     .kind = HBK_FIELD_TYPE_RULES,
     .need = HBK_FIELD_OPTIONAL,
     .offset = (uint16_t)offsetof(struct hbk_endpoint_open, types),
     .present = (uint16_t)offsetof(struct hbk_endpoint_open, types_present),
     LIST(hbk_endpoint_open, types_count, struct hbk_type_rule),
     RANGE(1, HBK_TYPES_MAX)},
    {FIELD(hbk_endpoint_open, items_max, "items_max", U32, OPTIONAL), RANGE(1, HBK_ITEMS_MAX)},
    {FIELD(hbk_endpoint_open, from, "from", TEXT, OPTIONAL), RANGE(1, HBK_SDDL_BYTES_MAX)},
    {FIELD(hbk_endpoint_open, revocable, "revocable", BOOL, OPTIONAL)},
};
static const struct hbk_schema open_schema = SCHEMA(open);

static const struct hbk_field open_result_fields[] = {
    {FIELD(hbk_endpoint_open_result, endpoint, "endpoint", TEXT, REQUIRED), NAME},
};
static const struct hbk_schema open_result_schema = SCHEMA(open_result);

static const struct hbk_field close_fields[] = {
    {FIELD(hbk_endpoint_close, name, "name", TEXT, REQUIRED), NAME},
};
static const struct hbk_schema close_schema = SCHEMA(close);

static const struct hbk_field paging_fields[] = {
    {FIELD(hbk_paging, cursor, "cursor", TEXT, OPTIONAL), RANGE(1, HBK_CURSOR_BYTES_MAX)},
    {FIELD(hbk_paging, limit, "limit", U32, OPTIONAL), RANGE(1, HBK_PAGE_MAX)},
};
static const struct hbk_schema paging_schema = SCHEMA(paging);

static const struct hbk_field endpoint_fields[] = {
    {FIELD(hbk_endpoint_info, name, "name", TEXT, REQUIRED), NAME},
    {FIELD(hbk_endpoint_info, session, "session", U64, REQUIRED), ID},
    {FIELD(hbk_endpoint_info, pid, "pid", U32, REQUIRED), PID},
    {FIELD(hbk_endpoint_info, user, "user", TEXT, REQUIRED), SID},
    {FIELD(hbk_endpoint_info, since_ms, "since_ms", U64, REQUIRED), COUNTER},
    {FIELD(hbk_endpoint_info, mode, "mode", MODE, REQUIRED)},
    {FIELD(hbk_endpoint_info, types, "types", TYPE_RULES, REQUIRED),
     LIST(hbk_endpoint_info, types_count, struct hbk_type_rule), RANGE(0, HBK_TYPES_MAX)},
    {FIELD(hbk_endpoint_info, revocable, "revocable", BOOL, OPTIONAL)},
};
static const struct hbk_schema endpoint_schema = SCHEMA(endpoint);

static const struct hbk_field list_result_fields[] = {
    {FIELD(hbk_endpoint_list_result, endpoints, "endpoints", OBJECTS, REQUIRED),
     LIST(hbk_endpoint_list_result, endpoints_count, struct hbk_endpoint_info),
     RANGE(0, HBK_PAGE_MAX), .sub = &endpoint_schema},
    {FIELD(hbk_endpoint_list_result, next, "next", TEXT, OPTIONAL), RANGE(1, HBK_CURSOR_BYTES_MAX)},
};
static const struct hbk_schema list_result_schema = SCHEMA(list_result);

/* ---- operating ---- */

static const struct hbk_field status_server_fields[] = {
    {FIELD(hbk_status_result, server_name, "name", TEXT, REQUIRED),
     RANGE(1, HBK_CLIENT_NAME_BYTES_MAX)},
    {FIELD(hbk_status_result, server_version, "version", TEXT, REQUIRED),
     RANGE(1, HBK_CLIENT_VERSION_BYTES_MAX)},
};
static const struct hbk_schema status_server_schema = SCHEMA(status_server);

static const struct hbk_field quota_fields[] = {
    {FIELD(hbk_quota_info, name, "name", TEXT, REQUIRED), RANGE(1, HBK_LIMIT_NAME_BYTES_MAX)},
    {FIELD(hbk_quota_info, limit, "limit", U64, REQUIRED), COUNTER},
    {FIELD(hbk_quota_info, used, "used", U64, REQUIRED), COUNTER},
    {FIELD(hbk_quota_info, your_limit, "your_limit", U64, REQUIRED), COUNTER},
    {FIELD(hbk_quota_info, yours, "yours", U64, REQUIRED), COUNTER},
};
static const struct hbk_schema quota_schema = SCHEMA(quota);

#define STATUS(M, KIND, ...)                                         \
    {                                                                \
        FIELD(hbk_status_result, M, #M, KIND, REQUIRED), __VA_ARGS__ \
    }
static const struct hbk_field status_result_fields[] = {
    {.key = "server",
     .kind = HBK_FIELD_OBJECT,
     .present = HBK_FIELD_NO_OFFSET,
     .sub = &status_server_schema},
    STATUS(protocol, U32, RANGE(1, UINT32_MAX)),
    STATUS(state, TEXT, RANGE(1, HBK_TYPE_BYTES_MAX)),
    STATUS(pid, U32, ANY_U32),
    STATUS(uptime_ms, U64, COUNTER),
    STATUS(sessions, U32, ANY_U32),
    STATUS(sessions_proven, U32, ANY_U32),
    STATUS(endpoints, U32, ANY_U32),
    STATUS(deliveries_pending, U32, ANY_U32),
    STATUS(pins, U32, ANY_U32),
    STATUS(stored, U32, ANY_U32),
    STATUS(delivered, U64, COUNTER),
    STATUS(failed, U64, COUNTER),
    STATUS(policy, U32, ANY_U32),
    STATUS(events_dropped, U64, COUNTER),
    {FIELD(hbk_status_result, quotas, "quotas", OBJECTS, REQUIRED),
     LIST(hbk_status_result, quotas_count, struct hbk_quota_info), RANGE(0, HBK_QUOTAS_MAX),
     .sub = &quota_schema},
};
static const struct hbk_schema status_result_schema = SCHEMA(status_result);

static const struct hbk_field metrics_result_fields[] = {
    {FIELD(hbk_metrics_result, text, "text", TEXT, REQUIRED), RANGE(1, HBK_METRICS_BYTES_MAX)},
};
static const struct hbk_schema metrics_result_schema = SCHEMA(metrics_result);

static const struct hbk_field session_client_fields[] = {
    {FIELD(hbk_session_info, client_name, "name", TEXT, OPTIONAL),
     RANGE(1, HBK_CLIENT_NAME_BYTES_MAX)},
    {FIELD(hbk_session_info, client_version, "version", TEXT, OPTIONAL),
     RANGE(1, HBK_CLIENT_VERSION_BYTES_MAX)},
};
static const struct hbk_schema session_client_schema = SCHEMA(session_client);

static const struct hbk_field session_fields[] = {
    {FIELD(hbk_session_info, session, "session", U64, REQUIRED), ID},
    {FIELD(hbk_session_info, peer.pid, "pid", U32, REQUIRED), PID},
    {FIELD(hbk_session_info, peer.user, "user", TEXT, REQUIRED), SID},
    {FIELD(hbk_session_info, peer.integrity, "integrity", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_session_info, peer.logon_session, "logon_session", HEX64, REQUIRED)},
    {FIELD(hbk_session_info, terminal_session, "terminal_session", U32, REQUIRED), ANY_U32},
    {.key = "client",
     .kind = HBK_FIELD_OBJECT,
     .need = HBK_FIELD_OPTIONAL,
     .present = HBK_FIELD_NO_OFFSET,
     .sub = &session_client_schema},
    {FIELD(hbk_session_info, state, "state", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_session_info, since_ms, "since_ms", U64, REQUIRED), COUNTER},
    {FIELD(hbk_session_info, endpoints, "endpoints", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_session_info, requests, "requests", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_session_info, pins, "pins", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_session_info, queued_bytes, "queued_bytes", U64, REQUIRED), COUNTER},
    {FIELD(hbk_session_info, sent, "sent", U64, REQUIRED), COUNTER},
    {FIELD(hbk_session_info, received, "received", U64, REQUIRED), COUNTER},
};
static const struct hbk_schema session_schema = SCHEMA(session);

static const struct hbk_field session_list_fields[] = {
    {FIELD(hbk_session_list_result, sessions, "sessions", OBJECTS, REQUIRED),
     LIST(hbk_session_list_result, sessions_count, struct hbk_session_info), RANGE(0, HBK_PAGE_MAX),
     .sub = &session_schema},
    {FIELD(hbk_session_list_result, next, "next", TEXT, OPTIONAL), RANGE(1, HBK_CURSOR_BYTES_MAX)},
};
static const struct hbk_schema session_list_schema = SCHEMA(session_list);

static const struct hbk_field explain_fields[] = {
    {FIELD(hbk_explain, verb, "verb", TEXT, REQUIRED), RANGE(1, HBK_VERB_BYTES_MAX)},
    {FIELD(hbk_explain, name, "name", TEXT, OPTIONAL), NAME},
    {FIELD(hbk_explain, pid, "pid", U32, OPTIONAL), PID},
    {FIELD(hbk_explain, session, "session", U64, OPTIONAL), ID},
};
static const struct hbk_schema explain_schema = SCHEMA(explain);

static const struct hbk_field explain_result_fields[] = {
    {FIELD(hbk_explain_result, allowed, "allowed", BOOL, REQUIRED)},
    {FIELD(hbk_explain_result, rule, "rule", TEXT, REQUIRED), RANGE(1, HBK_RULE_BYTES_MAX)},
    {FIELD(hbk_explain_result, detail, "detail", TEXT, REQUIRED), RANGE(1, HBK_DETAIL_BYTES_MAX)},
    {.key = "types",
     .kind = HBK_FIELD_TYPE_RULES,
     .need = HBK_FIELD_OPTIONAL,
     .offset = (uint16_t)offsetof(struct hbk_explain_result, types),
     .present = (uint16_t)offsetof(struct hbk_explain_result, types_present),
     LIST(hbk_explain_result, types_count, struct hbk_type_rule),
     RANGE(0, HBK_TYPES_MAX)},
};
static const struct hbk_schema explain_result_schema = SCHEMA(explain_result);

/* ---- handle tables ---- */

static const struct hbk_field process_handles_fields[] = {
    {FIELD(hbk_process_handles, pid, "pid", U32, REQUIRED), PID},
    {FIELD(hbk_process_handles, paging.cursor, "cursor", TEXT, OPTIONAL),
     RANGE(1, HBK_CURSOR_BYTES_MAX)},
    {FIELD(hbk_process_handles, paging.limit, "limit", U32, OPTIONAL),
     RANGE(1, HBK_PAGE_HANDLES_MAX)},
};
static const struct hbk_schema process_handles_schema = SCHEMA(process_handles);

static const struct hbk_field handle_fields[] = {
    {FIELD(hbk_handle_info, handle, "handle", HANDLE, REQUIRED)},
    {FIELD(hbk_handle_info, type, "type", TEXT, OPTIONAL), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_handle_info, access, "access", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_handle_info, inherit, "inherit", BOOL, OPTIONAL)},
    {FIELD(hbk_handle_info, protect, "protect", BOOL, OPTIONAL)},
};
static const struct hbk_schema handle_schema = SCHEMA(handle);

static const struct hbk_field process_handles_result_fields[] = {
    {FIELD(hbk_process_handles_result, handles, "handles", OBJECTS, REQUIRED),
     LIST(hbk_process_handles_result, handles_count, struct hbk_handle_info),
     RANGE(0, HBK_PAGE_HANDLES_MAX), .sub = &handle_schema},
    {FIELD(hbk_process_handles_result, next, "next", TEXT, OPTIONAL),
     RANGE(1, HBK_CURSOR_BYTES_MAX)},
};
static const struct hbk_schema process_handles_result_schema = SCHEMA(process_handles_result);

static const struct hbk_field object_holders_fields[] = {
    {FIELD(hbk_object_holders, pid, "pid", U32, OPTIONAL), PID},
    {FIELD(hbk_object_holders, handle, "handle", HANDLE, REQUIRED)},
};
static const struct hbk_schema object_holders_schema = SCHEMA(object_holders);

static const struct hbk_field holder_fields[] = {
    {FIELD(hbk_handle_info, pid, "pid", U32, REQUIRED), PID},
    {FIELD(hbk_handle_info, handle, "handle", HANDLE, REQUIRED)},
    {FIELD(hbk_handle_info, access, "access", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_handle_info, inherit, "inherit", BOOL, OPTIONAL)},
    {FIELD(hbk_handle_info, protect, "protect", BOOL, OPTIONAL)},
};
static const struct hbk_schema holder_schema = SCHEMA(holder);

static const struct hbk_field object_holders_result_fields[] = {
    {FIELD(hbk_object_holders_result, type, "type", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_object_holders_result, holders, "holders", OBJECTS, REQUIRED),
     LIST(hbk_object_holders_result, holders_count, struct hbk_handle_info),
     RANGE(0, HBK_PAGE_HANDLES_MAX), .sub = &holder_schema},
    {FIELD(hbk_object_holders_result, broker, "broker", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_object_holders_result, complete, "complete", BOOL, REQUIRED)},
};
static const struct hbk_schema object_holders_result_schema = SCHEMA(object_holders_result);

/* ---- records ---- */

static const struct hbk_field party_fields[] = {
    {FIELD(hbk_event_party, session, "session", U64, OPTIONAL), ID},
    {FIELD(hbk_event_party, pid, "pid", U32, OPTIONAL), PID},
    {FIELD(hbk_event_party, user, "user", TEXT, OPTIONAL), SID},
};
static const struct hbk_schema party_schema = SCHEMA(party);

#define EVENT_NAME RANGE(1, HBK_EVENT_NAME_BYTES_MAX)
static const struct hbk_field event_fields[] = {
    {FIELD(hbk_event, serial, "serial", U64, REQUIRED), ID},
    {FIELD(hbk_event, time_ms, "time_ms", U64, REQUIRED), COUNTER},
    {FIELD(hbk_event, event, "event", TEXT, REQUIRED), EVENT_NAME},
    {FIELD(hbk_event, outcome, "outcome", TEXT, REQUIRED), EVENT_NAME},
    {FIELD(hbk_event, correlation, "correlation", U64, OPTIONAL), ID},
    {FIELD(hbk_event, delivery, "delivery", U64, OPTIONAL), ID},
    {FIELD(hbk_event, caller, "caller", OBJECT, OPTIONAL), .sub = &party_schema},
    {FIELD(hbk_event, target, "target", OBJECT, OPTIONAL), .sub = &party_schema},
    {FIELD(hbk_event, source, "source", OBJECT, OPTIONAL), .sub = &party_schema},
    {FIELD(hbk_event, endpoint, "endpoint", TEXT, OPTIONAL), NAME},
    {FIELD(hbk_event, items, "items", OBJECTS, OPTIONAL),
     LIST(hbk_event, items_count, struct hbk_sent_item), RANGE(1, HBK_ITEMS_MAX),
     .sub = &hbk_schema_sent_item},
    {FIELD(hbk_event, error, "error", TEXT, OPTIONAL), EVENT_NAME},
    {FIELD(hbk_event, detail, "detail", TEXT, OPTIONAL), RANGE(1, HBK_DETAIL_BYTES_MAX)},
    {FIELD(hbk_event, win32, "win32", U32, OPTIONAL), RANGE(1, UINT32_MAX)},
    {FIELD(hbk_event, count, "count", U64, OPTIONAL), ID},
};
const struct hbk_schema hbk_schema_event = SCHEMA(event);

/* ---- errors ---- */

static const struct hbk_field error_data_fields[] = {
    {FIELD(hbk_wire_error, item, "item", I32, OPTIONAL), RANGE(0, INT32_MAX), .absent = -1},
    {FIELD(hbk_wire_error, detail, "detail", TEXT, REQUIRED), RANGE(0, HBK_DETAIL_BYTES_MAX)},
    {FIELD(hbk_wire_error, win32, "win32", U32, OPTIONAL), RANGE(1, UINT32_MAX)},
    {FIELD(hbk_wire_error, limit, "limit", TEXT, OPTIONAL), RANGE(1, HBK_LIMIT_NAME_BYTES_MAX)},
};
static const struct hbk_schema error_data_schema = SCHEMA(error_data);

static const struct hbk_field error_fields[] = {
    {FIELD(hbk_wire_error, code, "code", I32, REQUIRED), RANGE(INT32_MIN, INT32_MAX)},
    {FIELD(hbk_wire_error, message, "message", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {.key = "data",
     .kind = HBK_FIELD_OBJECT,
     .present = HBK_FIELD_NO_OFFSET,
     .sub = &error_data_schema},
};
const struct hbk_schema hbk_schema_error = SCHEMA(error);

/* ---- methods ---- */

static const struct hbk_method_info methods[HBK_METHOD_COUNT] = {
    [HBK_METHOD_SESSION_HELLO] = {"session.hello", false, &hello_schema, &hello_result_schema},
    [HBK_METHOD_SESSION_PROVE] = {"session.prove", false, &empty_schema, &empty_schema},
    [HBK_METHOD_ENDPOINT_OPEN] = {"endpoint.open", false, &open_schema, &open_result_schema},
    [HBK_METHOD_ENDPOINT_CLOSE] = {"endpoint.close", false, &close_schema, &empty_schema},
    [HBK_METHOD_ENDPOINT_LIST] = {"endpoint.list", false, &paging_schema, &list_result_schema},
    [HBK_METHOD_HANDLE_SEND] = {"handle.send", false, &hbk_schema_send, &hbk_schema_send_result},
    [HBK_METHOD_DELIVERY_ACCEPT] = {"delivery.accept", false, &hbk_schema_delivery_accept,
                                    &hbk_schema_delivery_accept_result},
    [HBK_METHOD_DELIVERY_REJECT] = {"delivery.reject", false, &hbk_schema_delivery_reject,
                                    &empty_schema},
    [HBK_METHOD_DELIVERY_REVOKE] = {"delivery.revoke", false, &hbk_schema_delivery_accept,
                                    &hbk_schema_delivery_revoke_result},
    [HBK_METHOD_DELIVERY_LIST] = {"delivery.list", false, &paging_schema,
                                  &hbk_schema_delivery_list_result},
    [HBK_METHOD_HANDLE_TRANSFER] = {"handle.transfer", false, &hbk_schema_transfer,
                                    &hbk_schema_transfer_result},
    [HBK_METHOD_STORE_PUT] = {"store.put", false, &hbk_schema_store_put,
                              &hbk_schema_store_put_result},
    [HBK_METHOD_STORE_GET] = {"store.get", false, &hbk_schema_store_get,
                              &hbk_schema_store_get_result},
    [HBK_METHOD_STORE_REMOVE] = {"store.remove", false, &hbk_schema_store_remove, &empty_schema},
    [HBK_METHOD_STORE_LIST] = {"store.list", false, &paging_schema, &hbk_schema_store_list_result},
    [HBK_METHOD_BROKER_STATUS] = {"broker.status", false, &empty_schema, &status_result_schema},
    [HBK_METHOD_BROKER_METRICS] = {"broker.metrics", false, &empty_schema, &metrics_result_schema},
    [HBK_METHOD_BROKER_SESSIONS] = {"broker.sessions", false, &paging_schema, &session_list_schema},
    [HBK_METHOD_BROKER_WATCH] = {"broker.watch", false, &empty_schema, &empty_schema},
    [HBK_METHOD_POLICY_EXPLAIN] = {"policy.explain", false, &explain_schema,
                                   &explain_result_schema},
    [HBK_METHOD_PROCESS_HANDLES] = {"process.handles", false, &process_handles_schema,
                                    &process_handles_result_schema},
    [HBK_METHOD_OBJECT_HOLDERS] = {"object.holders", false, &object_holders_schema,
                                   &object_holders_result_schema},
    [HBK_METHOD_HANDLE_DELIVERED] = {"handle.delivered", true, &hbk_schema_delivered, NULL},
    [HBK_METHOD_HANDLE_OFFERED] = {"handle.offered", true, &hbk_schema_offered, NULL},
    [HBK_METHOD_DELIVERY_REVOKED] = {"delivery.revoked", true, &hbk_schema_delivery_revoked, NULL},
    [HBK_METHOD_SESSION_GONE] = {"session.gone", true, &session_gone_schema, NULL},
    [HBK_METHOD_BROKER_EVENT] = {"broker.event", true, &hbk_schema_event, NULL},
};

const struct hbk_method_info *hbk_method_info(enum hbk_method method)
{
    HBK_ASSERT(method > HBK_METHOD_NONE && method < HBK_METHOD_COUNT);
    return &methods[method];
}

const char *hbk_method_name(enum hbk_method method)
{
    if (method <= HBK_METHOD_NONE || method >= HBK_METHOD_COUNT)
        return NULL;
    return methods[method].name;
}
