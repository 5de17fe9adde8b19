/* What users share: nobody gets all of anything, everybody gets something, and what is given back can be had
 * again. That counters equal a full count is checked after every event by the rig. */
#include "core_pair.h"
#include "quota.h"

#include <stdio.h>

static void the_share_is_half_of_what_others_leave(void **state)
{
    (void)state;
    const struct {
        uint64_t limit, used, own, share;
    } cases[] = {
        {8, 0, 0, 4}, {8, 4, 4, 4}, {8, 4, 0, 2}, {8, 6, 2, 2}, {8, 6, 0, 1}, {8, 7, 0, 1},
        {8, 8, 0, 0}, {8, 8, 4, 2}, {1, 0, 0, 1}, {1, 1, 1, 1}, {1, 1, 0, 0}, {7, 0, 0, 4},
        {4, 9, 2, 0}, {4, 9, 9, 2}, {0, 0, 0, 0}, {0, 5, 5, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
        assert_int_equal(hbk_quota_share(cases[i].limit, cases[i].used, cases[i].own),
                         cases[i].share);
    /* Users that come one after the other and take what they can never take more than there is. */
    for (uint64_t limit = 1; limit < 200; ++limit) {
        uint64_t used = 0;
        for (int user = 0; user < 20; ++user) {
            uint64_t share = hbk_quota_share(limit, used, 0);
            assert_true(used == limit || share > 0);
            used += share;
            assert_true(used <= limit);
        }
        assert_int_equal(used, limit);
    }
}

static struct hbk_config config_new(void)
{
    struct hbk_config config;
    hbk_config_default(&config);
    return config;
}

static struct hbk_quota_info quota_of(struct client *client, enum hbk_quota quota)
{
    struct hbk_status_result status = client_status(client);
    assert_int_equal(status.quotas_count, HBK_QUOTA_COUNT);
    return status.quotas[quota];
}

/* ---- sessions ---- */

static void sessions_are_shared(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.sessions = 8;
    struct rig *rig = rig_new(&config, 1);
    const uint32_t places[] = {4, 2, 1, 1};
    struct client *clients[8];
    uint32_t count = 0, pid = 100;
    for (uint32_t user = 0; user < 4; ++user) {
        for (uint32_t i = 0; i < places[user]; ++i)
            clients[count++] = client_new(rig, pid++, 1 + user);
        if (user == 3)
            break; /* all are taken */
        struct client *refused =
            client_connect(rig, fake_process_start(rig->kernel, pid++), 1 + user);
        assert_non_null(refused);
        assert_string_equal(client_null_error(refused, HBK_R_QUOTA)->limit, "sessions_per_user");
        assert_true(client_ended(refused));
        assert_int_equal(client_status(clients[0]).sessions, count);
    }
    assert_null(client_connect(rig, fake_process_start(rig->kernel, pid++), 9));
    struct hbk_quota_info quota = quota_of(clients[4], HBK_QUOTA_SESSIONS);
    assert_int_equal(quota.used, 8);
    assert_int_equal(quota.limit, 8);
    assert_int_equal(quota.yours, 2);
    assert_int_equal(quota.your_limit, 1); /* it had two when others had less */
    for (int i = 0; i < 4; ++i)
        client_hang_up(clients[i]);
    assert_int_equal(quota_of(clients[4], HBK_QUOTA_SESSIONS).your_limit, 3);
    client_new(rig, pid++, 2);
    rig_end(rig);
}

/* Who is refused is told so; who lets many be refused and reads none is not even told any more. */
static void refused_sessions_are_few(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.sessions_per_user = 1;
    struct rig *rig = rig_new(&config, 1);
    client_new(rig, 100, 1);
    struct client *refused[HBK_SESSIONS_REFUSED_MAX];
    uint32_t pid = 101;
    for (int i = 0; i < HBK_SESSIONS_REFUSED_MAX; ++i) {
        rig->kernel->chaos.write_pends = 1000;
        refused[i] = client_connect(rig, fake_process_start(rig->kernel, pid++), 1);
        rig->kernel->chaos.write_pends = 0;
        assert_non_null(refused[i]);
        assert_false(client_ended(refused[i]));
    }
    assert_null(client_connect(rig, fake_process_start(rig->kernel, pid++), 1));
    client_new(rig, pid++, 2);
    client_write_ends(refused[0], true);
    assert_string_equal(client_null_error(refused[0], HBK_R_QUOTA)->limit, "sessions_per_user");
    struct client *next = client_connect(rig, fake_process_start(rig->kernel, pid++), 1);
    assert_string_equal(client_null_error(next, HBK_R_QUOTA)->limit, "sessions_per_user");
    /* Who never reads that is let go all the same. */
    rig_advance(rig, config.write_ms);
    assert_true(client_ended(refused[1]));
    rig_end(rig);
}

/* ---- what requests take ---- */

static uint32_t wait_send(struct client *client, uint32_t items, unsigned name)
{
    char params[2048];
    uint32_t event = client_make(client, "Event", 3);
    int size =
        snprintf(params, sizeof params, "{'to':'user/late%u','wait_ms':1000,'items':[", name);
    for (uint32_t i = 0; i < items; ++i)
        size += snprintf(params + size, sizeof params - (size_t)size, "%s{'handle':%u}",
                         i ? "," : "", event);
    snprintf(params + size, sizeof params - (size_t)size, "]}");
    return client_request_text(client, HBK_METHOD_HANDLE_SEND, params);
}

static void waits(struct client *client, uint32_t items)
{
    static unsigned name;
    uint32_t id = wait_send(client, items, ++name);
    rig_run(client->rig);
    assert_false(client_answered(client, id));
}

static void is_over_quota(struct client *client, uint32_t items, const char *limit)
{
    static unsigned name = 1000;
    struct fake_kernel *kernel = client->rig->kernel;
    uint32_t pins = fake_pins_held(kernel);
    uint32_t id = wait_send(client, items, ++name);
    rig_run(client->rig);
    const struct hbk_error *error = client_error(client, id, HBK_R_QUOTA);
    assert_string_equal(error->limit, limit);
    assert_int_equal(fake_pins_held(kernel), pins);
}

/* One send takes @items; 8 of the resource are there. */
static void is_shared(const struct hbk_config *config, enum hbk_quota quota, uint32_t items,
                      const char *limit)
{
    struct rig *rig = rig_new(config, 1);
    struct client *clients[3], *again = client_new(rig, 99, 1);
    const uint32_t shares[] = {4, 2, 1};
    for (uint32_t i = 0; i < 3; ++i)
        clients[i] = client_new(rig, 100 + i, 1 + i);
    for (uint32_t i = 0; i < 3; ++i) {
        for (uint32_t j = 0; j < shares[i]; ++j)
            waits(clients[i], items);
        is_over_quota(clients[i], items, limit);
        struct hbk_quota_info info = quota_of(clients[i], quota);
        assert_int_equal(info.yours, shares[i]);
        assert_int_equal(info.your_limit, shares[i]);
    }
    is_over_quota(again, items, limit); /* another session of the first user */
    assert_int_equal(quota_of(again, quota).used, 7);
    client_hang_up(clients[0]);
    assert_int_equal(quota_of(again, quota).yours, 0);
    waits(clients[1], items); /* there is more for the second now */
    rig_advance(rig, 1000);
    assert_int_equal(quota_of(again, quota).used, 0);
    client_fail_if_unanswered(clients[1]);
    waits(again, items);
    rig_end(rig);
}

static void requests_are_shared(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.requests = 8;
    is_shared(&config, HBK_QUOTA_REQUESTS, 1, "requests_per_user");
}

static void pins_are_shared(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.pins = 8;
    is_shared(&config, HBK_QUOTA_PINS, 1, "pins_per_user");
}

static void pending_deliveries_are_shared(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.pending = 8;
    is_shared(&config, HBK_QUOTA_PENDING, 1, "pending_per_user");
}

static void a_send_is_refused_whole(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.pins = 8;
    struct rig *rig = rig_new(&config, 1);
    struct client *client = client_new(rig, 100, 1);
    is_over_quota(client, 5, "pins_per_user");
    waits(client, 4);
    is_over_quota(client, 1, "pins_per_user");
    assert_int_equal(fake_pins_held(rig->kernel), 4);
    rig_end(rig);
}

/* A pin is its sender's until its close has returned. */
static void what_is_still_being_closed_is_charged(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.pins = 4;
    struct pair pair = pair_new(&config, "{'name':'user/a'}");
    pair.rig->kernel->unpins_pend = true;
    for (int i = 0; i < 2; ++i)
        client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}",
                  client_make(pair.sender, "File", 1));
    is_over_quota(pair.sender, 1, "pins_per_user");
    assert_int_equal(quota_of(pair.sender, HBK_QUOTA_PENDING).yours, 0);
    rig_unpin_end(pair.rig, 0);
    rig_run(pair.rig);
    waits(pair.sender, 1);
    rig_end(pair.rig);
}

static void endpoints_are_shared(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.endpoints = 8;
    struct rig *rig = rig_new(&config, 1);
    const uint32_t shares[] = {4, 2, 1};
    struct client *clients[3];
    for (uint32_t i = 0; i < 3; ++i) {
        clients[i] = client_new(rig, 100 + i, 1 + i);
        for (uint32_t j = 0; j < shares[i]; ++j)
            client_ok(clients[i], HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/%u'}", j);
        const struct hbk_error *error = client_refused(
            clients[i], HBK_R_QUOTA, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/more'}");
        assert_string_equal(error->limit, "endpoints_per_user");
    }
    assert_int_equal(client_status(clients[0]).endpoints, 7);
    /* The others have some too by now: of what they leave it has half after it has closed one. */
    client_ok(clients[0], HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/0'}");
    client_refused(clients[0], HBK_R_QUOTA, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/more'}");
    client_ok(clients[0], HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/1'}");
    client_ok(clients[0], HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/more'}");
    client_hang_up(clients[0]);
    assert_int_equal(quota_of(clients[1], HBK_QUOTA_ENDPOINTS).used, 3);
    client_ok(clients[1], HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/more'}");
    rig_end(rig);
}

/* An accept in flight is the target's request, and is charged until it is answered. */
static void an_accept_is_charged_to_the_target(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.requests = 4;
    struct rig *rig = rig_new(&config, 1);
    rig->one_scope = 7;
    struct client *sender = client_new(rig, 100, 1), *target = client_new(rig, 101, 2);
    client_ok(target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a','mode':'ask'}");
    client_send(sender, "user/a", client_make(sender, "Event", 3));
    rig_run(rig);
    uint64_t delivery = client_offered(target)->delivery;
    waits(target, 1);
    waits(target, 1);
    const struct hbk_error *error =
        client_refused(target, HBK_R_QUOTA, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                       (unsigned long long)delivery);
    assert_string_equal(error->limit, "requests_per_user");
    rig_advance(rig, 1000);
    target->connection->write_mode = FAKE_WRITE_PENDS;
    client_request(target, HBK_METHOD_ENDPOINT_LIST, NULL);
    rig_run(rig);
    uint32_t accept = client_request(target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                                     (unsigned long long)delivery);
    rig_run(rig);
    assert_int_equal(quota_of(sender, HBK_QUOTA_REQUESTS).used, 2); /* the send, the accept */
    target->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(target, true);
    client_result(target, accept);
    assert_int_equal(quota_of(sender, HBK_QUOTA_REQUESTS).used, 0);
    rig_end(rig);
}

/* ---- at one endpoint ---- */

static void one_user_cannot_fill_an_endpoint(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    config.pending_per_endpoint = 8;
    struct rig *rig = rig_new(&config, 1);
    rig->one_scope = 7;
    struct client *target = client_new(rig, 99, 9);
    client_ok(target, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a','mode':'ask'}");
    const uint32_t shares[] = {4, 2, 1, 1};
    struct client *clients[4];
    for (uint32_t i = 0; i < 4; ++i) {
        clients[i] = client_new(rig, 100 + i, 1 + i);
        uint32_t event = client_make(clients[i], "Event", 3);
        for (uint32_t j = 0; j < shares[i]; ++j) {
            uint32_t id = client_send(clients[i], "user/a", event);
            rig_run(rig);
            assert_false(client_answered(clients[i], id));
        }
        client_refused(clients[i], HBK_R_BUSY, HBK_METHOD_HANDLE_SEND,
                       "{'to':'user/a','items':[{'handle':%u}]}", event);
    }
    struct client *late = client_new(rig, 200, 8);
    client_refused(late, HBK_R_BUSY, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/a','items':[{'handle':%u}]}", client_make(late, "Event", 3));
    client_ok(target, HBK_METHOD_DELIVERY_REJECT, "{'delivery':%llu}",
              (unsigned long long)client_offered(target)->delivery);
    uint32_t id = client_send(late, "user/a", client_make(late, "Event", 3));
    rig_run(rig);
    assert_false(client_answered(late, id));
    rig_end(rig);
}

/* ---- other limits while there are sessions ---- */

static void lower_limits_take_nothing_back(void **state)
{
    (void)state;
    struct hbk_config config = config_new();
    struct rig *rig = rig_new(&config, 1);
    struct client *client = client_new(rig, 100, 1), *other = client_new(rig, 101, 2);
    for (int i = 0; i < 5; ++i)
        client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/%d'}", i);
    config.endpoints = 4;
    rig_configure(rig, &config, NULL, "limits.json");
    assert_int_equal(client_status(client).endpoints, 5);
    client_refused(client, HBK_R_QUOTA, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/5'}");
    /* What the others leave is nothing: not even one for the second. */
    client_refused(other, HBK_R_QUOTA, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/5'}");
    struct hbk_quota_info info = quota_of(other, HBK_QUOTA_ENDPOINTS);
    assert_int_equal(info.your_limit, 0);
    assert_int_equal(info.used, 5);
    assert_int_equal(info.limit, 4);
    config.endpoints = 12;
    rig_configure(rig, &config, NULL, "limits.json");
    client_ok(client, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/5'}");
    client_ok(other, HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/5'}");
    assert_int_equal(client_status(client).policy, 2);
    rig_end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_is_half_of_what_others_leave),
        cmocka_unit_test(sessions_are_shared),
        cmocka_unit_test(refused_sessions_are_few),
        cmocka_unit_test(requests_are_shared),
        cmocka_unit_test(pins_are_shared),
        cmocka_unit_test(pending_deliveries_are_shared),
        cmocka_unit_test(a_send_is_refused_whole),
        cmocka_unit_test(what_is_still_being_closed_is_charged),
        cmocka_unit_test(endpoints_are_shared),
        cmocka_unit_test(an_accept_is_charged_to_the_target),
        cmocka_unit_test(one_user_cannot_fill_an_endpoint),
        cmocka_unit_test(lower_limits_take_nothing_back),
    };
    return cmocka_run_group_tests_name("core: quotas", tests, NULL, NULL);
}
