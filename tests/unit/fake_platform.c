/* The operations of platform.h over the fake kernel. */
#include "fake_platform.h"

#include "test_support.h"

#include <stdlib.h>
#include <string.h>

enum { PROOF_ACCESS = 0x2 /* EVENT_MODIFY_STATE */, OS_ACCESS_DENIED = 5, OS_NO_RESOURCES = 1450 };

/* ---- what every operation starts with ---- */

static bool chance(struct fake_kernel *kernel, uint32_t per_mille)
{
    return per_mille && fake_random_below(kernel, 1000) < per_mille;
}

/* Also answers whether the operation is to fail, by plan or by chance. */
struct plan {
    int32_t code; /* 0: go on */
    uint32_t win32;
    struct fake_process *exits_after;
};

static struct plan enter(struct fake_kernel *kernel, enum fake_op op,
                         struct fake_connection *connection)
{
    if (kernel->trace_size < FAKE_TRACE_MAX)
        kernel->trace[kernel->trace_size] =
            (struct fake_step){.op = op, .connection = connection ? connection->number : 0};
    ++kernel->trace_size;

    struct plan plan = {0};
    struct fake_fault *fault = &kernel->faults[op];
    if (fault->at && --fault->at == 0) {
        plan.code = fault->code;
        plan.win32 = fault->win32;
        if (fault->exits && fault->exits_after)
            plan.exits_after = fault->exits;
        else if (fault->exits)
            fake_process_exit(kernel, fault->exits);
    }
    if (connection && chance(kernel, kernel->chaos.exits)) {
        if (chance(kernel, 500))
            plan.exits_after = connection->process;
        else
            fake_process_exit(kernel, connection->process);
    }
    if (plan.code == 0 && chance(kernel, kernel->chaos.op_fails)) {
        plan.code = HBK_R_OS_ERROR;
        plan.win32 = OS_NO_RESOURCES;
    }
    return plan;
}

static void leave(struct fake_kernel *kernel, const struct plan *plan)
{
    if (plan->exits_after)
        fake_process_exit(kernel, plan->exits_after);
}

static int failure(struct fake_kernel *kernel, struct hbk_failure *ret_failure,
                   const struct plan *plan)
{
    *ret_failure = (struct hbk_failure){
        .code = plan->code, .win32 = plan->win32, .detail = kernel->fault_detail};
    leave(kernel, plan);
    return HBK_PLATFORM_FAILED;
}

/* A connection that the core may still talk to. */
static struct fake_connection *use(void *connection, const char *operation)
{
    struct fake_connection *self = connection;
    if (self->released)
        fake_violation(self->kernel, "%s() on a released connection", operation);
    if (self->closed)
        fake_violation(self->kernel, "%s() on a closed connection", operation);
    return self;
}

/* A connection that the core has not let go of: also closed. */
static struct fake_connection *held(void *connection, const char *operation)
{
    struct fake_connection *self = connection;
    if (self->released)
        fake_violation(self->kernel, "%s() on a released connection", operation);
    return self;
}

static struct fake_pin *find_pin(struct fake_kernel *kernel, hbk_pin id, const char *operation)
{
    struct fake_pin *pin = &kernel->pins[id % FAKE_PINS_MAX];
    if (id == 0 || pin->id != id || pin->state != FAKE_PIN_OPEN)
        fake_violation(kernel, "%s() of a pin that is not open", operation);
    return pin;
}

/* ---- clock and chance ---- */

static uint64_t op_now_ms(void *context)
{
    const struct fake_kernel *kernel = context;
    return kernel->now_ms;
}

static void op_random(void *context, void *bytes, size_t size)
{
    uint8_t *out = bytes;
    for (size_t i = 0; i < size; ++i)
        out[i] = (uint8_t)fake_random(context);
}

/* ---- the pipe ---- */

static void tell(struct fake_connection *self, const uint8_t *bytes, size_t size)
{
    struct fake_kernel *kernel = self->kernel;
    self->bytes_told += size;
    if (kernel->outside)
        kernel->outside(true);
    if (kernel->told)
        kernel->told(self, bytes, size);
    if (kernel->outside)
        kernel->outside(false);
}

static void remember(struct fake_connection *self, const uint8_t *bytes, size_t size)
{
    if (self->kernel->outside)
        self->kernel->outside(true);
    self->pending_copy = malloc(size);
    assert_non_null(self->pending_copy);
    memcpy(self->pending_copy, bytes, size);
    self->pending = bytes;
    self->pending_size = size;
    self->cancelled = false;
    if (self->kernel->outside)
        self->kernel->outside(false);
}

static int op_write(void *connection, const void *bytes, size_t size)
{
    struct fake_connection *self = use(connection, "write");
    struct fake_kernel *kernel = self->kernel;
    if (self->pending)
        fake_violation(kernel, "write() while one is pending");
    if (self->broken)
        fake_violation(kernel, "write() after one failed");
    if (size == 0)
        fake_violation(kernel, "write() of nothing");

    struct plan plan = enter(kernel, FAKE_OP_WRITE, self);
    ++self->writes;
    if (plan.code || !self->process->running || self->write_mode == FAKE_WRITE_FAILS ||
        chance(kernel, kernel->chaos.write_fails)) {
        self->broken = true;
        leave(kernel, &plan);
        return HBK_PLATFORM_FAILED;
    }
    if (self->write_mode == FAKE_WRITE_PENDS || chance(kernel, kernel->chaos.write_pends)) {
        remember(self, bytes, size);
        leave(kernel, &plan);
        return HBK_PLATFORM_PENDING;
    }
    tell(self, bytes, size);
    leave(kernel, &plan);
    return 0;
}

static void op_read_pause(void *connection, bool paused)
{
    struct fake_connection *self = use(connection, "read_pause");
    self->paused = paused;
}

static void op_read_on(void *connection)
{
    struct fake_connection *self = use(connection, "read_on");
    if (!self->fed)
        fake_violation(self->kernel, "read_on() of what is being read");
    self->fed = false;
}

static void op_close(void *connection)
{
    struct fake_connection *self = use(connection, "close");
    self->closed = true;
    if (self->pending)
        self->cancelled = true;
}

static void op_release(void *connection)
{
    struct fake_connection *self = held(connection, "release");
    if (!self->closed)
        fake_violation(self->kernel, "release() before close()");
    if (self->pending)
        fake_violation(self->kernel, "release() with a write pending");
    if (self->proof_object && !self->proof_closing)
        fake_violation(self->kernel, "release() with the proof open");
    if (self->pins)
        fake_violation(self->kernel, "release() with %u pins held", self->pins);
    self->released = true;
    --self->process->references;
}

struct fake_connection *fake_connect(struct fake_kernel *kernel, struct fake_process *process)
{
    assert_true(kernel->connections_count < FAKE_CONNECTIONS_MAX);
    struct fake_connection *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->kernel = kernel;
    self->process = process;
    ++process->references;
    kernel->connections[kernel->connections_count++] = self;
    self->number = ++kernel->connections_made;
    self->fed = true;
    return self;
}

void fake_connection_free(struct fake_connection *self)
{
    struct fake_kernel *kernel = self->kernel;
    assert_true(self->released);
    size_t i = 0;
    while (kernel->connections[i] != self)
        ++i;
    kernel->connections[i] = kernel->connections[--kernel->connections_count];
    free(self);
}

void fake_write_end(struct fake_connection *self, bool told)
{
    assert_non_null(self->pending);
    if (self->released)
        fake_violation(self->kernel, "released with a write pending");
    if (memcmp(self->pending, self->pending_copy, self->pending_size) != 0)
        fake_violation(self->kernel, "the bytes of a pending write changed");
    self->pending = NULL;
    if (told)
        tell(self, self->pending_copy, self->pending_size);
    else
        self->broken = true;
    free(self->pending_copy);
    self->pending_copy = NULL;
}

/* ---- proof of possession ---- */

static int op_proof_open(void *connection, uint32_t *ret_value, struct hbk_failure *ret_failure)
{
    struct fake_connection *self = use(connection, "proof_open");
    struct fake_kernel *kernel = self->kernel;
    if (self->proof_object)
        fake_violation(kernel, "proof_open() with one open");
    if (self->pending)
        fake_violation(kernel, "proof_open() while a write is pending");
    struct plan plan = enter(kernel, FAKE_OP_PROOF_OPEN, self);
    if (plan.code == 0 && !self->process->running)
        plan.code = HBK_R_TARGET_GONE;
    if (plan.code)
        return failure(kernel, ret_failure, &plan);

    uint32_t object = fake_object_new(kernel, "Event");
    uint32_t value = fake_slot_take(kernel, self->process, object, PROOF_ACCESS, FAKE_ORIGIN_PROOF);
    if (value == 0) {
        plan = (struct plan){.code = HBK_R_OS_ERROR, .win32 = OS_NO_RESOURCES};
        return failure(kernel, ret_failure, &plan);
    }
    fake_object_ref(kernel, object);
    self->proof_object = object;
    self->proof_value = value;
    self->proof_set = false;
    *ret_value = value;
    leave(kernel, &plan);
    return 0;
}

static bool op_proof_is_set(void *connection)
{
    struct fake_connection *self = use(connection, "proof_is_set");
    if (!self->proof_object)
        fake_violation(self->kernel, "proof_is_set() with none open");
    self->proven |= self->proof_set;
    return self->proof_set;
}

static void proof_close(struct fake_connection *self)
{
    if (fake_handle_is(self->process, self->proof_value, self->proof_object))
        fake_handle_close(self->kernel, self->process, self->proof_value);
    fake_object_unref(self->kernel, self->proof_object);
    self->proof_object = 0;
    self->proof_value = 0;
}

/* A close that pends has a reference to the process of its own: the connection may be released before. */
static int op_proof_close(void *connection)
{
    struct fake_connection *self = held(connection, "proof_close");
    if (!self->proof_object || self->proof_closing)
        return 0;
    if (self->kernel->proofs_pend) {
        self->proof_closing = true;
        ++self->process->references;
        return HBK_PLATFORM_PENDING;
    }
    proof_close(self);
    return 0;
}

void fake_proof_end(struct fake_connection *self)
{
    if (!self->proof_closing)
        fail_msg("%s", "no proof is being closed");
    self->proof_closing = false;
    --self->process->references;
    proof_close(self);
}

/* ---- handles ---- */

static struct fake_pin *pin_new(struct fake_connection *owner, const struct fake_slot *slot)
{
    struct fake_kernel *kernel = owner->kernel;
    for (uint32_t i = 0; i < FAKE_PINS_MAX; ++i) {
        struct fake_pin *pin = &kernel->pins[i];
        if (pin->state != FAKE_PIN_FREE)
            continue;
        *pin = (struct fake_pin){.state = FAKE_PIN_OPEN,
                                 .id = ++kernel->pins_made * FAKE_PINS_MAX + i,
                                 .owner = owner,
                                 .object = slot->object,
                                 .access = slot->access};
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
    fake_object_unref(pin->owner->kernel, pin->object);
    --pin->owner->pins;
    *pin = (struct fake_pin){0};
}

static int op_pin(void *connection, uint32_t handle, hbk_pin *ret_pin,
                  struct hbk_failure *ret_failure)
{
    struct fake_connection *self = use(connection, "pin");
    struct fake_kernel *kernel = self->kernel;
    if (handle < HBK_HANDLE_MIN || handle > HBK_HANDLE_MAX || handle % 4)
        fake_violation(kernel, "pin() of %u, which is no handle", handle);
    if (!self->proven)
        fake_violation(kernel, "pin() for a session that is not proven");
    struct plan plan = enter(kernel, FAKE_OP_PIN, self);
    if (plan.code == 0 && !self->process->running)
        plan = (struct plan){.code = HBK_R_OS_ERROR, .win32 = OS_ACCESS_DENIED};
    if (plan.code)
        return failure(kernel, ret_failure, &plan);
    const struct fake_slot *slot = fake_handle_find(self->process, handle);
    if (!slot) {
        plan.code = HBK_R_BAD_HANDLE;
        return failure(kernel, ret_failure, &plan);
    }
    *ret_pin = pin_new(self, slot)->id;
    leave(kernel, &plan);
    return 0;
}

static int op_inspect(void *context, hbk_pin id, struct hbk_object *ret_object,
                      struct hbk_failure *ret_failure)
{
    struct fake_kernel *kernel = context;
    struct fake_pin *pin = find_pin(kernel, id, "inspect");
    struct plan plan = enter(kernel, FAKE_OP_INSPECT, NULL);
    if (plan.code)
        return failure(kernel, ret_failure, &plan);
    pin->inspected = true;
    memcpy(ret_object->type, kernel->objects[pin->object].type, sizeof ret_object->type);
    ret_object->access = pin->access;
    leave(kernel, &plan);
    return 0;
}

static int op_place(void *connection, hbk_pin id, bool same, uint32_t access, uint32_t *ret_value,
                    struct hbk_failure *ret_failure)
{
    struct fake_connection *self = use(connection, "place");
    struct fake_kernel *kernel = self->kernel;
    const struct fake_pin *pin = find_pin(kernel, id, "place");
    uint32_t granted = same ? pin->access : access;
    if (!self->proven)
        fake_violation(kernel, "place() for a session that is not proven");
    if (!pin->inspected)
        fake_violation(kernel, "place() of a pin that nobody looked at");
    if (self->pending)
        fake_violation(kernel, "place() while a write is pending");
    if (granted & ~pin->access || (!same && access == 0))
        fake_violation(kernel, "place() with access 0x%x of 0x%x", granted, pin->access);

    struct plan plan = enter(kernel, FAKE_OP_PLACE, self);
    if (plan.code == 0 && !self->process->running)
        plan = (struct plan){.code = HBK_R_TARGET_GONE, .win32 = OS_ACCESS_DENIED};
    if (plan.code)
        return failure(kernel, ret_failure, &plan);
    *ret_value = fake_slot_take(kernel, self->process, pin->object, granted, FAKE_ORIGIN_UNTOLD);
    if (*ret_value == 0) {
        plan = (struct plan){.code = HBK_R_OS_ERROR, .win32 = OS_NO_RESOURCES};
        return failure(kernel, ret_failure, &plan);
    }
    leave(kernel, &plan);
    return 0;
}

static void op_unplace(void *connection, hbk_pin id, uint32_t value)
{
    struct fake_connection *self = held(connection, "unplace");
    const struct fake_pin *pin = find_pin(self->kernel, id, "unplace");
    struct plan plan = enter(self->kernel, FAKE_OP_UNPLACE, self);
    struct fake_slot *slot = fake_handle_find(self->process, value);
    if (slot && slot->object == pin->object) {
        if (slot->origin != FAKE_ORIGIN_UNTOLD)
            fake_violation(self->kernel, "unplace() of %u, which is the process's own", value);
        fake_handle_close(self->kernel, self->process, value);
    }
    leave(self->kernel, &plan);
}

static int op_unpin(void *connection, hbk_pin id, bool may_block, uint64_t ticket)
{
    struct fake_connection *self = held(connection, "unpin");
    struct fake_kernel *kernel = self->kernel;
    struct fake_pin *pin = find_pin(kernel, id, "unpin");
    const char *type = kernel->objects[pin->object].type;
    if (!may_block && (!pin->inspected || !strcmp(type, "File") || !strcmp(type, "Section")))
        fake_violation(kernel, "unpin() of a %s as if it could not block", type);
    if (pin->owner != self)
        fake_violation(kernel, "unpin() of another connection's pin");
    struct plan plan = enter(kernel, FAKE_OP_UNPIN, self);
    pin->may_block = may_block;
    if (kernel->unpins_pend || chance(kernel, kernel->chaos.unpin_pends)) {
        pin->state = FAKE_PIN_CLOSING;
        pin->ticket = ticket;
        leave(kernel, &plan);
        return HBK_PLATFORM_PENDING;
    }
    pin_free(pin);
    leave(kernel, &plan);
    return 0;
}

uint32_t fake_pins_held(const struct fake_kernel *kernel)
{
    uint32_t count = 0;
    for (size_t i = 0; i < kernel->pins_high; ++i)
        count += kernel->pins[i].state != FAKE_PIN_FREE;
    return count;
}

uint32_t fake_pins_closing(const struct fake_kernel *kernel)
{
    uint32_t count = 0;
    for (size_t i = 0; i < kernel->pins_high; ++i)
        count += kernel->pins[i].state == FAKE_PIN_CLOSING;
    return count;
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

bool fake_begin(struct fake_connection *connection, enum fake_op op, const char *operation,
                struct hbk_failure *ret_failure)
{
    struct plan plan = enter(connection->kernel, op, use(connection, operation));
    struct hbk_failure ignored;
    if (plan.code)
        failure(connection->kernel, ret_failure ? ret_failure : &ignored, &plan);
    else
        leave(connection->kernel, &plan);
    return plan.code == 0;
}

struct fake_pin *fake_pin_find(struct fake_kernel *kernel, hbk_pin id, const char *operation)
{
    return find_pin(kernel, id, operation);
}

struct hbk_platform fake_platform(struct fake_kernel *kernel)
{
    struct hbk_platform platform = {
        .context = kernel,
        .now_ms = op_now_ms,
        .random = op_random,
        .write = op_write,
        .read_pause = op_read_pause,
        .read_on = op_read_on,
        .close = op_close,
        .release = op_release,
        .proof_open = op_proof_open,
        .proof_is_set = op_proof_is_set,
        .proof_close = op_proof_close,
        .pin = op_pin,
        .inspect = op_inspect,
        .place = op_place,
        .unplace = op_unplace,
        .unpin = op_unpin,
    };
    fake_policy_ops(&platform);
    fake_audit_install(&platform);
    return platform;
}
