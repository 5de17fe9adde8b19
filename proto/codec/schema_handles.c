/* What carries handles: hand-off, transfer, store. */
#include "schema_rows.h"

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
const struct hbk_schema hbk_schema_send = SCHEMA(send);

static const struct hbk_field sent_item_fields[] = {
    {FIELD(hbk_sent_item, type, "type", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_sent_item, access, "access", U32, REQUIRED), ANY_U32},
};
const struct hbk_schema hbk_schema_sent_item = SCHEMA(sent_item);

static const struct hbk_field send_result_fields[] = {
    {FIELD(hbk_send_result, delivery, "delivery", U64, REQUIRED), ID},
    {FIELD(hbk_send_result, items, "items", OBJECTS, REQUIRED),
     LIST(hbk_send_result, items_count, struct hbk_sent_item), ITEMS, .sub = &hbk_schema_sent_item},
};
const struct hbk_schema hbk_schema_send_result = SCHEMA(send_result);

static const struct hbk_field accept_fields[] = {
    {FIELD(hbk_delivery_answer, delivery, "delivery", U64, REQUIRED), ID},
};
const struct hbk_schema hbk_schema_delivery_accept = SCHEMA(accept);

static const struct hbk_field reject_fields[] = {
    {FIELD(hbk_delivery_answer, delivery, "delivery", U64, REQUIRED), ID},
    {FIELD(hbk_delivery_answer, reason, "reason", TEXT, OPTIONAL), RANGE(0, HBK_REASON_BYTES_MAX)},
};
const struct hbk_schema hbk_schema_delivery_reject = SCHEMA(reject);

#define DELIVERED_ITEM                                                                       \
    {FIELD(hbk_delivered_item, type, "type", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)}, \
        {FIELD(hbk_delivered_item, access, "access", U32, REQUIRED), ANY_U32},               \
        {FIELD(hbk_delivered_item, inherit, "inherit", BOOL, REQUIRED)},                     \
        {FIELD(hbk_delivered_item, protect, "protect", BOOL, REQUIRED)},                     \
    {                                                                                        \
        FIELD(hbk_delivered_item, widenable, "widenable", WIDENABLE, OPTIONAL)               \
    }

#define PROTOCOL_INFO RANGE(1, HBK_PROTOCOL_INFO_BYTES_MAX), .check = HBK_TEXT_BASE64

static const struct hbk_field delivered_item_fields[] = {
    {FIELD(hbk_delivered_item, handle, "handle", HANDLE, EITHER)},
    {FIELD(hbk_delivered_item, protocol_info, "protocol_info", TEXT, EITHER), PROTOCOL_INFO},
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
const struct hbk_schema hbk_schema_delivery_accept_result = SCHEMA(accept_result);

static const struct hbk_field sender_fields[] = {
    {FIELD(hbk_sender, session, "session", U64, REQUIRED), ID},
    {FIELD(hbk_sender, peer.pid, "pid", U32, REQUIRED), PID},
    {FIELD(hbk_sender, peer.user, "user", TEXT, REQUIRED), SID},
    {FIELD(hbk_sender, peer.integrity, "integrity", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_sender, peer.logon_session, "logon_session", HEX64, REQUIRED)},
};
static const struct hbk_schema sender_schema = SCHEMA(sender);

#define DELIVERED(ENDPOINT, ITEM)                                                            \
    {FIELD(hbk_delivered, delivery, "delivery", U64, REQUIRED), ID},                         \
        {FIELD(hbk_delivered, endpoint, "endpoint", TEXT, ENDPOINT), NAME},                  \
        {FIELD(hbk_delivered, from, "from", OBJECT, REQUIRED), .sub = &sender_schema},       \
        {FIELD(hbk_delivered, items, "items", OBJECTS, REQUIRED),                            \
         LIST(hbk_delivered, items_count, struct hbk_delivered_item), ITEMS, .sub = (ITEM)}, \
        {FIELD(hbk_delivered, data, "data", TEXT, NULLABLE), DATA},                          \
    {                                                                                        \
        FIELD(hbk_delivered, revocable, "revocable", BOOL, REQUIRED)                         \
    }

static const struct hbk_field delivered_fields[] = {DELIVERED(NULLABLE, &delivered_item_schema)};
const struct hbk_schema hbk_schema_delivered = SCHEMA(delivered);

static const struct hbk_field offered_fields[] = {DELIVERED(REQUIRED, &offered_item_schema)};
const struct hbk_schema hbk_schema_offered = SCHEMA(offered);

static const struct hbk_field revoke_result_fields[] = {
    {FIELD(hbk_revoke_result, closed, "closed", INDICES, REQUIRED),
     LIST(hbk_revoke_result, closed_count, uint32_t), RANGE(0, HBK_ITEMS_MAX)},
};
const struct hbk_schema hbk_schema_delivery_revoke_result = SCHEMA(revoke_result);

static const struct hbk_field revoked_fields[] = {
    {FIELD(hbk_revoked, delivery, "delivery", U64, REQUIRED), ID},
    {FIELD(hbk_revoked, closed, "closed", INDICES, REQUIRED),
     LIST(hbk_revoked, closed_count, uint32_t), RANGE(0, HBK_ITEMS_MAX)},
};
const struct hbk_schema hbk_schema_delivery_revoked = SCHEMA(revoked);

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
     .sub = &hbk_schema_sent_item},
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
const struct hbk_schema hbk_schema_delivery_list_result = SCHEMA(delivery_list);

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
const struct hbk_schema hbk_schema_transfer = SCHEMA(transfer);

static const struct hbk_field transfer_result_fields[] = {
    {FIELD(hbk_transfer_result, handle, "handle", HANDLE, REQUIRED)},
    {FIELD(hbk_transfer_result, type, "type", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_transfer_result, access, "access", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_transfer_result, notified, "notified", BOOL, REQUIRED)},
    {FIELD(hbk_transfer_result, widenable, "widenable", WIDENABLE, OPTIONAL)},
};
const struct hbk_schema hbk_schema_transfer_result = SCHEMA(transfer_result);

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
const struct hbk_schema hbk_schema_store_put = SCHEMA(put);

static const struct hbk_field put_result_fields[] = {
    {FIELD(hbk_store_put_result, entry, "entry", U64, REQUIRED), ID},
    {FIELD(hbk_store_put_result, ticket, "ticket", TEXT, OPTIONAL), TICKET},
};
const struct hbk_schema hbk_schema_store_put_result = SCHEMA(put_result);

static const struct hbk_field get_fields[] = {
    {FIELD(hbk_store_get, name, "name", TEXT, OPTIONAL), NAME},
    {FIELD(hbk_store_get, ticket, "ticket", TEXT, OPTIONAL), TICKET},
    {FIELD(hbk_store_get, access, "access", ACCESS, OPTIONAL)},
    {FIELD(hbk_store_get, inherit, "inherit", BOOL, OPTIONAL)},
    {FIELD(hbk_store_get, wait_ms, "wait_ms", U32, OPTIONAL), RANGE(0, HBK_WAIT_MS_MAX)},
};
const struct hbk_schema hbk_schema_store_get = SCHEMA(get);

static const struct hbk_field get_result_fields[] = {
    {FIELD(hbk_store_get_result, handle, "handle", HANDLE, EITHER)},
    {FIELD(hbk_store_get_result, protocol_info, "protocol_info", TEXT, EITHER), PROTOCOL_INFO},
    {FIELD(hbk_store_get_result, type, "type", TEXT, REQUIRED), RANGE(1, HBK_TYPE_BYTES_MAX)},
    {FIELD(hbk_store_get_result, access, "access", U32, REQUIRED), ANY_U32},
    {FIELD(hbk_store_get_result, widenable, "widenable", WIDENABLE, OPTIONAL)},
    {FIELD(hbk_store_get_result, from, "from", OBJECT, REQUIRED), .sub = &sender_schema},
    {FIELD(hbk_store_get_result, data, "data", TEXT, NULLABLE), DATA},
};
const struct hbk_schema hbk_schema_store_get_result = SCHEMA(get_result);

static const struct hbk_field remove_fields[] = {
    {FIELD(hbk_store_remove, name, "name", TEXT, OPTIONAL), NAME},
    {FIELD(hbk_store_remove, entry, "entry", U64, OPTIONAL), ID},
};
const struct hbk_schema hbk_schema_store_remove = SCHEMA(remove);

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
const struct hbk_schema hbk_schema_store_list_result = SCHEMA(store_list);
