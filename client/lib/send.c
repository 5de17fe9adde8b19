/* hbk_send(). */
#include "client.h"

#include <string.h>

/* hbk_send_options ended with timeout_ms at first, and with what its alignment adds, which is where
 * `flags` is now in 64-bit programs and nothing in 32-bit ones. */
#define SEND_OPTIONS_FIRST \
    (sizeof(void *) == 8 ? offsetof(hbk_send_options, to_pid) : offsetof(hbk_send_options, flags))

static hbk_result check_item(const hbk_send_options *options, size_t index,
                             hbk_error_info *ret_error)
{
    const hbk_send_item *items = options->items, *item = &items[index];
    const char *fault = NULL;

    hbk_result result = hbk_item_check(item, (int)index, ret_error);
    if (result != HBK_OK)
        return result;
    for (size_t i = 0; i < index; i++) {
        if (items[i].handle == item->handle && (items[i].flags & item->flags & HBK_ITEM_MOVE))
            fault = "the same handle is moved twice";
    }
    if ((options->flags & HBK_SEND_REVOCABLE) &&
        ((item->flags & (HBK_ITEM_MOVE | HBK_ITEM_PROTECT)) || hbk_item_is_socket(item->type)))
        fault = "what can be taken back is not moved, not protected and no socket";
    if (fault != NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, (int)index, 0, "items[%u]: %s",
                        (unsigned)index, fault);
    return HBK_OK;
}

static bool sid_valid(const char *sid)
{
    size_t size = strlen(sid);
    return size <= HBK_SID_BYTES_MAX && strncmp(sid, "S-1-", 4) == 0 && size > 4 &&
           strspn(sid + 4, "0123456789-") == size - 4;
}

static hbk_result check_options(const hbk_send_options *options, hbk_error_info *ret_error)
{
    const char *fault = NULL;
    size_t sockets = 0;

    if (options->to == NULL || !hbk_name_check(hbk_text_from(options->to)))
        fault =
            "options->to is no endpoint name: user/, session/ or global/, and at most 260 bytes "
            "in all of letters, digits and ._/-";
    else if (options->items == NULL || options->count < 1 || options->count > HBK_ITEMS_MAX)
        fault = "options->count is not 1 to 64, or options->items is NULL";
    else if (options->wait_ms > HBK_WAIT_MS_MAX || options->timeout_ms > HBK_WAIT_MS_MAX)
        fault = "options->wait_ms or options->timeout_ms is above 60000";
    else if (options->expect_user != NULL && !sid_valid(options->expect_user))
        fault = "options->expect_user is no SID in text: S-1-...";
    else if (options->flags & ~HBK_SEND_REVOCABLE)
        fault = "options->flags has a bit that this version does not know";
    else
        fault = hbk_data_fault(options->data);
    for (size_t i = 0; fault == NULL && i < options->count; i++)
        sockets += hbk_item_is_socket(options->items[i].type);
    if (sockets > HBK_SOCKETS_MAX)
        fault = "options->items has more than HBK_SOCKETS_MAX sockets";
    if (fault != NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "%s", fault);
    for (size_t i = 0; i < options->count; i++) {
        hbk_result result = check_item(options, i, ret_error);
        if (result != HBK_OK)
            return result;
    }
    return HBK_OK;
}

static void fill_item(struct hbk_item *ret_item, const hbk_send_item *item)
{
    ret_item->handle = (uint32_t)(uintptr_t)item->handle;
    ret_item->type = hbk_text_from(item->type);
    ret_item->inherit = (item->flags & HBK_ITEM_INHERIT) != 0;
    ret_item->protect = (item->flags & HBK_ITEM_PROTECT) != 0;
    hbk_item_access(&ret_item->access, item->access);
}

static bool take_receipt(void *context, const struct hbk_message *message)
{
    const struct hbk_send_result *result = &message->u.result.send;
    hbk_receipt *receipt = context;

    if (receipt == NULL)
        return true;
    HBK_ASSERT(result->items_count <= HBK_ITEMS_MAX);
    receipt->delivery = result->delivery;
    receipt->count = result->items_count;
    for (size_t i = 0; i < result->items_count; i++) {
        const struct hbk_sent_item *item = &result->items[i];
        hbk_copy_text(receipt->items[i].type, sizeof receipt->items[i].type, item->type);
        receipt->items[i].access = item->access;
    }
    return true;
}

/* A move is complete when its sender has closed its own handle. */
static void close_moved(const hbk_send_options *options)
{
    for (size_t i = 0; i < options->count; i++) {
        if (options->items[i].flags & HBK_ITEM_MOVE)
            hbk_item_close(&options->items[i]);
    }
}

static void fill_send(struct hbk_send *ret_send, const hbk_send_options *options,
                      struct hbk_item *items)
{
    struct hbk_text to = hbk_text_from(options->to);

    memset(items, 0, options->count * sizeof items[0]);
    for (size_t i = 0; i < options->count; i++)
        fill_item(&items[i], &options->items[i]);
    if (options->to_pid == 0)
        ret_send->to_name = to;
    else
        ret_send->to_process_name = to;
    ret_send->to_pid = options->to_pid;
    ret_send->expect_user = hbk_text_from(options->expect_user);
    ret_send->expect_pid = options->expect_pid;
    ret_send->items = items;
    ret_send->items_count = options->count;
    ret_send->data = hbk_text_from(options->data);
    ret_send->wait_ms = options->wait_ms;
    ret_send->timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : HBK_TIMEOUT_MS_DEFAULT;
    ret_send->revocable = (options->flags & HBK_SEND_REVOCABLE) != 0;
}

hbk_result hbk_send(hbk_client *client, const hbk_send_options *options, hbk_receipt *ret_receipt,
                    hbk_error_info *ret_error)
{
    struct hbk_item items[HBK_ITEMS_MAX];
    struct hbk_send params = {0};
    hbk_send_options own = {0};
    hbk_error_info error;

    if (client == NULL || options == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or options is NULL");
    if (!hbk_options_copy(&own, sizeof own, SEND_OPTIONS_FIRST, options))
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "options->size is not sizeof(hbk_send_options)");
    if (own.size == SEND_OPTIONS_FIRST)
        own.flags = 0; /* what stands there in that program's structure is no field of it */
    hbk_result result = check_options(&own, ret_error);
    if (result != HBK_OK)
        return result;
    fill_send(&params, &own, items);
    result = hbk_call(client, HBK_METHOD_HANDLE_SEND, &params, params.wait_ms + params.timeout_ms,
                      take_receipt, ret_receipt, &error);
    if (result == HBK_OK) {
        close_moved(&own);
        return HBK_OK;
    }
    if (result == HBK_BAD_HANDLE && error.item >= 0 && (size_t)error.item < own.count)
        return hbk_bad_handle(ret_error, error.item, own.items[error.item].handle,
                              "is no handle of this process, or was closed meanwhile");
    if (ret_error != NULL)
        *ret_error = error;
    return result;
}
