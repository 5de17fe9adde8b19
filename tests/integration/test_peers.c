/* Peers that do not behave: that connect and drop, say nothing, dawdle, or prove nothing.
 * The broker is one of the console, with short deadlines. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

#define DEADLINE_MS 500u
#define DROPS 2000
#define HELLO                                                                \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.hello\",\"params\":" \
    "{\"protocol\":[1],\"client\":{\"name\":\"odd\",\"version\":\"1\"}}}"
#define PROVE "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session.prove\",\"params\":{}}"

/* ---- connect and drop ---- */

static void connect_and_drop(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    for (int i = 0; i < DROPS; i++) {
        HANDLE pipe = kit_raw_open(kit_broker()->pipe);
        assert_true(pipe != INVALID_HANDLE_VALUE);
        CloseHandle(pipe);
    }
    kit_unchanged(&mark);
}

static void say_something_and_drop(void **state)
{
    (void)state;
    static const char *const words[] = {"{", "\n", HELLO, HELLO "\n", HELLO "\n" PROVE "\n"};
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < DROPS / 10; i++) {
        const char *word = words[i % (sizeof words / sizeof *words)];
        struct kit_raw *raw = kit_raw_new();
        /* The broker may have hung up already: an empty line ends a session that is not proven. */
        kit_raw_write(raw, word, strlen(word), KIT_WAIT_MS);
        kit_raw_free(raw);
    }
    kit_unchanged(&mark);
}

/* A write of no bytes may end the broker's read, but it is nothing that was said. */
static void says_nothing_again_and_again(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    struct kit_raw *raw = kit_raw_new();
    for (int i = 0; i < 20; i++)
        assert_true(kit_raw_write(raw, "", 0, KIT_WAIT_MS));
    kit_raw_hello(raw, true);
    assert_true(kit_raw_write(raw, "", 0, KIT_WAIT_MS));
    kit_raw_ask(raw, "%s", PROVE);
    kit_raw_is_result(raw, "2");
    kit_raw_free(raw);
    kit_unchanged(&mark);
}

/* ---- deadlines ---- */

/* The broker hangs up between the deadline and a while after it, having said why. */
static void let_go(struct kit_raw *raw, uint64_t start)
{
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    kit_raw_is_error(raw, HBK_TIMEOUT, "null");
    assert_true(kit_raw_ended(raw, KIT_WAIT_MS));
    assert_in_range(kit_now_ms() - start, DEADLINE_MS - 50, DEADLINE_MS + 3000);
}

static void silent(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    uint64_t start = kit_now_ms();
    struct kit_raw *raw = kit_raw_new();
    kit_serve_second();
    let_go(raw, start);
    kit_raw_free(raw);
    kit_unchanged(&mark);
}

static void said_hello_and_no_more(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    uint64_t start = kit_now_ms();
    struct kit_raw *raw = kit_raw_new();
    uint64_t proof = kit_raw_hello(raw, true);
    assert_true(kit_holds_proof(GetCurrentProcessId(), proof));
    let_go(raw, start);
    kit_proof_taken(GetCurrentProcessId(), proof); /* at the deadline too */
    kit_raw_free(raw);
    kit_unchanged(&mark);
}

/* Talking all the time does not help who does not prove. */
static void asks_for_the_status_for_ever(void **state)
{
    (void)state;
    uint64_t start = kit_now_ms();
    struct kit_raw *raw = kit_raw_new();
    int answers = 0, result = KIT_RAW_LINE;
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"broker.status\"}\n";
    while (result == KIT_RAW_LINE && kit_now_ms() - start < DEADLINE_MS + 3000) {
        answers++;
        kit_raw_write(raw, line, sizeof line - 1, KIT_WAIT_MS);
        result = kit_raw_next(raw, KIT_WAIT_MS);
        Sleep(10);
    }
    assert_int_equal(result, KIT_RAW_END);
    assert_true(answers > 2);
}

static void a_byte_now_and_then(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    struct kit_raw *raw = kit_raw_proven();
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"broker.status\"}\n";
    uint64_t start = kit_now_ms();
    for (size_t i = 0; i + 2 < sizeof line; i++) {
        if (!kit_raw_write(raw, line + i, 1, KIT_WAIT_MS))
            break;
        Sleep(40);
    }
    let_go(raw, start);
    kit_raw_free(raw);
    kit_unchanged(&mark);
    /* The twin: the same line in fewer pieces, each well within the deadline, many times over. */
    raw = kit_raw_proven();
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < sizeof line - 1; i += 20) {
            size_t left = sizeof line - 1 - i;
            assert_true(kit_raw_write(raw, line + i, left < 20 ? left : 20, KIT_WAIT_MS));
            Sleep(DEADLINE_MS / 6);
        }
        assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
        kit_raw_is_result(raw, "7");
    }
}

static void idle_once_proven(void **state)
{
    (void)state;
    struct kit_raw *raw = kit_raw_proven();
    assert_int_equal(kit_raw_next(raw, 3 * DEADLINE_MS), KIT_RAW_TIMEOUT);
    kit_raw_ask(raw, "%s", "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"broker.status\"}");
    kit_raw_is_result(raw, "7");
}

/* ---- proof ---- */

static void proof_not_set(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    struct kit_raw *raw = kit_raw_new();
    uint64_t proof = kit_raw_hello(raw, false);
    kit_raw_ask(raw, "%s", PROVE);
    kit_raw_is_error(raw, HBK_NOT_PROVEN, "2");
    assert_true(kit_raw_ended(raw, KIT_WAIT_MS));
    kit_proof_taken(GetCurrentProcessId(), proof);
    kit_raw_free(raw);
    kit_unchanged(&mark);
}

static void the_proof_can_only_be_set(void **state)
{
    (void)state;
    struct kit_raw *raw = kit_raw_new();
    HANDLE proof = (HANDLE)(uintptr_t)kit_raw_hello(raw, false);
    assert_int_equal(kit_access(proof), EVENT_MODIFY_STATE);
    assert_int_equal(WaitForSingleObject(proof, 0), WAIT_FAILED);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(connect_and_drop),
        KIT_TEST(say_something_and_drop),
        KIT_TEST(says_nothing_again_and_again),
        KIT_TEST(silent),
        KIT_TEST(said_hello_and_no_more),
        KIT_TEST(asks_for_the_status_for_ever),
        KIT_TEST(a_byte_now_and_then),
        KIT_TEST(idle_once_proven),
        KIT_TEST(proof_not_set),
        KIT_TEST(the_proof_can_only_be_set),
    };
    kit_config = "{\"limits\": {\"hello_ms\": 500, \"line_ms\": 500}}";
    return cmocka_run_group_tests_name("peers", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
