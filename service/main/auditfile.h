/* The audit file: lines from the broker's thread, written by libuv's workers in pieces as large as what has
 * gathered. What a slow or full disk leaves no room for is dropped and counted; nothing waits for it. */
#ifndef HBK_AUDITFILE_H
#define HBK_AUDITFILE_H

#include "auditwriter.h"

#include <uv.h>
#include <wchar.h>

struct hbk_audit_file;

struct hbk_audit_file_options {
    const wchar_t *path; /* copied */
    uint64_t file_bytes;
    uint32_t files;
    bool console; /* the running user may read and write the file too */
    /* Asked by a worker, after the folder was made and before the file is opened: is the path one
     * that nobody else can write to? Return: 0 or a Windows error. NULL: not asked. */
    uint32_t (*check)(void *context, const wchar_t *path);
    void *check_context;
};

/* What an operator should hear of, at most once in HBK_AUDIT_PERIOD_MS each. */
enum hbk_audit_file_news {
    HBK_AUDIT_FILE_FAILS,       /* win32; dropped: up to now */
    HBK_AUDIT_FILE_WORKS,       /* again; dropped: meanwhile. Told each time */
    HBK_AUDIT_FILE_NOT_ROTATED, /* win32; the file grows beyond its size */
};

struct hbk_audit_file_report {
    enum hbk_audit_file_news news;
    uint32_t win32;
    uint64_t dropped;
};

/* On the loop's thread. */
typedef void (*hbk_audit_file_tell)(void *context, const struct hbk_audit_file_report *report);

/**
 * hbk_audit_file_new() - nothing is opened before the first line
 *
 * Return: 0; -1 out of memory.
 */
int hbk_audit_file_new(uv_loop_t *loop, const struct hbk_audit_file_options *options,
                       hbk_audit_file_tell tell, void *context, struct hbk_audit_file **ret_file);

/** hbk_audit_file_io() - write through @io instead. For tests; before the first line. */
void hbk_audit_file_io(struct hbk_audit_file *file, const struct hbk_audit_io *io);

/** hbk_audit_file_line() - one line with its LF; copied. Any thread, never blocks. Return: false: dropped. */
bool hbk_audit_file_line(struct hbk_audit_file *file, const void *line, size_t size);

/**
 * hbk_audit_file_stop() - write what waits, with one last try where that failed before, and let the loop end
 * @bound_ms: from now on
 * @ended:    called once, on the loop's thread: the file's handles are closed; or @stuck, a worker is still in
 *            a call of Windows, and the process must end with hbk_leave()
 *
 * No line may follow. On the loop's thread.
 */
void hbk_audit_file_stop(struct hbk_audit_file *file, uint32_t bound_ms,
                         void (*ended)(void *context, bool stuck));

/** hbk_audit_file_free() - after it has ended and was not stuck. NULL is accepted. */
void hbk_audit_file_free(struct hbk_audit_file *file);

#endif
