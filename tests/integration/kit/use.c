/* Each kind of object that is handed over by default, used in the other process: what was done there is seen here,
 * where it came from. */
#include "kit.h"

static void use_event(struct kit_peer *target, HANDLE mine, uint64_t theirs)
{
    assert_false(kit_is_set(mine));
    assert_int_equal(kit_peer_do(target, KIT_OP_SET_EVENT, theirs, 0, NULL), 0);
    assert_true(kit_is_set(mine));
}

static void use_mutex(struct kit_peer *target, HANDLE mine, uint64_t theirs)
{
    assert_int_equal(kit_peer_do(target, KIT_OP_WAIT, theirs, 0, NULL), WAIT_OBJECT_0);
    assert_false(kit_is_set(mine)); /* the target owns it now */
    assert_int_equal(kit_peer_do(target, KIT_OP_RELEASE_MUTEX, theirs, 0, NULL), 0);
    assert_true(kit_is_set(mine));
    assert_true(ReleaseMutex(mine));
}

static void use_semaphore(struct kit_peer *target, HANDLE mine, uint64_t theirs)
{
    assert_false(kit_is_set(mine));
    assert_int_equal(kit_peer_do(target, KIT_OP_RELEASE_SEMAPHORE, theirs, 2, NULL), 0);
    assert_true(kit_is_set(mine));
    assert_true(kit_is_set(mine));
    assert_false(kit_is_set(mine)); /* two, and no more */
}

static void use_timer(struct kit_peer *target, HANDLE mine, uint64_t theirs)
{
    assert_false(kit_is_set(mine));
    assert_int_equal(kit_peer_do(target, KIT_OP_SET_TIMER, theirs, 0, NULL), 0);
    assert_int_equal(WaitForSingleObject(mine, KIT_WAIT_MS), WAIT_OBJECT_0);
}

static void use_section(struct kit_peer *target, HANDLE mine, uint64_t theirs)
{
    assert_int_equal(kit_peer_do(target, KIT_OP_MAP_READ, theirs, 0, NULL), 0);
    assert_string_equal(target->reply.text, KIT_BYTES);
    assert_int_equal(kit_peer_do(target, KIT_OP_MAP_WRITE, theirs, 0, "from the target"), 0);
    const char *view = MapViewOfFile(mine, FILE_MAP_READ, 0, 0, 0);
    assert_non_null(view);
    assert_string_equal(view, "from the target");
    UnmapViewOfFile(view);
}

static void use_file(struct kit_peer *target, HANDLE mine, uint64_t theirs)
{
    char text[64] = "";
    DWORD size = 0;
    assert_int_equal(kit_peer_do(target, KIT_OP_READ, theirs, KIT_BYTES_SIZE, NULL), 0);
    assert_string_equal(target->reply.text, KIT_BYTES);
    assert_int_equal(kit_peer_do(target, KIT_OP_WRITE, theirs, 0, " and more"), 0);
    /* One file object, one position: it has moved here too. */
    assert_int_equal(SetFilePointer(mine, 0, NULL, FILE_CURRENT), KIT_BYTES_SIZE + 9);
    assert_int_equal(SetFilePointer(mine, 0, NULL, FILE_BEGIN), 0);
    assert_true(ReadFile(mine, text, sizeof text - 1, &size, NULL));
    assert_string_equal(text, KIT_BYTES " and more");
}

static void use_pipe(struct kit_peer *target, HANDLE mine, uint64_t theirs)
{
    char text[64] = "";
    DWORD size = 0;
    assert_int_equal(kit_peer_do(target, KIT_OP_WRITE, theirs, 0, "through the pipe"), 0);
    assert_true(ReadFile(kit_pipe_reader(mine), text, sizeof text - 1, &size, NULL));
    assert_string_equal(text, "through the pipe");
}

typedef void (*use_function)(struct kit_peer *target, HANDLE mine, uint64_t theirs);

static const use_function uses[KIT_KINDS] = {
    [KIT_EVENT] = use_event, [KIT_MUTEX] = use_mutex,     [KIT_SEMAPHORE] = use_semaphore,
    [KIT_TIMER] = use_timer, [KIT_SECTION] = use_section, [KIT_FILE] = use_file,
    [KIT_PIPE] = use_pipe,
};

void kit_use(struct kit_peer *target, enum kit_kind kind, HANDLE mine, uint64_t theirs)
{
    uses[kind](target, mine, theirs);
}
