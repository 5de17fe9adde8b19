/* What the core asks of a process on Windows, asked without a core. */
#include "seam.h"

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
    };
    return cmocka_run_group_tests_name("seam", tests, seam_group_begin, seam_group_end);
}

int main(int argc, char **argv)
{
    return seam_main(argc, argv, group);
}
