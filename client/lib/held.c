/* Deliveries that can be taken back, from their arrival until they are freed. When the service has closed a
 * handle in this process, whoever has the delivery must not close that value a second time: by then it
 * may be another handle's. The list belongs to the process, as a delivery may outlive its client. */
#include "client.h"

static SRWLOCK ends = SRWLOCK_INIT; /* before any client's: shared, so long as one is not to go */
static SRWLOCK lock = SRWLOCK_INIT; /* after any client's */
static struct hbk_delivery_body *first;

void hbk_held_add(struct hbk_client *client, struct hbk_delivery_body *body)
{
    HBK_ASSERT(body->owner == NULL && body->delivery.revocable);
    AcquireSRWLockExclusive(&lock);
    body->owner = client;
    body->previous = NULL;
    body->next = first;
    if (first != NULL)
        first->previous = body;
    first = body;
    ReleaseSRWLockExclusive(&lock);
}

static void take_out(struct hbk_delivery_body *body)
{
    if (body->previous != NULL)
        body->previous->next = body->next;
    else
        first = body->next;
    if (body->next != NULL)
        body->next->previous = body->previous;
    body->owner = NULL;
}

void hbk_held_remove(struct hbk_delivery_body *body)
{
    AcquireSRWLockExclusive(&lock);
    if (body->owner != NULL)
        take_out(body);
    ReleaseSRWLockExclusive(&lock);
}

/* Who has a delivery need not have read what the service has said since. */
void hbk_held_look(const struct hbk_delivery_body *body)
{
    AcquireSRWLockShared(&ends);
    AcquireSRWLockShared(&lock);
    struct hbk_client *client = body->owner;
    ReleaseSRWLockShared(&lock);
    if (client != NULL)
        hbk_arrival_look(client);
    ReleaseSRWLockShared(&ends);
}

void hbk_held_revoked(const struct hbk_client *client, uint64_t delivery, uint64_t closed)
{
    AcquireSRWLockExclusive(&lock);
    for (struct hbk_delivery_body *body = first; body != NULL; body = body->next) {
        if (body->owner != client || body->delivery.id != delivery)
            continue;
        body->revoked |= closed;
        for (size_t i = 0; i < body->delivery.count; i++) {
            if (closed >> i & 1)
                body->items[i].handle = NULL;
        }
    }
    ReleaseSRWLockExclusive(&lock);
}

void hbk_held_place(struct hbk_delivery_body *body, size_t index, HANDLE handle)
{
    AcquireSRWLockExclusive(&lock);
    body->items[index].handle = body->revoked >> index & 1 ? NULL : handle;
    ReleaseSRWLockExclusive(&lock);
}

HANDLE hbk_held_take(struct hbk_delivery_body *body, size_t index)
{
    AcquireSRWLockExclusive(&lock);
    HANDLE handle = body->items[index].handle;
    body->items[index].handle = NULL;
    ReleaseSRWLockExclusive(&lock);
    return handle;
}

void hbk_held_move(struct hbk_client *to, const struct hbk_client *from)
{
    AcquireSRWLockExclusive(&lock);
    for (struct hbk_delivery_body *body = first; body != NULL; body = body->next) {
        if (body->owner == from)
            body->owner = to;
    }
    ReleaseSRWLockExclusive(&lock);
}

void hbk_held_forget(const struct hbk_client *client)
{
    AcquireSRWLockExclusive(&ends);
    AcquireSRWLockExclusive(&lock);
    for (struct hbk_delivery_body *body = first, *next; body != NULL; body = next) {
        next = body->next;
        if (body->owner == client)
            take_out(body);
    }
    ReleaseSRWLockExclusive(&lock);
    ReleaseSRWLockExclusive(&ends);
}
