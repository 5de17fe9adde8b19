/* A steered child: what it puts into the store and gets from it. */
#include "kit.h"

#include <stdio.h>

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static int do_put(hbk_client *client, const struct kit_call *call, struct kit_reply *reply)
{
    const struct kit_item *item = &call->items[0];
    hbk_store_put_options put = {.size = sizeof put, .name = or_null(call->name)};
    put.handle = (HANDLE)(uintptr_t)item->handle;
    put.type = or_null(item->type);
    put.access = item->access;
    put.flags = (uint32_t)call->a[0];
    put.ttl_ms = (uint32_t)call->a[1];
    put.data = or_null(call->text);
    hbk_stored stored = {0};
    int result = hbk_store_put(client, &put, &stored, &reply->error);
    reply->value = stored.entry;
    (void)snprintf(reply->text, sizeof reply->text, "%s", stored.ticket);
    return result;
}

/* What it got is closed like any handle of its own. */
static int do_get(hbk_client *client, const struct kit_call *call, struct kit_reply *reply)
{
    const struct kit_item *item = &call->items[0];
    hbk_store_get_options get = {.size = sizeof get, .name = or_null(call->name)};
    get.ticket = or_null(call->text);
    get.access = item->access;
    get.flags = item->flags;
    get.wait_ms = (uint32_t)call->a[0];
    hbk_taken *taken = NULL;
    int result = hbk_store_get(client, &get, &taken, &reply->error);
    if (result != HBK_OK)
        return result;
    reply->count = 1;
    reply->from_pid = taken->from_pid;
    reply->from_session = taken->from_session;
    reply->items[0].access = taken->access;
    reply->items[0].flags = (uint32_t)taken->widenable;
    (void)snprintf(reply->items[0].type, sizeof reply->items[0].type, "%s", taken->type);
    (void)snprintf(reply->text, sizeof reply->text, "%s", taken->data != NULL ? taken->data : "");
    reply->value = (uint64_t)(uintptr_t)hbk_taken_take(taken);
    reply->items[0].handle = reply->value;
    hbk_taken_free(taken);
    return HBK_OK;
}

bool kit_peer_store_op(hbk_client *client, const struct kit_call *call, struct kit_reply *reply)
{
    switch ((enum kit_op)call->op) {
    case KIT_OP_PUT:
        reply->result = do_put(client, call, reply);
        return true;
    case KIT_OP_GET:
        reply->result = do_get(client, call, reply);
        return true;
    case KIT_OP_REMOVE:
        reply->result = call->a[0] != 0 ? hbk_store_remove_entry(client, call->a[0], &reply->error)
                                        : hbk_store_remove(client, call->name, &reply->error);
        return true;
    default:
        return false;
    }
}
