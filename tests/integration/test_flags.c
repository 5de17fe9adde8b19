/* The flags of a handle and its rights, for every kind of object, by each way that it can go: sent to an endpoint, put
 * and got, transferred. What is looked at is what Windows says of the handle in the process that has it then. */
#include "line.h"
#include "store.h"

#include <stdio.h>
#include <string.h>

enum way { SENT, STORED, TRANSFERRED, WAYS };

static const char *const way_names[WAYS] = {"send", "store", "transfer"};

struct scene {
    struct kit_peer target;
    hbk_client *client;
    char name[64];
    struct kit_mark mark;
};

static void begin(struct scene *scene)
{
    scene->client = kit_client();
    (void)snprintf(scene->name, sizeof scene->name, "%s", kit_endpoint_name());
    kit_peer_listen(&scene->target, scene->name, 0);
    kit_mark(&scene->mark, scene->target.pid);
}

static hbk_result sent(struct scene *scene, HANDLE handle, uint32_t access, uint32_t flags,
                       uint64_t *ret_theirs)
{
    hbk_result result = kit_send(scene->client, scene->name, handle, access, flags, NULL);
    if (result != HBK_OK)
        return result;
    assert_int_equal(kit_peer_do(&scene->target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    *ret_theirs = scene->target.reply.items[0].handle;
    return HBK_OK;
}

static hbk_result stored(struct scene *scene, HANDLE handle, uint32_t access, uint32_t flags,
                         uint64_t *ret_theirs)
{
    hbk_result result = kit_put(scene->client, scene->name, handle, access, HBK_STORE_ONCE);
    if (result != HBK_OK)
        return result;
    result = (hbk_result)kit_peer_get(&scene->target, scene->name, HBK_ACCESS_SAME, flags);
    *ret_theirs = scene->target.reply.value;
    return result;
}

static hbk_result transferred(struct scene *scene, HANDLE handle, uint32_t access, uint32_t flags,
                              uint64_t *ret_theirs)
{
    hbk_transfer_options transfer = {.size = sizeof transfer, .handle = handle, .access = access};
    hbk_transferred made;
    transfer.source_pid = GetCurrentProcessId();
    transfer.target_pid = scene->target.pid;
    transfer.flags = flags;
    hbk_result result = hbk_transfer(scene->client, &transfer, &made, NULL);
    if (result != HBK_OK)
        return result;
    assert_true(made.notified);
    *ret_theirs = (uint64_t)(uintptr_t)made.handle;
    assert_int_equal(kit_peer_do(&scene->target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    assert_true(scene->target.reply.items[0].handle == *ret_theirs);
    return HBK_OK;
}

typedef hbk_result (*way_function)(struct scene *scene, HANDLE handle, uint32_t access,
                                   uint32_t flags, uint64_t *ret_theirs);
static const way_function ways[WAYS] = {
    [SENT] = sent, [STORED] = stored, [TRANSFERRED] = transferred};

static uint64_t given(struct scene *scene, enum way way, HANDLE handle, uint32_t access,
                      uint32_t flags)
{
    uint64_t theirs = 0;
    hbk_result result = ways[way](scene, handle, access, flags, &theirs);
    if (result != HBK_OK)
        fail_msg("%s, access 0x%lx, flags %lu: %s", way_names[way], (unsigned long)access,
                 (unsigned long)flags, hbk_result_word(result));
    assert_true(kit_holds(scene->target.pid, theirs));
    return theirs;
}

/* It has it no more. What came in a delivery is closed with that. */
static void taken_back(struct scene *scene, enum way way, uint64_t theirs)
{
    if (way == STORED)
        kit_peer_closes(&scene->target, theirs);
    else
        assert_int_equal(kit_peer_do(&scene->target, KIT_OP_FREE, 0, 0, NULL), 0);
}

static uint64_t flags_of(struct scene *scene, uint64_t theirs)
{
    assert_int_equal(kit_peer_do(&scene->target, KIT_OP_FLAGS, theirs, 0, NULL), 0);
    return scene->target.reply.value;
}

static uint32_t access_of(struct scene *scene, uint64_t theirs)
{
    assert_int_equal(kit_peer_do(&scene->target, KIT_OP_ACCESS, theirs, 0, NULL), 0);
    return (uint32_t)scene->target.reply.value;
}

/* ---- inherit, and the twin without ---- */

static void inherit(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    for (int way = 0; way < WAYS; way++) {
        for (int kind = 0; kind < KIT_KINDS; kind++) {
            HANDLE mine = kit_make((enum kit_kind)kind);
            uint64_t theirs = given(&scene, (enum way)way, mine, HBK_ACCESS_SAME, HBK_ITEM_INHERIT);
            assert_int_equal(flags_of(&scene, theirs), HANDLE_FLAG_INHERIT);
            assert_int_equal(access_of(&scene, theirs), kit_access(mine));
            taken_back(&scene, (enum way)way, theirs);
            /* Ours being inheritable does not make theirs so. */
            assert_true(SetHandleInformation(mine, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
            theirs = given(&scene, (enum way)way, mine, HBK_ACCESS_SAME, 0);
            assert_int_equal(flags_of(&scene, theirs), 0);
            taken_back(&scene, (enum way)way, theirs);
            kit_unmake((enum kit_kind)kind, mine);
        }
        kit_unchanged(&scene.mark);
    }
}

static void children_inherit(void **state)
{
    (void)state;
    struct scene scene;
    HANDLE event = kit_make(KIT_EVENT);
    begin(&scene);
    for (int way = 0; way < WAYS; way++) {
        uint64_t theirs = given(&scene, (enum way)way, event, HBK_ACCESS_SAME, HBK_ITEM_INHERIT);
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_CHILD_SETS, theirs, 0, NULL), 0);
        assert_true(kit_is_set(event));
        assert_true(ResetEvent(event));
        taken_back(&scene, (enum way)way, theirs);
        theirs = given(&scene, (enum way)way, event, HBK_ACCESS_SAME, 0);
        kit_peer_do(&scene.target, KIT_OP_CHILD_SETS, theirs, 0,
                    NULL); /* it has none, or another's */
        assert_false(kit_is_set(event));
        taken_back(&scene, (enum way)way, theirs);
    }
    kit_unchanged(&scene.mark);
    CloseHandle(event);
}

/* In a process that has no library, and never heard of the broker; and in one that only reads what it is told. */
static void inherit_by_the_broker_itself(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    struct kit_raw *raw = kit_raw_proven();
    HANDLE event = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name();
    hbk_transferred made;
    kit_peer_start(&target);
    assert_int_equal(kit_put(client, name, event, 0, 0), HBK_OK);
    kit_mark(&mark, target.pid);
    for (uint32_t wanted = 0; wanted < 2; wanted++) {
        const uint32_t expected = wanted ? HANDLE_FLAG_INHERIT : 0;
        int64_t value = 0;
        DWORD flags = 0xFF;
        hbk_transfer_options transfer = {.size = sizeof transfer, .handle = event};
        transfer.source_pid = GetCurrentProcessId();
        transfer.target_pid = target.pid;
        transfer.flags = wanted ? HBK_ITEM_INHERIT : 0;
        assert_int_equal(hbk_transfer(client, &transfer, &made, NULL), HBK_OK);
        assert_false(made.notified);
        uint64_t theirs = (uint64_t)(uintptr_t)made.handle;
        assert_int_equal(kit_peer_do(&target, KIT_OP_FLAGS, theirs, 0, NULL), 0);
        assert_int_equal(target.reply.value, expected);
        kit_peer_do(&target, KIT_OP_CHILD_SETS, theirs, 0, NULL);
        assert_int_equal(kit_is_set(event), wanted);
        kit_peer_closes(&target, theirs);
        kit_raw_ask(raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"store.get\",\"params\":"
                    "{\"name\":\"%s\",\"inherit\":%s}}",
                    name, wanted ? "true" : "false");
        assert_true(kit_json_number(raw->line, "handle", &value));
        assert_true(GetHandleInformation((HANDLE)(uintptr_t)value, &flags));
        assert_int_equal(flags, expected);
        CloseHandle((HANDLE)(uintptr_t)value);
        kit_unchanged(&mark);
    }
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    CloseHandle(event);
}

/* ---- protect from close ---- */

/* Where the target's own library sets it. A transfer to another process cannot. */
static void protect(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    for (int way = SENT; way <= STORED; way++) {
        for (int kind = 0; kind < KIT_KINDS; kind++) {
            HANDLE mine = kit_make((enum kit_kind)kind);
            uint64_t theirs = given(&scene, (enum way)way, mine, HBK_ACCESS_SAME,
                                    HBK_ITEM_PROTECT | HBK_ITEM_INHERIT);
            assert_int_equal(flags_of(&scene, theirs),
                             HANDLE_FLAG_PROTECT_FROM_CLOSE | HANDLE_FLAG_INHERIT);
            assert_int_not_equal(kit_peer_do(&scene.target, KIT_OP_CLOSE_HANDLE, theirs, 0, NULL),
                                 0);
            assert_true(kit_holds(scene.target.pid, theirs));
            kit_use(&scene.target, (enum kit_kind)kind, mine, theirs);
            assert_int_equal(kit_peer_do(&scene.target, KIT_OP_UNPROTECT, theirs, 0, NULL), 0);
            taken_back(&scene, (enum way)way, theirs);
            kit_unmake((enum kit_kind)kind, mine);
        }
        kit_unchanged(&scene.mark);
    }
}

static void protect_in_another_process(void **state)
{
    (void)state;
    struct scene scene;
    uint64_t theirs = 0;
    HANDLE event = kit_make(KIT_EVENT);
    begin(&scene);
    for (uint32_t flags = HBK_ITEM_PROTECT; flags <= (HBK_ITEM_PROTECT | HBK_ITEM_INHERIT); flags++)
        KIT_REFUSED(&scene.mark, HBK_INVALID_ARGUMENT,
                    transferred(&scene, event, HBK_ACCESS_SAME, flags, &theirs));
    kit_peer_quiet(&scene.target);
    CloseHandle(event);
}

/* To ourselves it can: pulled out of another process, and got. Freeing clears what we asked for. */
static void protect_here(void **state)
{
    (void)state;
    struct kit_peer source;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    hbk_transferred made;
    hbk_taken *taken = NULL;
    DWORD flags = 0;
    kit_peer_start(&source); /* it knows nothing of a broker */
    uint64_t theirs = kit_line_make(&source, KIT_EVENT);
    hbk_transfer_options pull = {.size = sizeof pull, .source_pid = source.pid};
    pull.handle = (HANDLE)(uintptr_t)theirs;
    pull.flags = HBK_ITEM_PROTECT | HBK_ITEM_INHERIT;
    kit_mark(&mark, GetCurrentProcessId());
    assert_int_equal(hbk_transfer(client, &pull, &made, NULL), HBK_OK);
    assert_true(GetHandleInformation(made.handle, &flags));
    assert_int_equal(flags, HANDLE_FLAG_PROTECT_FROM_CLOSE | HANDLE_FLAG_INHERIT);
    assert_true(SetEvent(made.handle));
    assert_int_equal(kit_peer_do(&source, KIT_OP_WAIT, theirs, 0, NULL), WAIT_OBJECT_0);
    const char *name = kit_endpoint_name();
    assert_int_equal(kit_put(client, name, made.handle, 0, HBK_STORE_ONCE), HBK_OK);
    assert_true(SetHandleInformation(made.handle, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0));
    CloseHandle(made.handle);
    hbk_store_get_options get = {.size = sizeof get, .name = name, .flags = HBK_ITEM_PROTECT};
    assert_int_equal(hbk_store_get(client, &get, &taken, NULL), HBK_OK);
    assert_true(GetHandleInformation(taken->handle, &flags));
    assert_int_equal(flags, HANDLE_FLAG_PROTECT_FROM_CLOSE);
    hbk_taken_free(taken);
    kit_unchanged(&mark);
}

/* A handle that is protected where it comes from is handed over all the same, and stays. */
static void protected_at_the_source(void **state)
{
    (void)state;
    struct scene scene;
    HANDLE event = kit_make(KIT_EVENT);
    DWORD flags = 0;
    assert_true(SetHandleInformation(event, HANDLE_FLAG_PROTECT_FROM_CLOSE,
                                     HANDLE_FLAG_PROTECT_FROM_CLOSE));
    begin(&scene);
    for (int way = 0; way < WAYS; way++) {
        uint64_t theirs = given(&scene, (enum way)way, event, HBK_ACCESS_SAME, 0);
        assert_int_equal(flags_of(&scene, theirs), 0);
        taken_back(&scene, (enum way)way, theirs);
        assert_true(GetHandleInformation(event, &flags));
        assert_int_equal(flags, HANDLE_FLAG_PROTECT_FROM_CLOSE);
    }
    kit_unchanged(&scene.mark);
    assert_true(SetHandleInformation(event, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0));
    CloseHandle(event);
}

/* ---- rights ---- */

struct rights {
    enum kit_kind kind;
    uint32_t read;     /* what reading is, of a handle that has everything */
    uint32_t mask;     /* some rights … */
    uint32_t beyond;   /* … and one that a handle with those does not have */
    enum kit_op fails; /* what cannot be done by reading alone; KIT_OP_OWN: nothing */
};

static const struct rights rows[] = {
    {KIT_EVENT, 0x120001, SYNCHRONIZE, EVENT_MODIFY_STATE, KIT_OP_SET_EVENT},
    {KIT_MUTEX, 0x120001, SYNCHRONIZE, READ_CONTROL, KIT_OP_OWN},
    {KIT_SEMAPHORE, 0x120001, SYNCHRONIZE, SEMAPHORE_MODIFY_STATE, KIT_OP_RELEASE_SEMAPHORE},
    {KIT_TIMER, 0x120001, SYNCHRONIZE, TIMER_MODIFY_STATE, KIT_OP_SET_TIMER},
    {KIT_SECTION, 0x20005, SECTION_MAP_READ, SECTION_MAP_WRITE, KIT_OP_MAP_WRITE},
    {KIT_FILE, 0x120089, FILE_READ_DATA | SYNCHRONIZE, FILE_WRITE_DATA, KIT_OP_WRITE},
};

static HANDLE reduced(HANDLE whole, uint32_t access)
{
    HANDLE handle = NULL;
    assert_true(DuplicateHandle(GetCurrentProcess(), whole, GetCurrentProcess(), &handle, access,
                                FALSE, 0));
    return handle;
}

static void read_rights(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    for (int way = 0; way < WAYS; way++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            HANDLE mine = kit_make(rows[i].kind);
            uint64_t theirs = given(&scene, (enum way)way, mine, HBK_ACCESS_READ, 0);
            assert_int_equal(access_of(&scene, theirs), rows[i].read & kit_access(mine));
            if (rows[i].fails != KIT_OP_OWN)
                assert_int_equal(kit_peer_do(&scene.target, rows[i].fails, theirs, 1, "x"),
                                 ERROR_ACCESS_DENIED);
            taken_back(&scene, (enum way)way, theirs);
            kit_unmake(rows[i].kind, mine);
        }
        kit_unchanged(&scene.mark);
    }
}

static void masks(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    for (int way = 0; way < WAYS; way++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            HANDLE mine = kit_make(rows[i].kind);
            uint32_t both = rows[i].mask | rows[i].beyond;
            uint64_t theirs = given(&scene, (enum way)way, mine, both, 0);
            assert_int_equal(access_of(&scene, theirs), both);
            taken_back(&scene, (enum way)way, theirs);
            theirs = given(&scene, (enum way)way, mine, rows[i].mask, HBK_ITEM_INHERIT);
            assert_int_equal(access_of(&scene, theirs), rows[i].mask);
            assert_int_equal(flags_of(&scene, theirs), HANDLE_FLAG_INHERIT);
            taken_back(&scene, (enum way)way, theirs);
            kit_unmake(rows[i].kind, mine);
        }
        kit_unchanged(&scene.mark);
    }
}

/* The twin: of a handle with the mask's rights alone nobody gets one more. */
static void masks_that_are_not_held(void **state)
{
    (void)state;
    struct scene scene;
    uint64_t theirs = 0;
    begin(&scene);
    for (int way = 0; way < WAYS; way++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            HANDLE whole = kit_make(rows[i].kind), mine = reduced(whole, rows[i].mask);
            uint32_t both = rows[i].mask | rows[i].beyond;
            KIT_REFUSED(&scene.mark, HBK_ACCESS_EXCEEDS_SOURCE,
                        ways[way](&scene, mine, both, HBK_ITEM_INHERIT, &theirs));
            assert_int_equal(kit_access(mine), rows[i].mask);
            CloseHandle(mine);
            kit_unmake(rows[i].kind, whole);
        }
    }
    kit_peer_quiet(&scene.target);
}

/* Rights that no mask may name, by each way. */
static void masks_that_cannot_be_said(void **state)
{
    (void)state;
    static const uint32_t bad[] = {
        GENERIC_WRITE,   GENERIC_EXECUTE,        GENERIC_ALL,
        MAXIMUM_ALLOWED, ACCESS_SYSTEM_SECURITY, GENERIC_READ | SYNCHRONIZE};
    struct scene scene;
    uint64_t theirs = 0;
    HANDLE event = kit_make(KIT_EVENT);
    begin(&scene);
    for (int way = 0; way < WAYS; way++) {
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            KIT_REFUSED(&scene.mark, HBK_INVALID_ARGUMENT,
                        ways[way](&scene, event, bad[i], 0, &theirs));
    }
    kit_peer_quiet(&scene.target);
    CloseHandle(event);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(inherit),
        KIT_TEST(children_inherit),
        KIT_TEST(inherit_by_the_broker_itself),
        KIT_TEST(protect),
        KIT_TEST(protect_in_another_process),
        KIT_TEST(protect_here),
        KIT_TEST(protected_at_the_source),
        KIT_TEST(read_rights),
        KIT_TEST(masks),
        KIT_TEST(masks_that_are_not_held),
        KIT_TEST(masks_that_cannot_be_said),
    };
    return cmocka_run_group_tests_name("flags", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
