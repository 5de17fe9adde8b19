/* The books: what the kernel holds, what the core says, and what the simulator has counted must agree. What is
 * cheap is asked after every turn, what counts everything every SIM_FULL_CHECK_EVERY steps. */
#include "sim.h"

#include "core_books.h"

#include <inttypes.h>
#include <string.h>

/* ---- after every turn ---- */

/* What it waits for of what its connection does not count: a worker that makes sockets of an entry, that looks at tables, or one that closes
 * what was pinned in another process; another one's write that may tell of what it has moved. */
static bool has_worker(const struct sim *sim, const struct sim_client *client)
{
    if (fake_look_of(sim->kernel, client->key))
        return true;
    for (uint32_t i = 0; i < sim->kernel->pins_high && sim->kernel->pins_closing; ++i)
        if (sim->kernel->pins[i].state == FAKE_PIN_CLOSING && !sim->kernel->pins[i].owner)
            return true;
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i)
        if (sim->sends[i].tag && sim->sends[i].client == client->number &&
            (sim->sends[i].sockets || (sim->sends[i].kind == SIM_TRANSFER &&
                                       sim->sends[i].process && !sim->sends[i].answered)))
            return true;
    return false;
}

static void check_connection(struct sim *sim, const struct sim_client *client)
{
    const struct fake_connection *connection = client->connection;
    if (connection->closed && !connection->released && !connection->pending && !connection->pins &&
        !has_worker(sim, client))
        sim_violation(sim, "dead sessions",
                      "client %u is closed, holds nothing and is not released", client->number);
    bool proof = connection->proof_object && !connection->proof_closing;
    if (proof && (connection->closed || client->proven))
        sim_violation(sim, "proofs", "client %u is %s, and its proof is open", client->number,
                      client->proven ? "proven" : "closed");
}

void sim_check(struct sim *sim, bool idle)
{
    const struct fake_kernel *kernel = sim->kernel;
    if (kernel->pins_held != hbk_core_pins(sim->core))
        sim_violation(sim, "broker handles", "%u pins are held, the core says %u",
                      kernel->pins_held, hbk_core_pins(sim->core));
    if (!idle)
        return;
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        if (sim->clients[i])
            check_connection(sim, sim->clients[i]);
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        if (sim->processes[i].untold && fake_handles_lost(kernel, &kernel->processes[i]))
            sim_violation(sim, "untold values",
                          "process %u holds %u values that nobody will tell "
                          "it of",
                          kernel->processes[i].pid, sim->processes[i].untold);
}

/* Who waits for sockets is told when that takes too long, unless something is in the way of it. */
static void check_workers(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_SENDS_MAX && sim->kernel->sockets_making; ++i) {
        const struct sim_send *send = &sim->sends[i];
        const struct sim_client *client = sim_client_numbered(sim, send->client);
        if (send->tag && send->sockets && !send->answered && sim_client_lives(client) &&
            !client->connection->pending && !sim->stopping &&
            sim->kernel->now_ms - send->made_ms > HBK_SOCKET_DEADLINE_MS)
            sim_violation(sim, "deadlines",
                          "send %" PRIu64 " waits for a worker for %" PRIu64 " ms", send->tag,
                          sim->kernel->now_ms - send->made_ms);
    }
}

void sim_check_deadlines(struct sim *sim)
{
    uint64_t now_ms = sim->kernel->now_ms;
    check_workers(sim);
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i) {
        const struct sim_client *client = sim->clients[i];
        if (!client || client->connection->closed)
            continue;
        if (client->connection->pending && now_ms - client->pending_ms > sim->config.write_ms)
            sim_violation(sim, "deadlines", "client %u has read nothing for %" PRIu64 " ms",
                          client->number, now_ms - client->pending_ms);
        if (!client->connection->proven && !client->connection->pending &&
            now_ms - client->since_ms > sim->config.hello_ms)
            sim_violation(sim, "deadlines", "client %u is not proven after %" PRIu64 " ms",
                          client->number, now_ms - client->since_ms);
    }
}

/* ---- everything is counted ---- */

static void check_untold(struct sim *sim)
{
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i) {
        const struct fake_process *process = &sim->kernel->processes[i];
        uint32_t untold = fake_handles_untold(process);
        if (untold != sim->processes[i].untold)
            sim_violation(sim, "books of the simulator", "process %u: %u values, %u are counted",
                          process->pid, untold, sim->processes[i].untold);
    }
}

/* Each pin is of a send or of an entry, and each of those knows how many it has. */
static void check_pins(struct sim *sim)
{
    uint32_t pins = 0;
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i)
        pins += sim->sends[i].pins;
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i)
        pins += sim->entries[i].pins;
    if (pins + sim->kernel->pins_closing != sim->kernel->pins_held)
        sim_violation(sim, "broker handles", "%u pins are held, %u are accounted for",
                      sim->kernel->pins_held, pins + sim->kernel->pins_closing);
}

void sim_check_all(struct sim *sim)
{
    const struct fake_kernel *kernel = sim->kernel;
    fake_check(kernel);
    check_untold(sim);
    books_check(sim->core, kernel);
    if (sim->sockets_lost != books_sockets_lost(sim->core))
        sim_violation(sim, "untold values",
                      "%" PRIu64 " sockets could not be taken back, the core counts %" PRIu64,
                      sim->sockets_lost, books_sockets_lost(sim->core));
    check_pins(sim);
    uint32_t descriptors = books_descriptors(sim->core);
    if (descriptors != fake_descriptors_held(kernel))
        sim_violation(sim, "descriptors", "%u are held, endpoints, entries and rules have %u",
                      fake_descriptors_held(kernel), descriptors);
    uint64_t records = kernel->audit.sent_done - sim->sent_done_base;
    if (sim->records_exact && records != sim->told_sends)
        sim_violation(sim, "records", "%" PRIu64 " sends were told, %" PRIu64 " records say so",
                      sim->told_sends, records);
    uint64_t pending = 0;
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        pending += sim->clients[i] && sim->clients[i]->connection->pending;
    sim_state(sim,
              sim_mix(books_state(sim->core),
                      (pending < 3 ? pending : 3) |
                          (uint64_t)(kernel->pins_closing < 3 ? kernel->pins_closing : 3) << 2 |
                          (uint64_t)sim->stopping << 4));
}
