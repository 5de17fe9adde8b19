/* What an entry is of: every kind of object in its taker's hands, how rights shrink on the way, and what becomes of
 * the handle that was put. */
#include "line.h"
#include "store.h"

#include <stdio.h>
#include <string.h>

#define SIGNAL_AND_WAIT (EVENT_MODIFY_STATE | SYNCHRONIZE)

static bool is_open(HANDLE handle)
{
    DWORD flags;
    return GetHandleInformation(handle, &flags);
}

static HANDLE reduced(HANDLE whole, uint32_t access)
{
    HANDLE handle = NULL;
    assert_true(DuplicateHandle(GetCurrentProcess(), whole, GetCurrentProcess(), &handle, access,
                                FALSE, 0));
    return handle;
}

/* ---- every kind ---- */

static void one_of_each_kind(void **state)
{
    (void)state;
    struct kit_peer taker;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    const char *name = kit_endpoint_name();
    kit_peer_open(&taker);
    kit_mark(&mark, taker.pid);
    for (int kind = 0; kind < KIT_KINDS; kind++) {
        HANDLE mine = kit_make((enum kit_kind)kind);
        hbk_store_put_options put = {.size = sizeof put, .name = name, .handle = mine};
        put.type = kit_type((enum kit_kind)kind);
        put.data = "a \"word\" \\ \t and \xc3\xa4";
        assert_int_equal(hbk_store_put(client, &put, NULL, NULL), HBK_OK);
        assert_int_equal(kit_peer_get(&taker, name, HBK_ACCESS_SAME, 0), HBK_OK);
        uint64_t theirs = taker.reply.value;
        assert_string_equal(taker.reply.items[0].type, put.type);
        assert_string_equal(taker.reply.text, put.data);
        assert_int_equal(taker.reply.items[0].access, kit_access(mine));
        assert_int_equal(taker.reply.items[0].flags, 0); /* nothing was left out */
        assert_int_equal(taker.reply.from_pid, GetCurrentProcessId());
        assert_true(kit_holds(taker.pid, theirs));
        kit_use(&taker, (enum kit_kind)kind, mine, theirs);
        kit_peer_closes(&taker, theirs);
        assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
        kit_unmake((enum kit_kind)kind, mine);
        kit_unchanged(&mark);
    }
}

/* The twin: as another kind than it is, none is stored; as its own, but for its name, none is found. */
static void each_kind_by_a_wrong_word(void **state)
{
    (void)state;
    struct kit_peer taker;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    const char *name = kit_endpoint_name();
    kit_peer_open(&taker);
    for (int kind = 0; kind < KIT_KINDS; kind++) {
        HANDLE mine = kit_make((enum kit_kind)kind);
        hbk_store_put_options put = {.size = sizeof put, .name = name, .handle = mine};
        put.type = kind == KIT_EVENT ? "Mutant" : "Event";
        kit_mark(&mark, taker.pid);
        KIT_REFUSED(&mark, HBK_TYPE_MISMATCH, hbk_store_put(client, &put, NULL, NULL));
        KIT_REFUSED(&mark, HBK_NOT_FOUND, kit_peer_get(&taker, name, HBK_ACCESS_SAME, 0));
        kit_unmake((enum kit_kind)kind, mine);
    }
}

/* Kinds that are not handed over are not stored. */
static void other_kinds(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    const char *name = kit_endpoint_name();
    for (int kind = KIT_KINDS; kind < KIT_ALL_KINDS; kind++) {
        HANDLE mine = kit_make((enum kit_kind)kind);
        if (mine == NULL) {
            print_message("note: no %s can be made here (error %lu)\n",
                          kit_type((enum kit_kind)kind), GetLastError());
            continue;
        }
        kit_mark(&mark, GetCurrentProcessId());
        KIT_REFUSED(&mark, HBK_TYPE_NOT_ALLOWED, kit_put(client, name, mine, 0, 0));
        assert_true(is_open(mine) || kind == KIT_DESKTOP || kind == KIT_STATION);
        kit_unmake((enum kit_kind)kind, mine);
    }
}

/* ---- rights ---- */

/* The entry's rights are the most that anybody gets, and each may ask for less. */
static void rights_shrink_twice(void **state)
{
    (void)state;
    struct kit_peer taker;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name();
    kit_peer_open(&taker);
    assert_int_equal(kit_put(client, name, event, SIGNAL_AND_WAIT, 0), HBK_OK);
    kit_mark(&mark, taker.pid);
    assert_int_equal(kit_peer_get(&taker, name, HBK_ACCESS_SAME, 0), HBK_OK);
    uint64_t whole = taker.reply.value;
    assert_int_equal(taker.reply.items[0].access, SIGNAL_AND_WAIT);
    assert_int_equal(kit_peer_do(&taker, KIT_OP_ACCESS, whole, 0, NULL), 0);
    assert_int_equal(taker.reply.value, SIGNAL_AND_WAIT);
    assert_int_equal(kit_peer_get(&taker, name, SYNCHRONIZE, 0), HBK_OK);
    uint64_t less = taker.reply.value;
    assert_int_equal(kit_peer_do(&taker, KIT_OP_ACCESS, less, 0, NULL), 0);
    assert_int_equal(taker.reply.value, SYNCHRONIZE);
    assert_int_equal(kit_peer_do(&taker, KIT_OP_SET_EVENT, less, 0, NULL), ERROR_ACCESS_DENIED);
    assert_false(kit_is_set(event));
    assert_int_equal(kit_peer_do(&taker, KIT_OP_SET_EVENT, whole, 0, NULL), 0);
    assert_true(kit_is_set(event));
    kit_peer_closes(&taker, less);
    kit_peer_closes(&taker, whole);
    KIT_REFUSED(&mark, HBK_ACCESS_EXCEEDS_SOURCE,
                kit_peer_get(&taker, name, SIGNAL_AND_WAIT | 0x1u, 0));
    KIT_REFUSED(&mark, HBK_ACCESS_EXCEEDS_SOURCE, kit_peer_get(&taker, name, WRITE_DAC, 0));
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    CloseHandle(event);
}

static void for_reading(void **state)
{
    (void)state;
    struct kit_peer taker;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE section = kit_make(KIT_SECTION);
    const char *name = kit_endpoint_name();
    kit_peer_open(&taker);
    for (int capped = 0; capped < 2; capped++) { /* by who puts it, or by who gets it */
        assert_int_equal(
            kit_put(client, name, section, capped ? HBK_ACCESS_READ : HBK_ACCESS_SAME, 0), HBK_OK);
        kit_mark(&mark, taker.pid);
        assert_int_equal(kit_peer_get(&taker, name, capped ? HBK_ACCESS_SAME : HBK_ACCESS_READ, 0),
                         HBK_OK);
        uint64_t theirs = taker.reply.value;
        assert_int_equal(taker.reply.items[0].access & SECTION_MAP_WRITE, 0);
        assert_int_equal(kit_peer_do(&taker, KIT_OP_MAP_READ, theirs, 0, NULL), 0);
        assert_string_equal(taker.reply.text, KIT_BYTES);
        assert_int_equal(kit_peer_do(&taker, KIT_OP_MAP_WRITE, theirs, 0, "x"),
                         ERROR_ACCESS_DENIED);
        kit_peer_closes(&taker, theirs);
        if (capped)
            KIT_REFUSED(&mark, HBK_ACCESS_EXCEEDS_SOURCE,
                        kit_peer_get(&taker, name, SECTION_MAP_WRITE, 0));
        assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    }
    CloseHandle(section);
}

static void more_than_it_has(void **state)
{
    (void)state;
    static const struct {
        enum kit_kind kind;
        uint32_t held, wanted;
    } rows[] = {
        {KIT_EVENT, SYNCHRONIZE, SIGNAL_AND_WAIT},
        {KIT_SECTION, SECTION_MAP_READ, SECTION_MAP_READ | SECTION_MAP_WRITE},
        {KIT_FILE, FILE_READ_DATA, FILE_READ_DATA | FILE_WRITE_DATA},
        {KIT_EVENT, EVENT_MODIFY_STATE, HBK_ACCESS_READ}, /* cannot be waited for */
    };
    struct kit_mark mark;
    hbk_client *client = kit_client();
    const char *name = kit_endpoint_name();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        HANDLE whole = kit_make(rows[i].kind), held = reduced(whole, rows[i].held);
        kit_mark(&mark, GetCurrentProcessId());
        KIT_REFUSED(&mark, HBK_ACCESS_EXCEEDS_SOURCE,
                    kit_put(client, name, held, rows[i].wanted, 0));
        assert_int_equal(kit_put(client, name, held, HBK_ACCESS_SAME, 0), HBK_OK);
        HANDLE got = kit_got(client, name);
        assert_int_equal(kit_access(got), rows[i].held);
        CloseHandle(got);
        assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
        CloseHandle(held);
        kit_unmake(rows[i].kind, whole);
    }
}

/* What a taker is told that it could make of fewer rights. */
static void what_can_be_widened(void **state)
{
    (void)state;
    struct kit_peer taker;
    hbk_client *client = kit_client();
    HANDLE section = kit_make(KIT_SECTION), file = kit_make(KIT_FILE);
    const char *name = kit_endpoint_name();
    const struct {
        HANDLE handle;
        uint32_t put, got, expected;
    } rows[] = {
        {section, HBK_ACCESS_SAME, HBK_ACCESS_SAME, 0},
        {section, HBK_ACCESS_READ, HBK_ACCESS_SAME, HBK_WIDEN_YES},
        {section, HBK_ACCESS_SAME, HBK_ACCESS_READ, HBK_WIDEN_YES},
        {section, HBK_ACCESS_READ, HBK_ACCESS_READ, HBK_WIDEN_YES},
        {file, HBK_ACCESS_SAME, HBK_ACCESS_SAME, 0},
        {file, HBK_ACCESS_READ, HBK_ACCESS_SAME, HBK_WIDEN_UNKNOWN},
        {file, HBK_ACCESS_SAME, HBK_ACCESS_READ, HBK_WIDEN_UNKNOWN},
    };
    kit_peer_open(&taker);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(kit_put(client, name, rows[i].handle, rows[i].put, 0), HBK_OK);
        assert_int_equal(kit_peer_get(&taker, name, rows[i].got, 0), HBK_OK);
        if (taker.reply.items[0].flags != rows[i].expected)
            fail_msg("row %lu: widenable %lu", (unsigned long)i,
                     (unsigned long)taker.reply.items[0].flags);
        kit_peer_closes(&taker, taker.reply.value);
        assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    }
    CloseHandle(section);
    CloseHandle(file);
}

/* ---- the handle that was put ---- */

static void it_stays_ours(void **state)
{
    (void)state;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name();
    assert_int_equal(kit_put(client, name, event, 0, 0), HBK_OK);
    assert_true(is_open(event));
    CloseHandle(event); /* and what was stored does not depend on it */
    HANDLE got = kit_got(client, name);
    assert_true(SetEvent(got));
    assert_true(kit_is_set(got));
    CloseHandle(got);
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
}

static void moved_after_success_only(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT), kept = reduced(event, EVENT_ALL_ACCESS);
    HANDLE port = kit_make(KIT_IOCP);
    const char *name = kit_endpoint_name();
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_DENIED, kit_put(client, "global/test", event, 0, HBK_STORE_MOVE));
    KIT_REFUSED(&mark, HBK_TYPE_NOT_ALLOWED, kit_put(client, name, port, 0, HBK_STORE_MOVE));
    assert_true(is_open(event) && is_open(port));
    assert_int_equal(kit_put(client, name, event, 0, HBK_STORE_MOVE), HBK_OK);
    assert_false(is_open(event));
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_EXISTS, kit_put(client, name, kept, 0, HBK_STORE_MOVE));
    assert_true(is_open(kept));
    HANDLE got = kit_got(client, name);
    assert_true(SetEvent(got));
    assert_true(kit_is_set(kept));
    CloseHandle(got);
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    CloseHandle(kept);
    CloseHandle(port);
}

/* The value that was put is another object's now, and no taker gets that. */
static void recycled_after_it_was_put(void **state)
{
    (void)state;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT), kept = reduced(event, EVENT_ALL_ACCESS), mutex = NULL;
    const char *name = kit_endpoint_name();
    assert_int_equal(kit_put(client, name, event, 0, 0), HBK_OK);
    CloseHandle(event);
    HANDLE others[16];
    for (size_t i = 0; i < 16; i++) {
        others[i] = kit_make(KIT_MUTEX);
        if ((uintptr_t)others[i] == (uintptr_t)event)
            mutex = others[i];
    }
    if (mutex == NULL)
        print_message("note: the value was not given out again\n");
    hbk_taken *taken = NULL;
    assert_int_equal(kit_get(client, name, 0, 0, &taken), HBK_OK);
    assert_string_equal(taken->type, "Event");
    assert_true(SetEvent(taken->handle));
    assert_true(kit_is_set(kept));
    hbk_taken_free(taken); /* closes what was not taken out */
    for (size_t i = 0; i < 16; i++)
        CloseHandle(others[i]);
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    CloseHandle(kept);
}

/* Each taker has a handle of its own, and closing it is nobody else's matter. */
static void takers_do_not_share(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT), got[20];
    hbk_taken *taken = NULL;
    hbk_stored stored;
    hbk_store_entry listed;
    const char *name = kit_endpoint_name();
    hbk_store_put_options put = {.size = sizeof put, .name = name, .handle = event};
    assert_int_equal(hbk_store_put(client, &put, &stored, NULL), HBK_OK);
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < 20; i++) {
        got[i] = kit_got(client, name);
        for (size_t j = 0; j < i; j++)
            assert_true((uintptr_t)got[i] != (uintptr_t)got[j]);
    }
    assert_true(kit_listed(client, stored.entry, &listed));
    assert_int_equal(listed.taken, 20);
    for (size_t i = 0; i < 20; i++) {
        assert_true(SetEvent(got[i]));
        CloseHandle(got[i]);
    }
    assert_int_equal(kit_get(client, name, 0, 0, &taken), HBK_OK);
    hbk_taken_free(taken);
    kit_unchanged(&mark);
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    CloseHandle(event);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(one_of_each_kind),
        KIT_TEST(each_kind_by_a_wrong_word),
        KIT_TEST(other_kinds),
        KIT_TEST(rights_shrink_twice),
        KIT_TEST(for_reading),
        KIT_TEST(more_than_it_has),
        KIT_TEST(what_can_be_widened),
        KIT_TEST(it_stays_ours),
        KIT_TEST(moved_after_success_only),
        KIT_TEST(recycled_after_it_was_put),
        KIT_TEST(takers_do_not_share),
    };
    return cmocka_run_group_tests_name("store items", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
