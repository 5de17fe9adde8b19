#include "timer.h"

#include <stdlib.h>
#include <string.h>

void hbk_timers_deinit(struct hbk_timers *timers)
{
    HBK_ASSERT(timers->count == 0);
    free(timers->heap);
    memset(timers, 0, sizeof *timers);
}

int hbk_timers_reserve(struct hbk_timers *timers)
{
    if (timers->reserved == timers->capacity) {
        size_t capacity = timers->capacity == 0 ? 64 : timers->capacity * 2;
        size_t bytes;
        struct hbk_timer **heap;

        if (!hbk_mul_size(capacity, sizeof(struct hbk_timer *), &bytes)) {
            return -1;
        }
        heap = realloc(timers->heap, bytes);
        if (heap == NULL) {
            return -1;
        }
        timers->heap = heap;
        timers->capacity = capacity;
    }
    timers->reserved++;
    return 0;
}

void hbk_timers_unreserve(struct hbk_timers *timers)
{
    HBK_ASSERT(timers->reserved > timers->count);
    timers->reserved--;
}

static void put(struct hbk_timers *timers, size_t place, struct hbk_timer *timer)
{
    timers->heap[place] = timer;
    timer->place = place + 1;
}

static size_t sift_up(struct hbk_timers *timers, size_t place)
{
    struct hbk_timer *timer = timers->heap[place];

    while (place > 0) {
        size_t parent = (place - 1) / 2;

        if (timers->heap[parent]->due_ms <= timer->due_ms) {
            break;
        }
        put(timers, place, timers->heap[parent]);
        place = parent;
    }
    put(timers, place, timer);
    return place;
}

static void sift_down(struct hbk_timers *timers, size_t place)
{
    struct hbk_timer *timer = timers->heap[place];

    for (;;) {
        size_t child = 2 * place + 1;

        if (child >= timers->count) {
            break;
        }
        if (child + 1 < timers->count &&
            timers->heap[child + 1]->due_ms < timers->heap[child]->due_ms) {
            child++;
        }
        if (timer->due_ms <= timers->heap[child]->due_ms) {
            break;
        }
        put(timers, place, timers->heap[child]);
        place = child;
    }
    put(timers, place, timer);
}

static void take_out(struct hbk_timers *timers, struct hbk_timer *timer)
{
    size_t place = timer->place - 1;
    struct hbk_timer *last = timers->heap[timers->count - 1];

    HBK_ASSERT(place < timers->count && timers->heap[place] == timer);
    timers->count--;
    timer->place = 0;
    if (last != timer) {
        put(timers, place, last);
        sift_down(timers, sift_up(timers, place));
    }
}

void hbk_timer_set(struct hbk_timers *timers, struct hbk_timer *timer, uint64_t due_ms)
{
    if (timer->place != 0) {
        if (timer->due_ms == due_ms) {
            return;
        }
        take_out(timers, timer);
    }
    timer->due_ms = due_ms;
    if (due_ms == HBK_NEVER) {
        return;
    }
    HBK_ASSERT(timers->count < timers->reserved);
    timers->heap[timers->count] = timer;
    timers->count++;
    (void)sift_up(timers, timers->count - 1);
}

struct hbk_timer *hbk_timers_next(const struct hbk_timers *timers)
{
    return timers->count == 0 ? NULL : timers->heap[0];
}
