/* What is in handle tables, ours and others'. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

static bool add_entry(struct hbk_list *list, uint32_t pid, const struct hbk_handle_info *info)
{
    char *nothing = NULL;

    hbk_handle_entry *entry = hbk_list_add(list, 0, &nothing);
    if (entry == NULL)
        return false;
    entry->pid = pid;
    entry->handle = (HANDLE)(uintptr_t)info->handle;
    hbk_copy_text(entry->type, sizeof entry->type, info->type);
    entry->access = info->access;
    entry->inherit = info->inherit;
    entry->protect = info->protect;
    return true;
}

/* ---- of a process ---- */

static bool take_page(void *context, const struct hbk_message *message)
{
    const struct hbk_process_handles_result *page = &message->u.result.process_handles;
    struct hbk_list *list = context;
    bool added = true;

    for (size_t i = 0; added && i < page->handles_count; i++)
        added = add_entry(list, list->pid, &page->handles[i]);
    hbk_list_next(list, page->next);
    return added;
}

hbk_result hbk_handle_list(hbk_client *client, uint32_t pid, hbk_handle_entries **ret_entries,
                           hbk_error_info *ret_error)
{
    struct hbk_list *list = NULL;

    if (client == NULL || ret_entries == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_entries is NULL");
    if (pid == 0)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "pid is 0; our own is GetCurrentProcessId()");
    hbk_result result = hbk_list_read(client, HBK_METHOD_PROCESS_HANDLES, pid,
                                      sizeof(hbk_handle_entry), take_page, &list, ret_error);
    if (result != HBK_OK)
        return result;
    list->entries.handles.count = list->count;
    list->entries.handles.entries = list->array;
    *ret_entries = &list->entries.handles;
    return HBK_OK;
}

void hbk_handle_entries_free(hbk_handle_entries *entries)
{
    hbk_list_free((struct hbk_list *)(void *)entries);
}

/* ---- of an object ---- */

static bool take_holders(void *context, const struct hbk_message *message)
{
    const struct hbk_object_holders_result *result = &message->u.result.object_holders;
    struct hbk_list *list = context;
    hbk_holder_entries *entries = &list->entries.holders;

    for (size_t i = 0; i < result->holders_count; i++) {
        struct hbk_handle_info info = result->holders[i];
        info.type = result->type;
        if (!add_entry(list, info.pid, &info))
            return false;
    }
    hbk_copy_text(entries->type, sizeof entries->type, result->type);
    entries->broker = result->broker;
    entries->complete = result->complete;
    entries->count = list->count;
    entries->entries = list->array;
    return true;
}

hbk_result hbk_holder_list(hbk_client *client, uint32_t pid, HANDLE handle,
                           hbk_holder_entries **ret_entries, hbk_error_info *ret_error)
{
    struct hbk_object_holders params = {.pid = pid, .handle = (uint32_t)(uintptr_t)handle};

    if (client == NULL || ret_entries == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_entries is NULL");
    const char *reason = hbk_handle_reason(handle);
    if (reason != NULL)
        return hbk_fail(ret_error, HBK_BAD_HANDLE, -1, 0, "handle %s", reason);
    struct hbk_list *list = calloc(1, sizeof *list);
    if (list == NULL)
        return hbk_fail(ret_error, HBK_NO_MEMORY, -1, 0, "out of memory for a list");
    list->size = sizeof(hbk_handle_entry);
    hbk_result result =
        hbk_call(client, HBK_METHOD_OBJECT_HOLDERS, &params, 0, take_holders, list, ret_error);
    if (result == HBK_OK)
        *ret_entries = &list->entries.holders;
    else
        hbk_list_free(list);
    return result;
}

void hbk_holder_entries_free(hbk_holder_entries *entries)
{
    hbk_list_free((struct hbk_list *)(void *)entries);
}
