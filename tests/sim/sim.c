/* One run: a world is drawn from the seed, then one thing after the other happens in it. */
#include "sim.h"

#include "alloc_fault.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The run at work: a broken assertion of the core comes without context. */
static struct sim *now;

struct sim *sim_now(void)
{
    return now;
}

void sim_violation(struct sim *sim, const char *invariant, const char *format, ...)
{
    va_list values;
    alloc_fault_disarm();
    va_start(values, format);
    vsnprintf(sim->what, sizeof sim->what, format, values);
    va_end(values);
    sim->invariant = invariant;
    longjmp(sim->violated, 1);
}

static void kernel_violated(const struct fake_kernel *kernel, const char *invariant,
                            const char *what)
{
    sim_violation(kernel->owner, invariant, "%s", what);
}

/* Instead of the one of proto/base, which would end the program: an assertion is an invariant like others. */
void hbk_assert_failed(const char *expression, const char *file, int line)
{
    const char *name = strrchr(file, '/');
    if (!now) {
        fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, expression);
        abort();
    }
    sim_violation(now, "assertion", "%s:%d: %s", name ? name + 1 : file, line, expression);
}

uint32_t sim_below(struct sim *sim, uint32_t limit)
{
    return fake_random_below(sim->kernel, limit);
}

bool sim_chance(struct sim *sim, uint32_t per_mille)
{
    return per_mille && sim_below(sim, 1000) < per_mille;
}

/* ---- into the core and out of it ---- */

static void count_alloc(struct sim *sim)
{
    sim_outcome(sim, SIM_OUT_ALLOC);
    sim->allocs_failed = true;
    sim->records_exact = false;
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        if (sim->clients[i])
            sim->clients[i]->excused = true;
}

void sim_enter_core(struct sim *sim)
{
    if (!sim->quiet && sim_chance(sim, sim->swarm.alloc_fails)) {
        sim->alloc_fails_at = sim_below(sim, sim_below(sim, 2) ? 6 : 32);
        sim->alloc_may_fail = true;
        sim_event(sim, SIM_EV_ALLOC, sim->alloc_fails_at, 0, 0, NULL, 0);
        alloc_fault_arm(sim->alloc_fails_at);
    }
    alloc_fault_pause(false);
}

void sim_leave_core(struct sim *sim)
{
    alloc_fault_pause(true);
    if (sim->alloc_may_fail && alloc_fault_disarm() > sim->alloc_fails_at)
        count_alloc(sim);
    sim->alloc_may_fail = false;
}

bool sim_turns(struct sim *sim, uint32_t max)
{
    bool fed = false;
    for (uint32_t turn = 0; turn < max || fed; ++turn) {
        sim_enter_core(sim);
        bool more = hbk_core_run(sim->core);
        sim_leave_core(sim);
        sim_check(sim, !more);
        if (turn >= max)
            return !more;
        fed = sim_feed_all(sim);
        if (!more && !fed)
            return true;
        if (turn > 200000)
            sim_violation(sim, "progress", "hbk_core_run() never has enough");
    }
    return false;
}

void sim_tick(struct sim *sim)
{
    sim->ticking = true;
    for (uint32_t ticks = 0; hbk_core_deadline_ms(sim->core) <= sim->kernel->now_ms; ++ticks) {
        if (ticks > 10000)
            sim_violation(sim, "progress", "a deadline stays due, however often it is acted on");
        sim_enter_core(sim);
        hbk_core_tick(sim->core);
        sim_leave_core(sim);
        sim_turns(sim, UINT32_MAX / 2);
    }
    sim->ticking = false;
    sim_turns(sim, UINT32_MAX / 2);
    sim_check_deadlines(sim);
}

/* ---- a run ---- */

static void begin(struct sim *sim)
{
    sim->kernel = fake_kernel_new(sim->seed);
    sim->kernel->owner = sim;
    sim->kernel->told = sim_told;
    sim->kernel->seen = sim_seen;
    sim->kernel->untold_gone = sim_untold_gone;
    sim->kernel->another = sim_process_that_exits;
    sim->kernel->violated = kernel_violated;
    sim->kernel->outside = alloc_fault_pause;
    sim->kernel->audit.forgets = true;
    sim->kernel->policy.widenable_odd = true;
    sim->step = 0;
    sim->kernel->random_state = sim_mix(0x5EED, sim->seed);
    alloc_fault_pause(true);
    sim_swarm_draw(sim);
    sim->kernel->chaos = sim->swarm.chaos;
    sim_broker_start(sim);
}

static bool left_out(const struct sim_options *options, uint64_t step)
{
    return options->left_out && (options->left_out[step / 8] >> (step % 8) & 1);
}

/* The generator is set for each step, so that what one draws does not depend on whether others were left out. */
static void one_step(struct sim *sim)
{
    sim->kernel->random_state = sim_mix(sim_mix(0x57E9, sim->seed), sim->step);
    sim_act(sim);
    bool idle = false;
    if (sim_below(sim, 100) < sim->swarm.run_all)
        idle = sim_turns(sim, UINT32_MAX / 2);
    else
        idle = sim_turns(sim, sim_below(sim, 5));
    if (idle && (sim->step % SIM_FULL_CHECK_EVERY == 0 || sim->options->every_step))
        sim_check_all(sim);
    if (sim->stopping && hbk_core_stopped(sim->core)) {
        sim_broker_end(sim);
        sim_broker_start(sim);
        sim_outcome(sim, SIM_OUT_RESTARTED);
    }
}

static void finish(struct sim *sim)
{
    ++sim->step;
    sim->kernel->random_state = sim_mix(0xE4D, sim->seed);
    if (!sim->stopping)
        sim_settle(sim);
    sim->quiet = true;
    memset(&sim->kernel->chaos, 0, sizeof sim->kernel->chaos);
    if (!sim->stopping)
        sim_broker_stop(sim, true);
    sim_drain(sim);
    sim->kernel->now_ms += sim->config.stop_ms;
    sim_tick(sim);
    sim_drain(sim);
    if (!hbk_core_stopped(sim->core))
        sim_violation(sim, "progress", "the broker does not stop");
    sim_broker_end(sim);
}

bool sim_run(struct sim *sim)
{
    now = sim;
    if (setjmp(sim->violated)) {
        now = NULL;
        return false;
    }
    begin(sim);
    for (sim->step = 1; sim->step <= sim->options->steps; ++sim->step) {
        if (!left_out(sim->options, sim->step))
            one_step(sim);
        ++sim->counts->steps;
    }
    finish(sim);
    ++sim->counts->seeds;
    now = NULL;
    return true;
}

void sim_free(struct sim *sim)
{
    sim_forget(sim);
    fake_kernel_free(sim->kernel);
    free(sim->metered);
    free(sim);
}
