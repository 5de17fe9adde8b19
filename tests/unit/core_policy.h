/* Policies for the tests of the core: rules as short texts, and a broker that is given them. */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include "core_rig.h"
#include "policy.h"

/* Descriptors are named by any text; fake_grant() says what they grant, and to whom. NULL: none. */
struct rule {
    const char *name, *open, *send;
    const char *types;   /* blank-separated, all of each; NULL: none given */
    uint32_t access_max; /* 0: none given */
    const char *put, *get;
};

/** rig_rules() - load @count rules, and `inspect` and `revoke` to whom descriptors of that text grant them. */
void rig_rules(struct rig *rig, const struct rule *rules, size_t count);
/** rig_rules_and() - and `transfer` to whom that of @transfer grants it; NULL: to nobody. */
void rig_rules_and(struct rig *rig, const struct rule *rules, size_t count, const char *transfer);
/** rig_rules_none() - back to the built-in rules. */
void rig_rules_none(struct rig *rig);

#define RIG_RULES(rig, ...)                                                        \
    do {                                                                           \
        const struct rule rules_given[] = {__VA_ARGS__};                           \
        rig_rules((rig), rules_given, sizeof rules_given / sizeof rules_given[0]); \
    } while (0)

/**
 * client_bytes_told() - send the request @format with an id that is always the same, and run
 *
 * Return: the answer's line as it stood on the pipe, until the next call.
 */
const char *client_bytes_told(struct client *client, const char *method, const char *format, ...);

#endif
