/* The configuration file: what is taken of it must be what a second parser reads in it; what is refused changes nothing
 * and is told, with a line that there is. Then the rules, asked for names, beside a plain reading of their patterns. */
#include "fuzz.h"
#include "config.h"
#include "lexis.h"
#include "policy.h"
#include "tree.h"

#include <string.h>

#define UNTOUCHED 0xA5A5A5A5u

enum { NAME_BYTES_MAX = 40 };

/* Told apart by their address alone. */
struct hbk_descriptor {
    int verb;
};
static struct hbk_descriptor some_descriptor;

struct values {
    uint32_t sessions, hello_ms, file_bytes, files;
};

struct heard {
    size_t count;
    uint32_t lines_max;
};

static void hear(void *context, uint32_t line, const char *key, const char *what)
{
    struct heard *heard = context;

    heard->count++;
    HBK_ASSERT(line >= 1 && line <= heard->lines_max);
    HBK_ASSERT(strlen(key) < HBK_CONFIG_KEY_BYTES && what[0] != '\0');
    HBK_ASSERT(hbk_utf8_check(key, strlen(key)) == strlen(key));
    HBK_ASSERT(hbk_utf8_check(what, strlen(what)) == strlen(what));
}

/* ---- what was taken ---- */

static void check_number(const json_t *tree, const char *section, const char *name, uint32_t is)
{
    const json_t *value = json_object_get(json_object_get(tree, section), name);

    if (value == NULL)
        HBK_ASSERT(is == UNTOUCHED);
    else
        HBK_ASSERT(json_is_real(value) && json_real_value(value) == (double)is);
}

static void check_text(const json_t *value, const struct hbk_config_text *is, uint32_t lines_max)
{
    if (value == NULL) {
        HBK_ASSERT(is->text.data == NULL && is->line == 0);
        return;
    }
    HBK_ASSERT(tree_is_text(value, is->text) && is->text.size > 0);
    HBK_ASSERT(is->line >= 1 && is->line <= lines_max);
}

/* A mask as a number, or in hexadecimal. */
static bool is_mask(const json_t *value, uint32_t mask)
{
    const char *text = json_string_value(value), *digit;
    uint64_t read = 0;

    if (json_is_real(value))
        return json_real_value(value) == (double)mask;
    if (text == NULL || text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
        return false;
    for (text += 2; *text != '\0'; text++) {
        static const char digits[] = "00112233445566778899aAbBcCdDeEfF";

        digit = strchr(digits, *text);
        if (digit == NULL || read > UINT32_MAX)
            return false;
        read = read * 16 + (uint64_t)(digit - digits) / 2;
    }
    return read == mask && mask != 0;
}

static void check_types(const json_t *types, const struct hbk_config_rule *rule)
{
    HBK_ASSERT(json_object_size(types) == rule->types_count);
    for (size_t i = 0; i < rule->types_count; i++) {
        const struct hbk_type_rule *is = &rule->types[i].rule;
        const json_t *value = json_object_getn(types, is->type.data, is->type.size);

        HBK_ASSERT(value != NULL);
        if (is->kind == HBK_TYPE_RULE_MASK)
            HBK_ASSERT(is_mask(value, is->mask));
        else
            HBK_ASSERT(
                tree_is_text(value, hbk_text_from(is->kind == HBK_TYPE_RULE_ANY ? "any" : "read")));
    }
}

static void check_rule(const json_t *tree, const struct hbk_config_rule *rule, uint32_t lines_max)
{
    const json_t *access_max = json_object_get(tree, "access_max");

    HBK_ASSERT(json_is_object(tree) && json_object_size(tree) >= 2);
    HBK_ASSERT(json_object_get(tree, "name") != NULL);
    HBK_ASSERT(rule->line >= 1 && rule->line <= lines_max);
    check_text(json_object_get(tree, "name"), &rule->name, lines_max);
    check_text(json_object_get(tree, "open"), &rule->open, lines_max);
    check_text(json_object_get(tree, "send"), &rule->send, lines_max);
    check_text(json_object_get(tree, "put"), &rule->put, lines_max);
    check_text(json_object_get(tree, "get"), &rule->get, lines_max);
    check_types(json_object_get(tree, "types"), rule);
    HBK_ASSERT(access_max ? is_mask(access_max, rule->access_max) : rule->access_max == 0);
}

static void check_file(const json_t *tree, const struct hbk_config_file *file,
                       const struct values *values, uint32_t lines_max)
{
    const json_t *verbs = json_object_get(tree, "verbs"), *rules = json_object_get(tree, "rules");

    check_number(tree, "limits", "sessions", values->sessions);
    check_number(tree, "limits", "hello_ms", values->hello_ms);
    check_number(tree, "audit", "file_bytes", values->file_bytes);
    check_number(tree, "audit", "files", values->files);
    check_text(json_object_get(json_object_get(tree, "audit"), "file"), &file->audit_file,
               lines_max);
    check_text(json_object_get(verbs, "inspect"), &file->inspect, lines_max);
    check_text(json_object_get(verbs, "transfer"), &file->transfer, lines_max);
    check_text(json_object_get(verbs, "revoke"), &file->revoke, lines_max);
    HBK_ASSERT(json_array_size(rules) == file->rules_count);
    for (size_t i = 0; i < file->rules_count; i++)
        check_rule(json_array_get(rules, i), &file->rules[i], lines_max);
}

/* ---- the rules ---- */

/* As the pattern is read by a person: each * tried with every length. */
static bool matches(const char *pattern, const char *name)
{
    if (*pattern != '*')
        return *pattern == *name && (*name == '\0' || matches(pattern + 1, name + 1));
    while (pattern[1] == '*')
        pattern++;
    for (;; name++) {
        if (matches(pattern + 1, name))
            return true;
        if (*name == '\0')
            return false;
    }
}

/* Few stars, or that takes for ever. */
static bool is_plain(const char *pattern)
{
    size_t stars = 0;

    for (; *pattern != '\0'; pattern++)
        stars += *pattern == '*';
    return stars <= 4;
}

static struct hbk_policy_rule read_rule(const struct hbk_config_rule *source)
{
    struct hbk_policy_rule rule = {.types_present = source->types_count > 0,
                                   .access_max =
                                       source->access_max ? source->access_max : UINT32_MAX};

    if (hbk_pattern_check(source->name.text) == NULL && source->name.text.data != NULL)
        memcpy(rule.pattern, source->name.text.data, source->name.text.size);
    rule.verbs[HBK_VERB_OPEN] = source->open.text.data ? &some_descriptor : NULL;
    rule.verbs[HBK_VERB_SEND] = source->send.text.data ? &some_descriptor : NULL;
    rule.verbs[HBK_VERB_PUT] = source->put.text.data ? &some_descriptor : NULL;
    rule.verbs[HBK_VERB_GET] = source->get.text.data ? &some_descriptor : NULL;
    for (size_t i = 0; i < source->types_count; i++) {
        const enum hbk_type type = hbk_type_find(source->types[i].rule.type);

        if (type != HBK_TYPE_COUNT)
            rule.types[type] = source->types[i].rule.kind == HBK_TYPE_RULE_MASK
                                   ? source->types[i].rule.mask
                                   : UINT32_MAX;
    }
    return rule;
}

static void check_name(const struct hbk_policy *policy, const char *name)
{
    const struct hbk_text text = hbk_text_from(name);

    for (int verb = 0; verb <= HBK_VERB_NAMED_COUNT; verb++) {
        const bool limits = verb == HBK_VERB_NAMED_COUNT;
        const int is = limits ? hbk_policy_limits(policy, text)
                              : hbk_policy_decides(policy, (enum hbk_verb)verb, text);
        int expected = HBK_POLICY_NO_RULE;

        for (size_t i = 0; i < policy->rules_count && expected == HBK_POLICY_NO_RULE; i++) {
            const struct hbk_policy_rule *rule = &policy->rules[i];
            const bool says = limits ? rule->types_present || rule->access_max != UINT32_MAX
                                     : rule->verbs[verb] != NULL;

            if (!is_plain(rule->pattern))
                return;
            if (says && matches(rule->pattern, name))
                expected = (int)i;
        }
        HBK_ASSERT(is == expected);
        if (!limits)
            continue;
        for (int type = 0; type < HBK_TYPE_COUNT; type++) {
            const uint32_t cap = hbk_policy_cap(policy, is, (enum hbk_type)type);

            HBK_ASSERT(is == HBK_POLICY_NO_RULE || (cap & ~policy->rules[is].access_max) == 0);
        }
    }
}

// cppcheck-suppress constParameter ; as a policy calls it
static void free_nothing(void *context, struct hbk_descriptor *descriptor)
{
    HBK_ASSERT(descriptor == &some_descriptor);
    ++*(size_t *)context;
}

/* Names that are short, and what the first pattern would be with something for each star. */
static void check_rules(const struct hbk_config_file *file)
{
    struct hbk_policy *policy = hbk_policy_new(file->rules_count);
    char name[NAME_BYTES_MAX + 1] = "";
    size_t given = 0, freed = 0, size = 0;

    HBK_ASSERT(policy != NULL);
    for (size_t i = 0; i < file->rules_count; i++) {
        policy->rules[i] = read_rule(&file->rules[i]);
        for (int verb = 0; verb < HBK_VERB_NAMED_COUNT; verb++)
            given += policy->rules[i].verbs[verb] != NULL;
    }
    for (const char *at = file->rules_count ? policy->rules[0].pattern : "";
         *at != '\0' && size < NAME_BYTES_MAX; at++, size++) {
        name[size] = *at;
        if (*at == '*')
            name[size] = 'a';
    }
    check_name(policy, name);
    check_name(policy, "user/a");
    check_name(policy, "session/print/a.b");
    check_name(policy, "global/aXbXa");
    hbk_policy_free(policy, free_nothing, &freed);
    HBK_ASSERT(freed == given);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct values untouched = {UNTOUCHED, UNTOUCHED, UNTOUCHED, UNTOUCHED};
    struct values values = untouched;
    const struct hbk_config_field fields[] = {
        {"limits", "sessions", 2, HBK_SESSIONS_MAX, &values.sessions},
        {"limits", "hello_ms", 50, 600000, &values.hello_ms},
        {"audit", "file_bytes", 65536, 1073741824, &values.file_bytes},
        {"audit", "files", 1, 100, &values.files},
    };
    const struct hbk_text text = {(const char *)data, size};
    struct heard heard = {.lines_max = 1};
    struct hbk_config_file file = {.tree = NULL};

    for (size_t i = 0; i < size; i++)
        heard.lines_max += data[i] == '\n';

    const int result =
        hbk_config_read(text, fields, sizeof fields / sizeof fields[0], hear, &heard, &file);
    HBK_ASSERT(result == 0 || result == HBK_CONFIG_E_REFUSED);
    HBK_ASSERT((result == 0) == (heard.count == 0));
    HBK_ASSERT(file.rules_count <= HBK_POLICY_RULES_MAX);
    if (result == 0) {
        json_t *tree = tree_load(text);

        HBK_ASSERT(tree != NULL);
        check_file(tree, &file, &values, heard.lines_max);
        json_decref(tree);
    } else {
        HBK_ASSERT(memcmp(&values, &untouched, sizeof values) == 0);
    }
    check_rules(&file);
    hbk_config_clear(&file);
    return 0;
}
