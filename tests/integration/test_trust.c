/* Whom the library trusts: servers that are not the service get nothing from it, whatever they do and
 * whenever they do it, and the service itself gets no more than a look at who we are. */
#include "kit.h"

#include <sddl.h>
#include <stdio.h>
#include <string.h>

#define PROTECTED L"\\\\.\\pipe\\ProtectedPrefix\\Administrators\\"
#define ROUNDS 20
#define TIMEOUT_MS 2000u

/* What a fake server does as soon as somebody has connected. */
enum trick { LISTEN, LEAVE, DISCONNECT, REPLACE, IMPERSONATE, SPEAK, TRICKS };

struct fake {
    wchar_t name[128];
    enum trick trick;
    HANDLE pipe, event, thread;
    volatile LONG connected;
    DWORD bytes; /* that it was sent */
    bool acted_as_client;
};

/* One of the protected prefix is owned as the service's own pipe is, any other by this user. */
static HANDLE instance(const wchar_t *name)
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
    bool protected = wcsncmp(name, PROTECTED, wcslen(PROTECTED)) == 0;
    char text[256];
    (void)snprintf(text, sizeof text, "O:%sD:(A;;GA;;;WD)", protected ? "BA" : kit_user());
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(
        text, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL));
    HANDLE pipe = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE,
                                   2, 4096, 4096, 0, &attributes);
    LocalFree(attributes.lpSecurityDescriptor);
    return pipe;
}

/* Reads until the other end is gone. Return: bytes that came. */
static DWORD read_all(HANDLE pipe, HANDLE event)
{
    char bytes[512];
    DWORD all = 0, size = 0;
    for (;;) {
        OVERLAPPED overlapped = {.hEvent = event};
        if (!ReadFile(pipe, bytes, sizeof bytes, NULL, &overlapped) &&
            GetLastError() != ERROR_IO_PENDING)
            return all;
        if (!GetOverlappedResult(pipe, &overlapped, &size, TRUE))
            return all;
        all += size;
    }
}

static void act(struct fake *fake)
{
    DWORD size = 0;
    OVERLAPPED overlapped = {.hEvent = fake->event};
    HANDLE other;
    switch (fake->trick) {
    case LEAVE:
        CloseHandle(fake->pipe);
        fake->pipe = INVALID_HANDLE_VALUE;
        break;
    case DISCONNECT:
        DisconnectNamedPipe(fake->pipe);
        break;
    case REPLACE: /* a second instance comes, the one that was opened goes */
        other = instance(fake->name);
        CloseHandle(fake->pipe);
        fake->pipe = other;
        break;
    case IMPERSONATE: /* before anything was read: Windows refuses it */
        fake->acted_as_client = ImpersonateNamedPipeClient(fake->pipe) != 0;
        RevertToSelf();
        break;
    case SPEAK:
        if (WriteFile(fake->pipe, "{}\n", 3, NULL, &overlapped) ||
            GetLastError() == ERROR_IO_PENDING)
            GetOverlappedResult(fake->pipe, &overlapped, &size, TRUE);
        break;
    case LISTEN:
    case TRICKS:
        break;
    }
}

static DWORD WINAPI serve(void *context)
{
    struct fake *fake = context;
    OVERLAPPED overlapped = {.hEvent = fake->event};
    DWORD size = 0;
    if (!ConnectNamedPipe(fake->pipe, &overlapped)) {
        DWORD error = GetLastError();
        if (error == ERROR_IO_PENDING && !GetOverlappedResult(fake->pipe, &overlapped, &size, TRUE))
            return 1;
        /* NO_DATA: it has come, was refused its trust, and has gone already. */
        if (error != ERROR_IO_PENDING && error != ERROR_PIPE_CONNECTED && error != ERROR_NO_DATA)
            return 1;
    }
    InterlockedExchange(&fake->connected, 1);
    act(fake);
    if (fake->trick != REPLACE && fake->pipe != INVALID_HANDLE_VALUE)
        fake->bytes = read_all(fake->pipe, fake->event);
    return 0;
}

static bool begin(struct fake *fake, const wchar_t *name, enum trick trick)
{
    memset(fake, 0, sizeof *fake);
    fake->trick = trick;
    (void)swprintf(fake->name, 128, L"%ls", name);
    fake->pipe = instance(name);
    if (fake->pipe == INVALID_HANDLE_VALUE)
        return false;
    fake->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    fake->thread = CreateThread(NULL, 0, serve, fake, 0, NULL);
    assert_true(fake->event != NULL && fake->thread != NULL);
    return true;
}

static void end(struct fake *fake)
{
    if (WaitForSingleObject(fake->thread, KIT_WAIT_MS) != WAIT_OBJECT_0)
        fail_msg("%s", "the fake server waits still");
    CloseHandle(fake->thread);
    CloseHandle(fake->event);
    /* Nobody has come to the second instance. */
    if (fake->trick == REPLACE)
        assert_false(ConnectNamedPipe(fake->pipe, &(OVERLAPPED){0}) ||
                     GetLastError() == ERROR_PIPE_CONNECTED);
    if (fake->pipe != INVALID_HANDLE_VALUE)
        CloseHandle(fake->pipe);
}

/* Opens, and sees that it is refused as it should be. */
static void refused(const wchar_t *name, const char *why)
{
    hbk_open_options options = {
        .size = sizeof options, .pipe = name, .connect_timeout_ms = TIMEOUT_MS};
    hbk_client *client = NULL;
    hbk_error_info error = {.result = HBK_OK};
    hbk_result result = hbk_open(&options, &client, &error);
    if (result != HBK_UNTRUSTED)
        fail_msg("%s: %s", hbk_result_word(result), error.detail);
    assert_null(client);
    assert_int_equal(error.result, HBK_UNTRUSTED);
    /* What has happened, why, and what a developer should do. */
    if (strstr(error.detail, "nothing was sent") == NULL || strstr(error.detail, why) == NULL ||
        strstr(error.detail, "HBK_OPEN_UNVERIFIED") == NULL)
        fail_msg("it does not say \"%s\": %s", why, error.detail);
}

/* Each trick many times, as it may come before the check, in its middle or after it. */
static void whatever_a_fake_server_does(void **state)
{
    (void)state;
    struct kit_mark mark;
    kit_mark(&mark, GetCurrentProcessId());
    for (int trick = 0; trick < TRICKS; trick++) {
        for (int round = 0; round < ROUNDS; round++) {
            struct fake fake;
            assert_true(begin(&fake, kit_pipe_name(), (enum trick)trick));
            /* One that has gone need not be known to be wrong, only not to be right. */
            bool stays = trick == LISTEN || trick == IMPERSONATE || trick == SPEAK;
            refused(fake.name, stays ? "owner is neither SYSTEM nor Administrators" : "");
            end(&fake);
            assert_int_equal(fake.connected, 1);
            assert_int_equal(fake.bytes, 0);
            if (fake.acted_as_client && !kit_is_wine())
                fail_msg("%s", "a server that was sent nothing could act as its client");
        }
    }
    kit_unchanged(&mark);
}

/* The right owner is not enough: an administrator's own program may have the name, but it is no service. */
static void a_protected_name_with_another_process(void **state)
{
    (void)state;
    struct kit_mark mark;
    struct fake fake;
    wchar_t name[128];
    kit_mark(&mark, GetCurrentProcessId());
    assert_int_not_equal(kit_service_pid(), 0); /* there is one to compare with */
    (void)swprintf(name, 128, PROTECTED L"hbk-test-%lu", GetCurrentProcessId());
    if (!begin(&fake, name, LISTEN))
        kit_skip("only an administrator can make a pipe of the protected prefix");
    refused(name, "not that of the process that runs as HandleBroker");
    end(&fake);
    assert_int_equal(fake.bytes, 0);
    kit_unchanged(&mark);
}

static void names_that_are_not_what_they_look_like(void **state)
{
    (void)state;
    static const wchar_t *const names[] = {
        (PROTECTED L"..\\..\\hbk-test-evil"),
        L"\\\\.\\pipe\\..\\C:\\file",
        L"\\\\.\\pipe\\.\\x",
        L"\\\\.\\pipe\\a/../b",
        L"\\\\.\\pipe\\",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        hbk_open_options options = {.size = sizeof options, .pipe = names[i]};
        hbk_client *client = NULL;
        for (uint32_t flags = 0; flags <= HBK_OPEN_UNVERIFIED; flags++) {
            options.flags = flags;
            if (hbk_open(&options, &client, NULL) != HBK_INVALID_ARGUMENT)
                fail_msg("row %lu was tried", (unsigned long)i);
        }
    }
}

/* The handle that the library has opened: what Windows shows of it. */
static void the_pipe_is_opened_with_the_rights_it_needs(void **state)
{
    (void)state;
    enum { VALUES = 4096 };
    static uint32_t before[VALUES], after[VALUES];
    size_t found = 0;
    for (uintptr_t i = 1; i < VALUES; i++)
        before[i] = kit_holds(GetCurrentProcessId(), 4 * i);
    hbk_client *client = kit_client();
    for (uintptr_t i = 1; i < VALUES; i++) {
        after[i] = kit_holds(GetCurrentProcessId(), 4 * i);
        HANDLE handle = (HANDLE)(4 * i);
        DWORD flags = 0;
        if (before[i] || !after[i] || GetFileType(handle) != FILE_TYPE_PIPE)
            continue;
        found++;
        assert_int_equal(kit_access(handle), 0x12019B);
        assert_true(GetHandleInformation(handle, &flags));
        assert_int_equal(flags, 0); /* no child gets it */
    }
    assert_int_equal(found, 1);
    kit_close(client);
}

/* A server that was believed, and acts as its client: it may see who that is, and no more. */
static void a_server_may_identify_us_and_not_act_for_us(void **state)
{
    (void)state;
    if (kit_is_wine())
        kit_skip(
            "Wine's impersonation gives the server's own token, whatever the client asked for");
    const wchar_t *name = kit_pipe_name();
    HANDLE pipe =
        CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 4096, 4096, 0, NULL);
    assert_true(pipe != INVALID_HANDLE_VALUE);
    hbk_open_options options = {.size = sizeof options, .pipe = name, .flags = HBK_OPEN_UNVERIFIED};
    hbk_client *client = NULL;
    HANDLE token = NULL;
    SECURITY_IMPERSONATION_LEVEL level = SecurityAnonymous;
    char bytes[4096];
    DWORD size = 0;
    options.connect_timeout_ms = 200;
    /* The hello stays in the pipe when the client has given up. */
    assert_int_equal(hbk_open(&options, &client, NULL), HBK_TIMEOUT);
    assert_true(ReadFile(pipe, bytes, sizeof bytes, &size, NULL) && size > 0);
    assert_true(ImpersonateNamedPipeClient(pipe));
    BOOL opened = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token);
    RevertToSelf();
    assert_true(opened);
    assert_true(GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof level, &size));
    assert_int_equal(level, SecurityIdentification);
    CloseHandle(token);
    CloseHandle(pipe);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(whatever_a_fake_server_does),
        KIT_TEST(a_protected_name_with_another_process),
        KIT_TEST(names_that_are_not_what_they_look_like),
        KIT_TEST(the_pipe_is_opened_with_the_rights_it_needs),
        KIT_TEST(a_server_may_identify_us_and_not_act_for_us),
    };
    return cmocka_run_group_tests_name("trust", tests, kit_group_service, kit_group_end);
}

int main(int argc, char **argv)
{
    return kit_main(argc, argv, group);
}
