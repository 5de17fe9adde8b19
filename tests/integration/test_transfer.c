/* A third process hands a handle from a process to a process: neither need be its own, know of the broker, or have
 * agreed to more than what Windows asks. This process is the catalyst; source and target are two others. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

struct scene {
    struct kit_peer source, target;
    hbk_client *client;
    struct kit_mark mark; /* of the broker and the target */
    uint32_t source_handles, own;
    uint64_t event; /* the source's */
};

static void mark(struct scene *scene)
{
    kit_mark(&scene->mark, scene->target.pid);
    scene->source_handles = kit_handles_at_rest(scene->source.pid);
    scene->own = kit_handles_at_rest(GetCurrentProcessId());
}

static uint64_t make_there(struct kit_peer *peer, enum kit_kind kind)
{
    assert_int_equal(kit_peer_do(peer, KIT_OP_MAKE, (uint64_t)kind, 0, NULL), 0);
    return peer->reply.value;
}

/* A source that knows nothing of the broker, and a target that is its client (@client) or neither. */
static void begin(struct scene *scene, bool client)
{
    scene->client = kit_client();
    kit_peer_start(&scene->source);
    if (client)
        kit_peer_open(&scene->target);
    else
        kit_peer_start(&scene->target);
    scene->event = make_there(&scene->source, KIT_EVENT);
    mark(scene);
}

/* All four processes have what they had. */
static void unchanged(const struct scene *scene)
{
    kit_unchanged(&scene->mark);
    assert_int_equal(kit_handles_at_rest(scene->source.pid), scene->source_handles);
    kit_handles_at_most(GetCurrentProcessId(), scene->own);
}

static void end(struct scene *scene)
{
    kit_peer_stop(&scene->source);
    kit_peer_stop(&scene->target);
}

static hbk_transfer_options of_event(const struct scene *scene)
{
    return (hbk_transfer_options){.size = sizeof(hbk_transfer_options),
                                  .source_pid = scene->source.pid,
                                  .handle = (HANDLE)(uintptr_t)scene->event,
                                  .target_pid = scene->target.pid};
}

static hbk_transferred transfer(const struct scene *scene, const hbk_transfer_options *options)
{
    hbk_error_info error = {.result = HBK_OK};
    hbk_transferred transferred;
    hbk_result result = hbk_transfer(scene->client, options, &transferred, &error);
    if (result != HBK_OK)
        fail_msg("%s: %s", hbk_result_word(result), error.detail);
    return transferred;
}

/* Sets the event by @value of @peer: the source sees it. */
static void sets(struct scene *scene, struct kit_peer *peer, uint64_t value)
{
    assert_int_equal(kit_peer_do(&scene->source, KIT_OP_WAIT, scene->event, 0, NULL), WAIT_TIMEOUT);
    assert_int_equal(kit_peer_do(peer, KIT_OP_SET_EVENT, value, 0, NULL), 0);
    assert_int_equal(kit_peer_do(&scene->source, KIT_OP_WAIT, scene->event, 0, NULL), 0);
}

static uint64_t value_of(const hbk_transferred *transferred)
{
    return (uint64_t)(uintptr_t)transferred->handle;
}

/* ---- three processes ---- */

static void to_who_knows_of_nothing(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, false);
    hbk_transfer_options options = of_event(&scene);
    hbk_transferred got = transfer(&scene, &options);
    assert_int_equal(got.notified, 0);
    assert_string_equal(got.type, "Event");
    assert_int_equal(got.access, EVENT_ALL_ACCESS);
    assert_int_equal(got.widenable, 0);
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_FLAGS, value_of(&got), 0, NULL), 0);
    assert_int_equal(scene.target.reply.value, 0);
    sets(&scene, &scene.target, value_of(&got));
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, value_of(&got), 0, NULL), 0);
    unchanged(&scene);
    end(&scene);
}

static void to_who_has_a_session(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, true);
    hbk_transfer_options options = of_event(&scene);
    hbk_transferred got = transfer(&scene, &options);
    assert_true(got.notified != 0);
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    const struct kit_reply *told = &scene.target.reply;
    assert_string_equal(told->name, ""); /* to no endpoint */
    assert_int_equal(told->from_pid, GetCurrentProcessId());
    assert_int_equal(told->count, 1);
    assert_string_equal(told->items[0].type, "Event");
    assert_int_equal(told->items[0].access, EVENT_ALL_ACCESS);
    assert_int_equal(told->items[0].handle, value_of(&got)); /* the value is in the answer too */
    sets(&scene, &scene.target, value_of(&got));
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_FREE, 0, 0, NULL), 0);
    unchanged(&scene);
    end(&scene);
}

static void pulled(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, false);
    for (int named = 0; named < 2; named++) {
        hbk_transfer_options options = of_event(&scene);
        options.target_pid = named ? GetCurrentProcessId() : 0;
        options.access = EVENT_MODIFY_STATE;
        hbk_transferred got = transfer(&scene, &options);
        assert_int_equal(got.notified, 0); /* we were told by the answer */
        assert_int_equal(got.access, EVENT_MODIFY_STATE);
        assert_int_equal(got.widenable, HBK_WIDEN_YES);
        assert_int_equal(kit_access(got.handle), EVENT_MODIFY_STATE);
        assert_true(SetEvent(got.handle));
        assert_int_equal(WaitForSingleObject(got.handle, 0), WAIT_FAILED);
        assert_int_equal(kit_peer_do(&scene.source, KIT_OP_WAIT, scene.event, 0, NULL), 0);
        assert_true(CloseHandle(got.handle));
        unchanged(&scene);
    }
    end(&scene);
}

static void pushed(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, false);
    HANDLE section = kit_make(KIT_SECTION);
    mark(&scene);
    hbk_transfer_options options = of_event(&scene);
    options.source_pid = GetCurrentProcessId();
    options.handle = section;
    options.type = "Section";
    options.access = HBK_ACCESS_READ;
    hbk_transferred got = transfer(&scene, &options);
    uint64_t value = value_of(&got);
    assert_int_equal(got.notified, 0);
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_MAP_READ, value, 0, NULL), 0);
    assert_string_equal(scene.target.reply.text, KIT_BYTES);
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_MAP_WRITE, value, 0, "no"),
                     ERROR_ACCESS_DENIED);
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, value, 0, NULL), 0);
    unchanged(&scene);
    kit_unmake(KIT_SECTION, section);
    end(&scene);
}

static void to_a_name(void **state)
{
    (void)state;
    struct scene scene;
    const char *name = kit_endpoint_name();
    scene.client = kit_client();
    kit_peer_start(&scene.source);
    kit_peer_listen(&scene.target, name, 0);
    scene.event = make_there(&scene.source, KIT_EVENT);
    mark(&scene);
    hbk_transfer_options options = of_event(&scene);
    hbk_transferred transferred;
    options.target_pid = 0;
    options.to = name;
    hbk_transferred got = transfer(&scene, &options);
    assert_true(got.notified != 0);
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    assert_string_equal(scene.target.reply.name, name);
    assert_int_equal(scene.target.reply.items[0].handle, value_of(&got));
    sets(&scene, &scene.target, value_of(&got));
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_FREE, 0, 0, NULL), 0);
    unchanged(&scene);
    /* The twins: nobody of that name, and both at once. */
    options.to = "user/test/nobody";
    KIT_REFUSED(&scene.mark, HBK_NOT_FOUND,
                hbk_transfer(scene.client, &options, &transferred, NULL));
    options.target_pid = scene.target.pid;
    KIT_REFUSED(&scene.mark, HBK_INVALID_ARGUMENT,
                hbk_transfer(scene.client, &options, &transferred, NULL));
    unchanged(&scene);
    end(&scene);
}

/* Here the broker sets the flag: the target may not know of it. */
static void inherited(void **state)
{
    (void)state;
    for (int client = 0; client < 2; client++) {
        struct scene scene;
        begin(&scene, client != 0);
        hbk_transfer_options options = of_event(&scene);
        options.flags = HBK_ITEM_INHERIT;
        hbk_transferred got = transfer(&scene, &options);
        uint64_t value = value_of(&got);
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_FLAGS, value, 0, NULL), 0);
        assert_int_equal(scene.target.reply.value, HANDLE_FLAG_INHERIT);
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CHILD_SETS, value, 0, NULL), 0);
        assert_int_equal(kit_peer_do(&scene.source, KIT_OP_WAIT, scene.event, 0, NULL), 0);
        if (client) {
            assert_int_equal(kit_peer_do(&scene.target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL),
                             HBK_OK);
            assert_int_equal(scene.target.reply.items[0].flags, HBK_ITEM_INHERIT);
            assert_int_equal(kit_peer_do(&scene.target, KIT_OP_FREE, 0, 0, NULL), 0);
        } else {
            assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, value, 0, NULL), 0);
        }
        unchanged(&scene);
        options.target_pid = 0;
        options.flags = HBK_ITEM_INHERIT | HBK_ITEM_PROTECT;
        got = transfer(&scene, &options);
        DWORD flags = 0;
        assert_true(GetHandleInformation(got.handle, &flags));
        assert_int_equal(flags, HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE);
        assert_true(SetHandleInformation(got.handle, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0));
        assert_true(CloseHandle(got.handle));
        unchanged(&scene);
        end(&scene);
    }
}

static void each_kind(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, false);
    for (int kind = 0; kind < KIT_KINDS; kind++) {
        uint64_t made = make_there(&scene.source, (enum kit_kind)kind);
        mark(&scene);
        hbk_transfer_options options = of_event(&scene);
        options.handle = (HANDLE)(uintptr_t)made;
        hbk_transferred got = transfer(&scene, &options);
        assert_string_equal(got.type, kit_type((enum kit_kind)kind));
        assert_true(kit_holds(scene.target.pid, value_of(&got)));
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, value_of(&got), 0, NULL),
                         0);
        unchanged(&scene);
    }
    end(&scene);
}

/* ---- refused ---- */

static void refused(struct scene *scene, const hbk_transfer_options *options, hbk_result expected)
{
    hbk_error_info error = {.result = HBK_OK};
    hbk_transferred transferred;
    hbk_result result = hbk_transfer(scene->client, options, &transferred, &error);
    if (result != expected || error.detail[0] == '\0')
        fail_msg("%s, not %s: %s", hbk_result_word(result), hbk_result_word(expected),
                 error.detail);
    kit_unchanged(&scene->mark);
}

static void processes_that_take_no_part(void **state)
{
    (void)state;
    struct scene scene;
    DWORD ended_pid = 0;
    begin(&scene, true);
    HANDLE ended = kit_spawn(L"cmd.exe /c exit 0", 0, &ended_pid);
    assert_int_equal(kit_wait_exit(ended, 3 * KIT_WAIT_MS), 0); /* held: its pid is no other's */
    mark(&scene);
    const struct {
        DWORD pid;
        hbk_result expected;
    } rows[] = {
        {4, HBK_DENIED},
        {kit_broker()->pid, HBK_DENIED},
        {ended_pid, HBK_NOT_FOUND},
        {0x7FFFFFF0u, HBK_NOT_FOUND},
        {0xFFFFFFFCu, HBK_NOT_FOUND},
        {scene.source.pid + 1, HBK_NOT_FOUND}, /* Windows would overlook the low bits */
        {scene.source.pid + 3, HBK_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hbk_transfer_options options = of_event(&scene);
        options.source_pid = rows[i].pid;
        refused(&scene, &options, rows[i].expected);
        options = of_event(&scene);
        options.target_pid = rows[i].pid;
        refused(&scene, &options, rows[i].expected);
    }
    hbk_transfer_options options = of_event(&scene);
    options.source_pid = 0;
    refused(&scene, &options, HBK_INVALID_ARGUMENT);
    unchanged(&scene);
    kit_peer_quiet(&scene.target);
    kit_forget(ended);
    end(&scene);
}

static void line_refused(struct scene *scene, struct kit_raw *raw, const char *handle, int code)
{
    kit_raw_ask(raw,
                "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"handle.transfer\",\"params\":"
                "{\"source\":{\"pid\":%lu},\"handle\":%s,\"target\":{\"pid\":%lu}}}",
                (unsigned long)scene->source.pid, handle, (unsigned long)scene->target.pid);
    kit_raw_is_error(raw, code, "7");
    kit_unchanged(&scene->mark);
}

static void values_that_are_no_handles_there(void **state)
{
    (void)state;
    struct scene scene;
    char text[32];
    begin(&scene, true);
    struct kit_raw *raw = kit_raw_proven();
    mark(&scene);
    for (int value = 1; value <= 16; value++) {
        (void)snprintf(text, sizeof text, "-%d", value);
        line_refused(&scene, raw, text, HBK_BAD_HANDLE);
        (void)snprintf(text, sizeof text, "%llu", 0x100000000ull - (unsigned)value);
        line_refused(&scene, raw, text, HBK_BAD_HANDLE);
        (void)snprintf(text, sizeof text, "%llu", 0ull - (unsigned)value);
        line_refused(&scene, raw, text, HBK_BAD_HANDLE);
    }
    const uint64_t values[] = {0,
                               scene.event + 1,
                               scene.event + 3,
                               scene.event + 0x80000000u,
                               scene.event + 0x100000000ull,
                               0x7FFFFFFCu,
                               0x00FFFFF0u};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)values[i]);
        line_refused(&scene, raw, text, HBK_BAD_HANDLE);
    }
    HANDLE pseudo[] = {NULL, GetCurrentProcess(), GetCurrentThread(), (HANDLE)(intptr_t)-4,
                       (HANDLE)(intptr_t)-6};
    for (size_t i = 0; i < sizeof pseudo / sizeof *pseudo; i++) {
        hbk_transfer_options options = of_event(&scene);
        options.handle = pseudo[i];
        refused(&scene, &options, HBK_BAD_HANDLE);
    }
    unchanged(&scene);
    kit_peer_quiet(&scene.target);
    kit_raw_free(raw);
    end(&scene);
}

static void types_that_are_not_moved(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, true);
    for (int kind = KIT_KINDS; kind < KIT_ALL_KINDS; kind++) {
        assert_int_equal(kit_peer_do(&scene.source, KIT_OP_MAKE, (uint64_t)kind, 0, NULL) != 0, 0);
        hbk_transfer_options options = of_event(&scene);
        options.handle = (HANDLE)(uintptr_t)scene.source.reply.value;
        mark(&scene);
        refused(&scene, &options, HBK_TYPE_NOT_ALLOWED);
        options.target_pid = 0; /* nor pulled */
        refused(&scene, &options, HBK_TYPE_NOT_ALLOWED);
    }
    uint64_t file = make_there(&scene.source, KIT_FILE);
    mark(&scene);
    hbk_transfer_options options = of_event(&scene);
    options.type = "Socket";
    refused(&scene, &options, HBK_TYPE_NOT_ALLOWED);
    options.handle = (HANDLE)(uintptr_t)file;
    refused(&scene, &options, HBK_TYPE_NOT_ALLOWED);
    options.type = "Section";
    refused(&scene, &options, HBK_TYPE_MISMATCH);
    options.type = "NoSuchType";
    refused(&scene, &options, HBK_TYPE_MISMATCH);
    unchanged(&scene);
    kit_peer_quiet(&scene.target);
    end(&scene);
}

static void more_than_the_source_has(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, true);
    hbk_transfer_options options = of_event(&scene);
    options.access = EVENT_ALL_ACCESS | 0x8000u;
    refused(&scene, &options, HBK_ACCESS_EXCEEDS_SOURCE);
    options.access = EVENT_ALL_ACCESS | 0x10u;
    options.target_pid = 0;
    refused(&scene, &options, HBK_ACCESS_EXCEEDS_SOURCE);
    static const uint32_t masks[] = {GENERIC_WRITE, GENERIC_EXECUTE, GENERIC_ALL,
                                     0x02000000u,   0x01000000u,     GENERIC_READ | SYNCHRONIZE};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        options = of_event(&scene);
        options.access = masks[i];
        refused(&scene, &options, HBK_INVALID_ARGUMENT);
    }
    options = of_event(&scene);
    options.flags = HBK_ITEM_PROTECT; /* of another's handle it is not ours to say */
    refused(&scene, &options, HBK_INVALID_ARGUMENT);
    options.flags = HBK_ITEM_MOVE;
    refused(&scene, &options, HBK_INVALID_ARGUMENT);
    unchanged(&scene);
    kit_peer_quiet(&scene.target);
    end(&scene);
}

/* ---- hbctl ---- */

static struct kit_output output;

static void run(DWORD expected, const wchar_t *arguments)
{
    wchar_t reach[128] = L"";
    if (kit_broker()->pipe != NULL)
        (void)swprintf(reach, 128, L"--pipe %ls --unverified", kit_broker()->pipe);
    kit_run(&output, 3 * KIT_WAIT_MS, L"\"%ls\" %ls %ls", kit_tool(L"hbctl.exe"), arguments, reach);
    if (output.code != expected)
        fail_msg("hbctl %ls: exit code %lu\n%s\n%s", arguments, output.code, output.out,
                 output.err);
}

static void by_hbctl(void **state)
{
    (void)state;
    struct scene scene;
    wchar_t arguments[256];
    int64_t value = 0;
    begin(&scene, false);
    unsigned long source = scene.source.pid, target = scene.target.pid,
                  event = (unsigned long)scene.event;
    (void)swprintf(arguments, 256, L"transfer --from %lu --handle %lu --to %lu --json", source,
                   event, target);
    run(0, arguments);
    assert_true(kit_json_number(output.out, "handle", &value));
    assert_non_null(strstr(output.out, "\"notified\":false"));
    sets(&scene, &scene.target, (uint64_t)value);
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, (uint64_t)value, 0, NULL), 0);
    unchanged(&scene);
    (void)swprintf(arguments, 256, L"transfer --from %lu --handle 0x%lx --to %lu --access read",
                   source, event, target);
    run(0, arguments);
    assert_non_null(strstr(output.out, "Event with rights 0x"));
    assert_non_null(strstr(output.out, "it was not told"));
    (void)swprintf(arguments, 256, L"transfer --from %lu --handle %lu --to %lu", source, event + 1,
                   target);
    run(1, arguments);
    assert_non_null(strstr(output.err, "bad_handle"));
    (void)swprintf(arguments, 256, L"transfer --from 4 --handle %lu --to %lu", event, target);
    run(1, arguments);
    assert_non_null(strstr(output.err, "denied"));
    (void)swprintf(arguments, 256, L"transfer --from %lu --handle %lu --to user/test/nobody",
                   source, event);
    run(1, arguments);
    assert_non_null(strstr(output.err, "not_found"));
    /* A file is pulled, and its contents printed. */
    uint64_t file = make_there(&scene.source, KIT_FILE);
    (void)swprintf(arguments, 256, L"transfer --from %lu --handle %llu --print", source,
                   (unsigned long long)file);
    run(0, arguments);
    assert_non_null(strstr(output.out, KIT_BYTES));
    end(&scene);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(to_who_knows_of_nothing),
        KIT_TEST(to_who_has_a_session),
        KIT_TEST(pulled),
        KIT_TEST(pushed),
        KIT_TEST(to_a_name),
        KIT_TEST(inherited),
        KIT_TEST(each_kind),
        KIT_TEST(processes_that_take_no_part),
        KIT_TEST(values_that_are_no_handles_there),
        KIT_TEST(types_that_are_not_moved),
        KIT_TEST(more_than_the_source_has),
        KIT_TEST(by_hbctl),
    };
    return cmocka_run_group_tests_name("transfer", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
