/* The operations of platform.h over the fake kernel: pins, and what is placed from them. */
#include "fake_seam.h"

#include "test_support.h"

#include <string.h>

static struct fake_pin *pin_new(struct fake_connection *owner, const struct fake_slot *slot)
{
    struct fake_kernel *kernel = owner->kernel;
    for (uint32_t i = kernel->pins_low; i < FAKE_PINS_MAX; ++i) {
        struct fake_pin *pin = &kernel->pins[i];
        if (pin->state != FAKE_PIN_FREE)
            continue;
        *pin = (struct fake_pin){.state = FAKE_PIN_OPEN,
                                 .id = ++kernel->pins_made * FAKE_PINS_MAX + i,
                                 .owner = owner,
                                 .object = slot->object,
                                 .access = slot->access,
                                 .handle = (uint32_t)(slot - owner->process->slots + 1) * 4};
        kernel->pins_low = i + 1;
        ++kernel->pins_held;
        ++owner->pins;
        ++owner->pins_made;
        fake_object_ref(kernel, slot->object);
        if (i >= kernel->pins_high)
            kernel->pins_high = i + 1;
        return pin;
    }
    fake_violation(kernel, "too many pins for the fake");
}

static void pin_free(struct fake_pin *pin)
{
    struct fake_kernel *kernel = pin->owner->kernel;
    uint32_t index = (uint32_t)(pin - kernel->pins);
    fake_object_unref(kernel, pin->object);
    --pin->owner->pins;
    --kernel->pins_held;
    kernel->pins_closing -= pin->state == FAKE_PIN_CLOSING;
    if (index < kernel->pins_low)
        kernel->pins_low = index;
    *pin = (struct fake_pin){0};
}

static int op_pin(void *connection, uint32_t handle, hbk_pin *ret_pin,
                  struct hbk_failure *ret_failure)
{
    struct fake_connection *self = fake_use(connection, "pin");
    struct fake_kernel *kernel = self->kernel;
    if (handle < HBK_HANDLE_MIN || handle > HBK_HANDLE_MAX || handle % 4)
        fake_broken(kernel, "no pseudo-handle", "pin() of %u, which is no handle", handle);
    if (!self->proven)
        fake_violation(kernel, "pin() for a session that is not proven");
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_PIN, self);
    if (plan.code == 0 && !self->process->running)
        fake_refuse(&plan, HBK_R_OS_ERROR, FAKE_OS_ACCESS_DENIED);
    const struct fake_slot *slot = fake_handle_find(self->process, handle);
    if (plan.code == 0 && !slot)
        fake_refuse(&plan, HBK_R_BAD_HANDLE, 0);
    struct fake_pin *pin = slot && plan.code == 0 ? pin_new(self, slot) : NULL;
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_PIN,
                                         .connection = self,
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
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_INSPECT, NULL);
    if (plan.code)
        return fake_failure(kernel, ret_failure, &plan);
    pin->inspected = true;
    memcpy(ret_object->type, kernel->objects[pin->object].type, sizeof ret_object->type);
    ret_object->access = pin->access;
    fake_leave(kernel, &plan);
    return 0;
}

static int op_place(void *connection, hbk_pin id, bool same, uint32_t access, uint32_t *ret_value,
                    struct hbk_failure *ret_failure)
{
    struct fake_connection *self = fake_use(connection, "place");
    struct fake_kernel *kernel = self->kernel;
    struct fake_pin *pin = fake_pin_find(kernel, id, "place");
    uint32_t granted = same ? pin->access : access;
    if (!self->proven)
        fake_violation(kernel, "place() for a session that is not proven");
    if (!pin->inspected)
        fake_violation(kernel, "place() of a pin that nobody looked at");
    if (self->pending)
        fake_broken(kernel, "told or untold", "place() while a write is pending");
    if (granted & ~pin->access || (!same && access == 0))
        fake_broken(kernel, "rights only shrink", "place() with access 0x%x of 0x%x", granted,
                    pin->access);

    struct fake_plan plan = fake_enter(kernel, FAKE_OP_PLACE, self);
    if (plan.code == 0 && !self->process->running)
        fake_refuse(&plan, HBK_R_TARGET_GONE, FAKE_OS_ACCESS_DENIED);
    uint32_t value =
        plan.code ? 0
                  : fake_slot_take(kernel, self->process, pin->object, granted, FAKE_ORIGIN_UNTOLD);
    if (plan.code == 0 && value == 0)
        fake_refuse(&plan, HBK_R_OS_ERROR, FAKE_OS_NO_RESOURCES);
    struct fake_slot *slot = value ? fake_handle_find(self->process, value) : NULL;
    if (slot)
        slot->note = pin->note;
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_PLACE,
                                         .connection = self,
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

static void op_unplace(void *connection, hbk_pin id, uint32_t value)
{
    struct fake_connection *self = fake_held(connection, "unplace");
    struct fake_pin *pin = fake_pin_find(self->kernel, id, "unplace");
    struct fake_plan plan = fake_enter(self->kernel, FAKE_OP_UNPLACE, self);
    fake_see(
        self->kernel,
        &(struct fake_seen){.op = FAKE_OP_UNPLACE, .connection = self, .pin = pin, .value = value});
    struct fake_slot *slot = fake_handle_find(self->process, value);
    if (slot && slot->object == pin->object) {
        if (slot->origin != FAKE_ORIGIN_UNTOLD)
            fake_broken(self->kernel, "no foreign close",
                        "unplace() of %u, which is the process's own", value);
        fake_handle_close(self->kernel, self->process, value);
    }
    fake_leave(self->kernel, &plan);
}

static int op_unpin(void *connection, hbk_pin id, bool may_block, uint64_t ticket)
{
    struct fake_connection *self = fake_held(connection, "unpin");
    struct fake_kernel *kernel = self->kernel;
    struct fake_pin *pin = fake_pin_find(kernel, id, "unpin");
    const char *type = kernel->objects[pin->object].type;
    if (!may_block && (!pin->inspected || !strcmp(type, "File") || !strcmp(type, "Section")))
        fake_violation(kernel, "unpin() of a %s as if it could not block", type);
    if (pin->owner != self)
        fake_violation(kernel, "unpin() of another connection's pin");
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_UNPIN, self);
    pin->may_block = may_block;
    fake_see(kernel, &(struct fake_seen){.op = FAKE_OP_UNPIN, .connection = self, .pin = pin});
    if (kernel->unpins_pend || fake_chance(kernel, kernel->chaos.unpin_pends)) {
        pin->state = FAKE_PIN_CLOSING;
        ++kernel->pins_closing;
        pin->ticket = ticket;
        fake_leave(kernel, &plan);
        return HBK_PLATFORM_PENDING;
    }
    pin_free(pin);
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
        pin_free(pin);
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
