/* Line framing: bytes in any fragmentation -> lines. */
#ifndef HBK_FRAME_H
#define HBK_FRAME_H

#include "base.h"

/* One reader. All-zero is a valid empty framer; it holds memory only while it holds bytes. */
struct hbk_framer {
    struct hbk_buffer bytes;
    size_t start;   /* the first byte that is not part of a line already taken */
    size_t scanned; /* no LF in [start, scanned) */
};

enum {
    HBK_FRAME_LINE = 1,       /* *ret_line is one line, without its LF */
    HBK_FRAME_E_TOO_LONG = 2, /* the line passes HBK_LINE_BYTES_MAX with its LF: end the session */
};

/** hbk_framer_deinit() - free what has arrived; an all-zero framer is accepted, and is left behind. */
void hbk_framer_deinit(struct hbk_framer *framer);

/** hbk_framer_push() - take over (copy) what has arrived. Return: 0; -1 out of memory, or past
 * HBK_FRAMER_BYTES_MAX: nothing was taken over. */
int hbk_framer_push(struct hbk_framer *framer, const void *bytes, size_t size);

/**
 * hbk_framer_next() - the next complete line
 * @ret_line: without its LF; points into the framer, valid until the next push or next
 *
 * Return: HBK_FRAME_LINE; 0 when no complete line is held (what memory is not needed is then freed);
 * HBK_FRAME_E_TOO_LONG, also for a line that is not complete yet.
 */
int hbk_framer_next(struct hbk_framer *framer, struct hbk_text *ret_line);

/** hbk_framer_size() - bytes held and not taken: after next() returned 0, those of a started line. */
size_t hbk_framer_size(const struct hbk_framer *framer);

#endif
