/* A target that does not read. Its senders go on: they are told `busy` after the deadline, `target_gone`
 * when it dies, success when it reads at last; nobody else notices. The broker is one of the console,
 * with a short deadline. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

#define WRITE_MS 1500u
#define DATA_BYTES 8000
#define QUESTIONS_MAX 1500 /* no more than a pipe holds */
#define QUESTIONS_STEP 100

struct scene {
    struct kit_peer source, target;
    struct kit_mark mark;
    const char *name;
    uint64_t event; /* the source's */
    uint32_t told;
};

static void say(struct kit_peer *peer, const char *text)
{
    assert_int_equal(kit_peer_do(peer, KIT_OP_RAW_SEND, 0, 0, text), 0);
    assert_int_equal(kit_peer_do(peer, KIT_OP_RAW_LINE, 0, KIT_WAIT_MS, NULL), 0);
}

static void begin_target(struct scene *scene)
{
    int64_t proof = 0;
    char line[256];
    struct kit_peer *target = &scene->target;
    kit_peer_raw_open(target);
    say(target, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.hello\",\"params\":"
                "{\"protocol\":[1],\"client\":{\"name\":\"deaf\",\"version\":\"1\"}}}\n");
    assert_true(kit_json_number(target->reply.text, "proof", &proof));
    assert_int_equal(kit_peer_do(target, KIT_OP_SET_EVENT, (uint64_t)proof, 0, NULL), 0);
    say(target, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session.prove\",\"params\":{}}\n");
    (void)snprintf(line, sizeof line,
                   "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"endpoint.open\",\"params\":{"
                   "\"name\":\"%s\"}}\n",
                   scene->name);
    say(target, line);
}

static void send_one(struct scene *scene)
{
    memset(scene->source.call.text, 'x', DATA_BYTES);
    scene->source.call.items[0].handle = scene->event;
    kit_peer_send_begin(&scene->source, scene->name, 1, 0, 0);
}

/* Sends until one is not answered at once: the target's pipe is full. */
static void fill(struct scene *scene)
{
    scene->name = kit_endpoint_name();
    scene->told = 0;
    kit_mark(&scene->mark, 0);
    begin_target(scene);
    kit_peer_open(&scene->source);
    assert_int_equal(kit_peer_do(&scene->source, KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
    scene->event = scene->source.reply.value;
    uint32_t before = kit_handles_at_rest(scene->target.pid);
    for (;;) {
        send_one(scene);
        if (!kit_peer_end(&scene->source, 300))
            break;
        assert_int_equal(scene->source.reply.result, HBK_OK);
        scene->told++;
        assert_in_range(scene->told, 1, 200);
    }
    assert_true(scene->told > 0);
    /* The one that is on its way is placed, for placing and writing are one turn. */
    assert_in_range(kit_handles_at_rest(scene->target.pid), before + scene->told,
                    before + scene->told + 1);
    kit_serve_second();
}

static void let_go_after_the_deadline(void **state)
{
    (void)state;
    struct scene scene;
    fill(&scene);
    uint32_t before = kit_handles_at_rest(scene.target.pid);
    assert_true(kit_peer_end(&scene.source, WRITE_MS + KIT_WAIT_MS));
    assert_int_equal(scene.source.reply.result, HBK_BUSY);
    /* What it was told of is its own; what it was not told of is not left in its table. */
    kit_handles_at_most(scene.target.pid, before - 1);
    assert_int_equal(kit_handles_at_rest(scene.target.pid), before - 1);
    /* Its session is over, and its name free. */
    send_one(&scene);
    assert_true(kit_peer_end(&scene.source, KIT_WAIT_MS));
    assert_int_equal(scene.source.reply.result, HBK_NOT_FOUND);
    /* What was written before it was let go can still be read, whole lines of it. */
    for (uint32_t i = 0; i < scene.told; i++) {
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_RAW_LINE, 0, KIT_WAIT_MS, NULL), 0);
        assert_non_null(strstr(scene.target.reply.text, "handle.delivered"));
    }
    kit_peer_stop(&scene.source);
    kit_peer_kill(&scene.target);
    kit_unchanged(&scene.mark);
}

static void killed_while_it_does_not_read(void **state)
{
    (void)state;
    struct scene scene;
    fill(&scene);
    kit_peer_kill(&scene.target);
    assert_true(kit_peer_end(&scene.source, KIT_WAIT_MS));
    assert_int_equal(scene.source.reply.result, HBK_TARGET_GONE);
    kit_peer_stop(&scene.source);
    kit_unchanged(&scene.mark);
}

static void reads_at_last(void **state)
{
    (void)state;
    struct scene scene;
    fill(&scene);
    for (uint32_t i = 0; i <= scene.told; i++)
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_RAW_LINE, 0, KIT_WAIT_MS, NULL), 0);
    assert_true(kit_peer_end(&scene.source, KIT_WAIT_MS));
    assert_int_equal(scene.source.reply.result, HBK_OK);
    kit_peer_stop(&scene.source);
    kit_peer_kill(&scene.target);
    kit_unchanged(&scene.mark);
}

static void sender_killed_while_it_is_not_read(void **state)
{
    (void)state;
    struct scene scene;
    fill(&scene);
    uint32_t before = kit_handles_at_rest(scene.target.pid);
    kit_peer_kill(&scene.source);
    kit_serve_second();
    uint32_t lines = 0;
    while (kit_peer_do(&scene.target, KIT_OP_RAW_LINE, 0, KIT_QUIET_MS, NULL) == 0)
        lines++;
    /* As many lines as handles: those told, and the one on its way if it was told after all. */
    assert_in_range(lines, scene.told, scene.told + 1);
    assert_int_equal(kit_handles_at_rest(scene.target.pid), before - (scene.told + 1 - lines));
    kit_peer_kill(&scene.target);
    kit_unchanged(&scene.mark);
}

/* Its line cannot be told, so the answer alone tells, and the value is good. */
static void transferred_to_all_the_same(void **state)
{
    (void)state;
    struct scene scene;
    hbk_transferred got;
    hbk_error_info error = {.result = HBK_OK};
    hbk_client *catalyst = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    fill(&scene);
    hbk_transfer_options options = {.size = sizeof options, .handle = event};
    options.source_pid = GetCurrentProcessId();
    options.target_pid = scene.target.pid;
    hbk_result result = hbk_transfer(catalyst, &options, &got, &error);
    if (result != HBK_OK)
        fail_msg("%s: %s", hbk_result_word(result), error.detail);
    assert_int_equal(got.notified, 0);
    assert_true(kit_peer_end(&scene.source, KIT_WAIT_MS));
    assert_int_equal(scene.source.reply.result, HBK_BUSY);
    uint64_t value = (uint64_t)(uintptr_t)got.handle;
    assert_int_equal(kit_peer_do(&scene.target, KIT_OP_SET_EVENT, value, 0, NULL), 0);
    assert_true(kit_is_set(event));
    for (uint32_t i = 0; i < scene.told; i++) {
        assert_int_equal(kit_peer_do(&scene.target, KIT_OP_RAW_LINE, 0, KIT_WAIT_MS, NULL), 0);
        assert_non_null(strstr(scene.target.reply.text, scene.name)); /* and of no transfer */
    }
    assert_int_not_equal(kit_peer_do(&scene.target, KIT_OP_RAW_LINE, 0, KIT_QUIET_MS, NULL), 0);
    kit_peer_stop(&scene.source);
    kit_peer_kill(&scene.target);
    kit_unchanged(&scene.mark);
    CloseHandle(event);
}

/* While its target is being told, nobody knows whether there is anything to take back. */
static void not_taken_back_while_it_is_told(void **state)
{
    (void)state;
    struct scene scene;
    hbk_delivery_entries *list = NULL;
    hbk_client *operator= kit_client();
    fill(&scene);
    assert_int_equal(hbk_delivery_list(operator, & list, NULL), HBK_OK);
    hbk_result result = HBK_OK;
    bool telling = list->count == 1 && strcmp(list->entries[0].state, "telling") == 0;
    if (list->count > 0)
        result = hbk_revoke(operator, list->entries[0].id, NULL, NULL);
    hbk_delivery_entries_free(list);
    /* On a slow machine its time may be over before. */
    if (telling && !kit_peer_end(&scene.source, 0))
        assert_int_equal(result, HBK_BUSY);
    else
        print_message("too slow a machine to see that it is busy\n");
    kit_peer_kill(&scene.target);
    kit_peer_kill(&scene.source);
    kit_unchanged(&scene.mark);
}

/* A session that only asks and never reads the answers is let go too, and not read from meanwhile. */
static void asks_and_never_reads(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    struct kit_raw *deaf = kit_raw_proven();
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"broker.status\"}\n";
    static char many[400 * (sizeof line - 1)];
    for (size_t i = 0; i < 400; i++)
        memcpy(many + i * (sizeof line - 1), line, sizeof line - 1);
    hbk_status_info status;
    uint64_t start = kit_now_ms(), end = start + WRITE_MS + KIT_WAIT_MS;
    while (kit_raw_write(deaf, many, sizeof many, 100))
        assert_true(kit_now_ms() < end); /* the broker must not take them for ever */
    /* It is let go for not reading, when its time is over, and not for asking. */
    kit_status(&status);
    if (kit_now_ms() - start < WRITE_MS)
        assert_int_equal(status.sessions, mark.status.sessions + 1);
    else
        print_message("too slow a machine to see that it was not let go too early\n");
    kit_serve_second();
    do {
        Sleep(20);
        kit_status(&status);
    } while (status.sessions > mark.status.sessions && kit_now_ms() < end);
    assert_int_equal(status.sessions, mark.status.sessions);
    kit_unchanged(&mark);
}

/* Asks @count things at once and reads no answer, then asks one more. The more it asks, the sooner the broker
 * stops to listen: while it has a line at hand, while a read is pending, or not at all. */
static struct kit_raw *ask_and_do_not_read(int count)
{
    static char lines[64 * QUESTIONS_MAX];
    size_t size = 0;
    struct kit_raw *raw = kit_raw_proven();
    for (int i = 0; i < count; i++)
        size += (size_t)snprintf(lines + size, sizeof lines - size,
                                 "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"a\"}\n", 1000 + i);
    assert_true(size < sizeof lines);
    assert_true(kit_raw_write(raw, lines, size, KIT_WAIT_MS));
    kit_serve_second();
    kit_raw_say(raw, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"a\"}", 1000 + count);
    kit_serve_second();
    return raw;
}

static void everything_is_answered_at_last(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    for (int count = QUESTIONS_STEP; count <= QUESTIONS_MAX; count += QUESTIONS_STEP) {
        struct kit_raw *raw = ask_and_do_not_read(count);
        for (int i = 0; i <= count; i++) {
            char id[16];
            (void)snprintf(id, sizeof id, "%d", 1000 + i);
            kit_raw_answer(raw);
            kit_raw_is_error(raw, HBK_METHOD_NOT_FOUND, id);
        }
        kit_raw_free(raw);
    }
    kit_unchanged(&mark);
}

static void leaves_while_nobody_listens_to_it(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    for (int count = QUESTIONS_STEP; count <= QUESTIONS_MAX; count += QUESTIONS_STEP)
        kit_raw_free(ask_and_do_not_read(count));
    kit_unchanged(&mark);
}

/* A process that is stopped is told all the same, and finds everything when it goes on. */
static void suspended_target(void **state)
{
    (void)state;
    struct kit_peer target;
    struct kit_mark mark;
    const char *name = kit_endpoint_name();
    hbk_client *source = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    kit_peer_listen(&target, name, 0);
    kit_mark(&mark, target.pid);
    kit_suspend(target.process, true);
    assert_int_equal(kit_send(source, name, event, 0, 0, NULL), HBK_OK);
    kit_serve_second();
    kit_suspend(target.process, false);
    assert_int_equal(kit_peer_do(&target, KIT_OP_RECEIVE, KIT_WAIT_MS, 0, NULL), HBK_OK);
    assert_int_equal(kit_peer_do(&target, KIT_OP_SET_EVENT, target.reply.items[0].handle, 0, NULL),
                     0);
    assert_true(kit_is_set(event));
    assert_int_equal(kit_peer_do(&target, KIT_OP_FREE, 0, 0, NULL), 0);
    kit_unchanged(&mark);
    CloseHandle(event);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(let_go_after_the_deadline),
        KIT_TEST(killed_while_it_does_not_read),
        KIT_TEST(reads_at_last),
        KIT_TEST(sender_killed_while_it_is_not_read),
        KIT_TEST(transferred_to_all_the_same),
        KIT_TEST(not_taken_back_while_it_is_told),
        KIT_TEST(asks_and_never_reads),
        KIT_TEST(everything_is_answered_at_last),
        KIT_TEST(leaves_while_nobody_listens_to_it),
        KIT_TEST(suspended_target),
    };
    kit_config = "{\"limits\": {\"write_ms\": 1500, \"write_queue_bytes\": 65536}}";
    return cmocka_run_group_tests_name("unread", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
