/* The fake kernel's own matters: processes, tables, objects, faults, books. The seam is in
 * fake_platform.c. */
#include "fake_seam.h"

#include "test_support.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_kernel *fake_kernel_new(uint64_t seed)
{
    struct fake_kernel *kernel = calloc(1, sizeof *kernel);
    assert_non_null(kernel);
    kernel->now_ms = 1000000;
    kernel->seed = seed;
    kernel->random_state = seed;
    kernel->label = "";
    return kernel;
}

void fake_kernel_clear(struct fake_kernel *kernel)
{
    for (size_t i = 0; i < kernel->connections_count; ++i) {
        free(kernel->connections[i]->pending_copy);
        free(kernel->connections[i]);
    }
    fake_parties_free(kernel);
    fake_sockets_free(kernel);
    fake_looks_free(kernel);
    fake_policy_free(kernel);
    fake_audit_free(kernel);
}

void fake_kernel_free(struct fake_kernel *kernel)
{
    if (!kernel)
        return;
    fake_kernel_clear(kernel);
    free(kernel);
}

HBK_NORETURN static void broken(const struct fake_kernel *kernel, const char *invariant,
                                const char *text)
{
    if (kernel->violated)
        kernel->violated(kernel, invariant, text);
    fprintf(stderr, "violation of %s (seed %llu%s%s): %s\n", invariant,
            (unsigned long long)kernel->seed, kernel->label[0] ? ", " : "", kernel->label, text);
    fail();
    abort(); /* not reached: fail() leaves the test */
}

void fake_violation(const struct fake_kernel *kernel, const char *format, ...)
{
    char text[512];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    broken(kernel, "the seam", text);
}

void fake_broken(const struct fake_kernel *kernel, const char *invariant, const char *format, ...)
{
    char text[512];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    broken(kernel, invariant, text);
}

/* splitmix64 */
uint64_t fake_random(struct fake_kernel *kernel)
{
    uint64_t z = (kernel->random_state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint32_t fake_random_below(struct fake_kernel *kernel, uint32_t limit)
{
    return (uint32_t)(fake_random(kernel) % limit);
}

/* ---- processes and their handles ---- */

struct fake_process *fake_process_start(struct fake_kernel *kernel, uint32_t pid)
{
    struct fake_process *unused = NULL;
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i) {
        struct fake_process *process = &kernel->processes[i];
        if (!process->running && process->references == 0) {
            if (!unused)
                unused = process;
        } else if (process->pid == pid) {
            fake_violation(kernel, "pid %u is in use or held", pid);
        }
    }
    if (!unused)
        fake_violation(kernel, "too many processes for the fake");
    memset(unused, 0, offsetof(struct fake_process, slots));
    unused->pid = pid;
    unused->running = true;
    return unused;
}

void fake_object_ref(struct fake_kernel *kernel, uint32_t object)
{
    ++kernel->objects[object].references;
}

void fake_object_unref(struct fake_kernel *kernel, uint32_t object)
{
    if (kernel->objects[object].references == 0)
        fake_violation(kernel, "object %u has no reference left", object);
    --kernel->objects[object].references;
    if (object < kernel->objects_low && kernel->objects[object].references == 0)
        kernel->objects_low = object;
}

static void slot_clear(struct fake_kernel *kernel, struct fake_process *process,
                       struct fake_slot *slot)
{
    uint32_t index = (uint32_t)(slot - process->slots);
    fake_object_unref(kernel, slot->object);
    if (slot->origin == FAKE_ORIGIN_UNTOLD && kernel->untold_gone)
        kernel->untold_gone(process, slot);
    memset(slot, 0, sizeof *slot);
    if (index < process->slots_low)
        process->slots_low = index;
}

void fake_process_exit(struct fake_kernel *kernel, struct fake_process *process)
{
    if (!process->running)
        return;
    process->running = false;
    for (size_t i = 0; i < process->slots_high; ++i)
        if (process->slots[i].object)
            slot_clear(kernel, process, &process->slots[i]);
    process->slots_high = 0;
}

uint32_t fake_object_new(struct fake_kernel *kernel, const char *type)
{
    for (uint32_t i = kernel->objects_low ? kernel->objects_low : 1; i < FAKE_OBJECTS_MAX; ++i) {
        if (kernel->objects[i].references)
            continue;
        snprintf(kernel->objects[i].type, sizeof kernel->objects[i].type, "%s", type);
        kernel->objects[i].socket = false;
        kernel->objects_low = i;
        if (i >= kernel->objects_high)
            kernel->objects_high = i + 1;
        return i;
    }
    fake_violation(kernel, "too many objects for the fake");
}

uint32_t fake_slot_take(struct fake_kernel *kernel, struct fake_process *process, uint32_t object,
                        uint32_t access, enum fake_origin origin)
{
    uint32_t max = process->handles_max ? process->handles_max : FAKE_HANDLES_MAX;
    for (uint32_t i = process->slots_low; i < max; ++i) {
        struct fake_slot *slot = &process->slots[i];
        if (slot->object)
            continue;
        process->slots_low = i + 1;
        *slot = (struct fake_slot){.object = object, .access = access, .origin = origin};
        fake_object_ref(kernel, object);
        if (i >= process->slots_high)
            process->slots_high = i + 1;
        return (i + 1) * 4;
    }
    return 0;
}

uint32_t fake_handle_make(struct fake_kernel *kernel, struct fake_process *process,
                          const char *type, uint32_t access)
{
    assert_true(process->running);
    uint32_t object = fake_object_new(kernel, type);
    uint32_t value = fake_slot_take(kernel, process, object, access, FAKE_ORIGIN_OWN);
    assert_true(value != 0);
    return value;
}

uint32_t fake_socket_make(struct fake_kernel *kernel, struct fake_process *process, uint32_t access)
{
    uint32_t value = fake_handle_make(kernel, process, "File", access);
    kernel->objects[fake_handle_find(process, value)->object].socket = true;
    return value;
}

struct fake_slot *fake_handle_find(struct fake_process *process, uint32_t value)
{
    uint32_t index = value / 4 - 1;
    if (value == 0 || value % 4 || index >= FAKE_HANDLES_MAX || !process->slots[index].object)
        return NULL;
    return &process->slots[index];
}

void fake_handle_close(struct fake_kernel *kernel, struct fake_process *process, uint32_t value)
{
    struct fake_slot *slot = fake_handle_find(process, value);
    assert_non_null(slot);
    slot_clear(kernel, process, slot);
}

bool fake_handle_is(struct fake_process *process, uint32_t value, uint32_t object)
{
    const struct fake_slot *slot = fake_handle_find(process, value);
    return slot && slot->object == object;
}

uint32_t fake_handles_count(const struct fake_process *process)
{
    uint32_t count = 0;
    for (size_t i = 0; i < process->slots_high; ++i)
        count += process->slots[i].object != 0;
    return count;
}

uint32_t fake_handles_untold(const struct fake_process *process)
{
    uint32_t count = 0;
    for (size_t i = 0; i < process->slots_high; ++i)
        count += process->slots[i].object && process->slots[i].origin == FAKE_ORIGIN_UNTOLD;
    return count;
}

/* What may still tell of it: a write to the process, or to who had it opened. */
static bool write_tells(const struct fake_kernel *kernel, const struct fake_process *process,
                        uint32_t via)
{
    for (size_t i = 0; i < kernel->connections_count; ++i) {
        const struct fake_connection *connection = kernel->connections[i];
        if (connection->pending &&
            (connection->process == process || (via && connection->number == via)))
            return true;
    }
    return false;
}

uint32_t fake_handles_lost(const struct fake_kernel *kernel, const struct fake_process *process)
{
    uint32_t count = 0;
    for (size_t i = 0; i < process->slots_high; ++i) {
        const struct fake_slot *slot = &process->slots[i];
        count += slot->object && slot->origin == FAKE_ORIGIN_UNTOLD &&
                 !fake_sockets_at(kernel, slot) && !write_tells(kernel, process, slot->via);
    }
    return count;
}

void fake_mark_told(struct fake_kernel *kernel, struct fake_slot *slot, uint64_t delivery,
                    uint32_t item)
{
    assert_int_equal(slot->origin, FAKE_ORIGIN_UNTOLD);
    slot->origin = delivery ? FAKE_ORIGIN_REVOCABLE : FAKE_ORIGIN_TOLD;
    if (delivery) {
        struct fake_pin *pin = fake_pin_find(kernel, slot->pin, "telling of a revocable handle");
        pin->delivery = delivery;
        pin->item = item;
    }
}

const struct fake_pin *fake_revocable_by(const struct fake_kernel *kernel,
                                         const struct fake_slot *slot, uint64_t delivery)
{
    const struct fake_pin *pin = &kernel->pins[slot->pin % FAKE_PINS_MAX];
    return slot->object && slot->origin == FAKE_ORIGIN_REVOCABLE && pin->id == slot->pin &&
                   pin->delivery == delivery
               ? pin
               : NULL;
}

void fake_mark_left(struct fake_kernel *kernel, const struct fake_process *process,
                    struct fake_slot *slot)
{
    if (kernel->untold_gone)
        kernel->untold_gone(process, slot);
    slot->origin = FAKE_ORIGIN_LEFT;
}

void fake_mark_revoked(const struct fake_kernel *kernel, struct fake_process *process,
                       uint64_t delivery)
{
    for (size_t i = 0; i < process->slots_high; ++i)
        if (fake_revocable_by(kernel, &process->slots[i], delivery))
            process->slots[i].origin = FAKE_ORIGIN_TOLD;
}

/* ---- faults and books ---- */

void fake_fail(struct fake_kernel *kernel, enum fake_op op, uint32_t at, int32_t code,
               uint32_t win32)
{
    kernel->faults[op] = (struct fake_fault){.at = at, .code = code, .win32 = win32};
}

void fake_exit_at(struct fake_kernel *kernel, enum fake_op op, uint32_t at,
                  struct fake_process *process, bool after)
{
    kernel->faults[op] = (struct fake_fault){.at = at, .exits = process, .exits_after = after};
}

void fake_trace_clear(struct fake_kernel *kernel)
{
    kernel->trace_size = 0;
}

static size_t trace_kept(const struct fake_kernel *kernel)
{
    return kernel->trace_size < FAKE_TRACE_MAX ? kernel->trace_size : FAKE_TRACE_MAX;
}

uint32_t fake_trace_count(const struct fake_kernel *kernel, enum fake_op op)
{
    uint32_t count = 0;
    for (size_t i = 0; i < trace_kept(kernel); ++i)
        count += kernel->trace[i].op == op;
    return count;
}

size_t fake_trace_find(const struct fake_kernel *kernel, enum fake_op op,
                       const struct fake_connection *connection, uint32_t nth)
{
    for (size_t i = 0; i < trace_kept(kernel); ++i) {
        const struct fake_step *step = &kernel->trace[i];
        if (step->op == op && step->connection == connection->number && --nth == 0)
            return i;
    }
    return SIZE_MAX;
}

static uint64_t hash_add(uint64_t hash, uint64_t value)
{
    for (unsigned i = 0; i < 8; ++i) {
        hash ^= (uint8_t)(value >> (8 * i));
        hash *= 0x100000001B3u;
    }
    return hash;
}

uint64_t fake_hash(const struct fake_kernel *kernel)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i) {
        const struct fake_process *process = &kernel->processes[i];
        if (!process->running)
            continue;
        hash = hash_add(hash, process->pid);
        for (uint32_t j = 0; j < process->slots_high; ++j) {
            const struct fake_slot *slot = &process->slots[j];
            if (!slot->object)
                continue;
            hash = hash_add(hash, ((uint64_t)j << 32) | slot->object);
            hash = hash_add(hash, ((uint64_t)slot->access << 32) | (uint32_t)slot->inherit << 8 |
                                      (uint32_t)slot->origin);
        }
    }
    for (size_t i = 0; i < kernel->pins_high; ++i)
        if (kernel->pins[i].state != FAKE_PIN_FREE)
            hash = hash_add(hash, ((uint64_t)kernel->pins[i].state << 32) | kernel->pins[i].object);
    hash = hash_add(hash, (uint64_t)kernel->opened_held << 32 | kernel->sockets_held);
    return hash_add(hash, kernel->policy.descriptors_held);
}

/* Who holds processes: connections until they are released, closes of proofs, what was opened, sockets, and looks. */
static void check_processes(const struct fake_kernel *kernel)
{
    uint32_t references[FAKE_PROCESSES_MAX] = {0};
    for (size_t i = 0; i < kernel->connections_count; ++i) {
        const struct fake_connection *connection = kernel->connections[i];
        size_t index = (size_t)(connection->process - kernel->processes);
        references[index] += !connection->released;
        references[index] += connection->proof_closing;
    }
    fake_parties_check(kernel, references);
    fake_sockets_check(kernel, references);
    fake_looks_check(kernel, references);
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        if (kernel->processes[i].references != references[i])
            fake_broken(kernel, "broker handles",
                        "process %u has %u references, %u are accounted for",
                        kernel->processes[i].pid, kernel->processes[i].references, references[i]);
}

void fake_check(const struct fake_kernel *kernel)
{
    static uint32_t references[FAKE_OBJECTS_MAX];
    uint32_t held = 0, closing = 0;
    memset(references, 0, kernel->objects_high * sizeof references[0]);
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        for (size_t j = 0; j < kernel->processes[i].slots_high; ++j)
            ++references[kernel->processes[i].slots[j].object];
    for (size_t i = 0; i < kernel->pins_high; ++i)
        if (kernel->pins[i].state != FAKE_PIN_FREE) {
            ++references[kernel->pins[i].object];
            ++held;
            closing += kernel->pins[i].state == FAKE_PIN_CLOSING;
        }
    if (held != kernel->pins_held || closing != kernel->pins_closing)
        fake_violation(kernel, "%u pins are held and %u close, %u and %u are counted", held,
                       closing, kernel->pins_held, kernel->pins_closing);
    for (size_t i = 0; i < kernel->connections_count; ++i)
        if (kernel->connections[i]->proof_object)
            ++references[kernel->connections[i]->proof_object];
    check_processes(kernel);
    for (size_t i = 1; i < kernel->objects_high; ++i)
        if (references[i] != kernel->objects[i].references)
            fake_violation(kernel, "object %zu has %u references, the tables show %u", i,
                           kernel->objects[i].references, references[i]);
}
