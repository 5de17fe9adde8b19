/* One who does its worst does not slow another: counted are the calls to the platform that lie between a line of
 * a client and its answer, while another has 64 sessions full of work. Figures in time are the flood's
 * (tests/bench/flood.c). */
#include "core_rig.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MANY = 64,           /* sessions of who does its worst */
    ROUNDS = 600,        /* hand-offs of the other meanwhile */
    ANSWER_TURNS = 3,    /* of the core, from a request of one line to its answer */
    ALONE_CALLS = 5,     /* pin, inspect, place, and a write to each */
    LOADED_CALLS = 20,   /* whatever the other does, and however many sessions it has */
    WARM_UP_TURNS = 6000 /* until all phases of its sends are among what is done */
};

/* Who hands over one event at a time. */
struct modest {
    struct client *sender, *target;
    uint32_t event;
};

/* Who keeps many sessions of one process busy. */
struct greedy {
    struct rig *rig;
    struct client *target;
    struct client *senders[MANY];
    size_t count;
    uint32_t event;
};

/* Targets close what they are told of, or their tables would be full. */
static void close_what_is_told(struct client *client, const struct hbk_message *message)
{
    if (message->kind != HBK_MESSAGE_NOTIFICATION || message->method != HBK_METHOD_HANDLE_DELIVERED)
        return;
    for (size_t i = 0; i < message->u.params.delivered.items_count; ++i)
        fake_handle_close(client->rig->kernel, client->process,
                          message->u.params.delivered.items[i].handle);
}

static struct rig *rig_new_closing(void)
{
    struct rig *rig = rig_new(NULL, 1);
    rig->line_told = close_what_is_told;
    return rig;
}

static struct modest modest_new(struct rig *rig, uint32_t pid, uint32_t identity)
{
    struct modest modest = {.sender = client_new(rig, pid, identity)};
    modest.target = client_new(rig, pid + 1, identity);
    modest.event = client_make(modest.sender, "Event", 3);
    client_ok(modest.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/modest'}");
    return modest;
}

static struct greedy greedy_new(struct rig *rig, uint32_t pid, size_t count)
{
    struct greedy greedy = {.rig = rig, .target = client_new(rig, pid, 1), .count = count};
    struct fake_process *process = fake_process_start(rig->kernel, pid + 1);
    client_ok(greedy.target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/greedy'}");
    for (size_t i = 0; i < count; ++i) {
        greedy.senders[i] = client_connect(rig, process, 1);
        client_prove(greedy.senders[i]);
    }
    greedy.event = client_make(greedy.senders[0], "Event", 3);
    return greedy;
}

static uint32_t send_to(struct client *client, const char *to, uint32_t handle, unsigned count,
                        unsigned wait_ms)
{
    char params[64 + HBK_ITEMS_MAX * 32];
    int size = snprintf(params, sizeof params, "{'to':'%s','wait_ms':%u,'items':[", to, wait_ms);
    for (unsigned i = 0; i < count; ++i)
        size += snprintf(params + size, sizeof params - (size_t)size, "%s{'handle':%u}",
                         i > 0 ? "," : "", handle);
    snprintf(params + size, sizeof params - (size_t)size, "]}");
    return client_request_text(client, HBK_METHOD_HANDLE_SEND, params);
}

/* Each of its sessions has two sends of up to as many handles as there may be, so that they are not all in the same
 * phase. */
static void greedy_refill(struct greedy *greedy)
{
    for (size_t i = 0; i < greedy->count; ++i) {
        struct client *sender = greedy->senders[i];
        size_t open = 0;
        for (size_t j = sender->requests_count; j > 0 && j + 2 > sender->requests_count; --j)
            open += !client_answered(sender, (uint32_t)j);
        for (; open < 2; ++open)
            send_to(sender, "user/greedy", greedy->event,
                    HBK_ITEMS_MAX - (unsigned)(i + sender->requests_count) % 8 * 8, 0);
    }
}

/* As the service does: what is due, then a turn of the core. */
static bool turn(struct rig *rig)
{
    if (hbk_core_deadline_ms(rig->core) <= rig->kernel->now_ms)
        hbk_core_tick(rig->core);
    return rig_turn(rig);
}

/* Calls until a send is answered, with that write; the target has its line then. The line arrives at the worst moment,
 * when a turn has just begun. */
static size_t calls_of_hand_off(struct rig *rig, const struct modest *modest)
{
    fake_trace_clear(rig->kernel);
    turn(rig);
    uint32_t id = send_to(modest->sender, "user/modest", modest->event, 1, 0);
    for (unsigned turns = 0; !client_answered(modest->sender, id); ++turns) {
        assert_true(turns < 10000);
        turn(rig);
    }
    client_result(modest->sender, id);
    client_delivered(modest->target);
    size_t answer = fake_trace_find(rig->kernel, FAKE_OP_WRITE, modest->sender->connection, 1);
    assert_true(answer != SIZE_MAX);
    return answer + 1;
}

static void a_hand_off_alone_costs_what_it_must(void **state)
{
    (void)state;
    struct rig *rig = rig_new_closing();
    struct modest modest = modest_new(rig, 100, 2);
    for (int i = 0; i < ROUNDS; ++i) {
        assert_int_equal(calls_of_hand_off(rig, &modest), ALONE_CALLS);
        rig_run(rig); /* its pin is closed after the answer */
    }
    rig_end(rig);
}

/* ---- sends ---- */

static size_t most_calls_beside_sends(size_t sessions, uint32_t identity)
{
    struct rig *rig = rig_new_closing();
    struct greedy greedy = greedy_new(rig, 200, sessions);
    struct modest modest = modest_new(rig, 100, identity);
    size_t most = 0;
    for (int i = 0; i < WARM_UP_TURNS; ++i) {
        greedy_refill(&greedy);
        turn(rig);
    }
    for (int i = 0; i < ROUNDS; ++i) {
        greedy_refill(&greedy);
        for (int j = 0; j < i % 7; ++j)
            assert_true(turn(rig));
        size_t calls = calls_of_hand_off(rig, &modest);
        most = calls > most ? calls : most;
        assert_true(turn(rig)); /* there was more to do throughout */
    }
    rig_run(rig);
    for (size_t i = 0; i < greedy.count; ++i)
        client_fail_if_unanswered(greedy.senders[i]);
    rig_end(rig);
    return most;
}

static void sends_of_another_user_delay_little(void **state)
{
    (void)state;
    size_t few = most_calls_beside_sends(4, 2), many = most_calls_beside_sends(MANY, 2);
    print_message("at most %u calls beside 4 sessions, %u beside %d\n", (unsigned)few,
                  (unsigned)many, MANY);
    assert_true(few > ALONE_CALLS && few <= LOADED_CALLS);
    assert_true(many > ALONE_CALLS && many <= LOADED_CALLS);
}

static void sends_of_another_process_delay_little(void **state)
{
    (void)state;
    size_t few = most_calls_beside_sends(4, 1), many = most_calls_beside_sends(MANY, 1);
    print_message("at most %u calls beside 4 sessions, %u beside %d\n", (unsigned)few,
                  (unsigned)many, MANY);
    assert_true(few > ALONE_CALLS && few <= LOADED_CALLS);
    assert_true(many > ALONE_CALLS && many <= LOADED_CALLS);
}

/* ---- closes, deadlines ---- */

/* Every pin that they may have waits for an endpoint that does not open. */
static void greedy_wait(struct greedy *greedy, unsigned wait_ms)
{
    for (size_t i = 0; i < greedy->count; ++i)
        send_to(greedy->senders[i], "user/never", greedy->event, HBK_ITEMS_MAX, wait_ms);
    rig_run(greedy->rig);
    assert_int_equal(fake_pins_held(greedy->rig->kernel), greedy->count * HBK_ITEMS_MAX);
}

static void sessions_that_end_together_delay_little(void **state)
{
    (void)state;
    for (uint32_t identity = 1; identity <= 2; ++identity) {
        struct rig *rig = rig_new_closing();
        struct greedy greedy = greedy_new(rig, 200, MANY);
        struct modest modest = modest_new(rig, 100, identity);
        greedy_wait(&greedy, 1000);
        fake_process_exit(rig->kernel, greedy.senders[0]->process);
        for (size_t i = 0; i < MANY; ++i) {
            greedy.senders[i]->hung_up = true;
            hbk_core_session_closed(rig->core, greedy.senders[i]->session);
        }
        size_t rounds = 0;
        for (; fake_pins_held(rig->kernel) > MANY; ++rounds)
            assert_true(calls_of_hand_off(rig, &modest) <= LOADED_CALLS);
        assert_true(rounds > 10); /* they were closed meanwhile, not before */
        rig_run(rig);
        rig_end(rig);
    }
}

static void deadlines_that_pass_together_delay_little(void **state)
{
    (void)state;
    for (uint32_t identity = 1; identity <= 2; ++identity) {
        struct rig *rig = rig_new_closing();
        struct greedy greedy = greedy_new(rig, 200, MANY);
        struct modest modest = modest_new(rig, 100, identity);
        greedy_wait(&greedy, 1000);
        rig->kernel->now_ms += 1000;
        size_t rounds = 0;
        for (; fake_pins_held(rig->kernel) > MANY; ++rounds)
            assert_true(calls_of_hand_off(rig, &modest) <= LOADED_CALLS);
        assert_true(rounds > 10);
        rig_run(rig);
        assert_true(hbk_core_deadline_ms(rig->core) == UINT64_MAX);
        for (size_t i = 0; i < MANY; ++i)
            client_fail_if_unanswered(greedy.senders[i]);
        rig_end(rig);
    }
}

/* Each of them has a write of its own. */
static void many_that_are_told_together_delay_little(void **state)
{
    (void)state;
    struct rig *rig = rig_new_closing();
    struct greedy greedy = greedy_new(rig, 200, MANY);
    struct modest modest = modest_new(rig, 100, 2);
    for (size_t i = 0; i < MANY; ++i)
        for (int j = 0; j < 8; ++j)
            send_to(greedy.senders[i], "user/never", greedy.event, 1, 1000);
    rig_run(rig);
    rig->kernel->now_ms += 1000;
    size_t answered = 0;
    for (size_t rounds = 0; answered < MANY; ++rounds) {
        assert_true(rounds < 1000);
        assert_true(calls_of_hand_off(rig, &modest) < MANY / 2);
        answered = 0;
        for (size_t i = 0; i < MANY; ++i)
            answered += client_answered(greedy.senders[i], 10);
    }
    rig_run(rig);
    rig_end(rig);
}

/* ---- writes ---- */

/* They are at the cost of who has caused them, and may come after a turn of the one who is written to. */
static void who_ends_is_told_first_what_another_has_caused(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct modest modest = modest_new(rig, 100, 1);
    for (int i = 0; i < 5; ++i) /* it has had more than the one who ends, and so goes after it */
        client_ok(modest.sender, HBK_METHOD_BROKER_STATUS, NULL);
    client_bytes(modest.target, "{", 1);
    rig_run(rig);
    for (int i = 0; i < 3; ++i)
        send_to(modest.sender, "user/modest", modest.event, 1, 0);
    while (fake_handles_untold(modest.target->process) == 0)
        assert_true(rig_turn(rig));
    rig->kernel->now_ms += rig->config.line_ms; /* for the line that it has begun */
    hbk_core_tick(rig->core);
    assert_false(client_ended(modest.target));
    rig_run(rig);
    assert_int_equal(client_delivered(modest.target)->items_count, 1);
    client_null_error(modest.target, HBK_R_TIMEOUT);
    assert_true(client_ended(modest.target));
    client_result(modest.sender, (uint32_t)modest.sender->requests_count - 2);
    client_fail_if_unanswered(modest.sender);
    rig_end(rig);
}

/* Nor does who is sent to wait with its own answer for those who send: whatever they have caused, and have yet to do. */
static void answers_do_not_wait_for_who_sends(void **state)
{
    (void)state;
    struct rig *rig = rig_new_closing();
    struct greedy greedy = greedy_new(rig, 200, MANY);
    size_t beside = 0;
    for (int i = 0; i < WARM_UP_TURNS; ++i) {
        greedy_refill(&greedy);
        turn(rig);
    }
    for (int i = 0; i < ROUNDS; ++i) {
        greedy_refill(&greedy);
        for (int j = 0; j < i % 7; ++j)
            turn(rig);
        beside += fake_handles_untold(greedy.target->process) > 0;
        uint32_t id = client_request(greedy.target, HBK_METHOD_BROKER_STATUS, NULL);
        unsigned turns = 0;
        for (; !client_answered(greedy.target, id); ++turns)
            assert_true(turns < ANSWER_TURNS && turn(rig));
        client_result(greedy.target, id);
    }
    assert_true(beside > ROUNDS / 10);
    rig_run(rig);
    rig_end(rig);
}

/* ---- reads ---- */

/* To read on is a call too: bytes without an end, in many sessions, have their turns like all else. */
static void reads_take_turns(void **state)
{
    (void)state;
    struct rig *rig = rig_new_closing();
    struct greedy greedy = greedy_new(rig, 200, MANY);
    struct client *modest = client_new(rig, 100, 1);
    for (size_t i = 0; i < MANY; ++i)
        client_bytes(greedy.senders[i], "{", 1);
    client_bytes(modest, "{", 1);
    size_t turns = 0, left = MANY, read_on = 0;
    for (bool more = true; more; ++turns) {
        size_t before = left;
        more = turn(rig);
        left = 0;
        for (size_t i = 0; i < MANY; ++i)
            left += greedy.senders[i]->connection->fed;
        assert_true(before - left <= 1);
        if (!modest->connection->fed && !read_on)
            read_on = turns + 1;
    }
    assert_int_equal(left, 0);
    assert_true(turns >= MANY && read_on > 0 && read_on < MANY / 2);
    rig_run(rig);
    rig_end(rig);
}

/* Nor is more read from who has lines that wait. */
static void who_has_lines_left_is_not_read(void **state)
{
    (void)state;
    struct rig *rig = rig_new_closing();
    struct client *client = client_new(rig, 100, 1);
    for (int i = 0; i < 12; ++i)
        client_request(client, HBK_METHOD_BROKER_STATUS, NULL);
    while (!client_answered(client, (uint32_t)client->requests_count)) {
        assert_true(client->connection->fed);
        turn(rig);
    }
    rig_run(rig);
    assert_false(client->connection->fed);
    rig_end(rig);
}

/* ---- shares ---- */

enum {
    SHARE_TURNS = 4000,
    SHARE_SENDERS = 8,
    COST_OF_ONE = 10,
    COST_OF_MANY = 4 /* a handle */
};

/* Pins that senders have got so far. */
static uint32_t pins_of(struct client *const *senders, size_t count)
{
    uint32_t pins = 0;
    for (size_t i = 0; i < count; ++i)
        pins += senders[i]->connection->pins_made;
    return pins;
}

static void refill_one(struct client *sender, uint32_t handle, const char *to, unsigned items)
{
    size_t open = 0;
    for (size_t j = sender->requests_count; j > 0 && open < 8; --j) {
        if (client_answered(sender, (uint32_t)j))
            break;
        ++open;
    }
    for (; open < 8; ++open)
        send_to(sender, to, handle, items, 0);
}

/* One sender against many, of which @per_process are in one process: all have as much to do as they may. */
static void check_shares(uint32_t first_identity, size_t per_process, unsigned items)
{
    struct rig *rig = rig_new_closing();
    struct client *target = client_new(rig, 300, 1), *other_target = client_new(rig, 301, 2);
    struct client *senders[1 + SHARE_SENDERS];
    uint32_t handles[1 + SHARE_SENDERS];
    client_ok(target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    client_ok(other_target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    senders[0] = client_new(rig, 100, first_identity);
    struct fake_process *process = NULL;
    for (size_t i = 0; i < SHARE_SENDERS; ++i) {
        if (i % per_process == 0)
            process = fake_process_start(rig->kernel, (uint32_t)(200 + i));
        senders[1 + i] = client_connect(rig, process, 1);
        client_prove(senders[1 + i]);
    }
    for (size_t i = 0; i <= SHARE_SENDERS; ++i)
        handles[i] = client_make(senders[i], "Event", 3);
    for (int i = 0; i < SHARE_TURNS; ++i) {
        for (size_t j = 0; j <= SHARE_SENDERS; ++j)
            refill_one(senders[j], handles[j], "user/a", j == 0 ? 1 : items);
        turn(rig);
    }
    /* A send of one handle costs its lines too, one of many does not to speak of. */
    uint32_t one = COST_OF_ONE * pins_of(senders, 1);
    uint32_t others =
        (items == 1 ? COST_OF_ONE : COST_OF_MANY) * pins_of(senders + 1, SHARE_SENDERS);
    print_message("one %u, the others together %u\n", one, others);
    assert_true(one > others * 2 / 3 && others > one * 2 / 3);
    rig_run(rig);
    rig_end(rig);
}

static void a_process_has_its_share_whatever_its_sessions(void **state)
{
    (void)state;
    check_shares(1, SHARE_SENDERS, 1);
    check_shares(1, SHARE_SENDERS, HBK_ITEMS_MAX);
}

static void a_user_has_its_share_whatever_its_processes(void **state)
{
    (void)state;
    check_shares(2, 1, 1);
    check_shares(2, 1, HBK_ITEMS_MAX);
    check_shares(2, SHARE_SENDERS / 2, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hand_off_alone_costs_what_it_must),
        cmocka_unit_test(sends_of_another_user_delay_little),
        cmocka_unit_test(sends_of_another_process_delay_little),
        cmocka_unit_test(sessions_that_end_together_delay_little),
        cmocka_unit_test(deadlines_that_pass_together_delay_little),
        cmocka_unit_test(many_that_are_told_together_delay_little),
        cmocka_unit_test(who_ends_is_told_first_what_another_has_caused),
        cmocka_unit_test(answers_do_not_wait_for_who_sends),
        cmocka_unit_test(reads_take_turns),
        cmocka_unit_test(who_has_lines_left_is_not_read),
        cmocka_unit_test(a_process_has_its_share_whatever_its_sessions),
        cmocka_unit_test(a_user_has_its_share_whatever_its_processes),
    };
    return cmocka_run_group_tests_name("core: fairness", tests, NULL, NULL);
}
