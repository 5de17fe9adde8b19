#include "core_policy.h"

#include "core_client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct hbk_descriptor *descriptor(struct rig *rig, const char *text)
{
    return text ? fake_descriptor(rig->kernel, text) : NULL;
}

static void set_types(struct hbk_policy_rule *rule, const char *types)
{
    rule->types_present = true;
    while (*types) {
        size_t size = strcspn(types, " ");
        enum hbk_type type = hbk_type_find((struct hbk_text){.data = types, .size = size});
        assert_true(type != HBK_TYPE_COUNT);
        rule->types[type] = UINT32_MAX;
        types += size + (types[size] == ' ');
    }
}

static void configure(struct rig *rig, struct hbk_policy *policy)
{
    rig_enter_core();
    hbk_core_configure(rig->core, &rig->config, policy, NULL);
    rig_leave_core();
    rig_run(rig);
}

void rig_rules_and(struct rig *rig, const struct rule *rules, size_t count, const char *transfer)
{
    struct hbk_policy *policy = hbk_policy_new(count);
    assert_non_null(policy);
    for (size_t i = 0; i < count; ++i) {
        struct hbk_policy_rule *rule = &policy->rules[i];
        snprintf(rule->pattern, sizeof rule->pattern, "%s", rules[i].name);
        assert_null(hbk_pattern_check(hbk_text_from(rule->pattern)));
        rule->verbs[HBK_VERB_OPEN] = descriptor(rig, rules[i].open);
        rule->verbs[HBK_VERB_SEND] = descriptor(rig, rules[i].send);
        rule->verbs[HBK_VERB_PUT] = descriptor(rig, rules[i].put);
        rule->verbs[HBK_VERB_GET] = descriptor(rig, rules[i].get);
        if (rules[i].types)
            set_types(rule, rules[i].types);
        if (rules[i].access_max)
            rule->access_max = rules[i].access_max;
    }
    policy->verbs[HBK_VERB_INSPECT] = descriptor(rig, "inspect");
    policy->verbs[HBK_VERB_REVOKE] = descriptor(rig, "revoke");
    policy->verbs[HBK_VERB_TRANSFER] = descriptor(rig, transfer);
    configure(rig, policy);
}

void rig_rules(struct rig *rig, const struct rule *rules, size_t count)
{
    rig_rules_and(rig, rules, count, NULL);
}

void rig_rules_none(struct rig *rig)
{
    configure(rig, NULL);
}

/* ---- answers to the byte ---- */

static char told_bytes[HBK_LINE_BYTES_MAX + 1];

static void spy(struct fake_connection *connection, const uint8_t *bytes, size_t size)
{
    size_t kept = size < sizeof told_bytes ? size : sizeof told_bytes - 1;
    memcpy(told_bytes, bytes, kept);
    told_bytes[kept] = 0;
    client_told(connection, bytes, size);
}

const char *client_bytes_told(struct client *client, const char *method, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    char *params = client_format(format, values);
    va_end(values);
    size_t room = strlen(params) + 128;
    char *line = malloc(room);
    assert_non_null(line);
    snprintf(line, room, "{'jsonrpc':'2.0','id':'same','method':'%s','params':%s}", method, params);
    for (char *at = line; *at; ++at)
        if (*at == '\'')
            *at = '"';
    told_bytes[0] = 0;
    client->rig->kernel->told = spy;
    client_line(client, line);
    client->rig->kernel->told = client_told;
    free(line);
    free(params);
    return told_bytes;
}
