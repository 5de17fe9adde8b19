/* The operator's log: refusals are gathered, so that nobody can fill it, and nothing of that keeps the loop awake
 * or a stop waiting. */
#include "core_pair.h"

#include <stdio.h>
#include <string.h>

static void be_refused(struct client *client, unsigned times)
{
    for (unsigned i = 0; i < times; ++i)
        client_refused(client, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/none'}");
}

static const struct fake_notice *notice_at(const struct rig *rig, size_t index)
{
    assert_true(index < rig->kernel->audit.notices_count);
    return &rig->kernel->audit.notices[index];
}

static void the_first_at_once_the_rest_as_a_number(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1), *again = client_new(rig, 102, 1);
    const struct fake_audit *audit = &rig->kernel->audit;
    be_refused(client, 1);
    assert_int_equal(audit->notices_count, 1);
    const struct fake_notice *first = notice_at(rig, 0);
    assert_int_equal(first->kind, HBK_NOTICE_REFUSED);
    assert_int_equal(first->count, 1);
    assert_int_equal(first->pid, 100);
    assert_string_equal(first->user, "S-1-5-21-1-2-3-1001");
    assert_string_equal(first->event, "endpoint.close");
    assert_string_equal(first->name, "user/none");
    assert_string_equal(first->error, "not_found");
    assert_true(first->detail[0] != '\0' && first->correlation > 0);
    be_refused(client, 4);
    be_refused(again, 3); /* the same user */
    rig_advance(rig, HBK_AUDIT_PERIOD_MS - 1);
    assert_int_equal(audit->notices_count, 1);
    rig_advance(rig, 1);
    assert_int_equal(audit->notices_count, 2);
    assert_int_equal(notice_at(rig, 1)->kind, HBK_NOTICE_REFUSED_MORE);
    assert_int_equal(notice_at(rig, 1)->count, 7);
    assert_string_equal(notice_at(rig, 1)->user, "S-1-5-21-1-2-3-1001");
    assert_true(hbk_core_deadline_ms(rig->core) == UINT64_MAX);
    /* Another minute. */
    be_refused(client, 1);
    assert_int_equal(audit->notices_count, 3);
    assert_int_equal(notice_at(rig, 2)->kind, HBK_NOTICE_REFUSED);
    rig_advance(rig, HBK_AUDIT_PERIOD_MS);
    assert_int_equal(audit->notices_count, 3); /* there were no more */
    assert_true(hbk_core_deadline_ms(rig->core) == UINT64_MAX);
    rig_end(rig);
}

/* Also those that leave and come back with every request. */
static void a_user_cannot_come_back_as_another(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    for (uint32_t i = 0; i < 20; ++i) {
        struct client *client = client_new(rig, 100 + i, 1);
        be_refused(client, 1);
        client_exit(client);
    }
    assert_int_equal(rig->kernel->audit.notices_count, 1);
    rig_advance(rig, HBK_AUDIT_PERIOD_MS);
    assert_int_equal(rig->kernel->audit.notices_count, 2);
    assert_int_equal(notice_at(rig, 1)->count, 19);
    rig_end(rig);
}

static void each_user_has_its_own_minute(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *one = client_new(rig, 100, 1), *two = client_new(rig, 101, 2);
    be_refused(one, 2);
    rig_advance(rig, HBK_AUDIT_PERIOD_MS / 2);
    be_refused(two, 3);
    rig_advance(rig, HBK_AUDIT_PERIOD_MS / 2);
    assert_int_equal(rig->kernel->audit.notices_count, 3);
    assert_int_equal(notice_at(rig, 2)->count, 1);
    rig_advance(rig, HBK_AUDIT_PERIOD_MS / 2);
    assert_int_equal(rig->kernel->audit.notices_count, 4);
    assert_int_equal(notice_at(rig, 3)->count, 2);
    assert_string_equal(notice_at(rig, 3)->user, "S-1-5-21-1-2-3-1002");
    rig_end(rig);
}

static void many_users_are_gathered_as_one(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    const struct fake_audit *audit = &rig->kernel->audit;
    for (uint32_t i = 0; i < HBK_AUDIT_USERS_MAX + 10; ++i) {
        struct client *client = client_new(rig, 100 + i, 1 + i);
        be_refused(client, 2);
        client_exit(client);
    }
    assert_int_equal(audit->notices_count, HBK_AUDIT_USERS_MAX + 1);
    rig_advance(rig, HBK_AUDIT_PERIOD_MS);
    assert_int_equal(audit->notices_count, 2 * (HBK_AUDIT_USERS_MAX + 1));
    const struct fake_notice *rest = notice_at(rig, audit->notices_count - 1);
    assert_string_equal(rest->user, "");
    assert_int_equal(rest->count, 19);
    assert_true(hbk_core_deadline_ms(rig->core) == UINT64_MAX);
    rig_end(rig);
}

static void what_is_gathered_is_told_at_stop(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *client = client_new(rig, 100, 1);
    be_refused(client, 6);
    rig_stop(rig);
    assert_true(hbk_core_stopped(rig->core));
    assert_int_equal(rig->kernel->audit.notices_count, 2);
    assert_int_equal(notice_at(rig, 1)->count, 5);
    rig_end(rig);
}

/* What comes after the stop was asked for is told when the core goes. */
static void nothing_is_lost_after_stop(void **state)
{
    (void)state;
    struct fake_kernel *kernel = fake_kernel_new(1);
    struct hbk_platform platform = fake_platform(kernel);
    struct hbk_config config;
    hbk_config_default(&config);
    struct hbk_core *core = hbk_core_new(&platform, &config);
    assert_non_null(core);
    hbk_core_stop(core);
    const struct hbk_notice note = {.kind = HBK_NOTICE_REFUSED, .user = "S-1-5-7"};
    for (int i = 0; i < 3; ++i)
        hbk_core_note(core, &note);
    assert_true(hbk_core_stopped(core));
    assert_int_equal(kernel->audit.notices_count, 1);
    hbk_core_free(core);
    assert_int_equal(kernel->audit.notices_count, 2);
    assert_int_equal(kernel->audit.notices[1].count, 2);
    fake_kernel_free(kernel);
}

static void a_failure_is_no_refusal(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a','mode':'ask'}");
    pair_send(&pair, 1);
    rig_run(pair.rig);
    rig_advance(pair.rig, HBK_TIMEOUT_MS_DEFAULT);
    pair_send(&pair, 1);
    rig_run(pair.rig);
    client_exit(pair.target);
    assert_int_equal(pair.rig->kernel->audit.notices_count, 0);
    assert_int_equal(client_status(pair.sender).failed, 2);
    rig_end(pair.rig);
}

static void texts_are_printable_and_cut(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    char text[HBK_DETAIL_BYTES_MAX + 100];
    memset(text, 'a', sizeof text);
    for (size_t size = HBK_DETAIL_BYTES_MAX - 8; size < sizeof text; ++size) {
        text[size] = '\0';
        const struct hbk_notice note = {.kind = HBK_NOTICE_WARNING, .detail = text};
        rig->kernel->audit.notices_count = 0;
        hbk_core_note(rig->core, &note);
        const char *told = notice_at(rig, 0)->detail;
        assert_memory_equal(told, text, 200);
        assert_true(strlen(told) <= HBK_DETAIL_BYTES_MAX);
        if (strlen(told) < size)
            assert_string_equal(told + strlen(told) - 3, "...");
        text[size] = 'a';
    }
    const struct hbk_notice note = {
        .kind = HBK_NOTICE_WARNING, .detail = "a\\b\x7f\x80\r\n%s", .name = "\x1b[31m"};
    rig->kernel->audit.notices_count = 0;
    hbk_core_note(rig->core, &note);
    assert_string_equal(notice_at(rig, 0)->detail, "a\\x5cb\\x7f\\x80\\x0d\\x0a%s");
    assert_string_equal(notice_at(rig, 0)->name, "\\x1b[31m");
    rig_end(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_at_once_the_rest_as_a_number),
        cmocka_unit_test(a_user_cannot_come_back_as_another),
        cmocka_unit_test(each_user_has_its_own_minute),
        cmocka_unit_test(many_users_are_gathered_as_one),
        cmocka_unit_test(what_is_gathered_is_told_at_stop),
        cmocka_unit_test(nothing_is_lost_after_stop),
        cmocka_unit_test(a_failure_is_no_refusal),
        cmocka_unit_test(texts_are_printable_and_cut),
    };
    return cmocka_run_group_tests_name("core: the operator's log", tests, NULL, NULL);
}
