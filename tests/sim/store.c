/* What clients say to the store, and what it tells them. */
#include "sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Their data is that of other numbers than a send's. */
#define DATA_TAG(entry) ((UINT64_C(1) << 40) + (entry)->tag)

struct sim_entry *sim_entry_of(struct sim *sim, uint64_t tag)
{
    struct sim_entry *entry = &sim->entries[tag % SIM_ENTRIES_MAX];
    return tag && entry->tag == tag ? entry : NULL;
}

uint64_t sim_entry_bytes(const struct sim_entry *entry)
{
    static char wire[SIM_LINE_MAX / 4], plain[SIM_LINE_MAX / 4];
    size_t data = sim_data(DATA_TAG(entry), wire, sizeof wire, plain, sizeof plain);
    return (entry->name == SIM_NAME_TICKET ? 0 : strlen(sim_names[entry->name])) +
           (entry->allow ? strlen(entry->allow) : 0) + (entry->has_data ? data : 0);
}

/* ---- store.put ---- */

static const char *const allow_variants[] = {
    "D:(A;;GA;;;WD)",
    "D:(A;;0x8;;;S-1-5-21-7-1001)",
    "D:(D;;0x8;;;S-1-5-21-7-1002)(A;;GA;;;AU)",
    "D:(A;;0x8;;;BA)(A;;0x8;;;SY)",
    "D:(A;;0x2;;;WD)",
    "O:SY",
};

/* The place of one that is over. */
static struct sim_entry *entry_new(struct sim *sim, const struct sim_client *client)
{
    struct sim_entry *entry;
    uint32_t tries = 0;
    do
        entry = &sim->entries[++sim->entry_tags % SIM_ENTRIES_MAX];
    while (entry->tag &&
           (entry->pins ||
            (!entry->put_at && !entry->refused && sim_client_numbered(sim, entry->client))) &&
           ++tries < 100);
    if (tries == 100)
        return NULL;
    sim_entry_forget(sim, entry);
    *entry = (struct sim_entry){.tag = sim->entry_tags,
                                .client = client->number,
                                .session = client->session,
                                .identity = client->identity,
                                .pid = client->process->pid,
                                .generation = sim->generation};
    return entry;
}

static void draw_entry(struct sim *sim, const struct sim_client *client, struct sim_entry *entry)
{
    bool plain = sim_below(sim, 3) != 0;
    entry->name = sim_below(sim, 3) ? sim_below(sim, sim->swarm.names) : SIM_NAME_TICKET;
    sim_draw_item(sim, client->process, &entry->item, plain);
    entry->item.inherit = entry->item.protect = false;
    if (sim_below(sim, 3) == 0)
        entry->allow = allow_variants[sim_below(sim, plain ? 4 : 6)];
    entry->stays = sim_below(sim, 3) == 0;
    entry->ttl_ms = sim_below(sim, 3)   ? 0
                    : sim_below(sim, 2) ? 1 + sim_below(sim, 3000)
                                        : 10000000 + sim_below(sim, 1000);
    if (entry->stays && entry->name == SIM_NAME_TICKET && plain && !entry->ttl_ms)
        entry->ttl_ms = 20000000;
    entry->replace = sim_below(sim, 3) == 0 && (!plain || entry->name != SIM_NAME_TICKET);
    entry->once = sim_below(sim, 3) == 0;
    entry->has_data = sim_below(sim, 2);
}

static void write_put(struct sim_text *text, const struct sim_entry *entry)
{
    static char wire[SIM_LINE_MAX / 4], plain[SIM_LINE_MAX / 4];
    text->size = 0;
    if (entry->name == SIM_NAME_TICKET)
        sim_add(text, "{\"name\":null,");
    else
        sim_add(text, "{\"name\":\"%s\",", sim_names[entry->name]);
    sim_add_item(text, &entry->item);
    if (entry->allow)
        sim_add(text, ",\"allow\":\"%s\"", entry->allow);
    if (entry->stays)
        sim_add(text, ",\"lifetime\":\"broker\"");
    else if (entry->tag % 2)
        sim_add(text, ",\"lifetime\":\"session\"");
    if (entry->ttl_ms)
        sim_add(text, ",\"ttl_ms\":%u", entry->ttl_ms);
    if (entry->replace)
        sim_add(text, ",\"replace\":true");
    if (entry->once)
        sim_add(text, ",\"once\":true");
    if (entry->has_data) {
        sim_data(DATA_TAG(entry), wire, sizeof wire, plain, sizeof plain);
        sim_add(text, ",\"data\":\"%s\"", wire);
    }
    sim_add(text, "}");
}

void sim_say_put(struct sim *sim, struct sim_client *client)
{
    static struct sim_text text;
    struct sim_request *request = sim_request_begin(sim, client, HBK_METHOD_STORE_PUT);
    struct sim_entry *entry = request ? entry_new(sim, client) : NULL;
    if (!entry) {
        if (request) {
            request->id = 0;
            --client->requests_count;
        }
        return;
    }
    request->tag = entry->tag;
    draw_entry(sim, client, entry);
    write_put(&text, entry);
    if (entry->name == SIM_NAME_TICKET)
        entry->once = true;
    sim_request_end(sim, client, request, text.bytes);
}

static void check_ticket(struct sim *sim, struct sim_entry *entry, struct hbk_text ticket)
{
    if ((entry->name == SIM_NAME_TICKET) != (ticket.data != NULL))
        sim_violation(sim, "answers are true", "entry %" PRIu64 " has %s", entry->entry,
                      ticket.data ? "a name, and a ticket is told" : "no ticket, and no name");
    if (!ticket.data)
        return;
    memcpy(entry->ticket, ticket.data, HBK_TICKET_BYTES);
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i) {
        const struct sim_entry *other = &sim->entries[i];
        /* Of 128 random bits none of so few has half in common with another one. */
        if (other->tag && other != entry && other->ticket[0] &&
            (memcmp(other->ticket, entry->ticket, HBK_TICKET_BYTES / 2) == 0 ||
             memcmp(other->ticket + HBK_TICKET_BYTES / 2, entry->ticket + HBK_TICKET_BYTES / 2,
                    HBK_TICKET_BYTES / 2) == 0))
            sim_violation(sim, "tickets", "two tickets are alike");
    }
}

/* A name is one entry's: what had it before has given way. */
static void give_way(struct sim *sim, const struct sim_entry *entry)
{
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i) {
        struct sim_entry *other = &sim->entries[i];
        if (!sim_entry_same_place(entry, other) || !other->put_at ||
            other->put_at >= entry->put_at || sim_entry_over(sim, other))
            continue;
        if (entry->replace && other->identity == entry->identity) {
            other->replaced = true;
            other->over_at = sim->events_count;
            sim_outcome(sim, SIM_OUT_REPLACED);
        } else if (!sim_entry_maybe_over(sim, other)) {
            sim_violation(sim, "names", "%s is entry %" PRIu64 "'s, and entry %" PRIu64 "'s too",
                          sim_names[entry->name], other->entry, entry->entry);
        }
    }
}

static struct sim_entry *entry_asked(struct sim *sim, const struct sim_client *client,
                                     const struct sim_request *request)
{
    struct sim_entry *entry = sim_entry_of(sim, request->tag);
    if (!entry || entry->client != client->number)
        sim_violation(sim, "books of the simulator", "an entry that is not remembered");
    return entry;
}

void sim_told_put(struct sim *sim, struct sim_client *client, const struct sim_request *request,
                  const struct hbk_store_put_result *result)
{
    struct sim_entry *entry = entry_asked(sim, client, request);
    if (!entry->put_at)
        sim_violation(sim, "answers are true", "an entry is put of which nothing was pinned");
    sim_new_id(sim, result->entry, 2);
    entry->entry = result->entry;
    entry->told_at = sim->events_count;
    check_ticket(sim, entry, result->ticket);
    if (entry->item.type == HBK_TYPE_COUNT)
        sim_violation(sim, "rules", "an object that is never brokered is stored");
    if (entry->name == SIM_NAME_TICKET)
        sim_outcome(sim, SIM_OUT_PUT_TICKET);
    else {
        give_way(sim, entry);
        sim_outcome(sim, SIM_OUT_PUT);
    }
}

void sim_put_refused(struct sim *sim, const struct sim_client *client,
                     const struct sim_request *request, const struct hbk_error *error)
{
    struct sim_entry *entry = entry_asked(sim, client, request);
    bool taken = false;
    entry->refused = true;
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX && error->code == HBK_R_EXISTS; ++i) {
        const struct sim_entry *other = &sim->entries[i];
        taken |= sim_entry_same_place(entry, other) && other->put_at && !other->refused &&
                 !(entry->replace && other->identity == entry->identity);
    }
    if (error->code == HBK_R_EXISTS && !taken)
        sim_violation(sim, "answers are true", "nothing is stored as %s, and it exists",
                      sim_names[entry->name]);
    if (error->code == HBK_R_EXISTS && entry->generation == sim->generation &&
        !sim_may(sim_rules_at(sim, sim->generation), entry->identity, HBK_VERB_PUT, entry->name))
        sim_violation(sim, "existence is not told", "client %u may not put as %s, and it exists",
                      client->number, sim_names[entry->name]);
}

/* ---- store.get ---- */

static const struct sim_entry *any_entry(struct sim *sim)
{
    uint32_t at = sim_below(sim, SIM_ENTRIES_MAX);
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i, ++at) {
        const struct sim_entry *entry = &sim->entries[at % SIM_ENTRIES_MAX];
        if (!entry->allow && sim_below(sim, 2))
            continue;
        if (entry->tag && entry->pins && (entry->name != SIM_NAME_TICKET || entry->ticket[0]))
            return entry;
    }
    return NULL;
}

static void draw_get(struct sim *sim, struct sim_send *send, const struct sim_entry *entry)
{
    struct sim_item *item = &send->items[0];
    uint32_t drawn = sim_below(sim, 12);
    if (drawn > 6) {
        item->asked = drawn < 10 ? HBK_ACCESS_KIND_READ : HBK_ACCESS_KIND_MASK;
        item->mask = 1 + sim_below(sim, 0x1FFFFE);
        if (entry && drawn == 10 && (item->mask & entry->item.access))
            item->mask &= entry->item.access;
    }
    item->inherit = sim_below(sim, 4) == 0;
    if (sim->swarm.wait && sim_below(sim, 2) && !send->by_ticket[0])
        send->wait_ms = sim_below(sim, 20) ? 1 + sim_below(sim, 3000) : HBK_WAIT_MS_MAX;
    send->timeout_ms = send->wait_ms;
}

static void write_get(struct sim_text *text, const struct sim_send *send)
{
    const struct sim_item *item = &send->items[0];
    text->size = 0;
    if (send->by_ticket[0])
        sim_add(text, "{\"ticket\":\"%s\"", send->by_ticket);
    else
        sim_add(text, "{\"name\":\"%s\"", sim_names[send->name]);
    if (item->asked == HBK_ACCESS_KIND_READ)
        sim_add(text, ",\"access\":\"read\"");
    else if (item->asked == HBK_ACCESS_KIND_MASK)
        sim_add(text, ",\"access\":%u", item->mask);
    if (item->inherit)
        sim_add(text, ",\"inherit\":true");
    if (send->wait_ms)
        sim_add(text, ",\"wait_ms\":%u", send->wait_ms);
    sim_add(text, "}");
}

static void guess(struct sim *sim, char ret_ticket[HBK_TICKET_BYTES + 1])
{
    for (size_t i = 0; i < HBK_TICKET_BYTES; ++i)
        ret_ticket[i] = "0123456789abcdef"[sim_below(sim, 16)];
}

uint64_t sim_say_get(struct sim *sim, struct sim_client *client, const struct sim_entry *entry,
                     bool plain)
{
    static struct sim_text text;
    struct sim_request *request;
    struct sim_send *send = sim_send_begin(sim, client, HBK_METHOD_STORE_GET, &request);
    if (!send)
        return 0;
    if (!entry && sim_below(sim, 4))
        entry = any_entry(sim);
    send->kind = SIM_TAKE;
    send->count = 1;
    send->name = entry ? entry->name : sim_below(sim, sim->swarm.names);
    send->timeout_ms = 0;
    if (send->name == SIM_NAME_TICKET || (!plain && sim_below(sim, 30) == 0)) {
        send->name = SIM_NAME_NONE;
        if (entry && entry->ticket[0])
            memcpy(send->by_ticket, entry->ticket, sizeof send->by_ticket);
        else
            guess(sim, send->by_ticket);
        /* All but the last bit right is as wrong as anything. */
        if (!plain && sim_below(sim, 10) == 0)
            send->by_ticket[HBK_TICKET_BYTES - 1] =
                send->by_ticket[HBK_TICKET_BYTES - 1] == '0' ? '1' : '0';
    }
    if (!plain)
        draw_get(sim, send, entry);
    write_get(&text, send);
    sim_request_end(sim, client, request, text.bytes);
    return send->tag;
}

static void count_got(struct sim *sim, const struct sim_send *send, struct sim_entry *entry)
{
    const struct sim_client *owner = sim_client_numbered(sim, entry->client);
    bool ticket = entry->name == SIM_NAME_TICKET, across = entry->identity != send->identity;
    sim_outcome(sim, ticket ? SIM_OUT_GOT_TICKET : SIM_OUT_GOT);
    if (across)
        sim_outcome(sim, ticket ? SIM_OUT_GOT_TICKET_ACROSS : SIM_OUT_GOT_ACROSS);
    if (entry->once && !ticket)
        sim_outcome(sim, SIM_OUT_GOT_ONCE);
    if (send->items[0].access != entry->item.access)
        sim_outcome(sim, SIM_OUT_GOT_REDUCED);
    if (!owner || owner->connection->closed)
        sim_outcome(sim, SIM_OUT_GOT_LATE);
    if (send->asked_at < entry->put_at)
        sim_outcome(sim, SIM_OUT_GOT_WAITED);
    if (entry->item.type == HBK_TYPE_SOCKET)
        sim_outcome(sim, SIM_OUT_GOT_SOCKET);
    if (entry->came_back)
        sim_outcome(sim, SIM_OUT_ONCE_AGAIN);
}

static void check_data(struct sim *sim, const struct sim_entry *entry, struct hbk_text data)
{
    static char wire[SIM_LINE_MAX / 4], plain[SIM_LINE_MAX / 4];
    size_t size = sim_data(DATA_TAG(entry), wire, sizeof wire, plain, sizeof plain);
    if (entry->has_data != (data.data != NULL) ||
        (data.data && (size != data.size || memcmp(plain, data.data, size) != 0)))
        sim_violation(sim, "answers are true", "entry %" PRIu64 " had other data", entry->entry);
}

void sim_told_got(struct sim *sim, struct sim_client *client, const struct sim_request *request,
                  const struct hbk_store_get_result *result)
{
    struct sim_send *send = sim_send_of(sim, request->tag);
    struct sim_entry *entry = send ? sim_entry_of(sim, send->entry) : NULL;
    const struct hbk_delivered_item told = {.handle = result->handle,
                                            .protocol_info = result->protocol_info,
                                            .type = result->type,
                                            .access = result->access,
                                            .inherit = send && send->items[0].inherit,
                                            .widenable = result->widenable};
    if (!entry || send->client != client->number)
        sim_violation(sim, "told or untold", "client %u is told of what it was not given",
                      client->number);
    if (send->fate != SIM_FATE_OPEN)
        sim_violation(sim, "told or untold", "take %" PRIu64 " is told, and was over", send->tag);
    sim_check_item(sim, send, &send->items[0], &told);
    sim_check_from(sim, "an entry", entry->session, entry->pid, entry->identity, &result->from);
    check_data(sim, entry, result->data);
    if (client->process->running)
        sim_own_value(sim, client->process, send, 0, &told);
    send->fate = SIM_FATE_TOLD;
    ++sim->tally.done;
    send->answered = true;
    entry->over_at = entry->once ? sim->events_count : entry->over_at;
    if (++entry->taken > 1 && entry->once)
        sim_violation(sim, "once means once", "entry %" PRIu64 " is given twice", entry->entry);
    count_got(sim, send, entry);
    if (entry->removed || entry->replaced)
        sim_outcome(sim, SIM_OUT_TAKE_OF_GONE);
}

/* ---- store.remove ---- */

static void remember_removal(struct sim *sim, const struct sim_client *client,
                             struct sim_request *request)
{
    if (!request)
        return;
    request->tag = sim->removals_count++;
    if (sim->removals_count > SIM_REMOVALS_MAX)
        sim_removal_forget(sim, &sim->removals[request->tag % SIM_REMOVALS_MAX]);
    sim->removals[request->tag % SIM_REMOVALS_MAX] =
        (struct sim_removal){.entry = request->delivery,
                             .name = request->name,
                             .identity = client->identity,
                             .client = client->number,
                             .asked_at = sim->events_count};
}

static struct sim_removal *removal_of(struct sim *sim, const struct sim_request *request)
{
    struct sim_removal *removal = &sim->removals[request->tag % SIM_REMOVALS_MAX];
    removal->over_at = sim->events_count;
    return removal;
}

void sim_say_remove(struct sim *sim, struct sim_client *client)
{
    const struct sim_entry *entry = any_entry(sim);
    uint32_t name = entry && sim_below(sim, 3) ? entry->name : sim_below(sim, sim->swarm.names);
    struct sim_request *request;
    if (entry && entry->entry && (name == SIM_NAME_TICKET || sim_below(sim, 2))) {
        request = sim_request(sim, client, HBK_METHOD_STORE_REMOVE, "{'entry':%" PRIu64 "}",
                              entry->entry);
        if (request)
            request->delivery = entry->entry;
    } else {
        name = name == SIM_NAME_TICKET ? 0 : name;
        request =
            sim_request(sim, client, HBK_METHOD_STORE_REMOVE, "{'name':'%s'}", sim_names[name]);
        if (request)
            request->name = name;
    }
    remember_removal(sim, client, request);
}

static void removed_by_id(struct sim *sim, const struct sim_client *client,
                          const struct sim_request *request)
{
    removal_of(sim, request)->over = true;
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i) {
        struct sim_entry *entry = &sim->entries[i];
        if (!entry->tag || entry->entry != request->delivery)
            continue;
        bool own = entry->identity == client->identity;
        if (!own && !sim_may_ever(sim, request->generation, client->identity, HBK_VERB_REVOKE, 0))
            sim_violation(sim, "rules", "client %u may not remove entry %" PRIu64 ", and does",
                          client->number, entry->entry);
        entry->removed = true;
        sim_outcome(sim, own ? SIM_OUT_REMOVED : SIM_OUT_REMOVED_BY_OPERATOR);
        return;
    }
}

/* When it was removed, which may be long before that is told. */
static bool was_there(const struct sim_entry *entry, const struct sim_removal *removal)
{
    return entry->put_at && !entry->refused && !entry->removed &&
           (!entry->over_at || entry->over_at > removal->asked_at);
}

/* One of those that may have been meant, of which there are @ret_count. */
static struct sim_entry *removed_by_name(struct sim *sim, const struct sim_client *client,
                                         const struct sim_request *request,
                                         const struct sim_removal *removal, uint32_t *ret_count)
{
    struct sim_entry *found = NULL;
    *ret_count = 0;
    for (uint32_t i = 0; i < SIM_ENTRIES_MAX; ++i) {
        struct sim_entry *entry = &sim->entries[i];
        if (!entry->tag || entry->name != request->name || entry->identity != client->identity ||
            !was_there(entry, removal))
            continue;
        found = entry;
        ++*ret_count;
    }
    if (!found && removal->forgotten)
        return NULL;
    if (!found)
        sim_violation(sim, "answers are true", "client %u has removed %s, and nothing was there",
                      client->number, sim_names[request->name]);
    return found;
}

/* Where several may have been meant, it is not known which. */
void sim_told_removed(struct sim *sim, struct sim_client *client, const struct sim_request *request)
{
    struct sim_removal *removal = removal_of(sim, request);
    uint32_t count;
    if (request->delivery) {
        removed_by_id(sim, client, request);
        return;
    }
    struct sim_entry *found = removed_by_name(sim, client, request, removal, &count);
    removal->over = count == 1;
    if (found)
        found->removed |= count == 1;
    sim_outcome(sim, SIM_OUT_REMOVED);
}

void sim_remove_refused(struct sim *sim, const struct sim_request *request)
{
    removal_of(sim, request)->over = true;
}
