/* Makes seven kernel objects, hands them to an endpoint in one send, and then looks for what the
 * process behind that endpoint has done to each of them.
 *
 *     demo_source ENDPOINT
 *
 * Exit code 0 only if everything was delivered, used and confirmed, and every handle is closed
 * again. */
#include "demo_common.h"

#include <stdio.h>
#include <string.h>

/* The seven handles that are sent, and what this process keeps to see their effect. */
struct objects {
    HANDLE handles[DEMO_ITEMS];
    HANDLE pipe_reading;
    struct demo_section *view;
};

static HANDLE make_file(void)
{
    wchar_t folder[MAX_PATH + 1], path[MAX_PATH + 1];
    DWORD written = 0;

    if (GetTempPathW(MAX_PATH + 1, folder) == 0 || GetTempFileNameW(folder, L"hbk", 0, path) == 0)
        return NULL;
    /* No sharing: nobody can open it by its name while we have it. It goes with its last handle. */
    HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                              FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return NULL;
    DWORD size = sizeof DEMO_FILE_TEXT - 1;
    if (!WriteFile(file, DEMO_FILE_TEXT, size, &written, NULL) || written != size ||
        SetFilePointer(file, 0, NULL, FILE_BEGIN) != 0) {
        CloseHandle(file);
        return NULL;
    }
    return file;
}

/* All of them without a name and not inheritable. */
static bool make(struct objects *objects)
{
    HANDLE *handles = objects->handles;

    handles[DEMO_EVENT] = CreateEventW(NULL, FALSE, FALSE, NULL);
    handles[DEMO_MUTEX] = CreateMutexW(NULL, FALSE, NULL);
    handles[DEMO_SEMAPHORE] = CreateSemaphoreW(NULL, 0, 100, NULL);
    handles[DEMO_TIMER] = CreateWaitableTimerW(NULL, TRUE, NULL);
    handles[DEMO_SECTION] = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                               sizeof(struct demo_section), NULL);
    handles[DEMO_FILE] = make_file();
    if (!CreatePipe(&objects->pipe_reading, &handles[DEMO_PIPE], NULL, 0))
        return demo_check(false, "make a pipe");
    for (int i = 0; i < DEMO_ITEMS; i++) {
        if (handles[i] == NULL)
            return demo_check(false, demo_item_names[i]);
    }
    objects->view = MapViewOfFile(handles[DEMO_SECTION], FILE_MAP_WRITE, 0, 0, 0);
    if (objects->view == NULL)
        return demo_check(false, "map the section");
    snprintf(objects->view->known, sizeof objects->view->known, "%s", DEMO_SECTION_TEXT);
    objects->view->source_pid = GetCurrentProcessId();
    return true;
}

static void unmake(struct objects *objects)
{
    if (objects->view != NULL)
        UnmapViewOfFile(objects->view);
    if (objects->pipe_reading != NULL)
        CloseHandle(objects->pipe_reading);
    for (int i = 0; i < DEMO_ITEMS; i++) {
        if (objects->handles[i] != NULL)
            CloseHandle(objects->handles[i]);
    }
}

/* All seven in one call, with the same rights that we have. */
static bool send_all(hbk_client *client, const char *endpoint, const struct objects *objects)
{
    hbk_send_item items[DEMO_ITEMS] = {{0}};
    hbk_send_options options = {.size = sizeof options};
    hbk_receipt receipt;
    hbk_error_info error;
    bool good = true;

    for (int i = 0; i < DEMO_ITEMS; i++) {
        uint32_t access = 0;
        good = demo_look((enum demo_item)i, objects->handles[i], &access) && good;
        items[i].handle = objects->handles[i];
        items[i].type = demo_item_types[i];
    }
    options.to = endpoint;
    options.items = items;
    options.count = DEMO_ITEMS;
    options.data = DEMO_DATA;
    options.wait_ms = DEMO_WAIT_MS; /* the target may still be starting */
    if (hbk_send(client, &options, &receipt, &error) != HBK_OK)
        return demo_failed("hbk_send", &error);
    good =
        demo_check(receipt.count == DEMO_ITEMS, "the broker says that all seven were delivered") &&
        good;
    for (int i = 0; good && i < DEMO_ITEMS; i++)
        good =
            demo_check(strcmp(receipt.items[i].type, demo_item_types[i]) == 0, demo_item_names[i]);
    return good;
}

static bool pipe_says(HANDLE pipe)
{
    char text[sizeof DEMO_PIPE_TEXT + 16] = "";
    DWORD there = 0, size = 0;
    ULONGLONG deadline = GetTickCount64() + DEMO_WAIT_MS;

    /* An anonymous pipe cannot be waited for; reading an empty one would wait for ever. */
    while (PeekNamedPipe(pipe, NULL, 0, NULL, &there, NULL) && there == 0) {
        if (GetTickCount64() >= deadline)
            return false;
        Sleep(5);
    }
    return there != 0 && ReadFile(pipe, text, sizeof text - 1, &size, NULL) &&
           strcmp(text, DEMO_PIPE_TEXT) == 0;
}

static bool file_says(HANDLE file)
{
    char text[sizeof DEMO_FILE_TEXT + sizeof DEMO_FILE_REPLY] = "";
    DWORD size = 0;
    DWORD end = sizeof DEMO_FILE_TEXT + sizeof DEMO_FILE_REPLY - 2;

    /* One file object has one position, whoever moves it. */
    if (SetFilePointer(file, 0, NULL, FILE_CURRENT) != end)
        return false;
    SetFilePointer(file, 0, NULL, FILE_BEGIN);
    return ReadFile(file, text, sizeof text - 1, &size, NULL) &&
           strcmp(text, DEMO_FILE_TEXT DEMO_FILE_REPLY) == 0;
}

static bool semaphore_counts(HANDLE semaphore)
{
    int count = 0;

    while (count <= DEMO_SEMAPHORE_COUNT && WaitForSingleObject(semaphore, 0) == WAIT_OBJECT_0)
        count++;
    return count == DEMO_SEMAPHORE_COUNT;
}

/* What the target did, seen here. It has done it all when it sets the event. */
static bool see_effects(const struct objects *objects)
{
    const HANDLE *handles = objects->handles;
    char expected[sizeof objects->view->reply];
    bool good;

    if (!demo_check(WaitForSingleObject(handles[DEMO_EVENT], DEMO_WAIT_MS) == WAIT_OBJECT_0,
                    "event: the target has set it"))
        return false;
    good = demo_check(WaitForSingleObject(handles[DEMO_MUTEX], 0) == WAIT_TIMEOUT,
                      "mutex: the target owns it");
    good = demo_check(semaphore_counts(handles[DEMO_SEMAPHORE]),
                      "semaphore: the target has released it three times") &&
           good;
    good = demo_check(WaitForSingleObject(handles[DEMO_TIMER], DEMO_WAIT_MS) == WAIT_OBJECT_0,
                      "timer: the target has set it, and it went off") &&
           good;
    demo_backwards(DEMO_SECTION_TEXT, expected, sizeof expected);
    good =
        demo_check(strcmp(objects->view->reply, expected) == 0 && objects->view->target_pid != 0 &&
                       objects->view->target_pid != GetCurrentProcessId(),
                   "section: the target has read the bytes and written them backwards") &&
        good;
    good = demo_check(file_says(handles[DEMO_FILE]),
                      "file: the target has read it to its end and written on") &&
           good;
    good =
        demo_check(pipe_says(objects->pipe_reading), "pipe: what the target wrote came out here") &&
        good;
    return good;
}

/* Tells the target by the semaphore that we have seen it all, and waits until it lets go of the
 * mutex. */
static bool confirm(const struct objects *objects)
{
    snprintf(objects->view->verdict, sizeof objects->view->verdict, "%s", DEMO_CONFIRMED);
    if (!ReleaseSemaphore(objects->handles[DEMO_SEMAPHORE], 1, NULL))
        return demo_check(false, "release the semaphore");
    if (!demo_check(WaitForSingleObject(objects->handles[DEMO_MUTEX], DEMO_WAIT_MS) ==
                        WAIT_OBJECT_0,
                    "mutex: the target has confirmed, and let go of it"))
        return false;
    return ReleaseMutex(objects->handles[DEMO_MUTEX]) != 0;
}

static bool run(const char *endpoint)
{
    struct objects objects = {{0}, NULL, NULL};
    hbk_client *client = NULL;
    hbk_error_info error;
    bool good = false;

    if (!make(&objects))
        goto out;
    if (hbk_open(NULL, &client, &error) != HBK_OK) {
        demo_failed("hbk_open", &error);
        goto out;
    }
    good = send_all(client, endpoint, &objects) && see_effects(&objects) && confirm(&objects);
out:
    hbk_close(client);
    unmake(&objects);
    return good;
}

int main(int argc, char **argv)
{
    demo_begin("source");
    if (argc != 2) {
        demo_say("usage: demo_source ENDPOINT");
        return 2;
    }
    demo_say("process %lu", GetCurrentProcessId());
    if (!demo_warm_up())
        return 1;
    unsigned before = demo_handles();
    bool good = run(argv[1]);
    good = demo_handles_back(before) && good;
    demo_say("%s", good ? "all seven were handed over, used and confirmed" : "something failed");
    return good ? 0 : 1;
}
