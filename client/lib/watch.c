/* Audit records: from the line to the application. Unlike a delivery, a record that finds no room is
 * let go: nothing is lost with it but what the next one's `missed` tells. */
#include "client.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

/* A record with all its memory: strings and items lie behind it, in one block. */
struct record_body {
    struct hbk_arrival arrival; /* first */
    hbk_record record;          /* what the application has is a pointer to this */
};

static size_t room(const struct hbk_event *event)
{
    return hbk_copy_room(event->event) + hbk_copy_room(event->outcome) +
           hbk_copy_room(event->caller.user) + hbk_copy_room(event->target.user) +
           hbk_copy_room(event->source.user) + hbk_copy_room(event->endpoint) +
           hbk_copy_room(event->error) + hbk_copy_room(event->detail);
}

static void fill_party(hbk_party *ret_party, const struct hbk_client *client,
                       const struct hbk_event_party *party, char **at)
{
    ret_party->session = hbk_id_tell(client, party->session);
    ret_party->pid = party->pid;
    ret_party->user = hbk_copy_put(at, party->user);
}

static void fill_record(hbk_record *ret_record, const struct hbk_client *client,
                        const struct hbk_event *event, char **at)
{
    ret_record->serial = event->serial;
    ret_record->time_ms = event->time_ms;
    ret_record->event = hbk_copy_put(at, event->event);
    ret_record->outcome = hbk_copy_put(at, event->outcome);
    ret_record->correlation = event->correlation;
    ret_record->delivery = hbk_id_tell(client, event->delivery);
    fill_party(&ret_record->caller, client, &event->caller, at);
    fill_party(&ret_record->target, client, &event->target, at);
    fill_party(&ret_record->source, client, &event->source, at);
    ret_record->endpoint = hbk_copy_put(at, event->endpoint);
    ret_record->error = hbk_copy_put(at, event->error);
    ret_record->detail = hbk_copy_put(at, event->detail);
    ret_record->win32 = event->win32;
    ret_record->stands_for = event->count;
}

/* Return: NULL out of memory. */
static struct record_body *record_new(const struct hbk_client *client,
                                      const struct hbk_event *event, struct hbk_text json,
                                      size_t *ret_size)
{
    size_t texts_at = sizeof(struct record_body) + event->items_count * sizeof(hbk_sent_info);
    size_t size = texts_at + room(event) + hbk_copy_room(json);

    struct record_body *body = calloc(1, size);
    if (body == NULL)
        return NULL;
    hbk_sent_info *items = (hbk_sent_info *)(void *)(body + 1);
    for (size_t i = 0; i < event->items_count; i++) {
        hbk_copy_text(items[i].type, sizeof items[i].type, event->items[i].type);
        items[i].access = event->items[i].access;
    }
    char *at = (char *)body + texts_at;
    fill_record(&body->record, client, event, &at);
    body->record.json = hbk_copy_put(&at, json);
    body->record.count = event->items_count;
    body->record.items = items;
    HBK_ASSERT(at == (char *)body + size);
    *ret_size = size;
    return body;
}

/* The record with its JSON. Return: NULL out of memory. */
static struct record_body *record_written(const struct hbk_client *client,
                                          const struct hbk_event *event, size_t *ret_size)
{
    struct record_body *body = NULL;
    struct hbk_buffer line;

    hbk_buffer_init(&line, HBK_LINE_BYTES_MAX);
    hbk_write_event(&line, event);
    if (!line.failed)
        body = record_new(client, event, (struct hbk_text){(const char *)line.data, line.size - 1},
                          ret_size);
    hbk_buffer_deinit(&line);
    return body;
}

void hbk_record_in(struct hbk_client *client, const struct hbk_event *event)
{
    size_t size = 0;

    if (client->arrivals[HBK_ARRIVAL_RECORD].bytes >= HBK_RECORDS_BYTES_MAX)
        return;
    struct record_body *body = record_written(client, event, &size);
    if (body == NULL)
        return;
    /* A serial that falls is of a service that has started since: of its records we missed the first. */
    if (client->last_serial != 0)
        body->record.missed =
            event->serial - (event->serial > client->last_serial ? client->last_serial : 0) - 1;
    client->last_serial = event->serial;
    hbk_arrival_in(client, HBK_ARRIVAL_RECORD, &body->arrival, size);
}

void hbk_records_discard(struct hbk_client *client)
{
    struct hbk_arrivals *queue = &client->arrivals[HBK_ARRIVAL_RECORD];
    struct hbk_arrival *arrival;

    while ((arrival = queue->first) != NULL) {
        queue->first = arrival->next;
        free(arrival);
    }
}

/* With the answer, and not a moment later: a reopening is to know of it. */
static bool take_watching(void *context, const struct hbk_message *message)
{
    struct hbk_client *client = context;

    (void)message;
    client->watching = true;
    return true;
}

hbk_result hbk_watch(hbk_client *client, hbk_error_info *ret_error)
{
    if (client == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client is NULL");
    return hbk_call(client, HBK_METHOD_BROKER_WATCH, NULL, 0, take_watching, client, ret_error);
}

hbk_result hbk_watch_receive(hbk_client *client, uint32_t timeout_ms, hbk_record **ret_record,
                             hbk_error_info *ret_error)
{
    struct hbk_arrival *arrival = NULL;

    if (client == NULL || ret_record == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "client or ret_record is NULL");
    hbk_result result =
        hbk_arrival_receive(client, HBK_ARRIVAL_RECORD, timeout_ms, &arrival, ret_error);
    if (result == HBK_OK)
        *ret_record = &((struct record_body *)(void *)arrival)->record;
    return result;
}

/* Decodes @line as what it would be if the service told it now. */
static int read_event(struct hbk_message *message, struct hbk_text line)
{
    static const char before[] = "{\"jsonrpc\":\"2.0\",\"method\":\"broker.event\",\"params\":";
    struct hbk_buffer told;

    hbk_buffer_init(&told, HBK_LINE_BYTES_MAX + sizeof before);
    hbk_buffer_append(&told, before, sizeof before - 1);
    hbk_buffer_append(&told, line.data, line.size);
    hbk_buffer_append(&told, "}", 1);
    int result = -1;
    if (!told.failed)
        result = hbk_message_read_server_line(
            message, (struct hbk_text){(const char *)told.data, told.size});
    hbk_buffer_deinit(&told);
    return result;
}

hbk_result hbk_record_read(const char *line, size_t size, hbk_record **ret_record,
                           hbk_error_info *ret_error)
{
    struct hbk_message message = {0};
    struct record_body *body = NULL;

    if (line == NULL || ret_record == NULL)
        return hbk_fail(ret_error, HBK_INVALID_ARGUMENT, -1, 0, "line or ret_record is NULL");
    if (size >= HBK_LINE_BYTES_MAX)
        return hbk_fail(ret_error, HBK_PARSE_ERROR, -1, 0, "the line has more than %d bytes",
                        HBK_LINE_BYTES_MAX);
    /* One object by itself, so that it can be a part of another line. */
    int decoded = hbk_json_check((struct hbk_text){line, size}, &message.error);
    if (decoded == 0)
        decoded = read_event(&message, (struct hbk_text){line, size});
    if (decoded > 0) {
        hbk_result result = hbk_fail_with(ret_error, &message.error);
        hbk_message_clear(&message);
        return result;
    }
    if (decoded == 0)
        body = record_written(NULL, &message.u.params.event, &size);
    hbk_message_clear(&message);
    if (body == NULL)
        return hbk_fail(ret_error, HBK_NO_MEMORY, -1, 0, "out of memory for a record");
    *ret_record = &body->record;
    return HBK_OK;
}

void hbk_record_free(hbk_record *record)
{
    if (record != NULL)
        free((char *)record - offsetof(struct record_body, record));
}
