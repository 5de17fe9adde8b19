/* delivery.list: what is under way and what can be revoked, page by page, and who sees what of it. Each state in its
 * turn: test_core_early.c. */
#include "core_books.h"
#include "core_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEND HBK_METHOD_HANDLE_SEND
#define OPEN HBK_METHOD_ENDPOINT_OPEN
#define LIST HBK_METHOD_DELIVERY_LIST
#define REVOCABLE "{'name':'user/a','revocable':true}"

static const struct hbk_delivery_list_result *list(struct client *client, const char *params)
{
    return &client_ok(client, LIST, "%s", params)->u.result.deliveries;
}

/* Process 100 gives @count handles to process 101 in one delivery. Return: its id. */
static uint64_t give(const struct share *share, unsigned count)
{
    char params[4096];
    int size = snprintf(params, sizeof params, "{'to':'user/a','revocable':true,'items':[");
    for (unsigned i = 0; i < count; ++i)
        size +=
            snprintf(params + size, sizeof params - (size_t)size, "%s{'handle':4}", i ? "," : "");
    snprintf(params + size, sizeof params - (size_t)size, "]}");
    uint64_t delivery = client_ok(share->a, SEND, "%s", params)->u.result.send.delivery;
    log_forget(share->log);
    return delivery;
}

static struct share share_of_givers(void)
{
    struct share share = share_new(NULL);
    assert_int_equal(client_make(share.a, "Event", 3), 4);
    client_ok(share.b, OPEN, REVOCABLE);
    return share;
}

/* ---- an entry ---- */

static void is_party(const struct hbk_delivery_party *party, const struct client *client)
{
    assert_int_equal(party->session, client->session_id);
    assert_int_equal(party->pid, client->process->pid);
    assert_true(hbk_text_is(party->user, client->connection->user));
}

static void an_entry_says_all(void **state)
{
    (void)state;
    struct share share = share_of_givers();
    client_make(share.a, "File", 0x1F01FF);
    rig_advance(share.rig, 5000);
    uint64_t delivery =
        client_ok(share.a, SEND,
                  "{'to':'user/a','items':[{'handle':4},{'handle':8,'access':1}],'revocable':true}")
            ->u.result.send.delivery;
    rig_advance(share.rig, 1234);
    struct client *const seers[] = {share.a, share.b};
    for (size_t i = 0; i < 2; ++i) {
        const struct hbk_delivery_list_result *page = list(seers[i], "{}");
        assert_int_equal(page->deliveries_count, 1);
        assert_null(page->next.data);
        const struct hbk_delivery_info *info = &page->deliveries[0];
        assert_int_equal(info->delivery, delivery);
        assert_true(hbk_text_is(info->state, "given"));
        assert_true(info->revocable);
        assert_true(hbk_text_is(info->endpoint, "user/a"));
        is_party(&info->from, share.a);
        is_party(&info->to, share.b);
        assert_int_equal(info->since_ms, 1234);
        assert_int_equal(info->items_count, 2);
        assert_true(hbk_text_is(info->items[0].type, "Event"));
        assert_int_equal(info->items[0].access, 3);
        assert_true(hbk_text_is(info->items[1].type, "File"));
        assert_int_equal(info->items[1].access, 1);
    }
    log_forget(share.log);
    share_end(&share);
}

/* Of what goes to a process the pid is known, whoever is told of it. */
static void what_goes_to_a_process(void **state)
{
    (void)state;
    struct share share = share_of_givers();
    fake_may_duplicate(share.rig->kernel, 100, 101, true);
    fake_may_duplicate(share.rig->kernel, 100, 200, true);
    fake_process_start(share.rig->kernel, 200);
    share_let(&share, 102, HBK_RIGHT_INSPECT, true);
    static const uint32_t pids[] = {101, 200};
    for (size_t i = 0; i < 2; ++i) {
        for (int telling = 0; telling < 2; ++telling) {
            struct client *told = i ? share.a : share.b;
            if (telling)
                told->connection->write_mode = FAKE_WRITE_PENDS;
            else
                share_block(told);
            uint32_t id =
                client_request(share.a, HBK_METHOD_HANDLE_TRANSFER,
                               "{'source':{'pid':100},'handle':4,'target':{'pid':%u}}", pids[i]);
            rig_run(share.rig);
            const struct hbk_delivery_list_result *page = list(share.c, "{}");
            assert_int_equal(page->deliveries_count, 1);
            const struct hbk_delivery_info *info = &page->deliveries[0];
            assert_true(hbk_text_is(info->state, telling ? "telling" : "blocked"));
            assert_false(info->revocable);
            assert_null(info->endpoint.data);
            assert_int_equal(info->to.pid, pids[i]);
            assert_int_equal(info->to.session, i ? 0 : share.b->session_id);
            assert_int_equal(info->to.user.data != NULL, !i);
            share_unblock(told, true);
            client_result(share.a, id);
        }
    }
    /* To who asks: it is its own target. */
    share_block(share.a);
    client_request(share.a, HBK_METHOD_HANDLE_TRANSFER, "{'source':{'pid':100},'handle':4}");
    rig_run(share.rig);
    const struct hbk_delivery_list_result *page = list(share.c, "{}");
    assert_int_equal(page->deliveries_count, 1);
    is_party(&page->deliveries[0].to, share.a);
    share_unblock(share.a, true);
    log_forget(share.log);
    share_end(&share);
}

/* ---- who sees what ---- */

static void who_sees_what(void **state)
{
    (void)state;
    struct share share = share_of_givers();
    client_ok(share.b, OPEN, "{'name':'user/ask','mode':'ask'}");
    struct client *same = client_new(share.rig, 103, 1);
    uint64_t given = give(&share, 1);
    client_request(share.a, SEND, "{'to':'user/late','items':[{'handle':4}],'wait_ms':60000}");
    client_request(share.a, SEND, "{'to':'user/ask','items':[{'handle':4}]}");
    client_request(share.a, SEND, "{'to':'user/ask','items':[{'handle':4}]}");
    rig_run(share.rig);
    client_offered(share.b);
    uint64_t offered = client_offered(share.b)->delivery;
    assert_int_equal(list(share.a, "{}")->deliveries_count, 4);
    const struct hbk_delivery_list_result *page = list(share.b, "{}");
    assert_int_equal(page->deliveries_count, 3); /* not what waits for an endpoint */
    for (size_t i = 0; i < 3; ++i)
        assert_false(hbk_text_is(page->deliveries[i].state, "waiting"));
    assert_int_equal(list(same, "{}")->deliveries_count, 0);
    assert_int_equal(list(share.c, "{}")->deliveries_count, 0);
    share_let(&share, 0, HBK_RIGHT_REVOKE, true); /* is another right */
    assert_int_equal(list(share.c, "{}")->deliveries_count, 0);
    share_let(&share, 102, HBK_RIGHT_INSPECT, true);
    assert_int_equal(list(share.c, "{}")->deliveries_count, 4);
    assert_int_equal(list(same, "{}")->deliveries_count, 0);

    client_ok(share.a, HBK_METHOD_DELIVERY_REVOKE, "{'delivery':%llu}", (unsigned long long)given);
    client_ok(share.b, HBK_METHOD_DELIVERY_REJECT, "{'delivery':%llu}",
              (unsigned long long)offered);
    assert_int_equal(list(share.a, "{}")->deliveries_count, 2);
    assert_int_equal(list(share.b, "{}")->deliveries_count, 1);
    log_forget(share.log);
    share_end(&share);
}

/* What is on its way to a target is not its business before it is told or asked. */
static void a_target_does_not_see_what_waits_for_it(void **state)
{
    (void)state;
    struct share share = share_of_givers();
    struct client *other = client_connect(share.rig, share.b->process, 1);
    client_prove(other);
    share_block(share.b);
    client_request(share.a, SEND, "{'to':'user/a','items':[{'handle':4}]}");
    rig_run(share.rig);
    uint32_t id = client_request(share.b, LIST, "{}");
    rig_run(share.rig);
    assert_int_equal(list(share.a, "{}")->deliveries_count, 1);
    assert_int_equal(list(other, "{}")->deliveries_count, 0);
    share_unblock(share.b, true);
    assert_int_equal(client_result(share.b, id)->u.result.deliveries.deliveries_count, 0);
    log_forget(share.log);
    share_end(&share);
}

/* One that it has accepted is known to it while it is being made. */
static void a_target_sees_what_it_has_accepted(void **state)
{
    (void)state;
    struct share share = share_new(NULL);
    client_ok(share.b, OPEN, "{'name':'user/a','mode':'ask','types':{'Socket':'any'}}");
    client_request(share.a, SEND, "{'to':'user/a','items':[{'handle':%u,'type':'Socket'}]}",
                   client_make_socket(share.a, 1));
    rig_run(share.rig);
    client_request(share.b, HBK_METHOD_DELIVERY_ACCEPT, "{'delivery':%llu}",
                   (unsigned long long)client_offered(share.b)->delivery);
    rig_run(share.rig);
    const struct hbk_delivery_list_result *page = list(share.b, "{}");
    assert_int_equal(page->deliveries_count, 1);
    assert_true(hbk_text_is(page->deliveries[0].state, "accepted"));
    rig_sockets_all_end(share.rig);
    log_forget(share.log);
    share_end(&share);
}

/* ---- pages ---- */

enum { SEEN_MAX = 1100 };

/* Page by page. Return: how many pages; each delivery was seen once, @count in all. */
static size_t turn_pages(struct client *client, unsigned limit, size_t count)
{
    static uint64_t seen[SEEN_MAX];
    char cursor[HBK_CURSOR_BYTES_MAX + 16] = "";
    size_t pages = 0, total = 0;
    for (;;) {
        char params[128], bound[32] = "";
        if (limit)
            snprintf(bound, sizeof bound, "'limit':%u%s", limit, cursor[0] ? "," : "");
        snprintf(params, sizeof params, "{%s%s}", bound, cursor);
        const struct hbk_delivery_list_result *page = list(client, params);
        ++pages;
        assert_true(pages < 1000);
        assert_true(page->deliveries_count <= (limit ? limit : HBK_PAGE_MAX));
        for (size_t i = 0; i < page->deliveries_count; ++i) {
            assert_true(total < SEEN_MAX);
            seen[total] = page->deliveries[i].delivery;
            for (size_t j = 0; j < total; ++j)
                assert_true(seen[j] != seen[total]);
            ++total;
        }
        if (!page->next.data)
            break;
        snprintf(cursor, sizeof cursor, "'cursor':'%.*s'", (int)page->next.size, page->next.data);
    }
    assert_int_equal(total, count);
    return pages;
}

static void pages_show_each_once(void **state)
{
    (void)state;
    struct share share = share_of_givers();
    uint64_t deliveries[100];
    for (unsigned i = 0; i < 100; ++i)
        deliveries[i] = give(&share, 1);
    for (unsigned limit = 1; limit <= HBK_PAGE_MAX; limit += 9)
        assert_true(turn_pages(share.a, limit, 100) <= 99 / limit + 1);
    assert_int_equal(turn_pages(share.a, 0, 100), 2);
    assert_int_equal(turn_pages(share.b, 50, 100), 2);
    assert_int_equal(turn_pages(share.c, 0, 0), 1);
    /* Where most are gone there is no end of empty pages. */
    for (unsigned i = 2; i < 100; ++i) {
        client_ok(share.a, HBK_METHOD_DELIVERY_REVOKE, "{'delivery':%llu}",
                  (unsigned long long)deliveries[i]);
        log_forget(share.log);
    }
    assert_int_equal(turn_pages(share.a, 1, 2), 2);
    assert_int_equal(turn_pages(share.a, 2, 2), 1);
    share_end(&share);
}

static void a_page_looks_at_few(void **state)
{
    (void)state;
    struct share share = share_of_givers();
    for (unsigned i = 0; i < 2 * HBK_SCAN_MAX + 40; ++i)
        give(&share, 1);
    /* Who sees none of them learns so in as many looks as the places take, and no page finds more than a few. */
    assert_int_equal(turn_pages(share.c, 0, 0), 3);
    struct client *d = client_new(share.rig, 103, 1);
    client_request(d, SEND, "{'to':'user/late','items':[{'handle':%u}],'wait_ms':60000}",
                   client_make(d, "Event", 3));
    rig_run(share.rig);
    assert_int_equal(turn_pages(d, 0, 1), 3);
    assert_int_equal(list(d, "{}")->deliveries_count, 0);
    log_forget(share.log);
    share_end(&share);
}

static void many_items_make_shorter_pages(void **state)
{
    (void)state;
    struct share share = share_of_givers();
    enum { FULL = HBK_PAGE_ITEMS_MAX / HBK_ITEMS_MAX };
    for (unsigned i = 0; i < FULL + 1; ++i)
        give(&share, HBK_ITEMS_MAX);
    const struct hbk_delivery_list_result *page = list(share.a, "{}");
    size_t items = 0;
    for (size_t i = 0; i < page->deliveries_count; ++i)
        items += page->deliveries[i].items_count;
    assert_int_equal(items, HBK_PAGE_ITEMS_MAX);
    assert_int_equal(turn_pages(share.a, 0, FULL + 1), 2);
    share_end(&share);
}

/* Whatever stands in an entry, a page is no longer than a line, and as long as it may be. */
static void long_texts_make_shorter_pages(void **state)
{
    (void)state;
    static const char tail[] = "-1234567890-1234567890-1234567890-1234567890-1234567890-1234567890-"
                               "1234567890-1234567890-1234567890-1234567890-1234567890-1234567890-"
                               "1234567890-12345678901";
    enum { COUNT = 70 };
    struct share share = share_new(NULL);
    share.rig->sid_tail = tail;
    struct client *from = client_new(share.rig, 103, 1), *to = client_new(share.rig, 104, 1);
    char name[HBK_NAME_BYTES_MAX + 1];
    memset(name, 'n', sizeof name - 1);
    memcpy(name, "user/", 5);
    name[HBK_NAME_BYTES_MAX] = 0;
    client_ok(to, OPEN, "{'name':'%s','revocable':true}", name);
    for (unsigned i = 0; i < COUNT; ++i) {
        client_ok(from, SEND, "{'to':'%s','items':[{'handle':%u}],'revocable':true}", name,
                  client_make(from, "Event", 3));
        log_forget(share.log);
    }
    size_t first = list(from, "{}")->deliveries_count;
    assert_true(first < HBK_PAGE_MAX);
    assert_true(first > HBK_PAGE_MAX * 3 / 4);
    assert_int_equal(turn_pages(from, 0, COUNT), 2);
    share_end(&share);
}

static void cursors_are_ours(void **state)
{
    (void)state;
    struct share share = share_of_givers();
    give(&share, 1);
    static const char *const faults[] = {"'cursor':'x'",  "'cursor':''",   "'cursor':'-1'",
                                         "'cursor':'1x'", "'cursor':' 1'", "'cursor':1",
                                         "'limit':0",     "'limit':65",    "'limit':'1'",
                                         "'limit':-1",    "'other':1"};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; ++i)
        client_refused(share.a, HBK_R_INVALID_PARAMS, LIST, "{%s}", faults[i]);
    client_refused(share.a, HBK_R_INVALID_PARAMS, LIST,
                   "{'cursor':'99999999999999999999999999999'}");
    /* One that is past the end shows nothing, and so does one that is far past it. */
    static const char *const past[] = {"{'cursor':'32'}", "{'cursor':'4294967296'}",
                                       "{'cursor':'4294967297'}"};
    for (size_t i = 0; i < 3; ++i) {
        const struct hbk_delivery_list_result *page = list(share.a, past[i]);
        assert_int_equal(page->deliveries_count, 0);
        assert_null(page->next.data);
    }
    assert_int_equal(list(share.a, "{'limit':1}")->deliveries_count, 1);
    log_forget(share.log);
    share_end(&share);
}

/* To write a page is work, which is charged to who asks. */
static void a_full_page_costs_more(void **state)
{
    (void)state;
    struct share share = share_of_givers();
    uint64_t spent[3] = {books_spent(share.rig->core)};
    assert_int_equal(list(share.a, "{}")->deliveries_count, 0);
    spent[1] = books_spent(share.rig->core);
    for (unsigned i = 0; i < HBK_PAGE_MAX; ++i) {
        give(&share, 1);
        client_delivered(share.b);
    }
    uint64_t begin = books_spent(share.rig->core);
    assert_int_equal(list(share.a, "{}")->deliveries_count, HBK_PAGE_MAX);
    spent[2] = books_spent(share.rig->core);
    assert_true(spent[2] - begin >= spent[1] - spent[0] + 3);
    log_forget(share.log);
    share_end(&share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_says_all),
        cmocka_unit_test(what_goes_to_a_process),
        cmocka_unit_test(who_sees_what),
        cmocka_unit_test(a_target_does_not_see_what_waits_for_it),
        cmocka_unit_test(a_target_sees_what_it_has_accepted),
        cmocka_unit_test(pages_show_each_once),
        cmocka_unit_test(a_page_looks_at_few),
        cmocka_unit_test(a_full_page_costs_more),
        cmocka_unit_test(many_items_make_shorter_pages),
        cmocka_unit_test(long_texts_make_shorter_pages),
        cmocka_unit_test(cursors_are_ours),
    };
    return cmocka_run_group_tests_name("core: deliveries", tests, NULL, NULL);
}
