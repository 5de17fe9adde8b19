/* Lines to messages: the strict scan, then cJSON's tree, its top level here and the rest by fields.c. */
#include "message.h"
#include "fields.h"
#include "json.h"

#include <string.h>

#include <cjson/cJSON.h>

/* The top level of a line: its members, each NULL where it is not there. */
struct envelope {
    const cJSON *jsonrpc, *id, *method, *params, *result, *error;
    const char *unknown; /* key of a member that is none of these */
};

/* Frees what was decoded and keeps what is told about a line that was refused: id, method, error. */
static void drop(struct hbk_message *message)
{
    hbk_fields_free_lists(message);
    cJSON_Delete(message->tree);
    message->tree = NULL;
    message->kind = HBK_MESSAGE_NONE;
    memset(&message->u, 0, sizeof message->u);
}

void hbk_message_clear(struct hbk_message *message)
{
    drop(message);
    memset(message, 0, sizeof *message);
}

/* Ends a decoding that failed with @result, whatever was decoded so far. */
static int fail(struct hbk_message *message, int result)
{
    if (result < 0)
        hbk_message_clear(message);
    else
        drop(message);
    return result;
}

static int refuse_line(struct hbk_message *message, const char *what)
{
    hbk_error_set(&message->error, HBK_R_INVALID_REQUEST, "%s", what);
    return HBK_DECODE_E_REFUSED;
}

static bool decode_id(struct hbk_id *id, const cJSON *value)
{
    size_t size;

    if (cJSON_IsNumber(value)) {
        if (!(value->valuedouble >= 1 && value->valuedouble <= (double)HBK_INTEGER_MAX))
            return false;
        id->kind = HBK_ID_NUMBER;
        id->number = (uint64_t)value->valuedouble;
        return true;
    }
    if (!cJSON_IsString(value))
        return false;
    size = strlen(value->valuestring);
    if (size > HBK_ID_TEXT_BYTES_MAX)
        return false;
    id->kind = HBK_ID_TEXT;
    id->text_size = (uint8_t)size;
    memcpy(id->text, value->valuestring, size);
    return true;
}

/* Checks and parses a line; what both directions have in common. */
static int open_line(struct hbk_message *message, struct hbk_text line, struct envelope *ret)
{
    const cJSON *member;

    memset(ret, 0, sizeof *ret);
    if (line.size >= HBK_LINE_BYTES_MAX) {
        hbk_error_set(&message->error, HBK_R_PARSE_ERROR, "the line has more than %d bytes",
                      HBK_LINE_BYTES_MAX);
        return HBK_DECODE_E_REFUSED;
    }
    if (hbk_json_check(line, &message->error) != 0)
        return HBK_DECODE_E_REFUSED;
    message->tree = cJSON_ParseWithLength(line.data, line.size);
    if (message->tree == NULL)
        return -1; /* memory: what cJSON refuses, the scan has refused */
    cJSON_ArrayForEach(member, (const cJSON *)message->tree)
    {
        if (strcmp(member->string, "jsonrpc") == 0)
            ret->jsonrpc = member;
        else if (strcmp(member->string, "id") == 0)
            ret->id = member;
        else if (strcmp(member->string, "method") == 0)
            ret->method = member;
        else if (strcmp(member->string, "params") == 0)
            ret->params = member;
        else if (strcmp(member->string, "result") == 0)
            ret->result = member;
        else if (strcmp(member->string, "error") == 0)
            ret->error = member;
        else
            ret->unknown = member->string;
    }
    if (ret->id != NULL)
        (void)decode_id(&message->id, ret->id);
    if (ret->unknown != NULL) {
        char quoted[HBK_QUOTE_BYTES];

        hbk_error_set(&message->error, HBK_R_INVALID_REQUEST, "unknown key %s beside jsonrpc",
                      hbk_text_quote(hbk_text_from(ret->unknown), quoted));
        return HBK_DECODE_E_REFUSED;
    }
    if (ret->jsonrpc == NULL || !cJSON_IsString(ret->jsonrpc) ||
        strcmp(ret->jsonrpc->valuestring, "2.0") != 0)
        return refuse_line(message, "\"jsonrpc\":\"2.0\" is missing");
    if (ret->method != NULL && !cJSON_IsString(ret->method))
        return refuse_line(message, "method must be a string");
    if (ret->params != NULL && !cJSON_IsObject(ret->params))
        return refuse_line(message, "params must be an object");
    return 0;
}

/* Finds the method and decodes its params. */
static int decode_call(struct hbk_message *message, const struct envelope *envelope,
                       bool notification)
{
    const char *name = envelope->method->valuestring;
    char quoted[HBK_QUOTE_BYTES];

    for (int i = HBK_METHOD_NONE + 1; i < HBK_METHOD_COUNT; i++) {
        const struct hbk_method_info *info = hbk_method_info((enum hbk_method)i);

        if (info->notification != notification || strcmp(info->name, name) != 0)
            continue;
        message->method = (enum hbk_method)i;
        return hbk_fields_decode(message, notification, info->params, envelope->params,
                                 &message->u.params, "params");
    }
    hbk_error_set(&message->error, HBK_R_METHOD_NOT_FOUND, "no method %s in protocol version %d",
                  hbk_text_quote(hbk_text_from(name), quoted), HBK_PROTOCOL_VERSION);
    return HBK_DECODE_E_REFUSED;
}

static int read_request(struct hbk_message *message, struct hbk_text line)
{
    struct envelope envelope;
    const int result = open_line(message, line, &envelope);

    if (result != 0)
        return result;
    if (envelope.result != NULL || envelope.error != NULL)
        return refuse_line(message, "an answer; here requests are sent and the service answers");
    if (envelope.id == NULL)
        return refuse_line(message, "id is missing; clients send requests, not notifications");
    if (message->id.kind == HBK_ID_NONE)
        return refuse_line(message,
                           "id must be an integer 1 to 2^53-1 or at most 64 bytes of text");
    if (envelope.method == NULL)
        return refuse_line(message, "method is missing");
    message->kind = HBK_MESSAGE_REQUEST;
    return decode_call(message, &envelope, false);
}

int hbk_message_read_request(struct hbk_message *message, struct hbk_text line)
{
    int result;

    hbk_message_clear(message);
    result = read_request(message, line);
    return result == 0 ? 0 : fail(message, result);
}

/* `error` of an answer into message->error. */
static int decode_error(struct hbk_message *message, const cJSON *value)
{
    struct hbk_wire_error wire = {0};
    int result;

    if (!cJSON_IsObject(value))
        return refuse_line(message, "error must be an object");
    result = hbk_fields_decode(message, true, &hbk_schema_error, value, &wire, "error");
    if (result != 0)
        return result;
    if (wire.code == HBK_R_OK)
        return refuse_line(message, "an error whose code is 0");
    hbk_error_set(&message->error, wire.code, "%s", wire.detail.data);
    message->error.item = wire.item;
    message->error.win32 = wire.win32;
    hbk_error_set_limit(&message->error, wire.limit.data);
    return 0;
}

static int read_server_line(struct hbk_message *message, struct hbk_text line)
{
    struct envelope envelope;
    const int result = open_line(message, line, &envelope);
    int parts;

    if (result != 0)
        return result;
    parts = (envelope.method != NULL) + (envelope.result != NULL) + (envelope.error != NULL);
    if (parts != 1 || (envelope.params != NULL && envelope.method == NULL))
        return refuse_line(message, "a line has a method and params, or a result, or an error");
    if (envelope.method != NULL) {
        if (envelope.id != NULL)
            return refuse_line(message, "a request; the service sends notifications, without id");
        message->kind = HBK_MESSAGE_NOTIFICATION;
        return decode_call(message, &envelope, true);
    }
    if (envelope.id == NULL)
        return refuse_line(message, "an answer without id");
    if (envelope.error != NULL) {
        if (message->id.kind == HBK_ID_NONE && !cJSON_IsNull(envelope.id))
            return refuse_line(message, "an answer whose id is none");
        message->kind = HBK_MESSAGE_ERROR;
        return decode_error(message, envelope.error);
    }
    if (message->id.kind == HBK_ID_NONE)
        return refuse_line(message, "an answer whose id is none");
    if (!cJSON_IsObject(envelope.result))
        return refuse_line(message, "result must be an object");
    message->kind = HBK_MESSAGE_RESULT;
    return 0;
}

int hbk_message_read_server_line(struct hbk_message *message, struct hbk_text line)
{
    int result;

    hbk_message_clear(message);
    result = read_server_line(message, line);
    return result == 0 ? 0 : fail(message, result);
}

int hbk_message_read_result(struct hbk_message *message, enum hbk_method method)
{
    const struct hbk_method_info *info = hbk_method_info(method);
    int result;

    HBK_ASSERT(message->kind == HBK_MESSAGE_RESULT && message->method == HBK_METHOD_NONE);
    HBK_ASSERT(message->tree != NULL && !info->notification);
    message->method = method;
    result = hbk_fields_decode(message, true, info->result,
                               cJSON_GetObjectItemCaseSensitive(message->tree, "result"),
                               &message->u.result, "result");
    return result == 0 ? 0 : fail(message, result);
}
