/* Tickets: an entry without a name, for who has its 128 random bits; and what lets another identity take an entry. */
#include "core_policy.h"
#include "core_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALLOW ",'allow':'D:(A;;0x8;;;WD)'"

struct shelf {
    struct rig *rig;
    struct client *owner, *other, *stranger; /* the last is another identity */
};

static struct shelf shelf_new(void)
{
    struct shelf shelf = {.rig = rig_new(NULL, 1)};
    shelf.owner = client_new(shelf.rig, 100, 1);
    shelf.other = client_new(shelf.rig, 101, 1);
    shelf.stranger = client_new(shelf.rig, 102, 2);
    fake_grant(shelf.rig->kernel, "all", 0, HBK_RIGHTS_ALL);
    fake_grant(shelf.rig->kernel, "D:(A;;0x8;;;WD)", 0, HBK_RIGHT_GET);
    return shelf;
}

static void keep(char *ret_ticket, const char *ticket)
{
    memcpy(ret_ticket, ticket, HBK_TICKET_BYTES + 1);
}

/* ---- one claim ---- */

static void a_ticket_is_for_one_claim(void **state)
{
    (void)state;
    const char *more[] = {"", ",'once':true", ",'once':false",
                          ",'lifetime':'broker','ttl_ms':1000"};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; ++i) {
        struct shelf shelf = shelf_new();
        const char *ticket = store_ticket(shelf.owner, more[i]);
        assert_int_equal(strspn(ticket, "0123456789abcdef"), HBK_TICKET_BYTES);
        store_misses_ticket(shelf.stranger, ticket);
        const struct hbk_store_get_result *taken = store_claim(shelf.other, ticket);
        assert_int_equal(taken->from.peer.pid, 100);
        assert_int_equal(taken->access, 3);
        store_misses_ticket(shelf.other, ticket);
        store_misses_ticket(shelf.owner, ticket);
        assert_int_equal(fake_pins_held(shelf.rig->kernel), 0);
        assert_int_equal(store_count(shelf.owner), 0);
        rig_end(shelf.rig);
    }
}

static void tickets_are_told_apart(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    enum { TICKETS = 64 };
    static char tickets[TICKETS][HBK_TICKET_BYTES + 1];
    for (size_t i = 0; i < TICKETS; ++i) {
        char data[32];
        snprintf(data, sizeof data, ",'data':'%zu'", i);
        keep(tickets[i], store_ticket(shelf.owner, data));
        for (size_t j = 0; j < i; ++j)
            assert_string_not_equal(tickets[i], tickets[j]);
    }
    for (size_t i = TICKETS; i-- > 0;) {
        char data[32];
        snprintf(data, sizeof data, "%zu", i);
        assert_true(hbk_text_is(store_claim(shelf.other, tickets[i])->data, data));
    }
    rig_end(shelf.rig);
}

/* Each digit counts. */
static void one_digit_wrong_is_no_ticket(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    const char *ticket = store_ticket(shelf.owner, "");
    for (size_t i = 0; i < HBK_TICKET_BYTES; ++i) {
        char wrong[HBK_TICKET_BYTES + 1];
        keep(wrong, ticket);
        wrong[i] = (char)(wrong[i] == '0' ? '1' : wrong[i] == 'a' ? '9' : wrong[i] - 1);
        store_misses_ticket(shelf.other, wrong);
    }
    store_misses_ticket(shelf.other, "00000000000000000000000000000000");
    store_misses_ticket(shelf.other, "ffffffffffffffffffffffffffffffff");
    store_claim(shelf.other, ticket);
    rig_end(shelf.rig);
}

static void tickets_that_are_refused(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    uint32_t event = client_make(shelf.owner, "Event", 3);
    assert_non_null(strstr(client_refused(shelf.owner, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_PUT,
                                          "{'name':null,'handle':%u,'lifetime':'broker'}", event)
                               ->detail,
                           "ttl_ms"));
    const char *puts[] = {"'replace':true", "'lifetime':'broker','ttl_ms':0",
                          "'allow':'D:(A;;0x8;;;XX)'"};
    for (size_t i = 0; i < sizeof puts / sizeof puts[0]; ++i)
        client_refused(shelf.owner, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_PUT,
                       "{'name':null,'handle':%u,%s}", event, puts[i]);
    assert_int_equal(store_count(shelf.owner), 0);
    const char *ticket = store_ticket(shelf.owner, ",'replace':false");
    client_refused(shelf.other, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_GET,
                   "{'ticket':'%s','wait_ms':1}", ticket);
    client_refused(shelf.other, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_GET,
                   "{'ticket':'%s','name':'user/a'}", ticket);
    client_refused(shelf.other, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_GET, "{'ticket':'%sa'}",
                   ticket);
    client_refused(shelf.other, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_GET, "{'ticket':'%.31s'}",
                   ticket);
    const char *gets[] = {"0000000000000000000000000000000g", "0000000000000000000000000000000A",
                          "0000000000000000000000000000000 ", "0x000000000000000000000000000000",
                          "0000000000000000000000000000000:", "0000000000000000000000000000000`",
                          "0000000000000000000000000000000/"};
    for (size_t i = 0; i < sizeof gets / sizeof gets[0]; ++i)
        client_refused(shelf.other, HBK_R_INVALID_PARAMS, HBK_METHOD_STORE_GET, "{'ticket':'%s'}",
                       gets[i]);
    client_ok(shelf.other, HBK_METHOD_STORE_GET, "{'ticket':'%s','wait_ms':0}", ticket);
    rig_end(shelf.rig);
}

static void a_ticket_expires_or_goes_with_its_session(void **state)
{
    (void)state;
    char ticket[HBK_TICKET_BYTES + 1];
    struct shelf shelf = shelf_new();
    keep(ticket, store_ticket(shelf.owner, ",'ttl_ms':1000"));
    rig_advance(shelf.rig, 1000);
    store_misses_ticket(shelf.other, ticket);
    keep(ticket, store_ticket(shelf.owner, ",'lifetime':'broker','ttl_ms':1000"));
    const char *gone = store_ticket(shelf.owner, "");
    client_hang_up(shelf.owner);
    store_misses_ticket(shelf.other, gone);
    store_claim(shelf.other, ticket);
    rig_end(shelf.rig);
}

static void a_ticket_is_removed_by_its_number(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    const char *ticket = store_ticket(shelf.owner, "");
    const struct hbk_store_list_result *list =
        &client_ok(shelf.other, HBK_METHOD_STORE_LIST, NULL)->u.result.store_list;
    assert_int_equal(list->entries_count, 1);
    assert_true(list->entries[0].once && !list->entries[0].shared);
    assert_null(list->entries[0].name.data);
    unsigned long long entry = list->entries[0].entry;
    client_refused(shelf.stranger, HBK_R_NOT_FOUND, HBK_METHOD_STORE_REMOVE, "{'entry':%llu}",
                   entry);
    client_ok(shelf.other, HBK_METHOD_STORE_REMOVE, "{'entry':%llu}", entry);
    store_misses_ticket(shelf.owner, ticket);
    rig_end(shelf.rig);
}

/* Its claim is over with the write that tells of it, not before. */
static void a_claim_that_is_not_told_is_none(void **state)
{
    (void)state;
    for (int pends = 0; pends < 2; ++pends) {
        struct shelf shelf = shelf_new();
        const char *ticket = store_ticket(shelf.owner, "");
        uint64_t before = fake_hash(shelf.rig->kernel);
        shelf.other->connection->write_mode = pends ? FAKE_WRITE_PENDS : FAKE_WRITE_FAILS;
        client_request(shelf.other, HBK_METHOD_STORE_GET, "{'ticket':'%s'}", ticket);
        rig_run(shelf.rig);
        if (pends) {
            store_misses_ticket(shelf.owner, ticket);
            client_write_ends(shelf.other, false);
        }
        assert_true(client_ended(shelf.other));
        assert_true(before == fake_hash(shelf.rig->kernel));
        store_claim(shelf.owner, ticket);
        rig_end(shelf.rig);
    }
}

/* ---- others ---- */

static void another_identity_needs_allow_and_a_rule(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    uint32_t event = client_make(shelf.owner, "Event", 3);
    const struct hbk_error *error = client_refused(shelf.owner, HBK_R_DENIED, HBK_METHOD_STORE_PUT,
                                                   "{'name':null,'handle':%u%s}", event, ALLOW);
    assert_non_null(strstr(error->detail, "ticket"));
    RIG_RULES(shelf.rig, {.name = "global/ticket", .put = "all"});
    const char *ticket = store_ticket(shelf.owner, ALLOW);
    store_misses_ticket(shelf.stranger, ticket);
    RIG_RULES(shelf.rig, {.name = "global/ticket", .put = "all", .get = "nobody"});
    store_misses_ticket(shelf.stranger, ticket);
    RIG_RULES(shelf.rig, {.name = "global/*", .put = "all", .get = "all"});
    assert_int_equal(store_claim(shelf.stranger, ticket)->from.peer.pid, 100);
    store_misses_ticket(shelf.stranger, ticket);
    /* Without allow it is its own identity's, whatever the rules say. */
    ticket = store_ticket(shelf.owner, "");
    store_misses_ticket(shelf.stranger, ticket);
    /* And with allow, if that lets it; no rule is asked. */
    rig_rules_none(shelf.rig);
    store_claim(shelf.other, ticket);
    rig_end(shelf.rig);
}

static void allow_decides_for_its_own_identity_too(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    RIG_RULES(shelf.rig, {.name = "global/ticket", .put = "all"});
    const char *ticket = store_ticket(shelf.owner, ",'allow':'D:(A;;0x8;;;SY)'");
    store_misses_ticket(shelf.owner, ticket);
    store_put(shelf.owner, "user/a", ",'allow':'D:(A;;0x8;;;SY)'");
    store_misses(shelf.other, "user/a");
    fake_grant(shelf.rig->kernel, "D:(A;;0x8;;;SY)", 101, HBK_RIGHT_GET);
    store_misses_ticket(shelf.owner, ticket);
    store_claim(shelf.other, ticket);
    store_get(shelf.other, "user/a");
    store_misses(shelf.owner, "user/a");
    rig_end(shelf.rig);
}

/* No right but the one. */
static void allow_lets_who_has_the_right_to_get(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    fake_grant(shelf.rig->kernel, "D:(A;;0x77;;;WD)", 0, HBK_RIGHTS_ALL & ~HBK_RIGHT_GET);
    store_put(shelf.owner, "user/a", ",'allow':'D:(A;;0x77;;;WD)'");
    store_misses(shelf.other, "user/a");
    store_put(shelf.owner, "user/b", ALLOW);
    store_get(shelf.other, "user/b");
    fake_fail(shelf.rig->kernel, FAKE_OP_ACCESS_CHECK, 1, HBK_R_OS_ERROR, 5);
    store_misses(shelf.other, "user/b");
    store_get(shelf.other, "user/b");
    rig_end(shelf.rig);
}

/* A name outside of user/: rules say who may look there, allow who may take. */
static void names_pass_between_identities_by_rule_and_allow(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    RIG_RULES(shelf.rig, {.name = "global/*", .put = "all", .get = "all"});
    store_put(shelf.owner, "global/open", ALLOW);
    store_put(shelf.owner, "global/own", "");
    store_get(shelf.stranger, "global/open");
    store_misses(shelf.stranger, "global/own");
    store_misses(shelf.stranger, "global/none");
    store_get(shelf.other, "global/own");
    RIG_RULES(shelf.rig, {.name = "global/o*", .get = "all"}); /* and none for tickets */
    store_get(shelf.stranger, "global/open");
    RIG_RULES(shelf.rig, {.name = "global/*", .put = "all"});
    /* The same whether it is there or not. */
    const char *names[] = {"global/open", "global/own", "global/none"};
    for (size_t i = 0; i < 3; ++i)
        client_refused(shelf.stranger, HBK_R_DENIED, HBK_METHOD_STORE_GET,
                       "{'name':'%s','wait_ms':100}", names[i]);
    client_refused(shelf.owner, HBK_R_DENIED, HBK_METHOD_STORE_GET, "{'name':'global/open'}");
    rig_end(shelf.rig);
}

static void descriptors_are_freed_with_their_entries(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    unsigned long long entry = store_put(shelf.owner, "user/a", ALLOW);
    assert_int_equal(fake_descriptors_held(shelf.rig->kernel), 1);
    uint32_t event = client_make(shelf.owner, "Event", 3);
    fake_fail(shelf.rig->kernel, FAKE_OP_DESCRIPTOR_NEW, 1, HBK_R_OS_ERROR, 8);
    const struct hbk_error *error =
        client_refused(shelf.owner, HBK_R_OS_ERROR, HBK_METHOD_STORE_PUT,
                       "{'name':'user/b','handle':%u%s}", event, ALLOW);
    assert_int_equal(error->win32, 8);
    assert_non_null(strstr(error->detail, hbk_result_meaning(HBK_R_OS_ERROR)));
    shelf.rig->kernel->fault_detail = "because";
    fake_fail(shelf.rig->kernel, FAKE_OP_DESCRIPTOR_NEW, 1, HBK_R_INTERNAL_ERROR, 0);
    error = client_refused(shelf.owner, HBK_R_INTERNAL_ERROR, HBK_METHOD_STORE_PUT,
                           "{'name':'user/b','handle':%u%s}", event, ALLOW);
    assert_string_equal(error->detail, "allow: because");
    client_refused(shelf.owner, HBK_R_BAD_HANDLE, HBK_METHOD_STORE_PUT,
                   "{'name':'user/b','handle':4000%s}", ALLOW);
    assert_int_equal(fake_descriptors_held(shelf.rig->kernel), 1);
    client_ok(shelf.owner, HBK_METHOD_STORE_REMOVE, "{'entry':%llu}", entry);
    assert_int_equal(fake_descriptors_held(shelf.rig->kernel), 0);
    rig_end(shelf.rig);
}

/* ---- what rules let pass ---- */

static void rules_cap_what_passes_to_another_identity(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    char ticket[HBK_TICKET_BYTES + 1], own[HBK_TICKET_BYTES + 1];
    RIG_RULES(shelf.rig, {.name = "global/ticket", .put = "all", .get = "all", .access_max = 1});
    uint32_t event = client_make(shelf.owner, "Event", 3);
    client_refused(shelf.owner, HBK_R_DENIED, HBK_METHOD_STORE_PUT, "{'name':null,'handle':%u%s}",
                   event, ALLOW);
    keep(own, store_ticket(shelf.owner, "")); /* nobody else's: not capped */
    assert_int_equal(store_claim(shelf.other, own)->access, 3);
    RIG_RULES(shelf.rig, {.name = "global/ticket", .put = "all", .get = "all"});
    keep(ticket, store_ticket(shelf.owner, ALLOW));
    keep(own, store_ticket(shelf.owner, ALLOW));
    RIG_RULES(shelf.rig, {.name = "global/ticket", .put = "all", .get = "all", .access_max = 1});
    client_refused(shelf.stranger, HBK_R_DENIED, HBK_METHOD_STORE_GET, "{'ticket':'%s'}", ticket);
    assert_int_equal(store_claim(shelf.other, own)->access, 3);
    assert_int_equal(
        client_ok(shelf.stranger, HBK_METHOD_STORE_GET, "{'ticket':'%s','access':1}", ticket)
            ->u.result.store_get.access,
        1);
    rig_end(shelf.rig);
}

static void rules_of_now_cap_what_is_taken(void **state)
{
    (void)state;
    struct shelf shelf = shelf_new();
    RIG_RULES(shelf.rig, {.name = "user/*", .types = "Process"});
    store_type_put(shelf.owner, "user/a", "Process", 0x1000, "");
    store_get(shelf.other, "user/a");
    rig_rules_none(shelf.rig);
    client_refused(shelf.other, HBK_R_TYPE_NOT_ALLOWED, HBK_METHOD_STORE_GET, "{'name':'user/a'}");
    RIG_RULES(shelf.rig, {.name = "user/*", .types = "Process", .access_max = 0x800});
    client_refused(shelf.other, HBK_R_DENIED, HBK_METHOD_STORE_GET, "{'name':'user/a'}");
    rig_end(shelf.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_is_for_one_claim),
        cmocka_unit_test(tickets_are_told_apart),
        cmocka_unit_test(one_digit_wrong_is_no_ticket),
        cmocka_unit_test(tickets_that_are_refused),
        cmocka_unit_test(a_ticket_expires_or_goes_with_its_session),
        cmocka_unit_test(a_ticket_is_removed_by_its_number),
        cmocka_unit_test(a_claim_that_is_not_told_is_none),
        cmocka_unit_test(another_identity_needs_allow_and_a_rule),
        cmocka_unit_test(allow_decides_for_its_own_identity_too),
        cmocka_unit_test(allow_lets_who_has_the_right_to_get),
        cmocka_unit_test(names_pass_between_identities_by_rule_and_allow),
        cmocka_unit_test(descriptors_are_freed_with_their_entries),
        cmocka_unit_test(rules_cap_what_passes_to_another_identity),
        cmocka_unit_test(rules_of_now_cap_what_is_taken),
    };
    return cmocka_run_group_tests_name("core: tickets", tests, NULL, NULL);
}
