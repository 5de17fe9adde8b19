/* Every kind of object that is handed over by default: the target uses it, and what it did is seen here,
 * where it came from. Then what reduced rights keep the target from doing. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

/* ---- whole rights ---- */

static void check_item(const struct kit_peer *target, size_t index, enum kit_kind kind, HANDLE mine)
{
    const struct kit_item *item = &target->reply.items[index];
    assert_string_equal(item->type, kit_type(kind));
    assert_int_equal(item->access, kit_access(mine));
    assert_int_equal(item->flags, 0);
    assert_true(item->handle != 0 && item->handle % 4 == 0);
    assert_true(kit_holds(target->pid, item->handle));
}

static void one_of_each_kind(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    kit_peer_listen(&target, name, 0);
    kit_mark(&mark, target.pid);
    for (int kind = 0; kind < KIT_KINDS; kind++) {
        HANDLE mine = kit_make((enum kit_kind)kind);
        assert_non_null(mine);
        assert_int_equal(kit_send(client, name, mine, HBK_ACCESS_SAME, 0, NULL), HBK_OK);
        assert_int_equal(kit_peer_do(&target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
        assert_int_equal(target.reply.count, 1);
        assert_int_equal(target.reply.from_pid, GetCurrentProcessId());
        assert_string_equal(target.reply.name, name);
        assert_int_equal(target.reply.offered, 0);
        check_item(&target, 0, (enum kit_kind)kind, mine);
        kit_use(&target, (enum kit_kind)kind, mine, target.reply.items[0].handle);
        assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
        kit_unmake((enum kit_kind)kind, mine);
        kit_unchanged(&mark);
    }
}

static void all_kinds_in_one_send(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    HANDLE mine[KIT_KINDS];
    hbk_send_item items[KIT_KINDS];
    uint64_t theirs[KIT_KINDS];
    hbk_receipt receipt;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    kit_peer_listen(&target, name, 0);
    memset(items, 0, sizeof items);
    for (int kind = 0; kind < KIT_KINDS; kind++) {
        items[kind].handle = mine[kind] = kit_make((enum kit_kind)kind);
        items[kind].type = kit_type((enum kit_kind)kind);
    }
    kit_mark(&mark, target.pid);
    hbk_send_options send = {.size = sizeof send, .to = name, .items = items, .count = KIT_KINDS};
    send.data = "seven \"things\" \\ \t and \xc3\xa4";
    assert_int_equal(hbk_send(client, &send, &receipt, NULL), HBK_OK);
    assert_int_equal(kit_peer_do(&target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    assert_string_equal(target.reply.text, send.data);
    assert_int_equal(target.reply.count, KIT_KINDS);
    assert_int_equal(receipt.count, KIT_KINDS);
    assert_true(receipt.delivery == target.reply.delivery && receipt.delivery != 0);
    for (int kind = 0; kind < KIT_KINDS; kind++) {
        check_item(&target, (size_t)kind, (enum kit_kind)kind, mine[kind]);
        assert_string_equal(receipt.items[kind].type, kit_type((enum kit_kind)kind));
        assert_int_equal(receipt.items[kind].access, kit_access(mine[kind]));
        theirs[kind] = target.reply.items[kind].handle;
    }
    for (int kind = 0; kind < KIT_KINDS; kind++)
        kit_use(&target, (enum kit_kind)kind, mine[kind], theirs[kind]);
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_unchanged(&mark);
    for (int kind = 0; kind < KIT_KINDS; kind++)
        kit_unmake((enum kit_kind)kind, mine[kind]);
}

static void to_nobody(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    const char *name = kit_endpoint_name(), *other = kit_endpoint_name();
    hbk_client *client = kit_client();
    kit_peer_listen(&target, name, 0);
    for (int kind = 0; kind < KIT_KINDS; kind++) {
        HANDLE mine = kit_make((enum kit_kind)kind);
        kit_mark(&mark, target.pid);
        KIT_REFUSED(&mark, HBK_NOT_FOUND, kit_send(client, other, mine, HBK_ACCESS_SAME, 0, NULL));
        kit_unmake((enum kit_kind)kind, mine);
    }
    kit_peer_quiet(&target);
}

/* ---- fewer rights ---- */

/* Sends @kind with @access, and leaves the delivery in the target's hand. Return: its handle there. */
static uint64_t send_reduced(struct kit_peer *target, hbk_client *client, const char *name,
                             HANDLE mine, uint32_t access, uint32_t expected)
{
    assert_int_equal(kit_send(client, name, mine, access, 0, NULL), HBK_OK);
    assert_int_equal(kit_peer_do(target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    assert_int_equal(target->reply.items[0].access, expected);
    return target->reply.items[0].handle;
}

struct reduction {
    enum kit_kind kind;
    uint32_t access;
    uint32_t expected; /* granted, and so told */
    enum kit_op works;
    enum kit_op fails;
};

static const struct reduction reductions[] = {
    {KIT_EVENT, HBK_ACCESS_READ, 0x120001, KIT_OP_FLAGS, KIT_OP_SET_EVENT},
    {KIT_EVENT, EVENT_MODIFY_STATE, EVENT_MODIFY_STATE, KIT_OP_SET_EVENT, KIT_OP_WAIT},
    {KIT_MUTEX, READ_CONTROL, READ_CONTROL, KIT_OP_FLAGS, KIT_OP_WAIT},
    {KIT_SEMAPHORE, HBK_ACCESS_READ, 0x120001, KIT_OP_FLAGS, KIT_OP_RELEASE_SEMAPHORE},
    {KIT_SEMAPHORE, SEMAPHORE_MODIFY_STATE, SEMAPHORE_MODIFY_STATE, KIT_OP_RELEASE_SEMAPHORE,
     KIT_OP_WAIT},
    {KIT_TIMER, HBK_ACCESS_READ, 0x120001, KIT_OP_FLAGS, KIT_OP_SET_TIMER},
    {KIT_TIMER, TIMER_MODIFY_STATE, TIMER_MODIFY_STATE, KIT_OP_SET_TIMER, KIT_OP_WAIT},
    {KIT_SECTION, HBK_ACCESS_READ, 0x20005, KIT_OP_MAP_READ, KIT_OP_MAP_WRITE},
    {KIT_SECTION, SECTION_MAP_READ, SECTION_MAP_READ, KIT_OP_MAP_READ, KIT_OP_MAP_WRITE},
    {KIT_FILE, HBK_ACCESS_READ, 0x120089, KIT_OP_READ, KIT_OP_WRITE},
    {KIT_FILE, FILE_READ_DATA, FILE_READ_DATA, KIT_OP_READ, KIT_OP_WRITE},
    {KIT_FILE, FILE_WRITE_DATA, FILE_WRITE_DATA, KIT_OP_WRITE, KIT_OP_READ},
};

static void reduced_rights_hold(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    kit_peer_listen(&target, name, 0);
    kit_mark(&mark, target.pid);
    for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++) {
        const struct reduction *row = &reductions[i];
        HANDLE mine = kit_make(row->kind);
        uint64_t theirs = send_reduced(&target, client, name, mine, row->access, row->expected);
        if (kit_peer_do(&target, row->works, theirs, 1, "w") != 0)
            fail_msg("row %lu: what was granted does not work: error %lu", (unsigned long)i,
                     (unsigned long)target.reply.win32);
        int error = kit_peer_do(&target, row->fails, theirs, 1, "w");
        if (error != ERROR_ACCESS_DENIED)
            fail_msg("row %lu: what was not granted gives %d", (unsigned long)i, error);
        assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
        kit_unmake(row->kind, mine);
    }
    kit_unchanged(&mark);
}

/* The words that tell the section that it was handed cannot be changed through it, however it is tried. */
static void read_only_section(void **state)
{
    (void)state;
    struct kit_peer target;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    HANDLE mine = kit_make(KIT_SECTION);
    kit_peer_listen(&target, name, 0);
    uint64_t theirs = send_reduced(&target, client, name, mine, HBK_ACCESS_READ, 0x20005);
    assert_int_equal(kit_peer_do(&target, KIT_OP_MAP_READ, theirs, 0, NULL), 0);
    assert_string_equal(target.reply.text, KIT_BYTES);
    assert_int_equal(kit_peer_do(&target, KIT_OP_MAP_WRITE, theirs, 0, "overwritten"),
                     ERROR_ACCESS_DENIED);
    const char *view = MapViewOfFile(mine, FILE_MAP_READ, 0, 0, 0);
    assert_non_null(view);
    assert_memory_equal(view, KIT_BYTES, KIT_BYTES_SIZE);
    UnmapViewOfFile(view);
    kit_unmake(KIT_SECTION, mine);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(one_of_each_kind),    KIT_TEST(all_kinds_in_one_send), KIT_TEST(to_nobody),
        KIT_TEST(reduced_rights_hold), KIT_TEST(read_only_section),
    };
    return cmocka_run_group_tests_name("objects", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
