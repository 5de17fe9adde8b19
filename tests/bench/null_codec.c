/* The codec's place without a codec: linked instead of proto/codec's decoder and encoder, so that what is left of a
 * hand-off is the core alone. A request's line is a number, under which its struct was kept when the line was
 * written; answers and notifications are a line of nothing. Framing, and everything else of proto/codec, is real. */
#include "message.h"

#include <stdlib.h>
#include <string.h>

#define DIGIT_BITS 7u
#define DIGITS 4u
#define DIGIT_MARK 0x80u /* so that no digit is an LF */

/* Small, as it is found in memory and not in caches, where a decoder leaves what it has made. */
struct request {
    uint64_t id;
    enum hbk_method method;
    union hbk_params params;
};

static struct request *requests;
static size_t requests_count, requests_capacity;

static const size_t params_sizes[HBK_METHOD_COUNT] = {
    [HBK_METHOD_SESSION_HELLO] = sizeof(struct hbk_hello),
    [HBK_METHOD_ENDPOINT_OPEN] = sizeof(struct hbk_endpoint_open),
    [HBK_METHOD_HANDLE_SEND] = sizeof(struct hbk_send),
    [HBK_METHOD_STORE_PUT] = sizeof(struct hbk_store_put),
    [HBK_METHOD_STORE_GET] = sizeof(struct hbk_store_get),
};

/* Lists and texts in @params are borrowed for good. Out of memory leaves an index that reading refuses. */
void hbk_write_request(struct hbk_buffer *buffer, const struct hbk_id *id, enum hbk_method method,
                       const void *params)
{
    uint8_t line[DIGITS + 1] = {0};
    size_t index = requests_count;

    if (requests_count == requests_capacity) {
        size_t capacity = requests_capacity == 0 ? 1024 : requests_capacity * 2;
        struct request *bigger = realloc(requests, capacity * sizeof *requests);

        if (bigger == NULL) {
            buffer->failed = true;
            return;
        }
        requests = bigger;
        requests_capacity = capacity;
    }
    HBK_ASSERT(id->kind == HBK_ID_NUMBER);
    requests[index].id = id->number;
    requests[index].method = method;
    if (params != NULL) {
        HBK_ASSERT(params_sizes[method] > 0);
        memcpy(&requests[index].params, params, params_sizes[method]);
    }
    requests_count++;
    for (size_t i = 0; i < DIGITS; i++) {
        line[i] = (uint8_t)(DIGIT_MARK | (index & (DIGIT_MARK - 1)));
        index >>= DIGIT_BITS;
    }
    HBK_ASSERT(index == 0);
    line[DIGITS] = '\n';
    hbk_buffer_append(buffer, line, sizeof line);
}

int hbk_message_read_request(struct hbk_message *message, struct hbk_text line)
{
    const struct request *request;
    size_t index = 0;

    HBK_ASSERT(line.size == DIGITS);
    for (size_t i = DIGITS; i-- > 0;) {
        index = index << DIGIT_BITS | ((uint8_t)line.data[i] & (DIGIT_MARK - 1));
    }
    HBK_ASSERT(index < requests_count);
    request = &requests[index];
    message->kind = HBK_MESSAGE_REQUEST;
    message->method = request->method;
    message->id.kind = HBK_ID_NUMBER;
    message->id.number = request->id;
    memcpy(&message->u.params, &request->params, params_sizes[request->method]);
    return 0;
}

/* Nothing is in there but what the next request overwrites. */
void hbk_message_clear(struct hbk_message *message)
{
    message->kind = HBK_MESSAGE_NONE;
    message->method = HBK_METHOD_NONE;
}

static void put_line(struct hbk_buffer *buffer)
{
    hbk_buffer_append(buffer, "\n", 1);
}

void hbk_write_notification(struct hbk_buffer *buffer, enum hbk_method method, const void *params)
{
    (void)method;
    (void)params;
    put_line(buffer);
}

void hbk_write_result(struct hbk_buffer *buffer, const struct hbk_id *id, enum hbk_method method,
                      const void *result)
{
    (void)id;
    (void)method;
    (void)result;
    put_line(buffer);
}

/* Nothing that is measured is refused: this is to be seen. */
void hbk_write_error(struct hbk_buffer *buffer, const struct hbk_id *id,
                     const struct hbk_error *error)
{
    static const char line[] = "\"error\":\n";

    (void)id;
    (void)error;
    hbk_buffer_append(buffer, line, sizeof line - 1);
}

void hbk_write_event(struct hbk_buffer *buffer, const struct hbk_event *event)
{
    (void)event;
    put_line(buffer);
}
