/* The rules of a simulated operator, as the core is given them. */
#include "sim.h"

#include "policy.h"

#include <stdio.h>
#include <string.h>

static struct hbk_descriptor *descriptor(struct sim *sim, const char *text)
{
    return text ? fake_descriptor(sim->kernel, text) : NULL;
}

static void set_types(struct hbk_policy_rule *rule, const char *types)
{
    rule->types_present = true;
    while (*types) {
        size_t size = strcspn(types, " ");
        enum hbk_type type = hbk_type_find((struct hbk_text){.data = types, .size = size});
        HBK_ASSERT(type != HBK_TYPE_COUNT);
        rule->types[type] = UINT32_MAX;
        types += size + (types[size] == ' ');
    }
}

static struct hbk_policy *build_rules(struct sim *sim, const struct sim_rules *rules)
{
    size_t count = 0;
    while (count < SIM_RULES_MAX && rules->rules[count].pattern)
        ++count;
    struct hbk_policy *policy = hbk_policy_new(count);
    HBK_ASSERT(policy != NULL);
    for (size_t i = 0; i < count; ++i) {
        const struct sim_rule *from = &rules->rules[i];
        struct hbk_policy_rule *rule = &policy->rules[i];
        snprintf(rule->pattern, sizeof rule->pattern, "%s", from->pattern);
        HBK_ASSERT(hbk_pattern_check(hbk_text_from(rule->pattern)) == NULL);
        rule->verbs[HBK_VERB_OPEN] = descriptor(sim, from->open);
        rule->verbs[HBK_VERB_SEND] = descriptor(sim, from->send);
        rule->verbs[HBK_VERB_PUT] = descriptor(sim, from->put);
        rule->verbs[HBK_VERB_GET] = descriptor(sim, from->get);
        if (from->types)
            set_types(rule, from->types);
        if (from->access_max)
            rule->access_max = from->access_max;
    }
    policy->verbs[HBK_VERB_INSPECT] = descriptor(sim, rules->inspect);
    policy->verbs[HBK_VERB_TRANSFER] = descriptor(sim, rules->transfer);
    policy->verbs[HBK_VERB_REVOKE] = descriptor(sim, rules->revoke);
    return policy;
}

void sim_reload(struct sim *sim, uint32_t set)
{
    struct hbk_policy *policy = set ? build_rules(sim, &sim_rule_sets[set]) : NULL;
    sim->rules_of[++sim->generation % SIM_GENERATIONS_MAX] = (uint8_t)set;
    sim_event(sim, SIM_EV_RULES, set, sim->generation, 0, NULL, 0);
    sim_outcome(sim, SIM_OUT_RELOADED);
    bool from_file = sim_below(sim, 2);
    sim->tally.policies += from_file;
    sim_enter_core(sim);
    hbk_core_configure(sim->core, &sim->config, policy, from_file ? "rules.json" : NULL);
    sim_leave_core(sim);
}
