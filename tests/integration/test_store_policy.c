/* Who may put and get what by the operator's rules and by an entry's own `allow`, asked by clients that differ in the
 * groups of their tokens. They write their own lines, so that what is shown is the protocol's answer. */
#include "line.h"
#include "store.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* Whom they are called after what they have: the other group can only deny. */
#define ADMIN KIT_NO_USERS
#define USER KIT_NO_ADMINISTRATORS
#define NOBODY (KIT_NO_ADMINISTRATORS | KIT_NO_USERS)

#define USERS "S-1-5-32-545" /* a client may not say BU */
#define ALL "\"put\":\"D:(A;;0x4;;;WD)\",\"get\":\"D:(A;;0x8;;;WD)\""

static const char config[] =
    "{\"verbs\":{\"inspect\":\"D:(A;;GA;;;BA)\",\"revoke\":\"D:(A;;GA;;;BA)\"},\n"
    "\"rules\":[\n"
    "{\"name\":\"session/park/*\",\"put\":\"D:(A;;0x4;;;BA)\",\"get\":\"D:(A;;GA;;;BU)\"},\n"
    "{\"name\":\"global/park/*\",\"put\":\"D:(A;;0x4;;;BA)\",\"get\":\"D:(A;;GA;;;BU)\"},\n"
    "{\"name\":\"session/free/*\"," ALL "},\n"
    "{\"name\":\"session/capped/*\"," ALL ",\"types\":{\"Section\":\"read\",\"Event\":\"any\"}},\n"
    "{\"name\":\"global/ticket\",\"put\":\"D:(A;;0x4;;;BA)\",\"get\":\"D:(A;;0x8;;;BU)\","
    "\"types\":{\"Semaphore\":\"any\",\"Section\":\"read\"}},\n"
    "{\"name\":\"user/shut\",\"put\":\"D:(A;;GA;;;S-1-5-21-1-2-3-4)\"},\n"
    "{\"name\":\"user/locked\",\"get\":\"D:(A;;GA;;;S-1-5-21-1-2-3-4)\"}\n"
    "]}\n";

/* ---- what they say ---- */

/* @name: NULL: a ticket; @options: "" or ",\"key\":value". */
static const char *put(struct kit_peer *peer, const char *name, uint64_t handle,
                       const char *options)
{
    char quoted[300] = "null";
    if (name != NULL)
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", name);
    return kit_peer_ask(peer,
                        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"store.put\",\"params\":"
                        "{\"name\":%s,\"handle\":%llu%s}}",
                        quoted, (unsigned long long)handle, options);
}

/* Return: the entry's number. */
static int64_t puts_it(struct kit_peer *peer, const char *name, uint64_t handle,
                       const char *options)
{
    int64_t entry = 0;
    const char *line = put(peer, name, handle, options);
    kit_line_is_result(line, "7");
    assert_true(kit_json_number(line, "entry", &entry));
    return entry;
}

static void puts_ticket(struct kit_peer *peer, uint64_t handle, const char *options,
                        char ret_ticket[HBK_TICKET_BYTES + 1])
{
    puts_it(peer, NULL, handle, options);
    assert_true(kit_json_text(peer->reply.text, "ticket", ret_ticket, HBK_TICKET_BYTES + 1));
}

static const char *get(struct kit_peer *peer, const char *name, const char *options)
{
    return kit_peer_ask(peer,
                        "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"store.get\",\"params\":"
                        "{\"name\":\"%s\"%s}}",
                        name, options);
}

static const char *claim(struct kit_peer *peer, const char *ticket)
{
    return kit_peer_ask(peer,
                        "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"store.get\",\"params\":"
                        "{\"ticket\":\"%s\"}}",
                        ticket);
}

/* @line has given @peer a semaphore, which it releases once; it is @owner's at @theirs. */
static void was_given(struct kit_peer *peer, const char *line, struct kit_peer *owner,
                      uint64_t theirs)
{
    int64_t handle = 0;
    kit_line_is_result(line, "8");
    assert_true(kit_json_number(line, "handle", &handle));
    assert_int_equal(kit_peer_do(peer, KIT_OP_RELEASE_SEMAPHORE, (uint64_t)handle, 1, NULL), 0);
    assert_int_equal(kit_peer_do(owner, KIT_OP_WAIT, theirs, 0, NULL), WAIT_OBJECT_0);
    assert_int_equal(kit_peer_do(owner, KIT_OP_WAIT, theirs, 0, NULL), WAIT_TIMEOUT);
    kit_peer_closes(peer, (uint64_t)handle);
}

static const char *remove_name(struct kit_peer *peer, const char *name)
{
    return kit_peer_ask(peer,
                        "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"store.remove\",\"params\":"
                        "{\"name\":\"%s\"}}",
                        name);
}

static const char *remove_entry(struct kit_peer *peer, int64_t entry)
{
    return kit_peer_ask(peer,
                        "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"store.remove\",\"params\":"
                        "{\"entry\":%lld}}",
                        (long long)entry);
}

struct cast {
    struct kit_peer admin, user, nobody;
    uint64_t thing; /* the admin's semaphore */
    struct kit_before was;
};

static void begin(struct cast *cast)
{
    kit_peer_raw_as(&cast->admin, ADMIN);
    kit_peer_raw_as(&cast->user, USER);
    kit_peer_raw_as(&cast->nobody, NOBODY);
    cast->thing = kit_line_make(&cast->admin, KIT_SEMAPHORE);
}

static void end(struct cast *cast)
{
    kit_peer_stop(&cast->nobody);
    kit_peer_stop(&cast->user);
    kit_peer_stop(&cast->admin);
}

/* ---- rules ---- */

static void rules_say_who_puts(void **state)
{
    (void)state;
    static const char *const names[] = {"session/park/a", "global/park/a"};
    struct cast cast;
    begin(&cast);
    uint64_t theirs = kit_line_make(&cast.user, KIT_SEMAPHORE);
    for (size_t i = 0; i < 2; i++) {
        cast.was = kit_line_before(&cast.user);
        kit_line_refused(&cast.was, put(&cast.user, names[i], theirs, ""), HBK_DENIED, "7");
        puts_it(&cast.admin, names[i], cast.thing, "");
        /* And not whether it is taken. */
        kit_line_is_error(put(&cast.user, names[i], theirs, ""), HBK_DENIED, "7");
        kit_line_is_error(put(&cast.admin, names[i], cast.thing, ""), HBK_EXISTS, "7");
    }
    cast.was = kit_line_before(&cast.admin);
    kit_line_refused(&cast.was, put(&cast.admin, "session/other", cast.thing, ""), HBK_DENIED, "7");
    kit_line_refused(&cast.was, put(&cast.admin, "global/free/a", cast.thing, ""), HBK_DENIED, "7");
    end(&cast);
}

static void rules_narrow_the_own_scope(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    cast.was = kit_line_before(&cast.admin);
    kit_line_refused(&cast.was, put(&cast.admin, "user/shut", cast.thing, ""), HBK_DENIED, "7");
    kit_line_refused(&cast.was, get(&cast.admin, "user/shut", ""), HBK_NOT_FOUND, "8");
    kit_line_refused(&cast.was, get(&cast.admin, "user/locked", ""), HBK_DENIED, "8");
    puts_it(&cast.admin, "user/locked", cast.thing, "");
    cast.was = kit_line_before(&cast.admin);
    kit_line_refused(&cast.was, get(&cast.admin, "user/locked", ""), HBK_DENIED, "8");
    puts_it(&cast.admin, "user/shut/not", cast.thing, "");
    was_given(&cast.admin, get(&cast.admin, "user/shut/not", ""), &cast.admin, cast.thing);
    end(&cast);
}

/* A refusal outside of the own scope is the same to the byte, whatever there is. */
static void refusals_tell_nothing(void **state)
{
    (void)state;
    struct cast cast;
    char first[sizeof cast.nobody.reply.text];
    begin(&cast);
    puts_it(&cast.admin, "session/park/aa", cast.thing, ",\"allow\":\"D:(A;;0x8;;;WD)\"");
    uint64_t theirs = kit_line_make(&cast.nobody, KIT_SEMAPHORE);
    (void)snprintf(first, sizeof first, "%s", get(&cast.nobody, "session/park/aa", ""));
    kit_line_is_error(first, HBK_DENIED, "8");
    assert_string_equal(first, get(&cast.nobody, "session/park/bb", ""));
    assert_string_equal(first, get(&cast.nobody, "session/park/bb", ",\"wait_ms\":1000"));
    (void)snprintf(first, sizeof first, "%s", put(&cast.nobody, "session/park/aa", theirs, ""));
    kit_line_is_error(first, HBK_DENIED, "7");
    assert_string_equal(first, put(&cast.nobody, "session/park/bb", theirs, ""));
    assert_string_equal(first, put(&cast.nobody, "session/park/aa", theirs, ",\"replace\":true"));
    (void)snprintf(first, sizeof first, "%s", remove_name(&cast.nobody, "session/park/aa"));
    kit_line_is_error(first, HBK_DENIED, "9");
    assert_string_equal(first, remove_name(&cast.nobody, "session/park/bb"));
    end(&cast);
}

static void rules_cap_rights_and_types(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    uint64_t section = kit_line_make(&cast.admin, KIT_SECTION);
    uint64_t semaphore = kit_line_make(&cast.admin, KIT_SEMAPHORE);
    cast.was = kit_line_before(&cast.admin);
    kit_line_refused(&cast.was, put(&cast.admin, "session/capped/a", section, ""), HBK_DENIED, "7");
    kit_line_refused(&cast.was, put(&cast.admin, "session/capped/a", semaphore, ""),
                     HBK_TYPE_NOT_ALLOWED, "7");
    puts_it(&cast.admin, "session/capped/a", section,
            ",\"access\":\"read\",\"allow\":\"D:(A;;0x8;;;" USERS ")\"");
    int64_t handle = 0;
    kit_line_is_result(get(&cast.user, "session/capped/a", ""), "8");
    assert_true(kit_json_number(cast.user.reply.text, "handle", &handle));
    assert_int_equal(kit_peer_do(&cast.user, KIT_OP_MAP_READ, (uint64_t)handle, 0, NULL), 0);
    assert_string_equal(cast.user.reply.text, KIT_BYTES);
    assert_int_equal(kit_peer_do(&cast.user, KIT_OP_MAP_WRITE, (uint64_t)handle, 0, "x"),
                     ERROR_ACCESS_DENIED);
    end(&cast);
}

/* Whether its taker could widen it depends on the taker: one that has nothing cannot, where the object's own descriptor
 * grants nothing. */
static void what_can_be_widened(void **state)
{
    (void)state;
    struct kit_peer poor, admin;
    struct kit_raw *raw = kit_raw_proven();
    HANDLE tight = NULL, plain = kit_make(KIT_SECTION);
    kit_peer_raw_as(&poor, KIT_NO_ADMINISTRATORS | KIT_NO_PRIVILEGES);
    kit_peer_raw_as(&admin, 0);
    assert_int_equal(hbk_section_create(KIT_SECTION_SIZE, PAGE_READWRITE, &tight, NULL), HBK_OK);
    kit_protect(tight, L"O:BAD:P"); /* nor does it belong to the taker's user */
    for (int i = 0; i < 2; i++) {
        kit_raw_ask(raw,
                    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"store.put\",\"params\":{\"name\":"
                    "\"session/free/"
                    "%d\",\"handle\":%llu,\"access\":\"read\",\"allow\":\"D:(A;;0x8;;;WD)\"}}",
                    i, (unsigned long long)(uintptr_t)(i == 0 ? tight : plain));
        kit_raw_is_result(raw, "7");
    }
    assert_non_null(strstr(get(&poor, "session/free/0", ""), "\"widenable\":false"));
    assert_non_null(strstr(get(&admin, "session/free/0", ""), "\"widenable\":true"));
    assert_non_null(strstr(get(&poor, "session/free/1", ""), "\"widenable\":true"));
    kit_peer_stop(&poor);
    kit_peer_stop(&admin);
    CloseHandle(tight);
    CloseHandle(plain);
}

/* ---- allow ---- */

static void allow_says_who_gets(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    puts_it(&cast.admin, "session/park/a", cast.thing, ",\"allow\":\"D:(A;;0x8;;;" USERS ")\"");
    was_given(&cast.user, get(&cast.user, "session/park/a", ""), &cast.admin, cast.thing);
    cast.was = kit_line_before(&cast.nobody);
    kit_line_refused(&cast.was, get(&cast.nobody, "session/park/a", ""), HBK_DENIED, "8");
    /* Where the rules let everybody, it is to others as if it were not there. */
    puts_it(&cast.admin, "session/free/a", cast.thing, ",\"allow\":\"D:(A;;0x8;;;BA)\"");
    puts_it(&cast.admin, "session/free/own", cast.thing, "");
    puts_it(&cast.admin, "session/free/no-get", cast.thing, ",\"allow\":\"D:(A;;0x7;;;WD)\"");
    cast.was = kit_line_before(&cast.user);
    kit_line_refused(&cast.was, get(&cast.user, "session/free/a", ""), HBK_NOT_FOUND, "8");
    kit_line_refused(&cast.was, get(&cast.user, "session/free/a", ",\"wait_ms\":100"), HBK_TIMEOUT,
                     "8");
    kit_line_refused(&cast.was, get(&cast.user, "session/free/own", ""), HBK_NOT_FOUND, "8");
    kit_line_refused(&cast.was, get(&cast.admin, "session/free/no-get", ""), HBK_NOT_FOUND, "8");
    was_given(&cast.admin, get(&cast.admin, "session/free/a", ""), &cast.admin, cast.thing);
    was_given(&cast.admin, get(&cast.admin, "session/free/own", ""), &cast.admin, cast.thing);
    end(&cast);
}

/* A waiting one is not woken by what it may not have, and is by what it may. */
static void who_waits_is_asked_too(void **state)
{
    (void)state;
    struct cast cast;
    struct kit_mark mark;
    begin(&cast);
    kit_mark(&mark, 0);
    kit_peer_say(&cast.user, "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"store.get\",\"params\":"
                             "{\"name\":\"session/free/wait\",\"wait_ms\":60000}}");
    kit_wait_pending(&mark, 1);
    puts_it(&cast.admin, "session/free/wait", cast.thing, ",\"once\":true");
    assert_null(kit_peer_hear(&cast.user, KIT_QUIET_MS));
    puts_it(&cast.admin, "session/free/wait", cast.thing,
            ",\"replace\":true,\"allow\":\"D:(A;;0x8;;;" USERS ")\"");
    was_given(&cast.user, kit_peer_hear(&cast.user, KIT_WAIT_MS), &cast.admin, cast.thing);
    end(&cast);
}

/* Names in user/ are one namespace for each identity, whatever an entry allows. */
static void the_own_scope_is_ones_own(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    puts_it(&cast.admin, "user/mine", cast.thing, ",\"allow\":\"D:(A;;0x8;;;WD)\"");
    puts_it(&cast.admin, "user/mine/out", cast.thing, ",\"allow\":\"D:(A;;0x8;;;SY)\"");
    cast.was = kit_line_before(&cast.user);
    kit_line_refused(&cast.was, get(&cast.user, "user/mine", ""), HBK_NOT_FOUND, "8");
    kit_line_refused(&cast.was, remove_name(&cast.user, "user/mine"), HBK_NOT_FOUND, "9");
    kit_line_refused(&cast.was, get(&cast.admin, "user/mine/out", ""), HBK_NOT_FOUND, "8");
    kit_line_is_result(remove_name(&cast.admin, "user/mine/out"), "9");
    uint64_t theirs = kit_line_make(&cast.user, KIT_SEMAPHORE);
    puts_it(&cast.user, "user/mine", theirs, "");
    was_given(&cast.user, get(&cast.user, "user/mine", ""), &cast.user, theirs);
    assert_int_not_equal(kit_peer_do(&cast.admin, KIT_OP_WAIT, cast.thing, 0, NULL), WAIT_OBJECT_0);
    was_given(&cast.admin, get(&cast.admin, "user/mine", ""), &cast.admin, cast.thing);
    end(&cast);
}

static void bad_allow(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "hello",
        "O:SYD:(A;;0x8;;;WD)",
        "D:(A;;0x8;;;WD)S:(ML;;NW;;;LW)",
        "D:P",
        "D:NO_ACCESS_CONTROL",
        "D:(A;;0x8;;;DA)",
        "D:(A;;0x8;;;WD",
        "D:(XA;;0x8;;;WD;(Member_of{SID(BA)}))",
        "D:(A;;0x8;;;S-1-5-)",
    };
    struct cast cast;
    char options[200];
    begin(&cast);
    cast.was = kit_line_before(&cast.admin);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        (void)snprintf(options, sizeof options, ",\"allow\":\"%s\"", bad[i]);
        kit_line_is_error(put(&cast.admin, "user/allow", cast.thing, options), HBK_INVALID_PARAMS,
                          "7");
        kit_line_is_error(put(&cast.admin, NULL, cast.thing, options), HBK_INVALID_PARAMS, "7");
    }
    kit_unchanged(&cast.was.mark);
    puts_it(&cast.admin, "user/allow", cast.thing, ",\"allow\":\"D:P(A;;0x8;;;SY)\"");
    end(&cast);
}

/* ---- owners ---- */

static void owners_alone_replace_and_remove(void **state)
{
    (void)state;
    struct cast cast;
    struct kit_peer again;
    begin(&cast);
    kit_peer_raw_as(&again, ADMIN);
    int64_t entry =
        puts_it(&cast.admin, "session/free/own", cast.thing, ",\"allow\":\"D:(A;;0x8;;;WD)\"");
    uint64_t theirs = kit_line_make(&cast.user, KIT_SEMAPHORE);
    cast.was = kit_line_before(&cast.user);
    kit_line_refused(&cast.was, put(&cast.user, "session/free/own", theirs, ""), HBK_EXISTS, "7");
    kit_line_refused(&cast.was, put(&cast.user, "session/free/own", theirs, ",\"replace\":true"),
                     HBK_EXISTS, "7");
    kit_line_refused(&cast.was, remove_name(&cast.user, "session/free/own"), HBK_DENIED, "9");
    kit_line_refused(&cast.was, remove_entry(&cast.user, entry), HBK_NOT_FOUND, "9");
    was_given(&cast.user, get(&cast.user, "session/free/own", ""), &cast.admin, cast.thing);
    /* Its identity may, from any of its processes. */
    uint64_t other = kit_line_make(&again, KIT_SEMAPHORE);
    puts_it(&again, "session/free/own", other, ",\"replace\":true");
    kit_line_is_result(remove_name(&cast.admin, "session/free/own"), "9");
    /* And by number whom the operator lets revoke, whosever it is. */
    entry = puts_it(&cast.user, "user/theirs", theirs, "");
    kit_line_is_error(remove_entry(&cast.nobody, entry), HBK_NOT_FOUND, "9");
    was_given(&cast.user, get(&cast.user, "user/theirs", ""), &cast.user, theirs);
    kit_line_is_result(remove_entry(&cast.admin, entry), "9");
    kit_line_is_error(get(&cast.user, "user/theirs", ""), HBK_NOT_FOUND, "8");
    kit_peer_stop(&again);
    end(&cast);
}

static const char *list(struct kit_peer *peer)
{
    const char *line = kit_peer_ask(
        peer, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"store.list\",\"params\":{}}");
    kit_line_is_result(line, "4");
    return line;
}

static void lists_show_what_one_may_get(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    puts_it(&cast.admin, "session/park/listed", cast.thing,
            ",\"allow\":\"D:(A;;0x8;;;" USERS ")\"");
    puts_it(&cast.admin, "session/free/mine", cast.thing, "");
    puts_it(&cast.admin, "user/listed", cast.thing, ",\"allow\":\"D:(A;;0x8;;;WD)\"");
    puts_it(&cast.admin, NULL, cast.thing, ",\"allow\":\"D:(A;;0x8;;;" USERS ")\"");
    assert_non_null(strstr(list(&cast.user), "session/park/listed"));
    assert_non_null(strstr(cast.user.reply.text, "\"shared\":true"));
    assert_null(strstr(cast.user.reply.text, "session/free/mine"));
    assert_null(strstr(cast.user.reply.text, "user/listed"));
    assert_null(strstr(cast.user.reply.text, "\"name\":null"));
    assert_non_null(strstr(list(&cast.nobody), "\"entries\":[]"));
    uint64_t theirs = kit_line_make(&cast.nobody, KIT_SEMAPHORE);
    puts_it(&cast.nobody, "user/own", theirs, "");
    assert_non_null(strstr(list(&cast.nobody), "user/own"));
    assert_null(strstr(cast.nobody.reply.text, "listed"));
    assert_null(strstr(list(&cast.user), "user/own"));
    assert_non_null(strstr(list(&cast.admin), "user/listed"));
    assert_non_null(strstr(cast.admin.reply.text, "session/free/mine"));
    assert_non_null(strstr(cast.admin.reply.text, "\"name\":null"));
    end(&cast);
}

/* ---- tickets ---- */

static void tickets_stay_within_an_identity(void **state)
{
    (void)state;
    struct cast cast;
    char ticket[HBK_TICKET_BYTES + 1];
    begin(&cast);
    uint64_t theirs = kit_line_make(&cast.user, KIT_SEMAPHORE);
    puts_ticket(&cast.user, theirs, "", ticket);
    cast.was = kit_line_before(&cast.admin);
    kit_line_refused(&cast.was, claim(&cast.admin, ticket), HBK_NOT_FOUND, "8");
    cast.was = kit_line_before(&cast.nobody);
    kit_line_refused(&cast.was, claim(&cast.nobody, ticket), HBK_NOT_FOUND, "8");
    was_given(&cast.user, claim(&cast.user, ticket), &cast.user, theirs);
    kit_line_is_error(claim(&cast.user, ticket), HBK_NOT_FOUND, "8");
    end(&cast);
}

static void rules_say_who_passes_tickets(void **state)
{
    (void)state;
    static const char for_users[] = ",\"allow\":\"D:(A;;0x8;;;" USERS ")\"";
    static const char for_all[] = ",\"allow\":\"D:(A;;0x8;;;WD)\"";
    struct cast cast;
    char ticket[HBK_TICKET_BYTES + 1];
    begin(&cast);
    uint64_t theirs = kit_line_make(&cast.user, KIT_SEMAPHORE);
    cast.was = kit_line_before(&cast.user);
    kit_line_refused(&cast.was, put(&cast.user, NULL, theirs, for_all), HBK_DENIED, "7");
    puts_ticket(&cast.admin, cast.thing, for_users, ticket);
    was_given(&cast.user, claim(&cast.user, ticket), &cast.admin, cast.thing);
    kit_line_is_error(claim(&cast.user, ticket), HBK_NOT_FOUND, "8");
    /* Allowed by the owner, and not by the rule: a refusal, and the ticket is as good as before. */
    puts_ticket(&cast.admin, cast.thing, for_all, ticket);
    cast.was = kit_line_before(&cast.nobody);
    kit_line_refused(&cast.was, claim(&cast.nobody, ticket), HBK_NOT_FOUND, "8");
    was_given(&cast.user, claim(&cast.user, ticket), &cast.admin, cast.thing);
    /* What the rule caps, it caps for others alone. */
    uint64_t section = kit_line_make(&cast.admin, KIT_SECTION);
    uint64_t timer = kit_line_make(&cast.admin, KIT_TIMER);
    cast.was = kit_line_before(&cast.user);
    kit_line_refused(&cast.was, put(&cast.admin, NULL, section, for_all), HBK_DENIED, "7");
    kit_line_refused(&cast.was, put(&cast.admin, NULL, timer, for_all), HBK_TYPE_NOT_ALLOWED, "7");
    puts_ticket(&cast.admin, timer, "", ticket);
    kit_line_is_result(claim(&cast.admin, ticket), "8");
    end(&cast);
}

/* ---- explained ---- */

static void explained(struct kit_peer *asker, const char *verb, const char *name, int64_t session,
                      const char *allowed, const char *rule)
{
    const char *line =
        kit_peer_ask(asker,
                     "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"policy.explain\",\"params\":"
                     "{\"verb\":\"%s\",\"name\":\"%s\",\"session\":%lld}}",
                     verb, name, (long long)session);
    kit_line_is_result(line, "6");
    if (strstr(line, allowed) == NULL || strstr(line, rule) == NULL)
        fail_msg("%s by %s expected: %s", allowed, rule, line);
}

static void rules_are_explained(void **state)
{
    (void)state;
    static const char yes[] = "\"allowed\":true", no[] = "\"allowed\":false";
    struct cast cast;
    begin(&cast);
    int64_t admin = cast.admin.session, user = cast.user.session;
    explained(&cast.admin, "put", "session/park/a", admin, yes, "rules[0]");
    explained(&cast.admin, "put", "session/park/a", user, no, "rules[0]");
    explained(&cast.admin, "get", "session/park/a", user, yes, "rules[0]");
    explained(&cast.admin, "get", "session/park/a", admin, no, "rules[0]");
    explained(&cast.admin, "put", "global/ticket", user, no, "rules[4]");
    explained(&cast.admin, "get", "user/a", user, yes, "built-in");
    explained(&cast.admin, "put", "global/a", admin, no, "built-in");
    kit_line_is_error(
        kit_peer_ask(&cast.user,
                     "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"policy.explain\",\"params\":"
                     "{\"verb\":\"put\",\"name\":\"user/a\"}}"),
        HBK_DENIED, "6");
    end(&cast);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(rules_say_who_puts),
        KIT_TEST(rules_narrow_the_own_scope),
        KIT_TEST(refusals_tell_nothing),
        KIT_TEST(rules_cap_rights_and_types),
        KIT_TEST(what_can_be_widened),
        KIT_TEST(allow_says_who_gets),
        KIT_TEST(who_waits_is_asked_too),
        KIT_TEST(the_own_scope_is_ones_own),
        KIT_TEST(bad_allow),
        KIT_TEST(owners_alone_replace_and_remove),
        KIT_TEST(lists_show_what_one_may_get),
        KIT_TEST(tickets_stay_within_an_identity),
        KIT_TEST(rules_say_who_passes_tickets),
        KIT_TEST(rules_are_explained),
    };
    kit_config = config;
    kit_broker_by_process();
    return cmocka_run_group_tests_name("store policy", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
