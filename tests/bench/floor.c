/* The floor: what a hand-off costs at least. Bare blocking C, with the hops and the handle calls of
 * the product and nothing else: no JSON, no checks, no waiting for more than one thing, no
 * allocation.
 *
 *     bench_floor relay ID     waits for S and T at two pipes, then relays until S is gone
 *     bench_floor target ID    T, until the relay is gone
 *
 * As fast as it can be within its definition (design of the figures: S writes 256 bytes; the relay
 * duplicates S -> itself -> T, closes its own, writes 256 bytes to T and 128 to S; T signals the
 * event that it was given and closes it; S waits for answer and signal):
 * - the second DuplicateHandle also closes the relay's own handle, which saves a call;
 * - process handles are opened once;
 * - the relay writes to T first, for T has the longer way to go;
 * - T signals before it closes;
 * - requests that are in a pipe together are read, passed on and answered together;
 * - S waits for the signal before it reads the answer (floor_source.c).
 * Tried and no faster: overlapped pipes with an event a read; one wait of S for both; answering S
 * before T. Not tried, for they are no longer the same hops: shared memory, doorbell events beside
 * the pipes, message pipes with TransactNamedPipe. */
#include "bench.h"
#include "floor_message.h"

#include <stdlib.h>
#include <string.h>

static struct floor_request requests[BENCH_OUTSTANDING];
static struct floor_answer answers[BENCH_OUTSTANDING];

static HANDLE listen_at(const wchar_t *stem, const wchar_t *id)
{
    wchar_t name[128];
    swprintf(name, sizeof name / sizeof name[0], L"%ls%ls", stem, id);
    HANDLE pipe =
        CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE,
                         PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, 1, 65536, 65536, 0, NULL);
    bench_check(pipe != INVALID_HANDLE_VALUE, "CreateNamedPipe");
    return pipe;
}

/* Waits for the peer of @pipe. Return: a handle to its process. */
static HANDLE accept_peer(HANDLE pipe)
{
    if (!ConnectNamedPipe(pipe, NULL)) {
        DWORD error = GetLastError();
        if (error != ERROR_PIPE_CONNECTED) {
            bench_fail(error, "ConnectNamedPipe failed");
        }
    }
    ULONG pid = 0;
    bench_check(GetNamedPipeClientProcessId(pipe, &pid), "GetNamedPipeClientProcessId");
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid);
    bench_check(process != NULL, "OpenProcess");
    return process;
}

/* Return: the value in the target. */
static uint64_t hand_over(HANDLE source_process, uint64_t handle, HANDLE target_process)
{
    HANDLE self = GetCurrentProcess();
    HANDLE own = NULL;
    HANDLE placed = NULL;
    bench_check(DuplicateHandle(source_process, (HANDLE)(uintptr_t)handle, self, &own, 0, FALSE,
                                DUPLICATE_SAME_ACCESS),
                "DuplicateHandle from the source");
    bench_check(DuplicateHandle(self, own, target_process, &placed, 0, FALSE,
                                DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE),
                "DuplicateHandle to the target");
    return (uintptr_t)placed;
}

static void run_relay(const wchar_t *id)
{
    HANDLE source = listen_at(FLOOR_PIPE_SOURCE, id);
    HANDLE target = listen_at(FLOOR_PIPE_TARGET, id);
    HANDLE source_process = accept_peer(source);
    HANDLE target_process = accept_peer(target);
    bench_mark("thread relay");
    size_t capacity = BENCH_OUTSTANDING;
    size_t count;
    while ((count = bench_read(source, requests, sizeof requests[0], capacity)) > 0) {
        for (size_t i = 0; i < count; i++) {
            if (requests[i].kind == FLOOR_CAPACITY) {
                capacity = requests[i].slot;
            } else {
                requests[i].handle = hand_over(source_process, requests[i].handle, target_process);
            }
            answers[i].slot = requests[i].slot;
            answers[i].handle = requests[i].handle;
        }
        bench_write(target, requests, count * sizeof requests[0]);
        bench_write(source, answers, count * sizeof answers[0]);
    }
}

static HANDLE connect_to(const wchar_t *stem, const wchar_t *id)
{
    wchar_t name[128];
    swprintf(name, sizeof name / sizeof name[0], L"%ls%ls", stem, id);
    HANDLE pipe = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    bench_check(pipe != INVALID_HANDLE_VALUE, "CreateFile of the relay's pipe");
    return pipe;
}

static void run_target(const wchar_t *id)
{
    HANDLE signal = NULL;
    HANDLE pipe = connect_to(FLOOR_PIPE_TARGET, id);
    bench_mark("thread floor target");
    size_t capacity = BENCH_OUTSTANDING;
    size_t count;
    while ((count = bench_read(pipe, requests, sizeof requests[0], capacity)) > 0) {
        for (size_t i = 0; i < count; i++) {
            HANDLE given = (HANDLE)(uintptr_t)requests[i].handle;
            switch (requests[i].kind) {
            case FLOOR_CAPACITY:
                capacity = requests[i].slot;
                break;
            case FLOOR_SETUP:
                signal = given;
                break;
            case FLOOR_FILE:
                bench_check_file(given);
                bench_check(SetEvent(signal), "SetEvent");
                bench_check(CloseHandle(given), "CloseHandle");
                break;
            default:
                bench_check(SetEvent(given), "SetEvent");
                bench_check(CloseHandle(given), "CloseHandle");
                break;
            }
        }
    }
}

int main(int argc, char **argv)
{
    wchar_t id[32];
    if (argc != 3) {
        bench_fail(0, "usage: bench_floor relay|target ID");
    }
    swprintf(id, sizeof id / sizeof id[0], L"%hs", argv[2]);
    if (strcmp(argv[1], "relay") == 0) {
        run_relay(id);
    } else if (strcmp(argv[1], "target") == 0) {
        run_target(id);
    } else {
        bench_fail(0, "no such role: %s", argv[1]);
    }
    return 0;
}
