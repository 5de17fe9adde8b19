#include "roll.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ENTRIES 8u
#define GONE_KEPT 16u /* so few are not worth the moving */

void hbk_roll_deinit(struct hbk_roll *roll)
{
    HBK_ASSERT(roll->count == roll->gone);
    free(roll->entries);
    memset(roll, 0, sizeof *roll);
}

static void compact(struct hbk_roll *roll)
{
    size_t kept = 0;

    for (size_t i = 0; i < roll->count; i++) {
        if (roll->entries[i].member != NULL) {
            roll->entries[kept++] = roll->entries[i];
        }
    }
    HBK_ASSERT(kept == roll->count - roll->gone);
    roll->count = kept;
    roll->gone = 0;
}

int hbk_roll_reserve(struct hbk_roll *roll)
{
    struct hbk_roll_entry *bigger;
    size_t capacity, bytes;

    if (roll->count < roll->capacity) {
        return 0;
    }
    capacity = roll->capacity == 0 ? FIRST_ENTRIES : roll->capacity * 2;
    if (!hbk_mul_size(capacity, sizeof *roll->entries, &bytes)) {
        return -1;
    }
    bigger = realloc(roll->entries, bytes);
    if (bigger == NULL) {
        return -1;
    }
    roll->entries = bigger;
    roll->capacity = capacity;
    return 0;
}

void hbk_roll_append(struct hbk_roll *roll, uint64_t serial, void *member)
{
    HBK_ASSERT(member != NULL && roll->count < roll->capacity);
    HBK_ASSERT(roll->count == 0 || roll->entries[roll->count - 1].serial < serial);
    roll->entries[roll->count++] = (struct hbk_roll_entry){.serial = serial, .member = member};
}

size_t hbk_roll_after(const struct hbk_roll *roll, uint64_t serial)
{
    size_t low = 0, high = roll->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (roll->entries[middle].serial <= serial) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void hbk_roll_remove(struct hbk_roll *roll, uint64_t serial)
{
    size_t index = hbk_roll_after(roll, serial);

    HBK_ASSERT(index > 0 && roll->entries[index - 1].serial == serial);
    HBK_ASSERT(roll->entries[index - 1].member != NULL);
    roll->entries[index - 1].member = NULL;
    roll->gone++;
    /* At most half of it is gone ever, so a removal costs a constant on average. */
    if (roll->gone > GONE_KEPT && roll->gone > roll->count / 2) {
        compact(roll);
    }
}

void hbk_roll_walk_add(struct hbk_roll_walk *walk, const struct hbk_roll *roll, uint64_t after)
{
    HBK_ASSERT(walk->count < sizeof walk->rolls / sizeof walk->rolls[0]);
    walk->rolls[walk->count] = roll;
    walk->at[walk->count++] = hbk_roll_after(roll, after);
}

const struct hbk_roll_entry *hbk_roll_walk_next(struct hbk_roll_walk *walk)
{
    const struct hbk_roll_entry *first = NULL;
    size_t from = 0;

    for (size_t i = 0; i < walk->count; i++) {
        const struct hbk_roll *roll = walk->rolls[i];

        if (walk->at[i] < roll->count &&
            (first == NULL || roll->entries[walk->at[i]].serial < first->serial)) {
            first = &roll->entries[walk->at[i]];
            from = i;
        }
    }
    if (first != NULL) {
        walk->at[from]++;
    }
    return first;
}
