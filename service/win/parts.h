/* What the parts of service/win know of each other. */
#ifndef HBK_WIN_PARTS_H
#define HBK_WIN_PARTS_H

#include "win.h"

#include <windows.h>

/* ---- notes.c: counted here by any thread, logged by service/main ---- */

struct hbk_notes {
    hbk_win_noted noted;
    void *context;
    SRWLOCK lock;
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

/** hbk_identity_open() - process @pid with the same rights. Return: NULL, and GetLastError(). */
HANDLE hbk_identity_open(uint32_t pid);

/** hbk_identity_token() - the token of @process as above. Return: 0, or the Windows error. */
uint32_t hbk_identity_token(HANDLE process, HANDLE *ret_token);

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
enum hbk_widenable hbk_access_op_widenable(void *party, hbk_pin pin, uint32_t granted,
                                           uint32_t given);

/* ---- listener.c: a thread that accepts ---- */

struct hbk_connection;
struct hbk_listener;

int hbk_listener_new(struct hbk_win *win, const wchar_t *pipe, bool console,
                     struct hbk_listener **ret_listener, struct hbk_win_failure *ret_failure);
/** hbk_listener_take() - the next client, now the caller's; NULL: none. */
struct hbk_connection *hbk_listener_take(struct hbk_listener *listener);
/** hbk_listener_free() - ends the thread and drops who was not taken. NULL is accepted. */
void hbk_listener_free(struct hbk_listener *listener);

/* ---- descriptor.c ---- */

/** hbk_descriptor_new() - the pipe's, for LocalFree(). Return: 0 or the Windows error. */
uint32_t hbk_descriptor_new(bool console, PSECURITY_DESCRIPTOR *ret_descriptor);

/* ---- workers.c: threads for what may block ---- */

#define HBK_WORKERS_NO_TICKET UINT64_MAX /* nobody waits for this close */

struct hbk_workers;
struct hbk_closer; /* one user's closes and calls: they run one after the other */

struct hbk_workers *hbk_workers_new(struct hbk_win *win);
/** hbk_workers_closer() - who closes for @user; to be released. Return: NULL out of memory. */
struct hbk_closer *hbk_workers_closer(struct hbk_workers *workers, const char *user);
/** hbk_workers_looker() - who looks for @closer's user, beside that user's closes and calls. As above. */
struct hbk_closer *hbk_workers_looker(struct hbk_workers *workers, const struct hbk_closer *closer);
/** hbk_workers_closer_ref() - one release more. Return: @closer. */
struct hbk_closer *hbk_workers_closer_ref(struct hbk_closer *closer);
/** hbk_workers_closer_release() - NULL is accepted. */
void hbk_workers_closer_release(struct hbk_workers *workers, struct hbk_closer *closer);
/** hbk_workers_reserve() - room for one more close, so that hbk_workers_close() cannot fail. */
int hbk_workers_reserve(struct hbk_workers *workers);
/** hbk_workers_unreserve() - that handle was closed without a worker. */
void hbk_workers_unreserve(struct hbk_workers *workers);
/** hbk_workers_close() - close @handle after @closer's others; takes over the room reserved for it. */
void hbk_workers_close(struct hbk_workers *workers, struct hbk_closer *closer, HANDLE handle,
                       uint64_t ticket);
/** hbk_workers_close_unasked() - close @handle, which nobody has reserved room for and nobody waits for. */
void hbk_workers_close_unasked(struct hbk_workers *workers, struct hbk_closer *closer,
                               HANDLE handle);

/* What a worker does, and what the broker's thread does when that has returned. */
struct hbk_worker_call {
    void (*run)(void *argument);
    /* NULL: nothing. @argument is whatever run() has left of it. */
    void (*ended)(struct hbk_core *core, void *argument, uint64_t ticket);
    void *argument;
    uint64_t ticket;
};

/**
 * hbk_workers_call() - run @what->run() on a worker
 * @closer: whose it is: it comes after that user's other calls and closes; NULL: nobody's, beside whatever else runs
 *
 * For what asks another process's table or another driver, so that neither can hold up the broker. The broker's
 * thread is woken when it has returned. Return: 0; -1 out of memory, nothing was done.
 */
int hbk_workers_call(struct hbk_workers *workers, struct hbk_closer *closer,
                     const struct hbk_worker_call *what);
/** hbk_workers_collect() - tell the core of each close and call that has returned. Return: false: there was none. */
bool hbk_workers_collect(struct hbk_workers *workers, struct hbk_core *core);
/** hbk_workers_hurry() - from now on each finished close wakes the broker's thread. */
void hbk_workers_hurry(struct hbk_workers *workers);
/** hbk_workers_free() - ends the threads; one that is stuck is left behind. NULL is accepted. */
void hbk_workers_free(struct hbk_workers *workers);

/* ---- reaper.c: a thread that closes what connections leave behind ---- */

enum {
    HBK_REMAINS_NOTHING = 0,
    HBK_REMAINS_PIPE = 1, /* cancel what is pending, and close the pipe */
    HBK_REMAINS_ALL = 2,  /* nothing is pending: close and free the rest */
};

struct hbk_reaper;

/** hbk_reaper_new() - NULL: out of memory or threads. */
struct hbk_reaper *hbk_reaper_new(void);
/** hbk_reaper_take() - any thread; ALL comes last, and consumes @connection. */
void hbk_reaper_take(struct hbk_reaper *reaper, struct hbk_connection *connection,
                     unsigned remains);
/** hbk_reaper_is_behind() - any thread: there is so much that clients should come more slowly. */
bool hbk_reaper_is_behind(struct hbk_reaper *reaper);
/** hbk_reaper_free() - when all is closed that it was given. NULL is accepted. */
void hbk_reaper_free(struct hbk_reaper *reaper);

/* ---- reads.c: the pending reads of all pipes; the broker's thread alone ---- */

struct hbk_read_slab;

struct hbk_reads {
    HANDLE event; /* set when a read has ended */
    uint32_t slab_count;
    uint32_t next;    /* where the next scan begins */
    uint32_t scanned; /* places in a row, since the last start, at which it has found nothing */
    struct hbk_read_slab *slab[HBK_READ_SLABS_MAX];
};

/** hbk_reads_init() - Return: 0; -1 no event could be made. */
int hbk_reads_init(struct hbk_reads *reads);
/** hbk_reads_deinit() - when every place was given back. */
void hbk_reads_deinit(struct hbk_reads *reads);
/** hbk_reads_take_place() - room for one read at a time of @owner. Return: 0; -1 out of memory. */
int hbk_reads_take_place(struct hbk_reads *reads, struct hbk_connection *owner,
                         uint32_t *ret_place);
/** hbk_reads_give_place() - only when no read of it is pending. */
void hbk_reads_give_place(struct hbk_reads *reads, uint32_t place);
/** hbk_reads_start() - read into @buffer. However it goes, hbk_reads_next() tells when it has ended. */
void hbk_reads_start(struct hbk_reads *reads, uint32_t place, HANDLE pipe, void *buffer,
                     uint32_t size);
/** hbk_reads_look() - something may have ended since the last scan. */
void hbk_reads_look(struct hbk_reads *reads);
/** hbk_reads_next() - whose read has ended, of the next HBK_READS_LOOKED_AT places. NULL: nobody's of those. */
struct hbk_connection *hbk_reads_next(struct hbk_reads *reads);
/** hbk_reads_idle() - a whole scan since the last start has found nothing: the event may be waited for. */
bool hbk_reads_idle(const struct hbk_reads *reads);
/** hbk_reads_end() - how the read that was found has ended; the place has none any more. Return: 0, or
 * the Windows error. */
uint32_t hbk_reads_end(struct hbk_reads *reads, uint32_t place, HANDLE pipe, uint32_t *ret_size);
/** hbk_reads_hide() - let no scan find this end any more. Return: what shows it again. */
uintptr_t hbk_reads_hide(struct hbk_reads *reads, uint32_t place);
/** hbk_reads_show() - let the next scan find it. */
void hbk_reads_show(struct hbk_reads *reads, uint32_t place, uintptr_t hidden);
/** hbk_reads_clear() - the event was set, but no read had ended: once more, then. */
void hbk_reads_clear(struct hbk_reads *reads);

/* ---- exits.c: who wants to know of the end of a client's process; any thread ---- */

#define HBK_EXIT_BUCKETS 512u

struct hbk_watched;

struct hbk_exits {
    SRWLOCK lock;
    struct hbk_watched *buckets[HBK_EXIT_BUCKETS]; /* by pid */
};

/* All-zero but for the first two: watches nothing. */
struct hbk_watcher {
    void (*ended)(void *context); /* on any thread, once; takes no long time */
    void *context;
    struct hbk_watched *watched;
    struct hbk_watcher *next, **place; /* of the same process; under the lock */
};

/**
 * hbk_exits_watch() - call @watcher->ended() when @process has ended; at once, if it has
 * @pid: its id
 *
 * Return: 0; -1 out of memory.
 */
int hbk_exits_watch(struct hbk_exits *exits, HANDLE process, uint32_t pid,
                    struct hbk_watcher *watcher);
/** hbk_exits_forget() - no more; once this returns, ended() is not running either. May be repeated. */
void hbk_exits_forget(struct hbk_exits *exits, struct hbk_watcher *watcher);

/* ---- party.c: processes that handles are taken from and put into ---- */

struct hbk_win_party {
    struct hbk_win *win;
    HANDLE process; /* as hbk_identity_open() gives it: `pid` is no other's meanwhile */
    HANDLE token; /* as it was when the client connected, or this was opened; NULL: not to be had */
    uint32_t pid;
    struct hbk_closer *closer; /* at whose cost is closed what was found in its table */
};

int hbk_party_open(void *caller, uint32_t pid, void **ret_party, struct hbk_failure *ret_failure);
void hbk_party_close(void *context);

/* ---- connection.c ---- */

struct hbk_connection {
    struct hbk_win_party party; /* first: a connection is one */
    HANDLE handle;              /* the pipe; NULL after close() */
    uint64_t session;
    struct hbk_peer peer;

    uint32_t place; /* in win->reads */
    uint32_t buffer_size;
    char *buffer;
    uintptr_t hidden; /* of the read that has ended, while `held` */

    OVERLAPPED write;
    HANDLE write_event;
    PTP_WAIT write_wait; /* NULL until a write has pended: few ever do */
    struct hbk_watcher exit;

    HANDLE proof;
    uint32_t proof_value;
    uint32_t write_size;

    /* under win->lock */
    struct hbk_connection *next_signalled;
    unsigned signals;
    bool deaf; /* its process's end is no signal any more */

    struct hbk_connection *next; /* of those that the listener, later the reaper, has */
    unsigned remains;            /* the reaper's, under its lock */

    bool confirmed; /* the pipe's token was compared, and agrees */
    bool exited;    /* its process, before this became a session */
    bool adopted;   /* `session` and `place` are its */
    bool read_due;  /* the core has acted on all: a read may be started */
    bool reading;   /* a read is pending, or its end has not been dealt with yet */
    bool held;      /* it has ended, but what it brought may not be fed to the core yet */
    bool paused;
    bool writing;  /* a write is pending, or its end has not been told to the core yet */
    bool closing;  /* close() was called: no more events but that write's */
    bool released; /* the core has let go of it */
};

/** hbk_connection_new() - any thread. @pipe is consumed. NULL: out of memory. */
struct hbk_connection *hbk_connection_new(struct hbk_win *win, HANDLE pipe);
/** hbk_connection_prepare() - any thread, once peer, process and token are known: all that costs calls into the
 * kernel, so that the broker's thread need not. Return: 0; -1 out of memory. */
int hbk_connection_prepare(struct hbk_connection *connection);
/** hbk_connection_abandon() - consume one that is no session; the broker's thread, or the listener's while the
 * broker's does not know of it or waits for its end. */
void hbk_connection_abandon(struct hbk_connection *connection);
/** hbk_connection_reap() - the reaper's thread. */
void hbk_connection_reap(struct hbk_connection *connection, unsigned remains);

/** hbk_connection_adopt() - make a session of it. */
void hbk_connection_adopt(struct hbk_connection *connection);
/** hbk_connection_signals() - act on what the wait threads saw. Return: true if there may be more of it. */
bool hbk_connection_signals(struct hbk_win *win);
/** hbk_connection_read_ended() - feed the core. May free @connection. */
void hbk_connection_read_ended(struct hbk_connection *connection);

int hbk_connection_write(void *context, const void *bytes, size_t size);
void hbk_connection_read_pause(void *context, bool paused);
void hbk_connection_read_on(void *context);
void hbk_connection_close(void *context);
void hbk_connection_release(void *context);

/* ---- handles.c ---- */

/** hbk_handles_init() - once a process. Return: 0, or the Windows error. */
uint32_t hbk_handles_init(void);

int hbk_handles_proof_open(void *context, uint32_t *ret_value, struct hbk_failure *ret_failure);
bool hbk_handles_proof_is_set(void *context);
int hbk_handles_proof_close(void *context);
int hbk_handles_pin(void *party, uint32_t handle, hbk_pin *ret_pin,
                    struct hbk_failure *ret_failure);
int hbk_handles_inspect(void *context, hbk_pin pin, struct hbk_object *ret_object,
                        struct hbk_failure *ret_failure);
int hbk_handles_place(void *party, hbk_pin pin, bool same, uint32_t access, bool inherit,
                      uint32_t *ret_value, struct hbk_failure *ret_failure);
bool hbk_handles_unplace(void *party, hbk_pin pin, uint32_t value);
struct hbk_closer *hbk_handles_closer_ref(void *connection);
void hbk_handles_closer_unref(void *context, struct hbk_closer *closer);
int hbk_handles_unpin(void *context, struct hbk_closer *closer, hbk_pin pin, bool may_block,
                      uint64_t ticket);

/** hbk_handles_fail() - fill @ret_failure. Return: HBK_PLATFORM_FAILED. */
int hbk_handles_fail(struct hbk_failure *ret_failure, int32_t code, uint32_t win32,
                     const char *detail);
/** hbk_handles_is_real() - neither a pseudo-handle, nor with tag bits, nor in the kernel's half. */
bool hbk_handles_is_real(uint64_t value);
/** hbk_handles_has_ended() - also while it is ending: its table is taken apart before it counts as ended. */
bool hbk_handles_has_ended(HANDLE process);

/**
 * hbk_handles_close_there() - close @value in @process if it is still the object of @own, which is a handle of ours
 * @ret_other: NULL, or a handle of ours to another object that was there. It may be its last by now, so that its
 *             close can block
 *
 * Any thread. The process can only cheat itself: it alone can put another object at the value between the calls.
 * Return: it was, and is no more.
 */
bool hbk_handles_close_there(HANDLE process, HANDLE own, uint32_t value, HANDLE *ret_other);

/** hbk_handles_copy_type() - @size units of the kernel's name of a type. They are plain ASCII, that no line need escape;
 * what is not, was made by nobody we know. */
void hbk_handles_copy_type(char ret_type[HBK_TYPE_BYTES_MAX + 1], const WCHAR *name, size_t size);
/** hbk_handles_same() - are both handles of ours of one object? Any thread. */
bool hbk_handles_same(HANDLE first, HANDLE second);

/* ---- look.c ---- */

int hbk_look(void *party, const struct hbk_look *what, uint64_t ticket,
             struct hbk_failure *ret_failure);

/* ---- sockets.c ---- */

/** hbk_sockets_init() - once a process. Return: 0, or the Windows error. */
uint32_t hbk_sockets_init(void);

int hbk_sockets_make(void *party, struct hbk_closer *closer, const hbk_pin *pins, size_t count,
                     uint64_t ticket, struct hbk_sockets **ret_sockets,
                     struct hbk_failure *ret_failure);
const char *hbk_sockets_info(const struct hbk_sockets *sockets, size_t index);
bool hbk_sockets_undo(struct hbk_sockets *sockets, size_t index, hbk_pin pin);
void hbk_sockets_free(struct hbk_sockets *sockets);

/* ---- win.c ---- */

struct hbk_win {
    struct hbk_core *core;
    struct hbk_listener *listener;
    struct hbk_workers *workers;
    struct hbk_reaper *reaper;
    struct hbk_reads reads;
    struct hbk_exits exits;
    struct hbk_notes notes;
    struct hbk_win_sinks sinks;
    uint64_t clock_hz;
    uint64_t now_ms;      /* of this turn */
    uint32_t connections; /* adopted, and not given to the reaper whole */

    /* Somebody connected, a pending write ended, a process ended, closes have piled up, or there is
     * something that this folder knows nothing of. */
    HANDLE wake;
    volatile LONG woken; /* not looked after yet; spares the locks of those who have nothing */

    SRWLOCK lock;
    struct hbk_connection *signalled;      /* under lock; first in, first out */
    struct hbk_connection **signalled_end; /* under lock */
};

#endif
