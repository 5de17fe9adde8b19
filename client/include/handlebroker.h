/* Handle Broker: hand kernel handles from one process to another, with consent on both sides.
 *
 * A process that wants to receive opens an endpoint; a process that holds a handle sends it there;
 * the broker, a Windows service, duplicates it and tells the receiver its value. Rights only ever
 * shrink.
 *
 *     hbk_client *client;
 *     if (hbk_open(NULL, &client, NULL) == HBK_OK) {
 *         hbk_send_item item = {.handle = event};
 *         hbk_send_options send = {.size = sizeof send, .to = "user/demo"};
 *         send.items = &item;
 *         send.count = 1;
 *         hbk_result result = hbk_send(client, &send, NULL, NULL);
 *         ...
 *         hbk_close(client);
 *     }
 *
 * Rules for all functions
 * - A client may be used by any number of threads at once. The library starts no thread of its own,
 *   but for hbk_notify_window() and hbk_notify_call().
 * - Structures that carry `size` must have it set to their sizeof; zero in every other field is the
 *   default. A program that was built with an older header passes the size that it knows, and gets
 *   the defaults of what came later. Strings are UTF-8, ended by NUL, and are copied where they are
 *   kept.
 * - Structures without `size` are what the library fills. They grow with its minor version (0.1): a
 *   program and the handlebroker.dll that it loads are of the same.
 * - `ret_...` is written on success alone, except `ret_error`, which may be NULL and is written on
 *   failure alone.
 * - A function that returns HBK_DISCONNECTED will do so until hbk_reopen() has succeeded, which
 *   HBK_OPEN_REOPEN does by itself.
 * - Numbers of deliveries, sessions and entries are for the client that has returned them, and for
 *   as long as its connection lasts: see hbk_reopen().
 *
 * Source: PROTOCOL.md. Since: 0.1
 */
#ifndef HANDLEBROKER_H
#define HANDLEBROKER_H

#include <stddef.h>
#include <stdint.h>
#include <windows.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(HBK_BUILD_DLL)
#define HBK_API __declspec(dllexport)
#elif defined(HBK_USE_DLL)
#define HBK_API __declspec(dllimport)
#else
#define HBK_API
#endif
#define HBK_CALLBACK __stdcall

/* The pipe of the installed service. */
#define HBK_PIPE_NAME L"\\\\.\\pipe\\ProtectedPrefix\\Administrators\\HandleBroker"

#define HBK_ITEMS_MAX 64
#define HBK_DATA_BYTES_MAX 8192
#define HBK_QUOTAS_MAX 16
#define HBK_SOCKETS_MAX 16 /* of the items of a send */
#define HBK_TICKET_BYTES 32

/* How a call ended. Zero is success. Those below HBK_DISCONNECTED are the broker's answers, by the
 * codes of PROTOCOL.md; the rest are the library's own. */
typedef enum hbk_result {
    HBK_OK = 0,
    HBK_PARSE_ERROR = -32700, /* these five: library and service do not understand each other */
    HBK_INVALID_REQUEST = -32600,
    HBK_METHOD_NOT_FOUND = -32601,
    HBK_INVALID_PARAMS = -32602,
    HBK_INTERNAL_ERROR = -32603,
    HBK_NOT_PROVEN = 1,
    HBK_DENIED = 2,
    HBK_NOT_FOUND = 3,
    HBK_EXISTS = 4,
    HBK_BAD_HANDLE = 5,
    HBK_TYPE_NOT_ALLOWED = 6,
    HBK_TYPE_MISMATCH = 7,
    HBK_ACCESS_EXCEEDS_SOURCE = 8,
    HBK_ACCESS_NOT_ACCEPTED = 9,
    HBK_TARGET_GONE = 10,
    HBK_REJECTED = 11,
    HBK_TIMEOUT = 12,
    HBK_QUOTA = 13,
    HBK_BUSY = 14,
    HBK_STOPPING = 15,
    HBK_OS_ERROR = 16,
    HBK_DISCONNECTED = 100, /* the connection is gone; what was not told to a target was undone */
    HBK_UNAVAILABLE = 101,  /* no service to connect to within the connect timeout */
    HBK_UNTRUSTED = 102,    /* what answers at the pipe is not the installed service */
    HBK_INVALID_ARGUMENT = 103, /* an argument breaks this header's rules; nothing was sent */
    HBK_NO_MEMORY = 104
} hbk_result;

/* What went wrong, for people and for logs. */
typedef struct hbk_error_info {
    hbk_result result;
    int item;         /* index of the item at fault, or -1 */
    uint32_t win32;   /* Windows error code, or 0 */
    char limit[33];   /* name of the limit that was reached, or "" */
    char detail[241]; /* what was wrong and what to do */
} hbk_error_info;

/** hbk_result_word() - "bad_handle", "disconnected", ...; "unknown" for what is no result. Never
 * NULL. */
HBK_API const char *hbk_result_word(hbk_result result);

/** hbk_result_text() - one English sentence on @result. Never NULL. handlebroker.dll and hbctl.exe have
 * the same as a message table: FormatMessage() with FORMAT_MESSAGE_FROM_HMODULE finds it by @result. */
HBK_API const char *hbk_result_text(hbk_result result);

/** hbk_version() - the library's version, "0.1.0". */
HBK_API const char *hbk_version(void);

/* Somebody that a delivery, entry or record is about. */
typedef struct hbk_party {
    uint64_t session; /* 0: none, or it has ended */
    uint32_t pid;     /* 0: not known, or nobody yet */
    const char *user; /* SID, or NULL */
} hbk_party;

/* ---- connection ---- */

typedef struct hbk_client hbk_client;

/* Do not check whom the pipe belongs to. For a broker that runs in the console (handlebroker.exe
 * run): it is no service, so it cannot be told from an impostor. Never in production. */
#define HBK_OPEN_UNVERIFIED 0x1u
/* Call hbk_reopen() as it is needed: before a call, with the connect timeout; while one waits to
 * receive, for as long as that may wait; on the thread of hbk_notify_window() and hbk_notify_call(). No
 * request is made twice: one that has lost its connection is HBK_DISCONNECTED, and the next call reopens. */
#define HBK_OPEN_REOPEN 0x2u

typedef struct hbk_open_options {
    size_t size;
    const wchar_t *pipe;     /* NULL: HBK_PIPE_NAME */
    const char *client_name; /* shown to operators, 1..64 bytes; NULL: the executable's file name */
    const char *client_version;  /* 1..32 bytes; NULL: "0" */
    uint32_t connect_timeout_ms; /* for the whole of hbk_open; 0: 5,000 */
    uint32_t flags;              /* HBK_OPEN_... */
} hbk_open_options;

/**
 * hbk_open() - connect to the broker and prove who we are
 * @options:    NULL: the installed service, with every check
 * @ret_client: to be closed with hbk_close()
 *
 * Checks, before the first byte is sent, that the pipe's owner is SYSTEM or Administrators and that it
 * belongs to the process that the Service Control Manager runs as HandleBroker; lets the server
 * identify us, not act for us. Blocks up to the connect timeout.
 * Return: HBK_OK; HBK_UNAVAILABLE (not installed, not started, or all its pipes busy until the
 * timeout); HBK_UNTRUSTED; HBK_QUOTA (too many sessions of this user); HBK_BUSY (the service is
 * paused); HBK_STOPPING; HBK_TIMEOUT (the service took the connection and did not answer);
 * HBK_DISCONNECTED; HBK_INVALID_ARGUMENT; HBK_NO_MEMORY; HBK_OS_ERROR.
 * Source: PROTOCOL.md "Sessions". Since: 0.1
 */
HBK_API hbk_result hbk_open(const hbk_open_options *options, hbk_client **ret_client,
                            hbk_error_info *ret_error);

/**
 * hbk_reopen() - connect a client again whose connection is gone, and open its endpoints again
 * @timeout_ms: to wait for a service that is away; 0: try once; INFINITE: no limit
 *
 * With the options and checks of hbk_open(), and up to its timeout for the service's answers. Opens
 * all endpoints that are not closed, with the options that they had, and watches if hbk_watch() did: all of
 * it, or the client stays as it is, and it can be tried again. A client that is connected stays so; if
 * the service has answered HBK_STOPPING, its end is waited for.
 *
 * What hbk_receive() and the like have not returned yet stays receivable, but for offers, which are void. Handles
 * stay. What the service kept of us is gone: deliveries cannot be taken back any more, entries of the store are
 * removed. Its numbers begin anew, so in later ones the upper 11 bits tell which connection they are
 * of, HBK_SERVICE_NUMBER() is what the service calls them, and what an earlier one has told is HBK_NOT_FOUND.
 * The wait handle and whom hbk_notify_window() or hbk_notify_call() told stay; HBK_NOTIFICATION_REOPENED tells the other
 * threads.
 * Return: HBK_OK; as hbk_open(), until the timeout and with what was wrong last; HBK_EXISTS, HBK_DENIED,
 * HBK_TYPE_NOT_ALLOWED, HBK_QUOTA (an endpoint cannot be opened again; the detail begins with its name;
 * hbk_endpoint_close() gives it up).
 * Source: PROTOCOL.md "After a restart". Since: 0.1
 */
HBK_API hbk_result hbk_reopen(hbk_client *client, uint32_t timeout_ms, hbk_error_info *ret_error);

/* The service's own number, as audit records and hbctl have it, of one that the library has told. */
#define HBK_SERVICE_NUMBER(id) ((id)&UINT64_C(0x1FFFFFFFFFFFFF))

/**
 * hbk_close() - leave
 * @client: NULL is accepted; no other thread may be inside a call with it, nor start one
 *
 * Closes this client's endpoints, then every handle that was delivered and that nobody received,
 * then the connection. Blocks for the service's answer, up to a second. Deliveries that
 * hbk_receive() returned stay valid, and are the caller's still. Waits for the thread of
 * hbk_notify_call(), so it may not be called from within that function.
 */
HBK_API void hbk_close(hbk_client *client);

/**
 * hbk_wait_handle() - a handle to wait on for deliveries, beside others
 *
 * A manual-reset event, signalled while hbk_receive() (or, where they are in use, hbk_watch_receive()
 * or hbk_notification_receive()) has something to return or the connection is gone; sometimes also when it
 * has not. So: wait, then call each that is in use with timeout 0 until it says HBK_TIMEOUT. Use it
 * with WaitForMultipleObjects or MsgWaitForMultipleObjects. Belongs to the client: do not close, set
 * or reset it. Since: 0.1
 */
HBK_API HANDLE hbk_wait_handle(hbk_client *client);

/* ---- receiving ---- */

#define HBK_ACCESS_SAME 0u           /* what the sender's handle has; in an endpoint: anything */
#define HBK_ACCESS_READ GENERIC_READ /* the type's read rights; never sent as a mask */

typedef struct hbk_type_accept {
    /* "Event", "Mutant", "Semaphore", "Timer", "Section", "File"; "Socket" with HBK_ACCESS_SAME */
    const char *type;
    /* The most that is accepted: HBK_ACCESS_SAME (anything), HBK_ACCESS_READ, or a mask. */
    uint32_t access;
} hbk_type_accept;

#define HBK_ENDPOINT_ASK 0x1u /* offer every delivery first: hbk_accept() or hbk_reject() it */
/* Agree to deliveries whose sender can take them back: see hbk_revoke(). */
#define HBK_ENDPOINT_REVOCABLE 0x2u

typedef struct hbk_endpoint_options {
    size_t size;
    /* "user/...": seen by this user's processes of the same logon, integrity and sandbox;
     * "session/...": by all of this Terminal Services session, "global/...": by all of this machine;
     * in these two the operator's rules say who may open a name and who may send there. */
    const char *name;
    uint32_t flags;               /* HBK_ENDPOINT_... */
    const hbk_type_accept *types; /* NULL: the six types above but Socket, any access */
    size_t types_count;
    uint32_t items_max; /* the most items in one delivery, 1..64; 0: 64 */
    /* Who may send here, as SDDL: a DACL whose right 0x2 is to send, of literal SIDs or WD, AU, SY,
     * BA, IU, AC, at most 2,048 bytes; NULL: whoever the rules let. It only narrows; whom it
     * leaves out is told HBK_NOT_FOUND. "D:(A;;0x2;;;S-1-5-18)": SYSTEM alone. */
    const char *from;
} hbk_endpoint_options;

/**
 * hbk_endpoint_open() - agree to receive what these options cover, under this name
 *
 * Blocks for one round trip. Return: HBK_OK; HBK_EXISTS; HBK_DENIED (no rule lets us open the name);
 * HBK_TYPE_NOT_ALLOWED; HBK_QUOTA; HBK_INVALID_PARAMS (`from` is not what it may be; the detail says
 * where); HBK_INVALID_ARGUMENT; HBK_DISCONNECTED; HBK_STOPPING; HBK_NO_MEMORY.
 * Source: PROTOCOL.md "endpoint.open". Since: 0.1
 */
HBK_API hbk_result hbk_endpoint_open(hbk_client *client, const hbk_endpoint_options *options,
                                     hbk_error_info *ret_error);

/**
 * hbk_endpoint_close() - receive nothing more under this name
 *
 * What was delivered before stays receivable; sends that still wait end with HBK_TARGET_GONE. If the
 * connection is gone, hbk_reopen() does not open it again.
 * Return: HBK_OK; HBK_NOT_FOUND; HBK_INVALID_ARGUMENT; HBK_DISCONNECTED; HBK_STOPPING;
 * HBK_NO_MEMORY.
 */
HBK_API hbk_result hbk_endpoint_close(hbk_client *client, const char *name,
                                      hbk_error_info *ret_error);

/* Where a sender gave fewer rights than its handle has: could we take the rest back by ourselves, with
 * DuplicateHandle? The object's own descriptor decides; see hbk_section_create(). */
#define HBK_WIDEN_NO 1
#define HBK_WIDEN_YES 2
#define HBK_WIDEN_UNKNOWN 3 /* a File is not asked */

typedef struct hbk_received_item {
    /* NULL in an offer, once it was taken, and once its sender has taken it back; of a Socket, its
     * SOCKET. */
    HANDLE handle;
    const char *type; /* as the NT kernel spells it, or "Socket" */
    uint32_t access;  /* granted access mask */
    int inherit;      /* nonzero: a child made with bInheritHandles gets it */
    int protect;   /* nonzero: CloseHandle fails until HANDLE_FLAG_PROTECT_FROM_CLOSE is cleared */
    int widenable; /* HBK_WIDEN_...; 0: nothing was left out */
} hbk_received_item;

typedef struct hbk_delivery {
    uint64_t id;
    const char *endpoint; /* the name under which it came; NULL: it came by hbk_transfer() */
    int offered;          /* nonzero: an offer that waits for hbk_accept() or hbk_reject() */
    uint64_t from_session;
    uint32_t from_pid;
    uint32_t from_integrity; /* RID of the mandatory label; 0x2000 is medium */
    const char *from_user;   /* SID */
    const char *data;        /* what the sender said with it, or NULL */
    size_t count;
    const hbk_received_item *items; /* count of them */
    int revocable; /* nonzero: the broker may close the handles at its sender's word */
} hbk_delivery;

/**
 * hbk_receive() - the next delivery or offer, over all endpoints of this client
 * @timeout_ms:   0: only what is there already; INFINITE: no limit
 * @ret_delivery: to be freed with hbk_delivery_free()
 *
 * The flags `inherit` and `protect` are set on the handles, and sockets are made, before the caller
 * sees them. Return: HBK_OK; HBK_TIMEOUT (nothing came); HBK_DISCONNECTED (after everything that
 * came before was returned); HBK_INVALID_ARGUMENT; HBK_NO_MEMORY; HBK_OS_ERROR.
 * Source: PROTOCOL.md "handle.delivered", "handle.offered". Since: 0.1
 */
HBK_API hbk_result hbk_receive(hbk_client *client, uint32_t timeout_ms, hbk_delivery **ret_delivery,
                               hbk_error_info *ret_error);

/**
 * hbk_delivery_take() - take item @index out of @delivery
 *
 * Return: the handle, which the caller closes from now on; NULL if it was taken before, if
 * @delivery is an offer, if there is no such item, or if it is a socket.
 */
HBK_API HANDLE hbk_delivery_take(hbk_delivery *delivery, size_t index);

#define HBK_NO_SOCKET UINTPTR_MAX /* INVALID_SOCKET */

/**
 * hbk_delivery_take_socket() - take the socket that is item @index out of @delivery
 *
 * The library has called WSAStartup() for it, and does not call WSACleanup(). Return: the SOCKET,
 * overlapped, which the caller closes with closesocket() from now on; HBK_NO_SOCKET if it was
 * taken before, if @delivery is an offer, if there is no such item, or if it is no socket.
 * Source: WSASocketW in the Win32 reference. Since: 0.1
 */
HBK_API uintptr_t hbk_delivery_take_socket(hbk_delivery *delivery, size_t index);

/** hbk_delivery_free() - free @delivery and close what was not taken from it. NULL is accepted. An
 * offer that nobody answered is left to its sender's deadline. Of one that is revocable it takes in what
 * the service has said by then, so as not to close what the service has closed. May be called after
 * hbk_close(). */
HBK_API void hbk_delivery_free(hbk_delivery *delivery);

/**
 * hbk_accept() - take what was offered
 * @offer: from hbk_receive() of the same client, with `offered` set; on HBK_OK its items have
 *         handles and `offered` is cleared
 *
 * Blocks for one round trip. Return: HBK_OK; HBK_NOT_FOUND (withdrawn or too late); HBK_OS_ERROR;
 * HBK_INVALID_ARGUMENT; HBK_DISCONNECTED; HBK_STOPPING; HBK_NO_MEMORY.
 */
HBK_API hbk_result hbk_accept(hbk_client *client, hbk_delivery *offer, hbk_error_info *ret_error);

/** hbk_reject() - refuse what was offered; @reason (NULL, or at most 256 bytes) reaches the
 * sender. As hbk_accept(). */
HBK_API hbk_result hbk_reject(hbk_client *client, hbk_delivery *offer, const char *reason,
                              hbk_error_info *ret_error);

/* ---- sending ---- */

#define HBK_ITEM_INHERIT 0x1u /* inheritable in the target */
#define HBK_ITEM_PROTECT 0x2u /* protected from close in the target */
#define HBK_ITEM_MOVE 0x4u    /* once delivered, the library closes our own handle or socket */

typedef struct hbk_send_item {
    HANDLE handle; /* or (HANDLE)SOCKET */
    /* What it is believed to be: another type fails; NULL: whatever it is, but no socket. "Socket": a
     * SOCKET, with HBK_ACCESS_SAME and no HBK_ITEM_PROTECT. */
    const char *type;
    uint32_t access; /* HBK_ACCESS_SAME, HBK_ACCESS_READ, or a mask that our handle covers */
    uint32_t flags;  /* HBK_ITEM_... */
} hbk_send_item;

/* We may want it back, see hbk_revoke(): the endpoint must agree (else HBK_ACCESS_NOT_ACCEPTED). No
 * item may be a socket, moved or protected. */
#define HBK_SEND_REVOCABLE 0x1u

typedef struct hbk_send_options {
    size_t size;
    const char *to; /* name of the endpoint */
    const hbk_send_item *items;
    size_t count; /* 1..HBK_ITEMS_MAX */
    /* Text for the target, at most HBK_DATA_BYTES_MAX bytes when escaped; NULL: none. */
    const char *data;
    const char *expect_user; /* SID that the endpoint's process must run as; NULL: any */
    uint32_t expect_pid;     /* its process; 0: any */
    uint32_t wait_ms;        /* for the endpoint to open, 0..60,000; 0: it must be open */
    uint32_t timeout_ms;     /* for an asking endpoint to answer, 1..60,000; 0: 10,000 */
    uint32_t flags;          /* HBK_SEND_... */
    /* To the endpoint `to` of process to_pid, whoever it runs as; 0: of whoever has opened `to` in our
     * own namespace. Needs what it takes to place a handle there without the broker
     * (PROCESS_DUP_HANDLE on that process, or SeDebugPrivilege), or a rule. */
    uint32_t to_pid;
} hbk_send_options;

typedef struct hbk_sent_info {
    char type[33];
    uint32_t access; /* what the target was given */
} hbk_sent_info;

typedef struct hbk_receipt {
    uint64_t delivery;
    size_t count;
    hbk_sent_info items[HBK_ITEMS_MAX];
} hbk_receipt;

/**
 * hbk_send() - hand one or more handles to an endpoint
 * @ret_receipt: NULL, or what the target was given
 *
 * All items arrive or none. Blocks until the target was told (for an endpoint that asks: until it
 * answered), at most wait_ms + timeout_ms and a little. Our handles stay ours, except those with
 * HBK_ITEM_MOVE, which are closed after success. May be sent to an endpoint of the same client.
 * Return: HBK_OK; HBK_NOT_FOUND (no such endpoint for us, or not the one expected); HBK_DENIED (no
 * rule lets us send there, whether it exists or not); HBK_BAD_HANDLE; HBK_TYPE_NOT_ALLOWED;
 * HBK_TYPE_MISMATCH (also a socket that is not sent as "Socket", and what is sent so and is none);
 * HBK_ACCESS_EXCEEDS_SOURCE; HBK_ACCESS_NOT_ACCEPTED; HBK_REJECTED; HBK_TIMEOUT, HBK_TARGET_GONE,
 * HBK_BUSY (nothing is left behind; may be tried again); HBK_QUOTA; HBK_STOPPING; HBK_OS_ERROR; HBK_INVALID_ARGUMENT;
 * HBK_NO_MEMORY; HBK_DISCONNECTED (whether it was delivered is not known; moved handles stay
 * open).
 * Source: PROTOCOL.md "handle.send"; DuplicateHandle in the Win32 reference. Since: 0.1
 */
HBK_API hbk_result hbk_send(hbk_client *client, const hbk_send_options *options,
                            hbk_receipt *ret_receipt, hbk_error_info *ret_error);

/**
 * hbk_revoke() - take a delivery back
 * @delivery:   by hbk_receipt or hbk_delivery_list(): one that was sent with HBK_SEND_REVOCABLE, or
 *              that its target has not been told of yet
 * @ret_closed: NULL, or bit i: the broker has closed the target's handle of item i
 *
 * The broker closes the handle in the target if the object at its value is the one that was sent,
 * and tells the target (hbk_notification_receive()). What the target has duplicated, mapped or passed on
 * stays. A value that the target closes and gets anew for the same object, or in the moment between
 * look and close, is closed all the same. Blocks for one round trip. Return: HBK_OK; HBK_NOT_FOUND
 * (no delivery of ours that can be taken back; others' need the right `revoke`); HBK_BUSY (the
 * target is being told right now: try again); HBK_INVALID_ARGUMENT; HBK_DISCONNECTED;
 * HBK_STOPPING; HBK_NO_MEMORY.
 * Source: PROTOCOL.md "delivery.revoke". Since: 0.1
 */
HBK_API hbk_result hbk_revoke(hbk_client *client, uint64_t delivery, uint64_t *ret_closed,
                              hbk_error_info *ret_error);

/* ---- handles of other processes ---- */

typedef struct hbk_transfer_options {
    size_t size;
    uint32_t source_pid; /* who has the handle now; may be our own process */
    uint32_t target_pid; /* who gets it; 0 with `to` NULL: we ourselves */
    HANDLE handle;       /* its value in the source */
    const char *to;      /* or an endpoint's name, with target_pid 0 */
    const char *type;    /* as in hbk_send_item; no sockets */
    uint32_t access;     /* as in hbk_send_item */
    uint32_t flags;      /* HBK_ITEM_INHERIT; where we get it ourselves, HBK_ITEM_PROTECT */
} hbk_transfer_options;

typedef struct hbk_transferred {
    HANDLE handle; /* its value in the target; where that is us, ours to close */
    char type[33];
    uint32_t access;
    int notified;  /* nonzero: the target has a session, and was told by a delivery */
    int widenable; /* HBK_WIDEN_... */
} hbk_transferred;

/**
 * hbk_transfer() - hand a handle from a process to a process, of which neither need be ours
 *
 * Needs what it takes to do it without the broker: PROCESS_DUP_HANDLE on both processes, or
 * SeDebugPrivilege, and a policy that does not forbid it. The source keeps its handle. A target that
 * is not `notified` must learn the value from us. Blocks for one round trip. Return: HBK_OK;
 * HBK_NOT_FOUND (no such process or endpoint, or it has ended); HBK_DENIED (or it is protected);
 * HBK_BAD_HANDLE; HBK_TYPE_NOT_ALLOWED; HBK_TYPE_MISMATCH; HBK_ACCESS_EXCEEDS_SOURCE;
 * HBK_ACCESS_NOT_ACCEPTED; HBK_TARGET_GONE; HBK_BUSY; HBK_QUOTA; HBK_TIMEOUT; HBK_OS_ERROR;
 * HBK_INVALID_ARGUMENT; HBK_DISCONNECTED; HBK_STOPPING; HBK_NO_MEMORY.
 * Source: PROTOCOL.md "handle.transfer"; DuplicateHandle in the Win32 reference. Since: 0.1
 */
HBK_API hbk_result hbk_transfer(hbk_client *client, const hbk_transfer_options *options,
                                hbk_transferred *ret_transferred, hbk_error_info *ret_error);

/* ---- being told ---- */

#define HBK_NOTIFICATION_REVOKED 1 /* a delivery or offer was taken back: `delivery`, `closed` */
#define HBK_NOTIFICATION_SESSION_GONE 2 /* a session with which we share one has ended: `session` */
#define HBK_NOTIFICATION_REOPENED 3 /* hbk_reopen(): what the service knew of before it is gone */

typedef struct hbk_notification {
    int kind; /* HBK_NOTIFICATION_... */
    uint64_t delivery;
    uint64_t closed; /* bit i: our handle of item i is closed; do not use or close that value */
    uint64_t session;
    uint64_t missed; /* how many right before this one found no room */
} hbk_notification;

/**
 * hbk_notification_receive() - the next notice
 * @timeout_ms: as for hbk_receive()
 *
 * Notices are kept from the first call on, up to 256; call it once with timeout 0 before the first
 * delivery. In a delivery that was received and not freed, the handles that were closed are NULL
 * before the notice is returned; what was taken out of it is the caller's to forget. Of a delivery
 * that was not received yet there is no notice: it never comes. Return: as hbk_receive().
 * Source: PROTOCOL.md "delivery.revoked", "session.gone". Since: 0.1
 */
HBK_API hbk_result hbk_notification_receive(hbk_client *client, uint32_t timeout_ms,
                                            hbk_notification *ret_notice,
                                            hbk_error_info *ret_error);

/**
 * hbk_notify_window() - have a message posted when something can be received
 * @window: NULL: no more; a message that is in the window's queue already stays there
 *
 * For programs whose thread waits for messages. Posted once when hbk_receive() (or, where they are
 * in use, hbk_watch_receive() or hbk_notification_receive()) has something to return or the connection
 * is gone; and again after each that is in use was called until HBK_TIMEOUT, with timeout 0, when
 * more has come. With HBK_OPEN_REOPEN the thread reopens the client, and tells the end only if that
 * is of no use. Takes the place of an earlier window. Starts a thread of the library's, which
 * hbk_close() ends; waits for a function of hbk_notify_call() to return, unless called from within
 * it. Return: HBK_OK; HBK_INVALID_ARGUMENT (no window); HBK_NO_MEMORY; HBK_OS_ERROR (no thread).
 * Source: PostMessageW in the Win32 reference. Since: 0.1
 */
HBK_API hbk_result hbk_notify_window(hbk_client *client, HWND window, UINT message, WPARAM wparam,
                                     LPARAM lparam, hbk_error_info *ret_error);

typedef void(HBK_CALLBACK *hbk_notify_function)(hbk_client *client, void *context);

/**
 * hbk_notify_call() - have @function called when something can be received
 * @function: called on a thread of the library's, never twice at once; NULL: no more
 *
 * When it is called is as for hbk_notify_window(), beside which it may be used. It may use the
 * client, but not close it. A call with NULL (or with another function) returns when @function has
 * returned, and it is not called from then on; from within itself it returns at once. Return: as
 * hbk_notify_window(). Since: 0.1
 */
HBK_API hbk_result hbk_notify_call(hbk_client *client, hbk_notify_function function, void *context,
                                   hbk_error_info *ret_error);

/* ---- objects that a target cannot widen ---- */

/**
 * hbk_section_create() - a section in the paging file whose rights, once reduced, stay reduced
 * @size:       bytes, at least 1
 * @protect:    as for CreateFileMapping: PAGE_READWRITE, PAGE_EXECUTE_READWRITE, with SEC_ flags
 * @ret_handle: has all rights and is not inheritable; close it with CloseHandle()
 *
 * Who was given a handle with fewer rights can ask Windows for the others: DuplicateHandle() looks
 * at the object's own descriptor, and an unnamed object made as usual has none, which denies
 * nothing. This one's (as those of the functions below) grants nothing to anybody, and takes the
 * owner's implicit rights away but for reading it: "D:P(A;;RC;;;S-1-3-4)". What a target gets beside
 * HBK_ACCESS_READ or a mask is then all that it will ever have (`widenable` says so).
 *
 * It does not stop who may take ownership or debug (administrators), nor a process that may open
 * the maker's and duplicates the handle from there. Windows before 8.1 ignores descriptors of
 * unnamed objects. Return: HBK_OK; HBK_INVALID_ARGUMENT; HBK_NO_MEMORY; HBK_OS_ERROR (`win32` is
 * Windows' reason). Source: CreateFileMapping, "Owner Rights" in the Win32 reference. Since: 0.1
 */
HBK_API hbk_result hbk_section_create(uint64_t size, uint32_t protect, HANDLE *ret_handle,
                                      hbk_error_info *ret_error);

/** hbk_event_create() - the same for an event; @manual_reset and @set as for CreateEvent. */
HBK_API hbk_result hbk_event_create(int manual_reset, int set, HANDLE *ret_handle,
                                    hbk_error_info *ret_error);

/** hbk_mutex_create() - the same for a mutex; @owned: by the calling thread. */
HBK_API hbk_result hbk_mutex_create(int owned, HANDLE *ret_handle, hbk_error_info *ret_error);

/** hbk_semaphore_create() - the same for a semaphore; 0 <= @count <= @maximum, @maximum >= 1. */
HBK_API hbk_result hbk_semaphore_create(int32_t count, int32_t maximum, HANDLE *ret_handle,
                                        hbk_error_info *ret_error);

/** hbk_timer_create() - the same for a waitable timer. */
HBK_API hbk_result hbk_timer_create(int manual_reset, HANDLE *ret_handle,
                                    hbk_error_info *ret_error);

#ifdef __cplusplus
}
#endif

#include "handlebroker_look.h"
#include "handlebroker_store.h"

#endif
