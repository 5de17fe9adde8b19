/* What the operations of the fake kernel share. */
#ifndef FAKE_SEAM_H
#define FAKE_SEAM_H

#include "fake_platform.h"

enum {
    FAKE_OS_ACCESS_DENIED = 5,
    FAKE_OS_INVALID_PARAMETER = 87,
    FAKE_OS_NO_RESOURCES = 1450,
    FAKE_OS_NOT_SOCKET = 10038
};

/* What is to become of one call. */
struct fake_plan {
    int32_t code; /* 0: go on */
    uint32_t win32;
    struct fake_process *exits_after;
};

/* What process_open() gives. */
struct fake_opened {
    enum fake_party_kind kind;
    struct fake_kernel *kernel;
    struct fake_opened *next;
    struct fake_process *process;
    struct fake_connection *caller;   /* NULL: it is freed */
    char user[HBK_SID_BYTES_MAX + 1]; /* of the caller: who closes what is pinned there */
    uint32_t via;                     /* the caller's number */
    bool closed;
};

struct hbk_closer {
    struct fake_kernel *kernel;
    struct hbk_closer *next;
    char user[HBK_SID_BYTES_MAX + 1];
    uint32_t references;
    bool ended;       /* it was let go of: a later one of that user is another one */
    uint32_t pins;    /* of its user: open ones, and those that are being closed */
    uint32_t working; /* workers that make sockets at its cost */
};

/* A party, whichever kind it is of. */
struct fake_party {
    struct fake_kernel *kernel;
    struct fake_process *process;
    struct fake_connection *connection; /* NULL: process_open() gave it */
    const char *user;
    uint32_t via; /* as in struct fake_slot */
};

bool fake_chance(struct fake_kernel *kernel, uint32_t per_mille);
/** fake_alloc() - zeroed; is no allocation of the core's. */
void *fake_alloc(struct fake_kernel *kernel, size_t size);
/**
 * fake_enter() - what every operation that may fail starts with; fake_leave() or fake_failure() ends it
 * @connection: NULL: it names none
 * @process:    that it is about; NULL: none
 */
struct fake_plan fake_enter(struct fake_kernel *kernel, enum fake_op op,
                            struct fake_connection *connection, struct fake_process *process);
void fake_leave(struct fake_kernel *kernel, const struct fake_plan *plan);
void fake_refuse(struct fake_plan *plan, int32_t code, uint32_t win32);
int fake_failure(struct fake_kernel *kernel, struct hbk_failure *ret_failure,
                 const struct fake_plan *plan);
/** fake_trace_add() - part of fake_enter(). */
void fake_trace_add(struct fake_kernel *kernel, enum fake_op op,
                    const struct fake_connection *connection, const struct fake_process *process);
void fake_see(struct fake_kernel *kernel, const struct fake_seen *seen);
/** fake_touch() - an operation that never fails; processes may exit in it all the same. */
void fake_touch(struct fake_kernel *kernel, const struct fake_seen *seen);
/** fake_use() - a connection that the core may still talk to. */
struct fake_connection *fake_use(void *connection, const char *operation);
/** fake_held() - a connection that the core has not let go of: also closed. */
struct fake_connection *fake_held(void *connection, const char *operation);
/** fake_begin() - what each operation starts with: @party must be open, and what the test planned for @op
 * happens. Return: false: it is to fail; @ret_failure (may be NULL) says how. */
bool fake_begin(void *party, enum fake_op op, const char *operation,
                struct hbk_failure *ret_failure);
/** fake_pin_find() - of an open pin; else a violation by @operation. */
struct fake_pin *fake_pin_find(struct fake_kernel *kernel, hbk_pin id, const char *operation);

/** fake_party_use() - as fake_use(), of either kind; a connection must be proven. */
struct fake_party fake_party_use(void *party, const char *operation);
/** fake_party_held() - as fake_held(), of either kind. */
struct fake_party fake_party_held(void *party, const char *operation);
/** fake_party_forget() - @connection is about to be freed. */
void fake_party_forget(struct fake_kernel *kernel, const struct fake_connection *connection);
/** fake_closer_of() - who closes for @user, referenced or not. */
struct hbk_closer *fake_closer_of(struct fake_kernel *kernel, const char *user);
/** fake_closer_use() - @closer must have references. */
void fake_closer_use(struct fake_kernel *kernel, const struct hbk_closer *closer,
                     const char *operation);
/** fake_parties_check() - the books of closers; @references: of each process, added to. */
void fake_parties_check(const struct fake_kernel *kernel, uint32_t *references);

/** fake_sockets_check() - the books of sockets; @references: of each process, added to. */
void fake_sockets_check(const struct fake_kernel *kernel, uint32_t *references);

/** fake_looks_check() - @references: of each process, added to. */
void fake_looks_check(const struct fake_kernel *kernel, uint32_t *references);

/** fake_mark_left() - @slot, which is untold, could not be taken back. */
void fake_mark_left(struct fake_kernel *kernel, const struct fake_process *process,
                    struct fake_slot *slot);

/** fake_may() - what may_duplicate() answers of processes. */
bool fake_may(const struct fake_kernel *kernel, const struct fake_process *caller,
              const struct fake_process *target);

/** fake_handles_ops(), … - fill in those operations. */
void fake_handles_ops(struct hbk_platform *platform);
void fake_looks_ops(struct hbk_platform *platform);
void fake_parties_ops(struct hbk_platform *platform);
void fake_policy_ops(struct hbk_platform *platform);
void fake_sockets_ops(struct hbk_platform *platform);

#endif
