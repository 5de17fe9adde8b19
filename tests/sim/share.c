/* handle.transfer, delivery.revoke and delivery.list: what clients say of them, and are told. */
#include "sim.h"

#include "core_books.h"

#include <inttypes.h>
#include <string.h>

struct sim_send *sim_send_of_delivery(struct sim *sim, uint64_t delivery)
{
    struct hbk_id id;
    uint64_t key;
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i)
        if (sim->sends[i].tag && sim->sends[i].delivery == delivery)
            return &sim->sends[i]; /* it was listed, or offered */
    if (!books_delivery(sim->core, delivery, &key, &id))
        return NULL;
    struct sim_client *client = sim_client_keyed(sim, key);
    const struct sim_request *request = client ? sim_request_of(client, &id) : NULL;
    return request ? sim_send_of(sim, request->tag) : NULL;
}

/* ---- handle.transfer ---- */

static uint32_t any_pid(struct sim *sim, const struct sim_client *client)
{
    const struct fake_process *process = sim_any_process(sim);
    uint32_t drawn = sim_below(sim, 30);
    if (drawn == 0)
        return sim_below(sim, 2) ? 4 : sim->config.pid;
    if (drawn == 1 || !process)
        return 100 + sim_below(sim, SIM_PIDS); /* there may be none */
    return drawn < 12 ? client->process->pid : process->pid;
}

/* Of another session of the same identity: it may be moved to, and is told of it. */
static uint32_t near_pid(struct sim *sim, const struct sim_client *client)
{
    uint32_t index = sim_below(sim, SIM_CLIENTS_MAX);
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i, ++index) {
        const struct sim_client *other = sim->clients[index % SIM_CLIENTS_MAX];
        if (other && other->proven && other->identity == client->identity &&
            other->process != client->process)
            return other->process->pid;
    }
    return any_pid(sim, client);
}

static struct fake_process *process_with(struct sim *sim, uint32_t pid)
{
    for (size_t i = 0; i < FAKE_PROCESSES_MAX; ++i)
        if (sim->kernel->processes[i].running && sim->kernel->processes[i].pid == pid)
            return &sim->kernel->processes[i];
    return NULL;
}

static uint32_t any_open_name(struct sim *sim)
{
    const struct sim_client *target = sim->clients[sim_below(sim, SIM_CLIENTS_MAX)];
    for (uint32_t i = 0; target && i < SIM_ENDPOINTS_MAX; ++i)
        if (target->endpoints[i].state == SIM_ENDPOINT_OPEN)
            return target->endpoints[i].name;
    return sim_below(sim, sim->swarm.names);
}

static void write_transfer(struct sim_text *text, const struct sim_send *send)
{
    text->size = 0;
    sim_add(text, "{\"source\":{\"pid\":%u},", send->source_pid);
    sim_add_item(text, &send->items[0]);
    if (send->name != SIM_NAME_NONE)
        sim_add(text, ",\"target\":\"%s\"", sim_names[send->name]);
    else if (send->target_pid != send->pid || send->tag % 2)
        sim_add(text, ",\"target\":{\"pid\":%u}", send->target_pid);
    sim_add(text, "}");
}

void sim_say_transfer(struct sim *sim, struct sim_client *client)
{
    static struct sim_text text;
    struct sim_request *request;
    struct sim_send *send = sim_send_begin(sim, client, HBK_METHOD_HANDLE_TRANSFER, &request);
    if (!send)
        return;
    send->kind = SIM_TRANSFER;
    send->count = 1;
    bool near = sim_below(sim, 2);
    send->source_pid = near ? client->process->pid : any_pid(sim, client);
    send->target_pid = near ? near_pid(sim, client) : any_pid(sim, client);
    send->name = sim_below(sim, 4) ? SIM_NAME_NONE : any_open_name(sim);
    struct fake_process *source = process_with(sim, send->source_pid);
    sim_draw_item(sim, source ? source : client->process, &send->items[0], sim_below(sim, 3) != 0);
    send->items[0].protect = false;
    write_transfer(&text, send);
    sim_request_end(sim, client, request, text.bytes);
}

void sim_transfer_refused(struct sim *sim, const struct sim_send *send,
                          const struct hbk_error *error)
{
    bool source = send->source_pid == 4 || send->source_pid == sim->config.pid;
    bool target = send->name == SIM_NAME_NONE &&
                  (send->target_pid == 4 || send->target_pid == sim->config.pid);
    if (error->code == HBK_R_DENIED)
        sim_outcome(sim, source || target ? SIM_OUT_MOVE_FORBIDDEN : SIM_OUT_MOVE_DENIED);
    if (error->code == HBK_R_NOT_FOUND && !send->pin_tries && send->name == SIM_NAME_NONE)
        sim_outcome(sim, SIM_OUT_MOVE_OF_NONE);
    if ((source || target) && (error->code == HBK_R_BAD_HANDLE || error->code == HBK_R_TIMEOUT ||
                               (source && error->code == HBK_R_NOT_FOUND)))
        sim_violation(sim, "third parties",
                      "transfer %" PRIu64 " is about a process that is never looked into, and "
                      "answered %s",
                      send->tag, hbk_result_name(error->code));
    /* Who is being let go, and so read no more, is told that way only. */
    const struct sim_client *client = sim_client_numbered(sim, send->client);
    bool its_own = sim_client_lives(client) && !client->connection->paused && send->process &&
                   send->process->running && send->name == SIM_NAME_NONE &&
                   send->process->pid == send->target_pid;
    if (its_own && (error->code == HBK_R_TARGET_GONE || error->code == HBK_R_BUSY))
        sim_violation(sim, "third parties",
                      "transfer %" PRIu64 " is answered %s, and process %u is there", send->tag,
                      hbk_result_name(error->code), send->target_pid);
    if (error->code == HBK_R_DENIED && send->source_pid == send->pid &&
        send->name == SIM_NAME_NONE && send->target_pid == send->pid &&
        send->generation == sim->generation && sim->swarm.chaos.op_fails == 0 &&
        sim_may_verb(sim_rules_at(sim, sim->generation), send->identity, HBK_VERB_TRANSFER))
        sim_violation(sim, "answers are true", "transfer %" PRIu64 " to itself is denied",
                      send->tag);
}

static void count_transfer(struct sim *sim, const struct sim_send *send, bool notified)
{
    bool from_caller = send->source_pid == send->pid;
    if (send->name != SIM_NAME_NONE)
        return;
    bool to_caller = send->target_pid == send->pid;
    if (!from_caller && !to_caller)
        sim_outcome(sim, SIM_OUT_MOVED);
    else if (!from_caller)
        sim_outcome(sim, SIM_OUT_PULLED);
    else if (!to_caller)
        sim_outcome(sim, SIM_OUT_PUSHED);
    if (!notified && !to_caller)
        sim_outcome(sim, SIM_OUT_UNNOTIFIED);
}

/* The answer tells: the value is in the process that was asked for, and that process's from now on. */
static void told_by_answer(struct sim *sim, struct sim_send *send,
                           const struct hbk_delivered_item *told)
{
    struct fake_process *process = send->process;
    if (send->fate != SIM_FATE_OPEN || send->name != SIM_NAME_NONE || !process)
        sim_violation(sim, "told or untold",
                      "transfer %" PRIu64 " is answered as not told, and was", send->tag);
    if (send->cancelled)
        sim_violation(sim, "revocation", "transfer %" PRIu64 " is told, and was revoked",
                      send->tag);
    if (process->running && process->pid != send->target_pid)
        sim_violation(sim, "third parties", "transfer %" PRIu64 " is in process %u", send->tag,
                      process->pid);
    if (process->running)
        sim_own_value(sim, process, send, 0, told);
    if (send->again)
        sim_outcome(sim, SIM_OUT_RETOLD);
    send->fate = SIM_FATE_TOLD;
    ++sim->tally.done;
    send->value = told->handle;
    if (send->notified)
        sim_violation(sim, "answers are true", "transfer %" PRIu64 " was notified", send->tag);
}

void sim_told_transferred(struct sim *sim, struct sim_client *client,
                          const struct sim_request *request,
                          const struct hbk_transfer_result *result)
{
    struct sim_send *send = sim_send_of(sim, request->tag);
    const struct hbk_delivered_item told = {.handle = result->handle,
                                            .type = result->type,
                                            .access = result->access,
                                            .inherit = send && send->items[0].inherit,
                                            .widenable = result->widenable};
    if (!send || send->client != client->number)
        sim_violation(sim, "books of the simulator", "a transfer that is not remembered");
    sim_check_item(sim, send, &send->items[0], &told);
    if (!result->notified)
        told_by_answer(sim, send, &told);
    if (send->fate != SIM_FATE_TOLD || send->value != result->handle)
        sim_violation(sim, "third parties",
                      "transfer %" PRIu64 " is answered as handle %u, and told as %u", send->tag,
                      result->handle, send->value);
    send->answered = true;
    count_transfer(sim, send, result->notified);
}

/* ---- delivery.revoke ---- */

/* Whoever has revoked it need not have been told so. */
static bool was_revoked(const struct sim_send *send)
{
    return send->revoked || send->revoked_told || send->closed;
}

bool sim_given(struct sim *sim, const struct sim_send *send)
{
    const struct sim_client *sender = sim_client_numbered(sim, send->client);
    const struct sim_client *target = sim_client_numbered(sim, send->target);
    return send->tag && send->kind == SIM_SEND && send->fate == SIM_FATE_TOLD && send->revocable &&
           !was_revoked(send) && sender && target && !sender->connection->closed &&
           !target->connection->closed;
}

/* Which is being told just now; NULL: none is that anybody knows the number of. */
static const struct sim_send *delivery_at_work(struct sim *sim, const struct sim_client *client)
{
    uint32_t index = sim_below(sim, SIM_SENDS_MAX);
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i, ++index) {
        const struct sim_send *send = &sim->sends[index % SIM_SENDS_MAX];
        if (send->tag && send->delivery && send->placed &&
            (send->client == client->number || sim_below(sim, 8) == 0))
            return send;
    }
    return NULL;
}

static const struct sim_send *any_delivery(struct sim *sim, const struct sim_client *client)
{
    const struct sim_send *found = sim_below(sim, 2) ? NULL : delivery_at_work(sim, client);
    if (found)
        return found;
    for (uint32_t i = 0; i < 400; ++i) {
        const struct sim_send *send = &sim->sends[sim_below(sim, SIM_SENDS_MAX)];
        if (!send->tag || !send->delivery || send->revoked || send->cancelled ||
            !(send->pins || sim_below(sim, 20) == 0))
            continue;
        found = send;
        if (send->client == client->number || sim_below(sim, 8) == 0)
            break;
    }
    return found;
}

static void say_revoke(struct sim *sim, struct sim_client *client, const struct sim_send *found)
{
    struct sim_request *request = sim_request(sim, client, HBK_METHOD_DELIVERY_REVOKE,
                                              "{'delivery':%" PRIu64 "}", found->delivery);
    if (!request)
        return;
    request->delivery = found->delivery;
    request->tag = found->tag;
    ++sim_send_of(sim, found->tag)->revoke_asked;
}

void sim_say_revoke(struct sim *sim, struct sim_client *client)
{
    const struct sim_send *found = any_delivery(sim, client);
    if (found)
        say_revoke(sim, client, found);
}

/* Closed by who was told of it. Return: what it is of; 0: it is there no more. */
static uint32_t close_given(struct sim *sim, struct fake_process *process, uint64_t delivery)
{
    for (uint32_t i = 0; i < process->slots_high; ++i) {
        uint32_t object = process->slots[i].object;
        if (fake_revocable_by(sim->kernel, &process->slots[i], delivery)) {
            fake_handle_close(sim->kernel, process, (i + 1) * 4);
            return object;
        }
    }
    return 0;
}

static uint32_t handle_of(const struct fake_process *process, uint32_t object)
{
    for (uint32_t i = 0; object && i < process->slots_high; ++i)
        if (process->slots[i].object == object && process->slots[i].origin != FAKE_ORIGIN_UNTOLD)
            return (i + 1) * 4;
    return 0;
}

static const struct sim_send *any_given(struct sim *sim)
{
    uint32_t index = sim_below(sim, SIM_SENDS_MAX);
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i, ++index)
        if (sim_given(sim, &sim->sends[index % SIM_SENDS_MAX]))
            return &sim->sends[index % SIM_SENDS_MAX];
    return NULL;
}

/* What its target has closed is sent there once more, and while that is under way @client revokes what was given: the
 * object may be the same, and the value. */
void sim_say_once_more(struct sim *sim, struct sim_client *client)
{
    const struct sim_send *found = any_given(sim);
    if (!found)
        return;
    struct sim_client *sender = sim_client_numbered(sim, found->client);
    struct fake_process *target = sim_client_numbered(sim, found->target)->process;
    uint32_t handle = handle_of(sender->process, close_given(sim, target, found->delivery));
    if (handle && sim_can_say(sender) && sim_say_same(sim, sender, found->name, handle) &&
        sim_can_say(client))
        say_revoke(sim, client, found);
}

static void check_closed(struct sim *sim, const struct sim_send *send, const uint32_t *closed,
                         size_t count)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < count; ++i) {
        if (closed[i] >= send->count || (i && closed[i] <= closed[i - 1]))
            sim_violation(sim, "answers are true", "item %u of send %" PRIu64 " is revoked",
                          closed[i], send->tag);
        bits |= UINT64_C(1) << closed[i];
    }
    if (bits != send->closed)
        sim_violation(sim, "revocation",
                      "of send %" PRIu64 " %" PRIx64 " were closed, and %" PRIx64 " are told",
                      send->tag, send->closed, bits);
}

static void count_revoked(struct sim *sim, const struct sim_client *client,
                          const struct sim_send *send, size_t closed)
{
    if (send->client != client->number)
        sim_outcome(sim, SIM_OUT_REVOKED_BY_OPERATOR);
    if (send->fate != SIM_FATE_TOLD)
        sim_outcome(sim, SIM_OUT_REVOKED_EARLY);
    else
        sim_outcome(sim, closed == send->count ? SIM_OUT_REVOKED : SIM_OUT_REVOKED_PART);
}

void sim_told_revoked(struct sim *sim, struct sim_client *client, const struct sim_request *request,
                      const struct hbk_revoke_result *result)
{
    struct sim_send *send = sim_send_of(sim, request->tag);
    if (!send || send->delivery != request->delivery)
        return; /* it is long over, and so was this answer */
    if (send->client != client->number &&
        !sim_may_ever(sim, request->generation, client->identity, HBK_VERB_REVOKE, 0))
        sim_violation(sim, "revocation", "client %u may not revoke send %" PRIu64 ", and does",
                      client->number, send->tag);
    if (send->kind == SIM_TAKE || send->revoked || send->cancelled ||
        (send->fate == SIM_FATE_TOLD && !send->revocable))
        sim_violation(sim, "revocation", "%" PRIu64 " cannot be revoked, and is", send->tag);
    check_closed(sim, send, result->closed, result->closed_count);
    count_revoked(sim, client, send, result->closed_count);
    if (sim_paused(sim))
        sim_outcome(sim, SIM_OUT_PAUSED_REVOKED);
    send->revoked = send->fate == SIM_FATE_TOLD;
    send->cancelled = !send->revoked;
    const struct sim_client *target = sim_client_numbered(sim, send->target);
    if (send->revoked && target)
        fake_mark_revoked(sim->kernel, target->process, send->delivery);
}

void sim_notified_revoked(struct sim *sim, struct sim_client *client,
                          const struct hbk_revoked *params)
{
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i) {
        struct sim_send *send = &sim->sends[i];
        if (!send->tag || send->delivery != params->delivery || send->target != client->number)
            continue;
        if (send->revoked_told || !send->revoke_asked)
            sim_violation(sim, "revocation", "client %u is told that send %" PRIu64 " is revoked",
                          client->number, send->tag);
        check_closed(sim, send, params->closed, params->closed_count);
        send->revoked_told = true;
        sim_outcome(sim, SIM_OUT_REVOKED_NOTICE);
        return;
    }
    sim_violation(sim, "revocation", "client %u is told of a revocation of what it has not",
                  client->number);
}

/* It is the sender's, both sides are there, and nobody else has asked. */
void sim_revoke_refused(struct sim *sim, const struct sim_client *client,
                        const struct sim_request *request, const struct hbk_error *error)
{
    const struct sim_send *send = sim_send_of(sim, request->tag);
    if (!send || send->delivery != request->delivery)
        return;
    if (error->code == HBK_R_BUSY) {
        sim_outcome(sim, SIM_OUT_REVOKED_BUSY);
        return;
    }
    if (send->client != client->number)
        sim_outcome(sim, SIM_OUT_REVOKE_REFUSED);
    else if (error->code == HBK_R_NOT_FOUND && sim_given(sim, send) && send->revoke_asked == 1 &&
             sim_client_lives(client) && sim_client_lives(sim_client_numbered(sim, send->target)))
        sim_violation(sim, "answers are true", "send %" PRIu64 " can be revoked, and is not",
                      send->tag);
}

/* ---- nothing is under way ---- */

/* Who shares it is told that the other one has gone. */
static void check_gone(struct sim *sim, struct sim_send *send)
{
    const struct sim_client *sender = sim_client_numbered(sim, send->client);
    const struct sim_client *target = sim_client_numbered(sim, send->target);
    bool sender_left = sim_client_lives(sender), target_left = sim_client_lives(target);
    if (send->gone_told)
        return;
    if ((!sender && target_left) || (!target && sender_left && send->answered))
        sim_violation(sim, "revocation",
                      "client %u shares send %" PRIu64 " with one that has gone, and is not told",
                      sender_left ? send->client : send->target, send->tag);
    send->gone_told = !sender || !target;
}

static void check_one(struct sim *sim, struct sim_send *send)
{
    const struct sim_client *target = sim_client_numbered(sim, send->target);
    /* A target that has gone may have revoked it itself, and not heard so. */
    bool unknown = !target && send->revoke_asked;
    if (send->revocable && send->fate == SIM_FATE_TOLD && !was_revoked(send) && !unknown)
        check_gone(sim, send);
    if (sim_given(sim, send) && send->pins != send->count && !sim->allocs_failed)
        sim_violation(sim, "broker handles", "send %" PRIu64 " can be revoked, and has %u pins",
                      send->tag, send->pins);
    if ((send->revoked || (send->cancelled && send->offered)) && !send->revoked_told &&
        sim_client_lives(target))
        sim_violation(sim, "revocation", "client %u is not told that send %" PRIu64 " is revoked",
                      send->target, send->tag);
}

void sim_check_given(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i)
        if (sim->sends[i].tag && sim->sends[i].kind != SIM_TAKE)
            check_one(sim, &sim->sends[i]);
}

/* ---- delivery.list ---- */

static void note_listed(struct sim *sim, const struct hbk_delivery_info *info)
{
    struct sim_send *send = sim_send_of_delivery(sim, info->delivery);
    if (send && !send->delivery)
        send->delivery = info->delivery; /* from now on it can be asked to be revoked */
}

void sim_told_deliveries(struct sim *sim, const struct sim_client *client,
                         const struct sim_request *request,
                         const struct hbk_delivery_list_result *list)
{
    uint32_t given = 0, kept = 0;
    bool inspects = sim_may_ever(sim, request->generation, client->identity, HBK_VERB_INSPECT, 0);
    for (size_t i = 0; i < list->deliveries_count; ++i) {
        const struct hbk_delivery_info *info = &list->deliveries[i];
        if (!inspects && info->from.session != client->session &&
            info->to.session != client->session)
            sim_violation(sim, "existence is not told", "client %u is shown delivery %" PRIu64,
                          client->number, info->delivery);
        if (info->revocable != hbk_text_is(info->state, "given"))
            sim_violation(sim, "answers are true", "delivery %" PRIu64 " is listed as %.*s",
                          info->delivery, (int)info->state.size, info->state.data);
        given += info->from.session == client->session && info->revocable;
        note_listed(sim, info);
    }
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i)
        kept += sim->sends[i].client == client->number && sim_given(sim, &sim->sends[i]);
    if (!sim->at_rest || list->next.data)
        return;
    if (given != kept)
        sim_violation(sim, "answers are true", "client %u is shown %u given deliveries of %u",
                      client->number, given, kept);
    sim_outcome(sim, SIM_OUT_DELIVERIES);
}
