#include "frame.h"

#include <string.h>

void hbk_framer_deinit(struct hbk_framer *framer)
{
    hbk_buffer_deinit(&framer->bytes);
    framer->start = 0;
    framer->scanned = 0;
}

/* Drops the lines that were taken. */
static void compact(struct hbk_framer *framer)
{
    hbk_buffer_consume(&framer->bytes, framer->start);
    framer->scanned -= framer->start;
    framer->start = 0;
}

int hbk_framer_push(struct hbk_framer *framer, const void *bytes, size_t size)
{
    HBK_ASSERT(framer->start <= framer->scanned && framer->scanned <= framer->bytes.size);
    /* Moves at most as many bytes as were taken since the last time: linear over a session's life. */
    if (framer->start >= framer->bytes.size - framer->start)
        compact(framer);
    if (size > HBK_FRAMER_BYTES_MAX - hbk_framer_size(framer))
        return -1;
    hbk_buffer_append(&framer->bytes, bytes, size);
    if (framer->bytes.failed) {
        framer->bytes.failed = false; /* nothing was written */
        return -1;
    }
    return 0;
}

int hbk_framer_next(struct hbk_framer *framer, struct hbk_text *ret_line)
{
    const size_t size = framer->bytes.size;
    const uint8_t *lf = NULL;
    size_t end;

    HBK_ASSERT(framer->start <= framer->scanned && framer->scanned <= size);
    if (framer->scanned < size)
        lf = memchr(framer->bytes.data + framer->scanned, '\n', size - framer->scanned);
    if (lf == NULL) {
        framer->scanned = size;
        if (size - framer->start >= HBK_LINE_BYTES_MAX)
            return HBK_FRAME_E_TOO_LONG;
        if (size == framer->start) {
            hbk_framer_deinit(framer);
        } else {
            compact(framer);
            hbk_buffer_shrink(&framer->bytes);
        }
        return 0;
    }
    end = (size_t)(lf - framer->bytes.data);
    if (end - framer->start >= HBK_LINE_BYTES_MAX)
        return HBK_FRAME_E_TOO_LONG;
    ret_line->data = (const char *)framer->bytes.data + framer->start;
    ret_line->size = end - framer->start;
    framer->start = end + 1;
    framer->scanned = end + 1;
    return HBK_FRAME_LINE;
}

size_t hbk_framer_size(const struct hbk_framer *framer)
{
    return framer->bytes.size - framer->start;
}
