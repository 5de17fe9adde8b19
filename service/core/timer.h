/* Deadlines: a binary heap of timers that live in what they belong to. */
#ifndef HBK_TIMER_H
#define HBK_TIMER_H

#include "base.h"

#define HBK_NEVER UINT64_MAX

struct hbk_timer {
    uint64_t due_ms;
    size_t place; /* in the heap, plus one; 0: not set */
    uint8_t kind; /* for its owner to tell whose it is */
};

struct hbk_timers {
    struct hbk_timer **heap;
    size_t count, capacity;
    size_t reserved; /* timers that may be set at one time */
};

/** hbk_timers_deinit() - free the heap; none may be set. All-zero is accepted. */
void hbk_timers_deinit(struct hbk_timers *timers);
/** hbk_timers_reserve() - room for one more timer, so that setting it cannot fail. Return: 0; -1. */
int hbk_timers_reserve(struct hbk_timers *timers);
/** hbk_timers_unreserve() - give that room back; its timer is not set. */
void hbk_timers_unreserve(struct hbk_timers *timers);
/** hbk_timer_set() - due at @due_ms; HBK_NEVER: not set. May be called again to move or clear it. */
void hbk_timer_set(struct hbk_timers *timers, struct hbk_timer *timer, uint64_t due_ms);
/** hbk_timers_next() - the earliest; NULL if none is set. */
struct hbk_timer *hbk_timers_next(const struct hbk_timers *timers);

#endif
