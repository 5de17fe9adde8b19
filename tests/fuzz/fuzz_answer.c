/* What the service sends, as a client reads it: the same as fuzz_request.c the other way round. Here what a schema
 * does not know is passed over. */
#include "fuzz.h"
#include "lines.h"
#include "tree.h"

#include <string.h>

/* What a result answers: the method that its id names, as in tests/vectors, or one by its number. */
static enum hbk_method method_of(const struct hbk_id *id)
{
    for (int i = HBK_METHOD_NONE + 1; i < HBK_METHOD_COUNT; i++) {
        const struct hbk_method_info *info = hbk_method_info((enum hbk_method)i);

        if (!info->notification && strlen(info->name) == id->text_size &&
            memcmp(info->name, id->text, id->text_size) == 0)
            return (enum hbk_method)i;
    }
    return (enum hbk_method)(1 + id->number % (HBK_METHOD_HANDLE_DELIVERED - 1));
}

static int read(struct hbk_message *message, struct hbk_text line)
{
    const int result = hbk_message_read_server_line(message, line);

    if (result != 0 || message->kind != HBK_MESSAGE_RESULT)
        return result;
    return hbk_message_read_result(message, method_of(&message->id));
}

static void check_error(const struct hbk_message *message, const json_t *error)
{
    const json_t *data = json_object_get(error, "data");
    const json_t *item = json_object_get(data, "item"), *win32 = json_object_get(data, "win32"),
                 *limit = json_object_get(data, "limit");
    const struct hbk_error *is = &message->error;

    HBK_ASSERT(is->code != HBK_R_OK);
    HBK_ASSERT(json_real_value(json_object_get(error, "code")) == (double)is->code);
    HBK_ASSERT(tree_is_text(json_object_get(data, "detail"), hbk_text_from(is->detail)));
    HBK_ASSERT(item ? json_real_value(item) == (double)is->item : is->item == -1);
    HBK_ASSERT(win32 ? json_real_value(win32) == (double)is->win32 : is->win32 == 0);
    HBK_ASSERT(limit ? tree_is_text(limit, hbk_text_from(is->limit)) : is->limit[0] == '\0');
}

static void check_line(const struct hbk_message *message, const json_t *tree)
{
    const json_t *error = json_object_get(tree, "error"), *result = json_object_get(tree, "result");

    HBK_ASSERT(tree_is_text(json_object_get(tree, "jsonrpc"), hbk_text_from("2.0")));
    HBK_ASSERT(tree_is_id(json_object_get(tree, "id"), &message->id));
    switch (message->kind) {
    case HBK_MESSAGE_NOTIFICATION:
        HBK_ASSERT(message->id.kind == HBK_ID_NONE && !error && !result);
        HBK_ASSERT(tree_is_text(json_object_get(tree, "method"),
                                hbk_text_from(hbk_method_name(message->method))));
        tree_check(hbk_method_info(message->method)->params, json_object_get(tree, "params"),
                   &message->u.params, false);
        break;
    case HBK_MESSAGE_RESULT:
        HBK_ASSERT(message->id.kind != HBK_ID_NONE && !error && json_is_object(result));
        tree_check(hbk_method_info(message->method)->result, result, &message->u.result, false);
        break;
    default:
        HBK_ASSERT(message->kind == HBK_MESSAGE_ERROR && !result);
        check_error(message, error);
        break;
    }
}

/* Return: false: it cannot be written, as it has an error that only later services have. */
static bool write_again(const struct hbk_message *message, struct hbk_buffer *buffer)
{
    hbk_buffer_clear(buffer);
    if (message->kind == HBK_MESSAGE_NOTIFICATION)
        hbk_write_notification(buffer, message->method, &message->u.params);
    else if (message->kind == HBK_MESSAGE_RESULT)
        hbk_write_result(buffer, &message->id, message->method, &message->u.result);
    else if (hbk_result_name(message->error.code) == NULL)
        return false;
    else
        hbk_write_error(buffer, &message->id, &message->error);
    return true;
}

static void check_again(struct hbk_message *message, struct hbk_text line)
{
    static struct hbk_buffer first, second; /* kept: their memory is used again */
    struct hbk_message again = {0};
    json_t *tree;

    /* Without a detail it is told what the code means. */
    if (message->kind == HBK_MESSAGE_ERROR && message->error.detail[0] == '\0')
        (void)hbk_error_set(&message->error, message->error.code, "nothing");
    if (!write_again(message, &first))
        return;
    if (first.failed) { /* `message` is written in full, whatever stood there */
        HBK_ASSERT(line.size + HBK_TYPE_BYTES_MAX >= HBK_LINE_BYTES_MAX);
        return;
    }
    tree = tree_load(lines_of(&first));
    HBK_ASSERT(tree != NULL);
    check_line(message, tree);
    json_decref(tree);
    HBK_ASSERT(read(&again, lines_of(&first)) == 0);
    HBK_ASSERT(again.kind == message->kind && write_again(&again, &second));
    HBK_ASSERT(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    hbk_message_clear(&again);
}

static void take(struct hbk_text line)
{
    struct hbk_message message = {0};
    const int result = read(&message, line);

    HBK_ASSERT(result == 0 || result == HBK_DECODE_E_REFUSED);
    if (result == 0) {
        json_t *tree = tree_load(line);

        HBK_ASSERT(tree != NULL);
        check_line(&message, tree);
        json_decref(tree);
        check_again(&message, line);
    } else {
        lines_check_refused(&message);
    }
    hbk_message_clear(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lines_feed(data, size, take);
    return 0;
}
