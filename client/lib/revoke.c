/* Deliveries that can be taken back, and those that are under way. */
#include "client.h"

static bool take_closed(void *context, const struct hbk_message *message)
{
    const struct hbk_revoke_result *result = &message->u.result.revoke;
    uint64_t *closed = context;

    *closed = hbk_closed_bits(result->closed, result->closed_count);
    return true;
}

hbk_result hbk_revoke(hbk_client *client, uint64_t delivery, uint64_t *ret_closed,
                      hbk_error_info *ret_error)
{
    struct hbk_delivery_answer params = {.delivery = HBK_SERVICE_NUMBER(delivery)};
    uint64_t closed = 0;

    if (client == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client is NULL");
    if (!hbk_id_valid(client, delivery))
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "delivery is no number of a delivery");
    hbk_result result = hbk_call_about(client, delivery, HBK_METHOD_DELIVERY_REVOKE, &params,
                                       take_closed, &closed, ret_error);
    if (result == HBK_OK && ret_closed != NULL)
        *ret_closed = closed;
    return result;
}

/* ---- listing ---- */

static bool add_entry(struct hbk_list *list, const struct hbk_delivery_info *info)
{
    size_t items_size = info->items_count * sizeof(hbk_sent_info);
    size_t room = items_size + hbk_copy_room(info->state) + hbk_copy_room(info->endpoint) +
                  hbk_copy_room(info->from.user) + hbk_copy_room(info->to.user);
    char *at = NULL;

    hbk_delivery_entry *entry = hbk_list_add(list, room, &at);
    if (entry == NULL)
        return false;
    hbk_sent_info *items = (hbk_sent_info *)(void *)at;
    at += items_size;
    for (size_t i = 0; i < info->items_count; i++) {
        hbk_copy_text(items[i].type, sizeof items[i].type, info->items[i].type);
        items[i].access = info->items[i].access;
    }
    entry->id = info->delivery;
    entry->state = hbk_copy_put(&at, info->state);
    entry->endpoint = hbk_copy_put(&at, info->endpoint);
    hbk_copy_party(&entry->from, &info->from, &at);
    hbk_copy_party(&entry->to, &info->to, &at);
    entry->count = info->items_count;
    entry->items = items;
    entry->since_ms = info->since_ms;
    entry->revocable = info->revocable;
    return true;
}

static bool take_page(void *context, const struct hbk_message *message)
{
    const struct hbk_delivery_list_result *page = &message->u.result.deliveries;
    bool added = true;

    for (size_t i = 0; added && i < page->deliveries_count; i++)
        added = add_entry(context, &page->deliveries[i]);
    hbk_list_next(context, page->next);
    return added;
}

hbk_result hbk_delivery_list(hbk_client *client, hbk_delivery_entries **ret_entries,
                             hbk_error_info *ret_error)
{
    struct hbk_list *list = NULL;

    if (client == NULL || ret_entries == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_entries is NULL");
    hbk_result result = hbk_list_read(client, HBK_METHOD_DELIVERY_LIST, 0,
                                      sizeof(hbk_delivery_entry), take_page, &list, ret_error);
    if (result != HBK_OK)
        return result;
    list->entries.deliveries.count = list->count;
    list->entries.deliveries.entries = list->array;
    *ret_entries = &list->entries.deliveries;
    return HBK_OK;
}

void hbk_delivery_entries_free(hbk_delivery_entries *entries)
{
    hbk_list_free((struct hbk_list *)(void *)entries);
}
