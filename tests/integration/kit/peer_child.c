/* A steered child, from the inside: one client, one delivery in hand, and whatever it made. */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool (*kit_peer_own)(hbk_client *client, const struct kit_call *call, struct kit_reply *reply);

static hbk_client *client;
static hbk_delivery *delivery;
static HANDLE raw = INVALID_HANDLE_VALUE;

static void copy_text(char *ret_text, size_t size, const char *text)
{
    (void)snprintf(ret_text, size, "%s", text != NULL ? text : "");
}

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static int do_open(const struct kit_call *call, struct kit_reply *reply)
{
    hbk_open_options options = {.size = sizeof options, .client_name = "kit"};
    if (call->path[0] != L'\0') {
        options.pipe = call->path;
        options.flags = HBK_OPEN_UNVERIFIED;
    }
    return hbk_open(&options, &client, &reply->error);
}

static int do_endpoint(const struct kit_call *call, struct kit_reply *reply)
{
    hbk_type_accept types[HBK_ITEMS_MAX];
    for (uint32_t i = 0; i < call->count; i++) {
        types[i].type = call->items[i].type;
        types[i].access = call->items[i].access;
    }
    hbk_endpoint_options options = {.size = sizeof options, .name = call->name};
    options.flags = (uint32_t)call->a[0];
    options.items_max = (uint32_t)call->a[1];
    options.types = call->count > 0 ? types : NULL;
    options.types_count = call->count;
    return hbk_endpoint_open(client, &options, &reply->error);
}

static void show_delivery(struct kit_reply *reply)
{
    reply->delivery = delivery->id;
    reply->offered = (uint32_t)delivery->offered;
    reply->from_pid = delivery->from_pid;
    reply->from_session = delivery->from_session;
    reply->count = (uint32_t)delivery->count;
    copy_text(reply->name, sizeof reply->name, delivery->endpoint);
    copy_text(reply->text, sizeof reply->text, delivery->data);
    for (size_t i = 0; i < delivery->count && i < HBK_ITEMS_MAX; i++) {
        const hbk_received_item *item = &delivery->items[i];
        reply->items[i].handle = (uint64_t)(uintptr_t)item->handle;
        reply->items[i].access = item->access;
        reply->items[i].flags =
            (item->inherit ? HBK_ITEM_INHERIT : 0u) | (item->protect ? HBK_ITEM_PROTECT : 0u);
        copy_text(reply->items[i].type, sizeof reply->items[i].type, item->type);
    }
}

static int do_receive(const struct kit_call *call, struct kit_reply *reply)
{
    hbk_delivery_free(delivery);
    delivery = NULL;
    hbk_result result = hbk_receive(client, (uint32_t)call->a[0], &delivery, &reply->error);
    if (result == HBK_OK)
        show_delivery(reply);
    return result;
}

static int do_accept(const struct kit_call *call, struct kit_reply *reply)
{
    (void)call;
    hbk_result result = hbk_accept(client, delivery, &reply->error);
    if (result == HBK_OK)
        show_delivery(reply);
    return result;
}

static int do_send(const struct kit_call *call, struct kit_reply *reply)
{
    hbk_send_item items[HBK_ITEMS_MAX];
    for (uint32_t i = 0; i < call->count; i++) {
        items[i].handle = (HANDLE)(uintptr_t)call->items[i].handle;
        items[i].type = or_null(call->items[i].type);
        items[i].access = call->items[i].access;
        items[i].flags = call->items[i].flags;
    }
    hbk_send_options options = {.size = sizeof options, .to = call->name, .items = items};
    options.count = call->count;
    options.data = or_null(call->text);
    options.wait_ms = (uint32_t)call->a[0];
    options.timeout_ms = (uint32_t)call->a[1];
    options.expect_pid = (uint32_t)call->a[2];
    options.flags = (uint32_t)call->a[3];
    hbk_receipt receipt;
    hbk_result result = hbk_send(client, &options, &receipt, &reply->error);
    if (result == HBK_OK) {
        reply->delivery = receipt.delivery;
        reply->count = (uint32_t)receipt.count;
    }
    return result;
}

static int do_notice(const struct kit_call *call, struct kit_reply *reply)
{
    hbk_notification notice;
    hbk_result result =
        hbk_notification_receive(client, (uint32_t)call->a[0], &notice, &reply->error);
    if (result == HBK_OK) {
        reply->value = (uint64_t)notice.kind;
        reply->delivery = notice.delivery;
        reply->closed = notice.closed;
        reply->from_session = notice.session;
    }
    return result;
}

/* ---- the bare pipe ---- */

static int do_raw_open(const struct kit_call *call, struct kit_reply *reply)
{
    raw = kit_raw_open(call->path[0] != L'\0' ? call->path : HBK_PIPE_NAME);
    reply->value = (uint64_t)(uintptr_t)raw;
    reply->win32 = raw == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    return 0;
}

static DWORD raw_io(bool write, void *bytes, DWORD size, uint32_t timeout_ms, DWORD *ret_size)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    BOOL done = write ? WriteFile(raw, bytes, size, NULL, &overlapped)
                      : ReadFile(raw, bytes, size, NULL, &overlapped);
    DWORD error = done ? 0 : GetLastError();
    if (error == ERROR_IO_PENDING) {
        if (WaitForSingleObject(overlapped.hEvent, timeout_ms) != WAIT_OBJECT_0)
            CancelIoEx(raw, &overlapped);
        error = 0;
    }
    if (error == 0 && !GetOverlappedResult(raw, &overlapped, ret_size, TRUE))
        error = GetLastError();
    CloseHandle(overlapped.hEvent);
    return error;
}

static int do_raw_send(const struct kit_call *call, struct kit_reply *reply)
{
    char bytes[sizeof call->text];
    DWORD size = 0;
    memcpy(bytes, call->text, sizeof bytes);
    reply->win32 = raw_io(true, bytes, (DWORD)strlen(bytes), KIT_WAIT_MS, &size);
    return 0;
}

static int do_raw_line(const struct kit_call *call, struct kit_reply *reply)
{
    static char held[2 * sizeof reply->text];
    static size_t size;
    for (;;) {
        char *end = memchr(held, '\n', size);
        if (end != NULL) {
            size_t length = (size_t)(end - held);
            memcpy(reply->text, held,
                   length < sizeof reply->text ? length : sizeof reply->text - 1);
            size -= length + 1;
            memmove(held, end + 1, size);
            return 0;
        }
        DWORD got = 0;
        if (size == sizeof held)
            reply->win32 = ERROR_MORE_DATA;
        else
            reply->win32 =
                raw_io(false, held + size, (DWORD)(sizeof held - size), (uint32_t)call->a[1], &got);
        if (reply->win32 != 0)
            return 0;
        size += got;
    }
}

static int do_raw_wait(struct kit_reply *reply)
{
    DWORD size = 0;
    uint64_t end = kit_now_ms() + KIT_WAIT_MS;
    while (size == 0 && kit_now_ms() < end && reply->win32 == 0) {
        Sleep(1);
        reply->win32 = PeekNamedPipe(raw, NULL, 0, NULL, &size, NULL) ? 0 : GetLastError();
    }
    return 0;
}

/* ---- the loop ---- */

static int do_operation(const struct kit_call *call, struct kit_reply *reply)
{
    switch ((enum kit_op)call->op) {
    case KIT_OP_OPEN:
        return do_open(call, reply);
    case KIT_OP_CLOSE:
        hbk_close(client);
        client = NULL;
        return 0;
    case KIT_OP_ENDPOINT:
        return do_endpoint(call, reply);
    case KIT_OP_ENDPOINT_CLOSE:
        return hbk_endpoint_close(client, call->name, &reply->error);
    case KIT_OP_RECEIVE:
        return do_receive(call, reply);
    case KIT_OP_ACCEPT:
        return do_accept(call, reply);
    case KIT_OP_REJECT:
        return hbk_reject(client, delivery, or_null(call->text), &reply->error);
    case KIT_OP_FREE:
        hbk_delivery_free(delivery);
        delivery = NULL;
        return 0;
    case KIT_OP_SEND:
        return do_send(call, reply);
    case KIT_OP_NOTICE:
        return do_notice(call, reply);
    case KIT_OP_RAW_OPEN:
        return do_raw_open(call, reply);
    case KIT_OP_RAW_ADOPT:
        raw = (HANDLE)(uintptr_t)call->a[0];
        return 0;
    case KIT_OP_RAW_SEND:
        return do_raw_send(call, reply);
    case KIT_OP_RAW_LINE:
        return do_raw_line(call, reply);
    case KIT_OP_RAW_WAIT:
        return do_raw_wait(reply);
    default:
        if (call->op >= KIT_OP_OWN)
            return kit_peer_own != NULL && kit_peer_own(client, call, reply) ? reply->result : -1;
        if (kit_peer_store_op(client, call, reply))
            return reply->result;
        return kit_peer_object_op(call, reply) ? 0 : -1;
    }
}

int kit_peer_main(const char *pipe_name)
{
    static struct kit_call call;
    static struct kit_reply reply;
    HANDLE pipe =
        CreateFileA(pipe_name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    DWORD mode = PIPE_READMODE_MESSAGE, size = 0;
    if (pipe == INVALID_HANDLE_VALUE || !SetNamedPipeHandleState(pipe, &mode, NULL, NULL))
        return 1;
    while (ReadFile(pipe, &call, sizeof call, &size, NULL) && size == sizeof call) {
        if (call.op == KIT_OP_EXIT)
            break;
        memset(&reply, 0, sizeof reply);
        reply.result = do_operation(&call, &reply);
        if (!WriteFile(pipe, &reply, sizeof reply, &size, NULL))
            return 1;
    }
    hbk_delivery_free(delivery);
    hbk_close(client);
    CloseHandle(pipe);
    return 0;
}
