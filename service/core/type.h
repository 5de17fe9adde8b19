/* The kinds of kernel object, which of them are brokered, and what "read" means for each. */
#ifndef HBK_TYPE_H
#define HBK_TYPE_H

#include "base.h"

enum hbk_type {
    HBK_TYPE_EVENT,
    HBK_TYPE_SEMAPHORE,
    HBK_TYPE_MUTANT,
    HBK_TYPE_TIMER,
    HBK_TYPE_SECTION,
    HBK_TYPE_FILE,
    /* only where a rule of the policy names them */
    HBK_TYPE_TOKEN,
    HBK_TYPE_PROCESS,
    HBK_TYPE_THREAD,
    HBK_TYPE_JOB,
    HBK_TYPE_KEY,
    /* a File to the kernel, and a way of its own: the target makes its socket itself */
    HBK_TYPE_SOCKET,
    HBK_TYPE_COUNT /* also: not one of them */
};

struct hbk_type_info {
    const char *name;   /* as the NT kernel spells it */
    uint32_t read;      /* rights that "read" keeps */
    uint32_t essential; /* without this one, "read" would be of no use: it fails */
    bool close_may_block;
    bool by_rule; /* never without a rule that names it */
    bool named;   /* not at an endpoint that does not name it */
};

/** hbk_type_find() - the brokered type that a client or a rule calls so; HBK_TYPE_COUNT if it is none. */
enum hbk_type hbk_type_find(struct hbk_text name);
/** hbk_type_of_kernel() - the brokered type of an object of that kind; HBK_TYPE_COUNT if it is none. */
enum hbk_type hbk_type_of_kernel(struct hbk_text name);
/** hbk_type_info() - what is known of @type, which must be one; never NULL. */
const struct hbk_type_info *hbk_type_info(enum hbk_type type);
/** hbk_type_advice() - why @name is not brokered, for people; NULL if nothing is known by that name. */
const char *hbk_type_advice(struct hbk_text name);

#endif
