/* The metrics in a file, for a collector that reads files: written whole beside it, and renamed, so that nobody sees half
 * of it. The broker's thread makes the text, a worker of libuv's writes it. */
#ifndef HBK_METRICSFILE_H
#define HBK_METRICSFILE_H

#include "broker.h"

#include <uv.h>
#include <wchar.h>

struct hbk_metrics_file;

struct hbk_metrics_file_options {
    const wchar_t *path; /* copied */
    uint32_t interval_ms;
    /* Asked by a worker before each time: is the path one that nobody else can write to? Return: 0 or a Windows error. */
    uint32_t (*check)(void *context, const wchar_t *path);
    void *check_context;
};

/* On the loop's thread. @win32: it has failed a few times in a row (a reader may hold the file for a moment), and this is
 * the last of why; 0: it is written again. */
typedef void (*hbk_metrics_file_tell)(void *context, uint32_t win32);

/** hbk_metrics_file_new() - Return: 0; -1 out of memory. */
int hbk_metrics_file_new(uv_loop_t *loop, const struct hbk_metrics_file_options *options,
                         hbk_metrics_file_tell tell, void *context,
                         struct hbk_metrics_file **ret_file);

/** hbk_metrics_file_start() - write it now, and at each interval. */
void hbk_metrics_file_start(struct hbk_metrics_file *file, struct hbk_broker *broker);

/** hbk_metrics_file_close() - the broker has ended, or never was: let go of the loop, once a worker that writes has
 * returned. NULL is accepted. */
void hbk_metrics_file_close(struct hbk_metrics_file *file);

/** hbk_metrics_file_free() - after close(), when the loop is empty. NULL is accepted. */
void hbk_metrics_file_free(struct hbk_metrics_file *file);

#endif
