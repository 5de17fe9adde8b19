/* The pending reads of all pipes, and the one event that tells of their ends.
 *
 * What a hand-off costs is calls into the kernel, most of all; Wine's server makes them countable. To
 * take in one line costs 9 requests there with libuv (a completion port, a read of no bytes that waits,
 * then the read), 7 with a completion port of our own, 6 with ReadFileEx() and an alertable wait, and 5
 * with an event: start, sleep, wake up, fetch the data, be awake. An event for each pipe cannot be waited
 * for by the thousand, but one can be shared: an OVERLAPPED itself says whether its read has ended, and
 * to look at it is no call at all.
 *
 * 1. One thread starts the reads, scans them and waits for the event. The result of a read that pended is
 *    stored and its event set by an APC of the thread that started it, so by this one: between two of
 *    its own steps it finds both done, or neither. A read that ends at once sets the event too.
 * 2. A start resets the event, whatever other reads have set it.
 * 3. So the thread sleeps only if a whole scan that began after the last start found nothing. What had
 *    ended when the scan came by was found; what ended later has set the event, and nobody has reset it.
 * 4. An end that nobody follows with a start leaves the event set. Who was woken by it and finds nothing
 *    resets it, which counts as a start: rule 3 asks for another scan.
 * 5. A read that ends at once, or cannot be started, is found by the next scan like any other: so nothing
 *    is nested, and no operation of the seam feeds the core.
 * 6. A place with no read in it says "pending" too: a scan asks one question a place.
 * 7. The kernel writes to a place until its read has ended. It is given back after that, however long ago
 *    the pipe was closed.
 * 8. A scan begins behind the place that was looked at last, and one look takes in at most HBK_READS_PER_TURN ends
 *    of HBK_READS_LOOKED_AT places: no pipe starves another, nor the timers. Whose turn it is in the core is decided
 *    there (turn.h): a pipe is read from again only when the core has acted on what it brought. */
#include "parts.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB_PLACES = HBK_READ_SLAB_PLACES };

/* What OVERLAPPED.Internal says of a read that could not be started: STATUS_PIPE_BROKEN. */
#define NOT_STARTED ((ULONG_PTR)0xC000014Bu)

/* Packed, as 4,096 of them are looked at between two lines. */
struct hbk_read_slab {
    OVERLAPPED overlapped[SLAB_PLACES];
    struct hbk_connection *owner[SLAB_PLACES]; /* NULL: free */
    uint32_t used;
};

static OVERLAPPED *overlapped_of(struct hbk_reads *reads, uint32_t place)
{
    HBK_ASSERT(place < reads->slab_count * SLAB_PLACES);
    struct hbk_read_slab *slab = reads->slab[place / SLAB_PLACES];
    HBK_ASSERT(slab->owner[place % SLAB_PLACES] != NULL);
    return &slab->overlapped[place % SLAB_PLACES];
}

static bool has_ended(const OVERLAPPED *overlapped)
{
    return *(const volatile ULONG_PTR *)&overlapped->Internal != STATUS_PENDING;
}

int hbk_reads_init(struct hbk_reads *reads)
{
    memset(reads, 0, sizeof(*reads));
    reads->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    return reads->event != NULL ? 0 : -1;
}

void hbk_reads_deinit(struct hbk_reads *reads)
{
    HBK_ASSERT(reads->slab_count == 0);
    if (reads->event != NULL) {
        CloseHandle(reads->event);
        reads->event = NULL;
    }
}

static struct hbk_read_slab *new_slab(void)
{
    struct hbk_read_slab *slab = calloc(1, sizeof(*slab));
    if (slab != NULL) {
        for (uint32_t i = 0; i < SLAB_PLACES; i++) {
            slab->overlapped[i].Internal = STATUS_PENDING;
        }
    }
    return slab;
}

int hbk_reads_take_place(struct hbk_reads *reads, struct hbk_connection *owner, uint32_t *ret_place)
{
    uint32_t at = 0;
    uint32_t i = 0;

    while (at < reads->slab_count && reads->slab[at]->used == SLAB_PLACES) {
        at++;
    }
    if (at == reads->slab_count) {
        struct hbk_read_slab *slab = at < HBK_READ_SLABS_MAX ? new_slab() : NULL;
        if (slab == NULL) {
            return -1;
        }
        reads->slab[reads->slab_count++] = slab;
    }
    while (reads->slab[at]->owner[i] != NULL) {
        i++;
        HBK_ASSERT(i < SLAB_PLACES);
    }
    reads->slab[at]->owner[i] = owner;
    reads->slab[at]->used++;
    *ret_place = at * SLAB_PLACES + i;
    return 0;
}

void hbk_reads_give_place(struct hbk_reads *reads, uint32_t place)
{
    struct hbk_read_slab *slab = reads->slab[place / SLAB_PLACES];

    overlapped_of(reads, place)->Internal = STATUS_PENDING;
    slab->owner[place % SLAB_PLACES] = NULL;
    slab->used--;
    while (reads->slab_count > 0 && reads->slab[reads->slab_count - 1]->used == 0) {
        reads->slab_count--;
        free(reads->slab[reads->slab_count]);
        reads->slab[reads->slab_count] = NULL;
    }
}

void hbk_reads_start(struct hbk_reads *reads, uint32_t place, HANDLE pipe, void *buffer,
                     uint32_t size)
{
    OVERLAPPED *overlapped = overlapped_of(reads, place);

    HBK_ASSERT(!has_ended(overlapped) && size > 0);
    reads->scanned = 0;
    memset(overlapped, 0, sizeof(*overlapped));
    overlapped->hEvent = reads->event;
    if (!ReadFile(pipe, buffer, size, NULL, overlapped)) {
        uint32_t error = GetLastError();
        if (error != ERROR_IO_PENDING) {
            /* Nothing is stored then, nor is the event set. */
            overlapped->Internal = NOT_STARTED;
            overlapped->InternalHigh = 0;
        }
    }
}

uint32_t hbk_reads_end(struct hbk_reads *reads, uint32_t place, HANDLE pipe, uint32_t *ret_size)
{
    OVERLAPPED *overlapped = overlapped_of(reads, place);
    DWORD size = 0;
    uint32_t error = 0;

    HBK_ASSERT(has_ended(overlapped));
    /* It has ended, so this only translates. */
    if (!GetOverlappedResult(pipe, overlapped, &size, FALSE)) {
        error = GetLastError();
    }
    overlapped->Internal = STATUS_PENDING;
    if (error == 0) {
        *ret_size = size;
    }
    return error;
}

uintptr_t hbk_reads_hide(struct hbk_reads *reads, uint32_t place)
{
    OVERLAPPED *overlapped = overlapped_of(reads, place);
    uintptr_t status = overlapped->Internal;

    HBK_ASSERT(has_ended(overlapped));
    overlapped->Internal = STATUS_PENDING;
    return status;
}

void hbk_reads_show(struct hbk_reads *reads, uint32_t place, uintptr_t hidden)
{
    OVERLAPPED *overlapped = overlapped_of(reads, place);

    HBK_ASSERT(!has_ended(overlapped) && hidden != STATUS_PENDING);
    reads->scanned = 0;
    overlapped->Internal = hidden;
}

bool hbk_reads_idle(const struct hbk_reads *reads)
{
    return reads->scanned >= reads->slab_count * SLAB_PLACES;
}

void hbk_reads_look(struct hbk_reads *reads)
{
    if (hbk_reads_idle(reads)) {
        reads->scanned = 0;
    }
}

struct hbk_connection *hbk_reads_next(struct hbk_reads *reads)
{
    uint32_t count = reads->slab_count * SLAB_PLACES;
    uint32_t place = reads->next < count ? reads->next : 0;

    for (uint32_t left = HBK_READS_LOOKED_AT; left > 0 && reads->scanned < count; left--) {
        struct hbk_read_slab *slab = reads->slab[place / SLAB_PLACES];
        uint32_t i = place % SLAB_PLACES;
        place = place + 1 < count ? place + 1 : 0;
        if (has_ended(&slab->overlapped[i])) {
            HBK_ASSERT(slab->owner[i] != NULL);
            reads->next = place;
            reads->scanned = 0;
            return slab->owner[i];
        }
        reads->scanned++;
    }
    reads->next = place;
    return NULL;
}

void hbk_reads_clear(struct hbk_reads *reads)
{
    ResetEvent(reads->event);
    reads->scanned = 0;
}
