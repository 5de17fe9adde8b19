/* Queued bytes: who does not read what it is told, or sends faster than it is served, is not read from, and
 * neither harms others nor stays for ever. */
#include "core_pair.h"
#include "quota.h"

#include <stdlib.h>
#include <string.h>

enum { SHARE = 200000 };

static struct hbk_config config_new(void)
{
    struct hbk_config config;
    hbk_config_default(&config);
    config.queued_bytes = 2 * SHARE;
    config.write_queue_bytes = 1048576; /* so that only the user's share holds anybody back */
    config.line_ms = 1000;
    config.write_ms = 50000;
    return config;
}

static uint64_t bytes_of(struct client *client)
{
    return client_status(client).quotas[HBK_QUOTA_QUEUED_BYTES].yours;
}

/* Answers gather for a client that does not read, until about @bytes are there. */
static void let_gather(struct client *client, struct client *witness, uint64_t bytes)
{
    client->connection->write_mode = FAKE_WRITE_PENDS;
    uint64_t before = bytes_of(witness);
    for (int i = 0; bytes_of(witness) < before + bytes; ++i) {
        assert_true(i < 10000);
        client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
        rig_run(client->rig);
    }
}

static void read_all(struct client *client)
{
    client->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(client, true);
}

static void who_is_over_its_share_is_not_read(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    struct rig *rig = rig_new(&config, 1);
    struct client *small = client_new(rig, 100, 1);
    struct client *greedy[2] = {client_new(rig, 101, 1), client_new(rig, 102, 1)};
    struct client *other = client_new(rig, 103, 2);
    let_gather(greedy[0], small, 120000);
    assert_false(greedy[0]->connection->paused);
    greedy[1]->connection->write_mode = FAKE_WRITE_PENDS;
    for (int i = 0; !greedy[1]->connection->paused; ++i) {
        assert_true(i < 10000);
        client_request(greedy[1], HBK_METHOD_BROKER_STATUS, NULL);
        rig_run(rig);
    }
    /* Who has more than a line waits, who has not does not; and nobody of another user. */
    assert_true(greedy[1]->connection->paused);
    assert_true(bytes_of(small) > SHARE);
    assert_false(small->connection->paused);
    assert_false(other->connection->paused);
    client_ok(other, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_ok(other, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}",
              client_make(other, "Event", 3));
    struct client *refused = client_connect(rig, fake_process_start(rig->kernel, 104), 1);
    assert_string_equal(client_null_error(refused, HBK_R_QUOTA)->limit, "queued_bytes_per_user");
    assert_true(client_ended(refused));
    client_new(rig, 105, 2);

    /* The second goes on when the first has read, though itself it has not. */
    read_all(greedy[0]);
    assert_true(bytes_of(small) < SHARE);
    assert_non_null(greedy[1]->connection->pending);
    assert_false(greedy[1]->connection->paused);
    client_new(rig, 106, 1);
    read_all(greedy[1]);
    client_fail_if_unanswered(greedy[0]);
    client_fail_if_unanswered(greedy[1]);
    assert_int_equal(bytes_of(other), 0);
    rig_end(rig);
}

static void a_higher_limit_wakes(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    struct rig *rig = rig_new(&config, 1);
    struct client *small = client_new(rig, 100, 1), *greedy = client_new(rig, 101, 1);
    let_gather(greedy, small, SHARE);
    client_request(greedy, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(rig);
    assert_true(greedy->connection->paused);
    config.queued_bytes *= 2;
    rig_configure(rig, &config, NULL, NULL);
    assert_false(greedy->connection->paused);
    assert_non_null(greedy->connection->pending);
    rig_end(rig);
}

static void a_line_that_is_not_read_has_time(void **state)
{
    (void)state;
    for (int ends = 0; ends < 2; ++ends) {
        struct hbk_config config = config_new();
        struct rig *rig = rig_new(&config, 1);
        struct client *witness = client_new(rig, 100, 1), *client = client_new(rig, 101, 1);
        client->connection->write_mode = FAKE_WRITE_PENDS;
        /* So many answers, and the start of one more line, that it is held back in the middle. */
        size_t asked = 0;
        while (!client->connection->paused) {
            client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
            rig_run(rig);
            assert_true(++asked < 10000);
            if (bytes_of(witness) > SHARE - 3000 && client->outbound.size == 0)
                break;
        }
        assert_false(client->connection->paused);
        client->raw = true;
        char blanks[8000];
        memset(blanks, ' ', sizeof blanks);
        client_bytes(client, blanks, sizeof blanks); /* no line yet */
        rig_run(rig);
        assert_true(client->connection->paused);
        rig_advance(rig, (uint64_t)5 * config.line_ms);
        assert_false(client_ended(client));
        read_all(client);
        assert_false(client->connection->paused);
        rig_advance(rig, config.line_ms - 1);
        assert_false(client_ended(client));
        if (ends) {
            const char line[] =
                "{\"jsonrpc\":\"2.0\",\"id\":900000,\"method\":\"broker.status\"}\n";
            client_bytes(client, line, sizeof line - 1);
            rig_run(rig);
        }
        rig_advance(rig, 1);
        assert_int_equal(client_ended(client), !ends);
        rig_end(rig);
    }
}

/* The same where the line's time runs already when its client is held back. */
static void a_line_that_is_read_no_longer_has_time(void **state)
{
    (void)state;
    for (int ends = 0; ends < 2; ++ends) {
        struct hbk_config config = config_new(), less = config_new();
        less.queued_bytes = HBK_LINE_BYTES_MAX;
        struct rig *rig = rig_new(&config, 1);
        struct client *witness = client_new(rig, 100, 1), *client = client_new(rig, 101, 1);
        let_gather(client, witness, SHARE / 2);
        client->raw = true;
        client_bytes(client, "{\"jsonrpc\":\"2.0\",", 18);
        rig_run(rig);
        rig_advance(rig, config.line_ms - 1);
        assert_false(client->connection->paused);
        rig_configure(rig, &less, NULL, NULL);
        assert_true(client->connection->paused);
        rig_advance(rig, (uint64_t)5 * config.line_ms);
        rig_configure(rig, &config, NULL, NULL);
        assert_false(client->connection->paused);
        rig_advance(rig, config.line_ms - 1);
        assert_int_equal(client_status(witness).sessions_proven, 2);
        if (ends) {
            const char line[] = "\"id\":900000,\"method\":\"broker.status\"}\n";
            client_bytes(client, line, sizeof line - 1);
            rig_run(rig);
        }
        rig_advance(rig, 1);
        assert_int_equal(client_status(witness).sessions_proven, ends ? 2 : 1);
        rig_end(rig);
    }
}

static void who_never_reads_is_let_go(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    struct rig *rig = rig_new(&config, 1);
    struct client *small = client_new(rig, 100, 1), *greedy = client_new(rig, 101, 1);
    let_gather(greedy, small, SHARE);
    client_bytes(greedy, "{", 1);
    rig_run(rig);
    assert_true(greedy->connection->paused);
    rig_advance(rig, config.write_ms - 1);
    assert_false(client_ended(greedy));
    rig_advance(rig, 1);
    assert_true(client_ended(greedy));
    assert_true(bytes_of(small) > 0); /* until the cancelled write has ended */
    client_write_ends(greedy, false);
    assert_int_equal(bytes_of(small), 0);
    client_new(rig, 102, 1);
    rig_end(rig);
}

/* Nor does being held back buy time to prove who one is. */
static void who_never_proves_is_let_go(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    struct rig *rig = rig_new(&config, 1);
    struct client *small = client_new(rig, 100, 1);
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, 101), 1);
    let_gather(client, small, SHARE);
    client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(rig);
    assert_true(client->connection->paused);
    rig_advance(rig, config.hello_ms - 1);
    assert_int_equal(client_status(small).sessions, 2);
    rig_advance(rig, 1);
    client_write_ends(client, true);
    client_write_ends(client, true);
    assert_true(client_ended(client));
    client_null_error(client, HBK_R_TIMEOUT);
    assert_int_equal(bytes_of(small), 0);
    rig_end(rig);
}

/* What came and is no line yet counts too. */
static void lines_that_wait_are_charged(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    struct rig *rig = rig_new(&config, 1);
    struct client *client = client_new(rig, 100, 1), *witness = client_new(rig, 101, 1);
    char *blanks = malloc(HBK_LINE_BYTES_MAX);
    assert_non_null(blanks);
    memset(blanks, ' ', HBK_LINE_BYTES_MAX);
    client->raw = true;
    client_bytes(client, blanks, 60000);
    rig_run(rig);
    assert_int_equal(bytes_of(witness), 60000);
    client_bytes(client, "\n", 1);
    rig_run(rig);
    client_null_error(client, HBK_R_PARSE_ERROR);
    assert_int_equal(bytes_of(witness), 0);
    free(blanks);
    rig_end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_over_its_share_is_not_read),
        cmocka_unit_test(a_higher_limit_wakes),
        cmocka_unit_test(a_line_that_is_not_read_has_time),
        cmocka_unit_test(a_line_that_is_read_no_longer_has_time),
        cmocka_unit_test(who_never_reads_is_let_go),
        cmocka_unit_test(who_never_proves_is_let_go),
        cmocka_unit_test(lines_that_wait_are_charged),
    };
    return cmocka_run_group_tests_name("core: queued bytes", tests, NULL, NULL);
}
