/* Whose turn it is: nested round robin, over users, then over the processes of a user, then over the sessions
 * of a process. So a process with 500 busy sessions gets as much as one with a single one, and a user with 50
 * processes as much as a user with one.
 *
 * A turn that cost more than HBK_WORK_PER_PICK is a debt of its process and its user: they are passed over
 * until it is paid, as long as there is somebody else. */
#ifndef HBK_TURN_H
#define HBK_TURN_H

#include "list.h"

/* One of a level: a user, a process, a session; or the root. */
struct hbk_turn {
    struct hbk_turn *above; /* NULL: the root */
    struct hbk_link link;   /* in above->ready, while it has something to do */
    struct hbk_link ready;  /* struct hbk_turn.link: who has, of those below */
    uint64_t debt;
};

/** hbk_turn_init() - @above: NULL for the root; must outlive it. */
void hbk_turn_init(struct hbk_turn *turn, struct hbk_turn *above);

/** hbk_turn_idle() - of the root and any level: nobody below has something to do. */
bool hbk_turn_idle(const struct hbk_turn *turn);

/** hbk_turn_schedule() - @leaf has something to do: behind the others of its level. May be repeated. */
void hbk_turn_schedule(struct hbk_turn *leaf);

/** hbk_turn_next() - take out whose turn it is; hbk_turn_schedule() puts it back. NULL: nobody's. */
struct hbk_turn *hbk_turn_next(struct hbk_turn *root);

/** hbk_turn_charge() - the turn of @leaf, scheduled again or not, has cost so much. */
void hbk_turn_charge(struct hbk_turn *leaf, uint64_t cost);

/** hbk_turn_remove() - @leaf is not to have a turn any more. May be repeated. */
void hbk_turn_remove(struct hbk_turn *leaf);

#endif
