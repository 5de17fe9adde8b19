/* What clients are told without having asked: deliveries, offers, who is gone, records. */
#include "sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void sim_new_id(struct sim *sim, uint64_t id, uint32_t what)
{
    static const char *const names[] = {"session", "delivery", "entry"};
    uint64_t key = id << 2 | what;
    uint32_t at = (uint32_t)(sim_mix(0x1D, key) % SIM_IDS_MAX);
    for (; sim->ids[at]; at = (at + 1) % SIM_IDS_MAX)
        if (sim->ids[at] == key)
            sim_violation(sim, "ids are used once", "%s %" PRIu64 " is there a second time",
                          names[what], id);
    if (sim->ids_count < SIM_IDS_MAX / 2) {
        sim->ids[at] = key;
        ++sim->ids_count;
    }
}

/* ---- items ---- */

void sim_check_item(struct sim *sim, const struct sim_send *send, const struct sim_item *item,
                    const struct hbk_delivered_item *told)
{
    bool reduced = item->access != item->granted;
    uint8_t widenable = !reduced                      ? HBK_WIDENABLE_NOT_REDUCED
                        : item->type == HBK_TYPE_FILE ? HBK_WIDENABLE_UNKNOWN
                        : item->object % 2            ? HBK_WIDENABLE_YES
                                                      : HBK_WIDENABLE_NO;
    if (!hbk_text_is(told->type, hbk_type_info(item->type)->name) || told->access != item->access ||
        told->inherit != item->inherit || told->protect != item->protect)
        sim_violation(sim, "answers are true",
                      "an item of send %" PRIu64 " is told as %.*s 0x%x, and is 0x%x", send->tag,
                      (int)told->type.size, told->type.data, told->access, item->access);
    if (told->widenable != widenable && told->widenable != HBK_WIDENABLE_UNKNOWN)
        sim_violation(sim, "answers are true", "widenable is told as %u, and is %u",
                      told->widenable, widenable);
    if (reduced)
        sim_outcome(sim, SIM_OUT_REDUCED);
    if (told->widenable == HBK_WIDENABLE_YES)
        sim_outcome(sim, SIM_OUT_WIDENABLE);
}

static struct fake_slot *placed_slot(struct sim *sim, struct fake_process *process, uint64_t note,
                                     const struct hbk_delivered_item *told)
{
    struct fake_slot *slot = told->handle ? fake_handle_find(process, told->handle)
                                          : fake_socket_find(process, told->protocol_info);
    if (!slot || slot->origin != FAKE_ORIGIN_UNTOLD || slot->note != note ||
        (slot->socket != 0) != (told->handle == 0))
        sim_violation(sim, "told or untold",
                      "handle %u of process %u is told, which was not placed there", told->handle,
                      process->pid);
    return slot;
}

/* The value is in its table, and is what the sender's value was when it was pinned. */
void sim_own_value(struct sim *sim, struct fake_process *process, struct sim_send *send, uint32_t k,
                   const struct hbk_delivered_item *told)
{
    const struct sim_item *item = &send->items[k];
    struct fake_slot *slot = placed_slot(sim, process, send->tag * 64 + k, told);
    if (slot->object != item->object)
        sim_violation(sim, "what was checked is delivered",
                      "item %u of send %" PRIu64 " is object %u, object %u was pinned", k,
                      send->tag, slot->object, item->object);
    if (slot->access != told->access)
        sim_violation(sim, "answers are true", "handle %u has 0x%x, told as 0x%x", told->handle,
                      slot->access, told->access);
    fake_mark_told(sim->kernel, slot, send->revocable ? send->delivery : 0, k);
    if (slot->socket)
        sim_outcome(sim, SIM_OUT_SOCKET);
    --send->placed;
    --sim->processes[process - sim->kernel->processes].untold;
}

static bool recycled(struct sim *sim, const struct sim_send *send)
{
    const struct sim_client *sender = sim_client_numbered(sim, send->client);
    if (!sender || !sender->process->running)
        return false;
    for (uint32_t i = 0; i < send->count; ++i) {
        const struct fake_slot *slot = fake_handle_find(sender->process, send->items[i].handle);
        if (slot && slot->object != send->items[i].object)
            return true;
    }
    return false;
}

static void count_told(struct sim *sim, const struct sim_client *client, struct sim_send *send)
{
    sim->told_sends += send->kind == SIM_SEND;
    ++sim->tally.done;
    if (sim_paused(sim))
        sim_outcome(sim, SIM_OUT_PAUSED_TOLD);
    const struct sim_client *sender = sim_client_numbered(sim, send->client);
    if (send->revocable)
        sim_outcome(sim, SIM_OUT_GIVEN);
    for (uint32_t i = 0; i < SIM_GONE_MAX && sender; ++i)
        send->gone_told |= sender->gone[i] == client->session; /* while its line was on its way */
    if (send->kind == SIM_TRANSFER)
        sim_outcome(sim, send->name == SIM_NAME_NONE ? SIM_OUT_NOTIFIED : SIM_OUT_MOVED_TO_NAME);
    sim_outcome(sim, client->connection->pending_copy ? SIM_OUT_TOLD_LATE : SIM_OUT_TOLD);
    if (send->to_pid)
        sim_outcome(sim, SIM_OUT_BY_PID);
    if (send->identity != client->identity)
        sim_outcome(sim, SIM_OUT_ACROSS);
    if (send->count > 16)
        sim_outcome(sim, SIM_OUT_MANY);
    if (sim->kernel->now_ms > send->sent_ms && send->wait_ms)
        sim_outcome(sim, SIM_OUT_WAITED);
    if (recycled(sim, send))
        sim_outcome(sim, SIM_OUT_RECYCLED);
}

void sim_told_items(struct sim *sim, struct sim_client *client, struct sim_send *send,
                    const struct hbk_delivered_item *items, size_t count)
{
    if (send->fate != SIM_FATE_OPEN)
        sim_violation(sim, "told or untold", "send %" PRIu64 " is told, and was %s", send->tag,
                      send->fate == SIM_FATE_TOLD ? "told before" : "answered as failed");
    if (send->cancelled)
        sim_violation(sim, "revocation", "send %" PRIu64 " is told, and was revoked", send->tag);
    if (count != send->count)
        sim_violation(sim, "all or nothing", "%zu of %u items of send %" PRIu64 " are told", count,
                      send->count, send->tag);
    for (uint32_t i = 0; i < send->count; ++i) {
        sim_check_item(sim, send, &send->items[i], &items[i]);
        if (client->process->running)
            sim_own_value(sim, client->process, send, i, &items[i]);
    }
    if (send->placed)
        sim_violation(sim, "all or nothing", "send %" PRIu64 " has placed %u values more",
                      send->tag, send->placed);
    send->fate = SIM_FATE_TOLD;
    send->value = items[0].handle;
    count_told(sim, client, send);
}

/* ---- deliveries and offers ---- */

/* NULL: an offer without data that is over by now, so that nobody knows any more whose it was. */
static struct sim_send *send_named(struct sim *sim, const struct hbk_delivered *delivered,
                                   bool offered)
{
    struct sim_send *send = delivered->data.data
                                ? sim_send_of(sim, strtoull(delivered->data.data, NULL, 10))
                                : sim_send_of_delivery(sim, delivered->delivery);
    if (!send && !(offered && !delivered->data.data))
        sim_violation(sim, "both sides agree", "a delivery that nobody sent");
    return send;
}

static void check_data(struct sim *sim, const struct sim_send *send, struct hbk_text data)
{
    static char wire[SIM_LINE_MAX / 4], plain[SIM_LINE_MAX / 4];
    size_t size = sim_data(send->tag, wire, sizeof wire, plain, sizeof plain);
    if (send->has_data != (data.data != NULL) ||
        (data.data && (size != data.size || memcmp(plain, data.data, size) != 0)))
        sim_violation(sim, "answers are true", "send %" PRIu64 " had other data", send->tag);
}

void sim_check_from(struct sim *sim, const char *what, uint64_t session, uint32_t pid,
                    uint32_t identity, const struct hbk_sender *from)
{
    const struct sim_identity *who = &sim_identities[identity];
    if (from->session != session || from->peer.pid != pid ||
        !hbk_text_is(from->peer.user, who->token.user) ||
        from->peer.integrity != who->token.integrity ||
        from->peer.logon_session != who->logon_session)
        sim_violation(sim, "who is who", "%s comes from another one", what);
}

static void check_order(struct sim *sim, struct sim_client *client, const struct sim_send *send)
{
    uint32_t address = send->name << 1 | (send->to_pid != 0);
    struct sim_lane *lane = NULL;
    for (uint32_t i = 0; i < SIM_LANES_MAX && !lane; ++i)
        if (client->lanes[i].session == send->session && client->lanes[i].address == address)
            lane = &client->lanes[i];
    if (lane && lane->tag >= send->tag)
        sim_violation(sim, "order", "send %" PRIu64 " comes after send %" PRIu64, send->tag,
                      lane->tag);
    if (!lane)
        lane = &client->lanes[client->lanes_count++ % SIM_LANES_MAX];
    *lane = (struct sim_lane){send->session, send->tag, address};
}

static void check_endpoint(struct sim *sim, const struct sim_client *client,
                           const struct hbk_delivered *delivered, bool ask)
{
    for (uint32_t i = 0; i < SIM_ENDPOINTS_MAX; ++i) {
        const struct sim_endpoint *endpoint = &client->endpoints[i];
        if (endpoint->state == SIM_ENDPOINT_OPEN && endpoint->ask == ask &&
            hbk_text_is(delivered->endpoint, sim_names[endpoint->name]))
            return;
    }
    sim_violation(sim, "both sides agree", "client %u has no endpoint %.*s that is open",
                  client->number, (int)delivered->endpoint.size, delivered->endpoint.data);
}

/* To an endpoint that is open, or to a process and none. */
static void check_way(struct sim *sim, struct sim_client *client, struct sim_send *send,
                      const struct hbk_delivered *delivered, bool offered)
{
    if (send->kind == SIM_TAKE || (send->name == SIM_NAME_NONE) != !delivered->endpoint.data)
        sim_violation(sim, "both sides agree", "%" PRIu64 " is delivered another way", send->tag);
    if (delivered->endpoint.data) {
        check_endpoint(sim, client, delivered, offered);
        check_order(sim, client, send);
        return;
    }
    if (client->process->pid != send->target_pid || client->number == send->client || offered)
        sim_violation(sim, "third parties", "transfer %" PRIu64 " is told to client %u", send->tag,
                      client->number);
    send->notified = true;
}

static void told_delivered(struct sim *sim, struct sim_client *client,
                           const struct hbk_delivered *delivered, bool offered)
{
    struct sim_send *send = send_named(sim, delivered, offered);
    if (!send)
        return;
    check_data(sim, send, delivered->data);
    sim_check_from(sim, "a delivery", send->session, send->pid, send->identity, &delivered->from);
    check_way(sim, client, send, delivered, offered);
    sim_new_id(sim, delivered->delivery, 1);
    if (delivered->revocable != send->revocable)
        sim_violation(sim, "answers are true", "send %" PRIu64 " is told as %srevocable", send->tag,
                      delivered->revocable ? "" : "not ");
    send->delivery = delivered->delivery;
    send->target = client->number;
    send->target_session = client->session;
    if (!offered) {
        sim_told_items(sim, client, send, delivered->items, delivered->items_count);
        return;
    }
    send->offered = true;
    sim_outcome(sim, SIM_OUT_OFFERED);
    if (delivered->items_count != send->count)
        sim_violation(sim, "all or nothing", "an offer of other items");
    for (uint32_t i = 0; i < send->count; ++i) {
        sim_check_item(sim, send, &send->items[i], &delivered->items[i]);
        if (delivered->items[i].handle || delivered->items[i].protocol_info.data)
            sim_violation(sim, "both sides agree", "an offer that names a value");
    }
    client->offers[client->offers_count++ % SIM_OFFERS_MAX] =
        (struct sim_offer){delivered->delivery, send->tag};
}

/* ---- the rest ---- */

static void told_gone(struct sim *sim, struct sim_client *client, uint64_t session)
{
    sim_outcome(sim, SIM_OUT_GONE);
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        if (sim->clients[i] && sim->clients[i]->session == session)
            sim->clients[i]->said_gone = true;
    for (uint32_t i = 0; i < SIM_GONE_MAX; ++i)
        if (client->gone[i] == session)
            sim_violation(sim, "answered once", "client %u is told twice who is gone",
                          client->number);
    client->gone[client->gone_count++ % SIM_GONE_MAX] = session;
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i) {
        struct sim_send *send = &sim->sends[i];
        if (!send->tag || send->fate != SIM_FATE_TOLD || !send->revocable || send->revoked)
            continue;
        if (send->client == client->number
                ? send->target_session == session
                : send->target == client->number && send->session == session)
            send->gone_told = true;
        if (send->gone_told)
            sim_outcome(sim, SIM_OUT_GIVEN_GONE);
    }
}

static void told_record(struct sim *sim, struct sim_client *client, const struct hbk_event *event)
{
    sim_outcome(sim, SIM_OUT_WATCHED);
    if (!client->watching || event->serial <= client->watched_serial)
        sim_violation(sim, "records", "client %u is told of record %" PRIu64 " after %" PRIu64,
                      client->number, event->serial, client->watched_serial);
    client->watched_serial = event->serial;
}

void sim_notified(struct sim *sim, struct sim_client *client, const struct hbk_message *message)
{
    const union hbk_params *params = &message->u.params;
    if (!client->proven)
        sim_violation(sim, "who is who", "client %u is not proven and is told something",
                      client->number);
    switch (message->method) {
    case HBK_METHOD_HANDLE_DELIVERED:
        told_delivered(sim, client, &params->delivered, false);
        break;
    case HBK_METHOD_HANDLE_OFFERED:
        told_delivered(sim, client, &params->delivered, true);
        break;
    case HBK_METHOD_SESSION_GONE:
        told_gone(sim, client, params->session_gone.session);
        break;
    case HBK_METHOD_DELIVERY_REVOKED:
        sim_notified_revoked(sim, client, &params->revoked);
        break;
    case HBK_METHOD_BROKER_EVENT:
        told_record(sim, client, &params->event);
        break;
    default:
        sim_violation(sim, "well-formed lines", "a notification of a request's name");
    }
}
