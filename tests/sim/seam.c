/* What the core does to the world, at the moment when it does it: what it pins and places, for whom, and by what right. */
#include "sim.h"

#include "core_books.h"

#include <inttypes.h>
#include <string.h>

/* ---- whose it is ---- */

static struct sim_send *send_of_note(struct sim *sim, uint64_t note, uint32_t *ret_item)
{
    struct sim_send *send = sim_send_of(sim, note / 64);
    *ret_item = (uint32_t)(note % 64);
    if (!send)
        sim_violation(sim, "books of the simulator", "a pin of a send that is forgotten");
    return send;
}

static struct sim_request *request_at_work(struct sim *sim, struct sim_client *client)
{
    struct hbk_id id;
    return books_pinning(sim->core, client->key, &id) ? sim_request_of(client, &id) : NULL;
}

/* Who has another process's handle pinned: it is nobody's connection that does it. */
static struct sim_client *client_transferring(struct sim *sim)
{
    struct hbk_id id;
    uint64_t key;
    return books_transferring(sim->core, &key, &id) ? sim_client_keyed(sim, key) : NULL;
}

static struct sim_send *take_at_work(struct sim *sim, struct sim_client *client)
{
    struct hbk_id id;
    const struct sim_request *request =
        client && books_taking(sim->core, client->key, &id) ? sim_request_of(client, &id) : NULL;
    struct sim_send *send = request ? sim_send_of(sim, request->tag) : NULL;
    if (!send || send->kind != SIM_TAKE)
        sim_violation(sim, "entries are given to whom they are for",
                      "an entry is placed, and nobody has asked for it");
    sim_pause_holds(sim, client, request);
    return send;
}

static struct sim_entry *entry_of_note(struct sim *sim, uint64_t note)
{
    struct sim_entry *entry = sim_entry_of(sim, note & ~SIM_NOTE_ENTRY);
    if (!entry)
        sim_violation(sim, "books of the simulator", "a pin of an entry that is forgotten");
    return entry;
}

/* ---- pins ---- */

/* What an item comes to, of @most: the core must come to the same. */
static uint32_t access_due(const struct sim_item *item, uint32_t most)
{
    if (item->asked == HBK_ACCESS_KIND_MASK)
        return item->mask;
    return item->asked == HBK_ACCESS_KIND_READ && item->type != HBK_TYPE_COUNT
               ? most & hbk_type_info(item->type)->read
               : most;
}

static enum hbk_type type_due(const struct sim_item *item, const char *name)
{
    enum hbk_type type = hbk_type_of_kernel(hbk_text_from(name));
    if (!item->as_socket)
        return type;
    return type == HBK_TYPE_FILE ? HBK_TYPE_SOCKET : HBK_TYPE_COUNT;
}

HBK_NORETURN static void nobody_asked(struct sim *sim, uint32_t handle)
{
    sim_violation(sim, "what was checked is delivered",
                  "handle %u is pinned, and nobody has just asked for it", handle);
}

/* Each item is read once from the sender's table, in its order, and never again. */
static struct sim_send *send_at_work(struct sim *sim, struct sim_client *client, uint32_t handle)
{
    const struct sim_request *request = client ? request_at_work(sim, client) : NULL;
    struct sim_send *send = request ? sim_send_of(sim, request->tag) : NULL;
    if (!send || send->kind == SIM_TAKE || send->pin_tries >= send->count ||
        send->items[send->pin_tries].handle != handle || send->pinned != send->pin_tries)
        nobody_asked(sim, handle);
    sim_pause_holds(sim, client, request);
    return send;
}

static bool forbidden(const struct sim *sim, uint32_t pid)
{
    return pid == 4 || pid == sim->config.pid;
}

/* @identity may move handles out of @process, or into it. */
static void check_third(struct sim *sim, uint32_t identity, const struct fake_process *process,
                        const char *what)
{
    const struct fake_token *caller = &sim_identities[identity].token;
    if (forbidden(sim, process->pid) || !fake_token_may_duplicate(caller, process->token))
        sim_violation(sim, "third parties", "process %u is the %s of what identity %u asks for",
                      process->pid, what, identity);
}

static void check_source(struct sim *sim, const struct sim_client *client,
                         const struct sim_send *send, const struct fake_seen *seen)
{
    uint32_t pid = send->kind == SIM_TRANSFER ? send->source_pid : client->process->pid;
    if (seen->process->pid != pid)
        sim_violation(sim, "third parties", "handle %u of process %u is pinned, not of process %u",
                      seen->value, seen->process->pid, pid);
    if (send->kind != SIM_TRANSFER)
        return;
    if (!sim_may_verb(sim_rules_at(sim, sim->generation), client->identity, HBK_VERB_TRANSFER))
        sim_violation(sim, "rules", "client %u may not transfer, and does", client->number);
    if (pid != client->process->pid)
        check_third(sim, client->identity, seen->process, "source");
}

static void fill_item(struct sim *sim, struct sim_item *item, const struct fake_pin *pin)
{
    item->object = pin->object;
    item->granted = pin->access;
    item->is_socket = sim->kernel->objects[item->object].socket;
    item->type = type_due(item, sim->kernel->objects[item->object].type);
    item->access = access_due(item, item->granted);
}

/* What is put into the store is pinned as soon as it is asked for. */
static struct sim_entry *entry_at_work(struct sim *sim, struct sim_client *client, uint32_t handle)
{
    const struct hbk_message *message = books_request(sim->core);
    const struct sim_request *request = sim_request_of(client, &message->id);
    struct sim_entry *entry =
        request && message->method == HBK_METHOD_STORE_PUT ? sim_entry_of(sim, request->tag) : NULL;
    if (!entry || entry->put_at || entry->item.handle != handle)
        nobody_asked(sim, handle);
    sim_pause_holds(sim, client, request);
    return entry;
}

static void seen_put(struct sim *sim, struct sim_client *client, const struct fake_seen *seen)
{
    struct sim_entry *entry = entry_at_work(sim, client, seen->value);
    bool ruled = entry->name != SIM_NAME_TICKET || entry->allow;
    if (ruled &&
        !sim_may(sim_rules_at(sim, sim->generation), entry->identity, HBK_VERB_PUT, entry->name))
        sim_violation(sim, "rules", "client %u may not put under %s, and does", client->number,
                      sim_names[entry->name]);
    entry->put_at = sim->events_count;
    entry->put_ms = sim->kernel->now_ms;
    if (!seen->pin)
        return;
    seen->pin->note = SIM_NOTE_ENTRY | entry->tag;
    fill_item(sim, &entry->item, seen->pin);
    ++entry->pins;
}

static void seen_pin(struct sim *sim, struct sim_client *client, const struct fake_seen *seen)
{
    struct hbk_id id;
    if (!client)
        client = client_transferring(sim);
    else if (!books_pinning(sim->core, client->key, &id)) {
        seen_put(sim, client, seen);
        return;
    }
    struct sim_send *send = send_at_work(sim, client, seen->value);
    uint32_t at = send->pin_tries++;
    send->bad_handle |= seen->result == HBK_R_BAD_HANDLE;
    send->seam_failed |= seen->result != 0;
    check_source(sim, client, send, seen);
    if (!seen->pin)
        return;
    seen->pin->note = send->tag * 64 + at;
    fill_item(sim, &send->items[at], seen->pin);
    ++send->pinned;
    ++send->pins;
}

static void seen_unpin(struct sim *sim, const struct fake_seen *seen)
{
    uint32_t at;
    if (seen->pin->note & SIM_NOTE_ENTRY) {
        struct sim_entry *entry = entry_of_note(sim, seen->pin->note);
        if (entry->pins == 0)
            sim_violation(sim, "broker handles", "the pin of an entry is closed twice");
        --entry->pins;
        return;
    }
    struct sim_send *send = send_of_note(sim, seen->pin->note, &at);
    const struct sim_client *sender = sim_client_numbered(sim, send->client);
    if (send->pins == 0)
        sim_violation(sim, "broker handles", "more pins are closed than were made");
    --send->pins;
    if (send->fate == SIM_FATE_OPEN && !send->answered && sender && sender->connection->closed)
        sim_outcome(sim, SIM_OUT_SENDER_GONE);
}

/* ---- what is placed ---- */

/* Of what a delivery is to put into @seen's process from this pin: the item. */
static struct sim_send *send_of_pin(struct sim *sim, struct sim_client *client,
                                    const struct fake_seen *seen, uint32_t *ret_item)
{
    if (!(seen->pin->note & SIM_NOTE_ENTRY))
        return send_of_note(sim, seen->pin->note, ret_item);
    const struct sim_entry *entry = entry_of_note(sim, seen->pin->note);
    struct sim_send *send = take_at_work(sim, client);
    struct sim_item *item = &send->items[0];
    *ret_item = 0;
    send->entry = entry->tag;
    item->type = entry->item.type;
    item->object = entry->item.object;
    item->granted = entry->item.granted;
    item->access = access_due(item, entry->item.access);
    if (item->access & ~entry->item.access)
        sim_violation(sim, "rights only shrink", "0x%x is given of an entry of 0x%x", item->access,
                      entry->item.access);
    return send;
}

/* May it be placed there, at this moment? @client: of who has a connection; NULL: it is a third process. */
static void check_target(struct sim *sim, const struct sim_client *client,
                         const struct sim_send *send, const struct sim_item *item,
                         const struct fake_process *process)
{
    if (send->fate != SIM_FATE_OPEN)
        sim_violation(sim, "told or untold", "%" PRIu64 " is over, and is placed", send->tag);
    if (send->kind == SIM_TAKE) {
        if (!client || client->number != send->client)
            sim_violation(sim, "entries are given to whom they are for",
                          "take %" PRIu64 " is placed for another one", send->tag);
        sim_take_agreed(sim, send, sim_entry_of(sim, send->entry));
        return;
    }
    if (send->name != SIM_NAME_NONE) {
        sim_agreed(sim, client, send, item);
        return;
    }
    if (process->pid != send->target_pid || (client && client->number != send->client))
        sim_violation(sim, "third parties", "transfer %" PRIu64 " to process %u goes to process %u",
                      send->tag, send->target_pid, process->pid);
    if (process->pid != send->pid)
        check_third(sim, send->identity, process, "target");
    if (item->type == HBK_TYPE_COUNT ||
        (item->access & ~sim_cap(0, SIM_NAME_NONE, item->type)) != 0)
        sim_violation(sim, "rules", "an object that is not brokered without a name is placed");
}

static void place_failed(struct sim *sim, const struct sim_send *send, const struct fake_seen *seen)
{
    if (send->placed)
        sim_outcome(sim, SIM_OUT_PLACE_FAILED);
    if (seen->result == HBK_R_OS_ERROR && seen->process->handles_max)
        sim_outcome(sim, SIM_OUT_TABLE_FULL);
}

static void check_slot(struct sim *sim, const struct sim_send *send, const struct sim_item *item,
                       const struct fake_slot *slot)
{
    bool inherit = item->inherit && (send->kind == SIM_TAKE || send->name == SIM_NAME_NONE);
    if (slot->object != item->object)
        sim_violation(sim, "what was checked is delivered", "another object is placed");
    if (slot->access & ~item->granted)
        sim_violation(sim, "rights only shrink", "0x%x is placed of 0x%x", slot->access,
                      item->granted);
    if (slot->access != item->access)
        sim_violation(sim, "rights only shrink", "0x%x is placed, 0x%x was asked for", slot->access,
                      item->access);
    if (slot->inherit != inherit)
        sim_violation(sim, "answers are true", "inherit is %u, %u was asked for", slot->inherit,
                      inherit);
}

static void seen_place(struct sim *sim, struct sim_client *client, const struct fake_seen *seen)
{
    uint32_t at;
    struct sim_send *send = send_of_pin(sim, client, seen, &at);
    send->seam_failed |= seen->result != 0;
    if (!seen->slot) {
        place_failed(sim, send, seen);
        return;
    }
    check_slot(sim, send, &send->items[at], seen->slot);
    check_target(sim, client, send, &send->items[at], seen->process);
    seen->slot->note = send->tag * 64 + at;
    send->again = send->process != NULL;
    send->process = seen->process;
    ++send->placed;
    ++sim->processes[seen->process - sim->kernel->processes].untold;
}

/* From here on it may be placed at any time. */
static void seen_make(struct sim *sim, struct sim_client *client, const struct fake_seen *seen)
{
    uint32_t at;
    struct sim_send *send = send_of_pin(sim, client, seen, &at);
    send->seam_failed |= seen->result != HBK_PLATFORM_PENDING;
    send->made_ms = sim->kernel->now_ms;
    send->sockets = seen->result == HBK_PLATFORM_PENDING ? seen->ticket : 0;
    if (send->items[at].type != HBK_TYPE_SOCKET)
        sim_violation(sim, "what was checked is delivered", "a socket is made of what is none");
    check_target(sim, client, send, &send->items[at], seen->process);
}

static struct sim_send *send_of_sockets(struct sim *sim, uint64_t ticket)
{
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i)
        if (sim->sends[i].tag && sim->sends[i].sockets == ticket)
            return &sim->sends[i];
    sim_violation(sim, "books of the simulator", "sockets that nobody has asked for");
}

/* A socket of a send is placed as soon as a worker is at it. */
static void seen_made(struct sim *sim, const struct fake_seen *seen)
{
    uint32_t at = 0;
    struct sim_send *send = seen->pin->note & SIM_NOTE_ENTRY
                                ? send_of_sockets(sim, seen->ticket)
                                : send_of_note(sim, seen->pin->note, &at);
    send->seam_failed |= seen->result != 0;
    if (!seen->slot)
        return;
    if (send->answered || send->fate != SIM_FATE_OPEN)
        sim_outcome(sim, SIM_OUT_SOCKET_LATE);
    seen->slot->note = send->tag * 64 + at;
    send->process = seen->process;
    ++send->placed;
    ++sim->processes[seen->process - sim->kernel->processes].untold;
}

static void seen_undo(struct sim *sim, const struct fake_seen *seen)
{
    if (!seen->result)
        return;
    sim_outcome(sim, SIM_OUT_SOCKET_LEFT);
    ++sim->sockets_lost;
}

void sim_untold_gone(const struct fake_process *process, const struct fake_slot *slot)
{
    struct sim *sim = sim_now();
    uint32_t at;
    struct sim_send *send = send_of_note(sim, slot->note, &at);
    --send->placed;
    --sim->processes[process - sim->kernel->processes].untold;
}

/* ---- what is taken back ---- */

static bool may_revoke(const struct sim *sim, const struct sim_client *client,
                       const struct sim_send *send)
{
    return client->number == send->client ||
           sim_may_verb(sim_rules_at(sim, sim->generation), client->identity, HBK_VERB_REVOKE);
}

/* Has somebody who may just asked for it? */
static bool being_revoked(struct sim *sim, const struct sim_send *send)
{
    const struct hbk_message *message = books_request(sim->core);
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i) {
        struct sim_client *client = sim->clients[i];
        const struct sim_request *request = client ? sim_request_of(client, &message->id) : NULL;
        if (request && message->method == HBK_METHOD_DELIVERY_REVOKE &&
            request->delivery == send->delivery && may_revoke(sim, client, send))
            return true;
    }
    return false;
}

/* What was told is closed only where both sides have agreed to it, and one of them that may asks for it. */
static void seen_unplace(struct sim *sim, const struct fake_seen *seen)
{
    uint32_t at;
    const struct fake_slot *slot = fake_handle_find(seen->process, seen->value);
    if (seen->pin->note & SIM_NOTE_ENTRY)
        return;
    struct sim_send *send = send_of_note(sim, seen->pin->note, &at);
    if (send->fate != SIM_FATE_TOLD)
        return;
    if (!send->revocable || !being_revoked(sim, send))
        sim_violation(sim, "revocation",
                      "item %u of send %" PRIu64 " is taken back, and nobody who may asks for it",
                      at, send->tag);
    if (slot && seen->result == 0)
        send->closed |= UINT64_C(1) << at;
}

static void seen_open(struct sim *sim, const struct sim_client *client,
                      const struct fake_seen *seen)
{
    uint32_t rules = sim_rules_at(sim, sim->generation);
    if (forbidden(sim, seen->value) || (!sim_may_verb(rules, client->identity, HBK_VERB_TRANSFER) &&
                                        !sim_may_inspect(rules, client->identity)))
        sim_violation(sim, "third parties", "process %u is opened for client %u", seen->value,
                      client->number);
}

/* Who looks may inspect, and could duplicate handles there itself. */
static void seen_look(struct sim *sim, const struct fake_seen *seen)
{
    const struct sim_client *client = sim_client_keyed(sim, seen->ticket);
    if (!client || !sim_may_inspect(sim_rules_at(sim, sim->generation), client->identity))
        sim_violation(sim, "rules", "somebody may not inspect, and looks at process %u",
                      seen->process->pid);
    else if (seen->process != client->process)
        check_third(sim, client->identity, seen->process, "table");
}

static void seen_close(struct sim *sim, struct sim_client *client)
{
    const struct fake_connection *connection = client->connection;
    bool slow =
        connection->pending && sim->kernel->now_ms - client->pending_ms >= sim->config.write_ms;
    if (slow)
        sim_outcome(sim, SIM_OUT_LET_GO);
    /* By then nobody knows what becomes of a send whose line is still being written to its target. */
    if (sim->stopping && sim->kernel->now_ms - sim->stopped_ms >= sim->config.stop_ms)
        client->must_answer = false;
    /* It was ended, and its last line had no turn in all that time. */
    slow |= connection->paused && sim->kernel->now_ms - client->paused_ms >= sim->config.write_ms;
    if (!client->excused && !sim->alloc_may_fail && !slow && client->process->running &&
        !connection->broken && !client->hung_up)
        sim_violation(sim, "sessions end for a reason", "client %u is hung up on", client->number);
}

/* Of an operation that names one, and not by a connection that is gone. */
static struct sim_client *named(struct sim *sim, struct sim_client *client)
{
    if (!client)
        sim_violation(sim, "books of the simulator", "a client that is not remembered");
    return client;
}

void sim_seen(struct fake_kernel *kernel, const struct fake_seen *seen)
{
    struct sim *sim = kernel->owner;
    /* NULL: a connection that is gone, or an operation that names none. */
    struct sim_client *client = seen->connection ? seen->connection->owner : NULL;
    sim_event(sim, SIM_EV_SEAM, (uint64_t)seen->op << 32 | (client ? client->number : 0),
              seen->value, (uint64_t)(int64_t)seen->result, NULL, 0);
    HBK_ASSERT(client || (seen->op != FAKE_OP_WRITE && seen->op != FAKE_OP_READ_PAUSE &&
                          seen->op != FAKE_OP_CLOSE && seen->op != FAKE_OP_PROCESS_OPEN));
    switch (seen->op) {
    case FAKE_OP_WRITE:
        client = named(sim, client);
        client->pending_ms = kernel->now_ms;
        client->excused |= seen->result == HBK_PLATFORM_FAILED;
        break;
    case FAKE_OP_PIN:
        seen_pin(sim, client, seen);
        break;
    case FAKE_OP_PLACE:
        seen_place(sim, client, seen);
        break;
    case FAKE_OP_SOCKETS_MAKE:
        seen_make(sim, client, seen);
        break;
    case FAKE_OP_SOCKETS_MADE:
        seen_made(sim, seen);
        break;
    case FAKE_OP_SOCKETS_UNDO:
        seen_undo(sim, seen);
        break;
    case FAKE_OP_UNPLACE:
        seen_unplace(sim, seen);
        break;
    case FAKE_OP_PROCESS_OPEN:
        seen_open(sim, named(sim, client), seen);
        break;
    case FAKE_OP_LOOK:
        seen_look(sim, seen);
        break;
    case FAKE_OP_UNPIN:
        seen_unpin(sim, seen);
        break;
    case FAKE_OP_READ_PAUSE:
        named(sim, client)->paused_ms = kernel->now_ms;
        if (seen->value)
            sim_outcome(sim, SIM_OUT_PAUSED);
        break;
    case FAKE_OP_CLOSE:
        seen_close(sim, named(sim, client));
        break;
    default:
        break;
    }
}
