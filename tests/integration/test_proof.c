/* Whom the broker takes a client for: the process that opened the pipe, that held on to it, and that could
 * set its own proof. Pipes that are lent, handed on or left behind, and proofs that are another's, prove
 * nothing. The broker is one of the console, so that it can be stopped in the middle. */
#include "kit.h"

#include <stdio.h>
#include <string.h>

#define HELLO                                                                \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.hello\",\"params\":" \
    "{\"protocol\":[1],\"client\":{\"name\":\"lent\",\"version\":\"1\"}}}\n"
#define PROVE "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session.prove\",\"params\":{}}\n"
#define STATUS "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"broker.status\",\"params\":{}}\n"
#define LIST "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"endpoint.list\",\"params\":{}}\n"

static void say(struct kit_peer *peer, const char *line)
{
    assert_int_equal(kit_peer_do(peer, KIT_OP_RAW_SEND, 0, 0, line), 0);
}

/* The answer to @line; its error's code, 0 for a result. */
static int ask(struct kit_peer *peer, const char *line)
{
    int64_t code = 0;
    say(peer, line);
    assert_int_equal(kit_peer_do(peer, KIT_OP_RAW_LINE, 0, KIT_WAIT_MS, NULL), 0);
    if (strstr(peer->reply.text, "\"result\"") == NULL)
        assert_true(kit_json_number(peer->reply.text, "code", &code));
    return (int)code;
}

static uint64_t hello(struct kit_peer *peer)
{
    int64_t proof = 0;
    assert_int_equal(ask(peer, HELLO), 0);
    assert_true(kit_json_number(peer->reply.text, "proof", &proof));
    return (uint64_t)proof;
}

/* Nothing more can be read from or written to it. */
static void ended(struct kit_peer *peer)
{
    if (kit_peer_do(peer, KIT_OP_RAW_LINE, 0, KIT_WAIT_MS, NULL) == 0)
        fail_msg("there is something to read: %s", peer->reply.text);
    assert_int_not_equal(peer->reply.win32, ERROR_OPERATION_ABORTED); /* which is a time-out's */
}

/* @peer gets a duplicate of @pipe, which is @owner's, and talks through it from now on. */
static void lend(HANDLE owner, HANDLE pipe, struct kit_peer *peer)
{
    HANDLE theirs = NULL;
    assert_true(
        DuplicateHandle(owner, pipe, peer->process, &theirs, 0, FALSE, DUPLICATE_SAME_ACCESS));
    assert_int_equal(kit_peer_do(peer, KIT_OP_RAW_ADOPT, (uint64_t)(uintptr_t)theirs, 0, NULL), 0);
}

/* ---- proofs ---- */

static void another_processs_proof(void **state)
{
    (void)state;
    struct kit_peer honest, other;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    kit_peer_raw_open(&honest);
    kit_peer_raw_open(&other);
    uint64_t proof = hello(&honest), others = hello(&other);
    /* Honest sets its own; the other one says that it has proven itself. */
    assert_int_equal(kit_peer_do(&honest, KIT_OP_SET_EVENT, proof, 0, NULL), 0);
    assert_int_equal(ask(&other, PROVE), HBK_NOT_PROVEN);
    ended(&other);
    kit_proof_taken(other.pid, others);
    assert_int_equal(ask(&honest, LIST), HBK_NOT_PROVEN); /* not yet, and it is none the worse */
    assert_int_equal(ask(&honest, PROVE), 0);
    assert_int_equal(ask(&honest, LIST), 0);
    kit_peer_kill(&honest);
    kit_peer_kill(&other);
    kit_unchanged(&mark);
}

/* A value of the proof is worth nothing elsewhere: it is another thing there, or nothing. */
static void the_value_of_anothers_proof(void **state)
{
    (void)state;
    struct kit_peer victim, thief;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    kit_peer_raw_open(&victim);
    kit_peer_raw_open(&thief);
    uint64_t proof = hello(&victim);
    (void)kit_peer_do(&thief, KIT_OP_SET_EVENT, proof, 0, NULL);
    assert_int_equal(ask(&thief, PROVE), HBK_NOT_PROVEN); /* no hello of its own: no proof */
    assert_int_equal(ask(&victim, PROVE), HBK_NOT_PROVEN);
    ended(&victim);
    kit_peer_kill(&victim);
    kit_peer_kill(&thief);
    kit_unchanged(&mark);
}

/* Two sessions of one process have a proof each. */
static void the_proof_of_another_session(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    struct kit_raw *first = kit_raw_new(), *second = kit_raw_new();
    uint64_t first_proof = kit_raw_hello(first, true), second_proof = kit_raw_hello(second, false);
    assert_true(first_proof != second_proof);
    kit_raw_ask(second, "%s", "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session.prove\"}");
    kit_raw_is_error(second, HBK_NOT_PROVEN, "2");
    assert_true(kit_raw_ended(second, KIT_WAIT_MS));
    kit_raw_ask(first, "%s", "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session.prove\"}");
    kit_raw_is_result(first, "2");
    kit_raw_free(first);
    kit_raw_free(second);
    kit_unchanged(&mark);
}

/* Said in one breath, prove comes before anybody can have seen the proof. */
static void hello_and_prove_in_one_breath(void **state)
{
    (void)state;
    static const char both[] = HELLO PROVE LIST;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    struct kit_raw *raw = kit_raw_new();
    assert_true(kit_raw_write(raw, both, sizeof both - 1, KIT_WAIT_MS));
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    kit_raw_is_result(raw, "1");
    assert_int_equal(kit_raw_next(raw, KIT_WAIT_MS), KIT_RAW_LINE);
    kit_raw_is_error(raw, HBK_NOT_PROVEN, "2");
    assert_true(kit_raw_ended(raw, KIT_WAIT_MS)); /* the third is not even answered */
    kit_raw_free(raw);
    kit_unchanged(&mark);
}

/* The broker takes back what it placed and nothing else: a client that has closed the proof by itself may have
 * something else at that value by then. */
static void something_else_where_the_proof_was(void **state)
{
    (void)state;
    HANDLE made[64] = {NULL}, there = NULL;
    struct kit_raw *raw = kit_raw_new();
    HANDLE proof = (HANDLE)(uintptr_t)kit_raw_hello(raw, true);
    uintptr_t value = (uintptr_t)proof;
    assert_true(CloseHandle(proof));
    for (int i = 0; i < 64 && there == NULL; i++) {
        made[i] = kit_make(KIT_MUTEX);
        there = (uintptr_t)made[i] == value ? made[i] : NULL;
    }
    if (there == NULL)
        fail_msg("the value %p was not given out again", (void *)value);
    kit_raw_ask(raw, "%s", "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session.prove\"}");
    kit_raw_is_result(raw, "2"); /* it was set, which is what counts */
    assert_int_equal(WaitForSingleObject(there, 0), WAIT_OBJECT_0);
    assert_true(ReleaseMutex(there));
    /* And so at the end of a session that never proves. */
    struct kit_raw *other = kit_raw_new();
    HANDLE second = (HANDLE)(uintptr_t)kit_raw_hello(other, false);
    assert_true(CloseHandle(second));
    kit_raw_free(other);
    kit_serve_second();
    for (int i = 0; i < 64 && made[i] != NULL; i++) {
        assert_int_not_equal(WaitForSingleObject(made[i], 0), WAIT_FAILED);
        ReleaseMutex(made[i]);
        assert_true(CloseHandle(made[i]));
    }
}

/* ---- pipes that are lent ---- */

/* The proof goes to the process that opened the pipe, so its heir can prove nothing. */
static void pipe_inherited_by_another_process(void **state)
{
    (void)state;
    struct kit_peer heir;
    struct kit_mark mark;
    int64_t pid = 0;
    kit_mark(&mark, 0);
    HANDLE pipe = kit_raw_open(kit_broker()->pipe);
    assert_true(SetHandleInformation(pipe, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
    kit_peer_start_heir(&heir);
    assert_int_equal(kit_peer_do(&heir, KIT_OP_RAW_ADOPT, (uint64_t)(uintptr_t)pipe, 0, NULL), 0);
    uint64_t proof = hello(&heir);
    assert_true(kit_json_number(heir.reply.text, "pid", &pid));
    assert_int_equal(pid, GetCurrentProcessId());
    assert_true(kit_holds_proof(GetCurrentProcessId(), proof));
    (void)kit_peer_do(&heir, KIT_OP_SET_EVENT, proof, 0, NULL); /* whatever that is there */
    assert_int_equal(ask(&heir, PROVE), HBK_NOT_PROVEN);
    kit_proof_taken(GetCurrentProcessId(), proof);
    kit_peer_kill(&heir);
    CloseHandle(pipe);
    kit_unchanged(&mark);
}

static void pipe_duplicated_before_hello(void **state)
{
    (void)state;
    struct kit_peer borrower;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    kit_peer_start(&borrower);
    HANDLE pipe = kit_raw_open(kit_broker()->pipe);
    lend(GetCurrentProcess(), pipe, &borrower);
    uint64_t proof = hello(&borrower); /* says whose session this is, and where the proof went */
    int64_t pid = 0;
    assert_true(kit_json_number(borrower.reply.text, "pid", &pid));
    assert_int_equal(pid, GetCurrentProcessId());
    assert_true(kit_holds_proof(GetCurrentProcessId(), proof));
    assert_false(kit_holds_proof(borrower.pid, proof));
    (void)kit_peer_do(&borrower, KIT_OP_SET_EVENT, proof, 0, NULL);
    assert_int_equal(ask(&borrower, LIST), HBK_NOT_PROVEN);
    assert_int_equal(ask(&borrower, PROVE), HBK_NOT_PROVEN);
    ended(&borrower);
    kit_proof_taken(GetCurrentProcessId(), proof);
    CloseHandle(pipe);
    kit_peer_kill(&borrower);
    kit_unchanged(&mark);
}

static void left(struct kit_peer *opener, struct kit_peer *keeper, const struct kit_mark *mark)
{
    kit_peer_kill(opener);
    kit_unchanged(mark); /* the session is over, though its pipe is open still */
    (void)kit_peer_do(keeper, KIT_OP_RAW_SEND, 0, 0, HELLO);
    ended(keeper);
    kit_peer_kill(keeper);
}

static void opener_gone_before_hello(void **state)
{
    (void)state;
    struct kit_peer opener, keeper;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    kit_peer_start(&keeper);
    kit_peer_raw_open(&opener);
    lend(opener.process, (HANDLE)(uintptr_t)opener.reply.value, &keeper);
    assert_int_equal(ask(&keeper, STATUS), 0); /* anybody may ask that */
    left(&opener, &keeper, &mark);
}

static void opener_gone_before_it_proved(void **state)
{
    (void)state;
    struct kit_peer opener, keeper;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    kit_peer_start(&keeper);
    kit_peer_raw_open(&opener);
    lend(opener.process, (HANDLE)(uintptr_t)opener.reply.value, &keeper);
    uint64_t proof = hello(&opener);
    assert_int_equal(kit_peer_do(&opener, KIT_OP_SET_EVENT, proof, 0, NULL), 0);
    left(&opener, &keeper, &mark);
}

/* A session is the process that it proved to be: it ends with it, whoever else still holds the pipe. */
static void opener_gone_after_it_proved(void **state)
{
    (void)state;
    struct kit_peer opener, keeper;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    kit_peer_start(&keeper);
    kit_peer_raw_open(&opener);
    lend(opener.process, (HANDLE)(uintptr_t)opener.reply.value, &keeper);
    uint64_t proof = hello(&opener);
    assert_int_equal(kit_peer_do(&opener, KIT_OP_SET_EVENT, proof, 0, NULL), 0);
    assert_int_equal(ask(&opener, PROVE), 0);
    assert_int_equal(ask(&opener, LIST), 0);
    left(&opener, &keeper, &mark);
}

/* The broker looks at a client only after it has connected; by then its process may be another, or none. */
static void opener_gone_before_it_was_accepted(void **state)
{
    (void)state;
    struct kit_peer opener, keeper;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    for (int round = 0; round < 3; round++) {
        kit_peer_start(&keeper);
        kit_suspend(kit_broker()->process, true);
        kit_peer_raw_open(&opener); /* an instance waits: nobody need be awake for that */
        HANDLE theirs = (HANDLE)(uintptr_t)opener.reply.value;
        assert_true(theirs != INVALID_HANDLE_VALUE);
        lend(opener.process, theirs, &keeper);
        if (round > 0)
            say(&keeper, HELLO);
        if (round > 1)
            say(&keeper, PROVE);
        kit_peer_kill(&opener);
        kit_suspend(kit_broker()->process, false);
        /* An ended process can still be opened while somebody holds it, so there may be an answer; a proof,
         * and with it a session, there is none. */
        if (kit_peer_do(&keeper, KIT_OP_RAW_LINE, 0, KIT_WAIT_MS, NULL) == 0) {
            int64_t code = 0;
            assert_null(strstr(keeper.reply.text, "\"result\""));
            assert_true(kit_json_number(keeper.reply.text, "code", &code));
            assert_true(code == HBK_TARGET_GONE || code == HBK_NOT_PROVEN);
            while (kit_peer_do(&keeper, KIT_OP_RAW_LINE, 0, KIT_WAIT_MS, NULL) == 0)
                assert_null(strstr(keeper.reply.text, "\"result\""));
        }
        assert_int_not_equal(keeper.reply.win32, ERROR_OPERATION_ABORTED);
        kit_unchanged(&mark);
        kit_peer_kill(&keeper);
    }
}

/* As fast as processes come and go. */
static void openers_that_leave_at_once(void **state)
{
    (void)state;
    struct kit_peer openers[4];
    struct kit_mark mark;
    kit_mark(&mark, 0);
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 4; i++)
            kit_peer_raw_open(&openers[i]);
        for (int i = 0; i < 4; i++)
            TerminateProcess(openers[i].process, 9);
        for (int i = 0; i < 4; i++)
            kit_peer_kill(&openers[i]);
        kit_serve_second();
    }
    kit_unchanged(&mark);
}

/* ---- pipes that say little of who opened them ---- */

static struct kit_raw *open_with(DWORD sqos)
{
    const wchar_t *pipe = kit_broker()->pipe;
    struct kit_raw *raw = kit_raw_new();
    HANDLE other = INVALID_HANDLE_VALUE;
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS;
         other == INVALID_HANDLE_VALUE && kit_now_ms() < end;) {
        other =
            CreateFileW(pipe, 0x12019Bu, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED | sqos, NULL);
        if (other == INVALID_HANDLE_VALUE && !WaitNamedPipeW(pipe, 1000))
            fail_msg("the pipe cannot be opened: error %lu", GetLastError());
    }
    CloseHandle(raw->pipe);
    raw->pipe = other;
    return raw;
}

/* A client that says nothing of how it may be impersonated is known from its first bytes on. */
static void no_quality_of_service(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    struct kit_raw *raw = open_with(0);
    kit_raw_hello(raw, true);
    kit_raw_ask(raw, "%s", "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"session.prove\"}");
    kit_raw_is_result(raw, "2");
    kit_raw_free(raw);
    kit_unchanged(&mark);
}

static void anonymous_quality_of_service(void **state)
{
    (void)state;
    if (kit_is_wine())
        kit_skip("Wine's pipes have the server's own token, whatever the client asked for");
    struct kit_mark mark;
    kit_mark(&mark, 0);
    struct kit_raw *raw = open_with(SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS);
    kit_raw_write(raw, HELLO, sizeof HELLO - 1, KIT_WAIT_MS);
    assert_true(kit_raw_ended(raw, KIT_WAIT_MS));
    kit_raw_free(raw);
    kit_unchanged(&mark);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(another_processs_proof),
        KIT_TEST(the_value_of_anothers_proof),
        KIT_TEST(the_proof_of_another_session),
        KIT_TEST(hello_and_prove_in_one_breath),
        KIT_TEST(something_else_where_the_proof_was),
        KIT_TEST(pipe_inherited_by_another_process),
        KIT_TEST(pipe_duplicated_before_hello),
        KIT_TEST(opener_gone_before_hello),
        KIT_TEST(opener_gone_before_it_proved),
        KIT_TEST(opener_gone_after_it_proved),
        KIT_TEST(opener_gone_before_it_was_accepted),
        KIT_TEST(openers_that_leave_at_once),
        KIT_TEST(no_quality_of_service),
        KIT_TEST(anonymous_quality_of_service),
    };
    return cmocka_run_group_tests_name("proof", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
