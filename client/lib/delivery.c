/* What was delivered or offered: from the line to the application, and what becomes of it there. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(HBK_WIDEN_NO == HBK_WIDENABLE_NO && HBK_WIDEN_YES == HBK_WIDENABLE_YES &&
                   HBK_WIDEN_UNKNOWN == HBK_WIDENABLE_UNKNOWN,
               "the application is told what the service says");

static HANDLE to_handle(uint32_t value)
{
    return (HANDLE)(uintptr_t)value;
}

/* Closes what the service has placed and nobody will ever see. Neither flag is set yet. */
static void close_placed(const struct hbk_delivered_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].handle != 0)
            CloseHandle(to_handle(items[i].handle));
    }
}

/* ---- one block ---- */

struct hbk_delivery_body *hbk_delivery_new(const struct hbk_delivered *delivered, bool offered)
{
    size_t count = delivered->items_count;
    size_t items_at = sizeof(struct hbk_delivery_body);
    size_t texts_at = items_at + count * sizeof(hbk_received_item);
    size_t size = texts_at + hbk_copy_room(delivered->endpoint) +
                  hbk_copy_room(delivered->from.peer.user) + hbk_copy_room(delivered->data);

    HBK_ASSERT(count >= 1 && count <= HBK_ITEMS_MAX);
    for (size_t i = 0; i < count; i++)
        size += hbk_copy_room(delivered->items[i].type);
    struct hbk_delivery_body *body = calloc(1, size);
    if (body == NULL) {
        close_placed(delivered->items, count);
        return NULL;
    }
    char *at = (char *)body + texts_at;
    body->items = (hbk_received_item *)(void *)((char *)body + items_at);
    for (size_t i = 0; i < count; i++) {
        body->items[i].handle = to_handle(delivered->items[i].handle);
        body->items[i].type = hbk_copy_put(&at, delivered->items[i].type);
        body->items[i].access = delivered->items[i].access;
        body->items[i].inherit = delivered->items[i].inherit;
        body->items[i].protect = delivered->items[i].protect;
        body->items[i].widenable = delivered->items[i].widenable;
    }
    hbk_delivery *delivery = &body->delivery;
    delivery->id = delivered->delivery;
    delivery->endpoint = hbk_copy_put(&at, delivered->endpoint);
    delivery->offered = offered;
    delivery->from_session = delivered->from.session;
    delivery->from_pid = delivered->from.peer.pid;
    delivery->from_integrity = delivered->from.peer.integrity;
    delivery->from_user = hbk_copy_put(&at, delivered->from.peer.user);
    delivery->data = hbk_copy_put(&at, delivered->data);
    delivery->count = count;
    delivery->items = body->items;
    HBK_ASSERT(at == (char *)body + size);
    return body;
}

void hbk_delivery_discard(struct hbk_delivery_body *body)
{
    if (body == NULL)
        return;
    for (size_t i = 0; i < body->delivery.count; i++) {
        if (body->items[i].handle == NULL)
            continue;
        if (body->items[i].protect)
            hbk_handle_close(body->items[i].handle);
        else
            CloseHandle(body->items[i].handle);
    }
    free(body);
}

/* Sets inherit and protect as the sender wished, right before the application sees the handles. */
static bool set_flags(const struct hbk_delivery_body *body, size_t *ret_item, uint32_t *ret_win32)
{
    for (size_t i = 0; i < body->delivery.count; i++) {
        const hbk_received_item *item = &body->items[i];
        DWORD flags = (item->inherit ? HANDLE_FLAG_INHERIT : 0u) |
                      (item->protect ? HANDLE_FLAG_PROTECT_FROM_CLOSE : 0u);
        if (flags == 0 || item->handle == NULL)
            continue;
        if (!SetHandleInformation(item->handle, flags, flags)) {
            *ret_win32 = GetLastError();
            *ret_item = i;
            return false;
        }
    }
    return true;
}

static hbk_result flags_failed(size_t item, uint32_t win32, hbk_error_info *ret_error)
{
    return hbk_fail(ret_error, HBK_OS_ERROR, (int)item, win32,
                    "the flags inherit and protect could not be set on what was delivered; all of "
                    "it was closed");
}

/* ---- receiving ---- */

hbk_result hbk_receive(hbk_client *client, uint32_t timeout_ms, hbk_delivery **ret_delivery,
                       hbk_error_info *ret_error)
{
    struct hbk_arrival *arrival = NULL;
    size_t item = 0;
    uint32_t win32 = 0;

    if (client == NULL || ret_delivery == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_delivery is NULL");
    hbk_result result =
        hbk_arrival_receive(client, HBK_ARRIVAL_DELIVERY, timeout_ms, &arrival, ret_error);
    if (result != HBK_OK)
        return result;
    struct hbk_delivery_body *body = (struct hbk_delivery_body *)(void *)arrival;
    if (!set_flags(body, &item, &win32)) {
        hbk_delivery_discard(body);
        return flags_failed(item, win32, ret_error);
    }
    *ret_delivery = &body->delivery;
    return HBK_OK;
}

/* The body that @delivery is a part of. */
static struct hbk_delivery_body *body_of(hbk_delivery *delivery)
{
    return (struct hbk_delivery_body *)(void *)((char *)delivery -
                                                offsetof(struct hbk_delivery_body, delivery));
}

HANDLE hbk_delivery_take(hbk_delivery *delivery, size_t index)
{
    if (delivery == NULL || index >= delivery->count)
        return NULL;
    hbk_received_item *item = &body_of(delivery)->items[index];
    HANDLE handle = item->handle;
    item->handle = NULL;
    return handle;
}

void hbk_delivery_free(hbk_delivery *delivery)
{
    if (delivery != NULL)
        hbk_delivery_discard(body_of(delivery));
}

/* ---- answering an offer ---- */

struct accepted {
    size_t count;
    struct hbk_delivered_item items[HBK_ITEMS_MAX];
};

static bool take_accepted(void *context, const struct hbk_message *message)
{
    const struct hbk_accept_result *result = &message->u.result.accept;
    struct accepted *accepted = context;

    HBK_ASSERT(result->items_count <= HBK_ITEMS_MAX);
    accepted->count = result->items_count;
    memcpy(accepted->items, result->items, result->items_count * sizeof result->items[0]);
    for (size_t i = 0; i < accepted->count; i++)
        accepted->items[i].type = hbk_text_from(NULL); /* it lives in the message only */
    return true;
}

static hbk_result check_offer(const struct hbk_client *client, const hbk_delivery *offer,
                              hbk_error_info *ret_error)
{
    if (client == NULL || offer == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or offer is NULL");
    if (!offer->offered)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "this is no offer, or one that was answered already");
    return HBK_OK;
}

hbk_result hbk_accept(hbk_client *client, hbk_delivery *offer, hbk_error_info *ret_error)
{
    struct hbk_delivery_answer params = {0};
    struct accepted accepted = {0};
    size_t item = 0;
    uint32_t win32 = 0;

    hbk_result result = check_offer(client, offer, ret_error);
    if (result != HBK_OK)
        return result;
    params.delivery = offer->id;
    result = hbk_call(client, HBK_METHOD_DELIVERY_ACCEPT, &params, 0, take_accepted, &accepted,
                      ret_error);
    if (result != HBK_OK)
        return result;
    if (accepted.count != offer->count) {
        close_placed(accepted.items, accepted.count);
        return hbk_fail(ret_error, HBK_INTERNAL_ERROR, -1, 0,
                        "the service gave other items than it had offered; they were closed");
    }
    struct hbk_delivery_body *body = body_of(offer);
    for (size_t i = 0; i < accepted.count; i++) {
        body->items[i].handle = to_handle(accepted.items[i].handle);
        body->items[i].access = accepted.items[i].access;
        body->items[i].inherit = accepted.items[i].inherit;
        body->items[i].protect = accepted.items[i].protect;
        body->items[i].widenable = accepted.items[i].widenable;
    }
    offer->offered = 0;
    if (set_flags(body, &item, &win32))
        return HBK_OK;
    for (size_t i = 0; i < offer->count; i++) {
        hbk_handle_close(body->items[i].handle);
        body->items[i].handle = NULL;
    }
    return flags_failed(item, win32, ret_error);
}

hbk_result hbk_reject(hbk_client *client, hbk_delivery *offer, const char *reason,
                      hbk_error_info *ret_error)
{
    struct hbk_delivery_answer params = {0};

    hbk_result result = check_offer(client, offer, ret_error);
    if (result != HBK_OK)
        return result;
    params.delivery = offer->id;
    params.reason = hbk_text_from(reason);
    if (reason != NULL && (params.reason.size > HBK_REASON_BYTES_MAX ||
                           hbk_utf8_check(reason, params.reason.size) != params.reason.size))
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "reason is not UTF-8 of at most %d bytes", HBK_REASON_BYTES_MAX);
    result = hbk_call(client, HBK_METHOD_DELIVERY_REJECT, &params, 0, NULL, NULL, ret_error);
    if (result == HBK_OK)
        offer->offered = 0;
    return result;
}
