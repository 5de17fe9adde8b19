#include "policy.h"

#include <stdlib.h>
#include <string.h>

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

uint32_t hbk_verb_right(enum hbk_verb verb)
{
    HBK_ASSERT(verb < HBK_VERB_COUNT);
    return verbs[verb].right;
}

struct hbk_policy *hbk_policy_new(size_t rules)
{
    HBK_ASSERT(rules <= HBK_POLICY_RULES_MAX);
    struct hbk_policy *policy = calloc(1, sizeof(*policy));
    if (policy == NULL) {
        return NULL;
    }
    policy->rules = calloc(rules > 0 ? rules : 1, sizeof(*policy->rules));
    if (policy->rules == NULL) {
        free(policy);
        return NULL;
    }
    policy->rules_count = rules;
    for (size_t i = 0; i < rules; i++) {
        policy->rules[i].access_max = UINT32_MAX;
    }
    return policy;
}

void hbk_policy_free(struct hbk_policy *policy,
                     void (*free_descriptor)(void *context, struct hbk_descriptor *descriptor),
                     void *context)
{
    if (policy == NULL) {
        return;
    }
    for (size_t i = 0; i < policy->rules_count; i++) {
        for (size_t verb = 0; verb < HBK_VERB_NAMED_COUNT; verb++) {
            free_descriptor(context, policy->rules[i].verbs[verb]);
        }
    }
    for (size_t verb = 0; verb < HBK_VERB_COUNT; verb++) {
        free_descriptor(context, policy->verbs[verb]);
    }
    free(policy->rules);
    free(policy);
}

static bool may_stand_in_path(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("._/-*", byte) != NULL);
}

const char *hbk_pattern_check(struct hbk_text pattern)
{
    static const char *const scopes[] = {"user/", "session/", "global/"};

    if (pattern.data == NULL || pattern.size == 0 || pattern.size > HBK_NAME_BYTES_MAX) {
        return "is longer than a name can be (260 bytes)";
    }
    for (size_t i = 0; i < pattern.size; i++) {
        if (!may_stand_in_path(pattern.data[i])) {
            return "has a byte that no name has: use letters, digits, . _ / - and *";
        }
    }
    if (pattern.data[0] == '*') {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        const size_t size = strlen(scopes[i]);
        if (pattern.size > size && memcmp(pattern.data, scopes[i], size) == 0) {
            return NULL;
        }
    }
    return "matches no name: names begin with user/, session/ or global/";
}
