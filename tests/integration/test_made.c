/* Objects that a target cannot widen: that they work, that their descriptor is what the header says, and that
 * the rights that were left out cannot be had back. */
#include "kit.h"

#include <sddl.h>
#include <stdio.h>
#include <string.h>

enum maker { SECTION, EVENT, MUTEX, SEMAPHORE, TIMER, MAKERS };

static const char *const type_names[MAKERS] = {"Section", "Event", "Mutant", "Semaphore", "Timer"};

/* Return: NULL where Wine cannot, and says so. */
static HANDLE make(enum maker maker)
{
    HANDLE handle = NULL;
    hbk_error_info error = {.detail = ""};
    hbk_result result = maker == SECTION ? hbk_section_create(4096, PAGE_READWRITE, &handle, &error)
                        : maker == EVENT ? hbk_event_create(1, 0, &handle, &error)
                        : maker == MUTEX ? hbk_mutex_create(0, &handle, &error)
                        : maker == SEMAPHORE ? hbk_semaphore_create(0, 4, &handle, &error)
                                             : hbk_timer_create(1, &handle, &error);
    if (result == HBK_OS_ERROR && maker == TIMER && error.win32 == ERROR_ACCESS_DENIED &&
        kit_is_wine()) {
        printf("skipped for Timer: Wine 8 checks a timer's maker against the descriptor that it "
               "brings\n");
        return NULL;
    }
    if (result != HBK_OK)
        fail_msg("%s: %s: error %lu", type_names[maker], error.detail, (unsigned long)error.win32);
    assert_non_null(handle);
    return handle;
}

static void descriptors_grant_nothing(void **state)
{
    (void)state;
    for (int maker = 0; maker < MAKERS; maker++) {
        HANDLE handle = make((enum maker)maker);
        if (handle == NULL)
            continue;
        union {
            SECURITY_DESCRIPTOR descriptor;
            char bytes[512];
        } read;
        DWORD size = 0, flags = 0;
        char *text = NULL;
        if (!GetKernelObjectSecurity(handle, DACL_SECURITY_INFORMATION, &read, sizeof read, &size))
            fail_msg("%s: no descriptor: error %lu", type_names[maker], GetLastError());
        assert_true(ConvertSecurityDescriptorToStringSecurityDescriptorA(
            &read, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, NULL));
        /* Windows spells the SID by its letters, others do not. */
        if (strcmp(text, "D:P(A;;RC;;;OW)") != 0 && strcmp(text, "D:P(A;;RC;;;S-1-3-4)") != 0)
            fail_msg("%s: %s", type_names[maker], text);
        LocalFree(text);
        assert_true(GetHandleInformation(handle, &flags));
        assert_int_equal(flags, 0); /* not inheritable */
        CloseHandle(handle);
    }
}

static void they_work_as_others_do(void **state)
{
    (void)state;
    HANDLE section = make(SECTION), event = make(EVENT), mutex = make(MUTEX),
           semaphore = make(SEMAPHORE), timer = make(TIMER), other = NULL;
    LARGE_INTEGER at_once = {.QuadPart = -1};
    char *view = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
    assert_non_null(view);
    memcpy(view, "bytes", 6);
    assert_string_equal(view, "bytes");
    UnmapViewOfFile(view);
    assert_false(kit_is_set(event));
    assert_true(SetEvent(event));
    assert_true(kit_is_set(event) && kit_is_set(event)); /* manual reset */
    assert_int_equal(WaitForSingleObject(mutex, 0), WAIT_OBJECT_0);
    assert_true(ReleaseMutex(mutex));
    assert_false(ReleaseMutex(mutex));
    assert_false(kit_is_set(semaphore));
    assert_true(ReleaseSemaphore(semaphore, 4, NULL));
    assert_false(ReleaseSemaphore(semaphore, 1, NULL));
    if (timer != NULL) {
        assert_true(SetWaitableTimer(timer, &at_once, 0, NULL, NULL, FALSE));
        assert_int_equal(WaitForSingleObject(timer, KIT_WAIT_MS), WAIT_OBJECT_0);
        assert_true(kit_is_set(timer)); /* manual reset */
        CloseHandle(timer);
    }
    assert_int_equal(hbk_event_create(0, 1, &other, NULL), HBK_OK);
    assert_true(kit_is_set(other));
    assert_false(kit_is_set(other)); /* the first wait has reset it */
    CloseHandle(other);
    assert_int_equal(hbk_mutex_create(1, &other, NULL), HBK_OK);
    assert_true(ReleaseMutex(other)); /* it was ours */
    CloseHandle(other);
    CloseHandle(section);
    CloseHandle(event);
    CloseHandle(mutex);
    CloseHandle(semaphore);
}

static void what_cannot_be_made(void **state)
{
    (void)state;
    HANDLE handle = (HANDLE)(uintptr_t)0x1234;
    hbk_error_info error = {.result = HBK_OK};
    uint32_t before = kit_handles_at_rest(GetCurrentProcessId());
    assert_int_equal(hbk_section_create(0, PAGE_READWRITE, &handle, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_section_create(4096, 0xFFFF, &handle, &error), HBK_OS_ERROR);
    assert_int_equal(error.win32, ERROR_INVALID_PARAMETER);
    assert_int_equal(hbk_semaphore_create(0, 0, &handle, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_semaphore_create(-1, 1, &handle, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_semaphore_create(2, 1, &handle, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_section_create(1, PAGE_READWRITE, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_event_create(0, 0, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_mutex_create(0, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_semaphore_create(0, 1, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_int_equal(hbk_timer_create(0, NULL, NULL), HBK_INVALID_ARGUMENT);
    assert_true(handle == (HANDLE)(uintptr_t)0x1234); /* untouched */
    assert_int_equal(kit_handles_at_rest(GetCurrentProcessId()), before);
}

/* Through the broker, reduced, and used there. */
static void a_target_gets_what_it_was_given(void **state)
{
    (void)state;
    struct kit_peer peer;
    const char *name = kit_endpoint_name();
    hbk_client *source = kit_client();
    HANDLE section = make(SECTION), event = make(EVENT);
    char *view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
    assert_non_null(view);
    memcpy(view, KIT_BYTES, KIT_BYTES_SIZE);
    kit_peer_open(&peer);
    kit_peer_listen(&peer, name, 0);
    hbk_send_item items[2] = {{.handle = section, .access = HBK_ACCESS_READ},
                              {.handle = event, .access = EVENT_MODIFY_STATE}};
    hbk_send_options send = {.size = sizeof send, .to = name, .items = items, .count = 2};
    hbk_error_info error = {.detail = ""};
    if (hbk_send(source, &send, NULL, &error) != HBK_OK)
        fail_msg("%s: %s", hbk_result_word(error.result), error.detail);
    assert_int_equal(kit_peer_do(&peer, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), 0);
    assert_int_equal(peer.reply.count, 2);
    uint64_t there = peer.reply.items[0].handle, event_there = peer.reply.items[1].handle;
    assert_int_equal(kit_peer_do(&peer, KIT_OP_MAP_READ, there, 0, NULL), 0);
    assert_int_equal(strncmp(peer.reply.text, KIT_BYTES, KIT_BYTES_SIZE), 0);
    assert_int_not_equal(kit_peer_do(&peer, KIT_OP_MAP_WRITE, there, 0, "changed"), 0);
    assert_int_equal(memcmp(view, KIT_BYTES, KIT_BYTES_SIZE), 0);
    assert_int_equal(kit_peer_do(&peer, KIT_OP_SET_EVENT, event_there, 0, NULL), 0);
    assert_true(kit_is_set(event));
    kit_peer_stop(&peer);
    UnmapViewOfFile(view);
    CloseHandle(section);
    CloseHandle(event);
}

/* The rights that a handle lacks, asked for as a target would: from its own handle, into its own process. */
static void widening_is_refused(void **state)
{
    (void)state;
    static const uint32_t less[MAKERS] = {SECTION_MAP_READ, SYNCHRONIZE, SYNCHRONIZE, SYNCHRONIZE,
                                          SYNCHRONIZE};
    static const uint32_t more[MAKERS] = {SECTION_MAP_WRITE, EVENT_MODIFY_STATE, MUTANT_QUERY_STATE,
                                          SEMAPHORE_MODIFY_STATE, TIMER_MODIFY_STATE};
    if (kit_is_wine())
        kit_skip("Wine's DuplicateHandle grants any right, whatever the object's descriptor says");
    for (int maker = 0; maker < MAKERS; maker++) {
        HANDLE self = GetCurrentProcess(), whole = make((enum maker)maker), reduced = NULL,
               wider = NULL;
        assert_true(DuplicateHandle(self, whole, self, &reduced, less[maker], FALSE, 0));
        const uint32_t asked[] = {more[maker], WRITE_DAC, DELETE};
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
            if (DuplicateHandle(self, reduced, self, &wider, less[maker] | asked[i], FALSE, 0))
                fail_msg("%s: 0x%lx was granted", type_names[maker], (unsigned long)asked[i]);
            assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
        }
        CloseHandle(reduced);
        CloseHandle(whole);
    }
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(descriptors_grant_nothing), KIT_TEST(they_work_as_others_do),
        KIT_TEST(what_cannot_be_made),       KIT_TEST(a_target_gets_what_it_was_given),
        KIT_TEST(widening_is_refused),
    };
    return cmocka_run_group_tests_name("made", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
