/* store.get: an entry's handle on its way to who asks for it. It is a delivery whose pin is the entry's, and whose
 * asker is told by the answer. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { TAKE_E_REFUSED = 1 };

/* ---- who may ---- */

static bool own(const struct hbk_session *session, const struct hbk_entry *entry)
{
    return entry->owner == session->scopes[HBK_SCOPE_USER];
}

/* It passes from one identity to another only where a rule says so. */
static bool ticket_passes(struct hbk_session *session, const struct hbk_entry *entry)
{
    return own(session, entry) || hbk_grant_name(session, HBK_VERB_GET, hbk_store_ticket_name());
}

bool hbk_take_allowed(struct hbk_session *session, const struct hbk_entry *entry)
{
    struct hbk_core *core = session->core;

    if (entry->allow == NULL) {
        return own(session, entry);
    }
    core->spent++;
    return (core->platform.access_check(session->connection, entry->allow, HBK_RIGHT_GET) &
            HBK_RIGHT_GET) != 0;
}

/* Is it there for this one? */
static bool open_for(const struct hbk_delivery *delivery, const struct hbk_entry *entry)
{
    struct hbk_session *session = delivery->sender;

    return hbk_store_has(entry) && (entry->taker == NULL || entry->taker == delivery) &&
           hbk_take_allowed(session, entry) && (!entry->by_ticket || ticket_passes(session, entry));
}

/* What rules cap it; a ticket within one identity is capped by what is built in alone. */
static int limit_rule(const struct hbk_session *session, const struct hbk_entry *entry)
{
    const struct hbk_policy *policy = session->core->policy;

    if (!entry->by_ticket) {
        return hbk_policy_limits(policy, entry->name);
    }
    return own(session, entry) ? HBK_POLICY_NO_RULE
                               : hbk_policy_limits(policy, hbk_store_ticket_name());
}

/* ---- finding ---- */

static struct hbk_entry *look(const struct hbk_delivery *delivery)
{
    struct hbk_core *core = delivery->sender->core;

    return delivery->name.data != NULL
               ? hbk_store_find(core, delivery->scope, delivery->name, delivery->name_hash)
               : hbk_store_find_ticket(core, delivery->ticket);
}

static bool fail(struct hbk_delivery *delivery, const struct hbk_error *error)
{
    hbk_delivery_fail(delivery, error);
    return false;
}

/* What it gets of @entry, by what it asked and the rules of now. */
static int reduce(struct hbk_delivery *delivery, const struct hbk_entry *entry,
                  struct hbk_error *ret_error)
{
    struct hbk_pinned item = entry->item;

    item.asked = delivery->items[0].asked;
    item.asked_mask = delivery->items[0].asked_mask;
    item.inherit = delivery->items[0].inherit;
    item.made = delivery->items[0].made;
    if (hbk_item_reduce(&item, entry->item.access, ret_error) != 0 ||
        hbk_item_check_cap(delivery->sender->core, limit_rule(delivery->sender, entry),
                           (enum hbk_type)item.type, item.access, ret_error) != 0) {
        return TAKE_E_REFUSED;
    }
    delivery->items[0] = item;
    return 0;
}

static void claim(struct hbk_delivery *delivery, struct hbk_entry *entry)
{
    if (delivery->entry == NULL) {
        delivery->entry = entry;
        delivery->item_count = 1;
        entry->takes++;
    }
    HBK_ASSERT(delivery->entry == entry);
    if (entry->once) {
        entry->taker = delivery;
    }
}

void hbk_take_wake(struct hbk_entry *entry)
{
    struct hbk_node *node = hbk_table_find(&entry->core->takers, entry->node.hash);

    /* Who waits for another name of this hash looks in vain. */
    while (node != NULL) {
        struct hbk_delivery *delivery = HBK_CONTAINER(node, struct hbk_delivery, name_node);

        node = hbk_table_find_next(node);
        hbk_delivery_make_ready(delivery);
    }
}

/* Who came meanwhile may have it. */
static void let_go(const struct hbk_delivery *delivery)
{
    struct hbk_entry *entry = delivery->entry;

    if (entry->once) {
        HBK_ASSERT(entry->taker == delivery);
        entry->taker = NULL;
        hbk_take_wake(entry);
    }
}

/* It takes that entry no more, and goes on. Sockets that were made of it are of no use. */
static void unclaim(struct hbk_delivery *delivery)
{
    struct hbk_entry *entry = delivery->entry;

    if (entry == NULL) {
        return;
    }
    let_go(delivery);
    (void)hbk_place_undo(delivery, 1);
    hbk_socket_release(delivery);
    delivery->entry = NULL;
    delivery->item_count = 0;
    hbk_store_put_back(entry);
}

bool hbk_take_find(struct hbk_delivery *delivery)
{
    struct hbk_session *session = delivery->sender;
    struct hbk_entry *entry;
    struct hbk_error error;

    delivery->target = session;
    if (delivery->name.data != NULL && !hbk_grant_name(session, HBK_VERB_GET, delivery->name)) {
        hbk_error_set(&error, HBK_R_DENIED,
                      "policy does not let you get from this name, whether it is stored or not: an "
                      "administrator may add a rule with `get` for it");
        return fail(delivery, &error);
    }
    entry = look(delivery);
    if (delivery->entry != entry) {
        unclaim(delivery);
    }
    if (entry == NULL || !open_for(delivery, entry)) {
        unclaim(delivery);
        delivery->target = NULL;
        hbk_error_set(&error, HBK_R_NOT_FOUND, "%s",
                      delivery->name.data != NULL
                          ? "nothing is stored under this name for you; wait_ms waits for it"
                          : "no such ticket for you: it was claimed, has expired, or is another's");
        hbk_delivery_wait(delivery, &error);
        return false;
    }
    if (reduce(delivery, entry, &error) != 0) {
        return fail(delivery, &error);
    }
    claim(delivery, entry);
    return true;
}

void hbk_take_end(struct hbk_delivery *delivery, bool told)
{
    struct hbk_entry *entry = delivery->entry;

    if (entry == NULL) {
        return;
    }
    if (!told) {
        let_go(delivery);
        return;
    }
    entry->taken++;
    if (entry->once) {
        entry->taker = NULL;
        hbk_store_drop(entry);
    }
}

/* ---- the request ---- */

static int check(struct hbk_session *session, const struct hbk_store_get *params,
                 struct hbk_error *ret_error)
{
    if ((params->name.data != NULL) == (params->ticket.data != NULL)) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS, "one of name and ticket says what to get");
        return TAKE_E_REFUSED;
    }
    if (params->ticket.data != NULL && params->wait_ms != 0) {
        hbk_error_set(ret_error, HBK_R_INVALID_PARAMS,
                      "wait_ms: of a name alone; a ticket is there or never will be");
        return TAKE_E_REFUSED;
    }
    return hbk_send_check_requests(session, ret_error) == 0 &&
                   hbk_quota_check(session, HBK_QUOTA_PENDING, 1, ret_error) == 0
               ? 0
               : TAKE_E_REFUSED;
}

static int keep_name(struct hbk_delivery *delivery, struct hbk_text name)
{
    struct hbk_session *session = delivery->sender;

    if (name.data == NULL) {
        return 0;
    }
    delivery->text = malloc(name.size + 1);
    if (delivery->text == NULL) {
        return -1;
    }
    memcpy(delivery->text, name.data, name.size);
    delivery->name = (struct hbk_text){.data = delivery->text, .size = name.size};
    delivery->scope = session->scopes[hbk_scope_kind_of(name)];
    delivery->name_hash = hbk_endpoint_hash(session->core, delivery->scope, name);
    return 0;
}

void hbk_take_request(struct hbk_session *session, const struct hbk_id *id,
                      const struct hbk_store_get *params)
{
    struct hbk_delivery *delivery;
    struct hbk_error error;

    if (check(session, params, &error) != 0) {
        goto refused;
    }
    delivery = hbk_send_new(session, id, HBK_DELIVERY_TAKE, 0);
    if (delivery == NULL) {
        hbk_error_set(&error, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
        goto refused;
    }
    if (keep_name(delivery, params->name) != 0) {
        hbk_delivery_fail_code(delivery, HBK_R_INTERNAL_ERROR, "out of memory: try again later");
        return;
    }
    if (params->ticket.data != NULL) {
        hbk_store_ticket(params->ticket, delivery->ticket);
    }
    delivery->items[0].asked = params->access.kind;
    delivery->items[0].asked_mask = params->access.mask;
    delivery->items[0].inherit = params->inherit;
    delivery->wait_due = params->wait_ms == 0 ? HBK_NEVER : delivery->begun_ms + params->wait_ms;
    hbk_delivery_make_ready(delivery);
    return;
refused:
    hbk_metrics_failed(session->core, error.code);
    hbk_output_error(session, id, &error);
}

bool hbk_take_answer(struct hbk_delivery *delivery)
{
    struct hbk_session *session = delivery->sender;
    const struct hbk_entry *entry = delivery->entry;
    const struct hbk_pinned *item = &delivery->items[0];
    const struct hbk_store_get_result result = {
        .handle = item->value,
        .protocol_info = item->made ? hbk_socket_info(delivery, 0) : (struct hbk_text){0},
        .type = hbk_text_from(hbk_type_info((enum hbk_type)item->type)->name),
        .access = item->access,
        .widenable = item->widenable,
        .from = {.session = entry->session_id,
                 .peer = {.pid = entry->pid,
                          .user = hbk_text_from(entry->user->sid),
                          .logon_session = entry->logon_session,
                          .integrity = entry->integrity}},
        .data = entry->data,
    };
    size_t begin = hbk_output_begin(session);

    HBK_ASSERT((item->value != 0) != item->made && (entry->taker != NULL) == entry->once);
    hbk_write_result(&session->queued, &delivery->id, HBK_METHOD_STORE_GET, &result);
    return hbk_output_end(session, begin);
}
