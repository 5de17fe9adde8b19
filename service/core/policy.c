/* What the operator's file says, as data: no session, no decision. */
#include "policy.h"

#include "message.h"

#include <stdlib.h>
#include <string.h>

/* ---- verbs ---- */

static const struct {
    const char *name;
    uint32_t right;
} verbs[HBK_VERB_COUNT] = {
    [HBK_VERB_OPEN] = {"open", HBK_RIGHT_OPEN},
    [HBK_VERB_SEND] = {"send", HBK_RIGHT_SEND},
    [HBK_VERB_PUT] = {"put", HBK_RIGHT_PUT},
    [HBK_VERB_GET] = {"get", HBK_RIGHT_GET},
    [HBK_VERB_TRANSFER] = {"transfer", HBK_RIGHT_TRANSFER},
    [HBK_VERB_INSPECT] = {"inspect", HBK_RIGHT_INSPECT},
    [HBK_VERB_REVOKE] = {"revoke", HBK_RIGHT_REVOKE},
};

const char *hbk_verb_name(enum hbk_verb verb)
{
    HBK_ASSERT(verb < HBK_VERB_COUNT);
    return verbs[verb].name;
}

enum hbk_verb hbk_verb_find(struct hbk_text name)
{
    for (size_t i = 0; i < HBK_VERB_COUNT; i++) {
        if (hbk_text_is(name, verbs[i].name)) {
            return (enum hbk_verb)i;
        }
    }
    return HBK_VERB_COUNT;
}

uint32_t hbk_verb_right(enum hbk_verb verb)
{
    HBK_ASSERT(verb < HBK_VERB_COUNT);
    return verbs[verb].right;
}

/* ---- a policy ---- */

struct hbk_policy *hbk_policy_new(size_t rules)
{
    struct hbk_policy *policy = calloc(1, sizeof *policy);

    HBK_ASSERT(rules <= HBK_POLICY_RULES_MAX);
    if (policy == NULL) {
        return NULL;
    }
    if (rules != 0) {
        policy->rules = calloc(rules, sizeof *policy->rules);
        if (policy->rules == NULL) {
            free(policy);
            return NULL;
        }
    }
    policy->rules_count = rules;
    for (size_t i = 0; i < rules; i++) {
        policy->rules[i].access_max = UINT32_MAX;
    }
    return policy;
}

static void free_all(struct hbk_descriptor **descriptors, size_t count,
                     void (*free_descriptor)(void *context, struct hbk_descriptor *descriptor),
                     void *context)
{
    for (size_t i = 0; i < count; i++) {
        if (descriptors[i] != NULL) {
            free_descriptor(context, descriptors[i]);
            descriptors[i] = NULL;
        }
    }
}

void hbk_policy_free(struct hbk_policy *policy,
                     void (*free_descriptor)(void *context, struct hbk_descriptor *descriptor),
                     void *context)
{
    if (policy == NULL) {
        return;
    }
    for (size_t i = 0; i < policy->rules_count; i++) {
        free_all(policy->rules[i].verbs, HBK_VERB_NAMED_COUNT, free_descriptor, context);
    }
    free_all(policy->verbs, HBK_VERB_COUNT, free_descriptor, context);
    free(policy->rules);
    free(policy);
}

/* ---- patterns ---- */

static bool name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '/' || byte == '-';
}

/* Can a name begin with the @size bytes at @start, and go on in any way? */
static bool may_begin(const char *start, size_t size)
{
    static const char *const scopes[] = {"user/", "session/", "global/"};

    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        size_t length = strlen(scopes[i]);

        if (memcmp(start, scopes[i], size < length ? size : length) == 0) {
            return true;
        }
    }
    return false;
}

const char *hbk_pattern_check(struct hbk_text pattern)
{
    const char *star;

    if (pattern.data == NULL || pattern.size == 0) {
        return "is empty: write a name such as session/print, with * for any bytes";
    }
    if (pattern.size > HBK_NAME_BYTES_MAX) {
        return "is longer than a name can be (260 bytes)";
    }
    for (size_t i = 0; i < pattern.size; i++) {
        if (!name_byte(pattern.data[i]) && pattern.data[i] != '*') {
            return "has a byte that no name has: use letters, digits, . _ / - and *";
        }
    }
    star = memchr(pattern.data, '*', pattern.size);
    if (star == NULL && !hbk_name_check(pattern)) {
        return "is no name and has no *: write user/, session/ or global/ and then the rest";
    }
    if (star != NULL && !may_begin(pattern.data, (size_t)(star - pattern.data))) {
        return "matches no name: names begin with user/, session/ or global/";
    }
    return NULL;
}

/* Only the last * is ever taken back: what an earlier one covers need not change for a later one to fit. */
bool hbk_pattern_matches(const char *pattern, struct hbk_text name)
{
    const char *after_star = NULL;
    size_t at = 0, star_at = 0;

    HBK_ASSERT(pattern != NULL && name.data != NULL);
    while (at < name.size) {
        if (*pattern == '*') {
            after_star = ++pattern;
            star_at = at;
        } else if (*pattern == name.data[at]) {
            pattern++;
            at++;
        } else if (after_star != NULL) {
            pattern = after_star;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

/* ---- which rule ---- */

int hbk_policy_decides(const struct hbk_policy *policy, enum hbk_verb verb, struct hbk_text name)
{
    HBK_ASSERT(verb < HBK_VERB_NAMED_COUNT);
    for (size_t i = 0; policy != NULL && i < policy->rules_count; i++) {
        const struct hbk_policy_rule *rule = &policy->rules[i];

        if (rule->verbs[verb] != NULL && hbk_pattern_matches(rule->pattern, name)) {
            return (int)i;
        }
    }
    return HBK_POLICY_NO_RULE;
}

int hbk_policy_limits(const struct hbk_policy *policy, struct hbk_text name)
{
    for (size_t i = 0; policy != NULL && i < policy->rules_count; i++) {
        const struct hbk_policy_rule *rule = &policy->rules[i];

        if ((rule->types_present || rule->access_max != UINT32_MAX) &&
            hbk_pattern_matches(rule->pattern, name)) {
            return (int)i;
        }
    }
    return HBK_POLICY_NO_RULE;
}

uint32_t hbk_policy_cap(const struct hbk_policy *policy, int rule, enum hbk_type type)
{
    uint32_t by_default = hbk_type_info(type)->by_rule ? 0 : UINT32_MAX;
    const struct hbk_policy_rule *limits;

    if (rule == HBK_POLICY_NO_RULE) {
        return by_default;
    }
    HBK_ASSERT(policy != NULL && rule >= 0 && (size_t)rule < policy->rules_count);
    limits = &policy->rules[rule];
    return (limits->types_present ? limits->types[type] : by_default) & limits->access_max;
}
