/* HBK_ASSERT: a broken invariant is told and ends the process, in release builds too. Here the end is caught, as abort()
 * raises a signal whose handler need not return. A program of its own, for it gives standard error away. */
#include "test_support.h"
#include "base.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define TOLD_FILE "test_assert.told"

static jmp_buf where_it_ended;
static int evaluated;

static void end_here(int number)
{
    (void)number;
    longjmp(where_it_ended, 1);
}

static bool is_zero(int value)
{
    evaluated++;
    return value == 0;
}

/* Return: does the process end over it? */
static bool ends_over(int value)
{
    if (setjmp(where_it_ended) != 0) {
        return true;
    }
    (void)signal(SIGABRT, end_here);
    HBK_ASSERT(is_zero(value));
    (void)signal(SIGABRT, SIG_DFL);
    return false;
}

static void an_invariant_that_holds_costs_a_look(void **state)
{
    (void)state;
    evaluated = 0;
    assert_false(ends_over(0));
    assert_int_equal(evaluated, 1);
}

static void a_broken_one_is_told_and_ends_the_process(void **state)
{
    char told[256] = "";
    FILE *file;

    (void)state;
    assert_non_null(freopen(TOLD_FILE, "w", stderr));
    evaluated = 0;
    assert_true(ends_over(1));
    assert_int_equal(evaluated, 1);
    file = fopen(TOLD_FILE, "r");
    assert_non_null(file);
    assert_non_null(fgets(told, sizeof told, file));
    (void)fclose(file);
    assert_non_null(strstr(told, "test_assert.c:"));
    assert_non_null(strstr(told, "broken invariant: is_zero(value)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invariant_that_holds_costs_a_look),
        cmocka_unit_test(a_broken_one_is_told_and_ends_the_process),
    };

    return cmocka_run_group_tests_name("assert", tests, NULL, NULL);
}
