/* Sockets. A process cannot use a bare duplicate of another's: Winsock keeps state of its own beside the handle. So
 * Winsock is asked, over what the broker has pinned, for what the target makes a socket of its own from; nothing that
 * a client has sent is ever parsed here.
 *
 * Winsock asks the driver behind the handle, which may be any that the sender could open, and may let us wait for as
 * long as it likes: on a worker, therefore, at the cost of the sender's user. */
#include <winsock2.h>

#include "parts.h"

#include <stdlib.h>
#include <string.h>
#include <wincrypt.h>

enum {
    WANTED_VERSION = MAKEWORD(2, 2),
    RESERVED = 4, /* fields of the information that may have the value in the target */
};

struct made_socket {
    hbk_pin pin;
    uint32_t reserved[RESERVED];
    char info[HBK_PROTOCOL_INFO_BYTES_MAX + 1];
};

struct hbk_sockets {
    struct hbk_win *win;
    struct hbk_closer *closer;
    HANDLE process;
    uint32_t pid; /* of no other while `process` is open */
    bool making;
    bool failed;
    struct hbk_failure failure;
    size_t item; /* that failed */
    size_t left; /* of those made before it: could not be taken back */
    size_t count;
    struct made_socket *sockets;
};

uint32_t hbk_sockets_init(void)
{
    static bool started;
    WSADATA data;

    if (started) {
        return 0;
    }
    /* Until the process ends: a worker that is stuck may still be in it. */
    int error = WSAStartup(WANTED_VERSION, &data);
    if (error != 0) {
        return (uint32_t)error;
    }
    started = data.wVersion == WANTED_VERSION;
    return started ? 0 : WSAVERNOTSUPPORTED;
}

/* ---- on a worker ---- */

/* Closes @own, which Winsock may have made a socket of: by CloseHandle() it would go on taking the next handle with
 * that value for the same socket. What it has closed may be another's by now, so it is told twice only where it is
 * known to have closed nothing: of what is no socket, or would have to wait for its data to be sent. */
static void close_own(HANDLE own)
{
    if (closesocket((SOCKET)(uintptr_t)own) == 0) {
        return;
    }
    int error = WSAGetLastError();
    if (error == WSAENOTSOCK || error == WSAEWOULDBLOCK) {
        // cppcheck-suppress doubleFree ; it has closed nothing then
        CloseHandle(own);
    }
}

/* Return: 0, or the Windows error. */
static uint32_t make_one(struct made_socket *one, uint32_t pid)
{
    uint32_t error = 0;
    HANDLE own = NULL;
    WSAPROTOCOL_INFOW info;
    DWORD size = sizeof(one->info);

    HBK_ASSERT(hbk_handles_is_real(one->pin));
    /* The pin itself is not shown to Winsock, which would have to be told of its end. */
    if (!DuplicateHandle(GetCurrentProcess(), (HANDLE)(uintptr_t)one->pin, GetCurrentProcess(),
                         &own, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        return GetLastError();
    }
    memset(&info, 0, sizeof(info));
    if (WSADuplicateSocketW((SOCKET)(uintptr_t)own, pid, &info) != 0) {
        error = (uint32_t)WSAGetLastError();
    }
    close_own(own);
    if (error != 0) {
        return error;
    }
    /* The value in the target is in one of those that are reserved. Windows' documentation for providers names the first
     * for it; Wine's has it in the third. What the others mean is documented, and none of them can be it. */
    one->reserved[0] = info.dwProviderReserved;
    one->reserved[1] = info.dwServiceFlags2;
    one->reserved[2] = info.dwServiceFlags3;
    one->reserved[3] = info.dwServiceFlags4;
    BOOL encoded =
        CryptBinaryToStringA((const BYTE *)&info, sizeof(info),
                             CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF, one->info, &size);
    HBK_ASSERT(encoded); /* there is room for it */
    return 0;
}

/* As hbk_sockets_undo(). @ret_others: each NULL, or a handle of ours to something else that was at such a value. */
static bool take_back(const struct hbk_sockets *sockets, size_t index, hbk_pin pin,
                      HANDLE ret_others[RESERVED])
{
    const struct made_socket *one = &sockets->sockets[index];
    bool closed = false;

    for (size_t i = 0; i < RESERVED; i++) {
        ret_others[i] = NULL;
        if (!closed && hbk_handles_is_real(one->reserved[i])) {
            closed = hbk_handles_close_there(sockets->process, (HANDLE)(uintptr_t)pin,
                                             one->reserved[i], &ret_others[i]);
        }
    }
    return closed || hbk_handles_has_ended(sockets->process);
}

/* Return: how many could not be. */
static size_t take_back_all(const struct hbk_sockets *sockets, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        HANDLE others[RESERVED];
        left += !take_back(sockets, i, sockets->sockets[i].pin, others);
        for (size_t j = 0; j < RESERVED; j++) {
            if (others[j] != NULL) {
                CloseHandle(others[j]);
            }
        }
    }
    return left;
}

/* Did the driver behind the handle, or Winsock before it, not know what a socket is? */
static bool is_no_socket(uint32_t error)
{
    return error == WSAENOTSOCK || error == WSAEOPNOTSUPP;
}

static void make_all(void *argument)
{
    struct hbk_sockets *sockets = argument;
    uint32_t error = 0;
    size_t made = 0;

    while (made < sockets->count && error == 0) {
        error = make_one(&sockets->sockets[made], sockets->pid);
        made += error == 0;
    }
    /* Not every system says so when it makes one for a process that is no more. */
    if (hbk_handles_has_ended(sockets->process)) {
        hbk_handles_fail(&sockets->failure, HBK_R_TARGET_GONE, error, NULL);
    } else if (is_no_socket(error)) {
        hbk_handles_fail(&sockets->failure, HBK_R_TYPE_MISMATCH, error,
                         "this is no socket: send it under its own type");
    } else if (error != 0) {
        hbk_handles_fail(&sockets->failure, HBK_R_OS_ERROR, error,
                         "Winsock did not make the socket for the target");
    } else {
        return;
    }
    sockets->failed = true;
    sockets->item = made < sockets->count ? made : 0;
    sockets->left = take_back_all(sockets, made);
}

/* ---- on the broker's thread ---- */

static void made_all(struct hbk_core *core, void *argument, uint64_t ticket)
{
    struct hbk_sockets *sockets = argument;
    /* The core may free them before it returns. */
    const struct hbk_failure failure = sockets->failure;
    const bool failed = sockets->failed;
    const size_t item = sockets->item;

    for (size_t i = 0; i < sockets->left; i++) {
        hbk_notes_add(&sockets->win->notes, HBK_WIN_NOTE_SOCKET, sockets->pid, 0,
                      "made for a process that was not told of it, and could not be taken back");
    }
    sockets->making = false;
    hbk_core_sockets_made(core, ticket, failed ? &failure : NULL, item);
}

int hbk_sockets_make(void *party, struct hbk_closer *closer, const hbk_pin *pins, size_t count,
                     uint64_t ticket, struct hbk_sockets **ret_sockets,
                     struct hbk_failure *ret_failure)
{
    const struct hbk_win_party *to = party;
    struct hbk_workers *workers = to->win->workers;
    struct hbk_sockets *sockets = NULL;

    HBK_ASSERT(count > 0 && count <= HBK_SOCKETS_MAX);
    sockets = calloc(1, sizeof(*sockets));
    if (sockets == NULL) {
        goto memory;
    }
    sockets->win = to->win;
    sockets->closer = hbk_workers_closer_ref(closer);
    sockets->sockets = calloc(count, sizeof(*sockets->sockets));
    if (sockets->sockets == NULL) {
        goto memory;
    }
    sockets->pid = to->pid;
    sockets->count = count;
    for (size_t i = 0; i < count; i++) {
        sockets->sockets[i].pin = pins[i];
    }
    /* Its own: the party may be gone before it. */
    if (!DuplicateHandle(GetCurrentProcess(), to->process, GetCurrentProcess(), &sockets->process,
                         0, FALSE, DUPLICATE_SAME_ACCESS)) {
        sockets->process = NULL;
        goto memory;
    }
    sockets->making = true;
    const struct hbk_worker_call call = {make_all, made_all, sockets, ticket};
    if (hbk_workers_call(workers, closer, &call) != 0) {
        sockets->making = false;
        goto memory;
    }
    *ret_sockets = sockets;
    return HBK_PLATFORM_PENDING;
memory:
    hbk_sockets_free(sockets);
    return hbk_handles_fail(ret_failure, HBK_R_OS_ERROR, ERROR_NOT_ENOUGH_MEMORY,
                            "the broker is out of memory or handles");
}

const char *hbk_sockets_info(const struct hbk_sockets *sockets, size_t index)
{
    HBK_ASSERT(!sockets->making && !sockets->failed && index < sockets->count);
    return sockets->sockets[index].info;
}

bool hbk_sockets_undo(struct hbk_sockets *sockets, size_t index, hbk_pin pin)
{
    HANDLE others[RESERVED];

    HBK_ASSERT(!sockets->making && !sockets->failed && index < sockets->count);
    HBK_ASSERT(hbk_handles_is_real(pin));
    bool taken = take_back(sockets, index, pin, others);
    for (size_t i = 0; i < RESERVED; i++) {
        if (others[i] != NULL) {
            hbk_workers_close_unasked(sockets->win->workers, sockets->closer, others[i]);
        }
    }
    return taken;
}

void hbk_sockets_free(struct hbk_sockets *sockets)
{
    if (sockets == NULL) {
        return;
    }
    HBK_ASSERT(!sockets->making);
    hbk_workers_closer_release(sockets->win->workers, sockets->closer);
    if (sockets->process != NULL) {
        CloseHandle(sockets->process);
    }
    free(sockets->sockets);
    free(sockets);
}
