/* Members in the order of their serials: a listing finds the place where its last page ended at once, however
 * many there are and whatever has come and gone since. */
#ifndef HBK_ROLL_H
#define HBK_ROLL_H

#include "base.h"

struct hbk_roll_entry {
    uint64_t serial;
    void *member; /* NULL: it has gone */
};

/* All-zero is empty. */
struct hbk_roll {
    struct hbk_roll_entry *entries;
    size_t count; /* those that have gone included */
    size_t capacity, gone;
};

/** hbk_roll_deinit() - only of one with no members left. */
void hbk_roll_deinit(struct hbk_roll *roll);
/** hbk_roll_reserve() - room for one more. Return: 0; -1 out of memory. */
int hbk_roll_reserve(struct hbk_roll *roll);
/** hbk_roll_append() - @serial is above all before it; the room is reserved. */
void hbk_roll_append(struct hbk_roll *roll, uint64_t serial, void *member);
/** hbk_roll_remove() - the member of @serial is there no more; its place may stay for a while. */
void hbk_roll_remove(struct hbk_roll *roll, uint64_t serial);
/** hbk_roll_after() - index of the first entry above @serial; `count` if there is none. */
size_t hbk_roll_after(const struct hbk_roll *roll, uint64_t serial);

/* Several rolls as one, in the order of serials. All-zero walks none. */
struct hbk_roll_walk {
    const struct hbk_roll *rolls[3];
    size_t at[3];
    size_t count;
};

/** hbk_roll_walk_add() - from what follows @after on. */
void hbk_roll_walk_add(struct hbk_roll_walk *walk, const struct hbk_roll *roll, uint64_t after);
/** hbk_roll_walk_next() - NULL at the end; else one whose member may have gone. */
const struct hbk_roll_entry *hbk_roll_walk_next(struct hbk_roll_walk *walk);

#endif
