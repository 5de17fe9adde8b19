/* send NAME FILE
 *
 * Opens FILE to read it and hands it, with an event to say that it was read, to who has opened the endpoint NAME (such
 * as user/inbox). Exit code 0 only if the target has set the event. With the library; the other languages here do
 * without. */
#include <handlebroker.h>

#include <stdio.h>

#define WAIT_MS 10000u

static int failed(const char *call, const hbk_error_info *error)
{
    fprintf(stderr, "source: %s: %s: %s\n", call, hbk_result_word(error->result), error->detail);
    return 1;
}

int main(int count, char **arguments)
{
    hbk_client *client = NULL;
    hbk_error_info error;

    if (count != 3) {
        fprintf(stderr, "send NAME FILE\n");
        return 2;
    }
    HANDLE file =
        CreateFileA(arguments[2], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (file == INVALID_HANDLE_VALUE || event == NULL) {
        fprintf(stderr, "source: the file cannot be opened (Windows error %lu)\n", GetLastError());
        return 1;
    }
    hbk_send_item items[] = {
        {.handle = file, .type = "File", .access = HBK_ACCESS_READ},
        {.handle = event, .type = "Event", .access = EVENT_MODIFY_STATE},
    };
    hbk_send_options send = {.size = sizeof send, .to = arguments[1], .items = items, .count = 2};

    if (hbk_open(NULL, &client, &error) != HBK_OK)
        return failed("hbk_open", &error);
    if (hbk_send(client, &send, NULL, &error) != HBK_OK)
        return failed("hbk_send", &error);
    CloseHandle(file); /* the target has its own */
    if (WaitForSingleObject(event, WAIT_MS) != WAIT_OBJECT_0) {
        fprintf(stderr, "source: the target has not set the event\n");
        return 1;
    }
    printf("source: the target has set the event\n");
    CloseHandle(event);
    hbk_close(client);
    return 0;
}
