/* All items of a send arrive or none: batches, quotas, and operations that fail half-way. */
#include "core_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void sixty_four_items_arrive(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    uint32_t id = pair_send(&pair, HBK_ITEMS_MAX);
    rig_run(pair.rig);
    assert_int_equal(client_result(pair.sender, id)->u.result.send.items_count, HBK_ITEMS_MAX);
    const struct hbk_delivered *delivered = client_delivered(pair.target);
    assert_int_equal(delivered->items_count, HBK_ITEMS_MAX);
    for (uint32_t i = 0; i < HBK_ITEMS_MAX; ++i) {
        const struct fake_slot *source = fake_handle_find(pair.sender->process, (i + 1) * 4);
        assert_true(fake_handle_is(pair.target->process, delivered->items[i].handle,
                                   source->object)); /* in their order */
    }
    rig_end(pair.rig);
}

static void too_many_or_no_items_are_refused(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    char *params = pair_params(&pair, HBK_ITEMS_MAX + 1, "Event", 3, NULL);
    client_refused(pair.sender, HBK_R_INVALID_PARAMS, HBK_METHOD_HANDLE_SEND, "%s", params);
    client_refused(pair.sender, HBK_R_INVALID_PARAMS, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[]}");
    client_refused(pair.sender, HBK_R_INVALID_PARAMS, HBK_METHOD_HANDLE_SEND, "{'to':'user/a'}");
    client_nothing(pair.target);
    free(params);
    rig_end(pair.rig);
}

/* ---- one bad among many ---- */

struct bad_item {
    const char *text; /* #: the handle */
    const char *type;
    uint32_t granted;
    int32_t code;
};

static const struct bad_item bad_items[] = {
    {"{'handle':6}", NULL, 0, HBK_R_BAD_HANDLE},
    {"{'handle':-1}", NULL, 0, HBK_R_BAD_HANDLE},
    {"{'handle':8188}", NULL, 0, HBK_R_BAD_HANDLE},
    {"{'handle':#}", "Process", 0x1FFFFF, HBK_R_TYPE_NOT_ALLOWED},
    {"{'handle':#,'type':'Event'}", "Mutant", 1, HBK_R_TYPE_MISMATCH},
    {"{'handle':#,'access':3}", "Event", 1, HBK_R_ACCESS_EXCEEDS_SOURCE},
    {"{'handle':#,'access':'read'}", "Event", 2, HBK_R_ACCESS_EXCEEDS_SOURCE},
    {"{'handle':#}", "Timer", 2, HBK_R_ACCESS_NOT_ACCEPTED},
    {"{'handle':#,'access':0}", "Event", 3, HBK_R_INVALID_PARAMS},
};

static char *with_one_bad(const struct pair *pair, const struct bad_item *bad, unsigned position)
{
    char *params = pair_params(pair, HBK_ITEMS_MAX, "Event", 3, NULL);
    size_t room = strlen(params) + 128;
    char *result = malloc(room);
    assert_non_null(result);
    uint32_t handle = bad->type ? client_make(pair->sender, bad->type, bad->granted) : 0;
    char item[96];
    const char *rest = strchr(bad->text, '#');
    if (rest)
        snprintf(item, sizeof item, "%.*s%u%s", (int)(rest - bad->text), bad->text, handle,
                 rest + 1);
    else
        snprintf(item, sizeof item, "%s", bad->text);
    char *start = strchr(params, '[') + 1;
    for (unsigned i = 0; i < position; ++i)
        start = strchr(start, '}') + 2;
    snprintf(result, room, "%.*s%s%s", (int)(start - params), params, item, strchr(start, '}') + 1);
    free(params);
    return result;
}

static void one_bad_among_sixty_four_and_nothing_arrives(void **state)
{
    (void)state;
    const unsigned positions[] = {0, 1, 31, 63};
    for (size_t i = 0; i < sizeof bad_items / sizeof bad_items[0]; ++i) {
        for (size_t j = 0; j < sizeof positions / sizeof positions[0]; ++j) {
            struct pair pair = pair_new(
                NULL, "{'name':'user/a','types':{'Event':'any','Mutant':'any','Timer':1}}");
            pair.rig->kernel->label = bad_items[i].text;
            char *params = with_one_bad(&pair, &bad_items[i], positions[j]);
            const struct hbk_error *error = client_refused(pair.sender, bad_items[i].code,
                                                           HBK_METHOD_HANDLE_SEND, "%s", params);
            assert_int_equal(error->item, positions[j]);
            assert_int_equal(fake_trace_count(pair.rig->kernel, FAKE_OP_PLACE), 0);
            assert_int_equal(fake_handles_count(pair.target->process), 0);
            client_nothing(pair.target);
            assert_int_equal(client_status(pair.target).pins, 0);
            free(params);
            rig_end(pair.rig);
        }
    }
}

/* ---- operations that fail at the k-th item ---- */

static void an_operation_that_fails_undoes_all(void **state)
{
    (void)state;
    const enum fake_op ops[] = {FAKE_OP_PIN, FAKE_OP_INSPECT, FAKE_OP_PLACE};
    enum { ITEMS = 5 };
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; ++i) {
        for (uint32_t at = 1; at <= ITEMS; ++at) {
            struct pair pair = pair_new(NULL, "{'name':'user/a'}");
            char *params = pair_params(&pair, ITEMS, "Event", 3, NULL);
            fake_fail(pair.rig->kernel, ops[i], at, HBK_R_OS_ERROR, 1234);
            const struct hbk_error *error =
                client_refused(pair.sender, HBK_R_OS_ERROR, HBK_METHOD_HANDLE_SEND, "%s", params);
            assert_int_equal(error->item, at - 1);
            assert_int_equal(error->win32, 1234);
            assert_int_equal(fake_trace_count(pair.rig->kernel, FAKE_OP_UNPLACE),
                             ops[i] == FAKE_OP_PLACE ? at - 1 : 0);
            client_nothing(pair.target);
            assert_false(client_ended(pair.target));
            /* The next one works, with the same handles. */
            client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "%s", params);
            client_delivered(pair.target);
            assert_int_equal(client_status(pair.sender).failed, 1);
            assert_int_equal(client_status(pair.sender).delivered, 1);
            free(params);
            rig_end(pair.rig);
        }
    }
}

static void a_full_table_of_the_target_undoes_all(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    for (uint32_t i = 0; i < FAKE_HANDLES_MAX - 2; ++i)
        client_make(pair.target, "Key", 1);
    char *params = pair_params(&pair, 3, "Event", 3, NULL);
    const struct hbk_error *error =
        client_refused(pair.sender, HBK_R_OS_ERROR, HBK_METHOD_HANDLE_SEND, "%s", params);
    assert_int_equal(error->item, 2);
    client_nothing(pair.target);
    fake_handle_close(pair.rig->kernel, pair.target->process, 4);
    client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "%s", params);
    free(params);
    rig_end(pair.rig);
}

/* A failed inspection leaves a pin of unknown type: its close is to be treated as one that may block. That,
 * and Files and Sections, is checked by the fake kernel; here the closes pend. */
static void pins_whose_close_pends_are_waited_for(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    const char *types[] = {"File", "Section", "Event"};
    pair.rig->kernel->unpins_pend = true;
    for (size_t i = 0; i < 3; ++i) {
        char *params = pair_params(&pair, 3, types[i], 0xF, NULL);
        client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "%s", params);
        client_delivered(pair.target);
        if (i == 2)
            fake_fail(pair.rig->kernel, FAKE_OP_INSPECT, 2, HBK_R_OS_ERROR, 5);
        uint32_t id = client_request_text(pair.sender, HBK_METHOD_HANDLE_SEND, params);
        rig_run(pair.rig);
        if (i == 2)
            client_error(pair.sender, id, HBK_R_OS_ERROR);
        else
            client_delivered(pair.target);
        free(params);
    }
    assert_int_equal(fake_pins_closing(pair.rig->kernel), 6 + 6 + 3 + 2);
    assert_int_equal(client_status(pair.sender).pins, 17);
    client_hang_up(pair.sender);
    assert_true(client_ended(pair.sender));
    client_hang_up(pair.target);
    /* They return in any order, also after those who caused them are gone. */
    for (uint32_t left = 17; left > 0; --left) {
        assert_int_equal(hbk_core_pins(pair.rig->core), left);
        rig_unpin_end(pair.rig, left * 7 % left);
        rig_run(pair.rig);
    }
    assert_true(pair.sender->connection->released);
    assert_int_equal(hbk_core_pins(pair.rig->core), 0);
    rig_end(pair.rig);
}

/* ---- quotas ---- */

static void pins_of_a_session_are_limited(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.pins_per_session = 4;
    struct pair pair = pair_new(&config, "{'name':'user/a'}");
    struct client *other = client_new(pair.rig, 102, 1);
    uint32_t event = client_make(pair.sender, "Event", 3);
    client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/late','items':[{'handle':%u},{'handle':%u},{'handle':%u}],"
                   "'wait_ms':1000}",
                   event, event, event);
    rig_run(pair.rig);
    const struct hbk_error *error =
        client_refused(pair.sender, HBK_R_QUOTA, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/a','items':[{'handle':%u},{'handle':%u}]}", event, event);
    assert_string_equal(error->limit, "pins");
    client_nothing(pair.target);
    client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}",
              event);
    client_ok(other, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}",
              client_make(other, "Event", 3));

    /* What is being closed is charged until the close has returned. */
    rig_advance(pair.rig, 1000);
    pair.rig->kernel->unpins_pend = true;
    client_ok(pair.sender, HBK_METHOD_HANDLE_SEND,
              "{'to':'user/a','items':[{'handle':%u},{'handle':%u},{'handle':%u}]}", event, event,
              event);
    client_refused(pair.sender, HBK_R_QUOTA, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[{'handle':%u},{'handle':%u}]}", event, event);
    rig_unpins_end(pair.rig);
    client_ok(pair.sender, HBK_METHOD_HANDLE_SEND,
              "{'to':'user/a','items':[{'handle':%u},{'handle':%u}]}", event, event);
    rig_end(pair.rig);
}

static void a_quota_below_a_batch_refuses_it(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.pins_per_session = HBK_ITEMS_MAX - 1;
    struct pair pair = pair_new(&config, "{'name':'user/a'}");
    char *params = pair_params(&pair, HBK_ITEMS_MAX, "Event", 3, NULL);
    client_refused(pair.sender, HBK_R_QUOTA, HBK_METHOD_HANDLE_SEND, "%s", params);
    assert_int_equal(fake_trace_count(pair.rig->kernel, FAKE_OP_PIN), 0);
    free(params);
    rig_end(pair.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_four_items_arrive),
        cmocka_unit_test(too_many_or_no_items_are_refused),
        cmocka_unit_test(one_bad_among_sixty_four_and_nothing_arrives),
        cmocka_unit_test(an_operation_that_fails_undoes_all),
        cmocka_unit_test(a_full_table_of_the_target_undoes_all),
        cmocka_unit_test(pins_whose_close_pends_are_waited_for),
        cmocka_unit_test(pins_of_a_session_are_limited),
        cmocka_unit_test(a_quota_below_a_batch_refuses_it),
    };
    return cmocka_run_group_tests_name("core: items", tests, NULL, NULL);
}
