/* The operations of platform.h over the fake kernel: pins, and what is placed from them. */
#include "fake_seam.h"

#include "test_support.h"

#include <string.h>

static struct fake_pin *pin_new(const struct fake_party *party, const struct fake_slot *slot)
{
    struct fake_kernel *kernel = party->kernel;
    for (uint32_t i = kernel->pins_low; i < FAKE_PINS_MAX; ++i) {
        struct fake_pin *pin = &kernel->pins[i];
        if (pin->state != FAKE_PIN_FREE)
            continue;
        *pin = (struct fake_pin){.state = FAKE_PIN_OPEN,
                                 .id = ++kernel->pins_made * FAKE_PINS_MAX + i,
                                 .owner = party->connection,
                                 .closer = fake_closer_of(kernel, party->user),
                                 .object = slot->object,
                                 .access = slot->access,
                                 .handle = (uint32_t)(slot - party->process->slots + 1) * 4};
        kernel->pins_low = i + 1;
        ++kernel->pins_held;
        ++pin->closer->pins;
        if (pin->owner) {
            ++pin->owner->pins;
            ++pin->owner->pins_made;
        }
        fake_object_ref(kernel, slot->object);
        if (i >= kernel->pins_high)
            kernel->pins_high = i + 1;
        return pin;
    }
    fake_violation(kernel, "too many pins for the fake");
}

static void pin_free(struct fake_kernel *kernel, struct fake_pin *pin)
{
    uint32_t index = (uint32_t)(pin - kernel->pins);
    fake_object_unref(kernel, pin->object);
    --pin->closer->pins;
    if (pin->owner)
        --pin->owner->pins;
    --kernel->pins_held;
    kernel->pins_closing -= pin->state == FAKE_PIN_CLOSING;
    if (index < kernel->pins_low)
        kernel->pins_low = index;
    *pin = (struct fake_pin){0};
}

static int op_pin(void *party, uint32_t handle, hbk_pin *ret_pin, struct hbk_failure *ret_failure)
{
    struct fake_party self = fake_party_use(party, "pin");
    struct fake_kernel *kernel = self.kernel;
    if (handle < HBK_HANDLE_MIN || handle > HBK_HANDLE_MAX || handle % 4)
        fake_broken(kernel, "no pseudo-handle", "pin() of %u, which is no handle", handle);
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_PIN, self.connection, self.process);
    if (plan.code == 0 && !self.process->running)
        fake_refuse(&plan, HBK_R_OS_ERROR, FAKE_OS_ACCESS_DENIED);
    const struct fake_slot *slot = fake_handle_find(self.process, handle);
    if (plan.code == 0 && !slot)
        fake_refuse(&plan, HBK_R_BAD_HANDLE, 0);
    struct fake_pin *pin = slot && plan.code == 0 ? pin_new(&self, slot) : NULL;
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_PIN,
                                         .connection = self.connection,
                                         .process = self.process,
                                         .pin = pin,
                                         .value = handle,
                                         .result = plan.code});
    if (!pin)
        return fake_failure(kernel, ret_failure, &plan);
    *ret_pin = pin->id;
    fake_leave(kernel, &plan);
    return 0;
}

static int op_inspect(void *context, hbk_pin id, struct hbk_object *ret_object,
                      struct hbk_failure *ret_failure)
{
    struct fake_kernel *kernel = context;
    struct fake_pin *pin = fake_pin_find(kernel, id, "inspect");
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_INSPECT, NULL, NULL);
    if (plan.code)
        return fake_failure(kernel, ret_failure, &plan);
    pin->inspected = true;
    memcpy(ret_object->type, kernel->objects[pin->object].type, sizeof ret_object->type);
    ret_object->access = pin->access;
    fake_leave(kernel, &plan);
    return 0;
}

static void check_place(const struct fake_party *self, const struct fake_pin *pin, bool same,
                        uint32_t access)
{
    struct fake_kernel *kernel = self->kernel;
    if (!pin->inspected)
        fake_violation(kernel, "place() of a pin that nobody looked at");
    if (self->connection && self->connection->pending)
        fake_broken(kernel, "told or untold", "place() while a write is pending");
    if (!same && (access & ~pin->access || access == 0))
        fake_broken(kernel, "rights only shrink", "place() with access 0x%x of 0x%x", access,
                    pin->access);
}

static int op_place(void *party, hbk_pin id, bool same, uint32_t access, bool inherit,
                    uint32_t *ret_value, struct hbk_failure *ret_failure)
{
    struct fake_party self = fake_party_use(party, "place");
    struct fake_kernel *kernel = self.kernel;
    struct fake_pin *pin = fake_pin_find(kernel, id, "place");
    uint32_t granted = same ? pin->access : access;
    check_place(&self, pin, same, access);

    struct fake_plan plan = fake_enter(kernel, FAKE_OP_PLACE, self.connection, self.process);
    if (plan.code == 0 && !self.process->running)
        fake_refuse(&plan, HBK_R_TARGET_GONE, FAKE_OS_ACCESS_DENIED);
    uint32_t value =
        plan.code ? 0
                  : fake_slot_take(kernel, self.process, pin->object, granted, FAKE_ORIGIN_UNTOLD);
    if (plan.code == 0 && value == 0)
        fake_refuse(&plan, HBK_R_OS_ERROR, FAKE_OS_NO_RESOURCES);
    struct fake_slot *slot = value ? fake_handle_find(self.process, value) : NULL;
    if (slot) {
        slot->inherit = inherit;
        slot->via = self.via;
        slot->pin = pin->id;
        slot->note = pin->note;
    }
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_PLACE,
                                         .connection = self.connection,
                                         .process = self.process,
                                         .pin = pin,
                                         .slot = slot,
                                         .value = value,
                                         .result = plan.code});
    if (plan.code)
        return fake_failure(kernel, ret_failure, &plan);
    *ret_value = value;
    fake_leave(kernel, &plan);
    return 0;
}

/* A client that was told of a revocable handle may have closed it. Then its value may name another one of the same
 * object, which nobody can tell from the first: that one is closed in its place, unless the client is yet to be told of
 * it, which the broker knows; but for a socket, whose value it does not know. */
static bool may_unplace(const struct fake_slot *slot, const struct fake_pin *pin)
{
    if (slot->origin == FAKE_ORIGIN_UNTOLD)
        return !pin->delivery || slot->socket;
    return slot->origin == FAKE_ORIGIN_REVOCABLE || (pin->delivery && slot->pin != pin->id);
}

static bool op_unplace(void *party, hbk_pin id, uint32_t value)
{
    struct fake_party self = fake_party_held(party, "unplace");
    struct fake_kernel *kernel = self.kernel;
    struct fake_pin *pin = fake_pin_find(kernel, id, "unplace");
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_UNPLACE, self.connection, self.process);
    const struct fake_slot *slot = fake_handle_find(self.process, value);
    bool is = slot && slot->object == pin->object;
    if (is && !may_unplace(slot, pin))
        fake_broken(kernel, "no foreign close", "unplace() of %u, which is the process's own",
                    value);
    /* What is untold would be nobody's if that failed; of what is told it is said that it has. */
    bool closes = is && (plan.code == 0 || slot->origin == FAKE_ORIGIN_UNTOLD);
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_UNPLACE,
                                         .connection = self.connection,
                                         .process = self.process,
                                         .pin = pin,
                                         .value = value,
                                         .result = closes ? 0 : HBK_PLATFORM_FAILED});
    if (closes)
        fake_handle_close(kernel, self.process, value);
    fake_leave(kernel, &plan);
    return closes;
}

static void check_unpin(struct fake_kernel *kernel, const struct hbk_closer *closer,
                        const struct fake_pin *pin, bool may_block)
{
    const char *type = kernel->objects[pin->object].type;
    fake_closer_use(kernel, closer, "unpin");
    if (!may_block && (!pin->inspected || !strcmp(type, "File") || !strcmp(type, "Section")))
        fake_violation(kernel, "unpin() of a %s as if it could not block", type);
    if (pin->closer != closer)
        fake_violation(kernel, "unpin() of a pin of %s at the cost of %s", pin->closer->user,
                       closer->user);
    if (pin->making)
        fake_violation(kernel, "unpin() of what sockets are being made from");
}

static int op_unpin(void *context, struct hbk_closer *closer, hbk_pin id, bool may_block,
                    uint64_t ticket)
{
    struct fake_kernel *kernel = context;
    struct fake_pin *pin = fake_pin_find(kernel, id, "unpin");
    struct fake_connection *owner = pin->owner;
    check_unpin(kernel, closer, pin, may_block);
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_UNPIN, owner, owner ? owner->process : NULL);
    pin->may_block = may_block;
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_UNPIN, .connection = owner, .pin = pin});
    if (kernel->unpins_pend || fake_chance(kernel, kernel->chaos.unpin_pends)) {
        pin->state = FAKE_PIN_CLOSING;
        ++kernel->pins_closing;
        pin->ticket = ticket;
        fake_leave(kernel, &plan);
        return HBK_PLATFORM_PENDING;
    }
    pin_free(kernel, pin);
    fake_leave(kernel, &plan);
    return 0;
}

uint32_t fake_pins_held(const struct fake_kernel *kernel)
{
    return kernel->pins_held;
}

uint32_t fake_pins_closing(const struct fake_kernel *kernel)
{
    return kernel->pins_closing;
}

uint64_t fake_unpin_end(struct fake_kernel *kernel, uint32_t index)
{
    for (size_t i = 0; i < kernel->pins_high; ++i) {
        struct fake_pin *pin = &kernel->pins[i];
        if (pin->state != FAKE_PIN_CLOSING || index--)
            continue;
        uint64_t ticket = pin->ticket;
        pin_free(kernel, pin);
        return ticket;
    }
    fail_msg("%s", "no pin is being closed");
    return 0;
}

void fake_handles_ops(struct hbk_platform *platform)
{
    platform->pin = op_pin;
    platform->inspect = op_inspect;
    platform->place = op_place;
    platform->unplace = op_unplace;
    platform->unpin = op_unpin;
}
