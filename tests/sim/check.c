/* The books: what the kernel holds, what the core says, and what the simulator has counted must agree. What is
 * cheap is asked after every turn, what counts everything every SIM_FULL_CHECK_EVERY steps. */
#include "sim.h"

#include "core_books.h"

#include <inttypes.h>
#include <string.h>

/* ---- what the seam does ---- */

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
    if (!books_pinning(sim->core, client->key, &id))
        return NULL;
    if (id.kind == HBK_ID_NUMBER)
        return sim_find_request(client, id.number, false);
    uint64_t number = 0;
    for (uint32_t i = 1; i < id.text_size; ++i)
        number = number * 10 + (uint64_t)(id.text[i] - '0');
    return sim_find_request(client, number, true);
}

/* What an item comes to: the core must come to the same. */
static uint32_t access_due(const struct sim_item *item)
{
    if (item->asked == HBK_ACCESS_KIND_MASK)
        return item->mask;
    return item->asked == HBK_ACCESS_KIND_READ && item->type != HBK_TYPE_COUNT
               ? item->granted & hbk_type_info(item->type)->read
               : item->granted;
}

static enum hbk_type type_due(const struct sim_item *item, const char *name)
{
    enum hbk_type type = hbk_type_of_kernel(hbk_text_from(name));
    if (!item->as_socket)
        return type;
    return type == HBK_TYPE_FILE ? HBK_TYPE_SOCKET : HBK_TYPE_COUNT;
}

/* Each item is read once from the sender's table, in its order, and never again. */
static struct sim_send *send_at_work(struct sim *sim, struct sim_client *client, uint32_t handle)
{
    const struct sim_request *request = request_at_work(sim, client);
    struct sim_send *send = request ? sim_send_of(sim, request->tag) : NULL;
    if (!send || request->method != HBK_METHOD_HANDLE_SEND || send->pin_tries >= send->count ||
        send->items[send->pin_tries].handle != handle || send->pinned != send->pin_tries)
        sim_violation(sim, "what was checked is delivered",
                      "handle %u of client %u is pinned, and nobody has just asked for it", handle,
                      client->number);
    return send;
}

static void seen_pin(struct sim *sim, struct sim_client *client, const struct fake_seen *seen)
{
    struct sim_send *send = send_at_work(sim, client, seen->value);
    uint32_t at = send->pin_tries++;
    send->bad_handle |= seen->result == HBK_R_BAD_HANDLE;
    send->seam_failed |= seen->result != 0;
    if (!seen->pin)
        return;
    struct sim_item *item = &send->items[at];
    seen->pin->note = send->tag * 64 + at;
    item->object = seen->pin->object;
    item->granted = seen->pin->access;
    item->is_socket = sim->kernel->objects[item->object].socket;
    item->type = type_due(item, sim->kernel->objects[item->object].type);
    item->access = access_due(item);
    ++send->pinned;
    ++send->pins;
}

static void seen_place(struct sim *sim, const struct sim_client *client,
                       const struct fake_seen *seen)
{
    uint32_t at;
    struct sim_send *send = send_of_note(sim, seen->pin->note, &at);
    send->seam_failed |= seen->result != 0;
    if (!seen->slot) {
        if (send->placed)
            sim_outcome(sim, SIM_OUT_PLACE_FAILED);
        if (seen->result == HBK_R_OS_ERROR && client->process->handles_max)
            sim_outcome(sim, SIM_OUT_TABLE_FULL);
        return;
    }
    if (seen->slot->object != send->items[at].object)
        sim_violation(sim, "what was checked is delivered", "another object is placed");
    if (seen->slot->access & ~send->items[at].granted)
        sim_violation(sim, "rights only shrink", "0x%x is placed of 0x%x", seen->slot->access,
                      send->items[at].granted);
    if (seen->slot->access != send->items[at].access)
        sim_violation(sim, "rights only shrink", "0x%x is placed, 0x%x was asked for",
                      seen->slot->access, send->items[at].access);
    sim_agreed(sim, client, send, &send->items[at]);
    ++send->placed;
    ++sim->processes[client->process - sim->kernel->processes].untold;
}

/* From here on it may be placed at any time. */
static void seen_make(struct sim *sim, const struct sim_client *client,
                      const struct fake_seen *seen)
{
    uint32_t at;
    struct sim_send *send = send_of_note(sim, seen->pin->note, &at);
    send->seam_failed |= seen->result != HBK_PLATFORM_PENDING;
    send->made_ms = sim->kernel->now_ms;
    if (send->items[at].type != HBK_TYPE_SOCKET)
        sim_violation(sim, "what was checked is delivered", "a socket is made of what is none");
    sim_agreed(sim, client, send, &send->items[at]);
}

/* A socket of a send is placed as soon as a worker is at it. */
static void seen_made(struct sim *sim, const struct fake_seen *seen)
{
    uint32_t at;
    struct sim_send *send = send_of_note(sim, seen->pin->note, &at);
    send->seam_failed |= seen->result != 0;
    if (!seen->slot)
        return;
    if (send->answered || send->fate != SIM_FATE_OPEN)
        sim_outcome(sim, SIM_OUT_SOCKET_LATE);
    ++send->placed;
    ++sim->processes[seen->process - sim->kernel->processes].untold;
}

static void seen_unpin(struct sim *sim, const struct fake_seen *seen)
{
    uint32_t at;
    struct sim_send *send = send_of_note(sim, seen->pin->note, &at);
    const struct sim_client *sender = sim_client_numbered(sim, send->client);
    if (send->pins == 0)
        sim_violation(sim, "broker handles", "more pins are closed than were made");
    --send->pins;
    if (send->fate == SIM_FATE_OPEN && !send->answered && sender && sender->connection->closed)
        sim_outcome(sim, SIM_OUT_SENDER_GONE);
}

void sim_untold_gone(const struct fake_process *process, const struct fake_slot *slot)
{
    struct sim *sim = sim_now();
    uint32_t at;
    struct sim_send *send = send_of_note(sim, slot->note, &at);
    --send->placed;
    --sim->processes[process - sim->kernel->processes].untold;
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

void sim_seen(struct fake_kernel *kernel, const struct fake_seen *seen)
{
    struct sim *sim = kernel->owner;
    /* NULL: a connection that is gone, or an operation that names none. */
    struct sim_client *client = seen->connection ? seen->connection->owner : NULL;
    sim_event(sim, SIM_EV_SEAM, (uint64_t)seen->op << 32 | (client ? client->number : 0),
              seen->value, (uint64_t)(int64_t)seen->result, NULL, 0);
    switch (seen->op) {
    case FAKE_OP_WRITE:
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
        if (seen->result)
            sim_outcome(sim, SIM_OUT_SOCKET_LEFT);
        break;
    case FAKE_OP_UNPIN:
        seen_unpin(sim, seen);
        break;
    case FAKE_OP_READ_PAUSE:
        client->paused_ms = kernel->now_ms;
        if (seen->value)
            sim_outcome(sim, SIM_OUT_PAUSED);
        break;
    case FAKE_OP_CLOSE:
        seen_close(sim, client);
        break;
    default:
        break;
    }
}

/* ---- after every turn ---- */

static void check_connection(struct sim *sim, const struct sim_client *client)
{
    const struct fake_connection *connection = client->connection;
    if (connection->closed && !connection->released && !connection->pending && !connection->pins)
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

void sim_check_deadlines(struct sim *sim)
{
    uint64_t now_ms = sim->kernel->now_ms;
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

void sim_check_all(struct sim *sim)
{
    const struct fake_kernel *kernel = sim->kernel;
    fake_check(kernel);
    check_untold(sim);
    books_check(sim->core, kernel);
    uint32_t descriptors = books_descriptors(sim->core);
    if (descriptors != fake_descriptors_held(kernel))
        sim_violation(sim, "descriptors", "%u are held, endpoints and rules have %u",
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
