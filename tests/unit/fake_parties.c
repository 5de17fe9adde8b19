/* The operations of platform.h over the fake kernel: processes that are opened, and who closes pins. */
#include "fake_seam.h"

#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- either kind of party ---- */

static struct fake_party party_of_opened(struct fake_opened *opened, const char *operation)
{
    if (opened->closed)
        fake_violation(opened->kernel, "%s() of process %u, which is closed", operation,
                       opened->process->pid);
    return (struct fake_party){.kernel = opened->kernel,
                               .process = opened->process,
                               .user = opened->user,
                               .via = opened->via};
}

static struct fake_party party_of_connection(struct fake_connection *connection)
{
    return (struct fake_party){.kernel = connection->kernel,
                               .process = connection->process,
                               .connection = connection,
                               .user = connection->user};
}

static bool is_opened(const void *party)
{
    return *(const enum fake_party_kind *)party == FAKE_PARTY_OPENED;
}

struct fake_party fake_party_use(void *party, const char *operation)
{
    if (is_opened(party))
        return party_of_opened(party, operation);
    struct fake_connection *connection = fake_use(party, operation);
    if (!connection->proven)
        fake_violation(connection->kernel, "%s() for a session that is not proven", operation);
    return party_of_connection(connection);
}

struct fake_party fake_party_held(void *party, const char *operation)
{
    if (is_opened(party))
        return party_of_opened(party, operation);
    return party_of_connection(fake_held(party, operation));
}

void fake_party_forget(struct fake_kernel *kernel, const struct fake_connection *connection)
{
    for (struct fake_opened *opened = kernel->opened; opened; opened = opened->next)
        if (opened->caller == connection)
            opened->caller = NULL;
    for (size_t i = 0; i < kernel->pins_high && connection->pins; ++i)
        if (kernel->pins[i].owner == connection)
            kernel->pins[i].owner = NULL;
}

/* ---- processes ---- */

static struct fake_process *running(struct fake_kernel *kernel, uint32_t pid)
{
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        if (kernel->processes[i].running && kernel->processes[i].pid == pid)
            return &kernel->processes[i];
    return NULL;
}

static struct fake_opened *opened_new(struct fake_connection *caller, struct fake_process *process)
{
    struct fake_kernel *kernel = caller->kernel;
    struct fake_opened *opened = fake_alloc(kernel, sizeof *opened);
    opened->kind = FAKE_PARTY_OPENED;
    opened->kernel = kernel;
    opened->process = process;
    opened->caller = caller;
    opened->via = caller->number;
    memcpy(opened->user, caller->user, sizeof opened->user);
    opened->next = kernel->opened;
    kernel->opened = opened;
    ++kernel->opened_held;
    ++process->references;
    return opened;
}

static int op_process_open(void *caller, uint32_t pid, void **ret_party,
                           struct hbk_failure *ret_failure)
{
    if (is_opened(caller))
        fake_violation(((struct fake_opened *)caller)->kernel,
                       "process_open() for what is no connection");
    struct fake_connection *self = fake_party_use(caller, "process_open").connection;
    struct fake_kernel *kernel = self->kernel;
    struct fake_process *process = running(kernel, pid);
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_PROCESS_OPEN, self, process);
    if (plan.code == 0 && (!process || !process->running))
        fake_refuse(&plan, HBK_R_NOT_FOUND, FAKE_OS_INVALID_PARAMETER);
    if (plan.code == 0 && !fake_may(kernel, self->process, process))
        fake_refuse(&plan, HBK_R_DENIED, FAKE_OS_ACCESS_DENIED);
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_PROCESS_OPEN,
                                         .connection = self,
                                         .process = process,
                                         .value = pid,
                                         .result = plan.code});
    if (plan.code || !process)
        return fake_failure(kernel, ret_failure, &plan);
    *ret_party = opened_new(self, process);
    fake_leave(kernel, &plan);
    return 0;
}

static void op_process_close(void *party)
{
    if (!party)
        return;
    struct fake_opened *self = party;
    if (self->kind != FAKE_PARTY_OPENED)
        fake_violation(((struct fake_connection *)party)->kernel,
                       "process_close() of a connection");
    (void)party_of_opened(self, "process_close");
    struct fake_kernel *kernel = self->kernel;
    self->closed = true;
    --kernel->opened_held;
    --self->process->references;
    fake_trace_add(kernel, FAKE_OP_PROCESS_CLOSE, self->caller, self->process);
    fake_touch(kernel, &(struct fake_seen){.op = FAKE_OP_PROCESS_CLOSE,
                                           .connection = self->caller,
                                           .process = self->process,
                                           .value = self->process->pid});
}

uint32_t fake_opened_held(const struct fake_kernel *kernel)
{
    return kernel->opened_held;
}

/* ---- closers ---- */

struct hbk_closer *fake_closer_of(struct fake_kernel *kernel, const char *user)
{
    for (struct hbk_closer *closer = kernel->closers; closer; closer = closer->next)
        if (!closer->ended && strcmp(closer->user, user) == 0)
            return closer;
    struct hbk_closer *closer = fake_alloc(kernel, sizeof *closer);
    closer->kernel = kernel;
    snprintf(closer->user, sizeof closer->user, "%s", user);
    closer->next = kernel->closers;
    kernel->closers = closer;
    return closer;
}

void fake_closer_use(struct fake_kernel *kernel, const struct hbk_closer *closer,
                     const char *operation)
{
    if (!closer || closer->references == 0)
        fake_violation(kernel, "%s() with a closer that has ended", operation);
}

static struct hbk_closer *op_closer_ref(void *connection)
{
    struct fake_connection *self = fake_held(connection, "closer_ref");
    struct hbk_closer *closer = fake_closer_of(self->kernel, self->user);
    ++closer->references;
    fake_trace_add(self->kernel, FAKE_OP_CLOSER_REF, self, NULL);
    fake_see(self->kernel, &(struct fake_seen){.op = FAKE_OP_CLOSER_REF,
                                               .connection = self,
                                               .value = closer->references});
    return closer;
}

static void op_closer_unref(void *context, struct hbk_closer *closer)
{
    struct fake_kernel *kernel = context;
    fake_closer_use(kernel, closer, "closer_unref");
    if (closer->references == 1 && (closer->pins || closer->working))
        fake_violation(kernel, "closer_unref() of %s with %u pins left and %u workers at work",
                       closer->user, closer->pins, closer->working);
    closer->ended = --closer->references == 0;
    fake_trace_add(kernel, FAKE_OP_CLOSER_UNREF, NULL, NULL);
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_CLOSER_UNREF, .value = closer->references});
}

uint32_t fake_closers_held(const struct fake_kernel *kernel)
{
    uint32_t count = 0;
    for (const struct hbk_closer *closer = kernel->closers; closer; closer = closer->next)
        count += closer->references != 0;
    return count;
}

/* ---- books ---- */

static void check_closer(const struct fake_kernel *kernel, const struct hbk_closer *closer)
{
    uint32_t pins = 0;
    for (size_t i = 0; i < kernel->pins_high; ++i)
        pins += kernel->pins[i].state != FAKE_PIN_FREE && kernel->pins[i].closer == closer;
    if (pins != closer->pins)
        fake_violation(kernel, "%u pins are held of %s, its closer counts %u", pins, closer->user,
                       closer->pins);
}

void fake_parties_check(const struct fake_kernel *kernel, uint32_t *references)
{
    uint32_t held = 0;
    for (const struct fake_opened *opened = kernel->opened; opened; opened = opened->next)
        if (!opened->closed) {
            ++references[opened->process - kernel->processes];
            ++held;
        }
    if (held != kernel->opened_held)
        fake_violation(kernel, "%u processes are open, %u are counted", held, kernel->opened_held);
    for (const struct hbk_closer *closer = kernel->closers; closer; closer = closer->next)
        if (closer->pins)
            check_closer(kernel, closer);
}

void fake_parties_free(struct fake_kernel *kernel)
{
    while (kernel->opened) {
        struct fake_opened *next = kernel->opened->next;
        free(kernel->opened);
        kernel->opened = next;
    }
    while (kernel->closers) {
        struct hbk_closer *next = kernel->closers->next;
        free(kernel->closers);
        kernel->closers = next;
    }
}

void fake_parties_ops(struct hbk_platform *platform)
{
    platform->process_open = op_process_open;
    platform->process_close = op_process_close;
    platform->closer_ref = op_closer_ref;
    platform->closer_unref = op_closer_unref;
}
