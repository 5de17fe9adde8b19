/* The store: putting, getting, removing, and what there is. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#define PUT_FLAGS (HBK_STORE_REPLACE | HBK_STORE_ONCE | HBK_STORE_KEEP | HBK_STORE_MOVE)

/* ---- putting ---- */

static const char *put_fault(const hbk_store_put_options *options)
{
    if (options->name != NULL && !hbk_name_check(hbk_text_from(options->name)))
        return "options->name is no name of an entry: " HBK_NAME_ADVICE;
    if (options->flags & ~PUT_FLAGS)
        return "options->flags has a bit that this version does not know";
    if (options->name == NULL && (options->flags & HBK_STORE_REPLACE))
        return "options->flags has HBK_STORE_REPLACE, but there is no name; NULL makes a ticket";
    if (options->name == NULL && (options->flags & HBK_STORE_KEEP) && options->ttl_ms == 0)
        return "a ticket that is kept when we have left needs options->ttl_ms";
    if (options->ttl_ms > HBK_TTL_MS_MAX)
        return "options->ttl_ms is above 2147483647";
    return hbk_data_fault(options->data);
}

static bool take_stored(void *context, const struct hbk_message *message)
{
    const struct hbk_store_put_result *result = &message->u.result.store_put;
    hbk_stored *stored = context;

    stored->entry = result->entry;
    hbk_copy_text(stored->ticket, sizeof stored->ticket, result->ticket);
    return true;
}

static void fill_put(struct hbk_store_put *ret_put, const hbk_store_put_options *options)
{
    ret_put->name = hbk_text_from(options->name);
    ret_put->handle = (uint32_t)(uintptr_t)options->handle;
    ret_put->type = hbk_text_from(options->type);
    hbk_item_access(&ret_put->access, options->access);
    ret_put->allow = hbk_text_from(options->allow);
    ret_put->lifetime =
        options->flags & HBK_STORE_KEEP ? HBK_LIFETIME_BROKER : HBK_LIFETIME_SESSION;
    ret_put->ttl_ms = options->ttl_ms;
    ret_put->replace = (options->flags & HBK_STORE_REPLACE) != 0;
    ret_put->once = (options->flags & HBK_STORE_ONCE) != 0;
    ret_put->data = hbk_text_from(options->data);
}

hbk_result hbk_store_put(hbk_client *client, const hbk_store_put_options *options,
                         hbk_stored *ret_stored, hbk_error_info *ret_error)
{
    struct hbk_store_put params = {0};
    hbk_stored stored = {0};
    hbk_error_info error;

    if (client == NULL || options == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or options is NULL");
    if (options->size != sizeof *options)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "options->size is not sizeof(hbk_store_put_options)");
    const char *fault = put_fault(options);
    if (fault != NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "%s", fault);
    fault = hbk_sddl_fault(options->allow);
    if (fault != NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "options->allow %s", fault);
    if (options->name == NULL && ret_stored == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "ret_stored is NULL, and nobody would know the ticket");
    const hbk_send_item item = {
        .handle = options->handle, .type = options->type, .access = options->access};
    hbk_result result = hbk_item_check(&item, -1, ret_error);
    if (result != HBK_OK)
        return result;
    fill_put(&params, options);
    result = hbk_call(client, HBK_METHOD_STORE_PUT, &params, 0, take_stored, &stored, &error);
    if (result == HBK_BAD_HANDLE)
        return hbk_bad_handle(ret_error, -1, options->handle,
                              "is no handle of this process, or was closed meanwhile");
    if (result != HBK_OK) {
        if (ret_error != NULL)
            *ret_error = error;
        return result;
    }
    if (options->flags & HBK_STORE_MOVE)
        hbk_item_close(&item);
    if (ret_stored != NULL)
        *ret_stored = stored;
    return HBK_OK;
}

/* ---- getting ---- */

/* What was got, with all its memory: strings lie behind it, in one block. */
struct taken_body {
    hbk_taken taken;  /* first: what the application has is a pointer to this */
    bool protect;     /* HBK_ITEM_PROTECT is set */
    const char *info; /* of a socket that is not made yet; else NULL */
};

static bool take_taken(void *context, const struct hbk_message *message)
{
    const struct hbk_store_get_result *result = &message->u.result.store_get;
    struct taken_body **ret_body = context;

    struct taken_body *body =
        calloc(1, sizeof *body + hbk_copy_room(result->type) + hbk_copy_room(result->data) +
                      hbk_copy_room(result->from.peer.user) + hbk_copy_room(result->protocol_info));
    if (body == NULL) {
        if (result->protocol_info.data != NULL)
            hbk_socket_discard(result->protocol_info);
        else if (result->handle != 0)
            CloseHandle((HANDLE)(uintptr_t)result->handle);
        return false;
    }
    char *at = (char *)(body + 1);
    hbk_taken *taken = &body->taken;
    taken->handle = (HANDLE)(uintptr_t)result->handle;
    taken->type = hbk_copy_put(&at, result->type);
    taken->access = result->access;
    taken->widenable = result->widenable;
    taken->from_session = result->from.session;
    taken->from_pid = result->from.peer.pid;
    taken->from_integrity = result->from.peer.integrity;
    taken->from_user = hbk_copy_put(&at, result->from.peer.user);
    taken->data = hbk_copy_put(&at, result->data);
    body->info = hbk_copy_put(&at, result->protocol_info);
    *ret_body = body;
    return true;
}

static bool ticket_valid(const char *ticket)
{
    size_t size = strlen(ticket);
    return size == HBK_TICKET_BYTES && strspn(ticket, "0123456789abcdef") == size;
}

static const char *get_fault(const hbk_store_get_options *options)
{
    if ((options->name == NULL) == (options->ticket == NULL))
        return "one of options->name and options->ticket is to be there, and the other NULL";
    if (options->name != NULL && !hbk_name_check(hbk_text_from(options->name)))
        return "options->name is no name of an entry: " HBK_NAME_ADVICE;
    if (options->ticket != NULL && !ticket_valid(options->ticket))
        return "options->ticket is not 32 lower-case hexadecimal digits";
    if (options->flags & ~(HBK_ITEM_INHERIT | HBK_ITEM_PROTECT))
        return "options->flags has a bit that is not for what is got, or that this version does "
               "not know";
    if (options->access != HBK_ACCESS_READ && !hbk_mask_valid(options->access))
        return "options->" HBK_MASK_ADVICE;
    if (options->wait_ms > HBK_WAIT_MS_MAX)
        return "options->wait_ms is above 60000";
    return NULL;
}

/* Makes the socket, and sets the flags; the service has set `inherit` already, where there was a handle. */
static hbk_result finish(struct taken_body *body, uint32_t flags, hbk_error_info *ret_error)
{
    uint32_t win32 = 0;

    if (body->info != NULL) {
        struct hbk_text info = hbk_text_from(body->info);
        body->info = NULL;
        body->taken.handle = hbk_socket_make(info, &win32);
        if (body->taken.handle == NULL)
            return hbk_fail(ret_error, HBK_OS_ERROR, -1, win32, "Winsock does not make the socket");
    }
    if (hbk_item_is_socket(body->taken.type))
        flags &= ~HBK_ITEM_PROTECT; /* closesocket() could not close it */
    win32 = hbk_flags_set(body->taken.handle, flags);
    if (win32 != 0)
        return hbk_fail(ret_error, HBK_OS_ERROR, -1, win32,
                        "the flags inherit and protect could not be set on what we got; it was "
                        "closed");
    body->protect = (flags & HBK_ITEM_PROTECT) != 0;
    return HBK_OK;
}

hbk_result hbk_store_get(hbk_client *client, const hbk_store_get_options *options,
                         hbk_taken **ret_taken, hbk_error_info *ret_error)
{
    struct hbk_store_get params = {0};
    struct taken_body *body = NULL;

    if (client == NULL || options == NULL || ret_taken == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "client, options or ret_taken is NULL");
    if (options->size != sizeof *options)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "options->size is not sizeof(hbk_store_get_options)");
    const char *fault = get_fault(options);
    if (fault != NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "%s", fault);
    params.name = hbk_text_from(options->name);
    params.ticket = hbk_text_from(options->ticket);
    hbk_item_access(&params.access, options->access);
    params.inherit = (options->flags & HBK_ITEM_INHERIT) != 0;
    params.wait_ms = options->wait_ms;
    hbk_result result = hbk_call(client, HBK_METHOD_STORE_GET, &params, params.wait_ms, take_taken,
                                 &body, ret_error);
    if (result != HBK_OK)
        return result;
    result = finish(body, options->flags, ret_error);
    if (result == HBK_OK)
        *ret_taken = &body->taken;
    else
        hbk_taken_free(&body->taken);
    return result;
}

static HANDLE take(hbk_taken *taken, bool socket)
{
    if (taken == NULL || hbk_item_is_socket(taken->type) != socket)
        return NULL;
    HANDLE handle = taken->handle;
    taken->handle = NULL;
    return handle;
}

HANDLE hbk_taken_take(hbk_taken *taken)
{
    return take(taken, false);
}

uintptr_t hbk_taken_take_socket(hbk_taken *taken)
{
    HANDLE socket = take(taken, true);
    return socket != NULL ? (uintptr_t)socket : HBK_NO_SOCKET;
}

void hbk_taken_free(hbk_taken *taken)
{
    if (taken == NULL)
        return;
    if (taken->handle != NULL && hbk_item_is_socket(taken->type))
        hbk_socket_close(taken->handle);
    else if (taken->handle != NULL && ((struct taken_body *)(void *)taken)->protect)
        hbk_handle_close(taken->handle);
    else if (taken->handle != NULL)
        CloseHandle(taken->handle);
    free(taken);
}

/* ---- removing ---- */

hbk_result hbk_store_remove(hbk_client *client, const char *name, hbk_error_info *ret_error)
{
    const struct hbk_store_remove params = {.name = hbk_text_from(name)};

    if (client == NULL || name == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or name is NULL");
    if (!hbk_name_check(params.name))
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "name is no name of an entry: " HBK_NAME_ADVICE);
    return hbk_call(client, HBK_METHOD_STORE_REMOVE, &params, 0, NULL, NULL, ret_error);
}

hbk_result hbk_store_remove_entry(hbk_client *client, uint64_t entry, hbk_error_info *ret_error)
{
    const struct hbk_store_remove params = {.entry = HBK_SERVICE_NUMBER(entry)};

    if (client == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client is NULL");
    if (!hbk_id_valid(client, entry))
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "entry is no number of an entry");
    return hbk_call_about(client, entry, HBK_METHOD_STORE_REMOVE, &params, NULL, NULL, ret_error);
}

/* ---- listing ---- */

static bool add_entry(struct hbk_list *list, const struct hbk_entry_info *info)
{
    size_t room =
        hbk_copy_room(info->type) + hbk_copy_room(info->name) + hbk_copy_room(info->owner.user);
    char *at = NULL;

    hbk_store_entry *entry = hbk_list_add(list, room, &at);
    if (entry == NULL)
        return false;
    entry->type = hbk_copy_put(&at, info->type);
    entry->name = hbk_copy_put(&at, info->name);
    hbk_copy_party(&entry->owner, &info->owner, &at);
    entry->entry = info->entry;
    entry->access = info->access;
    entry->keep = info->lifetime == HBK_LIFETIME_BROKER;
    entry->once = info->once;
    entry->shared = info->shared;
    entry->since_ms = info->since_ms;
    entry->ttl_ms = info->ttl_ms;
    entry->taken = info->taken;
    return true;
}

static bool take_page(void *context, const struct hbk_message *message)
{
    const struct hbk_store_list_result *page = &message->u.result.store_list;
    bool added = true;

    for (size_t i = 0; added && i < page->entries_count; i++)
        added = add_entry(context, &page->entries[i]);
    hbk_list_next(context, page->next);
    return added;
}

hbk_result hbk_store_list(hbk_client *client, hbk_store_entries **ret_entries,
                          hbk_error_info *ret_error)
{
    struct hbk_list *list = NULL;

    if (client == NULL || ret_entries == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_entries is NULL");
    hbk_result result = hbk_list_read(client, HBK_METHOD_STORE_LIST, 0, sizeof(hbk_store_entry),
                                      take_page, &list, ret_error);
    if (result != HBK_OK)
        return result;
    list->entries.stored.count = list->count;
    list->entries.stored.entries = list->array;
    *ret_entries = &list->entries.stored;
    return HBK_OK;
}

void hbk_store_entries_free(hbk_store_entries *entries)
{
    hbk_list_free((struct hbk_list *)(void *)entries);
}
