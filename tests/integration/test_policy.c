/* Who may do what by the operator's rules, asked by clients that differ in the groups of their tokens. They write
 * their own lines, so that what is shown is the protocol's answer and not a library's. */
#include "line.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* Administrators listen, users send. */
#define PRINT "\"open\":\"D:(A;;GA;;;BA)\",\"send\":\"D:(A;;0x2;;;BU)\""
/* Everybody does both. */
#define OPEN_TO_ALL "\"open\":\"D:(A;;0x1;;;WD)\",\"send\":\"D:(A;;0x2;;;WD)\""

static const char config[] =
    "{\"verbs\":{\"inspect\":\"D:(A;;GA;;;BA)\"},\n"
    "\"rules\":[\n"
    "{\"name\":\"session/print/*\"," PRINT ",\"types\":{\"Section\":\"read\",\"Event\":\"any\"}},\n"
    "{\"name\":\"global/print/*\"," PRINT "},\n"
    "{\"name\":\"session/free/*\"," OPEN_TO_ALL "},\n"
    "{\"name\":\"user/shut\",\"open\":\"D:(A;;GA;;;S-1-5-21-1-2-3-4)\"},\n"
    "{\"name\":\"user/shared/*\",\"send\":\"D:(A;;0x2;;;BU)\"}\n"
    "]}\n";

/* ---- names ---- */

static void rules_say_who_opens(void **state)
{
    (void)state;
    static const char *const names[] = {"session/print/a", "global/print/a"};
    struct kit_peer admin, user;
    kit_peer_raw_as(&admin, KIT_NO_USERS);
    kit_peer_raw_as(&user, KIT_NO_ADMINISTRATORS);
    for (size_t i = 0; i < 2; i++) {
        struct kit_mark mark;
        kit_mark(&mark, 0);
        kit_line_may_not_open(&user, names[i], "", HBK_DENIED);
        kit_unchanged(&mark);
        kit_line_opens(&admin, names[i], "");
        kit_line_may_not_open(&user, names[i], "", HBK_DENIED); /* and not whether it is taken */
        kit_line_may_not_open(&admin, names[i], "", HBK_EXISTS);
    }
    kit_peer_stop(&admin);
    kit_peer_stop(&user);
}

/* One name for all identities, unlike those of user/. */
static void names_are_shared(void **state)
{
    (void)state;
    struct kit_peer one, other;
    kit_peer_raw_as(&one, 0);
    kit_peer_raw_as(&other, KIT_NO_USERS);
    kit_line_opens(&one, "session/print/shared", "");
    kit_line_may_not_open(&other, "session/print/shared", "", HBK_EXISTS);
    kit_line_opens(&other, "global/print/shared", ""); /* the same path elsewhere is another name */
    kit_line_opens(&one, "user/print/shared", "");
    kit_line_opens(&other, "user/print/shared", "");
    kit_peer_stop(&one);
    kit_line_opens(&other, "session/print/shared", "");
    kit_peer_stop(&other);
}

static void without_a_rule_nobody_opens(void **state)
{
    (void)state;
    struct kit_peer admin;
    struct kit_mark mark;
    kit_peer_raw_as(&admin, 0);
    kit_mark(&mark, 0);
    kit_line_may_not_open(&admin, "session/other", "", HBK_DENIED);
    kit_line_may_not_open(&admin, "global/other", "", HBK_DENIED);
    kit_line_may_not_open(&admin, "session/print", "",
                          HBK_DENIED); /* the pattern wants what follows */
    kit_line_may_not_open(&admin, "global/free/a", "", HBK_DENIED);
    kit_unchanged(&mark);
    kit_line_opens(&admin, "session/free/a", "");
    kit_peer_stop(&admin);
}

/* A rule decides in user/ too, where it says something. */
static void rules_narrow_the_own_scope(void **state)
{
    (void)state;
    struct kit_peer peer;
    struct kit_mark mark;
    kit_peer_raw_as(&peer, 0);
    kit_mark(&mark, 0);
    kit_line_may_not_open(&peer, "user/shut", "", HBK_DENIED);
    kit_unchanged(&mark);
    kit_line_opens(&peer, "user/shut/not", "");
    kit_peer_stop(&peer);
}

static void rules_say_who_sends(void **state)
{
    (void)state;
    struct kit_peer target, user, other;
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&user, KIT_NO_ADMINISTRATORS);
    kit_peer_raw_as(&other, KIT_NO_USERS);
    kit_line_opens(&target, "session/print/a", "");
    uint64_t mine = kit_line_make(&user, KIT_EVENT), theirs = kit_line_make(&other, KIT_EVENT);
    kit_line_is_result(kit_line_send(&user, "session/print/a", mine, ""), "5");
    kit_line_was_given(&target);
    struct kit_before was = kit_line_before(&target);
    kit_line_refused(&was, kit_line_send(&other, "session/print/a", theirs, ""), HBK_DENIED, "5");
    kit_line_is_error(kit_line_send(&user, "session/print/none", mine, ""), HBK_NOT_FOUND, "5");
    kit_peer_stop(&target);
    kit_line_is_error(kit_line_send(&user, "session/print/a", mine, ""), HBK_NOT_FOUND, "5");
    kit_peer_stop(&user);
    kit_peer_stop(&other);
}

/* A refusal outside of the own scope is the same to the byte, whatever there is. */
static void refusals_tell_nothing(void **state)
{
    (void)state;
    struct kit_peer target, other;
    char first[sizeof other.reply.text];
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&other, KIT_NO_USERS | KIT_NO_ADMINISTRATORS);
    kit_line_opens(&target, "session/print/aa", "");
    kit_line_opens(&target, "user/aa", "");
    uint64_t event = kit_line_make(&other, KIT_EVENT);
    (void)snprintf(first, sizeof first, "%s", kit_line_send(&other, "session/print/aa", event, ""));
    kit_line_is_error(first, HBK_DENIED, "5");
    assert_string_equal(first, kit_line_send(&other, "session/print/bb", event, ""));
    (void)snprintf(first, sizeof first, "%s", kit_line_open(&other, "session/print/aa", ""));
    kit_line_is_error(first, HBK_DENIED, "3");
    assert_string_equal(first, kit_line_open(&other, "session/print/bb", ""));
    kit_protect(target.process, L"O:BAD:P(A;;0x1fffff;;;BA)");
    (void)snprintf(first, sizeof first, "%s",
                   kit_line_send_to_pid(&other, "user/aa", target.pid, event));
    kit_line_is_error(first, HBK_DENIED, "5");
    assert_string_equal(first, kit_line_send_to_pid(&other, "user/bb", target.pid, event));
    assert_string_equal(first, kit_line_send_to_pid(&other, "user/aa", 4, event));
    assert_string_equal(first, kit_line_send_to_pid(&other, "user/aa", 0x7FFFFFF0, event));
    assert_null(kit_peer_hear(&target, KIT_QUIET_MS));
    kit_peer_stop(&target);
    kit_peer_stop(&other);
}

/* A rule for a name in user/ is about each identity's own endpoint of that name. */
static void rules_for_sending_in_user(void **state)
{
    (void)state;
    struct kit_peer one, same;
    kit_peer_raw_as(&one, KIT_NO_USERS);
    kit_peer_raw_as(&same, KIT_NO_USERS);
    kit_line_opens(&one, "user/shared/a", "");
    kit_line_opens(&one, "user/mine", "");
    uint64_t event = kit_line_make(&same, KIT_EVENT);
    struct kit_before was = kit_line_before(&one);
    kit_line_refused(&was, kit_line_send(&same, "user/shared/a", event, ""), HBK_DENIED, "5");
    kit_line_is_result(kit_line_send(&same, "user/mine", event, ""), "5");
    kit_line_was_given(&one);
    kit_peer_stop(&same);
    kit_peer_stop(&one);
}

static const char *list(struct kit_peer *peer)
{
    const char *line = kit_peer_ask(
        peer, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"endpoint.list\",\"params\":{}}");
    kit_line_is_result(line, "4");
    return line;
}

static void lists_show_what_one_may_use(void **state)
{
    (void)state;
    struct kit_peer target, user, nobody, restricted;
    kit_peer_raw_as(&target, KIT_NO_USERS);
    kit_peer_raw_as(&user, KIT_NO_ADMINISTRATORS);
    kit_peer_raw_as(&nobody, KIT_NO_ADMINISTRATORS | KIT_NO_USERS);
    kit_line_opens(&target, "session/print/listed", "");
    kit_line_opens(&target, "user/listed", "");
    assert_non_null(strstr(list(&user), "session/print/listed")); /* may send */
    assert_null(strstr(user.reply.text, "user/listed"));
    assert_null(strstr(list(&nobody), "listed"));
    assert_non_null(strstr(list(&target), "user/listed"));
    kit_peer_raw_as(&restricted, 0); /* another identity, which may inspect */
    assert_non_null(strstr(list(&restricted), "user/listed"));
    kit_peer_stop(&restricted);
    kit_peer_stop(&nobody);
    kit_peer_stop(&user);
    kit_peer_stop(&target);
}

/* ---- from ---- */

static void from_lets_some_send(void **state)
{
    (void)state;
    struct kit_peer target, admin, user;
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&admin, KIT_NO_USERS);
    kit_peer_raw_as(&user, KIT_NO_ADMINISTRATORS);
    kit_line_opens(&target, "session/free/narrow", ",\"from\":\"D:(A;;0x2;;;BA)\"");
    kit_line_opens(&target, "session/free/wide",
                   ",\"from\":\"D:(A;;0x2;;;BA)(A;;GA;;;S-1-5-32-545)\"");
    kit_line_opens(&target, "session/free/no-send", ",\"from\":\"D:(A;;0x7d;;;WD)\"");
    uint64_t theirs = kit_line_make(&admin, KIT_EVENT), mine = kit_line_make(&user, KIT_EVENT);
    kit_line_is_result(kit_line_send(&admin, "session/free/narrow", theirs, ""), "5");
    kit_line_was_given(&target);
    kit_line_is_result(kit_line_send(&user, "session/free/wide", mine, ""), "5");
    kit_line_was_given(&target);
    struct kit_before was = kit_line_before(&target);
    kit_line_refused(&was, kit_line_send(&user, "session/free/narrow", mine, ""), HBK_NOT_FOUND,
                     "5");
    kit_line_refused(&was, kit_line_send(&user, "session/free/no-send", mine, ""), HBK_NOT_FOUND,
                     "5");
    kit_line_refused(&was, kit_line_send(&admin, "session/free/no-send", theirs, ""), HBK_NOT_FOUND,
                     "5");
    kit_peer_stop(&user);
    kit_peer_stop(&admin);
    kit_peer_stop(&target);
}

/* Whom a rule keeps out, no endpoint lets in. */
static void from_only_narrows(void **state)
{
    (void)state;
    struct kit_peer target, other;
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&other, KIT_NO_USERS);
    kit_line_opens(&target, "session/print/from", ",\"from\":\"D:(A;;GA;;;WD)\"");
    kit_line_opens(&target, "user/from", ",\"from\":\"D:(A;;GA;;;WD)\"");
    uint64_t event = kit_line_make(&other, KIT_EVENT);
    struct kit_before was = kit_line_before(&target);
    kit_line_refused(&was, kit_line_send(&other, "session/print/from", event, ""), HBK_DENIED, "5");
    kit_line_refused(&was, kit_line_send(&other, "user/from", event, ""), HBK_NOT_FOUND,
                     "5"); /* its own user/ */
    kit_peer_stop(&other);
    kit_peer_stop(&target);
}

static void from_can_keep_its_own_identity_out(void **state)
{
    (void)state;
    struct kit_peer target, same;
    char options[400];
    kit_peer_raw_as(&target, 0);
    kit_peer_raw_as(&same, 0);
    (void)snprintf(options, sizeof options, ",\"from\":\"D:(D;;0x2;;;%s)(A;;GA;;;WD)\"",
                   kit_user());
    kit_line_opens(&target, "user/nobody", options);
    (void)snprintf(options, sizeof options, ",\"from\":\"D:(A;;0x2;;;%s)\"", kit_user());
    kit_line_opens(&target, "user/self", options);
    uint64_t event = kit_line_make(&same, KIT_EVENT);
    kit_line_is_result(kit_line_send(&same, "user/self", event, ""), "5");
    kit_line_was_given(&target);
    struct kit_before was = kit_line_before(&target);
    kit_line_refused(&was, kit_line_send(&same, "user/nobody", event, ""), HBK_NOT_FOUND, "5");
    kit_peer_stop(&same);
    kit_peer_stop(&target);
}

static void bad_from(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "hello",
        "O:SYG:SY",
        "O:SYD:(A;;GA;;;WD)",
        "D:(A;;GA;;;WD)S:(ML;;NW;;;LW)",
        "D:P", /* nobody: nobody means that */
        "D:NO_ACCESS_CONTROL",
        "D:(A;;GA;;;DA)",
        "D:(A;;GA;;;WD",
        "D:(XA;;GA;;;WD;(Member_of{SID(BA)}))",
        "D:(A;;GA;;;S-1-5-)",
    };
    struct kit_peer peer;
    struct kit_mark mark;
    char options[200];
    kit_peer_raw_as(&peer, 0);
    kit_mark(&mark, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        (void)snprintf(options, sizeof options, ",\"from\":\"%s\"", bad[i]);
        kit_line_may_not_open(&peer, "user/from", options, HBK_INVALID_PARAMS);
    }
    kit_unchanged(&mark);
    kit_line_opens(&peer, "user/from", ",\"from\":\"D:P(A;;0x2;;;SY)\"");
    kit_peer_stop(&peer);
}

/* ---- looking ---- */

static const char *explain(struct kit_peer *peer, const char *verb, const char *name,
                           int64_t session)
{
    return kit_peer_ask(peer,
                        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"policy.explain\",\"params\":"
                        "{\"verb\":\"%s\",\"name\":\"%s\",\"session\":%lld}}",
                        verb, name, (long long)session);
}

static void explained(const char *line, bool allowed, const char *rule)
{
    kit_line_is_result(line, "6");
    if (strstr(line, allowed ? "\"allowed\":true" : "\"allowed\":false") == NULL ||
        strstr(line, rule) == NULL)
        fail_msg("%s by %s expected: %s", allowed ? "allowed" : "not allowed", rule, line);
}

static void rules_are_explained(void **state)
{
    (void)state;
    struct kit_peer admin, user;
    kit_peer_raw_as(&admin, 0);
    kit_peer_raw_as(&user, KIT_NO_ADMINISTRATORS);
    explained(explain(&admin, "open", "session/print/a", admin.session), true, "rules[0]");
    explained(explain(&admin, "open", "session/print/a", user.session), false, "rules[0]");
    explained(explain(&admin, "send", "session/print/a", user.session), true, "rules[0]");
    explained(explain(&admin, "open", "global/print/a", user.session), false, "rules[1]");
    explained(explain(&admin, "open", "user/a", user.session), true, "built-in");
    explained(explain(&admin, "open", "global/a", admin.session), false, "built-in");
    /* Nothing is done by it. */
    struct kit_mark mark;
    kit_mark(&mark, 0);
    explained(explain(&admin, "open", "session/free/a", admin.session), true, "rules[2]");
    kit_unchanged(&mark);
    kit_peer_stop(&user);
    kit_peer_stop(&admin);
}

static void inspecting_is_a_right(void **state)
{
    (void)state;
    struct kit_peer admin, user;
    kit_peer_raw_as(&admin, KIT_NO_USERS);
    kit_peer_raw_as(&user, KIT_NO_ADMINISTRATORS);
    static const char explain_line[] =
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"policy.explain\","
        "\"params\":{\"verb\":\"inspect\"}}";
    static const char *const lines[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"broker.sessions\",\"params\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"broker.watch\",\"params\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"broker.metrics\",\"params\":{}}",
        explain_line,
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        kit_line_is_error(kit_peer_ask(&user, "%s", lines[i]), HBK_DENIED, "6");
        kit_line_is_result(kit_peer_ask(&admin, "%s", lines[i]), "6");
    }
    kit_line_is_result(
        kit_peer_ask(&user, "%s", "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"broker.status\"}"),
        "6");
    kit_peer_stop(&user);
    kit_peer_stop(&admin);
}

/* What broker @broker answers a proven peer with @less than our token that asks for its sessions. */
static const char *look_as(struct kit_peer *peer, uint32_t less, const struct kit_broker *broker)
{
    int64_t proof = 0;
    kit_peer_start_as(peer, less);
    (void)swprintf(peer->call.path, 128, L"%ls", broker->pipe);
    assert_int_equal(kit_peer_do(peer, KIT_OP_RAW_OPEN, 0, 0, NULL), 0);
    assert_true(kit_json_number(kit_peer_ask(peer, "%s", KIT_HELLO), "proof", &proof));
    assert_int_equal(kit_peer_do(peer, KIT_OP_SET_EVENT, (uint64_t)proof, 0, NULL), 0);
    kit_line_is_result(kit_peer_ask(peer, "%s", KIT_PROVE), "2");
    return kit_peer_ask(
        peer, "%s", "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"broker.sessions\",\"params\":{}}");
}

/* Also where no file says who may. */
static void without_a_file_administrators_inspect(void **state)
{
    (void)state;
    struct kit_broker broker;
    struct kit_peer admin, user;
    kit_console_start(&broker, NULL);
    kit_line_is_error(look_as(&user, KIT_NO_ADMINISTRATORS, &broker), HBK_DENIED, "6");
    kit_line_is_result(look_as(&admin, KIT_NO_USERS, &broker), "6");
    kit_peer_stop(&user);
    kit_peer_stop(&admin);
    kit_console_stop(&broker);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(rules_say_who_opens),
        KIT_TEST(names_are_shared),
        KIT_TEST(without_a_rule_nobody_opens),
        KIT_TEST(rules_narrow_the_own_scope),
        KIT_TEST(rules_say_who_sends),
        KIT_TEST(refusals_tell_nothing),
        KIT_TEST(rules_for_sending_in_user),
        KIT_TEST(lists_show_what_one_may_use),
        KIT_TEST(from_lets_some_send),
        KIT_TEST(from_only_narrows),
        KIT_TEST(from_can_keep_its_own_identity_out),
        KIT_TEST(bad_from),
        KIT_TEST(rules_are_explained),
        KIT_TEST(inspecting_is_a_right),
        KIT_TEST(without_a_file_administrators_inspect),
    };
    kit_config = config;
    kit_broker_by_process();
    return cmocka_run_group_tests_name("policy", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
