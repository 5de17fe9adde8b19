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
        if (waiter->receives && waiter->kind == kind && !waiter->done && !waiter->over) {
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

/* Both with the lock held. */
static struct hbk_arrival *wait_for(struct hbk_client *client, enum hbk_arrival_kind kind,
                                    uint64_t deadline_ms, struct hbk_error *ret_reason)
{
    struct hbk_waiter waiter = {.receives = true, .kind = kind, .deadline_ms = deadline_ms};

    hbk_io_enter(client, &waiter);
    hbk_io_wait(client, &waiter);
    hbk_io_leave(client, &waiter);
    if (waiter.over)
        *ret_reason = waiter.error;
    return waiter.arrival;
}

/* Return: NULL, there is none; ret_reason->code is not HBK_R_OK if that is because the connection is gone. */
static struct hbk_arrival *next(struct hbk_client *client, enum hbk_arrival_kind kind,
                                uint64_t deadline_ms, struct hbk_error *ret_reason)
{
    struct hbk_arrival *arrival = take_first(client, kind);

    ret_reason->code = HBK_R_OK;
    if (arrival == NULL && hbk_remaining_ms(deadline_ms) != 0 && !client->ended) {
        arrival = wait_for(client, kind, deadline_ms, ret_reason);
    } else {
        if (arrival == NULL && !client->ended) {
            hbk_io_poll(client, kind);
            arrival = take_first(client, kind);
        }
        if (client->armed)
            hbk_io_leave(client, NULL);
        if (client->ended)
            *ret_reason = client->reason;
    }
    if (arrival == NULL && ret_reason->code == HBK_R_OK)
        hbk_notify_received(client);
    return arrival;
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

/* A reopening that has failed may have brought something all the same. */
static bool has(struct hbk_client *client, enum hbk_arrival_kind kind)
{
    AcquireSRWLockShared(&client->lock);
    bool found = client->arrivals[kind].first != NULL;
    ReleaseSRWLockShared(&client->lock);
    return found;
}

/* The thread that tells, if there is one, goes on trying. */
static void left_to_notify(struct hbk_client *client)
{
    AcquireSRWLockExclusive(&client->lock);
    hbk_notify_again(client);
    ReleaseSRWLockExclusive(&client->lock);
}

hbk_result hbk_arrival_receive(struct hbk_client *client, enum hbk_arrival_kind kind,
                               uint32_t timeout_ms, struct hbk_arrival **ret_arrival,
                               hbk_error_info *ret_error)
{
    uint64_t deadline_ms = timeout_ms == INFINITE ? HBK_NEVER : hbk_now_ms() + timeout_ms;
    struct hbk_error reason;
    hbk_error_info error;
    bool again;

    for (;;) {
        AcquireSRWLockExclusive(&client->lock);
        struct hbk_arrival *arrival = next(client, kind, deadline_ms, &reason);
        ReleaseSRWLockExclusive(&client->lock);
        if (arrival != NULL) {
            *ret_arrival = arrival;
            return HBK_OK;
        }
        if (reason.code == HBK_R_OK)
            return hbk_fail(ret_error, HBK_TIMEOUT, -1, 0, "nothing came within the timeout");
        if (!(client->opening.flags & HBK_OPEN_REOPEN))
            break;
        if (hbk_reopen_until(client, deadline_ms, &again, &error) == HBK_OK || has(client, kind))
            continue;
        if (again)
            left_to_notify(client);
        if (again && timeout_ms != 0 && hbk_remaining_ms(deadline_ms) == 0)
            return hbk_fail(ret_error, HBK_TIMEOUT, -1, error.win32,
                            "nothing came within the timeout; the service is away: %s",
                            error.detail);
        error.result = HBK_DISCONNECTED;
        if (ret_error != NULL)
            *ret_error = error;
        return HBK_DISCONNECTED;
    }
    reason.code = HBK_DISCONNECTED;
    return hbk_fail_with(ret_error, &reason);
}
