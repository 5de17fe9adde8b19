/* What the parts of service/win know of each other. */
#ifndef HBK_WIN_PARTS_H
#define HBK_WIN_PARTS_H

#include "win.h"

#include <windows.h>

/* ---- notes.c: counted here by any thread, logged by service/main ---- */

struct hbk_notes {
    SRWLOCK lock;
    volatile LONG pending; /* nonzero: some note has a count; spares the loop the lock */
    struct hbk_win_note note[HBK_WIN_NOTE_COUNT];
};

/** hbk_notes_add() - any thread. */
void hbk_notes_add(struct hbk_notes *notes, enum hbk_win_note_kind kind, uint32_t pid,
                   uint32_t win32, const char *why);
bool hbk_notes_take(struct hbk_notes *notes, enum hbk_win_note_kind kind,
                    struct hbk_win_note *ret_note);

/* ---- identity.c ---- */

struct hbk_refusal {
    const char *why; /* static */
    uint32_t pid;
    uint32_t win32;
};

enum {
    HBK_IDENTITY_E_REFUSED = 1,
    HBK_IDENTITY_E_LATER =
        2, /* Windows has no context for this pipe before something was read from it */
};

/** hbk_identity_init() - once a process. Return: 0, or the Windows error. */
uint32_t hbk_identity_init(void);

/**
 * hbk_identity_of_process() - who is at the other end of @pipe, by process and process token
 * @ret_process: with PROCESS_DUP_HANDLE, PROCESS_QUERY_LIMITED_INFORMATION and SYNCHRONIZE; with
 *               READ_CONTROL too where Windows lets us
 * @ret_token:   the process's, as it was when *ret_peer was read from it: an impersonation token of
 *               identification level with TOKEN_QUERY
 *
 * Return: 0; HBK_IDENTITY_E_REFUSED.
 */
int hbk_identity_of_process(HANDLE pipe, struct hbk_peer *ret_peer, HANDLE *ret_process,
                            HANDLE *ret_token, struct hbk_refusal *ret_refusal);

/** hbk_identity_now() - the latest that this system's clock can have said until now, in the unit of a FILETIME.
 * Unlike the clock it does not go back. */
uint64_t hbk_identity_now(void);

/** hbk_identity_existed() - was @process made before @now, as hbk_identity_now() gave it? */
bool hbk_identity_existed(HANDLE process, uint64_t now);

/**
 * hbk_identity_confirm() - does the token that came with @pipe say the same as @peer?
 *
 * Return: 0; HBK_IDENTITY_E_REFUSED; HBK_IDENTITY_E_LATER.
 */
int hbk_identity_confirm(HANDLE pipe, const struct hbk_peer *peer, struct hbk_refusal *ret_refusal);

/* ---- impersonate.c ---- */

/**
 * hbk_impersonate() - the token that came with @pipe
 * @ret_token: with TOKEN_QUERY
 *
 * The only place of the service where a thread is ever somebody else; if it could not be itself again, it
 * must not go on. Return: 0; ERROR_CANNOT_IMPERSONATE where nothing was read from @pipe yet; a Windows error.
 */
uint32_t hbk_impersonate(HANDLE pipe, HANDLE *ret_token);

/* ---- access.c: what the core asks of it; access.h has the rest ---- */

int hbk_access_op_descriptor_new(void *context, struct hbk_text sddl,
                                 struct hbk_descriptor **ret_descriptor,
                                 struct hbk_failure *ret_failure);
void hbk_access_op_descriptor_free(void *context, struct hbk_descriptor *descriptor);
uint32_t hbk_access_op_check(void *context, const struct hbk_descriptor *descriptor,
                             uint32_t wanted);
bool hbk_access_op_may_duplicate(void *caller, void *target);
enum hbk_widenable hbk_access_op_widenable(void *target, hbk_pin pin, uint32_t granted,
                                           uint32_t given);

/* ---- listener.c: a thread that accepts ---- */

/* A client that has connected. */
struct hbk_accepted {
    struct hbk_accepted *next;
    HANDLE pipe;
    HANDLE process;
    HANDLE token;
    bool confirmed; /* the pipe's token was compared, and agrees */
    struct hbk_peer peer;
};

struct hbk_listener;

int hbk_listener_new(const wchar_t *pipe, bool console, uv_async_t *wake, struct hbk_notes *notes,
                     struct hbk_listener **ret_listener, struct hbk_win_failure *ret_failure);
/** hbk_listener_take() - the next client, now the caller's; NULL: none. */
struct hbk_accepted *hbk_listener_take(struct hbk_listener *listener);
/** hbk_listener_free() - ends the thread and drops who was not taken. NULL is accepted. */
void hbk_listener_free(struct hbk_listener *listener);

/** hbk_accepted_free() - closes what it still holds. NULL is accepted. */
void hbk_accepted_free(struct hbk_accepted *accepted);

/* ---- descriptor.c ---- */

/** hbk_descriptor_new() - the pipe's, for LocalFree(). Return: 0 or the Windows error. */
uint32_t hbk_descriptor_new(bool console, PSECURITY_DESCRIPTOR *ret_descriptor);

/* ---- workers.c: threads for closes that may block ---- */

#define HBK_WORKERS_NO_TICKET UINT64_MAX /* nobody waits for this close */

struct hbk_workers;
struct hbk_closer; /* one user's closes: they run one after the other */

struct hbk_workers *hbk_workers_new(uv_async_t *wake);
/** hbk_workers_closer() - who closes for @user; to be released. Return: NULL out of memory. */
struct hbk_closer *hbk_workers_closer(struct hbk_workers *workers, const char *user);
/** hbk_workers_closer_release() - NULL is accepted. */
void hbk_workers_closer_release(struct hbk_workers *workers, struct hbk_closer *closer);
/** hbk_workers_reserve() - room for one more close, so that hbk_workers_close() cannot fail. */
int hbk_workers_reserve(struct hbk_workers *workers);
/** hbk_workers_unreserve() - that handle was closed without a worker. */
void hbk_workers_unreserve(struct hbk_workers *workers);
/** hbk_workers_close() - close @handle after @closer's others; takes over the room reserved for it. */
void hbk_workers_close(struct hbk_workers *workers, struct hbk_closer *closer, HANDLE handle,
                       uint64_t ticket);
/**
 * hbk_workers_call() - run @function on a worker, beside whatever else runs; it frees @argument
 *
 * For what asks another process's table, so that no such process can hold up the loop or the closes of its user.
 * hbk_core_proof_closed(@session) follows. Return: 0; -1 out of memory, nothing was done.
 */
int hbk_workers_call(struct hbk_workers *workers, void (*function)(void *argument), void *argument,
                     uint64_t session);
/** hbk_workers_collect() - hand each finished ticket to the core. */
void hbk_workers_collect(struct hbk_workers *workers, struct hbk_core *core);
/** hbk_workers_hurry() - from now on each finished close wakes the loop. */
void hbk_workers_hurry(struct hbk_workers *workers);
/** hbk_workers_free() - ends the threads; one that is stuck is left behind. NULL is accepted. */
void hbk_workers_free(struct hbk_workers *workers);

/* ---- connection.c ---- */

struct hbk_connection {
    struct hbk_win *win;
    uv_pipe_t pipe; /* owns `handle` */
    HANDLE handle;  /* dead after close() */
    HANDLE process;
    HANDLE token; /* the process's, as it was when it connected */
    uint64_t session;
    struct hbk_peer peer;

    OVERLAPPED write;
    HANDLE write_event;
    PTP_WAIT write_wait;
    PTP_WAIT exit_wait;
    uint32_t write_size;

    struct hbk_closer *closer;
    HANDLE proof;
    uint32_t proof_value;

    /* under win->lock */
    struct hbk_connection *next_signalled;
    unsigned signals;

    bool confirmed;
    bool opened;  /* the core knows it by `session` */
    bool reading; /* uv_read_start() is in force */
    bool paused;
    bool writing;  /* a write is pending, or its end has not been told to the core yet */
    bool closing;  /* close() was called: no more events but that write's */
    bool closed;   /* libuv has let go of it */
    bool released; /* the core has let go of it */
};

/** hbk_connection_adopt() - make a session of @accepted, which is consumed. */
void hbk_connection_adopt(struct hbk_win *win, struct hbk_accepted *accepted);
/** hbk_connection_signals() - act on what the wait threads saw. */
void hbk_connection_signals(struct hbk_win *win);

int hbk_connection_write(void *context, const void *bytes, size_t size);
void hbk_connection_read_pause(void *context, bool paused);
void hbk_connection_close(void *context);
void hbk_connection_release(void *context);

/* ---- handles.c ---- */

/** hbk_handles_init() - once a process. Return: 0, or the Windows error. */
uint32_t hbk_handles_init(void);

int hbk_handles_proof_open(void *context, uint32_t *ret_value, struct hbk_failure *ret_failure);
bool hbk_handles_proof_is_set(void *context);
int hbk_handles_proof_close(void *context);
int hbk_handles_pin(void *context, uint32_t handle, hbk_pin *ret_pin,
                    struct hbk_failure *ret_failure);
int hbk_handles_inspect(void *context, hbk_pin pin, struct hbk_object *ret_object,
                        struct hbk_failure *ret_failure);
int hbk_handles_place(void *context, hbk_pin pin, bool same, uint32_t access, uint32_t *ret_value,
                      struct hbk_failure *ret_failure);
void hbk_handles_unplace(void *context, hbk_pin pin, uint32_t value);
int hbk_handles_unpin(void *context, hbk_pin pin, bool may_block, uint64_t ticket);

/* ---- win.c ---- */

struct hbk_win {
    uv_loop_t *loop;
    uv_async_t
        wake; /* somebody connected, a pending write ended, a process ended, closes have piled up */
    hbk_win_ready ready;
    void *ready_context;
    struct hbk_core *core;
    struct hbk_listener *listener;
    struct hbk_workers *workers;
    struct hbk_notes notes;

    SRWLOCK lock;
    struct hbk_connection *signalled;      /* under lock; first in, first out */
    struct hbk_connection **signalled_end; /* under lock */

    /* Bytes are consumed before the read callback returns, so one buffer does for all pipes. */
    char read_buffer[HBK_READ_BYTES];
};

#endif
