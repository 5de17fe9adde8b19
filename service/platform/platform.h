/* The seam between the broker and the machine that it runs on. service/core calls these operations and
 * nothing else of the outside world; service/win implements them on Windows, the tests in a fake kernel.
 *
 * All calls come from one thread, and none may block: what could is answered HBK_PLATFORM_PENDING and
 * finished later by an event of core.h. No operation calls back into the core before it returns. */
#ifndef HBK_PLATFORM_H
#define HBK_PLATFORM_H

#include "base.h"

/* What the platform established about the process at the other end of a pipe before it told the core. */
struct hbk_peer {
    uint32_t pid;
    uint32_t terminal_session;
    uint64_t logon_session; /* AuthenticationId (LUID) of the token */
    uint32_t integrity;     /* RID of the mandatory label */
    char user[HBK_SID_BYTES_MAX + 1];
    /* SHA-256 over user, logon session, integrity, AppContainer, restricting and deny-only SIDs: equal for
     * two processes if and only if they are one identity in the scope user/. */
    uint8_t scope[32];
};

/* A handle in the broker's own table that keeps a sender's object alive and unchangeable. 0: none. */
typedef uint64_t hbk_pin;

struct hbk_object {
    char type[HBK_TYPE_BYTES_MAX + 1]; /* as the NT kernel spells it; cut if longer */
    uint32_t access;                   /* granted to the pin, and so to the sender's handle */
};

/* A security descriptor that access_check() can be asked about. */
struct hbk_descriptor;

/* The broker's own access rights, as they stand in the masks of such a descriptor. */
enum {
    HBK_RIGHT_OPEN = 0x1,
    HBK_RIGHT_SEND = 0x2,
    HBK_RIGHT_PUT = 0x4,
    HBK_RIGHT_GET = 0x8,
    HBK_RIGHT_TRANSFER = 0x10,
    HBK_RIGHT_INSPECT = 0x20,
    HBK_RIGHT_REVOKE = 0x40,
    HBK_RIGHTS_ALL = 0x7F,
};

/* What the operator's log is told: refusals, gathered a user and a minute, and changes. Texts borrow. */
enum hbk_notice_kind {
    HBK_NOTICE_REFUSED,       /* a user was refused something */
    HBK_NOTICE_REFUSED_MORE,  /* and this often again within the minute that followed */
    HBK_NOTICE_POLICY_LOADED, /* new rules are in force; detail: of which file */
    HBK_NOTICE_POLICY_KEPT,   /* a file was refused, the rules before it stay; detail: why */
    HBK_NOTICE_DROPPED,       /* audit records found a queue full */
    HBK_NOTICE_WARNING,       /* of the service itself; detail */
    HBK_NOTICE_PAUSED,        /* nothing new is begun from now on */
    HBK_NOTICE_CONTINUED,     /* it is again */
    HBK_NOTICE_KIND_COUNT
};

struct hbk_notice {
    enum hbk_notice_kind kind;
    uint64_t count; /* 1, or how many like it this one stands for */
    uint32_t pid;   /* 0: none */
    uint32_t win32;
    uint64_t correlation; /* 0: none */
    const char *user;     /* SID, "" if none; printable ASCII, as is what follows */
    const char *event;    /* "handle.send", "session.opened", … */
    const char *name;     /* of the endpoint, or "" */
    const char *error;    /* wire name, or "" */
    const char *detail;
};

enum {
    HBK_PLATFORM_PENDING = 1, /* will be reported by an event */
    HBK_PLATFORM_FAILED = 2,
};

/* Why an operation on a process failed: an hbk_result_code for the sender (BAD_HANDLE, TARGET_GONE,
 * OS_ERROR, …) and the Windows error behind it. */
struct hbk_failure {
    int32_t code;
    uint32_t win32;
    const char *detail; /* static text that says what to do; NULL: the code's own meaning */
};

/* What is to be found in handle tables. */
struct hbk_look {
    bool holders;    /* who has the object of `handle`; else: what is in the table above `handle` */
    uint32_t handle; /* with `holders` a value, which was checked as pin()'s */
    uint32_t limit;  /* 1..HBK_PAGE_HANDLES_MAX: no more of them */
};

struct hbk_looked_handle {
    uint32_t pid, handle, access;
    bool inherit, protect;
    char type[HBK_TYPE_BYTES_MAX + 1]; /* of one table: "" where Windows does not say */
};

/* What was found. Values that are none on the wire (of the kernel's half) are left out. */
struct hbk_looked {
    size_t count;
    const struct hbk_looked_handle *handles; /* by process and value; none is the broker's */
    bool complete;                           /* false: there are more, or may be */
    uint32_t own;                            /* holders: how many the broker itself has */
    char type[HBK_TYPE_BYTES_MAX + 1];       /* holders: of the object */
};

/* Closes the pins of one user, whatever becomes of its connections. */
struct hbk_closer;

/* Sockets that were made for one process, and are not its own before it is told. */
struct hbk_sockets;

/* `connection` is the platform's own object for one accepted pipe with the process at its other end; the
 * process reference in it is held until release(), so its pid cannot be reused meanwhile.
 *
 * `party` is a process that handles are pinned from and placed in, with a reference of the same kind: a connection is
 * one, and what process_open() gives is. */
struct hbk_platform {
    void *context;

    /** now_ms() - milliseconds on a clock that never goes back. */
    uint64_t (*now_ms)(void *context);
    /** random() - @size bytes that nobody can foresee. */
    void (*random)(void *context, void *bytes, size_t size);

    /** unix_ms() - wall-clock time, milliseconds since 1970, for records alone. */
    uint64_t (*unix_ms)(void *context);

    /* ---- who may do what ---- */

    /**
     * descriptor_new() - a descriptor from @sddl, which hbk_sddl_check() has passed
     *
     * Owner and group are the peer's user and its mandatory label the peer's integrity, so that nobody below
     * it gets in unless the peer itself is below. Return: 0 or FAILED.
     */
    int (*descriptor_new)(void *connection, struct hbk_text sddl,
                          struct hbk_descriptor **ret_descriptor, struct hbk_failure *ret_failure);
    /** descriptor_free() - NULL is accepted. */
    void (*descriptor_free)(void *context, struct hbk_descriptor *descriptor);
    /** access_check() - those of @wanted (HBK_RIGHT_...) that @descriptor grants to the peer; 0 also where
     * Windows cannot say. */
    uint32_t (*access_check)(void *connection, const struct hbk_descriptor *descriptor,
                             uint32_t wanted);
    /** may_duplicate() - would Windows give @caller's peer a handle to the process of @target that lets it
     * duplicate handles (its descriptor with its label, or SeDebugPrivilege)? */
    bool (*may_duplicate)(void *caller, void *target);
    /** widenable() - would the descriptor of the object behind @pin let @party's process have rights that
     * are in @granted and not in @given? Never asked of a File. */
    enum hbk_widenable (*widenable)(void *party, hbk_pin pin, uint32_t granted, uint32_t given);

    /* ---- what is recorded; never blocks, never fails: what finds no room is dropped and counted there ---- */

    /** audit_line() - one record, @size bytes with LF, for the audit file. Return: false: dropped. */
    bool (*audit_line)(void *context, const void *line, size_t size);
    /** audit_notice() - one record for the operator's log. */
    void (*audit_notice)(void *context, const struct hbk_notice *notice);

    /* ---- the pipe ---- */

    /**
     * write() - start writing @bytes, which stay untouched until the write has ended
     *
     * One write a connection at a time. Return: 0, done: what the bytes name is told;
     * HBK_PLATFORM_PENDING, hbk_core_written() will say how it ended; HBK_PLATFORM_FAILED, nothing is
     * told, and the connection is of no more use.
     */
    int (*write)(void *connection, const void *bytes, size_t size);
    /** read_pause() - stop or go on feeding hbk_core_bytes(). */
    void (*read_pause)(void *connection, bool paused);
    /** read_on() - read, unless paused: the session is new, or what hbk_core_bytes() was given last has been
     * acted on. */
    void (*read_on)(void *connection);
    /** close() - close the pipe (with CloseHandle: the peer may still read what was written). No more
     * events of this connection follow, but for the end of a pending write, which is cancelled. */
    void (*close)(void *connection);
    /** release() - after close() and after the last write has ended: free it and its process reference. */
    void (*release)(void *connection);

    /* ---- proof of possession ---- */

    /** proof_open() - make an event and place it in the peer's table with EVENT_MODIFY_STATE alone. */
    int (*proof_open)(void *connection, uint32_t *ret_value, struct hbk_failure *ret_failure);
    /** proof_is_set() - has the peer set it? */
    bool (*proof_is_set)(void *connection);
    /** proof_close() - close it there, if it is still the same object, and here. Accepts none. Return: 0, it is
     * closed; HBK_PLATFORM_PENDING, hbk_core_proof_closed() will say so, also after close(). */
    int (*proof_close)(void *connection);

    /* ---- handles; every value was checked against pseudo-handles and tag bits before ---- */

    /**
     * process_open() - process @pid, if Windows would let @caller's peer duplicate handles there as may_duplicate() says
     * @ret_party: until process_close()
     *
     * One handle serves the check and all that follows. Return: 0; FAILED, with NOT_FOUND (no such process, or it has
     * ended), DENIED (@caller's peer may not; or not even the broker may: a protected process) or OS_ERROR.
     */
    int (*process_open)(void *caller, uint32_t pid, void **ret_party,
                        struct hbk_failure *ret_failure);
    /** process_close() - NULL is accepted. */
    void (*process_close)(void *party);

    /** pin() - duplicate @handle of @party's process into the broker, same access. Return: 0 or FAILED. */
    int (*pin)(void *party, uint32_t handle, hbk_pin *ret_pin, struct hbk_failure *ret_failure);
    /** inspect() - type and granted access of a pin; never asks the object itself. Return: 0 or FAILED. */
    int (*inspect)(void *context, hbk_pin pin, struct hbk_object *ret_object,
                   struct hbk_failure *ret_failure);
    /**
     * place() - duplicate a pin into the table of @party's process
     * @access:    mask to grant; ignored if @same
     * @inherit:   the handle is inheritable there
     * @ret_value: its value there
     */
    int (*place)(void *party, hbk_pin pin, bool same, uint32_t access, bool inherit,
                 uint32_t *ret_value, struct hbk_failure *ret_failure);
    /** unplace() - close @value in the table of @party's process if the object there is still that of @pin. Return: it
     * was, and is closed there. */
    bool (*unplace)(void *party, hbk_pin pin, uint32_t value);

    /** closer_ref() - who closes for the peer's user; held until closer_unref(), also after release(). Never fails. */
    struct hbk_closer *(*closer_ref)(void *connection);
    /** closer_unref() - when all is unpinned that it was asked for. */
    void (*closer_unref)(void *context, struct hbk_closer *closer);
    /**
     * unpin() - close a pin at the cost of @closer's user
     * @may_block: its last close may block (File, Section): do it elsewhere
     * @ticket:    what hbk_core_unpinned() is to be called with if this returns HBK_PLATFORM_PENDING
     */
    int (*unpin)(void *context, struct hbk_closer *closer, hbk_pin pin, bool may_block,
                 uint64_t ticket);

    /* ---- sockets: what a process makes its own socket from is made for that process alone, by Winsock, from a
     * pin that the broker holds. Making it already puts a handle into the process. ---- */

    /**
     * sockets_make() - for each of @count pins, for @party's process; on a worker, at the cost of @closer's user
     * @pins:        stay, each open, until hbk_core_sockets_made()
     * @ret_sockets: until sockets_free(); holds a reference of its own to the process
     *
     * Return: HBK_PLATFORM_PENDING, hbk_core_sockets_made(@ticket) follows, once; FAILED, nothing does.
     */
    int (*sockets_make)(void *party, struct hbk_closer *closer, const hbk_pin *pins, size_t count,
                        uint64_t ticket, struct hbk_sockets **ret_sockets,
                        struct hbk_failure *ret_failure);
    /** sockets_info() - base64 of the @index-th WSAPROTOCOL_INFOW, once they are made; borrows. */
    const char *(*sockets_info)(const struct hbk_sockets *sockets, size_t index);
    /** sockets_undo() - close in the process what making them has put there, where the object at a value that the
     * @index-th information names is still that of @pin. Return: nothing of it is left there: one was, and is closed, or
     * the process has ended; false: no value names it. */
    bool (*sockets_undo)(struct hbk_sockets *sockets, size_t index, hbk_pin pin);
    /** sockets_free() - not while they are being made; closes nothing there. NULL is accepted. */
    void (*sockets_free)(struct hbk_sockets *sockets);

    /* ---- handle tables: what anybody has in them. No name is asked for, no address told. ---- */

    /**
     * look() - on a worker, at the cost of @party's user, or of who had it opened; beside that user's hand-offs
     * @party: whose table, or whose handle; may be closed before the worker is done
     *
     * Return: HBK_PLATFORM_PENDING, hbk_core_looked(@ticket) follows, once; FAILED, nothing does.
     */
    int (*look)(void *party, const struct hbk_look *what, uint64_t ticket,
                struct hbk_failure *ret_failure);
};

#endif
