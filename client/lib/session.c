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
    else if (options->flags & ~(HBK_OPEN_UNVERIFIED | HBK_OPEN_REOPEN))
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

/* ---- a connection ---- */

/* hello, the proof that we are the process that the service takes us for, and prove. */
static hbk_result introduce(struct hbk_client *client, const struct hbk_opening *opening,
                            uint64_t deadline_ms, hbk_error_info *ret_error)
{
    static const uint32_t protocols[] = {HBK_PROTOCOL_VERSION};
    uint32_t proof = 0;
    struct hbk_hello hello = {0};

    hello.protocol = protocols;
    hello.protocol_count = sizeof protocols / sizeof protocols[0];
    hello.client_name = hbk_text_from(opening->name);
    hello.client_version = hbk_text_from(opening->version);
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

/* Takes over the connected @pipe, also on failure. */
static bool init(struct hbk_client *client, HANDLE pipe)
{
    InitializeSRWLock(&client->lock);
    InitializeConditionVariable(&client->reopened);
    client->pipe = pipe;
    client->arrived = CreateEventW(NULL, TRUE, FALSE, NULL);
    client->apart = CreateEventW(NULL, TRUE, FALSE, NULL);
    client->written = CreateEventW(NULL, TRUE, FALSE, NULL);
    client->baton = CreateEventW(NULL, FALSE, FALSE, NULL);
    /* Without its events it can be freed and nothing else. */
    client->ended = client->arrived == NULL || client->apart == NULL || client->written == NULL ||
                    client->baton == NULL;
    return !client->ended;
}

static void close_owned(HANDLE *handle)
{
    if (*handle != NULL)
        CloseHandle(*handle);
    *handle = NULL;
}

void hbk_session_free(struct hbk_client *client)
{
    struct hbk_arrival *arrival;
    struct hbk_listening *listening;

    if (client == NULL)
        return;
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
    HBK_ASSERT(client->first == NULL && !client->read.pending && client->writer == NULL);
    close_owned(&client->pipe);
    close_owned(&client->arrived);
    close_owned(&client->apart);
    close_owned(&client->written);
    close_owned(&client->baton);
    hbk_framer_deinit(&client->framer);
    hbk_message_clear(&client->message);
    free(client->opening.pipe);
    free(client);
}

hbk_result hbk_session_new(const struct hbk_opening *opening, unsigned epoch, uint64_t find_ms,
                           uint64_t deadline_ms, struct hbk_client **ret_client,
                           hbk_error_info *ret_error)
{
    struct hbk_client *client = NULL;
    HANDLE pipe = NULL;

    hbk_result result = hbk_connect(opening->pipe, opening->flags, find_ms, &pipe, ret_error);
    if (result != HBK_OK)
        return result;
    client = calloc(1, sizeof *client);
    if (client == NULL) {
        CloseHandle(pipe);
        return hbk_fail(ret_error, HBK_NO_MEMORY, -1, 0, "out of memory for a client");
    }
    client->epoch = epoch;
    if (init(client, pipe))
        result = introduce(client, opening, deadline_ms, ret_error);
    else
        result = hbk_fail(ret_error, HBK_OS_ERROR, -1, GetLastError(), "no event could be made");
    if (result == HBK_OK) {
        *ret_client = client;
        return HBK_OK;
    }
    /* Why the connection ended tells more than that it did: a limit, a stop, no answer in time. */
    if (result == HBK_DISCONNECTED)
        result = hbk_fail_with(ret_error, &client->reason);
    hbk_session_free(client);
    return result;
}

/* ---- a client ---- */

/* Return: false, out of memory. */
static bool keep_opening(struct hbk_opening *ret_opening, const hbk_open_options *options)
{
    const wchar_t *pipe = options->pipe != NULL ? options->pipe : HBK_PIPE_NAME;
    struct hbk_text version =
        hbk_text_from(options->client_version != NULL ? options->client_version : "0");
    size_t size = (wcslen(pipe) + 1) * sizeof pipe[0];

    ret_opening->pipe = malloc(size);
    if (ret_opening->pipe == NULL)
        return false;
    memcpy(ret_opening->pipe, pipe, size);
    ret_opening->flags = options->flags;
    ret_opening->timeout_ms =
        options->connect_timeout_ms != 0 ? options->connect_timeout_ms : HBK_CONNECT_TIMEOUT_MS;
    if (options->client_name != NULL)
        hbk_copy_text(ret_opening->name, sizeof ret_opening->name,
                      hbk_text_from(options->client_name));
    else
        own_name(ret_opening->name, sizeof ret_opening->name);
    hbk_copy_text(ret_opening->version, sizeof ret_opening->version, version);
    return true;
}

hbk_result hbk_open(const hbk_open_options *options, hbk_client **ret_client,
                    hbk_error_info *ret_error)
{
    static const hbk_open_options defaults = {.size = sizeof defaults};
    struct hbk_opening opening = {0};
    struct hbk_client *client = NULL;

    if (ret_client == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "ret_client is NULL");
    if (options == NULL)
        options = &defaults;
    hbk_result result = check_options(options, ret_error);
    if (result != HBK_OK)
        return result;
    if (!keep_opening(&opening, options))
        return hbk_fail(ret_error, HBK_NO_MEMORY, -1, 0, "out of memory for a client");
    uint64_t deadline_ms = hbk_now_ms() + opening.timeout_ms;
    result = hbk_session_new(&opening, 0, deadline_ms, deadline_ms, &client, ret_error);
    if (result != HBK_OK) {
        free(opening.pipe);
        return result;
    }
    HBK_ASSERT(client != NULL);
    client->opening = opening;
    *ret_client = client;
    return HBK_OK;
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
        struct hbk_endpoint_close params = {.name = listening->params.name};
        result = hbk_call_until(client, HBK_METHOD_ENDPOINT_CLOSE, &params, deadline_ms, NULL, NULL,
                                NULL);
    }
    hbk_session_free(client);
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
