#include "policy.h"

#include <stdlib.h>

uint32_t hbk_verb_right(enum hbk_verb verb)
{
    static const uint32_t rights[HBK_VERB_COUNT] = {
        [HBK_VERB_OPEN] = HBK_RIGHT_OPEN,         [HBK_VERB_SEND] = HBK_RIGHT_SEND,
        [HBK_VERB_PUT] = HBK_RIGHT_PUT,           [HBK_VERB_GET] = HBK_RIGHT_GET,
        [HBK_VERB_TRANSFER] = HBK_RIGHT_TRANSFER, [HBK_VERB_INSPECT] = HBK_RIGHT_INSPECT,
        [HBK_VERB_REVOKE] = HBK_RIGHT_REVOKE,
    };

    HBK_ASSERT(verb < HBK_VERB_COUNT);
    return rights[verb];
}

struct hbk_policy *hbk_policy_new(size_t rules)
{
    struct hbk_policy *policy = calloc(1, sizeof *policy);

    if (policy == NULL) {
        return NULL;
    }
    if (rules > 0) {
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

void hbk_policy_free(struct hbk_policy *policy,
                     void (*free_descriptor)(void *context, struct hbk_descriptor *descriptor),
                     void *context)
{
    if (policy == NULL) {
        return;
    }
    for (size_t i = 0; i < policy->rules_count; i++) {
        for (size_t j = 0; j < HBK_VERB_NAMED_COUNT; j++) {
            free_descriptor(context, policy->rules[i].verbs[j]);
        }
    }
    for (size_t i = 0; i < HBK_VERB_COUNT; i++) {
        free_descriptor(context, policy->verbs[i]);
    }
    free(policy->rules);
    free(policy);
}
