/* Endpoints: under which names this client receives, and which there are. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

static hbk_result check_name(const char *name, const char *what, hbk_error_info *ret_error)
{
    if (name == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "%s is NULL", what);
    if (!hbk_name_check(hbk_text_from(name)))
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "%s is no endpoint name: user/, session/ or global/, and at most 260 "
                        "bytes in all of letters, digits and ._/-",
                        what);
    return HBK_OK;
}

/* ---- opening and closing ---- */

static const char *type_fault(const hbk_type_accept *types, size_t index)
{
    const hbk_type_accept *entry = &types[index];

    if (entry->type == NULL)
        return "type is NULL";
    size_t size = strlen(entry->type);
    if (size < 1 || size > HBK_TYPE_BYTES_MAX || hbk_utf8_check(entry->type, size) != size)
        return "type is not 1 to 32 bytes of UTF-8";
    for (size_t i = 0; i < index; i++) {
        if (strcmp(types[i].type, entry->type) == 0)
            return "type is named a second time";
    }
    if (entry->access != HBK_ACCESS_READ && !hbk_mask_valid(entry->access))
        return HBK_MASK_ADVICE;
    if (hbk_item_is_socket(entry->type) && entry->access != HBK_ACCESS_SAME)
        return "access of Socket is not HBK_ACCESS_SAME";
    return NULL;
}

static hbk_result check_options(const hbk_endpoint_options *options, hbk_error_info *ret_error)
{
    hbk_result result = check_name(options->name, "options->name", ret_error);
    if (result != HBK_OK)
        return result;
    const char *unfit = hbk_sddl_fault(options->from);
    if (unfit != NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "options->from %s", unfit);
    if (options->flags & ~(HBK_ENDPOINT_ASK | HBK_ENDPOINT_REVOCABLE))
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "options->flags has a bit that this version does not know");
    if (options->items_max > HBK_ITEMS_MAX)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "options->items_max is above %d",
                        HBK_ITEMS_MAX);
    if ((options->types == NULL) != (options->types_count == 0) ||
        options->types_count > HBK_TYPES_MAX)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "options->types is to be NULL, or options->types_count 1 to %d",
                        HBK_TYPES_MAX);
    for (size_t i = 0; i < options->types_count; i++) {
        const char *fault = type_fault(options->types, i);
        if (fault != NULL)
            return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, (int)i, 0, "options->types[%u]: %s",
                            (unsigned)i, fault);
    }
    return HBK_OK;
}

static void fill_rules(struct hbk_type_rule *ret_rules, const hbk_endpoint_options *options)
{
    for (size_t i = 0; i < options->types_count; i++) {
        uint32_t access = options->types[i].access;
        struct hbk_type_rule *rule = &ret_rules[i];
        rule->type = hbk_text_from(options->types[i].type);
        rule->kind = (uint8_t)(access == HBK_ACCESS_SAME   ? HBK_TYPE_RULE_ANY
                               : access == HBK_ACCESS_READ ? HBK_TYPE_RULE_READ
                                                           : HBK_TYPE_RULE_MASK);
        rule->mask = rule->kind == HBK_TYPE_RULE_MASK ? access : 0;
    }
}

hbk_result hbk_endpoint_open(hbk_client *client, const hbk_endpoint_options *options,
                             hbk_error_info *ret_error)
{
    struct hbk_type_rule rules[HBK_TYPES_MAX] = {0};
    struct hbk_endpoint_open params = {0};
    hbk_endpoint_options own = {0};

    if (client == NULL || options == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or options is NULL");
    if (!hbk_options_copy(&own, sizeof own, offsetof(hbk_endpoint_options, from), options))
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "options->size is not sizeof(hbk_endpoint_options)");
    hbk_result result = check_options(&own, ret_error);
    if (result != HBK_OK)
        return result;
    fill_rules(rules, &own);
    params.name = hbk_text_from(own.name);
    params.mode = own.flags & HBK_ENDPOINT_ASK ? HBK_MODE_ASK : HBK_MODE_AUTO;
    params.types_present = own.types != NULL;
    params.types = rules;
    params.types_count = own.types_count;
    params.items_max = own.items_max;
    params.from = hbk_text_from(own.from);
    params.revocable = (own.flags & HBK_ENDPOINT_REVOCABLE) != 0;
    struct hbk_listening *listening = calloc(1, sizeof *listening);
    if (listening == NULL)
        return hbk_fail(ret_error, HBK_NO_MEMORY, -1, 0, "out of memory for an endpoint");
    memcpy(listening->name, params.name.data, params.name.size);
    result = hbk_call(client, HBK_METHOD_ENDPOINT_OPEN, &params, 0, NULL, NULL, ret_error);
    if (result != HBK_OK) {
        free(listening);
        return result;
    }
    AcquireSRWLockExclusive(&client->lock);
    listening->next = client->listening;
    client->listening = listening;
    ReleaseSRWLockExclusive(&client->lock);
    return HBK_OK;
}

static void forget(struct hbk_client *client, const char *name)
{
    AcquireSRWLockExclusive(&client->lock);
    for (struct hbk_listening **at = &client->listening; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->name, name) == 0) {
            struct hbk_listening *gone = *at;
            *at = gone->next;
            free(gone);
            break;
        }
    }
    ReleaseSRWLockExclusive(&client->lock);
}

hbk_result hbk_endpoint_close(hbk_client *client, const char *name, hbk_error_info *ret_error)
{
    struct hbk_endpoint_close params = {0};

    if (client == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client is NULL");
    hbk_result result = check_name(name, "name", ret_error);
    if (result != HBK_OK)
        return result;
    params.name = hbk_text_from(name);
    result = hbk_call(client, HBK_METHOD_ENDPOINT_CLOSE, &params, 0, NULL, NULL, ret_error);
    if (result == HBK_OK || result == HBK_NOT_FOUND)
        forget(client, name);
    return result;
}

/* ---- listing ---- */

static bool add_entry(struct hbk_list *list, const struct hbk_endpoint_info *info)
{
    size_t room = hbk_copy_room(info->name) + hbk_copy_room(info->user) +
                  hbk_copy_types_room(info->types, info->types_count);
    char *at = NULL;

    hbk_endpoint_entry *entry = hbk_list_add(list, room, &at);
    if (entry == NULL)
        return false;
    entry->name = hbk_copy_put(&at, info->name);
    entry->user = hbk_copy_put(&at, info->user);
    entry->types = at;
    hbk_copy_types(at, info->types, info->types_count);
    entry->session = info->session;
    entry->pid = info->pid;
    entry->since_ms = info->since_ms;
    entry->ask = info->mode == HBK_MODE_ASK;
    entry->revocable = info->revocable;
    return true;
}

static bool take_page(void *context, const struct hbk_message *message)
{
    const struct hbk_endpoint_list_result *page = &message->u.result.endpoint_list;
    bool added = true;

    for (size_t i = 0; added && i < page->endpoints_count; i++)
        added = add_entry(context, &page->endpoints[i]);
    hbk_list_next(context, page->next);
    return added;
}

hbk_result hbk_endpoint_list(hbk_client *client, hbk_endpoint_entries **ret_entries,
                             hbk_error_info *ret_error)
{
    struct hbk_list *list = NULL;

    if (client == NULL || ret_entries == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_entries is NULL");
    hbk_result result = hbk_list_read(client, HBK_METHOD_ENDPOINT_LIST, sizeof(hbk_endpoint_entry),
                                      take_page, &list, ret_error);
    if (result != HBK_OK)
        return result;
    list->entries.endpoints.count = list->count;
    list->entries.endpoints.entries = list->array;
    *ret_entries = &list->entries.endpoints;
    return HBK_OK;
}

void hbk_endpoint_entries_free(hbk_endpoint_entries *entries)
{
    hbk_list_free((struct hbk_list *)(void *)entries);
}
