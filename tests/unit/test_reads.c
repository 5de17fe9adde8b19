/* service/win/reads: in whatever order reads end and are started again, none is missed. */
#include "test_support.h"
#include "alloc_fault.h"
#include "parts.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define PIPES 600 /* a few slabs, and more than are looked at together */
#define SOON_MS 5000

struct pipe {
    HANDLE ours, theirs;
    uint32_t place;
    bool reading;
    char buffer[8];
};

static struct hbk_reads reads;
static struct pipe pipes[PIPES];
static struct hbk_connection owners[PIPES];

static void start(int i)
{
    assert_false(pipes[i].reading);
    pipes[i].reading = true;
    hbk_reads_start(&reads, pipes[i].place, pipes[i].ours, pipes[i].buffer, sizeof pipes[i].buffer);
    assert_false(hbk_reads_idle(&reads));
}

static bool event_is_set(DWORD timeout_ms)
{
    return WaitForSingleObject(reads.event, timeout_ms) == WAIT_OBJECT_0;
}

/* Which read has ended; -1: none. */
static int next(void)
{
    hbk_reads_look(&reads);
    struct hbk_connection *owner = hbk_reads_next(&reads);
    while (owner == NULL && !hbk_reads_idle(&reads))
        owner = hbk_reads_next(&reads);
    assert_int_equal(hbk_reads_idle(&reads), owner == NULL);
    return owner == NULL ? -1 : (int)(owner - owners);
}

static uint32_t finish(int i, uint32_t *ret_size)
{
    assert_true(pipes[i].reading);
    pipes[i].reading = false;
    return hbk_reads_end(&reads, pipes[i].place, pipes[i].ours, ret_size);
}

static void write_to(int i, const char *text)
{
    DWORD written = 0;
    assert_true(WriteFile(pipes[i].theirs, text, (DWORD)strlen(text), &written, NULL));
    assert_int_equal(written, strlen(text));
}

/* That read has ended, with @text. */
static void is_data(int i, const char *text)
{
    uint32_t size = 0;
    assert_int_equal(finish(i, &size), 0);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(pipes[i].buffer, text, size);
}

static void make_pipe(struct pipe *pipe, int number)
{
    wchar_t name[64];
    (void)swprintf(name, 64, L"\\\\.\\pipe\\hbk-test-reads-%lu-%d", GetCurrentProcessId(), number);
    pipe->ours = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, 0, 1, 4096, 4096,
                                  0, NULL);
    assert_true(pipe->ours != INVALID_HANDLE_VALUE);
    pipe->theirs = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(pipe->theirs != INVALID_HANDLE_VALUE);
}

static int begin(void **state)
{
    (void)state;
    memset(pipes, 0, sizeof pipes);
    assert_int_equal(hbk_reads_init(&reads), 0);
    for (int i = 0; i < PIPES; i++) {
        make_pipe(&pipes[i], i);
        assert_int_equal(hbk_reads_take_place(&reads, &owners[i], &pipes[i].place), 0);
        start(i);
    }
    assert_int_equal(next(), -1);
    assert_false(event_is_set(0));
    return 0;
}

static int end(void **state)
{
    int left = 0;
    uint32_t size;
    (void)state;
    for (int i = 0; i < PIPES; i++) {
        CancelIoEx(pipes[i].ours, NULL);
        left += pipes[i].reading;
    }
    for (ULONGLONG until = GetTickCount64() + SOON_MS; left > 0; left--) {
        int i = next();
        for (; i < 0; i = next()) {
            assert_true(GetTickCount64() < until);
            event_is_set(1);
        }
        finish(i, &size);
    }
    for (int i = 0; i < PIPES; i++) {
        CloseHandle(pipes[i].ours);
        if (pipes[i].theirs != NULL)
            CloseHandle(pipes[i].theirs);
        hbk_reads_give_place(&reads, pipes[i].place);
    }
    assert_int_equal(reads.slab_count, 0);
    hbk_reads_deinit(&reads);
    return 0;
}

/* ---- no end is missed ---- */

static void what_ends_after_a_scan_sets_the_event(void **state)
{
    (void)state;
    for (int i = 0; i < PIPES; i += 7) {
        write_to(i, "a");
        assert_true(event_is_set(SOON_MS));
        assert_int_equal(next(), i);
        is_data(i, "a");
        start(i);
        assert_int_equal(next(), -1);
        assert_false(event_is_set(0));
    }
}

/* The start of one read takes the event away from another that has ended: the scan finds it. */
static void a_start_hides_no_end(void **state)
{
    (void)state;
    write_to(3, "a");
    assert_true(event_is_set(SOON_MS));
    write_to(150, "b");
    assert_int_equal(next(), 3);
    is_data(3, "a");
    start(3);
    assert_false(event_is_set(0));
    assert_int_equal(next(), 150);
    is_data(150, "b");
    start(150);
    assert_int_equal(next(), -1);
}

static void a_read_that_ends_at_once_is_found(void **state)
{
    (void)state;
    write_to(9, "12345678and");
    assert_true(event_is_set(SOON_MS));
    assert_int_equal(next(), 9);
    is_data(9, "12345678");
    start(9);
    assert_true(event_is_set(0));
    assert_int_equal(next(), 9);
    is_data(9, "and");
    start(9);
    assert_int_equal(next(), -1);
}

/* An end that nobody follows with a start. */
static void an_event_that_was_left_set_is_cleared(void **state)
{
    (void)state;
    write_to(77, "a");
    assert_true(event_is_set(SOON_MS));
    assert_int_equal(next(), 77);
    is_data(77, "a");
    assert_int_equal(next(), -1);
    assert_true(event_is_set(0));
    hbk_reads_clear(&reads);
    assert_false(hbk_reads_idle(&reads));
    assert_false(event_is_set(0));
    assert_int_equal(next(), -1);
    write_to(78, "b");
    assert_true(event_is_set(SOON_MS));
    assert_int_equal(next(), 78);
    is_data(78, "b");
    assert_int_equal(next(), -1);
    start(77); /* after a scan: there has to be another one */
}

/* ---- ends that bring nothing ---- */

static void a_cancelled_read_can_be_started_again(void **state)
{
    uint32_t size = 77;
    (void)state;
    assert_true(CancelIoEx(pipes[64].ours, NULL));
    assert_true(event_is_set(SOON_MS));
    assert_int_equal(next(), 64);
    assert_int_equal(finish(64, &size), ERROR_OPERATION_ABORTED);
    assert_int_equal(size, 77);
    start(64);
    write_to(64, "a");
    assert_true(event_is_set(SOON_MS));
    assert_int_equal(next(), 64);
    is_data(64, "a");
}

static void a_broken_pipe_is_found_pending_or_not(void **state)
{
    uint32_t size = 77;
    (void)state;
    CloseHandle(pipes[5].theirs);
    pipes[5].theirs = NULL;
    assert_true(event_is_set(SOON_MS));
    assert_int_equal(next(), 5);
    assert_int_equal(finish(5, &size), ERROR_BROKEN_PIPE);
    start(5); /* which Windows refuses */
    assert_int_equal(next(), 5);
    assert_int_equal(finish(5, &size), ERROR_BROKEN_PIPE);
    assert_int_equal(size, 77);
    assert_int_equal(next(), -1);
}

static void what_is_hidden_is_found_when_it_is_shown(void **state)
{
    (void)state;
    write_to(199, "a");
    assert_true(event_is_set(SOON_MS));
    assert_int_equal(next(), 199);
    uintptr_t hidden = hbk_reads_hide(&reads, pipes[199].place);
    assert_int_equal(next(), -1);
    hbk_reads_show(&reads, pipes[199].place, hidden);
    assert_false(hbk_reads_idle(&reads));
    assert_int_equal(next(), 199);
    is_data(199, "a");
}

/* ---- fairness ---- */

/* The broker's thread has other things to do than to look at every pipe before it goes on. */
static void a_look_has_an_end(void **state)
{
    (void)state;
    assert_true(PIPES > HBK_READS_LOOKED_AT);
    write_to(PIPES - 1, "a");
    assert_true(event_is_set(SOON_MS));
    hbk_reads_look(&reads);
    assert_null(hbk_reads_next(&reads));
    assert_false(hbk_reads_idle(&reads)); /* so nobody sleeps */
    assert_ptr_equal(hbk_reads_next(&reads), &owners[PIPES - 1]);
    is_data(PIPES - 1, "a");
}

static void nobody_is_starved(void **state)
{
    int found[PIPES] = {0};
    (void)state;
    /* More than ten reads' worth in each. */
    for (int i = 60; i < 70; i++)
        for (int k = 0; k < 11; k++)
            write_to(i, "12345678");
    assert_true(event_is_set(SOON_MS));
    for (int k = 0; k < 100; k++) {
        int i = next();
        assert_in_range(i, 60, 69);
        is_data(i, "12345678");
        start(i);
        found[i]++;
    }
    for (int i = 60; i < 70; i++)
        assert_int_equal(found[i], 10);
}

/* ---- places ---- */

static void places_come_and_go(void **state)
{
    static uint32_t place[HBK_READ_SLABS_MAX * HBK_READ_SLAB_PLACES];
    const uint32_t most = sizeof place / sizeof *place;
    uint32_t one_more = 77;
    (void)state;
    assert_int_equal(hbk_reads_init(&reads), 0);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < most; i++) {
            assert_int_equal(hbk_reads_take_place(&reads, &owners[0], &place[i]), 0);
            assert_int_equal(place[i], i);
        }
        assert_int_equal(hbk_reads_take_place(&reads, &owners[0], &one_more), -1);
        assert_int_equal(one_more, 77);
        assert_int_equal(reads.slab_count, HBK_READ_SLABS_MAX);
        assert_int_equal(next(), -1);
        /* What is given back is taken again, and what is empty at the end goes. */
        hbk_reads_give_place(&reads, place[100]);
        assert_int_equal(hbk_reads_take_place(&reads, &owners[0], &place[100]), 0);
        assert_int_equal(place[100], 100);
        for (uint32_t i = 0; i < most; i++)
            hbk_reads_give_place(&reads, place[round == 0 ? i : most - 1 - i]);
        assert_int_equal(reads.slab_count, 0);
        assert_int_equal(next(), -1);
    }
    hbk_reads_deinit(&reads);
}

static void no_memory_for_a_place(void **state)
{
    uint32_t place = 77;
    (void)state;
    if (!alloc_fault_works()) {
        print_message("skipped: allocations cannot be made to fail in this build\n");
        skip();
    }
    assert_int_equal(hbk_reads_init(&reads), 0);
    alloc_fault_arm(0);
    assert_int_equal(hbk_reads_take_place(&reads, &owners[0], &place), -1);
    assert_int_equal(alloc_fault_disarm(), 1);
    assert_int_equal(place, 77);
    assert_int_equal(reads.slab_count, 0);
    assert_int_equal(hbk_reads_take_place(&reads, &owners[0], &place), 0);
    hbk_reads_give_place(&reads, place);
    hbk_reads_deinit(&reads);
}

#define WITH_PIPES(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PIPES(what_ends_after_a_scan_sets_the_event),
        WITH_PIPES(a_start_hides_no_end),
        WITH_PIPES(a_read_that_ends_at_once_is_found),
        WITH_PIPES(an_event_that_was_left_set_is_cleared),
        WITH_PIPES(a_cancelled_read_can_be_started_again),
        WITH_PIPES(a_broken_pipe_is_found_pending_or_not),
        WITH_PIPES(what_is_hidden_is_found_when_it_is_shown),
        WITH_PIPES(a_look_has_an_end),
        WITH_PIPES(nobody_is_starved),
        cmocka_unit_test(places_come_and_go),
        cmocka_unit_test(no_memory_for_a_place),
    };
    return cmocka_run_group_tests_name("reads", tests, NULL, NULL);
}
