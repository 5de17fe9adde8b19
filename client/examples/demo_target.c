/* Opens an endpoint, waits for the seven objects of demo_source, checks them and uses each one.
 *
 *     demo_target ENDPOINT
 *
 * Exit code 0 only if they came, did what they should, and every handle is closed again. */
#include "demo_common.h"

#include <stdio.h>
#include <string.h>

/* The rights that the broker told must be those that the kernel tells. */
static bool look_at_all(const hbk_delivery *delivery)
{
    bool good = demo_check(delivery->count == DEMO_ITEMS, "seven items came") &&
                demo_check(delivery->data != NULL && strcmp(delivery->data, DEMO_DATA) == 0,
                           "with the text that the source had sent");

    for (int i = 0; good && i < DEMO_ITEMS; i++) {
        const hbk_received_item *item = &delivery->items[i];
        uint32_t access = 0;
        good = demo_look((enum demo_item)i, item->handle, &access);
        if (good && (strcmp(item->type, demo_item_types[i]) != 0 || item->access != access))
            good = demo_check(false, "the broker told another type or other rights");
    }
    return good;
}

static bool use_section(struct demo_section *view)
{
    bool good = demo_check(strcmp(view->known, DEMO_SECTION_TEXT) == 0 && view->source_pid != 0 &&
                               view->source_pid != GetCurrentProcessId(),
                           "section: the source's bytes are in it");

    demo_backwards(view->known, view->reply, sizeof view->reply);
    view->target_pid = GetCurrentProcessId();
    return good;
}

static bool use_file(HANDLE file)
{
    char text[sizeof DEMO_FILE_TEXT + 16] = "";
    DWORD size = 0;

    if (!demo_check(ReadFile(file, text, sizeof text - 1, &size, NULL) &&
                        strcmp(text, DEMO_FILE_TEXT) == 0,
                    "file: the source's bytes are in it"))
        return false;
    return demo_check(WriteFile(file, DEMO_FILE_REPLY, sizeof DEMO_FILE_REPLY - 1, &size, NULL) &&
                          size == sizeof DEMO_FILE_REPLY - 1,
                      "file: written on");
}

/* Everything but the event, which says that all of it is done. */
static bool use(const hbk_delivery *delivery, struct demo_section *view)
{
    LARGE_INTEGER due = {.QuadPart = -10000LL * DEMO_TIMER_MS};
    DWORD size = 0;
    bool good;

    good = demo_check(WaitForSingleObject(delivery->items[DEMO_MUTEX].handle, 0) == WAIT_OBJECT_0,
                      "mutex: acquired");
    good = demo_check(ReleaseSemaphore(delivery->items[DEMO_SEMAPHORE].handle, DEMO_SEMAPHORE_COUNT,
                                       NULL) != 0,
                      "semaphore: released three times") &&
           good;
    good = demo_check(SetWaitableTimer(delivery->items[DEMO_TIMER].handle, &due, 0, NULL, NULL,
                                       FALSE) != 0,
                      "timer: set") &&
           good;
    good = use_section(view) && good;
    good = use_file(delivery->items[DEMO_FILE].handle) && good;
    good = demo_check(WriteFile(delivery->items[DEMO_PIPE].handle, DEMO_PIPE_TEXT,
                                sizeof DEMO_PIPE_TEXT - 1, &size, NULL) &&
                          size == sizeof DEMO_PIPE_TEXT - 1,
                      "pipe: written") &&
           good;
    good = demo_check(SetEvent(delivery->items[DEMO_EVENT].handle) != 0, "event: set") && good;
    return good;
}

/* The source takes the three, sees the rest, and releases the semaphore once more for us. */
static bool wait_for_verdict(const hbk_delivery *delivery, const struct demo_section *view)
{
    HANDLE semaphore = delivery->items[DEMO_SEMAPHORE].handle;
    ULONGLONG deadline = GetTickCount64() + DEMO_WAIT_MS;

    /* The semaphore is still ours in part until the source has taken its three. */
    while (strcmp(view->verdict, DEMO_CONFIRMED) != 0 && GetTickCount64() < deadline)
        Sleep(5);
    return demo_check(strcmp(view->verdict, DEMO_CONFIRMED) == 0 &&
                          WaitForSingleObject(semaphore, DEMO_WAIT_MS) == WAIT_OBJECT_0,
                      "semaphore: the source has seen it all, and released it in answer");
}

static bool serve(const hbk_delivery *delivery)
{
    demo_say("delivery %llu from process %lu of %s", (unsigned long long)delivery->id,
             (unsigned long)delivery->from_pid, delivery->from_user);
    if (!look_at_all(delivery))
        return false;
    struct demo_section *view =
        MapViewOfFile(delivery->items[DEMO_SECTION].handle, FILE_MAP_WRITE, 0, 0, 0);
    if (view == NULL)
        return demo_check(false, "map the section");
    bool good = demo_check(view->source_pid == delivery->from_pid,
                           "the broker names the process that made them") &&
                use(delivery, view) && wait_for_verdict(delivery, view);
    UnmapViewOfFile(view);
    return demo_check(ReleaseMutex(delivery->items[DEMO_MUTEX].handle) != 0, "mutex: released") &&
           good;
}

static bool run(const char *endpoint)
{
    hbk_client *client = NULL;
    hbk_delivery *delivery = NULL;
    hbk_error_info error;
    bool good = false;

    if (hbk_open(NULL, &client, &error) != HBK_OK) {
        demo_failed("hbk_open", &error);
        goto out;
    }
    hbk_endpoint_options options = {.size = sizeof options, .name = endpoint};
    if (hbk_endpoint_open(client, &options, &error) != HBK_OK) {
        demo_failed("hbk_endpoint_open", &error);
        goto out;
    }
    demo_say("listening at %s", endpoint);
    if (hbk_receive(client, DEMO_WAIT_MS, &delivery, &error) != HBK_OK) {
        demo_failed("hbk_receive", &error);
        goto out;
    }
    good = serve(delivery);
out:
    hbk_delivery_free(delivery); /* closes what came */
    hbk_close(client);
    return good;
}

int main(int argc, char **argv)
{
    demo_begin("target");
    if (argc != 2) {
        demo_say("usage: demo_target ENDPOINT");
        return 2;
    }
    demo_say("process %lu", GetCurrentProcessId());
    if (!demo_warm_up())
        return 1;
    unsigned before = demo_handles();
    bool good = run(argv[1]);
    good = demo_handles_back(before) && good;
    demo_say("%s", good ? "all seven came, were used and confirmed" : "something failed");
    return good ? 0 : 1;
}
