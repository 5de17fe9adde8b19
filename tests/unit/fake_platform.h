/* A fake kernel behind the platform seam: processes with handle tables, objects with reference counts,
 * pins, connections, processes that were opened, sockets that are being made. It keeps its own books, and
 * fails the running test at once where the core does something that the design forbids: a pseudo-handle, a
 * foreign handle closed, rights that grow, a value placed while a write is pending, anything used after its
 * end or released twice.
 *
 * It is as nasty as reality: writes pend and end either way, a cancelled write may still succeed, pins'
 * closes pend and return in any order, and so do the workers that make sockets or look at tables, any
 * operation fails at a chosen call, processes end inside a call, and the lowest free handle value is reused at once. */
#ifndef FAKE_PLATFORM_H
#define FAKE_PLATFORM_H

#include "base.h"
#include "fake_audit.h"
#include "platform.h"

enum {
    FAKE_HANDLES_MAX = 2048, /* a process; a full table fails a place */
    FAKE_PROCESSES_MAX = 96,
    FAKE_CONNECTIONS_MAX = 512,
    FAKE_OBJECTS_MAX = 8192,
    FAKE_PINS_MAX = 8192,
    FAKE_TRACE_MAX = 4096,
    FAKE_ANSWERS_MAX = 128,
    FAKE_SOCKET_TEXT_BYTES = 8, /* of what names a socket that was made */
};

enum fake_origin {
    FAKE_ORIGIN_OWN,       /* the process made it itself */
    FAKE_ORIGIN_PROOF,     /* the broker's proof event */
    FAKE_ORIGIN_UNTOLD,    /* placed by the broker, the process does not know of it yet */
    FAKE_ORIGIN_TOLD,      /* placed by the broker, and told: the process's own from now on */
    FAKE_ORIGIN_REVOCABLE, /* told, and the broker may close it there all the same */
    FAKE_ORIGIN_LEFT,      /* of a socket that was made and could not be taken back */
};

/* One entry of a handle table; its value is (index + 1) * 4. object 0: free. */
struct fake_slot {
    uint32_t object;
    uint32_t access;
    enum fake_origin origin;
    bool inherit, protect;
    uint32_t via;    /* number of the connection whose peer had the process opened; 0: nobody's */
    uint32_t socket; /* which of all that were made it belongs to; 0: to none */
    hbk_pin pin;     /* that it was placed from; 0: it was not */
    uint64_t note;   /* of that pin */
};

/* What descriptors ask of a process. */
struct fake_token {
    const char *user; /* SID */
    uint32_t integrity, terminal_session;
    bool administrator; /* also: may duplicate handles into every process */
};

struct fake_process {
    uint32_t pid;
    bool running;
    uint32_t references;            /* that hold it: its pid is nobody else's until they let go */
    uint32_t handles_max;           /* 0: FAKE_HANDLES_MAX */
    uint32_t slots_high;            /* no entry at or above this index was ever used */
    uint32_t slots_low;             /* all entries below this index are in use */
    const struct fake_token *token; /* NULL: the tables of struct fake_policy answer */
    struct fake_slot slots[FAKE_HANDLES_MAX];
};

enum fake_write_mode { FAKE_WRITE_DONE, FAKE_WRITE_PENDS, FAKE_WRITE_FAILS };

/* What the seam calls a party begins with it. */
enum fake_party_kind { FAKE_PARTY_CONNECTION = 1, FAKE_PARTY_OPENED };

struct fake_connection {
    enum fake_party_kind kind;
    struct fake_kernel *kernel;
    struct fake_process *process;
    char user[HBK_SID_BYTES_MAX + 1]; /* who closes its pins */
    uint32_t number;
    void *owner; /* for who drives the fake */

    bool closed, released;
    bool broken; /* a write failed: of no more use to write */
    bool paused;
    bool fed; /* the core has not asked for any, or more, bytes */

    enum fake_write_mode write_mode;
    const uint8_t *pending; /* the core's memory, which must not change; NULL: no write pending */
    size_t pending_size;
    uint8_t *pending_copy;
    bool cancelled; /* its end was asked for */
    uint64_t bytes_told;
    uint32_t writes;

    uint32_t proof_value; /* in the process's table; 0: none open */
    uint32_t proof_object;
    bool proof_set;
    bool proof_closing; /* asked for, and not returned */
    bool proven;        /* the core saw it set */
    uint32_t pins;      /* of its handles, until their close has returned */
    uint32_t pins_made; /* ever */
};

enum fake_pin_state { FAKE_PIN_FREE, FAKE_PIN_OPEN, FAKE_PIN_CLOSING };

struct fake_pin {
    enum fake_pin_state state;
    hbk_pin id;
    struct fake_connection
        *owner;                /* whose handle it was; NULL: an opened process's, or it is freed */
    struct hbk_closer *closer; /* at whose user's cost it is to be closed */
    uint32_t object;
    uint32_t access;
    bool inspected;
    bool may_block;
    uint64_t
        delivery;  /* with which what was placed from it was told as revocable; 0: it was not … */
    uint32_t item; /* … and which item of that it is */
    uint32_t making; /* sockets that are being made from it */
    uint64_t ticket;
    uint32_t handle; /* that it was made of */
    uint64_t note;   /* for who drives the fake; goes over to what is placed */
};

enum fake_op {
    FAKE_OP_WRITE,
    FAKE_OP_PROOF_OPEN,
    FAKE_OP_PIN,
    FAKE_OP_INSPECT,
    FAKE_OP_PLACE,
    FAKE_OP_UNPLACE,
    FAKE_OP_UNPIN,
    FAKE_OP_DESCRIPTOR_NEW,
    FAKE_OP_ACCESS_CHECK,
    FAKE_OP_MAY_DUPLICATE,
    FAKE_OP_WIDENABLE,
    /* These never fail. */
    FAKE_OP_PROOF_IS_SET,
    FAKE_OP_PROOF_CLOSE,
    FAKE_OP_READ_PAUSE,
    FAKE_OP_READ_ON,
    FAKE_OP_CLOSE,
    FAKE_OP_RELEASE,
    /* Those that came later, in the same two parts; SOCKETS_MADE is one socket at the worker's hands. */
    FAKE_OP_PROCESS_OPEN,
    FAKE_OP_SOCKETS_MAKE,
    FAKE_OP_SOCKETS_MADE,
    FAKE_OP_SOCKETS_UNDO,
    FAKE_OP_PROCESS_CLOSE,
    FAKE_OP_CLOSER_REF,
    FAKE_OP_CLOSER_UNREF,
    FAKE_OP_SOCKETS_INFO,
    FAKE_OP_SOCKETS_FREE,
    /* Both may fail; LOOKED is the worker's part. */
    FAKE_OP_LOOK,
    FAKE_OP_LOOKED,
    FAKE_OP_COUNT,
};

/* What is to happen at the @at-th call of an operation from now (1: the next; 0: nothing). */
struct fake_fault {
    uint32_t at;
    int32_t code; /* 0: the operation itself does not fail */
    uint32_t win32;
    struct fake_process *exits; /* NULL: nobody */
    bool exits_after;           /* after the operation's effect, not before it */
};

/* Chances per thousand, for tests that draw from the seed. All zero: everything works. */
struct fake_chaos {
    uint32_t write_pends, write_fails, unpin_pends, proof_pends, op_fails;
    uint32_t sockets_early; /* the worker is done before sockets_make() returns, and says so late */
    uint32_t undo_fails;    /* of a socket */
    uint32_t looks_early;   /* as sockets_early */
    uint32_t exits;         /* of the process that an operation is about, in any operation … */
    uint32_t exits_other;   /* … and of another one */
    bool fragments;         /* what clients write comes in small pieces */
};

struct fake_step {
    enum fake_op op;
    uint32_t connection; /* number; 0: the operation names none */
    uint32_t pid;        /* of the process that it is about; 0: of none */
};

/* An operation that has had its effect, for who drives the fake; of sockets_make() there is one for each pin. */
struct fake_seen {
    enum fake_op op;
    struct fake_connection *connection; /* NULL: it names none; of process_open(): the caller */
    struct fake_process *process;       /* that it is about; NULL: none */
    struct fake_pin *pin;               /* NULL: none was made, or it is gone */
    struct fake_slot *slot;             /* NULL: nothing was placed, or it is gone */
    uint32_t value;                     /* of the handle, or how many bytes */
    int32_t result;                     /* 0, HBK_PLATFORM_PENDING, or an hbk_result_code */
    uint64_t ticket;                    /* of sockets that are being made */
};

/* What a worker comes to that makes sockets. */
struct fake_made {
    uint64_t ticket;
    bool failed;
    struct hbk_failure failure;
    size_t item; /* that it failed of */
};

/* What a worker comes to that looks at handle tables. */
struct fake_looked {
    uint64_t ticket;
    bool failed;
    struct hbk_failure failure;
    struct hbk_looked found;
};

/* What descriptors and processes answer; whatever stands in no table is answered no. */
struct fake_policy {
    struct {
        const char *text; /* of the descriptor */
        uint32_t pid;     /* 0: every process */
        uint32_t rights;
    } grants[FAKE_ANSWERS_MAX];
    size_t grants_count;
    struct {
        uint32_t caller, target; /* pids */
    } duplicators[FAKE_ANSWERS_MAX];
    size_t duplicators_count;
    const char *widenable_type; /* objects of this type are, others are not; NULL: none is */
    bool widenable_odd;         /* instead: objects of an odd number are */
    struct hbk_descriptor *descriptors; /* freed ones too, so that their use is seen */
    uint32_t descriptors_held;
};

struct fake_kernel {
    uint64_t now_ms;
    int64_t unix_offset_ms; /* how far the clock on the wall was put forward or back */
    uint64_t seed, random_state;
    const char *label; /* printed with a violation */
    void *owner;       /* for who drives the fake */

    struct fake_fault faults[FAKE_OP_COUNT];
    const char
        *fault_detail; /* what a failure that is asked for says about itself; NULL: nothing */
    struct fake_chaos chaos;
    bool unpins_pend, proofs_pend, sockets_early;
    struct fake_audit audit;

    struct fake_process processes[FAKE_PROCESSES_MAX];
    struct {
        char type[HBK_TYPE_BYTES_MAX + 1];
        uint32_t references;
        bool socket; /* a File that Winsock takes for one */
    } objects[FAKE_OBJECTS_MAX];
    struct fake_pin pins[FAKE_PINS_MAX];
    uint64_t pins_made;
    struct fake_policy policy;
    /* Nothing at or above these indices was ever used. */
    uint32_t objects_high, pins_high;
    uint32_t objects_low, pins_low; /* all below these are in use */
    uint32_t pins_held, pins_closing;
    struct fake_connection *connections[FAKE_CONNECTIONS_MAX];
    size_t connections_count;
    uint32_t connections_made;
    /* Ended ones too, so that their use is seen. */
    struct fake_opened *opened;
    struct hbk_closer *closers;
    struct hbk_sockets *sockets;
    struct fake_looking *looking; /* those whose worker has not returned, the oldest first */
    uint32_t opened_held, sockets_held, sockets_making;
    uint32_t sockets_made; /* ever, one by one */

    struct fake_step trace[FAKE_TRACE_MAX];
    size_t
        trace_size; /* calls since the last fake_trace_clear(); the first FAKE_TRACE_MAX are kept */

    /* Called at the moment when @bytes become readable for the client: they are told. */
    void (*told)(struct fake_connection *connection, const uint8_t *bytes, size_t size);
    /* Called around what allocates, so that injected failures of malloc hit the core alone. */
    void (*outside)(bool outside);
    /* Instead of the end of the test: must not return. */
    void (*violated)(const struct fake_kernel *kernel, const char *invariant, const char *what);
    void (*seen)(struct fake_kernel *kernel, const struct fake_seen *seen);
    /* What a process was not told of is closed there, or ends with it. */
    void (*untold_gone)(const struct fake_process *process, const struct fake_slot *slot);
    /* In place of the process that exits while an operation is about another one. */
    struct fake_process *(*another)(struct fake_kernel *kernel);
};

struct fake_kernel *fake_kernel_new(uint64_t seed);
void fake_kernel_free(struct fake_kernel *kernel);
/** fake_kernel_clear() - free all that @kernel holds, but not itself. */
void fake_kernel_clear(struct fake_kernel *kernel);

/** fake_platform() - the seam's operations over @kernel. */
struct hbk_platform fake_platform(struct fake_kernel *kernel);

/** fake_violation() - the core did what it must not: print it with the seed and end the test. */
HBK_NORETURN void fake_violation(const struct fake_kernel *kernel, const char *format, ...)
    HBK_PRINTF(2, 3);
/** fake_broken() - the same, of an invariant that has a name. */
HBK_NORETURN void fake_broken(const struct fake_kernel *kernel, const char *invariant,
                              const char *format, ...) HBK_PRINTF(3, 4);

uint64_t fake_random(struct fake_kernel *kernel);
/** fake_random_below() - evenly in 0..@limit-1. */
uint32_t fake_random_below(struct fake_kernel *kernel, uint32_t limit);

/* ---- processes and their handles ---- */

/** fake_process_start() - fails the test while the pid is running or held by the broker. */
struct fake_process *fake_process_start(struct fake_kernel *kernel, uint32_t pid);
/** fake_process_exit() - its table is emptied at once; a process that has exited is accepted. */
void fake_process_exit(struct fake_kernel *kernel, struct fake_process *process);

/** fake_handle_make() - a handle to a new object. Return: its value. */
uint32_t fake_handle_make(struct fake_kernel *kernel, struct fake_process *process,
                          const char *type, uint32_t access);
/** fake_socket_make() - a handle to a new File that is a socket. Return: its value. */
uint32_t fake_socket_make(struct fake_kernel *kernel, struct fake_process *process,
                          uint32_t access);
void fake_handle_close(struct fake_kernel *kernel, struct fake_process *process, uint32_t value);
/** fake_handle_find() - the table entry of @value, NULL if there is none. */
struct fake_slot *fake_handle_find(struct fake_process *process, uint32_t value);
/** fake_handle_is() - @value names @object of @process. */
bool fake_handle_is(struct fake_process *process, uint32_t value, uint32_t object);
uint32_t fake_handles_count(const struct fake_process *process);
uint32_t fake_handles_untold(const struct fake_process *process);
/** fake_handles_lost() - untold ones of which no write that is pending may tell, and that no worker is at. */
uint32_t fake_handles_lost(const struct fake_kernel *kernel, const struct fake_process *process);
/**
 * fake_mark_told() - the process was told of @slot, which is untold
 * @delivery: with which it can be revoked; 0: it is the process's own from now on
 * @item:     which one of that delivery it is
 */
void fake_mark_told(struct fake_kernel *kernel, struct fake_slot *slot, uint64_t delivery,
                    uint32_t item);
/** fake_revocable_by() - the pin behind @slot, if that was told with @delivery and can be revoked; else NULL. */
const struct fake_pin *fake_revocable_by(const struct fake_kernel *kernel,
                                         const struct fake_slot *slot, uint64_t delivery);
/** fake_mark_revoked() - what is left of @delivery is the process's own. */
void fake_mark_revoked(const struct fake_kernel *kernel, struct fake_process *process,
                       uint64_t delivery);

/* The two halves of fake_handle_make(): an object without reference; a table entry (0: table full). */
uint32_t fake_object_new(struct fake_kernel *kernel, const char *type);
uint32_t fake_slot_take(struct fake_kernel *kernel, struct fake_process *process, uint32_t object,
                        uint32_t access, enum fake_origin origin);
void fake_object_ref(struct fake_kernel *kernel, uint32_t object);
void fake_object_unref(struct fake_kernel *kernel, uint32_t object);

/* ---- connections ---- */

/** fake_connect() - @user: the SID that its peer has */
struct fake_connection *fake_connect(struct fake_kernel *kernel, struct fake_process *process,
                                     const char *user);
/** fake_connection_free() - of one that was released. */
void fake_connection_free(struct fake_connection *self);
/** fake_write_end() - let the pending write end; the caller then tells the core. */
void fake_write_end(struct fake_connection *self, bool told);

/** fake_proof_end() - let the pending close of the proof return; the caller then tells the core. */
void fake_proof_end(struct fake_connection *self);

/* ---- pins ---- */

/** fake_pins_held() - pins whose close has not returned. */
uint32_t fake_pins_held(const struct fake_kernel *kernel);
uint32_t fake_pins_closing(const struct fake_kernel *kernel);
/** fake_unpin_end() - let the @index-th pending close return. Return: its ticket, for the core. */
uint64_t fake_unpin_end(struct fake_kernel *kernel, uint32_t index);

/* ---- processes that were opened, and who closes pins (fake_parties.c) ---- */

/** fake_opened_held() - processes that were opened and not closed. */
uint32_t fake_opened_held(const struct fake_kernel *kernel);
/** fake_closers_held() - closers with references. */
uint32_t fake_closers_held(const struct fake_kernel *kernel);
/** fake_parties_free() - what is left of closed and ended ones. */
void fake_parties_free(struct fake_kernel *kernel);

/* ---- sockets (fake_sockets.c) ---- */

/** fake_sockets_making() - calls of sockets_make() whose worker has not returned. */
uint32_t fake_sockets_making(const struct fake_kernel *kernel);
/** fake_sockets_end() - let the @index-th of them return: unless it has done so early, its worker does its work
 * now. The caller then tells the core. */
struct fake_made fake_sockets_end(struct fake_kernel *kernel, uint32_t index);
/** fake_sockets_held() - those that were not freed. */
uint32_t fake_sockets_held(const struct fake_kernel *kernel);
/** fake_sockets_at() - a worker is at the socket that @slot belongs to. */
bool fake_sockets_at(const struct fake_kernel *kernel, const struct fake_slot *slot);
/** fake_socket_find() - what the information of @text is about in @process; NULL: nothing. */
struct fake_slot *fake_socket_find(struct fake_process *process, struct hbk_text text);
/** fake_sockets_free() - what is left of freed ones. */
void fake_sockets_free(struct fake_kernel *kernel);

/* ---- looks at handle tables (fake_looks.c) ---- */

/** fake_looks_pending() - those whose worker has not returned. */
uint32_t fake_looks_pending(const struct fake_kernel *kernel);
/** fake_look_of() - one of that ticket is among them. */
bool fake_look_of(const struct fake_kernel *kernel, uint64_t ticket);
/** fake_look_end() - let the @index-th of them return: unless it has done so early, its worker looks now. The
 * caller then tells the core. What was found stays until fake_look_free(). */
struct fake_looked fake_look_end(struct fake_kernel *kernel, uint32_t index);
void fake_look_free(struct fake_looked *looked);
/** fake_looks_free() - those that never return. */
void fake_looks_free(struct fake_kernel *kernel);

/* ---- who may do what (fake_policy.c) ---- */

/** fake_token_grants() - those of @wanted that a descriptor of that text grants to @token. @label: the integrity
 * that it asks for at least, 0: none. */
uint32_t fake_token_grants(const struct fake_token *token, const char *text, uint32_t label,
                           uint32_t wanted);
/** fake_token_may_duplicate() - may @caller duplicate handles into a process of @target? */
bool fake_token_may_duplicate(const struct fake_token *caller, const struct fake_token *target);

/** fake_descriptor() - one that the operator's file would have. The text borrows. */
struct hbk_descriptor *fake_descriptor(struct fake_kernel *kernel, const char *text);
/** fake_grant() - descriptors of that text (borrowed) grant exactly @rights to process @pid (0: to all). */
void fake_grant(struct fake_kernel *kernel, const char *text, uint32_t pid, uint32_t rights);
/** fake_may_duplicate() - from now on @caller may duplicate handles into @target, or may not. */
void fake_may_duplicate(struct fake_kernel *kernel, uint32_t caller, uint32_t target, bool may);
uint32_t fake_descriptors_held(const struct fake_kernel *kernel);
/** fake_policy_free() - what is left of freed descriptors. */
void fake_policy_free(struct fake_kernel *kernel);
/* ---- faults and books ---- */

/** fake_fail() - the @at-th call of @op from now fails with @code. */
void fake_fail(struct fake_kernel *kernel, enum fake_op op, uint32_t at, int32_t code,
               uint32_t win32);
/** fake_exit_at() - @process ends inside the @at-th call of @op from now. */
void fake_exit_at(struct fake_kernel *kernel, enum fake_op op, uint32_t at,
                  struct fake_process *process, bool after);

void fake_trace_clear(struct fake_kernel *kernel);
uint32_t fake_trace_count(const struct fake_kernel *kernel, enum fake_op op);
/** fake_trace_find() - index of the @nth (from 1) call of @op on @connection, SIZE_MAX if none. */
size_t fake_trace_find(const struct fake_kernel *kernel, enum fake_op op,
                       const struct fake_connection *connection, uint32_t nth);

/** fake_hash() - one number over all tables and pins: equal if nothing changed. */
uint64_t fake_hash(const struct fake_kernel *kernel);

/** fake_check() - the books agree: each object has as many references as tables and pins show. */
void fake_check(const struct fake_kernel *kernel);

#endif
