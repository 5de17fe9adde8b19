/* Bytes through the framer in pieces, beside what the bytes themselves say. */
#ifndef LINES_H
#define LINES_H

#include "message.h"

/**
 * lines_feed() - frame @data, which a missing LF at the end is added to, and hand over each line
 *
 * How it is cut into pieces follows from its size, so that an input stays what it looks like.
 */
void lines_feed(const uint8_t *data, size_t size, void (*take)(struct hbk_text line));

/** lines_check_refused() - what must hold of a @message that was refused; and the error that it is answered with
 * must be what the peer reads. */
void lines_check_refused(const struct hbk_message *message);

/** lines_of() - the line that @buffer holds, without its LF. */
struct hbk_text lines_of(const struct hbk_buffer *buffer);

#endif
