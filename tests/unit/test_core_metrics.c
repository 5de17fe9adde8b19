/* broker.metrics: every figure is what was done, whoever may not inspect sees none, and the text has the form that its
 * readers want. */
#include "alloc_fault.h"
#include "core_client.h"
#include "core_pair.h"
#include "core_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METRICS HBK_METHOD_BROKER_METRICS
#define SEND HBK_METHOD_HANDLE_SEND
#define OPEN HBK_METHOD_ENDPOINT_OPEN

static char text[HBK_METRICS_BYTES_MAX + 1];

static void read_metrics(struct client *client)
{
    struct hbk_text got = client_ok(client, METRICS, NULL)->u.result.metrics.text;
    assert_true(got.size < sizeof text);
    memcpy(text, got.data, got.size);
    text[got.size] = '\0';
}

/* @line stands in the text, as a whole one. */
static void says(const char *line)
{
    char whole[256];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    if (strstr(text, whole) == NULL)
        fail_msg("\"%s\" is missing in:\n%s", line, text);
}

static void sends(struct client *client, const char *to, const char *more)
{
    client_request(client, SEND, "{'to':'%s','items':[{'handle':%u}]%s}", to,
                   client_make(client, "Event", 3), more);
    rig_run(client->rig);
}

/* ---- counters ---- */

static void hand_offs_are_counted_by_outcome_and_time(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    struct rig *rig = pair.rig;
    rig_let_inspect(rig, pair.target, NULL);
    read_metrics(pair.target);
    says("handlebroker_handoffs_total{outcome=\"done\"} 0");
    says("handlebroker_handoffs_total{outcome=\"os_error\"} 0");
    says("handlebroker_handoff_duration_seconds_bucket{le=\"+Inf\"} 0");
    says("handlebroker_handoff_duration_seconds_sum 0.000");
    sends(pair.sender, "user/a", "");
    sends(pair.sender, "user/a", "");
    const uint32_t waits[] = {1, 2, 7, 60000};
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; ++i) {
        char open[64], name[32];
        snprintf(name, sizeof name, "user/late%u", (unsigned)i);
        snprintf(open, sizeof open, "{'name':'%s','mode':'ask'}", name);
        /* By a target that answers as late as it is allowed to. */
        client_ok(pair.target, OPEN, "%s", open);
        sends(pair.sender, name, ",'timeout_ms':60000");
        uint64_t delivery = client_offered(pair.target)->delivery;
        rig_advance(rig, waits[i] - (waits[i] == 60000));
        client_ok(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                  (unsigned long long)delivery);
    }
    client_refused(pair.sender, HBK_R_NOT_FOUND, SEND, "{'to':'user/b','items':[{'handle':%u}]}",
                   client_make(pair.sender, "Event", 3));
    client_refused(pair.sender, HBK_R_BAD_HANDLE, SEND,
                   "{'to':'user/a','items':[{'handle':4000}]}");
    client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_STORE_GET, "{'name':'user/none'}");
    client_refused(pair.sender, HBK_R_DENIED, HBK_METHOD_HANDLE_TRANSFER,
                   "{'source':{'pid':4711},'handle':4,'target':{'pid':100}}");
    sends(pair.sender, "user/never", ",'wait_ms':50");
    rig_advance(rig, 50);
    /* What is no hand-off counts for nothing. */
    client_refused(pair.sender, HBK_R_EXISTS, OPEN, "{'name':'user/a'}");
    read_metrics(pair.target);
    says("handlebroker_handoffs_total{outcome=\"done\"} 6");
    says("handlebroker_handoffs_total{outcome=\"not_found\"} 2");
    says("handlebroker_handoffs_total{outcome=\"bad_handle\"} 1");
    says("handlebroker_handoffs_total{outcome=\"timeout\"} 1");
    says("handlebroker_handoffs_total{outcome=\"exists\"} 0");
    says("handlebroker_handoffs_total{outcome=\"denied\"} 1");
    says("handlebroker_handoff_duration_seconds_bucket{le=\"0.001\"} 3");
    says("handlebroker_handoff_duration_seconds_bucket{le=\"0.002\"} 4");
    says("handlebroker_handoff_duration_seconds_bucket{le=\"0.005\"} 4");
    says("handlebroker_handoff_duration_seconds_bucket{le=\"0.01\"} 5");
    says("handlebroker_handoff_duration_seconds_bucket{le=\"10.0\"} 5");
    says("handlebroker_handoff_duration_seconds_bucket{le=\"60.0\"} 6");
    says("handlebroker_handoff_duration_seconds_bucket{le=\"+Inf\"} 6");
    says("handlebroker_handoff_duration_seconds_sum 60.009");
    says("handlebroker_handoff_duration_seconds_count 6");
    struct hbk_status_result status = client_status(pair.target);
    assert_int_equal(status.delivered, 6);
    assert_int_equal(status.failed, 5);
    rig_end(rig);
}

static void what_takes_longer_is_in_the_last_bucket_alone(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a','mode':'ask'}");
    rig_let_inspect(pair.rig, pair.target, NULL);
    /* It waits for the endpoint, and then for the answer. */
    sends(pair.sender, "user/late", ",'wait_ms':60000,'timeout_ms':60000");
    rig_advance(pair.rig, 59000);
    client_ok(pair.target, OPEN, "{'name':'user/late','mode':'ask'}");
    uint64_t delivery = client_offered(pair.target)->delivery;
    rig_advance(pair.rig, 2345);
    client_ok(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
              (unsigned long long)delivery);
    read_metrics(pair.target);
    says("handlebroker_handoff_duration_seconds_bucket{le=\"60.0\"} 0");
    says("handlebroker_handoff_duration_seconds_bucket{le=\"+Inf\"} 1");
    says("handlebroker_handoff_duration_seconds_sum 61.345");
    rig_end(pair.rig);
}

static void what_a_pause_refuses_is_counted(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    rig_let_inspect(pair.rig, pair.target, NULL);
    hbk_core_pause(pair.rig->core, true);
    uint32_t event = client_make(pair.sender, "Event", 3);
    client_refused(pair.sender, HBK_R_BUSY, SEND, "{'to':'user/a','items':[{'handle':%u}]}", event);
    client_refused(pair.sender, HBK_R_BUSY, HBK_METHOD_STORE_GET, "{'name':'user/none'}");
    /* Which is no hand-off. */
    client_refused(pair.sender, HBK_R_BUSY, HBK_METHOD_STORE_PUT, "{'name':'user/b','handle':%u}",
                   event);
    read_metrics(pair.target);
    says("handlebroker_handoffs_total{outcome=\"busy\"} 2");
    assert_int_equal(client_status(pair.target).failed, 2);
    rig_end(pair.rig);
}

/* ---- who may ask ---- */

static void whoever_may_not_inspect_is_refused(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    client_refused(pair.sender, HBK_R_DENIED, METRICS, NULL);
    rig_let_inspect(pair.rig, pair.target, NULL); /* of no file */
    rig_let_inspect(pair.rig, pair.target, "rules.json");
    client_refused(pair.sender, HBK_R_DENIED, METRICS, NULL);
    struct client *fresh = client_connect(pair.rig, pair.target->process, 1);
    client_refused(fresh, HBK_R_NOT_PROVEN, METRICS, NULL);
    rig_advance(pair.rig, 1234);
    read_metrics(pair.target);
    says("handlebroker_policy_loads_total 1");
    says("handlebroker_uptime_seconds 1.234");
    says("handlebroker_sessions{state=\"proven\"} 2");
    says("handlebroker_sessions{state=\"unproven\"} 1");
    /* To be refused here is no hand-off. */
    says("handlebroker_handoffs_total{outcome=\"denied\"} 0");
    client_refused(pair.target, HBK_R_INVALID_PARAMS, METRICS, "{'limit':1}");
    rig_end(pair.rig);
}

/* ---- what there is at this moment ---- */

static void gauges_rise_and_fall(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/other'}");
    struct rig *rig = pair.rig;
    client_ok(pair.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/other'}");
    rig_let_inspect(rig, pair.target, NULL);
    client_ok(pair.target, OPEN, "{'name':'user/a','revocable':true}");
    client_ok(pair.sender, HBK_METHOD_STORE_PUT, "{'name':'user/kept','handle':%u}",
              client_make(pair.sender, "Event", 3));
    sends(pair.sender, "user/a", ",'revocable':true");
    uint64_t delivery = client_delivered(pair.target)->delivery;
    sends(pair.sender, "user/late", ",'wait_ms':1000");
    read_metrics(pair.target);
    says("handlebroker_endpoints 1");
    says("handlebroker_store_entries 1");
    says("handlebroker_deliveries_pending 1");
    says("handlebroker_deliveries_revocable 1");
    says("handlebroker_pins 2");
    says("handlebroker_quota_used{resource=\"pins\"} 2");
    says("handlebroker_quota_limit{resource=\"pins\"} 65536");
    says("handlebroker_quota_used{resource=\"stored\"} 1");
    says("handlebroker_quota_used{resource=\"endpoints\"} 1");
    client_ok(pair.sender, HBK_METHOD_DELIVERY_REVOKE, "{'delivery':%llu}",
              (unsigned long long)delivery);
    client_ok(pair.sender, HBK_METHOD_STORE_REMOVE, "{'name':'user/kept'}");
    client_ok(pair.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/a'}");
    rig_advance(rig, 1000);
    read_metrics(pair.target);
    says("handlebroker_endpoints 0");
    says("handlebroker_store_entries 0");
    says("handlebroker_deliveries_pending 0");
    says("handlebroker_deliveries_revocable 0");
    says("handlebroker_pins 0");
    says("handlebroker_quota_used{resource=\"pins\"} 0");
    says("handlebroker_quota_used{resource=\"stored\"} 0");
    rig_end(rig);
}

/* An offer that is accepted and not told yet is one hand-off, and two requests. */
static void what_is_accepted_is_one_hand_off(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a','mode':'ask'}");
    struct client *looks = client_new(pair.rig, 103, 1);
    rig_let_inspect(pair.rig, looks, NULL);
    sends(pair.sender, "user/a", "");
    uint64_t delivery = client_offered(pair.target)->delivery;
    share_block(pair.target);
    uint32_t id = client_request(pair.target, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                                 (unsigned long long)delivery);
    rig_run(pair.rig);
    read_metrics(looks);
    says("handlebroker_deliveries_pending 1");
    says("handlebroker_quota_used{resource=\"requests\"} 2");
    share_unblock(pair.target, true);
    client_result(pair.target, id);
    read_metrics(looks);
    says("handlebroker_deliveries_pending 0");
    says("handlebroker_quota_used{resource=\"requests\"} 0");
    rig_end(pair.rig);
}

static void records_that_are_dropped_are_counted(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.audit_file = true;
    struct pair pair = pair_new(&config, "{'name':'user/a'}");
    rig_let_inspect(pair.rig, pair.target, NULL);
    read_metrics(pair.target);
    says("handlebroker_audit_records_dropped_total 0");
    pair.rig->kernel->audit.full = true;
    sends(pair.sender, "user/a", "");
    read_metrics(pair.target);
    says("handlebroker_audit_records_dropped_total 2"); /* of the send, and of its pins' end */
    pair.rig->kernel->audit.full = false;
    rig_end(pair.rig);
}

static void what_workers_have_is_counted(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/other'}");
    struct rig *rig = pair.rig;
    client_ok(pair.target, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/other'}");
    rig_let_inspect(rig, pair.target, NULL);
    client_ok(pair.target, OPEN, "{'name':'user/a','types':{'File':'any','Socket':'any'}}");
    client_ok(pair.sender, HBK_METHOD_STORE_PUT, "{'name':'user/kept','handle':%u}",
              client_make(pair.sender, "File", 3));
    rig->kernel->unpins_pend = true;
    client_ok(pair.sender, SEND, "{'to':'user/a','items':[{'handle':%u}]}",
              client_make(pair.sender, "File", 3));
    client_ok(pair.sender, HBK_METHOD_STORE_REMOVE, "{'name':'user/kept'}");
    client_request(pair.sender, SEND, "{'to':'user/a','items':[{'handle':%u,'type':'Socket'}]}",
                   client_make_socket(pair.sender, 3));
    rig_run(rig);
    read_metrics(pair.target);
    says("handlebroker_worker_jobs_pending{job=\"close\"} 2");
    says("handlebroker_worker_jobs_pending{job=\"sockets\"} 1");
    says("handlebroker_sockets_lost_total 0");
    rig->kernel->unpins_pend = false;
    rig_sockets_all_end(rig);
    rig_unpins_end(rig);
    read_metrics(pair.target);
    says("handlebroker_worker_jobs_pending{job=\"close\"} 0");
    says("handlebroker_worker_jobs_pending{job=\"sockets\"} 0");
    says("handlebroker_handoffs_total{outcome=\"done\"} 2");
    rig_end(rig);
}

/* ---- without memory ---- */

/* The text is all there, or the client is told that there is no memory for it, or it is let go. Return: false once the
 * failure was never reached. */
static bool try_failing(size_t first, unsigned *refused)
{
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    rig_let_inspect(pair.rig, pair.target, NULL);
    uint32_t id = client_request(pair.target, METRICS, NULL);
    alloc_fault_arm(first);
    rig_run(pair.rig);
    bool reached = alloc_fault_disarm() > first;
    if (!client_answered(pair.target, id)) {
        assert_true(reached && client_ended(pair.target));
    } else if (pair.target->inbox[pair.target->requests[id - 1].answer]->message.kind ==
               HBK_MESSAGE_ERROR) {
        assert_true(reached);
        client_error(pair.target, id, HBK_R_INTERNAL_ERROR);
        ++*refused;
        read_metrics(pair.target); /* and the next time it is */
    } else {
        assert_true(client_result(pair.target, id)->u.result.metrics.text.size > strlen("# EOF\n"));
    }
    rig_end(pair.rig);
    return reached;
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    unsigned refused = 0;
    if (!alloc_fault_works()) {
        print_message("skipped: this build cannot make allocations fail\n");
        skip();
    }
    for (size_t first = 0; try_failing(first, &refused); ++first) {
    }
    assert_true(refused > 0);
}

/* What was in the buffer before stays, and nothing is behind it. */
static void half_a_text_is_none(void **state)
{
    (void)state;
    static const char before[] = "before";
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    unsigned failed = 0;
    if (!alloc_fault_works()) {
        print_message("skipped: this build cannot make allocations fail\n");
        skip();
    }
    for (size_t first = 0; first < 8; ++first) {
        struct hbk_buffer buffer;
        hbk_buffer_init(&buffer, HBK_METRICS_BYTES_MAX + sizeof before);
        hbk_buffer_append(&buffer, before, sizeof before - 1);
        alloc_fault_arm(first);
        rig_enter_core();
        hbk_core_metrics(pair.rig->core, &buffer);
        rig_leave_core();
        assert_int_equal(alloc_fault_disarm() > first, buffer.failed);
        assert_memory_equal(buffer.data, before, sizeof before - 1);
        if (buffer.failed) {
            assert_int_equal(buffer.size, sizeof before - 1);
            ++failed;
        }
        hbk_buffer_deinit(&buffer);
    }
    assert_true(failed > 0);
    rig_end(pair.rig);
}

/* ---- its form ---- */

/* The word at @at, which ends before a blank or what a series' name ends before, is also at @other. */
static bool same_name(const char *at, const char *other)
{
    size_t size = strcspn(at, " {\n");
    return strncmp(at, other, size) == 0 && strcspn(other, " {\n") == size;
}

/* @line is a series of the family at @family. */
static bool belongs(const char *line, const char *family)
{
    static const char *const tails[] = {"_bucket", "_sum", "_count"};
    size_t size = strcspn(family, " ");
    if (same_name(line, family))
        return true;
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; ++i) {
        if (strncmp(line, family, size) == 0 &&
            strncmp(line + size, tails[i], strlen(tails[i])) == 0)
            return strncmp(family + size, " histogram\n", 11) == 0;
    }
    return false;
}

static void each_series_belongs_to_the_family_before_it(void **state)
{
    (void)state;
    static const char help[] = "# HELP ", type[] = "# TYPE ";
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    const char *family = "", *helped = "";
    size_t lines = 0;
    rig_let_inspect(pair.rig, pair.target, NULL);
    read_metrics(pair.target);
    size_t size = strlen(text);
    assert_string_equal(text + size - 6, "# EOF\n");
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1, lines++) {
        if (strncmp(line, help, strlen(help)) == 0) {
            helped = line + strlen(help);
            assert_true(strcspn(helped, "\n") > strcspn(helped, " ") + 10);
        } else if (strncmp(line, type, strlen(type)) == 0) {
            family = line + strlen(type);
            assert_true(same_name(family, helped));
        } else if (strcmp(line, "# EOF\n") != 0) {
            assert_true(belongs(line, family));
        }
    }
    /* With numbers of any length it fits into its field, and escaped into a line. */
    assert_true(size + lines * 20 <= HBK_METRICS_BYTES_MAX);
    assert_true(HBK_METRICS_BYTES_MAX * 2 + 256 < HBK_LINE_BYTES_MAX);
    rig_end(pair.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hand_offs_are_counted_by_outcome_and_time),
        cmocka_unit_test(what_takes_longer_is_in_the_last_bucket_alone),
        cmocka_unit_test(what_a_pause_refuses_is_counted),
        cmocka_unit_test(whoever_may_not_inspect_is_refused),
        cmocka_unit_test(gauges_rise_and_fall),
        cmocka_unit_test(what_is_accepted_is_one_hand_off),
        cmocka_unit_test(records_that_are_dropped_are_counted),
        cmocka_unit_test(what_workers_have_is_counted),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(half_a_text_is_none),
        cmocka_unit_test(each_series_belongs_to_the_family_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
