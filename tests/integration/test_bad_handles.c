/* Handle values and rights that are refused. Each is said by a client that checks nothing itself; most
 * also through the library. After each, nothing has changed. */
#include "kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <winsock2.h>

struct scene {
    struct kit_peer target;
    struct kit_mark mark;
    struct kit_raw *raw;
    hbk_client *client;
    const char *name;
    HANDLE event;
    uint32_t own; /* handles of this process, the sender */
};

/* What making a thing has cost is no part of what is looked at. */
static void mark(struct scene *scene)
{
    kit_mark(&scene->mark, scene->target.pid);
    scene->own = kit_handles_at_rest(GetCurrentProcessId());
}

/* No handle has appeared: in the broker, in the target, or here. */
static void unchanged(const struct scene *scene)
{
    kit_unchanged(&scene->mark);
    kit_handles_at_most(GetCurrentProcessId(), scene->own);
}

static void begin(struct scene *scene)
{
    scene->name = kit_endpoint_name();
    scene->event = kit_make(KIT_EVENT);
    scene->client = kit_client();
    scene->raw = kit_raw_proven();
    kit_peer_listen(&scene->target, scene->name, 0);
    mark(scene);
}

static void end(struct scene *scene)
{
    unchanged(scene);
    kit_peer_quiet(&scene->target);
    /* And what is right is still served, on the same connection. */
    kit_raw_ask(
        scene->raw,
        "{\"jsonrpc\":\"2.0\",\"id\":99,\"method\":\"handle.send\",\"params\":{\"to\":\"%s\","
        "\"items\":[{\"handle\":%llu}]}}",
        scene->name, (unsigned long long)(uintptr_t)scene->event);
    kit_raw_is_result(scene->raw, "99");
    CloseHandle(scene->event);
}

/* Sends a good item and then @item (JSON), which must be refused with @code and its index. */
static void refused(struct scene *scene, const char *item, int code)
{
    int64_t index = -1;
    kit_raw_ask(
        scene->raw,
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"handle.send\",\"params\":{\"to\":\"%s\","
        "\"items\":[{\"handle\":%llu},%s]}}",
        scene->name, (unsigned long long)(uintptr_t)scene->event, item);
    int64_t found = 0;
    if (!kit_json_number(scene->raw->line, "code", &found) || found != code)
        fail_msg("%s: error %d expected: %s", item, code, scene->raw->line);
    kit_raw_is_error(scene->raw, code, "7");
    if (!kit_json_number(scene->raw->line, "item", &index) || index != 1)
        fail_msg("%s: the item at fault is 1: %s", item, scene->raw->line);
    kit_unchanged(&scene->mark);
}

static void refused_value(struct scene *scene, uint64_t value, int code)
{
    char item[64];
    (void)snprintf(item, sizeof item, "{\"handle\":%" PRIu64 "}", value);
    refused(scene, item, code);
}

/* ---- pseudo-handles and the like ---- */

static void pseudo_handles_in_every_spelling(void **state)
{
    (void)state;
    struct scene scene;
    char item[64];
    begin(&scene);
    for (int value = 1; value <= 16; value++) {
        (void)snprintf(item, sizeof item, "{\"handle\":-%d}", value);
        refused(&scene, item, HBK_BAD_HANDLE);
        refused_value(&scene, 0x100000000ull - (unsigned)value, HBK_BAD_HANDLE);
        refused_value(&scene, 0ull - (unsigned)value, HBK_BAD_HANDLE);
    }
    end(&scene);
}

static void values_that_no_handle_has(void **state)
{
    (void)state;
    static const uint64_t values[] = {
        0,
        1,
        2,
        3,
        0x80000000u,
        0x80000004u,
        0xFFFFFFFCu,
        0x7FFFFFFDu,
        0x7FFFFFFEu,
        0x7FFFFFFFu,
        0x100000000ull,
        0x7FFFFFFFFFFFFFFCull,
        0x8000000000000000ull,
        0xFFFFFFFFFFFFFFFCull,
    };
    struct scene scene;
    begin(&scene);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        refused_value(&scene, values[i], HBK_BAD_HANDLE);
    uint64_t good = (uint64_t)(uintptr_t)scene.event;
    for (uint64_t tag = 1; tag <= 3; tag++)
        refused_value(&scene, good + tag, HBK_BAD_HANDLE); /* the kernel would ignore the tag */
    refused_value(&scene, good + 0x80000000u, HBK_BAD_HANDLE);
    refused_value(&scene, good + 0x100000000ull, HBK_BAD_HANDLE); /* would be truncated to it */
    refused_value(&scene, good + 0x8000000000000000ull, HBK_BAD_HANDLE);
    end(&scene);
}

/* This process's lowest free values are given out for a moment by the system itself, while we wait for
 * something. Return: a value above them. */
static uint64_t above_the_first_free(void)
{
    int found = 0;
    uint64_t value = 4;
    for (; found < 6; value += 4)
        found += kit_holds(GetCurrentProcessId(), value) ? 0 : 1;
    return value;
}

static void values_that_are_not_open_here(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    refused_value(&scene, (uint64_t)(uintptr_t)kit_closed(), HBK_BAD_HANDLE);
    refused_value(&scene, 0x7FFFFFFCu, HBK_BAD_HANDLE);
    refused_value(&scene, 0x00FFFFF0u, HBK_BAD_HANDLE);
    /* Values that the broker or the target holds, and this process does not. */
    DWORD holders[2] = {kit_broker()->pid, scene.target.pid};
    for (size_t h = 0; h < 2; h++) {
        int found = 0;
        for (uint64_t value = above_the_first_free(); value < 0x400 && found < 8; value += 4) {
            if (!kit_holds(holders[h], value) || kit_holds(GetCurrentProcessId(), value))
                continue;
            found++;
            refused_value(&scene, value, HBK_BAD_HANDLE);
        }
        if (found == 0)
            print_message("note: process %lu holds no low value that this one does not\n",
                          holders[h]);
    }
    end(&scene);
}

/* The process that the broker runs in is never the source, whatever the value says. */
static void the_brokers_own_values(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    for (uint64_t value = above_the_first_free(); value < 0x300; value += 4) {
        if (kit_holds(GetCurrentProcessId(), value))
            continue; /* ours: another test's matter */
        refused_value(&scene, value, HBK_BAD_HANDLE);
    }
    end(&scene);
}

/* ---- things that are called handles ---- */

static void windows_and_gdi_objects(void **state)
{
    (void)state;
    struct scene scene;
    hbk_error_info error = {.result = HBK_OK};
    begin(&scene);
    HBRUSH brush = CreateSolidBrush(RGB(1, 2, 3));
    if (brush == NULL)
        kit_skip("no GDI here");
    mark(&scene);
    uint64_t value = (uint64_t)(uintptr_t)brush;
    char item[64];
    if (!kit_holds(GetCurrentProcessId(), value)) {
        (void)snprintf(item, sizeof item, "{\"handle\":%" PRId64 "}", (int64_t)value);
        refused(&scene, item, HBK_BAD_HANDLE);
        KIT_REFUSED(&scene.mark, HBK_BAD_HANDLE,
                    kit_send(scene.client, scene.name, (HANDLE)brush, 0, 0, &error));
        if (strstr(error.detail, "GDI") == NULL)
            fail_msg("the library does not say that it is a GDI handle: %s", error.detail);
    }
    DeleteObject(brush);
    HWND window = GetDesktopWindow();
    if (window != NULL && !kit_holds(GetCurrentProcessId(), (uint64_t)(uintptr_t)window)) {
        KIT_REFUSED(&scene.mark, HBK_BAD_HANDLE,
                    kit_send(scene.client, scene.name, (HANDLE)window, 0, 0, &error));
        if (strstr(error.detail, "window") == NULL)
            fail_msg("the library does not say that it is a window: %s", error.detail);
    } else {
        print_message("note: no window to try\n");
    }
    mark(&scene); /* what is loaded to tell one from a handle may stay */
    end(&scene);
}

static HANDLE open_console(void)
{
    return CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                       NULL, OPEN_EXISTING, 0, NULL);
}

/* Until Windows 8 a console handle was a number of its own kind, with both low bits set. Since then it is a
 * File like any other, and crosses as one: with the rights that it has, and none when it is not asked for. */
static void console_handles(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    for (uint64_t value = 3; value <= 0x3F; value += 4)
        refused_value(&scene, value, HBK_BAD_HANDLE);
    HANDLE console = open_console();
    bool ours = console == INVALID_HANDLE_VALUE;
    if (ours) {
        FreeConsole(); /* one that answers nobody is in the way of a new one */
        AllocConsole();
        console = open_console();
    }
    if (console == INVALID_HANDLE_VALUE) {
        print_message("note: no console can be had here (error %lu)\n", GetLastError());
    } else {
        uint64_t value = (uint64_t)(uintptr_t)console;
        char item[96];
        mark(&scene);
        if (kit_holds(GetCurrentProcessId(), value)) {
            (void)snprintf(item, sizeof item, "{\"handle\":%" PRIu64 ",\"type\":\"Event\"}", value);
            refused(&scene, item, HBK_TYPE_MISMATCH);
            (void)snprintf(item, sizeof item, "{\"handle\":%" PRIu64 ",\"access\":262144}", value);
            if ((kit_access(console) & WRITE_DAC) == 0)
                refused(&scene, item, HBK_ACCESS_EXCEEDS_SOURCE);
        } else {
            refused_value(&scene, value, HBK_BAD_HANDLE);
        }
        unchanged(&scene);
        CloseHandle(console);
    }
    if (ours)
        FreeConsole();
    mark(&scene);
    end(&scene);
}

static void pseudo_handles_through_the_library(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint64_t good = (uint64_t)(uintptr_t)scene.event;
    HANDLE values[] = {NULL,
                       INVALID_HANDLE_VALUE,
                       GetCurrentThread(),
                       (HANDLE)(intptr_t)-4,
                       (HANDLE)(intptr_t)-6,
                       (HANDLE)(uintptr_t)0xFFFFFFFFu,
                       (HANDLE)(uintptr_t)(good | 1),
                       (HANDLE)(uintptr_t)(good + 0x100000000ull)};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        hbk_result result = kit_send(scene.client, scene.name, values[i], 0, 0, NULL);
        assert_true(result == HBK_BAD_HANDLE || result == HBK_INVALID_ARGUMENT);
        kit_unchanged(&scene.mark);
    }
    end(&scene);
}

/* ---- types ---- */

static void types_that_are_not_brokered(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    for (int kind = KIT_KINDS; kind < KIT_ALL_KINDS; kind++) {
        HANDLE handle = kit_make((enum kit_kind)kind);
        if (handle == NULL) {
            print_message("note: no %s can be made here (error %lu)\n",
                          kit_type((enum kit_kind)kind), GetLastError());
            continue;
        }
        mark(&scene);
        refused_value(&scene, (uint64_t)(uintptr_t)handle, HBK_TYPE_NOT_ALLOWED);
        KIT_REFUSED(&scene.mark, HBK_TYPE_NOT_ALLOWED,
                    kit_send(scene.client, scene.name, handle, 0, 0, NULL));
        unchanged(&scene);
        kit_unmake((enum kit_kind)kind, handle);
    }
    mark(&scene);
    end(&scene);
}

/* Types that have no function of their own in Win32, or none that makes just one of them. What the allow-list
 * does not name is refused, known or not. */
static void types_that_few_have_heard_of(void **state)
{
    (void)state;
    typedef LONG(NTAPI * create_object)(HANDLE *, ACCESS_MASK, void *, ULONG);
    static const char *const functions[] = {"NtCreateDebugObject", "NtCreateKeyedEvent",
                                            "NtCreateWaitCompletionPacket"};
    struct scene scene;
    int tried = 0;
    begin(&scene);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        FARPROC found = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), functions[i]);
        create_object create = (create_object)(void (*)(void))found;
        HANDLE handle = NULL;
        if (create == NULL || create(&handle, MAXIMUM_ALLOWED, NULL, 0) < 0) {
            print_message("note: %s makes nothing here\n", functions[i]);
            continue;
        }
        mark(&scene);
        refused_value(&scene, (uint64_t)(uintptr_t)handle, HBK_TYPE_NOT_ALLOWED);
        KIT_REFUSED(&scene.mark, HBK_TYPE_NOT_ALLOWED,
                    kit_send(scene.client, scene.name, handle, 0, 0, NULL));
        unchanged(&scene);
        CloseHandle(handle);
        tried++;
    }
    assert_true(tried > 0);
    end(&scene);
}

/* A socket has a way of its own, and no word of the sender's turns something else into one. */
static void things_that_are_called_sockets(void **state)
{
    (void)state;
    struct scene scene;
    WSADATA data;
    char item[96];
    assert_int_equal(WSAStartup(MAKEWORD(2, 2), &data), 0);
    begin(&scene);
    SOCKET tcp = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(tcp != INVALID_SOCKET);
    HANDLE file = kit_make(KIT_FILE), section = kit_make(KIT_SECTION), pipe = kit_make(KIT_PIPE);
    HANDLE all[] = {(HANDLE)(uintptr_t)tcp, file, section, pipe, scene.event};
    mark(&scene);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        (void)snprintf(item, sizeof item, "{\"handle\":%llu,\"type\":\"Socket\"}",
                       (unsigned long long)(uintptr_t)all[i]);
        /* The kernel calls the first, the file and the pipe a File: which of them is a socket matters only
         * where the endpoint takes any. The library looks first. */
        const bool is_file = i == 0 || all[i] == file || all[i] == pipe;
        refused(&scene, item, is_file ? HBK_ACCESS_NOT_ACCEPTED : HBK_TYPE_MISMATCH);
        const int code = i == 0 ? HBK_ACCESS_NOT_ACCEPTED : HBK_TYPE_MISMATCH;
        hbk_send_item sent = {.handle = all[i], .type = "Socket"};
        hbk_send_options send = {.size = sizeof send, .to = scene.name, .items = &sent, .count = 1};
        KIT_REFUSED(&scene.mark, code, hbk_send(scene.client, &send, NULL, NULL));
    }
    unchanged(&scene);
    /* The socket is none the worse for it. */
    struct sockaddr_in here = {.sin_family = AF_INET};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(tcp, (struct sockaddr *)&here, sizeof here), 0);
    assert_int_equal(listen(tcp, 1), 0);
    closesocket(tcp);
    kit_unmake(KIT_FILE, file);
    kit_unmake(KIT_SECTION, section);
    kit_unmake(KIT_PIPE, pipe);
    mark(&scene); /* Winsock keeps some handles of its own */
    end(&scene);
    WSACleanup();
}

static void types_that_are_others(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int code;
    } rows[] = {
        {"Mutant", HBK_TYPE_MISMATCH},     {"event", HBK_TYPE_MISMATCH},
        {"File", HBK_TYPE_MISMATCH},       {"Token", HBK_TYPE_MISMATCH},
        {"NoSuchType", HBK_TYPE_MISMATCH}, {"", HBK_INVALID_PARAMS},
        {"Socket", HBK_TYPE_MISMATCH},
    };
    struct scene scene;
    begin(&scene);
    char item[128];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)snprintf(item, sizeof item, "{\"handle\":%llu,\"type\":\"%s\"}",
                       (unsigned long long)(uintptr_t)scene.event, rows[i].type);
        refused(&scene, item, rows[i].code);
    }
    end(&scene);
}

/* ---- rights ---- */

static void rights_that_cannot_be_named(void **state)
{
    (void)state;
    static const char *const masks[] = {
        "0",          "2147483648", "1073741824", "536870912",
        "268435456",  "4026531840", "33554432",   "16777216",
        "4294967296", "-1",         "\"all\"",    "\"READ\"",
        "\"\"",       "4294967295", "true",       "18446744073709551615",
        "null",       "[]",         "{}",         "9007199254740993",
    };
    struct scene scene;
    char item[128];
    begin(&scene);
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        (void)snprintf(item, sizeof item, "{\"handle\":%llu,\"access\":%s}",
                       (unsigned long long)(uintptr_t)scene.event, masks[i]);
        refused(&scene, item, HBK_INVALID_PARAMS);
    }
    static const uint32_t by_library[] = {GENERIC_WRITE, GENERIC_EXECUTE,
                                          GENERIC_ALL,   0x02000000u,
                                          0x01000000u,   GENERIC_READ | SYNCHRONIZE};
    for (size_t i = 0; i < sizeof by_library / sizeof *by_library; i++) {
        hbk_result result = kit_send(scene.client, scene.name, scene.event, by_library[i], 0, NULL);
        assert_true(result == HBK_INVALID_ARGUMENT || result == HBK_INVALID_PARAMS);
        kit_unchanged(&scene.mark);
    }
    end(&scene);
}

static void one_right_too_many(void **state)
{
    (void)state;
    static const struct {
        enum kit_kind kind;
        uint32_t held, wanted;
    } rows[] = {
        {KIT_EVENT, SYNCHRONIZE, SYNCHRONIZE | EVENT_MODIFY_STATE},
        {KIT_EVENT, EVENT_MODIFY_STATE, SYNCHRONIZE},
        {KIT_MUTEX, SYNCHRONIZE, SYNCHRONIZE | DELETE},
        {KIT_SEMAPHORE, SYNCHRONIZE, SYNCHRONIZE | SEMAPHORE_MODIFY_STATE},
        {KIT_TIMER, SYNCHRONIZE, SYNCHRONIZE | TIMER_MODIFY_STATE},
        {KIT_SECTION, SECTION_MAP_READ, SECTION_MAP_READ | SECTION_MAP_WRITE},
        {KIT_FILE, FILE_READ_DATA, FILE_READ_DATA | FILE_WRITE_DATA},
        {KIT_FILE, FILE_READ_DATA, FILE_READ_DATA | WRITE_DAC},
        {KIT_EVENT, EVENT_ALL_ACCESS, EVENT_ALL_ACCESS | 0x8000u},
        /* "read" whose essential right is missing */
        {KIT_EVENT, EVENT_MODIFY_STATE, HBK_ACCESS_READ},
        {KIT_SECTION, SECTION_MAP_WRITE, HBK_ACCESS_READ},
        {KIT_FILE, FILE_WRITE_DATA | SYNCHRONIZE, HBK_ACCESS_READ},
    };
    struct scene scene;
    begin(&scene);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        HANDLE whole = kit_make(rows[i].kind), held = NULL;
        assert_true(DuplicateHandle(GetCurrentProcess(), whole, GetCurrentProcess(), &held,
                                    rows[i].held, FALSE, 0));
        hbk_error_info error = {.item = -1};
        hbk_result result = kit_send(scene.client, scene.name, held, rows[i].wanted, 0, &error);
        if (result != HBK_ACCESS_EXCEEDS_SOURCE || error.item != 0)
            fail_msg("row %lu: %s (item %d): %s", (unsigned long)i, hbk_result_word(result),
                     error.item, error.detail);
        kit_unchanged(&scene.mark);
        CloseHandle(held);
        kit_unmake(rows[i].kind, whole);
    }
    end(&scene);
}

/* Each of the 32 bits beside one that the handle has. */
static void each_right_that_is_not_held(void **state)
{
    (void)state;
    static const enum kit_kind kinds[] = {KIT_EVENT, KIT_SECTION, KIT_FILE};
    const uint32_t unspeakable = 0xF3000000u; /* GENERIC, MAXIMUM_ALLOWED, ACCESS_SYSTEM_SECURITY */
    struct scene scene;
    char item[96];
    begin(&scene);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        HANDLE whole = kit_make(kinds[k]), held = NULL;
        assert_true(DuplicateHandle(GetCurrentProcess(), whole, GetCurrentProcess(), &held,
                                    READ_CONTROL, FALSE, 0));
        uint32_t has = kit_access(held);
        assert_int_equal(has & unspeakable, 0);
        mark(&scene);
        for (unsigned bit = 0; bit < 32; bit++) {
            uint32_t right = 1u << bit;
            if ((has & right) != 0)
                continue;
            (void)snprintf(item, sizeof item, "{\"handle\":%llu,\"access\":%lu}",
                           (unsigned long long)(uintptr_t)held, (unsigned long)(has | right));
            refused(&scene, item,
                    (right & unspeakable) != 0 ? HBK_INVALID_PARAMS : HBK_ACCESS_EXCEEDS_SOURCE);
        }
        unchanged(&scene);
        CloseHandle(held);
        kit_unmake(kinds[k], whole);
    }
    mark(&scene);
    end(&scene);
}

/* ---- what changes after it was checked ---- */

/* Closes @handle and makes semaphores until one has its value. Return: it; NULL: none had. */
static HANDLE recycle(HANDLE handle)
{
    uintptr_t value = (uintptr_t)handle;
    HANDLE made[64] = {NULL}, found = NULL;
    CloseHandle(handle);
    for (int i = 0; i < 64 && found == NULL; i++) {
        made[i] = kit_make(KIT_SEMAPHORE);
        if ((uintptr_t)made[i] == value)
            found = made[i];
    }
    for (int i = 0; i < 64 && made[i] != NULL; i++) {
        if (made[i] != found)
            CloseHandle(made[i]);
    }
    return found;
}

/* The pin is taken when the request is read; what the sender's table says later is of no interest. */
static void recycled_while_pinned(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    for (int again = 0; again < 2; again++) {
        const char *name = kit_endpoint_name();
        HANDLE event = kit_make(KIT_EVENT), kept = NULL, other = NULL;
        hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
        hbk_delivery *delivery = NULL;
        assert_true(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &kept, 0,
                                    FALSE, DUPLICATE_SAME_ACCESS));
        kit_raw_say(scene.raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"handle.send\",\"params\":{\"to\":"
                    "\"%s\",\"items\":[{\"handle\":%llu}],\"wait_ms\":10000}}",
                    name, (unsigned long long)(uintptr_t)event);
        kit_raw_say(scene.raw, "%s",
                    "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"broker.status\",\"params\":{}}");
        assert_int_equal(kit_raw_next(scene.raw, KIT_WAIT_MS), KIT_RAW_LINE);
        kit_raw_is_result(scene.raw, "9"); /* so the send before it was read */
        if (again == 0)
            CloseHandle(event);
        else if ((other = recycle(event)) == NULL)
            fail_msg("the value %p was not given out again", (void *)event);
        assert_int_equal(hbk_endpoint_open(scene.client, &endpoint, NULL), HBK_OK);
        assert_int_equal(hbk_receive(scene.client, KIT_WAIT_MS, &delivery, NULL), HBK_OK);
        assert_string_equal(delivery->items[0].type, "Event");
        assert_true(SetEvent(delivery->items[0].handle));
        assert_true(kit_is_set(kept));
        assert_int_equal(kit_raw_next(scene.raw, KIT_WAIT_MS), KIT_RAW_LINE);
        kit_raw_is_result(scene.raw, "8");
        hbk_delivery_free(delivery);
        assert_int_equal(hbk_endpoint_close(scene.client, name, NULL), HBK_OK);
        if (other != NULL)
            CloseHandle(other);
        CloseHandle(kept);
    }
    kit_unchanged(&scene.mark);
    end(&scene);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(pseudo_handles_in_every_spelling),
        KIT_TEST(values_that_no_handle_has),
        KIT_TEST(values_that_are_not_open_here),
        KIT_TEST(the_brokers_own_values),
        KIT_TEST(windows_and_gdi_objects),
        KIT_TEST(console_handles),
        KIT_TEST(pseudo_handles_through_the_library),
        KIT_TEST(types_that_are_not_brokered),
        KIT_TEST(types_that_few_have_heard_of),
        KIT_TEST(things_that_are_called_sockets),
        KIT_TEST(types_that_are_others),
        KIT_TEST(rights_that_cannot_be_named),
        KIT_TEST(each_right_that_is_not_held),
        KIT_TEST(one_right_too_many),
        KIT_TEST(recycled_while_pinned),
    };
    return cmocka_run_group_tests_name("bad handles", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
