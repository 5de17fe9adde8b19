/* Processes that end: who has put something, who gets it, who moves handles between others, those others, and both
 * sides of a delivery that can be taken back; at every step. What they leave behind is nothing. */
#include "line.h"
#include "store.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS 15

/* ---- what they say; where @whole is false, only the beginning of it ---- */

static void say(struct kit_peer *peer, const char *line, bool whole)
{
    if (whole) {
        kit_peer_say(peer, "%s", line);
        return;
    }
    char part[600];
    (void)snprintf(part, sizeof part, "%.*s", (int)strlen(line) - 5, line);
    assert_int_equal(kit_peer_do(peer, KIT_OP_RAW_SEND, 0, 0, part), 0);
}

static void say_put(struct kit_peer *owner, const char *name, uint64_t handle, const char *options,
                    bool whole)
{
    char line[500];
    (void)snprintf(line, sizeof line,
                   "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"store.put\",\"params\":"
                   "{\"name\":\"%s\",\"handle\":%llu%s}}",
                   name, (unsigned long long)handle, options);
    say(owner, line, whole);
}

static void say_get(struct kit_peer *taker, const char *name, uint32_t wait_ms, bool whole)
{
    char line[500];
    (void)snprintf(line, sizeof line,
                   "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"store.get\",\"params\":"
                   "{\"name\":\"%s\",\"wait_ms\":%lu}}",
                   name, (unsigned long)wait_ms);
    say(taker, line, whole);
}

/* @target: 0: to who says it. */
static void transfer_line(char *ret_line, size_t size, DWORD source, uint64_t handle, DWORD target)
{
    char to[64] = "";
    if (target != 0)
        (void)snprintf(to, sizeof to, ",\"target\":{\"pid\":%lu}", (unsigned long)target);
    (void)snprintf(ret_line, size,
                   "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"handle.transfer\",\"params\":"
                   "{\"source\":{\"pid\":%lu},\"handle\":%llu%s}}",
                   (unsigned long)source, (unsigned long long)handle, to);
}

static const char *hear(struct kit_peer *peer)
{
    const char *line = kit_peer_hear(peer, KIT_WAIT_MS);
    assert_non_null(line);
    return line;
}

/* The broker has seen that whoever came after @mark has left. */
static void wait_left(const struct kit_mark *mark)
{
    hbk_status_info status;
    uint64_t end = kit_now_ms() + KIT_WAIT_MS;
    for (kit_status(&status); status.sessions != mark->status.sessions; kit_status(&status)) {
        assert_true(kit_now_ms() < end);
        Sleep(5);
    }
}

/* ---- the owner of an entry ends ---- */

static void owner_dead_around_its_put(void **state)
{
    (void)state;
    struct kit_peer owner;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    hbk_taken *taken = NULL;
    const char *name = kit_endpoint_name();
    kit_mark(&mark, GetCurrentProcessId());
    for (int step = 0; step < 3 + ROUNDS; step++) { /* half said; heard; replaced and heard; said */
        kit_peer_raw_as(&owner, 0);
        uint64_t section = kit_line_make(&owner, KIT_SECTION);
        say_put(&owner, name, section, "", step > 0);
        if (step == 1 || step == 2)
            kit_line_is_result(hear(&owner), "7");
        if (step == 2) {
            say_put(&owner, name, section, ",\"replace\":true", true);
            kit_line_is_result(hear(&owner), "7");
        }
        kit_peer_kill(&owner);
        kit_unchanged(&mark);
        assert_int_equal(kit_get(client, name, 0, 0, &taken), HBK_NOT_FOUND);
    }
}

/* What the broker keeps is not its process's: it is there until it is removed, and what was being said is not. */
static void owner_dead_around_a_put_that_stays(void **state)
{
    (void)state;
    struct kit_peer owner;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    const char *name = kit_endpoint_name();
    kit_mark(&mark, GetCurrentProcessId());
    for (int round = 0; round < ROUNDS; round++) {
        kit_peer_raw_as(&owner, 0);
        uint64_t section = kit_line_make(&owner, KIT_SECTION);
        say_put(&owner, name, section, ",\"lifetime\":\"broker\"", true);
        if (round == 0)
            kit_line_is_result(hear(&owner), "7");
        kit_peer_kill(&owner);
        wait_left(&mark); /* what it had said in time is acted on before */
        hbk_result result = hbk_store_remove(client, name, NULL);
        assert_true(result == HBK_OK || (result == HBK_NOT_FOUND && round > 0));
        kit_unchanged(&mark);
    }
}

/* Who waits for a name is not told of what goes before it comes. */
static void owner_dead_with_takers(void **state)
{
    (void)state;
    struct kit_peer owner, taker;
    struct kit_mark mark;
    int64_t handle = 0;
    const char *name = kit_endpoint_name();
    kit_peer_raw_as(&taker, 0);
    kit_mark(&mark, taker.pid);
    /* It has it, and keeps it. */
    kit_peer_raw_as(&owner, 0);
    uint64_t mutex = kit_line_make(&owner, KIT_MUTEX);
    say_put(&owner, name, mutex, "", true);
    kit_line_is_result(hear(&owner), "7");
    say_get(&taker, name, 0, true);
    kit_line_is_result(hear(&taker), "8");
    assert_true(kit_json_number(taker.reply.text, "handle", &handle));
    assert_int_equal(kit_peer_do(&owner, KIT_OP_WAIT, mutex, 0, NULL), WAIT_OBJECT_0);
    kit_peer_kill(&owner);
    kit_wait_stored(&mark, 0);
    assert_int_equal(kit_peer_do(&taker, KIT_OP_WAIT, (uint64_t)handle, KIT_WAIT_MS, NULL),
                     WAIT_ABANDONED);
    kit_peer_closes(&taker, (uint64_t)handle);
    kit_unchanged(&mark);
    /* It waits, and goes on to. */
    say_get(&taker, name, 60000, true);
    kit_wait_pending(&mark, 1);
    kit_peer_raw_as(&owner, 0);
    mutex = kit_line_make(&owner, KIT_MUTEX);
    say_put(&owner, name, mutex, "", false);
    kit_peer_kill(&owner);
    assert_null(kit_peer_hear(&taker, KIT_QUIET_MS));
    kit_peer_raw_as(&owner, 0);
    mutex = kit_line_make(&owner, KIT_MUTEX);
    say_put(&owner, name, mutex, "", true);
    kit_line_is_result(hear(&taker), "8");
    kit_peer_kill(&owner);
    kit_peer_kill(&taker);
}

/* ---- a taker ends ---- */

static void taker_dead_around_its_get(void **state)
{
    (void)state;
    struct kit_peer taker;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE section = kit_make(KIT_SECTION);
    const char *name = kit_endpoint_name();
    assert_int_equal(kit_put(client, name, section, 0, 0), HBK_OK);
    kit_mark(&mark, GetCurrentProcessId());
    for (int step = 0; step < 2 + ROUNDS; step++) { /* half said; heard; said */
        kit_peer_raw_as(&taker, 0);
        say_get(&taker, name, 0, step > 0);
        if (step == 1)
            kit_line_is_result(hear(&taker), "8");
        kit_peer_kill(&taker);
        kit_unchanged(&mark);
        CloseHandle(kit_got(client, name)); /* it is there for others as before */
    }
    assert_int_equal(hbk_store_remove(client, name, NULL), HBK_OK);
    CloseHandle(section);
}

/* Either it was told, and the entry is gone; or it was not, and the entry is as before. */
static void taker_dead_around_a_get_of_one(void **state)
{
    (void)state;
    struct kit_peer taker;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE section = kit_make(KIT_SECTION);
    const char *name = kit_endpoint_name();
    kit_mark(&mark, GetCurrentProcessId());
    for (int round = 0; round < ROUNDS; round++) {
        kit_peer_raw_as(&taker, 0);
        assert_int_equal(kit_put(client, name, section, 0, HBK_STORE_ONCE), HBK_OK);
        say_get(&taker, name, 0, true);
        kit_peer_kill(&taker);
        wait_left(&mark);
        hbk_taken *taken = NULL;
        hbk_result result = kit_get(client, name, 0, 0, &taken);
        assert_true(result == HBK_OK || result == HBK_NOT_FOUND);
        hbk_taken_free(taken);
        kit_unchanged(&mark); /* so it is gone, if it was not there to be got */
    }
    CloseHandle(section);
}

static void taker_dead_while_it_waits(void **state)
{
    (void)state;
    struct kit_peer taker;
    struct kit_mark mark;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    const char *name = kit_endpoint_name();
    kit_mark(&mark, GetCurrentProcessId());
    kit_peer_raw_as(&taker, 0);
    say_get(&taker, name, 60000, true);
    kit_wait_pending(&mark, 1);
    kit_peer_kill(&taker);
    kit_unchanged(&mark);
    /* Nothing is used up by one that has waited for it. */
    assert_int_equal(kit_put(client, name, event, 0, HBK_STORE_ONCE), HBK_OK);
    CloseHandle(kit_got(client, name));
    kit_unchanged(&mark);
    CloseHandle(event);
}

/* ---- a transfer, and who ends in it ---- */

static void catalyst_dead_around_a_transfer(void **state)
{
    (void)state;
    struct kit_peer source, target, catalyst;
    struct kit_mark before, mark, after;
    char line[300];
    kit_peer_start(&source);
    kit_peer_start(&target);
    uint64_t section = kit_line_make(&source, KIT_SECTION);
    kit_mark(&before, source.pid);
    for (int step = 0; step < 2 + ROUNDS; step++) { /* half said; heard; said */
        kit_mark(&mark, target.pid);
        kit_peer_raw_as(&catalyst, 0);
        transfer_line(line, sizeof line, source.pid, section, target.pid);
        say(&catalyst, line, step > 0);
        if (step == 1)
            kit_line_is_result(hear(&catalyst), "6");
        kit_peer_kill(&catalyst);
        kit_unchanged(&before); /* the broker has nothing of it, nor has the source */
        kit_mark(&after, target.pid);
        uint32_t made = after.other_handles - mark.other_handles;
        if (step < 2)
            assert_int_equal(made, step);
        else if (made > 1) /* the target has it if the catalyst was told of it */
            fail_msg("%lu handles of one transfer", (unsigned long)made);
    }
    kit_peer_kill(&source);
    kit_peer_kill(&target);
}

/* To one that has a session, and is told by a delivery if not by the answer. */
static void catalyst_dead_and_the_target_told(void **state)
{
    (void)state;
    struct kit_peer target, catalyst;
    struct kit_mark mark;
    char line[300];
    HANDLE event = kit_make(KIT_EVENT);
    kit_peer_open(&target);
    kit_mark(&mark, target.pid);
    for (int round = 0; round < ROUNDS; round++) {
        kit_peer_raw_as(&catalyst, 0);
        transfer_line(line, sizeof line, GetCurrentProcessId(), (uint64_t)(uintptr_t)event,
                      target.pid);
        say(&catalyst, line, true);
        if (round == 0)
            kit_line_is_result(hear(&catalyst), "6");
        kit_peer_kill(&catalyst);
        int result =
            kit_peer_do(&target, KIT_OP_RECEIVE, round == 0 ? KIT_WAIT_MS : KIT_QUIET_MS, 0, NULL);
        assert_true(result == HBK_OK || (result == HBK_TIMEOUT && round > 0));
        if (result == HBK_OK) {
            assert_int_equal(
                kit_peer_do(&target, KIT_OP_SET_EVENT, target.reply.items[0].handle, 0, NULL), 0);
            assert_true(kit_is_set(event) && ResetEvent(event));
        }
        assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
        kit_unchanged(&mark);
    }
    CloseHandle(event);
}

static bool is_gone(const char *line)
{
    int64_t code = 0;
    return kit_json_number(line, "code", &code) &&
           (code == HBK_NOT_FOUND || code == HBK_TARGET_GONE || code == HBK_BAD_HANDLE);
}

static void source_dead_in_a_transfer(void **state)
{
    (void)state;
    struct kit_peer source;
    struct kit_raw *catalyst = kit_raw_proven();
    struct kit_mark mark;
    char line[300];
    kit_mark(&mark, GetCurrentProcessId());
    for (int round = 0; round < ROUNDS; round++) {
        int64_t handle = 0;
        kit_peer_start(&source);
        uint64_t section = kit_line_make(&source, KIT_SECTION);
        DWORD pid = source.pid;
        transfer_line(line, sizeof line, pid, section, 0);
        if (round == 0)
            kit_peer_kill(&source);
        kit_raw_say(catalyst, "%s", line);
        if (round > 0)
            kit_peer_kill(&source);
        kit_raw_answer(catalyst);
        if (round == 0)
            kit_raw_is_error(catalyst, HBK_NOT_FOUND, "6");
        else if (!is_gone(catalyst->line))
            kit_raw_is_result(catalyst, "6");
        /* What we got outlives whom we have it from. */
        if (kit_json_number(catalyst->line, "handle", &handle)) {
            const char *view = MapViewOfFile((HANDLE)(uintptr_t)handle, FILE_MAP_READ, 0, 0, 0);
            assert_non_null(view);
            assert_memory_equal(view, KIT_BYTES, KIT_BYTES_SIZE);
            UnmapViewOfFile(view);
            CloseHandle((HANDLE)(uintptr_t)handle);
        }
        kit_unchanged(&mark);
    }
}

static void target_dead_in_a_transfer(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_raw *catalyst = kit_raw_proven();
    struct kit_mark mark;
    char line[300];
    HANDLE section = kit_make(KIT_SECTION);
    kit_mark(&mark, GetCurrentProcessId());
    for (int round = 0; round < 2 * ROUNDS; round++) {
        if (round % 2 == 0)
            kit_peer_start(&target);
        else
            kit_peer_open(&target); /* it has a session, over which it would be told */
        transfer_line(line, sizeof line, GetCurrentProcessId(), (uint64_t)(uintptr_t)section,
                      target.pid);
        if (round < 2)
            kit_peer_kill(&target);
        kit_raw_say(catalyst, "%s", line);
        if (round >= 2)
            kit_peer_kill(&target);
        kit_raw_answer(catalyst);
        if (round < 2)
            assert_true(is_gone(catalyst->line));
        else if (!is_gone(catalyst->line))
            kit_raw_is_result(catalyst, "6");
        kit_unchanged(&mark);
    }
    CloseHandle(section);
}

/* ---- deliveries that can be taken back ---- */

static int64_t sends_revocable(struct kit_peer *source, const char *name, uint64_t handle,
                               const char *revocable)
{
    int64_t delivery = 0;
    const char *line =
        kit_peer_ask(source,
                     "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.send\",\"params\":"
                     "{\"to\":\"%s\",\"items\":[{\"handle\":%llu}]%s}}",
                     name, (unsigned long long)handle, revocable);
    kit_line_is_result(line, "5");
    assert_true(kit_json_number(line, "delivery", &delivery));
    return delivery;
}

#define REVOCABLE ",\"revocable\":true"

static void gone_is_told(struct kit_peer *peer, int64_t session)
{
    int64_t found = 0;
    const char *line = hear(peer);
    if (strstr(line, "\"session.gone\"") == NULL || !kit_json_number(line, "session", &found) ||
        found != session)
        fail_msg("session.gone of %ld expected: %s", (long)session, line);
}

static void source_dead_of_a_revocable_one(void **state)
{
    (void)state;
    struct kit_peer source, target;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    kit_peer_raw_as(&target, 0);
    kit_line_opens(&target, name, REVOCABLE);
    kit_mark(&mark, 0);
    for (int unread = 0; unread < 2; unread++) {
        kit_peer_raw_as(&source, 0);
        int64_t session = source.session, handle = 0;
        uint64_t mutex = kit_line_make(&source, KIT_MUTEX);
        sends_revocable(&source, name, mutex, REVOCABLE);
        if (!unread) {
            assert_true(kit_json_number(kit_line_was_given(&target), "handle", &handle));
            kit_peer_kill(&source);
            gone_is_told(&target, session);
        } else {
            kit_peer_kill(&source);
            assert_true(kit_json_number(kit_line_was_given(&target), "handle", &handle));
            gone_is_told(&target, session);
        }
        kit_unchanged(&mark); /* no pin is left */
        /* What was told stays. */
        assert_int_equal(kit_peer_do(&target, KIT_OP_WAIT, (uint64_t)handle, KIT_WAIT_MS, NULL),
                         WAIT_OBJECT_0);
        kit_peer_closes(&target, (uint64_t)handle);
    }
    /* The twin: of one that cannot be taken back nobody hears. */
    kit_peer_raw_as(&source, 0);
    uint64_t event = kit_line_make(&source, KIT_EVENT);
    sends_revocable(&source, name, event, "");
    kit_line_was_given(&target);
    kit_peer_kill(&source);
    kit_unchanged(&mark);
    assert_null(kit_peer_hear(&target, KIT_QUIET_MS));
    kit_peer_stop(&target);
}

static void target_dead_of_a_revocable_one(void **state)
{
    (void)state;
    struct kit_peer source, target;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    kit_peer_raw_as(&source, 0);
    uint64_t event = kit_line_make(&source, KIT_EVENT);
    kit_mark(&mark, source.pid);
    for (int read = 0; read < 2; read++) {
        kit_peer_raw_as(&target, 0);
        int64_t session = target.session;
        kit_line_opens(&target, name, REVOCABLE);
        int64_t delivery = sends_revocable(&source, name, event, REVOCABLE);
        if (read)
            kit_line_was_given(&target);
        kit_peer_kill(&target);
        gone_is_told(&source, session);
        const char *line =
            kit_peer_ask(&source,
                         "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"delivery.revoke\",\"params\":"
                         "{\"delivery\":%lld}}",
                         (long long)delivery);
        kit_line_is_error(line, HBK_NOT_FOUND, "6");
        kit_unchanged(&mark);
    }
    kit_peer_stop(&source);
}

/* An offer goes with who has made it, and who was offered it hears so. */
static void source_dead_of_an_offer(void **state)
{
    (void)state;
    struct kit_peer source, target;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    kit_peer_raw_as(&target, 0);
    kit_line_opens(&target, name, ",\"mode\":\"ask\"");
    kit_mark(&mark, target.pid);
    kit_peer_raw_as(&source, 0);
    int64_t session = source.session, delivery = 0;
    uint64_t event = kit_line_make(&source, KIT_EVENT);
    kit_peer_say(&source,
                 "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.send\",\"params\":"
                 "{\"to\":\"%s\",\"items\":[{\"handle\":%llu}]}}",
                 name, (unsigned long long)event);
    assert_true(kit_json_number(hear(&target), "delivery", &delivery));
    kit_peer_kill(&source);
    gone_is_told(&target, session);
    kit_line_is_error(
        kit_peer_ask(&target,
                     "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"delivery.accept\",\"params\":"
                     "{\"delivery\":%lld}}",
                     (long long)delivery),
        HBK_NOT_FOUND, "6");
    kit_unchanged(&mark);
    kit_peer_stop(&target);
}

/* One of both ends when it is being taken back. Where the target is killed the very moment in which Wine has it close
 * a handle, Wine waits for ever; so under Wine it is killed when that is over. */
static void dead_around_a_revoke(void **state)
{
    (void)state;
    struct kit_peer source, target;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    kit_mark(&mark, GetCurrentProcessId());
    for (int round = 0; round < 6; round++) {
        bool source_dies = round % 2 == 0, half = round < 2;
        char line[200];
        kit_peer_raw_as(&source, 0);
        kit_peer_raw_as(&target, 0);
        kit_line_opens(&target, name, REVOCABLE);
        uint64_t section = kit_line_make(&source, KIT_SECTION);
        uint32_t before = kit_handles_at_rest(target.pid);
        int64_t delivery = sends_revocable(&source, name, section, REVOCABLE);
        kit_line_was_given(&target);
        (void)snprintf(line, sizeof line,
                       "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"delivery.revoke\",\"params\":"
                       "{\"delivery\":%lld}}",
                       (long long)delivery);
        say(&source, line, !half);
        if (!source_dies && !half && kit_is_wine())
            kit_line_is_result(hear(&source), "6");
        kit_peer_kill(source_dies ? &source : &target);
        if (source_dies && !half)
            assert_true(strstr(hear(&target), "\"delivery.revoked\"") != NULL ||
                        strstr(target.reply.text, "\"session.gone\"") != NULL);
        if (source_dies && !half && strstr(target.reply.text, "\"delivery.revoked\"") != NULL)
            kit_handles_at_most(target.pid, before);
        kit_peer_kill(source_dies ? &target : &source);
        kit_unchanged(&mark);
    }
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(owner_dead_around_its_put),       KIT_TEST(owner_dead_around_a_put_that_stays),
        KIT_TEST(owner_dead_with_takers),          KIT_TEST(taker_dead_around_its_get),
        KIT_TEST(taker_dead_around_a_get_of_one),  KIT_TEST(taker_dead_while_it_waits),
        KIT_TEST(catalyst_dead_around_a_transfer), KIT_TEST(catalyst_dead_and_the_target_told),
        KIT_TEST(source_dead_in_a_transfer),       KIT_TEST(target_dead_in_a_transfer),
        KIT_TEST(source_dead_of_a_revocable_one),  KIT_TEST(target_dead_of_a_revocable_one),
        KIT_TEST(source_dead_of_an_offer),         KIT_TEST(dead_around_a_revoke),
    };
    return cmocka_run_group_tests_name("death store", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
