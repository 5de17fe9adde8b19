/* The processes that hbctl bench starts: hbctl again, as the target of the hand-offs, and as relay and
 * target of the floor. They are told what to do in one argument, "ROLE,NUMBER,…", whose numbers are values of
 * handles that they have inherited. */
#ifndef HBCTL_BENCH_CHILD_H
#define HBCTL_BENCH_CHILD_H

#include "hbctl.h"

/* What goes through the floor's pipes: as many bytes as the protocol's lines have, about. */
struct bench_request {
    uint64_t handle;
    uint8_t rest[248];
};

struct bench_answer {
    uint64_t handle;
    uint8_t rest[120];
};

#define BENCH_END "end" /* the data of the last delivery */

/** bench_child() - be the child that @role says. Return: its exit code, EXIT_DONE if nothing went
 * wrong. */
enum exit_code bench_child(const struct arguments *arguments, const char *role);

/** bench_read(), bench_write() - all of it. Return: false at the other side's end, or an error. */
bool bench_read(HANDLE pipe, void *bytes, DWORD size);
bool bench_write(HANDLE pipe, const void *bytes, DWORD size);

#endif
