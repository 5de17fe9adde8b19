/* What the service says without being asked, on its way to the application: kept in order until a
 * thread receives it. */
#include "client.h"

void hbk_arrival_in(struct hbk_client *client, enum hbk_arrival_kind kind,
                    struct hbk_arrival *arrival, size_t size)
{
    struct hbk_arrivals *queue = &client->arrivals[kind];

    arrival->next = NULL;
    arrival->size = size;
    for (struct hbk_waiter *waiter = client->first; waiter != NULL; waiter = waiter->next) {
        if (waiter->receives && waiter->kind == kind && !waiter->done) {
            waiter->arrival = arrival;
            waiter->done = true;
            WakeConditionVariable(&waiter->wake);
            return;
        }
    }
    if (queue->last != NULL)
        queue->last->next = arrival;
    else
        queue->first = arrival;
    queue->last = arrival;
    queue->bytes += size;
}

static struct hbk_arrival *take_first(struct hbk_client *client, enum hbk_arrival_kind kind)
{
    struct hbk_arrivals *queue = &client->arrivals[kind];
    struct hbk_arrival *arrival = queue->first;

    if (arrival == NULL)
        return NULL;
    queue->first = arrival->next;
    queue->bytes -= arrival->size;
    arrival->next = NULL;
    if (queue->first == NULL) {
        HBK_ASSERT(queue->bytes == 0);
        queue->last = NULL;
        hbk_io_queue_emptied(client);
    }
    return arrival;
}

static struct hbk_arrival *wait_for(struct hbk_client *client, enum hbk_arrival_kind kind,
                                    uint32_t timeout_ms)
{
    struct hbk_waiter waiter = {0};

    waiter.receives = true;
    waiter.kind = kind;
    waiter.deadline_ms = timeout_ms == INFINITE ? HBK_NEVER : hbk_now_ms() + timeout_ms;
    hbk_io_enter(client, &waiter);
    hbk_io_wait(client, &waiter);
    hbk_io_leave(client, &waiter);
    return waiter.arrival;
}

void hbk_arrival_look(struct hbk_client *client)
{
    AcquireSRWLockExclusive(&client->lock);
    if (!client->ended) {
        hbk_io_poll(client, HBK_ARRIVAL_KINDS);
        if (client->armed)
            hbk_io_leave(client, NULL);
    }
    ReleaseSRWLockExclusive(&client->lock);
}

hbk_result hbk_arrival_receive(struct hbk_client *client, enum hbk_arrival_kind kind,
                               uint32_t timeout_ms, struct hbk_arrival **ret_arrival,
                               hbk_error_info *ret_error)
{
    struct hbk_arrival *arrival;

    AcquireSRWLockExclusive(&client->lock);
    arrival = take_first(client, kind);
    if (arrival == NULL && timeout_ms != 0 && !client->ended) {
        arrival = wait_for(client, kind, timeout_ms);
    } else {
        if (arrival == NULL && !client->ended) {
            hbk_io_poll(client, kind);
            arrival = take_first(client, kind);
        }
        if (client->armed)
            hbk_io_leave(client, NULL);
    }
    if (arrival == NULL && !client->ended)
        hbk_notify_received(client);
    bool ended = client->ended;
    ReleaseSRWLockExclusive(&client->lock);
    if (arrival == NULL && ended) {
        struct hbk_error reason = client->reason; /* does not change once it has ended */
        reason.code = HBK_DISCONNECTED;
        return hbk_fail_with(ret_error, &reason);
    }
    if (arrival == NULL)
        return hbk_fail(ret_error, HBK_TIMEOUT, -1, 0, "nothing came within the timeout");
    *ret_arrival = arrival;
    return HBK_OK;
}
