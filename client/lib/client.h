/* The client library's own types: one connection, the threads that are inside a call with it, and
 * what was delivered and not received yet. io.c says how they work together. */
#ifndef HBK_CLIENT_H
#define HBK_CLIENT_H

#include "handlebroker.h"
#include "base.h"
#include "frame.h"
#include "message.h"

/* ---- limits of the library ---- */
#define HBK_CONNECT_TIMEOUT_MS 5000u
#define HBK_CONNECT_PAUSE_MS 20u   /* between two looks for a pipe that is not there yet */
#define HBK_ANSWER_GRACE_MS 30000u /* what a service may take beyond the request's own times */
#define HBK_CLOSE_TIMEOUT_MS 1000u
#define HBK_REOPEN_PAUSE_MS 50u /* at most, before the second try to reopen; then twice that, … */
#define HBK_REOPEN_PAUSE_MS_MAX 2000u /* … up to this */
#define HBK_CLIENT_READ_BYTES 32768u
#define HBK_DRAIN_READS_MAX 64         /* reads of what is left in a pipe that has ended */
#define HBK_POLL_READS_MAX 64          /* reads of what is there already, for one look */
#define HBK_RECORDS_BYTES_MAX 1048576u /* records that wait for hbk_watch_receive() */
#define HBK_NOTIFICATIONS_MAX 256      /* that wait for hbk_notification_receive() */
#define HBK_NOTIFY_RETRY_MS 100u       /* after a window's queue of messages was full */
#define HBK_LIST_PAGES_MAX 4096
#define HBK_EPOCHS_MAX 2047u /* what fits beside a number of the service's in 64 bits */
#define HBK_NEVER UINT64_MAX

struct hbk_client;

/* What arrives without being an answer, and waits to be received. */
enum hbk_arrival_kind {
    HBK_ARRIVAL_DELIVERY = 0,
    HBK_ARRIVAL_RECORD,
    HBK_ARRIVAL_NOTICE,
    HBK_ARRIVAL_KINDS
};

struct hbk_arrival {
    struct hbk_arrival *next;
    size_t size; /* of its memory */
};

struct hbk_arrivals {
    struct hbk_arrival *first, *last;
    size_t bytes;
};

/* A thread that is inside a call and may have to sleep there. All fields under the client's
 * lock. */
struct hbk_waiter {
    struct hbk_waiter *next, *previous;
    CONDITION_VARIABLE wake;
    uint64_t deadline_ms; /* by hbk_now_ms(); HBK_NEVER: none */
    bool receives;        /* waits for an arrival, else for an answer */
    bool done;
    bool over;              /* not done, and never: the connection has ended; `error` says why */
    bool wants_turn;        /* waits for its turn to write */
    struct hbk_error error; /* code HBK_R_OK: the call succeeded */

    /* Of one that receives: what it waits for, and what it got. */
    enum hbk_arrival_kind kind;
    struct hbk_arrival *arrival;

    /* Of one that waits for an answer. */
    uint64_t id;
    enum hbk_method method;
    /* Copies what is needed out of @message; by whichever thread reads the answer, so it must not
     * block. False: out of memory, or not an answer that can be. */
    bool (*take)(void *context, const struct hbk_message *message);
    void *context;
};

/* One overlapped operation of the connection. */
struct hbk_operation {
    OVERLAPPED overlapped;
    HANDLE event;
    bool pending;
};

/* An endpoint of this client's: hbk_close() closes it, a reopening opens it again. */
struct hbk_listening {
    struct hbk_listening *next;
    bool restored;                   /* in the reopening that is under way: it is open there */
    bool unwanted;                   /* closed while a reopening is under way, which lets it go */
    struct hbk_endpoint_open params; /* its texts and types lie behind, in one block */
};

/* How hbk_open() was asked to connect, for the times after the first. */
struct hbk_opening {
    wchar_t *pipe;
    uint32_t flags;
    uint32_t timeout_ms;
    char name[HBK_CLIENT_NAME_BYTES_MAX + 1];
    char version[HBK_CLIENT_VERSION_BYTES_MAX + 1];
};

/* Whom the library tells that something can be received. */
struct hbk_told {
    HWND window; /* NULL: no window */
    UINT message;
    WPARAM wparam;
    LPARAM lparam;
    hbk_notify_function function; /* NULL: no function */
    void *context;
};

/* The thread that does it. All but `setting` under the client's lock. */
struct hbk_notify {
    SRWLOCK setting; /* before the client's lock: one at a time starts and ends the thread */
    HANDLE thread;   /* NULL: there is none */
    HANDLE wake;     /* auto-reset: look again */
    DWORD thread_id;
    bool stopping;
    bool told; /* and not everything was received since */
    struct hbk_told whom;
};

struct hbk_client {
    SRWLOCK lock;
    HANDLE pipe; /* NULL once the connection has ended and nobody uses it any more */
    volatile LONG64 last_id;

    struct hbk_waiter *first, *last;
    struct hbk_waiter *leader; /* waits in the kernel for the read; NULL: nobody does */

    /* Events, all but the last manual-reset. */
    HANDLE arrived; /* the application's, and normally the pending read's */
    HANDLE apart;   /* the read's while `arrived` must stay set */
    HANDLE written;
    HANDLE baton; /* auto-reset: the writer shall lead */

    struct hbk_operation read, write;
    struct hbk_waiter *writer; /* whose line is being written */
    bool armed;                /* the application has the wait handle */
    bool arrived_set;          /* `arrived` is known to be set */

    unsigned empty_polls; /* looks in a row that found nothing */

    bool deaf;   /* no more is taken in */
    bool ending; /* no more is sent; `reason` says why */
    bool ended;  /* and no more is received; what arrived stays receivable */
    struct hbk_error reason;

    struct hbk_opening opening;
    unsigned epoch;              /* which connection this is: 0, and another with each reopening */
    unsigned last_epoch;         /* the last that was used, also for a reopening that failed */
    uint64_t since_ms;           /* of an epoch but the first: its begin */
    bool stopping;               /* the service has said that it is about to stop */
    bool watching;               /* the service tells us what it records */
    bool reopening;              /* a thread is at it; `ended` until it has succeeded */
    CONDITION_VARIABLE reopened; /* or given up */

    struct hbk_framer framer;
    struct hbk_message message;
    struct hbk_arrivals arrivals[HBK_ARRIVAL_KINDS];
    uint64_t last_serial; /* of the records that were not lost; 0: none yet */
    bool notices_wanted;
    uint64_t notices_missed; /* since the last one that found room */
    struct hbk_notify notify;
    struct hbk_listening *listening;
    uint8_t bytes[HBK_CLIENT_READ_BYTES];
};

/* ---- result.c ---- */

/** hbk_fail() - fill @ret_error, if there is one. Return: @result. */
HBK_PRINTF(5, 6)
hbk_result hbk_fail(hbk_error_info *ret_error, hbk_result result, int item, uint32_t win32,
                    const char *format, ...);

/** hbk_fail_with() - the same with what the service or the connection said. */
hbk_result hbk_fail_with(hbk_error_info *ret_error, const struct hbk_error *error);

/* ---- io.c: all but the first two with the lock held ---- */

uint64_t hbk_now_ms(void);
uint32_t hbk_remaining_ms(uint64_t deadline_ms);

/** hbk_io_enter(), hbk_io_leave() - around everything that may wait. */
void hbk_io_enter(struct hbk_client *client, struct hbk_waiter *waiter);
void hbk_io_leave(struct hbk_client *client, struct hbk_waiter *waiter);

/**
 * hbk_io_write() - write one line, in turn
 *
 * Return: true if it was written whole; false when the connection has ended, or the waiter's
 * deadline has passed (which ends it, for a part of the line may be out).
 */
bool hbk_io_write(struct hbk_client *client, struct hbk_waiter *waiter, const void *line,
                  size_t size);

/** hbk_io_wait() - until the waiter is done, the connection has ended, or the deadline has
 * passed. */
void hbk_io_wait(struct hbk_client *client, struct hbk_waiter *waiter);

/** hbk_io_has_arrived() - is there something to receive, of any kind? */
bool hbk_io_has_arrived(const struct hbk_client *client);

/** hbk_io_peek() - for who was woken by `arrived`: is there something to receive, or has the connection
 * ended? */
bool hbk_io_peek(struct hbk_client *client);

/** hbk_io_poll() - take in what has arrived, without waiting, until something of @kind is there;
 * HBK_ARRIVAL_KINDS: all of it. */
void hbk_io_poll(struct hbk_client *client, enum hbk_arrival_kind kind);

/** hbk_io_fail() - the connection is to end, and why. The first reason stays. */
void hbk_io_fail(struct hbk_client *client, int32_t code, uint32_t win32, const char *detail);

/** hbk_io_end() - end it now; only where no other thread is inside a call. */
void hbk_io_end(struct hbk_client *client);

/**
 * hbk_io_adopt() - go on with the connection of @fresh, another client in which no thread is
 * @client: its connection has ended, and its pipe is closed
 *
 * With both locks held. Return: false: the connection of @fresh is gone already.
 */
bool hbk_io_adopt(struct hbk_client *client, struct hbk_client *fresh);

/** hbk_io_arm() - from now on `arrived` is set whenever there is something to receive. */
void hbk_io_arm(struct hbk_client *client);

/** hbk_io_queue_emptied() - the last arrival of a kind was taken out of its queue. */
void hbk_io_queue_emptied(struct hbk_client *client);

/* ---- call.c ---- */

/** hbk_line_in() - act on one line of the service; with the lock held. False: it ends the
 * connection. */
bool hbk_line_in(struct hbk_client *client, struct hbk_text line);

/**
 * hbk_call() - send a request and wait for its answer
 * @params:    the struct of @method, or NULL
 * @answer_ms: how long the request itself may take; the grace comes on top
 * @take:      see struct hbk_waiter; NULL: nothing is needed of the result
 *
 * Return: HBK_OK, or what the service or the connection said.
 */
hbk_result hbk_call(struct hbk_client *client, enum hbk_method method, const void *params,
                    uint32_t answer_ms, bool (*take)(void *, const struct hbk_message *),
                    void *context, hbk_error_info *ret_error);

/** hbk_call_about() - the same for what we know by @id: HBK_NOT_FOUND where an earlier connection has told
 * it. It has no answer that could take long. */
hbk_result hbk_call_about(struct hbk_client *client, uint64_t id, enum hbk_method method,
                          const void *params, bool (*take)(void *, const struct hbk_message *),
                          void *context, hbk_error_info *ret_error);

/* Over which connection a call is to be made. */
struct hbk_over {
    bool any;          /* this one, whichever it is; … */
    unsigned epoch;    /* … which that was; else the one that it must be, … */
    hbk_result passed; /* … and what the call says if it is not that any more */
};

/** hbk_call_over() - hbk_call() over that connection alone. */
hbk_result hbk_call_over(struct hbk_client *client, struct hbk_over *over, enum hbk_method method,
                         const void *params, bool (*take)(void *, const struct hbk_message *),
                         void *context, hbk_error_info *ret_error);

/** hbk_call_until() - hbk_call() with an absolute deadline and no grace, over this connection alone. */
hbk_result hbk_call_until(struct hbk_client *client, enum hbk_method method, const void *params,
                          uint64_t deadline_ms, bool (*take)(void *, const struct hbk_message *),
                          void *context, hbk_error_info *ret_error);

/* ---- list.c: what comes in pages ---- */

struct hbk_list {
    /* First: what the application has is a pointer to one of these. */
    union {
        hbk_endpoint_entries endpoints;
        hbk_session_entries sessions;
        hbk_delivery_entries deliveries;
        hbk_store_entries stored;
        hbk_handle_entries handles;
        hbk_holder_entries holders;
    } entries;
    void *array; /* of entries of @size bytes */
    size_t size, count, capacity;
    struct hbk_list_block *blocks; /* what entries point to */
    uint32_t pid;                  /* of whose handles; 0: another list */
    char cursor[HBK_CURSOR_BYTES_MAX + 1];
    bool more;
};

/** hbk_list_add() - one more entry, all-zero, and *ret_room, of @room bytes, for what it points to.
 * Return: NULL out of memory; an entry stays where it is until the next is added. */
void *hbk_list_add(struct hbk_list *list, size_t room, char **ret_room);

/** hbk_list_next() - @next is what a page says of the one after it. */
void hbk_list_next(struct hbk_list *list, struct hbk_text next);

/**
 * hbk_list_read() - hbk_call() @method until there are no more pages
 * @pid: of whose handles; 0: another list
 * @size: of an entry
 * @take: as in hbk_call(), with the list; calls hbk_list_add() for each entry of a page, and
 *        hbk_list_next()
 * @ret_list: for hbk_list_free(), `entries` not filled in yet; set only on HBK_OK
 */
hbk_result hbk_list_read(struct hbk_client *client, enum hbk_method method, uint32_t pid,
                         size_t size, bool (*take)(void *, const struct hbk_message *),
                         struct hbk_list **ret_list, hbk_error_info *ret_error);

/** hbk_list_free() - NULL is accepted. */
void hbk_list_free(struct hbk_list *list);

/* ---- arrival.c ---- */

/** hbk_arrival_in() - to the thread that waits for it first, or into the queue. With the lock held. */
void hbk_arrival_in(struct hbk_client *client, enum hbk_arrival_kind kind,
                    struct hbk_arrival *arrival, size_t size);

/** hbk_arrival_look() - take in all that has arrived, without waiting. Without the lock. */
void hbk_arrival_look(struct hbk_client *client);

/**
 * hbk_arrival_receive() - the next of @kind
 *
 * Return: HBK_OK; HBK_TIMEOUT; HBK_DISCONNECTED.
 */
hbk_result hbk_arrival_receive(struct hbk_client *client, enum hbk_arrival_kind kind,
                               uint32_t timeout_ms, struct hbk_arrival **ret_arrival,
                               hbk_error_info *ret_error);

/* ---- ids.c: numbers of the service's, which begin anew with it, and what the application knows them by:
 * the number with the epoch above it. In the first connection it is the number itself. ---- */

/** hbk_id_tell() - of number @id, of this connection (@client NULL: of none, it stays); 0 stays 0. */
uint64_t hbk_id_tell(const struct hbk_client *client, uint64_t id);

/** hbk_id_valid() - might @id, of the application's, be one that it was told? */
bool hbk_id_valid(struct hbk_client *client, uint64_t id);

/** hbk_id_epoch() - of the connection that told @id. */
unsigned hbk_id_epoch(uint64_t id);

/** hbk_ids_tell() - all of @message, a notification or a result, as the application is to know them; but not
 * those of an event, which is written again as it came. */
void hbk_ids_tell(const struct hbk_client *client, struct hbk_message *message);

/* ---- copy.c: texts of the service's, in memory of the application's ---- */

/** hbk_copy_text() - @text, cut to @size with its NUL; "" for the absent one. */
void hbk_copy_text(char *ret_text, size_t size, struct hbk_text text);

/** hbk_copy_room() - what @text takes in a block, with its NUL; nothing if it is absent. */
size_t hbk_copy_room(struct hbk_text text);

/** hbk_copy_put() - put @text at *at and move that on. Return: where it stands; NULL for the absent
 * text. */
const char *hbk_copy_put(char **at, struct hbk_text text);

/** hbk_copy_types_room() - what the text of these rules takes at most, with its NUL. */
size_t hbk_copy_types_room(const struct hbk_type_rule *rules, size_t count);

/** hbk_copy_types() - write "Event Section:read File:0x120089". Return: its size with its NUL. */
size_t hbk_copy_types(char *ret_text, const struct hbk_type_rule *rules, size_t count);

/** hbk_copy_party() - with its text at *at, as hbk_copy_put(). */
void hbk_copy_party(hbk_party *ret_party, const struct hbk_delivery_party *party, char **at);

/** hbk_options_copy() - an application's structure, of the size that it has now or had first
 *
 * @ret_options: all-zero, of @size bytes; @first: its size in the first version
 * Return: false: it says another size.
 */
bool hbk_options_copy(void *ret_options, size_t size, size_t first, const void *options);

/* ---- connect.c ---- */

/** hbk_connect() - open the pipe @name, and check whose it is unless the flags say otherwise. With a
 * deadline that has passed, it tries once. */
hbk_result hbk_connect(const wchar_t *name, uint32_t flags, uint64_t deadline_ms, HANDLE *ret_pipe,
                       hbk_error_info *ret_error);

/* ---- session.c ---- */

/**
 * hbk_session_new() - connect, with every check, and prove who we are
 * @find_ms:     until when to look for the pipe
 * @deadline_ms: for all that follows
 */
hbk_result hbk_session_new(const struct hbk_opening *opening, unsigned epoch, uint64_t find_ms,
                           uint64_t deadline_ms, struct hbk_client **ret_client,
                           hbk_error_info *ret_error);

/** hbk_session_free() - of a client in which no thread is. NULL is accepted. */
void hbk_session_free(struct hbk_client *client);

/* ---- reopen.c ---- */

/** hbk_reopen_until() - hbk_reopen(); looks for the service until @deadline_ms.
 * @ret_again: written on failure alone: another try may do better. */
hbk_result hbk_reopen_until(struct hbk_client *client, uint64_t deadline_ms, bool *ret_again,
                            hbk_error_info *ret_error);

/** hbk_reopen_pause_ms() - how long to wait before the next of so many @tries. Half of it is chance, so that many
 * clients do not come back in one moment. */
uint32_t hbk_reopen_pause_ms(const struct hbk_client *client, unsigned tries);

/** hbk_reopen_if_due() - before a call: if the connection is gone, and hbk_open() was asked for it. Return:
 * HBK_OK, the call may be made; HBK_DISCONNECTED. */
hbk_result hbk_reopen_if_due(struct hbk_client *client, hbk_error_info *ret_error);

/* ---- delivery.c ---- */

/* A delivery with all its memory: strings, items and what sockets are made from lie behind it, in one
 * block. */
struct hbk_delivery_body {
    struct hbk_arrival arrival; /* first */
    hbk_delivery delivery;      /* what the application has is a pointer to this */
    hbk_received_item *items;
    const char **infos; /* of a socket that is not made yet; else NULL */

    /* Of a revocable one, under the lock of held.c. */
    struct hbk_delivery_body *next, *previous;
    struct hbk_client *owner; /* NULL: not in the list */
    uint64_t revoked;         /* bit i: the service has closed item i */
};

/** hbk_delivery_new() - Return: NULL out of memory; the handles are closed then. */
struct hbk_delivery_body *hbk_delivery_new(struct hbk_client *client,
                                           const struct hbk_delivered *delivered, bool offered);

/** hbk_delivery_discard() - close the handles, free the rest. NULL is accepted. */
void hbk_delivery_discard(struct hbk_delivery_body *body);

/** hbk_flags_set() - what of HBK_ITEM_INHERIT and HBK_ITEM_PROTECT is in @flags. Return: 0, or a Windows
 * error. */
uint32_t hbk_flags_set(HANDLE handle, uint32_t flags);

/* ---- held.c: the deliveries whose handles the service may close, until they are freed ---- */

/** hbk_held_add() - @body is revocable, and @client's. */
void hbk_held_add(struct hbk_client *client, struct hbk_delivery_body *body);

/** hbk_held_remove() - it is about to be freed. */
void hbk_held_remove(struct hbk_delivery_body *body);

/** hbk_held_look() - take in what the service has said of @body by now. Not with a client's lock held. */
void hbk_held_look(const struct hbk_delivery_body *body);

/** hbk_held_revoked() - the service has closed the items of @closed in @delivery. */
void hbk_held_revoked(const struct hbk_client *client, uint64_t delivery, uint64_t closed);

/** hbk_held_place() - store what an accepted offer has brought, but what was closed since. */
void hbk_held_place(struct hbk_delivery_body *body, size_t index, HANDLE handle);

/** hbk_held_take() - item @index's handle, which is NULL from then on. */
HANDLE hbk_held_take(struct hbk_delivery_body *body, size_t index);

/** hbk_held_move() - what has come to @from is @to's. */
void hbk_held_move(struct hbk_client *to, const struct hbk_client *from);

/** hbk_held_forget() - @client is closed: nothing more will be closed in what was received from it. */
void hbk_held_forget(const struct hbk_client *client);

/* ---- notice.c: with the lock held ---- */

/** hbk_revoked_in() - a delivery was taken back. */
void hbk_revoked_in(struct hbk_client *client, const struct hbk_revoked *revoked);

/** hbk_session_gone_in() - a session has ended that has to do with ours. */
void hbk_session_gone_in(struct hbk_client *client, const struct hbk_session_gone *gone);

/** hbk_reopened_in() - this client has a new connection. */
void hbk_reopened_in(struct hbk_client *client);

/** hbk_offers_discard() - let go the offers that nobody has received: the connection over which they could
 * be answered is gone. */
void hbk_offers_discard(struct hbk_client *client);

/** hbk_notifications_discard() - free those that nobody has received. */
void hbk_notifications_discard(struct hbk_client *client);

/** hbk_closed_bits() - bit i for each index i of @closed. */
uint64_t hbk_closed_bits(const uint32_t *closed, size_t count);

/* ---- notify.c ---- */

/** hbk_notify_again() - tell anew if there is something. With the lock held. */
void hbk_notify_again(struct hbk_client *client);

/** hbk_notify_received() - everything was received: tell when more comes. With the lock held. */
void hbk_notify_received(struct hbk_client *client);

/** hbk_notify_deinit() - end the thread; without the lock. */
void hbk_notify_deinit(struct hbk_client *client);

/* ---- watch.c ---- */

/** hbk_record_in() - take in a record; with the lock held. What finds no room is lost. */
void hbk_record_in(struct hbk_client *client, const struct hbk_event *event);

/** hbk_records_discard() - free those that nobody has received. */
void hbk_records_discard(struct hbk_client *client);

/* ---- handle.c ---- */

/** hbk_handle_close() - close a handle of our own, also if it is protected from that. */
void hbk_handle_close(HANDLE handle);

/** hbk_handle_reason() - NULL, or why @handle cannot be sent. */
const char *hbk_handle_reason(HANDLE handle);

/** hbk_handle_kind() - NULL, or what else @handle is: "a window handle (HWND)", … */
const char *hbk_handle_kind(HANDLE handle);

/* ---- item.c ---- */

#define HBK_SOCKET_TYPE "Socket"

#define HBK_MASK_ADVICE                                                                          \
    "access has a GENERIC_ bit, MAXIMUM_ALLOWED or ACCESS_SYSTEM_SECURITY: name the type's own " \
    "rights, HBK_ACCESS_READ or HBK_ACCESS_SAME"

#define HBK_NAME_ADVICE \
    "user/, session/ or global/, and at most 260 bytes in all of letters, digits and ._/-"

/** hbk_mask_valid() - may @mask, if it is not zero, stand for access rights on the wire? */
bool hbk_mask_valid(uint32_t mask);

/** hbk_bad_handle() - fail with HBK_BAD_HANDLE, and say what else @handle is, or @why. */
hbk_result hbk_bad_handle(hbk_error_info *ret_error, int item, HANDLE handle, const char *why);

/** hbk_item_is_socket() - does @type, which may be NULL, say so? */
bool hbk_item_is_socket(const char *type);

/** hbk_value_check() - a handle of any process, and what is said of it. @index: -1, or the item's. */
hbk_result hbk_value_check(HANDLE handle, const char *type, uint32_t access, int index,
                           hbk_error_info *ret_error);

/** hbk_item_check() - the same of a handle or socket of this process, with its flags. */
hbk_result hbk_item_check(const hbk_send_item *item, int index, hbk_error_info *ret_error);

/** hbk_item_close() - close our own handle or socket. */
void hbk_item_close(const hbk_send_item *item);

/** hbk_item_access() - HBK_ACCESS_SAME, HBK_ACCESS_READ or a mask, as it goes over the wire. */
void hbk_item_access(struct hbk_access *ret_access, uint32_t access);

/** hbk_data_fault() - NULL, or what is wrong with options->data. */
const char *hbk_data_fault(const char *data);

/** hbk_sddl_fault() - NULL, or what is wrong with a descriptor; to be put behind its name. */
const char *hbk_sddl_fault(const char *sddl);

/* ---- socket.c ---- */

/** hbk_socket_hidden() - is @handle, which is said to be something else or nothing, a socket? False
 * also where the question might block. */
bool hbk_socket_hidden(HANDLE handle);

/** hbk_socket_denied() - is @handle, which is said to be a socket, a handle of something else? */
bool hbk_socket_denied(HANDLE handle);

/** hbk_socket_make() - from @info, base64; not inheritable. Return: NULL with *ret_win32. */
HANDLE hbk_socket_make(struct hbk_text info, uint32_t *ret_win32);
void hbk_socket_close(HANDLE socket);

/** hbk_socket_discard() - what the service has placed for @info is closed again, made first. */
void hbk_socket_discard(struct hbk_text info);

#endif
