/* Who a client is: the process that opened the pipe, by its token, and what keeps another from passing for it. */
#include "kit.h"
#include "parts.h"

#include <sddl.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define REFUSALS 20 /* more than a broker's handles go up and down by themselves */
#define OPEN \
    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"endpoint.open\",\"params\":{\"name\":\"%s\"}}"
#define LIST "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"endpoint.list\",\"params\":{}}"
#define SEND                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"handle.send\",\"params\":{\"to\":" \
    "\"%s\",\"items\":[{\"handle\":%llu}]}}"

/* ---- pipe token and process token ---- */

/* Opens @pipe while this thread is somebody with @less. */
static HANDLE open_as(const wchar_t *pipe, uint32_t less)
{
    HANDLE token = kit_token(less), actor = NULL;
    assert_true(DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL,
                                 SecurityImpersonation, TokenImpersonation, &actor));
    assert_true(SetThreadToken(NULL, actor));
    HANDLE handle = kit_raw_open(pipe);
    assert_true(RevertToSelf());
    CloseHandle(actor);
    CloseHandle(token);
    assert_true(handle != INVALID_HANDLE_VALUE);
    return handle;
}

/* The broker hangs up without a word. */
static void hung_up(HANDLE pipe)
{
    char byte;
    DWORD size = 0;
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    BOOL done = ReadFile(pipe, &byte, 1, NULL, &overlapped);
    if (!done && GetLastError() == ERROR_IO_PENDING) {
        assert_int_equal(WaitForSingleObject(overlapped.hEvent, KIT_WAIT_MS), WAIT_OBJECT_0);
        done = GetOverlappedResult(pipe, &overlapped, &size, TRUE);
    }
    assert_false(done);
    CloseHandle(overlapped.hEvent);
}

/* What opened the pipe is not what the process is: a thread of it was somebody else. Under Wine the token of
 * every pipe is the broker's, so there it is the process that is somebody else. */
static void tokens_must_agree(void **state)
{
    (void)state;
    struct kit_broker broker;
    struct kit_peer peer;
    const wchar_t *program = kit_broker_program;
    kit_broker_program = L"handlebroker.exe";
    kit_console_start(&broker, NULL);
    kit_broker_program = program;
    kit_raw_free(kit_raw_with(&broker)); /* what is made once is no leak */
    uint32_t handles = kit_handles_at_rest(broker.pid);
    if (kit_is_wine()) {
        kit_peer_start_as(&peer, KIT_NO_ADMINISTRATORS);
        for (int i = 0; i < REFUSALS; i++) {
            (void)swprintf(peer.call.path, 128, L"%ls", broker.pipe);
            assert_int_equal(kit_peer_do(&peer, KIT_OP_RAW_OPEN, 0, 0, NULL), 0);
            assert_null(kit_peer_hear(&peer, KIT_WAIT_MS));
            assert_int_equal(peer.reply.win32, ERROR_BROKEN_PIPE);
        }
        kit_peer_stop(&peer);
    } else {
        for (int i = 0; i < REFUSALS; i++) {
            HANDLE pipe = open_as(broker.pipe, KIT_NO_ADMINISTRATORS);
            hung_up(pipe);
            CloseHandle(pipe);
        }
    }
    kit_handles_at_most(broker.pid, handles);
    /* The twin: whose tokens agree is served. */
    struct kit_raw *raw = kit_raw_with(&broker);
    kit_raw_hello(raw, true);
    kit_raw_ask(raw, "%s", KIT_PROVE);
    kit_raw_is_result(raw, "2");
    kit_raw_free(raw);
    kit_console_stop(&broker);
}

/* ---- scopes of identities ---- */

static bool lists(const char *line, const char *name)
{
    return strstr(line, name) != NULL;
}

/* @other, which is not who opened @name, does not see it, cannot reach it, and can have its own. */
static void knows_nothing_of(struct kit_peer *other, const char *name)
{
    const char *line = kit_peer_ask(other, LIST);
    kit_line_is_result(line, "4");
    assert_false(lists(line, name));
    assert_int_equal(kit_peer_do(other, KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
    unsigned long long event = other->reply.value;
    kit_line_is_error(kit_peer_ask(other, SEND, name, event), HBK_NOT_FOUND, "5");
    kit_line_is_result(kit_peer_ask(other, OPEN, name), "3");
    kit_line_is_result(kit_peer_ask(other, SEND, name, event), "5"); /* to itself */
}

/* @same, which is who opened @name, sees it, reaches it, and cannot have it a second time. */
static void shares(struct kit_peer *same, const char *name)
{
    const char *line = kit_peer_ask(same, LIST);
    kit_line_is_result(line, "4");
    assert_true(lists(line, name));
    assert_int_equal(kit_peer_do(same, KIT_OP_MAKE, KIT_EVENT, 0, NULL), 0);
    unsigned long long event = same->reply.value;
    kit_line_is_error(kit_peer_ask(same, OPEN, name), HBK_EXISTS, "3");
    kit_line_is_result(kit_peer_ask(same, SEND, name, event), "5");
}

static void identities_keep_apart(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {
        0,       KIT_NO_ADMINISTRATORS, KIT_NO_USERS, KIT_NO_ADMINISTRATORS | KIT_NO_USERS,
        KIT_LOW, KIT_RESTRICTED};
    struct kit_peer peers[2 * (sizeof kinds / sizeof *kinds)];
    size_t count = sizeof kinds / sizeof *kinds, open = 0;
    if (kit_is_wine()) {
        print_message("without low integrity and restricting SIDs: Wine does not have them\n");
        count -= 2;
    }
    const char *name = kit_endpoint_name();
    struct kit_mark mark;
    kit_mark(&mark, 0);
    for (size_t i = 0; i < count; i++) {
        kit_peer_raw_as(&peers[open++], kinds[i]);
        knows_nothing_of(&peers[open - 1], name);
        kit_peer_raw_as(&peers[open++], kinds[i]);
        shares(&peers[open - 1], name);
    }
    /* The first of each two was given what the second sent, and nobody was given anything else; what it sent to
     * itself came before the answer to that, and was passed over. */
    for (size_t i = 0; i < open; i += 2) {
        const char *line = kit_peer_hear(&peers[i], KIT_WAIT_MS);
        assert_non_null(line);
        assert_non_null(strstr(line, "handle.delivered"));
        assert_null(kit_peer_hear(&peers[i], KIT_QUIET_MS));
        assert_null(kit_peer_hear(&peers[i + 1], KIT_QUIET_MS));
    }
    for (size_t i = 0; i < open; i++)
        kit_peer_stop(&peers[i]);
    kit_unchanged(&mark);
}

/* Privileges are no part of an identity: who has fewer of them is still the same. */
static void fewer_privileges_are_the_same_identity(void **state)
{
    (void)state;
    struct kit_peer one, other;
    const char *name = kit_endpoint_name();
    kit_peer_raw_as(&one, 0);
    kit_line_is_result(kit_peer_ask(&one, OPEN, name), "3");
    kit_peer_raw_as(&other, KIT_NO_PRIVILEGES);
    shares(&other, name);
    kit_peer_stop(&other);
    kit_peer_stop(&one);
}

static void hello_says_who_one_is(void **state)
{
    (void)state;
    struct kit_peer peer;
    int64_t pid = 0, integrity = 0, proof = 0;
    char user[256];
    kit_peer_start_as(&peer, kit_is_wine() ? KIT_NO_USERS : KIT_LOW);
    (void)swprintf(peer.call.path, 128, L"%ls", kit_broker()->pipe);
    assert_int_equal(kit_peer_do(&peer, KIT_OP_RAW_OPEN, 0, 0, NULL), 0);
    const char *line = kit_peer_ask(&peer, "%s", KIT_HELLO);
    assert_true(kit_json_number(line, "pid", &pid));
    assert_true(kit_json_number(line, "integrity", &integrity));
    assert_true(kit_json_number(line, "proof", &proof));
    assert_true(kit_json_text(line, "user", user, sizeof user));
    assert_int_equal(pid, peer.pid);
    assert_string_equal(user, kit_user());
    if (!kit_is_wine())
        assert_int_equal(integrity, SECURITY_MANDATORY_LOW_RID);
    kit_peer_stop(&peer);
}

/* ---- pids ---- */

static void logged(const char *text)
{
    static char log[16384];
    for (uint64_t end = kit_now_ms() + KIT_WAIT_MS;; Sleep(50)) {
        kit_file_read(kit_broker()->log, log, sizeof log);
        if (strstr(log, text) != NULL)
            return;
        if (kit_now_ms() > end)
            fail_msg("not in the broker's log: %s\n%s", text, log);
    }
}

/* It opens the pipe while the broker does not look, hands it to somebody else and ends. */
static void opener_that_has_ended(void **state)
{
    (void)state;
    struct kit_peer opener;
    struct kit_mark mark;
    HANDLE pipe = NULL;
    kit_mark(&mark, 0);
    kit_suspend(kit_broker()->process, true);
    kit_peer_raw_open(&opener);
    assert_true(DuplicateHandle(opener.process, (HANDLE)(uintptr_t)opener.reply.value,
                                GetCurrentProcess(), &pipe, 0, FALSE, DUPLICATE_SAME_ACCESS));
    assert_true(TerminateProcess(opener.process, 9));
    kit_wait_exit(opener.process, KIT_WAIT_MS);
    kit_suspend(kit_broker()->process, false);
    hung_up(pipe);
    CloseHandle(pipe);
    /* Its process object was there all the time, as we have a handle to it. */
    CloseHandle(opener.pipe);
    CloseHandle(opener.event);
    kit_forget(opener.process);
    kit_unchanged(&mark);
    logged("the process that opened its pipe has ended"); /* it was no session for a moment */
}

static void a_later_process_is_not_the_opener(void **state)
{
    (void)state;
    wchar_t self[MAX_PATH], line[MAX_PATH + 8];
    assert_true(GetModuleFileNameW(NULL, self, MAX_PATH) < MAX_PATH);
    (void)swprintf(line, MAX_PATH + 8, L"\"%ls\"", self);
    HANDLE before = kit_spawn(line, CREATE_SUSPENDED, NULL);
    uint64_t now = hbk_identity_now();
    Sleep(100); /* several times the grain of the clocks that it is made from */
    HANDLE after = kit_spawn(line, CREATE_SUSPENDED, NULL);
    assert_true(hbk_identity_existed(GetCurrentProcess(), now));
    assert_true(hbk_identity_existed(before, now));
    assert_false(hbk_identity_existed(after, now));
    assert_true(hbk_identity_existed(after, hbk_identity_now()));
    kit_forget(before);
    kit_forget(after);
}

static void time_does_not_go_back(void **state)
{
    (void)state;
    uint64_t last = hbk_identity_now();
    for (int i = 0; i < 10000; i++) {
        uint64_t now = hbk_identity_now();
        assert_true(now >= last);
        last = now;
    }
    FILETIME wall;
    GetSystemTimePreciseAsFileTime(&wall);
    uint64_t clock = (uint64_t)wall.dwHighDateTime << 32 | wall.dwLowDateTime;
    assert_true(hbk_identity_now() >= clock); /* unless it was set back within this second */
    assert_true(hbk_identity_now() < clock + 10000000);
}

/* ---- proof ---- */

static void another_sessions_proof_proves_nothing(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, 0);
    struct kit_raw *one = kit_raw_new(), *other = kit_raw_new();
    kit_raw_hello(one, true);
    kit_raw_hello(other, false);
    kit_raw_ask(other, "%s", KIT_PROVE);
    kit_raw_is_error(other, HBK_NOT_PROVEN, "2");
    assert_true(kit_raw_ended(other, KIT_WAIT_MS));
    kit_raw_ask(one, "%s", KIT_PROVE);
    kit_raw_is_result(one, "2");
    kit_raw_free(one);
    kit_raw_free(other);
    kit_unchanged(&mark);
}

/* ---- impersonation ---- */

/* A new pipe of ours, whose name is left in @ret_name. */
static HANDLE pipe_new(wchar_t ret_name[128])
{
    (void)swprintf(ret_name, 128, L"\\\\.\\pipe\\hbk-test-%lu-%lu",
                   (unsigned long)GetCurrentProcessId(), (unsigned long)kit_unique());
    HANDLE pipe = CreateNamedPipeW(ret_name, PIPE_ACCESS_DUPLEX, 0, 1, 512, 512, 0, NULL);
    assert_true(pipe != INVALID_HANDLE_VALUE);
    return pipe;
}

/* Opens it here, as a client that may be impersonated. */
static HANDLE pipe_open(const wchar_t *name)
{
    HANDLE client = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                                SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION, NULL);
    assert_true(client != INVALID_HANDLE_VALUE);
    return client;
}

static bool is_somebody_else(void)
{
    HANDLE token = NULL;
    if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) {
        CloseHandle(token);
        return true;
    }
    assert_int_equal(GetLastError(), ERROR_NO_TOKEN);
    return false;
}

/* Also where there is nobody to be. */
static void impersonating_ends(void **state)
{
    (void)state;
    wchar_t name[128];
    HANDLE token = NULL, server = pipe_new(name), client = pipe_open(name);
    assert_true(ImpersonateNamedPipeClient(server));
    assert_true(is_somebody_else()); /* so it would be seen */
    assert_true(RevertToSelf());
    assert_int_equal(hbk_impersonate(server, &token), 0);
    assert_false(is_somebody_else());
    assert_non_null(token);
    CloseHandle(token);
    CloseHandle(client);
    CloseHandle(server);
    token = NULL;
    assert_int_not_equal(hbk_impersonate(NULL, &token), 0);
    assert_null(token);
    assert_false(is_somebody_else());
}

/* A pipe that the broker has opened itself; the twin is one of somebody else. */
static void the_own_process_is_no_client(void **state)
{
    (void)state;
    wchar_t name[128];
    struct hbk_peer who = {.pid = 0};
    struct hbk_refusal refusal = {.why = NULL};
    struct kit_peer peer;
    HANDLE process = NULL, token = NULL, server = pipe_new(name), client = pipe_open(name);
    assert_int_equal(hbk_identity_init(), 0);
    assert_int_equal(hbk_identity_of_process(server, &who, &process, &token, &refusal),
                     HBK_IDENTITY_E_REFUSED);
    assert_int_equal(refusal.pid, GetCurrentProcessId());
    assert_null(process);
    assert_null(token);
    CloseHandle(client);
    CloseHandle(server);
    server = pipe_new(name);
    kit_peer_start(&peer);
    (void)swprintf(peer.call.path, 128, L"%ls", name);
    assert_int_equal(kit_peer_do(&peer, KIT_OP_RAW_OPEN, 0, 0, NULL), 0);
    assert_int_equal(hbk_identity_of_process(server, &who, &process, &token, &refusal), 0);
    assert_int_equal(who.pid, peer.pid);
    CloseHandle(token);
    CloseHandle(process);
    CloseHandle(server);
    kit_peer_stop(&peer);
}

/* ---- the pipe's descriptor ---- */

#define READ_AND_WRITE 0x12019Bu
#define MAKE_INSTANCES 0x4u /* FILE_CREATE_PIPE_INSTANCE */

/* What @descriptor says of @sid, and whether it denies it before it grants anybody anything. */
static ACCESS_MASK says(PACL dacl, const wchar_t *sid, bool *ret_denied)
{
    PSID wanted = NULL;
    ACCESS_MASK granted = 0;
    bool first = true;
    *ret_denied = false;
    assert_true(ConvertStringSidToSidW(sid, &wanted));
    for (DWORD i = 0; i < dacl->AceCount; i++) {
        ACCESS_ALLOWED_ACE *ace = NULL;
        assert_true(GetAce(dacl, i, (void **)&ace));
        assert_int_equal(ace->Header.AceFlags, 0);
        bool same = EqualSid(&ace->SidStart, wanted);
        if (ace->Header.AceType == ACCESS_DENIED_ACE_TYPE) {
            assert_int_equal(ace->Mask, GENERIC_ALL);
            *ret_denied = *ret_denied || (same && first);
        } else {
            assert_int_equal(ace->Header.AceType, ACCESS_ALLOWED_ACE_TYPE);
            first = false;
            granted |= same ? ace->Mask : 0;
        }
    }
    LocalFree(wanted);
    return granted;
}

static void descriptor_says(bool console, const wchar_t *owner)
{
    static const wchar_t *const clients[] = {L"S-1-5-11", L"S-1-15-2-1", L"S-1-5-12"};
    static const wchar_t *const denied[] = {L"S-1-5-2", L"S-1-5-7"};
    PSECURITY_DESCRIPTOR descriptor = NULL;
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    BOOL present = FALSE, defaulted = FALSE;
    PACL dacl = NULL, sacl = NULL;
    PSID sid = NULL;
    wchar_t *text = NULL;
    DWORD revision = 0;
    bool is_denied = false;
    assert_int_equal(hbk_descriptor_new(console, &descriptor), 0);
    assert_true(GetSecurityDescriptorControl(descriptor, &control, &revision));
    assert_true((control & SE_DACL_PROTECTED) != 0);
    assert_true(GetSecurityDescriptorOwner(descriptor, &sid, &defaulted));
    assert_true(ConvertSidToStringSidW(sid, &text));
    assert_int_equal(wcscmp(text, owner), 0);
    LocalFree(text);
    assert_true(GetSecurityDescriptorDacl(descriptor, &present, &dacl, &defaulted) && present);
    assert_int_equal(dacl->AceCount, 6); /* and nobody else */
    assert_int_equal(says(dacl, owner, &is_denied), GENERIC_ALL);
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        assert_int_equal(says(dacl, clients[i], &is_denied), READ_AND_WRITE);
        assert_int_equal(READ_AND_WRITE & MAKE_INSTANCES, 0);
        assert_false(is_denied);
    }
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
        assert_int_equal(says(dacl, denied[i], &is_denied), 0);
        assert_true(is_denied);
    }
    /* Its label lets low integrity write. */
    assert_true(GetSecurityDescriptorSacl(descriptor, &present, &sacl, &defaulted) && present);
    SYSTEM_MANDATORY_LABEL_ACE *label = NULL;
    assert_int_equal(sacl->AceCount, 1);
    assert_true(GetAce(sacl, 0, (void **)&label));
    assert_int_equal(label->Header.AceType, SYSTEM_MANDATORY_LABEL_ACE_TYPE);
    assert_int_equal(label->Mask, SYSTEM_MANDATORY_LABEL_NO_WRITE_UP);
    assert_int_equal(*GetSidSubAuthority(&label->SidStart, 0), SECURITY_MANDATORY_LOW_RID);
    LocalFree(descriptor);
}

/* As it is made; that Windows holds to it is for a run there. */
static void who_may_open_the_pipe(void **state)
{
    (void)state;
    wchar_t user[256];
    (void)swprintf(user, 256, L"%hs", kit_user());
    descriptor_says(false, L"S-1-5-18");
    descriptor_says(true, user);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(tokens_must_agree),
        KIT_TEST(identities_keep_apart),
        KIT_TEST(fewer_privileges_are_the_same_identity),
        KIT_TEST(hello_says_who_one_is),
        KIT_TEST(opener_that_has_ended),
        KIT_TEST(a_later_process_is_not_the_opener),
        KIT_TEST(time_does_not_go_back),
        KIT_TEST(another_sessions_proof_proves_nothing),
        KIT_TEST(impersonating_ends),
        KIT_TEST(the_own_process_is_no_client),
        KIT_TEST(who_may_open_the_pipe),
    };
    /* Nobody may inspect: whoever sees an endpoint sees it as its own. */
    kit_config = "{\"verbs\": {\"inspect\": \"D:(A;;GA;;;S-1-5-21-1-2-3-4)\"}}";
    kit_broker_by_process();
    return cmocka_run_group_tests_name("identity", tests, kit_group_console, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
