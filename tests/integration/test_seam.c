/* What the core asks of a process on Windows, asked without a core. */
#include "seam.h"

#include <string.h>

/* ---- processes ---- */

static void refused_process(void *asking, uint32_t pid, int32_t code)
{
    struct hbk_failure failure = {.code = 0};
    void *const untouched = &failure;
    void *opened = untouched;
    uint32_t handles = kit_handles_at_rest(GetCurrentProcessId());
    assert_int_equal(seam.process_open(asking, pid, &opened, &failure), HBK_PLATFORM_FAILED);
    assert_int_equal(failure.code, code);
    assert_non_null(failure.detail);
    assert_ptr_equal(opened, untouched);
    kit_handles_at_most(GetCurrentProcessId(), handles);
}

static void processes_that_are_none(void **state)
{
    (void)state;
    refused_process(&seam_caller, 0, HBK_R_DENIED);
    refused_process(&seam_caller, 4, HBK_R_DENIED);
    refused_process(&seam_caller, GetCurrentProcessId(), HBK_R_DENIED);
    refused_process(&seam_caller, 0x7FFFFFFC, HBK_R_NOT_FOUND);
    /* Windows would open its neighbour. */
    refused_process(&seam_caller, seam_child.pid | 1, HBK_R_NOT_FOUND);
    refused_process(&seam_caller, GetCurrentProcessId() | 2, HBK_R_NOT_FOUND);
    seam_child_end();
    refused_process(&seam_caller, seam_child.pid, HBK_R_NOT_FOUND);
}

static void processes_that_the_caller_may_not_reach(void **state)
{
    (void)state;
    struct hbk_connection poor = seam_caller;
    void *opened = NULL;
    struct hbk_failure failure;
    poor.party.token = seam_asked_of(KIT_NO_ADMINISTRATORS | KIT_NO_PRIVILEGES);
    kit_protect(seam_child.process, L"O:BAD:P(A;;0x1fffff;;;BA)");
    refused_process(&poor, seam_child.pid, HBK_R_DENIED);
    assert_int_equal(seam.process_open(&seam_caller, seam_child.pid, &opened, &failure), 0);
    seam.process_close(opened);
    kit_protect(seam_child.process, L"D:P(A;;0x1fffff;;;WD)");
    assert_int_equal(seam.process_open(&poor, seam_child.pid, &opened, &failure), 0);
    seam.process_close(opened);
    CloseHandle(poor.party.token);
}

static void processes_that_even_the_broker_may_not_reach(void **state)
{
    (void)state;
    if (kit_is_wine())
        kit_skip("Wine opens every process for everybody");
    kit_protect(seam_child.process, L"O:SYD:P(D;;GA;;;WD)");
    refused_process(&seam_caller, seam_child.pid, HBK_R_DENIED);
}

static void a_process_costs_two_handles_and_gives_them_back(void **state)
{
    (void)state;
    uint32_t handles = kit_handles_at_rest(GetCurrentProcessId());
    struct hbk_failure failure;
    void *opened = NULL;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(seam.process_open(&seam_caller, seam_child.pid, &opened, &failure), 0);
        seam.process_close(opened);
    }
    assert_int_equal(seam.process_open(&seam_caller, seam_child.pid, &opened, &failure), 0);
    assert_int_equal(kit_handles_at_rest(GetCurrentProcessId()), handles + 2);
    seam.process_close(opened);
    kit_handles_at_most(GetCurrentProcessId(), handles);
    seam.process_close(NULL);
}

/* ---- handles ---- */

static void inheritable_where_it_is_asked_for(void **state)
{
    (void)state;
    hbk_pin pin = seam_pin_event();
    assert_int_equal(seam_child_do(SEAM_FLAGS, seam_place(pin, true)), 0);
    assert_int_equal(seam_child.talk->value, HANDLE_FLAG_INHERIT);
    assert_int_equal(seam_child_do(SEAM_FLAGS, seam_place(pin, false)), 0);
    assert_int_equal(seam_child.talk->value, 0);
    seam_unpin(pin);
}

static void taken_from_a_process_that_was_named(void **state)
{
    (void)state;
    struct hbk_failure failure;
    struct hbk_object object;
    hbk_pin pin = 0;
    assert_int_equal(seam_child_do(SEAM_MAKE_EVENT, 0), 0);
    uint32_t value = seam_child.talk->value;
    assert_int_equal(seam.pin(seam_party, value, &pin, &failure), 0);
    assert_int_equal(seam.inspect(seam.context, pin, &object, &failure), 0);
    assert_string_equal(object.type, "Event");
    seam_unpin(pin);
    assert_true(kit_holds(seam_child.pid, value));
    assert_int_equal(seam.pin(seam_party, 0xFFFFFFFF, &pin, &failure), HBK_PLATFORM_FAILED);
    assert_int_equal(failure.code, HBK_R_BAD_HANDLE);
    seam_child_end();
    assert_int_equal(seam.pin(seam_party, value, &pin, &failure), HBK_PLATFORM_FAILED);
    assert_int_equal(failure.code, HBK_R_TARGET_GONE);
}

static void what_was_placed_is_closed_and_nothing_else(void **state)
{
    (void)state;
    hbk_pin pin = seam_pin_event(), other = seam_pin_event();
    uint32_t value = seam_place(pin, false);
    uint32_t handles = kit_handles_at_rest(GetCurrentProcessId());
    assert_false(seam.unplace(seam_party, other, value));
    assert_true(kit_holds(seam_child.pid, value));
    assert_true(seam.unplace(seam_party, pin, value));
    assert_false(kit_holds(seam_child.pid, value));
    assert_false(seam.unplace(seam_party, pin, value));

    value = seam_place(pin, false);
    assert_int_equal(seam_child_do(SEAM_PROTECT, value), 0);
    assert_false(seam.unplace(seam_party, pin, value));
    assert_true(kit_holds(seam_child.pid, value));
    seam_child_end();
    assert_false(seam.unplace(seam_party, pin, value));
    bool quiet = false;
    for (uint64_t due = kit_now_ms() + KIT_WAIT_MS; !quiet; hbk_win_wait(seam_win, 0)) {
        assert_true(kit_now_ms() < due);
        quiet = kit_handles_at_rest(GetCurrentProcessId()) <= handles + 1; /* a worker's, at most */
    }
    seam_unpin(pin);
    seam_unpin(other);
}

static void nothing_is_placed_in_a_process_that_has_ended(void **state)
{
    (void)state;
    struct hbk_failure failure;
    uint32_t value = 0;
    hbk_pin pin = seam_pin_event();
    seam_child_end();
    assert_int_equal(seam.place(seam_party, pin, true, 0, true, &value, &failure),
                     HBK_PLATFORM_FAILED);
    assert_int_equal(failure.code, HBK_R_TARGET_GONE);
    assert_int_equal(value, 0);
    seam_unpin(pin);
}

static void closed_for_its_user_after_the_session(void **state)
{
    (void)state;
    HANDLE file = kit_make(KIT_FILE);
    hbk_pin pin = seam_pin(file);
    struct hbk_closer *closer = seam.closer_ref(&seam_caller);
    assert_int_equal(seam.unpin(seam.context, closer, pin, true, SEAM_TICKET),
                     HBK_PLATFORM_PENDING);
    seam.closer_unref(seam.context, closer);
    for (uint64_t due = kit_now_ms() + KIT_WAIT_MS; seam_told.unpinned != SEAM_TICKET;) {
        assert_true(kit_now_ms() < due);
        hbk_win_wait(seam_win, hbk_win_now_ms(seam_win) + 100);
    }
    kit_unmake(KIT_FILE, file);
}

static void who_cannot_be_asked_promises_nothing(void **state)
{
    (void)state;
    hbk_pin pin = seam_pin_event();
    struct hbk_win_party *opened = seam_party;
    HANDLE token = opened->token;
    assert_int_equal(seam.widenable(seam_party, pin, EVENT_ALL_ACCESS, SYNCHRONIZE),
                     HBK_WIDENABLE_YES);
    opened->token = NULL;
    assert_int_equal(seam.widenable(seam_party, pin, EVENT_ALL_ACCESS, SYNCHRONIZE),
                     HBK_WIDENABLE_UNKNOWN);
    opened->token = token;
    seam_unpin(pin);
}

/* ---- tables ---- */

static void begin_look(void *party, const struct hbk_look *what)
{
    struct hbk_failure failure;
    memset(&seam_told, 0, sizeof seam_told);
    assert_int_equal(seam.look(party, what, SEAM_TICKET, &failure), HBK_PLATFORM_PENDING);
    assert_false(seam_told.looked);
}

/* Return: 0, or the code of the failure. */
static int32_t end_look(void)
{
    for (uint64_t due = kit_now_ms() + KIT_WAIT_MS; !seam_told.looked;) {
        assert_true(kit_now_ms() < due);
        hbk_win_wait(seam_win, hbk_win_now_ms(seam_win) + KIT_WAIT_MS);
    }
    assert_int_equal(seam_told.ticket, SEAM_TICKET);
    return seam_told.failed ? seam_told.failure.code : 0;
}

static int32_t look(void *party, const struct hbk_look *what)
{
    begin_look(party, what);
    return end_look();
}

static void a_table_in_parts(void **state)
{
    (void)state;
    uint32_t values[64], count = 0;
    struct hbk_look what = {.limit = 3};
    do {
        assert_int_equal(look(seam_party, &what), 0);
        assert_true(seam_told.found.count > 0 && seam_told.found.count <= 3);
        for (size_t i = 0; i < seam_told.found.count && count < 64; i++) {
            assert_int_equal(seam_told.handles[i].pid, seam_child.pid);
            assert_true(seam_told.handles[i].handle > what.handle);
            assert_true(seam_told.handles[i].type[0] != '\0');
            what.handle = values[count++] = seam_told.handles[i].handle;
        }
    } while (!seam_told.found.complete && count < 64);
    assert_int_equal(count, kit_handles_at_rest(seam_child.pid));
    for (uint32_t i = 0; i < count; i++)
        assert_true(kit_holds(seam_child.pid, values[i]));
}

/* Whoever had a process opened may close it at once. */
static void a_look_outlives_its_party(void **state)
{
    (void)state;
    struct hbk_failure failure;
    void *opened = NULL;
    uint32_t handles = kit_handles_at_rest(GetCurrentProcessId());
    const struct hbk_look what = {.limit = HBK_PAGE_HANDLES_MAX};
    assert_int_equal(seam.process_open(&seam_caller, seam_child.pid, &opened, &failure), 0);
    begin_look(opened, &what);
    seam.process_close(opened);
    assert_int_equal(end_look(), 0);
    assert_true(seam_told.found.complete);
    /* But for the worker that it may have taken. */
    kit_handles_at_most(GetCurrentProcessId(), handles + 1);
}

static void a_look_at_who_has_ended(void **state)
{
    (void)state;
    const struct hbk_look table = {.limit = 9}, held = {.holders = true, .handle = 8, .limit = 9};
    seam_child_end();
    assert_int_equal(look(seam_party, &table), HBK_R_NOT_FOUND);
    assert_int_equal(look(seam_party, &held), HBK_R_NOT_FOUND);
}

static void holders_here_are_counted(void **state)
{
    (void)state;
    hbk_pin pin = seam_pin_event();
    uint32_t there[3];
    for (size_t i = 0; i < 3; i++)
        there[i] = seam_place(pin, i == 1);
    /* One more than there are: past the limit nobody is compared, and there may be more. */
    struct hbk_look what = {.holders = true, .handle = there[0], .limit = 4};
    assert_int_equal(look(seam_party, &what), 0);
    assert_true(seam_told.found.complete);
    assert_string_equal(seam_told.found.type, "Event");
    assert_int_equal(seam_told.found.count, 3);
    assert_int_equal(seam_told.found.own, 1); /* the pin */
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(seam_told.handles[i].pid, seam_child.pid);
        assert_int_equal(seam_told.handles[i].handle, there[i]);
        assert_int_equal(seam_told.handles[i].inherit, i == 1);
    }
    what.limit = 2;
    assert_int_equal(look(seam_party, &what), 0);
    assert_int_equal(seam_told.found.count, 2);
    assert_false(seam_told.found.complete);
    what.handle = 0x7FFFFFFC;
    assert_int_equal(look(seam_party, &what), HBK_R_BAD_HANDLE);
    assert_int_equal(seam_told.failure.win32, ERROR_INVALID_HANDLE);
    seam_unpin(pin);
}

static void stuck(void *event)
{
    WaitForSingleObject(event, INFINITE);
}

/* A look waits for no close of its user's, and none of them for a look. */
static void looks_go_beside_closes(void **state)
{
    (void)state;
    const struct hbk_look what = {.limit = 9};
    struct hbk_closer *closer = seam_caller.party.closer;
    struct hbk_closer *looker = hbk_workers_looker(seam_win->workers, closer);
    HANDLE closes = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE looks = CreateEventW(NULL, TRUE, FALSE, NULL), file = kit_make(KIT_FILE);
    const struct hbk_worker_call close = {stuck, NULL, closes, 0}, other = {stuck, NULL, looks, 0};
    assert_int_equal(hbk_workers_call(seam_win->workers, closer, &close), 0);
    assert_int_equal(look(seam_party, &what), 0);
    SetEvent(closes);
    assert_int_equal(hbk_workers_call(seam_win->workers, looker, &other), 0);
    begin_look(seam_party, &what);
    assert_int_equal(seam.unpin(seam.context, closer, seam_pin(file), true, SEAM_TICKET + 1),
                     HBK_PLATFORM_PENDING);
    for (uint64_t due = kit_now_ms() + KIT_WAIT_MS; seam_told.unpinned != SEAM_TICKET + 1;) {
        assert_true(kit_now_ms() < due);
        hbk_win_wait(seam_win, hbk_win_now_ms(seam_win) + 100);
    }
    assert_false(seam_told.looked); /* it is behind the one of its own that is stuck */
    SetEvent(looks);
    assert_int_equal(end_look(), 0);
    hbk_workers_closer_release(seam_win->workers, looker);
    kit_unmake(KIT_FILE, file);
    CloseHandle(closes);
    CloseHandle(looks);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        SEAM_TEST(processes_that_are_none),
        SEAM_TEST(processes_that_the_caller_may_not_reach),
        SEAM_TEST(processes_that_even_the_broker_may_not_reach),
        SEAM_TEST(a_process_costs_two_handles_and_gives_them_back),
        SEAM_TEST(inheritable_where_it_is_asked_for),
        SEAM_TEST(taken_from_a_process_that_was_named),
        SEAM_TEST(what_was_placed_is_closed_and_nothing_else),
        SEAM_TEST(nothing_is_placed_in_a_process_that_has_ended),
        SEAM_TEST(closed_for_its_user_after_the_session),
        SEAM_TEST(who_cannot_be_asked_promises_nothing),
        SEAM_TEST(a_table_in_parts),
        SEAM_TEST(a_look_outlives_its_party),
        SEAM_TEST(a_look_at_who_has_ended),
        SEAM_TEST(holders_here_are_counted),
        SEAM_TEST(looks_go_beside_closes),
    };
    return cmocka_run_group_tests_name("seam", tests, seam_group_begin, seam_group_end);
}

int main(int argc, char **argv)
{
    return seam_main(argc, argv, group);
}
