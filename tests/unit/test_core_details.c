/* What failures and records say: the platform's own words where it has any, and texts as long as they may be. */
#include "core_log.h"
#include "core_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define SEND HBK_METHOD_HANDLE_SEND

static const char advice[] = "the platform says what to do";

static void says(const struct hbk_error *error, const char *text)
{
    if (strstr(error->detail, text) == NULL)
        fail_msg("%s: no %s", error->detail, text);
}

/* @words: the platform has some of its own. Else it is what the code means. */
static struct pair pair_that_fails(bool words)
{
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    pair.rig->kernel->fault_detail = words ? advice : NULL;
    return pair;
}

static void a_send_that_the_platform_fails_says_why(void **state)
{
    static const enum fake_op ops[] = {FAKE_OP_PIN, FAKE_OP_INSPECT, FAKE_OP_PLACE};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof ops / sizeof ops[0]; ++i) {
        struct pair pair = pair_that_fails(i % 2);
        char *params = pair_params(&pair, 2, "Event", 3, NULL);
        fake_fail(pair.rig->kernel, ops[i / 2], 2, HBK_R_OS_ERROR, 1450);
        const struct hbk_error *error =
            client_refused(pair.sender, HBK_R_OS_ERROR, SEND, "%s", params);
        says(error, i % 2 ? advice : hbk_result_meaning(HBK_R_OS_ERROR));
        assert_int_equal(error->win32, 1450);
        assert_int_equal(error->item, 1);
        client_nothing(pair.target);
        client_ok(pair.sender, SEND, "%s", params);
        client_delivered(pair.target);
        free(params);
        rig_end(pair.rig);
    }
}

static void a_from_that_the_platform_fails_says_why(void **state)
{
    (void)state;
    for (int words = 0; words < 2; ++words) {
        struct pair pair = pair_that_fails(words);
        const char *open = "{'name':'user/b','from':'D:(A;;GA;;;AU)'}";
        fake_fail(pair.rig->kernel, FAKE_OP_DESCRIPTOR_NEW, 1, HBK_R_INVALID_PARAMS, 1337);
        const struct hbk_error *error =
            client_refused(pair.target, HBK_R_INVALID_PARAMS, OPEN, "%s", open);
        says(error, "from: ");
        says(error, words ? advice : hbk_result_meaning(HBK_R_INVALID_PARAMS));
        assert_int_equal(error->win32, 1337);
        assert_int_equal(fake_descriptors_held(pair.rig->kernel), 0);
        client_ok(pair.target, OPEN, "%s", open);
        rig_end(pair.rig);
    }
}

static void a_proof_that_the_platform_fails_says_why(void **state)
{
    (void)state;
    for (int words = 0; words < 2; ++words) {
        struct pair pair = pair_that_fails(words);
        struct client *client =
            client_connect(pair.rig, fake_process_start(pair.rig->kernel, 300), 3);
        fake_fail(pair.rig->kernel, FAKE_OP_PROOF_OPEN, 1, HBK_R_OS_ERROR, 5);
        uint32_t id = client_request(client, HBK_METHOD_SESSION_HELLO,
                                     "{'protocol':[1],'client':{'name':'t','version':'1'}}");
        rig_run(pair.rig);
        const struct hbk_error *error = client_error(client, id, HBK_R_OS_ERROR);
        says(error, words ? advice : "could not be placed in your process");
        assert_int_equal(error->win32, 5);
        assert_int_equal(fake_handles_count(client->process), 0);
        client_hello(client); /* may be said again */
        rig_end(pair.rig);
    }
}

/* ---- records ---- */

/* The longest of what a record may hold at once: it is not cut, and its memory is not kept. */
static void a_record_of_everything_at_its_longest(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.audit_file = true;
    char name[HBK_NAME_BYTES_MAX + 1] = "user/", reason[6 * HBK_REASON_BYTES_MAX + 1] = "";
    memset(name + 5, 'n', HBK_NAME_BYTES_MAX - 5);
    name[HBK_NAME_BYTES_MAX] = '\0';
    for (size_t i = 0; i < HBK_REASON_BYTES_MAX; ++i)
        memcpy(reason + 6 * i, "\\u0001", 7);
    char open[HBK_NAME_BYTES_MAX + 64];
    snprintf(open, sizeof open, "{'name':'%s','mode':'ask'}", name);
    struct pair pair = pair_new(&config, open);
    struct log *log = log_new(pair.rig);
    char params[HBK_NAME_BYTES_MAX + HBK_ITEMS_MAX * 32];
    int size = snprintf(params, sizeof params, "{'to':'%s','items':[", name);
    for (unsigned i = 0; i < HBK_ITEMS_MAX; ++i)
        size += snprintf(params + size, sizeof params - (size_t)size, "%s{'handle':%u}",
                         i ? "," : "", client_make(pair.sender, "Semaphore", 0x1F0003));
    snprintf(params + size, sizeof params - (size_t)size, "]}");
    uint32_t id = client_request_text(pair.sender, SEND, params);
    rig_run(pair.rig);
    client_ok(pair.target, HBK_METHOD_DELIVERY_REJECT, "{'delivery':%llu,'reason':'%s'}",
              (unsigned long long)client_offered(pair.target)->delivery, reason);
    client_error(pair.sender, id, HBK_R_REJECTED);
    log_take(log, "handle.offered", "done", NULL);
    log_take(log, "delivery.reject", "done", NULL);
    const struct hbk_event *failed = log_take(log, "handle.send", "refused", "rejected");
    assert_true(hbk_text_is(failed->endpoint, name));
    assert_int_equal(failed->items_count, HBK_ITEMS_MAX);
    assert_true(hbk_text_is(failed->items[HBK_ITEMS_MAX - 1].type, "Semaphore"));
    log_take(log, "delivery.closed", "done", NULL);
    /* The operator's log has room for less, and says so. */
    client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'%s'}", name);
    assert_true(
        hbk_text_is(log_take(log, "endpoint.close", "refused", "not_found")->endpoint, name));
    /* The first refusal of the minute was the send's, of the same name. */
    const char *told = pair.rig->kernel->audit.notices[0].name;
    assert_memory_equal(told, name, strlen(told) - 3);
    assert_string_equal(told + strlen(told) - 3, "...");
    log_nothing(log);
    log_forget(log);
    log_free(log);
    rig_end(pair.rig);
}

/* What the service notes may come from outside: it is cut to what a record may hold. */
static void notes_name_what_is_a_name(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.audit_file = true;
    struct rig *rig = rig_new(&config, 1);
    struct log *log = log_new(rig);
    char user[2 * HBK_SID_BYTES_MAX];
    memset(user, '1', sizeof user - 1);
    memcpy(user, "S-1-5-", 6);
    user[sizeof user - 1] = '\0';
    const struct hbk_notice notes[] = {
        {.kind = HBK_NOTICE_WARNING, .event = "", .name = "user/a"},
        {.kind = HBK_NOTICE_WARNING, .event = "service.other", .user = user},
        {.kind = HBK_NOTICE_REFUSED, .user = user},
        {.kind = HBK_NOTICE_REFUSED, .user = user},
    };
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; ++i)
        hbk_core_note(rig->core, &notes[i]);
    rig_run(rig);
    assert_true(hbk_text_is(log_take(log, "service.warning", "failed", NULL)->endpoint, "user/a"));
    assert_int_equal(log_take(log, "service.other", "failed", NULL)->caller.user.size,
                     HBK_SID_BYTES_MAX);
    log_take(log, "session.refused", "refused", NULL);
    log_take(log, "session.refused", "refused", NULL);
    log_nothing(log);
    /* Those of a user that is too long to be one are gathered as well, and name nobody. */
    rig_advance(rig, HBK_AUDIT_PERIOD_MS);
    const struct fake_audit *audit = &rig->kernel->audit;
    assert_int_equal(audit->notices_count, 4);
    assert_int_equal(audit->notices[3].kind, HBK_NOTICE_REFUSED_MORE);
    assert_int_equal(audit->notices[3].count, 1);
    assert_string_equal(audit->notices[3].user, "");
    log_forget(log);
    log_free(log);
    rig_end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_send_that_the_platform_fails_says_why),
        cmocka_unit_test(a_from_that_the_platform_fails_says_why),
        cmocka_unit_test(a_proof_that_the_platform_fails_says_why),
        cmocka_unit_test(a_record_of_everything_at_its_longest),
        cmocka_unit_test(notes_name_what_is_a_name),
    };
    return cmocka_run_group_tests_name("core: details", tests, NULL, NULL);
}
