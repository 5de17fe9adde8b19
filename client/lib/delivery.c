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
        if (items[i].protocol_info.data != NULL)
            hbk_socket_discard(items[i].protocol_info);
        else if (items[i].handle != 0)
            CloseHandle(to_handle(items[i].handle));
    }
}

/* ---- one block ---- */

static size_t texts_room(const struct hbk_delivered *delivered)
{
    size_t size = hbk_copy_room(delivered->endpoint) + hbk_copy_room(delivered->from.peer.user) +
                  hbk_copy_room(delivered->data);

    for (size_t i = 0; i < delivered->items_count; i++)
        size += hbk_copy_room(delivered->items[i].type) +
                hbk_copy_room(delivered->items[i].protocol_info);
    return size;
}

struct hbk_delivery_body *hbk_delivery_new(struct hbk_client *client,
                                           const struct hbk_delivered *delivered, bool offered)
{
    size_t count = delivered->items_count;
    size_t items_at = sizeof(struct hbk_delivery_body);
    size_t infos_at = items_at + count * sizeof(hbk_received_item);
    size_t texts_at = infos_at + count * sizeof(const char *);
    size_t size = texts_at + texts_room(delivered);

    HBK_ASSERT(count >= 1 && count <= HBK_ITEMS_MAX);
    struct hbk_delivery_body *body = calloc(1, size);
    if (body == NULL) {
        close_placed(delivered->items, count);
        return NULL;
    }
    char *at = (char *)body + texts_at;
    body->items = (hbk_received_item *)(void *)((char *)body + items_at);
    body->infos = (const char **)(void *)((char *)body + infos_at);
    for (size_t i = 0; i < count; i++) {
        body->items[i].handle = to_handle(delivered->items[i].handle);
        body->items[i].type = hbk_copy_put(&at, delivered->items[i].type);
        body->items[i].access = delivered->items[i].access;
        body->items[i].inherit = delivered->items[i].inherit;
        body->items[i].protect = delivered->items[i].protect;
        body->items[i].widenable = delivered->items[i].widenable;
        body->infos[i] = hbk_copy_put(&at, delivered->items[i].protocol_info);
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
    delivery->revocable = delivered->revocable;
    HBK_ASSERT(at == (char *)body + size);
    if (delivery->revocable)
        hbk_held_add(client, body);
    return body;
}

/* Closes all items that have not been taken. */
static void close_items(struct hbk_delivery_body *body)
{
    for (size_t i = 0; i < body->delivery.count; i++) {
        HANDLE handle = body->items[i].handle;
        if (body->infos[i] != NULL)
            hbk_socket_discard(hbk_text_from(body->infos[i]));
        else if (handle != NULL && hbk_item_is_socket(body->items[i].type))
            hbk_socket_close(handle);
        else if (handle != NULL && body->items[i].protect)
            hbk_handle_close(handle);
        else if (handle != NULL)
            CloseHandle(handle);
        body->infos[i] = NULL;
        body->items[i].handle = NULL;
    }
}

void hbk_delivery_discard(struct hbk_delivery_body *body)
{
    if (body == NULL)
        return;
    if (body->delivery.revocable)
        hbk_held_remove(body);
    close_items(body);
    free(body);
}

uint32_t hbk_flags_set(HANDLE handle, uint32_t flags)
{
    DWORD set = (flags & HBK_ITEM_INHERIT ? HANDLE_FLAG_INHERIT : 0u) |
                (flags & HBK_ITEM_PROTECT ? HANDLE_FLAG_PROTECT_FROM_CLOSE : 0u);

    if (set == 0 || SetHandleInformation(handle, set, set))
        return 0;
    return GetLastError();
}

/* Makes the sockets, then sets inherit and protect as the sender wished, right before the application
 * sees the handles. On failure everything is closed. */
static hbk_result finish(struct hbk_delivery_body *body, hbk_error_info *ret_error)
{
    uint32_t win32 = 0;

    for (size_t i = 0; i < body->delivery.count && win32 == 0; i++) {
        hbk_received_item *item = &body->items[i];
        if (body->infos[i] != NULL) {
            struct hbk_text info = hbk_text_from(body->infos[i]);
            body->infos[i] = NULL;
            item->handle = hbk_socket_make(info, &win32);
            if (item->handle == NULL) {
                close_items(body);
                return hbk_fail(ret_error, HBK_OS_ERROR, (int)i, win32,
                                "Winsock does not make the socket that was delivered; all of the "
                                "delivery was closed");
            }
        }
        HANDLE handle = item->handle; /* a moment later it may be the sender's again */
        if (handle != NULL)
            win32 = hbk_flags_set(handle, (item->inherit ? HBK_ITEM_INHERIT : 0u) |
                                              (item->protect ? HBK_ITEM_PROTECT : 0u));
        if (win32 != 0 && item->handle != NULL) {
            close_items(body);
            return hbk_fail(ret_error, HBK_OS_ERROR, (int)i, win32,
                            "the flags inherit and protect could not be set on what was delivered; "
                            "all of it was closed");
        }
        win32 = 0;
    }
    return HBK_OK;
}

/* ---- receiving ---- */

hbk_result hbk_receive(hbk_client *client, uint32_t timeout_ms, hbk_delivery **ret_delivery,
                       hbk_error_info *ret_error)
{
    struct hbk_arrival *arrival = NULL;

    if (client == NULL || ret_delivery == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_delivery is NULL");
    hbk_result result =
        hbk_arrival_receive(client, HBK_ARRIVAL_DELIVERY, timeout_ms, &arrival, ret_error);
    if (result != HBK_OK)
        return result;
    struct hbk_delivery_body *body = (struct hbk_delivery_body *)(void *)arrival;
    if (body->delivery.revocable)
        hbk_held_look(body);
    result = finish(body, ret_error);
    if (result == HBK_OK)
        *ret_delivery = &body->delivery;
    else
        hbk_delivery_discard(body);
    return result;
}

/* The body that @delivery is a part of. */
static struct hbk_delivery_body *body_of(hbk_delivery *delivery)
{
    return (struct hbk_delivery_body *)(void *)((char *)delivery -
                                                offsetof(struct hbk_delivery_body, delivery));
}

static HANDLE take(hbk_delivery *delivery, size_t index, bool socket)
{
    if (delivery == NULL || index >= delivery->count ||
        hbk_item_is_socket(delivery->items[index].type) != socket)
        return NULL;
    struct hbk_delivery_body *body = body_of(delivery);
    if (delivery->revocable)
        return hbk_held_take(body, index);
    HANDLE handle = body->items[index].handle;
    body->items[index].handle = NULL;
    return handle;
}

HANDLE hbk_delivery_take(hbk_delivery *delivery, size_t index)
{
    return take(delivery, index, false);
}

uintptr_t hbk_delivery_take_socket(hbk_delivery *delivery, size_t index)
{
    HANDLE socket = take(delivery, index, true);
    return socket != NULL ? (uintptr_t)socket : HBK_NO_SOCKET;
}

void hbk_delivery_free(hbk_delivery *delivery)
{
    if (delivery == NULL)
        return;
    if (delivery->revocable)
        hbk_held_look(body_of(delivery));
    hbk_delivery_discard(body_of(delivery));
}

/* ---- answering an offer ---- */

struct accepted {
    size_t count;
    struct hbk_delivered_item items[HBK_ITEMS_MAX];
    char infos[HBK_SOCKETS_MAX][HBK_PROTOCOL_INFO_BYTES_MAX + 1];
};

static bool take_accepted(void *context, const struct hbk_message *message)
{
    const struct hbk_accept_result *result = &message->u.result.accept;
    struct accepted *accepted = context;
    size_t sockets = 0;

    HBK_ASSERT(result->items_count <= HBK_ITEMS_MAX);
    for (size_t i = 0; i < result->items_count; i++)
        sockets += result->items[i].protocol_info.data != NULL;
    if (sockets > HBK_SOCKETS_MAX) {
        close_placed(result->items, result->items_count);
        return true; /* as none, which is the wrong number */
    }
    accepted->count = result->items_count;
    memcpy(accepted->items, result->items, result->items_count * sizeof result->items[0]);
    sockets = 0;
    for (size_t i = 0; i < accepted->count; i++) {
        struct hbk_delivered_item *item = &accepted->items[i];
        item->type = hbk_text_from(NULL); /* it lives in the message only, as the next does */
        if (item->protocol_info.data != NULL) {
            char *info = accepted->infos[sockets++];
            hbk_copy_text(info, sizeof accepted->infos[0], item->protocol_info);
            item->protocol_info = hbk_text_from(info);
        }
    }
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

/* What was offered is there now. */
static hbk_result place(struct hbk_delivery_body *body, const struct accepted *accepted,
                        hbk_error_info *ret_error)
{
    for (size_t i = 0; i < accepted->count; i++) {
        const struct hbk_delivered_item *item = &accepted->items[i];
        body->items[i].access = item->access;
        body->items[i].inherit = item->inherit;
        body->items[i].protect = item->protect;
        body->items[i].widenable = item->widenable;
        body->infos[i] = item->protocol_info.data;
        hbk_held_place(body, i, to_handle(item->handle));
    }
    body->delivery.offered = 0;
    return finish(body, ret_error); /* which leaves no info of @accepted's behind */
}

hbk_result hbk_accept(hbk_client *client, hbk_delivery *offer, hbk_error_info *ret_error)
{
    struct hbk_delivery_answer params = {0};
    struct accepted accepted = {0};

    hbk_result result = check_offer(client, offer, ret_error);
    if (result != HBK_OK)
        return result;
    params.delivery = HBK_SERVICE_NUMBER(offer->id);
    result = hbk_call_about(client, offer->id, HBK_METHOD_DELIVERY_ACCEPT, &params, take_accepted,
                            &accepted, ret_error);
    if (result != HBK_OK)
        return result;
    if (accepted.count != offer->count) {
        close_placed(accepted.items, accepted.count);
        return hbk_fail(ret_error, HBK_INTERNAL_ERROR, -1, 0,
                        "the service gave other items than it had offered; they were closed");
    }
    return place(body_of(offer), &accepted, ret_error);
}

hbk_result hbk_reject(hbk_client *client, hbk_delivery *offer, const char *reason,
                      hbk_error_info *ret_error)
{
    struct hbk_delivery_answer params = {0};

    hbk_result result = check_offer(client, offer, ret_error);
    if (result != HBK_OK)
        return result;
    params.delivery = HBK_SERVICE_NUMBER(offer->id);
    params.reason = hbk_text_from(reason);
    if (reason != NULL && (params.reason.size > HBK_REASON_BYTES_MAX ||
                           hbk_utf8_check(reason, params.reason.size) != params.reason.size))
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0,
                        "reason is not UTF-8 of at most %d bytes", HBK_REASON_BYTES_MAX);
    result = hbk_call_about(client, offer->id, HBK_METHOD_DELIVERY_REJECT, &params, NULL, NULL,
                            ret_error);
    if (result == HBK_OK)
        offer->offered = 0;
    return result;
}
