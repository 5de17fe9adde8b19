/* What the demonstration's two programs share: output, and a look at what a process holds. */
#include "demo_common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HANDLES_WAIT_MS 5000u
#define HANDLES_BYTES_MAX (256u << 20)
#define EXTENDED_HANDLE_LIST 64u /* SystemExtendedHandleInformation */
#define OBJECT_BASICS 0u         /* ObjectBasicInformation */
#define OBJECT_TYPE 2u           /* ObjectTypeInformation */
#define LENGTH_MISMATCH ((LONG)0xC0000004)

const char *const demo_item_names[DEMO_ITEMS] = {
    "event", "mutex", "semaphore", "timer", "section", "file", "pipe",
};
const char *const demo_item_types[DEMO_ITEMS] = {
    "Event", "Mutant", "Semaphore", "Timer", "Section", "File", "File",
};

static const char *speaker = "demo";

void demo_begin(const char *who)
{
    speaker = who;
}

void demo_say(const char *format, ...)
{
    va_list values;

    printf("%s: ", speaker);
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
    printf("\n");
    fflush(stdout);
}

bool demo_check(bool happened, const char *what)
{
    demo_say("%-6s %s", happened ? "ok" : "FAILED", what);
    return happened;
}

bool demo_failed(const char *what, const hbk_error_info *error)
{
    demo_say("FAILED %s: %s: %s (item %d, Windows error %lu)", what, hbk_result_word(error->result),
             error->detail, error->item, (unsigned long)error->win32);
    return false;
}

/* ---- what the kernel says ---- */

typedef LONG(WINAPI *query_object)(HANDLE, ULONG, void *, ULONG, ULONG *);
typedef LONG(WINAPI *query_system)(ULONG, void *, ULONG, ULONG *);

struct object_basics {
    ULONG attributes;
    ACCESS_MASK granted;
    ULONG rest[12];
};

struct object_type {
    USHORT size, room;
    wchar_t *text;
    ULONG rest[256];
};

struct handle_entry {
    void *object;
    ULONG_PTR pid, handle;
    ULONG access;
    USHORT trace, type;
    ULONG attributes, reserved;
};

struct handle_list {
    ULONG_PTR count, reserved;
    struct handle_entry entries[1];
};

static FARPROC native(const char *name)
{
    HMODULE module = GetModuleHandleW(L"ntdll.dll");
    return module != NULL ? GetProcAddress(module, name) : NULL;
}

bool demo_look(enum demo_item item, HANDLE handle, uint32_t *ret_access)
{
    query_object query = (query_object)(void (*)(void))native("NtQueryObject");
    struct object_basics basics = {0};
    struct object_type type = {0};
    char name[64] = "";
    ULONG size = 0;

    /* Basic information wants exactly its own size. */
    if (query == NULL || query(handle, OBJECT_BASICS, &basics, sizeof basics, &size) < 0 ||
        query(handle, OBJECT_TYPE, &type, sizeof type, &size) < 0) {
        demo_say("FAILED to ask the kernel about %s", demo_item_names[item]);
        return false;
    }
    WideCharToMultiByte(CP_UTF8, 0, type.text, type.size / 2, name, sizeof name - 1, NULL, NULL);
    demo_say("item %-10s value 0x%-5lx type %-10s access 0x%06lx", demo_item_names[item],
             (unsigned long)(uintptr_t)handle, name, (unsigned long)basics.granted);
    *ret_access = basics.granted;
    return strcmp(name, demo_item_types[item]) == 0;
}

unsigned demo_handles(void)
{
    query_system query = (query_system)(void (*)(void))native("NtQuerySystemInformation");
    struct handle_list *list = NULL;
    ULONG room = 1u << 20, size = 0;
    LONG status = query != NULL ? LENGTH_MISMATCH : -1;
    unsigned count = 0;

    while (status == LENGTH_MISMATCH && room <= HANDLES_BYTES_MAX) {
        free(list);
        list = malloc(room);
        if (list == NULL)
            return 0;
        status = query(EXTENDED_HANDLE_LIST, list, room, &size);
        room *= 2;
    }
    for (ULONG_PTR i = 0; status == 0 && i < list->count; i++)
        count += list->entries[i].pid == GetCurrentProcessId();
    free(list);
    return count;
}

bool demo_handles_back(unsigned before)
{
    ULONGLONG deadline = GetTickCount64() + HANDLES_WAIT_MS;
    unsigned now = demo_handles();

    while (now != before && GetTickCount64() < deadline) {
        Sleep(20);
        now = demo_handles();
    }
    demo_say("%-6s %u handles before, %u after", now == before && before != 0 ? "ok" : "FAILED",
             before, now);
    return now == before && before != 0;
}

bool demo_warm_up(void)
{
    hbk_client *client = NULL;
    hbk_error_info error;

    if (hbk_open(NULL, &client, &error) != HBK_OK)
        return demo_failed("hbk_open", &error);
    hbk_close(client);
    return true;
}

void demo_backwards(const char *text, char *ret_text, size_t size)
{
    size_t length = strlen(text);
    size_t fits = length < size ? length : size - 1;

    for (size_t i = 0; i < fits; i++)
        ret_text[i] = text[length - 1 - i];
    ret_text[fits] = '\0';
}
