/* A send of many handles is pinned in pieces, with turns of others in between, and its pins are closed so too.
 * Whatever happens between two pieces, all of it arrives or none, and its sender's lines keep their order. */
#include "core_pair.h"
#include "core_policy.h"

#include <stdio.h>
#include <stdlib.h>

#define OPEN "{'name':'user/a'}"

/* A send of as many handles as there may be, with its first pieces pinned and others not. */
struct half {
    struct pair pair;
    struct client *other;
    uint32_t id;
};

static struct half half_new(const struct hbk_config *config, const char *type, unsigned wait_ms)
{
    struct half half = {.pair = pair_new(config, OPEN)};
    char params[64 + HBK_ITEMS_MAX * 32];
    half.other = client_new(half.pair.rig, 300, 1);
    int size = snprintf(params, sizeof params, "{'to':'user/a','wait_ms':%u,'items':[", wait_ms);
    for (unsigned i = 0; i < HBK_ITEMS_MAX; ++i)
        size += snprintf(params + size, sizeof params - (size_t)size, "%s{'handle':%u}",
                         i > 0 ? "," : "", client_make(half.pair.sender, type, 3));
    snprintf(params + size, sizeof params - (size_t)size, "]}");
    half.id = client_request_text(half.pair.sender, HBK_METHOD_HANDLE_SEND, params);
    assert_true(rig_turn(half.pair.rig));
    uint32_t pinned = fake_pins_held(half.pair.rig->kernel);
    assert_true(pinned > 0 && pinned < HBK_ITEMS_MAX);
    return half;
}

/* Nothing arrived, and nothing of it is left. */
static void half_ended(struct half *half, int32_t code)
{
    client_error(half->pair.sender, half->id, code);
    assert_int_equal(fake_trace_count(half->pair.rig->kernel, FAKE_OP_PLACE), 0);
    assert_int_equal(fake_pins_held(half->pair.rig->kernel), 0);
    client_nothing(half->pair.target);
}

static void half_arrived(struct half *half)
{
    assert_int_equal(client_result(half->pair.sender, half->id)->u.result.send.items_count,
                     HBK_ITEMS_MAX);
    assert_int_equal(client_delivered(half->pair.target)->items_count, HBK_ITEMS_MAX);
    assert_int_equal(fake_pins_held(half->pair.rig->kernel), 0);
}

static void lines_behind_it_keep_their_order(void **state)
{
    (void)state;
    struct half half = half_new(NULL, "Event", 0);
    struct client *sender = half.pair.sender;
    uint32_t event = client_make(sender, "Event", 3);
    uint32_t behind = client_send(sender, "user/a", event);
    uint32_t after = client_request(sender, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(half.pair.rig);
    half_arrived(&half);
    assert_int_equal(client_delivered(half.pair.target)->items_count, 1);
    client_result(sender, behind);
    client_result(sender, after);
    rig_end(half.pair.rig);
}

static void others_are_served_in_between(void **state)
{
    (void)state;
    struct half half = half_new(NULL, "Event", 0);
    struct client *target = half.pair.target;
    uint32_t id = client_request(target, HBK_METHOD_BROKER_STATUS, NULL);
    while (!client_answered(target, id))
        assert_true(rig_turn(half.pair.rig));
    assert_false(client_answered(half.pair.sender, half.id));
    /* Pins are charged before they are made. */
    assert_int_equal(client_result(target, id)->u.result.status.pins, HBK_ITEMS_MAX);
    assert_true(hbk_core_pins(half.pair.rig->core) < HBK_ITEMS_MAX);
    rig_run(half.pair.rig);
    half_arrived(&half);
    assert_int_equal(client_status(target).pins, 0);
    rig_end(half.pair.rig);
}

static void a_late_item_refuses_all(void **state)
{
    (void)state;
    struct half half = half_new(NULL, "Event", 0);
    fake_handle_close(half.pair.rig->kernel, half.pair.sender->process, HBK_ITEMS_MAX * 4);
    rig_run(half.pair.rig);
    assert_int_equal(client_error(half.pair.sender, half.id, HBK_R_BAD_HANDLE)->item,
                     HBK_ITEMS_MAX - 1);
    assert_int_equal(fake_trace_count(half.pair.rig->kernel, FAKE_OP_PLACE), 0);
    assert_int_equal(fake_pins_held(half.pair.rig->kernel), 0);
    client_nothing(half.pair.target);
    assert_int_equal(client_status(half.pair.target).pins, 0);
    rig_end(half.pair.rig);
}

static void its_sender_ends(void **state)
{
    (void)state;
    for (int exits = 0; exits < 2; ++exits) {
        struct half half = half_new(NULL, "Event", 0);
        if (exits)
            client_exit(half.pair.sender);
        else
            client_hang_up(half.pair.sender);
        assert_int_equal(fake_trace_count(half.pair.rig->kernel, FAKE_OP_PLACE), 0);
        assert_int_equal(fake_pins_held(half.pair.rig->kernel), 0);
        assert_true(half.pair.sender->connection->released);
        client_nothing(half.pair.target);
        assert_int_equal(client_status(half.pair.target).pins, 0);
        rig_end(half.pair.rig);
    }
}

static void its_process_ends_in_a_piece(void **state)
{
    (void)state;
    struct half half = half_new(NULL, "Event", 0);
    fake_exit_at(half.pair.rig->kernel, FAKE_OP_PIN, 3, half.pair.sender->process, false);
    rig_run(half.pair.rig);
    client_hang_up(half.pair.sender);
    assert_int_equal(fake_pins_held(half.pair.rig->kernel), 0);
    client_nothing(half.pair.target);
    rig_end(half.pair.rig);
}

static void its_endpoint_closes(void **state)
{
    (void)state;
    for (unsigned waits = 0; waits < 2; ++waits) {
        struct half half = half_new(NULL, "Event", waits * 1000);
        client_request(half.pair.target, HBK_METHOD_ENDPOINT_CLOSE, OPEN);
        rig_run(half.pair.rig);
        if (waits) {
            assert_false(client_answered(half.pair.sender, half.id));
            assert_int_equal(fake_pins_held(half.pair.rig->kernel), HBK_ITEMS_MAX);
            client_ok(half.pair.target, HBK_METHOD_ENDPOINT_OPEN, OPEN);
            half_arrived(&half);
        } else {
            client_result(half.pair.target, (uint32_t)half.pair.target->requests_count);
            half_ended(&half, HBK_R_NOT_FOUND);
        }
        rig_end(half.pair.rig);
    }
}

static void another_endpoint_takes_its_place(void **state)
{
    (void)state;
    for (int takes = 0; takes < 2; ++takes) {
        struct half half = half_new(NULL, "Event", 0);
        struct client *target = half.pair.target;
        client_request(target, HBK_METHOD_ENDPOINT_CLOSE, OPEN);
        uint32_t open =
            client_request(target, HBK_METHOD_ENDPOINT_OPEN,
                           "{'name':'user/a','types':{'%s':'any'}}", takes ? "Event" : "Section");
        rig_run(half.pair.rig);
        client_result(target, open - 1);
        client_result(target, open);
        if (takes)
            half_arrived(&half);
        else
            half_ended(&half, HBK_R_ACCESS_NOT_ACCEPTED);
        rig_end(half.pair.rig);
    }
}

static void other_rules_are_loaded(void **state)
{
    (void)state;
    const struct {
        uint32_t access_max;
        int32_t code;
    } rows[] = {{0x3, HBK_R_OK}, {0x1, HBK_R_DENIED}};
    for (size_t i = 0; i < 2; ++i) {
        struct half half = half_new(NULL, "Event", 0);
        RIG_RULES(half.pair.rig,
                  {.name = "user/*", .types = "Event", .access_max = rows[i].access_max});
        if (rows[i].code == HBK_R_OK)
            half_arrived(&half);
        else
            half_ended(&half, rows[i].code);
        rig_end(half.pair.rig);
    }
}

static void the_service_stops(void **state)
{
    (void)state;
    struct half half = half_new(NULL, "Event", 0);
    rig_stop(half.pair.rig);
    half_ended(&half, HBK_R_STOPPING);
    rig_end(half.pair.rig);
}

/* What is charged for handles that are not pinned yet is another session's no more than if they were. */
static void it_is_charged_from_the_start(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.pins = 2 * HBK_ITEMS_MAX;
    struct half half = half_new(&config, "Event", 0);
    struct client *second = half.pair.target; /* of the same user */
    uint32_t event = client_make(second, "Event", 3);
    uint32_t refused = client_send(second, "user/a", event);
    while (!client_answered(second, refused))
        assert_true(rig_turn(half.pair.rig));
    assert_string_equal(client_error(second, refused, HBK_R_QUOTA)->limit, "pins_per_user");
    rig_run(half.pair.rig);
    half_arrived(&half);
    /* And given back, of one that failed half way too. */
    for (int i = 0; i < 3; ++i) {
        fake_fail(half.pair.rig->kernel, FAKE_OP_PIN, 7, HBK_R_OS_ERROR, 1450);
        char *params = pair_params(&half.pair, HBK_ITEMS_MAX, "Event", 3, NULL);
        client_refused(half.pair.sender, HBK_R_OS_ERROR, HBK_METHOD_HANDLE_SEND, "%s", params);
        free(params);
    }
    client_ok(second, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}", event);
    assert_int_equal(client_delivered(second)->items_count, 1);
    assert_int_equal(client_status(second).pins, 0);
    rig_end(half.pair.rig);
}

/* ---- places ---- */

/* All are pinned, some are placed, others not. */
static struct half half_placed(void)
{
    struct half half = half_new(NULL, "Event", 0);
    while (fake_handles_untold(half.pair.target->process) == 0)
        assert_true(rig_turn(half.pair.rig));
    assert_int_equal(fake_pins_held(half.pair.rig->kernel), HBK_ITEMS_MAX);
    assert_true(fake_handles_untold(half.pair.target->process) < HBK_ITEMS_MAX);
    return half;
}

/* Its own lines, and what others send to it, do not wait for the last of many. */
static void a_target_is_served_while_it_is_placed(void **state)
{
    (void)state;
    struct half half = half_placed();
    struct rig *rig = half.pair.rig;
    struct client *other = half.other;
    struct client *target = half.pair.target;
    uint32_t event = client_make(other, "Event", 3);
    assert_true(fake_handles_untold(target->process) < HBK_ITEMS_MAX);
    uint32_t id = client_send(other, "user/a", event);
    uint32_t status = client_request(target, HBK_METHOD_BROKER_STATUS, NULL);
    while (!client_answered(other, id) || !client_answered(target, status))
        assert_true(rig_turn(rig));
    assert_false(client_answered(half.pair.sender, half.id));
    client_result(other, id);
    client_result(target, status);
    assert_int_equal(client_delivered(target)->items_count, 1);
    rig_run(rig);
    half_arrived(&half);
    rig_end(rig);
}

/* A write that pends in between: nothing is placed until it has ended, whichever way. */
static void a_write_pends_while_it_is_placed(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct half half = half_placed();
        struct rig *rig = half.pair.rig;
        struct client *target = half.pair.target;
        target->connection->write_mode = FAKE_WRITE_PENDS;
        uint32_t status = client_request(target, HBK_METHOD_BROKER_STATUS, NULL);
        rig_run(rig);
        uint32_t placed = fake_handles_untold(target->process);
        assert_true(placed > 0 && placed < HBK_ITEMS_MAX);
        assert_false(client_answered(half.pair.sender, half.id));
        target->connection->write_mode = FAKE_WRITE_DONE;
        client_write_ends(target, told);
        if (told) {
            client_result(target, status);
            half_arrived(&half);
        } else {
            assert_true(client_ended(target));
            assert_int_equal(fake_handles_untold(target->process), 0);
            client_error(half.pair.sender, half.id, HBK_R_TARGET_GONE);
            assert_int_equal(fake_pins_held(rig->kernel), 0);
        }
        rig_end(rig);
    }
}

/* Answers that wait go out before the first is placed, and the end of that write goes on with what was accepted. */
static void an_accepted_one_is_placed_behind_many_answers(void **state)
{
    (void)state;
    for (unsigned answers = 1; answers < 60; answers += 7) {
        struct pair pair = pair_new(NULL, "{'name':'user/a','mode':'ask'}");
        char *params = pair_params(&pair, HBK_ITEMS_MAX, "Event", 3, NULL);
        uint32_t id = client_request_text(pair.sender, HBK_METHOD_HANDLE_SEND, params);
        free(params);
        rig_run(pair.rig);
        uint64_t delivery = client_offered(pair.target)->delivery;
        pair.target->connection->write_mode = FAKE_WRITE_PENDS;
        for (unsigned i = 0; i < answers; ++i)
            client_request(pair.target, HBK_METHOD_BROKER_STATUS, NULL);
        uint32_t accept = client_request(pair.target, HBK_METHOD_DELIVERY_ACCEPT,
                                         "{'delivery':%llu}", (unsigned long long)delivery);
        rig_run(pair.rig);
        pair.target->connection->write_mode = FAKE_WRITE_DONE;
        client_write_ends(pair.target, true);
        assert_int_equal(client_result(pair.target, accept)->u.result.accept.items_count,
                         HBK_ITEMS_MAX);
        client_result(pair.sender, id);
        for (uint32_t i = 1; i <= answers; ++i)
            client_result(pair.target, accept - i);
        rig_end(pair.rig);
    }
}

/* What was placed is taken back, whatever ends it. */
static void it_ends_while_it_is_placed(void **state)
{
    (void)state;
    for (int how = 0; how < 4; ++how) {
        struct half half = half_placed();
        struct rig *rig = half.pair.rig;
        struct client *target = half.pair.target;
        if (how == 0)
            client_hang_up(half.pair.sender);
        else if (how == 1)
            client_request(target, HBK_METHOD_ENDPOINT_CLOSE, OPEN);
        else if (how == 2)
            fake_fail(rig->kernel, FAKE_OP_PLACE, 3, HBK_R_OS_ERROR, 1450);
        else
            rig_stop(rig);
        rig_run(rig);
        assert_int_equal(fake_handles_untold(target->process), 0);
        assert_int_equal(fake_pins_held(rig->kernel), 0);
        const int32_t codes[] = {HBK_R_OK, HBK_R_TARGET_GONE, HBK_R_OS_ERROR, HBK_R_STOPPING};
        if (how == 1)
            client_result(target, (uint32_t)target->requests_count);
        if (how > 0)
            client_error(half.pair.sender, half.id, codes[how]);
        client_nothing(target);
        rig_end(rig);
    }
}

/* ---- closes ---- */

/* Of a File a close may return before the next piece is begun. */
static void closes_return_between_pieces(void **state)
{
    (void)state;
    for (int sender_ends = 0; sender_ends < 2; ++sender_ends) {
        struct half half = half_new(NULL, "File", 0);
        struct rig *rig = half.pair.rig;
        rig->kernel->unpins_pend = true;
        bool ended = false;
        for (unsigned turns = 0; fake_pins_held(rig->kernel) > 0 || turns < 20; ++turns) {
            assert_true(turns < 1000);
            rig_turn(rig);
            for (uint32_t left = fake_pins_closing(rig->kernel); left > 0; --left)
                rig_unpin_end(rig, left - 1);
            if (sender_ends && !ended && client_answered(half.pair.sender, half.id)) {
                ended = half.pair.sender->hung_up = true;
                hbk_core_session_closed(rig->core, half.pair.sender->session);
            }
        }
        rig_run(rig);
        assert_int_equal(ended, sender_ends);
        assert_int_equal(half.pair.sender->connection->released, sender_ends);
        half_arrived(&half);
        rig_end(rig);
    }
}

/* A target that is gone with what it was not told of: that too takes turns, and the answer comes after the last. */
static void what_was_not_told_is_taken_back_in_pieces(void **state)
{
    (void)state;
    for (int sender_ends = 0; sender_ends < 2; ++sender_ends) {
        struct half half = half_new(NULL, "Event", 0);
        struct rig *rig = half.pair.rig;
        struct client *target = half.pair.target, *sender = half.pair.sender;
        target->connection->write_mode = FAKE_WRITE_PENDS;
        rig_run(rig);
        assert_int_equal(fake_handles_untold(target->process), HBK_ITEMS_MAX);
        client_hang_up(target);
        if (sender_ends)
            client_hang_up(sender);
        assert_int_equal(fake_handles_untold(target->process), HBK_ITEMS_MAX);
        fake_trace_clear(rig->kernel);
        fake_write_end(target->connection, false);
        hbk_core_written(rig->core, target->session, false);
        assert_int_equal(fake_trace_count(rig->kernel, FAKE_OP_UNPLACE), HBK_WORK_PER_PIECE);
        while (fake_handles_untold(target->process) > 0) {
            assert_false(client_answered(sender, half.id));
            assert_false(target->connection->released);
            rig_turn(rig);
        }
        rig_run(rig);
        assert_int_equal(fake_trace_count(rig->kernel, FAKE_OP_UNPLACE), HBK_ITEMS_MAX);
        assert_true(target->connection->released);
        assert_int_equal(fake_pins_held(rig->kernel), 0);
        if (sender_ends)
            assert_true(sender->connection->released);
        else
            client_error(sender, half.id, HBK_R_TARGET_GONE);
        rig_end(rig);
    }
}

/* Who waits for its answer before it sends again is never refused for pins that are over. */
static void a_sender_at_its_limit_goes_on(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.pins_per_session = HBK_ITEMS_MAX;
    struct pair pair = pair_new(&config, OPEN);
    for (int i = 0; i < 5; ++i) {
        char *params = pair_params(&pair, HBK_ITEMS_MAX, "Event", 3, NULL);
        uint32_t id = client_request_text(pair.sender, HBK_METHOD_HANDLE_SEND, params);
        free(params);
        while (!client_answered(pair.sender, id))
            rig_turn(pair.rig);
        client_result(pair.sender, id);
        client_delivered(pair.target);
        assert_true(fake_pins_held(pair.rig->kernel) > 0); /* not all are closed yet */
    }
    rig_run(pair.rig);
    rig_end(pair.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_behind_it_keep_their_order),
        cmocka_unit_test(others_are_served_in_between),
        cmocka_unit_test(a_late_item_refuses_all),
        cmocka_unit_test(its_sender_ends),
        cmocka_unit_test(its_process_ends_in_a_piece),
        cmocka_unit_test(its_endpoint_closes),
        cmocka_unit_test(another_endpoint_takes_its_place),
        cmocka_unit_test(other_rules_are_loaded),
        cmocka_unit_test(the_service_stops),
        cmocka_unit_test(it_is_charged_from_the_start),
        cmocka_unit_test(a_target_is_served_while_it_is_placed),
        cmocka_unit_test(a_write_pends_while_it_is_placed),
        cmocka_unit_test(an_accepted_one_is_placed_behind_many_answers),
        cmocka_unit_test(it_ends_while_it_is_placed),
        cmocka_unit_test(closes_return_between_pieces),
        cmocka_unit_test(what_was_not_told_is_taken_back_in_pieces),
        cmocka_unit_test(a_sender_at_its_limit_goes_on),
    };
    return cmocka_run_group_tests_name("core: sends in pieces", tests, NULL, NULL);
}
