#include "turn.h"

void hbk_turn_init(struct hbk_turn *turn, struct hbk_turn *above)
{
    turn->above = above;
    turn->debt = 0;
    hbk_list_init(&turn->link);
    hbk_list_init(&turn->ready);
}

bool hbk_turn_idle(const struct hbk_turn *turn)
{
    return hbk_list_empty(&turn->ready);
}

void hbk_turn_schedule(struct hbk_turn *leaf)
{
    HBK_ASSERT(leaf->above != NULL && hbk_turn_idle(leaf));
    for (struct hbk_turn *at = leaf; at->above != NULL && hbk_list_empty(&at->link);
         at = at->above) {
        hbk_list_append(&at->above->ready, &at->link);
    }
}

/* Those above go behind the others of their level; out of it, if @leaf was all that they had. */
static void take_out(struct hbk_turn *leaf)
{
    hbk_list_remove(&leaf->link);
    for (struct hbk_turn *at = leaf->above; at->above != NULL; at = at->above) {
        hbk_list_remove(&at->link);
        if (!hbk_turn_idle(at)) {
            hbk_list_append(&at->above->ready, &at->link);
        }
    }
}

/* Who is alone pays nothing: nobody waits meanwhile. Each step pays for work that was done, so that there are
 * never more of them than of that. */
static struct hbk_turn *first_of(struct hbk_turn *level)
{
    for (;;) {
        struct hbk_turn *first = HBK_CONTAINER(level->ready.next, struct hbk_turn, link);

        if (first->debt == 0 || level->ready.prev == level->ready.next) {
            first->debt = 0;
            return first;
        }
        first->debt -= first->debt < HBK_WORK_PER_PICK ? first->debt : HBK_WORK_PER_PICK;
        hbk_list_remove(&first->link);
        hbk_list_append(&level->ready, &first->link);
    }
}

struct hbk_turn *hbk_turn_next(struct hbk_turn *root)
{
    struct hbk_turn *at = root;

    HBK_ASSERT(root->above == NULL);
    if (hbk_turn_idle(root)) {
        return NULL;
    }
    while (!hbk_turn_idle(at)) {
        at = first_of(at);
    }
    take_out(at);
    return at;
}

/* Sessions of one process have no debts among each other: how they share is its own business. */
void hbk_turn_charge(struct hbk_turn *leaf, uint64_t cost)
{
    HBK_ASSERT(leaf->above != NULL);
    if (cost <= HBK_WORK_PER_PICK) {
        return;
    }
    for (struct hbk_turn *at = leaf->above; at->above != NULL; at = at->above) {
        at->debt += cost - HBK_WORK_PER_PICK;
    }
}

void hbk_turn_remove(struct hbk_turn *leaf)
{
    if (!hbk_list_empty(&leaf->link)) {
        take_out(leaf);
    }
}
