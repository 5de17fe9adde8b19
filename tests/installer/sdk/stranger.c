/* Puts an event into the store of the service and takes it out again, which is most of what the library does: it
 * connects, proves itself, sends, and receives a handle.
 *
 *     stranger    exit code 0 only if the handle that came back is of the same event */
#include <handlebroker.h>

#include <stdio.h>

static int fail(const char *call, const hbk_error_info *error)
{
    printf("stranger: %s: %s\n", call, hbk_result_word(error->result));
    return 1;
}

int main(void)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    hbk_store_put_options put = {.size = sizeof put,
                                 .name = "user/stranger",
                                 .handle = event,
                                 .type = "Event",
                                 .access = EVENT_MODIFY_STATE};
    hbk_store_get_options get = {.size = sizeof get, .name = "user/stranger"};
    hbk_error_info error;
    hbk_client *client;
    hbk_taken *taken;

    if (hbk_open(NULL, &client, &error) != HBK_OK)
        return fail("hbk_open", &error);
    if (hbk_store_put(client, &put, NULL, &error) != HBK_OK)
        return fail("hbk_store_put", &error);
    if (hbk_store_get(client, &get, &taken, &error) != HBK_OK)
        return fail("hbk_store_get", &error);

    HANDLE other = hbk_taken_take(taken);
    SetEvent(other);
    int code = WaitForSingleObject(event, 0) == WAIT_OBJECT_0 ? 0 : 1;
    printf("stranger: %s, by library %s\n", code == 0 ? "the same event" : "another event",
           hbk_version());
    CloseHandle(other);
    hbk_taken_free(taken);
    hbk_close(client);
    CloseHandle(event);
    return code;
}
