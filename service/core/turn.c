#include "turn.h"

void hbk_turn_init(struct hbk_turn *turn, struct hbk_turn *above)
{
    turn->above = above;
    turn->ready = 0;
    turn->tag = 0;
    turn->clock = 0;
    hbk_list_init(&turn->link);
    hbk_list_init(&turn->below);
}

bool hbk_turn_idle(const struct hbk_turn *turn)
{
    return turn->ready == 0;
}

/* From the end, where who has just been at work belongs as a rule; no more steps than there are who have work. */
static void insert(struct hbk_turn *turn)
{
    struct hbk_link *after = turn->above->below.prev;

    while (after != &turn->above->below &&
           HBK_CONTAINER(after, struct hbk_turn, link)->tag > turn->tag) {
        after = after->prev;
    }
    hbk_list_append(after->next, &turn->link);
}

void hbk_turn_add(struct hbk_turn *process)
{
    for (struct hbk_turn *at = process; at != NULL; at = at->above) {
        at->ready++;
        if (at->above != NULL && at->ready == 1) {
            if (at->tag + HBK_WORK_AHEAD < at->above->clock) {
                at->tag = at->above->clock - HBK_WORK_AHEAD;
            }
            insert(at);
        }
    }
}

void hbk_turn_take(struct hbk_turn *process)
{
    for (struct hbk_turn *at = process; at != NULL; at = at->above) {
        HBK_ASSERT(at->ready > 0);
        at->ready--;
        if (at->ready == 0) {
            hbk_list_remove(&at->link);
        }
    }
}

static struct hbk_turn *first_of(struct hbk_turn *level)
{
    struct hbk_turn *first = HBK_CONTAINER(level->below.next, struct hbk_turn, link);

    HBK_ASSERT(!hbk_list_empty(&level->below) && first->ready > 0);
    if (first->tag > level->clock) {
        level->clock = first->tag;
    }
    return first;
}

struct hbk_turn *hbk_turn_first(struct hbk_turn *root)
{
    HBK_ASSERT(root->above == NULL);
    return root->ready == 0 ? NULL : first_of(first_of(root));
}

void hbk_turn_charge(struct hbk_turn *process, uint64_t cost)
{
    for (struct hbk_turn *at = process; at->above != NULL; at = at->above) {
        at->tag += cost;
        if (at->ready > 0) {
            hbk_list_remove(&at->link);
            insert(at);
        }
    }
}
