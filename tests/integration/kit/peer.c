/* A steered child, seen from the test. It is told what to do over a pipe of the kit's own, of which it
 * learns on its command line: nothing is inherited, and nothing goes through the broker but what the test
 * is about. */
#include "kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

static wchar_t program[MAX_PATH]; /* empty: this one */

bool kit_is_wow64(HANDLE process)
{
    BOOL wow64 = FALSE;
    assert_true(IsWow64Process(process, &wow64));
    return wow64;
}

void kit_peer_program(const char *name)
{
    wchar_t wide[MAX_PATH];
    assert_true(swprintf(wide, MAX_PATH, L"%hs", name) > 0);
    (void)swprintf(program, MAX_PATH, L"%ls", kit_tool(wide));
}

static bool finish(struct kit_peer *peer, OVERLAPPED *overlapped, BOOL done, uint32_t timeout_ms,
                   DWORD expected)
{
    DWORD size = 0;
    if (!done && GetLastError() != ERROR_IO_PENDING && GetLastError() != ERROR_PIPE_CONNECTED)
        return false;
    if (!done && GetLastError() == ERROR_IO_PENDING) {
        /* A child that has died is seen at once, and not only by its silence. */
        HANDLE any[2] = {peer->event, peer->process};
        if (WaitForMultipleObjects(2, any, FALSE, timeout_ms) != WAIT_OBJECT_0 &&
            !kit_is_set(peer->event)) {
            CancelIoEx(peer->pipe, overlapped);
            GetOverlappedResult(peer->pipe, overlapped, &size, TRUE);
            return false;
        }
    }
    return GetOverlappedResult(peer->pipe, overlapped, &size, TRUE) ? size == expected
                                                                    : expected == 0;
}

/* Whoever runs as somebody else must get at the pipe too. */
#define PIPE_SDDL L"D:(A;;GA;;;WD)(A;;GA;;;RC)S:(ML;;NW;;;LW)"

static void start(struct kit_peer *peer, bool heir, HANDLE token)
{
    wchar_t line[MAX_PATH + 128];
    const wchar_t *name = kit_pipe_name();
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
    if (token != NULL)
        attributes.lpSecurityDescriptor = kit_descriptor(PIPE_SDDL);
    memset(peer, 0, sizeof *peer);
    peer->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    peer->pipe = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                  PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, 1, sizeof peer->reply,
                                  sizeof peer->call, 0, &attributes);
    LocalFree(attributes.lpSecurityDescriptor);
    assert_true(peer->pipe != INVALID_HANDLE_VALUE && peer->event != NULL);
    wchar_t self[MAX_PATH];
    assert_true(GetModuleFileNameW(NULL, self, MAX_PATH) < MAX_PATH);
    (void)swprintf(line, sizeof line / sizeof *line, L"\"%ls\" --peer %ls",
                   program[0] != L'\0' ? program : self, name);
    peer->process =
        heir ? kit_spawn_heir(line, 0, &peer->pid) : kit_spawn_as(token, line, 0, &peer->pid);
    OVERLAPPED overlapped = {.hEvent = peer->event};
    BOOL done = ConnectNamedPipe(peer->pipe, &overlapped);
    if (!finish(peer, &overlapped, done, KIT_WAIT_MS, 0))
        fail_msg("%s", "a child did not come up");
    /* Or what is to be about two kinds of programs would be about one. */
    if (program[0] != L'\0')
        assert_int_not_equal(kit_is_wow64(peer->process), kit_is_wow64(GetCurrentProcess()));
}

void kit_peer_start(struct kit_peer *peer)
{
    start(peer, false, NULL);
}

void kit_peer_start_heir(struct kit_peer *peer)
{
    start(peer, true, NULL);
}

void kit_peer_start_as(struct kit_peer *peer, uint32_t less)
{
    HANDLE token = less != 0 ? kit_token(less) : NULL;
    start(peer, false, token);
    if (token != NULL)
        CloseHandle(token);
}

void kit_peer_begin(struct kit_peer *peer)
{
    OVERLAPPED overlapped = {.hEvent = peer->event};
    BOOL done = WriteFile(peer->pipe, &peer->call, sizeof peer->call, NULL, &overlapped);
    if (!finish(peer, &overlapped, done, KIT_WAIT_MS, sizeof peer->call))
        fail_msg("%s", "a child does not listen");
    memset(&peer->call, 0, sizeof peer->call);
}

bool kit_peer_end(struct kit_peer *peer, uint32_t timeout_ms)
{
    OVERLAPPED overlapped = {.hEvent = peer->event};
    BOOL done = ReadFile(peer->pipe, &peer->reply, sizeof peer->reply, NULL, &overlapped);
    return finish(peer, &overlapped, done, timeout_ms, sizeof peer->reply);
}

int kit_peer_do(struct kit_peer *peer, enum kit_op op, uint64_t a0, uint64_t a1, const char *text)
{
    peer->call.op = op;
    peer->call.a[0] = a0;
    peer->call.a[1] = a1;
    if (text != NULL)
        (void)snprintf(peer->call.text, sizeof peer->call.text, "%s", text);
    kit_peer_begin(peer);
    if (!kit_peer_end(peer, 3 * KIT_WAIT_MS))
        fail_msg("a child did not answer (operation %d)", (int)op);
    return peer->reply.result != 0 ? peer->reply.result : (int)peer->reply.win32;
}

static void leave(struct kit_peer *peer)
{
    CloseHandle(peer->pipe);
    CloseHandle(peer->event);
    kit_forget(peer->process);
    memset(peer, 0, sizeof *peer);
}

void kit_peer_kill(struct kit_peer *peer)
{
    assert_true(TerminateProcess(peer->process, 9));
    kit_wait_exit(peer->process, KIT_WAIT_MS);
    leave(peer);
}

void kit_peer_stop(struct kit_peer *peer)
{
    peer->call.op = KIT_OP_EXIT;
    kit_peer_begin(peer);
    assert_int_equal(kit_wait_exit(peer->process, KIT_WAIT_MS), 0);
    leave(peer);
}

static void name_broker(struct kit_peer *peer, const struct kit_broker *broker)
{
    if (broker->pipe != NULL)
        (void)swprintf(peer->call.path, sizeof peer->call.path / sizeof *peer->call.path, L"%ls",
                       broker->pipe);
}

void kit_peer_open(struct kit_peer *peer)
{
    kit_peer_start(peer);
    name_broker(peer, kit_broker());
    if (kit_peer_do(peer, KIT_OP_OPEN, 0, 0, NULL) != HBK_OK)
        fail_msg("hbk_open in a child: %s", peer->reply.error.detail);
}

void kit_peer_raw_open(struct kit_peer *peer)
{
    kit_peer_start(peer);
    name_broker(peer, kit_broker());
    assert_int_equal(kit_peer_do(peer, KIT_OP_RAW_OPEN, 0, 0, NULL), 0);
}

void kit_peer_listen(struct kit_peer *peer, const char *name, uint32_t flags)
{
    kit_peer_open(peer);
    (void)snprintf(peer->call.name, sizeof peer->call.name, "%s", name);
    if (kit_peer_do(peer, KIT_OP_ENDPOINT, flags, 0, NULL) != HBK_OK)
        fail_msg("hbk_endpoint_open in a child: %s", peer->reply.error.detail);
}

void kit_peer_send_begin(struct kit_peer *peer, const char *name, uint32_t count, uint32_t wait_ms,
                         uint32_t timeout_ms)
{
    (void)snprintf(peer->call.name, sizeof peer->call.name, "%s", name);
    peer->call.op = KIT_OP_SEND;
    peer->call.count = count;
    peer->call.a[0] = wait_ms;
    peer->call.a[1] = timeout_ms;
    kit_peer_begin(peer);
}

static void say(struct kit_peer *peer, const char *format, va_list values)
{
    char line[sizeof peer->call.text];
    int size = vsnprintf(line, sizeof line - 1, format, values);
    assert_true(size >= 0 && (size_t)size < sizeof line - 2);
    line[size] = '\n';
    line[size + 1] = '\0';
    assert_int_equal(kit_peer_do(peer, KIT_OP_RAW_SEND, 0, 0, line), 0);
}

void kit_peer_say(struct kit_peer *peer, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    say(peer, format, values);
    va_end(values);
}

const char *kit_peer_hear(struct kit_peer *peer, uint32_t timeout_ms)
{
    return kit_peer_do(peer, KIT_OP_RAW_LINE, 0, timeout_ms, NULL) == 0 ? peer->reply.text : NULL;
}

const char *kit_peer_ask(struct kit_peer *peer, const char *format, ...)
{
    const char *line;
    va_list values;
    va_start(values, format);
    say(peer, format, values);
    va_end(values);
    do {
        line = kit_peer_hear(peer, KIT_WAIT_MS);
        if (line == NULL)
            fail_msg("no answer, error %lu", (unsigned long)peer->reply.win32);
    } while (strstr(line, "\"method\":") != NULL);
    return line;
}

void kit_peer_raw_as(struct kit_peer *peer, uint32_t less)
{
    int64_t proof = 0;
    kit_peer_start_as(peer, less);
    name_broker(peer, kit_broker());
    assert_int_equal(kit_peer_do(peer, KIT_OP_RAW_OPEN, 0, 0, NULL), 0);
    const char *line = kit_peer_ask(peer, "%s", KIT_HELLO);
    kit_line_is_result(line, "1");
    assert_true(kit_json_number(line, "proof", &proof));
    assert_true(kit_json_number(line, "session", &peer->session));
    assert_int_equal(kit_peer_do(peer, KIT_OP_SET_EVENT, (uint64_t)proof, 0, NULL), 0);
    kit_line_is_result(kit_peer_ask(peer, "%s", KIT_PROVE), "2");
}

void kit_peer_quiet(struct kit_peer *peer)
{
    assert_int_equal(kit_peer_do(peer, KIT_OP_RECEIVE, KIT_QUIET_MS, 0, NULL), HBK_TIMEOUT);
}
