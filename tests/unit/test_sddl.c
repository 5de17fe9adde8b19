/* What a client may write as a descriptor, and what not. */
#include "policy.h"

#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In memory of its exact size, so that a sanitizer sees who reads past it. */
static const char *check(const char *text, size_t size, size_t *ret_offset)
{
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    const char *fault = hbk_sddl_check((struct hbk_text){.data = copy, .size = size}, ret_offset);
    free(copy);
    return fault;
}

static const char *const good[] = {
    "D:(A;;GA;;;WD)",
    "D:P(A;;0x2;;;SY)",
    "D:PAIAR(A;;2;;;BA)(D;;0x7f;;;AU)",
    "D:AI(A;;0x7F;;;AC)",
    "D:AR(D;;127;;;IU)",
    "D:(A;;GA;;;S-1-5-18)",
    "D:(A;;GA;;;S-1-5-21-1-2-3-1001)",
    "D:(A;;GA;;;S-1-15-2-0-4294967295)",
    "D:(A;;GA;;;S-1-281474976710655-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15)",
};

static const struct {
    const char *text;
    size_t offset;
} bad[] = {
    {"", 0},
    {"D", 0},
    {"d:(A;;GA;;;WD)", 0},
    {" D:(A;;GA;;;WD)", 0},
    {"O:SYD:(A;;GA;;;WD)", 0},
    {"G:SYD:(A;;GA;;;WD)", 0},
    {"S:(ML;;NW;;;LW)", 0},
    {"D:", 2}, /* grants nobody anything: not what anybody means */
    {"D:P", 3},
    {"D:NO_ACCESS_CONTROL", 2}, /* everybody, to Windows */
    {"D:PP(A;;GA;;;WD)", 3},
    {"D:AIAI(A;;GA;;;WD)", 4},
    {"D:p(A;;GA;;;WD)", 2},
    {"D:(A;;GA;;;WD)S:(ML;;NW;;;LW)", 14},
    {"D:(A;;GA;;;WD)O:SY", 14},
    {"D:(A;;GA;;;WD) ", 14},
    {"D:(A;;GA;;;WD)\n", 14},
    {"D: (A;;GA;;;WD)", 2},
    {"D:(A;;GA;;;WD", 13},
    {"D:(A;;GA;;;WD))", 14},
    {"D:((A;;GA;;;WD)", 3},
    {"D:(XA;;GA;;;WD;(Member_of {SID(BA)}))", 3}, /* conditional */
    {"D:(A;;GA;;;WD;(1))", 13},
    {"D:(OA;;GA;;;WD)", 3}, /* of an object type */
    {"D:(AU;SA;GA;;;WD)", 3},
    {"D:(a;;GA;;;WD)", 3},
    {"D:(A;CI;GA;;;WD)", 5},
    {"D:(A;IO;GA;;;WD)", 5}, /* would grant nothing here */
    {"D:(A;;;;;WD)", 6},
    {"D:(A;;GR;;;WD)", 6},
    {"D:(A;;FA;;;WD)", 6},
    {"D:(A;;ga;;;WD)", 6},
    {"D:(A;;GAGA;;;WD)", 8},
    {"D:(A;;0;;;WD)", 7},
    {"D:(A;;0x0;;;WD)", 9},
    {"D:(A;;0x;;;WD)", 8},
    {"D:(A;;0X2;;;WD)", 7},
    {"D:(A;;002;;;WD)", 6}, /* octal, to some */
    {"D:(A;;128;;;WD)", 8},
    {"D:(A;;0x80;;;WD)", 9},
    {"D:(A;;0x10000000;;;WD)", 10},
    {"D:(A;;0x100000002;;;WD)", 10},
    {"D:(A;;-1;;;WD)", 6},
    {"D:(A;;+2;;;WD)", 6},
    {"D:(A;; 2;;;WD)", 6},
    {"D:(A;;GA;bf967aba-0de6-11d0-a285-00aa003049e2;;WD)", 8},
    {"D:(A;;GA;;;)", 11},
    {"D:(A;;GA;;;wd)", 11},
    {"D:(A;;GA;;;DA)", 11}, /* of a domain: somebody would have to be asked */
    {"D:(A;;GA;;;CO)", 11},
    {"D:(A;;GA;;;OW)", 11},
    {"D:(A;;GA;;;WDX)", 13},
    {"D:(A;;GA;;;Administrators)", 11},
    {"D:(A;;GA;;;DOMAIN\\user)", 11},
    {"D:(A;;GA;;;s-1-1-0)", 11},
    {"D:(A;;GA;;;S-2-1-0)", 11},
    {"D:(A;;GA;;;S-1-1)", 16},
    {"D:(A;;GA;;;S-1-)", 15},
    {"D:(A;;GA;;;S-1-1-)", 17},
    {"D:(A;;GA;;;S-1-01-0)", 15},
    {"D:(A;;GA;;;S-1-0x1-0)", 16},
    {"D:(A;;GA;;;S-1-5-032)", 17},
    {"D:(A;;GA;;;S-1-281474976710656-0)", 29},
    {"D:(A;;GA;;;S-1-5-4294967296)", 26},
    {"D:(A;;GA;;;S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16)", 53},
};

static void what_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; ++i) {
        size_t offset = 4711;
        const char *fault = check(good[i], strlen(good[i]), &offset);
        if (fault)
            fail_msg("%s: at %zu: %s", good[i], offset, fault);
        assert_int_equal(offset, 4711);
        assert_null(check(good[i], strlen(good[i]), NULL));
    }
}

static void what_is_refused_and_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        size_t offset = 4711;
        if (!check(bad[i].text, strlen(bad[i].text), &offset))
            fail_msg("%s is taken", bad[i].text);
        if (offset != bad[i].offset)
            fail_msg("%s: at %zu, not %zu", bad[i].text, offset, bad[i].offset);
        assert_non_null(check(bad[i].text, strlen(bad[i].text), NULL));
    }
}

/* No part of a good one is good, but where an entry ends; and a NUL anywhere is no end. */
static void truncation_and_nul(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; ++i) {
        size_t size = strlen(good[i]);
        char text[128];
        for (size_t cut = 0; cut < size; ++cut) {
            bool whole = cut > 0 && good[i][cut - 1] == ')';
            assert_true((check(good[i], cut, NULL) == NULL) == whole);
            memcpy(text, good[i], size);
            text[cut] = 0;
            assert_non_null(check(text, size, NULL));
        }
        memcpy(text, good[i], size + 1);
        assert_non_null(check(text, size + 1, NULL));
    }
}

static void the_longest(void **state)
{
    (void)state;
    static char text[HBK_SDDL_BYTES_MAX + 64];
    size_t size = 0;
    (void)snprintf(text, sizeof text, "D:");
    for (size = 2; size + 14 <= HBK_SDDL_BYTES_MAX; size += 12)
        memcpy(text + size, "(A;;GA;;;WD)", 13);
    memcpy(text + size, "(A;;127;;;WD)", 14); /* one byte more */
    while (size + 13 > HBK_SDDL_BYTES_MAX)
        size -= 12;
    assert_null(check(text, size, NULL));
    for (; size <= HBK_SDDL_BYTES_MAX; size += 12)
        memcpy(text + size, "(A;;GA;;;WD)", 13);
    assert_true(size > HBK_SDDL_BYTES_MAX);
    assert_non_null(check(text, size, NULL));
}

/* Nonsense of the right letters: whatever is taken has only what may be in it. */
static void nonsense(void **state)
{
    (void)state;
    static const char *const pieces[] = {"D:", "(",  ")",  ";",  "A",    "GA", "0x",  "2",
                                         "WD", "SY", "S-", "1-", "5-18", "P",  ";;;", "\xFF"};
    uint32_t random = 4711;
    for (unsigned i = 0; i < 200000; ++i) {
        char text[128];
        size_t size = (size_t)snprintf(text, sizeof text, i % 2 ? "D:(A;;" : "D:(A;;GA;;;");
        for (unsigned j = 0; j < 6; ++j) {
            random = random * 1664525u + 1013904223u;
            size += (size_t)snprintf(text + size, sizeof text - size, "%s",
                                     pieces[(random >> 16) % (sizeof pieces / sizeof pieces[0])]);
        }
        if (!check(text, size, NULL)) {
            assert_int_equal(strncmp(text, "D:", 2), 0);
            assert_int_equal(text[size - 1], ')');
            assert_null(memchr(text, 0xFF, size));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken),      cmocka_unit_test(what_is_refused_and_where),
        cmocka_unit_test(truncation_and_nul), cmocka_unit_test(the_longest),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests_name("sddl", tests, NULL, NULL);
}
