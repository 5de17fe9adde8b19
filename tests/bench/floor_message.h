/* What the floor's three processes write to each other: plain structures of fixed size in byte
 * pipes. Sizes as in a hand-off by the product: some 256 bytes there, some 128 back. */
#ifndef HBK_BENCH_FLOOR_MESSAGE_H
#define HBK_BENCH_FLOOR_MESSAGE_H

#include <stdint.h>

#define FLOOR_PIPE_SOURCE L"\\\\.\\pipe\\hbk-bench-source-"
#define FLOOR_PIPE_TARGET L"\\\\.\\pipe\\hbk-bench-target-"

enum floor_kind {
    FLOOR_EVENT = 1, /* set it and close it */
    FLOOR_FILE,      /* read and check it, set the signal, close the file */
    FLOOR_SETUP,     /* this is the signal: keep it */
    FLOOR_CAPACITY,  /* no handle: read at most as many requests at once as `slot` says */
};

/* S to the relay, with a handle of S's, and the relay to T, with a handle of T's. */
struct floor_request {
    uint32_t kind;
    uint32_t slot;
    uint64_t handle;
    uint8_t rest[240];
};

/* The relay to S. */
struct floor_answer {
    uint32_t error;
    uint32_t slot;
    uint64_t handle;
    uint8_t rest[112];
};

_Static_assert(sizeof(struct floor_request) == 256, "as testing.md defines the floor");
_Static_assert(sizeof(struct floor_answer) == 128, "as testing.md defines the floor");

#endif
