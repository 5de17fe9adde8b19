/* What the broker does with handles: duplicate in, look at, duplicate out, close. Every call
 * that takes a value of another process is behind is_real(), because pseudo-handles mean the
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

/* Neither a pseudo-handle, nor with tag bits, nor in the kernel's half. */
static bool is_real(uint64_t value)
{
    return value >= HBK_HANDLE_MIN && value <= HBK_HANDLE_MAX && value % 4 == 0;
}

static HANDLE to_handle(uint64_t value)
{
    HBK_ASSERT(is_real(value));
    return (HANDLE)(uintptr_t)value;
}

/* Also while it is ending: its table is taken apart before the process counts as ended. */
static bool has_ended(HANDLE process)
{
    DWORD code = STILL_ACTIVE;
    return WaitForSingleObject(process, 0) == WAIT_OBJECT_0 ||
           (GetExitCodeProcess(process, &code) && code != STILL_ACTIVE);
}

static int fail(struct hbk_failure *ret_failure, int32_t code, uint32_t win32, const char *detail)
{
    *ret_failure = (struct hbk_failure){.code = code, .win32 = win32, .detail = detail};
    return HBK_PLATFORM_FAILED;
}

int hbk_handles_pin(void *context, uint32_t handle, hbk_pin *ret_pin,
                    struct hbk_failure *ret_failure)
{
    struct hbk_connection *connection = context;
    HANDLE pin = NULL;

    if (!is_real(handle)) {
        return fail(ret_failure, HBK_R_BAD_HANDLE, 0, "a pseudo-handle or no handle at all");
    }
    if (hbk_workers_reserve(connection->win->workers) != 0) {
        return fail(ret_failure, HBK_R_OS_ERROR, ERROR_NOT_ENOUGH_MEMORY,
                    "the broker is out of memory");
    }
    if (!DuplicateHandle(connection->process, to_handle(handle), GetCurrentProcess(), &pin, 0,
                         FALSE, DUPLICATE_SAME_ACCESS)) {
        uint32_t error = GetLastError();
        hbk_workers_unreserve(connection->win->workers);
        if (has_ended(connection->process)) {
            return fail(ret_failure, HBK_R_TARGET_GONE, error, "the sender's process has ended");
        }
        if (error == ERROR_INVALID_HANDLE) {
            return fail(ret_failure, HBK_R_BAD_HANDLE, error, NULL);
        }
        return fail(ret_failure, HBK_R_OS_ERROR, error, "Windows did not duplicate the handle");
    }
    HBK_ASSERT(is_real((uintptr_t)pin));
    *ret_pin = (uintptr_t)pin;
    return 0;
}

/* The kernel's type names are ASCII; what is not, was made by nobody we know. */
static void copy_type(char *type, size_t capacity, const UNICODE_STRING *name)
{
    size_t size = name->Length / sizeof(WCHAR);
    if (size >= capacity) {
        size = capacity - 1;
    }
    for (size_t i = 0; i < size; i++) {
        WCHAR unit = name->Buffer[i];
        type[i] = '?';
        if (unit > 0x20 && unit < 0x7F) {
            type[i] = (char)unit;
        }
    }
    type[size] = '\0';
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
        return fail(ret_failure, HBK_R_OS_ERROR, RtlNtStatusToDosError(status),
                    "Windows did not say what the handle is");
    }
    copy_type(ret_object->type, sizeof(ret_object->type), &type.information.TypeName);
    ret_object->access = basic.GrantedAccess;
    return 0;
}

/* Duplicates our @own into @connection's process. */
static int place(struct hbk_connection *connection, HANDLE own, bool same, uint32_t access,
                 uint32_t *ret_value, struct hbk_failure *ret_failure)
{
    HANDLE placed = NULL;
    DWORD options = same ? DUPLICATE_SAME_ACCESS : 0;

    HBK_ASSERT(is_real((uintptr_t)own));
    if (!DuplicateHandle(GetCurrentProcess(), own, connection->process, &placed, access, FALSE,
                         options)) {
        uint32_t error = GetLastError();
        if (has_ended(connection->process)) {
            return fail(ret_failure, HBK_R_TARGET_GONE, error, NULL);
        }
        return fail(ret_failure, HBK_R_OS_ERROR, error,
                    "Windows did not duplicate the handle into the target");
    }
    /* At most 2^24 handles a process: what is above is no Windows that we know. */
    HBK_ASSERT(is_real((uintptr_t)placed));
    *ret_value = (uint32_t)(uintptr_t)placed;
    return 0;
}

int hbk_handles_place(void *context, hbk_pin pin, bool same, uint32_t access, uint32_t *ret_value,
                      struct hbk_failure *ret_failure)
{
    return place(context, to_handle(pin), same, same ? 0 : access, ret_value, ret_failure);
}

/* Duplicates what is at @value of @process into our table; NULL: nothing, or the process is gone. */
static HANDLE take(HANDLE process, uint32_t value, DWORD options)
{
    HANDLE there = NULL;

    if (!DuplicateHandle(process, to_handle(value), GetCurrentProcess(), &there, 0, FALSE,
                         DUPLICATE_SAME_ACCESS | options)) {
        return NULL;
    }
    return there;
}

/* Closes @value in @process if it is still the object of @own, which the broker placed there. The process
 * can only cheat itself: it alone can put another object at the value between the calls.
 * Return: NULL, or a handle of ours to such another object. It may be its last by now, so that its close
 * can block. */
static HANDLE close_there(HANDLE process, HANDLE own, uint32_t value)
{
    HBK_ASSERT(is_real((uintptr_t)own));
    HANDLE there = take(process, value, 0);
    if (there == NULL || !compare_object_handles(there, own)) {
        return there;
    }
    /* Not its last handle, as we hold another: this cannot block. */
    CloseHandle(there);
    /* Into our own table rather than nowhere: not every system closes the source without a target. */
    there = take(process, value, DUPLICATE_CLOSE_SOURCE);
    if (there == NULL || !compare_object_handles(there, own)) {
        return there;
    }
    CloseHandle(there);
    return NULL;
}

void hbk_handles_unplace(void *context, hbk_pin pin, uint32_t value)
{
    struct hbk_connection *connection = context;
    struct hbk_workers *workers = connection->win->workers;
    HANDLE other = close_there(connection->process, to_handle(pin), value);

    if (other == NULL) {
        return;
    }
    if (hbk_workers_reserve(workers) != 0) {
        CloseHandle(other);
    } else {
        hbk_workers_close(workers, connection->closer, other, HBK_WORKERS_NO_TICKET);
    }
}

int hbk_handles_unpin(void *context, hbk_pin pin, bool may_block, uint64_t ticket)
{
    struct hbk_connection *connection = context;
    struct hbk_workers *workers = connection->win->workers;
    if (may_block) {
        hbk_workers_close(workers, connection->closer, to_handle(pin), ticket);
        return HBK_PLATFORM_PENDING;
    }
    BOOL closed = CloseHandle(to_handle(pin));
    HBK_ASSERT(closed);
    hbk_workers_unreserve(workers);
    return 0;
}

int hbk_handles_proof_open(void *context, uint32_t *ret_value, struct hbk_failure *ret_failure)
{
    struct hbk_connection *connection = context;

    HBK_ASSERT(connection->proof == NULL);
    HANDLE proof = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (proof == NULL) {
        return fail(ret_failure, HBK_R_OS_ERROR, GetLastError(), "no event could be made");
    }
    int result = place(connection, proof, false, EVENT_MODIFY_STATE, ret_value, ret_failure);
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
    HANDLE other = close_there(proof->process, proof->own, proof->value);

    if (other != NULL) {
        CloseHandle(other);
    }
    CloseHandle(proof->own);
    CloseHandle(proof->process);
    free(proof);
}

int hbk_handles_proof_close(void *context)
{
    struct hbk_connection *connection = context;
    struct proof_close *proof = NULL;

    if (connection->proof == NULL) {
        return 0;
    }
    proof = malloc(sizeof(*proof));
    if (proof != NULL &&
        DuplicateHandle(GetCurrentProcess(), connection->process, GetCurrentProcess(),
                        &proof->process, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        proof->own = connection->proof;
        proof->value = connection->proof_value;
        connection->proof = NULL;
        connection->proof_value = 0;
        /* Of everything that closes a handle elsewhere this alone is done for each client, and at a time
         * that it chooses; on a worker it cannot hold up the others, however long the system takes. */
        if (hbk_workers_call(connection->win->workers, close_proof, proof, connection->session) ==
            0) {
            return HBK_PLATFORM_PENDING;
        }
        close_proof(proof);
        return 0;
    }
    free(proof);
    HANDLE other = close_there(connection->process, connection->proof, connection->proof_value);
    if (other != NULL) {
        CloseHandle(other);
    }
    CloseHandle(connection->proof);
    connection->proof = NULL;
    connection->proof_value = 0;
    return 0;
}
