#include "auditwriter.h"

#include <string.h>

enum {
    PIECE_BYTES_MAX = 262144,      /* of one write */
    TAIL_BYTES = 4096,             /* looked at in one go for the last line's end */
    TORN_MAX = HBK_LINE_BYTES_MAX, /* what a crash can leave behind of one line */
    OPENING = '{',                 /* how every line begins */
};

void hbk_audit_writer_init(struct hbk_audit_writer *writer, const struct hbk_audit_io *io,
                           uint64_t file_bytes, uint32_t files)
{
    HBK_ASSERT(file_bytes > 0 && files > 0);
    *writer = (struct hbk_audit_writer){.io = *io, .file_bytes = file_bytes, .files = files};
}

static void close_file(struct hbk_audit_writer *writer)
{
    if (writer->open) {
        writer->io.close(writer->io.context);
        writer->open = false;
    }
}

void hbk_audit_writer_deinit(struct hbk_audit_writer *writer)
{
    close_file(writer);
}

/* Bytes up to and with the last LF of @bytes. */
static size_t whole_lines(const char *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] != '\n') {
        size--;
    }
    return size;
}

/* Where the last whole line ends in a file of @size bytes. Of a torn one at most TORN_MAX are passed over: a file
 * with a longer one is none of ours, and is left alone. */
static uint32_t find_end(struct hbk_audit_writer *writer, uint64_t size, uint64_t *ret_end)
{
    char tail[TAIL_BYTES];
    uint64_t end = size;
    while (end > 0) {
        uint32_t want = end < TAIL_BYTES ? (uint32_t)end : TAIL_BYTES, got = 0;
        if (size - end > TORN_MAX) {
            return HBK_AUDIT_ERROR_NOT_AUDIT;
        }
        uint32_t error = writer->io.read(writer->io.context, end - want, tail, want, &got);
        if (error != 0) {
            return error;
        }
        if (got != want) {
            return HBK_AUDIT_ERROR_NOT_AUDIT; /* it shrinks under us */
        }
        size_t whole = whole_lines(tail, want);
        end = end - want + whole;
        if (whole > 0) {
            break;
        }
    }
    *ret_end = end;
    return 0;
}

/* Opens the file and puts it in order: whole lines only. */
static uint32_t open_file(struct hbk_audit_writer *writer)
{
    uint64_t size = 0, end = 0;
    char first = OPENING;
    uint32_t got = 0;
    uint32_t error = writer->io.open(writer->io.context, &size);
    if (error != 0) {
        return error;
    }
    writer->open = true;
    if (size > 0) {
        error = writer->io.read(writer->io.context, 0, &first, 1, &got);
    }
    if (error == 0 && first != OPENING) {
        /* Somebody named a file that is not an audit file; it is not ours to write into. */
        error = HBK_AUDIT_ERROR_NOT_AUDIT;
    }
    if (error == 0) {
        error = find_end(writer, size, &end);
    }
    if (error == 0 && end != size) {
        error = writer->io.cut(writer->io.context, end);
    }
    if (error != 0) {
        close_file(writer);
        return error;
    }
    writer->size = end;
    return 0;
}

/* Makes room: an empty file 0 when this returns 0. */
static uint32_t rotate(struct hbk_audit_writer *writer)
{
    uint32_t error;
    if (writer->files == 1) {
        error = writer->io.cut(writer->io.context, 0);
        if (error == 0) {
            writer->size = 0;
        }
        return error;
    }
    close_file(writer);
    for (uint32_t to = writer->files - 1; to >= 1; to--) {
        error = writer->io.rename(writer->io.context, to - 1, to);
        if (error != 0 && error != HBK_AUDIT_ERROR_ABSENT) {
            return error;
        }
    }
    return 0;
}

/* The whole lines at the beginning of @bytes that are written next; 0: none fits into the file. */
static size_t next_piece(const struct hbk_audit_writer *writer, const char *bytes, size_t size,
                         bool unbounded)
{
    uint64_t most = PIECE_BYTES_MAX;
    if (!unbounded) {
        uint64_t room = writer->size < writer->file_bytes ? writer->file_bytes - writer->size : 0;
        most = room < most ? room : most;
    }
    size_t piece = whole_lines(bytes, most < size ? (size_t)most : size);
    if (piece == 0 && (unbounded || writer->size == 0)) {
        /* A line that fits into no file, or into no piece: alone. */
        const char *end = memchr(bytes, '\n', size);
        HBK_ASSERT(end != NULL);
        piece = (size_t)(end - bytes) + 1;
    }
    return piece;
}

/* Writes @size bytes at the end. *ret_done: what of it stands there in whole lines. */
static uint32_t write_piece(struct hbk_audit_writer *writer, const char *bytes, size_t size,
                            size_t *ret_done)
{
    size_t done = 0;
    uint32_t error = 0;
    while (done < size && error == 0) {
        size_t rest = size - done;
        uint32_t written = 0;
        HBK_ASSERT(rest <= UINT32_MAX);
        error = writer->io.write(writer->io.context, writer->size + done, bytes + done,
                                 (uint32_t)rest, &written);
        HBK_ASSERT(written <= rest);
        done += written;
        if (error == 0 && written == 0) {
            error = HBK_AUDIT_ERROR_NO_PROGRESS;
        }
    }
    size_t whole = whole_lines(bytes, done);
    writer->size += whole;
    *ret_done = whole;
    if (error != 0) {
        /* Where this fails, opening the file again does it before anything else. */
        writer->io.cut(writer->io.context, writer->size);
        close_file(writer);
    }
    return error;
}

uint32_t hbk_audit_writer_write(struct hbk_audit_writer *writer, const char *bytes, size_t size,
                                size_t *ret_done)
{
    uint32_t error = 0;
    bool unbounded = false; /* a rotation was refused: one try a call */
    bool rotated = false;
    size_t done = 0;

    HBK_ASSERT(size == 0 || bytes[size - 1] == '\n');
    if (writer->open && !writer->io.still_there(writer->io.context)) {
        close_file(writer);
    }
    while (done < size) {
        size_t piece_done = 0;
        if (!writer->open) {
            error = open_file(writer);
            if (error != 0) {
                break;
            }
            /* Renamed, and yet it is here and has something in it: no second try either. */
            unbounded = unbounded || (rotated && writer->size > 0);
            rotated = false;
        }
        size_t piece = next_piece(writer, bytes + done, size - done, unbounded);
        if (piece == 0) {
            writer->rotate_error = rotate(writer);
            unbounded = writer->rotate_error != 0;
            rotated = true;
            continue;
        }
        error = write_piece(writer, bytes + done, piece, &piece_done);
        done += piece_done;
        if (error != 0) {
            break;
        }
    }
    *ret_done = done;
    return error;
}
