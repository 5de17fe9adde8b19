/* Deliveries that can be taken back, and those that are under way. */
#include "client.h"

#include <stdlib.h>

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

struct list {
    hbk_delivery_entries entries; /* first: what the application has is a pointer to this */
    hbk_delivery_entry *array;    /* each entry's items and strings are one block, at its items */
    size_t capacity;
    struct hbk_pages pages;
};

static bool add_entry(struct list *list, const struct hbk_delivery_info *info)
{
    hbk_delivery_entry *entry = &list->array[list->entries.count];
    size_t items_size = info->items_count * sizeof(hbk_sent_info);

    char *block = malloc(items_size + hbk_copy_room(info->state) + hbk_copy_room(info->endpoint) +
                         hbk_copy_room(info->from.user) + hbk_copy_room(info->to.user));
    if (block == NULL)
        return false;
    char *at = block + items_size;
    hbk_sent_info *items = (hbk_sent_info *)(void *)block;
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
    list->entries.count++;
    return true;
}

static bool take_page(void *context, const struct hbk_message *message)
{
    const struct hbk_delivery_list_result *page = &message->u.result.deliveries;
    struct list *list = context;
    void *array = list->array;

    bool grown = hbk_copy_grow(&array, &list->capacity,
                               list->entries.count + page->deliveries_count, sizeof *list->array);
    list->array = array;
    for (size_t i = 0; grown && i < page->deliveries_count; i++)
        grown = add_entry(list, &page->deliveries[i]);
    hbk_pages_next(&list->pages, page->next);
    return grown;
}

static void list_free(struct list *list)
{
    for (size_t i = 0; i < list->entries.count; i++)
        free((void *)(uintptr_t)list->array[i].items);
    free(list->array);
    free(list);
}

hbk_result hbk_delivery_list(hbk_client *client, hbk_delivery_entries **ret_entries,
                             hbk_error_info *ret_error)
{
    if (client == NULL || ret_entries == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_entries is NULL");
    struct list *list = calloc(1, sizeof *list);
    if (list == NULL)
        return hbk_fail(ret_error, HBK_NO_MEMORY, -1, 0, "out of memory for a list");
    hbk_result result =
        hbk_call_pages(client, HBK_METHOD_DELIVERY_LIST, &list->pages, take_page, list, ret_error);
    if (result != HBK_OK) {
        list_free(list);
        return result;
    }
    list->entries.entries = list->array;
    *ret_entries = &list->entries;
    return HBK_OK;
}

void hbk_delivery_entries_free(hbk_delivery_entries *entries)
{
    if (entries != NULL)
        list_free((struct list *)(void *)entries);
}
