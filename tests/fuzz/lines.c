#include "lines.h"

#include "frame.h"

#include <string.h>

/* The line that begins at @at; it is the next that the framer must give. */
static struct hbk_text line_at(const uint8_t *data, size_t size, size_t at)
{
    const uint8_t *lf = at < size ? memchr(data + at, '\n', size - at) : NULL;

    return (struct hbk_text){(const char *)data + at, (lf ? (size_t)(lf - data) : size) - at};
}

void lines_feed(const uint8_t *data, size_t size, void (*take)(struct hbk_text line))
{
    static const size_t pieces[] = {HBK_FRAMER_BYTES_MAX, 5, 64, HBK_READ_BYTES};
    const size_t piece = pieces[size % 4];
    struct hbk_framer framer = {0};
    struct hbk_text line;
    size_t taken = 0;
    bool last = false;
    int result = 0;

    for (size_t at = 0; !last; at += piece) {
        const size_t count = at < size && size - at < piece ? size - at : piece;

        last = at >= size;
        HBK_ASSERT(hbk_framer_push(&framer, last ? (const uint8_t *)"\n" : data + at,
                                   last ? 1 : count) == 0);
        while ((result = hbk_framer_next(&framer, &line)) == HBK_FRAME_LINE) {
            const struct hbk_text expected = line_at(data, size, taken);

            HBK_ASSERT(taken <= size && line.size < HBK_LINE_BYTES_MAX);
            HBK_ASSERT(line.size == expected.size &&
                       memcmp(line.data, expected.data, line.size) == 0);
            taken += line.size + 1;
            take(line);
        }
        if (result == HBK_FRAME_E_TOO_LONG)
            break;
        HBK_ASSERT(result == 0 && hbk_framer_size(&framer) < HBK_LINE_BYTES_MAX);
        HBK_ASSERT(last ||
                   hbk_framer_size(&framer) == (at + count < size ? at + count : size) - taken);
    }
    if (result == HBK_FRAME_E_TOO_LONG)
        HBK_ASSERT(line_at(data, size, taken).size >= HBK_LINE_BYTES_MAX);
    else
        HBK_ASSERT(taken == size + 1 && hbk_framer_size(&framer) == 0);
    hbk_framer_deinit(&framer);
}

struct hbk_text lines_of(const struct hbk_buffer *buffer)
{
    HBK_ASSERT(!buffer->failed && buffer->size > 0 && buffer->size <= HBK_LINE_BYTES_MAX);
    HBK_ASSERT(buffer->data[buffer->size - 1] == '\n');
    HBK_ASSERT(memchr(buffer->data, '\n', buffer->size - 1) == NULL);
    return (struct hbk_text){(const char *)buffer->data, buffer->size - 1};
}

void lines_check_refused(const struct hbk_message *message)
{
    static struct hbk_buffer buffer; /* kept: its memory is used again */
    const struct hbk_error *error = &message->error;
    struct hbk_message told = {0};

    HBK_ASSERT(message->kind == HBK_MESSAGE_NONE && message->tree == NULL);
    HBK_ASSERT(message->lists == NULL);
    HBK_ASSERT(error->code == HBK_R_PARSE_ERROR || error->code == HBK_R_INVALID_REQUEST ||
               error->code == HBK_R_METHOD_NOT_FOUND || error->code == HBK_R_INVALID_PARAMS ||
               error->code == HBK_R_BAD_HANDLE);
    HBK_ASSERT(error->detail[0] != '\0' && error->item >= -1 && error->item < HBK_ITEMS_MAX);

    hbk_buffer_clear(&buffer);
    hbk_write_error(&buffer, &message->id, error);
    HBK_ASSERT(hbk_message_read_server_line(&told, lines_of(&buffer)) == 0);
    HBK_ASSERT(told.kind == HBK_MESSAGE_ERROR && hbk_id_equal(&told.id, &message->id));
    HBK_ASSERT(told.error.code == error->code && told.error.item == error->item);
    HBK_ASSERT(told.error.win32 == error->win32 && strcmp(told.error.limit, error->limit) == 0);
    HBK_ASSERT(strcmp(told.error.detail, error->detail) == 0);
    hbk_message_clear(&told);
}
