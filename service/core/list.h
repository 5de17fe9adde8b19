/* Circular doubly linked lists threaded through their members. A link that is in no list points to itself. */
#ifndef HBK_LIST_H
#define HBK_LIST_H

#include "base.h"

struct hbk_link {
    struct hbk_link *prev, *next;
};

#define HBK_CONTAINER(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void hbk_list_init(struct hbk_link *link)
{
    link->prev = link;
    link->next = link;
}

/* Of a head: no members. Of a member: in no list. */
static inline bool hbk_list_empty(const struct hbk_link *link)
{
    return link->next == link;
}

static inline void hbk_list_remove(struct hbk_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    hbk_list_init(link);
}

static inline void hbk_list_append(struct hbk_link *head, struct hbk_link *link)
{
    HBK_ASSERT(hbk_list_empty(link));
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/* Take the first member out; NULL if there is none. */
static inline struct hbk_link *hbk_list_pop(struct hbk_link *head)
{
    struct hbk_link *first = head->next;

    if (first == head) {
        return NULL;
    }
    hbk_list_remove(first);
    return first;
}

/* Move all members of @from to the end of @to. */
static inline void hbk_list_splice(struct hbk_link *to, struct hbk_link *from)
{
    if (hbk_list_empty(from)) {
        return;
    }
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    hbk_list_init(from);
}

#endif
