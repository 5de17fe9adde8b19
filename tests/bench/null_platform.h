/* A machine that does nothing, as fast as can be: the seam of service/platform for a benchmark of the core alone.
 * Every handle is an event with all rights, every write is told at once, everybody may do everything, and no
 * clock moves by itself. What was done is counted, so that a benchmark of nothing is noticed. */
#ifndef HBK_NULL_PLATFORM_H
#define HBK_NULL_PLATFORM_H

#include "base.h"
#include "platform.h"

struct null_kernel {
    uint64_t now_ms;
    uint64_t pins, unpins, places, writes, reads;
    uint64_t bytes; /* written */
    /* Sees all that is written; NULL: nobody looks. */
    void (*look)(const uint8_t *bytes, size_t size);
};

/* One client's end, made by who drives the core. */
struct null_connection {
    struct null_kernel *kernel;
    bool closed, released;
};

/** null_platform() - the seam's operations over @kernel, which must outlive them. */
struct hbk_platform null_platform(struct null_kernel *kernel);

#endif
