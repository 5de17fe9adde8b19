/* What the broker does with handles: duplicate in, look at, duplicate out, close. Every call
 * that takes a value of another process is behind hbk_handles_is_real(), because pseudo-handles mean the
 * wrong process here: -1 would be the source process itself, -2 the broker's own thread. */
#include "parts.h"

#include <stdlib.h>
#include <string.h>
#include <winternl.h>

typedef BOOL(WINAPI *compare_function)(HANDLE first, HANDLE second);

/* No import library of every supported compiler has it. */
static compare_function compare_object_handles;

uint32_t hbk_handles_init(void)
{
    HMODULE module = GetModuleHandleW(L"kernelbase.dll");
    if (module == NULL) {
        return GetLastError();
    }
    FARPROC function = GetProcAddress(module, "CompareObjectHandles");
    if (function == NULL) {
        return GetLastError();
    }
    memcpy(&compare_object_handles, &function, sizeof(compare_object_handles));
    return 0;
}

bool hbk_handles_is_real(uint64_t value)
{
    return value >= HBK_HANDLE_MIN && value <= HBK_HANDLE_MAX && value % 4 == 0;
}

static HANDLE to_handle(uint64_t value)
{
    HBK_ASSERT(hbk_handles_is_real(value));
    return (HANDLE)(uintptr_t)value;
}

bool hbk_handles_has_ended(HANDLE process)
{
    DWORD code = STILL_ACTIVE;
    return WaitForSingleObject(process, 0) == WAIT_OBJECT_0 ||
           (GetExitCodeProcess(process, &code) && code != STILL_ACTIVE);
}

int hbk_handles_fail(struct hbk_failure *ret_failure, int32_t code, uint32_t win32,
                     const char *detail)
{
    *ret_failure = (struct hbk_failure){.code = code, .win32 = win32, .detail = detail};
    return HBK_PLATFORM_FAILED;
}

int hbk_handles_pin(void *party, uint32_t handle, hbk_pin *ret_pin, struct hbk_failure *ret_failure)
{
    struct hbk_win_party *from = party;
    struct hbk_workers *workers = from->win->workers;
    HANDLE pin = NULL;

    if (!hbk_handles_is_real(handle)) {
        return hbk_handles_fail(ret_failure, HBK_R_BAD_HANDLE, 0,
                                "a pseudo-handle or no handle at all");
    }
    if (hbk_workers_reserve(workers) != 0) {
        return hbk_handles_fail(ret_failure, HBK_R_OS_ERROR, ERROR_NOT_ENOUGH_MEMORY,
                                "the broker is out of memory");
    }
    if (!DuplicateHandle(from->process, to_handle(handle), GetCurrentProcess(), &pin, 0, FALSE,
                         DUPLICATE_SAME_ACCESS)) {
        uint32_t error = GetLastError();
        hbk_workers_unreserve(workers);
        if (hbk_handles_has_ended(from->process)) {
            return hbk_handles_fail(ret_failure, HBK_R_TARGET_GONE, error,
                                    "the process that has the handle has ended");
        }
        if (error == ERROR_INVALID_HANDLE) {
            return hbk_handles_fail(ret_failure, HBK_R_BAD_HANDLE, error, NULL);
        }
        return hbk_handles_fail(ret_failure, HBK_R_OS_ERROR, error,
                                "Windows did not duplicate the handle");
    }
    HBK_ASSERT(hbk_handles_is_real((uintptr_t)pin));
    *ret_pin = (uintptr_t)pin;
    return 0;
}

void hbk_handles_copy_type(char ret_type[HBK_TYPE_BYTES_MAX + 1], const WCHAR *name, size_t size)
{
    size_t at = 0;

    for (; at < size && at < HBK_TYPE_BYTES_MAX; at++) {
        WCHAR unit = name[at];
        ret_type[at] = '?';
        if (unit > 0x20 && unit < 0x7F && unit != '"' && unit != '\\') {
            ret_type[at] = (char)unit;
        }
    }
    ret_type[at] = '\0';
}

bool hbk_handles_same(HANDLE first, HANDLE second)
{
    return compare_object_handles(first, second) != 0;
}

int hbk_handles_inspect(void *context, hbk_pin pin, struct hbk_object *ret_object,
                        struct hbk_failure *ret_failure)
{
    (void)context;
    PUBLIC_OBJECT_BASIC_INFORMATION basic;
    /* The name follows its structure, in the same memory. */
    union {
        PUBLIC_OBJECT_TYPE_INFORMATION information;
        uint8_t bytes[1024];
    } type;

    NTSTATUS status =
        NtQueryObject(to_handle(pin), ObjectBasicInformation, &basic, sizeof(basic), NULL);
    if (status >= 0) {
        status = NtQueryObject(to_handle(pin), ObjectTypeInformation, &type, sizeof(type), NULL);
    }
    if (status < 0) {
        return hbk_handles_fail(ret_failure, HBK_R_OS_ERROR, RtlNtStatusToDosError(status),
                                "Windows did not say what the handle is");
    }
    hbk_handles_copy_type(ret_object->type, type.information.TypeName.Buffer,
                          type.information.TypeName.Length / sizeof(WCHAR));
    ret_object->access = basic.GrantedAccess;
    return 0;
}

int hbk_handles_place(void *party, hbk_pin pin, bool same, uint32_t access, bool inherit,
                      uint32_t *ret_value, struct hbk_failure *ret_failure)
{
    const struct hbk_win_party *to = party;
    HANDLE placed = NULL;

    if (!DuplicateHandle(GetCurrentProcess(), to_handle(pin), to->process, &placed,
                         same ? 0 : access, inherit, same ? DUPLICATE_SAME_ACCESS : 0)) {
        uint32_t error = GetLastError();
        if (hbk_handles_has_ended(to->process)) {
            return hbk_handles_fail(ret_failure, HBK_R_TARGET_GONE, error, NULL);
        }
        return hbk_handles_fail(ret_failure, HBK_R_OS_ERROR, error,
                                "Windows did not duplicate the handle into the target");
    }
    /* At most 2^24 handles a process: what is above is no Windows that we know. */
    HBK_ASSERT(hbk_handles_is_real((uintptr_t)placed));
    *ret_value = (uint32_t)(uintptr_t)placed;
    return 0;
}

/* Is the object at @value of @process that of @own? @options: of the look, which is a DuplicateHandle into our table;
 * @ret_other: as hbk_handles_close_there() has it, and otherwise left alone. */
static bool is_there(HANDLE process, HANDLE own, uint32_t value, DWORD options, HANDLE *ret_other)
{
    HANDLE there = NULL;

    HBK_ASSERT(hbk_handles_is_real((uintptr_t)own));
    if (!DuplicateHandle(process, to_handle(value), GetCurrentProcess(), &there, 0, FALSE,
                         DUPLICATE_SAME_ACCESS | options)) {
        return false; /* nothing is there, or the process is gone */
    }
    if (!compare_object_handles(there, own)) {
        *ret_other = there;
        return false;
    }
    /* Not its last handle, as we hold another: this cannot block. */
    CloseHandle(there);
    return true;
}

/* As hbk_handles_close_there(), but takes Windows' word for it. */
static bool close_there(HANDLE process, HANDLE own, uint32_t value, HANDLE *ret_other)
{
    *ret_other = NULL;
    /* The second into our own table rather than nowhere: not every system closes the source without a target. */
    return is_there(process, own, value, 0, ret_other) &&
           is_there(process, own, value, DUPLICATE_CLOSE_SOURCE, ret_other);
}

bool hbk_handles_close_there(HANDLE process, HANDLE own, uint32_t value, HANDLE *ret_other)
{
    /* One that its process protects from being closed stays, and Windows does not say so. */
    return close_there(process, own, value, ret_other) &&
           !is_there(process, own, value, 0, ret_other);
}

bool hbk_handles_unplace(void *party, hbk_pin pin, uint32_t value)
{
    struct hbk_win_party *to = party;
    HANDLE other = NULL;
    bool closed = hbk_handles_close_there(to->process, to_handle(pin), value, &other);

    if (other != NULL) {
        hbk_workers_close_unasked(to->win->workers, to->closer, other);
    }
    return closed;
}

struct hbk_closer *hbk_handles_closer_ref(void *connection)
{
    const struct hbk_win_party *party = connection;
    return hbk_workers_closer_ref(party->closer);
}

void hbk_handles_closer_unref(void *context, struct hbk_closer *closer)
{
    struct hbk_win *win = context;
    hbk_workers_closer_release(win->workers, closer);
}

int hbk_handles_unpin(void *context, struct hbk_closer *closer, hbk_pin pin, bool may_block,
                      uint64_t ticket)
{
    struct hbk_win *win = context;

    if (may_block) {
        hbk_workers_close(win->workers, closer, to_handle(pin), ticket);
        return HBK_PLATFORM_PENDING;
    }
    BOOL closed = CloseHandle(to_handle(pin));
    HBK_ASSERT(closed);
    hbk_workers_unreserve(win->workers);
    return 0;
}

int hbk_handles_proof_open(void *context, uint32_t *ret_value, struct hbk_failure *ret_failure)
{
    struct hbk_connection *connection = context;

    HBK_ASSERT(connection->proof == NULL);
    HANDLE proof = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (proof == NULL) {
        return hbk_handles_fail(ret_failure, HBK_R_OS_ERROR, GetLastError(),
                                "no event could be made");
    }
    int result = hbk_handles_place(connection, (uintptr_t)proof, false, EVENT_MODIFY_STATE, false,
                                   ret_value, ret_failure);
    if (result != 0) {
        CloseHandle(proof);
        return result;
    }
    connection->proof = proof;
    connection->proof_value = *ret_value;
    return 0;
}

bool hbk_handles_proof_is_set(void *context)
{
    struct hbk_connection *connection = context;
    return connection->proof != NULL && WaitForSingleObject(connection->proof, 0) == WAIT_OBJECT_0;
}

/* A proof on its way out, with handles of its own: the connection may be gone before it. */
struct proof_close {
    HANDLE process;
    HANDLE own;
    uint32_t value;
};

static void close_proof(void *argument)
{
    struct proof_close *proof = argument;
    HANDLE other = NULL;

    (void)close_there(proof->process, proof->own, proof->value, &other);
    if (other != NULL) {
        CloseHandle(other);
    }
    CloseHandle(proof->own);
    CloseHandle(proof->process);
    free(proof);
}

static void proof_closed(struct hbk_core *core, void *argument, uint64_t session)
{
    (void)argument; /* is free by now */
    hbk_core_proof_closed(core, session);
}

int hbk_handles_proof_close(void *context)
{
    struct hbk_connection *connection = context;
    struct hbk_win_party *party = &connection->party;
    struct proof_close *proof = NULL;
    HANDLE other = NULL;

    if (connection->proof == NULL) {
        return 0;
    }
    proof = malloc(sizeof(*proof));
    if (proof != NULL && DuplicateHandle(GetCurrentProcess(), party->process, GetCurrentProcess(),
                                         &proof->process, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        proof->own = connection->proof;
        proof->value = connection->proof_value;
        connection->proof = NULL;
        connection->proof_value = 0;
        /* Of everything that closes a handle elsewhere this alone is done for each client, and at a time
         * that it chooses; on a worker it cannot hold up the others, however long the system takes. */
        const struct hbk_worker_call call = {close_proof, proof_closed, proof, connection->session};
        if (hbk_workers_call(party->win->workers, NULL, &call) == 0) {
            return HBK_PLATFORM_PENDING;
        }
        close_proof(proof);
        return 0;
    }
    free(proof);
    (void)close_there(party->process, connection->proof, connection->proof_value, &other);
    if (other != NULL) {
        CloseHandle(other);
    }
    CloseHandle(connection->proof);
    connection->proof = NULL;
    connection->proof_value = 0;
    return 0;
}
