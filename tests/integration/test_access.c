/* What Windows answers to the broker's questions about rights: real tokens, real descriptors, real objects, no
 * broker. Where the system itself can be asked by doing the thing, its answer must be the same. */
#include "access.h"
#include "kit.h"

#include <sddl.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define NOBODY L"D:P"
#define SDDL_CHARS 32768u

static HANDLE own, no_admin, no_users, poor; /* poor: neither administrators nor privileges */

static HANDLE asked_of(uint32_t less)
{
    HANDLE token = kit_token(less);
    HANDLE asked = kit_token_asked(token);
    CloseHandle(token);
    return asked;
}

static int setup(void **state)
{
    (void)state;
    own = asked_of(0);
    no_admin = asked_of(KIT_NO_ADMINISTRATORS);
    no_users = asked_of(KIT_NO_USERS);
    poor = asked_of(KIT_NO_ADMINISTRATORS | KIT_NO_PRIVILEGES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    CloseHandle(own);
    CloseHandle(no_admin);
    CloseHandle(no_users);
    CloseHandle(poor);
    return 0;
}

static int end_test(void **state)
{
    (void)state;
    kit_forget_all();
    return 0;
}

/* ---- descriptors of the broker's own rights ---- */

static uint32_t rights(HANDLE token, const wchar_t *sddl, uint32_t wanted)
{
    struct hbk_descriptor *descriptor = NULL;
    uint32_t error = hbk_access_descriptor_new(sddl, &descriptor);
    if (error != 0)
        fail_msg("%ls: error %lu", sddl, (unsigned long)error);
    uint32_t granted = hbk_access_rights(token, descriptor, wanted);
    hbk_access_descriptor_free(descriptor);
    return granted;
}

static void groups_decide(void **state)
{
    (void)state;
    const uint32_t all = HBK_RIGHTS_ALL;
    assert_int_equal(rights(own, L"D:(A;;0x3;;;BA)", all), HBK_RIGHT_OPEN | HBK_RIGHT_SEND);
    assert_int_equal(rights(no_admin, L"D:(A;;0x3;;;BA)", all), 0);
    assert_int_equal(rights(no_admin, L"D:(A;;0x3;;;BA)(A;;0x4;;;BU)", all), HBK_RIGHT_PUT);
    assert_int_equal(rights(no_users, L"D:(A;;0x3;;;BA)(A;;0x4;;;BU)", all), 0x3);
    assert_int_equal(rights(own, L"D:(A;;0x3;;;BA)(A;;0x4;;;BU)", HBK_RIGHT_OPEN), HBK_RIGHT_OPEN);
    assert_int_equal(rights(own, NOBODY, all), 0);
    assert_int_equal(rights(own, L"D:(A;IO;0x7f;;;WD)", all), 0);
}

static void one_user_decides(void **state)
{
    (void)state;
    wchar_t sddl[256];
    (void)swprintf(sddl, 256, L"D:(A;;0x2;;;%hs)", kit_user());
    assert_int_equal(rights(poor, sddl, HBK_RIGHTS_ALL), HBK_RIGHT_SEND);
    assert_int_equal(rights(poor, L"D:(A;;0x2;;;S-1-5-21-1-2-3-4)", HBK_RIGHTS_ALL), 0);
}

static void order_of_entries_decides(void **state)
{
    (void)state;
    assert_int_equal(rights(own, L"D:(D;;0x1;;;WD)(A;;0x3;;;BA)", HBK_RIGHTS_ALL), HBK_RIGHT_SEND);
    assert_int_equal(rights(own, L"D:(A;;0x3;;;BA)(D;;0x1;;;WD)", HBK_RIGHTS_ALL), 0x3);
}

static void generic_all_is_all_and_other_generics_nothing(void **state)
{
    (void)state;
    assert_int_equal(rights(own, L"D:(A;;GA;;;BA)", HBK_RIGHTS_ALL), HBK_RIGHTS_ALL);
    assert_int_equal(rights(no_admin, L"D:(A;;GA;;;BA)", HBK_RIGHTS_ALL), 0);
    assert_int_equal(rights(own, L"D:(A;;GRGWGX;;;WD)", HBK_RIGHTS_ALL), 0);
    assert_int_equal(rights(own, L"D:(D;;GA;;;WD)(A;;GA;;;BA)", HBK_RIGHTS_ALL), 0);
    assert_int_equal(rights(own, L"D:(D;;GW;;;WD)(A;;GA;;;BA)", HBK_RIGHTS_ALL), HBK_RIGHTS_ALL);
}

/* To own a descriptor gives the right to change it, and none of the broker's. */
static void owning_grants_nothing(void **state)
{
    (void)state;
    wchar_t sddl[256];
    (void)swprintf(sddl, 256, L"O:%hsG:%hsD:P", kit_user(), kit_user());
    assert_int_equal(rights(own, sddl, HBK_RIGHTS_ALL), 0);
}

static void deny_only_groups_deny(void **state)
{
    (void)state;
    if (kit_is_wine())
        kit_skip("Wine lets an entry that denies a group pass over a token that has it for denying "
                 "only");
    assert_int_equal(rights(no_admin, L"D:(D;;0x1;;;BA)(A;;0x3;;;WD)", HBK_RIGHTS_ALL),
                     HBK_RIGHT_SEND);
}

static void restricting_sids_must_be_granted_too(void **state)
{
    (void)state;
    if (kit_is_wine())
        kit_skip("Wine knows no restricting SIDs");
    HANDLE restricted = asked_of(KIT_RESTRICTED);
    assert_int_equal(rights(restricted, L"D:(A;;0x1;;;BA)", HBK_RIGHTS_ALL), 0);
    assert_int_equal(rights(restricted, L"D:(A;;0x1;;;BA)(A;;0x3;;;RC)(A;;0x2;;;WD)", 0x3), 0x3);
    CloseHandle(restricted);
}

static void low_integrity_needs_a_label(void **state)
{
    (void)state;
    if (kit_is_wine())
        kit_skip("Wine enforces no integrity levels");
    HANDLE low = asked_of(KIT_LOW);
    assert_int_equal(rights(low, L"D:(A;;GA;;;WD)", HBK_RIGHTS_ALL), 0);
    assert_int_equal(rights(low, L"D:(A;;GA;;;WD)S:(ML;;NW;;;ME)", HBK_RIGHTS_ALL), 0);
    assert_int_equal(rights(low, L"D:(A;;0x2;;;WD)S:(ML;;NW;;;LW)", HBK_RIGHTS_ALL), 0x2);
    assert_int_equal(rights(own, L"D:(A;;GA;;;WD)", HBK_RIGHTS_ALL), HBK_RIGHTS_ALL);
    CloseHandle(low);
}

/* ---- what is no descriptor ---- */

static void refused(const wchar_t *sddl, uint32_t expected)
{
    struct hbk_descriptor *const untouched = (struct hbk_descriptor *)&own;
    struct hbk_descriptor *descriptor = untouched;
    uint32_t handles = kit_handles(GetCurrentProcessId());
    uint32_t error = hbk_access_descriptor_new(sddl, &descriptor);
    if (error == 0 || (expected != 0 && error != expected))
        fail_msg("%ls: error %lu", sddl, (unsigned long)error);
    assert_ptr_equal(descriptor, untouched);
    assert_int_equal(kit_handles(GetCurrentProcessId()), handles);
}

static void everybody_by_omission_is_refused(void **state)
{
    (void)state;
    refused(L"O:SYG:SY", ERROR_NO_SECURITY_ON_OBJECT);
    refused(L"", 0);
    refused(L"S:(ML;;NW;;;LW)", ERROR_NO_SECURITY_ON_OBJECT);
    if (!kit_is_wine()) /* which reads it as an empty DACL, and so as nobody */
        refused(L"D:NO_ACCESS_CONTROL", ERROR_NO_SECURITY_ON_OBJECT);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    refused(L"D:(A;;0x1;;;XYZ)", 0);
    refused(L"D:(A;;0x1;;;WD", 0);
    refused(L"D:(Q;;0x1;;;WD)", 0);
    refused(L"hello", 0);
    assert_int_equal(rights(own, L"D:(A;;0x1;;;WD)", HBK_RIGHT_OPEN), HBK_RIGHT_OPEN);
}

/* ---- what a client writes ---- */

static uint32_t rights_from(HANDLE token, const wchar_t *sddl, uint32_t integrity)
{
    struct hbk_descriptor *descriptor = NULL;
    assert_int_equal(hbk_access_descriptor_from(sddl, kit_user(), integrity, &descriptor), 0);
    uint32_t granted = hbk_access_rights(token, descriptor, HBK_RIGHTS_ALL);
    hbk_access_descriptor_free(descriptor);
    return granted;
}

static void clients_descriptor(void **state)
{
    (void)state;
    assert_int_equal(rights_from(own, L"D:(A;;0x2;;;BA)", 0x2000), HBK_RIGHT_SEND);
    assert_int_equal(rights_from(poor, L"D:(A;;0x2;;;BA)", 0x2000), 0);
    assert_int_equal(rights_from(poor, L"D:(A;;GA;;;AU)", 0x2000), HBK_RIGHTS_ALL);
    assert_int_equal(rights_from(own, NOBODY, 0x2000), 0);
    struct hbk_descriptor *descriptor = NULL;
    assert_int_equal(hbk_access_descriptor_from(L"O:SY", kit_user(), 0x2000, &descriptor),
                     ERROR_NO_SECURITY_ON_OBJECT);
    assert_null(descriptor);
}

static void clients_integrity_keeps_lower_ones_out(void **state)
{
    (void)state;
    if (kit_is_wine())
        kit_skip("Wine enforces no integrity levels");
    HANDLE low = asked_of(KIT_LOW);
    assert_int_equal(rights_from(low, L"D:(A;;GA;;;WD)", SECURITY_MANDATORY_MEDIUM_RID), 0);
    assert_int_equal(rights_from(low, L"D:(A;;GA;;;WD)", SECURITY_MANDATORY_LOW_RID),
                     HBK_RIGHTS_ALL);
    /* Not by a label of the client's own writing either. */
    assert_int_equal(
        rights_from(low, L"D:(A;;GA;;;WD)S:(ML;;NW;;;LW)", SECURITY_MANDATORY_MEDIUM_RID), 0);
    CloseHandle(low);
}

static uint32_t granted_to_somebody(const wchar_t *sddl)
{
    struct hbk_descriptor *descriptor = NULL;
    assert_int_equal(hbk_access_descriptor_new(sddl, &descriptor), 0);
    uint32_t granted = hbk_access_descriptor_rights(descriptor);
    hbk_access_descriptor_free(descriptor);
    return granted;
}

static void rights_of_anybody(void **state)
{
    (void)state;
    assert_int_equal(granted_to_somebody(NOBODY), 0);
    assert_int_equal(granted_to_somebody(L"D:(A;;0x3;;;BA)(A;;0x4;;;SY)"), 0x7);
    assert_int_equal(granted_to_somebody(L"D:(A;;GA;;;S-1-5-21-1-2-3-4)"), HBK_RIGHTS_ALL);
    assert_int_equal(granted_to_somebody(L"D:(A;;GRRC;;;BA)"), 0);
    assert_int_equal(granted_to_somebody(L"D:(A;IO;0x3;;;BA)"), 0);
    assert_int_equal(granted_to_somebody(L"D:(D;;0x1;;;WD)(A;;0x3;;;BA)"), 0x2);
    assert_int_equal(granted_to_somebody(L"D:(D;;0x1;;;BU)(A;;0x3;;;BA)"), 0x3);
    assert_int_equal(granted_to_somebody(L"D:(A;;0x3;;;BA)(D;;0x1;;;WD)"), 0x3);
}

/* ---- processes ---- */

/* What Windows itself says to whoever has @token. */
static bool opens(HANDLE token, DWORD pid)
{
    HANDLE actor = NULL;
    assert_true(DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL,
                                 SecurityImpersonation, TokenImpersonation, &actor));
    assert_true(SetThreadToken(NULL, actor));
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid);
    assert_true(RevertToSelf());
    CloseHandle(actor);
    if (process != NULL)
        CloseHandle(process);
    return process != NULL;
}

static void process_is(HANDLE process, const wchar_t *sddl, uint32_t less, bool expected)
{
    if (sddl != NULL)
        kit_protect(process, sddl);
    HANDLE token = kit_token(less);
    HANDLE asked = kit_token_asked(token);
    bool answer = hbk_access_to_process(asked, process);
    bool real = kit_is_wine() ? expected : opens(token, GetProcessId(process));
    CloseHandle(asked);
    CloseHandle(token);
    if (answer != expected || real != expected)
        fail_msg("%ls: %d, and Windows itself says %d", sddl, answer, real);
}

/* A process that never gets to its first instruction; the test's end ends it. */
static HANDLE child(void)
{
    wchar_t self[MAX_PATH], line[MAX_PATH + 8];
    assert_true(GetModuleFileNameW(NULL, self, MAX_PATH) < MAX_PATH);
    (void)swprintf(line, MAX_PATH + 8, L"\"%ls\"", self);
    return kit_spawn(line, CREATE_SUSPENDED, NULL);
}

static void processes_say_who_may_duplicate(void **state)
{
    (void)state;
    wchar_t user[256];
    const uint32_t poor_one = KIT_NO_ADMINISTRATORS | KIT_NO_PRIVILEGES;
    HANDLE process = child();
    (void)swprintf(user, 256, L"D:P(A;;0x40;;;%hs)", kit_user());
    process_is(process, L"D:P(A;;0x1fffff;;;BA)", KIT_NO_PRIVILEGES, true);
    process_is(process, L"D:P(A;;0x1fffff;;;BA)", poor_one, false);
    process_is(process, user, poor_one, true);
    (void)swprintf(user, 256, L"D:P(A;;0x1fffbf;;;%hs)", kit_user()); /* all but that right */
    process_is(process, user, poor_one, false);
    process_is(process, L"O:BAD:P", poor_one, false);
    process_is(process, L"D:P(A;;GW;;;WD)", poor_one, true);
    process_is(process, L"D:P(A;;GRGX;;;WD)", poor_one, false);
}

static void process_whose_descriptor_is_closed_to_us(void **state)
{
    (void)state;
    HANDLE process = child(), weak = NULL;
    kit_protect(process, L"D:P(A;;0x1fffff;;;WD)");
    assert_true(hbk_access_to_process(poor, process));
    assert_true(DuplicateHandle(GetCurrentProcess(), process, GetCurrentProcess(), &weak,
                                PROCESS_DUP_HANDLE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, 0));
    assert_false(hbk_access_to_process(poor, weak));
    HANDLE debugger = kit_token(0);
    kit_token_enable(debugger, L"SeDebugPrivilege");
    HANDLE asked = kit_token_asked(debugger);
    assert_false(hbk_access_to_process(asked, weak));
    CloseHandle(asked);
    CloseHandle(debugger);
    CloseHandle(weak);
}

static void debuggers_may(void **state)
{
    (void)state;
    HANDLE process = child(), token = kit_token(KIT_NO_ADMINISTRATORS);
    kit_protect(process, L"O:BAD:P(A;;0x1fffff;;;BA)");
    HANDLE before = kit_token_asked(token);
    assert_false(hbk_access_to_process(
        before, process)); /* it holds the privilege, but has not enabled it */
    kit_token_enable(token, L"SeDebugPrivilege");
    HANDLE after = kit_token_asked(token);
    assert_true(hbk_access_to_process(after, process));
    if (!kit_is_wine())
        assert_true(opens(token, GetProcessId(process)));
    assert_false(
        hbk_access_to_process(before, process)); /* a token is as it was when it was duplicated */
    CloseHandle(before);
    CloseHandle(after);
    CloseHandle(token);
}

static void processes_are_above_low_ones(void **state)
{
    (void)state;
    if (kit_is_wine())
        kit_skip("Wine enforces no integrity levels");
    HANDLE process = child();
    process_is(process, L"D:P(A;;0x1fffff;;;WD)", KIT_NO_PRIVILEGES, true);
    process_is(process, L"D:P(A;;0x1fffff;;;WD)", KIT_LOW | KIT_NO_PRIVILEGES, false);
}

/* ---- widening ---- */

static HANDLE make_event(const wchar_t *sddl)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
    attributes.lpSecurityDescriptor = sddl != NULL ? kit_descriptor(sddl) : NULL;
    HANDLE event = CreateEventW(sddl != NULL ? &attributes : NULL, TRUE, FALSE, NULL);
    LocalFree(attributes.lpSecurityDescriptor);
    assert_non_null(event);
    return event;
}

static bool duplicates(HANDLE actor, HANDLE from, uint32_t access)
{
    HANDLE wider = NULL;
    assert_true(SetThreadToken(NULL, actor));
    BOOL done =
        DuplicateHandle(GetCurrentProcess(), from, GetCurrentProcess(), &wider, access, FALSE, 0);
    assert_true(RevertToSelf());
    if (done)
        CloseHandle(wider);
    return done != 0;
}

/* What Windows itself says to whoever has @token and a handle with @given: can he have more? */
static bool widens(HANDLE token, HANDLE object, uint32_t granted, uint32_t given)
{
    HANDLE actor = NULL, reduced = NULL;
    bool wider = false;
    assert_true(DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL,
                                 SecurityImpersonation, TokenImpersonation, &actor));
    assert_true(DuplicateHandle(GetCurrentProcess(), object, GetCurrentProcess(), &reduced, given,
                                FALSE, 0));
    for (uint32_t right = 1; right <= WRITE_OWNER; right <<= 1) {
        bool counts = (right & (WRITE_DAC | WRITE_OWNER | (granted & ~given))) != 0;
        wider = wider || (counts && duplicates(actor, reduced, right));
    }
    CloseHandle(reduced);
    CloseHandle(actor);
    return wider;
}

static void event_is(const wchar_t *sddl, uint32_t less, uint32_t given,
                     enum hbk_widenable expected)
{
    HANDLE event = make_event(sddl), token = kit_token(less);
    HANDLE asked = kit_token_asked(token);
    enum hbk_widenable answer = hbk_access_widenable(asked, event, EVENT_ALL_ACCESS, given);
    bool real = kit_is_wine() ? expected == HBK_WIDENABLE_YES
                              : widens(token, event, EVENT_ALL_ACCESS, given);
    CloseHandle(asked);
    CloseHandle(token);
    CloseHandle(event);
    if (answer != expected || real != (expected == HBK_WIDENABLE_YES))
        fail_msg("%ls, given %lx: %d, and Windows itself says %d", sddl != NULL ? sddl : L"(none)",
                 (unsigned long)given, (int)answer, real);
}

static void objects_without_a_descriptor_refuse_nothing(void **state)
{
    (void)state;
    static const enum kit_kind kinds[] = {KIT_EVENT, KIT_MUTEX,   KIT_SEMAPHORE,
                                          KIT_TIMER, KIT_SECTION, KIT_JOB};
    event_is(NULL, KIT_NO_ADMINISTRATORS | KIT_NO_PRIVILEGES, SYNCHRONIZE, HBK_WIDENABLE_YES);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        HANDLE object = kit_make(kinds[i]);
        uint32_t granted = kit_access(object);
        assert_int_equal(hbk_access_widenable(poor, object, granted, SYNCHRONIZE),
                         HBK_WIDENABLE_YES);
        kit_unmake(kinds[i], object);
    }
}

static void descriptors_decide_what_can_be_taken_back(void **state)
{
    (void)state;
    const uint32_t poor_one = KIT_NO_ADMINISTRATORS | KIT_NO_PRIVILEGES;
    event_is(L"O:BAD:P", poor_one, SYNCHRONIZE, HBK_WIDENABLE_NO);
    /* Who owns an object can change who may do what with it. */
    event_is(L"O:BAD:P", KIT_NO_PRIVILEGES, SYNCHRONIZE, HBK_WIDENABLE_YES);
    event_is(L"O:BAD:P(A;;0x2;;;WD)", poor_one, SYNCHRONIZE, HBK_WIDENABLE_YES);
    event_is(L"O:BAD:P(A;;0x2;;;WD)", poor_one, SYNCHRONIZE | EVENT_MODIFY_STATE, HBK_WIDENABLE_NO);
    event_is(L"O:BAD:P(A;;0x2;;;BA)", poor_one, SYNCHRONIZE, HBK_WIDENABLE_NO);
    event_is(L"O:BAD:P(A;;GA;;;WD)", poor_one, SYNCHRONIZE, HBK_WIDENABLE_YES);
    event_is(L"O:BAD:P(A;;GX;;;WD)", poor_one, SYNCHRONIZE, HBK_WIDENABLE_YES); /* READ_CONTROL */
    event_is(L"O:BAD:P(A;;GX;;;WD)", poor_one, SYNCHRONIZE | READ_CONTROL, HBK_WIDENABLE_NO);
    event_is(L"O:BAD:P(A;;WO;;;WD)", poor_one, SYNCHRONIZE, HBK_WIDENABLE_YES);
    event_is(L"O:BAD:P", poor_one, SYNCHRONIZE | WRITE_DAC, HBK_WIDENABLE_YES);
}

/* A mask that the sender does not have itself is no loss: what may not be sent was not taken away. */
static void only_what_was_left_out_counts(void **state)
{
    (void)state;
    HANDLE event = make_event(L"O:BAD:P(A;;0x2;;;WD)");
    const uint32_t granted = SYNCHRONIZE | READ_CONTROL;
    assert_int_equal(hbk_access_widenable(poor, event, granted, SYNCHRONIZE), HBK_WIDENABLE_NO);
    assert_int_equal(hbk_access_widenable(poor, event, granted | EVENT_MODIFY_STATE, SYNCHRONIZE),
                     HBK_WIDENABLE_YES);
    CloseHandle(event);
    /* But for the rights that lead to all others. */
    event = make_event(L"O:BAD:P(A;;WO;;;WD)");
    assert_int_equal(hbk_access_widenable(poor, event, granted, SYNCHRONIZE), HBK_WIDENABLE_YES);
    CloseHandle(event);
    event = make_event(L"O:BAD:P(A;;WD;;;WD)");
    assert_int_equal(hbk_access_widenable(poor, event, granted, SYNCHRONIZE), HBK_WIDENABLE_YES);
    CloseHandle(event);
}

/* One who can take what belongs to others has only to enable that. */
static void takers_of_ownership_can(void **state)
{
    (void)state;
    HANDLE event = make_event(L"O:BAD:P");
    assert_int_equal(hbk_access_widenable(no_admin, event, EVENT_ALL_ACCESS, SYNCHRONIZE),
                     HBK_WIDENABLE_YES);
    assert_int_equal(hbk_access_widenable(poor, event, EVENT_ALL_ACCESS, SYNCHRONIZE),
                     HBK_WIDENABLE_NO);
    CloseHandle(event);
}

static void descriptors_that_cannot_be_read(void **state)
{
    (void)state;
    HANDLE event = make_event(L"O:BAD:P"), weak = NULL;
    assert_true(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &weak,
                                SYNCHRONIZE | EVENT_MODIFY_STATE, FALSE, 0));
    assert_int_equal(
        hbk_access_widenable(poor, weak, SYNCHRONIZE | EVENT_MODIFY_STATE, SYNCHRONIZE),
        HBK_WIDENABLE_UNKNOWN);
    CloseHandle(weak);
    CloseHandle(event);
}

static void descriptors_that_are_too_large(void **state)
{
    (void)state;
    static wchar_t sddl[SDDL_CHARS] = L"O:BAD:P";
    size_t length = wcslen(sddl);
    const size_t count = HBK_ACCESS_DESCRIPTOR_BYTES_MAX / sizeof(ACCESS_ALLOWED_ACE);
    for (size_t i = 0; i < count; i++) {
        int size =
            swprintf(sddl + length, SDDL_CHARS - length, L"(A;;0x1;;;S-1-5-21-1-2-3-%zu)", i);
        assert_true(size > 0);
        length += (size_t)size;
    }
    event_is(L"O:BAD:P(A;;0x1;;;S-1-5-21-1-2-3-4)", KIT_NO_ADMINISTRATORS | KIT_NO_PRIVILEGES,
             SYNCHRONIZE, HBK_WIDENABLE_NO);
    HANDLE event = make_event(sddl);
    assert_int_equal(hbk_access_widenable(poor, event, EVENT_ALL_ACCESS, SYNCHRONIZE),
                     HBK_WIDENABLE_UNKNOWN);
    CloseHandle(event);
    HANDLE process = child();
    kit_protect(process, sddl + wcslen(L"O:BA"));
    assert_false(hbk_access_to_process(own, process));
}

static void sections_by_their_own_mapping(void **state)
{
    (void)state;
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
    attributes.lpSecurityDescriptor = kit_descriptor(L"O:BAD:P(A;;GR;;;WD)");
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE, 0,
                                        KIT_SECTION_SIZE, NULL);
    LocalFree(attributes.lpSecurityDescriptor);
    assert_non_null(section);
    const uint32_t granted = kit_access(section), read = STANDARD_RIGHTS_READ | SECTION_QUERY;
    assert_int_equal(hbk_access_widenable(poor, section, granted, read), HBK_WIDENABLE_YES);
    assert_int_equal(hbk_access_widenable(poor, section, granted, read | SECTION_MAP_READ),
                     HBK_WIDENABLE_NO);
    CloseHandle(section);
}

/* ---- it costs no memory and no handle ---- */

static void nothing_is_left_behind(void **state)
{
    (void)state;
    HANDLE process = child(), event = make_event(L"O:BAD:P");
    uint32_t handles = kit_handles_at_rest(GetCurrentProcessId());
    for (int i = 0; i < 200; i++) {
        assert_int_equal(rights(own, L"D:(A;;0x3;;;BA)", HBK_RIGHTS_ALL), 0x3);
        assert_int_equal(rights_from(own, L"D:(A;;0x3;;;BA)", 0x2000), 0x3);
        (void)hbk_access_to_process(poor, process);
        (void)hbk_access_widenable(poor, event, EVENT_ALL_ACCESS, SYNCHRONIZE);
    }
    kit_handles_at_most(GetCurrentProcessId(), handles);
    CloseHandle(event);
}

#define TEST(function) cmocka_unit_test_teardown(function, end_test)

static int group(void)
{
    const struct CMUnitTest tests[] = {
        TEST(groups_decide),
        TEST(one_user_decides),
        TEST(order_of_entries_decides),
        TEST(generic_all_is_all_and_other_generics_nothing),
        TEST(owning_grants_nothing),
        TEST(deny_only_groups_deny),
        TEST(restricting_sids_must_be_granted_too),
        TEST(low_integrity_needs_a_label),
        TEST(everybody_by_omission_is_refused),
        TEST(nonsense_is_refused),
        TEST(clients_descriptor),
        TEST(clients_integrity_keeps_lower_ones_out),
        TEST(rights_of_anybody),
        TEST(processes_say_who_may_duplicate),
        TEST(process_whose_descriptor_is_closed_to_us),
        TEST(debuggers_may),
        TEST(processes_are_above_low_ones),
        TEST(objects_without_a_descriptor_refuse_nothing),
        TEST(descriptors_decide_what_can_be_taken_back),
        TEST(only_what_was_left_out_counts),
        TEST(takers_of_ownership_can),
        TEST(descriptors_that_cannot_be_read),
        TEST(descriptors_that_are_too_large),
        TEST(sections_by_their_own_mapping),
        TEST(nothing_is_left_behind),
    };
    return cmocka_run_group_tests_name("access", tests, setup, teardown);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
