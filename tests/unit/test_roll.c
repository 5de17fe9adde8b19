/* The roll: order, gaps, and where a listing goes on. */
#include "roll.h"

#include "alloc_fault.h"
#include "test_support.h"

#include <string.h>

enum { MEMBERS = 3000 };

static int members[MEMBERS + 1]; /* by serial */
static bool there[MEMBERS + 1];

static void add(struct hbk_roll *roll, uint64_t serial)
{
    assert_int_equal(hbk_roll_reserve(roll), 0);
    hbk_roll_append(roll, serial, &members[serial]);
    there[serial] = true;
}

static void take(struct hbk_roll *roll, uint64_t serial)
{
    hbk_roll_remove(roll, serial);
    there[serial] = false;
}

/* From @after on, exactly those that are there, in order. */
static void check_from(const struct hbk_roll *roll, uint64_t after)
{
    uint64_t expected = after + 1;
    for (size_t i = hbk_roll_after(roll, after); i < roll->count; ++i) {
        assert_true(roll->entries[i].serial > after);
        if (!roll->entries[i].member)
            continue;
        while (!there[expected])
            ++expected;
        assert_int_equal(roll->entries[i].serial, expected);
        assert_ptr_equal(roll->entries[i].member, &members[expected]);
        ++expected;
    }
    for (; expected <= MEMBERS; ++expected)
        assert_false(there[expected]);
}

static void what_comes_and_goes_stays_in_order(void **state)
{
    (void)state;
    struct hbk_roll roll = {0};
    uint32_t random = 1;
    uint64_t serial = 0;
    memset(there, 0, sizeof there);
    for (unsigned step = 0; serial < MEMBERS; ++step) {
        random = random * 1664525u + 1013904223u;
        if (random >> 30 && serial < MEMBERS) {
            add(&roll, ++serial);
        } else {
            uint64_t victim = 1 + random % (serial + 1);
            if (victim <= serial && there[victim])
                take(&roll, victim);
        }
        if (step % 97 == 0)
            check_from(&roll, random % (MEMBERS + 1));
        assert_true(roll.gone <= 16 || roll.gone <= roll.count / 2);
    }
    check_from(&roll, 0);
    check_from(&roll, MEMBERS);
    for (uint64_t i = 1; i <= MEMBERS; ++i)
        if (there[i])
            take(&roll, i);
    check_from(&roll, 0);
    hbk_roll_deinit(&roll);
    assert_null(roll.entries);
}

static void without_memory_nothing_changes(void **state)
{
    (void)state;
    if (!alloc_fault_works()) {
        print_message("skipped: allocations cannot be made to fail in this build\n");
        skip();
    }
    struct hbk_roll roll = {0};
    alloc_fault_arm(0);
    assert_int_equal(hbk_roll_reserve(&roll), -1);
    alloc_fault_disarm();
    assert_int_equal(roll.capacity, 0);
    memset(there, 0, sizeof there);
    for (uint64_t i = 1; i <= 8; ++i)
        add(&roll, i);
    alloc_fault_arm(0);
    assert_int_equal(hbk_roll_reserve(&roll), -1);
    alloc_fault_disarm();
    check_from(&roll, 0);
    for (uint64_t i = 1; i <= 8; ++i)
        take(&roll, i);
    hbk_roll_deinit(&roll);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_and_goes_stays_in_order),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests_name("roll", tests, NULL, NULL);
}
