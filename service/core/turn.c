#include "turn.h"

void hbk_turn_init(struct hbk_turn *turn, struct hbk_turn *above)
{
    turn->above = above;
    turn->ready = 0;
    turn->credit = 0;
    hbk_list_init(&turn->link);
    hbk_list_init(&turn->fresh);
    hbk_list_init(&turn->old);
}

bool hbk_turn_idle(const struct hbk_turn *turn)
{
    return turn->ready == 0;
}

void hbk_turn_schedule(struct hbk_turn *leaf)
{
    HBK_ASSERT(leaf->above != NULL && leaf->ready <= 1);
    if (leaf->ready != 0) {
        return;
    }
    leaf->ready = 1;
    hbk_list_append(&leaf->above->old, &leaf->link);
    for (struct hbk_turn *at = leaf->above; at != NULL; at = at->above) {
        at->ready++;
        if (at->above != NULL && hbk_list_empty(&at->link)) {
            at->credit = HBK_WORK_PER_PICK;
            hbk_list_append(&at->above->fresh, &at->link);
        }
    }
}

static void move_behind(struct hbk_turn *turn)
{
    hbk_list_remove(&turn->link);
    hbk_list_append(&turn->above->old, &turn->link);
}

static bool is_alone(const struct hbk_turn *level)
{
    const struct hbk_link *list = hbk_list_empty(&level->fresh) ? &level->old : &level->fresh;

    return list->prev == list->next && (list == &level->old || hbk_list_empty(&level->old));
}

/* Each step gives somebody credit for work that was done before, or takes somebody out who came in for work: so there
 * are never more steps than work. */
static struct hbk_turn *first_of(struct hbk_turn *level)
{
    HBK_ASSERT(level->ready > 0);
    for (;;) {
        bool fresh = !hbk_list_empty(&level->fresh);
        struct hbk_turn *first =
            HBK_CONTAINER(fresh ? level->fresh.next : level->old.next, struct hbk_turn, link);

        if (first->credit <= 0) {
            /* Who is alone pays nothing: nobody waits meanwhile. */
            first->credit = is_alone(level) ? HBK_WORK_PER_PICK : first->credit + HBK_WORK_PER_PICK;
            move_behind(first);
        } else if (first->ready > 0) {
            return first;
        } else if (fresh) {
            move_behind(first); /* who comes and goes is not fresh each time */
        } else {
            hbk_list_remove(&first->link);
        }
    }
}

struct hbk_turn *hbk_turn_first(struct hbk_turn *root)
{
    struct hbk_turn *process;

    HBK_ASSERT(root->above == NULL);
    if (root->ready == 0) {
        return NULL;
    }
    process = first_of(first_of(root));
    HBK_ASSERT(!hbk_list_empty(&process->old));
    return HBK_CONTAINER(process->old.next, struct hbk_turn, link);
}

struct hbk_turn *hbk_turn_next(struct hbk_turn *root)
{
    struct hbk_turn *leaf = hbk_turn_first(root);

    if (leaf != NULL) {
        hbk_turn_remove(leaf);
    }
    return leaf;
}

void hbk_turn_charge(struct hbk_turn *leaf, uint64_t cost)
{
    HBK_ASSERT(leaf->above != NULL && cost <= INT32_MAX);
    /* Sessions of one process owe each other nothing: how they share is its own business. */
    for (struct hbk_turn *at = leaf->above; at->above != NULL; at = at->above) {
        at->credit -= (int64_t)cost;
    }
}

void hbk_turn_remove(struct hbk_turn *turn)
{
    HBK_ASSERT(hbk_list_empty(&turn->fresh) && hbk_list_empty(&turn->old));
    for (struct hbk_turn *at = turn->above; at != NULL && turn->ready > 0; at = at->above) {
        HBK_ASSERT(at->ready >= turn->ready);
        at->ready -= turn->ready;
    }
    turn->ready = 0;
    hbk_list_remove(&turn->link);
}
