/* The store between processes: whoever comes first, entries that outlive who put them and entries that do not, and
 * who gets what of them. */
#include "line.h"
#include "store.h"

#include <stdio.h>
#include <string.h>

#define TTL_MS 1500u
#define CLOCK_MS 32u /* by which two readings of the system's clock may be apart */

/* Does anybody hold the writing end of this reader? */
static bool is_held(HANDLE reader)
{
    DWORD size = 0;
    return PeekNamedPipe(reader, NULL, 0, NULL, &size, NULL);
}

static void wait_let_go(HANDLE reader)
{
    uint64_t end = kit_now_ms() + KIT_WAIT_MS;
    while (is_held(reader)) {
        if (kit_now_ms() > end)
            fail_msg("%s", "somebody still holds what nobody ought to");
        Sleep(5);
    }
    assert_int_equal(GetLastError(), ERROR_BROKEN_PIPE);
}

/* A pipe of which this process keeps the reading end alone, once @ret_writer is closed. */
static HANDLE make_pipe(HANDLE *ret_writer)
{
    HANDLE reader = NULL;
    assert_true(CreatePipe(&reader, ret_writer, NULL, 0));
    return reader;
}

/* ---- who comes first ---- */

static void asked_before_it_is_put(void **state)
{
    (void)state;
    struct kit_peer target, source;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    kit_peer_open(&target);
    kit_peer_open(&source);
    uint64_t theirs = kit_line_make(&source, KIT_EVENT);
    kit_mark(&mark, target.pid);
    kit_peer_get_begin(&target, name, 30000);
    kit_wait_pending(&mark, 1);
    assert_int_equal(kit_peer_put(&source, name, theirs, HBK_ACCESS_SAME, 0), HBK_OK);
    assert_true(kit_peer_end(&target, KIT_WAIT_MS));
    assert_int_equal(target.reply.result, HBK_OK);
    assert_int_equal(target.reply.from_pid, source.pid);
    uint64_t got = target.reply.value;
    assert_int_equal(kit_peer_do(&target, KIT_OP_SET_EVENT, got, 0, NULL), 0);
    assert_int_equal(kit_peer_do(&source, KIT_OP_WAIT, theirs, 0, NULL), WAIT_OBJECT_0);
    kit_peer_closes(&target, got);
    (void)snprintf(source.call.name, sizeof source.call.name, "%s", name);
    assert_int_equal(kit_peer_do(&source, KIT_OP_REMOVE, 0, 0, NULL), HBK_OK);
    kit_unchanged(&mark);
}

static void asked_for_what_never_comes(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name(), *other = kit_endpoint_name();
    kit_peer_open(&target);
    kit_mark(&mark, target.pid);
    kit_peer_get_begin(&target, name, KIT_QUIET_MS);
    assert_int_equal(kit_put(client, other, event, 0, 0), HBK_OK); /* another name wakes nobody */
    assert_true(kit_peer_end(&target, KIT_WAIT_MS));
    assert_int_equal(target.reply.result, HBK_TIMEOUT);
    assert_int_equal(target.reply.value, 0);
    assert_int_equal(hbk_store_remove(client, other, NULL), HBK_OK);
    assert_int_equal(kit_peer_get(&target, name, 0, 0), HBK_NOT_FOUND);
    kit_unchanged(&mark);
    CloseHandle(event);
}

/* Ten wait for one name, and one put serves them all. */
static void many_wait_for_one_name(void **state)
{
    (void)state;
    enum { WAITING = 10 };
    static struct kit_peer targets[WAITING];
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE semaphore = kit_make(KIT_SEMAPHORE);
    const char *name = kit_endpoint_name();
    for (int i = 0; i < WAITING; i++)
        kit_peer_open(&targets[i]);
    kit_mark(&mark, 0);
    for (int i = 0; i < WAITING; i++)
        kit_peer_get_begin(&targets[i], name, 30000);
    kit_wait_pending(&mark, WAITING);
    assert_int_equal(kit_put(client, name, semaphore, 0, 0), HBK_OK);
    for (int i = 0; i < WAITING; i++) {
        assert_true(kit_peer_end(&targets[i], KIT_WAIT_MS));
        assert_int_equal(targets[i].reply.result, HBK_OK);
        uint64_t theirs = targets[i].reply.value;
        assert_int_equal(kit_peer_do(&targets[i], KIT_OP_RELEASE_SEMAPHORE, theirs, 1, NULL), 0);
    }
    for (int i = 0; i < WAITING; i++)
        assert_true(kit_is_set(semaphore));
    assert_false(kit_is_set(semaphore));
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    kit_unchanged(&mark);
    CloseHandle(semaphore);
}

/* ---- how long it lives ---- */

static void outlives_its_process(void **state)
{
    (void)state;
    struct kit_peer source;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    hbk_store_entry listed;
    char name[64];
    (void)snprintf(name, sizeof name, "%s", kit_endpoint_name());
    kit_mark(&mark, GetCurrentProcessId());
    for (int killed = 0; killed < 2; killed++) {
        kit_peer_open(&source);
        uint64_t theirs = kit_line_make(&source, KIT_SECTION);
        assert_int_equal(kit_peer_put(&source, name, theirs, HBK_ACCESS_SAME, HBK_STORE_KEEP),
                         HBK_OK);
        uint64_t entry = source.reply.value;
        DWORD pid = source.pid;
        assert_true(kit_listed(client, entry, &listed));
        assert_true(listed.owner.session != 0 && listed.keep);
        if (killed)
            kit_peer_kill(&source);
        else
            kit_peer_stop(&source);
        /* The broker is about to see that it has left. */
        for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; listed.owner.session != 0; Sleep(5)) {
            assert_true(kit_now_ms() < end);
            assert_true(kit_listed(client, entry, &listed));
        }
        assert_int_equal(listed.owner.pid, pid);
        HANDLE section = kit_got(client, name);
        const char *view = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
        assert_non_null(view);
        assert_memory_equal(view, KIT_BYTES, KIT_BYTES_SIZE);
        UnmapViewOfFile(view);
        CloseHandle(section);
        assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
        assert_int_equal(hbk_store_remove(client, name, NULL), HBK_NOT_FOUND);
        kit_unchanged(&mark);
    }
}

static void goes_with_its_process(void **state)
{
    (void)state;
    struct kit_peer source;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    hbk_store_entry listed;
    char name[64];
    (void)snprintf(name, sizeof name, "%s", kit_endpoint_name());
    kit_mark(&mark, GetCurrentProcessId());
    for (int killed = 0; killed < 2; killed++) {
        kit_peer_open(&source);
        uint64_t theirs = kit_line_make(&source, KIT_SECTION);
        assert_int_equal(kit_peer_put(&source, name, theirs, HBK_ACCESS_SAME, 0), HBK_OK);
        assert_true(kit_listed(client, source.reply.value, &listed));
        assert_false(listed.keep);
        if (killed)
            kit_peer_kill(&source);
        else
            kit_peer_stop(&source);
        kit_wait_stored(&mark, 0);
        hbk_taken *taken = NULL;
        KIT_REFUSED(&mark, HBK_NOT_FOUND, kit_get(client, name, 0, 0, &taken));
    }
}

/* What keeps an object alive is the entry's handle, and no other: not the putter's, not a session's. */
static void holds_the_object_and_lets_it_go(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_client *client = kit_client(), *owner = kit_client();
    HANDLE writer = NULL, reader = make_pipe(&writer);
    const char *name = kit_endpoint_name();
    assert_int_equal(kit_put(owner, name, writer, 0, HBK_STORE_KEEP | HBK_STORE_MOVE), HBK_OK);
    kit_close(owner);
    kit_mark(&mark, 0);
    kit_serve_second();
    assert_true(is_held(reader));
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    wait_let_go(reader);
    CloseHandle(reader);
    /* And of a session's. */
    owner = kit_client();
    reader = make_pipe(&writer);
    assert_int_equal(kit_put(owner, name, writer, 0, HBK_STORE_MOVE), HBK_OK);
    kit_serve_second();
    assert_true(is_held(reader));
    kit_close(owner);
    wait_let_go(reader);
    CloseHandle(reader);
}

static void expires(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    hbk_stored stored;
    hbk_store_entry listed;
    hbk_taken *taken = NULL;
    HANDLE writer = NULL, reader = make_pipe(&writer), event = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name(), *lasting = kit_endpoint_name();
    hbk_store_put_options put = {
        .size = sizeof put, .name = name, .handle = writer, .ttl_ms = TTL_MS};
    put.flags = HBK_STORE_KEEP | HBK_STORE_MOVE;
    kit_mark(&mark, 0);
    uint64_t before = kit_now_ms();
    assert_int_equal(hbk_store_put(client, &put, &stored, NULL), HBK_OK);
    assert_int_equal(kit_put(client, lasting, event, 0, 0), HBK_OK);
    if (kit_listed(client, stored.entry, &listed))
        assert_true(listed.ttl_ms >= 1 && listed.ttl_ms <= TTL_MS);
    wait_let_go(reader);
    assert_true(kit_now_ms() - before + CLOCK_MS >= TTL_MS); /* and not before its time */
    assert_int_equal(kit_get(client, name, 0, 0, &taken), HBK_NOT_FOUND);
    assert_false(kit_listed(client, stored.entry, &listed));
    CloseHandle(kit_got(client, lasting)); /* the twin: without a limit it stays */
    assert_int_equal(hbk_store_remove(client, lasting, NULL), HBK_OK);
    assert_int_equal(kit_put(client, name, event, 0, 0), HBK_OK); /* the name is free again */
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    CloseHandle(event);
    CloseHandle(reader);
}

/* ---- once ---- */

static bool has_answered(const struct kit_peer *peer)
{
    DWORD size = 0;
    return PeekNamedPipe(peer->pipe, NULL, 0, NULL, &size, NULL) && size > 0;
}

/* Two wait for it, and it serves one; who comes later gets none. The other is still there for the next. */
static void one_of_two_takers(void **state)
{
    (void)state;
    struct kit_peer one, two;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE first = kit_make(KIT_EVENT), second = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name();
    kit_peer_open(&one);
    kit_peer_open(&two);
    kit_mark(&mark, 0);
    kit_peer_get_begin(&one, name, 30000);
    kit_peer_get_begin(&two, name, 30000);
    kit_wait_pending(&mark, 2);
    assert_int_equal(kit_put(client, name, first, 0, HBK_STORE_ONCE), HBK_OK);
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS; !has_answered(&one) && !has_answered(&two);) {
        assert_true(kit_now_ms() < end);
        Sleep(5);
    }
    kit_wait_pending(&mark, 1);
    struct kit_peer *got = has_answered(&one) ? &one : &two, *missed = got == &one ? &two : &one;
    assert_true(kit_peer_end(got, KIT_WAIT_MS));
    assert_int_equal(got->reply.result, HBK_OK);
    assert_int_equal(kit_peer_do(got, KIT_OP_SET_EVENT, got->reply.value, 0, NULL), 0);
    assert_true(kit_is_set(first));
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_NOT_FOUND);
    assert_int_equal(kit_peer_get(got, name, 0, 0), HBK_NOT_FOUND);
    assert_false(has_answered(missed));
    assert_int_equal(kit_put(client, name, second, 0, HBK_STORE_ONCE), HBK_OK);
    assert_true(kit_peer_end(missed, KIT_WAIT_MS));
    assert_int_equal(missed->reply.result, HBK_OK);
    assert_int_equal(kit_peer_do(missed, KIT_OP_SET_EVENT, missed->reply.value, 0, NULL), 0);
    assert_true(kit_is_set(second));
    kit_wait_stored(&mark, 0);
    CloseHandle(first);
    CloseHandle(second);
}

/* What failed has taken nothing. */
static void once_is_not_used_up_by_a_refusal(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    hbk_taken *taken = NULL;
    HANDLE event = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name();
    assert_int_equal(kit_put(client, name, event, SYNCHRONIZE, HBK_STORE_ONCE), HBK_OK);
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_ACCESS_EXCEEDS_SOURCE,
                kit_get(client, name, EVENT_MODIFY_STATE, 0, &taken));
    HANDLE got = kit_got(client, name);
    assert_int_equal(kit_access(got), SYNCHRONIZE);
    assert_int_equal(kit_get(client, name, 0, 0, &taken), HBK_NOT_FOUND);
    CloseHandle(got);
    CloseHandle(event);
}

/* ---- names ---- */

static void a_name_that_is_taken(void **state)
{
    (void)state;
    struct kit_peer other;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE first = kit_make(KIT_EVENT), second = kit_make(KIT_MUTEX);
    hbk_stored stored;
    hbk_store_entry listed;
    const char *name = kit_endpoint_name();
    hbk_store_put_options put = {.size = sizeof put, .name = name, .handle = first, .data = "one"};
    kit_peer_open(&other);
    uint64_t theirs = kit_line_make(&other, KIT_SEMAPHORE);
    assert_int_equal(hbk_store_put(client, &put, &stored, NULL), HBK_OK);
    HANDLE taken_before = kit_got(client, name);
    kit_mark(&mark, other.pid);
    KIT_REFUSED(&mark, HBK_EXISTS, kit_put(client, name, second, 0, 0));
    KIT_REFUSED(&mark, HBK_EXISTS, kit_peer_put(&other, name, theirs, 0, 0));
    assert_true(kit_listed(client, stored.entry, &listed));
    assert_string_equal(listed.type, "Event");
    assert_int_equal(listed.taken, 1);
    /* Its identity may, in whatever process. */
    assert_int_equal(kit_peer_put(&other, name, theirs, 0, HBK_STORE_REPLACE), HBK_OK);
    assert_false(kit_listed(client, stored.entry, &listed));
    assert_true(kit_listed(client, other.reply.value, &listed));
    assert_string_equal(listed.type, "Semaphore");
    assert_int_equal(hbk_store_remove_entry(client, stored.entry, NULL), HBK_NOT_FOUND);
    /* What was got before stays. */
    assert_true(SetEvent(taken_before));
    assert_true(kit_is_set(first));
    /* Replace where there is nothing puts. */
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    assert_int_equal(kit_put(client, name, second, 0, HBK_STORE_REPLACE), HBK_OK);
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    CloseHandle(taken_before);
    CloseHandle(first);
    CloseHandle(second);
}

/* A replacement that is refused leaves what was there. */
static void a_replacement_that_fails(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT), port = kit_make(KIT_IOCP);
    const char *name = kit_endpoint_name();
    assert_int_equal(kit_put(client, name, event, 0, 0), HBK_OK);
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_TYPE_NOT_ALLOWED, kit_put(client, name, port, 0, HBK_STORE_REPLACE));
    KIT_REFUSED(&mark, HBK_BAD_HANDLE, kit_put(client, name, kit_closed(), 0, HBK_STORE_REPLACE));
    HANDLE got = kit_got(client, name);
    assert_true(SetEvent(got));
    assert_true(kit_is_set(event));
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    CloseHandle(got);
    CloseHandle(port);
    CloseHandle(event);
}

static void entries_and_endpoints_are_apart(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    hbk_taken *taken = NULL;
    HANDLE event = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name();
    kit_peer_listen(&target, name, 0);
    kit_mark(&mark, target.pid);
    KIT_REFUSED(&mark, HBK_NOT_FOUND, kit_get(client, name, 0, 0, &taken));
    assert_int_equal(kit_put(client, name, event, 0, 0), HBK_OK);
    kit_peer_quiet(&target);
    CloseHandle(kit_got(client, name));
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    kit_unchanged(&mark);
    CloseHandle(event);
}

static void names_that_one_may_not_use(void **state)
{
    (void)state;
    static const char *const shared[] = {"session/test", "global/test", "global/ticket"};
    struct kit_mark mark;
    hbk_client *client = kit_client();
    hbk_taken *taken = NULL;
    HANDLE event = kit_make(KIT_EVENT);
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
        KIT_REFUSED(&mark, HBK_DENIED, kit_put(client, shared[i], event, 0, 0));
        KIT_REFUSED(&mark, HBK_DENIED, kit_get(client, shared[i], 0, 0, &taken));
        KIT_REFUSED(&mark, HBK_DENIED, kit_get(client, shared[i], 0, 100, &taken));
        KIT_REFUSED(&mark, HBK_DENIED, hbk_store_remove(client, shared[i], NULL));
    }
    CloseHandle(event);
}

/* ---- what there is ---- */

/* More than a page. */
static void all_are_listed(void **state)
{
    (void)state;
    enum { MANY = 150 };
    static hbk_stored stored[MANY];
    struct kit_mark mark;
    hbk_client *owner = kit_client(), *client = kit_client();
    hbk_store_entries *list = NULL;
    HANDLE event = kit_make(KIT_EVENT);
    char name[64];
    kit_mark(&mark, 0);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "user/test/many/%d", i);
        hbk_store_put_options put = {.size = sizeof put, .name = name, .handle = event};
        put.access = SYNCHRONIZE;
        assert_int_equal(hbk_store_put(owner, &put, &stored[i], NULL), HBK_OK);
    }
    assert_int_equal(hbk_store_list(client, &list, NULL), HBK_OK);
    int found = 0;
    for (size_t i = 0; i < list->count; i++) {
        const hbk_store_entry *entry = &list->entries[i];
        if (entry->name == NULL || strncmp(entry->name, "user/test/many/", 15) != 0)
            continue;
        assert_true(entry->entry == stored[found].entry); /* in the order in which they came */
        assert_int_equal(entry->access, SYNCHRONIZE);
        assert_int_equal(entry->owner.pid, GetCurrentProcessId());
        assert_string_equal(entry->owner.user, kit_user());
        assert_true(!entry->keep && !entry->once && !entry->shared);
        assert_true(entry->ttl_ms == 0 && entry->taken == 0);
        found++;
    }
    assert_int_equal(found, MANY);
    hbk_store_entries_free(list);
    for (int i = 0; i < MANY; i += 2)
        assert_int_equal(hbk_store_remove_entry(client, stored[i].entry, NULL), HBK_OK);
    assert_int_equal(hbk_store_remove_entry(client, stored[0].entry, NULL), HBK_NOT_FOUND);
    kit_wait_stored(&mark, MANY / 2);
    kit_close(owner); /* the rest goes with it */
    kit_wait_stored(&mark, 0);
    CloseHandle(event);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(asked_before_it_is_put),
        KIT_TEST(asked_for_what_never_comes),
        KIT_TEST(many_wait_for_one_name),
        KIT_TEST(outlives_its_process),
        KIT_TEST(goes_with_its_process),
        KIT_TEST(holds_the_object_and_lets_it_go),
        KIT_TEST(expires),
        KIT_TEST(one_of_two_takers),
        KIT_TEST(once_is_not_used_up_by_a_refusal),
        KIT_TEST(a_name_that_is_taken),
        KIT_TEST(a_replacement_that_fails),
        KIT_TEST(entries_and_endpoints_are_apart),
        KIT_TEST(names_that_one_may_not_use),
        KIT_TEST(all_are_listed),
    };
    return cmocka_run_group_tests_name("store", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
