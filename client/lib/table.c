/* What is in handle tables, ours and others'. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

struct array {
    hbk_handle_entry *entries;
    size_t count, capacity;
};

static bool add_entries(struct array *array, const struct hbk_handle_info *infos, size_t count)
{
    size_t needed = array->count + count;
    if (needed > array->capacity) {
        size_t capacity = needed + array->capacity;
        hbk_handle_entry *entries = realloc(array->entries, capacity * sizeof entries[0]);
        if (entries == NULL)
            return false;
        array->entries = entries;
        array->capacity = capacity;
    }
    for (size_t i = 0; i < count; i++) {
        hbk_handle_entry *entry = &array->entries[array->count++];
        memset(entry, 0, sizeof *entry);
        entry->pid = infos[i].pid;
        entry->handle = (HANDLE)(uintptr_t)infos[i].handle;
        hbk_copy_text(entry->type, sizeof entry->type, infos[i].type);
        entry->access = infos[i].access;
        entry->inherit = infos[i].inherit;
        entry->protect = infos[i].protect;
    }
    return true;
}

/* ---- of a process ---- */

struct handles {
    hbk_handle_entries entries; /* first: what the application has is a pointer to this */
    struct array array;
    struct hbk_pages pages;
};

static bool take_page(void *context, const struct hbk_message *message)
{
    const struct hbk_process_handles_result *page = &message->u.result.process_handles;
    struct handles *handles = context;

    if (!add_entries(&handles->array, page->handles, page->handles_count))
        return false;
    hbk_pages_next(&handles->pages, page->next);
    return true;
}

hbk_result hbk_handle_list(hbk_client *client, uint32_t pid, hbk_handle_entries **ret_entries,
                           hbk_error_info *ret_error)
{
    if (client == NULL || ret_entries == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_entries is NULL");
    if (pid == 0)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "pid is 0; our own is GetCurrentProcessId()");
    struct handles *handles = calloc(1, sizeof *handles);
    if (handles == NULL)
        return hbk_fail(ret_error, HBK_NO_MEMORY, -1, 0, "out of memory for a list");
    handles->pages.pid = pid;
    hbk_result result = hbk_call_pages(client, HBK_METHOD_PROCESS_HANDLES, &handles->pages,
                                       take_page, handles, ret_error);
    if (result != HBK_OK) {
        hbk_handle_entries_free(&handles->entries);
        return result;
    }
    for (size_t i = 0; i < handles->array.count; i++)
        handles->array.entries[i].pid = pid;
    handles->entries.count = handles->array.count;
    handles->entries.entries = handles->array.entries;
    *ret_entries = &handles->entries;
    return HBK_OK;
}

void hbk_handle_entries_free(hbk_handle_entries *entries)
{
    struct handles *handles = (struct handles *)(void *)entries;

    if (handles == NULL)
        return;
    free(handles->array.entries);
    free(handles);
}

/* ---- of an object ---- */

struct holders {
    hbk_holder_entries entries; /* first, as above */
    struct array array;
};

static bool take_holders(void *context, const struct hbk_message *message)
{
    const struct hbk_object_holders_result *result = &message->u.result.object_holders;
    struct holders *holders = context;

    if (!add_entries(&holders->array, result->holders, result->holders_count))
        return false;
    hbk_copy_text(holders->entries.type, sizeof holders->entries.type, result->type);
    holders->entries.broker = result->broker;
    holders->entries.complete = result->complete;
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
    struct holders *holders = calloc(1, sizeof *holders);
    if (holders == NULL)
        return hbk_fail(ret_error, HBK_NO_MEMORY, -1, 0, "out of memory for a list");
    hbk_result result =
        hbk_call(client, HBK_METHOD_OBJECT_HOLDERS, &params, 0, take_holders, holders, ret_error);
    if (result != HBK_OK) {
        hbk_holder_entries_free(&holders->entries);
        return result;
    }
    for (size_t i = 0; i < holders->array.count; i++)
        memcpy(holders->array.entries[i].type, holders->entries.type, sizeof holders->entries.type);
    holders->entries.count = holders->array.count;
    holders->entries.entries = holders->array.entries;
    *ret_entries = &holders->entries;
    return HBK_OK;
}

void hbk_holder_entries_free(hbk_holder_entries *entries)
{
    struct holders *holders = (struct holders *)(void *)entries;

    if (holders == NULL)
        return;
    free(holders->array.entries);
    free(holders);
}
