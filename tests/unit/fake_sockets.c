/* The operations of platform.h over the fake kernel: sockets that a worker makes for a process. Each puts a handle
 * into its table at the moment when the worker is at it, and has a text that names it and nothing else. */
#include "fake_seam.h"

#include "limits.h"
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

enum state { MAKING, MADE, FAILED };

struct item {
    hbk_pin pin;
    uint32_t value;  /* of the handle in the process */
    uint32_t number; /* as in struct fake_slot.socket; 0: not made, or taken back */
    char text[FAKE_SOCKET_TEXT_BYTES + 1];
};

struct hbk_sockets {
    struct fake_kernel *kernel;
    struct hbk_sockets *next;
    struct fake_process *process;
    struct hbk_closer *closer;
    enum state state;
    bool done; /* the worker is, and may not have returned */
    bool freed;
    struct fake_made made;
    size_t count;
    struct item items[HBK_SOCKETS_MAX];
};

/* ---- what names a socket ---- */

static void put_triple(char *out, uint32_t bits)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (unsigned i = 0; i < 4; ++i)
        out[i] = digits[bits >> (18 - 6 * i) & 0x3F];
}

/* Base64 of six bytes: two that are always the same, and the number. */
static void name_socket(uint32_t number, char ret_text[FAKE_SOCKET_TEXT_BYTES + 1])
{
    put_triple(ret_text, UINT32_C(0xB0CE00) | number >> 24);
    put_triple(ret_text + 4, number & 0xFFFFFF);
    ret_text[FAKE_SOCKET_TEXT_BYTES] = 0;
}

struct fake_slot *fake_socket_find(struct fake_process *process, struct hbk_text text)
{
    char name[FAKE_SOCKET_TEXT_BYTES + 1];
    for (size_t i = 0; i < process->slots_high; ++i) {
        struct fake_slot *slot = &process->slots[i];
        if (!slot->object || !slot->socket)
            continue;
        name_socket(slot->socket, name);
        if (hbk_text_is(text, name))
            return slot;
    }
    return NULL;
}

/* ---- the worker ---- */

static struct fake_slot *slot_of(const struct hbk_sockets *self, const struct item *item)
{
    struct fake_slot *slot = item->number ? fake_handle_find(self->process, item->value) : NULL;
    return slot && slot->socket == item->number ? slot : NULL;
}

static void take_back(struct hbk_sockets *self, struct item *item)
{
    if (slot_of(self, item))
        fake_handle_close(self->kernel, self->process, item->value);
    item->number = 0;
}

/* Return: 0, or an hbk_result_code. */
static int32_t make_one(struct hbk_sockets *self, struct item *item)
{
    struct fake_kernel *kernel = self->kernel;
    struct fake_pin *pin = fake_pin_find(kernel, item->pin, "the worker of sockets_make");
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_SOCKETS_MADE, NULL, self->process);
    if (plan.code == 0 && !self->process->running)
        fake_refuse(&plan, HBK_R_TARGET_GONE, FAKE_OS_ACCESS_DENIED);
    if (plan.code == 0 && !kernel->objects[pin->object].socket)
        fake_refuse(&plan, HBK_R_TYPE_MISMATCH, FAKE_OS_NOT_SOCKET);
    uint32_t value = plan.code ? 0
                               : fake_slot_take(kernel, self->process, pin->object, pin->access,
                                                FAKE_ORIGIN_UNTOLD);
    if (plan.code == 0 && value == 0)
        fake_refuse(&plan, HBK_R_OS_ERROR, FAKE_OS_NO_RESOURCES);
    struct fake_slot *slot = value ? fake_handle_find(self->process, value) : NULL;
    if (slot) {
        item->value = value;
        item->number = slot->socket = ++kernel->sockets_made;
        slot->pin = pin->id;
        slot->note = pin->note;
        name_socket(item->number, item->text);
    }
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_SOCKETS_MADE,
                                         .process = self->process,
                                         .pin = pin,
                                         .slot = slot,
                                         .value = value,
                                         .ticket = self->made.ticket,
                                         .result = plan.code});
    self->made.failed = plan.code != 0;
    if (plan.code)
        fake_failure(kernel, &self->made.failure, &plan);
    else
        fake_leave(kernel, &plan);
    return plan.code;
}

/* All are made, or none is. */
static void work(struct hbk_sockets *self)
{
    self->done = true;
    for (size_t i = 0; i < self->count; ++i) {
        if (make_one(self, &self->items[i]) == 0)
            continue;
        self->made.item = i;
        while (i-- > 0)
            take_back(self, &self->items[i]);
        return;
    }
}

static void settle_pins(struct hbk_sockets *self, bool begin)
{
    for (size_t i = 0; i < self->count; ++i) {
        struct fake_pin *pin = fake_pin_find(self->kernel, self->items[i].pin, "sockets_make");
        pin->making += begin ? 1u : UINT32_MAX;
    }
}

struct fake_made fake_sockets_end(struct fake_kernel *kernel, uint32_t index)
{
    for (struct hbk_sockets *self = kernel->sockets; self; self = self->next) {
        if (self->state != MAKING || index--)
            continue;
        if (!self->done)
            work(self);
        self->state = self->made.failed ? FAILED : MADE;
        settle_pins(self, false);
        --self->closer->working;
        --kernel->sockets_making;
        return self->made;
    }
    fail_msg("%s", "no sockets are being made");
    return (struct fake_made){0};
}

/* ---- the operations ---- */

static struct hbk_sockets *sockets_new(const struct fake_party *party, struct hbk_closer *closer,
                                       const hbk_pin *pins, size_t count, uint64_t ticket)
{
    struct fake_kernel *kernel = party->kernel;
    struct hbk_sockets *self = fake_alloc(kernel, sizeof *self);
    self->kernel = kernel;
    self->process = party->process;
    self->closer = closer;
    self->made.ticket = ticket;
    self->count = count;
    for (size_t i = 0; i < count; ++i)
        self->items[i].pin = pins[i];
    self->next = kernel->sockets;
    kernel->sockets = self;
    ++kernel->sockets_held;
    ++kernel->sockets_making;
    ++self->process->references;
    ++closer->working;
    settle_pins(self, true);
    return self;
}

static int op_sockets_make(void *party, struct hbk_closer *closer, const hbk_pin *pins,
                           size_t count, uint64_t ticket, struct hbk_sockets **ret_sockets,
                           struct hbk_failure *ret_failure)
{
    struct fake_party target = fake_party_use(party, "sockets_make");
    struct fake_kernel *kernel = target.kernel;
    fake_closer_use(kernel, closer, "sockets_make");
    if (count == 0 || count > HBK_SOCKETS_MAX)
        fake_violation(kernel, "sockets_make() of %zu", count);
    for (size_t i = 0; i < count; ++i)
        if (!fake_pin_find(kernel, pins[i], "sockets_make")->inspected)
            fake_violation(kernel, "sockets_make() of a pin that nobody looked at");
    struct fake_plan plan =
        fake_enter(kernel, FAKE_OP_SOCKETS_MAKE, target.connection, target.process);
    for (size_t i = 0; i < count; ++i)
        fake_see(kernel,
                 &(struct fake_seen){.op = FAKE_OP_SOCKETS_MAKE,
                                     .connection = target.connection,
                                     .process = target.process,
                                     .pin = fake_pin_find(kernel, pins[i], "sockets_make"),
                                     .value = (uint32_t)i,
                                     .ticket = ticket,
                                     .result = plan.code ? plan.code : HBK_PLATFORM_PENDING});
    if (plan.code)
        return fake_failure(kernel, ret_failure, &plan);
    struct hbk_sockets *self = sockets_new(&target, closer, pins, count, ticket);
    if (kernel->sockets_early || fake_chance(kernel, kernel->chaos.sockets_early))
        work(self);
    *ret_sockets = self;
    fake_leave(kernel, &plan);
    return HBK_PLATFORM_PENDING;
}

/* Those of a worker that has returned, and made them. */
static const struct item *made_item(const struct hbk_sockets *self, size_t index,
                                    const char *operation)
{
    if (self->freed)
        fake_violation(self->kernel, "%s() of sockets that are freed", operation);
    if (self->state != MADE || index >= self->count)
        fake_violation(self->kernel, "%s() of socket %zu, which is not made", operation, index);
    return &self->items[index];
}

static const char *op_sockets_info(const struct hbk_sockets *sockets, size_t index)
{
    const struct item *item = made_item(sockets, index, "sockets_info");
    fake_trace_add(sockets->kernel, FAKE_OP_SOCKETS_INFO, NULL, sockets->process);
    return item->text;
}

/* A value that the process has closed, or uses for another object, is not touched. */
static bool op_sockets_undo(struct hbk_sockets *self, size_t index, hbk_pin id)
{
    (void)made_item(self, index, "sockets_undo");
    struct fake_kernel *kernel = self->kernel;
    struct item *item = &self->items[index];
    struct fake_pin *pin = fake_pin_find(kernel, id, "sockets_undo");
    if (item->pin != id)
        fake_violation(kernel, "sockets_undo() with another socket's pin");
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_SOCKETS_UNDO, NULL, self->process);
    struct fake_slot *slot = slot_of(self, item);
    bool fails = plan.code || fake_chance(kernel, kernel->chaos.undo_fails);
    if (slot && slot->origin != FAKE_ORIGIN_UNTOLD && slot->origin != FAKE_ORIGIN_LEFT)
        fake_broken(kernel, "no foreign close", "sockets_undo() of %u, which is the process's own",
                    item->value);
    bool gone = !self->process->running || (slot && !fails);
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_SOCKETS_UNDO,
                                         .process = self->process,
                                         .pin = pin,
                                         .slot = slot,
                                         .value = item->value,
                                         .result = gone ? 0 : HBK_PLATFORM_FAILED});
    if (gone)
        take_back(self, item);
    else if (slot && slot->origin == FAKE_ORIGIN_UNTOLD)
        fake_mark_left(kernel, self->process, slot);
    fake_leave(kernel, &plan);
    return gone;
}

static void op_sockets_free(struct hbk_sockets *self)
{
    if (!self)
        return;
    struct fake_kernel *kernel = self->kernel;
    if (self->freed)
        fake_violation(kernel, "sockets_free() of sockets that are freed");
    if (self->state == MAKING)
        fake_violation(kernel, "sockets_free() of sockets that are being made");
    for (size_t i = 0; i < self->count; ++i) {
        const struct fake_slot *slot = slot_of(self, &self->items[i]);
        if (slot && slot->origin == FAKE_ORIGIN_UNTOLD)
            fake_broken(kernel, "told or untold",
                        "sockets_free(), and process %u was not told of socket %zu",
                        self->process->pid, i);
    }
    self->freed = true;
    --kernel->sockets_held;
    --self->process->references;
    fake_trace_add(kernel, FAKE_OP_SOCKETS_FREE, NULL, self->process);
    fake_touch(kernel, &(struct fake_seen){.op = FAKE_OP_SOCKETS_FREE,
                                           .process = self->process,
                                           .value = (uint32_t)self->count});
}

/* ---- books ---- */

uint32_t fake_sockets_making(const struct fake_kernel *kernel)
{
    return kernel->sockets_making;
}

uint32_t fake_sockets_held(const struct fake_kernel *kernel)
{
    return kernel->sockets_held;
}

bool fake_sockets_at(const struct fake_kernel *kernel, const struct fake_slot *slot)
{
    if (!slot->socket)
        return false;
    for (const struct hbk_sockets *self = kernel->sockets; self; self = self->next)
        for (size_t i = 0; i < self->count && self->state == MAKING; ++i)
            if (self->items[i].number == slot->socket)
                return true;
    return false;
}

void fake_sockets_check(const struct fake_kernel *kernel, uint32_t *references)
{
    uint32_t held = 0, making = 0;
    for (const struct hbk_sockets *self = kernel->sockets; self; self = self->next) {
        if (self->freed)
            continue;
        ++references[self->process - kernel->processes];
        ++held;
        making += self->state == MAKING;
    }
    if (held != kernel->sockets_held || making != kernel->sockets_making)
        fake_violation(kernel, "%u sockets are held and %u made, %u and %u are counted", held,
                       making, kernel->sockets_held, kernel->sockets_making);
}

void fake_sockets_free(struct fake_kernel *kernel)
{
    while (kernel->sockets) {
        struct hbk_sockets *next = kernel->sockets->next;
        free(kernel->sockets);
        kernel->sockets = next;
    }
}

void fake_sockets_ops(struct hbk_platform *platform)
{
    platform->sockets_make = op_sockets_make;
    platform->sockets_info = op_sockets_info;
    platform->sockets_undo = op_sockets_undo;
    platform->sockets_free = op_sockets_free;
}
