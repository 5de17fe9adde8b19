/* What a client sends: bytes through the framer, each line through the decoder. What decodes must be what a second
 * parser reads in the line; written again it must say the same. What does not must be answered. */
#include "fuzz.h"
#include "lines.h"
#include "tree.h"

#include <string.h>

/* @tree, of a line for @message, has just what the message says. */
static void check_line(const struct hbk_message *message, const json_t *tree)
{
    const json_t *params = json_object_get(tree, "params");

    HBK_ASSERT(message->kind == HBK_MESSAGE_REQUEST && message->id.kind != HBK_ID_NONE);
    HBK_ASSERT(tree_is_text(json_object_get(tree, "jsonrpc"), hbk_text_from("2.0")));
    HBK_ASSERT(tree_is_text(json_object_get(tree, "method"),
                            hbk_text_from(hbk_method_name(message->method))));
    HBK_ASSERT(tree_is_id(json_object_get(tree, "id"), &message->id));
    HBK_ASSERT(json_object_size(tree) == (params ? 4 : 3));
    tree_check(hbk_method_info(message->method)->params, params, &message->u.params, true);
}

static void write_again(const struct hbk_message *message, struct hbk_buffer *buffer)
{
    hbk_buffer_clear(buffer);
    hbk_write_request(buffer, &message->id, message->method, &message->u.params);
}

static void check_request(const struct hbk_message *message, struct hbk_text line)
{
    static struct hbk_buffer first, second; /* kept: their memory is used again */
    struct hbk_message again = {0};
    json_t *tree = tree_load(line);

    HBK_ASSERT(tree != NULL);
    check_line(message, tree);
    json_decref(tree);

    write_again(message, &first);
    if (first.failed) { /* `"params":{}` is added where it was left out */
        HBK_ASSERT(line.size + strlen(",\"params\":{}") >= HBK_LINE_BYTES_MAX);
        return;
    }
    tree = tree_load(lines_of(&first));
    HBK_ASSERT(tree != NULL);
    check_line(message, tree);
    json_decref(tree);

    HBK_ASSERT(hbk_message_read_request(&again, lines_of(&first)) == 0);
    write_again(&again, &second);
    HBK_ASSERT(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    hbk_message_clear(&again);
}

static void take(struct hbk_text line)
{
    struct hbk_message message = {0};
    const int result = hbk_message_read_request(&message, line);

    HBK_ASSERT(result == 0 || result == HBK_DECODE_E_REFUSED);
    if (result == 0)
        check_request(&message, line);
    else
        lines_check_refused(&message);
    hbk_message_clear(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lines_feed(data, size, take);
    return 0;
}
