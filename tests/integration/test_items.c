/* What can be said of an item, and how many there may be: inherit, protect, move, the expected type;
 * 64 at once, all or none; and what an endpoint does not take. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

/* A target that listens at *ret_name, a sender, and a mark of both. */
static hbk_client *begin(struct kit_peer *target, const char **ret_name, struct kit_mark *mark)
{
    hbk_client *client = kit_client();
    *ret_name = kit_endpoint_name();
    kit_peer_listen(target, *ret_name, 0);
    kit_mark(mark, target->pid);
    return client;
}

static void receive(struct kit_peer *target, uint32_t count)
{
    assert_int_equal(kit_peer_do(target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    assert_int_equal(target->reply.count, count);
}

/* ---- flags ---- */

static void inherited_by_the_targets_child(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    const char *name;
    hbk_client *client = begin(&target, &name, &mark);
    HANDLE event = kit_make(KIT_EVENT);
    assert_int_equal(kit_send(client, name, event, HBK_ACCESS_SAME, HBK_ITEM_INHERIT, NULL),
                     HBK_OK);
    receive(&target, 1);
    assert_int_equal(target.reply.items[0].flags, HBK_ITEM_INHERIT);
    uint64_t value = target.reply.items[0].handle;
    assert_int_equal(kit_peer_do(&target, KIT_OP_FLAGS, value, 0, NULL), 0);
    assert_int_equal(target.reply.value, HANDLE_FLAG_INHERIT);
    assert_int_equal(kit_peer_do(&target, KIT_OP_CHILD_SETS, value, 0, NULL), 0);
    assert_true(kit_is_set(event));
    /* The twin: without the flag the same child cannot. */
    assert_true(ResetEvent(event));
    assert_int_equal(kit_send(client, name, event, HBK_ACCESS_SAME, 0, NULL), HBK_OK);
    receive(&target, 1); /* frees the delivery before */
    value = target.reply.items[0].handle;
    assert_int_equal(kit_peer_do(&target, KIT_OP_FLAGS, value, 0, NULL), 0);
    assert_int_equal(target.reply.value, 0);
    kit_peer_do(&target, KIT_OP_CHILD_SETS, value, 0,
                NULL); /* may be something else there, or nothing */
    assert_false(kit_is_set(event));
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_unchanged(&mark);
    CloseHandle(event);
}

static void protected_from_close(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    const char *name;
    hbk_client *client = begin(&target, &name, &mark);
    HANDLE event = kit_make(KIT_EVENT);
    assert_int_equal(kit_send(client, name, event, HBK_ACCESS_SAME, HBK_ITEM_PROTECT, NULL),
                     HBK_OK);
    receive(&target, 1);
    assert_int_equal(target.reply.items[0].flags, HBK_ITEM_PROTECT);
    uint64_t value = target.reply.items[0].handle;
    assert_int_equal(kit_peer_do(&target, KIT_OP_FLAGS, value, 0, NULL), 0);
    assert_int_equal(target.reply.value, HANDLE_FLAG_PROTECT_FROM_CLOSE);
    assert_int_not_equal(kit_peer_do(&target, KIT_OP_CLOSE_HANDLE, value, 0, NULL), 0);
    assert_int_equal(kit_peer_do(&target, KIT_OP_SET_EVENT, value, 0, NULL), 0);
    assert_true(kit_is_set(event));
    assert_int_equal(kit_peer_do(&target, KIT_OP_UNPROTECT, value, 0, NULL), 0);
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_unchanged(&mark);
    CloseHandle(event);
}

static bool is_open(HANDLE handle)
{
    DWORD flags;
    return GetHandleInformation(handle, &flags);
}

static void moved(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    const char *name;
    hbk_client *client = begin(&target, &name, &mark);
    HANDLE event = kit_make(KIT_EVENT), kept = NULL;
    assert_true(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &kept, 0, FALSE,
                                DUPLICATE_SAME_ACCESS));
    /* The twin first: a move that fails leaves ours open. */
    KIT_REFUSED(&mark, HBK_NOT_FOUND,
                kit_send(client, "user/test/nobody", event, HBK_ACCESS_SAME, HBK_ITEM_MOVE, NULL));
    assert_true(is_open(event));
    assert_int_equal(kit_send(client, name, event, HBK_ACCESS_SAME, HBK_ITEM_MOVE, NULL), HBK_OK);
    assert_false(is_open(event));
    receive(&target, 1);
    assert_int_equal(kit_peer_do(&target, KIT_OP_SET_EVENT, target.reply.items[0].handle, 0, NULL),
                     0);
    assert_true(kit_is_set(kept));
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_unchanged(&mark);
    CloseHandle(kept);
}

/* ---- many ---- */

static void make_events(HANDLE *ret_events, hbk_send_item *ret_items, size_t count)
{
    memset(ret_items, 0, count * sizeof *ret_items);
    for (size_t i = 0; i < count; i++)
        ret_items[i].handle = ret_events[i] = kit_make(KIT_EVENT);
}

static void close_events(HANDLE *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CloseHandle(events[i]);
}

static hbk_result send_items(hbk_client *client, const char *name, const hbk_send_item *items,
                             size_t count, hbk_error_info *ret_error)
{
    hbk_send_options send = {.size = sizeof send, .to = name, .items = items, .count = count};
    return hbk_send(client, &send, NULL, ret_error);
}

static void sixty_four(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    const char *name;
    HANDLE events[HBK_ITEMS_MAX];
    hbk_send_item items[HBK_ITEMS_MAX + 1];
    uint64_t values[HBK_ITEMS_MAX];
    hbk_client *client = begin(&target, &name, &mark);
    make_events(events, items, HBK_ITEMS_MAX);
    assert_int_equal(send_items(client, name, items, HBK_ITEMS_MAX, NULL), HBK_OK);
    receive(&target, HBK_ITEMS_MAX);
    for (size_t i = 0; i < HBK_ITEMS_MAX; i++)
        values[i] = target.reply.items[i].handle;
    /* Each is the one that it says: one is set, and no other. */
    for (size_t i = 0; i < HBK_ITEMS_MAX; i++) {
        assert_false(kit_is_set(events[i]));
        assert_int_equal(kit_peer_do(&target, KIT_OP_SET_EVENT, values[i], 0, NULL), 0);
        assert_true(kit_is_set(events[i]));
    }
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_unchanged(&mark);
    items[HBK_ITEMS_MAX] = items[0];
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT,
                send_items(client, name, items, HBK_ITEMS_MAX + 1, NULL));
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, send_items(client, name, items, 0, NULL));
    kit_peer_quiet(&target);
    close_events(events, HBK_ITEMS_MAX);
}

static void one_bad_among_64(void **state)
{
    (void)state;
    static const size_t places[] = {0, 31, 63};
    struct kit_peer target;
    struct kit_mark mark;
    const char *name;
    HANDLE events[HBK_ITEMS_MAX];
    hbk_send_item items[HBK_ITEMS_MAX];
    hbk_client *client = begin(&target, &name, &mark);
    make_events(events, items, HBK_ITEMS_MAX);
    HANDLE iocp = kit_make(KIT_IOCP), weak = NULL;
    assert_true(DuplicateHandle(GetCurrentProcess(), events[0], GetCurrentProcess(), &weak,
                                SYNCHRONIZE, FALSE, 0));
    HANDLE closed = kit_closed();
    const struct {
        hbk_send_item item;
        hbk_result expected;
    } bad[] = {
        {{.handle = closed}, HBK_BAD_HANDLE},
        {{.handle = iocp}, HBK_TYPE_NOT_ALLOWED},
        {{.handle = events[1], .type = "Mutant"}, HBK_TYPE_MISMATCH},
        {{.handle = weak, .access = EVENT_MODIFY_STATE}, HBK_ACCESS_EXCEEDS_SOURCE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
            hbk_error_info error = {.item = -1};
            hbk_send_item good = items[places[k]];
            items[places[k]] = bad[i].item;
            KIT_REFUSED(&mark, bad[i].expected,
                        send_items(client, name, items, HBK_ITEMS_MAX, &error));
            assert_int_equal(error.item, places[k]);
            items[places[k]] = good;
        }
    }
    kit_peer_quiet(&target);
    CloseHandle(weak);
    CloseHandle(iocp);
    close_events(events, HBK_ITEMS_MAX);
}

/* ---- what the endpoint agreed to ---- */

static void listen_for(struct kit_peer *target, const char *name, const char *type, uint32_t access,
                       uint32_t items_max)
{
    kit_peer_open(target);
    (void)snprintf(target->call.name, sizeof target->call.name, "%s", name);
    (void)snprintf(target->call.items[0].type, sizeof target->call.items[0].type, "%s", type);
    target->call.items[0].access = access;
    target->call.count = 1;
    assert_int_equal(kit_peer_do(target, KIT_OP_ENDPOINT, 0, items_max, NULL), HBK_OK);
}

static void endpoint_for_reading_sections(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    HANDLE section = kit_make(KIT_SECTION), event = kit_make(KIT_EVENT);
    listen_for(&target, name, "Section", HBK_ACCESS_READ, 0);
    kit_mark(&mark, target.pid);
    KIT_REFUSED(&mark, HBK_ACCESS_NOT_ACCEPTED,
                kit_send(client, name, section, HBK_ACCESS_SAME, 0, NULL));
    KIT_REFUSED(&mark, HBK_ACCESS_NOT_ACCEPTED,
                kit_send(client, name, section, SECTION_MAP_WRITE, 0, NULL));
    KIT_REFUSED(&mark, HBK_ACCESS_NOT_ACCEPTED,
                kit_send(client, name, event, HBK_ACCESS_READ, 0, NULL));
    kit_peer_quiet(&target);
    assert_int_equal(kit_send(client, name, section, HBK_ACCESS_READ, 0, NULL), HBK_OK);
    receive(&target, 1);
    assert_int_equal(kit_send(client, name, section, SECTION_MAP_READ, 0, NULL), HBK_OK);
    receive(&target, 1);
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_unchanged(&mark);
    CloseHandle(section);
    CloseHandle(event);
}

static void endpoint_for_two_items(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    HANDLE events[3];
    hbk_send_item items[3];
    const char *name = kit_endpoint_name();
    hbk_client *client = kit_client();
    make_events(events, items, 3);
    listen_for(&target, name, "Event", EVENT_MODIFY_STATE, 2);
    for (size_t i = 0; i < 3; i++)
        items[i].access = EVENT_MODIFY_STATE;
    kit_mark(&mark, target.pid);
    KIT_REFUSED(&mark, HBK_ACCESS_NOT_ACCEPTED, send_items(client, name, items, 3, NULL));
    items[1].access = EVENT_MODIFY_STATE | SYNCHRONIZE;
    KIT_REFUSED(&mark, HBK_ACCESS_NOT_ACCEPTED, send_items(client, name, items, 2, NULL));
    items[1].access = EVENT_MODIFY_STATE;
    kit_peer_quiet(&target);
    assert_int_equal(send_items(client, name, items, 2, NULL), HBK_OK);
    receive(&target, 2);
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_unchanged(&mark);
    close_events(events, 3);
}

static void expected_process(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    const char *name;
    hbk_client *client = begin(&target, &name, &mark);
    hbk_send_item item = {.handle = kit_make(KIT_EVENT)};
    hbk_send_options send = {.size = sizeof send, .to = name, .items = &item, .count = 1};
    send.expect_pid = GetCurrentProcessId();
    KIT_REFUSED(&mark, HBK_NOT_FOUND, hbk_send(client, &send, NULL, NULL));
    send.expect_pid = target.pid;
    send.expect_user = "S-1-5-21-1-2-3-4";
    KIT_REFUSED(&mark, HBK_NOT_FOUND, hbk_send(client, &send, NULL, NULL));
    kit_peer_quiet(&target);
    send.expect_user = kit_user();
    assert_int_equal(hbk_send(client, &send, NULL, NULL), HBK_OK);
    receive(&target, 1);
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_unchanged(&mark);
    CloseHandle(item.handle);
}

static void a_name_that_is_taken(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    const char *name;
    hbk_client *client = begin(&target, &name, &mark);
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .name = name};
    KIT_REFUSED(&mark, HBK_EXISTS, hbk_endpoint_open(client, &endpoint, NULL));
    endpoint.name = "global/test";
    KIT_REFUSED(&mark, HBK_DENIED, hbk_endpoint_open(client, &endpoint, NULL));
    endpoint.name = "session/test";
    KIT_REFUSED(&mark, HBK_DENIED, hbk_endpoint_open(client, &endpoint, NULL));
    KIT_REFUSED(&mark, HBK_NOT_FOUND, hbk_endpoint_close(client, name, NULL)); /* another's */
    (void)snprintf(target.call.name, sizeof target.call.name, "%s", name);
    assert_int_equal(kit_peer_do(&target, KIT_OP_ENDPOINT_CLOSE, 0, 0, NULL), HBK_OK);
    endpoint.name = name;
    assert_int_equal(hbk_endpoint_open(client, &endpoint, NULL), HBK_OK);
    assert_int_equal(hbk_endpoint_close(client, name, NULL), HBK_OK);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(inherited_by_the_targets_child),
        KIT_TEST(protected_from_close),
        KIT_TEST(moved),
        KIT_TEST(sixty_four),
        KIT_TEST(one_bad_among_64),
        KIT_TEST(endpoint_for_reading_sections),
        KIT_TEST(endpoint_for_two_items),
        KIT_TEST(expected_process),
        KIT_TEST(a_name_that_is_taken),
    };
    return cmocka_run_group_tests_name("items", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
