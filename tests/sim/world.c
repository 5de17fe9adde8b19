/* What the world does: processes come and go, pipes are read or not, workers return, time passes, and the
 * broker itself is given other rules, stopped and started. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_PID = 100 };

/* ---- processes and their objects ---- */

struct fake_process *sim_any_process(struct sim *sim)
{
    uint32_t running = 0;
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        running += sim->kernel->processes[i].running;
    uint32_t index = running ? sim_below(sim, running) : 0;
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        if (sim->kernel->processes[i].running && index-- == 0)
            return &sim->kernel->processes[i];
    return NULL;
}

struct fake_process *sim_process_that_exits(struct fake_kernel *kernel)
{
    sim_outcome(kernel->owner, SIM_OUT_EXIT_INSIDE);
    return sim_any_process(kernel->owner);
}

uint32_t sim_make_handle(struct sim *sim, struct fake_process *process)
{
    static const char *const types[] = {"Event", "Event",   "Mutant", "Section",
                                        "File",  "Section", "Timer",  "Semaphore"};
    static const char *const odd[] = {"Process", "Token", "IoCompletion", "Key", "Thread", ""};
    uint32_t max = process->handles_max ? process->handles_max : FAKE_HANDLES_MAX;
    const char *type = types[sim_below(sim, 8)];
    uint32_t access = sim_below(sim, 10) ? 0x1FFFFF : 1 + sim_below(sim, 0x1FFFFF);
    if (sim_below(sim, 25) == 0)
        type = odd[sim_below(sim, 6)];
    if (fake_handles_count(process) >= max)
        return 0;
    bool socket = strcmp(type, "File") == 0 && sim_below(sim, 2);
    if (sim->swarm.sockets && sim_below(sim, 3) == 0) {
        type = "File";
        socket = true;
    }
    uint32_t value = socket ? fake_socket_make(sim->kernel, process, access)
                            : fake_handle_make(sim->kernel, process, type, access);
    sim_event(sim, SIM_EV_HANDLE, process->pid, value, fake_handle_find(process, value)->object,
              type, strlen(type));
    return value;
}

/* It knows of its own, and of what it was told; the value is used again by the next one. */
static void change_handles(struct sim *sim)
{
    struct fake_process *process = sim_any_process(sim);
    if (!process)
        return;
    uint32_t index = sim_below(sim, process->slots_high + 1);
    struct fake_slot *slot = &process->slots[index];
    if (index < process->slots_high && slot->object && slot->origin != FAKE_ORIGIN_UNTOLD &&
        slot->origin != FAKE_ORIGIN_PROOF)
        fake_handle_close(sim->kernel, process, (index + 1) * 4);
    if (sim_below(sim, 8))
        sim_make_handle(sim, process);
}

static struct fake_process *start_process(struct sim *sim)
{
    struct fake_kernel *kernel = sim->kernel;
    uint32_t pid = 0;
    for (uint32_t tries = 0; pid == 0 && tries < 8; ++tries) {
        pid = FIRST_PID + sim_below(sim, SIM_PIDS);
        for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
            if (kernel->processes[i].pid == pid &&
                (kernel->processes[i].running || kernel->processes[i].references))
                pid = 0;
    }
    if (pid == 0)
        return NULL;
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        if (kernel->processes[i].pid == pid) {
            sim_outcome(sim, SIM_OUT_PID_REUSED);
            kernel->processes[i].pid = 0;
        }
    struct fake_process *process = fake_process_start(kernel, pid);
    size_t index = (size_t)(process - kernel->processes);
    sim->processes[index].identity = sim_below(sim, sim->swarm.identities);
    if (sim->processes[index].untold)
        sim_violation(sim, "books of the simulator", "a process that is gone holds something");
    process->token = &sim_identities[sim->processes[index].identity].token;
    process->handles_max = sim->swarm.handles_max;
    for (uint32_t i = 0; i < 5; ++i)
        sim_make_handle(sim, process);
    return process;
}

static void exit_process(struct sim *sim)
{
    struct fake_process *process = sim_any_process(sim);
    if (!process)
        return;
    sim_event(sim, SIM_EV_EXITS, process->pid, 0, 0, NULL, 0);
    fake_process_exit(sim->kernel, process);
}

/* ---- connections ---- */

static struct hbk_peer peer_of(const struct fake_process *process, uint32_t identity)
{
    const struct sim_identity *who = &sim_identities[identity];
    struct hbk_peer peer = {.pid = process->pid,
                            .terminal_session = who->token.terminal_session,
                            .logon_session = who->logon_session,
                            .integrity = who->token.integrity};
    snprintf(peer.user, sizeof peer.user, "%s", who->token.user);
    memset(peer.scope, 0xA0 + (int)identity, sizeof peer.scope);
    return peer;
}

static void client_free(struct sim_client *client)
{
    free(client->metered);
    hbk_buffer_deinit(&client->outbound);
    hbk_buffer_deinit(&client->inbound);
    free(client);
}

static struct sim_client *client_new(struct sim *sim, struct fake_process *process)
{
    struct sim_client *client = calloc(1, sizeof *client);
    HBK_ASSERT(client != NULL);
    client->process = process;
    client->identity = sim->processes[process - sim->kernel->processes].identity;
    client->connection =
        fake_connect(sim->kernel, process, sim_identities[client->identity].token.user);
    client->connection->owner = client;
    client->number = client->connection->number;
    client->since_ms = sim->kernel->now_ms;
    client->never_reads = !sim->quiet && sim_chance(sim, sim->swarm.never_reads);
    client->excused = sim->allocs_failed;
    hbk_buffer_init(&client->outbound, (size_t)1 << 24);
    hbk_buffer_init(&client->inbound, (size_t)1 << 24);
    if (client->never_reads)
        client->connection->write_mode = FAKE_WRITE_PENDS;
    return client;
}

static struct fake_process *process_to_connect(struct sim *sim)
{
    uint32_t running = 0;
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        running += sim->kernel->processes[i].running;
    if (running && ((sim->swarm.shared && sim_below(sim, 3) == 0) || running >= SIM_PROCESSES_MAX))
        return sim_any_process(sim);
    return start_process(sim);
}

void sim_connect(struct sim *sim)
{
    struct fake_process *process = NULL;
    uint32_t place = 0;
    while (place < SIM_CLIENTS_MAX && sim->clients[place])
        ++place;
    if (sim->clients_count >= sim->swarm.clients || place == SIM_CLIENTS_MAX)
        return;
    process = process_to_connect(sim);
    if (!process)
        return;
    struct sim_client *client = client_new(sim, process);
    struct hbk_peer peer = peer_of(process, client->identity);
    sim_event(sim, SIM_EV_CONNECTS, client->number, process->pid, client->identity, NULL, 0);
    sim_enter_core(sim);
    int refused = hbk_core_session_opened(sim->core, &peer, client->connection, &client->key);
    sim_leave_core(sim);
    if (refused) {
        client->connection->closed = client->connection->released = true;
        --process->references;
        fake_connection_free(client->connection);
        client_free(client);
        sim_outcome(sim, SIM_OUT_CONNECT_REFUSED);
        return;
    }
    sim->clients[place] = client;
    ++sim->clients_count;
}

/* But for a greeting that the end of its session came before. */
static uint32_t unanswered(const struct sim_client *client)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SIM_REQUESTS_MAX; ++i)
        count += client->requests[i].id && client->requests[i].method != HBK_METHOD_SESSION_HELLO &&
                 client->requests[i].method != HBK_METHOD_SESSION_PROVE;
    return count;
}

void sim_forget(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i) {
        struct sim_client *client = sim->clients[i];
        if (!client || !client->connection->released || client->connection->proof_closing)
            continue;
        if (client->must_answer && unanswered(client))
            sim_violation(sim, "answered once",
                          "client %u listened until the end and has %u "
                          "requests without an answer",
                          client->number, unanswered(client));
        for (uint32_t j = 0; j < SIM_REQUESTS_MAX; ++j)
            sim->tally.unheard +=
                client->requests[j].id && sim_is_hand_off(client->requests[j].method);
        fake_connection_free(client->connection);
        client_free(client);
        sim->clients[i] = NULL;
        --sim->clients_count;
    }
}

void sim_hear(struct sim *sim, struct sim_client *client)
{
    client->hung_up = client->heard = client->excused = true;
    client->must_answer = false;
    sim_event(sim, SIM_EV_HEARD, client->number, 0, 0, NULL, 0);
    sim_enter_core(sim);
    hbk_core_session_closed(sim->core, client->key);
    sim_leave_core(sim);
}

static void hear_of_the_gone(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i) {
        struct sim_client *client = sim->clients[i];
        if (!client || client->connection->released)
            continue;
        bool gone = !client->process->running || client->hung_up;
        if (gone && sim_below(sim, client->heard ? 20 : 2) == 0)
            sim_hear(sim, client); /* may be repeated */
    }
}

static struct sim_client *any_client(struct sim *sim)
{
    uint32_t index = sim_below(sim, SIM_CLIENTS_MAX);
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i, ++index)
        if (sim->clients[index % SIM_CLIENTS_MAX])
            return sim->clients[index % SIM_CLIENTS_MAX];
    return NULL;
}

static void hang_up(struct sim *sim)
{
    struct sim_client *client = any_client(sim);
    if (!client || client->hung_up)
        return;
    client->hung_up = true;
    sim_event(sim, SIM_EV_HANGS_UP, client->number, 0, 0, NULL, 0);
    if (sim_below(sim, 2))
        sim_hear(sim, client);
}

/* ---- reading and writing ---- */

/* Its own copy, of just that size, so that a sanitizer sees who reads past what has arrived. */
bool sim_feed(struct sim *sim, struct sim_client *client)
{
    struct fake_connection *connection = client->connection;
    struct hbk_buffer *outbound = &client->outbound;
    size_t ready = outbound->size - client->held_back;
    if (ready == 0 || connection->fed || connection->paused || connection->closed ||
        client->hung_up || !client->process->running)
        return false;
    size_t most = sim->swarm.fragments ? 1 + sim_below(sim, 300) : HBK_READ_BYTES;
    size_t size = ready < most ? ready : most;
    uint8_t *copy = malloc(size);
    HBK_ASSERT(copy != NULL);
    memcpy(copy, outbound->data, size);
    hbk_buffer_consume(outbound, size);
    connection->fed = true;
    sim_enter_core(sim);
    hbk_core_bytes(sim->core, client->key, copy, size);
    sim_leave_core(sim);
    free(copy);
    return true;
}

bool sim_feed_all(struct sim *sim)
{
    bool fed = false;
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        if (sim->clients[i] && sim->clients[i]->outbound.size)
            fed |= sim_feed(sim, sim->clients[i]);
    return fed;
}

void sim_write_end(struct sim *sim, struct sim_client *client, bool told)
{
    sim_event(sim, SIM_EV_WRITE_ENDS, client->number, told, 0, NULL, 0);
    if (!told) {
        client->excused = true;
        client->must_answer = false;
        if (sim->processes[client->process - sim->kernel->processes].untold)
            sim_outcome(sim, SIM_OUT_UNTOLD);
    }
    fake_write_end(client->connection, told);
    sim_enter_core(sim);
    hbk_core_written(sim->core, client->key, told);
    sim_leave_core(sim);
}

static void end_a_write(struct sim *sim)
{
    struct sim_client *client = any_client(sim);
    if (!client || !client->connection->pending)
        return;
    bool gone = client->connection->cancelled || !client->process->running || client->hung_up;
    if (client->never_reads && !gone)
        return;
    bool told = gone                                  ? sim_below(sim, 2)
                : sim->quiet || !sim->options->faults ? true
                                                      : sim_below(sim, 40) != 0;
    sim_write_end(sim, client, told);
}

static void end_an_unpin(struct sim *sim)
{
    uint32_t closing = fake_pins_closing(sim->kernel);
    if (!closing)
        return;
    uint32_t index = sim_below(sim, closing);
    if (index)
        sim_outcome(sim, SIM_OUT_PIN_LATE);
    sim_unpin_end(sim, index);
}

void sim_sockets_end(struct sim *sim, uint32_t index)
{
    struct fake_made made = fake_sockets_end(sim->kernel, index);
    sim_event(sim, SIM_EV_SOCKETS_END, made.ticket, made.failed, 0, NULL, 0);
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i)
        if (sim->sends[i].tag && sim->sends[i].sockets == made.ticket)
            sim->sends[i].sockets = 0;
    sim_enter_core(sim);
    hbk_core_sockets_made(sim->core, made.ticket, made.failed ? &made.failure : NULL, made.item);
    sim_leave_core(sim);
}

static void end_some_sockets(struct sim *sim)
{
    uint32_t making = fake_sockets_making(sim->kernel);
    if (making)
        sim_sockets_end(sim, sim_below(sim, making));
}

static void end_a_look(struct sim *sim)
{
    uint32_t pending = fake_looks_pending(sim->kernel);
    if (pending)
        sim_look_end(sim, sim_below(sim, pending));
}

void sim_proof_end(struct sim *sim, struct sim_client *client)
{
    sim_event(sim, SIM_EV_PROOF_ENDS, client->number, 0, 0, NULL, 0);
    fake_proof_end(client->connection);
    sim_outcome(sim, SIM_OUT_PROOF_LATE);
    sim_enter_core(sim);
    hbk_core_proof_closed(sim->core, client->key);
    sim_leave_core(sim);
}

static void end_a_proof(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        if (sim->clients[i] && sim->clients[i]->connection->proof_closing && sim_below(sim, 2)) {
            sim_proof_end(sim, sim->clients[i]);
            return;
        }
}

/* ---- the broker ---- */

void sim_broker_start(struct sim *sim)
{
    struct hbk_platform platform = fake_platform(sim->kernel);
    sim_config_draw(sim);
    sim->core = hbk_core_new(&platform, &sim->config);
    HBK_ASSERT(sim->core != NULL);
    sim->stopping = sim->calm_stop = false;
    ++sim->brokers;
    sim->rules_of[++sim->generation % SIM_GENERATIONS_MAX] = 0;
    memset(sim->ids, 0, sizeof sim->ids);
    sim->ids_count = 0;
    sim->told_sends = 0;
    sim->tally = (struct sim_tally){0};
    free(sim->metered);
    sim->metered = NULL;
    sim->pauses += sim->pauses % 2;
    sim->sockets_lost = 0;
    sim->sent_done_base = sim->kernel->audit.sent_done;
    sim->kernel->audit.full = false;
    sim->records_exact = sim->config.audit_file;
    sim->allocs_failed = false;
    if (sim->step) {
        sim->quiet = false;
        sim->kernel->chaos = sim->swarm.chaos;
    }
    sim_event(sim, SIM_EV_STARTS, sim->brokers, 0, 0, NULL, 0);
    if (sim->swarm.rules)
        sim_reload(sim, sim_below(sim, SIM_RULE_SETS));
    for (uint32_t i = 0; i < sim->swarm.clients / 2; ++i)
        sim_connect(sim);
}

/* Who is there to hear: reads, and has said nothing that the broker has not taken. */
static bool listens(const struct sim_client *client)
{
    const struct fake_connection *connection = client->connection;
    return !client->never_reads && !client->hung_up && client->process->running &&
           !connection->closed && !connection->pending && !connection->paused &&
           !connection->broken && client->outbound.size == 0 && !client->excused;
}

void sim_broker_stop(struct sim *sim, bool calm)
{
    if (calm) {
        sim->quiet = true;
        memset(&sim->kernel->chaos, 0, sizeof sim->kernel->chaos);
        bool idle = sim_turns(sim, UINT32_MAX / 2);
        for (uint32_t i = 0; i < SIM_CLIENTS_MAX && idle; ++i)
            if (sim->clients[i])
                sim->clients[i]->must_answer = listens(sim->clients[i]);
    }
    sim_event(sim, SIM_EV_STOPS, calm, 0, 0, NULL, 0);
    if (sim_paused(sim))
        sim_outcome(sim, SIM_OUT_PAUSED_STOP);
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        if (sim->clients[i])
            sim->clients[i]->excused = true;
    sim->stopping = true;
    sim->stopped_ms = sim->kernel->now_ms;
    sim->calm_stop = calm;
    sim_enter_core(sim);
    hbk_core_stop(sim->core);
    sim_leave_core(sim);
}

void sim_broker_end(struct sim *sim)
{
    struct fake_kernel *kernel = sim->kernel;
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        if (sim->clients[i] && sim->clients[i]->connection->proof_closing)
            sim_proof_end(sim, sim->clients[i]);
    sim_forget(sim);
    if (sim->clients_count)
        sim_violation(sim, "dead sessions", "the broker has stopped and holds %u connections",
                      sim->clients_count);
    sim_check_all(sim);
    sim_meter(sim);
    if (fake_pins_held(kernel) || hbk_core_pins(sim->core))
        sim_violation(sim, "broker handles", "the broker has stopped and holds %u pins",
                      fake_pins_held(kernel));
    hbk_core_free(sim->core);
    sim_entries_end(sim);
    sim->core = NULL;
    if (fake_closers_held(kernel) || fake_opened_held(kernel) || fake_sockets_held(kernel))
        sim_violation(sim, "broker handles",
                      "the broker has stopped and holds %u closers, %u processes and %u sockets",
                      fake_closers_held(kernel), fake_opened_held(kernel),
                      fake_sockets_held(kernel));
    if (fake_descriptors_held(kernel))
        sim_violation(sim, "descriptors", "%u are left behind", fake_descriptors_held(kernel));
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        if (sim->processes[i].untold || kernel->processes[i].references)
            sim_violation(sim, "untold values",
                          "the broker has stopped and process %u holds what it was not told of",
                          kernel->processes[i].pid);
}

static void note(struct sim *sim)
{
    struct hbk_notice notice = {.kind = HBK_NOTICE_WARNING,
                                .count = 1,
                                .user = "",
                                .event = "service.warning",
                                .name = "",
                                .error = "",
                                .detail = "the disk is nearly full"};
    sim->kernel->audit.full = sim_below(sim, 3) == 0;
    sim->kernel->unix_offset_ms = (int64_t)sim_below(sim, 200000) - 100000;
    sim_enter_core(sim);
    hbk_core_note(sim->core, &notice);
    sim_leave_core(sim);
}

/* ---- one thing ---- */

static void pass_time(struct sim *sim, uint32_t ms)
{
    sim->kernel->now_ms += ms;
    sim_event(sim, SIM_EV_CLOCK, sim->kernel->now_ms, 0, 0, NULL, 0);
    sim_tick(sim);
}

static void say_something(struct sim *sim)
{
    struct sim_client *client = any_client(sim);
    if (client && sim_can_say(client))
        sim_say(sim, client);
}

static enum sim_action draw_action(struct sim *sim)
{
    static const enum sim_action ending[] = {SIM_ACT_TICK,        SIM_ACT_WRITE_END,
                                             SIM_ACT_UNPIN_END,   SIM_ACT_PROOF_END,
                                             SIM_ACT_SOCKETS_END, SIM_ACT_LOOK_END};
    if (sim->stopping && sim_below(sim, 4) == 0)
        return ending[sim_below(sim, 6)];
    uint32_t drawn = sim_below(sim, sim->swarm.actions_sum);
    for (uint32_t i = 0; i < SIM_ACT_COUNT; ++i) {
        if (drawn < sim->swarm.actions[i])
            return (enum sim_action)i;
        drawn -= sim->swarm.actions[i];
    }
    return SIM_ACT_SAY;
}

void sim_act(struct sim *sim)
{
    enum sim_action action = draw_action(sim);
    if (sim_paused(sim) && sim_below(sim, 40) == 0)
        sim_pause(sim, false); /* before nothing is left under way */
    switch (action) {
    case SIM_ACT_SAY:
    case SIM_ACT_COUNT:
        say_something(sim);
        break;
    case SIM_ACT_CONNECT:
        sim_forget(sim);
        sim_connect(sim);
        break;
    case SIM_ACT_WRITE_END:
        end_a_write(sim);
        break;
    case SIM_ACT_UNPIN_END:
        end_an_unpin(sim);
        break;
    case SIM_ACT_PROOF_END:
        end_a_proof(sim);
        break;
    case SIM_ACT_HEAR:
        hear_of_the_gone(sim);
        sim_forget(sim);
        break;
    case SIM_ACT_TICK:
        pass_time(sim, sim_below(sim, 600));
        break;
    case SIM_ACT_JUMP:
        pass_time(sim, 1000 + sim_below(sim, 100000));
        break;
    case SIM_ACT_EXIT:
        exit_process(sim);
        break;
    case SIM_ACT_HANG_UP:
        hang_up(sim);
        break;
    case SIM_ACT_RELOAD:
        sim_reload(sim, sim_below(sim, SIM_RULE_SETS));
        break;
    case SIM_ACT_STOP:
        if (!sim->stopping && sim_below(sim, 3) == 0)
            sim_broker_stop(sim, sim_below(sim, 2));
        break;
    case SIM_ACT_SETTLE:
        if (!sim->stopping)
            sim_settle(sim);
        break;
    case SIM_ACT_HANDLES:
        change_handles(sim);
        break;
    case SIM_ACT_NOTE:
        note(sim);
        break;
    case SIM_ACT_SOCKETS_END:
        end_some_sockets(sim);
        break;
    case SIM_ACT_PAUSE:
        sim_pause(sim, sim_below(sim, 8) ? !sim_paused(sim) : sim_paused(sim));
        break;
    case SIM_ACT_LOOK_END:
        end_a_look(sim);
        break;
    }
}
