/* Endpoints that are asked first: offer, accept, reject, and everything that may come between. */
#include "core_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK "{'name':'user/a','mode':'ask'}"

/* One send of @count events is offered. Return: the send's id; *ret_delivery names the offer. */
static uint32_t offer(const struct pair *pair, unsigned count, unsigned long long *ret_delivery)
{
    uint32_t id = pair_send(pair, count);
    rig_run(pair->rig);
    assert_false(client_answered(pair->sender, id));
    *ret_delivery = client_offered(pair->target)->delivery;
    return id;
}

/* ---- accept and reject ---- */

static void an_offer_names_no_values(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    uint32_t event = client_make(pair.sender, "Event", 0x1F0003);
    client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[{'handle':%u,'access':'read','inherit':true}],'data':"
                   "'take it?'}",
                   event);
    rig_run(pair.rig);
    const struct hbk_delivered *offered = client_offered(pair.target);
    assert_true(hbk_text_is(offered->endpoint, "user/a"));
    assert_true(hbk_text_is(offered->data, "take it?"));
    assert_int_equal(offered->from.session, pair.sender->session_id);
    assert_int_equal(offered->from.peer.pid, pair.sender->process->pid);
    assert_int_equal(offered->items_count, 1);
    assert_true(hbk_text_is(offered->items[0].type, "Event"));
    assert_int_equal(offered->items[0].access, 0x120001);
    assert_true(offered->items[0].inherit);
    assert_int_equal(fake_handles_count(pair.target->process), 0);
    assert_int_equal(fake_pins_held(pair.rig->kernel), 1);
    assert_int_equal(client_status(pair.target).deliveries_pending, 1);
    rig_end(pair.rig);
}

static void an_accepted_offer_is_placed(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    unsigned long long delivery;
    uint32_t id = offer(&pair, 3, &delivery);
    const struct hbk_accept_result *accepted =
        &client_ok(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery)
             ->u.result.accept;
    assert_int_equal(accepted->items_count, 3);
    for (uint32_t i = 0; i < 3; ++i)
        assert_true(fake_handle_is(pair.target->process, accepted->items[i].handle,
                                   fake_handle_find(pair.sender->process, (i + 1) * 4)->object));
    const struct hbk_send_result *sent = &client_result(pair.sender, id)->u.result.send;
    assert_int_equal(sent->delivery, delivery);
    assert_int_equal(sent->items_count, 3);
    assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
    client_nothing(pair.target);
    /* It is over: there is nothing to accept or reject twice. */
    client_refused(pair.target, HBK_R_NOT_FOUND, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                   delivery);
    client_refused(pair.target, HBK_R_NOT_FOUND, HBK_METHOD_DELIVERY_REJECT, "{'delivery':%llu}",
                   delivery);
    assert_int_equal(client_status(pair.sender).delivered, 1);
    rig_end(pair.rig);
}

static void a_rejected_offer_leaves_nothing(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    const char *reasons[] = {"", ",'reason':'not today'", ",'reason':''"};
    for (size_t i = 0; i < 3; ++i) {
        unsigned long long delivery;
        uint32_t id = offer(&pair, 2, &delivery);
        client_ok(pair.target, HBK_METHOD_DELIVERY_REJECT, "{'delivery':%llu%s}", delivery,
                  reasons[i]);
        const struct hbk_error *error = client_error(pair.sender, id, HBK_R_REJECTED);
        if (i == 1)
            assert_non_null(strstr(error->detail, "not today"));
        else
            assert_non_null(strstr(error->detail, "no reason"));
        assert_int_equal(fake_handles_count(pair.target->process), 0);
        assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
        client_refused(pair.target, HBK_R_NOT_FOUND, HBK_METHOD_DELIVERY_ACCEPT,
                       "{'delivery':%llu}", delivery);
    }
    assert_int_equal(client_status(pair.sender).failed, 3);
    rig_end(pair.rig);
}

static void reasons_are_limited(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    unsigned long long delivery;
    uint32_t id = offer(&pair, 1, &delivery);
    char reason[HBK_REASON_BYTES_MAX + 2];
    memset(reason, 'r', sizeof reason - 1);
    reason[sizeof reason - 1] = 0;
    client_refused(pair.target, HBK_R_INVALID_PARAMS, HBK_METHOD_DELIVERY_REJECT,
                   "{'delivery':%llu,'reason':'%s'}", delivery, reason);
    client_refused(pair.target, HBK_R_INVALID_PARAMS, HBK_METHOD_DELIVERY_ACCEPT,
                   "{'delivery':%llu,'reason':'x'}", delivery);
    reason[HBK_REASON_BYTES_MAX] = 0;
    client_ok(pair.target, HBK_METHOD_DELIVERY_REJECT, "{'delivery':%llu,'reason':'%s'}", delivery,
              reason);
    client_error(pair.sender, id, HBK_R_REJECTED);
    rig_end(pair.rig);
}

static void answers_to_nothing_are_not_found(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    struct client *other = client_new(pair.rig, 102, 1);
    unsigned long long delivery;
    uint32_t id = offer(&pair, 1, &delivery);
    const enum hbk_method methods[] = {HBK_METHOD_DELIVERY_ACCEPT, HBK_METHOD_DELIVERY_REJECT};
    struct client *clients[] = {other, pair.sender};
    const unsigned long long unknown[] = {delivery + 1, delivery ^ (1ull << 32), 1,
                                          HBK_INTEGER_MAX};
    for (size_t i = 0; i < 2; ++i) {
        /* Nobody but the target's own session may answer: also not the sender. */
        for (size_t j = 0; j < 2; ++j)
            client_refused(clients[j], HBK_R_NOT_FOUND, methods[i], "{'delivery':%llu}", delivery);
        for (size_t j = 0; j < sizeof unknown / sizeof unknown[0]; ++j)
            client_refused(pair.target, HBK_R_NOT_FOUND, methods[i], "{'delivery':%llu}",
                           unknown[j]);
        client_refused(pair.target, HBK_R_INVALID_PARAMS, methods[i], "{'delivery':-1}");
        client_refused(pair.target, HBK_R_INVALID_PARAMS, methods[i], "{'delivery':'%llu'}",
                       delivery);
        client_refused(pair.target, HBK_R_INVALID_PARAMS, methods[i], "{}");
    }
    assert_false(client_answered(pair.sender, id));
    client_ok(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
    client_result(pair.sender, id);
    rig_end(pair.rig);
}

/* A delivery of an auto endpoint is nobody's to accept, nor one that waits for its endpoint. */
static void only_offers_are_accepted(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t id = pair_send(&pair, 1);
    rig_run(pair.rig);
    unsigned long long delivery = client_delivered(pair.target)->delivery;
    client_result(pair.sender, id);
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(pair.target, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(pair.rig);
    pair_send(&pair, 1); /* blocked */
    rig_run(pair.rig);
    uint32_t guesses[64];
    for (unsigned i = 0; i < 32; ++i)
        guesses[i] = client_request(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                                    delivery + i);
    for (unsigned i = 32; i < 64; ++i)
        guesses[i] = client_request(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                                    delivery + ((unsigned long long)(i - 32) << 32));
    rig_run(pair.rig);
    pair.target->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(pair.target, true);
    for (unsigned i = 0; i < 64; ++i)
        client_error(pair.target, guesses[i], HBK_R_NOT_FOUND);
    client_delivered(pair.target);
    rig_end(pair.rig);
}

/* One that was accepted is an offer no longer: neither while it waits to be placed nor while it is told. */
static void an_offer_is_accepted_once(void **state)
{
    (void)state;
    const enum hbk_method methods[] = {HBK_METHOD_DELIVERY_ACCEPT, HBK_METHOD_DELIVERY_REJECT};
    struct pair pair = pair_new(NULL, ASK);
    unsigned long long delivery;
    uint32_t id = offer(&pair, 2, &delivery), again[4];
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(pair.target, HBK_METHOD_BROKER_STATUS, NULL);
    rig_run(pair.rig);
    uint32_t accept =
        client_request(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
    rig_run(pair.rig);
    for (unsigned i = 0; i < 2; ++i) {
        again[i] = client_request(pair.target, methods[i], "{'delivery':%llu}", delivery);
        rig_run(pair.rig);
    }
    assert_int_equal(fake_handles_untold(pair.target->process), 0);
    client_write_ends(pair.target, true); /* now it is placed, and its telling pends */
    assert_int_equal(fake_handles_untold(pair.target->process), 2);
    for (unsigned i = 0; i < 2; ++i) {
        again[2 + i] = client_request(pair.target, methods[i], "{'delivery':%llu}", delivery);
        rig_run(pair.rig);
    }
    assert_int_equal(fake_handles_untold(pair.target->process), 2);
    pair.target->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(pair.target, true);
    client_result(pair.target, accept);
    client_result(pair.sender, id);
    for (unsigned i = 0; i < 4; ++i)
        client_error(pair.target, again[i], HBK_R_NOT_FOUND);
    assert_int_equal(fake_handles_count(pair.target->process), 2);
    rig_end(pair.rig);
}

/* ---- deadlines ---- */

static void an_offer_has_a_deadline(void **state)
{
    (void)state;
    const unsigned timeouts[] = {1, 500, 60000, 0 /* left out */};
    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; ++i) {
        struct pair pair = pair_new(NULL, ASK);
        uint32_t event = client_make(pair.sender, "Event", 3);
        char text[32] = "";
        if (timeouts[i])
            snprintf(text, sizeof text, ",'timeout_ms':%u", timeouts[i]);
        uint32_t id = client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                                     "{'to':'user/a','items':[{'handle':%u}]%s}", event, text);
        rig_run(pair.rig);
        unsigned long long delivery = client_offered(pair.target)->delivery;
        rig_advance(pair.rig, (timeouts[i] ? timeouts[i] : HBK_TIMEOUT_MS_DEFAULT) - 1);
        assert_false(client_answered(pair.sender, id));
        rig_advance(pair.rig, 1);
        client_error(pair.sender, id, HBK_R_TIMEOUT);
        assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
        client_refused(pair.target, HBK_R_NOT_FOUND, HBK_METHOD_DELIVERY_ACCEPT,
                       "{'delivery':%llu}", delivery);
        client_nothing(pair.target);
        rig_end(pair.rig);
    }
}

static void accepted_in_time_is_in_time(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    unsigned long long delivery;
    uint32_t id = offer(&pair, 1, &delivery);
    rig_advance(pair.rig, HBK_TIMEOUT_MS_DEFAULT - 1);
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t accept =
        client_request(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
    rig_run(pair.rig);
    rig_advance(pair.rig, 5000); /* the order in which the core sees things decides */
    client_write_ends(pair.target, true);
    client_result(pair.target, accept);
    client_result(pair.sender, id);
    rig_end(pair.rig);
}

/* ---- somebody ends meanwhile ---- */

static void an_endpoint_that_closes_drops_its_offers(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    unsigned long long delivery;
    uint32_t id = offer(&pair, 2, &delivery);
    client_ok(pair.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    client_error(pair.sender, id, HBK_R_TARGET_GONE);
    client_refused(pair.target, HBK_R_NOT_FOUND, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                   delivery);
    assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
    client_nothing(pair.target);
    client_nothing(pair.sender);
    rig_end(pair.rig);
}

static void a_sender_that_ends_withdraws_its_offers(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    struct client *bystander = client_new(pair.rig, 102, 1);
    unsigned long long deliveries[3];
    for (size_t i = 0; i < 3; ++i)
        offer(&pair, 1, &deliveries[i]);
    client_exit(pair.sender);
    assert_int_equal(client_session_gone(pair.target)->session, pair.sender->session_id);
    client_nothing(pair.target); /* once, though it shared three */
    client_nothing(bystander);
    for (size_t i = 0; i < 3; ++i)
        client_refused(pair.target, HBK_R_NOT_FOUND, HBK_METHOD_DELIVERY_ACCEPT,
                       "{'delivery':%llu}", deliveries[i]);
    assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
    assert_int_equal(client_status(pair.target).deliveries_pending, 0);
    rig_end(pair.rig);
}

static void a_sender_with_nothing_offered_goes_quietly(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    unsigned long long delivery;
    uint32_t id = offer(&pair, 1, &delivery);
    client_ok(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
    client_result(pair.sender, id);
    client_exit(pair.sender);
    client_nothing(pair.target);
    assert_int_equal(fake_handles_count(pair.target->process), 1); /* what was told stays */
    rig_end(pair.rig);
}

static void a_target_that_ends_drops_its_offers(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    unsigned long long deliveries[2];
    uint32_t first = offer(&pair, 1, &deliveries[0]);
    uint32_t second = offer(&pair, 1, &deliveries[1]);
    uint64_t gone = pair.target->session_id;
    client_exit(pair.target);
    client_error(pair.sender, first, HBK_R_TARGET_GONE);
    client_error(pair.sender, second, HBK_R_TARGET_GONE);
    assert_int_equal(client_session_gone(pair.sender)->session, gone);
    client_nothing(pair.sender);
    assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
    rig_end(pair.rig);
}

/* ---- accepted, and then it goes wrong ---- */

static void a_place_that_fails_after_accept_fails_for_both(void **state)
{
    (void)state;
    for (uint32_t at = 1; at <= 3; ++at) {
        struct pair pair = pair_new(NULL, ASK);
        unsigned long long delivery;
        uint32_t id = offer(&pair, 3, &delivery);
        fake_fail(pair.rig->kernel, FAKE_OP_PLACE, at, HBK_R_OS_ERROR, 1450);
        uint32_t accept =
            client_request(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
        rig_run(pair.rig);
        const struct hbk_error *errors[] = {client_error(pair.target, accept, HBK_R_OS_ERROR),
                                            client_error(pair.sender, id, HBK_R_OS_ERROR)};
        for (size_t i = 0; i < 2; ++i) {
            assert_int_equal(errors[i]->item, at - 1);
            assert_int_equal(errors[i]->win32, 1450);
        }
        assert_int_equal(fake_handles_count(pair.target->process), 0);
        assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
        client_refused(pair.target, HBK_R_NOT_FOUND, HBK_METHOD_DELIVERY_ACCEPT,
                       "{'delivery':%llu}", delivery);
        rig_end(pair.rig);
    }
}

static void an_accept_that_is_not_told_is_undone(void **state)
{
    (void)state;
    for (int pends = 0; pends < 2; ++pends) {
        struct pair pair = pair_new(NULL, ASK);
        unsigned long long delivery;
        uint32_t id = offer(&pair, 2, &delivery);
        pair.target->connection->write_mode = pends ? FAKE_WRITE_PENDS : FAKE_WRITE_FAILS;
        client_request(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
        rig_run(pair.rig);
        if (pends) {
            assert_int_equal(fake_handles_untold(pair.target->process), 2);
            client_write_ends(pair.target, false);
        }
        client_error(pair.sender, id, HBK_R_TARGET_GONE);
        assert_int_equal(fake_handles_count(pair.target->process), 0);
        assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
        assert_true(client_ended(pair.target));
        rig_end(pair.rig);
    }
}

/* Accepted while a write is pending: nothing is placed until that has ended, however it ends. */
static void an_accept_waits_for_a_pending_write(void **state)
{
    (void)state;
    enum { TOLD, UNTOLD, SENDER_ENDS, ENDPOINT_CLOSES, CASES };
    for (int i = 0; i < CASES; ++i) {
        struct pair pair = pair_new(NULL, ASK);
        unsigned long long delivery;
        uint32_t id = offer(&pair, 2, &delivery);
        pair.target->connection->write_mode = FAKE_WRITE_PENDS;
        client_request(pair.target, HBK_METHOD_BROKER_STATUS, NULL);
        rig_run(pair.rig);
        uint32_t accept =
            client_request(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
        rig_run(pair.rig);
        assert_int_equal(fake_handles_untold(pair.target->process), 0);
        if (i == SENDER_ENDS)
            client_exit(pair.sender);
        if (i == ENDPOINT_CLOSES)
            client_request(pair.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
        rig_run(pair.rig);
        pair.target->connection->write_mode = FAKE_WRITE_DONE;
        client_write_ends(pair.target, i != UNTOLD);
        if (i == TOLD) {
            client_result(pair.target, accept);
            client_result(pair.sender, id);
        } else if (i == UNTOLD) {
            client_error(pair.sender, id, HBK_R_TARGET_GONE);
        } else if (i == SENDER_ENDS) {
            assert_int_equal(client_session_gone(pair.target)->session, pair.sender->session_id);
            client_error(pair.target, accept, HBK_R_NOT_FOUND);
        } else {
            client_error(pair.sender, id, HBK_R_TARGET_GONE);
            client_error(pair.target, accept, HBK_R_TARGET_GONE);
        }
        assert_int_equal(fake_handles_count(pair.target->process), i == TOLD ? 2 : 0);
        rig_end(pair.rig);
    }
}

static void a_target_may_end_inside_its_accept(void **state)
{
    (void)state;
    const enum fake_op ops[] = {FAKE_OP_PLACE, FAKE_OP_WRITE, FAKE_OP_UNPIN};
    for (size_t i = 0; i < 3; ++i) {
        for (uint32_t at = 1; at <= 2; ++at) {
            for (int after = 0; after < 2; ++after) {
                struct pair pair = pair_new(NULL, ASK);
                unsigned long long delivery;
                uint32_t id = offer(&pair, 2, &delivery);
                uint32_t accept = client_request(pair.target, HBK_METHOD_DELIVERY_ACCEPT,
                                                 "{'delivery':%llu}", delivery);
                fake_exit_at(pair.rig->kernel, ops[i], at, pair.target->process, after);
                rig_run(pair.rig);
                bool told = pair.target->requests[accept - 1].answers > 0;
                client_exit(pair.target);
                assert_true(client_answered(pair.sender, id));
                const struct hbk_message *answer =
                    &pair.sender->inbox[pair.sender->requests[id - 1].answer]->message;
                assert_int_equal(answer->kind, told ? HBK_MESSAGE_RESULT : HBK_MESSAGE_ERROR);
                rig_end(pair.rig);
            }
        }
    }
}

/* ---- more of it ---- */

static void an_accept_counts_as_a_request_in_flight(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.requests_per_session = 1;
    struct pair pair = pair_new(&config, ASK);
    unsigned long long delivery;
    uint32_t id = offer(&pair, 1, &delivery);
    uint32_t event = client_make(pair.target, "Event", 3);
    client_request(pair.target, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/late','items':[{'handle':%u}],'wait_ms':100}", event);
    rig_run(pair.rig);
    const struct hbk_error *error = client_refused(
        pair.target, HBK_R_QUOTA, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
    assert_string_equal(error->limit, "requests");
    rig_advance(pair.rig, 100);
    client_ok(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}", delivery);
    client_result(pair.sender, id);
    rig_end(pair.rig);
}

static void one_may_offer_to_oneself(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    struct client *self = pair.target;
    for (int accept = 0; accept < 2; ++accept) {
        uint32_t id = client_send(self, "user/a", client_make(self, "Event", 3));
        rig_run(pair.rig);
        unsigned long long delivery = client_offered(self)->delivery;
        client_ok(self, accept ? HBK_METHOD_DELIVERY_ACCEPT : HBK_METHOD_DELIVERY_REJECT,
                  "{'delivery':%llu}", delivery);
        if (accept)
            client_result(self, id);
        else
            client_error(self, id, HBK_R_REJECTED);
    }
    client_send(self, "user/a", client_make(self, "Event", 3));
    rig_run(pair.rig);
    client_offered(self);
    client_exit(self);
    client_nothing(self);
    assert_int_equal(fake_pins_held(pair.rig->kernel), 0);
    rig_end(pair.rig);
}

static void offers_are_answered_in_any_order(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, ASK);
    enum { COUNT = 9 };
    unsigned long long deliveries[COUNT];
    uint32_t ids[COUNT], accepts[COUNT];
    for (unsigned i = 0; i < COUNT; ++i)
        ids[i] = offer(&pair, 1 + i, &deliveries[i]);
    for (unsigned i = 0; i < COUNT; ++i)
        accepts[i] = client_request(pair.target,
                                    i % 3 ? HBK_METHOD_DELIVERY_ACCEPT : HBK_METHOD_DELIVERY_REJECT,
                                    "{'delivery':%llu}", deliveries[(i * 5) % COUNT]);
    rig_run(pair.rig);
    for (unsigned i = 0; i < COUNT; ++i) {
        uint32_t id = ids[(i * 5) % COUNT];
        const struct hbk_message *answer = client_result(pair.target, accepts[i]);
        if (i % 3 == 0) {
            client_error(pair.sender, id, HBK_R_REJECTED);
            continue;
        }
        assert_int_equal(answer->u.result.accept.items_count, 1 + (i * 5) % COUNT);
        client_result(pair.sender, id);
    }
    rig_end(pair.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_names_no_values),
        cmocka_unit_test(an_accepted_offer_is_placed),
        cmocka_unit_test(a_rejected_offer_leaves_nothing),
        cmocka_unit_test(reasons_are_limited),
        cmocka_unit_test(answers_to_nothing_are_not_found),
        cmocka_unit_test(only_offers_are_accepted),
        cmocka_unit_test(an_offer_is_accepted_once),
        cmocka_unit_test(an_offer_has_a_deadline),
        cmocka_unit_test(accepted_in_time_is_in_time),
        cmocka_unit_test(an_endpoint_that_closes_drops_its_offers),
        cmocka_unit_test(a_sender_that_ends_withdraws_its_offers),
        cmocka_unit_test(a_sender_with_nothing_offered_goes_quietly),
        cmocka_unit_test(a_target_that_ends_drops_its_offers),
        cmocka_unit_test(a_place_that_fails_after_accept_fails_for_both),
        cmocka_unit_test(an_accept_that_is_not_told_is_undone),
        cmocka_unit_test(an_accept_waits_for_a_pending_write),
        cmocka_unit_test(a_target_may_end_inside_its_accept),
        cmocka_unit_test(an_accept_counts_as_a_request_in_flight),
        cmocka_unit_test(one_may_offer_to_oneself),
        cmocka_unit_test(offers_are_answered_in_any_order),
    };
    return cmocka_run_group_tests_name("core: ask", tests, NULL, NULL);
}
