/* Looking at the broker: who may, who is there, what happens, and that looking harms nobody. */
#include "core_pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- broker.sessions ---- */

static void sessions_are_shown_to_who_may_inspect(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    struct rig *rig = pair.rig;
    struct client *admin = client_new(rig, 105, 2);
    client_refused(admin, HBK_R_DENIED, HBK_METHOD_BROKER_SESSIONS, "{}");
    rig_let_inspect(rig, admin, NULL);
    client_refused(pair.sender, HBK_R_DENIED, HBK_METHOD_BROKER_SESSIONS, "{}");
    rig_advance(rig, 500);
    client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}",
              client_make(pair.sender, "Event", 3));
    client_request(pair.sender, HBK_METHOD_HANDLE_SEND,
                   "{'to':'user/late','items':[{'handle':%u}],'wait_ms':1000}",
                   client_make(pair.sender, "Event", 3));
    client_connect(rig, fake_process_start(rig->kernel, 106), 3);
    rig_run(rig);
    const struct hbk_session_list_result *list =
        &client_ok(admin, HBK_METHOD_BROKER_SESSIONS, "{}")->u.result.sessions;
    assert_int_equal(list->sessions_count, 4);
    assert_null(list->next.data);
    const struct hbk_session_info *sender = &list->sessions[0];
    assert_int_equal(sender->session, pair.sender->session_id);
    assert_int_equal(sender->peer.pid, 100);
    assert_true(hbk_text_is(sender->peer.user, "S-1-5-21-1-2-3-1001"));
    assert_int_equal(sender->terminal_session, 1);
    assert_true(hbk_text_is(sender->client_name, "test"));
    assert_true(hbk_text_is(sender->client_version, "1"));
    assert_true(hbk_text_is(sender->state, "proven"));
    assert_int_equal(sender->since_ms, 500);
    assert_int_equal(sender->requests, 1);
    assert_int_equal(sender->pins, 1);
    assert_int_equal(sender->sent, 1);
    assert_int_equal(sender->received, 0);
    assert_int_equal(sender->queued_bytes, 0);
    const struct hbk_session_info *target = &list->sessions[1];
    assert_int_equal(target->endpoints, 1);
    assert_int_equal(target->received, 1);
    const struct hbk_session_info *fresh = &list->sessions[3];
    assert_true(hbk_text_is(fresh->state, "new"));
    assert_null(fresh->client_name.data);
    rig_end(rig);
}

static size_t count_pages(struct client *admin, unsigned limit, uint64_t *seen, size_t seen_max,
                          size_t *ret_pages)
{
    char params[64], cursor[32] = "";
    size_t count = 0, pages = 0;
    for (;;) {
        snprintf(params, sizeof params, "{'limit':%u%s%s%s}", limit, *cursor ? ",'cursor':'" : "",
                 cursor, *cursor ? "'" : "");
        const struct hbk_session_list_result *list =
            &client_ok(admin, HBK_METHOD_BROKER_SESSIONS, "%s", params)->u.result.sessions;
        assert_true(list->sessions_count <= limit);
        for (size_t i = 0; i < list->sessions_count; ++i) {
            assert_true(count < seen_max);
            seen[count++] = list->sessions[i].session;
        }
        assert_true(++pages < 1000);
        if (!list->next.data)
            break;
        snprintf(cursor, sizeof cursor, "%.*s", (int)list->next.size, list->next.data);
    }
    *ret_pages = pages;
    return count;
}

static void pages_show_everybody_once(void **state)
{
    (void)state;
    enum { COUNT = 90, SEEN_MAX = 180 };
    struct rig *rig = rig_new(NULL, 1);
    struct client *clients[COUNT];
    uint64_t seen[SEEN_MAX];
    size_t pages;
    for (uint32_t i = 0; i < COUNT; ++i)
        clients[i] = client_new(rig, 100 + i, 1);
    rig_let_inspect(rig, clients[0], NULL);
    for (unsigned limit = 1; limit <= HBK_PAGE_MAX; limit += 9) {
        size_t count = count_pages(clients[0], limit, seen, SEEN_MAX, &pages);
        assert_int_equal(count, COUNT);
        for (size_t i = 0; i < count; ++i)
            assert_int_equal(seen[i], clients[i]->session_id);
        assert_true(pages <= (COUNT + limit - 1) / limit);
    }
    /* Where most have gone, pages are short, and there is no end of empty ones. */
    for (uint32_t i = 1; i < COUNT - 1; ++i)
        client_exit(clients[i]);
    assert_int_equal(count_pages(clients[0], 1, seen, COUNT, &pages), 2);
    assert_int_equal(pages, 2);
    const char *const cursors[] = {"-1", "x", "1x", "12345678901234567890", " 1"};
    for (size_t i = 0; i < sizeof cursors / sizeof cursors[0]; ++i)
        client_refused(clients[0], HBK_R_INVALID_PARAMS, HBK_METHOD_BROKER_SESSIONS,
                       "{'cursor':'%s'}", cursors[i]);
    const struct hbk_session_list_result *list =
        &client_ok(clients[0], HBK_METHOD_BROKER_SESSIONS, "{'cursor':'999999999'}")
             ->u.result.sessions;
    assert_int_equal(list->sessions_count, 0);
    assert_null(list->next.data);
    rig_end(rig);
}

/* However many places are empty, one page looks at so many and no more. */
static void a_page_looks_at_few(void **state)
{
    (void)state;
    enum { COUNT = HBK_SCAN_MAX + 20 };
    struct rig *rig = rig_new(NULL, 1);
    struct client *clients[COUNT];
    char next[32];
    clients[0] = client_new(rig, 100, 1);
    for (uint32_t i = 1; i < COUNT; ++i)
        clients[i] = client_connect(rig, clients[0]->process, 1);
    rig_let_inspect(rig, clients[0], NULL);
    for (uint32_t i = 1; i < COUNT - 1; ++i)
        client_hang_up(clients[i]);
    const struct hbk_session_list_result *list =
        &client_ok(clients[0], HBK_METHOD_BROKER_SESSIONS, NULL)->u.result.sessions;
    assert_int_equal(list->sessions_count, 1);
    assert_int_equal(list->sessions[0].session, clients[0]->session_id);
    assert_non_null(list->next.data);
    snprintf(next, sizeof next, "%.*s", (int)list->next.size, list->next.data);
    list = &client_ok(clients[0], HBK_METHOD_BROKER_SESSIONS, "{'cursor':'%s'}", next)
                ->u.result.sessions;
    assert_int_equal(list->sessions_count, 1);
    assert_int_equal(list->sessions[0].session, clients[COUNT - 1]->session);
    assert_null(list->next.data);
    rig_end(rig);
}

/* Names that swell when they are written cannot make a page longer than a line. */
static void long_names_make_shorter_pages(void **state)
{
    (void)state;
    enum { COUNT = 80 };
    struct rig *rig = rig_new(NULL, 1);
    struct client *admin = client_new(rig, 100, 1);
    uint64_t seen[COUNT + 1];
    char tail[HBK_SID_BYTES_MAX], blanks[12000];
    memset(blanks, ' ', sizeof blanks);
    memset(tail, '1', sizeof tail);
    tail[sizeof tail - 1 - strlen("S-1-5-21-1-2-3-1001")] = '\0';
    tail[0] = '-';
    rig->sid_tail = tail;
    char name[HBK_CLIENT_NAME_BYTES_MAX * 6 + 1] = "";
    char version[HBK_CLIENT_VERSION_BYTES_MAX * 6 + 1] = "";
    for (size_t i = 0; i < HBK_CLIENT_NAME_BYTES_MAX; ++i)
        memcpy(name + i * 6, "\\u0001", 7);
    for (size_t i = 0; i < HBK_CLIENT_VERSION_BYTES_MAX; ++i)
        memcpy(version + i * 6, "\\u0002", 7);
    for (uint32_t i = 0; i < COUNT; ++i) {
        struct client *client =
            client_connect(rig, fake_process_start(rig->kernel, 4000000000u + i), 1);
        client_ok(client, HBK_METHOD_SESSION_HELLO,
                  "{'protocol':[1],'client':{'name':'%s','version':'%s'}}", name, version);
        client_bytes(client, blanks, sizeof blanks);
    }
    rig->kernel->now_ms += 8000000000000000u; /* long numbers, too */
    rig_let_inspect(rig, admin, NULL);
    size_t pages;
    assert_int_equal(count_pages(admin, HBK_PAGE_MAX, seen, COUNT + 1, &pages), COUNT + 1);
    assert_true(pages >= 2);
    rig_end(rig);
}

/* ---- broker.watch ---- */

static void is_event(struct client *client, const char *event, const char *outcome)
{
    const struct hbk_event *next = client_event(client);
    if (!hbk_text_is(next->event, event) || !hbk_text_is(next->outcome, outcome))
        fake_violation(client->rig->kernel, "for %s %s there is %.*s %.*s", event, outcome,
                       (int)next->event.size, next->event.data, (int)next->outcome.size,
                       next->outcome.data);
}

static void watchers_see_what_happens(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    struct rig *rig = pair.rig;
    struct client *admin = client_new(rig, 105, 2);
    client_refused(admin, HBK_R_DENIED, HBK_METHOD_BROKER_WATCH, NULL);
    assert_int_equal(rig->kernel->audit.built, 0);
    rig_let_inspect(rig, admin, NULL);
    client_ok(admin, HBK_METHOD_BROKER_WATCH, NULL);
    client_nothing(admin); /* nothing of its own asking */
    client_ok(admin, HBK_METHOD_BROKER_WATCH, NULL);
    client_ok(admin, HBK_METHOD_BROKER_SESSIONS, "{}");
    client_nothing(admin);
    client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}",
              client_make(pair.sender, "Event", 3));
    client_delivered(pair.target);
    assert_int_equal(rig->kernel->audit.built, 2);
    is_event(admin, "handle.send", "done");
    is_event(admin, "delivery.closed", "done");
    client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/b'}");
    is_event(admin, "endpoint.close", "refused");
    /* A refusal of its own is one event, not one after the other. */
    client_refused(admin, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/b'}");
    is_event(admin, "endpoint.close", "refused");
    client_nothing(admin);
    /* Other rules that let it go on change nothing for it. */
    rig_let_inspect(rig, admin, NULL);
    is_event(admin, "policy.loaded", "done");
    client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/b'}");
    is_event(admin, "endpoint.close", "refused");
    client_nothing(admin);
    rig_let_inspect(rig, pair.target, "rules.json");
    /* Who may watch no longer is told so, and sees not even the reason for it. */
    is_event(admin, "broker.watch", "refused");
    client_ok(pair.target, HBK_METHOD_BROKER_WATCH, NULL);
    client_nothing(admin);
    client_refused(admin, HBK_R_DENIED, HBK_METHOD_BROKER_WATCH, NULL);
    is_event(pair.target, "broker.watch", "refused");
    client_exit(admin);
    is_event(pair.target, "session.closed", "done");
    client_nothing(pair.target);
    client_exit(pair.target);
    uint64_t built = rig->kernel->audit.built;
    client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/b'}");
    assert_int_equal(rig->kernel->audit.built, built); /* nobody is left to see it */
    rig_end(rig);
}

/* All watchers of one process, as the fake's rules go by process. */
static struct client *admin_again(struct rig *rig, struct client *admin)
{
    struct client *client = client_connect(rig, admin->process, 2);
    assert_non_null(client);
    client_prove(client);
    return client;
}

static void watchers_are_few(void **state)
{
    (void)state;
    struct rig *rig = rig_new(NULL, 1);
    struct client *watchers[HBK_WATCHERS_MAX + 1];
    watchers[0] = client_new(rig, 100, 2);
    rig_let_inspect(rig, watchers[0], NULL);
    for (size_t i = 1; i <= HBK_WATCHERS_MAX; ++i)
        watchers[i] = admin_again(rig, watchers[0]);
    for (size_t i = 0; i < HBK_WATCHERS_MAX; ++i)
        client_ok(watchers[i], HBK_METHOD_BROKER_WATCH, NULL);
    struct client *last = watchers[HBK_WATCHERS_MAX];
    const struct hbk_error *error =
        client_refused(last, HBK_R_QUOTA, HBK_METHOD_BROKER_WATCH, NULL);
    assert_string_equal(error->limit, "watchers");
    client_hang_up(watchers[3]);
    client_ok(last, HBK_METHOD_BROKER_WATCH, NULL);
    /* However many watch, a record is built once. */
    uint64_t built = rig->kernel->audit.built;
    client_ok(watchers[0], HBK_METHOD_ENDPOINT_OPEN, "{'name':'user/a'}");
    assert_int_equal(rig->kernel->audit.built, built + 1);
    is_event(last, "endpoint.open", "done");
    client_nothing(last);
    rig_end(rig);
}

static void who_does_not_read_loses_events_alone(void **state)
{
    (void)state;
    struct hbk_config config;
    hbk_config_default(&config);
    config.write_queue_bytes = HBK_LINE_BYTES_MAX;
    struct pair pair = pair_new(&config, "{'name':'user/a'}");
    struct rig *rig = pair.rig;
    struct client *slow = client_new(rig, 105, 2);
    rig_let_inspect(rig, slow, NULL);
    struct client *other = admin_again(rig, slow);
    client_ok(slow, HBK_METHOD_BROKER_WATCH, NULL);
    client_ok(other, HBK_METHOD_BROKER_WATCH, NULL);
    is_event(slow, "broker.watch", "done");
    slow->connection->write_mode = FAKE_WRITE_PENDS;
    uint32_t event = client_make(pair.sender, "Event", 3);
    for (int i = 0; i < 200; ++i)
        client_ok(pair.sender, HBK_METHOD_HANDLE_SEND, "{'to':'user/a','items':[{'handle':%u}]}",
                  event);
    uint64_t dropped = client_status(pair.sender).events_dropped;
    assert_true(dropped > 100 && dropped < 400);
    /* What it asks is answered all the same, and who reads has missed nothing. */
    assert_false(slow->connection->paused);
    uint32_t id = client_request(slow, HBK_METHOD_ENDPOINT_LIST, NULL);
    rig_run(rig);
    assert_int_equal(client_untaken(other), 400);
    slow->connection->write_mode = FAKE_WRITE_DONE;
    client_write_ends(slow, true);
    client_result(slow, id);
    assert_int_equal(client_untaken(slow), 400 - dropped);
    uint64_t serial = 0;
    for (size_t i = 0; i < 400 - dropped; ++i)
        serial = client_event(slow)->serial;
    rig_advance(rig, HBK_AUDIT_PERIOD_MS);
    const struct hbk_event *told = client_event(slow);
    assert_true(hbk_text_is(told->event, "records.dropped"));
    assert_int_equal(told->count, dropped);
    assert_int_equal(told->serial, serial + dropped + 1);
    assert_true(hbk_core_deadline_ms(rig->core) == UINT64_MAX);
    rig_end(rig);
}

static void who_never_reads_watches_no_more(void **state)
{
    (void)state;
    struct pair pair = pair_new(NULL, "{'name':'user/a'}");
    struct rig *rig = pair.rig;
    rig_let_inspect(rig, pair.target, NULL);
    client_ok(pair.target, HBK_METHOD_BROKER_WATCH, NULL);
    pair.target->connection->write_mode = FAKE_WRITE_PENDS;
    client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/b'}");
    assert_int_equal(rig->kernel->audit.built, 1);
    rig_advance(rig, rig->config.write_ms);
    assert_true(client_ended(pair.target));
    client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE, "{'name':'user/b'}");
    assert_int_equal(rig->kernel->audit.built, 1);
    rig_end(rig);
}

/* A watcher that is a target itself: its lines and its events share a write. */
static void a_watcher_may_receive(void **state)
{
    (void)state;
    for (int told = 0; told < 2; ++told) {
        struct pair pair = pair_new(NULL, "{'name':'user/a'}");
        struct rig *rig = pair.rig;
        rig_let_inspect(rig, pair.target, NULL);
        client_ok(pair.target, HBK_METHOD_BROKER_WATCH, NULL);
        pair.target->connection->write_mode = FAKE_WRITE_PENDS;
        client_refused(pair.sender, HBK_R_NOT_FOUND, HBK_METHOD_ENDPOINT_CLOSE,
                       "{'name':'user/b'}");
        uint32_t id = pair_send(&pair, 2);
        rig_run(rig);
        assert_false(client_answered(pair.sender, id));
        client_write_ends(pair.target, true);
        assert_false(client_answered(pair.sender, id)); /* its own line is being written now */
        client_write_ends(pair.target, told);
        if (told) {
            client_result(pair.sender, id);
            client_delivered(pair.target);
            pair.target->connection->write_mode = FAKE_WRITE_DONE;
            client_write_ends(pair.target, true);
            is_event(pair.target, "endpoint.close", "refused");
            is_event(pair.target, "handle.send", "done");
            is_event(pair.target, "delivery.closed", "done");
            client_nothing(pair.target);
        } else {
            client_error(pair.sender, id, HBK_R_TARGET_GONE);
        }
        rig_end(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_shown_to_who_may_inspect),
        cmocka_unit_test(pages_show_everybody_once),
        cmocka_unit_test(a_page_looks_at_few),
        cmocka_unit_test(long_names_make_shorter_pages),
        cmocka_unit_test(watchers_see_what_happens),
        cmocka_unit_test(watchers_are_few),
        cmocka_unit_test(who_does_not_read_loses_events_alone),
        cmocka_unit_test(who_never_reads_watches_no_more),
        cmocka_unit_test(a_watcher_may_receive),
    };
    return cmocka_run_group_tests_name("core: looking at it", tests, NULL, NULL);
}
