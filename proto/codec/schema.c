#include "schema.h"

#include <string.h>

/* Shorthands of this file: S is the struct, M its member. What is not named in a row is zero. */
#define FIELD(S, M, KEY, KIND, NEED)                                  \
    .key = (KEY), .kind = HBK_FIELD_##KIND, .need = HBK_FIELD_##NEED, \
    .offset = (uint16_t)offsetof(struct S, M), .present = HBK_FIELD_NO_OFFSET
#define LIST(S, COUNT, TYPE) \
    .count = (uint16_t)offsetof(struct S, COUNT), .size = (uint16_t)sizeof(TYPE)
#define RANGE(MIN, MAX) .min = (MIN), .max = (MAX)
#define ANY_U32 RANGE(0, UINT32_MAX)
#define ID RANGE(1, HBK_INTEGER_MAX)
#define COUNTER RANGE(0, HBK_INTEGER_MAX)
#define NAME RANGE(1, HBK_NAME_BYTES_MAX), .check = HBK_TEXT_NAME, .limit = "name_bytes"
#define SID RANGE(1, HBK_SID_BYTES_MAX), .check = HBK_TEXT_SID
#define PID RANGE(1, UINT32_MAX)
#define DATA RANGE(0, HBK_DATA_BYTES_MAX), .check = HBK_TEXT_ESCAPED, .limit = "data_bytes"
#define ITEMS RANGE(1, HBK_ITEMS_MAX), .items = true, .limit = "items"
#define SCHEMA(WHAT)                                                  \
    {                                                                 \
        WHAT##_fields, sizeof WHAT##_fields / sizeof WHAT##_fields[0] \
    }

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

/* ---- hand-off ---- */

static const struct hbk_field process_fields[] = {
    {FIELD(hbk_send, to_process_name, "name", TEXT, REQUIRED), NAME},
    {FIELD(hbk_send, to_pid, "pid", U32, REQUIRED), PID},
};
static const struct hbk_schema process_schema = SCHEMA(process);

static const struct hbk_field expect_fields[] = {
    {FIELD(hbk_send, expect_user, "user", TEXT, OPTIONAL), SID},
    {FIELD(hbk_send, expect_pid, "pid", U32, OPTIONAL), PID},
};
static const struct hbk_schema expect_schema = SCHEMA(expect);

static const struct hbk_field item_fields[] = {
    {FIELD(hbk_item, handle, "handle", HANDLE, REQUIRED)},
    {FIELD(hbk_item, type, "type", TEXT, OPTIONAL), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_item, access, "access", ACCESS, OPTIONAL)},
    {FIELD(hbk_item, inherit, "inherit", BOOL, OPTIONAL)},
    {FIELD(hbk_item, protect, "protect", BOOL, OPTIONAL)},
};
static const struct hbk_schema item_schema = SCHEMA(item);

static const struct hbk_field send_fields[] = {
    {FIELD(hbk_send, to_name, "to", TARGET, REQUIRED), NAME, .sub = &process_schema},
    {.key = "expect",
     .kind = HBK_FIELD_OBJECT,
     .need = HBK_FIELD_OPTIONAL,
     .min = 1,
     .present = HBK_FIELD_NO_OFFSET,
     .sub = &expect_schema},
    {FIELD(hbk_send, items, "items", OBJECTS, REQUIRED),
     LIST(hbk_send, items_count, struct hbk_item), ITEMS, .sub = &item_schema},
    {FIELD(hbk_send, data, "data", TEXT, OPTIONAL), DATA},
    {FIELD(hbk_send, wait_ms, "wait_ms", U32, OPTIONAL), RANGE(0, HBK_WAIT_MS_MAX)},
    {FIELD(hbk_send, timeout_ms, "timeout_ms", U32, OPTIONAL), RANGE(0, HBK_WAIT_MS_MAX),
     .absent = HBK_TIMEOUT_MS_DEFAULT},
    {FIELD(hbk_send, revocable, "revocable", BOOL, OPTIONAL)},
};
static const struct hbk_schema send_schema = SCHEMA(send);

static const struct hbk_field sent_item_fields[] = {
    {FIELD(hbk_sent_item, type, "type", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_sent_item, access, "access", U32, REQUIRED), ANY_U32},
};
static const struct hbk_schema sent_item_schema = SCHEMA(sent_item);

static const struct hbk_field send_result_fields[] = {
    {FIELD(hbk_send_result, delivery, "delivery", U64, REQUIRED), ID},
    {FIELD(hbk_send_result, items, "items", OBJECTS, REQUIRED),
     LIST(hbk_send_result, items_count, struct hbk_sent_item), ITEMS, .sub = &sent_item_schema},
};
static const struct hbk_schema send_result_schema = SCHEMA(send_result);

static const struct hbk_field accept_fields[] = {
    {FIELD(hbk_delivery_answer, delivery, "delivery", U64, REQUIRED), ID},
};
static const struct hbk_schema accept_schema = SCHEMA(accept);

static const struct hbk_field reject_fields[] = {
    {FIELD(hbk_delivery_answer, delivery, "delivery", U64, REQUIRED), ID},
    {FIELD(hbk_delivery_answer, reason, "reason", TEXT, OPTIONAL), RANGE(0, HBK_REASON_BYTES_MAX)},
};
static const struct hbk_schema reject_schema = SCHEMA(reject);

#define DELIVERED_ITEM                                                                       \
    {FIELD(hbk_delivered_item, type, "type", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)}, \
        {FIELD(hbk_delivered_item, access, "access", U32, REQUIRED), ANY_U32},               \
        {FIELD(hbk_delivered_item, inherit, "inherit", BOOL, REQUIRED)},                     \
        {FIELD(hbk_delivered_item, protect, "protect", BOOL, REQUIRED)},                     \
    {                                                                                        \
        FIELD(hbk_delivered_item, widenable, "widenable", WIDENABLE, OPTIONAL)               \
    }

#define PROTOCOL_INFO RANGE(4, HBK_PROTOCOL_INFO_BYTES_MAX), .check = HBK_TEXT_BASE64

static const struct hbk_field delivered_item_fields[] = {
    {FIELD(hbk_delivered_item, handle, "handle", HANDLE, OPTIONAL)},
    {FIELD(hbk_delivered_item, protocol_info, "protocol_info", TEXT, OPTIONAL), PROTOCOL_INFO},
    DELIVERED_ITEM,
};
static const struct hbk_schema delivered_item_schema = SCHEMA(delivered_item);

static const struct hbk_field offered_item_fields[] = {DELIVERED_ITEM};
static const struct hbk_schema offered_item_schema = SCHEMA(offered_item);

static const struct hbk_field accept_result_fields[] = {
    {FIELD(hbk_accept_result, items, "items", OBJECTS, REQUIRED),
     LIST(hbk_accept_result, items_count, struct hbk_delivered_item), ITEMS,
     .sub = &delivered_item_schema},
};
static const struct hbk_schema accept_result_schema = SCHEMA(accept_result);

static const struct hbk_field sender_fields[] = {
    {FIELD(hbk_sender, session, "session", U64, REQUIRED), ID},
    {FIELD(hbk_sender, peer.pid, "pid", U32, REQUIRED), PID},
    {FIELD(hbk_sender, peer.user, "user", TEXT, REQUIRED), SID},
    {FIELD(hbk_sender, peer.integrity, "integrity", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_sender, peer.logon_session, "logon_session", HEX64, REQUIRED)},
};
static const struct hbk_schema sender_schema = SCHEMA(sender);

#define DELIVERED(ITEM)                                                                      \
    {FIELD(hbk_delivered, delivery, "delivery", U64, REQUIRED), ID},                         \
        {FIELD(hbk_delivered, endpoint, "endpoint", TEXT, NULLABLE), NAME},                  \
        {FIELD(hbk_delivered, from, "from", OBJECT, REQUIRED), .sub = &sender_schema},       \
        {FIELD(hbk_delivered, items, "items", OBJECTS, REQUIRED),                            \
         LIST(hbk_delivered, items_count, struct hbk_delivered_item), ITEMS, .sub = (ITEM)}, \
        {FIELD(hbk_delivered, data, "data", TEXT, NULLABLE), DATA},                          \
    {                                                                                        \
        FIELD(hbk_delivered, revocable, "revocable", BOOL, REQUIRED)                         \
    }

static const struct hbk_field delivered_fields[] = {DELIVERED(&delivered_item_schema)};
static const struct hbk_schema delivered_schema = SCHEMA(delivered);

static const struct hbk_field offered_fields[] = {DELIVERED(&offered_item_schema)};
static const struct hbk_schema offered_schema = SCHEMA(offered);

static const struct hbk_field revoke_result_fields[] = {
    {FIELD(hbk_revoke_result, closed, "closed", INDICES, REQUIRED),
     LIST(hbk_revoke_result, closed_count, uint32_t), RANGE(0, HBK_ITEMS_MAX)},
};
static const struct hbk_schema revoke_result_schema = SCHEMA(revoke_result);

static const struct hbk_field revoked_fields[] = {
    {FIELD(hbk_revoked, delivery, "delivery", U64, REQUIRED), ID},
    {FIELD(hbk_revoked, closed, "closed", INDICES, REQUIRED),
     LIST(hbk_revoked, closed_count, uint32_t), RANGE(0, HBK_ITEMS_MAX)},
};
static const struct hbk_schema revoked_schema = SCHEMA(revoked);

static const struct hbk_field delivery_party_fields[] = {
    {FIELD(hbk_delivery_party, session, "session", U64, OPTIONAL), ID},
    {FIELD(hbk_delivery_party, pid, "pid", U32, OPTIONAL), PID},
    {FIELD(hbk_delivery_party, user, "user", TEXT, OPTIONAL), SID},
};
static const struct hbk_schema delivery_party_schema = SCHEMA(delivery_party);

static const struct hbk_field delivery_fields[] = {
    {FIELD(hbk_delivery_info, delivery, "delivery", U64, REQUIRED), ID},
    {FIELD(hbk_delivery_info, state, "state", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_delivery_info, endpoint, "endpoint", TEXT, NULLABLE), NAME},
    {FIELD(hbk_delivery_info, from, "from", OBJECT, REQUIRED), .sub = &delivery_party_schema},
    {FIELD(hbk_delivery_info, to, "to", OBJECT, OPTIONAL), .sub = &delivery_party_schema},
    {FIELD(hbk_delivery_info, items, "items", OBJECTS, REQUIRED),
     LIST(hbk_delivery_info, items_count, struct hbk_sent_item), RANGE(0, HBK_ITEMS_MAX),
     .sub = &sent_item_schema},
    {FIELD(hbk_delivery_info, since_ms, "since_ms", U64, REQUIRED), COUNTER},
    {FIELD(hbk_delivery_info, revocable, "revocable", BOOL, REQUIRED)},
};
static const struct hbk_schema delivery_schema = SCHEMA(delivery);

static const struct hbk_field delivery_list_fields[] = {
    {FIELD(hbk_delivery_list_result, deliveries, "deliveries", OBJECTS, REQUIRED),
     LIST(hbk_delivery_list_result, deliveries_count, struct hbk_delivery_info),
     RANGE(0, HBK_PAGE_MAX), .sub = &delivery_schema},
    {FIELD(hbk_delivery_list_result, next, "next", TEXT, OPTIONAL), RANGE(1, HBK_CURSOR_BYTES_MAX)},
};
static const struct hbk_schema delivery_list_schema = SCHEMA(delivery_list);

/* ---- transfer ---- */

static const struct hbk_field transfer_source_fields[] = {
    {FIELD(hbk_transfer, source_pid, "pid", U32, REQUIRED), PID},
};
static const struct hbk_schema transfer_source_schema = SCHEMA(transfer_source);

static const struct hbk_field transfer_target_fields[] = {
    {FIELD(hbk_transfer, target_pid, "pid", U32, REQUIRED), PID},
};
static const struct hbk_schema transfer_target_schema = SCHEMA(transfer_target);

static const struct hbk_field transfer_fields[] = {
    {.key = "source",
     .kind = HBK_FIELD_OBJECT,
     .present = HBK_FIELD_NO_OFFSET,
     .sub = &transfer_source_schema},
    {FIELD(hbk_transfer, handle, "handle", HANDLE, REQUIRED)},
    {FIELD(hbk_transfer, to_name, "target", TARGET, OPTIONAL), NAME,
     .sub = &transfer_target_schema},
    {FIELD(hbk_transfer, type, "type", TEXT, OPTIONAL), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_transfer, access, "access", ACCESS, OPTIONAL)},
    {FIELD(hbk_transfer, inherit, "inherit", BOOL, OPTIONAL)},
};
static const struct hbk_schema transfer_schema = SCHEMA(transfer);

static const struct hbk_field transfer_result_fields[] = {
    {FIELD(hbk_transfer_result, handle, "handle", HANDLE, REQUIRED)},
    {FIELD(hbk_transfer_result, type, "type", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_transfer_result, access, "access", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_transfer_result, notified, "notified", BOOL, REQUIRED)},
    {FIELD(hbk_transfer_result, widenable, "widenable", WIDENABLE, OPTIONAL)},
};
static const struct hbk_schema transfer_result_schema = SCHEMA(transfer_result);

/* ---- store ---- */

#define TICKET RANGE(1, HBK_TICKET_BYTES), .check = HBK_TEXT_HEX

static const struct hbk_field put_fields[] = {
    {FIELD(hbk_store_put, name, "name", TEXT, NULLABLE), NAME},
    {FIELD(hbk_store_put, handle, "handle", HANDLE, REQUIRED)},
    {FIELD(hbk_store_put, type, "type", TEXT, OPTIONAL), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_store_put, access, "access", ACCESS, OPTIONAL)},
    {FIELD(hbk_store_put, allow, "allow", TEXT, OPTIONAL), RANGE(1, HBK_SDDL_BYTES_MAX)},
    {FIELD(hbk_store_put, lifetime, "lifetime", LIFETIME, OPTIONAL)},
    {FIELD(hbk_store_put, ttl_ms, "ttl_ms", U32, OPTIONAL), RANGE(1, HBK_TTL_MS_MAX)},
    {FIELD(hbk_store_put, replace, "replace", BOOL, OPTIONAL)},
    {FIELD(hbk_store_put, once, "once", BOOL, OPTIONAL)},
    {FIELD(hbk_store_put, data, "data", TEXT, OPTIONAL), DATA},
};
static const struct hbk_schema put_schema = SCHEMA(put);

static const struct hbk_field put_result_fields[] = {
    {FIELD(hbk_store_put_result, entry, "entry", U64, REQUIRED), ID},
    {FIELD(hbk_store_put_result, ticket, "ticket", TEXT, OPTIONAL), TICKET},
};
static const struct hbk_schema put_result_schema = SCHEMA(put_result);

static const struct hbk_field get_fields[] = {
    {FIELD(hbk_store_get, name, "name", TEXT, OPTIONAL), NAME},
    {FIELD(hbk_store_get, ticket, "ticket", TEXT, OPTIONAL), TICKET},
    {FIELD(hbk_store_get, access, "access", ACCESS, OPTIONAL)},
    {FIELD(hbk_store_get, inherit, "inherit", BOOL, OPTIONAL)},
    {FIELD(hbk_store_get, wait_ms, "wait_ms", U32, OPTIONAL), RANGE(0, HBK_WAIT_MS_MAX)},
};
static const struct hbk_schema get_schema = SCHEMA(get);

static const struct hbk_field get_result_fields[] = {
    {FIELD(hbk_store_get_result, handle, "handle", HANDLE, OPTIONAL)},
    {FIELD(hbk_store_get_result, protocol_info, "protocol_info", TEXT, OPTIONAL), PROTOCOL_INFO},
    {FIELD(hbk_store_get_result, type, "type", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_store_get_result, access, "access", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_store_get_result, widenable, "widenable", WIDENABLE, OPTIONAL)},
    {FIELD(hbk_store_get_result, from, "from", OBJECT, REQUIRED), .sub = &sender_schema},
    {FIELD(hbk_store_get_result, data, "data", TEXT, NULLABLE), DATA},
};
static const struct hbk_schema get_result_schema = SCHEMA(get_result);

static const struct hbk_field remove_fields[] = {
    {FIELD(hbk_store_remove, name, "name", TEXT, OPTIONAL), NAME},
    {FIELD(hbk_store_remove, entry, "entry", U64, OPTIONAL), ID},
};
static const struct hbk_schema remove_schema = SCHEMA(remove);

static const struct hbk_field entry_fields[] = {
    {FIELD(hbk_entry_info, entry, "entry", U64, REQUIRED), ID},
    {FIELD(hbk_entry_info, name, "name", TEXT, NULLABLE), NAME},
    {FIELD(hbk_entry_info, owner, "owner", OBJECT, REQUIRED), .sub = &delivery_party_schema},
    {FIELD(hbk_entry_info, type, "type", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_entry_info, access, "access", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_entry_info, lifetime, "lifetime", LIFETIME, REQUIRED)},
    {FIELD(hbk_entry_info, once, "once", BOOL, REQUIRED)},
    {FIELD(hbk_entry_info, shared, "shared", BOOL, REQUIRED)},
    {FIELD(hbk_entry_info, since_ms, "since_ms", U64, REQUIRED), COUNTER},
    {FIELD(hbk_entry_info, ttl_ms, "ttl_ms", U64, OPTIONAL), ID},
    {FIELD(hbk_entry_info, taken, "taken", U64, REQUIRED), COUNTER},
};
static const struct hbk_schema entry_schema = SCHEMA(entry);

static const struct hbk_field store_list_fields[] = {
    {FIELD(hbk_store_list_result, entries, "entries", OBJECTS, REQUIRED),
     LIST(hbk_store_list_result, entries_count, struct hbk_entry_info), RANGE(0, HBK_PAGE_MAX),
     .sub = &entry_schema},
    {FIELD(hbk_store_list_result, next, "next", TEXT, OPTIONAL), RANGE(1, HBK_CURSOR_BYTES_MAX)},
};
static const struct hbk_schema store_list_schema = SCHEMA(store_list);

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
    {FIELD(hbk_event, endpoint, "endpoint", TEXT, OPTIONAL), NAME},
    {FIELD(hbk_event, items, "items", OBJECTS, OPTIONAL),
     LIST(hbk_event, items_count, struct hbk_sent_item), RANGE(1, HBK_ITEMS_MAX),
     .sub = &sent_item_schema},
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
    [HBK_METHOD_HANDLE_SEND] = {"handle.send", false, &send_schema, &send_result_schema},
    [HBK_METHOD_DELIVERY_ACCEPT] = {"delivery.accept", false, &accept_schema,
                                    &accept_result_schema},
    [HBK_METHOD_DELIVERY_REJECT] = {"delivery.reject", false, &reject_schema, &empty_schema},
    [HBK_METHOD_DELIVERY_REVOKE] = {"delivery.revoke", false, &accept_schema,
                                    &revoke_result_schema},
    [HBK_METHOD_DELIVERY_LIST] = {"delivery.list", false, &paging_schema, &delivery_list_schema},
    [HBK_METHOD_HANDLE_TRANSFER] = {"handle.transfer", false, &transfer_schema,
                                    &transfer_result_schema},
    [HBK_METHOD_STORE_PUT] = {"store.put", false, &put_schema, &put_result_schema},
    [HBK_METHOD_STORE_GET] = {"store.get", false, &get_schema, &get_result_schema},
    [HBK_METHOD_STORE_REMOVE] = {"store.remove", false, &remove_schema, &empty_schema},
    [HBK_METHOD_STORE_LIST] = {"store.list", false, &paging_schema, &store_list_schema},
    [HBK_METHOD_BROKER_STATUS] = {"broker.status", false, &empty_schema, &status_result_schema},
    [HBK_METHOD_BROKER_SESSIONS] = {"broker.sessions", false, &paging_schema, &session_list_schema},
    [HBK_METHOD_BROKER_WATCH] = {"broker.watch", false, &empty_schema, &empty_schema},
    [HBK_METHOD_POLICY_EXPLAIN] = {"policy.explain", false, &explain_schema,
                                   &explain_result_schema},
    [HBK_METHOD_HANDLE_DELIVERED] = {"handle.delivered", true, &delivered_schema, NULL},
    [HBK_METHOD_HANDLE_OFFERED] = {"handle.offered", true, &offered_schema, NULL},
    [HBK_METHOD_DELIVERY_REVOKED] = {"delivery.revoked", true, &revoked_schema, NULL},
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
