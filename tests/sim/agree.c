/* What may be, worked out from what processes are, what they asked for, and the rules: without the core. */
#include "sim.h"

#include <inttypes.h>
#include <string.h>

/* ---- rules ---- */

uint32_t sim_rules_at(const struct sim *sim, uint32_t generation)
{
    return sim->rules_of[generation % SIM_GENERATIONS_MAX];
}

static bool matches(const char *pattern, const char *name)
{
    if (*pattern == 0)
        return *name == 0;
    if (*pattern != '*')
        return *pattern == *name && matches(pattern + 1, name + 1);
    return matches(pattern + 1, name) || (*name && matches(pattern, name + 1));
}

static const char *said(const struct sim_rule *rule, enum hbk_verb verb)
{
    return verb == HBK_VERB_OPEN   ? rule->open
           : verb == HBK_VERB_SEND ? rule->send
           : verb == HBK_VERB_PUT  ? rule->put
                                   : rule->get;
}

/* What the first rule says that speaks of it: NULL: none does. */
static const char *decides(uint32_t rules, enum hbk_verb verb, uint32_t name)
{
    for (uint32_t i = 0; i < SIM_RULES_MAX && sim_rule_sets[rules].rules[i].pattern; ++i) {
        const struct sim_rule *rule = &sim_rule_sets[rules].rules[i];
        const char *text = said(rule, verb);
        if (text && name != SIM_NAME_NONE && matches(rule->pattern, sim_names[name]))
            return text;
    }
    return NULL;
}

static bool in_user(uint32_t name)
{
    return sim_names[name][0] == 'u';
}

bool sim_may(uint32_t rules, uint32_t identity, enum hbk_verb verb, uint32_t name)
{
    const char *text = decides(rules, verb, name);
    return text ? fake_token_grants(&sim_identities[identity].token, text, 0,
                                    hbk_verb_right(verb)) != 0
                : in_user(name);
}

bool sim_may_ever(const struct sim *sim, uint32_t generation, uint32_t identity, enum hbk_verb verb,
                  uint32_t name)
{
    for (uint32_t at = generation; at <= sim->generation; ++at)
        if (verb < HBK_VERB_NAMED_COUNT ? sim_may(sim_rules_at(sim, at), identity, verb, name)
                                        : sim_may_verb(sim_rules_at(sim, at), identity, verb))
            return true;
    return false;
}

bool sim_may_open(uint32_t rules, uint32_t identity, uint32_t name)
{
    return sim_may(rules, identity, HBK_VERB_OPEN, name);
}

bool sim_may_send(uint32_t rules, uint32_t identity, uint32_t name)
{
    return sim_may(rules, identity, HBK_VERB_SEND, name);
}

bool sim_may_verb(uint32_t rules, uint32_t identity, enum hbk_verb verb)
{
    const struct sim_rules *set = &sim_rule_sets[rules];
    const char *text = verb == HBK_VERB_INSPECT    ? set->inspect
                       : verb == HBK_VERB_TRANSFER ? set->transfer
                                                   : set->revoke;
    return text &&
           fake_token_grants(&sim_identities[identity].token, text, 0, hbk_verb_right(verb));
}

bool sim_may_inspect(uint32_t rules, uint32_t identity)
{
    return sim_may_verb(rules, identity, HBK_VERB_INSPECT);
}

uint32_t sim_cap(uint32_t rules, uint32_t name, enum hbk_type type)
{
    uint32_t usual = type <= HBK_TYPE_FILE || type == HBK_TYPE_SOCKET ? UINT32_MAX : 0;
    const char *type_name = hbk_type_info(type)->name;
    for (uint32_t i = 0; i < SIM_RULES_MAX && sim_rule_sets[rules].rules[i].pattern; ++i) {
        const struct sim_rule *rule = &sim_rule_sets[rules].rules[i];
        if ((!rule->types && !rule->access_max) || name == SIM_NAME_NONE ||
            !matches(rule->pattern, sim_names[name]))
            continue;
        uint32_t cap = !rule->types ? usual : strstr(rule->types, type_name) ? UINT32_MAX : 0;
        return rule->access_max ? cap & rule->access_max : cap;
    }
    return usual;
}

/* ---- a send and its target ---- */

bool sim_same_scope(uint32_t identity, uint32_t other, uint32_t name)
{
    if (in_user(name))
        return identity == other;
    return sim_names[name][0] == 'g' || sim_identities[identity].token.terminal_session ==
                                            sim_identities[other].token.terminal_session;
}

static bool may_reach(uint32_t rules, const struct sim_client *target, const struct sim_send *send)
{
    const char *text = decides(rules, HBK_VERB_SEND, send->name);
    bool own = in_user(send->name) && send->identity == target->identity;
    if (!sim_may_open(rules, target->identity, send->name))
        return false;
    if (!send->to_pid)
        return sim_same_scope(send->identity, target->identity, send->name) &&
               sim_may_send(rules, send->identity, send->name);
    return (text && sim_may_send(rules, send->identity, send->name)) || (!text && own) ||
           fake_token_may_duplicate(&sim_identities[send->identity].token,
                                    &sim_identities[target->identity].token);
}

static bool accepts_it(const struct sim_client *target, uint64_t tag)
{
    for (uint32_t i = 0; i < SIM_REQUESTS_MAX; ++i)
        if (target->requests[i].id && target->requests[i].method == HBK_METHOD_DELIVERY_ACCEPT &&
            target->requests[i].tag == tag)
            return true;
    return false;
}

/* An endpoint that is being opened may be open by now: its answer is on the way. */
static bool endpoint_takes(const struct sim_client *target, const struct sim_endpoint *endpoint,
                           const struct sim_send *send, const struct sim_item *item)
{
    const struct fake_token *sender = &sim_identities[send->identity].token;
    uint32_t label = sim_identities[target->identity].token.integrity;
    return endpoint->state != SIM_ENDPOINT_NONE && endpoint->name == send->name &&
           send->count <= endpoint->items_max &&
           (item->access & ~endpoint->accepts[item->type]) == 0 && endpoint->accepts[item->type] &&
           (endpoint->revocable || !send->revocable) &&
           (!endpoint->from || fake_token_grants(sender, endpoint->from, label, HBK_RIGHT_SEND)) &&
           (!endpoint->ask || accepts_it(target, send->tag));
}

void sim_agreed(struct sim *sim, const struct sim_client *target, const struct sim_send *send,
                const struct sim_item *item)
{
    uint32_t rules = sim_rules_at(sim, sim->generation);
    if (send->fate != SIM_FATE_OPEN)
        sim_violation(sim, "told or untold", "send %" PRIu64 " is over, and is placed", send->tag);
    if (item->type == HBK_TYPE_COUNT)
        sim_violation(sim, "rules", "an object that is never brokered is placed");
    if (send->revocable && (item->protect || item->type == HBK_TYPE_SOCKET))
        sim_violation(sim, "revocation", "send %" PRIu64 " cannot be revoked", send->tag);
    if ((send->to_pid && send->to_pid != target->process->pid) ||
        (send->expect_pid && send->expect_pid != target->process->pid) ||
        (send->expect_user &&
         strcmp(send->expect_user, sim_identities[target->identity].token.user) != 0))
        sim_violation(sim, "both sides agree", "client %u is not whom send %" PRIu64 " is for",
                      target->number, send->tag);
    if (!may_reach(rules, target, send))
        sim_violation(sim, "rules", "send %" PRIu64 " may not go to client %u", send->tag,
                      target->number);
    if (item->access & ~sim_cap(rules, send->name, item->type))
        sim_violation(sim, "rules", "a %s with 0x%x may not pass under %s",
                      hbk_type_info(item->type)->name, item->access, sim_names[send->name]);
    for (uint32_t i = 0; i < SIM_ENDPOINTS_MAX; ++i)
        if (endpoint_takes(target, &target->endpoints[i], send, item))
            return;
    sim_violation(sim, "both sides agree", "no endpoint of client %u takes send %" PRIu64,
                  target->number, send->tag);
}

/* ---- refusals ---- */

static bool exceeds(const struct sim_send *send, uint32_t at)
{
    const struct sim_item *item = &send->items[at];
    const struct hbk_type_info *info =
        item->type == HBK_TYPE_COUNT ? NULL : hbk_type_info(item->type);
    if (at >= send->pinned || !info)
        return false;
    return item->asked == HBK_ACCESS_KIND_READ
               ? (item->granted & info->essential) != info->essential
               : item->asked == HBK_ACCESS_KIND_MASK && (item->mask & ~item->granted);
}

static bool mismatches(const struct sim_send *send, uint32_t at)
{
    const struct sim_item *item = &send->items[at];
    if (at >= send->pinned)
        return false;
    if (item->as_socket)
        return item->type == HBK_TYPE_COUNT || !item->is_socket;
    return item->type != HBK_TYPE_COUNT && item->said &&
           strcmp(item->said, hbk_type_info(item->type)->name) != 0;
}

/* Sockets go as they are, and not many of them. */
static bool odd_sockets(const struct sim_send *send)
{
    uint32_t sockets = 0, odd = 0;
    for (uint32_t i = 0; i < send->count; ++i) {
        const struct sim_item *item = &send->items[i];
        sockets += item->as_socket;
        odd += item->as_socket && (item->asked != HBK_ACCESS_KIND_SAME || item->protect);
    }
    for (uint32_t i = 0; i < send->count && send->revocable; ++i)
        odd += send->items[i].as_socket || send->items[i].protect;
    return odd || sockets > HBK_SOCKETS_MAX;
}

static bool too_early(const struct sim *sim, const struct sim_send *send)
{
    uint64_t waited = sim->kernel->now_ms - send->sent_ms;
    if (send->made_ms && sim->kernel->now_ms - send->made_ms >= HBK_SOCKET_DEADLINE_MS)
        return false;
    uint32_t least = send->offered || send->wait_ms == 0 ? send->timeout_ms
                     : send->timeout_ms < send->wait_ms  ? send->timeout_ms
                                                         : send->wait_ms;
    return waited < least;
}

void sim_refusal_founded(struct sim *sim, const struct sim_send *send,
                         const struct hbk_error *error)
{
    uint32_t item = error->item < 0 ? 0 : (uint32_t)error->item;
    bool founded = true;
    switch (error->code) {
    case HBK_R_BAD_HANDLE:
        founded = send->bad_handle;
        break;
    case HBK_R_ACCESS_EXCEEDS_SOURCE:
        founded = send->kind == SIM_TAKE || exceeds(send, item);
        break;
    case HBK_R_TYPE_MISMATCH:
        founded =
            send->kind == SIM_TAKE ? sim_take_is_no_socket(sim, send) : mismatches(send, item);
        break;
    case HBK_R_INVALID_PARAMS:
        founded = send->kind == SIM_TAKE ? send->items[0].asked != HBK_ACCESS_KIND_SAME
                                         : odd_sockets(send);
        break;
    case HBK_R_REJECTED:
        founded = send->reject_asked || send->revoke_asked;
        break;
    case HBK_R_TIMEOUT:
        founded = !too_early(sim, send);
        break;
    case HBK_R_OS_ERROR:
        founded = send->seam_failed || sim->swarm.chaos.op_fails != 0; /* inspect, too */
        break;
    default:
        break;
    }
    if (!founded)
        sim_violation(sim, "answers are true", "send %" PRIu64 " is answered %s for no reason",
                      send->tag, hbk_result_name(error->code));
    if (send->kind == SIM_TAKE) {
        sim_take_founded(sim, send, error);
        return;
    }
    /* By name alone nothing is told of what it may not send to. */
    bool tells = error->code == HBK_R_NOT_FOUND || error->code == HBK_R_TIMEOUT ||
                 error->code == HBK_R_ACCESS_NOT_ACCEPTED || error->code == HBK_R_BUSY;
    if (tells && !send->to_pid && send->name != SIM_NAME_NONE &&
        (send->kind == SIM_SEND || send->pin_tries != 0) && /* else its source is meant */
        send->generation == sim->generation &&
        !sim_may_send(sim_rules_at(sim, sim->generation), send->identity, send->name))
        sim_violation(sim, "existence is not told", "send %" PRIu64 " to %s is answered %s",
                      send->tag, sim_names[send->name], hbk_result_name(error->code));
}
