/* Tickets: handles without a name, passed on by a channel that the broker knows nothing of. Here that is the pipe on
 * which a test tells its children what to do. */
#include "line.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MS 1500u
#define LONG_MS 600000u

static void passed_on(void **state)
{
    (void)state;
    struct kit_peer source, target;
    struct kit_mark mark;
    char ticket[HBK_TICKET_BYTES + 1];
    kit_peer_open(&source);
    kit_peer_open(&target);
    uint64_t theirs = kit_line_make(&source, KIT_EVENT);
    kit_mark(&mark, target.pid);
    assert_int_equal(kit_peer_put(&source, NULL, theirs, HBK_ACCESS_SAME, 0), HBK_OK);
    (void)snprintf(ticket, sizeof ticket, "%s", source.reply.text);
    assert_int_equal(kit_peer_claim(&target, ticket), HBK_OK);
    assert_int_equal(target.reply.from_pid, source.pid);
    uint64_t got = target.reply.value;
    assert_int_equal(kit_peer_do(&target, KIT_OP_SET_EVENT, got, 0, NULL), 0);
    assert_int_equal(kit_peer_do(&source, KIT_OP_WAIT, theirs, 0, NULL), WAIT_OBJECT_0);
    kit_peer_closes(&target, got);
    /* It was good for one. */
    KIT_REFUSED(&mark, HBK_NOT_FOUND, kit_peer_claim(&target, ticket));
    KIT_REFUSED(&mark, HBK_NOT_FOUND, kit_peer_claim(&source, ticket));
}

/* What the source does meanwhile is as its lifetime says. */
static void the_source_has_left(void **state)
{
    (void)state;
    struct kit_peer source, target;
    struct kit_mark mark;
    char ticket[HBK_TICKET_BYTES + 1];
    kit_peer_open(&target);
    kit_mark(&mark, target.pid);
    for (int keep = 0; keep < 2; keep++) {
        kit_peer_open(&source);
        uint64_t theirs = kit_line_make(&source, KIT_SECTION);
        source.call.items[0].handle = theirs;
        assert_int_equal(
            kit_peer_do(&source, KIT_OP_PUT, keep ? HBK_STORE_KEEP : 0, LONG_MS, "for you"),
            HBK_OK);
        (void)snprintf(ticket, sizeof ticket, "%s", source.reply.text);
        kit_peer_kill(&source);
        if (!keep) {
            kit_wait_stored(&mark, 0);
            KIT_REFUSED(&mark, HBK_NOT_FOUND, kit_peer_claim(&target, ticket));
            continue;
        }
        assert_int_equal(kit_peer_claim(&target, ticket), HBK_OK);
        assert_string_equal(target.reply.text, "for you");
        uint64_t got = target.reply.value;
        assert_int_equal(kit_peer_do(&target, KIT_OP_MAP_READ, got, 0, NULL), 0);
        assert_string_equal(target.reply.text, KIT_BYTES);
        kit_peer_closes(&target, got);
        kit_unchanged(&mark);
    }
}

/* Eight claim one ticket at the same time. */
static void one_of_many_claims(void **state)
{
    (void)state;
    enum { CLAIMS = 8, ROUNDS = 5 };
    static struct kit_peer targets[CLAIMS];
    struct kit_mark mark;
    hbk_stored stored;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    for (int i = 0; i < CLAIMS; i++)
        kit_peer_open(&targets[i]);
    kit_mark(&mark, 0);
    for (int round = 0; round < ROUNDS; round++) {
        int got = 0;
        kit_ticket(client, event, 0, 0, &stored);
        for (int i = 0; i < CLAIMS; i++) {
            targets[i].call.op = KIT_OP_GET;
            (void)snprintf(targets[i].call.text, HBK_TICKET_BYTES + 1, "%s", stored.ticket);
            kit_peer_begin(&targets[i]);
        }
        for (int i = 0; i < CLAIMS; i++) {
            assert_true(kit_peer_end(&targets[i], KIT_WAIT_MS));
            if (targets[i].reply.result != HBK_OK) {
                assert_int_equal(targets[i].reply.result, HBK_NOT_FOUND);
                continue;
            }
            got++;
            assert_true(ResetEvent(event));
            uint64_t theirs = targets[i].reply.value;
            assert_int_equal(kit_peer_do(&targets[i], KIT_OP_SET_EVENT, theirs, 0, NULL), 0);
            assert_true(kit_is_set(event));
            kit_peer_closes(&targets[i], theirs);
        }
        assert_int_equal(got, 1);
        kit_unchanged(&mark);
    }
    CloseHandle(event);
}

/* One digit off, at each of them. */
static void wrong_tickets(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_stored stored;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT), got = NULL;
    kit_ticket(client, event, 0, 0, &stored);
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < HBK_TICKET_BYTES; i++) {
        char wrong[HBK_TICKET_BYTES + 1];
        memcpy(wrong, stored.ticket, sizeof wrong);
        wrong[i] = wrong[i] == '0' ? '1' : '0';
        assert_int_equal(kit_claim(client, wrong, &got), HBK_NOT_FOUND);
    }
    KIT_REFUSED(&mark, HBK_NOT_FOUND, kit_claim(client, "00000000000000000000000000000000", &got));
    assert_null(got);
    assert_int_equal(kit_claim(client, stored.ticket, &got),
                     HBK_OK); /* none of it has used it up */
    assert_true(SetEvent(got));
    assert_true(kit_is_set(event));
    CloseHandle(got);
    CloseHandle(event);
}

static void texts_that_are_no_tickets(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_stored stored;
    hbk_client *client = kit_client();
    struct kit_raw *raw = kit_raw_proven();
    HANDLE event = kit_make(KIT_EVENT), got = NULL;
    kit_ticket(client, event, 0, 0, &stored);
    char upper[64], shorter[64], longer[64], spaced[64];
    (void)snprintf(upper, sizeof upper, "%.31sA", stored.ticket);
    (void)snprintf(shorter, sizeof shorter, "%.31s", stored.ticket);
    (void)snprintf(longer, sizeof longer, "%s0", stored.ticket);
    (void)snprintf(spaced, sizeof spaced, " %.31s", stored.ticket);
    const char *const texts[] = {"",     upper,  shorter,
                                 longer, spaced, "0x00000000000000000000000000000"};
    kit_mark(&mark, GetCurrentProcessId());
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, kit_claim(client, texts[i], &got));
        kit_raw_ask(raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"store.get\",\"params\":"
                    "{\"ticket\":\"%s\"}}",
                    texts[i]);
        kit_raw_is_error(raw, HBK_INVALID_PARAMS, "7");
        /* It may be a ticket but for a slip of the pen, and refusals are kept. */
        assert_true(texts[i][0] == '\0' || strstr(raw->line, texts[i]) == NULL);
        kit_unchanged(&mark);
    }
    assert_int_equal(hbk_store_remove_entry(client, stored.entry, NULL), HBK_OK);
    kit_mark(&mark, GetCurrentProcessId());
    KIT_REFUSED(&mark, HBK_NOT_FOUND, kit_claim(client, stored.ticket, &got));
    CloseHandle(event);
}

static void expires(void **state)
{
    (void)state;
    struct kit_mark mark;
    hbk_stored brief, lasting;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT), got = NULL;
    kit_mark(&mark, 0);
    kit_ticket(client, event, HBK_STORE_KEEP, LONG_MS, &lasting);
    kit_ticket(client, event, HBK_STORE_KEEP, TTL_MS, &brief);
    assert_string_not_equal(brief.ticket, lasting.ticket);
    kit_wait_stored(&mark, 1);
    assert_int_equal(kit_claim(client, brief.ticket, &got), HBK_NOT_FOUND);
    assert_int_equal(kit_claim(client, lasting.ticket, &got), HBK_OK);
    CloseHandle(got);
    CloseHandle(event);
}

/* Nobody may ever claim one that outlives its session: it needs an end. */
static void options_that_do_not_go_together(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "\"name\":null,\"lifetime\":\"broker\"",
        "\"name\":null,\"replace\":true",
        "\"name\":null,\"ttl_ms\":0",
        "\"lifetime\":\"session\"", /* no name, not even null */
        "\"name\":\"\"",
    };
    struct kit_mark mark;
    hbk_stored stored;
    hbk_client *client = kit_client();
    struct kit_raw *raw = kit_raw_proven();
    HANDLE event = kit_make(KIT_EVENT);
    hbk_store_put_options put = {.size = sizeof put, .handle = event};
    kit_mark(&mark, GetCurrentProcessId());
    put.flags = HBK_STORE_KEEP;
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_put(client, &put, &stored, NULL));
    put.flags = HBK_STORE_REPLACE;
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_put(client, &put, &stored, NULL));
    put.flags = 0;
    KIT_REFUSED(&mark, HBK_INVALID_ARGUMENT, hbk_store_put(client, &put, NULL, NULL));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        kit_raw_ask(raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"store.put\",\"params\":"
                    "{\"handle\":%llu,%s}}",
                    (unsigned long long)(uintptr_t)event, lines[i]);
        kit_raw_is_error(raw, HBK_INVALID_PARAMS, "7");
        kit_unchanged(&mark);
    }
    kit_raw_ask(raw, "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"store.get\",\"params\":"
                     "{\"ticket\":\"00000000000000000000000000000000\",\"wait_ms\":10}}");
    kit_raw_is_error(raw, HBK_INVALID_PARAMS, "8");
    kit_unchanged(&mark);
    CloseHandle(event);
}

/* It stands in no list, whoever asks; its entry does. */
static void not_shown_again(void **state)
{
    (void)state;
    hbk_stored stored;
    hbk_store_entry listed;
    hbk_client *client = kit_client();
    struct kit_raw *raw = kit_raw_proven();
    HANDLE event = kit_make(KIT_EVENT), got = NULL;
    kit_ticket(client, event, HBK_STORE_KEEP, LONG_MS, &stored);
    assert_true(kit_listed(client, stored.entry, &listed));
    assert_null(listed.name);
    assert_true(listed.once && listed.keep && !listed.shared);
    assert_true(listed.ttl_ms > 0 && listed.ttl_ms <= LONG_MS);
    assert_string_equal(listed.type, "Event");
    kit_raw_ask(raw, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"store.list\",\"params\":{}}");
    kit_raw_is_result(raw, "7");
    assert_non_null(strstr(raw->line, "\"name\":null"));
    assert_null(strstr(raw->line, stored.ticket));
    assert_null(strstr(raw->line, "ticket"));
    assert_int_equal(hbk_store_remove_entry(client, stored.entry, NULL), HBK_OK);
    assert_int_equal(kit_claim(client, stored.ticket, &got), HBK_NOT_FOUND);
    CloseHandle(event);
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* A thousand, no two alike, nor alike in any of their four parts. */
static void no_two_are_alike(void **state)
{
    (void)state;
    enum { MANY = 1000, PARTS = 4, PART = HBK_TICKET_BYTES / PARTS };
    static char parts[MANY * PARTS][PART + 1];
    hbk_stored stored;
    hbk_client *client = kit_client();
    HANDLE event = kit_make(KIT_EVENT);
    int alike = 0;
    for (size_t i = 0; i < MANY; i++) {
        kit_ticket(client, event, 0, 0, &stored);
        for (size_t part = 0; part < PARTS; part++)
            memcpy(parts[i * PARTS + part], stored.ticket + part * PART, PART);
    }
    const size_t count = sizeof parts / sizeof parts[0];
    qsort(parts, count, sizeof parts[0], compare);
    for (size_t i = 1; i < count; i++)
        alike += strcmp(parts[i - 1], parts[i]) == 0;
    assert_true(alike <= 1); /* 8 million pairs of 2^32: one in 500 runs by chance */
    CloseHandle(event);
    kit_close(client);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(passed_on),
        KIT_TEST(the_source_has_left),
        KIT_TEST(one_of_many_claims),
        KIT_TEST(wrong_tickets),
        KIT_TEST(texts_that_are_no_tickets),
        KIT_TEST(expires),
        KIT_TEST(options_that_do_not_go_together),
        KIT_TEST(not_shown_again),
        KIT_TEST(no_two_are_alike),
    };
    return cmocka_run_group_tests_name("tickets", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
