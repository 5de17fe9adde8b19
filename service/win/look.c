/* What is in handle tables. Windows tells of all handles of all processes at once: process, value, rights, flags, and a
 * number for the type. That is asked on a worker, into memory of bounded size. Objects are never asked for their names,
 * which may block, and their addresses, where Windows tells them, are told to nobody: they only spare comparisons.
 *
 * Who holds an object is found by comparing: what has the same type, and the same address if there is one, is duplicated
 * into the broker for as long as CompareObjectHandles() takes. A handle that is closed meanwhile is held no more, and one
 * of another object at the same value compares as another. */
#include "parts.h"

#include <stdlib.h>
#include <string.h>
#include <winternl.h>

enum {
    ALL_HANDLES = 64, /* SystemExtendedHandleInformation */
    ALL_TYPES = 3,    /* ObjectTypesInformation */
    ALL_BYTES_FIRST = 1 << 20,
    TYPES_BYTES = 1 << 16,
    TYPES_MAX = 256,
    /* Where OBJECT_TYPE_INFORMATION has the type's number, which the public header calls reserved: in the third byte
     * after twelve counts, the invalid attributes, the generic mapping and the valid access. */
    NUMBER_INDEX = 18,
    NUMBER_SHIFT = 16,
    PROTECT_CLOSE = 0x1, /* of the attributes: OBJ_PROTECT_CLOSE */
    PID_OF_SYSTEM = 4,
};

#define LENGTH_MISMATCH ((NTSTATUS)0xC0000004)

struct told_handle {
    void *object; /* its address; NULL: not told */
    ULONG_PTR process, value;
    ULONG access;
    USHORT trace, type;
    ULONG attributes, reserved;
};

struct told_handles {
    ULONG_PTR count, reserved;
    struct told_handle handles[];
};

struct look {
    HANDLE process;
    uint32_t pid; /* of no other while `process` is open */
    struct hbk_look what;
    bool failed;
    struct hbk_failure failure;
    struct hbk_looked found;
    struct hbk_looked_handle handles[HBK_PAGE_HANDLES_MAX];
};

/* ---- on a worker ---- */

static void fail(struct look *look, int32_t code, uint32_t win32, const char *detail)
{
    look->failed = true;
    (void)hbk_handles_fail(&look->failure, code, win32, detail);
}

/* All handles of all processes, for free(). NULL: @look has failed. */
static struct told_handles *read_all(struct look *look)
{
    ULONG size = ALL_BYTES_FIRST, needed = 0;

    for (;;) {
        struct told_handles *all = malloc(size);
        if (all == NULL) {
            fail(look, HBK_R_OS_ERROR, ERROR_NOT_ENOUGH_MEMORY, "the broker is out of memory");
            return NULL;
        }
        NTSTATUS status =
            NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)ALL_HANDLES, all, size, &needed);
        if (status >= 0 && all->count <= (size - sizeof(*all)) / sizeof(all->handles[0])) {
            return all;
        }
        free(all);
        if (status != LENGTH_MISMATCH || size == HBK_LOOK_BYTES_MAX) {
            fail(look, HBK_R_OS_ERROR, RtlNtStatusToDosError(status),
                 "Windows did not tell of its handles, or there are more than the broker looks at");
            return NULL;
        }
        /* There may be more of them by the next time. */
        needed = needed > size ? needed : size;
        size = needed < HBK_LOOK_BYTES_MAX / 2 ? needed + needed / 2 : HBK_LOOK_BYTES_MAX;
    }
}

/* What is told of @own, a handle of ours. NULL: @look has failed. */
static const struct told_handle *find_own(struct look *look, const struct told_handles *all,
                                          HANDLE own)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->handles[i].process == GetCurrentProcessId() &&
            all->handles[i].value == (ULONG_PTR)own) {
            return &all->handles[i];
        }
    }
    fail(look, HBK_R_OS_ERROR, 0, "Windows did not tell of the broker's own handle");
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const struct told_handle *first = a, *second = b;

    if (first->process != second->process) {
        return first->process < second->process ? -1 : 1;
    }
    return first->value < second->value ? -1 : first->value > second->value;
}

static void add(struct look *look, const struct told_handle *told)
{
    look->handles[look->found.count++] = (struct hbk_looked_handle){
        .pid = (uint32_t)told->process,
        .handle = (uint32_t)told->value,
        .access = told->access,
        .inherit = (told->attributes & OBJ_INHERIT) != 0,
        .protect = (told->attributes & PROTECT_CLOSE) != 0,
    };
}

/* ---- one table ---- */

static ULONG number_of(const PUBLIC_OBJECT_TYPE_INFORMATION *type)
{
    return type->Reserved[NUMBER_INDEX] >> NUMBER_SHIFT & 0xFF;
}

static size_t aligned(size_t offset)
{
    return (offset + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
}

struct types {
    char names[TYPES_MAX][HBK_TYPE_BYTES_MAX + 1]; /* "": there is none of that number */
};

/* Not every system counts types from the same number in both places: @shift is between them. */
static void name_types(struct types *types, const uint8_t *told, size_t size, ULONG shift)
{
    size_t at = aligned(sizeof(ULONG));
    ULONG count = 0;

    memcpy(&count, told, sizeof(count));
    for (ULONG i = 0; i < count && at + sizeof(PUBLIC_OBJECT_TYPE_INFORMATION) <= size; i++) {
        const PUBLIC_OBJECT_TYPE_INFORMATION *type = (const void *)(told + at);
        ULONG number = number_of(type) - shift;

        if (number < TYPES_MAX) {
            hbk_handles_copy_type(types->names[number], type->TypeName.Buffer,
                                  type->TypeName.Length / sizeof(WCHAR));
        }
        at = aligned(at + sizeof(*type) + type->TypeName.MaximumLength);
    }
}

/* The names of all types, for free(); some or all are "" where Windows does not say. NULL: @look has failed. @mark: of
 * ours, and @told of it. */
static struct types *read_types(struct look *look, HANDLE mark, const struct told_handle *told)
{
    union {
        PUBLIC_OBJECT_TYPE_INFORMATION information;
        uint8_t bytes[1024]; /* the name follows its structure */
    } type;
    struct types *types = calloc(1, sizeof(*types));
    uint8_t *all = calloc(1, TYPES_BYTES);

    if (types == NULL || all == NULL) {
        free(types);
        free(all);
        fail(look, HBK_R_OS_ERROR, ERROR_NOT_ENOUGH_MEMORY, "the broker is out of memory");
        return NULL;
    }
    if (NtQueryObject(mark, ObjectTypeInformation, &type, sizeof(type), NULL) >= 0 &&
        NtQueryObject(NULL, (OBJECT_INFORMATION_CLASS)ALL_TYPES, all, TYPES_BYTES, NULL) >= 0) {
        name_types(types, all, TYPES_BYTES, number_of(&type.information) - told->type);
    }
    free(all);
    return types;
}

/* Moves those that are wanted to the front, in their order. Return: how many. */
static size_t keep_table(const struct look *look, struct told_handles *all)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++) {
        const struct told_handle *told = &all->handles[i];
        if (told->process == look->pid && hbk_handles_is_real(told->value) &&
            told->value > look->what.handle) {
            all->handles[count++] = *told;
        }
    }
    qsort(all->handles, count, sizeof(all->handles[0]), compare);
    return count;
}

static void look_at_table(struct look *look)
{
    struct told_handles *all = NULL;
    struct types *types = NULL;
    const struct told_handle *told = NULL;
    size_t count = 0;

    HANDLE mark = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (mark == NULL) {
        fail(look, HBK_R_OS_ERROR, GetLastError(), "no event could be made");
        return;
    }
    all = read_all(look);
    if (all != NULL) {
        told = find_own(look, all, mark);
    }
    if (told != NULL) {
        types = read_types(look, mark, told);
    }
    if (types != NULL) {
        count = keep_table(look, all);
        look->found.complete = count <= look->what.limit;
    }
    for (size_t i = 0; i < count && i < look->what.limit; i++) {
        add(look, &all->handles[i]);
        if (all->handles[i].type < TYPES_MAX) {
            memcpy(look->handles[i].type, types->names[all->handles[i].type],
                   sizeof(look->handles[i].type));
        }
    }
    free(types);
    free(all);
    CloseHandle(mark);
}

/* ---- holders ---- */

/* A handle of ours to what it is about; NULL: @look has failed. */
static HANDLE pin_object(struct look *look)
{
    HANDLE pin = NULL;
    struct hbk_object object;

    HBK_ASSERT(hbk_handles_is_real(look->what.handle));
    if (!DuplicateHandle(look->process, (HANDLE)(uintptr_t)look->what.handle, GetCurrentProcess(),
                         &pin, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        uint32_t error = GetLastError();
        bool bad = error == ERROR_INVALID_HANDLE;
        fail(look, bad ? HBK_R_BAD_HANDLE : HBK_R_OS_ERROR, error,
             bad ? "the process has no such handle" : "Windows did not duplicate the handle");
        return NULL;
    }
    if (hbk_handles_inspect(NULL, (uintptr_t)pin, &object, &look->failure) != 0) {
        look->failed = true;
        CloseHandle(pin);
        return NULL;
    }
    memcpy(look->found.type, object.type, sizeof(look->found.type));
    return pin;
}

/* Moves those that may be of the object of @own to the front, by process and value. Return: how many. */
static size_t keep_candidates(struct told_handles *all, struct told_handle own)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++) {
        const struct told_handle *told = &all->handles[i];
        if (told->type == own.type && told->object == own.object &&
            hbk_handles_is_real(told->value) && told->process != 0 &&
            told->process != PID_OF_SYSTEM) {
            all->handles[count++] = *told;
        }
    }
    qsort(all->handles, count, sizeof(all->handles[0]), compare);
    return count;
}

/* Is @value of @process the object of @pin, now? */
static bool is_held(struct look *look, HANDLE process, ULONG_PTR value, HANDLE pin)
{
    HANDLE there = NULL;

    if (!DuplicateHandle(process, (HANDLE)value, GetCurrentProcess(), &there, 0, FALSE,
                         DUPLICATE_SAME_ACCESS)) {
        if (GetLastError() != ERROR_INVALID_HANDLE) {
            look->found.complete = false; /* it was not closed, and may be of the object */
        }
        return false;
    }
    bool same = hbk_handles_same(there, pin);
    CloseHandle(there);
    return same;
}

static HANDLE open_holder(struct look *look, ULONG_PTR pid)
{
    if (pid == GetCurrentProcessId()) {
        return GetCurrentProcess();
    }
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, (DWORD)pid);
    if (process == NULL && GetLastError() != ERROR_INVALID_PARAMETER) {
        look->found.complete = false; /* it is protected, and may hold the object */
    }
    return process;
}

static void close_holder(HANDLE process)
{
    if (process != NULL && process != GetCurrentProcess()) {
        CloseHandle(process);
    }
}

static void compare_all(struct look *look, const struct told_handle *candidates, size_t count,
                        HANDLE pin)
{
    uint64_t deadline = GetTickCount64() + HBK_LOOK_MS;
    HANDLE process = NULL;
    ULONG_PTR pid = 0;

    look->found.complete = true;
    for (size_t i = 0; i < count; i++) {
        const struct told_handle *told = &candidates[i];

        if (look->found.count == look->what.limit || GetTickCount64() > deadline) {
            look->found.complete = false;
            break;
        }
        if (told->process != pid) {
            close_holder(process);
            pid = told->process;
            process = open_holder(look, pid);
        }
        if (process == NULL || !is_held(look, process, told->value, pin)) {
            continue;
        }
        if (process != GetCurrentProcess()) {
            add(look, told);
        } else if (told->value != (ULONG_PTR)pin) {
            look->found.own++;
        }
    }
    close_holder(process);
}

static void look_for_holders(struct look *look)
{
    const struct told_handle *own = NULL;
    struct told_handles *all = NULL;

    HANDLE pin = pin_object(look);
    if (pin == NULL) {
        return;
    }
    all = read_all(look);
    if (all != NULL) {
        own = find_own(look, all, pin);
    }
    if (own != NULL) {
        size_t count = keep_candidates(all, *own);
        compare_all(look, all->handles, count, pin);
    }
    free(all);
    CloseHandle(pin);
}

static void run(void *argument)
{
    struct look *look = argument;

    if (look->what.holders) {
        look_for_holders(look);
    } else {
        look_at_table(look);
    }
    /* Its table is taken apart before it counts as ended: then what was found of it means nothing. */
    if (hbk_handles_has_ended(look->process) && (look->failed || !look->what.holders)) {
        fail(look, HBK_R_NOT_FOUND, 0, "the process has ended");
    }
}

/* ---- on the broker's thread ---- */

static void look_free(struct look *look)
{
    if (look->process != NULL) {
        CloseHandle(look->process);
    }
    free(look);
}

static void ended(struct hbk_core *core, void *argument, uint64_t ticket)
{
    struct look *look = argument;

    look->found.handles = look->handles;
    hbk_core_looked(core, ticket, look->failed ? NULL : &look->found,
                    look->failed ? &look->failure : NULL);
    look_free(look);
}

int hbk_look(void *party, const struct hbk_look *what, uint64_t ticket,
             struct hbk_failure *ret_failure)
{
    const struct hbk_win_party *at = party;
    struct hbk_workers *workers = at->win->workers;
    struct hbk_closer *lane = NULL;
    int result = -1;

    HBK_ASSERT(what->limit > 0 && what->limit <= HBK_PAGE_HANDLES_MAX);
    struct look *look = calloc(1, sizeof(*look));
    if (look == NULL) {
        goto out;
    }
    look->pid = at->pid;
    look->what = *what;
    /* Its own: the party may be gone before it. */
    if (!DuplicateHandle(GetCurrentProcess(), at->process, GetCurrentProcess(), &look->process, 0,
                         FALSE, DUPLICATE_SAME_ACCESS)) {
        look->process = NULL;
        goto out;
    }
    lane = hbk_workers_looker(workers, at->closer);
    if (lane != NULL) {
        const struct hbk_worker_call call = {run, ended, look, ticket};
        result = hbk_workers_call(workers, lane, &call);
    }
out:
    hbk_workers_closer_release(workers, lane);
    if (result == 0) {
        return HBK_PLATFORM_PENDING;
    }
    if (look != NULL) {
        look_free(look);
    }
    return hbk_handles_fail(ret_failure, HBK_R_OS_ERROR, ERROR_NOT_ENOUGH_MEMORY,
                            "the broker is out of memory or handles");
}
