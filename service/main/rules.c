#include "rules.h"

#include "access.h"
#include "log.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

/* Who may do what has no name, where no file says anything. To transfer: whoever may connect, of low integrity too,
 * because Windows' own question about both processes is asked in any case. */
static const wchar_t *const built_in_verbs[HBK_VERB_COUNT] = {
    [HBK_VERB_TRANSFER] = L"D:(A;;GA;;;WD)(A;;GA;;;AC)(A;;GA;;;RC)S:(ML;;NW;;;LW)",
    [HBK_VERB_INSPECT] = L"D:(A;;GA;;;SY)(A;;GA;;;BA)",
    [HBK_VERB_REVOKE] = L"D:(A;;GA;;;SY)(A;;GA;;;BA)",
};

enum { ERROR_BYTES_MAX = 200, TYPES_BYTES_MAX = 160 };

static void join(char key[HBK_CONFIG_KEY_BYTES], const char *parent, const char *name)
{
    int size = snprintf(key, HBK_CONFIG_KEY_BYTES, "%s.%s", parent, name);
    HBK_ASSERT(size > 0 && size < HBK_CONFIG_KEY_BYTES);
}

/* ---- descriptors ---- */

/* Windows' own answer to whether @text is a descriptor, and ours to whether it makes sense for
 * @verb. *@ret_descriptor stays as it is if not. Return: 0; -1 out of memory. */
static int read_descriptor(const struct hbk_config_text *text, enum hbk_verb verb, const char *key,
                           struct hbk_findings *findings, struct hbk_descriptor **ret_descriptor)
{
    wchar_t sddl[HBK_SDDL_BYTES_MAX + 1];
    char windows[ERROR_BYTES_MAX];
    struct hbk_descriptor *descriptor = NULL;

    HBK_ASSERT(text->text.size > 0 && text->text.size <= HBK_SDDL_BYTES_MAX);
    int size = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text->text.data,
                                   (int)text->text.size, sddl, HBK_SDDL_BYTES_MAX);
    HBK_ASSERT(size > 0); /* the codec lets nothing through but UTF-8 */
    sddl[size] = L'\0';
    uint32_t error = hbk_access_descriptor_new(sddl, &descriptor);
    if (error == ERROR_NOT_ENOUGH_MEMORY) {
        return -1;
    }
    if (error == ERROR_NO_SECURITY_ON_OBJECT) {
        hbk_findings_add(findings, text->line, key,
                         "has no DACL, which would be everybody; write whom it admits, for example "
                         "\"D:(A;;GA;;;BA)\"");
        return 0;
    }
    if (error != 0) {
        hbk_findings_add(findings, text->line, key,
                         "is no security descriptor: %s (error %lu); write it in SDDL, for example "
                         "\"D:(A;;GA;;;BA)\"",
                         hbk_log_error_text(error, windows, sizeof(windows)), (unsigned long)error);
        return 0;
    }
    if ((hbk_access_descriptor_rights(descriptor) & hbk_verb_right(verb)) == 0) {
        hbk_findings_add(
            findings, text->line, key,
            "grants %s (0x%lx) to nobody; add an entry such as (A;;0x%lx;;;BA), or leave "
            "the setting out",
            hbk_verb_name(verb), (unsigned long)hbk_verb_right(verb),
            (unsigned long)hbk_verb_right(verb));
        hbk_access_descriptor_free(descriptor);
        return 0;
    }
    *ret_descriptor = descriptor;
    return 0;
}

/* ---- types ---- */

static void refuse_type(const struct hbk_config_type *type, const char *key,
                        struct hbk_findings *findings)
{
    const char *advice = hbk_type_advice(type->rule.type);
    char known[TYPES_BYTES_MAX] = "";
    size_t size = 0;

    if (advice != NULL) {
        hbk_findings_add(findings, type->line, key, "cannot pass: %s", advice);
        return;
    }
    for (size_t i = 0; i < HBK_TYPE_COUNT; i++) {
        size += (size_t)snprintf(known + size, sizeof(known) - size, "%s%s", i == 0 ? "" : ", ",
                                 hbk_type_info((enum hbk_type)i)->name);
        HBK_ASSERT(size < sizeof(known));
    }
    hbk_findings_add(findings, type->line, key, "there is no such type of object; write one of: %s",
                     known);
}

static void read_types(const struct hbk_config_rule *source, const char *parent,
                       struct hbk_findings *findings, struct hbk_policy_rule *rule)
{
    rule->types_present = source->types_count > 0;
    for (size_t i = 0; i < source->types_count; i++) {
        const struct hbk_config_type *type = &source->types[i];
        enum hbk_type known = hbk_type_find(type->rule.type);
        if (known == HBK_TYPE_COUNT) {
            char key[HBK_CONFIG_KEY_BYTES], types[HBK_CONFIG_KEY_BYTES];
            join(types, parent, "types");
            hbk_config_key(key, types, type->rule.type);
            refuse_type(type, key, findings);
            continue;
        }
        if (hbk_text_is(type->rule.type, "Socket") && type->rule.kind != HBK_TYPE_RULE_ANY) {
            char key[HBK_CONFIG_KEY_BYTES];
            (void)snprintf(key, sizeof(key), "%s.types.Socket", parent);
            hbk_findings_add(findings, type->line, key,
                             "must be \"any\": a socket keeps all its rights, or does not work");
            continue;
        }
        rule->type_kinds[known] = type->rule.kind;
        rule->types[known] = type->rule.kind == HBK_TYPE_RULE_ANY    ? UINT32_MAX
                             : type->rule.kind == HBK_TYPE_RULE_READ ? hbk_type_info(known)->read
                                                                     : type->rule.mask;
    }
    if (source->access_max != 0) {
        rule->access_max = source->access_max;
    }
}

/* ---- rules ---- */

static int read_rule(const struct hbk_config_rule *source, size_t index,
                     struct hbk_findings *findings, struct hbk_policy_rule *rule)
{
    const struct hbk_config_text *const texts[HBK_VERB_NAMED_COUNT] = {
        [HBK_VERB_OPEN] = &source->open,
        [HBK_VERB_SEND] = &source->send,
        [HBK_VERB_PUT] = &source->put,
        [HBK_VERB_GET] = &source->get,
    };
    char parent[HBK_CONFIG_KEY_BYTES], key[HBK_CONFIG_KEY_BYTES];

    (void)snprintf(parent, sizeof(parent), "rules[%lu]", (unsigned long)index);
    if (source->name.text.data != NULL) {
        const char *fault = hbk_pattern_check(source->name.text);
        if (fault != NULL) {
            join(key, parent, "name");
            hbk_findings_add(findings, source->name.line, key, "%s", fault);
        } else {
            memcpy(rule->pattern, source->name.text.data, source->name.text.size);
        }
    }
    for (size_t verb = 0; verb < HBK_VERB_NAMED_COUNT; verb++) {
        if (texts[verb]->text.data == NULL) {
            continue;
        }
        join(key, parent, hbk_verb_name((enum hbk_verb)verb));
        if (read_descriptor(texts[verb], (enum hbk_verb)verb, key, findings, &rule->verbs[verb]) !=
            0) {
            return -1;
        }
    }
    read_types(source, parent, findings, rule);
    return 0;
}

static int read_verbs(const struct hbk_config_file *file, struct hbk_findings *findings,
                      struct hbk_policy *policy)
{
    const struct hbk_config_text none = {.line = 0};
    const struct hbk_config_text *const texts[HBK_VERB_COUNT] = {
        [HBK_VERB_TRANSFER] = file != NULL ? &file->transfer : &none,
        [HBK_VERB_INSPECT] = file != NULL ? &file->inspect : &none,
        [HBK_VERB_REVOKE] = file != NULL ? &file->revoke : &none,
    };

    for (size_t verb = HBK_VERB_NAMED_COUNT; verb < HBK_VERB_COUNT; verb++) {
        char key[HBK_CONFIG_KEY_BYTES];
        if (texts[verb]->text.data == NULL) {
            uint32_t error = hbk_access_descriptor_new(built_in_verbs[verb], &policy->verbs[verb]);
            HBK_ASSERT(error == 0 || error == ERROR_NOT_ENOUGH_MEMORY);
            if (error != 0) {
                return -1;
            }
            continue;
        }
        join(key, "verbs", hbk_verb_name((enum hbk_verb)verb));
        if (read_descriptor(texts[verb], (enum hbk_verb)verb, key, findings,
                            &policy->verbs[verb]) != 0) {
            return -1;
        }
    }
    return 0;
}

int hbk_rules_new(const struct hbk_config_file *file, struct hbk_findings *findings,
                  struct hbk_policy **ret_policy)
{
    int result = -1;
    size_t count = file != NULL ? file->rules_count : 0;
    struct hbk_policy *policy = hbk_policy_new(count);

    if (policy == NULL || read_verbs(file, findings, policy) != 0) {
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        if (read_rule(&file->rules[i], i, findings, &policy->rules[i]) != 0) {
            goto out;
        }
    }
    *ret_policy = policy;
    policy = NULL;
    result = 0;
out:
    hbk_rules_free(policy);
    return result;
}

static void free_descriptor(void *context, struct hbk_descriptor *descriptor)
{
    (void)context;
    hbk_access_descriptor_free(descriptor);
}

void hbk_rules_free(struct hbk_policy *policy)
{
    hbk_policy_free(policy, free_descriptor, NULL);
}
