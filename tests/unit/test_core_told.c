/* Told and untold: writes that pend, fail, are cancelled; who ends in the middle of a hand-off. */
#include "core_pair.h"

#include <stdlib.h>

/* ---- the write's end decides ---- */

static void a_send_is_answered_when_the_write_has_ended(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t id = pair_send(&pair, 2);
    rig_run(pair.rig);
    assert_false(client_answered(pair.sender, id));
    assert_int_equal(fake_handles_untold(pair.target->process), 2);
    assert_int_equal(client_status(pair.sender).deliveries_pending, 1);
    client_write_ends(pair.target, true);
    client_result(pair.sender, id);
    client_delivered(pair.target);
    assert_int_equal(fake_handles_count(pair.target->process), 2);
    assert_int_equal(client_status(pair.sender).deliveries_pending, 0);
    assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
    rig_end(pair.rig);
}

static void an_untold_send_leaves_nothing(void **state)
{
    (void)state;
    for (int pends = 0; pends < 2; ++pends) {
        struct pair pair = pair_new(NULL, "{'name':'user/a'}");
        char *params = pair_params(&pair, 2, "Event", 3, NULL);
        uint64_t before = fake_hash(pair.rig->kernel);
        pair.target->connection->write_mode = pends ? FAKE_WRITE_PENDS : FAKE_WRITE_FAILS;
        uint32_t id = client_request_text(pair.sender, HBK_METHOD_HANDLE_SEND, params);
        rig_run(pair.rig);
        if (pends) {
            assert_false(client_answered(pair.sender, id));
            client_write_ends(pair.target, false);
        }
        client_error(pair.sender, id, HBK_R_TARGET_GONE);
        assert_true(before == fake_hash(pair.rig->kernel));
        client_nothing(pair.target);
        assert_true(client_ended(pair.target));
        client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_HANDLE_SEND, "%s", params);
        free(params);
        rig_end(pair.rig);
    }
}

static void sends_that_share_a_write_share_its_fate(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct pair pair = pair_new(NULL, "{'name':'user/a'}");
        /* Of one process: what others have caused is written first. */
        struct client *other = client_connect(pair.rig, pair.sender->process, 1);
        client_prove(other);
        pair.target->connection->write_mode = FAKE_WRITE_PENDS;
        uint32_t ids[] = {pair_send(&pair, 1), pair_send(&pair, 3)};
        uint32_t third = client_send(other, "user/a", client_make(other, "Event", 3));
        rig_run(pair.rig);
        assert_int_equal(pair.target->connection->writes, 3 + 1); /* one after hello, prove, open */
        assert_int_equal(fake_handles_untold(pair.target->process), 5);
        client_write_ends(pair.target, told);
        for (size_t i = 0; i < 2; ++i) {
            if (told)
                client_result(pair.sender, ids[i]);
            else
                client_error(pair.sender, ids[i], HBK_R_TARGET_GONE);
        }
        if (told)
            client_result(other, third);
        else
            client_error(other, third, HBK_R_TARGET_GONE);
        assert_int_equal(fake_handles_count(pair.target->process), told ? 5 : 0);
        rig_end(pair.rig);
    }
}

static void nothing_is_placed_while_a_write_pends(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t first = pair_send(&pair, 1);
    rig_run(pair.rig);
    uint32_t later[3];
    for (size_t i = 0; i < 3; ++i) {
        later[i] = pair_send(&pair, 1 + (unsigned)i);
        rig_run(pair.rig);
    }
    assert_int_equal(fake_handles_untold(pair.target->process), 1);
    assert_int_equal(fake_pins_held(pair.rig->kernel), 1 + 1 + 2 + 3); /* pinned, pending */
    pair.target->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(pair.target, true);
    client_result(pair.sender, first);
    assert_int_equal(client_delivered(pair.target)->items_count, 1);
    for (size_t i = 0; i < 3; ++i) {
        client_result(pair.sender, later[i]);
        assert_int_equal(client_delivered(pair.target)->items_count, i + 1); /* in their order */
    }
    rig_end(pair.rig);
}

/* An answer of any kind that pends blocks the target just as a delivery does. */
static void a_send_to_oneself_waits_for_ones_own_write(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(pair.target, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(pair.rig);
    uint32_t id = client_send(pair.target, "user/a", client_make(pair.target, "Event", 3));
    rig_run(pair.rig);
    assert_int_equal(fake_handles_untold(pair.target->process), 0);
    for (unsigned i = 0; pair.target->connection->pending; ++i) {
        assert_true(i < 4);
        client_write_ends(pair.target, true);
    }
    client_result(pair.target, id);
    client_delivered(pair.target);
    rig_end(pair.rig);
}

/* ---- a target that does not read ---- */

static void who_waits_for_a_target_that_does_not_read_is_told_busy(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct pair pair = pair_new(NULL, "{'name':'user/a'}");
        struct client *other = client_new(pair.rig, 102, 1);
        pair.target->connection->write_mode = FAKE_WRITE_PENDS;
        uint32_t first = pair_send(&pair, 1);
        rig_run(pair.rig);
        uint32_t second = pair_send(&pair, 1);
        uint32_t third = client_send(other, "user/a", client_make(other, "Event", 3));
        rig_run(pair.rig);
        rig_advance(pair.rig, pair.rig->config.write_ms - 1);
        assert_false(pair.target->connection->cancelled);
        rig_advance(pair.rig, 1);
        assert_true(pair.target->connection->cancelled);
        assert_false(client_answered(pair.sender, first)); /* still open: the end decides */
        /* A write that was cancelled may have been done all the same. */
        client_write_ends(pair.target, told);
        if (told)
            client_result(pair.sender, first);
        else
            client_error(pair.sender, first, HBK_R_BUSY);
        client_error(pair.sender, second, HBK_R_BUSY);
        client_error(other, third, HBK_R_BUSY);
        assert_true(client_ended(pair.target));
        assert_int_equal(fake_handles_count(pair.target->process), told ? 1 : 0);
        assert_int_equal(client_status(other).sessions, 2);
        rig_end(pair.rig);
    }
}

static void a_slow_reader_is_not_let_go(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    for (int i = 0; i < 5; ++i) {
        uint32_t id = pair_send(&pair, 1);
        rig_run(pair.rig);
        rig_advance(pair.rig, pair.rig->config.write_ms - 1);
        client_write_ends(pair.target, true);
        client_result(pair.sender, id);
    }
    assert_false(client_ended(pair.target));
    rig_end(pair.rig);
}

/* ---- who ends, and when ---- */

/* What the fake kernel and the rig check after each event is the point of these; the sender's answer must
 * agree with what the target was told. */
static void check_outcome(const struct pair *pair, uint32_t id, bool sender_lives)
{
    size_t told = client_untaken(pair->target);
    if (pair->target->process->running)
        assert_int_equal(fake_handles_count(pair->target->process), told ? 3 : 0);
    if (!sender_lives)
        return;
    assert_true(client_answered(pair->sender, id));
    const struct hbk_message *answer =
        &pair->sender->inbox[pair->sender->requests[id - 1].answer]->message;
    assert_int_equal(answer->kind, told ? HBK_MESSAGE_RESULT : HBK_MESSAGE_ERROR);
    if (!told)
        assert_int_equal(answer->error.code, HBK_R_TARGET_GONE);
}

static const enum fake_op hand_off_ops[] = {FAKE_OP_PIN, FAKE_OP_INSPECT, FAKE_OP_PLACE,
                                            FAKE_OP_WRITE, FAKE_OP_UNPIN};

static void the_target_may_end_inside_any_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hand_off_ops / sizeof hand_off_ops[0]; ++i) {
        for (uint32_t at = 1; at <= 3; ++at) {
            for (int after = 0; after < 2; ++after) {
                struct pair pair = pair_new(NULL, "{'name':'user/a'}");
                fake_exit_at(pair.rig->kernel, hand_off_ops[i], at, pair.target->process, after);
                uint32_t id = pair_send(&pair, 3);
                rig_run(pair.rig);
                client_exit(pair.target);
                check_outcome(&pair, id, true);
                assert_int_equal(client_status(pair.sender).sessions, 1);
                rig_end(pair.rig);
            }
        }
    }
}

static void the_source_may_end_inside_any_call(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hand_off_ops / sizeof hand_off_ops[0]; ++i) {
        for (uint32_t at = 1; at <= 3; ++at) {
            for (int after = 0; after < 2; ++after) {
                struct pair pair = pair_new(NULL, "{'name':'user/a'}");
                fake_exit_at(pair.rig->kernel, hand_off_ops[i], at, pair.sender->process, after);
                uint32_t id = pair_send(&pair, 3);
                rig_run(pair.rig);
                client_exit(pair.sender);
                check_outcome(&pair, id, false);
                assert_int_equal(client_status(pair.target).sessions, 1);
                assert_int_equal(client_status(pair.target).deliveries_pending, 0);
                rig_end(pair.rig);
            }
        }
    }
}

static void the_target_may_hang_up_while_its_write_pends(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        for (int exits = 0; exits < 2; ++exits) {
            struct pair pair = pair_new(NULL, "{'name':'user/a'}");
            pair.target->connection->write_mode = FAKE_WRITE_PENDS;
            uint32_t first = pair_send(&pair, 3);
            rig_run(pair.rig);
            uint32_t second = pair_send(&pair, 1);
            rig_run(pair.rig);
            if (exits)
                client_exit(pair.target);
            else
                client_hang_up(pair.target);
            client_error(pair.sender, second, HBK_R_TARGET_GONE);
            assert_false(client_answered(pair.sender, first));
            client_write_ends(pair.target, told);
            check_outcome(&pair, first, true);
            assert_true(pair.target->connection->released);
            rig_end(pair.rig);
        }
    }
}

static void the_sender_may_hang_up_while_the_write_pends(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct pair pair = pair_new(NULL, "{'name':'user/a'}");
        pair.target->connection->write_mode = FAKE_WRITE_PENDS;
        pair_send(&pair, 3);
        rig_run(pair.rig);
        pair_send(&pair, 2); /* waits, and is dropped */
        rig_run(pair.rig);
        client_exit(pair.sender);
        pair.target->connection->write_mode = FAKE_WRITE_DONE;
        client_write_ends(pair.target, told);
        assert_int_equal(fake_handles_count(pair.target->process), told ? 3 : 0);
        assert_int_equal(client_untaken(pair.target), told ? 1 : 0);
        assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
        assert_true(pair.sender->connection->released);
        rig_end(pair.rig);
    }
}

/* The target guesses the value, closes it, and opens something of its own there: not ours to close. */
static void a_value_reused_by_the_target_stays(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t id = pair_send(&pair, 2);
    rig_run(pair.rig);
    fake_handle_close(pair.rig->kernel, pair.target->process, 4);
    assert_int_equal(client_make(pair.target, "Key", 1), 4);
    client_write_ends(pair.target, false);
    client_error(pair.sender, id, HBK_R_TARGET_GONE);
    assert_int_equal(fake_handles_count(pair.target->process), 1);
    assert_non_null(fake_handle_find(pair.target->process, 4));
    rig_end(pair.rig);
}

/* ---- the endpoint closes ---- */

static void close_is_answered_after_the_last_delivery(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct pair pair = pair_new(NULL, "{'name':'user/a'}");
        pair.target->connection->write_mode = FAKE_WRITE_PENDS;
        uint32_t first = pair_send(&pair, 1);
        rig_run(pair.rig);
        uint32_t second = pair_send(&pair, 1);
        rig_run(pair.rig);
        uint32_t close =
            client_request(pair.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
        rig_run(pair.rig);
        client_error(pair.sender, second, HBK_R_TARGET_GONE);
        assert_false(client_answered(pair.sender, first));
        assert_false(client_answered(pair.target, close));
        pair.target->connection->write_mode = FAKE_WRITE_DONE;
        client_write_ends(pair.target, told);
        if (told) {
            client_result(pair.sender, first);
            client_delivered(pair.target);
            client_result(pair.target, close);
        } else {
            client_error(pair.sender, first, HBK_R_TARGET_GONE);
        }
        assert_int_equal(client_status(pair.sender).endpoints, 0);
        rig_end(pair.rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_send_is_answered_when_the_write_has_ended),
        cmocka_unit_test(an_untold_send_leaves_nothing),
        cmocka_unit_test(sends_that_share_a_write_share_its_fate),
        cmocka_unit_test(nothing_is_placed_while_a_write_pends),
        cmocka_unit_test(a_send_to_oneself_waits_for_ones_own_write),
        cmocka_unit_test(who_waits_for_a_target_that_does_not_read_is_told_busy),
        cmocka_unit_test(a_slow_reader_is_not_let_go),
        cmocka_unit_test(the_target_may_end_inside_any_call),
        cmocka_unit_test(the_source_may_end_inside_any_call),
        cmocka_unit_test(the_target_may_hang_up_while_its_write_pends),
        cmocka_unit_test(the_sender_may_hang_up_while_the_write_pends),
        cmocka_unit_test(a_value_reused_by_the_target_stays),
        cmocka_unit_test(close_is_answered_after_the_last_delivery),
    };
    return cmocka_run_group_tests_name("core: told and untold", tests, NULL, NULL);
}
