#include "alloc_fault.h"
#include "core_books.h"
#include "core_client.h"

#include <stdlib.h>
#include <string.h>

/* What a failed test leaves behind stays reachable, so that the leak checker's report is not in the way
 * of the failure's own. */
static struct rig *rigs;

void rig_enter_core(void)
{
    alloc_fault_pause(false);
}

void rig_leave_core(void)
{
    alloc_fault_pause(true);
}

struct rig *rig_new(const struct hbk_config *config, uint64_t seed)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig_leave_core();
    rig->next = rigs;
    rig->terminal_session = 1;
    rigs = rig;
    rig->kernel = fake_kernel_new(seed);
    rig->kernel->told = client_told;
    rig->kernel->outside = alloc_fault_pause;
    if (config)
        rig->config = *config;
    else
        hbk_config_default(&rig->config);
    struct hbk_platform platform = fake_platform(rig->kernel);
    rig->core = hbk_core_new(&platform, &rig->config);
    assert_non_null(rig->core);
    return rig;
}

/* ---- checks ---- */

void rig_check(struct rig *rig)
{
    fake_check(rig->kernel);
    uint32_t held = fake_pins_held(rig->kernel);
    if (held != hbk_core_pins(rig->core))
        fake_violation(rig->kernel, "%u pins are held, the core says %u", held,
                       hbk_core_pins(rig->core));
}

static bool write_pends(const struct fake_kernel *kernel)
{
    for (size_t i = 0; i < kernel->connections_count; ++i)
        if (kernel->connections[i]->pending)
            return true;
    return false;
}

void rig_check_idle(struct rig *rig)
{
    const struct fake_kernel *kernel = rig->kernel;
    rig_check(rig);
    books_check(rig->core, rig->kernel);
    /* A session may stay for a pin of its that is being closed, or placed where a write pends, or that a worker makes a
     * socket from; and for a worker that looks. */
    bool may_stay = fake_pins_closing(kernel) || fake_sockets_making(kernel) ||
                    fake_looks_pending(kernel) || write_pends(kernel);
    for (size_t i = 0; i < kernel->connections_count && !may_stay; ++i) {
        const struct fake_connection *connection = kernel->connections[i];
        if (connection->closed && !connection->released)
            fake_violation(kernel, "connection %u is closed and not released", connection->number);
    }
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i) {
        const struct fake_process *process = &kernel->processes[i];
        if (process->running && fake_handles_lost(kernel, process))
            fake_violation(kernel, "process %u holds what nobody will tell it of", process->pid);
    }
}

void client_forget(struct client *client)
{
    struct rig *rig = client->rig;
    size_t i = 0;
    while (rig->clients[i] != client)
        ++i;
    rig->clients[i] = rig->clients[--rig->clients_count];
    fake_connection_free(client->connection);
    client_free(client);
}

/* ---- the loop ---- */

bool rig_turn(struct rig *rig)
{
    rig_enter_core();
    bool more = hbk_core_run(rig->core);
    rig_leave_core();
    rig_check(rig);
    return more;
}

static bool feed_all(struct rig *rig)
{
    bool fed = false;
    for (size_t i = 0; i < rig->clients_count; ++i)
        fed |= client_feed(rig->clients[i]);
    return fed;
}

void rig_run(struct rig *rig)
{
    for (unsigned turns = 0; rig_turn(rig) || feed_all(rig); ++turns)
        if (turns > 100000)
            fake_violation(rig->kernel, "hbk_core_run() never has enough");
    rig_check_idle(rig);
}

static void tick(struct rig *rig)
{
    rig_enter_core();
    hbk_core_tick(rig->core);
    rig_leave_core();
}

void rig_advance(struct rig *rig, uint64_t ms)
{
    struct fake_kernel *kernel = rig->kernel;
    uint64_t end_ms = kernel->now_ms + ms;
    for (unsigned ticks = 0;; ++ticks) {
        uint64_t due_ms = hbk_core_deadline_ms(rig->core);
        if (due_ms > end_ms)
            break;
        if (due_ms > kernel->now_ms) {
            kernel->now_ms = due_ms;
            ticks = 0;
        }
        /* A few at one moment are right: a turn may start what is due at once. */
        if (ticks > 100)
            fake_violation(kernel, "a deadline stays due, however often it is acted on");
        tick(rig);
        rig_run(rig);
    }
    kernel->now_ms = end_ms;
    rig_run(rig);
}

void rig_stop(struct rig *rig)
{
    rig_enter_core();
    hbk_core_stop(rig->core);
    rig_leave_core();
    rig_run(rig);
}

void rig_unpin_end(struct rig *rig, uint32_t index)
{
    uint64_t ticket = fake_unpin_end(rig->kernel, index);
    rig_enter_core();
    hbk_core_unpinned(rig->core, ticket);
    rig_leave_core();
    rig_check(rig);
}

void rig_unpins_end(struct rig *rig)
{
    for (uint32_t left = fake_pins_closing(rig->kernel); left > 0; --left)
        rig_unpin_end(rig, left - 1);
    rig_run(rig);
}

void rig_sockets_end(struct rig *rig, uint32_t index)
{
    struct fake_made made = fake_sockets_end(rig->kernel, index);
    rig_enter_core();
    hbk_core_sockets_made(rig->core, made.ticket, made.failed ? &made.failure : NULL, made.item);
    rig_leave_core();
    rig_check(rig);
}

void rig_sockets_all_end(struct rig *rig)
{
    for (uint32_t left = fake_sockets_making(rig->kernel); left > 0; --left)
        rig_sockets_end(rig, left - 1);
    rig_run(rig);
}

/* What the core was shown is no more once it has returned. */
void rig_look_end(struct rig *rig, uint32_t index)
{
    struct fake_looked looked = fake_look_end(rig->kernel, index);
    rig_enter_core();
    hbk_core_looked(rig->core, looked.ticket, looked.failed ? NULL : &looked.found,
                    looked.failed ? &looked.failure : NULL);
    rig_leave_core();
    fake_look_free(&looked);
    rig_check(rig);
}

void rig_looks_end(struct rig *rig)
{
    for (uint32_t left = fake_looks_pending(rig->kernel); left > 0; --left)
        rig_look_end(rig, left - 1);
    rig_run(rig);
}

void rig_proof_end(struct rig *rig, struct client *client)
{
    fake_proof_end(client->connection);
    rig_enter_core();
    hbk_core_proof_closed(rig->core, client->session);
    rig_leave_core();
    rig_run(rig);
}

void rig_configure(struct rig *rig, const struct hbk_config *config, struct hbk_policy *policy,
                   const char *source)
{
    rig->config = *config;
    rig_enter_core();
    hbk_core_configure(rig->core, &rig->config, policy, source);
    rig_leave_core();
    rig_run(rig);
}

void rig_let_inspect(struct rig *rig, const struct client *client, const char *source)
{
    struct hbk_policy *policy = hbk_policy_new(0);
    assert_non_null(policy);
    policy->verbs[HBK_VERB_INSPECT] = fake_descriptor(rig->kernel, "let inspect");
    fake_grant(rig->kernel, "let inspect", rig->inspector, 0);
    rig->inspector = client ? client->process->pid : 0;
    fake_grant(rig->kernel, "let inspect", rig->inspector, HBK_RIGHT_INSPECT);
    rig_configure(rig, &rig->config, policy, source);
}

/* ---- the end of a test ---- */

/* What keeps a broker from stopping comes to its end: writes, pins' closes and workers. */
static void let_all_end(struct rig *rig)
{
    bool progress = true;
    while (progress) {
        progress = false;
        for (size_t i = 0; i < rig->clients_count; ++i) {
            struct client *client = rig->clients[i];
            if (client->connection->proof_closing) {
                rig_proof_end(rig, client);
                progress = true;
            }
            if (!client->connection->pending)
                continue;
            client_write_ends(client, client->process->running && !client->connection->cancelled);
            progress = true;
        }
        if (fake_sockets_making(rig->kernel)) {
            rig_sockets_all_end(rig);
            progress = true;
        }
        if (fake_looks_pending(rig->kernel)) {
            rig_looks_end(rig);
            progress = true;
        }
        if (fake_pins_closing(rig->kernel)) {
            rig_unpins_end(rig);
            progress = true;
        }
    }
}

static void check_nothing_left(struct rig *rig)
{
    struct fake_kernel *kernel = rig->kernel;
    assert_int_equal(fake_pins_held(kernel), 0);
    assert_int_equal(hbk_core_pins(rig->core), 0);
    assert_int_equal(fake_closers_held(kernel), 0);
    assert_int_equal(fake_opened_held(kernel), 0);
    assert_int_equal(fake_sockets_held(kernel), 0);
    for (size_t i = 0; i < rig->clients_count; ++i) {
        const struct client *client = rig->clients[i];
        assert_true(client->connection->closed);
        assert_true(client->connection->released);
        assert_int_equal(client->connection->proof_object, 0);
    }
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i) {
        const struct fake_process *process = &kernel->processes[i];
        assert_int_equal(process->references, 0);
        assert_int_equal(fake_handles_untold(process), 0);
        for (uint32_t j = 0; j < process->slots_high; ++j)
            assert_true(!process->slots[j].object || process->slots[j].origin != FAKE_ORIGIN_PROOF);
    }
}

/* Who still listens when the broker is told to stop must get every answer. */
static bool listens(const struct client *client)
{
    const struct fake_connection *connection = client->connection;
    return !connection->closed && !connection->broken && !connection->cancelled &&
           !client->hung_up && client->process->running && client->outbound.size == 0 &&
           connection->write_mode != FAKE_WRITE_FAILS;
}

void rig_end(struct rig *rig)
{
    struct fake_kernel *kernel = rig->kernel;
    bool listening[RIG_CLIENTS_MAX] = {false};
    memset(kernel->faults, 0, sizeof kernel->faults);
    memset(&kernel->chaos, 0, sizeof kernel->chaos);
    kernel->unpins_pend = kernel->proofs_pend = kernel->sockets_early = false;
    for (size_t i = 0; i < rig->clients_count; ++i)
        listening[i] = listens(rig->clients[i]);

    rig_stop(rig);
    let_all_end(rig);
    if (!hbk_core_stopped(rig->core))
        rig_advance(rig, rig->config.stop_ms);
    let_all_end(rig);
    if (!hbk_core_stopped(rig->core))
        fake_violation(kernel, "the broker does not stop");
    check_nothing_left(rig);
    books_check_empty(rig->core, rig->kernel);
    for (size_t i = 0; i < rig->clients_count; ++i)
        if (listening[i])
            client_fail_if_unanswered(rig->clients[i]);

    rig_enter_core();
    hbk_core_free(rig->core);
    assert_int_equal(fake_descriptors_held(kernel), 0);
    rig_leave_core();
    for (size_t i = 0; i < rig->clients_count; ++i)
        client_free(rig->clients[i]);
    fake_kernel_free(kernel);
    struct rig **at = &rigs;
    while (*at != rig)
        at = &(*at)->next;
    *at = rig->next;
    free(rig);
}
