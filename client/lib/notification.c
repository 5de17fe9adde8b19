/* What the service tells of deliveries after they have come: that one was taken back, that its sender has
 * gone. It is acted on at once; the application is told of it if it has ever asked. */
#include "client.h"

#include <stdlib.h>

struct notice_body {
    struct hbk_arrival arrival; /* first */
    hbk_notification notice;
};

/* What finds no room shows in the next one's `missed`. */
static void notice_in(struct hbk_client *client, const hbk_notification *notice)
{
    const struct hbk_arrivals *queue = &client->arrivals[HBK_ARRIVAL_NOTICE];
    struct notice_body *body = NULL;

    if (!client->notices_wanted)
        return;
    if (queue->bytes < HBK_NOTIFICATIONS_MAX * sizeof *body)
        body = malloc(sizeof *body);
    if (body == NULL) {
        client->notices_missed++;
        return;
    }
    body->notice = *notice;
    body->notice.missed = client->notices_missed;
    client->notices_missed = 0;
    hbk_arrival_in(client, HBK_ARRIVAL_NOTICE, &body->arrival, sizeof *body);
}

void hbk_notifications_discard(struct hbk_client *client)
{
    struct hbk_arrivals *queue = &client->arrivals[HBK_ARRIVAL_NOTICE];
    struct hbk_arrival *arrival;

    while ((arrival = queue->first) != NULL) {
        queue->first = arrival->next;
        free(arrival);
    }
}

/* ---- what nobody has received yet ---- */

#define ANY_SESSION UINT64_MAX

/* Lets go what was taken back, or was offered by a session that has ended. Return: how many. */
static size_t withdraw(struct hbk_client *client, uint64_t delivery, uint64_t session)
{
    struct hbk_arrivals *queue = &client->arrivals[HBK_ARRIVAL_DELIVERY];
    struct hbk_arrival **at = &queue->first;
    size_t count = 0;

    queue->last = NULL;
    while (*at != NULL) {
        struct hbk_arrival *arrival = *at;
        struct hbk_delivery_body *body = (struct hbk_delivery_body *)(void *)arrival;
        if (body->delivery.id == delivery ||
            (body->delivery.offered &&
             (session == ANY_SESSION || body->delivery.from_session == session))) {
            *at = arrival->next;
            queue->bytes -= arrival->size;
            hbk_delivery_discard(body);
            count++;
        } else {
            queue->last = arrival;
            at = &arrival->next;
        }
    }
    return count;
}

uint64_t hbk_closed_bits(const uint32_t *closed, size_t count)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < count; i++) {
        if (closed[i] < HBK_ITEMS_MAX)
            bits |= (uint64_t)1 << closed[i];
    }
    return bits;
}

void hbk_revoked_in(struct hbk_client *client, const struct hbk_revoked *revoked)
{
    hbk_notification notice = {.kind = HBK_NOTIFICATION_REVOKED, .delivery = revoked->delivery};

    notice.closed = hbk_closed_bits(revoked->closed, revoked->closed_count);
    hbk_held_revoked(client, revoked->delivery, notice.closed);
    if (withdraw(client, revoked->delivery, 0) == 0)
        notice_in(client, &notice);
}

void hbk_session_gone_in(struct hbk_client *client, const struct hbk_session_gone *gone)
{
    hbk_notification notice = {.kind = HBK_NOTIFICATION_SESSION_GONE, .session = gone->session};

    withdraw(client, 0, gone->session);
    notice_in(client, &notice);
}

void hbk_reopened_in(struct hbk_client *client)
{
    const hbk_notification notice = {.kind = HBK_NOTIFICATION_REOPENED};

    notice_in(client, &notice);
}

void hbk_offers_discard(struct hbk_client *client)
{
    withdraw(client, 0, ANY_SESSION);
}

hbk_result hbk_notification_receive(hbk_client *client, uint32_t timeout_ms,
                                    hbk_notification *ret_notice, hbk_error_info *ret_error)
{
    struct hbk_arrival *arrival = NULL;

    if (client == NULL || ret_notice == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_notice is NULL");
    AcquireSRWLockExclusive(&client->lock);
    client->notices_wanted = true;
    ReleaseSRWLockExclusive(&client->lock);
    hbk_result result =
        hbk_arrival_receive(client, HBK_ARRIVAL_NOTICE, timeout_ms, &arrival, ret_error);
    if (result != HBK_OK)
        return result;
    *ret_notice = ((struct notice_body *)(void *)arrival)->notice;
    free(arrival);
    return HBK_OK;
}
