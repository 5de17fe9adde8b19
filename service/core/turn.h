/* Whose turn it is: round robin over users, in a user's turn over its processes, in a process's over its
 * sessions. So a process with 500 busy sessions gets as much as one with a single one, and a user with 50
 * processes as much as a user with one.
 *
 * Users and processes are served in proportion to what it costs, as in deficit round robin: each round gives
 * credit for HBK_WORK_PER_PICK, and who has used up more waits for as many rounds, as long as there are others.
 * Who had nothing to do in the last round goes before those who had: a single request does not wait for a
 * round of those who are never done. */
#ifndef HBK_TURN_H
#define HBK_TURN_H

#include "list.h"

/* One of a level: a user, a process, a session; or the root. */
struct hbk_turn {
    struct hbk_turn *above; /* NULL: the root */
    struct hbk_link link;   /* in above->fresh or above->old */
    struct hbk_link fresh;  /* struct hbk_turn.link: those below that had nothing to do */
    struct hbk_link old;    /* … and the others; some may have nothing to do any more */
    uint32_t ready;         /* sessions here and below that have something to do */
    int64_t credit;
};

/** hbk_turn_init() - @above: NULL for the root; must outlive it. */
void hbk_turn_init(struct hbk_turn *turn, struct hbk_turn *above);

/** hbk_turn_idle() - of any level: nobody there has something to do. */
bool hbk_turn_idle(const struct hbk_turn *turn);

/** hbk_turn_schedule() - session @leaf has something to do, after others of its process. May be repeated. */
void hbk_turn_schedule(struct hbk_turn *leaf);

/** hbk_turn_first() - whose turn it is. NULL: nobody's. */
struct hbk_turn *hbk_turn_first(struct hbk_turn *root);

/** hbk_turn_next() - take out the session whose turn it is; hbk_turn_schedule() puts it back. NULL: nobody's. */
struct hbk_turn *hbk_turn_next(struct hbk_turn *root);

/** hbk_turn_charge() - a turn of session @leaf, scheduled again or not, has cost so much. */
void hbk_turn_charge(struct hbk_turn *leaf, uint64_t cost);

/** hbk_turn_remove() - @turn is about to end; nobody is below it any more. */
void hbk_turn_remove(struct hbk_turn *turn);

#endif
