/* The messages of protocol version 1 as C structs, and their way to and from a line. One table
 * (schema.h) describes every message; decoder and encoder both walk it, so that what one writes the
 * other reads, in both directions: the service decodes requests and encodes results and notifications,
 * the client the reverse.
 *
 * Decoded messages borrow: every hbk_text and every list lives in the hbk_message that was decoded, until
 * hbk_message_clear(). Encoded ones are copied into the buffer at once. */
#ifndef HBK_MESSAGE_H
#define HBK_MESSAGE_H

#include "base.h"

/* ---- what the lines are made of ---- */

enum hbk_method {
    HBK_METHOD_NONE = 0,
    /* requests */
    HBK_METHOD_SESSION_HELLO,
    HBK_METHOD_SESSION_PROVE,
    HBK_METHOD_ENDPOINT_OPEN,
    HBK_METHOD_ENDPOINT_CLOSE,
    HBK_METHOD_ENDPOINT_LIST,
    HBK_METHOD_HANDLE_SEND,
    HBK_METHOD_DELIVERY_ACCEPT,
    HBK_METHOD_DELIVERY_REJECT,
    HBK_METHOD_DELIVERY_REVOKE,
    HBK_METHOD_DELIVERY_LIST,
    HBK_METHOD_HANDLE_TRANSFER,
    HBK_METHOD_STORE_PUT,
    HBK_METHOD_STORE_GET,
    HBK_METHOD_STORE_REMOVE,
    HBK_METHOD_STORE_LIST,
    HBK_METHOD_BROKER_STATUS,
    HBK_METHOD_BROKER_METRICS,
    HBK_METHOD_BROKER_SESSIONS,
    HBK_METHOD_BROKER_WATCH,
    HBK_METHOD_POLICY_EXPLAIN,
    HBK_METHOD_PROCESS_HANDLES,
    HBK_METHOD_OBJECT_HOLDERS,
    /* notifications, service to client */
    HBK_METHOD_HANDLE_DELIVERED,
    HBK_METHOD_HANDLE_OFFERED,
    HBK_METHOD_DELIVERY_REVOKED,
    HBK_METHOD_SESSION_GONE,
    HBK_METHOD_BROKER_EVENT,
    HBK_METHOD_COUNT
};

/** hbk_method_name() - "handle.send" for HBK_METHOD_HANDLE_SEND; NULL for what is none. */
const char *hbk_method_name(enum hbk_method method);

enum hbk_id_kind { HBK_ID_NONE = 0 /* null on the wire */, HBK_ID_NUMBER, HBK_ID_TEXT };

struct hbk_id {
    uint8_t kind; /* enum hbk_id_kind */
    uint8_t text_size;
    char text[HBK_ID_TEXT_BYTES_MAX]; /* unescaped, not terminated */
    uint64_t number;                  /* 1..HBK_INTEGER_MAX */
};

/** hbk_id_equal() - same kind and same value; 1 and "1" are two ids. */
bool hbk_id_equal(const struct hbk_id *a, const struct hbk_id *b);

enum hbk_access_kind { HBK_ACCESS_KIND_SAME = 0, HBK_ACCESS_KIND_READ, HBK_ACCESS_KIND_MASK };

/* "same" | "read" | MASK; a mask is never zero and has no GENERIC_*, MAXIMUM_ALLOWED or
 * ACCESS_SYSTEM_SECURITY bit: the decoder refuses those. */
struct hbk_access {
    uint8_t kind;
    uint32_t mask; /* HBK_ACCESS_KIND_MASK only */
};

enum hbk_mode { HBK_MODE_AUTO = 0, HBK_MODE_ASK };

/* How long an entry of the store lives: as long as the session that put it, or the broker. */
enum hbk_lifetime { HBK_LIFETIME_SESSION = 0, HBK_LIFETIME_BROKER };

/* One entry of an endpoint's `types`: "any" | "read" | MASK. */
enum hbk_type_rule_kind { HBK_TYPE_RULE_ANY = 0, HBK_TYPE_RULE_READ, HBK_TYPE_RULE_MASK };

struct hbk_type_rule {
    struct hbk_text type;
    uint8_t kind;
    uint32_t mask;
};

/* ---- requests ---- */

struct hbk_hello {
    size_t protocol_count;
    const uint32_t *protocol; /* 1..HBK_PROTOCOLS_MAX numbers */
    struct hbk_text client_name, client_version;
};

struct hbk_endpoint_open {
    struct hbk_text name;
    uint8_t mode; /* enum hbk_mode */
    bool types_present;
    size_t types_count;
    const struct hbk_type_rule *types; /* 1..HBK_TYPES_MAX where present */
    uint32_t items_max;                /* 0: absent; 1..HBK_ITEMS_MAX */
    struct hbk_text from;              /* SDDL, or absent */
    bool revocable;
};

struct hbk_endpoint_close {
    struct hbk_text name;
};

struct hbk_paging {
    struct hbk_text cursor; /* absent: from the start */
    uint32_t limit;         /* 0: absent; 1..HBK_PAGE_MAX */
};

struct hbk_item {
    struct hbk_text type;     /* absent: whatever it is */
    struct hbk_access access; /* default: same */
    uint32_t
        handle; /* HBK_HANDLE_MIN..HBK_HANDLE_MAX, multiple of 4: the decoder refuses the rest */
    bool inherit, protect;
};

struct hbk_send {
    struct hbk_text to_name;         /* `to` is a NAME, or … */
    struct hbk_text to_process_name; /* … {name, pid} */
    uint32_t to_pid;                 /* 0: `to` is a plain name */
    struct hbk_text expect_user;     /* absent: anyone */
    uint32_t expect_pid;             /* 0: anyone */
    size_t items_count;
    const struct hbk_item *items; /* 1..HBK_ITEMS_MAX */
    struct hbk_text data;         /* unescaped; absent: none */
    uint32_t wait_ms;             /* default 0 */
    uint32_t timeout_ms;          /* default HBK_TIMEOUT_MS_DEFAULT */
    bool revocable;
};

struct hbk_delivery_answer { /* delivery.accept, delivery.reject, delivery.revoke */
    uint64_t delivery;
    struct hbk_text reason; /* reject only; absent: none */
};

struct hbk_transfer {
    uint32_t source_pid;
    uint32_t handle;          /* in that process */
    struct hbk_text to_name;  /* `target` is an endpoint's name, or … */
    uint32_t target_pid;      /* … {pid}; 0 and no name: the caller */
    struct hbk_text type;     /* absent: whatever it is */
    struct hbk_access access; /* default: same */
    bool inherit;
};

struct hbk_store_put {
    struct hbk_text name; /* absent (null): a ticket */
    uint32_t handle;
    struct hbk_text type;     /* absent: whatever it is */
    struct hbk_access access; /* the most that takers get; default: same */
    struct hbk_text allow;    /* SDDL, or absent: the owner's identity alone */
    uint8_t lifetime;         /* enum hbk_lifetime */
    uint32_t ttl_ms;          /* 0: absent, no limit */
    bool replace, once;
    struct hbk_text data; /* unescaped; absent: none */
};

struct hbk_store_get {
    struct hbk_text name;     /* one of these two … */
    struct hbk_text ticket;   /* … is there: the core refuses both, and none */
    struct hbk_access access; /* default: what the entry has */
    bool inherit;
    uint32_t wait_ms; /* default 0 */
};

struct hbk_store_remove {
    struct hbk_text name; /* one of these two … */
    uint64_t entry;       /* … is there; 0: absent */
};

struct hbk_explain {      /* policy.explain */
    struct hbk_text verb; /* "open", "send", "put", "get", "transfer", "inspect", "revoke" */
    struct hbk_text name; /* of an endpoint or entry; absent: the verb needs none */
    uint32_t pid;         /* send to {name, pid}; 0: to the name alone */
    uint64_t session;     /* on whose behalf; 0: the caller's own */
};

struct hbk_process_handles {
    struct hbk_paging paging; /* limit: 0: absent; 1..HBK_PAGE_HANDLES_MAX */
    uint32_t pid;
};

struct hbk_object_holders {
    uint32_t pid; /* whose handle; 0: absent, the caller's own */
    uint32_t handle;
};

/* ---- results ---- */

struct hbk_peer_info {
    uint32_t pid;
    struct hbk_text user;   /* SID */
    uint64_t logon_session; /* LUID; a string of 16 hex digits on the wire, as it may pass 2^53 */
    uint32_t integrity;     /* the RID of the mandatory label: 0x2000 is medium */
};

struct hbk_wire_limits { /* `limits` of hello's answer, as limits.h names them */
    uint32_t line_bytes, items, data_bytes, name_bytes, requests, sessions_per_user, endpoints,
        pins, pending, hello_ms, line_ms, write_ms, write_queue_bytes;
};

struct hbk_hello_result {
    uint32_t protocol;
    struct hbk_text server_name, server_version;
    uint64_t session;
    struct hbk_peer_info peer;
    uint32_t proof; /* handle value in the client's own table */
    struct hbk_wire_limits limits;
};

struct hbk_endpoint_open_result {
    struct hbk_text endpoint; /* the name, as it was opened */
};

struct hbk_endpoint_info {
    struct hbk_text name;
    uint64_t session;
    uint32_t pid;
    uint8_t mode;   /* enum hbk_mode */
    bool revocable; /* it agrees to deliveries that can be revoked */
    struct hbk_text user;
    uint64_t since_ms;  /* milliseconds since it was opened */
    size_t types_count; /* 0: the default list */
    const struct hbk_type_rule *types;
};

struct hbk_endpoint_list_result {
    size_t endpoints_count;
    const struct hbk_endpoint_info *endpoints; /* at most HBK_PAGE_MAX */
    struct hbk_text next;                      /* absent: that was the last page */
};

struct hbk_sent_item {
    struct hbk_text type;
    uint32_t access; /* what the target got */
};

struct hbk_send_result {
    uint64_t delivery;
    size_t items_count;
    const struct hbk_sent_item *items;
};

/* An item as the target sees it: in handle.delivered and delivery.accept's answer with its value, in
 * handle.offered without. */
struct hbk_delivered_item {
    uint32_t handle; /* 0: absent (offered, or a socket) */
    struct hbk_text
        protocol_info; /* of a socket: base64 of what WSASocketW makes it from; else absent */
    struct hbk_text type;
    uint32_t access;
    bool inherit, protect;
    uint8_t widenable; /* enum hbk_widenable; NOT_REDUCED: absent */
};

struct hbk_accept_result {
    size_t items_count;
    const struct hbk_delivered_item *items;
};

/* One resource that users share: nobody may take more than a share of what is left. */
struct hbk_quota_info {
    struct hbk_text name;       /* "sessions", "pins", ... */
    uint64_t limit, used;       /* of the whole service */
    uint64_t your_limit, yours; /* of the caller's user, at this moment */
};

struct hbk_status_result {
    struct hbk_text server_name, server_version;
    uint32_t protocol;
    struct hbk_text state; /* "running" | "paused" | "stopping" */
    uint32_t pid;
    uint64_t uptime_ms;
    uint32_t sessions, sessions_proven, endpoints, deliveries_pending, pins;
    uint32_t stored;            /* entries of the store */
    uint64_t delivered, failed; /* sends since the start, by outcome */
    uint32_t policy;            /* how often rules were loaded since the start; 0: built-in ones */
    uint64_t events_dropped;    /* audit records that found a queue full */
    size_t quotas_count;
    const struct hbk_quota_info *quotas; /* at most HBK_QUOTAS_MAX */
};

struct hbk_metrics_result {
    struct hbk_text text; /* of at most HBK_METRICS_BYTES_MAX bytes */
};

struct hbk_session_info {
    uint64_t session;
    struct hbk_peer_info peer;
    uint32_t terminal_session;
    struct hbk_text client_name, client_version; /* as it calls itself; absent before hello */
    struct hbk_text state;                       /* "new", "hello", "proven", "ending" */
    uint64_t since_ms;                           /* milliseconds since it connected */
    uint32_t endpoints, requests, pins;
    uint64_t queued_bytes;   /* that wait for it to read, or came from it and wait to be acted on */
    uint64_t sent, received; /* deliveries since it connected */
};

struct hbk_session_list_result {
    size_t sessions_count;
    const struct hbk_session_info *sessions; /* at most HBK_PAGE_MAX */
    struct hbk_text next;                    /* absent: that was the last page */
};

struct hbk_revoke_result {
    size_t closed_count;
    const uint32_t *closed; /* indices of the items whose handle was closed in the target */
};

struct hbk_delivery_party {
    uint64_t session;
    uint32_t pid;
    struct hbk_text user; /* SID */
};

struct hbk_delivery_info {
    uint64_t delivery;
    struct hbk_text state;    /* "pinning", "waiting", "offered", "telling", "given", … */
    struct hbk_text endpoint; /* absent: to a process */
    struct hbk_delivery_party from, to; /* to.pid 0: absent, nobody yet */
    size_t items_count;
    const struct hbk_sent_item *items;
    uint64_t since_ms; /* milliseconds since it was asked for */
    bool revocable;    /* it was told, and can be revoked */
};

struct hbk_delivery_list_result {
    size_t deliveries_count;
    const struct hbk_delivery_info *deliveries; /* HBK_PAGE_MAX, of HBK_PAGE_ITEMS_MAX items */
    struct hbk_text next;                       /* absent: that was the last page */
};

struct hbk_transfer_result {
    uint32_t handle; /* its value in the target */
    struct hbk_text type;
    uint32_t access;
    bool notified;
    uint8_t widenable; /* enum hbk_widenable; NOT_REDUCED: absent */
};

struct hbk_store_put_result {
    uint64_t entry;
    struct hbk_text ticket; /* HBK_TICKET_BYTES of lower-case hex; absent: it has a name */
};

struct hbk_entry_info {
    uint64_t entry;
    struct hbk_text name;            /* absent (null): a ticket */
    struct hbk_delivery_party owner; /* who put it; session 0: it has ended */
    struct hbk_text type;
    uint32_t access;
    uint8_t lifetime;  /* enum hbk_lifetime */
    bool once, shared; /* shared: it has an `allow` */
    uint64_t since_ms; /* milliseconds since it was put */
    uint64_t ttl_ms;   /* that it has left, at least 1; 0: absent, no limit */
    uint64_t taken;    /* how often it was */
};

struct hbk_store_list_result {
    size_t entries_count;
    const struct hbk_entry_info *entries; /* at most HBK_PAGE_MAX */
    struct hbk_text next;                 /* absent: that was the last page */
};

struct hbk_explain_result {
    bool allowed;
    struct hbk_text rule;   /* which rule decides, for people: rules[2] "session/print/" */
    struct hbk_text detail; /* why, and what to do */
    bool types_present;
    size_t types_count;
    const struct hbk_type_rule *types; /* the most that may pass under that name */
};

/* A handle in the table of a process. */
struct hbk_handle_info {
    uint32_t pid; /* object.holders */
    uint32_t handle;
    struct hbk_text type; /* process.handles; absent: Windows does not say */
    uint32_t access;
    bool inherit, protect;
};

struct hbk_process_handles_result {
    size_t handles_count;
    const struct hbk_handle_info *handles; /* at most HBK_PAGE_HANDLES_MAX, by value */
    struct hbk_text next;                  /* absent: that was the last page */
};

struct hbk_object_holders_result {
    struct hbk_text type; /* of the object */
    size_t holders_count;
    const struct hbk_handle_info *holders; /* at most HBK_PAGE_HANDLES_MAX, by pid and value */
    uint32_t broker;                       /* how many handles to it the broker has */
    bool complete;                         /* false: there may be more */
};

/* ---- notifications ---- */

struct hbk_sender {
    uint64_t session;
    struct hbk_peer_info peer;
};

struct hbk_delivered { /* handle.delivered and handle.offered */
    uint64_t delivery;
    struct hbk_text endpoint; /* absent (null): a transfer to the process itself */
    struct hbk_sender from;
    size_t items_count;
    const struct hbk_delivered_item *items;
    struct hbk_text data; /* unescaped; absent: null on the wire */
    bool revocable;
};

struct hbk_store_get_result {
    uint32_t handle;               /* one of these two … */
    struct hbk_text protocol_info; /* … is there: of a socket, as in struct hbk_delivered_item */
    struct hbk_text type;
    uint32_t access;
    uint8_t widenable;      /* enum hbk_widenable; NOT_REDUCED: absent */
    struct hbk_sender from; /* who put it; its session may have ended */
    struct hbk_text data;   /* unescaped; absent: null on the wire */
};

struct hbk_revoked { /* delivery.revoked */
    uint64_t delivery;
    size_t closed_count;
    const uint32_t *closed; /* indices of the items whose handle was closed here */
};

struct hbk_session_gone {
    uint64_t session;
};

/* Whom an event is about. session 0: absent, nobody that has a session. */
struct hbk_event_party {
    uint64_t session;
    uint32_t pid;
    struct hbk_text user; /* SID */
};

/* One audit record: broker.event, and a line of the audit file. What is zero or absent is left out. */
struct hbk_event {
    uint64_t serial;         /* 1, 2, … since the start; a gap is what was dropped */
    uint64_t time_ms;        /* Unix time in milliseconds */
    struct hbk_text event;   /* "handle.send", "session.opened", "policy.loaded", … */
    struct hbk_text outcome; /* "done", "refused", "failed" */
    uint64_t correlation; /* equal in all records of one request, from its line to the last close */
    uint64_t delivery;
    struct hbk_event_party caller, target;
    struct hbk_event_party source; /* whose handles they were, if not the caller's */
    struct hbk_text endpoint;      /* or entry */
    size_t items_count;
    const struct hbk_sent_item *items;
    struct hbk_text error; /* wire name */
    struct hbk_text detail;
    uint32_t win32;
    uint64_t count; /* how many like it this record stands for; 0: itself alone */
};

/* ---- a decoded line ---- */

enum hbk_message_kind {
    HBK_MESSAGE_NONE = 0,
    HBK_MESSAGE_REQUEST,
    HBK_MESSAGE_NOTIFICATION,
    HBK_MESSAGE_RESULT,
    HBK_MESSAGE_ERROR
};

union hbk_params {
    struct hbk_hello hello;
    struct hbk_endpoint_open endpoint_open;
    struct hbk_endpoint_close endpoint_close;
    struct hbk_paging endpoint_list;
    struct hbk_send send;
    struct hbk_delivery_answer delivery_answer;
    struct hbk_paging delivery_list;
    struct hbk_transfer transfer;
    struct hbk_store_put store_put;
    struct hbk_store_get store_get;
    struct hbk_store_remove store_remove;
    struct hbk_paging store_list;
    struct hbk_paging sessions;
    struct hbk_explain explain;
    struct hbk_process_handles process_handles;
    struct hbk_object_holders object_holders;
    struct hbk_delivered delivered;
    struct hbk_revoked revoked;
    struct hbk_session_gone session_gone;
    struct hbk_event event;
};

union hbk_outcome {
    struct hbk_hello_result hello;
    struct hbk_endpoint_open_result endpoint_open;
    struct hbk_endpoint_list_result endpoint_list;
    struct hbk_send_result send;
    struct hbk_accept_result accept;
    struct hbk_revoke_result revoke;
    struct hbk_delivery_list_result deliveries;
    struct hbk_transfer_result transfer;
    struct hbk_store_put_result store_put;
    struct hbk_store_get_result store_get;
    struct hbk_store_list_result store_list;
    struct hbk_status_result status;
    struct hbk_metrics_result metrics;
    struct hbk_session_list_result sessions;
    struct hbk_explain_result explain;
    struct hbk_process_handles_result process_handles;
    struct hbk_object_holders_result object_holders;
};

struct hbk_message {
    enum hbk_message_kind kind;
    enum hbk_method method; /* of a result: filled by hbk_message_read_result() */
    struct hbk_id id;
    union {
        union hbk_params params;  /* request, notification */
        union hbk_outcome result; /* after hbk_message_read_result() */
    } u;
    struct hbk_error error; /* of HBK_MESSAGE_ERROR, or why decoding failed */
    void *tree;             /* the parsed line; private to the codec */
    void *lists;            /* memory of the lists; private to the codec */
};

enum { HBK_DECODE_E_REFUSED = 1 };

/**
 * hbk_message_read_request() - decode what a client sent
 * @message: all-zero, or used before (it is cleared first)
 * @line:    without LF
 *
 * Return: 0, with kind HBK_MESSAGE_REQUEST; HBK_DECODE_E_REFUSED, with message->error filled and
 * message->id set where the line has a well-formed one (else HBK_ID_NONE) - error.code tells a line that is
 * ill-formed (PARSE_ERROR, INVALID_REQUEST) from a request that is (METHOD_NOT_FOUND, INVALID_PARAMS,
 * BAD_HANDLE with error.item); -1 out of memory.
 */
int hbk_message_read_request(struct hbk_message *message, struct hbk_text line);

/**
 * hbk_message_read_server_line() - decode what the service sent, as far as the line itself tells
 *
 * What a later service adds is let pass: unknown members of params, result and error are skipped, unknown
 * error codes are kept; a notification of unknown name is refused with METHOD_NOT_FOUND and may be skipped.
 * Return: 0, with kind NOTIFICATION (params filled), ERROR (error filled) or RESULT (its fields are read by
 * hbk_message_read_result() once the caller has found by `id` which method it answers);
 * HBK_DECODE_E_REFUSED; -1 out of memory.
 */
int hbk_message_read_server_line(struct hbk_message *message, struct hbk_text line);

/** hbk_message_read_result() - fill u.result of a RESULT line as the answer to @method. As above. */
int hbk_message_read_result(struct hbk_message *message, enum hbk_method method);

/** hbk_message_clear() - free what was decoded; an all-zero message is accepted, and is left behind. */
void hbk_message_clear(struct hbk_message *message);

/* ---- lines out: each appends one whole line with its LF, or sets buffer->failed and leaves nothing of the
 * line behind (no memory, the buffer's limit, or HBK_LINE_BYTES_MAX passed). A value that the
 * schema does not allow is a broken invariant of ours (assertion) here, never a peer's doing: the public
 * client API validates its arguments before. ---- */

/** hbk_write_request() - @params: the struct of @method above, NULL where it has no parameters. */
void hbk_write_request(struct hbk_buffer *buffer, const struct hbk_id *id, enum hbk_method method,
                       const void *params);
/** hbk_write_notification() - @params: the struct of @method above. */
void hbk_write_notification(struct hbk_buffer *buffer, enum hbk_method method, const void *params);
/** hbk_write_result() - @result: the result struct of @method, NULL where that is `{}`. */
void hbk_write_result(struct hbk_buffer *buffer, const struct hbk_id *id, enum hbk_method method,
                      const void *result);
/** hbk_write_error() - the answer to @id, null if that is of no kind; without a detail it says what its code means. */
void hbk_write_error(struct hbk_buffer *buffer, const struct hbk_id *id,
                     const struct hbk_error *error);

/** hbk_write_event() - @event alone, as a line of the audit file: a JSON object and its LF. */
void hbk_write_event(struct hbk_buffer *buffer, const struct hbk_event *event);

/** hbk_escaped_size() - bytes that @text takes between its quotes on the wire, as we write it. */
size_t hbk_escaped_size(struct hbk_text text);

/** hbk_name_check() - is @name `SCOPE/PATH`: user, session or global, then 1 or more of [A-Za-z0-9._/-],
 * at most HBK_NAME_BYTES_MAX in all? */
bool hbk_name_check(struct hbk_text name);

#endif
