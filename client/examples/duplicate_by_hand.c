/* The job of catalyst.c without the broker, on bare Win32: C duplicates S's event into T and tells T. It
 * works. Each comment that begins with a number says what can go wrong at that place, and what the
 * broker does about it.
 *
 *     duplicate_by_hand        C, which starts the two others
 *
 * Exit code 0 only if T was told, signalled the event, and S saw it. */
#include "example.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1. A protocol of one's own. Handle values are passed as numbers, and what they mean hangs on who
 *    reads them. Both programs must be built with the same idea of this struct, and no version says
 *    so. The broker's protocol is written down, versioned, strict, and has a client library. */
struct message {
    ULONG64 value; /* S to C: in S's table; C to T: in T's table */
};

/* 2. A name. Whoever makes the pipe first is C: another program can wait there and be handed
 *    everything. The broker's pipe has a name that only administrators can make, and the library
 *    checks that the installed service is behind it. */
static void pipe_name(wchar_t *ret_name, size_t size, DWORD catalyst)
{
    swprintf(ret_name, size, L"\\\\.\\pipe\\duplicate-by-hand-%lu", (unsigned long)catalyst);
}

/* For S and T: connect to C. */
static HANDLE call(DWORD catalyst)
{
    wchar_t name[64];

    pipe_name(name, 64, catalyst);
    if (!WaitNamedPipeW(name, EXAMPLE_WAIT_MS))
        return INVALID_HANDLE_VALUE;
    /* 3. Without these flags the server of the pipe may act in our name. The library sets them. */
    return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                       SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
}

static bool run_source(DWORD catalyst)
{
    struct message message = {0};
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL), pipe = INVALID_HANDLE_VALUE;
    DWORD size = 0;
    bool good = false;

    example_begin("S");
    if (event == NULL)
        return example_failed("CreateEvent", GetLastError());
    pipe = call(catalyst);
    if (pipe == INVALID_HANDLE_VALUE) {
        example_failed("CreateFile of the pipe", GetLastError());
        goto out;
    }
    message.value = (ULONG64)(uintptr_t)event;
    if (!WriteFile(pipe, &message, sizeof message, &size, NULL)) {
        example_failed("WriteFile", GetLastError());
        goto out;
    }
    /* 4. S must keep this handle open, at this value, until C has duplicated it; but nobody tells S
     *    when that is. Closed too early, the value may by then be another object, and T gets that.
     *    hbk_send() returns when it is done; what was checked by then is what is delivered. */
    good = example_check(WaitForSingleObject(event, EXAMPLE_WAIT_MS) == WAIT_OBJECT_0,
                         "somebody has signalled my event");
out:
    if (pipe != INVALID_HANDLE_VALUE)
        CloseHandle(pipe);
    CloseHandle(event);
    return good;
}

static bool run_target(DWORD catalyst)
{
    struct message message = {0};
    DWORD size = 0;
    bool good = false;

    example_begin("T");
    HANDLE pipe = call(catalyst);
    if (pipe == INVALID_HANDLE_VALUE)
        return example_failed("CreateFile of the pipe", GetLastError());
    /* 5. T has not agreed to anything: not to the type, not to the rights, not to the sender. And it
     *    waits here without a bound: ReadFile() on such a pipe knows no timeout. A target of the
     *    broker says in its endpoint what it takes and from whom. */
    if (!ReadFile(pipe, &message, sizeof message, &size, NULL) || size != sizeof message) {
        example_failed("ReadFile", GetLastError());
    } else {
        /* 6. T believes the number. A wrong one is one of T's own handles: this may set or close
         *    something else. Through the broker, value, type and rights come from who placed it. */
        HANDLE event = (HANDLE)(uintptr_t)message.value;
        example_say("I have been told that I have 0x%lx", (unsigned long)message.value);
        good = example_check(SetEvent(event) != 0, "signalled");
        CloseHandle(event);
    }
    CloseHandle(pipe);
    return good;
}

/* The next one that connects. */
static HANDLE answer(HANDLE pipe, DWORD expected)
{
    ULONG pid = 0;

    /* 7. Blocks for ever if S or T ends before it connects. The broker has a deadline everywhere. */
    if (!ConnectNamedPipe(pipe, NULL) && GetLastError() != ERROR_PIPE_CONNECTED) {
        example_failed("ConnectNamedPipe", GetLastError());
        return NULL;
    }
    /* 8. Who is it? The pid is that of who opened the pipe, and may have been given to another
     *    process by now; the pipe may have been passed on. The broker has its clients prove that they
     *    are the process, and holds that process until the end. */
    if (!GetNamedPipeClientProcessId(pipe, &pid) || pid != expected) {
        example_check(false, "the process that was expected has connected");
        return NULL;
    }
    /* 9. C must be let by the descriptors of both processes: same user, same integrity, or a
     *    privilege. Programs that are strangers to each other have no such C. The broker is one, for
     *    all who agree. */
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid);
    if (process == NULL)
        example_failed("OpenProcess", GetLastError());
    return process;
}

static bool move(HANDLE source, HANDLE source_pipe, HANDLE target, HANDLE target_pipe)
{
    struct message message = {0};
    HANDLE there = NULL;
    DWORD size = 0;

    if (!ReadFile(source_pipe, &message, sizeof message, &size, NULL) || size != sizeof message)
        return example_failed("ReadFile", GetLastError());
    /* 10. The number is S's word. If it is (HANDLE)-1, T gets all rights on the process S, and -2
     *     gives one of C's own threads: famous ways out of sandboxes. The broker refuses them before
     *     any call.
     * 11. Type and rights of the object are not looked at. The mask here is not checked against what
     *     S has: an object without a descriptor gives T more than S had. The broker checks both on
     *     its own duplicate, and gives at most what S has. */
    if (!DuplicateHandle(source, (HANDLE)(uintptr_t)message.value, target, &there,
                         EVENT_MODIFY_STATE, FALSE, 0))
        return example_failed("DuplicateHandle", GetLastError());
    example_say("0x%lx of S is now 0x%lx of T", (unsigned long)message.value,
                (unsigned long)(uintptr_t)there);
    message.value = (ULONG64)(uintptr_t)there;
    /* 12. The handle is in T from here on, and T does not know. If this write fails, or T hangs, it
     *     stays there until T ends: a leak in somebody else's process. With several handles it is
     *     worse, as some arrive and some don't. What the broker could not tell it takes back, and of
     *     several all arrive or none. */
    if (!WriteFile(target_pipe, &message, sizeof message, &size, NULL)) {
        DWORD error = GetLastError();
        /* 13. ... which must not close a value that T has closed and got anew for another object. The
         *     broker compares the object first. */
        DuplicateHandle(target, there, NULL, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE);
        return example_failed("WriteFile", error);
    }
    return true;
}

static HANDLE make_pipe(void)
{
    wchar_t name[64];

    pipe_name(name, 64, GetCurrentProcessId());
    /* 14. The default descriptor lets more in than one thinks: everybody may read. */
    return CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX,
                            PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_REJECT_REMOTE_CLIENTS,
                            2, 512, 512, 0, NULL);
}

static bool run_catalyst(void)
{
    struct example_child source = {NULL, NULL, 0}, target = {NULL, NULL, 0};
    char role[64];
    HANDLE source_pipe = make_pipe(), target_pipe = INVALID_HANDLE_VALUE;
    HANDLE source_process = NULL, target_process = NULL;
    bool good = false;

    example_begin("C");
    snprintf(role, sizeof role, "source %lu", (unsigned long)GetCurrentProcessId());
    if (source_pipe == INVALID_HANDLE_VALUE || !example_start(&source, role, NULL, false))
        goto out;
    source_process = answer(source_pipe, source.pid);
    target_pipe = make_pipe();
    snprintf(role, sizeof role, "target %lu", (unsigned long)GetCurrentProcessId());
    if (source_process == NULL || target_pipe == INVALID_HANDLE_VALUE ||
        !example_start(&target, role, NULL, false))
        goto out;
    target_process = answer(target_pipe, target.pid);
    if (target_process == NULL)
        goto out;
    /* 15. And nobody can see afterwards who was given what. The broker keeps a record of each. */
    good = move(source_process, source_pipe, target_process, target_pipe);
    good = good && example_ended_well(&target);
    good = good && example_ended_well(&source);
out:
    example_kill(&target);
    example_kill(&source);
    if (source_process != NULL)
        CloseHandle(source_process);
    if (target_process != NULL)
        CloseHandle(target_process);
    if (source_pipe != INVALID_HANDLE_VALUE)
        CloseHandle(source_pipe);
    if (target_pipe != INVALID_HANDLE_VALUE)
        CloseHandle(target_pipe);
    return good;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "source") == 0)
        return run_source((DWORD)strtoul(argv[2], NULL, 10)) ? 0 : 1;
    if (argc == 3 && strcmp(argv[1], "target") == 0)
        return run_target((DWORD)strtoul(argv[2], NULL, 10)) ? 0 : 1;
    if (argc != 1) {
        fprintf(stderr, "usage: duplicate_by_hand\n");
        return 2;
    }
    return run_catalyst() ? 0 : 1;
}
