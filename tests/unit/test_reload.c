/* When the policy file is read again: one reading at a time, and none too many. */
#include "reload.h"
#include "test_support.h"

#include <windows.h>

enum { WAIT_MS = 10000 };

static uv_loop_t loop;
static struct hbk_reload *reload;
static volatile LONG reading, readings, held;
static volatile LONG wrong; /* seen by a worker, which cannot fail a test itself */
static int result_made;
static int taken, dropped;
static DWORD loop_thread;
static bool nothing;

static void *read_file(void *context)
{
    (void)context;
    /* Never two at once. */
    if (GetCurrentThreadId() == loop_thread || InterlockedIncrement(&reading) != 1)
        wrong = 1;
    while (held != 0)
        Sleep(1);
    InterlockedDecrement(&reading);
    InterlockedIncrement(&readings);
    return nothing ? NULL : &result_made;
}

static void take(void *context, void *result)
{
    assert_ptr_equal(context, &loop);
    assert_ptr_equal(result, &result_made);
    assert_int_equal(GetCurrentThreadId(), loop_thread);
    taken++;
}

static void drop(void *context, void *result)
{
    assert_ptr_equal(context, &loop);
    assert_ptr_equal(result, &result_made);
    dropped++;
}

static int begin(void **state)
{
    (void)state;
    static const struct hbk_reload_job job = {&loop, read_file, take, drop};
    reading = readings = held = wrong = 0;
    taken = dropped = 0;
    nothing = false;
    loop_thread = GetCurrentThreadId();
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(hbk_reload_new(&loop, &job, &reload), 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    held = 0;
    hbk_reload_close(reload);
    hbk_reload_close(reload); /* harmless */
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_false(hbk_reload_busy(reload));
    assert_int_equal(uv_loop_close(&loop), 0);
    hbk_reload_free(reload);
    hbk_reload_free(NULL);
    assert_int_equal(wrong, 0);
    return 0;
}

static void run_until(const volatile LONG *count, LONG most)
{
    uint64_t stop = GetTickCount64() + WAIT_MS;
    while (*count < most) {
        assert_true(GetTickCount64() < stop);
        uv_run(&loop, UV_RUN_NOWAIT);
        Sleep(1);
    }
}

static void settle(void)
{
    for (int i = 0; i < 50; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        Sleep(1);
    }
}

static void one_request(void **state)
{
    (void)state;
    hbk_reload_request(reload);
    run_until(&readings, 1);
    settle();
    assert_int_equal(readings, 1);
    assert_int_equal(taken, 1);
}

/* Twenty while one runs: the file may have changed since it was read, so once more, but once. */
static void requests_while_one_runs(void **state)
{
    (void)state;
    held = 1;
    hbk_reload_request(reload);
    run_until(&reading, 1);
    assert_true(hbk_reload_busy(reload));
    for (int i = 0; i < 20; i++) {
        hbk_reload_request(reload);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    held = 0;
    run_until(&readings, 2);
    settle();
    assert_int_equal(readings, 2);
    assert_int_equal(taken, 2);
}

static void a_reading_without_result(void **state)
{
    (void)state;
    nothing = true;
    hbk_reload_request(reload);
    run_until(&readings, 1);
    settle();
    assert_int_equal(taken, 0);
}

static void an_end_while_one_runs(void **state)
{
    (void)state;
    held = 1;
    hbk_reload_request(reload);
    run_until(&reading, 1);
    hbk_reload_request(reload);
    uv_run(&loop, UV_RUN_NOWAIT);
    hbk_reload_close(reload);
    settle();
    assert_int_equal(dropped, 0);
    held = 0;
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(readings, 1);
    assert_int_equal(taken, 0);
    assert_int_equal(dropped, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_request),
        TEST(requests_while_one_runs),
        TEST(a_reading_without_result),
        TEST(an_end_while_one_runs),
    };
    return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
