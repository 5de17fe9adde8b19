/* Numbers of deliveries, sessions and entries. They begin anew with each start of the service, so that after a
 * restart the same number is something else's. The application knows them with the epoch of the connection
 * that has told them in the bits above: one of before is never taken for one of now, neither by the
 * application nor by us. */
#include "client.h"

#define NUMBER_BITS 53

_Static_assert(HBK_INTEGER_MAX == ((uint64_t)1 << NUMBER_BITS) - 1 &&
                   HBK_SERVICE_NUMBER(UINT64_MAX) == HBK_INTEGER_MAX &&
                   HBK_EPOCHS_MAX == UINT64_MAX >> NUMBER_BITS,
               "number and epoch fill 64 bits");

uint64_t hbk_id_tell(const struct hbk_client *client, uint64_t id)
{
    return id == 0 || client == NULL ? id : id | (uint64_t)client->epoch << NUMBER_BITS;
}

unsigned hbk_id_epoch(uint64_t id)
{
    return (unsigned)(id >> NUMBER_BITS);
}

bool hbk_id_valid(struct hbk_client *client, uint64_t id)
{
    AcquireSRWLockShared(&client->lock);
    unsigned last = client->last_epoch;
    ReleaseSRWLockShared(&client->lock);
    return HBK_SERVICE_NUMBER(id) != 0 && hbk_id_epoch(id) <= last;
}

static void tell(const struct hbk_client *client, uint64_t *id)
{
    *id = hbk_id_tell(client, *id);
}

/* Lists are const to who reads them; their memory is the message's. */
static void tell_lists(const struct hbk_client *client, struct hbk_message *message)
{
    union hbk_outcome *result = &message->u.result;
    struct hbk_endpoint_info *endpoints = (void *)(uintptr_t)result->endpoint_list.endpoints;
    struct hbk_delivery_info *deliveries = (void *)(uintptr_t)result->deliveries.deliveries;
    struct hbk_entry_info *entries = (void *)(uintptr_t)result->store_list.entries;
    struct hbk_session_info *sessions = (void *)(uintptr_t)result->sessions.sessions;

    if (message->method == HBK_METHOD_ENDPOINT_LIST) {
        for (size_t i = 0; i < result->endpoint_list.endpoints_count; i++)
            tell(client, &endpoints[i].session);
    } else if (message->method == HBK_METHOD_DELIVERY_LIST) {
        for (size_t i = 0; i < result->deliveries.deliveries_count; i++) {
            tell(client, &deliveries[i].delivery);
            tell(client, &deliveries[i].from.session);
            tell(client, &deliveries[i].to.session);
        }
    } else if (message->method == HBK_METHOD_STORE_LIST) {
        for (size_t i = 0; i < result->store_list.entries_count; i++) {
            tell(client, &entries[i].entry);
            tell(client, &entries[i].owner.session);
        }
    } else if (message->method == HBK_METHOD_BROKER_SESSIONS) {
        for (size_t i = 0; i < result->sessions.sessions_count; i++)
            tell(client, &sessions[i].session);
    }
}

static void tell_result(const struct hbk_client *client, struct hbk_message *message)
{
    if (message->method == HBK_METHOD_HANDLE_SEND)
        tell(client, &message->u.result.send.delivery);
    else if (message->method == HBK_METHOD_STORE_PUT)
        tell(client, &message->u.result.store_put.entry);
    else if (message->method == HBK_METHOD_STORE_GET)
        tell(client, &message->u.result.store_get.from.session);
    else
        tell_lists(client, message);
}

void hbk_ids_tell(const struct hbk_client *client, struct hbk_message *message)
{
    union hbk_params *params = &message->u.params;

    if (client->epoch == 0)
        return;
    if (message->kind == HBK_MESSAGE_RESULT) {
        tell_result(client, message);
    } else if (message->method == HBK_METHOD_HANDLE_DELIVERED ||
               message->method == HBK_METHOD_HANDLE_OFFERED) {
        tell(client, &params->delivered.delivery);
        tell(client, &params->delivered.from.session);
    } else if (message->method == HBK_METHOD_DELIVERY_REVOKED) {
        tell(client, &params->revoked.delivery);
    } else if (message->method == HBK_METHOD_SESSION_GONE) {
        tell(client, &params->session_gone.session);
    }
}
