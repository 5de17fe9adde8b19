/* A connection in the place of one that is gone.
 *
 * It is made as a client of its own, by what hbk_open() does and with the same checks; whatever goes wrong until
 * all endpoints are open there, nobody sees but the thread that is at it. Then it takes the place of the old
 * one, in one step under the lock. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

/* Another try may do better than @result. */
static bool may_pass(hbk_result result)
{
    switch (result) {
    case HBK_UNAVAILABLE:
    case HBK_UNTRUSTED: /* one process goes, another comes: for a moment the manager knows one, the pipe the other */
    case HBK_BUSY:
    case HBK_QUOTA:
    case HBK_STOPPING:
    case HBK_TIMEOUT:
    case HBK_DISCONNECTED:
        return true;
    default:
        return false;
    }
}

uint32_t hbk_reopen_pause_ms(const struct hbk_client *client, unsigned tries)
{
    uint32_t most = tries < 6 ? HBK_REOPEN_PAUSE_MS << tries : HBK_REOPEN_PAUSE_MS_MAX;
    LARGE_INTEGER now;

    if (most > HBK_REOPEN_PAUSE_MS_MAX)
        most = HBK_REOPEN_PAUSE_MS_MAX;
    QueryPerformanceCounter(&now);
    uint64_t mixed = ((uint64_t)now.QuadPart ^ (uint64_t)GetCurrentProcessId() << 32 ^
                      (uint64_t)(uintptr_t)client) *
                     0x9E3779B97F4A7C15u;
    return most / 2 + (uint32_t)(mixed >> 33) % (most / 2 + 1);
}

/* ---- the endpoints ---- */

static hbk_result cannot(hbk_error_info *ret_error, const struct hbk_listening *listening)
{
    hbk_error_info why = *ret_error;
    struct hbk_text name = listening->params.name;

    hbk_fail(ret_error, why.result, why.item, why.win32, "the endpoint %.*s%s: %s",
             name.size > 100 ? 100 : (int)name.size, name.data, name.size > 100 ? "..." : "",
             why.detail);
    memcpy(ret_error->limit, why.limit, sizeof ret_error->limit);
    return why.result;
}

static void close_over(struct hbk_client *fresh, const struct hbk_listening *listening,
                       uint64_t deadline_ms)
{
    const struct hbk_endpoint_close params = {.name = listening->params.name};
    hbk_call_until(fresh, HBK_METHOD_ENDPOINT_CLOSE, &params, deadline_ms, NULL, NULL, NULL);
}

/* What is to be opened, or to be let go. With the lock held. */
static struct hbk_listening **next(struct hbk_client *client)
{
    struct hbk_listening **at = &client->listening;

    while (*at != NULL && !(*at)->unwanted && (*at)->restored)
        at = &(*at)->next;
    return at;
}

/* With the lock held. */
static void move_arrivals(struct hbk_client *client, struct hbk_client *fresh)
{
    hbk_held_move(client, fresh);
    for (int kind = 0; kind < HBK_ARRIVAL_KINDS; kind++) {
        struct hbk_arrivals *queue = &fresh->arrivals[kind];
        for (struct hbk_arrival *arrival = queue->first, *after; arrival != NULL; arrival = after) {
            after = arrival->next;
            hbk_arrival_in(client, (enum hbk_arrival_kind)kind, arrival, arrival->size);
        }
        memset(queue, 0, sizeof *queue);
    }
    client->last_serial = fresh->last_serial;
    client->notices_missed += fresh->notices_missed;
}

/* With the lock held. Return: false, @fresh has lost its connection. */
static bool take_place(struct hbk_client *client, struct hbk_client *fresh)
{
    AcquireSRWLockExclusive(&fresh->lock);
    bool taken = hbk_io_adopt(client, fresh);
    ReleaseSRWLockExclusive(&fresh->lock);
    if (!taken)
        return false;
    client->epoch = fresh->epoch;
    client->since_ms = hbk_now_ms();
    client->stopping = false;
    client->reason.code = HBK_R_OK;
    hbk_offers_discard(client);
    hbk_reopened_in(client);
    move_arrivals(client, fresh);
    hbk_notify_again(client);
    hbk_io_leave(client, NULL); /* somebody leads, or the wait handle waits */
    return true;
}

/* Brings @fresh to where @client was, step by step, and lets it take its place. */
static hbk_result restore(struct hbk_client *client, struct hbk_client *fresh, uint64_t deadline_ms,
                          hbk_error_info *ret_error)
{
    for (;;) {
        hbk_result result = HBK_OK;
        AcquireSRWLockExclusive(&client->lock);
        struct hbk_listening **at = next(client), *listening = *at;
        bool unwanted = listening != NULL && listening->unwanted;
        bool watch = listening == NULL && client->watching && !fresh->watching;
        bool done = listening == NULL && !watch;
        bool taken = done && take_place(client, fresh);
        if (unwanted)
            *at = listening->next;
        ReleaseSRWLockExclusive(&client->lock);
        if (taken)
            return HBK_OK;
        if (done)
            return hbk_fail_with(ret_error, &fresh->reason);
        if (watch) {
            result = hbk_call_until(fresh, HBK_METHOD_BROKER_WATCH, NULL, deadline_ms, NULL, NULL,
                                    ret_error);
            fresh->watching = true;
        } else if (unwanted) {
            if (listening->restored)
                close_over(fresh, listening, deadline_ms);
            free(listening);
        } else {
            result = hbk_call_until(fresh, HBK_METHOD_ENDPOINT_OPEN, &listening->params,
                                    deadline_ms, NULL, NULL, ret_error);
            if (result != HBK_OK)
                return cannot(ret_error, listening);
            listening->restored = true;
        }
        if (result != HBK_OK)
            return result;
    }
}

/* What has come to @fresh is kept, as by hbk_close() and for the same reason; but nobody can answer its offers. */
static void give_up(struct hbk_client *client, struct hbk_client *fresh)
{
    uint64_t deadline_ms = hbk_now_ms() + HBK_CLOSE_TIMEOUT_MS;

    for (struct hbk_listening *at = client->listening; at != NULL; at = at->next) {
        if (at->restored)
            close_over(fresh, at, deadline_ms);
    }
    AcquireSRWLockExclusive(&fresh->lock);
    if (!fresh->ended)
        hbk_io_end(fresh);
    ReleaseSRWLockExclusive(&fresh->lock);
    AcquireSRWLockExclusive(&client->lock);
    move_arrivals(client, fresh);
    hbk_offers_discard(client);
    if (hbk_io_has_arrived(client))
        hbk_notify_again(client);
    ReleaseSRWLockExclusive(&client->lock);
}

/* ---- trying ---- */

/* *ret_again: another try may be better. */
static hbk_result try_once(struct hbk_client *client, bool *ret_again, hbk_error_info *ret_error)
{
    uint64_t now = hbk_now_ms(), deadline_ms = now + client->opening.timeout_ms;
    unsigned epoch = client->last_epoch % HBK_EPOCHS_MAX + 1;
    struct hbk_client *fresh = NULL;

    hbk_result result =
        hbk_session_new(&client->opening, epoch, now, deadline_ms, &fresh, ret_error);
    *ret_again = may_pass(result);
    if (result != HBK_OK)
        return result;
    AcquireSRWLockExclusive(&client->lock);
    client->last_epoch = epoch;
    fresh->notices_wanted = client->notices_wanted;
    fresh->last_serial = client->last_serial;
    for (struct hbk_listening *at = client->listening; at != NULL; at = at->next)
        at->restored = false;
    ReleaseSRWLockExclusive(&client->lock);
    result = restore(client, fresh, deadline_ms, ret_error);
    *ret_again = may_pass(result) && result != HBK_QUOTA;
    if (result != HBK_OK)
        give_up(client, fresh);
    hbk_session_free(fresh);
    return result;
}

/* Sleeps before another try. Return: false, there is no time for one. */
static bool rest(const struct hbk_client *client, unsigned tries, uint64_t deadline_ms)
{
    uint32_t left = hbk_remaining_ms(deadline_ms), pause = hbk_reopen_pause_ms(client, tries);

    Sleep(pause < left ? pause : left);
    return left != 0;
}

static hbk_result try_until(struct hbk_client *client, uint64_t deadline_ms, bool *ret_again,
                            hbk_error_info *ret_error)
{
    /* One that ends as soon as it is there is not made again and again without a pause, also by who has no
     * time to wait for the service: that one would hurry most. */
    if (client->epoch != 0 && hbk_now_ms() - client->since_ms < HBK_REOPEN_PAUSE_MS_MAX)
        Sleep(hbk_reopen_pause_ms(client, 1));
    for (unsigned tries = 0;; tries++) {
        hbk_result result = try_once(client, ret_again, ret_error);
        if (result == HBK_OK || !*ret_again || !rest(client, tries, deadline_ms))
            return result;
    }
}

/* Waits for the end of a connection whose service is about to stop. With the lock held. */
static void wait_for_end(struct hbk_client *client, uint64_t deadline_ms)
{
    struct hbk_waiter waiter = {
        .receives = true, .kind = HBK_ARRIVAL_KINDS, .deadline_ms = deadline_ms};

    hbk_io_enter(client, &waiter);
    hbk_io_wait(client, &waiter);
    hbk_io_leave(client, &waiter);
}

/* Return: HBK_BUSY, it is this thread's to reopen; else it need not, or could not. With the lock held. */
static hbk_result begin(struct hbk_client *client, uint64_t deadline_ms, hbk_error_info *ret_error)
{
    if (!client->ended && (client->stopping || client->ending))
        wait_for_end(client, client->ending ? HBK_NEVER : deadline_ms);
    while (client->ended && (client->reopening || client->pipe != NULL)) {
        /* Who holds the pipe still is on its way out. */
        uint32_t left = client->reopening ? hbk_remaining_ms(deadline_ms) : INFINITE;
        if (!SleepConditionVariableSRW(&client->reopened, &client->lock, left, 0))
            return hbk_fail(ret_error, HBK_UNAVAILABLE, -1, 0,
                            "another thread is about to reopen this client");
    }
    if (client->ended) {
        client->reopening = true;
        return HBK_BUSY;
    }
    if (client->stopping)
        return hbk_fail(ret_error, HBK_STOPPING, -1, 0,
                        "the service is about to stop, and has not closed the connection yet");
    return HBK_OK;
}

static void finish(struct hbk_client *client)
{
    AcquireSRWLockExclusive(&client->lock);
    client->reopening = false;
    for (struct hbk_listening **at = &client->listening; *at != NULL;) {
        struct hbk_listening *listening = *at;
        if (listening->unwanted) {
            *at = listening->next;
            free(listening);
        } else {
            at = &listening->next;
        }
    }
    WakeAllConditionVariable(&client->reopened);
    ReleaseSRWLockExclusive(&client->lock);
}

hbk_result hbk_reopen_until(struct hbk_client *client, uint64_t deadline_ms, bool *ret_again,
                            hbk_error_info *ret_error)
{
    hbk_error_info error;

    *ret_again = true;
    AcquireSRWLockExclusive(&client->lock);
    hbk_result result = begin(client, deadline_ms, ret_error);
    ReleaseSRWLockExclusive(&client->lock);
    if (result != HBK_BUSY)
        return result;
    result = try_until(client, deadline_ms, ret_again, &error);
    finish(client);
    if (result != HBK_OK && ret_error != NULL)
        *ret_error = error;
    return result;
}

hbk_result hbk_reopen(hbk_client *client, uint32_t timeout_ms, hbk_error_info *ret_error)
{
    bool again;

    if (client == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client is NULL");
    hbk_arrival_look(client);
    return hbk_reopen_until(client, timeout_ms == INFINITE ? HBK_NEVER : hbk_now_ms() + timeout_ms,
                            &again, ret_error);
}

hbk_result hbk_reopen_if_due(struct hbk_client *client, hbk_error_info *ret_error)
{
    hbk_error_info error;
    bool again;

    if (!(client->opening.flags & HBK_OPEN_REOPEN))
        return HBK_OK;
    hbk_arrival_look(client);
    AcquireSRWLockShared(&client->lock);
    bool due = client->ending;
    ReleaseSRWLockShared(&client->lock);
    if (!due || hbk_reopen_until(client, hbk_now_ms() + client->opening.timeout_ms, &again,
                                 &error) == HBK_OK)
        return HBK_OK;
    error.result = HBK_DISCONNECTED;
    if (ret_error != NULL)
        *ret_error = error;
    return HBK_DISCONNECTED;
}
