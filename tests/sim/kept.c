/* What must be in the store, and who may have it: worked out from what was asked and told. */
#include "sim.h"

#include <inttypes.h>
#include <string.h>

/* ---- is it over? ---- */

const char *sim_entry_over(const struct sim *sim, const struct sim_entry *entry)
{
    const struct sim_client *client = NULL;
    for (uint32_t i = 0; i < SIM_CLIENTS_MAX; ++i)
        if (sim->clients[i] && sim->clients[i]->number == entry->client)
            client = sim->clients[i];
    if (entry->refused)
        return "a refusal";
    if (entry->removed)
        return "its removal";
    if (entry->replaced)
        return "another one in its place";
    if (entry->once && entry->taken)
        return "its taker";
    if (!entry->stays && (!client || client->connection->closed))
        return "its session";
    if (entry->ttl_ms && sim->kernel->now_ms >= entry->put_ms + entry->ttl_ms)
        return "its time";
    return NULL;
}

static bool may_replace(const struct sim_entry *entry, const struct sim_entry *other)
{
    return sim_entry_same_place(entry, other) && other->replace && !other->refused &&
           other->put_at > entry->put_at && other->identity == entry->identity;
}

static bool maybe_replaced(struct sim *sim, const struct sim_entry *entry)
{
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i)
        if (may_replace(entry, &sim->entries[i]))
            return true;
    return false;
}

static bool may_remove(const struct sim_entry *entry, const struct sim_removal *removal)
{
    if (removal->over || (removal->over_at && removal->over_at < entry->put_at))
        return false;
    return removal->entry ? !entry->entry || removal->entry == entry->entry
                          : removal->name == entry->name && removal->identity == entry->identity;
}

static bool maybe_removed(struct sim *sim, const struct sim_entry *entry)
{
    for (uint32_t i = 0; i < SIM_REMOVALS_MAX && i < sim->removals_count; ++i) {
        struct sim_removal *removal = &sim->removals[i];
        if (!removal->over_at && !sim_client_numbered(sim, removal->client))
            removal->over_at = sim->events_count;
        if (may_remove(entry, removal))
            return true;
    }
    return false;
}

void sim_entry_forget(struct sim *sim, const struct sim_entry *other)
{
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i)
        sim->entries[i].forgotten |= may_replace(&sim->entries[i], other);
    for (uint32_t i = 0; i < SIM_REMOVALS_MAX; ++i)
        sim->removals[i].forgotten |= may_remove(other, &sim->removals[i]);
}

void sim_removal_forget(struct sim *sim, const struct sim_removal *removal)
{
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i)
        sim->entries[i].forgotten |= may_remove(&sim->entries[i], removal);
}

bool sim_entry_maybe_over(struct sim *sim, const struct sim_entry *entry)
{
    const struct sim_client *client = sim_client_numbered(sim, entry->client);
    return !entry->told_at || entry->forgotten || maybe_removed(sim, entry) || sim->stopping ||
           (!entry->stays && !sim_client_lives(client)) || maybe_replaced(sim, entry);
}

/* ---- who may have it ---- */

bool sim_entry_same_place(const struct sim_entry *entry, const struct sim_entry *other)
{
    return other->tag && other != entry && entry->name != SIM_NAME_TICKET &&
           entry->name == other->name &&
           sim_same_scope(entry->identity, other->identity, entry->name);
}

bool sim_entry_for(const struct sim_entry *entry, const struct sim_send *send)
{
    if (send->by_ticket[0])
        return strcmp(send->by_ticket, entry->ticket) == 0;
    return entry->name == send->name && sim_same_scope(entry->identity, send->identity, send->name);
}

bool sim_entry_lets(uint32_t rules, const struct sim_entry *entry, const struct sim_send *send)
{
    bool own = entry->identity == send->identity;
    uint32_t label = sim_identities[entry->identity].token.integrity;
    if (entry->allow ? !fake_token_grants(&sim_identities[send->identity].token, entry->allow,
                                          label, HBK_RIGHT_GET)
                     : !own)
        return false;
    return (own && entry->name == SIM_NAME_TICKET) ||
           sim_may(rules, send->identity, HBK_VERB_GET, entry->name);
}

/* A worker is still at it, but whom it is for has gone, or it is too late: it is taken back as soon as that returns. */
static bool in_vain(struct sim *sim, const struct sim_send *send)
{
    const struct sim_client *client = sim_client_numbered(sim, send->client);
    return send->sockets && (!sim_client_lives(client) ||
                             sim->kernel->now_ms - send->made_ms >= HBK_SOCKET_DEADLINE_MS);
}

/* Another one has it in its table, or is about to. */
static bool on_its_way(struct sim *sim, const struct sim_entry *entry, const struct sim_send *send)
{
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i) {
        const struct sim_send *other = &sim->sends[i];
        if (other->tag && other != send && other->kind == SIM_TAKE && other->entry == entry->tag &&
            other->fate == SIM_FATE_OPEN && other->placed && !in_vain(sim, other))
            return true;
    }
    return false;
}

void sim_take_agreed(struct sim *sim, const struct sim_send *send, const struct sim_entry *entry)
{
    static const char invariant[] = "entries are given to whom they are for";
    uint32_t rules = sim_rules_at(sim, sim->generation);
    const struct sim_item *item = &send->items[0];
    const char *over = sim_entry_over(sim, entry);
    bool own_ticket = entry->name == SIM_NAME_TICKET && entry->identity == send->identity;
    if (!sim_entry_for(entry, send))
        sim_violation(sim, invariant, "take %" PRIu64 " is given what it did not ask for",
                      send->tag);
    if (!sim_entry_lets(rules, entry, send))
        sim_violation(sim, invariant, "entry %" PRIu64 " is not for take %" PRIu64, entry->entry,
                      send->tag);
    if (item->access & ~sim_cap(rules, own_ticket ? SIM_NAME_NONE : entry->name, item->type))
        sim_violation(sim, "rules", "a %s with 0x%x may not be taken as %s",
                      hbk_type_info(item->type)->name, item->access, sim_names[entry->name]);
    if (entry->once && (entry->taken || on_its_way(sim, entry, send)))
        sim_violation(sim, "once means once", "entry %" PRIu64 " is given a second time",
                      entry->entry);
    /* Those whose time has come wait for their turn in the tick. */
    if (over && (strcmp(over, "its time") != 0 || !sim->ticking))
        sim_violation(sim, "entries end", "entry %" PRIu64 " is given, and has ended by %s",
                      entry->entry, over);
}

/* ---- there is nothing ---- */

/* It was there all the time since @send was asked for, or it came while that waited. */
static bool surely_there(struct sim *sim, const struct sim_entry *entry,
                         const struct sim_send *send)
{
    return entry->tag && entry->pins && entry->told_at &&
           (entry->told_at < send->asked_at ||
            (send->wait_ms && entry->put_ms < send->sent_ms + send->wait_ms)) &&
           !entry->once && !entry->allow && entry->identity == send->identity &&
           sim_entry_for(entry, send) && !sim_entry_over(sim, entry) &&
           !sim_entry_maybe_over(sim, entry);
}

bool sim_take_is_no_socket(struct sim *sim, const struct sim_send *send)
{
    const struct sim_entry *entry = sim_entry_of(sim, send->entry);
    return entry && entry->item.as_socket && !entry->item.is_socket;
}

static void may_come_back(struct sim *sim, const struct sim_send *send)
{
    struct sim_entry *entry = sim_entry_of(sim, send->entry);
    if (entry && entry->once && entry->pins && !sim_entry_over(sim, entry)) {
        sim_outcome(sim, SIM_OUT_ONCE_BACK);
        entry->came_back = true;
    }
}

void sim_take_founded(struct sim *sim, const struct sim_send *send, const struct hbk_error *error)
{
    bool none = error->code == HBK_R_NOT_FOUND || (error->code == HBK_R_TIMEOUT && !send->made_ms);
    bool tells = none || error->code == HBK_R_ACCESS_EXCEEDS_SOURCE;
    uint32_t name = send->by_ticket[0] ? SIM_NAME_TICKET : send->name;
    may_come_back(sim, send);
    none = none && (error->code == HBK_R_TIMEOUT || !send->wait_ms);
    if (send->by_ticket[0] && none)
        sim_outcome(sim, SIM_OUT_GUESSED);
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX && none; ++i)
        if (surely_there(sim, &sim->entries[i], send))
            sim_violation(sim, "answers are true",
                          "entry %" PRIu64 " is stored, and take %" PRIu64 " does not find it",
                          sim->entries[i].entry, send->tag);
    if (tells && !send->by_ticket[0] && send->generation == sim->generation &&
        !sim_may(sim_rules_at(sim, sim->generation), send->identity, HBK_VERB_GET, name))
        sim_violation(sim, "existence is not told", "take %" PRIu64 " of %s is answered %s",
                      send->tag, sim_names[name], hbk_result_name(error->code));
}

/* ---- nothing is under way ---- */

static void check_kept(struct sim *sim, struct sim_entry *entry)
{
    const char *over = sim_entry_over(sim, entry);
    if (entry->pins && over)
        sim_violation(sim, "entries end", "entry %" PRIu64 " is kept, and has ended by %s",
                      entry->entry, over);
    if (!entry->pins && entry->told_at && !over && !sim_entry_maybe_over(sim, entry))
        sim_violation(sim, "what is stored stays", "entry %" PRIu64 " has gone for no reason",
                      entry->entry);
    entry->replaced |= !entry->pins && !over; /* so that it stays over */
    if (!entry->pins && over && entry->told_at && !entry->counted) {
        entry->counted = true;
        if (strcmp(over, "its time") == 0)
            sim_outcome(sim, SIM_OUT_EXPIRED);
        if (strcmp(over, "its session") == 0)
            sim_outcome(sim, SIM_OUT_ENTRY_ENDED);
    }
    if (entry->pins && entry->stays && !sim_client_lives(sim_client_numbered(sim, entry->client)))
        sim_outcome(sim, SIM_OUT_ENTRY_STAYED);
}

void sim_check_stored(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i) {
        struct sim_entry *entry = &sim->entries[i];
        if (!entry->tag || !entry->put_at)
            continue;
        check_kept(sim, entry);
        for (uint32_t j = 0; j < i && entry->pins; ++j)
            if (sim_entry_same_place(entry, &sim->entries[j]) && sim->entries[j].pins)
                sim_violation(sim, "names", "%s has two entries", sim_names[entry->name]);
    }
}

void sim_entries_end(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i)
        sim->entries[i].tag = 0;
    sim->removals_count = 0;
    for (uint32_t i = 0; i < SIM_SENDS_MAX; ++i)
        sim->sends[i].delivery = 0; /* the next broker gives it to another one */
}

/* ---- store.list ---- */

static struct sim_entry *entry_with_id(struct sim *sim, uint64_t id)
{
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i)
        if (sim->entries[i].tag && sim->entries[i].entry == id)
            return &sim->entries[i];
    return NULL;
}

/* By some rules since it was asked for. */
static bool may_see(struct sim *sim, const struct sim_client *client,
                    const struct sim_request *request, const struct sim_entry *entry)
{
    struct sim_send asked = {.identity = client->identity, .name = entry->name};
    if (entry->identity == client->identity ||
        sim_may_ever(sim, request->generation, client->identity, HBK_VERB_INSPECT, 0))
        return true;
    for (uint32_t at = request->generation; at <= sim->generation; ++at)
        if (entry->name != SIM_NAME_TICKET &&
            sim_same_scope(entry->identity, client->identity, entry->name) &&
            sim_entry_lets(sim_rules_at(sim, at), entry, &asked))
            return true;
    return false;
}

static void check_listed(struct sim *sim, const struct sim_entry *entry,
                         const struct hbk_entry_info *info)
{
    bool ticket = entry->name == SIM_NAME_TICKET;
    if (!hbk_text_is(info->owner.user, sim_identities[entry->identity].token.user) ||
        info->owner.pid != entry->pid ||
        (info->owner.session && info->owner.session != entry->session))
        sim_violation(sim, "who is who", "entry %" PRIu64 " is another one's", entry->entry);
    if (ticket != (info->name.data == NULL) ||
        (!ticket && !hbk_text_is(info->name, sim_names[entry->name])) ||
        info->access != entry->item.access || info->once != entry->once ||
        info->shared != (entry->allow != NULL) ||
        (info->lifetime == HBK_LIFETIME_BROKER) != entry->stays ||
        (info->ttl_ms != 0) != (entry->ttl_ms != 0) || info->ttl_ms > entry->ttl_ms ||
        !hbk_text_is(info->type, hbk_type_info(entry->item.type)->name) ||
        (sim->at_rest && info->taken != entry->taken))
        sim_violation(sim, "answers are true", "entry %" PRIu64 " is listed as another one",
                      entry->entry);
}

void sim_told_entries(struct sim *sim, const struct sim_client *client,
                      const struct sim_request *request, const struct hbk_store_list_result *list)
{
    uint32_t own = 0, kept = 0;
    for (size_t i = 0; i < list->entries_count; ++i) {
        const struct hbk_entry_info *info = &list->entries[i];
        const struct sim_entry *entry = entry_with_id(sim, info->entry);
        if (!entry)
            continue; /* whoever put it was not told so */
        if (!may_see(sim, client, request, entry))
            sim_violation(sim, "existence is not told", "client %u is shown entry %" PRIu64,
                          client->number, entry->entry);
        check_listed(sim, entry, info);
        own += entry->identity == client->identity;
    }
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i)
        kept += sim->entries[i].pins && sim->entries[i].told_at &&
                sim->entries[i].identity == client->identity;
    if (!sim->at_rest || list->next.data)
        return;
    if (own != kept)
        sim_violation(sim, "answers are true", "client %u is shown %u entries of its own of %u",
                      client->number, own, kept);
    sim_outcome(sim, SIM_OUT_LISTED);
}
