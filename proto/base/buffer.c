#include "base.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES_MIN = 256 };

void hbk_buffer_init(struct hbk_buffer *buffer, size_t limit)
{
    memset(buffer, 0, sizeof *buffer);
    buffer->limit = limit;
}

void hbk_buffer_deinit(struct hbk_buffer *buffer)
{
    free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}

void hbk_buffer_clear(struct hbk_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

/* Makes room for @size bytes in all, for which there is none yet. */
static bool reserve(struct hbk_buffer *buffer, size_t size)
{
    size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_BYTES_MIN;
    uint8_t *data;

    HBK_ASSERT(size > buffer->capacity);
    if (buffer->limit != 0 && size > buffer->limit)
        return false;
    while (capacity < size) {
        if (!hbk_mul_size(capacity, 2, &capacity))
            return false;
    }
    if (buffer->limit != 0 && capacity > buffer->limit)
        capacity = buffer->limit;
    data = realloc(buffer->data, capacity);
    if (data == NULL)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

/* A line is some two hundred of these, nearly all of which find room. */
void hbk_buffer_append(struct hbk_buffer *buffer, const void *bytes, size_t size)
{
    size_t all;

    if (buffer->failed || size == 0)
        return;
    if (size > buffer->capacity - buffer->size &&
        (!hbk_add_size(buffer->size, size, &all) || !reserve(buffer, all))) {
        buffer->failed = true;
        return;
    }
    memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
}

void hbk_buffer_truncate(struct hbk_buffer *buffer, size_t size)
{
    HBK_ASSERT(size <= buffer->size);
    buffer->size = size;
    buffer->failed = false;
}

void hbk_buffer_consume(struct hbk_buffer *buffer, size_t size)
{
    HBK_ASSERT(size <= buffer->size);
    if (size == 0)
        return;
    buffer->size -= size;
    memmove(buffer->data, buffer->data + size, buffer->size);
}

void hbk_buffer_shrink(struct hbk_buffer *buffer)
{
    size_t capacity = buffer->size > BUFFER_BYTES_MIN ? buffer->size : BUFFER_BYTES_MIN;
    uint8_t *data;

    if (buffer->capacity / 4 < capacity)
        return;
    data = realloc(buffer->data, capacity);
    if (data == NULL)
        return; /* what is held already serves as well */
    buffer->data = data;
    buffer->capacity = capacity;
}
