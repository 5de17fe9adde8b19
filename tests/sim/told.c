/* What clients are told: each line is read, matched with what was asked, and held against what may be said. */
#include "sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BIT(name) (1u << RESULT_##name)

enum {
#define HBK_RESULT(name, code, text, meaning) RESULT_##name,
#include "results.def"
#undef HBK_RESULT
};

/* What each method may be answered, by PROTOCOL.md; besides what any may. */
static const uint32_t any_error = BIT(NOT_PROVEN) | BIT(INTERNAL_ERROR) | BIT(STOPPING);
static const uint32_t errors_of[HBK_METHOD_COUNT] = {
    [HBK_METHOD_NONE] = BIT(INVALID_REQUEST) | BIT(METHOD_NOT_FOUND) | BIT(INVALID_PARAMS) |
                        BIT(BAD_HANDLE) | BIT(PARSE_ERROR),
    [HBK_METHOD_SESSION_HELLO] = BIT(INVALID_REQUEST) | BIT(OS_ERROR) | BIT(TARGET_GONE),
    [HBK_METHOD_SESSION_PROVE] = BIT(INVALID_REQUEST) | BIT(BUSY),
    [HBK_METHOD_ENDPOINT_OPEN] = BIT(EXISTS) | BIT(DENIED) | BIT(TYPE_NOT_ALLOWED) | BIT(QUOTA) |
                                 BIT(INVALID_PARAMS) | BIT(OS_ERROR),
    [HBK_METHOD_ENDPOINT_CLOSE] = BIT(NOT_FOUND) | BIT(DENIED),
    [HBK_METHOD_ENDPOINT_LIST] = BIT(INVALID_PARAMS),
    [HBK_METHOD_HANDLE_SEND] = BIT(NOT_FOUND) | BIT(DENIED) | BIT(BAD_HANDLE) |
                               BIT(TYPE_NOT_ALLOWED) | BIT(TYPE_MISMATCH) |
                               BIT(ACCESS_EXCEEDS_SOURCE) | BIT(ACCESS_NOT_ACCEPTED) |
                               BIT(OS_ERROR) | BIT(REJECTED) | BIT(TIMEOUT) | BIT(TARGET_GONE) |
                               BIT(BUSY) | BIT(QUOTA) | BIT(INVALID_PARAMS),
    [HBK_METHOD_DELIVERY_ACCEPT] = BIT(NOT_FOUND) | BIT(QUOTA) | BIT(OS_ERROR) | BIT(TARGET_GONE) |
                                   BIT(DENIED) | BIT(TYPE_NOT_ALLOWED) | BIT(ACCESS_NOT_ACCEPTED) |
                                   BIT(BUSY) | BIT(TYPE_MISMATCH) | BIT(TIMEOUT) | BIT(REJECTED),
    [HBK_METHOD_DELIVERY_REJECT] = BIT(NOT_FOUND),
    [HBK_METHOD_DELIVERY_REVOKE] = BIT(NOT_FOUND) | BIT(BUSY),
    [HBK_METHOD_DELIVERY_LIST] = BIT(INVALID_PARAMS),
    [HBK_METHOD_HANDLE_TRANSFER] =
        BIT(NOT_FOUND) | BIT(DENIED) | BIT(BAD_HANDLE) | BIT(TYPE_NOT_ALLOWED) |
        BIT(TYPE_MISMATCH) | BIT(ACCESS_EXCEEDS_SOURCE) | BIT(ACCESS_NOT_ACCEPTED) | BIT(OS_ERROR) |
        BIT(REJECTED) | BIT(TIMEOUT) | BIT(TARGET_GONE) | BIT(BUSY) | BIT(QUOTA),
    [HBK_METHOD_STORE_PUT] = BIT(EXISTS) | BIT(DENIED) | BIT(BAD_HANDLE) | BIT(TYPE_NOT_ALLOWED) |
                             BIT(TYPE_MISMATCH) | BIT(ACCESS_EXCEEDS_SOURCE) | BIT(OS_ERROR) |
                             BIT(QUOTA) | BIT(INVALID_PARAMS) | BIT(BUSY),
    [HBK_METHOD_STORE_GET] = BIT(NOT_FOUND) | BIT(DENIED) | BIT(TYPE_NOT_ALLOWED) |
                             BIT(ACCESS_EXCEEDS_SOURCE) | BIT(OS_ERROR) | BIT(TIMEOUT) |
                             BIT(TYPE_MISMATCH) | BIT(TARGET_GONE) | BIT(QUOTA) |
                             BIT(INVALID_PARAMS) | BIT(BUSY),
    [HBK_METHOD_STORE_REMOVE] = BIT(NOT_FOUND) | BIT(DENIED),
    [HBK_METHOD_STORE_LIST] = BIT(INVALID_PARAMS),
    [HBK_METHOD_BROKER_METRICS] = BIT(DENIED),
    [HBK_METHOD_BROKER_SESSIONS] = BIT(DENIED) | BIT(INVALID_PARAMS),
    [HBK_METHOD_BROKER_WATCH] = BIT(DENIED) | BIT(QUOTA),
    [HBK_METHOD_POLICY_EXPLAIN] = BIT(DENIED) | BIT(INVALID_PARAMS) | BIT(NOT_FOUND),
    [HBK_METHOD_PROCESS_HANDLES] =
        BIT(DENIED) | BIT(NOT_FOUND) | BIT(QUOTA) | BIT(TIMEOUT) | BIT(OS_ERROR),
    [HBK_METHOD_OBJECT_HOLDERS] =
        BIT(DENIED) | BIT(NOT_FOUND) | BIT(QUOTA) | BIT(TIMEOUT) | BIT(OS_ERROR) | BIT(BAD_HANDLE),
};

struct sim_client *sim_client_numbered(struct sim *sim, uint32_t number)
{
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        if (sim->clients[i] && sim->clients[i]->number == number)
            return sim->clients[i];
    return NULL;
}

struct sim_request *sim_find_request(struct sim_client *client, uint64_t id, bool text)
{
    for (uint32_t i = 0; i < SIM_REQUESTS_MAX; ++i)
        if (client->requests[i].id == id && id && client->requests[i].text == text)
            return &client->requests[i];
    return NULL;
}

struct sim_client *sim_client_keyed(struct sim *sim, uint64_t key)
{
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        if (sim->clients[i] && sim->clients[i]->key == key)
            return sim->clients[i];
    return NULL;
}

bool sim_client_lives(const struct sim_client *client)
{
    return client && !client->connection->closed && !client->hung_up && !client->excused &&
           client->process->running;
}

struct sim_request *sim_request_of(struct sim_client *client, const struct hbk_id *id)
{
    char text[HBK_ID_TEXT_BYTES_MAX + 1];
    if (id->kind == HBK_ID_NUMBER)
        return sim_find_request(client, id->number, false);
    memcpy(text, id->text, id->text_size);
    text[id->text_size] = 0;
    return text[0] == 'x' ? sim_find_request(client, strtoull(text + 1, NULL, 10), true) : NULL;
}

static void request_over(struct sim_client *client, struct sim_request *request)
{
    request->id = 0;
    --client->requests_count;
}

/* ---- results ---- */

static void told_hello(struct sim *sim, struct sim_client *client,
                       const struct hbk_hello_result *hello)
{
    const struct sim_identity *who = &sim_identities[client->identity];
    sim_new_id(sim, hello->session, 0);
    client->session = hello->session;
    client->proof = hello->proof;
    if (hello->peer.pid != client->process->pid ||
        !hbk_text_is(hello->peer.user, who->token.user) ||
        hello->peer.integrity != who->token.integrity ||
        hello->peer.logon_session != who->logon_session)
        sim_violation(sim, "who is who", "client %u is taken for another one", client->number);
    if (client->process->running) {
        const struct fake_slot *slot = fake_handle_find(client->process, hello->proof);
        if (client->connection->proof_object && !client->connection->proof_closing &&
            (!slot || slot->object != client->connection->proof_object))
            sim_violation(sim, "proofs", "client %u is told of a proof that is none",
                          client->number);
    }
}

static void told_opened(struct sim *sim, struct sim_client *client,
                        const struct sim_request *request)
{
    struct sim_endpoint *endpoint = &client->endpoints[request->endpoint];
    endpoint->state = SIM_ENDPOINT_OPEN;
    bool ever = false;
    for (uint32_t at = request->generation; at <= sim->generation; ++at)
        ever |= sim_may_open(sim_rules_at(sim, at), client->identity, request->name);
    if (!ever)
        sim_violation(sim, "rules", "client %u has opened %s, which it may not", client->number,
                      sim_names[request->name]);
}

static void told_closed(struct sim *sim, struct sim_client *client,
                        const struct sim_request *request)
{
    for (uint32_t i = 0; i < SIM_ENDPOINTS_MAX; ++i) {
        struct sim_endpoint *endpoint = &client->endpoints[i];
        if (endpoint->name == request->name && endpoint->state == SIM_ENDPOINT_OPEN) {
            endpoint->state = SIM_ENDPOINT_NONE;
            if (sim_paused(sim))
                sim_outcome(sim, SIM_OUT_PAUSED_CLOSED);
            return;
        }
    }
    sim_violation(sim, "both sides agree", "client %u has closed %s, which it had not open",
                  client->number, sim_names[request->name]);
}

static struct sim_send *send_asked(struct sim *sim, const struct sim_client *client,
                                   const struct sim_request *request)
{
    struct sim_send *send = sim_send_of(sim, request->tag);
    if (!send || send->client != client->number)
        sim_violation(sim, "books of the simulator", "a send that is not remembered");
    return send;
}

static void told_sent(struct sim *sim, struct sim_client *client, const struct sim_request *request,
                      const struct hbk_send_result *result)
{
    struct sim_send *send = send_asked(sim, client, request);
    send->answered = true;
    if (send->fate != SIM_FATE_TOLD)
        sim_violation(sim, "told or untold", "send %" PRIu64 " succeeds, and nobody was told",
                      send->tag);
    if (send->delivery != result->delivery || result->items_count != send->count)
        sim_violation(sim, "answers are true", "send %" PRIu64 " is answered as delivery %" PRIu64,
                      send->tag, result->delivery);
    for (uint32_t i = 0; i < send->count; ++i)
        if (result->items[i].access != send->items[i].access ||
            !hbk_text_is(result->items[i].type, hbk_type_info(send->items[i].type)->name))
            sim_violation(sim, "answers are true",
                          "item %u of send %" PRIu64 " was 0x%x, the answer says 0x%x", i,
                          send->tag, send->items[i].access, result->items[i].access);
}

static struct sim_send *send_offered(struct sim *sim, const struct sim_client *client,
                                     const struct sim_request *request)
{
    struct sim_send *send = sim_send_of(sim, request->tag);
    if (!send || send->delivery != request->delivery || send->target != client->number)
        sim_violation(sim, "both sides agree", "client %u accepts what it was not offered",
                      client->number);
    return send;
}

static void told_accepted(struct sim *sim, struct sim_client *client,
                          const struct sim_request *request, const struct hbk_accept_result *result)
{
    struct sim_send *send = send_offered(sim, client, request);
    sim_told_items(sim, client, send, result->items, result->items_count);
    sim_outcome(sim, SIM_OUT_ACCEPTED);
    if (sim_paused(sim))
        sim_outcome(sim, SIM_OUT_PAUSED_ACCEPTED);
}

static void told_listed(struct sim *sim, const struct sim_client *client,
                        const struct sim_request *request,
                        const struct hbk_endpoint_list_result *list)
{
    bool inspects = false;
    for (uint32_t at = request->generation; at <= sim->generation; ++at)
        inspects |= sim_may_inspect(sim_rules_at(sim, at), client->identity);
    for (size_t i = 0; i < list->endpoints_count && !inspects; ++i) {
        const struct hbk_endpoint_info *info = &list->endpoints[i];
        bool own_scope = info->name.size < 5 || memcmp(info->name.data, "user/", 5) != 0;
        for (uint32_t j = 0; j < SIM_CLIENTS_MAX; ++j) {
            const struct sim_client *other = sim->clients[j];
            if (other && other->session == info->session && other->identity != client->identity &&
                !own_scope)
                sim_violation(sim, "existence is not told",
                              "client %u is shown an endpoint in the "
                              "user/ of another identity",
                              client->number);
        }
    }
}

static void told_explained(struct sim *sim, const struct sim_client *client,
                           const struct sim_request *request,
                           const struct hbk_explain_result *result)
{
    if (!request->tag || request->generation != sim->generation || sim->swarm.chaos.op_fails)
        return;
    if (result->allowed !=
        sim_may_open(sim_rules_at(sim, sim->generation), client->identity, request->name))
        sim_violation(sim, "answers are true", "policy.explain says %s of opening %s",
                      result->allowed ? "yes" : "no", sim_names[request->name]);
}

static void needs_inspect(struct sim *sim, const struct sim_client *client,
                          const struct sim_request *request)
{
    for (uint32_t at = request->generation; at <= sim->generation; ++at)
        if (sim_may_inspect(sim_rules_at(sim, at), client->identity))
            return;
    sim_violation(sim, "rules", "client %u may not inspect, and does", client->number);
}

/* Not the system's, nor the broker's; by rising values, or pids and values. */
static void told_looked(struct sim *sim, const struct sim_client *client,
                        const struct sim_request *request, const struct hbk_handle_info *infos,
                        size_t count)
{
    needs_inspect(sim, client, request);
    if (request->delivery == 4 || request->delivery == sim->config.pid)
        sim_violation(sim, "third parties", "client %u is told of process %" PRIu64, client->number,
                      request->tag);
    for (size_t i = 1; i < count; ++i)
        if (infos[i].pid < infos[i - 1].pid ||
            (infos[i].pid == infos[i - 1].pid && infos[i].handle <= infos[i - 1].handle))
            sim_violation(sim, "answers are true", "handles are told in no order");
}

static void told_table(struct sim *sim, const struct sim_client *client,
                       const struct sim_request *request,
                       const struct hbk_process_handles_result *result)
{
    told_looked(sim, client, request, result->handles, result->handles_count);
    sim_outcome(sim, result->next.data ? SIM_OUT_TABLE_NEXT : SIM_OUT_TABLE);
}

static void told_holders(struct sim *sim, const struct sim_client *client,
                         const struct sim_request *request,
                         const struct hbk_object_holders_result *result)
{
    told_looked(sim, client, request, result->holders, result->holders_count);
    bool named = false;
    for (size_t i = 0; i < result->holders_count; ++i)
        named |= result->holders[i].pid == request->delivery;
    if (!named)
        sim_violation(sim, "answers are true", "who was asked about is no holder");
    sim_outcome(sim, SIM_OUT_HOLDERS);
}

static void check_stored_bytes(struct sim *sim, const struct hbk_status_result *status)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i)
        bytes += sim->entries[i].pins ? sim_entry_bytes(&sim->entries[i]) : 0;
    for (size_t i = 0; i < status->quotas_count; ++i)
        if (hbk_text_is(status->quotas[i].name, "stored_bytes") && status->quotas[i].used != bytes)
            sim_violation(sim, "answers are true",
                          "%" PRIu64 " bytes are charged for entries of %" PRIu64,
                          status->quotas[i].used, bytes);
}

static void check_state(struct sim *sim, const struct hbk_status_result *status)
{
    if (!hbk_text_is(status->state, sim_paused(sim) ? "paused" : "running"))
        sim_violation(sim, "paused", "broker.status says that it is %.*s, paused: %u",
                      (int)status->state.size, status->state.data, sim_paused(sim));
}

/* While nothing is under way it is known what there is. */
static void told_status(struct sim *sim, const struct hbk_status_result *status)
{
    uint32_t proven = 0, endpoints = 0, stored = 0, pins = 0;
    if (!sim->at_rest)
        return;
    check_state(sim, status);
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i) {
        const struct sim_client *client = sim->clients[i];
        proven += client && client->proven;
        for (uint32_t j = 0; client && j < SIM_ENDPOINTS_MAX; ++j)
            endpoints += client->endpoints[j].state == SIM_ENDPOINT_OPEN;
    }
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i)
        stored += sim->entries[i].pins;
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i)
        pins += sim->sends[i].pins;
    /* Who has lost a name to who may have it by other rules is not told so. */
    if (status->sessions != sim->clients_count || status->sessions_proven != proven ||
        status->endpoints > endpoints || (!sim->swarm.rules && status->endpoints != endpoints) ||
        status->deliveries_pending || status->pins != pins || status->stored != stored)
        sim_violation(sim, "answers are true",
                      "broker.status says %u sessions, %u proven, %u endpoints, %u deliveries, %u "
                      "pins, %u entries; there are %u, %u, %u, none, %u and %u",
                      status->sessions, status->sessions_proven, status->endpoints,
                      status->deliveries_pending, status->pins, status->stored, sim->clients_count,
                      proven, endpoints, pins, stored);
    check_stored_bytes(sim, status);
}

/* Of the store, of transfers and revocations. */
static void told_shared(struct sim *sim, struct sim_client *client,
                        const struct sim_request *request, const struct hbk_message *message)
{
    switch (request->method) {
    case HBK_METHOD_DELIVERY_REVOKE:
        sim_told_revoked(sim, client, request, &message->u.result.revoke);
        break;
    case HBK_METHOD_DELIVERY_LIST:
        sim_told_deliveries(sim, client, request, &message->u.result.deliveries);
        break;
    case HBK_METHOD_HANDLE_TRANSFER:
        sim_told_transferred(sim, client, request, &message->u.result.transfer);
        break;
    case HBK_METHOD_STORE_PUT:
        sim_told_put(sim, client, request, &message->u.result.store_put);
        break;
    case HBK_METHOD_STORE_GET:
        sim_told_got(sim, client, request, &message->u.result.store_get);
        break;
    case HBK_METHOD_STORE_REMOVE:
        sim_told_removed(sim, client, request);
        break;
    case HBK_METHOD_STORE_LIST:
        sim_told_entries(sim, client, request, &message->u.result.store_list);
        break;
    default:
        break;
    }
}

static void told_result(struct sim *sim, struct sim_client *client, struct sim_request *request,
                        struct hbk_message *message)
{
    if (hbk_message_read_result(message, request->method))
        sim_violation(sim, "well-formed lines", "an ill-formed result: %s", message->error.detail);
    ++sim->counts->results[request->method];
    sim_pause_holds(sim, client, request);
    switch (request->method) {
    case HBK_METHOD_SESSION_HELLO:
        told_hello(sim, client, &message->u.result.hello);
        break;
    case HBK_METHOD_SESSION_PROVE:
        if (!client->connection->proven)
            sim_violation(sim, "who is who", "client %u is taken for proven", client->number);
        client->proven = true;
        break;
    case HBK_METHOD_ENDPOINT_OPEN:
        told_opened(sim, client, request);
        break;
    case HBK_METHOD_ENDPOINT_CLOSE:
        told_closed(sim, client, request);
        break;
    case HBK_METHOD_ENDPOINT_LIST:
        told_listed(sim, client, request, &message->u.result.endpoint_list);
        break;
    case HBK_METHOD_HANDLE_SEND:
        told_sent(sim, client, request, &message->u.result.send);
        break;
    case HBK_METHOD_DELIVERY_ACCEPT:
        told_accepted(sim, client, request, &message->u.result.accept);
        break;
    case HBK_METHOD_DELIVERY_REJECT:
        sim_outcome(sim, SIM_OUT_REJECTED);
        break;
    case HBK_METHOD_BROKER_STATUS:
        told_status(sim, &message->u.result.status);
        break;
    case HBK_METHOD_BROKER_SESSIONS:
        needs_inspect(sim, client, request);
        break;
    case HBK_METHOD_BROKER_METRICS:
        needs_inspect(sim, client, request);
        sim_told_metrics(sim, client, &message->u.result.metrics);
        break;
    case HBK_METHOD_BROKER_WATCH:
        needs_inspect(sim, client, request);
        client->watching = true;
        break;
    case HBK_METHOD_POLICY_EXPLAIN:
        needs_inspect(sim, client, request);
        told_explained(sim, client, request, &message->u.result.explain);
        break;
    case HBK_METHOD_PROCESS_HANDLES:
        told_table(sim, client, request, &message->u.result.process_handles);
        break;
    case HBK_METHOD_OBJECT_HOLDERS:
        told_holders(sim, client, request, &message->u.result.object_holders);
        break;
    default:
        told_shared(sim, client, request, message);
        break;
    }
}

/* ---- errors ---- */

/* What a worker has made of @send, and has not come back to say so: it is taken back then. */
static uint32_t being_made(const struct sim *sim, const struct sim_send *send)
{
    const struct fake_kernel *kernel = sim->kernel;
    uint32_t count = 0;
    for (size_t i = 0; i < FAKE_PROCESSES_MAX && send->made_ms; ++i)
        for (size_t j = 0; j < kernel->processes[i].slots_high; ++j) {
            const struct fake_slot *slot = &kernel->processes[i].slots[j];
            count += slot->object && slot->note / 64 == send->tag && fake_sockets_at(kernel, slot);
        }
    return count;
}

static void send_failed(struct sim *sim, const struct sim_client *client,
                        const struct sim_request *request, const struct hbk_error *error,
                        bool paused)
{
    struct sim_send *send = send_asked(sim, client, request);
    bool notified = send->kind == SIM_TRANSFER && send->fate == SIM_FATE_TOLD;
    if (send->fate != SIM_FATE_OPEN)
        sim_violation(sim, notified ? "third parties" : "told or untold",
                      "send %" PRIu64 " fails with %s, and its target was "
                      "told",
                      send->tag, hbk_result_name(error->code));
    if (send->placed > being_made(sim, send))
        sim_violation(sim, "a failed send leaves nothing",
                      "send %" PRIu64 " fails with %s, and %u "
                      "values are in its target",
                      send->tag, hbk_result_name(error->code), send->placed);
    send->answered = true;
    send->fate = SIM_FATE_FAILED;
    ++sim->tally.failed[sim_error_index(error->code)];
    if (paused)
        return;
    sim_refusal_founded(sim, send, error);
    if (send->kind == SIM_TRANSFER)
        sim_transfer_refused(sim, send, error);
}

static void told_error(struct sim *sim, struct sim_client *client,
                       const struct sim_request *request, const struct hbk_error *error)
{
    uint32_t allowed = any_error | errors_of[request->method];
    if (!(allowed & (1u << sim_error_index(error->code))))
        sim_violation(sim, "answers are true", "%s is answered %s",
                      request->method ? hbk_method_name(request->method) : "a broken line",
                      hbk_result_name(error->code));
    if (error->code == HBK_R_INTERNAL_ERROR && !sim->allocs_failed && !sim->alloc_may_fail)
        sim_violation(sim, "answers are true", "an internal error, and no allocation has failed");
    if (error->code == HBK_R_STOPPING && !sim->stopping)
        sim_violation(sim, "answers are true", "the broker stops, and was not told to");
    bool paused = sim_pause_refuses(sim, client, request, error);
    if (request->method == HBK_METHOD_ENDPOINT_OPEN)
        client->endpoints[request->endpoint].state = SIM_ENDPOINT_NONE;
    else if (sim_is_hand_off(request->method))
        send_failed(sim, client, request, error, paused);
    else if (request->method == HBK_METHOD_STORE_PUT)
        sim_put_refused(sim, client, request, error);
    else if (request->method == HBK_METHOD_STORE_REMOVE)
        sim_remove_refused(sim, request);
    else if (request->method == HBK_METHOD_DELIVERY_REVOKE)
        sim_revoke_refused(sim, client, request, error);
    const struct sim_send *send = sim_send_of(sim, request->tag);
    if (error->code == HBK_R_NOT_FOUND && send && send->target != client->number &&
        (request->method == HBK_METHOD_DELIVERY_ACCEPT ||
         request->method == HBK_METHOD_DELIVERY_REJECT))
        sim_outcome(sim, SIM_OUT_FOREIGN_ANSWER);
}

/* Of no request: a line that was none, or the end of the session. */
static void told_error_without_id(struct sim *sim, struct sim_client *client,
                                  const struct hbk_error *error)
{
    if (error->code == HBK_R_QUOTA)
        sim_outcome(sim, SIM_OUT_SESSION_REFUSED);
    if ((error->code == HBK_R_PARSE_ERROR || error->code == HBK_R_INVALID_REQUEST) &&
        client->broken_lines) {
        --client->broken_lines;
        return;
    }
    if (error->code != HBK_R_TIMEOUT && error->code != HBK_R_QUOTA && error->code != HBK_R_DENIED)
        sim_violation(sim, "answered once", "client %u is answered %s, and asked nothing",
                      client->number, hbk_result_name(error->code));
    client->excused = true;
}

/* With an id that is in flight, two answers come: which of them is this? */
static bool is_extra(struct sim *sim, struct sim_request *request,
                     const struct hbk_message *message, struct hbk_text line)
{
    if (!request->extra)
        return false;
    bool refused =
        message->kind == HBK_MESSAGE_ERROR && message->error.code == HBK_R_INVALID_REQUEST;
    if (refused)
        sim_outcome(sim, SIM_OUT_ID_IN_FLIGHT);
    bool status = false;
    for (size_t i = 0; message->kind == HBK_MESSAGE_RESULT && i + 10 < line.size && !status; ++i)
        status = memcmp(line.data + i, "\"uptime_ms", 10) == 0;
    if (!refused && !status)
        return false;
    --request->extra;
    return true;
}

static void told_answer(struct sim *sim, struct sim_client *client, struct hbk_message *message,
                        struct hbk_text line)
{
    struct sim_request *request = sim_request_of(client, &message->id);
    if (!request)
        sim_violation(sim, "answered once", "client %u is answered what it did not ask, or twice",
                      client->number);
    if (message->kind == HBK_MESSAGE_ERROR)
        ++sim->counts->errors[sim_error_index(message->error.code)];
    if (is_extra(sim, request, message, line)) {
        if (request->extra == 0 && request->method == HBK_METHOD_NONE)
            request_over(client, request);
        return;
    }
    struct sim_request asked = *request;
    if (request->extra)
        request->method = HBK_METHOD_NONE; /* until the other answers have come */
    else
        request_over(client, request);
    if (message->kind == HBK_MESSAGE_RESULT)
        told_result(sim, client, &asked, message);
    else
        told_error(sim, client, &asked, &message->error);
}

/* ---- lines ---- */

static void told_line(struct sim *sim, struct sim_client *client, struct hbk_text line)
{
    static struct hbk_message message;
    sim_event(sim, SIM_EV_TOLD, client->number, 0, 0, line.data, line.size);
    ++sim->counts->lines_told;
    if (line.size >= HBK_LINE_BYTES_MAX || hbk_message_read_server_line(&message, line))
        sim_violation(sim, "well-formed lines", "an ill-formed line: %s", message.error.detail);
    if (message.kind == HBK_MESSAGE_NOTIFICATION) {
        ++sim->counts->results[message.method];
        sim_notified(sim, client, &message);
    } else if (message.id.kind == HBK_ID_NONE) {
        ++sim->counts->errors[sim_error_index(message.error.code)];
        told_error_without_id(sim, client, &message.error);
    } else {
        told_answer(sim, client, &message, line);
    }
    hbk_message_clear(&message);
}

void sim_told(struct fake_connection *connection, const uint8_t *bytes, size_t size)
{
    struct sim *sim = connection->kernel->owner;
    struct sim_client *client = connection->owner;
    if (!size || bytes[size - 1] != '\n')
        sim_violation(sim, "well-formed lines", "a write that does not end with a line");
    for (const uint8_t *at = bytes, *end = bytes + size; at < end;) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        told_line(sim, client,
                  (struct hbk_text){.data = (const char *)at, .size = (size_t)(stop - at)});
        at = stop + 1;
    }
}
