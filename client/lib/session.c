/* A client's life. */
#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* The name of this program's file, as UTF-8 that fits. */
static void own_name(char *ret_name, size_t size)
{
    wchar_t path[1024] = L"";
    char name[3 * 1024 + 1];

    memcpy(ret_name, "unknown", sizeof "unknown");
    DWORD length = GetModuleFileNameW(NULL, path, sizeof path / sizeof path[0]);
    if (length == 0 || length >= sizeof path / sizeof path[0])
        return;
    const wchar_t *file = wcsrchr(path, L'\\');
    file = file != NULL ? file + 1 : path;
    if (WideCharToMultiByte(CP_UTF8, 0, file, -1, name, sizeof name, NULL, NULL) <= 1)
        return;
    size_t fits = strlen(name);
    if (fits >= size)
        fits = hbk_utf8_check(name, size - 1);
    memcpy(ret_name, name, fits);
    ret_name[fits] = '\0';
}

static bool text_fits(const char *text, size_t bytes_max)
{
    size_t size = strlen(text);
    return size >= 1 && size <= bytes_max && hbk_utf8_check(text, size) == size;
}

static hbk_result check_options(const hbk_open_options *options, hbk_error_info *ret_error)
{
    const char *fault = NULL;

    if (options->size != sizeof *options)
        fault = "options->size is not sizeof(hbk_open_options)";
    else if (options->flags & ~HBK_OPEN_UNVERIFIED)
        fault = "options->flags has a bit that this version does not know";
    else if (options->client_name != NULL &&
             !text_fits(options->client_name, HBK_CLIENT_NAME_BYTES_MAX))
        fault = "options->client_name is not 1 to 64 bytes of UTF-8";
    else if (options->client_version != NULL &&
             !text_fits(options->client_version, HBK_CLIENT_VERSION_BYTES_MAX))
        fault = "options->client_version is not 1 to 32 bytes of UTF-8";
    if (fault != NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "%s", fault);
    return HBK_OK;
}

static bool take_hello(void *context, const struct hbk_message *message)
{
    uint32_t *proof = context;
    *proof = message->u.result.hello.proof;
    return true;
}

/* hello, the proof that we are the process that the service takes us for, and prove. */
static hbk_result introduce(struct hbk_client *client, const hbk_open_options *options,
                            uint64_t deadline_ms, hbk_error_info *ret_error)
{
    static const uint32_t protocols[] = {HBK_PROTOCOL_VERSION};
    char name[HBK_CLIENT_NAME_BYTES_MAX + 1];
    uint32_t proof = 0;
    struct hbk_hello hello = {0};

    own_name(name, sizeof name);
    hello.protocol = protocols;
    hello.protocol_count = sizeof protocols / sizeof protocols[0];
    hello.client_name = hbk_text_from(options->client_name != NULL ? options->client_name : name);
    hello.client_version =
        hbk_text_from(options->client_version != NULL ? options->client_version : "0");
    hbk_result result = hbk_call_until(client, HBK_METHOD_SESSION_HELLO, &hello, deadline_ms,
                                       take_hello, &proof, ret_error);
    if (result != HBK_OK)
        return result;
    /* The event stays open: the service closes it. */
    if (!SetEvent((HANDLE)(uintptr_t)proof))
        return hbk_fail(ret_error, HBK_OS_ERROR, -1, GetLastError(),
                        "the service's proof event is not in this process");
    return hbk_call_until(client, HBK_METHOD_SESSION_PROVE, NULL, deadline_ms, NULL, NULL,
                          ret_error);
}

/* Frees a client in which no thread is. */
static void destroy(struct hbk_client *client)
{
    struct hbk_arrival *arrival;
    struct hbk_listening *listening;

    AcquireSRWLockExclusive(&client->lock);
    if (!client->ended)
        hbk_io_end(client);
    ReleaseSRWLockExclusive(&client->lock);
    while ((arrival = client->arrivals[HBK_ARRIVAL_DELIVERY].first) != NULL) {
        client->arrivals[HBK_ARRIVAL_DELIVERY].first = arrival->next;
        hbk_delivery_discard((struct hbk_delivery_body *)(void *)arrival);
    }
    hbk_records_discard(client);
    hbk_notifications_discard(client);
    hbk_held_forget(client);
    while ((listening = client->listening) != NULL) {
        client->listening = listening->next;
        free(listening);
    }
    hbk_io_deinit(client);
    free(client);
}

hbk_result hbk_open(const hbk_open_options *options, hbk_client **ret_client,
                    hbk_error_info *ret_error)
{
    static const hbk_open_options defaults = {.size = sizeof defaults};
    struct hbk_client *client = NULL;
    HANDLE pipe = NULL;

    if (ret_client == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "ret_client is NULL");
    if (options == NULL)
        options = &defaults;
    hbk_result result = check_options(options, ret_error);
    if (result != HBK_OK)
        return result;
    uint32_t timeout_ms = options->connect_timeout_ms;
    uint64_t deadline_ms = hbk_now_ms() + (timeout_ms != 0 ? timeout_ms : HBK_CONNECT_TIMEOUT_MS);
    result = hbk_connect(options->pipe != NULL ? options->pipe : HBK_PIPE_NAME, options->flags,
                         deadline_ms, &pipe, ret_error);
    if (result != HBK_OK)
        return result;
    client = calloc(1, sizeof *client);
    if (client == NULL) {
        CloseHandle(pipe);
        return hbk_fail(ret_error, HBK_NO_MEMORY, -1, 0, "out of memory for a client");
    }
    if (hbk_io_init(client, pipe))
        result = introduce(client, options, deadline_ms, ret_error);
    else
        result = hbk_fail(ret_error, HBK_OS_ERROR, -1, GetLastError(), "no event could be made");
    if (result == HBK_OK) {
        *ret_client = client;
        return HBK_OK;
    }
    /* Why the connection ended tells more than that it did: a limit, a stop, no answer in time. */
    if (result == HBK_DISCONNECTED)
        result = hbk_fail_with(ret_error, &client->reason);
    destroy(client);
    return result;
}

void hbk_close(hbk_client *client)
{
    struct hbk_listening *listening;
    uint64_t deadline_ms = hbk_now_ms() + HBK_CLOSE_TIMEOUT_MS;
    hbk_result result = HBK_OK;

    if (client == NULL)
        return;
    hbk_notify_deinit(client);
    /* The answer comes after the endpoint's last delivery: what the service has told us of by then
     * is in the queue, and what it has not told it takes back by itself. */
    for (listening = client->listening; listening != NULL && result != HBK_DISCONNECTED;
         listening = listening->next) {
        struct hbk_endpoint_close params = {.name = hbk_text_from(listening->name)};
        result = hbk_call_until(client, HBK_METHOD_ENDPOINT_CLOSE, &params, deadline_ms, NULL, NULL,
                                NULL);
    }
    destroy(client);
}

HANDLE hbk_wait_handle(hbk_client *client)
{
    if (client == NULL)
        return NULL;
    AcquireSRWLockExclusive(&client->lock);
    hbk_io_arm(client);
    ReleaseSRWLockExclusive(&client->lock);
    return client->arrived;
}
