/* The operator's rules, as the core asks them. service/main builds a policy from the file, with descriptors that
 * the platform made; the core owns it from hbk_core_configure() on.
 *
 * How a question is decided: the first rule whose pattern matches the name and that says something about the
 * verb decides, by an access check of the caller's token; where none does, the built-in rule of the scope:
 * user/ belongs to its identity, session/ and global/ to nobody. The verbs without a name (transfer,
 * inspect, revoke) have one descriptor each; built in is: administrators and the system, and for transfer everybody. */
#ifndef HBK_POLICY_H
#define HBK_POLICY_H

#include "base.h"
#include "platform.h"
#include "type.h"

enum hbk_verb {
    HBK_VERB_OPEN,
    HBK_VERB_SEND,
    HBK_VERB_PUT,
    HBK_VERB_GET,
    HBK_VERB_NAMED_COUNT, /* those above are about a name */
    HBK_VERB_TRANSFER = HBK_VERB_NAMED_COUNT,
    HBK_VERB_INSPECT,
    HBK_VERB_REVOKE,
    HBK_VERB_COUNT
};

/** hbk_verb_name() - "open", ... */
const char *hbk_verb_name(enum hbk_verb verb);
/** hbk_verb_find() - HBK_VERB_COUNT if there is none of that name. */
enum hbk_verb hbk_verb_find(struct hbk_text name);
/** hbk_verb_right() - its bit in a descriptor's masks. */
uint32_t hbk_verb_right(enum hbk_verb verb);

struct hbk_policy_rule {
    char pattern[HBK_NAME_BYTES_MAX +
                 1]; /* a name in which each * stands for any bytes, none and "/" too */
    struct hbk_descriptor
        *verbs[HBK_VERB_NAMED_COUNT]; /* NULL: the rule says nothing about the verb */
    bool types_present;               /* else the default list */
    uint32_t types
        [HBK_TYPE_COUNT]; /* the most that passes of each; UINT32_MAX: anything; 0: none of it */
    uint8_t type_kinds[HBK_TYPE_COUNT]; /* enum hbk_type_rule_kind, as it was said */
    uint32_t access_max;                /* the most that passes of any type; UINT32_MAX: anything */
};

struct hbk_policy {
    size_t rules_count;
    struct hbk_policy_rule *rules;
    struct hbk_descriptor *verbs[HBK_VERB_COUNT]; /* of those without a name; NULL: built in */
};

/* What is decided without a name in the rules. */
enum { HBK_POLICY_NO_RULE = -1 };

/** hbk_policy_new() - room for @rules rules (0 is fine), all zero but access_max. Return: NULL out of memory. */
struct hbk_policy *hbk_policy_new(size_t rules);
/** hbk_policy_free() - and its descriptors, by @free_descriptor(@context, ...). NULL is accepted. */
void hbk_policy_free(struct hbk_policy *policy,
                     void (*free_descriptor)(void *context, struct hbk_descriptor *descriptor),
                     void *context);

/** hbk_policy_decides() - index of the rule that decides who may do @verb under @name, or HBK_POLICY_NO_RULE.
 * @policy: NULL: there are no rules */
int hbk_policy_decides(const struct hbk_policy *policy, enum hbk_verb verb, struct hbk_text name);
/** hbk_policy_limits() - index of the rule that says what may pass under @name: the first that has types or
 * an access_max; or HBK_POLICY_NO_RULE. @policy: as above */
int hbk_policy_limits(const struct hbk_policy *policy, struct hbk_text name);
/** hbk_policy_cap() - the most of @type that passes under rule @rule of @policy (HBK_POLICY_NO_RULE: the
 * default list). Return: UINT32_MAX: anything; 0: nothing. */
uint32_t hbk_policy_cap(const struct hbk_policy *policy, int rule, enum hbk_type type);

/** hbk_pattern_check() - NULL, or why @pattern can match no name, for people. */
const char *hbk_pattern_check(struct hbk_text pattern);
/** hbk_pattern_matches() - does it cover the whole of @name? */
bool hbk_pattern_matches(const char *pattern, struct hbk_text name);

/* Of a descriptor that comes from a client (`from`, `allow`): a DACL of literal SIDs or WD AU SY BA IU AC, so that
 * no account database is ever asked; no conditions, no SACL, no owner, no group. */

/**
 * hbk_sddl_check() - may @sddl be made a descriptor for a client?
 * @ret_offset: the byte at which the fault was found; NULL: nobody wants to know
 *
 * Taken is "D:", the flags P, AI, AR, and one or more entries (A;;RIGHTS;;;SID) or (D;;RIGHTS;;;SID), where
 * RIGHTS is GA or a number (0x..., decimal) of the bits in HBK_RIGHTS_ALL. It is stricter than Windows: what
 * passes here is read by Windows in the one way in which it reads.
 * Return: NULL, or what is wrong, for people.
 */
const char *hbk_sddl_check(struct hbk_text sddl, size_t *ret_offset);

#endif
