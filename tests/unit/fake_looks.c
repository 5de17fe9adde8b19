/* The operation of platform.h over the fake kernel that looks at handle tables, on a worker: at what stands in them when
 * the worker is at it, which may be long after, or before, the core hears of it. */
#include "fake_seam.h"

#include "limits.h"
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

enum { SLOT_VALUE = 4 };

struct fake_looking {
    struct fake_kernel *kernel;
    struct fake_looking *next;
    struct fake_process *process;
    struct hbk_look what;
    bool done;
    struct fake_looked looked;
    struct hbk_looked_handle handles[HBK_PAGE_HANDLES_MAX];
};

/* ---- the worker ---- */

/* In order of pid and value, and no more than are asked for. */
static void add(struct fake_looking *self, const struct fake_process *process, size_t index)
{
    struct hbk_looked *found = &self->looked.found;
    const struct fake_slot *slot = &process->slots[index];
    struct hbk_looked_handle handle = {.pid = process->pid,
                                       .handle = (uint32_t)(index + 1) * SLOT_VALUE,
                                       .access = slot->access,
                                       .inherit = slot->inherit,
                                       .protect = slot->protect};
    size_t at = found->count;
    if (!self->what.holders)
        memcpy(handle.type, self->kernel->objects[slot->object].type, sizeof handle.type);
    while (at > 0 && self->handles[at - 1].pid > handle.pid)
        --at;
    if (found->count == self->what.limit) {
        found->complete = false;
        if (at == found->count)
            return;
        --found->count;
    }
    memmove(&self->handles[at + 1], &self->handles[at],
            (found->count - at) * sizeof self->handles[0]);
    self->handles[at] = handle;
    ++found->count;
}

static void look_at_table(struct fake_looking *self)
{
    const struct fake_process *process = self->process;
    for (size_t i = self->what.handle / SLOT_VALUE; i < process->slots_high; ++i)
        if (process->slots[i].object)
            add(self, process, i);
}

static void look_for_holders(struct fake_looking *self, uint32_t object)
{
    struct fake_kernel *kernel = self->kernel;
    struct hbk_looked *found = &self->looked.found;
    memcpy(found->type, kernel->objects[object].type, sizeof found->type);
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        for (size_t j = 0; j < kernel->processes[i].slots_high; ++j)
            if (kernel->processes[i].running && kernel->processes[i].slots[j].object == object)
                add(self, &kernel->processes[i], j);
    for (size_t i = 0; i < kernel->pins_high; ++i)
        found->own += kernel->pins[i].state != FAKE_PIN_FREE && kernel->pins[i].object == object;
    for (size_t i = 0; i < kernel->connections_count; ++i)
        found->own += kernel->connections[i]->proof_object == object;
}

static void work(struct fake_looking *self)
{
    struct fake_kernel *kernel = self->kernel;
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_LOOKED, NULL, self->process);
    const struct fake_slot *slot = NULL;
    self->done = true;
    if (plan.code == 0 && !self->process->running)
        fake_refuse(&plan, HBK_R_NOT_FOUND, 0);
    if (plan.code == 0 && self->what.holders)
        slot = fake_handle_find(self->process, self->what.handle);
    if (plan.code == 0 && self->what.holders && !slot)
        fake_refuse(&plan, HBK_R_BAD_HANDLE, 0);
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_LOOKED,
                                         .process = self->process,
                                         .value = self->what.handle,
                                         .ticket = self->looked.ticket,
                                         .result = plan.code});
    self->looked.failed = plan.code != 0;
    if (plan.code) {
        fake_failure(kernel, &self->looked.failure, &plan);
        return;
    }
    self->looked.found.complete = true;
    if (slot)
        look_for_holders(self, slot->object);
    else
        look_at_table(self);
    fake_leave(kernel, &plan);
}

/* ---- the operation ---- */

static int op_look(void *party, const struct hbk_look *what, uint64_t ticket,
                   struct hbk_failure *ret_failure)
{
    struct fake_party self = fake_party_use(party, "look");
    struct fake_kernel *kernel = self.kernel;
    if (what->limit == 0 || what->limit > HBK_PAGE_HANDLES_MAX)
        fake_violation(kernel, "look() for %u handles", what->limit);
    if (what->handle % SLOT_VALUE != 0 || what->handle > HBK_HANDLE_MAX ||
        (what->holders && what->handle < HBK_HANDLE_MIN))
        fake_broken(kernel, "no pseudo-handles", "look() at %u", what->handle);
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_LOOK, self.connection, self.process);
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_LOOK,
                                         .connection = self.connection,
                                         .process = self.process,
                                         .value = what->handle,
                                         .ticket = ticket,
                                         .result = plan.code ? plan.code : HBK_PLATFORM_PENDING});
    if (plan.code)
        return fake_failure(kernel, ret_failure, &plan);
    struct fake_looking *looking = fake_alloc(kernel, sizeof *looking);
    struct fake_looking **at = &kernel->looking;
    looking->kernel = kernel;
    looking->process = self.process;
    looking->what = *what;
    looking->looked.ticket = ticket;
    while (*at)
        at = &(*at)->next;
    *at = looking;
    ++self.process->references;
    if (fake_chance(kernel, kernel->chaos.looks_early))
        work(looking);
    fake_leave(kernel, &plan);
    return HBK_PLATFORM_PENDING;
}

struct fake_looked fake_look_end(struct fake_kernel *kernel, uint32_t index)
{
    struct fake_looking **at = &kernel->looking;
    while (*at && index--)
        at = &(*at)->next;
    struct fake_looking *self = *at;
    if (!self) {
        fail_msg("%s", "nobody looks");
        return (struct fake_looked){0};
    }
    if (!self->done)
        work(self);
    *at = self->next;
    --self->process->references;
    struct fake_looked looked = self->looked;
    size_t size = looked.found.count * sizeof self->handles[0];
    struct hbk_looked_handle *handles = fake_alloc(kernel, size + 1);
    memcpy(handles, self->handles, size);
    looked.found.handles = handles;
    free(self);
    return looked;
}

void fake_look_free(struct fake_looked *looked)
{
    free((void *)(uintptr_t)looked->found.handles);
    looked->found.handles = NULL;
}

/* ---- books ---- */

uint32_t fake_looks_pending(const struct fake_kernel *kernel)
{
    uint32_t count = 0;
    for (const struct fake_looking *self = kernel->looking; self; self = self->next)
        ++count;
    return count;
}

bool fake_look_of(const struct fake_kernel *kernel, uint64_t ticket)
{
    const struct fake_looking *self = kernel->looking;
    while (self && self->looked.ticket != ticket)
        self = self->next;
    return self != NULL;
}

void fake_looks_check(const struct fake_kernel *kernel, uint32_t *references)
{
    for (const struct fake_looking *self = kernel->looking; self; self = self->next)
        ++references[self->process - kernel->processes];
}

void fake_looks_free(struct fake_kernel *kernel)
{
    while (kernel->looking) {
        struct fake_looking *next = kernel->looking->next;
        free(kernel->looking);
        kernel->looking = next;
    }
}

void fake_looks_ops(struct hbk_platform *platform)
{
    platform->look = op_look;
}
