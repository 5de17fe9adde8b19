/* receive NAME
 *
 * Opens the endpoint NAME (such as user/inbox), takes one delivery and uses it: what a file has in it is printed, an
 * event is set. Exit code 0 only if that was done. With the library; the other languages here do without. */
#include <handlebroker.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int failed(const char *call, const hbk_error_info *error)
{
    fprintf(stderr, "target: %s: %s: %s\n", call, hbk_result_word(error->result), error->detail);
    return 1;
}

static bool print_file(HANDLE file)
{
    char bytes[4096];
    DWORD count = 0;

    while (ReadFile(file, bytes, sizeof bytes, &count, NULL)) {
        if (count == 0)
            return true;
        fwrite(bytes, 1, count, stdout);
    }
    return false;
}

static bool use(HANDLE handle, const char *type)
{
    bool done = strcmp(type, "Event") == 0 ? SetEvent(handle) : print_file(handle);

    if (!done)
        fprintf(stderr, "target: this %s cannot be used (Windows error %lu)\n", type,
                GetLastError());
    CloseHandle(handle);
    return done;
}

int main(int count, char **arguments)
{
    /* This is the consent: files to read, and events to set, and nothing else. */
    static const hbk_type_accept types[] = {
        {.type = "File", .access = HBK_ACCESS_READ},
        {.type = "Event", .access = EVENT_MODIFY_STATE},
    };
    hbk_endpoint_options endpoint = {.size = sizeof endpoint, .types = types, .types_count = 2};
    hbk_client *client = NULL;
    hbk_delivery *delivery = NULL;
    hbk_error_info error;
    bool done = true;

    if (count != 2) {
        fprintf(stderr, "receive NAME\n");
        return 2;
    }
    endpoint.name = arguments[1];
    if (hbk_open(NULL, &client, &error) != HBK_OK)
        return failed("hbk_open", &error);
    if (hbk_endpoint_open(client, &endpoint, &error) != HBK_OK)
        return failed("hbk_endpoint_open", &error);
    printf("target: %s is open\n", endpoint.name);
    fflush(stdout);
    if (hbk_receive(client, INFINITE, &delivery, &error) != HBK_OK)
        return failed("hbk_receive", &error);
    for (size_t i = 0; i < delivery->count; i++)
        done = use(hbk_delivery_take(delivery, i), delivery->items[i].type) && done;
    hbk_delivery_free(delivery);
    hbk_close(client);
    return done ? 0 : 1;
}
