/* What may become of lines on their way to a file: nothing but whole lines, files of bounded size, and the
 * same after a full disk, a crash in the middle of a line or a file that somebody has taken away.
 *
 * Every call may block. No Windows here: the file is reached through hbk_audit_io, so that each way in which it
 * can fail is tested. */
#ifndef HBK_AUDITWRITER_H
#define HBK_AUDITWRITER_H

#include "base.h"

/* What Windows calls these; spelt here for who has no windows.h. */
enum {
    HBK_AUDIT_ERROR_ABSENT = 2,        /* ERROR_FILE_NOT_FOUND */
    HBK_AUDIT_ERROR_NOT_AUDIT = 13,    /* ERROR_INVALID_DATA: the file holds something else */
    HBK_AUDIT_ERROR_NO_PROGRESS = 112, /* ERROR_DISK_FULL: a write of nothing, with success */
};

/* The files by number: 0 is written, 1 is the one before it, and so on. All return 0 or a Windows error. */
struct hbk_audit_io {
    void *context;
    /** open() - number 0, for reading and writing; made where it is absent. */
    uint32_t (*open)(void *context, uint64_t *ret_size);
    /** still_there() - does the name still lead to the file that is open? */
    bool (*still_there)(void *context);
    uint32_t (*read)(void *context, uint64_t offset, void *bytes, uint32_t size,
                     uint32_t *ret_read);
    /** write() - *ret_written is set with an error too, and may be less than @size without one. */
    uint32_t (*write)(void *context, uint64_t offset, const void *bytes, uint32_t size,
                      uint32_t *ret_written);
    /** cut() - the file ends at @size. */
    uint32_t (*cut)(void *context, uint64_t size);
    void (*close)(void *context);
    /** rename() - of closed files; what is @to is replaced. HBK_AUDIT_ERROR_ABSENT: there is no @from. */
    uint32_t (*rename)(void *context, uint32_t from, uint32_t to);
};

struct hbk_audit_writer {
    struct hbk_audit_io io;
    uint64_t file_bytes; /* of one file; a single longer line makes a longer file */
    uint32_t files;      /* in all, with the one that is written */
    bool open;
    uint64_t size;         /* of file 0, all of it whole lines */
    uint32_t rotate_error; /* why the last rotation was refused; the caller clears it */
};

/**
 * hbk_audit_writer_init() - nothing is opened before there is something to write
 * @file_bytes: at least 1
 * @files:      at least 1: with 1, a full file is emptied
 */
void hbk_audit_writer_init(struct hbk_audit_writer *writer, const struct hbk_audit_io *io,
                           uint64_t file_bytes, uint32_t files);

/**
 * hbk_audit_writer_write() - append lines, changing to a new file where they do not fit
 * @bytes:    whole lines, each ending in LF
 * @ret_done: set always: so many bytes, all whole lines, stand in the files; the rest does not
 *
 * A line that was written in part is cut off again, now or, where that fails too, before anything else is
 * written. Where a file cannot be renamed, writing goes on in it beyond its size (rotate_error says why).
 * After an error the file is closed; the next call opens it again. Return: 0 or the Windows error.
 */
uint32_t hbk_audit_writer_write(struct hbk_audit_writer *writer, const char *bytes, size_t size,
                                size_t *ret_done);

/** hbk_audit_writer_deinit() - close the file. */
void hbk_audit_writer_deinit(struct hbk_audit_writer *writer);

#endif
