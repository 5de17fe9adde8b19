/* Rules as data: verbs, patterns, which rule speaks of what, and what may pass. */
#include "policy.h"

#include "alloc_fault.h"
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- verbs ---- */

static void verbs_have_names_and_rights(void **state)
{
    (void)state;
    uint32_t seen = 0;
    for (int i = 0; i < HBK_VERB_COUNT; ++i) {
        enum hbk_verb verb = (enum hbk_verb)i;
        assert_int_equal(hbk_verb_find(hbk_text_from(hbk_verb_name(verb))), verb);
        assert_int_equal(seen & hbk_verb_right(verb), 0);
        seen |= hbk_verb_right(verb);
    }
    assert_int_equal(seen, HBK_RIGHTS_ALL);
    const char *none[] = {"", "Send", "sen", "sends", "SEND", "all"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; ++i)
        assert_int_equal(hbk_verb_find(hbk_text_from(none[i])), HBK_VERB_COUNT);
    assert_int_equal(hbk_verb_find((struct hbk_text){0}), HBK_VERB_COUNT);
}

/* ---- patterns ---- */

static void patterns_that_can_match(void **state)
{
    (void)state;
    const char *good[] = {"user/a", "session/print", "global/*", "*",           "user/*",
                          "user*",  "use*",          "*/print",  "g*",          "s*/a*b",
                          "**",     "user/a*b*c",    "session*", "user/A.b_c-9"};
    const char *bad[] = {
        "",         "user",      "user/",   "User/a",   "local/*",       "/a",      "/*",
        "user/a b", "user/a?",   "users/*", "globals*", "user/\xC3\xA4", "user\\*", "user/[ab]",
        "session/", "sessions/", "user/{a", "user/a~",  "user/a@b",      "user/a:b"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; ++i)
        if (hbk_pattern_check(hbk_text_from(good[i])))
            fail_msg("%s: %s", good[i], hbk_pattern_check(hbk_text_from(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i)
        if (!hbk_pattern_check(hbk_text_from(bad[i])))
            fail_msg("%s is taken", bad[i]);
    assert_non_null(hbk_pattern_check((struct hbk_text){0}));
    assert_non_null(hbk_pattern_check((struct hbk_text){.data = "user/a\0", .size = 7}));
    char longest[HBK_NAME_BYTES_MAX + 2];
    memset(longest, 'x', sizeof longest);
    (void)snprintf(longest, sizeof longest, "user/");
    longest[5] = 'x';
    assert_null(hbk_pattern_check((struct hbk_text){.data = longest, .size = HBK_NAME_BYTES_MAX}));
    assert_non_null(
        hbk_pattern_check((struct hbk_text){.data = longest, .size = HBK_NAME_BYTES_MAX + 1}));
}

static void patterns_match_the_whole_name(void **state)
{
    (void)state;
    const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        {"user/a", "user/a", true},
        {"user/a", "user/A", false},
        {"user/a", "user/ab", false},
        {"user/ab", "user/a", false},
        {"user/a", "global/user/a", false},
        {"*", "user/a", true},
        {"*", "global/x/y", true},
        {"user/*", "user/a", true},
        {"user/*", "user/a/b/c", true},
        {"user/*", "global/a", false},
        {"user/a*", "user/a", true},
        {"user/*a", "user/a", true},
        {"user/*a", "user/bab", false},
        {"user/*a*", "user/bab", true},
        {"*/print", "session/print", true},
        {"*/print", "session/print/x", false},
        {"*/print", "session/print/print", true},
        {"s*n/p*t", "session/print", true},
        {"s*n/p*t", "session/prin", false},
        {"user/a**b", "user/ab", true},
        {"user/a*b*c", "user/abbbcbc", true},
        {"user/a*b*c", "user/abbbcb", false},
        {"user/*.log", "user/x.log", true},
        {"user/*.log", "user/xalog", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i)
        if (hbk_pattern_matches(rows[i].pattern, hbk_text_from(rows[i].name)) != rows[i].matches)
            fail_msg("%s and %s", rows[i].pattern, rows[i].name);
}

/* The obvious definition, to compare with. */
static bool slow_match(const char *pattern, const char *name)
{
    if (*pattern == 0)
        return *name == 0;
    if (*pattern == '*')
        return slow_match(pattern + 1, name) || (*name && slow_match(pattern, name + 1));
    return *pattern == *name && slow_match(pattern + 1, name + 1);
}

static void patterns_match_as_defined(void **state)
{
    (void)state;
    uint32_t random = 99;
    unsigned matches = 0;
    for (unsigned i = 0; i < 300000; ++i) {
        char pattern[10], name[10];
        random = random * 1664525u + 1013904223u;
        size_t pattern_size = (random >> 8) % 8, name_size = 1 + (random >> 16) % 8;
        for (size_t j = 0; j < pattern_size; ++j) {
            random = random * 1664525u + 1013904223u;
            pattern[j] = "ab*"[(random >> 16) % 3];
        }
        for (size_t j = 0; j < name_size; ++j) {
            random = random * 1664525u + 1013904223u;
            name[j] = "ab"[(random >> 16) % 2];
        }
        pattern[pattern_size] = name[name_size] = 0;
        bool expected = slow_match(pattern, name);
        matches += expected;
        if (hbk_pattern_matches(pattern, hbk_text_from(name)) != expected)
            fail_msg("%s and %s", pattern, name);
    }
    assert_true(matches > 1000);
}

static void a_cruel_pattern_is_quick(void **state)
{
    (void)state;
    char pattern[HBK_NAME_BYTES_MAX + 1], name[HBK_NAME_BYTES_MAX];
    memset(name, 'a', sizeof name);
    for (size_t i = 0; i < sizeof pattern - 1; ++i)
        pattern[i] = i % 2 ? 'a' : '*';
    pattern[sizeof pattern - 2] = 'b';
    pattern[sizeof pattern - 1] = 0;
    /* With a search that takes every * back this would not end. */
    for (unsigned i = 0; i < 1000; ++i)
        assert_false(
            hbk_pattern_matches(pattern, (struct hbk_text){.data = name, .size = sizeof name}));
}

/* ---- a policy ---- */

/* The core never looks into one. */
static struct hbk_descriptor *descriptor(void)
{
    void *memory = malloc(1);
    assert_non_null(memory);
    return memory;
}

static void count_free(void *context, struct hbk_descriptor *d)
{
    assert_non_null(d);
    ++*(unsigned *)context;
    free(d);
}

static struct hbk_policy *three_rules(void)
{
    struct hbk_policy *policy = hbk_policy_new(3);
    assert_non_null(policy);
    for (size_t i = 0; i < 3; ++i) {
        assert_int_equal(policy->rules[i].access_max, UINT32_MAX);
        assert_false(policy->rules[i].types_present);
    }
    snprintf(policy->rules[0].pattern, sizeof policy->rules[0].pattern, "user/a*");
    policy->rules[0].verbs[HBK_VERB_OPEN] = descriptor();
    snprintf(policy->rules[1].pattern, sizeof policy->rules[1].pattern, "user/*");
    policy->rules[1].verbs[HBK_VERB_SEND] = descriptor();
    policy->rules[1].verbs[HBK_VERB_OPEN] = descriptor();
    policy->rules[1].types_present = true;
    policy->rules[1].types[HBK_TYPE_TOKEN] = 0x8;
    policy->rules[1].types[HBK_TYPE_EVENT] = UINT32_MAX;
    snprintf(policy->rules[2].pattern, sizeof policy->rules[2].pattern, "*");
    policy->rules[2].access_max = 0x0000FFFF;
    return policy;
}

static void the_first_rule_that_speaks_of_it_decides(void **state)
{
    (void)state;
    struct hbk_policy *policy = three_rules();
    const struct hbk_text a = hbk_text_from("user/ab"), b = hbk_text_from("user/b"),
                          c = hbk_text_from("global/a");
    assert_int_equal(hbk_policy_decides(policy, HBK_VERB_OPEN, a), 0);
    assert_int_equal(hbk_policy_decides(policy, HBK_VERB_SEND, a), 1); /* the first says nothing */
    assert_int_equal(hbk_policy_decides(policy, HBK_VERB_OPEN, b), 1);
    assert_int_equal(hbk_policy_decides(policy, HBK_VERB_OPEN, c), HBK_POLICY_NO_RULE);
    assert_int_equal(hbk_policy_decides(policy, HBK_VERB_PUT, a), HBK_POLICY_NO_RULE);
    assert_int_equal(hbk_policy_decides(NULL, HBK_VERB_OPEN, a), HBK_POLICY_NO_RULE);
    assert_int_equal(hbk_policy_limits(policy, a), 1);
    assert_int_equal(hbk_policy_limits(policy, c), 2);
    assert_int_equal(hbk_policy_limits(NULL, a), HBK_POLICY_NO_RULE);
    unsigned freed = 0;
    hbk_policy_free(policy, count_free, &freed);
    assert_int_equal(freed, 3);
    hbk_policy_free(NULL, count_free, &freed);
    assert_int_equal(freed, 3);
}

static void what_may_pass(void **state)
{
    (void)state;
    struct hbk_policy *policy = three_rules();
    unsigned freed = 0;
    for (int i = 0; i < HBK_TYPE_COUNT; ++i) {
        enum hbk_type type = (enum hbk_type)i;
        bool by_rule = hbk_type_info(type)->by_rule;
        assert_int_equal(hbk_policy_cap(NULL, HBK_POLICY_NO_RULE, type), by_rule ? 0 : UINT32_MAX);
        assert_int_equal(hbk_policy_cap(policy, HBK_POLICY_NO_RULE, type),
                         by_rule ? 0 : UINT32_MAX);
        assert_int_equal(hbk_policy_cap(policy, 1, type), type == HBK_TYPE_TOKEN   ? 0x8
                                                          : type == HBK_TYPE_EVENT ? UINT32_MAX
                                                                                   : 0);
        assert_int_equal(hbk_policy_cap(policy, 2, type), by_rule ? 0 : 0xFFFF);
    }
    policy->rules[1].access_max = 0x1;
    assert_int_equal(hbk_policy_cap(policy, 1, HBK_TYPE_TOKEN), 0);
    assert_int_equal(hbk_policy_cap(policy, 1, HBK_TYPE_EVENT), 1);
    hbk_policy_free(policy, count_free, &freed);
}

static void no_rules_are_a_policy_too(void **state)
{
    (void)state;
    struct hbk_policy *policy = hbk_policy_new(0);
    unsigned freed = 0;
    assert_non_null(policy);
    assert_int_equal(hbk_policy_decides(policy, HBK_VERB_OPEN, hbk_text_from("user/a")),
                     HBK_POLICY_NO_RULE);
    policy->verbs[HBK_VERB_INSPECT] = descriptor();
    policy->verbs[HBK_VERB_REVOKE] = descriptor();
    hbk_policy_free(policy, count_free, &freed);
    assert_int_equal(freed, 2);
}

static void out_of_memory(void **state)
{
    (void)state;
    if (!alloc_fault_works()) {
        print_message("skipped: allocations cannot be made to fail in this build\n");
        skip();
    }
    for (size_t i = 0; i < 2; ++i) {
        alloc_fault_arm(i);
        struct hbk_policy *policy = hbk_policy_new(HBK_POLICY_RULES_MAX);
        alloc_fault_disarm();
        assert_null(policy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verbs_have_names_and_rights),
        cmocka_unit_test(patterns_that_can_match),
        cmocka_unit_test(patterns_match_the_whole_name),
        cmocka_unit_test(patterns_match_as_defined),
        cmocka_unit_test(a_cruel_pattern_is_quick),
        cmocka_unit_test(the_first_rule_that_speaks_of_it_decides),
        cmocka_unit_test(what_may_pass),
        cmocka_unit_test(no_rules_are_a_policy_too),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
