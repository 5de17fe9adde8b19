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
#define HBK_CLIENT_READ_BYTES 32768u
#define HBK_DRAIN_READS_MAX 64 /* reads of what is left in a pipe that has ended */
#define HBK_LIST_PAGES_MAX 4096
#define HBK_NEVER UINT64_MAX

struct hbk_delivery_body;
struct hbk_client;

/* A thread that is inside a call and may have to sleep there. All fields under the client's
 * lock. */
struct hbk_waiter {
    struct hbk_waiter *next, *previous;
    CONDITION_VARIABLE wake;
    uint64_t deadline_ms; /* by hbk_now_ms(); HBK_NEVER: none */
    bool receives;        /* waits for a delivery, else for an answer */
    bool done;
    bool wants_turn;                    /* waits for its turn to write */
    struct hbk_delivery_body *delivery; /* of one that receives: what it got */

    /* Of one that waits for an answer. */
    uint64_t id;
    enum hbk_method method;
    struct hbk_error error; /* code HBK_R_OK: the call succeeded */
    /* Copies what is needed out of @message; by whichever thread reads the answer, so it must not
     * block. False: out of memory, or not an answer that can be. */
    bool (*take)(void *context, const struct hbk_message *message);
    void *context;
};

/* One overlapped operation of the connection. */
struct hbk_transfer {
    OVERLAPPED overlapped;
    HANDLE event;
    bool pending;
};

/* A name under which this client listens, so that hbk_close() can close it. */
struct hbk_listening {
    struct hbk_listening *next;
    char name[HBK_NAME_BYTES_MAX + 1];
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

    struct hbk_transfer read, write;
    struct hbk_waiter *writer; /* whose line is being written */
    bool armed;                /* the application has the wait handle */
    bool arrived_set;          /* `arrived` is known to be set */

    unsigned empty_polls; /* looks in a row that found nothing */

    bool deaf;   /* no more is taken in */
    bool ending; /* no more is sent; `reason` says why */
    bool ended;  /* and no more is received; what arrived stays receivable */
    struct hbk_error reason;

    struct hbk_framer framer;
    struct hbk_message message;
    struct hbk_delivery_body *queue_first, *queue_last;
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

/* ---- io.c: all but hbk_now_ms() and init/deinit with the lock held ---- */

uint64_t hbk_now_ms(void);
uint32_t hbk_remaining_ms(uint64_t deadline_ms);

/** hbk_io_init() - make the events and take over the connected @pipe, also on failure. */
bool hbk_io_init(struct hbk_client *client, HANDLE pipe);
void hbk_io_deinit(struct hbk_client *client);

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

/** hbk_io_poll() - take in what has arrived, without waiting. */
void hbk_io_poll(struct hbk_client *client);

/** hbk_io_fail() - the connection is to end, and why. The first reason stays. */
void hbk_io_fail(struct hbk_client *client, int32_t code, uint32_t win32, const char *detail);

/** hbk_io_end() - end it now; only where no other thread is inside a call. */
void hbk_io_end(struct hbk_client *client);

/** hbk_io_arm() - from now on `arrived` is set whenever there is something to receive. */
void hbk_io_arm(struct hbk_client *client);

/** hbk_io_queue_emptied() - the last delivery was taken out of the queue. */
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

/** hbk_call_until() - the same with an absolute deadline and no grace. */
hbk_result hbk_call_until(struct hbk_client *client, enum hbk_method method, const void *params,
                          uint64_t deadline_ms, bool (*take)(void *, const struct hbk_message *),
                          void *context, hbk_error_info *ret_error);

/* ---- connect.c ---- */

/** hbk_connect() - open the pipe @name, and check whose it is unless the flags say otherwise. */
hbk_result hbk_connect(const wchar_t *name, uint32_t flags, uint64_t deadline_ms, HANDLE *ret_pipe,
                       hbk_error_info *ret_error);

/* ---- delivery.c ---- */

/* A delivery with all its memory: strings and items lie behind it, in one block. */
struct hbk_delivery_body {
    hbk_delivery delivery; /* first: what the application has is a pointer to this */
    struct hbk_delivery_body *next;
    hbk_received_item *items;
};

/** hbk_delivery_new() - Return: NULL out of memory; the handles are closed then. */
struct hbk_delivery_body *hbk_delivery_new(const struct hbk_delivered *delivered, bool offered);

/** hbk_delivery_discard() - close the handles, free the rest. NULL is accepted. */
void hbk_delivery_discard(struct hbk_delivery_body *body);

/* ---- handle.c ---- */

/** hbk_handle_close() - close a handle of our own, also if it is protected from that. */
void hbk_handle_close(HANDLE handle);

/** hbk_handle_reason() - NULL, or why @handle cannot be sent. */
const char *hbk_handle_reason(HANDLE handle);

#define HBK_MASK_ADVICE                                                                          \
    "access has a GENERIC_ bit, MAXIMUM_ALLOWED or ACCESS_SYSTEM_SECURITY: name the type's own " \
    "rights, HBK_ACCESS_READ or HBK_ACCESS_SAME"

/** hbk_mask_valid() - may @mask, if it is not zero, stand for access rights on the wire? */
bool hbk_mask_valid(uint32_t mask);

/** hbk_handle_kind() - NULL, or what else @handle is: "a window handle (HWND)", … */
const char *hbk_handle_kind(HANDLE handle);

#endif
