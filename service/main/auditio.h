/* The audit file on Windows: hbk_audit_io over one path. */
#ifndef HBK_AUDITIO_H
#define HBK_AUDITIO_H

#include "auditwriter.h"

#include <wchar.h>

struct hbk_audit_disk;

/**
 * hbk_audit_disk_new() - the files at @path, @path.1, @path.2, ...
 * @console: the running user may read and write them, beside administrators and the system
 * @check:   see auditfile.h; may be NULL
 * @ret_io:  its operations, for one thread at a time
 *
 * What is made (the file, and the last folder of its path where that is missing) is for administrators and the
 * system alone and inherits nothing; while the file is open, others may read it, and nothing else.
 * Return: NULL out of memory.
 */
struct hbk_audit_disk *hbk_audit_disk_new(const wchar_t *path, bool console,
                                          uint32_t (*check)(void *context, const wchar_t *path),
                                          void *check_context, struct hbk_audit_io *ret_io);

/** hbk_audit_disk_free() - after close(). NULL is accepted. */
void hbk_audit_disk_free(struct hbk_audit_disk *disk);

#endif
