/* Whose turn it is: that of the user who has had the least, and among its processes of the one that has had the
 * least. So a process with 500 busy sessions gets as much as one with a single one, and a user with 50 processes as
 * much as a user with one.
 *
 * It is start-time fair queueing: each has a tag, what its work has cost so far, and the lowest goes first. Who had
 * nothing to do cannot save that up: its tag is raised to that of whoever is at work, less HBK_WORK_AHEAD. That
 * much it may do at once, enough for a hand-off: a single request does not wait for those who are never done. */
#ifndef HBK_TURN_H
#define HBK_TURN_H

#include "list.h"

/* One of a level: the root, a user, a process. */
struct hbk_turn {
    struct hbk_turn *above; /* NULL: the root */
    struct hbk_link link;   /* in above->below, while there is something to do */
    struct hbk_link below;  /* struct hbk_turn.link, lowest tag first */
    uint64_t clock;         /* the tag of who of those was at work last */
    uint64_t tag;
    uint32_t ready; /* how much there is to do, here and below */
};

/** hbk_turn_init() - @above: NULL for the root; must outlive it. */
void hbk_turn_init(struct hbk_turn *turn, struct hbk_turn *above);

/** hbk_turn_idle() - of any level: there is nothing to do. */
bool hbk_turn_idle(const struct hbk_turn *turn);

/** hbk_turn_add() - @process has one thing more to do. */
void hbk_turn_add(struct hbk_turn *process);

/** hbk_turn_take() - … and one less. */
void hbk_turn_take(struct hbk_turn *process);

/** hbk_turn_first() - the process whose turn it is. NULL: nobody's. */
struct hbk_turn *hbk_turn_first(struct hbk_turn *root);

/** hbk_turn_charge() - what @process did has cost so much. */
void hbk_turn_charge(struct hbk_turn *process, uint64_t cost);

#endif
