/* What --check-config prints of a file without mistakes. */
#include "settings.h"

#include "log.h"
#include "message.h"

#include <stdio.h>

static void print_types(const struct hbk_policy_rule *rule)
{
    const char *between = "; types ";

    if (!rule->types_present) {
        printf("; the default types");
    }
    for (size_t i = 0; rule->types_present && i < HBK_TYPE_COUNT; i++) {
        const char *name = hbk_type_info((enum hbk_type)i)->name;
        if (rule->types[i] == 0) {
            continue;
        }
        if (rule->type_kinds[i] == HBK_TYPE_RULE_MASK) {
            printf("%s%s 0x%lx", between, name, (unsigned long)rule->types[i]);
        } else {
            printf("%s%s %s", between, name,
                   rule->type_kinds[i] == HBK_TYPE_RULE_READ ? "read" : "any");
        }
        between = ", ";
    }
    if (rule->access_max != UINT32_MAX) {
        printf("; access at most 0x%lx", (unsigned long)rule->access_max);
    }
    printf("\n");
}

static void print_rule(const struct hbk_policy_rule *rule, size_t index)
{
    const char *between = ": decides on ";

    printf("  rules[%lu] \"%s\"", (unsigned long)index, rule->pattern);
    for (size_t verb = 0; verb < HBK_VERB_NAMED_COUNT; verb++) {
        if (rule->verbs[verb] != NULL) {
            printf("%s%s", between, hbk_verb_name((enum hbk_verb)verb));
            between = ", ";
        }
    }
    print_types(rule);
}

/* Whom @verb's descriptor admits, as main/rules.c makes it. */
static const char *admitted(const struct hbk_settings *settings, size_t verb)
{
    if (settings->own_verbs[verb]) {
        return "whom the file admits";
    }
    return verb == HBK_VERB_TRANSFER ? "everybody who may reach both processes (built in)"
                                     : "administrators and LocalSystem (built in)";
}

void hbk_settings_print(struct hbk_settings *settings)
{
    char path[HBK_SETTINGS_NAME_BYTES];

    printf("%s has no mistakes. In force with it:\n\n", settings->source);
    printf("rules: %lu\n", (unsigned long)settings->policy->rules_count);
    for (size_t i = 0; i < settings->policy->rules_count; i++) {
        print_rule(&settings->policy->rules[i], i);
    }
    printf("  other names: user/ belongs to its identity, session/ and global/ to nobody\n");
    printf("verbs:\n");
    for (size_t verb = HBK_VERB_NAMED_COUNT; verb < HBK_VERB_COUNT; verb++) {
        printf("  %-9s %s\n", hbk_verb_name((enum hbk_verb)verb), admitted(settings, verb));
    }
    printf("limits:\n");
    for (size_t i = 0; i < HBK_SETTINGS_LIMITS; i++) {
        printf("  %-22s %lu\n", hbk_settings_limits[i].name,
               (unsigned long)*hbk_settings_value(&settings->config, &hbk_settings_limits[i]));
    }
    if (settings->audit_path == NULL) {
        printf("audit file: none\n");
    } else {
        printf("audit file: %s, begun anew at %lu bytes, %lu kept\n",
               hbk_log_narrow(settings->audit_path, path, sizeof(path)),
               (unsigned long)settings->audit_file_bytes, (unsigned long)settings->audit_files);
    }
    if (settings->metrics_path == NULL) {
        printf("metrics file: none\n");
    } else {
        printf("metrics file: %s, every %lu ms\n",
               hbk_log_narrow(settings->metrics_path, path, sizeof(path)),
               (unsigned long)settings->metrics_interval_ms);
    }
}
