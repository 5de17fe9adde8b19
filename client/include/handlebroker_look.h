/* Handle Broker: looking at the broker, and watching it. A part of handlebroker.h, whose rules
 * apply. */
#ifndef HANDLEBROKER_LOOK_H
#define HANDLEBROKER_LOOK_H

#include "handlebroker.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- looking ---- */

/* What all users share; none may have more than a share of what the others leave. */
typedef struct hbk_quota {
    char name[33];              /* "sessions", "requests", "pins", ... */
    uint64_t limit, used;       /* of the whole service */
    uint64_t your_limit, yours; /* of our user; your_limit: what it could have at this moment */
} hbk_quota;

typedef struct hbk_status_info {
    char server_name[65];
    char server_version[33];
    char state[17]; /* "running", "paused", "stopping" */
    uint32_t pid;
    uint64_t uptime_ms;
    uint32_t sessions, sessions_proven, endpoints, deliveries_pending, pins;
    uint64_t delivered, failed; /* sends since the service's start */
    uint32_t policy;            /* how often rules were loaded since then; 0: built-in ones rule */
    uint64_t events_dropped;    /* audit records that found a queue full */
    size_t quotas_count;
    hbk_quota quotas[HBK_QUOTAS_MAX];
    uint32_t stored; /* entries of the store */
} hbk_status_info;

/** hbk_status() - the service's state and counters. Blocks for one round trip. */
HBK_API hbk_result hbk_status(hbk_client *client, hbk_status_info *ret_status,
                              hbk_error_info *ret_error);

/**
 * hbk_metrics() - what the service has counted, as text for Prometheus
 * @ret_text: lines that end in LF, and a NUL; to be freed with hbk_metrics_free()
 *
 * Needs the right `inspect`, as hbk_session_list(). Blocks for one round trip. Return: HBK_OK; HBK_DENIED;
 * HBK_METHOD_NOT_FOUND (an older service); HBK_INVALID_ARGUMENT; HBK_DISCONNECTED; HBK_STOPPING;
 * HBK_NO_MEMORY; HBK_INTERNAL_ERROR. Source: PROTOCOL.md "broker.metrics". Since: 0.1
 */
HBK_API hbk_result hbk_metrics(hbk_client *client, char **ret_text, hbk_error_info *ret_error);
/** hbk_metrics_free() - NULL is accepted. */
HBK_API void hbk_metrics_free(char *text);

typedef struct hbk_endpoint_entry {
    const char *name;
    uint64_t session;
    uint32_t pid;
    const char *user;  /* SID */
    uint64_t since_ms; /* milliseconds since it was opened */
    int ask;
    const char *types; /* what it takes: "Event Section:read File:0x120089" */
    int revocable;     /* nonzero: it agrees to deliveries that can be taken back */
} hbk_endpoint_entry;

typedef struct hbk_endpoint_entries {
    size_t count;
    const hbk_endpoint_entry *entries;
} hbk_endpoint_entries;

/** hbk_endpoint_list() - every endpoint that the caller may see; free with
 * hbk_endpoint_entries_free(). */
HBK_API hbk_result hbk_endpoint_list(hbk_client *client, hbk_endpoint_entries **ret_entries,
                                     hbk_error_info *ret_error);
/** hbk_endpoint_entries_free() - NULL is accepted. */
HBK_API void hbk_endpoint_entries_free(hbk_endpoint_entries *entries);

typedef struct hbk_session_entry {
    uint64_t session;
    uint32_t pid;
    const char *user; /* SID */
    uint64_t logon_session;
    uint32_t integrity;        /* RID of the mandatory label; 0x2000 is medium */
    uint32_t terminal_session; /* of Terminal Services */
    const char *client_name;   /* as it calls itself; "" before it has said so, as the next */
    const char *client_version;
    const char *state; /* "new", "hello", "proven", "ending" */
    uint64_t since_ms; /* milliseconds since it connected */
    uint32_t endpoints, requests, pins;
    uint64_t queued_bytes;   /* that it has not read, or that were not acted on yet */
    uint64_t sent, received; /* deliveries since it connected */
} hbk_session_entry;

typedef struct hbk_session_entries {
    size_t count;
    const hbk_session_entry *entries;
} hbk_session_entries;

/**
 * hbk_session_list() - who is connected to the broker
 * @ret_entries: to be freed with hbk_session_entries_free()
 *
 * Needs the right `inspect`, which administrators and SYSTEM have unless the operator's rules say
 * otherwise. Blocks for a round trip a page. Return: HBK_OK; HBK_DENIED; HBK_INVALID_ARGUMENT;
 * HBK_DISCONNECTED; HBK_STOPPING; HBK_NO_MEMORY; HBK_INTERNAL_ERROR.
 * Source: PROTOCOL.md "broker.sessions". Since: 0.1
 */
HBK_API hbk_result hbk_session_list(hbk_client *client, hbk_session_entries **ret_entries,
                                    hbk_error_info *ret_error);
/** hbk_session_entries_free() - NULL is accepted. */
HBK_API void hbk_session_entries_free(hbk_session_entries *entries);

typedef struct hbk_delivery_entry {
    uint64_t id;
    const char *state;    /* "pinning", "waiting", "offered", "accepted", "telling", "revocable" */
    const char *endpoint; /* NULL: to a process */
    hbk_party from, to;
    size_t count;
    const hbk_sent_info *items; /* count of them */
    uint64_t since_ms;          /* milliseconds since it was asked for */
    int revocable;              /* nonzero: it was told, and can be taken back with hbk_revoke() */
} hbk_delivery_entry;

typedef struct hbk_delivery_entries {
    size_t count;
    const hbk_delivery_entry *entries;
} hbk_delivery_entries;

/**
 * hbk_delivery_list() - the deliveries that are under way or can be taken back
 * @ret_entries: to be freed with hbk_delivery_entries_free()
 *
 * Those that we have sent or are to get; with the right `inspect` everybody's. Blocks for a round
 * trip a page. Return: HBK_OK; HBK_INVALID_ARGUMENT; HBK_DISCONNECTED; HBK_STOPPING; HBK_NO_MEMORY;
 * HBK_INTERNAL_ERROR. Source: PROTOCOL.md "delivery.list". Since: 0.1
 */
HBK_API hbk_result hbk_delivery_list(hbk_client *client, hbk_delivery_entries **ret_entries,
                                     hbk_error_info *ret_error);
/** hbk_delivery_entries_free() - NULL is accepted. */
HBK_API void hbk_delivery_entries_free(hbk_delivery_entries *entries);

/* A handle in the table of a process, ours or another. */
typedef struct hbk_handle_entry {
    uint32_t pid;
    HANDLE handle; /* its value there */
    char type[33]; /* as the kernel spells it: "Event"; "" where Windows does not say */
    uint32_t access;
    int inherit; /* nonzero: children of the process may inherit it */
    int protect; /* nonzero: it is protected from being closed */
} hbk_handle_entry;

typedef struct hbk_handle_entries {
    size_t count;
    const hbk_handle_entry *entries; /* by value */
} hbk_handle_entries;

/**
 * hbk_handle_list() - the handles of a process
 * @pid:         its number; may be ours, not the service's or the system's
 * @ret_entries: to be freed with hbk_handle_entries_free()
 *
 * Needs `inspect`, as hbk_session_list(), and what it takes to duplicate handles of that process (see
 * hbk_transfer()). A handle that is opened or closed meanwhile may be in the list or not. Blocks for a
 * round trip a page. Return: HBK_OK; HBK_DENIED; HBK_NOT_FOUND (no such process, or it has ended);
 * HBK_QUOTA (too many look at this moment); HBK_TIMEOUT; HBK_OS_ERROR; HBK_METHOD_NOT_FOUND (an older
 * service); HBK_INVALID_ARGUMENT; HBK_DISCONNECTED; HBK_STOPPING; HBK_NO_MEMORY; HBK_INTERNAL_ERROR.
 * Source: PROTOCOL.md "process.handles". Since: 0.1
 */
HBK_API hbk_result hbk_handle_list(hbk_client *client, uint32_t pid,
                                   hbk_handle_entries **ret_entries, hbk_error_info *ret_error);
/** hbk_handle_entries_free() - NULL is accepted. */
HBK_API void hbk_handle_entries_free(hbk_handle_entries *entries);

typedef struct hbk_holder_entries {
    char type[33]; /* of the object */
    size_t count;
    const hbk_handle_entry *entries; /* by process and value; none is of the service */
    uint32_t broker;                 /* how many handles to it the service itself has */
    int complete;                    /* 0: there may be more */
} hbk_holder_entries;

/**
 * hbk_holder_list() - who has handles to the object of a handle
 * @pid:         whose handle; 0: ours
 * @handle:      its value there; it is among what is found
 * @ret_entries: to be freed with hbk_holder_entries_free()
 *
 * Needs what hbk_handle_list() does. Blocks for one round trip. Return: as hbk_handle_list(), and
 * HBK_BAD_HANDLE. Source: PROTOCOL.md "object.holders"; CompareObjectHandles in the Win32 reference.
 * Since: 0.1
 */
HBK_API hbk_result hbk_holder_list(hbk_client *client, uint32_t pid, HANDLE handle,
                                   hbk_holder_entries **ret_entries, hbk_error_info *ret_error);
/** hbk_holder_entries_free() - NULL is accepted. */
HBK_API void hbk_holder_entries_free(hbk_holder_entries *entries);

typedef struct hbk_explain_options {
    size_t size;
    const char *verb; /* "open", "send", "put", "get"; "transfer", "inspect", "revoke" */
    const char *name; /* for the first four: "user/inbox" */
    uint32_t pid;     /* send: to the endpoint of this process; 0: to the name */
    uint64_t session; /* on whose behalf, by hbk_session_list(); 0: our own */
} hbk_explain_options;

typedef struct hbk_explanation {
    int allowed;
    char rule[321];   /* what decides: rules[2] "session/print/", or built-in: ... */
    char detail[241]; /* why, and what to do */
    int types_known;  /* nonzero: `types` is the most that may pass under that name */
    char types[1088]; /* "Event Section:read File:0x120089"; "": nothing passes */
} hbk_explanation;

/**
 * hbk_explain() - what would be answered, and by which rule, without doing it
 *
 * Needs `inspect`, as hbk_session_list(). Blocks for one round trip. Return: HBK_OK, be it allowed or
 * not; HBK_DENIED (we may not ask); HBK_NOT_FOUND (no such session); HBK_INVALID_PARAMS;
 * HBK_INVALID_ARGUMENT; HBK_DISCONNECTED; HBK_STOPPING; HBK_NO_MEMORY.
 * Source: PROTOCOL.md "policy.explain". Since: 0.1
 */
HBK_API hbk_result hbk_explain(hbk_client *client, const hbk_explain_options *options,
                               hbk_explanation *ret_explanation, hbk_error_info *ret_error);

/* ---- watching ---- */

/* One audit record. What it does not say is zero or NULL. */
typedef struct hbk_record {
    uint64_t serial;      /* counts the records of the service since its start */
    uint64_t missed;      /* how many right before this one never came: we were too slow */
    uint64_t time_ms;     /* Unix time in milliseconds */
    const char *event;    /* "handle.send", "session.opened", "policy.loaded", ... */
    const char *outcome;  /* "done", "refused", "failed" */
    uint64_t correlation; /* the same in all records of one request */
    uint64_t delivery;
    hbk_party caller, target;
    hbk_party source; /* whose handles they were, if not the caller's */
    const char *endpoint;
    size_t count;
    const hbk_sent_info *items; /* count of them */
    const char *error;          /* "denied", "not_found", ... */
    const char *detail;
    uint32_t win32;
    uint64_t stands_for; /* of a record for many alike: how many; 0: itself alone */
    const char *json;    /* all of it, as the JSON object of one line */
} hbk_record;

/**
 * hbk_watch() - have the service tell this client what it records, from now on until it leaves
 *
 * Needs `inspect`, as hbk_session_list(). Blocks for one round trip. May be said again. Return: HBK_OK;
 * HBK_DENIED; HBK_QUOTA (too many watch); HBK_INVALID_ARGUMENT; HBK_DISCONNECTED; HBK_STOPPING;
 * HBK_NO_MEMORY. Source: PROTOCOL.md "broker.watch". Since: 0.1
 */
HBK_API hbk_result hbk_watch(hbk_client *client, hbk_error_info *ret_error);

/**
 * hbk_watch_receive() - the next record
 * @timeout_ms: as for hbk_receive()
 * @ret_record: to be freed with hbk_record_free()
 *
 * Records wait in the library, up to a mebibyte; what comes beyond is lost and shows in `missed`.
 * hbk_wait_handle() is signalled for records too: take both until HBK_TIMEOUT. Return: as
 * hbk_receive().
 */
HBK_API hbk_result hbk_watch_receive(hbk_client *client, uint32_t timeout_ms,
                                     hbk_record **ret_record, hbk_error_info *ret_error);

/**
 * hbk_record_read() - a record from a line of the service's audit file, or of `hbctl watch --json`
 * @line: @size bytes, without the line's end
 * @ret_record: to be freed with hbk_record_free(); its `missed` is 0
 *
 * Needs no service. Members that a later version has added are passed over. Does not block. Return:
 * HBK_OK; HBK_PARSE_ERROR (not one object of strict JSON); HBK_INVALID_PARAMS (no record);
 * HBK_INVALID_ARGUMENT; HBK_NO_MEMORY.
 * Source: PROTOCOL.md "broker.event". Since: 0.1
 */
HBK_API hbk_result hbk_record_read(const char *line, size_t size, hbk_record **ret_record,
                                   hbk_error_info *ret_error);

/** hbk_record_free() - NULL is accepted. May be called after hbk_close(). */
HBK_API void hbk_record_free(hbk_record *record);

#ifdef __cplusplus
}
#endif

#endif
