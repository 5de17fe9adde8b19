/* What the operations of the fake kernel share. */
#ifndef FAKE_SEAM_H
#define FAKE_SEAM_H

#include "fake_platform.h"

enum { FAKE_OS_ACCESS_DENIED = 5, FAKE_OS_NO_RESOURCES = 1450 };

/* What is to become of one call. */
struct fake_plan {
    int32_t code; /* 0: go on */
    uint32_t win32;
    struct fake_process *exits_after;
};

bool fake_chance(struct fake_kernel *kernel, uint32_t per_mille);
/** fake_enter() - what every operation that may fail starts with; fake_leave() or fake_failure() ends it. */
struct fake_plan fake_enter(struct fake_kernel *kernel, enum fake_op op,
                            struct fake_connection *connection);
void fake_leave(struct fake_kernel *kernel, const struct fake_plan *plan);
void fake_refuse(struct fake_plan *plan, int32_t code, uint32_t win32);
int fake_failure(struct fake_kernel *kernel, struct hbk_failure *ret_failure,
                 const struct fake_plan *plan);
void fake_see(struct fake_kernel *kernel, const struct fake_seen *seen);
/** fake_use() - a connection that the core may still talk to. */
struct fake_connection *fake_use(void *connection, const char *operation);
/** fake_held() - a connection that the core has not let go of: also closed. */
struct fake_connection *fake_held(void *connection, const char *operation);

/** fake_handles_ops() - fill in those operations. */
void fake_handles_ops(struct hbk_platform *platform);

#endif
