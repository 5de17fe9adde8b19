/* Circular doubly linked lists threaded through their members. A link that is in no list points to itself. */
#ifndef HBK_LIST_H
#define HBK_LIST_H

#include "base.h"

struct hbk_link {
    struct hbk_link *prev, *next;
};

#define HBK_CONTAINER(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/** hbk_list_init() - an empty head, or a member of no list. */
static inline void hbk_list_init(struct hbk_link *link)
{
    link->prev = link;
    link->next = link;
}

/** hbk_list_empty() - of a head: no members; of a member: in no list. */
static inline bool hbk_list_empty(const struct hbk_link *link)
{
    return link->next == link;
}

/** hbk_list_remove() - take @link out of its list; one that is in none is accepted. */
static inline void hbk_list_remove(struct hbk_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    hbk_list_init(link);
}

/** hbk_list_append() - put @link, which is in no list, to the end of the list at @head. */
static inline void hbk_list_append(struct hbk_link *head, struct hbk_link *link)
{
    HBK_ASSERT(hbk_list_empty(link));
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

/** hbk_list_pop() - take the first member out; NULL if there is none. */
static inline struct hbk_link *hbk_list_pop(struct hbk_link *head)
{
    struct hbk_link *first = head->next;

    if (first == head) {
        return NULL;
    }
    hbk_list_remove(first);
    return first;
}

/** hbk_list_splice() - move all members of @from to the end of @to. */
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
