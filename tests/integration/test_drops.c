/* A hundred thousand clients that connect and leave without a word, as fast as they can, from several threads.
 * Another client is served between them, and afterwards the broker has what it had before. The number may be
 * given as the argument. */
#include "kit.h"

#include <stdlib.h>

#define DROPS 100000u
#define WARM_UP 2000u
#define THREADS 2
/* Heap and thread pool grow by megabytes, once; a leak of a hundred bytes a client would be more than this. */
#define BYTES_SPARE (8ull * 1024 * 1024)

static uint32_t drops = DROPS;
static volatile LONG done, failed;

static DWORD WINAPI connect_and_drop(void *argument)
{
    for (LONG left = (LONG)(uintptr_t)argument; left > 0; left--) {
        HANDLE pipe = kit_raw_open(kit_broker()->pipe);
        if (pipe == INVALID_HANDLE_VALUE) {
            InterlockedIncrement(&failed);
            return 1;
        }
        CloseHandle(pipe);
        InterlockedIncrement(&done);
    }
    return 0;
}

/* Lets @count clients come and go; return: how often another client was served meanwhile. */
static uint32_t come_and_go(uint32_t count)
{
    HANDLE threads[THREADS];
    uint32_t served = 0;
    done = failed = 0;
    for (int i = 0; i < THREADS; i++) {
        threads[i] =
            CreateThread(NULL, 0, connect_and_drop, (void *)(uintptr_t)(count / THREADS), 0, NULL);
        assert_non_null(threads[i]);
    }
    while (WaitForMultipleObjects(THREADS, threads, TRUE, 100) == WAIT_TIMEOUT) {
        kit_serve_second();
        served++;
    }
    for (int i = 0; i < THREADS; i++)
        CloseHandle(threads[i]);
    assert_int_equal(failed, 0);
    assert_int_equal(done, count / THREADS * THREADS);
    return served;
}

static void a_hundred_thousand(void **state)
{
    (void)state;
    struct kit_mark mark;
    come_and_go(WARM_UP);
    kit_mark(&mark, 0);
    uint64_t bytes = kit_private_bytes(kit_broker()->pid), begin = kit_now_ms();
    uint32_t served = come_and_go(drops);
    uint64_t took_ms = kit_now_ms() - begin;
    kit_unchanged(&mark);
    uint64_t after = kit_private_bytes(kit_broker()->pid);
    print_message(
        "drops: %lu clients in %llu ms, %llu us each; served beside %lu times; private bytes "
        "%llu -> %llu\n",
        (unsigned long)drops, (unsigned long long)took_ms,
        (unsigned long long)(took_ms * 1000 / drops), (unsigned long)served,
        (unsigned long long)bytes, (unsigned long long)after);
    assert_true(served > 0);
    assert_true(after <= bytes + BYTES_SPARE);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {KIT_TEST(a_hundred_thousand)};
    return cmocka_run_group_tests_name("drops", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strtoul(argv[1], NULL, 10) > 0)
        drops = (uint32_t)strtoul(argv[1], NULL, 10);
    return kit_main(argc, argv, group);
}
