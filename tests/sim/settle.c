/* All comes to its end: then nothing may be left, nobody unanswered, and a pair must be served. */
#include "sim.h"

#include "core_books.h"
#include <string.h>

void sim_unpin_end(struct sim *sim, uint32_t index)
{
    uint64_t ticket = fake_unpin_end(sim->kernel, index);
    sim_event(sim, SIM_EV_UNPIN_ENDS, ticket, 0, 0, NULL, 0);
    sim_enter_core(sim);
    hbk_core_unpinned(sim->core, ticket);
    sim_leave_core(sim);
}

void sim_look_end(struct sim *sim, uint32_t index)
{
    struct fake_looked looked = fake_look_end(sim->kernel, index);
    const struct sim_client *client = sim_client_keyed(sim, looked.ticket);
    sim_event(sim, SIM_EV_LOOK_ENDS, looked.ticket, looked.failed, 0, NULL, 0);
    if (client && client->connection->closed)
        sim_outcome(sim, SIM_OUT_LOOK_LATE);
    sim_enter_core(sim);
    hbk_core_looked(sim->core, looked.ticket, looked.failed ? NULL : &looked.found,
                    looked.failed ? &looked.failure : NULL);
    sim_leave_core(sim);
    fake_look_free(&looked);
}

static bool end_what_pends(struct sim *sim)
{
    bool moved = false;
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i) {
        struct sim_client *client = sim->clients[i];
        if (!client)
            continue;
        bool gone = !client->process->running || client->hung_up;
        client->never_reads = false;
        client->connection->write_mode = FAKE_WRITE_DONE;
        client->held_back = 0;
        if (client->connection->proof_closing) {
            sim_proof_end(sim, client);
            moved = true;
        }
        if (client->connection->pending) {
            sim_write_end(sim, client, !gone && !client->connection->cancelled);
            moved = true;
        }
        if (gone && !client->heard) {
            sim_hear(sim, client);
            moved = true;
        }
    }
    while (fake_sockets_making(sim->kernel)) {
        sim_sockets_end(sim, 0);
        moved = true;
    }
    while (fake_looks_pending(sim->kernel)) {
        sim_look_end(sim, 0);
        moved = true;
    }
    while (fake_pins_closing(sim->kernel)) {
        sim_unpin_end(sim, 0);
        moved = true;
    }
    return moved;
}

void sim_drain(struct sim *sim)
{
    for (uint32_t rounds = 0; rounds < 100000; ++rounds) {
        bool idle = sim_turns(sim, UINT32_MAX / 2);
        if (!end_what_pends(sim) && idle && !sim_feed_all(sim)) {
            sim_turns(sim, UINT32_MAX / 2);
            sim_forget(sim);
            return;
        }
    }
    sim_violation(sim, "progress", "what is under way never comes to its end");
}

/* Past every deadline that anything under way may have. */
static void wait_for_all(struct sim *sim)
{
    uint64_t end_ms = sim->kernel->now_ms + UINT64_C(2) * HBK_WAIT_MS_MAX + HBK_WRITE_DEADLINE_MS;
    for (;;) {
        uint64_t due_ms = hbk_core_deadline_ms(sim->core);
        if (due_ms > end_ms)
            break;
        if (due_ms > sim->kernel->now_ms)
            sim->kernel->now_ms = due_ms;
        sim_tick(sim);
        sim_drain(sim);
    }
    sim->kernel->now_ms = end_ms;
    sim_tick(sim);
    sim_drain(sim);
}

static void check_answered(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i) {
        const struct sim_client *client = sim->clients[i];
        if (!client)
            continue;
        if (client->connection->closed)
            sim_violation(sim, "dead sessions", "client %u is closed and not released",
                          client->number);
        if (client->said_gone)
            sim_violation(sim, "answers are true",
                          "client %u is there, and others were told that "
                          "it has gone",
                          client->number);
        if (client->requests_count || client->broken_lines)
            sim_violation(sim, "answered once",
                          "client %u has %u requests and %u broken lines without an answer",
                          client->number, client->requests_count, client->broken_lines);
    }
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        if (sim->processes[i].untold)
            sim_violation(sim, "untold values",
                          "process %u holds %u values that it was not told of",
                          sim->kernel->processes[i].pid, sim->processes[i].untold);
    if (fake_opened_held(sim->kernel) || fake_sockets_held(sim->kernel))
        sim_violation(sim, "broker handles",
                      "nothing is under way, and %u processes and %u sockets are held",
                      fake_opened_held(sim->kernel), fake_sockets_held(sim->kernel));
    sim_check_stored(sim);
    sim_check_given(sim);
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i)
        if (sim->sends[i].tag &&
            ((sim->sends[i].pins && !sim_given(sim, &sim->sends[i])) || sim->sends[i].placed))
            sim_violation(sim, "broker handles", "send %llu is over, and has %u pins and %u values",
                          (unsigned long long)sim->sends[i].tag, sim->sends[i].pins,
                          sim->sends[i].placed);
}

/* ---- a pair is served ---- */

static bool can_serve(const struct sim_client *client)
{
    return client && client->proven && !client->hung_up && !client->connection->closed &&
           client->process->running;
}

/* Other rules than when it was put. */
static bool cap_exceeded(const struct sim *sim, const struct sim_entry *entry)
{
    return entry->name != SIM_NAME_TICKET &&
           (entry->item.access &
            ~sim_cap(sim_rules_at(sim, sim->generation), entry->name, entry->item.type)) != 0;
}

/* Both may be the same process. */
static void make_room(struct sim *sim, struct fake_process *process)
{
    uint32_t max = process->handles_max ? process->handles_max : FAKE_HANDLES_MAX;
    for (uint32_t i = 0; i < process->slots_high && fake_handles_count(process) + 3 > max; ++i)
        if (process->slots[i].object)
            fake_handle_close(sim->kernel, process, (i + 1) * 4);
}

static void serve(struct sim *sim, struct sim_client *source, struct sim_client *target)
{
    uint64_t told = sim->counts->outcomes[SIM_OUT_TOLD];
    uint64_t opened = sim->counts->results[HBK_METHOD_ENDPOINT_OPEN];
    uint64_t quota = sim->counts->errors[sim_error_index(HBK_R_QUOTA)];
    make_room(sim, target->process);
    make_room(sim, source->process);
    sim_say_open(sim, target, SIM_NAME_PROBE, true);
    sim_drain(sim);
    /* Rules or limits may be in the way; of the hand-off itself nothing may. */
    if (sim->counts->results[HBK_METHOD_ENDPOINT_OPEN] == opened)
        return;
    sim_say_send(sim, source, target, SIM_NAME_PROBE);
    sim_drain(sim);
    /* What is kept for revocation counts too. */
    bool full =
        sim->counts->errors[sim_error_index(HBK_R_QUOTA)] > quota && hbk_core_pins(sim->core);
    if (sim->counts->outcomes[SIM_OUT_TOLD] == told && !full)
        sim_violation(sim, "others are served", "client %u could hand nothing to client %u",
                      source->number, target->number);
    sim_say_close(sim, target, SIM_NAME_PROBE);
    sim_drain(sim);
    if (!full)
        sim_outcome(sim, SIM_OUT_SERVED);
}

static void serve_a_pair(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        for (uint32_t j = i + 1; j < SIM_CLIENTS_MAX; ++j)
            if (can_serve(sim->clients[i]) && can_serve(sim->clients[j]) &&
                sim->clients[i]->identity == sim->clients[j]->identity) {
                serve(sim, sim->clients[i], sim->clients[j]);
                return;
            }
}

static void ask_what_there_is(struct sim *sim)
{
    static const enum hbk_method methods[] = {HBK_METHOD_BROKER_STATUS, HBK_METHOD_STORE_LIST,
                                              HBK_METHOD_DELIVERY_LIST, HBK_METHOD_BROKER_METRICS};
    uint32_t asked = 0;
    sim->at_rest = true;
    sim_meter(sim);
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX && asked < 3; ++i) {
        if (!can_serve(sim->clients[i]))
            continue;
        for (size_t j = 0; j < sizeof methods / sizeof methods[0]; ++j) {
            sim_say_simple(sim, sim->clients[i], methods[j]);
            sim_drain(sim);
        }
        ++asked;
    }
    sim->at_rest = false;
}

/* An entry that is kept can be had by who put it: also one that was on its way before, and was not told of. */
static void take_what_is_kept(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i) {
        struct sim_entry *entry = &sim->entries[(sim->step + i) % SIM_ENTRIES_MAX];
        struct sim_client *client = sim_client_numbered(sim, entry->client);
        if (!entry->tag || !entry->pins || !entry->told_at || entry->allow ||
            entry->item.type == HBK_TYPE_SOCKET || !can_serve(client))
            continue;
        uint64_t taken = entry->taken;
        make_room(sim, client->process);
        const struct sim_send *send = sim_send_of(sim, sim_say_get(sim, client, entry, true));
        sim_drain(sim);
        const struct sim_send asked = {.identity = client->identity, .name = entry->name};
        if (send && entry->taken == taken &&
            sim_entry_lets(sim_rules_at(sim, sim->generation), entry, &asked) &&
            !cap_exceeded(sim, entry))
            sim_violation(sim, "others are served", "entry %llu cannot be had by who put it",
                          (unsigned long long)entry->entry);
        return;
    }
}

void sim_settle(struct sim *sim)
{
    sim_event(sim, SIM_EV_SETTLES, 0, 0, 0, NULL, 0);
    sim->quiet = true;
    memset(&sim->kernel->chaos, 0, sizeof sim->kernel->chaos);
    sim_drain(sim);
    wait_for_all(sim);
    check_answered(sim);
    sim_check_all(sim);
    sim_outcome(sim, SIM_OUT_SETTLED);
    ask_what_there_is(sim);
    if (sim_paused(sim)) {
        sim_outcome(sim, SIM_OUT_PAUSED_SETTLED);
        sim_pause(sim, false);
    }
    take_what_is_kept(sim);
    if (sim_may_open(sim_rules_at(sim, sim->generation), 0, SIM_NAME_PROBE))
        serve_a_pair(sim);
    sim_check_all(sim);
    sim->kernel->chaos = sim->swarm.chaos;
    sim->quiet = false;
}
