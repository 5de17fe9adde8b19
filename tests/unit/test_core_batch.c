/* Lines that gather: what carries a handle value is placed once what is queued before it has been sent off, and what
 * that finds out holds. And who else may stand behind one pid or one name. */
#include "core_pair.h"
#include "core_policy.h"

#include "alloc_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define SEND HBK_METHOD_HANDLE_SEND

/* ---- behind much that is queued ---- */

/* The hello waits for a write that pends, with more than a batch behind it: that is written first, and whoever gets to
 * the hello then is the only one. */
static void hello_behind_many_answers(void **state)
{
    (void)state;
    for (unsigned fails = 0; fails < 2; ++fails) {
        struct rig *rig = rig_new(NULL, 1);
        struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
        client->connection->write_mode = FAKE_WRITE_PENDS;
        for (unsigned i = 0; i < 32; ++i) {
            client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
            rig_run(rig);
        }
        uint32_t id = client_request(client, HBK_METHOD_SESSION_HELLO,
                                     "{'protocol':[1],'client':{'name':'t','version':'1'}}");
        rig_run(rig);
        assert_int_equal(fake_trace_count(rig->kernel, FAKE_OP_PROOF_OPEN), 0);
        client->connection->write_mode = fails ? FAKE_WRITE_FAILS : FAKE_WRITE_DONE;
        client_write_ends(client, true);
        assert_int_equal(fake_trace_count(rig->kernel, FAKE_OP_PROOF_OPEN), fails ? 0 : 1);
        assert_int_equal(fake_handles_count(client->process), fails ? 0 : 1);
        if (!fails)
            client_result(client, id);
        assert_true(client_ended(client) == (fails == 1));
        rig_end(rig);
    }
}

/* And where its time is over before that write is, there is none. */
static void hello_behind_a_write_that_takes_too_long(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.hello_ms = 1000;
    struct rig *rig = rig_new(&config, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 100), 1);
    client->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(rig);
    client_request(client, HBK_METHOD_SESSION_HELLO,
                   "{'protocol':[1],'client':{'name':'t','version':'1'}}");
    rig_run(rig);
    rig_advance(rig, config.hello_ms);
    assert_false(client_ended(client));
    client->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(client, true);
    assert_true(client_ended(client));
    client_null_error(client, HBK_R_TIMEOUT);
    assert_int_equal(fake_trace_count(rig->kernel, FAKE_OP_PROOF_OPEN), 0);
    rig_end(rig);
}

static uint32_t send_much(struct pair *pair, const char *data)
{
    return client_request(pair->sender, SEND, "{'to':'user/a','items':[{'handle':%u}],'data':'%s'}",
                          client_make(pair->sender, "Event", 3), data);
}

/* Each of them fills half of a batch: the third is placed when the first two have been sent off. */
static void sends_that_fill_a_batch(void **state)
{
    (void)state;
    enum { SENDS = 8 };
    char data[HBK_DATA_BYTES_MAX + 1];
    memset(data, 'd', sizeof data - 1);
    data[sizeof data - 1] = '\0';
    for (unsigned fails = 0; fails < 2; ++fails) {
        struct pair pair = pair_new(NULL, "{'name':'user/a'}");
        uint32_t ids[SENDS];
        uint32_t writes = pair.target->connection->writes;
        pair.target->connection->write_mode = fails ? FAKE_WRITE_FAILS : FAKE_WRITE_DONE;
        for (size_t i = 0; i < SENDS; ++i)
            ids[i] = send_much(&pair, data);
        rig_run(pair.rig);
        for (size_t i = 0; i < SENDS; ++i) {
            if (!fails) {
                client_result(pair.sender, ids[i]);
                assert_int_equal(client_delivered(pair.target)->data.size, sizeof data - 1);
            } else if (i < 2) {
                client_error(pair.sender, ids[i], HBK_R_TARGET_GONE);
            } else {
                assert_true(client_answered(pair.sender, ids[i]));
            }
        }
        if (fails)
            assert_int_equal(fake_handles_count(pair.target->process), 0);
        else
            assert_true(pair.target->connection->writes - writes >= SENDS / 4);
        assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
        rig_end(pair.rig);
    }
}

/* What was queued for the target is sent off for a send that then fails: nothing is left to write. */
static void a_send_that_fails_behind_a_batch(void **state)
{
    (void)state;
    char data[HBK_DATA_BYTES_MAX + 1];
    memset(data, 'd', sizeof data - 1);
    data[sizeof data - 1] = '\0';
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t ids[3];
    uint32_t writes = pair.target->connection->writes;
    fake_fail(pair.rig->kernel, FAKE_OP_PLACE, 3, HBK_R_OS_ERROR, 1450);
    for (size_t i = 0; i < 3; ++i)
        ids[i] = send_much(&pair, data);
    rig_run(pair.rig);
    client_result(pair.sender, ids[0]);
    client_result(pair.sender, ids[1]);
    client_error(pair.sender, ids[2], HBK_R_OS_ERROR);
    client_delivered(pair.target);
    client_delivered(pair.target);
    client_nothing(pair.target);
    assert_int_equal(pair.target->connection->writes, writes + 1);
    rig_end(pair.rig);
}

/* ---- one pid, two users ---- */

/* A process whose threads are somebody else: its sessions are of two users, and are charged to each. */
static void a_process_of_two_users(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *one = client_new(rig, 100, 1);
    struct client *two = client_connect(rig, one->process, 2);
    client_prove(two);
    client_ok(one, OPEN, "{'name':'user/a'}");
    client_ok(two, OPEN, "{'name':'user/a'}");
    client_ok(two, SEND, "{'to':'user/a','items':[{'handle':%u}]}", client_make(two, "Event", 3));
    client_delivered(two);
    client_nothing(one);
    client_hang_up(one);
    client_ok(two, SEND, "{'to':'user/a','items':[{'handle':%u}]}", client_make(two, "Event", 3));
    client_delivered(two);
    rig_end(rig); /* rig_run() has compared what each is charged with a full count */
}

/* Such a process may have two endpoints of one name. Who was offered something at one is not told at the other. */
static void an_offer_stays_with_its_endpoint(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *sender = client_new(rig, 300, 3), *one = client_new(rig, 100, 1);
    struct client *two = client_connect(rig, one->process, 2);
    client_prove(two);
    fake_may_duplicate(rig->kernel, 300, 100, true);
    fake_grant(rig->kernel, "D:(A;;GA;;;AU)", 300, HBK_RIGHT_SEND);
    client_ok(one, OPEN, "{'name':'user/a','mode':'ask','from':'D:(A;;GA;;;AU)'}");
    client_ok(two, OPEN, "{'name':'user/a','mode':'ask'}");
    uint32_t id =
        client_request(sender, SEND, "{'to':{'name':'user/a','pid':100},'items':[{'handle':%u}]}",
                       client_make(sender, "Event", 3));
    rig_run(rig);
    client_nothing(two);
    unsigned long long delivery = client_offered(one)->delivery;
    fake_grant(rig->kernel, "D:(A;;GA;;;AU)", 300, 0);
    RIG_RULES(rig, {.name = "user/other", .send = "nobody"});
    uint32_t accept =
        client_request(one, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
    rig_run(rig);
    client_error(one, accept, HBK_R_NOT_FOUND);
    client_error(sender, id, HBK_R_NOT_FOUND);
    client_nothing(two);
    assert_int_equal(fake_handles_count(one->process), 0);
    /* Sent again, it goes to the other. */
    client_request(sender, SEND, "{'to':{'name':'user/a','pid':100},'items':[{'handle':4}]}");
    rig_run(rig);
    client_offered(two);
    client_nothing(one);
    rig_end(rig);
}

/* ---- what a session and a send reserve ---- */

/* Return: false once nothing was reached. */
static bool connect_and_send(uint32_t clients, uint32_t sends_count, size_t first)
{
    struct rig *rig = rig_new(NULL, 1);
    struct client *target = client_new(rig, 100, 1);
    client_ok(target, OPEN, "{'name':'user/a'}");
    for (uint32_t i = 1; i < clients; ++i)
        assert_non_null(client_connect(rig, target->process, 1));
    alloc_fault_arm(first);
    uint32_t sends[4];
    for (size_t i = 0; i < sends_count; ++i)
        sends[i] = client_request(target, SEND,
                                  "{'to':'user/late','items':[{'handle':%u}],'wait_ms':1000}",
                                  client_make(target, "Event", 3));
    rig_run(rig);
    bool connected = client_connect(rig, target->process, 1) != NULL;
    bool reached = alloc_fault_disarm() > first;
    if (!connected)
        assert_non_null(client_connect(rig, target->process, 1));
    if (!client_ended(target)) {
        client_ok(target, OPEN, "{'name':'user/late'}");
        for (size_t i = 0; i < sends_count; ++i)
            assert_true(client_answered(target, sends[i]));
    }
    rig_end(rig);
    return reached;
}

/* Room for a deadline is made before there is one; there are more of them than at first. */
static void without_room_for_a_deadline_nothing_begins(void **state)
{
    (void)state;
    if (!alloc_fault_works()) {
        print_message("skipped: this build cannot make allocations fail\n");
        skip();
    }
    /* 64 of them: the first that there is none for is a session's, or a send's. */
    size_t reached = 0;
    for (uint32_t clients = 60; clients < 66; ++clients)
        for (uint32_t sends = 0; sends <= 4; sends += 4)
            for (size_t first = 0; connect_and_send(clients, sends, first); ++first)
                ++reached;
    assert_true(reached > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_behind_many_answers),
        cmocka_unit_test(hello_behind_a_write_that_takes_too_long),
        cmocka_unit_test(sends_that_fill_a_batch),
        cmocka_unit_test(a_send_that_fails_behind_a_batch),
        cmocka_unit_test(a_process_of_two_users),
        cmocka_unit_test(an_offer_stays_with_its_endpoint),
        cmocka_unit_test(without_room_for_a_deadline_nothing_begins),
    };
    return cmocka_run_group_tests_name("core: batches", tests, NULL, NULL);
}
