/* The client's side of the rig: what is sent, and what is told. What tests take from it is in
 * core_answers.c. */
#include "core_client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grown(void *memory, size_t *capacity, size_t element)
{
    *capacity = *capacity ? *capacity * 2 : 16;
    void *result = realloc(memory, *capacity * element);
    assert_non_null(result);
    return result;
}

/* ---- a line that was told ---- */

static struct request *find_request(struct client *client, const struct hbk_id *id)
{
    if (id->kind != HBK_ID_NUMBER || id->number == 0 || id->number > client->requests_count)
        return NULL;
    return &client->requests[id->number - 1];
}

/* What a line says of a handle. */
struct told {
    struct fake_process *process; /* in whose table it is */
    uint32_t handle;
    struct hbk_text protocol_info, type;
    uint32_t access;
    uint32_t item; /* of a delivery */
    const struct request
        *request; /* that says whether the broker sees to `inherit`; NULL: it does not say */
};

static struct fake_slot *find_told(const struct fake_kernel *kernel, const struct told *told)
{
    bool is_socket = told->protocol_info.data != NULL;
    if (is_socket == (told->handle != 0) || is_socket != hbk_text_is(told->type, "Socket"))
        fake_violation(kernel, "told of a %.*s by value %u%s", (int)told->type.size,
                       told->type.data, told->handle, is_socket ? " and protocol information" : "");
    return is_socket ? fake_socket_find(told->process, told->protocol_info)
                     : fake_handle_find(told->process, told->handle);
}

/* A value that the line names is the process's from this moment on. @delivery: it can be revoked; 0: it can not. */
static void own(struct fake_kernel *kernel, const struct told *told, uint64_t delivery)
{
    if (!told->process->running)
        return;
    struct fake_slot *slot = find_told(kernel, told);
    const char *type = slot ? kernel->objects[slot->object].type : "";
    if (!slot || slot->origin != FAKE_ORIGIN_UNTOLD)
        fake_violation(kernel, "told of handle %u, which was not placed", told->handle);
    else if (slot->access != told->access)
        fake_violation(kernel, "told of access 0x%x, has 0x%x", told->access, slot->access);
    else if (!hbk_text_is(told->type, slot->socket ? "Socket" : type))
        fake_violation(kernel, "told of a wrong type");
    else if (told->request && slot->inherit != told->request->inherit)
        fake_violation(kernel, "told of handle %u, which is %sinheritable", told->handle,
                       slot->inherit ? "" : "not ");
    else
        fake_mark_told(kernel, slot, delivery, told->item);
}

static void own_items(struct client *client, const struct hbk_delivered_item *items, size_t count,
                      uint64_t delivery)
{
    for (size_t i = 0; i < count; ++i) {
        const struct told told = {.process = client->process,
                                  .handle = items[i].handle,
                                  .protocol_info = items[i].protocol_info,
                                  .type = items[i].type,
                                  .access = items[i].access,
                                  .item = (uint32_t)i};
        own(client->rig->kernel, &told, delivery);
    }
}

static void own_taken(struct client *client, const struct request *request,
                      const struct hbk_store_get_result *taken)
{
    const struct told told = {.process = client->process,
                              .handle = taken->handle,
                              .protocol_info = taken->protocol_info,
                              .type = taken->type,
                              .access = taken->access,
                              .request = request};
    own(client->rig->kernel, &told, 0);
}

/* Who was notified owns it since then. */
static void own_transferred(struct client *client, const struct request *request,
                            const struct hbk_transfer_result *result)
{
    struct fake_kernel *kernel = client->rig->kernel;
    struct fake_process *target = request->target;
    const struct told told = {.process = target,
                              .handle = result->handle,
                              .type = result->type,
                              .access = result->access,
                              .request = request};
    if (!target) {
        if (!result->notified)
            fake_violation(kernel, "a transfer to an endpoint that was not notified");
    } else if (target->pid == request->target_pid && !result->notified) {
        own(kernel, &told, 0);
    } else if (target->pid == request->target_pid && target->running) {
        const struct fake_slot *slot = fake_handle_find(target, result->handle);
        if (slot && slot->origin == FAKE_ORIGIN_UNTOLD)
            fake_violation(kernel, "process %u was not notified of %u", target->pid,
                           result->handle);
    }
}

/* The line by which @client was told, or offered, @delivery; NULL: none. */
static const struct hbk_delivered *find_delivery(const struct client *client,
                                                 enum hbk_method method, uint64_t delivery)
{
    for (size_t i = 0; i < client->inbox_count; ++i) {
        const struct hbk_message *message = &client->inbox[i]->message;
        if (message->kind == HBK_MESSAGE_NOTIFICATION && message->method == method &&
            message->u.params.delivered.delivery == delivery)
            return &message->u.params.delivered;
    }
    return NULL;
}

static void own_accepted(struct client *client, const struct request *request,
                         const struct hbk_accept_result *accepted)
{
    const struct hbk_delivered *offered =
        find_delivery(client, HBK_METHOD_HANDLE_OFFERED, request->delivery);
    if (!offered)
        fake_violation(client->rig->kernel, "an accept of what was not offered succeeds");
    else
        own_items(client, accepted->items, accepted->items_count,
                  offered->revocable ? offered->delivery : 0);
}

/* What it was told of, and is closed now. */
static void note_revoked(struct client *client, const struct hbk_revoked *revoked)
{
    const struct fake_kernel *kernel = client->rig->kernel;
    for (size_t i = 0; i < client->process->slots_high && client->process->running; ++i) {
        const struct fake_pin *pin =
            fake_revocable_by(kernel, &client->process->slots[i], revoked->delivery);
        for (size_t j = 0; j < revoked->closed_count && pin; ++j)
            if (pin->item == revoked->closed[j])
                fake_violation(kernel, "item %u is told as closed, and is not", pin->item);
    }
    fake_mark_revoked(kernel, client->process, revoked->delivery);
}

static size_t find_endpoint(const struct client *client, struct hbk_text name)
{
    size_t i = 0;
    while (i < client->endpoints_count && !hbk_text_is(name, client->endpoints[i]))
        ++i;
    return i;
}

static void note_opened(struct client *client, struct hbk_text name)
{
    assert_true(client->endpoints_count < CLIENT_ENDPOINTS_MAX);
    char *copy = calloc(1, name.size + 1);
    assert_non_null(copy);
    memcpy(copy, name.data, name.size);
    client->endpoints[client->endpoints_count++] = copy;
}

static void note_closed(struct client *client, const char *name)
{
    size_t i = find_endpoint(client, hbk_text_from(name));
    if (i == client->endpoints_count)
        fake_violation(client->rig->kernel, "closed an endpoint that was not open: %s", name);
    free(client->endpoints[i]);
    client->endpoints[i] = client->endpoints[--client->endpoints_count];
}

static void note_notification(struct client *client, const struct hbk_message *message)
{
    const struct hbk_delivered *delivered = &message->u.params.delivered;
    if (message->method == HBK_METHOD_SESSION_GONE || message->method == HBK_METHOD_BROKER_EVENT)
        return;
    if (message->method == HBK_METHOD_DELIVERY_REVOKED) {
        note_revoked(client, &message->u.params.revoked);
        return;
    }
    bool is_offer = message->method == HBK_METHOD_HANDLE_OFFERED;
    /* What is transferred to the process itself is never offered. */
    if ((delivered->endpoint.data || is_offer) &&
        find_endpoint(client, delivered->endpoint) == client->endpoints_count)
        fake_violation(client->rig->kernel, "a delivery at an endpoint that is not open");
    if (!is_offer) {
        assert_int_equal(message->method, HBK_METHOD_HANDLE_DELIVERED);
        own_items(client, delivered->items, delivered->items_count,
                  delivered->revocable ? delivered->delivery : 0);
    }
    for (size_t i = 0; i < delivered->items_count && is_offer; ++i)
        if (delivered->items[i].handle || delivered->items[i].protocol_info.data)
            fake_violation(client->rig->kernel, "an offer that names a value");
}

static void note_result(struct client *client, const struct request *request,
                        const struct hbk_message *message)
{
    switch (request->method) {
    case HBK_METHOD_SESSION_HELLO:
        client->session_id = message->u.result.hello.session;
        break;
    case HBK_METHOD_ENDPOINT_OPEN:
        note_opened(client, message->u.result.endpoint_open.endpoint);
        break;
    case HBK_METHOD_ENDPOINT_CLOSE:
        note_closed(client, request->name);
        break;
    case HBK_METHOD_DELIVERY_ACCEPT:
        own_accepted(client, request, &message->u.result.accept);
        break;
    case HBK_METHOD_STORE_GET:
        own_taken(client, request, &message->u.result.store_get);
        break;
    case HBK_METHOD_HANDLE_TRANSFER:
        own_transferred(client, request, &message->u.result.transfer);
        break;
    default:
        break;
    }
}

static void note_answer(struct client *client, struct hbk_message *message)
{
    const struct fake_kernel *kernel = client->rig->kernel;
    struct request *request = find_request(client, &message->id);
    if (!request) {
        if (!client->raw)
            fake_violation(kernel, "an answer to nothing that was asked");
        return;
    }
    if (++request->answers > 1 && !client->raw)
        fake_violation(kernel, "request %u is answered twice", (unsigned)message->id.number);
    request->answer = client->inbox_count - 1;
    if (message->kind != HBK_MESSAGE_RESULT)
        return;
    if (hbk_message_read_result(message, request->method))
        fake_violation(kernel, "an ill-formed result: %s", message->error.detail);
    note_result(client, request, message);
}

static void line_told(struct client *client, struct hbk_text line)
{
    struct rig *rig = client->rig;
    if (client->inbox_count == client->inbox_capacity)
        client->inbox = grown(client->inbox, &client->inbox_capacity, sizeof(void *));
    struct received *received = calloc(1, sizeof *received);
    assert_non_null(received);
    client->inbox[client->inbox_count++] = received;
    if (hbk_message_read_server_line(&received->message, line))
        fake_violation(rig->kernel, "an ill-formed line: %.*s", (int)line.size, line.data);
    if (received->message.kind == HBK_MESSAGE_NOTIFICATION)
        note_notification(client, &received->message);
    else if (received->message.kind == HBK_MESSAGE_RESULT ||
             received->message.id.kind != HBK_ID_NONE)
        note_answer(client, &received->message);
    if (rig->line_told)
        rig->line_told(client, &received->message);
}

void client_told(struct fake_connection *connection, const uint8_t *bytes, size_t size)
{
    struct client *client = connection->owner;
    struct hbk_buffer *inbound = &client->inbound;
    hbk_buffer_append(inbound, bytes, size);
    assert_false(inbound->failed);
    size_t start = 0;
    for (;;) {
        const uint8_t *from = inbound->data + start;
        const uint8_t *end = memchr(from, '\n', inbound->size - start);
        if (!end)
            break;
        size_t length = (size_t)(end - from);
        assert_true(length < HBK_LINE_BYTES_MAX);
        line_told(client, (struct hbk_text){.data = (const char *)from, .size = length});
        start += length + 1;
        if (start == inbound->size)
            break;
    }
    hbk_buffer_consume(inbound, start);
}

/* ---- a client's life ---- */

static struct hbk_peer peer_of(const struct rig *rig, const struct fake_process *process,
                               uint32_t identity)
{
    struct hbk_peer peer = {.pid = process->pid,
                            .terminal_session = rig->terminal_session,
                            .logon_session = 0x1000u + identity,
                            .integrity = 0x2000};
    snprintf(peer.user, sizeof peer.user, "S-1-5-21-1-2-3-%u", 1000 + identity);
    memset(peer.scope, (int)identity, sizeof peer.scope);
    return peer;
}

struct client *client_connect(struct rig *rig, struct fake_process *process, uint32_t identity)
{
    assert_true(rig->clients_count < RIG_CLIENTS_MAX);
    struct client *client = calloc(1, sizeof *client);
    assert_non_null(client);
    client->rig = rig;
    client->process = process;
    hbk_buffer_init(&client->inbound, (size_t)1 << 30);
    hbk_buffer_init(&client->outbound, (size_t)1 << 30);

    struct hbk_peer peer = peer_of(rig, process, identity);
    size_t sid_size = strlen(peer.user);
    if (rig->sid_tail)
        snprintf(peer.user + sid_size, sizeof peer.user - sid_size, "%s", rig->sid_tail);
    if (rig->one_scope)
        memset(peer.scope, (int)rig->one_scope, sizeof peer.scope);
    client->connection = fake_connect(rig->kernel, process, peer.user);
    client->connection->owner = client;
    rig_enter_core();
    int refused = hbk_core_session_opened(rig->core, &peer, client->connection, &client->session);
    rig_leave_core();
    if (refused) {
        assert_false(client->connection->closed);
        client->connection->closed = client->connection->released = true;
        --process->references;
        client_free(client);
        return NULL;
    }
    rig->clients[rig->clients_count++] = client;
    rig_run(rig);
    return client;
}

void client_free(struct client *client)
{
    for (size_t i = 0; i < client->inbox_count; ++i) {
        hbk_message_clear(&client->inbox[i]->message);
        free(client->inbox[i]);
    }
    for (size_t i = 0; i < client->requests_count; ++i)
        free(client->requests[i].name);
    for (size_t i = 0; i < client->endpoints_count; ++i)
        free(client->endpoints[i]);
    free(client->inbox);
    free(client->requests);
    hbk_buffer_deinit(&client->inbound);
    hbk_buffer_deinit(&client->outbound);
    free(client);
}

uint32_t client_hello(struct client *client)
{
    const struct hbk_message *answer =
        client_ok(client, HBK_METHOD_SESSION_HELLO,
                  "{'protocol':[1],'client':{'name':'test','version':'1'}}");
    return answer->u.result.hello.proof;
}

bool client_set_event(struct client *client, uint32_t value)
{
    const struct fake_slot *slot = fake_handle_find(client->process, value);
    if (!slot)
        return false;
    for (size_t i = 0; i < client->rig->kernel->connections_count; ++i) {
        struct fake_connection *connection = client->rig->kernel->connections[i];
        if (connection->proof_object == slot->object)
            connection->proof_set = true;
    }
    return true;
}

void client_prove(struct client *client)
{
    assert_true(client_set_event(client, client_hello(client)));
    client_ok(client, HBK_METHOD_SESSION_PROVE, NULL);
}

struct client *client_new(struct rig *rig, uint32_t pid, uint32_t identity)
{
    struct client *client = client_connect(rig, fake_process_start(rig->kernel, pid), identity);
    assert_non_null(client);
    client_prove(client);
    return client;
}

uint32_t client_make(struct client *client, const char *type, uint32_t access)
{
    return fake_handle_make(client->rig->kernel, client->process, type, access);
}

uint32_t client_make_socket(struct client *client, uint32_t access)
{
    return fake_socket_make(client->rig->kernel, client->process, access);
}

/* ---- what it sends ---- */

static void feed(struct client *client, const void *bytes, size_t size)
{
    client->connection->fed = true;
    rig_enter_core();
    hbk_core_bytes(client->rig->core, client->session, bytes, size);
    rig_leave_core();
}

bool client_feed(struct client *client)
{
    struct hbk_buffer *outbound = &client->outbound;
    if (outbound->size == 0 || client->connection->paused || client->connection->closed ||
        client->hung_up)
        return false;
    /* Its own copy, so that a sanitizer sees who reads past what has arrived. */
    struct fake_kernel *kernel = client->rig->kernel;
    size_t most = kernel->chaos.fragments ? 1 + fake_random_below(kernel, 300) : HBK_READ_BYTES;
    size_t size = outbound->size < most ? outbound->size : most;
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, outbound->data, size);
    hbk_buffer_consume(outbound, size);
    feed(client, copy, size);
    free(copy);
    return true;
}

void client_bytes(struct client *client, const void *bytes, size_t size)
{
    hbk_buffer_append(&client->outbound, bytes, size);
    assert_false(client->outbound.failed);
    while (client_feed(client))
        ;
}

void client_line(struct client *client, const char *text)
{
    client->raw = true;
    client_bytes(client, text, strlen(text));
    client_bytes(client, "\n", 1);
    rig_run(client->rig);
}

static char *copy_of_name(const char *params)
{
    const char *start = strstr(params, "'name':'");
    if (!start)
        return NULL;
    start += strlen("'name':'");
    size_t size = strcspn(start, "'");
    char *name = calloc(1, size + 1);
    assert_non_null(name);
    memcpy(name, start, size);
    return name;
}

/* The number behind @key in @params from @from on, 0 if there is none. */
static uint64_t number_behind(const char *params, const char *from, const char *key)
{
    const char *at = strstr(params, from);
    at = at ? strstr(at, key) : NULL;
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* Who has the handle once a transfer has succeeded. */
static void note_target(struct client *client, struct request *request, const char *params)
{
    struct fake_kernel *kernel = client->rig->kernel;
    request->target = client->process;
    request->target_pid = client->process->pid;
    if (!strstr(params, "'target':"))
        return;
    request->target = NULL;
    request->target_pid = (uint32_t)number_behind(params, "'target':{", "'pid':");
    for (size_t i = 0; i < FAKE_PROCESSES_MAX && request->target_pid; ++i)
        if (kernel->processes[i].running && kernel->processes[i].pid == request->target_pid)
            request->target = &kernel->processes[i];
}

/* What the answer has to be held against. */
static void note_params(struct client *client, struct request *request, const char *params)
{
    request->inherit = strstr(params, "'inherit':true") != NULL;
    if (request->method == HBK_METHOD_ENDPOINT_CLOSE)
        request->name = copy_of_name(params);
    else if (request->method == HBK_METHOD_DELIVERY_ACCEPT)
        request->delivery = number_behind(params, "", "'delivery':");
    else if (request->method == HBK_METHOD_HANDLE_TRANSFER)
        note_target(client, request, params);
}

uint32_t client_request_text(struct client *client, enum hbk_method method, const char *params)
{
    if (client->requests_count == client->requests_capacity)
        client->requests =
            grown(client->requests, &client->requests_capacity, sizeof *client->requests);
    struct request *request = &client->requests[client->requests_count++];
    *request = (struct request){.method = method};
    if (params)
        note_params(client, request, params);

    uint32_t id = (uint32_t)client->requests_count;
    size_t room = 128 + (params ? strlen(params) : 0);
    char *line = malloc(room);
    assert_non_null(line);
    int size = snprintf(line, room, "{'jsonrpc':'2.0','id':%u,'method':'%s'%s%s}\n", id,
                        hbk_method_name(method), params ? ",'params':" : "", params ? params : "");
    assert_true(size > 0 && (size_t)size < room);
    for (char *at = line; *at; ++at)
        if (*at == '\'')
            *at = '"';
    client_bytes(client, line, (size_t)size);
    free(line);
    return id;
}

char *client_format(const char *params, va_list values)
{
    if (!params)
        return NULL;
    va_list again;
    va_copy(again, values);
    int size = vsnprintf(NULL, 0, params, again);
    va_end(again);
    assert_true(size >= 0);
    char *text = malloc((size_t)size + 1);
    assert_non_null(text);
    vsnprintf(text, (size_t)size + 1, params, values);
    return text;
}

uint32_t client_request(struct client *client, enum hbk_method method, const char *params, ...)
{
    va_list values;
    va_start(values, params);
    char *text = client_format(params, values);
    va_end(values);
    uint32_t id = client_request_text(client, method, text);
    free(text);
    return id;
}

/* ---- what happens to it ---- */

void client_hang_up(struct client *client)
{
    client->hung_up = true;
    rig_enter_core();
    hbk_core_session_closed(client->rig->core, client->session);
    rig_leave_core();
    rig_run(client->rig);
}

void client_exit(struct client *client)
{
    fake_process_exit(client->rig->kernel, client->process);
    client_hang_up(client);
}

void client_write_ends(struct client *client, bool told)
{
    fake_write_end(client->connection, told);
    rig_enter_core();
    hbk_core_written(client->rig->core, client->session, told);
    rig_leave_core();
    rig_run(client->rig);
}

bool client_ended(const struct client *client)
{
    return client->connection->closed;
}
