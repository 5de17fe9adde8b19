/* The textbook picture of three processes: S, the source, has an event; T, the target, needs it; C, the
 * catalyst, is neither, and moves it from the one to the other.
 *
 *     catalyst        C, which starts the two others
 *
 * DuplicateHandle() can do the moving, but nobody tells T. Here the broker does both: T is told which
 * handle it now has, of which type, with which rights, and from whom. For the same job without the
 * broker see duplicate_by_hand.c.
 *
 * Exit code 0 only if T was notified, signalled the event, and S saw it. */
#include "example.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_IS "the event is "

/* S: knows nothing of the broker nor of T. It says what its event is called in its own table, as any
 * program may tell its catalyst; a debugger would look it up. */
static bool run_source(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    example_begin("S");
    if (event == NULL)
        return example_failed("CreateEvent", GetLastError());
    example_say(VALUE_IS "0x%lx", (unsigned long)(uintptr_t)event);
    bool good = example_check(WaitForSingleObject(event, EXAMPLE_WAIT_MS) == WAIT_OBJECT_0,
                              "somebody has signalled my event");
    CloseHandle(event);
    return good;
}

/* T: has a session with the broker, so that it can be told. It need not open an endpoint: for a
 * transfer the catalyst's rights on both processes are asked, not T's consent. */
static bool run_target(void)
{
    hbk_client *client = NULL;
    hbk_delivery *delivery = NULL;
    hbk_error_info error;
    bool good = false;

    example_begin("T");
    if (hbk_open(NULL, &client, &error) != HBK_OK)
        return example_refused("hbk_open", &error);
    example_say("ready");
    if (hbk_receive(client, EXAMPLE_WAIT_MS, &delivery, &error) != HBK_OK) {
        example_refused("hbk_receive", &error);
        goto out;
    }
    example_say("process %lu has given me 0x%lx, type %s, access 0x%lx",
                (unsigned long)delivery->from_pid,
                (unsigned long)(uintptr_t)delivery->items[0].handle, delivery->items[0].type,
                (unsigned long)delivery->items[0].access);
    /* Nobody but the library knows a way to mistake this value for another. */
    good = example_check(delivery->endpoint == NULL && delivery->count == 1 &&
                             strcmp(delivery->items[0].type, "Event") == 0 &&
                             SetEvent(delivery->items[0].handle) != 0,
                         "signalled");
out:
    hbk_delivery_free(delivery); /* closes the handle */
    hbk_close(client);
    return good;
}

/* Reads S's line. */
static bool learn_value(const struct example_child *source, HANDLE *ret_value)
{
    char line[128];

    if (!example_next_line(source, line, sizeof line))
        return example_check(false, "S says which handle it has");
    const char *text = strstr(line, VALUE_IS);
    if (text == NULL)
        return example_check(false, "S says which handle it has");
    *ret_value = (HANDLE)(uintptr_t)strtoul(text + sizeof VALUE_IS - 1, NULL, 16);
    return true;
}

static bool transfer(hbk_client *client, DWORD source, HANDLE value, DWORD target)
{
    hbk_transferred moved;
    hbk_error_info error;
    /* T is to signal the event and no more: that is all the right that it gets. */
    hbk_transfer_options options = {.size = sizeof options,
                                    .source_pid = source,
                                    .handle = value,
                                    .target_pid = target,
                                    .type = "Event",
                                    .access = EVENT_MODIFY_STATE};

    if (hbk_transfer(client, &options, &moved, &error) != HBK_OK)
        return example_refused("hbk_transfer", &error);
    example_say("0x%lx of process %lu is now 0x%lx of process %lu", (unsigned long)(uintptr_t)value,
                (unsigned long)source, (unsigned long)(uintptr_t)moved.handle,
                (unsigned long)target);
    return example_check(moved.notified != 0, "T was notified") &&
           example_check(moved.access == EVENT_MODIFY_STATE, "with just the right to signal");
}

/* C: needs on S and T the right PROCESS_DUP_HANDLE, as it would without the broker. */
static bool run_catalyst(void)
{
    struct example_child source = {NULL, NULL, 0}, target = {NULL, NULL, 0};
    hbk_client *client = NULL;
    hbk_error_info error;
    char line[128];
    HANDLE value = NULL;
    bool good = false;

    example_begin("C");
    if (hbk_open(NULL, &client, &error) != HBK_OK)
        return example_refused("hbk_open", &error);
    if (example_start(&source, "source", NULL, true) && learn_value(&source, &value) &&
        example_start(&target, "target", NULL, true) &&
        example_next_line(&target, line, sizeof line))
        good = transfer(client, source.pid, value, target.pid);
    if (good) {
        good = example_ended_well(&target);
        good = example_ended_well(&source) && good;
    }
    example_kill(&target);
    example_kill(&source);
    hbk_close(client);
    return good;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "source") == 0)
        return run_source() ? 0 : 1;
    if (argc == 2 && strcmp(argv[1], "target") == 0)
        return run_target() ? 0 : 1;
    if (argc != 1) {
        fprintf(stderr, "usage: catalyst\n");
        return 2;
    }
    return run_catalyst() ? 0 : 1;
}
