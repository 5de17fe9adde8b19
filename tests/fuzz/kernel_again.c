/* One fake kernel for all inputs. A new one is 5 MB of zeros, which costs more than most inputs do: here only what was
 * used is zeroed. Linked with --wrap for fake_kernel_new and fake_kernel_free. */
#include "fake_platform.h"

#include <string.h>

struct fake_kernel *__real_fake_kernel_new(uint64_t seed);
struct fake_kernel *__wrap_fake_kernel_new(uint64_t seed);
void __wrap_fake_kernel_free(struct fake_kernel *kernel);

static struct fake_kernel *kept;

/* The large arrays, in the order in which they stand; each is zeroed as far as it was used. */
struct span {
    size_t offset, size, used;
};

static void zero_processes(struct fake_kernel *kernel)
{
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i) {
        struct fake_process *process = &kernel->processes[i];
        memset(process->slots, 0, process->slots_high * sizeof process->slots[0]);
        memset(process, 0, offsetof(struct fake_process, slots));
    }
}

static size_t at_most(size_t count, size_t most)
{
    return count < most ? count : most;
}

static void zero(struct fake_kernel *kernel)
{
    const struct fake_audit *audit = &kernel->audit;
    const struct span spans[] = {
        {offsetof(struct fake_kernel, audit.notices), sizeof audit->notices,
         at_most(audit->notices_count, FAKE_NOTICES_MAX) * sizeof audit->notices[0]},
        {offsetof(struct fake_kernel, processes), sizeof kernel->processes, 0},
        {offsetof(struct fake_kernel, objects), sizeof kernel->objects,
         kernel->objects_high * sizeof kernel->objects[0]},
        {offsetof(struct fake_kernel, pins), sizeof kernel->pins,
         kernel->pins_high * sizeof kernel->pins[0]},
        {offsetof(struct fake_kernel, trace), sizeof kernel->trace,
         at_most(kernel->trace_size, FAKE_TRACE_MAX) * sizeof kernel->trace[0]},
    };
    uint8_t *bytes = (uint8_t *)kernel;
    size_t done = 0;
    zero_processes(kernel);
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; ++i) {
        HBK_ASSERT(spans[i].offset >= done && spans[i].used <= spans[i].size);
        memset(bytes + spans[i].offset, 0, spans[i].used);
        memset(bytes + done, 0, spans[i].offset - done);
        done = spans[i].offset + spans[i].size;
    }
    memset(bytes + done, 0, sizeof *kernel - done);
}

struct fake_kernel *__wrap_fake_kernel_new(uint64_t seed)
{
    struct fake_kernel *kernel = kept;
    if (!kernel)
        return __real_fake_kernel_new(seed);
    kept = NULL;
    zero(kernel);
    kernel->now_ms = 1000000;
    kernel->seed = seed;
    kernel->random_state = seed;
    kernel->label = "";
    return kernel;
}

void __wrap_fake_kernel_free(struct fake_kernel *kernel)
{
    fake_kernel_clear(kernel);
    HBK_ASSERT(!kept);
    kept = kernel;
}
