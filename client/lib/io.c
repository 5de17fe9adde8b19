/* The connection, and how threads share it. The library has no thread of its own (notify.c's only looks,
 * as an application does): threads that are inside a call do its work, one of them for all.
 *
 * Leading and following
 * 1. Everything here is under the client's lock. It is not held while a thread sleeps, but for the
 *    moment in which a cancelled read comes to its end.
 * 2. At most one read and one write are pending. Any thread may start either, under the lock.
 * 3. The leader is the one thread that sleeps in the kernel until the read has ended. It takes in
 *    the lines, hands answers and deliveries to the threads that wait for them, and leads on until
 *    its own wait is over. All others, the followers, sleep on a condition variable of their own.
 * 4. Whoever leaves a call appoints a new leader, if there is none and somebody still waits.
 *    So as long as a thread waits, one leads or one is on its way to lead.
 * 5. A thread whose write is pending sleeps in the kernel until that has ended, as leader together
 *    with the read, as follower together with the `baton`, which calls it to lead. A thread never
 *    leaves before its write has ended. Others that want to write wait for their turn as
 *    followers.
 * 6. Nobody sleeps for a write without a read pending, here or in another thread; otherwise
 *    service and client could each wait for the other to read, with both directions full.
 *
 * The read
 * 7. A read is started when somebody is about to wait, not before: what has arrived meanwhile
 *    then comes at once, which is the cheapest way. Once the application has the wait handle, a
 *    read is also pending whenever nobody is inside a call.
 * 8. A read that Windows aborted (ERROR_OPERATION_ABORTED: the thread that had started it has
 *    ended) is started again. One that we cancel may have ended with data all the same: its data
 *    is taken in.
 * 9. A set of an event may be meant for an earlier read: a read is seen to have ended a moment
 *    before its event is set. Who was woken and finds the read still pending resets the event and
 *    looks once more. Nobody else resets the event of a pending read: a leader could miss its end.
 *
 * The application's event `arrived`, once it was asked for
 * 10. Normally it is the event of the pending read, and a line that arrives sets it with no help
 *     of ours.
 * 11. While a queue is not empty it must be set. A leader that has to wait then would wake again
 *     and again by it: it reads with the event `apart` instead.
 * 12. Before the last thread leaves with all queues empty, the read is back on `arrived`.
 *
 * The end
 * 13. hbk_io_fail() says that the connection is to end. The next thread that is about to lead or to
 *     leave, with no leader there, does it: takes in what has arrived to the last byte, so that no
 *     handle that the service has told us of is lost, and wakes everybody.
 * 14. Who is inside a call then is `over`: it belongs to that connection, and leaves, also if the client has
 *     another by the time it wakes. */
#include "client.h"

#include <string.h>

enum read_start { READ_PENDING, READ_TAKEN_IN, READ_FAILED };

uint64_t hbk_now_ms(void)
{
    return GetTickCount64();
}

uint32_t hbk_remaining_ms(uint64_t deadline_ms)
{
    if (deadline_ms == HBK_NEVER)
        return INFINITE;
    uint64_t now = hbk_now_ms();
    if (now >= deadline_ms)
        return 0;
    uint64_t left = deadline_ms - now;
    return left < INFINITE ? (uint32_t)left : INFINITE - 1;
}

static bool ended(const struct hbk_operation *transfer)
{
    return HasOverlappedIoCompleted(&transfer->overlapped) != 0;
}

/* Sleeps until @transfer has ended, which is near. */
static void settle(struct hbk_operation *transfer)
{
    while (!ended(transfer)) {
        WaitForSingleObject(transfer->event, INFINITE);
        if (!ended(transfer))
            ResetEvent(transfer->event); /* rule 9 */
    }
}

bool hbk_io_has_arrived(const struct hbk_client *client)
{
    return client->arrivals[HBK_ARRIVAL_DELIVERY].first != NULL ||
           client->arrivals[HBK_ARRIVAL_RECORD].first != NULL ||
           client->arrivals[HBK_ARRIVAL_NOTICE].first != NULL;
}

static void set_arrived(struct hbk_client *client)
{
    if (!client->arrived_set) {
        SetEvent(client->arrived);
        client->arrived_set = true;
    }
}

static void lost(struct hbk_client *client, uint32_t win32)
{
    hbk_io_fail(
        client, HBK_DISCONNECTED, win32,
        "the service has closed the connection; reopen this client, or close it and open another");
}

/* ---- the read ---- */

static void take_in(struct hbk_client *client, size_t size)
{
    struct hbk_text line;
    int next;

    if (client->deaf)
        return;
    if (hbk_framer_push(&client->framer, client->bytes, size) < 0) {
        client->deaf = true;
        hbk_io_fail(client, HBK_NO_MEMORY, 0, "out of memory for what the service sent");
        return;
    }
    while ((next = hbk_framer_next(&client->framer, &line)) == HBK_FRAME_LINE) {
        if (!hbk_line_in(client, line)) {
            client->deaf = true;
            return;
        }
    }
    if (next == HBK_FRAME_E_TOO_LONG) {
        client->deaf = true;
        hbk_io_fail(client, HBK_DISCONNECTED, 0, "the service sent a line that is too long");
    }
}

static enum read_start read_start(struct hbk_client *client, HANDLE event)
{
    DWORD size = 0;

    HBK_ASSERT(!client->read.pending && client->leader == NULL && client->pipe != NULL);
    memset(&client->read.overlapped, 0, sizeof client->read.overlapped);
    client->read.overlapped.hEvent = event;
    client->read.event = event;
    if (event == client->arrived)
        client->arrived_set = false;
    if (ReadFile(client->pipe, client->bytes, sizeof client->bytes, &size,
                 &client->read.overlapped)) {
        take_in(client, size);
        return READ_TAKEN_IN;
    }
    DWORD error = GetLastError();
    if (error == ERROR_IO_PENDING) {
        client->read.pending = true;
        return READ_PENDING;
    }
    client->deaf = true;
    lost(client, error);
    return READ_FAILED;
}

/* Takes in a read that has ended. Its event is set by that, or will be in a moment. */
static void read_finish(struct hbk_client *client)
{
    DWORD size = 0;

    HBK_ASSERT(client->read.pending && ended(&client->read));
    client->read.pending = false;
    if (client->read.event == client->arrived)
        client->arrived_set = true;
    if (GetOverlappedResult(client->pipe, &client->read.overlapped, &size, FALSE)) {
        take_in(client, size);
        return;
    }
    DWORD error = GetLastError();
    if (error != ERROR_OPERATION_ABORTED) { /* rule 8 */
        client->deaf = true;
        lost(client, error);
    }
}

static void read_cancel(struct hbk_client *client)
{
    CancelIoEx(client->pipe, &client->read.overlapped);
    settle(&client->read);
    read_finish(client);
    client->arrived_set = false; /* settle() may have reset it */
}

/* Sees to it that a read is pending on the right event. False: lines were taken in, or the
 * connection is ending; look again before you sleep. */
static bool read_ready(struct hbk_client *client)
{
    bool apart = client->armed && hbk_io_has_arrived(client); /* rule 11 */

    if (client->read.pending && ended(&client->read)) {
        read_finish(client);
        return false;
    }
    if (client->read.pending && apart && client->read.event == client->arrived) {
        read_cancel(client);
        return false;
    }
    if (apart)
        set_arrived(client);
    if (client->read.pending)
        return true;
    return read_start(client, apart ? client->apart : client->arrived) == READ_PENDING;
}

/* The leader has seen the read's event set. */
static void read_signalled(struct hbk_client *client)
{
    if (!client->read.pending)
        return; /* hbk_io_poll() was faster */
    if (!ended(&client->read)) {
        if (client->armed && hbk_io_has_arrived(client) && client->read.event == client->arrived)
            return; /* set by hand, for the application; read_ready() will get out of its way */
        ResetEvent(client->read.event);
        if (client->read.event == client->arrived)
            client->arrived_set = false;
        if (!ended(&client->read))
            return;
    }
    read_finish(client);
}

/* ---- the end ---- */

void hbk_io_fail(struct hbk_client *client, int32_t code, uint32_t win32, const char *detail)
{
    if (client->ending)
        return;
    client->ending = true;
    hbk_error_set(&client->reason, code, "%s", detail);
    client->reason.win32 = win32;
    if (client->leader != NULL && client->read.pending)
        CancelIoEx(client->pipe, &client->read.overlapped); /* wakes the leader */
}

static void pipe_close(struct hbk_client *client)
{
    if (client->pipe != NULL && client->ended && client->writer == NULL) {
        CloseHandle(client->pipe);
        client->pipe = NULL;
        WakeAllConditionVariable(&client->reopened); /* who reopens waits for it */
    }
}

static void end_now(struct hbk_client *client)
{
    HBK_ASSERT(client->ending && !client->ended && client->leader == NULL);
    if (client->read.pending)
        read_cancel(client);
    for (int i = 0; i < HBK_DRAIN_READS_MAX && !client->deaf; i++) {
        if (read_start(client, client->apart) == READ_PENDING) {
            read_cancel(client);
            break;
        }
    }
    client->ended = true;
    if (client->writer != NULL) {
        CancelIoEx(client->pipe, &client->write.overlapped);
        SetEvent(client->baton);
    }
    for (struct hbk_waiter *waiter = client->first; waiter != NULL; waiter = waiter->next) {
        if (!waiter->done) {
            waiter->over = true; /* rule 14 */
            waiter->error = client->reason;
        }
        WakeConditionVariable(&waiter->wake);
    }
    if (client->armed) {
        client->arrived_set = false;
        set_arrived(client);
    }
    pipe_close(client);
}

static void end_if_due(struct hbk_client *client)
{
    if (client->ending && !client->ended && client->leader == NULL)
        end_now(client);
}

void hbk_io_end(struct hbk_client *client)
{
    HBK_ASSERT(client->first == NULL);
    hbk_io_fail(client, HBK_DISCONNECTED, 0, "this client was closed");
    end_if_due(client);
    HBK_ASSERT(client->ended);
}

/* ---- waiting ---- */

/* Somebody has closed a handle that was not his. */
static void wait_failed(struct hbk_client *client, uint32_t win32)
{
    hbk_io_fail(
        client, HBK_OS_ERROR, win32,
        "a handle of the client library's was closed by somebody else; look for a double close");
}

/* Sleeps as leader until the read or, if it is this thread's, the write has ended. */
static void lead(struct hbk_client *client, struct hbk_waiter *waiter)
{
    HANDLE events[2];
    DWORD count = 1;

    if (!read_ready(client))
        return;
    events[0] = client->read.event;
    if (client->writer == waiter)
        events[count++] = client->written;
    client->leader = waiter;
    ReleaseSRWLockExclusive(&client->lock);
    DWORD which =
        WaitForMultipleObjects(count, events, FALSE, hbk_remaining_ms(waiter->deadline_ms));
    DWORD error = GetLastError();
    AcquireSRWLockExclusive(&client->lock);
    HBK_ASSERT(client->leader == waiter);
    client->leader = NULL;
    if (which == WAIT_OBJECT_0)
        read_signalled(client);
    else if (which == WAIT_OBJECT_0 + 1 && !ended(&client->write))
        ResetEvent(client->written);
    else if (which == WAIT_FAILED)
        wait_failed(client, error);
}

/* Sleeps until this thread's write has ended, or it is called to lead. */
static void follow_writing(struct hbk_client *client, struct hbk_waiter *waiter)
{
    HANDLE events[2] = {client->written, client->baton};

    ReleaseSRWLockExclusive(&client->lock);
    DWORD which = WaitForMultipleObjects(2, events, FALSE, hbk_remaining_ms(waiter->deadline_ms));
    DWORD error = GetLastError();
    AcquireSRWLockExclusive(&client->lock);
    if (which == WAIT_OBJECT_0 && !ended(&client->write))
        ResetEvent(client->written);
    else if (which == WAIT_FAILED)
        wait_failed(client, error);
}

/* Sleeps once, for anything that may change what the caller waits for. False: the deadline has
 * passed. */
static bool step(struct hbk_client *client, struct hbk_waiter *waiter)
{
    end_if_due(client);
    if (client->ended) {
        if (client->writer == waiter)
            settle(&client->write);
        return true;
    }
    uint32_t left = hbk_remaining_ms(waiter->deadline_ms);
    if (left == 0)
        return false;
    if (client->leader == NULL)
        lead(client, waiter);
    else if (client->writer == waiter)
        follow_writing(client, waiter);
    else
        SleepConditionVariableSRW(&waiter->wake, &client->lock, left, 0);
    return true;
}

/* The service is silent. What it may have said in the last moment is still taken in by
 * end_now(). */
static void give_up(struct hbk_client *client, struct hbk_waiter *waiter)
{
    hbk_io_fail(
        client, HBK_TIMEOUT, 0,
        "the service did not answer in time, so the connection was ended; see whether it runs");
    waiter->deadline_ms = HBK_NEVER; /* the end is near now */
}

void hbk_io_wait(struct hbk_client *client, struct hbk_waiter *waiter)
{
    while (!waiter->done && !waiter->over) {
        if (step(client, waiter))
            continue;
        if (waiter->receives)
            return;
        give_up(client, waiter);
    }
}

void hbk_io_enter(struct hbk_client *client, struct hbk_waiter *waiter)
{
    InitializeConditionVariable(&waiter->wake);
    waiter->previous = client->last;
    waiter->next = NULL;
    if (client->last != NULL)
        client->last->next = waiter;
    else
        client->first = waiter;
    client->last = waiter;
}

/* Nobody is inside a call: rules 10 to 12. */
static void rest(struct hbk_client *client)
{
    while (!client->ending) {
        if (hbk_io_has_arrived(client)) {
            set_arrived(client);
            return;
        }
        if (!client->read.pending) {
            read_start(client, client->arrived);
        } else if (client->read.event != client->arrived) {
            read_cancel(client);
        } else if (client->arrived_set) {
            ResetEvent(client->arrived);
            client->arrived_set = false;
            if (ended(&client->read))
                read_finish(client);
        } else {
            return;
        }
    }
    end_if_due(client);
}

void hbk_io_leave(struct hbk_client *client, struct hbk_waiter *waiter)
{
    if (waiter != NULL) {
        if (waiter->previous != NULL)
            waiter->previous->next = waiter->next;
        else
            client->first = waiter->next;
        if (waiter->next != NULL)
            waiter->next->previous = waiter->previous;
        else
            client->last = waiter->previous;
    }
    end_if_due(client);
    if (client->leader != NULL || client->ended)
        return;
    if (client->writer != NULL)
        SetEvent(client->baton);
    else if (client->first != NULL)
        WakeConditionVariable(&client->first->wake);
    else if (client->armed)
        rest(client);
}

/* An application that was woken twice and found nothing may be looking at a set that was meant for
 * an earlier read. With no leader there, nobody else can be waiting for it. */
static void clear_stale(struct hbk_client *client)
{
    if (client->armed && client->leader == NULL && !hbk_io_has_arrived(client) &&
        client->read.event == client->arrived && ++client->empty_polls == 2) {
        ResetEvent(client->arrived);
        client->arrived_set = false;
    }
}

void hbk_io_poll(struct hbk_client *client, enum hbk_arrival_kind kind)
{
    if (client->read.pending && !client->ended) {
        if (!ended(&client->read))
            clear_stale(client);
        if (ended(&client->read))
            read_finish(client);
    }
    for (int i = 0; i < HBK_POLL_READS_MAX && client->leader == NULL && !client->ending &&
                    !client->read.pending &&
                    (kind == HBK_ARRIVAL_KINDS || client->arrivals[kind].first == NULL);
         i++)
        read_start(client, client->arrived);
    if (hbk_io_has_arrived(client))
        client->empty_polls = 0;
    end_if_due(client);
}

bool hbk_io_peek(struct hbk_client *client)
{
    HBK_ASSERT(client->armed);
    if (!hbk_io_has_arrived(client) && !client->ended) {
        client->empty_polls = 1; /* it was set for this look */
        hbk_io_poll(client, HBK_ARRIVAL_DELIVERY);
    }
    hbk_io_leave(client, NULL);
    return hbk_io_has_arrived(client) || client->ended;
}

void hbk_io_arm(struct hbk_client *client)
{
    if (client->armed)
        return;
    client->armed = true;
    if (client->first == NULL && !client->ended)
        rest(client);
    else if (hbk_io_has_arrived(client) || client->ended)
        set_arrived(client);
}

void hbk_io_queue_emptied(struct hbk_client *client)
{
    if (client->armed && client->arrived_set && !hbk_io_has_arrived(client) &&
        client->leader != NULL && client->read.pending && client->read.event == client->apart &&
        !client->ended) {
        ResetEvent(client->arrived);
        client->arrived_set = false;
    }
}

/* ---- the write ---- */

static void pass_turn(struct hbk_client *client)
{
    client->writer = NULL;
    pipe_close(client);
    for (struct hbk_waiter *waiter = client->first; waiter != NULL; waiter = waiter->next) {
        if (waiter->wants_turn) {
            WakeConditionVariable(&waiter->wake);
            return;
        }
    }
}

/* Waits for the pending write of @waiter. */
static bool write_finish(struct hbk_client *client, struct hbk_waiter *waiter, size_t size)
{
    DWORD written = 0;

    while (!ended(&client->write)) {
        if (!step(client, waiter))
            give_up(client, waiter);
    }
    if (GetOverlappedResult(client->pipe, &client->write.overlapped, &written, FALSE) &&
        written == size)
        return true;
    lost(client, GetLastError());
    return false;
}

bool hbk_io_write(struct hbk_client *client, struct hbk_waiter *waiter, const void *line,
                  size_t size)
{
    DWORD written = 0;
    bool whole = false;

    waiter->wants_turn = true;
    while (client->writer != NULL && !client->ending && !waiter->over) {
        if (!step(client, waiter))
            give_up(client, waiter);
    }
    waiter->wants_turn = false;
    if (client->ending || waiter->over)
        return false;
    client->writer = waiter;
    memset(&client->write.overlapped, 0, sizeof client->write.overlapped);
    client->write.overlapped.hEvent = client->written;
    client->write.event = client->written;
    if (WriteFile(client->pipe, line, (DWORD)size, &written, &client->write.overlapped)) {
        whole = written == size;
        if (!whole)
            lost(client, ERROR_WRITE_FAULT);
    } else if (GetLastError() == ERROR_IO_PENDING) {
        whole = write_finish(client, waiter, size);
    } else {
        lost(client, GetLastError());
    }
    pass_turn(client);
    return whole;
}

/* ---- another connection ---- */

bool hbk_io_adopt(struct hbk_client *client, struct hbk_client *fresh)
{
    struct hbk_framer framer = client->framer;

    HBK_ASSERT(client->ended && client->pipe == NULL && client->leader == NULL);
    HBK_ASSERT(!client->read.pending && client->writer == NULL);
    HBK_ASSERT(fresh->first == NULL && fresh->writer == NULL && !fresh->armed);
    if (fresh->read.pending)
        read_cancel(fresh); /* it is on its memory and its event */
    if (fresh->ending)
        return false;
    client->pipe = fresh->pipe;
    client->framer = fresh->framer;
    client->deaf = client->ending = client->ended = false;
    ResetEvent(client->arrived); /* it was set for the end */
    client->arrived_set = false;
    client->empty_polls = 0;
    fresh->pipe = NULL;
    fresh->framer = framer;
    fresh->deaf = fresh->ending = fresh->ended = true;
    return true;
}
