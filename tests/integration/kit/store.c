/* Putting and getting, seen from the test. */
#include "store.h"

#include <stdio.h>
#include <string.h>

hbk_result kit_put(hbk_client *client, const char *name, HANDLE handle, uint32_t access,
                   uint32_t flags)
{
    hbk_store_put_options put = {.size = sizeof put, .name = name, .handle = handle};
    put.access = access;
    put.flags = flags;
    return hbk_store_put(client, &put, NULL, NULL);
}

hbk_result kit_get(hbk_client *client, const char *name, uint32_t access, uint32_t wait_ms,
                   hbk_taken **ret_taken)
{
    hbk_store_get_options get = {.size = sizeof get, .name = name, .access = access};
    get.wait_ms = wait_ms;
    return hbk_store_get(client, &get, ret_taken, NULL);
}

HANDLE kit_got(hbk_client *client, const char *name)
{
    hbk_taken *taken = NULL;
    assert_int_equal(kit_get(client, name, HBK_ACCESS_SAME, 0, &taken), HBK_OK);
    HANDLE handle = hbk_taken_take(taken);
    assert_non_null(handle);
    hbk_taken_free(taken);
    return handle;
}

void kit_ticket(hbk_client *client, HANDLE handle, uint32_t flags, uint32_t ttl_ms,
                hbk_stored *ret_stored)
{
    hbk_store_put_options put = {.size = sizeof put, .handle = handle, .flags = flags};
    put.ttl_ms = ttl_ms;
    assert_int_equal(hbk_store_put(client, &put, ret_stored, NULL), HBK_OK);
    assert_int_equal(strspn(ret_stored->ticket, "0123456789abcdef"), HBK_TICKET_BYTES);
    assert_int_equal(strlen(ret_stored->ticket), HBK_TICKET_BYTES);
}

hbk_result kit_claim(hbk_client *client, const char *ticket, HANDLE *ret_handle)
{
    hbk_store_get_options get = {.size = sizeof get, .ticket = ticket};
    hbk_taken *taken = NULL;
    hbk_result result = hbk_store_get(client, &get, &taken, NULL);
    if (result == HBK_OK)
        *ret_handle = hbk_taken_take(taken);
    hbk_taken_free(taken);
    return result;
}

/* ---- steered children ---- */

int kit_peer_put(struct kit_peer *peer, const char *name, uint64_t handle, uint32_t access,
                 uint32_t flags)
{
    if (name != NULL)
        (void)snprintf(peer->call.name, sizeof peer->call.name, "%s", name);
    peer->call.items[0].handle = handle;
    peer->call.items[0].access = access;
    return kit_peer_do(peer, KIT_OP_PUT, flags, 0, NULL);
}

static void set_get(struct kit_peer *peer, const char *name, uint32_t access, uint32_t flags)
{
    (void)snprintf(peer->call.name, sizeof peer->call.name, "%s", name);
    peer->call.items[0].access = access;
    peer->call.items[0].flags = flags;
}

int kit_peer_get(struct kit_peer *peer, const char *name, uint32_t access, uint32_t flags)
{
    set_get(peer, name, access, flags);
    return kit_peer_do(peer, KIT_OP_GET, 0, 0, NULL);
}

void kit_peer_get_begin(struct kit_peer *peer, const char *name, uint32_t wait_ms)
{
    set_get(peer, name, HBK_ACCESS_SAME, 0);
    peer->call.op = KIT_OP_GET;
    peer->call.a[0] = wait_ms;
    kit_peer_begin(peer);
}

int kit_peer_claim(struct kit_peer *peer, const char *ticket)
{
    return kit_peer_do(peer, KIT_OP_GET, 0, 0, ticket);
}

void kit_peer_closes(struct kit_peer *peer, uint64_t handle)
{
    assert_int_equal(kit_peer_do(peer, KIT_OP_CLOSE_HANDLE, handle, 0, NULL), 0);
}

/* ---- looking ---- */

void kit_wait_pending(const struct kit_mark *mark, uint32_t count)
{
    hbk_status_info status;
    uint64_t end = kit_now_ms() + KIT_WAIT_MS;
    for (kit_status(&status); status.deliveries_pending != mark->status.deliveries_pending + count;
         kit_status(&status)) {
        if (kit_now_ms() > end)
            fail_msg("%lu under way, not %lu more than %lu",
                     (unsigned long)status.deliveries_pending, (unsigned long)count,
                     (unsigned long)mark->status.deliveries_pending);
        Sleep(5);
    }
}

void kit_wait_stored(const struct kit_mark *mark, int count)
{
    hbk_status_info status;
    uint64_t end = kit_now_ms() + KIT_WAIT_MS;
    for (kit_status(&status); (int)status.stored != (int)mark->status.stored + count;
         kit_status(&status)) {
        if (kit_now_ms() > end)
            fail_msg("%lu stored, not %d more than %lu", (unsigned long)status.stored, count,
                     (unsigned long)mark->status.stored);
        Sleep(5);
    }
}

bool kit_listed(hbk_client *client, uint64_t entry, hbk_store_entry *ret_entry)
{
    static hbk_store_entries *list;
    hbk_store_entries_free(list);
    list = NULL;
    assert_int_equal(hbk_store_list(client, &list, NULL), HBK_OK);
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].entry != entry)
            continue;
        *ret_entry = list->entries[i];
        return true;
    }
    return false;
}
