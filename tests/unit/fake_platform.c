/* The operations of platform.h over the fake kernel: the pipe and the proof, and what all of them share. */
#include "fake_seam.h"

#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROOF_ACCESS = 0x2 /* EVENT_MODIFY_STATE */ };

/* ---- what every operation starts with ---- */

bool fake_chance(struct fake_kernel *kernel, uint32_t per_mille)
{
    return per_mille && fake_random_below(kernel, 1000) < per_mille;
}

void *fake_alloc(struct fake_kernel *kernel, size_t size)
{
    if (kernel->outside)
        kernel->outside(true);
    void *memory = calloc(1, size);
    if (kernel->outside)
        kernel->outside(false);
    assert_non_null(memory);
    return memory;
}

static void exit_by_chance(struct fake_kernel *kernel, struct fake_process *process,
                           struct fake_plan *plan)
{
    struct fake_process *exits = NULL;
    if (process && fake_chance(kernel, kernel->chaos.exits))
        exits = process;
    else if (kernel->another && fake_chance(kernel, kernel->chaos.exits_other))
        exits = kernel->another(kernel);
    if (exits && fake_chance(kernel, 500))
        plan->exits_after = exits;
    else if (exits)
        fake_process_exit(kernel, exits);
}

void fake_trace_add(struct fake_kernel *kernel, enum fake_op op,
                    const struct fake_connection *connection, const struct fake_process *process)
{
    if (kernel->trace_size < FAKE_TRACE_MAX)
        kernel->trace[kernel->trace_size] =
            (struct fake_step){.op = op,
                               .connection = connection ? connection->number : 0,
                               .pid = process ? process->pid : 0};
    ++kernel->trace_size;
}

struct fake_plan fake_enter(struct fake_kernel *kernel, enum fake_op op,
                            struct fake_connection *connection, struct fake_process *process)
{
    struct fake_plan plan = {0};
    fake_trace_add(kernel, op, connection, process);
    struct fake_fault *fault = &kernel->faults[op];
    if (fault->at && --fault->at == 0) {
        plan.code = fault->code;
        plan.win32 = fault->win32;
        if (fault->exits && fault->exits_after)
            plan.exits_after = fault->exits;
        else if (fault->exits)
            fake_process_exit(kernel, fault->exits);
    }
    exit_by_chance(kernel, process, &plan);
    if (plan.code == 0 && fake_chance(kernel, kernel->chaos.op_fails)) {
        plan.code = HBK_R_OS_ERROR;
        plan.win32 = FAKE_OS_NO_RESOURCES;
    }
    return plan;
}

void fake_leave(struct fake_kernel *kernel, const struct fake_plan *plan)
{
    if (plan->exits_after)
        fake_process_exit(kernel, plan->exits_after);
}

void fake_refuse(struct fake_plan *plan, int32_t code, uint32_t win32)
{
    plan->code = code;
    plan->win32 = win32;
}

int fake_failure(struct fake_kernel *kernel, struct hbk_failure *ret_failure,
                 const struct fake_plan *plan)
{
    *ret_failure = (struct hbk_failure){
        .code = plan->code, .win32 = plan->win32, .detail = kernel->fault_detail};
    fake_leave(kernel, plan);
    return HBK_PLATFORM_FAILED;
}

void fake_see(struct fake_kernel *kernel, const struct fake_seen *seen)
{
    if (kernel->seen)
        kernel->seen(kernel, seen);
}

void fake_touch(struct fake_kernel *kernel, const struct fake_seen *seen)
{
    struct fake_plan plan = {0};
    fake_see(kernel, seen);
    exit_by_chance(kernel, seen->process, &plan);
    fake_leave(kernel, &plan);
}

static void touch(struct fake_connection *self, enum fake_op op, uint32_t value)
{
    fake_touch(self->kernel,
               &(struct fake_seen){
                   .op = op, .connection = self, .process = self->process, .value = value});
}

/* A connection that the core may still talk to. */
struct fake_connection *fake_use(void *connection, const char *operation)
{
    struct fake_connection *self = connection;
    if (self->released)
        fake_violation(self->kernel, "%s() on a released connection", operation);
    if (self->closed)
        fake_violation(self->kernel, "%s() on a closed connection", operation);
    return self;
}

/* A connection that the core has not let go of: also closed. */
struct fake_connection *fake_held(void *connection, const char *operation)
{
    struct fake_connection *self = connection;
    if (self->released)
        fake_violation(self->kernel, "%s() on a released connection", operation);
    return self;
}

struct fake_pin *fake_pin_find(struct fake_kernel *kernel, hbk_pin id, const char *operation)
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

static void see_write(struct fake_connection *self, size_t size, int result)
{
    fake_see(self->kernel, &(struct fake_seen){.op = FAKE_OP_WRITE,
                                               .connection = self,
                                               .process = self->process,
                                               .value = (uint32_t)size,
                                               .result = result});
}

static int op_write(void *connection, const void *bytes, size_t size)
{
    struct fake_connection *self = fake_use(connection, "write");
    struct fake_kernel *kernel = self->kernel;
    if (self->pending)
        fake_violation(kernel, "write() while one is pending");
    if (self->broken)
        fake_violation(kernel, "write() after one failed");
    if (size == 0)
        fake_violation(kernel, "write() of nothing");

    struct fake_plan plan = fake_enter(kernel, FAKE_OP_WRITE, self, self->process);
    ++self->writes;
    if (plan.code || !self->process->running || self->write_mode == FAKE_WRITE_FAILS ||
        fake_chance(kernel, kernel->chaos.write_fails)) {
        self->broken = true;
        see_write(self, size, HBK_PLATFORM_FAILED);
        fake_leave(kernel, &plan);
        return HBK_PLATFORM_FAILED;
    }
    if (self->write_mode == FAKE_WRITE_PENDS || fake_chance(kernel, kernel->chaos.write_pends)) {
        remember(self, bytes, size);
        see_write(self, size, HBK_PLATFORM_PENDING);
        fake_leave(kernel, &plan);
        return HBK_PLATFORM_PENDING;
    }
    see_write(self, size, 0);
    tell(self, bytes, size);
    fake_leave(kernel, &plan);
    return 0;
}

static void op_read_pause(void *connection, bool paused)
{
    struct fake_connection *self = fake_use(connection, "read_pause");
    self->paused = paused;
    touch(self, FAKE_OP_READ_PAUSE, paused);
}

static void op_read_on(void *connection)
{
    struct fake_connection *self = fake_use(connection, "read_on");
    if (!self->fed)
        fake_violation(self->kernel, "read_on() of what is being read");
    self->fed = false;
    touch(self, FAKE_OP_READ_ON, 0);
}

static void op_close(void *connection)
{
    struct fake_connection *self = fake_use(connection, "close");
    self->closed = true;
    if (self->pending)
        self->cancelled = true;
    touch(self, FAKE_OP_CLOSE, 0);
}

static void op_release(void *connection)
{
    struct fake_connection *self = fake_held(connection, "release");
    if (!self->closed)
        fake_violation(self->kernel, "release() before close()");
    touch(self, FAKE_OP_RELEASE, 0);
    if (self->pending)
        fake_violation(self->kernel, "release() with a write pending");
    if (self->proof_object && !self->proof_closing)
        fake_violation(self->kernel, "release() with the proof open");
    self->released = true;
    --self->process->references;
}

struct fake_connection *fake_connect(struct fake_kernel *kernel, struct fake_process *process,
                                     const char *user)
{
    assert_true(kernel->connections_count < FAKE_CONNECTIONS_MAX);
    struct fake_connection *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->kind = FAKE_PARTY_CONNECTION;
    self->kernel = kernel;
    self->process = process;
    snprintf(self->user, sizeof self->user, "%s", user);
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
    fake_party_forget(kernel, self);
    free(self);
}

void fake_write_end(struct fake_connection *self, bool told)
{
    assert_non_null(self->pending);
    if (self->released)
        fake_violation(self->kernel, "released with a write pending");
    if (memcmp(self->pending, self->pending_copy, self->pending_size) != 0)
        fake_broken(self->kernel, "pending bytes", "the bytes of a pending write changed");
    self->pending = NULL;
    if (told)
        tell(self, self->pending_copy, self->pending_size);
    else
        self->broken = true;
    free(self->pending_copy);
    self->pending_copy = NULL;
}

/* ---- proof of possession ---- */

static void see_proof(struct fake_connection *self, int32_t result)
{
    fake_see(self->kernel, &(struct fake_seen){.op = FAKE_OP_PROOF_OPEN,
                                               .connection = self,
                                               .process = self->process,
                                               .value = self->proof_value,
                                               .result = result});
}

static int op_proof_open(void *connection, uint32_t *ret_value, struct hbk_failure *ret_failure)
{
    struct fake_connection *self = fake_use(connection, "proof_open");
    struct fake_kernel *kernel = self->kernel;
    if (self->proof_object)
        fake_violation(kernel, "proof_open() with one open");
    if (self->pending)
        fake_broken(kernel, "told or untold", "proof_open() while a write is pending");
    struct fake_plan plan = fake_enter(kernel, FAKE_OP_PROOF_OPEN, self, self->process);
    if (plan.code == 0 && !self->process->running)
        plan.code = HBK_R_TARGET_GONE;
    if (plan.code) {
        see_proof(self, plan.code);
        return fake_failure(kernel, ret_failure, &plan);
    }

    uint32_t object = fake_object_new(kernel, "Event");
    uint32_t value = fake_slot_take(kernel, self->process, object, PROOF_ACCESS, FAKE_ORIGIN_PROOF);
    if (value == 0) {
        fake_refuse(&plan, HBK_R_OS_ERROR, FAKE_OS_NO_RESOURCES);
        see_proof(self, plan.code);
        return fake_failure(kernel, ret_failure, &plan);
    }
    fake_object_ref(kernel, object);
    self->proof_object = object;
    self->proof_value = value;
    self->proof_set = false;
    *ret_value = value;
    see_proof(self, 0);
    fake_leave(kernel, &plan);
    return 0;
}

static bool op_proof_is_set(void *connection)
{
    struct fake_connection *self = fake_use(connection, "proof_is_set");
    if (!self->proof_object)
        fake_violation(self->kernel, "proof_is_set() with none open");
    bool set = self->proof_set;
    self->proven |= set;
    touch(self, FAKE_OP_PROOF_IS_SET, set);
    return set;
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
    struct fake_connection *self = fake_held(connection, "proof_close");
    if (!self->proof_object || self->proof_closing)
        return 0;
    touch(self, FAKE_OP_PROOF_CLOSE, self->proof_value);
    if (self->kernel->proofs_pend || fake_chance(self->kernel, self->kernel->chaos.proof_pends)) {
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

bool fake_begin(void *party, enum fake_op op, const char *operation,
                struct hbk_failure *ret_failure)
{
    struct fake_party self = fake_party_use(party, operation);
    struct fake_plan plan = fake_enter(self.kernel, op, self.connection, self.process);
    struct hbk_failure ignored;
    if (plan.code)
        fake_failure(self.kernel, ret_failure ? ret_failure : &ignored, &plan);
    else
        fake_leave(self.kernel, &plan);
    return plan.code == 0;
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
    };
    fake_handles_ops(&platform);
    fake_looks_ops(&platform);
    fake_parties_ops(&platform);
    fake_policy_ops(&platform);
    fake_sockets_ops(&platform);
    fake_audit_install(&platform);
    return platform;
}
