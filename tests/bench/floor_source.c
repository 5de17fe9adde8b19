/* S's half of the floor. Each hand-off ends when S has seen T's signal and has read the relay's
 * answer.
 *
 * S waits for the signal first: by then the answer is in the pipe, and reading what is there is
 * cheaper than waiting for it. A program that wants to learn of failures cannot do so (no signal
 * comes then), and the product's S never does, for it gets the result from hbk_send(); but the
 * floor is to be as fast as it can be. floor_plain_event() is the order that a program would
 * choose, and is printed beside. */
#include "bench.h"
#include "floor_message.h"

#include <winternl.h>

static HANDLE relay_pipe;
static HANDLE file_signal;

/* Opens the relay's pipe @stem, or only waits until it is there. */
static HANDLE find_pipe(const wchar_t *stem, int open)
{
    wchar_t name[128];
    swprintf(name, sizeof name / sizeof name[0], L"%ls%lu", stem, GetCurrentProcessId());
    for (int64_t start = bench_ticks();;) {
        if (WaitNamedPipeW(name, 1000)) {
            if (!open) {
                return NULL;
            }
            HANDLE pipe =
                CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
            if (pipe != INVALID_HANDLE_VALUE) {
                return pipe;
            }
        }
        if (bench_us(bench_ticks() - start) > BENCH_WAIT_MS * 1000.0) {
            bench_fail(GetLastError(), "the floor's relay does not open its pipes");
        }
        Sleep(10);
    }
}

void floor_start(void)
{
    wchar_t arguments[64];
    swprintf(arguments, sizeof arguments / sizeof arguments[0], L"relay %lu",
             GetCurrentProcessId());
    bench_start(L"bench_floor.exe", arguments);
    relay_pipe = find_pipe(FLOOR_PIPE_SOURCE, 1);
    find_pipe(FLOOR_PIPE_TARGET, 0);
    swprintf(arguments, sizeof arguments / sizeof arguments[0], L"target %lu",
             GetCurrentProcessId());
    bench_start(L"bench_floor.exe", arguments);
}

static void write_request(enum floor_kind kind, HANDLE handle, uint32_t slot)
{
    static struct floor_request message;
    message.kind = (uint32_t)kind;
    message.slot = slot;
    message.handle = (uintptr_t)handle;
    bench_write(relay_pipe, &message, sizeof message);
}

/* Return: how many came, at least one. */
static size_t read_answers(struct floor_answer *answers, size_t capacity)
{
    size_t count = bench_read(relay_pipe, answers, sizeof *answers, capacity);
    if (count == 0) {
        bench_fail(0, "the floor's relay is gone");
    }
    return count;
}

static void read_answer(void)
{
    static struct floor_answer answer;
    read_answers(&answer, 1);
}

void floor_setup(HANDLE signal)
{
    file_signal = signal;
    write_request(FLOOR_SETUP, signal, 0);
    read_answer();
}

void floor_event(HANDLE event)
{
    write_request(FLOOR_EVENT, event, 0);
    bench_wait(event);
    read_answer();
}

void floor_plain_event(HANDLE event)
{
    write_request(FLOOR_EVENT, event, 0);
    read_answer();
    bench_wait(event);
}

void floor_file(HANDLE file)
{
    write_request(FLOOR_FILE, file, 0);
    bench_wait(file_signal);
    read_answer();
}

static void set_capacity(uint32_t capacity)
{
    write_request(FLOOR_CAPACITY, NULL, capacity);
    read_answer();
}

int64_t floor_outstanding(const HANDLE events[BENCH_OUTSTANDING], size_t count, int together)
{
    static struct floor_request messages[BENCH_OUTSTANDING];
    static struct floor_answer answers[BENCH_OUTSTANDING];
    HANDLE signals[BENCH_OUTSTANDING];
    size_t capacity = together ? BENCH_OUTSTANDING : 1;
    set_capacity((uint32_t)capacity);
    int64_t start = bench_ticks();
    for (uint32_t i = 0; i < BENCH_OUTSTANDING; i++) {
        messages[i].kind = FLOOR_EVENT;
        messages[i].handle = (uintptr_t)events[i];
        messages[i].slot = i;
    }
    bench_write(relay_pipe, messages, sizeof messages);
    size_t begun = BENCH_OUTSTANDING;
    for (size_t ended = 0; ended < count;) {
        size_t answered = read_answers(answers, capacity);
        for (size_t i = 0; i < answered; i++) {
            signals[i] = events[answers[i].slot];
        }
        if (WaitForMultipleObjects((DWORD)answered, signals, TRUE, BENCH_WAIT_MS) >= answered) {
            bench_fail(GetLastError(), "the floor's target does not signal");
        }
        ended += answered;
        size_t next = 0;
        for (; next < answered && begun < count; next++, begun++) {
            messages[next].handle = (uintptr_t)signals[next];
            messages[next].slot = answers[next].slot;
        }
        if (next > 0) {
            bench_write(relay_pipe, messages, next * sizeof messages[0]);
        }
    }
    return bench_ticks() - start;
}

static void bare_calls(HANDLE process, HANDLE event)
{
    union {
        PUBLIC_OBJECT_TYPE_INFORMATION type;
        PUBLIC_OBJECT_BASIC_INFORMATION basic;
        uint8_t room[512];
    } information;
    HANDLE pin = NULL;
    HANDLE placed = NULL;
    ULONG size = 0;
    bench_check(DuplicateHandle(process, event, process, &pin, 0, FALSE, DUPLICATE_SAME_ACCESS),
                "DuplicateHandle");
    if (NtQueryObject(pin, ObjectTypeInformation, &information, sizeof information, &size) < 0 ||
        NtQueryObject(pin, ObjectBasicInformation, &information.basic, sizeof information.basic,
                      &size) < 0) {
        bench_fail(0, "NtQueryObject failed");
    }
    bench_check(DuplicateHandle(process, pin, process, &placed, 0, FALSE, DUPLICATE_SAME_ACCESS),
                "DuplicateHandle");
    bench_check(CloseHandle(placed) && CloseHandle(pin), "CloseHandle");
}

int64_t floor_batch(const HANDLE events[BENCH_BATCH])
{
    /* A real handle, as a broker has of other processes: a pseudo-handle would need no look-up. */
    static HANDLE self;
    if (self == NULL) {
        self = OpenProcess(PROCESS_DUP_HANDLE, FALSE, GetCurrentProcessId());
        bench_check(self != NULL, "OpenProcess");
    }
    int64_t start = bench_ticks();
    for (size_t i = 0; i < BENCH_BATCH; i++) {
        bare_calls(self, events[i]);
    }
    return bench_ticks() - start;
}
